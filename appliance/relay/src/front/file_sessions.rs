//! Where a browser has no streams: which session a file belongs to that comes on a connection of its own.
//!
//! A page names its session by a hash of the challenge that it answered: the box made that up for this one connection, and told it to
//! nobody else. It opens nothing by itself: what may be sent or fetched is in the session's tickets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::transfer::TRANSFERS_MAX;
use crate::lane::Lane;

/// The sessions that have such a name now: one for each connection that has signed in, 150 bytes each.
#[derive(Clone, Default)]
pub(super) struct FileSessions(Arc<Mutex<BTreeMap<[u8; 32], Session>>>);

struct Session {
    lane: Arc<Lane>,
    free: Arc<Semaphore>,
}

/// One session's name, until it is dropped.
pub(super) struct Named {
    sessions: FileSessions,
    name: [u8; 32],
}

impl FileSessions {
    /// Of a session that answered this challenge.
    pub(super) fn enter(&self, challenge: &[u8; 32], lane: Arc<Lane>) -> Named {
        let name = name(challenge);
        let free = Arc::new(Semaphore::new(TRANSFERS_MAX as usize));
        self.lock().insert(name, Session { lane, free });
        Named { sessions: self.clone(), name }
    }

    /// The session, and one of its places for a file; `None`: no such session, or it has as many files under way as it may.
    pub(super) fn find(&self, name: &[u8]) -> Option<(Arc<Lane>, OwnedSemaphorePermit)> {
        let sessions = self.lock();
        let session = sessions.get(name)?;
        let place = Arc::clone(&session.free).try_acquire_owned().ok()?;
        Some((Arc::clone(&session.lane), place))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.name);
    }
}

fn name(challenge: &[u8; 32]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"wardline/1 files\0");
    context.update(challenge);
    let mut name = [0; 32];
    name.copy_from_slice(context.finish().as_ref());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_name_for_two_files_at_a_time_and_until_it_ends() {
        let sessions = FileSessions::default();
        let entered = sessions.enter(&[7; 32], Arc::new(Lane::new()));
        assert!(sessions.find(&[7; 32]).is_none(), "the challenge itself is no name");
        assert!(sessions.find(&[]).is_none());
        let held: Vec<_> = (0..TRANSFERS_MAX).map(|_| sessions.find(&name(&[7; 32])).unwrap()).collect();
        assert!(sessions.find(&name(&[7; 32])).is_none(), "one too many");
        drop(held);
        assert!(sessions.find(&name(&[7; 32])).is_some());
        drop(entered);
        assert!(sessions.find(&name(&[7; 32])).is_none(), "it has ended");
    }
}
