//! What comes with the image for the keeper: the vendor's public key, the first revocation ticket, and on a partition of its
//! own the approvals, since an approval names the measurement of an image and cannot lie within it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use wardline_keys_protocol::KeeperState;
use wardline_keys_protocol::approval::{self, Approval};
use wardline_keys_protocol::client::ClientError;
use wardline_keys_protocol::message::{Provision, Refusal};

use crate::chip::Chip;

/// Approvals are looked for in so many places of the partition: two slots, a recovery image, and their predecessors.
pub const PLACES: usize = 16;
/// Bytes of one place: a length (2, big-endian; 0 where there is none), then an approval.
pub const PLACE_BYTES: usize = 512;

/// Where the vendor's part is.
#[derive(Debug, Clone)]
pub struct Image {
    /// Directory with `vendor.pub` (65 bytes, SEC1 uncompressed) and `first-revocation`.
    pub vendor: PathBuf,
    /// The partition with approvals, [`PLACES`] times [`PLACE_BYTES`].
    pub approvals: PathBuf,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysFault {
    /// The image is not whole.
    #[error("the image lacks what keys are made with: {0}")]
    Image(&'static str, #[source] io::Error),
    /// No approval is for the image that runs.
    #[error("no approval on the disk is for the image that runs: write the image to the disk again")]
    NotApproved,
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] ClientError),
}

/// Makes the box's keys where it has none, and tells the keeper the approvals that lie on the disk. Safe to repeat.
///
/// # Errors
/// [`KeysFault`].
pub fn make_keys(chip: &mut impl Chip, image: &Image) -> Result<(), KeysFault> {
    let approvals = approvals(&image.approvals).map_err(|error| KeysFault::Image("its approvals", error))?;
    let status = chip.status()?;
    if status.state == KeeperState::NotProvisioned {
        let approval = approvals.iter().find(|approval| Some(approval.pcr11) == status.pcr11);
        let approval = approval.ok_or(KeysFault::NotApproved)?.to_bytes();
        let (vendor_public, first_revocation) = vendor(&image.vendor)?;
        return Ok(chip.provision(Provision {
            vendor_public,
            approval,
            first_revocation,
            start_over: false,
        })?);
    }
    for approval in &approvals {
        match chip.install_approval(approval) {
            // Another vendor's, or one for a box without keys: it opens nothing, so it harms nothing.
            Ok(()) | Err(ClientError::Refused(Refusal::ApprovalRejected | Refusal::State(_))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn vendor(directory: &Path) -> Result<([u8; 65], Vec<u8>), KeysFault> {
    let read = |name: &'static str, most: usize| {
        let mut bytes = Vec::new();
        let file = File::open(directory.join(name)).map_err(|error| KeysFault::Image(name, error))?;
        file.take(most as u64).read_to_end(&mut bytes).map_err(|error| KeysFault::Image(name, error))?;
        Ok::<_, KeysFault>(bytes)
    };
    let public = read("vendor.pub", 66)?;
    let public =
        public.try_into().map_err(|_| KeysFault::Image("vendor.pub", io::ErrorKind::InvalidData.into()))?;
    Ok((public, read("first-revocation", approval::BYTES_MAX)?))
}

/// The approvals of a partition. What is none is passed over: the keeper judges, and whoever can write there can also erase.
fn approvals(partition: &Path) -> io::Result<Vec<Approval>> {
    let mut bytes = Vec::new();
    File::open(partition)?.take((PLACES * PLACE_BYTES) as u64).read_to_end(&mut bytes)?;
    let of = |place: &[u8]| {
        let (length, rest) = place.split_at_checked(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        Approval::from_bytes(rest.get(..length).filter(|approval| !approval.is_empty())?).ok()
    };
    Ok(bytes.chunks(PLACE_BYTES).filter_map(of).collect())
}
