//! The certificate that is served, and the hashes by which browsers know this box: the leaf's and the next one's.
//!
//! It refuses a leaf whose key is not its own. A page that is told of a leaf today meets it tomorrow, so the next one's hash is given
//! out from the moment that the keeper has it.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use wardline_keys_protocol::message::Leaves;

/// The certificate being served; replaced once a day.
#[derive(Debug)]
pub struct Certificates {
    served: RwLock<Served>,
    hashes: Arc<LeafHashes>,
}

/// SHA-256 of the leaf being served, then of the next one where there is one: for `serverCertificateHashes`.
#[derive(Debug, Default)]
pub struct LeafHashes(RwLock<Vec<[u8; 32]>>);

impl LeafHashes {
    /// As of now.
    pub fn now(&self) -> Vec<[u8; 32]> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, leaves: &Leaves) {
        let leaves = std::iter::once(&leaves.current).chain(&leaves.next);
        let hashes = leaves.map(|leaf| leaf.sha256).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hashes;
    }
}

/// One leaf with its key and chain.
#[derive(Clone, Debug)]
pub(super) struct Served {
    certified: Arc<CertifiedKey>,
    pub(super) sha256: [u8; 32],
    not_after: i64,
}

impl Certificates {
    /// Serves the current leaf.
    pub fn new(leaves: &Leaves) -> Result<Self, rustls::Error> {
        let hashes = Arc::new(LeafHashes::default());
        hashes.set(leaves);
        Ok(Self { served: RwLock::new(Served::new(leaves)?), hashes })
    }

    /// Serves another leaf from now on, if it is another.
    pub fn replace(&self, leaves: &Leaves) -> Result<(), rustls::Error> {
        if self.served().sha256 != leaves.current.sha256 {
            let served = Served::new(leaves)?;
            *self.served.write().unwrap_or_else(PoisonError::into_inner) = served;
        }
        self.hashes.set(leaves);
        Ok(())
    }

    /// When the one being served ends, Unix seconds.
    pub fn not_after(&self) -> i64 {
        self.served().not_after
    }

    /// The leaf being served and what stands behind it, the root last, in DER.
    pub fn chain(&self) -> Vec<Vec<u8>> {
        self.served().certified.cert.iter().map(|der| der.to_vec()).collect()
    }

    /// What pages are told.
    pub fn hashes(&self) -> &Arc<LeafHashes> {
        &self.hashes
    }

    pub(super) fn served(&self) -> Served {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.served().certified)
    }
}

/// This leaf, whatever is served elsewhere by then.
impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.certified))
    }
}

impl Served {
    /// The key is read where the leaf holds it, and the leaf wipes it: rustls would keep and forget a copy.
    fn new(leaves: &Leaves) -> Result<Self, rustls::Error> {
        let leaf = &leaves.current;
        let chain = leaf.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key_pkcs8.expose()));
        let certified = CertifiedKey::new(chain, any_supported_type(&key)?);
        certified.keys_match()?;
        Ok(Self { certified: Arc::new(certified), sha256: leaf.sha256, not_after: leaf.not_after })
    }
}

#[cfg(test)]
mod tests {
    use wardline_keys_protocol::KeyDer;
    use wardline_keys_protocol::message::Leaf;

    use super::*;

    fn leaf(number: u8) -> Leaf {
        let key = rcgen::KeyPair::generate().unwrap();
        let der = rcgen::CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
        let key_pkcs8 = KeyDer(key.serialize_der());
        Leaf {
            chain: vec![der],
            key_pkcs8,
            not_before: 0,
            not_after: i64::from(number),
            sha256: [number; 32],
        }
    }

    #[test]
    fn the_next_leaf_is_told_of_before_it_is_served() {
        let (one, two, three) = (leaf(1), leaf(2), leaf(3));
        let certificates = Certificates::new(&Leaves { current: one, next: Some(two.clone()) }).unwrap();
        let hashes = Arc::clone(certificates.hashes());
        assert_eq!((certificates.served().sha256, hashes.now()), ([1; 32], vec![[1; 32], [2; 32]]));
        certificates.replace(&Leaves { current: two.clone(), next: None }).unwrap();
        assert_eq!((certificates.served().sha256, hashes.now()), ([2; 32], vec![[2; 32]]));
        certificates.replace(&Leaves { current: two, next: Some(three.clone()) }).unwrap();
        assert_eq!(hashes.now(), vec![[2; 32], [3; 32]], "the same leaf, and now there is a next one");

        let other = Leaf { key_pkcs8: leaf(9).key_pkcs8, ..three };
        assert!(certificates.replace(&Leaves { current: other, next: None }).is_err(), "another's key");
        assert_eq!((certificates.served().sha256, hashes.now()), ([2; 32], vec![[2; 32], [3; 32]]));
    }
}
