//! PINs, checked before anything is computed from them.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::limits;
use crate::refusal::Refusal;

/// A PIN that is long enough and not a common one. Wiped when dropped; never prints itself.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// A new PIN: at least six characters, at most 64 bytes, and none that a thief tries first.
    pub fn choose(text: String) -> Result<Self, Refusal> {
        let pin = Self::offer(text)?;
        if pin.0.chars().count() < limits::PIN_CHARACTERS_MIN {
            return Err(Refusal::PinTooShort);
        }
        if is_common(&pin.0) {
            return Err(Refusal::PinTooCommon);
        }
        Ok(pin)
    }

    /// A PIN offered to unlock: any text that could be one, so that a wrong one counts as wrong.
    pub fn offer(text: String) -> Result<Self, Refusal> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(Refusal::Invalid);
        }
        if text.len() > limits::PIN_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        Ok(Self(text))
    }

    /// The characters, for the one function that stretches them.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// What the box keeps of a PIN: the keeper's MAC over its stretched form.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct PinMac(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl PinMac {
    /// Equality that takes the same time whatever differs.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

impl fmt::Debug for PinMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinMac(…)")
    }
}

/// The hash under which a join code is kept: SHA-256("wardline/1 code\0" || code).
pub fn join_code_hash(code: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"wardline/1 code\0");
    hash.update(code.as_bytes());
    hash.finalize().into()
}

/// The hash under which a bedside code is kept: SHA-256("wardline/1 bedside\0" || code). Another than a join code's, so that neither
/// is taken for the other.
pub fn bedside_code_hash(code: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"wardline/1 bedside\0");
    hash.update(code.as_bytes());
    hash.finalize().into()
}

/// Repeats of a short pattern, runs up or down, dates of the last and this century, keyboard rows and the head of
/// every leaked list.
fn is_common(pin: &str) -> bool {
    const LISTED: [&str; 20] = [
        "password",
        "passw0rd",
        "qwerty",
        "qwertz",
        "azerty",
        "asdfgh",
        "zxcvbn",
        "letmein",
        "iloveyou",
        "welcome",
        "wardline",
        "hospital",
        "monkey",
        "dragon",
        "abc123",
        "admin1",
        "nurse1",
        "159753",
        "147258",
        "147258369",
    ];
    let lower = pin.to_lowercase();
    if LISTED.iter().any(|listed| lower == *listed || lower.trim_end_matches(char::is_numeric) == *listed) {
        return true;
    }
    let bytes = lower.as_bytes();
    let repeats = (1..=3).any(|period| bytes.iter().skip(period).zip(bytes).all(|(a, b)| a == b));
    let step = |by: i16| bytes.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
    let wrapped = |pair: &[u8], up: bool| {
        let (low, high) = if up { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
        (low == b'9' && high == b'0') || high == low.wrapping_add(1)
    };
    let wraps =
        |up: bool| bytes.iter().all(u8::is_ascii_digit) && bytes.windows(2).all(|pair| wrapped(pair, up));
    repeats || step(1) || step(-1) || wraps(true) || wraps(false) || is_date(bytes)
}

/// DDMMYYYY, MMDDYYYY and YYYYMMDD of the last and this century. Six digits are too few to tell a date by.
fn is_date(bytes: &[u8]) -> bool {
    if !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number =
        |at: std::ops::Range<usize>| bytes[at].iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
    let day_month = |a: u32, b: u32| (1..=31).contains(&a) && (1..=12).contains(&b);
    let century = |year: u32| (1900..2100).contains(&year);
    if bytes.len() != 8 {
        return false;
    }
    let (a, b, tail, head) = (number(0..2), number(2..4), number(4..8), number(0..4));
    (century(tail) && (day_month(a, b) || day_month(b, a)))
        || (century(head) && day_month(number(6..8), number(4..6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_pins_are_refused() {
        for pin in [
            "123456",
            "654321",
            "000000",
            "121212",
            "123123",
            "567890",
            "098765",
            "24121985",
            "qwerty",
            "Password1",
        ] {
            assert_eq!(Pin::choose(pin.to_owned()).err(), Some(Refusal::PinTooCommon), "{pin}");
        }
        for pin in ["12345", "a"] {
            assert_eq!(Pin::choose(pin.to_owned()).err(), Some(Refusal::PinTooShort), "{pin}");
        }
        for pin in ["739154", "correct horse", "80351927"] {
            assert!(Pin::choose(pin.to_owned()).is_ok(), "{pin}");
        }
    }

    #[test]
    fn a_pin_never_prints_itself() {
        assert_eq!(format!("{:?}", Pin::offer("739154".to_owned()).unwrap()), "Pin(…)");
    }
}
