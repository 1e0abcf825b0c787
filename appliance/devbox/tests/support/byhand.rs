//! The box's relay, started by a test in the box's place: with another environment, or as one too many.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use wardline_devbox::facility;
use wardline_devbox::process::sibling;

use super::{Fixture, until};

/// A relay; killed when dropped.
pub(crate) struct ByHand(Child);

/// A program before the relay's, which it is to become: `["unshare", "--mount"]`.
pub(crate) type Wrapper<'a> = &'a [&'a str];

impl ByHand {
    /// Starts one as the box does, on the box's store and sockets, with its output in `log`.
    pub(crate) fn start(
        fixture: &Fixture,
        wrapper: Wrapper<'_>,
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        let devbox = &fixture.devbox;
        let program = sibling("wardline-relay")?;
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        for (option, value) in [
            ("--data", devbox.data().as_path()),
            ("--keeper", &devbox.keeper_socket()),
            ("--local", &devbox.local_socket()),
            ("--metrics", &devbox.metrics_socket()),
        ] {
            command.arg(option).arg(value);
        }
        command.args(["--listen", &devbox.address().to_string(), "--zone", "admin=127.0.0.0/8"]);
        command.args(["--facility", facility::NAME, "--log", "debug", "--idle-lock", "10"]);
        command.envs(environment.iter().copied());
        let output = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self(command.spawn().context("starting a relay by hand")?))
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self, patience: Duration) -> Result<ExitStatus> {
        let mut status = None;
        until(patience, "the relay ends", || {
            status = self.0.try_wait()?;
            Ok(status.is_some())
        })
        .await?;
        status.context("it ended")
    }

    /// Whether it runs.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
