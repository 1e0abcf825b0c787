//! Units, and who works where. A post in a unit is what opens its channels, so whoever loses it is out of them in the same
//! turn.

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::admin;
use crate::agency;
use crate::assignment;
use crate::audit::{Act, Actor};
use crate::availability;
use crate::directory::{Post, Unit};
use crate::draft::Draft;
use crate::emergency;
use crate::ids::{Change, PersonId, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::membership;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role;
use crate::session::Draw;
use crate::state::State;
use crate::text::Name;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// A new unit, or another name for one.
pub(crate) fn set(
    draft: &mut Draft<'_>,
    permit: Permit,
    unit: Option<UnitId>,
    name: Name,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    let id = match unit {
        Some(id) => {
            let known = draft.state.units.get(&id).ok_or(Refusal::NoSuchUnit)?;
            if known.name == name {
                return Ok(Body::UnitSet(proto::UnitSet { unit: id.value() }));
            }
            id
        }
        None if draft.state.units.len() >= limits::UNITS_MAX => return Err(Refusal::Limit),
        None => {
            let mut id = UnitId::from_random(Draw::new(fresh).identifier());
            while draft.state.units.contains_key(&id) {
                id = id.following();
            }
            id
        }
    };
    let entry = Unit { id, name, changed: Change(0) };
    let news = entry.to_wire();
    let change = draft.write(Write::UnitSet(entry));
    draft.record(permit.by(), if unit.is_some() { Act::UnitRenamed(id) } else { Act::UnitAdded(id) });
    draft.tell_everybody(change, proto::event::Kind::Unit(news));
    Ok(Body::UnitSet(proto::UnitSet { unit: id.value() }))
}

/// Says what somebody is in a unit. A charge nurse decides who works there; who leads it, an administrator.
pub(crate) fn set_post(
    draft: &mut Draft<'_>,
    by: Actor,
    is: Relations,
    person: PersonId,
    unit: UnitId,
    post: Option<Post>,
) -> Result<Body, Refusal> {
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    let entry = draft.state.colleague(person)?;
    if entry.station.is_some() {
        return Err(Refusal::NoSuchPerson);
    }
    let was = entry.posts.get(&unit).copied();
    let leads = [was, post].contains(&Some(Post::ChargeNurse));
    let operation = if leads { Operation::NameChargeNurse } else { Operation::PlaceStaff };
    let permit = access::permit(operation, is, by)?;
    // A charge nurse who could make herself the superior of anybody could have a device of theirs.
    let by_administration = is.has(Relation::Administrator) || is.has(Relation::BoxService);
    let post = match (was, post) {
        (Some(Post::Lent), Some(Post::Staff)) if !by_administration => was,
        (None, Some(Post::Staff)) if !by_administration && has_device(draft.state, person) => {
            Some(Post::Lent)
        }
        _ => post,
    };
    if was == post {
        return Ok(Body::Done(proto::Done {}));
    }
    if post.is_some() && entry.suspended {
        return Err(Refusal::NoSuchPerson);
    }
    if post == Some(Post::ChargeNurse) && entry.privacy_officer {
        return Err(Refusal::DutiesExclude);
    }
    if post == Some(Post::ChargeNurse) {
        agency::may_stay(entry)?;
    }
    // Taking a post away keeps somebody out, and goes on whatever room there is.
    if post.is_some() && draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    if was.is_none() && entry.posts.len() >= limits::POSTS_MAX {
        return Err(Refusal::Limit);
    }
    if post.is_none() {
        end_post(draft, permit, person, unit);
        return Ok(Body::Done(proto::Done {}));
    }
    give_post(draft, permit, person, unit, post);
    if was == Some(Post::ChargeNurse) {
        admin::withdraw_issued(draft, permit, person);
    }
    Ok(Body::Done(proto::Done {}))
}

fn has_device(state: &State, person: PersonId) -> bool {
    state.devices_of(person).any(|device| !device.revoked)
}

fn give_post(draft: &mut Draft<'_>, permit: Permit, person: PersonId, unit: UnitId, post: Option<Post>) {
    let change = draft.write(Write::PostSet { person, unit, post });
    draft.record(permit.by(), Act::PostSet(person, unit, rank(post)));
    draft.announce_person(change, person);
}

/// Somebody does not work there any more: out of the unit's channels and beds in the same turn.
pub(crate) fn end_post(draft: &mut Draft<'_>, permit: Permit, person: PersonId, unit: UnitId) {
    let was = draft.state.people.get(&person).and_then(|entry| entry.posts.get(&unit)).copied();
    give_post(draft, permit, person, unit, None);
    if was == Some(Post::ChargeNurse) {
        admin::withdraw_issued(draft, permit, person);
    }
    let is_in = |id: &_| draft.state.conversations.get(id).is_some_and(|it| it.member(person).is_some());
    let channels: Vec<_> = draft.state.channels_of(unit).filter(is_in).collect();
    for channel in channels {
        membership::bring_in(draft, permit, channel, &[], &[person]);
    }
    assignment::end_all(draft, permit, person, Some(unit));
    role::offer::end_all(draft, permit, person, Some(unit));
    role::end_all(draft, permit, person, Some(unit));
    if !emergency::is_clinician(draft.state, person) {
        emergency::end_all(draft, permit, person);
    }
    availability::settle(draft, permit, person);
}

/// As the audit has it.
fn rank(post: Option<Post>) -> u32 {
    match post {
        None => 0,
        Some(Post::Staff) => 1,
        Some(Post::ChargeNurse) => 2,
        Some(Post::Lent) => 3,
    }
}

/// All of them: [`limits::UNITS_MAX`] fit a frame.
pub(crate) fn list(draft: &Draft<'_>) -> Body {
    Body::UnitList(proto::UnitList { units: draft.state.units.values().map(Unit::to_wire).collect() })
}
