//! What is in a file that somebody chose: read and judged before anything of it is used.
//!
//! Each check has a refusal of its own, because what to do next is another thing each time. At the end rustls judges the path as a browser
//! does (RFC 5280, 6), with the last certificate as its anchor: whether that one leads to a root that phones know, this box cannot know.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::aws_lc_rs::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use wardline_core::limits::{WEB_CHAIN_MAX, WEB_CHAIN_PEM_MAX};
use wardline_core::web_certificate::WebCertificateRefusal as Refusal;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::Facts;

/// RSA below is not taken by browsers.
const RSA_BITS_MIN: usize = 2_048;
/// What an issuer is called, in characters, as far as it is shown.
const ISSUER_SHOWN_MAX: usize = 120;

/// The names that a PKCS#10 request asks for, and its key.
pub(super) fn request(der: &[u8]) -> Option<(Vec<String>, Vec<u8>)> {
    let (rest, request) = X509CertificationRequest::from_der(der).ok()?;
    let mut extensions = request.requested_extensions()?;
    let names = extensions.find_map(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => Some(dns_names(&names.general_names)),
        _ => None,
    })?;
    let key = request.certification_request_info.subject_pki.raw.to_vec();
    (rest.is_empty() && !names.is_empty()).then_some((names, key))
}

/// What a certificate says.
pub(super) fn facts(der: &[u8]) -> Option<Facts> {
    let certificate = parse(der)?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let validity = certificate.validity();
    Some(Facts {
        names: names.map_or_else(Vec::new, |names| dns_names(&names.value.general_names)),
        issuer: issuer(&certificate),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
        key: certificate.public_key().raw.to_vec(),
        sha256: digest::digest(&digest::SHA256, der).as_ref().to_vec(),
    })
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
}

fn dns_names(names: &[GeneralName<'_>]) -> Vec<String> {
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}

/// "Example Trust, Example CA 1": organisation and common name, of what can be shown.
fn issuer(certificate: &X509Certificate<'_>) -> String {
    let name = certificate.issuer();
    let parts = name.iter_organization().chain(name.iter_common_name());
    let parts: Vec<&str> = parts.filter_map(|part| part.as_str().ok()).collect();
    let shown = parts.join(", ");
    shown.chars().filter(|character| !character.is_control()).take(ISSUER_SHOWN_MAX).collect()
}

/// Whether a name in a certificate is the one that was asked for (RFC 9525, 6.3): an asterisk stands for the whole first label.
pub(super) fn covers(name: &str, asked: &str) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other.trim_end_matches('.'));
    match name.strip_prefix("*.") {
        Some(zone) => asked.split_once('.').is_some_and(|(host, rest)| !host.is_empty() && same(zone, rest)),
        None => same(name, asked),
    }
}

/// Whether a certificate is for the host of an address ("box.example:8443", "[2001:db8::1]"), by name or by number.
pub(super) fn is_for(der: &[u8], authority: &str) -> bool {
    let Some(certificate) = parse(der) else { return false };
    let names = certificate.subject_alternative_name().ok().flatten();
    let host = host_of(authority);
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let octets = number.map(|number| match number {
        IpAddr::V4(number) => number.octets().to_vec(),
        IpAddr::V6(number) => number.octets().to_vec(),
    });
    let is_one = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => octets.is_none() && covers(name, host),
        GeneralName::IPAddress(of) => octets.as_deref() == Some(*of),
        _ => false,
    };
    names.is_some_and(|names| names.value.general_names.iter().any(is_one))
}

/// Without the port, if there is one.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => host,
        _ => authority,
    }
}

