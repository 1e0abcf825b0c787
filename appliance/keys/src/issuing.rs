//! The issuing key: its certification request, and what its certificate must say before it is used.
//!
//! Refuses a chain that does not end in the root that the first one pinned, that certifies another key, that could sign
//! further CAs, or that is not constrained in both DNS names and IP addresses (RFC 5280, 4.2.1.10: a type that is not
//! listed is unconstrained).

use std::cell::RefCell;
use std::net::IpAddr;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey,
};
use wardline_keys_protocol::policy::{Digest, sha256};
use wardline_keys_protocol::{ChainFault, FacilityNames};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::record::IssuingChain;
use crate::tpm::{TpmError, TpmResult};

/// Signs a SHA-256 digest with the issuing key; r then s.
pub(crate) type SignDigest<'a> = &'a mut dyn FnMut(Digest) -> TpmResult<[u8; 64]>;

/// The issuing key as `rcgen` sees it.
pub(crate) struct RemoteKey<'a> {
    point: [u8; 65],
    sign: RefCell<SignDigest<'a>>,
    /// What the TPM said, which `rcgen`'s error cannot carry.
    error: RefCell<Option<TpmError>>,
}

impl<'a> RemoteKey<'a> {
    pub(crate) fn new(point: [u8; 65], sign: SignDigest<'a>) -> Self {
        Self { point, sign: RefCell::new(sign), error: RefCell::new(None) }
    }

    /// The TPM's error behind a failed operation of `rcgen`.
    pub(crate) fn fault(&self) -> TpmError {
        self.error.take().unwrap_or(TpmError::Failed { doing: "encoding a certificate", code: 0 })
    }
}

impl PublicKeyData for RemoteKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for RemoteKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match (self.sign.borrow_mut())(sha256(&[message])) {
            Ok(signature) => Ok(ecdsa_der(&signature)),
            Err(error) => {
                *self.error.borrow_mut() = Some(error);
                Err(rcgen::Error::RemoteKeyError)
            }
        }
    }
}

/// Ecdsa-Sig-Value (RFC 3279, 2.2.3): SEQUENCE of two INTEGERs. At most 2 + 2 * (2 + 33) bytes, so one-byte lengths.
fn ecdsa_der(signature: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(70);
    for part in signature.chunks(32) {
        let digits = &part[part.iter().position(|byte| *byte != 0).unwrap_or(31)..];
        let pad = usize::from(digits[0] & 0x80 != 0);
        body.extend([0x02, (digits.len() + pad) as u8]);
        body.extend(std::iter::repeat_n(0, pad));
        body.extend(digits);
    }
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}

/// A PKCS#10 request for the issuing key, DER. No facility is known yet, so the box is called by its key alone.
pub(crate) fn request(key: &RemoteKey<'_>) -> TpmResult<Vec<u8>> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Wardline box {}", &fingerprint(key)[..8]));
    params.serialize_request(key).map(|csr| csr.der().to_vec()).map_err(|_| key.fault())
}

/// SHA-256 of the key's SubjectPublicKeyInfo (RFC 5480) in hexadecimal: what
/// `openssl req -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum` says of the request.
pub(crate) fn fingerprint(key: &RemoteKey<'_>) -> String {
    sha256(&[&SPKI_P256, &key.point]).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands before the point of a P-256 key: SEQUENCE, id-ecPublicKey, prime256v1, BIT STRING of 65 bytes.
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
    0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Days before its end at which the log speaks of an issuing certificate: a new one takes a walk to a safe.
const WARNED_DAYS: [i64; 3] = [7, 30, 90];

/// What was already said of which certificate's end.
#[derive(Debug, Default)]
pub(crate) struct EndWarning {
    said: Option<(i64, i64)>,
}

impl EndWarning {
    /// The smallest number of days that is left, when it was not said before. Once a mark and certificate.
    pub(crate) fn due(&mut self, now_s: i64, end_s: i64) -> Option<i64> {
        let left = end_s.saturating_sub(now_s);
        let now = WARNED_DAYS.into_iter().find(|days| left <= days * 86_400).map(|days| (end_s, days));
        if now == self.said {
            return None;
        }
        self.said = now;
        now.map(|(_, days)| days)
    }
}

/// When an issuing certificate is valid, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

/// Checks a chain in everything but the time.
pub(crate) fn check(chain: &IssuingChain, point: &[u8; 65]) -> Result<Validity, ChainFault> {
    if sha256(&[&chain.root]) != chain.root_sha256 {
        return Err(ChainFault::OtherRoot);
    }
    let root = parse(&chain.root)?;
    let issuing = parse(&chain.issuing)?;
    if issuing.public_key().subject_public_key.data.as_ref() != point {
        return Err(ChainFault::OtherKey);
    }
    if issuing.issuer() != root.subject() || issuing.verify_signature(Some(root.public_key())).is_err() {
        return Err(ChainFault::BadSignature);
    }
    match issuing.basic_constraints() {
        Ok(Some(constraints)) if constraints.value.ca && constraints.value.path_len_constraint == Some(0) => {
        }
        _ => return Err(ChainFault::NotIssuing),
    }
    if !constrained(&issuing, &chain.names) {
        return Err(ChainFault::Constraints);
    }
    let validity = issuing.validity();
    Ok(Validity { not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() })
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, ChainFault> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(ChainFault::Malformed),
    }
}

