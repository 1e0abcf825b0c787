//! Administration: people, join codes, devices, purges. None of it reads a message.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::access::Permit;
use crate::agency;
use crate::assignment;
use crate::audit::{Act, Actor};
use crate::availability;
use crate::directory::{Device, JoinCode, Person, Post};
use crate::draft::Draft;
use crate::emergency;
use crate::hold;
use crate::ids::{Change, Conn, ConversationId, DeviceId, PersonId, RequestId, UnitId};
use crate::input::Fresh;
use crate::leaving;
use crate::limits;
use crate::order::{self, OrderRefusal};
use crate::pin;
use crate::refusal::Refusal;
use crate::retention::Rules;
use crate::role;
use crate::session::Draw;
use crate::stat;
use crate::text::{Name, Title};
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

pub(crate) fn add_person(
    draft: &mut Draft<'_>,
    permit: Permit,
    name: Name,
    title: Title,
    administrator: bool,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    if draft.state.staff_count() >= limits::PEOPLE_MAX {
        return Err(Refusal::Limit);
    }
    let id = new_person(draft, fresh);
    enter(draft, Person { administrator, ..somebody(id, name, title) }, permit, Act::PersonAdded(id))
}

/// A screen stands in the directory beside the people, so that its device joins, is listed and is revoked as theirs are.
pub(crate) fn add_station(
    draft: &mut Draft<'_>,
    permit: Permit,
    unit: UnitId,
    name: Name,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    if draft.state.staff_count() >= limits::PEOPLE_MAX
        || draft.state.stations_of(unit).count() >= limits::STATIONS_OF_UNIT_MAX
    {
        return Err(Refusal::Limit);
    }
    let id = new_person(draft, fresh);
    let screen = Person { station: Some(unit), ..somebody(id, name, Title::default()) };
    enter(draft, screen, permit, Act::StationAdded(id, unit))
}

pub(crate) fn new_person(draft: &Draft<'_>, fresh: &Fresh) -> PersonId {
    let mut id = PersonId::from_random(Draw::new(fresh).identifier());
    while draft.state.people.contains_key(&id) {
        id = id.following();
    }
    id
}

pub(crate) fn somebody(id: PersonId, name: Name, title: Title) -> Person {
    let (posts, changed) = (BTreeMap::new(), Change(0));
    let (administrator, suspended, privacy_officer, station) = (false, false, false, None);
    let (agency, barred, waits, visitor, the_box) = (None, false, None, None, false);
    Person {
        id,
        name,
        title,
        administrator,
        suspended,
        changed,
        privacy_officer,
        posts,
        station,
        agency,
        barred,
        waits,
        visitor,
        the_box,
    }
}

fn enter(draft: &mut Draft<'_>, person: Person, permit: Permit, act: Act) -> Result<Body, Refusal> {
    let id = person.id;
    let change = draft.write(Write::PersonAdded(person));
    draft.record(permit.by(), act);
    draft.announce_person(change, id);
    Ok(Body::PersonAdded(proto::PersonAdded { person: id.value() }))
}

/// Whoever may not sign in has no use for a code.
pub(crate) fn may_have_code(entry: &Person) -> Result<(), Refusal> {
    match (entry.suspended, entry.barred || entry.agency.is_none()) {
        (false, _) => Ok(()),
        (true, true) => Err(Refusal::PersonSuspended),
        (true, false) => Err(Refusal::NotAgency),
    }
}

