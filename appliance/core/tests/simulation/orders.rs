//! Orders by text: what people do about them, and the check of who hears of it and what is kept.

use wardline_core::ids::{Conn, ConversationId, PersonId, Sequence};
use wardline_core::turn::Turn;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, OrderDeed as Deed, OrderState as State, RefusalCode as Code};
use wardline_core::write::Write;

use crate::client::{Client, Letter};
use crate::coverage::{Coverage, Situation};
use crate::reference::{Answer, Expected, Phase};
use crate::reference_orders::{is_kept_right, sign_answer, sign_part};
use crate::toys;
use crate::world::World;

/// Not filed at a time in one history.
const OPEN: usize = 5;

/// How a device signs an order.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Hand {
    Right,
    /// Not at all.
    None,
    /// With another key.
    Other,
    /// Another text.
    Text,
}

impl Hand {
    /// The message as its device signs it.
    pub(crate) fn sign(self, client: &Client, submit: &mut proto::Submit) {
        let Some(device) = client.device else { return };
        let text = submit.text.clone();
        if self == Self::Text {
            submit.text.push_str(", or so");
        }
        let key = if self == Self::Other { toys::following(&client.key) } else { client.key };
        let signature = sign_part(&key, device, submit);
        submit.text = text;
        if let Some(part) = submit.order.as_mut().filter(|_| self != Self::None) {
            part.signature = signature;
        }
    }
}

/// What stands beside a page of one message: signed, about it, and as it says. A read-back's own words are not on the page.
pub(crate) fn are_signed(page: &proto::HistoryPage, coverage: &mut Coverage) -> bool {
    if !page.order_signed.is_empty() {
        coverage.reach(Situation::OrderSignedRead);
    }
    let [message] = &page.messages[..] else { return page.order.is_none() && page.order_signed.is_empty() };
    let about = |conversation, sequence| (conversation, sequence) == (message.conversation, message.sequence);
    page.order.is_none_or(|order| about(order.conversation, order.sequence))
        && page.order_signed.iter().all(|kept| {
            let said = kept.said == message.sequence;
            about(kept.conversation, kept.sequence)
                && (!said || is_kept_right(kept, Some(&message.text)))
                && (kept.said != 0 || is_kept_right(kept, None))
        })
}

impl World {
    pub(crate) fn about_orders(&mut self, index: usize, place: Option<u64>) {
        let dice = self.random.below(100);
        if self.reference.ward.order_policies.is_empty() && self.ordering && dice < 80 {
            return self.ready_for_orders();
        }
        if self.reference.ward.order_policies.is_empty() || dice < 4 {
            return self.set_order_policy(index);
        }
        let open: Vec<proto::Order> =
            self.clients[index].orders.values().filter(|order| order.filed == 0).copied().collect();
        if dice < 12 {
            return self.list_orders(index, place, &open);
        }
        let many = self.reference.ward.orders.len() >= OPEN;
        let read_back =
            open.iter().find(|order| order.state() == State::ReadBack && self.random.permille(500));
        match read_back.or_else(|| self.random.pick(&open)).copied() {
            Some(order) if many || dice < 75 => self.about_order(index, order),
            _ if many => {}
            _ => self.give_order(index, place),
        }
    }

    fn set_order_policy(&mut self, index: usize) {
        let roles: Vec<u64> = self.reference.ward.roles.iter().map(|role| role.id.value()).collect();
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let some: Vec<u64> = roles.iter().copied().filter(|_| self.random.permille(700)).collect();
        if roles.is_empty() {
            return;
        }
        let first = self.reference.ward.order_policies.is_empty();
        let unit = match self.random.pick(&units).copied() {
            Some(unit) if self.random.permille(300) && !first => unit,
            _ => 0,
        };
        let roles = if self.random.permille(100) { Vec::new() } else { some };
        let standard = self.random.permille(if first { 20 } else { 250 });
        let set = proto::SetOrderPolicy { unit, roles, standard };
        match self.random.below(10) {
            0 => self.clients[index].ask(Ask::SetOrderPolicy(set)),
            1 => self.clients[index].ask(Ask::ListOrderPolicies(proto::ListOrderPolicies {})),
            _ => self.local_ask(Ask::SetOrderPolicy(set)),
        }
    }

