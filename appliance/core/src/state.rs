//! What the core remembers: the fold of all writes. Nothing else changes it, so a restart, a standby and a replay
//! all arrive at the same state.

mod hash;
mod index;

use std::collections::{BTreeMap, BTreeSet};

use crate::agency::{Agency, Likeness};
use crate::alarm::Alarms;
use crate::attachment::Uploads;
use crate::availability::Availabilities;
use crate::bell::Bells;
use crate::broadcast::{Broadcasts, RestoredBroadcasts};
use crate::clinic::{self, Clinic, RestoredClinic};
use crate::conversation::{Conversation, Kind, Member};
use crate::directory::{Device, JoinCode, Person, Post, PublicKey, Unit};
use crate::escalation::policy::EscalationPolicy;
use crate::escalation::signed::Said;
use crate::escalation::{Escalation, Stage, StatId};
use crate::family;
use crate::family::{Family, RestoredFamily, Visitor};
use crate::hold::Hold;
use crate::ids::{Change, ConversationId, DeviceId, HoldId, PersonId, RoleId, Sequence, UnitId};
use crate::inbox::{Inboxes, RestoredInboxes};
use crate::login::LoginSecrets;
use crate::lookup::Names;
use crate::order::{Order, Orders};
use crate::policy::Policy;
use crate::refusal::{Fault, Refusal};
use crate::retention::{MARKS_MAX, Mark, Rules};
use crate::role::Role;
use crate::task::{Task, Tasks};
use crate::template::Templates;
use crate::text::Title;
use crate::time::Wall;
use crate::urgent::{UrgentWait, UrgentWaits};
use crate::wire::proto;
use crate::write::Write;

/// The durable state without bodies, keys and audit entries, which only the store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The directory.
    pub people: BTreeMap<PersonId, Person>,
    /// The facility's units.
    pub units: BTreeMap<UnitId, Unit>,
    /// Every role there ever was.
    pub roles: BTreeMap<RoleId, Role>,
    /// Every device there ever was.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Join codes not yet redeemed.
    pub codes: BTreeMap<[u8; 32], JoinCode>,
    /// Every conversation there ever was.
    pub conversations: BTreeMap<ConversationId, Conversation>,
    /// The last change's number.
    pub change: Change,
    /// The last audit entry's index.
    pub audited: u64,
    /// The newest message's time.
    pub last_at: Wall,
    /// How long the box had served at some changes, oldest first; the last [`MARKS_MAX`].
    pub marks: Vec<Mark>,
    /// Every STAT that is open.
    pub escalations: BTreeMap<StatId, Escalation>,
    /// How units escalate, and the facility, where that was set.
    pub policies: BTreeMap<Option<UnitId>, EscalationPolicy>,
    /// Patients and who cares for them.
    pub clinic: Clinic,
    /// Templates and quick replies, where any were set: of units, and of the facility.
    pub templates: BTreeMap<Option<UnitId>, Templates>,
    /// Open tasks.
    pub tasks: Tasks,
    /// Orders that are not filed, and whose orders count.
    pub orders: Orders,
    /// When people want to be disturbed.
    pub availability: Availabilities,
    /// Legal holds that are not lifted.
    pub holds: BTreeMap<HoldId, Hold>,
    /// How long messages are kept, where that was set; else as the facility's policy says.
    pub retention: Option<Rules>,
    /// Consents, block lists, bedside codes, whoever waits, family threads.
    pub family: Family,
    /// Files that belong to no message yet, and what may be attached.
    pub uploads: Uploads,
    /// What is written to roles, and which gaps of rotas were told of.
    pub inboxes: Inboxes,
    /// Which announcements there are, who announces to the facility, and how urgently.
    pub broadcasts: Broadcasts,
    /// Urgent messages that nobody has seen.
    pub urgents: UrgentWaits,
    /// Which closed apps can be rung, and whether the facility has it on.
    pub bells: Bells,
    /// Alarms of the box.
    pub alarms: Alarms,
    directs: BTreeMap<(PersonId, PersonId), ConversationId>,
    memberships: BTreeMap<PersonId, BTreeSet<ConversationId>>,
    devices_of: BTreeMap<PersonId, BTreeSet<DeviceId>>,
    /// Its own entry, once it has one.
    pub(crate) the_box: Option<PersonId>,
    keys: BTreeMap<PublicKey, DeviceId>,
    /// In how many groups of an owner a person is: what is not purged.
    shared: BTreeMap<(PersonId, PersonId), u32>,
    /// The channels of a unit, purged ones too.
    channels: BTreeMap<UnitId, BTreeSet<ConversationId>>,
    /// Whoever was ever here from an agency, by how they are called.
    likenesses: BTreeMap<Likeness, BTreeSet<PersonId>>,
    /// Everybody by the words of their name.
    pub(crate) names: Names,
    /// Who works in a unit.
    staff: BTreeMap<UnitId, BTreeSet<PersonId>>,
    /// A unit's screens.
    stations: BTreeMap<UnitId, BTreeSet<PersonId>>,
    /// Whoever was ever let in to a family thread.
    visitors: BTreeSet<PersonId>,
}

