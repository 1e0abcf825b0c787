//! What this device knows: people, conversations, watermarks, the person's devices, and which messages it has shown.
//!
//! Nothing here is a message. It lives in memory and in the profile's `state` file, sealed. What was *queued* for
//! the user and what the user has *taken* are kept apart: only the second goes to disk, with the cursor behind it,
//! so that a crash shows nothing twice that was taken and skips nothing that was not.

mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence};
use wardline_core::wire::proto;

use crate::beside;
use crate::call::Device;
use crate::error::{Error, ProfileError};
use crate::event::{Conversation, ConversationChange, Event, Member, Message, Person, Unit, Watermark};
use crate::family::Relative;
use crate::files;
use crate::key::DeviceKey;
use crate::notice::{self, Notice};
use crate::orders::Order;
use crate::sealing::Sealing;
use crate::stat::Escalation;
use crate::tasks::Task;
use stored::{Stored, StoredConversation, StoredPerson};

/// 50,000 people of 350 bytes, those with every post there can be, and 2,000 conversations of 500 members, 18 kB each; all of it
/// in base 64, a third more: 23 and 48 MB.
const FILE_MAX: u64 = 96 << 20;

/// Which sequences of a conversation were met: all up to one, and some beyond.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    upto: u64,
    ahead: BTreeSet<u64>,
}

impl Marks {
    pub(crate) fn contains(&self, sequence: u64) -> bool {
        sequence <= self.upto || self.ahead.contains(&sequence)
    }

    /// Met out of order: a message of one's own that was accepted while others were still on their way.
    fn add(&mut self, sequence: u64) {
        if sequence > self.upto {
            self.ahead.insert(sequence);
        }
        while self.ahead.remove(&(self.upto + 1)) {
            self.upto += 1;
        }
    }

    /// Met in order: everything before will not come any more. What was missing, if anything.
    fn advance(&mut self, sequence: u64, first: u64) -> Option<(u64, u64)> {
        // The first message of a conversation ever met leaves nothing missing: older ones are history.
        let begin = if self.upto == 0 { sequence } else { (self.upto + 1).max(first) };
        let missing: Vec<u64> = (begin..sequence).filter(|at| !self.ahead.contains(at)).collect();
        self.upto = self.upto.max(sequence);
        let upto = self.upto;
        self.ahead.retain(|at| *at > upto);
        self.add(sequence);
        Some((*missing.first()?, *missing.last()?))
    }

    fn highest(&self) -> u64 {
        self.ahead.last().copied().unwrap_or(0).max(self.upto)
    }
}

/// A conversation and how far this device is in it.
pub(crate) struct Known {
    pub(crate) conversation: Conversation,
    queued: Marks,
    taken: Marks,
}

/// Which of the person's devices they know of. As with messages, only what was taken goes to disk.
#[derive(Default)]
struct Devices {
    queued: BTreeSet<DeviceId>,
    taken: BTreeSet<DeviceId>,
    /// Something was taken since the file was written.
    changed: bool,
}

/// What this device knows.
pub(crate) struct State {
    path: PathBuf,
    cursor_path: PathBuf,
    sealing: Sealing,
    me: PersonId,
    device: DeviceId,
    pub(crate) people: BTreeMap<PersonId, Person>,
    pub(crate) conversations: BTreeMap<ConversationId, Known>,
    /// Behind the last event that was queued.
    pub(crate) cursor: Vec<u8>,
    /// Of a running snapshot: conversations that it has not named.
    unnamed: Option<BTreeSet<ConversationId>>,
    devices: Devices,
    /// The last notice of each thread that was queued since this program began: one that comes again is not told again.
    noticed: BTreeMap<ConversationId, u64>,
    changed: bool,
}

