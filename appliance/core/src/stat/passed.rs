//! A role passes from one person to another, or ends, while a STAT rings for it.

use std::collections::BTreeSet;

use crate::audit::{Act, Actor};
use crate::conversation::Kind;
use crate::draft::Draft;
use crate::escalation::policy::Ring;
use crate::escalation::{Escalation, Reason, Stage, StatId};
use crate::ids::{Change, PersonId, RoleId};
use crate::stat::rings::{hush, show, tell};
use crate::stat::steps::{advance, resolve};
use crate::stat::{has, may_be_rung, step_of};
use crate::state::State;
use crate::write::Write;

/// What rings for the role rings for the new holder at once, and for the old one no more where it did so by the role alone. What
/// the old one has, or is coming for, stays theirs. The step's time goes on.
pub(crate) fn passed(draft: &mut Draft<'_>, role: RoleId, giver: PersonId, taker: PersonId) {
    let open = draft.state.escalations.values();
    let rings = open.filter(|open| open.stage.is_unanswered() && has_reached(open, role));
    for id in rings.map(|open| open.id).collect::<Vec<StatId>>() {
        pass(draft, id, role, giver, taker);
    }
}

/// Time has passed: of every role for which something rings a shift may have begun, or ended.
pub(crate) fn follow_all(draft: &mut Draft<'_>) {
    for id in ringing(draft.state) {
        follow(draft, id, None);
    }
}

/// Roles for which something rings that nobody has answered: some of a few STATs, or of [`crate::limits::ESCALATIONS_UNANSWERED_MAX`] at
/// the very most.
pub(crate) fn ringing(state: &State) -> BTreeSet<RoleId> {
    let open = state.escalations.values().filter(|open| open.stage.is_unanswered());
    let reached = open.flat_map(|open| open.stage.step().into_iter().flat_map(|step| reached(open, step)));
    let role = |ring| match ring {
        Ring::Role(role) => Some(role),
        _ => None,
    };
    reached.filter_map(role).collect()
}

/// Who holds the role has changed, or nobody does any more: what rings for it rings for whoever holds it now, and is silent for those
/// of `former` for whom it rang by the role alone; none: of everybody whom the rota names, whenever that was. What somebody has, or is coming for, stays theirs. The step's time goes on.
pub(crate) fn follow(draft: &mut Draft<'_>, role: RoleId, former: Option<&BTreeSet<PersonId>>) {
    let open = draft.state.escalations.values();
    let rings = open.filter(|open| open.stage.is_unanswered() && has_reached(open, role));
    for id in rings.map(|open| open.id).collect::<Vec<StatId>>() {
        follow_one(draft, id, role, former);
    }
}

fn follow_one(draft: &mut Draft<'_>, id: StatId, role: RoleId, former: Option<&BTreeSet<PersonId>>) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let stage = open.stage;
    let known = draft.state.roles.get(&role);
    let holders: Vec<PersonId> =
        known.map_or_else(Vec::new, |role| role.holders(draft.state, draft.now.wall).collect());
    // Asked last: a rota may name thousands, of whom it rings for a few.
    let had_it = |person: PersonId| match former {
        Some(former) => former.contains(&person),
        None => known.is_some_and(|role| role.all_named().any(|named| named == person)),
    };
    let goes = |person: &PersonId| {
        !holders.contains(person) && !has(draft, *person, id) && rings_by_role(draft, open, role, *person)
    };
    let off: Vec<PersonId> = open.callable().filter(|who| goes(who) && had_it(*who)).collect();
    let on: Vec<PersonId> = holders.iter().copied().filter(|who| is_new(draft, open, *who)).collect();
    moves(draft, (id, stage), (on, off), Act::StatFollowed(id.conversation, id.sequence, role));
}

