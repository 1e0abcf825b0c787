//! How old a message is, without asking what day it is.
//!
//! A wall clock may jump years ahead in one step (a dead battery, a wrong NTP server), and what is deleted then is gone.
//! So a message ages by *time served*: what the steady clock counted while the box ran. About thirty times in the
//! shortest retention period the box writes down how long it has served; the number of that write then says which messages are
//! older, since changes, unlike clocks, only ever rise.
//!
//! The time that the box was off counts too, by the wall clock, but never more than [`CREDIT_STEPS`] a start: a jump
//! costs a message at most a quarter of its life, and a box that was off for longer keeps its messages longer.

use minicbor::{Decode, Encode};

use crate::conversation::Kind;
use crate::ids::Change;
use crate::limits;
use crate::refusal::Refusal;
use crate::time::{Mono, Now, Wall};
use crate::wire::proto;

/// Marks written in one retention period.
const STEPS: u64 = 30;
/// Steps that one start may count for the time the box was off: a week of thirty days.
const CREDIT_STEPS: u64 = 7;
/// Marks remembered: two of the longest retention periods in steps of the shortest, which is a [`LONGEST_OF_SHORTEST`]th of it at
/// least, and four to spare: 7,684 of some 24 bytes are 180 kB. With one rule for all it is 64 that matter.
pub const MARKS_MAX: usize = 2 * STEPS as usize * LONGEST_OF_SHORTEST as usize + 4;
/// How many times the shortest retention period goes into the longest at most: thirty days and ten years.
pub const LONGEST_OF_SHORTEST: u64 = 128;
const HOUR_MS: u64 = 3_600_000;

/// After how many milliseconds a message that every member has read goes, by kind of conversation; one that somebody has not
/// read goes after twice as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
    /// Of two people.
    #[n(0)]
    direct_ms: u64,
    /// Of groups, and of what is written to roles.
    #[n(1)]
    group_ms: u64,
    /// Of a unit's channels, and of announcements.
    #[n(2)]
    channel_ms: u64,
    /// Of patients' threads and of their families': these are read for as long after they close.
    #[n(3)]
    patient_ms: u64,
}

/// For each kind, from which change on messages are not old enough: when read, and in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds([(Change, Change); KINDS.len()]);

/// In the order of [`Bounds`].
pub const KINDS: [Kind; 4] = [Kind::Direct, Kind::Group, Kind::Channel, Kind::Patient];

impl Rules {
    /// The same for all.
    pub const fn uniform(ms: u64) -> Self {
        Self { direct_ms: ms, group_ms: ms, channel_ms: ms, patient_ms: ms }
    }

    /// From hours, in the order of [`KINDS`]: 1 to [`limits::RETENTION_HOURS_MAX`] each, the longest at most
    /// [`LONGEST_OF_SHORTEST`] times the shortest.
    pub fn parse(hours: [u32; KINDS.len()]) -> Result<Self, Refusal> {
        if hours.iter().any(|hours| !(1..=limits::RETENTION_HOURS_MAX).contains(hours)) {
            return Err(Refusal::RetentionOutOfRange);
        }
        let [direct_ms, group_ms, channel_ms, patient_ms] = hours.map(|hours| u64::from(hours) * HOUR_MS);
        let rules = Self { direct_ms, group_ms, channel_ms, patient_ms };
        let longest = rules.all().into_iter().max().unwrap_or(0);
        if longest > rules.shortest_ms() * LONGEST_OF_SHORTEST {
            return Err(Refusal::RetentionTooUneven);
        }
        Ok(rules)
    }

    /// In whole hours, begun ones counted, in the order of [`KINDS`].
    pub fn hours(self) -> [u32; KINDS.len()] {
        self.all().map(|ms| u32::try_from(ms.div_ceil(HOUR_MS)).unwrap_or(u32::MAX))
    }

    pub(crate) fn from_wire(wire: Option<proto::RetentionRules>) -> Result<Self, Refusal> {
        let proto::RetentionRules { direct, group, channel, patient } = wire.ok_or(Refusal::Invalid)?;
        Self::parse([direct, group, channel, patient])
    }

    pub(crate) fn to_wire(self) -> proto::RetentionRules {
        let [direct, group, channel, patient] = self.hours();
        proto::RetentionRules { direct, group, channel, patient }
    }

    /// Of this kind.
    pub fn of(self, kind: Kind) -> u64 {
        match kind {
            Kind::Direct => self.direct_ms,
            Kind::Group | Kind::Role => self.group_ms,
            Kind::Channel | Kind::Broadcast => self.channel_ms,
            Kind::Patient | Kind::Family => self.patient_ms,
        }
    }

    pub(crate) fn shortest_ms(self) -> u64 {
        self.all().into_iter().min().unwrap_or(0)
    }

    fn all(self) -> [u64; KINDS.len()] {
        KINDS.map(|kind| self.of(kind))
    }

    /// What is old by these rules.
    pub(crate) fn bounds(self, marks: &[Mark], served_ms: u64) -> Bounds {
        let before = |age| older_than(marks, served_ms, age);
        Bounds(self.all().map(|ms| (before(ms), before(ms.saturating_mul(2)))))
    }
}

impl Bounds {
    /// Nothing is old.
    pub const NONE: Self = Self([(Change(0), Change(0)); KINDS.len()]);

