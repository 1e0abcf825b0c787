//! The keeper's states: one stable code and one sentence each, and the sentence says what to do next.
//!
//! A state is a fact about this box, not about a request: requests are refused with [`crate::Refusal`]. No state hands
//! out anything softer than [`KeeperState::Ready`] does.

use core::fmt;

use minicbor::{Decode, Encode};

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
    /// No TPM answers.
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
    /// The TPM answers, but with a failure of its own.
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
}

/// A file of the keeper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Blob {
    /// `box`: pinned Names, PCR values, names of the facility.
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
    /// `issuing-chain`: the issuing certificate and the root.
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

impl fmt::Display for KeeperState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pcrs = |which: &[u8]| which.iter().map(|i| pcr_words(*i)).collect::<Vec<_>>().join(", ");
        match self {
            KeeperState::Ready => f.write_str("ready"),
            KeeperState::NotProvisioned => {
                f.write_str("not provisioned: run `wardline-provision` and carry its answers to this box")
            }
            KeeperState::IssuingMissing => f.write_str(
                "the issuing key is not certified yet: sign its request with `wardline-provision certify` and install the result",
            ),
            KeeperState::NoTpm => f.write_str(
                "no TPM answers: turn the TPM on in the firmware menu; if it is on, the chip or board is dead, so follow the runbook for dead hardware",
            ),
            KeeperState::ForeignTpm => f.write_str(
                "foreign TPM: this is not the TPM that made this box's keys, or it was cleared; put the disk back into its own box, or follow the runbook for replaced hardware",
            ),
            KeeperState::PcrsChanged { which } => write!(
                f,
                "measurements changed: PCR {}; if you changed the firmware or the image, install the vendor's approval or follow the runbook for changed firmware; if you did not, treat the box as tampered with",
                pcrs(which)
            ),
            KeeperState::Revoked => {
                f.write_str("the running image was revoked: start the other slot, or install the current update")
            }
            KeeperState::Lockout => f.write_str(
                "the TPM is locked out after failed authorisations: leave the box powered on for 24 hours, or use the escrowed lockout password",
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
                "the TPM reports a failure: switch the box off at the mains for a minute; if it comes back, the chip is dead, so follow the runbook for dead hardware",
            ),
            KeeperState::IssuingExpired => f.write_str(
                "the issuing certificate has ended: sign a new one with `wardline-provision certify` and install it",
            ),
            KeeperState::Unmeasured { which } => write!(
                f,
                "firmware or boot did not measure PCR {}: turn on the SHA-256 bank and Secure Boot in the firmware menu, then start again",
                pcrs(which)
            ),
        }
    }
}
