//! The sums of `limits.rs`, against the code: the largest thing that each bound allows is built and measured.

use wardline_core::limits;
use wardline_core::reaction::Reaction;
use wardline_core::rota::Interval;
use wardline_core::wire;
use wardline_core::wire::proto::{self, client_frame, server_frame};

const ID: u64 = i64::MAX as u64;

fn client(body: client_frame::Body) -> Vec<u8> {
    let frame = proto::ClientFrame { request: u64::MAX, body: Some(body) };
    wire::encode_frame(&frame)[wire::PREFIX..].to_vec()
}

fn server(body: server_frame::Body) -> usize {
    wire::encode_frame(&proto::ServerFrame { request: u64::MAX, body: Some(body) }).len() - wire::PREFIX
}

fn fresh() -> wardline_core::input::Fresh {
    wardline_core::input::Fresh { seed: [7; 32], key: wardline_core::text::WrappedKey(vec![0; 60]) }
}

/// Taken, and understood.
fn fits(bytes: &[u8]) {
    assert!(bytes.len() <= limits::CLIENT_FRAME_MAX, "{} bytes", bytes.len());
    let frame = wire::decode_client(bytes).expect("it fits");
    assert!(wire::parse(frame, fresh).1.is_ok());
}

#[test]
fn the_largest_submission_fits() {
    let submit = |text: usize| {
        client(client_frame::Body::Submit(proto::Submit {
            number: ID,
            message: vec![255; 16],
            conversation: ID,
            text: "x".repeat(text),
            priority: proto::Priority::Stat.into(),
            call: Some(proto::Call { people: vec![ID; limits::MEMBERS_MAX], unit: ID }),
            reply_to: limits::CONVERSATION_MESSAGES_MAX,
            mention_people: vec![ID; limits::MENTIONS_MAX],
            mention_roles: Vec::new(),
            attachments: vec![
                proto::AttachedFile {
                    upload: vec![255; 16],
                    name: "x".repeat(limits::ATTACHMENT_NAME_MAX),
                };
                limits::ATTACHMENTS_OF_MESSAGE_MAX
            ],
            order: Some(proto::OrderPart {
                deed: proto::OrderDeed::Correct.into(),
                of: limits::CONVERSATION_MESSAGES_MAX,
                to: ID,
                at: i64::MAX,
                signature: vec![255; 64],
            }),
        }))
    };
    let bytes = submit(limits::TEXT_MAX);
    fits(&bytes);
    let named = 8 * (limits::MEMBERS_MAX + limits::MENTIONS_MAX);
    assert!(
        bytes.len() - limits::TEXT_MAX - named <= 200 + 8 * 144,
        "the sum says 200, and 144 of each file"
    );
    let frame = wire::decode_client(&submit(limits::TEXT_MAX + 1)).expect("still a frame");
    assert!(wire::parse(frame, fresh).1.is_err());
}

#[test]
fn the_largest_change_of_members_fits() {
    let people = vec![ID; limits::MEMBERS_MAX];
    let change = proto::ChangeMembers { conversation: ID, add: people.clone(), remove: people.clone() };
    fits(&client(client_frame::Body::ChangeMembers(change)));
    let title = "x".repeat(limits::TITLE_MAX);
    fits(&client(client_frame::Body::OpenGroup(proto::OpenGroup { title, people })));
}

#[test]
fn the_largest_join_fits() {
    let join = proto::Join {
        code: "Z".repeat(limits::JOIN_CODE_CHARACTERS),
        device_key: [4; 65].to_vec(),
        device_name: "x".repeat(limits::NAME_MAX),
        pin: ("correct horse battery staple, ".repeat(3))[..limits::PIN_BYTES_MAX - 1].to_owned() + "!",
        signature: vec![255; 64],
        ..proto::Join::default()
    };
    fits(&client(client_frame::Body::Join(join)));
}

fn message(text: usize) -> proto::Message {
    proto::Message {
        conversation: ID,
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        message: vec![255; 16],
        sender: ID,
        at: i64::MAX,
        text: "x".repeat(text),
        priority: proto::Priority::Stat.into(),
        reply_to: limits::CONVERSATION_MESSAGES_MAX,
        edits: limits::EDITS_MAX,
        edited_at: i64::MAX,
        recalled_at: i64::MAX,
        mentions: Vec::new(),
        reactions: Vec::new(),
        attachments: Vec::new(),
        // Beside a text of 300 bytes at most.
        alarm: None,
    }
}

