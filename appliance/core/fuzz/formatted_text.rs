//! Formatted text: never a panic, nothing of what was typed is lost but marks, and nothing comes that was not typed.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../client/src/format.rs"]
#[allow(dead_code, reason = "the client uses the rest")]
mod format;

use format::Line;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut typed = text.chars();
    for line in format::format(&text) {
        let words = match line {
            Line::Words(words) | Line::Item { words, .. } => {
                assert!(words.iter().all(|span| !span.text.is_empty() && !span.text.contains('\n')));
                words.into_iter().map(|span| span.text).collect::<String>()
            }
            Line::Code(code) => code,
        };
        assert!(words.chars().all(|c| typed.any(|other| other == c)), "something comes that was not typed");
    }
    let _ = format::plain(&text);
});
