//! What the bell does to itself before it touches a key: no core dumps, no debugger, no new privileges.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Applies all of it to this process. Call before any other thread exists.
///
/// # Errors
/// Which of them the system refused.
pub fn harden() -> Result<(), Errno> {
    umask(Mode::from_bits_truncate(0o077));
    prctl::set_dumpable(false)?;
    prctl::set_no_new_privs()?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
}
