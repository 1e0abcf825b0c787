//! What keeps this process's memory off the disk, and the process to its own files and its own port (Landlock, landlock(7)).
//!
//! Landlock is as much as the kernel has: the log says which it was. It says nothing of UDP; there and for what the box as a whole may
//! send, the firewall stands.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// What of Landlock is asked for: Linux 6.12, which the image has. An older kernel gives what it knows.
const LANDLOCK: ABI = ABI::V6;

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

/// From here on this thread, and each that it makes, opens only files below `data`, makes sockets only in `sockets`, takes no TCP port
/// but `port` (0: any, for tests), connects to none, and signals nobody outside. What is open stays open. Call before the runtime makes
/// its threads; directories that are not there get no rule.
///
/// # Errors
/// When the kernel has Landlock and refuses the rules. A kernel without it is no error: the answer says how much was had.
pub fn confine(data: &Path, sockets: &[&Path], port: u16) -> Result<RulesetStatus, RulesetError> {
    let files = AccessFs::from_all(LANDLOCK);
    let own = files & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let rules = Ruleset::default()
        .handle_access(files)?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules([data], own))?
        .add_rules(path_beneath_rules(
            sockets,
            AccessFs::MakeSock | AccessFs::RemoveFile | AccessFs::ReadDir,
        ))?
        // libcrypto's settings, and the device that SQLite takes its first randomness from.
        .add_rules(path_beneath_rules(["/etc/ssl", "/usr/lib/ssl", "/dev/urandom"], read))?
        .add_rule(NetPort::new(port, AccessNet::BindTcp))?;
    // A relay built for debugging may be told of an app's folder and of another clock, which it reads when it likes.
    #[cfg(debug_assertions)]
    let rules = {
        let told = ["WARDLINE_APP", "WARDLINE_CLOCK"].into_iter().filter_map(std::env::var_os);
        rules.add_rules(path_beneath_rules(told, read))?
    };
    Ok(rules.restrict_self()?.ruleset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

    use std::fs;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_confined_thread_has_its_own_directories_and_calls_nobody() {
        let home = tempfile::tempdir().unwrap();
        let (data, sockets, other) =
            (home.path().join("data"), home.path().join("sockets"), home.path().join("other"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&sockets).unwrap();
        fs::write(&other, b"not the relay's").unwrap();
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Only the thread that asks is confined, so the other tests are not.
        std::thread::spawn(move || {
            let status = confine(&data, &[&sockets], free.port()).unwrap();
            if status == RulesetStatus::NotEnforced {
                // This kernel has no Landlock.
                return;
            }
            fs::create_dir(data.join("attachments")).unwrap();
            fs::write(data.join("new"), b"1").unwrap();
            fs::rename(data.join("new"), data.join("attachments/file")).unwrap();
            assert_eq!(fs::read(data.join("attachments/file")).unwrap(), b"1");
            drop(UnixListener::bind(sockets.join("local")).unwrap());
            fs::remove_file(sockets.join("local")).unwrap();
            drop(TcpListener::bind(free).unwrap());

            let denied = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            denied(fs::read(&other).unwrap_err());
            denied(fs::write(sockets.join("file"), b"").unwrap_err());
            denied(fs::read_dir("/proc").unwrap_err());
            denied(TcpStream::connect(elsewhere.local_addr().unwrap()).unwrap_err());
            denied(TcpListener::bind("127.0.0.1:0").unwrap_err());
        })
        .join()
        .unwrap();
    }
}
