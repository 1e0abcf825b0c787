//! What the relay may say to the bell (`wardline-bell`), and what the bell answers.
//!
//! A frame is a big-endian `u32` length and that many bytes of CBOR with integer indices, which are append-only, over a
//! Unix stream socket. Each request has a tag of the asker's choice that its answer repeats; answers come in any order,
//! because one phone's push service may be slow while another's is not.
//!
//! There is no field for a text: the bell has one, and it is constant. This crate links no TLS and no HTTP, so that the relay
//! does not either.

use std::fmt;
use std::io;

use minicbor::{Decode, Encode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most bytes of one frame, without its length: a subscription is 1.2 kB at most, the counts of all hosts 2.5 kB.
pub const FRAME_BYTES_MAX: usize = 4 * 1024;
/// The most bytes of a push service's address for one browser. Google's are some 190 bytes, Apple's 140, Mozilla's 200,
/// Microsoft's up to 600.
pub const ENDPOINT_BYTES_MAX: usize = 1024;
/// The most push services that are counted: as many as the bell may be allowed to call.
pub const HOSTS_MAX: usize = 16;
/// The most bytes of a counted host's name, a port with it.
pub const HOST_BYTES_MAX: usize = 96;

/// Where one browser is rung (RFC 8030 section 4, RFC 8291 section 2.1). Whoever has it can make that phone ring: `Debug`
/// does not show it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Subscription {
    /// The push service's address for it: `https`, at most [`ENDPOINT_BYTES_MAX`] bytes.
    #[n(0)]
    pub endpoint: String,
    /// The browser's P-256 key, SEC1 uncompressed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub p256dh: [u8; 65],
    /// Known to the browser and the box.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub auth: [u8; 16],
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(..)")
    }
}

/// What the relay may ask.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Request {
    /// The key by which push services know this box (RFC 8292).
    #[n(0)]
    PublicKey,
    /// Ring this phone, once.
    #[n(1)]
    Ring(#[n(0)] Box<Subscription>),
    /// What was sent where since the bell started.
    #[n(2)]
    Counts,
}

/// What the bell answers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Reply {
    /// To [`Request::PublicKey`]: P-256, SEC1 uncompressed.
    #[n(0)]
    PublicKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 65]),
    /// To [`Request::Ring`].
    #[n(1)]
    Rung(#[n(0)] Outcome),
    /// To [`Request::Counts`].
    #[n(2)]
    Counts(#[n(0)] Counts),
}

/// What became of a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Outcome {
    /// The push service took it. Whether the phone rings, nobody says.
    #[n(0)]
    Sent,
    /// The push service knows this subscription no more: forget it.
    #[n(1)]
    Gone,
    /// It names a host that this box does not call, or a key that is none: forget it.
    #[n(2)]
    NotAllowed,
    /// The push service will not have it from this box.
    #[n(3)]
    Refused,
    /// The push service was not reached, or was overwhelmed, as often as it was tried.
    #[n(4)]
    Failed,
    /// Too many rings wait. Nothing was sent.
    #[n(5)]
    Busy,
}

/// What was sent since the bell started.
#[derive(Clone, PartialEq, Eq, Default, Debug, Encode, Decode)]
pub struct Counts {
    /// By push service, at most [`HOSTS_MAX`].
    #[n(0)]
    pub hosts: Vec<HostCounts>,
    /// Rings that named a host which this box does not call.
    #[n(1)]
    pub not_allowed: u64,
    /// Rings for which there was no room.
    #[n(2)]
    pub busy: u64,
}

/// What one push service was sent.
#[derive(Clone, PartialEq, Eq, Default, Debug, Encode, Decode)]
pub struct HostCounts {
    /// As the list of allowed hosts has it: `*.notify.windows.com` is one.
    #[n(0)]
    pub host: String,
    /// Taken by it.
    #[n(1)]
    pub sent: u64,
    /// Answered with "gone".
    #[n(2)]
    pub gone: u64,
    /// Not taken from this box.
    #[n(3)]
    pub refused: u64,
    /// Not reached, or overwhelmed.
    #[n(4)]
    pub failed: u64,
}

/// A request or a reply with its tag.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Tagged<T> {
    /// The asker's.
    #[n(0)]
    pub tag: u64,
    /// What is asked or answered.
    #[n(1)]
    pub body: T,
}

/// Why a frame could not be read or written. Close the connection.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A length of 0, or over [`FRAME_BYTES_MAX`].
    #[error("a frame of {0} bytes is not taken: see FRAME_BYTES_MAX")]
    Length(u32),
    /// Not the CBOR of the message that was due, or bytes left over.
    #[error("the other end sent something that is no message of this protocol")]
    Malformed,
    /// The socket failed, or ended inside a frame.
    #[error("the bell's socket failed")]
    Io(#[from] io::Error),
}

/// Writes one message.
///
/// # Errors
/// See [`FrameError`].
pub async fn write<T: Encode<()>>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &Tagged<T>,
) -> Result<(), FrameError> {
    let mut bytes = vec![0; 4];
    minicbor::encode(message, &mut bytes).map_err(|_| FrameError::Malformed)?;
    let len = check(u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX))?;
    bytes[..4].copy_from_slice(&(len as u32).to_be_bytes());
    to.write_all(&bytes).await?;
    Ok(to.flush().await?)
}

/// Reads one message; `None` when the stream ended between frames.
///
/// # Errors
/// See [`FrameError`].
pub async fn read<T: for<'b> Decode<'b, ()>>(
    from: &mut (impl AsyncRead + Unpin),
) -> Result<Option<Tagged<T>>, FrameError> {
    let mut first = [0; 1];
    if from.read(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut rest = [0; 3];
    from.read_exact(&mut rest).await?;
    let len = check(u32::from_be_bytes([first[0], rest[0], rest[1], rest[2]]))?;
    let mut body = vec![0; len];
    from.read_exact(&mut body).await?;
    let mut decoder = minicbor::Decoder::new(&body);
    let message = decoder.decode().map_err(|_| FrameError::Malformed)?;
    if decoder.position() == body.len() { Ok(Some(message)) } else { Err(FrameError::Malformed) }
}

fn check(len: u32) -> Result<usize, FrameError> {
    let fits = (1..=FRAME_BYTES_MAX).contains(&(len as usize));
    if fits { Ok(len as usize) } else { Err(FrameError::Length(len)) }
}
