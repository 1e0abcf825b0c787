//! Reading what a TPM, or somebody in its place, wrote: big-endian integers and sized buffers (TPM 2.0 Part 1, 4.2).
//!
//! Every read has a bound; nothing is copied before it was checked. Nothing here knows what the bytes mean.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

/// A point of P-256, SEC1 uncompressed.
pub(crate) type Point = [u8; 65];

/// What is left to read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A TPM2B of at most `most` bytes.
    pub(crate) fn sized(&mut self, most: usize) -> Option<&'a [u8]> {
        let len = usize::from(self.u16()?);
        if len > most { None } else { self.take(len) }
    }

    /// A number of at most 32 bytes at its full length; a TPM may leave leading zeroes out.
    pub(crate) fn number(&mut self) -> Option<[u8; 32]> {
        let bytes = self.sized(32)?;
        let mut out = [0; 32];
        out[32 - bytes.len()..].copy_from_slice(bytes);
        Some(out)
    }

    /// TPMS_ECC_POINT (Part 2, 11.2.5.2). Whether it is on the curve is [`on_curve`]'s to say.
    pub(crate) fn point(&mut self) -> Option<Point> {
        let mut out = [4; 65];
        out[1..33].copy_from_slice(&self.number()?);
        out[33..].copy_from_slice(&self.number()?);
        Some(out)
    }

    /// `value`, when nothing is left.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// Whether this is a point of P-256, and not the one at infinity (SP 800-56A, 5.6.2.3.3).
pub(crate) fn on_curve(point: &Point) -> bool {
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok()
}

/// A TPM2B: the length, then the bytes. At most 64 KiB, which everything here is far below.
pub(crate) fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}
