//! The whole store, read once a day: a page that the disk has changed is found while there is a backup to go back to.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::Metrics;
use crate::store::Readers;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Checks once a day until the process ends. The start has already looked at the file, so the first comes a day later.
pub async fn run(readers: Readers, metrics: Arc<Metrics>) {
    loop {
        tokio::time::sleep(DAY).await;
        match readers.check().await {
            Ok(()) => {
                metrics.checks_total.one();
                metrics.check_failed.set(0);
                tracing::info!("the store was read whole and is sound");
            }
            Err(error) => {
                metrics.check_failed.set(1);
                tracing::error!(%error, "the nightly look at the store failed: call support, and keep the last backup");
            }
        }
    }
}
