//! The store: the list of committed writes, and what can be read out of it. Survives every crash.

use std::collections::BTreeMap;

use wardline_core::alteration::{Found, Kept, Standing};
use wardline_core::attachment::Sent;
use wardline_core::audit::Entry;
use wardline_core::clinic::RestoredClinic;
use wardline_core::conversation::{self, Conversation};
use wardline_core::directory::Post;
use wardline_core::escalation::signed::SignedAnswer;
use wardline_core::escalation::{Escalation, Stage, StatId};
use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, Number, PersonId, Sequence};
use wardline_core::limits;
use wardline_core::mailbox::Under;
use wardline_core::notice::Notice;
use wardline_core::order::Order;
use wardline_core::order::signed::SignedDeed;
use wardline_core::reaction::Reactions;
use wardline_core::retention::Bounds;
use wardline_core::state::{Restored, State};
use wardline_core::task::Task;
use wardline_core::wire::proto::{self, event::Kind};
use wardline_core::write::{Message, Numbered, Write};

/// Newest messages of a conversation in a snapshot: few, so that snapshots leave holes.
const SNAPSHOT: usize = 3;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) writes: Vec<Numbered>,
    /// The fold of the writes.
    pub(crate) state: State,
    pub(crate) audit: Vec<Entry>,
    rows: BTreeMap<ConversationId, Vec<Row>>,
    keys: Vec<ConversationId>,
    /// Every STAT there was, closed ones too.
    stats: BTreeMap<StatId, Escalation>,
    /// Every task that was given, while its message is kept.
    tasks: BTreeMap<StatId, Task>,
    /// Every order, filed or not, and what was signed about it.
    orders: BTreeMap<StatId, Order>,
    order_signed: Vec<(Change, SignedDeed)>,
    /// What was signed about STATs, while their messages are kept.
    signed: Vec<(Change, SignedAnswer)>,
    /// What was told in threads and is kept.
    notices: BTreeMap<ConversationId, Vec<(Change, Notice)>>,
}

/// A message and whether it is still kept. What is not is looked at only to judge in the end.
struct Row {
    message: Message,
    change: Change,
    kept: bool,
    standing: Standing,
    /// The last change of it.
    altered: Change,
    reactions: Reactions,
    /// The last change of those.
    reacted: Change,
    files: Vec<Sent>,
}

impl Row {
    fn to_wire(&self) -> proto::Message {
        let mut wire = to_wire(&self.message);
        self.standing.dress(&mut wire);
        wire.reactions = self.reactions.to_wire();
        let name = |file: &Sent| String::from_utf8_lossy(&file.title.0).into_owned();
        wire.attachments = self.files.iter().map(|file| file.to_wire(name(file))).collect();
        wire
    }
}

