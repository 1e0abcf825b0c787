//! The QUIC doorway (RFC 9000): TLS 1.3 only, no 0-RTT, one endpoint whose ALPN says which protocol a connection
//! speaks. `h3` takes its place in [`dispatch`] when the browsers come.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use quinn::crypto::rustls::{HandshakeData, QuicServerConfig};
use quinn::{Endpoint, EndpointConfig, IdleTimeout, Incoming, TransportConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use wardline_core::input::{Door, Source};
use wardline_core::refusal::CloseCode;
use wardline_keys_protocol::message::{Leaf, Leaves};

use super::connection::{Context, serve};
use crate::config::Zones;

/// What native clients speak.
pub const ALPN: &[u8] = b"wardline/1";
/// The exporter's label (RFC 8446, 7.5): both ends sign over 32 bytes of it.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-wardline-1";

/// Handshakes under way above which an address must first prove itself (RFC 9000, 8.1.2). A reconnecting ward stays
/// below it for all but an instant.
const UNVALIDATED_MAX: usize = 64;
/// Handshakes under way at a time: 20 kB each, 80 MB. Above, an attempt is dropped unanswered; clients try again. One
/// address may have 2,500 at once and 100 a second for [`HANDSHAKE_TIME_MAX`], 3,500 in all: never every place.
const HANDSHAKES_MAX: usize = 4_000;
/// From the first packet to the control stream. A bad minute of Wi-Fi repeats a packet six times in this.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Silence after which a connection is given up. Clients keep it alive every 10 s, so five may be lost.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a close waits for what was written before it to arrive.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);
/// Receive window of the control stream: four of the largest client frames.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What may be unacknowledged to one client: at 100 ms of bad Wi-Fi this is 20 Mbit/s.
const SEND_WINDOW: u64 = 256 * 1024;

/// Why the doorway could not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}. Is another relay running?")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The keeper's certificate or key does not load.
    #[error("the keeper's certificate does not load: {0}")]
    Certificate(#[from] rustls::Error),
    /// TLS without the one cipher suite that QUIC needs.
    #[error("TLS 1.3 is not set up: {0}")]
    Tls(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
}

/// The certificate being served; replaced once a day.
#[derive(Debug)]
pub struct Certificates(RwLock<Arc<CertifiedKey>>);

impl Certificates {
    /// Serves the current leaf.
    pub fn new(leaves: &Leaves) -> Result<Self, rustls::Error> {
        Ok(Self(RwLock::new(certified(&leaves.current)?)))
    }

    /// Serves another leaf from now on.
    pub fn replace(&self, leaves: &Leaves) -> Result<(), rustls::Error> {
        let certified = certified(&leaves.current)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(leaf: &Leaf) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let chain = leaf.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key_pkcs8.expose().to_vec()));
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider)?))
}

/// Opens the endpoint. `reset` outlives restarts, so that a client of the last run hears with its next packet that its
/// connection is gone (RFC 9000, 10.3) and need not wait for silence to tell it.
pub fn open(
    address: SocketAddr,
    certificates: Arc<Certificates>,
    reset: &[u8; 32],
) -> Result<Endpoint, OpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.max_early_data_size = 0;
    // Every sign-in signs a fresh challenge; resumption would save one signature and keep secrets longer.
    tls.send_tls13_tickets = 0;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    config.migration(true);
    config.max_incoming(HANDSHAKES_MAX);
    let bind = |source| OpenError::Bind { address, source };
    let socket = std::net::UdpSocket::bind(address).map_err(bind)?;
    widen(&socket);
    let runtime = Arc::new(quinn::TokioRuntime);
    let reset = hmac::Key::new(hmac::HMAC_SHA256, reset);
    // Connection ids of the last run must still look like ours, or their packets are dropped without a reset.
    let mut ids = [0; 8];
    ids.copy_from_slice(&hmac::sign(&reset, b"connection ids").as_ref()[..8]);
    let ids = u64::from_be_bytes(ids);
    let mut endpoint = EndpointConfig::new(Arc::new(reset));
    endpoint.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
    Endpoint::new(endpoint, Some(config), socket, runtime).map_err(bind)
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(2 * STREAM_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MAX.as_millis() as u32))));
    transport
}

/// A reconnecting ward fills the default receive buffer (212,992 bytes: some 170 first packets) and packets drop.
/// The kernel caps it at net.core.rmem_max without telling; the image raises that.
fn widen(socket: &std::net::UdpSocket) {
    const WANTED: usize = 8 << 20;
    let set = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::RcvBuf, &WANTED);
    let got = nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::RcvBuf).unwrap_or(0);
    if set.is_err() || got < WANTED {
        tracing::info!(
            wanted = WANTED,
            got,
            "the UDP receive buffer is smaller than wanted: raise net.core.rmem_max"
        );
    }
}

