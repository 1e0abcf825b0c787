//! Whether and how a box can be reached, by somebody who is nobody yet: for those who look for faults.
//!
//! ```text
//! resolve (name -> addresses) -> knock (UDP there and back) -> visit (QUIC, TLS) -> believe (whose box) -> greet (Hello)
//! ```
//!
//! Nothing here signs in, redeems a code or needs a profile; [`Visit::greet`] says `Hello` without a device. A visit accepts
//! any chain in the handshake, so that it can be looked at; the chain is judged afterwards by [`Visit::believe`], and only a
//! [`Belief`] lets the greeting out. What this module refuses: to be used for anything but looking. A client connects with
//! [`crate::trust::Trust`], which ends the handshake of a stranger.

mod chain;
mod knock;
mod socket;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs as provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

pub use chain::{Certificate, Key, Name, Unreadable, certificate};
pub use knock::{Knocks, Obstacle, Patience, knock};

use crate::connection::{Connection, close_text};
use crate::error::{CloseText, Error, TrustError};
use crate::link::Address;
use crate::trust::{ALPN, Root, Trust, sha256};
use crate::{clock, signin};
use socket::Watched;

/// For the name service: a resolver that asks two servers twice, five seconds each, has said what it has to say.
const RESOLVE_TIME_MAX: Duration = Duration::from_secs(5);
/// For the handshake, as for a client's own.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(7);
/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 4;
/// How long the search for the largest packet may go on: four round trips of a bad Wi-Fi.
const MTU_TIME_MAX: Duration = Duration::from_millis(500);
/// What quinn looks for at most, less the step at which its search ends.
const MTU_ENOUGH: u16 = 1_452 - 20;
/// TLS alert 120, as QUIC carries it (RFC 9001, 4.8): no common application protocol.
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Why a name has no address here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The name service knows no such name, or is not there.
    Unknown,
    /// It did not answer within 5 s.
    Slow,
}

/// Why there was no handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHandshake {
    /// Nothing came for 7 s.
    Silent,
    /// A QUIC server without version 1.
    OtherVersion,
    /// A QUIC server that does not speak `wardline/1`.
    OtherProtocol,
    /// The box has too many handshakes under way (CONNECTION_REFUSED).
    Refused,
    /// It broke off otherwise.
    Closed(CloseText),
    /// This machine gave no socket, or the name is no name; in the system's words.
    Socket(String),
}

/// An open connection whose other end is not believed yet.
pub struct Visit {
    quic: quinn::Connection,
    endpoint: quinn::Endpoint,
    socket: Arc<Watched>,
    chain: Vec<CertificateDer<'static>>,
    server_name: String,
    handshake: Duration,
}

/// That the chain of a visit was judged, and how. Only [`Visit::believe`] makes one.
pub struct Belief(());

/// What the connection has found out about the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// From the first packet to the open connection.
    pub handshake: Duration,
    /// The box had the address proven first (RFC 9000, 8.1.2): it has many handshakes under way, or had many from here.
    pub retried: bool,
    /// The least round trip of this connection.
    pub round_trip: Duration,
    /// The largest packet known to pass, in bytes of UDP payload. At least 1,200; it may be more than was tried.
    pub mtu: u16,
    /// Packets sent.
    pub sent: u64,
    /// Of them lost, those that only looked for the largest size left out.
    pub lost: u64,
}

/// What the box says to `Hello`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The facility's name, as the box has it: foreign text.
    pub facility: String,
    /// The box's clock less this machine's, in milliseconds: positive when the box is ahead. Good to half of
    /// [`Greeting::took`].
    pub ahead_ms: i64,
    /// From question to answer.
    pub took: Duration,
    /// Asked from the guest network, where nobody of the staff signs in.
    pub guest: bool,
}

/// The addresses of a box's name, in the order in which a client tries them; four at most.
pub async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, Unresolved> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port));
    let found = tokio::time::timeout(RESOLVE_TIME_MAX, found).await.map_err(|_| Unresolved::Slow)?;
    let found: Vec<SocketAddr> = found.map_err(|_| Unresolved::Unknown)?.take(ADDRESSES_MAX).collect();
    if found.is_empty() { Err(Unresolved::Unknown) } else { Ok(found) }
}

