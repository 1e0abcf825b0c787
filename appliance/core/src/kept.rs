//! What a store keeps as bytes: CBOR (RFC 8949) with definite lengths and shortest integers, so that one value is one string of bytes.

use minicbor::{Decode, Encode, decode};

/// The bytes of a value.
pub(crate) fn to_bytes<T: Encode<()> + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    match minicbor::encode(value, &mut bytes) {
        Ok(()) => bytes,
        Err(never) => unreachable!("encoding into memory: {never}"),
    }
}

/// The value behind such bytes. Bytes that are not exactly what it would be written as are none.
pub(crate) fn canonical<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, decode::Error> {
    let value: T = minicbor::decode(bytes)?;
    if to_bytes(&value) == bytes { Ok(value) } else { Err(decode::Error::message("not the canonical form")) }
}
