//! What is said of the box itself: whose it is, its dates, its clock.

use super::finding::{Clock, Dates, Greeted, Identity};
use super::words::{Told, span};
use crate::say;

pub(super) fn certificate(identity: &Identity) -> Told {
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

pub(super) fn dates(dates: &Dates) -> Told {
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

pub(super) fn clock(clock: &Clock) -> Told {
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

pub(super) fn the_box(greeted: &Greeted) -> Told {
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
