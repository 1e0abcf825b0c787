//! From times to a verdict. Pure.

use std::time::Duration;

use serde::Serialize;
use wardline_client::probe::Knocks;

use super::Sent;

/// Half of all messages within this seem to arrive at once (Nielsen: a tenth of a second).
const GOOD_HALF_MS: f64 = 100.0;
/// And nine of ten within this: a Wi-Fi that sleeps between beacons takes up to three of them, 100 ms each.
const GOOD_NINE_MS: f64 = 300.0;
/// Nine of ten within this keep a conversation flowing.
const USABLE_NINE_MS: f64 = 1_000.0;
/// Of packets. A healthy Wi-Fi repeats what the air loses, and loses less.
const LOST_PARTS_MAX: f64 = 0.02;

/// How times spread, in milliseconds: at most so much for half of them, for nine of ten, for 99 of 100, for all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measured {
    pub(crate) messages: u32,
    pub(crate) seconds: f64,
    /// On this machine's disk.
    pub(crate) kept: Option<Spread>,
    /// On the box's disk.
    pub(crate) accepted: Option<Spread>,
    /// On the other device; `None` without one, or when nothing came.
    pub(crate) delivered: Option<Spread>,
    /// There is another device.
    pub(crate) watched: bool,
    /// There and back.
    pub(crate) packets: Option<Spread>,
    pub(crate) packets_sent: u32,
    pub(crate) packets_lost: u32,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Good,
    Usable,
    Slow,
    /// Quick enough, on a network that loses packets.
    Lossy,
    /// Some did not come in time.
    Incomplete,
    /// None did.
    Nothing,
}

impl Spread {
    /// By nearest rank. `None` of nothing.
    pub(crate) fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<f64> = times.map(|time| (time.as_secs_f64() * 1e6).round() / 1e3).collect();
        times.sort_by(f64::total_cmp);
        let count = times.len();
        let at = |percent: usize| times.get((count * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { count, p50_ms: at(50)?, p90_ms: at(90)?, p99_ms: at(99)?, max_ms: at(100)? })
    }
}

impl Measured {
    pub(super) fn of(
        messages: u32,
        took: Duration,
        sent: &[Sent],
        watched: bool,
        knocks: Option<&Knocks>,
    ) -> Self {
        let packets_sent = knocks.map_or(0, |knocks| knocks.sent);
        let answered = knocks.map_or(0, |knocks| knocks.answered.len());
        Self {
            messages,
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            kept: Spread::of(sent.iter().map(|message| message.kept)),
            accepted: Spread::of(sent.iter().filter_map(|message| message.accepted)),
            delivered: Spread::of(sent.iter().filter_map(|message| message.delivered)),
            watched,
            packets: knocks.and_then(|knocks| Spread::of(knocks.answered.iter().copied())),
            packets_sent,
            packets_lost: packets_sent.saturating_sub(u32::try_from(answered).unwrap_or(u32::MAX)),
        }
    }

    /// What counts: the other screen where there is one, else the box.
    pub(crate) fn arrived(&self) -> Option<Spread> {
        if self.watched { self.delivered } else { self.accepted }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let Some(arrived) = self.arrived() else { return Verdict::Nothing };
        if arrived.count < self.messages as usize {
            Verdict::Incomplete
        } else if arrived.p90_ms > USABLE_NINE_MS {
            Verdict::Slow
        } else if f64::from(self.packets_lost) > LOST_PARTS_MAX * f64::from(self.packets_sent).max(50.0) {
            Verdict::Lossy
        } else if arrived.p50_ms <= GOOD_HALF_MS && arrived.p90_ms <= GOOD_NINE_MS {
            Verdict::Good
        } else {
            Verdict::Usable
        }
    }
}

impl Verdict {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Nothing => 4,
            Self::Usable | Self::Slow | Self::Lossy | Self::Incomplete => 7,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn spread(p50_ms: f64, p90_ms: f64) -> Spread {
        Spread { count: 100, p50_ms, p90_ms, p99_ms: p90_ms * 2.0, max_ms: p90_ms * 3.0 }
    }

    pub(crate) fn measured(p50_ms: f64, p90_ms: f64) -> Measured {
        Measured {
            messages: 100,
            seconds: 20.0,
            kept: Some(spread(1.0, 2.0)),
            accepted: Some(spread(p50_ms / 2.0, p90_ms / 2.0)),
            delivered: Some(spread(p50_ms, p90_ms)),
            watched: true,
            packets: Some(spread(1.0, 2.0)),
            packets_sent: 100,
            packets_lost: 0,
        }
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let of = |count: u64| Spread::of((1..=count).rev().map(Duration::from_millis)).unwrap();
        let hundred = Spread { count: 100, p50_ms: 50.0, p90_ms: 90.0, p99_ms: 99.0, max_ms: 100.0 };
        assert_eq!(of(100), hundred);
        assert_eq!(of(1), Spread { count: 1, p50_ms: 1.0, p90_ms: 1.0, p99_ms: 1.0, max_ms: 1.0 });
        assert_eq!((of(10).p50_ms, of(10).p90_ms, of(10).p99_ms), (5.0, 9.0, 10.0));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    #[test]
    fn the_verdict_goes_by_the_other_screen() {
        assert_eq!(measured(34.0, 50.0).verdict(), Verdict::Good);
        assert_eq!(measured(34.0, 400.0).verdict(), Verdict::Usable);
        assert_eq!(measured(150.0, 200.0).verdict(), Verdict::Usable);
        assert_eq!(measured(150.0, 1_200.0).verdict(), Verdict::Slow);
        assert_eq!(Measured { packets_lost: 5, ..measured(34.0, 50.0) }.verdict(), Verdict::Lossy);
        assert_eq!(Measured { delivered: None, ..measured(34.0, 50.0) }.verdict(), Verdict::Nothing);
        let missing = Some(Spread { count: 99, ..spread(34.0, 50.0) });
        assert_eq!(Measured { delivered: missing, ..measured(34.0, 50.0) }.verdict(), Verdict::Incomplete);
        // Without a second device by the box.
        let alone = Measured { delivered: None, watched: false, ..measured(34.0, 50.0) };
        assert_eq!(alone.verdict(), Verdict::Good);
        // One packet of five is no loss that says anything.
        let few = Measured { packets_sent: 5, packets_lost: 1, ..measured(34.0, 50.0) };
        assert_eq!(few.verdict(), Verdict::Good);
    }
}
