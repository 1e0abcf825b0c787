//! The database key.

use std::fmt::Write;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The database's key: 32 random bytes that only the keeper can unseal. Used raw, so no key derivation is paid. Wiped
/// when dropped; shows itself to nobody.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As SQLCipher reads a raw key: `"x'…'"`.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        // "x' and '" around 64 digits, in one allocation that is wiped.
        let mut text = Zeroizing::new(String::with_capacity(3 + 64 + 2));
        text.push_str("\"x'");
        for byte in self.0 {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str("'\"");
        text
    }
}
