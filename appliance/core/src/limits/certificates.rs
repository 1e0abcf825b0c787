//! Bounds of the certificate for the names that people type.

/// Names of one certificate: one that people type, and a few that the box had.
pub const WEB_NAMES_MAX: usize = 8;
/// A DNS name, in characters (RFC 1035, 2.3.4, without the length bytes).
pub const DNS_NAME_MAX: usize = 253;
/// A certificate and its chain as PEM, in bytes: what a certificate authority sends takes 4 to 8 kB, and a frame holds 16 KiB.
pub const WEB_CHAIN_PEM_MAX: usize = 16_000;
/// Certificates of a chain: the box's own, two or three of its issuers, a root, and one in reserve.
pub const WEB_CHAIN_MAX: usize = 6;
