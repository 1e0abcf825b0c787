//! Messages: accepted once, ordered, delivered, receipted, expired.
//!
//! A message to five hundred people is one write. Nothing is kept per recipient but two watermarks, and nothing of a
//! message stays in memory after its turn.

use crate::access::{self, Operation};
use crate::attachment;
use crate::audit::Act;
use crate::bell;
use crate::broadcast;
use crate::channel;
use crate::conversation::Kind;
use crate::draft::{Draft, actor};
use crate::escalation::{Priority, StatId};
use crate::grant::PageGrant;
use crate::hold;
use crate::ids::{Conn, ConversationId, MessageId, Number, RequestId, Sequence};
use crate::input::Submit;
use crate::limits;
use crate::mention;
use crate::order;
use crate::refusal::{PeerFault, Refusal};
use crate::relay::Room;
use crate::session::Ready;
use crate::stat;
use crate::time::Wall;
use crate::turn::{Accepted, Event, Send};
use crate::urgent;
use crate::wire::proto;
use crate::write::{Message, Write};

/// Takes a message, or answers a retry as the first time.
///
/// A device's numbers rise. One at or below the last accepted is a retry (answered from the store) or has passed; a
/// refusal spends nothing, so the same number may come again.
pub(crate) fn submit(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    submit: Submit,
) -> Result<(), Refusal> {
    let Submit {
        number,
        message,
        conversation: id,
        body,
        priority,
        call,
        reply_to,
        mentions,
        attachments,
        order,
    } = submit;
    if number == Number(0) {
        return Err(Refusal::Invalid);
    }
    let last_number = draft.state.devices.get(&who.device()).ok_or(Refusal::DeviceUnknown)?.last_number;
    if number <= last_number {
        draft.send(Send::AnswerAgain { conn, request, device: who.device(), number, message });
        return Ok(());
    }
    let conversation = draft.conversation_of(who, id)?;
    match conversation.kind {
        Kind::Broadcast => broadcast::may_send(draft, who, conversation, priority)?,
        _ => access::permit(Operation::Send, access::MEMBER, actor(who)).map(drop)?,
    }
    channel::takes_more(conversation)?;
    if conversation.last.0 >= limits::CONVERSATION_MESSAGES_MAX {
        return Err(Refusal::Limit);
    }
    // What it answers may have expired or been recalled since: it is only a number, and says where that was.
    let from = conversation.member(who.person()).map_or(Sequence::NONE, |member| member.from);
    if reply_to.is_some_and(|to| to < from || to > conversation.last) {
        return Err(Refusal::NoSuchMessage);
    }
    let mentions = mention::resolve(draft, conversation, &mentions)?;
    let files = attachment::chosen(draft, who, id, attachments)?;
    let order = match order {
        Some(said) => Some(order::plan(draft, who, conversation, message, (said, !files.is_empty()))?),
        None => None,
    };
    let opening = match priority {
        Priority::Routine | Priority::Urgent => None,
        Priority::Stat => {
            access::permit(Operation::SendStat, access::MEMBER, actor(who))?;
            stat::has_room(draft, who.person())?;
            Some(stat::plan(draft, who.person(), id, &call)?)
        }
    };
    // A STAT may use the reserve: a device can send few.
    if draft.room < if opening.is_some() { Room::Low } else { Room::Plenty } {
        return Err(Refusal::DiskLow);
    }
    let body = body.ok_or(Refusal::Unavailable)?;
    if body.0.len() > limits::TEXT_MAX + limits::SEAL_OVERHEAD {
        return Err(Refusal::TooLarge);
    }
    let sequence = conversation.last.next();
    let mut conns = draft.listeners(conversation);
    conns.retain(|listener| *listener != conn);
    let at = time_shown(draft.now.wall, draft.state.last_at);
    let (sender, device) = (who.person(), who.device());
    let change = draft.write(Write::MessageAccepted(Message {
        conversation: id,
        sequence,
        id: message,
        sender,
        device,
        number,
        at,
        body,
        priority,
        reply_to,
        mentions,
    }));
    draft.record(actor(who), Act::MessageAccepted(id, sequence));
    attachment::send(draft, who, StatId { conversation: id, sequence }, change, files);
    draft.send(Send::Accepted(Accepted {
        conn,
        request,
        number,
        message,
        conversation: id,
        sequence,
        at,
        change,
    }));
    if !conns.is_empty() {
        draft.send(Send::Fanout { change, event: Event::Message(id, sequence), conns });
    }
    if let Some(order) = order {
        order::placed(draft, who, StatId { conversation: id, sequence }, order);
    }
    if priority == Priority::Urgent {
        bell::ring_urgent(draft, sender, StatId { conversation: id, sequence });
    }
    if let Some(opening) = opening {
        stat::open(draft, who, StatId { conversation: id, sequence }, opening);
    }
    Ok(())
}

/// A clock that steps back a little does not reorder what people see. One that steps back further was wrong before:
/// then it is the earlier messages that show a wrong time, not every later one.
pub(crate) fn time_shown(now: Wall, last: Wall) -> Wall {
    let behind = u64::try_from(last.0.saturating_sub(now.0)).unwrap_or(0);
    if behind > 0 && behind <= limits::CLOCK_STEP_MAX_MS { last } else { now }
}

/// What the store has under a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under<T> {
    /// This message.
    Message(T),
    /// Nothing, and messages of this device up to this number or a higher one have been deleted: it may have been
    /// among them.
    Deleted,
    /// Nothing, and nothing that was there is gone.
    Nothing,
}

