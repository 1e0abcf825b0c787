//! What people do to orders.

use std::collections::BTreeSet;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::alteration;
use crate::audit::{Act, Actor};
use crate::conversation::{Conversation, Kind};
use crate::draft::{Draft, actor};
use crate::escalation::StatId;
use crate::ids::{Change, ConversationId, MessageId, PersonId, RoleId, Sequence, UnitId};
use crate::limits;
use crate::order::signed::{Deed, ProvenDeed, Said};
use crate::order::{Filed, Order, OrderAsk, OrderRefusal, Reading, Standing, Whose};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role;
use crate::session::Ready;
use crate::state::State;
use crate::turn::{Event, Send};
use crate::wire::proto::{self, event::Kind as News, server_frame::Body};
use crate::write::Write;

/// An order or a read-back that may be sent.
pub(crate) struct Placing(ProvenDeed, Deed);

/// Looks whether a message may be this part of an order. Changes nothing.
pub(crate) fn plan(
    draft: &Draft<'_>,
    who: &Ready,
    place: &Conversation,
    message: MessageId,
    (said, has_files): (Said, bool),
) -> Result<Placing, Refusal> {
    if place.kind != Kind::Patient {
        return Err(Refusal::Order(OrderRefusal::NotHere));
    }
    let deed = said.deed();
    match deed.gives() {
        Some((_, to, of)) => may_give(draft, who, place, to, of)?,
        None => may_read_back(draft, who, place.id, deed)?,
    }
    if has_files {
        return Err(Refusal::Order(OrderRefusal::TextAlone));
    }
    proof(draft, who, place.id, Some(message), said).map(|proven| Placing(proven, deed))
}

fn may_give(
    draft: &Draft<'_>,
    who: &Ready,
    place: &Conversation,
    to: Option<PersonId>,
    of: Option<Sequence>,
) -> Result<(), Refusal> {
    let (state, me) = (&*draft.state, who.person());
    let roles = state.orders.roles(unit_of(state, place.id));
    if roles.is_empty() {
        return Err(Refusal::Order(OrderRefusal::Off));
    }
    let holds = |role: &RoleId| {
        let role = state.roles.get(role).into_iter();
        role.flat_map(|role| role.holders(state, draft.now.wall)).any(|holder| holder == me)
    };
    let is = Relations::when(roles.iter().any(holds), Relation::Prescriber);
    access::permit(Operation::GiveOrder, is, actor(who))?;
    if let Some(sequence) = of {
        let earlier = open_to(draft, me, StatId { conversation: place.id, sequence })?;
        if earlier.replaced.is_some() {
            return Err(Refusal::Order(OrderRefusal::Stands));
        }
    }
    let next = StatId { conversation: place.id, sequence: place.last.next() };
    if to.is_some_and(|to| to == me || !may_read(state, to, next)) {
        return Err(Refusal::Order(OrderRefusal::Receiver));
    }
    let here = state.orders.of_conversation(place.id).count();
    if here >= limits::ORDERS_OPEN_MAX || state.orders.all().count() >= limits::ORDERS_MAX {
        return Err(Refusal::Order(OrderRefusal::Many));
    }
    Ok(())
}

fn may_read_back(
    draft: &Draft<'_>,
    who: &Ready,
    conversation: ConversationId,
    deed: Deed,
) -> Result<(), Refusal> {
    let Deed::ReadBack { of: sequence } = deed else { return Err(Refusal::Invalid) };
    let order = open_to(draft, who.person(), StatId { conversation, sequence })?;
    let is = relations(draft.state, who.person(), order);
    access::permit(Operation::ReadBackOrder, is, actor(who))?;
    if !order.awaits_reading() {
        return Err(Refusal::Order(OrderRefusal::Stands));
    }
    if order.read_backs >= limits::READ_BACKS_MAX {
        return Err(Refusal::Order(OrderRefusal::Many));
    }
    Ok(())
}

