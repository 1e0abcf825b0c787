//! A token bucket: so many a second, so many at once.

use crate::time::Mono;

/// Level in thousandths of a token, so that whole milliseconds lose nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    level: u64,
    at: Mono,
}

impl Bucket {
    /// Full.
    pub(crate) fn full(burst: u64, now: Mono) -> Self {
        Self { level: burst * 1000, at: now }
    }

    /// Whether there is a token, or in how many milliseconds there will be one.
    pub(crate) fn look(&mut self, per_second: u64, burst: u64, now: Mono) -> Result<(), u64> {
        let passed = now.0.saturating_sub(self.at.0);
        // `per_second` tokens a second is `per_second` thousandths a millisecond.
        self.level = self.level.saturating_add(passed.saturating_mul(per_second)).min(burst * 1000);
        self.at = now;
        if self.level < 1000 {
            return Err((1000 - self.level).div_ceil(per_second.max(1)));
        }
        Ok(())
    }

    /// Takes a token, or says in how many milliseconds there will be one.
    pub(crate) fn take(&mut self, per_second: u64, burst: u64, now: Mono) -> Result<(), u64> {
        self.look(per_second, burst, now)?;
        self.level -= 1000;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_burst_then_the_rate() {
        let mut bucket = Bucket::full(2, Mono(0));
        assert_eq!(bucket.take(10, 2, Mono(0)), Ok(()));
        assert_eq!(bucket.take(10, 2, Mono(0)), Ok(()));
        assert_eq!(bucket.take(10, 2, Mono(0)), Err(100));
        assert_eq!(bucket.take(10, 2, Mono(99)), Err(1));
        assert_eq!(bucket.take(10, 2, Mono(100)), Ok(()));
    }
}
