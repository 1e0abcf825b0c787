//! From one step to the next.

use crate::audit::{Act, Actor};
use crate::availability;
use crate::draft::Draft;
use crate::escalation::policy::Ring;
use crate::escalation::{Escalation, Stage, StatId};
use crate::ids::{Change, PersonId, UnitId};
use crate::limits;
use crate::stat::rings::{ring_out, tell};
use crate::stat::{Clocks, may_be_rung};
use crate::time::{Now, Wall};
use crate::write::Write;

/// Time came for something of this escalation.
pub(crate) fn due(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    match open.stage {
        Stage::Ringing { step, .. } => {
            let is_over = draft.clocks.left_ms(id, draft.now.mono) == Some(0);
            let mut people = open.callable_at(step);
            if !is_over && people.any(|person| draft.phones.is_reachable(draft.state, person, draft.now)) {
                drop(people);
                draft.clocks.look_again(id, draft.now.mono);
            } else {
                drop(people);
                advance(draft, id);
            }
        }
        Stage::Held { .. } => {
            draft.record(Actor::TheBox, Act::StatHoldEnded(id.conversation, id.sequence));
            go_on(draft, id);
        }
        Stage::Accepted { .. } | Stage::Closed { .. } => {}
    }
}

/// What was held goes on where it stood.
pub(super) fn go_on(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let Stage::Held { step, passed_ms, .. } = open.stage else { return };
    let whole = open.step(step).map(|step| step.wait_ms());
    let since = Wall(draft.now.wall.0.saturating_sub_unsigned(passed_ms));
    let change =
        draft.write(Write::EscalationMoved { id, stage: Stage::Ringing { step, since }, rang: Vec::new() });
    match whole {
        Some(whole) => draft.clocks.begin(id, draft.now.mono, whole.saturating_sub(passed_ms)),
        None => draft.clocks.stop(id),
    }
    ring_out(draft, id);
    tell(draft, id, change);
}

/// It was answered and is not any more: the step at which it was goes on from its beginning, or the next where nobody of it
/// is left.
pub(super) fn resume(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let Some(step) = open.stage.step() else { return };
    let stage = Stage::Ringing { step, since: draft.now.wall };
    let left = open.callable_at(step).next().is_some();
    let is_last = step >= open.last_step();
    let change = draft.write(Write::EscalationMoved { id, stage, rang: Vec::new() });
    if left || is_last { begin_step(draft, id, change) } else { advance(draft, id) }
}

/// The next step at which somebody is there to ring for, or the station screens.
pub(super) fn advance(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let (now, last) = (open.stage.step().unwrap_or_default(), open.last_step());
    let next = (now + 1..last).find_map(|step| {
        let ring = open.step(step)?.ring;
        let mut people = resolve(draft, (open.sender, open.unit), ring, |person| open.has_declined(person));
        people.retain(|person| !open.rung.contains_key(person));
        (!people.is_empty()).then_some((step, people))
    });
    let (step, rang) = next.unwrap_or((last, Vec::new()));
    let stage = Stage::Ringing { step, since: draft.now.wall };
    let change = draft.write(Write::EscalationMoved { id, stage, rang });
    draft.record(Actor::TheBox, Act::StatStep(id.conversation, id.sequence, step.into()));
    begin_step(draft, id, change);
}

/// For whom a step rings, never for the sender, nor for a cover who `cannot`. Of very many, those who can be reached.
pub(super) fn resolve(
    draft: &Draft<'_>,
    (sender, unit): (PersonId, Option<UnitId>),
    ring: Ring,
    cannot: impl Fn(PersonId) -> bool,
) -> Vec<PersonId> {
    let staff = |all: bool| unit.into_iter().flat_map(move |unit| draft.state.staff_of(unit, all)).collect();
    let mut people: Vec<PersonId> = match ring {
        Ring::Addressees => Vec::new(),
        Ring::ChargeNurses => staff(false),
        Ring::UnitStaff => staff(true),
        Ring::Person(person) => vec![person],
        Ring::Role(role) => {
            let role = draft.state.roles.get(&role).into_iter();
            role.flat_map(|role| role.holders(draft.state, draft.now.wall)).collect()
        }
    };
    // A privacy officer counts as nobody of a unit.
    let is_officer =
        |person: &PersonId| draft.state.people.get(person).is_some_and(|entry| entry.privacy_officer);
    people.retain(|person| *person != sender && may_be_rung(draft, *person) && !is_officer(person));
    let mut people = availability::called(draft.state, people, sender, cannot);
    if people.len() > limits::RUNG_AT_ONCE_MAX {
        people.sort_by_cached_key(|person| {
            (!draft.phones.is_reachable(draft.state, *person, draft.now), *person)
        });
        people.truncate(limits::RUNG_AT_ONCE_MAX);
        people.sort_unstable();
    }
    people
}

pub(super) fn begin_step(draft: &mut Draft<'_>, id: StatId, change: Change) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let wait = open.stage.step().and_then(|step| open.step(step)).map(|step| step.wait_ms());
    match wait {
        Some(wait) => draft.clocks.begin(id, draft.now.mono, wait),
        None => draft.clocks.stop(id),
    }
    ring_out(draft, id);
    tell(draft, id, change);
}

/// After a restart: what was under way goes on.
pub(crate) fn take_up(clocks: &mut Clocks, escalation: &Escalation, now: Now) {
    let Some(left) = escalation.left_ms(now.wall) else { return };
    match escalation.stage {
        Stage::Held { .. } => clocks.end_in(escalation.id, now.mono, left),
        _ => clocks.take_up(escalation.id, now.mono, left),
    }
}
