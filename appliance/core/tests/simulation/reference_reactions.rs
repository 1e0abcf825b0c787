//! The reference's rules for whom a message names and what is put to it.

use wardline_core::audit::Act;
use wardline_core::ids::{ConversationId, DeviceId, PersonId, RoleId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_ward::Circumstances;

impl Reference {
    /// Person and role (0: none), each once, in the order in which they are named.
    pub(crate) fn named(
        &self,
        now: Now,
        place: ConversationId,
        submit: &proto::Submit,
    ) -> Result<Vec<(u64, u64)>, Code> {
        let mut named: Vec<(u64, u64)> = Vec::new();
        for who in &submit.mention_people {
            let person = PersonId::new(*who).ok_or(Code::MentionedNotMember)?;
            self.ward.member(place, person).ok_or(Code::MentionedNotMember)?;
            named.push((*who, 0));
        }
        for which in &submit.mention_roles {
            let id = RoleId::new(*which).ok_or(Code::NoSuchRole)?;
            let role = self.ward.role(id).ok_or(Code::NoSuchRole)?;
            let holders = self.ward.holders(role, now.wall);
            let here = holders.into_iter().find(|who| self.ward.member(place, *who).is_some());
            named.push((here.ok_or(Code::MentionedRoleUnheld)?.value(), *which));
        }
        let mut once = Vec::new();
        for one in named {
            if !once.contains(&one) {
                once.push(one);
            }
        }
        Ok(once)
    }

    pub(crate) fn react(
        &mut self,
        device: DeviceId,
        me: PersonId,
        react: &proto::React,
        around: &Circumstances,
    ) -> Expected {
        let place = ConversationId::new(react.conversation).expect("parsed before");
        let of = (place, react.sequence);
        let saying = match self.readable(me, of, around) {
            Ok(saying) => saying,
            Err(code) => return Expected::refused(code),
        };
        if self.ward.conversation(place).is_some_and(|place| place.of_house) {
            return Expected::refused(Code::BroadcastNoReactions);
        }
        if saying.recalled {
            return Expected::refused(Code::MessageRecalled);
        }
        let mut expected = Expected::answered(Answer::Done);
        let mine = (me.value(), react.reaction);
        if saying.reactions.contains(&mine) != react.taken_back {
            return expected;
        }
        if react.taken_back {
            if self.ward.is_held(place) {
                return Expected::refused(Code::KeptAsWritten);
            }
            if self.lobby.disk_scarce {
                return Expected::refused(Code::DiskLow);
            }
        } else {
            if self.ward.stats.iter().any(|stat| (stat.place, stat.sequence) == of) {
                return Expected::refused(Code::StatWantsAnswer);
            }
            if let Some(closed) = self.ward.conversation(place).filter(|place| place.archived) {
                return Expected::refused(closed.closed());
            }
            if self.lobby.disk_low {
                return Expected::refused(Code::DiskLow);
            }
        }
        let kind = react.reaction as u32;
        let act = if react.taken_back {
            Act::ReactionTakenBack(place, Sequence(react.sequence), kind)
        } else {
            Act::ReactionGiven(place, Sequence(react.sequence), kind)
        };
        expected.audits.push((self.actor(device), act));
        if let Some(saying) = self.saying_mut(of) {
            saying.reactions.retain(|one| *one != mine);
            if !react.taken_back {
                saying.reactions.push(mine);
                saying.reactions.sort_unstable();
            }
        }
        expected
    }
}
