//! Durable bytes, frozen: a write or an audit entry that a box made once is read for ever. `vectors/writes.txt` has one
//! of each; lines are added (`WARDLINE_VECTORS=update`), never changed.
#![expect(clippy::disallowed_methods, reason = "a test reads the vectors that it holds the code against")]

#[path = "writes/acts.rs"]
mod acts;
#[path = "writes/clinical.rs"]
mod clinical;
#[path = "writes/family.rs"]
mod family;
#[path = "writes/newest.rs"]
mod newest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use wardline_core::agency::{Agency, Extension};
use wardline_core::alarm::AlarmWrite;
use wardline_core::alteration::Standing as Edited;
use wardline_core::attachment::{AttachmentPolicy, Media, NewUpload, Sent};
use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::bell::{Bell, BellWrite};
use wardline_core::broadcast::BroadcastWrite;
use wardline_core::clinic::{Assignment, CarePlace, Encounter, Patient, Standing};
use wardline_core::conversation::Kind;
use wardline_core::directory::{Device, JoinCode, Person, Post, PublicKey, Unit};
use wardline_core::emergency::{EmergencyAccess, Finding};
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::escalation::{Escalation, Priority, Reason, Rung, Stage, StatId};
use wardline_core::hold::{Hold, Subject};
use wardline_core::ids::{
    AssignmentId, Change, ConversationId, DeviceId, EditId, EmergencyId, EncounterId, HoldId, MessageId,
    Number, OfferId, PatientId, PersonId, RoleId, Sequence, UnitId, UploadId,
};
use wardline_core::inbox::InboxWrite;
use wardline_core::leaving::Waiting;
use wardline_core::mention::Mention;
use wardline_core::notice::{Notice, Told, Why};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::pin::PinMac;
use wardline_core::reaction::{Reaction, Reactions};
use wardline_core::record::Merged;
use wardline_core::restriction::Restriction;
use wardline_core::retention::Rules;
use wardline_core::role::Role;
use wardline_core::role::offer::Offer;
use wardline_core::rota::{
    ByHand, Date, Exception, Imported, Interval, Pattern, Place, Rota, Says, Shift, Sources, Team, TimeZone,
    Weekday,
};
use wardline_core::text::{Grounds, Name, Sealed, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::urgent::UrgentWrite;
use wardline_core::write::{Message, Numbered, Write};

use acts::{act_name, actors, acts};
use clinical::{clinical_writes, file_writes, stay};

const AT: Wall = Wall(1_800_000_000_000);

fn person() -> PersonId {
    PersonId::new(0x0102_0304_0506_0708).expect("in range")
}

fn device() -> DeviceId {
    DeviceId::new(0x1112_1314_1516_1718).expect("in range")
}

fn place() -> ConversationId {
    ConversationId::new(0x2122_2324_2526_2728).expect("in range")
}

fn upload() -> UploadId {
    UploadId([12; 16])
}

fn unit() -> UnitId {
    UnitId::new(0x3132_3334_3536_3738).expect("in range")
}

fn stat() -> StatId {
    StatId { conversation: place(), sequence: Sequence(300) }
}

fn policy() -> EscalationPolicy {
    let later = [(Ring::ChargeNurses, 60), (Ring::UnitStaff, 120), (Ring::Person(person()), 300)];
    EscalationPolicy::new(60, &later, Dial::parse("4410").expect("a number")).expect("a policy")
}

fn escalation() -> Escalation {
    let rung = Rung { step: 0, declined: Some(Reason::Busy), has_held: true };
    Escalation {
        id: stat(),
        sender: person(),
        unit: Some(unit()),
        policy: policy(),
        opened: AT,
        stage: Stage::Held { step: 0, since: AT, by: person(), passed_ms: 20_000 },
        rung: BTreeMap::from([(person(), rung)]),
        changed: Change(0),
        note: None,
    }
}

fn patient() -> PatientId {
    PatientId::new(0x4142_4344_4546_4748).expect("in range")
}

fn encounter() -> EncounterId {
    EncounterId::new(0x5152_5354_5556_5758).expect("in range")
}

fn assignment() -> AssignmentId {
    AssignmentId::new(0x6162_6364_6566_6768).expect("in range")
}

fn role_id() -> RoleId {
    RoleId::new(0x7172_7374_7576_7778).expect("in range")
}

fn role() -> Role {
    let mut sources = Sources::new(TimeZone::parse("Europe/Berlin").expect("a zone"));
    let (from, team) = (Date::new(2026, 11, 30).expect("a day"), Team::one(person()));
    let shifts = vec![Shift::weekly(0, (Weekday::Monday, 420), (Weekday::Friday, 1_140), team.clone())];
    sources.patterns.push(Pattern { from, until: None, weeks: 1, place: Some(Place::FIRST), shifts });
    sources.exceptions.push(Exception::on(from, 420, 1_140, Says::Team(team)));
    sources.by_hand.push(ByHand {
        when: Interval { start: AT, end: AT.after(3_600_000) },
        says: Says::Place { place: Place::BACKUP, person: None },
    });
    let (name, rota) =
        (Name::parse("Physician on call").expect("a name"), Rota::new(sources).expect("a rota"));
    Role { id: role_id(), unit: unit(), name, rota, changed: Change(0), offers: Vec::new(), retired: false }
}

fn imported() -> Rota {
    let mut sources = role().rota.sources().clone();
    let when = Interval { start: AT, end: AT.after(3_600_000) };
    let shift = Imported { place: Place::FIRST, when, person: other() };
    sources.import(Interval { start: AT, end: AT.after(86_400_000) }, vec![shift]);
    Rota::new(sources).expect("a rota")
}

fn offer() -> Offer {
    Offer {
        id: OfferId::new(0x0ffe).expect("in range"),
        place: Place::FIRST,
        giver: person(),
        taker: other(),
        from: AT,
        until: AT.after(28_800_000),
        made: AT,
        expires: AT.after(7_200_000),
    }
}

fn other() -> PersonId {
    PersonId::new(0x0bb0).expect("in range")
}

fn hold(subject: Subject) -> Write {
    let matter = Title::parse("Doe v. Mercy").expect("a title");
    Write::HoldPlaced(Hold { id: hold_id(), subject, matter, since: AT, by: person() })
}

fn hold_id() -> HoldId {
    HoldId::new(0x0203_0405_0607_0809).expect("in range")
}

fn emergency() -> EmergencyAccess {
    EmergencyAccess {
        id: EmergencyId::new(0x0102_0304_0506_0708).expect("in range"),
        encounter: encounter(),
        patient: stay().patient,
        unit: unit(),
        person: person(),
        grounds: Grounds::parse("Found on the floor").expect("grounds"),
        since: AT,
        until: AT.after(3_600_000),
        ended: None,
        finding: None,
        second: None,
    }
}

fn agency() -> Agency {
    let until = AT.after(7_200_000);
    let grounds = Grounds::parse("Two called in sick").expect("grounds");
    Agency {
        name: Name::parse("Brightside").expect("a name"),
        unit: unit(),
        since: AT,
        until,
        ended: None,
        extensions: vec![Extension { at: AT.after(3_600_000), until, grounds }],
    }
}

/// One of each. A new variant does not compile until it is named here and, below, has its sample.
fn name_of(write: &Write) -> &'static str {
    match write {
        Write::PersonAdded(_) => "PersonAdded",
        Write::StandingSet { .. } => "StandingSet",
        Write::JoinCodeIssued(_) => "JoinCodeIssued",
        Write::JoinCodeEnded { .. } => "JoinCodeEnded",
        Write::DeviceJoined(_) => "DeviceJoined",
        Write::DeviceRevoked { .. } => "DeviceRevoked",
        Write::PinTries { .. } => "PinTries",
        Write::PinChosen { .. } => "PinChosen",
        Write::ExportBegun { .. } => "ExportBegun",
        Write::LoginSecretsSet { .. } => "LoginSecretsSet",
        Write::PasskeysSet { .. } => "PasskeysSet",
        Write::Alarm(AlarmWrite::RoleSet(_)) => "Alarm/role",
        Write::Alarm(AlarmWrite::Told(_)) => "Alarm/told",
        Write::Alarm(AlarmWrite::Over(_)) => "Alarm/over",
        Write::Bell(BellWrite::Set { .. }) => "Bell::Set",
        Write::Bell(BellWrite::Cleared(_)) => "Bell::Cleared",
        Write::Bell(BellWrite::PolicySet(_)) => "Bell::PolicySet",
        Write::SessionOpened { .. } => "SessionOpened",
        Write::SessionLocked(_) => "SessionLocked",
        Write::SessionEnded { .. } => "SessionEnded",
        Write::ConversationOpened { .. } => "ConversationOpened",
        Write::KeyGranted { .. } => "KeyGranted",
        Write::KeyDestroyed { .. } => "KeyDestroyed",
        Write::MemberAdded { .. } => "MemberAdded",
        Write::MemberLeft { .. } => "MemberLeft",
        Write::MessageAccepted(_) => "MessageAccepted",
        Write::WatermarkMoved { .. } => "WatermarkMoved",
        Write::MessagesExpired { .. } => "MessagesExpired",
        Write::Audited { .. } => "Audited",
        Write::TimeServed { .. } => "TimeServed",
        Write::UnitSet(_) => "UnitSet",
        Write::PostSet { .. } => "PostSet",
        Write::DutiesSet { .. } => "DutiesSet",
        Write::TitleSet { .. } => "TitleSet",
        Write::ArchivedSet { .. } => "ArchivedSet",
        Write::EscalationOpened(_) => "EscalationOpened",
        Write::EscalationMoved { .. } => "EscalationMoved",
        Write::EscalationDeclined { .. } => "EscalationDeclined",
        Write::EscalationPolicySet { .. } => "EscalationPolicySet",
        Write::StatAnswered(_) => "StatAnswered",
        Write::EscalationUnitSet { .. } => "EscalationUnitSet",
        Write::RoleSet(_) => "RoleSet",
        Write::PatientSet { .. } => "PatientSet",
        Write::EncounterOpened(_) => "EncounterOpened",
        Write::EncounterMoved { .. } => "EncounterMoved",
        Write::EncounterStanding { .. } => "EncounterStanding",
        Write::AttendingSet { .. } => "AttendingSet",
        Write::CareTeamSet { .. } => "CareTeamSet",
        Write::AssignmentTaken(_) => "AssignmentTaken",
        Write::AssignmentCovers { .. } => "AssignmentCovers",
        Write::AssignmentEnded { .. } => "AssignmentEnded",
        Write::ThreadClosed { .. } => "ThreadClosed",
        Write::EncounterFiled { .. } => "EncounterFiled",
        Write::EmergencyBegan(_) => "EmergencyBegan",
        Write::EmergencyEnded { .. } => "EmergencyEnded",
        Write::EmergencyReviewed { .. } => "EmergencyReviewed",
        Write::HoldPlaced(Hold { subject: Subject::Person(_), .. }) => "HoldPlaced/person",
        Write::HoldPlaced(Hold { subject: Subject::Patient(_), .. }) => "HoldPlaced/patient",
        Write::HoldPlaced(_) => "HoldPlaced/conversation",
        Write::HoldLifted { .. } => "HoldLifted",
        Write::RetentionSet(_) => "RetentionSet",
        Write::MessageEdited { .. } => "MessageEdited",
        Write::MessageRecalled { .. } => "MessageRecalled",
        Write::ReactionsSet { .. } => "ReactionsSet",
        Write::TaskSet(_) => "TaskSet",
        Write::OrderSet(_) => "OrderSet",
        Write::OrderSigned(_) => "OrderSigned",
        Write::OrderPolicySet { .. } => "OrderPolicySet",
        Write::Availability(_) => "Availability",
        Write::Urgent(UrgentWrite::Waits(_)) => "Urgent/waits",
        Write::Urgent(UrgentWrite::Over(_)) => "Urgent/over",
        Write::TemplatesSet { .. } => "TemplatesSet",
        Write::NoticeMade(_) => "NoticeMade",
        Write::UploadBegun(_) => "UploadBegun",
        Write::UploadFinished { .. } => "UploadFinished",
        Write::UploadDropped { .. } => "UploadDropped",
        Write::AttachmentsSent { .. } => "AttachmentsSent",
        Write::AttachmentPolicySet(_) => "AttachmentPolicySet",
        Write::AgencySet { .. } => "AgencySet",
        Write::BarredSet { .. } => "BarredSet",
        Write::AssignmentProlonged { .. } => "AssignmentProlonged",
        Write::SuspensionWaits { .. } => "SuspensionWaits",
        Write::FamilyConsentSet { .. } => "FamilyConsentSet",
        Write::FamilyBlockSet { .. } => "FamilyBlockSet",
        Write::BedsideCodeSet { .. } => "BedsideCodeSet",
        Write::VisitAsked(_) => "VisitAsked",
        Write::VisitForgotten { .. } => "VisitForgotten",
        Write::FamilyThreadOpened(_) => "FamilyThreadOpened",
        Write::VisitorSet { .. } => "VisitorSet",
        Write::Inbox(InboxWrite::Opened(_)) => "Inbox/opened",
        Write::Inbox(InboxWrite::GapsFlagged { .. }) => "Inbox/gaps",
        Write::Broadcast(BroadcastWrite::AnnouncerSet { .. }) => "Broadcast/announcer",
        Write::Broadcast(BroadcastWrite::PolicySet(_)) => "Broadcast/policy",
    }
}

