//! What is written to roles: opened, looked at, done, and what became of it.

use wardline_core::audit::Act;
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected};
use crate::world::World;

impl World {
    /// Somebody writes to a role, looks before they do, or says that it is done.
    pub(crate) fn about_inboxes(&mut self, index: usize) {
        let roles: Vec<u64> = self.reference.ward.roles.iter().map(|role| role.id.value()).collect();
        let Some(role) = self.random.pick(&roles).copied() else { return };
        // What is done is soon wanted again.
        let me = self.person_of(index);
        let mut done =
            self.reference.ward.conversations.iter().filter(|place| place.archived && place.owner == me);
        let again = done.find_map(|place| place.of_role).map(|role| role.value());
        let role = again.filter(|_| self.random.permille(400)).unwrap_or(role);
        let role = if self.random.permille(30) { 1 + self.random.below(9) } else { role };
        let is_one = |id: &&u64| {
            let place = wardline_core::ids::ConversationId::new(**id);
            let place = place.and_then(|id| self.reference.ward.conversation(id));
            place.is_some_and(|place| place.of_role.is_some())
        };
        let all: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let mine: Vec<u64> = all.iter().filter(is_one).copied().collect();
        let any = if self.random.permille(60) { &all } else { &mine };
        let place = self.random.pick(any).copied();
        let ask = match (self.random.below(100), place) {
            (0..35, _) | (35..100, None) => Ask::OpenRoleInbox(proto::OpenRoleInbox { role }),
            (35..50, _) => Ask::LookAtRoleInbox(proto::LookAtRoleInbox { role }),
            (50..62, Some(conversation)) => Ask::FinishRoleInbox(proto::FinishRoleInbox { conversation }),
            (62..66, Some(conversation)) => {
                let archived = self.random.permille(500);
                Ask::Archive(proto::Archive { conversation, archived })
            }
            (66..80, Some(conversation)) => {
                return self.clients[index].receipt(conversation, true);
            }
            (_, Some(conversation)) => return self.write_letter(index, conversation),
            _ => return,
        };
        self.clients[index].ask(ask);
    }

    pub(crate) fn cover_inboxes(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acts = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let situation = match (body, refused) {
            (Ask::OpenRoleInbox(_), None) if acts(|act| matches!(act, Act::InboxOpened(..))) => {
                let added = expected.audits.iter().filter(|(_, act)| matches!(act, Act::MemberAdded(..)));
                if added.count() > 1 { Situation::InboxOpened } else { Situation::InboxOfNobody }
            }
            (Ask::OpenRoleInbox(_), None) if acts(|act| matches!(act, Act::InboxReopened(_))) => {
                Situation::InboxReopened
            }
            (Ask::OpenRoleInbox(_), None) => Situation::InboxKnown,
            (Ask::LookAtRoleInbox(_), None) if matches!(expected.answer, Some(Answer::Inbox(_))) => {
                Situation::InboxLookedAt
            }
            (Ask::FinishRoleInbox(_), None) if acts(|act| matches!(act, Act::InboxFinished(_))) => {
                Situation::InboxFinished
            }
            (Ask::FinishRoleInbox(_), Some(Code::NotRoleInbox)) => Situation::NotInboxRefused,
            (Ask::Submit(_), Some(Code::RoleInboxDone)) => Situation::InboxDoneRefused,
            (Ask::Submit(_), Some(Code::RoleInboxNoStat)) => Situation::InboxStatRefused,
            (Ask::ChangeMembers(_) | Ask::Archive(_) | Ask::Rename(_), Some(Code::InRoleInbox)) => {
                Situation::InboxAlterRefused
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// Shifts that have ended before a turn.
    pub(crate) fn before_turn(&mut self) -> Expected {
        let mut expected = Expected::default();
        if self.reference.inboxes_settle(self.now, &mut expected) {
            self.coverage.reach(Situation::InboxMovedFirst);
        }
        expected
    }

    /// What follows a turn, whatever it was.
    pub(crate) fn after_turn(
        &mut self,
        turn: &Turn,
        before: Expected,
        by_time: bool,
        expected: &mut Expected,
    ) -> Result<(), String> {
        expected.audits.extend(before.audits);
        let moved = self.reference.after_turn(self.now, turn, by_time, expected);
        let told = self.reference.verify_gaps(expected, turn)?;
        self.cover_after_turn(expected, moved, by_time, told);
        Ok(())
    }

    /// What followed a turn.
    pub(crate) fn cover_after_turn(&mut self, expected: &Expected, moved: bool, by_time: bool, told: usize) {
        if moved {
            let situation = if by_time { Situation::InboxMovedByShift } else { Situation::InboxMoved };
            self.coverage.reach(situation);
        }
        if self.reference.lobby.announced_to {
            self.coverage.reach(Situation::BroadcastMoved);
        }
        if expected.audits.iter().any(|(_, act)| matches!(act, Act::RoleGapFlagged(..))) {
            self.coverage.reach(Situation::GapFlagged);
        }
        if told > 0 {
            self.coverage.reach(Situation::GapTold);
        }
    }

    pub(crate) fn compare_inboxes(&self) -> Result<(), String> {
        let (state, ward) = (self.relay.state(), &self.reference.ward);
        for place in &ward.conversations {
            let known = state.inboxes.get(place.id);
            let told = known.map(|inbox| (Some(inbox.role), Some(inbox.writer)));
            let wanted = place.of_role.filter(|_| !place.purged).map(|role| (Some(role), place.owner));
            if told != wanted {
                return Err(format!("{} is another role's", place.id));
            }
        }
        let named: Vec<_> = state.broadcasts.to_restored().announcers;
        let mut wanted = ward.announcers.clone();
        wanted.sort_unstable();
        let policy = state.broadcasts.to_restored().policy;
        let policy = policy.map(|policy| (policy.unit_urgent, policy.facility_urgent));
        if (named, policy) != (wanted, ward.urgent) {
            return Err("others announce, or otherwise".to_owned());
        }
        for role in &ward.roles {
            let gaps: Vec<(i64, i64)> =
                state.inboxes.gaps_of(role.id).iter().map(|gap| (gap.start.0, gap.end.0)).collect();
            if gaps != ward.told_gaps_of(role.id) {
                return Err(format!("{} has other gaps", role.id));
            }
        }
        Ok(())
    }
}
