//! Orders by text: what somebody who may says is to be done for a patient, read back by whoever does it, confirmed, and kept until it is filed.
//!
//! ```text
//! Given --read back--> ReadBack --right--> Confirmed
//!   ^                     \--wrong--> Wrong --read back again--> ReadBack
//!   \ in any standing: corrected or cancelled by a new order, which goes the same way
//! ```
//!
//! An order is a message of the patient's thread, and so is a read-back: their texts stand under the conversation's key like any other. This
//! is how an order stands, and nothing of what it says. The author's device signs the order ([`signed`]), the reader's the read-back,
//! the author's again what is said to that.
//!
//! Off until administration lists roles. Neither an order nor a read-back is edited or recalled, ever; and what is not marked as filed in the
//! record is neither expired nor purged, whatever retention says.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::escalation::StatId;
use crate::ids::{Change, ConversationId, PersonId, RoleId, Sequence, UnitId};
use crate::kept;
use crate::refusal::Fault;
use crate::state::State;
use crate::time::Wall;
use crate::wire::proto::{self, RefusalCode};
use crate::write::Write;

mod acts;
mod parse;
pub mod signed;

use signed::Said;

pub(crate) use acts::{first_unfiled, handle, placed, plan, shown_in};
pub(crate) use parse::{answer as parse_answer, parse, part as parse_part};

/// What sort of order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Sort {
    /// A new one.
    #[n(1)]
    New,
    /// In place of an earlier one.
    #[n(2)]
    Correction,
    /// An earlier one is not to be done.
    #[n(3)]
    Cancellation,
}

/// How an order stands between its author and whoever reads it back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Standing {
    /// Nobody has read it back.
    #[n(0)]
    Given,
    /// Somebody has, and its author has not said whether that is right.
    #[n(1)]
    ReadBack(#[n(0)] Reading),
    /// The author has said that it is right.
    #[n(2)]
    Confirmed(#[n(0)] Reading),
    /// The author has said that it is wrong.
    #[n(3)]
    Wrong(#[n(0)] Reading),
}

/// A read-back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Reading {
    /// By whom.
    #[n(0)]
    pub by: PersonId,
    /// The message that says it.
    #[n(1)]
    pub message: Sequence,
    /// When it came to stand so.
    #[n(2)]
    pub at: Wall,
}

/// That an order was marked as filed in the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Filed {
    /// By whom; none: a service of the box.
    #[n(0)]
    pub by: Option<PersonId>,
    /// When.
    #[n(1)]
    pub at: Wall,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Order {
    /// The message that says it.
    #[n(0)]
    pub id: StatId,
    /// Who gave it.
    #[n(1)]
    pub author: PersonId,
    /// What sort.
    #[n(2)]
    pub sort: Sort,
    /// The earlier one that it corrects or cancels.
    #[n(3)]
    pub of: Option<Sequence>,
    /// Whom it is for; none: anybody of the care team.
    #[n(4)]
    pub to: Option<PersonId>,
    /// When it was given.
    #[n(5)]
    pub given: Wall,
    /// How it stands.
    #[n(6)]
    pub standing: Standing,
    /// How often it was read back.
    #[n(7)]
    pub read_backs: u8,
    /// The later one that corrects or cancels it.
    #[n(8)]
    pub replaced: Option<Sequence>,
    /// That it is in the record.
    #[n(9)]
    pub filed: Option<Filed>,
    /// The change that last touched it.
    #[n(10)]
    pub changed: Change,
}

/// What an order cannot be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum OrderRefusal {
    /// No role is listed where the patient lies.
    #[error("Orders by text are off here. Give the order in person or by telephone, or in the record.")]
    Off,
    /// Not in a patient's thread.
    #[error(
        "An order is given in the patient's own thread, and read back there. Open the thread, or call whoever is to do it."
    )]
    NotHere,
    /// Not signed by the device of this session, or something else was.
    #[error(
        "An order and what is said to it are signed by the device that says it, and this is not. Say it again; if it is refused again, update the app."
    )]
    Unsigned,
    /// Filed, not an order, or not readable.
    #[error(
        "There is no such order that is not filed. Look at the list again; one that is filed is changed by a new order."
    )]
    NoSuchOrder,
    /// An order or its read-back.
    #[error(
        "An order and its read-back stay as they were sent. Correct or cancel the order by a new one; read it back again."
    )]
    AsSent,
    /// Something would destroy it.
    #[error(
        "Orders in this conversation are not marked as filed. Have them filed first: the list of the unit's orders says which."
    )]
    Unfiled,
    /// Read back already, answered already, replaced, or not settled.
    #[error(
        "The order does not stand like that: what is not confirmed is not filed, and nothing is said to an order that is answered or replaced. Look at how it stands: wardline order show."
    )]
    Stands,
    /// Nobody who could read it back.
    #[error(
        "An order is for somebody else of the patient's care team, who reads it back. Name one of them, or leave it to the team."
    )]
    Receiver,
    /// Files, or too many.
    #[error("An order is text alone: what is in a file cannot be read back. Write it out.")]
    TextAlone,
    /// [`crate::limits::ORDERS_OPEN_MAX`], [`crate::limits::READ_BACKS_MAX`].
    #[error(
        "This order was read back three times, or too many here are not filed. Call whoever gave it; have orders filed that are in the record."
    )]
    Many,
}

