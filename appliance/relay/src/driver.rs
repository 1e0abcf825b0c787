//! The loop: whatever waits becomes one transaction; answers leave after it.
//!
//! One task owns the core and the store's writer. It never blocks on a connection: lanes take what fits and remember
//! the rest. Throughput rises with load, because more inputs share a commit, while latency stays one commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{Semaphore, mpsc};
use wardline_core::ids::{Change, Conn, ConversationId, DeviceId};
use wardline_core::input::{Ask, Door, Input, Source};
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::relay::Relay;
use wardline_core::text::Text;
use wardline_core::time::{Mono, Now};
use wardline_core::turn::{Event, Send};
use wardline_core::wire::{self, proto};
use wardline_core::write::{Numbered, Write};

use crate::batch::Batch;
use crate::catchup::Library;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::intake::{Intake, Item, Patience};
use crate::lane::{Attach, Lane, Out, UnderWay};
use crate::logging::safe;
use crate::metrics::Metrics;
use crate::store::{Commit, Store, StoreError};
use crate::watchdog::Watchdog;

/// Inputs that may wait for the driver. Every connection waits for its own turn to put one in, so one that floods
/// takes one place at a time. 4,096 x about 300 bytes: 1 MB, and at most 4,096 bodies of 8 KiB: 32 MB.
pub const INPUTS_MAX: usize = 4_096;
/// Inputs that share one commit. More gain little and make the first one wait.
const BATCH_MAX: usize = 1_024;
/// How long receipts wait for a commit to share. Nobody is told that they arrived, and clients gather them for 200 ms
/// themselves; a commit of their own for each would make the next message wait for it.
const RECEIPTS_WAIT: Duration = Duration::from_millis(50);
/// Between commits that sign-ins are the reason for: a storm's, one each two milliseconds, are ten to a commit then.
const SIGN_INS_WAIT: Duration = Duration::from_millis(20);
/// Milliseconds between looks at the disk when nothing is committed.
const DISK_LOOK_MS: u64 = 1_000;
/// Conversations that one look may find old messages in. The core lets at most 256 messages go of each at a time:
/// 64 x 256 = 16,384 rows, in as many turns as there are conversations, so that nobody's message waits for all of them.
const AGED_MAX: u32 = 64;

/// What the doorways tell the driver.
pub enum Command {
    /// A connection opened, with the lane that leads back to it.
    Connected(Conn, Door, Source, Arc<Lane>),
    /// Something happened.
    Input(Input),
    /// A client asks for something. A submission brings its text along for those who are connected. The last is let go
    /// when the answer is on the lane.
    Request(Input, Option<Text>, UnderWay),
}

impl Item for Command {
    fn conn(&self) -> Option<Conn> {
        match self {
            Self::Connected(conn, ..) => Some(*conn),
            Self::Input(input) | Self::Request(input, ..) => input.conn(),
        }
    }

    fn patience(&self) -> Option<Patience> {
        match self {
            Self::Request(Input::Request { ask: Ask::Receipt { .. }, .. }, ..) => {
                Some(Patience::FromNow(RECEIPTS_WAIT))
            }
            Self::Input(Input::Proof { .. }) | Self::Request(Input::Proof { .. }, ..) => {
                Some(Patience::SinceLast(SIGN_INS_WAIT))
            }
            _ => None,
        }
    }
}

/// Why the loop ended.
#[derive(Debug, Error)]
pub enum Ended {
    /// Asked to: everybody was told.
    #[error("drained")]
    Drained,
    /// A commit did not succeed. Nothing of it was acknowledged; starting again from the store is safe.
    #[error("the store did not commit, nothing of it was acknowledged: {0}")]
    NotCommitted(StoreError),
}

/// The loop's belongings.
pub struct Driver {
    /// The decisions.
    pub relay: Relay,
    /// The one writer.
    pub store: Store,
    /// The read side, for sweeps and for forgetting purged keys.
    pub library: Arc<Library>,
    /// The volume.
    pub disk: Disk,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// When to empty the write-ahead log next, because a purged key may still be in there; `None` when none is. Due at
    /// the start: the last run may have died before it was gone.
    pub scrub_due: Option<Mono>,
    /// The clock.
    pub clock: Clock,
    /// From the doorways.
    pub intake: Intake<Command>,
    /// To itself, for answers of the store.
    pub commands: mpsc::WeakSender<Command>,
    /// One place for who looks for old messages.
    pub aged_looks: Arc<Semaphore>,
    /// Who wants to know that the loop goes round.
    pub watchdog: Watchdog,
}

