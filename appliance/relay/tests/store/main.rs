//! The store against real SQLCipher files: what it takes, gives back, refuses and survives.
#![allow(missing_docs, reason = "tests are named after what they show")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

mod altered;
mod answers;
mod audited;
mod batches;
mod clinic;
mod crash;
mod exports;
mod family;
mod files;
mod foreign;
mod full_disk;
#[allow(dead_code, reason = "the tests of search and of the driver need the rest")]
mod grants;
mod inboxes;
mod inside;
mod leaving;
mod model;
mod opening;
mod purged;
mod stat_load;
mod world;

use std::path::Path;

use wardline_core::state::Restored;
use wardline_core::write::Numbered;
use wardline_relay::store::{Commit, Store, StoreError, StoreKey};

/// The ward's key.
const KEY: [u8; 32] = [0xA5; 32];

fn key() -> StoreKey {
    StoreKey::new(KEY)
}

/// A directory in memory where there is one: a property test opens hundreds of stores, and their flushes prove nothing.
fn quick_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

async fn open(directory: &Path) -> (Store, Restored) {
    Store::open(&directory.join("store.db"), &key()).await.unwrap()
}

async fn refused(directory: &Path, key: &StoreKey) -> StoreError {
    match Store::open(&directory.join("store.db"), key).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

async fn commit(store: &mut Store, writes: &[Numbered]) {
    match store.commit(writes).await {
        Commit::Committed => {}
        other => panic!("{other:?}"),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
