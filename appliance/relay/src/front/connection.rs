//! One connection, whatever carries it: frames in become inputs, the lane becomes frames out.
//!
//! What needs no decision is done here, in parallel: parsing, verifying a device's signature, sealing a body. A frame
//! is read only when few enough answers wait, so a client that asks and never reads stops itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, RequestId};
use wardline_core::input::{Ask, Door, Fresh, Input, Source, Submit};
use wardline_core::limits;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::relay::refused;
use wardline_core::session::Verifier;
use wardline_core::text::{Text, WrappedKey};
use wardline_core::turn::Send;
use wardline_core::wire::{self, Incoming};

use super::writer;
use crate::catchup::Library;
use crate::driver::{Command, frame};
use crate::keeper::Keeper;
use crate::keyring::Origin;
use crate::lane::{Lane, Out};
use crate::logging::safe;
use crate::metrics::Metrics;

/// PINs stretched at a time: each takes 19 MiB and 30 ms of a core.
const STRETCHES_MAX: usize = 2;
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
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// See [`STRETCHES_MAX`].
    pub stretches: Semaphore,
    next: AtomicU64,
}

impl Context {
    /// Ready for connections.
    pub fn new(
        commands: mpsc::Sender<Command>,
        library: Arc<Library>,
        keeper: Keeper,
        metrics: Arc<Metrics>,
    ) -> Self {
        let stretches = Semaphore::new(STRETCHES_MAX);
        Self { commands, library, keeper, metrics, stretches, next: AtomicU64::new(1) }
    }

    async fn tell(&self, input: Input, text: Option<Text>) {
        // The driver is gone only when the process is about to be.
        let _ = self.commands.send(Command::Input(input, text)).await;
    }
}

/// P-256 by aws-lc.
pub struct AwsLc;

impl Verifier for AwsLc {
    fn p256(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes()).verify(message, signature).is_ok()
    }
}

/// Serves one connection to its end, and says with which code to close what carries it. `door` is asked before each
/// frame, because a connection may roam into another zone. `exporter` is the transport's channel binding (RFC 8446, 7.5),
/// where it has one.
pub async fn serve<R, W>(
    context: &Arc<Context>,
    door: impl Fn() -> Door,
    source: Source,
    exporter: Option<[u8; 32]>,
    reader: R,
    writer: &mut W,
) -> CloseCode
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let conn = Conn(context.next.fetch_add(1, Ordering::Relaxed));
    let lane = Arc::new(Lane::new());
    let opened_by = door();
    if context.commands.send(Command::Connected(conn, opened_by, source, Arc::clone(&lane))).await.is_err() {
        return CloseCode::DRAINING;
    }
    let mut incoming = Reader { context, conn, lane: &lane, exporter, stream: reader, door, last: opened_by };
    let mut writing = std::pin::pin!(writer::run(context, conn, &lane, writer));
    let code = tokio::select! {
        code = &mut writing => code,
        code = lane.overdue(WRITE_OUT_MAX) => code,
        ended = incoming.run() => match ended {
            // The peer left.
            None => CloseCode::DONE,
            // The core records it, then closes through the lane.
            Some(fault) => {
                context.tell(Input::Faulted { conn, fault }, None).await;
                tokio::select! {
                    code = &mut writing => code,
                    code = lane.overdue(WRITE_OUT_MAX) => code,
                }
            }
        },
    };
    context.tell(Input::Closed { conn }, None).await;
    code
}

struct Reader<'a, R, D> {
    context: &'a Arc<Context>,
    conn: Conn,
    lane: &'a Arc<Lane>,
    exporter: Option<[u8; 32]>,
    stream: R,
    door: D,
    last: Door,
}

impl<R: AsyncRead + Unpin, D: Fn() -> Door> Reader<'_, R, D> {
    /// Reads until the peer leaves or breaks the protocol.
    async fn run(&mut self) -> Option<PeerFault> {
        loop {
            self.lane.room_for_a_request().await;
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
            self.context.tell(Input::Moved { conn: self.conn, zone }, None).await;
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
            self.refuse(request, wardline_core::refusal::Refusal::Unavailable);
            return Ok(());
        }
        match incoming {
            Err(refusal) => self.refuse(request, refusal),
            Ok(incoming) => self.incoming(request, incoming).await?,
        }
        Ok(())
    }

    fn refuse(&self, request: RequestId, refusal: wardline_core::refusal::Refusal) {
        self.context.metrics.refusals_total.one();
        if let Send::Reply { request, body, .. } = refused(self.conn, request, refusal) {
            self.lane.answer(Out::Frame(frame(request.0, body)));
        }
    }

    async fn incoming(&mut self, request: RequestId, incoming: Incoming) -> Result<(), PeerFault> {
        let conn = self.conn;
        let input = match incoming {
            Incoming::Hello { versions, client, device } => {
                tracing::debug!(conn = safe(&conn), client, "hello");
                let Ok(challenge) = self.context.library.keyring.random() else {
                    self.refuse(request, wardline_core::refusal::Refusal::Unavailable);
                    return Ok(());
                };
                Input::Hello { conn, request, versions, device, challenge }
            }
            Incoming::Prove { device, signature } => {
                let (expect, exporter) = self.proof_due()?;
                let proven = expect.verify_sign_in(&AwsLc, &exporter, device, &signature)?;
                Input::Proof { conn, request, proven }
            }
            Incoming::Join { code, key, name, pin, signature } => {
                let (expect, exporter) = self.proof_due()?;
                let proven = expect.verify_join(&AwsLc, &exporter, code, key, name, &signature)?;
                let keyring = &self.context.library.keyring;
                let Ok(seed) = keyring.random() else {
                    self.refuse(request, wardline_core::refusal::Refusal::Unavailable);
                    return Ok(());
                };
                self.lane.hold_pin(pin);
                let fresh = Fresh { seed, key: WrappedKey(Vec::new()) };
                Input::Join { conn, request, proven, fresh }
            }
            Incoming::Unlock { pin } => {
                self.lane.hold_pin(pin);
                Input::PinOffered { conn, request }
            }
            Incoming::Submit { number, message, conversation, text } => {
                let body = match self.lane.device() {
                    Some(device) => self.seal(Origin { conversation, message, device }, &text).await,
                    None => None,
                };
                let ask = Ask::Submit(Submit { number, message, conversation, body });
                self.context.tell(Input::Request { conn, request, ask }, Some(text)).await;
                return Ok(());
            }
            Incoming::Ask(ask) => Input::Request { conn, request, ask },
        };
        self.context.tell(input, None).await;
        Ok(())
    }

    fn proof_due(&self) -> Result<(wardline_core::session::Expect, [u8; 32]), PeerFault> {
        let expect = self.lane.take_expect().ok_or(PeerFault::OutOfTurn)?;
        Ok((expect, self.exporter.ok_or(PeerFault::OutOfTurn)?))
    }

    /// Seals a body under its conversation's key. `None` when there is none: the core then knows why.
    async fn seal(&self, origin: Origin, text: &Text) -> Option<wardline_core::text::Sealed> {
        let library = &self.context.library;
        match library.key(origin.conversation).await {
            Ok(key) => library.keyring.seal(&*key?, origin, text.reveal()).ok(),
            Err(error) => {
                tracing::error!(%error, "a conversation's key could not be read");
                None
            }
        }
    }
}
