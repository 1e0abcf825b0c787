//! Who judges what a box's chip made: in software, for a laptop has no chip of the box's (`wardline-keys-protocol`).

use aws_lc_rs::rand;
use wardline_keys_protocol::message::{self, PcrValue};
use wardline_keys_protocol::{AttestationPublic, Credential, EndorsementPublic, make_credential, quote};
use zeroize::Zeroizing;

use crate::bundle::quote::QUOTED;
use crate::bundle::secrets::{SecretKey, Wrapped};
use crate::bundle::{Attestation, Blob, Identity, NotProven, Quote};

/// How often a random number is drawn that may be none of the curve's: each is with a probability of 2^-32 (P-256's order is
/// that near to 2^256).
const DRAWS: u8 = 4;

/// Judges by the TPM specification.
#[derive(Debug, Default, Clone, Copy)]
pub struct Chip;

impl Attestation for Chip {
    fn verify(&self, identity: &Identity, quote: &Quote, qualifying: &[u8; 32]) -> Result<(), NotProven> {
        let ak = AttestationPublic::parse(identity.ak_public.as_slice()).map_err(|_| NotProven::Keys)?;
        EndorsementPublic::parse(identity.ek_public.as_slice()).map_err(|_| NotProven::Keys)?;
        let pcrs = QUOTED.into_iter().zip(quote.pcrs);
        let quote = message::Quote {
            attest: quote.attest.as_slice().to_vec(),
            signature: quote.signature.as_slice().to_vec(),
            ak_public: identity.ak_public.as_slice().to_vec(),
            pcrs: pcrs.map(|(index, value)| PcrValue { index, value: value.0 }).collect(),
        };
        quote::verify(&quote, &ak, qualifying, &QUOTED).map(|_| ()).map_err(|_| NotProven::Quote)
    }

    fn wrap(&self, identity: &Identity, key: &SecretKey) -> Result<Wrapped, NotProven> {
        let ak = AttestationPublic::parse(identity.ak_public.as_slice()).map_err(|_| NotProven::Keys)?;
        let ek = EndorsementPublic::parse(identity.ek_public.as_slice()).map_err(|_| NotProven::Keys)?;
        let credential = Credential::new(&key.0).ok_or(NotProven::Library)?;
        let draw = || {
            let mut ephemeral = Zeroizing::new([0; 32]);
            rand::fill(ephemeral.as_mut_slice()).ok()?;
            make_credential(&ek, ak.name(), &credential, &ephemeral).ok()
        };
        let wrapped = (0..DRAWS).find_map(|_| draw()).ok_or(NotProven::Library)?;
        let blob = |bytes: &[u8]| Blob::new(bytes).ok_or(NotProven::Library);
        Ok(Wrapped { credential_blob: blob(wrapped.blob())?, encrypted_secret: blob(wrapped.secret())? })
    }
}
