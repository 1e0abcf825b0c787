//! One profile, several commands: whoever has a profile open for long answers the others through a socket in it.
//!
//! ```text
//! wardline tail (holds the profile) <-- `share` in the profile -- wardline send
//! ```
//!
//! The frames are those of the protocol, read and written by the same code. What the box would be asked goes on to the
//! box. Otherwise than the box are answered
//! - `Hello`, with where the holder stands: `SignedIn`, `PinNeeded` or `Refused`;
//! - `Sync`, with the people and conversations that the holder knows of;
//! - `Submit`, which goes into the holder's outbox (that names and numbers it; both are empty here), and is answered
//!   twice: with an `Accepted` without sequence once it is kept, and again once the box has answered.
//!
//! Proofs and PINs do not pass: the session is the holder's. The directory is its user's alone, and so is the socket.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use wardline_core::ids::{ConversationId, MessageId, Sequence};
use wardline_core::limits;
use wardline_core::wire;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use crate::agent::Command;
use crate::beside::Beside;
use crate::call::Call;
use crate::client::Standing;
use crate::clinical::Bedside;
use crate::connection::read_frame;
use crate::error::{Error, InputError, ProfileError, Refused};
use crate::event::{Accepted, Conversation, Person, SignedIn};
use crate::local::Line;
use crate::profile::{Identity, Profile};
use crate::stat::Urgency;

/// The socket's name in the profile.
pub(crate) const NAME: &str = "share";
/// Commands that are answered at a time; more wait to be let in. Each holds a frame at most: 8 x 128 KiB.
const GUESTS_MAX: usize = 8;
/// How long a guest waits to hear where the holder stands: less than it waits for any answer, so that it hears that there
/// is none yet, and can give its message to be kept.
const STANDS_TIME_MAX: Duration = Duration::from_secs(15);

/// The holder's side, until it is dropped.
pub(crate) struct Share {
    path: PathBuf,
    task: AbortHandle,
}

/// What answering takes. Weak: a program that drops its client ends, whoever else asks it.
#[derive(Clone)]
struct Holder {
    commands: mpsc::WeakSender<Command>,
    standing: watch::Receiver<Standing>,
}

impl Share {
    /// Begins to answer. `None` where there can be no socket (a path above 107 bytes, a file system without them): then
    /// the profile is one process's at a time.
    pub(crate) fn open(
        path: &Path,
        commands: mpsc::WeakSender<Command>,
        standing: watch::Receiver<Standing>,
    ) -> Option<Self> {
        // Of a process that was killed: the profile's lock says that it is gone.
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).ok()?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).ok()?;
        let task = tokio::spawn(serve(listener, Holder { commands, standing })).abort_handle();
        Some(Self { path: path.to_owned(), task })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(listener: UnixListener, holder: Holder) {
    // Dropped with this task, and its connections with it.
    let mut guests = JoinSet::new();
    loop {
        if guests.len() >= GUESTS_MAX {
            guests.join_next().await;
            continue;
        }
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(guests.spawn(answer_all(stream, holder.clone()))),
            Some(_) = guests.join_next() => {}
        }
    }
}

async fn answer_all(stream: UnixStream, holder: Holder) {
    let (mut read, mut write) = stream.into_split();
    while let Some(frame) = next_frame(&mut read).await {
        if answer(frame, &holder, &mut read, &mut write).await.is_err() {
            return;
        }
    }
}

async fn next_frame(from: &mut (impl AsyncRead + Unpin)) -> Option<proto::ClientFrame> {
    read_frame(from, limits::CLIENT_FRAME_MAX).await.ok()
}

async fn answer(
    frame: proto::ClientFrame,
    holder: &Holder,
    read: &mut OwnedReadHalf,
    write: &mut OwnedWriteHalf,
) -> std::io::Result<()> {
    let request = frame.request;
    let outcome = match frame.body {
        Some(Ask::Hello(_)) => holder.stands().await,
        Some(Ask::Sync(_)) => return tell_known(request, holder, write).await,
        Some(Ask::Submit(submit)) => match holder.keep(submit).await {
            Ok((kept, settled)) => {
                put(write, request, Answer::Accepted(kept.to_wire())).await?;
                // A guest asks nothing meanwhile. One that is gone must not keep its place for as long as the session is
                // locked or the box away; the message stays.
                tokio::select! {
                    outcome = settle(settled) => outcome,
                    _ = read.read_u8() => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                }
            }
            Err(error) => Err(error),
        },
        Some(Ask::Join(_) | Ask::Prove(_) | Ask::Unlock(_) | Ask::Receipt(_) | Ask::Active(_)) | None => {
            Err(Refused::new(RefusalCode::UnknownRequest, "The session is another process's.").into())
        }
        Some(body) => holder.ask(|reply| Command::Call { body, reply }).await.and_then(|answer| answer),
    };
    let body = outcome.unwrap_or_else(|error| Answer::Refused(refusal(&error)));
    put(write, request, body).await
}

