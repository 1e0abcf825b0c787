//! One whole box on this machine: a software TPM (or a chip), the keeper, the relay, each the real program in a
//! process of its own, provisioned as a box in a closet is.
//!
//! For `make run` and for tests. It has no key store but the TPM and no flag that the released programs do not have.
//! Softer than an appliance in three ways, which is why it is never shipped: memory need not be lockable, everything
//! runs under one user with both of the keeper's roles, and the facility root lies beside the box.

pub mod console;
pub mod devbox;
pub mod facility;
pub mod place;
pub mod process;
pub mod swtpm;
