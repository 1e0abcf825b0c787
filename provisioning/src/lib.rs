//! What is done away from the box: the facility root, the certificate of a box's issuing key, and, for development,
//! the vendor's approvals. And what a box without a monitor says of itself ([`state`], [`console`]).
//!
//! Time is an argument here, but on the console, and the network does not exist. Refuses to overwrite a key file, to read one that others
//! can read, and to certify a request whose own signature is bad or whose names are unconstrained.

pub mod answers;
pub mod bundle;
pub mod chip;
pub mod commands;
pub mod console;
pub mod desk;
mod file;
pub mod record;
pub mod render;
pub mod root;
pub mod said;
pub mod signer;
pub mod state;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod vendor;

pub use file::FileError;
pub use root::{CertifyError, FacilityRoot, Names};
pub use vendor::VendorKey;
