//! A client that says what it likes: QUIC and frames, and no state machine that would stop it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use prost::Message as _;
use quinn::crypto::rustls::QuicClientConfig;
use wardline_client::trust::{Root, Trust};
use wardline_core::directory::PublicKey;
use wardline_core::ids::DeviceId;
use wardline_core::limits::SERVER_FRAME_MAX;
use wardline_core::pin::join_code_hash;
use wardline_core::session::{join_message, sign_in_message};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};
use wardline_core::wire::{self, PREFIX};

/// What anything of the box may take here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Where a client comes from that has no reason to come from elsewhere.
const USUAL: [u8; 4] = [127, 0, 0, 1];

/// How to come.
pub(crate) struct Way {
    /// The box.
    pub(crate) to: SocketAddr,
    /// The pinned root.
    pub(crate) root: [u8; 32],
    /// Own address.
    pub(crate) from: IpAddr,
    /// Protocol asked for in TLS.
    pub(crate) alpn: &'static [u8],
    /// Bytes the box may send on the stream before it is read.
    pub(crate) window: u32,
}

/// An established connection with its control stream.
pub(crate) struct Raw {
    /// The connection.
    pub(crate) quic: quinn::Connection,
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    /// What proofs are bound to.
    pub(crate) exporter: [u8; 32],
    request: u64,
    endpoint: quinn::Endpoint,
}

/// An enrolled device.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) key: EcdsaKeyPair,
}

impl Way {
    /// A usual way to this box.
    pub(crate) fn new(devbox: &wardline_devbox::devbox::Devbox) -> Self {
        let from = IpAddr::from(USUAL);
        let (to, root) = (devbox.address(), devbox.root_sha256());
        Self { to, root, from, alpn: b"wardline/1", window: 1 << 20 }
    }

    /// An endpoint that starts connections this way.
    pub(crate) fn endpoint(&self) -> Result<quinn::Endpoint> {
        let mut tls = Trust::new(Root::Pinned(self.root), "127.0.0.1").tls()?;
        tls.alpn_protocols = vec![self.alpn.to_vec()];
        let mut transport = quinn::TransportConfig::default();
        transport.stream_receive_window(self.window.into());
        transport.keep_alive_interval(Some(Duration::from_secs(1)));
        let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        config.transport_config(Arc::new(transport));
        let mut endpoint = quinn::Endpoint::client((self.from, 0).into())?;
        endpoint.set_default_client_config(config);
        Ok(endpoint)
    }

    /// Connects and opens the control stream.
    pub(crate) async fn connect(&self) -> Result<Raw> {
        let endpoint = self.endpoint()?;
        let connecting = endpoint.connect(self.to, "127.0.0.1")?;
        let quic = tokio::time::timeout(PATIENCE, connecting).await.context("no handshake in time")??;
        let mut exporter = [0; 32];
        quic.export_keying_material(&mut exporter, b"EXPORTER-wardline-1", b"")
            .map_err(|_| anyhow!("no exporter"))?;
        let (send, receive) = quic.open_bi().await?;
        Ok(Raw { quic, send, receive, exporter, request: 0, endpoint })
    }

    /// Connects and signs in.
    pub(crate) async fn sign_in(&self, device: &Device) -> Result<(Raw, proto::SignedIn)> {
        let mut raw = self.connect().await?;
        let signed_in = raw.sign_in(device).await?;
        Ok((raw, signed_in))
    }

    /// Connects and enrols a device with a code. Whoever has no address of their own to show comes from one that nobody
    /// has come from: the box looks at twenty codes of one address at once, and then at one a second.
    pub(crate) async fn join(&self, code: &str, pin: &str) -> Result<(Raw, Device)> {
        static NEWCOMERS: AtomicU16 = AtomicU16::new(0);
        let mut way = Way { ..*self };
        if way.from == IpAddr::from(USUAL) {
            let [high, low] = NEWCOMERS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            way.from = IpAddr::from([127, 9, high, low]);
        }
        let mut raw = way.connect().await?;
        match raw.join(code, pin, false).await? {
            (Answer::SignedIn(signed_in), key) => {
                let id = DeviceId::new(signed_in.device).context("a device without identifier")?;
                Ok((raw, Device { id, key }))
            }
            (other, _) => bail!("the join was answered with {}", name(&other)),
        }
    }
}

impl Raw {
    /// Over a stream that somebody else has opened.
    pub(crate) fn over(
        (endpoint, quic): (quinn::Endpoint, quinn::Connection),
        (send, receive): (quinn::SendStream, quinn::RecvStream),
        exporter: [u8; 32],
    ) -> Self {
        Self { quic, send, receive, exporter, request: 0, endpoint }
    }

    /// Goes on from another address of this machine (RFC 9000, 9).
    pub(crate) fn roam(&self, to: IpAddr) -> Result<()> {
        Ok(self.endpoint.rebind(std::net::UdpSocket::bind((to, 0))?)?)
    }

