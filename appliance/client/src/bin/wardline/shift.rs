//! `wardline shift`: somebody's beds for a time, which is the way into their patients' threads.

use clap::Subcommand;
use serde_json::json;
use wardline_client::clinical::{Bed, Beds, ClinicalCalls as _, Holder, UnitBeds};
use wardline_client::event::Person;
use wardline_client::{AssignmentId, Calls as _, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Take beds of a unit where you work; or give them to somebody of the unit that you lead. Prints what to end it by.
    Take {
        /// A part of the unit's name that fits one alone, or its identifier.
        unit: String,
        /// Which beds, as the unit calls them; or --all.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        beds: Vec<String>,
        /// Every bed of the unit, whoever comes into them.
        #[arg(long)]
        all: bool,
        /// For how many hours: 16 at most.
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=16))]
        hours: i64,
        /// For whom: by a charge nurse.
        #[arg(long = "for", value_name = "PERSON")]
        whom: Option<String>,
    },
    /// End a shift early. Whoever held the beds is out of their patients' threads, unless they are in the care team by hand.
    End {
        /// What wardline shift take printed, or wardline shift show.
        assignment: String,
    },
    /// A unit's beds: where somebody lies, and who holds them. No names of patients.
    Show {
        /// Where.
        unit: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn shift(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Take { unit, beds, all, hours, whom } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            let person = match whom {
                Some(text) => Some(find::person(&access.people().await?, &text)?),
                None => None,
            };
            let beds = if all { Beds::Whole } else { Beds::Named(&beds) };
            let until = say::now().saturating_add(hours * 3_600_000);
            let taken = access.take_beds(unit, beds, until, person).await?;
            say::line(&taken.to_string())?;
            say::note(&format!("Until {}. To end it before: wardline shift end {taken}", say::time(until)));
        }
        Act::End { assignment } => {
            let id = find::identifier(&assignment).and_then(AssignmentId::new);
            let how = "is no identifier. wardline shift show UNIT has them.";
            let id = id.ok_or_else(|| Failure::Usage(format!("{assignment} {how}")))?;
            access.end_assignment(id).await?;
            say::line("Ended.")?;
        }
        Act::Show { unit, json } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            let (beds, people) = (access.beds(unit).await?, access.people().await?);
            show(unit, &beds, &people, json)?;
        }
    }
    Ok(())
}

fn show(unit: UnitId, found: &UnitBeds, people: &[Person], as_json: bool) -> Result<(), Failure> {
    let holder = |held: &Holder| {
        json!({
            "assignment": held.assignment.to_string(),
            "person": held.person.to_string(),
            "until": held.until,
        })
    };
    let words = |held: &Holder| {
        format!("{} until {} ({})", find::name(people, held.person), say::time(held.until), held.assignment)
    };
    if as_json {
        json::print(&json!({
            "event": "unit_held",
            "unit": unit.to_string(),
            "holders": found.whole.iter().map(holder).collect::<Vec<_>>(),
        }))?;
    } else if !found.whole.is_empty() {
        let all: Vec<String> = found.whole.iter().map(words).collect();
        say::line(&format!("every bed  {}", all.join(", ")))?;
    }
    for Bed { bed, encounter, holders } in &found.beds {
        if as_json {
            json::print(&json!({
                "event": "bed",
                "unit": unit.to_string(),
                "bed": bed,
                "encounter": encounter.map(|encounter| encounter.to_string()),
                "holders": holders.iter().map(holder).collect::<Vec<_>>(),
            }))?;
            continue;
        }
        let lies = encounter.map_or("free".to_owned(), |encounter| format!("occupied ({encounter})"));
        let held: Vec<String> = holders.iter().map(words).collect();
        let held = if held.is_empty() { "nobody".to_owned() } else { held.join(", ") };
        say::line(&format!("{}  {lies}  {held}", say::clean_line(bed)))?;
    }
    Ok(())
}
