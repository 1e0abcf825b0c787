//! Keys, quotes and wrapped credentials that a stranger is handed: never a panic; what is taken for a key is the very bytes
//! that were given, and a quote that holds is of the PCRs that were asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_keys_protocol::quote::{QUOTED_PCRS, verify};
use wardline_keys_protocol::{
    AttestationPublic, Credential, EndorsementPublic, Quote, WrappedCredential, frame, make_credential,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(ek) = EndorsementPublic::parse(bytes) {
        assert_eq!(ek.as_bytes(), bytes);
        let credential = Credential::new(&[7; 32]).expect("32 bytes");
        let wrapped = make_credential(&ek, &[3; 34], &credential, &[0x22; 32]).expect("a key on the curve");
        assert_eq!(WrappedCredential::parse(wrapped.blob(), wrapped.secret()), Ok(wrapped));
    }
    if let Ok(ak) = AttestationPublic::parse(bytes) {
        assert_eq!(ak.as_bytes(), bytes);
    }
    let (blob, secret) = bytes.split_at(bytes.len().min(68));
    let _ = WrappedCredential::parse(blob, secret);
    if let Ok(quote) = frame::decode::<Quote>(bytes)
        && let Ok(ak) = AttestationPublic::parse(&quote.ak_public)
    {
        // The signature of the seed is over the seed alone.
        if let Ok(verified) = verify(&quote, &ak, &[0xAB; 32], &QUOTED_PCRS) {
            assert!(verified.pcrs().iter().map(|pcr| pcr.index).eq(QUOTED_PCRS));
        }
    }
});
