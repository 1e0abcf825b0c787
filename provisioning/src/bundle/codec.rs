//! The one encoding that a value may have: deterministic CBOR (RFC 8949, section 4.2.1) with integer keys.
//!
//! Whatever was read is written again and compared: longer integers, indefinite lengths, other orders, unknown and
//! repeated keys and bytes behind the end all fail that comparison, so no reader of the format has to look for each.

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

/// Why bytes are not a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not CBOR, or not of this shape.
    Malformed,
    /// Of this shape, with a value out of bounds.
    Value,
    /// The value, but not in its one encoding.
    NotCanonical,
}

/// The encoding of a value.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into a Vec cannot fail")
}

/// Reads the one encoding of a value, and nothing else. Allocates no more than the bytes are long, but for the fixed size
/// of each element, which the lists' bounds limit.
pub(crate) fn decode<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, Unreadable> {
    let value: T = minicbor::decode(bytes)
        .map_err(|error| if error.is_message() { Unreadable::Value } else { Unreadable::Malformed })?;
    if encode(&value) == bytes { Ok(value) } else { Err(Unreadable::NotCanonical) }
}

/// A list of `MIN` to `MAX` elements, no two of them equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

/// Why values make no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoList {
    /// Fewer than there must be.
    #[error("at least {0} must be given")]
    TooFew(usize),
    /// More than there may be.
    #[error("at most {0} may be given")]
    TooMany(usize),
    /// One stands there twice.
    #[error("one of them stands there twice")]
    Twice,
}

impl<T: PartialEq, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// A list of these.
    ///
    /// # Errors
    /// [`NoList`].
    pub fn new(values: Vec<T>) -> Result<Self, NoList> {
        if values.len() < MIN {
            return Err(NoList::TooFew(MIN));
        }
        if values.len() > MAX {
            return Err(NoList::TooMany(MAX));
        }
        // MAX is 16 at most here, so 120 comparisons.
        let twice = values.iter().enumerate().any(|(at, value)| values[..at].contains(value));
        if twice { Err(NoList::Twice) } else { Ok(Self(values)) }
    }
}

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// Its elements.
    pub fn iter(&self) -> core::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Its elements.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> Default for List<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C, T: Encode<C>, const MIN: usize, const MAX: usize> Encode<C> for List<T, MIN, MAX> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(self.0.len() as u64)?;
        self.0.iter().try_for_each(|value| value.encode(e, ctx))
    }
}

impl<'b, C, T: Decode<'b, C> + PartialEq, const MIN: usize, const MAX: usize> Decode<'b, C>
    for List<T, MIN, MAX>
{
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let len = d.array()?.ok_or_else(|| decode::Error::message("indefinite array"))?;
        if len > MAX as u64 {
            return Err(decode::Error::message("too many"));
        }
        let values = (0..len).map(|_| T::decode(d, ctx)).collect::<Result<Vec<_>, _>>()?;
        Self::new(values).map_err(|_| decode::Error::message("no list"))
    }
}

/// Bytes of another format, `MIN` to `MAX` of them, which are only carried here.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob<const MIN: usize, const MAX: usize>(Vec<u8>);

impl<const MIN: usize, const MAX: usize> Blob<MIN, MAX> {
    /// These bytes; `None` when there are too few or too many.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (MIN..=MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> core::fmt::Debug for Blob<MIN, MAX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<C, const MIN: usize, const MAX: usize> Encode<C> for Blob<MIN, MAX> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C, const MIN: usize, const MAX: usize> Decode<'b, C> for Blob<MIN, MAX> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        if !(MIN..=MAX).contains(&bytes.len()) {
            return Err(decode::Error::message("too few or too many bytes"));
        }
        Ok(Self(bytes.to_vec()))
    }
}

/// Encodes a type as the text that it prints as, and reads it by its parser.
macro_rules! as_text {
    ($name:ty) => {
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.as_str())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str()?.parse().map_err(|_| minicbor::decode::Error::message("text out of bounds"))
            }
        }
    };
}
pub(crate) use as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Pair {
        #[n(0)]
        one: u64,
        #[n(1)]
        list: List<u64, 1, 3>,
        #[n(2)]
        maybe: Option<u64>,
    }

    #[test]
    fn a_value_has_one_encoding() {
        let value = Pair { one: 7, list: List::new(vec![1, 300]).unwrap(), maybe: None };
        let bytes = encode(&value);
        assert_eq!(bytes, [0xA2, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C]);
        assert_eq!(decode(&bytes), Ok(value));
        let others: [(&str, &[u8]); 7] = [
            ("a longer integer", &[0xA2, 0, 0x18, 7, 1, 0x82, 1, 0x19, 1, 0x2C]),
            ("a longer key", &[0xA2, 0x18, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C]),
            ("another order", &[0xA2, 1, 0x82, 1, 0x19, 1, 0x2C, 0, 7]),
            ("a key twice", &[0xA3, 0, 7, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C]),
            ("an unknown key", &[0xA3, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C, 5, 0]),
            ("an indefinite map", &[0xBF, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C, 0xFF]),
            ("bytes behind the end", &[0xA2, 0, 7, 1, 0x82, 1, 0x19, 1, 0x2C, 0]),
        ];
        for (what, other) in others {
            assert_eq!(decode::<Pair>(other), Err(Unreadable::NotCanonical), "{what}");
        }
        assert_eq!(decode::<Pair>(&[0xA2, 0, 7, 1, 0x84, 1, 2, 3, 4]), Err(Unreadable::Value), "too many");
        assert_eq!(decode::<Pair>(&[0xA2, 0, 7, 1, 0x80]), Err(Unreadable::Value), "too few");
        assert_eq!(decode::<Pair>(&[0xA2, 0, 7, 1, 0x82, 1, 1]), Err(Unreadable::Value), "twice the same");
        assert_eq!(decode::<Pair>(&[0xA1, 0, 7]), Err(Unreadable::Malformed), "a field is missing");
        assert_eq!(decode::<Pair>(&[]), Err(Unreadable::Malformed));
    }
}
