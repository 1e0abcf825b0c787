//! Attachments, told as stories.

mod ward;

use wardline_core::attachment::{Attach, Attaching, AttachmentPolicy, Begin, Media, Received};
use wardline_core::escalation::{Priority, StatId};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, Sequence, UploadId};
use wardline_core::input::{Ask, Call, Input, Submit};
use wardline_core::limits;
use wardline_core::text::Sealed;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    place: ConversationId,
    numbers: u64,
}

impl House {
    /// Ana and Ben talk; Chidi does not hear it.
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let (fresh, ben) = (ward.fresh(), ward.people[1]);
        let place = ward::group_of(&ward.ask(ANA, Ask::OpenDirect { person: ben, fresh }));
        Self { ward, place, numbers: 0 }
    }

    fn file(&self, name: u8) -> Begin {
        Begin {
            name: UploadId([name; 16]),
            conversation: self.place,
            media: Media::Jpeg,
            length: 20 << 20,
            sha256: [name; 32],
            sealed: Some((Sealed(vec![1; 60]), Sealed(vec![]))),
        }
    }

    fn begin(&mut self, from: Conn, begin: Begin) -> Turn {
        self.ward.ask(from, Ask::Attaching(Attaching::Begin(begin)))
    }

    fn finish(&mut self, from: Conn, name: u8, received: Received) -> Turn {
        let name = UploadId([name; 16]);
        self.ward.ask(from, Ask::Attaching(Attaching::Finish { name, received }))
    }

    /// A file that is there whole.
    fn upload(&mut self, from: Conn, name: u8) {
        let begun = self.begin(from, self.file(name));
        assert!(opens(&begun), "{:?}", refusal(&begun));
        assert_eq!(refusal(&self.finish(from, name, Received::Whole)), None);
    }

    fn say(&mut self, from: Conn, names: &[u8]) -> Turn {
        self.numbers += 1;
        let attach = |name: &u8| Attach { upload: UploadId([*name; 16]), title: Some(Sealed(vec![2; 40])) };
        let submit = Submit {
            number: Number(self.numbers),
            message: MessageId([self.numbers as u8; 16]),
            conversation: self.place,
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Routine,
            call: Call::default(),
            reply_to: None,
            mentions: Default::default(),
            attachments: names.iter().map(attach).collect(),
            order: None,
        };
        self.ward.ask(from, Ask::Submit(submit))
    }

    fn open(&mut self, from: Conn, sequence: u64, which: u32) -> Turn {
        let message = StatId { conversation: self.place, sequence: Sequence(sequence) };
        self.ward.ask(from, Ask::Attaching(Attaching::Open { message, which, thumbnail: false }))
    }

    fn open_uploads(&self) -> usize {
        self.ward.relay.state().uploads.open.len()
    }
}

fn opens(turn: &Turn) -> bool {
    turn.sends.iter().any(|send| matches!(send, Send::OpenUpload { .. }))
}

fn unchanged(turn: &Turn, code: &str) {
    assert_eq!(refusal(turn), Some(format!("REFUSAL_CODE_{code}").as_str()));
    let changes = turn.writes.iter().filter(|numbered| !matches!(numbered.write, Write::Audited { .. }));
    assert_eq!(changes.count(), 0, "{code}: a refusal changes nothing");
    assert!(turn.sends.iter().all(|send| matches!(send, Send::Reply { .. })));
}

#[test]
fn a_file_is_announced_arrives_and_goes_with_a_message() {
    let mut house = House::new();
    house.upload(ANA, 1);
    house.upload(ANA, 2);
    let said = house.say(ANA, &[2, 1]);
    let sent = said.writes.iter().find_map(|numbered| match &numbered.write {
        Write::AttachmentsSent { sequence, message, files, .. } => Some((*sequence, *message, files)),
        _ => None,
    });
    let (sequence, message, files) = sent.expect("with its files");
    let accepted = said.writes.iter().find(|n| matches!(n.write, Write::MessageAccepted(_)));
    assert_eq!((sequence, Some(message)), (Sequence(1), accepted.map(|accepted| accepted.change)));
    let names: Vec<u8> = files.iter().map(|file| file.upload.0[0]).collect();
    assert_eq!(names, [2, 1], "in the order that its author chose");
    assert_eq!(house.open_uploads(), 0, "the core remembers none that is sent");
    unchanged(&house.say(ANA, &[1]), "NO_SUCH_UPLOAD");
}