impl Store {
    /// One transaction. Numbers must go on without a gap.
    pub(crate) fn commit(&mut self, batch: Vec<Numbered>) -> Result<(), String> {
        for numbered in batch {
            let Numbered { change, write } = &numbered;
            if change.0 != self.state.change.0 + 1 {
                return Err(format!("change {} after {}", change.0, self.state.change.0));
            }
            if let Write::NoticeMade(notice) = write {
                let before = self.state.conversations.get(&notice.conversation).map(|place| place.noticed);
                if before.map(|before| before + 1) != Some(notice.number) {
                    return Err(format!("notice {} after {before:?}", notice.number));
                }
            }
            self.state.apply(*change, write);
            match write {
                Write::Audited { index, bytes } => {
                    let entry = Entry::from_bytes(bytes).map_err(|error| format!("audit entry: {error}"))?;
                    if *index != self.audit.len() as u64 + 1 || entry.index != *index {
                        return Err(format!("audit entry {index} after {}", self.audit.len()));
                    }
                    self.audit.push(entry);
                }
                Write::EscalationMoved { id, stage: stage @ Stage::Closed { .. }, .. } => {
                    if let Some(stat) = self.stats.get_mut(id) {
                        (stat.stage, stat.changed, stat.note) = (*stage, *change, None);
                    }
                }
                Write::EscalationOpened(Escalation { id, .. })
                | Write::EscalationMoved { id, .. }
                | Write::EscalationUnitSet { id, .. }
                | Write::EscalationDeclined { id, .. } => {
                    if let Some(stat) = self.state.escalations.get(id) {
                        self.stats.insert(*id, stat.clone());
                    }
                }
                Write::StatAnswered(answer) => {
                    self.signed.push((*change, (**answer).clone()));
                    if let Some(stat) = self.state.escalations.get(&answer.id) {
                        self.stats.insert(answer.id, stat.clone());
                    }
                }
                Write::TaskSet(task) => {
                    self.tasks.insert(task.id, Task { changed: *change, ..(**task).clone() });
                }
                Write::OrderSet(order) => {
                    self.orders.insert(order.id, Order { changed: *change, ..(**order).clone() });
                }
                Write::OrderSigned(deed) => self.order_signed.push((*change, (**deed).clone())),
                Write::KeyGranted { conversation, .. } => self.keys.push(*conversation),
                Write::KeyDestroyed { conversation } => {
                    self.keys.retain(|kept| kept != conversation);
                    self.tasks.retain(|id, _| id.conversation != *conversation);
                    self.orders.retain(|id, _| id.conversation != *conversation);
                    self.order_signed.retain(|(_, deed)| deed.id.conversation != *conversation);
                    self.signed.retain(|(_, answer)| answer.id.conversation != *conversation);
                    self.notices.remove(conversation);
                }
                Write::NoticeMade(notice) => {
                    let last = self.rows.get(&notice.conversation).map_or(0, |rows| rows.len() as u64);
                    if notice.after.0 != last || !self.has_key(notice.conversation) {
                        return Err(format!("a notice behind {}, not {last}", notice.after.0));
                    }
                    let told = self.notices.entry(notice.conversation).or_default();
                    told.push((*change, notice.clone()));
                }
                Write::MessageAccepted(message) => {
                    let rows = self.rows.entry(message.conversation).or_default();
                    if message.sequence.0 != rows.len() as u64 + 1 {
                        return Err(format!("message {} after {}", message.sequence.0, rows.len()));
                    }
                    let (change, standing, altered) = (*change, Standing::default(), Change(0));
                    let (reactions, reacted) = (Reactions::default(), Change(0));
                    let (message, kept, files) = (message.clone(), true, Vec::new());
                    rows.push(Row { message, change, kept, standing, altered, reactions, reacted, files });
                }
                Write::AttachmentsSent { conversation, sequence, message, files, .. } => {
                    self.row(*conversation, *sequence, *message)?.files.clone_from(files);
                }
                Write::MessageEdited { conversation, sequence, message, standing, body } => {
                    let row = self.row(*conversation, *sequence, *message)?;
                    row.message.body = body.clone();
                    (row.standing, row.altered) = (*standing, *change);
                    row.reactions = Reactions::default();
                }
                Write::MessageRecalled { conversation, sequence, message, at } => {
                    self.tasks.remove(&StatId { conversation: *conversation, sequence: *sequence });
                    let row = self.row(*conversation, *sequence, *message)?;
                    row.message.body.0.clear();
                    row.message.mentions.clear();
                    row.reactions = Reactions::default();
                    row.files.clear();
                    (row.standing.recalled, row.standing.at, row.altered) = (true, *at, *change);
                }
                Write::ReactionsSet { conversation, sequence, message, reactions } => {
                    let row = self.row(*conversation, *sequence, *message)?;
                    if row.standing.recalled {
                        return Err("something is put to what is recalled".to_owned());
                    }
                    (row.reactions, row.reacted) = (reactions.clone(), *change);
                }
                Write::MessagesExpired { conversation, through } => {
                    self.tasks.retain(|id, _| id.conversation != *conversation || id.sequence > *through);
                    self.orders.retain(|id, _| id.conversation != *conversation || id.sequence > *through);
                    self.order_signed.retain(|(_, deed)| {
                        deed.id.conversation != *conversation
                            || deed.said.max(Some(deed.id.sequence)) > Some(*through)
                    });
                    self.signed.retain(|(_, answer)| {
                        answer.id.conversation != *conversation || answer.id.sequence > *through
                    });
                    for row in self.rows.get_mut(conversation).into_iter().flatten() {
                        row.kept &= row.message.sequence > *through;
                    }
                    if let Some(told) = self.notices.get_mut(conversation) {
                        told.retain(|(_, notice)| notice.after >= *through);
                    }
                }
                _ => {}
            }
            self.writes.push(numbered);
        }
        Ok(())
    }

