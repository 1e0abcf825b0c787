//! The reference's rules for alarms of the box: who is told what, and when it is over.

use std::collections::VecDeque;

use wardline_core::alarm::{Alarm, AlarmKind, Said};
use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, MessageId, PersonId, RoleId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Conversation, Expected, Member, Reference, Saying};
use crate::reference_roles::{Role, digest};
use crate::reference_ward::Chosen;

/// One that was told: how bad it is, and where that was said.
#[derive(Clone, Copy)]
pub(crate) struct Stands {
    pub(crate) alarm: Alarm,
    pub(crate) place: (ConversationId, u64),
}

/// What only the core can have chosen in this turn.
#[derive(Default)]
pub(crate) struct Core {
    pub(crate) opened: Option<ConversationId>,
    /// Of what the box said.
    pub(crate) names: VecDeque<MessageId>,
}

/// What is durable of them.
#[derive(Clone, Default)]
pub(crate) struct Alarms {
    pub(crate) role: Option<RoleId>,
    pub(crate) told: Vec<Stands>,
    /// The box's own entry, once it has one.
    pub(crate) the_box: Option<PersonId>,
}

impl Reference {
    pub(crate) fn ask_alarms(&self) -> Expected {
        Expected::answered(Answer::Alarms(self.alarms_shown()))
    }

    fn alarms_shown(&self) -> u64 {
        let alarms = &self.ward.alarms;
        let mut told: Vec<(u64, u64)> = alarms
            .told
            .iter()
            .map(|told| (u64::from(told.alarm.kind.number()), u64::from(told.alarm.level)))
            .collect();
        told.sort_unstable();
        shown(alarms.role.map_or(0, RoleId::value), &told)
    }

    pub(crate) fn set_alarm_role(
        &mut self,
        now: Now,
        by: Actor,
        set: &proto::SetAlarmRole,
        chosen: Chosen,
    ) -> Expected {
        let was = self.ward.alarms.role;
        if was.map_or(0, RoleId::value) == set.role {
            return Expected::answered(Answer::Done);
        }
        let mut expected = Expected::answered(Answer::Done);
        let mut next = None;
        if set.role != 0 {
            let role = match self.ward.role_in_use(set.role) {
                Ok(role) => role,
                Err(code) => return Expected::refused(code),
            };
            if self.lobby.disk_low {
                return Expected::refused(Code::DiskLow);
            }
            if self.ward.alarms.the_box.is_none() {
                let Some(the_box) = chosen.person else { return Expected::default() };
                self.ward.alarms.the_box = Some(the_box);
                expected.audits.push((by, Act::PersonAdded(the_box)));
            }
            if self.box_place(now, &role, chosen.conversation, &mut expected).is_none() {
                return Expected::default();
            }
            next = Some(role.id);
        }
        let the_box = self.ward.alarms.the_box;
        let old = self.ward.conversations.iter_mut().find(|place| {
            place.of_role.is_some() && place.of_role == was && place.owner == the_box && !place.purged
        });
        if let Some(old) = old.filter(|old| !old.archived) {
            old.archived = true;
            expected.audits.push((Actor::TheBox, Act::InboxFinished(old.id)));
        }
        self.ward.alarms.role = next;
        self.ward.alarms.told.clear();
        expected.audits.push((by, Act::AlarmRoleSet(next)));
        expected
    }

    /// Where the box writes to a role: opened where it has not yet, open again where that was done.
    fn box_place(
        &mut self,
        now: Now,
        role: &Role,
        opened: Option<ConversationId>,
        expected: &mut Expected,
    ) -> Option<ConversationId> {
        let the_box = self.ward.alarms.the_box?;
        let known = |place: &&mut Conversation| {
            place.of_role == Some(role.id) && place.owner == Some(the_box) && !place.purged
        };
        if let Some(place) = self.ward.conversations.iter_mut().find(known) {
            let id = place.id;
            if std::mem::replace(&mut place.archived, false) {
                expected.audits.push((Actor::TheBox, Act::InboxReopened(id)));
                self.inboxes_settle(now, expected);
            }
            return Some(id);
        }
        let id = opened.filter(|_| !self.lobby.disk_low)?;
        let readers = self.readers(role.id, the_box, now.wall);
        expected.audits.push((Actor::TheBox, Act::ConversationOpened(id)));
        expected.audits.push((Actor::TheBox, Act::InboxOpened(id, role.id)));
        expected.audits.extend(readers.iter().map(|who| (Actor::TheBox, Act::MemberAdded(id, *who))));
        let enters = |person| Member { person, from: 1, delivered: 0, read: 0, left: false, entered: 0 };
        self.ward.conversations.push(Conversation {
            id,
            direct: false,
            unit: None,
            archived: false,
            title: role.name().to_owned(),
            owner: Some(the_box),
            of_patient: false,
            of_family: false,
            of_role: Some(role.id),
            of_house: false,
            purged: false,
            members: readers.into_iter().map(enters).collect(),
            messages: Vec::new(),
            taken: Vec::new(),
            said: Vec::new(),
            expired_through: 0,
        });
        Some(id)
    }

