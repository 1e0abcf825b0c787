//! What the tests share: a chip in software, which signs and wraps with real keys, and one whole configuration.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::num::NonZeroU64;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    UnparsedPublicKey,
};

use crate::bundle::secrets::{SecretKey, Wrapped};
use crate::bundle::{
    Attestation, Blob, BoxId, Configuration, Draft, Identity, Nonce, NotProven, Quote, Receipt, Request,
    Sha256, SignerKey, Standing, Trust, Unverified, Verified,
};

/// A chip whose attestation key is a real P-256 key and whose quote is its signature over PCRs and qualifying data; not in
/// a TPM's encodings, which are the business of whoever implements [`Attestation`].
pub(crate) struct Chip {
    ak: EcdsaKeyPair,
    pub(crate) pcrs: [Sha256; 5],
}

impl Chip {
    pub(crate) fn new() -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let ak = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        Self { ak, pcrs: [0, 7, 11, 12, 15].map(|pcr| Sha256([pcr; 32])) }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            ek_public: Blob::new(*b"an endorsement key").unwrap(),
            ek_certificate: None,
            ak_public: Blob::new(self.ak.public_key().as_ref()).unwrap(),
        }
    }

    pub(crate) fn quote(&self, qualifying: &[u8; 32]) -> Quote {
        let signature = self.ak.sign(&SystemRandom::new(), &said(&self.pcrs, qualifying)).unwrap();
        Quote {
            attest: Blob::new(*qualifying).unwrap(),
            signature: Blob::new(signature.as_ref()).unwrap(),
            pcrs: self.pcrs,
        }
    }

    pub(crate) fn request(&self) -> Request {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        Request {
            version: Request::VERSION,
            identity: self.identity(),
            certificate_request: Blob::new(csr.der().as_ref()).unwrap(),
            release: "0.1.0".parse().unwrap(),
        }
    }

    pub(crate) fn request_file(&self) -> Vec<u8> {
        let unquoted = self.request().write();
        let quote = self.quote(&unquoted.qualifying());
        unquoted.quoted(&quote)
    }

    /// As a box with this chip would take and answer a file.
    pub(crate) fn receipt_file(&self, configuration: &Verified) -> Vec<u8> {
        let receipt = Receipt {
            version: Receipt::VERSION,
            in_force: configuration.body_sha256(),
            issuing: Sha256::of(configuration.body().issuing.as_slice()),
            state: "READY".parse().unwrap(),
            release: "0.1.0".parse().unwrap(),
            revoked_bits: 0,
            epoch: 3,
        };
        let unquoted = receipt.write(configuration);
        let quote = self.quote(&unquoted.qualifying());
        unquoted.quoted(&quote)
    }
}

fn said(pcrs: &[Sha256; 5], qualifying: &[u8; 32]) -> Vec<u8> {
    pcrs.iter().flat_map(|pcr| pcr.0).chain(*qualifying).collect()
}

/// Judges what [`Chip`] signs.
#[derive(Clone, Copy)]
pub(crate) struct Judge;

impl Attestation for Judge {
    fn verify(&self, identity: &Identity, quote: &Quote, qualifying: &[u8; 32]) -> Result<(), NotProven> {
        if quote.attest.as_slice() != qualifying {
            return Err(NotProven::Quote);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, identity.ak_public.as_slice())
            .verify(&said(&quote.pcrs, qualifying), quote.signature.as_slice())
            .map_err(|_| NotProven::Quote)
    }

    /// Not encrypted at all: a test looks at what it was given.
    fn wrap(&self, _: &Identity, key: &SecretKey) -> Result<Wrapped, NotProven> {
        let blob = || Blob::new(key.0).ok_or(NotProven::Library);
        Ok(Wrapped { credential_blob: blob()?, encrypted_secret: blob()? })
    }
}

/// A facility's key for configurations.
pub(crate) fn signer(seed: u8) -> (Ed25519KeyPair, SignerKey) {
    let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let public = SignerKey(key.public_key().as_ref().try_into().unwrap());
    (key, public)
}

/// A file that `signer(seed)` signed.
pub(crate) fn signed(
    seed: u8,
    box_id: BoxId,
    serial: u64,
    answers: Option<Sha256>,
    configuration: &Configuration,
) -> Vec<u8> {
    let (key, public) = signer(seed);
    let serial = NonZeroU64::new(serial).unwrap();
    let draft = Draft::new(box_id, serial, answers, Nonce([0x4E; 32]), public, configuration);
    let signature = key.sign(draft.message()).as_ref().try_into().unwrap();
    draft.signed(&signature)
}

/// Every check in its order.
pub(crate) fn take(
    file: &[u8],
    trust: &Trust,
    box_id: &BoxId,
    standing: &Standing,
) -> Result<Verified, crate::bundle::Fault> {
    Unverified::read(file)?.signed_by(trust)?.for_box(box_id)?.after(standing)?.open()
}

/// A configuration with something in every field.
pub(crate) fn configuration() -> Configuration {
    let texts = [
        "ward.example box.ward.example",
        "10.2.0.5/16 via 10.2.0.1",
        "10.2.0.2 10.2.0.3",
        "10.2.0.2 fd00::2",
        "America/Chicago",
        "10.2.9.0/24 vlan30=10.3.0.5/24",
        "guest=10.2.8.0/24 emr=10.2.7.0/24 ward=10.2.9.128/25 guest=enp3s0=fd01::5/64",
        "syslog=10.2.0.7:6514 directory=10.2.0.8:636 emr=[fd00::9]:2575",
    ];
    let answers = crate::answers::Answers::read(&texts.map(String::from)).unwrap();
    let hosts = ["10.2.0.5", "10.3.0.5", "fd01::5"].map(|host| host.parse().unwrap());
    let wrapped = Wrapped {
        credential_blob: Blob::new([1; 60]).unwrap(),
        encrypted_secret: Blob::new([2; 70]).unwrap(),
    };
    let name = "directory-password".parse().unwrap();
    let secret =
        crate::bundle::secrets::seal(&SecretKey([3; 32]), [4; 24], &BoxId([5; 32]), 1, name, b"hunter2")
            .unwrap();
    let secrets =
        crate::bundle::secrets::Secrets { wrapped, list: crate::bundle::List::new(vec![secret]).unwrap() };
    Configuration {
        version: crate::bundle::configuration::BODY_VERSION,
        facility: "St. Mary's Hospital".parse().unwrap(),
        dns_names: answers.dns_names,
        addresses: crate::bundle::List::new(hosts.to_vec()).unwrap(),
        issuing: Blob::new(*b"an issuing certificate").unwrap(),
        root: Blob::new(*b"a root certificate").unwrap(),
        addressing: answers.addressing,
        ports: answers.ports,
        dns_servers: answers.dns_servers,
        time_servers: answers.time_servers,
        zones: answers.zones,
        syslog: answers.syslog,
        directory: answers.directory,
        emr: answers.emr,
        time_zone: answers.time_zone,
        approvals: crate::bundle::List::new(vec![Blob::new(*b"an approval").unwrap()]).unwrap(),
        tickets: crate::bundle::List::new(vec![Blob::new(*b"a ticket").unwrap()]).unwrap(),
        secrets: Some(secrets),
    }
}
