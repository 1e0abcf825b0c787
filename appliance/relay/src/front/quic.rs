//! The QUIC doorway (RFC 9000): TLS 1.3 only, no 0-RTT, one endpoint whose ALPN says which protocol a connection
//! speaks: native clients their own, browsers `h3` ([`webtransport`]).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use futures_util::FutureExt as _;
use quinn::crypto::rustls::{HandshakeData, QuicServerConfig};
use quinn::{Endpoint, EndpointConfig, IdleTimeout, Incoming, TransportConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use rustls::server::ResolvesServerCert;
use thiserror::Error;
use wardline_core::input::Door;
use wardline_core::limits;
use wardline_core::refusal::CloseCode;

pub use super::admission::SourceLimit;
use super::admission::{Admission, HANDSHAKES_MAX, Pace, Verdict, Waiting, source};
use super::certificates::Certificates;
use super::congestion::Floor;
use super::connection::{Carrier, Context, serve};
use super::names::Names;
use super::transfer::{self, TRANSFERS_MAX};
use super::webtransport;
use crate::config::{Zones, least};
use crate::lane::Lane;

/// What native clients speak.
pub const ALPN: &[u8] = b"wardline/1";
/// The exporter's label (RFC 8446, 7.5): both ends sign over 32 bytes of it.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-wardline-1";

/// From the first packet to the control stream. A bad minute of Wi-Fi repeats a packet six times in this.
pub(super) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of later packets that are kept of an attempt that waits for its turn: a hello of two packets, sent three times.
/// For each of [`HANDSHAKES_MAX`], 33 MB, so that nobody's can take another's place.
const WAITING_BUFFER: u64 = 8 * 1024;
/// Attempts looked at before a handshake begins: to send one back or drop it should cost a tenth of a handshake, some 20 us, so a
/// flood of them holds up those who wait for at most 2 ms each.
const LOOKED_AT_MAX: usize = 64;
/// Silence after which a connection is given up. Clients keep it alive every 10 s, so five may be lost.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a close waits for what was written before it to arrive.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_millis(500);
/// What a client may have sent and the box not read, before it has signed in: one of the largest frames, 16 KiB. With as
/// many as may be unproven (6,000) 98 MB.
const STRANGERS_WINDOW: u32 = limits::CLIENT_FRAME_MAX as u32;
/// The same of each stream once it has signed in: four of the largest frames, or a piece of a file. With 30,000 connections that all
/// send on three streams and are not read 6 GB; what bounds it in practice is that a frame is read as soon as there is room for its
/// answer, and a file as fast as the disk takes it. So much for each stream is what keeps a file from using up the control stream's.
pub(super) const STREAM_WINDOW: u32 = 64 * 1024;
/// Between stateless resets, each of which costs a MAC and a packet, some 10 us. quinn's own 20 ms are 50 a second: after
/// a restart a ward of 20,000 devices, which all speak within a ping's 10 s, would take 400 s to learn of it; with 5,000 a
/// second it takes as long as they take to speak, and a flood of packets that belong nowhere costs a twentieth of a core.
const RESETS_APART: Duration = Duration::from_micros(200);
/// Datagrams that are kept, to be thrown away: one packet; with 30,000 connections 36 MB.
const DATAGRAMS_MAX: usize = 1_200;
/// What may be unacknowledged to one client: at 100 ms of bad Wi-Fi this is 20 Mbit/s.
const SEND_WINDOW: u64 = 256 * 1024;

/// Why the doorway could not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address is taken or not ours.
    #[error("cannot listen on UDP {address}: {source}. Is another relay running?")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The same of TCP.
    #[error("cannot listen on TCP {address}: {source}. Is another relay or a web server running?")]
    Listen {
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

/// An open doorway.
pub struct Quic {
    /// The endpoint.
    pub endpoint: Endpoint,
    offers: Offers,
}

/// How connections are met: each with one leaf, so that it is known which one a browser met.
struct Offers {
    certificates: Arc<Certificates>,
    latest: Offer,
}

#[derive(Clone)]
struct Offer {
    config: Arc<quinn::ServerConfig>,
    leaf: [u8; 32],
}

impl Offers {
    /// With the leaf that is served now.
    fn latest(&mut self) -> Offer {
        let served = self.certificates.served();
        if served.sha256 != self.latest.leaf {
            let leaf = served.sha256;
            match crypto(Arc::new(served)) {
                Ok(crypto) => {
                    let mut config = quinn::ServerConfig::clone(&self.latest.config);
                    config.crypto = crypto;
                    self.latest = Offer { config: Arc::new(config), leaf };
                }
                Err(error) => tracing::error!(%error, "the new certificate is not served over QUIC"),
            }
        }
        self.latest.clone()
    }
}

fn crypto(certificate: Arc<dyn ResolvesServerCert>) -> Result<Arc<QuicServerConfig>, OpenError> {
    let tls = tls(certificate, &[ALPN, webtransport::ALPN])?;
    Ok(Arc::new(QuicServerConfig::try_from(tls)?))
}

/// Opens the endpoint. `reset` outlives restarts, so that a client of the last run hears with its next packet that its
/// connection is gone (RFC 9000, 10.3) and need not wait for silence to tell it.
pub fn open(
    address: SocketAddr,
    certificates: Arc<Certificates>,
    reset: &[u8; 32],
) -> Result<Quic, OpenError> {
    // No connection is met with this one's leaf: each is offered the one that is served then.
    let mut config = quinn::ServerConfig::with_crypto(crypto(Arc::clone(&certificates) as _)?);
    config.transport_config(Arc::new(transport()));
    config.migration(true);
    config.max_incoming(HANDSHAKES_MAX);
    config
        .incoming_buffer_size(WAITING_BUFFER)
        .incoming_buffer_size_total(HANDSHAKES_MAX as u64 * WAITING_BUFFER);
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
    endpoint.min_reset_interval(RESETS_APART);
    let served = certificates.served();
    let leaf = served.sha256;
    let mut pinned = config.clone();
    pinned.crypto = crypto(Arc::new(served))?;
    let offers = Offers { certificates, latest: Offer { config: Arc::new(pinned), leaf } };
    let endpoint = Endpoint::new(endpoint, Some(config), socket, runtime).map_err(bind)?;
    Ok(Quic { endpoint, offers })
}

/// TLS 1.3 with this box's certificate, for these protocols.
pub(super) fn tls(
    certificates: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
) -> Result<rustls::ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    tls.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
    tls.max_early_data_size = 0;
    // Every sign-in signs a fresh challenge; resumption would save one signature and keep secrets longer.
    tls.send_tls13_tickets = 0;
    Ok(tls)
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        // HTTP/3 opens these with its first flight, and Chromium takes a smaller number in the handshake for an error. What a
        // native client says on them nobody reads, and it counts to what it may have unread.
        .max_concurrent_uni_streams(VarInt::from_u32(webtransport::ONE_WAY_MAX))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(STRANGERS_WINDOW))
        .send_window(SEND_WINDOW)
        .congestion_controller_factory(Arc::new(Floor))
        // 1,200 bytes pass wherever QUIC does. A longer packet is lost in a network narrower than the one in which its length
        // was found; and the search, begun anew when a client moves, spends what the box may send to an address before it is
        // validated (RFC 9000, 8.1).
        .mtu_discovery_config(None)
        // Nobody reads datagrams, and the latest pushes out the one before. Browsers want them announced, in a handshake that does not
        // know yet whether it is with one.
        .datagram_receive_buffer_size(Some(DATAGRAMS_MAX))
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

/// Accepts until the endpoint closes. Whatever has come is looked at first; then handshakes begin, at their [`Pace`] and
/// when everything else that is ready to run has had its turn. So a whole ward that comes back at once waits in line here,
/// and a message of somebody who is connected meets a few handshakes, not two thousand.
pub async fn run(quic: Quic, zones: Arc<Zones>, limit: SourceLimit, context: Arc<Context>) {
    let Quic { endpoint, offers } = quic;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut gate = Gate {
        admission: Admission::new(limit),
        waiting: Waiting::default(),
        pace: Pace::new(cores, Instant::now()),
        under_way: Arc::new(AtomicUsize::new(0)),
        offers,
        zones,
        context,
    };
    loop {
        if gate.waiting.is_empty() {
            let Some(incoming) = endpoint.accept().await else { return };
            gate.look_at(incoming);
        }
        for _ in 0..LOOKED_AT_MAX {
            match endpoint.accept().now_or_never() {
                Some(Some(incoming)) => gate.look_at(incoming),
                Some(None) => return,
                None => break,
            }
        }
        tokio::time::sleep_until(gate.pace.due().into()).await;
        let now = Instant::now();
        while gate.pace.due() <= now {
            gate.begin_one(now);
            gate.pace.began(now);
        }
        tokio::task::yield_now().await;
    }
}

struct Gate {
    admission: Admission,
    waiting: Waiting<Incoming>,
    pace: Pace,
    under_way: Arc<AtomicUsize>,
    offers: Offers,
    zones: Arc<Zones>,
    context: Arc<Context>,
}

impl Gate {
    fn look_at(&mut self, incoming: Incoming) {
        self.context.metrics.handshakes_total.one();
        // What completes the handshake comes from here too, or is dropped (RFC 9000, 9). Later addresses may be forged.
        let from = source(incoming.remote_address().ip());
        let proven = incoming.remote_address_validated();
        let before = self.waiting.len() + self.under_way.load(Ordering::Relaxed);
        // Before it costs its source a token: who is turned away comes again soon.
        if proven && !self.pace.is_in_time(self.waiting.ahead_of(from)) {
            return leave(&self.context, incoming);
        }
        match self.admission.of(from, proven, before, self.waiting.has_proven()) {
            Verdict::Accept => self.waiting.add(incoming, from, proven, Instant::now()),
            Verdict::Retry => {
                self.context.metrics.handshakes_retried_total.one();
                // An attempt that may not be retried was validated, and no verdict on such a one is this.
                let _ = incoming.retry();
            }
            Verdict::Drop => leave(&self.context, incoming),
        }
    }

    fn begin_one(&mut self, now: Instant) {
        let context = &self.context;
        let Some(incoming) = self.waiting.next(now, |late| leave(context, late)) else { return };
        let (context, zones) = (Arc::clone(&self.context), Arc::clone(&self.zones));
        let (under_way, offer) = (Arc::clone(&self.under_way), self.offers.latest());
        under_way.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let from = incoming.remote_address().ip();
            let meeting = handshake(incoming, offer, context.names.get());
            let opened = tokio::time::timeout(HANDSHAKE_TIME_MAX, meeting).await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            match opened {
                Ok(Some(Opened::Native(opened))) => native(opened, from, &zones, &context).await,
                Ok(Some(Opened::Browser(session))) => {
                    webtransport::carry(session, from, &zones, &context).await;
                }
                _ => context.metrics.handshakes_failed_total.one(),
            }
        });
    }
}

