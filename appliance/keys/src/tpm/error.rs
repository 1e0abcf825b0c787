//! What a TPM says when it does not do something, sorted by what the keeper does next.

use std::io::ErrorKind;

use tss_esapi::Error;

/// The result of a TPM operation.
pub type TpmResult<T> = Result<T, TpmError>;

/// Why a TPM operation did not succeed. Codes are TSS2_RC values; none of them holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TpmError {
    /// Nothing answers, or the connection broke: drop the TPM and open it again later.
    #[error("no TPM answers")]
    Gone,
    /// The device may not be opened by this user.
    #[error("this user may not open the TPM")]
    Denied,
    /// Another program holds the device.
    #[error("another program holds the TPM")]
    InUse,
    /// It limits how often its memory is written (TPM_RC_NV_RATE): ask again.
    #[error("the TPM asks for time before it writes again")]
    Later,
    /// The storage key's handle holds something else.
    #[error("the storage key's handle is taken")]
    Taken,
    /// Dictionary-attack lockout (TPM_RC_LOCKOUT).
    #[error("the TPM is in lockout")]
    Lockout,
    /// The SHA-256 PCR bank is off.
    #[error("the TPM keeps no SHA-256 PCRs")]
    NoSha256Bank,
    /// A policy was not satisfied, or a signature not accepted.
    #[error("the TPM refused {doing} (0x{code:X})")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// The TPM's code.
        code: u32,
    },
    /// A wrapped object was not made under this storage key, or is damaged.
    #[error("the TPM does not take the object when {doing} (0x{code:X})")]
    Damaged {
        /// What was tried.
        doing: &'static str,
        /// The TPM's code.
        code: u32,
    },
    /// Anything else: a failure of the TPM or a fault of ours.
    #[error("the TPM failed when {doing} (0x{code:X})")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// The code, 0 when it was not the TPM that noticed.
        code: u32,
    },
}

impl TpmError {
    /// Whether the connection is of no more use. After a reply that it could not read or whose HMAC was wrong, ESYS
    /// refuses every further command; and an object that went away behind its back stays in its books.
    pub fn spends_connection(&self) -> bool {
        matches!(self, Self::Gone | Self::Failed { .. })
    }

    /// Sorts what the system said to opening the device.
    pub(super) fn from_open(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::ResourceBusy => Self::InUse,
            _ => Self::Gone,
        }
    }

    /// Sorts a library error.
    pub(crate) fn from_tss(doing: &'static str, error: Error) -> Self {
        let code = raw::code(&error);
        if code >> 16 == raw::LAYER_TCTI {
            return Self::Gone;
        }
        match raw::tpm_base(code) {
            Some(raw::LOCKOUT) => Self::Lockout,
            Some(raw::NV_RATE) => Self::Later,
            Some(
                raw::POLICY
                | raw::PCR_CHANGED
                | raw::POLICY_FAIL
                | raw::POLICY_CC
                | raw::VALUE
                | raw::SIGNATURE,
            ) => Self::Refused { doing, code },
            Some(raw::INTEGRITY | raw::SIZE | raw::BINDING | raw::INSUFFICIENT) => {
                Self::Damaged { doing, code }
            }
            _ => Self::Failed { doing, code },
        }
    }
}

/// Names the operation that an error belongs to.
pub(super) trait During<T> {
    /// Adds what was being done, as the end of "the TPM failed when …".
    fn during(self, doing: &'static str) -> TpmResult<T>;
}

impl<T> During<T> for Result<T, Error> {
    fn during(self, doing: &'static str) -> TpmResult<T> {
        self.map_err(|error| TpmError::from_tss(doing, error))
    }
}

/// Response codes as numbers (TPM 2.0 Part 2, 6.6).
pub(super) mod raw {
    use super::Error;

    /// The TCTI layer of a TSS2_RC: the way to the TPM, not the TPM.
    pub(super) const LAYER_TCTI: u32 = 10;

    pub(super) const POLICY: u32 = 0x126;
    pub(super) const PCR_CHANGED: u32 = 0x128;
    pub(super) const NV_RATE: u32 = 0x920;
    pub(super) const LOCKOUT: u32 = 0x921;
    pub(super) const VALUE: u32 = 0x084;
    pub(super) const HANDLE: u32 = 0x08B;
    pub(super) const SIZE: u32 = 0x095;
    pub(super) const INSUFFICIENT: u32 = 0x09A;
    pub(super) const SIGNATURE: u32 = 0x09B;
    pub(super) const POLICY_FAIL: u32 = 0x09D;
    pub(super) const INTEGRITY: u32 = 0x09F;
    pub(super) const POLICY_CC: u32 = 0x0A4;
    pub(super) const BINDING: u32 = 0x0A5;

    /// The TSS2_RC of a library error; 0 for errors of the wrapper itself.
    pub(super) fn code(error: &Error) -> u32 {
        match error {
            Error::TssError(code) => u32::from(*code),
            Error::WrapperError(_) => 0,
        }
    }

    /// A TPM response code without the number of its parameter, handle or session; `None` for other layers.
    pub(super) fn tpm_base(code: u32) -> Option<u32> {
        match code {
            _ if code >> 16 != 0 => None,
            // Format one: bit 7 set, error number in bits 0 to 5 (bits 6, 8 to 11: which argument).
            _ if code & 0x80 != 0 => Some(code & 0xBF),
            _ => Some(code),
        }
    }

    /// Whether the error says that a handle names nothing.
    pub(in crate::tpm) fn no_such_handle(error: &Error) -> bool {
        tpm_base(code(error)) == Some(HANDLE)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn argument_numbers_do_not_matter() {
            assert_eq!(tpm_base(0x99D), Some(POLICY_FAIL));
            assert_eq!(tpm_base(0x1C4), Some(VALUE));
            assert_eq!(tpm_base(0x2DB), Some(SIGNATURE));
            assert_eq!(tpm_base(0x18B), Some(HANDLE));
            assert_eq!(tpm_base(0x126), Some(POLICY));
            assert_eq!(tpm_base(0x921), Some(LOCKOUT));
            assert_eq!(tpm_base(0x000A_000A), None);
        }

        #[test]
        fn what_is_waited_for_and_what_is_opened_anew() {
            let sorted = |code: u32| {
                // As the wrapper does it: what it does not know becomes an error of its own.
                let error = tss_esapi::ReturnCode::try_from(code).map_or_else(|own| own, Error::TssError);
                crate::tpm::TpmError::from_tss("testing", error)
            };
            assert_eq!(sorted(0x920), crate::tpm::TpmError::Later);
            assert!(!sorted(0x920).spends_connection() && !sorted(0x99D).spends_connection());
            // TSS2_ESYS_RC_RSP_AUTH_FAILED, TSS2_ESYS_RC_BAD_SEQUENCE, TSS2_TCTI_RC_IO_ERROR, TPM_RC_FAILURE.
            for code in [0x7001B, 0x70007, 0xA000A, 0x101] {
                assert!(sorted(code).spends_connection(), "{code:#x}");
            }
        }

        #[test]
        fn why_a_device_does_not_open() {
            use std::io::ErrorKind;

            use crate::tpm::TpmError;
            let of = |errno| TpmError::from_open(std::io::Error::from_raw_os_error(errno).kind());
            assert_eq!(of(nix::libc::EACCES), TpmError::Denied);
            assert_eq!(of(nix::libc::EBUSY), TpmError::InUse);
            assert_eq!(of(nix::libc::ENOENT), TpmError::Gone);
            assert_eq!(TpmError::from_open(ErrorKind::Other), TpmError::Gone);
        }
    }
}
