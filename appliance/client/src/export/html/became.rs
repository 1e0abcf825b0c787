//! What became of a message, in words, a line each: how a STAT went, who could not take it, an order, a task.

use wardline_core::escalation::Reason;
use wardline_core::escalation::signed::CallNote;
use wardline_core::ids::PersonId;

use super::{shown, text};
use crate::export::acts::{Acts, Proof, Proven};
use crate::export::record::{Header, Place};
use crate::orders::{Order, Stands as OrderStands};
use crate::signed::{Said, SignedAnswer};
use crate::stat::{Escalation, Stands};
use crate::tasks::{For, Stands as TaskStands, Task};

/// The lines below a message, as text of a page.
pub(super) fn lines(header: &Header, place: &Place, acts: &Acts) -> Vec<String> {
    let name = |person: PersonId| text(&header.name(person, Some(place)));
    let mut lines = Vec::new();
    if let Some(stat) = &acts.stat {
        lines.push(format!("STAT: {}{}", went(stat, &name), of_answer(stat, &acts.signed)));
        // What is not signed: who gave it back, or was out of it.
        let declined = stat.called.iter().filter_map(|called| Some((called.person, called.declined?)));
        let signed = |person| {
            let theirs = acts.signed.iter().filter(|answer| answer.what.person == person);
            theirs.into_iter().any(|answer| matches!(answer.what.said, Said::Decline(_)))
        };
        lines.extend(
            declined
                .filter(|(person, _)| !signed(*person))
                .map(|(person, reason)| format!("{} {}", name(person), why(reason))),
        );
    }
    for Proven { what: answer, proof } in &acts.signed {
        let what = match &answer.said {
            Said::Accept => "has it".to_owned(),
            Said::Decline(reason) => why(*reason).to_owned(),
            Said::Note(note) => called(note, &name),
        };
        lines.push(format!("{} {what}, {} ({})", name(answer.person), shown(answer.taken.0), signed(*proof)));
    }
    if let Some(order) = &acts.order {
        let proofs = acts.order_signed.iter().map(|deed| deed.proof);
        let proof = worst(proofs).map_or_else(String::new, |proof| format!(" ({})", signed(proof)));
        lines.push(format!("{}{proof}", ordered(order, &name)));
    }
    if let Some(task) = &acts.task {
        lines.push(to_do(header, place, task, &name));
    }
    lines
}

fn signed(proof: Proof) -> &'static str {
    match proof {
        Proof::Right => "signed",
        Proof::Hidden => "signed; a name is hidden",
        Proof::Wrong => "<span class=\"loud\">THE SIGNATURE IS WRONG</span>",
    }
}

fn worst(proofs: impl Iterator<Item = Proof>) -> Option<Proof> {
    let rank = |proof: &Proof| match proof {
        Proof::Right => 0,
        Proof::Hidden => 1,
        Proof::Wrong => 2,
    };
    proofs.max_by_key(rank)
}

/// Whether what it is answered by is signed: what is newest of whoever says that somebody has it.
fn of_answer(stat: &Escalation, answers: &[Proven<SignedAnswer>]) -> String {
    let by = match (stat.stands, stat.noted_by) {
        (Stands::Accepted, Some(noted)) => Some(noted),
        (Stands::Accepted, None) => stat.by,
        _ => None,
    };
    let says = |answer: &&Proven<SignedAnswer>| {
        by == Some(answer.what.person)
            && matches!(answer.what.said, Said::Note(_)) == stat.noted_by.is_some()
            && !matches!(answer.what.said, Said::Decline(_))
    };
    let newest = answers.iter().rev().find(says);
    newest.map_or_else(String::new, |answer| format!(" ({})", signed(answer.proof)))
}

fn went(stat: &Escalation, name: &impl Fn(PersonId) -> String) -> String {
    let since = shown(stat.since);
    let some = |person: Option<PersonId>| person.map_or_else(|| "somebody".to_owned(), name);
    match (stat.stands, stat.noted_by) {
        (Stands::Ringing, _) => format!("nobody has answered, rings since {since}"),
        (Stands::Held, _) => format!("{} is coming, {since}", some(stat.by)),
        (Stands::Accepted, None) => format!("answered by {}, {since}", some(stat.by)),
        (Stands::Accepted, Some(noted)) => {
            let whom = stat.by.map_or_else(|| "somebody outside the directory".to_owned(), name);
            format!("answered by {whom}, whom {} reached by telephone, {since}", name(noted))
        }
        (Stands::Closed, _) => format!("over, {since}"),
    }
}

fn called(note: &CallNote, name: &impl Fn(PersonId) -> String) -> String {
    let known = [
        note.reached.map(name),
        note.name.as_ref().map(|called| text(called.reveal())),
        note.role.as_ref().map(|role| text(role.reveal())),
    ];
    let whom = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let back = if note.read_back { "read back" } else { "not read back" };
    format!("reached {whom} by telephone at {}, {back}", shown(note.called.0))
}

fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Busy => "cannot: busy",
        Reason::NotMine => "cannot: not theirs to answer",
        Reason::OffDuty => "cannot: not on duty",
        Reason::Other => "cannot: no reason chosen",
        Reason::HandedBack => "had it, and gave it back",
        Reason::Left => "is out of the conversation",
        Reason::HandedOver => "does not hold the role any more",
    }
}

fn ordered(order: &Order, name: &impl Fn(PersonId) -> String) -> String {
    let to = order.to.map_or_else(|| "the care team".to_owned(), name);
    let reader = order.read_back.map(|(reader, at)| format!("read back by {} in #{}", name(reader), at.0));
    let stands = match (reader, order.stands) {
        (None, _) => "not read back".to_owned(),
        (Some(reader), OrderStands::Confirmed) => format!("{reader}, confirmed {}", shown(order.at)),
        (Some(reader), OrderStands::Wrong) => format!("{reader}, which is wrong, {}", shown(order.at)),
        (Some(reader), _) => format!("{reader}, not confirmed, {}", shown(order.at)),
    };
    let replaced = order.replaced.map(|by| format!("; not to be done: #{} is in its place", by.0));
    let filed = order.filed.map(|(at, by)| {
        let by = by.map(|by| format!(" by {}", name(by))).unwrap_or_default();
        format!("; filed{by} {}", shown(at))
    });
    let of = order.of.map(|of| format!(", in place of #{}", of.0)).unwrap_or_default();
    format!("Order for {to}{of}: {stands}{}{}", replaced.unwrap_or_default(), filed.unwrap_or_default())
}

fn to_do(header: &Header, place: &Place, task: &Task, name: &impl Fn(PersonId) -> String) -> String {
    let to = match task.to {
        For::Person(person) => name(person),
        For::Role(role) => {
            format!("whoever holds {}", header.role(role, place).map_or_else(|| "a role".to_owned(), text))
        }
    };
    let stands = match task.stands {
        TaskStands::Open => "open",
        TaskStands::Taken => "taken",
        TaskStands::Declined(_) => "declined",
        TaskStands::Done => "done",
        TaskStands::Withdrawn => "withdrawn",
        _ => "of a later version",
    };
    let by = task.by.map(|by| format!(" by {}, {}", name(by), shown(task.at))).unwrap_or_default();
    let reason = match task.stands {
        TaskStands::Declined(Some(reason)) => format!("; {}", why(reason)),
        _ => String::new(),
    };
    let due = task.due.map(|due| format!("; due {}", shown(due))).unwrap_or_default();
    let overdue = if task.overdue { "; overdue" } else { "" };
    format!("Task for {to}: {stands}{by}{reason}{due}{overdue}")
}
