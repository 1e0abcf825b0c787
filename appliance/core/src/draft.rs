//! A turn in the making: every write is folded into the state as it is made, so a later decision of the same turn
//! sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::alteration::{Ages, Alterations};
use crate::audit::{self, Act, Actor};
use crate::bell::Rung;
use crate::conversation::Conversation;
use crate::emergency::Requests;
use crate::escalation::Escalation;
use crate::family;
use crate::ids::{Change, Conn, ConversationId, PersonId};
use crate::limits;
use crate::order;
use crate::policy::Policy;
use crate::reach::Phones;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::stat::{self, Clocks};
use crate::state::State;
use crate::task;
use crate::time::Now;
use crate::turn::{Event, Send, Turn};
use crate::wire::proto::event::Kind;
use crate::wire::proto::{self, ConversationChanged};
use crate::write::{Numbered, Write};

/// Connections that are delivered to, by person.
pub(crate) type Attached = BTreeMap<PersonId, BTreeSet<Conn>>;

pub(crate) struct Draft<'a> {
    pub(crate) now: Now,
    pub(crate) policy: &'a Policy,
    pub(crate) state: &'a mut State,
    pub(crate) attached: &'a Attached,
    pub(crate) phones: Phones<'a>,
    pub(crate) clocks: &'a mut Clocks,
    pub(crate) bell: &'a mut Rung,
    pub(crate) alterations: &'a mut Alterations,
    pub(crate) ages: &'a Ages,
    pub(crate) requests: &'a mut Requests,
    pub(crate) room: Room,
    /// Free bytes on the store's volume, as last heard.
    pub(crate) free: u64,
    pub(crate) turn: &'a mut Turn,
}