    fn list_orders(&mut self, index: usize, place: Option<u64>, open: &[proto::Order]) {
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let conversation = place.filter(|_| self.random.permille(400)).unwrap_or(0);
        let unit =
            self.random.pick(&units).copied().filter(|_| conversation == 0 && self.random.permille(500));
        let (after_conversation, after_sequence) = match self.random.pick(open) {
            Some(order) if self.random.permille(200) => (order.conversation, order.sequence),
            _ => (0, 0),
        };
        let unit = unit.unwrap_or(0);
        let list =
            Ask::ListOrders(proto::ListOrders { conversation, unit, after_conversation, after_sequence });
        if self.random.permille(200) { self.local_ask(list) } else { self.clients[index].ask(list) }
    }

    /// Mostly by whoever may, where they may.
    fn give_order(&mut self, index: usize, place: Option<u64>) {
        let ward = &self.reference.ward;
        let mut may: Vec<(usize, u64)> = Vec::new();
        for stay in &ward.clinic.stays {
            for other in 0..self.clients.len() {
                let who = self.person_of(other).filter(|_| self.clients[other].is_in());
                let prescribes = who.is_some_and(|who| {
                    ward.member(stay.thread, who).is_some()
                        && ward.prescribes(who, stay.thread, self.now.wall)
                });
                if prescribes {
                    may.push((other, stay.thread.value()));
                }
            }
        }
        let threads: Vec<u64> = ward.clinic.stays.iter().map(|stay| stay.thread.value()).collect();
        if may.is_empty() && self.random.permille(if self.ordering { 800 } else { 50 }) {
            return self.ready_for_orders();
        }
        let chosen = match self.random.pick(&may).copied() {
            Some(both) if self.random.permille(900) => Some(both),
            _ if self.random.permille(300) => self.random.pick(&threads).map(|thread| (index, *thread)),
            _ => place.map(|place| (index, place)),
        };
        if let Some((index, place)) = chosen {
            let to = self.somebody_there(place);
            self.say_order(
                index,
                place,
                proto::OrderPart { deed: Deed::Give.into(), to, ..Default::default() },
            );
        }
    }

    /// A patient, a role of their unit that is listed, people who work there and care for them, and one of them on call: whatever of it is
    /// missing.
    fn ready_for_orders(&mut self) {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let (Some(somebody), Some(unit)) = (self.random.pick(&people).copied(), units.first().copied())
        else {
            return self.local_ask(Ask::SetUnit(proto::SetUnit { unit: 0, name: "4 West".to_owned() }));
        };
        let staff = proto::SetPost { person: somebody, unit, rank: proto::Rank::Staff.into() };
        self.local_ask(Ask::SetPost(staff));
        let ward = &self.reference.ward;
        let stays: Vec<(u64, u64)> =
            ward.clinic.stays.iter().map(|stay| (stay.id.value(), stay.thread.value())).collect();
        let roles: Vec<u64> = ward
            .roles
            .iter()
            .filter(|role| role.unit.value() == unit && !role.retired)
            .map(|r| r.id.value())
            .collect();
        let Some((encounter, thread)) = self.random.pick(&stays).copied() else {
            let new_patient = Some(self.particulars());
            let (record_number, bed, attending) = (String::new(), "1".to_owned(), somebody);
            let admit = proto::Admit { record_number, new_patient, unit, bed, attending };
            return self.local_ask(Ask::Admit(admit));
        };
        let Some(role) = self.random.pick(&roles).copied() else {
            let (name, rota) = ("Physician on call".to_owned(), Some(self.some_rota(&people)));
            return self.local_ask(Ask::SetRole(proto::SetRole { role: 0, unit, name, rota }));
        };
        let set = proto::SetOrderPolicy { unit: 0, roles: vec![role], standard: false };
        self.local_ask(Ask::SetOrderPolicy(set));
        let thread = ConversationId::new(thread);
        let inside = |index: &usize| {
            let who = self.person_of(*index).filter(|_| self.clients[*index].is_in());
            who.zip(thread).is_some_and(|(who, thread)| self.reference.ward.member(thread, who).is_some())
        };
        let inside: Vec<usize> = (0..self.clients.len()).filter(inside).collect();
        if let Some(index) = self.random.pick(&inside).copied() {
            let add = people.iter().copied().filter(|_| self.random.permille(300)).collect();
            let change = proto::ChangeCareTeam { encounter, add, ..Default::default() };
            self.clients[index].ask(Ask::ChangeCareTeam(change));
            let until = self.now.wall.0 + 7_200_000;
            // Mostly given: nobody takes one for themselves that is listed.
            let given = self.person_of(index).filter(|_| self.random.permille(800));
            let person = given.map_or(0, |person| person.value());
            let take = proto::TakeRole { role, place: 0, person, until };
            match given {
                Some(_) => self.local_ask(Ask::TakeRole(take)),
                None => self.clients[index].ask(Ask::TakeRole(take)),
            }
        }
    }

