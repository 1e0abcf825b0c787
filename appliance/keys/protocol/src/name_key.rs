//! A key for names that a public certificate authority certifies: made in the keeper, kept wrapped by whoever asked.
//!
//! The keeper keeps nothing of it. What it hands out wrapped opens on this TPM, under this image and in this boot state
//! alone, as the database key does; so the relay may keep it beside the certificate, and the two are lost or kept together.

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

/// The most names of one certificate: a box has one that people type, and a few that it had.
pub const NAMES_MAX: usize = 8;
/// The most bytes of a key that is wrapped: a sealed object takes some 300.
pub const WRAPPED_BYTES_MAX: usize = 1024;

/// A key that was made, and its request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NameKey {
    /// PKCS#10 (RFC 2986) for the names that were asked, DER.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub request: Vec<u8>,
    /// What opens the key here again. No secret elsewhere.
    #[n(1)]
    pub wrapped: WrappedKey,
}

/// A private key that only the keeper of this box opens, at most [`WRAPPED_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(Vec<u8>);

impl WrappedKey {
    /// These bytes, when there are no more than there may be.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= WRAPPED_BYTES_MAX).then_some(Self(bytes))
    }

    /// To be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<C> Encode<C> for WrappedKey {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for WrappedKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        if bytes.len() > WRAPPED_BYTES_MAX {
            return Err(decode::Error::message("wrapped key too long"));
        }
        Ok(Self(bytes.to_vec()))
    }
}

/// Names as an array of text, with bounds checked before anything is copied.
pub(crate) mod name_list {
    use super::{Decoder, Encoder, NAMES_MAX, Write, decode, encode};
    use crate::message::DNS_NAME_BYTES_MAX;

    pub(crate) fn encode<C, W: Write>(
        list: &[String],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(list.len() as u64)?;
        for name in list {
            e.str(name)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<String>, decode::Error> {
        let len = d.array()?.ok_or_else(|| decode::Error::message("indefinite array"))?;
        if len > NAMES_MAX as u64 {
            return Err(decode::Error::message("too many names"));
        }
        (0..len)
            .map(|_| match d.str()? {
                name if name.len() > DNS_NAME_BYTES_MAX => Err(decode::Error::message("name too long")),
                name => Ok(name.to_owned()),
            })
            .collect()
    }
}
