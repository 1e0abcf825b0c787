//! Sticks as they come: made by another implementation of FAT, with and without a table, and as somebody hostile makes them.

#![allow(clippy::unwrap_used, reason = "what a test sets up, works")]

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use wardline_apply::stick::{CONFIGURATION, FILE_BYTES_MAX, RECEIPT, REQUEST, Stick, StickFault};

const MIB: u64 = 1 << 20;

/// How a stick is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Table {
    None,
    Pc,
    Guid,
}

/// A part of a file as a device of its own.
struct Part {
    file: File,
    from: u64,
    size: u64,
    at: u64,
}

impl std::io::Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.from + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl std::io::Write for Part {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write_at(buffer, self.from + self.at)?;
        self.at += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(by) => self.size.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

struct Made {
    _directory: tempfile::TempDir,
    path: std::path::PathBuf,
    from: u64,
    size: u64,
}

impl Made {
    fn new(table: Table, kind: FatType, size: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stick");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        file.set_len(size).unwrap();
        let from = if table == Table::None { 0 } else { MIB };
        let made = Self { _directory: directory, path, from, size: size - 2 * from };
        let (first, count) = (from / 512, made.size / 512);
        match table {
            Table::None => {}
            Table::Pc => file.write_all_at(&pc_table(0x0C, first as u32, count as u32), 0).unwrap(),
            Table::Guid => {
                file.write_all_at(&pc_table(0xEE, 1, (size / 512 - 1) as u32), 0).unwrap();
                let mut header = [0; 512];
                header[..8].copy_from_slice(b"EFI PART");
                header[72..80].copy_from_slice(&2u64.to_le_bytes());
                header[84..88].copy_from_slice(&128u32.to_le_bytes());
                file.write_all_at(&header, 512).unwrap();
                let mut entry = [0; 128];
                let basic = [
                    0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99,
                    0xC7,
                ];
                entry[..16].copy_from_slice(&basic);
                entry[32..40].copy_from_slice(&first.to_le_bytes());
                entry[40..48].copy_from_slice(&(first + count - 1).to_le_bytes());
                file.write_all_at(&entry, 1024).unwrap();
            }
        }
        format_volume(made.part(), FormatVolumeOptions::new().fat_type(kind)).unwrap();
        made
    }

    fn part(&self) -> Part {
        let file = OpenOptions::new().read(true).write(true).open(&self.path).unwrap();
        Part { file, from: self.from, size: self.size, at: 0 }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let volume = FileSystem::new(self.part(), FsOptions::new()).unwrap();
        let mut file = volume.root_dir().create_file(name).unwrap();
        file.truncate().unwrap();
        file.write_all(bytes).unwrap();
        file.flush().unwrap();
    }

    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let volume = FileSystem::new(self.part(), FsOptions::new()).unwrap();
        let mut bytes = Vec::new();
        volume.root_dir().open_file(name).ok()?.read_to_end(&mut bytes).unwrap();
        Some(bytes)
    }

    fn open(&self) -> Result<Stick, StickFault> {
        let mut file = OpenOptions::new().read(true).write(true).open(&self.path).unwrap();
        let size = file.seek(SeekFrom::End(0)).unwrap();
        Stick::open(file, size / 512)
    }
}

