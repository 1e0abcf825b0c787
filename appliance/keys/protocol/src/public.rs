//! A box's attestation key and endorsement key, as whoever is not the box may come to believe in them.
//!
//! Both arrive as bytes that anybody could have made. The types here exist only after a check, and say what it was: of an
//! attestation key, that a TPM of the profile would sign nothing with it but its own statements; of an endorsement key, that
//! it is of the one template that a credential can be wrapped to here. That a TPM holds them they do not say: for the
//! endorsement key its certificate does, or a person who compared words; for the attestation key a credential that came back
//! ([`crate::credential`]). Refuses every other curve, hash, scheme and attribute, and bytes left over.

use crate::marshal::{Point, Reader, on_curve, sized};
use crate::policy::{
    ALG_ECC, ALG_ECDSA, ALG_NULL, ALG_SHA256, CURVE_P256, Name, endorsement_policy, name_of,
};

/// The most bytes of a TPM2B_PUBLIC here: 2 of length, 2 + 2 + 4 of head, a policy of 34, 12 of parameters (14 with a
/// cipher), 2 * 34 of point make 126.
pub const PUBLIC_BYTES_MAX: usize = 128;

// TPMA_OBJECT (Part 2, 8.3).
const FIXED_TPM: u32 = 1 << 1;
const FIXED_PARENT: u32 = 1 << 4;
const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
const USER_WITH_AUTH: u32 = 1 << 6;
const ADMIN_WITH_POLICY: u32 = 1 << 7;
const NO_DA: u32 = 1 << 10;
const RESTRICTED: u32 = 1 << 16;
const DECRYPT: u32 = 1 << 17;
const SIGN: u32 = 1 << 18;

/// What makes a key one that attests: born in this TPM, never leaves it, signs what the TPM says and nothing else.
const ATTESTS: u32 = FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | RESTRICTED | SIGN;
/// What may be so or not: how its use is authorised.
const EITHER_WAY: u32 = USER_WITH_AUTH | ADMIN_WITH_POLICY | NO_DA;
/// Template L-2's attributes (TCG EK Credential Profile 2.x, B.3.4): 0x000300B2.
const ENDORSES: u32 =
    FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | ADMIN_WITH_POLICY | RESTRICTED | DECRYPT;

const ALG_AES: u16 = 0x0006;
const ALG_CFB: u16 = 0x0043;

/// Why a public area is not what it should be. It is the fault of whoever made the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicFault {
    /// No TPM2B_PUBLIC of an ECC key, or one that is cut or has bytes left over.
    #[error("this is no public key of a TPM: take the box's request again, as the box wrote it")]
    Malformed,
    /// Another curve, hash or scheme.
    #[error(
        "the key is not P-256 with SHA-256 as Wardline boxes make them: this request is of no Wardline box"
    )]
    OtherKind,
    /// It could sign, or be used for, what its TPM did not say.
    #[error(
        "the key is not bound to one TPM, or would sign more than that TPM's own words: this request is of no sound \
         Wardline box, so do not answer it"
    )]
    OtherUse,
    /// The point is not on the curve.
    #[error(
        "the key is no point of its curve: take the box's request again, and if it stays so, do not answer it"
    )]
    NotOnCurve,
}

/// The attestation key: P-256, ECDSA with SHA-256, restricted to what its TPM says, fixed to that TPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationPublic {
    point: Point,
    name: Name,
    bytes: Vec<u8>,
}

impl AttestationPublic {
    /// Checks a TPM2B_PUBLIC (Part 2, 12.2.5).
    ///
    /// # Errors
    /// See [`PublicFault`].
    pub fn parse(public: &[u8]) -> Result<Self, PublicFault> {
        let area = area(public)?;
        let mut head = Reader::new(area);
        let (attributes, kind) = attestation_head(&mut head).ok_or(PublicFault::Malformed)?;
        if !kind {
            return Err(PublicFault::OtherKind);
        }
        if attributes & ATTESTS != ATTESTS || attributes & !(ATTESTS | EITHER_WAY) != 0 {
            return Err(PublicFault::OtherUse);
        }
        Ok(Self { point: point(head)?, name: name_of(area), bytes: public.to_vec() })
    }

