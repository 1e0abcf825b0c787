//! Approval and ticket files: never a panic, and nothing unsigned verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::policy::SignerKey;

fuzz_target!(|bytes: &[u8]| {
    // No private key exists for this point, so that nothing may verify.
    let vendor = SignerKey { x: [0x11; 32], y: [0x22; 32] };
    if let Ok(approval) = Approval::from_bytes(bytes) {
        assert!(!approval.verify(&vendor));
        assert_eq!(Approval::from_bytes(&approval.to_bytes()).as_ref(), Ok(&approval));
    }
    if let Ok(ticket) = RevocationTicket::from_bytes(bytes) {
        assert!(!ticket.verify(&vendor));
        assert_eq!(RevocationTicket::from_bytes(&ticket.to_bytes()).as_ref(), Ok(&ticket));
    }
});
