//! Which push services may be called, and a subscription's address taken apart.
//!
//! The address comes from a phone, so it is a foreign wish that this box connect somewhere. Refused: anything but `https`,
//! user information, a port that is not named, an IP address, a host that is not on the list.

use std::fmt;
use std::str::FromStr;

use wardline_bell_protocol::{ENDPOINT_BYTES_MAX, HOST_BYTES_MAX};

/// The push services of the browsers that people have.
pub const USUAL: [&str; 4] =
    ["fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", "*.notify.windows.com"];

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// One line of the list: `host`, `*.domain`, or `host:port` for a push service of one's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowed {
    shown: String,
    host: String,
    port: u16,
    any_below: bool,
}

/// Not a host that can be allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("give a host's name, `*.` before it for any below it, or a name and a port: fcm.googleapis.com")]
pub struct NotAHost;

impl FromStr for Allowed {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_| NotAHost)?),
            None => (text, HTTPS),
        };
        let below = name.strip_prefix("*.");
        let host = below.unwrap_or(name).to_ascii_lowercase();
        if !is_name(&host) || text.len() > HOST_BYTES_MAX || (below.is_some() && port != HTTPS) {
            return Err(NotAHost);
        }
        Ok(Self { shown: text.to_ascii_lowercase(), host, port, any_below: below.is_some() })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Allowed {
    fn covers(&self, host: &str, port: u16) -> bool {
        let is_it = if self.any_below {
            host.strip_suffix(&self.host).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        } else {
            host == self.host
        };
        is_it && port == self.port
    }
}

/// Where one browser's push service is called. `Debug` shows the host alone: the path is what makes the phone ring.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, in lower case.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Its line in the list.
    pub line: usize,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}:{}, ..)", self.host, self.port)
    }
}

impl Endpoint {
    /// Takes it apart; `None` when it may not be called.
    pub fn parse(text: &str, allowed: &[Allowed]) -> Option<Self> {
        let rest = text.strip_prefix("https://").filter(|_| text.len() <= ENDPOINT_BYTES_MAX)?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, HTTPS),
        };
        let host = host.to_ascii_lowercase();
        // What may stand in a request's first line, without a fragment.
        let is_sound = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !is_sound || !is_name(&host) {
            return None;
        }
        let line = allowed.iter().position(|one| one.covers(&host, port))?;
        Some(Self { host, port, path: path.to_owned(), line })
    }

    /// As VAPID's `aud` and the `Host` header name it.
    pub fn authority(&self) -> String {
        if self.port == HTTPS { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Whether it is a DNS name whose last label is no number, and so no IP address in any of its spellings.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(is_label) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn list(of: &[&str]) -> Vec<Allowed> {
        of.iter().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn the_push_services_of_browsers_are_called() {
        let usual = list(&USUAL);
        let line = |text: &str| Endpoint::parse(text, &usual).map(|endpoint| endpoint.line);
        assert_eq!(line("https://fcm.googleapis.com/fcm/send/abc:APA91b"), Some(0));
        assert_eq!(line("https://updates.push.services.mozilla.com/wpush/v2/x"), Some(1));
        assert_eq!(line("https://WEB.push.apple.com/Qx"), Some(2));
        assert_eq!(line("https://db5p.notify.windows.com/w/?token=BQ%2b"), Some(3));
        assert_eq!(line("https://fcm.googleapis.com:443/fcm/send/abc"), Some(0));
    }

    #[test]
    fn nothing_else_is() {
        let usual = list(&USUAL);
        for text in [
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com:/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evil.example/fcm.googleapis.com",
            "https://user@fcm.googleapis.com/x",
            "https://notify.windows.com/x",
            "https://.notify.windows.com/x",
            "https://evilnotify.windows.com/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/x",
            "https://0x7f.0.0.0x1/x",
            "https://fcm.googleapis.com/x\r\nHost: evil.example",
            "https://fcm.googleapis.com/x y",
            "https://fcm.googleapis.com/x#y",
            "https:///x",
            "",
        ] {
            assert_eq!(Endpoint::parse(text, &usual), None, "{text:?}");
        }
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(ENDPOINT_BYTES_MAX));
        assert_eq!(Endpoint::parse(&long, &usual), None);
    }

    #[test]
    fn a_port_is_called_when_the_list_has_it() {
        let own = list(&["localhost:4443"]);
        assert_eq!(
            Endpoint::parse("https://localhost:4443/p/1", &own).unwrap().authority(),
            "localhost:4443"
        );
        assert_eq!(Endpoint::parse("https://localhost/p/1", &own), None);
        for text in ["127.0.0.1", "127.0.0.1:443", "*.a.example:8443", "a b", "", "*", "*."] {
            assert_eq!(text.parse::<Allowed>(), Err(NotAHost), "{text:?}");
        }
    }

    #[test]
    fn what_makes_a_phone_ring_is_not_shown() {
        let endpoint = Endpoint::parse("https://web.push.apple.com/SECRET", &list(&USUAL)).unwrap();
        assert_eq!(format!("{endpoint:?}"), "Endpoint(web.push.apple.com:443, ..)");
    }
}
