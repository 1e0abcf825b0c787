//! Join links: `wardline://HOST:PORT/join?code=ABCDE-FGHJK&root=<base64url of the root's SHA-256>`. At a bed hangs one with `visit`
//! in the place of `join`.
//!
//! Refuses whatever it does not understand: a link is typed by people, forwarded by mail programs and made by
//! strangers, and a guess at what was meant could name another box.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use wardline_core::limits;
use zeroize::Zeroizing;

const SCHEME: &str = "wardline://";
/// Longest link that is looked at.
const LINK_MAX: usize = 1024;

/// Where a box is: a DNS name or IP address, and its UDP port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// DNS name or IP address, an IPv6 one without brackets.
    pub host: String,
    /// UDP port of the QUIC doorway.
    pub port: u16,
}

/// A join code in the form that is hashed: ten characters of Crockford's base 32, upper case.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// One device of the person that the code was issued for.
    Join,
    /// The code hangs at a bed: whoever has it may ask to be let in to the patient's family thread.
    Visit,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Visit => "visit",
        }
    }
}

/// Everything that a device needs to join: where, under which root, with which code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinLink {
    /// Where the box answers.
    pub address: Address,
    /// The name the box's certificate must bear; the host, unless the link says otherwise.
    pub server_name: String,
    /// SHA-256 of the facility root certificate's DER.
    pub root: [u8; 32],
    /// One use, but at a bed.
    pub code: Code,
    /// What it is for.
    pub purpose: Purpose,
}

/// Why a text is no join link.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LinkError {
    /// Another kind of address altogether.
    #[error("A join link begins with wardline://. Copy the whole link.")]
    NotALink,
    /// Cut off, or with something in it that no join link has.
    #[error(
        "The join link is damaged: {0}. Copy the whole link, on a command line in single quotes (a shell cuts it off at \
         its &), or ask for a new one."
    )]
    Damaged(&'static str),
    /// The code cannot be one.
    #[error(
        "The join code must have {} letters and digits, as ABCDE-FGHJK; the letter U is never used.",
        limits::JOIN_CODE_CHARACTERS
    )]
    Code,
}

impl Code {
    /// Reads a typed code: case, dashes and blanks do not matter, O is 0, I and L are 1.
    pub fn parse(typed: &str) -> Result<Self, LinkError> {
        let mut code = Zeroizing::new(String::with_capacity(limits::JOIN_CODE_CHARACTERS));
        for character in typed.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
            if code.len() == limits::JOIN_CODE_CHARACTERS {
                return Err(LinkError::Code);
            }
            code.push(match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                'U' => return Err(LinkError::Code),
                plain if plain.is_ascii_alphanumeric() => plain,
                _ => return Err(LinkError::Code),
            });
        }
        if code.len() == limits::JOIN_CODE_CHARACTERS { Ok(Self(code)) } else { Err(LinkError::Code) }
    }

    /// The ten characters, for the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let damaged = LinkError::Damaged("its address is not HOST:PORT");
        let (host, port) = text.rsplit_once(':').ok_or(damaged.clone())?;
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) if inner.parse::<std::net::Ipv6Addr>().is_ok() => inner,
            Some(_) => return Err(damaged),
            None => host,
        };
        if bracketed.is_none() && !is_host(host) {
            return Err(damaged);
        }
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(damaged);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(damaged)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// A DNS name or IPv4 address, as far as a link needs to know.
fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

impl FromStr for JoinLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > LINK_MAX {
            return Err(LinkError::Damaged("it is too long"));
        }
        let scheme = text.get(..SCHEME.len()).ok_or(LinkError::NotALink)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(LinkError::NotALink);
        }
        let rest = &text[SCHEME.len()..];
        let (address, rest) = rest.split_once('/').ok_or(LinkError::Damaged("it ends after the address"))?;
        let address: Address = address.parse()?;
        let (word, query) = rest.split_once('?').ok_or(LinkError::Damaged("it is not a link to join"))?;
        let purpose = [Purpose::Join, Purpose::Visit].into_iter().find(|purpose| purpose.word() == word);
        let purpose = purpose.ok_or(LinkError::Damaged("it is not a link to join"))?;
        let (mut code, mut root, mut name) = (None, None, None);
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').ok_or(LinkError::Damaged("a part has no value"))?;
            let slot = match key {
                "code" => &mut code,
                "root" => &mut root,
                "name" => &mut name,
                // A later version may say more; what this one needs it asks for below.
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(LinkError::Damaged("a part stands in it twice"));
            }
        }
        let code = Code::parse(code.ok_or(LinkError::Damaged("the code is missing"))?)?;
        let root = root.ok_or(LinkError::Damaged("the facility's root is missing"))?;
        let root = URL_SAFE_NO_PAD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        let root = root.ok_or(LinkError::Damaged("the facility's root is not 43 characters of base64url"))?;
        let server_name = match name {
            None => address.host.clone(),
            Some(name) if is_host(name) || name.parse::<std::net::Ipv6Addr>().is_ok() => name.to_owned(),
            Some(_) => return Err(LinkError::Damaged("the box's name is not a DNS name or IP address")),
        };
        Ok(Self { address, server_name, root, code, purpose })
    }
}

