//! Events: RFC 5545, 3.6.1.

use std::collections::BTreeSet;

use crate::ids::PersonId;
use crate::limits;
use crate::rota::calendar::lines::{Line, Lines, Property};
use crate::rota::calendar::refused::{CalendarFault, CalendarRefusal};
use crate::rota::calendar::rule::Rule;
use crate::rota::calendar::value::{self, DAY_SECONDS, Duration, Moment, Zones};
use crate::rota::{Date, Interval, TimeZone};
use crate::time::Wall;

/// One event.
pub(super) struct Event {
    /// Of its `BEGIN`.
    pub(super) line: u32,
    /// Empty when it has none.
    pub(super) uid: String,
    pub(super) start: Moment,
    length: Length,
    rule: Option<Rule>,
    /// Starts of occurrences that are none.
    except: BTreeSet<Wall>,
    /// The occurrence that it stands for.
    pub(super) instead_of: Option<Moment>,
    pub(super) cancelled: bool,
    who: Vec<Who>,
}

/// How long each occurrence is.
#[derive(Clone, Copy)]
enum Length {
    /// Until the wall of the start's zone shows so many seconds more.
    ByWall(i64),
    /// Milliseconds.
    Exact(i64),
    /// Days by the wall, then exact.
    Mixed(Duration),
}

/// A key for somebody, and where it stood.
struct Who {
    line: u32,
    property: &'static str,
    key: String,
}

impl Event {
    /// When it is, as far as it may touch the window: in order, and at most one for each day of the window and of its own length.
    pub(super) fn occurrences(&self, window: Interval, facility: &TimeZone) -> Vec<Interval> {
        let mut found = Vec::new();
        let slack = i64::from(limits::ROTA_ENTRY_MINUTES_MAX / 60 / 24) + 2;
        let day = |at: Wall| at.0.div_euclid(DAY_SECONDS * 1_000);
        let (first, last) = (day(window.start) - slack, day(window.end) + 2);
        let days = match &self.rule {
            Some(rule) => rule.days(self.start.day(), first, last),
            None => vec![self.start.day()],
        };
        for day in days {
            let start = self.start.on(day);
            if self.rule.as_ref().is_some_and(|rule| !rule.reaches(&start, facility)) {
                break;
            }
            let when = Interval { start: start.instant(facility), end: self.end(&start, facility) };
            // One of no time falls into an hour that the clock jumps over.
            if when.start < when.end && !self.except.contains(&when.start) {
                found.push(when);
            }
        }
        found
    }

    fn end(&self, start: &Moment, facility: &TimeZone) -> Wall {
        let begins = start.instant(facility);
        let by_wall = |seconds: i64| match start {
            Moment::Day(day) => facility.instant_of_second(day * DAY_SECONDS + seconds),
            Moment::Utc(second) => Wall((second + seconds) * 1_000),
            Moment::Zoned(zone, second) => zone.instant_of_second(second + seconds),
        };
        match self.length {
            Length::ByWall(seconds) => by_wall(seconds),
            Length::Exact(ms) => Wall(begins.0 + ms),
            Length::Mixed(Duration { days: 0, seconds }) => Wall(begins.0 + seconds * 1_000),
            Length::Mixed(Duration { days, seconds }) => {
                Wall(by_wall(days * DAY_SECONDS).0 + seconds * 1_000)
            }
        }
    }

    /// Who takes part, in the order of the calendar.
    pub(super) fn people(
        &self,
        person: impl Fn(&str) -> Option<PersonId>,
    ) -> Result<Vec<PersonId>, CalendarRefusal> {
        let mut people = Vec::new();
        for who in &self.who {
            let found = person(&who.key).ok_or_else(|| CalendarFault::Unknown(who.property).at(who.line))?;
            if !people.contains(&found) {
                people.push(found);
            }
        }
        Ok(people)
    }
}

