//! Whose bell rings, and when.
//!
//! For a STAT whenever it rings in the app; for an urgent message once, unless its reader does not want to be disturbed. Only
//! for people of whom no app was heard from the foreground just now, and for each device once in a time.

use std::collections::BTreeMap;

use crate::draft::Draft;
use crate::ids::{ConversationId, DeviceId, PersonId};
use crate::limits;
use crate::time::Mono;
use crate::turn::Send;

/// The process that rings, and when it was last asked to.
#[derive(Default)]
pub(crate) struct Rung {
    /// The key by which push services know this box; `None` while nobody is there to ring.
    pub(crate) key: Option<[u8; 65]>,
    last: BTreeMap<DeviceId, Mono>,
}

impl Rung {
    /// Forgets those who may be rung again for anything.
    pub(crate) fn sweep(&mut self, now: Mono) {
        self.last.retain(|_, last| now < last.after(limits::BELL_APART_URGENT_MS));
    }

    pub(crate) fn len(&self) -> usize {
        self.last.len()
    }

    fn may_ring(&self, now: Mono, device: DeviceId, apart_ms: u64) -> bool {
        self.last.get(&device).is_none_or(|last| now >= last.after(apart_ms))
    }
}

/// It rings for these people in the app: on their closed ones too.
pub(crate) fn ring(draft: &mut Draft<'_>, people: &[PersonId]) {
    ring_apart(draft, people.iter().copied(), limits::BELL_APART_MS);
}

/// An urgent message has come.
pub(crate) fn ring_urgent(draft: &mut Draft<'_>, sender: PersonId, place: ConversationId) {
    if draft.state.bells.of.is_empty() {
        return;
    }
    let now = draft.now.wall;
    let is_silent = |person: &PersonId| {
        let said = draft.state.availability.people.get(person);
        said.is_some_and(|said| said.silent_until(now).is_some())
    };
    let place = draft.state.conversations.get(&place).into_iter();
    let present = place.flat_map(|place| place.present().map(|(person, _)| person));
    let people: Vec<PersonId> = present.filter(|person| *person != sender && !is_silent(person)).collect();
    ring_apart(draft, people.into_iter(), limits::BELL_APART_URGENT_MS);
}

fn ring_apart(draft: &mut Draft<'_>, people: impl Iterator<Item = PersonId>, apart_ms: u64) {
    let Draft { now, state, phones, bell, turn, .. } = draft;
    if bell.key.is_none() || state.bells.of.is_empty() {
        return;
    }
    let asleep = people.filter(|person| !phones.is_reachable(state, *person, *now));
    let devices = asleep.flat_map(|person| state.devices_of(person).map(|device| device.id));
    let held = devices.filter_map(|device| Some((device, state.bells.of.get(&device)?)));
    let due = held.filter(|(device, _)| bell.may_ring(now.mono, *device, apart_ms));
    let due: Vec<_> = due.take(limits::BELLS_PER_TURN_MAX).map(|(id, of)| (id, of.clone())).collect();
    for (device, of) in due {
        bell.last.insert(device, now.mono);
        turn.sends.push(Send::RingBell { device, bell: Box::new(of) });
    }
}
