//! Breaking the glass: emergency access to a patient's thread for a clinician who is not in the care team (45 CFR
//! 164.312(a)(2)(ii)). It asks nobody first, and hides from nobody: a reason is typed, it is over after
//! [`limits::EMERGENCY_MS`], the care team sees who came in, and the privacy officers are told in the same turn.
//!
//! To a restricted patient it takes two: whoever asks says why, and within [`limits::EMERGENCY_REQUEST_MS`] a colleague countersigns on
//! another device. Requests are not durable: a restart forgets them, and whoever still needs to asks again. What was asked and who
//! countersigned is in the audit.
//!
//! It is one more reason to be in the thread ([`crate::care::team`]), and gives nothing else: who is in by it alone puts nobody
//! into the care team, themselves included.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use prost::Message as _;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::{Clinic, Encounter};
use crate::clinical;
use crate::draft::Draft;
use crate::ids::{Conn, DeviceId, EmergencyId, EncounterId, PatientId, PersonId, RequestId, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::membership;
use crate::notice::Told;
use crate::particulars::{Bed, RecordNumber};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::restriction;
use crate::session::Draw;
use crate::state::State;
use crate::text::Grounds;
use crate::time::{Mono, Wall};
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// One person's access to one stay: `[since, until)`, unless it ends before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EmergencyAccess {
    /// Which.
    #[n(0)]
    pub id: EmergencyId,
    /// To whose thread.
    #[n(1)]
    pub encounter: EncounterId,
    /// The record, which is known when the stay is long put away.
    #[n(2)]
    pub patient: PatientId,
    /// Where the patient lay.
    #[n(3)]
    pub unit: UnitId,
    /// Who.
    #[n(4)]
    pub person: PersonId,
    /// Why, in their words.
    #[n(5)]
    pub grounds: Grounds,
    /// Since when.
    #[n(6)]
    pub since: Wall,
    /// Over from then on.
    #[n(7)]
    pub until: Wall,
    /// When it was over.
    #[n(8)]
    pub ended: Option<Wall>,
    /// What the privacy officer who looked at it found.
    #[n(9)]
    pub finding: Option<Finding>,
    /// Who countersigned it, of a restricted patient.
    #[n(10)]
    pub second: Option<PersonId>,
}

/// What came of a review.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Finding {
    /// It was right.
    #[n(1)]
    Justified,
    /// It was not: what follows is people's.
    #[n(2)]
    NotJustified,
    /// Nobody looked before [`limits::EMERGENCIES_KEPT_MAX`] newer ones had come.
    #[n(3)]
    NotReviewed,
}

/// Somebody asked to break the glass to a restricted patient.
pub(crate) struct Asked {
    encounter: EncounterId,
    person: PersonId,
    device: DeviceId,
    grounds: Grounds,
    /// For people to read.
    until: Wall,
    /// Over from then on.
    ends: Mono,
}

/// Requests that wait for a second person: one of each, [`limits::EMERGENCY_REQUESTS_MAX`] in all.
#[derive(Default)]
pub(crate) struct Requests(BTreeMap<EmergencyId, Asked>);

impl Requests {
    fn at(&self, now: Mono, id: EmergencyId) -> Result<&Asked, Refusal> {
        self.0.get(&id).filter(|asked| now < asked.ends).ok_or(Refusal::NoSuchEmergencyRequest)
    }

