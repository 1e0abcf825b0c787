//! Whoever waits is let in or turned away, and whoever was let in stays longer or is out.

use crate::access::{Operation, Permit};
use crate::admin;
use crate::audit::{Act, Actor};
use crate::clinic::Encounter;
use crate::conversation::Kind;
use crate::directory::{Device, Person};
use crate::draft::Draft;
use crate::family::ending::{self, tell};
use crate::family::people::settle_thread;
use crate::family::recording::{self, consented, done, has_space, may, person_of};
use crate::family::{Families, FamilyThread, LetIn, VisitRequest, Visitor, blocked_of, listing};
use crate::ids::{ConversationId, DeviceId, EncounterId, Number, PersonId};
use crate::input::Fresh;
use crate::limits;
use crate::membership::{self, Opening};
use crate::notice::Told;
use crate::refusal::Refusal;
use crate::session::Draw;
use crate::text::Title;
use crate::time::Wall;
use crate::turn::{Event, Send};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Decides a request of a signed-in member of the staff.
pub(crate) fn handle(draft: &mut Draft<'_>, by: Actor, ask: Families) -> Result<Body, Refusal> {
    match ask {
        Families::SetConsent { encounter, words } => recording::set_consent(draft, by, encounter, words),
        Families::SetBlock { encounter, name, blocked } => {
            recording::set_block(draft, by, encounter, name, blocked)
        }
        Families::SetCode { encounter, fresh } => recording::set_code(draft, by, encounter, fresh),
        Families::List { encounter } => listing::list(draft, by, encounter),
        Families::Answer { device, into, until, fresh } => answer(draft, by, device, (into, until), fresh),
        Families::End { person } => {
            let (visitor, permit) = running(draft, by, person, Operation::EndVisit)?;
            debug_assert!(visitor.is_running());
            ending::end(draft, permit, person);
            Ok(done())
        }
        Families::Prolong { person, until } => prolong(draft, by, person, until),
        Families::EndThread { conversation } => {
            let thread = draft.state.family.threads.get(&conversation).ok_or(Refusal::NoSuchConversation)?;
            let (permit, _) = may(draft, by, thread.encounter, Operation::EndFamilyThread)?;
            ending::end_thread(draft, permit, conversation);
            Ok(done())
        }
    }
}

/// Somebody who was let in and is not out, and whether the asker may do this of them.
fn running(
    draft: &Draft<'_>,
    by: Actor,
    person: PersonId,
    operation: Operation,
) -> Result<(Visitor, Permit), Refusal> {
    let entry = draft.state.people.get(&person).and_then(|entry| entry.visitor.clone());
    let visitor = entry.filter(Visitor::is_running).ok_or(Refusal::NoSuchVisit)?;
    let (permit, _) = may(draft, by, visitor.encounter, operation)?;
    Ok((visitor, permit))
}

fn prolong(draft: &mut Draft<'_>, by: Actor, person: PersonId, until: Wall) -> Result<Body, Refusal> {
    let (visitor, permit) = running(draft, by, person, Operation::ProlongVisit)?;
    ends_in_time(draft, until)?;
    has_space(draft)?;
    let since = draft.now.wall;
    draft.write(Write::VisitorSet { person, visitor: Visitor { since, until, ..visitor } });
    draft.record(permit.by(), Act::VisitProlonged(person));
    Ok(done())
}

fn ends_in_time(draft: &Draft<'_>, until: Wall) -> Result<(), Refusal> {
    let now = draft.now.wall;
    let fits = until > now && until <= now.after(limits::VISIT_TIME_MAX_MS);
    if fits { Ok(()) } else { Err(Refusal::VisitEndInvalid) }
}

fn answer(
    draft: &mut Draft<'_>,
    by: Actor,
    device: DeviceId,
    (into, until): (Option<LetIn>, Option<Wall>),
    fresh: Fresh,
) -> Result<Body, Refusal> {
    let waiting = draft.state.family.requests.get(&device).filter(|request| !request.declined);
    let request = waiting.ok_or(Refusal::NoSuchVisit)?.clone();
    let (permit, stay) = may(draft, by, request.encounter, Operation::AnswerVisit)?;
    let Some(into) = into else {
        draft.write(Write::VisitAsked(VisitRequest { declined: true, ..request }));
        draft.record(permit.by(), Act::VisitDeclined(device, stay.id));
        return Ok(done());
    };
    consented(draft, &stay)?;
    if blocked_of(draft.state, stay.patient).has(&request.name) {
        return Err(Refusal::FamilyBlocked);
    }
    let until = until.unwrap_or(draft.now.wall.after(limits::VISIT_MS));
    ends_in_time(draft, until)?;
    has_space(draft)?;
    if draft.state.devices.len() >= limits::DEVICES_MAX {
        return Err(Refusal::Limit);
    }
    if let LetIn::As(person) = into {
        return another_device(draft, permit, person, request);
    }
    let (mut here, mut ever) = (0, 0);
    for (_, visitor) in draft.state.visitors() {
        ever += 1;
        here += usize::from(visitor.is_running() && visitor.encounter == stay.id);
    }
    if here >= limits::VISITORS_OF_STAY_MAX || ever >= limits::VISITORS_EVER_MAX {
        return Err(Refusal::Limit);
    }
    let draw = Draw::new(&fresh);
    let thread = match into {
        LetIn::Thread(thread) => known(draft, stay.id, thread)?,
        LetIn::Own => match own(draft, stay.id)? {
            Some(thread) => thread,
            None => open(draft, permit, &stay, (Title::default(), true), fresh)?,
        },
        LetIn::New(title) => open(draft, permit, &stay, (title, false), fresh)?,
        LetIn::As(_) => return Err(Refusal::NoSuchVisit),
    };
    let mut person = PersonId::from_random(draw.others().0);
    while draft.state.people.contains_key(&person) {
        person = person.following();
    }
    let since = draft.now.wall;
    let VisitRequest { name, relation, encounter, .. } = request.clone();
    let visitor = Visitor { encounter, thread, relation, since, until, ended: None, by: person_of(permit)? };
    let entry = Person { visitor: Some(visitor), ..admin::somebody(person, name, Title::default()) };
    draft.write(Write::PersonAdded(entry));
    draft.record(permit.by(), Act::VisitorLetIn(person, device, encounter));
    enrol(draft, person, request);
    settle_thread(draft, permit, encounter, thread);
    tell(draft, permit.by(), encounter, Told::FamilyEntered { person });
    Ok(answered(person, thread, until))
}

