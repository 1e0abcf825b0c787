//! Whom messages name, what people put to them, and the check of who hears of it.

use wardline_core::ids::{Conn, ConversationId};
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::World;

impl World {
    /// Whom a letter names: mostly nobody; members, sometimes somebody else, sometimes a role.
    pub(crate) fn some_mentions(&mut self, index: usize, place: u64) -> (Vec<u64>, Vec<u64>) {
        let (mut people, mut roles) = (Vec::new(), Vec::new());
        if !self.random.permille(200) {
            return (people, roles);
        }
        let members = self.clients[index].inbox.places.get(&place).map(|place| &place.members);
        let members: Vec<u64> = members.into_iter().flatten().map(|(person, _)| *person).collect();
        let all: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        for _ in 0..1 + self.random.below(2) {
            let from = if self.random.permille(100) { &all } else { &members };
            people.extend(self.random.pick(from).copied());
        }
        if self.random.permille(400) {
            if self.random.permille(500) {
                people.clear();
            }
            let known: Vec<u64> = self.reference.ward.roles.iter().map(|role| role.id.value()).collect();
            roles.extend(self.random.pick(&known).copied());
        }
        (people, roles)
    }

    /// Puts something to a message, or takes it back.
    pub(crate) fn react(&mut self, index: usize, place: u64) {
        let me = self.people[self.clients[index].person].map_or(0, |person| person.value());
        // What is held keeps what was put to it: there are few of those.
        let places: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let held = places.into_iter().find(|place| self.is_held(*place));
        let in_held = held.filter(|_| self.random.permille(300));
        let place = in_held.unwrap_or(place);
        let shown = self.clients[index].inbox.places.get(&place).map(|place| &place.shown);
        let all: Vec<(u64, Vec<i32>)> = shown
            .into_iter()
            .flatten()
            .map(|(sequence, shown)| {
                let told = shown.reactions.iter().flatten().filter(|(person, _)| *person == me);
                (*sequence, told.map(|(_, kind)| *kind).collect())
            })
            .collect();
        let newest = all.len().saturating_sub(4);
        let few = if self.random.permille(800) { &all[newest..] } else { &all[..] };
        let mine: Vec<_> = all.iter().filter(|(_, mine)| !mine.is_empty()).cloned().collect();
        let taken_back = self.random.permille(if mine.is_empty() { 50 } else { 500 });
        let from = if taken_back && !mine.is_empty() { &mine[..] } else { few };
        let Some((sequence, mine)) = self.random.pick(from).cloned() else { return };
        let sequence = if self.random.permille(30) { 1 + self.random.below(40) } else { sequence };
        let given = self.random.pick(&mine).copied().filter(|_| self.random.permille(900));
        let reaction = given.unwrap_or_else(|| 1 + self.random.below(6) as i32);
        let conversation = place;
        let react = proto::React { conversation, sequence, reaction, taken_back };
        self.clients[index].ask(Ask::React(react));
        // Twice at once, or one text behind the other: the doorway may look before the first is on disk.
        match self.random.below(8) {
            0 => self.clients[index].ask(Ask::React(react)),
            1 => {
                let recall = proto::RecallMessage { conversation, sequence };
                self.clients[index].ask(Ask::RecallMessage(recall));
                self.clients[index].ask(Ask::React(react));
            }
            // And what is held is not taken back.
            2..=5 if self.is_held(conversation) => {
                self.clients[index].ask(Ask::React(proto::React { taken_back: true, ..react }));
            }
            _ => {}
        }
    }

    /// What was put to a message goes to every attached connection of every member who may read it, and to no other; and it is
    /// what the reference has, all of it.
    pub(crate) fn verify_reactions(
        &mut self,
        told: &proto::MessageReactions,
        conns: &[Conn],
    ) -> Result<(), String> {
        let place = ConversationId::new(told.conversation).ok_or("no conversation")?;
        self.verify_readers(place, told.sequence, conns)?;
        let conversation = self.reference.ward.conversation(place).ok_or("a reaction to nothing")?;
        let said = conversation.said.get(told.sequence as usize - 1).ok_or("a reaction to nothing")?;
        if flat(&told.reactions) != said.reactions {
            return Err(format!(
                "told that {:?} was put to it, not {:?}",
                told.reactions.len(),
                said.reactions
            ));
        }
        if conversation.members.iter().any(|member| !member.left && member.from > told.sequence) {
            self.coverage.reach(Situation::ReactionKeptFromLateJoiner);
        }
        Ok(())
    }

    pub(crate) fn cover_reactions(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::React(react), None) if changed && react.taken_back => Situation::ReactionTakenBack,
            (Ask::React(_), None) if changed => Situation::Reacted,
            (Ask::React(_), None) => Situation::ReactedAgain,
            (Ask::React(_), Some(Code::StatWantsAnswer)) => Situation::StatNotReactedTo,
            (Ask::React(_), Some(Code::MessageRecalled)) => Situation::ReactionAfterRecall,
            (Ask::React(_), Some(Code::NoSuchMessage)) => Situation::ReactionToNothing,
            (Ask::React(_), Some(Code::Archived | Code::ThreadClosed)) => Situation::ReactionOfClosed,
            (Ask::React(_), Some(Code::KeptAsWritten)) => Situation::ReactionHeldBack,
            (Ask::Submit(submit), None) if changed && !submit.mention_roles.is_empty() => {
                Situation::MentionedByRole
            }
            (Ask::Submit(submit), None) if changed && !submit.mention_people.is_empty() => {
                Situation::Mentioned
            }
            (Ask::Submit(_), Some(Code::MentionedNotMember)) => Situation::MentionRefused,
            (Ask::Submit(_), Some(Code::MentionedRoleUnheld)) => Situation::MentionedRoleUnheld,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}

/// Person and kind, in order.
pub(crate) fn flat(reactions: &[proto::Reaction]) -> Vec<(u64, i32)> {
    let each = |told: &proto::Reaction| told.people.iter().map(|who| (*who, told.kind)).collect::<Vec<_>>();
    let mut all: Vec<(u64, i32)> = reactions.iter().flat_map(each).collect();
    all.sort_unstable();
    all
}