    /// Of one person, whether over or not.
    fn of(&self, person: PersonId) -> Option<EmergencyId> {
        self.0.iter().find(|(_, asked)| asked.person == person).map(|(id, _)| *id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// How a patient is named by somebody who is at their bedside, or has their chart.
pub enum Whom {
    /// By the number on the wristband.
    Record(RecordNumber),
    /// By where they lie.
    InBed(UnitId, Bed),
}

/// A request about emergency access. Every field has been parsed.
pub enum Emergency {
    /// In.
    Begin {
        /// To whose thread.
        whom: Whom,
        /// Why.
        grounds: Grounds,
        /// For the identifier.
        fresh: Fresh,
    },
    /// Out before the time is over.
    End {
        /// Which.
        id: EmergencyId,
    },
    /// What somebody asks, before it is countersigned.
    Look {
        /// Which.
        id: EmergencyId,
    },
    /// A second person stands behind it.
    Countersign {
        /// Which.
        id: EmergencyId,
    },
    /// A page of what goes on, and of what nobody has reviewed.
    List {
        /// Behind this one; none from the start.
        after: Option<EmergencyId>,
    },
    /// It was looked at.
    Review {
        /// Which.
        id: EmergencyId,
        /// What was found.
        finding: Finding,
    },
}

impl EmergencyAccess {
    /// Lets its person in.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Whoever reviews has something to do.
    pub fn waits(&self) -> bool {
        self.finding.is_none()
    }
}

impl Finding {
    /// What has this number.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::Justified, Self::NotJustified, Self::NotReviewed]
            .into_iter()
            .find(|finding| u64::from(finding.number()) == number)
    }

    /// As the audit and the store number it.
    pub fn number(self) -> u32 {
        match self {
            Self::Justified => 1,
            Self::NotJustified => 2,
            Self::NotReviewed => 3,
        }
    }
}

/// Who has emergency access to a stay now.
pub(crate) fn let_in(clinic: &Clinic, encounter: EncounterId) -> impl Iterator<Item = PersonId> + '_ {
    running(clinic).filter(move |access| access.encounter == encounter).map(|access| access.person)
}

/// Whose of them was countersigned.
pub(crate) fn let_in_by_two(clinic: &Clinic, encounter: EncounterId) -> impl Iterator<Item = PersonId> + '_ {
    let by_two = running(clinic).filter(move |access| access.encounter == encounter);
    by_two.filter(|access| access.second.is_some()).map(|access| access.person)
}

/// Until when somebody's lasts at the latest.
pub(crate) fn until(clinic: &Clinic, encounter: EncounterId, person: PersonId) -> Option<Wall> {
    let theirs = running(clinic).filter(|access| (access.encounter, access.person) == (encounter, person));
    theirs.map(|access| access.until).max()
}

/// Whether emergency access is all that somebody is in a thread by.
pub(crate) fn is_all(clinic: &Clinic, encounter: EncounterId, person: PersonId) -> bool {
    let_in(clinic, encounter).any(|other| other == person)
        && !care::team_without_emergencies(clinic, encounter).contains(&person)
}

fn running(clinic: &Clinic) -> impl Iterator<Item = &EmergencyAccess> {
    clinic.emergencies.values().filter(|access| access.is_running())
}

/// Decides a request of a signed-in person.
pub(crate) fn handle(draft: &mut Draft<'_>, by: Actor, ask: Emergency) -> Result<Body, Refusal> {
    match ask {
        Emergency::Begin { whom, grounds, fresh } => begin(draft, by, whom, grounds, &fresh),
        Emergency::End { id } => end_early(draft, by, id),
        Emergency::Look { id } => look(draft, by, id),
        Emergency::Countersign { id } => countersign(draft, by, id),
        Emergency::List { after } => list(draft, by, after),
        Emergency::Review { id, finding } => review(draft, by, id, finding),
    }
}

fn begin(
    draft: &mut Draft<'_>,
    by: Actor,
    whom: Whom,
    grounds: Grounds,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    // First: whether there is such a patient is told to nobody who may not ask.
    let permit = access::permit(Operation::BreakGlass, relations(draft.state, by), by)?;
    let Actor::Person { person, device } = by else { return Err(Refusal::NoSuchPerson) };
    let stay = stay_of(draft.state, &whom)?.clone();
    may_enter(draft, person, &stay)?;
    let mut id = EmergencyId::from_random(Draw::new(fresh).identifier());
    while draft.state.clinic.emergencies.contains_key(&id) || draft.requests.0.contains_key(&id) {
        id = id.following();
    }
    if restriction::of_stay(&draft.state.clinic, &stay).is_some() {
        let asked = Asked {
            encounter: stay.id,
            person,
            device,
            grounds,
            until: draft.now.wall.after(limits::EMERGENCY_REQUEST_MS),
            ends: draft.now.mono.after(limits::EMERGENCY_REQUEST_MS),
        };
        return ask_second(draft, permit, id, asked);
    }
    enter(draft, permit, &stay, Entering { id, person, grounds, second: None })
}

/// Whether somebody can come into this thread by emergency access.
fn may_enter(draft: &Draft<'_>, person: PersonId, stay: &Encounter) -> Result<(), Refusal> {
    let clinic = &draft.state.clinic;
    if care::team(clinic, stay.id).contains(&person) {
        return Err(Refusal::EmergencyNotNeeded);
    }
    let place = draft.state.conversations.get(&stay.thread).ok_or(Refusal::NoSuchConversation)?;
    crate::channel::takes_more(place)?;
    membership::has_room(place, &[person])?;
    membership::invitable(draft, person)?;
    if running(clinic).filter(|access| access.person == person).count() >= limits::EMERGENCIES_AT_ONCE_MAX {
        return Err(Refusal::Limit);
    }
    if draft.room == Room::Scarce { Err(Refusal::DiskLow) } else { Ok(()) }
}

