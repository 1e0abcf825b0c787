//! The one task behind a [`crate::Client`]: keeps the connection up, the outbox moving, events in order.
//!
//! ```text
//! Down (waits) -> Connecting -> Up: locked <-> open -> Down …            Over (revoked, superseded, files failed)
//! ```
//!
//! What arrives is queued for the user without ever holding back answers: when the user is slow, deliveries beyond a
//! bound are dropped and, once the queue has drained, asked for again from the cursor behind the last queued one.

mod frames;
mod sending;

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use wardline_core::ids::{ConversationId, MessageId, Sequence};
use wardline_core::pin::Pin;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::wire::proto::{self, client_frame, server_frame};

use crate::client::{Options, Standing};
use crate::clock;
use crate::connection::{Broken, Connection, Endpoint};
use crate::error::{CloseText, End, Error, Unreachable};
use crate::event::{Accepted, Conversation, Event, Person, SignedIn};
use crate::inflight::{Asked, InFlight};
use crate::outbox::Outbox;
use crate::profile::Profile;
use crate::settle::{Receipts, Stamp, Taken};
use crate::signin::{self, Proven};
use crate::state::State;
use crate::trust::{Root, Trust};

/// Events that wait for the user's side. Two minutes of a busy shift; more are asked for again.
const QUEUE_MAX: usize = 4_096;
/// What was taken is written at most this often.
const SAVE_INTERVAL: Duration = Duration::from_millis(250);
/// An emptied outbox is rewritten after so long without another message.
const REWRITE_AFTER: Duration = Duration::from_secs(1);
/// A connection that was open for so long counts as one that works.
const STEADY: Duration = Duration::from_secs(10);
/// Faults of ours in a row after which it is no accident.
const FAULTS_MAX: u32 = 5;

/// What the handle asks of the task.
pub(crate) enum Command {
    Follow,
    Send {
        conversation: ConversationId,
        text: String,
        kept: oneshot::Sender<Result<MessageId, Error>>,
        settled: oneshot::Sender<Result<Accepted, Error>>,
    },
    Waiting(oneshot::Sender<usize>),
    Unlock {
        pin: Pin,
        reply: oneshot::Sender<Result<SignedIn, Error>>,
    },
    Read {
        conversation: ConversationId,
        read: Sequence,
    },
    Active,
    NetworkChanged,
    Known(oneshot::Sender<(Vec<Conversation>, Vec<Person>)>),
    Call {
        body: client_frame::Body,
        reply: oneshot::Sender<Result<server_frame::Body, Error>>,
    },
    Close(oneshot::Sender<()>),
}

/// An event and what follows once it is dealt with. Without event: only what follows.
pub(crate) struct Stamped {
    pub(crate) event: Option<Event>,
    pub(crate) stamp: Stamp,
}

struct Established {
    connection: Connection,
    facility: String,
    proven: Proven,
}

type Connecting = Pinned<Box<dyn Future<Output = Result<Established, Error>> + Send>>;

enum Link {
    Down { until: Instant },
    Connecting(Connecting),
    Up(Up),
}

struct Up {
    connection: Connection,
    facility: String,
    /// Signed in since; `None`: locked.
    open: Option<Instant>,
    sync: Sync,
}

/// Whether the box delivers on this connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sync {
    No,
    Asked,
    Running,
}

enum Progress {
    Due,
    Connected(Result<Established, Error>),
    Frame(Option<Result<proto::ServerFrame, Broken>>),
}

enum Happened {
    Command(Option<Command>),
    Progress(Progress),
    HandedOver,
    Taken,
    Timer,
}

type Question = (client_frame::Body, oneshot::Sender<Result<server_frame::Body, Error>>);
type Unlocking = (Pin, oneshot::Sender<Result<SignedIn, Error>>);

pub(crate) struct Agent {
    profile: Arc<Profile>,
    options: Options,
    endpoint: Arc<Endpoint>,
    trust: Arc<Trust>,
    commands: mpsc::Receiver<Command>,
    standing: watch::Sender<Standing>,
    events: mpsc::Sender<Stamped>,
    queue: VecDeque<Stamped>,
    following: bool,
    taken: Arc<Taken>,
    taken_cursor: Option<Vec<u8>>,
    save_at: Option<Instant>,
    rewrite_at: Option<Instant>,
    link: Link,
    attempt: u32,
    faults: u32,
    asked: InFlight,
    questions: Vec<Question>,
    unlocking: Option<Unlocking>,
    outbox: Outbox,
    state: State,
    receipts: Receipts,
    kept: Vec<(MessageId, oneshot::Sender<Result<MessageId, Error>>)>,
    settling: BTreeMap<MessageId, oneshot::Sender<Result<Accepted, Error>>>,
    delayed: BTreeMap<MessageId, Instant>,
    /// The box took a number for reused: one at a time until the outbox is empty.
    careful: bool,
}

