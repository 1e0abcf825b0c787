//! What a local process may send to the keeper: never a panic, and what decodes encodes to the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_keys_protocol::Request;
use wardline_keys_protocol::frame;

fuzz_target!(|bytes: &[u8]| {
    let _ = frame::read::<Request>(&mut &bytes[..]);
    if let Ok(request) = frame::decode::<Request>(bytes) {
        // What was accepted may be longer once encoded in full; it may not change.
        if let Ok(encoded) = frame::encode(&request) {
            let again = frame::decode::<Request>(&encoded[4..]).expect("our own encoding decodes");
            assert_eq!(frame::encode(&again).expect("it fitted before"), encoded);
        }
    }
});
