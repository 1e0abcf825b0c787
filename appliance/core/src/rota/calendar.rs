//! Shifts out of another program's calendar: iCalendar, RFC 5545, as much of it as a rota needs.
//!
//! | read | how |
//! |---|---|
//! | `DTSTART`, `DTEND`, `DURATION` | in UTC, in a zone of the IANA database, floating (the facility's zone), or as days |
//! | `RRULE` | `FREQ=DAILY` and `WEEKLY` with `INTERVAL`, `COUNT`, `UNTIL`, `BYDAY`, `WKST` |
//! | `EXDATE`, `RECURRENCE-ID`, `STATUS:CANCELLED` | occurrences that are not, are otherwise, or are cancelled |
//! | `ATTENDEE`, else `SUMMARY` | who: everybody invited to take part who has not declined; else the title |
//!
//! Everything else of an event is passed over, except `RDATE`, `EXRULE` and `RANGE`: they would mean other shifts, so
//! they are refused, as is every rule that is not in the table. `VTIMEZONE` is passed over: a zone is what the IANA database
//! says of its name.
//!
//! In two things this is not RFC 5545. A time that the clock jumps over is the moment of the jump ([`TimeZone::instant`]), not
//! an hour later (3.3.5), since two shifts could change places by that. And an event that comes again ends when the wall shows
//! the time of its `DTEND`, as calendars show it, not after the same number of hours (3.8.5.3): else the night of a change
//! would have a gap. What `DURATION` gives in hours is hours.
//!
//! Total and bounded: any bytes give shifts or a [`CalendarRefusal`] with the number of a line. Takes one pass over the bytes,
//! and for each shift two look-ups in a zone's table.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::PersonId;
use crate::limits;
use crate::rota::{Date, Imported, Interval, Place, TimeZone};
use crate::time::Wall;

mod event;
mod lines;
mod refused;
mod rule;
mod value;

pub use refused::{CalendarFault, CalendarRefusal, ForeignZone};

use event::Event;

/// What a calendar says of the days ahead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// In order, as [`crate::rota::Sources::imported`] takes them. Who holds the role alone is in the first place; who comes
    /// while somebody holds it, in the next that is free.
    pub shifts: Vec<Imported>,
    /// Up to here the calendar was read: [`limits::CALENDAR_AHEAD_DAYS`] from the start. Later shifts need another import.
    pub until: Wall,
}

/// Reads a calendar, from an instant on for [`limits::CALENDAR_AHEAD_DAYS`].
///
/// `zone` is the facility's. `person` finds who is meant by a key: an e-mail address as it stands in the calendar, or a
/// title with blanks around it taken off; it is asked only for events that have a shift in that time.
pub fn import(
    bytes: &[u8],
    zone: &TimeZone,
    from: Wall,
    person: impl Fn(&str) -> Option<PersonId>,
) -> Result<Import, CalendarRefusal> {
    // What is out of a rota's calendar has no shifts.
    let [first, last] =
        [Date::FIRST.after(1), Date::LAST].map(|day| Wall(i64::from(day.days()) * 86_400_000));
    let from = from.clamp(first, last);
    let until = from.after(u64::from(limits::CALENDAR_AHEAD_DAYS) * 86_400_000).min(last);
    let events = event::read(bytes, zone)?;
    let shifts = shifts(&events, Interval { start: from, end: until }, zone, person)?;
    Ok(Import { shifts: placed(shifts)?, until })
}

/// One person's stretch of time, the line of its event, and how many people the event names before.
struct Span {
    person: PersonId,
    when: Interval,
    line: u32,
    order: usize,
}