    /// These bytes, whatever they are.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.send.write_all(bytes).await?)
    }

    /// Says that no more comes.
    pub(crate) fn finish(&mut self) -> Result<()> {
        Ok(self.send.finish()?)
    }

    /// A frame.
    pub(crate) async fn say(&mut self, body: Ask) -> Result<u64> {
        self.request += 1;
        let frame = proto::ClientFrame { request: self.request, body: Some(body) };
        self.bytes(&wire::encode_frame(&frame)).await?;
        Ok(self.request)
    }

    /// The next frame of the box, whenever it comes.
    pub(crate) async fn frame_in_its_time(&mut self) -> Result<proto::ServerFrame> {
        let mut prefix = [0; PREFIX];
        self.receive.read_exact(&mut prefix).await?;
        let length = wire::frame_length(prefix, SERVER_FRAME_MAX)?;
        let mut bytes = vec![0; length];
        self.receive.read_exact(&mut bytes).await?;
        Ok(proto::ServerFrame::decode(bytes.as_slice())?)
    }

    /// The next frame of the box.
    pub(crate) async fn frame(&mut self) -> Result<proto::ServerFrame> {
        let read = self.frame_in_its_time();
        tokio::time::timeout(PATIENCE, read).await.context("the box said nothing")?
    }

    /// The answer to this request.
    pub(crate) async fn answer(&mut self, request: u64) -> Result<Answer> {
        loop {
            let frame = self.frame().await?;
            if frame.request == request {
                return frame.body.context("an answer without a body");
            }
        }
    }

    /// A frame and its answer.
    pub(crate) async fn ask(&mut self, body: Ask) -> Result<Answer> {
        let request = self.say(body).await?;
        self.answer(request).await
    }

    /// A frame that must be refused.
    pub(crate) async fn refused(&mut self, body: Ask) -> Result<proto::Refused> {
        refusal(self.ask(body).await?)
    }

    /// The application code that the box closes with, and it must close soon.
    pub(crate) async fn closed(&self) -> Result<u64> {
        let closed = tokio::time::timeout(PATIENCE, self.quic.closed()).await;
        match closed.context("the box did not close the connection")? {
            quinn::ConnectionError::ApplicationClosed(close) => Ok(close.error_code.into_inner()),
            other => bail!("the connection ended otherwise: {other}"),
        }
    }

    /// The connection must close with this code.
    pub(crate) async fn closes_with(&self, code: u64) -> Result<()> {
        let closed = self.closed().await?;
        ensure!(closed == code, "closed with {closed:#x}, not with {code:#x}");
        Ok(())
    }

    /// Hello; the challenge.
    pub(crate) async fn hello(&mut self, device: Option<DeviceId>) -> Result<[u8; 32]> {
        match self.ask(hello(device)).await? {
            Answer::Welcome(welcome) => {
                welcome.challenge.try_into().map_err(|_| anyhow!("a challenge of another length"))
            }
            other => bail!("hello was answered with {}", name(&other)),
        }
    }

    /// Hello and a join, with a signature that is forged if so wished.
    pub(crate) async fn join(
        &mut self,
        code: &str,
        pin: &str,
        forged: bool,
    ) -> Result<(Answer, EcdsaKeyPair)> {
        let challenge = self.hello(None).await?;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let public = PublicKey::parse(key.public_key().as_ref()).context("a key that is none")?;
        let mut signed = join_message(&challenge, &self.exporter, &join_code_hash(code), &public);
        signed[20] ^= u8::from(forged);
        let join = proto::Join {
            code: code.to_owned(),
            device_key: public.as_bytes().to_vec(),
            device_name: "a rude client".to_owned(),
            pin: pin.to_owned(),
            signature: key.sign(&SystemRandom::new(), &signed)?.as_ref().to_vec(),
            ..proto::Join::default()
        };
        Ok((self.ask(Ask::Join(join)).await?, key))
    }

    /// A proof for this connection.
    pub(crate) fn proof(&self, device: &Device, challenge: &[u8; 32]) -> Result<proto::Prove> {
        let signed = sign_in_message(challenge, &self.exporter, device.id);
        let signature = device.key.sign(&SystemRandom::new(), &signed)?.as_ref().to_vec();
        Ok(proto::Prove { device: device.id.value(), signature, ..proto::Prove::default() })
    }

    /// Hello and proof of a device whose session is open.
    pub(crate) async fn sign_in(&mut self, device: &Device) -> Result<proto::SignedIn> {
        let challenge = self.hello(Some(device.id)).await?;
        let proof = self.proof(device, &challenge)?;
        match self.ask(Ask::Prove(proof)).await? {
            Answer::SignedIn(signed_in) => Ok(signed_in),
            other => bail!("the proof was answered with {}", name(&other)),
        }
    }
}

/// The first frame.
pub(crate) fn hello(device: Option<DeviceId>) -> Ask {
    let device = device.map_or(0, DeviceId::value);
    Ask::Hello(proto::Hello { version_min: 1, version_max: 1, client: "rude 0.1".to_owned(), device })
}

/// A message.
pub(crate) fn submit(number: u64, message: u8, conversation: u64, text: &str) -> Ask {
    let message = vec![message; 16];
    let (text, priority, call) = (text.to_owned(), 0, None);
    Ask::Submit(proto::Submit { number, message, conversation, text, priority, call, ..Default::default() })
}

/// The refusal that this must be.
pub(crate) fn refusal(answer: Answer) -> Result<proto::Refused> {
    match answer {
        Answer::Refused(refused) => Ok(refused),
        other => bail!("not refused, but answered with {}", name(&other)),
    }
}

/// It must be refused for this reason.
pub(crate) fn refused_as(refused: &proto::Refused, code: RefusalCode) -> Result<()> {
    let (got, due) = (refused.code().as_str_name(), code.as_str_name());
    ensure!(got == due, "refused as {got}, not as {due}");
    ensure!(!refused.advice.is_empty(), "a refusal without advice");
    Ok(())
}

/// Which answer it is, without what is in it.
fn name(answer: &Answer) -> String {
    match answer {
        Answer::Refused(refused) => refused.code().as_str_name().to_owned(),
        _ => "something else".to_owned(),
    }
}
