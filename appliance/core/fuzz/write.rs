//! A record of the store: never a panic, and what is read is written in one form only.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::state::State;
use wardline_core::write::Numbered;

fuzz_target!(|bytes: &[u8]| {
    let Ok(numbered) = minicbor::decode::<Numbered>(bytes) else { return };
    let canonical = minicbor::to_vec(&numbered).expect("into memory");
    let again: Numbered = minicbor::decode(&canonical).expect("canonical bytes are read");
    assert!(again == numbered, "another write after one round");
    let mut state = State::default();
    state.apply(numbered.change, &numbered.write);
    let mut other = State::default();
    other.apply(again.change, &again.write);
    assert!(state.canonical_hash() == other.canonical_hash());
});
