//! Opening: what is refused, in which words, and that a key shows nowhere.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use wardline_core::directory::{Post, Unit};
use wardline_core::ids::{Change, UnitId};
use wardline_core::text::Name;
use wardline_core::write::{Numbered, Write};
use wardline_relay::store::{Store, StoreError, StoreKey};

use crate::batches::busy_world;
use crate::{block_on, commit, key, open, quick_directory, refused};

pub(crate) const KEY_HEX: &str = "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5";

/// The file behind the store's back.
pub(crate) async fn raw(directory: &Path, key: Option<&str>) -> SqliteConnection {
    let mut options =
        SqliteConnectOptions::new().filename(directory.join("store.db")).disable_statement_logging();
    if let Some(key) = key {
        options = options.pragma("key", format!("\"x'{key}'\""));
        options = options.pragma("cipher_hmac_algorithm", "HMAC_SHA256");
    }
    options.connect().await.unwrap()
}

async fn filled(directory: &Path) {
    let (mut store, _) = open(directory).await;
    commit(&mut store, &busy_world(200).writes).await;
    store.close().await.unwrap();
}

#[test]
fn a_wrong_key_is_refused_and_the_right_one_still_opens() {
    block_on(async {
        let directory = quick_directory();
        filled(directory.path()).await;
        let error = refused(directory.path(), &StoreKey::new([0xA4; 32])).await;
        assert!(matches!(error, StoreError::Key), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("key") && words.contains("restore a backup"), "{words}");
        assert_eq!(open(directory.path()).await.1.change, busy_world(200).state.change);
    });
}

#[test]
fn without_a_key_there_is_nothing_to_read() {
    block_on(async {
        let directory = quick_directory();
        filled(directory.path()).await;
        let mut plain = raw(directory.path(), None).await;
        let error = plain.execute("SELECT count(*) FROM sqlite_schema").await.unwrap_err();
        assert!(error.to_string().contains("file is not a database"), "{error}");
    });
}

#[test]
fn what_is_no_store_is_refused_as_with_a_wrong_key() {
    block_on(async {
        let directory = quick_directory();
        let path = directory.path().join("store.db");
        let mut plain =
            SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
        plain.execute("CREATE TABLE person (id INTEGER)").await.unwrap();
        plain.close().await.unwrap();
        let error = refused(directory.path(), &key()).await;
        assert!(matches!(error, StoreError::Key), "{error:?}");
    });
}

/// What a later release leaves behind that added a table.
const LATER: &str = "CREATE TABLE later (id INTEGER NOT NULL PRIMARY KEY) STRICT; \
     INSERT INTO later (id) VALUES (1); UPDATE meta SET app = '9.9.9'; \
     INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES (999, 'later', TRUE, x'00', 0)";

/// A box whose new image does not come up goes back to the old one.
#[test]
fn a_newer_schema_that_lets_this_release_be_is_worked_with_and_left_as_it_is() {
    block_on(async {
        let directory = quick_directory();
        let world = busy_world(400);
        let (first, rest) = world.writes.split_at(200);
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, first).await;
        store.close().await.unwrap();
        let mut later = raw(directory.path(), Some(KEY_HEX)).await;
        later.execute(LATER).await.unwrap();
        later.close().await.unwrap();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, rest).await;
        store.close().await.unwrap();
        assert_eq!(open(directory.path()).await.1.change, world.state.change);
        let mut inside = raw(directory.path(), Some(KEY_HEX)).await;
        let kept: (i64, i64, String) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM later), (SELECT max(version) FROM _sqlx_migrations), app FROM meta",
        )
        .fetch_one(&mut inside)
        .await
        .unwrap();
        assert_eq!(kept, (1, 999, "9.9.9".to_owned()));
    });
}

/// A store of the release before: its schema, and a person in a group.
async fn of_the_first_schema(directory: &Path) {
    let all = sqlx::migrate!("./migrations");
    let first = all.iter().filter(|migration| migration.version == 1).cloned().collect();
    let first = Migrator { migrations: Cow::Owned(first), ..all };
    let options = SqliteConnectOptions::new().filename(directory.join("store.db")).create_if_missing(true);
    let options = options.pragma("key", format!("\"x'{KEY_HEX}'\""));
    let options = options.pragma("cipher_hmac_algorithm", "HMAC_SHA256").disable_statement_logging();
    let mut old = options.connect().await.unwrap();
    first.run(&mut old).await.unwrap();
    old.execute(
        "INSERT INTO person VALUES (7, 'Ana', 'RN', 1, 0, 1); \
         INSERT INTO conversation VALUES (9, 2, '4 West', 7, 0, 3, 0, 0, 1, 0, 3); \
         INSERT INTO member VALUES (9, 7, 1, 0, 0, 0, 3); \
         UPDATE meta SET change = 3",
    )
    .await
    .unwrap();
    old.close().await.unwrap();
}

