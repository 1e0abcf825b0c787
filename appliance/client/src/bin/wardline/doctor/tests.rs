//! The judgement, on chains and figures made up for it.

use std::net::SocketAddr;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use wardline_client::error::{End, Refused, TrustError};
use wardline_client::probe::{Greeting, Knocks, NoHandshake, Obstacle, Way};
use wardline_client::trust::{Root, sha256};
use wardline_client::{Error, Standing};
use wardline_core::wire::proto::RefusalCode;

use super::finding::{Clock, Dates, Finding, Greeted, Identity, Reach, SignIn, Trip};
use super::weight::Weight;
use super::{device, judge, words};

const DAY: i64 = 86_400;
/// 1 March 2030, when the leaf begins.
const BEGIN: i64 = 1_898_553_600;

fn authority(years: i32) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2030, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030 + years, 1, 1);
    (params, KeyPair::generate().unwrap())
}

/// Leaf from 1 to 14 March 2030, issuing, root.
fn chain(issuing_years: i32) -> Vec<CertificateDer<'static>> {
    let (params, key) = authority(20);
    let root = CertifiedIssuer::self_signed(params, key).unwrap();
    let (params, key) = authority(issuing_years);
    let issuing = CertifiedIssuer::signed_by(params, key, &root).unwrap();
    let mut params = CertificateParams::new(vec!["box.example".to_owned(), "10.1.2.3".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2030, 3, 1);
    params.not_after = rcgen::date_time_ymd(2030, 3, 14);
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuing).unwrap();
    vec![leaf.der().clone(), issuing.der().clone(), root.der().clone()]
}

fn at() -> SocketAddr {
    "10.1.2.3:443".parse().unwrap()
}

fn knocks(answered: &[u64], sent: u32, obstacle: Option<Obstacle>) -> Knocks {
    let answered = answered.iter().map(|ms| Duration::from_millis(*ms)).collect();
    Knocks { from: None, sent, answered, lacks_version_1: false, obstacle }
}

fn way() -> Way {
    let time = Duration::from_millis(3);
    Way { handshake: time, retried: false, round_trip: time, mtu: 1_452, sent: 9, lost: 0 }
}

#[test]
fn a_leaf_that_lives_is_told_from_one_that_is_not_renewed() {
    let chain = chain(5);
    let on = |day: i64| judge::dates(&chain, BEGIN + day * DAY, Some(BEGIN + day * DAY));
    assert!(matches!(on(1), Dates::Good { left_s, .. } if left_s == 12 * DAY), "{:?}", on(1));
    assert!(matches!(on(3), Dates::Good { .. }));
    assert!(matches!(on(5), Dates::NotRenewed { left_s, .. } if left_s == 8 * DAY));
    assert_eq!(Finding::Dates(on(5)).weight(), Weight::Warning);
}

#[test]
fn an_expired_leaf_is_told_from_a_wrong_clock() {
    let chain = chain(5);
    let (late, early, within) = (BEGIN + 20 * DAY, BEGIN - 2 * DAY, BEGIN + 2 * DAY);
    let expired = judge::dates(&chain, late, Some(late));
    assert_eq!(expired, Dates::Expired { until: BEGIN + 13 * DAY, since_s: 7 * DAY });
    assert_eq!(judge::dates(&chain, late, None), expired);
    assert_eq!(judge::dates(&chain, early, None), Dates::NotYetValid { from: BEGIN, in_s: 2 * DAY });
    // By the box's clock it is valid: so it is this one's that is wrong.
    for now in [late, early] {
        let wrong = judge::dates(&chain, now, Some(within));
        assert!(matches!(wrong, Dates::ThisClockIsWrong { .. }), "{wrong:?}");
        assert_eq!(Finding::Dates(wrong.clone()).weight(), Weight::Untrusted);
        assert!(words::told(&Finding::Dates(wrong)).next[0].starts_with("set this machine's clock"));
    }
    assert_eq!(judge::middle(&chain), u64::try_from(BEGIN + 13 * DAY / 2).ok());
}

