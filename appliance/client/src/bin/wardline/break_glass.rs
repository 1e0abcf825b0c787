//! `wardline break-glass`: into a patient's thread in an emergency, and the review of who did.

use clap::Subcommand;
use serde_json::json;
use wardline_client::emergency::{EmergencyAccess, EmergencyCalls as _, Entered, Finding, Whom};
use wardline_client::event::{Person, Unit};
use wardline_client::{Calls as _, EmergencyId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Enter the thread of a patient who is not yours, for an hour. The care team sees it; the privacy officers are told at once.
    Enter {
        /// Why: a privacy officer reads it.
        #[arg(required = true, num_args = 1..)]
        grounds: Vec<String>,
        /// The number on the patient's wristband.
        #[arg(long, conflicts_with_all = ["unit", "bed"], required_unless_present = "bed")]
        record: Option<String>,
        /// Where the patient lies: a part of the unit's name that fits one alone, or its identifier.
        #[arg(long, requires = "bed")]
        unit: Option<String>,
        /// In which bed.
        #[arg(long, requires = "unit")]
        bed: Option<String>,
    },
    /// Stand behind a colleague who breaks the glass to a restricted patient. Without --agree only shows what they ask.
    Countersign {
        /// What wardline break-glass enter printed on their side.
        emergency: String,
        /// You agree: both of you are on record, and they are in.
        #[arg(long)]
        agree: bool,
    },
    /// Leave it before the hour is over; or end somebody else's in the unit that you lead.
    Leave {
        /// What wardline break-glass enter printed.
        emergency: String,
    },
    /// Who broke the glass, and why: what goes on, and what nobody has reviewed. For privacy officers; the look is recorded.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say what you found. For privacy officers, once for each.
    Review {
        /// As wardline break-glass list names it.
        emergency: String,
        /// It was right.
        #[arg(long, required_unless_present = "not_justified", conflicts_with = "not_justified")]
        justified: bool,
        /// It was not.
        #[arg(long)]
        not_justified: bool,
    },
}

pub(crate) async fn break_glass(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Enter { grounds, record, unit, bed } => {
            let unit = match unit {
                Some(unit) => Some(find::unit(&access.units().await?, &unit)?),
                None => None,
            };
            let whom = match (&record, unit, &bed) {
                (Some(record), ..) => Whom::Record(record),
                (None, Some(unit), Some(bed)) => Whom::InBed(unit, bed),
                _ => return Err(Failure::Usage("Say whom: --record, or --unit and --bed.".to_owned())),
            };
            let began = match access.break_glass(whom, &grounds.join(" ")).await? {
                Entered::In(began) => began,
                Entered::Waits(id, until) => {
                    say::line(&id.to_string())?;
                    say::note(&format!(
                        "This patient is restricted: it takes a second person. Until {} a colleague types: wardline break-glass \
                         countersign {id}",
                        say::time(until)
                    ));
                    return Ok(());
                }
            };
            say::line(&format!("{} {}", began.id, began.conversation))?;
            say::note(&format!(
                "You are in until {}. The privacy officers have been told. Next: wardline history {}",
                say::time(began.until),
                began.conversation
            ));
            Ok(())
        }
        Act::Countersign { emergency, agree } => {
            let id = named(&emergency)?;
            let asked = access.emergency_request(id).await?;
            let (people, units) = (access.people().await?, access.units().await?);
            let unit = units.iter().find(|unit| unit.id == asked.unit);
            let unit = unit.map_or_else(|| asked.unit.to_string(), |unit| say::clean_line(&unit.name));
            say::line(&say::clean_line(&format!(
                "{} asks to see {}, {unit}, {}: {}",
                find::name(&people, asked.person),
                asked.alias,
                asked.bed,
                asked.grounds
            )))?;
            if !agree {
                say::note(&format!("Until {}. If you agree: add --agree", say::time(asked.until)));
                return Ok(());
            }
            access.countersign(id).await?;
            say::line("Countersigned. They are in for an hour; both of you are on record.")
        }
        Act::Leave { emergency } => {
            access.end_emergency(named(&emergency)?).await?;
            say::line("You are out.")
        }
        Act::List { json } => {
            let all = access.emergencies().await?;
            let (people, units) = (access.people().await?, access.units().await?);
            if all.is_empty() && !json {
                say::note("Nobody broke the glass, or all of it is reviewed.");
            }
            all.iter().try_for_each(|one| if json { print(one) } else { show(one, &people, &units) })
        }
        Act::Review { emergency, justified, .. } => {
            access.review_emergency(named(&emergency)?, justified).await?;
            say::line("On record.")
        }
    }
}

fn named(text: &str) -> Result<EmergencyId, Failure> {
    let id = find::identifier(text).and_then(EmergencyId::new);
    id.ok_or_else(|| Failure::Usage(format!("{text} names no emergency access. Give its 16 digits.")))
}

fn show(one: &EmergencyAccess, people: &[Person], units: &[Unit]) -> Result<(), Failure> {
    let unit = units.iter().find(|unit| unit.id == one.unit);
    let unit = unit.map_or_else(|| one.unit.to_string(), |unit| say::clean_line(&unit.name));
    let patient = &one.patient.particulars;
    let ended = match one.ended {
        Some(ended) => format!("until {}", say::time(ended)),
        None => format!("goes on, until {}", say::time(one.until)),
    };
    let second = one
        .second
        .map_or_else(String::new, |second| format!("; countersigned by {}", find::name(people, second)));
    let number = if one.patient.hidden { "restricted" } else { &patient.record_number };
    say::line(&format!(
        "{}  {} to {} ({}), {unit}, {} {ended}{second}{}",
        one.id,
        find::name(people, one.person),
        say::clean_line(&patient.name),
        say::clean_line(number),
        say::time(one.since),
        match one.finding {
            Some(Finding::Justified) => "; justified",
            Some(_) => "; not justified",
            None => "",
        }
    ))?;
    say::line(&format!("  {}", say::clean_line(&one.grounds)))
}

fn print(one: &EmergencyAccess) -> Result<(), Failure> {
    json::print(&json!({
        "event": "emergency_access",
        "emergency": one.id.to_string(),
        "person": one.person.to_string(),
        "patient": json::patient(&one.patient),
        "second": one.second.map(|second| second.to_string()),
        "unit": one.unit.to_string(),
        "grounds": one.grounds,
        "since": one.since,
        "until": one.until,
        "ended": one.ended,
        "finding": one.finding.map(|found| if found == Finding::Justified { "justified" } else { "not_justified" }),
    }))
}

/// What a privacy officer is told, whatever else they do.
pub(crate) fn waiting_line(waiting: u32) -> String {
    match waiting {
        0 => "-- every emergency access is reviewed".to_owned(),
        1 => "-- 1 emergency access waits for your review: wardline break-glass list".to_owned(),
        many => format!("-- {many} emergency accesses wait for your review: wardline break-glass list"),
    }
}
