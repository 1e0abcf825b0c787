//! The handle: what a program holds of its client. Everything is done by one task behind it ([`crate::agent`]).

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use wardline_core::ids::{ConversationId, MessageId, PersonId, Sequence};
use wardline_core::pin::Pin;
use wardline_core::wire::proto::{client_frame, server_frame};

use crate::agent::{Agent, Command, Stamped};
use crate::attachments::{Transfer, Uploaded};
use crate::beside::Beside;
use crate::call::Call;
use crate::clearing;
use crate::error::{End, Error};
use crate::event::{Accepted, Conversation, Event, Person, SignedIn, Unsent};
use crate::join;
use crate::link::{Code, JoinLink};
use crate::profile::{Identity, Profile};
use crate::settle::{Stamp, Taken};
use crate::share::{self, Share};
use crate::stat::Urgency;
use crate::visit::{self, Asking};

/// Commands that may wait for the task.
const COMMANDS_WAITING: usize = 256;
/// Events handed to the user's side at a time; more wait with the task.
const EVENTS_WAITING: usize = 64;

/// How a client is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Look, and leave no trace: a sync is a snapshot, receipts are not sent, cursor and state are not written.
    /// Sending works as ever.
    pub peek: bool,
}

/// Where the client stands with its box.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Standing {
    /// An attempt is under way.
    Connecting,
    /// The last attempt, or the connection, failed; the next one comes by itself.
    Waiting(Arc<Error>),
    /// Connected; the box wants the person's PIN.
    PinNeeded {
        /// Until the device locks.
        tries_left: u32,
    },
    /// Signed in.
    Open(SignedIn),
    /// Over.
    Ended(End),
}

/// One device's client. Clones are the same client; when the last is dropped it ends, its files in order.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    standing: watch::Receiver<Standing>,
    events: Arc<Mutex<Option<Events>>>,
    identity: Arc<Identity>,
}

/// What happens, in order.
pub struct Events {
    from: mpsc::Receiver<Stamped>,
    taken: Arc<Taken>,
    last: Option<Stamp>,
}

/// A message that is kept, and the way to hear what becomes of it.
pub struct Tracked {
    /// Its name.
    pub id: MessageId,
    outcome: oneshot::Receiver<Result<Accepted, Error>>,
}

impl Client {
    /// Enrols this device with a join link and opens it. `profile` must not hold a profile yet. The devices that the
    /// person has already count as known to them: show them, with [`Client::enrol`].
    pub async fn join(link: &JoinLink, pin: &Pin, device_name: &str, profile: &Path) -> Result<Self, Error> {
        Ok(Self::enrol(link, pin, device_name, profile).await?.0)
    }

    /// [`Client::join`], and what the box said to it: [`SignedIn::others`] are the person's other devices.
    pub async fn enrol(
        link: &JoinLink,
        pin: &Pin,
        device_name: &str,
        profile: &Path,
    ) -> Result<(Self, SignedIn), Error> {
        let (profile, signed_in) = join::redeem(link, pin, device_name, profile).await?;
        Ok((Self::start(profile, Options::default())?, signed_in))
    }

    /// Asks at a bed to be let in to a patient's family thread, and waits for so long. `waiting` is called once the question
    /// waits for the team. `None`: nobody has answered; the same call later goes on.
    pub async fn visit(
        link: &JoinLink,
        pin: &Pin,
        asking: Asking<'_>,
        profile: &Path,
        patience: std::time::Duration,
        waiting: impl FnMut(),
    ) -> Result<Option<(Self, SignedIn)>, Error> {
        let joined = visit::ask_and_wait(link, pin, asking, profile, patience, waiting).await?;
        joined
            .map(|(profile, signed_in)| Ok((Self::start(profile, Options::default())?, signed_in)))
            .transpose()
    }

    /// Gives a device that ten wrong PINs have locked another PIN, with the code that its person was given face to face
    /// ([`crate::Calls::clear_pin`]), and opens it. The device stays what it was, and so does what waits to be sent.
    pub async fn choose_pin(code: &Code, pin: &Pin, profile: &Path) -> Result<(Self, SignedIn), Error> {
        let (profile, signed_in) = clearing::choose(code, pin, profile).await?;
        Ok((Self::start(profile, Options::default())?, signed_in))
    }

    /// Opens an enrolled device. Connects by itself; what happens is told by [`Client::events`] and
    /// [`Client::standing`].
    pub async fn open(profile: &Path) -> Result<Self, Error> {
        Self::open_with(profile, Options::default()).await
    }

