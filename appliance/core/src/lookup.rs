//! Searching people and patients by words. Both are in memory, so they are looked for here and now, and not in an index of their own.
//!
//! Everybody signed in sees the directory, so people are found by an index of everybody's words ([`Names`]). Who may see a patient is
//! asked of each: whoever is in a thread of theirs, and whoever leads the unit where they lie; by name where [`Known::shows_to`] says so,
//! else by alias. What somebody may not see is not looked at: so neither a hit, nor a count, nor the work that was done tells of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{self, Operation};
use crate::audit::{Act, Actor};
use crate::clinic::Encounter;
use crate::directory::{Person, Post};
use crate::draft::Draft;
use crate::ids::{EncounterId, PersonId, UnitId};
use crate::limits;
use crate::record::Known;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::search::{Query, Rank, Term, terms};
use crate::state::State;
use crate::wire::proto::{self, server_frame::Body};

/// What to look for, and among whom.
pub struct LookUp {
    /// Every one of its words must fit.
    pub query: Query,
    /// Among people.
    pub people: bool,
    /// Among patients.
    pub patients: bool,
    /// People who work in this unit, patients who lie there, or lay there when they were discharged; none: of all.
    pub unit: Option<UnitId>,
    /// Without patients who are discharged.
    pub only_here: bool,
    /// How many of each at most: 1 to [`limits::LOOK_UP_HITS_MAX`].
    pub limit: u32,
}

/// Everybody of the directory by the words of their name and title, which nobody changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(BTreeMap<Term, BTreeSet<PersonId>>);

impl Names {
    /// Somebody is in the directory.
    pub(crate) fn enter(&mut self, person: &Person) {
        for term in terms(&said_of(person)) {
            self.0.entry(term).or_default().insert(person.id);
        }
    }

    /// Whoever every word fits, and how well.
    fn fitting(&self, query: &Query) -> BTreeMap<PersonId, Rank> {
        let mut all: Option<BTreeMap<PersonId, Rank>> = None;
        for wanted in query.terms() {
            let mut fits: BTreeMap<PersonId, Rank> = BTreeMap::new();
            let behind = self.0.range(&wanted.term..);
            for (term, people) in behind.take_while(|(term, _)| wanted.fits(term)) {
                let whole = Rank(u8::from(*term == wanted.term));
                for person in people {
                    let known = fits.entry(*person).or_default();
                    *known = (*known).max(whole);
                }
            }
            all = Some(match all {
                None => fits,
                Some(all) => {
                    let both = all.into_iter().filter_map(|(person, rank)| {
                        fits.get(&person).map(|also| (person, Rank(rank.0 + also.0)))
                    });
                    both.collect()
                }
            });
        }
        all.unwrap_or_default()
    }
}

fn said_of(person: &Person) -> String {
    format!("{}\n{}", person.name.reveal(), person.title.reveal())
}

/// The request in its frame.
pub(crate) fn parse(asked: &proto::LookUp) -> Result<LookUp, Refusal> {
    if asked.limit == 0 || asked.limit > limits::LOOK_UP_HITS_MAX {
        return Err(Refusal::Invalid);
    }
    let both = !asked.people && !asked.patients;
    Ok(LookUp {
        query: Query::parse(&asked.words)?,
        people: asked.people || both,
        patients: asked.patients || both,
        unit: if asked.unit == 0 { None } else { Some(crate::wire::unit(asked.unit)?) },
        only_here: asked.only_here,
        limit: asked.limit,
    })
}