/// Leaves an attempt unanswered.
fn leave(context: &Context, incoming: Incoming) {
    context.metrics.handshakes_dropped_total.one();
    incoming.ignore();
}

enum Opened {
    Native(Native),
    Browser(webtransport::Session),
}

struct Native {
    connection: quinn::Connection,
    send: quinn::SendStream,
    receive: quinn::RecvStream,
}

/// The transport's handshake and the client's control stream.
async fn handshake(incoming: Incoming, offer: Offer, names: Option<&Arc<Names>>) -> Option<Opened> {
    let Offer { config, leaf } = offer;
    let mut connecting = incoming.accept_with(config).ok()?;
    let data = connecting.handshake_data().await.ok()?;
    let protocol = data.downcast::<HandshakeData>().ok()?.protocol?;
    let connection = connecting.await.ok()?;
    match protocol.as_slice() {
        webtransport::ALPN => webtransport::meet(connection, leaf, names?).await.map(Opened::Browser),
        // TLS has refused everything else already (RFC 7301, 3.2).
        _ => {
            connection.set_max_concurrent_uni_streams(VarInt::from_u32(0));
            let (send, receive) = connection.accept_bi().await.ok()?;
            Some(Opened::Native(Native { connection, send, receive }))
        }
    }
}

async fn native(opened: Native, from: IpAddr, zones: &Zones, context: &Arc<Context>) {
    let Native { connection, mut send, receive } = opened;
    let mut exporter = [0; 32];
    if connection.export_keying_material(&mut exporter, EXPORTER_LABEL, b"").is_err() {
        connection.close(VarInt::from_u32(CloseCode::REFUSED.0), b"");
        return;
    }
    // A packet moves a connection to the address that it names before anybody has shown to be there: so whoever roams
    // can lose what a zone allows, and to gain it connects anew.
    let door = || Door::Network(least(zones.of(from), zones.of(connection.remote_address().ip())));
    let widen = |lane: &Arc<Lane>, _| {
        connection.set_receive_window(VarInt::from_u32((1 + TRANSFERS_MAX) * STREAM_WINDOW));
        connection.set_max_concurrent_bi_streams(VarInt::from_u32(1 + TRANSFERS_MAX));
        tokio::spawn(transfer::run(Arc::clone(context), Arc::clone(lane), connection.clone()));
    };
    let carrier =
        Carrier { door, source: source(from), exporter: Some(exporter), origin: None, signed_in: widen };
    let code = serve(context, carrier, receive, &mut send).await;
    if send.finish().is_ok() {
        // The last refusal says what to do next: let it arrive before the close overtakes it.
        let _ = tokio::time::timeout(LAST_WORDS_MAX, send.stopped()).await;
    }
    connection.close(VarInt::from_u32(code.0), b"");
}

#[cfg(test)]
#[path = "quic_tests.rs"]
mod tests;
