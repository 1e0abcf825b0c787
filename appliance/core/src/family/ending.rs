//! How family threads end: a visitor's time, a thread, everything of a stay. Each in one turn; the connections of whoever is out
//! are the relay's to close, when it sees the write.

use crate::access::Permit;
use crate::audit::{Act, Actor};
use crate::conversation::Kind;
use crate::draft::Draft;
use crate::family::Visitor;
use crate::family::people::visitors_of;
use crate::ids::{ConversationId, DeviceId, EncounterId, PersonId};
use crate::membership;
use crate::notice::{self, Told};
use crate::relay::Relay;
use crate::turn::Turn;
use crate::wire::proto;
use crate::write::Write;

/// A visitor is out. Their devices may not sign in again: whoever is let in once more asks again.
pub(crate) fn end(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let entry = draft.state.people.get(&person).and_then(|entry| entry.visitor.clone());
    let Some(visitor) = entry.filter(Visitor::is_running) else { return };
    let (thread, encounter) = (visitor.thread, visitor.encounter);
    let ended = Some(draft.now.wall);
    draft.write(Write::VisitorSet { person, visitor: Visitor { ended, ..visitor } });
    draft.record(permit.by(), Act::VisitEnded(person));
    let held = draft.state.devices_of(person).filter(|device| !device.revoked);
    for device in held.map(|device| device.id).collect::<Vec<DeviceId>>() {
        draft.write(Write::DeviceRevoked { device });
        draft.record(permit.by(), Act::DeviceRevoked(device));
    }
    membership::bring_in(draft, permit, thread, &[], &[person]);
    tell(draft, permit.by(), encounter, Told::FamilyLeft { person });
}

/// A family thread takes nothing new, and whoever was let in to it is out. The care team reads it as long as the patient's own thread.
pub(crate) fn end_thread(draft: &mut Draft<'_>, permit: Permit, conversation: ConversationId) {
    for person in visitors_of(draft.state, conversation).collect::<Vec<PersonId>>() {
        end(draft, permit, person);
    }
    let place = draft.state.conversations.get(&conversation);
    if place.is_none_or(|place| place.archived || place.kind != Kind::Family) {
        return;
    }
    let change = draft.write(Write::ArchivedSet { conversation, archived: true });
    draft.record(permit.by(), Act::ConversationArchived(conversation));
    let news = proto::ConversationChanged {
        conversation: conversation.value(),
        archived: Some(true),
        ..proto::ConversationChanged::default()
    };
    draft.announce(change, news, &[]);
}

/// The patient goes, or lets family write no more: nothing of it is left but what the care team reads.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    end_code(draft, permit, encounter);
    let requests = draft.state.family.requests_of(encounter).map(|request| request.device);
    for device in requests.collect::<Vec<DeviceId>>() {
        forget(draft, permit, device);
    }
    let threads = draft.state.family.threads_of(encounter).map(|thread| thread.conversation);
    for thread in threads.collect::<Vec<ConversationId>>() {
        end_thread(draft, permit, thread);
    }
    if draft.state.family.consents.contains_key(&encounter) {
        draft.write(Write::FamilyConsentSet { encounter, consent: None });
        draft.record(permit.by(), Act::FamilyConsentEnded(encounter));
    }
}

/// The code at the bed is worth nothing from now on: it is another patient's bed, or none.
pub(crate) fn end_code(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    if draft.state.family.codes.contains_key(&encounter) {
        draft.write(Write::BedsideCodeSet { encounter, code: None });
        draft.record(permit.by(), Act::BedsideCodeEnded(encounter));
    }
}

/// A request is over that nobody has answered, or that was declined some time ago.
pub(crate) fn forget(draft: &mut Draft<'_>, permit: Permit, device: DeviceId) {
    if draft.state.family.requests.contains_key(&device) {
        draft.write(Write::VisitForgotten { device });
        draft.record(permit.by(), Act::VisitForgotten(device));
    }
}

/// The stay is put away: the team leaves its family threads as it leaves the patient's own.
pub(crate) fn file(draft: &mut Draft<'_>, permit: Permit, encounter: EncounterId) {
    end_all(draft, permit, encounter);
    let threads = draft.state.family.threads_of(encounter).map(|thread| thread.conversation);
    for thread in threads.collect::<Vec<ConversationId>>() {
        let present = draft.state.conversations.get(&thread).into_iter().flat_map(|place| place.present());
        let present: Vec<PersonId> = present.map(|(person, _)| person).collect();
        membership::bring_in(draft, permit, thread, &[], &present);
    }
}

/// Tells the care team, in the patient's own thread.
pub(super) fn tell(draft: &mut Draft<'_>, by: Actor, encounter: EncounterId, told: Told) {
    if let Some(thread) = draft.state.clinic.encounters.get(&encounter).map(|stay| stay.thread) {
        notice::tell(draft, by, thread, told);
    }
}

impl Relay {
    /// Closes the connections of visitors whose time a turn ended.
    pub(crate) fn put_visitors_out(&mut self, turn: &mut Turn) {
        let ended = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::VisitorSet { person, visitor } if !visitor.is_running() => Some(*person),
            _ => None,
        });
        for person in ended.collect::<Vec<PersonId>>() {
            let devices: Vec<DeviceId> = self.state.devices_of(person).map(|device| device.id).collect();
            self.expel(turn, &devices);
        }
    }
}