    fn row(&mut self, place: ConversationId, sequence: Sequence, at: Change) -> Result<&mut Row, String> {
        let rows = self.rows.get_mut(&place).into_iter().flatten();
        let mut fits = rows.filter(|row| row.message.sequence == sequence && row.change == at && row.kept);
        fits.next().ok_or_else(|| format!("message {} of {place} is altered and not there", sequence.0))
    }

    /// What a doorway reads of a message before it asks the core.
    pub(crate) fn look_up(&self, which: StatId) -> Found {
        let rows = self.rows.get(&which.conversation).into_iter().flatten();
        let row = rows.filter(|row| row.kept).find(|row| row.message.sequence == which.sequence);
        let message = row.map(|row| Kept {
            change: row.change,
            id: row.message.id,
            sender: row.message.sender,
            device: row.message.device,
            at: row.message.at,
            priority: row.message.priority,
            reply_to: row.message.reply_to,
            mentions: row.message.mentions.clone(),
            standing: row.standing,
            reactions: row.reactions.clone(),
            is_order: self.is_order(which),
        });
        Found { as_of: self.state.change, message }
    }

    fn is_order(&self, which: StatId) -> bool {
        let said = |deed: &SignedDeed| {
            (deed.id.conversation, deed.said) == (which.conversation, Some(which.sequence))
        };
        self.order_signed.iter().any(|(_, deed)| said(deed))
    }

    /// How the order stands that this message is, and what was signed about it, the newest first.
    pub(crate) fn order(
        &self,
        conversation: ConversationId,
        sequence: u64,
    ) -> (Option<proto::Order>, Vec<proto::SignedOrder>) {
        let id = StatId { conversation, sequence: Sequence(sequence) };
        let Some(order) = self.orders.get(&id) else { return (None, Vec::new()) };
        let about = self.order_signed.iter().rev().filter(|(_, deed)| deed.id == id);
        (Some(order.to_wire()), about.map(|(_, deed)| deed.to_wire()).collect())
    }

    /// How the STAT stands that a message is.
    pub(crate) fn stat(&self, of: StatId) -> Option<proto::Escalation> {
        self.stats.get(&of).map(Escalation::to_wire)
    }

    /// What became of a message, as an export has it; none where nothing did.
    pub(crate) fn acts(&self, of: StatId) -> Option<proto::ExportActs> {
        let signed = self.signed.iter().filter(|(_, answer)| answer.id == of);
        let signed: Vec<_> = signed.map(|(_, answer)| answer.to_wire()).collect();
        let (order, mut order_signed) = self.order(of.conversation, of.sequence.0);
        order_signed.reverse();
        let acts = proto::ExportActs {
            sequence: of.sequence.0,
            stat: self.stat(of),
            signed: signed[signed.len().saturating_sub(limits::STAT_SIGNED_MAX)..].to_vec(),
            order,
            order_signed,
            task: self.tasks.get(&of).map(Task::to_wire),
            hidden: false,
        };
        (acts.stat.is_some() || acts.order.is_some() || acts.task.is_some()).then_some(acts)
    }

    /// Every message of this person that was ever altered.
    pub(crate) fn altered(&self, person: PersonId) -> Vec<proto::Message> {
        let mut found = Vec::new();
        for (id, rows) in &self.rows {
            let Some(from) = self.member_from(*id, person) else { continue };
            let mine = |row: &&Row| row.kept && row.altered > Change(0) && row.message.sequence >= from;
            found.extend(rows.iter().filter(mine).map(Row::to_wire));
        }
        found
    }

    /// What an edit said.
    pub(crate) fn edited_text(&self, change: Change) -> Option<String> {
        let at = usize::try_from(change.0).ok()?.checked_sub(1)?;
        match &self.writes.get(at)?.write {
            Write::MessageEdited { body, .. } => Some(String::from_utf8_lossy(&body.0).into_owned()),
            _ => None,
        }
    }

