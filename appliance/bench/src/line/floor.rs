//! The floor's client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::{Buf as _, BufMut as _};
use quinn::crypto::rustls::QuicClientConfig;
use rustls_pki_types::CertificateDer;

use super::{BODY, Heard, Line, body, number_in};
use crate::floor::{ACCEPTED, ALPN, HELLO, MESSAGE, SUBMIT, SYNCED, frame};
use crate::frames::Frames;
use crate::shape::Shape;

/// Where its connections come from and go to.
pub(crate) struct FloorHouse {
    to: SocketAddr,
    endpoints: Vec<quinn::Endpoint>,
    shape: Shape,
}

impl FloorHouse {
    /// A floor that listens there with this certificate.
    pub(crate) fn new(to: SocketAddr, certificate: &[u8], shape: Shape) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { to, endpoints: super::wardline::endpoints(QuicClientConfig::try_from(tls)?)?, shape })
    }

    /// Connects somebody.
    pub(crate) async fn connect(&self, who: usize) -> Result<Line> {
        let endpoint = &self.endpoints[who % self.endpoints.len()];
        let connecting = endpoint.connect(self.to, &Ipv4Addr::LOCALHOST.to_string())?;
        let connection = tokio::time::timeout(super::wardline::CONNECT_TIME_MAX, connecting).await;
        let connection = connection.context("no handshake")??;
        let (mut send, receive) = connection.open_bi().await?;
        // The last has not got what was missed; for all others nothing was.
        let has: u64 = if who == self.shape.misser() { 0 } else { u64::MAX >> 1 };
        let hello = frame(HELLO, 12, |bytes| {
            bytes.put_u32(who as u32);
            bytes.put_u64(has);
        });
        send.write_chunk(hello).await?;
        let mut frames = Frames::new(receive);
        let mut missed = 0;
        loop {
            let mut bytes = frames.next().await?.context("the floor left")?;
            match bytes.get_u8() {
                SYNCED => break,
                MESSAGE => missed += 1,
                other => bail!("kind {other} before the end of what was missed"),
            }
        }
        let (sender, receiver) = (Sender { send, token: 0 }, Receiver { frames });
        let (sender, receiver) = (super::Sender::Floor(sender), super::Receiver::Floor(receiver));
        Ok(Line { sender, receiver, missed, quic: Some(connection) })
    }
}

/// Where messages go in.
pub(crate) struct Sender {
    send: quinn::SendStream,
    token: u64,
}

impl Sender {
    pub(super) async fn submit(&mut self, conversation: usize, number: u64) -> Result<u64> {
        self.token += 1;
        let bytes = frame(SUBMIT, 12 + BODY, |bytes| {
            bytes.put_u64(self.token);
            bytes.put_u32(conversation as u32);
            bytes.put_slice(body(number).as_bytes());
        });
        self.send.write_chunk(bytes).await?;
        Ok(self.token)
    }
}

/// Where they come out.
pub(crate) struct Receiver {
    frames: Frames,
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Result<Heard> {
        let mut bytes = self.frames.next().await?.context("the floor left")?;
        match bytes.get_u8() {
            ACCEPTED => Ok(Heard::Accepted(bytes.get_u64())),
            MESSAGE => Ok(Heard::Message(number_in(&bytes[12..])?)),
            other => bail!("kind {other}"),
        }
    }
}