impl Agent {
    pub(crate) fn new(
        profile: Profile,
        options: Options,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Stamped>,
        standing: watch::Sender<Standing>,
        taken: Arc<Taken>,
    ) -> Result<Self, Error> {
        let identity = &profile.identity;
        let outbox = Outbox::open(&profile.path("outbox"), &profile.key)?;
        let (state, cursor) = (profile.path("state"), profile.path("cursor"));
        let mut state = State::open(&state, &cursor, &profile.key, identity.person)?;
        if options.peek {
            state.cursor.clear();
        }
        let mut agent = Self {
            trust: Trust::new(Root::Known(identity.root.clone()), &identity.server_name),
            endpoint: Arc::new(Endpoint::new()?),
            profile: Arc::new(profile),
            options,
            commands,
            standing,
            events,
            queue: VecDeque::new(),
            following: false,
            taken,
            taken_cursor: None,
            save_at: None,
            rewrite_at: None,
            link: Link::Down { until: Instant::now() },
            attempt: 0,
            faults: 0,
            asked: InFlight::new(),
            questions: Vec::new(),
            unlocking: None,
            outbox,
            state,
            receipts: Receipts::default(),
            kept: Vec::new(),
            settling: BTreeMap::new(),
            delayed: BTreeMap::new(),
            careful: false,
        };
        agent.connect();
        Ok(agent)
    }

    pub(crate) async fn run(mut self) {
        let (end, done) = self.work().await.unwrap_or_else(|end| (end, None));
        self.finish(end).await;
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    async fn work(&mut self) -> Result<(End, Option<oneshot::Sender<()>>), End> {
        loop {
            self.push_out()?;
            let timer = self.next_timer();
            // A clone, so that a reserved slot borrows nothing of `self`.
            let events = self.events.clone();
            let happened = tokio::select! {
                command = self.commands.recv() => Happened::Command(command),
                progress = progress(&mut self.link) => Happened::Progress(progress),
                Ok(slot) = events.reserve(), if !self.queue.is_empty() => {
                    if let Some(stamped) = self.queue.pop_front() {
                        slot.send(stamped);
                    }
                    Happened::HandedOver
                }
                () = self.taken.more.notified() => Happened::Taken,
                () = tokio::time::sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => {
                    Happened::Timer
                }
            };
            match happened {
                Happened::Command(None) => return Ok((End::Closed, None)),
                Happened::Command(Some(Command::Close(done))) => return Ok((End::Closed, Some(done))),
                Happened::Command(Some(command)) => {
                    self.command(command)?;
                    // What came together becomes durable together.
                    while let Ok(command) = self.commands.try_recv() {
                        match command {
                            Command::Close(done) => return Ok((End::Closed, Some(done))),
                            command => self.command(command)?,
                        }
                    }
                }
                Happened::Progress(progress) => self.progressed(progress).await?,
                Happened::HandedOver => self.resume_sync(),
                Happened::Taken => self.take_stamps()?,
                Happened::Timer => self.timers()?,
            }
        }
    }

    fn command(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Follow => self.follow(),
            Command::Send { conversation, text, kept, settled } => {
                match self.outbox.put(conversation, text, now_ms()) {
                    Ok(id) => {
                        self.kept.push((id, kept));
                        self.settling.insert(id, settled);
                    }
                    Err(error) => drop(kept.send(Err(error))),
                }
            }
            Command::Waiting(reply) => {
                let waiting = self.outbox.waiting().filter(|waiting| waiting.failed.is_none());
                let _ = reply.send(waiting.count());
            }
            Command::Unlock { pin, reply } => {
                self.unlocking = Some((pin, reply));
                self.offer_pin();
            }
            Command::Read { conversation, read } => {
                let delivered = self.state.mine(conversation).map_or(read, |mine| mine.delivered.max(read));
                self.receipt(conversation, delivered, read);
            }
            Command::Active => {
                self.send_frame(0, client_frame::Body::Active(proto::Active {}));
            }
            Command::NetworkChanged => match &self.link {
                Link::Up(_) => drop(self.endpoint.rebind()),
                Link::Down { .. } => {
                    self.attempt = 0;
                    self.connect();
                }
                Link::Connecting(_) => {}
            },
            Command::Known(reply) => {
                let conversations = self.state.conversations.values().map(|known| known.conversation.clone());
                let _ = reply.send((conversations.collect(), self.state.people.values().cloned().collect()));
            }
            Command::Call { body, reply } => self.question(body, reply),
            Command::Close(_) => {}
        }
        Ok(())
    }

