//! The keeper's states: one stable code and one sentence each, and the sentence says what to do next.
//!
//! A state is a fact about this box, not about a request: requests are refused with [`crate::Refusal`]. No state hands
//! out anything softer than [`KeeperState::Ready`] does.

use core::fmt;

use minicbor::{Decode, Encode};

use crate::policy::{EPOCH_INDEX, REVOKE_INDEX};

/// The state the keeper is in. Only [`KeeperState::Ready`] hands anything out; every other one says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum KeeperState {
    /// Keys open, leaves issued.
    #[n(0)]
    Ready,
    /// No keys were ever made here.
    #[n(1)]
    NotProvisioned,
    /// Keys exist; the issuing key is not yet certified.
    #[n(2)]
    IssuingMissing,
    /// No TPM answers: there is none, or it is silent.
    #[n(3)]
    NoTpm,
    /// A TPM answers, but not the one that made this box's keys.
    #[n(4)]
    ForeignTpm,
    /// Measurements differ from what the keys were sealed to.
    #[n(5)]
    PcrsChanged {
        /// PCR numbers, ascending.
        #[n(0)]
        which: Vec<u8>,
    },
    /// The running image was revoked.
    #[n(6)]
    Revoked,
    /// The TPM is in dictionary-attack lockout.
    #[n(7)]
    Lockout,
    /// A file of the keeper's is not there.
    #[n(8)]
    BlobMissing {
        /// Which.
        #[n(0)]
        which: Blob,
    },
    /// A file of the keeper's is damaged.
    #[n(9)]
    BlobCorrupt {
        /// Which.
        #[n(0)]
        which: Blob,
    },
    /// No vendor approval is installed.
    #[n(10)]
    ApprovalMissing,
    /// The clock is before the issuing certificate's beginning.
    #[n(11)]
    ClockWrong,
    /// The TPM refused although nothing known to the keeper explains it.
    #[n(12)]
    SealRefused,
    /// The TPM answers, but with a failure of its own, also over a fresh connection.
    #[n(13)]
    TpmFailed,
    /// The issuing certificate is past its end.
    #[n(14)]
    IssuingExpired,
    /// PCRs that firmware and boot must have measured are all zero: sealing to them would protect nothing.
    #[n(15)]
    Unmeasured {
        /// PCR numbers, ascending.
        #[n(0)]
        which: Vec<u8>,
    },
    /// The keeper's user may not open the TPM.
    #[n(16)]
    TpmDenied,
    /// The TPM is held by another program, or asks for time.
    #[n(17)]
    TpmBusy,
    /// The file system does not let the keeper use its state directory.
    #[n(18)]
    StateUnusable,
    /// The TPM counts epochs for an installation whose `keys` directory is not there.
    #[n(19)]
    KeysMissing,
    /// An index of this box's in the TPM is missing, or another one is in its place.
    #[n(20)]
    IndexReplaced {
        /// Which.
        #[n(0)]
        which: Index,
    },
}

/// An index of the keeper's in the TPM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Index {
    /// Which images were revoked.
    #[n(0)]
    Revoke,
    /// The counter that tells an old disk from the present one.
    #[n(1)]
    Epoch,
}

/// A file of the keeper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Blob {
    /// `box`: pinned Names, PCR values, the vendor's key.
    #[n(0)]
    Identity,
    /// `database-key`: the sealed database key.
    #[n(1)]
    DatabaseKey,
    /// `issuing-key`: the issuing key, wrapped by the TPM.
    #[n(2)]
    IssuingKey,
    /// `pepper`: the PIN pepper, wrapped by the TPM.
    #[n(3)]
    Pepper,
    /// `attestation-key`: the attestation key, wrapped by the TPM.
    #[n(4)]
    AttestationKey,
    /// `issuing-chain`: the issuing certificate, the root, and the names of box and facility.
    #[n(5)]
    IssuingChain,
    /// `approvals`: vendor approvals.
    #[n(6)]
    Approvals,
}

impl Blob {
    /// The file's name in the keeper's state directory.
    pub fn file_name(self) -> &'static str {
        match self {
            Blob::Identity => "box",
            Blob::DatabaseKey => "database-key",
            Blob::IssuingKey => "issuing-key",
            Blob::Pepper => "pepper",
            Blob::AttestationKey => "attestation-key",
            Blob::IssuingChain => "issuing-chain",
            Blob::Approvals => "approvals",
        }
    }
}

