//! What is said of a finding: one sentence with its figure; when something is wrong, what it likely is and what to do next.

use super::finding::{Doorway, Finding, Naming, Trip};
use super::weight::Weight;
use super::{words_box, words_device, words_network};
use crate::say;

/// For people.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) what: String,
    /// Likely causes, the likeliest first.
    pub(crate) likely: Vec<String>,
    /// What to do, in this order.
    pub(crate) next: Vec<String>,
}

impl Told {
    /// All is well, or nothing can be done.
    pub(super) fn just(what: String) -> Self {
        Self { what, likely: vec![], next: vec![] }
    }

    pub(super) fn of(what: String, likely: &[&str], next: &[&str]) -> Self {
        let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Self { what, likely: own(likely), next: own(next) }
    }
}

pub(crate) fn told(finding: &Finding) -> Told {
    match finding {
        Finding::Name(naming) => name(naming),
        Finding::Network(reach) => words_network::network(reach),
        Finding::RoundTrip(trip) => round_trip(trip),
        Finding::Doorway(doorway) => self::doorway(doorway),
        Finding::Certificate(identity) => words_box::certificate(identity),
        Finding::Dates(dates) => words_box::dates(dates),
        Finding::Clock(clock) => words_box::clock(clock),
        Finding::Box(greeted) => words_box::the_box(greeted),
        Finding::Profile(files) => words_device::profile(files),
        Finding::Disk(disk) => words_device::disk(disk),
        Finding::Outbox(outbox) => words_device::outbox(outbox),
        Finding::SignIn(sign_in) => words_device::sign_in(sign_in),
        Finding::Socket(socket) => words_device::socket(socket),
    }
}

/// The last line.
pub(crate) fn result(weight: Weight, warnings: usize) -> String {
    match weight {
        Weight::Ok | Weight::Note => {
            "Healthy: the box is reachable from here, and all is in order.".to_owned()
        }
        Weight::Warning if warnings == 1 => "Reachable, with one warning: see WARN above.".to_owned(),
        Weight::Warning => format!("Reachable, with {warnings} warnings: see WARN above."),
        Weight::Machine => "This machine's files are not in order: see FAIL above.".to_owned(),
        Weight::Refused => "The box answers, but lets this device in no further: see FAIL above.".to_owned(),
        Weight::Unreachable => "The box cannot be reached from here: see FAIL above.".to_owned(),
        Weight::Untrusted => {
            "Not trusted: do not use what answers here as your box. See FAIL above.".to_owned()
        }
    }
}

fn name(naming: &Naming) -> Told {
    const LIKELY: [&str; 3] = [
        "this machine is not on the staff network, and its name service does not know the box",
        "the entry in the name service (DNS) is missing",
        "the name is spelled wrongly",
    ];
    const NEXT: [&str; 2] = [
        "check which network this machine is on",
        "try the box's number in place of its name: if that works, it is the name service",
    ];
    match naming {
        Naming::Literal => Told::just("the address is a number: no name to look up".to_owned()),
        Naming::Resolved { addresses } => {
            let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Told::just(format!("is {} here", listed.join(" and ")))
        }
        Naming::Unknown { name } => {
            Told::of(format!("{} is not known on this network", say::clean_line(name)), &LIKELY, &NEXT)
        }
        Naming::Slow { name } => Told::of(
            format!("the name service did not answer for {} within 5 s", say::clean_line(name)),
            &["this machine has no connection", "the name service is down or out of reach"],
            &NEXT,
        ),
    }
}

fn round_trip(trip: &Trip) -> Told {
    let figures = |best: f64, median: f64, worst: f64, sent: u32, lost: u32| {
        let lost = if lost == 0 { "none lost".to_owned() } else { format!("{lost} lost") };
        let (best, median, worst) = (ms(best), ms(median), ms(worst));
        format!("typically {median} ms ({best} to {worst}); of {sent} packets {lost}")
    };
    const NEXT: [&str; 3] = [
        "measure again nearer to the access point, and by cable",
        "wardline bench shows what that does to messages",
        "if only this ward is so, have its access point and channel checked",
    ];
    match *trip {
        Trip::Measured { best_ms, median_ms, worst_ms, sent, lost } => {
            Told::just(figures(best_ms, median_ms, worst_ms, sent, lost))
        }
        Trip::Slow { best_ms, median_ms, worst_ms, sent, lost } => Told::of(
            format!("slow: {}", figures(best_ms, median_ms, worst_ms, sent, lost)),
            &["a weak or crowded Wi-Fi", "a long way through other networks, such as a VPN"],
            &NEXT,
        ),
        Trip::Lossy { best_ms, median_ms, worst_ms, sent, lost } => Told::of(
            format!("packets are lost: {}", figures(best_ms, median_ms, worst_ms, sent, lost)),
            &["a weak or crowded Wi-Fi", "a full or faulty link between here and the box"],
            &NEXT,
        ),
        Trip::OnlyConnected { best_ms } => {
            let best = ms(best_ms);
            Told::just(format!(
                "{best} ms at best, on the connection; something on the way drops single test packets, which devices do not need"
            ))
        }
    }
}

fn doorway(doorway: &Doorway) -> Told {
    let figures = |handshake: f64, bytes: u16, sent: u64, lost: u64| {
        let lost = if lost == 0 { String::new() } else { format!("; {lost} of {sent} packets lost") };
        let (handshake, bytes) = (ms(handshake), say::grouped(u64::from(bytes)));
        format!("connected in {handshake} ms; packets of {bytes} bytes got through{lost}")
    };
    match *doorway {
        Doorway::Quic { handshake_ms, packet_bytes, packets_sent, packets_lost } => {
            let figures = figures(handshake_ms, packet_bytes, packets_sent, packets_lost);
            Told::just(format!("QUIC, the one this box offers: {figures}"))
        }
        Doorway::Retried { handshake_ms, packet_bytes, packets_sent, packets_lost } => {
            let figures = figures(handshake_ms, packet_bytes, packets_sent, packets_lost);
            Told::just(format!(
                "QUIC, the one this box offers: {figures}. The box first had this address proven (a Retry), as it does \
                 when many connect"
            ))
        }
    }
}

/// Tenths below ten, whole ones above.
fn ms(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// A length of time as people say it, in its two largest units.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let some = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        172_800..86_400_000 => some(seconds / 86_400, "day"),
        _ => some(seconds / 31_557_600, "year"),
    }
}
