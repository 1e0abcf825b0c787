//! What moved in a patient's thread, in words.

use serde_json::{Value, json};
use wardline_client::event::Message;
use wardline_client::notice::{Notice, Told, Why};
use wardline_client::{Page, PersonId, UnitId};

use crate::say;

/// What stands in a thread.
pub(crate) enum Said<'a> {
    Message(&'a Message),
    Notice(&'a Notice),
}

/// A page, oldest first, each notice behind the message that it stands behind.
pub(crate) fn in_order(page: &Page) -> Vec<Said<'_>> {
    let mut notices = page.notices.iter().rev().peekable();
    let mut said = Vec::new();
    for message in page.messages.iter().rev() {
        while let Some(notice) = notices.next_if(|notice| notice.after < message.sequence) {
            said.push(Said::Notice(notice));
        }
        said.push(Said::Message(message));
    }
    said.extend(notices.map(Said::Notice));
    said
}

/// One line. Who did it is said where it was not whoever it is about.
pub(crate) fn line(
    notice: &Notice,
    person: impl Fn(PersonId) -> String,
    unit: impl Fn(UnitId) -> String,
) -> String {
    let time = |at: wardline_core::time::Wall| say::time(at.0);
    let until = |until: &Option<wardline_core::time::Wall>| {
        until.map_or_else(String::new, |until| format!(", until {}", time(until)))
    };
    let (about, what) = match &notice.told {
        Told::Admitted { unit: of, bed } => (None, format!("admitted to {}, {}", unit(*of), bed.reveal())),
        Told::Moved { unit: of, bed } => (None, format!("moved to {}, {}", unit(*of), bed.reveal())),
        Told::LeaveBegan => (None, "away for a time".to_owned()),
        Told::LeaveEnded => (None, "back".to_owned()),
        Told::Discharged => (None, "discharged: the bed is free".to_owned()),
        Told::Closed => (None, "this thread is closed: it can be read, and takes nothing new".to_owned()),
        Told::Attending { person: Some(who) } => (Some(*who), format!("{} is the attending", person(*who))),
        Told::Attending { person: None } => (None, "nobody is the attending".to_owned()),
        Told::Entered { person: who, why, until: end } => {
            let why = match why {
                Why::Attending => "the attending",
                Why::ByHand => "put into the care team",
                Why::Bed => "has the bed",
                Why::Emergency => "broke the glass",
                Why::Named => "named",
                Why::Merged => "cares for the same patient under another record",
            };
            (Some(*who), format!("{} came in ({why}{})", person(*who), until(end)))
        }
        Told::Left { person: who } => (Some(*who), format!("{} has left", person(*who))),
        Told::HasBed { person: who, until } => {
            (Some(*who), format!("{} has the bed, until {}", person(*who), time(*until)))
        }
        Told::Stays { person: who, until } => {
            (Some(*who), format!("{} stays until the end of the shift, {}", person(*who), time(*until)))
        }
        Told::BedUnheld => (None, "nobody has this bed".to_owned()),
        Told::EmergencyBegan { person: who, until } => {
            (Some(*who), format!("{} broke the glass, in until {}", person(*who), time(*until)))
        }
        Told::Restricted => (None, "restricted: only whoever is named sees who this is".to_owned()),
        Told::Unrestricted => (None, "no longer restricted".to_owned()),
        Told::RecordsMerged => (None, "two records of this patient were merged".to_owned()),
        Told::RecordsUnmerged => {
            (None, "records were un-merged: this thread is of one of them alone".to_owned())
        }
        Told::FamilyConsented => (None, "the patient lets family write".to_owned()),
        Told::FamilyConsentEnded => (None, "the patient lets family write no more".to_owned()),
        Told::FamilyAsked => (None, "somebody at the bed asks to write: wardline family requests".to_owned()),
        Told::FamilyEntered { person: who } => {
            (Some(*who), format!("{} was let in to a family thread", person(*who)))
        }
        Told::FamilyLeft { person: who } => {
            (Some(*who), format!("{} is out of the family thread", person(*who)))
        }
        Told::EmergencyEnded { person: who } => {
            (Some(*who), format!("the emergency access of {} is over", person(*who)))
        }
    };
    let by = notice.by.filter(|by| Some(*by) != about);
    let by = by.map_or_else(String::new, |by| format!(" (by {})", person(by)));
    say::clean_line(&format!("-- {} {what}{by}", time(notice.at)))
}

pub(crate) fn json(notice: &Notice) -> Value {
    let parts = notice.told.parts();
    let name = match notice.told {
        Told::Admitted { .. } => "admitted",
        Told::Moved { .. } => "moved",
        Told::LeaveBegan => "leave_began",
        Told::LeaveEnded => "leave_ended",
        Told::Discharged => "discharged",
        Told::Closed => "closed",
        Told::Attending { .. } => "attending",
        Told::Entered { .. } => "entered",
        Told::Left { .. } => "left",
        Told::HasBed { .. } => "has_bed",
        Told::Stays { .. } => "stays",
        Told::BedUnheld => "bed_unheld",
        Told::EmergencyBegan { .. } => "emergency_began",
        Told::EmergencyEnded { .. } => "emergency_ended",
        Told::Restricted => "restricted",
        Told::Unrestricted => "unrestricted",
        Told::RecordsMerged => "records_merged",
        Told::RecordsUnmerged => "records_unmerged",
        Told::FamilyConsented => "family_consented",
        Told::FamilyConsentEnded => "family_consent_ended",
        Told::FamilyAsked => "family_asked",
        Told::FamilyEntered { .. } => "family_entered",
        Told::FamilyLeft { .. } => "family_left",
    };
    let why = match notice.told {
        Told::Entered { why, .. } => Some(match why {
            Why::Attending => "attending",
            Why::ByHand => "by_hand",
            Why::Bed => "bed",
            Why::Emergency => "emergency",
            Why::Named => "named",
            Why::Merged => "merged",
        }),
        _ => None,
    };
    json!({
        "event": "notice",
        "conversation": notice.conversation.to_string(),
        "number": notice.number,
        "after": notice.after.0,
        "at": notice.at.0,
        "notice": name,
        "by": notice.by.map(|by| by.to_string()),
        "person": parts.person.map(|person| person.to_string()),
        "reason": why,
        "unit": parts.unit.map(|unit| unit.to_string()),
        "bed": parts.bed.as_ref().map(|bed| bed.reveal()),
        "until": parts.until.map(|until| until.0),
    })
}
