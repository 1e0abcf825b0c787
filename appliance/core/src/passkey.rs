//! Passkeys (WebAuthn, Levels 2 and 3): what a browser brings of one, and whether it is what was asked for.
//!
//! A passkey stands in the PIN's place and in nothing else's: the device has signed in with its own key before, and the 12 hours that a
//! PIN began are not over ([`crate::passkey::asks`]). It refuses
//! - any algorithm but ES256, any key but an uncompressed P-256 point, any other form of signature than DER's one form of it;
//! - a page of another origin, a frame within another page, a challenge that is not this connection's;
//! - an authenticator that did not verify its user.
//!
//! Attestation is not asked for: which make of authenticator it is decides nothing. Of the counter nothing is read: a passkey that is
//! synchronised counts nothing, and what shows a copied device is its login secret ([`crate::login`]).

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::directory::PublicKey;
use crate::input::Fresh;
use crate::limits;
use crate::refusal::Refusal;
use crate::session::Verifier;
use crate::time::{Mono, Wall};
use crate::wire::proto;

pub(crate) mod asks;
mod client_data;
mod parts;

use client_data::ClientData;
pub(crate) use parts::AuthenticatorData;
pub use parts::{authenticator_data, client_data_is, ecdsa_signature};

/// What an authenticator calls a key: opaque, 1 to [`limits::CREDENTIAL_MAX`] bytes.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct CredentialId(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl CredentialId {
    /// The identifier, when it has a length that one may have (WebAuthn, 5.1: at most 1023 bytes).
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        (1..=limits::CREDENTIAL_MAX).contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialId(…)")
    }
}

/// A passkey of one device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Passkey {
    /// As its authenticator calls it.
    #[n(0)]
    pub credential: CredentialId,
    /// What its assertions verify under.
    #[n(1)]
    pub key: PublicKey,
    /// When it was added.
    #[n(2)]
    pub added: Wall,
}

/// As they are kept: CBOR (RFC 8949), deterministic. None: no bytes at all.
pub fn to_bytes(passkeys: &[Passkey]) -> Vec<u8> {
    if passkeys.is_empty() { Vec::new() } else { crate::kept::to_bytes(passkeys) }
}

/// What is behind such bytes.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Passkey>, minicbor::decode::Error> {
    if bytes.is_empty() { Ok(Vec::new()) } else { crate::kept::canonical(bytes) }
}

/// What a browser hands over when it has made a passkey. Nothing in it is checked yet.
#[derive(Debug)]
pub struct Made {
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
}

/// What it hands over when one was used. Nothing in it is checked yet.
#[derive(Debug)]
pub struct Assertion {
    credential: CredentialId,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
}

impl Made {
    pub(crate) fn parse(add: proto::AddPasskey) -> Result<Self, Refusal> {
        bounded(&add.client_data, limits::CLIENT_DATA_MAX)?;
        bounded(&add.authenticator_data, limits::AUTHENTICATOR_DATA_MAX)?;
        Ok(Self { client_data: add.client_data, authenticator_data: add.authenticator_data })
    }
}

impl Assertion {
    pub(crate) fn parse(unlock: proto::UnlockByPasskey) -> Result<Self, Refusal> {
        bounded(&unlock.client_data, limits::CLIENT_DATA_MAX)?;
        bounded(&unlock.authenticator_data, limits::AUTHENTICATOR_DATA_MAX)?;
        bounded(&unlock.signature, limits::PASSKEY_SIGNATURE_MAX)?;
        Ok(Self {
            credential: CredentialId::parse(&unlock.credential).ok_or(Refusal::Invalid)?,
            client_data: unlock.client_data,
            authenticator_data: unlock.authenticator_data,
            signature: unlock.signature,
        })
    }
}

fn bounded(bytes: &[u8], most: usize) -> Result<(), Refusal> {
    if bytes.is_empty() || bytes.len() > most { Err(Refusal::Invalid) } else { Ok(()) }
}