pub(crate) fn issue_join_code(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    may_have_code(draft.state.colleague(person)?)?;
    let theirs = draft.state.codes.values().filter(|code| code.person == person);
    let mut theirs: Vec<_> = theirs.map(|code| (code.issued, code.hash)).collect();
    theirs.sort_unstable();
    if theirs.len() >= limits::JOIN_CODES_OF_PERSON_MAX {
        // The newest is what somebody waits for now.
        draft.write(Write::JoinCodeEnded { hash: theirs[0].1 });
        draft.record(permit.by(), Act::JoinCodeWithdrawn(person));
    } else if draft.state.codes.len() >= limits::JOIN_CODES_MAX {
        return Err(Refusal::Limit);
    }
    let code = Draw::new(fresh).code();
    let expires = draft.now.wall.after(draft.policy.join_code_ms);
    let issuer = match permit.by() {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    let hash = pin::join_code_hash(&code);
    draft.write(Write::JoinCodeIssued(JoinCode { hash, person, expires, issuer, issued: Change(0) }));
    draft.record(permit.by(), Act::JoinCodeIssued(person));
    Ok(Body::JoinCode(proto::JoinCode { code, expires: expires.0 }))
}

pub(crate) fn revoke_device(
    draft: &mut Draft<'_>,
    permit: Permit,
    device: DeviceId,
) -> Result<Body, Refusal> {
    let entry = draft.state.devices.get(&device).ok_or(Refusal::NoSuchDevice)?;
    if !entry.revoked {
        draft.write(Write::DeviceRevoked { device });
        draft.record(permit.by(), Act::DeviceRevoked(device));
    }
    Ok(Body::Done(proto::Done {}))
}

/// Whatever somebody who is put out has open, and every code that would be a way back in.
pub(crate) fn end_sessions(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let is_open = |device: &&Device| device.session_until.is_some() || device.passkey_until.is_some();
    let open = draft.state.devices_of(person).filter(is_open);
    for device in open.map(|device| device.id).collect::<Vec<DeviceId>>() {
        draft.write(Write::SessionEnded { device });
    }
    withdraw_codes(draft, permit, person);
}

/// Codes for somebody who is put out, and codes that they issued: either would be a way back in.
fn withdraw_codes(draft: &mut Draft<'_>, permit: Permit, suspended: PersonId) {
    withdraw(draft, permit, |code| code.person == suspended || code.issuer == Some(suspended));
}

/// Codes that somebody issued who may not any more: each would make them whom it is for.
pub(crate) fn withdraw_issued(draft: &mut Draft<'_>, permit: Permit, issuer: PersonId) {
    withdraw(draft, permit, |code| code.issuer == Some(issuer));
}

fn withdraw(draft: &mut Draft<'_>, permit: Permit, which: impl Fn(&JoinCode) -> bool) {
    let codes = draft.state.codes.values().filter(|code| which(code));
    for (hash, person) in codes.map(|code| (code.hash, code.person)).collect::<Vec<_>>() {
        draft.write(Write::JoinCodeEnded { hash });
        draft.record(permit.by(), Act::JoinCodeWithdrawn(person));
    }
}

/// Says who administers, and who is a privacy officer.
pub(crate) fn set_duties(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    administrator: bool,
    privacy_officer: bool,
) -> Result<Body, Refusal> {
    let entry = draft.state.colleague(person)?;
    if entry.station.is_some() {
        return Err(Refusal::NoSuchPerson);
    }
    let leads = entry.posts.values().any(|post| *post == Post::ChargeNurse);
    if privacy_officer && (administrator || leads) {
        return Err(Refusal::DutiesExclude);
    }
    if administrator || privacy_officer {
        agency::may_stay(entry)?;
    }
    let ends = entry.administrator && !administrator;
    if (entry.administrator, entry.privacy_officer) != (administrator, privacy_officer) {
        let change = draft.write(Write::DutiesSet { person, administrator, privacy_officer });
        let duties = u32::from(administrator) + 2 * u32::from(privacy_officer);
        draft.record(permit.by(), Act::DutiesSet(person, duties));
        draft.announce_person(change, person);
        if ends {
            withdraw_issued(draft, permit, person);
        }
        if administrator {
            leaving::tell_administrators(draft);
        }
        if privacy_officer {
            assignment::end_all(draft, permit, person, None);
            role::offer::end_all(draft, permit, person, None);
            emergency::end_all(draft, permit, person);
            emergency::tell_officers(draft);
            availability::settle(draft, permit, person);
        }
    }
    Ok(Body::Done(proto::Done {}))
}

pub(crate) fn purge(draft: &mut Draft<'_>, permit: Permit, id: ConversationId) -> Result<Body, Refusal> {
    let conversation = draft.state.conversations.get(&id).ok_or(Refusal::NoSuchConversation)?;
    if !conversation.purged {
        if hold::keeps(draft.state, id) {
            return Err(Refusal::Held);
        }
        if order::first_unfiled(draft.state, id).is_some() {
            return Err(Refusal::Order(OrderRefusal::Unfiled));
        }
        stat::close_all(draft, id, permit.by());
        let change = draft.write(Write::KeyDestroyed { conversation: id });
        draft.record(permit.by(), Act::ConversationPurged(id));
        let news = proto::ConversationChanged {
            conversation: id.value(),
            purged: true,
            ..proto::ConversationChanged::default()
        };
        draft.announce(change, news, &[]);
        draft.send(Send::ScrubLog);
    }
    Ok(Body::Done(proto::Done {}))
}

pub(crate) fn set_retention(draft: &mut Draft<'_>, permit: Permit, rules: Rules) -> Body {
    if draft.state.retention != Some(rules) {
        draft.write(Write::RetentionSet(rules));
        let [direct, group, channel, patient] = rules.hours();
        draft.record(permit.by(), Act::RetentionSet(direct, group, channel, patient));
    }
    Body::Done(proto::Done {})
}

pub(crate) fn retention(draft: &Draft<'_>) -> Body {
    let rules = draft.state.retention_or(draft.policy);
    let standard = draft.state.retention.is_none();
    Body::RetentionPolicy(proto::RetentionPolicy { rules: Some(rules.to_wire()), standard })
}

pub(crate) fn list_devices(draft: &mut Draft<'_>, permit: Permit, person: PersonId) -> Result<Body, Refusal> {
    draft.state.colleague(person)?;
    draft.record(permit.by(), Act::DevicesListed(person));
    let (mut listed, revoked): (Vec<&Device>, Vec<&Device>) =
        draft.state.devices_of(person).partition(|device| !device.revoked);
    listed.extend(revoked);
    let devices = listed.into_iter().take(limits::DEVICES_LISTED_MAX).map(Device::to_wire).collect();
    Ok(Body::DeviceList(proto::DeviceList { devices }))
}

/// A page of the directory: for everybody signed in.
pub(crate) fn list_people(draft: &mut Draft<'_>, conn: Conn, request: RequestId, after: Option<PersonId>) {
    let mut people: Vec<proto::Person> = draft
        .state
        .people
        .range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
        .filter(|(_, person)| person.visitor.is_none())
        .take(limits::PEOPLE_PAGE_MAX + 1)
        .map(|(_, person)| person.to_wire())
        .collect();
    let end = people.len() <= limits::PEOPLE_PAGE_MAX;
    people.truncate(limits::PEOPLE_PAGE_MAX);
    let body = Body::PeoplePage(proto::PeoplePage { people, end });
    draft.send(Send::Reply { conn, request, body });
}