fn pc_table(kind: u8, first: u32, count: u32) -> [u8; 512] {
    let mut table = [0; 512];
    table[446 + 4] = kind;
    table[446 + 8..446 + 12].copy_from_slice(&first.to_le_bytes());
    table[446 + 12..446 + 16].copy_from_slice(&count.to_le_bytes());
    table[510..].copy_from_slice(&[0x55, 0xAA]);
    table
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn every_usual_stick_is_read_and_written_and_another_program_finds_the_files() {
    for (table, kind, size) in [
        (Table::None, FatType::Fat32, 64 * MIB),
        (Table::Pc, FatType::Fat32, 64 * MIB),
        (Table::Guid, FatType::Fat32, 64 * MIB),
        (Table::Pc, FatType::Fat16, 32 * MIB),
    ] {
        let made = Made::new(table, kind, size);
        let (brought, request) = (noise(40_000), noise(3_001));
        made.put("holiday pictures of 2026.txt", b"of no interest");
        made.put(CONFIGURATION, &brought);
        made.put(REQUEST, &noise(9_000));
        let stick = made.open().unwrap();
        assert_eq!(stick.read(CONFIGURATION).unwrap().as_ref(), Some(&brought), "{table:?} {kind:?}");
        stick.leave(REQUEST, &request).unwrap();
        stick.leave(RECEIPT, b"r").unwrap();
        stick.finish().unwrap();
        assert_eq!(made.get(REQUEST), Some(request), "{table:?} {kind:?}");
        assert_eq!(made.get(RECEIPT).as_deref(), Some(&b"r"[..]));
        assert_eq!(made.get(CONFIGURATION), Some(brought));
        assert_eq!(made.get("holiday pictures of 2026.txt").as_deref(), Some(&b"of no interest"[..]));
    }
}

#[test]
fn a_stick_without_a_configuration_has_none() {
    let made = Made::new(Table::Pc, FatType::Fat32, 64 * MIB);
    made.put("CONFIG.TXT", b"no");
    assert_eq!(made.open().unwrap().read(CONFIGURATION).unwrap(), None);
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let made = Made::new(Table::Pc, FatType::Fat32, 64 * MIB);
    made.put(CONFIGURATION, &noise(FILE_BYTES_MAX as usize + 1));
    assert!(matches!(made.open().unwrap().read(CONFIGURATION), Err(StickFault::TooLarge(CONFIGURATION))));
    made.put(CONFIGURATION, &noise(FILE_BYTES_MAX as usize));
    assert_eq!(
        made.open().unwrap().read(CONFIGURATION).unwrap().map(|bytes| bytes.len()),
        Some(FILE_BYTES_MAX as usize)
    );
}

#[test]
fn a_full_stick_says_so() {
    let made = Made::new(Table::None, FatType::Fat16, 8 * MIB);
    let volume = FileSystem::new(made.part(), FsOptions::new()).unwrap();
    let mut file = volume.root_dir().create_file("full").unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    drop(file);
    drop(volume);
    assert!(matches!(made.open().unwrap().leave(REQUEST, &noise(9_000)), Err(StickFault::Full)));
}

#[test]
fn what_is_no_fat_volume_is_called_that() {
    let blank = Made::new(Table::None, FatType::Fat32, 64 * MIB);
    blank.part().file.write_all_at(&[0; 512], 0).unwrap();
    assert!(matches!(blank.open(), Err(StickFault::NotFat)));
    // exFAT, and NTFS.
    for name in [b"EXFAT   ", b"NTFS    "] {
        let mut sector = [0; 512];
        sector[..3].copy_from_slice(&[0xEB, 0x76, 0x90]);
        sector[3..11].copy_from_slice(name);
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        blank.part().file.write_all_at(&sector, 0).unwrap();
        assert!(matches!(blank.open(), Err(StickFault::NotFat)));
    }
    // A table that points behind the stick.
    let beyond = Made::new(Table::Pc, FatType::Fat32, 64 * MIB);
    beyond.part().file.write_all_at(&pc_table(0x0C, 2048, u32::MAX), 0).unwrap();
    assert!(matches!(beyond.open(), Err(StickFault::NotFat)));
}

/// The chain of clusters goes round: the reader comes to an end, by its bound of blocks at the latest.
#[test]
fn a_chain_that_goes_round_ends() {
    let made = Made::new(Table::None, FatType::Fat32, 64 * MIB);
    made.put(CONFIGURATION, &noise(200_000));
    let mut sector = [0; 512];
    let part = made.part();
    part.file.read_exact_at(&mut sector, 0).unwrap();
    let reserved = u64::from(u16::from_le_bytes([sector[14], sector[15]]));
    // Every cluster of the first block of the table points at the second one of the file.
    let mut table = [0; 512];
    part.file.read_exact_at(&mut table, reserved * 512).unwrap();
    for entry in table.chunks_exact_mut(4).skip(3) {
        entry.copy_from_slice(&3u32.to_le_bytes());
    }
    part.file.write_all_at(&table, reserved * 512).unwrap();
    let stick = made.open().unwrap();
    // What comes is not what was written, and a bundle's hashes say so; here it counts that something comes, or a fault.
    match stick.read(CONFIGURATION) {
        Ok(read) => assert!(read.is_none_or(|bytes| bytes.len() <= FILE_BYTES_MAX as usize)),
        Err(fault) => assert!(matches!(fault, StickFault::Damaged)),
    }
    assert!(stick.leave(REQUEST, &noise(100_000)).is_ok() || made.open().is_ok());
}

/// Any block of table or directory exchanged for noise: a fault or other bytes, in bounded time. (The reader's process may
/// also die of it; the box would go on.)
#[test]
fn noise_where_a_volume_should_be_is_survived() {
    for at in [0u64, 1, 6, 32, 33, 1_056, 2_080] {
        let made = Made::new(Table::None, FatType::Fat32, 64 * MIB);
        made.put(CONFIGURATION, &noise(5_000));
        made.part().file.write_all_at(&noise(512), at * 512).unwrap();
        let _ = std::panic::catch_unwind(|| made.open().map(|stick| stick.read(CONFIGURATION).map(|_| ())));
    }
}
