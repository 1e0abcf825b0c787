//! The `.wlb` bundle: what is carried between a laptop and a box on a stick, and how each end comes to trust it.
//!
//! `docs/protocol/bundle.md` has the format and its order of checks; `vectors/bundle.json` has it as bytes. [`Unverified`] is
//! where a file comes in: [`checked`] leads on to a configuration, [`request`] and [`receipt`] to what a box writes.
//!
//! Pure: bytes come in, values go out. No file, no clock, no randomness, no chip: what a chip made is judged by whoever
//! implements [`quote::Attestation`]. Refuses archives, paths, expiry dates, and a second spelling of anything.

pub mod checked;
pub(crate) mod codec;
pub mod configuration;
pub mod fault;
pub mod frame;
pub mod identity;
pub mod network;
pub mod quote;
pub mod receipt;
pub mod request;
pub mod secrets;
pub mod values;

pub use checked::{Addressed, Draft, InTurn, Signed, Standing, Trust, Unverified, Verified};
pub use codec::{Blob, List, NoList};
pub use configuration::Configuration;
pub use fault::{Code, Fault};
pub use frame::{FILE_MAX, Kind};
pub use identity::{BoxId, Identity, Nonce, Sha256, SignerKey};
pub use quote::{Attestation, NotProven, Quote};
pub use receipt::{Image, Receipt, Sent, VerifiedReceipt};
pub use request::{Request, Unquoted, VerifiedRequest};
pub use values::BadValue;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_tests;