/// What a store hands back at start.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The directory.
    pub people: Vec<Person>,
    /// The facility's units.
    pub units: Vec<Unit>,
    /// Every role.
    pub roles: Vec<Role>,
    /// Every device, with the highest number accepted from it.
    pub devices: Vec<Device>,
    /// Join codes not yet redeemed.
    pub codes: Vec<JoinCode>,
    /// Every conversation with its members.
    pub conversations: Vec<Conversation>,
    /// The last change's number.
    pub change: Change,
    /// The last audit entry's index.
    pub audited: u64,
    /// The newest message's time.
    pub last_at: Wall,
    /// See [`State::marks`].
    pub marks: Vec<Mark>,
    /// Every STAT that is open.
    pub escalations: Vec<Escalation>,
    /// See [`State::policies`].
    pub policies: Vec<(Option<UnitId>, EscalationPolicy)>,
    /// See [`State::clinic`].
    pub clinic: RestoredClinic,
    /// See [`State::templates`].
    pub templates: Vec<(Option<UnitId>, Templates)>,
    /// See [`State::tasks`].
    pub tasks: Vec<Task>,
    /// See [`State::orders`].
    pub orders: Vec<Order>,
    /// The same.
    pub order_policies: Vec<(Option<UnitId>, Vec<RoleId>)>,
    /// See [`State::availability`].
    pub availability: Availabilities,
    /// See [`State::holds`].
    pub holds: Vec<Hold>,
    /// See [`State::retention`].
    pub retention: Option<Rules>,
    /// See [`State::family`].
    pub family: RestoredFamily,
    /// See [`State::uploads`].
    pub uploads: Uploads,
    /// See [`State::inboxes`].
    pub inboxes: RestoredInboxes,
    /// See [`State::broadcasts`].
    pub broadcasts: RestoredBroadcasts,
    /// See [`State::urgents`].
    pub urgents: Vec<UrgentWait>,
    /// See [`State::bells`].
    pub bells: Bells,
    /// See [`State::alarms`].
    pub alarms: Alarms,
}

