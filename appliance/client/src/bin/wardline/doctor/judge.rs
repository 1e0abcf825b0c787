//! From what was seen to what it means. Pure: the time is an argument, nothing is asked.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use wardline_client::error::{Refused, TrustError};
use wardline_client::probe::{
    Certificate, Greeting, Key, Knocks, NoHandshake, Obstacle, Unresolved, Way, certificate,
};
use wardline_client::trust::Root;
use wardline_client::{Error, trust};
use wardline_core::wire;
use wardline_core::wire::proto::RefusalCode;

use super::finding::{Clock, Dates, Doorway, Greeted, Identity, Naming, Reach, Trip};
use super::here::Interface;

const DAY_S: i64 = 86_400;
/// The box renews its certificate every day, and a new one has some twelve days to live: three were missed.
const LEAF_LEFT_MIN_S: i64 = 9 * DAY_S;
/// As the keeper warns: to bring a new issuing certificate takes somebody with the facility's root.
const ISSUING_LEFT_MIN_S: i64 = 90 * DAY_S;
/// Clocks further apart are somebody's fault, and the times on messages are seen to be wrong.
const CLOCK_APART_MS: i64 = 60_000;
/// Above this a person sees that a message is under way.
const SLOW_MS: f64 = 150.0;
/// Of ten packets one may be lost by accident.
const LOST_MAX: u32 = 1;
const CLIENT: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn naming(host: &str, literal: bool, found: Result<&[SocketAddr], Unresolved>) -> Naming {
    match found {
        Ok(_) if literal => Naming::Literal,
        Ok(found) => Naming::Resolved { addresses: found.iter().map(SocketAddr::ip).collect() },
        Err(Unresolved::Unknown) => Naming::Unknown { name: host.to_owned() },
        Err(Unresolved::Slow) => Naming::Slow { name: host.to_owned() },
    }
}

/// Whether a handshake is worth trying, or why there is no need to.
pub(crate) fn hopeless(at: SocketAddr, knocks: &Knocks) -> Option<Reach> {
    if !knocks.answered.is_empty() {
        return knocks.lacks_version_1.then_some(Reach::OtherVersion { at });
    }
    match knocks.obstacle.as_ref()? {
        Obstacle::PortClosed => Some(Reach::PortClosed { at }),
        Obstacle::NoRoute => Some(Reach::NoRoute { at }),
        Obstacle::Forbidden => Some(Reach::Forbidden { at }),
        // An answer may come on a socket of another kind.
        Obstacle::Unnamed(_) => None,
    }
}

pub(crate) fn answers(at: SocketAddr, knocks: &Knocks, interface: Option<Interface>) -> Reach {
    let (interface, wireless) = interface.map(|i| (Some(i.name), i.wireless)).unwrap_or_default();
    Reach::Answers { at, from: knocks.from, interface, wireless }
}

pub(crate) fn no_handshake(
    at: SocketAddr,
    knocks: &Knocks,
    interface: Option<Interface>,
    why: NoHandshake,
) -> Reach {
    let (interface, wireless) = interface.map(|i| (Some(i.name), i.wireless)).unwrap_or_default();
    match why {
        NoHandshake::Silent if knocks.answered.is_empty() => {
            Reach::Silent { at, from: knocks.from, interface, wireless }
        }
        NoHandshake::Silent => Reach::Stalled { at },
        NoHandshake::OtherVersion => Reach::OtherVersion { at },
        NoHandshake::OtherProtocol => Reach::OtherProtocol { at },
        NoHandshake::Refused => Reach::Busy { at },
        NoHandshake::Closed(why) => Reach::BrokeOff { at, why: why.to_string() },
        NoHandshake::Socket(why) => Reach::NoSocket { why },
    }
}

pub(crate) fn trip(knocks: &Knocks, way: &Way) -> Trip {
    let mut times: Vec<f64> = knocks.answered.iter().map(|time| milliseconds(*time)).collect();
    times.sort_by(f64::total_cmp);
    let (Some(best_ms), Some(worst_ms)) = (times.first().copied(), times.last().copied()) else {
        return Trip::OnlyConnected { best_ms: milliseconds(way.round_trip) };
    };
    let median_ms = times[(times.len() - 1) / 2];
    let sent = knocks.sent;
    let lost = sent.saturating_sub(u32::try_from(times.len()).unwrap_or(u32::MAX));
    if lost > LOST_MAX {
        Trip::Lossy { best_ms, median_ms, worst_ms, sent, lost }
    } else if median_ms > SLOW_MS {
        Trip::Slow { best_ms, median_ms, worst_ms, sent, lost }
    } else {
        Trip::Measured { best_ms, median_ms, worst_ms, sent, lost }
    }
}

pub(crate) fn doorway(way: &Way) -> Doorway {
    let handshake_ms = milliseconds(way.handshake);
    let (packet_bytes, packets_sent, packets_lost) = (way.mtu, way.sent, way.lost);
    if way.retried {
        Doorway::Retried { handshake_ms, packet_bytes, packets_sent, packets_lost }
    } else {
        Doorway::Quic { handshake_ms, packet_bytes, packets_sent, packets_lost }
    }
}