impl State {
    /// As it was left. Files that are damaged or do not belong together are given up: the next sync is a snapshot.
    pub(crate) fn open(
        path: &Path,
        cursor_path: &Path,
        key: &DeviceKey,
        me: PersonId,
        device: DeviceId,
    ) -> Result<Self, ProfileError> {
        let mut state = Self {
            path: path.to_owned(),
            cursor_path: cursor_path.to_owned(),
            sealing: Sealing::new(key, "state")?,
            me,
            device,
            people: BTreeMap::new(),
            conversations: BTreeMap::new(),
            cursor: Vec::new(),
            unnamed: None,
            devices: Devices::default(),
            noticed: BTreeMap::new(),
            changed: false,
        };
        let sealed = files::read_private(path, FILE_MAX)?;
        let plain = sealed.and_then(|sealed| state.sealing.open(b"state", &sealed));
        if let Some(stored) = plain.and_then(|plain| serde_json::from_slice::<Stored>(&plain).ok()) {
            state.restore(stored);
            let cursor = files::read_small(cursor_path)?;
            state.cursor = cursor.filter(|cursor| cursor.len() == 16).map(|c| c.to_vec()).unwrap_or_default();
        }
        Ok(state)
    }

    fn restore(&mut self, stored: Stored) {
        self.devices.taken = stored.devices.into_iter().filter_map(DeviceId::new).collect();
        self.devices.queued.clone_from(&self.devices.taken);
        for stored in stored.people {
            if let Some(Ok(person)) = stored.wire().map(Person::from_wire) {
                self.people.insert(person.id, person);
            }
        }
        for StoredConversation { wire, taken } in stored.conversations {
            let wire = <proto::Conversation as prost::Message>::decode(wire.as_slice());
            if let Some(Ok(conversation)) = wire.ok().map(Conversation::from_wire) {
                drop(self.meet(conversation.family.iter().flat_map(|family| &family.people)));
                let known = Known { queued: taken.clone(), taken, conversation };
                self.conversations.insert(known.conversation.id, known);
            }
        }
    }

    /// Writes what changed, then the cursor of what the user has taken. Without a cursor (a snapshot is coming in) only
    /// for a device that the person was told of: the file is large.
    pub(crate) fn save(&mut self, taken_cursor: Option<&[u8]>) -> Result<(), ProfileError> {
        if taken_cursor.is_none() && !self.devices.changed {
            return Ok(());
        }
        if std::mem::take(&mut self.changed) {
            // A visitor is known as long as their thread is.
            let people = self.people.values().filter(|person| !person.visitor);
            let people =
                people.map(|p| StoredPerson::Wire { wire: prost::Message::encode_to_vec(&p.to_wire()) });
            let conversations = self.conversations.values().map(|known| StoredConversation {
                wire: prost::Message::encode_to_vec(&known.conversation.to_wire()),
                taken: known.taken.clone(),
            });
            let stored = Stored {
                people: people.collect(),
                conversations: conversations.collect(),
                devices: self.devices.taken.iter().map(|device| device.value()).collect(),
            };
            let plain = zeroize::Zeroizing::new(serde_json::to_vec(&stored).unwrap_or_default());
            files::write_whole(&self.path, &self.sealing.seal(b"state", &plain)?)?;
            self.devices.changed = false;
        }
        taken_cursor.map_or(Ok(()), |cursor| files::write_whole(&self.cursor_path, cursor))
    }

    /// A sync begins. A snapshot says of itself which conversations there are, and with it the user forgets what else stood: so one that
    /// breaks off is begun anew, and not gone on with behind the cursor from before.
    pub(crate) fn sync_started(&mut self, snapshot: bool) {
        if snapshot {
            self.cursor.clear();
        }
        self.unnamed = snapshot.then(|| self.conversations.keys().copied().collect());
    }

    /// Whether the cursors of single events count: those of a snapshot do not, because what a broken-off one had
    /// still to say would be lost.
    pub(crate) fn in_snapshot(&self) -> bool {
        self.unnamed.is_some()
    }

