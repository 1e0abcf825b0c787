//! Looking at the whole file.

use futures_util::TryStreamExt;
use sqlx::Row;

use super::StoreError;
use super::readers::Readers;

impl Readers {
    /// Reads every page: each one's authentication code, then whether tables and indices agree. For once a night, or
    /// after a fright; writing goes on meanwhile.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut loan = self.lend().await?;
        for sql in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check(1)"] {
            let mut rows = sqlx::query(sql).fetch(&mut *loan);
            while let Some(row) = rows.try_next().await? {
                match row.try_get::<String, _>(0)? {
                    sound if sound == "ok" => {}
                    finding => return Err(StoreError::Damaged(finding)),
                }
            }
        }
        Ok(())
    }
}