    /// Messages that this person has had up to `after`, and that were altered since.
    pub(crate) fn altered_after(&self, person: PersonId, after: Change) -> Vec<proto::Message> {
        let mut found = Vec::new();
        for (id, rows) in &self.rows {
            let Some(from) = self.member_from(*id, person) else { continue };
            let mine = |row: &&Row| {
                row.kept && row.change <= after && row.altered > after && row.message.sequence >= from
            };
            found.extend(rows.iter().filter(mine).map(Row::to_wire));
        }
        found
    }

    /// What was put since to messages that this person has had up to `after`.
    pub(crate) fn reacted_after(&self, person: PersonId, after: Change) -> Vec<Kind> {
        let mut found = Vec::new();
        for (id, rows) in &self.rows {
            let Some(from) = self.member_from(*id, person) else { continue };
            let mine = |row: &&Row| {
                row.kept && row.change <= after && row.reacted > after && row.message.sequence >= from
            };
            found.extend(rows.iter().filter(mine).map(|row| {
                let (conversation, sequence) = (id.value(), row.message.sequence.0);
                let reactions = row.reactions.to_wire();
                Kind::Reactions(proto::MessageReactions { conversation, sequence, reactions })
            }));
        }
        found
    }

    /// What was signed about STATs of these messages, the newest first.
    pub(crate) fn signed(
        &self,
        place: ConversationId,
        (from, before): (u64, u64),
        limit: u32,
    ) -> Vec<proto::SignedAnswer> {
        let of = |answer: &SignedAnswer| {
            answer.id.conversation == place && (from..before).contains(&answer.id.sequence.0)
        };
        let signed = self.signed.iter().rev().filter(|(_, answer)| of(answer));
        signed.map(|(_, answer)| answer.to_wire()).take(limits::signed_on_page(limit)).collect()
    }

    /// What a restart reads.
    pub(crate) fn restored(&self) -> Restored {
        Restored {
            bells: self.state.bells.clone(),
            alarms: self.state.alarms.clone(),
            people: self.state.people.values().cloned().collect(),
            units: self.state.units.values().cloned().collect(),
            roles: self.state.roles.values().cloned().collect(),
            devices: self.state.devices.values().cloned().collect(),
            codes: self.state.codes.values().cloned().collect(),
            conversations: self.state.conversations.values().cloned().collect(),
            change: self.state.change,
            audited: self.state.audited,
            last_at: self.state.last_at,
            marks: self.state.marks.clone(),
            escalations: self.state.escalations.values().cloned().collect(),
            policies: self.state.policies.iter().map(|(unit, policy)| (*unit, policy.clone())).collect(),
            clinic: RestoredClinic {
                patients: self.state.clinic.patients.values().cloned().collect(),
                encounters: self.state.clinic.encounters.values().cloned().collect(),
                care: self
                    .state
                    .clinic
                    .care
                    .iter()
                    .map(|((stay, who), place)| (*stay, *who, *place))
                    .collect(),
                assignments: self.state.clinic.assignments.values().cloned().collect(),
                emergencies: self.state.clinic.emergencies.values().cloned().collect(),
                threads: self
                    .state
                    .clinic
                    .patients
                    .keys()
                    .flat_map(|patient| {
                        self.state.clinic.threads_of(*patient).map(|thread| (thread, *patient))
                    })
                    .collect(),
            },
            retention: self.state.retention,
            holds: self.state.holds.values().cloned().collect(),
            family: self.state.family.to_restored(),
            uploads: self.state.uploads.clone(),
            tasks: self.state.tasks.all().cloned().collect(),
            orders: self.state.orders.all().cloned().collect(),
            order_policies: self.state.orders.policies().clone().into_iter().collect(),
            availability: self.state.availability.clone(),
            inboxes: self.state.inboxes.to_restored(),
            broadcasts: self.state.broadcasts.to_restored(),
            urgents: self.state.urgents.all().copied().collect(),
            templates: self.state.templates.iter().map(|(unit, set)| (*unit, set.clone())).collect(),
        }
    }

    pub(crate) fn has_key(&self, conversation: ConversationId) -> bool {
        self.keys.contains(&conversation)
    }

