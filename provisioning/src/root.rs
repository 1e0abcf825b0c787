//! The facility root, and the issuing certificates that it signs.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CidrSubnet, DistinguishedName,
    DnType, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::OffsetDateTime;
use wardline_keys_protocol::policy::sha256;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use zeroize::{Zeroize, Zeroizing};

use crate::file::{self, FileError};

/// Life of the root: longer than any box, so that phones are enrolled once.
pub const ROOT_YEARS: i64 = 20;
/// Life of an issuing certificate, unless told otherwise: that of the hardware.
pub const ISSUING_YEARS: i64 = 5;
/// File names in the root's directory.
pub const ROOT_KEY_FILE: &str = "facility-root.key.pem";
/// The root's certificate, DER.
pub const ROOT_CERTIFICATE_FILE: &str = "facility-root.crt.der";

const YEAR_S: i64 = 31_557_600;
/// Certificates begin a day early, for clocks that are slow.
const BACKDATE_S: i64 = 86_400;

/// Why a request was not certified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertifyError {
    /// Not a certification request, or its own signature is bad.
    #[error("this is not a sound certification request: fetch it from the box again")]
    BadRequest,
    /// No DNS name or no IP range given.
    #[error(
        "give at least one DNS name and one IP range: a kind of name that is not listed would be unlimited"
    )]
    Unconstrained,
    /// A name or range is malformed.
    #[error("`{0}` is not a DNS name or not an IP range like 10.2.0.0/16")]
    BadName(String),
    /// A name or range that covers as much as none would.
    #[error(
        "`{0}` limits nothing: a name of one part covers a whole top-level domain, and /0 every address; give a name \
         like ward.example and a range like 10.2.0.0/16"
    )]
    TooWide(String),
    /// The time given is outside what certificates can say.
    #[error("the clock of this computer is wrong: set it and try again")]
    BadTime,
    /// Encoding or signing failed.
    #[error("the certificate could not be made ({0})")]
    Failed(rcgen::Error),
}

/// What an issuing certificate may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// DNS names; each covers itself and everything below it.
    pub dns: Vec<String>,
    /// IP ranges: address and prefix length.
    pub ip_ranges: Vec<(IpAddr, u8)>,
}

impl Names {
    /// Parses IP ranges as `10.2.0.0/16`, or a single address.
    ///
    /// # Errors
    /// [`CertifyError::BadName`], [`CertifyError::TooWide`], [`CertifyError::Unconstrained`].
    pub fn parse(dns: &[String], ip_ranges: &[String]) -> Result<Self, CertifyError> {
        let range = |text: &String| {
            let bad = || CertifyError::BadName(text.clone());
            let (ip, prefix) =
                text.split_once('/').map_or((text.as_str(), None), |(ip, prefix)| (ip, Some(prefix)));
            let ip: IpAddr = ip.parse().map_err(|_| bad())?;
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| bad())?;
            Ok((ip, prefix))
        };
        let ip_ranges = ip_ranges.iter().map(range).collect::<Result<Vec<_>, _>>()?;
        Self { dns: dns.to_vec(), ip_ranges }.checked()
    }

    fn checked(self) -> Result<Self, CertifyError> {
        if self.dns.is_empty() || self.ip_ranges.is_empty() {
            return Err(CertifyError::Unconstrained);
        }
        let bad = |name: &&String| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            !name.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(allowed))
        };
        if let Some(bad) = self.dns.iter().find(bad) {
            return Err(CertifyError::BadName(bad.clone()));
        }
        if let Some(wide) = self.dns.iter().find(|name| !name.contains('.')) {
            return Err(CertifyError::TooWide(wide.clone()));
        }
        for (ip, prefix) in &self.ip_ranges {
            let text = format!("{ip}/{prefix}");
            match prefix {
                0 => return Err(CertifyError::TooWide(text)),
                1..=32 => {}
                33..=128 if ip.is_ipv6() => {}
                _ => return Err(CertifyError::BadName(text)),
            }
        }
        Ok(self)
    }
}

/// The facility root: certificate and key. The key is wiped on drop.
pub struct FacilityRoot {
    key: KeyPair,
    certificate: Vec<u8>,
}

