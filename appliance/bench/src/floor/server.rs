//! The floor's connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, Incoming, TransportConfig, VarInt};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::{Semaphore, mpsc};

use super::store::{Reader, Row, Store};
use super::{ACCEPTED, ALPN, HELLO, MESSAGE, SUBMIT, SYNCED, frame};
use crate::frames::Frames;
use crate::shape::Shape;

/// Messages that wait for the disk, and frames that wait for a connection.
const WAITING_MAX: usize = 65_536;
/// Messages of one transaction.
const BATCH_MAX: usize = 1_024;

/// Readers at a time.
const READERS: usize = 4;

struct Readers {
    idle: Mutex<Vec<Reader>>,
    turns: Semaphore,
}

struct Submission {
    from: mpsc::Sender<Bytes>,
    token: u64,
    conversation: u32,
    sender: u32,
    body: Bytes,
}

/// Who is there, and who is where.
struct Hall {
    shape: Shape,
    present: Mutex<BTreeMap<u32, mpsc::Sender<Bytes>>>,
}

/// Serves until the process ends. Calls `ready` with the address and the certificate (DER) once it listens.
pub(crate) async fn run(
    shape: Shape,
    directory: &Path,
    ready: impl FnOnce(SocketAddr, &[u8]) -> Result<()>,
) -> Result<()> {
    let path = directory.join("floor.db");
    let mut store = Store::open(&path)?;
    let first = seed(&mut store, &shape)?;
    let (endpoint, certificate) = listen()?;
    let hall = Arc::new(Hall { shape, present: Mutex::default() });
    let (submissions, inbox) = mpsc::channel(WAITING_MAX);
    let writer = Arc::clone(&hall);
    std::thread::spawn(move || write(store, first, inbox, &writer));
    let readers = (0..READERS).map(|_| Reader::open(&path)).collect::<Result<Vec<_>>>()?;
    let readers = Arc::new(Readers { idle: Mutex::new(readers), turns: Semaphore::new(READERS) });
    ready(endpoint.local_addr()?, &certificate)?;
    while let Some(incoming) = endpoint.accept().await {
        let (hall, submissions, readers) = (Arc::clone(&hall), submissions.clone(), Arc::clone(&readers));
        tokio::spawn(async move {
            // Whoever leaves in disorder is no concern of the floor's.
            let _ = serve(incoming, &hall, submissions, &readers).await;
        });
    }
    Ok(())
}

/// The messages that somebody has missed.
fn seed(store: &mut Store, shape: &Shape) -> Result<u64> {
    let conversation = shape.missed_conversation() as u32;
    let sender = shape.people as u32 - 2;
    let body = Bytes::from(vec![b'm'; crate::line::BODY]);
    let rows: Vec<Row> = (1..=shape.missed as u64)
        .map(|change| Row { change, conversation, sender, body: body.clone() })
        .collect();
    for batch in rows.chunks(BATCH_MAX) {
        store.commit(batch)?;
    }
    Ok(rows.len() as u64 + 1)
}

/// The same transport as the relay's doorway, without its narrower windows.
fn listen() -> Result<(Endpoint, Vec<u8>)> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], der)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.send_tls13_tickets = 0;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0));
    transport.datagram_receive_buffer_size(None);
    transport.max_idle_timeout(Some(Duration::from_secs(60).try_into()?));
    config.transport_config(Arc::new(transport));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    // As the relay does; the kernel gives what it allows.
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBuf, &(8 << 20));
    let runtime = Arc::new(quinn::TokioRuntime);
    let endpoint = Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime)?;
    Ok((endpoint, certificate.der().to_vec()))
}

