//! A WebSocket (RFC 6455) that carries a connection: binary messages, end to end the bytes that a QUIC stream would carry.
//!
//! What a proof is bound to is the page's origin, since browsers give out nothing of TLS: a page of another origin has another binding
//! and no key of ours. It refuses a page of another origin than the address that it was asked at, another subprotocol, text,
//! and messages longer than a frame may be.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink as _, SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as SocketCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use wardline_core::input::Door;
use wardline_core::limits;
use wardline_core::refusal::CloseCode;

use super::admission::source;
use super::connection::{Carrier, serve};
use super::names::Names;
use super::origin::{self, Refused, one};
use super::web::{Answer, Visit, plain};
use crate::lane::Lane;

/// Where it is asked for.
pub(super) const PATH: &str = "/wardline/1";
/// What both ends speak on it (RFC 6455, 1.9).
const SUBPROTOCOL: &str = "wardline.1";
/// Close codes of ours begin here (RFC 6455, 7.4.2: private use).
const CODES: u16 = 4_000;
/// A frame with its length.
const MESSAGE_MAX: usize = limits::CLIENT_FRAME_MAX + wardline_core::wire::PREFIX;
/// What is read ahead of one, once.
const READ_AHEAD: usize = 4 * 1024;
/// What waits to be written beside what the writer has gathered: 30,000 connections that nobody reads, 2 GB, which end after a
/// second's closing or when the keepalive finds them dead.
const UNSENT_MAX: usize = 64 * 1024;
/// Silence after which a connection is given up, as on QUIC. TCP alone would keep that of a phone that has left for ever; the app says
/// something every 10 s.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a close waits for the other end's.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);

pub(super) type Stream = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Answers a request for a socket, and begins to serve it.
pub(super) fn upgrade(visit: &Visit, request: Request<Incoming>) -> Answer {
    let visit = visit.clone();
    let names = Arc::clone(&visit.names);
    begin(&names, request, SUBPROTOCOL, |upgraded, page| tokio::spawn(carry(visit, upgraded, page)))
}

/// Answers a request for a socket of this subprotocol, and hands over what comes of it with its page.
pub(super) fn begin<Task>(
    names: &Names,
    mut request: Request<Incoming>,
    subprotocol: &'static str,
    serve: impl FnOnce(OnUpgrade, Page) -> Task,
) -> Answer {
    let asked = match Asked::read(request.headers(), subprotocol) {
        Ok(asked) => asked,
        Err(refused) => return plain(refused.0, refused.1),
    };
    if !names.is_this_box(origin::host(&asked.page.origin)) {
        return plain(origin::STRANGE.0, origin::STRANGE.1);
    }
    serve(hyper::upgrade::on(&mut request), asked.page);
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, asked.accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    answer
}

/// A request that may have its socket.
#[derive(Debug)]
struct Asked {
    accept: HeaderValue,
    page: Page,
}

/// The page that asked.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) binding: [u8; 32],
    pub(super) origin: String,
}

impl Asked {
    /// RFC 6455, 4.2.1, and an origin (RFC 6454, 7) that is this very address.
    fn read(headers: &HeaderMap, subprotocol: &str) -> Result<Self, Refused> {
        let wrong = |why| Refused(StatusCode::BAD_REQUEST, why);
        if !names(headers, header::UPGRADE, "websocket") || !names(headers, header::CONNECTION, "upgrade") {
            return Err(Refused(StatusCode::UPGRADE_REQUIRED, "This address takes WebSockets only."));
        }
        if one(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
            return Err(wrong("Only version 13 of WebSocket is spoken here."));
        }
        let key = one(headers, header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
        let key = key.ok_or(wrong("The WebSocket's key is missing or has a wrong length."))?;
        if !names(headers, header::SEC_WEBSOCKET_PROTOCOL, subprotocol) {
            return Err(wrong("The subprotocol that is spoken here is not among those that were offered."));
        }
        let host = one(headers, header::HOST).ok_or(wrong("The request names no host."))?;
        let origin = origin::own(headers, host)?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
            .map_err(|_| wrong("The WebSocket's key is none."))?;
        Ok(Self { accept, page: Page { binding: origin::binding(origin), origin: origin.to_owned() } })
    }
}

/// Whether a list (RFC 9110, 5.6.1) has this token, in any case.
fn names(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// The two halves of a socket, once there is one.
pub(super) async fn halves(upgraded: OnUpgrade) -> Option<(Reader<SplitStream<Stream>>, Writer)> {
    let upgraded = upgraded.await.ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_AHEAD)
        .write_buffer_size(0)
        .max_write_buffer_size(UNSENT_MAX)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let socket = Stream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (sink, stream) = socket.split();
    Some((Reader::new(stream), Writer { sink }))
}

async fn carry(visit: Visit, upgraded: OnUpgrade, page: Page) {
    let Some((mut reader, mut writer)) = halves(upgraded).await else { return };
    let Visit { context, zones, from, place, leaving, .. } = visit;
    let door = || Door::Network(zones.of(from));
    // Whoever has signed in is counted by the core; files come on sockets of their own.
    let mut named = None;
    let signed_in = |lane: &Arc<Lane>, challenge: [u8; 32]| {
        drop(place);
        named = Some(context.file_sessions.enter(&challenge, Arc::clone(lane)));
    };
    let (exporter, origin) = (Some(page.binding), Some(page.origin));
    let carrier = Carrier { door, source: source(from), exporter, origin, signed_in };
    let code = serve(&context, carrier, &mut reader, &mut writer).await;
    drop(named);
    close(code, reader, writer).await;
    drop(leaving);
}

/// RFC 6455, 7.1.2: says why, and waits for a moment to hear the same.
pub(super) async fn close(code: CloseCode, reader: Reader<SplitStream<Stream>>, writer: Writer) {
    let (mut stream, mut sink) = (reader.stream, writer.sink);
    let code = CODES.saturating_add(u16::try_from(code.0).unwrap_or(0));
    let frame = CloseFrame { code: SocketCode::from(code), reason: "".into() };
    let said = async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            // What still comes is of no interest any more.
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS_MAX, said).await;
}

