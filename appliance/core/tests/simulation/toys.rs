//! Toy cryptography: tells right from wrong, keeps nothing secret.

use wardline_core::directory::PublicKey;
use wardline_core::ids::{DeviceId, PersonId};
use wardline_core::pin::PinMac;
use wardline_core::session::Verifier;

/// FNV-1a with a finish, stretched to any length.
fn digest<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain([0xff].iter()) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let mut bytes = [0; N];
    for (round, chunk) in bytes.chunks_mut(8).enumerate() {
        let mixed = (state ^ round as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 29)).to_be_bytes()[..chunk.len()]);
    }
    bytes
}

/// A device's key out of its secret.
pub(crate) fn public_key(secret: u64) -> PublicKey {
    let mut bytes: [u8; 65] = digest(&[b"key", &secret.to_be_bytes()]);
    bytes[0] = 4;
    PublicKey::parse(&bytes).expect("starts with 4")
}

/// Another key of the same device.
pub(crate) fn following(key: &PublicKey) -> PublicKey {
    let mut bytes: [u8; 65] = digest(&[b"following key", key.as_bytes()]);
    bytes[0] = 4;
    PublicKey::parse(&bytes).expect("starts with 4")
}

/// "Signs" with the public key: whoever calls this is trusted to hold the secret.
pub(crate) fn sign(key: &PublicKey, message: &[u8]) -> [u8; 64] {
    digest(&[b"signature", key.as_bytes(), message])
}

/// Recomputes the signature.
pub(crate) struct ToyVerifier;

impl Verifier for ToyVerifier {
    fn p256(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        sign(key, message) == *signature
    }
}

/// The keeper's MAC over the stretched PIN: of nobody else's, and no other device's.
pub(crate) fn pin_mac((person, device): (PersonId, DeviceId), salt: &[u8; 16], pin: &str) -> PinMac {
    let of = [person.value().to_be_bytes(), device.value().to_be_bytes()].concat();
    PinMac(digest(&[b"pin", &of, salt, pin.as_bytes()]))
}

/// Bytes before what was sealed.
pub(crate) const TAG: usize = 16;

/// "Seals" under a device's lease.
pub(crate) fn compose(device: DeviceId, lease: u64, message: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    [tag(device, lease, message, plain).as_slice(), plain].concat()
}

/// What was sealed so, if it was.
pub(crate) fn open_composed<'a>(
    device: DeviceId,
    lease: u64,
    message: &[u8; 16],
    sealed: &'a [u8],
) -> Option<&'a [u8]> {
    let (said, plain) = sealed.split_at_checked(TAG)?;
    (said == tag(device, lease, message, plain)).then_some(plain)
}

fn tag(device: DeviceId, lease: u64, message: &[u8; 16], plain: &[u8]) -> [u8; TAG] {
    digest(&[b"composed", &device.value().to_be_bytes(), &lease.to_be_bytes(), message, plain])
}

/// A connection's exporter.
pub(crate) fn exporter(conn: u64) -> [u8; 32] {
    digest(&[b"exporter", &conn.to_be_bytes()])
}
