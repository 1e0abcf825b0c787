//! A turn in the making: every write is folded into the state as it is made, so a later decision of the same turn
//! sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{self, Act, Actor};
use crate::conversation::Conversation;
use crate::ids::{Change, Conn, ConversationId, PersonId};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::state::State;
use crate::time::Now;
use crate::turn::{Event, Send, Turn};
use crate::wire::proto;
use crate::write::{Numbered, Write};

/// Connections that are delivered to, by person.
pub(crate) type Attached = BTreeMap<PersonId, BTreeSet<Conn>>;

pub(crate) struct Draft<'a> {
    pub(crate) now: Now,
    pub(crate) policy: &'a Policy,
    pub(crate) state: &'a mut State,
    pub(crate) attached: &'a Attached,
    pub(crate) room: Room,
    pub(crate) turn: &'a mut Turn,
}

impl Draft<'_> {
    /// Decides a durable change.
    pub(crate) fn write(&mut self, write: Write) -> Change {
        let change = Change(self.state.change.0 + 1);
        self.state.apply(change, &write);
        self.turn.writes.push(Numbered { change, write });
        change
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

    /// Every connection that hears of this conversation.
    pub(crate) fn listeners(&self, conversation: &Conversation) -> Vec<Conn> {
        conversation
            .present()
            .filter_map(|(person, _)| self.attached.get(&person))
            .flat_map(|conns| conns.iter().copied())
            .collect()
    }

    /// Tells every member how the conversation now looks to them.
    pub(crate) fn announce(&mut self, change: Change, conversation: ConversationId) {
        let Some(conversation) = self.state.conversations.get(&conversation) else { return };
        for (person, _) in conversation.present() {
            let Some(conns) = self.attached.get(&person) else { continue };
            let event =
                Event::Small(Box::new(proto::event::Kind::Conversation(conversation.to_wire(person))));
            let conns = conns.iter().copied().collect();
            self.turn.sends.push(Send::Fanout { change, event, conns });
        }
    }

    /// Tells everybody how a person's entry now looks.
    pub(crate) fn announce_person(&mut self, change: Change, person: PersonId) {
        let Some(person) = self.state.people.get(&person) else { return };
        let event = Event::Small(Box::new(proto::event::Kind::Person(person.to_wire())));
        let conns: Vec<Conn> = self.attached.values().flatten().copied().collect();
        if !conns.is_empty() {
            self.turn.sends.push(Send::Fanout { change, event, conns });
        }
    }
}

pub(crate) fn actor(who: &Ready) -> Actor {
    Actor::Person { person: who.person(), device: who.device() }
}
