//! Who is in a patient's thread: whoever has a reason to be, and nobody else. See `docs/decisions/` on care teams.

use std::collections::BTreeSet;

use crate::access::{self, Operation, Permit};
use crate::audit::{Act, Actor};
use crate::clinic::{CarePlace, Clinic, Encounter};
use crate::clinical::{self, encounter_of};
use crate::draft::Draft;
use crate::emergency;
use crate::ids::{EncounterId, PersonId};
use crate::limits;
use crate::membership;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Whoever is in an encounter's thread: the attending, whoever was put in by hand, whoever's assignment covers the patient, and
/// whoever has emergency access. One reason is enough, and who has none left is out.
pub fn team(clinic: &Clinic, encounter: EncounterId) -> BTreeSet<PersonId> {
    let mut team = team_without_emergencies(clinic, encounter);
    team.extend(emergency::let_in(clinic, encounter));
    team
}

/// The care team itself.
pub(crate) fn team_without_emergencies(clinic: &Clinic, encounter: EncounterId) -> BTreeSet<PersonId> {
    let Some(stay) = clinic.encounters.get(&encounter) else { return BTreeSet::new() };
    let by_hand = clinic.care.range((encounter, FIRST)..).map(|((of, person), _)| (*of, *person));
    let by_hand = by_hand.take_while(|(of, _)| *of == encounter).map(|(_, person)| person);
    let covering = clinic.assignments.values().filter(|assignment| assignment.covers.contains(&encounter));
    stay.attending.into_iter().chain(by_hand).chain(covering.map(|assignment| assignment.person)).collect()
}

/// Brings a thread's members to what the care team is.
pub(crate) fn settle(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    settle_with(draft, permit, encounter, proto::ConversationChanged::default());
}

/// Settles, and tells who was in it before what is new of the patient or the stay.
pub(crate) fn settle_and_tell(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    let news = news(draft, encounter).unwrap_or_default();
    settle_with(draft, permit, encounter, news);
}

fn settle_with(
    draft: &mut Draft<'_>,
    permit: Permit,
    encounter: EncounterId,
    news: proto::ConversationChanged,
) {
    let team = team(&draft.state.clinic, encounter);
    let thread = draft.state.clinic.encounters.get(&encounter).map(|stay| stay.thread);
    let Some(place) = thread.and_then(|thread| draft.state.conversations.get(&thread)) else { return };
    let (thread, takes) = (place.id, !place.purged);
    let present: BTreeSet<PersonId> = place.present().map(|(person, _)| person).collect();
    let add: Vec<PersonId> = team.difference(&present).copied().filter(|_| takes).collect();
    let remove: Vec<PersonId> = present.difference(&team).copied().collect();
    membership::bring_in_with(draft, permit, thread, (&add, &remove), news);
}

/// What is new of the patient or the stay, with the last change.
pub(crate) fn tell(draft: &mut Draft<'_>, encounter: EncounterId) {
    if let Some(news) = news(draft, encounter) {
        draft.announce(draft.state.change, news, &[]);
    }
}

/// The patient and the stay as they are; none of a purged thread.
fn news(draft: &Draft<'_>, encounter: EncounterId) -> Option<proto::ConversationChanged> {
    let stay = draft.state.clinic.encounters.get(&encounter)?;
    draft.state.conversations.get(&stay.thread).filter(|place| !place.purged)?;
    Some(proto::ConversationChanged {
        conversation: stay.thread.value(),
        archived: stay.closed.is_some().then_some(true),
        patient: Some(draft.state.clinic.patients.get(&stay.patient)?.to_wire()),
        encounter: Some(stay.to_wire()),
        ..proto::ConversationChanged::default()
    })
}

/// What is to become of a care team by hand.
pub struct TeamChange {
    /// In.
    pub add: Vec<PersonId>,
    /// When the places of those who come in end; none: when somebody ends them.
    pub until: Option<Wall>,
    /// Out.
    pub remove: Vec<PersonId>,
}

