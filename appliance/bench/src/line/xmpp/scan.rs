//! Where a stanza ends. Enough of XML for a stream of a server that keeps to RFC 6120: no comments, no processing
//! instructions but the declaration, no entities of its own.

use anyhow::{Context as _, Result, bail};
use bytes::{Buf as _, BytesMut};

/// Bytes that a stanza may have. ejabberd's limit for what it takes is the same.
const STANZA_MAX: usize = 256 * 1024;

/// What stands on the top of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The stream begins.
    Open,
    /// A stanza, whole.
    Stanza(Stanza),
    /// The stream ends.
    Close,
}

/// Cuts a stream into its parts, whatever the pieces are in which it comes.
#[derive(Default)]
pub(super) struct Scanner {
    bytes: BytesMut,
    /// How far it has been looked at.
    seen: usize,
    depth: usize,
    place: Place,
}

/// Where in the text that is.
#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    /// Behind `<`.
    Left,
    /// In `<name …`; behind a `/` or not.
    Start { slash: bool },
    /// In the value of an attribute, which this ends.
    Value(u8),
    /// In `</name`.
    End,
    /// In `<?xml …`.
    Declaration,
}

impl Scanner {
    /// Where what was received is to be put.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// The next part, when all of it is there.
    pub(super) fn next(&mut self) -> Result<Option<Part>> {
        while let Some(&byte) = self.bytes.get(self.seen) {
            self.seen += 1;
            let (place, part) = self.step(byte)?;
            self.place = place;
            if let Some(part) = part {
                return Ok(Some(part));
            }
        }
        if self.bytes.len() > STANZA_MAX {
            bail!("a stanza of more than {STANZA_MAX} bytes");
        }
        Ok(None)
    }

    /// One byte further: where that is, and what ends with it.
    fn step(&mut self, byte: u8) -> Result<(Place, Option<Part>)> {
        let place = match (self.place, byte) {
            (Place::Text, b'<') => Place::Left,
            (Place::Text, _) => Place::Text,
            (Place::Left, b'/') => Place::End,
            (Place::Left, b'?') => Place::Declaration,
            (Place::Left, b'!') => bail!("a comment, or something worse"),
            (Place::Left, _) => Place::Start { slash: false },
            (Place::Start { slash: true }, b'>') => return Ok((Place::Text, self.ended(self.depth)?)),
            (Place::Start { .. }, b'>') => {
                self.depth += 1;
                let opens = self.depth == 1;
                if opens {
                    self.take();
                }
                return Ok((Place::Text, opens.then_some(Part::Open)));
            }
            (Place::Start { .. }, b'"' | b'\'') => Place::Value(byte),
            (Place::Start { .. }, _) => Place::Start { slash: byte == b'/' },
            (Place::Value(quote), _) if byte == quote => Place::Start { slash: false },
            (Place::Value(_), _) => self.place,
            (Place::End | Place::Declaration, _) if byte != b'>' => self.place,
            (Place::End, _) => {
                self.depth = self.depth.checked_sub(1).context("an end without a start")?;
                return Ok((Place::Text, self.ended(self.depth)?));
            }
            (Place::Declaration, _) => {
                self.take();
                Place::Text
            }
        };
        Ok((place, None))
    }

    /// An element has ended, which leaves this depth.
    fn ended(&mut self, depth: usize) -> Result<Option<Part>> {
        Ok(match depth {
            0 => {
                self.take();
                Some(Part::Close)
            }
            1 => {
                let bytes = self.take();
                Some(Part::Stanza(Stanza(std::str::from_utf8(&bytes)?.trim_start().to_owned())))
            }
            _ => None,
        })
    }

    /// What has been looked at.
    fn take(&mut self) -> BytesMut {
        let taken = self.bytes.split_to(self.seen);
        self.seen = 0;
        taken
    }

    /// Forgets the stream, and that it began: the next one comes over the same connection.
    pub(super) fn restart(&mut self) {
        self.bytes.advance(self.seen);
        (self.seen, self.depth, self.place) = (0, 0, Place::Text);
    }
}

/// One stanza as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stanza(String);

impl Stanza {
    /// What it is called, with the prefix that the server gives it.
    pub(super) fn name(&self) -> &str {
        let rest = self.0.get(1..).unwrap_or_default();
        rest.split([' ', '/', '>', '\t', '\r', '\n']).next().unwrap_or_default()
    }

    /// Whether it counts for stream management.
    pub(super) fn counts(&self) -> bool {
        matches!(self.name(), "message" | "presence" | "iq")
    }