    /// A sync is through. What a snapshot did not name is gone.
    pub(crate) fn synced(&mut self) -> Vec<Event> {
        let gone = self.unnamed.take().unwrap_or_default();
        gone.into_iter().map(|id| self.gone(id)).collect()
    }

    fn gone(&mut self, id: ConversationId) -> Event {
        self.changed |= self.conversations.remove(&id).is_some();
        let families = self.conversations.values().filter_map(|known| known.conversation.family.as_ref());
        let known: BTreeSet<PersonId> =
            families.flat_map(|family| family.people.iter().map(|person| person.person)).collect();
        self.people.retain(|id, person| !person.visitor || known.contains(id));
        Event::Gone(id)
    }

    /// What an event means for the user: nothing, when it was met before; or one or two happenings.
    pub(crate) fn apply(&mut self, kind: proto::event::Kind) -> Result<Vec<Event>, Error> {
        use proto::event::Kind;
        Ok(match kind {
            Kind::Message(message) => self.message(Message::from_wire(message)?),
            Kind::Conversation(wire) => {
                let tasks = wire.tasks.iter().map(|task| Task::from_wire(task).map(Event::Task));
                let tasks: Vec<Event> = tasks.collect::<Result<_, _>>()?;
                let orders = wire.orders.iter().map(|order| Order::from_wire(order).map(Event::Order));
                let orders: Vec<Event> = orders.collect::<Result<_, _>>()?;
                let conversation = Conversation::from_wire(wire)?;
                self.conversation(conversation.clone());
                let met = conversation.family.iter().flat_map(|family| &family.people);
                let mut events = self.meet(met);
                events.extend(self.shown(conversation));
                events.extend(tasks);
                events.extend(orders);
                events
            }
            Kind::Watermark(wire) => {
                let watermark = Watermark::from_wire(wire)?;
                self.watermark(watermark);
                vec![Event::Watermark(watermark)]
            }
            Kind::Gone(gone) => vec![self.gone(crate::event::conversation(gone.conversation)?)],
            Kind::Person(wire) => {
                let person = Person::from_wire(wire)?;
                self.person(person.clone());
                vec![Event::Person(person)]
            }
            Kind::Unit(wire) => vec![Event::Unit(Unit::from_wire(wire)?)],
            Kind::ConversationChanged(wire) => {
                let change = ConversationChange::from_wire(&wire)?;
                let mut events = self.meet(change.people.iter());
                let changed = self.conversation_changed(change);
                events.extend(changed.into_iter().flat_map(|conversation| self.shown(conversation)));
                events
            }
            Kind::MessageChanged(wire) => {
                let message = Message::from_wire(wire)?;
                // A snapshot tells of every message that was ever altered: of one that was not met here, nothing is shown.
                let known = self.conversations.get(&message.conversation);
                let is_met = known.is_some_and(|known| known.queued.contains(message.sequence.0));
                is_met.then_some(Event::MessageChanged(message)).into_iter().collect()
            }
            Kind::Reactions(wire) => {
                let conversation = crate::event::conversation(wire.conversation)?;
                let (sequence, reactions) = (Sequence(wire.sequence), beside::reactions(wire.reactions)?);
                // Of a message that was not met here, nothing is shown.
                let known = self.conversations.get(&conversation);
                let is_met = known.is_some_and(|known| known.queued.contains(sequence.0));
                let told = Event::Reactions { conversation, sequence, reactions };
                is_met.then_some(told).into_iter().collect()
            }
            Kind::Notice(wire) => self.notice(notice::from_wire(&wire)?).into_iter().collect(),
            Kind::Order(wire) => vec![Event::Order(Order::from_wire(&wire)?)],
            Kind::Task(wire) => vec![Event::Task(Task::from_wire(&wire)?)],
            Kind::Escalation(wire) => vec![Event::Escalation(Escalation::from_wire(wire)?)],
            Kind::DeviceJoined(wire) => self.device(&Device::from_wire(wire)?).into_iter().collect(),
        })
    }