impl Driver {
    /// Runs until drained or until a commit fails.
    pub async fn run(mut self) -> Ended {
        let mut lanes: BTreeMap<Conn, Arc<Lane>> = BTreeMap::new();
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        loop {
            let due = Instant::now() + self.until_due();
            if self.intake.next(due, BATCH_MAX, &mut waiting).await.is_none() {
                return Ended::Drained;
            }
            let mut batch = Batch::default();
            let draining = self.decide(&mut lanes, &mut waiting, &mut batch);
            if let Err(error) = self.commit(&batch.writes).await {
                for lane in lanes.values() {
                    lane.close(CloseCode::DRAINING);
                }
                return Ended::NotCommitted(error);
            }
            self.dispatch(&mut lanes, batch);
            self.scrub().await;
            self.watchdog.alive();
            if draining {
                return Ended::Drained;
            }
        }
    }

    fn until_due(&self) -> Duration {
        let now = self.clock.now().mono.0;
        let due = self.relay.poll_timeout().map_or(u64::MAX, |due| due.0);
        Duration::from_millis(due.saturating_sub(now).min(DISK_LOOK_MS))
    }

    /// Lets the core decide everything that waits. True when this was the last of it.
    fn decide(
        &mut self,
        lanes: &mut BTreeMap<Conn, Arc<Lane>>,
        waiting: &mut Vec<Command>,
        batch: &mut Batch,
    ) -> bool {
        let now = self.clock.now();
        let free = self.disk.tend_or_full();
        self.metrics.disk_free_bytes.set(free);
        batch.add(self.relay.handle(now, Input::Disk { free }), None);
        let mut draining = self.decide_each(now, lanes, waiting.drain(..), batch);
        if self.relay.poll_timeout().is_some_and(|due| due <= now.mono) {
            batch.add(self.relay.handle_timeout(now), None);
        }
        if !batch.writes.is_empty() {
            let rest = self.intake.rest();
            draining |= self.decide_each(now, lanes, rest.into_iter(), batch);
        }
        let (connections, attached) = self.relay.connections();
        self.metrics.connections.set(connections as u64);
        self.metrics.attached.set(attached as u64);
        self.metrics.disk_low.set(u64::from(self.relay.disk_low()));
        draining
    }

    fn decide_each(
        &mut self,
        now: Now,
        lanes: &mut BTreeMap<Conn, Arc<Lane>>,
        commands: impl Iterator<Item = Command>,
        batch: &mut Batch,
    ) -> bool {
        let mut draining = false;
        for command in commands {
            let (input, text) = match command {
                Command::Connected(conn, door, source, lane) => {
                    lanes.insert(conn, lane);
                    (Input::Connected { conn, door, source }, None)
                }
                Command::Input(input) => (input, None),
                Command::Request(input, text, under_way) => {
                    batch.under_way.push(under_way);
                    (input, text)
                }
            };
            if let Input::Closed { conn } = &input {
                lanes.remove(conn);
            }
            draining |= matches!(input, Input::Drain);
            self.metrics.inputs_total.one();
            batch.add(self.relay.handle(now, input), text);
        }
        draining
    }

