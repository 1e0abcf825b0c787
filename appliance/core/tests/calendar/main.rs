//! Calendars of other programs: read as another reader reads them, and refused in words that help.

mod refusals;
mod vectors;

use wardline_core::ids::PersonId;
use wardline_core::rota::calendar::{CalendarRefusal, Import, import};
use wardline_core::rota::{Date, TimeZone};
use wardline_core::time::Wall;

/// 2026-11-26 00:00 UTC.
const FROM: Wall = Wall(1_795_651_200_000);

const PEOPLE: [&str; 4] = ["ana@ward.example", "ben@ward.example", "chi@ward.example", "dov@ward.example"];

fn person(key: &str) -> Option<PersonId> {
    let at = PEOPLE.iter().position(|known| known.eq_ignore_ascii_case(key))?;
    PersonId::new(at as u64 + 1)
}

fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).expect("a zone")
}

fn read(calendar: &[u8]) -> Result<Import, CalendarRefusal> {
    import(calendar, &zone("Europe/Berlin"), FROM, person)
}

/// A calendar of events that are given as lines.
fn calendar(events: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n".to_owned();
    for event in events {
        text.push_str("BEGIN:VEVENT\r\n");
        for line in event.lines() {
            text.push_str(line.trim_start_matches("    "));
            text.push_str("\r\n");
        }
        text.push_str("END:VEVENT\r\n");
    }
    text + "END:VCALENDAR\r\n"
}

/// What the events of a calendar come to: place, hours from 2026-11-26 00:00 in Berlin to the start, hours, person.
fn hours(events: &[&str]) -> Vec<(u8, f64, f64, u64)> {
    let zero = zone("Europe/Berlin").instant(Date::new(2026, 11, 26).expect("a day").at(0));
    let found = read(calendar(events).as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
    let hours = |ms: i64| ms as f64 / 3_600_000.0;
    let shifts = found.shifts.into_iter();
    shifts
        .map(|it| {
            let (start, end) = (it.when.start.0, it.when.end.0);
            (it.place.value(), hours(start - zero.0), hours(end - start), it.person.value())
        })
        .collect()
}
