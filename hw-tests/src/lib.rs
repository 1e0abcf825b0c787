//! The tests of the appliance image: a box that can be switched on, cut off and tampered with, and the table of what it promises.
//!
//! Each row of the table is one story with a fresh box. What a row finds out, it finds out as a person would who stands
//! before the box: by its state on the serial line, by the network, by what its disk and its TPM hold afterwards.

pub mod laptop;
pub mod qemu;
mod qmp;
pub mod rows;
pub mod stick;
pub mod test_box;
