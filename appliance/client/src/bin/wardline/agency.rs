//! `wardline agency`: staff from an agency, for a shift.

use clap::Subcommand;
use serde_json::json;
use wardline_client::agency::{AgencyCalls as _, Arrival, Stay};
use wardline_client::clinical::Beds;
use wardline_client::error::Refused;
use wardline_client::event::{Person, Unit};
use wardline_client::{Calls as _, Error, UnitId};
use wardline_core::agency::are_alike;
use wardline_core::wire::proto::RefusalCode;

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, admin, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Admit somebody for a shift, and print a join code and link for their phone. For charge nurses of the unit.
    ///
    /// At the end they are out of everything by themselves: sessions, beds, groups. Who was here before is the same person:
    /// name them with --returning.
    Admit {
        /// As colleagues know them.
        name: String,
        /// Who sends them.
        #[arg(long)]
        agency: String,
        /// Where they will work: a part of the unit's name that fits one alone, or its identifier.
        #[arg(long)]
        unit: String,
        /// "RN", "LPN".
        #[arg(long, default_value = "")]
        title: String,
        /// Their beds for the shift, with commas between; without, and without --all-beds, none yet.
        #[arg(long, value_delimiter = ',', conflicts_with = "all_beds")]
        beds: Vec<String>,
        /// Every bed of the unit.
        #[arg(long)]
        all_beds: bool,
        /// For how many hours: 16 at most.
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=16))]
        hours: i64,
        /// Who comes back: their identifier, which wardline agency list has.
        #[arg(long, value_name = "PERSON")]
        returning: Option<String>,
        /// There was somebody of this name and agency, who is another person.
        #[arg(long, conflicts_with = "returning")]
        another_person: bool,
        /// One JSON object, with the code.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody stay longer, with the beds that they have to the end. Twice at most. For charge nurses of their unit.
    Extend {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
        /// From now on, for how many hours: 16 at most.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=16))]
        hours: i64,
        /// Why, in ten characters or more.
        #[arg(required = true)]
        why: Vec<String>,
    },
    /// End somebody's time here at once. For charge nurses of their unit.
    End {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
    },
    /// Who is here, or was, from an agency. For charge nurses the staff that their units admitted.
    List {
        /// Of this unit alone.
        #[arg(long)]
        unit: Option<String>,
        /// Of every unit: for administrators.
        #[arg(long, conflicts_with = "unit")]
        all: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn agency(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Admit { name, agency, unit, title, beds, all_beds, hours, returning, another_person, json } => {
            let (units, people) = (access.units().await?, access.people().await?);
            let returning = returning.map(|text| find::person(&people, &text)).transpose()?;
            let beds = match (&beds[..], all_beds) {
                ([], false) => None,
                ([], true) => Some(Beds::Whole),
                (_, _) => Some(Beds::Named(&beds)),
            };
            let arrival = Arrival {
                returning,
                name: &name,
                agency: &agency,
                title: &title,
                unit: find::unit(&units, &unit)?,
                beds,
                until: say::now().saturating_add(hours * 3_600_000),
                another_person,
            };
            admit(access, &arrival, &people, json).await
        }
        Act::Extend { person, hours, why } => {
            let people = access.people().await?;
            let person = find::person(&people, &person)?;
            let until = say::now().saturating_add(hours * 3_600_000);
            let agency =
                people.iter().find(|known| known.id == person).and_then(|known| known.agency.as_ref());
            if let Some(agency) = agency.filter(|agency| !agency.over && agency.until >= until) {
                return Err(Failure::Usage(format!(
                    "{} is here until {} anyway. --hours counts from now: {hours} ends before that.",
                    find::name(&people, person),
                    say::time(agency.until)
                )));
            }
            access.extend_agency(person, until, &why.join(" ")).await?;
            say::line(&format!("{} stays until {}.", find::name(&people, person), say::time(until)))
        }
        Act::End { person } => {
            let people = access.people().await?;
            let person = find::person(&people, &person)?;
            access.end_agency(person).await?;
            say::line(&format!("{} is out.", find::name(&people, person)))
        }
        Act::List { unit, all, json } => list(access, unit, all, json).await,
    }
}

