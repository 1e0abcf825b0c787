//! `wardline role`: who is on call for what, and when.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use wardline_client::event::{Person, Unit};
use wardline_client::offers::OfferAnswer;
use wardline_client::roles::{Role, RoleCalls as _, Which};
use wardline_client::rota::Sources;
use wardline_client::stat::{EscalationPolicy, Rings, StatCalls as _};
use wardline_client::{Calls as _, RoleId, UnitId, Wall};

use crate::access::Access;
use crate::exit::Failure;
use crate::until::Until;
use crate::{Common, find, json, rota, say};

mod import;
mod inbox;
mod offer;

pub(crate) use inbox::{gap_ahead_line, who_reads};
pub(crate) use offer::news_line;

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Every role: who holds it now, until when, and when nobody will in the next two weeks.
    List {
        /// Of this unit alone: a part of its name that fits one alone, or its identifier.
        #[arg(long)]
        unit: Option<String>,
        /// Retired ones too.
        #[arg(long)]
        retired: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// A role's rota as the file that would set it: wardline role show Physician > physicians.txt. For whoever works in its unit.
    Show {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// One JSON object, with the lines of the file.
        #[arg(long)]
        json: bool,
    },
    /// Add a role to a unit. For its charge nurses, and administrators.
    Add {
        /// Whose.
        unit: String,
        /// As colleagues know it: "Physician on call".
        name: String,
        /// Who holds it when: a file of lines such as "zone Europe/Berlin", "Mon-Fri 07:00-19:00 Ana Ruiz, Ben Okafor",
        /// "daily 19:00-07:00 Chidi Eze", "except 2026-12-24 07:00-19:00 nobody".
        #[arg(long, value_name = "FILE")]
        rota: Option<PathBuf>,
    },
    /// Give a role another name or rota. What was taken by hand stays. For charge nurses of its unit, and administrators.
    Set {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// Its name from now on.
        #[arg(long, required_unless_present = "rota")]
        name: Option<String>,
        /// Who holds it when: a file, as for wardline role add.
        #[arg(long, value_name = "FILE")]
        rota: Option<PathBuf>,
    },
    /// Read who holds a role from a calendar of another program, for the next 400 days: an iCalendar file, of this role's shifts alone. It
    /// counts where the rota's own lines say nothing. For charge nurses of its unit, and administrators.
    Import {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// The calendar, exported as iCalendar (.ics).
        #[arg(required_unless_present = "none")]
        file: Option<PathBuf>,
        /// Whom the calendar's addresses and titles mean, where they are no names of the directory: a file of lines such as
        /// "ana.ruiz@example.org = Ana Ruiz".
        #[arg(long, value_name = "FILE")]
        people: Option<PathBuf>,
        /// Whose clock times without a zone are of, as in Europe/Berlin. Left out: the role's.
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
        /// Take out what was imported, from now on.
        #[arg(long, conflicts_with_all = ["file", "people", "zone"])]
        none: bool,
    },
    /// Retire a role: nobody holds it any more. Not while an escalation policy rings it. For charge nurses of its unit, and administrators.
    Retire {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
    },
    /// Hold a role for some hours, whatever its rota says; or give it to somebody of the unit that you lead.
    Take {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        #[command(flatten)]
        until: Until,
        /// 1: who is asked first; 2: their backup; and so on.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
        place: u32,
        /// For whom: by a charge nurse.
        #[arg(long = "for", value_name = "PERSON")]
        whom: Option<String>,
    },
    /// Hand a role over to somebody of its unit: it stays yours until they accept. By a charge nurse, for whoever holds it.
    Offer {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// To whom.
        person: String,
        #[command(flatten)]
        until: Until,
        /// Not to be accepted before the clock here shows this: while you still hold it.
        #[arg(long, value_name = "HH:MM")]
        from: Option<String>,
        /// As for wardline role take.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
        place: u32,
    },
    /// What is offered to you, by you, or in a unit that you lead, and what is open: STATs, beds, times that nobody has.
    Offers {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Take over a role that is offered to you: it is yours from now on, and what rings for it rings for you.
    Accept {
        /// A part of the role's name, or what wardline role offer printed. Not needed where one waits.
        role: Option<String>,
    },
    /// Do not take it over: whoever holds it goes on holding it.
    Decline {
        /// As for wardline role accept.
        role: Option<String>,
    },
    /// Take an offer back.
    Withdraw {
        /// A part of the role's name, or what wardline role offer printed.
        role: Option<String>,
    },
    /// Write to a role: whoever holds it reads it, and whoever holds it next. Says first who that is; where nobody holds it, where it goes.
    Write {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// What to say; - alone: standard input.
        #[arg(required = true)]
        text: Vec<String>,
        /// Send it although nobody holds the role.
        #[arg(long)]
        yes: bool,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Who would read what you write to a role now, and when somebody holds it next. Sends nothing.
    Readers {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What is written to the roles that you hold or look after, and what you wrote to others: newest last.
    Inbox {
        /// Only with this role.
        role: Option<String>,
        /// What is done too.
        #[arg(long)]
        done: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say that what was asked of a role is done: it stays with whoever wrote it, who can write to the role again.
    Done {
        /// The role's name, where it is your own or the only one; else the identifier that wardline role inbox shows.
        inbox: String,
        /// Of several, the one that this person wrote.
        #[arg(long, value_name = "PERSON")]
        from: Option<String>,
    },
    /// Give a role back to whom its rota names.
    Return {
        /// A part of its name that fits one alone, or its identifier.
        role: String,
        /// As for wardline role take.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
        place: u32,
    },
}

pub(crate) async fn role(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::List { unit, retired, json } => {
            let units = access.units().await?;
            let unit = unit.map(|unit| find::unit(&units, &unit)).transpose()?;
            let (mut roles, people) = (access.roles(unit).await?, access.people().await?);
            roles.retain(|role| retired || !role.retired);
            if roles.is_empty() && !json {
                say::note("There are no roles. A charge nurse adds one: wardline role add UNIT NAME");
            }
            roles.iter().try_for_each(|role| if json { print(role) } else { show(role, &units, &people) })
        }
        Act::Show { role, json } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            let (rota, people) = (access.rota(known.id).await?, access.people().await?);
            if json {
                return json::print(&json!({
                    "event": "rota",
                    "role": known.id.to_string(),
                    "lines": rota::written(&rota.sources, &people)?,
                    "imported": rota.imported,
                    "imported_until": rota.imported_until,
                }));
            }
            rota::written(&rota.sources, &people)?.iter().try_for_each(|line| say::line(line))?;
            match rota.imported_until {
                Some(until) => say::line(&format!(
                    "# {} shifts of a calendar besides, read up to {}: they stay when this is set, and count where this says nothing",
                    rota.imported,
                    say::time(until)
                )),
                None => Ok(()),
            }
        }
        Act::Add { unit, name, rota } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            let rota = read(access, rota).await?;
            let role = access.set_role(Which::New(unit), &name, rota.as_ref()).await?;
            say::line(&role.to_string())?;
            if rota.is_none() {
                say::note("Nobody holds it yet: wardline role set, with --rota, or wardline role take.");
            }
            warn_of_gaps(access, role).await
        }
        Act::Set { role, name, rota } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            let rota = read(access, rota).await?;
            let name = name.unwrap_or_else(|| known.name.clone());
            access.set_role(Which::Known(known.id), &name, rota.as_ref()).await?;
            say::line("Set.")?;
            warn_of_gaps(access, known.id).await
        }
        Act::Import { role, file, people, zone, none: _ } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            import::import(access, &known, file.as_deref(), people.as_deref(), zone.as_deref()).await?;
            warn_of_gaps(access, known.id).await
        }
        Act::Retire { role } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            let rings = policies_that_ring(access, &known).await?;
            if !rings.is_empty() {
                let what = format!(
                    "{} is rung by {}. Let that ring somebody else first: wardline stat set-policy",
                    say::clean_line(&known.name),
                    rings.join(" and ")
                );
                return Err(Failure::Refused(what));
            }
            access.retire_role(known.id).await?;
            say::line("Retired.")
        }
        Act::Take { role, until, place, whom } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            let person = match whom {
                Some(text) => Some(find::person(&access.people().await?, &text)?),
                None => None,
            };
            let until = until.instant()?;
            access.take_role(known.id, place - 1, until, person).await?;
            say::line(&format!("Held until {}.", say::time(until)))
        }
        Act::Offer { role, person, until, from, place } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            let person = find::person(&access.people().await?, &person)?;
            offer::make(access, &known, person, (&until, from.as_deref()), place - 1).await
        }
        Act::Offers { json } => offer::list(access, json).await,
        Act::Accept { role } => offer::answer(access, role.as_deref(), OfferAnswer::Accept).await,
        Act::Decline { role } => offer::answer(access, role.as_deref(), OfferAnswer::Decline).await,
        Act::Withdraw { role } => offer::answer(access, role.as_deref(), OfferAnswer::Withdraw).await,
        Act::Write { role, text, yes, json } => inbox::write(access, &role, &text.join(" "), yes, json).await,
        Act::Readers { role, json } => inbox::readers(access, &role, json).await,
        Act::Inbox { role, done, json } => inbox::list(access, role.as_deref(), done, json).await,
        Act::Done { inbox, from } => inbox::done(access, &inbox, from.as_deref()).await,
        Act::Return { role, place } => {
            let known = find::role(&access.roles(None).await?, &role)?;
            access.return_role(known.id, place - 1).await?;
            say::line("Returned.")
        }
    }
}

