//! What a store gives away to somebody who has its files and its key: every value of every table, every text that opens,
//! and every page in clear. The pages matter most: no query sees what lies in free pages, in the gaps of used ones, or in
//! frames of the log that have had their day.
//!
//! Nothing in here is the store's own code, but for the keyring that opens bodies. The whole box's test uses this too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use wardline_core::ids::{ConversationId, DeviceId, MessageId};
use wardline_core::text::{Sealed, WrappedKey};
use wardline_relay::keyring::{BoxKeys, Keyring, Origin};

/// SQLCipher's page: what it holds, then the IV, then the MAC, here HMAC-SHA-256.
const PAGE: usize = 4096;
const IV: usize = MAC - 16;
const MAC: usize = PAGE - 32;
/// The first page begins with the salt, in clear.
const SALT: usize = 16;
/// The write-ahead log's header, and that of each frame in it (sqlite.org/fileformat2.html, section 4).
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A wrapped key: a nonce, 32 bytes, a tag.
pub(crate) const WRAPPED: usize = 12 + 32 + 16;

/// A message that lies there: where it comes from, and its sealed body.
pub(crate) type Body = (Origin, Sealed);

/// All that was got out of a store.
pub(crate) struct Inside {
    /// Wrapped keys by conversation.
    pub(crate) keys: BTreeMap<u64, Vec<u8>>,
    /// Every message, readable or not.
    pub(crate) bodies: Vec<Body>,
    /// What opened, with any of the keys.
    pub(crate) texts: Vec<String>,
    /// Free pages in the file, as SQLite counts them.
    pub(crate) free: i64,
    /// Frames of the log that hold something, current or not.
    pub(crate) frames: usize,
    /// Values and pages in clear, each with its place.
    clear: Vec<(String, Vec<u8>)>,
}

impl Inside {
    /// Looks. Whoever works with the store may go on; what is written meanwhile may be missed.
    pub(crate) async fn of(path: &Path, key: &[u8; 32]) -> Self {
        let mut connection = connect(path, key).await;
        let mut clear = values(&mut connection).await;
        let rows = sqlx::query("SELECT conversation, wrapped FROM conversation_key");
        let rows = rows.fetch_all(&mut connection).await.unwrap();
        let keys: BTreeMap<u64, Vec<u8>> =
            rows.iter().map(|row| (row.get::<i64, _>(0).cast_unsigned(), row.get(1))).collect();
        let bodies = bodies(&mut connection).await;
        let free = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let texts = texts(key, &keys, &bodies);
        let (pages, frames) = pages(path, key);
        clear.extend(pages);
        Self { keys, bodies, texts, free, frames, clear }
    }

    /// Which of these lie somewhere in clear, as they are or in hexadecimal, and where.
    pub(crate) fn places(&self, needles: &[&[u8]]) -> BTreeMap<usize, BTreeSet<&str>> {
        // All needles in one pass: by the eight bytes that each begins with.
        let mut guises: BTreeMap<u64, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
        for (which, needle) in needles.iter().enumerate() {
            let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
            for guise in [needle.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()] {
                let head = u64::from_be_bytes(*guise.first_chunk().expect("eight bytes to look for"));
                guises.entry(head).or_default().push((which, guise));
            }
        }
        let mut found: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (place, bytes) in &self.clear {
            let mut head = 0;
            for (end, byte) in bytes.iter().enumerate() {
                head = head << 8 | u64::from(*byte);
                let Some(guises) = guises.get(&head).filter(|_| end >= 7) else { continue };
                for (which, _) in guises.iter().filter(|(_, guise)| bytes[end - 7..].starts_with(guise)) {
                    found.entry(*which).or_default().insert(place);
                }
            }
        }
        found
    }

    /// Whether this text opened.
    pub(crate) fn reads(&self, text: &str) -> bool {
        self.texts.iter().any(|found| found.contains(text))
    }
}

async fn connect(path: &Path, key: &[u8; 32]) -> SqliteConnection {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let options = SqliteConnectOptions::new().pragma("key", format!("\"x'{hex}'\"")).filename(path);
    let options = options.pragma("cipher_hmac_algorithm", "HMAC_SHA256");
    options.read_only(true).disable_statement_logging().connect().await.unwrap()
}

