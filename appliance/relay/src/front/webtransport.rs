//! WebTransport over HTTP/3 (draft-ietf-webtrans-http3, as browsers speak it) on the QUIC endpoint: one session on a connection, in it
//! one stream that is the control stream of a native client, and beside it the streams of files.
//!
//! It refuses: any request but a CONNECT for a session at [`PATH`]; a page of another origin; a second session, and any stream of two
//! directions that is not of the session. What comes on streams of one direction is thrown away, and a client that says more there than
//! [`ASIDE_MAX`] is put out: of HTTP/3 nothing else matters here (QPACK's table has no room, so requests need none of it). Datagrams
//! are announced because browsers want that, and dropped.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::BytesMut;
use hyper::StatusCode;
use quinn::{Connection, RecvStream, SendStream, VarInt};
use wardline_core::input::Door;
use wardline_core::refusal::CloseCode;
use web_transport_proto::{Capsule, ConnectRequest, ConnectResponse, Frame, Settings, VarInt as H3Int};

use super::admission::source;
use super::connection::{Carrier, Context, serve};
use super::names::Names;
use super::origin::{self, Refused};
use super::quic::{LAST_WORDS_MAX, STREAM_WINDOW};
use super::socket::PATH;
use super::transfer::{self, REQUEST_TIME_MAX, TRANSFERS_MAX};
use crate::config::{Zones, least};
use crate::lane::Lane;

/// What browsers speak.
pub(super) const ALPN: &[u8] = b"h3";
/// Streams of one direction: HTTP/3's control stream and QPACK's two (RFC 9114, 6.2; RFC 9204, 4.2).
pub(super) const ONE_WAY_MAX: u32 = 3;
/// The session's CONNECT, and the control stream; files come on top once somebody has signed in.
const BOTH_WAYS_MAX: u32 = 2;
/// Bytes of a client beside its control stream, for as long as it is connected: browsers say some 200.
const ASIDE_MAX: usize = 64 * 1024;
/// What an aside costs that says nothing.
const ASIDE_MIN: usize = 256;
/// RFC 9114, 8.1.
const NO_ERROR: VarInt = VarInt::from_u32(0x100);
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(0x107);
const REQUEST_REJECTED: VarInt = VarInt::from_u32(0x10b);

/// A connection that ends with whoever has this: those who read what comes aside hold it as well.
struct Held(Connection);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close(NO_ERROR, b"");
    }
}

/// A session with its control stream.
pub(super) struct Session {
    connection: Held,
    /// The box's own words about HTTP/3: a connection ends when this stream does (RFC 9114, 6.2.1).
    settings: SendStream,
    /// What is said about the session as a whole.
    connect: SendStream,
    send: SendStream,
    receive: RecvStream,
    /// What streams of the session name it by: the CONNECT's identifier.
    name: u64,
    binding: [u8; 32],
    origin: String,
    /// The box ends it: that the other end's half of the CONNECT ends as well is no news then.
    ending: Arc<AtomicBool>,
}

