//! Who holds a role, and when: the arithmetic of on-call rotas.
//!
//! A *rota* has four sources. From strongest to weakest: what somebody did *by hand*, *exceptions* for a date, *weekly
//! patterns*, and shifts *imported* from a calendar. A role has *places*, in the order in which people are asked: the
//! first, their backup, and so on. In every place, the strongest source that says something of it decides; within the first
//! two sources, what comes later in the list.
//!
//! Shifts are [`Interval`]s of instants, half-open. Dates and times on the wall become instants by one rule,
//! [`TimeZone::instant`], so two shifts that meet on the wall meet in time: no gap and no overlap, whatever the
//! clocks do that night.
//!
//! This module reads no clock and forgets nothing by itself: [`Rota::without_before`] takes out what is over. Its bounds stand
//! in [`limits`], under "Rotas".

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::ids::PersonId;
use crate::kept;
use crate::limits;
use crate::time::Wall;

pub mod calendar;
mod holders;
mod local;
mod pattern;
mod refused;
#[cfg(test)]
mod tests;
mod timeline;
mod zone;

pub use holders::{Holder, Holders, Interval, Place, Team};
pub use local::{Date, Local, Weekday};
pub use pattern::{Pattern, Shift};
pub use refused::RotaRefusal;
pub use timeline::Timeline;
pub use zone::TimeZone;

/// What an entry says of a role while it counts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Says {
    /// These people hold it, in this order, and nobody else. An empty team: nobody does.
    #[n(0)]
    Team(#[n(0)] Team),
    /// This person, or nobody, is in one place; of the others it says nothing.
    #[n(1)]
    Place {
        /// Which.
        #[n(0)]
        place: Place,
        /// Who.
        #[n(1)]
        person: Option<PersonId>,
    },
}

/// Somebody took a role, or gave it to somebody.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ByHand {
    /// When it counts: at most [`limits::ROTA_ENTRY_MINUTES_MAX`].
    #[n(0)]
    pub when: Interval,
    /// Who holds the role then.
    #[n(1)]
    pub says: Says,
}

/// For once it is otherwise, by the clock on the wall.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Exception {
    /// From when.
    #[n(0)]
    pub from: Local,
    /// Until when, that minute not included: at most [`limits::ROTA_ENTRY_MINUTES_MAX`] later.
    #[n(1)]
    pub until: Local,
    /// Who holds the role then.
    #[n(2)]
    pub says: Says,
}

impl Exception {
    /// On a day, from one time to another in minutes since midnight; an end that is not later than the start is the next day's.
    pub fn on(date: Date, start: u32, end: u32, says: Says) -> Self {
        let end = if end <= start { end + local::DAY } else { end };
        Self { from: date.at(start), until: date.at(end), says }
    }
}

/// A shift that a calendar had.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Imported {
    /// Where in the order.
    #[n(0)]
    pub place: Place,
    /// When.
    #[n(1)]
    pub when: Interval,
    /// Who.
    #[n(2)]
    pub person: PersonId,
}

/// What a rota is made of. [`Rota::new`] says whether it can be one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Sources {
    /// The facility's, for patterns and exceptions.
    #[n(0)]
    pub zone: TimeZone,
    /// The weakest but one: at most [`limits::ROTA_PATTERNS_MAX`].
    #[n(1)]
    pub patterns: Vec<Pattern>,
    /// The weakest: at most [`limits::ROTA_IMPORTED_MAX`], one at a time in each place.
    #[n(2)]
    pub imported: Vec<Imported>,
    /// Stronger than patterns; the later in the list, the stronger. At most [`limits::ROTA_EXCEPTIONS_MAX`].
    #[n(3)]
    pub exceptions: Vec<Exception>,
    /// The strongest; the later in the list, the stronger. At most [`limits::ROTA_BY_HAND_MAX`].
    #[n(4)]
    pub by_hand: Vec<ByHand>,
    /// Up to where the calendar was read that [`Self::imported`] is of. Nothing is known of what is later.
    #[n(5)]
    pub imported_until: Option<Wall>,
}

/// A rota that can be. Kept as its sources: CBOR with indices that are only appended, and read no other way than through
/// [`Rota::new`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rota(Sources);

impl Sources {
    /// Of nothing.
    pub fn new(zone: TimeZone) -> Self {
        let (patterns, imported) = (Vec::new(), Vec::new());
        Self { zone, patterns, imported, exceptions: Vec::new(), by_hand: Vec::new(), imported_until: None }
    }

