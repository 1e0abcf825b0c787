//! What the store should answer, worked out from all writes by looking at everything.

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::alteration::{Found, Kept, Standing};
use wardline_core::clinic::{Encounter, Patient};
use wardline_core::conversation::{Conversation, Kind};
use wardline_core::directory::{Person, Unit};
use wardline_core::escalation::signed::SignedAnswer;
use wardline_core::escalation::{Escalation, Stage, StatId};
use wardline_core::hold;
use wardline_core::ids::{Change, ConversationId, DeviceId, Number, PersonId, Sequence};
use wardline_core::limits::{
    CATCH_UP_MAX, ORDER_SIGNED_MAX, PAGE_BYTES_MAX, SEAL_OVERHEAD, STAT_SIGNED_MAX,
    WATERMARK_PUSH_MEMBERS_MAX, signed_on_page,
};
use wardline_core::mailbox::Under;
use wardline_core::mention;
use wardline_core::notice::Notice;
use wardline_core::order::Order;
use wardline_core::order::signed::SignedDeed;
use wardline_core::reaction::Reactions;
use wardline_core::retention::{Bounds, KINDS};
use wardline_core::state::State;
use wardline_core::task::Task;
use wardline_core::text::WrappedKey;
use wardline_core::wire;
use wardline_core::write::{Message, Numbered, Write};
use wardline_relay::store::{Changes, Missed, Page, StoredAnswer, StoredMessage, WouldGo};

pub(crate) struct Model {
    pub(crate) state: State,
    pub(crate) messages: BTreeMap<Change, Message>,
    /// By the change that brought the message: what became of it, and by which change.
    pub(crate) altered: BTreeMap<Change, (Standing, Change)>,
    /// In the same way: what is put to it, and by which change.
    pub(crate) put: BTreeMap<Change, (Reactions, Change)>,
    /// The highest number that each device has lost a message under.
    pub(crate) lost: BTreeMap<DeviceId, Number>,
    pub(crate) keys: BTreeMap<ConversationId, WrappedKey>,
    /// Closed ones too, while their messages are there.
    pub(crate) stats: BTreeMap<StatId, Escalation>,
    /// Those that are over too, while their messages are there.
    pub(crate) tasks: BTreeMap<StatId, Task>,
    pub(crate) orders: BTreeMap<StatId, Order>,
    pub(crate) order_signed: BTreeMap<Change, SignedDeed>,
    /// What was told in threads and is kept.
    pub(crate) notices: BTreeMap<Change, Notice>,
    pub(crate) signed: BTreeMap<Change, SignedAnswer>,
    /// By the change that brought the message: how many files it has.
    pub(crate) files: BTreeMap<Change, u32>,
    /// Family threads, those of stays that were put away too, and the patient's thread of each.
    pub(crate) families: BTreeMap<ConversationId, (bool, ConversationId)>,
}

