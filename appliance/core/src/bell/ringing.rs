//! Whose bell rings, and when.
//!
//! For a STAT whenever it rings in the app; for an urgent message once, unless its reader does not want to be disturbed. Only
//! for people of whom no app was heard from the foreground just now, and for each device once in a time.
//!
//! Whoever has the app open is called there, and is owed the ring: put the phone away while nobody has answered, and it rings
//! then. What is owed is decided once, in the turn in which no app of theirs is open any more.

use std::collections::BTreeMap;

use crate::draft::Draft;
use crate::escalation::{Stage, StatId};
use crate::ids::{DeviceId, PersonId};
use crate::limits;
use crate::relay::{Relay, Timer};
use crate::state::State;
use crate::time::{Mono, Now};
use crate::turn::{Send, Turn};
use crate::write::Write;

/// The process that rings, when it was last asked to, and for whom it has to be yet.
#[derive(Default)]
pub(crate) struct Rung {
    /// The key by which push services know this box; `None` while nobody is there to ring.
    pub(crate) key: Option<[u8; 65]>,
    last: BTreeMap<DeviceId, Mono>,
    /// Who was called, and by what.
    owed: BTreeMap<(PersonId, StatId), Call>,
    /// Somebody may have put their phone away, or is called anew.
    is_stirred: bool,
    /// When the first app of those who are owed a ring will not have been heard for long enough.
    at: Option<Mono>,
}

/// By what somebody is called.
#[derive(Clone, Copy)]
enum Call {
    /// A step of a STAT.
    Stat,
    /// An urgent message, which was there to be seen after so long.
    Urgent { until: Mono },
}

impl Rung {
    /// Forgets those who may be rung again for anything.
    pub(crate) fn sweep(&mut self, now: Mono) {
        self.last.retain(|_, last| now < last.after(limits::BELL_APART_URGENT_MS));
    }

    pub(crate) fn len(&self) -> usize {
        self.last.len()
    }

    /// Rings that are owed.
    pub(crate) fn owed(&self) -> usize {
        self.owed.len()
    }

    /// A connection is gone, or somebody is there who rings.
    pub(crate) fn stir(&mut self) {
        self.is_stirred = true;
    }

    fn may_ring(&self, now: Mono, device: DeviceId, call: Call) -> bool {
        let apart_ms = match call {
            Call::Stat => limits::BELL_APART_MS,
            Call::Urgent { .. } => limits::BELL_APART_URGENT_MS,
        };
        self.last.get(&device).is_none_or(|last| now >= last.after(apart_ms))
    }

    fn owe(&mut self, person: PersonId, id: StatId, call: Call) {
        // Urgent messages leave room for STATs. Whoever finds none is rung at the next step.
        let room = match call {
            Call::Stat => limits::BELLS_OWED_MAX,
            Call::Urgent { .. } => limits::BELLS_OWED_MAX / 2,
        };
        if self.owed.len() < room {
            self.owed.insert((person, id), call);
            self.is_stirred = true;
        }
    }
}

/// A step rings in the app for everybody whom the STAT calls: on their closed ones too.
pub(crate) fn ring(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let people: Vec<PersonId> = open.callable().collect();
    people.into_iter().for_each(|person| ring_one(draft, id, person));
}

/// It calls this one besides. One that is held is silent, and rings anew when it goes on.
pub(crate) fn ring_one(draft: &mut Draft<'_>, id: StatId, person: PersonId) {
    if rings_for(draft.state, id, person) && has_bell(draft.state, person) {
        draft.bell.owe(person, id, Call::Stat);
    }
}

/// An urgent message has come.
pub(crate) fn ring_urgent(draft: &mut Draft<'_>, sender: PersonId, id: StatId) {
    if draft.state.bells.of.is_empty() {
        return;
    }
    let place = draft.state.conversations.get(&id.conversation).into_iter();
    let present = place.flat_map(|place| place.present().map(|(person, _)| person));
    let called = present.filter(|person| *person != sender && has_bell(draft.state, *person));
    let until = draft.now.mono.after(limits::BELL_APART_URGENT_MS);
    for person in called {
        draft.bell.owe(person, id, Call::Urgent { until });
    }
}

