//! The audit of a running box, read as an auditor would who was given its disk and its key.

use anyhow::{Context as _, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use wardline_core::audit::{Act, Actor, Entry};
use wardline_keys_protocol::client::KeeperClient;

use super::Fixture;

/// All of it, in order; its numbers have no gap.
pub(crate) async fn read(fixture: &Fixture) -> Result<Vec<Entry>> {
    // The keeper tells whoever is the relay's user, as this test is.
    let key = KeeperClient::connect(fixture.devbox.keeper_socket())?.database_key()?;
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    let options = SqliteConnectOptions::new().pragma("key", format!("\"x'{hex}'\""));
    let options = options.pragma("cipher_hmac_algorithm", "HMAC_SHA256");
    let options = options.filename(fixture.devbox.data().join("wardline.db")).read_only(true);
    let mut store = options.disable_statement_logging().connect().await?;
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT bytes FROM audit ORDER BY entry_index").fetch_all(&mut store).await?;
    store.close().await?;
    let mut entries = Vec::with_capacity(rows.len());
    for (index, bytes) in (1..).zip(rows) {
        let entry = Entry::from_bytes(&bytes).context("what is no entry")?;
        anyhow::ensure!(entry.index == index, "entry {} in place {index}", entry.index);
        entries.push(entry);
    }
    Ok(entries)
}

/// How many entries say this.
pub(crate) async fn count(fixture: &Fixture, says: impl Fn(&Actor, &Act) -> bool) -> Result<usize> {
    let entries = read(fixture).await?;
    Ok(entries.iter().filter(|entry| says(&entry.actor, &entry.act)).count())
}
