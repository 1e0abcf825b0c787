//! What became of a message of the record: how a STAT went and who answered it, an order and what was signed about it, a task.
//!
//! What a device signed stands there with the bytes that it signed, its key and the signature, so that whoever has the record can verify it by
//! any ECDSA (P-256, SHA-256), and [`super::verify`] does. Where a name in it had to be hidden the box gives no signature: it stands there
//! without those bytes, and nothing is verified.

use serde_json::{Value, json};
use wardline_core::escalation::Reason;
use wardline_core::escalation::signed::CallNote;
use wardline_core::ids::{PersonId, Sequence};
use wardline_core::order::signed::{SignedDeed, Words};
use wardline_core::wire::proto::{self, OrderDeed};

use super::record::{Header, Place, hex, time};
use crate::error::Error;
use crate::event::{Message, message_hex};
use crate::orders::{self, Order, Stands as OrderStands};
use crate::signed::{self, Said, SignedAnswer};
use crate::stat::{Escalation, Stands};
use crate::tasks::{For, Stands as TaskStands, Task};

/// Of one message.
pub(super) struct Acts {
    pub(super) stat: Option<Escalation>,
    pub(super) signed: Vec<Proven<SignedAnswer>>,
    pub(super) order: Option<Order>,
    pub(super) order_signed: Vec<Proven<SignedDeed>>,
    pub(super) task: Option<Task>,
}

/// What somebody signed, and what came of verifying it.
pub(super) struct Proven<T> {
    pub(super) what: T,
    pub(super) proof: Proof,
}

/// What came of verifying something signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Proof {
    /// The device's key signed what stands here.
    Right,
    /// It did not.
    Wrong,
    /// A name in it is hidden, and it came without signature.
    Hidden,
}

impl Proof {
    fn of(is_hidden: bool, verified: impl FnOnce() -> bool) -> Self {
        match (is_hidden, is_hidden || verified()) {
            (true, _) => Self::Hidden,
            (false, true) => Self::Right,
            (false, false) => Self::Wrong,
        }
    }

    /// As the record has it: nothing where nothing was verified.
    fn verified(self) -> Option<bool> {
        (self != Self::Hidden).then_some(self == Self::Right)
    }
}

impl Acts {
    /// As the box gave it, verified in the facility of this root's SHA-256; an order with the text that its message has.
    pub(super) fn read(
        wire: proto::ExportActs,
        facility: &[u8; 32],
        message: Option<&Message>,
    ) -> Result<(Sequence, Self), Error> {
        let mut acts = Self {
            stat: wire.stat.map(Escalation::from_wire).transpose()?,
            signed: Vec::with_capacity(wire.signed.len()),
            order: wire.order.as_ref().map(Order::from_wire).transpose()?,
            order_signed: Vec::with_capacity(wire.order_signed.len()),
            task: wire.task.as_ref().map(Task::from_wire).transpose()?,
        };
        for mut answer in wire.signed {
            let is_hidden = stands_in(&mut answer.signature, 64);
            let Some(what) = signed::from_wire(&answer)? else { continue };
            let proof = Proof::of(is_hidden, || signed::is_verified_in(&what, facility));
            acts.signed.push(Proven { what, proof });
        }
        let own = message.map(|message| (message.sequence, Words::of(message.id, &message.text)));
        for mut deed in wire.order_signed {
            let is_hidden = stands_in(&mut deed.signature, 64);
            if is_hidden && !deed.message.is_empty() {
                stands_in(&mut deed.text_sha256, 32);
            }
            let what = orders::signed_from_wire(&deed)?;
            let said = own.filter(|(sequence, _)| what.said == Some(*sequence)).map(|(_, words)| words);
            let proof = Proof::of(is_hidden, || orders::is_verified_in(&what, facility, said));
            acts.order_signed.push(Proven { what, proof });
        }
        Ok((Sequence(wire.sequence), acts))
    }

    /// What of it was signed: how many, and of how many of these the signature is wrong.
    pub(super) fn proofs(&self) -> impl Iterator<Item = Proof> {
        let answers = self.signed.iter().map(|answer| answer.proof);
        answers.chain(self.order_signed.iter().map(|deed| deed.proof))
    }

