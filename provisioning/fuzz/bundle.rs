//! What a stick holds, whoever wrote it: read as a file of every kind, and its end as a body. Whatever is read is written
//! again as the same bytes, and whatever a configuration says is rendered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_provisioning::bundle::frame::MAGIC;
use wardline_provisioning::bundle::secrets::{SecretKey, Wrapped};
use wardline_provisioning::bundle::{
    Attestation, Configuration, Identity, NotProven, Quote, Standing, Trust, Unverified,
};
use wardline_provisioning::render::render;

/// Believes every quote, so that what stands behind one is reached.
struct Anybody;

impl Attestation for Anybody {
    fn verify(&self, _: &Identity, _: &Quote, _: &[u8; 32]) -> Result<(), NotProven> {
        Ok(())
    }

    fn wrap(&self, _: &Identity, _: &SecretKey) -> Result<Wrapped, NotProven> {
        Err(NotProven::Keys)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let framed = [MAGIC.as_slice(), &[0, 1], bytes].concat();
    for file in [bytes, &framed] {
        let Ok(unverified) = Unverified::read(file) else { continue };
        let claimed = unverified.claimed_box();
        if let Ok(request) = unverified.clone().request(&Anybody) {
            let _ = unverified.clone().quoted_by(&request.body().identity, &Anybody);
        }
        let signed = unverified.signed_by(&Trust::FirstUse);
        let _ = signed.and_then(|signed| signed.for_box(&claimed)?.after(&Standing::NEW)?.open());
    }
    if let Ok(configuration) = Configuration::from_bytes(bytes) {
        assert_eq!(configuration.to_bytes(), bytes, "a second spelling");
        let rendered = render(&configuration);
        assert_eq!(rendered.relay_env.lines().count(), 1, "a value broke out");
    }
});
