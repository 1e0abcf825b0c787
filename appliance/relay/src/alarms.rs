//! What is wrong with the box, looked at again and again: the core decides who is told, and that nobody is told twice.
//!
//! This module tells nobody and keeps nothing: it says all that stands, each time. What is at the edge of a bound does not flutter: an
//! alarm begins at once, and is over when it was not seen for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use wardline_core::alarm::{Alarm, AlarmKind};
use wardline_core::input::{Fresh, Input};
use wardline_core::limits::DISK_RESERVE_BYTES;

use crate::driver::Command;
use crate::front::connection::Context;
use crate::front::health;

/// Between looks. A keeper that is away is asked so often, and answers from memory.
const LOOK: Duration = Duration::from_secs(15);
/// Looks without it before an alarm is over: two minutes.
const LOOKS_WITHOUT: u32 = 8;
/// Looks at which a keeper may be silent: it is restarted within one.
const LOOKS_SILENT: u32 = 2;
/// 2 GiB. New messages are refused below [`DISK_RESERVE_BYTES`], 64 MiB. At 4 KiB a message with what is kept beside it the 31 parts
/// between are some 500,000 messages, or 100 of the largest files: days at least, in which somebody can make room.
const DISK_LOW_BYTES: u64 = 32 * DISK_RESERVE_BYTES;
const DAY_MS: i64 = 86_400_000;
/// How long after the clock was set whoever reads times is to know of it.
const CLOCK_SET_MS: i64 = 3_600_000;

/// How the box is, as far as something may be wrong with it. Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Now, by the wall clock.
    pub now: i64,
    /// Bytes free on the store's volume.
    pub disk_free: u64,
    /// New messages are refused.
    pub disk_low: bool,
    /// The last look at the whole store found damage.
    pub check_failed: bool,
    /// The keeper answered just now.
    pub keeper_answers: bool,
    /// The end of the certificate that is renewed daily; 0: not known.
    pub leaf_not_after: i64,
    /// The end of the one that signed it; 0: not known.
    pub issuer_not_after: i64,
    /// Days within which the imported certificate ends: 30, 14 or 3.
    pub name_ends_within: Option<i64>,
    /// When the clock was last set; 0: never.
    pub stepped_at: i64,
}

/// What was seen of one kind: how bad it was, and for how many looks it has been less so.
#[derive(Clone, Copy, Default)]
struct Seen {
    level: u32,
    looks_less: u32,
}

/// What stands, across looks.
#[derive(Default)]
pub struct Watch {
    seen: BTreeMap<AlarmKind, Seen>,
    silent: u32,
}

impl Watch {
    /// What stands after this look, at most one of a kind.
    pub fn look(&mut self, reading: &Reading) -> Vec<Alarm> {
        self.silent = if reading.keeper_answers { 0 } else { self.silent.saturating_add(1) };
        for kind in AlarmKind::ALL {
            let level = self.level(kind, reading);
            let seen = self.seen.entry(kind).or_default();
            seen.looks_less = if level >= seen.level { 0 } else { seen.looks_less + 1 };
            if level > seen.level || seen.looks_less >= LOOKS_WITHOUT {
                *seen = Seen { level, looks_less: 0 };
            }
        }
        let stands = self.seen.iter().filter(|(_, seen)| seen.level > 0);
        stands.map(|(kind, seen)| Alarm { kind: *kind, level: seen.level }).collect()
    }

    /// How bad it is now; 0: not at all.
    fn level(&self, kind: AlarmKind, reading: &Reading) -> u32 {
        // More than so many days are left of it: 0; fewer than the last: the worst.
        let left = |not_after: i64, days: &[i64]| {
            let left = not_after.saturating_sub(reading.now);
            let marks = days.iter().filter(|days| not_after > 0 && left <= **days * DAY_MS);
            u32::try_from(marks.count()).unwrap_or(0)
        };
        match kind {
            AlarmKind::DiskLow if reading.disk_low => 2,
            AlarmKind::DiskLow => u32::from(reading.disk_free < DISK_LOW_BYTES),
            AlarmKind::StoreDamaged => u32::from(reading.check_failed),
            AlarmKind::KeeperSilent => u32::from(self.silent >= LOOKS_SILENT),
            AlarmKind::LeafEnds => left(reading.leaf_not_after, &[5, 1]),
            AlarmKind::IssuerEnds => left(reading.issuer_not_after, &[90, 30, 7]),
            AlarmKind::NameEnds => match reading.name_ends_within {
                None => 0,
                Some(..=3) => 3,
                Some(..=14) => 2,
                Some(_) => 1,
            },
            AlarmKind::ClockSet => {
                let since = reading.now.saturating_sub(reading.stepped_at);
                u32::from(reading.stepped_at > 0 && since < CLOCK_SET_MS)
            }
        }
    }
}

