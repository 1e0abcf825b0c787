//! Foreign eyes: Debian's own `sqlcipher`, which has nothing of ours in it, on a database that was copied away.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wardline_core::ids::{ConversationId, DeviceId, MessageId};
use wardline_core::text::{Sealed, WrappedKey};
use wardline_relay::keyring::{BoxKeys, Keyring, Origin};

use crate::inside::beside;
use crate::opening::KEY_HEX;
use crate::purged::{PURGED, SAID, Ward};
use crate::{KEY, block_on, commit, open, quick_directory};

/// The program.
struct Tool(PathBuf);

/// What it answered.
struct Answer {
    success: bool,
    out: String,
    complaint: String,
}

impl Tool {
    /// The one that the environment names; else the one that `make` fetched; else the system's, if it knows the format.
    fn find() -> Option<Self> {
        if let Some(named) = std::env::var_os("WARDLINE_SQLCIPHER") {
            let tool = Self(named.into());
            let version = tool.version();
            assert!(tool.is_new_enough(), "WARDLINE_SQLCIPHER is not one of 4.5 or later: {version:?}");
            return Some(tool);
        }
        let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where");
        let fetched = Path::new(&package).join("../../.build/sqlcipher/sqlcipher");
        [fetched, "sqlcipher".into()].map(Self).into_iter().find(Self::is_new_enough)
    }

