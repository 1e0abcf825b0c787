//! One connection, whatever carries it: frames in become inputs, the lane becomes frames out.
//!
//! What needs no decision is done here, in parallel: parsing, verifying a device's signature, sealing a body. A frame
//! is read only when few enough answers wait, so a client that asks and never reads stops itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use wardline_core::alteration::{Edit, Found, Kept};
use wardline_core::attachment::{Announced, Attach, Attaching, Begin, Received};
use wardline_core::bucket::Bucket;
use wardline_core::composing::{Composed, Lease};
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::escalation::signed::Unproven;
use wardline_core::ids::{Conn, ConversationId, DeviceId, RequestId, UploadId};
use wardline_core::input::{Ask, Door, Fresh, Input, Source, Submit};
use wardline_core::limits;
use wardline_core::login::Login;
use wardline_core::order::OrderAsk;
use wardline_core::passkey::{ExpectPasskey, PasskeyAsk};
use wardline_core::reaction::React;
use wardline_core::refusal::{CloseCode, PeerFault, Refusal};
use wardline_core::relay::refused;
use wardline_core::session::Verifier;
use wardline_core::stat::Answer;
use wardline_core::text::{FileName, Sealed, Text, WrappedKey};
use wardline_core::turn::Send;
use wardline_core::web_certificate::{CheckedChain, ChosenFile, WebCertificateAsk};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::wire::{self, Incoming};
use wardline_keys_protocol::message::Leaves;

use super::file_sessions::FileSessions;
use super::health::Health;
use super::names::Names;
use super::pace::Pace;
use super::writer;
use crate::catchup::Library;
use crate::clock::Clock;
use crate::driver::{Command, Said, frame};
use crate::keeper::Keeper;
use crate::keyring::{ConversationKey, FileOrigin, Origin};
use crate::lane::{Lane, Out};
use crate::logging::safe;
use crate::metrics::Metrics;

/// PINs stretched at a time: each takes 19 MiB and 30 ms of a core.
pub(super) const STRETCHES_MAX: usize = 2;
/// How long a closing connection may take to write what waits: who takes nothing in cannot hold its place.
const WRITE_OUT_MAX: Duration = Duration::from_secs(1);

/// What every connection needs; one for the process.
pub struct Context {
    /// To the driver.
    pub commands: mpsc::Sender<Command>,
    /// For sealing, catching up and paging.
    pub library: Arc<Library>,
    /// For PINs.
    pub keeper: Keeper,
    /// SHA-256 of the facility's root certificate: what devices sign stands for this facility.
    pub facility: [u8; 32],
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// See [`STRETCHES_MAX`].
    pub stretches: Arc<Semaphore>,
    /// How fast files come in.
    pub(super) pace: Pace,
    /// For files that come on connections of their own.
    pub(super) file_sessions: FileSessions,
    /// For whoever administers.
    pub health: Health,
    /// What is served under which name. Set once the box serves.
    pub names: OnceLock<Arc<Names>>,
    clock: Clock,
    next: AtomicU64,
}

impl Context {
    /// Ready for connections.
    pub fn new(
        commands: mpsc::Sender<Command>,
        library: Arc<Library>,
        keeper: Keeper,
        metrics: Arc<Metrics>,
        leaves: &Leaves,
    ) -> Self {
        Self::of(commands, library, keeper, metrics, facility(leaves))
    }

    pub(crate) fn of(
        commands: mpsc::Sender<Command>,
        library: Arc<Library>,
        keeper: Keeper,
        metrics: Arc<Metrics>,
        facility: [u8; 32],
    ) -> Self {
        let stretches = Arc::new(Semaphore::new(STRETCHES_MAX));
        let (clock, next) = (Clock::start(), AtomicU64::new(1));
        let (pace, file_sessions) = (Pace::new(), FileSessions::default());
        let health = Health::default();
        Self {
            commands,
            library,
            keeper,
            facility,
            metrics,
            stretches,
            pace,
            file_sessions,
            health,
            names: OnceLock::new(),
            clock,
            next,
        }
    }

