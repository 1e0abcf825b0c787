//! Which box to believe: one whose chain ends in the facility root that the join link named.
//!
//! Refuses every public authority, every other root, a chain under the right root for another name, and expired
//! certificates. There is no switch to turn that off. Revocation lists are not read: a leaf lives 13 days at most,
//! and a box that is taken out of service loses its issuing key with its TPM.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs as provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use thiserror::Error;

/// The protocol's name in TLS.
pub const ALPN: &[u8] = b"wardline/1";

/// Why what answers is not the box.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TrustError {
    /// The pinned root is not in the chain.
    #[error(
        "What answers is not the box of your facility: its certificates do not come from the root that the join \
         link named. Do not go on; tell IT."
    )]
    OtherRoot,
    /// The chain does not hold together under the root.
    #[error("The box's certificates do not verify ({0}). Do not go on; tell IT.")]
    BadChain(String),
    /// The right facility, another box or address.
    #[error("The box's certificate is for another name than {0}. Check the address with IT.")]
    OtherName(String),
    /// Too old, or this machine's clock runs ahead.
    #[error("The box's certificate has expired. Is this machine's clock right? If so, tell IT.")]
    Expired,
    /// Not valid yet, or this machine's clock is behind.
    #[error("The box's certificate is not valid yet. Is this machine's clock right? If so, tell IT.")]
    NotYetValid,
    /// The link's or profile's name is no name.
    #[error("{0} is neither a DNS name nor an IP address.")]
    BadName(String),
}

/// The root that counts.
#[derive(Clone)]
pub enum Root {
    /// By its SHA-256, from a join link.
    Pinned([u8; 32]),
    /// The certificate itself, from the profile.
    Known(CertificateDer<'static>),
}

/// Verifies boxes of one facility, and remembers what it found.
pub struct Trust {
    root: Root,
    name: String,
    algorithms: WebPkiSupportedAlgorithms,
    provider: Arc<CryptoProvider>,
    found: OnceLock<CertificateDer<'static>>,
    // TLS tells its caller an alert number; what was wrong in words is kept here.
    failed: Mutex<Option<TrustError>>,
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

impl Trust {
    /// Trust in the boxes under this root that bear this name.
    pub fn new(root: Root, name: &str) -> Arc<Self> {
        let provider = Arc::new(provider::default_provider());
        Arc::new(Self {
            root,
            name: name.to_owned(),
            algorithms: provider.signature_verification_algorithms,
            provider,
            found: OnceLock::new(),
            failed: Mutex::new(None),
        })
    }

    /// The root certificate, once a chain verified under it.
    pub fn root(&self) -> Option<&CertificateDer<'static>> {
        self.found.get()
    }

    /// The name that the box must bear.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the last handshake failed here, if it did.
    pub fn take_failure(&self) -> Option<TrustError> {
        self.failed.lock().map(|mut failed| failed.take()).unwrap_or_default()
    }

    /// The TLS side: 1.3 only, this verifier, our ALPN. No resumption: each connection verifies the box anew, and
    /// 0-RTT cannot be had by accident.
    pub fn tls(self: &Arc<Self>) -> Result<rustls::ClientConfig, TrustError> {
        let bad = |error: rustls::Error| TrustError::BadChain(error.to_string());
        let mut config = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(bad)?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        config.enable_early_data = false;
        Ok(config)
    }

    /// Checks a chain as the box sent it: leaf, issuing, root.
    pub fn check(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TrustError> {
        let name = ServerName::try_from(self.name.as_str());
        let name = name.map_err(|_| TrustError::BadName(self.name.clone()))?;
        let root = match &self.root {
            Root::Known(root) => root.clone(),
            Root::Pinned(hash) => {
                let found = rest.iter().find(|certificate| sha256(certificate) == *hash);
                found.ok_or(TrustError::OtherRoot)?.clone().into_owned()
            }
        };
        let mut anchors = RootCertStore::empty();
        anchors.add(root.clone()).map_err(|error| TrustError::BadChain(error.to_string()))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(anchors), self.provider.clone())
            .build()
            .map_err(|error| TrustError::BadChain(error.to_string()))?;
        match verifier.verify_server_cert(leaf, rest, &name, &[], now) {
            Ok(_) => {
                let _ = self.found.set(root);
                Ok(())
            }
            Err(error) => Err(self.in_words(error)),
        }
    }

