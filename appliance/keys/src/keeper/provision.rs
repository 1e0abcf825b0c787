//! Making this box's keys, once, before it has a name.
//!
//! Killed anywhere, it can be run again: the storage key and the two NV indices come out the same or are taken over,
//! and the files appear all together at the end. Keys that were made and not committed are lost with the attempt,
//! which is right: nothing was ever protected by them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use tracing::{error, info};
use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::message::{Provision, Refusal, Reply};
use wardline_keys_protocol::policy::{
    self, Digest, EPOCH_ATTRIBUTES, EPOCH_INDEX, FIXED_PCRS, IMAGE_PCR, NV_WRITTEN, REVOKE_ATTRIBUTES,
    REVOKE_INDEX, STORAGE_KEY_HANDLE, SignerKey,
};
use wardline_keys_protocol::{Blob, KeeperState};
use zeroize::Zeroizing;

use super::{Keeper, Stop};
use crate::record::{Approvals, BoxRecord};
use crate::tpm::{Tpm, TpmError};

impl Keeper {
    pub(super) fn provision(&mut self, answers: &Provision) -> Result<Reply, Stop> {
        let vendor = SignerKey::from_sec1(&answers.vendor_public).ok_or(Refusal::ApprovalRejected)?;
        let approval = Approval::from_bytes(&answers.approval).map_err(|_| Refusal::ApprovalRejected)?;
        if !approval.verify(&vendor) {
            return Err(Refusal::ApprovalRejected.into());
        }
        let first =
            RevocationTicket::from_bytes(&answers.first_revocation).map_err(|_| Refusal::TicketRejected)?;
        if first.bits != 0 || !first.verify(&vendor) {
            return Err(Refusal::TicketRejected.into());
        }
        if self.store.provisioned()? {
            let record = self.record()?;
            // The approval may differ: the first one is not kept here for ever.
            return if record.vendor_public == answers.vendor_public {
                Ok(Reply::Done)
            } else {
                Err(Refusal::ProvisionedOtherwise.into())
            };
        }
        match self.without_keys()? {
            KeeperState::NotProvisioned => {}
            // New keys may replace EPOCH, and then the old ones never open again, should they turn up.
            KeeperState::KeysMissing if answers.start_over => {}
            state => return Err(state.into()),
        }
        self.make_keys(&vendor, approval, &first)
    }

    fn make_keys(
        &mut self,
        vendor: &SignerKey,
        approval: Approval,
        first: &RevocationTicket,
    ) -> Result<Reply, Stop> {
        let tpm = self.tpm()?;
        if tpm.in_lockout()? {
            return Err(KeeperState::Lockout.into());
        }
        let fixed = measured(tpm, &approval)?;
        let staged = self.store.stage()?;
        let tpm = self.tpm()?;
        let storage_name = match tpm.make_storage_key() {
            Err(TpmError::Taken) => return Err(Refusal::HandleTaken { handle: STORAGE_KEY_HANDLE }.into()),
            other => other?,
        };
        prepare_revoke(tpm, vendor, first)?;
        if tpm.nv_read_u64(REVOKE_INDEX)? & approval.revoke_mask != 0 {
            return Err(KeeperState::Revoked.into());
        }
        let policy = policy::box_policy(vendor, &fixed);
        let epoch_name = prepare_epoch(tpm, (vendor, &approval), &policy)?;

        let database_key = fresh_secret(tpm)?;
        let sealed = tpm.seal(&database_key, &policy)?;
        let pepper = fresh_secret(tpm)?;
        let pepper = tpm.make_hmac_key(&pepper, &policy)?;
        let issuing = tpm.make_signing_key(&policy)?;
        let attestation = tpm.make_attestation_key()?;
        // What cannot be opened now would not be opened later: find out before anything depends on it.
        let back = tpm.unseal((vendor, &approval), &sealed)?;
        if verify_slices_are_equal(back.as_slice(), database_key.as_slice()).is_err() {
            error!("the TPM returned another key than was sealed");
            return Err(KeeperState::TpmFailed.into());
        }

        let [pcr7, pcr12, pcr15] = fixed;
        let vendor_public = vendor.to_sec1();
        staged.write(Blob::DatabaseKey, &sealed)?;
        staged.write(Blob::IssuingKey, &issuing)?;
        staged.write(Blob::Pepper, &pepper)?;
        staged.write(Blob::AttestationKey, &attestation)?;
        staged.write(Blob::Approvals, &Approvals { list: vec![approval] })?;
        let record = BoxRecord { storage_name, epoch_name, pcr7, pcr12, pcr15, vendor_public };
        staged.write(Blob::Identity, &record)?;
        staged.commit()?;
        info!("keys made");
        Ok(Reply::Done)
    }
}

