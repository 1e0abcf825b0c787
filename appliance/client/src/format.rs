//! Formatted text: a small part of Markdown, as `docs/protocol/README.md`, section 15, has it.
//!
//! A text is always a text: whatever is typed has a form, and nothing of it is an error or is lost. Marks that form nothing stand for
//! themselves, so a client that does not know them shows a readable text too.
//!
//! Refuses links, pictures, HTML and headings: a message points to nothing outside the building, fetches nothing and imitates nothing.

/// What a text consists of, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Words. Empty: an empty line.
    Words(Vec<Span>),
    /// An entry of a list: its level from 0, its number if it has one, and its words.
    Item {
        /// 0 to 2.
        level: u8,
        /// None: a dot.
        number: Option<u32>,
        /// What it says.
        words: Vec<Span>,
    },
    /// A line of code, as it was typed.
    Code(String),
}

/// Words that look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// As typed, without the marks around it.
    pub text: String,
    /// Between two stars on either side.
    pub bold: bool,
    /// Between one star, or one underscore, on either side.
    pub italic: bool,
    /// Between backticks: nothing else counts there.
    pub code: bool,
}

/// The deepest level of a list.
const LEVEL_MAX: usize = 2;
/// Blanks of one level.
const INDENT: usize = 2;
/// Digits of a list's number: a year at the beginning of a line is a year.
const DIGITS_MAX: usize = 3;
/// What begins and ends a block of code, alone on its line.
const FENCE: &str = "```";

/// The form of a text. Takes time and memory in proportion to it.
pub fn format(text: &str) -> Vec<Line> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let mut formed = Vec::with_capacity(lines.len());
    let mut at = 0;
    // The last fence there is: one that none follows stands for itself.
    let last_fence = lines.iter().rposition(|line| is_fence(line));
    while at < lines.len() {
        if is_fence(lines[at]) && last_fence.is_some_and(|last| last > at) {
            let mut end = at + 1;
            while !is_fence(lines[end]) {
                formed.push(Line::Code(lines[end].to_owned()));
                end += 1;
            }
            at = end + 1;
            continue;
        }
        formed.push(line(lines[at]));
        at += 1;
    }
    formed
}

