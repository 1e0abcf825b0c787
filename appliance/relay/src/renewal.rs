//! The certificate that is served, as the keeper renews it. A keeper that is away is noticed here long before the
//! certificate ends, and everybody with it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::front::certificates::Certificates;
use crate::front::names::Names;
use crate::keeper::Keeper;
use crate::metrics::Metrics;

/// Between looks for a renewed certificate. Leaves are renewed daily.
const LOOK: Duration = Duration::from_secs(3_600);
/// Between looks while the keeper does not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Seconds that a certificate has left when somebody must be told: a long weekend, and a day to act.
const URGENT_S: i64 = 5 * 86_400;

/// Takes over the keeper's certificates until the process ends.
pub async fn run(keeper: Keeper, certificates: Arc<Certificates>, names: Arc<Names>, metrics: Arc<Metrics>) {
    let (mut told, mut said) = (None, None);
    loop {
        let not_after = certificates.not_after();
        metrics.certificate_not_after.set(u64::try_from(not_after).unwrap_or(0));
        if is_urgent(now_s(), not_after) && told.is_none_or(|told: Instant| told.elapsed() >= LOOK) {
            told = Some(Instant::now());
            let hours = not_after.saturating_sub(now_s()) / 3_600;
            tracing::error!(
                hours,
                "the certificate ends soon, and no device connects after that: see the keeper"
            );
        }
        let renewed = match keeper.leaves().await {
            None => false,
            Some(leaves) => match certificates.replace(&leaves) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "the keeper's new certificate does not load; the old one goes on");
                    false
                }
            },
        };
        names.find_key().await;
        let ends = names.ends_within();
        if let Some(days) = ends.filter(|_| ends != said) {
            tracing::warn!(
                days,
                "the imported certificate ends within so many days: make a new request under Certificate"
            );
        }
        said = ends;
        tokio::time::sleep(if renewed { LOOK } else { LOOK_AGAIN }).await;
    }
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn is_urgent(now_s: i64, not_after: i64) -> bool {
    not_after.saturating_sub(now_s) < URGENT_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_told_while_there_is_time() {
        let day = 86_400;
        assert!(!is_urgent(0, 5 * day));
        assert!(is_urgent(0, 5 * day - 1) && is_urgent(10 * day, 9 * day));
    }
}
