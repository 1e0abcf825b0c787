//! A browser's way over QUIC by hand: HTTP/3's settings, a CONNECT for a session (draft-ietf-webtrans-http3), streams in it.

use anyhow::{Context as _, Result, anyhow, ensure};
use aws_lc_rs::digest;
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls_pki_types::CertificateDer;
use wardline_devbox::devbox::Devbox;
use web_transport_proto::http::header::{HeaderValue, ORIGIN};
use web_transport_proto::{Capsule, ConnectError, ConnectRequest, ConnectResponse, Frame, Settings};

use super::raw::{PATIENCE, Raw, Way};

/// An HTTP/3 connection without a request.
pub(crate) struct Http3 {
    pub(crate) quic: Connection,
    /// SHA-256 of the leaf that the box showed.
    pub(crate) leaf: [u8; 32],
    endpoint: Endpoint,
    settings: SendStream,
    host: String,
}

/// A session with its control stream.
pub(crate) struct Session {
    pub(crate) raw: Raw,
    leaf: [u8; 32],
    name: VarInt,
    connect: (SendStream, RecvStream),
    /// HTTP/3 ends when this does.
    _settings: SendStream,
}

impl Http3 {
    /// Connects as a browser does.
    pub(crate) async fn connect(devbox: &Devbox) -> Result<Self> {
        let way = Way { alpn: b"h3", ..Way::new(devbox) };
        let endpoint = way.endpoint()?;
        let connecting = endpoint.connect(way.to, "127.0.0.1")?;
        let quic = tokio::time::timeout(PATIENCE, connecting).await.context("no handshake in time")??;
        let shown = quic.peer_identity().context("no certificate")?;
        let chain = shown.downcast::<Vec<CertificateDer<'static>>>().map_err(|_| anyhow!("not a chain"))?;
        let leaf = sha256(chain.first().context("no leaf")?);
        let mut own = Settings::default();
        own.enable_webtransport(1);
        let mut settings = quic.open_uni().await?;
        own.write(&mut settings).await?;
        Ok(Self { quic, leaf, endpoint, settings, host: way.to.to_string() })
    }

    /// The address, as browsers name it.
    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    /// By another name: as a page of a stranger comes whose name leads to the box.
    pub(crate) fn called(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// Asks for a session at this path, as a page of this origin; the status, and the request's stream.
    pub(crate) async fn ask(
        &self,
        path: &str,
        origin: Option<&str>,
    ) -> Result<(u16, SendStream, RecvStream)> {
        let url: url::Url = format!("https://{}{path}", self.host).parse()?;
        let mut request = ConnectRequest::new(url);
        if let Some(origin) = origin {
            request = request.with_header(ORIGIN, HeaderValue::from_str(origin)?);
        }
        let (mut send, mut receive) = self.quic.open_bi().await?;
        request.write(&mut send).await?;
        let answer = tokio::time::timeout(PATIENCE, ConnectResponse::read(&mut receive)).await;
        let status = match answer.context("no answer in time")? {
            Ok(response) => response.status,
            Err(ConnectError::WrongStatus(Some(status))) => status,
            Err(error) => return Err(error.into()),
        };
        Ok((status.as_u16(), send, receive))
    }

    /// A session of the box's own page, with its control stream.
    pub(crate) async fn session(self) -> Result<Session> {
        let origin = self.origin();
        let (status, send, receive) = self.ask("/wardline/1", Some(&origin)).await?;
        ensure!(status == 200, "answered with {status}");
        let name = VarInt::from(send.id());
        let Self { quic, leaf, endpoint, settings, .. } = self;
        let control = open(&quic, name).await?;
        let raw = Raw::over((endpoint, quic), control, binding(&origin, &leaf));
        Ok(Session { raw, leaf, name, connect: (send, receive), _settings: settings })
    }
}

impl Session {
    /// Another connection's session, with its control stream.
    pub(crate) async fn open(devbox: &Devbox) -> Result<Self> {
        Http3::connect(devbox).await?.session().await
    }

    /// SHA-256 of the leaf that the box showed.
    pub(crate) fn leaf(&self) -> [u8; 32] {
        self.leaf
    }

    /// One more stream of the session.
    pub(crate) async fn stream(&self) -> Result<(SendStream, RecvStream)> {
        open(&self.raw.quic, self.name).await
    }

    /// Leaves the session as a page that closes it.
    pub(crate) fn leave(&mut self) -> Result<()> {
        Ok(self.connect.0.finish()?)
    }

    /// The code that the box ends the session with.
    pub(crate) async fn closes(&mut self) -> Result<u32> {
        let receive = &mut self.connect.1;
        let read = async {
            let kind = web_transport_proto::VarInt::read(receive).await?;
            ensure!(Frame(kind) == Frame::DATA, "a frame of another kind");
            web_transport_proto::VarInt::read(receive).await?;
            Ok(Capsule::read(receive).await?)
        };
        match tokio::time::timeout(PATIENCE, read).await.context("the session does not end")?? {
            Some(Capsule::CloseWebTransportSession { code, .. }) => Ok(code),
            other => Err(anyhow!("{other:?} in place of a close")),
        }
    }
}

/// What a page of this origin binds its proofs to, with this leaf.
pub(crate) fn binding(origin: &str, leaf: &[u8; 32]) -> [u8; 32] {
    sha256(&[format!("wardline/1 origin+leaf\0{origin}\0").as_bytes(), leaf].concat())
}

async fn open(quic: &Connection, name: VarInt) -> Result<(SendStream, RecvStream)> {
    let (mut send, receive) = quic.open_bi().await?;
    let mut head = Vec::new();
    Frame::WEBTRANSPORT.encode(&mut head);
    web_transport_proto::VarInt::from_u64(name.into_inner())?.encode(&mut head);
    send.write_all(&head).await?;
    Ok((send, receive))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
