//! A rota as people write it: a file of lines.
//!
//! ```text
//! zone Europe/Berlin
//! from 2026-12-01
//! weeks 2
//! week 1
//! Mon-Fri 07:00-19:00 Ana Ruiz, Ben Okafor
//! daily 19:00-07:00 Chidi Eze
//! week 2
//! daily 07:00-07:00 Dana Weiss
//! except 2026-12-24 07:00-19:00 Chidi Eze
//! except 2026-12-31 22:00-06:00 nobody
//! ```

use wardline_client::event::Person;
use wardline_client::rota::{Date, Exception, Pattern, Says, Shift, Sources, Team, TimeZone, Weekday};
use wardline_client::{PersonId, Wall};

use crate::exit::Failure;
use crate::{find, say};

/// As [`Weekday::ALL`].
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u32 = 24 * 60;

/// What the lines come to, with the people of the directory, at this moment.
pub(crate) fn parse(text: &str, people: &[Person], now: Wall) -> Result<Sources, Failure> {
    let mut reader =
        Reader { people, zone: None, from: None, weeks: 1, week: 0, shifts: vec![], exceptions: vec![] };
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            reader.line(line).map_err(|why| Failure::Usage(format!("Line {}: {why}", at + 1)))?;
        }
    }
    let zone = reader.zone.ok_or_else(|| {
        Failure::Usage("The rota does not say where it is. Begin with: zone Europe/Berlin".to_owned())
    })?;
    let today = zone.date(now);
    let mut sources = Sources::new(zone);
    sources.exceptions = reader.exceptions;
    if !reader.shifts.is_empty() {
        let weeks = reader.weeks;
        let from = reader.from.unwrap_or_else(|| first_day(today, weeks));
        sources.patterns.push(Pattern { from, until: None, weeks, place: None, shifts: reader.shifts });
    }
    Ok(sources)
}

/// From when a rota holds that does not say: the day before, so that whoever's shift is under way has it. Of weeks in turn this one is
/// the first, so on a Monday it is a whole turn before.
fn first_day(today: Date, weeks: u8) -> Date {
    let turn = if weeks > 1 && today.weekday() == Weekday::Monday { 7 * u16::from(weeks) } else { 1 };
    Date::from_days(today.days().saturating_sub(turn))
}

/// The lines that come to this rota. Refuses what no file says: patterns that end, that are of one place, or several; exceptions of one place;
/// shifts of more than a day.
pub(crate) fn written(rota: &Sources, people: &[Person]) -> Result<Vec<String>, Failure> {
    let more = || {
        let how =
            "This rota was not set from a file, and says more than one can: set it where it was written.";
        Failure::Refused(how.to_owned())
    };
    let mut lines = vec![format!("zone {}", rota.zone.name())];
    match &rota.patterns[..] {
        [] => {}
        [Pattern { from, until: None, weeks, place: None, shifts }] => {
            lines.push(format!("from {}", day_of(*from)));
            lines.push(format!("weeks {weeks}"));
            for week in 0..u32::from(*weeks) {
                lines.push(format!("week {}", week + 1));
                let mut seen: Vec<(u32, u32, &Team, Vec<usize>)> = Vec::new();
                for shift in shifts.iter().filter(|shift| shift.start / (7 * DAY) == week) {
                    let (start, length) = (shift.start % DAY, shift.end.saturating_sub(shift.start));
                    if length == 0 || length > DAY {
                        return Err(more());
                    }
                    let day = (shift.start / DAY % 7) as usize;
                    let same = |(of, lasts, team, _): &&mut (u32, u32, &Team, Vec<usize>)| {
                        (*of, *lasts, *team) == (start, length, &shift.team)
                    };
                    match seen.iter_mut().find(same) {
                        Some((.., days)) => days.push(day),
                        None => seen.push((start, length, &shift.team, vec![day])),
                    }
                }
                for (start, length, team, days) in seen {
                    let times = times_of(start, start + length);
                    lines.push(format!("{} {times} {}", days_of(days), names_of(team, people)));
                }
            }
        }
        _ => return Err(more()),
    }
    for exception in &rota.exceptions {
        let (start, end) = (exception.from.minutes(), exception.until.minutes());
        let Says::Team(team) = &exception.says else { return Err(more()) };
        if end.saturating_sub(start) > DAY {
            return Err(more());
        }
        let times = times_of(start % DAY, start % DAY + (end - start));
        lines.push(format!("except {} {times} {}", day_of(exception.from.date()), names_of(team, people)));
    }
    Ok(lines)
}

