//! What the process that takes configurations has to show on the box's screen: a few lines that the console reads.
//!
//! Only what a screen may show: words that anybody may compare, a number, and the first administrator's join code as long as
//! nobody has used it, which whoever stands before the box may see (`docs/THREATS.md`).

use core::fmt::{self, Write as _};

use crate::bundle::BoxId;

/// What is to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The box's number, for its eight words.
    pub box_id: Option<BoxId>,
    /// Why the last stick changed nothing: 1 to 99.
    pub bad: Option<u8>,
    /// The first administrator's join code, ten letters and digits.
    pub code: Option<Code>,
    /// A stick was just written, and may be taken out.
    pub is_stick_done: bool,
}

/// A join code as it is shown: `ABCDE-FGHJK`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Ten capital letters and digits; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        fits.then(|| Self(text.to_owned()))
    }
}

/// For a screen.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.0.split_at(5);
        write!(f, "{left}-{right}")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl Said {
    /// Lines of a name and a value.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if let Some(id) = &self.box_id {
            let _ = writeln!(text, "box {id}");
        }
        if let Some(bad) = self.bad {
            let _ = writeln!(text, "bad {bad}");
        }
        if let Some(Code(code)) = &self.code {
            let _ = writeln!(text, "code {code}");
        }
        if self.is_stick_done {
            text.push_str("stick done\n");
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote. What is not understood is not shown.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Self {
            box_id: of("box").and_then(hex),
            bad: of("bad").and_then(|bad| bad.parse().ok()).filter(|bad| (1..=99).contains(bad)),
            code: of("code").and_then(Code::new),
            is_stick_done: of("stick") == Some("done"),
        }
    }
}

fn hex(text: &str) -> Option<BoxId> {
    let mut id = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(BoxId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_shown() {
        let (box_id, code) = (Some(BoxId([0x7F; 32])), Code::new("ABCDE12345"));
        let said = Said { box_id, bad: Some(15), code, is_stick_done: true };
        assert_eq!(Said::parse(&said.to_text()), said);
        assert_eq!(Said::parse(""), Said::default());
        let odd = "box 7f\nbad 100\ncode \x1b[2J\nbad\n";
        assert_eq!(Said::parse(odd), Said::default());
        assert_eq!(said.code.unwrap().to_string(), "ABCDE-12345");
    }
}