    async fn commit(&mut self, writes: &[Numbered]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        match self.store.commit(writes).await {
            Commit::Committed => {}
            Commit::Refused(error) | Commit::Unknown(error) => return Err(error),
        }
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.metrics.commits_total.one();
        self.metrics.commit_microseconds_total.add(took);
        self.metrics.writes_total.add(writes.len() as u64);
        for numbered in writes {
            match &numbered.write {
                Write::KeyDestroyed { conversation } => self.library.keyring.forget(*conversation),
                Write::MessageAccepted(_) => self.metrics.messages_accepted_total.one(),
                _ => {}
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, lanes: &mut BTreeMap<Conn, Arc<Lane>>, batch: Batch) {
        for send in batch.sends {
            match send {
                Send::FindAged { read_before, any_before } => {
                    self.find_aged(read_before, any_before);
                }
                Send::ScrubLog => self.scrub_due = Some(Mono(0)),
                Send::Fanout { change, event, conns } => {
                    self.fan_out(lanes, change, event, &conns, &batch.events)
                }
                Send::Close { conn, code } => {
                    if let Some(fault) = PeerFault::behind(code) {
                        self.metrics.peer_faults_total.one();
                        tracing::info!(conn = safe(&conn), fault = safe(&fault), "peer fault");
                    }
                    if let Some(lane) = lanes.get(&conn) {
                        lane.close(code);
                    }
                }
                other => self.to_lane(lanes, other),
            }
        }
    }

    /// Finishes a purge. A reader may be in the way: then again a second later, for as long as it takes.
    async fn scrub(&mut self) {
        let now = self.clock.now().mono;
        let Some(due) = self.scrub_due.filter(|due| *due <= now) else { return };
        self.scrub_due = match self.store.scrub().await {
            Ok(()) => None,
            Err(error) => {
                match error {
                    StoreError::Busy if due > Mono(0) => {}
                    StoreError::Busy => {
                        tracing::warn!(
                            "a purge is not finished yet: the log is emptied once nobody reads it"
                        );
                    }
                    error => tracing::error!(%error, "a purge is not finished: the log could not be emptied"),
                }
                Some(now.after(DISK_LOOK_MS))
            }
        };
    }

    fn to_lane(&self, lanes: &BTreeMap<Conn, Arc<Lane>>, send: Send) {
        let (conn, out) = match send {
            Send::Reply { conn, request, body } => {
                if matches!(body, proto::server_frame::Body::Refused(_)) {
                    self.metrics.refusals_total.one();
                }
                if let (proto::server_frame::Body::SignedIn(signed_in), Some(lane)) =
                    (&body, lanes.get(&conn))
                    && let Some(device) = DeviceId::new(signed_in.device)
                {
                    lane.set_device(device);
                }
                (conn, Out::Frame(frame(request.0, body)))
            }
            Send::Welcome { conn, request, expect, welcome } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.expect(expect);
                }
                (conn, Out::Frame(frame(request.0, proto::server_frame::Body::Welcome(welcome))))
            }
            Send::StretchPin { conn, person, device, salt } => (conn, Out::Stretch(person, device, salt)),
            Send::AnswerAgain { conn, request, device, number, message } => {
                (conn, Out::AnswerAgain(request, device, number, message))
            }
            Send::ReadPage { conn, request, grant } => (conn, Out::Page(request, grant)),
            Send::Accepted(accepted) => {
                if let Some(lane) = lanes.get(&accepted.conn) {
                    lane.accepted(accepted);
                }
                return;
            }
            Send::Attach { conn, request, grant, device, after } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.attach(Attach { request, grant, device, after });
                }
                return;
            }
            Send::Detach { conn } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.detach();
                }
                return;
            }
            Send::Fanout { .. } | Send::Close { .. } | Send::FindAged { .. } | Send::ScrubLog => return,
        };
        if let Some(lane) = lanes.get(&conn) {
            lane.answer(out);
        }
    }

    /// Encodes an event once and gives every lane its own head for it.
    fn fan_out(
        &self,
        lanes: &BTreeMap<Conn, Arc<Lane>>,
        change: Change,
        event: Event,
        conns: &[Conn],
        events: &BTreeMap<Change, Bytes>,
    ) {
        let bytes = match event {
            // A purge in the same commit: nobody sees any more what it destroyed.
            Event::Message(conversation, _) if self.is_purged(conversation) => return,
            Event::Message(..) => match events.get(&change) {
                Some(bytes) => bytes.clone(),
                None => return,
            },
            Event::Small(kind) => Bytes::from(wire::encode_event(*kind)),
        };
        for conn in conns {
            let Some(lane) = lanes.get(conn) else { continue };
            lane.deliver(change, &bytes, |device| {
                wire::delivery_head(&self.library.cursors.seal(device, change).0, bytes.len())
            });
        }
        self.metrics.deliveries_total.add(conns.len() as u64);
    }

    fn is_purged(&self, conversation: ConversationId) -> bool {
        self.relay.state().conversations.get(&conversation).is_some_and(|conversation| conversation.purged)
    }

    /// One look at a time: the core asks again while there is something to find, and at its next sweep in any case.
    fn find_aged(&self, read_before: Change, any_before: Change) {
        let Ok(looking) = Arc::clone(&self.aged_looks).try_acquire_owned() else { return };
        let (library, commands) = (Arc::clone(&self.library), self.commands.clone());
        tokio::spawn(async move {
            let _looking = looking;
            let aged = match library.readers.aged(read_before, any_before, AGED_MAX).await {
                Ok(aged) => aged,
                Err(error) => return tracing::warn!(%error, "could not look for old messages"),
            };
            for (conversation, read_through, any_through) in aged {
                let Some(commands) = commands.upgrade() else { return };
                let input = Input::Aged { conversation, read_through, any_through };
                if commands.send(Command::Input(input)).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// A frame with its prefix.
pub fn frame(request: u64, body: proto::server_frame::Body) -> Vec<u8> {
    wire::encode_frame(&proto::ServerFrame { request, body: Some(body) })
}