#[test]
fn the_same_upload_again_goes_on_and_costs_nothing_and_another_file_under_its_name_is_refused() {
    let mut house = House::new();
    let first = house.begin(ANA, house.file(1));
    let again = house.begin(ANA, house.file(1));
    assert!(opens(&first) && opens(&again) && again.writes.is_empty());
    let longer = Begin { length: 5, ..house.file(1) };
    unchanged(&house.begin(ANA, longer), "UPLOAD_OTHER");
    let other = Begin { sha256: [9; 32], ..house.file(1) };
    unchanged(&house.begin(ANA, other), "UPLOAD_OTHER");
    assert_eq!(refusal(&house.finish(ANA, 1, Received::Whole)), None);
    let done = house.begin(ANA, house.file(1));
    let is_done = |send: &Send| matches!(send, Send::OpenUpload { grant, .. } if grant.is_done());
    assert!(done.sends.iter().any(is_done), "there is nothing to send");
    let again = house.finish(ANA, 1, Received::Part);
    assert!(matches!(answer(&again), Body::Done(_)) && again.writes.is_empty(), "finished is finished");
}

#[test]
fn half_an_upload_a_damaged_and_a_mistyped_one_are_told_apart_and_none_can_be_sent() {
    let mut house = House::new();
    assert!(opens(&house.begin(ANA, house.file(1))));
    for (received, code) in [
        (Received::Part, "UPLOAD_UNFINISHED"),
        (Received::Damaged, "UPLOAD_NOT_AS_SAID"),
        (Received::Mistyped, "ATTACHMENT_MISTYPED"),
    ] {
        unchanged(&house.finish(ANA, 1, received), code);
        unchanged(&house.say(ANA, &[1]), "UPLOAD_UNFINISHED");
    }
    unchanged(&house.finish(ANA, 2, Received::Whole), "NO_SUCH_UPLOAD");
    unchanged(&house.finish(BEN, 1, Received::Whole), "NO_SUCH_UPLOAD");
    house.upload(BEN, 1);
    house.upload(ANA, 3);
    unchanged(&house.say(BEN, &[3]), "NO_SUCH_UPLOAD");
    unchanged(&house.say(ANA, &[3, 3]), "INVALID");
    unchanged(&house.say(ANA, &[3, 1]), "UPLOAD_UNFINISHED");
    assert!(house.say(ANA, &[3]).sends.iter().any(|send| matches!(send, Send::Accepted(_))));
}

#[test]
fn size_and_type_are_by_policy_which_an_administrator_sets_within_bounds() {
    let mut house = House::new();
    let large = u64::from(limits::ATTACHMENT_BYTES_STANDARD) + 1;
    unchanged(&house.begin(ANA, Begin { length: large, ..house.file(1) }), "ATTACHMENT_TOO_LARGE");
    unchanged(&house.begin(ANA, Begin { length: u64::MAX, ..house.file(1) }), "ATTACHMENT_TOO_LARGE");
    unchanged(&house.begin(ANA, Begin { length: 0, ..house.file(1) }), "INVALID");
    let policy = AttachmentPolicy::parse(0, 30 << 20, 1 << 20).expect("in range");
    assert!(matches!(answer(&house.ward.ask(BOX, Ask::SetAttachmentPolicy(policy))), Body::Done(_)));
    assert!(house.ward.ask(BOX, Ask::SetAttachmentPolicy(policy)).writes.is_empty(), "as it was");
    unchanged(&house.begin(ANA, house.file(1)), "ATTACHMENT_TYPE");
    let audio = Begin { media: Media::Ogg, ..house.file(1) };
    unchanged(&house.begin(ANA, audio), "ATTACHMENT_TOO_LARGE");
    let pdf = Begin { media: Media::Pdf, length: large, ..house.file(1) };
    assert!(opens(&house.begin(ANA, pdf)));
    let Body::AttachmentPolicy(told) = answer(&house.ward.ask(BEN, Ask::ListAttachmentPolicy)) else {
        panic!("no policy")
    };
    assert_eq!((told.photo, told.document, told.audio, told.standard), (0, 30 << 20, 1 << 20, false));
}

