//! Who judges what a box's chip made. The judge in software belongs to `wardline-keys-protocol`, and this is where it comes
//! in; until then nothing is believed and nothing wrapped.

use wardline_provisioning::bundle::secrets::{SecretKey, Wrapped};
use wardline_provisioning::bundle::{Attestation, Identity, NotProven, Quote};

/// Believes no chip.
pub(crate) struct Nobody;

/// The judge of this program.
pub(crate) fn judge() -> Nobody {
    Nobody
}

impl Attestation for Nobody {
    fn verify(&self, _: &Identity, _: &Quote, _: &[u8; 32]) -> Result<(), NotProven> {
        Err(NotProven::Library)
    }

    fn wrap(&self, _: &Identity, _: &SecretKey) -> Result<Wrapped, NotProven> {
        Err(NotProven::Library)
    }
}
