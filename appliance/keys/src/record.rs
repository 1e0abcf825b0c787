//! What the keeper's files hold. Indices are append-only: a file of the release before must be readable.

use minicbor::{Decode, Encode};
use wardline_keys_protocol::CheckedNames;
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::policy::{Digest, Name, SignerKey};

/// The most approvals kept: two slots, the recovery image, and their predecessors make six.
pub const APPROVALS_MAX: usize = 8;

/// `box`: who this box is, and what it was sealed to. Public facts; changing them opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BoxRecord {
    /// The storage key's Name: another one is a foreign TPM.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub storage_name: Name,
    /// EPOCH's Name after its first write.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub epoch_name: Name,
    /// PCR 7 when sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub pcr7: Digest,
    /// PCR 12 when sealed.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub pcr12: Digest,
    /// PCR 15 when sealed.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub pcr15: Digest,
    /// The vendor's policy key, SEC1 uncompressed.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub vendor_public: [u8; 65],
}

impl BoxRecord {
    /// PCRs 7, 12 and 15, in that order.
    pub fn fixed(&self) -> [Digest; 3] {
        [self.pcr7, self.pcr12, self.pcr15]
    }

    /// The vendor's key; `None` when the record holds none that can be one.
    pub fn vendor(&self) -> Option<SignerKey> {
        SignerKey::from_sec1(&self.vendor_public)
    }
}

/// `approvals`: newest last, at most [`APPROVALS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Approvals {
    /// The approvals.
    #[n(0)]
    pub list: Vec<Approval>,
}

impl Approvals {
    /// Adds one, forgetting the oldest when there are too many.
    pub fn add(&mut self, approval: Approval) {
        self.list.retain(|known| known != &approval);
        self.list.push(approval);
        let excess = self.list.len().saturating_sub(APPROVALS_MAX);
        self.list.drain(..excess);
    }
}

/// `issuing-chain`: what makes a box with keys a box with a name. One file, so that chain and names belong together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct IssuingChain {
    /// The certificate of this box's issuing key, DER.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub issuing: Vec<u8>,
    /// The facility root, DER.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: Vec<u8>,
    /// SHA-256 of the root that the first chain brought: no other is taken after it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub root_sha256: Digest,
    /// What leaves are made for.
    #[n(3)]
    pub names: CheckedNames,
}
