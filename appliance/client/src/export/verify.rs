//! Whether an export is what was exported: counts, hashes and signatures, without a box.
//!
//! Whoever can change a file can change the manifest as well: only the seal, which the box recorded, tells of that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{self, SHA256};

use super::record::{
    CHAIN, CHAIN_BEGINS, Count, FILES, FORMAT, MANIFEST, Manifest, RECORD, Seal, hex, link, sha256,
};
use super::{proof, unwritable};
use crate::error::Error;

/// Bytes of a manifest: some 150 of each file, 400,000 files.
const MANIFEST_MAX: u64 = 64 << 20;
/// Findings that are told one by one.
const FAULTS_MAX: usize = 100;

/// One thing that is not as it was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no manifest: it is no export, or one that was never finished.
    NoManifest,
    /// The manifest cannot be read.
    ManifestUnreadable,
    /// Another format: a later version's.
    Format(String),
    /// The manifest is another than the one that was sealed.
    Seal,
    /// This file is not there.
    Missing(PathBuf),
    /// This one does not belong.
    Added(PathBuf),
    /// This one has another content.
    Altered(PathBuf),
    /// This line of `record.jsonl` is another.
    LineAltered(u64),
    /// What was this line is not there any more.
    LineMissing(u64),
    /// This line was not there.
    LineAdded(u64),
    /// There are so many lines, and there should be so many.
    Lines(u64, u64),
    /// Lines, their hashes and the manifest contradict each other.
    Chain,
    /// This line says something else than a device signed, or than its message does.
    Unproven(u64),
    /// Of these there are so many, and the manifest says so many.
    Count(&'static str, u64, u64),
    /// And others.
    More(usize),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Nothing: it is what was exported.
    pub faults: Vec<Fault>,
    /// How many of what the manifest says.
    pub count: Count,
    /// The seal of the manifest that is there.
    pub seal: Option<Seal>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoManifest => {
                f.write_str("manifest.json is missing: this is no export, or one that was not finished")
            }
            Self::ManifestUnreadable => f.write_str("manifest.json was altered: it cannot be read"),
            Self::Format(format) => write!(f, "it is of another format, {format}: a later wardline reads it"),
            Self::Seal => f.write_str("manifest.json was altered: its seal is another"),
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Added(path) => write!(f, "{} was added", path.display()),
            Self::Altered(path) => write!(f, "{} was altered", path.display()),
            Self::LineAltered(line) => write!(f, "{RECORD}: line {line} was altered"),
            Self::LineMissing(line) => write!(f, "{RECORD}: what was line {line} is missing"),
            Self::LineAdded(line) => write!(f, "{RECORD}: line {line} was added"),
            Self::Lines(are, should) => {
                write!(f, "{RECORD}: there are {are} lines, and there should be {should}")
            }
            Self::Chain => write!(f, "{CHAIN} contradicts {MANIFEST}: one of the two was altered"),
            Self::Unproven(line) => write!(f, "{RECORD}: line {line} is not what was signed"),
            Self::Count(what, are, should) => {
                write!(f, "{RECORD}: there are {are} {what}, and {MANIFEST} says {should}")
            }
            Self::More(more) => write!(f, "and {more} more"),
        }
    }
}

/// Looks at every byte of an export. `seal`: what was told when it was exported, if it is at hand.
pub fn verify(directory: &Path, seal: Option<Seal>) -> Result<Verified, Error> {
    let mut verified = Verified { faults: Vec::new(), count: Count::default(), seal: None };
    let path = directory.join(MANIFEST);
    if !is_file(&path) {
        verified.faults.push(Fault::NoManifest);
        return Ok(verified);
    }
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(MANIFEST_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| unwritable(&path, &error))?;
    let own = Seal(sha256(&bytes));
    verified.seal = Some(own);
    if seal.is_some_and(|seal| seal != own) {
        verified.faults.push(Fault::Seal);
    }
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
        verified.faults.push(Fault::ManifestUnreadable);
        return Ok(verified);
    };
    if manifest.format != FORMAT {
        verified.faults.push(Fault::Format(manifest.format));
        return Ok(verified);
    }
    verified.count = manifest.count;
    let mut faults = files(directory, &manifest)?;
    faults.extend(lines(directory, &manifest)?);
    if faults.len() > FAULTS_MAX {
        let more = faults.len() - FAULTS_MAX;
        faults.truncate(FAULTS_MAX);
        faults.push(Fault::More(more));
    }
    verified.faults.extend(faults);
    Ok(verified)
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
}

