//! Breaking the glass: emergency access to a patient's thread for a clinician who is not in the care team (45 CFR
//! 164.312(a)(2)(ii)). It asks nobody first, and hides from nobody: a reason is typed, it is over after
//! [`limits::EMERGENCY_MS`], the care team sees who came in, and the privacy officers are told in the same turn.
//!
//! It is one more reason to be in the thread ([`crate::care::team`]), and gives nothing else: who is in by it alone puts nobody
//! into the care team, themselves included.

use minicbor::{Decode, Encode};
use prost::Message as _;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::{Clinic, Encounter};
use crate::clinical;
use crate::draft::Draft;
use crate::ids::{Conn, EmergencyId, EncounterId, PatientId, PersonId, RequestId, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::membership;
use crate::particulars::{Bed, RecordNumber};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Draw;
use crate::state::State;
use crate::text::Grounds;
use crate::time::Wall;
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
    /// The patient, who is known when the stay is long put away.
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
    let Actor::Person { person, .. } = by else { return Err(Refusal::NoSuchPerson) };
    let stay = stay_of(draft.state, &whom)?.clone();
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
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    make_room(draft)?;
    let mut id = EmergencyId::from_random(Draw::new(fresh).identifier());
    while draft.state.clinic.emergencies.contains_key(&id) {
        id = id.following();
    }
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
    }));
    draft.record(permit.by(), Act::EmergencyBegan(id, stay.id));
    care::settle(draft, permit, stay.id);
    tell_officers(draft);
    Ok(Body::EmergencyBegan(proto::EmergencyBegan {
        emergency: id.value(),
        conversation: stay.thread.value(),
        until: until.0,
    }))
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
    let Some(encounter) = access.map(|access| access.encounter) else { return };
    let at = draft.now.wall;
    draft.write(Write::EmergencyEnded { id, at });
    draft.record(permit.by(), Act::EmergencyEnded(id));
    care::settle(draft, permit, encounter);
}

/// Ends what somebody has: with their access, with their last post, and for who reviews others.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    end_those(draft, permit, |access| access.person == person);
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
        patient: clinic.patients.get(&access.patient).map(crate::clinic::Patient::to_wire),
        unit: access.unit.value(),
        grounds: access.grounds.reveal().to_owned(),
        since: access.since.0,
        until: access.until.0,
        ended: access.ended.map_or(0, |ended| ended.0),
        finding: finding.into(),
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
