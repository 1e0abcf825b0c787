//! What people do about their availability, and what ends it.

use crate::access::{self, Operation, Permit, Relations};
use crate::audit::{Act, Actor};
use crate::availability::{
    Availability, AvailabilityAsk, AvailabilityRefusal, AvailabilityWrite, Undisturbed, may_cover, on_duty,
};
use crate::draft::Draft;
use crate::escalation::StatId;
use crate::escalation::policy::Dial;
use crate::ids::{Conn, PersonId, RequestId};
use crate::limits;
use crate::reach::Reach;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::rota::Interval;
use crate::stat;
use crate::time::Wall;
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Decides a request of a signed-in person, or of a service of the box: that is nobody, and has no availability.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: AvailabilityAsk,
) -> Result<Body, Refusal> {
    let permit = |operation| access::permit(operation, is, by);
    let me = match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    let mine =
        |operation| permit(operation).and_then(|permit| Ok((permit, me.ok_or(Refusal::NoSuchPerson)?)));
    match ask {
        AvailabilityAsk::Undisturbed { until } => {
            let (permit, me) = mine(Operation::SetAvailability)?;
            undisturbed(draft, permit, me, until)?;
        }
        AvailabilityAsk::Quiet(quiet) => {
            let (permit, me) = mine(Operation::SetAvailability)?;
            let spans = quiet.as_ref().map_or(0, |quiet| quiet.parts().1.len() as u32);
            let now = said(draft, me);
            say(draft, permit, me, Availability { quiet, ..now }, Act::QuietHoursSet(me, spans))?;
        }
        AvailabilityAsk::Number(number) => {
            let (permit, me) = mine(Operation::SetAvailability)?;
            let act = Act::OffSiteNumberSet(me, u32::from(number != Dial::default()));
            let now = said(draft, me);
            say(draft, permit, me, Availability { number, ..now }, act)?;
        }
        AvailabilityAsk::Clear => {
            let (permit, me) = mine(Operation::SetAvailability)?;
            clear(draft, permit, me);
        }
        AvailabilityAsk::RefuseCover { person } => {
            let (permit, me) = mine(Operation::RefuseCover)?;
            if said(draft, person).undisturbed.and_then(|set| set.cover) != Some(me) {
                return Err(refused(AvailabilityRefusal::NotCovering));
            }
            uncover(draft, permit, person);
        }
        AvailabilityAsk::Look(people) => {
            permit(Operation::ListAvailability)?;
            return look(draft, me, &people);
        }
        AvailabilityAsk::Numbers(id) => return numbers(draft, by, id),
        AvailabilityAsk::Policy { cover_instead } => {
            let permit = permit(Operation::SetCoverPolicy)?;
            if draft.state.availability.cover_instead != cover_instead {
                draft.write(Write::Availability(AvailabilityWrite::CoverInstead(cover_instead)));
                draft.record(permit.by(), Act::CoverPolicySet(u32::from(cover_instead)));
            }
        }
    }
    Ok(Body::Done(proto::Done {}))
}

fn refused(why: AvailabilityRefusal) -> Refusal {
    Refusal::Availability(why)
}

fn said(draft: &Draft<'_>, person: PersonId) -> Availability {
    draft.state.availability.people.get(&person).cloned().unwrap_or_default()
}

