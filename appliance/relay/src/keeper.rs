//! The keeper, asked from one thread of its own: its client blocks, and a TPM takes its time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use wardline_core::ids::{DeviceId, PersonId};
use wardline_core::pin::PinMac;
use wardline_keys_protocol::client::{ClientError, KeeperClient};
use wardline_keys_protocol::message::Leaves;
use wardline_keys_protocol::{KeyDer, NameKey, WrappedKey};
use zeroize::Zeroizing;

/// PIN checks that may wait: a TPM makes some 20 MACs a second, a person waits 10 s at most.
const WAITING_MAX: usize = 200;
/// Between tries to reach a keeper that is not there.
const RETRY: Duration = Duration::from_millis(250);

enum Ask {
    PinMac {
        person: PersonId,
        device: DeviceId,
        stretched: Zeroizing<[u8; 32]>,
        answer: oneshot::Sender<PinMac>,
    },
    Leaves {
        answer: oneshot::Sender<Leaves>,
    },
    NameKey {
        names: Vec<String>,
        answer: oneshot::Sender<NameKey>,
    },
    OpenNameKey {
        wrapped: WrappedKey,
        answer: oneshot::Sender<KeyDer>,
    },
}

/// A handle for asking. Clones share the thread.
#[derive(Clone)]
pub struct Keeper {
    asks: mpsc::SyncSender<Ask>,
}

impl Keeper {
    /// Connects, waiting for a keeper that is still starting up to `patience`.
    pub fn connect(path: &Path, patience: Duration) -> Result<KeeperClient, ClientError> {
        let mut waited = Duration::ZERO;
        loop {
            match KeeperClient::connect(path) {
                Err(ClientError::Lost(_)) if waited < patience => {
                    std::thread::sleep(RETRY);
                    waited += RETRY;
                }
                outcome => return outcome,
            }
        }
    }

    /// Starts the thread. It reconnects by itself when the keeper restarts.
    pub fn start(path: PathBuf, client: KeeperClient) -> std::io::Result<Self> {
        let (asks, inbox) = mpsc::sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("keeper".to_owned()).spawn(move || serve(&path, client, &inbox))?;
        Ok(Self { asks })
    }

    /// One that nobody answers for.
    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self { asks: mpsc::sync_channel(0).0 }
    }

    /// The keeper's MAC of a stretched PIN; `None` when it cannot or will not now.
    pub async fn pin_mac(
        &self,
        person: PersonId,
        device: DeviceId,
        stretched: Zeroizing<[u8; 32]>,
    ) -> Option<PinMac> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(Ask::PinMac { person, device, stretched, answer }).ok()?;
        answered.await.ok()
    }

    /// The certificates to serve; `None` when the keeper is away.
    pub async fn leaves(&self) -> Option<Leaves> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(Ask::Leaves { answer }).ok()?;
        answered.await.ok()
    }

    /// A key for these names, wrapped, and its request; `None` when it cannot or will not now.
    pub async fn name_key(&self, names: Vec<String>) -> Option<NameKey> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(Ask::NameKey { names, answer }).ok()?;
        answered.await.ok()
    }

    /// The key that is wrapped; `None` when the keeper is away, or it is not one of its own.
    pub async fn open_name_key(&self, wrapped: WrappedKey) -> Option<KeyDer> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(Ask::OpenNameKey { wrapped, answer }).ok()?;
        answered.await.ok()
    }
}

fn serve(path: &Path, client: KeeperClient, inbox: &mpsc::Receiver<Ask>) {
    let mut client = Some(client);
    // Ends when the last handle is gone.
    while let Ok(ask) = inbox.recv() {
        match ask {
            Ask::PinMac { person, device, stretched, answer } if !answer.is_closed() => {
                let mac = insist(path, &mut client, |keeper| {
                    keeper.pin_mac(person.value(), device.value(), *stretched)
                });
                settle(mac.map(|mac| PinMac(*mac.expose())), answer);
            }
            Ask::Leaves { answer } if !answer.is_closed() => {
                settle(insist(path, &mut client, KeeperClient::leaves), answer);
            }
            Ask::NameKey { names, answer } if !answer.is_closed() => {
                settle(insist(path, &mut client, |keeper| keeper.name_key(names.clone())), answer);
            }
            Ask::OpenNameKey { wrapped, answer } if !answer.is_closed() => {
                settle(insist(path, &mut client, |keeper| keeper.open_name_key(wrapped.clone())), answer);
            }
            // Nobody waits for it any more.
            Ask::PinMac { .. } | Ask::Leaves { .. } | Ask::NameKey { .. } | Ask::OpenNameKey { .. } => {}
        }
    }
}

/// Asks, and once more over a new connection when the old one turns out to be lost: that the keeper was started again
/// shows only when it is asked, and nobody's PIN should be refused for it. What is asked here may be asked twice. A keeper
/// that is silent is not asked again: whoever comes next has waited long enough.
fn insist<T>(
    path: &Path,
    client: &mut Option<KeeperClient>,
    ask: impl Fn(&mut KeeperClient) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    if let Some(connected) = client {
        match ask(connected) {
            Err(ClientError::Lost(error)) if is_silence(&error) => {
                *client = None;
                return Err(ClientError::Lost(error));
            }
            Err(ClientError::Lost(_)) => *client = None,
            outcome => return kept(client, outcome),
        }
    }
    let outcome = ask(client.insert(KeeperClient::connect(path)?));
    kept(client, outcome)
}

/// Lets go of a connection that is of no more use.
fn kept<T>(client: &mut Option<KeeperClient>, outcome: Result<T, ClientError>) -> Result<T, ClientError> {
    if matches!(outcome, Err(ClientError::Lost(_) | ClientError::Peer(_))) {
        *client = None;
    }
    outcome
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Passes an answer on. A dropped sender tells the asker that there is none.
fn settle<T>(outcome: Result<T, ClientError>, answer: oneshot::Sender<T>) {
    match outcome {
        Ok(value) => {
            // The connection that asked may be gone.
            let _ = answer.send(value);
        }
        Err(ClientError::Refused(refusal)) => tracing::warn!(%refusal, "the keeper refuses"),
        Err(error) => tracing::error!(%error, "the keeper is away: nobody can unlock or join"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use wardline_keys_protocol::PinMac as Mac;
    use wardline_keys_protocol::frame;
    use wardline_keys_protocol::message::{Reply, Request};

    use super::*;

    /// A keeper that answers one PIN a connection and is then started again.
    fn restarts_after_each_answer(path: &Path) {
        let listener = UnixListener::bind(path).unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if let Ok(Some(Request::PinMac { device, .. })) = frame::read(&mut stream) {
                    let mac = [u8::try_from(device).unwrap(); 32];
                    frame::write(&mut stream, &Reply::PinMac(Mac(mac))).unwrap();
                }
            }
        });
    }

    #[tokio::test]
    async fn a_keeper_that_was_started_again_costs_nobody_a_try() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.sock");
        restarts_after_each_answer(&path);
        let keeper = Keeper::start(path.clone(), Keeper::connect(&path, Duration::ZERO).unwrap()).unwrap();
        let person = PersonId::new(1).unwrap();
        for device in 1..=3 {
            let device = DeviceId::new(device).unwrap();
            let mac = keeper.pin_mac(person, device, Zeroizing::new([0; 32])).await;
            assert_eq!(mac.map(|mac| u64::from(mac.0[0])), Some(device.value()));
        }
        std::fs::remove_file(&path).unwrap();
        let device = DeviceId::new(1).unwrap();
        assert!(keeper.pin_mac(person, device, Zeroizing::new([0; 32])).await.is_none());
    }
}
