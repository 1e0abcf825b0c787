//! How often the pepper may be used: token buckets, per person and device, and one for the box.
//!
//! The durable count ("ten tries lock that device") is the relay's, in its store, because a lock must survive a
//! restart and be lifted by an administrator. This limit is against a relay that was taken over: it bounds how fast
//! PINs can be tried with the pepper whatever the relay's store says. It starts full after a restart, which buys an
//! attacker one more burst a restart; restarting the keeper takes root, and root can already read the relay's memory.
//!
//! Arithmetic: a four-digit PIN has 10 000 values, common ones refused. One device: 10 at once, then one in 6 s, so
//! the whole space takes 16.6 hours. The box: 200 at once, then 20 a second; a shift change of 400 people within 10
//! minutes needs 0.7 a second, so honest use never notices. At the box's rate alone, naming a new device each time,
//! one person's space would take 500 s: so each person has a limit over all devices, and 16.6 hours hold there too.

use std::collections::BTreeMap;

/// Tries that one person and device may make at once.
pub const DEVICE_BURST: u64 = 10;
/// Milliseconds for one more.
pub const DEVICE_REFILL_MS: u64 = 6_000;
/// Tries that one person may make at once, over all devices.
pub const PERSON_BURST: u64 = 20;
/// Milliseconds for one more.
pub const PERSON_REFILL_MS: u64 = 6_000;
/// Tries that the box makes at once.
pub const BOX_BURST: u64 = 200;
/// Milliseconds for one more.
pub const BOX_REFILL_MS: u64 = 50;
/// Buckets kept of each kind. One is about 64 bytes in its map: 20 000 of two kinds are 2.5 MB. Full buckets are
/// dropped first; when none is full, a newcomer waits.
pub const BUCKETS_MAX: usize = 20_000;

/// A bucket, as the time at which it will be full again: monotonic milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    full_at_ms: u64,
}

impl Bucket {
    /// Milliseconds to wait before a token is there; 0 when one is.
    pub(crate) fn wait_ms(self, now_ms: u64, burst: u64, refill_ms: u64) -> u64 {
        (self.full_at_ms.max(now_ms) + refill_ms).saturating_sub(now_ms + burst * refill_ms)
    }

    pub(crate) fn take(&mut self, now_ms: u64, refill_ms: u64) {
        self.full_at_ms = self.full_at_ms.max(now_ms) + refill_ms;
    }
}

/// The limits' state. Pure: the caller brings the time.
#[derive(Debug, Default)]
pub struct PinLimit {
    whole: Bucket,
    devices: BTreeMap<(u64, u64), Bucket>,
    persons: BTreeMap<u64, Bucket>,
}

impl PinLimit {
    /// Takes one try.
    ///
    /// # Errors
    /// The milliseconds until a try can succeed; then nothing was taken.
    pub fn take(&mut self, now_ms: u64, person: u64, device: u64) -> Result<(), u64> {
        make_room(&mut self.devices, now_ms)?;
        make_room(&mut self.persons, now_ms)?;
        let device = self.devices.entry((person, device)).or_default();
        let person = self.persons.entry(person).or_default();
        let wait = device
            .wait_ms(now_ms, DEVICE_BURST, DEVICE_REFILL_MS)
            .max(person.wait_ms(now_ms, PERSON_BURST, PERSON_REFILL_MS))
            .max(self.whole.wait_ms(now_ms, BOX_BURST, BOX_REFILL_MS));
        if wait > 0 {
            return Err(wait);
        }
        device.take(now_ms, DEVICE_REFILL_MS);
        person.take(now_ms, PERSON_REFILL_MS);
        self.whole.take(now_ms, BOX_REFILL_MS);
        Ok(())
    }
}

fn make_room<K: Ord>(buckets: &mut BTreeMap<K, Bucket>, now_ms: u64) -> Result<(), u64> {
    if buckets.len() >= BUCKETS_MAX {
        buckets.retain(|_, bucket| bucket.full_at_ms > now_ms);
        if buckets.len() >= BUCKETS_MAX {
            return Err(DEVICE_REFILL_MS);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_ten_and_then_one_in_six_seconds() {
        let mut limit = PinLimit::default();
        for _ in 0..DEVICE_BURST {
            assert_eq!(limit.take(1_000, 1, 1), Ok(()));
        }
        assert_eq!(limit.take(1_000, 1, 1), Err(6_000));
        assert_eq!(limit.take(1_000, 2, 2), Ok(()), "another person is not held up");
        assert_eq!(limit.take(6_999, 1, 1), Err(1));
        assert_eq!(limit.take(7_000, 1, 1), Ok(()));
        assert_eq!(limit.take(7_000, 1, 1), Err(6_000));
    }

    #[test]
    fn naming_many_devices_does_not_help() {
        let mut limit = PinLimit::default();
        let tries = (0..1_000).filter(|device| limit.take(0, 1, *device).is_ok()).count() as u64;
        assert_eq!(tries, PERSON_BURST);
    }

    #[test]
    fn the_box_has_a_limit_of_its_own() {
        let mut limit = PinLimit::default();
        let tries = (0..1_000).filter(|person| limit.take(0, *person, 1).is_ok()).count() as u64;
        assert_eq!(tries, BOX_BURST);
        assert_eq!(limit.take(0, 5_000, 1), Err(BOX_REFILL_MS));
        assert_eq!(limit.take(BOX_REFILL_MS, 5_000, 1), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut limit = PinLimit::default();
        for person in 0..3 * BUCKETS_MAX as u64 {
            let _ = limit.take(0, person, 1);
        }
        assert!(limit.devices.len() <= BUCKETS_MAX && limit.persons.len() <= BUCKETS_MAX);
    }
}