fn undisturbed(
    draft: &mut Draft<'_>,
    permit: Permit,
    me: PersonId,
    until: Option<(Wall, Option<PersonId>)>,
) -> Result<(), Refusal> {
    let was = said(draft, me);
    let Some((until, cover)) = until else {
        if was.undisturbed.is_some() {
            disturb(draft, permit, me);
        }
        return Ok(());
    };
    let now = draft.now.wall;
    if until <= now || until > now.after(limits::UNDISTURBED_MAX_MS) {
        return Err(refused(AvailabilityRefusal::Until));
    }
    let said = &draft.state.availability;
    if said.covered_by(me).next().is_some() {
        return Err(refused(AvailabilityRefusal::Covering));
    }
    if let Some(cover) = cover {
        if !may_cover(draft.state, me, cover) {
            return Err(refused(AvailabilityRefusal::Cover));
        }
        if said.people.get(&cover).is_some_and(|said| said.undisturbed.is_some()) {
            return Err(refused(AvailabilityRefusal::CoverUndisturbed));
        }
        if said.covered_by(cover).filter(|(person, _)| *person != me).count() >= limits::COVERED_BY_ONE_MAX {
            return Err(refused(AvailabilityRefusal::CoverFull));
        }
    }
    let former = was.undisturbed.and_then(|set| set.cover).filter(|former| Some(*former) != cover);
    let set = Some(Undisturbed { since: now, until, cover });
    let act = Act::UndisturbedSet(me, until, cover);
    say(draft, permit, me, Availability { undisturbed: set, ..was }, act)?;
    // Who covers is told at once: they may refuse.
    cover.into_iter().chain(former).for_each(|person| tell(draft, person));
    Ok(())
}