    fn version(&self) -> Option<String> {
        let output = Command::new(&self.0).arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// "3.46.1 2024-08-13 … (64-bit) (SQLCipher 4.6.1 community)": only 4.5 and later know this file's format.
    fn is_new_enough(&self) -> bool {
        let Some(version) = self.version() else { return false };
        let numbers = version.split("SQLCipher ").nth(1).map(|rest| rest.split('.').map(str::parse::<u32>));
        let numbers = numbers.and_then(|numbers| numbers.take(2).collect::<Result<Vec<_>, _>>().ok());
        numbers.is_some_and(|numbers| numbers >= vec![4, 5])
    }

    /// Asks as somebody would who types: the key first, if there is one.
    fn ask(&self, database: &Path, key: Option<&str>, sql: &str) -> Answer {
        let mut tool = Command::new(&self.0)
            .args(["-batch", "-bail"])
            .arg(database)
            // Whatever the one who runs this has in a start file is not part of the proof.
            .env("HOME", database.parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let key = key
            .map(|key| format!("PRAGMA key = \"x'{key}'\";\nPRAGMA cipher_hmac_algorithm = HMAC_SHA256;\n"));
        let key = key.unwrap_or_default();
        // All of it fits into the pipe; a program that has given up already has said why.
        let _ = tool.stdin.take().unwrap().write_all(format!("{key}{sql}\n").as_bytes());
        let output = tool.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // Taking a key is answered with "ok", whether it fits or not.
        let out = text(&output.stdout);
        let out = if key.is_empty() { out } else { out.strip_prefix("ok\n").unwrap_or(&out).to_owned() };
        Answer { success: output.status.success(), out, complaint: text(&output.stderr) }
    }

    /// The answer to the right key.
    fn read(&self, database: &Path, sql: &str) -> String {
        let answer = self.ask(database, Some(KEY_HEX), sql);
        assert!(answer.success, "{sql}: {}", answer.complaint);
        answer.out
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Both checks pass: every page's MAC, then the tables and their indices.
fn assert_sound(tool: &Tool, database: &Path, change: u64) {
    assert_eq!(tool.read(database, "SELECT change FROM meta;"), format!("{change}\n"));
    // One row for each page that fails; so no row at all.
    assert_eq!(tool.read(database, "PRAGMA cipher_integrity_check;"), "");
    assert_eq!(tool.read(database, "PRAGMA integrity_check;"), "ok\n");
}

/// Neither without a key nor with another is there anything.
fn assert_refused(tool: &Tool, database: &Path) {
    let almost = KEY_HEX.replacen('a', "b", 1);
    for (key, which) in [(None, "no key"), (Some(almost.as_str()), "a wrong key")] {
        for sql in
            ["SELECT count(*) FROM sqlite_schema;", "SELECT body FROM message;", "PRAGMA integrity_check;"]
        {
            let answer = tool.ask(database, key, sql);
            assert!(!answer.success && answer.out.is_empty(), "{which}, {sql}: answered");
            assert!(answer.complaint.contains("file is not a database"), "{which}: {}", answer.complaint);
        }
        let answer = tool.ask(database, key, ".dump");
        assert!(!answer.out.contains("INSERT"), "{which}: a dump");
    }
}

/// The database opens, the bodies in it do not: they are under keys that are wrapped under none that is in the file.
fn assert_bodies_sealed(tool: &Tool, database: &Path, messages: usize) {
    let dump = tool.read(database, ".dump");
    // What is in clear is found, and so is a body's row: the search searches.
    assert!(dump.contains(PURGED) && dump.contains("INSERT INTO message VALUES"), "no dump");
    assert_eq!(dump.matches("INSERT INTO message VALUES").count(), messages);
    for guise in [SAID.to_owned(), hex(SAID), hex(SAID).to_uppercase()] {
        assert!(!dump.contains(&guise), "a body in clear");
    }
    // And the bodies are what the box's keyring opens: nothing else was stored in their place.
    let ring = Keyring::new(&BoxKeys::derive(&KEY).unwrap()).unwrap();
    let rows = tool.read(
        database,
        "SELECT conversation, hex(id), device, hex(body), hex(wrapped) FROM message JOIN conversation_key USING (conversation);",
    );
    assert_eq!(rows.lines().count(), messages);
    for row in rows.lines() {
        let columns: Vec<&str> = row.split('|').collect();
        let origin = Origin {
            conversation: ConversationId::new(columns[0].parse().unwrap()).unwrap(),
            message: MessageId(unhex(columns[1]).try_into().unwrap()),
            device: DeviceId::new(columns[2].parse().unwrap()).unwrap(),
            version: 0,
        };
        let key = ring.unwrap(&WrappedKey(unhex(columns[4]))).unwrap();
        assert!(ring.open(&key, origin, Sealed(unhex(columns[3]))).unwrap().contains(SAID));
    }
}

/// A page that was changed is named: the check that passes above is able to fail.
fn assert_damage_is_seen(tool: &Tool, database: &Path) {
    let mut bytes = std::fs::read(database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(database, &bytes).unwrap();
    let found = tool.read(database, "PRAGMA cipher_integrity_check;");
    assert!(found.contains(&format!("page {}", middle / 4096 + 1)), "{found:?}");
}

#[test]
fn a_database_that_was_copied_away_opens_for_debians_sqlcipher_with_the_right_key_only() {
    let Some(tool) = Tool::find() else {
        println!("skipped: no sqlcipher of 4.5 or later here; `make prepare` fetches one");
        return;
    };
    block_on(async {
        let (directory, away) = (quick_directory(), quick_directory());
        let (live, copy) = (directory.path().join("store.db"), away.path().join("store.db"));
        let (mut store, _) = open(directory.path()).await;
        let ward = Ward::new();
        for writes in ward.writes.chunks(200) {
            commit(&mut store, writes).await;
        }
        let change = ward.writes.last().unwrap().change.0;
        let messages = ward.messages();

        // While the box works: the file and its log.
        std::fs::copy(&live, &copy).unwrap();
        std::fs::copy(beside(&live, "-wal"), beside(&copy, "-wal")).unwrap();
        assert_refused(&tool, &copy);
        assert_sound(&tool, &copy, change);
        assert_bodies_sealed(&tool, &copy, messages);

        // After it was shut down: one file.
        store.close().await.unwrap();
        std::fs::remove_file(beside(&copy, "-wal")).ok();
        std::fs::remove_file(beside(&copy, "-shm")).ok();
        std::fs::copy(&live, &copy).unwrap();
        assert_refused(&tool, &copy);
        assert_sound(&tool, &copy, change);
        assert_bodies_sealed(&tool, &copy, messages);
        assert_damage_is_seen(&tool, &copy);
    });
}
