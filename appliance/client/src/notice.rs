//! What is told in patients' threads between messages: who was admitted, who came into the care team and who left.

use wardline_core::ids::{PersonId, Sequence, UnitId};
use wardline_core::notice::Parts;
pub use wardline_core::notice::{Notice, Told, Why};
use wardline_core::particulars::Bed;
use wardline_core::time::Wall;
use wardline_core::wire::proto;

use crate::error::Error;
use crate::event;

/// `None`: of a kind that a later version brought.
pub(crate) fn from_wire(wire: &proto::ThreadNotice) -> Result<Option<Notice>, Error> {
    let bed = match wire.bed.as_str() {
        "" => None,
        bed => Some(Bed::parse(bed).map_err(|_| Error::Protocol("a bed that is none"))?),
    };
    let parts = Parts {
        kind: u32::try_from(wire.kind).unwrap_or_default(),
        person: PersonId::new(wire.person),
        why: u32::try_from(wire.reason).unwrap_or_default(),
        unit: UnitId::new(wire.unit),
        bed,
        until: (wire.until != 0).then_some(Wall(wire.until)),
    };
    let Some(told) = Told::from_parts(parts) else { return Ok(None) };
    Ok(Some(Notice {
        conversation: event::conversation(wire.conversation)?,
        number: wire.number,
        after: Sequence(wire.after),
        at: Wall(wire.at),
        by: PersonId::new(wire.by),
        told,
    }))
}

/// The name of what is told, for scripts and files.
pub fn name(told: &Told) -> &'static str {
    match told {
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
    }
}

/// Why somebody came in, the same way.
pub fn reason(told: &Told) -> Option<&'static str> {
    match told {
        Told::Entered { why, .. } => Some(match why {
            Why::Attending => "attending",
            Why::ByHand => "by_hand",
            Why::Bed => "bed",
            Why::Emergency => "emergency",
            Why::Named => "named",
            Why::Merged => "merged",
        }),
        _ => None,
    }
}

/// In words, without when. Who did it is said where it was not whoever it is about.
pub fn words(
    notice: &Notice,
    person: impl Fn(PersonId) -> String,
    unit: impl Fn(UnitId) -> String,
    time: impl Fn(Wall) -> String,
) -> String {
    let until =
        |until: &Option<Wall>| until.map_or_else(String::new, |until| format!(", until {}", time(until)));
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
    format!("{what}{by}")
}