/// Somebody says something else of themselves from now on.
fn say(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    availability: Availability,
    act: Act,
) -> Result<(), Refusal> {
    let was = said(draft, person);
    if was == availability {
        return Ok(());
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let begins = availability.undisturbed != was.undisturbed && availability.undisturbed.is_some();
    draft.write(Write::Availability(AvailabilityWrite::Said { person, availability, begins }));
    draft.record(permit.by(), act);
    tell(draft, person);
    Ok(())
}

/// To be disturbed again.
fn disturb(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let was = said(draft, person);
    let Some(set) = was.undisturbed else { return };
    let availability = Availability { undisturbed: None, ..was };
    draft.write(Write::Availability(AvailabilityWrite::Said { person, availability, begins: false }));
    draft.record(permit.by(), Act::UndisturbedEnded(person));
    tell(draft, person);
    set.cover.into_iter().for_each(|cover| tell(draft, cover));
}

/// Its time is over.
pub(crate) fn expire(draft: &mut Draft<'_>, person: PersonId) {
    disturb(draft, Permit::OF_TIME, person);
}

/// Nobody covers for them any more; they do not want to be disturbed all the same, and hear of it.
fn uncover(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let was = said(draft, person);
    let Some(set @ Undisturbed { cover: Some(cover), .. }) = was.undisturbed else { return };
    let availability = Availability { undisturbed: Some(Undisturbed { cover: None, ..set }), ..was };
    draft.write(Write::Availability(AvailabilityWrite::Said { person, availability, begins: false }));
    draft.record(permit.by(), Act::CoverEnded(person, cover));
    tell(draft, person);
    tell(draft, cover);
}

fn clear(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let was = said(draft, person);
    if was.is_empty() {
        return;
    }
    let availability = Availability::default();
    draft.write(Write::Availability(AvailabilityWrite::Said { person, availability, begins: false }));
    draft.record(permit.by(), Act::AvailabilityCleared(person));
    tell(draft, person);
    was.undisturbed.and_then(|set| set.cover).into_iter().for_each(|cover| tell(draft, cover));
}

/// Somebody may not sign in any more: nothing of what they said stands, and they cover for nobody.
pub(crate) fn end(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    clear(draft, permit, person);
    let covered: Vec<PersonId> =
        draft.state.availability.covered_by(person).map(|(covered, _)| covered).collect();
    covered.into_iter().for_each(|covered| uncover(draft, permit, covered));
}

/// Who works where has changed, or who reviews others: whoever is no colleague any more covers no more.
pub(crate) fn settle(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let pairs = draft.state.availability.undisturbed();
    let pairs = pairs.filter_map(|(covered, set)| Some((covered, set.cover?)));
    let of = |pair: &(PersonId, PersonId)| {
        (pair.0 == person || pair.1 == person) && !may_cover(draft.state, pair.0, pair.1)
    };
    let over: Vec<PersonId> = pairs.filter(of).map(|(covered, _)| covered).collect();
    over.into_iter().for_each(|covered| uncover(draft, permit, covered));
}

fn look(draft: &Draft<'_>, me: Option<PersonId>, people: &[PersonId]) -> Result<Body, Refusal> {
    let (now, on_duty) = (draft.now.wall, on_duty(draft.state, draft.now.wall));
    let mut told = Vec::with_capacity(people.len());
    for person in people {
        draft.state.colleague(*person)?;
        let said = said(draft, *person);
        let own = Some(*person) == me;
        told.push(proto::Availability {
            person: person.value(),
            on_duty: on_duty.contains(person),
            silent_until: said.silent_until(now).map_or(0, |until| until.0),
            undisturbed_until: said.undisturbed.map_or(0, |set| set.until.0),
            cover: said.undisturbed.and_then(|set| set.cover).map_or(0, PersonId::value),
            // Their habits are their own.
            quiet: said.quiet.filter(|_| own).map(|quiet| quiet.to_wire()),
            number: if own { said.number.reveal().to_owned() } else { String::new() },
        });
    }
    let cover_instead = draft.state.availability.cover_instead;
    Ok(Body::AvailabilityPage(proto::AvailabilityPage { people: told, cover_instead }))
}

/// Where those are called off site for whom a STAT rings and who are not here: for whoever has to do with it. On record.
fn numbers(draft: &mut Draft<'_>, by: Actor, id: StatId) -> Result<Body, Refusal> {
    let Actor::Person { person, .. } = by else {
        return Err(Refusal::NotPermitted(Operation::ReadNumbers));
    };
    let open = stat::known_to_noter(draft, person, id)?;
    let is = access::to_stat(draft.state, person, open);
    let permit = access::permit(Operation::ReadNumbers, is, by)?;
    let numbers: Vec<proto::OffSiteNumber> = open
        .callable()
        .filter_map(|person| {
            let number = off_site(draft, person)?;
            Some(proto::OffSiteNumber { person: person.value(), number })
        })
        .take(limits::PROSPECT_PEOPLE_MAX)
        .collect();
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    draft.record(permit.by(), Act::OffSiteNumbersShown(id.conversation, id.sequence));
    Ok(Body::OffSiteNumbers(proto::OffSiteNumbers { numbers }))
}

/// Where somebody is called who left a number and of whom no device is here.
pub(crate) fn off_site(draft: &Draft<'_>, person: PersonId) -> Option<String> {
    let said = draft.state.availability.people.get(&person)?;
    let here = draft.phones.reach(draft.state, person, draft.now).0 != Reach::Unreachable;
    let number = said.number.reveal();
    (!here && !number.is_empty()).then(|| number.to_owned())
}

/// Every device of this person is told when to be silent, and for whom they cover.
fn tell(draft: &mut Draft<'_>, person: PersonId) {
    let conns: Vec<Conn> = draft.phones.of(draft.state, person).collect();
    if !conns.is_empty() {
        let told = told(draft, person);
        for conn in conns {
            draft.send(reply(conn, told.clone()));
        }
    }
}

/// A device is there: it is told the same, where there is something to tell.
pub(crate) fn remind(draft: &mut Draft<'_>, conn: Conn, person: PersonId) {
    let told = told(draft, person);
    if told != proto::OwnAvailability::default() {
        draft.send(reply(conn, told));
    }
}

fn reply(conn: Conn, told: proto::OwnAvailability) -> Send {
    Send::Reply { conn, request: RequestId::NONE, body: Body::OwnAvailability(told) }
}

/// By how long it is from now: a phone's clock may be wrong. Nothing that may not stand on a locked screen.
fn told(draft: &Draft<'_>, person: PersonId) -> proto::OwnAvailability {
    let now = draft.now.wall;
    let until = |at: Wall| u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0);
    let said = said(draft, person);
    let silence = |one: &Interval| proto::SilentSpan { begins_in: until(one.start), ends_in: until(one.end) };
    let covering = draft.state.availability.covered_by(person);
    let covering =
        covering.map(|(covered, set)| proto::Covering { person: covered.value(), until: set.until.0 });
    proto::OwnAvailability {
        silences: said.silences(now).iter().map(silence).collect(),
        undisturbed_until: said.undisturbed.map_or(0, |set| set.until.0),
        cover: said.undisturbed.and_then(|set| set.cover).map_or(0, PersonId::value),
        covering: covering.collect(),
    }
}