/// What the doorway holds a coming passkey against. Used up by the first attempt.
#[derive(Debug)]
pub struct ExpectPasskey {
    challenge: [u8; 32],
    held: Vec<(CredentialId, PublicKey)>,
}

/// A passkey of this device that signed this connection's challenge on a page of the box, its user verified.
#[derive(Debug)]
pub struct ProvenPasskey {
    pub(crate) challenge: [u8; 32],
    pub(crate) credential: CredentialId,
    pub(crate) key: PublicKey,
}

/// A key that was made on a page of the box for this connection's challenge. That whoever made it holds it shows when it is used first.
#[derive(Debug)]
pub struct NewPasskey {
    pub(crate) challenge: [u8; 32],
    pub(crate) credential: CredentialId,
    pub(crate) key: PublicKey,
}

impl ExpectPasskey {
    /// For what was given out, to a device that has these.
    pub fn new(challenge: [u8; 32], passkeys: &[Passkey]) -> Self {
        let held = passkeys.iter().map(|passkey| (passkey.credential.clone(), passkey.key));
        Self { challenge, held: held.collect() }
    }

    /// Checks an `AddPasskey` (WebAuthn Level 2, 7.1, without attestation). `origin` is that of the connection's page.
    pub fn verify_new(self, origin: &str, made: &Made) -> Result<NewPasskey, Refusal> {
        ClientData::read(&made.client_data)
            .filter(|data| data.says("webauthn.create", &self.challenge, origin))
            .ok_or(Refusal::PasskeyWrong)?;
        let data = AuthenticatorData::read(&made.authenticator_data).ok_or(Refusal::PasskeyUnsupported)?;
        if !data.is_for(origin) || !data.user_was_verified() {
            return Err(Refusal::PasskeyWrong);
        }
        let (credential, key) = data.attested.ok_or(Refusal::PasskeyUnsupported)?;
        Ok(NewPasskey { challenge: self.challenge, credential, key })
    }

    /// Checks an `UnlockByPasskey` (WebAuthn Level 2, 7.2).
    pub fn verify(
        self,
        verifier: &impl Verifier,
        origin: &str,
        assertion: &Assertion,
    ) -> Result<ProvenPasskey, Refusal> {
        let held = self.held.into_iter().find(|(credential, _)| *credential == assertion.credential);
        let (credential, key) = held.ok_or(Refusal::NoSuchPasskey)?;
        ClientData::read(&assertion.client_data)
            .filter(|data| data.says("webauthn.get", &self.challenge, origin))
            .ok_or(Refusal::PasskeyWrong)?;
        let data = AuthenticatorData::read(&assertion.authenticator_data).ok_or(Refusal::PasskeyWrong)?;
        let signature = ecdsa_signature(&assertion.signature).ok_or(Refusal::PasskeyWrong)?;
        if !data.is_for(origin) || !data.user_was_verified() {
            return Err(Refusal::PasskeyWrong);
        }
        let hash: [u8; 32] = Sha256::digest(&assertion.client_data).into();
        let message = [assertion.authenticator_data.as_slice(), &hash].concat();
        if !verifier.p256(&key, &message, &signature) {
            return Err(Refusal::PasskeyWrong);
        }
        Ok(ProvenPasskey { challenge: self.challenge, credential, key })
    }
}

/// What a device asks about its passkeys. What it brings has been verified by the doorway, or refused there: the core counts both.
pub enum PasskeyAsk {
    /// A challenge.
    Challenge {
        /// For it.
        fresh: Fresh,
    },
    /// Another one.
    Add(Result<NewPasskey, Refusal>),
    /// Opens the session.
    Unlock(Result<ProvenPasskey, Refusal>),
    /// One less.
    Remove {
        /// Which.
        credential: CredentialId,
    },
    /// All of them.
    List,
}

/// A challenge that was given out on a connection, and until when it is good.
pub(crate) struct Given {
    pub(crate) challenge: [u8; 32],
    pub(crate) until: Mono,
}

#[cfg(test)]
mod tests;
