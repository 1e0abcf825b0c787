//! The floor: what the same machine can do at most. Bare quinn over bare SQLite (WAL, `synchronous=FULL`, group commit),
//! and nothing of a product: no proof of who comes, no permission, no encryption at rest, no audit, no limits, no receipts.
//!
//! Frames, both ways: length of the rest (4 bytes, big-endian), kind (1), fields.
//!
//! | kind | from | fields |
//! |---|---|---|
//! | [`HELLO`] | client | person (4), last change it has (8) |
//! | [`SUBMIT`] | client | token (8), conversation (4), body |
//! | [`SYNCED`] | floor | change (8) |
//! | [`ACCEPTED`] | floor | token (8) |
//! | [`MESSAGE`] | floor | change (8), conversation (4), body |

mod server;
mod store;

use bytes::{BufMut as _, Bytes, BytesMut};

pub(crate) use server::run;

/// Who comes, and what it has.
pub(crate) const HELLO: u8 = 1;
/// A message.
pub(crate) const SUBMIT: u8 = 2;
/// Everything that was missed has been sent.
pub(crate) const SYNCED: u8 = 3;
/// A message is on disk.
pub(crate) const ACCEPTED: u8 = 4;
/// Somebody's message.
pub(crate) const MESSAGE: u8 = 5;

/// What the floor's connections speak.
pub(crate) const ALPN: &[u8] = b"floor";

/// A whole frame.
pub(crate) fn frame(kind: u8, length: usize, fill: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut bytes = BytesMut::with_capacity(5 + length);
    bytes.put_u32(1 + length as u32);
    bytes.put_u8(kind);
    fill(&mut bytes);
    bytes.freeze()
}
