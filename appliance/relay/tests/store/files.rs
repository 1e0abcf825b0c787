//! What lies on the disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::Executor;

use wardline_core::ids::Change;
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::write::{Numbered, Write};
use wardline_relay::store::{Store, StoreError};

use crate::batches::busy_world;
use crate::opening::{KEY_HEX, raw};
use crate::world::World;
use crate::{block_on, commit, key, open, quick_directory};

const CANARY: &str = "CANARY Zebra-Quartz 7719";

/// A busy ward in which every text says the canary.
fn canaries() -> World {
    let mut world = busy_world(2_600);
    for Numbered { write, .. } in &mut world.writes {
        match write {
            Write::PersonAdded(person) => {
                person.name = Name::parse(CANARY).unwrap();
                person.title = Title::parse(CANARY).unwrap();
            }
            Write::DeviceJoined(device) => device.name = Name::parse(CANARY).unwrap(),
            Write::ConversationOpened { title, .. } => *title = Title::parse(CANARY).unwrap(),
            Write::PatientSet { patient, .. } => patient.particulars.name = Name::parse(CANARY).unwrap(),
            Write::MessageAccepted(message) => message.body = Sealed(CANARY.repeat(8).into_bytes()),
            _ => {}
        }
    }
    world
}

/// Messages of full length to one conversation.
pub(crate) fn long_messages(count: u64) -> World {
    let mut world = World::default();
    let ana = world.person(1).unwrap();
    world.device(ana, 1).unwrap();
    let conversation = world.open(ana, 1, 1).unwrap();
    for how in 0..count {
        world.message(conversation, how * 5).unwrap();
    }
    world
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Shannon's, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    let share = |count: u64| count as f64 / total;
    counts.into_iter().filter(|count| *count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

#[test]
fn the_files_are_ciphertext_that_only_their_owner_may_read() {
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        for writes in canaries().writes.chunks(100) {
            commit(&mut store, writes).await;
        }
        let mut seen = 0;
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!contains(&bytes, "CANARY") && !contains(&bytes, "Zebra-Quartz"), "{path:?}");
            assert!(!contains(&bytes, "SQLite format 3"), "{path:?}");
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
            seen += 1;
        }
        assert_eq!(seen, 3, "the database, its log, its shared memory");
        store.close().await.unwrap();
        let bytes = std::fs::read(directory.path().join("store.db")).unwrap();
        assert!(bytes.len() > 300_000 && entropy(&bytes) > 7.998, "{} {}", bytes.len(), entropy(&bytes));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "closing leaves one file");
    });
}

#[test]
fn a_flipped_bit_in_any_page_is_found() {
    const PAGE: usize = 4096;
    block_on(async {
        let directory = quick_directory();
        let path = directory.path().join("store.db");
        let (mut store, _) = open(directory.path()).await;
        let mut writes = canaries().writes;
        writes.truncate(400);
        commit(&mut store, &writes).await;
        store.close().await.unwrap();
        let sound = std::fs::read(&path).unwrap();
        let pages = sound.len() / PAGE;
        assert!(pages > 20);
        for page in 0..pages {
            let mut bytes = sound.clone();
            bytes[page * PAGE + (page * 977) % PAGE] ^= 1 << (page % 8);
            std::fs::write(&path, &bytes).unwrap();
            let found = match Store::open(&path, &key()).await {
                Err(StoreError::Key) if page == 0 => true,
                Err(StoreError::Damaged(_)) => true,
                Err(other) => panic!("page {page}: {other:?}"),
                Ok((store, _)) => matches!(store.readers().check().await, Err(StoreError::Damaged(_))),
            };
            assert!(found, "page {page} of {pages}");
            let _ = std::fs::remove_file(directory.path().join("store.db-wal"));
            let _ = std::fs::remove_file(directory.path().join("store.db-shm"));
        }
        std::fs::write(&path, &sound).unwrap();
        open(directory.path()).await.0.readers().check().await.unwrap();
    });
}

/// More audit entries.
fn next_after(world: &World, count: u64) -> Vec<Numbered> {
    let (change, audited) = (world.state.change.0, world.state.audited);
    let entry = |n| Write::Audited { index: audited + n, bytes: vec![7; 48] };
    (1..=count).map(|n| Numbered { change: Change(change + n), write: entry(n) }).collect()
}

fn log_of(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("store.db-wal")).unwrap()
}

#[test]
fn a_scrub_leaves_nothing_in_the_log_and_the_log_its_size() {
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        let laid_out = log_of(directory.path());
        // What made the schema, some pages of it by more than one migration; zeros behind. A page takes 4,096 bytes and a head of 24.
        let mut looks = raw(directory.path(), Some(KEY_HEX)).await;
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut looks).await.unwrap();
        drop(looks);
        let used = laid_out.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        assert!(used < 4 * 4_120 * usize::try_from(pages).unwrap(), "{used} bytes for {pages} pages");
        for writes in canaries().writes.chunks(100) {
            commit(&mut store, writes).await;
        }
        assert!(log_of(directory.path()).iter().any(|byte| *byte != 0));
        // Somebody who reads for a while keeps the log from being emptied: the scrub says so at once.
        let mut reader = raw(directory.path(), Some(KEY_HEX)).await;
        reader.execute("BEGIN").await.unwrap();
        reader.fetch_one("SELECT count(*) FROM message").await.unwrap();
        commit(&mut store, &next_after(&canaries(), 1)).await;
        let before = store.readers().canonical_hash().await.unwrap();
        assert!(matches!(store.scrub().await, Err(StoreError::Busy)));
        commit(&mut store, &next_after(&canaries(), 2).split_off(1)).await;
        reader.execute("COMMIT").await.unwrap();
        let before_last = before;
        let before = store.readers().canonical_hash().await.unwrap();
        assert_ne!(before, before_last, "commits go on while a scrub is due");
        store.scrub().await.unwrap();
        let scrubbed = log_of(directory.path());
        assert!(scrubbed.iter().all(|byte| *byte == 0), "the log holds something");
        assert_eq!(scrubbed.len(), laid_out.len());
        assert_eq!(store.readers().canonical_hash().await.unwrap(), before);
        commit(&mut store, &next_after(&canaries(), 102).split_off(2)).await;
        assert_eq!(log_of(directory.path()).len(), laid_out.len(), "the log is reused, not regrown");
        drop(store);
        let (_, restored) = open(directory.path()).await;
        assert_eq!(restored.change, Change(canaries().state.change.0 + 102));
    });
}

#[test]
fn the_log_is_reset_and_reused_however_much_is_written() {
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        let size = log_of(directory.path()).len();
        let writes = busy_world(70_000).writes;
        for batch in writes.chunks(300) {
            commit(&mut store, batch).await;
        }
        let written = std::fs::metadata(directory.path().join("store.db")).unwrap().len() as usize;
        assert!(written > size, "{written} of {size}: too little to tell");
        assert_eq!(log_of(directory.path()).len(), size);
    });
}
