//! What a browser says of a passkey's use (WebAuthn, 5.8.1: `CollectedClientData`), read without a library.
//!
//! Level 2 has a serialisation whose beginning could be compared byte by byte (5.8.1.2), but not every browser that is in use writes it:
//! `crossOrigin` is missing in some, and the order is another in others. So this reads one JSON object (RFC 8259) with its members in any
//! order, and passes over what it does not know. A member of the four that comes twice is refused.

use super::parts::base64url;

/// How deep something unknown may be nested.
const DEPTH_MAX: usize = 8;

/// The four members that count. Strings as they stand between their quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientData<'a> {
    kind: Option<&'a [u8]>,
    challenge: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    cross_origin: Option<bool>,
}

impl<'a> ClientData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut json = Json { bytes, at: 0 };
        let mut data = Self::default();
        json.take(b'{')?;
        if !json.next_is(b'}') {
            loop {
                let name = json.string()?;
                json.take(b':')?;
                match name {
                    b"type" => once(&mut data.kind, json.string()?)?,
                    b"challenge" => once(&mut data.challenge, json.string()?)?,
                    b"origin" => once(&mut data.origin, json.string()?)?,
                    b"crossOrigin" => once(&mut data.cross_origin, json.boolean()?)?,
                    // Written with an escape it could be one of the four.
                    name if name.contains(&b'\\') => return None,
                    _ => json.pass_over(DEPTH_MAX)?,
                }
                if !json.next_is(b',') {
                    break;
                }
                json.take(b',')?;
            }
        }
        json.take(b'}')?;
        json.white_space();
        (json.at == bytes.len()).then_some(data)
    }

    /// Whether this is the use that was asked for, on the page itself and not in a frame of another's.
    pub(super) fn says(&self, kind: &str, challenge: &[u8; 32], origin: &str) -> bool {
        let challenge = base64url(challenge);
        is(self.kind, kind.as_bytes())
            && is(self.challenge, challenge.as_bytes())
            && is(self.origin, origin.as_bytes())
            && self.cross_origin != Some(true)
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// Whether a string says this. None of the three has a character that JSON must escape; of those that it may, some write the slash so.
fn is(said: Option<&[u8]>, wanted: &[u8]) -> bool {
    let Some(mut said) = said else { return false };
    for byte in wanted {
        if *byte == b'/' {
            said = said.strip_prefix(br"\").unwrap_or(said);
        }
        match said.split_first() {
            Some((first, rest)) if first == byte => said = rest,
            _ => return false,
        }
    }
    said.is_empty()
}

/// A place in JSON.
struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.white_space();
        self.peek() == Some(byte)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then(|| self.at += 1)
    }

    /// What stands between the quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let begin = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = self.bytes.get(self.at + 1..self.at + 5)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                0..0x20 => return None,
                _ => {}
            }
            self.at += 1;
        }
        let string = &self.bytes[begin..self.at];
        self.at += 1;
        std::str::from_utf8(string).is_ok().then_some(string)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.white_space();
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.next_is(b't') {
            self.word(b"true").map(|()| true)
        } else {
            self.word(b"false").map(|()| false)
        }
    }

    /// Any value.
    fn pass_over(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.white_space();
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'[' => self.several(b'[', b']', |json| json.pass_over(depth)),
            b'{' => self.several(b'{', b'}', |json| {
                json.string()?;
                json.take(b':')?;
                json.pass_over(depth)
            }),
            _ => self.number(),
        }
    }

    fn several(&mut self, open: u8, close: u8, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        if self.next_is(close) {
            return self.take(close);
        }
        loop {
            one(self)?;
            if self.next_is(close) {
                return self.take(close);
            }
            self.take(b',')?;
        }
    }

    /// Its form does not matter as long as it ends.
    fn number(&mut self) -> Option<()> {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        self.at += digits;
        (digits > 0).then_some(())
    }
}
