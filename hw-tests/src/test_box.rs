//! A box under test: in QEMU, or on a bench with a serial line and switched power.

use std::time::Duration;

use anyhow::Result;

use crate::stick::Stick;

/// How long one boot may take. On two cores without KVM 65 s when nothing else runs, up to 258 s were seen under load.
pub const BOOT_TIME_MAX: Duration = Duration::from_secs(400);

/// What can be done to a box from outside. Every row is written against this.
pub trait TestBox {
    /// Switches it on.
    fn power_on(&mut self) -> Result<()>;
    /// Cuts its power: nothing is told, nothing is flushed.
    fn power_cut(&mut self) -> Result<()>;
    /// Waits until the serial line says this, and gives the line.
    fn await_line(&mut self, wanted: &str, within: Duration) -> Result<String>;
    /// Puts a stick in.
    fn plug(&mut self, stick: &Stick) -> Result<()>;
    /// Takes it out.
    fn unplug(&mut self) -> Result<()>;
    /// The port of this machine at which the box is reached, TCP and UDP.
    fn port(&self) -> u16;
    /// What the serial line has said since the power came.
    fn said(&self) -> String;
}