/// Every event of a calendar.
pub(super) fn read(bytes: &[u8], facility: &TimeZone) -> Result<Vec<Event>, CalendarRefusal> {
    if bytes.len() > limits::CALENDAR_BYTES_MAX {
        let lines = bytes[..limits::CALENDAR_BYTES_MAX].iter().filter(|byte| **byte == b'\n').count();
        return Err(CalendarFault::TooLarge.at(u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)));
    }
    let mut zones = Zones::new(facility);
    let mut events = Vec::new();
    // Components that are open, the outermost first.
    let mut open: Vec<String> = Vec::new();
    let mut event: Option<Reading> = None;
    let mut version = false;
    let mut last = 1;
    for line in Lines::new(bytes) {
        last = line.number;
        let name = line.name()?;
        if name.eq_ignore_ascii_case("BEGIN") {
            let component = line.property("BEGIN")?.value.to_ascii_uppercase();
            if open.is_empty() && component != "VCALENDAR" {
                return Err(CalendarFault::CutOff.at(last));
            }
            if open.len() == limits::CALENDAR_DEPTH_MAX {
                return Err(CalendarFault::TooDeep.at(last));
            }
            match open.len() {
                0 => version = false,
                1 if component == "VEVENT" => {
                    if events.len() == limits::CALENDAR_EVENTS_MAX {
                        return Err(CalendarFault::TooManyEvents.at(last));
                    }
                    event = Some(Reading::new(last));
                }
                _ => {}
            }
            open.push(component);
        } else if name.eq_ignore_ascii_case("END") {
            let component = line.property("END")?.value.to_ascii_uppercase();
            if open.pop() != Some(component) {
                return Err(CalendarFault::NotPaired.at(last));
            }
            if open.is_empty() && !version {
                return Err(CalendarFault::Version.at(last));
            }
            if open.len() == 1
                && let Some(event) = event.take()
            {
                events.push(event.finish(&mut zones)?);
            }
        } else {
            match (open.len(), &mut event) {
                (0, _) => return Err(CalendarFault::CutOff.at(last)),
                (1, _) => version |= calendar_property(&line, name)?,
                (2, Some(event)) => event.take(&line, &mut zones)?,
                // Of an alarm, a task, a zone's rules.
                _ => {}
            }
        }
    }
    if !open.is_empty() || !version {
        return Err(CalendarFault::CutOff.at(last));
    }
    Ok(events)
}

/// A property of the calendar as a whole. Whether it is the right version.
fn calendar_property(line: &Line<'_>, name: &str) -> Result<bool, CalendarRefusal> {
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if is("VERSION") {
        let proper = line.property("VERSION")?.value == "2.0";
        return if proper { Ok(true) } else { Err(CalendarFault::Version.at(line.number)) };
    }
    if is("CALSCALE") && !line.property("CALSCALE")?.value.eq_ignore_ascii_case("GREGORIAN") {
        return Err(CalendarFault::Scale.at(line.number));
    }
    if is("METHOD") {
        let method = line.property("METHOD")?.value;
        if !["PUBLISH", "REQUEST"].iter().any(|known| method.eq_ignore_ascii_case(known)) {
            return Err(CalendarFault::Method.at(line.number));
        }
    }
    Ok(false)
}

/// An event that is being read.
#[derive(Default)]
struct Reading {
    line: u32,
    uid: Option<String>,
    start: Option<(u32, Moment)>,
    end: Option<(u32, Moment)>,
    duration: Option<(u32, Duration)>,
    rule: Option<(u32, String)>,
    except: Vec<(u32, Moment)>,
    instead_of: Option<(u32, Moment)>,
    status: Option<bool>,
    attendees: Vec<Who>,
    /// Whether there was any, one who declined included.
    invites: bool,
    summary: Option<Who>,
}

impl Reading {
    fn new(line: u32) -> Self {
        Self { line, ..Self::default() }
    }

    /// Takes a line of the event itself.
    fn take(&mut self, line: &Line<'_>, zones: &mut Zones<'_>) -> Result<(), CalendarRefusal> {
        const READ: [&str; 12] = [
            "UID",
            "DTSTART",
            "DTEND",
            "DURATION",
            "RRULE",
            "EXDATE",
            "RDATE",
            "EXRULE",
            "RECURRENCE-ID",
            "STATUS",
            "ATTENDEE",
            "SUMMARY",
        ];
        let found = line.name()?;
        let Some(name) = READ.into_iter().find(|name| found.eq_ignore_ascii_case(name)) else {
            return Ok(());
        };
        let property = line.property(name)?;
        let value = property.value;
        let cannot = || CalendarFault::Value(name).at(line.number);
        let is_first = match name {
            "UID" => self.uid.replace(value::text(value)).is_none(),
            "DTSTART" => self.start.replace((line.number, zones.moment(name, &property, value)?)).is_none(),
            "DTEND" => self.end.replace((line.number, zones.moment(name, &property, value)?)).is_none(),
            "DURATION" => {
                let length = value::duration(value).ok_or_else(cannot)?;
                self.duration.replace((line.number, length)).is_none()
            }
            "RRULE" => self.rule.replace((line.number, value.to_owned())).is_none(),
            "EXDATE" => {
                for value in value.split(',') {
                    self.except.push((line.number, zones.moment(name, &property, value)?));
                }
                true
            }
            "RECURRENCE-ID" if property.parameter("RANGE").is_some() => {
                return Err(CalendarFault::NotSupported("RANGE").at(line.number));
            }
            "RECURRENCE-ID" => {
                self.instead_of.replace((line.number, zones.moment(name, &property, value)?)).is_none()
            }
            "STATUS" => self.status.replace(value.eq_ignore_ascii_case("CANCELLED")).is_none(),
            "ATTENDEE" => {
                self.invites = true;
                self.attendees.extend(attendee(&property)?);
                true
            }
            "SUMMARY" => {
                let key = value::text(value);
                self.summary.replace(Who { line: line.number, property: name, key }).is_none()
            }
            other => return Err(CalendarFault::NotSupported(other).at(line.number)),
        };
        if is_first { Ok(()) } else { Err(CalendarFault::Twice(name).at(line.number)) }
    }

