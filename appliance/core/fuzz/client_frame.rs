//! A stranger's bytes as a connection's first frames: never a panic, and what is understood is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::input::Fresh;
use wardline_core::text::WrappedKey;
use wardline_core::{limits, wire};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Some((prefix, tail)) = rest.split_first_chunk::<{ wire::PREFIX }>() {
        let Ok(length) = wire::frame_length(*prefix, limits::CLIENT_FRAME_MAX) else { return };
        let Some((frame, tail)) = tail.split_at_checked(length) else { return };
        rest = tail;
        let Ok(frame) = wire::decode_client(frame) else { return };
        let again = wire::encode_frame(&frame);
        // Written afresh it may be longer than it came (a packed list, a field twice), never another frame.
        if let Ok(once_more) = wire::decode_client(&again[wire::PREFIX..]) {
            assert!(wire::encode_frame(&once_more) == again, "a frame is not the same twice");
        }
        let mut drawn = 0;
        let (_, incoming) = wire::parse(frame, || {
            drawn += 1;
            Fresh { seed: [7; 32], key: WrappedKey(vec![0; 60]) }
        });
        assert!(drawn <= 1 && (drawn == 0 || incoming.is_ok()));
    }
});