    /// Mostly somebody who can read it back.
    fn somebody_there(&mut self, place: u64) -> u64 {
        let place = ConversationId::new(place).and_then(|place| self.reference.ward.conversation(place));
        let all = self.random.permille(200);
        let members = place.into_iter().flat_map(|place| &place.members).filter(|member| all || !member.left);
        let members: Vec<u64> = members.map(|member| member.person.value()).collect();
        self.random.pick(&members).copied().filter(|_| self.random.permille(250)).unwrap_or(0)
    }

    fn say_order(&mut self, index: usize, conversation: u64, part: proto::OrderPart) {
        let message: [u8; 16] = self.random.bytes();
        let at = self.now.wall.0 - self.random.below(2_000) as i64;
        let hand = match self.random.below(40) {
            0 => Hand::None,
            1 => Hand::Other,
            2 => Hand::Text,
            _ => Hand::Right,
        };
        let priority =
            if self.random.permille(30) { proto::Priority::Stat } else { proto::Priority::Routine };
        let client = &mut self.clients[index];
        if client.outbox.len() < 8 {
            client.outbox.push_back(Letter {
                number: None,
                message,
                conversation,
                text: format!("{} orders {}", client.name, message[0]),
                priority,
                call: None,
                reply_to: 0,
                mentions: Default::default(),
                files: Vec::new(),
                order: Some((proto::OrderPart { at, ..part }, hand)),
                composed: None,
                under_way: false,
                tries: 0,
            });
        }
    }

    fn about_order(&mut self, index: usize, order: proto::Order) {
        let proto::Order { conversation, sequence, author, read_back, .. } = order;
        let index =
            if self.random.permille(800) { self.whoever_is_next(&order).unwrap_or(index) } else { index };
        let mine = self.person_of(index).map(PersonId::value) == Some(author);
        let of =
            |deed: Deed, to| proto::OrderPart { deed: deed.into(), of: sequence, to, ..Default::default() };
        let answers = mine && order.state() == State::ReadBack;
        match self.random.below(20) {
            0 => {
                let recall = proto::RecallMessage { conversation, sequence };
                self.clients[index].ask(Ask::RecallMessage(recall));
            }
            1 => {
                let (before, limit) = (sequence + 1, 1);
                self.clients[index].ask(Ask::History(proto::History { conversation, before, limit }));
            }
            2 | 3 => {
                let deed = if self.random.permille(500) { Deed::Correct } else { Deed::Cancel };
                let to = self.somebody_there(conversation);
                self.say_order(index, conversation, of(deed, to));
            }
            4..8 => {
                let file = Ask::FileOrder(proto::FileOrder { conversation, sequence });
                if self.random.permille(200) { self.local_ask(file) } else { self.clients[index].ask(file) }
            }
            8..18 if answers => self.answer_order(index, (conversation, sequence), read_back),
            18 => self.answer_order(index, (conversation, sequence), read_back.max(1)),
            _ => self.say_order(index, conversation, of(Deed::ReadBack, 0)),
        }
    }