    async fn tell(&self, input: Input) {
        // The driver is gone only when the process is about to be.
        let _ = self.commands.send(Command::Input(input)).await;
    }
}

/// SHA-256 of the root that the keeper's certificates come from: the last of the chain.
pub fn facility(leaves: &Leaves) -> [u8; 32] {
    let mut facility = [0; 32];
    let root = leaves.current.chain.last().map_or(&[][..], Vec::as_slice);
    facility.copy_from_slice(digest::digest(&digest::SHA256, root).as_ref());
    facility
}

/// P-256 by aws-lc.
pub struct AwsLc;

impl Verifier for AwsLc {
    fn p256(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes()).verify(message, signature).is_ok()
    }
}

/// What carries a connection, as far as the connection has to know.
pub struct Carrier<D, S> {
    /// Where it comes from. Asked before each frame, because a connection may roam into another zone.
    pub door: D,
    /// From whom.
    pub source: Source,
    /// The transport's channel binding (RFC 8446, 7.5), where it has one.
    pub exporter: Option<[u8; 32]>,
    /// The page's that speaks, where one does: what passkeys are bound to.
    pub origin: Option<String>,
    /// Told once that whoever comes has signed in, with the challenge that was proven.
    pub signed_in: S,
}

/// Serves one connection to its end, and says with which code to close what carries it.
pub async fn serve<R, W, D, S>(
    context: &Arc<Context>,
    carrier: Carrier<D, S>,
    reader: R,
    writer: &mut W,
) -> CloseCode
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    D: Fn() -> Door,
    S: FnOnce(&Arc<Lane>, [u8; 32]),
{
    let conn = Conn(context.next.fetch_add(1, Ordering::Relaxed));
    let lane = Arc::new(Lane::new());
    let Carrier { door, source, exporter, origin, signed_in } = carrier;
    let last = door();
    if context.commands.send(Command::Connected(conn, last, source, Arc::clone(&lane))).await.is_err() {
        return CloseCode::DRAINING;
    }
    let refusals = Bucket::full(limits::REQUESTS, context.clock.now().mono);
    let (stream, signed_in, lane) = (reader, Some(signed_in), &lane);
    let (key, proven, challenge) = (None, None, [0; 32]);
    let mut incoming = Reader {
        context,
        conn,
        lane,
        exporter,
        origin,
        challenge,
        key,
        proven,
        stream,
        door,
        last,
        signed_in,
        refusals,
    };
    let mut writing = std::pin::pin!(writer::run(context, conn, lane, writer));
    let code = tokio::select! {
        code = &mut writing => code,
        code = lane.overdue(WRITE_OUT_MAX) => code,
        ended = incoming.run() => match ended {
            // The peer left.
            None => CloseCode::DONE,
            // The core records it, then closes through the lane.
            Some(fault) => {
                context.tell(Input::Faulted { conn, fault }).await;
                tokio::select! {
                    code = &mut writing => code,
                    code = lane.overdue(WRITE_OUT_MAX) => code,
                }
            }
        },
    };
    context.tell(Input::Closed { conn }).await;
    code
}

struct Reader<'a, R, D, S> {
    context: &'a Arc<Context>,
    conn: Conn,
    lane: &'a Arc<Lane>,
    exporter: Option<[u8; 32]>,
    origin: Option<String>,
    /// The last that was given out.
    challenge: [u8; 32],
    /// What this connection was proven with, and what its device signs with.
    key: Option<PublicKey>,
    /// And which device that is, where it said so itself.
    proven: Option<DeviceId>,
    stream: R,
    door: D,
    last: Door,
    /// Called, and gone, once the device has signed in.
    signed_in: Option<S>,
    /// What is refused or echoed here never reaches the core, which counts all other requests by the same rate.
    refusals: Bucket,
}