/// The proof, if it is of the device that says it now, in this conversation.
fn proof(
    draft: &Draft<'_>,
    who: &Ready,
    conversation: ConversationId,
    message: Option<MessageId>,
    said: Said,
) -> Result<ProvenDeed, Refusal> {
    let device = draft.state.devices.get(&who.device());
    let proven = device.and_then(|device| said.proven(conversation, message, device.id, &device.key));
    proven.ok_or(Refusal::Order(OrderRefusal::Unsigned))
}

/// The message has its place.
pub(crate) fn placed(draft: &mut Draft<'_>, who: &Ready, id: StatId, placing: Placing) {
    let Placing(proven, deed) = placing;
    let (me, at) = (who.person(), draft.now.wall);
    let StatId { conversation, sequence } = id;
    let about = |sequence| StatId { conversation, sequence };
    let Some((sort, to, of)) = deed.gives() else {
        let order = deed.of().and_then(|of| draft.state.orders.get(about(of))).cloned();
        let Some(order) = order else { return };
        let order_id = order.id;
        let standing = Standing::ReadBack(Reading { by: me, message: sequence, at });
        keep(draft, proven, order_id, me, Some(sequence));
        let read = Order { standing, read_backs: order.read_backs.saturating_add(1), ..order };
        set(draft, actor(who), read, Act::OrderReadBack(conversation, order_id.sequence, sequence));
        return;
    };
    keep(draft, proven, id, me, Some(sequence));
    let order = Order {
        id,
        author: me,
        sort,
        of,
        to,
        given: at,
        standing: Standing::Given,
        read_backs: 0,
        replaced: None,
        filed: None,
        changed: Change(0),
    };
    set(draft, actor(who), order, Act::OrderGiven(conversation, sequence));
    if let Some(earlier) = of.and_then(|of| draft.state.orders.get(about(of))).cloned() {
        let act = Act::OrderReplaced(conversation, earlier.id.sequence, sequence);
        set(draft, actor(who), Order { replaced: Some(sequence), ..earlier }, act);
    }
}

/// Decides a request: of somebody who is signed in, or of a service of the box.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is, who): (Actor, Relations, Option<&Ready>),
    ask: OrderAsk,
) -> Result<Body, Refusal> {
    match ask {
        OrderAsk::Answer { order, said } => answered(draft, who.ok_or(Refusal::UnknownRequest)?, order, said),
        OrderAsk::File { order } => file(draft, (by, is, who), order),
        OrderAsk::List { whose, after } => list(draft, (by, is, who), whose, after),
        OrderAsk::SetPolicy { unit, roles } => {
            let permit = access::permit(Operation::SetOrderPolicy, is, by)?;
            set_policy(draft, permit, unit, roles)
        }
        OrderAsk::ListPolicies => {
            access::permit(Operation::ListOrderPolicies, is, by)?;
            let policy = |(unit, roles): (&Option<UnitId>, &Vec<RoleId>)| proto::OrderPolicy {
                unit: unit.map_or(0, UnitId::value),
                roles: roles.iter().map(|role| role.value()).collect(),
            };
            let policies = draft.state.orders.policies().iter().map(policy).collect();
            Ok(Body::OrderPolicies(proto::OrderPolicies { policies }))
        }
    }
}

/// What the author says to a read-back.
fn answered(draft: &mut Draft<'_>, who: &Ready, id: StatId, said: Said) -> Result<Body, Refusal> {
    let me = who.person();
    draft.conversation_of(who, id.conversation)?;
    let order = open_to(draft, me, id)?.clone();
    let permit = access::permit(Operation::ConfirmOrder, relations(draft.state, me, &order), actor(who))?;
    let deed = said.deed();
    let (read_back, right) = match deed {
        Deed::Confirm { read_back, .. } => (read_back, true),
        Deed::Wrong { read_back, .. } => (read_back, false),
        _ => return Err(Refusal::Invalid),
    };
    match order.standing {
        // Said again because the answer was lost.
        Standing::Confirmed(reading) if right && reading.message == read_back => Ok(done()),
        Standing::Wrong(reading) if !right && reading.message == read_back => Ok(done()),
        Standing::ReadBack(reading) if reading.message == read_back && order.replaced.is_none() => {
            let proven = proof(draft, who, id.conversation, None, said)?;
            if draft.room == Room::Scarce {
                return Err(Refusal::DiskLow);
            }
            keep(draft, proven, id, me, None);
            let reading = Reading { at: draft.now.wall, ..reading };
            let standing = if right { Standing::Confirmed(reading) } else { Standing::Wrong(reading) };
            let act = Act::OrderAnswered(id.conversation, id.sequence, right.into());
            set(draft, permit.by(), Order { standing, ..order }, act);
            Ok(done())
        }
        _ => Err(Refusal::Order(OrderRefusal::Stands)),
    }
}