fn day_of(date: Date) -> String {
    let seconds = i64::from(date.days()) * 86_400;
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// An end on the next day is written as its time there.
fn times_of(start: u32, end: u32) -> String {
    let end = end % DAY;
    format!("{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
}

fn days_of(mut days: Vec<usize>) -> String {
    days.sort_unstable();
    if days.len() == 7 {
        return "daily".to_owned();
    }
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    days.iter().map(|day| names[day % 7]).collect::<Vec<_>>().join(",")
}

/// By their names; whose name is another's too, or would be read as several, by identifier.
fn names_of(team: &Team, people: &[Person]) -> String {
    let name = |id: &PersonId| {
        let known = people.iter().find(|person| person.id == *id).map(|person| say::clean_line(&person.name));
        let known = known.filter(|name| !name.contains([',', '#']) && name.trim() == name);
        let known = known.filter(|name| find::person(people, name).is_ok_and(|found| found == *id));
        known.unwrap_or_else(|| id.to_string())
    };
    let names: Vec<String> = team.people().iter().map(name).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

struct Reader<'p> {
    people: &'p [Person],
    zone: Option<TimeZone>,
    from: Option<Date>,
    weeks: u8,
    week: u8,
    shifts: Vec<Shift>,
    exceptions: Vec<Exception>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word.to_lowercase().as_str() {
            "zone" => {
                let zone = TimeZone::parse(rest);
                let none = || format!("{rest} is no time zone. Write it as in Europe/Berlin.");
                self.zone = Some(zone.ok_or_else(none)?);
            }
            "from" => self.from = Some(date(rest)?),
            "weeks" => self.weeks = number(rest)?,
            "week" => {
                let week = number(rest)?;
                if week == 0 || week > self.weeks {
                    return Err(format!(
                        "week {week} is none of 1 to {}. Say how many before: weeks 2",
                        self.weeks
                    ));
                }
                self.week = week - 1;
            }
            "except" => {
                let (day, rest) = split(rest)?;
                let (start, end, team) = self.shift(rest)?;
                self.exceptions.push(Exception::on(date(day)?, start, end, Says::Team(team)));
            }
            days => {
                let (start, end, team) = self.shift(rest)?;
                if team == Team::NOBODY {
                    return Err("a shift has somebody. Leave the line out for nobody.".to_owned());
                }
                for day in self::days(days)? {
                    let last = if end <= start { (day as usize + 1) % 7 } else { day as usize };
                    let shift =
                        Shift::weekly(self.week, (day, start), (Weekday::ALL[last], end), team.clone());
                    self.shifts.push(shift);
                }
            }
        }
        Ok(())
    }

    /// "07:00-19:00 Ana Ruiz, Ben Okafor": minutes since midnight, and who.
    fn shift(&self, text: &str) -> Result<(u32, u32, Team), String> {
        let (times, names) = split(text)?;
        let parts = times.split_once('-').and_then(|(start, end)| Some((time(start)?, time(end)?)));
        let (start, end) =
            parts.ok_or_else(|| format!("{times} are no times. Write them as in 07:00-19:00."))?;
        if names.eq_ignore_ascii_case("nobody") {
            return Ok((start, end, Team::NOBODY));
        }
        let person = |name: &str| find::person(self.people, name.trim()).map_err(|why| why.to_string());
        let people: Vec<PersonId> = names.split(',').map(person).collect::<Result<_, _>>()?;
        let team = Team::new(people).ok_or("somebody is named twice, or there are more than sixteen.")?;
        Ok((start, end, team))
    }
}

fn split(text: &str) -> Result<(&str, &str), String> {
    let parts = text.split_once(char::is_whitespace).map(|(first, rest)| (first, rest.trim()));
    parts.ok_or_else(|| "times and names are missing. Write it as in Mon-Fri 07:00-19:00 Ana Ruiz".to_owned())
}

/// "daily", "Mon", "Mon-Fri" or "Sat,Sun".
fn days(text: &str) -> Result<Vec<Weekday>, String> {
    let none = || format!("{text} is no day. Write Mon, Mon-Fri, Sat,Sun or daily.");
    let at = |name: &str| DAYS.iter().position(|day| name.get(..3) == Some(*day)).ok_or_else(none);
    if text == "daily" {
        return Ok(Weekday::ALL.to_vec());
    }
    let mut found = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (at(first)?, at(last)?);
                let many = (last + 7 - first) % 7 + 1;
                found.extend((first..first + many).map(|day| Weekday::ALL[day % 7]));
            }
            None => found.push(Weekday::ALL[at(part)?]),
        }
    }
    Ok(found)
}