#[test]
fn an_issuing_certificate_that_ends_is_told_in_time() {
    let chain = chain(1);
    let soon = BEGIN + DAY;
    assert!(matches!(judge::dates(&chain, soon, None), Dates::Good { issuing_left_s: Some(_), .. }));
    let mut ends = self::chain(5);
    let (mut params, key) = authority(5);
    params.not_after = rcgen::date_time_ymd(2030, 4, 1);
    ends[1] = params.self_signed(&key).unwrap().der().clone();
    assert_eq!(judge::dates(&ends, soon, None), Dates::IssuingEnds { left_s: 30 * DAY });
    assert_eq!(judge::dates(&[CertificateDer::from(vec![1])], soon, None), Dates::Unreadable);
}

#[test]
fn whose_box_it_is_goes_by_the_root_and_the_name() {
    let chain = chain(5);
    let root = Root::Pinned(sha256(&chain[2]));
    let of = |root: Option<&Root>, why: Result<(), TrustError>| {
        let identity = judge::identity("box.example", root, &chain, why);
        (identity.clone(), Finding::Certificate(identity).weight())
    };
    let (ours, weight) = of(Some(&root), Ok(()));
    assert!(matches!(&ours, Identity::Ours { names, .. } if names == &["box.example", "10.1.2.3"]));
    assert_eq!(weight, Weight::Ok);
    let (unknown, weight) = of(None, Ok(()));
    assert!(matches!(unknown, Identity::Unpinned { root_sha256, .. } if root_sha256.len() == 64));
    assert_eq!(weight, Weight::Warning);
    let (name, weight) = of(Some(&root), Err(TrustError::OtherName("box.example".to_owned())));
    assert_eq!(weight, Weight::Untrusted);
    assert!(words::told(&Finding::Certificate(name)).next[0].contains("box.example, 10.1.2.3"));
    let other = Root::Pinned([7; 32]);
    let (other, weight) = of(Some(&other), Err(TrustError::OtherRoot));
    assert_eq!(weight, Weight::Untrusted);
    let told = words::told(&Finding::Certificate(other)).next.join(" ");
    assert!(told.contains(&"07".repeat(32)), "{told}");
}

#[test]
fn clocks_that_are_a_minute_apart_are_a_warning() {
    let of = |ahead_ms| {
        let (facility, took, guest) = (String::new(), Duration::from_millis(4), false);
        judge::clock(&Greeting { facility, ahead_ms, took, guest })
    };
    for fine in [0, 900, -60_000, 60_000] {
        assert!(matches!(of(fine), Clock::Together { .. }), "{fine}");
    }
    for apart in [60_001, -60_001, i64::MIN, i64::MAX] {
        assert!(matches!(of(apart), Clock::Apart { .. }), "{apart}");
        assert_eq!(Finding::Clock(of(apart)).weight(), Weight::Warning);
    }
    let said = |ahead: i64| words::told(&Finding::Clock(of(ahead))).what;
    assert_eq!(said(2), "this machine and the box agree");
    assert_eq!(said(-2_500), "the box is 2.5 s behind this machine");
    assert_eq!(said(200_000), "the box is 3 min 20 s ahead of this machine");
    assert_eq!(said(-40 * DAY * 1_000), "the box is 40 days behind this machine");
}

#[test]
fn why_nothing_answers_is_told_apart() {
    let hopeless = |obstacle| judge::hopeless(at(), &knocks(&[], 1, Some(obstacle)));
    assert_eq!(hopeless(Obstacle::PortClosed), Some(Reach::PortClosed { at: at() }));
    assert_eq!(hopeless(Obstacle::NoRoute), Some(Reach::NoRoute { at: at() }));
    assert_eq!(hopeless(Obstacle::Forbidden), Some(Reach::Forbidden { at: at() }));
    assert_eq!(judge::hopeless(at(), &knocks(&[], 10, None)), None, "a handshake may get through");
    // Whoever answers is there, whatever else was said.
    assert_eq!(judge::hopeless(at(), &knocks(&[1], 10, Some(Obstacle::PortClosed))), None);
    let old = Knocks { lacks_version_1: true, ..knocks(&[1], 1, None) };
    assert_eq!(judge::hopeless(at(), &old), Some(Reach::OtherVersion { at: at() }));

    let no = |answered: &[u64], why| judge::no_handshake(at(), &knocks(answered, 10, None), None, why);
    assert!(matches!(no(&[], NoHandshake::Silent), Reach::Silent { .. }));
    assert!(matches!(no(&[1], NoHandshake::Silent), Reach::Stalled { .. }));
    assert!(matches!(no(&[1], NoHandshake::OtherProtocol), Reach::OtherProtocol { .. }));
    assert!(matches!(no(&[1], NoHandshake::Refused), Reach::Busy { .. }));
}