/// Whose box it is, by what trust says of its chain. Dates are [`dates`]'.
pub(crate) fn identity(
    asked: &str,
    root: Option<&Root>,
    chain: &[CertificateDer<'_>],
    believed: Result<(), TrustError>,
) -> Identity {
    let leaf = chain.first().and_then(|leaf| certificate(leaf).ok());
    let issuing = chain.get(1).and_then(|issuing| certificate(issuing).ok());
    let names = |read: Option<&Certificate>| {
        read.map(|read| read.names.iter().map(ToString::to_string).collect()).unwrap_or_default()
    };
    let asked = asked.to_owned();
    let offered = chain.get(1..).and_then(<[_]>::last).map(|root| hex(&trust::sha256(root)));
    match believed {
        Ok(()) => {
            let permitted = issuing.iter().flat_map(|issuing| &issuing.permitted);
            let permitted = permitted.map(ToString::to_string).collect();
            let names = names(leaf.as_ref());
            match root {
                Some(root) => Identity::Ours { asked, names, permitted, root_sha256: hex(&pinned(root)) },
                None => {
                    Identity::Unpinned { asked, names, permitted, root_sha256: offered.unwrap_or_default() }
                }
            }
        }
        Err(TrustError::OtherRoot) => Identity::OtherRoot {
            expected_sha256: root.map(|root| hex(&pinned(root))),
            offered_sha256: offered,
        },
        Err(TrustError::OtherName(_)) => Identity::OtherName { asked, names: names(leaf.as_ref()) },
        Err(TrustError::BadName(_)) => Identity::NoName { asked },
        Err(TrustError::BadChain(why)) => Identity::Broken { why },
        // As of the middle of the leaf's life: the dates of those above it do not fit its own.
        Err(TrustError::Expired | TrustError::NotYetValid) => {
            Identity::Broken { why: "the dates of the certificates do not fit each other".to_owned() }
        }
    }
}

/// The dates of a leaf and of the issuing certificate. `now` and the box's clock in seconds since 1970.
pub(crate) fn dates(chain: &[CertificateDer<'_>], now: i64, box_now: Option<i64>) -> Dates {
    let Some(leaf) = chain.first().and_then(|leaf| certificate(leaf).ok()) else { return Dates::Unreadable };
    let issuing = chain.get(1).and_then(|issuing| certificate(issuing).ok());
    let (from, until) = (leaf.from, leaf.until);
    let is_within = |at: i64| from <= at && at <= until;
    if !is_within(now) {
        return match box_now {
            Some(there) if is_within(there) => Dates::ThisClockIsWrong { from, until },
            _ if now > until => Dates::Expired { until, since_s: now - until },
            _ => Dates::NotYetValid { from, in_s: from - now },
        };
    }
    let issuing_left_s = issuing.map(|issuing| issuing.until - now);
    match issuing_left_s {
        Some(left_s) if left_s < ISSUING_LEFT_MIN_S => return Dates::IssuingEnds { left_s },
        _ => {}
    }
    let left_s = until - now;
    if left_s < LEAF_LEFT_MIN_S {
        Dates::NotRenewed { from, until, left_s }
    } else if leaf.key != Key::P256 {
        Dates::OtherKey
    } else {
        Dates::Good { from, until, left_s, issuing_left_s }
    }
}

/// The middle of a leaf's life, in seconds since 1970: to judge a chain by all but its dates.
pub(crate) fn middle(chain: &[CertificateDer<'_>]) -> Option<u64> {
    let leaf = certificate(chain.first()?).ok()?;
    u64::try_from(leaf.from + (leaf.until - leaf.from) / 2).ok()
}

pub(crate) fn clock(greeting: &Greeting) -> Clock {
    let (box_ahead_ms, good_to_ms) = (greeting.ahead_ms, milliseconds(greeting.took).ceil() as i64 / 2 + 1);
    if box_ahead_ms.saturating_abs() > CLOCK_APART_MS {
        Clock::Apart { box_ahead_ms, good_to_ms }
    } else {
        Clock::Together { box_ahead_ms, good_to_ms }
    }
}

pub(crate) fn greeted(greeting: Result<&Greeting, &Error>) -> Greeted {
    let (protocol, client) = (wire::VERSION, CLIENT);
    match greeting {
        Ok(greeting) if greeting.guest => Greeted::WrongZone,
        Ok(greeting) => Greeted::Welcome { facility: greeting.facility.clone(), protocol, client },
        Err(Error::Refused(Refused { code: RefusalCode::VersionUnsupported, .. })) => {
            Greeted::OtherProtocolVersion { protocol, client }
        }
        Err(Error::Refused(Refused { code: RefusalCode::Zone, .. })) => Greeted::WrongZone,
        Err(Error::Refused(refused)) => Greeted::Refused { advice: refused.advice.clone() },
        Err(error) => Greeted::NoAnswer { why: error.to_string() },
    }
}

fn pinned(root: &Root) -> [u8; 32] {
    match root {
        Root::Pinned(hash) => *hash,
        Root::Known(root) => trust::sha256(root),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// To the microsecond.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
