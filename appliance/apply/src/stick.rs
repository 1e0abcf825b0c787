//! A stick as the box sees it: one file to take, two to leave, read as bytes of a device that nobody trusts.
//!
//! What it refuses to do: mount anything; follow a path; look into a directory; take a file that is larger than what it is
//! for; read or write more blocks than such files need on any sound stick; believe a number that the stick gives it. It runs
//! in a process of its own, which may touch this one device and nothing else: a stick that breaks it breaks that process.
//!
//! FAT12 is not read, nor exFAT: what sticks up to 32 GB come with is FAT32.

mod layout;

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use embedded_sdmmc::{
    Block, BlockCount, BlockDevice, BlockIdx, Error, Mode, RawDirectory, RawVolume, TimeSource, Timestamp,
    VolumeIdx, VolumeManager,
};

use layout::{MBR, Volume};

/// The file that a box takes.
pub const CONFIGURATION: &str = "CONFIG.WLB";
/// The file that a box leaves: who it is, and what it asks for.
pub const REQUEST: &str = "REQUEST.WLB";
/// The file that a box leaves once it was configured.
pub const RECEIPT: &str = "RECEIPT.WLB";

/// The most bytes of a file, either way. A configuration with sixteen names, two certificates of 8 KiB, four approvals and
/// thirty-two secrets of 4 KiB has less than 200 KiB.
pub const FILE_BYTES_MAX: u32 = 256 * 1024;

/// Blocks that may be moved for all that is done with one stick. Three files of 256 KiB are 1,536 blocks; each may be
/// preceded by the root directory (65,536 entries of 32 bytes at the most, 4,096 blocks) and needs its chain looked up block
/// by block, and to find room a whole table may be read: 32 GB in clusters of 16 KiB are 2^21 entries, 16,384 blocks. Three
/// times 24,000, rounded up. On a stick of 1 MB/s that is 40 s.
const BLOCKS_MAX: u32 = 80_000;

/// Why a stick was not used.
#[derive(Debug, thiserror::Error)]
pub enum StickFault {
    /// The device does not answer, or was taken out.
    #[error("the stick cannot be read or written: {0}")]
    Device(io::Error),
    /// Neither a FAT volume nor a table with one.
    #[error("there is no FAT32 volume on the stick: format it as FAT32, or take one of 32 GB at most")]
    NotFat,
    /// The volume contradicts itself.
    #[error("the volume on the stick is damaged: format it as FAT32")]
    Damaged,
    /// The file is larger than what it is for.
    #[error("{0} on the stick is larger than 256 KiB: it is not what `wardline-provision configure` wrote")]
    TooLarge(&'static str),
    /// No room, or write protection.
    #[error("there is no room on the stick, or it is write-protected")]
    Full,
}

/// A stick whose volume was found.
pub struct Stick {
    manager: VolumeManager<Bounded, NoClock, 2, 2, 1>,
    volume: RawVolume,
    root: RawDirectory,
}

impl Stick {
    /// Looks for the volume. `blocks`: how many of 512 bytes the device has.
    ///
    /// # Errors
    /// [`StickFault::Device`], [`StickFault::NotFat`], [`StickFault::Damaged`].
    pub fn open(device: File, blocks: u64) -> Result<Self, StickFault> {
        let volume = layout::find(&device, blocks)?;
        let device = Bounded { device, volume, left: Cell::new(BLOCKS_MAX) };
        let manager = VolumeManager::new_with_limits(device, NoClock, 0);
        let volume = manager.open_raw_volume(VolumeIdx(0)).map_err(fault)?;
        let root = manager.open_root_dir(volume).map_err(fault)?;
        Ok(Self { manager, volume, root })
    }

