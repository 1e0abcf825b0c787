//! How a facility and its units escalate.

use crate::agency;
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::escalation::policy::{EscalationPolicy, Ring};
use crate::ids::UnitId;
use crate::refusal::Refusal;
use crate::stat::may_be_rung;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// How a facility or a unit escalates.
pub(crate) fn set_policy(
    draft: &mut Draft<'_>,
    by: Actor,
    unit: Option<UnitId>,
    policy: Option<EscalationPolicy>,
) -> Result<Body, Refusal> {
    if let Some(unit) = unit {
        draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    }
    for step in policy.iter().flat_map(|policy| policy.steps()) {
        if let Ring::Person(person) = step.ring {
            draft.state.people.get(&person).map_or(Ok(()), agency::may_stay)?;
        }
        let is_there = match (step.ring, unit) {
            (Ring::Person(person), _) => may_be_rung(draft, person),
            (Ring::Role(role), _) => {
                let role = draft.state.roles.get(&role).ok_or(Refusal::NoSuchRole)?;
                if role.retired {
                    return Err(Refusal::RoleRetired);
                }
                role.rota.gaps_ahead(draft.now.wall).next().is_none()
            }
            (Ring::ChargeNurses, Some(unit)) => draft.state.staff_of(unit, false).next().is_some(),
            (Ring::UnitStaff, Some(unit)) => draft.state.staff_of(unit, true).next().is_some(),
            _ => true,
        };
        if !is_there {
            return Err(Refusal::StepRingsNobody);
        }
    }
    if draft.state.policies.get(&unit) != policy.as_ref() {
        draft.write(Write::EscalationPolicySet { unit, policy });
        draft.record(by, Act::EscalationPolicySet(unit));
    }
    Ok(Body::Done(proto::Done {}))
}

/// Every policy that was set, and what is followed where none was.
pub(crate) fn list_policies(draft: &Draft<'_>) -> Body {
    let standard = draft.state.policy_of(None).to_wire(0);
    let set = draft.state.policies.iter();
    let set = set.filter_map(|(unit, policy)| unit.map(|unit| policy.to_wire(unit.value())));
    let policies = std::iter::once(standard).chain(set).collect();
    Body::EscalationPolicies(proto::EscalationPolicies { policies })
}
