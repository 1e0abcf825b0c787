//! Who is in a patient's thread: whoever has a reason to be, and nobody else. See `docs/decisions/` on care teams.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{self, Operation, Permit};
use crate::audit::{Act, Actor};
use crate::clinic::{CarePlace, Clinic, Encounter};
use crate::clinical::{self, encounter_of};
use crate::draft::Draft;
use crate::emergency;
use crate::family;
use crate::ids::{EncounterId, PatientId, PersonId};
use crate::limits;
use crate::membership;
use crate::notice::{self, Told, Why};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::restriction;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Whoever is in an encounter's thread: the attending, whoever was put in by hand, whoever's assignment covers the patient, whoever
/// has one of these reasons in an open stay that the patient has under another record, and whoever has emergency access. One reason
/// is enough, and who has none left is out.
pub fn team(clinic: &Clinic, encounter: EncounterId) -> BTreeSet<PersonId> {
    let mut team = team_without_emergencies(clinic, encounter);
    team.extend(emergency::let_in(clinic, encounter));
    team
}

/// The care team itself. Of a restricted patient: whoever is named, whatever else somebody is to them.
pub(crate) fn team_without_emergencies(clinic: &Clinic, encounter: EncounterId) -> BTreeSet<PersonId> {
    let Some(stay) = clinic.encounters.get(&encounter) else { return BTreeSet::new() };
    team_by(clinic, stay, &clinic.records_of(stay.patient))
}

/// What it is, or would be, where these are the patient's records.
pub(crate) fn team_by(clinic: &Clinic, stay: &Encounter, records: &[PatientId]) -> BTreeSet<PersonId> {
    let known = clinic.known_by(records);
    if let Some(restriction) = known.as_ref().and_then(|known| known.restriction()) {
        return restriction.named.clone();
    }
    let mut team = own_team(clinic, stay);
    for other in across(clinic, stay, records) {
        team.extend(own_team(clinic, other));
    }
    team
}

/// Open stays of the same patient under other records.
fn across<'s>(
    clinic: &'s Clinic,
    stay: &Encounter,
    records: &'s [PatientId],
) -> impl Iterator<Item = &'s Encounter> {
    let own = stay.patient;
    clinic.open_of_all(records).filter(move |other| other.patient != own)
}

/// Who cares for this stay by what is said of it alone.
fn own_team(clinic: &Clinic, stay: &Encounter) -> BTreeSet<PersonId> {
    let id = stay.id;
    let by_hand = clinic.care.range((id, FIRST)..).map(|((of, person), _)| (*of, *person));
    let by_hand = by_hand.take_while(|(of, _)| *of == id).map(|(_, person)| person);
    let covering = clinic.assignments.values().filter(|assignment| assignment.covers.contains(&id));
    stay.attending.into_iter().chain(by_hand).chain(covering.map(|assignment| assignment.person)).collect()
}

/// What brings somebody in, and until when as far as is known: of several reasons, the one that people think of first.
fn reason(clinic: &Clinic, encounter: EncounterId, person: PersonId) -> Option<(Why, Option<Wall>)> {
    let stay = clinic.encounters.get(&encounter)?;
    if let Some(restriction) = restriction::of_stay(clinic, stay) {
        let named = restriction.named.contains(&person);
        let until = emergency::until(clinic, encounter, person);
        return Some(if named { (Why::Named, None) } else { (Why::Emergency, until) });
    }
    if stay.attending == Some(person) {
        return Some((Why::Attending, None));
    }
    if let Some(place) = clinic.care.get(&(encounter, person)) {
        return Some((Why::ByHand, place.until));
    }
    let covering = clinic.assignments.values().filter(|held| held.person == person);
    let covering = covering.filter(|held| held.covers.contains(&encounter));
    if let Some(until) = covering.map(|held| held.until).max() {
        return Some((Why::Bed, Some(until)));
    }
    let records = clinic.records_of(stay.patient);
    if across(clinic, stay, &records).any(|other| own_team(clinic, other).contains(&person)) {
        return Some((Why::Merged, None));
    }
    let until = emergency::until(clinic, encounter, person)?;
    Some((Why::Emergency, Some(until)))
}

/// Brings a thread's members to what the care team is, and tells in it who came and who left.
pub(crate) fn settle(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    settle_with(draft, permit, encounter, proto::ConversationChanged::default(), None);
    settle_across(draft, permit, encounter);
}

/// The same, in the course of something that is told first. Whom that names is not told of again.
pub(crate) fn settle_telling(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId, told: Told) {
    settle_with(draft, permit, encounter, proto::ConversationChanged::default(), Some(told));
    settle_across(draft, permit, encounter);
}

/// The same, and who was in it before is told what is new of the patient or the stay.
pub(crate) fn settle_and_tell(
    draft: &mut Draft<'_>,
    permit: Permit,
    encounter: EncounterId,
    told: Option<Told>,
) {
    settle_one(draft, permit, encounter, told);
    settle_across(draft, permit, encounter);
}

/// The same of this thread alone, for who settles all threads of a patient one by one.
pub(crate) fn settle_one(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId, told: Option<Told>) {
    let news = news(draft, encounter).unwrap_or_default();
    settle_with(draft, permit, encounter, news, told);
}

/// Who cares for a stay reads what is written of the same patient under another record: those threads follow.
pub(crate) fn settle_across(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    for other in draft.state.clinic.kept_across(encounter) {
        settle_with(draft, permit, other, proto::ConversationChanged::default(), None);
    }
}

