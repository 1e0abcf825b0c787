//! The reference's rules for what an author does to a message afterwards.

use wardline_core::audit::Act;
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::{self, Priority, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference, Saying};
use crate::reference_ward::Circumstances;

const EDIT_MS: u64 = 900_000;
const RECALL_MS: u64 = 86_400_000;
/// The box looks at the time once a minute: so long it may take a message for younger.
const SLACK_MS: u64 = 61_000;

/// Whether a message is too old.
enum Old {
    No,
    Perhaps,
    Yes,
}

impl Reference {
    /// The message, if this person may do anything to it.
    fn saying(
        &self,
        me: PersonId,
        of: (ConversationId, u64),
        around: &Circumstances,
    ) -> Result<&Saying, Code> {
        let saying = self.readable(me, of, around)?;
        if saying.author == me { Ok(saying) } else { Err(Code::NotPermitted) }
    }

    /// The message, if this person may read it.
    pub(crate) fn readable(
        &self,
        me: PersonId,
        (place, sequence): (ConversationId, u64),
        around: &Circumstances,
    ) -> Result<&Saying, Code> {
        let member = self.ward.member(place, me).ok_or(Code::NoSuchConversation)?;
        let conversation = self.ward.conversation(place).ok_or(Code::NoSuchConversation)?;
        if conversation.purged {
            return Err(Code::Purged);
        }
        let readable = sequence >= member.from.max(conversation.expired_through + 1);
        let index = usize::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(1));
        let saying =
            index.filter(|_| readable && around.found).and_then(|index| conversation.said.get(index));
        saying.ok_or(Code::NoSuchMessage)
    }

    fn old(&self, now: Now, (place, sequence): (ConversationId, u64), saying: &Saying, limit: u64) -> Old {
        let taken = self.ward.conversation(place).map(|place| place.taken[sequence as usize - 1]);
        let since = |then: u64| now.mono.0.saturating_sub(then);
        if saying.run == self.run.0 {
            let age = since(taken.map_or(0, |taken| taken.0));
            if age < limit {
                Old::No
            } else if age < limit + SLACK_MS {
                Old::Perhaps
            } else {
                Old::Yes
            }
        } else {
            let by_wall = u64::try_from(now.wall.0 - saying.at.0).unwrap_or(0);
            if by_wall.max(since(self.run.1.0)) >= limit { Old::Yes } else { Old::No }
        }
    }

    pub(crate) fn edit(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        edit: &proto::EditMessage,
        around: &Circumstances,
    ) -> Expected {
        let Some(place) = ConversationId::new(edit.conversation) else { return Expected::default() };
        let of = (place, edit.sequence);
        let saying = match self.saying(me, of, around) {
            Ok(saying) => saying,
            Err(code) => return Expected::refused(code),
        };
        if saying.recalled {
            return Expected::refused(Code::MessageRecalled);
        }
        if saying.edits > 0 && saying.edit == edit.edit {
            return Expected::answered(Answer::Done);
        }
        if self.ward.is_held(place) {
            return Expected::refused(Code::KeptAsWritten);
        }
        if saying.order {
            return Expected::refused(Code::OrderAsSent);
        }
        if saying.stat {
            return Expected::refused(Code::StatNotEdited);
        }
        if let Some(closed) = self.ward.conversation(place).filter(|place| place.archived) {
            return Expected::refused(closed.closed());
        }
        if let Some(code) = self.announces_wrongly(place, me, Priority::Routine) {
            return Expected::refused(code);
        }
        if saying.edits == 10 {
            return Expected::refused(Code::EditsSpent);
        }
        if edit.version != saying.edits + 1 {
            return Expected::refused(Code::EditedMeanwhile);
        }
        match self.old(now, of, saying, EDIT_MS) {
            Old::Yes => return Expected::refused(Code::EditTooLate),
            Old::Perhaps if around.chosen.too_late => return Expected::refused(Code::EditTooLate),
            _ => {}
        }
        if self.lobby.disk_low {
            return Expected::refused(Code::DiskLow);
        }
        if !around.sealed {
            return Expected::refused(Code::Unavailable);
        }
        let mut expected = Expected::answered(Answer::Done);
        let act = Act::MessageEdited(place, Sequence(edit.sequence), edit.version);
        expected.audits.push((self.actor(device), act));
        if let Some(saying) = self.saying_mut(of) {
            (saying.edits, saying.edit) = (edit.version, edit.edit.clone());
            saying.text.clone_from(&edit.text);
            saying.reactions.clear();
        }
        expected
    }

    pub(crate) fn recall(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        of: (ConversationId, u64),
        around: &Circumstances,
    ) -> Expected {
        let saying = match self.saying(me, of, around) {
            Ok(saying) => saying,
            Err(code) => return Expected::refused(code),
        };
        let mut expected = Expected::answered(Answer::Done);
        if saying.recalled {
            return expected;
        }
        if self.ward.is_held(of.0) {
            return Expected::refused(Code::KeptAsWritten);
        }
        if saying.order {
            return Expected::refused(Code::OrderAsSent);
        }
        if self.ward.stats.iter().any(|stat| (stat.place, stat.sequence) == of) {
            return Expected::refused(Code::StatOpen);
        }
        match self.old(now, of, saying, RECALL_MS) {
            Old::Yes => return Expected::refused(Code::RecallTooLate),
            Old::Perhaps if around.chosen.too_late => return Expected::refused(Code::RecallTooLate),
            _ => {}
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let act = Act::MessageRecalled(of.0, Sequence(of.1));
        expected.audits.push((self.actor(device), act));
        self.tasks_gone(of.0, of.1..=of.1);
        if let Some(saying) = self.saying_mut(of) {
            saying.recalled = true;
            saying.text.clear();
            saying.mentions.clear();
            saying.reactions.clear();
        }
        expected
    }

    pub(crate) fn saying_mut(&mut self, (place, sequence): (ConversationId, u64)) -> Option<&mut Saying> {
        let index = usize::try_from(sequence).ok()?.checked_sub(1)?;
        self.ward.conversation_mut(place)?.said.get_mut(index)
    }
}
