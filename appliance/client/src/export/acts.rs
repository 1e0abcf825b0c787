//! What became of a message of the record: how a STAT went and who answered it, an order and what was signed about it, a task.
//!
//! What a device signed stands there with the bytes that it signed, its key and the signature, so that whoever has the record can verify it by
//! any ECDSA (P-256, SHA-256): where a name in it had to be hidden, it cannot be, and stands there without those bytes.

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use wardline_core::escalation::Reason;
use wardline_core::escalation::signed::Statement as Answered;
use wardline_core::ids::{PersonId, Sequence};
use wardline_core::order::signed::{SignedDeed, Statement as Ordered};
use wardline_core::wire::proto::{self, OrderDeed};

use super::record::{Header, Place, hex, time};
use crate::error::Error;
use crate::event::message_hex;
use crate::orders::{self, Order, Stands as OrderStands};
use crate::signed::{self, Said, SignedAnswer};
use crate::stat::{Escalation, Stands};
use crate::tasks::{For, Stands as TaskStands, Task};
use crate::trust::sha256;

/// Of one message.
pub(super) struct Acts {
    pub(super) stat: Option<Escalation>,
    pub(super) signed: Vec<SignedAnswer>,
    pub(super) order: Option<Order>,
    pub(super) order_signed: Vec<SignedDeed>,
    pub(super) task: Option<Task>,
    /// Words of a call note had to be hidden.
    hidden: bool,
}

impl Acts {
    pub(super) fn from_wire(wire: proto::ExportActs) -> Result<(Sequence, Self), Error> {
        let acts = Self {
            stat: wire.stat.map(Escalation::from_wire).transpose()?,
            signed: signed::read(&wire.signed)?,
            order: wire.order.as_ref().map(Order::from_wire).transpose()?,
            order_signed: wire.order_signed.iter().map(orders::signed_from_wire).collect::<Result<_, _>>()?,
            task: wire.task.as_ref().map(Task::from_wire).transpose()?,
            hidden: wire.hidden,
        };
        Ok((Sequence(wire.sequence), acts))
    }

    /// Whether what somebody signed is what stands here; none: a name in it is hidden.
    pub(super) fn is_verified(&self, answer: &SignedAnswer, root: &CertificateDer<'_>) -> Option<bool> {
        let has_words = matches!(answer.said, Said::Note(_));
        (!self.hidden || !has_words).then(|| signed::is_verified(answer, root))
    }

    /// The lines of the record, in the order in which they are written.
    pub(super) fn lines(&self, header: &Header, place: &Place, sequence: Sequence) -> Vec<Value> {
        let mut lines = Vec::new();
        lines.extend(self.stat.as_ref().map(|stat| stat_line(header, place, stat)));
        lines.extend(self.signed.iter().map(|answer| self.answer_line(header, place, answer)));
        lines.extend(self.order.as_ref().map(|order| order_line(header, place, order)));
        lines.extend(self.order_signed.iter().map(|deed| deed_line(header, place, deed)));
        lines.extend(self.task.as_ref().map(|task| task_line(header, place, task)));
        for line in &mut lines {
            line["conversation"] = json!(place.id.to_string());
            line["sequence"] = json!(sequence.0);
        }
        lines
    }

    fn answer_line(&self, header: &Header, place: &Place, answer: &SignedAnswer) -> Value {
        let verified = self.is_verified(answer, &header.root);
        let facility = sha256(&header.root);
        let SignedAnswer { device, id: stat, at, said, .. } = answer;
        let signed = Answered { facility: &facility, device: *device, stat: *stat, at: *at, said }.to_bytes();
        let note = match said {
            Said::Note(note) => Some(note),
            _ => None,
        };
        let reason = match said {
            Said::Decline(reason) => Some(reason_word(*reason)),
            _ => None,
        };
        json!({
            "record": "stat_answer",
            "by": who(header, place, answer.person),
            "device": device.to_string(),
            "said": match said { Said::Accept => "accept", Said::Decline(_) => "decline", Said::Note(_) => "call_note" },
            "reason": reason,
            "reached": note.and_then(|note| note.reached).map(|person| who(header, place, person)),
            "reached_as": note.and_then(|note| note.role.as_ref()).map(|role| role.reveal().to_owned()),
            "reached_name": note.and_then(|note| note.name.as_ref()).map(|name| name.reveal().to_owned()),
            "called": note.map(|note| time(note.called.0)),
            "read_back": note.map(|note| note.read_back),
            "at": time(at.0),
            "taken": time(answer.taken.0),
            "device_key": hex(answer.key.as_bytes()),
            "signed": verified.map(|_| hex(&signed)),
            "signature": hex(&answer.signature),
            "verified": verified,
        })
    }
}

fn who(header: &Header, place: &Place, person: PersonId) -> Value {
    json!({ "person": person.to_string(), "name": header.name(person, Some(place)) })
}

