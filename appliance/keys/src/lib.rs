//! The keeper: the only process that opens the TPM, and the only code that links libtss2.
//!
//! It holds nothing that opens without this TPM and this boot: the database key, the issuing key and the PIN pepper
//! stand under P' (see [`wardline_keys_protocol::policy::box_policy`]); leaf keys live in memory only. What it refuses:
//! to reach a network, to write a secret anywhere, to answer a process whose user it does not know, and to have a
//! second, softer way to any key. A keeper that refuses keeps running and says why.

pub mod hardening;
mod issuing;
pub mod keeper;
pub mod leaf;
mod name_key;
pub mod pin_limit;
pub mod record;

pub mod server;
pub mod store;
pub mod tpm;
