//! The relay as a service: what it says to systemd, what it makes, and that there is one of it.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use support::Fixture;
use support::byhand::ByHand;
use support::raw::PATIENCE;

/// What systemd hears, word by word.
struct Systemd {
    socket: UnixDatagram,
    heard: Vec<(Duration, String)>,
    began: Instant,
}

impl Systemd {
    fn at(path: &std::path::Path) -> Result<Self> {
        let socket = UnixDatagram::bind(path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, heard: Vec::new(), began: Instant::now() })
    }

    /// When this was said, counted so many times.
    fn hears(&mut self, word: &str, times: usize) -> Result<Duration> {
        loop {
            let said = self.heard.iter().filter(|(_, said)| said == word).nth(times - 1);
            if let Some((when, _)) = said {
                return Ok(*when);
            }
            let mut bytes = [0; 4096];
            let length = self.socket.recv(&mut bytes).with_context(|| format!("{word} was not said"))?;
            let when = self.began.elapsed();
            let words = String::from_utf8_lossy(&bytes[..length]);
            self.heard.extend(words.lines().map(|word| (when, word.to_owned())));
        }
    }
}

fn ours_alone(fixture: &Fixture) -> Result<()> {
    let mut seen = 0;
    for entry in fs::read_dir(fixture.devbox.data())? {
        let entry = entry?;
        let mode = entry.metadata()?.permissions().mode() & 0o777;
        ensure!(mode & 0o077 == 0, "{} has mode {mode:o}", entry.path().display());
        seen += 1;
    }
    ensure!(seen >= 4, "only {seen} files: the database, its log, its shared memory, the ballast");
    for socket in [fixture.devbox.local_socket(), fixture.devbox.metrics_socket()] {
        let mode = fs::metadata(&socket)?.permissions().mode() & 0o777;
        ensure!(mode == 0o660, "{} has mode {mode:o}", socket.display());
    }
    Ok(())
}

/// Started by hand beside the box's own, perhaps to see what it says.
async fn one_too_many(fixture: &Fixture) -> Result<()> {
    let before = fs::metadata(fixture.devbox.data().join("ballast"))?.modified()?;
    let log = fixture.path("second.log");
    let mut second = ByHand::start(fixture, &[], &[], &log)?;
    let status = second.ended(PATIENCE).await?;
    ensure!(!status.success(), "a second relay ended as if all were well");
    let words = fs::read_to_string(log)?;
    ensure!(words.contains("another relay works in"), "{words}");
    let after = fs::metadata(fixture.devbox.data().join("ballast"))?.modified()?;
    ensure!(before == after, "a second relay touched the ballast");
    fixture.devbox.console()?.people().context("the first one goes on")?;
    Ok(())
}

/// Ready, then alive, as often as systemd wants to hear it.
fn heard_by_systemd(fixture: &mut Fixture) -> Result<ByHand> {
    const WATCHDOG_US: u64 = 4_000_000;
    fixture.devbox.kill_relay();
    let path = fixture.path("notify");
    let mut systemd = Systemd::at(&path)?;
    let path = path.to_str().context("a path in UTF-8")?.to_owned();
    let usec = WATCHDOG_US.to_string();
    let environment = [("NOTIFY_SOCKET", path.as_str()), ("WATCHDOG_USEC", &usec)];
    let relay = ByHand::start(fixture, &[], &environment, &fixture.path("by-hand.log"))?;
    systemd.hears("READY=1", 1)?;
    let (first, fourth) = (systemd.hears("WATCHDOG=1", 1)?, systemd.hears("WATCHDOG=1", 4)?);
    let apart = (fourth - first) / 3;
    ensure!(apart < Duration::from_micros(WATCHDOG_US / 2), "a word in {apart:?}");
    ensure!(
        apart > Duration::from_micros(WATCHDOG_US / 8),
        "far more words than asked for: one in {apart:?}"
    );
    Ok(relay)
}

#[test]
fn a_relay_is_one_and_private_and_tells_systemd_that_it_lives() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut fixture = Fixture::start(&[]).expect("a box");
    ours_alone(&fixture).expect("what it makes is its user's");
    runtime.block_on(one_too_many(&fixture)).expect("a second relay stays out");
    let mut relay = heard_by_systemd(&mut fixture).expect("systemd hears it");
    assert!(relay.runs().expect("a state"), "it ended");
}