    /// What stands under a device's number.
    pub(crate) fn numbered(&self, device: DeviceId, number: Number) -> Under<&Message> {
        let sent = || self.rows.values().flatten().filter(|row| row.message.device == device);
        if let Some(row) = sent().find(|row| row.kept && row.message.number == number) {
            return Under::Message(&row.message);
        }
        let deleted = sent().any(|row| !row.kept && row.message.number >= number);
        if deleted { Under::Deleted } else { Under::Nothing }
    }

    /// What a device once sent under a number, while it can be read and is as it was; of what answers nothing.
    pub(crate) fn text_under(&self, device: DeviceId, number: Number) -> Option<String> {
        let Under::Message(message) = self.numbered(device, number) else { return None };
        let message = self.read(message.conversation, message.sequence)?;
        let plain = message.reply_to == 0 && message.mentions.is_empty();
        let as_it_was = message.edits == 0 && message.recalled_at == 0 && plain;
        as_it_was.then_some(message.text)
    }

    /// Where a message stands, by its name.
    pub(crate) fn find(&self, name: &[u8]) -> Vec<(ConversationId, Sequence)> {
        let named = |row: &&Row| row.message.id.0[..] == *name;
        let rows = self.rows.values().flatten().filter(named);
        rows.map(|row| (row.message.conversation, row.message.sequence)).collect()
    }

    /// A message's text, while it is kept and its key lives.
    pub(crate) fn read(&self, conversation: ConversationId, sequence: Sequence) -> Option<proto::Message> {
        let row = self.rows.get(&conversation)?.get(usize::try_from(sequence.0).ok()?.checked_sub(1)?)?;
        (row.kept && self.has_key(conversation)).then(|| row.to_wire())
    }

    /// A message's file, while both are kept: the change that began it, and its length.
    pub(crate) fn file(&self, of: StatId, which: usize) -> Option<(Change, u64)> {
        let rows = self.rows.get(&of.conversation)?;
        let row = rows.get(usize::try_from(of.sequence.0).ok()?.checked_sub(1)?)?;
        let file = row.files.get(which).filter(|_| row.kept && self.has_key(of.conversation))?;
        Some((file.file, file.length))
    }

