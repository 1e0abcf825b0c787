//! Who may begin a handshake. A source address can be forged until it is validated (RFC 9000, 8): so what comes under an
//! unvalidated one spends nothing of what its owner has, once that has proved to be there.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use wardline_core::input::Source;

/// Handshakes waiting and under way above which an address must first prove itself (RFC 9000, 8.1.2). To be asked costs a
/// phone a round trip and the box a packet more, just when very many come. Whoever forges addresses never completes, so
/// holds these for [`super::quic::HANDSHAKE_TIME_MAX`]: 20 kB each, 20 MB, and 100 handshakes a second, 50 ms of a core;
/// and those who have proved to be there go first. A line of so many is served in 4.1 s, in time ([`WAIT_MAX`]).
const UNVALIDATED_MAX: usize = 1_024;
/// What one address may begin without having proved itself; beyond, it is asked to.
const UNVALIDATED: SourceLimit = SourceLimit { per_second: 10, burst: 64 };
/// Handshakes waiting and under way at a time: 20 kB each, 80 MB, what is buffered for those who wait included. (Of payload: who sends
/// an attempt 512 packets of 16 bytes makes QUIC keep some 110 kB more in bookkeeping; that takes 2 million packets for all
/// places, 450 MB.) Above, an attempt is dropped unanswered; clients try again. One
/// address may have 2,500 + 64 at once and 100 + 10 a second, each for [`super::quic::HANDSHAKE_TIME_MAX`]:
/// 2,564 + 10 x 110 = 3,664 in all, never every place. (In 15 s 4,214, of the core's 6,000 unproven places.)
pub(super) const HANDSHAKES_MAX: usize = 4_000;

/// For how long an attempt may wait for its turn. Clients give up after 7 s, so what has waited longer than this would be
/// served for nobody: it is passed over, and who would have to wait longer is not let into the line; whoever is still there
/// tries again by itself.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(5);
/// Between two handshakes, on one core; on n, an n-th. A phone that comes back costs the box some 1.6 ms in all, most of it
/// cryptography and its sign-in's share of a commit: so those who do take some 40 % of the box, and leave the rest to those
/// who are there. On two cores 500 a second: 2,000 devices in 4 s.
const APART_ON_ONE_CORE: Duration = Duration::from_millis(4);
/// A turn comes late by a timer's millisecond, and on a busy box by more; then as many begin as are due since. Up to so
/// much: on two cores two at once. More than that, and those who are there notice.
const LATE_MAX: Duration = Duration::from_millis(2);

/// How many handshakes one source may begin.
#[derive(Clone, Copy, Debug)]
pub struct SourceLimit {
    /// A second, sustained. A source is an IPv4 address or an IPv6 /64.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It goes on.
    Accept,
    /// It is to come again with a token that only the owner of its address is sent. Costs the box one packet.
    Retry,
    /// It is not answered.
    Drop,
}

/// What every source has left.
pub(super) struct Admission {
    unvalidated: Sources,
    validated: Sources,
}

impl Admission {
    pub(super) fn new(limit: SourceLimit) -> Self {
        let per_second = limit.per_second.min(UNVALIDATED.per_second);
        let burst = limit.burst.min(UNVALIDATED.burst);
        let unvalidated = Sources::new(SourceLimit { per_second, burst });
        Self { unvalidated, validated: Sources::new(limit) }
    }

    /// Decides on an attempt, with so many handshakes waiting and under way. Where somebody waits who has proved an address, who
    /// has not would wait behind them, for ever if they keep coming: so they are asked to, and have their turn.
    pub(super) fn of(
        &mut self,
        source: Source,
        validated: bool,
        under_way: usize,
        proven_wait: bool,
    ) -> Verdict {
        if under_way >= HANDSHAKES_MAX {
            return Verdict::Drop;
        }
        match validated {
            true if self.validated.admit(source) => Verdict::Accept,
            true => Verdict::Drop,
            false if proven_wait || under_way >= UNVALIDATED_MAX => Verdict::Retry,
            false if self.unvalidated.admit(source) => Verdict::Accept,
            false => Verdict::Retry,
        }
    }
}

/// A token bucket for each source that is busy.
struct Sources {
    limit: SourceLimit,
    buckets: BTreeMap<Source, (f64, Instant)>,
}

impl Sources {
    /// Sources remembered: 4,096 x about 64 bytes. When full, those whose bucket is full again go first; if none
    /// is, all are forgotten, which for a moment lets each burst anew.
    const REMEMBERED_MAX: usize = 4_096;