/// A text as words alone, without marks: for a notification's one line, and for search.
pub fn plain(text: &str) -> String {
    let lines = format(text).into_iter().map(|line| match line {
        Line::Words(words) => joined(&words),
        Line::Item { number: Some(number), words, .. } => format!("{number}. {}", joined(&words)),
        Line::Item { words, .. } => format!("• {}", joined(&words)),
        Line::Code(code) => code,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn joined(words: &[Span]) -> String {
    words.iter().map(|span| span.text.as_str()).collect()
}

fn is_fence(line: &str) -> bool {
    line.trim() == FENCE
}

fn line(line: &str) -> Line {
    let words = line.trim_start_matches(' ');
    let level = ((line.len() - words.len()) / INDENT).min(LEVEL_MAX) as u8;
    if let Some(rest) = words.strip_prefix("- ").or_else(|| words.strip_prefix("* ")) {
        return Line::Item { level, number: None, words: spans(rest) };
    }
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=DIGITS_MAX).contains(&digits)
        && let Some(rest) = words[digits..].strip_prefix(". ")
    {
        return Line::Item { level, number: words[..digits].parse().ok(), words: spans(rest) };
    }
    Line::Words(spans(line))
}

/// A mark that may begin or end something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Bold,
    Italic(u8),
}

impl Mark {
    fn length(self) -> usize {
        if self == Self::Bold { 2 } else { 1 }
    }
}

/// One line's words. A mark opens before a letter and closes behind one, as in CommonMark; one within a word is a letter, so that
/// `5*3*2` and `bed_4_west` are what they were.
fn spans(line: &str) -> Vec<Span> {
    let bytes = line.as_bytes();
    let marks = pairs(line);
    let (mut spans, mut now) = (Vec::new(), Span::default());
    let mut turn = |now: &mut Span, change: &dyn Fn(&mut Span)| {
        let mut next = Span { text: String::new(), ..now.clone() };
        change(&mut next);
        let done = std::mem::replace(now, next);
        if !done.text.is_empty() {
            spans.push(done);
        }
    };
    let (mut at, mut next) = (0, 0);
    while at < bytes.len() {
        if let Some((place, what)) = marks.get(next).copied().filter(|(place, _)| *place == at) {
            next += 1;
            match what {
                What::Begin(mark) | What::End(mark) => {
                    let begins = matches!(what, What::Begin(_));
                    turn(&mut now, &|span| match mark {
                        Mark::Bold => span.bold = begins,
                        Mark::Italic(_) => span.italic = begins,
                    });
                    at = place + mark.length();
                }
                What::Code(end) => {
                    turn(&mut now, &|span| span.code = true);
                    now.text.push_str(&line[place + 1..end]);
                    turn(&mut now, &|span| span.code = false);
                    at = end + 1;
                }
            }
            continue;
        }
        let until = marks.get(next).map_or(bytes.len(), |(place, _)| *place);
        now.text.push_str(&line[at..until]);
        at = until;
    }
    turn(&mut now, &|_| {});
    spans
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Begin(Mark),
    End(Mark),
    /// From a backtick to the one here.
    Code(usize),
}

/// Which marks of a line form something, in order, nested in one another.
fn pairs(line: &str) -> Vec<(usize, What)> {
    let bytes = line.as_bytes();
    let mut found: Vec<(usize, What)> = Vec::new();
    let mut open: Vec<(usize, Mark)> = Vec::new();
    // Behind the last backtick no other begins anything.
    let last_tick = bytes.iter().rposition(|byte| *byte == b'`');
    let mut at = 0;
    while at < bytes.len() {
        let mark = match bytes[at] {
            b'`' => {
                let end = bytes[at + 1..].iter().position(|byte| *byte == b'`').map(|end| at + 1 + end);
                match end.filter(|end| *end > at + 1) {
                    Some(end) => {
                        found.push((at, What::Code(end)));
                        at = end + 1;
                    }
                    None => at += if last_tick == Some(at) { 1 } else { 2 },
                }
                continue;
            }
            // What is innermost ends first: `***both***`.
            b'*' if ends_innermost(line, at, open.last()) => Mark::Italic(b'*'),
            b'*' if bytes.get(at + 1) == Some(&b'*') => Mark::Bold,
            byte @ (b'*' | b'_') => Mark::Italic(byte),
            _ => {
                at += 1;
                continue;
            }
        };
        let end = at + mark.length();
        let before = line[..at].chars().next_back().filter(|c| !c.is_whitespace());
        let behind = line[end..].chars().next().filter(|c| !c.is_whitespace());
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let opens = behind.is_some() && !is_letter(before);
        let closes = before.is_some() && !is_letter(behind);
        let opened = open.iter().rposition(|(_, other)| *other == mark);
        // Something between the two, and nothing that it would cross.
        match opened.filter(|which| closes && open[*which].0 + mark.length() < at) {
            Some(which) => {
                let (begin, _) = open[which];
                open.truncate(which);
                found.push((begin, What::Begin(mark)));
                found.push((at, What::End(mark)));
            }
            None if opens && !open.iter().any(|(_, other)| *other == mark || same(*other, mark)) => {
                open.push((at, mark));
            }
            None => {}
        }
        at = end;
    }
    found.sort_unstable_by_key(|(place, _)| *place);
    found
}

/// Whether a star may end what one star began last.
fn ends_innermost(line: &str, at: usize, last: Option<&(usize, Mark)>) -> bool {
    let before = line[..at].chars().next_back();
    let behind = line[at + 1..].chars().next();
    last.is_some_and(|(begin, mark)| *mark == Mark::Italic(b'*') && begin + 1 < at)
        && before.is_some_and(|c| !c.is_whitespace())
        && !behind.is_some_and(char::is_alphanumeric)
}

/// Both kinds of italic are one.
fn same(one: Mark, other: Mark) -> bool {
    matches!((one, other), (Mark::Italic(_), Mark::Italic(_)))
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
