//! A box's client: the frames of `docs/protocol/`, without the SDK's disk, so that the load costs little. It behaves as
//! the SDK does where the box would notice: it saves its cursor, numbers its submissions, sends receipts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use quinn::crypto::rustls::QuicClientConfig;
use tokio::time::Instant;
use wardline_client::trust::{Root, Trust};
use wardline_core::ids::DeviceId;
use wardline_core::session::sign_in_message;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::{self, proto};

use super::{Heard, Line, body, number_in};
use crate::frames::Frames;
use crate::seed::World;

/// Addresses that the devices share: a ward's phones each have their own, a machine has not that many sockets to spare.
const ADDRESSES: u8 = 64;
/// The SDK's: receipts of one conversation go at most this often.
const RECEIPTS_APART: Duration = Duration::from_millis(200);

/// The SDK's: for one address of the box to answer.
pub(super) const CONNECT_TIME_MAX: Duration = Duration::from_secs(7);

/// Endpoints on addresses of this machine, with the SDK's transport.
pub(super) fn endpoints(crypto: QuicClientConfig) -> Result<Vec<quinn::Endpoint>> {
    let mut transport = quinn::TransportConfig::default();
    transport.keep_alive_interval(Some(Duration::from_secs(10)));
    transport.max_idle_timeout(Some(Duration::from_secs(60).try_into()?));
    transport.datagram_receive_buffer_size(None);
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    let endpoint = |last: u8| {
        let mut endpoint = quinn::Endpoint::client((Ipv4Addr::new(127, 0, 1, last), 0).into())?;
        endpoint.set_default_client_config(config.clone());
        anyhow::Ok(endpoint)
    };
    (1..=ADDRESSES).map(endpoint).collect()
}

/// A box, and everybody who has a device there.
pub(crate) struct WardlineHouse {
    to: SocketAddr,
    endpoints: Vec<quinn::Endpoint>,
    devices: Vec<Device>,
    conversations: Vec<u64>,
    /// Whether deliveries are confirmed, as the SDK does.
    receipts: bool,
    misser: usize,
}

struct Device {
    id: DeviceId,
    key: EcdsaKeyPair,
    kept: Arc<Mutex<Kept>>,
}

/// What a device has on its disk.
struct Kept {
    cursor: Vec<u8>,
    last_number: u64,
}

fn kept(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WardlineHouse {
    /// A box that listens there under this root.
    pub(crate) fn new(to: SocketAddr, root: [u8; 32], world: &World, receipts: bool) -> Result<Self> {
        let mut tls = Trust::new(Root::Pinned(root), "127.0.0.1").tls()?;
        tls.alpn_protocols = vec![b"wardline/1".to_vec()];
        let devices = world.devices.iter().map(|device| {
            let (pkcs8, cursor) = (STANDARD.decode(&device.key)?, STANDARD.decode(&device.cursor)?);
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)?;
            let id = DeviceId::new(device.id).context("no device")?;
            let kept = Arc::new(Mutex::new(Kept { cursor, last_number: device.last_number }));
            Ok(Device { id, key, kept })
        });
        Ok(Self {
            to,
            endpoints: endpoints(QuicClientConfig::try_from(tls)?)?,
            devices: devices.collect::<Result<_>>()?,
            conversations: world.conversations.clone(),
            receipts,
            misser: world.devices.len() - 1,
        })
    }

    /// Connects somebody's device, signs it in and lets it catch up.
    pub(crate) async fn connect(&self, who: usize) -> Result<Line> {
        let device = &self.devices[who];
        let endpoint = &self.endpoints[who % self.endpoints.len()];
        let connecting = endpoint.connect(self.to, &Ipv4Addr::LOCALHOST.to_string())?;
        let quic = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await.context("no handshake")??;
        let mut exporter = [0; 32];
        quic.export_keying_material(&mut exporter, b"EXPORTER-wardline-1", b"")
            .ok()
            .context("no exporter")?;
        let (send, receive) = quic.open_bi().await?;
        let out = Out(Arc::new(tokio::sync::Mutex::new(send)));
        let mut frames = Frames::new(receive);
        let hello = proto::Hello {
            version_min: 1,
            version_max: 1,
            client: "bench".to_owned(),
            device: device.id.value(),
        };
        out.say(1, Ask::Hello(hello)).await?;
        let Answer::Welcome(welcome) = answer(&mut frames, 1).await? else { bail!("no welcome") };
        let challenge: [u8; 32] = welcome.challenge.as_slice().try_into()?;
        let signed = sign_in_message(&challenge, &exporter, device.id);
        let signature = device.key.sign(&SystemRandom::new(), &signed).ok().context("no signature")?;
        let prove = proto::Prove {
            device: device.id.value(),
            signature: signature.as_ref().to_vec(),
            ..proto::Prove::default()
        };
        out.say(2, Ask::Prove(prove)).await?;
        let Answer::SignedIn(signed_in) = answer(&mut frames, 2).await? else { bail!("not signed in") };
        let cursor = {
            let mut kept = kept(&device.kept);
            kept.last_number = kept.last_number.max(signed_in.last_number);
            kept.cursor.clone()
        };
        out.say(3, Ask::Sync(proto::Sync { cursor })).await?;
        // Whoever missed something misses it every time.
        let keeps = who != self.misser;
        let receiver_kept = keeps.then(|| Arc::clone(&device.kept));
        let mut receiver = Receiver {
            frames,
            out: out.clone(),
            kept: receiver_kept,
            receipts: self.receipts.then(BTreeMap::new),
            receipts_due: None,
        };
        let mut missed = 0;
        loop {
            match receiver.frame().await?.body {
                Some(Answer::Synced(synced)) => {
                    receiver.keep(synced.cursor);
                    break;
                }
                Some(Answer::Delivery(delivery)) => {
                    missed += u64::from(receiver.delivered(delivery)?.is_some());
                }
                Some(Answer::Refused(refused)) => bail!("refused: {}", refused.code().as_str_name()),
                _ => {}
            }
        }
        let sender =
            Sender { out, kept: Arc::clone(&device.kept), conversations: self.conversations.clone() };
        let (sender, receiver) = (super::Sender::Wardline(sender), super::Receiver::Wardline(receiver));
        Ok(Line { sender, receiver, missed, quic: Some(quic) })
    }
}

