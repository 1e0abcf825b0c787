//! Samples of the areas that came last: each adds its own, in any order.

use wardline_core::alarm::{Alarm, AlarmKind, AlarmWrite, Told};
use wardline_core::availability::{Availability, AvailabilityWrite, Hours, Quiet, Undisturbed};
use wardline_core::broadcast::BroadcastPolicy;
use wardline_core::escalation::signed::{CallNote, Said, SignedAnswer};
use wardline_core::ids::ExportId;
use wardline_core::inbox::RoleInbox;
use wardline_core::login::{LoginSecrets, SecretHash};
use wardline_core::order::signed::{Deed, SignedDeed, Words};
use wardline_core::order::{Filed, Order, Reading, Sort, Standing as OrderStanding};
use wardline_core::passkey::{CredentialId, Passkey};
use wardline_core::task::{Assignee, Standing as TaskStanding, Task};
use wardline_core::template::Templates;
use wardline_core::urgent::UrgentWait;
use wardline_core::wire::proto;

use super::*;

pub(crate) fn writes() -> Vec<Write> {
    let task = |to, standing, due| Task {
        id: StatId { conversation: place(), sequence: Sequence(300) },
        author: person(),
        to,
        given: Wall(1_780_000_000_000),
        due,
        due_set: Wall(1_780_000_000_000),
        standing,
        overdue: due.is_none(),
        changed: Change(0),
    };
    let (by, at) = (person(), Wall(1_780_000_000_001));
    let due = Some(Wall(1_780_003_600_000));
    let taken = task(Assignee::Role(role().id), TaskStanding::Taken { by, at }, due);
    let said = AvailabilityWrite::Said { person: person(), availability: availability(), begins: true };
    let mut writes = vec![
        Write::TemplatesSet { unit: Some(unit()), templates: templates() },
        Write::TaskSet(Box::new(taken)),
        Write::Availability(said),
        Write::StatAnswered(Box::new(signed())),
    ];
    writes.extend([
        Write::OrderSet(Box::new(order())),
        Write::OrderSigned(Box::new(signed_order())),
        Write::OrderPolicySet { unit: Some(unit()), roles: Some(vec![role_id()]) },
    ]);
    let id = StatId { conversation: place(), sequence: Sequence(300) };
    writes.extend([
        Write::Urgent(UrgentWrite::Waits(UrgentWait { id, sender: person(), at: AT })),
        Write::Urgent(UrgentWrite::Over(id)),
    ]);
    writes.extend(inbox_writes());
    writes.extend([
        Write::Broadcast(BroadcastWrite::AnnouncerSet { person: person(), announces: true }),
        Write::Broadcast(BroadcastWrite::PolicySet(BroadcastPolicy::STANDARD)),
    ]);
    writes.extend([
        Write::ExportBegun {
            export: export_id(),
            subject: Subject::Patient(PatientId::new(0x0a).expect("a patient")),
            by: person(),
            grounds: Grounds::parse("Request of the patient").expect("grounds"),
            at: AT,
        },
        Write::PinChosen { device: device(), salt: [7; 16], pin: PinMac([8; 32]) },
        Write::LoginSecretsSet {
            device: device(),
            secrets: LoginSecrets {
                current: None,
                offered: Some(SecretHash::of(&[9; 32])),
                changed: Change(0),
            },
        },
        Write::PasskeysSet { device: device(), passkeys: vec![passkey()] },
        Write::SessionLocked(device()),
        Write::Bell(BellWrite::Set { device: device(), person: person(), bell: bell() }),
        Write::Bell(BellWrite::Cleared(device())),
        Write::Bell(BellWrite::PolicySet(true)),
    ]);
    let alarm = Alarm { kind: AlarmKind::DiskLow, level: 2 };
    writes.extend([
        Write::Alarm(AlarmWrite::RoleSet(Some(role_id()))),
        Write::Alarm(AlarmWrite::Told(Told { alarm, at: AT, place: id })),
        Write::Alarm(AlarmWrite::Over(AlarmKind::DiskLow)),
    ]);
    writes
}

