//! The one task behind a [`crate::Client`]: keeps the connection up, the outbox moving, events in order.
//!
//! ```text
//! Down (waits) -> Connecting -> Up: locked <-> open -> Down …            Over (revoked, superseded, files failed)
//! ```
//!
//! What arrives is queued for the user without ever holding back answers: when the user is slow, deliveries beyond a
//! bound are dropped and, once the queue has drained, asked for again from the cursor behind the last queued one.

mod attempt;
mod frames;
mod pulse;
mod roaming;
mod sending;
mod timers;

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use wardline_core::ids::{ConversationId, MessageId, Sequence};
use wardline_core::pin::Pin;
use wardline_core::wire::proto::{self, client_frame, server_frame};

use crate::attachments::{Transfer, Uploaded};
use crate::beside::Beside;
use crate::client::{Options, Standing};
use crate::clock;
use crate::connection::{Broken, Connection, Endpoint};
use crate::error::{End, Error, InputError, Refused};
use crate::event::{Accepted, Conversation, Event, Person, SignedIn, Unsent};
use crate::inflight::{Asked, InFlight};
use crate::outbox::Outbox;
use crate::profile::Profile;
use crate::settle::{Receipts, Stamp, Taken};
use crate::share::Share;
use crate::signed;
use crate::signin::Proven;
use crate::stat::{Ring, StatRef, Urgency};
use crate::state::State;
use crate::trust::{Root, Trust};
use pulse::Pulse;
use roaming::{Probing, Roaming};

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
        urgency: Urgency,
        beside: Beside,
        attachments: Vec<Uploaded>,
        kept: oneshot::Sender<Result<MessageId, Error>>,
        settled: oneshot::Sender<Result<Accepted, Error>>,
    },
    Waiting(oneshot::Sender<Vec<Unsent>>),
    Drained(oneshot::Sender<()>),
    Unlock {
        pin: Pin,
        reply: oneshot::Sender<Result<SignedIn, Error>>,
    },
    Read {
        conversation: ConversationId,
        read: Sequence,
    },
    Active,
    Here,
    NetworkChanged,
    Known(oneshot::Sender<(Vec<Conversation>, Vec<Person>)>),
    Call {
        body: client_frame::Body,
        reply: oneshot::Sender<Result<server_frame::Body, Error>>,
    },
    /// A request that speaks of a file, and the connection that is to carry it.
    Transfer {
        body: client_frame::Body,
        reply: oneshot::Sender<Result<Transfer, Error>>,
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

/// Dropping it gives it up.
struct Attempt {
    outcome: Pinned<Box<dyn Future<Output = Result<Established, Error>> + Send>>,
    /// The box has answered.
    has_reached: Arc<AtomicBool>,
    /// The proof may be on its way: the box may sign this device in by it, and close what it had before.
    has_proved: Arc<AtomicBool>,
}

#[expect(clippy::large_enum_variant, reason = "a client has one, and it stays where it is")]
enum Link {
    Down {
        until: Instant,
        /// The box said so.
        imposed: bool,
    },
    Connecting(Attempt),
    Up(Up),
}

struct Up {
    connection: Connection,
    facility: String,
    /// Signed in since; `None`: locked.
    open: Option<Instant>,
    /// The box's last refusal that answers no request: the reason, should it close the connection now.
    last_words: Option<Refused>,
    sync: Sync,
    /// This device is a unit's screen.
    screen: bool,
    pulse: Pulse,
    /// Whether the way works is being asked.
    probing: Option<Probing>,
    /// A second connection, tried beside this one that may be dead.
    rival: Option<Attempt>,
}

/// Whether the box delivers on this connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sync {
    No,
    /// By this request.
    Asked(u64),
    Running,
}

#[expect(clippy::large_enum_variant, reason = "it is boxed as a whole")]
enum Progress {
    Due,
    Connected(Result<Established, Error>),
    Rival(Result<Established, Error>),
    Frame(Option<Result<proto::ServerFrame, Broken>>),
}

#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
enum Happened {
    Command(Option<Command>),
    Progress(Box<Progress>),
    HandedOver,
    Taken,
    Timer,
}

type Question = (client_frame::Body, oneshot::Sender<Result<server_frame::Body, Error>>);
type Unlocking = (Pin, oneshot::Sender<Result<SignedIn, Error>>);

pub(crate) struct Agent {
    // Fields are dropped in this order (Rust reference, "Destructors"): the profile's lock must outlive what is in the
    // profile, or the next holder's socket is taken for this one's and removed.
    _share: Option<Share>,
    outbox: Outbox,
    state: State,
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
    roaming: Roaming,
    asked: InFlight,
    questions: Vec<Question>,
    unlocking: Option<Unlocking>,
    receipts: Receipts,
    kept: Vec<(MessageId, oneshot::Sender<Result<MessageId, Error>>)>,
    settling: BTreeMap<MessageId, oneshot::Sender<Result<Accepted, Error>>>,
    delayed: BTreeMap<MessageId, (Instant, Refused)>,
    /// What rings on this connection: as many as ring for one person, some 100 bytes each.
    rings: BTreeMap<StatRef, Ring>,
    /// Who waits for an empty outbox.
    draining: Vec<oneshot::Sender<()>>,
    /// The box took a number for reused: one at a time until the outbox is empty.
    careful: bool,
    /// Numbers up to this one the box may have taken before this session.
    taken_before: u64,
}

