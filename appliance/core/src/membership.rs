//! Opening conversations, and people in and out of them.
//!
//! | act | who may |
//! |---|---|
//! | open a direct conversation | anyone, with any person who is not suspended |
//! | open a group | anyone; its owner |
//! | add to a group | any member |
//! | remove from a group | its owner; anyone, themselves; any member, once the owner has left or is suspended |
//! | leave what was purged | anyone |
//! | purge | an administrator, who thereby reads nothing |

use crate::audit::Act;
use crate::conversation::Kind;
use crate::draft::{Draft, actor};
use crate::ids::{Conn, ConversationId, PersonId, RequestId, Sequence};
use crate::input::Fresh;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::{Draw, Ready};
use crate::text::Title;
use crate::turn::{Event, Send};
use crate::wire::proto;
use crate::write::Write;

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
            invitable(draft, with)?;
            let id = open(draft, who, Kind::Direct, Title::default(), fresh)?;
            let both = [who.person(), with];
            admit(draft, who, id, &both);
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
    let id = open(draft, who, Kind::Group, title, fresh)?;
    admit(draft, who, id, &people);
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
    let conversation = draft.conversation_of(who, id)?;
    let leaves = add.is_empty() && remove == [who.person()];
    // What was purged can only be left: it holds nothing more.
    if conversation.purged && !leaves {
        return Err(Refusal::Purged);
    }
    if conversation.kind != Kind::Group && !conversation.purged {
        return Err(Refusal::Invalid);
    }
    let leads = |owner| {
        conversation.member(owner).is_some()
            && draft.state.people.get(&owner).is_some_and(|owner| !owner.suspended)
    };
    let led = conversation.owner != who.person() && leads(conversation.owner);
    if led && remove.iter().any(|person| *person != who.person()) {
        return Err(Refusal::NotAdministrator);
    }
    add.retain(|person| conversation.member(*person).is_none());
    remove.retain(|person| conversation.member(*person).is_some());
    let returning = add.iter().filter(|person| conversation.members.contains_key(person)).count();
    if conversation.present().count() + add.len() > limits::MEMBERS_MAX
        || conversation.members.len() + add.len() - returning > limits::MEMBERS_EVER_MAX
    {
        return Err(Refusal::Limit);
    }
    let (owner, was_large) = (conversation.owner, !conversation.pushes_watermarks());
    for person in &add {
        invitable(draft, *person)?;
        sharable(draft, owner, *person)?;
    }
    if draft.room == Room::Scarce && !add.is_empty() {
        return Err(Refusal::DiskLow);
    }
    admit(draft, who, id, &add);
    for person in &remove {
        dismiss(draft, who, id, *person);
    }
    if !(add.is_empty() && remove.is_empty()) {
        draft.introduce(draft.state.change, id, &add);
        let entered =
            draft.state.conversations.get(&id).map(|conversation| conversation.members_to_wire(&add));
        let news = proto::ConversationChanged {
            conversation: id.value(),
            joined: entered.unwrap_or_default(),
            left: remove.iter().map(|person| person.value()).collect(),
            ..proto::ConversationChanged::default()
        };
        draft.announce(draft.state.change, news, &add);
        if was_large {
            draft.tell_watermarks(draft.state.change, id);
        }
    }
    if remove.contains(&who.person()) {
        draft.send(Send::Reply { conn, request, body: proto::server_frame::Body::Done(proto::Done {}) });
    } else {
        opened(draft, conn, request, who, id);
    }
    Ok(())
}

fn invitable(draft: &Draft<'_>, person: PersonId) -> Result<(), Refusal> {
    let entry = draft.state.people.get(&person).ok_or(Refusal::NoSuchPerson)?;
    if entry.suspended {
        return Err(Refusal::NoSuchPerson);
    }
    if draft.state.membership_count(person) >= limits::MEMBERSHIPS_BY_OTHERS_MAX {
        return Err(Refusal::Limit);
    }
    Ok(())
}

/// One owner does not take all of another's places.
fn sharable(draft: &Draft<'_>, owner: PersonId, person: PersonId) -> Result<(), Refusal> {
    let shared = draft.state.groups_shared(owner, person);
    if owner != person && shared >= limits::GROUPS_SHARED_MAX { Err(Refusal::Limit) } else { Ok(()) }
}

fn open(
    draft: &mut Draft<'_>,
    who: &Ready,
    kind: Kind,
    title: Title,
    fresh: Fresh,
) -> Result<ConversationId, Refusal> {
    if draft.room < Room::Plenty {
        return Err(Refusal::DiskLow);
    }
    if draft.state.conversations.len() >= limits::CONVERSATIONS_MAX
        || draft.state.membership_count(who.person()) >= limits::MEMBERSHIPS_PER_PERSON_MAX
    {
        return Err(Refusal::Limit);
    }
    let mut id = ConversationId::from_random(Draw::new(&fresh).identifier());
    while draft.state.conversations.contains_key(&id) {
        id = id.following();
    }
    let at = draft.now.wall;
    draft.write(Write::ConversationOpened { conversation: id, kind, title, owner: who.person(), at });
    draft.write(Write::KeyGranted { conversation: id, key: fresh.key });
    draft.record(actor(who), Act::ConversationOpened(id));
    Ok(id)
}

/// People enter at the end of the log: what was said before them they do not read.
fn admit(draft: &mut Draft<'_>, who: &Ready, id: ConversationId, people: &[PersonId]) {
    let from =
        draft.state.conversations.get(&id).map_or(Sequence(1), |conversation| conversation.last.next());
    for person in people {
        draft.write(Write::MemberAdded { conversation: id, person: *person, from });
        draft.record(actor(who), Act::MemberAdded(id, *person));
    }
}

fn dismiss(draft: &mut Draft<'_>, who: &Ready, id: ConversationId, person: PersonId) {
    let change = draft.write(Write::MemberLeft { conversation: id, person });
    draft.record(actor(who), Act::MemberLeft(id, person));
    if let Some(conns) = draft.attached.get(&person) {
        let gone = proto::event::Kind::Gone(proto::ConversationGone { conversation: id.value() });
        let conns = conns.iter().copied().collect();
        draft.send(Send::Fanout { change, event: Event::Small(Box::new(gone)), conns });
    }
}

fn opened(draft: &mut Draft<'_>, conn: Conn, request: RequestId, who: &Ready, id: ConversationId) {
    let conversation =
        draft.state.conversations.get(&id).map(|conversation| conversation.to_wire(who.person()));
    draft.send(Send::Reply {
        conn,
        request,
        body: proto::server_frame::Body::Opened(proto::Opened { conversation }),
    });
}
