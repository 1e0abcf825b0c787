//! TPM 2.0 policy digests and Names, computed in plain software.
//!
//! Who signs an approval has no TPM, and the keeper checks itself against these before it seals. Part numbers are
//! those of the TPM 2.0 Library Specification; all integers on the TPM's side are big-endian. Only SHA-256 (0x000B)
//! and P-256 exist here: other algorithms are refused by not being expressible.

use aws_lc_rs::digest::{SHA256, digest};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// An entity's Name: algorithm (0x000B) and digest (Part 1, 16 "Names").
pub type Name = [u8; 34];

/// The REVOKE index (TPM_NT_BITS): one bit a revoked generation of images.
pub const REVOKE_INDEX: u32 = 0x0180_0100;
/// The EPOCH index (TPM_NT_COUNTER).
pub const EPOCH_INDEX: u32 = 0x0180_0200;
/// The handle of the storage key.
pub const STORAGE_KEY_HANDLE: u32 = 0x8100_0001;
/// The policyRef under which images are approved: an approval for another purpose does not fit.
pub const APPROVAL_REF: &[u8] = b"wardline-keeper-image-v1";
/// The policyRef of revocation tickets.
pub const REVOCATION_REF: &[u8] = b"wardline-keeper-revoke-v1";
/// The PCRs that P' fixes beside PCR 11: Secure Boot, command line, this box's volume.
pub const FIXED_PCRS: [u8; 3] = [7, 12, 15];
/// The PCR that approvals name: the image, at the running phase.
pub const IMAGE_PCR: u8 = 11;

/// NV attributes of REVOKE before its first write: TPM_NT_BITS, POLICYWRITE, OWNERREAD, AUTHREAD, NO_DA
/// (Part 2, 13.4 TPMA_NV).
pub const REVOKE_ATTRIBUTES: u32 = NT_BITS | NV_POLICYWRITE | NV_OWNERREAD | NV_AUTHREAD | NV_NO_DA;
/// NV attributes of EPOCH before its first write: TPM_NT_COUNTER and the same.
pub const EPOCH_ATTRIBUTES: u32 = NT_COUNTER | NV_POLICYWRITE | NV_OWNERREAD | NV_AUTHREAD | NV_NO_DA;

const NT_COUNTER: u32 = 0x1 << 4;
const NT_BITS: u32 = 0x2 << 4;
const NV_POLICYWRITE: u32 = 1 << 3;
const NV_OWNERREAD: u32 = 1 << 17;
/// TPMA_NV_AUTHREAD: the index's own authorisation value lets it be read.
pub const NV_AUTHREAD: u32 = 1 << 18;
const NV_NO_DA: u32 = 1 << 25;
/// TPMA_NV_READLOCKED: nobody reads it before the next start.
pub const NV_READLOCKED: u32 = 1 << 28;
/// TPMA_NV_WRITTEN, which the first write sets and which is part of the Name.
pub const NV_WRITTEN: u32 = 1 << 29;

// Part 2, 6.5.2 TPM_CC.
const CC_NV_SET_BITS: u32 = 0x0000_0135;
const CC_POLICY_NV: u32 = 0x0000_0149;
const CC_POLICY_SECRET: u32 = 0x0000_0151;
const CC_POLICY_SIGNED: u32 = 0x0000_0160;
const CC_POLICY_AUTHORIZE: u32 = 0x0000_016A;
const CC_POLICY_PCR: u32 = 0x0000_017F;
// Part 2, 6.3 TPM_ALG_ID and 6.4 TPM_ECC_CURVE.
pub(crate) const ALG_SHA256: u16 = 0x000B;
pub(crate) const ALG_NULL: u16 = 0x0010;
pub(crate) const ALG_ECDSA: u16 = 0x0018;
pub(crate) const ALG_ECC: u16 = 0x0023;
pub(crate) const CURVE_P256: u16 = 0x0003;
/// TPM_RH_OWNER (Part 2, 7.4): a hierarchy's handle is its Name.
const RH_OWNER: u32 = 0x4000_0001;
/// TPM_RH_ENDORSEMENT.
const RH_ENDORSEMENT: u32 = 0x4000_000B;
/// TPM_EO_BITCLEAR (Part 2, 6.8): all bits of the operand are clear in the index.
const EO_BITCLEAR: u16 = 0x000B;
/// TPMA_OBJECT (Part 2, 8.3) of a public key loaded from outside: userWithAuth, sign.
pub const EXTERNAL_SIGNER_ATTRIBUTES: u32 = (1 << 6) | (1 << 18);

