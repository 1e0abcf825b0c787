//! Finding the state: from the ground up, so that the first thing wrong is the one named.

use tracing::warn;
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::policy::{self, EPOCH_INDEX, FIXED_PCRS, IMAGE_PCR, REVOKE_INDEX, SignerKey};
use wardline_keys_protocol::{Blob, Index, KeeperState};

use super::{Keeper, Now, Opened, Stop};
use crate::issuing;
use crate::record::{Approvals, BoxRecord, IssuingChain};
use crate::store::StoreError;
use crate::tpm::{StorageKey, TpmError, Wrapped};

impl Keeper {
    /// Everything that `Ready` means, or the state that is the case.
    pub(super) fn check(&mut self, now: Now) -> Result<Opened, KeeperState> {
        self.opened = None;
        self.issuing_end = None;
        let result = match self.check_all(now) {
            Err(Stop::Tpm(error)) if error.spends_connection() => {
                self.reconnect(&error);
                self.check_all(now)
            }
            result => result,
        };
        match result {
            Ok(opened) => {
                self.opened = Some(opened.clone());
                Ok(opened)
            }
            Err(stop) => {
                self.leaves = None;
                Err(self.state_of(stop))
            }
        }
    }

    /// The state behind a stop inside a check; unlike `explain` it never checks again.
    pub(super) fn state_of(&mut self, stop: Stop) -> KeeperState {
        match stop {
            Stop::State(state) => state,
            // Checks refuse nobody; this is for the compiler.
            Stop::Refusal(_) => KeeperState::TpmFailed,
            Stop::Tpm(error) => {
                warn!(%error, "the TPM did not do it");
                if error.spends_connection() {
                    self.forget();
                }
                match error {
                    TpmError::Gone => KeeperState::NoTpm,
                    TpmError::Denied => KeeperState::TpmDenied,
                    TpmError::InUse | TpmError::Later => KeeperState::TpmBusy,
                    TpmError::Taken => KeeperState::ForeignTpm,
                    TpmError::Lockout => KeeperState::Lockout,
                    // A setting of the firmware's, so its advice is that of PCR 7.
                    TpmError::NoSha256Bank => KeeperState::Unmeasured { which: vec![7] },
                    TpmError::Refused { .. } | TpmError::Damaged { .. } => KeeperState::SealRefused,
                    TpmError::Failed { .. } => KeeperState::TpmFailed,
                }
            }
        }
    }

    fn check_all(&mut self, now: Now) -> Result<Opened, Stop> {
        let opened = self.unlock()?;
        let chain: IssuingChain = match self.store.read(Blob::IssuingChain) {
            Err(StoreError::Missing(_)) => return Err(KeeperState::IssuingMissing.into()),
            other => other?,
        };
        let key: Wrapped = self.store.read(Blob::IssuingKey)?;
        let corrupt = KeeperState::BlobCorrupt { which: Blob::IssuingChain };
        let point = key.point().ok_or(KeeperState::BlobCorrupt { which: Blob::IssuingKey })?;
        let validity = issuing::check(&chain, &point).map_err(|_| corrupt)?;
        self.issuing_end = Some(validity.not_after);
        if let Some(days) = self.end_warning.due(now.unix_s, validity.not_after) {
            warn!(
                days,
                "the issuing certificate ends within so many days; without another the box then stops serving: \
                   see that its clock is right, sign one with `wardline-provision certify` and install it"
            );
        }
        if now.unix_s < validity.not_before {
            return Err(KeeperState::ClockWrong.into());
        }
        if now.unix_s > validity.not_after {
            return Err(KeeperState::IssuingExpired.into());
        }
        self.renew_leaves(now, &opened, &chain, validity)?;
        Ok(opened)
    }

