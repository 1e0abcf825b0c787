//! What the attacks share: a box of their own, two bystanders who must notice nothing, and a client without manners.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod audit;
pub(crate) mod byhand;
#[allow(clippy::unwrap_used, clippy::print_stderr, reason = "whoever keeps these books is a test")]
pub(crate) mod crowd;
pub(crate) mod pair;
pub(crate) mod raw;
#[allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]
pub(crate) mod roamer;
pub(crate) mod sweep;
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
pub(crate) mod volume;
pub(crate) mod websocket;
pub(crate) mod webtransport;
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
pub(crate) mod wifi;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;

/// A box in a directory of its own.
pub(crate) struct Fixture {
    /// The box.
    pub(crate) devbox: Devbox,
    /// Identifier and name of everybody.
    pub(crate) people: Vec<(u64, String)>,
    directory: TempDir,
}

impl Fixture {
    /// Starts a box with the demo facility's people. On the calling thread, with which its parts end.
    pub(crate) fn start(relay: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut options = Options::local(&directory.path().join("box"))?;
        options.relay = relay.iter().map(|arg| (*arg).to_owned()).collect();
        let devbox = Devbox::start(options)?;
        let people = facility::seed(&mut devbox.console()?)?;
        Ok(Self { devbox, people, directory })
    }

    /// Where everything is: `box` and the devices' profiles.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A person by first name.
    pub(crate) fn person(&self, first: &str) -> Result<u64> {
        let found = self.people.iter().find(|(_, name)| name.starts_with(first));
        Ok(found.with_context(|| format!("{first} is not in the demo facility"))?.0)
    }

    /// What a join code for this person is.
    pub(crate) fn code(&self, first: &str) -> Result<String> {
        Ok(self.devbox.console()?.join_code(self.person(first)?)?)
    }

    /// The relay's log so far.
    pub(crate) fn relay_log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.path("box/relay.log"))?)
    }

    /// One of the relay's numbers, as its metrics socket serves it.
    pub(crate) fn metric(&self, name: &str) -> Result<u64> {
        let text = metrics(&self.devbox.metrics_socket())?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no metric {name}"))?.parse()?)
    }
}

/// Says aloud that something was not tried here: to whoever reads the test's output, and to `.ci/test`, which reads this
/// file at its end, because a test that passes shows no output.
#[allow(clippy::print_stderr, reason = "a note for whoever reads the test's output")]
pub(crate) fn not_run(what: &str, why: &str) {
    eprintln!("NOT RUN: {what}: {why}");
    let notes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-run");
    let notes = fs::File::options().create(true).append(true).open(notes);
    // Who cannot leave a note has said it aloud.
    let _ = notes.and_then(|mut notes| writeln!(notes, "{what}"));
}

/// Everything the metrics socket says.
pub(crate) fn metrics(socket: &Path) -> Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Polls until it is so; fails in these words when it takes longer than `patience`.
pub(crate) async fn until(
    patience: Duration,
    what: &str,
    mut so: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let began = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        if so()? {
            return Ok(());
        }
        if began.elapsed() > patience {
            bail!("not within {} s: {what}", patience.as_secs());
        }
    }
}

/// Resident memory of a process in bytes (proc(5)).
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes * 1024)
}