impl WardlineHouse {
    /// The newest page of a conversation's history.
    pub(crate) async fn first_page(&self, line: &mut Line, conversation: usize) -> Result<usize> {
        let (super::Sender::Wardline(sender), super::Receiver::Wardline(receiver)) =
            (&mut line.sender, &mut line.receiver)
        else {
            bail!("no box");
        };
        let conversation = self.conversations[conversation];
        sender.out.say(4, Ask::History(proto::History { conversation, before: 0, limit: 50 })).await?;
        loop {
            match receiver.frame().await?.body {
                Some(Answer::HistoryPage(page)) => return Ok(page.messages.len()),
                Some(Answer::Refused(refused)) => bail!("refused: {}", refused.code().as_str_name()),
                _ => {}
            }
        }
    }
}

async fn answer(frames: &mut Frames, request: u64) -> Result<Answer> {
    loop {
        let bytes = frames.next().await?.context("the box left")?;
        let frame = proto::ServerFrame::decode(bytes)?;
        match frame.body {
            Some(Answer::Refused(refused)) => bail!("refused: {}", refused.code().as_str_name()),
            Some(body) if frame.request == request => return Ok(body),
            _ => {}
        }
    }
}

#[derive(Clone)]
struct Out(Arc<tokio::sync::Mutex<quinn::SendStream>>);

impl Out {
    async fn say(&self, request: u64, body: Ask) -> Result<()> {
        let frame = wire::encode_frame(&proto::ClientFrame { request, body: Some(body) });
        Ok(self.0.lock().await.write_chunk(frame.into()).await?)
    }
}

/// Where messages go in.
pub(crate) struct Sender {
    out: Out,
    kept: Arc<Mutex<Kept>>,
    conversations: Vec<u64>,
}

impl Sender {
    pub(super) async fn submit(&mut self, conversation: usize, number: u64) -> Result<u64> {
        let token = {
            let mut kept = kept(&self.kept);
            kept.last_number += 1;
            kept.last_number
        };
        let mut message = vec![0; 16];
        fill(&mut message).ok().context("no randomness")?;
        let conversation = self.conversations[conversation];
        let (number, text) = (token, body(number));
        let submit = proto::Submit { number, message, conversation, text, ..proto::Submit::default() };
        self.out.say(token + 3, Ask::Submit(submit)).await?;
        Ok(token)
    }
}

/// Where they come out.
pub(crate) struct Receiver {
    frames: Frames,
    out: Out,
    kept: Option<Arc<Mutex<Kept>>>,
    /// What is to be confirmed, by conversation.
    receipts: Option<BTreeMap<u64, u64>>,
    receipts_due: Option<Instant>,
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Result<Heard> {
        loop {
            match self.frame().await?.body {
                Some(Answer::Accepted(accepted)) => {
                    if !accepted.cursor.is_empty() {
                        self.keep(accepted.cursor);
                    }
                    return Ok(Heard::Accepted(accepted.number));
                }
                Some(Answer::Delivery(delivery)) => {
                    if let Some(number) = self.delivered(delivery)? {
                        return Ok(Heard::Message(number));
                    }
                }
                Some(Answer::Refused(refused)) => bail!("refused: {}", refused.code().as_str_name()),
                Some(Answer::Draining(_)) => bail!("the box drains"),
                _ => {}
            }
        }
    }

    /// The next frame; meanwhile receipts go when they are due.
    async fn frame(&mut self) -> Result<proto::ServerFrame> {
        loop {
            let due = async {
                match self.receipts_due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                bytes = self.frames.next() => {
                    return Ok(proto::ServerFrame::decode(bytes?.context("the box left")?)?);
                }
                () = due => self.confirm().await?,
            }
        }
    }

    async fn confirm(&mut self) -> Result<()> {
        self.receipts_due = None;
        for (conversation, delivered) in self.receipts.as_mut().map(std::mem::take).unwrap_or_default() {
            let receipt = proto::Receipt { conversation, delivered, read: 0 };
            self.out.say(0, Ask::Receipt(receipt)).await?;
        }
        Ok(())
    }

    /// The number that a delivered message carries; `None` when it is no message.
    fn delivered(&mut self, delivery: proto::Delivery) -> Result<Option<u64>> {
        if !delivery.cursor.is_empty() {
            self.keep(delivery.cursor);
        }
        let Some(proto::event::Kind::Message(message)) = delivery.event.and_then(|event| event.kind) else {
            return Ok(None);
        };
        if let Some(receipts) = &mut self.receipts {
            let delivered = receipts.entry(message.conversation).or_default();
            *delivered = (*delivered).max(message.sequence);
            self.receipts_due.get_or_insert_with(|| Instant::now() + RECEIPTS_APART);
        }
        Ok(Some(number_in(message.text.as_bytes())?))
    }

    fn keep(&self, cursor: Vec<u8>) {
        if let Some(state) = &self.kept {
            kept(state).cursor = cursor;
        }
    }
}