    /// How many messages a conversation ever took.
    pub(crate) fn names(&self, conversation: ConversationId) -> impl Iterator<Item = MessageId> + '_ {
        self.rows.get(&conversation).into_iter().flatten().map(|row| row.message.id)
    }

    /// For every conversation with something old: read through, any through.
    pub(crate) fn aged(&self, bounds: &Bounds) -> Vec<(ConversationId, Sequence, Sequence)> {
        let mut aged = Vec::new();
        for (id, rows) in &self.rows {
            let Some(place) = self.state.conversations.get(id) else { continue };
            let (read_before, any_before) = bounds.of(place.kind);
            let through = |before: Change| {
                let old = rows.iter().filter(|row| row.kept && row.change < before);
                old.map(|row| row.message.sequence).max().unwrap_or(Sequence::NONE)
            };
            if through(read_before) > Sequence::NONE {
                aged.push((*id, through(read_before), through(any_before)));
            }
        }
        aged
    }

    /// Everything but messages that is this person's and changed behind `after`.
    pub(crate) fn small_after(&self, person: PersonId, after: Change) -> Vec<Kind> {
        let mut events = Vec::new();
        let visits = self.is_visitor(person);
        for unit in self.state.units.values().filter(|unit| unit.changed > after && !visits) {
            let name = unit.name.reveal().to_owned();
            events.push(Kind::Unit(proto::Unit { unit: unit.id.value(), name }));
        }
        let listed = |entry: &&wardline_core::directory::Person| {
            entry.changed > after && !visits && entry.visitor.is_none()
        };
        for entry in self.state.people.values().filter(listed) {
            events.push(Kind::Person(proto::Person {
                person: entry.id.value(),
                name: entry.name.reveal().to_owned(),
                title: entry.title.reveal().to_owned(),
                suspended: entry.suspended,
                administrator: entry.administrator,
                privacy_officer: entry.privacy_officer,
                posts: entry
                    .posts
                    .iter()
                    .map(|(unit, post)| proto::Post {
                        unit: unit.value(),
                        charge_nurse: *post == Post::ChargeNurse,
                    })
                    .collect(),
                station: 0,
                agency: entry.agency.as_ref().map(|agency| proto::Agency {
                    name: agency.name.reveal().to_owned(),
                    until: agency.until.0,
                    over: agency.ended.is_some(),
                }),
                the_box: entry.the_box,
            }));
        }
        for conversation in self.state.conversations.values() {
            let Some(member) = conversation.members.get(&person) else { continue };
            if member.left {
                if member.changed > after {
                    events
                        .push(Kind::Gone(proto::ConversationGone { conversation: conversation.id.value() }));
                }
                continue;
            }
            let marks = conversation.members.values().any(|member| member.changed > after);
            if conversation.changed > after || marks {
                let mut told = conversation_to_wire(conversation, person);
                let clinic = &self.state.clinic;
                if let Some(stay) = clinic.encounters.values().find(|stay| stay.thread == conversation.id)
                    && !conversation.purged
                {
                    told.patient = clinic.known(stay.patient).map(|patient| patient.to_wire());
                    told.encounter = Some(stay.to_wire());
                }
                told.family = self.family_told(conversation, person);
                events.push(Kind::Conversation(told));
            }
            let theirs = self.stats.values().filter(|stat| stat.id.conversation == conversation.id);
            for stat in theirs.filter(|stat| stat.changed > after || conversation.changed > after) {
                events.push(Kind::Escalation(stat.to_wire()));
            }
            let theirs = self.tasks.values().filter(|task| task.id.conversation == conversation.id);
            let theirs = theirs.filter(|task| task.id.sequence >= member.from);
            let is_new = |task: &&Task| {
                let behind = task.changed > after && after > Change(0);
                behind || task.standing.is_open() && (after == Change(0) || conversation.changed > after)
            };
            events.extend(theirs.filter(is_new).map(|task| Kind::Task(task.to_wire())));
            let theirs = self.orders.values().filter(|order| order.id.conversation == conversation.id);
            let theirs = theirs.filter(|order| order.id.sequence >= member.from);
            let is_new = |order: &&Order| {
                let behind = order.changed > after && after > Change(0);
                behind || order.filed.is_none() && (after == Change(0) || conversation.changed > after)
            };
            events.extend(theirs.filter(is_new).map(|order| Kind::Order(order.to_wire())));
        }
        events
    }

    pub(crate) fn is_visitor(&self, person: PersonId) -> bool {
        self.state.people.get(&person).is_some_and(|entry| entry.visitor.is_some())
    }

    /// Whose a family thread is, and how whoever is or was in it is called.
    fn family_told(&self, place: &Conversation, person: PersonId) -> Option<proto::FamilyThread> {
        let thread = self.state.family.threads.get(&place.id).filter(|_| !place.purged)?;
        let stay = self.state.clinic.encounters.get(&thread.encounter);
        let patient_thread = stay.filter(|_| !self.is_visitor(person)).map_or(0, |stay| stay.thread.value());
        let people = place.members.keys().filter_map(|who| self.state.people.get(who));
        let people = people.map(|entry| proto::FamilyPerson {
            person: entry.id.value(),
            name: entry.name.reveal().to_owned(),
            title: match &entry.visitor {
                Some(visitor) => visitor.relation.reveal().to_owned(),
                None => entry.title.reveal().to_owned(),
            },
            visitor: entry.visitor.is_some(),
        });
        Some(proto::FamilyThread { patient_thread, own: thread.own, people: people.collect() })
    }

    /// What is kept of what was told in a thread, to somebody who may read from there.
    pub(crate) fn notices(
        &self,
        id: ConversationId,
        from: Sequence,
    ) -> impl Iterator<Item = &(Change, Notice)> {
        let told = self.notices.get(&id).into_iter().flatten();
        told.filter(move |(_, notice)| notice.after.0 + 1 >= from.0)
    }

    /// What was told this person behind `after`, in order.
    pub(crate) fn notices_after(&self, person: PersonId, after: Change) -> Vec<(Change, Kind)> {
        let mut found: Vec<(Change, Kind)> = Vec::new();
        for id in self.notices.keys() {
            let Some(from) = self.member_from(*id, person) else { continue };
            let told = self.notices(*id, from).filter(|(change, _)| *change > after);
            found.extend(told.map(|(change, notice)| (*change, Kind::Notice(notice.to_wire()))));
        }
        found.sort_unstable_by_key(|(change, _)| *change);
        found
    }

    /// This person's messages behind `after`, in the order of their changes.
    pub(crate) fn messages_after(
        &self,
        person: PersonId,
        after: Change,
        limit: usize,
    ) -> Vec<(Change, proto::Message)> {
        let mut found: Vec<(Change, &Row)> = Vec::new();
        for (id, rows) in &self.rows {
            let Some(member) = self.member_from(*id, person) else { continue };
            let mine = |row: &&Row| row.kept && row.change > after && row.message.sequence >= member;
            found.extend(
                rows.iter()
                    .rev()
                    .take_while(|row| row.change > after)
                    .filter(mine)
                    .map(|row| (row.change, row)),
            );
        }
        found.sort_unstable_by_key(|(change, _)| *change);
        found.into_iter().take(limit).map(|(change, row)| (change, row.to_wire())).collect()
    }

    /// The newest messages of each of this person's conversations, in the order of their changes.
    pub(crate) fn snapshot_messages(&self, person: PersonId) -> Vec<proto::Message> {
        let mut found: Vec<(Change, proto::Message)> = Vec::new();
        for (id, rows) in &self.rows {
            let Some(from) = self.member_from(*id, person) else { continue };
            let mine =
                rows.iter().rev().filter(|row| row.kept && row.message.sequence >= from).take(SNAPSHOT);
            found.extend(mine.map(|row| (row.change, row.to_wire())));
        }
        found.sort_by_key(|(change, _)| *change);
        found.into_iter().map(|(_, message)| message).collect()
    }

    fn member_from(&self, id: ConversationId, person: PersonId) -> Option<Sequence> {
        let conversation = self.state.conversations.get(&id).filter(|_| self.has_key(id))?;
        conversation.member(person).map(|member| member.from)
    }
}