/// With everything beside it that there can be.
fn adorned(text: usize) -> proto::Message {
    let people = vec![ID; limits::REACTORS_MAX];
    let reaction =
        |reaction: &Reaction| proto::Reaction { kind: reaction.to_wire().into(), people: people.clone() };
    proto::Message {
        mentions: vec![proto::Mention { person: ID, role: ID }; limits::MENTIONS_MAX],
        reactions: Reaction::ALL.iter().map(reaction).collect(),
        ..message(text)
    }
}

/// Messages whose texts, and what is beside them, fill a page to one byte below its end; and then the largest one.
fn fullest(most: usize) -> [Vec<proto::Message>; 2] {
    let beside = prost::Message::encoded_len(&adorned(1)) - prost::Message::encoded_len(&message(1));
    assert!(beside <= 2_500 + 340, "the sums say so: {beside}");
    let counted = wire::beside(&adorned(1).mentions, &adorned(1).reactions);
    assert!((beside..beside + 64).contains(&counted), "counted as {counted}, is {beside}");
    let plain = (0..most).map(|_| message((limits::PAGE_BYTES_MAX - 1) / most));
    let laden = (0..(limits::PAGE_BYTES_MAX - 1) / (beside + 1)).map(|_| adorned(1));
    [plain.collect(), laden.collect()].map(|mut page: Vec<proto::Message>| {
        page.push(largest_message());
        page
    })
}

/// The largest, with as many files as there may be.
fn largest_message() -> proto::Message {
    let attachment = proto::Attachment {
        media: proto::MediaType::Wav.into(),
        length: limits::ATTACHMENT_BYTES_MAX.into(),
        sha256: vec![255; 32],
        name: "x".repeat(limits::ATTACHMENT_NAME_MAX),
        thumbnail: true,
    };
    let one = proto::Message { attachments: vec![attachment.clone()], ..proto::Message::default() };
    assert!(prost::Message::encoded_len(&one) <= limits::ATTACHMENT_WIRE_MAX, "the sum says so");
    let attachments = vec![attachment; limits::ATTACHMENTS_OF_MESSAGE_MAX];
    proto::Message { attachments, ..adorned(limits::TEXT_MAX) }
}

#[test]
fn the_largest_announcement_of_a_file_fits() {
    let begin = proto::BeginUpload {
        upload: vec![255; 16],
        conversation: ID,
        media: proto::MediaType::Jpeg.into(),
        length: u64::MAX,
        sha256: vec![255; 32],
        thumbnail: [&b"\xff\xd8\xff"[..], &vec![255; limits::THUMBNAIL_MAX - 3]].concat(),
    };
    fits(&client(client_frame::Body::BeginUpload(begin)));
}

/// A call note as long as one can be, though not with a person and a name.
fn full_note() -> proto::CallNote {
    proto::CallNote {
        reached: ID,
        read_back: true,
        called: i64::MAX,
        role: "x".repeat(limits::TITLE_MAX),
        name: "x".repeat(limits::NAME_MAX),
    }
}

fn largest_notice() -> proto::ThreadNotice {
    proto::ThreadNotice {
        conversation: ID,
        number: ID,
        after: limits::CONVERSATION_MESSAGES_MAX,
        at: i64::MAX,
        kind: proto::NoticeKind::EmergencyEnded.into(),
        by: ID,
        person: ID,
        reason: proto::NoticeReason::Emergency.into(),
        unit: ID,
        bed: "x".repeat(limits::BED_MAX),
        until: i64::MAX,
    }
}

fn signed_answer() -> proto::SignedAnswer {
    proto::SignedAnswer {
        conversation: ID,
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        person: ID,
        device: ID,
        device_key: vec![4; 65],
        at: i64::MAX,
        taken: i64::MAX,
        said: Some(proto::signed_answer::Said::CallNote(full_note())),
        signature: vec![255; 64],
    }
}

fn largest_stat() -> proto::Escalation {
    proto::Escalation {
        conversation: ID,
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        state: proto::EscalationState::Accepted.into(),
        since: i64::MAX,
        by: ID,
        noted_by: ID,
        step: 8,
        steps: 8,
        unit: ID,
        called: vec![proto::Called { person: ID, step: 8, declined: 5 }; limits::CALLED_SHOWN_MAX],
        dial: "0".repeat(limits::DIAL_MAX),
        called_count: u32::MAX,
        note: Some(full_note()),
    }
}

