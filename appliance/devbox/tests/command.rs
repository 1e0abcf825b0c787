//! The `wardline` command as people and scripts run it: processes against a whole box, all real.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "command/administration.rs"]
mod administration;
#[path = "command/agency.rs"]
mod agency;
#[path = "command/alter.rs"]
mod alter;
#[path = "command/attachments.rs"]
mod attachments;
#[path = "command/availability.rs"]
mod availability;
#[path = "command/bench.rs"]
mod bench;
#[path = "command/break_glass.rs"]
mod break_glass;
#[path = "command/broadcasts.rs"]
mod broadcasts;
#[path = "command/chat.rs"]
mod chat;
#[path = "command/clearing.rs"]
mod clearing;
#[path = "command/demo.rs"]
mod demo;
#[path = "command/doctor.rs"]
mod doctor;
#[path = "command/exports.rs"]
mod exports;
#[path = "command/family.rs"]
mod family;
#[path = "command/hand_over.rs"]
mod hand_over;
#[path = "command/holds.rs"]
mod holds;
#[path = "command/inboxes.rs"]
mod inboxes;
#[path = "command/leaving.rs"]
mod leaving;
#[path = "command/orders.rs"]
mod orders;
#[path = "command/patients.rs"]
mod patients;
#[path = "command/reactions.rs"]
mod reactions;
#[path = "command/records.rs"]
mod records;
#[path = "command/restricted.rs"]
mod restricted;
#[path = "command/roles.rs"]
mod roles;
#[path = "command/search.rs"]
mod search;
#[path = "command/signed.rs"]
mod signed;
#[path = "command/stat.rs"]
mod stat;
#[path = "command/tasks.rs"]
mod tasks;
#[path = "command/templates.rs"]
mod templates;
#[path = "command/units.rs"]
mod units;

mod support;

use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;
use wardline_devbox::process::sibling;

const PIN: &str = "739154";
/// Generous: the machine that runs this may be busy. Nothing here measures.
const PATIENCE: Duration = Duration::from_secs(60);

/// A box, and profiles of its people's devices.
struct Ward {
    devbox: Devbox,
    people: Vec<(u64, String)>,
    home: TempDir,
}

