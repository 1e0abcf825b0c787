//! Where a write is seen.

use super::Write;
use crate::ids::ConversationId;

impl Write {
    /// Patient threads that look different from now on.
    pub fn shows_in(&self) -> &[ConversationId] {
        match self {
            Self::PatientSet { thread, .. } => thread.as_slice(),
            Self::EncounterOpened(encounter) => std::slice::from_ref(&encounter.thread),
            Self::EncounterMoved { thread, .. }
            | Self::EncounterStanding { thread, .. }
            | Self::AttendingSet { thread, .. }
            | Self::ThreadClosed { thread, .. }
            | Self::EncounterFiled { thread, .. } => std::slice::from_ref(thread),
            _ => &[],
        }
    }
}
