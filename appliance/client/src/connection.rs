//! One connection: QUIC, its control stream, frames. Knows nothing of sessions.
//!
//! Keep-alive: a ping every 10 s of silence, and a connection without any answer for 60 s is dead. Access points and
//! firewalls forget a UDP flow after 30 s of silence, some sooner (RFC 9308, 3.2), so 10 s keeps one open with two pings
//! lost; it also bounds how long a box that lost its memory goes unnoticed ([`crate::agent`]). It costs 8 bytes a second
//! while the program runs. A phone in standby runs no timers and sends nothing, and says
//! [`crate::Client::network_changed`] when it wakes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use wardline_core::limits;
use wardline_core::refusal::CloseCode;
use wardline_core::wire::{self, PREFIX, proto};

use crate::congestion::Floor;
use crate::error::{CloseText, Error, TrustError, Unreachable};
use crate::link::Address;
use crate::trust::Trust;

const KEEP_ALIVE: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// What a round trip is thought to take before one was measured. RFC 9002 (6.2.2) has 333 ms, for the whole world; the box
/// is in the building, and a first packet that is lost on bad radio is repeated after three times this.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// For one address of the box to answer. Five first packets under QUIC's own retries (0.3, 0.9, 2.1 and 4.5 s).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(7);
/// What may have come on one stream and not be read yet: half of what the box has under way to one client, so that a file does not hold
/// up a message.
const STREAM_WINDOW: u32 = 128 * 1024;
/// Frames that may wait in either direction; what comes is held back by QUIC's flow control beyond.
const FRAMES_WAITING: usize = 256;
const LABEL: &[u8] = b"EXPORTER-wardline-1";

/// Where connections start from. Kept over reconnects so that it can be bound anew when the network changes.
pub(crate) struct Endpoint(quinn::Endpoint);

/// An established connection.
pub(crate) struct Connection {
    /// What the box sends. Ends with the connection; [`Connection::why_closed`] knows the reason then.
    pub(crate) frames: mpsc::Receiver<Result<proto::ServerFrame, Broken>>,
    /// What goes to the box, in this order.
    pub(crate) outgoing: mpsc::Sender<proto::ClientFrame>,
    /// The keying material that ties a proof to this connection.
    pub(crate) exporter: [u8; 32],
    written: tokio::task::JoinHandle<()>,
    quic: quinn::Connection,
}

/// Why no more frames come.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The box sent what is no frame.
    Malformed,
    /// The stream ended.
    Ended,
}