    /// [`Client::open`], with a say in how.
    pub async fn open_with(profile: &Path, options: Options) -> Result<Self, Error> {
        Self::start(Profile::open(profile)?, options)
    }

    fn start(profile: Profile, options: Options) -> Result<Self, Error> {
        let (commands, to_do) = mpsc::channel(COMMANDS_WAITING);
        let (tell, events) = mpsc::channel(EVENTS_WAITING);
        let (stands, standing) = watch::channel(Standing::Connecting);
        let taken = Arc::new(Taken { stamps: Mutex::new(Vec::new()), more: Notify::new() });
        let identity = Arc::new(profile.identity.clone());
        // Who only looks is done in a moment.
        let share = if options.peek {
            None
        } else {
            Share::open(&profile.path(share::NAME), commands.downgrade(), standing.clone())
        };
        let agent = Agent::new(profile, options, share, to_do, tell, stands, taken.clone())?;
        tokio::spawn(agent.run());
        let events = Events { from: events, taken, last: None };
        Ok(Self { commands, standing, events: Arc::new(Mutex::new(Some(events))), identity })
    }

    /// Who this is and where its box.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where the client stands with its box, now and as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits for an open session, through any number of reconnections. An error when somebody must act first:
    /// [`Error::Locked`], [`Error::Ended`].
    pub async fn ready(&self) -> Result<SignedIn, Error> {
        self.settled(false).await
    }

    /// Waits for the outcome of the attempt under way: as [`Client::ready`], and [`Error::Offline`] when it fails. A box
    /// that says when to come again is waited for.
    pub async fn contact(&self) -> Result<SignedIn, Error> {
        self.settled(true).await
    }

    async fn settled(&self, impatient: bool) -> Result<SignedIn, Error> {
        let mut standing = self.standing.clone();
        loop {
            match &*standing.borrow_and_update() {
                Standing::Open(signed_in) => return Ok(signed_in.clone()),
                Standing::PinNeeded { tries_left } => return Err(Error::Locked { tries_left: *tries_left }),
                Standing::Ended(end) => return Err(end.clone().into()),
                Standing::Waiting(why) if impatient && !why.is_turn_taking() => {
                    return Err(Error::Offline(why.to_string()));
                }
                Standing::Waiting(_) | Standing::Connecting => {}
            }
            standing.changed().await.map_err(|_| End::Closed)?;
        }
    }

    /// The stream of events, once. Taking it is what starts the delivery of messages to this device: a program that
    /// never takes it can send and ask, and is delivered nothing.
    pub fn events(&self) -> Option<Events> {
        let events = self.events.lock().ok()?.take()?;
        let _ = self.commands.try_send(Command::Follow);
        Some(events)
    }

    /// Keeps a message and sends it as soon as can be. Returns once it is on disk.
    pub async fn send(&self, conversation: ConversationId, text: &str) -> Result<MessageId, Error> {
        self.send_tracked(conversation, text).await.map(|tracked| tracked.id)
    }

    /// [`Client::send`], with the way to wait for what becomes of it.
    pub async fn send_tracked(&self, conversation: ConversationId, text: &str) -> Result<Tracked, Error> {
        self.send_urgent(conversation, text, Urgency::default()).await
    }

    /// [`Client::send_tracked`], with how urgent it is. A STAT that could not be given to the box within a minute is given
    /// up, and its sender told to call: it must not ring when nobody expects it any more.
    pub async fn send_urgent(
        &self,
        conversation: ConversationId,
        text: &str,
        urgency: Urgency,
    ) -> Result<Tracked, Error> {
        self.send_beside(conversation, text, urgency, Beside::default()).await
    }

    /// [`Client::send_urgent`], with what stands beside the text: what it answers, and whom it names.
    pub async fn send_beside(
        &self,
        conversation: ConversationId,
        text: &str,
        urgency: Urgency,
        beside: Beside,
    ) -> Result<Tracked, Error> {
        self.send_with(conversation, text, urgency, beside, Vec::new()).await
    }

    /// The same, with files that [`Client::upload`] brought to the box for this conversation, 8 at most.
    pub async fn send_with(
        &self,
        conversation: ConversationId,
        text: &str,
        urgency: Urgency,
        beside: Beside,
        attachments: Vec<Uploaded>,
    ) -> Result<Tracked, Error> {
        let (kept, is_kept) = oneshot::channel();
        let (settled, outcome) = oneshot::channel();
        let text = text.to_owned();
        self.tell(Command::Send { conversation, text, urgency, beside, attachments, kept, settled }).await?;
        let id = is_kept.await.map_err(|_| End::Closed)??;
        Ok(Tracked { id, outcome })
    }

