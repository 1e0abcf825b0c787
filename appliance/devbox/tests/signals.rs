//! What ends a development box ends it in order, whenever it comes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use wardline_devbox::devbox::Options;

/// `make run`, as a process.
struct Running {
    child: Child,
    said: BufReader<ChildStdout>,
    home: TempDir,
}

impl Running {
    /// Returns once it says that it is up.
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let listen = Options::local(home.path()).unwrap().listen.to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wardline-devbox"))
            .arg("--directory")
            .arg(home.path().join("box"))
            .args(["--listen", &listen])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, said, home };
        running.until("Ctrl-C stops the box");
        running
    }

    /// Reads what it says up to a line that begins so.
    fn until(&mut self, beginning: &str) {
        let mut line = String::new();
        while !line.starts_with(beginning) {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended and never said: {beginning}");
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// The process number of one of its parts (proc(5): the parent is the fourth field of `stat`).
    fn part(&self, name: &str) -> Pid {
        let stat = |path: PathBuf| fs::read_to_string(path.join("stat")).ok();
        let parent = format!(" {} ", self.child.id());
        let of = |path: &Path| path.file_name().unwrap().to_str().unwrap().parse().ok();
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let pid = of(&path)?;
                let stat = stat(path)?;
                let (head, tail) = stat.rsplit_once(')')?;
                // The kernel keeps fifteen letters of a name.
                let ours = head.ends_with(&name[..name.len().min(15)]) && tail[2..].starts_with(&parent);
                ours.then(|| Pid::from_raw(pid))
            })
            .next()
            .unwrap()
    }

    fn ends_in_order(mut self) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success() && rest.contains("Stopped."), "{rest}");
        assert!(self.home.path().join("box").exists());
    }
}

/// A test that fails leaves no box behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn whatever_signal_ends_it_it_stops_in_order() {
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT] {
        let running = Running::start();
        kill(running.pid(), signal).unwrap();
        running.ends_in_order();
    }
}

#[test]
fn a_signal_that_comes_while_a_part_is_started_again_is_not_lost() {
    let mut running = Running::start();
    // With its TPM asleep a new keeper answers nobody, so the mending lasts until we wake it.
    let swtpm = running.part("swtpm");
    kill(swtpm, Signal::SIGSTOP).unwrap();
    kill(running.part("wardline-keeper"), Signal::SIGKILL).unwrap();
    running.until("The keeper ended");
    kill(running.pid(), Signal::SIGINT).unwrap();
    kill(swtpm, Signal::SIGCONT).unwrap();
    running.ends_in_order();
}
