//! An audit entry: never a panic, and what is read is written in one form only.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::audit::Entry;

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = Entry::from_bytes(bytes) else { return };
    let canonical = entry.to_bytes();
    let again = Entry::from_bytes(&canonical).expect("canonical bytes are read");
    assert!(again == entry && again.to_bytes() == canonical, "an entry is not the same twice");
});
