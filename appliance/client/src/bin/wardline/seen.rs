//! Up to where everything of each conversation was on this screen. A "read" covers all that is before it, so it may go
//! no further than that.

use std::collections::{BTreeMap, BTreeSet};

use wardline_client::event::{Conversation, Watermark};
use wardline_client::{ConversationId, PersonId, Sequence};

/// What was seen of one conversation: all up to a sequence, and some beyond a hole.
#[derive(Default)]
struct Marks {
    upto: u64,
    ahead: BTreeSet<u64>,
}

/// What was seen, here or on another device of the person.
pub(crate) struct Seen {
    me: PersonId,
    conversations: BTreeMap<ConversationId, Marks>,
}

impl Marks {
    /// True when it rose.
    fn raise(&mut self, upto: u64) -> bool {
        let before = self.upto;
        self.upto = self.upto.max(upto);
        while self.ahead.remove(&(self.upto + 1)) {
            self.upto += 1;
        }
        let now = self.upto;
        self.ahead.retain(|at| *at > now);
        now > before
    }
}

impl Seen {
    pub(crate) fn new<'a>(me: PersonId, known: impl IntoIterator<Item = &'a Conversation>) -> Self {
        let mut seen = Self { me, conversations: BTreeMap::new() };
        known.into_iter().for_each(|conversation| seen.knows(conversation));
        seen
    }

    /// What a conversation says of itself: what the person has read, and what nobody can read any more.
    pub(crate) fn knows(&mut self, conversation: &Conversation) {
        let mine = conversation.members.iter().find(|member| member.person == self.me);
        let read = mine.map_or(0, |mine| mine.read.0).max(conversation.first.0.saturating_sub(1));
        self.conversations.entry(conversation.id).or_default().raise(read);
    }

    /// The person read on another device.
    pub(crate) fn watermark(&mut self, watermark: &Watermark) {
        if watermark.member.person == self.me {
            self.conversations.entry(watermark.conversation).or_default().raise(watermark.member.read.0);
        }
    }

    /// A message is on the screen. Up to where the person has seen everything, if that is further than before.
    pub(crate) fn shown(&mut self, conversation: ConversationId, sequence: Sequence) -> Option<Sequence> {
        let marks = self.conversations.entry(conversation).or_default();
        if sequence.0 > marks.upto {
            marks.ahead.insert(sequence.0);
        }
        let upto = marks.upto;
        marks.raise(upto).then_some(Sequence(marks.upto))
    }

    /// Nothing before this one can be read any more.
    pub(crate) fn begins(&mut self, conversation: ConversationId, first: Sequence) {
        self.conversations.entry(conversation).or_default().raise(first.0.saturating_sub(1));
    }

    /// Up to where everything was seen.
    pub(crate) fn upto(&self, conversation: ConversationId) -> Sequence {
        Sequence(self.conversations.get(&conversation).map_or(0, |marks| marks.upto))
    }
}

#[cfg(test)]
mod tests {
    use wardline_client::event::{Kind, Member};

    use super::*;

    fn ward(read: u64, first: u64) -> Conversation {
        let me = PersonId::new(1).unwrap();
        Conversation {
            id: ConversationId::new(7).unwrap(),
            kind: Kind::Group,
            title: "ward".to_owned(),
            members: vec![Member { person: me, delivered: Sequence(read), read: Sequence(read) }],
            last: Sequence(99),
            first: Sequence(first),
            purged: false,
            unit: None,
            archived: false,
            about: None,
            family: None,
            writer: None,
        }
    }

    #[test]
    fn nothing_is_read_beyond_a_hole_until_it_is_filled() {
        let ward = ward(4, 1);
        let mut seen = Seen::new(PersonId::new(1).unwrap(), [&ward]);
        assert_eq!(seen.shown(ward.id, Sequence(5)), Some(Sequence(5)));
        assert_eq!(seen.shown(ward.id, Sequence(5)), None);
        for beyond in [8, 9, 10] {
            assert_eq!(seen.shown(ward.id, Sequence(beyond)), None);
        }
        assert_eq!(seen.shown(ward.id, Sequence(7)), None);
        assert_eq!(seen.shown(ward.id, Sequence(6)), Some(Sequence(10)));
        assert_eq!(seen.upto(ward.id), Sequence(10));
    }

    #[test]
    fn what_cannot_be_read_any_more_is_no_hole() {
        let mut seen = Seen::new(PersonId::new(1).unwrap(), [&ward(0, 20)]);
        let id = ward(0, 1).id;
        assert_eq!(seen.shown(id, Sequence(21)), None);
        assert_eq!(seen.shown(id, Sequence(20)), Some(Sequence(21)));
        seen.begins(id, Sequence(31));
        assert_eq!(seen.shown(id, Sequence(31)), Some(Sequence(31)));
    }
}
