//! Opening: the library, the key, the schema, the file, in this order, each proved before the next is tried.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};
use wardline_core::state::Restored;

use super::filing::Newer;
use super::readers::{READERS, Readers};
use super::rows::{STATEMENTS_MAX, Statements};
use super::{Store, StoreError, StoreKey, check, restore, wal};

/// The schema that this release knows. What a newer one has added is passed over, where [`migrate`] lets that be.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.set_ignore_missing(true);
    migrator
}

/// SQLite before this can corrupt a database when its log is reset (sqlite.org/wal.html, "The WAL-Reset Bug").
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// What the workspace builds; see the decision on SQLCipher.
const SQLCIPHER_MIN: (u32, u32, u32) = (4, 20, 0);

/// Bytes that must be free to open: the log at its full size, and as much again for what goes from it into the file.
const OPEN_FREE_MIN: u64 = 2 * wal::BYTES;

/// How long one statement waits for a lock. Only a checkpoint meets readers, and it is tried again.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// Up to this size the whole file is checked at opening: a second or two on a slow box. A million messages are 511 MB and
/// would take five to ten, with every phone in the house waiting; those are checked by [`Readers::check`].
const CHECK_WHOLE_MAX: u64 = 64 << 20;

/// What the core cannot do without, always checked. Bounded by people and conversations, not by history.
const CHECK_ALWAYS: [&str; 30] = [
    "PRAGMA quick_check(meta)",
    "PRAGMA quick_check(person)",
    "PRAGMA quick_check(device)",
    "PRAGMA quick_check(join_code)",
    "PRAGMA quick_check(conversation)",
    "PRAGMA quick_check(conversation_key)",
    "PRAGMA quick_check(member)",
    "PRAGMA quick_check(unit)",
    "PRAGMA quick_check(post)",
    "PRAGMA quick_check(escalation)",
    "PRAGMA quick_check(escalation_rung)",
    "PRAGMA quick_check(escalation_policy)",
    "PRAGMA quick_check(role)",
    "PRAGMA quick_check(patient)",
    "PRAGMA quick_check(encounter)",
    "PRAGMA quick_check(care_team)",
    "PRAGMA quick_check(emergency_access)",
    "PRAGMA quick_check(legal_hold)",
    "PRAGMA quick_check(retention_rule)",
    "PRAGMA quick_check(family_consent)",
    "PRAGMA quick_check(family_block)",
    "PRAGMA quick_check(bedside_code)",
    "PRAGMA quick_check(visit_request)",
    "PRAGMA quick_check(family_thread)",
    "PRAGMA quick_check(role_inbox)",
    "PRAGMA quick_check(role_gap)",
    "PRAGMA quick_check(announcer)",
    "PRAGMA quick_check(broadcast_policy)",
    "PRAGMA quick_check(assignment)",
    "PRAGMA quick_check(assignment_cover)",
];

/// Cache in KiB, as a negative number. The writer appends, and touches a page here and there only when it files places and
/// numbers, once in 4,096 changes: those it may read anew. A reader needs the interior of the tables, and the leaves in
/// use. All together 16 + 4 x 8 = 48 MB.
const WRITER_CACHE: &str = "-16384";
const READER_CACHE: &str = "-8192";

impl Store {
    /// Opens the store at `path`, or creates it, and hands back what it remembers.
    pub async fn open(path: &Path, key: &StoreKey) -> Result<(Self, Restored), StoreError> {
        check_library().await?;
        create(path)?;
        let free = free(path)?;
        if free < OPEN_FREE_MIN && !wal::is_laid_out(path) {
            return Err(StoreError::Full { free });
        }
        let options = options(path, key);
        let writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("cache_size", WRITER_CACHE)
            .statement_cache_capacity(STATEMENTS_MAX);
        let mut writer = writer.connect().await.map_err(StoreError::at_opening)?;
        check_settings(&mut writer).await?;
        migrate(&mut writer).await?;
        check(path, &mut writer).await?;
        wal::lay_out(path)?;
        let reader = options.read_only(true).pragma("cache_size", READER_CACHE).row_buffer_size(256);
        let mut connections = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            connections.push(reader.connect().await?);
        }
        let newer = Newer::read(&mut writer).await?;
        let restored = restore::restore(&mut writer, &newer).await?;
        let readers = Readers::new(connections, newer);
        let last = restored.change;
        let path = path.to_owned();
        let store = Self { writer, readers, path, last, sound: true, statements: Statements::default() };
        Ok((store, restored))
    }
}

/// What every connection has in common. Its `Debug` would show the key: never print it. sqlx would log the very
/// statement that sets the key: its logging is off. It also copies the key's text and does not wipe it, so the options
/// are dropped as soon as all connections stand.
fn options(path: &Path, key: &StoreKey) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .pragma("key", key.pragma().to_string())
        // Every page that is read or written has its MAC worked out: with the instructions that boxes of today have for
        // SHA-256, in a third of the time that SQLCipher's default, SHA-512, takes.
        .pragma("cipher_hmac_algorithm", "HMAC_SHA256")
        .filename(path)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "0")
        .pragma("trusted_schema", "OFF")
        .pragma("journal_size_limit", wal::LIMIT_BYTES.to_string())
        .pragma("wal_autocheckpoint", wal::CHECKPOINT_PAGES.to_string())
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Bytes that whoever runs this process may still write on the volume.
pub(super) fn free(path: &Path) -> Result<u64, StoreError> {
    let volume =
        nix::sys::statvfs::statvfs(directory(path)).map_err(|error| StoreError::Disk(error.into()))?;
    Ok(volume.blocks_available().saturating_mul(volume.fragment_size()))
}

