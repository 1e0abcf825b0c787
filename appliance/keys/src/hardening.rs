//! What the keeper does to itself before it touches a key: no core dumps, no debugger, no swap, no new privileges; and once it has
//! its socket, no files but its own and the TPM (Landlock, landlock(7)).
//!
//! Refuses to go on when one of these cannot be had; only memory locking can be waived, and only by a flag that says
//! so in development. Landlock is as much as the kernel has: the log says which it was.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Memory that the keeper asks to lock: 20 MB of code and libraries, 17 stacks of 256 KiB (4.3 MB), 16 connections'
/// buffers of two frames (2 MB), PIN buckets (2.5 MB), the rest small. A limit of 64 MB is twice that.
pub const LOCKED_BYTES_WANTED: u64 = 64 * 1024 * 1024;

use crate::tpm::TpmAddress;

/// What of Landlock is asked for: Linux 6.12, which the image has. An older kernel gives what it knows.
const LANDLOCK: ABI = ABI::V6;

/// Why the process could not be hardened.
#[derive(Debug, thiserror::Error)]
pub enum HardeningError {
    /// Memory could not be locked.
    #[error(
        "memory cannot be locked, so keys could reach the swap device: set LimitMEMLOCK=64M in the unit file \
         (or `ulimit -l 65536`); in development only, pass --allow-unlocked-memory"
    )]
    Lock(#[source] Errno),
    /// Another of the settings.
    #[error("the process cannot be protected ({0})")]
    Setting(&'static str, #[source] Errno),
    /// The kernel has Landlock and did not take the rules.
    #[error("the keeper cannot be confined to its own files")]
    Confine(#[from] RulesetError),
}

/// Applies all of it to this process. Call before any other thread exists.
///
/// # Errors
/// See [`HardeningError`].
pub fn harden(lock_memory: bool) -> Result<(), HardeningError> {
    umask(Mode::from_bits_truncate(0o077));
    prctl::set_dumpable(false).map_err(|e| HardeningError::Setting("no core dumps", e))?;
    prctl::set_no_new_privs().map_err(|e| HardeningError::Setting("no new privileges", e))?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(|e| HardeningError::Setting("core size 0", e))?;
    if lock_memory {
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_MEMLOCK)
            && soft < hard
        {
            // Best effort: if it fails, mlockall says so.
            let _ = setrlimit(Resource::RLIMIT_MEMLOCK, hard, hard);
        }
        mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE).map_err(HardeningError::Lock)?;
    }
    Ok(())
}

/// From here on this thread, and each that it makes, opens only files below `state`, the TPM, and what libcrypto reads; reaches no
/// TCP port (of a software TPM its two); signals nobody outside. What is open stays open. Call after the socket is bound and before
/// the first thread.
///
/// # Errors
/// [`HardeningError::Confine`] when the kernel has Landlock and refuses the rules. A kernel without it is no error: the answer says
/// how much was had.
pub fn confine(state: &Path, tpm: &TpmAddress) -> Result<RulesetStatus, HardeningError> {
    let files = AccessFs::from_all(LANDLOCK);
    let own = files & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules = Ruleset::default()
        .handle_access(files)?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules([state], own))?
        // Its settings, when libcrypto begins; a file that is there and cannot be read is an error to it.
        .add_rules(path_beneath_rules(["/etc/ssl", "/usr/lib/ssl"], read))?;
    rules = match tpm {
        TpmAddress::Device(path) => {
            let device = Path::new(path);
            // A TPM that is not there yet may come; which devices this process may have at all, the unit says.
            let place = if device.exists() { device } else { device.parent().unwrap_or(device) };
            let access = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
            rules.add_rules(path_beneath_rules([place], access))?
        }
        // Data, and control on the next port; the name is looked up.
        TpmAddress::Swtpm { port, .. } => rules
            .add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?
            .add_rule(NetPort::new(port.saturating_add(1), AccessNet::ConnectTcp))?
            .add_rules(path_beneath_rules(["/etc"], read))?,
    };
    Ok(rules.restrict_self()?.ruleset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

    use std::fs;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_confined_thread_has_its_own_directory_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (state, other) = (home.path().join("state"), home.path().join("other"));
        fs::create_dir(&state).unwrap();
        fs::write(&other, b"not the keeper's").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let elsewhere = listener.local_addr().unwrap();
        let swtpm = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = TpmAddress::Swtpm { host: "127.0.0.1".into(), port: swtpm.port() };
        // Only the thread that asks is confined, so the other tests are not.
        std::thread::spawn(move || {
            let status = confine(&state, &address).unwrap();
            if status == RulesetStatus::NotEnforced {
                // This kernel has no Landlock.
                return;
            }
            let staging = state.join("staging");
            fs::create_dir(&staging).unwrap();
            fs::write(staging.join("new"), b"1").unwrap();
            fs::rename(staging.join("new"), state.join("key")).unwrap();
            fs::remove_dir(&staging).unwrap();
            assert_eq!(fs::read(state.join("key")).unwrap(), b"1");

            let denied = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            denied(fs::read(&other).unwrap_err());
            denied(fs::write(other.with_extension("new"), b"").unwrap_err());
            denied(fs::read_dir("/proc").unwrap_err());
            denied(TcpStream::connect(elsewhere).unwrap_err());
            assert_eq!(TcpStream::connect(swtpm).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        })
        .join()
        .unwrap();
    }
}
