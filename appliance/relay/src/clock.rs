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
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = ahead_ms();
        let ms = |time: std::time::Duration| {
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX).saturating_add(ahead)
        };
        Now {
            mono: Mono(ms(self.started.elapsed())),
            wall: Wall(i64::try_from(ms(wall)).unwrap_or(i64::MAX)),
        }
    }
}

/// What is decided here goes by the machine's clocks alone.
#[cfg(not(debug_assertions))]
fn ahead_ms() -> u64 {
    0
}

/// For a shift of eight hours that a test drives through browsers: by how many milliseconds both clocks are ahead, as the file says that
/// `WARDLINE_CLOCK` names. A release has no such path.
#[cfg(debug_assertions)]
fn ahead_ms() -> u64 {
    static FILE: std::sync::OnceLock<Option<std::ffi::OsString>> = std::sync::OnceLock::new();
    let Some(file) = FILE.get_or_init(|| std::env::var_os("WARDLINE_CLOCK")) else { return 0 };
    std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