    fn in_words(&self, error: rustls::Error) -> TrustError {
        let rustls::Error::InvalidCertificate(why) = error else {
            return TrustError::BadChain(error.to_string());
        };
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TrustError::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TrustError::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TrustError::OtherName(self.name.clone())
            }
            CertificateError::UnknownIssuer => TrustError::OtherRoot,
            other => TrustError::BadChain(other.to_string()),
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, now).map_err(|error| {
            if let Ok(mut failed) = self.failed.lock() {
                *failed = Some(error);
            }
            rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;

    struct Facility {
        root: CertifiedIssuer<'static, KeyPair>,
        issuing: CertifiedIssuer<'static, KeyPair>,
    }

    fn authority(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    }

    fn facility(name: &str) -> Facility {
        let (params, key) = authority(name);
        let root = CertifiedIssuer::self_signed(params, key).unwrap();
        let (params, key) = authority("issuing");
        let issuing = CertifiedIssuer::signed_by(params, key, &root).unwrap();
        Facility { root, issuing }
    }

    impl Facility {
        fn chain(&self, names: &[&str], year: i32) -> Vec<CertificateDer<'static>> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.not_before = rcgen::date_time_ymd(year, 3, 1);
            params.not_after = rcgen::date_time_ymd(year, 3, 14);
            let key = KeyPair::generate().unwrap();
            let leaf = params.signed_by(&key, &self.issuing).unwrap();
            vec![leaf.der().clone(), self.issuing.der().clone(), self.root.der().clone()]
        }

        fn pin(&self) -> Root {
            Root::Pinned(sha256(self.root.der()))
        }
    }

    // 5 March 2030.
    const NOW: u64 = 1_898_899_200;

    fn check(root: Root, name: &str, chain: &[CertificateDer<'static>]) -> Result<(), TrustError> {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        Trust::new(root, name).check(&chain[0], &chain[1..], now)
    }

    #[test]
    fn the_box_under_the_pinned_root_is_believed() {
        let ours = facility("St. Elsewhere");
        let chain = ours.chain(&["box.example", "10.1.2.3"], 2030);
        for name in ["box.example", "10.1.2.3"] {
            assert_eq!(check(ours.pin(), name, &chain), Ok(()), "{name}");
            // With the certificate in the profile the box need not send it.
            let known = Root::Known(ours.root.der().clone());
            assert_eq!(check(known, name, &chain[..2]), Ok(()), "{name}");
        }
    }

    #[test]
    fn another_root_is_refused() {
        let (ours, other) = (facility("St. Elsewhere"), facility("St. Elsewhere"));
        let chain = other.chain(&["box.example"], 2030);
        assert_eq!(check(ours.pin(), "box.example", &chain), Err(TrustError::OtherRoot));
        assert!(check(Root::Known(ours.root.der().clone()), "box.example", &chain).is_err());
        // Our root thrown in among another's chain changes nothing.
        let mut mixed = chain.clone();
        mixed[2] = ours.root.der().clone();
        assert!(check(ours.pin(), "box.example", &mixed).is_err());
        // Nor does the pinned certificate as the leaf itself.
        let leaf = Root::Pinned(sha256(&chain[0]));
        assert_eq!(check(leaf, "box.example", &chain), Err(TrustError::OtherRoot));
    }

    #[test]
    fn the_right_root_and_the_wrong_name_are_refused() {
        let ours = facility("St. Elsewhere");
        let chain = ours.chain(&["box.example"], 2030);
        let other = TrustError::OtherName("other.example".to_owned());
        assert_eq!(check(ours.pin(), "other.example", &chain), Err(other));
        assert!(check(ours.pin(), "10.1.2.3", &chain).is_err());
        assert!(matches!(check(ours.pin(), "a b", &chain), Err(TrustError::BadName(_))));
    }

    #[test]
    fn expired_and_coming_certificates_are_refused() {
        let ours = facility("St. Elsewhere");
        let (old, coming) = (ours.chain(&["b.example"], 2029), ours.chain(&["b.example"], 2031));
        assert_eq!(check(ours.pin(), "b.example", &old), Err(TrustError::Expired));
        assert_eq!(check(ours.pin(), "b.example", &coming), Err(TrustError::NotYetValid));
    }
}