impl Drop for FacilityRoot {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl FacilityRoot {
    /// Makes a new root for a facility.
    ///
    /// # Errors
    /// [`CertifyError::BadTime`], [`CertifyError::Failed`].
    pub fn generate(facility: &str, now_unix_s: i64) -> Result<Self, CertifyError> {
        let key = KeyPair::generate().map_err(CertifyError::Failed)?;
        let mut params = CertificateParams::default();
        params.not_before = at(now_unix_s - BACKDATE_S)?;
        params.not_after = at(now_unix_s + ROOT_YEARS * YEAR_S)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, facility);
        params.distinguished_name.push(DnType::CommonName, format!("{facility} Wardline root"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(CertifyError::Failed)?.der().to_vec();
        Ok(Self { key, certificate })
    }

    /// Writes both files into `dir`; the key file with mode 0600.
    ///
    /// # Errors
    /// See [`FileError`]; nothing is overwritten.
    pub fn save(&self, dir: &Path) -> Result<(), FileError> {
        fs::create_dir_all(dir).map_err(|error| FileError::Io(dir.into(), error))?;
        let pem = Zeroizing::new(self.key.serialize_pem());
        file::write_new(&dir.join(ROOT_KEY_FILE), pem.as_bytes(), 0o600)?;
        file::write_new(&dir.join(ROOT_CERTIFICATE_FILE), &self.certificate, 0o644)
    }

    /// Reads both files from `dir`.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn load(dir: &Path) -> Result<Self, FileError> {
        let key_path = dir.join(ROOT_KEY_FILE);
        let pem = file::read_private(&key_path)?;
        let key = KeyPair::from_pem(&pem).map_err(|_| FileError::Content(key_path, "not a P-256 key"))?;
        let path = dir.join(ROOT_CERTIFICATE_FILE);
        let certificate = fs::read(&path).map_err(|error| FileError::Io(path.clone(), error))?;
        let ours = x509_parser::parse_x509_certificate(&certificate)
            .is_ok_and(|(_, c)| c.public_key().subject_public_key.data.as_ref() == key.public_key_raw());
        if ours {
            Ok(Self { key, certificate })
        } else {
            Err(FileError::Content(path, "not the certificate of the key"))
        }
    }

    /// The facility's name, as the certificate's organisation says it; empty when it says none.
    pub fn facility(&self) -> String {
        let parsed = x509_parser::parse_x509_certificate(&self.certificate);
        let name = parsed.as_ref().ok().and_then(|(_, certificate)| {
            let organisation = certificate.subject().iter_organization().next()?;
            organisation.as_str().ok().map(str::to_owned)
        });
        name.unwrap_or_default()
    }

    /// The root's certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// SHA-256 of the certificate: what join links, QR codes and the box's record carry.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&[&self.certificate])
    }

    /// SHA-256 of the SubjectPublicKeyInfo that a request is for, as the box's keeper logs it. Not of what else it says.
    ///
    /// # Errors
    /// [`CertifyError::BadRequest`].
    pub fn fingerprint(request_der: &[u8]) -> Result<[u8; 32], CertifyError> {
        match X509CertificationRequest::from_der(request_der) {
            Ok(([], request)) => Ok(sha256(&[request.certification_request_info.subject_pki.raw])),
            _ => Err(CertifyError::BadRequest),
        }
    }

    /// Certifies a box's issuing key: a CA of path length 0, constrained to `names`. Answers DER.
    ///
    /// Of the request only the key is taken. The subject is the facility, as the root says it, and a name made of the key:
    /// a request that was exchanged on its way cannot choose what it is called.
    ///
    /// # Errors
    /// See [`CertifyError`].
    pub fn certify(
        &self,
        request_der: &[u8],
        names: &Names,
        now_unix_s: i64,
        years: i64,
    ) -> Result<Vec<u8>, CertifyError> {
        let names = names.clone().checked()?;
        let request =
            CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(request_der))
                .map_err(|_| CertifyError::BadRequest)?;
        let root = CertificateDer::from(self.certificate.as_slice());
        let (_, parsed) = x509_parser::parse_x509_certificate(&root).map_err(|_| CertifyError::BadTime)?;
        let root_end = parsed.validity().not_after.timestamp();

        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let facility = parsed.subject().iter_organization().next().and_then(|name| name.as_str().ok());
        if let Some(facility) = facility {
            params.distinguished_name.push(DnType::OrganizationName, facility);
        }
        let fingerprint = Self::fingerprint(request_der)?;
        let short: String = fingerprint[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        params.distinguished_name.push(DnType::CommonName, format!("Wardline box {short}"));
        params.not_before = at(now_unix_s - BACKDATE_S)?;
        params.not_after = at((now_unix_s + years * YEAR_S).min(root_end))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let dns = names.dns.into_iter().map(GeneralSubtree::DnsName);
        let ips = names
            .ip_ranges
            .into_iter()
            .map(|(ip, prefix)| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, prefix)));
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: dns.chain(ips).collect(), excluded_subtrees: vec![] });

        let issuer = Issuer::from_ca_cert_der(&root, &self.key).map_err(CertifyError::Failed)?;
        let signed = params.signed_by(&request.public_key, &issuer).map_err(CertifyError::Failed)?;
        Ok(signed.der().to_vec())
    }
}

fn at(unix_s: i64) -> Result<OffsetDateTime, CertifyError> {
    OffsetDateTime::from_unix_timestamp(unix_s).map_err(|_| CertifyError::BadTime)
}
