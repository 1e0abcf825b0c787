//! The loop: whatever waits becomes one transaction; answers leave after it.
//!
//! One task owns the core and the store's writer. It never blocks on a connection: lanes take what fits and remember
//! the rest. Throughput rises with load, because more inputs share a commit, while latency stays one commit.
//!
//! Nothing is decided while a batch is written. It could be, for nothing leaves before it is on disk itself; tried, it made
//! messages dearer ([docs/performance.md](../../../docs/performance.md)).

mod batch;
mod deciding;
mod dispatch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wardline_core::ids::Conn;
use wardline_core::input::{Ask, Door, Input, Source};
use wardline_core::refusal::CloseCode;
use wardline_core::relay::Relay;
use wardline_core::text::{FileName, Text};
use wardline_core::time::Mono;
use wardline_core::wire::{self, proto};
use wardline_core::write::{Numbered, Write};

use self::deciding::Deciding;
use self::dispatch::{Dispatch, Lanes};
use crate::bell::Bell;
use crate::catchup::Library;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::front::certificates::LeafHashes;
use crate::intake::{Intake, Item, Patience};
use crate::lane::{Lane, UnderWay};
use crate::metrics::Metrics;
use crate::store::{Commit, Store, StoreError};
use crate::watchdog::Watchdog;

/// Inputs that may wait for the driver. Every connection waits for its own turn to put one in, so one that floods
/// takes one place at a time. 4,096 x about 300 bytes: 1 MB, and at most 4,096 bodies of 8 KiB: 32 MB.
pub const INPUTS_MAX: usize = 4_096;
/// How long receipts wait for a commit to share. Nobody is told that they arrived, and clients gather them for 200 ms
/// themselves; a commit of their own for each would make the next message wait for it.
const RECEIPTS_WAIT: Duration = Duration::from_millis(50);
/// Between commits that sign-ins are the reason for: a storm's, one each two milliseconds, are ten to a commit then.
const SIGN_INS_WAIT: Duration = Duration::from_millis(20);
/// Milliseconds between tries to empty the log.
const SCRUB_AGAIN_MS: u64 = 1_000;

/// What the doorways tell the driver.
pub enum Command {
    /// A connection opened, with the lane that leads back to it.
    Connected(Conn, Door, Source, Arc<Lane>),
    /// Something happened.
    Input(Input),
    /// A client asks for something. A submission brings its text along for those who are connected. The last is let go
    /// when the answer is on the lane.
    Request(Input, Option<Said>, UnderWay),
    /// The store found old messages. The permit is let go when what was made of it is on disk.
    Aged(Input, OwnedSemaphorePermit),
}

/// What a submission or an edit says, in clear.
pub struct Said {
    /// Its text.
    pub text: Text,
    /// What the files of a submission are called, in order.
    pub names: Vec<FileName>,
    /// The files that an edited message has.
    pub attachments: Vec<proto::Attachment>,
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self { text, names: Vec::new(), attachments: Vec::new() }
    }
}

impl Item for Command {
    fn conn(&self) -> Option<Conn> {
        match self {
            Self::Connected(conn, ..) => Some(*conn),
            Self::Input(input) | Self::Request(input, ..) | Self::Aged(input, _) => input.conn(),
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
    /// By which hashes a browser knows this box: said with every welcome.
    pub leaves: Arc<LeafHashes>,
    /// What rings closed apps, if anything does.
    pub bell: Option<Bell>,
    /// Who wants to know that the loop goes round.
    pub watchdog: Watchdog,
}

impl Driver {
    /// Runs until drained or until a commit fails.
    pub async fn run(self) -> Ended {
        let Self { relay, store, library, disk, metrics, scrub_due, clock, intake, commands, .. } = self;
        let (aged_looks, mut watchdog) = (self.aged_looks, self.watchdog);
        let (lanes, waiting) = (Lanes::new(), Vec::new());
        let dispatch = Dispatch {
            library: Arc::clone(&library),
            metrics: Arc::clone(&metrics),
            commands,
            aged_looks,
            leaves: self.leaves,
            bell: self.bell,
        };
        let mut writing = Writing { store, library, metrics: Arc::clone(&metrics), scrub_due, clock };
        let mut deciding = Deciding { relay, disk, clock, intake, metrics, lanes, waiting, over: false };
        loop {
            let batch = deciding.next().await;
            if let Err(error) = writing.commit(&batch.writes).await {
                for lane in deciding.lanes.values() {
                    lane.close(CloseCode::DRAINING);
                }
                return Ended::NotCommitted(error);
            }
            if dispatch.dispatch(&deciding.lanes, batch) {
                writing.scrub_due = Some(Mono(0));
            }
            writing.scrub().await;
            watchdog.alive();
            if deciding.over {
                return Ended::Drained;
            }
        }
    }
}

/// The store's one writer.
struct Writing {
    store: Store,
    library: Arc<Library>,
    metrics: Arc<Metrics>,
    scrub_due: Option<Mono>,
    clock: Clock,
}

impl Writing {
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
        self.library.search.committed(writes);
        for numbered in writes {
            match &numbered.write {
                Write::KeyDestroyed { conversation } => self.library.keyring.forget(*conversation),
                Write::MessageAccepted(_) => self.metrics.messages_accepted_total.one(),
                _ => {}
            }
            if leaves_a_file(&numbered.write) {
                self.library.files.look_soon();
            }
        }
        Ok(())
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
                Some(now.after(SCRUB_AGAIN_MS))
            }
        };
    }
}

/// Whether a file may be left behind without its key.
fn leaves_a_file(write: &Write) -> bool {
    matches!(
        write,
        Write::KeyDestroyed { .. }
            | Write::MessageRecalled { .. }
            | Write::MessagesExpired { .. }
            | Write::UploadDropped { .. }
    )
}

/// A frame with its prefix.
pub fn frame(request: u64, body: proto::server_frame::Body) -> Vec<u8> {
    wire::encode_frame(&proto::ServerFrame { request, body: Some(body) })
}