impl Model {
    pub(crate) fn of(writes: &[Numbered]) -> Self {
        let (messages, keys) = (BTreeMap::new(), BTreeMap::new());
        let (lost, stats, altered) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (notices, put, files) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let signed = BTreeMap::new();
        let families = BTreeMap::new();
        let (state, tasks) = (State::default(), BTreeMap::new());
        let mut model = Self {
            state,
            tasks,
            orders: BTreeMap::new(),
            order_signed: BTreeMap::new(),
            messages,
            altered,
            put,
            lost,
            keys,
            stats,
            notices,
            signed,
            files,
            families,
        };
        for Numbered { change, write } in writes {
            model.state.apply(*change, write);
            match write {
                Write::MessageAccepted(message) => {
                    model.messages.insert(*change, message.clone());
                }
                Write::MessageEdited { message, standing, body, .. } => {
                    model.messages.get_mut(message).unwrap().body = body.clone();
                    model.put.entry(*message).and_modify(|put| put.0 = Reactions::default());
                    model.altered.insert(*message, (*standing, *change));
                }
                Write::TaskSet(task) => {
                    model.tasks.insert(task.id, Task { changed: *change, ..(**task).clone() });
                }
                Write::OrderSet(order) => {
                    model.orders.insert(order.id, Order { changed: *change, ..(**order).clone() });
                }
                Write::OrderSigned(deed) => {
                    model.order_signed.insert(*change, (**deed).clone());
                }
                Write::MessageRecalled { message, at, conversation, sequence } => {
                    model.tasks.remove(&StatId { conversation: *conversation, sequence: *sequence });
                    let kept = model.messages.get_mut(message).unwrap();
                    kept.body.0.clear();
                    kept.mentions.clear();
                    model.put.entry(*message).and_modify(|put| put.0 = Reactions::default());
                    let (standing, altered) = model.altered.entry(*message).or_default();
                    (standing.recalled, standing.at, *altered) = (true, *at, *change);
                }
                Write::ReactionsSet { message, reactions, .. } => {
                    model.put.insert(*message, (reactions.clone(), *change));
                }
                Write::FamilyThreadOpened(thread) => {
                    let of = model.state.clinic.encounters[&thread.encounter].thread;
                    model.families.insert(thread.conversation, (thread.own, of));
                }
                Write::DeviceJoined(device) => {
                    model.lost.insert(device.id, device.last_number);
                }
                Write::NoticeMade(notice) => {
                    model.notices.insert(*change, notice.clone());
                    let (place, number) = (notice.conversation, notice.number);
                    model.notices.retain(|_, old| old.conversation != place || old.number + 400 > number);
                }
                Write::MessagesExpired { conversation, through } => {
                    model.notices.retain(|_, n| n.conversation != *conversation || n.after >= *through);
                    let goes = |m: &&Message| m.conversation == *conversation && m.sequence <= *through;
                    for message in model.messages.values().filter(goes) {
                        let lost = model.lost.entry(message.device).or_default();
                        *lost = message.number.max(*lost);
                    }
                    model.messages.retain(|_, m| m.conversation != *conversation || m.sequence > *through);
                    model.altered.retain(|change, _| model.messages.contains_key(change));
                    model.put.retain(|change, _| model.messages.contains_key(change));
                    model.stats.retain(|id, _| id.conversation != *conversation || id.sequence > *through);
                    model.tasks.retain(|id, _| id.conversation != *conversation || id.sequence > *through);
                    model.orders.retain(|id, _| id.conversation != *conversation || id.sequence > *through);
                    model.order_signed.retain(|_, deed| {
                        let last = deed.said.unwrap_or_default().max(deed.id.sequence);
                        deed.id.conversation != *conversation || last > *through
                    });
                    model
                        .signed
                        .retain(|_, a| a.id.conversation != *conversation || a.id.sequence > *through);
                }
                Write::AttachmentsSent { message, files, .. } => {
                    model.files.insert(*message, files.len() as u32);
                }
                Write::KeyGranted { conversation, key } => {
                    model.keys.insert(*conversation, key.clone());
                }
                Write::EscalationMoved { id, stage: stage @ Stage::Closed { .. }, .. } => {
                    if let Some(stat) = model.stats.get_mut(id) {
                        (stat.stage, stat.changed, stat.note) = (*stage, *change, None);
                    }
                }
                Write::EscalationOpened(Escalation { id, .. })
                | Write::EscalationMoved { id, .. }
                | Write::EscalationUnitSet { id, .. }
                | Write::EscalationDeclined { id, .. } => {
                    if let Some(stat) = model.state.escalations.get(id) {
                        model.stats.insert(*id, stat.clone());
                    }
                }
                Write::StatAnswered(answer) => {
                    model.signed.insert(*change, (**answer).clone());
                    let of = |other: &SignedAnswer| other.id == answer.id;
                    if model.signed.values().filter(|other| of(other)).count() > STAT_SIGNED_MAX {
                        let oldest =
                            model.signed.iter().find(|(_, other)| of(other)).map(|(change, _)| *change);
                        model.signed.remove(&oldest.unwrap());
                    }
                    if let Some(stat) = model.state.escalations.get(&answer.id) {
                        model.stats.insert(answer.id, stat.clone());
                    }
                }
                Write::KeyDestroyed { conversation } => {
                    model.keys.remove(conversation);
                    model.signed.retain(|_, answer| answer.id.conversation != *conversation);
                    model.tasks.retain(|id, _| id.conversation != *conversation);
                    model.orders.retain(|id, _| id.conversation != *conversation);
                    model.order_signed.retain(|_, deed| deed.id.conversation != *conversation);
                    model.notices.retain(|_, notice| notice.conversation != *conversation);
                    for (change, message) in &mut model.messages {
                        if message.conversation == *conversation {
                            message.mentions.clear();
                            model.put.entry(*change).and_modify(|put| put.0 = Reactions::default());
                        }
                    }
                }
                _ => {}
            }
        }
        model
    }