fn answered(person: PersonId, thread: ConversationId, until: Wall) -> Body {
    Body::VisitAnswered(proto::VisitAnswered {
        person: person.value(),
        conversation: thread.value(),
        until: until.0,
    })
}

/// What asked is let in: the device with the key and the PIN that waited with the request.
fn enrol(draft: &mut Draft<'_>, person: PersonId, request: VisitRequest) {
    let VisitRequest { device, device_name, key, salt, pin, .. } = request;
    draft.write(Write::VisitForgotten { device });
    let device = Device {
        login: None,
        passkeys: Vec::new(),
        passkey_until: None,
        id: device,
        person,
        name: device_name,
        key,
        salt,
        pin,
        pin_tries: 0,
        revoked: false,
        session_until: None,
        last_number: Number(0),
    };
    let told = Event::Small(Box::new(proto::event::Kind::DeviceJoined(device.to_wire())));
    let change = draft.write(Write::DeviceJoined(device));
    if let Some(conns) = draft.attached.get(&person) {
        let conns = conns.iter().copied().collect();
        draft.send(Send::Fanout { change, event: told, conns });
    }
}

fn another_device(
    draft: &mut Draft<'_>,
    permit: Permit,
    person: PersonId,
    request: VisitRequest,
) -> Result<Body, Refusal> {
    let entry = draft.state.people.get(&person).and_then(|entry| entry.visitor.clone());
    let visitor = entry.filter(|visitor| visitor.is_running() && visitor.encounter == request.encounter);
    let visitor = visitor.ok_or(Refusal::NoSuchVisit)?;
    let held = draft.state.devices_of(person).filter(|device| !device.revoked).count();
    if held >= limits::VISITOR_DEVICES_MAX {
        return Err(Refusal::VisitorDevices);
    }
    draft.record(permit.by(), Act::VisitorLetIn(person, request.device, request.encounter));
    enrol(draft, person, request);
    Ok(answered(person, visitor.thread, visitor.until))
}

/// A family thread of this stay that goes on. The patient's own is nobody else's.
fn known(draft: &Draft<'_>, encounter: EncounterId, id: ConversationId) -> Result<ConversationId, Refusal> {
    let thread =
        draft.state.family.threads.get(&id).filter(|thread| thread.encounter == encounter && !thread.own);
    let place = thread.and_then(|_| draft.state.conversations.get(&id)).ok_or(Refusal::NoSuchConversation)?;
    crate::channel::takes_more(place)?;
    Ok(id)
}

/// The patient's own thread, when it goes on. There is one patient.
fn own(draft: &Draft<'_>, encounter: EncounterId) -> Result<Option<ConversationId>, Refusal> {
    let goes_on = |id: &ConversationId| {
        draft.state.conversations.get(id).is_some_and(|place| !place.archived && !place.purged)
    };
    let own = draft.state.family.threads_of(encounter).filter(|thread| thread.own);
    let own = own.map(|thread| thread.conversation).find(goes_on);
    let taken = own.is_some_and(|own| super::people::visitors_of(draft.state, own).next().is_some());
    if taken { Err(Refusal::FamilyOwnTaken) } else { Ok(own) }
}

fn open(
    draft: &mut Draft<'_>,
    permit: Permit,
    stay: &Encounter,
    (title, own): (Title, bool),
    fresh: Fresh,
) -> Result<ConversationId, Refusal> {
    if draft.state.family.threads_of(stay.id).count() >= limits::FAMILY_THREADS_OF_STAY_MAX {
        return Err(Refusal::Limit);
    }
    let opening = Opening { kind: Kind::Family, title, unit: None };
    let conversation = membership::open(draft, None, permit, opening, fresh)?;
    let thread = FamilyThread { conversation, encounter: stay.id, patient: stay.patient, own };
    draft.write(Write::FamilyThreadOpened(thread));
    draft.record(permit.by(), Act::FamilyThreadOpened(conversation, stay.id));
    Ok(conversation)
}