/// Connects as far as the handshake goes. `server_name` is sent when it is a DNS name.
pub async fn visit(at: SocketAddr, server_name: &str) -> Result<Visit, NoHandshake> {
    let failed = |error: &dyn std::fmt::Display| NoHandshake::Socket(error.to_string());
    let socket = Watched::bind(at).map_err(|error| failed(&error))?;
    let runtime = Arc::new(quinn::TokioRuntime);
    let config = quinn::EndpointConfig::default();
    let endpoint = quinn::Endpoint::new_with_abstract_socket(config, None, socket.clone(), runtime);
    let endpoint = endpoint.map_err(|error| failed(&error))?;
    let began = Instant::now();
    let config = config_of_a_looker().map_err(|error| failed(&error))?;
    let connecting = endpoint.connect_with(config, at, server_name).map_err(|error| failed(&error))?;
    let quic = match tokio::time::timeout(HANDSHAKE_TIME_MAX, connecting).await {
        Err(_) => return Err(NoHandshake::Silent),
        Ok(Err(error)) => return Err(why_not(&error)),
        Ok(Ok(quic)) => quic,
    };
    let handshake = began.elapsed();
    let spoken = quic.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    if spoken.and_then(|data| data.protocol).as_deref() != Some(ALPN) {
        return Err(NoHandshake::OtherProtocol);
    }
    let chain = quic.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    let chain = chain.map(|chain| *chain).unwrap_or_default();
    Ok(Visit { quic, endpoint, socket, chain, server_name: server_name.to_owned(), handshake })
}

impl Visit {
    /// The certificates as the box sent them: leaf, issuing, root.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Whether this is the box: judges the chain for the name of the visit, as [`Trust`] does, as of `now`. Without a root
    /// that was named beforehand, the chain is judged under the last certificate that it brings itself: that shows a box
    /// with its papers in order, and not whose box it is.
    pub fn believe(&self, root: Option<&Root>, now: UnixTime) -> Result<Belief, TrustError> {
        let (leaf, rest) = self.chain.split_first().ok_or(TrustError::OtherRoot)?;
        let root = match root {
            Some(root) => root.clone(),
            None => Root::Pinned(sha256(rest.last().ok_or(TrustError::OtherRoot)?)),
        };
        Trust::new(root, &self.server_name).check(leaf, rest, now).map(|()| Belief(()))
    }

    /// Says `Hello`, as no device, and hears the welcome.
    pub async fn greet(&self, _: &Belief) -> Result<Greeting, Error> {
        let mut connection = Connection::over(self.quic.clone()).await?;
        let (asked_at, asked) = (clock::now_ms(), Instant::now());
        let welcome = signin::hello(&mut connection, None).await?;
        let took = asked.elapsed();
        let half = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
        let ahead_ms = welcome.box_time.saturating_sub(asked_at.saturating_add(half));
        let greeting = Greeting { facility: welcome.facility, ahead_ms, took, guest: welcome.guest };
        self.settle().await;
        Ok(greeting)
    }

    /// The way so far.
    pub fn way(&self) -> Way {
        let path = self.quic.stats().path;
        Way {
            handshake: self.handshake,
            retried: self.socket.retried(),
            round_trip: path.min_rtt,
            mtu: path.current_mtu,
            sent: path.sent_packets,
            lost: path.lost_packets,
        }
    }

    /// Lets quinn find out how large packets may be, for half a second at most.
    async fn settle(&self) {
        let found = async {
            while self.quic.stats().path.current_mtu < MTU_ENOUGH && self.quic.close_reason().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(MTU_TIME_MAX, found).await;
    }

    /// Takes leave, and waits until that is sent.
    pub async fn leave(self) {
        self.quic.close(wardline_core::refusal::CloseCode::DONE.0.into(), b"");
        let _ = tokio::time::timeout(MTU_TIME_MAX, self.endpoint.wait_idle()).await;
    }
}

/// Whether an address is written as a number and needs no name service.
pub fn is_literal(address: &Address) -> bool {
    address.host.parse::<IpAddr>().is_ok()
}

fn why_not(error: &quinn::ConnectionError) -> NoHandshake {
    let alert = quinn::TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL);
    match error {
        quinn::ConnectionError::VersionMismatch => NoHandshake::OtherVersion,
        quinn::ConnectionError::TimedOut => NoHandshake::Silent,
        quinn::ConnectionError::ConnectionClosed(close) if close.error_code == alert => {
            NoHandshake::OtherProtocol
        }
        quinn::ConnectionError::TransportError(error) if error.code == alert => NoHandshake::OtherProtocol,
        quinn::ConnectionError::ConnectionClosed(close)
            if close.error_code == quinn::TransportErrorCode::CONNECTION_REFUSED =>
        {
            NoHandshake::Refused
        }
        other => NoHandshake::Closed(close_text(other)),
    }
}

/// TLS as [`Trust::tls`] has it, but for the chain, which is looked at once it is there.
fn config_of_a_looker() -> Result<quinn::ClientConfig, rustls::Error> {
    let provider = Arc::new(provider::default_provider());
    let looker = Looker(provider.signature_verification_algorithms);
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(looker))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.resumption = rustls::client::Resumption::disabled();
    let quic = QuicClientConfig::try_from(tls).map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut transport = quinn::TransportConfig::default();
    transport.max_concurrent_bidi_streams(0u8.into());
    transport.max_concurrent_uni_streams(0u8.into());
    transport.datagram_receive_buffer_size(None);
    let mut config = quinn::ClientConfig::new(Arc::new(quic));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Takes any chain, and lets nobody pass who does not hold the leaf's key.
#[derive(Debug)]
struct Looker(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // Judged by `Visit::believe` before anything is said.
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
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
