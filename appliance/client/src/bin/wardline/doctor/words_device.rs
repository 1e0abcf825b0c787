//! What is said of this device, and of the socket on the box.

use super::finding::{Disk, Exposed, Files, Outbox, SignIn, Socket};
use super::words::{Told, span};
use crate::say;

pub(super) fn profile(files: &Files) -> Told {
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

pub(super) fn disk(disk: &Disk) -> Told {
    match *disk {
        Disk::Free { bytes } => Told::just(format!("{} free for the profile", amount(bytes))),
        Disk::Low { bytes } => Told::of(
            format!("only {} free for the profile", amount(bytes)),
            &["this machine's disk is nearly full"],
            &["make room: on a full disk no message can be kept, and none is sent"],
        ),
    }
}

pub(super) fn outbox(outbox: &Outbox) -> Told {
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

pub(super) fn sign_in(sign_in: &SignIn) -> Told {
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

pub(super) fn socket(socket: &Socket) -> Told {
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

fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}