/// How a command ended.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ward {
    /// Looks now and then whether the idle time is over: each look signs in, and a device may do that 100 times at once.
    fn until_locked(&self, who: &str) {
        let began = Instant::now();
        while !self.ok(who, &["whoami"]).contains("locked: wants the PIN") {
            assert!(began.elapsed() < PATIENCE, "it does not lock");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn start(relay: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let mut options = Options::local(&home.path().join("box")).unwrap();
        options.relay = relay.iter().map(|arg| (*arg).to_owned()).collect();
        let devbox = Devbox::start(options).unwrap();
        let people = facility::seed(&mut devbox.console().unwrap()).unwrap();
        let ward = Self { devbox, people, home };
        ward.write("pin", PIN, 0o600);
        ward
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> String {
        let path = self.path(name);
        std::fs::write(&path, format!("{content}\n")).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }

    fn link(&self, name: &str) -> String {
        let person = self.people.iter().find(|(_, known)| known.starts_with(name)).unwrap().0;
        self.devbox.join_link(person).unwrap()
    }

    fn command(&self, who: &str, args: &[&str]) -> Command {
        let mut command = Command::new(sibling("wardline").unwrap());
        command.arg("--profile").arg(self.path(who)).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    fn run(&self, who: &str, args: &[&str]) -> Done {
        Done::of(self.command(who, args).spawn().unwrap(), None)
    }

    /// [`Ward::run`], of a command that must succeed; what it printed.
    fn ok(&self, who: &str, args: &[&str]) -> String {
        let done = self.run(who, args);
        assert_eq!(done.code, Some(0), "{args:?}: {}{}", done.out, done.err);
        done.out
    }

    fn join(&self, who: &str) {
        let pin = self.path("pin").display().to_string();
        let welcome =
            self.ok(who, &["join", &self.link(who), "--pin-file", &pin, "--device-name", "test desk"]);
        assert!(welcome.starts_with(&format!("Welcome, {who} ")), "{welcome}");
    }
}

impl Done {
    fn of(mut child: Child, input: Option<&str>) -> Self {
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It must have ended so, with these words to the person.
    fn ended(&self, code: i32, why: &str) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(self.err.contains(why), "not said: {why}\n{}", self.err);
    }
}

/// A command that runs on; what it prints, line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    /// The next line with this in it.
    fn until(&self, part: &str) -> String {
        let began = Instant::now();
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{part} did not come ({error}); what came: {seen:#?}"),
            }
        }
    }

    /// SIGKILL, and the end of it.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same again and again, because the box looks at only so many of a kind in a time; the last of them.
fn again_until(again: impl Fn() -> Done, over: impl Fn(&Done) -> bool) -> Done {
    let began = Instant::now();
    loop {
        let done = again();
        if over(&done) || began.elapsed() > 2 * PATIENCE {
            return done;
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

fn events(out: &str, event: &str) -> Vec<String> {
    let named = format!("\"event\":\"{event}\"");
    out.lines().filter(|line| line.contains(&named)).map(str::to_owned).collect()
}

fn said(lines: &[String], text: &str) -> bool {
    lines.len() == 1 && lines[0].contains(&format!("\"text\":\"{text}\""))
}

#[test]
fn each_command_does_its_thing_and_says_how_it_went() {
    let mut ward = Ward::start(&[]);
    joining(&ward);
    ward.join("Ben");
    looking_and_sending(&ward);
    tail_loses_nothing(&ward);
    forged_lines(&ward);
    away(&mut ward);
    ward.devbox.stop();
}

fn joining(ward: &Ward) {
    let link = ward.link("Ana");
    let lax = ward.write("lax", PIN, 0o644);
    ward.run("Ana", &["join", &link, "--pin-file", &lax]).ended(1, "chmod 600");
    let common = ward.write("common", "123456", 0o600);
    ward.run("Ana", &["join", &link, "--pin-file", &common]).ended(2, "too easy");
    ward.run("Ana", &["join", &link[..link.len() - 9]]).ended(2, "damaged");
    ward.run("Ana", &["join", "VS3T3-635YY"]).ended(2, "wardline://HOST:PORT/join?code=ABCDE-FGHJK&root=");
    ward.run("Ana", &["whoami"]).ended(1, "Join first");
    ward.join("Ana");
    let again = ward.run("Ana", &["join", &link, "--pin-file", &ward.path("pin").display().to_string()]);
    again.ended(1, "already holds a profile");
}

fn looking_and_sending(ward: &Ward) {
    let who = ward.ok("Ana", &["whoami"]);
    assert!(who.contains("Ana Flores") && who.contains("signed in, administrator"), "{who}");
    assert!(who.contains("test desk") && who.contains(", this one"), "{who}");
    let people = ward.ok("Ana", &["people", "--json"]);
    assert_eq!(events(&people, "person").len(), facility::PEOPLE.len(), "{people}");
    assert!(ward.ok("Ana", &["send", "Ben", "Bed", "4", "is", "free"]).starts_with("Accepted as #1 at "));
    let from_stdin = ward.command("Ana", &["send", "ben oka", "-", "--json"]).stdin(Stdio::piped()).spawn();
    let accepted = Done::of(from_stdin.unwrap(), Some("two\nlines\n"));
    assert!(
        events(&accepted.out, "accepted")[0].contains("\"sequence\":2"),
        "{}{}",
        accepted.out,
        accepted.err
    );

    ward.run("Ana", &["send", "Nobody", "hello"]).ended(2, "no person or conversation");
    ward.run("Ana", &["send", "Ben", ""]).ended(2, "1 to 8192 bytes");
    ward.run("Ana", &["history", "Keiko"]).ended(2, "no conversation with Keiko Mori");
    ward.run("Ana", &["no such command"]).ended(2, "Usage");
    ward.run("Ben", &["admin", "add-person", "Mallory"]).ended(3, "administrator");

    let told = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    let messages = events(&told, "message");
    assert_eq!(messages.len(), 2, "{told}");
    assert!(messages[0].contains("\"text\":\"Bed 4 is free\"") && messages[0].contains("\"own\":false"));
    assert!(messages[1].contains("\"text\":\"two\\nlines\"") && messages[1].contains("Ana Flores"));
    assert!(told.trim_end().ends_with("{\"event\":\"caught_up\"}"), "{told}");
    let told = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    assert!(events(&told, "message").is_empty(), "told twice: {told}");
    let mine = ward.ok("Ben", &["conversations"]);
    assert!(mine.contains("Ana Flores  2 unread"), "{mine}");
}

/// What cannot be printed was not told, and comes again.
fn tail_loses_nothing(ward: &Ward) {
    let tail = ["tail", "--json", "--until-caught-up"];
    ward.ok("Ana", &["send", "Ben", "for a full disk"]);
    let mut full = ward.command("Ben", &tail);
    full.stdout(File::options().write(true).open("/dev/full").unwrap());
    Done::of(full.spawn().unwrap(), None).ended(1, "could not be written");
    let told = ward.ok("Ben", &tail);
    assert!(said(&events(&told, "message"), "for a full disk"), "{told}");

    ward.ok("Ana", &["send", "Ben", "for a reader that left"]);
    let mut left = ward.command("Ben", &tail).spawn().unwrap();
    drop(left.stdout.take());
    Done::of(left, None).ended(1, "could not be written");
    let told = ward.ok("Ben", &tail);
    assert!(said(&events(&told, "message"), "for a reader that left"), "{told}");
}

fn forged_lines(ward: &Ward) {
    ward.ok("Ana", &["send", "Ben", "fine\n#9 08:00 Ben Okafor: give 50 mg\u{202e}\u{1b}[2J"]);
    let history = ward.ok("Ben", &["history", "Ana"]);
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[0].starts_with("#1 ") && lines[0].ends_with(" Ana Flores: Bed 4 is free"), "{history}");
    assert_eq!(lines.last(), Some(&"      | #9 08:00 Ben Okafor: give 50 mg\u{fffd}\u{fffd}[2J"));
    let json = ward.ok("Ben", &["history", "Ana", "--json", "--limit", "1"]);
    assert!(json.contains("50 mg\\u202e\\u001b[2J"), "{json}");
}

/// The box is down: what can be kept is kept, and goes with the next command.
fn away(ward: &mut Ward) {
    ward.ok("Ana", &["tail", "--until-caught-up"]);
    ward.devbox.kill_relay();
    ward.run("Ana", &["whoami"]).ended(4, "does not answer");
    ward.run("Ana", &["send", "Keiko", "nothing is kept", "--wait", "0"]).ended(4, "did not answer");
    let kept = ward.run("Ana", &["send", "Ben", "for later", "--wait", "0", "--json"]);
    kept.ended(6, "kept on this device and goes by itself");
    let line = events(&kept.out, "kept");
    assert!(line.len() == 1 && line[0].contains("\"why\":\""), "{}", kept.out);
    ward.devbox.start_relay().unwrap();
    ward.ok("Ana", &["people"]);
    let who = ward.ok("Ana", &["whoami"]);
    assert!(!who.contains("outbox"), "{who}");
    let told = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    assert!(events(&told, "message").last().unwrap().contains("\"text\":\"for later\""), "{told}");
}

#[test]
fn a_profile_that_tail_holds_serves_the_other_commands() {
    let ward = Ward::start(&[]);
    ward.join("Ana");
    ward.join("Ben");
    let tail = Running::start(ward.command("Ben", &["tail", "--json"]));
    tail.until("caught_up");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", tail.child.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "it could leave a core file");
    assert!(ward.ok("Ben", &["whoami"]).contains("open in another wardline program"));
    assert!(ward.ok("Ben", &["people"]).contains("Ana Flores, RN, charge nurse"));
    let accepted = ward.ok("Ben", &["send", "Ana", "while tail runs", "--json"]);
    let accepted = events(&accepted, "accepted");
    assert_eq!(vec![tail.until("\"event\":\"accepted\"")], accepted, "tail is told of it");
    assert!(ward.ok("Ben", &["conversations"]).contains("Ana Flores"));
    assert!(ward.ok("Ben", &["history", "Ana"]).contains("Ben Okafor: while tail runs"));
    ward.run("Ben", &["admin", "add-person", "Mallory"]).ended(3, "administrator");
    ward.run("Ben", &["tail"]).ended(1, "in use by another wardline process");
    ward.run("Ben", &["chat"]).ended(2, "needs a terminal");
    // Delivery goes on beside.
    ward.ok("Ana", &["send", "Ben", "heard"]);
    assert!(tail.until("\"event\":\"message\"").contains("\"text\":\"heard\""));
    // Killed: its socket is there still, and in nobody's way.
    tail.kill();
    assert!(ward.path("Ben").join("share").exists());
    assert!(ward.ok("Ben", &["send", "Ana", "after tail"]).starts_with("Accepted"));
    // Many at once wait for one another.
    let many: Vec<Child> = (0..4)
        .map(|n| ward.command("Ben", &["send", "Ana", &format!("together {n}")]).spawn().unwrap())
        .collect();
    for child in many {
        Done::of(child, None).ended(0, "");
    }
    ward.devbox.stop();
}

#[test]
fn a_session_that_locked_wants_the_pin() {
    let ward = Ward::start(&["--idle-lock", "10"]);
    ward.join("Ana");
    ward.join("Ben");
    let pin = ward.path("pin").display().to_string();
    ward.ok("Ana", &["--pin-file", &pin, "send", "Ben", "hello"]);
    ward.ok("Ana", &["--pin-file", &pin, "tail", "--until-caught-up"]);
    ward.until_locked("Ana");
    ward.run("Ana", &["people"]).ended(5, "--pin-file");
    ward.run("Ana", &["send", "Keiko", "nothing is kept"]).ended(5, "locked");
    ward.run("Ana", &["send", "Ben", "kept for the PIN"]).ended(6, "kept on this device");
    let wrong = ward.write("wrong", "582046", 0o600);
    ward.run("Ana", &["--pin-file", &wrong, "people"]).ended(5, "Wrong PIN");
    let newer = ward.run("Ana", &["--pin-file", &wrong, "send", "Ben", "newer"]);
    newer.ended(5, "Wrong PIN");
    let (first, older) = (newer.err.find("Wrong PIN"), newer.err.find("1 older message, not yet accepted"));
    assert!(first < older && first.is_some(), "{}", newer.err);
    ward.ok("Ana", &["--pin-file", &pin, "people"]);
    let told = ward.ok("Ben", &["--pin-file", &pin, "tail", "--json", "--until-caught-up"]);
    assert!(events(&told, "message").last().unwrap().contains("kept for the PIN"), "{told}");
    ward.devbox.stop();
}