    /// The lines of the record, in the order in which they are written.
    pub(super) fn lines(&self, header: &Header, place: &Place, sequence: Sequence) -> Vec<Value> {
        let mut lines = Vec::new();
        lines.extend(self.stat.as_ref().map(|stat| stat_line(header, place, stat)));
        lines.extend(self.signed.iter().map(|answer| answer_line(header, place, answer)));
        lines.extend(self.order.as_ref().map(|order| order_line(header, place, order)));
        lines.extend(self.order_signed.iter().map(|deed| deed_line(header, place, deed)));
        lines.extend(self.task.as_ref().map(|task| task_line(header, place, task)));
        for line in &mut lines {
            line["conversation"] = json!(place.id.to_string());
            line["sequence"] = json!(sequence.0);
        }
        lines
    }
}

/// Puts zeros where the box left something out, so that the rest can be read; whether it did.
fn stands_in(bytes: &mut Vec<u8>, length: usize) -> bool {
    let is_left_out = bytes.is_empty();
    if is_left_out {
        bytes.resize(length, 0);
    }
    is_left_out
}

fn who(header: &Header, place: &Place, person: PersonId) -> Value {
    json!({ "person": person.to_string(), "name": header.name(person, Some(place)) })
}

fn note_json(header: &Header, place: &Place, note: &CallNote) -> Value {
    json!({
        "reached": note.reached.map(|person| who(header, place, person)),
        "reached_as": note.role.as_ref().map(|role| role.reveal()),
        "reached_name": note.name.as_ref().map(|name| name.reveal()),
        "called": time(note.called.0),
        "read_back": note.read_back,
    })
}

fn stat_line(header: &Header, place: &Place, stat: &Escalation) -> Value {
    let called = stat.called.iter().map(|called| {
        json!({
            "person": called.person.to_string(),
            "name": header.name(called.person, Some(place)),
            "step": called.step,
            "declined": called.declined.map(reason_word),
        })
    });
    json!({
        "record": "stat",
        "stands": stands(stat.stands),
        "since": time(stat.since),
        "by": stat.by.map(|person| who(header, place, person)),
        "noted_by": stat.noted_by.map(|person| who(header, place, person)),
        "note": stat.note.as_ref().map(|note| note_json(header, place, note)),
        "step": stat.step,
        "steps": stat.steps,
        "unit": stat.unit.map(|unit| unit.to_string()),
        "unit_name": stat.unit.and_then(|unit| header.units.get(&unit)),
        "called": called.collect::<Vec<_>>(),
        "called_count": stat.called_count,
    })
}

