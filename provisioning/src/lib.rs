//! What is done away from the box: the facility root, the certificate of a box's issuing key, and, for development,
//! the vendor's approvals.
//!
//! Time is an argument here and the network does not exist. Refuses to overwrite a key file, to read one that others
//! can read, and to certify a request whose own signature is bad or whose names are unconstrained.

mod file;
pub mod root;
pub mod vendor;

pub use file::FileError;
pub use root::{CertifyError, FacilityRoot, Names};
pub use vendor::VendorKey;