pub(crate) fn acts() -> Vec<Act> {
    vec![
        Act::TemplatesSet(Some(unit())),
        Act::LookedUp(2, 1),
        Act::TaskGiven(place(), Sequence(300), Assignee::Person(person())),
        Act::TaskReassigned(place(), Sequence(300), Assignee::Role(role().id)),
        Act::TaskAnswered(place(), Sequence(300), 4),
        Act::TaskOverdue(place(), Sequence(300)),
        Act::OrderGiven(place(), Sequence(300)),
        Act::OrderReplaced(place(), Sequence(300), Sequence(302)),
        Act::OrderReadBack(place(), Sequence(300), Sequence(301)),
        Act::OrderAnswered(place(), Sequence(300), 1),
        Act::OrderFiled(place(), Sequence(300)),
        Act::OrderPolicySet(Some(unit()), 1),
        Act::UndisturbedSet(person(), Wall(1_795_435_200_000), Some(person())),
        Act::UndisturbedEnded(person()),
        Act::CoverEnded(person(), person()),
        Act::QuietHoursSet(person(), 2),
        Act::OffSiteNumberSet(person(), 1),
        Act::AvailabilityCleared(person()),
        Act::CoverPolicySet(1),
        Act::OffSiteNumbersShown(place(), Sequence(300)),
        Act::InboxOpened(place(), role_id()),
        Act::InboxReopened(place()),
        Act::InboxFinished(place()),
        Act::RoleGapFlagged(role_id(), AT),
        Act::AnnouncerSet(person(), 1),
        Act::BroadcastPolicySet(1, 0),
        Act::DeviceCopied(person(), device()),
        Act::PasskeyAdded(person(), device()),
        Act::PasskeyRemoved(person(), device()),
        Act::UnlockedByPasskey(device()),
        Act::PasskeyWrong(device()),
        Act::PinCodeIssued(person()),
        Act::PinCodeWrong(2),
        Act::PinCleared(person(), device(), Some(other())),
        Act::ExportBegun(export_id(), 2, 0x0a),
        Act::ExportRead(export_id(), place(), Sequence(7)),
        Act::ExportFileOpened(export_id(), place(), Sequence(7), 1),
        Act::ExportFinished(export_id(), [9, 8, 7, 6]),
        Act::SheetPrinted(unit(), 2),
        Act::AuditRead(Some(person()), Some(patient())),
        Act::WebCertificateRequested,
        Act::WebCertificateImported,
        Act::WebCertificateDropped,
        Act::BellSet(person(), device()),
        Act::BellCleared(person(), device()),
        Act::BellPolicySet(1),
        Act::AlarmRoleSet(Some(role_id())),
        Act::AlarmTold(1, 2),
        Act::AlarmOver(1),
    ]
}

fn bell() -> Bell {
    let endpoint = "https://push.example.net/p/JzLQ3raZJfFBR0aq".to_owned();
    Bell::parse(endpoint, &[4; 65], &[5; 16]).expect("a bell")
}

fn passkey() -> Passkey {
    let mut key = [11; 65];
    key[0] = 4;
    Passkey {
        credential: CredentialId::parse(&[10; 16]).expect("an identifier"),
        key: PublicKey::parse(&key).expect("a key"),
        added: AT,
    }
}

fn signed() -> SignedAnswer {
    let mut key = [7; 65];
    key[0] = 4;
    let note = CallNote {
        reached: Some(person()),
        role: Title::parse("Physician on call").ok(),
        name: None,
        called: Wall(1_795_435_200_000),
        read_back: true,
    };
    SignedAnswer {
        id: stat(),
        person: person(),
        device: device(),
        key: PublicKey::parse(&key).expect("a key"),
        said: Said::Note(note),
        at: Wall(1_795_435_201_000),
        taken: Wall(1_795_435_202_000),
        signature: [8; 64],
    }
}

fn order() -> Order {
    let at = Wall(1_795_435_201_000);
    Order {
        id: stat(),
        author: person(),
        sort: Sort::Correction,
        of: Some(Sequence(298)),
        to: Some(person()),
        given: Wall(1_795_435_200_000),
        standing: OrderStanding::Confirmed(Reading { by: person(), message: Sequence(301), at }),
        read_backs: 1,
        replaced: Some(Sequence(302)),
        filed: Some(Filed { by: None, at }),
        changed: Change(0),
    }
}

fn signed_order() -> SignedDeed {
    let SignedAnswer { id, person, device, key, at, taken, signature, .. } = signed();
    let deed = Deed::Correct { of: Sequence(298), to: Some(person) };
    let words = Some(Words { message: MessageId([5; 16]), text: [6; 32] });
    SignedDeed { id, person, device, key, deed, words, said: Some(id.sequence), at, taken, signature }
}

fn availability() -> Availability {
    let zone = TimeZone::parse("Europe/Berlin").expect("a zone");
    let hours = vec![Hours { days: 127, from: 1_320, to: 360 }];
    let (since, until) = (Wall(1_795_435_200_000), Wall(1_795_438_800_000));
    Availability {
        undisturbed: Some(Undisturbed { since, until, cover: Some(person()) }),
        quiet: Some(Quiet::new(zone, hours).expect("hours")),
        number: Dial::parse("+49 30 1234").expect("a number"),
    }
}

fn inbox_writes() -> [Write; 2] {
    let inbox = RoleInbox { conversation: place(), role: role_id(), writer: person() };
    let gaps = vec![Interval { start: AT, end: AT.after(3_600_000) }];
    [Write::Inbox(InboxWrite::Opened(inbox)), Write::Inbox(InboxWrite::GapsFlagged { role: role_id(), gaps })]
}

fn export_id() -> ExportId {
    ExportId::new(0x0e).expect("an export")
}

fn templates() -> Templates {
    let field = |name: &str, hint: &str, optional| proto::TemplateField {
        name: name.to_owned(),
        hint: hint.to_owned(),
        optional,
    };
    let fields = vec![field("Bed", "", false), field("Injuries", "where", true)];
    let templates = vec![proto::Template { name: "Fall report".to_owned(), fields }];
    let set = proto::TemplateSet { unit: 0, replies: vec!["On my way".to_owned()], templates };
    Templates::from_wire(&set).expect("in range")
}
