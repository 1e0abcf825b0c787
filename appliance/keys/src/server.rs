//! The keeper's socket: who may connect, how many at once, and the queue to the one thread that owns the TPM.
//!
//! A peer is its user id as the kernel reports it (SO_PEERCRED); root is nobody special. Frames are foreign bytes: a
//! bad one closes its own connection and nothing else. Refuses: users without a role, before anything of theirs is
//! read; more than [`CONNECTIONS_MAX`] connections; and requests when [`QUEUE_MAX`] wait.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use tracing::warn;
use wardline_keys_protocol::frame::{self, ReadError};
use wardline_keys_protocol::{Refusal, Reply, Request};

use crate::keeper::Roles;

/// Connections at once. The relay holds one or two, provisioning one; the rest is room for restarts that overlap.
pub const CONNECTIONS_MAX: usize = 16;
/// Connections at once of one user, so that none can lock the other out: half of all.
pub const CONNECTIONS_PER_USER_MAX: usize = 8;
/// Requests that wait for the TPM. At 20 ms each on a slow chip the last waits 0.3 s.
pub const QUEUE_MAX: usize = CONNECTIONS_MAX;
/// A connection's thread needs two frames on the heap and little stack.
const STACK_BYTES: usize = 256 * 1024;
/// How long a peer may take to accept a reply.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which users have which role.
#[derive(Debug, Clone, Default)]
pub struct Users {
    /// User ids with the relay's role.
    pub relay: Vec<u32>,
    /// User ids with the provisioning role.
    pub provisioning: Vec<u32>,
}

impl Users {
    /// The roles of a user.
    pub fn roles(&self, uid: u32) -> Roles {
        Roles { relay: self.relay.contains(&uid), provisioning: self.provisioning.contains(&uid) }
    }
}

/// One request on its way to the TPM's thread.
#[derive(Debug)]
pub struct Job {
    /// What its sender may ask for.
    pub roles: Roles,
    /// What it asks.
    pub request: Request,
    /// Where the reply goes. A sender that is gone does not matter.
    pub reply: SyncSender<Reply>,
}

/// Binds the socket, replacing what a killed keeper left. Mode 0660: the relay is in the keeper's group.
///
/// # Errors
/// What the system reports; [`io::ErrorKind::AlreadyExists`] when something that is not a socket is in the way.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // The process's umask (077) makes it 0700 from the first moment; then the group gets in.
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Accepts connections in a thread of its own, and returns the requests that they bring.
///
/// # Errors
/// When the thread cannot be made.
pub fn serve(listener: UnixListener, users: Users) -> io::Result<Receiver<Job>> {
    let (jobs, received) = mpsc::sync_channel(QUEUE_MAX);
    let open: Arc<Mutex<BTreeMap<u32, usize>>> = Arc::default();
    thread::Builder::new().name("accept".into()).stack_size(STACK_BYTES).spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let Ok(peer) = getsockopt(&stream, PeerCredentials) else { continue };
            let uid = peer.uid();
            let roles = users.roles(uid);
            if roles == Roles::default() {
                turn_away(stream);
                continue;
            }
            let Some(place) = Place::take(&open, uid) else {
                warn!(uid, "too many connections");
                continue;
            };
            let jobs = jobs.clone();
            let started =
                thread::Builder::new().name(format!("peer {uid}")).stack_size(STACK_BYTES).spawn(move || {
                    let _place = place;
                    if let Err(error) = converse(stream, roles, &jobs) {
                        warn!(uid, %error, "connection closed");
                    }
                });
            if let Err(error) = started {
                warn!(uid, %error, "no thread for a connection");
            }
        }
    })?;
    Ok(received)
}

/// One connection's place among those that may be open.
struct Place {
    open: Arc<Mutex<BTreeMap<u32, usize>>>,
    uid: u32,
}

impl Place {
    fn take(open: &Arc<Mutex<BTreeMap<u32, usize>>>, uid: u32) -> Option<Self> {
        let mut counts = open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let own = counts.entry(uid).or_default();
        if all >= CONNECTIONS_MAX || *own >= CONNECTIONS_PER_USER_MAX {
            return None;
        }
        *own += 1;
        Some(Self { open: open.clone(), uid })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.uid) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                counts.remove(&self.uid);
            }
        }
    }
}

/// Tells a user without a role so. A few bytes into an empty buffer: nobody is waited for, no place is taken.
fn turn_away(mut stream: UnixStream) {
    if stream.set_nonblocking(true).is_ok() {
        let _ = frame::write(&mut stream, &Reply::Refused(Refusal::NotAllowed));
    }
}

/// Serves one connection to its end.
fn converse(mut stream: UnixStream, roles: Roles, jobs: &SyncSender<Job>) -> Result<(), ReadError> {
    stream.set_write_timeout(Some(PATIENCE))?;
    while let Some(request) = frame::read::<Request>(&mut stream)? {
        let (reply, answered) = mpsc::sync_channel(1);
        let reply = match jobs.try_send(Job { roles, request, reply }) {
            Ok(()) => answered.recv().unwrap_or(Reply::Refused(Refusal::Fault)),
            Err(TrySendError::Full(_)) => Reply::Refused(Refusal::Busy),
            Err(TrySendError::Disconnected(_)) => Reply::Refused(Refusal::Fault),
        };
        frame::write(&mut stream, &reply)?;
    }
    Ok(())
}
