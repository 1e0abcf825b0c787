//! Opening conversations, and people in and out of them. Who may: [`crate::access`].

use crate::access::{self, Operation, Permit};
use crate::audit::Act;
use crate::broadcast::BroadcastRefusal;
use crate::channel;
use crate::conversation::{Conversation, Kind};
use crate::draft::{Draft, actor};
use crate::family;
use crate::ids::{Conn, ConversationId, PersonId, RequestId, UnitId};
use crate::inbox::{self, InboxRefusal};
use crate::input::Fresh;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::{Draw, Ready};
use crate::stat;
use crate::text::Title;
use crate::turn::{Event, Send};
use crate::wire::proto;
use crate::write::Write;

/// A conversation that is to be.
pub(crate) struct Opening {
    pub(crate) kind: Kind,
    /// Empty for a direct one.
    pub(crate) title: Title,
    pub(crate) unit: Option<UnitId>,
}

pub(crate) fn open_direct(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    with: PersonId,
    fresh: Fresh,
) -> Result<(), Refusal> {
    if with == who.person() {
        return Err(Refusal::Invalid);
    }
    let id = match draft.state.direct(who.person(), with) {
        Some(id) => id,
        None => {
            let permit = access::permit(Operation::OpenDirect, access::STAFF, actor(who))?;
            invitable(draft, with)?;
            let opening = Opening { kind: Kind::Direct, title: Title::default(), unit: None };
            let id = open(draft, Some(who.person()), permit, opening, fresh)?;
            let both = [who.person(), with];
            admit(draft, permit, id, &both);
            draft.introduce(draft.state.change, id, &both);
            id
        }
    };
    opened(draft, conn, request, who, id);
    Ok(())
}

pub(crate) fn open_group(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    title: Title,
    mut people: Vec<PersonId>,
    fresh: Fresh,
) -> Result<(), Refusal> {
    let permit = access::permit(Operation::OpenGroup, access::STAFF, actor(who))?;
    people.push(who.person());
    people.sort_unstable();
    people.dedup();
    if people.len() > limits::MEMBERS_MAX {
        return Err(Refusal::Limit);
    }
    for person in people.iter().filter(|person| **person != who.person()) {
        invitable(draft, *person)?;
        sharable(draft, who.person(), *person)?;
    }
    let opening = Opening { kind: Kind::Group, title, unit: None };
    let id = open(draft, Some(who.person()), permit, opening, fresh)?;
    admit(draft, permit, id, &people);
    draft.introduce(draft.state.change, id, &people);
    opened(draft, conn, request, who, id);
    Ok(())
}

pub(crate) fn change_members(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    id: ConversationId,
    mut add: Vec<PersonId>,
    mut remove: Vec<PersonId>,
) -> Result<(), Refusal> {
    add.sort_unstable();
    add.dedup();
    remove.sort_unstable();
    remove.dedup();
    // A charge nurse takes people out of her unit's channels without being in them.
    let conversation = draft.conversation_known_to(who, id)?;
    match conversation.kind {
        Kind::Patient => return Err(Refusal::InPatientThread),
        Kind::Family => return Err(Refusal::InFamilyThread),
        Kind::Role if !conversation.purged => return Err(InboxRefusal::Members.into()),
        Kind::Broadcast if !conversation.purged => return Err(BroadcastRefusal::Members.into()),
        Kind::Direct | Kind::Group | Kind::Channel | Kind::Role | Kind::Broadcast => {}
    }
    let leaves = add.is_empty() && remove == [who.person()];
    // What was purged can only be left: it holds nothing more.
    if conversation.purged && !leaves {
        return Err(Refusal::Purged);
    }
    if conversation.kind == Kind::Direct && !conversation.purged {
        return Err(Refusal::NotInDirect);
    }
    let is = access::to_conversation(draft.state, who.person(), conversation);
    let others = remove.iter().any(|person| *person != who.person());
    let may = |operation| access::permit(operation, is, actor(who));
    let permit = match (others, add.is_empty()) {
        (true, true) => may(Operation::RemoveMember)?,
        (true, false) => may(Operation::RemoveMember).and(may(Operation::AddMember))?,
        (false, true) => may(Operation::Leave)?,
        (false, false) => may(Operation::AddMember)?,
    };
    add.retain(|person| conversation.member(*person).is_none());
    remove.retain(|person| conversation.member(*person).is_some());
    if !add.is_empty() {
        channel::takes_more(conversation)?;
    }
    has_room(conversation, &add)?;
    for person in &add {
        invitable(draft, *person)?;
        match conversation.unit {
            Some(unit) => of_unit(draft, unit, *person)?,
            None => sharable(draft, conversation.owner.unwrap_or(*person), *person)?,
        }
    }
    if draft.room == Room::Scarce && !add.is_empty() {
        return Err(Refusal::DiskLow);
    }
    bring_in(draft, permit, id, &add, &remove);
    let place = draft.state.conversations.get(&id);
    if place.is_none_or(|place| place.member(who.person()).is_none()) {
        draft.send(Send::Reply { conn, request, body: proto::server_frame::Body::Done(proto::Done {}) });
    } else {
        opened(draft, conn, request, who, id);
    }
    Ok(())
}

/// These come in, those go out, and everybody who stays is told. Both lists are in order, and say what is new.
pub(crate) fn bring_in(
    draft: &mut Draft<'_>,
    permit: Permit,
    id: ConversationId,
    add: &[PersonId],
    remove: &[PersonId],
) {
    bring_in_with(draft, permit, id, (add, remove), proto::ConversationChanged::default());
}