/// SHA-256 over the parts in order.
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let joined = parts.concat();
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &joined).as_ref());
    out
}

/// A policy digest under construction, as a TPM's policy session holds it. Starts at zeroes (Part 3, 23.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy(Digest);

impl Policy {
    /// The empty policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest reached.
    pub fn digest(&self) -> Digest {
        self.0
    }

    /// TPM2_PolicyPCR (Part 3, 23.7): the named PCRs of the SHA-256 bank have these values.
    /// `pcrs` must be ascending and below 24; the values are hashed in that order.
    #[must_use]
    pub fn pcrs(self, pcrs: &[(u8, Digest)]) -> Self {
        let values: Vec<&[u8]> = pcrs.iter().map(|(_, value)| value.as_slice()).collect();
        let selected = sha256(&values);
        Self(sha256(&[
            &self.0,
            &CC_POLICY_PCR.to_be_bytes(),
            &pcr_selection(pcrs.iter().map(|p| p.0)),
            &selected,
        ]))
    }

    /// TPM2_PolicyNV with TPM_EO_BITCLEAR and offset 0 (Part 3, 23.9): no bit of `mask` is set in the index.
    #[must_use]
    pub fn nv_bits_clear(self, index_name: &Name, mask: u64) -> Self {
        let args = sha256(&[&mask.to_be_bytes(), &0u16.to_be_bytes(), &EO_BITCLEAR.to_be_bytes()]);
        Self(sha256(&[&self.0, &CC_POLICY_NV.to_be_bytes(), &args, index_name]))
    }

    /// TPM2_PolicyAuthorize (Part 3, 23.16): whatever `signer` approved under `policy_ref`. Forgets what was before.
    #[must_use]
    pub fn authorize(self, signer: &Name, policy_ref: &[u8]) -> Self {
        Self(Self::update(CC_POLICY_AUTHORIZE, &[0; 32], signer, policy_ref))
    }

    /// TPM2_PolicySigned (Part 3, 23.3): `signer` signs each use under `policy_ref`.
    #[must_use]
    pub fn signed(self, signer: &Name, policy_ref: &[u8]) -> Self {
        Self(Self::update(CC_POLICY_SIGNED, &self.0, signer, policy_ref))
    }

    /// TPM2_PolicySecret (Part 3, 23.4): whoever uses it knows the authorisation value of the entity of that Name.
    #[must_use]
    pub fn secret(self, entity: &[u8], policy_ref: &[u8]) -> Self {
        Self(Self::update(CC_POLICY_SECRET, &self.0, entity, policy_ref))
    }

    /// PolicyUpdate() (Part 3, 23.2.3).
    fn update(code: u32, old: &Digest, name: &[u8], policy_ref: &[u8]) -> Digest {
        sha256(&[&sha256(&[old, &code.to_be_bytes(), name]), policy_ref])
    }
}

/// TPML_PCR_SELECTION (Part 2, 10.9.7) with one SHA-256 selection of three bytes.
pub fn pcr_selection(pcrs: impl IntoIterator<Item = u8>) -> [u8; 10] {
    let mut out = [0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 0];
    for pcr in pcrs {
        if let Some(byte) = out.get_mut(7 + usize::from(pcr / 8)) {
            *byte |= 1 << (pcr % 8);
        }
    }
    out
}

