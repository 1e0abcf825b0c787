//! What is said of the way to the box.

use std::net::{IpAddr, SocketAddr};

use super::finding::Reach;
use super::words::Told;
use crate::say;

pub(crate) fn network(reach: &Reach) -> Told {
    let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    match reach {
        Reach::Answers { at, from, interface, wireless } => Told {
            what: format!("{at} answers{}", here(*from, interface.as_deref(), *wireless)),
            ..Told::default()
        },
        Reach::Passed { at } => Told {
            what: format!("{at}, an address of the same name, does not answer: devices lose seconds on it"),
            likely: own(&["an old entry in the name service (DNS)", "IPv6 is announced and does not work"]),
            next: own(&["take the address out of the name service, or make it work"]),
        },
        Reach::PortClosed { at } => Told {
            what: format!("UDP port {} of {} is closed: nothing listens there", at.port(), at.ip()),
            likely: vec![
                "the relay on the box does not run".to_owned(),
                "the port is another one".to_owned(),
                "a firewall turns UDP away in the box's name (REJECT)".to_owned(),
            ],
            next: vec![
                "on the box: is the relay running, and what does its log say?".to_owned(),
                "compare the port with the one in a join link".to_owned(),
            ],
        },
        Reach::NoRoute { at } => Told {
            what: format!("there is no way from here to {}", at.ip()),
            likely: own(&[
                "this machine is on no network, or on the wrong one",
                "nothing has that address: the box is off, or has another one",
                "a router between here and there does not lead to the box's network",
            ]),
            next: own(&[
                "check which network this machine is on",
                "compare the address with the one in a join link",
                "is the box on, and its cable in?",
            ]),
        },
        Reach::Forbidden { at } => Told {
            what: format!("this machine's own firewall forbids UDP to port {}", at.port()),
            likely: own(&["a local firewall or security program"]),
            next: vec![format!("allow outgoing UDP to port {} on this machine", at.port())],
        },
        Reach::Silent { at, from, interface, wireless } => {
            silent(*at, *from, interface.as_deref(), *wireless)
        }
        Reach::Stalled { at } => Told {
            what: format!("{at} answers single packets, but no connection came about within 7 s"),
            likely: own(&[
                "the box is under a flood of connections",
                "a firewall lets single packets through and not what follows",
            ]),
            next: own(&["try again in a minute", "try from a machine on the box's own switch"]),
        },
        Reach::OtherVersion { at } => Told {
            what: format!("a QUIC server answers at {at}, and not of version 1: it is no box"),
            likely: own(&["the address or port is another service's"]),
            next: own(&["compare address and port with a join link"]),
        },
        Reach::OtherProtocol { at } => Told {
            what: format!("a QUIC server answers at {at}, and does not speak wardline/1: it is no box"),
            likely: own(&[
                "the port is another service's, such as a web server's",
                "the box is of a much later version",
            ]),
            next: own(&["compare address and port with a join link"]),
        },
        Reach::Busy { at } => Told {
            what: format!("the box at {at} takes no more connections just now"),
            likely: own(&["very many devices are connecting, after an outage perhaps"]),
            next: own(&["try again in a minute"]),
        },
        Reach::BrokeOff { at, why } => Told {
            what: format!("{at} broke off the connection ({})", say::clean_line(why)),
            likely: own(&["the box is being stopped or started", "another service than a box"]),
            next: own(&["try again in a minute", "on the box: look at the relay's log"]),
        },
        Reach::NoSocket { why } => Told {
            what: format!("this machine gives no network socket ({})", say::clean_line(why)),
            likely: vec![],
            next: own(&["try again; if that does not help, restart this machine"]),
        },
    }
}

fn silent(at: SocketAddr, from: Option<IpAddr>, interface: Option<&str>, wireless: bool) -> Told {
    let port = at.port();
    Told {
        what: format!("{at} does not answer{}", here(from, interface, wireless)),
        likely: vec![
            format!("a firewall on the way drops UDP port {port}; web access alone does not need UDP"),
            "this machine is on the guest Wi-Fi, which keeps its devices apart".to_owned(),
            "the box is off, or has another address".to_owned(),
            "the port is another one".to_owned(),
        ],
        next: vec![
            "compare address and port with a join link".to_owned(),
            "run this on a machine on the box's own switch: if it works there, it is a firewall".to_owned(),
            format!("allow UDP to port {port} of {}, and its answers back", at.ip()),
        ],
    }
}

/// Where this machine stands on the way there.
fn here(from: Option<IpAddr>, interface: Option<&str>, wireless: bool) -> String {
    let Some(from) = from else { return String::new() };
    let on = match (interface, wireless) {
        (Some(name), true) => format!(" on {} (Wi-Fi)", say::clean_line(name)),
        (Some(name), false) => format!(" on {}", say::clean_line(name)),
        (None, _) => String::new(),
    };
    format!("; this machine is {from}{on}")
}