impl<T> Under<T> {
    /// The same, of what is looked at in the message.
    pub fn map<U>(self, look: impl FnOnce(T) -> U) -> Under<U> {
        match self {
            Self::Message(message) => Under::Message(look(message)),
            Self::Deleted => Under::Deleted,
            Self::Nothing => Under::Nothing,
        }
    }
}

/// What a number that is at or below the last accepted one gets: the first answer, when the store has the same
/// message under it; a fault, when it has another; a refusal, when the number was skipped, and another, when nobody
/// can tell any more. Sent again after the one it is there once; after the other it might be there twice.
pub fn answer_again(stored: Under<MessageId>, offered: MessageId) -> Result<(), Again> {
    match stored {
        Under::Message(stored) if stored == offered => Ok(()),
        Under::Message(_) => Err(Again::Fault(PeerFault::NumberReused)),
        Under::Deleted => Err(Again::Refusal(Refusal::NumberForgotten)),
        Under::Nothing => Err(Again::Refusal(Refusal::NumberPassed)),
    }
}

/// Why a number is not answered as the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Another message came under it.
    Fault(PeerFault),
    /// It was skipped, or is too old to say.
    Refusal(Refusal),
}

/// Raises a member's watermarks. What is no rise is no write.
pub(crate) fn receipt(
    draft: &mut Draft<'_>,
    conn: Conn,
    who: &Ready,
    id: ConversationId,
    delivered: Sequence,
    read: Sequence,
) -> Result<(), Refusal> {
    let conversation = draft.conversation_of(who, id)?;
    if delivered > conversation.last || read > conversation.last {
        return Err(Refusal::Invalid);
    }
    let member = *conversation.member(who.person()).ok_or(Refusal::NoSuchConversation)?;
    let read = read.max(member.read);
    let delivered = delivered.max(member.delivered).max(read);
    if (delivered, read) == (member.delivered, member.read) {
        return Ok(());
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let mut conns = if conversation.pushes_watermarks() { draft.listeners(conversation) } else { Vec::new() };
    conns.retain(|listener| *listener != conn);
    let person = who.person();
    let change = draft.write(Write::WatermarkMoved { conversation: id, person, delivered, read });
    if read > member.read {
        draft.record(actor(who), Act::MessagesRead(id, read));
        urgent::read(draft, person, id, read);
    }
    if !conns.is_empty() {
        let event = proto::event::Kind::Watermark(proto::Watermark {
            conversation: id.value(),
            person: person.value(),
            delivered: delivered.0,
            read: read.0,
        });
        draft.send(Send::Fanout { change, event: Event::Small(Box::new(event)), conns });
    }
    Ok(())
}

/// Grants and records a look at older messages.
pub(crate) fn history(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    id: ConversationId,
    before: Sequence,
    limit: u32,
) -> Result<(), Refusal> {
    if limit == 0 || limit > limits::PAGE_MESSAGES_MAX {
        return Err(Refusal::Invalid);
    }
    let conversation = draft.conversation_of(who, id)?;
    access::permit(Operation::Read, access::MEMBER, actor(who))?;
    if conversation.purged {
        return Err(Refusal::Purged);
    }
    // A look at history is recorded, and so takes room.
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let member = conversation.member(who.person()).ok_or(Refusal::NoSuchConversation)?;
    let end = conversation.last.next();
    let before = if before == Sequence::NONE { end } else { before.min(end) };
    let from = member.from.max(conversation.first);
    let grant = PageGrant::new(who.person(), id, (from, before), limit);
    draft.record(actor(who), Act::HistoryRead(id, before, limit));
    draft.send(Send::ReadPage { conn, request, grant });
    Ok(())
}

/// Deletes what is old: read by every present member, or twice as old. A message never goes unread in silence
/// before that. [`limits::EXPIRED_AT_ONCE`] at a time; true when something went, and more may be there.
pub(crate) fn expire(
    draft: &mut Draft<'_>,
    id: ConversationId,
    read_through: Sequence,
    any_through: Sequence,
) -> bool {
    let Some(conversation) = draft.state.conversations.get(&id) else { return false };
    // Placed, perhaps, after the store was asked.
    if hold::keeps(draft.state, id) {
        return false;
    }
    let read_by_all =
        conversation.present().map(|(_, member)| member.read).min().unwrap_or(conversation.last);
    // What is to be done is kept as what somebody has not read.
    let first_task = draft.state.tasks.of_conversation(id).next().map(|task| task.id.sequence);
    let read_by_all =
        read_by_all.min(first_task.map_or(read_by_all, |task| Sequence(task.0.saturating_sub(1))));
    let through = read_through.min(read_by_all).max(any_through).min(conversation.last);
    let first = conversation.first;
    if through < first {
        return false;
    }
    let mut through = through.min(Sequence(conversation.first.0 + limits::EXPIRED_AT_ONCE - 1));
    // What is not answered does not go, however old it is.
    if let Some(open) = stat::first_open(draft, id) {
        through = through.min(Sequence(open.0.saturating_sub(1)));
    }
    // Nor what is not filed in the record.
    if let Some(order) = order::first_unfiled(draft.state, id) {
        through = through.min(Sequence(order.0.saturating_sub(1)));
    }
    if through < first {
        return false;
    }
    let change = draft.write(Write::MessagesExpired { conversation: id, through });
    draft.record(crate::audit::Actor::TheBox, Act::MessagesExpired(id, through));
    let news = proto::ConversationChanged {
        conversation: id.value(),
        first_sequence: through.next().0,
        ..proto::ConversationChanged::default()
    };
    draft.announce(change, news, &[]);
    true
}