/// Who comes in.
struct Entering {
    id: EmergencyId,
    person: PersonId,
    grounds: Grounds,
    second: Option<PersonId>,
}

fn enter(draft: &mut Draft<'_>, permit: Permit, stay: &Encounter, who: Entering) -> Result<Body, Refusal> {
    make_room(draft)?;
    let Entering { id, person, grounds, second } = who;
    let (since, until) = (draft.now.wall, draft.now.wall.after(limits::EMERGENCY_MS));
    draft.write(Write::EmergencyBegan(EmergencyAccess {
        id,
        encounter: stay.id,
        patient: stay.patient,
        unit: stay.unit,
        person,
        grounds,
        since,
        until,
        ended: None,
        finding: None,
        second,
    }));
    draft.record(permit.by(), Act::EmergencyBegan(id, stay.id));
    care::settle_telling(draft, permit, stay.id, Told::EmergencyBegan { person, until });
    tell_officers(draft);
    Ok(Body::EmergencyBegan(proto::EmergencyBegan {
        emergency: id.value(),
        conversation: stay.thread.value(),
        until: until.0,
    }))
}

/// It waits for a second person. One request of each: a newer one takes its place.
fn ask_second(draft: &mut Draft<'_>, permit: Permit, id: EmergencyId, asked: Asked) -> Result<Body, Refusal> {
    let now = draft.now.mono;
    draft.requests.0.retain(|_, other| now < other.ends);
    withdraw(draft, permit, asked.person);
    if draft.requests.len() >= limits::EMERGENCY_REQUESTS_MAX {
        return Err(Refusal::Limit);
    }
    draft.record(permit.by(), Act::EmergencyAsked(id, asked.encounter));
    let told = proto::EmergencyAsked { emergency: id.value(), until: asked.until.0 };
    draft.requests.0.insert(id, asked);
    Ok(Body::EmergencyAsked(told))
}

/// Somebody's request is no more.
fn withdraw(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let Some(id) = draft.requests.of(person) else { return };
    let was = draft.requests.0.remove(&id);
    // One that was over says nothing.
    if was.is_some_and(|asked| draft.now.mono < asked.ends) {
        draft.record(permit.by(), Act::EmergencyWithdrawn(id));
    }
}

/// What whoever is asked to countersign reads: who asks, why, and the patient by alias. Not whoever asks: they may have said who it is by
/// record number, and would learn alone where that patient lies and how they are called here.
fn look(draft: &mut Draft<'_>, by: Actor, id: EmergencyId) -> Result<Body, Refusal> {
    access::permit(Operation::Countersign, relations(draft.state, by), by)?;
    let asked = draft.requests.at(draft.now.mono, id)?;
    if matches!(by, Actor::Person { person, .. } if person == asked.person) {
        return Err(Refusal::SecondPerson);
    }
    let stay = draft.state.clinic.encounters.get(&asked.encounter).filter(|stay| stay.is_open());
    let stay = stay.ok_or(Refusal::NoSuchPatient)?;
    let alias = restriction::of_stay(&draft.state.clinic, stay).map(|known| known.alias.reveal().to_owned());
    Ok(Body::EmergencyRequest(proto::EmergencyRequest {
        emergency: id.value(),
        person: asked.person.value(),
        unit: stay.unit.value(),
        bed: stay.bed.reveal().to_owned(),
        alias: alias.unwrap_or_default(),
        grounds: asked.grounds.reveal().to_owned(),
        until: asked.until.0,
    }))
}

fn countersign(draft: &mut Draft<'_>, by: Actor, id: EmergencyId) -> Result<Body, Refusal> {
    access::permit(Operation::Countersign, relations(draft.state, by), by)?;
    let Actor::Person { person: second, .. } = by else { return Err(Refusal::NoSuchPerson) };
    let asked = draft.requests.at(draft.now.mono, id)?;
    if asked.person == second {
        return Err(Refusal::SecondPerson);
    }
    let (person, device, grounds) = (asked.person, asked.device, asked.grounds.clone());
    let stay = draft.state.clinic.encounters.get(&asked.encounter).filter(|stay| stay.is_open());
    let stay = stay.ok_or(Refusal::NoSuchPatient)?.clone();
    // As if they asked now: whoever may not any more does not come in by a colleague's hand.
    let asker = Actor::Person { person, device };
    let permit = access::permit(Operation::BreakGlass, relations(draft.state, asker), asker)?;
    may_enter(draft, person, &stay)?;
    make_room(draft)?;
    draft.requests.0.remove(&id);
    draft.record(by, Act::EmergencyCountersigned(id));
    enter(draft, permit, &stay, Entering { id, person, grounds, second: Some(second) })?;
    Ok(Body::Done(proto::Done {}))
}