#[test]
fn the_largest_page_of_history_fits() {
    let notices = vec![largest_notice(); limits::NOTICES_KEPT_MAX as usize];
    let signed = signed_answer();
    for messages in fullest(limits::PAGE_MESSAGES_MAX as usize - 1) {
        let notices = notices.clone();
        let signed = vec![signed.clone(); limits::PAGE_SIGNED_MAX];
        let (order, order_signed) = (None, Vec::new());
        let page = proto::HistoryPage {
            conversation: ID,
            messages,
            end: true,
            notices,
            signed,
            order,
            order_signed,
            stat: None,
        };
        let size = server(server_frame::Body::HistoryPage(page));
        assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
    }
    {
        // There is nothing else on a page of one.
        let messages = vec![largest_message()];
        let (notices, signed) = (notices.clone(), vec![signed.clone(); limits::signed_on_page(1)]);
        let order_signed = vec![signed_order(); limits::ORDER_SIGNED_MAX];
        let page = proto::HistoryPage {
            conversation: ID,
            messages,
            end: true,
            notices,
            signed,
            order: Some(largest_order()),
            order_signed,
            stat: Some(largest_stat()),
        };
        let size = server(server_frame::Body::HistoryPage(page));
        assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
    }
}

#[test]
fn the_largest_page_of_hits_fits() {
    for hits in fullest(limits::SEARCH_HITS_MAX as usize - 1) {
        let page = proto::SearchPage {
            hits,
            after: vec![255; 25],
            at_least: limits::SEARCH_COUNT_MAX as u64,
            more: true,
            complete: false,
            indexed_until: i64::MAX,
        };
        let size = server(server_frame::Body::SearchPage(page));
        assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
    }
}

#[test]
fn the_largest_conversation_fits() {
    let member = proto::Member {
        person: ID,
        delivered: limits::CONVERSATION_MESSAGES_MAX,
        read: limits::CONVERSATION_MESSAGES_MAX,
    };
    let conversation = proto::Conversation {
        conversation: ID,
        kind: 2,
        title: "x".repeat(limits::TITLE_MAX),
        members: vec![member; limits::MEMBERS_MAX],
        last_sequence: limits::CONVERSATION_MESSAGES_MAX,
        first_sequence: limits::CONVERSATION_MESSAGES_MAX,
        purged: true,
        unit: ID,
        archived: true,
        stats: Vec::new(),
        patient: None,
        encounter: None,
        family: None,
        tasks: Vec::new(),
        orders: Vec::new(),
        writer: ID,
    };
    let stats = vec![largest_stat(); limits::STATS_SHOWN_MAX];
    let tasks = vec![largest_task(); limits::TASKS_OPEN_MAX];
    let orders = vec![largest_order(); limits::ORDERS_SHOWN_MAX];
    let told = proto::Conversation { stats, tasks, orders, ..conversation.clone() };
    let size = wire::encode_event(proto::event::Kind::Conversation(told)).len();
    let beside = 100 * 100 + 50 * 120;
    assert!(size <= 500 * 35 + 200 + 20 * (100 * 16 + 120 + 230) + beside, "the sums say so: {size}");
    assert!(size <= limits::SERVER_FRAME_MAX - 64);
    let size = server(server_frame::Body::Opened(proto::Opened { conversation: Some(conversation.clone()) }));
    assert!(size <= 500 * 35 + 200, "the sum says 35 bytes a member: {size}");
    assert!(size <= limits::SERVER_FRAME_MAX);
    // A patient who passed through three units in a shift, each with as many assignments as it may have.
    let thread = proto::Conversation {
        members: vec![member; 3 * limits::ASSIGNMENTS_OF_UNIT_MAX + limits::CARE_TEAM_MAX + 1],
        patient: listed().patient,
        encounter: listed().encounter,
        ..conversation
    };
    let size = server(server_frame::Body::Opened(proto::Opened { conversation: Some(thread) }));
    assert!(size <= limits::SERVER_FRAME_MAX / 3, "{size} bytes");
}