    fn question(
        &mut self,
        body: client_frame::Body,
        reply: oneshot::Sender<Result<server_frame::Body, Error>>,
    ) {
        if self.is_open() {
            let request = self.asked.ask(Asked::Call(reply), Instant::now());
            return self.send_frame(request, body);
        }
        match &*self.standing.borrow() {
            Standing::PinNeeded { tries_left } => {
                drop(reply.send(Err(Error::Locked { tries_left: *tries_left })));
            }
            Standing::Waiting(why) => drop(reply.send(Err(Error::Offline(why.to_string())))),
            _ => self.questions.push((body, reply)),
        }
    }

    fn is_open(&self) -> bool {
        matches!(&self.link, Link::Up(Up { open: Some(_), .. }))
    }

    /// Starts an attempt.
    fn connect(&mut self) {
        let (endpoint, trust, profile) = (self.endpoint.clone(), self.trust.clone(), self.profile.clone());
        self.link = Link::Connecting(Box::pin(async move {
            let identity = &profile.identity;
            let mut connection = endpoint.connect(&identity.address, &trust).await?;
            let welcome = signin::hello(&mut connection, Some(identity.device)).await?;
            let proven = signin::prove(&mut connection, &welcome, identity.device, &profile.key).await?;
            Ok(Established { connection, facility: welcome.facility, proven })
        }));
        self.stand(Standing::Connecting);
    }

    async fn progressed(&mut self, progress: Progress) -> Result<(), End> {
        match progress {
            Progress::Due => self.connect(),
            Progress::Connected(Ok(established)) => self.established(established),
            Progress::Connected(Err(error)) => self.failed(error)?,
            Progress::Frame(Some(Ok(frame))) => self.frame(frame)?,
            Progress::Frame(Some(Err(Broken::Malformed))) => {
                self.lost(Error::Protocol("a malformed frame"), None)?;
            }
            Progress::Frame(Some(Err(Broken::Ended)) | None) => {
                let Link::Up(up) = &self.link else { return Ok(()) };
                let why = up.connection.why_closed().await;
                self.closed(why)?;
            }
        }
        Ok(())
    }

    fn established(&mut self, established: Established) {
        let Established { connection, facility, proven } = established;
        self.asked = InFlight::new();
        self.receipts.reconnected(Instant::now());
        self.link = Link::Up(Up { connection, facility, open: None, sync: Sync::No });
        match proven {
            Proven::SignedIn(signed_in) => self.opened(signed_in),
            Proven::PinNeeded { tries_left } => {
                self.stand(Standing::PinNeeded { tries_left });
                self.tell(Event::PinNeeded { tries_left });
                self.refuse_questions(|| Error::Locked { tries_left });
                self.offer_pin();
            }
        }
    }

    /// An attempt failed: some answers of the box are final.
    fn failed(&mut self, error: Error) -> Result<(), End> {
        use proto::RefusalCode as Code;
        match error {
            Error::Refused(refused)
                if matches!(
                    refused.code,
                    Code::VersionUnsupported
                        | Code::DeviceUnknown
                        | Code::PersonSuspended
                        | Code::PinLockedOut
                ) =>
            {
                Err(End::Refused(refused))
            }
            Error::Unreachable(Unreachable::Closed(why @ CloseText::Code(_))) => self.closed(why),
            error => self.lost(error, None),
        }
    }

