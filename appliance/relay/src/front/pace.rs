//! How fast files come in.
//!
//! A phone on a ward's Wi-Fi brings some megabytes a second. What comes faster, over a cable or from this very machine, is held back: taking
//! a file in costs hashing, sealing and flushing, and a box whose cores are full of it is late with what rings.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Of all files together: 16 MB a second, so that one of 20 MB takes a second and a quarter.
const NANOS_A_BYTE: u64 = 62;

/// When the next bytes may be taken.
pub(super) struct Pace(Mutex<Instant>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Until it is time for so many bytes more.
    pub(super) async fn take(&self, bytes: usize) {
        let begins = {
            let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let begins = (*next).max(Instant::now());
            *next = begins + Duration::from_nanos(bytes as u64 * NANOS_A_BYTE);
            begins
        };
        tokio::time::sleep_until(begins).await;
    }
}
