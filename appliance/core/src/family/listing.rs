//! All that the team sees before it lets somebody in, on one page.

use crate::access::Operation;
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::family::blocked_of;
use crate::family::recording::{has_space, may};
use crate::ids::{EncounterId, PersonId};
use crate::refusal::Refusal;
use crate::wire::proto::{self, server_frame::Body};

/// It has names, so it is recorded. [`crate::limits::FAMILY_BLOCKED_MAX`] x 66 bytes, 16 requests of 240, 20 visitors and threads of
/// 200: 10 kB.
pub(super) fn list(draft: &mut Draft<'_>, by: Actor, encounter: EncounterId) -> Result<Body, Refusal> {
    let (permit, stay) = may(draft, by, encounter, Operation::ListFamily)?;
    has_space(draft)?;
    draft.record(permit.by(), Act::FamilyListed(encounter));
    let state = &*draft.state;
    let family = &state.family;
    let consent = family.consents.get(&encounter);
    let blocked = blocked_of(state, stay.patient);
    let requests = family.requests_of(encounter).filter(|request| !request.declined);
    let requests = requests.map(|request| proto::VisitRequest {
        device: request.device.value(),
        name: request.name.reveal().to_owned(),
        relation: request.relation.reveal().to_owned(),
        device_name: request.device_name.reveal().to_owned(),
        at: request.at.0,
        until: request.until.0,
        blocked: blocked.has(&request.name),
    });
    let here = state.visitors().filter(|(_, visitor)| visitor.is_running() && visitor.encounter == encounter);
    let visitors = here.map(|(person, visitor)| proto::Visitor {
        person: person.value(),
        name: state.people.get(&person).map_or(String::new(), |entry| entry.name.reveal().to_owned()),
        relation: visitor.relation.reveal().to_owned(),
        conversation: visitor.thread.value(),
        since: visitor.since.0,
        until: visitor.until.0,
        by: visitor.by.value(),
        devices: state.devices_of(person).filter(|device| !device.revoked).count() as u32,
    });
    let threads = family.threads_of(encounter).filter_map(|thread| {
        let place = state.conversations.get(&thread.conversation)?;
        Some(proto::ListedFamilyThread {
            conversation: thread.conversation.value(),
            title: place.title.reveal().to_owned(),
            own: thread.own,
            ended: place.archived || place.purged,
        })
    });
    let mut page = proto::FamilyPage {
        consent_by: consent.map_or(0, |consent| PersonId::value(consent.by)),
        consent_at: consent.map_or(0, |consent| consent.at.0),
        consent_words: consent.map_or(String::new(), |consent| consent.words.reveal().to_owned()),
        blocked: blocked.names().iter().map(|name| name.reveal().to_owned()).collect(),
        code_expires: family.codes.get(&encounter).map_or(0, |code| code.expires.0),
        requests: requests.collect(),
        visitors: visitors.collect(),
        threads: threads.collect(),
    };
    page.requests.sort_by_key(|request| (request.at, request.device));
    Ok(Body::FamilyPage(page))
}
