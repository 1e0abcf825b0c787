//! Bounds of the bell.

/// Bytes of a push service's address for one browser. Google's are some 190 bytes, Microsoft's up to 600.
pub const BELL_ENDPOINT_MAX: usize = 1024;

/// Bells that one turn rings: a STAT that has come to a unit's whole staff, or an urgent announcement. The push service
/// takes 8 at once, at some 0.2 s each: 256 are rung within 7 s.
pub const BELLS_PER_TURN_MAX: usize = 256;

/// A device's bell rings once in this time at most, for whatever it is: a STAT's shortest step.
pub const BELL_APART_MS: u64 = 15_000;

/// And once in this time for urgent messages, which may come one behind the other.
pub const BELL_APART_URGENT_MS: u64 = 60_000;