/// The one writer: whatever waits becomes one transaction; answers leave after it.
fn write(mut store: Store, mut next: u64, mut inbox: mpsc::Receiver<Submission>, hall: &Hall) {
    let mut waiting = Vec::with_capacity(BATCH_MAX);
    while inbox.blocking_recv_many(&mut waiting, BATCH_MAX) > 0 {
        let rows: Vec<Row> = waiting
            .iter()
            .zip(next..)
            .map(|(submission, change)| Row {
                change,
                conversation: submission.conversation,
                sender: submission.sender,
                body: submission.body.clone(),
            })
            .collect();
        next += rows.len() as u64;
        if store.commit(&rows).is_err() {
            return;
        }
        let present = hall.present.lock().unwrap_or_else(PoisonError::into_inner);
        for (submission, row) in waiting.drain(..).zip(&rows) {
            let accepted = frame(ACCEPTED, 8, |bytes| bytes.put_u64(submission.token));
            let _ = submission.from.try_send(accepted);
            let message = message(row.change, row.conversation, &row.body);
            let members = hall.shape.members(row.conversation as usize);
            for member in members.iter().map(|member| *member as u32).filter(|member| *member != row.sender) {
                if let Some(there) = present.get(&member) {
                    let _ = there.try_send(message.clone());
                }
            }
        }
    }
}

fn message(change: u64, conversation: u32, body: &[u8]) -> Bytes {
    frame(MESSAGE, 12 + body.len(), |bytes| {
        bytes.put_u64(change);
        bytes.put_u32(conversation);
        bytes.put_slice(body);
    })
}

async fn serve(
    incoming: Incoming,
    hall: &Arc<Hall>,
    submissions: mpsc::Sender<Submission>,
    readers: &Arc<Readers>,
) -> Result<()> {
    let connection = incoming.accept()?.await?;
    let (mut send, receive) = connection.accept_bi().await?;
    let mut frames = Frames::new(receive);
    let mut hello = frames.next().await?.context("no hello")?;
    anyhow::ensure!(hello.get_u8() == HELLO, "no hello");
    let (person, has) = (hello.get_u32(), hello.get_u64());
    let (out, mut outgoing) = mpsc::channel::<Bytes>(WAITING_MAX);
    hall.present.lock().unwrap_or_else(PoisonError::into_inner).insert(person, out.clone());
    send.write_chunk(missed(hall, readers, person, has).await?).await?;
    let writing = async {
        let mut chunks = Vec::with_capacity(64);
        while outgoing.recv_many(&mut chunks, 64).await > 0 {
            send.write_all_chunks(&mut chunks).await?;
            chunks.clear();
        }
        anyhow::Ok(())
    };
    let reading = async {
        while let Some(mut bytes) = frames.next().await? {
            anyhow::ensure!(bytes.get_u8() == SUBMIT, "no submission");
            let (token, conversation) = (bytes.get_u64(), bytes.get_u32());
            let from = out.clone();
            let submission = Submission { from, token, conversation, sender: person, body: bytes };
            submissions.send(submission).await.ok().context("the writer is gone")?;
        }
        anyhow::Ok(())
    };
    let ended = tokio::select! { ended = writing => ended, ended = reading => ended };
    let mut present = hall.present.lock().unwrap_or_else(PoisonError::into_inner);
    if present.get(&person).is_some_and(|there| there.same_channel(&out)) {
        present.remove(&person);
    }
    ended
}

/// Everything that was missed, and that it was.
async fn missed(hall: &Arc<Hall>, readers: &Arc<Readers>, person: u32, has: u64) -> Result<Bytes> {
    let _turn = readers.turns.acquire().await?;
    let (hall, readers) = (Arc::clone(hall), Arc::clone(readers));
    tokio::task::spawn_blocking(move || {
        let reader = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = reader.context("more readers at a time than there are")?;
        let conversations: Vec<u32> = hall.shape.of(person as usize).iter().map(|at| *at as u32).collect();
        let (mut bytes, mut last) = (BytesMut::new(), has);
        let read = reader.missed(&conversations, person, has, |change, conversation, body| {
            last = last.max(change);
            bytes.extend_from_slice(&message(change, conversation, body));
        });
        readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        read?;
        bytes.extend_from_slice(&frame(SYNCED, 8, |bytes| bytes.put_u64(last)));
        Ok(bytes.freeze())
    })
    .await?
}