    /// What must hold before any key opens, whether or not the issuing key is certified.
    pub(super) fn unlock(&mut self) -> Result<Opened, Stop> {
        let record = self.record()?;
        let vendor = record.vendor().ok_or(KeeperState::BlobCorrupt { which: Blob::Identity })?;
        let sealed: Wrapped = self.store.read(Blob::DatabaseKey)?;
        for which in [Blob::IssuingKey, Blob::Pepper, Blob::AttestationKey] {
            self.store.read::<Wrapped>(which)?;
        }
        let approval = self.approval(&record, &vendor)?;
        // Anyone with the owner's (empty) password can remove the counter and make an ordinary index in its place.
        if self.tpm()?.nv_name(EPOCH_INDEX)? != Some(record.epoch_name) {
            return Err(KeeperState::IndexReplaced { which: Index::Epoch }.into());
        }
        let opened = Opened { record, vendor, approval };
        // The proof: the TPM's own policy lets a key go. The bytes are wiped here.
        match self.tpm()?.unseal(opened.by(), &sealed) {
            Ok(_) => Ok(opened),
            Err(TpmError::Damaged { .. }) => {
                Err(KeeperState::BlobCorrupt { which: Blob::DatabaseKey }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The record, from whichever TPM. Where there are keys, the TPM is not asked.
    pub(super) fn local_record(&mut self) -> Result<BoxRecord, Stop> {
        if !self.store.provisioned()? {
            return Err(self.without_keys()?.into());
        }
        Ok(self.store.read(Blob::Identity)?)
    }

    /// The record of this box, with the TPM that it belongs to.
    pub(super) fn record(&mut self) -> Result<BoxRecord, Stop> {
        self.tpm()?;
        let record = self.local_record()?;
        let tpm = self.tpm()?;
        let ours = match tpm.use_storage_key(&record.storage_name)? {
            StorageKey::Ours => true,
            StorageKey::Another => false,
            // Other software can evict a persistent key; the seed that it came from is what makes the TPM ours.
            StorageKey::Absent => {
                let restored = tpm.restore_storage_key(&record.storage_name)?;
                if restored {
                    warn!("the storage key was not at its handle any more: put back there");
                }
                restored
            }
        };
        if ours { Ok(record) } else { Err(KeeperState::ForeignTpm.into()) }
    }

    /// What a state directory without keys means: a TPM that counts epochs says that there were some.
    pub(super) fn without_keys(&mut self) -> Result<KeeperState, Stop> {
        let unfinished = self.store.unfinished()?;
        let tpm = self.tpm()?;
        Ok(if !unfinished && tpm.counts_epochs()? {
            KeeperState::KeysMissing
        } else if tpm.in_lockout()? {
            KeeperState::Lockout
        } else {
            KeeperState::NotProvisioned
        })
    }

    /// The vendor's approval for the image that runs, after comparing every measurement with the record.
    fn approval(&mut self, record: &BoxRecord, vendor: &SignerKey) -> Result<Approval, Stop> {
        let approvals: Approvals = match self.store.read(Blob::Approvals) {
            Err(StoreError::Missing(_)) => Approvals::default(),
            other => other?,
        };
        if approvals.list.iter().any(|approval| !approval.verify(vendor)) {
            return Err(KeeperState::BlobCorrupt { which: Blob::Approvals }.into());
        }
        let mut known = approvals.list;
        known.extend(self.image_approvals.iter().filter(|approval| approval.verify(vendor)).cloned());
        if known.is_empty() {
            return Err(KeeperState::ApprovalMissing.into());
        }

        let tpm = self.tpm()?;
        let [fixed7, fixed12, fixed15] = FIXED_PCRS;
        let pcrs = tpm.pcrs(&[fixed7, IMAGE_PCR, fixed12, fixed15])?;
        let expected = record.fixed();
        known.retain(|approval| approval.pcr11 == pcrs[1].1);
        let unchanged =
            [pcrs[0].1 == expected[0], !known.is_empty(), pcrs[2].1 == expected[1], pcrs[3].1 == expected[2]];
        let which: Vec<u8> =
            pcrs.iter().zip(unchanged).filter(|(_, same)| !same).map(|(pcr, _)| pcr.0).collect();
        if !which.is_empty() {
            return Err(KeeperState::PcrsChanged { which }.into());
        }

        if tpm.nv_name(REVOKE_INDEX)? != Some(policy::revoke_name(vendor, true)) {
            return Err(KeeperState::IndexReplaced { which: Index::Revoke }.into());
        }
        let revoked = tpm.nv_read_u64(REVOKE_INDEX)?;
        let current = known.into_iter().find(|approval| approval.revoke_mask & revoked == 0);
        Ok(current.ok_or(KeeperState::Revoked)?)
    }
}