/// It is in the record. What is not settled between the two, only whoever answers for the unit says so of, or a service of the box.
fn file(
    draft: &mut Draft<'_>,
    (by, is, who): (Actor, Relations, Option<&Ready>),
    id: StatId,
) -> Result<Body, Refusal> {
    let order = draft.state.orders.get(id);
    let to_it = |order: &Order| match who {
        Some(who) => is.and(relations(draft.state, who.person(), order)),
        None => is,
    };
    let is = order.map_or(is, to_it);
    let reads = |who: &Ready| may_read(draft.state, who.person(), id);
    let knows = is.has(Relation::BoxService)
        || is.has(Relation::ChargeNurse)
        || is.has(Relation::Author)
        || who.is_some_and(reads);
    if !knows {
        return Err(Refusal::NoSuchConversation);
    }
    let order = order.ok_or(Refusal::Order(OrderRefusal::NoSuchOrder))?.clone();
    let permit = access::permit(Operation::FileOrder, is, by)?;
    let answers = is.has(Relation::ChargeNurse) || is.has(Relation::BoxService);
    if !order.is_settled() && !answers {
        return Err(Refusal::Order(OrderRefusal::Stands));
    }
    let filed = Filed { by: who.map(|who| who.person()), at: draft.now.wall };
    let act = Act::OrderFiled(id.conversation, id.sequence);
    set(draft, permit.by(), Order { filed: Some(filed), ..order }, act);
    Ok(done())
}

/// Those that are not filed: a page in the order of conversations and places.
fn list(
    draft: &mut Draft<'_>,
    (by, is, who): (Actor, Relations, Option<&Ready>),
    whose: Whose,
    after: Option<StatId>,
) -> Result<Body, Refusal> {
    let state = &*draft.state;
    let mut all: Vec<&Order> = match whose {
        Whose::Unit(unit) => {
            let to_unit = who.map(|who| access::to_unit(state, who.person(), unit));
            access::permit(Operation::ListUnitOrders, is.and(to_unit.unwrap_or_default()), by)?;
            state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
            state.orders.all().filter(|order| unit_of(state, order.id.conversation) == Some(unit)).collect()
        }
        Whose::Thread(conversation) => {
            access::permit(Operation::ListOrders, is, by)?;
            if let Some(who) = who {
                draft.conversation_of(who, conversation)?;
            }
            state.orders.of_conversation(conversation).collect()
        }
        Whose::Mine => {
            access::permit(Operation::ListOrders, is, by)?;
            state.orders.all().collect()
        }
    };
    let reads = |order: &Order| who.is_none_or(|who| may_read(state, who.person(), order.id));
    let of_unit = matches!(whose, Whose::Unit(_));
    all.retain(|order| after.is_none_or(|after| order.id > after) && (of_unit || reads(order)));
    let end = all.len() <= limits::ORDERS_PAGE_MAX;
    let orders = all.into_iter().take(limits::ORDERS_PAGE_MAX).map(Order::to_wire).collect();
    Ok(Body::OrderPage(proto::OrderPage { orders, end }))
}

