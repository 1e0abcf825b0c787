//! What happens, as JSON objects of one line. The keys are stable; docs/protocol/README.md lists them.

use serde_json::{Value, json};
use wardline_client::clinical::{Bedside, Encounter, Standing};
use wardline_client::error::Refused;
use wardline_client::event::{Accepted, Conversation, Kind, Message, Person, message_hex};
use wardline_client::offers::{Fate, Offer};
use wardline_client::stat::{Escalation, Priority, Stands};
use wardline_client::{ConversationId, Event, MessageId, PersonId, Sequence};

use crate::exit::Failure;
use crate::{notice, order, react, say, signed, stat, task};

pub(crate) fn print(value: &Value) -> Result<(), Failure> {
    say::line(&written(value))
}

/// On one line that steers no terminal it may be shown on: what JSON leaves as it is and terminals act upon is escaped.
/// Such characters stand inside of strings only, where an escape means the same.
fn written(value: &Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if c.is_control() || say::turns(c) {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line
}

pub(crate) fn message(message: &Message, me: PersonId, people: &[Person]) -> Value {
    let name = people.iter().find(|person| person.id == message.sender).map(|person| person.name.as_str());
    json!({
        "event": "message",
        "conversation": message.conversation.to_string(),
        "sequence": message.sequence.0,
        "message": message_hex(message.id),
        "sender": message.sender.to_string(),
        "sender_name": name,
        "own": message.sender == me,
        "priority": priority(message.priority),
        "at": message.at,
        "text": message.text,
        "reply_to": message.reply_to.map(|to| to.0),
        "edits": message.edits,
        "edited_at": message.edited_at,
        "recalled_at": message.recalled_at,
        "mentions": react::mentions_to_json(&message.mentions),
        "mentioned": message.mention_of(me).is_some(),
        "reactions": react::to_json(&message.reactions),
        "attachments": message.attachments.iter().enumerate().map(|(at, file)| crate::attachment::shown(at, file))
            .collect::<Vec<_>>(),
    })
}

/// The whole of a message that was edited or recalled.
fn message_changed(message: &Message, me: PersonId, people: &[Person]) -> Value {
    let mut value = self::message(message, me, people);
    value["event"] = json!("message_changed");
    value
}

/// One's own message that the box edited or recalled as it was asked to.
pub(crate) fn altered(what: &str, conversation: ConversationId, sequence: Sequence) -> Value {
    json!({ "event": what, "conversation": conversation.to_string(), "sequence": sequence.0 })
}

pub(crate) fn person(person: &Person) -> Value {
    let posts = person
        .posts
        .iter()
        .map(|post| json!({ "unit": post.unit.to_string(), "charge_nurse": post.charge_nurse }));
    json!({
        "event": "person",
        "person": person.id.to_string(),
        "name": person.name,
        "title": person.title,
        "suspended": person.suspended,
        "administrator": person.administrator,
        "privacy_officer": person.privacy_officer,
        "posts": posts.collect::<Vec<_>>(),
        "agency": person.agency.as_ref().map(|agency| json!({
            "name": agency.name,
            "until": agency.until,
            "over": agency.over,
        })),
    })
}

pub(crate) fn conversation(conversation: &Conversation) -> Value {
    let kind = match conversation.kind {
        Kind::Direct => "direct",
        Kind::Group => "group",
        Kind::Channel => "channel",
        Kind::Patient => "patient",
        Kind::Family => "family",
        Kind::Role => "role",
        Kind::Broadcast => "broadcast",
        _ => "other",
    };
    let members = conversation.members.iter().map(|member| {
        json!({
            "person": member.person.to_string(),
            "delivered": member.delivered.0,
            "read": member.read.0,
        })
    });
    let mut value = json!({
        "event": "conversation",
        "conversation": conversation.id.to_string(),
        "kind": kind,
        "title": conversation.title,
        "members": members.collect::<Vec<_>>(),
        "last_sequence": conversation.last.0,
        "first_sequence": conversation.first.0,
        "purged": conversation.purged,
        "unit": conversation.unit.map(|unit| unit.to_string()),
        "archived": conversation.archived,
    });
    if let Some(writer) = conversation.writer {
        value["writer"] = json!(writer.to_string());
    }
    if let Some(bedside) = &conversation.about {
        about(&mut value, bedside);
    }
    if let Some(family) = &conversation.family {
        let people = family.people.iter().map(|person| {
            json!({
                "person": person.person.to_string(),
                "name": person.name,
                "title": person.title,
                "visitor": person.visitor,
            })
        });
        value["family"] = json!({
            "patient_thread": family.patient_thread.map(|thread| thread.to_string()),
            "own": family.own,
            "people": people.collect::<Vec<_>>(),
        });
    }
    value
}

/// Adds whom something is about, and where they are.
pub(crate) fn about(value: &mut Value, Bedside { patient, encounter }: &Bedside) {
    value["patient"] = self::patient(patient);
    value["encounter"] = self::encounter(encounter);
}

/// A stay.
pub(crate) fn encounter(encounter: &Encounter) -> Value {
    let (state, discharged_at) = match encounter.standing {
        Standing::Admitted => ("admitted", None),
        Standing::OnLeave => ("on_leave", None),
        Standing::Discharged(since) => ("discharged", Some(since)),
        _ => ("other", None),
    };
    json!({
        "encounter": encounter.id.to_string(),
        "unit": encounter.unit.to_string(),
        "bed": encounter.bed,
        "attending": encounter.attending.map(|person| person.to_string()),
        "state": state,
        "discharged_at": discharged_at,
        "muted": encounter.muted,
        "conversation": encounter.conversation.to_string(),
    })
}

pub(crate) fn accepted(accepted: &Accepted) -> Value {
    json!({
        "event": "accepted",
        "message": message_hex(accepted.message),
        "conversation": accepted.conversation.to_string(),
        "sequence": accepted.sequence.0,
        "at": accepted.at,
    })
}

/// A message that is in the outbox, and goes when it can.
pub(crate) fn kept(message: MessageId, conversation: ConversationId, why: &str) -> Value {
    json!({
        "event": "kept",
        "message": message_hex(message),
        "conversation": conversation.to_string(),
        "why": why,
    })
}

/// A message that will never be sent.
pub(crate) fn failed(message: MessageId, conversation: ConversationId, refused: &Refused) -> Value {
    json!({
        "event": "failed",
        "message": message_hex(message),
        "conversation": conversation.to_string(),
        "code": refused.code.as_str_name(),
        "advice": refused.advice,
    })
}

/// Nothing for events that a later version brings.
pub(crate) fn event(event: &Event, me: PersonId, people: &[Person]) -> Option<Value> {
    Some(match event {
        Event::Message(message) => self::message(message, me, people),
        Event::MessageChanged(message) => message_changed(message, me, people),
        Event::Reactions { conversation, sequence, reactions } => json!({
            "event": "reactions",
            "conversation": conversation.to_string(),
            "sequence": sequence.0,
            "reactions": react::to_json(reactions),
        }),
        Event::Conversation(conversation) => self::conversation(conversation),
        Event::Person(person) => self::person(person),
        Event::Unit(unit) => json!({
            "event": "unit",
            "unit": unit.id.to_string(),
            "name": unit.name,
        }),
        Event::Accepted(accepted) => self::accepted(accepted),
        Event::Connected(signed_in) => json!({
            "event": "connected",
            "facility": signed_in.facility,
            "device": signed_in.device.to_string(),
            "person": signed_in.person.to_string(),
            "name": signed_in.name,
            "administrator": signed_in.administrator,
            "session_ends": signed_in.session_ends,
        }),
        Event::Reconnecting { after, why, .. } => json!({
            "event": "reconnecting",
            "after_ms": u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            "why": why,
        }),
        Event::PinNeeded { tries_left } => json!({ "event": "pin_needed", "tries_left": tries_left }),
        Event::Locked { tries_left } => json!({ "event": "locked", "tries_left": tries_left }),
        Event::Snapshot => json!({ "event": "snapshot" }),
        Event::CaughtUp => json!({ "event": "caught_up" }),
        Event::Gap { conversation, from, to } => json!({
            "event": "gap",
            "conversation": conversation.to_string(),
            "from": from.0,
            "to": to.0,
        }),
        Event::Watermark(watermark) => json!({
            "event": "watermark",
            "conversation": watermark.conversation.to_string(),
            "person": watermark.member.person.to_string(),
            "delivered": watermark.member.delivered.0,
            "read": watermark.member.read.0,
        }),
        Event::Gone(conversation) => json!({ "event": "gone", "conversation": conversation.to_string() }),
        Event::DeviceJoined(device) => json!({
            "event": "device_joined",
            "device": device.id.to_string(),
            "name": device.name,
        }),
        Event::Delayed { message, refused } => json!({
            "event": "delayed",
            "message": message_hex(*message),
            "code": refused.code.as_str_name(),
            "advice": refused.advice,
        }),
        Event::Failed { message, conversation, refused } => failed(*message, *conversation, refused),
        Event::Ended(end) => json!({ "event": "ended", "why": end.to_string() }),
        Event::Ring(ring) => json!({
            "event": "ring",
            "stat": stat::name(ring.stat),
            "stands": stands(ring.stands),
            "unit": ring.unit.map(|unit| unit.to_string()),
            "sender_title": ring.sender_title,
            "opened": ring.opened,
            "dial": ring.dial,
        }),
        Event::Order(told) => order::to_json(told),
        Event::Task(told) => task::to_json(told),
        Event::TaskOverdue { conversation, sequence } => json!({
            "event": "task_overdue",
            "conversation": conversation.to_string(),
            "sequence": sequence.0,
        }),
        Event::OwnAvailability(own) => json!({
            "event": "own_availability",
            "undisturbed_until": own.undisturbed_until,
            "cover": own.cover.map(|cover| cover.to_string()),
            "covering": own.covering.iter().map(|(person, until)| {
                json!({ "person": person.to_string(), "until": until })
            }).collect::<Vec<_>>(),
        }),
        Event::DeviceCopied { person, device } => json!({
            "event": "device_copied",
            "person": person.to_string(),
            "device": device.id.to_string(),
            "name": device.name,
        }),
        Event::SuspensionsWaiting { waiting, overdue } => {
            json!({ "event": "suspensions_waiting", "waiting": waiting, "overdue": overdue })
        }
        Event::EmergenciesWaiting(waiting) => json!({ "event": "emergencies_waiting", "waiting": waiting }),
        Event::Offer(offer, fate) => {
            let mut value = json!({ "event": "offer", "fate": fate_name(*fate) });
            about_offer(&mut value, offer);
            value
        }
        Event::RoleGap(gap) => json!({
            "event": "role_gap",
            "role": gap.role.to_string(),
            "unit": gap.unit.to_string(),
            "name": gap.name,
            "start": gap.start,
            "end": gap.end,
            "rung": gap.rung,
        }),
        Event::Notice(notice) => notice::json(notice),
        Event::UrgentWaits(waits) => json!({
            "event": "urgent_waits",
            "message": stat::name(waits.message),
            "since": waits.since,
            "dial": waits.dial,
        }),
        Event::UrgentOver(message) => json!({ "event": "urgent_over", "message": stat::name(*message) }),
        Event::Silence(stat, by) => json!({
            "event": "silence",
            "stat": stat::name(*stat),
            "by": by.map(|by| by.to_string()),
        }),
        Event::Escalation(told) => escalation(told),
        _ => return None,
    })
}

/// How a STAT stands.
pub(crate) fn escalation(told: &Escalation) -> Value {
    json!({
        "event": "escalation",
        "stat": stat::name(told.stat),
        "stands": stands(told.stands),
        "since": told.since,
        "by": told.by.map(|by| by.to_string()),
        "noted_by": told.noted_by.map(|by| by.to_string()),
        "note": told.note.as_ref().map(signed::note_json),
        "step": told.step,
        "steps": told.steps,
        "unit": told.unit.map(|unit| unit.to_string()),
        "dial": told.dial,
    })
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Routine => "routine",
        Priority::Urgent => "urgent",
        Priority::Stat => "stat",
    }
}