    /// Between two instants these shifts instead of what was imported before, which is cut off there.
    pub fn import(&mut self, window: Interval, shifts: Vec<Imported>) {
        let was = std::mem::take(&mut self.imported);
        let outside = was.into_iter().flat_map(|shift| {
            let Interval { start, end } = shift.when;
            let before = Interval { start, end: end.min(window.start) };
            let behind = Interval { start: start.max(window.end), end };
            let rest = [before, behind].into_iter().filter(|rest| rest.start < rest.end);
            rest.map(move |when| Imported { when, ..shift })
        });
        self.imported = outside.chain(shifts).collect();
        self.imported_until = self.imported_until.max(Some(window.end)).filter(|_| !self.imported.is_empty());
    }
}

impl Rota {
    /// The rota of these sources. Their order is put right where it means nothing. The square of
    /// [`limits::ROTA_PATTERNS_MAX`], else `n log n` of what they hold.
    pub fn new(mut sources: Sources) -> Result<Self, RotaRefusal> {
        within(sources.patterns.len(), limits::ROTA_PATTERNS_MAX, RotaRefusal::TooManyPatterns)?;
        let shifts = sources.patterns.iter().map(|pattern| pattern.shifts.len()).sum();
        within(shifts, limits::ROTA_SHIFTS_MAX, RotaRefusal::TooManyShifts)?;
        within(sources.imported.len(), limits::ROTA_IMPORTED_MAX, RotaRefusal::TooManyImported)?;
        within(sources.exceptions.len(), limits::ROTA_EXCEPTIONS_MAX, RotaRefusal::TooManyExceptions)?;
        within(sources.by_hand.len(), limits::ROTA_BY_HAND_MAX, RotaRefusal::TooManyByHand)?;
        pattern::settle(&mut sources.patterns)?;
        for exception in &sources.exceptions {
            let length = exception.until.minutes().saturating_sub(exception.from.minutes());
            if length == 0 || length > limits::ROTA_ENTRY_MINUTES_MAX {
                return Err(RotaRefusal::ExceptionLength { from: exception.from });
            }
            if !exception.from.date().is_in_calendar() {
                return Err(RotaRefusal::NotInCalendar);
            }
        }
        for Interval { start, end } in sources.by_hand.iter().map(|entry| entry.when) {
            let most = Wall(start.0.saturating_add(i64::from(limits::ROTA_ENTRY_MINUTES_MAX) * 60_000));
            if start >= end || end > most {
                return Err(RotaRefusal::ByHandLength);
            }
            in_calendar(&sources.zone, start)?;
        }
        sources.imported.sort();
        let follow =
            |one: &Imported, next: &Imported| one.place != next.place || one.when.end <= next.when.start;
        let proper = sources.imported.iter().all(|shift| shift.when.start < shift.when.end);
        if !proper || !sources.imported.is_sorted_by(follow) {
            return Err(RotaRefusal::ImportedOverlap);
        }
        for shift in &sources.imported {
            in_calendar(&sources.zone, shift.when.start)?;
            in_calendar(&sources.zone, shift.when.end)?;
        }
        Ok(Self(sources))
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// The rota behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, decode::Error> {
        minicbor::decode(bytes)
    }

    /// What it is made of.
    pub fn sources(&self) -> &Sources {
        &self.0
    }

    /// The same rota without what was over before `before`: at that instant and later it says what it said.
    #[must_use]
    pub fn without_before(&self, before: Wall) -> Self {
        let mut sources = self.0.clone();
        let zone = &self.0.zone;
        // A shift that began on the last day of a pattern may last for seven more, and a date line for two.
        let day = Date::from_days(zone.date(before).days().saturating_sub(9));
        sources.patterns.retain(|pattern| pattern.until.is_none_or(|until| until > day));
        sources.exceptions.retain(|exception| zone.instant(exception.until) > before);
        sources.by_hand.retain(|entry| entry.when.end > before);
        sources.imported.retain(|shift| shift.when.end > before);
        Self(sources)
    }
}

fn within(count: usize, most: usize, refusal: RotaRefusal) -> Result<(), RotaRefusal> {
    if count > most { Err(refusal) } else { Ok(()) }
}

fn in_calendar(zone: &TimeZone, at: Wall) -> Result<(), RotaRefusal> {
    if zone.date(at).is_in_calendar() { Ok(()) } else { Err(RotaRefusal::NotInCalendar) }
}

impl<C> Encode<C> for Rota {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Rota {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        Self::new(Sources::decode(d, ctx)?).map_err(|_| decode::Error::message("no rota"))
    }
}
