//! `wardline announce`: what a unit or the facility announces; and `wardline admin announcer`, `announcements`: who, and how urgently.

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::beside::Beside;
use wardline_client::broadcasts::{Announcements, BroadcastCalls as _, Policy};
use wardline_client::event::Unit;
use wardline_client::stat::{Priority, Urgency};
use wardline_client::{Calls, Sequence, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say, send};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Announce something to whoever works in a unit that you lead; or to everybody, if an administrator named you for it. Nobody answers
    /// there: say in it whom to ask.
    Send {
        #[command(flatten)]
        to: To,
        /// What to say; - alone: standard input.
        #[arg(required = true)]
        text: Vec<String>,
        /// It is urgent, where that is allowed.
        #[arg(long)]
        urgent: bool,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Which announcements there are for you, and who announces to the facility. Read them with wardline history IDENTIFIER.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// How many have received an announcement of yours and read it: how many, not who.
    Readers {
        /// Its number: announce send printed it, history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        #[command(flatten)]
        to: To,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct To {
    /// To this unit: a part of its name that fits one alone, or its identifier. Left out: the only one that you lead.
    #[arg(long, conflicts_with = "facility")]
    unit: Option<String>,
    /// To everybody in the directory.
    #[arg(long)]
    facility: bool,
}

/// Who announces to the facility.
#[derive(Args)]
pub(crate) struct Announcer {
    /// Who: a part of the name that fits one alone, or an identifier.
    person: String,
    /// Not any more.
    #[arg(long)]
    end: bool,
}

/// How urgent announcements may be.
#[derive(Args)]
pub(crate) struct Urgencies {
    /// Whether a unit's may be urgent.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    unit_urgent: Option<bool>,
    /// Whether the facility's may be.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    facility_urgent: Option<bool>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

pub(crate) async fn announce(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Send { to, text, urgent, json } => {
            let text = text.join(" ");
            let text = if text == "-" { send::from_standard_input()? } else { text };
            let unit = to.unit(access).await?;
            let place = access.open_broadcast(unit).await?;
            let mut sent = if urgent {
                let urgency = Urgency { priority: Priority::Urgent, people: vec![], unit: None };
                access.send_urgent(place.id, &text, urgency).await?
            } else {
                access.send(place.id, &text, Beside::reply(None)).await?
            };
            let accepted = say::patiently("Waiting for the box to take it …", sent.outcome()).await?;
            if json {
                return json::print(&json::accepted(&accepted));
            }
            let receipts = access.broadcast_receipts(place.id, accepted.sequence).await?;
            let readers = say::count(receipts.readers as usize, "person", "people");
            let time = say::time(accepted.at);
            say::line(&format!("Announced as #{} to {readers} at {time}.", accepted.sequence.0))
        }
        Act::List { json } => list(access, json).await,
        Act::Readers { number, to, json } => {
            let unit = to.unit(access).await?;
            let all = access.broadcasts().await?.all;
            let known = all.iter().find(|one| one.unit == unit).and_then(|one| one.conversation);
            let Some(place) = known else {
                return Err(Failure::Usage("Nothing was announced there yet.".to_owned()));
            };
            let receipts = access.broadcast_receipts(place, Sequence(number)).await?;
            if json {
                return json::print(&json!({
                    "event": "announcement_receipts",
                    "conversation": place.to_string(),
                    "sequence": number,
                    "readers": receipts.readers,
                    "delivered": receipts.delivered,
                    "read": receipts.read,
                }));
            }
            say::line(&format!(
                "#{number}: read by {} of {}, on a device of {}.",
                receipts.read, receipts.readers, receipts.delivered
            ))
        }
    }
}

impl To {
    /// None: the facility.
    async fn unit(&self, access: &Access) -> Result<Option<UnitId>, Failure> {
        if self.facility {
            return Ok(None);
        }
        if let Some(unit) = &self.unit {
            return find::unit(&access.units().await?, unit).map(Some);
        }
        let all = access.broadcasts().await?.all;
        let mut led = all.iter().filter(|one| one.announces).filter_map(|one| one.unit);
        match (led.next(), led.next()) {
            (Some(unit), None) => Ok(Some(unit)),
            (None, _) => {
                Err(Failure::Usage("You lead no unit. Say to whom with --unit, or --facility.".to_owned()))
            }
            _ => Err(Failure::Usage("You lead several units: say which with --unit.".to_owned())),
        }
    }
}

async fn list(access: &Access, as_json: bool) -> Result<(), Failure> {
    let (list, units, people) = (access.broadcasts().await?, access.units().await?, access.people().await?);
    for one in &list.all {
        if as_json {
            json::print(&json!({
                "event": "announcements",
                "unit": one.unit.map(|unit| unit.to_string()),
                "conversation": one.conversation.map(|id| id.to_string()),
                "announces": one.announces,
                "readers": one.readers,
            }))?;
        } else {
            say::line(&line(one, &units))?;
        }
    }
    if !as_json {
        let names: Vec<String> = list.announcers.iter().map(|who| find::name(&people, *who)).collect();
        let names = if names.is_empty() { "nobody yet".to_owned() } else { names.join(", ") };
        say::note(&format!("To the facility announces: {names}."));
    }
    Ok(())
}

fn line(one: &Announcements, units: &[Unit]) -> String {
    let known = units.iter().find(|unit| Some(unit.id) == one.unit);
    let name = known.map_or_else(|| "the facility".to_owned(), |unit| say::clean_line(&unit.name));
    let may = if one.announces { "; you announce there" } else { "" };
    match one.conversation {
        Some(id) => format!("{id}  {name}, for {} people{may}", one.readers),
        None => format!("{name}: nothing yet{may}"),
    }
}

/// Who announces to the facility.
pub(crate) async fn announcer(door: &impl Calls, wanted: Announcer) -> Result<(), Failure> {
    let people = door.people().await?;
    let person = find::person(&people, &wanted.person)?;
    door.set_announcer(person, !wanted.end).await?;
    let what = if wanted.end { "announces to the facility no more" } else { "announces to the facility now" };
    say::line(&format!("{} {what}.", find::name(&people, person)))
}

/// How urgent announcements may be; without a wish it only says so.
pub(crate) async fn urgencies(door: &impl Calls, wanted: Urgencies) -> Result<(), Failure> {
    let mut policy = door.broadcasts().await?.policy;
    if wanted.unit_urgent.is_some() || wanted.facility_urgent.is_some() {
        policy = Policy {
            unit_urgent: wanted.unit_urgent.unwrap_or(policy.unit_urgent),
            facility_urgent: wanted.facility_urgent.unwrap_or(policy.facility_urgent),
        };
        door.set_broadcast_policy(policy).await?;
    }
    let may = |may: bool| if may { "may be urgent" } else { "are routine" };
    say::line(&format!(
        "Announcements of units {}, those of the facility {}.",
        may(policy.unit_urgent),
        may(policy.facility_urgent)
    ))
}