fn listed() -> proto::ListedPatient {
    let particulars = proto::Particulars {
        record_number: "x".repeat(limits::RECORD_NUMBER_MAX),
        name: "x".repeat(limits::NAME_MAX),
        birth_date: "9999-12-31".to_owned(),
        sex: 6,
    };
    let encounter = proto::Encounter {
        encounter: ID,
        patient: ID,
        unit: ID,
        bed: "x".repeat(limits::BED_MAX),
        attending: ID,
        state: 3,
        discharged_at: i64::MAX,
        muted: true,
        conversation: ID,
    };
    let alias = "x".repeat(limits::NAME_MAX);
    let number = "x".repeat(limits::RECORD_NUMBER_MAX);
    let merged_record_numbers = vec![number; limits::RECORDS_OF_PATIENT_MAX - 1];
    let patient =
        proto::Patient { patient: ID, particulars: Some(particulars), alias, merged_record_numbers };
    proto::ListedPatient { patient: Some(patient), encounter: Some(encounter) }
}

#[test]
fn the_largest_lists_of_patients_and_beds_fit() {
    let page = proto::PatientPage { patients: vec![listed(); limits::PATIENTS_PAGE_MAX], end: true };
    let size = server(server_frame::Body::PatientPage(page));
    assert!(size <= 200 * 400, "the sum says 400 bytes a patient: {size}");
    let holder = proto::Holder { assignment: ID, person: ID, until: i64::MAX };
    let holders = vec![holder; limits::ASSIGNMENTS_OF_UNIT_MAX];
    let bed = proto::Bed {
        bed: "x".repeat(limits::BED_MAX),
        encounter: ID,
        holders: holders.clone(),
        alias: "x".repeat(limits::NAME_MAX),
        ask: ID,
    };
    let one = prost::Message::encoded_len(&bed);
    assert!(one <= 30 * limits::ASSIGNMENTS_OF_UNIT_MAX + 120, "the sum says 30 bytes a holder: {one}");
    // A page ends at its bytes, and one bed more may still go in.
    let most = limits::PAGE_BYTES_MAX / one + 1;
    let page = proto::BedPage { beds: vec![bed; most], whole: holders, end: true };
    let size = server(server_frame::Body::BedPage(page));
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
}

#[test]
fn the_largest_assignment_and_admission_fit() {
    let beds = (0..limits::BEDS_OF_ASSIGNMENT_MAX).map(|bed| format!("{bed:016}")).collect();
    fits(&client(client_frame::Body::TakeAssignment(proto::TakeAssignment {
        unit: ID,
        person: ID,
        beds,
        whole_unit: false,
        until: i64::MAX,
    })));
    fits(&client(client_frame::Body::Admit(proto::Admit {
        record_number: String::new(),
        new_patient: listed().patient.and_then(|patient| patient.particulars),
        unit: ID,
        bed: "x".repeat(limits::BED_MAX),
        attending: ID,
    })));
}

fn largest_task() -> proto::Task {
    proto::Task {
        conversation: ID,
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        author: ID,
        person: ID,
        role: ID,
        given: i64::MAX,
        due: i64::MAX,
        state: 5,
        by: ID,
        at: i64::MAX,
        reason: 7,
        overdue: true,
    }
}

fn largest_order() -> proto::Order {
    let last = limits::CONVERSATION_MESSAGES_MAX;
    proto::Order {
        conversation: ID,
        sequence: last,
        author: ID,
        sort: proto::OrderSort::Cancellation.into(),
        of: last,
        to: ID,
        given: i64::MAX,
        state: proto::OrderState::Wrong.into(),
        read_by: ID,
        read_back: last,
        at: i64::MAX,
        replaced: last,
        filed: i64::MAX,
        filed_by: ID,
    }
}

fn signed_order() -> proto::SignedOrder {
    let last = limits::CONVERSATION_MESSAGES_MAX;
    proto::SignedOrder {
        conversation: ID,
        sequence: last,
        person: ID,
        device: ID,
        device_key: vec![4; 65],
        deed: proto::OrderDeed::Wrong.into(),
        of: last,
        read_back: last,
        to: ID,
        message: vec![255; 16],
        text_sha256: vec![255; 32],
        said: last,
        at: i64::MAX,
        taken: i64::MAX,
        signature: vec![255; 64],
    }
}

#[test]
fn the_largest_page_of_an_export_fits() {
    let acts = proto::ExportActs {
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        stat: Some(largest_stat()),
        signed: vec![signed_answer(); limits::STAT_SIGNED_MAX],
        order: Some(largest_order()),
        order_signed: vec![signed_order(); limits::ORDER_SIGNED_MAX],
        task: Some(largest_task()),
        hidden: true,
    };
    let one = wire::acts_length(&acts);
    assert!(one <= limits::EXPORT_ACTS_MAX, "one always fits: {one}");
    // A full page of text, one message more, every notice, and as much beside it as there may be.
    let messages = vec![message(limits::EXPORT_TEXT_MAX - 1), largest_message()];
    let notices = vec![largest_notice(); limits::NOTICES_KEPT_MAX as usize];
    let page = proto::ExportPage {
        conversation: ID,
        messages,
        notices,
        title: "x".repeat(limits::TITLE_MAX),
        through: limits::CONVERSATION_MESSAGES_MAX,
        end: true,
        names_hidden: u32::MAX,
        acts: vec![acts],
    };
    let size = server(server_frame::Body::ExportPage(page)) + limits::EXPORT_ACTS_MAX - one;
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
}

