//! What the core makes of what comes. Touches no store and sends nothing: it fills batches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wardline_core::input::Input;
use wardline_core::relay::Relay;
use wardline_core::time::Now;

use super::Command;
use super::batch::Batch;
use super::dispatch::Lanes;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::intake::Intake;
use crate::metrics::Metrics;

/// Inputs that share one commit, not counting at most as many that were held back for one. More gain little and make the
/// first one wait.
const BATCH_MAX: usize = 1_024;
/// Between looks at the disk when nothing is committed.
const DISK_LOOK: Duration = Duration::from_secs(1);

/// The core, and what reaches it.
pub(super) struct Deciding {
    pub(super) relay: Relay,
    pub(super) disk: Disk,
    pub(super) clock: Clock,
    pub(super) intake: Intake<Command>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) lanes: Lanes,
    /// What came and is not decided yet: empty but while it is being decided.
    pub(super) waiting: Vec<Command>,
    /// The last batch was decided: it was asked to drain, or nobody is there to say anything.
    pub(super) over: bool,
}

impl Deciding {
    /// Waits until there is something to decide, or time has come for something, and decides it.
    pub(super) async fn next(&mut self) -> Batch {
        let mut batch = Batch::default();
        let due = Instant::now() + self.until_due();
        if self.intake.next(due, BATCH_MAX, &mut self.waiting).await.is_none() {
            self.over = true;
        }
        let now = self.clock.now();
        // How full the disk is decides what is taken.
        let free = self.disk.tend_or_full();
        self.metrics.disk_free_bytes.set(free);
        batch.add(self.relay.handle(now, Input::Disk { free }), None);
        let mut waiting = std::mem::take(&mut self.waiting);
        for command in waiting.drain(..) {
            self.decide(now, command, &mut batch);
        }
        self.waiting = waiting;
        if self.relay.poll_timeout().is_some_and(|due| due <= now.mono) {
            batch.add(self.relay.handle_timeout(now), None);
        }
        // What waited for a commit to share; and there will be no other.
        if !batch.writes.is_empty() || self.over {
            for command in self.intake.rest() {
                self.decide(now, command, &mut batch);
            }
        }
        let (connections, attached) = self.relay.connections();
        self.metrics.connections.set(connections as u64);
        self.metrics.attached.set(attached as u64);
        self.metrics.disk_low.set(u64::from(self.relay.disk_low()));
        batch
    }

    fn until_due(&self) -> Duration {
        let now = self.clock.now().mono.0;
        let due = self.relay.poll_timeout().map_or(u64::MAX, |due| due.0);
        Duration::from_millis(due.saturating_sub(now)).min(DISK_LOOK)
    }

    fn decide(&mut self, now: Now, command: Command, batch: &mut Batch) {
        let (input, text) = match command {
            Command::Connected(conn, door, source, lane) => {
                self.lanes.insert(conn, lane);
                (Input::Connected { conn, door, source }, None)
            }
            Command::Input(input) => (input, None),
            Command::Aged(input, turn) => {
                batch.aged = Some(turn);
                (input, None)
            }
            Command::Request(input, text, under_way) => {
                batch.under_way.push(under_way);
                (input, text)
            }
        };
        if let Input::Closed { conn } = &input {
            self.lanes.remove(conn);
        }
        self.over |= matches!(input, Input::Drain);
        self.metrics.inputs_total.one();
        batch.add(self.relay.handle(now, input), text);
    }
}