fn has_bell(state: &State, person: PersonId) -> bool {
    !state.bells.of.is_empty()
        && state.devices_of(person).any(|device| state.bells.of.contains_key(&device.id))
}

fn rings_for(state: &State, id: StatId, person: PersonId) -> bool {
    let open = state.escalations.get(&id).filter(|open| matches!(open.stage, Stage::Ringing { .. }));
    open.and_then(|open| open.rung.get(&person)).is_some_and(|rung| rung.declined.is_none())
}

/// Whether it calls them still. What is read, answered, over or too old calls nobody.
fn calls(state: &State, now: Now, (person, id): (PersonId, StatId), call: Call) -> bool {
    match call {
        Call::Stat => rings_for(state, id, person),
        Call::Urgent { until } => {
            let place = state.conversations.get(&id.conversation).filter(|place| !place.purged);
            let is_unread = place.and_then(|place| place.member(person));
            now.mono < until && is_unread.is_some_and(|member| member.read < id.sequence)
        }
    }
}

fn is_silent(state: &State, now: Now, person: PersonId) -> bool {
    let said = state.availability.people.get(&person);
    said.is_some_and(|said| said.silent_until(now.wall).is_some())
}

/// Rings for those who are owed it and have no app open. When somebody else of them will have none, if nothing is heard.
fn settle(draft: &mut Draft<'_>) -> Option<Mono> {
    let Draft { now, state, phones, bell, turn, .. } = draft;
    let (mut next, mut rung) = (None::<Mono>, 0);
    for (who, call) in std::mem::take(&mut bell.owed) {
        let (person, _) = who;
        if !calls(state, *now, who, call) {
            continue;
        }
        let open_until = phones.reachable_until(state, person, *now);
        let is_full = rung >= limits::BELLS_PER_TURN_MAX;
        if bell.key.is_none() || is_full || open_until.is_some() {
            let again = open_until.or_else(|| is_full.then(|| now.mono.after(limits::BELLS_AGAIN_MS)));
            next = next.into_iter().chain(again).min();
            bell.owed.insert(who, call);
            continue;
        }
        if matches!(call, Call::Urgent { .. }) && is_silent(state, *now, person) {
            continue;
        }
        let devices = state.devices_of(person).map(|device| device.id);
        let held = devices.filter_map(|device| Some((device, state.bells.of.get(&device)?)));
        for (device, of) in held {
            if bell.may_ring(now.mono, device, call) {
                bell.last.insert(device, now.mono);
                turn.sends.push(Send::RingBell { device, bell: Box::new(of.clone()) });
                rung += 1;
            }
        }
    }
    next
}

impl Relay {
    /// A turn, or time, may have called somebody, or closed the last app of whoever was called.
    pub(crate) fn follow_bells(&mut self, now: Now, turn: &mut Turn) {
        let ends = |write: &Write| matches!(write, Write::SessionLocked(_) | Write::SessionEnded { .. });
        let is_due = self.bell.at.is_some_and(|at| at <= now.mono);
        let is_stirred = std::mem::take(&mut self.bell.is_stirred);
        let is_stirred = is_stirred || is_due || turn.writes.iter().any(|numbered| ends(&numbered.write));
        if !is_stirred || self.bell.at.is_none() && self.bell.owed.is_empty() {
            return;
        }
        let next = settle(&mut self.draft(now, turn));
        if let Some(was) = std::mem::replace(&mut self.bell.at, next) {
            self.timers.remove(&(was, Timer::Bell));
        }
        self.timers.extend(next.map(|at| (at, Timer::Bell)));
    }
}