#[test]
fn the_largest_pages_of_orders_fit() {
    let page = proto::OrderPage { orders: vec![largest_order(); limits::ORDERS_PAGE_MAX], end: true };
    let size = server(server_frame::Body::OrderPage(page));
    assert!(size <= 100 * 120, "{size}");
    let policy = proto::OrderPolicy { unit: ID, roles: vec![ID; limits::ORDER_ROLES_MAX] };
    let policies = vec![policy.clone(); limits::UNITS_MAX + 1];
    let size = server(server_frame::Body::OrderPolicies(proto::OrderPolicies { policies }));
    assert!(size <= limits::SERVER_FRAME_MAX.min(145 * (limits::UNITS_MAX + 1)), "{size}");
    let set = proto::SetOrderPolicy { unit: ID, roles: policy.roles, standard: false };
    fits(&client(client_frame::Body::SetOrderPolicy(set)));
    assert!(
        server(server_frame::Body::HistoryPage(proto::HistoryPage {
            order_signed: vec![signed_order(); limits::ORDER_SIGNED_MAX],
            ..Default::default()
        })) <= 7 * 330
    );
}

#[test]
fn the_largest_pages_of_tasks_fit() {
    let page = proto::TaskPage { tasks: vec![largest_task(); limits::TASKS_PAGE_MAX], end: true };
    let size = server(server_frame::Body::TaskPage(page));
    assert!(size <= 100 * 100, "{size}");
    let left = proto::LeftTask {
        conversation: ID,
        sequence: limits::CONVERSATION_MESSAGES_MAX,
        due: i64::MAX,
        overdue: true,
        successor: ID,
    };
    let tasks = vec![left; limits::TASKS_LEFT_SHOWN_MAX];
    assert!(
        server(server_frame::Body::Suspended(proto::Suspended { tasks, ..Default::default() })) <= 200 * 50
    );
}

#[test]
fn the_largest_set_of_templates_fits() {
    // As many fields as there may be, of as many words as all may have.
    let fields = limits::TEMPLATES_MAX * limits::TEMPLATE_FIELDS_MAX;
    let words = (limits::TEMPLATES_BYTES_MAX - 32 * 8 - limits::TEMPLATES_MAX * 4) / fields;
    let field = |at: usize| proto::TemplateField {
        name: format!("{at:0>8}"),
        hint: "x".repeat(words - 8),
        optional: true,
    };
    let template = |at: usize| proto::Template {
        name: format!("{at:0>4}"),
        fields: (0..limits::TEMPLATE_FIELDS_MAX).map(field).collect(),
    };
    let set = proto::TemplateSet {
        unit: ID,
        replies: vec!["x".repeat(8); limits::QUICK_REPLIES_MAX],
        templates: (0..limits::TEMPLATES_MAX).map(template).collect(),
    };
    fits(&client(client_frame::Body::SetTemplates(proto::SetTemplates { set: Some(set.clone()) })));
    assert!(server(server_frame::Body::TemplateSet(set)) <= limits::CLIENT_FRAME_MAX);
}

fn person() -> proto::Person {
    proto::Person {
        person: ID,
        name: "x".repeat(limits::NAME_MAX),
        title: "x".repeat(limits::TITLE_MAX),
        suspended: true,
        administrator: true,
        privacy_officer: true,
        posts: vec![proto::Post { unit: ID, charge_nurse: true }; limits::POSTS_MAX],
        station: ID,
        agency: Some(proto::Agency { name: "x".repeat(limits::NAME_MAX), until: i64::MAX, over: true }),
        the_box: true,
    }
}

#[test]
fn the_largest_search_of_people_and_patients_fits() {
    let most = limits::LOOK_UP_HITS_MAX as usize;
    let found = proto::LookedUp {
        people: vec![person(); most],
        people_in_all: u32::MAX,
        patients: vec![listed(); most],
        patients_in_all: u32::MAX,
    };
    let size = server(server_frame::Body::LookedUp(found));
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
}

