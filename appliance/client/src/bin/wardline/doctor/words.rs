//! What is said of a finding: one sentence with its figure; when something is wrong, what it likely is and what to do next.

use super::finding::{
    Clock, Dates, Disk, Doorway, Exposed, Files, Finding, Greeted, Identity, Naming, Outbox, SignIn, Socket,
    Trip, Weight,
};
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
    fn just(what: String) -> Self {
        Self { what, likely: vec![], next: vec![] }
    }

    fn of(what: String, likely: &[&str], next: &[&str]) -> Self {
        let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Self { what, likely: own(likely), next: own(next) }
    }
}

pub(crate) fn told(finding: &Finding) -> Told {
    match finding {
        Finding::Name(naming) => name(naming),
        Finding::Network(reach) => super::words_network::network(reach),
        Finding::RoundTrip(trip) => round_trip(trip),
        Finding::Doorway(doorway) => self::doorway(doorway),
        Finding::Certificate(identity) => certificate(identity),
        Finding::Dates(dates) => self::dates(dates),
        Finding::Clock(clock) => self::clock(clock),
        Finding::Box(greeted) => the_box(greeted),
        Finding::Profile(files) => profile(files),
        Finding::Disk(disk) => self::disk(disk),
        Finding::Outbox(outbox) => self::outbox(outbox),
        Finding::SignIn(sign_in) => self::sign_in(sign_in),
        Finding::Socket(socket) => self::socket(socket),
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

fn certificate(identity: &Identity) -> Told {
    match identity {
        Identity::Ours { asked, names, permitted, .. } => Told::just(format!(
            "your facility's, for {}{}{}",
            say::clean_line(asked),
            beside(asked, names),
            allowed(permitted)
        )),
        Identity::Unpinned { asked, names, permitted, root_sha256 } => Told {
            what: format!(
                "in order, for {}{}{}; whose box it is, is not known: the address alone does not say which root to expect",
                say::clean_line(asked),
                beside(asked, names),
                allowed(permitted)
            ),
            likely: vec![],
            next: vec![
                format!("compare the facility root's SHA-256 with that on your records: {root_sha256}"),
                "or give the join link, or --root SHA256, and it is compared here".to_owned(),
            ],
        },
        Identity::OtherRoot { expected_sha256, offered_sha256 } => Told {
            what: "what answers is not a box of your facility".to_owned(),
            likely: vec![
                "the link or profile is of another facility, or of a box that was set up anew".to_owned(),
                "somebody on this network passes off a machine as the box".to_owned(),
            ],
            next: vec![
                "join no device and enter no PIN here; tell whoever answers for security".to_owned(),
                "if the box was set up anew: new join links, and every device joins again".to_owned(),
                format!("expected root: {}", expected_sha256.as_deref().unwrap_or("none")),
                format!("offered root:  {}", offered_sha256.as_deref().unwrap_or("none")),
            ],
        },
        Identity::OtherName { asked, names } => Told {
            what: format!("a box of your facility, but not for {}", say::clean_line(asked)),
            likely: vec![
                "the box is asked for by an address that was not entered when it was set up".to_owned(),
                "the address leads to another box of the facility".to_owned(),
            ],
            next: vec![
                format!("use a name that it bears: {}", listed(names)),
                "or have the address added to the box, and new join links issued".to_owned(),
            ],
        },
        Identity::NoName { asked } => Told::of(
            format!("{} is neither a DNS name nor an IP address", say::clean_line(asked)),
            &["the link or profile is damaged"],
            &["ask for a new join link"],
        ),
        Identity::Broken { why } => Told::of(
            format!("does not verify: {}", say::clean_line(why)),
            &[
                "the box's certificates were put together by hand, or damaged",
                "the address lies outside of the range that the facility allowed its box",
            ],
            &[
                "use nothing of this box until it is explained",
                "on the box: the keeper's log says what it issued",
            ],
        ),
    }
}

/// The other names, if there are any.
fn beside(asked: &str, names: &[String]) -> String {
    let others: Vec<String> =
        names.iter().filter(|name| !name.eq_ignore_ascii_case(asked)).cloned().collect();
    if others.is_empty() { String::new() } else { format!(" (also {})", listed(&others)) }
}

fn allowed(permitted: &[String]) -> String {
    if permitted.is_empty() { String::new() } else { format!("; allowed are {}", listed(permitted)) }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| say::clean_line(name)).collect();
    if names.len() > SHOWN {
        shown.push(format!("{} more", names.len() - SHOWN));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

fn dates(dates: &Dates) -> Told {
    match *dates {
        Dates::Good { until, left_s, issuing_left_s, .. } => {
            let issuing = issuing_left_s.map(|left| format!("; the box's own authority {} more", span(left)));
            Told::just(format!(
                "valid until {}, {} more; renewed every day{}",
                say::date(until),
                span(left_s),
                issuing.unwrap_or_default()
            ))
        }
        Dates::NotRenewed { until, left_s, .. } => Told::of(
            format!(
                "valid for {} more, until {}, and not renewed for days: the box makes a new one daily",
                span(left_s),
                say::date(until)
            ),
            &["the keeper on the box does not run, or refuses", "this machine's clock is ahead"],
            &[
                "on the box: look at the keeper's state and log, before the certificate ends and nobody can connect",
            ],
        ),
        Dates::IssuingEnds { left_s } => Told::of(
            format!("the box's own authority ends in {}: after that nobody can connect", span(left_s)),
            &["the period chosen when the box was set up is nearly over"],
            &["certify the box again with the facility root: wardline-provision certify"],
        ),
        Dates::Expired { until, since_s } => Told::of(
            format!("expired on {}, {} ago", say::date(until), span(since_s)),
            &["the box renews no more: its keeper does not run, or refuses", "this machine's clock is ahead"],
            &[
                "compare this machine's clock with another one",
                "on the box: look at the keeper's state and log",
            ],
        ),
        Dates::NotYetValid { from, in_s } => Told::of(
            format!("not valid before {}, in {}", say::date(from), span(in_s)),
            &["this machine's clock is behind", "the box's clock is ahead"],
            &["compare both clocks with another one, and set the wrong one"],
        ),
        Dates::ThisClockIsWrong { from, until } => Told::of(
            format!(
                "valid from {} to {}: so by the box's clock, and not by this machine's",
                say::date(from),
                say::date(until)
            ),
            &["this machine's clock is wrong: see Clock"],
            &["set this machine's clock, and switch on its time service (NTP)"],
        ),
        Dates::OtherKey => Told::of(
            "its key is not of the kind that every box has (ECDSA on P-256)".to_owned(),
            &["certificates that were made by hand"],
            &["on the box: the keeper's log says what it issued"],
        ),
        Dates::Unreadable => Told::of(
            "the certificate cannot be read".to_owned(),
            &["this is no box, or a later version's"],
            &["update this program, and try again"],
        ),
    }
}

fn clock(clock: &Clock) -> Told {
    match *clock {
        Clock::Together { box_ahead_ms, good_to_ms } => {
            // Less than what the way itself takes is nothing.
            if box_ahead_ms.abs() <= good_to_ms {
                Told::just("this machine and the box agree".to_owned())
            } else {
                Told::just(format!("the box is {}", ahead(box_ahead_ms)))
            }
        }
        Clock::Apart { box_ahead_ms, .. } => Told::of(
            format!("the box is {}", ahead(box_ahead_ms)),
            &["one of the two has no time service (NTP), or a wrong one"],
            &[
                "compare both with another clock, and set the wrong one",
                "mend it soon: certificates are judged by this clock, and a device that is days off is turned away",
            ],
        ),
    }
}

fn ahead(ms: i64) -> String {
    let way = if ms >= 0 { "ahead of" } else { "behind" };
    let apart = ms.unsigned_abs();
    let apart =
        if apart < 10_000 { format!("{:.1} s", apart as f64 / 1e3) } else { span((apart / 1_000) as i64) };
    format!("{apart} {way} this machine")
}

fn the_box(greeted: &Greeted) -> Told {
    match greeted {
        Greeted::Welcome { facility, protocol, client } => Told::just(format!(
            "“{}” speaks protocol {protocol}, as this program {client} does",
            say::clean_line(facility)
        )),
        Greeted::OtherProtocolVersion { protocol, client } => Told::of(
            format!("does not speak protocol {protocol}, and this program {client} speaks no other"),
            &["the box or this program is much newer than the other"],
            &["update whichever is older"],
        ),
        Greeted::WrongZone => Told::of(
            "staff are not let in from this network".to_owned(),
            &["this machine is in the guest Wi-Fi, or in a range that the box takes for it"],
            &["change to the staff Wi-Fi", "or check which address ranges the box has as its zones"],
        ),
        Greeted::Refused { advice } => Told::of(
            format!("refuses: {}", say::clean_line(advice)),
            &["the box is very busy"],
            &["try again in a minute"],
        ),
        Greeted::NoAnswer { why } => Told::of(
            format!("connects, and then does not answer: {}", say::clean_line(why)),
            &["the relay hangs, or is just being stopped", "another service than a box"],
            &["try again in a minute", "on the box: look at the relay's state and log"],
        ),
    }
}

fn profile(files: &Files) -> Told {
    match files {
        Files::Private { directory } => Told::just(format!("{} is yours alone", say::clean_line(directory))),
        Files::Exposed { files } => Told {
            what: "others on this machine can read or change the profile, so it is not used".to_owned(),
            likely: vec!["it was copied, or made readable by hand".to_owned()],
            next: files.iter().map(chmod).collect(),
        },
        Files::Unusable { why } => Told::just(say::clean_line(why)),
    }
}

fn chmod(file: &Exposed) -> String {
    format!("chmod {} {}", file.wanted, say::clean_line(&file.path))
}

fn disk(disk: &Disk) -> Told {
    match *disk {
        Disk::Free { bytes } => Told::just(format!("{} free for the profile", amount(bytes))),
        Disk::Low { bytes } => Told::of(
            format!("only {} free for the profile", amount(bytes)),
            &["this machine's disk is nearly full"],
            &["make room: on a full disk no message can be kept, and none is sent"],
        ),
    }
}

fn outbox(outbox: &Outbox) -> Told {
    let some = |count: usize| format!("{count} message{}", if count == 1 { "" } else { "s" });
    match outbox {
        Outbox::Empty => Told::just("nothing waits to be sent".to_owned()),
        Outbox::Waiting { messages, oldest_s } => Told::just(format!(
            "when this began, {} waited for the box, the oldest for {}; they go when it lets this device in",
            some(*messages),
            span(*oldest_s)
        )),
        Outbox::Failed { messages, waiting } => Told::of(
            format!("{} will never be sent; {} more wait", some(*messages), waiting),
            &["their conversation was purged, or its person left it"],
            &["wardline chat or tail shows why, and then forgets them"],
        ),
        Outbox::HeldElsewhere => {
            Told::just("not looked at: another wardline program has this profile open".to_owned())
        }
        Outbox::Unusable { why } => Told::just(say::clean_line(why)),
    }
}

fn sign_in(sign_in: &SignIn) -> Told {
    const ASK: [&str; 1] = ["ask an administrator; a new join link makes a new device"];
    match sign_in {
        SignIn::Open => Told::just("works; the session is open".to_owned()),
        SignIn::PinWanted { .. } => {
            Told::just("works; the session is locked and wants the PIN, as it should when unused".to_owned())
        }
        SignIn::FewTries { tries_left } => Told::of(
            format!("works; the session wants the PIN, and only {tries_left} tries are left"),
            &["somebody typed wrong PINs on this device"],
            &[
                "let its person enter the PIN: the right one sets the tries back",
                "if it was not them, tell an administrator",
            ],
        ),
        SignIn::HolderOpen => Told::just(
            "another wardline program has this profile open and is signed in; it was left alone".to_owned(),
        ),
        SignIn::HolderLocked => Told::just(
            "another wardline program has this profile open; its session is locked and wants the PIN"
                .to_owned(),
        ),
        SignIn::HolderAway { why } => Told::of(
            format!(
                "the wardline program that has this profile open is not connected: {}",
                say::clean_line(why)
            ),
            &["it has not noticed yet that the network is back"],
            &["wait a minute, and look again"],
        ),
        SignIn::HolderSilent => Told::of(
            "another wardline program has this profile open and does not answer; sign-in was not tried"
                .to_owned(),
            &["that program hangs or is stopped (Ctrl-Z)"],
            &["end it, and look again"],
        ),
        SignIn::SlowDown => Told::of(
            "not now: this device signed in too often in a short time".to_owned(),
            &["a script that signs in again and again"],
            &["wait two minutes, and look again"],
        ),
        SignIn::Refused { advice } => {
            Told::of(say::clean_line(advice), &["device revoked, person suspended, or ten wrong PINs"], &ASK)
        }
        SignIn::Failed { why } => {
            Told::of(format!("did not work: {}", say::clean_line(why)), &[], &["look again in a minute"])
        }
    }
}

fn socket(socket: &Socket) -> Told {
    const RELAY: [&str; 1] = ["on the box: look at the relay's state and log"];
    let path = |path: &str| say::clean_line(path);
    match socket {
        Socket::Answers { path: at } => {
            Told::just(format!("{} answers: the relay runs on this machine", path(at)))
        }
        Socket::Missing { path: at } => Told::of(
            format!("there is no {}", path(at)),
            &["the relay does not run", "the path is another one (the relay's --local)"],
            &RELAY,
        ),
        Socket::NobodyListens { path: at } => {
            Told::of(format!("nobody listens at {}", path(at)), &["the relay was killed"], &RELAY)
        }
        Socket::NotAllowed { path: at } => Told::of(
            format!("this user may not open {}", path(at)),
            &["administration on the box is another user's"],
            &["run this as the user that administers the box"],
        ),
        Socket::Closed { path: at } => Told::of(
            format!("the relay turned this user away at {}", path(at)),
            &["this user is not on the box's list"],
            &["run this as the user that administers the box"],
        ),
        Socket::Silent { path: at } => {
            Told::of(format!("{} does not answer within 5 s", path(at)), &["the relay hangs"], &RELAY)
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

fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}
