//! Until when: `--hours 8` or `--until 07:00`, as beds and roles are taken.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::exit::Failure;
use crate::say;

/// How far ahead the box takes an end.
const HOURS_MAX: i64 = 16;
const HOUR_MS: i64 = 3_600_000;

#[derive(clap::Args)]
pub(crate) struct Until {
    /// For how many hours: 16 at most, and 12 when nothing is said.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=HOURS_MAX))]
    hours: Option<i64>,
    /// Until the clock here shows this next, as in 07:00: 16 hours ahead at most.
    #[arg(long, value_name = "HH:MM", conflicts_with = "hours")]
    until: Option<String>,
}

impl Until {
    /// Milliseconds since 1970.
    pub(crate) fn instant(&self) -> Result<i64, Failure> {
        self.instant_after(None)
    }

    /// The same, of what begins then; none: now.
    pub(crate) fn instant_after(&self, begin: Option<i64>) -> Result<i64, Failure> {
        let begin = begin.unwrap_or_else(say::now);
        self.after(begin, &TimeZone::system()).map_err(Failure::Usage)
    }

    fn after(&self, now: i64, zone: &TimeZone) -> Result<i64, String> {
        let Some(text) = &self.until else { return Ok(now + self.hours.unwrap_or(12) * HOUR_MS) };
        let end = next(text, now, zone)?;
        if end > now + HOURS_MAX * HOUR_MS {
            let hours = (end - now) / HOUR_MS;
            return Err(format!(
                "{text} is {hours} hours ahead, and {HOURS_MAX} are the most. Give an earlier time."
            ));
        }
        Ok(end)
    }
}

/// When the clock here shows this next: milliseconds since 1970.
pub(crate) fn next_here(text: &str) -> Result<i64, Failure> {
    next(text, say::now(), &TimeZone::system()).map_err(Failure::Usage)
}

/// When the clock here showed this last: milliseconds since 1970. Within this minute is now.
pub(crate) fn last_here(text: &str) -> Result<i64, Failure> {
    last(text, say::now(), &TimeZone::system()).map_err(Failure::Usage)
}

fn last(text: &str, now: i64, zone: &TimeZone) -> Result<i64, String> {
    // What it shows within the day that follows a day ago: the same minute a day later is not it.
    let mut at = next(text, now - 49 * HOUR_MS, zone)?;
    loop {
        let following = next(text, at, zone)?;
        if following > now {
            return Ok(at);
        }
        at = following;
    }
}

/// When the clock shows this next. A time that it jumps over is as long after the jump; of one that it shows twice, the first.
fn next(text: &str, now: i64, zone: &TimeZone) -> Result<i64, String> {
    let wrong = || format!("{text} is no time of day. Write hours and minutes, as in 07:00.");
    let shape = text.len() == 5 && text.as_bytes()[2] == b':';
    let time: Time = shape.then(|| text.parse().ok()).flatten().ok_or_else(wrong)?;
    let here = Timestamp::from_millisecond(now).map_err(|_| wrong())?.to_zoned_datetime(zone.clone());
    let on = |day: Date| {
        let at = zone.to_zoned_datetime(day.to_datetime(time)).map_err(|_| wrong())?;
        Ok(at.timestamp().as_millisecond())
    };
    let today = on(here.date())?;
    if today > now { Ok(today) } else { on(here.date().tomorrow().map_err(|_| wrong())?) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes from a time in Berlin on.
    fn until(text: &str, now: &str) -> Result<i64, String> {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = zone.to_zoned_datetime(now.parse().unwrap()).unwrap().timestamp().as_millisecond();
        let asked = Until { hours: None, until: Some(text.to_owned()) };
        asked.after(now, &zone).map(|end| (end - now) / 60_000)
    }

    #[test]
    fn the_last_time_is_today_or_yesterday() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (text, now, minutes) in [
            ("02:14", "2026-11-27T02:20", 6),
            ("02:14", "2026-11-27T02:14", 0),
            ("23:50", "2026-11-27T00:10", 20),
            ("02:21", "2026-11-27T02:20", 24 * 60 - 1),
            ("23:50", "2026-03-29T03:10", 140),
        ] {
            let now = zone.to_zoned_datetime(now.parse().unwrap()).unwrap().timestamp().as_millisecond();
            assert_eq!(last(text, now, &zone).map(|at| (now - at) / 60_000), Ok(minutes), "{text}");
        }
        assert!(last("2:14", 0, &zone).unwrap_err().contains("is no time of day"));
    }

    #[test]
    fn it_is_the_next_time_that_the_clock_shows_this() {
        assert_eq!(until("07:00", "2026-11-26T19:00"), Ok(12 * 60));
        assert_eq!(until("19:00", "2026-11-26T18:59"), Ok(1));
        assert!(until("19:00", "2026-11-26T19:00").unwrap_err().starts_with("19:00 is 24 hours ahead"));
        assert_eq!(until("07:00", "2026-10-24T19:00"), Ok(13 * 60), "the clocks go back that night");
        assert_eq!(until("07:00", "2026-03-28T19:00"), Ok(11 * 60));
        assert_eq!(until("02:30", "2026-10-24T19:00"), Ok(7 * 60 + 30), "the first of two");
    }

    #[test]
    fn what_is_no_time_or_too_far_is_refused() {
        for wrong in ["7:00", "24:00", "07:60", "0700", "soon!", "", "é:00"] {
            assert!(until(wrong, "2026-11-26T19:00").unwrap_err().contains("as in 07:00"), "{wrong}");
        }
        assert!(
            until("18:00", "2026-11-26T19:00").unwrap_err().contains("23 hours ahead, and 16 are the most")
        );
        let hours = |hours| Until { hours, until: None }.after(0, &TimeZone::UTC);
        assert_eq!((hours(None), hours(Some(8))), (Ok(12 * HOUR_MS), Ok(8 * HOUR_MS)));
    }
}
