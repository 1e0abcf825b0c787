//! Formatted text at a terminal: `docs/protocol/README.md`, section 15.
//!
//! A foreign text is cleaned first, so nothing of it steers a terminal; then its form is put in as marks, single characters that no cleaned
//! text has and that take no column; only what is written to a terminal has them turned into sequences. So nothing between counts or
//! cuts a sequence. Whoever is no terminal, or wants no colours, is shown a text as it was typed.

use std::io::IsTerminal as _;

use unicode_width::UnicodeWidthChar as _;
use wardline_client::format::{Line, Span, format};

/// A style's mark, the sequence that begins it, and that which ends it (ECMA-48, 8.3.117).
struct Style {
    begin: char,
    end: char,
    on: &'static str,
    off: &'static str,
}

const BOLD: Style = Style { begin: '\u{1}', end: '\u{2}', on: "\x1b[1m", off: "\x1b[22m" };
const ITALIC: Style = Style { begin: '\u{3}', end: '\u{4}', on: "\x1b[3m", off: "\x1b[23m" };
const CODE: Style = Style { begin: '\u{5}', end: '\u{6}', on: "\x1b[36m", off: "\x1b[39m" };
const STYLES: [Style; 3] = [BOLD, ITALIC, CODE];

/// Standard output is a terminal, and its user has nothing against styles (no-color.org).
pub(crate) fn is_wanted() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A cleaned text with its form as marks.
pub(crate) fn marked(text: &str) -> String {
    let lines = format(text).into_iter().map(|line| match line {
        Line::Words(words) => joined(&words),
        Line::Item { level, number, words } => {
            let mark = number.map_or_else(|| "•".to_owned(), |number| format!("{number}."));
            format!("{}{mark} {}", "  ".repeat(level.into()), joined(&words))
        }
        Line::Code(code) => within(&CODE, &code),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn joined(words: &[Span]) -> String {
    words.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    let mut text = span.text.clone();
    for (style, is_so) in [(&CODE, span.code), (&ITALIC, span.italic), (&BOLD, span.bold)] {
        if is_so {
            text = within(style, &text);
        }
    }
    text
}

fn within(style: &Style, text: &str) -> String {
    format!("{}{text}{}", style.begin, style.end)
}

/// In bold.
pub(crate) fn bold(text: &str) -> String {
    within(&BOLD, text)
}

/// It is one of the marks.
pub(crate) fn is_mark(c: char) -> bool {
    STYLES.iter().any(|style| c == style.begin || c == style.end)
}

/// Columns of a character: of a mark none.
pub(crate) fn columns(c: char) -> usize {
    if is_mark(c) { 0 } else { c.width().unwrap_or(0) }
}

/// With sequences in place of the marks, line by line: none goes on over a line's end.
pub(crate) fn steered(text: &str) -> String {
    let mut steered = String::with_capacity(text.len());
    let mut open: Vec<&Style> = Vec::new();
    for c in text.chars() {
        let style = STYLES.iter().find(|style| c == style.begin || c == style.end);
        match style {
            Some(style) if c == style.begin => {
                open.push(style);
                steered.push_str(style.on);
            }
            Some(style) => {
                open.retain(|other| other.begin != style.begin);
                steered.push_str(style.off);
            }
            None if c == '\n' => {
                open.iter().rev().for_each(|style| steered.push_str(style.off));
                steered.push(c);
                open.iter().for_each(|style| steered.push_str(style.on));
            }
            None => steered.push(c),
        }
    }
    open.iter().rev().for_each(|style| steered.push_str(style.off));
    steered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say;

    #[test]
    fn a_formatted_text_is_shown_in_its_form() {
        let shown = |text: &str| steered(&marked(&say::clean(text)));
        assert_eq!(shown("**5 mg** of *it*"), "\x1b[1m5 mg\x1b[22m of \x1b[3mit\x1b[23m");
        assert_eq!(shown("- a\n  - b\n3. c"), "• a\n  • b\n3. c");
        assert_eq!(shown("```\n**x**\n```"), "\x1b[36m**x**\x1b[39m");
        assert_eq!(shown("5*3*2, bed_4_west"), "5*3*2, bed_4_west");
    }

    #[test]
    fn nothing_that_somebody_typed_steers_the_terminal() {
        for foreign in ["\x1b[2J**b**", "\u{1}b\u{2}", "**\u{9b}2J**", "`\x1b]0;t\x07`", "\u{5}*i*\u{202e}"] {
            let shown = steered(&marked(&say::clean(foreign)));
            let ours =
                STYLES.iter().fold(shown, |shown, style| shown.replace(style.on, "").replace(style.off, ""));
            assert!(!ours.chars().any(char::is_control), "{foreign:?}: {ours:?}");
        }
    }

    #[test]
    fn a_style_ends_with_its_line_and_takes_no_column() {
        let text = say::wrap(&bold(&"word ".repeat(20)), 40);
        assert!(text.lines().all(|line| line.chars().map(columns).sum::<usize>() < 40), "{text}");
        for line in steered(&text).lines() {
            assert_eq!(line.matches(BOLD.on).count(), line.matches(BOLD.off).count(), "{line:?}");
        }
    }
}
