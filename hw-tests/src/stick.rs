//! A stick: a file with a FAT32 volume, as mkfs.fat makes it and mtools read it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::qemu::Tools;

/// Of 64 MB: the smallest of FAT32 with clusters as larger ones have.
const KIB: &str = "65536";

/// A stick that is in no box.
pub struct Stick<'a> {
    tools: &'a Tools,
    path: PathBuf,
}

impl<'a> Stick<'a> {
    /// An empty one.
    pub fn new(tools: &'a Tools, path: PathBuf) -> Result<Self> {
        let _ = fs::remove_file(&path);
        tools.run("mkfs.vfat", &["-F", "32", "-C", &path.display().to_string(), KIB])?;
        Ok(Self { tools, path })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a file onto it.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let from = self.path.with_extension("put");
        fs::write(&from, bytes)?;
        let (stick, from) = (self.path.display().to_string(), from.display().to_string());
        self.tools.run("mcopy", &["-o", "-i", &stick, &from, &format!("::/{name}")])
    }

    /// What a file on it holds.
    pub fn get(&self, name: &str) -> Result<Vec<u8>> {
        let to = self.path.with_extension("got");
        let _ = fs::remove_file(&to);
        let (stick, text) = (self.path.display().to_string(), to.display().to_string());
        self.tools.run("mcopy", &["-n", "-i", &stick, &format!("::/{name}"), &text])?;
        fs::read(&to).with_context(|| format!("{name} on the stick"))
    }
}
