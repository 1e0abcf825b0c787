//! Channels: a unit's topics. And what is done to a group or a channel as a whole: another title, the archive.
//!
//! Refuses to let anybody see of another unit's channels that they are there, but whoever administers: they see all of them by title, open,
//! rename and archive them, and are in none of them by that.

use std::ops::Bound;

use crate::access::{self, Operation, Relation, Relations};
use crate::audit::Act;
use crate::broadcast::BroadcastRefusal;
use crate::conversation::{Conversation, Kind};
use crate::draft::{Draft, actor};
use crate::ids::{Conn, ConversationId, RequestId, UnitId};
use crate::inbox::InboxRefusal;
use crate::input::{Door, Fresh};
use crate::limits;
use crate::membership::{self, Opening};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::state::State;
use crate::text::Title;
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

pub(crate) fn open(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    (who, door): (&Ready, Door),
    (unit, title): (UnitId, Title),
    fresh: Fresh,
) -> Result<(), Refusal> {
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    let to_unit = access::to_unit(draft.state, who.person(), unit);
    let is = to_unit.and(access::of_person(draft.state, who.person(), door));
    let permit = access::permit(Operation::OpenChannel, is, actor(who))?;
    // Whoever administers opens it for those who work there: it is nobody's until one of them is in it.
    let owner = to_unit.has(Relation::UnitStaff).then_some(who.person());
    let (mut all, mut own) = (0, 0);
    for channel in draft.state.channels_of(unit).filter_map(|id| draft.state.conversations.get(&id)) {
        all += usize::from(!channel.purged);
        own += usize::from(!channel.purged && owner.is_some() && channel.owner == owner);
    }
    if all >= limits::CHANNELS_OF_UNIT_MAX || own >= limits::CHANNELS_OF_OWNER_MAX {
        return Err(Refusal::Limit);
    }
    let opening = Opening { kind: Kind::Channel, title, unit: Some(unit) };
    let id = membership::open(draft, owner, permit, opening, fresh)?;
    let Some(owner) = owner else {
        draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
        return Ok(());
    };
    membership::admit(draft, permit, id, &[owner]);
    draft.introduce(draft.state.change, id, &[owner]);
    membership::opened(draft, conn, request, who, id);
    Ok(())
}

/// Brings the asker into a channel of their unit. Who is in it already is shown it again.
pub(crate) fn join(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    id: ConversationId,
) -> Result<(), Refusal> {
    let channel = draft.state.conversations.get(&id).filter(|place| place.kind == Kind::Channel);
    let channel = channel.ok_or(Refusal::NoSuchConversation)?;
    let is = access::to_conversation(draft.state, who.person(), channel);
    let permit = access::permit(Operation::JoinChannel, is, actor(who));
    // Another unit's channels are nobody's business.
    let permit = permit.map_err(|_| Refusal::NoSuchConversation)?;
    if channel.member(who.person()).is_none() {
        // What is archived can be joined: it is the unit's to read.
        if channel.purged {
            return Err(Refusal::Purged);
        }
        membership::has_room(channel, &[who.person()])?;
        if draft.state.membership_count(who.person()) >= limits::MEMBERSHIPS_PER_PERSON_MAX {
            return Err(Refusal::Limit);
        }
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        membership::bring_in(draft, permit, id, &[who.person()], &[]);
    }
    membership::opened(draft, conn, request, who, id);
    Ok(())
}

/// A page of the channels of the asker's units, in order of identifier.
pub(crate) fn list(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    after: Option<ConversationId>,
) {
    let posts = draft.state.people.get(&who.person()).map(|entry| &entry.posts);
    let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
    let ids = posts.into_iter().flatten().flat_map(|(unit, _)| draft.state.channels_behind(*unit, behind));
    let ids = ids.filter(|id| is_kept(draft.state, *id)).collect();
    page(draft, conn, request, who, ids);
}

/// The same of every unit, or of one of them.
pub(crate) fn list_all(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    unit: Option<UnitId>,
    after: Option<ConversationId>,
) -> Result<(), Refusal> {
    if unit.is_some_and(|unit| !draft.state.units.contains_key(&unit)) {
        return Err(Refusal::NoSuchUnit);
    }
    let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
    let units = draft.state.units.keys().copied().filter(|one| unit.is_none_or(|unit| unit == *one));
    let ids = units.flat_map(|unit| {
        let kept = draft.state.channels_behind(unit, behind).filter(|id| is_kept(draft.state, *id));
        // One more than a page of each: of all together it is said whether there are more.
        kept.take(limits::CHANNELS_PAGE_MAX + 1)
    });
    let ids = ids.collect();
    page(draft, conn, request, who, ids);
    Ok(())
}

