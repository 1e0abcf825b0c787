//! The bell, asked over its socket: this process calls nobody itself.
//!
//! Rings in flight are bounded, and one that finds no room is dropped: the STAT that it is for goes on to others. While nobody
//! answers on the socket the core knows that closed apps are not rung.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use wardline_bell_protocol::{
    self as protocol, Counts, FrameError, Outcome, Reply, Request, Subscription, Tagged,
};
use wardline_core::bell::{Bell as Of, BellNews};
use wardline_core::ids::DeviceId;
use wardline_core::input::Input;
use wardline_core::limits::BELL_ENDPOINT_MAX;

use crate::driver::Command;

// What the core takes of an address, the bell takes too.
const _: () = assert!(BELL_ENDPOINT_MAX == protocol::ENDPOINT_BYTES_MAX);
/// Asks that wait for the socket, and rings that wait for their answer: what the bell itself takes.
const WAITING_MAX: usize = 512;
/// Between tries to reach a bell that is not there.
const RETRY: Duration = Duration::from_secs(1);

enum Ask {
    Ring(DeviceId, Box<Of>),
    Counts(oneshot::Sender<Counts>),
}

/// A handle for asking. Clones share the connection.
#[derive(Clone)]
pub struct Bell {
    asks: mpsc::Sender<Ask>,
}

impl Bell {
    /// Starts the task that asks. It connects again by itself when the bell restarts.
    pub fn start(path: PathBuf, commands: mpsc::WeakSender<Command>) -> Self {
        let (asks, inbox) = mpsc::channel(WAITING_MAX);
        tokio::spawn(serve(path, inbox, commands));
        Self { asks }
    }

    /// Rings a device's closed app.
    pub fn ring(&self, device: DeviceId, of: Box<Of>) {
        if self.asks.try_send(Ask::Ring(device, of)).is_err() {
            tracing::warn!("too many rings wait for the bell");
        }
    }

    /// What was sent where; `None` while the bell is away.
    pub async fn counts(&self) -> Option<Counts> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(Ask::Counts(answer)).ok()?;
        answered.await.ok()
    }
}

async fn serve(path: PathBuf, mut inbox: mpsc::Receiver<Ask>, commands: mpsc::WeakSender<Command>) {
    let mut was_there = true;
    loop {
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                was_there = true;
                match converse(stream, &mut inbox, &commands).await {
                    Ok(Over::NobodyAsks) => return,
                    Ok(Over::Gone) => tracing::warn!("the bell is gone"),
                    Err(error) => tracing::warn!(%error, "the bell's socket"),
                }
                if !tell(&commands, BellNews::Key(None)).await {
                    return;
                }
            }
            Err(error) if was_there => {
                was_there = false;
                tracing::warn!(%error, "no bell answers: closed apps are not rung; start wardline-bell");
            }
            Err(_) => {}
        }
        // Whoever asks meanwhile is told at once that nobody is there.
        let pause = tokio::time::sleep(RETRY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                ask = inbox.recv() => if ask.is_none() { return },
            }
        }
    }
}

enum Over {
    NobodyAsks,
    Gone,
}

enum Asked {
    Key,
    Ring(DeviceId, Box<Of>),
    Counts(oneshot::Sender<Counts>),
}

async fn converse(
    stream: UnixStream,
    inbox: &mut mpsc::Receiver<Ask>,
    commands: &mpsc::WeakSender<Command>,
) -> Result<Over, FrameError> {
    let (mut reading, mut writing) = stream.into_split();
    let (came, mut coming) = mpsc::channel(1);
    // Reading a frame may not be broken off half-way, so it has a task of its own, which ends with the connection.
    let reader = tokio::spawn(async move {
        loop {
            let read = protocol::read::<Reply>(&mut reading).await.transpose();
            let Some(read) = read else { return };
            let is_over = read.is_err();
            if came.send(read).await.is_err() || is_over {
                return;
            }
        }
    });
    let mut waiting = BTreeMap::from([(0, Asked::Key)]);
    let mut next = 1;
    protocol::write(&mut writing, &Tagged { tag: 0, body: Request::PublicKey }).await?;
    let over = loop {
        tokio::select! {
            ask = inbox.recv(), if waiting.len() < WAITING_MAX => {
                let Some(ask) = ask else { break Over::NobodyAsks };
                let (body, asked) = match ask {
                    Ask::Ring(device, of) => (Request::Ring(Box::new(subscription(&of))), Asked::Ring(device, of)),
                    Ask::Counts(answer) => (Request::Counts, Asked::Counts(answer)),
                };
                waiting.insert(next, asked);
                protocol::write(&mut writing, &Tagged { tag: next, body }).await?;
                next += 1;
            }
            reply = coming.recv() => {
                let Some(reply) = reply else { break Over::Gone };
                let Tagged { tag, body } = reply?;
                match (waiting.remove(&tag), body) {
                    (Some(Asked::Key), Reply::PublicKey(key)) => {
                        tracing::info!("the bell is there");
                        if !tell(commands, BellNews::Key(Some(key))).await {
                            break Over::NobodyAsks;
                        }
                    }
                    (Some(Asked::Ring(device, bell)), Reply::Rung(Outcome::Gone | Outcome::NotAllowed)) => {
                        if !tell(commands, BellNews::Gone { device, bell }).await {
                            break Over::NobodyAsks;
                        }
                    }
                    // Counted by the bell. The STAT goes on to others in any case.
                    (Some(Asked::Ring(..)), Reply::Rung(_)) => {}
                    (Some(Asked::Counts(answer)), Reply::Counts(counts)) => {
                        let _ = answer.send(counts);
                    }
                    _ => return Err(FrameError::Malformed),
                }
            }
        }
    };
    reader.abort();
    Ok(over)
}

async fn tell(commands: &mpsc::WeakSender<Command>, news: BellNews) -> bool {
    let Some(commands) = commands.upgrade() else { return false };
    commands.send(Command::Input(Input::Bell(news))).await.is_ok()
}

fn subscription(of: &Of) -> Subscription {
    Subscription { endpoint: of.endpoint().to_owned(), p256dh: *of.p256dh(), auth: *of.auth() }
}