    fn new(limit: SourceLimit) -> Self {
        Self { limit, buckets: BTreeMap::new() }
    }

    fn admit(&mut self, source: Source) -> bool {
        let now = Instant::now();
        let (rate, burst) = (f64::from(self.limit.per_second), f64::from(self.limit.burst));
        let level =
            |(level, at): &(f64, Instant)| (level + now.duration_since(*at).as_secs_f64() * rate).min(burst);
        if self.buckets.len() >= Self::REMEMBERED_MAX {
            self.buckets.retain(|_, bucket| level(bucket) < burst);
            if self.buckets.len() >= Self::REMEMBERED_MAX {
                self.buckets.clear();
            }
        }
        let bucket = self.buckets.entry(source).or_insert((burst, now));
        let tokens = level(bucket);
        *bucket = (if tokens < 1.0 { tokens } else { tokens - 1.0 }, now);
        tokens >= 1.0
    }
}

/// Attempts that were let in and wait for their turn: those that have proved their address before all others, so that
/// forged ones hold nobody up; among either the sources take turns, so that who floods waits behind itself; of one source
/// each in the order in which it came. Bounded by what [`Admission`] lets in.
pub(super) struct Waiting<T> {
    proven: Turns<T>,
    unproven: Turns<T>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { proven: Turns::default(), unproven: Turns::default() }
    }
}

impl<T> Waiting<T> {
    pub(super) fn len(&self) -> usize {
        self.proven.len + self.unproven.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether somebody waits who has proved an address.
    pub(super) fn has_proven(&self) -> bool {
        self.proven.len > 0
    }

    pub(super) fn add(&mut self, attempt: T, source: Source, proven: bool, now: Instant) {
        if proven { &mut self.proven } else { &mut self.unproven }.add(attempt, source, now);
    }

    /// Turns before one more of this source, which has proved itself, would have its own, at most.
    pub(super) fn ahead_of(&self, source: Source) -> u32 {
        u32::try_from(self.proven.ahead_of(source)).unwrap_or(u32::MAX)
    }

    /// Whose turn it is. Who has waited for longer than [`WAIT_MAX`] is passed over and handed to `late`: a turn spent with
    /// somebody who has given up would make the next one wait for too long as well, and so on for ever.
    pub(super) fn next(&mut self, now: Instant, mut late: impl FnMut(T)) -> Option<T> {
        loop {
            let (attempt, came) = self.proven.next().or_else(|| self.unproven.next())?;
            if now.saturating_duration_since(came) <= WAIT_MAX {
                return Some(attempt);
            }
            late(attempt);
        }
    }
}

struct Turns<T> {
    waiting: BTreeMap<Source, VecDeque<(T, Instant)>>,
    /// Every source that waits, once.
    turns: VecDeque<Source>,
    len: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), turns: VecDeque::new(), len: 0 }
    }
}

impl<T> Turns<T> {
    fn add(&mut self, attempt: T, source: Source, now: Instant) {
        let line = self.waiting.entry(source).or_default();
        if line.is_empty() {
            self.turns.push_back(source);
        }
        line.push_back((attempt, now));
        self.len += 1;
    }

    /// Each source that waits has a turn before this one has another.
    fn ahead_of(&self, source: Source) -> usize {
        let own = self.waiting.get(&source).map_or(0, VecDeque::len);
        self.len.min(self.waiting.len() * (own + 1))
    }

