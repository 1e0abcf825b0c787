//! Mentions: whom a message means, of those who read it.
//!
//! The core never sees a text, so whom it names stands beside it. A role is named by whoever holds it at that moment and is in the
//! conversation: it is a person who is meant, and everybody sees who.
//!
//! Refuses to bring anybody in, or to ring: whoever is named reads what they read before, and is told that they are meant.

use minicbor::{Decode, Encode};

use crate::conversation::Conversation;
use crate::draft::Draft;
use crate::ids::{PersonId, RoleId};
use crate::limits;
use crate::refusal::Refusal;
use crate::wire::proto;

/// Somebody whom a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Mention {
    /// Who.
    #[n(0)]
    pub person: PersonId,
    /// As whoever held this role then.
    #[n(1)]
    pub role: Option<RoleId>,
}

/// Whom an author names: [`limits::MENTIONS_MAX`] in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    people: Vec<PersonId>,
    roles: Vec<RoleId>,
}

/// Bytes of one of them, as kept: two identifiers, big-endian; no role is 0.
const BYTES: usize = 16;

impl Named {
    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.roles.is_empty()
    }

    /// Whoever they are: whether they are in the conversation is asked later.
    pub fn parse(people: &[u64], roles: &[u64]) -> Result<Self, Refusal> {
        if people.len() + roles.len() > limits::MENTIONS_MAX {
            return Err(Refusal::TooManyMentions);
        }
        let person = |value: &u64| PersonId::new(*value).ok_or(Refusal::MentionedNotMember);
        let role = |value: &u64| RoleId::new(*value).ok_or(Refusal::NoSuchRole);
        Ok(Self {
            people: people.iter().map(person).collect::<Result<_, _>>()?,
            roles: roles.iter().map(role).collect::<Result<_, _>>()?,
        })
    }
}

impl Mention {
    fn to_wire(self) -> proto::Mention {
        proto::Mention { person: self.person.value(), role: self.role.map_or(0, RoleId::value) }
    }
}

/// As clients see them.
pub fn to_wire(mentions: &[Mention]) -> Vec<proto::Mention> {
    mentions.iter().map(|mention| mention.to_wire()).collect()
}

/// As a store keeps them.
pub fn to_bytes(mentions: &[Mention]) -> Vec<u8> {
    let numbers = mentions.iter().flat_map(|of| [of.person.value(), of.role.map_or(0, RoleId::value)]);
    numbers.flat_map(u64::to_be_bytes).collect()
}

/// Out of what a store keeps; none where it is damaged.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<Mention>> {
    let (all, []) = bytes.as_chunks::<BYTES>() else { return None };
    if all.len() > limits::MENTIONS_MAX {
        return None;
    }
    let mentions = all.iter().map(|one| {
        let number = u128::from_be_bytes(*one);
        let (person, role) = ((number >> 64) as u64, number as u64);
        let role = match role {
            0 => None,
            role => Some(RoleId::new(role)?),
        };
        Some(Mention { person: PersonId::new(person)?, role })
    });
    mentions.collect()
}

/// Whom they are, at this moment: each once, in the order in which they were named.
pub(crate) fn resolve(
    draft: &Draft<'_>,
    conversation: &Conversation,
    named: &Named,
) -> Result<Vec<Mention>, Refusal> {
    let is_member = |person: &PersonId| conversation.member(*person).is_some();
    let mut mentions: Vec<Mention> = Vec::with_capacity(named.people.len() + named.roles.len());
    for person in &named.people {
        let mention = Some(*person).filter(is_member).ok_or(Refusal::MentionedNotMember)?;
        mentions.push(Mention { person: mention, role: None });
    }
    for id in &named.roles {
        let role = draft.state.roles.get(id).ok_or(Refusal::NoSuchRole)?;
        let holder = role.holders(draft.state, draft.now.wall).find(is_member);
        let person = holder.ok_or(Refusal::MentionedRoleUnheld)?;
        mentions.push(Mention { person, role: Some(*id) });
    }
    let mut once = Vec::with_capacity(mentions.len());
    for mention in mentions {
        if !once.contains(&mention) {
            once.push(mention);
        }
    }
    Ok(once)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let ana = PersonId::from_random([1; 8]);
        let role = RoleId::from_random([2; 8]);
        let mentions = vec![Mention { person: ana, role: None }, Mention { person: ana, role: Some(role) }];
        let bytes = to_bytes(&mentions);
        assert_eq!(from_bytes(&bytes), Some(mentions));
        assert_eq!(from_bytes(&[]), Some(Vec::new()));
        for end in [1, 15, 17, 31] {
            assert_eq!(from_bytes(&bytes[..end]), None, "{end}");
        }
        assert_eq!(from_bytes(&[0; 16]), None, "nobody");
        assert_eq!(from_bytes(&[1; 16 * (limits::MENTIONS_MAX + 1)]), None, "too many");
        assert_eq!(from_bytes(&[0xff; 16]), None, "beyond every identifier");
    }
}
