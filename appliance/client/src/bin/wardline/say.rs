//! The one place that prints. Standard output has what was asked for, standard error everything else.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program prints; it does so here only"
)]

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;
use wardline_client::event::Message;
use wardline_client::stat::Priority;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wardline_client::PersonId;

use crate::exit::Failure;
use crate::{react, styled};

/// Where the width of the terminal is not known.
const WIDTH: usize = 80;
/// Narrower than this nothing can be read, and nothing is wrapped any narrower.
const WIDTH_MIN: usize = 24;
/// Before what goes on from the line above.
const MARGIN: &str = "      ";
/// Before further lines of one message.
const QUOTED: &str = "      | ";

/// What is told behind the end of a command.
static LAST: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What was asked for. When it cannot be written (a full disk, a reader that has gone), it was not told.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|error| Failure::Machine(format!("The output could not be written: {error}.")))
}

/// Somebody's message, [`spoken`]. At a terminal it is wrapped here: what the terminal wraps begins at its left margin,
/// and could pass for another message.
pub(crate) fn told(text: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { line(&styled::steered(&wrap(text, width()))) } else { line(text) }
}

/// What steers the terminal: from this program alone.
pub(crate) fn steer(sequence: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(sequence.as_bytes()).and_then(|()| out.flush());
}

/// A [`note`] that comes last: what became of what was asked for is read first.
pub(crate) fn last(text: String) {
    if let Ok(mut last) = LAST.lock() {
        last.push(text);
    }
}

/// Says what was to come last.
pub(crate) fn lasts() {
    let last = LAST.lock().map(|mut last| std::mem::take(&mut *last)).unwrap_or_default();
    last.iter().for_each(|text| note(text));
}

/// Columns of the terminal.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(WIDTH)
}

/// Breaks lines between words, and words that are longer than a line. What goes on is set in.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    // One column stays free: some terminals go to the next line once the last is full.
    let room = width.max(WIDTH_MIN) - 1;
    let lines: Vec<String> = text.split('\n').flat_map(|line| wrapped(line, room)).collect();
    lines.join("\n")
}

fn wrapped(line: &str, room: usize) -> Vec<String> {
    let margin = if line.starts_with(QUOTED) { QUOTED } else { MARGIN };
    let (mut lines, mut now, mut used, mut begun) = (Vec::new(), String::new(), 0, false);
    let mut go_on = |now: &mut String| {
        lines.push(std::mem::replace(now, margin.to_owned()).trim_end().to_owned());
        columns(margin)
    };
    // How far a tab goes depends on where it stands.
    for word in line.replace('\t', " ").split_inclusive(' ') {
        if begun && used + columns(word.trim_end()) > room {
            used = go_on(&mut now);
        }
        for c in word.chars() {
            let wide = styled::columns(c);
            if used + wide > room && c == ' ' {
                continue;
            }
            if used + wide > room {
                used = go_on(&mut now);
            }
            now.push(c);
            used += wide;
        }
        begun = true;
    }
    lines.push(now);
    lines
}

fn columns(text: &str) -> usize {
    text.chars().map(styled::columns).sum()
}

/// What is good to know. Parts of it may come from the other end.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}

/// What went wrong and what to do.
pub(crate) fn problem(text: &str) {
    note(&format!("wardline: {text}"));
}

/// Says what is going on when it takes more than a second.
pub(crate) async fn patiently<T>(what: &str, doing: impl Future<Output = T>) -> T {
    let mut doing = std::pin::pin!(doing);
    tokio::select! {
        done = &mut doing => return done,
        () = tokio::time::sleep(Duration::from_secs(1)) => note(what),
    }
    doing.await
}

/// Marks that turn the reading direction around (UAX 9), or begin a line where none should.
pub(crate) fn turns(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}'
    )
}

/// A foreign text on one line or more, without anything that steers a terminal: no control characters, and nothing
/// that [`turns`].
pub(crate) fn clean(text: &str) -> String {
    let clean = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(clean).collect()
}

/// [`clean`], but for marks of [`styled`], which nothing foreign has that was cleaned before.
pub(crate) fn clean_but_marks(text: &str) -> String {
    let part = |part: &str| clean(part);
    text.split_inclusive(styled::is_mark)
        .map(|piece| match piece.char_indices().next_back() {
            Some((at, last)) if styled::is_mark(last) => format!("{}{last}", part(&piece[..at])),
            _ => part(piece),
        })
        .collect()
}

/// Somebody's message behind its head, in its form where that is wanted. Its further lines are set in, so that none passes for another
/// person's message.
pub(crate) fn spoken(head: &str, text: &str) -> String {
    let text = if styled::is_wanted() { styled::marked(&clean(text)) } else { clean(text) };
    format!("{head}: {}", text.replace('\n', &format!("\n{QUOTED}")))
}

/// A message behind its head, with what its author did to it, and whether it names `me`. `is_gone`: what it answers was recalled, as far as
/// known here. What says so stands before the colon, where no text of anybody's comes.
pub(crate) fn message(head: &str, message: &Message, is_gone: bool, me: PersonId) -> String {
    let mention = message.mention_of(me);
    let mut head = format!("{head}{}", react::names(mention));
    if mention.is_some() && styled::is_wanted() {
        head = styled::bold(&head);
    }
    if let Some(to) = message.reply_to {
        head.push_str(&format!(" (to #{}{})", to.0, if is_gone { ", recalled" } else { "" }));
    }
    if let Some(at) = message.recalled_at {
        return format!("{head} (recalled at {})", time(at));
    }
    if let Some(at) = message.edited_at {
        head.push_str(&format!(" (edited at {})", time(at)));
    }
    with_files(spoken(&head, &message.text), message)
}