/// Every value of every table, the schema's own included, as bytes.
async fn values(connection: &mut SqliteConnection) -> Vec<(String, Vec<u8>)> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT s.name, c.name FROM (SELECT name FROM sqlite_schema WHERE type = 'table' \
         UNION SELECT 'sqlite_schema') AS s JOIN pragma_table_info(s.name) AS c",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut values = Vec::new();
    for (table, column) in columns {
        let all =
            format!("SELECT CAST(\"{column}\" AS BLOB) FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
        for row in sqlx::query(AssertSqlSafe(all)).fetch_all(&mut *connection).await.unwrap() {
            values.push((format!("{table}.{column}"), row.get(0)));
        }
    }
    values
}

async fn bodies(connection: &mut SqliteConnection) -> Vec<Body> {
    let rows = sqlx::query("SELECT conversation, id, device, body FROM message");
    let rows = rows.fetch_all(connection).await.unwrap();
    let body = |row: &sqlx::sqlite::SqliteRow| {
        let origin = Origin {
            conversation: ConversationId::new(row.get::<i64, _>(0).cast_unsigned()).unwrap(),
            message: MessageId(row.get::<Vec<u8>, _>(1).try_into().unwrap()),
            device: DeviceId::new(row.get::<i64, _>(2).cast_unsigned()).unwrap(),
            version: 0,
        };
        (origin, Sealed(row.get(3)))
    };
    rows.iter().map(body).collect()
}

/// What these bodies say: each of the keys is tried on each.
pub(crate) fn texts(key: &[u8; 32], keys: &BTreeMap<u64, Vec<u8>>, bodies: &[Body]) -> Vec<String> {
    let ring = Keyring::new(&BoxKeys::derive(key).unwrap()).unwrap();
    let unwrapped: Vec<_> =
        keys.values().filter_map(|wrapped| ring.unwrap(&WrappedKey(wrapped.clone())).ok()).collect();
    let mut texts = Vec::new();
    for (origin, sealed) in bodies {
        texts.extend(unwrapped.iter().filter_map(|key| ring.open(key, *origin, sealed.clone()).ok()));
    }
    texts
}

/// Every page of the file and of its log in clear, and how many the log had.
pub(crate) fn pages(path: &Path, key: &[u8; 32]) -> (Vec<(String, Vec<u8>)>, usize) {
    let cipher = DecryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
    let file = std::fs::read(path).unwrap();
    let mut pages = Vec::new();
    for (at, page) in file.chunks_exact(PAGE).enumerate() {
        pages.push((format!("page {}", at + 1), page_in_clear(&cipher, page, at == 0)));
    }
    // The header of the first page says how large pages are and how much of each is kept from SQLite: in clear, so that all of
    // this does what it says. It is what SQLCipher's default takes, which is set first; SQLite does not take it back.
    let header = &pages.first().expect("a page").1;
    assert_eq!((&header[..2], header[4]), (&[16, 0][..], 80), "this is not how the file is encrypted");
    let log = std::fs::read(beside(path, "-wal")).unwrap_or_default();
    let mut frames = 0;
    for frame in log.get(LOG_HEADER..).unwrap_or_default().chunks_exact(FRAME_HEADER + PAGE) {
        // Laid out, not used.
        if frame.iter().all(|byte| *byte == 0) {
            continue;
        }
        let (header, page) = frame.split_at(FRAME_HEADER);
        let number = u32::from_be_bytes(*header.first_chunk().expect("a number"));
        pages.push((format!("log, page {number}"), page_in_clear(&cipher, page, number == 1)));
        frames += 1;
    }
    (pages, frames)
}

/// AES-256-CBC, by hand: the block cipher, then the block before.
fn page_in_clear(cipher: &DecryptingKey, page: &[u8], first: bool) -> Vec<u8> {
    let sealed = &page[if first { SALT } else { 0 }..IV];
    let mut clear = sealed.to_vec();
    cipher.decrypt(&mut clear, DecryptionContext::None).unwrap();
    let before = page[IV..MAC].iter().chain(sealed);
    for (byte, before) in clear.iter_mut().zip(before) {
        *byte ^= before;
    }
    clear
}

/// A file of the same name with something behind it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