fn stay_of<'s>(state: &'s State, whom: &Whom) -> Result<&'s Encounter, Refusal> {
    let clinic = &state.clinic;
    match whom {
        Whom::Record(record) => clinic.recorded(record).and_then(|patient| clinic.open_of(patient)),
        Whom::InBed(unit, bed) => clinic.in_bed(*unit, bed).and_then(|id| clinic.encounters.get(&id)),
    }
    .ok_or(Refusal::NoSuchPatient)
}

/// An emergency is not refused because nobody reviews: the oldest that is over gives way, on record.
fn make_room(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let kept = &draft.state.clinic.emergencies;
    if kept.len() < limits::EMERGENCIES_KEPT_MAX {
        return Ok(());
    }
    let over = kept.values().filter(|access| !access.is_running());
    let oldest = over.min_by_key(|access| (access.since, access.id)).map(|access| access.id);
    let id = oldest.ok_or(Refusal::Limit)?;
    found(draft, Permit::OF_TIME, id, Finding::NotReviewed);
    Ok(())
}

fn end_early(draft: &mut Draft<'_>, by: Actor, id: EmergencyId) -> Result<Body, Refusal> {
    if let Actor::Person { person, .. } = by
        && draft.requests.at(draft.now.mono, id).is_ok_and(|asked| asked.person == person)
    {
        let permit = access::permit(Operation::BreakGlass, relations(draft.state, by), by)?;
        withdraw(draft, permit, person);
        return Ok(Body::Done(proto::Done {}));
    }
    let access = known(draft.state, id)?;
    let theirs = matches!(by, Actor::Person { person, .. } if person == access.person);
    let is = clinical::relations(draft.state, by, access.unit)
        .and(Relations::when(theirs, Relation::GlassBreaker));
    let permit = access::permit(Operation::EndEmergency, is, by)?;
    end(draft, permit, id);
    Ok(Body::Done(proto::Done {}))
}

/// It is over: its person is out of the thread, unless there is another reason for them to be in it.
pub(crate) fn end(draft: &mut Draft<'_>, permit: Permit, id: EmergencyId) {
    let access = draft.state.clinic.emergencies.get(&id).filter(|access| access.is_running());
    let Some((encounter, person)) = access.map(|access| (access.encounter, access.person)) else { return };
    let at = draft.now.wall;
    draft.write(Write::EmergencyEnded { id, at });
    draft.record(permit.by(), Act::EmergencyEnded(id));
    care::settle_telling(draft, permit, encounter, Told::EmergencyEnded { person });
}

/// Ends what somebody has: with their access, with their last post, and for who reviews others.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    withdraw(draft, permit, person);
    end_those(draft, permit, |access| access.person == person);
}

/// Ends what lets somebody in to a patient without a second person. Whoever calls this settles the threads next, all at once: who is
/// named comes in before who is out leaves, so that what rings there goes on for the former.
pub(crate) fn end_alone(draft: &mut Draft<'_>, permit: Permit, patient: PatientId) {
    let clinic = &draft.state.clinic;
    let alone = |access: &&EmergencyAccess| clinic.is_one(access.patient, patient) && access.second.is_none();
    let alone = running(clinic).filter(alone).map(|access| access.id);
    for id in alone.collect::<Vec<_>>() {
        let at = draft.now.wall;
        draft.write(Write::EmergencyEnded { id, at });
        draft.record(permit.by(), Act::EmergencyEnded(id));
    }
}

/// Ends what there is to a stay that is put away.
pub(crate) fn end_of_stay(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    end_those(draft, permit, |access| access.encounter == encounter);
}

fn end_those(draft: &mut Draft<'_>, permit: Permit, which: impl Fn(&EmergencyAccess) -> bool) {
    let those = running(&draft.state.clinic).filter(|access| which(access));
    for id in those.map(|access| access.id).collect::<Vec<_>>() {
        end(draft, permit, id);
    }
}

/// Whether somebody works anywhere still.
pub(crate) fn is_clinician(state: &State, person: PersonId) -> bool {
    let entry = state.people.get(&person);
    entry.is_some_and(|entry| !entry.posts.is_empty() && !entry.privacy_officer && entry.station.is_none())
}