/// An empty file that only this user may read; SQLite gives its log the same mode.
fn create(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        // The name outlasts a power cut only once its directory is flushed.
        Ok(_) => {
            File::open(directory(path)).and_then(|directory| directory.sync_all()).map_err(StoreError::Disk)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(StoreError::Full { free: 0 }),
        Err(error) => Err(StoreError::Disk(error)),
    }
}

/// Proves on a database in memory that this program is linked to what it must be, and has SQLCipher's own log, which
/// goes to standard error, switched off for the whole process before a key is near.
async fn check_library() -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
    let mut memory = options.connect().await?;
    let sqlite: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut memory).await?;
    let cipher: Option<String> =
        sqlx::query_scalar("PRAGMA cipher_version").fetch_optional(&mut memory).await?;
    check_versions(&sqlite, cipher.as_deref())?;
    memory.execute("PRAGMA cipher_log_level = NONE").await?;
    memory.close().await?;
    tracing::info!(sqlite, cipher = cipher.as_deref().unwrap_or_default(), "store library");
    Ok(())
}

fn check_versions(sqlite: &str, cipher: Option<&str>) -> Result<(), StoreError> {
    let Some(cipher) = cipher.filter(|version| !version.is_empty()) else {
        let found = format!("plain SQLite {sqlite}, which would store everything in clear");
        return Err(StoreError::Build { found, needed: "SQLCipher 4.20.0 or later" });
    };
    if version(cipher) < Some(SQLCIPHER_MIN) {
        let found = format!("SQLCipher {cipher}");
        return Err(StoreError::Build { found, needed: "SQLCipher 4.20.0 or later" });
    }
    if version(sqlite) < Some(SQLITE_MIN) {
        let found = format!("SQLite {sqlite}");
        return Err(StoreError::Build { found, needed: "SQLite 3.51.3 or later" });
    }
    Ok(())
}

/// "4.20.0 community" is 4, 20, 0.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split_whitespace().next()?.split('.').map(str::parse);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
        _ => None,
    }
}

/// A setting that SQLite does not know or cannot take is passed over in silence: so each is read back.
async fn check_settings(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    for (ask, expected) in [
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA secure_delete", "1"),
        ("PRAGMA mmap_size", "0"),
    ] {
        let found: i64 =
            sqlx::query_scalar(ask).fetch_one(&mut *writer).await.map_err(StoreError::at_opening)?;
        if found.to_string() != expected {
            return Err(StoreError::Build {
                found: format!("{ask} = {found}"),
                needed: "every setting to hold",
            });
        }
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await?;
    if mode != "wal" {
        return Err(StoreError::Build {
            found: format!("journal mode {mode}"),
            needed: "every setting to hold",
        });
    }
    Ok(())
}

async fn check(path: &Path, writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let size = std::fs::metadata(path).map_err(StoreError::Disk)?.len();
    let checks: &[&'static str] =
        if size <= CHECK_WHOLE_MAX { &["PRAGMA quick_check(1)"] } else { &CHECK_ALWAYS };
    for sql in checks {
        check::expect_ok(writer, *sql).await?;
    }
    Ok(())
}

/// Brings the schema up to what this release knows. A file that a newer release has migrated since is taken as it is, if
/// that release says that this one may: a box whose new image does not come up goes back to the old one.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let migrator = migrator();
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let mut newer = false;
    let any: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *writer)
        .await
        .map_err(StoreError::at_opening)?;
    if any == 1 {
        let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&mut *writer)
            .await?;
        newer = found > known;
        if newer {
            let oldest: i64 =
                sqlx::query_scalar("SELECT oldest_reader FROM meta").fetch_one(&mut *writer).await?;
            if oldest > known {
                return Err(StoreError::Newer { found, known });
            }
            tracing::warn!(
                found,
                known,
                "a newer release has migrated the store, and lets this one work with it"
            );
        }
    }
    migrator.run(&mut *writer).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMismatch(_) => StoreError::Unreleased,
        error => StoreError::Damaged(error.to_string()),
    })?;
    if !newer {
        let app = sqlx::query("UPDATE meta SET app = ?1 WHERE app <> ?1").bind(env!("CARGO_PKG_VERSION"));
        app.execute(writer).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_old_libraries_are_refused() {
        assert!(check_versions("3.54.1", Some("4.20.0 community")).is_ok());
        assert!(check_versions("3.51.3", Some("5.0.0")).is_ok());
        for (sqlite, cipher) in [
            ("3.54.1", None),
            ("3.54.1", Some("")),
            ("3.54.1", Some("4.10.0 community")),
            ("3.54.1", Some("unknown")),
            ("3.50.4", Some("4.20.0 community")),
            ("3.51.2", Some("4.20.0 community")),
        ] {
            let refused = check_versions(sqlite, cipher);
            assert!(matches!(refused, Err(StoreError::Build { .. })), "{sqlite} {cipher:?}");
        }
    }
}
