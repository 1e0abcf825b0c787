//! Shifts that come again every week, or every few weeks in turn.

use minicbor::{Decode, Encode};

use crate::limits;
use crate::rota::holders::{Place, Team};
use crate::rota::local::{DAY, Date, Local, Weekday};
use crate::rota::refused::RotaRefusal;

/// Minutes of a week on the wall.
const WEEK: u32 = 7 * DAY;

/// A weekly pattern: shifts by the clock on the wall, which begin anew every [`Pattern::weeks`] weeks.
///
/// A shift is of the pattern in force on the day on which it *begins*, and lasts to its end: so the last night of an old
/// pattern runs into the first morning of a new one. Where the new one's first shift begins before, it takes over there.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Pattern {
    /// The first day on which a shift of it may begin. Its week, from Monday, is the first of the turn.
    #[n(0)]
    pub from: Date,
    /// The first day on which none begins any more; none: it goes on.
    #[n(1)]
    pub until: Option<Date>,
    /// Weeks after which it begins anew, 1 to [`limits::ROTA_WEEKS_MAX`].
    #[n(2)]
    pub weeks: u8,
    /// The place that it fills; none: the whole role, and places behind its teams stay empty.
    #[n(3)]
    pub place: Option<Place>,
    /// At most [`limits::ROTA_SHIFTS_MAX`] in all patterns of a rota; no two of one pattern at a time.
    #[n(4)]
    pub shifts: Vec<Shift>,
}

/// A shift of a pattern, in minutes on the wall since the Monday, 00:00, with which the pattern's first week begins.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Shift {
    /// Its beginning, less than the pattern's weeks.
    #[n(0)]
    pub start: u32,
    /// Its end, at most seven days later. It may lie in the pattern's next round.
    #[n(1)]
    pub end: u32,
    /// Who: one person where the pattern is for one place.
    #[n(2)]
    pub team: Team,
}

impl Shift {
    /// A shift from a time of week `week` (from 0) to the next time that the wall shows `end`: a day of the week, and minutes
    /// since midnight. The same day and time twice is a whole week.
    pub fn weekly(week: u8, start: (Weekday, u32), end: (Weekday, u32), team: Team) -> Self {
        let minute = |(day, minute): (Weekday, u32)| day as u32 * DAY + minute.min(DAY);
        let first = u32::from(week) * WEEK + minute(start);
        let length = (minute(end) + WEEK - minute(start) % WEEK) % WEEK;
        Self { start: first, end: first + if length == 0 { WEEK } else { length }, team }
    }
}

impl Pattern {
    /// Minutes after which it begins anew.
    pub(crate) fn cycle(&self) -> u32 {
        u32::from(self.weeks) * WEEK
    }

    /// Whether it and another one would fill the same place.
    fn clashes(&self, other: &Self) -> bool {
        self.place.is_none() || other.place.is_none() || self.place == other.place
    }

    /// The first day on which a shift of either may begin, when there is one.
    fn first_day_of_both(&self, other: &Self) -> Option<Date> {
        let from = self.from.max(other.from);
        let before = |until: Option<Date>| until.is_none_or(|until| from < until);
        (before(self.until) && before(other.until)).then_some(from)
    }

    /// Every shift that begins on one of these days, as times on the wall.
    pub(crate) fn shifts_of(&self, first: Date, last: Date) -> impl Iterator<Item = (Local, Local, &Team)> {
        let (first, last) = (first.max(self.from), last.min(Date::LAST));
        let last = self.until.map_or(last, |until| last.min(Date::from_days(until.days().saturating_sub(1))));
        let monday = self.from.monday();
        let days = (self.cycle() / DAY).max(1);
        let round = move |day: Date| u32::from(day.days().saturating_sub(monday.days())) / days;
        let rounds = if first <= last { round(first)..round(last) + 1 } else { 0..0 };
        rounds.flat_map(move |round| {
            let start = monday.at(round * days * DAY);
            let at = move |minute: u32| Local::from_minutes(start.minutes().saturating_add(minute));
            let begins = move |shift: &&Shift| (first..=last).contains(&at(shift.start).date());
            self.shifts.iter().filter(begins).map(move |shift| (at(shift.start), at(shift.end), &shift.team))
        })
    }

    /// Puts its shifts in order, and refuses what cannot be.
    pub(crate) fn settle(&mut self) -> Result<(), RotaRefusal> {
        self.shifts.sort();
        let from = self.from;
        if !from.is_in_calendar() || self.until.is_some_and(|until| !until.is_in_calendar()) {
            return Err(RotaRefusal::NotInCalendar);
        }
        if self.until.is_some_and(|until| until <= from) {
            return Err(RotaRefusal::PatternEndsFirst { from });
        }
        if self.weeks == 0 || self.weeks > limits::ROTA_WEEKS_MAX {
            return Err(RotaRefusal::Weeks { from });
        }
        if self.shifts.is_empty() {
            return Err(RotaRefusal::PatternEmpty { from });
        }
        for shift in &self.shifts {
            let most = limits::ROTA_SHIFT_MINUTES_MAX.min(self.cycle());
            let fits = shift.start < self.cycle()
                && shift.end.checked_sub(shift.start).is_some_and(|length| length > 0 && length <= most);
            if !fits {
                return Err(RotaRefusal::ShiftLength { from });
            }
            let people = shift.team.people().len();
            if people == 0 || (self.place.is_some() && people > 1) {
                return Err(RotaRefusal::ShiftTeam { from });
            }
        }
        let starts = self.shifts.iter().skip(1).map(|next| next.start);
        let again = self.shifts.first().map(|first| first.start + self.cycle());
        if self.shifts.iter().zip(starts.chain(again)).any(|(shift, next)| shift.end > next) {
            return Err(RotaRefusal::ShiftsOverlap { from });
        }
        Ok(())
    }
}

/// Puts patterns in order, and refuses two for one place on one day. The square of [`limits::ROTA_PATTERNS_MAX`].
pub(crate) fn settle(patterns: &mut [Pattern]) -> Result<(), RotaRefusal> {
    patterns.sort_by_key(|pattern| (pattern.from, pattern.place));
    for pattern in patterns.iter_mut() {
        pattern.settle()?;
    }
    for (at, pattern) in patterns.iter().enumerate() {
        for other in patterns[..at].iter().filter(|other| other.clashes(pattern)) {
            if let Some(date) = other.first_day_of_both(pattern) {
                return Err(RotaRefusal::TwoPatterns { date });
            }
        }
    }
    Ok(())
}