impl OrderRefusal {
    /// The stable code on the wire.
    pub(crate) const fn code(self) -> RefusalCode {
        match self {
            Self::Off => RefusalCode::OrdersOff,
            Self::NotHere => RefusalCode::OrderNotHere,
            Self::Unsigned => RefusalCode::OrderUnsigned,
            Self::NoSuchOrder => RefusalCode::NoSuchOrder,
            Self::AsSent => RefusalCode::OrderAsSent,
            Self::Unfiled => RefusalCode::OrdersUnfiled,
            Self::Stands => RefusalCode::OrderStands,
            Self::Receiver => RefusalCode::OrderReceiver,
            Self::TextAlone => RefusalCode::OrderTextAlone,
            Self::Many => RefusalCode::OrdersMany,
        }
    }
}

/// Whose orders are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of every thread that they are in.
    Mine,
    /// Of one thread.
    Thread(ConversationId),
    /// Of the patients who lie in a unit.
    Unit(UnitId),
}

/// A request about orders. Every field has been parsed.
pub enum OrderAsk {
    /// What the author says to a read-back.
    Answer {
        /// Of which order.
        order: StatId,
        /// Right or wrong, as it was signed.
        said: Said,
    },
    /// It is in the record.
    File {
        /// Which.
        order: StatId,
    },
    /// A page of those that are not filed.
    List {
        /// Whose.
        whose: Whose,
        /// Behind this one.
        after: Option<StatId>,
    },
    /// Whose orders count.
    SetPolicy {
        /// In which unit; none: wherever a unit says nothing of its own.
        unit: Option<UnitId>,
        /// Whoever holds one of these; empty: nobody's; none: as if it had never been said.
        roles: Option<Vec<RoleId>>,
    },
    /// The same, as it stands.
    ListPolicies,
}

/// Every order that is not filed, and whose orders count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    open: BTreeMap<StatId, Order>,
    policies: BTreeMap<Option<UnitId>, Vec<RoleId>>,
}

impl Sort {
    fn to_wire(self) -> proto::OrderSort {
        match self {
            Self::New => proto::OrderSort::New,
            Self::Correction => proto::OrderSort::Correction,
            Self::Cancellation => proto::OrderSort::Cancellation,
        }
    }
}

impl Standing {
    /// The last read-back.
    pub fn reading(self) -> Option<Reading> {
        match self {
            Self::Given => None,
            Self::ReadBack(reading) | Self::Confirmed(reading) | Self::Wrong(reading) => Some(reading),
        }
    }

    fn to_wire(self) -> proto::OrderState {
        match self {
            Self::Given => proto::OrderState::Given,
            Self::ReadBack(_) => proto::OrderState::ReadBack,
            Self::Confirmed(_) => proto::OrderState::Confirmed,
            Self::Wrong(_) => proto::OrderState::Wrong,
        }
    }
}

