//! One try at one push service: a connection of its own, one POST (RFC 8030 section 5), its status, and no more.
//!
//! HTTP/1.1, which every push service speaks, and TLS 1.3 with the roots that the command line names. What the answer says
//! besides its status and `Retry-After` is not read: nothing of it could matter, and it is foreign. No redirect is followed.
//! The request is written out here: seven headers and a body of constant length need no HTTP client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::endpoint::Endpoint;

/// How long a push service keeps a ring for a phone that it does not reach: after that, a STAT has long gone on to others.
pub const TTL_S: u32 = 5 * 60;
/// A ring takes the place of one that still waits (RFC 8030 section 5.4): a phone that comes back rings once.
pub const TOPIC: &str = "wardline";

/// The most bytes of a response's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The most lines of it.
const HEADERS_MAX: usize = 64;

/// What a push service said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it wants to be asked again, when it said so in seconds.
    pub retry_after: Option<Duration>,
}

/// Calls push services.
#[derive(Clone)]
pub struct Post {
    tls: TlsConnector,
}

impl Post {
    /// With the root certificates of a PEM file's bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when there is none in it.
    pub fn new(roots_pem: &[u8]) -> io::Result<Self> {
        let unsound = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let certificates = rustls_pki_types::CertificateDer::pem_slice_iter(roots_pem).filter_map(Result::ok);
        let mut roots = RootCertStore::empty();
        // One that rustls cannot use is a root less; none at all is refused.
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(unsound("no root certificate in the file of --roots"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| unsound("TLS 1.3 cannot be set up"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// One try. Whoever calls it bounds its time.
    ///
    /// # Errors
    /// What the network, TLS or HTTP reports.
    pub async fn send(&self, to: &Endpoint, authorization: &str, sealed: &[u8]) -> io::Result<Answer> {
        let stream = TcpStream::connect((to.host.as_str(), to.port)).await?;
        let name = ServerName::try_from(to.host.clone()).map_err(io::Error::other)?;
        let mut stream = self.tls.connect(name, stream).await?;
        // No part of it holds a line's end: `Endpoint` has none, and the rest is Base64 and the list of hosts.
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\nTTL: {TTL_S}\r\nUrgency: high\r\n\
             Topic: {TOPIC}\r\nContent-Encoding: aes128gcm\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            to.path,
            to.authority(),
            sealed.len()
        );
        stream.write_all(&[head.as_bytes(), sealed].concat()).await?;
        stream.flush().await?;
        let mut read = Vec::with_capacity(2048);
        loop {
            if let Some(answer) = parse(&read)? {
                return Ok(answer);
            }
            if read.len() >= HEAD_BYTES_MAX {
                return Err(malformed());
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the push service's answer is no HTTP")
}

/// The final answer; `None` while it is not whole. What is informational (1xx) stands before it and is skipped.
fn parse(mut bytes: &[u8]) -> io::Result<Option<Answer>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(len) = response.parse(bytes).map_err(|_| malformed())? else {
            return Ok(None);
        };
        let status = response.code.ok_or_else(malformed)?;
        if !(100..200).contains(&status) {
            let named = response.headers.iter().find(|line| line.name.eq_ignore_ascii_case("retry-after"));
            let seconds = named.and_then(|line| std::str::from_utf8(line.value).ok()?.trim().parse().ok());
            return Ok(Some(Answer { status, retry_after: seconds.map(Duration::from_secs) }));
        }
        bytes = &bytes[len..];
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_when_to_come_again() {
        let said = |text: &str| parse(text.as_bytes()).ok().flatten();
        let answer = |status, seconds: Option<u64>| {
            Some(Answer { status, retry_after: seconds.map(Duration::from_secs) })
        };
        assert_eq!(said("HTTP/1.1 201 Created\r\nLocation: /m/1\r\n\r\n"), answer(201, None));
        assert_eq!(said("HTTP/1.1 429 Slow\r\nretry-after: 120\r\n\r\n"), answer(429, Some(120)));
        let dated = "HTTP/1.1 503 No\r\nRetry-After: Sat, 28 Nov 2026 17:00:00 GMT\r\n\r\n";
        assert_eq!(said(dated), answer(503, None));
        assert_eq!(
            said("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\n\r\n"),
            answer(201, None)
        );
        assert_eq!(said("HTTP/1.1 201 Created\r\nLocation"), None);
        assert!(parse(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
        let many = format!("HTTP/1.1 201 Created\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert!(parse(many.as_bytes()).is_err());
    }
}