fn time(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour * 60 + minute <= DAY && minute < 60).then_some(hour * 60 + minute)
}

fn date(text: &str) -> Result<Date, String> {
    let none = || format!("{text} is no day of the years 2000 to 2099. Write it as in 2026-12-24.");
    let day = say::day(text).ok_or_else(none)?;
    let small = |part: i8| part.unsigned_abs();
    Date::new(day.year(), small(day.month()), small(day.day())).ok_or_else(none)
}

fn number(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("{text} is no number of weeks."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardline_client::rota::Rota;

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
        [(1, "Ana Ruiz"), (2, "Ben Okafor"), (3, "Chidi Eze")].map(named).to_vec()
    }

    fn parse(text: &str) -> Result<Sources, String> {
        at(Date::new(2026, 12, 1).unwrap(), 12 * 60, text).map_err(|why| why.to_string())
    }

    /// Read at this minute of this day, in Berlin.
    fn at(day: Date, minute: u32, text: &str) -> Result<Sources, Failure> {
        let now = TimeZone::parse("Europe/Berlin").unwrap().instant(day.at(minute));
        super::parse(text, &people(), now)
    }

    #[test]
    fn a_shift_that_is_under_way_when_the_rota_is_set_is_somebodys() {
        let weekly = "daily 07:00-19:00 Ana\ndaily 19:00-07:00 Ben";
        let turns = "weeks 2\ndaily 07:00-07:00 Ana\nweek 2\ndaily 07:00-07:00 Chidi";
        let sunday = Date::new(2026, 11, 29).unwrap();
        let monday = Date::new(2026, 11, 30).unwrap();
        for (zone, lines, day, minute, who) in [
            ("Europe/Berlin", weekly, sunday, 2 * 60, 2),
            ("Europe/Berlin", weekly, monday, 8 * 60, 1),
            // One o'clock on Monday is the last night of the turn before; seven hours later the first day of this one.
            ("Europe/Berlin", turns, monday, 60, 3),
            ("Europe/Berlin", turns, monday, 8 * 60, 1),
            ("Europe/Berlin", turns, sunday, 60, 1),
            // There it is the evening of the Sunday, in the week that ends.
            ("America/Los_Angeles", turns, monday, 5 * 60, 1),
            ("Pacific/Auckland", weekly, monday, 60, 1),
        ] {
            let sources = at(day, minute, &format!("zone {zone}\n{lines}")).unwrap();
            let now = TimeZone::parse("Europe/Berlin").unwrap().instant(day.at(minute));
            let held = Rota::new(sources).unwrap().holders_at(now);
            assert_eq!(
                held.people().map(PersonId::value).collect::<Vec<_>>(),
                [who],
                "{zone} {minute} {lines}"
            );
        }
    }

    #[test]
    fn a_file_becomes_a_rota() {
        let sources = parse(
            "# The ward\nzone Europe/Berlin\nfrom 2026-11-30\nweeks 2\nMon-Fri 07:00-19:00 Ana Ruiz, Ben\n\
             daily 19:00-07:00 chidi\nSat,Sun 07:00-19:00 Ben\nweek 2\ndaily 07:00-07:00 Ana\n\
             except 2026-12-24 19:00-07:00 nobody",
        )
        .unwrap();
        assert_eq!(sources.patterns[0].shifts.len(), 5 + 7 + 2 + 7);
        assert_eq!(sources.exceptions.len(), 1);
        let rota = Rota::new(sources).unwrap();
        let zone = TimeZone::parse("Europe/Berlin").unwrap();
        let at = |day, minute| zone.instant(Date::new(2026, 12, day).unwrap().at(minute));
        let held =
            |day, minute| rota.holders_at(at(day, minute)).people().map(PersonId::value).collect::<Vec<_>>();
        assert_eq!(held(1, 7 * 60), [1, 2], "the backup is asked second");
        assert_eq!(held(1, 7 * 60 - 1), [3], "a night ends in the morning");
        assert_eq!(held(5, 12 * 60), [2]);
        assert_eq!(held(9, 3 * 60), [1]);
        assert_eq!(held(25, 0), [0; 0]);
    }

    #[test]
    fn a_rota_is_written_as_the_file_that_sets_it() {
        for text in [
            "zone UTC",
            "zone Europe/Berlin\nfrom 2026-11-30\nweeks 2\nMon-Fri 07:00-19:00 Ana Ruiz, Ben\ndaily 19:00-07:00 chidi\n\
             Sat,Sun 07:00-19:00 Ben\nweek 2\ndaily 07:00-07:00 Ana\nexcept 2026-12-24 19:00-07:00 nobody\n\
             except 2026-12-25 00:00-24:00 Ana Ruiz",
            "zone America/Chicago\nMon 12:00-24:00 Ana\nSun 22:00-06:00 Ben",
        ] {
            let once = parse(text).unwrap();
            let lines = written(&once, &people()).unwrap().join("\n");
            let again = parse(&lines).unwrap();
            assert_eq!(Rota::new(once), Rota::new(again.clone()), "{lines}");
            assert_eq!(written(&again, &people()).unwrap().join("\n"), lines);
        }
    }

    #[test]
    fn what_no_file_says_is_not_written_as_less() {
        let mut sources = parse("zone UTC\nMon 12:00-24:00 Ana").unwrap();
        sources.patterns[0].until = Date::new(2027, 1, 1);
        assert!(written(&sources, &people()).is_err());
        let mut sources = parse("zone UTC\nMon 12:00-24:00 Ana").unwrap();
        sources.patterns[0].shifts[0].end += DAY;
        assert!(written(&sources, &people()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        for (text, words) in [
            ("zone Atlantis", "Line 1: Atlantis is no time zone"),
            ("Mon 07:00-19:00 Ana", "does not say where"),
            ("zone UTC\nMoon 07:00-19:00 Ana", "Line 2: moon is no day"),
            ("zone UTC\nMon 7-19 Ana", "Line 2: 7-19 are no times"),
            ("zone UTC\nMon 25:00-26:00 Ana", "are no times"),
            ("zone UTC\nMon 07:00-19:00 Zoe", "nobody of this name"),
            ("zone UTC\nMon 07:00-19:00", "are missing"),
            ("zone UTC\nMon 07:00-19:00 nobody", "a shift has somebody"),
            ("zone UTC\nMon 07:00-19:00 Ana, Ana", "named twice"),
            ("zone UTC\nweek 2", "none of 1 to 1"),
            ("zone UTC\nexcept 24.12. 07:00-19:00 Ana", "is no day of the years"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
