//! One ring: how often it is tried, when it is given up, what its answer means; counted by push service.
//!
//! A ring is worth something for a minute: a STAT has gone on to others by then. So it is tried three times at most, and a
//! push service that asks for more patience than that is left alone until then, by every ring. Each has its own places, so
//! that a slow one delays nobody else's phones.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::debug;
use wardline_bell_protocol::{Counts, HostCounts, Outcome, Subscription};

use crate::endpoint::{Allowed, Endpoint};
use crate::envelope;
use crate::key::VapidKey;
use crate::post::{Answer, Post};

/// Rings that go out or wait, of all push services: as many phones as a large facility has on one shift. 512 x 1.5 kB.
pub const RINGS_MAX: usize = 512;
/// Connections at once to one push service.
pub const AT_ONCE_MAX: usize = 8;
/// How often one ring is tried.
pub const TRIES_MAX: u32 = 3;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// A ring is given up after this.
    pub worth: Duration,
    /// One try.
    pub patience: Duration,
    /// Before the second try, when the push service names no time; twice that before the third.
    pub pause: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            worth: Duration::from_secs(60),
            patience: Duration::from_secs(10),
            pause: Duration::from_secs(2),
        }
    }
}

/// Rings phones.
pub struct Bell {
    key: VapidKey,
    allowed: Vec<Allowed>,
    post: Post,
    rhythm: Rhythm,
    waiting: Semaphore,
    hosts: Vec<Host>,
    counts: Mutex<Counts>,
}

/// One push service.
struct Host {
    places: Semaphore,
    /// Until when it wants to be left alone.
    quiet: Mutex<Option<Instant>>,
}

impl Bell {
    /// A bell that calls these push services and no other.
    pub fn new(key: VapidKey, allowed: Vec<Allowed>, post: Post, rhythm: Rhythm) -> Self {
        let host = |_: &Allowed| Host { places: Semaphore::new(AT_ONCE_MAX), quiet: Mutex::new(None) };
        let named = |one: &Allowed| HostCounts { host: one.to_string(), ..HostCounts::default() };
        let counts = Counts { hosts: allowed.iter().map(named).collect(), ..Counts::default() };
        Self {
            hosts: allowed.iter().map(host).collect(),
            counts: Mutex::new(counts),
            waiting: Semaphore::new(RINGS_MAX),
            key,
            allowed,
            post,
            rhythm,
        }
    }

    /// The key by which push services know this box.
    pub fn public_key(&self) -> [u8; 65] {
        *self.key.public()
    }

    /// What was sent where since it started.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rings one phone.
    pub async fn ring(&self, phone: &Subscription) -> Outcome {
        let Ok(_waits) = self.waiting.try_acquire() else { return self.count(None, Outcome::Busy) };
        let endpoint = Endpoint::parse(&phone.endpoint, &self.allowed);
        let Some((endpoint, sealed)) = endpoint.zip(envelope::seal(phone).ok()) else {
            return self.count(None, Outcome::NotAllowed);
        };
        let outcome = self.insist(&endpoint, &sealed).await;
        self.count(Some(endpoint.line), outcome)
    }

    async fn insist(&self, to: &Endpoint, sealed: &[u8]) -> Outcome {
        let host = &self.hosts[to.line];
        let given_up = Instant::now() + self.rhythm.worth;
        let Ok(Ok(_place)) = timeout_at(given_up, host.places.acquire()).await else {
            return Outcome::Failed;
        };
        for tried in 1..=TRIES_MAX {
            let quiet = *host.quiet.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(quiet) = quiet {
                if quiet >= given_up {
                    return Outcome::Failed;
                }
                sleep_until(quiet).await;
            }
            let until = given_up.min(Instant::now() + self.rhythm.patience);
            let Some(authorization) = self.key.authorization(&to.authority(), unix_s()) else {
                return Outcome::Failed;
            };
            let answer = timeout_at(until, self.post.send(to, &authorization, sealed)).await;
            let pause = self.rhythm.pause * tried;
            let pause = match answer {
                Ok(Ok(Answer { status, retry_after })) => match meaning(status) {
                    Some(outcome) => return outcome,
                    None => {
                        debug!(host = %self.allowed[to.line], status, "the push service is overwhelmed");
                        let pause = retry_after.unwrap_or(pause);
                        *host.quiet.lock().unwrap_or_else(PoisonError::into_inner) =
                            Instant::now().checked_add(pause);
                        continue;
                    }
                },
                // What it says can hold the host's name and no more of the address.
                Ok(Err(error)) => {
                    debug!(host = %self.allowed[to.line], %error, "the push service is not reached");
                    pause
                }
                Err(_) => {
                    debug!(host = %self.allowed[to.line], "the push service is silent");
                    pause
                }
            };
            if tried < TRIES_MAX && Instant::now() + pause < given_up {
                sleep_until(Instant::now() + pause).await;
            } else {
                return Outcome::Failed;
            }
        }
        Outcome::Failed
    }

    fn count(&self, line: Option<usize>, outcome: Outcome) -> Outcome {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = line.and_then(|line| counts.hosts.get_mut(line));
        match (outcome, host) {
            (Outcome::Sent, Some(host)) => host.sent += 1,
            (Outcome::Gone, Some(host)) => host.gone += 1,
            (Outcome::Refused, Some(host)) => host.refused += 1,
            (Outcome::Failed, Some(host)) => host.failed += 1,
            (Outcome::Busy, _) => counts.busy += 1,
            (_, _) => counts.not_allowed += 1,
        }
        outcome
    }
}

/// What a status says; `None` asks for another try.
fn meaning(status: u16) -> Option<Outcome> {
    match status {
        200..300 => Some(Outcome::Sent),
        404 | 410 => Some(Outcome::Gone),
        429 | 500.. => None,
        _ => Some(Outcome::Refused),
    }
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
