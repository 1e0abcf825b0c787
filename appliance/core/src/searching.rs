//! Searching: who may, where, and what is recorded of it.

use crate::access::{self, Operation};
use crate::audit::Act;
use crate::draft::{Draft, actor};
use crate::grant::SearchGrant;
use crate::ids::{Conn, RequestId};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::search::{Filter, Search};
use crate::session::Ready;
use crate::turn::Send;

/// Grants and records a search. What it may find is asked when it is read: nothing of that is decided here but whether the one
/// conversation, if it names one, is the person's.
pub(crate) fn search(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    search: Search,
) -> Result<(), Refusal> {
    access::permit(Operation::Search, access::STAFF, actor(who))?;
    let Filter { conversation, author, .. } = search.filter;
    if let Some(id) = conversation
        && draft.conversation_of(who, id)?.purged
    {
        return Err(Refusal::Purged);
    }
    if author.is_some_and(|author| !draft.state.people.contains_key(&author)) {
        return Err(Refusal::NoSuchPerson);
    }
    // It is recorded, and so takes room.
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let terms = search.query.terms().len() as u32;
    draft.record(actor(who), Act::Searched(terms, conversation));
    draft.send(Send::Search { conn, request, grant: SearchGrant::new(who.person(), search) });
    Ok(())
}
