//! `wardline stat load`: how many STATs a unit had, and how long they took. Nobody is named, nothing is quoted.

use clap::Args;
use serde_json::json;
use wardline_client::event::Unit;
use wardline_client::stat::UnitLoad;
use wardline_client::{Calls as _, StatCalls as _};

use crate::access::Access;
use crate::exit::Failure;
use crate::{find, json, say};

const DAY_MS: i64 = 86_400_000;

#[derive(Args)]
pub(crate) struct Asked {
    /// Whose; left out: every unit's, for an administrator.
    #[arg(long)]
    unit: Option<String>,
    /// The last so many days, 1 to 400.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn show(access: &Access, asked: Asked) -> Result<(), Failure> {
    let units = access.units().await?;
    let unit = asked.unit.as_deref().map(|name| find::unit(&units, name)).transpose()?;
    // What was sent in this very millisecond as well.
    let until = say::now() + 1;
    let (loads, more) = access.stat_load(unit, until - i64::from(asked.days) * DAY_MS, until).await?;
    if asked.json {
        return loads.iter().try_for_each(print);
    }
    if loads.is_empty() {
        say::line(&format!("No STAT in the last {}.", say::count(asked.days.into(), "day", "days")))?;
    }
    for load in &loads {
        say::line(&words(&name(&units, load), load))?;
    }
    if more {
        say::note(
            "There were more than the newest 100,000, which are all that is counted. Ask for fewer days.",
        );
    }
    Ok(())
}

fn name(units: &[Unit], load: &UnitLoad) -> String {
    match load.unit {
        None => "no unit's".to_owned(),
        Some(id) => match units.iter().find(|unit| unit.id == id) {
            Some(unit) => say::clean_line(&unit.name),
            None => format!("(unit {id})"),
        },
    }
}

fn print(load: &UnitLoad) -> Result<(), Failure> {
    let UnitLoad { unit, sent, answered, at_stations, median, ninety, longest } = *load;
    json::print(&json!({
        "event": "stat_load",
        "unit": unit.map(|unit| unit.to_string()),
        "sent": sent,
        "answered": answered,
        "at_stations": at_stations,
        "seconds": { "median": median, "ninety": ninety, "longest": longest },
    }))
}

fn words(name: &str, load: &UnitLoad) -> String {
    let UnitLoad { sent, answered, at_stations, median, ninety, longest, .. } = *load;
    let mut words = format!("{name}: {}, {answered} answered", say::count(sent as usize, "STAT", "STATs"));
    if answered > 0 {
        let (half, nine, all) = (time(median), time(ninety), time(longest));
        words.push_str(&format!(" (half within {half}, nine in ten within {nine}, the longest {all})"));
    }
    match at_stations {
        0 => {}
        at => words.push_str(&format!("; {at} went as far as the station screens")),
    }
    words
}

/// "41 s", "2 min 5 s", "3 h 10 min".
fn time(seconds: u32) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, 0) => format!("{min} min"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_a_sentence() {
        let load = UnitLoad {
            unit: None,
            sent: 3,
            answered: 2,
            at_stations: 1,
            median: 41,
            ninety: 125,
            longest: 11_400,
        };
        assert_eq!(
            words("Hall A", &load),
            "Hall A: 3 STATs, 2 answered (half within 41 s, nine in ten within 2 min 5 s, the longest 3 h 10 min); \
             1 went as far as the station screens"
        );
        let none = UnitLoad { sent: 1, answered: 0, at_stations: 0, ..load };
        assert_eq!(words("Hall A", &none), "Hall A: 1 STAT, 0 answered");
    }
}