async fn admit(
    access: &Access,
    arrival: &Arrival<'_>,
    people: &[Person],
    as_json: bool,
) -> Result<(), Failure> {
    let admitted = access.admit_agency(arrival).await.map_err(|error| match error {
        Error::Refused(Refused { code: RefusalCode::AgencyKnown, advice, .. }) => {
            let known: Vec<String> =
                people.iter().filter(|person| is_alike(person, arrival)).map(known).collect();
            let how =
                "With --returning and the identifier: that person. With --another-person: somebody new.";
            Failure::Refused(format!("{advice}\n{}{how}", known.concat()))
        }
        error => error.into(),
    })?;
    if as_json {
        return json::print(&json!({
            "event": "agency_admitted",
            "person": admitted.person.to_string(),
            "assignment": admitted.assignment.map(|assignment| assignment.to_string()),
            "code": admitted.code,
            "expires": admitted.expires,
            "until": admitted.until,
        }));
    }
    say::line(&admitted.person.to_string())?;
    admin::link(Some(access.identity()), (&admitted.code, admitted.expires), None)?;
    say::note(&format!(
        "{} is here until {}. A phone that they joined with before works again without the code.",
        say::clean_line(arrival.name.trim()),
        say::time(admitted.until)
    ));
    Ok(())
}

/// Whom the box may have meant.
fn is_alike(person: &Person, arrival: &Arrival<'_>) -> bool {
    let asked = (arrival.name, arrival.agency);
    person.agency.as_ref().is_some_and(|agency| are_alike((&person.name, &agency.name), asked))
}

fn known(person: &Person) -> String {
    let agency = person.agency.as_ref();
    let until = agency.map_or(String::new(), |agency| {
        // Sent home early, they were not here until then.
        if agency.over {
            "  was here".to_owned()
        } else {
            format!("  is here until {}", say::time(agency.until))
        }
    });
    format!("  {}  {}{until}\n", person.id, say::clean_line(&person.name))
}

async fn list(access: &Access, unit: Option<String>, all: bool, as_json: bool) -> Result<(), Failure> {
    let (units, people) = (access.units().await?, access.people().await?);
    let mut stays = Vec::new();
    if all {
        stays = access.agency_stays(None).await?;
    } else {
        let led = match unit {
            Some(text) => vec![find::unit(&units, &text)?],
            None => led_by(&people, access),
        };
        if led.is_empty() {
            let how = "You lead no unit. An administrator sees everybody with --all.";
            return Err(Failure::Usage(how.to_owned()));
        }
        for unit in led {
            stays.extend(access.agency_stays(Some(unit)).await?);
        }
    }
    // Who is here first, then by the end.
    stays.sort_by_key(|stay| (stay.ended.is_some(), stay.until, stay.person));
    if stays.is_empty() && !as_json {
        say::note(
            "Nobody is, or was, here from an agency. wardline agency admit lets somebody in for a shift.",
        );
    }
    stays.iter().try_for_each(|stay| if as_json { print(stay, &people) } else { show(stay, &units, &people) })
}

fn led_by(people: &[Person], access: &Access) -> Vec<UnitId> {
    let me = people.iter().find(|person| person.id == access.identity().person);
    let posts = me.into_iter().flat_map(|me| &me.posts);
    posts.filter(|post| post.charge_nurse).map(|post| post.unit).collect()
}

fn agency_of<'p>(people: &'p [Person], stay: &Stay) -> &'p str {
    let person = people.iter().find(|person| person.id == stay.person);
    person.and_then(|person| person.agency.as_ref()).map_or("", |agency| &agency.name)
}

fn show(stay: &Stay, units: &[Unit], people: &[Person]) -> Result<(), Failure> {
    let unit = units.iter().find(|known| known.id == stay.unit);
    let unit = unit.map_or_else(|| stay.unit.to_string(), |unit| say::clean_line(&unit.name));
    let when = match stay.ended {
        None => format!("here until {}", say::time(stay.until)),
        Some(ended) => format!("was here until {}", say::time(ended)),
    };
    let barred = if stay.barred { "  (suspended)" } else { "" };
    let agency = say::clean_line(agency_of(people, stay));
    let name = find::name(people, stay.person);
    say::line(&format!("{}  {name}, {agency}, {unit}, {when}{barred}", stay.person))?;
    stay.extensions.iter().try_for_each(|one| {
        let why = say::clean_line(&one.grounds);
        say::line(&format!("  until {}, since {}: {why}", say::time(one.until), say::time(one.at)))
    })
}

fn print(stay: &Stay, people: &[Person]) -> Result<(), Failure> {
    let extensions = stay.extensions.iter();
    let extensions = extensions
        .map(|one| json!({ "at": one.at, "until": one.until, "grounds": one.grounds }))
        .collect::<Vec<_>>();
    json::print(&json!({
        "event": "agency_stay",
        "person": stay.person.to_string(),
        "name": find::name(people, stay.person),
        "agency": agency_of(people, stay),
        "unit": stay.unit.to_string(),
        "since": stay.since,
        "until": stay.until,
        "ended": stay.ended,
        "extensions": extensions,
        "barred": stay.barred,
    }))
}
