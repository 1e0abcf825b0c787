//! `wardline unit`: the facility's units, who works there, and who leads them.

use clap::Subcommand;
use serde_json::json;
use wardline_client::event::{Person, Unit};
use wardline_client::{Calls as _, Rank, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, admin, clearing, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Every unit, with who leads it.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Who works in a unit.
    Staff {
        /// A part of its name that fits one alone, or its identifier.
        unit: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// People work in a unit from now on. For its charge nurse.
    Place {
        /// Where.
        unit: String,
        /// Parts of names that fit one alone, or identifiers.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// People do not work in a unit any more, and are out of its channels at once. For its charge nurse.
    Release {
        /// Where.
        unit: String,
        /// Parts of names that fit one alone, or identifiers.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// A join code for somebody of your staff, for a new phone. For their charge nurse.
    Code {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
    },
    /// A code for somebody of your staff whose phone ten wrong PINs have locked, to choose another PIN on it. For their charge nurse.
    ///
    /// Give it only to whom you stand before. It is good for ten minutes, on that phone alone.
    ClearPin {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
    },
    /// End somebody's access at once, on every device. For their charge nurse; an administrator lets them in again.
    Suspend {
        /// Whose.
        person: String,
    },
}

pub(crate) async fn unit(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    let (mut units, mut people) = (access.units().await?, access.people().await?);
    units.sort_by_key(|unit| unit.name.to_lowercase());
    people.sort_by_key(|person| person.name.to_lowercase());
    match act {
        Act::List { json } => list(&units, &people, json),
        Act::Staff { unit, json } => staff(find::unit(&units, &unit)?, &people, json),
        Act::Code { person } => admin::code(access, Some(access.identity()), &person, None).await,
        Act::ClearPin { person } => clearing::give(access, &person).await,
        Act::Suspend { person } => admin::suspend(access, &person).await,
        Act::Place { unit, people: wanted } => {
            place(access, (&units, &people), &unit, &wanted, Rank::Staff).await
        }
        Act::Release { unit, people: wanted } => {
            place(access, (&units, &people), &unit, &wanted, Rank::None).await
        }
    }
}

fn leads(person: &Person, unit: UnitId) -> Option<bool> {
    person.posts.iter().find(|post| post.unit == unit).map(|post| post.charge_nurse)
}

fn list(units: &[Unit], people: &[Person], as_json: bool) -> Result<(), Failure> {
    if units.is_empty() && !as_json {
        say::note("No unit yet. An administrator adds them: wardline admin add-unit NAME");
    }
    for unit in units {
        let nurses: Vec<&Person> = people.iter().filter(|p| leads(p, unit.id) == Some(true)).collect();
        let staff = people.iter().filter(|person| leads(person, unit.id).is_some()).count();
        if as_json {
            json::print(&json!({
                "event": "unit",
                "unit": unit.id.to_string(),
                "name": unit.name,
                "staff": staff,
                "charge_nurses": nurses.iter().map(|nurse| nurse.id.to_string()).collect::<Vec<_>>(),
            }))?;
            continue;
        }
        let names: Vec<String> = nurses.iter().map(|nurse| say::clean_line(&nurse.name)).collect();
        let led = if names.is_empty() {
            "nobody leads it".to_owned()
        } else {
            format!("led by {}", names.join(", "))
        };
        let count = say::count(staff, "works there", "work there");
        say::line(&format!("{}  {}  ({count}, {led})", unit.id, say::clean_line(&unit.name)))?;
    }
    Ok(())
}

fn staff(unit: UnitId, people: &[Person], as_json: bool) -> Result<(), Failure> {
    let staff = people.iter().filter(|person| leads(person, unit).is_some());
    for person in staff {
        if as_json {
            json::print(&json::person(person))?;
            continue;
        }
        let title = if person.title.is_empty() { String::new() } else { format!(", {}", person.title) };
        let nurse = if leads(person, unit) == Some(true) { "  (charge nurse)" } else { "" };
        let gone = if person.suspended { "  (suspended)" } else { "" };
        say::line(&format!(
            "{}  {}{nurse}{gone}",
            person.id,
            say::clean_line(&format!("{}{title}", person.name))
        ))?;
    }
    Ok(())
}

async fn place(
    access: &Access,
    (units, people): (&[Unit], &[Person]),
    unit: &str,
    wanted: &[String],
    rank: Rank,
) -> Result<(), Failure> {
    let unit = find::unit(units, unit)?;
    let wanted: Vec<_> = wanted.iter().map(|text| find::person(people, text)).collect::<Result<_, _>>()?;
    for person in wanted {
        // Whoever leads the unit works there already, and is not made less by the way.
        let known = people.iter().find(|known| known.id == person);
        if rank == Rank::Staff && known.is_some_and(|known| leads(known, unit).is_some()) {
            say::line(&format!("{} works there already.", find::name(people, person)))?;
            continue;
        }
        access.set_post(person, unit, rank).await?;
        let name = find::name(people, person);
        let what = if rank == Rank::None { "does not work there any more" } else { "works there now" };
        say::line(&format!("{name} {what}."))?;
    }
    Ok(())
}