impl Order {
    /// Nothing more is to be said between the two.
    pub fn is_settled(&self) -> bool {
        self.replaced.is_some() || matches!(self.standing, Standing::Confirmed(_))
    }

    /// Whether it waits for somebody to read it back.
    pub fn awaits_reading(&self) -> bool {
        self.replaced.is_none() && matches!(self.standing, Standing::Given | Standing::Wrong(_))
    }

    /// As clients see it.
    pub fn to_wire(&self) -> proto::Order {
        let reading = self.standing.reading();
        proto::Order {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            author: self.author.value(),
            sort: self.sort.to_wire().into(),
            of: self.of.unwrap_or_default().0,
            to: self.to.map_or(0, PersonId::value),
            given: self.given.0,
            state: self.standing.to_wire().into(),
            read_by: reading.map_or(0, |reading| reading.by.value()),
            read_back: reading.map_or(0, |reading| reading.message.0),
            at: reading.map_or(0, |reading| reading.at.0),
            replaced: self.replaced.unwrap_or_default().0,
            filed: self.filed.map_or(0, |filed| filed.at.0),
            filed_by: self.filed.and_then(|filed| filed.by).map_or(0, PersonId::value),
        }
    }

    /// As a store keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// Out of what a store keeps. Bytes that are not the canonical form of an order are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        kept::canonical(bytes)
    }
}

/// Whose orders count, as a store keeps it: roles in order, eight bytes each.
pub fn roles_to_bytes(roles: &[RoleId]) -> Vec<u8> {
    roles.iter().flat_map(|role| role.value().to_be_bytes()).collect()
}

/// Out of what a store keeps.
pub fn roles_from_bytes(bytes: &[u8]) -> Option<Vec<RoleId>> {
    let parts = bytes.chunks(8).map(|part| RoleId::new(u64::from_be_bytes(part.try_into().ok()?)));
    parts.collect()
}

/// Every place of a conversation.
fn all_of(conversation: ConversationId, through: Sequence) -> RangeInclusive<StatId> {
    StatId { conversation, sequence: Sequence::NONE }..=StatId { conversation, sequence: through }
}

impl Orders {
    /// As a store hands them back.
    pub(crate) fn restore(open: Vec<Order>, policies: Vec<(Option<UnitId>, Vec<RoleId>)>) -> Self {
        Self {
            open: open.into_iter().map(|order| (order.id, order)).collect(),
            policies: policies.into_iter().collect(),
        }
    }

