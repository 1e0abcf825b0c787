//! What a key for names is made of: its scalar, its point, its certification request, and the limit on making them.

use std::net::IpAddr;

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use minicbor::{Decode, Encode};
use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use wardline_keys_protocol::KeyDer;
use zeroize::{Zeroize as _, Zeroizing};

use crate::pin_limit::Bucket;
use crate::tpm::Wrapped;

/// Keys for names that can be made at once: one, and the corrections of whoever mistyped a name.
pub(crate) const NAME_KEYS_BURST: u64 = 5;
/// Milliseconds for one more.
pub(crate) const NAME_KEYS_REFILL_MS: u64 = 60_000;

/// How often a key may be made. Each is work for the TPM that PINs wait for.
#[derive(Debug, Default)]
pub(crate) struct NameLimit(Bucket);

impl NameLimit {
    /// Takes one, or says how long to wait.
    pub(crate) fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        match self.0.wait_ms(now_ms, NAME_KEYS_BURST, NAME_KEYS_REFILL_MS) {
            0 => {
                self.0.take(now_ms, NAME_KEYS_REFILL_MS);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

/// A key in the clear, for as long as it takes to seal it.
pub(crate) struct Made {
    pub(crate) scalar: Zeroizing<[u8; 32]>,
    pub(crate) point: [u8; 65],
    /// PKCS#10, DER.
    pub(crate) request: Vec<u8>,
}

/// What is handed out: the sealed scalar, and the point that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Sealed {
    #[n(0)]
    pub(crate) object: Wrapped,
    /// SEC1, uncompressed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) point: [u8; 65],
}

impl Sealed {
    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        minicbor::to_vec(self).ok()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let sealed = decoder.decode().ok()?;
        (decoder.position() == bytes.len()).then_some(sealed)
    }
}

/// Makes a P-256 key and its request for these names; the first is its common name too, where it fits one (64 characters).
pub(crate) fn make(names: &[String]) -> Option<Made> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
    let bytes: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
    let mut scalar = Zeroizing::new([0; 32]);
    scalar.copy_from_slice(bytes.as_ref().get(..32)?);
    let point = <[u8; 65]>::try_from(pair.public_key().as_ref()).ok()?;
    let pkcs8 = pair.to_pkcs8v1().ok()?;
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.as_ref()));
    let mut signer = KeyPair::from_der_and_sign_algo(&der, &rcgen::PKCS_ECDSA_P256_SHA256).ok()?;
    let request = request(names, &signer);
    signer.zeroize();
    Some(Made { scalar, point, request: request? })
}

fn request(names: &[String], signer: &KeyPair) -> Option<Vec<u8>> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = names.first().filter(|name| name.len() <= 64) {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    for name in names {
        params.subject_alt_names.push(SanType::DnsName(Ia5String::try_from(name.as_str()).ok()?));
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Some(params.serialize_request(signer).ok()?.der().to_vec())
}

/// The key as a TLS server takes it, when the two halves belong together.
pub(crate) fn pkcs8(scalar: &[u8; 32], point: &[u8; 65]) -> Option<KeyDer> {
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, scalar, point).ok()?;
    Some(KeyDer(pair.to_pkcs8v1().ok()?.as_ref().to_vec()))
}

/// Whether a browser would take it for an address: no name has a last label of digits alone (RFC 1123, 2.1; the URL standard, 3.5).
pub(crate) fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
        || name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_and_then_one_a_minute() {
        let mut limit = NameLimit::default();
        assert!((0..NAME_KEYS_BURST).all(|_| limit.take(7).is_ok()));
        assert_eq!(limit.take(7), Err(NAME_KEYS_REFILL_MS));
        assert_eq!(limit.take(7 + NAME_KEYS_REFILL_MS), Ok(()));
    }

    #[test]
    fn halves_of_two_keys_are_none() {
        let names = ["box.ward.example".to_owned()];
        let (one, other) = (make(&names).unwrap(), make(&names).unwrap());
        assert!(pkcs8(&one.scalar, &one.point).is_some());
        assert!(pkcs8(&one.scalar, &other.point).is_none());
    }

    #[test]
    fn an_address_is_no_name() {
        assert!(is_address("10.0.0.7") && is_address("box.7") && !is_address("box.ward7.example"));
    }
}