    /// The box has another past than this device: what was shown in a conversation's places may not be what is in them
    /// now. Something may be shown twice; nothing is left out.
    pub(crate) fn another_past(&mut self) {
        self.cursor.clear();
        self.noticed.clear();
        for known in self.conversations.values_mut() {
            (known.queued, known.taken) = Default::default();
        }
        self.changed = true;
    }

    /// The whole list of the person's devices, as the box gives it at every sign-in: what is new in it, to be queued.
    pub(crate) fn devices(&mut self, listed: &[Device]) -> Vec<Event> {
        // A box of an earlier version lists none, not even this one: that is no reason to forget any.
        if listed.is_empty() {
            return vec![];
        }
        let is_listed = |id: &DeviceId| listed.iter().any(|device| device.id == *id);
        self.changed |= !self.devices.taken.iter().all(is_listed);
        self.devices.taken.retain(is_listed);
        self.devices.queued.retain(is_listed);
        listed.iter().filter_map(|device| self.device(device)).collect()
    }

    fn device(&mut self, device: &Device) -> Option<Event> {
        let new = !device.revoked && device.id != self.device && self.devices.queued.insert(device.id);
        new.then(|| Event::DeviceJoined(device.clone()))
    }

    /// The person knows of this device.
    pub(crate) fn device_taken(&mut self, device: DeviceId) {
        self.devices.queued.insert(device);
        self.devices.changed |= self.devices.taken.insert(device);
        self.changed |= self.devices.changed;
    }

    fn notice(&mut self, notice: Option<Notice>) -> Option<Event> {
        let notice = notice?;
        let last = self.noticed.entry(notice.conversation).or_default();
        let new = notice.number > *last;
        *last = notice.number.max(*last);
        new.then_some(Event::Notice(notice))
    }

    fn message(&mut self, message: Message) -> Vec<Event> {
        let Some(known) = self.conversations.get_mut(&message.conversation) else {
            // The box names a conversation before its messages; one that it does not name is shown all the same.
            return vec![Event::Message(message)];
        };
        if known.queued.contains(message.sequence.0) {
            return vec![];
        }
        known.conversation.last = known.conversation.last.max(message.sequence);
        self.changed = true;
        let conversation = message.conversation;
        let missing = known.queued.advance(message.sequence.0, known.conversation.first.0);
        let gap =
            missing.map(|(from, to)| Event::Gap { conversation, from: Sequence(from), to: Sequence(to) });
        gap.into_iter().chain([Event::Message(message)]).collect()
    }

