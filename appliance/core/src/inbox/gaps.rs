//! When nobody will hold a role that has a rota: its unit's charge nurses are told a day ahead, once for each gap, and when they sign in
//! while it is ahead.

use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::escalation::policy::Ring;
use crate::ids::{Conn, PersonId, RequestId, RoleId};
use crate::inbox::InboxWrite;
use crate::limits;
use crate::role::{Role, may_hold};
use crate::rota::{Holders, Interval};
use crate::state::State;
use crate::time::Wall;
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Looks at one role, and tells what is new of it. Somebody who may not sign in fills no gap.
pub(crate) fn look(draft: &mut Draft<'_>, id: RoleId) {
    let Some(role) = draft.state.roles.get(&id) else { return };
    let gaps = ahead(draft.state, role, draft.now.wall);
    let known = draft.state.inboxes.gaps_of(id);
    let is_known = |gap: &Interval| known.iter().any(|known| known.within(*gap).is_some());
    let new: Vec<Interval> = gaps.iter().copied().filter(|gap| !is_known(gap)).collect();
    // One that only goes by is none that is new, nor one that is mended.
    let mended =
        !known.is_empty() && !known.iter().any(|known| gaps.iter().any(|gap| known.within(*gap).is_some()));
    if new.is_empty() && !mended {
        return;
    }
    draft.write(Write::Inbox(InboxWrite::GapsFlagged { role: id, gaps }));
    for gap in new {
        draft.record(Actor::TheBox, Act::RoleGapFlagged(id, gap.start));
        tell(draft, id, gap);
    }
}

/// Gaps that begin within [`limits::ROLE_GAP_AHEAD_MS`], each to its end as far as that is known. None of a role that nobody holds
/// now or in the next [`limits::ROTA_AHEAD_MS`]: it has no rota.
fn ahead(state: &State, role: &Role, now: Wall) -> Vec<Interval> {
    let soon = now.after(limits::ROLE_GAP_AHEAD_MS);
    let is_gap = |holders: &Holders| !holders.people().any(|person| holds(state, person));
    if role.retired || !role.rota.timeline(now, soon).any(|(_, holders)| is_gap(&holders)) {
        return Vec::new();
    }
    let (mut gaps, mut held): (Vec<Interval>, bool) = (Vec::new(), false);
    for (when, holders) in role.rota.timeline(now, now.after(limits::ROTA_AHEAD_MS)) {
        let is_gap = is_gap(&holders);
        held |= !is_gap;
        match gaps.last_mut() {
            Some(last) if is_gap && last.end == when.start => last.end = when.end,
            _ if is_gap => gaps.push(when),
            _ if when.start >= soon => break,
            _ => {}
        }
    }
    gaps.retain(|gap| held && gap.start < soon);
    gaps.truncate(limits::ROLE_GAPS_FLAGGED_MAX);
    gaps
}

fn holds(state: &State, person: PersonId) -> bool {
    state.people.get(&person).is_some_and(may_hold)
}

/// When somebody will hold it, in the next [`limits::ROTA_AHEAD_MS`].
pub(super) fn next_held(state: &State, role: &Role, now: Wall) -> Option<Wall> {
    let mut timeline = role.rota.timeline(now, now.after(limits::ROTA_AHEAD_MS));
    let next = timeline.find(|(_, holders)| holders.people().any(|person| holds(state, person)));
    next.map(|(when, _)| when.start)
}

fn tell(draft: &mut Draft<'_>, id: RoleId, gap: Interval) {
    let Some((unit, body)) = shown(draft.state, id, gap) else { return };
    let nurses = draft.state.staff_of(unit, false).filter_map(|person| draft.attached.get(&person));
    let conns: Vec<Conn> = nurses.flatten().copied().collect();
    for conn in conns {
        draft.send(Send::Reply { conn, request: RequestId::NONE, body: body.clone() });
    }
}

/// A charge nurse is there: what is ahead, or goes on, of the roles of her units.
pub(crate) fn tell_anew(state: &State, turn: &mut Turn, now: Wall, conn: Conn, person: PersonId) {
    let leads = |role: &RoleId| {
        let unit = state.roles.get(role).map(|role| role.unit);
        unit.is_some_and(|unit| state.staff_of(unit, false).any(|nurse| nurse == person))
    };
    for (role, gaps) in state.inboxes.gaps.iter().filter(|(role, _)| leads(role)) {
        for gap in gaps.iter().filter(|gap| gap.end > now) {
            if let Some((_, body)) = shown(state, *role, *gap) {
                turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body });
            }
        }
    }
}

fn shown(state: &State, id: RoleId, gap: Interval) -> Option<(crate::ids::UnitId, Body)> {
    let role = state.roles.get(&id)?;
    let rings = state.policies.values().flat_map(|policy| policy.steps());
    let body = Body::RoleGapAhead(proto::RoleGapAhead {
        role: id.value(),
        unit: role.unit.value(),
        name: role.name.reveal().to_owned(),
        start: gap.start.0,
        end: gap.end.0,
        rung: rings.into_iter().any(|step| step.ring == Ring::Role(id)),
    });
    Some((role.unit, body))
}