/// Looks until the box ends.
pub async fn run(context: Weak<Context>) {
    let mut watch = Watch::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(context) = context.upgrade() else { return };
        let standing = watch.look(&health::reading(&context).await);
        let Some(fresh) = fresh(&context) else { continue };
        if context.commands.send(Command::Input(Input::Alarms { standing, fresh })).await.is_err() {
            return;
        }
    }
}

/// For the conversation in which it is told; without randomness nothing is said now.
fn fresh(context: &Arc<Context>) -> Option<Fresh> {
    let keyring = &context.library.keyring;
    match (keyring.random(), keyring.fresh()) {
        (Ok(seed), Ok(key)) => Some(Fresh { seed, key }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Reading = Reading {
        now: 1_800_000_000_000,
        disk_free: 1 << 40,
        disk_low: false,
        check_failed: false,
        keeper_answers: true,
        leaf_not_after: 1_800_000_000_000 + 12 * DAY_MS,
        issuer_not_after: 1_800_000_000_000 + 700 * DAY_MS,
        name_ends_within: None,
        stepped_at: 0,
    };

    fn levels(watch: &mut Watch, reading: Reading) -> Vec<(AlarmKind, u32)> {
        watch.look(&reading).into_iter().map(|alarm| (alarm.kind, alarm.level)).collect()
    }

    #[test]
    fn of_a_box_that_is_well_there_is_nothing_to_say() {
        assert_eq!(levels(&mut Watch::default(), WELL), []);
        // What is not known yet is no alarm.
        assert_eq!(
            levels(&mut Watch::default(), Reading { leaf_not_after: 0, issuer_not_after: 0, ..WELL }),
            []
        );
    }

    #[test]
    fn what_is_wrong_is_said_as_bad_as_it_is() {
        let (now, day) = (WELL.now, DAY_MS);
        let cases = [
            (Reading { disk_free: DISK_LOW_BYTES - 1, ..WELL }, AlarmKind::DiskLow, 1),
            (Reading { disk_free: 0, disk_low: true, ..WELL }, AlarmKind::DiskLow, 2),
            (Reading { check_failed: true, ..WELL }, AlarmKind::StoreDamaged, 1),
            (Reading { leaf_not_after: now + 5 * day, ..WELL }, AlarmKind::LeafEnds, 1),
            (Reading { leaf_not_after: now - day, ..WELL }, AlarmKind::LeafEnds, 2),
            (Reading { issuer_not_after: now + 90 * day, ..WELL }, AlarmKind::IssuerEnds, 1),
            (Reading { issuer_not_after: now + 30 * day, ..WELL }, AlarmKind::IssuerEnds, 2),
            (Reading { issuer_not_after: now + 7 * day, ..WELL }, AlarmKind::IssuerEnds, 3),
            (Reading { name_ends_within: Some(30), ..WELL }, AlarmKind::NameEnds, 1),
            (Reading { name_ends_within: Some(14), ..WELL }, AlarmKind::NameEnds, 2),
            (Reading { name_ends_within: Some(3), ..WELL }, AlarmKind::NameEnds, 3),
            (Reading { stepped_at: now - 1, ..WELL }, AlarmKind::ClockSet, 1),
        ];
        for (reading, kind, level) in cases {
            assert_eq!(levels(&mut Watch::default(), reading), [(kind, level)], "{reading:?}");
        }
        let long_ago = Reading { stepped_at: now - CLOCK_SET_MS, ..WELL };
        assert_eq!(levels(&mut Watch::default(), long_ago), []);
    }

    #[test]
    fn a_keeper_that_is_started_again_is_no_alarm() {
        let (mut watch, silent) = (Watch::default(), Reading { keeper_answers: false, ..WELL });
        assert_eq!(levels(&mut watch, silent), []);
        assert_eq!(levels(&mut watch, WELL), []);
        assert_eq!(levels(&mut watch, silent), []);
        assert_eq!(levels(&mut watch, silent), [(AlarmKind::KeeperSilent, 1)]);
    }

    #[test]
    fn what_is_at_the_edge_of_a_bound_does_not_flutter() {
        let mut watch = Watch::default();
        let low = Reading { disk_free: DISK_LOW_BYTES - 1, ..WELL };
        assert_eq!(levels(&mut watch, low), [(AlarmKind::DiskLow, 1)]);
        for _ in 0..4 {
            for _ in 1..LOOKS_WITHOUT {
                assert_eq!(levels(&mut watch, WELL), [(AlarmKind::DiskLow, 1)]);
            }
            assert_eq!(levels(&mut watch, low), [(AlarmKind::DiskLow, 1)]);
        }
        for _ in 1..LOOKS_WITHOUT {
            assert_eq!(levels(&mut watch, WELL), [(AlarmKind::DiskLow, 1)]);
        }
        assert_eq!(levels(&mut watch, WELL), []);
    }
}