fn answer_line(header: &Header, place: &Place, answer: &Proven<SignedAnswer>) -> Value {
    let Proven { what: answer, proof } = answer;
    let (what, reason, note) = match &answer.said {
        Said::Accept => ("accept", None, None),
        Said::Decline(reason) => ("decline", Some(reason_word(*reason)), None),
        Said::Note(note) => ("call_note", None, Some(note_json(header, place, note))),
    };
    let is_there = *proof != Proof::Hidden;
    let mut line = json!({
        "record": "stat_answer",
        "by": who(header, place, answer.person),
        "device": answer.device.to_string(),
        "said": what,
        "reason": reason,
        "at": time(answer.at.0),
        "at_ms": answer.at.0,
        "taken": time(answer.taken.0),
        "device_key": hex(answer.key.as_bytes()),
        "signed": is_there.then(|| hex(&signed::statement(answer, &header.facility_sha256))),
        "signature": is_there.then(|| hex(&answer.signature)),
        "verified": proof.verified(),
        "hidden": !is_there,
    });
    for part in ["reached", "reached_as", "reached_name", "called", "read_back"] {
        line[part] = note.as_ref().map_or(Value::Null, |note| note[part].clone());
    }
    line
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

fn deed_line(header: &Header, place: &Place, deed: &Proven<SignedDeed>) -> Value {
    let Proven { what: deed, proof } = deed;
    let (what, of, read_back, to) = deed.deed.parts();
    let number = |of: Sequence| (of > Sequence::NONE).then_some(of.0);
    let is_there = *proof != Proof::Hidden;
    json!({
        "record": "order_signed",
        "by": who(header, place, deed.person),
        "device": deed.device.to_string(),
        "said": deed_word(what),
        "of": number(of),
        "read_back": number(read_back),
        "to": to.map(|person| who(header, place, person)),
        "message": deed.words.map(|words| message_hex(words.message)),
        "text_sha256": deed.words.filter(|_| is_there).map(|words| hex(&words.text)),
        "at": time(deed.at.0),
        "at_ms": deed.at.0,
        "taken": time(deed.taken.0),
        "device_key": hex(deed.key.as_bytes()),
        "signed": is_there.then(|| hex(&orders::statement(deed, &header.facility_sha256))),
        "signature": is_there.then(|| hex(&deed.signature)),
        "verified": proof.verified(),
        "hidden": !is_there,
    })
}

fn task_line(header: &Header, place: &Place, task: &Task) -> Value {
    let (person, role) = match task.to {
        For::Person(person) => (Some(who(header, place, person)), None),
        For::Role(role) => (None, Some(role)),
    };
    let reason = match task.stands {
        TaskStands::Declined(reason) => reason.map(reason_word),
        _ => None,
    };
    json!({
        "record": "task",
        "author": who(header, place, task.author),
        "for": person,
        "for_role": role.map(|role| role.to_string()),
        "for_role_name": role.and_then(|role| header.role(role, place)),
        "given": time(task.given),
        "due": task.due.map(time),
        "stands": task_stands(task.stands),
        "reason": reason,
        "by": task.by.map(|person| who(header, place, person)),
        // Nobody: the box withdrew it.
        "at": (task.at != 0).then(|| time(task.at)),
        "overdue": task.overdue,
    })
}

/// In one word, as `--because` has it where somebody chooses it.
const REASONS: [(Reason, &str); 7] = [
    (Reason::Busy, "busy"),
    (Reason::NotMine, "not_mine"),
    (Reason::OffDuty, "off_duty"),
    (Reason::Other, "other"),
    (Reason::HandedBack, "handed_back"),
    (Reason::Left, "left"),
    (Reason::HandedOver, "handed_over"),
];

fn reason_word(reason: Reason) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == reason).map_or("other", |(_, word)| word)
}

pub(super) fn reason_of(word: &str) -> Option<Reason> {
    REASONS.iter().find(|(_, known)| *known == word).map(|(reason, _)| *reason)
}

const DEEDS: [(OrderDeed, &str); 6] = [
    (OrderDeed::Give, "give"),
    (OrderDeed::Correct, "correct"),
    (OrderDeed::Cancel, "cancel"),
    (OrderDeed::ReadBack, "read_back"),
    (OrderDeed::Confirm, "confirm"),
    (OrderDeed::Wrong, "wrong"),
];

fn deed_word(deed: OrderDeed) -> &'static str {
    DEEDS.iter().find(|(known, _)| *known == deed).map_or("other", |(_, word)| word)
}

pub(super) fn deed_of(word: &str) -> Option<OrderDeed> {
    DEEDS.iter().find(|(_, known)| *known == word).map(|(deed, _)| *deed)
}

fn stands(stands: Stands) -> &'static str {
    match stands {
        Stands::Ringing => "ringing",
        Stands::Held => "held",
        Stands::Accepted => "accepted",
        Stands::Closed => "closed",
    }
}

fn order_stands(stands: OrderStands) -> &'static str {
    match stands {
        OrderStands::Given => "given",
        OrderStands::ReadBack => "read_back",
        OrderStands::Confirmed => "confirmed",
        OrderStands::Wrong => "wrong",
        _ => "other",
    }
}

fn task_stands(stands: TaskStands) -> &'static str {
    match stands {
        TaskStands::Open => "open",
        TaskStands::Taken => "taken",
        TaskStands::Declined(_) => "declined",
        TaskStands::Done => "done",
        TaskStands::Withdrawn => "withdrawn",
        _ => "other",
    }
}
