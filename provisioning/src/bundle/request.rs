//! A box's request: its keys, the request for a certificate of its issuing key, and its chip's word for all of it.
//!
//! Nobody has vouched for the keys themselves: that they are those of the box in the rack is what the eight words are
//! compared for, and that the endorsement key is a real chip's is what its maker's certificate would say.

use minicbor::{Decode, Encode};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use super::checked::Unverified;
use super::codec::{self, Blob};
use super::configuration::read_body;
use super::fault::Fault;
use super::frame::{Manifest, Unsealed};
use super::identity::{BoxId, Identity, Sha256};
use super::quote::{Attestation, ProvenPcrs, Quote};
use super::values::Label;

/// Most bytes of a request for a certificate (PKCS #10): one for P-256 takes about 250.
pub const CERTIFICATE_REQUEST_MAX: usize = 2_048;

/// What a box asks with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// The version of this body: [`Request::VERSION`].
    #[n(0)]
    pub version: u8,
    /// The chip's keys.
    #[n(1)]
    pub identity: Identity,
    /// PKCS #10 (RFC 2986), DER, for the issuing key, signed by it.
    #[n(2)]
    pub certificate_request: Blob<1, CERTIFICATE_REQUEST_MAX>,
    /// The image's release.
    #[n(3)]
    pub release: Label,
}

impl Request {
    /// The version of the body.
    pub const VERSION: u8 = 1;

    /// Begins the file: the chip is to quote [`Unquoted::qualifying`].
    #[must_use]
    pub fn write(&self) -> Unquoted {
        let manifest = Manifest::Request { box_id: self.identity.box_id() };
        Unquoted(Unsealed::new(&manifest, codec::encode(self)))
    }
}

/// A request or receipt that lacks nothing but its quote.
#[derive(Debug, Clone)]
pub struct Unquoted(pub(super) Unsealed);

impl Unquoted {
    /// The quote's qualifying data.
    #[must_use]
    pub fn qualifying(&self) -> [u8; 32] {
        self.0.qualifying()
    }

    /// The file.
    #[must_use]
    pub fn quoted(self, quote: &Quote) -> Vec<u8> {
        self.0.with_seal(&quote.to_seal())
    }
}

/// A request that is one piece: whoever holds these keys wrote all of it. Only [`Unverified::request`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedRequest {
    body: Request,
    pcrs: ProvenPcrs,
    file: Sha256,
}

impl Unverified<'_> {
    /// A request, once its box is that of its keys, its chip vouches for it, and the request for a certificate is signed
    /// by the key that it is for.
    ///
    /// # Errors
    /// [`Fault::OtherKind`], [`Fault::ChunkChanged`], those of its body, [`Fault::NotItself`], [`Fault::BadQuote`],
    /// [`Fault::BadCertificateRequest`], in this order.
    pub fn request(self, attestation: &impl Attestation) -> Result<VerifiedRequest, Fault> {
        let framed = self.0;
        let Manifest::Request { box_id } = framed.manifest else {
            return Err(Fault::OtherKind);
        };
        let body: Request = read_body(framed.body()?, Request::VERSION)?;
        if body.identity.box_id() != box_id {
            return Err(Fault::NotItself);
        }
        let pcrs = ProvenPcrs::by(attestation, &body.identity, framed.seal, &framed.qualifying())?;
        if !is_signed(body.certificate_request.as_slice()) {
            return Err(Fault::BadCertificateRequest);
        }
        Ok(VerifiedRequest { body, pcrs, file: framed.file })
    }
}

impl VerifiedRequest {
    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Request {
        &self.body
    }

    /// The box.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        self.body.identity.box_id()
    }

    /// What the chip measured.
    #[must_use]
    pub fn pcrs(&self) -> &ProvenPcrs {
        &self.pcrs
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn file(&self) -> Sha256 {
        self.file
    }
}

fn is_signed(der: &[u8]) -> bool {
    matches!(X509CertificationRequest::from_der(der), Ok(([], request)) if request.verify_signature().is_ok())
}