/// Every file that is listed is there as it was, and no other is.
fn files(directory: &Path, manifest: &Manifest) -> Result<Vec<Fault>, Error> {
    let mut faults = Vec::new();
    let listed: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    for file in &manifest.files {
        let path = PathBuf::from(&file.path);
        // A manifest of another hand: it leads nowhere else.
        let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside || !is_file(&directory.join(&path)) {
            faults.push(Fault::Missing(path));
        } else if hashed(&directory.join(&path))? != (file.bytes, file.sha256.clone()) {
            faults.push(Fault::Altered(path));
        }
    }
    for (below, known) in [("", vec![MANIFEST, FILES]), (FILES, Vec::new())] {
        let at = if below.is_empty() { directory.to_owned() } else { directory.join(below) };
        let Ok(entries) = std::fs::read_dir(&at) else { continue };
        for entry in entries {
            let name = entry.map_err(|error| unwritable(&at, &error))?.file_name();
            let path = Path::new(below).join(&name);
            let is_listed = path.to_str().is_some_and(|path| listed.contains(path) || known.contains(&path));
            if !is_listed {
                faults.push(Fault::Added(path));
            }
        }
    }
    Ok(faults)
}

fn hashed(path: &Path) -> Result<(u64, String), Error> {
    let wrong = |error: std::io::Error| unwritable(path, &error);
    let mut file = File::open(path).map_err(wrong)?;
    let (mut hash, mut bytes, mut part) = (digest::Context::new(&SHA256), 0, vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut part).map_err(wrong)?;
        if read == 0 {
            return Ok((bytes, hex(hash.finish().as_ref())));
        }
        hash.update(&part[..read]);
        bytes += read as u64;
    }
}

/// The hashes of all lines, 32 bytes each.
fn hashes_of_lines(path: &Path) -> Result<Vec<[u8; 32]>, Error> {
    let file = File::open(path).map_err(|error| unwritable(path, &error))?;
    let (mut from, mut hashes, mut line) = (BufReader::new(file), Vec::new(), Vec::new());
    loop {
        line.clear();
        let read = from.read_until(b'\n', &mut line).map_err(|error| unwritable(path, &error))?;
        if read == 0 {
            return Ok(hashes);
        }
        hashes.push(sha256(line.strip_suffix(b"\n").unwrap_or(&line)));
    }
}

/// What the chain says of each line, and whether it is the manifest's.
fn chain(path: &Path, manifest: &Manifest) -> Result<Option<Vec<[u8; 32]>>, Error> {
    let file = File::open(path).map_err(|error| unwritable(path, &error))?;
    let (mut at, mut all) = (sha256(CHAIN_BEGINS), Vec::new());
    for line in BufReader::new(file).lines() {
        // Not text: altered.
        let Ok(line) = line else { return Ok(None) };
        let own = line.split(' ').next().and_then(|own| own.parse::<Seal>().ok());
        let Some(Seal(own)) = own else { return Ok(None) };
        at = link(&at, &own);
        if line != format!("{} {}", hex(&own), hex(&at)) {
            return Ok(None);
        }
        all.push(own);
    }
    Ok((hex(&at) == manifest.chain && all.len() as u64 == manifest.count.lines).then_some(all))
}

