//! What the peer, or the box itself, is to blame for.

use std::fmt;

use thiserror::Error;

use super::LogSafe;

/// The peer broke the protocol: its connection closes with [`PeerFault::code`], and where a person is concerned the
/// audit says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum PeerFault {
    /// Bytes that are no frame.
    #[error("malformed frame")]
    Malformed,
    /// A frame above [`crate::limits::CLIENT_FRAME_MAX`].
    #[error("oversize frame")]
    Oversize,
    /// A frame that the session's state does not allow.
    #[error("frame out of turn")]
    OutOfTurn,
    /// A signature that does not verify.
    #[error("forged signature")]
    ForgedSignature,
    /// One number for two messages.
    #[error("number reused for another message")]
    NumberReused,
    /// Did not prove a device in [`crate::limits::PROOF_TIME_MAX_MS`].
    #[error("no proof in time")]
    TooSlow,
    /// Far above [`crate::limits::REQUESTS`].
    #[error("flood of requests")]
    Flood,
}

impl PeerFault {
    /// The QUIC application error code (RFC 9000, 20.2) that the connection closes with: 0x100 and up.
    pub const fn code(self) -> CloseCode {
        CloseCode(match self {
            Self::Malformed => 0x100,
            Self::Oversize => 0x101,
            Self::OutOfTurn => 0x102,
            Self::ForgedSignature => 0x103,
            Self::NumberReused => 0x104,
            Self::TooSlow => 0x105,
            Self::Flood => 0x106,
        })
    }
}

impl PeerFault {
    const ALL: [Self; 7] = [
        Self::Malformed,
        Self::Oversize,
        Self::OutOfTurn,
        Self::ForgedSignature,
        Self::NumberReused,
        Self::TooSlow,
        Self::Flood,
    ];

    /// The fault that a connection closes with this code for; `None` when it ends in the ordinary way.
    pub fn behind(code: CloseCode) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.code() == code)
    }
}

impl LogSafe for PeerFault {}

/// Why a connection ends, as the QUIC application error code. Faults have 0x100 and up, ordinary ends 0x10 and up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CloseCode(pub u32);

impl CloseCode {
    /// The client left, or nothing more to say.
    pub const DONE: Self = Self(0x10);
    /// The box is restarting: reconnect with jitter.
    pub const DRAINING: Self = Self(0x11);
    /// The device signed in again elsewhere.
    pub const SUPERSEDED: Self = Self(0x12);
    /// The device was revoked or the person suspended.
    pub const REVOKED: Self = Self(0x13);
    /// The refusal just sent is final: this connection can do nothing more.
    pub const REFUSED: Self = Self(0x14);
    /// The box has all the connections it may have.
    pub const FULL: Self = Self(0x15);
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl LogSafe for CloseCode {}

/// The box itself is wrong: an invariant does not hold. The process logs it and stops; the store is the truth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    /// The stored state contradicts itself.
    #[error("the store contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl LogSafe for Fault {}
