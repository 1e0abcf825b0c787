//! What is looked up by something else than its identifier: made from the rest, never stored.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::State;
use crate::conversation::{Conversation, Kind};
use crate::directory::{Device, PublicKey};
use crate::ids::{ConversationId, PersonId, UnitId};

impl State {
    pub(super) fn enter(&mut self, device: Device) {
        self.devices_of.entry(device.person).or_default().insert(device.id);
        self.keys.insert(device.key, device.id);
        self.devices.insert(device.id, device);
    }

    pub(super) fn index(&mut self, conversation: &Conversation) {
        if let Some(unit) = conversation.unit.filter(|_| conversation.kind == Kind::Channel) {
            self.channels.entry(unit).or_default().insert(conversation.id);
        }
        if conversation.purged {
            return;
        }
        for (person, _) in conversation.present() {
            self.count_in(conversation, person);
        }
        if let Some(pair) = conversation.pair() {
            self.directs.insert(pair, conversation.id);
        }
    }

    /// A unit's channels, purged ones too, in order.
    pub fn channels_of(&self, unit: UnitId) -> impl Iterator<Item = ConversationId> + '_ {
        self.channels_behind(unit, (Bound::Unbounded, Bound::Unbounded))
    }

    /// Those of them within these bounds.
    pub(crate) fn channels_behind(
        &self,
        unit: UnitId,
        bounds: (Bound<ConversationId>, Bound<ConversationId>),
    ) -> impl Iterator<Item = ConversationId> + '_ {
        self.channels.get(&unit).into_iter().flat_map(move |channels| channels.range(bounds)).copied()
    }

    /// The one conversation of two people, if they have one that is not purged.
    pub fn direct(&self, a: PersonId, b: PersonId) -> Option<ConversationId> {
        self.directs.get(&(a.min(b), a.max(b))).copied()
    }

    /// Where this person is a member.
    pub fn memberships(&self, person: PersonId) -> impl Iterator<Item = ConversationId> + '_ {
        self.memberships.get(&person).into_iter().flatten().copied()
    }

    /// In how many conversations this person is a member.
    pub fn membership_count(&self, person: PersonId) -> usize {
        self.memberships.get(&person).map_or(0, BTreeSet::len)
    }

    /// In how many of the owner's groups the person is.
    pub fn groups_shared(&self, owner: PersonId, person: PersonId) -> u32 {
        self.shared.get(&(owner, person)).copied().unwrap_or(0)
    }

    /// The person is in this conversation from now on.
    pub(super) fn count_in(&mut self, conversation: &Conversation, person: PersonId) {
        let is_new = self.memberships.entry(person).or_default().insert(conversation.id);
        if let Some(owner) = conversation.group_of().filter(|_| is_new) {
            *self.shared.entry((owner, person)).or_default() += 1;
        }
    }

    /// The person is not in it any more, or it was purged.
    pub(super) fn count_out(&mut self, id: ConversationId, group_of: Option<PersonId>, person: PersonId) {
        let Some(conversations) = self.memberships.get_mut(&person) else { return };
        if !conversations.remove(&id) {
            return;
        }
        if conversations.is_empty() {
            self.memberships.remove(&person);
        }
        let shared = group_of.map(|owner| (owner, person));
        if let Some(shared) = shared
            && let Some(count) = self.shared.get_mut(&shared)
        {
            *count -= 1;
            if *count == 0 {
                self.shared.remove(&shared);
            }
        }
    }

    /// This person's devices, revoked ones included.
    pub fn devices_of(&self, person: PersonId) -> impl Iterator<Item = &Device> {
        self.devices_of.get(&person).into_iter().flatten().filter_map(|id| self.devices.get(id))
    }

    /// The device that this key is of.
    pub fn device_with(&self, key: &PublicKey) -> Option<&Device> {
        self.keys.get(key).and_then(|id| self.devices.get(id))
    }
}
