//! Attachments on their way: each on a QUIC stream of its own, behind everything else that the connection has to say, or on a WebSocket
//! of its own ([`super::file_socket`]).
//!
//! The control stream asks and is answered; the core decides. What it allows is left with the connection's lane as a [`Ticket`], and a
//! stream names the request that it belongs to. A ticket is good for one stream, and for as long as the session: what ends that, or the
//! right to read, ends a transfer at the next piece.

use std::sync::Arc;
use std::time::Duration;

use quinn::{RecvStream, SendStream, VarInt};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wardline_core::attachment::Received;
use wardline_core::grant::{AttachmentGrant, UploadGrant};
use wardline_core::ids::{Conn, RequestId};
use wardline_core::limits::ATTACHMENT_PIECE;
use wardline_core::refusal::Refusal;
use wardline_core::relay::refused;
use wardline_core::turn::Send;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::wire::{self, PREFIX};

use super::connection::Context;
use crate::attachments::{Incoming, Said, Stop};
use crate::catchup::Library;
use crate::lane::{Generation, Lane, Ticket};
use crate::store::StoredFile;

/// Streams of a connection beside the control stream.
pub(super) const TRANSFERS_MAX: u32 = 2;
/// The first frame of a stream has two numbers.
const REQUEST_MAX: usize = 64;
/// From a stream's beginning to its first frame.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// Behind the control stream, whose priority is 0 (quinn sends what has the highest first).
const PRIORITY: i32 = -1;
/// Pieces after which it is asked again whether the person may still read: a megabyte.
const ASKED_AGAIN: u32 = 16;
/// Why a stream is broken off: the code says no more than that.
pub(super) const BROKEN_OFF: u32 = 0x20;
/// How long the other end may take nothing in, or send nothing, before a transfer is given up.
const STALLED_MAX: Duration = Duration::from_secs(60);

/// Takes streams until the connection ends.
pub(super) async fn run(context: Arc<Context>, lane: Arc<Lane>, connection: quinn::Connection) {
    while let Ok((send, receive)) = connection.accept_bi().await {
        let (context, lane) = (Arc::clone(&context), Arc::clone(&lane));
        tokio::spawn(one(context, lane, send, receive));
    }
}

/// One stream, to its end.
pub(super) async fn one(context: Arc<Context>, lane: Arc<Lane>, send: SendStream, receive: RecvStream) {
    let _ = send.set_priority(PRIORITY);
    Transfer { context, lane, send, receive }.run().await;
}

/// The box's half of what carries a file, and how it ends.
pub(super) trait Carries: AsyncWrite + Unpin {
    /// The other end's half.
    type Other: AsyncRead + Unpin;

    /// All was said.
    async fn end(self, other: Self::Other);

    /// No more comes, and what came is not all.
    async fn break_off(self, other: Self::Other);
}

impl Carries for SendStream {
    type Other = RecvStream;

    async fn end(mut self, mut other: RecvStream) {
        let _ = other.stop(VarInt::from_u32(0));
        let _ = self.finish();
    }

    async fn break_off(mut self, mut other: RecvStream) {
        let _ = other.stop(VarInt::from_u32(BROKEN_OFF));
        let _ = self.reset(VarInt::from_u32(BROKEN_OFF));
    }
}

/// Why a transfer ended early.
enum End {
    /// To be told.
    Refused(Refusal),
    /// Nobody is there to be told, or may be told.
    Gone,
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(super) struct Transfer<S: Carries> {
    pub(super) context: Arc<Context>,
    pub(super) lane: Arc<Lane>,
    pub(super) send: S,
    pub(super) receive: S::Other,
}

impl<S: Carries> Transfer<S> {
    async fn run(mut self) {
        let asked = tokio::time::timeout(REQUEST_TIME_MAX, first_frame(&mut self.receive)).await;
        match asked {
            Ok(Some(asked)) => self.answer(asked).await,
            _ => self.send.break_off(self.receive).await,
        }
    }

