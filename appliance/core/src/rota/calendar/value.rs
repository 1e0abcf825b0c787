//! Values: dates, times, durations, texts. RFC 5545, 3.3.

use std::collections::BTreeMap;

use crate::rota::TimeZone;
use crate::rota::calendar::lines::Property;
use crate::rota::calendar::refused::{CalendarFault, CalendarRefusal, ForeignZone};
use crate::time::Wall;

pub(super) const DAY_SECONDS: i64 = 86_400;

/// When something is, as it was written.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// A whole day: days since 1970-01-01.
    Day(i64),
    /// Seconds since 1970-01-01 00:00 UTC.
    Utc(i64),
    /// Seconds since 1970-01-01 00:00 on the wall.
    Zoned(TimeZone, i64),
}

/// A duration: days by the wall, then exact seconds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Duration {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

/// The zones that a calendar named so far.
pub(super) struct Zones<'a> {
    /// The facility's, for what floats.
    pub(super) floating: &'a TimeZone,
    /// By their proper names, so that there are not more than the database has.
    known: BTreeMap<&'static str, TimeZone>,
}

impl Moment {
    pub(super) const fn is_day(&self) -> bool {
        matches!(self, Self::Day(_))
    }

    /// Where it is in time; days are the facility's.
    pub(super) fn instant(&self, facility: &TimeZone) -> Wall {
        match self {
            Self::Day(day) => facility.instant_of_second(day * DAY_SECONDS),
            Self::Utc(second) => Wall(second * 1_000),
            Self::Zoned(zone, second) => zone.instant_of_second(*second),
        }
    }

    /// Its day, as it was written.
    pub(super) fn day(&self) -> i64 {
        match self {
            Self::Day(day) => *day,
            Self::Utc(second) | Self::Zoned(_, second) => second.div_euclid(DAY_SECONDS),
        }
    }

    /// The same time of another day.
    pub(super) fn on(&self, day: i64) -> Self {
        let moved = |second: &i64| day * DAY_SECONDS + second.rem_euclid(DAY_SECONDS);
        match self {
            Self::Day(_) => Self::Day(day),
            Self::Utc(second) => Self::Utc(moved(second)),
            Self::Zoned(zone, second) => Self::Zoned(zone.clone(), moved(second)),
        }
    }
}

impl<'a> Zones<'a> {
    pub(super) fn new(floating: &'a TimeZone) -> Self {
        Self { floating, known: BTreeMap::new() }
    }

    /// The zone of this name.
    fn zone(&mut self, name: &str, line: u32) -> Result<TimeZone, CalendarRefusal> {
        let foreign = || CalendarFault::Zone(ForeignZone::new(name)).at(line);
        let proper = TimeZone::proper_name(name).ok_or_else(foreign)?;
        if let Some(zone) = self.known.get(proper) {
            return Ok(zone.clone());
        }
        let zone = TimeZone::parse(proper).ok_or_else(foreign)?;
        self.known.insert(proper, zone.clone());
        Ok(zone)
    }

    /// The property's value, a DATE or DATE-TIME; or one of its values.
    pub(super) fn moment(
        &mut self,
        name: &'static str,
        property: &Property<'_>,
        value: &str,
    ) -> Result<Moment, CalendarRefusal> {
        let cannot = || CalendarFault::Value(name).at(property.line);
        if property.has("VALUE", "DATE") {
            // Exchange gives days a zone. It means nothing (3.2.19).
            return date(value).map(Moment::Day).ok_or_else(cannot);
        }
        let zone = property.parameter("TZID").map(|zone| self.zone(zone, property.line)).transpose()?;
        let (second, is_utc) = date_time(value).ok_or_else(cannot)?;
        match (is_utc, zone) {
            (true, None) => Ok(Moment::Utc(second)),
            (true, Some(_)) => Err(cannot()),
            (false, zone) => Ok(Moment::Zoned(zone.unwrap_or_else(|| self.floating.clone()), second)),
        }
    }
}

/// `20261224`: days since 1970-01-01.
pub(super) fn date(text: &str) -> Option<i64> {
    let digits = text.as_bytes();
    if digits.len() != 8 {
        return None;
    }
    let (year, month, day) = (number(&text[..4])?, number(text.get(4..6)?)?, number(text.get(6..8)?)?);
    let (year, month, day) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let epoch = jiff::civil::Date::new(1970, 1, 1).ok()?;
    Some(date.duration_since(epoch).as_secs() / DAY_SECONDS)
}

/// `20261224T190000`, with or without a `Z`: seconds since 1970-01-01 00:00, and whether there is one.
pub(super) fn date_time(text: &str) -> Option<(i64, bool)> {
    let (day, time) = text.split_once('T')?;
    let (time, is_utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
    if time.len() != 6 {
        return None;
    }
    let (hour, minute, second) =
        (number(time.get(..2)?)?, number(time.get(2..4)?)?, number(time.get(4..6)?)?);
    let proper = hour < 24 && minute < 60 && second < 60;
    proper.then_some(())?;
    Some((date(day)? * DAY_SECONDS + hour * 3_600 + minute * 60 + second, is_utc))
}

/// `P7D`, `PT12H`, `P1DT30M`, `P1W`: not negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (days, time) = text.split_once('T').map_or((text, None), |(days, time)| (days, Some(time)));
    let mut length = Duration::default();
    if let Some(weeks) = days.strip_suffix('W') {
        length.days = number(weeks)? * 7;
    } else if !days.is_empty() {
        length.days = number(days.strip_suffix('D')?)?;
    }
    let mut rest = match time {
        Some("") => return None,
        Some(time) => time,
        None if days.is_empty() => return None,
        None => "",
    };
    let mut units = [('H', 3_600), ('M', 60), ('S', 1)].into_iter();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (amount, unit) = (number(&rest[..end])?, rest[end..].chars().next()?);
        let (_, seconds) = units.find(|(letter, _)| *letter == unit)?;
        length.seconds += amount * seconds;
        rest = &rest[end + 1..];
    }
    Some(length)
}

/// One to seven digits.
pub(super) fn number(text: &str) -> Option<i64> {
    let proper = (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if proper { text.parse().ok() } else { None }
}

/// A TEXT without its backslashes (3.3.11), blanks around it taken off. A backslash before anything else stays.
pub(super) fn text(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(escaped @ ('\\' | ';' | ',')) => plain.push(escaped),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            (letter, false) => plain.push(letter),
        }
    }
    plain.trim().to_owned()
}
