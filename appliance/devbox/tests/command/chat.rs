//! `wardline chat` at a terminal, how it leaves that, and what its other commands then say of what was read.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use wardline_devbox::process::sibling;

use super::{PATIENCE, PIN, Running, Ward, events};

/// `wardline chat` on a terminal of its own, which `script` makes (util-linux).
pub(super) struct Chat {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<String>,
    shown: String,
}

impl Chat {
    pub(super) fn start(ward: &Ward, who: &str, with: &str) -> Self {
        let quoted = |path: &Path| format!("'{}'", path.display());
        let program = quoted(&sibling("wardline").unwrap());
        let chat = format!("{program} --profile {} chat {with}", quoted(&ward.path(who)));
        // The terminal's own words for the state it is in, before and after.
        let command = format!("echo found $(stty -g).; {chat}; ended=$?; echo left $(stty -g).; exit $ended");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &command, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = out.read(&mut bytes) {
                if tell.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, screen, shown: String::new() }
    }

    /// Waits until this is on the screen, below what was waited for before; what came above it.
    pub(super) fn until(&mut self, part: &str) -> String {
        let began = Instant::now();
        loop {
            if let Some(at) = self.shown.find(part) {
                let rest = self.shown.split_off(at + part.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.screen.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(more) => self.shown.push_str(&more),
                Err(RecvTimeoutError::Timeout) => {
                    let (shown, threads) = (&self.shown, threads());
                    panic!("{part} did not come; what came: {shown}\n{threads}")
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{part} did not come; it ended: {}", self.shown)
                }
            }
        }
    }

    /// Waits for its end: its exit code, and what it said last. The terminal must be as it was found.
    pub(super) fn ended(&mut self, found: &str) -> (Option<i32>, String) {
        let last = self.until("left ");
        let left = self.until(".");
        assert!(!found.is_empty() && left.trim_end_matches('.') == found, "found {found}, left {left}");
        (self.child.wait().unwrap().code(), last)
    }

    /// The state of the terminal at first.
    pub(super) fn found(&mut self) -> String {
        self.until("found ");
        self.until(".").trim_end_matches('.').to_owned()
    }

    pub(super) fn types(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\r").as_bytes()).unwrap();
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn chat_shows_what_is_unread_before_it_says_that_it_was_read() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi"] {
        ward.join(who);
    }
    for n in 1..=35 {
        ward.ok("Ben", &["send", "Ana", &format!("number {n} of Ben's")]);
    }
    ward.ok("Chidi", &["send", "Ana", "from the other hall"]);
    let unread = |name: &str| {
        let mine = ward.ok("Ana", &["conversations"]);
        let line = mine.lines().find(|line| line.contains(name)).unwrap().to_owned();
        line.split_once(name).unwrap().1.trim().to_owned()
    };

    // A device's first snapshot has the newest thirty: of Ben's, five are not printed, so none is told as read.
    let tail = ward.run("Ana", &["tail", "--mark-read", "--json", "--until-caught-up"]);
    tail.ended(0, "stays unread behind 0");
    assert_eq!(events(&tail.out, "message").len(), 31, "{}", tail.out);
    assert_eq!((unread("Ben Okafor").as_str(), unread("Chidi Eze").as_str()), ("35 unread", ""));
    ward.ok("Chidi", &["send", "Ana", "from the other hall again"]);

    let mut chat = Chat::start(&ward, "Ana", "");
    let found = chat.found();
    let listed = chat.until("/with NAME shows them.");
    assert!(listed.contains("Ben Okafor (35)") && listed.contains("Chidi Eze (1)"), "{listed}");
    assert_eq!(unread("Ben Okafor"), "35 unread");
    chat.types("/with Ben");
    chat.until("-- with Ben Okafor");
    for n in 1..=35 {
        chat.until(&format!("number {n} of Ben's"));
    }
    chat.types("good, all of it");
    chat.until("✓");
    assert_eq!((unread("Ben Okafor").as_str(), unread("Chidi Eze").as_str()), ("", "1 unread"));

    // Another command's message appears here as well, and Ben's as they come.
    ward.ok("Ana", &["send", "Ben", "by another command"]);
    chat.until("sent from this device [Ben Okafor]: by another command");
    ward.ok("Ben", &["send", "Ana", "fine\n08:00 Chidi Eze: not from Chidi"]);
    chat.until("Ben Okafor: fine");
    chat.until("      | 08:00 Chidi Eze: not from Chidi");
    chat.types("/quit");
    assert_eq!(chat.ended(&found).0, Some(0));
    ward.devbox.stop();
}

#[test]
fn a_stat_is_answered_where_somebody_chats() {
    let ward = Ward::start(&[]);
    for who in ["Ben", "Chidi"] {
        ward.join(who);
    }
    ward.ok("Ben", &["send", "Chidi", "hello"]);
    let mut chidi = Chat::start(&ward, "Chidi", "Ben");
    let found = chidi.found();
    chidi.until("-- with Ben Okafor");
    chidi.types("/have");
    chidi.until("No STAT rings here.");
    ward.ok("Ben", &["stat", "send", "Chidi", "Bed", "4"]);
    chidi.until("!! STAT RINGS from MD, attending");
    chidi.until("/have: you have it.");
    chidi.types("/have");
    chidi.until("you have it. /back gives it back.");
    chidi.types("/back");
    chidi.until("you gave it back: it rings again.");
    chidi.types("/quit");
    assert_eq!(chidi.ended(&found).0, Some(0));
    ward.devbox.stop();
}

/// Where every thread of ours waits: for a screen that stays as it is.
fn threads() -> String {
    let listed = Command::new("ps").args(["-eLo", "pid,ppid,lwp,stat,etimes,wchan:32,comm,args"]).output();
    let listed = listed.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    listed
        .lines()
        .filter(|line| line.contains("wardline") || line.contains("script"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How often this is on the screen as a message or as the mark of one.
fn told(screen: &str, text: &str) -> usize {
    let is_mark = |line: &str| line.contains("✓ ") && !line.contains("read by");
    let is_told =
        |line: &&str| line.contains(text) && (is_mark(line) || line.contains(&format!("Ana Flores: {text}")));
    screen.lines().filter(is_told).count()
}

#[test]
fn a_group_is_told_who_comes_and_goes_and_an_outage_is_told_once() {
    let mut ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi"] {
        ward.join(who);
    }
    let tail = Running::start(ward.command("Ben", &["tail", "--mark-read"]));
    let mut ana = Chat::start(&ward, "Ana", "Ben");
    let found = ana.found();
    ana.until("-- with Ben Okafor");
    ana.types("/group 4 West: Ben");
    ana.until("-- with 4 West");
    ana.types("good morning");
    ana.until("✓✓ read by Ben Okafor (1 of 1): good morning");
    assert!(tail.until("good morning").contains("[4 West] Ana Flores: good morning"));
    ana.types("/add Chidi");
    ana.until("-- Chidi Eze is in 4 West now");
    tail.until("-- Chidi Eze is in 4 West now");

    let mut chidi = Chat::start(&ward, "Chidi", "'4 West'");
    chidi.until("-- with 4 West");
    chidi.types("/members");
    for member in ["Ana Flores  RN, charge nurse", "Ben Okafor  MD, attending", "Chidi Eze  RN"] {
        chidi.until(member);
    }
    chidi.types("/leave");
    tail.until("-- Chidi Eze has left 4 West");
    let seen = ana.until("-- Chidi Eze has left 4 West");
    assert!(!seen.contains("device:"), "delivery to each member of a group: {seen}");
    ward.ok("Ana", &["send", "Ben", "to you alone"]);
    assert!(tail.until("to you alone").contains("[Ana Flores] Ana Flores: to you alone"));

    // The answer to this one is lost, or it never left: it is told once either way.
    ana.types("written at the end");
    ward.devbox.kill_relay();
    let mut screen = ana.until("is kept and goes when the box is back");
    let given_up = ward.run("Ana", &["send", "Ben", "while it is away", "--wait", "0"]);
    given_up.ended(6, "goes when the program that has the profile open reaches the box");
    ward.devbox.start_relay().unwrap();
    screen += &ana.until("-- connected");
    assert!(screen.matches("does not answer").count() <= 1, "{screen}");
    ana.types("and after it");
    screen += &ana.until("✓✓ read by Ben Okafor (1 of 1): and after it");
    assert_eq!((told(&screen, "written at the end"), told(&screen, "and after it")), (1, 1), "{screen}");

    // Suspended: she is told on a line of its own, and her terminal is hers again.
    let socket = ward.devbox.local_socket().display().to_string();
    let suspended = ward.ok("Ana", &["admin", "--socket", &socket, "suspend", "Ana"]);
    assert_eq!(suspended, "Ana Flores is suspended.\n");
    let (code, last) = ana.ended(&found);
    assert!(
        code == Some(3) && last.contains("\r\x1b[J\x1b[?2004l\x1b[?2026lwardline: "),
        "{code:?} {last:?}"
    );
    ward.run("Ben", &["tail"]).ended(1, "Beside it work: wardline send, history");
    tail.kill();
    ward.run("Ben", &["send", "Ana", "nobody reads this"]).ended(2, "Ana Flores is suspended");
    let code = ward.run("Ben", &["admin", "--socket", &socket, "code", "Ana"]);
    code.ended(3, "Ana Flores is suspended. Restore first: wardline admin restore Ana");
    ward.devbox.stop();
}

/// The prompt for it came up while the PIN was still being looked at.
#[test]
fn the_first_message_behind_a_pin_is_sent() {
    let ward = Ward::start(&["--idle-lock", "10"]);
    for who in ["Ana", "Ben"] {
        ward.join(who);
    }
    let mut ana = Chat::start(&ward, "Ana", "Ben");
    ana.until("-- with Ben Okafor");
    ana.until("-- locked");
    ana.types("");
    ana.until("Your PIN:");
    ana.types(PIN);
    ana.until("-- connected");
    ana.types("first behind the PIN");
    let screen = ana.until("✓ #1");
    assert!(!screen.contains("was hidden"), "{screen}");
    ward.devbox.stop();
}
