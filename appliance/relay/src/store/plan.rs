//! What a batch comes to.
//!
//! A batch's writes are folded in order into what they leave behind: the last watermark of each member, the last place
//! of each conversation, the rows that are new. That can then be written table by table, parents first, in a few
//! statements, whatever order the writes came in. The folding is right because
//! - rows are only ever added, patched, or (codes, keys, messages, posts) deleted, and a patch takes the last value; units and
//!   posts are set to the last value, whether there or not;
//! - what is added and patched in one batch is added first and patched after;
//! - a key granted and destroyed in one batch never reaches the disk;
//! - whether somebody has been rung is kept by the first step, has held is kept once it is so, and whether they declined is
//!   the last that was said of it;
//! - of a message's alterations the last one's body counts, and a recall is the last there can be; they come after all messages of
//!   the batch and ahead of every expiry;
//! - of what is put to a message the last list counts, and none where the text was altered behind it: the alteration has emptied it;
//! - a purge leaves of the messages of its conversation neither, and none of them comes behind it;
//! - an expiry keeps its own change number and deletes only messages and notices before it, so those of the whole batch may be
//!   inserted ahead of every expiry.
//!
//! A property test holds this against applying one write at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::export::ExportPlan;
use super::orders::OrderPlan;
use super::plan_alarms::AlarmPlan;
use super::plan_bell::BellPlan;
use super::plan_broadcast::BroadcastPlan;
use super::plan_clinic::ClinicPlan;
use super::plan_family::FamilyPlan;
use super::plan_files::FilePlan;
use super::plan_holds::HoldPlan;
use super::plan_inbox::InboxPlan;
use super::plan_urgent::UrgentPlan;
use super::reactions::ReactionPlan;
use super::signed::SignedPlan;
use super::stat_load::StatLoad;
use super::tasks::TaskPlan;
use wardline_core::agency::Agency;
use wardline_core::availability::{Availability, AvailabilityWrite};
use wardline_core::conversation::Kind;
use wardline_core::directory::{Device, JoinCode, Person, Post, Unit};
use wardline_core::escalation::policy::EscalationPolicy;
use wardline_core::escalation::signed::Said;
use wardline_core::escalation::{Escalation, Rung, Stage, StatId};
use wardline_core::family::Visitor;
use wardline_core::ids::{Change, ConversationId, DeviceId, EditId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::leaving::Waiting;
use wardline_core::login::LoginSecrets;
use wardline_core::notice::Notice;
use wardline_core::passkey::Passkey;
use wardline_core::pin::PinMac;
use wardline_core::retention::Mark;
use wardline_core::role::Role;
use wardline_core::template::Templates;
use wardline_core::text::{Sealed, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::write::{Message, Numbered, Write};

/// A batch, table by table.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) people: Vec<(&'a Person, Change)>,
    pub(super) people_patches: BTreeMap<PersonId, PersonPatch<'a>>,
    pub(super) units: BTreeMap<UnitId, (&'a Unit, Change)>,
    pub(super) roles: BTreeMap<RoleId, (&'a Role, Change)>,
    pub(super) posts: BTreeMap<(PersonId, UnitId), Option<Post>>,
    pub(super) devices: Vec<&'a Device>,
    pub(super) device_patches: BTreeMap<DeviceId, DevicePatch>,
    pub(super) codes: BTreeMap<&'a [u8; 32], Option<(&'a JoinCode, Change)>>,
    pub(super) opened: Vec<Opened<'a>>,
    pub(super) conversations: BTreeMap<ConversationId, ConversationPatch<'a>>,
    pub(super) purged: BTreeSet<ConversationId>,
    pub(super) keys_destroyed: BTreeSet<ConversationId>,
    pub(super) keys_granted: BTreeMap<ConversationId, &'a WrappedKey>,
    pub(super) members: BTreeMap<(ConversationId, PersonId), MemberPatch>,
    pub(super) messages: Vec<(Change, &'a Message)>,
    pub(super) alterations: BTreeMap<(ConversationId, Sequence), Alteration<'a>>,
    pub(super) reactions: ReactionPlan<'a>,
    pub(super) notices: Vec<(Change, &'a Notice)>,
    pub(super) escalations: Vec<(&'a Escalation, Change)>,
    pub(super) escalation_patches: BTreeMap<StatId, EscalationPatch>,
    pub(super) stat_load: StatLoad,
    pub(super) rung: BTreeMap<(StatId, PersonId), Rung>,
    pub(super) policies: BTreeMap<Option<UnitId>, Option<&'a EscalationPolicy>>,
    pub(super) availability: BTreeMap<PersonId, &'a Availability>,
    pub(super) cover_instead: Option<bool>,
    /// Of devices that were locked: salt and MAC.
    pub(super) logins: BTreeMap<DeviceId, LoginSecrets>,
    pub(super) passkeys: BTreeMap<DeviceId, &'a [Passkey]>,
    pub(super) pins: BTreeMap<DeviceId, (&'a [u8; 16], &'a PinMac)>,
    pub(super) templates: BTreeMap<Option<UnitId>, &'a Templates>,
    pub(super) expiries: Vec<Expiry>,
    pub(super) entries: Vec<(u64, &'a [u8])>,
    pub(super) audited: Option<u64>,
    pub(super) last_at: Option<Wall>,
    pub(super) marks: Vec<Mark>,
    pub(super) clinic: ClinicPlan<'a>,
    pub(super) holds: HoldPlan<'a>,
    pub(super) exports: ExportPlan<'a>,
    pub(super) family: FamilyPlan<'a>,
    pub(super) inboxes: InboxPlan<'a>,
    pub(super) urgents: UrgentPlan<'a>,
    pub(super) bells: BellPlan<'a>,
    pub(super) alarms: AlarmPlan<'a>,
    pub(super) broadcasts: BroadcastPlan,
    pub(super) files: FilePlan<'a>,
    pub(super) tasks: TaskPlan<'a>,
    pub(super) orders: OrderPlan<'a>,
    pub(super) signed: SignedPlan<'a>,
}

/// A conversation as it opens.
pub(super) struct Opened<'a> {
    pub(super) id: ConversationId,
    pub(super) kind: Kind,
    pub(super) title: &'a Title,
    pub(super) owner: Option<PersonId>,
    pub(super) at: Wall,
    pub(super) changed: Change,
    pub(super) unit: Option<UnitId>,
}

/// What becomes of a person; `None` leaves it.
#[derive(Default)]
pub(super) struct PersonPatch<'a> {
    pub(super) suspended: Option<bool>,
    /// Administrator, privacy officer.
    pub(super) duties: Option<(bool, bool)>,
    pub(super) agency: Option<&'a Agency>,
    pub(super) barred: Option<bool>,
    pub(super) waits: Option<Option<Waiting>>,
    pub(super) visitor: Option<&'a Visitor>,
    pub(super) changed: Change,
}

/// What becomes of a device; `None` leaves it.
#[derive(Default)]
pub(super) struct DevicePatch {
    pub(super) pin_tries: Option<u32>,
    pub(super) revoked: bool,
    pub(super) session_open: Option<bool>,
    /// Until when a passkey opens it, or that only a PIN does.
    pub(super) session_until: Option<Option<Wall>>,
}

/// What becomes of a conversation; `None` leaves it.
#[derive(Default)]
pub(super) struct ConversationPatch<'a> {
    pub(super) changed: Option<Change>,
    pub(super) title: Option<&'a Title>,
    pub(super) archived: Option<bool>,
    pub(super) noticed: Option<u64>,
    pub(super) last: Option<(Sequence, Change)>,
    pub(super) first: Option<Sequence>,
    pub(super) member_changed: Option<Change>,
}

/// What becomes of a member; `None` leaves it. With `from` it is the whole row.
#[derive(Default)]
pub(super) struct MemberPatch {
    pub(super) from: Option<Sequence>,
    pub(super) watermarks: Option<(Sequence, Sequence)>,
    pub(super) left: bool,
    pub(super) changed: Change,
}

/// What becomes of an escalation; `None` leaves it.
#[derive(Default)]
pub(super) struct EscalationPatch {
    pub(super) stage: Option<Stage>,
    /// Empty: by no note any more.
    pub(super) note: Option<Vec<u8>>,
    pub(super) unit: Option<UnitId>,
    pub(super) changed: Change,
}

/// What becomes of a message; `None` leaves it, but for the body.
pub(super) struct Alteration<'a> {
    /// The change that brought it.
    pub(super) message: Change,
    /// None: recalled.
    pub(super) body: Option<&'a Sealed>,
    pub(super) edits: Option<u32>,
    pub(super) edit: Option<EditId>,
    pub(super) recalled: bool,
    pub(super) at: Wall,
    /// The change that did it.
    pub(super) altered: Change,
}

/// Messages before `change` up to `through` go.
pub(super) struct Expiry {
    pub(super) conversation: ConversationId,
    pub(super) through: Sequence,
    pub(super) change: Change,
}

impl<'a> Plan<'a> {
    pub(super) fn of(writes: &'a [Numbered]) -> Self {
        let mut plan = Self::default();
        for Numbered { change, write } in writes {
            plan.fold(*change, write);
        }
        plan
    }

    fn fold(&mut self, change: Change, write: &'a Write) {
        self.files.fold(change, write);
        self.tasks.fold(change, write);
        self.orders.fold(change, write);
        self.signed.fold(change, write);
        self.urgents.fold(write);
        for thread in write.shows_in() {
            self.conversations.entry(*thread).or_default().changed = Some(change);
        }
        self.reactions.fold(change, write);
        match write {
            Write::PersonAdded(person) => {
                self.people.push((person, change));
                self.posts.extend(person.posts.iter().map(|(unit, post)| ((person.id, *unit), Some(*post))));
            }
            Write::StandingSet { person, suspended } => {
                self.person(*person, change).suspended = Some(*suspended);
                if *suspended {
                    self.bells.suspended(*person);
                }
            }
            Write::AgencySet { person, agency } => self.person(*person, change).agency = Some(agency),
            Write::VisitorSet { person, visitor } => self.person(*person, change).visitor = Some(visitor),
            Write::SuspensionWaits { person, waits } => self.person(*person, change).waits = Some(*waits),
            Write::BarredSet { person, barred } => self.person(*person, change).barred = Some(*barred),
            Write::UnitSet(unit) => {
                self.units.insert(unit.id, (unit, change));
            }
            Write::RoleSet(role) => {
                self.roles.insert(role.id, (role, change));
            }
            Write::PostSet { person, unit, post } => {
                self.posts.insert((*person, *unit), *post);
                self.person(*person, change);
            }
            Write::DutiesSet { person, administrator, privacy_officer } => {
                self.person(*person, change).duties = Some((*administrator, *privacy_officer));
            }
            Write::JoinCodeIssued(code) => {
                self.codes.insert(&code.hash, Some((code, change)));
            }
            Write::JoinCodeEnded { hash } => {
                self.codes.insert(hash, None);
            }
            Write::DeviceJoined(device) => self.devices.push(device),
            Write::DeviceRevoked { device } => {
                let patch = self.device_patches.entry(*device).or_default();
                patch.revoked = true;
                (patch.session_open, patch.session_until) = (Some(false), Some(None));
                self.passkeys.insert(*device, &[]);
                self.bells.cleared(*device);
            }
            Write::PinTries { device, tries } => {
                self.device_patches.entry(*device).or_default().pin_tries = Some(*tries);
            }
            Write::PinChosen { device, salt, pin } => {
                self.device_patches.entry(*device).or_default().pin_tries = Some(0);
                self.pins.insert(*device, (salt, pin));
            }
            Write::LoginSecretsSet { device, secrets } => {
                self.logins.insert(*device, LoginSecrets { changed: change, ..*secrets });
            }
            Write::SessionOpened { device, until } => {
                let patch = self.device_patches.entry(*device).or_default();
                (patch.session_open, patch.session_until) = (Some(true), Some(Some(*until)));
            }
            Write::SessionEnded { device } => {
                let patch = self.device_patches.entry(*device).or_default();
                (patch.session_open, patch.session_until) = (Some(false), Some(None));
            }
            Write::SessionLocked(device) => {
                self.device_patches.entry(*device).or_default().session_open = Some(false);
            }
            Write::PasskeysSet { device, passkeys } => {
                self.passkeys.insert(*device, passkeys);
            }
            Write::ConversationOpened { conversation, kind, title, owner, at, unit } => {
                let (id, kind, owner, at, unit) = (*conversation, *kind, *owner, *at, *unit);
                self.opened.push(Opened { id, kind, title, owner, at, changed: change, unit });
            }
            Write::KeyGranted { conversation, key } => {
                self.keys_granted.insert(*conversation, key);
            }
            Write::KeyDestroyed { conversation } => {
                self.keys_granted.remove(conversation);
                self.keys_destroyed.insert(*conversation);
                self.notices.retain(|(_, notice)| notice.conversation != *conversation);
                self.purged.insert(*conversation);
                self.conversations.entry(*conversation).or_default().changed = Some(change);
            }
            Write::MemberAdded { conversation, person, from, seen } => {
                let before = seen.unwrap_or(Sequence(from.0.saturating_sub(1)));
                let row = MemberPatch {
                    from: Some(*from),
                    watermarks: Some((before, before)),
                    left: false,
                    changed: change,
                };
                self.members.insert((*conversation, *person), row);
                self.members_changed(*conversation, change).changed = Some(change);
            }
            Write::MemberLeft { conversation, person } => {
                let patch = self.members.entry((*conversation, *person)).or_default();
                (patch.left, patch.changed) = (true, change);
                self.members_changed(*conversation, change).changed = Some(change);
            }
            Write::WatermarkMoved { conversation, person, delivered, read } => {
                let patch = self.members.entry((*conversation, *person)).or_default();
                (patch.watermarks, patch.changed) = (Some((*delivered, *read)), change);
                self.members_changed(*conversation, change);
            }
            Write::MessageAccepted(message) => {
                self.last_at = Some(message.at);
                self.conversations.entry(message.conversation).or_default().last =
                    Some((message.sequence, change));
                self.messages.push((change, message));
            }
            Write::MessageEdited { conversation, sequence, message, standing, body } => {
                let edited = Alteration {
                    message: *message,
                    body: Some(body),
                    edits: Some(standing.edits),
                    edit: standing.edit,
                    recalled: false,
                    at: standing.at,
                    altered: change,
                };
                self.alterations.insert((*conversation, *sequence), edited);
            }
            Write::MessageRecalled { conversation, sequence, message, at } => {
                let before = self.alterations.remove(&(*conversation, *sequence));
                let (edits, edit) = before.map_or((None, None), |before| (before.edits, before.edit));
                let (message, recalled, at) = (*message, true, *at);
                let gone = Alteration { message, body: None, edits, edit, recalled, at, altered: change };
                self.alterations.insert((*conversation, *sequence), gone);
            }
            Write::MessagesExpired { conversation, through } => {
                let patch = self.conversations.entry(*conversation).or_default();
                (patch.first, patch.changed) = (Some(through.next()), Some(change));
                self.expiries.push(Expiry { conversation: *conversation, through: *through, change });
            }
            Write::NoticeMade(notice) => {
                self.conversations.entry(notice.conversation).or_default().noticed = Some(notice.number);
                self.notices.push((change, notice));
            }
            Write::TitleSet { conversation, title } => {
                let patch = self.conversations.entry(*conversation).or_default();
                (patch.title, patch.changed) = (Some(title), Some(change));
            }
            Write::ArchivedSet { conversation, archived } => {
                let patch = self.conversations.entry(*conversation).or_default();
                (patch.archived, patch.changed) = (Some(*archived), Some(change));
            }
            Write::TimeServed { served_ms, at } => {
                self.marks.push(Mark { change, served_ms: *served_ms, at: *at });
            }
            Write::EscalationOpened(escalation) => {
                self.escalations.push((escalation, change));
                self.stat_load.opened(escalation);
                for (person, rung) in &escalation.rung {
                    self.rung.insert((escalation.id, *person), *rung);
                }
            }
            Write::EscalationMoved { id, stage, rang } => {
                self.stat_load.moved(*id, *stage);
                let patch = self.escalation_patches.entry(*id).or_default();
                (patch.stage, patch.changed) = (Some(*stage), change);
                if !stage.is_noted() {
                    patch.note = Some(Vec::new());
                }
                let step = stage.step().unwrap_or_default();
                for person in rang {
                    self.rung(*id, *person, step).declined = None;
                }
                match stage {
                    Stage::Held { by, .. } => {
                        let rung = self.rung(*id, *by, step);
                        (rung.has_held, rung.declined) = (true, None);
                    }
                    Stage::Accepted { by: Some(by), .. } => self.rung(*id, *by, step).declined = None,
                    _ => {}
                }
            }
            Write::EscalationUnitSet { id, unit } => {
                self.stat_load.follows(*id, *unit);
                let patch = self.escalation_patches.entry(*id).or_default();
                (patch.unit, patch.changed) = (Some(*unit), change);
            }
            Write::EscalationDeclined { id, person, reason, step } => {
                self.escalation_patches.entry(*id).or_default().changed = change;
                self.rung(*id, *person, *step).declined = Some(*reason);
            }
            Write::StatAnswered(answer) => {
                if let Said::Note(note) = &answer.said {
                    let patch = self.escalation_patches.entry(answer.id).or_default();
                    (patch.note, patch.changed) = (Some(note.to_bytes()), change);
                }
            }
            Write::EscalationPolicySet { unit, policy } => {
                self.policies.insert(*unit, policy.as_ref());
            }
            Write::Availability(AvailabilityWrite::Said { person, availability, .. }) => {
                self.availability.insert(*person, availability);
            }
            Write::Availability(AvailabilityWrite::CoverInstead(cover_instead)) => {
                self.cover_instead = Some(*cover_instead);
            }
            Write::Inbox(write) => self.inboxes.fold(write),
            Write::Broadcast(write) => self.broadcasts.fold(write),
            Write::Bell(write) => self.bells.fold(write),
            Write::Alarm(write) => self.alarms.fold(write),
            Write::TemplatesSet { unit, templates } => {
                self.templates.insert(*unit, templates);
            }
            Write::Audited { index, bytes } => {
                self.audited = Some(*index);
                self.entries.push((*index, bytes));
            }
            Write::ThreadClosed { thread, .. } => {
                self.conversations.entry(*thread).or_default().archived = Some(true);
                self.clinic.fold(change, write);
            }
            Write::ExportBegun { .. } => self.exports.fold(write),
            Write::HoldPlaced(_) | Write::HoldLifted { .. } | Write::RetentionSet(_) => {
                self.holds.fold(write)
            }
            Write::FamilyConsentSet { .. }
            | Write::FamilyBlockSet { .. }
            | Write::BedsideCodeSet { .. }
            | Write::VisitAsked(_)
            | Write::VisitForgotten { .. }
            | Write::FamilyThreadOpened(_) => self.family.fold(write),
            Write::UploadBegun(_)
            | Write::UploadFinished { .. }
            | Write::UploadDropped { .. }
            | Write::AttachmentsSent { .. }
            | Write::AttachmentPolicySet(_) => {}
            clinical => self.clinic.fold(change, clinical),
        }
    }

    fn person(&mut self, person: PersonId, change: Change) -> &mut PersonPatch<'a> {
        let patch = self.people_patches.entry(person).or_default();
        patch.changed = change;
        patch
    }

    fn rung(&mut self, id: StatId, person: PersonId, step: u8) -> &mut Rung {
        self.rung.entry((id, person)).or_insert(Rung { step, declined: None, has_held: false })
    }

    fn members_changed(
        &mut self,
        conversation: ConversationId,
        change: Change,
    ) -> &mut ConversationPatch<'a> {
        let patch = self.conversations.entry(conversation).or_default();
        patch.member_changed = Some(change);
        patch
    }
}