/// PCRs 7, 12 and 15, when the box was measured at all and the approval is for the image that runs.
fn measured(tpm: &mut Tpm, approval: &Approval) -> Result<[Digest; 3], Stop> {
    let [fixed7, fixed12, fixed15] = FIXED_PCRS;
    let pcrs = tpm.pcrs(&[fixed7, IMAGE_PCR, fixed12, fixed15])?;
    // PCR 12 is zero on a box without add-ons; all-zero or all-one elsewhere means that nobody measured.
    let unmeasured = |value: &Digest| *value == [0; 32] || *value == [0xFF; 32];
    let which: Vec<u8> =
        pcrs.iter().filter(|(i, v)| *i != fixed12 && unmeasured(v)).map(|(i, _)| *i).collect();
    if !which.is_empty() {
        return Err(KeeperState::Unmeasured { which }.into());
    }
    if approval.pcr11 != pcrs[1].1 {
        return Err(Refusal::ApprovalForOtherImage.into());
    }
    Ok([pcrs[0].1, pcrs[2].1, pcrs[3].1])
}

/// Brings REVOKE to its written state, whose Name the vendor's approvals contain.
fn prepare_revoke(tpm: &mut Tpm, vendor: &SignerKey, first: &RevocationTicket) -> Result<(), Stop> {
    let written = policy::revoke_name(vendor, true);
    let unwritten = policy::revoke_name(vendor, false);
    match tpm.nv_name(REVOKE_INDEX)? {
        Some(name) if name == written => return Ok(()),
        Some(name) if name == unwritten => {}
        Some(_) => return Err(Refusal::HandleTaken { handle: REVOKE_INDEX }.into()),
        None => tpm.nv_define(REVOKE_INDEX, REVOKE_ATTRIBUTES, &policy::revoke_write_policy(vendor))?,
    }
    tpm.revoke(vendor, first)?;
    match tpm.nv_name(REVOKE_INDEX)? {
        Some(name) if name == written => Ok(()),
        _ => Err(KeeperState::TpmFailed.into()),
    }
}

/// Brings EPOCH to its first value under P'. An EPOCH of an earlier installation has another policy and is replaced;
/// a new counter begins above every value that this TPM ever counted (TPM 2.0 Part 3, 31.8), so nothing runs back.
fn prepare_epoch(tpm: &mut Tpm, by: (&SignerKey, &Approval), policy: &Digest) -> Result<policy::Name, Stop> {
    let name = |attributes| policy::nv_name(EPOCH_INDEX, attributes, policy, 8);
    let (unwritten, written) = (name(EPOCH_ATTRIBUTES), name(EPOCH_ATTRIBUTES | NV_WRITTEN));
    match tpm.nv_name(EPOCH_INDEX)? {
        Some(there) if there == written => return Ok(written),
        Some(there) if there == unwritten => {}
        other => {
            if other.is_some() {
                match tpm.nv_attributes(EPOCH_INDEX)? {
                    Some(there) if there & !NV_WRITTEN == EPOCH_ATTRIBUTES => tpm.nv_undefine(EPOCH_INDEX)?,
                    // Somebody else's: theirs to remove.
                    _ => return Err(Refusal::HandleTaken { handle: EPOCH_INDEX }.into()),
                }
            }
            tpm.nv_define(EPOCH_INDEX, EPOCH_ATTRIBUTES, policy)?;
        }
    }
    tpm.advance_epoch(by)?;
    match tpm.nv_name(EPOCH_INDEX)? {
        Some(there) if there == written => Ok(written),
        _ => Err(KeeperState::TpmFailed.into()),
    }
}

/// 32 bytes that are random if either the TPM's or the operating system's generator is.
fn fresh_secret(tpm: &mut Tpm) -> Result<Zeroizing<[u8; 32]>, Stop> {
    let mut secret = tpm.random()?;
    let mut ours = Zeroizing::new([0; 32]);
    rand::fill(ours.as_mut_slice()).map_err(|_| Refusal::Fault)?;
    secret.iter_mut().zip(ours.iter()).for_each(|(byte, ours)| *byte ^= ours);
    Ok(secret)
}
