//! Looking at the whole file.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::StoreError;
use super::readers::Readers;

/// The tables, by the schema's own account.
const TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'";

impl Readers {
    /// Reads every page: each one's authentication code, then whether each table and its indices agree. For once a night,
    /// or after a fright. Writing goes on meanwhile; since a read holds up the write-ahead log for as long as it lasts, it
    /// is begun anew for each table.
    pub async fn check(&self) -> Result<(), StoreError> {
        // Looks at the file itself, and holds nothing up.
        expect_ok(&mut *self.lend().await?, "PRAGMA cipher_integrity_check").await?;
        let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *self.lend().await?).await?;
        for table in tables {
            let check = format!("PRAGMA quick_check('{}')", table.replace('\'', "''"));
            expect_ok(&mut *self.lend().await?, AssertSqlSafe(check)).await?;
        }
        Ok(())
    }
}

/// Runs a check that says "ok", or nothing, when it finds nothing.
pub(super) async fn expect_ok(
    of: &mut SqliteConnection,
    check: impl sqlx::SqlSafeStr,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(check).fetch(of);
    while let Some(row) = rows.try_next().await? {
        match row.try_get::<String, _>(0)? {
            sound if sound == "ok" => {}
            finding => return Err(StoreError::Damaged(finding)),
        }
    }
    Ok(())
}
