//! Suspending somebody: what ends, who confirms it, and what they leave behind.
//!
//! A charge nurse's suspension waits for an administrator, who confirms or reverses it. It works at once all the same, and nothing
//! that a clock does lets anybody in again: after [`limits::SUSPENSION_WAITS_MS`] it is overdue, and they stay out.

use std::collections::BTreeSet;
use std::ops::Bound;

use minicbor::{Decode, Encode};

use crate::access::{Permit, Relation, Relations};
use crate::admin;
use crate::assignment;
use crate::audit::{Act, Actor};
use crate::availability;
use crate::clinic::Assignment;
use crate::directory::Person;
use crate::draft::Draft;
use crate::emergency;
use crate::escalation::Escalation;
use crate::ids::{Conn, PersonId, RequestId, UnitId};
use crate::kept;
use crate::limits;
use crate::particulars::Bed;
use crate::refusal::Refusal;
use crate::role::{self, Role};
use crate::stat;
use crate::state::State;
use crate::task;
use crate::time::Wall;
use crate::turn::Send;
use crate::wire::person;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

/// A suspension that no administrator has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Waiting {
    /// The charge nurse whose it is.
    #[n(0)]
    pub by: PersonId,
    /// Since when.
    #[n(1)]
    pub since: Wall,
    /// Nobody has confirmed it in time.
    #[n(2)]
    pub overdue: bool,
}

impl Waiting {
    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// What is behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }
}

/// A request about who leaves. Every field has been parsed.
pub enum Leaving {
    /// Somebody's access ends; the answer says what they leave behind.
    Suspend {
        /// Whose.
        person: PersonId,
    },
    /// A charge nurse's suspension is confirmed or reversed.
    Decide {
        /// Whose.
        person: PersonId,
        /// Else they are let in again.
        confirmed: bool,
    },
    /// A page of those that wait.
    List {
        /// Behind this one; none from the start.
        after: Option<PersonId>,
    },
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body) -> Result<Leaving, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::Suspend(suspend) => Leaving::Suspend { person: person(suspend.person)? },
        Body::DecideSuspension(decide) => {
            Leaving::Decide { person: person(decide.person)?, confirmed: decide.confirmed }
        }
        Body::ListSuspensions(list) => {
            Leaving::List { after: if list.after == 0 { None } else { Some(person(list.after)?) } }
        }
        _ => return Err(Refusal::UnknownRequest),
    })
}

/// Whether a suspension by somebody who is this waits for an administrator.
pub(crate) fn waits(is: Relations) -> bool {
    !is.has(Relation::Administrator) && !is.has(Relation::BoxService)
}

/// Suspends somebody, or lets them in again. `waits`: an administrator is to confirm it.
pub(crate) fn set_standing(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    suspended: bool,
    waits: bool,
) -> Result<(), Refusal> {
    let entry = draft.state.colleague(person)?;
    let over = entry.agency.as_ref().is_some_and(|agency| !agency.is_running());
    let was = if over { entry.barred } else { entry.suspended };
    // Their time is over, and nobody suspended them: that is for an admission to mend.
    if over && !was && !suspended {
        return Err(Refusal::NotAgency);
    }
    if was == suspended {
        return Ok(());
    }
    let (from_agency, did_wait) = (entry.agency.is_some(), entry.waits.is_some());
    let mut change = draft.state.change;
    if from_agency {
        change = draft.write(Write::BarredSet { person, barred: suspended });
    }
    if !over {
        change = draft.write(Write::StandingSet { person, suspended });
    }
    draft.record(
        permit.by(),
        if suspended { Act::PersonSuspended(person) } else { Act::PersonRestored(person) },
    );
    match permit.by() {
        Actor::Person { person: by, .. } if suspended && waits => {
            let waits = Waiting { by, since: draft.now.wall, overdue: false };
            change = draft.write(Write::SuspensionWaits { person, waits: Some(waits) });
        }
        _ if did_wait => change = draft.write(Write::SuspensionWaits { person, waits: None }),
        _ => {}
    }
    if suspended {
        admin::end_sessions(draft, permit, person);
    }
    draft.announce_person(change, person);
    if suspended {
        // First, so that what rings on meanwhile finds whom the rota names.
        role::offer::end_all(draft, permit, person, None);
        role::end_all(draft, permit, person, None);
        assignment::end_all(draft, permit, person, None);
        emergency::end_all(draft, permit, person);
        availability::end(draft, permit, person);
    }
    if did_wait || suspended && waits {
        tell_administrators(draft);
    }
    Ok(())
}