/// Decides a request of a signed-in person. It may show patients, so it is recorded: with how many words, never which.
pub(crate) fn look_up(draft: &mut Draft<'_>, by: Actor, ask: &LookUp) -> Result<Body, Refusal> {
    let Actor::Person { person, .. } = by else {
        return Err(Refusal::NotPermitted(Operation::LookUp));
    };
    access::permit(Operation::LookUp, access::STAFF, by)?;
    if let Some(unit) = ask.unit {
        draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let (people, people_in_all) = if ask.people { people(draft.state, ask) } else { (Vec::new(), 0) };
    let (patients, patients_in_all) =
        if ask.patients { patients(draft.state, person, ask)? } else { (Vec::new(), 0) };
    let (words, shown) = (count(ask.query.terms().len()), count(patients.len()));
    draft.record(by, Act::LookedUp(words, shown));
    Ok(Body::LookedUp(proto::LookedUp { people, people_in_all, patients, patients_in_all }))
}

/// The best first: of equal ones whoever may sign in, then by name.
fn people(state: &State, ask: &LookUp) -> (Vec<proto::Person>, u32) {
    let fitting = state.names.fitting(&ask.query);
    let mut found: Vec<(Rank, &Person)> = fitting
        .into_iter()
        .filter_map(|(person, rank)| Some((rank, state.people.get(&person)?)))
        .filter(|(_, person)| ask.unit.is_none_or(|unit| person.works_in(unit)))
        .filter(|(_, person)| ask.query.follow_each_other(&said_of(person)))
        .collect();
    found.sort_by(|(rank, one), (other_rank, other)| {
        let worse = other_rank.cmp(rank).then(one.suspended.cmp(&other.suspended));
        worse.then_with(|| one.name.reveal().cmp(other.name.reveal())).then(one.id.cmp(&other.id))
    });
    let in_all = count(found.len());
    let shown = found.iter().take(ask.limit as usize).map(|(_, person)| person.to_wire());
    (shown.collect(), in_all)
}

/// The best first: of equal ones whoever is here, then by name and bed.
fn patients(
    state: &State,
    person: PersonId,
    ask: &LookUp,
) -> Result<(Vec<proto::ListedPatient>, u32), Refusal> {
    let shown = shown_to(state, person)?;
    let mut found = Vec::new();
    for (encounter, in_thread) in shown {
        let stay = state.clinic.encounters.get(&encounter);
        let Some(stay) = stay.filter(|stay| ask.unit.is_none_or(|unit| unit == stay.unit)) else { continue };
        if ask.only_here && !stay.is_open() {
            continue;
        }
        let Some(known) = state.clinic.known(stay.patient) else { continue };
        let wire = if in_thread { known.to_wire() } else { known.to_wire_for(Some(person)) };
        if let Some(rank) = ask.query.rank(&said_of_patient(&wire, stay)) {
            found.push((rank, stay, name_of(&wire, &known), wire));
        }
    }
    found.sort_by(|(rank, stay, name, _), (other_rank, other, other_name, _)| {
        let worse = other_rank.cmp(rank).then(other.is_open().cmp(&stay.is_open()));
        worse.then_with(|| name.cmp(other_name)).then_with(|| stay.id.cmp(&other.id))
    });
    let in_all = count(found.len());
    let listed = found.into_iter().take(ask.limit as usize).map(|(_, stay, _, patient)| {
        proto::ListedPatient { patient: Some(patient), encounter: Some(stay.to_wire()) }
    });
    Ok((listed.collect(), in_all))
}

/// Stays whose patient somebody may see, and whether as a member of the thread.
fn shown_to(state: &State, person: PersonId) -> Result<BTreeMap<EncounterId, bool>, Refusal> {
    let clinic = &state.clinic;
    let threads = state.memberships(person).filter_map(|thread| clinic.of_thread(thread));
    let mut shown: BTreeMap<EncounterId, bool> = threads.map(|stay| (stay.id, true)).collect();
    let by = state.people.get(&person).filter(|entry| !entry.privacy_officer);
    let led = by.into_iter().flat_map(|entry| &entry.posts).filter(|(_, post)| **post == Post::ChargeNurse);
    for (unit, _) in led {
        for (_, encounter) in clinic.beds_of(*unit) {
            shown.entry(encounter).or_insert(false);
        }
    }
    if shown.len() > limits::LOOK_UP_STAYS_MAX { Err(Refusal::SearchTooBroad) } else { Ok(shown) }
}

/// What of a patient can be looked for, by who sees them so: name, numbers, day of birth and bed, or alias and bed.
fn said_of_patient(patient: &proto::Patient, stay: &Encounter) -> String {
    let mut said = format!("{}\n{}", patient.alias, stay.bed.reveal());
    if let Some(known) = &patient.particulars {
        for word in [&known.name, &known.record_number, &known.birth_date] {
            said.push('\n');
            said.push_str(word);
        }
        for number in &patient.merged_record_numbers {
            said.push('\n');
            said.push_str(number);
        }
    }
    said
}

/// By what they are called where they are shown so: order tells nothing else.
fn name_of(patient: &proto::Patient, known: &Known<'_>) -> String {
    if patient.particulars.is_some() {
        known.particulars().name.reveal().to_owned()
    } else {
        patient.alias.clone()
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
