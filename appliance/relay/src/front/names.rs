//! The certificate for the names that people type: imported for a key that the keeper made, and served under those names alone.
//!
//! Everything else (another name, an address, QUIC, WebTransport, this certificate once it has ended) meets the keeper's own leaf
//! ([`super::certificates`]), so an app that knows the leaf by its hash goes on past the end of what is served here. It refuses a
//! certificate whose key the keeper does not open.
//!
//! What is kept are two files: the request that waits, and the certificate in use; each with its key as the keeper wrapped it, which opens
//! on this box alone. A new request leaves the certificate in use alone until the next one is imported.

mod check;
mod files;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::Mutex;
use wardline_core::refusal::Refusal;
use wardline_core::web_certificate::{CheckedChain, DnsName, WebCertificateDo, WebCertificateRefusal};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_keys_protocol::{KeyDer, WrappedKey};

use super::certificates::Certificates;
use super::pem;
use crate::keeper::Keeper;

/// Days before its end at which the log speaks of the certificate. A new one takes some days to be issued.
const WARNED_DAYS: [i64; 3] = [3, 14, 30];
const DAY_S: i64 = 86_400;

/// What is served under which name.
pub struct Names {
    leaf: Arc<Certificates>,
    directory: PathBuf,
    keeper: Keeper,
    kept: RwLock<Kept>,
    /// One change at a time: what is on disk is what is served.
    changing: Mutex<()>,
}

#[derive(Clone, Default)]
struct Kept {
    waiting: Option<Arc<Waiting>>,
    in_use: Option<Arc<InUse>>,
}

/// A request that nothing came of yet.
struct Waiting {
    wrapped: WrappedKey,
    /// PKCS#10, DER.
    request: Vec<u8>,
    names: Vec<String>,
    /// SubjectPublicKeyInfo, DER.
    key: Vec<u8>,
}

/// A certificate that was imported.
struct InUse {
    wrapped: WrappedKey,
    chain: Vec<Vec<u8>>,
    facts: Facts,
    /// With its key, where the keeper opened it.
    certified: Option<Arc<CertifiedKey>>,
}

/// What a certificate says. Seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    names: Vec<String>,
    issuer: String,
    not_before: i64,
    not_after: i64,
    /// SubjectPublicKeyInfo, DER.
    key: Vec<u8>,
    sha256: Vec<u8>,
}

impl Facts {
    /// Of a certificate that is not in use.
    fn to_wire(&self) -> proto::WebCertificateInUse {
        let ms = |seconds: i64| seconds.saturating_mul(1_000);
        proto::WebCertificateInUse {
            names: self.names.clone(),
            issuer: self.issuer.clone(),
            not_before: ms(self.not_before),
            not_after: ms(self.not_after),
            sha256: self.sha256.clone(),
            has_key: false,
            served: false,
        }
    }
}

impl Waiting {
    fn read(wrapped: WrappedKey, request: Vec<u8>) -> Option<Self> {
        let (names, key) = check::request(&request)?;
        Some(Self { wrapped, request, names, key })
    }

    fn to_wire(&self) -> proto::WebCertificateRequest {
        let pem = pem::text("CERTIFICATE REQUEST", &self.request);
        proto::WebCertificateRequest { names: self.names.clone(), pem }
    }
}

impl InUse {
    fn read(wrapped: WrappedKey, chain: Vec<Vec<u8>>) -> Option<Self> {
        let leaf = chain.first()?;
        let facts = check::facts(leaf)?;
        Some(Self { wrapped, chain, facts, certified: None })
    }

    /// With its key. The key is read where it is held, and whoever holds it wipes it.
    fn with_key(mut self, key: &KeyDer) -> Result<Self, rustls::Error> {
        let chain = self.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.expose()));
        let certified = CertifiedKey::new(chain, any_supported_type(&key)?);
        certified.keys_match()?;
        self.certified = Some(Arc::new(certified));
        Ok(self)
    }

    fn is_valid(&self, now_s: i64) -> bool {
        (self.facts.not_before..=self.facts.not_after).contains(&now_s)
    }

    fn to_wire(&self, now_s: i64) -> proto::WebCertificateInUse {
        let has_key = self.certified.is_some();
        let served = has_key && self.is_valid(now_s);
        proto::WebCertificateInUse { has_key, served, ..self.facts.to_wire() }
    }
}

fn refused(refusal: WebCertificateRefusal) -> Refusal {
    Refusal::WebCertificate(refusal)
}