async fn put(write: &mut OwnedWriteHalf, request: u64, body: Answer) -> std::io::Result<()> {
    write.write_all(&wire::encode_frame(&proto::ServerFrame { request, body: Some(body) })).await
}

type Settled = oneshot::Receiver<Result<Accepted, Error>>;

async fn settle(settled: Settled) -> Result<Answer, Error> {
    Ok(Answer::Accepted(settled.await.map_err(|_| Error::Interrupted)??.to_wire()))
}

impl Holder {
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        // Not held while waiting: the holder ends when its last handle is gone.
        let sent = match self.commands.upgrade() {
            Some(commands) => commands.send(command(reply)).await.is_ok(),
            None => false,
        };
        if !sent {
            return Err(Error::Interrupted);
        }
        answer.await.map_err(|_| Error::Interrupted)
    }

    /// Where the holder stands, once the attempt under way has ended.
    async fn stands(&self) -> Result<Answer, Error> {
        let mut standing = self.standing.clone();
        let is_settled = |standing: &Standing| match standing {
            Standing::Connecting => false,
            Standing::Waiting(why) => !why.is_turn_taking(),
            _ => true,
        };
        let settled = tokio::time::timeout(STANDS_TIME_MAX, standing.wait_for(is_settled)).await;
        let Ok(settled) = settled else {
            return Err(Error::Offline("The box has not answered yet.".to_owned()));
        };
        match &*settled.map_err(|_| Error::Interrupted)? {
            Standing::Open(signed_in) => Ok(Answer::SignedIn(signed_in.to_wire())),
            Standing::PinNeeded { tries_left } => {
                Ok(Answer::PinNeeded(proto::PinNeeded { tries_left: *tries_left, passkey: false }))
            }
            Standing::Waiting(why) => Err(Error::Offline(why.to_string())),
            Standing::Ended(end) => Err(end.clone().into()),
            Standing::Connecting => Err(Error::Interrupted),
        }
    }

    /// Into the outbox.
    async fn keep(&self, submit: proto::Submit) -> Result<(Accepted, Settled), Error> {
        let urgency = Urgency::from_wire(submit.priority(), submit.call.clone())?;
        let beside = Beside::of(&submit);
        let (conversation, text) = (crate::event::conversation(submit.conversation)?, submit.text);
        let beside = beside.ok_or(Error::Protocol("somebody without identifier"))?;
        let (settled, outcome) = oneshot::channel();
        let attachments = Vec::new();
        let send = |kept| Command::Send { conversation, text, urgency, beside, attachments, kept, settled };
        let message = self.ask(send).await??;
        Ok((Accepted { message, conversation, sequence: Sequence(0), at: 0 }, outcome))
    }
}

async fn tell_known(request: u64, holder: &Holder, write: &mut OwnedWriteHalf) -> std::io::Result<()> {
    let (conversations, people) = match holder.ask(Command::Known).await {
        Ok(known) => known,
        Err(error) => return put(write, request, Answer::Refused(refusal(&error))).await,
    };
    let people = people.iter().map(|person| Kind::Person(person.to_wire()));
    let conversations = conversations.iter().map(|conversation| Kind::Conversation(conversation.to_wire()));
    for kind in people.chain(conversations) {
        let event = Some(proto::Event { kind: Some(kind) });
        put(write, request, Answer::Delivery(proto::Delivery { cursor: vec![], event })).await?;
    }
    put(write, request, Answer::Synced(proto::Synced::default())).await
}

fn refusal(error: &Error) -> proto::Refused {
    const LOCKED: &str =
        "The session is locked. Enter your PIN in the wardline program that runs with this profile.";
    let (code, tries_left) = match error {
        Error::Refused(refused) => (refused.code, refused.tries_left),
        Error::Locked { tries_left } => (RefusalCode::Locked, *tries_left),
        Error::Input(InputError::Text(_)) => (RefusalCode::TooLarge, 0),
        Error::Input(InputError::OutboxFull(_)) => (RefusalCode::Limit, 0),
        Error::Offline(_) | Error::Unreachable(_) | Error::Interrupted => (RefusalCode::Unavailable, 0),
        _ => (RefusalCode::Invalid, 0),
    };
    let advice = if code == RefusalCode::Locked { LOCKED.to_owned() } else { error.to_string() };
    proto::Refused { code: code.into(), advice, retry_after: 0, tries_left }
}

/// A device whose profile another process of the same user has open: asks and sends through that process.
pub struct Guest {
    line: Mutex<Line>,
    identity: Identity,
}

/// A message that the holder of the profile keeps, and the way to hear what becomes of it. Nothing else can be asked
/// meanwhile.
pub struct Given<'a> {
    /// Its name.
    pub id: MessageId,
    line: MutexGuard<'a, Line>,
    request: u64,
}