    /// Of an order that was read back its author, of another somebody who may read it back.
    fn whoever_is_next(&mut self, order: &proto::Order) -> Option<usize> {
        let place = ConversationId::new(order.conversation)?;
        let ward = &self.reference.ward;
        let next = |index: &usize| {
            let who = self.person_of(*index).filter(|_| self.clients[*index].is_in());
            who.is_some_and(|who| match order.state() {
                State::ReadBack => who.value() == order.author,
                _ => who.value() != order.author && ward.reads_order(who, place, order.sequence),
            })
        };
        let next: Vec<usize> = (0..self.clients.len()).filter(next).collect();
        self.random.pick(&next).copied()
    }

    fn answer_order(&mut self, index: usize, (conversation, sequence): (u64, u64), read_back: u64) {
        let right = self.random.permille(650);
        let at = self.now.wall.0;
        let read_back = if self.random.permille(30) { read_back + 1 } else { read_back };
        let said = proto::AnswerOrder { conversation, sequence, read_back, right, at, signature: Vec::new() };
        let client = &self.clients[index];
        let signature = match client.device {
            Some(device) if !self.random.permille(200) => sign_answer(&client.key, device, &said),
            _ => Vec::new(),
        };
        let said = proto::AnswerOrder { signature, ..said };
        self.clients[index].ask(Ask::AnswerOrder(said.clone()));
        if self.random.permille(100) {
            self.clients[index].ask(Ask::AnswerOrder(said));
        }
    }

    /// How an order stands goes to every attached connection of every member who may read its message, and to no other.
    pub(crate) fn verify_order(&self, told: &proto::Order, conns: &[Conn]) -> Result<(), String> {
        let place = ConversationId::new(told.conversation).ok_or("no conversation")?;
        self.verify_readers(place, told.sequence, conns)?;
        let known = self.reference.ward.order((place, told.sequence));
        match known.map(|order| proto::Order { given: told.given, at: told.at, ..order.to_wire() }) {
            Some(wanted) if wanted != *told => Err(format!("an order stands as {:?}", told.state)),
            None if told.filed == 0 => Err("an order that is not".to_owned()),
            _ => Ok(()),
        }
    }

