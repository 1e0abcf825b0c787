//! Bounds of the bell.

/// Bytes of a push service's address for one browser. Google's are some 190 bytes, Microsoft's up to 600.
pub const BELL_ENDPOINT_MAX: usize = 1024;

/// Bells that one turn rings: a STAT that has come to a unit's whole staff, or an urgent announcement. The push service
/// takes 8 at once, at some 0.2 s each: 256 are rung within 7 s.
pub const BELLS_PER_TURN_MAX: usize = 256;

/// Milliseconds after which those are rung for whom a turn had no ring left.
pub const BELLS_AGAIN_MS: u64 = 8_000;

/// Rings that are owed to people who had the app open: 16 STATs at once to two hundred and fifty each who have a bell. About 60
/// bytes each. Whoever finds no room is rung at the next step.
pub const BELLS_OWED_MAX: usize = 4_096;

/// A device's bell rings once in this time at most, for whatever it is: a STAT's shortest step.
pub const BELL_APART_MS: u64 = 15_000;

/// And once in this time for urgent messages, which may come one behind the other.
pub const BELL_APART_URGENT_MS: u64 = 60_000;