    /// What was composed here and is not accepted yet, or never will be, and why as far as the box said.
    pub async fn unsent(&self) -> Result<Vec<Unsent>, Error> {
        self.ask(Command::Waiting).await
    }

    /// Waits until nothing waits to be sent. Bound this with a timeout: it takes as long as the box is away.
    pub async fn drained(&self) -> Result<(), Error> {
        self.ask(Command::Drained).await
    }

    /// Offers the person's PIN. Works while connecting as well: it is held until the box asks for it, and given up when
    /// the attempt fails.
    pub async fn unlock(&self, pin: Pin) -> Result<SignedIn, Error> {
        self.ask(|reply| Command::Unlock { pin, reply }).await?
    }

    /// The person has seen everything of this conversation up to here.
    pub async fn mark_read(&self, conversation: ConversationId, read: Sequence) -> Result<(), Error> {
        self.tell(Command::Read { conversation, read }).await
    }

    /// A person touched the program: keeps the session from locking. Call it as often as it happens.
    pub async fn touched(&self) -> Result<(), Error> {
        self.tell(Command::Active).await
    }

    /// The program is open in front of somebody: say it every [`wardline_core::limits::HERE_MS`] while it is, so that
    /// colleagues see that this person can be reached. Keeps no session open.
    pub async fn here(&self) -> Result<(), Error> {
        self.tell(Command::Here).await
    }

    /// The network under this machine changed, or it woke: moves the connection to the new path, or connects at once. Say it
    /// as soon as the system does, and as often. A connection that moved along tells nothing; where a new one had to take
    /// its place, [`Event::Connected`] comes again.
    pub async fn network_changed(&self) -> Result<(), Error> {
        self.tell(Command::NetworkChanged).await
    }

    /// The conversations and people that this device knows of without asking.
    pub async fn known(&self) -> Result<(Vec<Conversation>, Vec<Person>), Error> {
        self.ask(Command::Known).await
    }

    /// The direct conversation with a person, if this device knows of one. Needs no connection.
    pub async fn known_direct(&self, person: PersonId) -> Result<Option<ConversationId>, Error> {
        let me = self.identity.person;
        let (conversations, _) = self.known().await?;
        let with = |c: &Conversation| {
            c.kind == crate::event::Kind::Direct
                && !c.purged
                && c.members.iter().any(|member| member.person == person)
                && c.members.iter().any(|member| member.person == me)
        };
        Ok(conversations.into_iter().find(with).map(|conversation| conversation.id))
    }

    /// Ends: flushes receipts, writes what was taken, takes leave of the box. What waits to be sent stays on disk.
    pub async fn close(&self) {
        let (done, is_done) = oneshot::channel();
        if self.tell(Command::Close(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// A request that speaks of a file, on the connection there is.
    pub(crate) async fn transfer(&self, body: client_frame::Body) -> Result<Transfer, Error> {
        self.ask(|reply| Command::Transfer { body, reply }).await?
    }

    async fn tell(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| self.end())
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| self.end())
    }

    fn end(&self) -> Error {
        match &*self.standing.borrow() {
            Standing::Ended(end) => end.clone().into(),
            _ => End::Closed.into(),
        }
    }
}

impl Call for Client {
    async fn call(&self, body: client_frame::Body) -> Result<server_frame::Body, Error> {
        self.ask(|reply| Command::Call { body, reply }).await?
    }
}

impl Tracked {
    /// Waits for the box: accepted, or refused for good. Messages wait as long as it takes; bound this with a
    /// timeout, and the message is sent all the same. Can be awaited again after that.
    pub async fn outcome(&mut self) -> Result<Accepted, Error> {
        (&mut self.outcome).await.map_err(|_| End::Closed)?
    }
}

impl Events {
    /// The next event. Asking for it says that the one before is dealt with: shown, printed, stored. `None`: over.
    /// Cancelling this future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            self.done();
            let Stamped { event, stamp } = self.from.recv().await?;
            self.last = Some(stamp);
            if event.is_some() {
                return event;
            }
        }
    }

    /// Says that the last event is dealt with, without asking for another.
    pub fn done(&mut self) {
        if let Some(stamp) = self.last.take().filter(|stamp| !stamp.is_empty())
            && let Ok(mut stamps) = self.taken.stamps.lock()
        {
            stamps.push(stamp);
            self.taken.more.notify_one();
        }
    }
}