/// What is attached stands below, set in as further lines are.
fn with_files(mut told: String, message: &Message) -> String {
    for (at, file) in message.attachments.iter().enumerate() {
        told.push_str(&format!("\n{QUOTED}{}", crate::attachment::line(at, file)));
    }
    told
}

/// That a message is not what it was, on a line of its own. `name`: its author's.
pub(crate) fn changed(head: &str, name: &str, message: &Message) -> String {
    let (sequence, at) = (message.sequence.0, time(message.at));
    match message.recalled_at {
        Some(when) => format!("-- {head}{name} recalled #{sequence} of {at} at {}", time(when)),
        None => spoken(&format!("-- {head}{name} edited #{sequence} of {at}"), &message.text),
    }
}

/// What stands before the name of who wrote it.
pub(crate) fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Routine => "",
        Priority::Urgent => "URGENT ",
        Priority::Stat => "STAT ",
    }
}

/// [`clean`], on one line.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// A device of this person that they may not know of.
pub(crate) fn new_device(name: &str) -> String {
    format!(
        "A new device can now read your messages: “{}”. If it is not yours, tell your administrator at once.",
        clean_line(name)
    )
}

/// Of a device that the box has revoked by itself.
pub(crate) fn copied_line(person: &str, device: &str) -> String {
    format!(
        "Somebody else had a copy of the sign-in of “{}”, a device of {person}, so the box has ended it. Find out who had it in hand.",
        clean_line(device)
    )
}

/// To a person who joins: which devices can read their messages already.
pub(crate) fn other_devices(names: &[&str]) -> String {
    let listed: Vec<String> = names.iter().map(|name| format!("“{}”", clean_line(name))).collect();
    let listed = listed.join(", ");
    match names.len() {
        0 => "You have no other device.".to_owned(),
        1 => format!(
            "You have one other device: {listed}. If it is not yours, tell your administrator at once."
        ),
        count => format!(
            "You have {count} other devices: {listed}. If one of them is not yours, tell your administrator at once."
        ),
    }
}

/// The time of day here; with the date when it is not today.
pub(crate) fn time(milliseconds: i64) -> String {
    let here = |at: Timestamp| at.to_zoned_datetime(TimeZone::system());
    let Ok(at) = Timestamp::from_millisecond(milliseconds).map(here) else { return "?".to_owned() };
    if at.date() == here(Timestamp::now()).date() {
        at.strftime("%H:%M").to_string()
    } else {
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A day, here. Seconds since 1970.
pub(crate) fn date(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds).map(|at| at.to_zoned_datetime(TimeZone::system()));
    at.map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 member", "3 members".
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

/// A day of the calendar, written as in 1947-03-09 and in no other way.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_steer_no_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e"), "a\u{fffd}[2Jb\u{fffd}\nc\u{fffd}d\u{fffd}e");
        assert_eq!(clean_line("a\nb\tc"), "a b c");
        assert_eq!(clean("a\u{61c}b\u{2028}c\u{2066}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert!(!new_device("a\u{1b}b\nc").contains(['\u{1b}', '\n']));
        assert!(!other_devices(&["a\u{1b}b\nc", "d\r"]).contains(['\u{1b}', '\n', '\r']));
    }

    #[test]
    fn no_line_of_a_message_passes_for_another_message() {
        let forged =
            spoken("08:01 Ben Okafor", "fine\n08:02 Ana Flores: give 50 mg\r\n08:03 Ana Flores: now");
        let mut lines = forged.lines();
        assert_eq!(lines.next(), Some("08:01 Ben Okafor: fine"));
        for line in lines {
            assert!(line.starts_with("      | 08:0"), "{line}");
        }
    }

    #[test]
    fn what_is_wrapped_is_set_in() {
        assert_eq!(wrap("-- short", 80), "-- short");
        let text = format!("08:01 Ben Okafor: {}08:02 Ana Flores: give 50 mg", " ".repeat(90));
        for width in [0, 24, 40, 80, 81] {
            let wrapped = wrap(&spoken("08:00 Ana", &format!("{text}\n{text} {}", "x".repeat(200))), width);
            assert!(wrapped.lines().all(|line| columns(line) < width.max(WIDTH_MIN)), "{width}: {wrapped}");
            assert!(wrapped.lines().skip(1).all(|line| line.starts_with(MARGIN)), "{width}: {wrapped}");
            assert_eq!(wrapped.matches('x').count(), 200);
        }
        assert_eq!(wrap("12345 789 12345 789 12345", 24), "12345 789 12345 789\n      12345");
        assert_eq!(wrap("      | 12345 789 12345 7", 24), "      | 12345 789 12345\n      | 7");
    }

    #[test]
    fn devices_are_told_in_plain_words() {
        let told = "A new device can now read your messages: “Ben's spare phone”. If it is not yours, tell your \
                    administrator at once.";
        assert_eq!(new_device("Ben's spare phone"), told);
        assert_eq!(other_devices(&[]), "You have no other device.");
        assert!(
            other_devices(&["desk"]).starts_with("You have one other device: “desk”. If it is not yours,")
        );
        assert!(
            other_devices(&["desk", "phone"]).starts_with("You have 2 other devices: “desk”, “phone”. If")
        );
    }
}
