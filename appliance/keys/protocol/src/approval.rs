//! What the vendor signs offline: the approval of an image, and a ticket that sets REVOKE bits.
//!
//! Both are signed with ECDSA P-256 and SHA-256, because a TPM verifies that itself (TPM2_VerifySignature and
//! TPM2_PolicySigned); the check here only tells a bad file early and in words. A valid signature here opens nothing:
//! the TPM decides.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use minicbor::{Decode, Encode};

use crate::frame::PeerFault;
use crate::policy::{self, Digest, SignerKey};

/// The version of both formats.
pub const FORMAT_VERSION: u8 = 1;
/// The most bytes of either: 1 + 34 + 9 + 66 of content and their CBOR heads stay under 128.
pub const BYTES_MAX: usize = 128;

/// The vendor's approval: "an image that measures `pcr11` may open keys while no REVOKE bit of `revoke_mask` is set".
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Approval {
    /// [`FORMAT_VERSION`].
    #[n(0)]
    pub version: u8,
    /// PCR 11 of the SHA-256 bank at the running phase.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub pcr11: Digest,
    /// The REVOKE bits that end this image: normally one, never none.
    #[n(2)]
    pub revoke_mask: u64,
    /// ECDSA P-256 signature, r then s, 32 bytes each, over [`policy::approval_message`].
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// The vendor's ticket: "set these REVOKE bits". `bits` 0 is the first write, which every box needs once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RevocationTicket {
    /// [`FORMAT_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The bits to set.
    #[n(1)]
    pub bits: u64,
    /// ECDSA P-256 signature, r then s, over [`policy::revocation_message`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Approval {
    /// What a vendor must sign (SHA-256, ECDSA) to approve `pcr11` under `revoke_mask`.
    pub fn message(vendor: &SignerKey, pcr11: &Digest, revoke_mask: u64) -> Vec<u8> {
        policy::approval_message(&policy::image_policy(vendor, pcr11, revoke_mask))
    }

    /// Whether `vendor` signed this, and could take it back: an approval under no REVOKE bit would hold for ever.
    pub fn verify(&self, vendor: &SignerKey) -> bool {
        self.version == FORMAT_VERSION
            && self.revoke_mask != 0
            && verify(vendor, &Self::message(vendor, &self.pcr11, self.revoke_mask), &self.signature)
    }

    /// The bytes of an approval file.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Reads an approval file.
    ///
    /// # Errors
    /// [`PeerFault::Malformed`] for anything but exactly one well-formed approval of at most [`BYTES_MAX`] bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerFault> {
        from_bytes(bytes)
    }
}

impl RevocationTicket {
    /// What a vendor must sign (SHA-256, ECDSA) to set `bits`.
    pub fn message(vendor: &SignerKey, bits: u64) -> Vec<u8> {
        policy::revocation_message(&policy::revoke_cp_hash(vendor, bits))
    }

    /// Whether `vendor` signed this.
    pub fn verify(&self, vendor: &SignerKey) -> bool {
        self.version == FORMAT_VERSION && verify(vendor, &Self::message(vendor, self.bits), &self.signature)
    }

    /// The bytes of a ticket file.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Reads a ticket file.
    ///
    /// # Errors
    /// [`PeerFault::Malformed`] for anything but exactly one well-formed ticket of at most [`BYTES_MAX`] bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerFault> {
        from_bytes(bytes)
    }
}

fn verify(vendor: &SignerKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, vendor.to_sec1()).verify(message, signature).is_ok()
}

fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into a Vec cannot fail")
}

fn from_bytes<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, PeerFault> {
    if bytes.len() > BYTES_MAX {
        return Err(PeerFault::Malformed);
    }
    crate::frame::decode(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn the_formats_keep_their_bytes() {
        let approval = Approval { version: 1, pcr11: [7; 32], revoke_mask: 1, signature: [9; 64] };
        let bytes = approval.to_bytes();
        let want = [[0x84, 0x01, 0x58, 0x20].as_slice(), &[7; 32], &[0x01, 0x58, 0x40], &[9; 64]].concat();
        assert_eq!(bytes, want);
        assert_eq!(Approval::from_bytes(&bytes).unwrap(), approval);
        for len in 0..bytes.len() {
            assert!(Approval::from_bytes(&bytes[..len]).is_err(), "cut at {len}");
        }
        assert!(Approval::from_bytes(&[bytes.as_slice(), &[0; 64]].concat()).is_err(), "too long");
    }
}