    /// The value of its attribute, as it stands there.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut rest = self.0.get(1 + self.name().len()..)?;
        loop {
            rest = rest.trim_start();
            let (attribute, value) = rest.split_once('=')?;
            if attribute.contains(['>', '/']) {
                return None;
            }
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, tail) = value.get(1..)?.split_once(quote)?;
            if attribute.trim_end() == name {
                return Some(value);
            }
            rest = tail;
        }
    }

    /// The text of the first element of this name in it that holds nothing but text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut rest = self.0.as_str();
        loop {
            let (_, found) = rest.split_once('<')?;
            rest = found;
            let Some(tail) = found.strip_prefix(name) else { continue };
            if tail.starts_with(['>', ' ']) {
                return tail.split_once('>')?.1.split_once('<').map(|(text, _)| text);
            }
        }
    }

    /// Whether this stands in it.
    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

impl std::fmt::Display for Stanza {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "<?xml version='1.0'?><stream:stream id='1>2' xmlns=\"jabber:client\">\
        <stream:features><bind xmlns='x'/><sm>a</sm></stream:features>\n \
        <message from=\"r@c/o'x\" id='/>' ><body>g\u{fc}t &lt;</body><x a='b/'/></message><r xmlns='urn:xmpp:sm:3'/>\
        <a h='17' xmlns='urn:xmpp:sm:3'/></stream:stream>";

    fn drain(scanner: &mut Scanner, into: &mut Vec<String>) {
        while let Some(part) = scanner.next().unwrap() {
            into.push(match part {
                Part::Open => "open".into(),
                Part::Stanza(stanza) => stanza.to_string(),
                Part::Close => "close".into(),
            });
        }
    }

    fn whole() -> Vec<String> {
        let mut parts = Vec::new();
        let mut scanner = Scanner::default();
        scanner.buffer().extend_from_slice(STREAM.as_bytes());
        drain(&mut scanner, &mut parts);
        parts
    }

    #[test]
    fn a_stream_is_cut_into_its_stanzas() {
        let parts = whole();
        assert_eq!(parts.len(), 6);
        assert_eq!(parts[0], "open");
        assert_eq!(parts[1], "<stream:features><bind xmlns='x'/><sm>a</sm></stream:features>");
        assert!(parts[2].starts_with("<message") && parts[2].ends_with("</message>"));
        assert_eq!(parts[3], "<r xmlns='urn:xmpp:sm:3'/>");
        assert_eq!(parts[5], "close");
    }

    #[test]
    fn whatever_the_pieces_are() {
        for at in 0..=STREAM.len() {
            let (mut scanner, mut parts) = (Scanner::default(), Vec::new());
            for piece in [&STREAM.as_bytes()[..at], &STREAM.as_bytes()[at..]] {
                scanner.buffer().extend_from_slice(piece);
                drain(&mut scanner, &mut parts);
            }
            assert_eq!(parts, whole(), "split at {at}");
        }
        let (mut scanner, mut parts) = (Scanner::default(), Vec::new());
        for byte in STREAM.bytes() {
            scanner.buffer().extend_from_slice(&[byte]);
            drain(&mut scanner, &mut parts);
        }
        assert_eq!(parts, whole());
    }

    #[test]
    fn a_stanza_is_bounded_and_so_is_nonsense() {
        let mut scanner = Scanner::default();
        scanner.buffer().extend_from_slice(b"<s><message>");
        assert_eq!(scanner.next().unwrap(), Some(Part::Open));
        assert_eq!(scanner.next().unwrap(), None);
        scanner.buffer().extend_from_slice(&[b'x'; STANZA_MAX]);
        assert!(scanner.next().is_err());
        for nonsense in ["</s>", "<!-- -->", "<s><!DOCTYPE x>"] {
            let mut scanner = Scanner::default();
            scanner.buffer().extend_from_slice(nonsense.as_bytes());
            assert!((0..3).any(|_| scanner.next().is_err()), "{nonsense}");
        }
    }

    #[test]
    fn a_new_stream_over_the_same_connection() {
        let mut scanner = Scanner::default();
        scanner.buffer().extend_from_slice(b"<s><success/>");
        assert_eq!(scanner.next().unwrap(), Some(Part::Open));
        assert!(matches!(scanner.next().unwrap(), Some(Part::Stanza(_))));
        scanner.restart();
        scanner.buffer().extend_from_slice(b"<?xml version='1.0'?><s>");
        assert_eq!(scanner.next().unwrap(), Some(Part::Open));
    }

    #[test]
    fn what_stands_in_a_stanza() {
        let message = Stanza(whole().swap_remove(2));
        assert_eq!(message.name(), "message");
        assert!(message.counts());
        assert_eq!(message.attribute("from"), Some("r@c/o'x"));
        assert_eq!(message.attribute("id"), Some("/>"));
        // Only its own, not those of what is in it.
        assert_eq!(message.attribute("a"), None);
        assert_eq!(message.text("body"), Some("g\u{fc}t &lt;"));
        assert_eq!(message.text("bod"), None);
        let answer = Stanza("<a h='17' xmlns='urn:xmpp:sm:3'/>".into());
        assert_eq!((answer.name(), answer.attribute("h")), ("a", Some("17")));
        assert!(!answer.counts());
    }
}