/// Whether critical name constraints permit this box's names and list both types.
fn constrained(certificate: &X509Certificate<'_>, names: &FacilityNames) -> bool {
    let mut found =
        certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::NameConstraints(constraints) => Some((extension.critical, constraints)),
            _ => None,
        });
    let Some((true, constraints)) = found.next() else { return false };
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    let dns: Vec<&str> = permitted
        .iter()
        .filter_map(|s| if let GeneralName::DNSName(name) = s.base { Some(name) } else { None })
        .collect();
    let ips: Vec<&[u8]> = permitted
        .iter()
        .filter_map(|s| if let GeneralName::IPAddress(ip) = s.base { Some(ip) } else { None })
        .collect();
    !dns.is_empty()
        && !ips.is_empty()
        // One label would be a whole top-level domain, a mask of no bits every address: as good as no constraint.
        && dns.iter().all(|zone| zone.trim_matches('.').contains('.'))
        && ips.iter().all(|range| range[range.len() / 2..].iter().any(|byte| *byte != 0))
        && constraints.excluded_subtrees.is_none()
        && names.dns_names.iter().all(|name| dns.iter().any(|zone| in_zone(name, zone)))
        && names.ip_addrs.iter().all(|ip| ips.iter().any(|range| in_range(*ip, range)))
}

fn in_zone(name: &str, zone: &str) -> bool {
    let (name, zone) = (name.to_ascii_lowercase(), zone.to_ascii_lowercase());
    !zone.is_empty() && (name == zone || name.strip_suffix(&zone).is_some_and(|host| host.ends_with('.')))
}

fn in_range(ip: IpAddr, range: &[u8]) -> bool {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    range.len() == 2 * bytes.len() && {
        let (net, mask) = range.split_at(bytes.len());
        bytes.iter().zip(net).zip(mask).all(|((byte, net), mask)| byte & mask == net & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_positive() {
        let mut signature = [0; 64];
        signature[31] = 0x7F;
        signature[32] = 0x80;
        let der = ecdsa_der(&signature);
        assert_eq!(der[..7], [0x30, 38, 0x02, 1, 0x7F, 0x02, 33]);
        assert_eq!(der[7..9], [0, 0x80]);
        assert_eq!(ecdsa_der(&[0; 64]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
    }

    #[test]
    fn the_end_is_announced_once_a_mark() {
        const DAY: i64 = 86_400;
        let (end, mut warning) = (1_000 * DAY, EndWarning::default());
        assert_eq!(warning.due(end - 91 * DAY, end), None);
        assert_eq!(warning.due(end - 90 * DAY, end), Some(90));
        assert_eq!(warning.due(end - 31 * DAY, end), None, "said already");
        assert_eq!(warning.due(end - 30 * DAY, end), Some(30));
        assert_eq!(warning.due(end - 7 * DAY, end), Some(7));
        assert_eq!(warning.due(end + 1, end), None);
        assert_eq!(warning.due(end - 7 * DAY, end + 80 * DAY), Some(90), "another certificate");
        assert_eq!(warning.due(end, end + 1_000 * DAY), None);
    }

    #[test]
    fn names_inside_and_outside() {
        assert!(in_zone("Ward.example", "ward.example") && in_zone("a.ward.example", "ward.example"));
        assert!(!in_zone("xward.example", "ward.example") && !in_zone("example", "ward.example"));
        assert!(!in_zone("ward.example", ""));
        let range = [10, 2, 0, 0, 255, 255, 0, 0];
        assert!(in_range([10, 2, 9, 9].into(), &range) && !in_range([10, 3, 0, 0].into(), &range));
        assert!(!in_range("::1".parse().expect("an address"), &range));
    }
}
