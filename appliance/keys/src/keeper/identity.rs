//! Who this box is to a stranger: its TPM's keys, quotes by them, and what was wrapped to them.
//!
//! Public keys and quotes are given in every state in which there are keys: they are most wanted when the measurements are
//! wrong. What was wrapped is opened only while the keys open, because the TPM's own policy for it asks nothing of the boot.

use wardline_keys_protocol::message::{Identity, PcrValue, Quote, Refusal, Reply};
use wardline_keys_protocol::{Blob, WrappedCredential};

use super::{Keeper, QUOTED_PCRS, Stop};
use crate::tpm::Wrapped;

impl Keeper {
    pub(super) fn identity(&mut self) -> Result<Reply, Stop> {
        let record = self.record()?;
        let key: Wrapped = self.store.read(Blob::AttestationKey)?;
        let tpm = self.tpm()?;
        Ok(Reply::Identity(Box::new(Identity {
            ek_public: tpm.endorsement_public()?.as_bytes().to_vec(),
            ek_certificate: tpm.endorsement_certificate()?,
            ak_public: key.tpm2b_public(),
            storage_name: record.storage_name,
        })))
    }

    pub(super) fn activate_credential(&mut self, blob: &[u8], secret: &[u8]) -> Result<Reply, Stop> {
        let wrapped = WrappedCredential::parse(blob, secret).map_err(|_| Refusal::OtherCredential)?;
        self.unlock()?;
        let key: Wrapped = self.store.read(Blob::AttestationKey)?;
        let credential = self.tpm()?.activate_credential(&key, &wrapped)?;
        Ok(Reply::Credential(credential.ok_or(Refusal::OtherCredential)?))
    }

    pub(super) fn quote(&mut self, nonce: &[u8; 32]) -> Result<Reply, Stop> {
        self.record()?;
        let key: Wrapped = self.store.read(Blob::AttestationKey)?;
        let tpm = self.tpm()?;
        let quote = tpm.quote(&key, nonce, &QUOTED_PCRS)?;
        let pcrs = tpm.pcrs(&QUOTED_PCRS)?;
        Ok(Reply::Quote(Box::new(Quote {
            attest: quote.attest,
            signature: quote.signature,
            ak_public: key.tpm2b_public(),
            pcrs: pcrs.into_iter().map(|(index, value)| PcrValue { index, value }).collect(),
        })))
    }
}
