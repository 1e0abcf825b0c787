//! When something of an escalation is due, by the steady clock.

use std::collections::{BTreeMap, BTreeSet};

use crate::escalation::StatId;
use crate::limits;
use crate::time::Mono;

/// One clock for each escalation whose stage has an end.
#[derive(Default)]
pub(crate) struct Clocks {
    clocks: BTreeMap<StatId, Clock>,
    due: BTreeSet<(Mono, StatId)>,
}

#[derive(Clone, Copy)]
struct Clock {
    /// The stage's end.
    ends: Mono,
    /// When to look: at its end, or before, whether anybody can still be reached.
    looks: Mono,
}

impl Clocks {
    /// A step begins that has so much time; somebody looks before whether it rings for anybody.
    pub(crate) fn begin(&mut self, id: StatId, now: Mono, ms: u64) {
        let ends = now.after(ms);
        self.set(id, Clock { ends, looks: ends.min(now.after(limits::REACHABLE_LOOK_MS)) });
    }

    /// A step goes on after a restart, with what is left of it.
    pub(crate) fn take_up(&mut self, id: StatId, now: Mono, ms: u64) {
        let ends = now.after(ms);
        self.set(id, Clock { ends, looks: ends.min(now.after(limits::REACHABLE_LOOK_AFTER_START_MS)) });
    }

    /// A stage ends then and not before.
    pub(crate) fn end_in(&mut self, id: StatId, now: Mono, ms: u64) {
        let ends = now.after(ms);
        self.set(id, Clock { ends, looks: ends });
    }

    /// The step goes on for now.
    pub(crate) fn look_again(&mut self, id: StatId, now: Mono) {
        if let Some(clock) = self.clocks.get(&id).copied() {
            self.set(id, Clock { looks: clock.ends.min(now.after(limits::REACHABLE_LOOK_MS)), ..clock });
        }
    }

    pub(crate) fn stop(&mut self, id: StatId) {
        if let Some(clock) = self.clocks.remove(&id) {
            self.due.remove(&(clock.looks, id));
        }
    }

    /// Milliseconds until the stage ends; none: it has no end.
    pub(crate) fn left_ms(&self, id: StatId, now: Mono) -> Option<u64> {
        self.clocks.get(&id).map(|clock| clock.ends.0.saturating_sub(now.0))
    }

    pub(crate) fn first(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The first that is due. It has to be set or stopped by what is made of it: until then it is not due again.
    pub(crate) fn take_due(&mut self, now: Mono) -> Option<StatId> {
        let (at, id) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        Some(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.clocks.len()
    }

    fn set(&mut self, id: StatId, clock: Clock) {
        self.stop(id);
        self.clocks.insert(id, clock);
        self.due.insert((clock.looks, id));
    }
}
