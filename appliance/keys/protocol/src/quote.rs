//! Believing a quote: that this very TPM, by its attestation key, said these PCR values in answer to this nonce.
//!
//! The check is in software and offline (TPM 2.0 Part 2, 10.12; Part 3, 18.4). A [`VerifiedQuote`] exists only after all of
//! it. What it does not say: that the attestation key is a TPM's ([`crate::public`]), nor that the values are good ones.
//! Refuses a quote of no PCR, since that says nothing, and of others than were asked for.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use crate::marshal::Reader;
use crate::message::{PcrValue, Quote};
use crate::policy::{ALG_ECDSA, ALG_SHA256, Name, qualified_name, sha256};
use crate::public::AttestationPublic;

/// The PCRs that a box quotes, ascending: firmware, Secure Boot, image, command line, volume.
pub const QUOTED_PCRS: [u8; 5] = [0, 7, 11, 12, 15];

/// TPM_GENERATED_VALUE (Part 2, 6.2): a restricted key signs nothing from outside that begins with it.
const GENERATED: u32 = 0xFF54_4347;
/// TPM_ST_ATTEST_QUOTE (Part 2, 6.9).
const ST_ATTEST_QUOTE: u16 = 0x8018;

/// Why a quote is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteFault {
    /// It comes with another attestation key than the one it is checked against.
    #[error("the quote is by another key than this box's: it is of another box, or of somebody in its place")]
    OtherKey,
    /// The attestation key did not sign it.
    #[error("the quote is not signed by this box's key: it was changed on its way, or is of somebody else")]
    BadSignature,
    /// Signed, and no quote in the form of the specification.
    #[error(
        "what was signed is no quote: this box's TPM does not follow the specification, so do not rely on it"
    )]
    NotAQuote,
    /// It answers another nonce.
    #[error("the quote answers another question: it is an old one, or of another file; ask the box again")]
    OtherNonce,
    /// It is of other PCRs than were asked for, or of none.
    #[error(
        "the quote is not of the measurements that were asked for: it proves nothing, so ask the box again"
    )]
    OtherPcrs,
    /// The values beside it are not the ones that were signed.
    #[error("the measurements in the file are not those that the box signed: it was changed on its way")]
    OtherValues,
}

/// A quote that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedQuote {
    pcrs: Vec<PcrValue>,
    signer: Vec<u8>,
    /// How often the TPM was switched on (TPMS_CLOCK_INFO.resetCount, Part 2, 10.11.3).
    pub reset_count: u32,
    /// How often it was resumed since (restartCount).
    pub restart_count: u32,
    /// The TPM's own number for its firmware.
    pub firmware_version: u64,
}

impl VerifiedQuote {
    /// PCR numbers and values, ascending, as they were asked for.
    pub fn pcrs(&self) -> &[PcrValue] {
        &self.pcrs
    }

    /// The value of one PCR, when it was asked for.
    pub fn pcr(&self, index: u8) -> Option<&[u8; 32]> {
        self.pcrs.iter().find(|pcr| pcr.index == index).map(|pcr| &pcr.value)
    }

    /// Whether the key `ak` that signed stands below the storage key of the Name `storage`: the TPM says so by the
    /// Qualified Name in the quote.
    pub fn is_below(&self, storage: &Name, ak: &AttestationPublic) -> bool {
        self.signer == qualified_name(storage, ak.name())
    }
}

/// Checks a quote by the key `ak`, in answer to `nonce`, of the PCRs `asked` (ascending, each below 24, SHA-256 bank).
///
/// # Errors
/// See [`QuoteFault`]; the first that does not hold, in the order of its list.
pub fn verify(
    quote: &Quote,
    ak: &AttestationPublic,
    nonce: &[u8; 32],
    asked: &[u8],
) -> Result<VerifiedQuote, QuoteFault> {
    if quote.ak_public != ak.as_bytes() {
        return Err(QuoteFault::OtherKey);
    }
    let signature = signature(&quote.signature).ok_or(QuoteFault::BadSignature)?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, ak.point());
    key.verify(&quote.attest, &signature).map_err(|_| QuoteFault::BadSignature)?;
    let said = Said::parse(&quote.attest).ok_or(QuoteFault::NotAQuote)?;
    if said.extra != nonce {
        return Err(QuoteFault::OtherNonce);
    }
    let listed = || quote.pcrs.iter().map(|pcr| pcr.index);
    if asked.is_empty() || said.selected.as_deref() != Some(asked) || !listed().eq(asked.iter().copied()) {
        return Err(QuoteFault::OtherPcrs);
    }
    let values: Vec<&[u8]> = quote.pcrs.iter().map(|pcr| pcr.value.as_slice()).collect();
    if said.digest != sha256(&values) {
        return Err(QuoteFault::OtherValues);
    }
    Ok(VerifiedQuote {
        pcrs: quote.pcrs.clone(),
        signer: said.signer.to_vec(),
        reset_count: said.reset_count,
        restart_count: said.restart_count,
        firmware_version: said.firmware_version,
    })
}

/// TPMT_SIGNATURE (Part 2, 11.3.4) by ECDSA with SHA-256: r then s.
fn signature(bytes: &[u8]) -> Option<[u8; 64]> {
    let mut reader = Reader::new(bytes);
    if reader.u16()? != ALG_ECDSA || reader.u16()? != ALG_SHA256 {
        return None;
    }
    let mut out = [0; 64];
    out[..32].copy_from_slice(&reader.number()?);
    out[32..].copy_from_slice(&reader.number()?);
    reader.end(out)
}

/// What a TPMS_ATTEST (Part 2, 10.12.12) of a quote says.
struct Said<'a> {
    signer: &'a [u8],
    extra: &'a [u8],
    reset_count: u32,
    restart_count: u32,
    firmware_version: u64,
    /// Ascending; `None` when it is not one selection of the SHA-256 bank.
    selected: Option<Vec<u8>>,
    digest: &'a [u8],
}

impl<'a> Said<'a> {
    fn parse(attest: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(attest);
        if reader.u32()? != GENERATED || reader.u16()? != ST_ATTEST_QUOTE {
            return None;
        }
        // A Name is a 2-byte algorithm and at most 64 bytes; the nonce of a caller at most as long.
        let signer = reader.sized(66)?;
        let extra = reader.sized(66)?;
        reader.u64()?;
        let (reset_count, restart_count) = (reader.u32()?, reader.u32()?);
        reader.u8()?;
        let firmware_version = reader.u64()?;
        let selected = selection(&mut reader)?;
        let digest = reader.sized(64)?;
        reader.end(Self { signer, extra, reset_count, restart_count, firmware_version, selected, digest })
    }
}

/// TPML_PCR_SELECTION (Part 2, 10.9.7): at most 16 selections of at most 4 bytes, as TPMs have banks and registers.
fn selection(reader: &mut Reader<'_>) -> Option<Option<Vec<u8>>> {
    let count = reader.u32()?;
    if count > 16 {
        return None;
    }
    let mut selected = None;
    for _ in 0..count {
        let bank = reader.u16()?;
        let len = reader.u8()?;
        let bits = reader.take(usize::from(len)).filter(|bits| bits.len() <= 4)?;
        if bank == ALG_SHA256 {
            let is_set = |pcr: &u8| bits.get(usize::from(pcr / 8)).is_some_and(|b| b & (1 << (pcr % 8)) != 0);
            selected = Some((0..8 * len).filter(is_set).collect());
        }
    }
    Some(selected.filter(|_| count == 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