#[test]
fn a_file_for_a_conversation_that_is_closed_or_not_ones_own_is_refused() {
    let mut house = House::new();
    unchanged(&house.begin(CHIDI, house.file(1)), "NO_SUCH_CONVERSATION");
    house.upload(ANA, 1);
    house.say(ANA, &[1]);
    unchanged(&house.open(CHIDI, 1, 0), "NO_SUCH_CONVERSATION");
    unchanged(&house.open(BEN, 2, 0), "NO_SUCH_MESSAGE");
    unchanged(&house.open(BEN, 1, 8), "NO_SUCH_ATTACHMENT");
    let opened = house.open(BEN, 1, 0);
    let granted = |send: &Send| match send {
        Send::OpenAttachment { grant, .. } => (grant.which(), grant.message().sequence) == (0, Sequence(1)),
        _ => false,
    };
    assert!(opened.sends.iter().any(granted));
    assert_eq!(opened.writes.len(), 1, "each look is recorded");
    assert!(opens(&house.begin(ANA, house.file(2))));
    house.ward.ask(BOX, Ask::PurgeConversation { conversation: house.place });
    assert_eq!(house.open_uploads(), 0, "what was on its way is gone with its key");
    unchanged(&house.open(BEN, 1, 0), "PURGED");
    unchanged(&house.begin(ANA, house.file(3)), "PURGED");
    unchanged(&house.finish(ANA, 2, Received::Whole), "NO_SUCH_UPLOAD");
}

#[test]
fn a_device_has_sixteen_on_their_way_and_a_message_takes_eight() {
    let mut house = House::new();
    let small = |house: &House, name: u8| Begin { length: 1_000, ..house.file(name) };
    for name in 0..limits::UPLOADS_OF_DEVICE_MAX as u8 {
        assert!(opens(&house.begin(ANA, small(&house, name))));
        assert_eq!(refusal(&house.finish(ANA, name, Received::Whole)), None);
    }
    unchanged(&house.begin(ANA, small(&house, 99)), "UPLOAD_LIMIT");
    assert!(opens(&house.begin(BEN, small(&house, 99))), "others have their own");
    unchanged(&house.say(ANA, &[0, 1, 2, 3, 4, 5, 6, 7, 8]), "TOO_MANY_ATTACHMENTS");
    assert_eq!(refusal(&house.say(ANA, &[0, 1, 2, 3, 4, 5, 6, 7])), None);
    assert!(opens(&house.begin(ANA, small(&house, 99))));
}

#[test]
fn what_is_announced_must_fit_the_disk_with_everything_else_that_was() {
    let mut house = House::new();
    let length = house.file(1).length;
    let free = limits::DISK_FILES_BYTES + 2 * length;
    house.ward.handle(Input::Disk { free });
    assert!(opens(&house.begin(ANA, house.file(1))));
    assert!(opens(&house.begin(ANA, house.file(2))));
    unchanged(&house.begin(ANA, house.file(3)), "DISK_LOW");
    assert!(opens(&house.begin(ANA, house.file(2))), "what was begun goes on");
    house.ward.handle(Input::Disk { free: free - length });
    assert_eq!(refusal(&house.finish(ANA, 1, Received::Whole)), None, "what has come is on the disk");
    assert!(!opens(&house.begin(ANA, house.file(3))));
    house.ward.handle(Input::Disk { free });
    assert!(opens(&house.begin(ANA, house.file(3))));
    house.ward.handle(Input::Disk { free: 1 << 20 });
    unchanged(&house.finish(ANA, 2, Received::Whole), "DISK_LOW");
}