/// The chain in a file, when it is good for one of these keys and all of its names.
pub(super) fn chain(pem: &str, wanted: &[(&[u8], &[String])], now_s: i64) -> Result<Vec<Vec<u8>>, Refusal> {
    if wanted.is_empty() {
        return Err(Refusal::NoRequest);
    }
    let ders = blocks(pem)?;
    let certificates: Vec<_> =
        ders.iter().map(|der| parse(der)).collect::<Option<_>>().ok_or(Refusal::Unreadable)?;
    let [own, issuers @ ..] = certificates.as_slice() else { return Err(Refusal::Unreadable) };
    let of = |certificate: &X509Certificate<'_>| {
        wanted.iter().find(|(key, _)| *key == certificate.public_key().raw).map(|(_, names)| *names)
    };
    let names = match of(own) {
        Some(names) => names,
        // It is in the file, and not first.
        None if issuers.iter().any(|certificate| of(certificate).is_some()) => return Err(Refusal::Order),
        None => return Err(Refusal::OtherKey),
    };
    if issuers.is_empty() {
        return Err(Refusal::Incomplete);
    }
    if certificates.windows(2).any(|pair| pair[0].issuer() != pair[1].subject()) {
        return Err(Refusal::Order);
    }
    if certificates.iter().any(|certificate| certificate.validity().not_after.timestamp() < now_s) {
        return Err(Refusal::Expired);
    }
    if certificates.iter().any(|certificate| certificate.validity().not_before.timestamp() > now_s) {
        return Err(Refusal::NotYet);
    }
    let covered = own.subject_alternative_name().ok().flatten();
    let covered = covered.map_or_else(Vec::new, |names| dns_names(&names.value.general_names));
    if !names.iter().all(|asked| covered.iter().any(|name| covers(name, asked))) {
        return Err(Refusal::NameMissing);
    }
    let usage = own.extended_key_usage().ok().flatten();
    if !usage.is_some_and(|usage| usage.value.server_auth || usage.value.any) {
        return Err(Refusal::Purpose);
    }
    if issuers.iter().any(is_weak) {
        return Err(Refusal::Unsupported);
    }
    if !issuers.iter().all(|issuer| issuer.is_ca()) {
        return Err(Refusal::Signature);
    }
    verify(&ders, names, now_s)?;
    Ok(ders)
}

/// The certificates of a file, whatever explains them between.
fn blocks(pem: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    if pem.len() > WEB_CHAIN_PEM_MAX {
        return Err(Refusal::Unreadable);
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err(Refusal::PrivateKey);
    }
    let blocks = Pem::iter_from_buffer(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let blocks = blocks.map_err(|_| Refusal::Unreadable)?;
    // "TRUSTED CERTIFICATE" is OpenSSL's own, with more behind; "PKCS7" holds them packed.
    let good = (1..=WEB_CHAIN_MAX).contains(&blocks.len())
        && blocks.iter().all(|block| matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE"));
    if good { Ok(blocks.into_iter().map(|block| block.contents).collect()) } else { Err(Refusal::Unreadable) }
}

fn is_weak(issuer: &X509Certificate<'_>) -> bool {
    matches!(issuer.public_key().parsed(), Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS_MIN)
}

/// As a client does that trusts the last of them.
fn verify(ders: &[Vec<u8>], names: &[String], now_s: i64) -> Result<(), Refusal> {
    let ders: Vec<_> = ders.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let [own, between @ .., anchor] = ders.as_slice() else { return Err(Refusal::Incomplete) };
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone().into_owned()).map_err(|_| Refusal::Signature)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|_| Refusal::Signature)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now_s).unwrap_or(0)));
    for name in names {
        // Of a certificate in use a name may be a wildcard: any host stands for it.
        let name = name.replacen('*', "any", 1);
        let name = ServerName::try_from(name).map_err(|_| Refusal::NameMissing)?;
        verifier.verify_server_cert(own, between, &name, &[], now).map_err(|error| refusal(&error))?;
    }
    Ok(())
}

fn refusal(error: &Error) -> Refusal {
    let Error::InvalidCertificate(error) = error else { return Refusal::Signature };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Refusal::NotYet,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Refusal::NameMissing
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Refusal::Purpose,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Refusal::Unsupported,
        _ => Refusal::Signature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str]) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_host_is_what_the_certificate_is_for_with_any_port() {
        let der = certificate(&["box.example", "10.0.0.7", "2001:db8::7"]);
        for host in [
            "box.example",
            "BOX.example:8443",
            "10.0.0.7",
            "10.0.0.7:4433",
            "[2001:db8::7]",
            "[2001:db8::7]:4433",
        ] {
            assert!(is_for(&der, host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "box.example.evil.example",
            "10.0.0.8",
            "[2001:db8::8]",
            "0.0.7",
            "box.example:x",
        ] {
            assert!(!is_for(&der, host), "{host}");
        }
    }
}
