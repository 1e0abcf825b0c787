//! One whole box on this machine: a software TPM (or a chip), the keeper, the relay, each the real program in a
//! process of its own, provisioned as a box in a closet is.
//!
//! For `make run` and for tests. It refuses to be a softer variant: no key store but the TPM, no flag that the
//! released programs do not have.

pub mod console;
pub mod devbox;
pub mod facility;
pub mod process;
pub mod swtpm;