impl KeeperState {
    /// A stable code for screens, receipts and support calls.
    pub fn code(&self) -> &'static str {
        match self {
            KeeperState::Ready => "KEEPER-READY",
            KeeperState::NotProvisioned => "KEEPER-NOT-PROVISIONED",
            KeeperState::IssuingMissing => "KEEPER-ISSUING-MISSING",
            KeeperState::NoTpm => "KEEPER-NO-TPM",
            KeeperState::ForeignTpm => "KEEPER-FOREIGN-TPM",
            KeeperState::PcrsChanged { .. } => "KEEPER-PCRS-CHANGED",
            KeeperState::Revoked => "KEEPER-REVOKED",
            KeeperState::Lockout => "KEEPER-LOCKOUT",
            KeeperState::BlobMissing { .. } => "KEEPER-BLOB-MISSING",
            KeeperState::BlobCorrupt { .. } => "KEEPER-BLOB-CORRUPT",
            KeeperState::ApprovalMissing => "KEEPER-APPROVAL-MISSING",
            KeeperState::ClockWrong => "KEEPER-CLOCK-WRONG",
            KeeperState::SealRefused => "KEEPER-SEAL-REFUSED",
            KeeperState::TpmFailed => "KEEPER-TPM-FAILED",
            KeeperState::IssuingExpired => "KEEPER-ISSUING-EXPIRED",
            KeeperState::Unmeasured { .. } => "KEEPER-UNMEASURED",
            KeeperState::TpmDenied => "KEEPER-TPM-DENIED",
            KeeperState::TpmBusy => "KEEPER-TPM-BUSY",
            KeeperState::StateUnusable => "KEEPER-STATE-UNUSABLE",
            KeeperState::KeysMissing => "KEEPER-KEYS-MISSING",
            KeeperState::IndexReplaced { .. } => "KEEPER-INDEX-REPLACED",
        }
    }
}

/// Which component a PCR stands for, in words for the person in front of the box.
fn pcr_words(index: u8) -> &'static str {
    match index {
        7 => "7 (Secure Boot keys and state)",
        11 => "11 (the image that runs)",
        12 => "12 (kernel command line and add-ons)",
        15 => "15 (this box's own data volume)",
        _ => "another PCR",
    }
}

fn pcr_list(which: impl IntoIterator<Item = u8>) -> String {
    which.into_iter().map(pcr_words).collect::<Vec<_>>().join(", ")
}