    /// What a first frame asked for.
    pub(super) async fn answer(mut self, asked: proto::TransferRequest) {
        let ended = match self.lane.take_ticket(RequestId(asked.request)) {
            Some((Ticket::Upload(grant), generation)) => self.take_in(&grant, generation).await,
            Some((Ticket::Attachment(grant), generation)) => {
                self.give_out(&grant, generation, asked.offset).await
            }
            // Taken back when the session locked, or never given: whoever may ask again.
            None => Err(Refusal::Unavailable.into()),
        };
        let said = match ended {
            Ok(()) => Ok(()),
            Err(End::Refused(refusal)) => {
                let head = proto::TransferHead { refused: Some(told(refusal)), ..Default::default() };
                self.write(&wire::encode_frame(&head)).await
            }
            Err(End::Gone) => Err(End::Gone),
        };
        match said {
            Ok(()) => self.send.end(self.receive).await,
            Err(_) => self.send.break_off(self.receive).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let written = async {
            self.send.write_all(bytes).await?;
            self.send.flush().await
        };
        match tokio::time::timeout(STALLED_MAX, written).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    /// A file comes in, from where it was cut.
    async fn take_in(&mut self, grant: &UploadGrant, generation: Generation) -> Result<(), End> {
        let library = Arc::clone(&self.context.library);
        let stored = library.readers.upload(grant.device(), grant.name()).await.map_err(unreadable)?;
        let stored = stored.filter(|stored| stored.file == grant.file()).ok_or(Refusal::NoSuchUpload)?;
        let claim = library.files.claim(stored.file).ok_or(Refusal::Unavailable)?;
        let key = file_key(&library, &stored).await?;
        let StoredFile { length, sha256, media, .. } = stored;
        let mut incoming = match Incoming::resume(claim, key, Said { length, sha256, media }).await {
            Ok(incoming) => incoming,
            Err(stop) => return Err(refusal_of(stop).into()),
        };
        let offset = incoming.have();
        self.write(&wire::encode_frame(&proto::TransferHead { offset, refused: None, open: true })).await?;
        let mut bytes = vec![0; ATTACHMENT_PIECE];
        let stop = loop {
            if incoming.have() == length {
                break incoming.end().await;
            }
            let read = tokio::time::timeout(STALLED_MAX, self.receive.read(&mut bytes)).await;
            let read = read.map_err(|_| End::Gone)?.map_err(|_| End::Gone)?;
            if read == 0 {
                break incoming.end().await;
            }
            self.context.pace.take(read).await;
            // The session may have ended meanwhile.
            if !self.lane.is_permitted(generation) {
                return Err(End::Gone);
            }
            self.context.metrics.attachment_bytes_in_total.add(read as u64);
            incoming = match incoming.push(&library.keyring, &bytes[..read]).await {
                Ok(incoming) => incoming,
                Err(stop) => break stop,
            };
        };
        let refused = match stop {
            Stop::Judged(Received::Whole) => None,
            other => Some(told(refusal_of(other))),
        };
        let whole = refused.is_none();
        self.write(&wire::encode_frame(&proto::TransferTail { refused, whole })).await
    }

    /// A file, or the small picture of it, goes out.
    async fn give_out(
        &mut self,
        grant: &AttachmentGrant,
        generation: Generation,
        offset: u64,
    ) -> Result<(), End> {
        let library = Arc::clone(&self.context.library);
        let stored = self.readable(grant, generation).await?;
        let key = file_key(&library, &stored).await?;
        if grant.is_thumbnail() {
            let picture = library.keyring.open_thumbnail(&key, stored.thumbnail).unwrap_or_default();
            self.write(&wire::encode_frame(&proto::TransferHead { offset: 0, refused: None, open: true }))
                .await?;
            return self.write(&picture).await;
        }
        if offset > stored.length {
            return Err(Refusal::Invalid.into());
        }
        let outgoing = library.files.read(stored.file, stored.length, offset, Arc::new(key)).await;
        let mut outgoing = outgoing.map_err(|error| {
            tracing::error!(%error, "an attachment's file cannot be read");
            End::Refused(Refusal::NoSuchAttachment)
        })?;
        self.write(&wire::encode_frame(&proto::TransferHead { offset, refused: None, open: true })).await?;
        let mut pieces = 0;
        loop {
            let (rest, bytes) = match outgoing.next().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "an attachment's file cannot be read to its end");
                    return Err(End::Gone);
                }
            };
            if bytes.is_empty() {
                return Ok(());
            }
            pieces += 1;
            if pieces % ASKED_AGAIN == 0 {
                self.readable(grant, generation).await.map_err(|_| End::Gone)?;
            } else if !self.lane.is_permitted(generation) {
                return Err(End::Gone);
            }
            self.context.metrics.attachment_bytes_out_total.add(bytes.len() as u64);
            self.write(&bytes).await?;
            outgoing = rest;
        }
    }

    /// The file, if this session and this person may read it at this moment.
    async fn readable(&self, grant: &AttachmentGrant, generation: Generation) -> Result<StoredFile, End> {
        let stored = self.context.library.readers.attachment(grant).await.map_err(unreadable)?;
        if !self.lane.is_permitted(generation) {
            return Err(End::Gone);
        }
        stored.ok_or_else(|| Refusal::NoSuchAttachment.into())
    }
}

async fn file_key(library: &Library, stored: &StoredFile) -> Result<crate::keyring::FileKey, End> {
    let key = library.key(stored.origin.conversation).await.map_err(unreadable)?.ok_or(Refusal::Purged)?;
    library.keyring.open_file(&key, stored.origin, stored.key.clone()).map_err(|_| {
        tracing::error!("a file's key does not open: the store was changed from outside");
        End::Refused(Refusal::Unavailable)
    })
}

fn unreadable(error: crate::store::StoreError) -> End {
    tracing::error!(%error, "an attachment could not be looked up");
    End::Refused(Refusal::Unavailable)
}

fn refusal_of(stop: Stop) -> Refusal {
    match stop {
        Stop::Judged(Received::Whole | Received::Part) => Refusal::UploadUnfinished,
        Stop::Judged(Received::Damaged) => Refusal::UploadNotAsSaid,
        Stop::Judged(Received::Mistyped) => Refusal::AttachmentMistyped,
        Stop::Full => Refusal::DiskLow,
        Stop::Disk(error) => {
            tracing::error!(%error, "an attachment's file cannot be written");
            Refusal::Unavailable
        }
    }
}

/// As an answer on the control stream would have it.
fn told(refusal: Refusal) -> proto::Refused {
    match refused(Conn(0), RequestId::NONE, refusal) {
        Send::Reply { body: Body::Refused(refused), .. } => refused,
        _ => proto::Refused::default(),
    }
}

pub(super) async fn first_frame(from: &mut (impl AsyncRead + Unpin)) -> Option<proto::TransferRequest> {
    let mut prefix = [0; PREFIX];
    from.read_exact(&mut prefix).await.ok()?;
    let mut bytes = vec![0; wire::frame_length(prefix, REQUEST_MAX).ok()?];
    from.read_exact(&mut bytes).await.ok()?;
    wire::decode_transfer(&bytes).ok()
}