impl Agent {
    pub(crate) fn new(
        profile: Profile,
        options: Options,
        share: Option<Share>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Stamped>,
        standing: watch::Sender<Standing>,
        taken: Arc<Taken>,
    ) -> Result<Self, Error> {
        let identity = &profile.identity;
        let outbox = Outbox::open(&profile.path("outbox"), &profile.key)?;
        let (state, cursor) = (profile.path("state"), profile.path("cursor"));
        let mut state = State::open(&state, &cursor, &profile.key, identity.person, identity.device)?;
        if options.peek {
            state.cursor.clear();
        }
        let roaming = Roaming::new(&identity.address, Instant::now());
        let mut agent = Self {
            trust: Trust::new(Root::Known(identity.root.clone()), &identity.server_name),
            endpoint: Arc::new(Endpoint::new()?),
            profile: Arc::new(profile),
            options,
            _share: share,
            commands,
            standing,
            events,
            queue: VecDeque::new(),
            following: false,
            taken,
            taken_cursor: None,
            save_at: None,
            rewrite_at: None,
            link: Link::Down { until: Instant::now(), imposed: false },
            attempt: 0,
            faults: 0,
            roaming,
            asked: InFlight::new(),
            questions: Vec::new(),
            unlocking: None,
            outbox,
            state,
            receipts: Receipts::default(),
            kept: Vec::new(),
            settling: BTreeMap::new(),
            delayed: BTreeMap::new(),
            rings: BTreeMap::new(),
            draining: Vec::new(),
            careful: false,
            taken_before: 0,
        };
        agent.connect();
        Ok(agent)
    }

    pub(crate) async fn run(mut self) {
        let (end, done) = self.work().await.unwrap_or_else(|end| (end, None));
        self.finish(end).await;
        // The files and their lock are free when `close` returns.
        drop(self);
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
                progress = attempt::progress(&mut self.link) => Happened::Progress(Box::new(progress)),
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
                Happened::Progress(progress) => self.progressed(*progress).await?,
                Happened::HandedOver => self.resume_sync(),
                Happened::Taken => self.take_stamps()?,
                Happened::Timer => self.timers()?,
            }
        }
    }

    fn command(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Follow => self.follow(),
            Command::Send { conversation, text, urgency, beside, attachments, kept, settled } => {
                let what = (urgency, beside, attachments);
                match self.outbox.put_with(conversation, text, what, clock::now_ms()) {
                    Ok(id) => {
                        self.kept.push((id, kept));
                        self.settling.insert(id, settled);
                    }
                    Err(error) => drop(kept.send(Err(error))),
                }
            }
            Command::Waiting(reply) => {
                let unsent = self.outbox.waiting().map(|waiting| Unsent {
                    message: waiting.id,
                    conversation: waiting.conversation,
                    composed: waiting.composed,
                    why: waiting.failed.clone().or_else(|| Some(self.delayed.get(&waiting.id)?.1.clone())),
                    failed: waiting.failed.is_some(),
                });
                let _ = reply.send(unsent.collect());
            }
            Command::Drained(reply) => self.draining.push(reply),
            Command::Unlock { pin, reply } => {
                if let Some((_, earlier)) = self.unlocking.replace((pin, reply)) {
                    let given_up = "Another PIN was offered before this one was sent.";
                    let _ = earlier.send(Err(InputError::NotNow(given_up).into()));
                }
                self.offer_pin();
            }
            Command::Read { conversation, read } => {
                let delivered = self.state.mine(conversation).map_or(read, |mine| mine.delivered.max(read));
                self.receipt(conversation, delivered, read);
            }
            Command::Active => {
                self.send_frame(0, client_frame::Body::Active(proto::Active {}));
            }
            Command::Here if self.is_open() => {
                self.send_frame(0, client_frame::Body::Here(proto::Here {}));
            }
            Command::Here => {}
            Command::NetworkChanged => self.network_changed(),
            Command::Known(reply) => {
                let known = self.state.conversations.values().map(|known| known.conversation.clone());
                let conversations = known.map(|conversation| self.state.seen(conversation));
                let _ = reply.send((conversations.collect(), self.state.people.values().cloned().collect()));
            }
            Command::Call { body, reply } => self.question(body, reply),
            Command::Transfer { body, reply } => self.transfer(body, reply),
            Command::Close(_) => {}
        }
        Ok(())
    }

    fn question(
        &mut self,
        mut body: client_frame::Body,
        reply: oneshot::Sender<Result<server_frame::Body, Error>>,
    ) {
        if let Err(error) = signed::sign(&mut body, &self.profile) {
            return drop(reply.send(Err(error)));
        }
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

    /// A file goes by the connection that its request went by, or not at all: whoever brings it tries again.
    fn transfer(&mut self, body: client_frame::Body, reply: oneshot::Sender<Result<Transfer, Error>>) {
        let Some(connection) = self.open_connection() else {
            return drop(reply.send(Err(Error::Interrupted)));
        };
        let (answered, answer) = oneshot::channel();
        let request = self.asked.ask(Asked::Call(answered), Instant::now());
        self.send_frame(request, body);
        let _ = reply.send(Ok(Transfer { request, connection, answer }));
    }

    fn open_connection(&self) -> Option<quinn::Connection> {
        match &self.link {
            Link::Up(up) if up.open.is_some() => Some(up.connection.quic()),
            _ => None,
        }
    }

    fn is_open(&self) -> bool {
        matches!(&self.link, Link::Up(Up { open: Some(_), .. }))
    }

    fn is_up(&self) -> bool {
        matches!(&self.link, Link::Up(_))
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
}

fn storage(error: impl std::fmt::Display) -> End {
    End::Storage(error.to_string())
}