impl Endpoint {
    pub(crate) fn new() -> Result<Self, Unreachable> {
        // Both families on one socket; a machine without IPv6 gets the other.
        let endpoint = quinn::Endpoint::client((Ipv6Addr::UNSPECIFIED, 0).into())
            .or_else(|_| quinn::Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into()));
        endpoint.map(Self).map_err(|error| Unreachable::Socket(error.to_string()))
    }

    /// Moves what is open to a fresh socket: the network under us changed. The box sees the connection migrate.
    pub(crate) fn rebind(&self) -> Result<(), Unreachable> {
        let failed = |error: std::io::Error| Unreachable::Socket(error.to_string());
        let ipv6 = self.0.local_addr().map_err(failed)?.is_ipv6();
        let any: SocketAddr =
            if ipv6 { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
        self.0.rebind(UdpSocket::bind(any).map_err(failed)?).map_err(failed)
    }

    /// Connects to the first address of the box that answers.
    pub(crate) async fn connect(&self, address: &Address, trust: &Arc<Trust>) -> Result<Connection, Error> {
        let config = client_config(trust)?;
        let unknown = || Unreachable::Name(address.host.clone());
        let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| unknown())?.collect();
        let mut failure = Error::Unreachable(unknown());
        for at in found {
            match self.connect_to(at, &config, address, trust).await {
                Ok(connection) => return Ok(connection),
                // Another address of a name that leads to a stranger is not tried: somebody is at work there.
                Err(error @ Error::Untrusted(_)) => return Err(error),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect_to(
        &self,
        at: SocketAddr,
        config: &quinn::ClientConfig,
        address: &Address,
        trust: &Trust,
    ) -> Result<Connection, Error> {
        let silent = || Unreachable::Silent(address.to_string());
        let connecting = self.0.connect_with(config.clone(), at, trust.name());
        let connecting = connecting.map_err(|error| Unreachable::Socket(error.to_string()))?;
        let quic = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Err(_) => return Err(silent().into()),
            Ok(Ok(quic)) => quic,
            Ok(Err(error)) => {
                return Err(match (trust.take_failure(), error) {
                    (Some(failure), _) => Error::Untrusted(failure),
                    (None, quinn::ConnectionError::TimedOut) => silent().into(),
                    (None, error) => Unreachable::Closed(close_text(&error)).into(),
                });
            }
        };
        Connection::over(quic).await
    }
}

impl Connection {
    /// Opens the control stream of a connection that has its handshake behind it.
    pub(crate) async fn over(quic: quinn::Connection) -> Result<Self, Error> {
        let closed = |error: quinn::ConnectionError| Unreachable::Closed(close_text(&error));
        let mut exporter = [0; 32];
        quic.export_keying_material(&mut exporter, LABEL, b"")
            .map_err(|_| Error::Protocol("no TLS exporter"))?;
        let (mut send, receive) = quic.open_bi().await.map_err(closed)?;
        let (outgoing, to_send) = mpsc::channel(FRAMES_WAITING);
        let (received, frames) = mpsc::channel(FRAMES_WAITING);
        let written = tokio::spawn(async move {
            write_frames(&mut send, to_send).await;
            // Acknowledged, or refused: either way no more is to be done for it.
            if send.finish().is_ok() {
                let _ = send.stopped().await;
            }
        });
        tokio::spawn(read_frames(receive, received));
        Ok(Self { frames, outgoing, exporter, written, quic })
    }

    /// Waits until the box has what was sent; no more can be sent then.
    pub(crate) async fn finish(&mut self) {
        let (nowhere, _) = mpsc::channel(1);
        // The writer finishes its stream when there is nobody left to write for.
        drop(std::mem::replace(&mut self.outgoing, nowhere));
        let _ = (&mut self.written).await;
    }

    /// Frames sent that the box must acknowledge; and acknowledgements and stream frames received, which only a box that
    /// knows this connection sends. (A bare acknowledgement of ours is not acknowledged in its turn.)
    pub(crate) fn traffic(&self) -> (u64, u64) {
        let stats = self.quic.stats();
        let (sent, received) = (stats.frame_tx, stats.frame_rx);
        // A probe repeats whatever is oldest: an identifier as well as a message.
        let identifiers = sent.new_connection_id + sent.retire_connection_id + sent.path_response;
        let windows = sent.max_data + sent.max_stream_data;
        (sent.stream + sent.ping + identifiers + windows, received.acks + received.stream)
    }

    /// How long an acknowledgement may take before this end asks for another: three round trips, so that QUIC's own first
    /// probe comes before (an echo would put it off); half a second at least, for busy machines, and a second at most.
    pub(crate) fn patience(&self) -> Duration {
        (self.quic.rtt() * 3).clamp(Duration::from_millis(500), Duration::from_secs(1))
    }

    /// For streams of their own.
    pub(crate) fn quic(&self) -> quinn::Connection {
        self.quic.clone()
    }

    /// The box's address.
    pub(crate) fn remote(&self) -> SocketAddr {
        self.quic.remote_address()
    }

    /// Whether it has ended, and then whether by somebody's word: a reset or a close, not by mere silence.
    pub(crate) fn ended(&self) -> Option<bool> {
        let silent = |why| matches!(why, quinn::ConnectionError::TimedOut);
        self.quic.close_reason().map(|why| !silent(why))
    }

    /// Leaves politely.
    pub(crate) fn close(&self) {
        self.quic.close(CloseCode::DONE.0.into(), b"");
    }

    /// Why the connection ended. For use once `frames` has ended.
    pub(crate) async fn why_closed(&self) -> CloseText {
        // A stream that the box finished without closing the connection: it is of no more use.
        let closed = tokio::time::timeout(Duration::from_millis(500), self.quic.closed()).await;
        self.close();
        match closed {
            Ok(error) => close_text(&error),
            Err(_) => CloseText::Transport("the box ended its stream".to_owned()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.0.close(CloseCode::DONE.0.into(), b"");
    }
}

/// The address from which this device would reach another now, or `None` without a way there. Sends nothing: the system
/// chooses the way when a UDP socket is told its peer (RFC 6724, 5).
pub(crate) fn source_towards(at: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr =
        if at.is_ipv6() { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(at).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn client_config(trust: &Arc<Trust>) -> Result<quinn::ClientConfig, TrustError> {
    let bad = |error: &dyn std::fmt::Display| TrustError::BadChain(error.to_string());
    let quic = QuicClientConfig::try_from(trust.tls()?).map_err(|error| bad(&error))?;
    let mut transport = quinn::TransportConfig::default();
    transport.keep_alive_interval(Some(KEEP_ALIVE));
    transport.max_idle_timeout(IDLE_TIMEOUT.try_into().ok());
    transport.initial_rtt(INITIAL_RTT);
    // 1,200 bytes pass wherever QUIC does. Longer packets would be lost in a network that is narrower than the one in
    // which their length was found, and nothing says so: a client sends too little to gain from them.
    transport.mtu_discovery_config(None);
    transport.congestion_controller_factory(Arc::new(Floor));
    // The box opens no streams and sends no datagrams.
    transport.max_concurrent_bidi_streams(0u8.into());
    transport.max_concurrent_uni_streams(0u8.into());
    // A file that comes must leave room for what the control stream brings: the box has at most 256 KiB unacknowledged of all.
    transport.stream_receive_window(STREAM_WINDOW.into());
    transport.datagram_receive_buffer_size(None);
    let mut config = quinn::ClientConfig::new(Arc::new(quic));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

pub(crate) fn close_text(error: &quinn::ConnectionError) -> CloseText {
    match error {
        quinn::ConnectionError::ApplicationClosed(close) => {
            CloseText::Code(CloseCode(u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX)))
        }
        // Without the reason in the other end's words: it may not be the box yet, and its words go to a terminal.
        quinn::ConnectionError::ConnectionClosed(close) => CloseText::Transport(close.error_code.to_string()),
        quinn::ConnectionError::TransportError(error) => CloseText::Transport(error.code.to_string()),
        other => CloseText::Transport(other.to_string()),
    }
}

/// Writes frames as they come, those that wait together in one go.
pub(crate) async fn write_frames(
    mut into: impl AsyncWrite + Unpin,
    mut frames: mpsc::Receiver<proto::ClientFrame>,
) {
    while let Some(frame) = frames.recv().await {
        let mut bytes = wire::encode_frame(&frame);
        while let Ok(frame) = frames.try_recv() {
            bytes.extend_from_slice(&wire::encode_frame(&frame));
        }
        if into.write_all(&bytes).await.is_err() || into.flush().await.is_err() {
            return;
        }
    }
}

/// Reads frames until the stream ends or brings something else.
pub(crate) async fn read_frames(
    mut from: impl AsyncRead + Unpin,
    into: mpsc::Sender<Result<proto::ServerFrame, Broken>>,
) {
    loop {
        let frame = read_frame(&mut from, limits::SERVER_FRAME_MAX).await;
        let last = frame.is_err();
        if into.send(frame).await.is_err() || last {
            return;
        }
    }
}

/// One frame of at most so many bytes.
pub(crate) async fn read_frame<F: prost::Message + Default>(
    from: &mut (impl AsyncRead + Unpin),
    max: usize,
) -> Result<F, Broken> {
    let mut prefix = [0; PREFIX];
    from.read_exact(&mut prefix).await.map_err(|_| Broken::Ended)?;
    let length = wire::frame_length(prefix, max).map_err(|_| Broken::Malformed)?;
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await.map_err(|_| Broken::Ended)?;
    F::decode(bytes.as_slice()).map_err(|_| Broken::Malformed)
}
