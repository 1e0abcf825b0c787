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

/// As [`printable`], without blanks around it and what nobody sees: two names that look alike would be two, and one could look like none.
fn seen(text: &str, max: usize) -> Result<String, Refusal> {
    printable(text, max)?;
    let seen: String = text.chars().filter(|character| !is_unseen(*character)).collect();
    let seen = seen.trim();
    if seen.chars().all(|character| is_joiner(character) || character.is_whitespace()) {
        return Err(Refusal::Invalid);
    }
    Ok(seen.to_owned())
}

/// Characters that show nothing, or turn what is around them: fillers, marks and overrides of direction, tags, and others that a reader
/// may leave out (Unicode's Default_Ignorable_Code_Point), but for joiners, which scripts and emoji need.
pub(crate) fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What joins letters, or says how one is drawn, and is nothing by itself.
pub(crate) fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

impl Name {
    /// The name, without blanks around it and without what nobody sees. Refuses empty, oversize and control characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        seen(text, limits::NAME_MAX).map(Self)
    }

    /// One that was taken before, or signed: as it is, with blanks around it taken off.
    pub fn kept(text: &str) -> Result<Self, Refusal> {
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
        seen(text, limits::TITLE_MAX).map(Self)
    }

    /// As [`Name::kept`], to [`limits::TITLE_MAX`] bytes.
    pub fn kept(text: &str) -> Result<Self, Refusal> {
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
        seen(text, limits::QUICK_REPLY_MAX).map(Self)
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
    /// The name, without blanks around it and without what nobody sees: `gpj.exe` does not read backwards.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        seen(text, limits::ATTACHMENT_NAME_MAX)
            .map(|name| Self(Zeroizing::new(name)))
            .map_err(|_| Refusal::AttachmentName)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_no_part_of_a_name() {
        let name = |text: &str| Name::parse(text).map(|name| name.reveal().to_owned());
        for (text, read) in [
            ("A\u{200b}na\u{2060} \u{202e}Torres\u{feff}", "Ana Torres"),
            ("\u{3164}Ana\u{115f}", "Ana"),
            ("\u{2800} Ana \u{e0041}", "Ana"),
            // Scripts and emoji need these.
            ("می\u{200c}نا", "می\u{200c}نا"),
            ("Ward \u{1f469}\u{200d}\u{2695}\u{fe0f}", "Ward \u{1f469}\u{200d}\u{2695}\u{fe0f}"),
            ("नि\u{200d}या", "नि\u{200d}या"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(read), "{text:?}");
        }
        for nothing in ["\u{200b}", "\u{3164}", "\u{200d}\u{fe0f}", "\u{2800}\u{2060} ", "\u{202e}\u{202c}"] {
            assert_eq!(name(nothing), Err(Refusal::Invalid), "{nothing:?}");
            assert!(Name::kept(nothing).is_ok(), "what a store has from before is read as it is");
        }
        assert_eq!(
            Title::parse("Night\u{202e}team").map(|title| title.reveal().to_owned()).as_deref(),
            Ok("Nightteam")
        );
    }
}