#[test]
fn round_trips_are_judged_by_the_middle_one_and_by_losses() {
    let ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 400];
    let trip = judge::trip(&knocks(&ten, 10, None), &way());
    assert!(matches!(trip, Trip::Measured { best_ms: 1.0, median_ms: 5.0, worst_ms: 400.0, lost: 0, .. }));
    assert!(matches!(judge::trip(&knocks(&ten[..9], 10, None), &way()), Trip::Measured { lost: 1, .. }));
    assert!(matches!(judge::trip(&knocks(&ten[..8], 10, None), &way()), Trip::Lossy { lost: 2, .. }));
    assert!(matches!(judge::trip(&knocks(&[151; 10], 10, None), &way()), Trip::Slow { .. }));
    assert_eq!(judge::trip(&knocks(&[], 10, None), &way()), Trip::OnlyConnected { best_ms: 3.0 });
}

fn refused(code: RefusalCode) -> Refused {
    Refused { code, advice: "no.".to_owned(), retry_after: None, tries_left: 0 }
}

#[test]
fn what_the_box_says_to_hello_is_told_apart() {
    let of = |code| judge::greeted(Err(&Error::Refused(refused(code))));
    assert_eq!(of(RefusalCode::Zone), Greeted::WrongZone);
    assert!(matches!(of(RefusalCode::VersionUnsupported), Greeted::OtherProtocolVersion { .. }));
    assert!(matches!(of(RefusalCode::SlowDown), Greeted::Refused { .. }));
    assert!(matches!(judge::greeted(Err(&Error::Interrupted)), Greeted::NoAnswer { .. }));
}

#[test]
fn where_a_sign_in_ends_is_told_apart() {
    let waits = |error: Error| device::of(&Standing::Waiting(std::sync::Arc::new(error)));
    assert_eq!(device::of(&Standing::PinNeeded { tries_left: 10 }), SignIn::PinWanted { tries_left: 10 });
    assert_eq!(device::of(&Standing::PinNeeded { tries_left: 3 }), SignIn::FewTries { tries_left: 3 });
    assert_eq!(waits(refused(RefusalCode::SlowDown).into()), SignIn::SlowDown);
    let ended = device::of(&Standing::Ended(End::Refused(refused(RefusalCode::DeviceUnknown))));
    assert_eq!(Finding::SignIn(ended).weight(), Weight::Refused);
    assert!(matches!(waits(Error::Interrupted), SignIn::Failed { .. }));
}

#[test]
fn the_heaviest_finding_is_the_result() {
    let weights = [
        Weight::Ok,
        Weight::Machine,
        Weight::Refused,
        Weight::Unreachable,
        Weight::Warning,
        Weight::Untrusted,
    ];
    assert_eq!(weights.map(Weight::exit_code), [0, 1, 3, 4, 7, 8]);
    let findings = [
        Finding::Network(Reach::Passed { at: at() }),
        Finding::Certificate(Identity::Broken { why: String::new() }),
        Finding::Network(Reach::Silent { at: at(), from: None, interface: None, wireless: false }),
    ];
    assert_eq!(Weight::of(&findings), Weight::Untrusted);
    assert_eq!(Weight::of(&findings[..1]), Weight::Warning);
    assert_eq!(Weight::of(&[findings[0].clone(), findings[2].clone()]), Weight::Unreachable);
    assert_eq!(Weight::of(&[]), Weight::Ok);
}

#[test]
fn spans_are_as_people_say_them() {
    let spans = [0, 59, 61, 3_700, 100_000, 200_000, 100_000_000].map(words::span);
    assert_eq!(spans, ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "27 h 46 min", "2 days", "3 years"]);
}