    /// Its point, SEC1 uncompressed.
    pub fn point(&self) -> &[u8; 65] {
        &self.point
    }

    /// Its Name: what a credential is bound to.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The TPM2B_PUBLIC that was checked.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The endorsement key: of the TCG's template L-2 (ECC NIST P-256) in everything but its point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorsementPublic {
    point: Point,
    bytes: Vec<u8>,
}

impl EndorsementPublic {
    /// Checks a TPM2B_PUBLIC.
    ///
    /// # Errors
    /// See [`PublicFault`].
    pub fn parse(public: &[u8]) -> Result<Self, PublicFault> {
        let area = area(public)?;
        let head = endorsement_head();
        match area.get(..2) {
            Some(kind) if kind == ALG_ECC.to_be_bytes() => {}
            _ => return Err(PublicFault::Malformed),
        }
        let rest = area.strip_prefix(head.as_slice()).ok_or(PublicFault::OtherUse)?;
        Ok(Self { point: point(Reader::new(rest))?, bytes: public.to_vec() })
    }

    /// Its point, SEC1 uncompressed.
    pub fn point(&self) -> &[u8; 65] {
        &self.point
    }

    /// Its x coordinate, as key derivation takes it.
    pub(crate) fn x(&self) -> &[u8] {
        &self.point[1..33]
    }

    /// The TPM2B_PUBLIC that was checked.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The TPMT_PUBLIC that TPM2_CreatePrimary takes for an endorsement key of template L-2: both coordinates 32 zeroes.
pub fn endorsement_template() -> Vec<u8> {
    [endorsement_head(), sized(&[0; 32]), sized(&[0; 32])].concat()
}

/// Template L-2 up to the point: ECC, SHA-256, attributes, PolicyA, AES-128-CFB, no scheme, P-256, no KDF.
fn endorsement_head() -> Vec<u8> {
    let u16s = |list: &[u16]| list.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    [
        u16s(&[ALG_ECC, ALG_SHA256]),
        ENDORSES.to_be_bytes().to_vec(),
        sized(&endorsement_policy()),
        u16s(&[ALG_AES, 128, ALG_CFB, ALG_NULL, CURVE_P256, ALG_NULL]),
    ]
    .concat()
}

/// The TPMT_PUBLIC within a TPM2B_PUBLIC.
fn area(public: &[u8]) -> Result<&[u8], PublicFault> {
    let mut reader = Reader::new(public);
    reader.sized(PUBLIC_BYTES_MAX).and_then(|area| reader.end(area)).ok_or(PublicFault::Malformed)
}

/// An ECC key's attributes, and whether it is of the one kind that attests here; reads up to the point.
fn attestation_head(reader: &mut Reader<'_>) -> Option<(u32, bool)> {
    if reader.u16()? != ALG_ECC {
        return None;
    }
    let name_alg = reader.u16()?;
    let attributes = reader.u32()?;
    reader.sized(64)?;
    let mut kind = name_alg == ALG_SHA256;
    // A symmetric algorithm or a scheme that is not null has more fields, so the first that differs ends it.
    for expected in [ALG_NULL, ALG_ECDSA, ALG_SHA256, CURVE_P256, ALG_NULL] {
        if reader.u16()? != expected {
            kind = false;
            break;
        }
    }
    Some((attributes, kind))
}

fn point(mut reader: Reader<'_>) -> Result<Point, PublicFault> {
    let point = reader.point().and_then(|point| reader.end(point)).ok_or(PublicFault::Malformed)?;
    if on_curve(&point) { Ok(point) } else { Err(PublicFault::NotOnCurve) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