/// In words.
async fn policies_that_ring(access: &Access, role: &Role) -> Result<Vec<String>, Failure> {
    let rings =
        |policy: &EscalationPolicy| policy.steps.iter().any(|(rings, _)| *rings == Rings::Role(role.id));
    let policies = access.escalation_policies().await?;
    let units = access.units().await?;
    let named = |policy: &EscalationPolicy| match policy.unit {
        Some(unit) => format!("the escalation policy of {}", unit_name(&units, unit)),
        None => "the facility's escalation policy".to_owned(),
    };
    Ok(policies.iter().filter(|policy| rings(policy)).map(named).collect())
}

async fn read(access: &Access, file: Option<PathBuf>) -> Result<Option<Sources>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}.", file.display())))?;
    rota::parse(&text, &access.people().await?, Wall(say::now())).map(Some)
}

async fn warn_of_gaps(access: &Access, role: RoleId) -> Result<(), Failure> {
    let roles = access.roles(None).await?;
    let gaps = roles.iter().filter(|known| known.id == role).flat_map(|role| &role.gaps);
    gaps.for_each(|gap| say::note(&gap_line(*gap)));
    Ok(())
}

fn gap_line((start, end): (i64, i64)) -> String {
    format!("Nobody holds it from {} until {}.", say::time(start), say::time(end))
}

