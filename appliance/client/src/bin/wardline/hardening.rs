//! What keeps PINs, keys and messages of this process off the disk and from other processes of the same user.

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

use crate::exit::Failure;

/// No core file is ever written, and no other process of this user reads the memory (PR_SET_DUMPABLE, prctl(2)).
pub(crate) fn no_core_files() -> Result<(), Failure> {
    let forbidden = setrlimit(Resource::RLIMIT_CORE, 0, 0).and_then(|()| prctl::set_dumpable(false));
    forbidden.map_err(|errno| Failure::Machine(format!("Core files cannot be forbidden here: {errno}.")))
}