    /// What is kept is what this device signed, and nothing is kept of what was refused or changed nothing.
    pub(crate) fn verify_order_signed(
        &mut self,
        conn: Conn,
        body: &Ask,
        expected: &Expected,
        turn: &Turn,
    ) -> Result<(), String> {
        let kept = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::OrderSigned(deed) => Some(deed.to_wire()),
            _ => None,
        });
        let kept: Vec<_> = kept.collect();
        let (signature, text) = match body {
            Ask::Submit(submit) => {
                (submit.order.as_ref().map(|part| &part.signature), Some(submit.text.as_str()))
            }
            Ask::AnswerOrder(said) => (Some(&said.signature), None),
            _ => (None, None),
        };
        let done = !expected.audits.is_empty()
            && matches!(expected.answer, Some(Answer::Done | Answer::Accepted(..)));
        match (&kept[..], signature.filter(|_| done)) {
            ([], None) => Ok(()),
            ([one], Some(signature)) => {
                let Some(Phase::In(device)) = self.phase(conn) else {
                    return Err("signed outside".to_owned());
                };
                let known = self.reference.ward.device(device).ok_or("no device")?;
                let whose = (one.person, one.device, one.taken);
                if whose != (known.person.value(), device.value(), self.now.wall.0)
                    || one.device_key != known.key.as_bytes()
                    || one.signature != *signature
                {
                    return Err("something else is kept than was signed".to_owned());
                }
                if is_kept_right(one, text) { Ok(()) } else { Err("what is kept does not verify".to_owned()) }
            }
            _ => Err(format!("{} deeds are kept", kept.len())),
        }
    }

    /// What this device shows as not filed is what is not filed, of all that its person may read.
    pub(crate) fn judge_orders(&self, client: &Client, me: PersonId) -> Result<(), String> {
        let ward = &self.reference.ward;
        for order in ward.orders.iter().filter(|order| ward.reads(me, order.place, order.sequence)) {
            let shown = client.orders.get(&(order.place.value(), order.sequence));
            let wanted =
                shown.map(|shown| proto::Order { given: shown.given, at: shown.at, ..order.to_wire() });
            if shown.is_none() || wanted.as_ref() != shown {
                return Err(format!("{} shows an order otherwise, or not at all", client.name));
            }
        }
        for ((place, sequence), _) in client.orders.iter().filter(|(_, order)| order.filed == 0) {
            let Some(place) = ConversationId::new(*place) else { continue };
            // What was filed and has expired since is told to nobody who was away.
            let kept = self.store.read(place, Sequence(*sequence)).is_some();
            if kept && ward.reads(me, place, *sequence) && ward.order((place, *sequence)).is_none() {
                return Err(format!("{} shows an order as not filed that is", client.name));
            }
        }
        // Whatever else went: each stands where it was said.
        for order in &ward.orders {
            let kept = self.store.read(order.place, Sequence(order.sequence));
            if kept.is_none_or(|kept| kept.recalled_at != 0 || kept.edits != 0) {
                return Err("an order that is not filed is not there as it was sent".to_owned());
            }
        }
        Ok(())
    }

    pub(crate) fn cover_orders(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::Submit(submit), refused) => {
                match (submit.order.as_ref().map(|part| part.deed()), refused) {
                    (None, _) => return,
                    (_, Some(Code::OrdersOff)) => Situation::OrdersOff,
                    (_, Some(Code::OrderNotHere)) => Situation::OrderNotHere,
                    (_, Some(Code::OrderUnsigned))
                        if submit.order.iter().all(|part| part.signature.is_empty()) =>
                    {
                        Situation::OrderUnsigned
                    }
                    (_, Some(Code::OrderUnsigned)) => Situation::OrderSignedOtherwise,
                    (_, Some(Code::OrderReceiver)) => Situation::OrderForNobody,
                    (Some(Deed::ReadBack), Some(Code::NotPermitted)) => Situation::ReadBackRefused,
                    (_, Some(Code::NotPermitted)) => Situation::OrderByNoPrescriber,
                    (_, Some(Code::OrderStands)) => Situation::OrderStandsOtherwise,
                    (_, Some(Code::NoSuchOrder)) => Situation::NoSuchOrder,
                    (Some(Deed::Give), None) if changed => Situation::OrderGiven,
                    (Some(Deed::Correct), None) if changed => Situation::OrderCorrected,
                    (Some(Deed::Cancel), None) if changed => Situation::OrderCancelled,
                    (Some(Deed::ReadBack), None) if changed => Situation::OrderReadBack,
                    _ => return,
                }
            }
            (Ask::AnswerOrder(said), None) if changed && said.right => Situation::OrderConfirmed,
            (Ask::AnswerOrder(_), None) if changed => Situation::ReadBackWrong,
            (Ask::AnswerOrder(_), None) => Situation::OrderAnsweredAgain,
            (Ask::AnswerOrder(_), Some(Code::OrderUnsigned)) => Situation::OrderAnswerUnsigned,
            (Ask::AnswerOrder(_), Some(Code::NotPermitted)) => Situation::OrderAnswerRefused,
            (Ask::FileOrder(_), None) => match expected.audits.first() {
                Some((wardline_core::audit::Actor::Local, _)) => Situation::OrderFiledByTheBox,
                _ => Situation::OrderFiled,
            },
            (Ask::FileOrder(_), Some(Code::OrderStands)) => Situation::FiledTooEarly,
            (Ask::FileOrder(_), Some(Code::NotPermitted)) => Situation::OrderFilingRefused,
            (Ask::RecallMessage(_) | Ask::EditMessage(_), Some(Code::OrderAsSent)) => {
                Situation::OrderStaysAsSent
            }
            (Ask::PurgeConversation(_), Some(Code::OrdersUnfiled)) => Situation::OrderKeptFromPurge,
            (Ask::ListOrders(_), None) => Situation::OrdersListed,
            (Ask::ListOrders(_), Some(_)) => Situation::OrdersNotListed,
            (Ask::SetOrderPolicy(_), None) if changed => Situation::OrderPolicySet,
            (Ask::SetOrderPolicy(_), Some(Code::NotAdministrator)) => Situation::OrderPolicyRefused,
            (Ask::ListOrderPolicies(_), None) => Situation::OrderPoliciesListed,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
