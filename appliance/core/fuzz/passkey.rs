//! A stranger's bytes as each part of a passkey: never a panic, and nothing is read in two ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::limits;
use wardline_core::passkey::{authenticator_data, client_data_is, ecdsa_signature};

fuzz_target!(|bytes: &[u8]| {
    let Some((part, bytes)) = bytes.split_first() else { return };
    match part % 3 {
        0 => {
            let is = |kind| client_data_is(bytes, kind, &[7; 32], "https://box.example") == Some(true);
            assert!(!(is("webauthn.get") && is("webauthn.create")), "both at once");
        }
        1 => {
            if let Some(Some(length)) = authenticator_data(bytes) {
                assert!((1..=limits::CREDENTIAL_MAX).contains(&length) && bytes.len() >= 55 + length + 77);
            }
        }
        _ => {
            if let Some(signature) = ecdsa_signature(bytes) {
                assert!(signature[..32] != [0; 32] && signature[32..] != [0; 32]);
                // The one form of these two numbers is no shorter and no longer.
                let length = |number: &[u8]| {
                    let digits = number.iter().skip_while(|digit| **digit == 0).count();
                    digits + usize::from(number[32 - digits] >= 0x80)
                };
                assert_eq!(bytes.len(), 6 + length(&signature[..32]) + length(&signature[32..]));
            }
        }
    }
});
