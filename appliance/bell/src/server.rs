//! The bell's socket: who may connect, and many requests of one connection at once.
//!
//! A peer is its user id as the kernel reports it (SO_PEERCRED); root is nobody special. Frames are foreign bytes: a bad one
//! closes its own connection. Refuses: other users than the relay's, before anything of theirs is read; more than
//! [`CONNECTIONS_MAX`] connections. Rings in flight are bounded by [`crate::ringing::RINGS_MAX`].

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;
use wardline_bell_protocol::{self as protocol, FrameError, Reply, Request, Tagged};

use crate::ringing::{Bell, RINGS_MAX};

/// Connections at once: the relay holds one, the rest is room for restarts that overlap.
pub const CONNECTIONS_MAX: usize = 4;

/// Binds the socket, replacing what a killed bell left. Mode 0660: the relay is in the bell's group.
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
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Answers these users for as long as it is polled.
pub async fn serve(listener: UnixListener, uids: Vec<u32>, bell: Arc<Bell>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let Some(uid) = stream.peer_cred().ok().map(|peer| peer.uid()).filter(|uid| uids.contains(uid))
        else {
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            warn!(uid, "too many connections");
            continue;
        };
        let bell = bell.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = converse(stream, &bell).await {
                warn!(uid, %error, "connection closed");
            }
        });
    }
}

async fn converse(stream: UnixStream, bell: &Arc<Bell>) -> Result<(), FrameError> {
    let (reading, mut writing) = stream.into_split();
    // What rings keeps its place here until its answer is written, so a relay that reads none is read no further.
    let (answers, mut answered) = mpsc::channel(RINGS_MAX);
    let mut asks = tokio::spawn(take(reading, bell.clone(), answers));
    let outcome = loop {
        tokio::select! {
            answer = answered.recv() => match answer {
                Some(answer) => protocol::write(&mut writing, &answer).await?,
                None => break Ok(()),
            },
            ended = &mut asks => break ended.unwrap_or(Ok(())),
        }
    };
    asks.abort();
    outcome
}

async fn take(
    mut reading: OwnedReadHalf,
    bell: Arc<Bell>,
    answers: mpsc::Sender<Tagged<Reply>>,
) -> Result<(), FrameError> {
    while let Some(Tagged { tag, body }) = protocol::read::<Request>(&mut reading).await? {
        // Nobody reads answers any more.
        let Ok(place) = answers.clone().reserve_owned().await else { break };
        match body {
            Request::PublicKey => {
                place.send(Tagged { tag, body: Reply::PublicKey(bell.public_key()) });
            }
            Request::Counts => {
                place.send(Tagged { tag, body: Reply::Counts(bell.counts()) });
            }
            Request::Ring(phone) => {
                let bell = bell.clone();
                tokio::spawn(async move {
                    let body = Reply::Rung(bell.ring(&phone).await);
                    place.send(Tagged { tag, body });
                });
            }
        }
    }
    Ok(())
}
