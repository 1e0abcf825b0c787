//! What lies between the core and the people: phones that show what reaches them, and the store that they catch up from.

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::ids::{Change, Conn, ConversationId, PersonId, Sequence};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use crate::plan::Plan;
use crate::ward::Ward;

/// A message: where, in which place.
pub(crate) type Said = (ConversationId, Sequence);

/// One person's app, on whatever device it runs.
#[derive(Default)]
pub(crate) struct Phone {
    /// The last change that reached it.
    after: Option<Change>,
    pub(crate) shown: BTreeSet<Said>,
    /// STATs that ring on it.
    pub(crate) rings: BTreeSet<(u64, u64)>,
}

/// Every phone of the house, and which connection is whose at this moment.
#[derive(Default)]
pub(crate) struct Phones {
    pub(crate) of: BTreeMap<PersonId, Phone>,
    pub(crate) connected: BTreeMap<Conn, PersonId>,
    /// Every message that was accepted, by the change that brought it.
    stored: BTreeMap<Change, Said>,
    /// Deliveries that were looked at.
    pub(crate) deliveries: u32,
    /// Connections that the box has ended.
    pub(crate) closed: BTreeSet<Conn>,
}

impl Phones {
    pub(crate) fn conn_of(&self, person: PersonId) -> Option<Conn> {
        self.connected.iter().find(|(_, whose)| **whose == person).map(|(conn, _)| *conn)
    }

    /// Stores what a turn writes, then does what it sends. Whatever is shown to somebody, the plan must know why.
    pub(crate) fn take(&mut self, ward: &Ward, plan: &Plan, turn: &Turn) {
        for numbered in &turn.writes {
            if let Write::MessageAccepted(message) = &numbered.write {
                let fresh = self.stored.insert(numbered.change, (message.conversation, message.sequence));
                assert!(fresh.is_none(), "two messages by one change");
            }
        }
        for send in &turn.sends {
            match send {
                Send::Accepted(accepted) => {
                    let said = (accepted.conversation, accepted.sequence);
                    assert!(
                        self.stored.values().any(|stored| *stored == said),
                        "acknowledged and not stored"
                    );
                    self.show(plan, ward, accepted.conn, said, accepted.change);
                }
                Send::Fanout { change, event, conns } => {
                    for conn in conns {
                        self.deliver(plan, ward, *conn, *change, event);
                    }
                }
                Send::Attach { conn, grant, after, .. } => {
                    assert_eq!(self.connected.get(conn), Some(&grant.person()), "another's grant");
                    self.catch_up(plan, ward, *conn, *after);
                }
                Send::ReadPage { conn, grant, .. } => {
                    assert_eq!(self.connected.get(conn), Some(&grant.person()), "another's grant");
                    let place = grant.conversation();
                    let granted = grant.from()..grant.before();
                    let page = self.said_in(place).into_iter().filter(|said| granted.contains(&said.1));
                    let page: Vec<Said> = page.rev().take(grant.limit() as usize).collect();
                    for said in page {
                        self.show(plan, ward, *conn, said, Change(0));
                    }
                }
                Send::Reply { conn, body: Body::Ring(ring), .. } => {
                    self.phone(*conn).rings.insert((ring.conversation, ring.sequence));
                }
                Send::Close { conn, .. } => drop(self.closed.insert(*conn)),
                Send::Reply { conn, body: Body::Silence(silence), .. } => {
                    self.phone(*conn).rings.remove(&(silence.conversation, silence.sequence));
                }
                _ => {}
            }
        }
    }

    fn phone(&mut self, conn: Conn) -> &mut Phone {
        let person = *self.connected.get(&conn).expect("nothing is sent to a connection that is gone");
        self.of.entry(person).or_default()
    }

    fn deliver(&mut self, plan: &Plan, ward: &Ward, conn: Conn, change: Change, event: &Event) {
        let about = match event {
            Event::Message(place, sequence) => {
                return self.show(plan, ward, conn, (*place, *sequence), change);
            }
            Event::Edited(message) => message.conversation,
            Event::Small(kind) => match &**kind {
                Kind::Notice(told) => told.conversation,
                Kind::Conversation(told) => told.conversation,
                Kind::ConversationChanged(told) => told.conversation,
                Kind::Escalation(told) => told.conversation,
                _ => 0,
            },
        };
        // Two shifts that end at one moment: whoever goes second is told that the first has gone.
        let going = plan.ends_at(self.connected[&conn], ward.now.wall);
        if let Some(place) = ConversationId::new(about).filter(|_| !going) {
            self.judge(plan, ward, conn, place);
        }
        let phone = self.phone(conn);
        phone.after = phone.after.max(Some(change));
    }

    fn show(&mut self, plan: &Plan, ward: &Ward, conn: Conn, said: Said, change: Change) {
        self.judge(plan, ward, conn, said.0);
        let phone = self.phone(conn);
        let is_new = phone.shown.insert(said);
        assert!(is_new || change == Change(0), "shown twice");
        phone.after = phone.after.max(Some(change));
    }

    fn judge(&mut self, plan: &Plan, ward: &Ward, conn: Conn, place: ConversationId) {
        let person = self.connected[&conn];
        assert!(plan.may_see(person, place, ward.now.wall), "{person} is shown something of {place}");
        self.deliveries += 1;
    }

    /// As the store does it: whatever is this person's now and came behind the change.
    fn catch_up(&mut self, plan: &Plan, ward: &Ward, conn: Conn, after: Option<Change>) {
        let person = self.connected[&conn];
        let behind = after.unwrap_or(Change(0));
        let missed: Vec<(Change, Said)> =
            self.stored.iter().filter(|(change, _)| **change > behind).map(|(c, s)| (*c, *s)).collect();
        for (change, said) in missed {
            let place = &ward.relay.state().conversations[&said.0];
            let reads = place.member(person).is_some_and(|member| member.from <= said.1);
            if reads && !self.phone(conn).shown.contains(&said) {
                self.show(plan, ward, conn, said, change);
            }
        }
    }

    /// Behind what a phone goes on when it connects.
    pub(crate) fn cursor(&self, ward: &Ward, person: PersonId) -> Vec<u8> {
        let device = ward.relay.state().devices_of(person).next().map(|device| device.id);
        let after = self.of.get(&person).and_then(|phone| phone.after);
        match device.zip(after) {
            Some((device, after)) => ward.relay.cursors().seal(device, after).0.to_vec(),
            None => Vec::new(),
        }
    }

    /// Everything that was said in a conversation.
    pub(crate) fn said_in(&self, place: ConversationId) -> BTreeSet<Said> {
        self.stored.values().filter(|said| said.0 == place).copied().collect()
    }

    pub(crate) fn said(&self) -> usize {
        self.stored.len()
    }
}
