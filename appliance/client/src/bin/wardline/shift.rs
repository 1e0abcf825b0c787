//! `wardline shift`: somebody's beds for a time, which is the way into their patients' threads.

use clap::Subcommand;
use serde_json::json;
use wardline_client::clinical::{Bed, ClinicalCalls as _, Holder, UnitBeds};
use wardline_client::event::Person;
use wardline_client::{AssignmentId, Calls as _, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::until::Until;
use crate::{Common, find, json, say};

mod give;

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Take beds of a unit where you work; or give them to somebody of the unit that you lead. Prints what to end it by.
    ///
    /// Beds are written as the unit calls them, alone or as ranges: B-12, 20-34, 12A-12D. A range is every bed that has such a
    /// number; what it came to is told.
    Take {
        /// A part of the unit's name that fits one alone, or its identifier.
        unit: String,
        /// Which beds and ranges of beds; or --all.
        #[arg(required_unless_present_any = ["all", "exact"], conflicts_with = "all")]
        beds: Vec<String>,
        /// A bed by its very name, though it looks like a range. May be given several times.
        #[arg(long = "bed", value_name = "BED", conflicts_with = "all")]
        exact: Vec<String>,
        /// Every bed of the unit, whoever comes into them.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        until: Until,
        /// For whom: by a charge nurse.
        #[arg(long = "for", value_name = "PERSON")]
        whom: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Give a unit's beds to everybody of a shift at once: by a charge nurse. Prints what to end each by, and which beds nobody has.
    ///
    /// As in: wardline shift give "Hall B" --until 07:00 Ana=1-20 Ben=21-40 Chidi=41-60,62
    Give {
        /// A part of the unit's name that fits one alone, or its identifier.
        unit: String,
        /// Who gets which beds and ranges of beds.
        #[arg(required = true, value_name = "PERSON=BEDS")]
        shares: Vec<String>,
        #[command(flatten)]
        until: Until,
        /// One JSON object a person.
        #[arg(long)]
        json: bool,
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
        Act::Take { unit, beds, exact, all, until, whom, json } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            let people = access.people().await?;
            let person = whom.map(|text| find::person(&people, &text)).transpose()?;
            give::take(access, (unit, until.instant()?), (all, &beds, &exact), person, (&people, json))
                .await?;
        }
        Act::Give { unit, shares, until, json } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            let people = access.people().await?;
            give::give(access, (unit, until.instant()?), &shares, (&people, json)).await?;
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
    for Bed { bed, encounter, holders, alias, ask } in &found.beds {
        if as_json {
            json::print(&json!({
                "event": "bed",
                "unit": unit.to_string(),
                "bed": bed,
                "encounter": encounter.map(|encounter| encounter.to_string()),
                "holders": holders.iter().map(holder).collect::<Vec<_>>(),
                "alias": alias,
                "ask": ask.map(|ask| ask.to_string()),
            }))?;
            continue;
        }
        let lies = encounter.map_or("free".to_owned(), |encounter| format!("occupied ({encounter})"));
        let held: Vec<String> = holders.iter().map(words).collect();
        let held = if held.is_empty() { "nobody".to_owned() } else { held.join(", ") };
        let restricted = alias.as_ref().map_or_else(String::new, |alias| {
            let whom = ask.map_or("a charge nurse".to_owned(), |ask| find::name(people, ask));
            format!("  {} (restricted: ask {whom})", say::clean_line(alias))
        });
        say::line(&format!("{}  {lies}  {held}{restricted}", say::clean_line(bed)))?;
    }
    Ok(())
}
