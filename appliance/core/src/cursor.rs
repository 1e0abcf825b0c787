//! A device's cursor: the global number of the last change it was sent, sealed so that it tells nothing.
//!
//! 16 bytes: one AES-256 block (FIPS 197) over change (8, big-endian) || device (8, big-endian). One block under a
//! secret key is a permutation: equal cursors are equal positions of one device, anything else looks random, and a
//! made-up one decodes to this device with probability 2^-64.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::ids::{Change, DeviceId};
use crate::refusal::Refusal;

/// What a client keeps: opaque bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub [u8; 16]);

/// Makes and reads the cursors of one box.
pub struct Cursors(Aes256);

impl Cursors {
    /// Under this secret, which must outlive restarts: a new one invalidates every cursor.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256::new(key.into()))
    }

    /// The device's cursor at this change.
    pub fn seal(&self, device: DeviceId, change: Change) -> Cursor {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&change.0.to_be_bytes());
        block[8..].copy_from_slice(&device.value().to_be_bytes());
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        Cursor(block.into())
    }

    /// The change behind a cursor of this device. Another device's, another box's and made-up ones are refused.
    pub fn open(&self, device: DeviceId, bytes: &[u8]) -> Result<Change, Refusal> {
        let block: [u8; 16] = bytes.try_into().map_err(|_| Refusal::CursorInvalid)?;
        let mut block = block.into();
        self.0.decrypt_block(&mut block);
        let plain: [u8; 16] = block.into();
        let (change, owner) = plain.split_at(8);
        if owner != device.value().to_be_bytes() {
            return Err(Refusal::CursorInvalid);
        }
        let mut number = [0; 8];
        number.copy_from_slice(change);
        Ok(Change(u64::from_be_bytes(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_device_alone() {
        let cursors = Cursors::new(&[7; 32]);
        let (ana, ben) = (DeviceId::new(5).unwrap(), DeviceId::new(6).unwrap());
        let cursor = cursors.seal(ana, Change(42));
        assert_eq!(cursors.open(ana, &cursor.0), Ok(Change(42)));
        assert_eq!(cursors.open(ben, &cursor.0), Err(Refusal::CursorInvalid));
        assert_eq!(Cursors::new(&[8; 32]).open(ana, &cursor.0), Err(Refusal::CursorInvalid));
        assert_eq!(cursors.open(ana, &cursor.0[..15]), Err(Refusal::CursorInvalid));
    }
}
