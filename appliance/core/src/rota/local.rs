//! Dates and times as a clock on the wall shows them, of no zone yet.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::limits;

/// Minutes of a day.
pub(crate) const DAY: u32 = 24 * 60;

/// A day of the calendar, 1970-01-01 to 2149-06-06, kept as days since 1970-01-01. A rota takes those from
/// [`limits::ROTA_FIRST_YEAR`] to [`limits::ROTA_LAST_YEAR`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Date(#[n(0)] u16);

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weekday {
    /// ISO 8601 counts from here.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl Weekday {
    /// The week as it runs.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

impl Date {
    /// The first day of [`limits::ROTA_FIRST_YEAR`].
    pub const FIRST: Self = Self(10_957);
    /// The last day of [`limits::ROTA_LAST_YEAR`].
    pub const LAST: Self = Self(47_481);

    /// The day of this name in the calendar; none when there is none in those years.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        if !(limits::ROTA_FIRST_YEAR..=limits::ROTA_LAST_YEAR).contains(&year) {
            return None;
        }
        let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let epoch = jiff::civil::Date::new(1970, 1, 1).ok()?;
        u16::try_from(date.duration_since(epoch).as_secs() / 86_400).ok().map(Self)
    }

    /// This many days since 1970-01-01.
    pub const fn from_days(days: u16) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> u16 {
        self.0
    }

    /// Whether a rota may name it.
    pub(crate) const fn is_in_calendar(self) -> bool {
        Self::FIRST.0 <= self.0 && self.0 <= Self::LAST.0
    }

    /// The day of the week.
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match (self.0 as u32 + 3) % 7 {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }

    /// The Monday of its week.
    pub const fn monday(self) -> Self {
        Self(self.0.saturating_sub(self.weekday() as u16))
    }

    /// This many days later; the calendar's last day at the latest.
    #[must_use]
    pub const fn after(self, days: u16) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// A time of this day, in minutes from midnight; of the next ones, past 1,440.
    pub const fn at(self, minute: u32) -> Local {
        Local((self.0 as u32 * DAY).saturating_add(minute))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noon = jiff::Timestamp::from_second(i64::from(self.0) * 86_400).map_err(|_| fmt::Error)?;
        write!(f, "{}", jiff::tz::Offset::UTC.to_datetime(noon).date())
    }
}

/// A time of a day as a clock on the wall shows it, to the minute, kept as minutes since 1970-01-01 00:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Local(#[n(0)] u32);

impl Local {
    /// This many minutes since 1970-01-01 00:00, as the wall counts them.
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(minutes)
    }

    /// Minutes since 1970-01-01 00:00, as the wall counts them.
    pub const fn minutes(self) -> u32 {
        self.0
    }

    /// Its day.
    pub const fn date(self) -> Date {
        let days = self.0 / DAY;
        Date(if days > u16::MAX as u32 { u16::MAX } else { days as u16 })
    }

    /// Minutes since midnight on the wall.
    pub const fn minute_of_day(self) -> u32 {
        self.0 % DAY
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.date(), self.minute_of_day() / 60, self.minute_of_day() % 60)
    }
}
