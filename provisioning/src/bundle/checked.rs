//! From bytes that anybody may have written to a configuration that this box may take.
//!
//! The checks have one order, and it is that of the types, each made of the one before:
//! [`Unverified`] (well formed), [`Signed`] (by the facility's key), [`Addressed`] (to this box), [`InTurn`] (newer than
//! what was, after this box's last receipt), [`Verified`] (whole, and every value within its bounds). So what a stranger
//! wrote is told from what is merely old, and no value is read that nobody signed.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

use super::configuration::Configuration;
use super::fault::Fault;
use super::frame::{Framed, Kind, Manifest, Unsealed};
use super::identity::{BoxId, Nonce, Sha256, SignerKey};
use super::secrets::{self, Clear, SecretKey};
use super::values::SecretName;

/// Bytes of an Ed25519 signature (RFC 8032, section 5.1.6).
const SIGNATURE_BYTES: usize = 64;

/// A well-formed bundle. Nobody has vouched for it.
#[derive(Debug, Clone)]
pub struct Unverified<'a>(pub(crate) Framed<'a>);

/// Whose configurations a box takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It belongs to nobody yet, and will to whoever signed this.
    FirstUse,
    /// It belongs to this facility.
    Pinned(SignerKey),
}

/// Where a box stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The serial of the configuration in force; 0 for none.
    pub serial: u64,
    /// SHA-256 of the last receipt's file; none where there is no configuration.
    pub receipt: Option<Sha256>,
}

impl Standing {
    /// That of a new box.
    pub const NEW: Self = Self { serial: 0, receipt: None };
}

/// A configuration whose signature holds.
#[derive(Debug, Clone)]
pub struct Signed<'a> {
    framed: Framed<'a>,
    said: Said,
}

/// A [`Signed`] one for this box.
#[derive(Debug, Clone)]
pub struct Addressed<'a>(Signed<'a>);

/// An [`Addressed`] one whose turn it is.
#[derive(Debug, Clone)]
pub struct InTurn<'a>(Signed<'a>);

/// The manifest of a configuration, its kind being known.
#[derive(Debug, Clone, Copy)]
struct Said {
    box_id: BoxId,
    serial: u64,
    answers: Option<Sha256>,
    nonce: Nonce,
    signer: SignerKey,
}

impl<'a> Unverified<'a> {
    /// Takes a file apart.
    ///
    /// # Errors
    /// [`Fault`] 1 to 11, whichever comes first in the file.
    pub fn read(file: &'a [u8]) -> Result<Self, Fault> {
        Framed::read(file).map(Self)
    }

    /// What it says it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.manifest.kind()
    }

    /// The box that it says it is from or for.
    #[must_use]
    pub fn claimed_box(&self) -> BoxId {
        self.0.manifest.box_id()
    }

    /// A configuration signed by whom this box trusts.
    ///
    /// # Errors
    /// [`Fault::OtherKind`], [`Fault::OtherSigner`], [`Fault::SealMalformed`], [`Fault::BadSignature`].
    pub fn signed_by(self, trust: &Trust) -> Result<Signed<'a>, Fault> {
        let framed = self.0;
        let Manifest::Configuration { box_id, serial, answers, nonce, signer } = framed.manifest else {
            return Err(Fault::OtherKind);
        };
        if matches!(trust, Trust::Pinned(key) if *key != signer) {
            return Err(Fault::OtherSigner);
        }
        if framed.seal.len() != SIGNATURE_BYTES {
            return Err(Fault::SealMalformed);
        }
        UnparsedPublicKey::new(&ED25519, &signer.0)
            .verify(&framed.sealed, framed.seal)
            .map_err(|_| Fault::BadSignature)?;
        Ok(Signed { framed, said: Said { box_id, serial, answers, nonce, signer } })
    }
}

impl<'a> Signed<'a> {
    /// One for this box.
    ///
    /// # Errors
    /// [`Fault::OtherBox`].
    pub fn for_box(self, box_id: &BoxId) -> Result<Addressed<'a>, Fault> {
        if self.said.box_id == *box_id { Ok(Addressed(self)) } else { Err(Fault::OtherBox) }
    }
}

