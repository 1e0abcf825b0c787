//! Events that come again: RFC 5545, 3.3.10, by days and by weeks.

use crate::rota::TimeZone;
use crate::rota::calendar::refused::{CalendarFault, CalendarRefusal};
use crate::rota::calendar::value::{self, Moment};
use crate::time::Wall;

/// Days of the week, in the order of [`weekday`].
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// A rule.
pub(super) struct Rule {
    is_weekly: bool,
    interval: i64,
    /// Occurrences in all, `EXDATE`s included.
    count: Option<i64>,
    until: Option<Until>,
    /// By [`weekday`].
    days: [bool; 7],
    /// On which a week begins, by [`weekday`].
    week_start: i64,
}

/// The last moment at which an occurrence may begin.
#[derive(Clone, Copy)]
enum Until {
    Day(i64),
    Utc(i64),
    /// In the event's own zone.
    Local(i64),
}

/// 0 is Monday. Days since 1970-01-01, which was a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

impl Rule {
    /// The rule of an event that begins at `start`.
    pub(super) fn parse(text: &str, start: &Moment, line: u32) -> Result<Self, CalendarRefusal> {
        let cannot = || CalendarFault::Value("RRULE").at(line);
        let other = || CalendarFault::NotSupported("this RRULE").at(line);
        let mut is_weekly = None;
        let (mut interval, mut count, mut until, mut days, mut week_start) = (None, None, None, None, None);
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or_else(cannot)?;
            let proper = match name.to_ascii_uppercase().as_str() {
                "FREQ" => is_weekly.replace(frequency(value).ok_or_else(other)?).is_none(),
                "INTERVAL" => interval.replace(positive(value).ok_or_else(cannot)?).is_none(),
                "COUNT" => count.replace(positive(value).ok_or_else(cannot)?).is_none(),
                "UNTIL" => until.replace(Until::parse(value).ok_or_else(cannot)?).is_none(),
                "BYDAY" => days.replace(weekdays(value).ok_or_else(other)?).is_none(),
                "WKST" => week_start.replace(weekday_of(value).ok_or_else(cannot)?).is_none(),
                _ => return Err(other()),
            };
            if !proper {
                return Err(cannot());
            }
        }
        let is_weekly = is_weekly.ok_or_else(cannot)?;
        if (count.is_some() && until.is_some())
            || (start.is_day() && !matches!(until, None | Some(Until::Day(_))))
        {
            return Err(cannot());
        }
        let first = weekday(start.day()) as usize;
        let days = days.unwrap_or_else(|| std::array::from_fn(|day| !is_weekly || day == first));
        if !days[first] {
            return Err(CalendarFault::RuleFirst.at(line));
        }
        let week_start = week_start.unwrap_or(0) as i64;
        Ok(Self { is_weekly, interval: interval.unwrap_or(1), count, until, days, week_start })
    }

    /// The days of its occurrences from `first` to `last`, both included, in order. At most one step a day of these, whenever it
    /// began.
    pub(super) fn days(&self, start: i64, first: i64, last: i64) -> Vec<i64> {
        let mut days = Vec::new();
        let (mut seen, mut candidates) = self.candidates(start, first);
        while let Some(day) = candidates.next().filter(|day| *day <= last) {
            if day < start || !self.days[weekday(day) as usize] {
                continue;
            }
            seen += 1;
            if self.count.is_some_and(|count| seen > count) {
                break;
            }
            if day >= first {
                days.push(day);
            }
        }
        days
    }

    /// Days that may be occurrences, from not much before `first` on, and how many occurrences there were before them.
    fn candidates(&self, start: i64, first: i64) -> (i64, Box<dyn Iterator<Item = i64>>) {
        let interval = self.interval;
        if !self.is_weekly {
            let skipped = ((first - start).max(0) + interval - 1) / interval;
            let is_one = |step: &i64| self.days[weekday(start + step * interval) as usize];
            // The days of the week come again after seven steps.
            let in_seven = (0..7).filter(is_one).count() as i64;
            let seen = skipped / 7 * in_seven + (0..skipped % 7).filter(is_one).count() as i64;
            return (seen, Box::new((skipped..).map(move |step| start + step * interval)));
        }
        let week = start - (weekday(start) - self.week_start).rem_euclid(7);
        let skipped = (first - week).max(0) / (7 * interval);
        let in_one = self.days.iter().filter(|day| **day).count() as i64;
        let before_start = (week..start).filter(|day| self.days[weekday(*day) as usize]).count() as i64;
        let seen = if skipped == 0 { 0 } else { skipped * in_one - before_start };
        let weeks = (skipped..).map(move |step| week + step * 7 * interval);
        (seen, Box::new(weeks.flat_map(|monday| monday..monday + 7)))
    }

    /// Whether an occurrence may begin then.
    pub(super) fn reaches(&self, start: &Moment, facility: &TimeZone) -> bool {
        match self.until {
            None => true,
            Some(Until::Day(day)) => start.day() <= day,
            Some(Until::Utc(second)) => start.instant(facility) <= Wall(second * 1_000),
            Some(Until::Local(second)) => match start {
                Moment::Day(_) => false,
                Moment::Utc(begins) | Moment::Zoned(_, begins) => *begins <= second,
            },
        }
    }
}

impl Until {
    fn parse(text: &str) -> Option<Self> {
        if let Some(day) = value::date(text) {
            return Some(Self::Day(day));
        }
        let (second, is_utc) = value::date_time(text)?;
        Some(if is_utc { Self::Utc(second) } else { Self::Local(second) })
    }
}

fn frequency(text: &str) -> Option<bool> {
    match text.to_ascii_uppercase().as_str() {
        "WEEKLY" => Some(true),
        "DAILY" => Some(false),
        _ => None,
    }
}

fn positive(text: &str) -> Option<i64> {
    value::number(text).filter(|number| *number > 0)
}

fn weekday_of(text: &str) -> Option<usize> {
    WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(text))
}

/// `MO,WE`; days of a month (`1MO`) are none.
fn weekdays(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for day in text.split(',') {
        days[weekday_of(day)?] = true;
    }
    Some(days)
}