    fn stored(&self, change: Change, message: &Message) -> StoredMessage {
        let (standing, _) = self.altered.get(&change).copied().unwrap_or_default();
        StoredMessage {
            change,
            conversation: message.conversation,
            sequence: message.sequence,
            id: message.id,
            sender: message.sender,
            device: message.device,
            at: message.at,
            body: message.body.clone(),
            priority: message.priority,
            reply_to: message.reply_to.unwrap_or_default(),
            edits: standing.edits,
            recalled: standing.recalled,
            altered_at: standing.at,
            mentions: message.mentions.clone(),
            reactions: self.put(change),
            files: if standing.recalled { 0 } else { self.files.get(&change).copied().unwrap_or(0) },
        }
    }

    fn put(&self, change: Change) -> Reactions {
        self.put.get(&change).cloned().unwrap_or_default().0
    }

    /// What a doorway finds of a message.
    pub(crate) fn find(&self, which: StatId) -> Found {
        let mut all = self.messages.iter();
        let found = all.find(|(_, m)| (m.conversation, m.sequence) == (which.conversation, which.sequence));
        let message = found.map(|(change, m)| Kept {
            change: *change,
            id: m.id,
            sender: m.sender,
            device: m.device,
            at: m.at,
            priority: m.priority,
            reply_to: m.reply_to,
            mentions: m.mentions.clone(),
            reactions: self.put(*change),
            standing: self.altered.get(change).copied().unwrap_or_default().0,
            is_order: self
                .order_signed
                .values()
                .any(|deed| (deed.id.conversation, deed.said) == (which.conversation, Some(which.sequence))),
        });
        Found { as_of: self.state.change, message }
    }

    /// Altered messages of this person's, by the change that brought them.
    fn altered(&self, person: PersonId, fits: impl Fn(Change, Change) -> bool) -> Vec<Missed> {
        let altered = self.altered.iter().filter(|(change, (_, altered))| fits(**change, *altered));
        let mine = altered.filter(|(change, _)| self.may_read(person, &self.messages[change]));
        mine.map(|(change, _)| self.missed(*change)).collect()
    }

    pub(crate) fn page(
        &self,
        person: PersonId,
        of: ConversationId,
        (from, before): (Sequence, Sequence),
        limit: u32,
    ) -> Page {
        let conversation = &self.state.conversations[&of];
        let Some(member) = conversation.members.get(&person).filter(|member| !member.left) else {
            return Page::NotAMember;
        };
        if conversation.purged {
            return Page::Purged;
        }
        let from = from.max(member.from);
        let mut found: Vec<StoredMessage> = self
            .messages
            .iter()
            .filter(|(_, m)| m.conversation == of && m.sequence >= from && m.sequence < before)
            .map(|(change, message)| self.stored(*change, message))
            .collect();
        found.sort_by_key(|message| std::cmp::Reverse(message.sequence));
        found.truncate(limit as usize);
        let mut text = 0;
        let within = found.iter().take_while(|message| {
            let goes_in = text < PAGE_BYTES_MAX;
            text += message.body.0.len().saturating_sub(SEAL_OVERHEAD);
            text += wire::beside(&mention::to_wire(&message.mentions), &message.reactions.to_wire());
            goes_in
        });
        let count = within.count();
        found.truncate(count);
        Page::Of(found)
    }

    pub(crate) fn submission(&self, device: DeviceId, number: Number) -> Under<StoredAnswer> {
        let found = self.messages.iter().find(|(_, m)| m.device == device && m.number == number);
        let Some((change, m)) = found else {
            let lost = self.lost.get(&device).is_some_and(|lost| number <= *lost);
            return if lost { Under::Deleted } else { Under::Nothing };
        };
        let (message, conversation) = (m.id, m.conversation);
        Under::Message(StoredAnswer {
            message,
            conversation,
            sequence: m.sequence,
            at: m.at,
            change: *change,
        })
    }

    fn may_read(&self, person: PersonId, message: &Message) -> bool {
        let conversation = &self.state.conversations[&message.conversation];
        let member = conversation.member(person);
        !conversation.purged && member.is_some_and(|member| message.sequence >= member.from)
    }