    /// The event, now that all of it is there.
    fn finish(self, zones: &mut Zones<'_>) -> Result<Event, CalendarRefusal> {
        let facility = zones.floating;
        let (at, start) = self.start.ok_or_else(|| CalendarFault::Missing("DTSTART").at(self.line))?;
        let years = i64::from(Date::LAST.days());
        if !(0..=years).contains(&start.day()) {
            return Err(CalendarFault::Value("DTSTART").at(at));
        }
        let cancelled = self.status.unwrap_or(false);
        // Of one that is cancelled it does not matter when it would have been, and some programs leave that out.
        let (rule, length) = if cancelled {
            (None, Length::Exact(0))
        } else {
            let rule = self.rule.as_ref().map(|(line, text)| Rule::parse(text, &start, *line)).transpose()?;
            let length = length(&start, self.end, self.duration, rule.is_some(), facility, self.line)?;
            (rule, length)
        };
        let mut except = BTreeSet::new();
        for (line, moment) in self.except {
            if moment.is_day() != start.is_day() {
                return Err(CalendarFault::KindsDiffer("EXDATE").at(line));
            }
            except.insert(moment.instant(facility));
        }
        if let (Some((line, _)), Some(_)) = (&self.instead_of, &rule) {
            return Err(CalendarFault::NotSupported("an RRULE beside RECURRENCE-ID").at(*line));
        }
        let who = if self.invites { self.attendees } else { self.summary.into_iter().collect() };
        if !cancelled && who.iter().all(|who| who.key.is_empty()) {
            return Err(CalendarFault::Nobody.at(self.line));
        }
        if who.len() > limits::ROTA_PLACES_MAX {
            return Err(CalendarFault::TooManyPeople.at(self.line));
        }
        let instead_of = self.instead_of.map(|(_, moment)| moment);
        let uid = self.uid.unwrap_or_default();
        Ok(Event { line: self.line, uid, start, length, rule, except, instead_of, cancelled, who })
    }
}

/// How long an event is, by its end or its duration.
fn length(
    start: &Moment,
    end: Option<(u32, Moment)>,
    duration: Option<(u32, Duration)>,
    comes_again: bool,
    facility: &TimeZone,
    line: u32,
) -> Result<Length, CalendarRefusal> {
    let begins = start.instant(facility);
    let (line, length, seconds) = match (end, duration) {
        (Some((at, _)), Some(_)) => return Err(CalendarFault::Twice("DTEND or DURATION").at(at)),
        (Some((at, end)), None) if end.is_day() != start.is_day() => {
            return Err(CalendarFault::KindsDiffer("DTEND").at(at));
        }
        (Some((at, end)), None) => {
            let ms = end.instant(facility).0 - begins.0;
            let by_wall = match (start, &end) {
                (Moment::Day(from), Moment::Day(to)) => Some((to - from) * DAY_SECONDS),
                (Moment::Zoned(zone, from), Moment::Zoned(other, to)) if zone == other => Some(to - from),
                // Its end is said elsewhere: the wall of its start shows it too.
                (Moment::Zoned(zone, from), other) if comes_again => {
                    Some(zone.local_second(other.instant(facility)) - from)
                }
                _ => None,
            };
            let seconds = by_wall.unwrap_or(ms.div_euclid(1_000));
            (at, by_wall.map_or(Length::Exact(ms), Length::ByWall), seconds)
        }
        (None, Some((at, duration))) => {
            if start.is_day() && duration.seconds != 0 {
                return Err(CalendarFault::KindsDiffer("DURATION").at(at));
            }
            (at, Length::Mixed(duration), duration.days * DAY_SECONDS + duration.seconds)
        }
        // A day alone is that day (3.6.1).
        (None, None) if start.is_day() => (line, Length::ByWall(DAY_SECONDS), DAY_SECONDS),
        (None, None) => return Err(CalendarFault::Missing("DTEND").at(line)),
    };
    if seconds <= 0 {
        return Err(CalendarFault::EndsFirst.at(line));
    }
    if seconds > i64::from(limits::ROTA_ENTRY_MINUTES_MAX) * 60 {
        return Err(CalendarFault::TooLongEvent.at(line));
    }
    Ok(length)
}

/// Who is invited, unless they declined, only look on, or are a room.
fn attendee(property: &Property<'_>) -> Result<Option<Who>, CalendarRefusal> {
    let out = property.has("PARTSTAT", "DECLINED")
        || property.has("ROLE", "NON-PARTICIPANT")
        || property.has("CUTYPE", "ROOM")
        || property.has("CUTYPE", "RESOURCE");
    if out {
        return Ok(None);
    }
    let scheme = property.value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    // RFC 7986, 6.2: the address, where the value is something else.
    let address = scheme.and(property.value.get(7..)).or_else(|| property.parameter("EMAIL")).map(str::trim);
    let address = address.filter(|address| !address.is_empty());
    let key = address.ok_or_else(|| CalendarFault::Address.at(property.line))?.to_owned();
    Ok(Some(Who { line: property.line, property: "ATTENDEE", key }))
}