    pub(crate) fn conversation(&mut self, conversation: Conversation) {
        self.changed = true;
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.remove(&conversation.id);
        }
        match self.conversations.get_mut(&conversation.id) {
            Some(known) => known.conversation = conversation,
            None => {
                let known = Known { queued: Marks::default(), taken: Marks::default(), conversation };
                self.conversations.insert(known.conversation.id, known);
            }
        }
    }

    /// How the conversation looks now; `None` for one that is not known here, which the box has no reason to send.
    fn conversation_changed(&mut self, change: ConversationChange) -> Option<Conversation> {
        let conversation = &mut self.conversations.get_mut(&change.conversation)?.conversation;
        self.changed = true;
        conversation.members.retain(|member| !change.left.contains(&member.person));
        for joined in change.joined {
            if !raise(&mut conversation.members, joined) {
                conversation.members.push(joined);
            }
        }
        conversation.first = conversation.first.max(change.first);
        if let Some(title) = change.title {
            conversation.title = title;
        }
        conversation.archived = change.archived.unwrap_or(conversation.archived);
        conversation.about = change.about.or_else(|| conversation.about.take());
        if let Some(family) = &mut conversation.family {
            change.people.into_iter().for_each(|person| family.add(person));
        }
        if change.purged {
            conversation.purged = true;
            conversation.title.clear();
            (conversation.about, conversation.family) = (None, None);
        }
        Some(conversation.clone())
    }

    /// A conversation as users see it: of a family thread, whose it is.
    pub(crate) fn seen(&self, mut conversation: Conversation) -> Conversation {
        if let Some(family) = &mut conversation.family {
            let thread = family.patient_thread.and_then(|id| self.conversations.get(&id));
            family.about = thread.and_then(|known| known.conversation.about.clone());
        }
        conversation
    }

    /// One that is new or has changed; with a patient's thread the family's, which show where the patient is.
    fn shown(&self, conversation: Conversation) -> Vec<Event> {
        let of = Some(conversation.id).filter(|_| conversation.about.is_some());
        let theirs = self.conversations.values().map(|known| &known.conversation);
        let theirs = theirs.filter(|other| {
            let thread = other.family.as_ref().and_then(|family| family.patient_thread);
            of.is_some() && thread == of
        });
        let theirs: Vec<Event> = theirs.cloned().map(|other| Event::Conversation(self.seen(other))).collect();
        [Event::Conversation(self.seen(conversation))].into_iter().chain(theirs).collect()
    }

    /// Whoever is met in a family thread and stands in no directory here; who is new or called otherwise.
    fn meet<'r>(&mut self, people: impl Iterator<Item = &'r Relative>) -> Vec<Event> {
        let mut events = Vec::new();
        for relative in people {
            let person = Person::of_family(relative);
            let known = self.people.get(&relative.person);
            if known.is_none_or(|known| known.visitor && *known != person) {
                self.person(person.clone());
                events.push(Event::Person(person));
            }
        }
        events
    }

    pub(crate) fn person(&mut self, person: Person) {
        self.changed = true;
        self.people.insert(person.id, person);
    }

    fn watermark(&mut self, watermark: Watermark) {
        self.changed = true;
        if let Some(known) = self.conversations.get_mut(&watermark.conversation) {
            raise(&mut known.conversation.members, watermark.member);
        }
    }

    /// A message of this device took its place.
    pub(crate) fn accepted(&mut self, conversation: ConversationId, sequence: Sequence) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            self.changed = true;
            known.queued.add(sequence.0);
            known.conversation.last = known.conversation.last.max(sequence);
        }
    }

    /// The user has taken a message.
    pub(crate) fn taken(&mut self, conversation: ConversationId, sequence: Sequence, own: bool) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            self.changed = true;
            if own {
                known.taken.add(sequence.0);
            } else {
                known.taken.advance(sequence.0, 0);
            }
        }
    }

    /// This person's own watermarks as far as known here.
    pub(crate) fn mine(&self, conversation: ConversationId) -> Option<Member> {
        let members = &self.conversations.get(&conversation)?.conversation.members;
        members.iter().find(|member| member.person == self.me).copied()
    }

    /// This device raised them.
    pub(crate) fn raised(&mut self, conversation: ConversationId, delivered: Sequence, read: Sequence) {
        self.watermark(Watermark { conversation, member: Member { person: self.me, delivered, read } });
    }

    /// Conversations of which the box may not have heard how much was delivered here.
    pub(crate) fn undelivered(&self) -> Vec<(ConversationId, Sequence)> {
        let behind = self.conversations.values().filter_map(|known| {
            let taken = Sequence(known.taken.highest().min(known.conversation.last.0));
            let mine = self.mine(known.conversation.id)?;
            (taken > mine.delivered).then_some((known.conversation.id, taken))
        });
        behind.collect()
    }
}

/// False when the person is none of them.
fn raise(members: &mut [Member], to: Member) -> bool {
    let Some(member) = members.iter_mut().find(|member| member.person == to.person) else { return false };
    member.delivered = member.delivered.max(to.delivered);
    member.read = member.read.max(to.read);
    true
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
