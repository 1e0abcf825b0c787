//! The whole store, read once a day: a page that the disk has changed is found while there is a backup to go back to.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::metrics::Metrics;
use crate::store::{Readers, StoreError};

const DAY_S: u64 = 24 * 3_600;
/// The longest wait without a look at the clock, which may be set meanwhile.
const DOZE: Duration = Duration::from_secs(600);

/// Checks once a day at this hour (UTC) until the process ends: whenever that began, it is the ward's quietest hour. The
/// start has already looked at the file.
pub async fn run(readers: Readers, metrics: Arc<Metrics>, hour: u64) {
    loop {
        let due = next(now_s(), hour);
        while let Some(rest) = due.checked_sub(now_s()).filter(|rest| *rest > 0) {
            tokio::time::sleep(Duration::from_secs(rest).min(DOZE)).await;
        }
        look(&readers, &metrics).await;
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The next time, in Unix seconds, that it is this hour: after now, so that a day has one look.
fn next(now_s: u64, hour: u64) -> u64 {
    let today = now_s / DAY_S * DAY_S + hour * 3_600;
    if today > now_s { today } else { today + DAY_S }
}

/// A finding counts when a second look confirms it: the first reads the file while it is written to.
async fn look(readers: &Readers, metrics: &Metrics) {
    let outcome = match readers.check().await {
        Err(first) => {
            tracing::warn!(error = %first, "the nightly look at the store found something and looks again");
            readers.check().await
        }
        sound => sound,
    };
    match outcome {
        Ok(()) => {
            metrics.checks_total.one();
            metrics.check_failed.set(0);
            tracing::info!("the store was read whole and is sound");
        }
        // The process is ending.
        Err(StoreError::Closed) => {}
        Err(error) => {
            metrics.check_failed.set(1);
            tracing::error!(%error, "the nightly look at the store failed: call support, and keep the last backup");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_is_at_its_hour_and_once_a_day() {
        let three = 3 * 3_600;
        assert_eq!(next(0, 3), three);
        assert_eq!(next(three - 1, 3), three);
        assert_eq!(next(three, 3), DAY_S + three);
        assert_eq!(next(20_000 * DAY_S + 23 * 3_600, 0), 20_001 * DAY_S);
    }

    #[tokio::test]
    async fn what_is_damaged_is_reported_and_what_is_sound_again_is_not() {
        let bench = crate::testing::Bench::new().await;
        let metrics = Metrics::default();
        let readers = &bench.context.library.readers;
        look(readers, &metrics).await;
        assert_eq!((metrics.checks_total.value(), metrics.check_failed.value()), (1, 0));
        bench.flip_a_bit();
        look(readers, &metrics).await;
        assert_eq!((metrics.checks_total.value(), metrics.check_failed.value()), (1, 1));
        bench.flip_a_bit();
        look(readers, &metrics).await;
        assert_eq!((metrics.checks_total.value(), metrics.check_failed.value()), (2, 0));
    }
}
