//! What other processes may say to the keeper, and the TPM policy arithmetic that signers and the keeper share.
//!
//! - [`message`]: the requests, the replies, and why the keeper refuses; [`state`]: the states it can be in.
//! - [`frame`]: how they travel: a length, then CBOR, over a Unix stream socket.
//! - [`client`]: the blocking client that the relay and the provisioning tool use.
//! - [`policy`]: TPM 2.0 policy digests and Names, computed without a TPM.
//! - [`approval`]: what the vendor signs: approvals of an image and revocation tickets.
//! - [`public`], [`credential`], [`quote`]: what a computer without a TPM can know of a box's, and wrap to it.
//!
//! This crate refuses to link a TPM library, to open a network socket, to read a clock and to hold a key longer than
//! its caller does. Bytes from the other end are foreign here: decoders bound every length before they allocate.

pub mod approval;
pub mod client;
pub mod credential;
pub mod frame;
mod lists;
mod marshal;
pub mod message;
pub mod name_key;
pub mod names;
pub mod policy;
pub mod public;
pub mod quote;
mod secret;
pub mod state;
#[cfg(test)]
mod testing;

pub use client::{ClientError, KeeperClient};
pub use credential::{WrappedCredential, make_credential};
pub use message::{ChainFault, Identity, Leaf, Leaves, Provision, Quote, Refusal, Reply, Request, Status};
pub use name_key::{NameKey, WrappedKey};
pub use names::{CheckedNames, FacilityNames};
pub use public::{AttestationPublic, EndorsementPublic};
pub use quote::VerifiedQuote;
pub use secret::{CREDENTIAL_MAX, Credential, DatabaseKey, KEY_DER_MAX, KeyDer, PinInput, PinMac};
pub use state::{Blob, Index, KeeperState};