    /// The connection closed.
    fn closed(&mut self, why: CloseText) -> Result<(), End> {
        if let CloseText::Code(code) = &why {
            match *code {
                CloseCode::SUPERSEDED => return Err(End::Superseded),
                CloseCode::REVOKED => return Err(End::Revoked),
                code if code == PeerFault::NumberReused.code() => self.suspect_numbers()?,
                // The PIN was not typed in time, or the network was slow: nobody's fault.
                code if code == PeerFault::TooSlow.code() => {}
                code if code.0 >= 0x100 => {
                    self.faults += 1;
                    if self.faults >= FAULTS_MAX {
                        return Err(End::Faulted(code));
                    }
                }
                _ => {}
            }
        }
        self.lost(Unreachable::Closed(why).into(), None)
    }

    /// No connection any more: what waits for answers hears so, and the next attempt is set.
    fn lost(&mut self, why: Error, after: Option<Duration>) -> Result<(), End> {
        if let Link::Up(Up { open: Some(since), .. }) = &self.link
            && since.elapsed() > STEADY
        {
            self.attempt = 0;
        }
        self.asked.abandon();
        self.refuse_questions(|| Error::Offline(why.to_string()));
        let after = after.unwrap_or_else(|| clock::backoff(self.attempt));
        self.attempt = self.attempt.saturating_add(1);
        self.link = Link::Down { until: Instant::now() + after };
        self.tell(Event::Reconnecting { after, why: why.to_string() });
        self.stand(Standing::Waiting(Arc::new(why)));
        Ok(())
    }

    fn refuse_questions(&mut self, why: impl Fn() -> Error) {
        for (_, reply) in std::mem::take(&mut self.questions) {
            let _ = reply.send(Err(why()));
        }
    }

    fn stand(&self, standing: Standing) {
        self.standing.send_replace(standing);
    }

    /// Queues an event that changes nothing on disk.
    fn tell(&mut self, event: Event) {
        self.queue(Some(event), Stamp::default());
    }

    fn queue(&mut self, event: Option<Event>, stamp: Stamp) {
        if self.following {
            self.queue.push_back(Stamped { event, stamp });
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let delayed = self.delayed.values().min().copied().filter(|_| self.is_open());
        let receipts = self.receipts.at().filter(|_| self.is_open());
        [self.save_at, self.rewrite_at, delayed, receipts, self.asked.overdue_at()]
            .into_iter()
            .flatten()
            .min()
    }

    fn timers(&mut self) -> Result<(), End> {
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
        self.delayed.retain(|_, until| *until > now);
        if due(self.asked.overdue_at()) {
            self.lost(Unreachable::Silent(self.profile.identity.address.to_string()).into(), None)?;
        }
        Ok(())
    }

    async fn finish(&mut self, end: End) {
        // What follows is best effort: whatever is not written comes again.
        let _ = self.take_stamps();
        let _ = self.save();
        if self.is_open() {
            self.flush_receipts();
        }
        let synced = self.outbox.sync();
        for (id, kept) in std::mem::take(&mut self.kept) {
            let _ = kept.send(if synced.is_ok() { Ok(id) } else { Err(end.clone().into()) });
        }
        if self.outbox.wants_rewriting() {
            let _ = self.outbox.rewrite();
        }
        if let Link::Up(up) = &mut self.link {
            // A reader that is dropped by the box says that it has read everything; half a second for that.
            let _ = tokio::time::timeout(Duration::from_millis(500), up.connection.finish()).await;
        }
        self.refuse_questions(|| end.clone().into());
        self.asked.abandon();
        if let Some((_, reply)) = self.unlocking.take() {
            let _ = reply.send(Err(end.clone().into()));
        }
        self.stand(Standing::Ended(end.clone()));
        self.link = Link::Down { until: Instant::now() };
        self.tell(Event::Ended(end));
        let _ = tokio::time::timeout(STEADY, async {
            for stamped in std::mem::take(&mut self.queue) {
                if self.events.send(stamped).await.is_err() {
                    break;
                }
            }
        })
        .await;
    }
}

async fn progress(link: &mut Link) -> Progress {
    match link {
        Link::Down { until } => {
            tokio::time::sleep_until(*until).await;
            Progress::Due
        }
        Link::Connecting(connecting) => Progress::Connected(connecting.await),
        Link::Up(up) => Progress::Frame(up.connection.frames.recv().await),
    }
}

fn storage(error: impl std::fmt::Display) -> End {
    End::Storage(error.to_string())
}

/// The wall clock, for what people see.
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).unwrap_or(0)
}
