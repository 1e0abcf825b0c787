//! Who is in a family thread, and what those in it are told of each other.

use std::collections::BTreeSet;

use crate::access::Permit;
use crate::care;
use crate::conversation::Conversation;
use crate::directory::Person;
use crate::draft::Draft;
use crate::family::is_visitor;
use crate::ids::{ConversationId, EncounterId, PersonId};
use crate::limits;
use crate::membership;
use crate::state::State;
use crate::wire::proto;

/// Brings the members of a stay's family threads to what the care team is, and whoever was let in. Emergency access gives the
/// patient's thread and nothing else.
pub(crate) fn settle(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    let threads: Vec<ConversationId> =
        draft.state.family.threads_of(encounter).map(|thread| thread.conversation).collect();
    for thread in threads {
        settle_thread(draft, permit, encounter, thread);
    }
}

pub(super) fn settle_thread(
    draft: &mut Draft<'_>,
    permit: Permit,
    encounter: EncounterId,
    thread: ConversationId,
) {
    let mut members = care::team_without_emergencies(&draft.state.clinic, encounter);
    members.extend(visitors_of(draft.state, thread));
    let Some(place) = draft.state.conversations.get(&thread) else { return };
    let takes = !place.purged;
    let present: BTreeSet<PersonId> = place.present().map(|(person, _)| person).collect();
    let add: Vec<PersonId> = members.difference(&present).copied().filter(|_| takes).collect();
    let remove: Vec<PersonId> = present.difference(&members).copied().collect();
    let news = if add.is_empty() { proto::ConversationChanged::default() } else { named(draft.state, &add) };
    membership::bring_in_with(draft, permit, thread, (&add, &remove), news);
}

/// Whoever was let in to a thread and is not out.
pub(super) fn visitors_of(state: &State, thread: ConversationId) -> impl Iterator<Item = PersonId> + '_ {
    state
        .visitors()
        .filter(move |(_, visitor)| visitor.is_running() && visitor.thread == thread)
        .map(|(person, _)| person)
}

/// How these are called, for whoever is in the thread already.
fn named(state: &State, people: &[PersonId]) -> proto::ConversationChanged {
    let people = people.iter().filter_map(|person| state.people.get(person)).map(Person::to_family).collect();
    proto::ConversationChanged { people, ..proto::ConversationChanged::default() }
}

/// What a family thread says of itself to one of its members.
pub(crate) fn shown_to(
    state: &State,
    place: &Conversation,
    person: PersonId,
    wire: &mut proto::Conversation,
) {
    let Some(thread) = state.family.threads.get(&place.id) else { return };
    let stay = state.clinic.encounters.get(&thread.encounter);
    let patient_thread = stay.map(|stay| stay.thread).filter(|_| !is_visitor(state, person));
    dress(wire, place, (thread.own, patient_thread), |person| {
        state.people.get(&person).map(Person::to_family)
    });
}

/// Adds to a family thread whose it is and how those in it are called; a purged one says nothing any more. The names of those who
/// are there come first, then of those who left last: [`limits::FAMILY_PEOPLE_SHOWN_MAX`].
pub fn dress(
    wire: &mut proto::Conversation,
    place: &Conversation,
    (own, patient_thread): (bool, Option<ConversationId>),
    entry: impl Fn(PersonId) -> Option<proto::FamilyPerson>,
) {
    if place.purged {
        return;
    }
    let mut members: Vec<_> = place
        .members
        .iter()
        .map(|(person, member)| (member.left, u64::MAX - member.changed.0, *person))
        .collect();
    members.sort_unstable();
    members.truncate(limits::FAMILY_PEOPLE_SHOWN_MAX);
    let mut people: Vec<_> = members.into_iter().filter_map(|(_, _, person)| entry(person)).collect();
    people.sort_unstable_by_key(|person| person.person);
    let patient_thread = patient_thread.map_or(0, ConversationId::value);
    wire.family = Some(proto::FamilyThread { patient_thread, own, people });
}

impl Person {
    /// As whoever shares a family thread with them sees them.
    pub fn to_family(&self) -> proto::FamilyPerson {
        let relation = self.visitor.as_ref().map(|visitor| visitor.relation.reveal());
        proto::FamilyPerson {
            person: self.id.value(),
            name: self.name.reveal().to_owned(),
            title: relation.unwrap_or(self.title.reveal()).to_owned(),
            visitor: self.visitor.is_some(),
        }
    }
}
