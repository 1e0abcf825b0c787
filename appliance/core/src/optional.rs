//! Fields that came later to something that is kept: what stands for "as it was before" is left out of the bytes, so that
//! old bytes are read, and what says nothing new is written as ever.

use minicbor::decode::{self, Decode, Decoder};
use minicbor::encode::{self, Encode, Encoder, Write};

pub(crate) fn encode<T: Encode<C>, C, W: Write>(
    value: &T,
    e: &mut Encoder<W>,
    ctx: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    value.encode(e, ctx)
}

pub(crate) fn decode<'b, T: Decode<'b, C>, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<T, decode::Error> {
    T::decode(d, ctx)
}

pub(crate) fn nil<T: Default>() -> Option<T> {
    Some(T::default())
}

pub(crate) fn is_nil<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