#[test]
fn the_largest_look_at_who_reads_what_is_written_to_a_role_fits() {
    let one = proto::Prospective {
        person: ID,
        reach: proto::Reach::AppOpen.into(),
        heard_ago: Some(u64::MAX),
        silent_until: i64::MAX,
        cover: ID,
        off_site: String::new(),
        on_duty: true,
    };
    let shown = proto::RoleInboxShown {
        role: ID,
        unit: ID,
        name: "x".repeat(limits::NAME_MAX),
        holders: vec![one.clone(); limits::ROTA_PLACES_MAX],
        cover: vec![one; limits::ROLE_COVER_MAX],
        next: i64::MAX,
        conversation: ID,
        own: true,
    };
    let size = server(server_frame::Body::RoleInboxShown(shown));
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
    let kept = limits::ROLE_GAPS_FLAGGED_MAX * std::mem::size_of::<Interval>();
    assert!(kept <= 8 * 16, "the sum says 16 bytes of each gap: {kept}");
}

#[test]
fn the_largest_page_of_people_fits() {
    let page = proto::PeoplePage { people: vec![person(); limits::PEOPLE_PAGE_MAX], end: true };
    let size = server(server_frame::Body::PeoplePage(page));
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
}

#[test]
fn the_largest_lists_of_units_and_channels_fit() {
    let unit = proto::Unit { unit: ID, name: "x".repeat(limits::NAME_MAX) };
    let list = proto::UnitList { units: vec![unit; limits::UNITS_MAX] };
    let size = server(server_frame::Body::UnitList(list));
    assert!(size <= 300 * 80, "the sum says 80 bytes a unit: {size}");
    let channel = proto::Channel {
        conversation: ID,
        unit: ID,
        title: "x".repeat(limits::TITLE_MAX),
        members: limits::MEMBERS_MAX as u32,
        member: true,
        archived: true,
    };
    let page = proto::ChannelPage { channels: vec![channel; limits::CHANNELS_PAGE_MAX], end: true };
    let size = server(server_frame::Body::ChannelPage(page));
    assert!(size <= 200 * 130, "the sum says 130 bytes a channel: {size}");
}

#[test]
fn a_delivery_of_the_largest_message_fits() {
    let event = wire::encode_event(proto::event::Kind::Message(largest_message()));
    let size = wire::delivery_head(&[255; 16], event.len()).len() - wire::PREFIX + event.len();
    assert!(size <= limits::SERVER_FRAME_MAX, "{size} bytes");
}

/// The odds that the comments name.
#[test]
fn the_odds_are_as_written() {
    let a_second = limits::JOIN_GUESSES.per_thousand_seconds as f64 / 1_000.0;
    let years = 2f64.powi(50) / limits::JOIN_CODES_MAX as f64 / a_second / (365.25 * 86_400.0);
    assert!(years > 17.0, "a join code is guessed in {years} years");
    let nonces = (limits::CONVERSATION_MESSAGES_MAX as f64).powi(2) / 2f64.powi(97);
    assert!(nonces <= 2f64.powi(-41), "nonces collide with probability {nonces}");
    let pins = f64::from(limits::PIN_TRIES_MAX) / 1e6;
    assert!(pins <= 1e-5);
}

#[test]
fn the_largest_page_of_the_audit_log_fits() {
    use proto::{audit_name::Of, audit_part::Part};
    // Four parts are the most that an act has that names anybody, and each may be told of with somebody behind it.
    let part = proto::AuditPart { part: Some(Part::Conversation(ID)) };
    let entry = proto::AuditEntry {
        index: ID,
        at: i64::MAX,
        actor: proto::AuditActor::Person.into(),
        person: ID,
        device: ID,
        act: 400,
        parts: vec![part; 4],
    };
    let name = proto::AuditName {
        of: Some(Of::Conversation(ID)),
        name: "x".repeat(limits::NAME_MAX),
        about: ID,
        kind: proto::ConversationKind::Patient.into(),
    };
    let page = proto::AuditPage {
        entries: vec![entry; limits::AUDIT_PAGE_MAX],
        before: ID,
        end: false,
        looked_back_to: i64::MAX,
        names: vec![name; limits::AUDIT_PAGE_MAX * 8],
    };
    let length = server(server_frame::Body::AuditPage(page));
    assert!(length < limits::SERVER_FRAME_MAX, "{length} bytes");
}
