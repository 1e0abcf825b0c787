//! Bounds of passkeys (WebAuthn).

/// Passkeys of one device: the phone's own, a key on a badge, one of each in reserve.
pub const PASSKEYS_PER_DEVICE_MAX: usize = 4;
/// A credential's identifier, in bytes (WebAuthn Level 3, 4). Four of a device: 4 kB, of which most are 64 bytes or less.
pub const CREDENTIAL_MAX: usize = 1_023;
/// `clientDataJSON`, in bytes: a type, 43 characters of challenge, an origin of 262 at most, and what browsers add.
pub const CLIENT_DATA_MAX: usize = 1_024;
/// Authenticator data: 55 + [`CREDENTIAL_MAX`] + a key of 77, and extensions that nobody asked for.
pub const AUTHENTICATOR_DATA_MAX: usize = 2_048;
/// An ECDSA signature of P-256 in DER: 2 + twice (2 + 33).
pub const PASSKEY_SIGNATURE_MAX: usize = 72;
/// Milliseconds in which a passkey's challenge is to be signed: finger, face or code.
pub const PASSKEY_CHALLENGE_MS: u64 = 120_000;