fn review(draft: &mut Draft<'_>, by: Actor, id: EmergencyId, finding: Finding) -> Result<Body, Refusal> {
    let permit = access::permit(Operation::ReviewEmergency, relations(draft.state, by), by)?;
    if !known(draft.state, id)?.waits() {
        return Err(Refusal::NoSuchEmergency);
    }
    found(draft, permit, id, finding);
    tell_officers(draft);
    Ok(Body::Done(proto::Done {}))
}

fn found(draft: &mut Draft<'_>, permit: Permit, id: EmergencyId, finding: Finding) {
    let by = match permit.by() {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    draft.write(Write::EmergencyReviewed { id, by, finding, at: draft.now.wall });
    draft.record(permit.by(), Act::EmergencyReviewed(id, finding.number()));
}

/// A page in the order of identifiers. It names patients, so it is recorded.
fn list(draft: &mut Draft<'_>, by: Actor, after: Option<EmergencyId>) -> Result<Body, Refusal> {
    let permit = access::permit(Operation::ListEmergencies, relations(draft.state, by), by)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    draft.record(permit.by(), Act::EmergenciesListed);
    let clinic = &draft.state.clinic;
    let behind = clinic.emergencies.values().filter(|access| after.is_none_or(|after| access.id > after));
    let (mut emergencies, mut bytes, mut end) = (Vec::new(), 0, true);
    for access in behind {
        let one = to_wire(clinic, access);
        bytes += one.encoded_len() + 4;
        let full = emergencies.len() >= limits::EMERGENCIES_PAGE_MAX || bytes > limits::PAGE_BYTES_MAX;
        if full && !emergencies.is_empty() {
            end = false;
            break;
        }
        emergencies.push(one);
    }
    Ok(Body::EmergencyPage(proto::EmergencyPage { emergencies, end }))
}

fn to_wire(clinic: &Clinic, access: &EmergencyAccess) -> proto::EmergencyAccess {
    let finding = match access.finding {
        // Nobody found anything.
        None | Some(Finding::NotReviewed) => proto::Finding::Unspecified,
        Some(Finding::Justified) => proto::Finding::Justified,
        Some(Finding::NotJustified) => proto::Finding::NotJustified,
    };
    proto::EmergencyAccess {
        emergency: access.id.value(),
        person: access.person.value(),
        // Whoever reviews is not of the named team.
        patient: clinic.known(access.patient).map(|patient| patient.to_wire_for(None)),
        unit: access.unit.value(),
        grounds: access.grounds.reveal().to_owned(),
        since: access.since.0,
        until: access.until.0,
        ended: access.ended.map_or(0, |ended| ended.0),
        finding: finding.into(),
        second: access.second.map_or(0, PersonId::value),
    }
}

/// Every device of every privacy officer, locked or not, is told how many wait for a review. No name.
pub(crate) fn tell_officers(draft: &mut Draft<'_>) {
    let officers = draft.state.people.values().filter(|entry| entry.privacy_officer);
    let officers: Vec<PersonId> = officers.map(|entry| entry.id).collect();
    let conns = officers.into_iter().flat_map(|officer| draft.phones.of(draft.state, officer));
    for conn in conns.collect::<Vec<Conn>>() {
        tell(draft, conn);
    }
}

/// A device is there: a privacy officer's is told what waits.
pub(crate) fn remind(draft: &mut Draft<'_>, conn: Conn, person: PersonId) {
    if draft.state.people.get(&person).is_some_and(|entry| entry.privacy_officer) && waiting(draft) > 0 {
        tell(draft, conn);
    }
}

fn tell(draft: &mut Draft<'_>, conn: Conn) {
    let body = Body::EmergenciesWaiting(proto::EmergenciesWaiting { waiting: waiting(draft) });
    draft.send(Send::Reply { conn, request: RequestId::NONE, body });
}

fn waiting(draft: &Draft<'_>) -> u32 {
    let waiting = draft.state.clinic.emergencies.values().filter(|access| access.waits()).count();
    u32::try_from(waiting).unwrap_or(u32::MAX)
}

fn known(state: &State, id: EmergencyId) -> Result<&EmergencyAccess, Refusal> {
    state.clinic.emergencies.get(&id).ok_or(Refusal::NoSuchEmergency)
}

fn relations(state: &State, by: Actor) -> Relations {
    let Actor::Person { person, .. } = by else { return Relations::default() };
    let reviews = state.people.get(&person).is_some_and(|entry| entry.privacy_officer);
    access::STAFF
        .and(Relations::when(is_clinician(state, person), Relation::Clinician))
        .and(Relations::when(reviews, Relation::PrivacyOfficer))
}
