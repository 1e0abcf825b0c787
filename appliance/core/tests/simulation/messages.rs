//! What people do to messages after they were said, and the check of who hears of it.

use wardline_core::ids::{Conn, ConversationId};
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::World;

impl World {
    /// Edits or recalls something, mostly of one's own; or asks for the last edit again.
    pub(crate) fn about_messages(&mut self, index: usize, place: u64) {
        let me = self.person_of(index).map_or(0, |person| person.value());
        let shown = self.clients[index].inbox.places.get(&place).map(|place| &place.shown);
        let all: Vec<(u64, u64, u32)> = shown
            .into_iter()
            .flatten()
            .map(|(sequence, shown)| (*sequence, shown.author, shown.version))
            .collect();
        let mine: Vec<_> =
            all.iter().filter(|(_, author, _)| *author == me || *author == 0).copied().collect();
        let from = if mine.is_empty() || self.random.permille(60) { &all } else { &mine };
        let newest = from.len().saturating_sub(4);
        let few = if self.random.permille(700) { &from[newest..] } else { &from[..] };
        let Some((sequence, _, version)) = self.random.pick(few).copied() else { return };
        let conversation = place;
        let edit: [u8; 16] = self.random.bytes();
        let client = &mut self.clients[index];
        let text = format!("{} means {}", client.name, edit[0]);
        let (version, edit) = (version.wrapping_add(1), edit.to_vec());
        let edit = proto::EditMessage { conversation, sequence, version, edit, text };
        match self.random.below(10) {
            0..6 => {
                client.edited = Some(edit.clone());
                client.ask(Ask::EditMessage(edit));
            }
            // Both at once: the doorway may look for the second before the first is on disk.
            6 => {
                client.ask(Ask::RecallMessage(proto::RecallMessage { conversation, sequence }));
                client.ask(Ask::EditMessage(edit));
            }
            7 => client.ask(Ask::RecallMessage(proto::RecallMessage { conversation, sequence })),
            _ => {
                if let Some(edit) = client.edited.clone() {
                    client.ask(Ask::EditMessage(edit));
                }
            }
        }
    }

    /// Something that a letter may answer: mostly what its author has seen.
    pub(crate) fn some_reply(&mut self, index: usize, place: u64) -> u64 {
        if !self.random.permille(250) {
            return 0;
        }
        if self.random.permille(100) {
            return 1 + self.random.below(40);
        }
        let shown = self.clients[index].inbox.places.get(&place).map(|place| &place.shown);
        let all: Vec<u64> = shown.into_iter().flatten().map(|(sequence, _)| *sequence).collect();
        self.random.pick(&all).copied().unwrap_or(0)
    }

    /// An alteration goes to every attached connection of every member who may read the message, and to no other.
    pub(crate) fn verify_alteration(
        &mut self,
        message: &proto::Message,
        conns: &[Conn],
    ) -> Result<(), String> {
        let place = ConversationId::new(message.conversation).ok_or("no conversation")?;
        self.verify_readers(place, message.sequence, conns)?;
        let conversation = self.reference.ward.conversation(place).ok_or("an alteration of nowhere")?;
        if conversation.members.iter().any(|member| !member.left && member.from > message.sequence) {
            self.coverage.reach(Situation::AlterationKeptFromLateJoiner);
        }
        if !message.text.is_empty() {
            return Err("a text in the core's hands".to_owned());
        }
        if !message.reactions.is_empty() {
            return Err("another text with what was put to the one before it".to_owned());
        }
        Ok(())
    }

    /// These are the attached connections of whoever may read the message.
    pub(crate) fn verify_readers(
        &self,
        place: ConversationId,
        sequence: u64,
        conns: &[Conn],
    ) -> Result<(), String> {
        let conversation = self.reference.ward.conversation(place).ok_or("a change of nothing")?;
        let may = |from: u64| from <= sequence;
        let members = conversation.members.iter().filter(|member| !member.left && may(member.from));
        let mut wanted: Vec<Conn> =
            members.flat_map(|member| self.reference.attached(member.person)).collect();
        wanted.sort_unstable();
        let mut found = conns.to_vec();
        found.sort_unstable();
        if wanted != found {
            return Err(format!("what became of a message goes to {found:?}, not {wanted:?}"));
        }
        Ok(())
    }

    pub(crate) fn cover_messages(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::EditMessage(_), None) if changed => Situation::Edited,
            (Ask::EditMessage(_), None) => Situation::EditAnsweredAgain,
            (Ask::EditMessage(_), Some(Code::EditTooLate)) => Situation::EditTooLate,
            (Ask::EditMessage(_), Some(Code::EditedMeanwhile)) => Situation::EditedMeanwhile,
            (Ask::EditMessage(_), Some(Code::MessageRecalled)) => Situation::EditAfterRecall,
            (Ask::EditMessage(_), Some(Code::StatNotEdited)) => Situation::StatNotEdited,
            (Ask::EditMessage(_), Some(Code::NoSuchConversation)) => Situation::EditAfterPutOut,
            (Ask::EditMessage(_), Some(Code::Archived | Code::ThreadClosed)) => Situation::EditOfClosed,
            (Ask::EditMessage(_) | Ask::RecallMessage(_), Some(Code::NotPermitted)) => {
                Situation::NotTheAuthor
            }
            (Ask::EditMessage(_) | Ask::RecallMessage(_), Some(Code::NoSuchMessage)) => {
                Situation::AlterationOfNothing
            }
            (Ask::RecallMessage(_), None) if changed => Situation::Recalled,
            (Ask::RecallMessage(_), None) => Situation::RecalledAgain,
            (Ask::RecallMessage(_), Some(Code::StatOpen)) => Situation::StatOpenNotRecalled,
            (Ask::Submit(submit), None) if submit.reply_to > 0 && changed => Situation::Replied,
            (Ask::Submit(_), Some(Code::NoSuchMessage)) => Situation::ReplyRefused,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