/// Everybody's stretches, in no order.
fn shifts(
    events: &[Event],
    window: Interval,
    zone: &TimeZone,
    person: impl Fn(&str) -> Option<PersonId>,
) -> Result<Vec<Span>, CalendarRefusal> {
    let series = Series::of(events, zone)?;
    let mut spans = Vec::new();
    for event in events.iter().filter(|event| !event.cancelled) {
        let moved = match &event.instead_of {
            None => series.moved.get(event.uid.as_str()),
            Some(_) if series.is_cancelled(event) => continue,
            Some(_) => None,
        };
        let is_moved = |start: Wall| moved.is_some_and(|moved| moved.contains(&start));
        let mut people = None;
        for when in event.occurrences(window, zone) {
            if is_moved(when.start) {
                continue;
            }
            let Some(when) = when.within(window) else { continue };
            let people = match &people {
                Some(people) => people,
                None => people.insert(event.people(&person)?),
            };
            if spans.len() + people.len() > limits::CALENDAR_SHIFTS_MAX {
                return Err(CalendarFault::TooManyShifts.at(event.line));
            }
            spans.extend(people.iter().enumerate().map(|(order, person)| Span {
                person: *person,
                when,
                line: event.line,
                order,
            }));
        }
    }
    Ok(spans)
}

/// What belongs together by its `UID`.
struct Series<'a> {
    first: BTreeMap<&'a str, &'a Event>,
    /// Occurrences that an event of their own stands for, by their start.
    moved: BTreeMap<&'a str, BTreeSet<Wall>>,
}

impl<'a> Series<'a> {
    fn of(events: &'a [Event], zone: &TimeZone) -> Result<Self, CalendarRefusal> {
        let mut series = Self { first: BTreeMap::new(), moved: BTreeMap::new() };
        let firsts = events.iter().filter(|event| event.instead_of.is_none() && !event.uid.is_empty());
        for event in firsts {
            if series.first.insert(&event.uid, event).is_some() {
                return Err(CalendarFault::SameEvent.at(event.line));
            }
        }
        for event in events {
            let Some(instead_of) = &event.instead_of else { continue };
            if event.uid.is_empty() {
                return Err(CalendarFault::Missing("UID").at(event.line));
            }
            if let Some(first) = series.first.get(event.uid.as_str())
                && first.start.is_day() != instead_of.is_day()
            {
                return Err(CalendarFault::KindsDiffer("RECURRENCE-ID").at(event.line));
            }
            if !series.moved.entry(&event.uid).or_default().insert(instead_of.instant(zone)) {
                return Err(CalendarFault::SameOccurrence.at(event.line));
            }
        }
        Ok(series)
    }

    fn is_cancelled(&self, event: &Event) -> bool {
        self.first.get(event.uid.as_str()).is_some_and(|first| first.cancelled)
    }
}

/// Puts one person's stretches that meet together, and gives each the first place that is free.
fn placed(mut spans: Vec<Span>) -> Result<Vec<Imported>, CalendarRefusal> {
    spans.sort_by_key(|span| (span.person, span.when, span.line));
    let mut whole: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match whole.last_mut() {
            Some(last) if last.person == span.person && span.when.start <= last.when.end => {
                last.when.end = last.when.end.max(span.when.end);
            }
            _ => whole.push(span),
        }
    }
    // Those who begin together: in the order of the calendar.
    whole.sort_by_key(|span| (span.when.start, span.line, span.order, span.when.end));
    let mut free_from = [None; limits::ROTA_PLACES_MAX];
    let mut shifts = Vec::with_capacity(whole.len());
    for Span { person, when, line, .. } in whole {
        let mut places = Place::all().zip(&mut free_from);
        let free = places.find(|(_, free_from)| free_from.is_none_or(|free_from| free_from <= when.start));
        let Some((place, free_from)) = free else {
            return Err(CalendarFault::TooManyAtOnce.at(line));
        };
        *free_from = Some(when.end);
        shifts.push(Imported { place, when, person });
    }
    if shifts.len() > limits::ROTA_IMPORTED_MAX {
        return Err(CalendarFault::TooManyShifts.at(1));
    }
    shifts.sort();
    Ok(shifts)
}
