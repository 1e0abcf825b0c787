//! Valid writes, as the core would make them, chosen by dice.

#[path = "world/drawn.rs"]
mod drawn;

use std::collections::BTreeMap;

use wardline_core::agency::{Agency, Extension};
use wardline_core::alteration::Standing;
use wardline_core::attachment::{ALL, AttachmentPolicy, NewUpload, Sent, Upload};
use wardline_core::audit::{self, Act, Actor};
use wardline_core::availability::AvailabilityWrite;
use wardline_core::conversation::Kind;
use wardline_core::directory::{Device, JoinCode, Person, Post, PublicKey, Unit};
use wardline_core::escalation::signed::{CallNote, Said, SignedAnswer};
use wardline_core::escalation::{Escalation, Priority, Reason, Rung, Stage, StatId};
use wardline_core::hold::{Hold, Subject};
use wardline_core::ids::{
    Change, ConversationId, DeviceId, EditId, ExportId, HoldId, MessageId, Number, OfferId, PersonId, RoleId,
    Sequence, UnitId, UploadId,
};
use wardline_core::leaving::Waiting;
use wardline_core::login::{LoginSecrets, SecretHash};
use wardline_core::mention::Mention;
use wardline_core::order::signed::{Deed, SignedDeed, Words};
use wardline_core::order::{self, Order};
use wardline_core::passkey::{CredentialId, Passkey};
use wardline_core::pin::PinMac;
use wardline_core::reaction::{Reaction, Reactions};
use wardline_core::retention::Rules;
use wardline_core::role::Role;
use wardline_core::role::offer::Offer;
use wardline_core::rota::{ByHand, Imported, Interval, Place, Rota, Says, Sources, TimeZone};
use wardline_core::state::State;
use wardline_core::task::{self, Task};
use wardline_core::text::{Grounds, Name, Sealed, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::write::{Message, Numbered, Write};

use drawn::{agency, availability, policy, templates};

/// One throw: what happens, to whom, how much.
pub(crate) type Throw = (u8, u64, u64);

/// The core's state and every write that led there.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) writes: Vec<Numbered>,
    pub(crate) clock: i64,
    /// What became of messages.
    standings: BTreeMap<StatId, Standing>,
    /// What was put to them.
    reactions: BTreeMap<StatId, Reactions>,
}

pub(crate) fn nth<T>(of: impl Iterator<Item = T>, which: u64) -> Option<T> {
    let mut all: Vec<T> = of.collect();
    if all.is_empty() { None } else { Some(all.swap_remove((which % all.len() as u64) as usize)) }
}

/// Dice that are thrown together should not agree by accident.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (value ^ (value >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (value >> 32)
}

impl World {
    pub(crate) fn of(throws: &[Throw]) -> Self {
        let mut world = Self::default();
        for throw in throws {
            world.throw(*throw);
        }
        world
    }

    pub(crate) fn write(&mut self, write: Write) -> Change {
        let change = Change(self.state.change.0 + 1);
        self.state.apply(change, &write);
        self.writes.push(Numbered { change, write });
        change
    }

    pub(crate) fn record(&mut self, act: Act) {
        let index = self.state.audited + 1;
        let at = Wall(self.clock);
        let entry = audit::Entry { version: audit::VERSION, index, at, actor: Actor::TheBox, act };
        self.write(Write::Audited { index, bytes: entry.to_bytes() });
    }