/// The same, with what else is new of it. One event, since a connection takes one of each change.
pub(crate) fn bring_in_with(
    draft: &mut Draft<'_>,
    permit: Permit,
    id: ConversationId,
    (add, remove): (&[PersonId], &[PersonId]),
    news: proto::ConversationChanged,
) {
    if add.is_empty() && remove.is_empty() && news == proto::ConversationChanged::default() {
        return;
    }
    let was_large = draft.state.conversations.get(&id).is_some_and(|place| !place.pushes_watermarks());
    admit(draft, permit, id, add);
    for person in remove {
        dismiss(draft, permit, id, *person);
    }
    draft.introduce(draft.state.change, id, add);
    // Of announcements nobody is told who reads them, not even who left what was purged.
    if draft.state.conversations.get(&id).is_some_and(|place| place.kind == Kind::Broadcast) {
        return;
    }
    let entered = draft.state.conversations.get(&id).map(|place| place.members_to_wire(add));
    let news = proto::ConversationChanged {
        conversation: id.value(),
        joined: entered.unwrap_or_default(),
        left: remove.iter().map(|person| person.value()).collect(),
        ..news
    };
    draft.announce(draft.state.change, news, add);
    if was_large {
        draft.tell_watermarks(draft.state.change, id);
    }
    // Behind that, since what it makes ring is news under changes of its own.
    stat::joined(draft, add, id);
    for person in remove {
        stat::left(draft, *person, id, permit.by());
    }
}

/// Whether so many more may be in it.
pub(crate) fn has_room(conversation: &Conversation, add: &[PersonId]) -> Result<(), Refusal> {
    let returning = add.iter().filter(|person| conversation.members.contains_key(person)).count();
    if conversation.present().count() + add.len() > limits::MEMBERS_MAX
        || conversation.members.len() + add.len() - returning > limits::MEMBERS_EVER_MAX
    {
        return Err(Refusal::Limit);
    }
    Ok(())
}

pub(crate) fn invitable(draft: &Draft<'_>, person: PersonId) -> Result<(), Refusal> {
    let entry = draft.state.colleague(person)?;
    if entry.suspended || entry.station.is_some() {
        return Err(Refusal::NoSuchPerson);
    }
    if draft.state.membership_count(person) >= limits::MEMBERSHIPS_BY_OTHERS_MAX {
        return Err(Refusal::Limit);
    }
    Ok(())
}

fn of_unit(draft: &Draft<'_>, unit: UnitId, person: PersonId) -> Result<(), Refusal> {
    let works_there = draft.state.people.get(&person).is_some_and(|entry| entry.works_in(unit));
    if works_there { Ok(()) } else { Err(Refusal::NotOfUnit) }
}

/// One owner does not take all of another's places.
fn sharable(draft: &Draft<'_>, owner: PersonId, person: PersonId) -> Result<(), Refusal> {
    let shared = draft.state.groups_shared(owner, person);
    if owner != person && shared >= limits::GROUPS_SHARED_MAX { Err(Refusal::Limit) } else { Ok(()) }
}

/// A new conversation with nobody in it yet.
pub(crate) fn open(
    draft: &mut Draft<'_>,
    owner: Option<PersonId>,
    permit: Permit,
    opening: Opening,
    fresh: Fresh,
) -> Result<ConversationId, Refusal> {
    if draft.room < Room::Plenty {
        return Err(Refusal::DiskLow);
    }
    if draft.state.conversations.len() >= limits::CONVERSATIONS_MAX
        || owner
            .is_some_and(|owner| draft.state.membership_count(owner) >= limits::MEMBERSHIPS_PER_PERSON_MAX)
    {
        return Err(Refusal::Limit);
    }
    let mut id = ConversationId::from_random(Draw::new(&fresh).identifier());
    while draft.state.conversations.contains_key(&id) {
        id = id.following();
    }
    let Opening { kind, title, unit } = opening;
    let at = draft.now.wall;
    draft.write(Write::ConversationOpened { conversation: id, kind, title, owner, at, unit });
    draft.write(Write::KeyGranted { conversation: id, key: fresh.key });
    draft.record(permit.by(), Act::ConversationOpened(id));
    Ok(id)
}

/// People enter where their kind of conversation begins for them: see [`Conversation::entered_at`].
pub(crate) fn admit(draft: &mut Draft<'_>, permit: Permit, id: ConversationId, people: &[PersonId]) {
    let Some(place) = draft.state.conversations.get(&id) else { return };
    let (begins, last) = (place.entered_at(), place.last);
    for person in people {
        // What was said to others of the family before is theirs.
        let from = if family::is_visitor(draft.state, *person) { last.next() } else { begins };
        let seen = inbox::seen_by_newcomer(draft.state, id).or((last >= from).then_some(last));
        draft.write(Write::MemberAdded { conversation: id, person: *person, from, seen });
        draft.record(permit.by(), Act::MemberAdded(id, *person));
    }
}

fn dismiss(draft: &mut Draft<'_>, permit: Permit, id: ConversationId, person: PersonId) {
    let change = draft.write(Write::MemberLeft { conversation: id, person });
    draft.record(permit.by(), Act::MemberLeft(id, person));
    if let Some(conns) = draft.attached.get(&person) {
        let gone = proto::event::Kind::Gone(proto::ConversationGone { conversation: id.value() });
        let conns = conns.iter().copied().collect();
        draft.send(Send::Fanout { change, event: Event::Small(Box::new(gone)), conns });
    }
}

pub(crate) fn opened(draft: &mut Draft<'_>, conn: Conn, request: RequestId, who: &Ready, id: ConversationId) {
    let conversation = draft.state.conversation_to_wire(id, who.person());
    draft.send(Send::Reply {
        conn,
        request,
        body: proto::server_frame::Body::Opened(proto::Opened { conversation }),
    });
}