/// An administrator has looked at a charge nurse's suspension.
pub(crate) fn decide(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    confirmed: bool,
) -> Result<Body, Refusal> {
    let entry = draft.state.colleague(person)?;
    entry.waits.ok_or(Refusal::NoSuchSuspension)?;
    if confirmed {
        draft.write(Write::SuspensionWaits { person, waits: None });
        draft.record(permit.by(), Act::SuspensionConfirmed(person));
        tell_administrators(draft);
    } else {
        draft.record(permit.by(), Act::SuspensionReversed(person));
        set_standing(draft, permit, person, false, false)?;
    }
    Ok(Body::Done(proto::Done {}))
}

/// Nobody has decided in time: they stay out, and it is said.
pub(crate) fn overdue(draft: &mut Draft<'_>, person: PersonId) {
    let waits = draft.state.people.get(&person).and_then(|entry| entry.waits);
    let Some(waits) = waits.filter(|waits| !waits.overdue) else { return };
    let waits = Some(Waiting { overdue: true, ..waits });
    draft.write(Write::SuspensionWaits { person, waits });
    draft.record(Permit::OF_TIME.by(), Act::SuspensionOverdue(person));
    tell_administrators(draft);
}

/// A page in the order of identifiers.
pub(crate) fn list(draft: &Draft<'_>, after: Option<PersonId>) -> Body {
    let behind =
        draft.state.people.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
    let waiting = behind.filter_map(|(person, entry)| Some((person, entry.waits?)));
    let mut suspensions: Vec<proto::Suspension> = waiting
        .take(limits::SUSPENSIONS_PAGE_MAX + 1)
        .map(|(person, waits)| proto::Suspension {
            person: person.value(),
            by: waits.by.value(),
            since: waits.since.0,
            overdue: waits.overdue,
        })
        .collect();
    let end = suspensions.len() <= limits::SUSPENSIONS_PAGE_MAX;
    suspensions.truncate(limits::SUSPENSIONS_PAGE_MAX);
    Body::SuspensionPage(proto::SuspensionPage { suspensions, end })
}

/// Every device of every administrator, locked or not, is told how many wait. No name.
pub(crate) fn tell_administrators(draft: &mut Draft<'_>) {
    let administrators = draft.state.people.values().filter(|entry| entry.administrator);
    let administrators: Vec<PersonId> = administrators.map(|entry| entry.id).collect();
    let conns = administrators.into_iter().flat_map(|person| draft.phones.of(draft.state, person));
    let told = told(draft.state);
    for conn in conns.collect::<Vec<Conn>>() {
        tell(draft, conn, told);
    }
}

/// A device is there: an administrator's is told what waits.
pub(crate) fn remind(draft: &mut Draft<'_>, conn: Conn, person: PersonId) {
    let administers = draft.state.people.get(&person).is_some_and(|entry| entry.administrator);
    if administers {
        let told = told(draft.state);
        if told.waiting > 0 {
            tell(draft, conn, told);
        }
    }
}

fn told(state: &State) -> proto::SuspensionsWaiting {
    let (mut waiting, mut overdue) = (0, 0);
    for waits in state.people.values().filter_map(|entry| entry.waits) {
        waiting += 1;
        overdue += u32::from(waits.overdue);
    }
    proto::SuspensionsWaiting { waiting, overdue }
}

fn tell(draft: &mut Draft<'_>, conn: Conn, told: proto::SuspensionsWaiting) {
    draft.send(Send::Reply { conn, request: RequestId::NONE, body: Body::SuspensionsWaiting(told) });
}

