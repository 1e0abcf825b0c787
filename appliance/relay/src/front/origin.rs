//! From where a page may come in, and what ties its proofs to that: one check for all doorways of browsers.
//!
//! It refuses a request that names no origin or two, and an origin (RFC 6454, 7) that is not the very address that was asked. Browsers
//! write the origin; a page cannot.

use aws_lc_rs::digest;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName};

/// In front of the origin, in what a proof is bound to where the script cannot know which certificate it met.
const ORIGIN: &[u8] = b"wardline/1 origin\0";
/// The same where it can.
const ORIGIN_AND_LEAF: &[u8] = b"wardline/1 origin+leaf\0";

/// Why a request is turned away, for whoever looks at it by hand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str);

/// The request's origin, if it is `https://` and `host`.
pub(super) fn own<'a>(headers: &'a HeaderMap, host: &str) -> Result<&'a str, Refused> {
    let origin = one(headers, header::ORIGIN)
        .ok_or(Refused(StatusCode::BAD_REQUEST, "The request names no origin."))?;
    let own = origin.strip_prefix("https://").is_some_and(|from| from.eq_ignore_ascii_case(host));
    own.then_some(origin).ok_or(Refused(StatusCode::FORBIDDEN, "A page of another origin may not come in."))
}

/// What no certificate of this box is for.
pub(super) const STRANGE: Refused = Refused(
    StatusCode::FORBIDDEN,
    "This box is not called so: go by a name or an address that its certificate is for.",
);

/// The host of an origin that may come in, with its port.
pub(super) fn host(origin: &str) -> &str {
    origin.strip_prefix("https://").unwrap_or(origin)
}

/// The value of a header that is there once. With two of them, whoever stands between might go by the other.
pub(super) fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    let one = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(one)
}

/// What proofs on a page of this origin are bound to, in the exporter's place. Browsers send an origin in lower case.
pub(super) fn binding(origin: &str) -> [u8; 32] {
    sha256(&[ORIGIN, origin.as_bytes()])
}

/// The same on a connection whose certificate the page chose by its hash: SHA-256 of the leaf's DER.
pub(super) fn leaf_binding(origin: &str, leaf: &[u8; 32]) -> [u8; 32] {
    sha256(&[ORIGIN_AND_LEAF, origin.as_bytes(), b"\0", leaf])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The protocol page has both.
    #[test]
    fn bindings_are_those_of_the_page() {
        let origin = "https://box.example:8443";
        assert_eq!(hex(binding(origin)), "c3b944db80d9db27f35c6022c1d94aafaac3da125ac5b19db5bac8550ea0bd29");
        let leaf: [u8; 32] = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        assert_eq!(
            hex(leaf_binding(origin, &leaf)),
            "ffaa842cb8cea21e25a6e9ce8749789182e3bb6650e3dcf7ddf6f813eab1555e"
        );
    }
}
