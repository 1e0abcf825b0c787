//! The relay: doorways that turn bytes into inputs, one driver that turns inputs into commits, a store that keeps
//! them. It decides nothing: [`wardline_core`] does.
//!
//! This crate refuses to originate a connection to anywhere, to open the TPM, and to acknowledge what is not on disk.

pub mod alarms;
pub mod attachments;
pub mod bell;
pub mod catchup;
pub mod clock;
pub mod config;
pub mod disk;
pub mod driver;
pub mod export;
pub mod front;
pub mod hardening;
pub mod intake;
pub mod keeper;
pub mod keyring;
pub mod lane;
pub mod logging;
pub mod metrics;
pub mod nightly;
pub mod renewal;
pub mod search;
pub mod store;
#[cfg(test)]
mod testing;
pub mod watchdog;
