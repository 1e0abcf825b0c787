//! Randomness, waiting times and the wall clock: what this crate takes from the system, in one place.

use std::time::Duration;

use aws_lc_rs::rand;

use crate::error::KeyError;

/// Shortest wait before connecting again.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Longest wait before connecting again: a person who walks back into the Wi-Fi waits no longer than this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Random bytes of the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::Unusable)?;
    Ok(bytes)
}

/// A random part of `whole`, for jitter. Without randomness the whole: late is safe.
pub(crate) fn part_of(whole: Duration) -> Duration {
    let Ok(bytes) = random::<4>() else { return whole };
    whole.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}

/// How long to wait before attempt number `attempt` (from 0): full jitter from 0.2 s to a bound that doubles from 0.4 s to
/// 10 s, so that a thousand clients of a box that came back spread themselves.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let bound = WAIT_MIN.saturating_mul(2 << attempt.min(10)).min(WAIT_MAX);
    WAIT_MIN + part_of(bound - WAIT_MIN)
}

/// The wall clock, for what people see: milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_stays_in_its_bounds() {
        for attempt in 0..40 {
            let wait = backoff(attempt);
            assert!(wait >= WAIT_MIN && wait <= WAIT_MAX, "{attempt}: {wait:?}");
        }
        assert!(backoff(0) <= 2 * WAIT_MIN);
    }
}