    /// All that stands was said: what is new is told, and what stands no more.
    pub(crate) fn alarms(&mut self, now: Now, standing: &[Alarm], core: &mut Core) -> Expected {
        let mut expected = Expected::default();
        let Some(role) = self.ward.alarms.role.and_then(|role| self.ward.role_in_use(role.value()).ok())
        else {
            return expected;
        };
        let worst = |kind: AlarmKind| {
            standing.iter().filter(|alarm| alarm.kind == kind).map(|alarm| alarm.level).max()
        };
        let told = self.ward.alarms.told.clone();
        let of = |kind| told.iter().find(|told| told.alarm.kind == kind);
        // What is over comes first.
        for kind in AlarmKind::ALL {
            let Some(told) = of(kind).filter(|_| worst(kind).is_none()) else { continue };
            let said = Said { alarm: told.alarm, over: true };
            if self.box_says(now, &role, (said, proto::Priority::Routine), core, &mut expected).is_none() {
                return expected;
            }
            self.nobody_need_see(told.place);
            self.ward.alarms.told.retain(|told| told.alarm.kind != kind);
            expected.audits.push((Actor::TheBox, Act::AlarmOver(kind.number())));
        }
        for kind in AlarmKind::ALL {
            let Some(level) = worst(kind) else { continue };
            let alarm = Alarm { kind, level };
            let place = match of(kind) {
                Some(told) if told.alarm.level == level => continue,
                Some(told) if told.alarm.level > level => told.place,
                _ => {
                    let said = (Said { alarm, over: false }, proto::Priority::Urgent);
                    match self.box_says(now, &role, said, core, &mut expected) {
                        Some(place) => place,
                        None => return expected,
                    }
                }
            };
            if let Some(before) = of(kind).filter(|before| before.place != place) {
                self.nobody_need_see(before.place);
            }
            self.ward.alarms.told.retain(|told| told.alarm.kind != kind);
            self.ward.alarms.told.push(Stands { alarm, place });
            expected.audits.push((Actor::TheBox, Act::AlarmTold(kind.number(), level)));
        }
        expected
    }

    fn nobody_need_see(&mut self, (place, sequence): (ConversationId, u64)) {
        let at = usize::try_from(sequence).unwrap_or(0).wrapping_sub(1);
        if let Some(said) = self.ward.conversation_mut(place).and_then(|place| place.said.get_mut(at)) {
            said.unseen = false;
        }
    }

    fn box_says(
        &mut self,
        now: Now,
        role: &Role,
        (said, priority): (Said, proto::Priority),
        core: &mut Core,
        expected: &mut Expected,
    ) -> Option<(ConversationId, u64)> {
        if self.lobby.disk_scarce {
            return None;
        }
        let the_box = self.ward.alarms.the_box?;
        let id = self.box_place(now, role, core.opened, expected)?;
        let behind = self.ward.newest.0 - now.wall.0;
        let shown = if (1..=300_000).contains(&behind) { self.ward.newest } else { now.wall };
        let (run, text) = (self.run.0, String::from_utf8_lossy(&said.to_body().0).into_owned());
        let place = self.ward.conversation_mut(id)?;
        place.messages.push(core.names.pop_front().unwrap_or(MessageId([0; 16])));
        place.taken.push(now.mono);
        place.said.push(Saying {
            author: the_box,
            text,
            stat: false,
            order: false,
            reply_to: 0,
            at: shown,
            run,
            edits: 0,
            edit: Vec::new(),
            recalled: false,
            unseen: false,
            mentions: Vec::new(),
            reactions: Vec::new(),
            files: Vec::new(),
        });
        let sequence = place.messages.len() as u64;
        self.spoken(id, the_box, priority);
        if priority == proto::Priority::Urgent {
            self.bells_of_urgent(now, the_box, (id, sequence));
        }
        self.ward.newest = shown;
        expected.audits.push((Actor::TheBox, Act::MessageAccepted(id, Sequence(sequence))));
        Some((id, sequence))
    }
}

/// What an answer comes to.
pub(crate) fn shown(role: u64, told: &[(u64, u64)]) -> u64 {
    let told: Vec<u64> = told.iter().flat_map(|(kind, level)| [*kind, *level]).collect();
    digest([(role, &told[..])].into_iter())
}
