//! How old a message is, without asking what day it is.
//!
//! A wall clock may jump years ahead in one step (a dead battery, a wrong NTP server), and what is deleted then is gone.
//! So a message ages by *time served*: what the steady clock counted while the box ran. About thirty times in a
//! retention period the box writes down how long it has served; the number of that write then says which messages are
//! older, since changes, unlike clocks, only ever rise.
//!
//! The time that the box was off counts too, by the wall clock, but never more than [`CREDIT_STEPS`] a start: a jump
//! costs a message at most a quarter of its life, and a box that was off for longer keeps its messages longer.

use minicbor::{Decode, Encode};

use crate::ids::Change;
use crate::time::{Mono, Now, Wall};

/// Marks written in one retention period.
const STEPS: u64 = 30;
/// Steps that one start may count for the time the box was off: a week of thirty days.
const CREDIT_STEPS: u64 = 7;
/// Marks remembered: two retention periods of [`STEPS`], and four to spare.
pub const MARKS_MAX: usize = 64;

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
    let old = |mark: &&Mark| mark.served_ms.saturating_add(age_ms) <= served_ms;
    marks.iter().rev().find(old).map_or(Change(0), |mark| mark.change)
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
    fn two_periods_of_marks_are_remembered() {
        assert!(MARKS_MAX as u64 > 2 * STEPS + 1);
    }
}