/// The bytes that come; their end when none has come for [`IDLE_MAX`].
pub(super) struct Reader<S> {
    stream: S,
    rest: Bytes,
    idle: Pin<Box<Sleep>>,
}

impl<S> Reader<S> {
    fn new(stream: S) -> Self {
        Self { stream, rest: Bytes::new(), idle: Box::pin(tokio::time::sleep(IDLE_MAX)) }
    }
}

impl<S: futures_util::Stream<Item = Result<Message, Error>> + Unpin> AsyncRead for Reader<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        poller: &mut Poller<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            let next = match Pin::new(&mut self.stream).poll_next(poller) {
                Poll::Ready(next) => next,
                Poll::Pending => return self.idle.as_mut().poll(poller).map(Ok),
            };
            self.idle.as_mut().reset(Instant::now() + IDLE_MAX);
            match next {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let taken = self.rest.len().min(into.remaining());
        into.put_slice(&self.rest[..taken]);
        self.rest.advance(taken);
        Poll::Ready(Ok(()))
    }
}

/// The bytes that go, a message for each write.
pub(super) struct Writer {
    sink: SplitSink<Stream, Message>,
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        poller: &mut Poller<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.sink.poll_ready_unpin(poller)).map_err(broken)?;
        let now = &bytes[..bytes.len().min(UNSENT_MAX / 2)];
        Pin::new(&mut self.sink).start_send(Message::Binary(Bytes::copy_from_slice(now))).map_err(broken)?;
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.sink).poll_flush(poller).map_err(broken)
    }

    fn poll_shutdown(self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(poller)
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        _ => io::ErrorKind::InvalidData.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(change: impl FnOnce(&mut HeaderMap)) -> Result<Asked, Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::HOST, "box.example:8443"),
            (header::ORIGIN, "https://box.example:8443"),
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (header::SEC_WEBSOCKET_PROTOCOL, "wardline.1"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        change(&mut headers);
        Asked::read(&headers, SUBPROTOCOL)
    }

    /// RFC 6455, 1.3 has the key and its answer; the protocol page has the binding.
    #[test]
    fn a_page_of_this_address_is_let_in() {
        let asked = asked(|_| {}).unwrap();
        assert_eq!(asked.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let binding: String = asked.page.binding.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(binding, "c3b944db80d9db27f35c6022c1d94aafaac3da125ac5b19db5bac8550ea0bd29");
    }

    #[test]
    fn a_page_of_another_origin_is_not() {
        for origin in ["https://evil.example", "http://box.example:8443", "https://box.example", "null"] {
            let refused =
                asked(|headers| drop(headers.insert(header::ORIGIN, HeaderValue::from_static(origin))));
            assert_eq!(refused.unwrap_err().0, StatusCode::FORBIDDEN, "{origin}");
        }
        let two = asked(|headers| {
            headers.append(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        });
        assert_eq!(two.unwrap_err().0, StatusCode::BAD_REQUEST);
    }

    /// Time passes by itself where nothing else can happen (tokio's paused clock).
    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_for_a_minute_is_gone_and_who_says_something_is_not() {
        let began = Instant::now();
        let says = futures_util::stream::unfold(0, |said| async move {
            if said == 3 {
                return std::future::pending().await;
            }
            tokio::time::advance(IDLE_MAX - Duration::from_millis(1)).await;
            let what = if said == 1 { Message::Ping(Bytes::new()) } else { Message::binary(vec![said]) };
            Some((Ok(what), said + 1))
        });
        let mut reader = Reader::new(Box::pin(says));
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut bytes).await.unwrap();
        assert_eq!(bytes, [0, 2]);
        assert_eq!(began.elapsed().as_secs(), 239);
    }

    #[test]
    fn what_is_missing_is_said() {
        for (name, status) in [
            (header::ORIGIN, StatusCode::BAD_REQUEST),
            (header::HOST, StatusCode::BAD_REQUEST),
            (header::UPGRADE, StatusCode::UPGRADE_REQUIRED),
            (header::SEC_WEBSOCKET_KEY, StatusCode::BAD_REQUEST),
            (header::SEC_WEBSOCKET_VERSION, StatusCode::BAD_REQUEST),
            (header::SEC_WEBSOCKET_PROTOCOL, StatusCode::BAD_REQUEST),
        ] {
            let refused = asked(|headers| drop(headers.remove(&name)));
            assert_eq!(refused.unwrap_err().0, status, "{name}");
        }
    }
}