/// HTTP/3, the session and its control stream, on a connection that was served this leaf. `None`: it came to nothing, and whoever
/// asked was told.
pub(super) async fn meet(connection: Connection, leaf: [u8; 32], names: &Names) -> Option<Session> {
    connection.set_max_concurrent_bi_streams(VarInt::from_u32(BOTH_WAYS_MAX));
    let held = Held(connection.clone());
    let aside = Aside { connection: connection.clone(), left: Arc::new(AtomicUsize::new(ASIDE_MAX)) };
    tokio::spawn(aside.clone().run());

    let mut said = Settings::default();
    said.enable_webtransport(1);
    let mut settings = connection.open_uni().await.ok()?;
    said.write(&mut settings).await.ok()?;

    let (mut connect, mut rest) = connection.accept_bi().await.ok()?;
    let asked = match ConnectRequest::read(&mut rest).await {
        Ok(request) => own(&request).map(str::to_owned).and_then(|origin| {
            // The hash of its certificate is all that a browser looks at here: not the name.
            if names.is_this_box(origin::host(&origin)) { Ok(origin) } else { Err(origin::STRANGE) }
        }),
        Err(_) => Err(Refused(StatusCode::BAD_REQUEST, "no CONNECT for a session")),
    };
    let origin = match asked {
        Ok(origin) => origin,
        Err(Refused(status, why)) => {
            tracing::debug!(%status, why, "no session");
            ConnectResponse::new(status).write(&mut connect).await.ok()?;
            say_last(&mut connect).await;
            return None;
        }
    };
    ConnectResponse::OK.write(&mut connect).await.ok()?;
    let name = VarInt::from(connect.id()).into_inner();
    let ending = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&ending);
    tokio::spawn(async move {
        aside.throw_away(rest).await;
        // Whoever ends this stream has left the session.
        if !ends.load(Ordering::Relaxed) {
            aside.connection.close(NO_ERROR, b"");
        }
    });

    loop {
        let (send, mut receive) = connection.accept_bi().await.ok()?;
        if is_of(name, &mut receive).await {
            let binding = origin::leaf_binding(&origin, &leaf);
            return Some(Session {
                connection: held,
                settings,
                connect,
                send,
                receive,
                name,
                binding,
                origin,
                ending,
            });
        }
        // Never more than one at a time, and only until there is the control stream.
        reject(send, receive);
    }
}

/// The origin of a request that may have its session.
fn own(request: &ConnectRequest) -> Result<&str, Refused> {
    if request.url.path() != PATH || request.url.query().is_some() {
        return Err(Refused(StatusCode::NOT_FOUND, "There is no session at this address."));
    }
    // As the URL's standard has it, without the port that goes without saying: as browsers write origins.
    origin::own(&request.headers, request.url.authority())
}

/// Whether a stream belongs to the session of this name: its first two numbers say so.
async fn is_of(name: u64, receive: &mut RecvStream) -> bool {
    let Ok(kind) = H3Int::read(receive).await else { return false };
    if Frame(kind) != Frame::WEBTRANSPORT {
        return false;
    }
    H3Int::read(receive).await.is_ok_and(|named| named.into_inner() == name)
}

/// Of another session, or something of HTTP.
fn reject(mut send: SendStream, mut receive: RecvStream) {
    let _ = send.reset(REQUEST_REJECTED);
    let _ = receive.stop(REQUEST_REJECTED);
}

/// Takes streams of the session, each for a file, until the connection ends.
async fn take_files(context: Arc<Context>, lane: Arc<Lane>, connection: Connection, name: u64) {
    while let Ok((send, mut receive)) = connection.accept_bi().await {
        let (context, lane) = (Arc::clone(&context), Arc::clone(&lane));
        tokio::spawn(async move {
            match tokio::time::timeout(REQUEST_TIME_MAX, is_of(name, &mut receive)).await {
                Ok(true) => transfer::one(context, lane, send, receive).await,
                _ => reject(send, receive),
            }
        });
    }
}

/// Serves a session to its end.
pub(super) async fn carry(session: Session, from: IpAddr, zones: &Zones, context: &Arc<Context>) {
    let Session { connection, settings, mut connect, mut send, mut receive, name, binding, origin, ending } =
        session;
    // As with native clients.
    let door = || Door::Network(least(zones.of(from), zones.of(connection.0.remote_address().ip())));
    let widen = |lane: &Arc<Lane>, _| {
        let connection = connection.0.clone();
        connection.set_receive_window(VarInt::from_u32((1 + TRANSFERS_MAX) * STREAM_WINDOW));
        connection.set_max_concurrent_bi_streams(VarInt::from_u32(BOTH_WAYS_MAX + TRANSFERS_MAX));
        tokio::spawn(take_files(Arc::clone(context), Arc::clone(lane), connection, name));
    };
    let (exporter, origin) = (Some(binding), Some(origin));
    let carrier = Carrier { door, source: source(from), exporter, origin, signed_in: widen };
    let code = serve(context, carrier, &mut receive, &mut send).await;
    if send.finish().is_ok() {
        // A browser forgets what its page has not read when the session closes: so the page reads to the end, and says so by ending
        // its own side.
        let read = async { while let Ok(Some(_)) = receive.read_chunk(usize::MAX, true).await {} };
        let _ = tokio::time::timeout(LAST_WORDS_MAX, read).await;
    }
    ending.store(true, Ordering::Relaxed);
    // A client that takes nothing in on this stream is told nothing.
    let _ = tokio::time::timeout(LAST_WORDS_MAX, close(&mut connect, code)).await;
    // A browser tells its page of a lost connection, and not of the code, when the one comes close behind the other: the other end hangs
    // up, as soon as it has told.
    let _ = tokio::time::timeout(LAST_WORDS_MAX, connection.0.closed()).await;
    drop((connection, settings));
}

