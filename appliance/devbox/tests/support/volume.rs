//! A small volume, and how it fills.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A volume of its own, unmounted when dropped.
pub(crate) struct Volume(TempDir);

impl Volume {
    pub(crate) fn mount(megabytes: u32) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0700"), "tmpfs"])
            .arg(directory.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(directory))
    }
}

impl Volume {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Writes until not one byte more goes in.
pub(crate) fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        let block = vec![0xEE; size];
        while file.write_all(&block).and_then(|()| file.flush()).is_ok() {}
    }
}

/// Takes off the filler's end until so many bytes are free, if fewer are.
pub(crate) fn leave_free(filler: &Path, wanted: u64) {
    let stat = nix::sys::statvfs::statvfs(filler).unwrap();
    let free = stat.blocks_available() as u64 * stat.fragment_size() as u64;
    let file = std::fs::OpenOptions::new().write(true).open(filler).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(wanted.saturating_sub(free))).unwrap();
}
