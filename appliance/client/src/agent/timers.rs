//! What is due when.

use tokio::time::Instant;

use super::{Agent, Link, storage};
use crate::error::End;

impl Agent {
    /// When [`Agent::timers`] has something to do.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        let now = Instant::now();
        let delayed = self.delayed.values().map(|(until, _)| *until).filter(|until| *until > now).min();
        let delayed = delayed.filter(|_| self.is_open());
        let receipts = self.receipts.at().filter(|_| self.is_open());
        let probe = match &self.link {
            Link::Up(up) => up.probes_at(),
            _ => None,
        };
        let roaming = self.roaming.at();
        let asked = [self.asked.overdue_at(), self.stat_late_at()];
        [probe, Some(roaming), self.save_at, self.rewrite_at, delayed, receipts]
            .into_iter()
            .chain(asked)
            .flatten()
            .min()
    }

    pub(super) fn timers(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.save_at) {
            self.save()?;
        }
        if due(self.rewrite_at) {
            self.rewrite_at = None;
            self.outbox.rewrite().map_err(storage)?;
        }
        if due(self.receipts.at()) && self.is_open() {
            self.flush_receipts();
        }
        if self.roaming.at() <= now {
            self.look_around(now)?;
        }
        self.probe(now);
        if due(self.asked.overdue_at()) {
            self.silent()?;
        }
        Ok(())
    }
}