    /// Of this kind: messages that lower changes brought are old enough when read, and in any case.
    pub fn of(&self, kind: Kind) -> (Change, Change) {
        let kind = match kind {
            Kind::Family => Kind::Patient,
            Kind::Role => Kind::Group,
            Kind::Broadcast => Kind::Channel,
            kind => kind,
        };
        let at = KINDS.iter().position(|one| *one == kind);
        at.map_or((Change(0), Change(0)), |at| self.0[at])
    }

    /// The same for all kinds: for tests.
    pub const fn uniform(read_before: Change, any_before: Change) -> Self {
        Self([(read_before, any_before); KINDS.len()])
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// What stood written at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// The change that wrote it: a lower one was before.
    #[n(0)]
    pub change: Change,
    /// Milliseconds that the box had served.
    #[n(1)]
    pub served_ms: u64,
    /// The wall clock then.
    #[n(2)]
    pub at: Wall,
}

/// Time served, as this run counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    before_ms: u64,
    since: Mono,
}

impl Served {
    /// Goes on from the last mark.
    pub(crate) fn resume(last: Option<&Mark>, now: Now, retention_ms: u64) -> Self {
        let before_ms = last.map_or(0, |mark| {
            let off = u64::try_from(now.wall.0.saturating_sub(mark.at.0)).unwrap_or(0);
            mark.served_ms.saturating_add(off.min(credit_ms(retention_ms)))
        });
        Self { before_ms, since: now.mono }
    }

    pub(crate) fn ms(&self, now: Mono) -> u64 {
        self.before_ms.saturating_add(now.0.saturating_sub(self.since.0))
    }
}

/// Whether a mark is due.
pub(crate) fn is_due(last: Option<&Mark>, served_ms: u64, retention_ms: u64) -> bool {
    last.is_none_or(|mark| served_ms >= mark.served_ms.saturating_add(step_ms(retention_ms)))
}

/// Messages with a lower change are at least this old; none are when it is `Change(0)`.
pub(crate) fn older_than(marks: &[Mark], served_ms: u64, age_ms: u64) -> Change {
    // Time served rises along them.
    let old = marks.partition_point(|mark| mark.served_ms.saturating_add(age_ms) <= served_ms);
    old.checked_sub(1).map_or(Change(0), |last| marks[last].change)
}

/// Milliseconds between marks.
pub fn step_ms(retention_ms: u64) -> u64 {
    (retention_ms / STEPS).max(1)
}

/// The most that one start counts for the time that the box was off. Milliseconds.
pub fn credit_ms(retention_ms: u64) -> u64 {
    step_ms(retention_ms) * CREDIT_STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;

    fn mark(change: u64, days: u64) -> Mark {
        Mark { change: Change(change), served_ms: days * DAY, at: Wall((days * DAY) as i64) }
    }

    #[test]
    fn a_message_is_as_old_as_the_mark_behind_it() {
        let marks = [mark(10, 0), mark(20, 1), mark(30, 2)];
        assert_eq!(older_than(&marks, 30 * DAY - 1, 30 * DAY), Change(0));
        assert_eq!(older_than(&marks, 30 * DAY, 30 * DAY), Change(10));
        assert_eq!(older_than(&marks, 31 * DAY + 5, 30 * DAY), Change(20));
    }

    #[test]
    fn a_start_with_the_clock_years_ahead_counts_a_week() {
        let now = |wall| Now { mono: Mono(0), wall: Wall(wall) };
        let last = mark(20, 3);
        let at = |wall| Served::resume(Some(&last), now(wall), 30 * DAY).ms(Mono(0));
        assert_eq!(at(last.at.0 + (2 * DAY) as i64), 5 * DAY);
        assert_eq!(at(last.at.0 + (3_650 * DAY) as i64), 10 * DAY);
        assert_eq!(at(0), 3 * DAY, "a clock behind counts nothing");
    }

    #[test]
    fn two_of_the_longest_periods_are_remembered_in_steps_of_the_shortest() {
        let rules = Rules::parse([24, 24, 24, 24 * LONGEST_OF_SHORTEST as u32]).expect("in range");
        let marks = 2 * rules.of(Kind::Patient) / step_ms(rules.shortest_ms());
        assert!(MARKS_MAX as u64 > marks + 1);
    }

    #[test]
    fn what_would_be_kept_too_unevenly_or_not_at_all_is_refused() {
        assert!(Rules::parse([24, 24, 24, 24 * LONGEST_OF_SHORTEST as u32 + 1]).is_err());
        assert!(Rules::parse([0, 24, 24, 24]).is_err());
        assert!(Rules::parse([limits::RETENTION_HOURS_MAX + 1; 4]).is_err());
        assert_eq!(Rules::parse([720, 24, 48, 2_400]).map(Rules::hours), Ok([720, 24, 48, 2_400]));
    }

    #[test]
    fn each_kind_grows_old_by_its_own_rule() {
        let marks: Vec<Mark> = (0..200).map(|day| mark(10 + day, day)).collect();
        let rules = Rules::parse([24, 48, 72, 24 * 100]).expect("in range");
        let bounds = rules.bounds(&marks, 199 * DAY);
        assert_eq!(bounds.of(Kind::Direct), (Change(10 + 198), Change(10 + 197)));
        assert_eq!(bounds.of(Kind::Channel), (Change(10 + 196), Change(10 + 193)));
        assert_eq!(bounds.of(Kind::Patient), (Change(10 + 99), Change(0)));
    }
}
