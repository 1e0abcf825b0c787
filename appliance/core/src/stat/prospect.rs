//! What a STAT would do, before it is sent: who can be reached, when they were last heard of, what follows.

use std::collections::BTreeSet;

use crate::access::{self, Operation};
use crate::availability;
use crate::draft::{Draft, actor};
use crate::escalation::policy::Step;
use crate::ids::{Conn, ConversationId, PersonId, RequestId, UnitId};
use crate::input::Call;
use crate::limits;
use crate::refusal::Refusal;
use crate::session::Ready;
use crate::stat::plan;
use crate::stat::steps::resolve;
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};

/// Answers whom a STAT would reach here. Changes nothing and is no promise: it says when it was so.
pub(crate) fn prospect(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    who: &Ready,
    place: ConversationId,
    call: &Call,
) -> Result<(), Refusal> {
    draft.conversation_of(who, place)?;
    access::permit(Operation::AskReach, access::MEMBER, actor(who))?;
    let opening = plan(draft, who.person(), place, call)?;
    let on_duty = availability::on_duty(draft.state, draft.now.wall);
    let mut called: Vec<proto::Prospective> =
        opening.ring.iter().map(|person| prospective(draft, &on_duty, *person)).collect();
    called.truncate(limits::PROSPECT_PEOPLE_MAX);
    let step = |step: &Step| follows(draft, who.person(), opening.unit, step);
    let steps = opening.policy.steps().iter().skip(1).map(step).collect();
    let screens: Vec<PersonId> =
        opening.unit.into_iter().flat_map(|unit| draft.state.stations_of(unit)).collect();
    let stations_reachable = reachable(draft, &screens);
    let body = Body::Prospect(proto::Prospect {
        called,
        called_count: opening.ring.len() as u32,
        first_wait: opening.policy.steps().first().map_or(0, |first| first.wait_s).into(),
        steps,
        stations: screens.len() as u32,
        stations_reachable,
        dial: opening.policy.dial().reveal().to_owned(),
        unit: opening.unit.map_or(0, UnitId::value),
    });
    draft.send(Send::Reply { conn, request, body });
    Ok(())
}

pub(crate) fn prospective(
    draft: &Draft<'_>,
    on_duty: &BTreeSet<PersonId>,
    person: PersonId,
) -> proto::Prospective {
    let (reach, last) = draft.phones.reach(draft.state, person, draft.now);
    let said = draft.state.availability.people.get(&person);
    proto::Prospective {
        person: person.value(),
        reach: reach.to_wire().into(),
        heard_ago: last,
        silent_until: said.and_then(|said| said.silent_until(draft.now.wall)).map_or(0, |until| until.0),
        cover: said.and_then(|said| said.undisturbed?.cover).map_or(0, PersonId::value),
        off_site: availability::off_site(draft, person).unwrap_or_default(),
        on_duty: on_duty.contains(&person),
    }
}

fn follows(draft: &Draft<'_>, sender: PersonId, unit: Option<UnitId>, step: &Step) -> proto::ProspectiveStep {
    let people = resolve(draft, (sender, unit), step.ring, |_| false);
    proto::ProspectiveStep {
        step: Some(step.to_wire()),
        people: people.len() as u32,
        reachable: reachable(draft, &people),
    }
}

fn reachable(draft: &Draft<'_>, people: &[PersonId]) -> u32 {
    people.iter().filter(|person| draft.phones.is_reachable(draft.state, **person, draft.now)).count() as u32
}