fn to_wire(message: &Message) -> proto::Message {
    proto::Message {
        conversation: message.conversation.value(),
        sequence: message.sequence.0,
        message: message.id.0.to_vec(),
        sender: message.sender.value(),
        at: message.at.0,
        text: String::from_utf8_lossy(&message.body.0).into_owned(),
        priority: message.priority.to_wire().into(),
        reply_to: message.reply_to.unwrap_or_default().0,
        mentions: wardline_core::mention::to_wire(&message.mentions),
        ..proto::Message::default()
    }
}

fn conversation_to_wire(conversation: &Conversation, person: PersonId) -> proto::Conversation {
    let from = conversation.member(person).map_or(conversation.first, |member| member.from);
    let kind = match conversation.kind {
        conversation::Kind::Direct => proto::ConversationKind::Direct,
        conversation::Kind::Group => proto::ConversationKind::Group,
        conversation::Kind::Channel => proto::ConversationKind::Channel,
        conversation::Kind::Patient => proto::ConversationKind::Patient,
        conversation::Kind::Family => proto::ConversationKind::Family,
        conversation::Kind::Role => proto::ConversationKind::Role,
        conversation::Kind::Broadcast => proto::ConversationKind::Broadcast,
    };
    let lists_all = conversation.kind != conversation::Kind::Broadcast;
    let present = conversation.members.iter().filter(|(_, member)| !member.left);
    let present = present.filter(|(member, _)| lists_all || **member == person);
    proto::Conversation {
        conversation: conversation.id.value(),
        kind: kind.into(),
        title: conversation.title.reveal().to_owned(),
        members: present
            .map(|(person, member)| proto::Member {
                person: person.value(),
                delivered: member.delivered.0,
                read: member.read.0,
            })
            .collect(),
        last_sequence: conversation.last.0,
        first_sequence: from.max(conversation.first).0,
        purged: conversation.purged,
        unit: conversation.unit.map_or(0, |unit| unit.value()),
        archived: conversation.archived,
        stats: Vec::new(),
        patient: None,
        encounter: None,
        family: None,
        tasks: Vec::new(),
        orders: Vec::new(),
        writer: match (conversation.kind, conversation.owner) {
            (conversation::Kind::Role, Some(writer)) => writer.value(),
            _ => 0,
        },
    }
}
