//! What keeps this process's memory off the disk.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Lock pages as they are touched (mlockall(2)): locking all that is mapped would take every thread's whole stack.
const ON_FAULT: MlockAllFlags = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);

/// Whatever this process makes, only its own user may read; the sockets are opened to the group by name.
pub fn for_this_user_alone() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// No core file ever holds a key or a message, and no other process of this user reads them (PR_SET_DUMPABLE, prctl(2)).
pub fn no_core_files() -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_dumpable(false)
}

/// Locks memory where that is allowed without a limit: under one, growing beyond it would end the process. The image
/// allows it; where a development machine does not, this says so if there is swap at all.
pub fn no_swap() {
    // Only root may raise its own hard limit; all others keep theirs.
    let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
    let allowed = getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(_, hard)| hard == RLIM_INFINITY);
    if allowed {
        let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
        let all = MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | ON_FAULT;
        if mlockall(all).is_ok() {
            return;
        }
    }
    // A line of headings, then one for each device (proc(5)).
    let swaps = std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1);
    if swaps {
        tracing::warn!("memory is not locked and this machine swaps: messages and keys may reach its disk");
    }
}