    fn next(&mut self) -> Option<(T, Instant)> {
        let source = self.turns.pop_front()?;
        let line = self.waiting.get_mut(&source)?;
        let next = line.pop_front()?;
        self.len -= 1;
        if line.is_empty() {
            self.waiting.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        Some(next)
    }
}

/// When the next handshake may begin.
pub(super) struct Pace {
    apart: Duration,
    due: Instant,
}

impl Pace {
    pub(super) fn new(cores: usize, now: Instant) -> Self {
        Self { apart: APART_ON_ONE_CORE.div_f64(cores.max(1) as f64), due: now }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether somebody with so many turns before their own would have it in time: if not, they are not let into the line,
    /// which would only be longer for everybody. They come again by themselves.
    pub(super) fn is_in_time(&self, ahead: u32) -> bool {
        self.apart.saturating_mul(ahead) <= WAIT_MAX
    }

    pub(super) fn began(&mut self, now: Instant) {
        self.due = self.due.max(now.checked_sub(LATE_MAX).unwrap_or(now)) + self.apart;
    }
}

/// An IPv6 host owns a /64 (RFC 6177): it counts as one.
pub(super) fn source(address: IpAddr) -> Source {
    let four = |address: Ipv4Addr| Source(address.to_bits().into());
    match address {
        IpAddr::V4(address) => four(address),
        // The upper half: of an address that is in use, never as small as an IPv4 address.
        IpAddr::V6(address) => {
            address.to_ipv4_mapped().map_or(Source((address.to_bits() >> 64) as u64), four)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: SourceLimit = SourceLimit { per_second: 1, burst: 100 };

    fn count(of: impl Iterator<Item = Verdict>) -> (usize, usize, usize) {
        of.fold((0, 0, 0), |(accepted, retried, dropped), verdict| match verdict {
            Verdict::Accept => (accepted + 1, retried, dropped),
            Verdict::Retry => (accepted, retried + 1, dropped),
            Verdict::Drop => (accepted, retried, dropped + 1),
        })
    }

    #[test]
    fn a_source_that_floods_spends_its_own_tokens_only() {
        let mut admission = Admission::new(LIMIT);
        let (ana, mallory) = (source("10.0.0.1".parse().unwrap()), source("10.0.0.2".parse().unwrap()));
        assert_eq!(count((0..500).map(|_| admission.of(mallory, true, 0, false))), (100, 0, 400));
        assert_eq!(admission.of(ana, true, 0, false), Verdict::Accept);
    }

    /// First packets that name Ana's address as theirs: she comes in all the same, after a round trip more.
    #[test]
    fn who_forges_an_address_spends_nothing_of_its_owners() {
        let mut admission = Admission::new(LIMIT);
        let ana = source("10.0.0.1".parse().unwrap());
        let (accepted, retried, dropped) = count((0..10_000).map(|_| admission.of(ana, false, 0, false)));
        assert!(
            accepted <= UNVALIDATED.burst as usize + 1 && retried >= 9_900 && dropped == 0,
            "{accepted} {retried} {dropped}"
        );
        assert_eq!(count((0..100).map(|_| admission.of(ana, true, 0, false))), (100, 0, 0));
        // Nor does forging every address there is make the box forget what a true one has spent.
        for address in 0..20_000 {
            admission.of(source(Ipv4Addr::from_bits(address).into()), false, 0, false);
        }
        assert_eq!(admission.of(ana, true, 0, false), Verdict::Drop);
    }

    #[test]
    fn many_under_way_ask_for_a_proof_and_too_many_are_dropped() {
        let mut admission = Admission::new(LIMIT);
        let ana = source("10.0.0.1".parse().unwrap());
        assert_eq!(admission.of(ana, false, UNVALIDATED_MAX - 1, false), Verdict::Accept);
        assert_eq!(admission.of(ana, false, UNVALIDATED_MAX, false), Verdict::Retry);
        assert_eq!(admission.of(ana, true, HANDSHAKES_MAX - 1, false), Verdict::Accept);
        assert_eq!(admission.of(ana, true, HANDSHAKES_MAX, false), Verdict::Drop);
        assert_eq!(admission.of(ana, false, HANDSHAKES_MAX, false), Verdict::Drop);
    }

    #[test]
    fn who_has_proved_an_address_waits_for_nobody_who_has_not() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        for (who, source, proven) in
            [("first", 1, false), ("Ana", 2, true), ("second", 3, false), ("Ben", 4, true)]
        {
            waiting.add(who, Source(source), proven, now);
        }
        assert_eq!(waiting.len(), 4);
        let later = now + WAIT_MAX;
        for who in ["Ana", "Ben", "first", "second"] {
            assert_eq!(waiting.next(later, |late| panic!("{late} was late")), Some(who));
        }
        assert!(waiting.next(later, drop).is_none() && waiting.is_empty());
    }

    #[test]
    fn who_floods_waits_behind_itself() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        for nth in 0..1_000 {
            waiting.add(("Mallory", nth), Source(1), true, now);
        }
        waiting.add(("Ana", 0), Source(2), true, now);
        let mut next = || waiting.next(now, drop).unwrap();
        assert_eq!(
            [next(), next(), next(), next()],
            [("Mallory", 0), ("Ana", 0), ("Mallory", 1), ("Mallory", 2)]
        );
        waiting.add(("Ana", 1), Source(2), true, now);
        let mut next = || waiting.next(now, drop).unwrap();
        assert_eq!([next(), next()], [("Mallory", 3), ("Ana", 1)]);
        assert_eq!(waiting.len(), 996);
        assert_eq!(std::iter::from_fn(|| waiting.next(now, drop)).count(), 996);
        assert!(waiting.is_empty() && waiting.proven.waiting.is_empty());
    }

    /// Ten times as many phones as the line can serve in time, each of which comes again when it is not let in: no turn is lost to
    /// those who have given up.
    #[test]
    fn a_line_that_is_too_long_serves_as_many_as_a_short_one() {
        let began = Instant::now();
        for cores in [1, 2] {
            let (mut waiting, mut pace) = (Waiting::default(), Pace::new(cores, began));
            let turns = 60_000 / (4 / cores as u64);
            let (mut served, mut phones) = (0, 0_u64..);
            for _ in 0..turns {
                let now = pace.due();
                for phone in phones.by_ref().take(2_000) {
                    if !pace.is_in_time(waiting.ahead_of(Source(phone))) {
                        break;
                    }
                    // Some have waited before: they give up, and come again as if they were others.
                    let came = now - Duration::from_millis(phone % 3_000);
                    waiting.add(came, Source(phone), true, came);
                }
                let in_time = |came: Instant| now.duration_since(came) <= WAIT_MAX;
                served += u64::from(waiting.next(now, drop).is_some_and(in_time));
                pace.began(now);
            }
            assert_eq!(served, turns, "on {cores}");
        }
    }

    /// Hosts that are who they say take every turn there is, for ever. Ana has come without a token, and the box is not full.
    #[test]
    fn who_never_stops_coming_keeps_no_newcomer_out() {
        let (mut admission, mut waiting) = (Admission::new(LIMIT), Waiting::default());
        let (now, ana) = (Instant::now(), Source(0));
        for mallory in 1..=100 {
            waiting.add("Mallory", Source(mallory), true, now);
        }
        let mut proven = false;
        let came_in = (1..=1_000).find(|turn| {
            if *turn <= 2 {
                match admission.of(ana, proven, waiting.len(), waiting.has_proven()) {
                    Verdict::Accept => waiting.add("Ana", ana, proven, now),
                    Verdict::Retry => proven = true,
                    Verdict::Drop => panic!("dropped"),
                }
            }
            waiting.add("Mallory", Source(turn % 100 + 1), true, now);
            waiting.next(now, drop) == Some("Ana")
        });
        assert!(came_in.is_some_and(|turn| turn <= 110), "{came_in:?}");
    }

    #[test]
    fn who_floods_keeps_nobody_else_out_of_the_line() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        let pace = Pace::new(1, now);
        let (mallory, ana) = (Source(1), Source(2));
        let mut let_in = 0;
        while pace.is_in_time(waiting.ahead_of(mallory)) {
            waiting.add("Mallory", mallory, true, now);
            let_in += 1;
        }
        assert_eq!((let_in, waiting.ahead_of(ana)), (1_251, 1));
        assert!(pace.is_in_time(waiting.ahead_of(ana)));
    }

