//! `wardline role import`: a calendar of another program, whose addresses and titles this command knows to be people.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use wardline_client::event::Person;
use wardline_client::roles::{Role, RoleCalls as _};
use wardline_client::rota::TimeZone;
use wardline_client::rota::calendar::{self, CalendarFault, CalendarRefusal, Import};
use wardline_client::{Calls as _, PersonId};
use wardline_core::limits;
use wardline_core::time::Wall;

use crate::access::Access;
use crate::exit::Failure;
use crate::{find, say};

/// Keys of nobody that are listed before a person is asked to mend them.
const UNKNOWN_SHOWN_MAX: usize = 10;

/// No file: what was imported is taken out.
pub(super) async fn import(
    access: &Access,
    role: &Role,
    file: Option<&Path>,
    names: Option<&Path>,
    zone: Option<&str>,
) -> Result<(), Failure> {
    let from = Wall(say::now());
    let Some(file) = file else {
        let until = from.after(u64::from(limits::CALENDAR_AHEAD_DAYS) * 86_400_000);
        access.import_rota(role.id, from, &Import { shifts: Vec::new(), until }).await?;
        return say::line("Taken out.");
    };
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}.", file.display())))?;
    let people = access.people().await?;
    let known = Known::read(&people, names)?;
    let zone = zone_of(role, zone)?;
    let import = read(&bytes, &zone, from, &known).map_err(Failure::Usage)?;
    if import.shifts.len() > limits::ROLE_IMPORTED_MAX {
        let (count, most) = (import.shifts.len(), limits::ROLE_IMPORTED_MAX);
        return Err(Failure::Usage(format!(
            "The calendar has {count} shifts of the next {} days, and {most} are the most. Export fewer months.",
            limits::CALENDAR_AHEAD_DAYS
        )));
    }
    if import.shifts.is_empty() {
        return Err(Failure::Usage(format!(
            "The calendar has no shift from now on. Is it the right one? To take out what was imported: wardline role import {} --none",
            role.id
        )));
    }
    for person in import.shifts.iter().map(|shift| shift.person) {
        may_hold(&people, person)?;
    }
    access.import_rota(role.id, from, &import).await?;
    let last = import.shifts.iter().map(|shift| shift.when.end).max().unwrap_or(from);
    say::line(&format!("{} shifts, until {}.", import.shifts.len(), say::time(last.0)))?;
    say::note(&format!(
        "It was read up to {}; what it says of later is not known here: import it again before then.",
        say::time(import.until.0)
    ));
    if !access.rota(role.id).await?.sources.patterns.is_empty() {
        say::note(
            "The role has weekly lines of its own, which are stronger: the calendar counts in weeks before they begin alone. To let \
             it count, set a rota without them: wardline role set, with --rota",
        );
    }
    Ok(())
}

/// What the box would refuse, by name.
fn may_hold(people: &[Person], person: PersonId) -> Result<(), Failure> {
    let Some(known) = people.iter().find(|known| known.id == person) else { return Ok(()) };
    let why = if known.suspended {
        "is suspended"
    } else if known.privacy_officer {
        "is a privacy officer, who reviews others"
    } else if known.station.is_some() {
        "is a station screen"
    } else if known.agency.is_some() {
        "is from an agency, and has an end"
    } else {
        return Ok(());
    };
    let name = say::clean_line(&known.name);
    Err(Failure::Refused(format!("{name} {why}, and stands in no rota. Name somebody else in the calendar.")))
}

fn zone_of(role: &Role, zone: Option<&str>) -> Result<Option<TimeZone>, Failure> {
    let none = |name: &str| Failure::Usage(format!("{name} is no time zone. Write it as in Europe/Berlin."));
    match zone {
        Some(name) => TimeZone::parse(name).map(Some).ok_or_else(|| none(name)),
        // A role that was never given a rota is in no zone that anybody has chosen.
        None if role.zone == TimeZone::utc().name() => Ok(None),
        None => TimeZone::parse(&role.zone).map(Some).ok_or_else(|| none(&role.zone)),
    }
}

/// Whom a calendar's keys mean.
struct Known<'p> {
    people: &'p [Person],
    /// By what stands in the calendar, without regard to case.
    named: BTreeMap<String, PersonId>,
}

impl<'p> Known<'p> {
    fn read(people: &'p [Person], file: Option<&Path>) -> Result<Self, Failure> {
        let mut known = Self { people, named: BTreeMap::new() };
        if let Some(file) = file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}.", file.display())))?;
            known.lines(&text).map_err(|why| Failure::Usage(format!("{}: {why}", file.display())))?;
        }
        Ok(known)
    }

    fn lines(&mut self, text: &str) -> Result<(), String> {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let told = |why: String| format!("line {}: {why}", at + 1);
            // The key may have one of its own, a name has none.
            let (key, name) = line.rsplit_once('=').ok_or_else(|| {
                told(
                    "write what stands in the calendar, =, and a name: ana@example.org = Ana Ruiz".to_owned(),
                )
            })?;
            let person = find::person(self.people, name.trim()).map_err(|why| told(why.to_string()))?;
            self.named.insert(key.trim().to_lowercase(), person);
        }
        Ok(())
    }

    fn person(&self, key: &str) -> Option<PersonId> {
        let named = self.named.get(&key.to_lowercase()).copied();
        let whole = |person: &&Person| person.name.to_lowercase() == key.to_lowercase();
        // By its whole name alone: a title that has one in it may be of anything.
        let mut same = self.people.iter().filter(whole).map(|person| person.id);
        named.or_else(|| same.next().filter(|_| same.next().is_none()))
    }
}

