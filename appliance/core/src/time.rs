//! Time as the core sees it: two readings, taken by the driver once a turn.

use minicbor::{Decode, Encode};

/// Milliseconds since the relay started. Never steps back; means nothing after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// This many milliseconds later.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Milliseconds since 1970-01-01 UTC. May step either way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Wall(#[n(0)] pub i64);

impl Wall {
    /// This many milliseconds later.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }
}

/// Both readings of one moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For intervals.
    pub mono: Mono,
    /// For people and records.
    pub wall: Wall,
}