    /// Of no message, nothing.
    pub(crate) fn missed(&self, change: Change) -> Missed {
        let message = self.messages.get(&change);
        let conversation = message.map_or(ConversationId::new(1).unwrap(), |message| message.conversation);
        Missed { change, conversation, size: message.map_or(0, |message| message.body.0.len() as u64) }
    }

    pub(crate) fn messages(&self, person: PersonId, missed: &[Missed]) -> Vec<StoredMessage> {
        let readable = self.messages.iter().filter(|(_, message)| self.may_read(person, message));
        let wanted: BTreeSet<Change> = missed.iter().map(|missed| missed.change).collect();
        readable.filter(|(c, _)| wanted.contains(c)).map(|(c, m)| self.stored(*c, m)).collect()
    }

    fn told(&self, person: PersonId, which: impl Fn(Change, &Notice) -> bool) -> Vec<(Change, Notice)> {
        let mine = |(change, notice): &(&Change, &Notice)| {
            let member = self.state.conversations[&notice.conversation].member(person);
            member.is_some_and(|member| notice.after.0 + 1 >= member.from.0) && which(**change, notice)
        };
        self.notices.iter().filter(mine).map(|(change, notice)| (*change, notice.clone())).collect()
    }

    /// How the order stands that one message is, and what was signed about it, newest first.
    pub(crate) fn order(&self, person: PersonId, id: StatId) -> (Option<Order>, Vec<SignedDeed>) {
        let starts = self.state.conversations[&id.conversation].member(person).map(|member| member.from);
        let order = self.orders.get(&id).filter(|_| starts.is_some_and(|starts| starts <= id.sequence));
        let Some(order) = order else { return (None, Vec::new()) };
        let of = self.order_signed.values().rev().filter(|deed| deed.id == id);
        (Some(order.clone()), of.take(ORDER_SIGNED_MAX).cloned().collect())
    }

    /// How the STAT stands that a message is.
    pub(crate) fn stat(&self, person: PersonId, id: StatId) -> Option<Escalation> {
        let starts = self.state.conversations[&id.conversation].member(person).map(|member| member.from);
        self.stats.get(&id).filter(|_| starts.is_some_and(|starts| starts <= id.sequence)).cloned()
    }

    /// What was signed about the messages of a page, newest first.
    pub(crate) fn signed(
        &self,
        person: PersonId,
        place: ConversationId,
        (oldest, before): (Option<Sequence>, Sequence),
        limit: u32,
    ) -> Vec<SignedAnswer> {
        let starts = self.state.conversations[&place].member(person).map(|member| member.from);
        let (Some(oldest), Some(starts)) = (oldest, starts) else { return Vec::new() };
        let of = |answer: &&SignedAnswer| {
            answer.id.conversation == place && (oldest.max(starts)..before).contains(&answer.id.sequence)
        };
        self.signed.values().rev().filter(of).take(signed_on_page(limit)).cloned().collect()
    }

    /// Those that stand behind messages of a page; with no `oldest`, those in front of its first as well. Newest first.
    pub(crate) fn notices(
        &self,
        person: PersonId,
        of: ConversationId,
        (from, before): (Sequence, Sequence),
        oldest: Option<Sequence>,
    ) -> Vec<Notice> {
        let first = oldest.map_or(from.0 - 1, |oldest| oldest.0);
        let within = |_, notice: &Notice| {
            notice.conversation == of && notice.after.0 >= first && notice.after < before
        };
        self.told(person, within).into_iter().rev().map(|(_, notice)| notice).collect()
    }

    fn newest_told(&self, person: PersonId) -> Vec<(Change, Notice)> {
        let state = &self.state;
        self.told(person, |_, told| told.number + 20 > state.conversations[&told.conversation].noticed)
    }

    /// Nothing of the house is a visitor's to know.
    fn units(&self, person: PersonId, after: Change) -> Vec<Unit> {
        let units = self.state.units.values().filter(|unit| unit.changed > after);
        units.filter(|_| self.state.people[&person].visitor.is_none()).cloned().collect()
    }

    /// And visitors are in no directory.
    fn people(&self, person: PersonId, after: Change) -> Vec<Person> {
        let people =
            self.state.people.values().filter(|entry| entry.changed > after && entry.visitor.is_none());
        people.filter(|_| self.state.people[&person].visitor.is_none()).cloned().collect()
    }

