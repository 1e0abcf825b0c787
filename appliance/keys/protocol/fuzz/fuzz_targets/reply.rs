//! What a keeper, or something in its place, may answer: never a panic, and secrets never in `Debug`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_keys_protocol::{Reply, frame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = frame::decode::<Reply>(bytes) {
        if let Reply::DatabaseKey(_) | Reply::PinMac(_) = &reply {
            assert!(format!("{reply:?}").ends_with("(..))"));
        }
        if let Reply::OpenedNameKey(_) = &reply {
            assert!(format!("{reply:?}").ends_with("(KeyDer(..))"));
        }
        if let Reply::Credential(_) = &reply {
            assert!(format!("{reply:?}").ends_with("(Credential(..))"));
        }
        if let Ok(encoded) = frame::encode(&reply) {
            assert!(frame::decode::<Reply>(&encoded[4..]).is_ok());
        }
    }
});
