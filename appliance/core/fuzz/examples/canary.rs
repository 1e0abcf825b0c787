//! Must fail: proves that the alarm rings. Run by hand, never by CI: build as `.ci/fuzz` does with `--example canary`,
//! start it on `seeds/client_frame`, and it stops within seconds at a hello whose client has a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::input::Fresh;
use wardline_core::text::WrappedKey;
use wardline_core::wire::{self, Incoming};

fuzz_target!(|bytes: &[u8]| {
    let Some(frame) = bytes.get(wire::PREFIX..) else { return };
    let Ok(frame) = wire::decode_client(frame) else { return };
    let (_, incoming) = wire::parse(frame, || Fresh { seed: [7; 32], key: WrappedKey(vec![0; 60]) });
    let Ok(Incoming::Hello { client, .. }) = incoming else { return };
    assert!(client.is_empty(), "the canary sings");
});
