//! Requests about orders out of frames.

use crate::escalation::StatId;
use crate::ids::{PersonId, RoleId, Sequence, UnitId};
use crate::limits;
use crate::order::signed::{Deed, Unproven};
use crate::order::{OrderAsk, Whose};
use crate::refusal::Refusal;
use crate::time::Wall;
use crate::wire::proto::{self, client_frame};
use crate::wire::{conversation, person, stat, unit};

/// What a message is to an order.
pub(crate) fn part(part: proto::OrderPart) -> Result<Unproven, Refusal> {
    let to: Option<PersonId> = if part.to == 0 { None } else { Some(person(part.to)?) };
    let deed = Deed::from_parts(part.deed(), Sequence(part.of), Sequence::NONE, to);
    // What is said to a read-back is no message.
    let deed = deed.filter(|deed| !matches!(deed, Deed::Confirm { .. } | Deed::Wrong { .. }));
    Ok(Unproven { deed: deed.ok_or(Refusal::Invalid)?, at: Wall(part.at), signature: part.signature })
}

/// What is said to a read-back.
pub(crate) fn answer(answer: proto::AnswerOrder) -> Result<(StatId, Unproven), Refusal> {
    let order = stat(answer.conversation, answer.sequence)?;
    let (of, read_back) = (order.sequence, Sequence(answer.read_back));
    if of == Sequence::NONE || read_back == Sequence::NONE {
        return Err(Refusal::Invalid);
    }
    let deed = if answer.right { Deed::Confirm { of, read_back } } else { Deed::Wrong { of, read_back } };
    Ok((order, Unproven { deed, at: Wall(answer.at), signature: answer.signature }))
}

fn some_unit(of: u64) -> Result<Option<UnitId>, Refusal> {
    if of == 0 { Ok(None) } else { unit(of).map(Some) }
}

fn roles(roles: &[u64]) -> Result<Vec<RoleId>, Refusal> {
    if roles.len() > limits::ORDER_ROLES_MAX {
        return Err(Refusal::Limit);
    }
    let mut all: Vec<RoleId> =
        roles.iter().map(|role| RoleId::new(*role).ok_or(Refusal::NoSuchRole)).collect::<Result<_, _>>()?;
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body) -> Result<OrderAsk, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::FileOrder(file) => OrderAsk::File { order: stat(file.conversation, file.sequence)? },
        Body::ListOrders(list) => OrderAsk::List {
            whose: match (list.conversation, some_unit(list.unit)?) {
                (0, None) => Whose::Mine,
                (0, Some(unit)) => Whose::Unit(unit),
                (place, None) => Whose::Thread(conversation(place)?),
                _ => return Err(Refusal::Invalid),
            },
            after: match list.after_conversation {
                0 => None,
                after => Some(StatId {
                    conversation: conversation(after)?,
                    sequence: Sequence(list.after_sequence),
                }),
            },
        },
        Body::SetOrderPolicy(set) => OrderAsk::SetPolicy {
            unit: some_unit(set.unit)?,
            roles: if set.standard { None } else { Some(roles(&set.roles)?) },
        },
        Body::ListOrderPolicies(_) => OrderAsk::ListPolicies,
        _ => return Err(Refusal::UnknownRequest),
    })
}
