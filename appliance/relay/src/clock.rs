//! The process's clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wardline_core::time::{Mono, Now, Wall};

/// The process's clock. One reading for what is decided at once.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Both readings.
    pub fn now(&self) -> Now {
        let mono = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Now { mono: Mono(mono), wall: Wall(i64::try_from(wall).unwrap_or(i64::MAX)) }
    }
}