/// Which lines are others than they were.
fn lines(directory: &Path, manifest: &Manifest) -> Result<Vec<Fault>, Error> {
    let (record, chain_of) = (directory.join(RECORD), directory.join(CHAIN));
    if !is_file(&record) {
        return Ok(Vec::new());
    }
    let are = hashes_of_lines(&record)?;
    let mut faults = Vec::new();
    let count = are.len() as u64;
    if count != manifest.count.lines {
        faults.push(Fault::Lines(count, manifest.count.lines));
    }
    if !is_file(&chain_of) {
        return Ok(faults);
    }
    match chain(&chain_of, manifest)? {
        Some(should) => {
            faults.extend(differences(&should, &are));
            // Of lines that are others than they were it is told that they are.
            if faults.is_empty() {
                faults.extend(proof::faults(&record, &manifest.count)?);
            }
        }
        None => faults.push(Fault::Chain),
    }
    Ok(faults)
}

/// Lines that follow each other are compared; what comes nowhere behind in the other is altered where both have one, else added or
/// missing.
fn differences(should: &[[u8; 32]], are: &[[u8; 32]]) -> Vec<Fault> {
    // How often each line comes from here on: as it should be, and as it is.
    let mut left: BTreeMap<&[u8; 32], (usize, usize)> = BTreeMap::new();
    should.iter().for_each(|line| left.entry(line).or_default().0 += 1);
    are.iter().for_each(|line| left.entry(line).or_default().1 += 1);
    let number = |at: usize| at as u64 + 1;
    let (mut i, mut j, mut faults) = (0, 0, Vec::new());
    while i < should.len() || j < are.len() {
        let (old, new) = (should.get(i), are.get(j));
        let comes =
            |line: Option<&[u8; 32]>| line.and_then(|line| left.get(line)).copied().unwrap_or_default();
        let (old_stays, new_stays) = (comes(old).1 > 0, comes(new).0 > 0);
        let (fault, takes_old, takes_new) = match (old, new) {
            (Some(old), Some(new)) if old == new => (None, true, true),
            (Some(_), Some(_)) if old_stays == new_stays => (Some(Fault::LineAltered(number(j))), true, true),
            (Some(_), None) => (Some(Fault::LineMissing(number(i))), true, false),
            (Some(_), Some(_)) if !old_stays => (Some(Fault::LineMissing(number(i))), true, false),
            _ => (Some(Fault::LineAdded(number(j))), false, true),
        };
        faults.extend(fault);
        if let Some(count) = old.filter(|_| takes_old).and_then(|line| left.get_mut(line)) {
            (i, count.0) = (i + 1, count.0 - 1);
        }
        if let Some(count) = new.filter(|_| takes_new).and_then(|line| left.get_mut(line)) {
            (j, count.1) = (j + 1, count.1 - 1);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(should: &str, are: &str) -> Vec<Fault> {
        let hashes = |text: &str| text.bytes().map(|line| sha256(&[line])).collect::<Vec<_>>();
        differences(&hashes(should), &hashes(are))
    }

    #[test]
    fn which_line_is_told() {
        assert_eq!(told("abcd", "abcd"), []);
        assert_eq!(told("abcd", "abXd"), [Fault::LineAltered(3)]);
        assert_eq!(told("abcd", "abd"), [Fault::LineMissing(3)]);
        assert_eq!(told("abcd", "abXcd"), [Fault::LineAdded(3)]);
        assert_eq!(told("abcd", "abc"), [Fault::LineMissing(4)]);
        assert_eq!(told("abcd", "abcdX"), [Fault::LineAdded(5)]);
        assert_eq!(told("abcd", "Xbcde"), [Fault::LineAltered(1), Fault::LineAdded(5)]);
        assert_eq!(told("abcd", "acbd"), [Fault::LineAltered(2), Fault::LineAltered(3)]);
        assert_eq!(told("aab", "ab").len(), 1, "one of two lines that are the same");
    }
}
