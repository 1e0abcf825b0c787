//! Urgent messages that nobody has seen: a unit's station screens show how many wait and since when, and sound softly. No name and no
//! text, as with STAT.
//!
//! ```text
//! sent ----the unit's wait----> shown on its screens
//!   \                            /
//!    +--read, answered, recalled, expired, closed--> over
//! ```
//!
//! That a message waits is a write, and so is that it does no more: both survive a restart. That it is shown is none: it follows from
//! how long it has waited and what its unit's policy says now. Which unit that is follows from where its conversation is, so a patient
//! who is transferred takes it along. Nobody is called by it and nothing goes on to anybody: for that there is STAT.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::conversation::{Conversation, Kind};
use crate::draft::Draft;
use crate::escalation::{Priority, StatId};
use crate::ids::{Conn, ConversationId, PersonId, RequestId, Sequence, UnitId};
use crate::limits;
use crate::reach::Phones;
use crate::refusal::Fault;
use crate::relay::{Relay, Timer};
use crate::state::State;
use crate::time::{Mono, Now, Wall};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::{Message, Write};

/// An urgent message that none of those for whom it is has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct UrgentWait {
    /// Which.
    #[n(0)]
    pub id: StatId,
    /// Whose: their own look at it does not count.
    #[n(1)]
    pub sender: PersonId,
    /// When the box took it.
    #[n(2)]
    pub at: Wall,
}

/// A durable change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum UrgentWrite {
    /// It waits.
    #[n(1)]
    Waits(#[n(0)] UrgentWait),
    /// It does no more.
    #[n(2)]
    Over(#[n(0)] StatId),
}

/// Those that wait, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrgentWaits(BTreeMap<StatId, UrgentWait>);

impl UrgentWaits {
    /// What a store hands back. One that is about nothing is a fault.
    pub(crate) fn restore(waits: Vec<UrgentWait>, state: &State) -> Result<Self, Fault> {
        let is_there = |wait: &UrgentWait| {
            let place = state.conversations.get(&wait.id.conversation);
            place.is_some_and(|place| !place.purged && wait.id.sequence <= place.last)
        };
        if !waits.iter().all(is_there) {
            return Err(Fault::Inconsistent("an urgent message waits that is not there"));
        }
        Ok(Self(waits.into_iter().map(|wait| (wait.id, wait)).collect()))
    }

    /// In order of place.
    pub fn all(&self) -> impl Iterator<Item = &UrgentWait> {
        self.0.values()
    }

    /// Whether this one is among them.
    pub(crate) fn waits(&self, id: StatId) -> bool {
        self.0.contains_key(&id)
    }

    fn of(&self, conversation: ConversationId) -> impl Iterator<Item = &UrgentWait> {
        let from = StatId { conversation, sequence: Sequence::NONE };
        let waits = self.0.range(from..).map(|(_, wait)| wait);
        waits.take_while(move |wait| wait.id.conversation == conversation)
    }

    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::Urgent(UrgentWrite::Waits(wait)) => {
                self.0.insert(wait.id, *wait);
            }
            Write::Urgent(UrgentWrite::Over(id)) => {
                self.0.remove(id);
            }
            Write::KeyDestroyed { conversation } => self.0.retain(|id, _| id.conversation != *conversation),
            _ => {}
        }
    }
}

/// What the relay knows of them beside the state: for how long each has waited by the steady clock, and where it is shown.
#[derive(Default)]
pub(crate) struct Urgents {
    /// When it was first seen by this clock, and how long it had waited then. Milliseconds.
    seen: BTreeMap<StatId, (Mono, u64)>,
    shown: BTreeMap<StatId, UnitId>,
    at: Option<Mono>,
}

