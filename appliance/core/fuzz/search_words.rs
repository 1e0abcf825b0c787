//! Words of a text and of a query: never a panic, within their bounds, and what stands in a text is found in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::limits;
use wardline_core::search::{Behind, Query, terms};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(behind) = Behind::parse(bytes) {
        assert!(behind.to_bytes() == bytes, "a place in the order is not the same twice");
    }
    let text = String::from_utf8_lossy(bytes);
    let words = terms(&text);
    assert!(words.len() <= limits::SEARCH_TERMS_OF_MESSAGE_MAX);
    assert!(words.iter().all(|term| (1..=limits::SEARCH_TERM_MAX).contains(&term.as_bytes().len())));
    let Ok(query) = Query::parse(&text) else { return };
    assert!(!query.terms().is_empty() && query.terms().len() <= limits::SEARCH_WORDS_MAX);
    if !text.contains(['"', '\u{201c}', '\u{201d}', '\u{201e}']) {
        assert!(query.rank(&text).is_some(), "a text is not found by its own words");
        assert!(text.contains(query.line(&text)));
    }
});