/// How many handshakes one source may begin.
#[derive(Clone, Copy, Debug)]
pub struct SourceLimit {
    /// A second, sustained. A source is an IPv4 address or an IPv6 /64.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// Accepts until the endpoint closes.
pub async fn run(endpoint: Endpoint, zones: Arc<Zones>, limit: SourceLimit, context: Arc<Context>) {
    let under_way = Arc::new(AtomicUsize::new(0));
    let mut sources = Sources::new(limit);
    while let Some(incoming) = endpoint.accept().await {
        context.metrics.handshakes_total.one();
        let now = under_way.load(Ordering::Relaxed);
        let validated = incoming.remote_address_validated();
        if now >= HANDSHAKES_MAX || !sources.admit(source(incoming.remote_address().ip())) {
            context.metrics.handshakes_dropped_total.one();
            incoming.ignore();
            continue;
        }
        if now >= UNVALIDATED_MAX && !validated {
            context.metrics.handshakes_retried_total.one();
            // An attempt that may not be retried was validated, which was just asked.
            let _ = incoming.retry();
            continue;
        }
        under_way.fetch_add(1, Ordering::Relaxed);
        let (context, under_way, zones) = (Arc::clone(&context), Arc::clone(&under_way), Arc::clone(&zones));
        tokio::spawn(async move {
            let opened = tokio::time::timeout(HANDSHAKE_TIME_MAX, handshake(incoming)).await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            match opened {
                Ok(Some(opened)) => dispatch(opened, &zones, &context).await,
                _ => context.metrics.handshakes_failed_total.one(),
            }
        });
    }
}

struct Opened {
    connection: quinn::Connection,
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    protocol: Vec<u8>,
}

/// The transport's handshake and the client's control stream.
async fn handshake(incoming: Incoming) -> Option<Opened> {
    let mut connecting = incoming.accept().ok()?;
    let data = connecting.handshake_data().await.ok()?;
    let protocol = data.downcast::<HandshakeData>().ok()?.protocol?;
    let connection = connecting.await.ok()?;
    let (send, receive) = connection.accept_bi().await.ok()?;
    Some(Opened { connection, send, receive, protocol })
}

async fn dispatch(opened: Opened, zones: &Zones, context: &Arc<Context>) {
    match opened.protocol.as_slice() {
        ALPN => native(opened, zones, context).await,
        // TLS has refused everything else already (RFC 7301, 3.2).
        _ => opened.connection.close(VarInt::from_u32(CloseCode::REFUSED.0), b""),
    }
}

async fn native(opened: Opened, zones: &Zones, context: &Arc<Context>) {
    let Opened { connection, mut send, receive, .. } = opened;
    let mut exporter = [0; 32];
    if connection.export_keying_material(&mut exporter, EXPORTER_LABEL, b"").is_err() {
        connection.close(VarInt::from_u32(CloseCode::REFUSED.0), b"");
        return;
    }
    let door = || Door::Network(zones.of(connection.remote_address().ip()));
    let source = source(connection.remote_address().ip());
    let code = serve(context, door, source, Some(exporter), receive, &mut send).await;
    if send.finish().is_ok() {
        // The last refusal says what to do next: let it arrive before the close overtakes it.
        let _ = tokio::time::timeout(LAST_WORDS_MAX, send.stopped()).await;
    }
    connection.close(VarInt::from_u32(code.0), b"");
}

/// A token bucket for each source that is busy.
struct Sources {
    limit: SourceLimit,
    buckets: BTreeMap<Source, (f64, Instant)>,
}

impl Sources {
    /// Sources remembered: 4,096 x about 64 bytes. When full, those whose bucket is full again go first; if none
    /// is, all are forgotten, which for a moment lets each burst anew.
    const REMEMBERED_MAX: usize = 4_096;

    fn new(limit: SourceLimit) -> Self {
        Self { limit, buckets: BTreeMap::new() }
    }

    fn admit(&mut self, source: Source) -> bool {
        let now = Instant::now();
        let (rate, burst) = (f64::from(self.limit.per_second), f64::from(self.limit.burst));
        let level =
            |(level, at): &(f64, Instant)| (level + now.duration_since(*at).as_secs_f64() * rate).min(burst);
        if self.buckets.len() >= Self::REMEMBERED_MAX {
            self.buckets.retain(|_, bucket| level(bucket) < burst);
            if self.buckets.len() >= Self::REMEMBERED_MAX {
                self.buckets.clear();
            }
        }
        let bucket = self.buckets.entry(source).or_insert((burst, now));
        let tokens = level(bucket);
        *bucket = (if tokens < 1.0 { tokens } else { tokens - 1.0 }, now);
        tokens >= 1.0
    }
}

/// An IPv6 host owns a /64 (RFC 6177): it counts as one.
fn source(address: IpAddr) -> Source {
    let four = |address: Ipv4Addr| Source(address.to_bits().into());
    match address {
        IpAddr::V4(address) => four(address),
        // The upper half: of an address that is in use, never as small as an IPv4 address.
        IpAddr::V6(address) => {
            address.to_ipv4_mapped().map_or(Source((address.to_bits() >> 64) as u64), four)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_floods_spends_its_own_tokens_only() {
        let mut sources = Sources::new(SourceLimit { per_second: 1, burst: 3 });
        let (ana, mallory) = (source("10.0.0.1".parse().unwrap()), source("10.0.0.2".parse().unwrap()));
        let admitted = (0..100).filter(|_| sources.admit(mallory)).count();
        assert_eq!(admitted, 3);
        assert!(sources.admit(ana));
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let (a, b) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        assert_eq!(source(a), source(b));
        assert_ne!(source(a), source("2001:db8:0:1::1".parse().unwrap()));
    }
}