    fn bedsides<'a>(
        &self,
        of: impl Iterator<Item = &'a Conversation>,
    ) -> BTreeMap<ConversationId, (Encounter, Vec<Patient>)> {
        let clinic = &self.state.clinic;
        let stays = of.filter_map(|c| clinic.encounters.values().find(|stay| stay.thread == c.id));
        let records = |stay: &Encounter| {
            let records = clinic.records_of(stay.patient).into_iter();
            records.map(|record| clinic.patients[&record].clone()).collect::<Vec<_>>()
        };
        stays.map(|stay| (stay.thread, (stay.clone(), records(stay)))).collect()
    }

    pub(crate) fn changes(&self, person: PersonId, after: Option<Change>) -> Changes {
        let state = &self.state;
        let mine = || state.conversations.values().filter(move |c| c.member(person).is_some());
        let readable = |n: Change| {
            let all = self.messages.iter().filter(move |(c, m)| **c > n && self.may_read(person, m));
            all.map(|(c, m)| (*c, m.conversation, m.sequence)).collect::<Vec<_>>()
        };
        let stats = |wanted: &dyn Fn(&Escalation, &Conversation) -> bool| {
            let mine = |stat: &&Escalation| {
                let place = &state.conversations[&stat.id.conversation];
                place.member(person).is_some() && wanted(stat, place)
            };
            self.stats.values().filter(mine).cloned().collect::<Vec<_>>()
        };
        let tasks = |wanted: &dyn Fn(&Task, &Conversation) -> bool| {
            let mine = |task: &&Task| {
                let place = &state.conversations[&task.id.conversation];
                place.member(person).is_some_and(|member| member.from <= task.id.sequence)
                    && wanted(task, place)
            };
            self.tasks.values().filter(mine).cloned().collect::<Vec<_>>()
        };
        let orders = |wanted: &dyn Fn(&Order, &Conversation) -> bool| {
            let mine = |order: &&Order| {
                let place = &state.conversations[&order.id.conversation];
                place.member(person).is_some_and(|member| member.from <= order.id.sequence)
                    && wanted(order, place)
            };
            self.orders.values().filter(mine).cloned().collect::<Vec<_>>()
        };
        let is_open = |stat: &Escalation| !matches!(stat.stage, Stage::Closed { .. });
        let n = match after {
            Some(n) if n <= state.change && readable(n).len() <= CATCH_UP_MAX => n,
            _ => {
                let newest = readable(Change(0)).into_iter().filter(|(_, conversation, sequence)| {
                    sequence.0 + 30 > state.conversations[conversation].last.0
                });
                let messages: Vec<Missed> = newest.map(|(change, ..)| self.missed(change)).collect();
                let altered = self.altered(person, |change, _| messages.iter().all(|m| m.change != change));
                return Changes {
                    head: state.change,
                    snapshot: true,
                    units: self.units(person, Change(0)),
                    people: self.people(person, Change(0)),
                    kin: self.kin(mine(), person),
                    conversations: mine().map(|place| as_shown(place, person)).collect(),
                    stats: stats(&|stat, place| is_open(stat) || stat.id.sequence.0 + 30 > place.last.0),
                    bedsides: self.bedsides(mine()),
                    tasks: tasks(&|task, _| task.standing.is_open()),
                    orders: orders(&|order, _| order.filed.is_none()),
                    messages,
                    altered,
                    notices: self.newest_told(person),
                    ..Changes::default()
                };
            }
        };
        let mut watermarks = Vec::new();
        for conversation in mine().filter(|c| c.changed <= n) {
            let is_pushed = conversation.kind != Kind::Broadcast;
            if is_pushed && conversation.present().count() <= WATERMARK_PUSH_MEMBERS_MAX {
                for (whose, m) in conversation.present().filter(|(_, m)| m.changed > n) {
                    watermarks.push((conversation.id, whose, m.delivered, m.read, m.changed));
                }
            }
        }
        watermarks.sort_by_key(|watermark| watermark.4);
        let left = |id: &ConversationId| {
            let member = state.conversations[id].members.get(&person);
            member.is_some_and(|member| member.left && member.changed > n)
        };
        // A cursor from before everything is served as a snapshot is.
        let notices = match n {
            Change(0) => self.newest_told(person),
            n => self.told(person, |change, _| change > n),
        };
        let altered = self.altered(person, |change, altered| change <= n && altered > n);
        let put = self.put.iter().filter(|(change, (_, put))| n > Change(0) && **change <= n && *put > n);
        let put = put.filter(|(change, _)| self.may_read(person, &self.messages[change]));
        let reacted = put.map(|(change, _)| self.missed(*change)).filter(|of| !altered.contains(of));
        Changes {
            head: state.change,
            snapshot: false,
            reacted: reacted.collect(),
            notices,
            units: self.units(person, n),
            people: self.people(person, n),
            kin: self.kin(mine().filter(|c| c.changed > n), person),
            conversations: mine().filter(|c| c.changed > n).map(|place| as_shown(place, person)).collect(),
            bedsides: self.bedsides(mine().filter(|c| c.changed > n)),
            gone: state.conversations.keys().copied().filter(left).collect(),
            watermarks,
            stats: stats(&|stat, place| stat.changed > n || is_open(stat) && place.changed > n),
            tasks: tasks(&|task, place| {
                n > Change(0) && task.changed > n || task.standing.is_open() && place.changed > n
            }),
            orders: orders(&|order, place| {
                n > Change(0) && order.changed > n || order.filed.is_none() && place.changed > n
            }),
            messages: readable(n).into_iter().map(|(change, ..)| self.missed(change)).collect(),
            altered,
        }
    }

    /// What would go by these bounds, of each kind: messages, conversations, and conversations that a hold keeps.
    pub(crate) fn count_aged(&self, bounds: &Bounds) -> Vec<WouldGo> {
        let mut all = Vec::new();
        for kind in KINDS.into_iter().chain([Kind::Family, Kind::Role, Kind::Broadcast]) {
            let mut of = WouldGo { kind, messages: 0, conversations: 0, held: 0 };
            let (read_before, any_before) = bounds.of(kind);
            for place in self.state.conversations.values().filter(|place| place.kind == kind) {
                let seen = place.present().map(|(_, m)| m.read).min().unwrap_or(place.last);
                let stats = self.state.escalations.keys().filter(|stat| stat.conversation == place.id);
                let orders = self.state.orders.of_conversation(place.id).map(|order| order.id.sequence);
                let stat = stats.map(|stat| stat.sequence).chain(orders).min();
                let goes = |change: &Change, sequence: Sequence| {
                    *change < any_before || (*change < read_before && sequence <= seen)
                };
                let here = self.messages.iter().filter(|(_, message)| message.conversation == place.id);
                let goes = here.filter(|(change, message)| {
                    message.sequence >= place.first
                        && stat.is_none_or(|stat| message.sequence < stat)
                        && goes(change, message.sequence)
                });
                match (goes.count() as u64, hold::keeps(&self.state, place.id)) {
                    (0, _) => {}
                    (_, true) => of.held += 1,
                    (count, false) => {
                        of.messages += count;
                        of.conversations += 1;
                    }
                }
            }
            if of.conversations > 0 || of.held > 0 {
                all.push(of);
            }
        }
        all
    }

    pub(crate) fn aged(&self, bounds: &Bounds) -> Vec<(ConversationId, Sequence, Sequence)> {
        let mut aged = Vec::new();
        for conversation in self.state.conversations.values() {
            let (read_before, any_before) = bounds.of(conversation.kind);
            let last_before = |bound: Change| {
                let old =
                    self.messages.iter().filter(|(c, m)| m.conversation == conversation.id && **c < bound);
                old.map(|(_, m)| m.sequence).max().unwrap_or(Sequence(conversation.first.0 - 1))
            };
            let (read, any) = (last_before(read_before), last_before(any_before));
            let read_by_all = conversation.present().map(|(_, m)| m.read).min().unwrap_or(conversation.last);
            let is_held = self.state.escalations.values().any(|stat| {
                let (place, at) = (stat.id.conversation, stat.id.sequence);
                place == conversation.id && at <= conversation.first
            });
            let mut orders = self.state.orders.of_conversation(conversation.id);
            let is_held = is_held || orders.any(|order| order.id.sequence <= conversation.first);
            let is_held = is_held || hold::keeps(&self.state, conversation.id);
            if read.min(read_by_all).max(any) >= conversation.first && !is_held {
                aged.push((conversation.id, read, any));
            }
        }
        aged
    }
}

/// Of announcements oneself alone.
fn as_shown(place: &Conversation, person: PersonId) -> Conversation {
    let mut shown = place.clone();
    shown.members.retain(|member, _| place.kind != Kind::Broadcast || *member == person);
    shown
}
