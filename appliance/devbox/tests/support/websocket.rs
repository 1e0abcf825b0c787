//! HTTPS and a WebSocket by hand, from RFC 9112 and RFC 6455: says what it likes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use prost::Message as _;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wardline_client::trust::{Root, Trust};
use wardline_core::directory::PublicKey;
use wardline_core::ids::DeviceId;
use wardline_core::pin::join_code_hash;
use wardline_core::session::{join_message, sign_in_message};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::{self, PREFIX, proto};
use wardline_devbox::devbox::Devbox;

use super::raw::{Device, PATIENCE, hello};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// An HTTPS connection.
pub(crate) struct Https {
    tls: TlsStream<TcpStream>,
    host: String,
}

/// What came back for a request.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Page {
    /// A header's value, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// TCP from this address of the machine.
pub(crate) async fn tcp(from: IpAddr, to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(socket.connect(to).await?)
}

impl Https {
    /// Connects as a browser that trusts the facility's root.
    pub(crate) async fn connect(devbox: &Devbox, from: [u8; 4]) -> Result<Self> {
        Self::connect_by("127.0.0.1", devbox, from).await
    }

    /// The same, by this name or number of the box.
    pub(crate) async fn connect_by(name: &'static str, devbox: &Devbox, from: [u8; 4]) -> Result<Self> {
        let mut tls = Trust::new(Root::Pinned(devbox.root_sha256()), name).tls()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let to = devbox.address();
        let stream = tcp(IpAddr::from(from), to).await?;
        let name = ServerName::try_from(name)?;
        let shaken = TlsConnector::from(Arc::new(tls)).connect(name, stream);
        let tls = tokio::time::timeout(PATIENCE, shaken).await.context("no handshake in time")??;
        Ok(Self { tls, host: to.to_string() })
    }

    /// The address, as browsers name it.
    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    /// By another name: as a page of a stranger comes whose name leads to the box.
    pub(crate) fn called(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// These bytes, whatever they are.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.tls.write_all(bytes).await?;
        Ok(self.tls.flush().await?)
    }

    /// A request in these lines, to which the host is added; its answer.
    pub(crate) async fn ask(&mut self, lines: &[&str]) -> Result<Page> {
        let request = format!("{}\r\nHost: {}\r\n\r\n", lines.join("\r\n"), self.host);
        self.bytes(request.as_bytes()).await?;
        let none = lines[0].starts_with("HEAD");
        self.page(none).await
    }

    /// An answer.
    pub(crate) async fn page(&mut self, without_body: bool) -> Result<Page> {
        let read = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.tls.read_u8().await?);
            }
            let head = String::from_utf8(head)?;
            let status = head.split(' ').nth(1).context("no status")?.parse()?;
            let mut page = Page { status, head, body: Vec::new() };
            let length = page.header("content-length").map_or(Ok(0), str::parse)?;
            if !without_body && status != 304 {
                page.body = vec![0; length];
                self.tls.read_exact(&mut page.body).await?;
            }
            anyhow::Ok(page)
        };
        tokio::time::timeout(PATIENCE, read).await.context("no answer in time")?
    }

    /// Asks for the socket in a page's place.
    pub(crate) async fn upgrade(&mut self, origin: &str) -> Result<Page> {
        self.ask(&[
            "GET /wardline/1 HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: wardline.1",
            &format!("Origin: {origin}"),
        ])
        .await
    }

    /// The socket, with its own origin.
    pub(crate) async fn socket(mut self) -> Result<Socket> {
        let origin = self.origin();
        let page = self.upgrade(&origin).await?;
        ensure!(page.status == 101, "answered with {}", page.status);
        ensure!(page.header("sec-websocket-accept") == Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455, 1.3");
        ensure!(page.header("sec-websocket-protocol") == Some("wardline.1"), "the subprotocol");
        Ok(Socket { https: self, binding: binding(&origin), request: 0, come: Vec::new(), close: None })
    }
}

/// What a page of this origin binds its proofs to.
pub(crate) fn binding(origin: &str) -> [u8; 32] {
    let text = format!("wardline/1 origin\0{origin}");
    let mut binding = [0; 32];
    binding.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    binding
}

/// A WebSocket that carries frames.
pub(crate) struct Socket {
    https: Https,
    /// In the exporter's place.
    pub(crate) binding: [u8; 32],
    request: u64,
    come: Vec<u8>,
    close: Option<u16>,
}