    #[test]
    fn handshakes_keep_their_pace_on_average_and_save_nothing_up() {
        let began = Instant::now();
        let mut pace = Pace::new(2, began);
        assert_eq!(pace.due(), began);
        // Each a timer's delay late, which is made up for.
        for nth in 1..=100 {
            pace.began(pace.due() + Duration::from_millis(1));
            assert_eq!(pace.due() - began, APART_ON_ONE_CORE / 2 * nth);
        }
        let later = began + Duration::from_secs(60);
        pace.began(later);
        assert_eq!(pace.due(), later - LATE_MAX + APART_ON_ONE_CORE / 2);
    }

    /// By default, the sums in the comments.
    #[test]
    fn one_address_takes_neither_every_handshake_nor_every_unproven_place() {
        let at_most = |seconds: u32| 2_500 + UNVALIDATED.burst + seconds * (100 + UNVALIDATED.per_second);
        let handshake_s = u32::try_from(super::super::quic::HANDSHAKE_TIME_MAX.as_secs()).unwrap();
        assert!((at_most(handshake_s) as usize) < HANDSHAKES_MAX);
        let proof_s = u32::try_from(wardline_core::limits::PROOF_TIME_MAX_MS / 1_000).unwrap();
        assert!((at_most(proof_s) as usize) < wardline_core::limits::CONNECTIONS_UNPROVEN_MAX);
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let (a, b) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        assert_eq!(source(a), source(b));
        assert_ne!(source(a), source("2001:db8:0:1::1".parse().unwrap()));
    }
}