fn is_kept(state: &State, id: ConversationId) -> bool {
    state.conversations.get(&id).is_some_and(|place| place.kind == Kind::Channel && !place.purged)
}

/// The first page of these.
fn page(draft: &mut Draft<'_>, conn: Conn, request: RequestId, who: &Ready, mut ids: Vec<ConversationId>) {
    ids.sort_unstable();
    let end = ids.len() <= limits::CHANNELS_PAGE_MAX;
    ids.truncate(limits::CHANNELS_PAGE_MAX);
    let listed = |id: &ConversationId| {
        let channel = draft.state.conversations.get(id)?;
        Some(proto::Channel {
            conversation: channel.id.value(),
            unit: channel.unit.map_or(0, UnitId::value),
            title: channel.title.reveal().to_owned(),
            members: channel.present().count() as u32,
            member: channel.member(who.person()).is_some(),
            archived: channel.archived,
        })
    };
    let channels = ids.iter().filter_map(listed).collect();
    let body = Body::ChannelPage(proto::ChannelPage { channels, end });
    draft.send(Send::Reply { conn, request, body });
}

pub(crate) fn rename(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    (who, door): (&Ready, Door),
    id: ConversationId,
    title: Title,
) -> Result<(), Refusal> {
    let (conversation, is) = altered_by(draft, who, door, id)?;
    alterable(conversation)?;
    let permit = access::permit(Operation::Rename, is, actor(who))?;
    takes_more(conversation)?;
    if conversation.title != title {
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        let news = proto::ConversationChanged {
            conversation: id.value(),
            title: Some(title.reveal().to_owned()),
            ..proto::ConversationChanged::default()
        };
        let change = draft.write(Write::TitleSet { conversation: id, title });
        draft.record(permit.by(), Act::ConversationRenamed(id));
        draft.announce(change, news, &[]);
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

pub(crate) fn archive(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    (who, door): (&Ready, Door),
    id: ConversationId,
    archived: bool,
) -> Result<(), Refusal> {
    let (conversation, is) = altered_by(draft, who, door, id)?;
    alterable(conversation)?;
    let permit = access::permit(Operation::Archive, is, actor(who))?;
    if conversation.archived != archived {
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        let change = draft.write(Write::ArchivedSet { conversation: id, archived });
        let act = if archived { Act::ConversationArchived(id) } else { Act::ConversationReopened(id) };
        draft.record(permit.by(), act);
        let news = proto::ConversationChanged {
            conversation: id.value(),
            archived: Some(archived),
            ..proto::ConversationChanged::default()
        };
        draft.announce(change, news, &[]);
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

/// What somebody wants to alter, and what they are to it: to channels administration is something, whoever is in them.
fn altered_by<'a>(
    draft: &'a Draft<'_>,
    who: &Ready,
    door: Door,
    id: ConversationId,
) -> Result<(&'a Conversation, Relations), Refusal> {
    let administers = access::of_person(draft.state, who.person(), door);
    let channel = draft.state.conversations.get(&id).filter(|place| place.kind == Kind::Channel);
    if let Some(channel) = channel.filter(|_| administers.has(Relation::Administrator)) {
        let is = access::to_conversation(draft.state, who.person(), channel);
        return Ok((channel, is.and(administers)));
    }
    let conversation = draft.conversation_known_to(who, id)?;
    Ok((conversation, access::to_conversation(draft.state, who.person(), conversation)))
}

/// It has a title and an end of its own.
fn alterable(conversation: &Conversation) -> Result<(), Refusal> {
    if conversation.purged {
        return Err(Refusal::Purged);
    }
    match conversation.kind {
        Kind::Direct => Err(Refusal::NotInDirect),
        Kind::Patient => Err(Refusal::InPatientThread),
        Kind::Family => Err(Refusal::InFamilyThread),
        Kind::Role => Err(InboxRefusal::Members.into()),
        Kind::Broadcast => Err(BroadcastRefusal::Members.into()),
        Kind::Group | Kind::Channel => Ok(()),
    }
}

/// Neither purged nor archived.
pub(crate) fn takes_more(conversation: &Conversation) -> Result<(), Refusal> {
    if conversation.purged {
        Err(Refusal::Purged)
    } else if conversation.archived && conversation.kind == Kind::Patient {
        Err(Refusal::ThreadClosed)
    } else if conversation.archived && conversation.kind == Kind::Family {
        Err(Refusal::FamilyThreadEnded)
    } else if conversation.archived && conversation.kind == Kind::Role {
        Err(InboxRefusal::Done.into())
    } else if conversation.archived {
        Err(Refusal::Archived)
    } else {
        Ok(())
    }
}
