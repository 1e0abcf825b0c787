//! Who should see which patient's thread at which moment, out of the roster on the wall and nothing of the core's.

use std::collections::BTreeMap;

use wardline_core::ids::{ConversationId, PersonId};
use wardline_core::time::Wall;

/// Beds of a person from then until before then.
pub(crate) struct Duty {
    pub(crate) who: PersonId,
    pub(crate) beds: Vec<u32>,
    pub(crate) from: Wall,
    pub(crate) until: Wall,
}

#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) duties: Vec<Duty>,
    /// Where the patient of a thread has lain, and since when.
    pub(crate) lay: BTreeMap<ConversationId, Vec<(Wall, u32)>>,
    /// Who answers for a patient.
    pub(crate) attends: BTreeMap<ConversationId, PersonId>,
}

impl Plan {
    /// Somebody's duty is theirs to its end, of whoever lay in one of their beds while it lasted.
    pub(crate) fn may_see(&self, who: PersonId, thread: ConversationId, at: Wall) -> bool {
        if self.attends.get(&thread) == Some(&who) {
            return true;
        }
        let Some(lay) = self.lay.get(&thread) else { return false };
        self.duties.iter().filter(|duty| duty.who == who && duty.from <= at && at < duty.until).any(|duty| {
            lay.iter().enumerate().any(|(index, (since, bed))| {
                let left = lay.get(index + 1).map_or(Wall(i64::MAX), |(next, _)| *next);
                duty.beds.contains(bed) && *since <= at && left > duty.from
            })
        })
    }

    /// A duty of theirs ends at this very moment.
    pub(crate) fn ends_at(&self, who: PersonId, at: Wall) -> bool {
        self.duties.iter().any(|duty| duty.who == who && duty.until == at)
    }

    pub(crate) fn threads_of(&self, who: PersonId, at: Wall) -> Vec<ConversationId> {
        let threads = self.lay.keys().filter(|thread| self.may_see(who, **thread, at));
        threads.copied().collect()
    }
}