fn writes() -> Vec<Write> {
    let key = PublicKey::parse(&[&[4][..], &[5; 64]].concat()).expect("a key's form");
    vec![
        Write::PersonAdded(Person {
            id: person(),
            name: Name::parse("Ana").expect("a name"),
            title: Title::parse("RN").expect("a title"),
            administrator: true,
            suspended: false,
            changed: Change(0),
            privacy_officer: false,
            posts: BTreeMap::new(),
            station: None,
            agency: None,
            barred: false,
            waits: None,
            visitor: None,
            the_box: false,
        }),
        Write::StandingSet { person: person(), suspended: true },
        Write::JoinCodeIssued(JoinCode {
            hash: [6; 32],
            person: person(),
            expires: AT,
            issuer: None,
            issued: Change(0),
        }),
        Write::JoinCodeEnded { hash: [6; 32] },
        Write::DeviceJoined(Device {
            id: device(),
            person: person(),
            name: Name::parse("Ana's phone").expect("a name"),
            key,
            salt: [7; 16],
            pin: PinMac([8; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: Some(AT),
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        }),
        Write::DeviceRevoked { device: device() },
        Write::PinTries { device: device(), tries: 3 },
        Write::SessionOpened { device: device(), until: AT },
        Write::SessionEnded { device: device() },
        Write::ConversationOpened {
            conversation: place(),
            kind: Kind::Group,
            title: Title::parse("4 West").expect("a title"),
            owner: Some(person()),
            at: AT,
            unit: None,
        },
        Write::KeyGranted { conversation: place(), key: WrappedKey(vec![9; 60]) },
        Write::KeyDestroyed { conversation: place() },
        Write::MemberAdded { conversation: place(), person: person(), from: Sequence(5), seen: None },
        Write::MemberLeft { conversation: place(), person: person() },
        Write::MessageAccepted(Message {
            conversation: place(),
            sequence: Sequence(300),
            id: MessageId([10; 16]),
            sender: person(),
            device: device(),
            number: Number(70_000),
            at: AT,
            body: Sealed(vec![11; 40]),
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
        }),
        Write::WatermarkMoved {
            conversation: place(),
            person: person(),
            delivered: Sequence(9),
            read: Sequence(8),
        },
        Write::MessagesExpired { conversation: place(), through: Sequence(4) },
        Write::Audited { index: 1, bytes: vec![12; 10] },
        Write::TimeServed { served_ms: 86_400_000, at: AT },
        Write::UnitSet(Unit { id: unit(), name: Name::parse("4 West").expect("a name"), changed: Change(0) }),
        Write::PostSet { person: person(), unit: unit(), post: Some(Post::ChargeNurse) },
        Write::DutiesSet { person: person(), administrator: false, privacy_officer: true },
        Write::TitleSet { conversation: place(), title: Title::parse("4 West").expect("a title") },
        Write::ArchivedSet { conversation: place(), archived: true },
        Write::EscalationOpened(escalation()),
        Write::EscalationMoved {
            id: stat(),
            stage: Stage::Ringing { step: 1, since: AT },
            rang: vec![person()],
        },
        Write::EscalationDeclined { id: stat(), person: person(), reason: Reason::OffDuty, step: 1 },
        Write::EscalationPolicySet { unit: Some(unit()), policy: Some(policy()) },
    ]
    .into_iter()
    .chain(clinical_writes())
    .chain([Write::EscalationUnitSet { id: stat(), unit: unit() }, Write::RoleSet(role())])
    .chain([
        Write::EmergencyBegan(emergency()),
        Write::EmergencyEnded { id: emergency().id, at: AT },
        Write::EmergencyReviewed {
            id: emergency().id,
            by: Some(person()),
            finding: Finding::NotJustified,
            at: AT,
        },
        hold(Subject::Person(person())),
        hold(Subject::Patient(stay().patient)),
        hold(Subject::Conversation(stay().thread)),
        Write::HoldLifted {
            hold: hold_id(),
            by: person(),
            grounds: Grounds::parse("The matter is settled").expect("grounds"),
            at: AT,
        },
        Write::RetentionSet(Rules::parse([720, 720, 1_440, 8_760]).expect("in range")),
        Write::MessageEdited {
            conversation: place(),
            sequence: Sequence(300),
            message: Change(70_000),
            standing: Edited { edits: 2, edit: Some(EditId([12; 16])), recalled: false, at: AT },
            body: Sealed(vec![11; 40]),
        },
        Write::MessageRecalled {
            conversation: place(),
            sequence: Sequence(300),
            message: Change(70_000),
            at: AT,
        },
        Write::NoticeMade(Notice {
            conversation: place(),
            number: 7,
            after: Sequence(300),
            at: AT,
            by: Some(person()),
            told: Told::Entered { person: person(), why: Why::Bed, until: Some(AT.after(43_200_000)) },
        }),
        Write::AgencySet { person: person(), agency: agency() },
        Write::BarredSet { person: person(), barred: true },
        Write::AssignmentProlonged { assignment: assignment(), since: AT, until: AT.after(3_600_000) },
        Write::SuspensionWaits {
            person: person(),
            waits: Some(Waiting { by: person(), since: AT, overdue: true }),
        },
        Write::ReactionsSet {
            conversation: place(),
            sequence: Sequence(300),
            message: Change(70_000),
            reactions: Reactions::default().with(person(), Reaction::Agree, true).with(
                person(),
                Reaction::Concern,
                true,
            ),
        },
    ])
    .chain(file_writes())
    .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// Every sample by name, encoded by today's code.
fn today() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for (at, write) in writes().into_iter().chain(family::writes()).enumerate() {
        let name = format!("write {}", name_of(&write));
        let numbered = Numbered { change: Change(at as u64 + 1), write };
        found.push((name, minicbor::to_vec(numbered).expect("into memory")));
    }
    for (at, act) in acts().into_iter().chain(family::acts()).enumerate() {
        let entry = Entry { version: 1, index: at as u64 + 1, at: AT, actor: actors()[1].1, act };
        found.push((format!("act {}", act_name(&act)), entry.to_bytes()));
    }
    // Of every area that came later: what it is numbered with says nothing of its place here.
    for write in newest::writes() {
        let name = format!("write {}", name_of(&write));
        found.push((name, minicbor::to_vec(Numbered { change: Change(1), write }).expect("into memory")));
    }
    for act in newest::acts() {
        let entry = Entry { version: 1, index: 1, at: AT, actor: actors()[1].1, act };
        found.push((format!("act {}", act_name(&act)), entry.to_bytes()));
    }
    // What came later, with a value.
    let (hash, issuer) = ([6; 32], Some(person()));
    let issued =
        Write::JoinCodeIssued(JoinCode { hash, person: person(), expires: AT, issuer, issued: Change(0) });
    let numbered = Numbered { change: Change(1), write: issued };
    found.push((
        "write JoinCodeIssued by a person".to_owned(),
        minicbor::to_vec(numbered).expect("into memory"),
    ));
    let act = Act::DeviceJoined(person(), device(), issuer);
    let entry = Entry { version: 1, index: 1, at: AT, actor: actors()[1].1, act };
    found.push(("act DeviceJoined by a person's code".to_owned(), entry.to_bytes()));
    let act = Act::AttendingSet(encounter(), None);
    let entry = Entry { version: 1, index: 1, at: AT, actor: actors()[1].1, act };
    found.push(("act AttendingSet to none".to_owned(), entry.to_bytes()));
    let posts = BTreeMap::from([(unit(), Post::Staff)]);
    let (name, title) = (Name::parse("Ben").expect("a name"), Title::default());
    let ben = Person {
        id: person(),
        name,
        title,
        administrator: false,
        suspended: false,
        changed: Change(0),
        privacy_officer: true,
        posts,
        station: None,
        agency: None,
        barred: false,
        waits: None,
        visitor: None,
        the_box: false,
    };
    let ines = Person {
        id: person(),
        name: Name::parse("Ines").expect("a name"),
        title: Title::default(),
        administrator: false,
        suspended: true,
        changed: Change(0),
        privacy_officer: false,
        posts: BTreeMap::new(),
        station: None,
        agency: Some(Agency { ended: Some(AT), extensions: Vec::new(), ..agency() }),
        barred: true,
        waits: None,
        visitor: None,
        the_box: false,
    };
    let screen = Person {
        id: person(),
        name: Name::parse("Desk").expect("a name"),
        title: Title::default(),
        administrator: false,
        suspended: false,
        changed: Change(0),
        privacy_officer: false,
        posts: BTreeMap::new(),
        station: Some(unit()),
        agency: None,
        barred: false,
        waits: None,
        visitor: None,
        the_box: false,
    };
    let visitor = Person {
        id: person(),
        name: Name::parse("Maria Lopez").expect("a name"),
        privacy_officer: false,
        posts: BTreeMap::new(),
        visitor: Some(family::visitor()),
        ..ben.clone()
    };
    let urgent = Message {
        conversation: place(),
        sequence: Sequence(1),
        id: MessageId([10; 16]),
        sender: person(),
        device: device(),
        number: Number(1),
        at: AT,
        body: Sealed(vec![11; 40]),
        priority: Priority::Urgent,
        reply_to: None,
        mentions: Default::default(),
    };
    let reply = Message { priority: Priority::Routine, reply_to: Some(Sequence(300)), ..urgent.clone() };
    let mentions =
        vec![Mention { person: person(), role: None }, Mention { person: other(), role: Some(role_id()) }];
    let naming = Message { mentions, ..urgent.clone() };
    let moved = |stage| Write::EscalationMoved { id: stat(), stage, rang: Vec::new() };
    let accepted = moved(Stage::Accepted { step: 3, at: AT, by: Some(person()), noted_by: Some(person()) });
    let opened = Write::ConversationOpened {
        conversation: place(),
        kind: Kind::Channel,
        title: Title::parse("Huddle").expect("a title"),
        owner: Some(person()),
        at: AT,
        unit: Some(unit()),
    };
    let ended = Write::PostSet { person: person(), unit: unit(), post: None };
    let lent = Write::PostSet { person: person(), unit: unit(), post: Some(Post::Lent) };
    let (from, seen) = (Sequence(1), Some(Sequence(9)));
    let entered = Write::MemberAdded { conversation: place(), person: person(), from, seen };
    let restriction = Some(Restriction {
        alias: Name::parse("Blue Heron").expect("a name"),
        named: BTreeSet::from([person()]),
        by: Some(person()),
        since: AT,
    });
    let known = clinical_writes().into_iter().find_map(|write| match write {
        Write::PatientSet { patient, .. } => Some(patient),
        _ => None,
    });
    let known = known.expect("a patient");
    let merged = Merged { into: patient(), since: AT, by: Some(person()) };
    for (name, write) in [
        ("PersonAdded with a post", Write::PersonAdded(ben)),
        ("ConversationOpened in a unit", opened),
        ("PostSet to none", ended),
        ("PostSet to lent", lent),
        ("MemberAdded to a channel", entered),
        ("PersonAdded from an agency", Write::PersonAdded(ines)),
        ("SuspensionWaits no more", Write::SuspensionWaits { person: person(), waits: None }),
        ("PersonAdded as a screen", Write::PersonAdded(screen)),
        ("PersonAdded as a visitor", Write::PersonAdded(visitor)),
        ("FamilyConsentSet to none", Write::FamilyConsentSet { encounter: encounter(), consent: None }),
        ("BedsideCodeSet to none", Write::BedsideCodeSet { encounter: encounter(), code: None }),
        ("MessageAccepted and urgent", Write::MessageAccepted(urgent)),
        ("MessageAccepted in reply", Write::MessageAccepted(reply)),
        ("MessageAccepted naming people", Write::MessageAccepted(naming)),
        ("EscalationMoved to accepted", accepted),
        ("EscalationMoved to closed", moved(Stage::Closed { at: AT })),
        ("EscalationPolicySet to none", Write::EscalationPolicySet { unit: None, policy: None }),
        (
            "ConversationOpened for a patient",
            Write::ConversationOpened {
                conversation: place(),
                kind: Kind::Patient,
                title: Title::default(),
                owner: None,
                at: AT,
                unit: None,
            },
        ),
        (
            "EncounterOpened with all",
            Write::EncounterOpened(Encounter {
                attending: Some(person()),
                standing: Standing::OnLeave,
                closed: Some(AT),
                ..stay()
            }),
        ),
        ("RoleSet with an offer", Write::RoleSet(Role { offers: vec![offer()], ..role() })),
        ("RoleSet with shifts of a calendar", Write::RoleSet(Role { rota: imported(), ..role() })),
        ("RoleSet of a retired role", Write::RoleSet(Role { retired: true, ..role() })),
        (
            "EmergencyBegan with a second person",
            Write::EmergencyBegan(EmergencyAccess { second: Some(person()), ..emergency() }),
        ),
        (
            "PatientSet restricted",
            Write::PatientSet { patient: Patient { restriction, ..known.clone() }, thread: None },
        ),
        (
            "PatientSet merged",
            Write::PatientSet { patient: Patient { merged: Some(merged), ..known }, thread: None },
        ),
        ("CareTeamSet to none", Write::CareTeamSet { encounter: encounter(), person: person(), place: None }),
    ] {
        let numbered = Numbered { change: Change(1), write };
        found.push((format!("write {name}"), minicbor::to_vec(numbered).expect("into memory")));
    }
    for (name, actor) in actors() {
        let entry = Entry { version: 1, index: 1, at: Wall(-1), actor, act: Act::SignedIn };
        found.push((format!("actor {name}"), entry.to_bytes()));
    }
    found
}

fn frozen() -> Vec<(String, Vec<u8>)> {
    let path: PathBuf = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .join("vectors/writes.txt");
    let mut text = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var("WARDLINE_VECTORS").is_ok_and(|wish| wish == "update") {
        for (name, bytes) in today() {
            if !text.lines().any(|line| line.starts_with(&format!("{name}: "))) {
                text.push_str(&format!("{name}: {}\n", hex(&bytes)));
            }
        }
        std::fs::write(&path, &text).expect("the vectors are written");
    }
    let lines = text.lines().map(|line| line.split_once(": ").expect("a name and bytes"));
    lines.map(|(name, bytes)| (name.to_owned(), unhex(bytes))).collect()
}

#[test]
fn old_bytes_are_read_and_written_as_ever() {
    let (frozen, today) = (frozen(), today());
    for (name, bytes) in &today {
        let old =
            frozen.iter().find(|(old, _)| old == name).unwrap_or_else(|| panic!("{name} has no vector"));
        assert_eq!(hex(&old.1), hex(bytes), "{name}");
    }
    for (name, bytes) in &frozen {
        let again = if name.starts_with("write ") {
            let numbered: Numbered =
                minicbor::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            minicbor::to_vec(numbered).expect("into memory")
        } else {
            Entry::from_bytes(bytes).unwrap_or_else(|error| panic!("{name}: {error}")).to_bytes()
        };
        assert_eq!(hex(&again), hex(bytes), "{name}");
    }
    assert_eq!(frozen.len(), today.len(), "a vector of something that is no more");
}

/// Nothing readable of people or messages stands in an audit entry: only identifiers, which are numbers.
#[test]
fn audit_entries_hold_numbers_alone() {
    for (name, bytes) in today().into_iter().filter(|(name, _)| !name.starts_with("write ")) {
        let mut decoder = minicbor::Decoder::new(&bytes);
        while decoder.position() < bytes.len() {
            use minicbor::data::Type;
            match decoder.datatype().expect("CBOR") {
                Type::Array => drop(decoder.array()),
                Type::U8
                | Type::U16
                | Type::U32
                | Type::U64
                | Type::I8
                | Type::I16
                | Type::I32
                | Type::I64 => {
                    decoder.skip().expect("a number");
                }
                other => panic!("{name} holds {other}"),
            }
        }
    }
}