#[test]
fn a_store_of_the_first_schema_is_brought_up_to_date_and_goes_on() {
    block_on(async {
        let directory = quick_directory();
        of_the_first_schema(directory.path()).await;
        let (mut store, restored) = open(directory.path()).await;
        let [ana] = &restored.people[..] else { panic!("{} people", restored.people.len()) };
        assert!(ana.administrator && !ana.privacy_officer && ana.posts.is_empty());
        let [group] = &restored.conversations[..] else { panic!("no group") };
        assert!(group.unit.is_none() && !group.archived && group.members.contains_key(&ana.id));
        let (id, name) = (UnitId::new(5).unwrap(), Name::parse("Hall B").unwrap());
        let writes = [
            Write::UnitSet(Unit { id, name, changed: Change(0) }),
            Write::PostSet { person: ana.id, unit: id, post: Some(Post::ChargeNurse) },
            Write::ArchivedSet { conversation: group.id, archived: true },
        ];
        let writes: Vec<Numbered> =
            (4..).zip(writes).map(|(change, write)| Numbered { change: Change(change), write }).collect();
        commit(&mut store, &writes).await;
        store.close().await.unwrap();
        let restored = open(directory.path()).await.1;
        assert_eq!(restored.people[0].posts[&id], Post::ChargeNurse);
        assert!(restored.conversations[0].archived);
    });
}

#[test]
fn a_newer_schema_is_refused_untouched() {
    block_on(async {
        let directory = quick_directory();
        filled(directory.path()).await;
        let mut later = raw(directory.path(), Some(KEY_HEX)).await;
        later.execute(LATER).await.unwrap();
        later.execute("UPDATE meta SET oldest_reader = 999").await.unwrap();
        later.close().await.unwrap();
        let error = refused(directory.path(), &key()).await;
        assert!(matches!(error, StoreError::Newer { found: 999, .. }), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("install the release"), "{words}");
    });
}

#[test]
fn a_missing_directory_is_the_disks_fault() {
    block_on(async {
        let directory = quick_directory();
        let error = refused(&directory.path().join("nowhere"), &key()).await;
        assert!(matches!(error, StoreError::Disk(_)), "{error:?}");
    });
}

#[test]
fn a_store_that_contradicts_itself_is_refused() {
    block_on(async {
        for (damage, whats_wrong) in [
            ("UPDATE meta SET audited = audited + 1", "audit"),
            ("DELETE FROM audit WHERE entry_index = (SELECT max(entry_index) FROM audit)", "audit"),
            ("UPDATE meta SET change = 1", "newer"),
            ("UPDATE person SET suspended = 7", "flag"),
            ("UPDATE conversation SET kind = 99", "kind"),
        ] {
            let directory = quick_directory();
            filled(directory.path()).await;
            let mut inside = raw(directory.path(), Some(KEY_HEX)).await;
            inside.execute(damage).await.unwrap();
            inside.close().await.unwrap();
            let error = refused(directory.path(), &key()).await;
            let words = error.to_string();
            assert!(
                matches!(error, StoreError::Damaged(_)) && words.contains(whats_wrong),
                "{damage}: {error:?}"
            );
        }
    });
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything any thread of this process logs, at the finest level, while stores open, fail to open and work.
#[test]
fn the_key_is_in_no_log_and_no_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    block_on(async {
        let directory = quick_directory();
        filled(directory.path()).await;
        let (mut store, _) = open(directory.path()).await;
        store.scrub().await.unwrap();
        let error = refused(directory.path(), &StoreKey::new([0xA4; 32])).await;
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(!shown.contains(&KEY_HEX[..16]) && !shown.contains("a4a4a4a4"));
        let nowhere = refused(&directory.path().join("nowhere"), &key()).await;
        assert!(!format!("{nowhere} {nowhere:?}").to_lowercase().contains(&KEY_HEX[..16]));
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap().to_lowercase();
    assert!(log.contains("store library"), "nothing was heard");
    for secret in [&KEY_HEX[..16], "a4a4a4a4", "pragma key", "165, 165, 165", "ana 0"] {
        assert!(!log.contains(secret), "logged: {secret}");
    }
}

/// In a process of its own, whose standard error can be heard.
#[test]
fn sqlcipher_says_nothing_on_standard_error() {
    if let Ok(directory) = std::env::var("WARDLINE_TEST_WRONG_KEY") {
        block_on(async {
            let wrong = Store::open(&Path::new(&directory).join("store.db"), &StoreKey::new([1; 32])).await;
            assert!(matches!(wrong, Err(StoreError::Key)));
        });
        return;
    }
    let directory = quick_directory();
    block_on(filled(directory.path()));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opening::sqlcipher_says_nothing_on_standard_error", "--nocapture"])
        .env("WARDLINE_TEST_WRONG_KEY", directory.path())
        .output()
        .unwrap();
    assert!(child.status.success());
    assert_eq!(String::from_utf8_lossy(&child.stderr).trim(), "");
    assert!(!String::from_utf8_lossy(&child.stdout).contains("ERROR"));
}
