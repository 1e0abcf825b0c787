//! The keeper, asked from one thread of its own: its client blocks, and a TPM takes its time.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use wardline_core::ids::{DeviceId, PersonId};
use wardline_core::pin::PinMac;
use wardline_keys_protocol::client::{ClientError, KeeperClient};
use wardline_keys_protocol::message::Leaves;
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
}

fn serve(path: &Path, client: KeeperClient, inbox: &mpsc::Receiver<Ask>) {
    let mut client = Some(client);
    // Ends when the last handle is gone.
    while let Ok(ask) = inbox.recv() {
        if client.is_none() {
            client = KeeperClient::connect(path).ok();
        }
        let Some(connected) = client.as_mut() else { continue };
        let lost = match ask {
            Ask::PinMac { person, device, stretched, answer } => {
                let mac = connected.pin_mac(person.value(), device.value(), *stretched);
                settle(mac.map(|mac| PinMac(*mac.expose())), answer)
            }
            Ask::Leaves { answer } => settle(connected.leaves(), answer),
        };
        if lost {
            client = None;
        }
    }
}

/// Passes an answer on. True when the connection is of no more use. A dropped sender tells the asker.
fn settle<T>(outcome: Result<T, ClientError>, answer: oneshot::Sender<T>) -> bool {
    match outcome {
        Ok(value) => {
            // The connection that asked may be gone.
            let _ = answer.send(value);
            false
        }
        Err(ClientError::Refused(refusal)) => {
            tracing::warn!(%refusal, "the keeper refuses");
            false
        }
        Err(_) => {
            tracing::warn!("the keeper is away");
            true
        }
    }
}
