//! Who talks with whom: the same for whatever is measured.

use serde::{Deserialize, Serialize};

/// How large the world is. People are numbered from 0, and so are conversations: first the pairs, then the groups, and
/// last the one whose messages somebody has missed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// People, one device each.
    pub(crate) people: usize,
    /// Direct conversations: pair `p` is between people 2p and 2p + 1.
    pub(crate) pairs: usize,
    /// Members of each group: people from 0 on.
    pub(crate) groups: Vec<usize>,
    /// Messages in the direct conversation of the last two people, which the very last has not got.
    pub(crate) missed: usize,
}

impl Shape {
    /// What `make bench` measures: 100 pairs, the groups of the acceptance list, 5,000 people.
    pub(crate) fn usual() -> Self {
        Self { people: 5_002, pairs: 100, groups: vec![2, 50, 300, 500], missed: 5_000 }
    }

    /// Small enough for a test, with everything in it.
    pub(crate) fn small() -> Self {
        Self { people: 14, pairs: 4, groups: vec![2, 6], missed: 40 }
    }

    /// How many conversations there are.
    pub(crate) fn conversations(&self) -> usize {
        self.pairs + self.groups.len() + 1
    }

    /// The group with so many members.
    pub(crate) fn group(&self, members: usize) -> Option<usize> {
        self.groups.iter().position(|group| *group == members).map(|at| self.pairs + at)
    }

    /// The conversation with the missed messages.
    pub(crate) fn missed_conversation(&self) -> usize {
        self.conversations() - 1
    }

    /// Who has missed them.
    pub(crate) fn misser(&self) -> usize {
        self.people - 1
    }

    /// Who is in a conversation.
    pub(crate) fn members(&self, conversation: usize) -> Vec<usize> {
        if conversation < self.pairs {
            vec![2 * conversation, 2 * conversation + 1]
        } else if let Some(members) = self.groups.get(conversation - self.pairs) {
            (0..*members).collect()
        } else {
            vec![self.people - 2, self.people - 1]
        }
    }

    /// Where a person is a member.
    pub(crate) fn of(&self, person: usize) -> Vec<usize> {
        (0..self.conversations()).filter(|at| self.members(*at).contains(&person)).collect()
    }
}