/// The shifts, or what is wrong: a line, and what to do. Of people who are not known, all that there are.
fn read(bytes: &[u8], zone: &Option<TimeZone>, from: Wall, known: &Known<'_>) -> Result<Import, String> {
    let stand_in = PersonId::new(1).ok_or("no person")?;
    let mut unknown: Vec<(u32, String)> = Vec::new();
    let import = loop {
        let missed = RefCell::new(None);
        let person = |key: &str| {
            let found = known.person(key);
            let is_listed = unknown.iter().any(|(_, other)| other == key);
            if found.is_none() && !is_listed {
                *missed.borrow_mut() = Some(key.to_owned());
            }
            found.or(is_listed.then_some(stand_in))
        };
        let utc = TimeZone::utc();
        let result = calendar::import(bytes, zone.as_ref().unwrap_or(&utc), from, person);
        match (result, missed.into_inner()) {
            (Err(CalendarRefusal { line, fault: CalendarFault::Unknown(_) }), Some(key))
                if unknown.len() < UNKNOWN_SHOWN_MAX =>
            {
                unknown.push((line, key));
            }
            (_, _) if !unknown.is_empty() => return Err(nobody(&unknown)),
            (Ok(import), _) => break import,
            (Err(refusal), _) => return Err(refusal.to_string()),
        }
    };
    // In another zone the same: then nothing in it is of no zone.
    if zone.is_none() {
        let other = TimeZone::parse("Pacific/Auckland").ok_or("no time zones")?;
        let there = calendar::import(bytes, &other, from, |key| known.person(key));
        if there.as_ref() != Ok(&import) {
            return Err(
                "The calendar has times of no zone. Say whose clock they are of: --zone Europe/Berlin"
                    .to_owned(),
            );
        }
    }
    Ok(import)
}

fn nobody(unknown: &[(u32, String)]) -> String {
    let mut lines = vec!["The calendar names people whom the directory does not know:".to_owned()];
    lines.extend(unknown.iter().map(|(line, key)| format!("  line {line}: {}", say::clean_line(key))));
    lines.push(
        "Say whom each means in a file of lines such as \"ana.ruiz@example.org = Ana Ruiz\", and import again with --people FILE."
            .to_owned(),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Person> {
        let named = |(id, name): (u64, &str)| Person {
            id: PersonId::new(id).unwrap(),
            name: name.to_owned(),
            title: String::new(),
            suspended: false,
            administrator: false,
            privacy_officer: false,
            posts: vec![],
            station: None,
            the_box: false,
            agency: None,
            visitor: false,
        };
        [(1, "Ana Ruiz"), (2, "Ben Okafor"), (3, "Chidi Eze"), (4, "Chidi Eze")].map(named).to_vec()
    }

    fn calendar(events: &[(&str, &str)]) -> String {
        let event = |(at, (start, who)): (usize, &(&str, &str))| {
            format!("BEGIN:VEVENT\r\nUID:{at}\r\nDTSTART{start}\r\nDURATION:PT8H\r\n{who}\r\nEND:VEVENT\r\n")
        };
        let events: String = events.iter().enumerate().map(event).collect();
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\n{events}END:VCALENDAR\r\n")
    }

    const FROM: Wall = Wall(1_796_000_000_000);

    fn parse(text: &str, names: &str, zone: Option<&str>) -> Result<Import, String> {
        let people = people();
        let mut known = Known { people: &people, named: BTreeMap::new() };
        known.lines(names)?;
        let zone = zone.map(|name| TimeZone::parse(name).unwrap());
        read(text.as_bytes(), &zone, FROM, &known)
    }

    #[test]
    fn names_and_addresses_become_people() {
        let ics = calendar(&[
            (":20270105T070000Z", "SUMMARY:ana ruiz"),
            (":20270105T150000Z", "ATTENDEE:mailto:B.Okafor@example.org"),
        ]);
        let import = parse(&ics, "# whom\nb.okafor@EXAMPLE.org = Ben", None).unwrap();
        let held: Vec<u64> = import.shifts.iter().map(|shift| shift.person.value()).collect();
        assert_eq!(held, [1, 2]);
    }

    #[test]
    fn whoever_is_not_known_is_named_with_the_line() {
        let ics = calendar(&[
            (":20270105T070000Z", "SUMMARY:Dr Ana"),
            (":20270105T150000Z", "ATTENDEE:mailto:b@example.org"),
            (":20270106T070000Z", "SUMMARY:Chidi Eze"),
            (":20270107T070000Z", "SUMMARY:Dr Ana"),
        ]);
        let said = parse(&ics, "", None).unwrap_err();
        for words in ["line 8: Dr Ana", "line 14: b@example.org", "line 20: Chidi Eze", "--people FILE"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(said.lines().count(), 5, "each once: {said}");
        let two = parse(&ics, "Dr Ana = Ana\nb@example.org=Ben\nchidi eze = 0000000000000004", None);
        assert_eq!(two.unwrap().shifts.len(), 4);
    }

    #[test]
    fn times_of_no_zone_want_one() {
        let ics = calendar(&[(":20270105T070000", "SUMMARY:Ana Ruiz")]);
        assert!(parse(&ics, "", None).unwrap_err().contains("--zone Europe/Berlin"));
        let import = parse(&ics, "", Some("Europe/Berlin")).unwrap();
        assert_eq!(import.shifts[0].when.start, Wall(1_799_128_800_000));
    }

    #[test]
    fn what_cannot_be_read_says_which_line() {
        let said = parse("BEGIN:VCALENDAR\r\nVERSION:1.0\r\nEND:VCALENDAR\r\n", "", None).unwrap_err();
        assert!(said.starts_with("Line 2 of the calendar: "), "{said}");
        for (names, words) in
            [("ana@example.org", "line 1: write what stands"), ("a = Zoe", "line 1: Zoe: there is nobody")]
        {
            let said = parse("", names, None).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
