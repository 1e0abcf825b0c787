//! Join codes and bedside codes: how many one source and all sources together may still try.

use std::collections::BTreeMap;

use crate::bucket::Bucket;
use crate::ids::{Conn, PersonId};
use crate::input::Source;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Relay;
use crate::session::ProvenJoin;
use crate::time::{Mono, Now};

/// The budgets. A source that has nothing to answer for is not in here.
pub(crate) struct Guesses {
    of_all: Bucket,
    of_one: BTreeMap<Source, Bucket>,
}

impl Guesses {
    pub(crate) fn new(now: Mono) -> Self {
        Self { of_all: Bucket::full(limits::JOIN_GUESSES, now), of_one: BTreeMap::new() }
    }

    /// Whether another code may be looked at, or in how many milliseconds.
    fn look(&mut self, now: Mono, source: Source) -> Result<(), u64> {
        self.of_all.look(now)?;
        self.of_one.get_mut(&source).map_or(Ok(()), |bucket| bucket.look(now))
    }

    /// One is looked at.
    fn spend(&mut self, now: Mono, source: Source) -> Result<(), u64> {
        self.of_all.take(now)?;
        if self.of_one.len() >= limits::GUESSERS_MAX && !self.of_one.contains_key(&source) {
            self.of_one.retain(|_, bucket| !bucket.is_full(now));
            if self.of_one.len() >= limits::GUESSERS_MAX {
                return Ok(());
            }
        }
        let fresh = || Bucket::full(limits::JOIN_GUESSES_OF_ONE, now);
        self.of_one.entry(source).or_insert_with(fresh).take(now)
    }
}

impl Relay {
    /// As [`Relay::join_checked`], within the budgets: a code costs a guess, and without one left no code is looked at,
    /// right or wrong, or a flood of guesses would find the right one all the same. Who has a right one may not use it to
    /// keep the box stretching PINs.
    pub(crate) fn guess(&mut self, now: Now, conn: Conn, proven: &ProvenJoin) -> Result<PersonId, Refusal> {
        self.spend_guess(now, conn)?;
        self.join_checked(now, proven)
    }

    /// Counts a look at a code, of whichever kind.
    pub(crate) fn spend_guess(&mut self, now: Now, conn: Conn) -> Result<(), Refusal> {
        let source = self.links.get(&conn).map_or(Source(0), |link| link.source);
        let slow_down = |retry_after_ms| Refusal::SlowDown { retry_after_ms };
        self.guesses.look(now.mono, source).map_err(slow_down)?;
        self.guesses.spend(now.mono, source).map_err(slow_down)
    }
}
