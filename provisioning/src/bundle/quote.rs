//! What a box's chip vouches for, and the seam to whoever can judge that.
//!
//! A quote (TPM2_Quote, TPM 2.0 Part 3, 18.4) is the seal of what a box writes. Its qualifying data is the SHA-256 of the
//! kind's prefix and the manifest, and the manifest names every other byte of the file by its hash: nothing in it can be
//! exchanged without another quote. What the quote covers by itself, the values of the PCRs, is the one thing that stands
//! within the seal.

use minicbor::{Decode, Encode};
use wardline_keys_protocol::message;

use super::codec::{self, Blob};
use super::fault::Fault;
use super::identity::{Identity, Sha256};
use super::secrets::{SecretKey, Wrapped};

/// The PCRs of a quote, SHA-256 bank: firmware, Secure Boot, image, command line, state volume.
pub const QUOTED: [u8; 5] = [0, 7, 11, 12, 15];
/// Where in [`QUOTED`] the image is.
const IMAGE: usize = 2;

/// A quote as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Quote {
    /// TPMS_ATTEST (TPM 2.0 Part 2, 10.12.12).
    #[n(0)]
    pub attest: Blob<1, 1_024>,
    /// TPMT_SIGNATURE (Part 2, 11.3.4).
    #[n(1)]
    pub signature: Blob<1, 256>,
    /// The values of [`QUOTED`], in its order; the quote holds their digest.
    #[n(2)]
    pub pcrs: [Sha256; 5],
}

impl Quote {
    /// From what the keeper answered; `None` when it quoted other PCRs or its parts are too long.
    #[must_use]
    pub fn from_keeper(quote: &message::Quote) -> Option<Self> {
        let pcrs: Vec<Sha256> = quote.pcrs.iter().map(|pcr| Sha256(pcr.value)).collect();
        let same = quote.pcrs.iter().map(|pcr| pcr.index).eq(QUOTED);
        Some(Self {
            attest: Blob::new(quote.attest.as_slice())?,
            signature: Blob::new(quote.signature.as_slice())?,
            pcrs: pcrs.try_into().ok().filter(|_| same)?,
        })
    }

    pub(crate) fn to_seal(&self) -> Vec<u8> {
        codec::encode(self)
    }

    pub(crate) fn from_seal(seal: &[u8]) -> Result<Self, Fault> {
        codec::decode(seal).map_err(|_| Fault::SealMalformed)
    }
}

/// Why a box's keys or its quote do not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// A key is none of the kind that it should be: of another algorithm, not fixed to its chip, not restricted.
    #[error("the keys of the box are not of the kind that a chip keeps to itself")]
    Keys,
    /// The quote is not one, or not over this.
    #[error("the box's chip did not sign this")]
    Quote,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed: try again")]
    Library,
}

/// Who can judge what a chip made, and wrap what it alone opens. In software: a laptop has no chip of the box's.
pub trait Attestation {
    /// Whether `identity`'s attestation key (restricted, fixed to its chip) signed a quote over exactly the PCRs
    /// [`QUOTED`] of the SHA-256 bank with exactly `quote`'s values, whose extraData is `qualifying` (TPM 2.0 Part 2, 10.12.12).
    ///
    /// # Errors
    /// [`NotProven`].
    fn verify(&self, identity: &Identity, quote: &Quote, qualifying: &[u8; 32]) -> Result<(), NotProven>;

    /// Wraps `key` so that the chip with both of `identity`'s keys opens it and no other (TPM2_MakeCredential).
    ///
    /// # Errors
    /// [`NotProven::Keys`], [`NotProven::Library`].
    fn wrap(&self, identity: &Identity, key: &SecretKey) -> Result<Wrapped, NotProven>;
}

/// PCR values that a quote proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenPcrs([Sha256; 5]);

impl ProvenPcrs {
    pub(crate) fn by(
        attestation: &impl Attestation,
        identity: &Identity,
        seal: &[u8],
        qualifying: &[u8; 32],
    ) -> Result<Self, Fault> {
        let quote = Quote::from_seal(seal)?;
        attestation.verify(identity, &quote, qualifying).map_err(|_| Fault::BadQuote)?;
        Ok(Self(quote.pcrs))
    }

    /// PCR 11: the image at its running phase.
    #[must_use]
    pub fn image(&self) -> Sha256 {
        self.0[IMAGE]
    }

    /// Number and value of each.
    pub fn each(&self) -> impl Iterator<Item = (u8, Sha256)> {
        QUOTED.into_iter().zip(self.0)
    }
}
