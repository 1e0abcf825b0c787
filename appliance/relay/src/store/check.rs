//! Looking at the whole file.

use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::StoreError;
use super::readers::Readers;

impl Readers {
    /// Reads every page: each one's authentication code, then whether tables and indices agree. For once a night, or
    /// after a fright; writing goes on meanwhile.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut loan = self.lend().await?;
        expect_ok(&mut loan, "PRAGMA cipher_integrity_check").await?;
        expect_ok(&mut loan, "PRAGMA quick_check(1)").await
    }
}

/// Runs a check that says "ok", or nothing, when it finds nothing.
pub(super) async fn expect_ok(of: &mut SqliteConnection, check: &'static str) -> Result<(), StoreError> {
    let mut rows = sqlx::query(check).fetch(of);
    while let Some(row) = rows.try_next().await? {
        match row.try_get::<String, _>(0)? {
            sound if sound == "ok" => {}
            finding => return Err(StoreError::Damaged(finding)),
        }
    }
    Ok(())
}