/// The Name of an NV index (Part 1, 16): nameAlg, then the digest of TPMS_NV_PUBLIC (Part 2, 13.5).
pub fn nv_name(index: u32, attributes: u32, auth_policy: &Digest, data_bytes: u16) -> Name {
    let public: Vec<u8> = [
        index.to_be_bytes().as_slice(),
        &ALG_SHA256.to_be_bytes(),
        &attributes.to_be_bytes(),
        &32u16.to_be_bytes(),
        auth_policy,
        &data_bytes.to_be_bytes(),
    ]
    .concat();
    name_of(&public)
}

/// The Name of the object whose TPMT_PUBLIC (Part 2, 12.2.4) is given, nameAlg SHA-256.
pub fn name_of(public: &[u8]) -> Name {
    let mut name = [0; 34];
    name[..2].copy_from_slice(&ALG_SHA256.to_be_bytes());
    name[2..].copy_from_slice(&sha256(&[public]));
    name
}

/// The Qualified Name of a key below the storage key of that Name, which is a primary key of the owner hierarchy
/// (Part 1, 16): what a quote says of who signed it.
pub fn qualified_name(storage: &Name, key: &Name) -> Name {
    let parent = name_of(&[RH_OWNER.to_be_bytes().as_slice(), storage].concat());
    name_of(&[parent, *key].concat())
}

/// The policy of an endorsement key: whoever uses it knows the endorsement hierarchy's authorisation value
/// (TCG EK Credential Profile, "PolicyA": PolicySecret(TPM_RH_ENDORSEMENT)).
pub fn endorsement_policy() -> Digest {
    Policy::new().secret(&RH_ENDORSEMENT.to_be_bytes(), &[]).digest()
}

/// A P-256 signing key of somebody outside the TPM, as TPM2_LoadExternal takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignerKey {
    /// Affine x, big-endian.
    pub x: [u8; 32],
    /// Affine y, big-endian.
    pub y: [u8; 32],
}

impl SignerKey {
    /// From SEC1 uncompressed bytes; `None` when they are not of that form. Whether the point is on the curve is
    /// checked where it is used: by the signature check here, by TPM2_LoadExternal there.
    pub fn from_sec1(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [4, rest @ ..] if rest.len() == 64 => {
                let (x, y) = rest.split_at(32);
                Some(Self { x: x.try_into().ok()?, y: y.try_into().ok()? })
            }
            _ => None,
        }
    }

    /// SEC1 uncompressed bytes.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut out = [4; 65];
        out[1..33].copy_from_slice(&self.x);
        out[33..].copy_from_slice(&self.y);
        out
    }

    /// TPMT_PUBLIC: ECC, SHA-256, [`EXTERNAL_SIGNER_ATTRIBUTES`], no policy, no symmetric, ECDSA with SHA-256, P-256,
    /// no KDF, then x and y.
    pub fn tpmt_public(&self) -> Vec<u8> {
        let u16s = |values: &[u16]| values.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>();
        [
            u16s(&[ALG_ECC, ALG_SHA256]),
            EXTERNAL_SIGNER_ATTRIBUTES.to_be_bytes().to_vec(),
            u16s(&[0, ALG_NULL, ALG_ECDSA, ALG_SHA256, CURVE_P256, ALG_NULL, 32]),
            self.x.to_vec(),
            u16s(&[32]),
            self.y.to_vec(),
        ]
        .concat()
    }

    /// The key's Name.
    pub fn name(&self) -> Name {
        name_of(&self.tpmt_public())
    }
}

/// The policy that writing REVOKE needs: each write signed by the vendor.
pub fn revoke_write_policy(vendor: &SignerKey) -> Digest {
    Policy::new().signed(&vendor.name(), REVOCATION_REF).digest()
}

/// REVOKE's Name before (`written` false) and after its first write. The same on every box of one vendor.
pub fn revoke_name(vendor: &SignerKey, written: bool) -> Name {
    let attributes = REVOKE_ATTRIBUTES | if written { NV_WRITTEN } else { 0 };
    nv_name(REVOKE_INDEX, attributes, &revoke_write_policy(vendor), 8)
}