/// PCR 7 is the firmware's to measure, the others are what was started: who is sent to the wrong one finds nothing.
fn unmeasured(which: &[u8]) -> String {
    let firmware = which.contains(&7).then(|| {
        format!(
            "the firmware did not measure PCR {}: turn on the TPM's SHA-256 bank and Secure Boot in the firmware menu, then start again",
            pcr_words(7)
        )
    });
    let others: Vec<u8> = which.iter().copied().filter(|pcr| *pcr != 7).collect();
    let boot = (!others.is_empty()).then(|| {
        format!(
            "what was started did not measure PCR {}: no setting of the firmware changes that; start the Wardline image, which measures itself and its data volume, or take a software TPM for development",
            pcr_list(others)
        )
    });
    firmware.into_iter().chain(boot).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for KeeperState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeeperState::Ready => f.write_str("ready"),
            KeeperState::NotProvisioned => {
                f.write_str("not provisioned: no keys were made here yet; a box makes them by itself at its first start, so ask again, and if this stays, see its log")
            }
            KeeperState::IssuingMissing => f.write_str(
                "this box has keys and no name yet, and its issuing key is not certified: sign its request with `wardline-provision certify` and bring the result, with the names, to the box",
            ),
            KeeperState::NoTpm => f.write_str(
                "no TPM answers where the keeper looks for it: turn the TPM on in the firmware menu; if it is on, the chip or board is dead, so follow the runbook for dead hardware",
            ),
            KeeperState::ForeignTpm => f.write_str(
                "foreign TPM: this is not the TPM that made this box's keys, or it was cleared; put the disk back into its own box, or follow the runbook for replaced hardware",
            ),
            KeeperState::PcrsChanged { which } => write!(
                f,
                "measurements changed: PCR {}; if you changed the firmware or the image, install the vendor's approval or follow the runbook for changed firmware; if you did not, treat the box as tampered with",
                pcr_list(which.iter().copied())
            ),
            KeeperState::Revoked => {
                f.write_str("the running image was revoked: start the other slot, or install the current update")
            }
            KeeperState::Lockout => f.write_str(
                "the TPM is locked out after failed authorisations: leave the box powered on for 24 hours, then ask again; clearing the TPM would end it too, but destroys every key in it",
            ),
            KeeperState::BlobMissing { which } => {
                write!(f, "the file `{}` is missing: restore it from the backup of the keeper's state", which.file_name())
            }
            KeeperState::BlobCorrupt { which } => {
                write!(f, "the file `{}` is damaged: restore it from the backup of the keeper's state", which.file_name())
            }
            KeeperState::ApprovalMissing => {
                f.write_str("no vendor approval for any image is installed: install the one that came with the image")
            }
            KeeperState::ClockWrong => f.write_str(
                "the clock is before the issuing certificate's beginning: set the clock of this box, then ask again",
            ),
            KeeperState::SealRefused => f.write_str(
                "the TPM refuses to open the keys although its measurements look right: the keeper's files do not belong together; restore all of them from one backup",
            ),
            KeeperState::TpmFailed => f.write_str(
                "the TPM reports a failure, also over a new connection: switch the box off at the mains for a minute; if it comes back, the chip is dead, so follow the runbook for dead hardware",
            ),
            KeeperState::IssuingExpired => f.write_str(
                "the issuing certificate has ended: see first that this box's clock is right; if it is, sign a new one with `wardline-provision certify` and install it",
            ),
            KeeperState::Unmeasured { which } => f.write_str(&unmeasured(which)),
            KeeperState::TpmDenied => f.write_str(
                "there is a TPM, but this user may not open it: give the keeper's user read and write access to the device (on Debian by the group `tss`), then start the keeper again",
            ),
            KeeperState::TpmBusy => f.write_str(
                "the TPM is busy: another program holds it, or it asks for time between writes; stop what else uses it (`fuser` on the device names it), then ask again",
            ),
            KeeperState::StateUnusable => f.write_str(
                "the keeper's state directory cannot be used: see that its volume is mounted and sound, has space and belongs to the keeper's user (the log says what failed), then ask again",
            ),
            KeeperState::KeysMissing => f.write_str(
                "this TPM belongs to an installation whose `keys` directory is not in the keeper's state directory: mount the volume that it is on, or restore the directory from the backup of the keeper's state; without it nothing that was stored opens again",
            ),
            KeeperState::IndexReplaced { which } => {
                let (name, index, what) = match which {
                    Index::Revoke => ("REVOKE", REVOKE_INDEX, "remembers which images were revoked"),
                    Index::Epoch => ("EPOCH", EPOCH_INDEX, "tells an old disk from the present one"),
                };
                write!(
                    f,
                    "the TPM's index {name} ({index:#010x}), which {what}, is missing or was replaced: no update and no fault does that, so treat the box as tampered with and follow the runbook for a box that was tampered with"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_fits_the_pcr() {
        let says = |which: &[u8]| KeeperState::Unmeasured { which: which.to_vec() }.to_string();
        assert!(says(&[7]).contains("Secure Boot in the firmware menu") && !says(&[7]).contains("image"));
        assert!(
            says(&[11, 15]).contains("no setting of the firmware") && !says(&[11]).contains("firmware menu")
        );
        assert!(says(&[7, 11, 15]).contains("firmware menu") && says(&[7, 11, 15]).contains("data volume"));
    }

    #[test]
    fn only_a_box_without_keys_is_told_to_provision() {
        for state in [
            KeeperState::KeysMissing,
            KeeperState::StateUnusable,
            KeeperState::IndexReplaced { which: Index::Revoke },
            KeeperState::IndexReplaced { which: Index::Epoch },
        ] {
            assert!(!state.to_string().contains("provision"), "{state}");
        }
        assert!(!KeeperState::Lockout.to_string().contains("password"), "none is set, so none is escrowed");
    }
}
