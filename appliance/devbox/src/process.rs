//! Child processes that do not outlive this one.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;

/// Why a part of the box is not there.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// Not built or not installed.
    #[error("{0} is not there: run `make prepare` and `cargo build --workspace`")]
    Missing(PathBuf),
    /// Could not be started.
    #[error("{name} could not be started: {source}")]
    Start {
        /// Which.
        name: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Ended when it should run.
    #[error("{name} ended with {status}; its log is {log}")]
    Ended {
        /// Which.
        name: &'static str,
        /// How.
        status: ExitStatus,
        /// Where it says why.
        log: PathBuf,
    },
    /// Runs, but does not answer.
    #[error("{name} did not answer within {seconds} s; its log is {log}")]
    Silent {
        /// Which.
        name: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// Where it may say why.
        log: PathBuf,
    },
}

/// A running program; killed when dropped.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its output in `log`. It is killed when the calling *thread* ends, however that happens
    /// (PR_SET_PDEATHSIG, prctl(2)); Ctrl-C at the terminal reaches this process alone, which stops the parts in order.
    pub fn start(
        name: &'static str,
        program: &Path,
        args: &[String],
        log: &Path,
    ) -> Result<Self, ProcessError> {
        let start = |source| ProcessError::Start { name, source };
        if program.is_absolute() && !program.exists() {
            return Err(ProcessError::Missing(program.to_owned()));
        }
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(start)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(start)?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .map_err(start)?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    /// Waits until `ready` says so; fails at once when the program ends.
    pub fn await_ready(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), ProcessError> {
        const LOOK: Duration = Duration::from_millis(10);
        let began = Instant::now();
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(ProcessError::Ended { name: self.name, status, log: self.log.clone() });
            }
            if began.elapsed() > patience {
                let seconds = patience.as_secs();
                return Err(ProcessError::Silent { name: self.name, seconds, log: self.log.clone() });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then SIGKILL when it takes longer than `patience`.
    pub fn stop(&mut self, patience: Duration) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let began = Instant::now();
        while self.ended().is_none() && began.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of this workspace, beside the running one.
pub fn sibling(name: &str) -> Result<PathBuf, ProcessError> {
    let missing = || ProcessError::Missing(PathBuf::from(name));
    let mut directory = std::env::current_exe().map_err(|_| missing())?;
    directory.pop();
    // Tests run from `deps/`.
    if directory.ends_with("deps") {
        directory.pop();
    }
    let program = directory.join(name);
    if program.exists() { Ok(program) } else { Err(ProcessError::Missing(program)) }
}