#[test]
fn a_device_announces_a_shifts_worth_and_is_then_slowed_down() {
    let mut house = House::new();
    let largest = AttachmentPolicy::parse(0, 0, limits::ATTACHMENT_BYTES_MAX.into()).expect("in range");
    house.ward.ask(BOX, Ask::SetAttachmentPolicy(largest));
    let length = u64::from(limits::ATTACHMENT_BYTES_MAX);
    for name in 0..16 {
        let audio = Begin { media: Media::Wav, length, ..house.file(name) };
        assert!(opens(&house.begin(ANA, audio)), "{name}: a gigabyte at once");
    }
    let more = Begin { media: Media::Wav, length: 1_000, ..house.file(16) };
    unchanged(&house.begin(ANA, more), "SLOW_DOWN");
    let again = Begin { media: Media::Wav, length, ..house.file(3) };
    assert!(opens(&house.begin(ANA, again)), "to go on costs nothing");
}

#[test]
fn what_nobody_sends_goes_after_a_day_and_sooner_when_its_sender_may_not() {
    let mut house = House::new();
    house.upload(ANA, 1);
    assert!(opens(&house.begin(BEN, house.file(2))));
    house.ward.pass(23 * HOUR);
    assert_eq!(house.open_uploads(), 2);
    house.ward.pass(HOUR + 120_000);
    assert_eq!(house.open_uploads(), 0);
    unchanged(&house.say(ANA, &[1]), "NO_SUCH_UPLOAD");
    // Out of the conversation, and a revoked device.
    let (chidi, fresh) = (house.ward.people[2], house.ward.fresh());
    let title = wardline_core::text::Title::parse("Team").expect("a title");
    let group = ward::group_of(&house.ward.ask(ANA, Ask::OpenGroup { title, people: vec![chidi], fresh }));
    assert!(opens(&house.begin(CHIDI, Begin { conversation: group, ..house.file(3) })));
    assert!(opens(&house.begin(BEN, house.file(4))));
    house.ward.change(ANA, group, &[], &[chidi]);
    unchanged(&house.finish(CHIDI, 3, Received::Whole), "NO_SUCH_CONVERSATION");
    house.ward.pass(61_000);
    assert_eq!(house.open_uploads(), 1, "who was put out sends nothing");
    let ben = house.ward.people[1];
    let device = house.ward.relay.state().devices_of(ben).next().expect("a device").id;
    house.ward.ask(BOX, Ask::RevokeDevice { device });
    house.ward.pass(61_000);
    assert_eq!(house.open_uploads(), 0);
}

#[test]
fn a_hold_keeps_what_was_uploaded_and_not_sent() {
    let mut house = House::new();
    let officer = house.ward.people[2];
    house.ward.ask(BOX, Ask::SetDuties { person: officer, administrator: false, privacy_officer: true });
    house.upload(ANA, 1);
    let whose = wardline_core::hold::Whose::Conversation(house.place);
    let (matter, fresh) =
        (wardline_core::text::Title::parse("26-1180").expect("a title"), house.ward.fresh());
    let placed = house.ward.ask(CHIDI, Ask::Hold(wardline_core::hold::Holds::Place { whose, matter, fresh }));
    let Body::HoldPlaced(proto::HoldPlaced { hold, .. }) = answer(&placed) else { panic!("not placed") };
    house.ward.pass(48 * HOUR);
    assert_eq!(house.open_uploads(), 1);
    let id = wardline_core::ids::HoldId::new(hold).expect("an identifier");
    let grounds = wardline_core::text::Grounds::parse("The matter is settled").expect("grounds");
    house.ward.ask(CHIDI, Ask::Hold(wardline_core::hold::Holds::Lift { id, grounds }));
    house.ward.pass(61_000);
    assert_eq!(house.open_uploads(), 0);
}
