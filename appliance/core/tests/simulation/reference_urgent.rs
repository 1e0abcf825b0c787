//! The reference's rules for urgent messages that nobody has seen: of which it is known, and until when.

use wardline_core::ids::{ConversationId, PersonId, UnitId};
use wardline_core::wire::proto;

use crate::reference::{Conversation, Reference};

/// Of one unit at most.
const OF_UNIT_MAX: usize = 64;

impl Reference {
    /// On whose screens it would be.
    fn unit_of(&self, place: &Conversation) -> Option<UnitId> {
        if place.of_house || place.of_family {
            return None;
        }
        let stay = self.ward.clinic.stays.iter().find(|stay| stay.thread == place.id).map(|stay| stay.unit);
        let role = place.of_role.and_then(|role| self.ward.role(role)).map(|role| role.unit);
        place.unit.or(stay.filter(|_| place.of_patient)).or(role)
    }

    /// Seconds; a unit's, else the facility's, else five minutes.
    fn urgent_wait(&self, unit: UnitId) -> u32 {
        let of = |unit| self.ward.urgent_waits.iter().find(|(of, _)| *of == unit).map(|(_, wait)| *wait);
        of(Some(unit)).or_else(|| of(None)).unwrap_or(300)
    }

    /// Somebody spoke: what others said before is seen. What they said waits, if it is urgent.
    pub(crate) fn spoken(&mut self, place: ConversationId, me: PersonId, priority: proto::Priority) {
        let Some(conversation) = self.ward.conversation_mut(place) else { return };
        conversation
            .said
            .iter_mut()
            .filter(|saying| saying.author != me)
            .for_each(|saying| saying.unseen = false);
        let Some(conversation) = self.ward.conversation(place) else { return };
        let Some(unit) = self.unit_of(conversation).filter(|_| priority == proto::Priority::Urgent) else {
            return;
        };
        let waiting = |place: &&Conversation| self.unit_of(place) == Some(unit);
        let all = self.ward.conversations.iter().filter(waiting).flat_map(|place| &place.said);
        let is_full = all.filter(|saying| saying.unseen).count() >= OF_UNIT_MAX;
        if self.urgent_wait(unit) == 0 || is_full {
            return;
        }
        if let Some(said) = self.ward.conversation_mut(place).and_then(|place| place.said.last_mut()) {
            said.unseen = true;
        }
    }

    /// Somebody has seen what is up to there.
    pub(crate) fn seen(&mut self, place: ConversationId, me: PersonId, through: u64) {
        let Some(conversation) = self.ward.conversation_mut(place) else { return };
        for (at, saying) in conversation.said.iter_mut().enumerate() {
            saying.unseen &= saying.author == me || at as u64 + 1 > through;
        }
    }

    /// Those that wait now, in order of place. What nobody can see any more does not wait, and does not again.
    pub(crate) fn unseen(&mut self) -> Vec<(ConversationId, u64)> {
        let mut all = Vec::new();
        for place in &mut self.ward.conversations {
            let is_closed = place.purged || place.archived;
            let (expired, members) = (place.expired_through, &place.members);
            for (at, saying) in place.said.iter_mut().enumerate() {
                let sequence = at as u64 + 1;
                let others = members.iter().any(|member| !member.left && member.person != saying.author);
                saying.unseen &= !is_closed && sequence > expired && !saying.recalled && others;
                if saying.unseen {
                    all.push((place.id, sequence));
                }
            }
        }
        all.sort_unstable();
        all
    }
}