/// It rings for some from now on, and for others no more.
fn moves(
    draft: &mut Draft<'_>,
    (id, stage): (StatId, Stage),
    (on, off): (Vec<PersonId>, Vec<PersonId>),
    act: Act,
) {
    if on.is_empty() && off.is_empty() {
        return;
    }
    let mut change = draft.state.change;
    if !on.is_empty() {
        change = draft.write(Write::EscalationMoved { id, stage, rang: on.clone() });
    }
    for person in off.iter().copied() {
        let (reason, step) = (Reason::HandedOver, step_of(stage));
        change = draft.write(Write::EscalationDeclined { id, person, reason, step });
    }
    draft.record(Actor::TheBox, act);
    on.into_iter().for_each(|person| show(draft, id, person));
    off.into_iter().for_each(|person| hush(draft, id, person));
    settle(draft, id, stage, change);
}

/// It does not ring for them, and would by the role: they have not said that they cannot.
fn is_new(draft: &Draft<'_>, open: &Escalation, person: PersonId) -> bool {
    let rings = open.callable().any(|called| called == person);
    let said_no = open
        .rung
        .get(&person)
        .is_some_and(|rung| !matches!(rung.declined, None | Some(Reason::Left | Reason::HandedOver)));
    person != open.sender && !rings && !said_no && may_be_rung(draft, person)
}

/// It goes on at once where nobody of the step is left.
fn settle(draft: &mut Draft<'_>, id: StatId, stage: Stage, change: Change) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let step = step_of(stage);
    let is_left = open.callable_at(step).next().is_some() || step >= open.last_step();
    match stage {
        Stage::Ringing { .. } if !is_left => advance(draft, id),
        _ => tell(draft, id, change),
    }
}

fn pass(draft: &mut Draft<'_>, id: StatId, role: RoleId, giver: PersonId, taker: PersonId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let stage = open.stage;
    let held = has(draft, giver, id);
    let off = !held && !still_holds(draft, role, giver) && rings_by_role(draft, open, role, giver);
    // Who has said that they cannot is not asked again because the role is theirs now.
    let on = is_new(draft, open, taker);
    let some = |is: bool, person: PersonId| is.then_some(person).into_iter().collect();
    let act = Act::StatPassed(id.conversation, id.sequence, giver, taker);
    moves(draft, (id, stage), (some(on, taker), some(off, giver)), act);
}

/// Whether a step that has begun rings for the role.
fn has_reached(open: &Escalation, role: RoleId) -> bool {
    open.stage.step().is_some_and(|step| reached(open, step).any(|ring| ring == Ring::Role(role)))
}

fn reached(open: &Escalation, step: u8) -> impl Iterator<Item = Ring> + '_ {
    open.policy.steps().iter().take(usize::from(step) + 1).map(|step| step.ring)
}

fn still_holds(draft: &Draft<'_>, role: RoleId, person: PersonId) -> bool {
    let role = draft.state.roles.get(&role);
    role.is_some_and(|role| role.holders(draft.state, draft.now.wall).any(|holder| holder == person))
}

/// Whether it rings for somebody by a role that they hold, or held, and by nothing else: they are not whom it was sent to, nor in
/// the patient's thread, nor of another step that has begun.
pub(crate) fn rings_by_role(draft: &Draft<'_>, open: &Escalation, role: RoleId, person: PersonId) -> bool {
    let Some(step) = open.stage.step().filter(|_| open.stage.is_unanswered()) else { return false };
    let rung = open.rung.get(&person).filter(|rung| rung.declined.is_none() && rung.step > 0);
    if rung.is_none() || !has_reached(open, role) {
        return false;
    }
    let place = draft.state.conversations.get(&open.id.conversation);
    if place.is_some_and(|place| place.kind == Kind::Patient && place.member(person).is_some()) {
        return false;
    }
    let mut others = reached(open, step).filter(|ring| *ring != Ring::Role(role));
    let cannot = |person| open.has_declined(person);
    !others.any(|ring| resolve(draft, (open.sender, open.unit), ring, cannot).contains(&person))
}