/// A patient came into a bed: settles, and says as well who of the team has it, and who stays though they do not.
pub(crate) fn settle_moved(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId, told: Told) {
    let news = match told {
        // Nobody was in it before.
        Told::Admitted { .. } => proto::ConversationChanged::default(),
        _ => news(draft, encounter).unwrap_or_default(),
    };
    let entered = settle_with(draft, permit, encounter, news, Some(told));
    settle_across(draft, permit, encounter);
    let clinic = &draft.state.clinic;
    let Some(stay) = clinic.encounters.get(&encounter) else { return };
    let thread = stay.thread;
    let covering = clinic.assignments.values().filter(|held| held.covers.contains(&encounter));
    // Of each: until when they have the bed, and until when they have what they had.
    let mut until: BTreeMap<PersonId, (Option<Wall>, Option<Wall>)> = BTreeMap::new();
    for held in covering {
        let (has, had) = until.entry(held.person).or_default();
        let which = if held.holds(stay.unit, &stay.bed) { has } else { had };
        *which = (*which).max(Some(held.until));
    }
    let nobody = until.values().all(|(has, _)| has.is_none());
    // Of a restricted patient, who has a bed need not be in the team.
    let team = team(clinic, encounter);
    let known = until.into_iter().filter(|(person, _)| !entered.contains(person));
    let mut told: Vec<Told> = known
        .filter_map(|(person, until)| match until {
            (Some(until), _) => Some(Told::HasBed { person, until }),
            (None, until) => {
                let stays = until.filter(|_| team.contains(&person));
                stays.map(|until| Told::Stays { person, until })
            }
        })
        .collect();
    told.extend(nobody.then_some(Told::BedUnheld));
    for told in told {
        notice::tell(draft, permit.by(), thread, told);
    }
}

/// Says who came in.
fn settle_with(
    draft: &mut Draft<'_>,
    permit: Permit,
    encounter: EncounterId,
    news: proto::ConversationChanged,
    told: Option<Told>,
) -> Vec<PersonId> {
    let team = team(&draft.state.clinic, encounter);
    let thread = draft.state.clinic.encounters.get(&encounter).map(|stay| stay.thread);
    let Some(place) = thread.and_then(|thread| draft.state.conversations.get(&thread)) else {
        return Vec::new();
    };
    let (thread, takes) = (place.id, !place.purged);
    let present: BTreeSet<PersonId> = place.present().map(|(person, _)| person).collect();
    let add: Vec<PersonId> = team.difference(&present).copied().filter(|_| takes).collect();
    let remove: Vec<PersonId> = present.difference(&team).copied().collect();
    membership::bring_in_with(draft, permit, thread, (&add, &remove), news);
    // Each under a change of its own, behind the news: a connection takes one event of each change.
    let named = told.as_ref().and_then(Told::person);
    let unnamed = |person: &&PersonId| Some(**person) != named;
    let clinic = &draft.state.clinic;
    let entered = add.iter().filter(unnamed).filter_map(|person| {
        let (why, until) = reason(clinic, encounter, *person)?;
        Some(Told::Entered { person: *person, why, until })
    });
    let left = remove.iter().filter(unnamed).map(|person| Told::Left { person: *person });
    for told in told.into_iter().chain(entered).chain(left).collect::<Vec<_>>() {
        notice::tell(draft, permit.by(), thread, told);
    }
    family::settle(draft, permit, encounter);
    add
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
        patient: Some(draft.state.clinic.known(stay.patient)?.to_wire()),
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
    if restriction::of_stay(&draft.state.clinic, &stay).is_some() {
        return Err(Refusal::Restricted);
    }
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
        let entry = draft.state.colleague(*person)?;
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

/// Ends every place by hand that somebody has.
pub(crate) fn end_places(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let places = draft.state.clinic.care.keys().filter(|(_, who)| *who == person);
    for encounter in places.map(|(encounter, _)| *encounter).collect::<Vec<_>>() {
        end_place_of(draft, permit, encounter, person);
    }
}

/// Takes somebody out of the team whose time is over.
pub(crate) fn end_place(draft: &mut Draft<'_>, encounter: EncounterId, person: PersonId) {
    if draft.state.clinic.care.contains_key(&(encounter, person)) {
        end_place_of(draft, Permit::OF_TIME, encounter, person);
    }
}

fn end_place_of(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId, person: PersonId) {
    draft.write(Write::CareTeamSet { encounter, person, place: None });
    draft.record(permit.by(), Act::CareTeamLeft(encounter, person));
    settle(draft, permit, encounter);
}

/// Neither purged nor closed.
fn takes_more(draft: &Draft<'_>, stay: &Encounter) -> Result<(), Refusal> {
    let place = draft.state.conversations.get(&stay.thread).ok_or(Refusal::NoSuchConversation)?;
    crate::channel::takes_more(place)
}

pub(crate) fn in_team(draft: &Draft<'_>, by: Actor, stay: &Encounter) -> access::Relations {
    let Actor::Person { person, .. } = by else { return access::Relations::default() };
    let officer = draft.state.people.get(&person).is_none_or(|entry| entry.privacy_officer);
    let place = draft.state.conversations.get(&stay.thread);
    let member = place.is_some_and(|place| place.member(person).is_some());
    // Who broke the glass does not make a place of it.
    let guest = emergency::is_all(&draft.state.clinic, stay.id, person);
    access::Relations::when(member && !officer && !guest, access::Relation::CareTeam)
}