/// What frames do not say: who is a visitor, and whose a family thread is.
fn know_families(conversations: &mut [Conversation], people: &mut [Person]) {
    let about = conversations.iter().filter_map(|known| Some((known.id, known.about.clone()?)));
    let about: BTreeMap<ConversationId, Box<Bedside>> = about.collect();
    let mut visitors = BTreeSet::new();
    for family in conversations.iter_mut().filter_map(|known| known.family.as_mut()) {
        family.about = family.patient_thread.and_then(|thread| about.get(&thread).cloned());
        visitors.extend(family.people.iter().filter(|person| person.visitor).map(|person| person.person));
    }
    for person in people {
        person.visitor = visitors.contains(&person.id);
    }
}

impl Guest {
    /// Connects to whoever has this profile open. [`ProfileError::Busy`] when nobody answers: then it is held for a
    /// moment only, or by a program that does not share.
    pub async fn connect(profile: &Path) -> Result<Self, Error> {
        let identity = Profile::identity(profile)?;
        let stream = UnixStream::connect(profile.join(NAME)).await;
        let stream = stream.map_err(|_| ProfileError::Busy(profile.to_owned()))?;
        Ok(Self { line: Mutex::new(Line::new(stream)), identity })
    }

    /// Who this is and where its box.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where the holder stands with the box, once the attempt under way has ended: signed in, or an error as of
    /// [`crate::Client::contact`], `Offline` as a refusal.
    pub async fn contact(&self) -> Result<SignedIn, Error> {
        match self.call(Ask::Hello(proto::Hello::default())).await? {
            Answer::SignedIn(signed_in) => SignedIn::from_wire(signed_in, &self.identity.facility),
            Answer::PinNeeded(needed) => Err(Error::Locked { tries_left: needed.tries_left }),
            _ => Err(Error::Protocol("an answer to another question")),
        }
    }

    /// The conversations and people that the holder of the profile knows of. Needs no connection to the box.
    pub async fn known(&self) -> Result<(Vec<Conversation>, Vec<Person>), Error> {
        let mut line = self.line.lock().await;
        let request = line.ask(Ask::Sync(proto::Sync::default())).await?;
        let (mut conversations, mut people) = (Vec::new(), Vec::new());
        loop {
            match line.answer(request).await? {
                Answer::Delivery(delivery) => match delivery.event.and_then(|event| event.kind) {
                    Some(Kind::Conversation(wire)) => conversations.push(Conversation::from_wire(wire)?),
                    Some(Kind::Person(wire)) => people.push(Person::from_wire(wire)?),
                    _ => {}
                },
                Answer::Synced(_) => {
                    know_families(&mut conversations, &mut people);
                    return Ok((conversations, people));
                }
                _ => return Err(Error::Protocol("an answer to another question")),
            }
        }
    }

    /// Gives the holder of the profile a message to send. Returns once it is on disk.
    pub async fn send(&self, conversation: ConversationId, text: &str) -> Result<Given<'_>, Error> {
        self.send_urgent(conversation, text, &Urgency::default()).await
    }

    /// The same, with how urgent it is.
    pub async fn send_urgent(
        &self,
        conversation: ConversationId,
        text: &str,
        urgency: &Urgency,
    ) -> Result<Given<'_>, Error> {
        self.send_beside(conversation, text, urgency, &Beside::default()).await
    }

    /// The same, with what stands beside the text.
    pub async fn send_beside(
        &self,
        conversation: ConversationId,
        text: &str,
        urgency: &Urgency,
        beside: &Beside,
    ) -> Result<Given<'_>, Error> {
        let mut line = self.line.lock().await;
        let mut submit = proto::Submit {
            conversation: conversation.value(),
            text: text.to_owned(),
            priority: urgency.priority.to_wire().into(),
            call: urgency.to_call(),
            ..proto::Submit::default()
        };
        beside.dress(&mut submit);
        let request = line.ask(Ask::Submit(submit)).await?;
        let kept = accepted(line.answer(request).await?)?;
        Ok(Given { id: kept.message, line, request })
    }
}

impl Given<'_> {
    /// Waits for the box: accepted, or refused for good. [`Error::Interrupted`] when the holder went first; the message
    /// is kept all the same. Messages wait as long as it takes; bound this with a timeout.
    pub async fn outcome(&mut self) -> Result<Accepted, Error> {
        accepted(self.line.answer(self.request).await?)
    }
}

fn accepted(answer: Answer) -> Result<Accepted, Error> {
    match answer {
        Answer::Accepted(accepted) => Accepted::from_wire(&accepted),
        _ => Err(Error::Protocol("an answer to another question")),
    }
}

impl Call for Guest {
    async fn call(&self, body: Ask) -> Result<Answer, Error> {
        self.line.lock().await.call(body).await
    }
}
