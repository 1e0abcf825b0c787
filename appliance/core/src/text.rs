//! What people write and are called. None of these types prints itself: not in `Debug`, not in an error.

use std::fmt;

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::limits;
use crate::refusal::Refusal;

/// A person's or device's name: 1 to [`limits::NAME_MAX`] bytes, no control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Name(#[n(0)] String);

/// A group's title: 1 to [`limits::TITLE_MAX`] bytes, no control characters; empty only for a direct conversation. Or a
/// person's, at most [`limits::NAME_MAX`] bytes; it may be empty.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Title(#[n(0)] String);

/// Why somebody did something, in their words: [`limits::GROUNDS_MIN`] characters to [`limits::GROUNDS_MAX`] bytes, no control
/// characters. May speak of a patient.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Grounds(#[n(0)] String);

/// A whole message that somebody sends with one tap: 1 to [`limits::QUICK_REPLY_MAX`] bytes, no control characters.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Phrase(#[n(0)] String);

/// A message's text before it is sealed: 1 to [`limits::TEXT_MAX`] bytes of UTF-8. Wiped when dropped.
pub struct Text(Zeroizing<String>);

/// What a person calls a file, before it is sealed: 1 to [`limits::ATTACHMENT_NAME_MAX`] bytes, no control characters. Says nothing
/// of where it may be put.
pub struct FileName(Zeroizing<String>);

fn printable(text: &str, max: usize) -> Result<(), Refusal> {
    if text.len() > max {
        return Err(Refusal::TooLarge);
    }
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(Refusal::Invalid);
    }
    Ok(())
}

impl Name {
    /// The name, with blanks around it taken off. Refuses empty, oversize and control characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        printable(text, limits::NAME_MAX)?;
        Ok(Self(text.trim().to_owned()))
    }

    /// The name itself: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Title {
    /// As [`Name::parse`], to [`limits::TITLE_MAX`] bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        printable(text, limits::TITLE_MAX)?;
        Ok(Self(text.trim().to_owned()))
    }

    /// The title itself: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Phrase {
    /// As [`Name::parse`], to [`limits::QUICK_REPLY_MAX`] bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        printable(text, limits::QUICK_REPLY_MAX)?;
        Ok(Self(text.trim().to_owned()))
    }

    /// The words themselves: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Grounds {
    /// The words, with blanks around them taken off. Refuses what says too little, oversize and control characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.trim().chars().count() < limits::GROUNDS_MIN {
            return Err(Refusal::GroundsTooShort);
        }
        printable(text, limits::GROUNDS_MAX)?;
        Ok(Self(text.trim().to_owned()))
    }

    /// The words themselves: for the wire and the store, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Text {
    /// The text, unchanged. Refuses empty and oversize; what a person typed is not altered.
    pub fn parse(text: String) -> Result<Self, Refusal> {
        if text.len() > limits::TEXT_MAX {
            return Err(Refusal::TooLarge);
        }
        if text.is_empty() {
            return Err(Refusal::Invalid);
        }
        Ok(Self(Zeroizing::new(text)))
    }

    /// The text itself: for sealing and for recipients, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FileName {
    /// The name, with blanks around it taken off.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        printable(text, limits::ATTACHMENT_NAME_MAX).map_err(|_| Refusal::AttachmentName)?;
        Ok(Self(Zeroizing::new(text.trim().to_owned())))
    }

    /// The name itself: for sealing and for recipients, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A body under its conversation's key: nonce (12) || ciphertext || tag (16). Opaque to the core.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Sealed(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// A conversation's key, wrapped by a key that the core never sees: nonce (12) || wrapped (32) || tag (16).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct WrappedKey(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
silent!(Name, Title, Phrase, Grounds, Text, FileName, Sealed, WrappedKey);