/// As `--because` has it.
pub(super) fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Busy => "busy",
        Reason::NotMine => "not_mine",
        Reason::OffDuty => "off_duty",
        Reason::Other => "other",
        Reason::HandedBack => "handed_back",
        Reason::Left => "left",
        Reason::HandedOver => "handed_over",
    }
}

fn stat_line(header: &Header, place: &Place, stat: &Escalation) -> Value {
    let called = stat.called.iter().map(|(person, declined)| {
        json!({ "person": person.to_string(), "name": header.name(*person, Some(place)), "declined": declined })
    });
    // Where a patient lies whose record this is not.
    let unit = stat.unit.filter(|_| !place.withholds_files());
    json!({
        "record": "stat",
        "stands": stands(stat.stands),
        "since": time(stat.since),
        "by": stat.by.map(|person| who(header, place, person)),
        "noted_by": stat.noted_by.map(|person| who(header, place, person)),
        "step": stat.step,
        "steps": stat.steps,
        "unit": unit.map(|unit| unit.to_string()),
        "unit_name": unit.and_then(|unit| header.units.get(&unit)),
        "called": called.collect::<Vec<_>>(),
    })
}

pub(super) fn stands(stands: Stands) -> &'static str {
    match stands {
        Stands::Ringing => "ringing",
        Stands::Held => "held",
        Stands::Accepted => "accepted",
        Stands::Closed => "closed",
    }
}

fn order_line(header: &Header, place: &Place, order: &Order) -> Value {
    let sort = match order.sort {
        orders::Sort::New => "new",
        orders::Sort::Correction => "correction",
        orders::Sort::Cancellation => "cancellation",
        _ => "other",
    };
    json!({
        "record": "order",
        "author": who(header, place, order.author),
        "sort": sort,
        "of": order.of.map(|of| of.0),
        "to": order.to.map(|person| who(header, place, person)),
        "given": time(order.given),
        "stands": order_stands(order.stands),
        "read_by": order.read_back.map(|(person, _)| who(header, place, person)),
        "read_back": order.read_back.map(|(_, message)| message.0),
        "at": order.read_back.map(|_| time(order.at)),
        "replaced": order.replaced.map(|by| by.0),
        "filed": order.filed.map(|(at, _)| time(at)),
        "filed_by": order.filed.and_then(|(_, by)| by).map(|person| who(header, place, person)),
    })
}

pub(super) fn order_stands(stands: OrderStands) -> &'static str {
    match stands {
        OrderStands::Given => "given",
        OrderStands::ReadBack => "read_back",
        OrderStands::Confirmed => "confirmed",
        OrderStands::Wrong => "wrong",
        _ => "other",
    }
}

fn deed_line(header: &Header, place: &Place, deed: &SignedDeed) -> Value {
    let facility = sha256(&header.root);
    let SignedDeed { device, words, at, .. } = *deed;
    let conversation = deed.id.conversation;
    let signed = Ordered { facility: &facility, device, conversation, words, deed: deed.deed, at }.to_bytes();
    let (what, of, read_back, to) = deed.deed.parts();
    let number = |of: Sequence| (of > Sequence::NONE).then_some(of.0);
    json!({
        "record": "order_signed",
        "by": who(header, place, deed.person),
        "device": device.to_string(),
        "said": deed_word(what),
        "of": number(of),
        "read_back": number(read_back),
        "to": to.map(|person| who(header, place, person)),
        "message": words.map(|words| message_hex(words.message)),
        "text_sha256": words.map(|words| hex(&words.text)),
        "at": time(at.0),
        "taken": time(deed.taken.0),
        "device_key": hex(deed.key.as_bytes()),
        "signed": hex(&signed),
        "signature": hex(&deed.signature),
        "verified": orders::is_verified(deed, &header.root, None),
    })
}

fn deed_word(deed: OrderDeed) -> &'static str {
    match deed {
        OrderDeed::Give => "give",
        OrderDeed::Correct => "correct",
        OrderDeed::Cancel => "cancel",
        OrderDeed::ReadBack => "read_back",
        OrderDeed::Confirm => "confirm",
        OrderDeed::Wrong => "wrong",
        OrderDeed::Unspecified => "other",
    }
}

fn task_line(header: &Header, place: &Place, task: &Task) -> Value {
    let (person, role) = match task.to {
        For::Person(person) => (Some(who(header, place, person)), None),
        For::Role(role) => (None, Some(role.to_string())),
    };
    json!({
        "record": "task",
        "author": who(header, place, task.author),
        "for": person,
        "for_role": role,
        "given": time(task.given),
        "due": task.due.map(time),
        "stands": task_stands(task.stands),
        "by": task.by.map(|person| who(header, place, person)),
        "at": task.by.map(|_| time(task.at)),
        "overdue": task.overdue,
    })
}

pub(super) fn task_stands(stands: TaskStands) -> &'static str {
    match stands {
        TaskStands::Open => "open",
        TaskStands::Taken => "taken",
        TaskStands::Declined(_) => "declined",
        TaskStands::Done => "done",
        TaskStands::Withdrawn => "withdrawn",
        _ => "other",
    }
}