impl Urgents {
    /// Those that waited when the box stopped: for as long as the wall clock says, never less than nothing.
    pub(crate) fn take_up(state: &State, now: Now) -> Self {
        let passed = |at: Wall| u64::try_from(now.wall.0.saturating_sub(at.0)).unwrap_or(0);
        let seen = state.urgents.all().map(|wait| (wait.id, (now.mono, passed(wait.at)))).collect();
        Self { seen, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Its wait is over then, if the unit lets it wait for so long.
    fn due(&self, id: StatId, now: Mono, wait_ms: u64) -> Mono {
        let (seen, passed) = self.seen.get(&id).copied().unwrap_or((now, 0));
        seen.after(wait_ms.saturating_sub(passed))
    }
}

/// Whose screens it would be shown on. Family, announcements, and what no unit has, are shown nowhere.
fn unit_of(state: &State, place: &Conversation) -> Option<UnitId> {
    match place.kind {
        Kind::Channel => place.unit,
        Kind::Patient => state.clinic.of_thread(place.id).map(|stay| stay.unit),
        Kind::Role => state.roles.get(&state.inboxes.get(place.id)?.role).map(|role| role.unit),
        Kind::Direct | Kind::Group | Kind::Family | Kind::Broadcast => None,
    }
}

/// Nobody is there who could see it, or nothing to see.
fn is_void(state: &State, wait: &UrgentWait) -> bool {
    state.conversations.get(&wait.id.conversation).is_none_or(|place| {
        let others = place.present().filter(|(person, _)| *person != wait.sender);
        place.purged
            || place.archived
            || wait.id.sequence < place.first
            || others.count() == 0
            || unit_of(state, place).is_none()
    })
}

/// A message was taken: what it answers waits no more; and it waits itself, if it is urgent.
fn accepted(draft: &mut Draft<'_>, wait: UrgentWait, priority: Priority) {
    let id = wait.id;
    let answered = |one: &&UrgentWait| one.sender != wait.sender && one.id.sequence < id.sequence;
    let waits = draft.state.urgents.of(id.conversation).filter(answered);
    for id in waits.map(|wait| wait.id).collect::<Vec<_>>() {
        draft.write(Write::Urgent(UrgentWrite::Over(id)));
    }
    if priority != Priority::Urgent {
        return;
    }
    let unit = draft.state.conversations.get(&id.conversation).and_then(|place| unit_of(draft.state, place));
    let Some(unit) = unit.filter(|_| !is_void(draft.state, &wait)) else { return };
    let is_followed = draft.state.policy_of(Some(unit)).urgent_wait_ms().is_some();
    // A screen that shows so many is not made louder by one more.
    let of_unit = |one: &&UrgentWait| {
        let place = draft.state.conversations.get(&one.id.conversation);
        place.and_then(|place| unit_of(draft.state, place)) == Some(unit)
    };
    let waiting = &draft.state.urgents.0;
    let is_full = waiting.len() >= limits::URGENTS_MAX
        || waiting.values().filter(of_unit).count() >= limits::URGENTS_OF_UNIT_MAX;
    if is_followed && !is_full {
        draft.write(Write::Urgent(UrgentWrite::Waits(wait)));
    }
}

/// Somebody has seen what is up to here, and had seen less before. That a newcomer is not asked to read what was said before them is
/// no look of theirs.
pub(crate) fn read(draft: &mut Draft<'_>, person: PersonId, place: ConversationId, through: Sequence) {
    let seen = |wait: &&UrgentWait| wait.sender != person && wait.id.sequence <= through;
    let waits = draft.state.urgents.of(place).filter(seen);
    for id in waits.map(|wait| wait.id).collect::<Vec<_>>() {
        draft.write(Write::Urgent(UrgentWrite::Over(id)));
    }
}

impl Relay {
    /// A turn, or time, may have made an urgent message wait for long enough, or wait no more.
    pub(crate) fn follow_urgents(&mut self, now: Now, turn: &mut Turn, by_time: bool) {
        let (mut all, mut some) = (by_time, by_time);
        let (mut recalled, mut messages) = (Vec::new(), Vec::new());
        for numbered in &turn.writes {
            match &numbered.write {
                Write::MessageAccepted(message) => {
                    let Message { conversation, sequence, sender, at, priority, .. } = message;
                    let id = StatId { conversation: *conversation, sequence: *sequence };
                    messages.push((UrgentWait { id, sender: *sender, at: *at }, *priority));
                }
                Write::MessageRecalled { conversation, sequence, .. } => {
                    recalled.push(StatId { conversation: *conversation, sequence: *sequence });
                }
                Write::Urgent(_) => some = true,
                Write::MessagesExpired { .. }
                | Write::KeyDestroyed { .. }
                | Write::ArchivedSet { .. }
                | Write::ThreadClosed { .. }
                | Write::MemberLeft { .. }
                | Write::EncounterMoved { .. }
                | Write::EscalationPolicySet { .. } => all = true,
                _ => {}
            }
        }
        for (wait, priority) in messages {
            accepted(&mut self.draft(now, turn), wait, priority);
            some = true;
        }
        recalled.retain(|id| self.state.urgents.0.contains_key(id));
        if all {
            recalled.extend(
                self.state.urgents.all().filter(|wait| is_void(&self.state, wait)).map(|wait| wait.id),
            );
        }
        let over: BTreeSet<StatId> = recalled.into_iter().collect();
        some |= all || !over.is_empty();
        for id in over {
            self.draft(now, turn).write(Write::Urgent(UrgentWrite::Over(id)));
        }
        if some && !(self.state.urgents.0.is_empty() && self.urgents.seen.is_empty()) {
            self.show_urgents(now, turn);
        }
    }

    /// The screens show what is due, and nothing else; and somebody looks again when the next is.
    fn show_urgents(&mut self, now: Now, turn: &mut Turn) {
        let state = &self.state;
        self.urgents.seen.retain(|id, _| state.urgents.0.contains_key(id));
        let (mut due, mut next) = (BTreeMap::new(), None);
        for wait in state.urgents.all() {
            self.urgents.seen.entry(wait.id).or_insert((now.mono, 0));
            let place = state.conversations.get(&wait.id.conversation);
            let Some(unit) = place.and_then(|place| unit_of(state, place)) else { continue };
            let Some(wait_ms) = state.policy_of(Some(unit)).urgent_wait_ms() else { continue };
            let at = self.urgents.due(wait.id, now.mono, wait_ms);
            if at <= now.mono {
                due.insert(wait.id, unit);
            } else {
                next = next.into_iter().chain([at]).min();
            }
        }
        let was = std::mem::replace(&mut self.urgents.shown, due);
        for (id, unit) in &was {
            if self.urgents.shown.get(id) != Some(unit) {
                let over =
                    proto::UrgentOver { conversation: id.conversation.value(), sequence: id.sequence.0 };
                self.tell_screens(turn, *unit, &Body::UrgentOver(over));
            }
        }
        for (id, unit) in &self.urgents.shown {
            if was.get(id) != Some(unit) {
                let waits = waits(&self.state, *id, *unit);
                self.tell_screens(turn, *unit, &Body::UrgentWaits(waits));
            }
        }
        if let Some(was) = std::mem::replace(&mut self.urgents.at, next) {
            self.timers.remove(&(was, Timer::Urgent));
        }
        self.timers.extend(next.map(|at| (at, Timer::Urgent)));
    }

    fn tell_screens(&self, turn: &mut Turn, unit: UnitId, body: &Body) {
        for person in self.state.stations_of(unit) {
            let phones = Phones {
                held: &self.by_device,
                awaiting: &self.awaiting_pin,
                heard: &self.heard,
                bells: self.bell.key.is_some(),
            };
            for conn in phones.of(&self.state, person) {
                turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body: body.clone() });
            }
        }
    }

    /// A screen is there: what waits is shown on it too.
    pub(crate) fn urgents_for(&self, turn: &mut Turn, conn: Conn, person: PersonId) {
        let Some(unit) = self.state.people.get(&person).and_then(|entry| entry.station) else { return };
        for (id, _) in self.urgents.shown.iter().filter(|(_, of)| **of == unit) {
            let body = Body::UrgentWaits(waits(&self.state, *id, unit));
            turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body });
        }
    }
}

fn waits(state: &State, id: StatId, unit: UnitId) -> proto::UrgentWaits {
    proto::UrgentWaits {
        conversation: id.conversation.value(),
        sequence: id.sequence.0,
        unit: unit.value(),
        since: state.urgents.0.get(&id).map_or(0, |wait| wait.at.0),
        dial: state.policy_of(Some(unit)).dial().reveal().to_owned(),
    }
}
