//! What a facility may set. Read once at start and passed down; nothing here is global.

/// The facility's choices for sessions, retention and administration.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Shown to a client before it signs in.
    pub facility: String,
    /// SHA-256 of the facility root's certificate: told to clients that cannot see it, browsers.
    pub facility_root: [u8; 32],
    /// A session with no act of the person for so long locks. Milliseconds; default 5 minutes.
    pub idle_lock_ms: u64,
    /// A session asks for the PIN again after so long in any case. Milliseconds; default 12 hours.
    pub session_ms: u64,
    /// A join code lives so long. Milliseconds; default 24 hours.
    pub join_code_ms: u64,
    /// While nobody has set it by kind of conversation ([`crate::retention::Rules`]): a message that every member has read goes
    /// after so long; one that somebody has not read, after twice as long.
    /// Milliseconds; default 30 days.
    pub retention_ms: u64,
    /// A discharged patient's thread takes new messages for so long. Milliseconds; default 24 hours.
    pub thread_grace_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            facility: "Wardline".to_owned(),
            facility_root: [0; 32],
            idle_lock_ms: 5 * 60_000,
            session_ms: 12 * 3_600_000,
            join_code_ms: 24 * 3_600_000,
            retention_ms: 30 * 24 * 3_600_000,
            thread_grace_ms: 24 * 3_600_000,
        }
    }
}