impl State {
    /// The state a store holds. Faults when its parts contradict each other.
    pub fn restore(restored: Restored) -> Result<Self, Fault> {
        let mut state = Self {
            change: restored.change,
            audited: restored.audited,
            last_at: restored.last_at,
            marks: restored.marks,
            clinic: Clinic::restore(restored.clinic)?,
            retention: restored.retention,
            family: Family::restore(restored.family),
            uploads: restored.uploads,
            tasks: Tasks::restore(restored.tasks),
            orders: Orders::restore(restored.orders, restored.order_policies),
            availability: restored.availability,
            bells: restored.bells,
            alarms: restored.alarms,
            ..Self::default()
        };
        for unit in restored.units {
            state.units.insert(unit.id, unit);
        }
        for person in restored.people {
            if !person.posts.keys().all(|unit| state.units.contains_key(unit)) {
                return Err(Fault::Inconsistent("somebody works in a unit that is not there"));
            }
            if !person.station.iter().all(|unit| state.units.contains_key(unit)) {
                return Err(Fault::Inconsistent("a station screen is of a unit that is not there"));
            }
            if !person.agency.iter().all(|agency| state.units.contains_key(&agency.unit)) {
                return Err(Fault::Inconsistent("somebody from an agency is of a unit that is not there"));
            }
            state.place(&person);
            state.people.insert(person.id, person);
        }
        for role in restored.roles {
            if !state.units.contains_key(&role.unit) {
                return Err(Fault::Inconsistent("a role is of a unit that is not there"));
            }
            state.roles.insert(role.id, role);
        }
        for device in restored.devices {
            if !state.people.contains_key(&device.person) {
                return Err(Fault::Inconsistent("a device belongs to nobody"));
            }
            state.enter(device);
        }
        for code in restored.codes {
            state.codes.insert(code.hash, code);
        }
        for conversation in restored.conversations {
            if conversation.last_change > state.change || conversation.changed > state.change {
                return Err(Fault::Inconsistent("a conversation is newer than the last change"));
            }
            for person in conversation.members.keys() {
                if !state.people.contains_key(person) {
                    return Err(Fault::Inconsistent("a member is not in the directory"));
                }
            }
            let of_unit = match conversation.kind {
                Kind::Broadcast => conversation.unit.is_some(),
                kind => kind == Kind::Channel,
            };
            if of_unit != conversation.unit.is_some()
                || !conversation.unit.iter().all(|unit| state.units.contains_key(unit))
            {
                return Err(Fault::Inconsistent("a channel has no unit, or something else has one"));
            }
            state.index(&conversation);
            state.conversations.insert(conversation.id, conversation);
        }
        for escalation in restored.escalations {
            let place = state.conversations.get(&escalation.id.conversation);
            let is_there = |place: &Conversation| !place.purged && escalation.id.sequence <= place.last;
            if !place.is_some_and(is_there) || escalation.changed > state.change {
                return Err(Fault::Inconsistent("a STAT is open about a message that is not there"));
            }
            state.escalations.insert(escalation.id, escalation);
        }
        state.policies.extend(restored.policies);
        state.templates.extend(restored.templates);
        state.holds.extend(restored.holds.into_iter().map(|hold| (hold.id, hold)));
        state.inboxes = Inboxes::restore(restored.inboxes, &state)?;
        state.broadcasts = Broadcasts::restore(restored.broadcasts, &state)?;
        state.urgents = UrgentWaits::restore(restored.urgents, &state)?;
        state.check_uploads()?;
        state.bells.check(&state)?;
        state.alarms.check(&state)?;
        state.tasks.check(&state)?;
        state.orders.check(&state)?;
        state.availability.check(&state)?;
        state.check_clinic()?;
        state.family.check(&state)?;
        Ok(state)
    }

    /// The person is among a unit's staff, or its screens.
    fn place(&mut self, person: &Person) {
        self.names.enter(person);
        for unit in person.posts.keys() {
            self.staff.entry(*unit).or_default().insert(person.id);
        }
        if let Some(agency) = &person.agency {
            let likeness = Likeness::of(&person.name, &agency.name);
            self.likenesses.entry(likeness).or_default().insert(person.id);
        }
        if person.visitor.is_some() {
            self.visitors.insert(person.id);
        }
        if person.the_box {
            self.the_box = Some(person.id);
        }
        if let Some(unit) = person.station {
            self.stations.entry(unit).or_default().insert(person.id);
        }
    }

    /// Somebody of the directory: a visitor and the box itself are nobody to whoever asks for a colleague.
    pub(crate) fn colleague(&self, person: PersonId) -> Result<&Person, Refusal> {
        let is_one = |entry: &&Person| entry.visitor.is_none() && !entry.the_box;
        self.people.get(&person).filter(is_one).ok_or(Refusal::NoSuchPerson)
    }

