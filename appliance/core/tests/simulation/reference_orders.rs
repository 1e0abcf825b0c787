//! The reference's rules for orders by text: a list of those that are not filed, and the bytes that are signed, put together here by its own
//! hand.

use sha2::{Digest as _, Sha256};
use wardline_core::audit::{Act, Actor};
use wardline_core::directory::PublicKey;
use wardline_core::ids::{ConversationId, DeviceId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::{self, OrderDeed as Deed, OrderState as State, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference, Ward};
use crate::reference_roles;
use crate::reference_signed::FACILITY;
use crate::toys;

#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) place: ConversationId,
    pub(crate) sequence: u64,
    pub(crate) author: PersonId,
    sort: i32,
    of: u64,
    pub(crate) to: u64,
    pub(crate) state: State,
    read_by: u64,
    read_back: u64,
    read_backs: u32,
    pub(crate) replaced: u64,
}

/// What is signed of a message, or of an answer that is none.
fn statement(device: DeviceId, place: u64, words: Option<(&[u8], &str)>, rest: [u64; 5]) -> Vec<u8> {
    let mut bytes = b"wardline/1 order\0".to_vec();
    bytes.extend(FACILITY);
    bytes.extend(device.value().to_be_bytes());
    bytes.extend(place.to_be_bytes());
    match words {
        Some((message, text)) => {
            bytes.extend(message);
            bytes.extend(Sha256::digest(text.as_bytes()));
        }
        None => bytes.extend([0; 48]),
    }
    let [deed, numbers @ ..] = rest;
    bytes.push(deed as u8);
    for number in numbers {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

fn of_part(device: DeviceId, submit: &proto::Submit) -> Option<Vec<u8>> {
    let part = submit.order.as_ref()?;
    let rest = [part.deed as u64, part.of, 0, part.to, part.at as u64];
    Some(statement(device, submit.conversation, Some((&submit.message, &submit.text)), rest))
}

fn of_answer(device: DeviceId, said: &proto::AnswerOrder) -> Vec<u8> {
    let deed = if said.right { Deed::Confirm } else { Deed::Wrong };
    let rest = [deed as u64, said.sequence, said.read_back, 0, said.at as u64];
    statement(device, said.conversation, None, rest)
}

/// What a device with this key signs of a message.
pub(crate) fn sign_part(key: &PublicKey, device: DeviceId, submit: &proto::Submit) -> Vec<u8> {
    of_part(device, submit).map_or(Vec::new(), |bytes| toys::sign(key, &bytes).to_vec())
}

/// And of what it says to a read-back.
pub(crate) fn sign_answer(key: &PublicKey, device: DeviceId, said: &proto::AnswerOrder) -> Vec<u8> {
    toys::sign(key, &of_answer(device, said)).to_vec()
}

/// Whether what is kept is what its device signed, of a message that says this.
pub(crate) fn is_kept_right(kept: &proto::SignedOrder, text: Option<&str>) -> bool {
    let (Some(device), Some(key)) = (DeviceId::new(kept.device), PublicKey::parse(&kept.device_key)) else {
        return false;
    };
    let words = text.map(|text| (&kept.message[..], text));
    let rest = [kept.deed as u64, kept.of, kept.read_back, kept.to, kept.at as u64];
    toys::sign(&key, &statement(device, kept.conversation, words, rest))[..] == kept.signature
}

/// A page as a number.
pub(crate) fn digest(orders: &[proto::Order]) -> u64 {
    let all: Vec<(u64, [u64; 9])> = orders
        .iter()
        .map(|order| {
            let proto::Order { sequence, author, sort, of, to, state, read_by, read_back, replaced, .. } =
                *order;
            let rest = [sequence, author, sort as u64, of, to, state as u64, read_by, read_back, replaced];
            (order.conversation, rest)
        })
        .collect();
    reference_roles::digest(all.iter().map(|(place, rest)| (*place, &rest[..])))
}

/// And whose orders count.
pub(crate) fn policies(policies: &[proto::OrderPolicy]) -> u64 {
    reference_roles::digest(policies.iter().map(|policy| (policy.unit, &policy.roles[..])))
}

impl Order {
    pub(crate) fn to_wire(&self) -> proto::Order {
        proto::Order {
            conversation: self.place.value(),
            sequence: self.sequence,
            author: self.author.value(),
            sort: self.sort,
            of: self.of,
            to: self.to,
            given: 0,
            state: self.state.into(),
            read_by: self.read_by,
            read_back: self.read_back,
            at: 0,
            replaced: self.replaced,
            filed: 0,
            filed_by: 0,
        }
    }

    fn is(&self, of: (ConversationId, u64)) -> bool {
        (self.place, self.sequence) == of
    }
}

impl Ward {
    pub(crate) fn order(&self, of: (ConversationId, u64)) -> Option<&Order> {
        self.orders.iter().find(|order| order.is(of))
    }

    fn lies_where(&self, place: ConversationId) -> Option<UnitId> {
        self.clinic.stays.iter().find(|stay| stay.thread == place).map(|stay| stay.unit)
    }

    /// Roles that are listed where the patient lies.
    pub(crate) fn order_roles(&self, place: ConversationId) -> Vec<u64> {
        let unit = self.lies_where(place).map_or(0, UnitId::value);
        let of = |unit: u64| self.order_policies.iter().find(|policy| policy.unit == unit);
        of(unit).or_else(|| of(0)).map_or(Vec::new(), |policy| policy.roles.clone())
    }

    pub(crate) fn prescribes(&self, who: PersonId, place: ConversationId, now: Wall) -> bool {
        let roles = self.order_roles(place).into_iter().filter_map(RoleId::new);
        roles.filter_map(|role| self.role(role)).any(|role| self.holders(role, now).contains(&who))
    }

    /// Somebody who can sign in and reads its message.
    pub(crate) fn reads_order(&self, who: PersonId, place: ConversationId, sequence: u64) -> bool {
        self.reads(who, place, sequence) && self.person(who).is_some_and(|person| !person.suspended)
    }

    fn receives(&self, who: PersonId, order: &Order) -> bool {
        let theirs = match PersonId::new(order.to) {
            Some(to) => to == who || !self.reads_order(to, order.place, order.sequence),
            None => true,
        };
        order.author != who
            && (order.read_by == who.value() || theirs && self.reads_order(who, order.place, order.sequence))
    }

    /// The first place that is kept because an order is not filed.
    pub(crate) fn first_unfiled(&self, place: ConversationId) -> Option<u64> {
        self.orders.iter().filter(|order| order.place == place).map(|order| order.sequence).min()
    }
}

impl Reference {
    /// Why this message is no order, or no read-back.
    pub(crate) fn refused_order(
        &self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        place: ConversationId,
        submit: &proto::Submit,
    ) -> Option<Code> {
        let part = submit.order.as_ref()?;
        let conversation = self.ward.conversation(place)?;
        if !conversation.of_patient {
            return Some(Code::OrderNotHere);
        }
        let about = (place, part.of);
        let known = self.ward.order(about).filter(|order| self.ward.reads_order(me, place, order.sequence));
        if part.deed() == Deed::ReadBack {
            let Some(order) = known else { return Some(Code::NoSuchOrder) };
            if !self.ward.receives(me, order) {
                return Some(Code::NotPermitted);
            }
            if order.replaced != 0 || !matches!(order.state, State::Given | State::Wrong) {
                return Some(Code::OrderStands);
            }
            if order.read_backs >= 3 {
                return Some(Code::OrdersMany);
            }
        } else {
            if self.ward.order_roles(place).is_empty() {
                return Some(Code::OrdersOff);
            }
            if !self.ward.prescribes(me, place, now.wall) {
                return Some(Code::NotPermitted);
            }
            if part.deed() != Deed::Give {
                let Some(earlier) = known else { return Some(Code::NoSuchOrder) };
                if earlier.replaced != 0 {
                    return Some(Code::OrderStands);
                }
            }
            let next = conversation.messages.len() as u64 + 1;
            let to = PersonId::new(part.to);
            if to.is_some_and(|to| to == me || !self.ward.reads_order(to, place, next)) {
                return Some(Code::OrderReceiver);
            }
            if self.ward.orders.iter().filter(|order| order.place == place).count() >= 200 {
                return Some(Code::OrdersMany);
            }
        }
        if !submit.attachments.is_empty() {
            return Some(Code::OrderTextAlone);
        }
        let key = self.ward.device(device)?.key;
        (sign_part(&key, device, submit) != part.signature).then_some(Code::OrderUnsigned)
    }

    /// The message was accepted.
    pub(crate) fn order_placed(
        &mut self,
        device: DeviceId,
        me: PersonId,
        (place, sequence): (ConversationId, u64),
        submit: &proto::Submit,
        expected: &mut Expected,
    ) {
        let Some(part) = &submit.order else { return };
        let (by, at) = (self.actor(device), Sequence(sequence));
        if part.deed() == Deed::ReadBack {
            for order in self.ward.orders.iter_mut().filter(|order| order.is((place, part.of))) {
                (order.state, order.read_by, order.read_back) = (State::ReadBack, me.value(), sequence);
                order.read_backs += 1;
            }
            expected.audits.push((by, Act::OrderReadBack(place, Sequence(part.of), at)));
            return;
        }
        self.ward.orders.push(Order {
            place,
            sequence,
            author: me,
            sort: part.deed,
            of: part.of,
            to: part.to,
            state: State::Given,
            read_by: 0,
            read_back: 0,
            read_backs: 0,
            replaced: 0,
        });
        expected.audits.push((by, Act::OrderGiven(place, at)));
        if part.of != 0 {
            for order in self.ward.orders.iter_mut().filter(|order| order.is((place, part.of))) {
                order.replaced = sequence;
            }
            expected.audits.push((by, Act::OrderReplaced(place, Sequence(part.of), at)));
        }
    }

    pub(crate) fn answer_order(
        &mut self,
        device: DeviceId,
        me: PersonId,
        said: &proto::AnswerOrder,
    ) -> Expected {
        let of = (ConversationId::new(said.conversation).expect("parsed before"), said.sequence);
        if self.ward.member(of.0, me).is_none() {
            return Expected::refused(Code::NoSuchConversation);
        }
        let known = self.ward.order(of).filter(|_| self.ward.reads_order(me, of.0, of.1));
        let Some(order) = known.cloned() else { return Expected::refused(Code::NoSuchOrder) };
        if order.author != me {
            return Expected::refused(Code::NotPermitted);
        }
        let state = if said.right { State::Confirmed } else { State::Wrong };
        let same = order.read_back == said.read_back;
        if same && order.state == state {
            return Expected::answered(Answer::Done);
        }
        if !same || order.state != State::ReadBack || order.replaced != 0 {
            return Expected::refused(Code::OrderStands);
        }
        let key = self.ward.device(device).map(|device| device.key);
        if key.is_none_or(|key| sign_answer(&key, device, said) != said.signature) {
            return Expected::refused(Code::OrderUnsigned);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        for order in self.ward.orders.iter_mut().filter(|order| order.is(of)) {
            order.state = state;
        }
        let mut expected = Expected::answered(Answer::Done);
        let act = Act::OrderAnswered(of.0, Sequence(of.1), said.right.into());
        expected.audits.push((self.actor(device), act));
        expected
    }

    /// None: a service of the box.
    pub(crate) fn file_order(
        &mut self,
        by: Actor,
        me: Option<PersonId>,
        file: &proto::FileOrder,
    ) -> Expected {
        let of = (ConversationId::new(file.conversation).expect("parsed before"), file.sequence);
        let order = self.ward.order(of).cloned();
        let unit = order.as_ref().and_then(|_| self.ward.lies_where(of.0));
        let leads = |me: PersonId| unit.and_then(|unit| self.ward.post(me, unit)) == Some(true);
        let answers = me.is_none_or(leads);
        let author = me.is_some_and(|me| order.as_ref().is_some_and(|order| order.author == me));
        if !answers && !author && !me.is_some_and(|me| self.ward.reads_order(me, of.0, of.1)) {
            return Expected::refused(Code::NoSuchConversation);
        }
        let Some(order) = order else { return Expected::refused(Code::NoSuchOrder) };
        let receives = me.is_some_and(|me| self.ward.receives(me, &order));
        if !answers && !author && !receives {
            return Expected::refused(Code::NotPermitted);
        }
        if !answers && order.replaced == 0 && order.state != State::Confirmed {
            return Expected::refused(Code::OrderStands);
        }
        self.ward.orders.retain(|order| !order.is(of));
        let mut expected = Expected::answered(Answer::Done);
        expected.audits.push((by, Act::OrderFiled(of.0, Sequence(of.1))));
        expected
    }

    pub(crate) fn list_orders(&self, me: Option<PersonId>, list: &proto::ListOrders) -> Expected {
        let (place, unit) = (ConversationId::new(list.conversation), UnitId::new(list.unit));
        if let (Some(unit), Some(me)) = (unit, me)
            && self.ward.post(me, unit) != Some(true)
        {
            return Expected::refused(Code::NotPermitted);
        }
        if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Expected::refused(Code::NoSuchUnit);
        }
        if let (Some(place), Some(me)) = (place, me)
            && self.ward.member(place, me).is_none()
        {
            return Expected::refused(Code::NoSuchConversation);
        }
        let wanted = |order: &&Order| match (unit, place) {
            (Some(unit), _) => self.ward.lies_where(order.place) == Some(unit),
            (None, Some(place)) => order.place == place,
            (None, None) => true,
        };
        let mut found: Vec<&Order> = self.ward.orders.iter().filter(wanted).collect();
        let reads =
            |order: &Order| me.is_none_or(|me| self.ward.reads_order(me, order.place, order.sequence));
        found.retain(|order| unit.is_some() || reads(order));
        found.retain(|order| {
            list.after_conversation == 0
                || (order.place.value(), order.sequence) > (list.after_conversation, list.after_sequence)
        });
        found.sort_unstable_by_key(|order| (order.place, order.sequence));
        let found: Vec<proto::Order> = found.into_iter().map(Order::to_wire).collect();
        Expected::answered(Answer::Orders(digest(&found)))
    }

    pub(crate) fn set_order_policy(&mut self, now: Now, by: Actor, set: &proto::SetOrderPolicy) -> Expected {
        if set.unit != 0 && !self.ward.units.iter().any(|unit| unit.value() == set.unit) {
            return Expected::refused(Code::NoSuchUnit);
        }
        let mut roles = if set.standard { Vec::new() } else { set.roles.clone() };
        roles.sort_unstable();
        roles.dedup();
        for role in &roles {
            if let Err(code) = self.ward.role_in_use(*role) {
                return Expected::refused(code);
            }
        }
        let wanted = (!set.standard).then(|| proto::OrderPolicy { unit: set.unit, roles: roles.clone() });
        let known = self.ward.order_policies.iter().find(|policy| policy.unit == set.unit).cloned();
        let mut expected = Expected::answered(Answer::Done);
        if known != wanted {
            let lists =
                |role: &u64| self.ward.order_policies.iter().any(|policy| policy.roles.contains(role));
            let listed: Vec<u64> = roles.iter().copied().filter(|role| !lists(role)).collect();
            self.ward.order_policies.retain(|policy| policy.unit != set.unit);
            self.ward.order_policies.extend(wanted);
            self.ward.order_policies.sort_unstable_by_key(|policy| policy.unit);
            let act = Act::OrderPolicySet(UnitId::new(set.unit), roles.len() as u32);
            expected.audits.push((by, act));
            for role in listed.into_iter().filter_map(RoleId::new) {
                self.end_by_hand(now, by, role, |_| true, &mut expected);
            }
        }
        expected
    }

    pub(crate) fn list_order_policies(&self) -> Expected {
        Expected::answered(Answer::Orders(policies(&self.ward.order_policies)))
    }
}
