//! Search: an index of words beside the store, and answers out of it that tell nothing of what the asker may not see.
//!
//! The index is an encrypted file of its own, made of the store by one task that follows its changes, and never backed up: what
//! is missing, torn, of another key or of another release is thrown away and built again, while everything else goes on and
//! answers say that they are not complete. The order in which hits come depends on the hits alone.
//!
//! What it refuses to do:
//! - count, rank by, or walk through anything but the asker's own conversations;
//! - show what it found without reading it in the store, where rights are asked again;
//! - hold up the store: it reads some messages at a time, rests as long as it has worked, and stops when the disk fills;
//! - wait: what is not in the index yet is found a moment later.

mod answer;
mod builder;
mod index;
mod look;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wardline_core::ids::{Change, ConversationId};
use wardline_core::time::Wall;
use wardline_core::write::{Numbered, Write};
use zeroize::Zeroizing;

pub use self::answer::{Answer, answer};
pub use self::builder::Builder;
use self::look::Looker;
pub use self::look::{Found, Hit};
use crate::store::StoreKey;

/// Where the index lives and what opens it.
pub struct Place {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
}

impl Place {
    /// A file, and [`crate::keyring::BoxKeys::search`].
    pub fn new(path: PathBuf, key: Zeroizing<[u8; 32]>) -> Self {
        Self { path, key }
    }

    fn key(&self) -> StoreKey {
        StoreKey::new(*self.key)
    }
}

/// Search, as the rest of the relay has it: one for the process.
#[derive(Default)]
pub struct Search {
    shown: Mutex<Shown>,
    news: Mutex<News>,
    woken: Notify,
    moved: Notify,
}

/// What can be looked into, and how far it goes.
#[derive(Clone, Default)]
struct Shown {
    looker: Option<Arc<Looker>>,
    through: Change,
    at: Wall,
}

/// What the store has done since the index last looked. Bounded by conversations, eight bytes each.
#[derive(Default)]
struct News {
    written: bool,
    purged: BTreeSet<ConversationId>,
    expired: BTreeSet<ConversationId>,
    /// Messages were edited or recalled.
    altered: bool,
    /// Somebody met damage.
    broken: bool,
    /// Nobody searches any more.
    over: bool,
    /// All of this was dealt with, and nothing of what is gone is left.
    idle: bool,
}

impl News {
    fn are_none(&self) -> bool {
        let Self { written, altered, broken, over, .. } = self;
        ![written, altered, broken, over].into_iter().any(|is| *is)
            && self.purged.is_empty()
            && self.expired.is_empty()
    }
}

impl Search {
    /// Tells the index what was committed.
    pub fn committed(&self, writes: &[Numbered]) {
        let mut news = self.news();
        for numbered in writes {
            match &numbered.write {
                Write::KeyDestroyed { conversation } => drop(news.purged.insert(*conversation)),
                Write::MessagesExpired { conversation, .. } => drop(news.expired.insert(*conversation)),
                Write::MessageAccepted(_) => news.written = true,
                Write::MessageEdited { .. } | Write::MessageRecalled { .. } => news.altered = true,
                _ => {}
            }
        }
        let any = !news.are_none();
        drop(news);
        if any {
            self.woken.notify_one();
        }
    }

    /// The index is closed, and not opened again.
    pub fn stop(&self) {
        self.news().over = true;
        self.woken.notify_one();
    }

    fn news(&self) -> MutexGuard<'_, News> {
        // A panic while holding it left plain data: still usable.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is to do; whoever does it says so by [`Search::rest`].
    fn take_news(&self) -> News {
        std::mem::take(&mut *self.news())
    }

    /// All that was taken is done.
    fn rest(&self) {
        let mut news = self.news();
        news.idle = news.are_none();
        drop(news);
        self.moved.notify_waiters();
    }

    /// Waits until the index has nothing to do: what was said can be found, what is gone is gone from the file and its log.
    pub async fn is_clean(&self) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            {
                let news = self.news();
                if news.idle && news.are_none() {
                    return;
                }
            }
            moved.await;
        }
    }

    /// The index was found damaged: it is thrown away and built anew.
    fn broken(&self) {
        self.news().broken = true;
        self.woken.notify_one();
    }

    fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, shown: Shown) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        self.moved.notify_waiters();
    }

    /// Waits until everything up to a change can be found.
    pub async fn reaches(&self, change: Change) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let shown = self.shown();
            if shown.looker.is_some() && shown.through >= change {
                return;
            }
            moved.await;
        }
    }

    /// Up to which change everything is in.
    pub fn through(&self) -> Change {
        self.shown().through
    }
}
