//! Looking for a text in everything that processes leave behind.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;
use memchr::memmem::Finder;

/// What is looked for: a name for the report, and the bytes in each guise.
pub(crate) struct Needle {
    /// For the report.
    pub(crate) name: &'static str,
    guises: Vec<Finder<'static>>,
}

/// Where something was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Found {
    /// Which needle.
    pub(crate) name: &'static str,
    /// Where.
    pub(crate) place: PathBuf,
}

impl Needle {
    /// A text: plain, in UTF-16, in hexadecimal, and in base 64 wherever it begins.
    pub(crate) fn new(name: &'static str, text: &str) -> Self {
        let bytes = text.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut guises = vec![bytes.to_vec(), wide, hex.to_uppercase().into_bytes(), hex.into_bytes()];
        // Whole groups of three bytes from each of the three places where one may begin.
        for skip in 0..3 {
            let whole = (bytes.len() - skip) / 3 * 3;
            guises.push(base64(&bytes[skip..skip + whole]));
        }
        Self { name, guises: guises.iter().map(|guise| Finder::new(guise).into_owned()).collect() }
    }

    /// Whether it is in there.
    pub(crate) fn is_in(&self, hay: &[u8]) -> bool {
        self.guises.iter().any(|guise| guise.find(hay).is_some())
    }
}

/// RFC 4648, section 4, of whole groups.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).map(|g| u32::from_be_bytes([0, g[0], g[1], g[2]]));
    groups.flat_map(|g| [18, 12, 6, 0].map(|shift| ALPHABET[(g >> shift) as usize & 63])).collect()
}

/// All that was found, and how much was looked at.
#[derive(Default)]
pub(crate) struct Sweep {
    /// Sorted.
    pub(crate) found: BTreeSet<Found>,
    /// Files and texts.
    pub(crate) places: usize,
    /// Bytes.
    pub(crate) bytes: usize,
}

impl Sweep {
    /// Looks at bytes.
    pub(crate) fn bytes(&mut self, needles: &[Needle], place: &Path, hay: &[u8]) {
        self.places += 1;
        self.bytes += hay.len();
        for needle in needles.iter().filter(|needle| needle.is_in(hay)) {
            self.found.insert(Found { name: needle.name, place: place.to_owned() });
        }
    }

    /// Looks at every file under a directory, file names included.
    pub(crate) fn tree(&mut self, needles: &[Needle], root: &Path) -> Result<()> {
        self.tree_since(needles, root, SystemTime::UNIX_EPOCH, &[], u64::MAX)
    }

    /// Looks at the files that were changed since then, but for some directories and for what is larger than `most`.
    pub(crate) fn tree_since(
        &mut self,
        needles: &[Needle],
        root: &Path,
        since: SystemTime,
        but: &[&Path],
        most: u64,
    ) -> Result<()> {
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            // What others have in /tmp comes and goes.
            let Ok(entries) = fs::read_dir(&directory) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let Ok(about) = fs::symlink_metadata(&path) else { continue };
                if about.is_dir() && !but.contains(&path.as_path()) {
                    directories.push(path);
                } else if about.is_file() && about.size() <= most && about.modified()? >= since {
                    let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec());
                    self.bytes(needles, &path, &name.unwrap_or_default());
                    if let Ok(content) = fs::read(&path) {
                        self.bytes(needles, &path, &content);
                    }
                }
            }
        }
        Ok(())
    }

    /// In words, for a failure.
    pub(crate) fn report(&self) -> String {
        let lines = self.found.iter().map(|found| format!("{} in {}", found.name, found.place.display()));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The processes whose command line names this directory, by their programs' names.
pub(crate) fn processes(directory: &Path) -> Result<Vec<(u32, String)>> {
    let wanted =
        Needle { name: "", guises: vec![Finder::new(directory.as_os_str().as_encoded_bytes()).into_owned()] };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        if pid != std::process::id() && wanted.is_in(&line) {
            // The keeper starts itself again through /proc/self/exe; the link says what it is.
            let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
            let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((pid, program));
        }
    }
    Ok(found)
}
