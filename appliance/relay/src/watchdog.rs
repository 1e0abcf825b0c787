//! Telling systemd that the driver's loop goes round (`WatchdogSec=`, systemd.service(5)). A loop that hangs, in a commit
//! on a dying disk for one, answers nobody and ends by itself never: so systemd ends it.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// A word a fraction of the time that systemd waits for one. The loop goes round at least once a second, so three words
/// fit into a `WatchdogSec=` of 5 s or more.
pub struct Watchdog {
    /// `None` when nobody asked.
    every: Option<Duration>,
    last: Option<Instant>,
}

impl Watchdog {
    /// As systemd asked in this process's environment.
    #[must_use]
    pub fn asked_for() -> Self {
        Self { every: sd_notify::watchdog_enabled().map(|limit| limit / 4), last: None }
    }

    /// Nobody asked.
    #[must_use]
    pub fn none() -> Self {
        Self { every: None, last: None }
    }

    /// The loop has gone round.
    pub fn alive(&mut self) {
        let Some(every) = self.every else { return };
        if self.last.is_none_or(|last| last.elapsed() >= every) {
            self.last = Some(Instant::now());
            // A word that is lost is followed by another.
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
