//! Who may begin a handshake. A source address can be forged until it is validated (RFC 9000, 8): so what comes under an
//! unvalidated one spends nothing of what its owner has, once that has proved to be there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use wardline_core::input::Source;

/// Handshakes under way above which an address must first prove itself (RFC 9000, 8.1.2). To be asked costs a phone a round
/// trip and the box a packet more, just when very many come: at 64 a storm of 2,000 devices was asked almost to the last,
/// and the packets that this made filled the socket's buffer and were lost. Whoever forges addresses never completes, so
/// holds these for [`super::quic::HANDSHAKE_TIME_MAX`]: 20 kB each, 20 MB, and 100 handshakes a second, 50 ms of a core.
const UNVALIDATED_MAX: usize = 1_024;
/// What one address may begin without having proved itself; beyond, it is asked to.
const UNVALIDATED: SourceLimit = SourceLimit { per_second: 10, burst: 64 };
/// Handshakes under way at a time: 20 kB each, 80 MB. Above, an attempt is dropped unanswered; clients try again. One
/// address may have 2,500 + 64 at once and 100 + 10 a second, each for [`super::quic::HANDSHAKE_TIME_MAX`]:
/// 2,564 + 10 x 110 = 3,664 in all, never every place. (In 15 s 4,214, of the core's 6,000 unproven places.)
pub(super) const HANDSHAKES_MAX: usize = 4_000;

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

    /// Decides on an attempt, with so many handshakes under way.
    pub(super) fn of(&mut self, source: Source, validated: bool, under_way: usize) -> Verdict {
        if under_way >= HANDSHAKES_MAX {
            return Verdict::Drop;
        }
        match validated {
            true if self.validated.admit(source) => Verdict::Accept,
            true => Verdict::Drop,
            false if under_way < UNVALIDATED_MAX && self.unvalidated.admit(source) => Verdict::Accept,
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
        assert_eq!(count((0..500).map(|_| admission.of(mallory, true, 0))), (100, 0, 400));
        assert_eq!(admission.of(ana, true, 0), Verdict::Accept);
    }

    /// First packets that name Ana's address as theirs: she comes in all the same, after a round trip more.
    #[test]
    fn who_forges_an_address_spends_nothing_of_its_owners() {
        let mut admission = Admission::new(LIMIT);
        let ana = source("10.0.0.1".parse().unwrap());
        let (accepted, retried, dropped) = count((0..10_000).map(|_| admission.of(ana, false, 0)));
        assert!(
            accepted <= UNVALIDATED.burst as usize + 1 && retried >= 9_900 && dropped == 0,
            "{accepted} {retried} {dropped}"
        );
        assert_eq!(count((0..100).map(|_| admission.of(ana, true, 0))), (100, 0, 0));
        // Nor does forging every address there is make the box forget what a true one has spent.
        for address in 0..20_000 {
            admission.of(source(Ipv4Addr::from_bits(address).into()), false, 0);
        }
        assert_eq!(admission.of(ana, true, 0), Verdict::Drop);
    }

    #[test]
    fn many_under_way_ask_for_a_proof_and_too_many_are_dropped() {
        let mut admission = Admission::new(LIMIT);
        let ana = source("10.0.0.1".parse().unwrap());
        assert_eq!(admission.of(ana, false, UNVALIDATED_MAX - 1), Verdict::Accept);
        assert_eq!(admission.of(ana, false, UNVALIDATED_MAX), Verdict::Retry);
        assert_eq!(admission.of(ana, true, HANDSHAKES_MAX - 1), Verdict::Accept);
        assert_eq!(admission.of(ana, true, HANDSHAKES_MAX), Verdict::Drop);
        assert_eq!(admission.of(ana, false, HANDSHAKES_MAX), Verdict::Drop);
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