impl Names {
    /// With what is kept in `directory`. What cannot be read there is said and served no more: the leaf is.
    pub async fn open(directory: PathBuf, leaf: Arc<Certificates>, keeper: Keeper) -> Self {
        let (from, read) =
            (directory.clone(), tokio::task::spawn_blocking(move || files::read(&directory)).await);
        let (request, certificate) = read.unwrap_or_default();
        let in_use = certificate.and_then(|(wrapped, chain)| InUse::read(wrapped, chain)).map(Arc::new);
        let waiting = request.and_then(|(wrapped, request)| Waiting::read(wrapped, request));
        // Its certificate was written, and then the process ended.
        let waiting =
            waiting.filter(|waiting| in_use.as_ref().is_none_or(|in_use| in_use.facts.key != waiting.key));
        let kept = RwLock::new(Kept { waiting: waiting.map(Arc::new), in_use });
        let names = Self { leaf, directory: from, keeper, kept, changing: Mutex::new(()) };
        names.find_key().await;
        names
    }

    /// What is served under any other name.
    pub fn leaf(&self) -> &Arc<Certificates> {
        &self.leaf
    }

    /// Asks for the key of the certificate in use, where it is not at hand: the keeper may have been away.
    pub async fn find_key(&self) {
        let _turn = self.changing.lock().await;
        let Some(in_use) = self.kept().in_use.filter(|in_use| in_use.certified.is_none()) else { return };
        let opened = self.keeper.open_name_key(in_use.wrapped.clone()).await;
        let with_key = opened
            .and_then(|key| InUse::read(in_use.wrapped.clone(), in_use.chain.clone())?.with_key(&key).ok());
        match with_key {
            Some(in_use) => self.keep(|kept| kept.in_use = Some(Arc::new(in_use))),
            None => tracing::error!(
                "the key of the imported certificate does not open: its names are served with this box's own \
                 certificate. See the keeper; if it is another one, make a new request under Certificate"
            ),
        }
    }

    /// Days that are left, the smallest mark that is not above; `None` without one.
    pub fn ends_within(&self) -> Option<i64> {
        let in_use = self.kept().in_use?;
        let left = in_use.facts.not_after.saturating_sub(now_s());
        WARNED_DAYS.into_iter().find(|days| left <= days * DAY_S)
    }

    /// What a file that somebody chose holds, when it is good for a key of this box.
    pub(super) fn check(&self, pem: &str) -> Result<CheckedChain, Refusal> {
        let kept = self.kept();
        let waiting = kept.waiting.as_deref().map(|waiting| (&*waiting.key, &*waiting.names));
        let in_use = kept.in_use.as_deref().map(|in_use| (&*in_use.facts.key, &*in_use.facts.names));
        let wanted: Vec<_> = waiting.into_iter().chain(in_use).collect();
        check::chain(pem, &wanted, now_s()).map(CheckedChain::checked).map_err(refused)
    }

    /// Whether this is what a page that was asked for by `name` came by.
    pub(super) fn serves(&self, name: &str) -> bool {
        self.certified(Some(name), now_s()).is_some()
    }

    /// Whether the host of an address ("box.example:8443") is this box by one of its certificates. Also by an imported one that has
    /// ended: an app that is installed goes on. By no other name may a page come in, whatever address that name leads to: it would be
    /// a stranger's page, in a browser of the building.
    pub(super) fn is_this_box(&self, authority: &str) -> bool {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let imported = kept.in_use.as_ref().is_some_and(|in_use| {
            in_use.facts.names.iter().any(|name| check::covers(name, check::host_of(authority)))
        });
        imported || self.leaf.chain().first().is_some_and(|leaf| check::is_for(leaf, authority))
    }