impl Draft<'_> {
    /// Decides a durable change.
    pub(crate) fn write(&mut self, change: Write) -> Change {
        write(self.state, self.turn, change)
    }

    /// Records an act in the audit.
    pub(crate) fn record(&mut self, actor: Actor, act: Act) {
        let index = self.state.audited + 1;
        let entry = audit::Entry { version: audit::VERSION, index, at: self.now.wall, actor, act };
        self.write(Write::Audited { index, bytes: entry.to_bytes() });
    }

    pub(crate) fn send(&mut self, send: Send) {
        self.turn.sends.push(send);
    }

    /// The conversation, if the person is a member of it; purged ones too.
    pub(crate) fn conversation_of(
        &self,
        who: &Ready,
        conversation: ConversationId,
    ) -> Result<&Conversation, Refusal> {
        let conversation = self.state.conversations.get(&conversation).ok_or(Refusal::NoSuchConversation)?;
        conversation.member(who.person()).ok_or(Refusal::NoSuchConversation)?;
        Ok(conversation)
    }

    /// The conversation, if the person is a member of it or works in the unit whose channel it is; purged ones too.
    pub(crate) fn conversation_known_to(
        &self,
        who: &Ready,
        conversation: ConversationId,
    ) -> Result<&Conversation, Refusal> {
        let conversation = self.state.conversations.get(&conversation).ok_or(Refusal::NoSuchConversation)?;
        let asker = self.state.people.get(&who.person());
        let works_there = asker.zip(conversation.unit).is_some_and(|(asker, unit)| asker.works_in(unit));
        if works_there || conversation.member(who.person()).is_some() {
            Ok(conversation)
        } else {
            Err(Refusal::NoSuchConversation)
        }
    }

    /// Every connection that hears of this conversation.
    pub(crate) fn listeners(&self, conversation: &Conversation) -> Vec<Conn> {
        conversation
            .present()
            .filter_map(|(person, _)| self.attached.get(&person))
            .flat_map(|conns| conns.iter().copied())
            .collect()
    }

    /// Tells people who have just come what the conversation is. They came in one turn, so it looks the same to all of
    /// them who hear: one event, however many they are. Of whoever does not, one may be suspended, who would see less.
    pub(crate) fn introduce(&mut self, change: Change, conversation: ConversationId, newcomers: &[PersonId]) {
        let hears = |person: &PersonId| self.attached.get(person).is_some_and(|conns| !conns.is_empty());
        let newcomers: Vec<PersonId> = newcomers.iter().copied().filter(hears).collect();
        let (Some(conversation), Some(first)) =
            (self.state.conversations.get(&conversation), newcomers.first())
        else {
            return;
        };
        // And how its STATs stand: in one event, since a change is one event to whoever hears of it.
        let open: Vec<&Escalation> = stat::open_in(self, conversation.id).collect();
        let newest = &open[open.len().saturating_sub(limits::STATS_SHOWN_MAX)..];
        let stats = newest.iter().map(|open| open.to_wire()).collect();
        let Some(whole) = self.state.conversation_to_wire(conversation.id, *first) else { return };
        // And what is to be done there, as far as those who come may read it: as the first of them.
        let tasks = task::shown_in(self.state, conversation.id, *first);
        let orders = order::shown_in(self.state, conversation.id, *first);
        let whole = proto::Conversation { stats, tasks, orders, ..whole };
        // A family thread looks otherwise to a visitor than to the team.
        let as_first = |person: &&PersonId| {
            family::is_visitor(self.state, **person) == family::is_visitor(self.state, *first)
        };
        let (alike, others): (Vec<&PersonId>, Vec<&PersonId>) = newcomers.iter().partition(as_first);
        let others: Vec<PersonId> = others.into_iter().copied().collect();
        let conns = alike.into_iter().filter_map(|person| self.attached.get(person)).flatten();
        let (id, conns) = (conversation.id, conns.copied().collect());
        self.fan_out(change, Kind::Conversation(whole), conns);
        self.introduce(change, id, &others);
    }

    /// Tells the members who knew it before what is new of a conversation: a few bytes, where the whole of it is some
    /// 35 for each member. `newcomers` are in order.
    pub(crate) fn announce(&mut self, change: Change, news: ConversationChanged, newcomers: &[PersonId]) {
        let conversation =
            ConversationId::new(news.conversation).and_then(|id| self.state.conversations.get(&id));
        let Some(conversation) = conversation else { return };
        let knew = conversation.present().filter(|(person, _)| newcomers.binary_search(person).is_err());
        let conns = knew.filter_map(|(person, _)| self.attached.get(&person)).flatten().copied().collect();
        self.fan_out(change, Kind::ConversationChanged(news), conns);
    }

    /// A group that has shrunk to where watermarks are pushed: nobody has heard of any since it was larger, so all members
    /// are told the whole, some 600 bytes each.
    pub(crate) fn tell_watermarks(&mut self, change: Change, id: ConversationId) {
        let conversation = self.state.conversations.get(&id);
        let Some(conversation) = conversation.filter(|small| small.pushes_watermarks()) else { return };
        let present: Vec<PersonId> = conversation.present().map(|(person, _)| person).collect();
        for person in present {
            self.introduce(change, id, &[person]);
        }
    }

    /// Whoever is in it hears of this.
    pub(crate) fn tell_members(&mut self, change: Change, conversation: ConversationId, kind: Kind) {
        let place = self.state.conversations.get(&conversation);
        let conns = place.map(|place| self.listeners(place)).unwrap_or_default();
        self.fan_out(change, kind, conns);
    }

    fn fan_out(&mut self, change: Change, kind: Kind, conns: Vec<Conn>) {
        if !conns.is_empty() {
            self.send(Send::Fanout { change, event: Event::Small(Box::new(kind)), conns });
        }
    }

    /// Tells everybody how a person's entry now looks.
    pub(crate) fn announce_person(&mut self, change: Change, person: PersonId) {
        let Some(person) = self.state.people.get(&person) else { return };
        let entry = Kind::Person(person.to_wire());
        self.tell_everybody(change, entry);
    }

    /// Whoever of the staff is delivered to hears of this.
    pub(crate) fn tell_everybody(&mut self, change: Change, kind: Kind) {
        let staff = self.attached.iter().filter(|(person, _)| !family::is_visitor(self.state, **person));
        self.fan_out(change, kind, staff.flat_map(|(_, conns)| conns).copied().collect());
    }
}

pub(crate) fn actor(who: &Ready) -> Actor {
    Actor::Person { person: who.person(), device: who.device() }
}

/// Decides a durable change: the one place where a write is made.
pub(crate) fn write(state: &mut State, turn: &mut Turn, write: Write) -> Change {
    let change = Change(state.change.0 + 1);
    state.apply(change, &write);
    turn.writes.push(Numbered { change, write });
    change
}
