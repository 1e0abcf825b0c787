//! Frames of a QUIC stream, read in as few reads as come.

use anyhow::{Result, ensure};
use bytes::{Buf as _, Bytes, BytesMut};

/// Larger than the largest frame of either side.
const FRAME_MAX: usize = 256 * 1024;

/// The frames of one stream.
pub(crate) struct Frames {
    stream: quinn::RecvStream,
    buffer: BytesMut,
}

impl Frames {
    /// None read yet.
    pub(crate) fn new(stream: quinn::RecvStream) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The next frame without its length; `None` at the end. May be dropped half-way: nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(prefix) = self.buffer.first_chunk::<4>() {
                let length = u32::from_be_bytes(*prefix) as usize;
                ensure!((1..=FRAME_MAX).contains(&length), "a frame of {length} bytes");
                if self.buffer.len() >= 4 + length {
                    self.buffer.advance(4);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
            }
            match self.stream.read_chunk(64 * 1024, true).await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk.bytes),
                None => return Ok(None),
            }
        }
    }
}
