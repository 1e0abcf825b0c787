//! Keys for names that a public certificate authority certifies.
//!
//! The key is made here, because a TPM's own would take the TPM into every handshake; its scalar is sealed as the database
//! key is, under P', and what is sealed goes back to whoever asked. Nothing of it stays.

use tracing::error;
use wardline_keys_protocol::name_key::NAMES_MAX;
use wardline_keys_protocol::names::is_dns_name;
use wardline_keys_protocol::policy;
use wardline_keys_protocol::{NameKey, Refusal, Reply, WrappedKey};

use super::{Keeper, Now, Stop};
use crate::name_key::{self, Sealed};
use crate::tpm::TpmError;

impl Keeper {
    /// Counts one more, unless the names are none.
    pub(super) fn may_make_name_key(&mut self, now: Now, names: &[String]) -> Result<(), Refusal> {
        let good = |name: &String| is_dns_name(name) && name.contains('.') && !name_key::is_address(name);
        if !(1..=NAMES_MAX).contains(&names.len()) || !names.iter().all(good) {
            return Err(Refusal::BadNames);
        }
        let taken = self.name_limit.take(now.mono_ms);
        taken.map_err(|retry_after_ms| Refusal::NameKeysMade { retry_after_ms })
    }

    pub(super) fn make_name_key(&mut self, now: Now, names: &[String]) -> Result<Reply, Stop> {
        let opened = self.opened(now)?;
        let policy = policy::box_policy(&opened.vendor, &opened.record.fixed());
        let made = name_key::make(names).ok_or(Refusal::Fault)?;
        let tpm = self.tpm()?;
        let sealed = tpm.seal(&made.scalar, &policy)?;
        // As with every key: what cannot be opened now would not be opened later.
        if *tpm.unseal(opened.by(), &sealed)? != *made.scalar {
            error!("the TPM returned another key than was sealed");
            return Err(TpmError::Failed { doing: "sealing a key for names", code: 0 }.into());
        }
        let bytes = Sealed { object: sealed, point: made.point }.to_bytes().ok_or(Refusal::Fault)?;
        let wrapped = WrappedKey::new(bytes).ok_or(Refusal::Fault)?;
        Ok(Reply::NameKey(Box::new(NameKey { request: made.request, wrapped })))
    }

    pub(super) fn open_name_key(&mut self, now: Now, wrapped: &WrappedKey) -> Result<Reply, Stop> {
        let opened = self.opened(now)?;
        let sealed = Sealed::from_bytes(wrapped.as_bytes()).ok_or(Refusal::OtherNameKey)?;
        let scalar = match self.tpm()?.unseal(opened.by(), &sealed.object) {
            // What the TPM does not know is the fault of what was brought, and says nothing about this box.
            Err(TpmError::Damaged { .. }) => return Err(Refusal::OtherNameKey.into()),
            outcome => outcome?,
        };
        let key = name_key::pkcs8(&scalar, &sealed.point).ok_or(Refusal::OtherNameKey)?;
        Ok(Reply::OpenedNameKey(key))
    }
}