impl Socket {
    /// One RFC 6455 frame, whole, with this opcode.
    pub(crate) async fn message(&mut self, opcode: u8, payload: &[u8], masked: bool) -> Result<()> {
        let mut bytes = vec![0x80 | opcode];
        let mask = if masked { 0x80 } else { 0 };
        match payload.len() {
            short @ 0..126 => bytes.push(mask | u8::try_from(short)?),
            middle @ 126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(middle)?.to_be_bytes());
            }
            long => {
                bytes.push(mask | 127);
                bytes.extend(u64::try_from(long)?.to_be_bytes());
            }
        }
        let key = [0x37, 0xfa, 0x21, 0x3d];
        if masked {
            bytes.extend(key);
        }
        bytes.extend(
            payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ if masked { *key } else { 0 }),
        );
        self.https.bytes(&bytes).await
    }

    /// A text message, which nobody here sends.
    pub(crate) async fn text(&mut self) -> Result<()> {
        self.message(TEXT, b"hello", true).await
    }

    /// A ping; its answer must come.
    pub(crate) async fn ping(&mut self) -> Result<()> {
        self.message(PING, b"here?", true).await?;
        let (opcode, payload) = self.next().await?;
        ensure!((opcode, payload.as_slice()) == (PONG, b"here?".as_slice()), "not the pong");
        Ok(())
    }

    /// The next message of the box.
    async fn next(&mut self) -> Result<(u8, Vec<u8>)> {
        let read = async {
            let tls = &mut self.https.tls;
            let first = tls.read_u8().await?;
            ensure!(first & 0x80 != 0, "in pieces");
            let length = match tls.read_u8().await? {
                126 => u64::from(tls.read_u16().await?),
                127 => tls.read_u64().await?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length)?];
            tls.read_exact(&mut payload).await?;
            Ok((first & 15, payload))
        };
        tokio::time::timeout(PATIENCE, read).await.context("the box said nothing")?
    }

    async fn fill(&mut self, length: usize) -> Result<()> {
        while self.come.len() < length {
            match self.next().await? {
                (BINARY, payload) => self.come.extend(payload),
                (CLOSE, payload) => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    self.close = code;
                    bail!("closed with {code:?}");
                }
                (other, _) => bail!("opcode {other}"),
            }
        }
        Ok(())
    }

    /// The code that the box closes with, whatever comes before.
    pub(crate) async fn closes(&mut self) -> Result<u16> {
        loop {
            if let Some(code) = self.close {
                return Ok(code);
            }
            let want = self.come.len() + 1;
            if let Err(error) = self.fill(want).await
                && self.close.is_none()
            {
                return Err(error);
            }
        }
    }

    /// Whether the connection ends without a word.
    pub(crate) async fn ends(&mut self) -> Result<()> {
        let mut rest = Vec::new();
        // An end without TLS's own goodbye is an end as well.
        let _ = tokio::time::timeout(PATIENCE, self.https.tls.read_to_end(&mut rest))
            .await
            .context("it does not end")?;
        Ok(())
    }

    /// A frame, split over two messages: they are a stream of bytes.
    pub(crate) async fn say(&mut self, body: Ask) -> Result<u64> {
        self.request += 1;
        let frame = wire::encode_frame(&proto::ClientFrame { request: self.request, body: Some(body) });
        let (head, tail) = frame.split_at(frame.len() / 2);
        self.message(BINARY, head, true).await?;
        self.message(BINARY, tail, true).await?;
        Ok(self.request)
    }

    /// The box's next frame.
    pub(crate) async fn frame(&mut self) -> Result<proto::ServerFrame> {
        self.fill(PREFIX).await?;
        let length = usize::try_from(u32::from_be_bytes(self.come[..PREFIX].try_into()?))?;
        self.fill(PREFIX + length).await?;
        let rest = self.come.split_off(PREFIX + length);
        let frame = proto::ServerFrame::decode(&self.come[PREFIX..])?;
        self.come = rest;
        Ok(frame)
    }

    /// A frame and its answer.
    pub(crate) async fn ask(&mut self, body: Ask) -> Result<Answer> {
        let request = self.say(body).await?;
        loop {
            let frame = self.frame().await?;
            if frame.request == request {
                return frame.body.context("an answer without a body");
            }
        }
    }

    async fn hello(&mut self, device: Option<DeviceId>) -> Result<[u8; 32]> {
        match self.ask(hello(device)).await? {
            Answer::Welcome(welcome) => {
                welcome.challenge.try_into().ok().context("a challenge of another length")
            }
            _ => bail!("hello was answered with something else"),
        }
    }

    /// Enrols a device.
    pub(crate) async fn join(&mut self, code: &str, pin: &str) -> Result<(Device, proto::SignedIn)> {
        let challenge = self.hello(None).await?;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let public = PublicKey::parse(key.public_key().as_ref()).context("a key that is none")?;
        let signed = join_message(&challenge, &self.binding, &join_code_hash(code), &public);
        let join = proto::Join {
            code: code.to_owned(),
            device_key: public.as_bytes().to_vec(),
            device_name: "a browser by hand".to_owned(),
            pin: pin.to_owned(),
            signature: key.sign(&SystemRandom::new(), &signed)?.as_ref().to_vec(),
            ..proto::Join::default()
        };
        match self.ask(Ask::Join(join)).await? {
            Answer::SignedIn(signed_in) => {
                let id = DeviceId::new(signed_in.device).context("a device without identifier")?;
                Ok((Device { id, key }, signed_in))
            }
            _ => bail!("the join was answered with something else"),
        }
    }

    /// Hello and proof.
    pub(crate) async fn prove(&mut self, device: &Device) -> Result<Answer> {
        let challenge = self.hello(Some(device.id)).await?;
        let signed = sign_in_message(&challenge, &self.binding, device.id);
        let signature = device.key.sign(&SystemRandom::new(), &signed)?.as_ref().to_vec();
        self.ask(Ask::Prove(proto::Prove { device: device.id.value(), signature, ..proto::Prove::default() }))
            .await
    }
}
