//! A box's receipt: what it has in force, and its chip's word for it, fresh for one configuration.
//!
//! The manifest under the quote repeats the configuration's nonce, serial and hash, so a receipt is of one box, one
//! configuration and one time, and of nothing else. What a quote does not say is which program of the box asked for it:
//! the image that PCR 11 names is answerable for that.

use minicbor::{Decode, Encode};
use wardline_keys_protocol::approval::Approval;

use super::checked::{Unverified, Verified};
use super::codec;
use super::configuration::{VendorPaper, read_body};
use super::fault::Fault;
use super::frame::{Framed, Manifest, Unsealed};
use super::identity::{BoxId, Identity, Nonce, Sha256};
use super::quote::{Attestation, ProvenPcrs};
use super::request::Unquoted;
use super::values::Label;

/// What a box says that it has in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The version of this body: [`Receipt::VERSION`].
    #[n(0)]
    pub version: u8,
    /// SHA-256 of the bytes of the configuration in force.
    #[n(1)]
    pub in_force: Sha256,
    /// SHA-256 of the certificate of the issuing key in use, DER.
    #[n(2)]
    pub issuing: Sha256,
    /// The box's state, as its screen shows it.
    #[n(3)]
    pub state: Label,
    /// The image's release.
    #[n(4)]
    pub release: Label,
    /// The REVOKE bits.
    #[n(5)]
    pub revoked_bits: u64,
    /// The EPOCH counter.
    #[n(6)]
    pub epoch: u64,
}

impl Receipt {
    /// The version of the body.
    pub const VERSION: u8 = 1;

    /// Begins the file that answers `configuration`.
    #[must_use]
    pub fn write(&self, configuration: &Verified) -> Unquoted {
        let manifest = Manifest::Receipt {
            box_id: configuration.box_id(),
            serial: configuration.serial(),
            answers: configuration.file(),
            nonce: configuration.nonce(),
        };
        Unquoted(Unsealed::new(&manifest, codec::encode(self)))
    }
}

/// What was sent to a box, as the laptop remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sent {
    /// Its serial.
    #[n(0)]
    pub serial: u64,
    /// SHA-256 of its file.
    #[n(1)]
    pub file: Sha256,
    /// SHA-256 of its body.
    #[n(2)]
    pub body: Sha256,
    /// SHA-256 of the issuing certificate in it.
    #[n(3)]
    pub issuing: Sha256,
    /// Its nonce.
    #[n(4)]
    pub nonce: Nonce,
}

/// A receipt that the chip of a known box vouches for.
#[derive(Debug, Clone)]
pub struct Quoted<'a> {
    framed: Framed<'a>,
    said: (u64, Sha256, Nonce),
    pcrs: ProvenPcrs,
}

/// A [`Quoted`] one for the configuration that was sent last.
#[derive(Debug, Clone)]
pub struct Answering<'a>(Quoted<'a>, Sent);

/// A receipt that says that what was sent is what is in force. Only [`Answering::open`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedReceipt {
    body: Receipt,
    pcrs: ProvenPcrs,
    file: Sha256,
    box_id: BoxId,
}

impl<'a> Unverified<'a> {
    /// The serial that a receipt says it answers; none for other kinds.
    #[must_use]
    pub fn claimed_serial(&self) -> Option<u64> {
        match self.0.manifest {
            Manifest::Receipt { serial, .. } => Some(serial),
            _ => None,
        }
    }

    /// A receipt of this box, once its chip vouches for it.
    ///
    /// # Errors
    /// [`Fault::OtherKind`], [`Fault::OtherBox`], [`Fault::SealMalformed`], [`Fault::BadQuote`].
    pub fn quoted_by(self, identity: &Identity, attestation: &impl Attestation) -> Result<Quoted<'a>, Fault> {
        let framed = self.0;
        let Manifest::Receipt { box_id, serial, answers, nonce } = framed.manifest else {
            return Err(Fault::OtherKind);
        };
        if identity.box_id() != box_id {
            return Err(Fault::OtherBox);
        }
        let pcrs = ProvenPcrs::by(attestation, identity, framed.seal, &framed.qualifying())?;
        Ok(Quoted { framed, said: (serial, answers, nonce), pcrs })
    }
}

impl<'a> Quoted<'a> {
    /// One that answers what was sent.
    ///
    /// # Errors
    /// [`Fault::OtherConfiguration`].
    pub fn answering(self, sent: &Sent) -> Result<Answering<'a>, Fault> {
        if self.said == (sent.serial, sent.file, sent.nonce) {
            Ok(Answering(self, *sent))
        } else {
            Err(Fault::OtherConfiguration)
        }
    }
}

impl Answering<'_> {
    /// The receipt, once its bytes are those that were quoted and the box has in force what was sent.
    ///
    /// # Errors
    /// [`Fault::ChunkChanged`], those of its body, [`Fault::AppliedOtherwise`].
    pub fn open(self) -> Result<VerifiedReceipt, Fault> {
        let Self(quoted, sent) = self;
        let body: Receipt = read_body(quoted.framed.body()?, Receipt::VERSION)?;
        if (body.in_force, body.issuing) != (sent.body, sent.issuing) {
            return Err(Fault::AppliedOtherwise);
        }
        let box_id = quoted.framed.manifest.box_id();
        Ok(VerifiedReceipt { body, pcrs: quoted.pcrs, file: quoted.framed.file, box_id })
    }
}

/// What is known of the image that a box runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// PCR 11 stands in an approval that was sent along.
    Approved,
    /// No approval was sent along, so PCR 11 was compared with nothing.
    NotCompared,
}

impl VerifiedReceipt {
    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Receipt {
        &self.body
    }

    /// The box.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        self.box_id
    }

    /// What the chip measured.
    #[must_use]
    pub fn pcrs(&self) -> &ProvenPcrs {
        &self.pcrs
    }

    /// SHA-256 of the file: the next configuration answers it.
    #[must_use]
    pub fn file(&self) -> Sha256 {
        self.file
    }

    /// Whether the image is an approved one. Who signed the approvals, the box has judged: it opens its keys for no other.
    ///
    /// # Errors
    /// [`Fault::OtherImage`]: approvals were sent, and PCR 11 is in none of them.
    pub fn image(&self, approvals: &[VendorPaper]) -> Result<Image, Fault> {
        if approvals.is_empty() {
            return Ok(Image::NotCompared);
        }
        let names = |paper: &VendorPaper| {
            Approval::from_bytes(paper.as_slice()).is_ok_and(|approval| approval.pcr11 == self.pcrs.image().0)
        };
        if approvals.iter().any(names) { Ok(Image::Approved) } else { Err(Fault::OtherImage) }
    }
}