/// With the code in clear: for the person who is to join, never for a log.
impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.code.reveal().split_at(limits::JOIN_CODE_CHARACTERS / 2);
        let root = URL_SAFE_NO_PAD.encode(self.root);
        let word = self.purpose.word();
        write!(f, "{SCHEME}{}/{word}?code={left}-{right}&root={root}", self.address)?;
        if self.server_name != self.address.host {
            write!(f, "&name={}", self.server_name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn link(text: &str) -> Result<JoinLink, LinkError> {
        text.parse()
    }

    #[test]
    fn a_link_is_read_whole() {
        let read = link(&format!("wardline://box.example:443/join?code=ABCDE-FGHJK&root={ROOT}")).unwrap();
        assert_eq!(read.address, Address { host: "box.example".to_owned(), port: 443 });
        assert_eq!(read.server_name, "box.example");
        assert_eq!(read.code.reveal(), "ABCDEFGHJK");
        assert_eq!(read.root[31], 31);
        let read = link(&format!(" WARDLINE://[::1]:4433/join?root={ROOT}&code=oil%&name=x",));
        assert_eq!(read, Err(LinkError::Code));
        let read =
            link(&format!("wardline://[::1]:4433/join?root={ROOT}&x=y&code=oIl23 abcde&name=b")).unwrap();
        assert_eq!((read.address.to_string().as_str(), read.server_name.as_str()), ("[::1]:4433", "b"));
        assert_eq!(read.code.reveal(), "01123ABCDE");
    }

    #[test]
    fn bad_links_are_refused_with_the_reason() {
        let full = format!("wardline://box:443/join?code=ABCDE-FGHJK&root={ROOT}");
        let cases = [
            ("", "begins with wardline://"),
            ("https://box/join", "begins with wardline://"),
            ("wardline://box:443", "ends after the address"),
            ("wardline://box/join?", "not HOST:PORT"),
            ("wardline://box:0/join?", "not HOST:PORT"),
            ("wardline://box:70000/join?", "not HOST:PORT"),
            ("wardline://box:+443/join?", "not HOST:PORT"),
            ("wardline://a@b:443/join?", "not HOST:PORT"),
            ("wardline://[box]:443/join?", "not HOST:PORT"),
            ("wardline://box:443/leave?code=1", "not a link to join"),
            ("wardline://box:443/join?code", "no value"),
            ("wardline://box:443/join?code=ABCDE-FGHJK", "root is missing"),
            ("wardline://box:443/join?root=AAEC", "code is missing"),
            ("wardline://box:443/join?code=ABCDE-FGHJK&root=AAEC", "43 characters"),
            ("wardline://box:443/join?code=ABCDE-FGHJU&root=AAEC", "never used"),
            ("wardline://box:443/join?code=ABCDE-FGHJKM&root=AAEC", "10 letters"),
            ("wardline://box:443/join?code=A&code=B", "twice"),
        ];
        for (text, reason) in cases {
            let error = link(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        for end in 0..full.len() {
            assert!(link(&full[..end]).is_err(), "cut at {end}");
        }
        assert!(link(&format!("{full}&name=a b")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            code in "[0-9A-HJKMNP-TV-Z]{10}", root: [u8; 32], host in "[a-z0-9]{1,20}(\\.[a-z]{2,5})?",
            port in 1u16.., name in proptest::option::of("[a-z]{1,9}"), visit: bool,
        ) {
            let written = JoinLink {
                server_name: name.unwrap_or_else(|| host.clone()),
                address: Address { host, port },
                root,
                code: Code::parse(&code).unwrap(),
                purpose: if visit { Purpose::Visit } else { Purpose::Join },
            };
            prop_assert_eq!(written.to_string().parse::<JoinLink>(), Ok(written));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = text.parse::<JoinLink>();
            let _ = format!("wardline://{text}").parse::<JoinLink>();
            let _ = format!("wardline://b:1/join?{text}").parse::<JoinLink>();
        }
    }
}
