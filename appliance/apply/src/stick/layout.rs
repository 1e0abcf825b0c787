//! Where the FAT volume is: the device itself, the first of a PC's partition table, or the first of a GUID table.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::StickFault;

/// Blocks that a PC's partition table takes.
pub(super) const MBR: u32 = 1;

const BLOCK: u64 = 512;
/// "Microsoft basic data", EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, as it stands on the disk (UEFI 2.10, 5.3.3 and appendix A).
const BASIC_DATA: [u8; 16] =
    [0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7];
/// Types of a PC's table that hold FAT16 or FAT32.
const FAT_TYPES: [u8; 6] = [0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF];
/// Says that a GUID table follows.
const PROTECTIVE: u8 = 0xEE;
/// Entries of a GUID table that are looked at: those of its first block.
const GUID_ENTRIES: usize = 4;

/// A volume: its first block on the device, and how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) first: u64,
    pub(super) blocks: u32,
}

pub(super) fn find(device: &File, blocks: u64) -> Result<Volume, StickFault> {
    let first = block(device, 0)?;
    if first[510..] != [0x55, 0xAA] {
        return Err(StickFault::NotFat);
    }
    if is_boot_sector(&first) {
        return within(0, blocks, blocks);
    }
    let entries = || first[446..510].chunks_exact(16);
    if let Some(entry) = entries().find(|entry| FAT_TYPES.contains(&entry[4])) {
        return within(u64::from(u32_at(entry, 8)), u64::from(u32_at(entry, 12)), blocks);
    }
    if entries().any(|entry| entry[4] == PROTECTIVE) {
        return guid_table(device, blocks);
    }
    Err(StickFault::NotFat)
}

/// A PC's table with one entry, for a reader that knows nothing else: the volume right behind it.
pub(super) fn table_of(volume: Volume) -> [u8; 512] {
    let mut table = [0; 512];
    table[446 + 4] = 0x0C;
    table[446 + 8..446 + 12].copy_from_slice(&MBR.to_le_bytes());
    table[446 + 12..446 + 16].copy_from_slice(&volume.blocks.to_le_bytes());
    table[510..].copy_from_slice(&[0x55, 0xAA]);
    table
}

/// A jump, 512 bytes in a block, and one table at least: what no partition table has in these places (Microsoft FAT
/// specification 1.03, "Boot Sector and BPB").
fn is_boot_sector(first: &[u8; 512]) -> bool {
    let jumps = (first[0] == 0xEB && first[2] == 0x90) || first[0] == 0xE9;
    jumps && first[11..13] == [0x00, 0x02] && matches!(first[16], 1 | 2)
}

fn guid_table(device: &File, blocks: u64) -> Result<Volume, StickFault> {
    let header = block(device, 1)?;
    if &header[..8] != b"EFI PART" || u32_at(&header, 84) != 128 {
        return Err(StickFault::NotFat);
    }
    let entries = block(device, u64_at(&header, 72))?;
    let entry = entries.chunks_exact(128).take(GUID_ENTRIES).find(|entry| entry[..16] == BASIC_DATA);
    let entry = entry.ok_or(StickFault::NotFat)?;
    let (from, to) = (u64_at(entry, 32), u64_at(entry, 40));
    within(from, to.checked_sub(from).map_or(0, |more| more.saturating_add(1)), blocks)
}

/// The volume, where it lies on the device and has as many blocks as FAT can count.
fn within(first: u64, count: u64, blocks: u64) -> Result<Volume, StickFault> {
    let fits = count > 0 && first.checked_add(count).is_some_and(|end| end <= blocks);
    let count = u32::try_from(count).ok().filter(|count| fits && *count < u32::MAX);
    count.map(|blocks| Volume { first, blocks }).ok_or(StickFault::NotFat)
}

fn block(device: &File, at: u64) -> Result<[u8; 512], StickFault> {
    let mut block = [0; 512];
    let place = at.checked_mul(BLOCK).ok_or(StickFault::NotFat)?;
    device.read_exact_at(&mut block, place).map_err(StickFault::Device)?;
    Ok(block)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