impl<R: AsyncRead + Unpin, D: Fn() -> Door, S: FnOnce(&Arc<Lane>, [u8; 32])> Reader<'_, R, D, S> {
    /// Reads until the peer leaves or breaks the protocol.
    async fn run(&mut self) -> Option<PeerFault> {
        loop {
            self.lane.room_for_a_request().await;
            if self.signed_in.is_some()
                && self.lane.device().is_some()
                && let Some(tell) = self.signed_in.take()
            {
                tell(self.lane, self.challenge);
            }
            let bytes = match self.read_frame().await? {
                Ok(bytes) => bytes,
                Err(fault) => return Some(fault),
            };
            self.look_where().await;
            if let Err(fault) = self.handle(&bytes).await {
                return Some(fault);
            }
        }
    }

    /// Tells the core when the connection has roamed into another zone since the last frame.
    async fn look_where(&mut self) {
        let now = (self.door)();
        if let Door::Network(zone) = now
            && now != self.last
        {
            self.last = now;
            self.context.tell(Input::Moved { conn: self.conn, zone }).await;
        }
    }

    /// One frame's bytes; `None` at the stream's end, wherever it comes.
    async fn read_frame(&mut self) -> Option<Result<Vec<u8>, PeerFault>> {
        let mut prefix = [0; wire::PREFIX];
        self.stream.read_exact(&mut prefix).await.ok()?;
        let length = match wire::frame_length(prefix, limits::CLIENT_FRAME_MAX) {
            Ok(length) => length,
            Err(fault) => return Some(Err(fault)),
        };
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.ok()?;
        Some(Ok(bytes))
    }

    async fn handle(&mut self, bytes: &[u8]) -> Result<(), PeerFault> {
        let keyring = Arc::clone(&self.context.library.keyring);
        let mut short_of_randomness = false;
        let fresh = || match (keyring.random(), keyring.fresh()) {
            (Ok(seed), Ok(key)) => Fresh { seed, key },
            _ => {
                short_of_randomness = true;
                Fresh { seed: [0; 32], key: WrappedKey(Vec::new()) }
            }
        };
        let (request, incoming) = wire::parse(wire::decode_client(bytes)?, fresh);
        if short_of_randomness {
            return self.refuse(request, Refusal::Unavailable);
        }
        match incoming {
            Err(refusal) => self.refuse(request, refusal),
            Ok(incoming) => self.incoming(request, incoming).await,
        }
    }

    fn refuse(&mut self, request: RequestId, refusal: Refusal) -> Result<(), PeerFault> {
        self.refusals.take(self.context.clock.now().mono).map_err(|_| PeerFault::Flood)?;
        self.context.metrics.refusals_total.one();
        if let Send::Reply { request, body, .. } = refused(self.conn, request, refusal) {
            self.lane.answer(Out::Frame(frame(request.0, body)));
        }
        Ok(())
    }

    /// The way works. Counts like a refusal: neither reaches the core.
    fn echo(&mut self, request: RequestId) -> Result<(), PeerFault> {
        self.refusals.take(self.context.clock.now().mono).map_err(|_| PeerFault::Flood)?;
        self.lane.answer(Out::Frame(frame(request.0, Body::Done(proto::Done {}))));
        Ok(())
    }

    /// Hands a request to the driver; until that has answered it, it takes room on the lane.
    async fn ask(&self, input: Input, said: Option<Said>) {
        let under_way = self.lane.begin();
        // The driver is gone only when the process is about to be.
        let _ = self.context.commands.send(Command::Request(input, said, under_way)).await;
    }

    async fn incoming(&mut self, request: RequestId, incoming: Incoming) -> Result<(), PeerFault> {
        let conn = self.conn;
        let input = match incoming {
            Incoming::Hello { versions, client, device } => {
                tracing::debug!(conn = safe(&conn), client, "hello");
                let Ok(challenge) = self.context.library.keyring.random() else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                self.challenge = challenge;
                Input::Hello { conn, request, versions, device, challenge }
            }
            Incoming::Prove { device, signature, presented } => {
                let (expect, exporter) = self.proof_due()?;
                let proven = expect.verify_sign_in(&AwsLc, &exporter, device, &signature)?;
                (self.key, self.proven) = (Some(*proven.key()), Some(device));
                let Ok(next) = self.context.library.keyring.random() else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                Input::Proof { conn, request, proven, login: Login { presented, next } }
            }
            Incoming::Join { code, key, name, pin, signature, presented } => {
                let (expect, exporter) = self.proof_due()?;
                let proven = expect.verify_join(&AwsLc, &exporter, code, key, name, &signature)?;
                self.key = Some(*proven.key());
                let keyring = &self.context.library.keyring;
                let (Ok(seed), Ok(next)) = (keyring.random(), keyring.random()) else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                self.lane.hold_pin(pin);
                let fresh = Fresh { seed, key: WrappedKey(Vec::new()) };
                Input::Join { conn, request, proven, fresh, login: Login { presented, next } }
            }
            Incoming::AskToVisit { code, key, device_name, name, relation, pin, signature } => {
                let (expect, exporter) = self.proof_due()?;
                let said = (device_name, name, relation);
                let proven = expect.verify_visit(&AwsLc, &exporter, (code, key), said, &signature)?;
                let keyring = &self.context.library.keyring;
                let Ok(seed) = keyring.random() else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                self.lane.hold_pin(pin);
                let fresh = Fresh { seed, key: WrappedKey(Vec::new()) };
                Input::AskToVisit { conn, request, proven, fresh }
            }
            Incoming::Unlock { pin } => {
                self.lane.hold_pin(pin);
                Input::PinOffered { conn, request }
            }
            Incoming::AddPasskey(made) => {
                let outcome =
                    self.passkey_due().and_then(|(expect, origin)| expect.verify_new(origin, &made));
                Input::Request { conn, request, ask: Ask::Passkey(PasskeyAsk::Add(outcome)) }
            }
            Incoming::UnlockByPasskey(assertion) => {
                let outcome = self.passkey_due();
                let outcome = outcome.and_then(|(expect, origin)| expect.verify(&AwsLc, origin, &assertion));
                Input::Request { conn, request, ask: Ask::Passkey(PasskeyAsk::Unlock(outcome)) }
            }
            Incoming::ImportWebCertificate(ChosenFile { pem, only_look }) => {
                let chain = self.read_certificate(&pem);
                let ask = Ask::WebCertificate(WebCertificateAsk::Import { chain, only_look });
                Input::Request { conn, request, ask }
            }
            Incoming::RecordPrint { print, pin } => {
                self.lane.hold_pin(pin);
                Input::Request { conn, request, ask: Ask::Print(print) }
            }
            submit @ Incoming::Submit { .. } => return self.submit(request, submit, None).await,
            Incoming::SubmitSealed { number, lease, message, mut sealed } => {
                let device = self.author().ok_or(PeerFault::OutOfTurn)?;
                let keyring = &self.context.library.keyring;
                if keyring.open_composed((device, lease, message), &mut sealed).is_err() {
                    return self.refuse(request, Refusal::SealedOtherwise);
                }
                return match wire::parse_composed(&sealed, message, number) {
                    Ok((submit, as_numbered)) => {
                        self.submit(request, submit, Some((device, lease, as_numbered))).await
                    }
                    Err(refusal) => self.refuse(request, refusal),
                };
            }
            Incoming::BeginUpload(Announced { begin, thumbnail }) => {
                let sealed = match self.lane.device() {
                    Some(device) => self.file_key(device, &begin, &thumbnail).await,
                    None => None,
                };
                let begin = Begin { sealed, ..begin };
                Input::Request { conn, request, ask: Ask::Attaching(Attaching::Begin(begin)) }
            }
            Incoming::FinishUpload { name } => {
                let library = &self.context.library;
                let received = match self.lane.device() {
                    None => Received::Part,
                    Some(device) => match library.readers.upload(device, name).await {
                        Ok(stored) => {
                            stored.map_or(Received::Part, |stored| library.files.received(stored.file))
                        }
                        Err(error) => {
                            tracing::error!(%error, "an upload could not be looked up");
                            return self.refuse(request, Refusal::Unavailable);
                        }
                    },
                };
                let ask = Ask::Attaching(Attaching::Finish { name, received });
                Input::Request { conn, request, ask }
            }
            Incoming::Edit { message: of, version, name, text } => {
                let Some(found) = self.look_up(of).await else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                let StatId { conversation, sequence } = of;
                let (body, attachments) = match &found.message {
                    Some(Kept { id: message, device, .. }) => {
                        let (message, device) = (*message, *device);
                        let Some(attachments) = self.files_of(of).await else {
                            return self.refuse(request, Refusal::Unavailable);
                        };
                        let origin = Origin { conversation, message, device, version };
                        (self.seal(origin, &text).await, attachments)
                    }
                    None => (None, Vec::new()),
                };
                let ask = Ask::Edit(Edit { conversation, sequence, version, name, body, found });
                let said = Said { attachments, ..Said::from(text) };
                self.ask(Input::Request { conn, request, ask }, Some(said)).await;
                return Ok(());
            }
            Incoming::Recall { message } => {
                let Some(found) = self.look_up(message).await else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                Input::Request { conn, request, ask: Ask::Recall { message, found } }
            }
            Incoming::React { message, reaction, taken_back } => {
                let Some(found) = self.look_up(message).await else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                let ask = Ask::React(React { message, reaction, taken_back, found });
                Input::Request { conn, request, ask }
            }
            Incoming::AnswerStat(unproven) => {
                let stat = unproven.stat;
                let answer = self.proven(unproven);
                Input::Request { conn, request, ask: Ask::AnswerStat { stat, answer } }
            }
            Incoming::AnswerOrder(order, unproven) => {
                let by = self.lane.device().zip(self.key);
                let said = unproven.of_answer(&AwsLc, &self.context.facility, by, order.conversation);
                Input::Request { conn, request, ask: Ask::Order(OrderAsk::Answer { order, said }) }
            }
            Incoming::GiveTask(giving) => {
                let Some(found) = self.look_up(giving.message).await else {
                    return self.refuse(request, Refusal::Unavailable);
                };
                Input::Request { conn, request, ask: Ask::Task(giving.found(found)) }
            }
            Incoming::Echo => return self.echo(request),
            Incoming::Ask(ask) => Input::Request { conn, request, ask },
        };
        self.ask(input, None).await;
        Ok(())
    }

    fn proof_due(&self) -> Result<(wardline_core::session::Expect, [u8; 32]), PeerFault> {
        let expect = self.lane.take_expect().ok_or(PeerFault::OutOfTurn)?;
        Ok((expect, self.exporter.ok_or(PeerFault::OutOfTurn)?))
    }

    /// What a passkey is held against. What comes of it the core hears in any case.
    fn passkey_due(&self) -> Result<(ExpectPasskey, &str), Refusal> {
        let origin = self.origin.as_deref().ok_or(Refusal::PasskeyNotHere)?;
        Ok((self.lane.take_expect_passkey().ok_or(Refusal::PasskeyChallengeOver)?, origin))
    }

    /// What is in a file. Whoever has not signed in is not read for: the core refuses them whatever it is.
    fn read_certificate(&self, pem: &str) -> Result<CheckedChain, Refusal> {
        let is_known = self.lane.device().is_some() || self.last == Door::Local;
        let names = self.context.names.get().filter(|_| is_known);
        names.ok_or(Refusal::Unavailable)?.check(pem)
    }

    /// An answer that this connection's device signed; else what was said, which the core then refuses.
    fn proven(&self, unproven: Unproven) -> Answer {
        let by = self.lane.device().zip(self.key);
        match unproven.verify(&AwsLc, &self.context.facility, by) {
            Ok(proven) => Answer::Signed(Box::new(proven)),
            Err(said) => Answer::Unsigned(said),
        }
    }

    /// A message as it stands in the store, for the core to decide by: nothing of it is told to the peer here. `None` when the store
    /// cannot be read. Whoever has not signed in is not looked up for.
    async fn look_up(&self, message: StatId) -> Option<Found> {
        if self.lane.device().is_none() {
            return Some(Found::default());
        }
        match self.context.library.readers.find(message).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::error!(%error, "a message could not be looked up");
                None
            }
        }
    }

    /// The files of a message that is to be edited, for those who hear of it now. `None` when the store cannot be read.
    async fn files_of(&self, message: StatId) -> Option<Vec<proto::Attachment>> {
        let library = &self.context.library;
        let files = match library.key(message.conversation).await {
            Ok(Some(key)) => library.attachments(&key, message).await,
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        files.map_err(|error| tracing::error!(%error, "a message's files could not be looked up")).ok()
    }

    /// Seals what files are called under their conversation's key; as [`Reader::seal`].
    async fn titles(
        &self,
        device: DeviceId,
        conversation: ConversationId,
        attachments: &[(UploadId, FileName)],
    ) -> Option<Vec<Sealed>> {
        if attachments.is_empty() {
            return None;
        }
        let key = self.key(conversation).await?;
        let keyring = &self.context.library.keyring;
        let seal = |(upload, name): &(UploadId, FileName)| {
            keyring.seal_title(&key, FileOrigin { conversation, device, upload: *upload }, name.reveal()).ok()
        };
        attachments.iter().map(seal).collect()
    }

    /// Whose device it is, signed in or not.
    fn author(&self) -> Option<DeviceId> {
        self.lane.device().or(self.proven)
    }

    /// Seals a message's text and hands it on. `composed`: it was sealed by this device under this lease, and whether under this number.
    async fn submit(
        &mut self,
        request: RequestId,
        submit: Incoming,
        composed: Option<(DeviceId, Lease, bool)>,
    ) -> Result<(), PeerFault> {
        let Incoming::Submit {
            number,
            message,
            conversation,
            text,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order,
        } = submit
        else {
            return self.refuse(request, Refusal::UnknownRequest);
        };
        let device = composed.map(|(device, ..)| device).or_else(|| self.lane.device());
        let order = order.map(|order| {
            let (by, words) = (device.zip(self.key), (message, &text));
            order.of_message(&AwsLc, &self.context.facility, by, conversation, words)
        });
        let (body, titles) = match device {
            Some(device) => {
                let origin = Origin { conversation, message, device, version: 0 };
                (self.seal(origin, &text).await, self.titles(device, conversation, &attachments).await)
            }
            None => (None, None),
        };
        let mut titles = titles.unwrap_or_default().into_iter();
        let (mut names, mut files) = (Vec::new(), Vec::new());
        for (upload, name) in attachments {
            files.push(Attach { upload, title: titles.next() });
            names.push(name);
        }
        let attachments = files;
        let submit = Submit {
            number,
            message,
            conversation,
            body,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order,
        };
        let ask = match composed {
            Some((_, lease, as_numbered)) => Ask::Composed(Box::new(Composed { lease, as_numbered, submit })),
            None => Ask::Submit(submit),
        };
        let input = Input::Request { conn: self.conn, request, ask };
        self.ask(input, Some(Said { names, ..Said::from(text) })).await;
        Ok(())
    }

    /// A new file's key and the small picture of it, sealed; as [`Reader::seal`].
    async fn file_key(&self, device: DeviceId, begin: &Begin, thumbnail: &[u8]) -> Option<(Sealed, Sealed)> {
        let key = self.key(begin.conversation).await?;
        let keyring = &self.context.library.keyring;
        let origin = FileOrigin { conversation: begin.conversation, device, upload: begin.name };
        let (sealed, file) = keyring.fresh_file(&key, origin).ok()?;
        Some((sealed, keyring.seal_thumbnail(&file, thumbnail).ok()?))
    }

    async fn key(&self, conversation: ConversationId) -> Option<Arc<ConversationKey>> {
        let key = self.context.library.key(conversation).await;
        key.map_err(|error| tracing::error!(%error, "a conversation's key could not be read")).ok()?
    }

    /// Seals a body under its conversation's key. `None` when there is none: the core then knows why.
    async fn seal(&self, origin: Origin, text: &Text) -> Option<Sealed> {
        let key = self.key(origin.conversation).await?;
        self.context.library.keyring.seal(&key, origin, text.reveal()).ok()
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
