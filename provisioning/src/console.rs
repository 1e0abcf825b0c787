//! The console of a box: watches keeper, relay and disk, and says the state on the screen and the serial line.
//!
//! Refuses to read a key: whoever stands before the box can do nothing here. It looks every two seconds, and writes when
//! the state changes and once a minute, so that a monitor that is plugged in later shows it too.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::libc::{O_NOCTTY, O_NONBLOCK};
use wardline_keys_protocol::KeeperClient;

use crate::said::Said;
use crate::state::{BoxState, Facts};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// A page that nobody asked for is written again after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// How long the relay may take to answer one look.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// Below this the relay does not open its store (`OPEN_MIN` of the relay): 4 MiB.
const ROOM_MIN_BYTES: u64 = 4 * 1024 * 1024;
/// Of what is to be shown: four lines of at most 70 bytes.
const SAID_BYTES_MAX: u64 = 512;

/// Where things are on this box.
#[derive(Clone, Debug)]
pub struct Places {
    /// The keeper's socket.
    pub keeper: PathBuf,
    /// The relay's metrics socket.
    pub relay: PathBuf,
    /// The configuration that is in force, where there is one.
    pub configuration: PathBuf,
    /// What the process that takes configurations has to show.
    pub said: PathBuf,
    /// A directory on the state volume.
    pub state: PathBuf,
    /// Terminals to write to. One that is not there is left out.
    pub terminals: Vec<PathBuf>,
}

/// Watches until the process ends. `each` is told after every look, for whoever counts them.
pub fn watch(places: &Places, mut each: impl FnMut(&BoxState)) -> ! {
    let mut changed = Instant::now();
    let mut last: Option<Facts> = None;
    let mut written: Option<(String, Instant)> = None;
    loop {
        let said = said(&places.said);
        let mut facts = look(places, &said);
        let is_new = last.as_ref().is_none_or(|before| Facts { unchanged_ms: 0, ..before.clone() } != facts);
        if is_new {
            changed = Instant::now();
        }
        facts.unchanged_ms = u64::try_from(changed.elapsed().as_millis()).unwrap_or(u64::MAX);
        let state = BoxState::of(&facts);
        let page = page(&state, &said);
        let is_due = written.as_ref().is_none_or(|(shown, at)| *shown != page || at.elapsed() >= AGAIN);
        if is_due {
            for terminal in &places.terminals {
                // A terminal that takes nothing is its own loss.
                let _ = write(terminal, &page);
            }
            written = Some((page, Instant::now()));
        }
        each(&state);
        last = Some(facts);
        std::thread::sleep(EVERY);
    }
}

/// What is to be shown; nothing where the file is not there or is none of ours.
fn said(path: &Path) -> Said {
    let text = File::open(path).and_then(|file| std::io::read_to_string(file.take(SAID_BYTES_MAX)));
    Said::parse(&text.unwrap_or_default())
}

fn look(places: &Places, said: &Said) -> Facts {
    let keeper = KeeperClient::connect(&places.keeper)
        .and_then(|mut keeper| keeper.status())
        .map(|status| status.state);
    Facts {
        keeper: keeper.ok(),
        configured: places.configuration.exists(),
        serving: answers(&places.relay).unwrap_or(false),
        full: room(&places.state).is_some_and(|room| room < ROOM_MIN_BYTES),
        bad: said.bad,
        unchanged_ms: 0,
    }
}

/// Whether the relay gives out its numbers; which, is nobody's business here.
fn answers(socket: &Path) -> std::io::Result<bool> {
    let mut relay = UnixStream::connect(socket)?;
    relay.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    relay.set_write_timeout(Some(ANSWER_TIME_MAX))?;
    relay.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut head = [0; 12];
    relay.read_exact(&mut head)?;
    Ok(head == *b"HTTP/1.0 200")
}

fn room(directory: &Path) -> Option<u64> {
    let volume = nix::sys::statvfs::statvfs(directory).ok()?;
    Some(volume.blocks_available().saturating_mul(volume.fragment_size()))
}

/// One page of 80 columns. `STATE`, `WORDS` and `CODE` stand at a line's beginning, for who reads a serial line by program.
fn page(state: &BoxState, said: &Said) -> String {
    let mut page =
        format!("\x1b[2J\x1b[H\r\nWardline {}\r\n\r\nSTATE {state}\r\n\r\n", env!("CARGO_PKG_VERSION"));
    for line in state.words() {
        page.push_str(line);
        page.push_str("\r\n");
    }
    // A box that belongs to somebody is known to them: the words are for the first time, and for a stick that was not taken.
    if let (BoxState::Enrol | BoxState::BadBundle(_), Some(id)) = (state, &said.box_id) {
        page.push_str("\r\nThese eight words must be those that wardline-provision shows:\r\n\r\n");
        for words in id.words().chunks(4) {
            page.push_str(&format!("WORDS {}\r\n", words.join(" ")));
        }
    }
    if let (BoxState::Ready, Some(code)) = (state, &said.code) {
        page.push_str("\r\nNo administrator has joined yet. The join code of the first one:\r\n\r\n");
        page.push_str(&format!("CODE {code}\r\n"));
    }
    if said.is_stick_done {
        page.push_str("\r\nSTICK DONE: it may be taken out.\r\n");
    }
    page
}

/// A serial line without anybody at its end may hold up whoever writes: what does not fit at once is left out.
fn write(terminal: &Path, page: &str) -> std::io::Result<()> {
    let mut terminal = OpenOptions::new().write(true).custom_flags(O_NOCTTY | O_NONBLOCK).open(terminal)?;
    terminal.write_all(page.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_code_at_a_lines_beginning_and_fits_the_screen() {
        let said = Said {
            box_id: Some(crate::bundle::BoxId([0x7F; 32])),
            bad: Some(15),
            code: crate::said::Code::new("ABCDE12345"),
            is_stick_done: true,
        };
        for (state, line) in [
            (BoxState::FirmwareChanged(vec![7]), "STATE FIRMWARE CHANGED 07"),
            (BoxState::BadBundle(15), "STATE BAD BUNDLE 15"),
            (BoxState::Enrol, "WORDS legal winner thank year"),
            (BoxState::Ready, "CODE ABCDE-12345"),
        ] {
            let page = page(&state, &said);
            assert!(page.contains(&format!("\r\n{line}\r\n")), "{page}");
            assert!(page.lines().count() <= 24 && page.lines().all(|line| line.len() <= 80));
        }
        assert!(!page(&BoxState::Working, &said).contains("ABCDE"));
    }

    #[test]
    fn a_relay_that_is_not_there_does_not_serve() {
        assert!(!answers(Path::new("/nonexistent/metrics")).unwrap_or(false));
    }
}