pub(crate) fn change_team(
    draft: &mut Draft<'_>,
    by: Actor,
    encounter: EncounterId,
    change: TeamChange,
) -> Result<Body, Refusal> {
    let TeamChange { mut add, until, mut remove } = change;
    for people in [&mut add, &mut remove] {
        people.sort_unstable();
        people.dedup();
    }
    let stay = encounter_of(draft.state, encounter)?.clone();
    let is = clinical::relations(draft.state, by, stay.unit).and(in_team(draft, by, &stay));
    let permit = access::permit(Operation::ChangeCareTeam, is, by)?;
    let by_hand = |draft: &Draft<'_>, person| draft.state.clinic.care.contains_key(&(encounter, person));
    if add.iter().any(|person| remove.binary_search(person).is_ok()) {
        return Err(Refusal::Invalid);
    }
    if remove.iter().any(|person| !by_hand(draft, *person)) {
        return Err(Refusal::NotByHand);
    }
    if !add.is_empty() {
        takes_more(draft, &stay)?;
    }
    if until.is_some_and(|until| until <= draft.now.wall) {
        return Err(Refusal::EndInvalid);
    }
    let place = draft.state.conversations.get(&stay.thread).ok_or(Refusal::NoSuchConversation)?;
    let new: Vec<PersonId> = add.iter().copied().filter(|person| place.member(*person).is_none()).collect();
    membership::has_room(place, &new)?;
    for person in &add {
        let entry = draft.state.people.get(person).ok_or(Refusal::NoSuchPerson)?;
        if entry.suspended {
            return Err(Refusal::NoSuchPerson);
        }
    }
    for person in &new {
        membership::invitable(draft, *person)?;
    }
    let team =
        draft.state.clinic.care.range((encounter, FIRST)..).take_while(|((of, _), _)| *of == encounter);
    let entering = add.iter().filter(|person| !by_hand(draft, **person)).count();
    if team.count() + entering - remove.len() > limits::CARE_TEAM_MAX {
        return Err(Refusal::Limit);
    }
    if draft.room == Room::Scarce && !add.is_empty() {
        return Err(Refusal::DiskLow);
    }
    let since = draft.now.wall;
    for person in add {
        draft.write(Write::CareTeamSet { encounter, person, place: Some(CarePlace { since, until }) });
        draft.record(permit.by(), Act::CareTeamJoined(encounter, person));
    }
    for person in remove {
        draft.write(Write::CareTeamSet { encounter, person, place: None });
        draft.record(permit.by(), Act::CareTeamLeft(encounter, person));
    }
    settle(draft, permit, encounter);
    Ok(Body::Done(proto::Done {}))
}

/// The lowest identifier.
const FIRST: PersonId = PersonId::from_random([0; 8]);

/// Takes somebody out of the team whose time is over.
pub(crate) fn end_place(draft: &mut Draft<'_>, encounter: EncounterId, person: PersonId) {
    if draft.state.clinic.care.contains_key(&(encounter, person)) {
        draft.write(Write::CareTeamSet { encounter, person, place: None });
        draft.record(Permit::OF_TIME.by(), Act::CareTeamLeft(encounter, person));
        settle(draft, Permit::OF_TIME, encounter);
    }
}

/// Neither purged nor closed.
fn takes_more(draft: &Draft<'_>, stay: &Encounter) -> Result<(), Refusal> {
    let place = draft.state.conversations.get(&stay.thread).ok_or(Refusal::NoSuchConversation)?;
    crate::channel::takes_more(place)
}

fn in_team(draft: &Draft<'_>, by: Actor, stay: &Encounter) -> access::Relations {
    let Actor::Person { person, .. } = by else { return access::Relations::default() };
    let officer = draft.state.people.get(&person).is_none_or(|entry| entry.privacy_officer);
    let place = draft.state.conversations.get(&stay.thread);
    let member = place.is_some_and(|place| place.member(person).is_some());
    // Who broke the glass does not make a place of it.
    let guest = emergency::is_all(&draft.state.clinic, stay.id, person);
    access::Relations::when(member && !officer && !guest, access::Relation::CareTeam)
}
