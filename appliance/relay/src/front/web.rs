//! The browser's doorway: HTTPS (RFC 9112 over TLS 1.3) on the TCP port of the same number. It serves the app and takes a
//! WebSocket to the same sessions ([`super::socket`]); and it tells pages the hashes by which they reach [`super::webtransport`].
//!
//! It refuses: any method but GET and HEAD, a request with a body, a host that is missing; to speak TLS 1.2; to keep a
//! connection that nobody signs in on for longer than [`VISIT_MAX`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::admission::{Admission, Pace, SourceLimit, Verdict, source};
use super::assets;
use super::certificates::Certificates;
use super::connection::Context;
use super::file_socket;
use super::names::Names;
use super::places::{Place, Places};
use super::quic::{HANDSHAKE_TIME_MAX, OpenError, tls};
use super::socket;
use super::trust::RootFiles;
use crate::config::Zones;

/// Told to browsers that come by a name of the box (RFC 6797): from then on they offer no way past a certificate that they do not
/// believe. Thirty days: longer than a holiday, and no longer than a building can wait whose box was replaced by one with another root.
const BY_NAME_ONLY: &str = "max-age=2592000";
/// From the first byte of a request to the end of its headers, and between two requests of a connection.
const HEADERS_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a connection may be used for reading pages: the whole app over 64 kbit/s takes 20 s.
const VISIT_MAX: Duration = Duration::from_secs(60);
/// What is read of a connection before it must make sense: headers of a browser take 1 kB. hyper takes no less than 8 KiB.
const READ_AHEAD: usize = 8 * 1024;
/// Headers of a request; browsers send some 20.
const HEADERS_MAX: usize = 64;
/// Handshakes under way: 20 kB each, 10 MB.
const HANDSHAKES_MAX: usize = 512;

/// Where a page learns by which hashes its browser knows this box.
const CERTIFICATES: &str = "/wardline/1/certificates";

/// An open doorway.
pub struct Web {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    names: Arc<Names>,
    root: Arc<RootFiles>,
}

/// Listens, over TLS with the certificate that was imported for a name, or with the one that the other doorway has.
pub async fn open(address: SocketAddr, names: Arc<Names>, root: RootFiles) -> Result<Web, OpenError> {
    let config = tls(Arc::clone(&names) as _, &[b"http/1.1"])?;
    let listener =
        TcpListener::bind(address).await.map_err(|source| OpenError::Listen { address, source })?;
    let (acceptor, root) = (TlsAcceptor::from(Arc::new(config)), Arc::new(root));
    Ok(Web { listener, acceptor, names, root })
}

/// What every connection has of its own.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) context: Arc<Context>,
    pub(super) zones: Arc<Zones>,
    pub(super) from: IpAddr,
    pub(super) place: Arc<Place>,
    pub(super) names: Arc<Names>,
    /// The name by which the page was asked for (RFC 6066, 3).
    asked: Option<Arc<str>>,
    root: Arc<RootFiles>,
    /// Held until the last of it is gone, so that the process can wait for that.
    pub(super) leaving: mpsc::Sender<()>,
}

/// Accepts until the task ends; handshakes begin at the pace of the other doorway. `leaving` closes when the last connection has
/// ended.
pub async fn run(
    web: Web,
    zones: Arc<Zones>,
    limit: SourceLimit,
    context: Arc<Context>,
    leaving: mpsc::Sender<()>,
) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut pace = Pace::new(cores, Instant::now());
    let mut admission = Admission::new(limit);
    let under_way = Arc::new(AtomicUsize::new(0));
    let places = Arc::new(Places::default());
    loop {
        tokio::time::sleep_until(pace.due().into()).await;
        let Ok((stream, from)) = web.listener.accept().await else {
            // Out of descriptors, or the peer is gone already: neither is better for being asked again at once.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        context.metrics.handshakes_total.one();
        let from = from.ip().to_canonical();
        let busy = under_way.load(Ordering::Relaxed) >= HANDSHAKES_MAX;
        // TCP has validated the address.
        let welcome = !busy && admission.of(source(from), true, 0, false) == Verdict::Accept;
        let Some(place) = welcome.then(|| places.take(source(from))).flatten() else {
            context.metrics.handshakes_dropped_total.one();
            continue;
        };
        pace.began(Instant::now());
        let (context, zones) = (Arc::clone(&context), Arc::clone(&zones));
        let (names, root) = (Arc::clone(&web.names), Arc::clone(&web.root));
        let (place, leaving) = (Arc::new(place), leaving.clone());
        let visit = Visit { context, zones, from, place, names, asked: None, root, leaving };
        under_way.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(visited(visit, stream, web.acceptor.clone(), Arc::clone(&under_way)));
    }
}

async fn visited(mut visit: Visit, stream: TcpStream, acceptor: TlsAcceptor, under_way: Arc<AtomicUsize>) {
    // A frame is small, and somebody waits for it.
    let _ = stream.set_nodelay(true);
    let shaken = tokio::time::timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream)).await;
    under_way.fetch_sub(1, Ordering::Relaxed);
    let Ok(Ok(stream)) = shaken else {
        visit.context.metrics.handshakes_failed_total.one();
        return;
    };
    visit.asked = stream.get_ref().1.server_name().map(Arc::from);
    let answer = service_fn(|request| {
        let answered = answer(&visit, request);
        async move { Ok::<_, std::convert::Infallible>(answered) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME_MAX)
        .max_buf_size(READ_AHEAD)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    // Whatever ends it, there is nobody to tell.
    let _ = tokio::time::timeout(VISIT_MAX, served).await;
}

pub(super) type Answer = Response<Full<Bytes>>;

fn answer(visit: &Visit, request: Request<Incoming>) -> Answer {
    let mut answer = if request.headers().get(header::HOST).is_none() {
        plain(StatusCode::BAD_REQUEST, "The request names no host.")
    } else if !request.body().is_end_stream() {
        plain(StatusCode::PAYLOAD_TOO_LARGE, "No request to this address has a body.")
    } else if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.");
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        refused
    } else if request.uri().path() == socket::PATH {
        socket::upgrade(visit, request)
    } else if request.uri().path() == file_socket::PATH {
        file_socket::upgrade(visit, request)
    } else if let Some(mut made) = made(visit, request.uri().path()) {
        if request.method() == Method::HEAD {
            *made.body_mut() = Full::default();
        }
        made
    } else {
        assets::serve(&request)
    };
    assets::harden(answer.headers_mut());
    if visit.asked.as_deref().is_some_and(|name| visit.names.is_this_box(name)) {
        answer
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(BY_NAME_ONLY));
    }
    answer
}

/// What is no file of the app.
fn made(visit: &Visit, path: &str) -> Option<Answer> {
    if path == CERTIFICATES {
        return Some(hashes(visit.names.leaf()));
    }
    let named = visit.asked.as_deref().is_some_and(|name| visit.names.serves(name));
    visit.root.at(path, named)
}

/// SHA-256 of the leaf being served and of the next one, in hexadecimal, and when the first ends: no secret, and soon another one.
fn hashes(certificates: &Certificates) -> Answer {
    let quoted = |hash: [u8; 32]| {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    };
    let all: Vec<String> = certificates.hashes().now().into_iter().map(quoted).collect();
    let until = certificates.not_after().saturating_mul(1_000);
    let json = format!("{{\"hashes\":[{}],\"until\":{until}}}", all.join(","));
    let mut answer = Response::new(Full::new(Bytes::from(json)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A short text, for whoever looks at it by hand.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
