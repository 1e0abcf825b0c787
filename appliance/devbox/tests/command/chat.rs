//! `wardline chat` at a terminal, and what its other commands then say of what was read.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use wardline_devbox::process::sibling;

use super::{PATIENCE, Ward, events};

/// `wardline chat` on a terminal of its own, which `script` makes (util-linux).
struct Chat {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<String>,
    shown: String,
}

impl Chat {
    fn start(ward: &Ward, who: &str, with: &str) -> Self {
        let quoted = |path: &Path| format!("'{}'", path.display());
        let program = quoted(&sibling("wardline").unwrap());
        let command = format!("{program} --profile {} chat {with}", quoted(&ward.path(who)));
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
    fn until(&mut self, part: &str) -> String {
        let began = Instant::now();
        loop {
            if let Some(at) = self.shown.find(part) {
                let rest = self.shown.split_off(at + part.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.screen.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(more) => self.shown.push_str(&more),
                Err(RecvTimeoutError::Timeout) => panic!("{part} did not come; what came: {}", self.shown),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{part} did not come; it ended: {}", self.shown)
                }
            }
        }
    }

    fn types(&mut self, line: &str) {
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
    let began = Instant::now();
    let status = loop {
        match chat.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(began.elapsed() < PATIENCE, "it does not end: {}", chat.shown),
        }
        std::thread::yield_now();
    };
    assert!(status.success(), "{status}");
    ward.devbox.stop();
}