/// What the vendor approves: PCR 11 has this value, and no REVOKE bit of `mask` is set.
pub fn image_policy(vendor: &SignerKey, pcr11: &Digest, mask: u64) -> Digest {
    Policy::new().pcrs(&[(IMAGE_PCR, *pcr11)]).nv_bits_clear(&revoke_name(vendor, true), mask).digest()
}

/// P': anything that the vendor approved, on this box's PCRs 7, 12 and 15 ([`FIXED_PCRS`] order).
/// PolicyAuthorize comes first because it forgets what was before it.
pub fn box_policy(vendor: &SignerKey, fixed: &[Digest; 3]) -> Digest {
    let pcrs = [(FIXED_PCRS[0], fixed[0]), (FIXED_PCRS[1], fixed[1]), (FIXED_PCRS[2], fixed[2])];
    Policy::new().authorize(&vendor.name(), APPROVAL_REF).pcrs(&pcrs).digest()
}

/// aHash of TPM2_PolicyAuthorize (Part 3, 23.16): what an approval's signature covers is SHA-256 of these bytes.
pub fn approval_message(approved: &Digest) -> Vec<u8> {
    [approved.as_slice(), APPROVAL_REF].concat()
}

/// cpHash of TPM2_NV_SetBits on REVOKE authorised by the index itself (Part 1, 18.7; Part 3, 31.10).
pub fn revoke_cp_hash(vendor: &SignerKey, bits: u64) -> Digest {
    // The first write is the one that sets no bit, and it finds the index unwritten.
    let name = revoke_name(vendor, bits != 0);
    sha256(&[&CC_NV_SET_BITS.to_be_bytes(), &name, &name, &bits.to_be_bytes()])
}

/// aHash of TPM2_PolicySigned (Part 3, 23.3) with no nonce and no expiration: SHA-256 of these bytes is signed.
pub fn revocation_message(cp_hash: &Digest) -> Vec<u8> {
    [0u32.to_be_bytes().as_slice(), cp_hash, REVOCATION_REF].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
    }

    /// P-256's generator as a signing key: a point that everybody has.
    fn generator() -> SignerKey {
        SignerKey {
            x: bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
            y: bytes("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
        }
    }

    /// Computed by swtpm 0.7.1 under tpm2-tools 5.4: `tpm2_loadexternal -G ecc256:ecdsa-sha256 -a
    /// "sign|userwithauth"`, `tpm2_policyauthorize -q` (the policyRef in hex), `tpm2_policypcr -l sha256:7,12,15`.
    #[test]
    fn names_and_digests_are_those_of_a_tpm() {
        let key = generator();
        let name = "000b19366a7e682a0589dc1096b44aab74b7942f84b386b94eab81013d9970daf605";
        assert_eq!(key.name(), bytes::<34>(name));
        let zero = [[0; 32]; 3];
        let policy = "f6681bc617844ecc8f08851a549c2c9cf61230fbd9865bd4d463adc0194a2d79";
        assert_eq!(box_policy(&key, &zero), bytes::<32>(policy));
    }

    /// PolicyA_SHA256 as the TCG EK Credential Profile prints it.
    #[test]
    fn the_endorsement_policy_is_the_published_one() {
        let published = "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa";
        assert_eq!(endorsement_policy(), bytes::<32>(published));
    }

    #[test]
    fn what_must_differ_differs() {
        let key = generator();
        assert_eq!(SignerKey::from_sec1(&key.to_sec1()), Some(key));
        assert_eq!(SignerKey::from_sec1(&[4; 64]), None);
        assert_ne!(revoke_name(&key, false), revoke_name(&key, true));
        assert_ne!(image_policy(&key, &[0; 32], 1), image_policy(&key, &[0; 32], 2));
        assert_ne!(image_policy(&key, &[0; 32], 1), image_policy(&key, &[1; 32], 1));
        assert_ne!(revoke_cp_hash(&key, 1), revoke_cp_hash(&key, 2));
    }
}