fn show(role: &Role, units: &[Unit], people: &[Person]) -> Result<(), Failure> {
    let names: Vec<String> = role.holders.iter().map(|person| find::name(people, *person)).collect();
    if role.retired {
        return say::line(&format!(
            "{}, {}: retired ({})",
            say::clean_line(&role.name),
            unit_name(units, role.unit),
            role.id
        ));
    }
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", then ") };
    let until = role.until.map_or(String::new(), |until| format!(" until {}", say::time(until)));
    let name = say::clean_line(&role.name);
    say::line(&format!("{name}, {}: {names}{until} ({})", unit_name(units, role.unit), role.id))?;
    role.gaps.iter().try_for_each(|gap| say::line(&format!("  ! {}", gap_line(*gap))))
}

fn unit_name(units: &[Unit], unit: UnitId) -> String {
    let known = units.iter().find(|known| known.id == unit);
    known.map_or_else(|| unit.to_string(), |known| say::clean_line(&known.name))
}

fn print(role: &Role) -> Result<(), Failure> {
    let gaps = role.gaps.iter().map(|(start, end)| json!({ "start": start, "end": end }));
    json::print(&json!({
        "event": "role",
        "role": role.id.to_string(),
        "unit": role.unit.to_string(),
        "name": role.name,
        "zone": role.zone,
        "holders": role.holders.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "until": role.until,
        "gaps": gaps.collect::<Vec<_>>(),
        "retired": role.retired,
        "imported_until": role.imported_until,
    }))
}