fn stands(stands: Stands) -> &'static str {
    match stands {
        Stands::Held => "held",
        Stands::Accepted => "accepted",
        Stands::Closed => "closed",
        _ => "ringing",
    }
}

/// Whom a thread or an emergency access is about.
pub(crate) fn patient(patient: &wardline_client::clinical::Patient) -> Value {
    let known = &patient.particulars;
    let told = |told: String| (!patient.hidden).then_some(told);
    json!({
        "patient": patient.id.to_string(),
        "record_number": told(known.record_number.clone()),
        "name": told(known.name.clone()),
        "birth_date": told(known.birth_date.clone()),
        "sex": told(known.sex.letter().to_string()),
        "alias": patient.alias,
        "merged_record_numbers": patient.merged_records,
    })
}

/// What an offer of a role says of itself.
pub(crate) fn about_offer(value: &mut Value, offer: &Offer) {
    value["offer"] = json!(offer.id.to_string());
    value["role"] = json!(offer.role.to_string());
    value["place"] = json!(offer.place);
    value["giver"] = json!(offer.giver.to_string());
    value["taker"] = json!(offer.taker.to_string());
    value["from"] = json!(offer.from);
    value["until"] = json!(offer.until);
    value["expires"] = json!(offer.expires);
}

fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Made => "made",
        Fate::Accepted => "accepted",
        Fate::Declined => "declined",
        Fate::Withdrawn => "withdrawn",
        Fate::Expired => "expired",
        Fate::Superseded => "superseded",
        Fate::Ended => "ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_steers_a_terminal_and_each_says_the_same() {
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{61c}\u{2028}\nü\"\\";
        let line = written(&json!({ "text": text }));
        assert!(line.chars().all(|c| !c.is_control() && !say::turns(c)), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["text"], text);
    }
}