    pub(crate) fn throw(&mut self, (what, who, how): Throw) {
        let what = what % 66;
        self.clock += i64::try_from(how % 1000).unwrap();
        let person = nth(self.state.people.keys().copied(), who);
        let device = nth(self.state.devices.keys().copied(), who);
        let conversation = nth(self.state.conversations.keys().copied(), mix(who));
        match (what, person, device, conversation) {
            (0..3, ..) => {
                self.person(who);
            }
            (3, Some(person), ..) => {
                self.write(Write::StandingSet { person, suspended: how.is_multiple_of(2) });
                let (since, overdue) = (Wall(self.clock), how.is_multiple_of(5));
                let waits = how.is_multiple_of(3).then_some(Waiting { by: person, since, overdue });
                self.write(Write::SuspensionWaits { person, waits });
                let known = self.state.people[&person].agency.clone();
                if let Some(known) = known {
                    self.write(Write::BarredSet { person, barred: how.is_multiple_of(3) });
                    let until = Wall(self.clock + 2_000);
                    let grounds = Grounds::parse(&format!("Two called in sick {how}")).unwrap();
                    let extensions = vec![Extension { at: Wall(self.clock), until, grounds }];
                    let ended = how.is_multiple_of(2).then_some(Wall(self.clock));
                    let agency = Agency { until, ended, extensions, ..known };
                    self.write(Write::AgencySet { person, agency });
                }
            }
            (4, Some(person), ..) => {
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&(how % 8).to_be_bytes());
                let issuer =
                    nth(self.state.people.keys().copied(), mix(how)).filter(|_| how.is_multiple_of(3));
                let expires = Wall(self.clock);
                self.write(Write::JoinCodeIssued(JoinCode {
                    hash,
                    person,
                    expires,
                    issuer,
                    issued: Change(0),
                }));
            }
            (5, ..) => {
                if let Some(hash) = nth(self.state.codes.keys().copied(), who) {
                    self.write(Write::JoinCodeEnded { hash });
                }
            }
            (6..8, Some(person), ..) => {
                self.device(person, how);
            }
            (8, _, Some(device), _) if how.is_multiple_of(4) => {
                self.write(Write::DeviceRevoked { device });
            }
            (9, _, Some(device), _) if how.is_multiple_of(3) => {
                self.write(Write::PinChosen { device, salt: [how as u8; 16], pin: PinMac([!how as u8; 32]) });
            }
            (9, _, Some(device), _) if how % 3 == 1 => {
                let hash = |of: u64| Some(SecretHash::of(&[of as u8; 32])).filter(|_| !of.is_multiple_of(5));
                let (current, offered) = (hash(how), hash(how / 7));
                let secrets = LoginSecrets { current, offered, changed: Change(0) };
                self.write(Write::LoginSecretsSet { device, secrets });
            }
            (9, _, Some(device), _) => {
                self.write(Write::PinTries { device, tries: (how % 10) as u32 });
            }
            (10, _, Some(_), _) if how.is_multiple_of(3) => self.alarm(how / 3),
            (10, _, Some(device), _) if how.is_multiple_of(2) => self.bell(device, how / 2),
            (10, _, Some(device), _) => {
                self.write(Write::SessionOpened { device, until: Wall(self.clock + 1) });
            }
            (11, _, Some(device), _) if how % 3 == 1 => {
                self.write(Write::SessionLocked(device));
            }
            (11, _, Some(device), _) if how % 3 == 2 => {
                let passkey = |of: u64| Passkey {
                    credential: CredentialId::parse(&[of as u8; 16]).unwrap(),
                    key: PublicKey::parse(&[4; 65]).unwrap(),
                    added: Wall(self.clock),
                };
                let passkeys = (0..how % 4).map(passkey).collect();
                self.write(Write::PasskeysSet { device, passkeys });
            }
            (11, _, Some(device), _) => {
                self.write(Write::SessionEnded { device });
            }
            (12..14, Some(person), ..) => {
                let count = if how.is_multiple_of(3) { 40 } else { 1 + how % 4 };
                self.open(person, how, count);
            }
            (14, _, _, Some(conversation)) if how.is_multiple_of(4) => {
                self.close_stats(conversation);
                self.write(Write::KeyDestroyed { conversation });
            }
            (15..17, Some(person), _, Some(conversation)) => {
                let known = &self.state.conversations[&conversation];
                if known.kind != Kind::Direct && known.member(person).is_none() && !known.purged {
                    // Some join with history, as late joiners of a patient thread will.
                    let from = if how.is_multiple_of(3) {
                        Sequence(1 + how % (known.last.0 + 1))
                    } else {
                        known.last.next()
                    };
                    let seen = (how % 3 == 1).then_some(known.last);
                    self.write(Write::MemberAdded { conversation, person, from, seen });
                }
            }
            (17..19, _, _, Some(conversation)) => {
                let known = &self.state.conversations[&conversation];
                if let Some(person) = nth(known.present().map(|m| m.0), how)
                    && known.kind != Kind::Direct
                {
                    self.write(Write::MemberLeft { conversation, person });
                }
            }
            (19..33, ..) => {
                if let Some(conversation) = conversation {
                    self.message(conversation, how);
                }
            }
            (33..38, _, _, Some(conversation)) => self.watermark(conversation, how),
            (38, _, _, Some(conversation)) => {
                let known = &self.state.conversations[&conversation];
                if known.first <= known.last {
                    let through = Sequence(known.first.0 + how % (known.last.0 - known.first.0 + 1));
                    // What is open does not go.
                    let open = |id: &&StatId| id.conversation == conversation && id.sequence <= through;
                    if self.state.escalations.keys().any(|id| open(&id)) {
                        return;
                    }
                    self.write(Write::MessagesExpired { conversation, through });
                }
            }
            // More than are remembered.
            (39, ..) => {
                for _ in 0..how % 40 {
                    let served_ms = self.state.marks.last().map_or(0, |mark| mark.served_ms) + how % 1_000;
                    self.write(Write::TimeServed { served_ms, at: Wall(self.clock) });
                }
            }
            (40, ..) => self.unit(who, how),
            (41, Some(person), ..) => {
                if let Some(unit) = nth(self.state.units.keys().copied(), how) {
                    let post = [None, Some(Post::Staff), Some(Post::ChargeNurse), Some(Post::Lent)]
                        [(how % 4) as usize];
                    self.write(Write::PostSet { person, unit, post });
                }
            }
            (42, Some(person), ..) => {
                let (administrator, privacy_officer) = (how % 3 == 1, how % 3 == 2);
                self.write(Write::DutiesSet { person, administrator, privacy_officer });
            }
            (43, _, _, Some(conversation)) if !self.state.conversations[&conversation].purged => {
                let title = Title::parse(&format!("4 West {how}")).unwrap();
                self.write(Write::TitleSet { conversation, title });
            }
            (44, _, _, Some(conversation)) => {
                self.write(Write::ArchivedSet { conversation, archived: how.is_multiple_of(2) });
            }
            (45..47, _, _, Some(conversation)) => {
                self.open_stat(conversation, how);
                self.urgent(conversation, how);
            }
            (47..49, Some(person), ..) => self.move_stat(person, who, how),
            (49, Some(person), ..) => {
                if let Some(id) = nth(self.state.escalations.keys().copied(), how) {
                    let reason = [Reason::Busy, Reason::HandedBack][(how % 2) as usize];
                    let step = self.state.escalations[&id].stage.step().unwrap_or_default();
                    self.write(Write::EscalationDeclined { id, person, reason, step });
                    if let Some(unit) = nth(self.state.units.keys().copied(), who) {
                        self.write(Write::EscalationUnitSet { id, unit });
                    }
                }
            }
            (50, ..) => {
                let unit = nth(self.state.units.keys().copied(), who).filter(|_| how.is_multiple_of(2));
                let policy = (!how.is_multiple_of(3)).then(|| policy(how));
                self.write(Write::EscalationPolicySet { unit, policy });
                let unit = nth(self.state.units.keys().copied(), who).filter(|_| how.is_multiple_of(3));
                let templates = templates(how);
                self.write(Write::TemplatesSet { unit, templates });
                if let Some(person) = nth(self.state.people.keys().copied(), who) {
                    let said =
                        AvailabilityWrite::Said { person, availability: availability(how), begins: true };
                    self.write(Write::Availability(said));
                    self.write(Write::Availability(AvailabilityWrite::CoverInstead(how % 2 == 1)));
                }
                self.inbox(who, how);
                self.broadcast(who, how);
            }
            (51..56, ..) => self.clinic(who, how),
            (56..59, _, _, Some(conversation)) => self.alter(conversation, who, how),
            (59, _, _, Some(conversation)) => {
                self.react(conversation, who, how);
                self.task(conversation, who, how);
                self.order(conversation, who, how);
            }
            (60..64, ..) => self.family(who, how),
            (64.., _, Some(device), Some(conversation)) => self.file(device, conversation, how),
            _ => self.record(Act::SignedIn),
        }
    }

    /// Edits or recalls a message that is there.
    pub(crate) fn alter(&mut self, conversation: ConversationId, who: u64, how: u64) {
        let known = &self.state.conversations[&conversation];
        if known.purged || known.first > known.last {
            return;
        }
        let sequence = Sequence(known.first.0 + who % (known.last.0 - known.first.0 + 1));
        let brought = |numbered: &&Numbered| {
            matches!(&numbered.write, Write::MessageAccepted(m)
                if (m.conversation, m.sequence) == (conversation, sequence))
        };
        let message = self.writes.iter().find(brought).unwrap().change;
        let at = Wall(self.clock);
        let standing = self.standings.entry(StatId { conversation, sequence }).or_default();
        if standing.recalled {
            return;
        }
        if how.is_multiple_of(3) {
            standing.recalled = true;
            self.reactions.remove(&StatId { conversation, sequence });
            self.write(Write::MessageRecalled { conversation, sequence, message, at });
        } else {
            let edit = Some(EditId(mix(how).to_be_bytes().repeat(2).try_into().unwrap()));
            self.reactions.remove(&StatId { conversation, sequence });
            *standing = Standing { edits: standing.edits + 1, edit, recalled: false, at };
            let (standing, length) = (*standing, 29 + (how % 60) as usize);
            let body = Sealed(mix(how + 1).to_be_bytes().into_iter().cycle().take(length).collect());
            self.write(Write::MessageEdited { conversation, sequence, message, standing, body });
        }
    }

    /// An order that a message is which is there, however it stands, and what was signed about it; and whose count.
    pub(crate) fn order(&mut self, conversation: ConversationId, who: u64, how: u64) {
        let unit = nth(self.state.units.keys().copied(), who).filter(|_| how.is_multiple_of(2));
        let role = nth(self.state.roles.keys().copied(), who);
        let roles = (!how.is_multiple_of(3)).then(|| role.into_iter().collect());
        self.write(Write::OrderPolicySet { unit, roles });
        let known = &self.state.conversations[&conversation];
        if known.purged || known.first > known.last {
            return;
        }
        let (first, last) = (known.first.0, known.last.0);
        let Some(author) = nth(known.present().map(|member| member.0), how) else { return };
        let id = StatId { conversation, sequence: Sequence(first + who % (last - first + 1)) };
        if self.standings.contains_key(&id) {
            return;
        }
        let at = Wall(self.clock);
        let message = Sequence(id.sequence.0 + how % (last - id.sequence.0 + 1));
        let reading = order::Reading { by: author, message, at };
        let standing = match how / 2 % 4 {
            0 => order::Standing::Given,
            1 => order::Standing::ReadBack(reading),
            2 => order::Standing::Confirmed(reading),
            _ => order::Standing::Wrong(reading),
        };
        let filed = how.is_multiple_of(4).then_some(order::Filed { by: Some(author), at });
        let (sort, of, to, replaced) = (order::Sort::New, None, Some(author), None);
        let (given, read_backs, changed) = (at, (how % 8) as u8, Change(0));
        self.write(Write::OrderSet(Box::new(Order {
            id,
            author,
            sort,
            of,
            to,
            given,
            standing,
            read_backs,
            replaced,
            filed,
            changed,
        })));
        let Some(device) = nth(self.state.devices.keys().copied(), how) else { return };
        let key = self.state.devices[&device].key;
        let said = (!how.is_multiple_of(5)).then_some(message);
        let words = said.map(|_| Words { message: MessageId([how as u8; 16]), text: [how as u8; 32] });
        let deed = Deed::ReadBack { of: id.sequence };
        let (person, taken, signature) = (author, at, [how as u8; 64]);
        let signed = SignedDeed { id, person, device, key, deed, words, said, at, taken, signature };
        self.write(Write::OrderSigned(Box::new(signed)));
    }

    /// A task about a message that is there, however it stands.
    pub(crate) fn task(&mut self, conversation: ConversationId, who: u64, how: u64) {
        let known = &self.state.conversations[&conversation];
        if known.purged || known.first > known.last {
            return;
        }
        let Some(person) = nth(known.present().map(|member| member.0), how) else { return };
        let sequence = Sequence(known.first.0 + who % (known.last.0 - known.first.0 + 1));
        let id = StatId { conversation, sequence };
        if self.standings.get(&id).is_some_and(|standing| standing.recalled) {
            return;
        }
        let at = Wall(self.clock);
        let standing = match how / 2 % 4 {
            0 => task::Standing::Open,
            1 => task::Standing::Taken { by: person, at },
            2 => task::Standing::Declined { by: person, at, reason: Reason::Busy },
            _ => task::Standing::Done { by: person, at },
        };
        let (to, due) = (task::Assignee::Person(person), Some(at.after(how % 1_000)));
        let (author, changed) = (person, Change(0));
        let task = Task { id, author, to, given: at, due, due_set: at, standing, overdue: false, changed };
        self.write(Write::TaskSet(Box::new(task)));
    }

    /// Puts something to a message that is there, or takes it back.
    pub(crate) fn react(&mut self, conversation: ConversationId, who: u64, how: u64) {
        let known = &self.state.conversations[&conversation];
        if known.purged || known.first > known.last {
            return;
        }
        let Some(person) = nth(known.present().map(|member| member.0), how) else { return };
        let sequence = Sequence(known.first.0 + who % (known.last.0 - known.first.0 + 1));
        let brought = |numbered: &&Numbered| {
            matches!(&numbered.write, Write::MessageAccepted(m)
                if (m.conversation, m.sequence) == (conversation, sequence))
        };
        let message = self.writes.iter().find(brought).unwrap().change;
        let of = StatId { conversation, sequence };
        if self.standings.get(&of).is_some_and(|standing| standing.recalled) {
            return;
        }
        let before = self.reactions.get(&of).cloned().unwrap_or_default();
        let reaction = Reaction::ALL[(how % 6) as usize];
        let given = !before.of(person).has(reaction);
        let reactions = before.with(person, reaction, given);
        self.reactions.insert(of, reactions.clone());
        self.write(Write::ReactionsSet { conversation, sequence, message, reactions });
    }

    /// A file is begun, arrives, goes with a message or is given up.
    fn file(&mut self, device: DeviceId, conversation: ConversationId, how: u64) {
        if how.is_multiple_of(7) {
            let policy = AttachmentPolicy::parse(1_024 + how % 1_000, 0, 2_048).unwrap();
            self.write(Write::AttachmentPolicySet(policy));
        }
        let known = nth(self.state.uploads.open.iter(), how).map(|(key, upload)| (*key, upload.clone()));
        let purged = self.state.conversations[&conversation].purged;
        match known {
            Some(((device, name), upload)) if how.is_multiple_of(5) => {
                self.write(Write::UploadDropped { device, name, file: upload.file });
            }
            Some(((device, name), upload)) if !upload.done => {
                self.write(Write::UploadFinished { device, name, file: upload.file });
            }
            Some(((device, upload), known)) if how.is_multiple_of(2) => {
                let conversation = known.conversation;
                let Some(message) = self.message(conversation, how) else { return };
                let sequence = self.state.conversations[&conversation].last;
                let Upload { file, media, length, sha256, thumbnail, .. } = known;
                let title = Sealed(mix(how).to_be_bytes().repeat(5));
                let files = vec![Sent { upload, file, media, length, sha256, thumbnail, title }];
                self.write(Write::AttachmentsSent { conversation, sequence, message, device, files });
            }
            _ if !purged => {
                let person = self.state.devices[&device].person;
                // A name may come again once its file is gone from memory.
                let name = UploadId([(how % 8) as u8; 16]);
                if self.state.uploads.open.contains_key(&(device, name)) {
                    return;
                }
                let thumbnail = if how.is_multiple_of(3) { vec![] } else { vec![4; 40] };
                self.write(Write::UploadBegun(Box::new(NewUpload {
                    device,
                    name,
                    person,
                    conversation,
                    media: ALL[(how % 9) as usize],
                    length: 1 + how % 100_000,
                    sha256: [how as u8; 32],
                    at: Wall(self.clock),
                    key: Sealed(mix(how).to_be_bytes().repeat(7)),
                    thumbnail: Sealed(thumbnail),
                })));
            }
            _ => {}
        }
    }

    pub(crate) fn open_stat(&mut self, conversation: ConversationId, how: u64) {
        let known = &self.state.conversations[&conversation];
        let id = StatId { conversation, sequence: known.last };
        let before =
            |write: &Numbered| matches!(&write.write, Write::EscalationOpened(opened) if opened.id == id);
        if known.purged || known.first > known.last || self.writes.iter().any(before) {
            return;
        }
        let Some(sender) = nth(known.present().map(|member| member.0), how) else { return };
        let rung = Rung { step: 0, declined: None, has_held: false };
        let rung = known.present().map(|member| (member.0, rung)).take((how % 4) as usize).collect();
        let unit = nth(self.state.units.keys().copied(), how);
        let (opened, policy) = (Wall(self.clock), policy(how));
        let stage = Stage::Ringing { step: 0, since: opened };
        let changed = Change(0);
        let note = None;
        let stat = Escalation { id, sender, unit, policy, opened, stage, rung, changed, note };
        self.write(Write::EscalationOpened(stat));
    }

    fn move_stat(&mut self, person: PersonId, who: u64, how: u64) {
        let Some(id) = nth(self.state.escalations.keys().copied(), how) else { return };
        let (step, at) = ((how % 3) as u8, Wall(self.clock));
        let other = nth(self.state.people.keys().copied(), mix(who));
        if mix(how) % 8 > 3 {
            self.sign(id, person, how);
        }
        let (stage, rang) = match mix(how) % 8 {
            0..3 => (Stage::Ringing { step, since: at }, vec![person]),
            3 | 4 => (Stage::Held { step, since: at, by: person, passed_ms: how % 1_000 }, vec![]),
            5 => (Stage::Accepted { step, at, by: Some(person), noted_by: None }, vec![]),
            6 => (Stage::Accepted { step, at, by: None, noted_by: other }, vec![]),
            _ => (Stage::Closed { at }, vec![]),
        };
        self.write(Write::EscalationMoved { id, stage, rang });
    }

    /// What somebody's device signed about a STAT.
    pub(crate) fn sign(&mut self, id: StatId, person: PersonId, how: u64) {
        let Some(device) = nth(self.state.devices.keys().copied(), how) else { return };
        let key = self.state.devices[&device].key;
        let (at, taken) = (Wall(self.clock - 1), Wall(self.clock));
        let role = Title::parse(&format!("Physician {how}")).ok();
        let note = CallNote { reached: None, role, name: None, called: at, read_back: how.is_multiple_of(2) };
        let said = match how % 3 {
            0 => Said::Accept,
            1 => Said::Decline(Reason::Busy),
            _ => Said::Note(note),
        };
        let answer = SignedAnswer { id, person, device, key, said, at, taken, signature: [how as u8; 64] };
        self.write(Write::StatAnswered(Box::new(answer)));
    }

    pub(crate) fn close_stats(&mut self, conversation: ConversationId) {
        let here = |id: &StatId| id.conversation == conversation;
        let ids: Vec<StatId> = self.state.escalations.keys().copied().filter(here).collect();
        for id in ids {
            let stage = Stage::Closed { at: Wall(self.clock) };
            self.write(Write::EscalationMoved { id, stage, rang: Vec::new() });
        }
    }

    /// One of eight, new or under another name.
    pub(crate) fn unit(&mut self, which: u64, how: u64) {
        let id = UnitId::from_random(mix(which % 8).to_be_bytes());
        let name = Name::parse(&format!("4 West {how}")).unwrap();
        self.write(Write::UnitSet(Unit { id, name, changed: Change(0) }));
        if how.is_multiple_of(2) {
            self.role(which, how);
        }
    }

    fn hold(&mut self, which: u64, how: u64) {
        if mix(how ^ 0x9e).is_multiple_of(2) {
            let hours = [1, 2, 3, 4].map(|kind| 1 + (mix(how ^ kind) % 100) as u32);
            self.write(Write::RetentionSet(Rules::parse(hours).unwrap()));
            return;
        }
        let known = nth(self.state.holds.keys().copied(), which);
        let Some(by) = nth(self.state.people.keys().copied(), how) else { return };
        if mix(how ^ 0x3a).is_multiple_of(4) {
            let export = ExportId::from_random(mix(self.state.change.0).to_be_bytes());
            let grounds = Grounds::parse(&format!("Request of the patient, {how}")).unwrap();
            let (subject, at) = (Subject::Person(by), Wall(self.clock));
            self.write(Write::ExportBegun { export, subject, by, grounds, at });
            return;
        }
        if let Some(hold) = known.filter(|_| self.state.holds.len() > 2) {
            let grounds = Grounds::parse(&format!("Settled out of court, {how}")).unwrap();
            self.write(Write::HoldLifted { hold, by, grounds, at: Wall(self.clock) });
            return;
        }
        let id = HoldId::from_random(mix(how ^ 0x70).to_be_bytes());
        let subject = match how % 3 {
            0 => Some(Subject::Person(by)),
            1 => nth(self.state.clinic.patients.keys().copied(), which).map(Subject::Patient),
            _ => nth(self.state.conversations.keys().copied(), which).map(Subject::Conversation),
        };
        if let Some(subject) = subject.filter(|_| !self.state.holds.contains_key(&id)) {
            let matter = Title::parse(&format!("26-{how}")).unwrap();
            self.write(Write::HoldPlaced(Hold { id, subject, matter, since: Wall(self.clock), by }));
        }
    }

    fn role(&mut self, which: u64, how: u64) {
        if mix(how ^ which).is_multiple_of(2) {
            return self.hold(which, how);
        }
        let Some(unit) = nth(self.state.units.keys().copied(), which) else { return };
        let id = RoleId::from_random(mix(which % 5).to_be_bytes());
        // A role stays its unit's.
        let unit = self.state.roles.get(&id).map_or(unit, |role| role.unit);
        let mut sources = Sources::new(TimeZone::parse("America/Chicago").unwrap());
        if let Some(person) = nth(self.state.people.keys().copied(), how) {
            let when = Interval {
                start: Wall(1_800_000_000_000),
                end: Wall(1_800_000_000_000).after(1 + how % 3_600_000),
            };
            let says = Says::Place { place: Place::FIRST, person: Some(person) };
            sources.by_hand.push(ByHand { when, says });
        }
        let retired = how.is_multiple_of(4);
        if let Some(person) = nth(self.state.people.keys().copied(), which).filter(|_| how.is_multiple_of(3))
        {
            let when = Interval { start: Wall(1_800_000_000_000), end: Wall(1_800_003_600_000) };
            sources.import(when, vec![Imported { place: Place::FIRST, when, person }]);
        }
        let (name, rota) = (Name::parse(&format!("On call {how}")).unwrap(), Rota::new(sources).unwrap());
        let offers: Vec<Offer> = (0..how % 3).filter_map(|at| self.offer(how.wrapping_add(at), at)).collect();
        self.write(Write::RoleSet(Role { id, unit, name, rota, changed: Change(0), offers, retired }));
    }

    fn offer(&self, how: u64, at: u64) -> Option<Offer> {
        let giver = nth(self.state.people.keys().copied(), how)?;
        let taker = nth(self.state.people.keys().copied(), how / 7)?;
        let now = Wall(1_800_000_000_000);
        Some(Offer {
            id: OfferId::from_random(mix(how).to_be_bytes()),
            place: Place::new(u8::try_from(at).ok()?)?,
            giver,
            taker,
            from: now,
            until: now.after(how % 3_600_000),
            made: now,
            expires: now.after(how % 60_000),
        })
    }

    pub(crate) fn person(&mut self, id: u64) -> Option<PersonId> {
        let id = PersonId::from_random(mix(id).to_be_bytes());
        if self.state.people.contains_key(&id) {
            return None;
        }
        let title = if id.value().is_multiple_of(2) { Title::default() } else { Title::parse("RN").unwrap() };
        let name = Name::parse(&format!("Ana {id}")).unwrap();
        let (administrator, suspended) = (id.value().is_multiple_of(5), false);
        // What the write says of `changed` is not to be trusted: the number of the write is.
        let changed = Change(0);
        let units = self.state.units.keys().take((id.value() % 3) as usize);
        let (privacy_officer, posts) =
            (id.value() % 7 == 1, units.map(|unit| (*unit, Post::Staff)).collect());
        self.write(Write::PersonAdded(Person {
            id,
            name,
            title,
            administrator,
            suspended,
            changed,
            privacy_officer,
            posts,
            station: None,
            agency: agency(id, nth(self.state.units.keys().copied(), id.value()), self.clock),
            barred: false,
            waits: None,
            visitor: None,
            the_box: false,
        }));
        Some(id)
    }

    pub(crate) fn device(&mut self, person: PersonId, id: u64) -> Option<DeviceId> {
        let id = DeviceId::from_random(mix(id ^ person.value()).to_be_bytes());
        if self.state.devices.contains_key(&id) {
            return None;
        }
        let mut point = [7; 65];
        point[0] = 4;
        self.write(Write::DeviceJoined(Device {
            id,
            person,
            name: Name::parse("Handset 12").unwrap(),
            key: PublicKey::parse(&point).unwrap(),
            salt: [3; 16],
            pin: PinMac([9; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: None,
            last_number: Number(id.value() % 3),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        }));
        Some(id)
    }

    pub(crate) fn open(&mut self, owner: PersonId, id: u64, members: u64) -> Option<ConversationId> {
        let conversation = ConversationId::from_random(mix(id ^ 0xC0).to_be_bytes());
        if self.state.conversations.contains_key(&conversation) {
            return None;
        }
        let people: Vec<PersonId> = self.state.people.keys().copied().take(members as usize).collect();
        let unit = nth(self.state.units.keys().copied(), id).filter(|_| id.is_multiple_of(4));
        let kind = match people[..] {
            _ if unit.is_some() => Kind::Channel,
            [a, b] if self.state.direct(a, b).is_none() => Kind::Direct,
            _ => Kind::Group,
        };
        let title = if kind == Kind::Direct { Title::default() } else { Title::parse("4 West").unwrap() };
        let (at, owner) = (Wall(self.clock), Some(owner));
        self.write(Write::ConversationOpened { conversation, kind, title, owner, at, unit });
        self.write(Write::KeyGranted { conversation, key: WrappedKey(mix(id).to_be_bytes().repeat(7)) });
        for person in people {
            self.write(Write::MemberAdded { conversation, person, from: Sequence(1), seen: None });
            self.record(Act::MemberAdded(conversation, person));
        }
        Some(conversation)
    }

    pub(crate) fn message(&mut self, conversation: ConversationId, how: u64) -> Option<Change> {
        let known = &self.state.conversations[&conversation];
        let sender = nth(known.present().map(|member| member.0), how)?;
        let device = nth(self.state.devices_of(sender).map(|device| device.id), how)?;
        if known.purged {
            return None;
        }
        let sequence = known.last.next();
        // Numbers rise, not always by one.
        let number = Number(self.state.devices[&device].last_number.0 + 1 + how % 3 / 2);
        let at = Wall(self.clock);
        let length = if how.is_multiple_of(5) { 8_192 + 28 } else { 29 + (how % 40) as usize };
        let id = MessageId(mix(how).to_be_bytes().repeat(2).try_into().unwrap());
        let body = Sealed(mix(how).to_be_bytes().into_iter().cycle().take(length).collect());
        let priority = [Priority::Routine, Priority::Urgent, Priority::Stat][(how % 3) as usize];
        let reply_to = Some(Sequence(how % 4)).filter(|to| *to > Sequence::NONE && *to < sequence);
        let present: Vec<PersonId> = known.present().map(|member| member.0).collect();
        let role = nth(self.state.roles.keys().copied(), how);
        let named = present.iter().take((how % 7) as usize / 3);
        let mentions = named.map(|person| Mention { person: *person, role }).collect();
        let message = Message {
            conversation,
            sequence,
            id,
            sender,
            device,
            number,
            at,
            body,
            priority,
            reply_to,
            mentions,
        };
        let change = self.write(Write::MessageAccepted(message));
        self.record(Act::MessageAccepted(conversation, sequence));
        Some(change)
    }

    fn watermark(&mut self, conversation: ConversationId, how: u64) {
        let known = &self.state.conversations[&conversation];
        let Some((person, member)) = nth(known.present(), how) else { return };
        let read = Sequence((member.read.0 + mix(how) % 4).min(known.last.0).max(member.read.0));
        let delivered =
            Sequence((member.delivered.0 + mix(how) % 7).min(known.last.0)).max(read).max(member.delivered);
        if (delivered, read) != (member.delivered, member.read) {
            self.write(Write::WatermarkMoved { conversation, person, delivered, read });
        }
    }
}

/// Whether two states are one. Their indices differ in sets that are empty or missing, which nobody can see.
pub(crate) fn same(a: &State, b: &State) -> bool {
    let public = a.people == b.people
        && a.devices == b.devices
        && a.roles == b.roles
        && a.codes == b.codes
        && (&a.clinic, &a.family) == (&b.clinic, &b.family)
        && (&a.uploads, &a.inboxes, &a.broadcasts, &a.bells, &a.alarms)
            == (&b.uploads, &b.inboxes, &b.broadcasts, &b.bells, &b.alarms)
        && a.conversations == b.conversations
        && (&a.escalations, &a.policies, &a.templates) == (&b.escalations, &b.policies, &b.templates)
        && (&a.tasks, &a.orders) == (&b.tasks, &b.orders)
        && a.availability == b.availability
        && (a.change, a.audited, a.last_at, &a.marks) == (b.change, b.audited, b.last_at, &b.marks);
    let indexed = a.people.keys().all(|person| {
        a.memberships(*person).eq(b.memberships(*person))
            && a.devices_of(*person).eq(b.devices_of(*person))
            && b.people.keys().all(|other| a.direct(*person, *other) == b.direct(*person, *other))
    });
    public && indexed && a.canonical_hash() == b.canonical_hash()
}