/// What somebody leaves behind who is suspended now, each with whom to give it to. Looked at before anything of it ends.
pub(crate) fn left_behind(state: &State, person: PersonId, now: Wall) -> proto::Suspended {
    if state.people.get(&person).is_none_or(|entry| entry.suspended) {
        return proto::Suspended::default();
    }
    let shifts = state.clinic.assignments.values().filter(|held| held.person == person);
    let stats = state.escalations.values().filter(|open| stat::rests_with(open, person));
    proto::Suspended {
        roles: state.roles.values().filter_map(|role| left_role(state, role, person, now)).collect(),
        shifts: shifts.map(|held| left_shift(state, held)).collect(),
        stats: stats.take(limits::STATS_LEFT_SHOWN_MAX).map(|open| left_stat(state, open, person)).collect(),
        waits: false,
        tasks: task::left_by(state, person),
    }
}

/// A role that they hold, or that its rota will give them. It goes to whoever else holds it now, then to whom it names next, then to a
/// charge nurse.
fn left_role(state: &State, role: &Role, person: PersonId, now: Wall) -> Option<proto::LeftRole> {
    let holds = role.rota.holders_at(now).contains(person);
    if !holds && !role.names(person, now) {
        return None;
    }
    let other = |at: Wall| role.holders(state, at).find(|who| *who != person);
    let next = || {
        let mut ahead = role.rota.timeline(now, now.after(limits::ROTA_AHEAD_MS));
        ahead.find_map(|(when, _)| other(when.start))
    };
    let successor = other(now).or_else(next).or_else(|| charge_nurse(state, role.unit, person));
    Some(proto::LeftRole { role: role.id.value(), now: holds, successor: value(successor) })
}

/// Beds go to whoever holds the nearest ones of the unit, as its beds are called in order; then to a charge nurse.
fn left_shift(state: &State, held: &Assignment) -> proto::LeftShift {
    let in_unit = || state.clinic.assignments.values().filter(|other| other.unit == held.unit);
    let occupied = state.clinic.beds_of(held.unit).map(|(bed, _)| bed);
    let beds: BTreeSet<&Bed> = occupied.chain(in_unit().flat_map(|other| &other.beds)).collect();
    let at = |bed: &Bed| beds.iter().position(|other| *other == bed).unwrap_or(0);
    let distance = |other: &Assignment| {
        if held.beds.is_empty() || other.beds.is_empty() {
            return 0;
        }
        let pairs = held.beds.iter().flat_map(|mine| other.beds.iter().map(move |theirs| (mine, theirs)));
        pairs.map(|(mine, theirs)| at(mine).abs_diff(at(theirs))).min().unwrap_or(usize::MAX)
    };
    let others = in_unit().filter(|other| other.person != held.person);
    let nearest = others.min_by_key(|other| (distance(other), other.person)).map(|other| other.person);
    proto::LeftShift {
        unit: held.unit.value(),
        beds: held.beds.iter().map(|bed| bed.reveal().to_owned()).collect(),
        whole_unit: held.beds.is_empty(),
        until: held.until.0,
        successor: value(nearest.or_else(|| charge_nurse(state, held.unit, held.person))),
    }
}

/// A STAT that they have rings again at once; most likely for whom it rang before and who did not say that they cannot.
fn left_stat(state: &State, open: &Escalation, person: PersonId) -> proto::LeftStat {
    let may = |who: &PersonId| *who != person && state.people.get(who).is_some_and(|entry| !entry.suspended);
    let nurse = || open.unit.and_then(|unit| charge_nurse(state, unit, person));
    proto::LeftStat {
        conversation: open.id.conversation.value(),
        sequence: open.id.sequence.0,
        unit: open.unit.map_or(0, UnitId::value),
        successor: value(open.callable().find(may).or_else(nurse)),
    }
}

/// Of a unit's charge nurses one who holds beds there now, else the first by identifier.
fn charge_nurse(state: &State, unit: UnitId, but: PersonId) -> Option<PersonId> {
    let may = |entry: &Person| !entry.suspended && entry.id != but;
    let nurses = state.staff_of(unit, false).filter(|who| state.people.get(who).is_some_and(may));
    let works = |who: &PersonId| {
        state.clinic.assignments.values().any(|held| held.person == *who && held.unit == unit)
    };
    nurses.min_by_key(|who| (!works(who), *who))
}

fn value(person: Option<PersonId>) -> u64 {
    person.map_or(0, PersonId::value)
}