impl<'a> Addressed<'a> {
    /// SHA-256 of the file: a box that has taken this very one has nothing to do.
    #[must_use]
    pub fn file(&self) -> Sha256 {
        self.0.framed.file
    }

    /// One that is newer than what is in force and follows this box's last receipt.
    ///
    /// # Errors
    /// [`Fault::Replayed`], [`Fault::OutOfTurn`].
    pub fn after(self, standing: &Standing) -> Result<InTurn<'a>, Fault> {
        if self.0.said.serial <= standing.serial {
            return Err(Fault::Replayed);
        }
        if self.0.said.answers != standing.receipt {
            return Err(Fault::OutOfTurn);
        }
        Ok(InTurn(self.0))
    }
}

impl InTurn<'_> {
    /// The configuration, once its bytes are those that were signed.
    ///
    /// # Errors
    /// [`Fault::ChunkChanged`], [`Fault::ChunkBounds`], and those of [`Configuration::from_bytes`].
    pub fn open(self) -> Result<Verified, Fault> {
        let bytes = self.0.framed.body()?;
        Ok(Verified {
            body: Configuration::from_bytes(bytes)?,
            body_sha256: Sha256::of(bytes),
            file: self.0.framed.file,
            said: self.0.said,
        })
    }
}

/// A configuration that passed every check. Only [`InTurn::open`] makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    body: Configuration,
    body_sha256: Sha256,
    file: Sha256,
    said: Said,
}

impl Verified {
    /// The configuration.
    #[must_use]
    pub fn body(&self) -> &Configuration {
        &self.body
    }

    /// SHA-256 of the configuration's bytes: the receipt says it.
    #[must_use]
    pub fn body_sha256(&self) -> Sha256 {
        self.body_sha256
    }

    /// SHA-256 of the file: the receipt answers it.
    #[must_use]
    pub fn file(&self) -> Sha256 {
        self.file
    }

    /// The box that it is for.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        self.said.box_id
    }

    /// Its serial.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.said.serial
    }

    /// For the receipt.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        self.said.nonce
    }

    /// Who signed: the box belongs to this key from now on.
    #[must_use]
    pub fn signer(&self) -> SignerKey {
        self.said.signer
    }

    /// The secrets, with the key that the chip gave out; none where there are none.
    ///
    /// # Errors
    /// [`Fault::SecretClosed`].
    pub fn open_secrets(&self, key: &SecretKey) -> Result<Vec<(SecretName, Clear)>, Fault> {
        match &self.body.secrets {
            None => Ok(Vec::new()),
            Some(secrets) => secrets::open_all(secrets, key, &self.said.box_id, self.said.serial),
        }
    }
}

/// A configuration on its way to be signed.
#[derive(Debug, Clone)]
pub struct Draft {
    unsealed: Unsealed,
    body_sha256: Sha256,
}

impl Draft {
    /// `serial` is at least 1, `answers` the last verified receipt of this box.
    #[must_use]
    pub fn new(
        box_id: BoxId,
        serial: core::num::NonZeroU64,
        answers: Option<Sha256>,
        nonce: Nonce,
        signer: SignerKey,
        configuration: &Configuration,
    ) -> Self {
        let manifest = Manifest::Configuration { box_id, serial: serial.get(), answers, nonce, signer };
        let body = configuration.to_bytes();
        Self { body_sha256: Sha256::of(&body), unsealed: Unsealed::new(&manifest, body) }
    }

    /// What the signer's key is to sign.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.unsealed.sealed()
    }

    /// SHA-256 of the configuration's bytes.
    #[must_use]
    pub fn body_sha256(&self) -> Sha256 {
        self.body_sha256
    }

    /// The file.
    #[must_use]
    pub fn signed(self, signature: &[u8; SIGNATURE_BYTES]) -> Vec<u8> {
        self.unsealed.with_seal(signature)
    }
}
