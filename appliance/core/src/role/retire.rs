//! A role that is needed no more. It stays, since the audit names it: nobody holds it, nothing is offered of it, nothing rings it.

use crate::access::{self, Operation, Relations};
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::escalation::policy::Ring;
use crate::ids::{RoleId, UnitId};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role::offer::{self, Fate, Offer};
use crate::role::{Role, done, role_of, to_unit};
use crate::rota::{Rota, Sources};
use crate::stat;
use crate::state::State;
use crate::wire::proto::server_frame::Body;
use crate::write::Write;

/// Not while a policy rings it, nor while it is told of the box's alarms. What rings for it by a policy of before goes on to whoever is next.
pub(super) fn retire(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    id: RoleId,
) -> Result<Body, Refusal> {
    let role = role_of(draft.state, id)?.clone();
    let permit = access::permit(Operation::RetireRole, is.and(to_unit(draft, by, role.unit)), by)?;
    if let Some(unit) = rung_by(draft.state, id) {
        return Err(Refusal::RoleIsRung(unit));
    }
    if draft.state.alarms.role == Some(id) {
        return Err(Refusal::RoleHearsAlarms);
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let former = role.all_named().collect();
    let rota = Rota::new(Sources::new(role.rota.sources().zone.clone())).map_err(Refusal::Rota)?;
    let mut role = Role { rota, retired: true, ..role };
    let offers: Vec<Offer> = std::mem::take(&mut role.offers);
    draft.write(Write::RoleSet(role));
    draft.record(permit.by(), Act::RoleRetired(id));
    offer::ended(draft, permit, id, &offers, Fate::Ended);
    stat::follow(draft, id, Some(&former));
    Ok(done(Some(id)))
}

/// A policy that rings it: whose.
fn rung_by(state: &State, id: RoleId) -> Option<Option<UnitId>> {
    let rings = |policy: &crate::escalation::policy::EscalationPolicy| {
        policy.steps().iter().any(|step| step.ring == Ring::Role(id))
    };
    state.policies.iter().find(|(_, policy)| rings(policy)).map(|(unit, _)| *unit)
}