/// Ends the session with the protocol's code.
async fn close(connect: &mut SendStream, code: CloseCode) {
    let (mut capsule, mut frame) = (BytesMut::new(), BytesMut::new());
    Capsule::CloseWebTransportSession { code: code.0, reason: String::new() }.encode(&mut capsule);
    Frame::DATA.encode(&mut frame);
    H3Int::from(u32::try_from(capsule.len()).unwrap_or(0)).encode(&mut frame);
    frame.extend_from_slice(&capsule);
    if connect.write_all(&frame).await.is_ok() {
        say_last(connect).await;
    }
}

/// Ends a stream, and waits for a moment until it has arrived.
async fn say_last(stream: &mut SendStream) {
    if stream.finish().is_ok() {
        let _ = tokio::time::timeout(LAST_WORDS_MAX, stream.stopped()).await;
    }
}

/// What comes beside the control stream, and how much more of it may.
#[derive(Clone)]
struct Aside {
    connection: Connection,
    left: Arc<AtomicUsize>,
}

impl Aside {
    /// Takes streams of one direction until the connection ends.
    async fn run(self) {
        while let Ok(stream) = self.connection.accept_uni().await {
            let aside = self.clone();
            tokio::spawn(async move { aside.throw_away(stream).await });
        }
    }

    /// Reads to the end. A stream that is dropped would be stopped, which HTTP/3 takes for an error.
    async fn throw_away(&self, mut stream: RecvStream) {
        let mut said = ASIDE_MIN;
        loop {
            let paid =
                self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(said));
            if paid.is_err() {
                return self.connection.close(EXCESSIVE_LOAD, b"");
            }
            match stream.read_chunk(usize::MAX, true).await {
                Ok(Some(chunk)) => said = chunk.bytes.len(),
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{self, HeaderValue};

    use super::*;

    fn asked(url: &str, origin: Option<&'static str>) -> Result<String, u16> {
        let mut request = ConnectRequest::new(url.parse::<url::Url>().unwrap());
        if let Some(origin) = origin {
            request = request.with_header(header::ORIGIN, HeaderValue::from_static(origin));
        }
        own(&request).map(str::to_owned).map_err(|refused| refused.0.as_u16())
    }

    #[test]
    fn only_a_page_of_this_address_gets_the_one_session() {
        let here = "https://box.example:8443";
        assert_eq!(asked("https://box.example:8443/wardline/1", Some(here)), Ok(here.to_owned()));
        let usual = "https://box.example";
        assert_eq!(asked("https://box.example:443/wardline/1", Some(usual)), Ok(usual.to_owned()));
        for path in ["/", "/wardline/2", "/wardline/1/", "/wardline/1?x"] {
            assert_eq!(asked(&format!("{here}{path}"), Some(here)), Err(404), "{path}");
        }
        let at = "https://box.example:8443/wardline/1";
        assert_eq!(asked(at, None), Err(400));
        for other in ["https://evil.example", "http://box.example:8443", "https://box.example", "null"] {
            assert_eq!(asked(at, Some(other)), Err(403), "{other}");
        }
    }
}
