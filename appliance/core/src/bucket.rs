//! A token bucket: so many a second, so many at once.

use crate::time::Mono;

/// How much of something may happen.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// In a thousand seconds, sustained: so that "one in five seconds" is a whole number too.
    pub per_thousand_seconds: u64,
    /// At once.
    pub burst: u64,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(sustained: u64, burst: u64) -> Self {
        Self { per_thousand_seconds: sustained * 1_000, burst }
    }
}

/// What is left of a [`Rate`]. In millionths of a token, so that whole milliseconds lose nothing.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: Rate,
    level: u64,
    at: Mono,
}

const TOKEN: u64 = 1_000_000;

impl Bucket {
    /// Nothing is spent yet.
    pub fn full(rate: Rate, now: Mono) -> Self {
        Self { rate, level: rate.burst * TOKEN, at: now }
    }

    /// Whether there is a token, or in how many milliseconds there will be one.
    pub(crate) fn look(&mut self, now: Mono) -> Result<(), u64> {
        self.look_for(now, 1)
    }

    fn look_for(&mut self, now: Mono, tokens: u64) -> Result<(), u64> {
        let passed = now.0.saturating_sub(self.at.0);
        // So many in a thousand seconds are as many millionths in a millisecond.
        let more = passed.saturating_mul(self.rate.per_thousand_seconds);
        self.level = self.level.saturating_add(more).min(self.rate.burst * TOKEN);
        self.at = now;
        let wanted = tokens.saturating_mul(TOKEN);
        if self.level < wanted {
            return Err((wanted - self.level).div_ceil(self.rate.per_thousand_seconds.max(1)));
        }
        Ok(())
    }

    /// Takes a token, or says in how many milliseconds there will be one.
    pub fn take(&mut self, now: Mono) -> Result<(), u64> {
        self.take_many(now, 1)
    }

    /// Takes so many at once, or none. More than the burst are never there.
    pub fn take_many(&mut self, now: Mono, tokens: u64) -> Result<(), u64> {
        self.look_for(now, tokens)?;
        self.level -= tokens * TOKEN;
        Ok(())
    }

    /// Nothing is missing: as good as forgotten.
    pub(crate) fn is_full(&mut self, now: Mono) -> bool {
        self.look(now).is_ok() && self.level >= self.rate.burst * TOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_burst_then_the_rate() {
        let mut bucket = Bucket::full(Rate::per_second(10, 2), Mono(0));
        assert_eq!(bucket.take(Mono(0)), Ok(()));
        assert_eq!(bucket.take(Mono(0)), Ok(()));
        assert_eq!(bucket.take(Mono(0)), Err(100));
        assert_eq!(bucket.take(Mono(99)), Err(1));
        assert_eq!(bucket.take(Mono(100)), Ok(()));
        assert!(!bucket.is_full(Mono(299)));
        assert!(bucket.is_full(Mono(300)));
    }

    #[test]
    fn many_are_taken_together_or_not_at_all() {
        let mut bucket = Bucket::full(Rate::per_second(10, 100), Mono(0));
        assert_eq!(bucket.take_many(Mono(0), 90), Ok(()));
        assert_eq!(bucket.take_many(Mono(0), 20), Err(1_000));
        assert_eq!(bucket.take_many(Mono(0), 10), Ok(()));
        assert_eq!(bucket.take_many(Mono(1_000), 10), Ok(()));
    }

    #[test]
    fn one_in_five_seconds_is_a_rate() {
        let mut bucket = Bucket::full(Rate { per_thousand_seconds: 200, burst: 1 }, Mono(0));
        assert_eq!(bucket.take(Mono(0)), Ok(()));
        assert_eq!(bucket.take(Mono(0)), Err(5_000));
        assert_eq!(bucket.take(Mono(5_000)), Ok(()));
    }
}