    /// Whoever was ever let in to a family thread.
    pub(crate) fn visitors(&self) -> impl Iterator<Item = (PersonId, &Visitor)> {
        let all = self.visitors.iter().filter_map(|person| self.people.get(person));
        all.filter_map(|entry| Some((entry.id, entry.visitor.as_ref()?)))
    }

    /// People of the directory, leavers and screens included, visitors not.
    pub(crate) fn staff_count(&self) -> usize {
        self.people.len() - self.visitors.len()
    }

    /// Whether a device is a visitor's.
    pub(crate) fn is_visitors(&self, device: DeviceId) -> bool {
        self.devices.get(&device).is_some_and(|device| self.visitors.contains(&device.person))
    }

    /// Whether a device of this identifier is there, or waits to be let in.
    pub(crate) fn is_device(&self, device: DeviceId) -> bool {
        self.devices.contains_key(&device) || self.family.requests.contains_key(&device)
    }

    /// Who works in a unit, or only who leads it.
    pub(crate) fn staff_of(&self, unit: UnitId, all: bool) -> impl Iterator<Item = PersonId> + '_ {
        let leads = move |person: &PersonId| {
            let entry = self.people.get(person);
            entry.is_some_and(|entry| entry.posts.get(&unit) == Some(&Post::ChargeNurse))
        };
        self.staff.get(&unit).into_iter().flatten().copied().filter(move |person| all || leads(person))
    }

    /// Whoever is, or was, here from an agency.
    pub(crate) fn agency_staff(&self) -> impl Iterator<Item = (PersonId, &Agency)> {
        let all = self.likenesses.values().flatten().filter_map(|person| self.people.get(person));
        all.filter_map(|entry| Some((entry.id, entry.agency.as_ref()?)))
    }

    /// Those of them who are called so.
    pub(crate) fn alike(&self, likeness: &Likeness) -> impl Iterator<Item = PersonId> + '_ {
        self.likenesses.get(likeness).into_iter().flatten().copied()
    }

    /// A unit's screens.
    pub(crate) fn stations_of(&self, unit: UnitId) -> impl Iterator<Item = PersonId> + '_ {
        self.stations.get(&unit).into_iter().flatten().copied()
    }

    /// How this unit escalates; no unit: the facility.
    pub(crate) fn policy_of(&self, unit: Option<UnitId>) -> EscalationPolicy {
        let set = self.policies.get(&unit).or_else(|| self.policies.get(&None));
        set.cloned().unwrap_or_else(EscalationPolicy::standard)
    }

    /// How long messages are kept.
    pub(crate) fn retention_or(&self, policy: &Policy) -> Rules {
        self.retention.unwrap_or(Rules::uniform(policy.retention_ms))
    }

    /// What a person is: "RN". May be empty.
    pub(crate) fn title_of(&self, person: PersonId) -> &str {
        self.people.get(&person).map_or("", |person| person.title.reveal())
    }

    /// What uploads name is there.
    fn check_uploads(&self) -> Result<(), Fault> {
        for ((device, _), upload) in &self.uploads.open {
            let place = self.conversations.get(&upload.conversation).filter(|place| !place.purged);
            let whose = self.devices.get(device).map(|device| device.person);
            if place.is_none() || whose != Some(upload.person) || upload.file > self.change {
                return Err(Fault::Inconsistent("an upload is nobody's, for nowhere, or from later"));
            }
        }
        Ok(())
    }

    /// What the clinic names is there.
    fn check_clinic(&self) -> Result<(), Fault> {
        let thread = |id| self.conversations.get(&id).is_some_and(|place| place.kind == Kind::Patient);
        for stay in self.clinic.encounters.values() {
            if !thread(stay.thread) || !self.units.contains_key(&stay.unit) {
                return Err(Fault::Inconsistent("an encounter has no thread or is in no unit"));
            }
        }
        let attending = self.clinic.encounters.values().filter_map(|stay| stay.attending);
        let by_hand = self.clinic.care.keys().map(|(_, person)| *person);
        let holders = self.clinic.assignments.values().map(|held| held.person);
        let restricted = self.clinic.patients.values().filter_map(|patient| patient.restriction.as_ref());
        let named = restricted.flat_map(|restriction| restriction.named.iter().copied());
        if attending
            .chain(by_hand)
            .chain(holders)
            .chain(named)
            .any(|person| !self.people.contains_key(&person))
        {
            return Err(Fault::Inconsistent("whoever cares for a patient is not in the directory"));
        }
        Ok(())
    }

    /// A conversation as this person sees it.
    pub fn conversation_to_wire(
        &self,
        conversation: ConversationId,
        person: PersonId,
    ) -> Option<proto::Conversation> {
        let place = self.conversations.get(&conversation)?;
        let mut wire = place.to_wire(person);
        family::shown_to(self, place, person, &mut wire);
        if let Some(stay) = self.clinic.of_thread(conversation)
            && let Some(patient) = self.clinic.known(stay.patient)
        {
            clinic::dress(&mut wire, &patient, stay);
        }
        Some(wire)
    }

    /// Folds one write in. Total: a write that names what is not there changes nothing, for the turn that made it
    /// has already checked.
    pub fn apply(&mut self, change: Change, write: &Write) {
        self.change = change;
        match write {
            Write::PersonAdded(person) => {
                self.place(person);
                self.people.insert(person.id, Person { changed: change, ..person.clone() });
            }
            Write::StandingSet { person, suspended } => {
                self.person(*person, change, |person| person.suspended = *suspended);
            }
            Write::AgencySet { person, agency } => {
                self.person(*person, change, |person| person.agency = Some(agency.clone()));
            }
            Write::VisitorSet { person, visitor } => {
                self.person(*person, change, |person| person.visitor = Some(visitor.clone()));
            }
            Write::SuspensionWaits { person, waits } => {
                self.person(*person, change, |person| person.waits = *waits);
            }
            Write::BarredSet { person, barred } => {
                self.person(*person, change, |person| person.barred = *barred);
            }
            Write::UnitSet(unit) => {
                self.units.insert(unit.id, Unit { changed: change, ..unit.clone() });
            }
            Write::RoleSet(role) => {
                self.roles.insert(role.id, Role { changed: change, ..role.clone() });
            }
            Write::PostSet { person, unit, post } => {
                if post.is_some() {
                    self.staff.entry(*unit).or_default().insert(*person);
                } else if let Some(staff) = self.staff.get_mut(unit) {
                    staff.remove(person);
                    // As a restart would have it.
                    if staff.is_empty() {
                        self.staff.remove(unit);
                    }
                }
                self.person(*person, change, |person| {
                    match post {
                        Some(post) => person.posts.insert(*unit, *post),
                        None => person.posts.remove(unit),
                    };
                });
            }
            Write::DutiesSet { person, administrator, privacy_officer } => {
                self.person(*person, change, |person| {
                    (person.administrator, person.privacy_officer) = (*administrator, *privacy_officer);
                });
            }
            Write::JoinCodeIssued(code) => {
                self.codes.insert(code.hash, JoinCode { issued: change, ..code.clone() });
            }
            Write::JoinCodeEnded { hash } => {
                self.codes.remove(hash);
            }
            Write::DeviceJoined(device) => {
                self.enter(device.clone());
            }
            Write::DeviceRevoked { device } => self.device(*device, |device| {
                (device.revoked, device.session_until, device.passkey_until) = (true, None, None);
                device.passkeys.clear();
            }),
            Write::PinTries { device, tries } => self.device(*device, |device| device.pin_tries = *tries),
            Write::PinChosen { device, salt, pin } => self.device(*device, |device| {
                (device.salt, device.pin, device.pin_tries) = (*salt, pin.clone(), 0);
            }),
            Write::LoginSecretsSet { device, secrets } => self.device(*device, |device| {
                device.login = Some(LoginSecrets { changed: change, ..*secrets });
            }),
            Write::SessionOpened { device, until } => {
                self.device(*device, |device| {
                    (device.session_until, device.passkey_until) = (Some(*until), Some(*until));
                });
            }
            Write::SessionLocked(device) => self.device(*device, |device| device.session_until = None),
            Write::SessionEnded { device } => self.device(*device, |device| {
                (device.session_until, device.passkey_until) = (None, None);
            }),
            Write::PasskeysSet { device, passkeys } => {
                self.device(*device, |device| device.passkeys.clone_from(passkeys));
            }
            Write::KeyGranted { .. } => {}
            Write::Audited { index, .. } => self.audited = *index,
            Write::TimeServed { served_ms, at } => {
                self.marks.push(Mark { change, served_ms: *served_ms, at: *at });
                let spare = self.marks.len().saturating_sub(MARKS_MAX);
                self.marks.drain(..spare);
            }
            Write::EscalationOpened(escalation) => {
                let escalation = Escalation { changed: change, ..escalation.clone() };
                self.escalations.insert(escalation.id, escalation);
            }
            Write::EscalationMoved { id, stage: Stage::Closed { .. }, .. } => {
                self.escalations.remove(id);
            }
            Write::EscalationMoved { id, stage, rang } => {
                self.escalation(*id, change, |escalation| escalation.moved(*stage, rang));
            }
            Write::EscalationUnitSet { id, unit } => {
                self.escalation(*id, change, |escalation| escalation.unit = Some(*unit));
            }
            Write::EscalationDeclined { id, person, reason, step } => {
                self.escalation(*id, change, |escalation| escalation.declined(*person, *reason, *step));
            }
            // The signature is for the store alone.
            Write::StatAnswered(answer) => {
                if let Said::Note(note) = &answer.said {
                    self.escalation(answer.id, change, |escalation| escalation.note = Some(note.clone()));
                }
            }
            Write::EscalationPolicySet { unit, policy } => {
                match policy {
                    Some(policy) => self.policies.insert(*unit, policy.clone()),
                    None => self.policies.remove(unit),
                };
            }
            Write::TemplatesSet { unit, templates } => {
                if templates.is_empty() {
                    self.templates.remove(unit);
                } else {
                    self.templates.insert(*unit, templates.clone());
                }
            }
            Write::Availability(write) => self.availability.apply(write),
            Write::RetentionSet(rules) => self.retention = Some(*rules),
            Write::HoldPlaced(hold) => {
                self.holds.insert(hold.id, hold.clone());
            }
            Write::HoldLifted { hold, .. } => {
                self.holds.remove(hold);
            }
            _ => self.apply_to_conversation(change, write),
        }
        self.uploads.apply(change, write);
        self.tasks.apply(change, write);
        self.orders.apply(change, write);
        self.inboxes.apply(write);
        self.urgents.apply(write);
        self.broadcasts.apply(write);
        self.alarms.apply(write);
        self.bells.apply(write, |person| self.devices_of.get(&person).into_iter().flatten().collect());
        self.clinic.apply(change, write);
        self.family.apply(write);
        for thread in write.shows_in() {
            let closed = matches!(write, Write::ThreadClosed { .. });
            self.conversation(*thread, |thread| {
                (thread.changed, thread.archived) = (change, thread.archived || closed);
            });
        }
    }

    fn escalation(&mut self, id: StatId, at: Change, change: impl FnOnce(&mut Escalation)) {
        if let Some(escalation) = self.escalations.get_mut(&id) {
            change(escalation);
            escalation.changed = at;
        }
    }

    fn apply_to_conversation(&mut self, change: Change, write: &Write) {
        match write {
            Write::ConversationOpened { conversation, kind, title, owner, unit, .. } => {
                let opened = Conversation {
                    id: *conversation,
                    kind: *kind,
                    title: title.clone(),
                    owner: *owner,
                    changed: change,
                    last: Sequence::NONE,
                    last_change: Change(0),
                    first: Sequence(1),
                    purged: false,
                    unit: *unit,
                    archived: false,
                    noticed: 0,
                    members: BTreeMap::new(),
                };
                if let Some(unit) = unit.filter(|_| *kind == Kind::Channel) {
                    self.channels.entry(unit).or_default().insert(*conversation);
                }
                self.conversations.insert(*conversation, opened);
            }
            Write::KeyDestroyed { conversation: id } => {
                let Some(conversation) = self.conversations.get_mut(id) else { return };
                (conversation.purged, conversation.title) = (true, Title::default());
                conversation.changed = change;
                let (pair, group_of) = (conversation.pair(), conversation.group_of());
                let present: Vec<PersonId> = conversation.present().map(|(person, _)| person).collect();
                // Two people whose conversation was purged may begin another; and it takes nobody's place any more.
                if let Some(pair) = pair.filter(|pair| self.directs.get(pair) == Some(id)) {
                    self.directs.remove(&pair);
                }
                for person in present {
                    self.count_out(*id, group_of, person);
                }
            }
            Write::MemberAdded { conversation: id, person, from, seen } => {
                let Some(mut conversation) = self.conversations.remove(id) else { return };
                let seen = seen.unwrap_or(Sequence(from.0.saturating_sub(1)));
                let member =
                    Member { from: *from, delivered: seen, read: seen, left: false, changed: change };
                conversation.members.insert(*person, member);
                conversation.changed = change;
                self.count_in(&conversation, *person);
                if let Some(pair) = conversation.pair() {
                    self.directs.insert(pair, *id);
                }
                self.conversations.insert(*id, conversation);
            }
            Write::MemberLeft { conversation: id, person } => {
                let Some(conversation) = self.conversations.get_mut(id) else { return };
                if let Some(member) = conversation.members.get_mut(person) {
                    (member.left, member.changed) = (true, change);
                }
                conversation.changed = change;
                let group_of = conversation.group_of();
                self.count_out(*id, group_of, *person);
            }
            Write::MessageAccepted(message) => {
                self.last_at = message.at;
                self.device(message.device, |device| device.last_number = message.number);
                self.conversation(message.conversation, |conversation| {
                    (conversation.last, conversation.last_change) = (message.sequence, change);
                });
            }
            Write::WatermarkMoved { conversation, person, delivered, read } => {
                self.conversation(*conversation, |conversation| {
                    if let Some(member) = conversation.members.get_mut(person) {
                        (member.delivered, member.read, member.changed) = (*delivered, *read, change);
                    }
                });
            }
            Write::MessagesExpired { conversation, through } => {
                self.conversation(*conversation, |conversation| {
                    (conversation.first, conversation.changed) = (through.next(), change);
                });
            }
            Write::NoticeMade(notice) => self.conversation(notice.conversation, |conversation| {
                conversation.noticed = notice.number;
            }),
            Write::TitleSet { conversation, title } => self.conversation(*conversation, |conversation| {
                (conversation.title, conversation.changed) = (title.clone(), change);
            }),
            Write::ArchivedSet { conversation, archived } => {
                self.conversation(*conversation, |conversation| {
                    (conversation.archived, conversation.changed) = (*archived, change);
                });
            }
            _ => {}
        }
    }

    fn person(&mut self, id: PersonId, at: Change, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.people.get_mut(&id) {
            change(person);
            person.changed = at;
        }
    }

    fn device(&mut self, id: DeviceId, change: impl FnOnce(&mut Device)) {
        if let Some(device) = self.devices.get_mut(&id) {
            change(device);
        }
    }

    fn conversation(&mut self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        if let Some(conversation) = self.conversations.get_mut(&id) {
            change(conversation);
        }
    }
}