    /// What they name is there.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        for order in self.open.values() {
            let place = state.conversations.get(&order.id.conversation).filter(|place| !place.purged);
            let is_there = place.is_some_and(|place| (place.first..=place.last).contains(&order.id.sequence));
            if !is_there || !state.people.contains_key(&order.author) || order.changed > state.change {
                return Err(Fault::Inconsistent("an order is nowhere, nobody's, or from later"));
            }
        }
        let units = self.policies.keys().flatten().all(|unit| state.units.contains_key(unit));
        let roles = self.policies.values().flatten().all(|role| state.roles.contains_key(role));
        if units && roles { Ok(()) } else { Err(Fault::Inconsistent("whose orders count names nothing")) }
    }

    /// All that are not filed, in order.
    pub fn all(&self) -> impl Iterator<Item = &Order> {
        self.open.values()
    }

    /// Whose orders count, where that was said.
    pub fn policies(&self) -> &BTreeMap<Option<UnitId>, Vec<RoleId>> {
        &self.policies
    }

    /// Whether whoever holds this role may order somewhere.
    pub fn lists(&self, role: RoleId) -> bool {
        self.policies.values().any(|roles| roles.contains(&role))
    }

    /// One that is not filed.
    pub fn get(&self, id: StatId) -> Option<&Order> {
        self.open.get(&id)
    }

    /// Those of a conversation that are not filed, in order.
    pub fn of_conversation(&self, conversation: ConversationId) -> impl DoubleEndedIterator<Item = &Order> {
        self.open.range(all_of(conversation, Sequence(u64::MAX))).map(|(_, order)| order)
    }

    /// Whose orders count in a unit.
    pub fn roles(&self, unit: Option<UnitId>) -> &[RoleId] {
        let own = unit.and_then(|unit| self.policies.get(&Some(unit)));
        own.or_else(|| self.policies.get(&None)).map_or(&[], Vec::as_slice)
    }

    /// Folds one write in.
    pub(crate) fn apply(&mut self, change: Change, write: &Write) {
        match write {
            Write::OrderSet(order) if order.filed.is_some() => {
                self.open.remove(&order.id);
            }
            Write::OrderSet(order) => {
                self.open.insert(order.id, Order { changed: change, ..(**order).clone() });
            }
            Write::OrderPolicySet { unit, roles: Some(roles) } => {
                self.policies.insert(*unit, roles.clone());
            }
            Write::OrderPolicySet { unit, roles: None } => {
                self.policies.remove(unit);
            }
            Write::MessagesExpired { conversation, through } => self.drop_through(*conversation, *through),
            Write::KeyDestroyed { conversation } => self.drop_through(*conversation, Sequence(u64::MAX)),
            _ => {}
        }
    }

    /// Nobody decides that of what is not filed; the fold does not rely on it.
    fn drop_through(&mut self, conversation: ConversationId, through: Sequence) {
        let gone: Vec<StatId> = self.open.range(all_of(conversation, through)).map(|(id, _)| *id).collect();
        for id in gone {
            self.open.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(sequence: u64) -> Order {
        Order {
            id: StatId { conversation: ConversationId::from_random([1; 8]), sequence: Sequence(sequence) },
            author: PersonId::from_random([1; 8]),
            sort: Sort::Correction,
            of: Some(Sequence(2)),
            to: Some(PersonId::from_random([2; 8])),
            given: Wall(5),
            standing: Standing::Given,
            read_backs: 0,
            replaced: None,
            filed: None,
            changed: Change(7),
        }
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let reading = Reading { by: PersonId::from_random([3; 8]), message: Sequence(9), at: Wall(6) };
        for standing in [
            Standing::Given,
            Standing::ReadBack(reading),
            Standing::Confirmed(reading),
            Standing::Wrong(reading),
        ] {
            let whole = Order { standing, filed: Some(Filed { by: None, at: Wall(8) }), ..order(3) };
            let bytes = whole.to_bytes();
            assert_eq!(Order::from_bytes(&bytes).expect("as it was written"), whole);
            for end in 0..bytes.len() {
                assert!(Order::from_bytes(&bytes[..end]).is_err(), "{end}");
            }
            assert!(Order::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
        let roles = [RoleId::from_random([1; 8]), RoleId::from_random([2; 8])];
        let bytes = roles_to_bytes(&roles);
        assert_eq!(roles_from_bytes(&bytes).as_deref(), Some(&roles[..]));
        assert_eq!(roles_from_bytes(&bytes[..9]), None);
    }

    #[test]
    fn a_units_list_counts_before_the_facilitys_also_an_empty_one() {
        let (unit, other) = (UnitId::from_random([1; 8]), UnitId::from_random([2; 8]));
        let role = RoleId::from_random([3; 8]);
        let mut orders = Orders::default();
        assert!(orders.roles(Some(unit)).is_empty(), "off by default");
        let set = |unit, roles| Write::OrderPolicySet { unit, roles };
        orders.apply(Change(1), &set(None, Some(vec![role])));
        orders.apply(Change(2), &set(Some(unit), Some(Vec::new())));
        assert!(orders.roles(Some(unit)).is_empty());
        assert_eq!((orders.roles(Some(other)), orders.roles(None)), (&[role][..], &[role][..]));
        orders.apply(Change(3), &set(Some(unit), None));
        assert_eq!(orders.roles(Some(unit)), [role]);
    }

    #[test]
    fn what_is_filed_is_not_remembered() {
        let mut orders = Orders::default();
        orders.apply(Change(1), &Write::OrderSet(Box::new(order(3))));
        assert_eq!(orders.get(order(3).id).map(|order| order.changed), Some(Change(1)));
        let filed = Order { filed: Some(Filed { by: None, at: Wall(9) }), ..order(3) };
        orders.apply(Change(2), &Write::OrderSet(Box::new(filed)));
        assert_eq!(orders, Orders::default());
    }
}