    fn certified(&self, name: Option<&str>, now_s: i64) -> Option<Arc<CertifiedKey>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let in_use = kept.in_use.as_ref().filter(|in_use| in_use.is_valid(now_s))?;
        let asked = name?;
        in_use.facts.names.iter().any(|name| check::covers(name, asked)).then(|| in_use.certified.clone())?
    }

    /// Does what the core permitted.
    pub(super) async fn act(&self, then: WebCertificateDo) -> Result<Body, Refusal> {
        match then {
            WebCertificateDo::Tell => {}
            WebCertificateDo::Request(names) => {
                return self.request(names).await.map(Body::WebCertificateRequest);
            }
            WebCertificateDo::Show(chain) => {
                let read = self.shown(chain)?;
                return Ok(Body::WebCertificate(proto::WebCertificate { read: Some(read), ..self.tell() }));
            }
            WebCertificateDo::Use(chain) => self.adopt(chain).await?,
            WebCertificateDo::Drop => self.forget().await?,
        }
        Ok(Body::WebCertificate(self.tell()))
    }

    fn tell(&self) -> proto::WebCertificate {
        let (kept, now) = (self.kept(), now_s());
        let own = self.leaf.chain().first().and_then(|leaf| check::facts(leaf));
        proto::WebCertificate {
            in_use: kept.in_use.map(|in_use| in_use.to_wire(now)),
            waiting: kept.waiting.map(|waiting| waiting.to_wire()),
            own_names: own.map_or_else(Vec::new, |own| own.names),
            read: None,
            at: now.saturating_mul(1_000),
        }
    }

    /// What it would be, were it in use.
    fn shown(&self, chain: CheckedChain) -> Result<proto::WebCertificateInUse, Refusal> {
        let read = chain.into_der().first().and_then(|own| check::facts(own));
        read.map(|facts| facts.to_wire()).ok_or(refused(WebCertificateRefusal::Unreadable))
    }

    async fn request(&self, names: Vec<DnsName>) -> Result<proto::WebCertificateRequest, Refusal> {
        let _turn = self.changing.lock().await;
        let names = names.iter().map(|name| name.as_str().to_owned()).collect();
        let made = self.keeper.name_key(names).await.ok_or(refused(WebCertificateRefusal::Keeper))?;
        let waiting = Waiting::read(made.wrapped, made.request).ok_or_else(|| {
            tracing::error!("the keeper's request for a certificate does not read");
            refused(WebCertificateRefusal::Keeper)
        })?;
        let (wrapped, request) = (waiting.wrapped.clone(), waiting.request.clone());
        self.on_disk(move |directory| files::write_request(directory, &wrapped, &request)).await?;
        let told = waiting.to_wire();
        self.keep(|kept| kept.waiting = Some(Arc::new(waiting)));
        Ok(told)
    }

    async fn adopt(&self, chain: CheckedChain) -> Result<(), Refusal> {
        let _turn = self.changing.lock().await;
        let (chain, kept) = (chain.into_der(), self.kept());
        let unreadable = refused(WebCertificateRefusal::Unreadable);
        let key = chain.first().and_then(|leaf| check::facts(leaf)).ok_or(unreadable)?.key;
        // It may have been dropped, or asked for anew, since the file was looked at.
        let waited = kept.waiting.as_ref().filter(|waiting| waiting.key == key);
        let renewed = kept.in_use.as_ref().filter(|in_use| in_use.facts.key == key);
        let wrapped = waited.map(|waiting| &waiting.wrapped).or(renewed.map(|in_use| &in_use.wrapped));
        let wrapped = wrapped.ok_or(refused(WebCertificateRefusal::NoRequest))?.clone();
        let opened = self.keeper.open_name_key(wrapped.clone()).await;
        let opened = opened.ok_or(refused(WebCertificateRefusal::Keeper))?;
        let in_use = InUse::read(wrapped.clone(), chain.clone()).ok_or(unreadable)?;
        let in_use = in_use.with_key(&opened).map_err(|_| refused(WebCertificateRefusal::OtherKey))?;
        let waits_no_more = waited.is_some();
        self.on_disk(move |directory| {
            files::write_certificate(directory, &wrapped, &chain)?;
            if waits_no_more { files::forget_request(directory) } else { Ok(()) }
        })
        .await?;
        tracing::info!(
            days = (in_use.facts.not_after - now_s()) / DAY_S,
            "an imported certificate is served"
        );
        self.keep(|kept| {
            kept.in_use = Some(Arc::new(in_use));
            if waits_no_more {
                kept.waiting = None;
            }
        });
        Ok(())
    }

    async fn forget(&self) -> Result<(), Refusal> {
        let _turn = self.changing.lock().await;
        self.on_disk(|directory| {
            files::forget_request(directory)?;
            files::forget_certificate(directory)
        })
        .await?;
        self.keep(|kept| *kept = Kept::default());
        Ok(())
    }

    async fn on_disk(
        &self,
        work: impl FnOnce(&std::path::Path) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), Refusal> {
        let directory = self.directory.clone();
        match tokio::task::spawn_blocking(move || work(&directory)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(%error, "the certificate could not be written");
                Err(refused(WebCertificateRefusal::NotKept))
            }
            Err(_) => Err(Refusal::Unavailable),
        }
    }

    fn kept(&self) -> Kept {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names(..)")
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match self.certified(hello.server_name(), now_s()) {
            Some(certified) => Some(certified),
            None => self.leaf.resolve(hello),
        }
    }
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