fn set_policy(
    draft: &mut Draft<'_>,
    permit: Permit,
    unit: Option<UnitId>,
    roles: Option<Vec<RoleId>>,
) -> Result<Body, Refusal> {
    if unit.is_some_and(|unit| !draft.state.units.contains_key(&unit)) {
        return Err(Refusal::NoSuchUnit);
    }
    for role in roles.iter().flatten() {
        if draft.state.roles.get(role).ok_or(Refusal::NoSuchRole)?.retired {
            return Err(Refusal::RoleRetired);
        }
    }
    if draft.state.orders.policies().get(&unit) != roles.as_ref() {
        let count = roles.as_ref().map_or(0, Vec::len) as u32;
        // Whoever took one by hand while it was not listed was not named by anybody: they are given it, or the rota says who holds it.
        let listed = roles.iter().flatten().copied().filter(|role| !draft.state.orders.lists(*role));
        let listed: BTreeSet<RoleId> = listed.collect();
        draft.write(Write::OrderPolicySet { unit, roles });
        draft.record(permit.by(), Act::OrderPolicySet(unit, count));
        for role in listed {
            role::end_by_hand(draft, permit, role, |_| true);
        }
    }
    Ok(done())
}

/// An order that is not filed, if the person may read it.
fn open_to<'d>(draft: &'d Draft<'_>, person: PersonId, id: StatId) -> Result<&'d Order, Refusal> {
    let order = draft.state.orders.get(id).filter(|order| may_read(draft.state, person, order.id));
    order.ok_or(Refusal::Order(OrderRefusal::NoSuchOrder))
}

/// Whether somebody who can sign in may read the message of an order.
fn may_read(state: &State, person: PersonId, id: StatId) -> bool {
    let member = state.conversations.get(&id.conversation).and_then(|place| place.member(person));
    let out = state.people.get(&person).is_none_or(|entry| entry.suspended);
    !out && member.is_some_and(|member| member.from <= id.sequence)
}

/// The unit where the patient lies.
fn unit_of(state: &State, conversation: ConversationId) -> Option<UnitId> {
    state.clinic.of_thread(conversation).map(|stay| stay.unit)
}

/// What somebody is to an order.
fn relations(state: &State, person: PersonId, order: &Order) -> Relations {
    let author = order.author == person;
    // Whom it was for may be off duty, and out of the thread: then it is the team's.
    let for_them = order.to.is_none_or(|to| to == person || !may_read(state, to, order.id));
    let has_read = order.standing.reading().is_some_and(|reading| reading.by == person);
    let receives = !author && (has_read || for_them && may_read(state, person, order.id));
    let unit = unit_of(state, order.id.conversation);
    Relations::when(author, Relation::Author)
        .and(Relations::when(receives, Relation::Receiver))
        .and(unit.map_or(Relations::default(), |unit| access::to_unit(state, person, unit)))
}

fn done() -> Body {
    Body::Done(proto::Done {})
}

fn keep(draft: &mut Draft<'_>, proven: ProvenDeed, id: StatId, person: PersonId, said: Option<Sequence>) {
    let kept = proven.keep(id, person, said, draft.now.wall);
    draft.write(Write::OrderSigned(Box::new(kept)));
}

/// Writes it, records it, and tells whoever reads its message.
fn set(draft: &mut Draft<'_>, by: Actor, order: Order, act: Act) {
    let (id, told) = (order.id, order.to_wire());
    let change = draft.write(Write::OrderSet(Box::new(order)));
    draft.record(by, act);
    let conns = alteration::readers(draft, id);
    if !conns.is_empty() {
        let event = Event::Small(Box::new(News::Order(told)));
        draft.send(Send::Fanout { change, event, conns });
    }
}

/// The first place in this conversation that is kept, however old: an order there is not filed.
pub(crate) fn first_unfiled(state: &State, conversation: ConversationId) -> Option<Sequence> {
    state.orders.of_conversation(conversation).next().map(|order| order.id.sequence)
}

/// The newest that are not filed, as far as a newcomer may read them.
pub(crate) fn shown_in(state: &State, conversation: ConversationId, newcomer: PersonId) -> Vec<proto::Order> {
    let open = state.orders.of_conversation(conversation).rev();
    let mut shown: Vec<proto::Order> = open
        .filter(|order| may_read(state, newcomer, order.id))
        .take(limits::ORDERS_SHOWN_MAX)
        .map(Order::to_wire)
        .collect();
    shown.reverse();
    shown
}