    /// What a file of the root directory holds; `None` where there is none.
    ///
    /// # Errors
    /// [`StickFault::Device`], [`StickFault::Damaged`], [`StickFault::TooLarge`].
    pub fn read(&self, name: &'static str) -> Result<Option<Vec<u8>>, StickFault> {
        let file = match self.manager.open_file_in_dir(self.root, name, Mode::ReadOnly) {
            Err(Error::NotFound) => return Ok(None),
            other => other.map_err(fault)?,
        };
        let length = self.manager.file_length(file).map_err(fault)?;
        if length > FILE_BYTES_MAX {
            return Err(StickFault::TooLarge(name));
        }
        let mut bytes = vec![0; length as usize];
        let mut read = 0;
        while read < bytes.len() {
            match self.manager.read(file, &mut bytes[read..]).map_err(fault)? {
                0 => return Err(StickFault::Damaged),
                more => read += more,
            }
        }
        self.manager.close_file(file).map_err(fault)?;
        Ok(Some(bytes))
    }

    /// Leaves a file in the root directory, in place of one of that name. The stick has it for certain behind [`Self::finish`].
    ///
    /// # Errors
    /// [`StickFault::Device`], [`StickFault::Damaged`], [`StickFault::Full`].
    pub fn leave(&self, name: &'static str, bytes: &[u8]) -> Result<(), StickFault> {
        let mode = Mode::ReadWriteCreateOrTruncate;
        let file = self.manager.open_file_in_dir(self.root, name, mode).map_err(fault)?;
        self.manager.write(file, bytes).map_err(fault)?;
        self.manager.close_file(file).map_err(fault)
    }

    /// Brings everything onto the stick: from then on it may be taken out.
    ///
    /// # Errors
    /// [`StickFault::Device`], [`StickFault::Damaged`].
    pub fn finish(self) -> Result<(), StickFault> {
        self.manager.close_dir(self.root).map_err(fault)?;
        self.manager.close_volume(self.volume).map_err(fault)?;
        let (bounded, _) = self.manager.free();
        bounded.device.sync_all().map_err(StickFault::Device)
    }
}

fn fault(error: Error<io::Error>) -> StickFault {
    match error {
        Error::DeviceError(error) if error.kind() == io::ErrorKind::QuotaExceeded => StickFault::Damaged,
        Error::DeviceError(error) => StickFault::Device(error),
        Error::DiskFull | Error::NotEnoughSpace | Error::ReadOnly => StickFault::Full,
        _ => StickFault::Damaged,
    }
}

/// The device, seen as one with a table that has one volume, and only so often.
struct Bounded {
    device: File,
    volume: Volume,
    left: Cell<u32>,
}

impl Bounded {
    /// Where a block is on the device, in bytes; an error behind the volume's end or when too many were moved.
    fn place(&self, block: BlockIdx) -> io::Result<u64> {
        let left = self.left.get().checked_sub(1).ok_or(io::ErrorKind::QuotaExceeded)?;
        self.left.set(left);
        let within = u64::from(block.0).checked_sub(1).ok_or(io::ErrorKind::QuotaExceeded)?;
        if within >= u64::from(self.volume.blocks) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok((self.volume.first + within) * u64::from(Block::LEN_U32))
    }
}

impl BlockDevice for Bounded {
    type Error = io::Error;

    fn read(&self, blocks: &mut [Block], start: BlockIdx) -> io::Result<()> {
        for (at, block) in (start.0..).zip(blocks) {
            if at == 0 {
                block.contents = layout::table_of(self.volume);
            } else {
                self.device.read_exact_at(&mut block.contents, self.place(BlockIdx(at))?)?;
            }
        }
        Ok(())
    }

    fn write(&self, blocks: &[Block], start: BlockIdx) -> io::Result<()> {
        for (at, block) in (start.0..).zip(blocks) {
            self.device.write_all_at(&block.contents, self.place(BlockIdx(at))?)?;
        }
        Ok(())
    }

    fn num_blocks(&self) -> io::Result<BlockCount> {
        Ok(BlockCount(self.volume.blocks.saturating_add(MBR)))
    }
}

/// Files are dated with the first day that FAT knows: when a box wrote them stands within them.
struct NoClock;

impl TimeSource for NoClock {
    fn get_timestamp(&self) -> Timestamp {
        Timestamp {
            year_since_1970: 10,
            zero_indexed_month: 0,
            zero_indexed_day: 0,
            hours: 0,
            minutes: 0,
            seconds: 0,
        }
    }
}
