//! What a device signs about an order: the order itself, a read-back, and what the author says to that.
//!
//! As with answers to a STAT ([`crate::escalation::signed`]): a [`ProvenDeed`] can be had from a signature that verified alone, the core does
//! what was signed, and what was signed is kept for whoever may read the order. A text is signed by its SHA-256, the message by its name:
//! the place that it will have is not known when it is signed.

use std::fmt;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::directory::PublicKey;
use crate::escalation::StatId;
use crate::ids::{ConversationId, DeviceId, MessageId, PersonId, Sequence};
use crate::kept;
use crate::order::Sort;
use crate::session::Verifier;
use crate::text::Text;
use crate::time::Wall;
use crate::wire::proto;

/// What everything signed about orders begins with: no other signature of a device does.
const CONTEXT: &[u8] = b"wardline/1 order\0";

/// What is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Deed {
    /// An order.
    #[n(0)]
    Give {
        /// Whom it is for; none: anybody of the care team.
        #[n(0)]
        to: Option<PersonId>,
    },
    /// One in place of an earlier one.
    #[n(1)]
    Correct {
        /// Which.
        #[n(0)]
        of: Sequence,
        /// Whom it is for.
        #[n(1)]
        to: Option<PersonId>,
    },
    /// An earlier one is not to be done.
    #[n(2)]
    Cancel {
        /// Which.
        #[n(0)]
        of: Sequence,
        /// Whom it is for.
        #[n(1)]
        to: Option<PersonId>,
    },
    /// What somebody has understood.
    #[n(3)]
    ReadBack {
        /// Of which order.
        #[n(0)]
        of: Sequence,
    },
    /// That is right.
    #[n(4)]
    Confirm {
        /// Of which order.
        #[n(0)]
        of: Sequence,
        /// What was read back.
        #[n(1)]
        read_back: Sequence,
    },
    /// That is wrong.
    #[n(5)]
    Wrong {
        /// Of which order.
        #[n(0)]
        of: Sequence,
        /// What was read back.
        #[n(1)]
        read_back: Sequence,
    },
}

/// The message by which something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Words {
    /// Its name.
    #[n(0)]
    pub message: MessageId,
    /// SHA-256 of its text.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub text: [u8; 32],
}

/// All that a device signs of it.
pub struct Statement<'a> {
    /// SHA-256 of the facility's root certificate.
    pub facility: &'a [u8; 32],
    /// Which device says it.
    pub device: DeviceId,
    /// In which thread.
    pub conversation: ConversationId,
    /// In which words; of what is said to a read-back none.
    pub words: Option<Words>,
    /// What.
    pub deed: Deed,
    /// When, by the device's clock.
    pub at: Wall,
}

/// Something signed as it came: not looked at yet.
pub struct Unproven {
    /// What.
    pub deed: Deed,
    /// When, by the device's clock.
    pub at: Wall,
    /// To be verified.
    pub signature: Vec<u8>,
}

/// What is said about an order, with a signature that verified or without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// What its device signed.
    Signed(Box<ProvenDeed>),
    /// What it ought to have signed, and has not: refused.
    Unsigned(Deed),
}

/// A deed whose signature verified under the key that this connection was proven with.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenDeed {
    conversation: ConversationId,
    device: DeviceId,
    key: PublicKey,
    words: Option<Words>,
    deed: Deed,
    at: Wall,
    signature: [u8; 64],
}

/// What was signed about an order as it is kept, with all that it takes to verify it but the facility and the text.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedDeed {
    /// About which order.
    #[n(0)]
    pub id: StatId,
    /// Whose device.
    #[n(1)]
    pub person: PersonId,
    /// Which device.
    #[n(2)]
    pub device: DeviceId,
    /// Its key at that moment.
    #[n(3)]
    pub key: PublicKey,
    /// What.
    #[n(4)]
    pub deed: Deed,
    /// The words it was said in.
    #[n(5)]
    pub words: Option<Words>,
    /// The place of the message that says it.
    #[n(6)]
    pub said: Option<Sequence>,
    /// When, by the device's clock: signed, and nothing goes by it.
    #[n(7)]
    pub at: Wall,
    /// When the box took it, by its own.
    #[n(8)]
    pub taken: Wall,
    /// r || s.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Deed {
    /// The wire's number, the order it is about, what was read back, and whom it is for.
    pub fn parts(self) -> (proto::OrderDeed, Sequence, Sequence, Option<PersonId>) {
        let none = Sequence::NONE;
        match self {
            Self::Give { to } => (proto::OrderDeed::Give, none, none, to),
            Self::Correct { of, to } => (proto::OrderDeed::Correct, of, none, to),
            Self::Cancel { of, to } => (proto::OrderDeed::Cancel, of, none, to),
            Self::ReadBack { of } => (proto::OrderDeed::ReadBack, of, none, None),
            Self::Confirm { of, read_back } => (proto::OrderDeed::Confirm, of, read_back, None),
            Self::Wrong { of, read_back } => (proto::OrderDeed::Wrong, of, read_back, None),
        }
    }

    /// Of what the wire has; none where a part is missing or too much.
    pub fn from_parts(
        deed: proto::OrderDeed,
        of: Sequence,
        read_back: Sequence,
        to: Option<PersonId>,
    ) -> Option<Self> {
        let said = match deed {
            proto::OrderDeed::Unspecified => return None,
            proto::OrderDeed::Give => Self::Give { to },
            proto::OrderDeed::Correct => Self::Correct { of, to },
            proto::OrderDeed::Cancel => Self::Cancel { of, to },
            proto::OrderDeed::ReadBack => Self::ReadBack { of },
            proto::OrderDeed::Confirm => Self::Confirm { of, read_back },
            proto::OrderDeed::Wrong => Self::Wrong { of, read_back },
        };
        let about = said.of().is_none_or(|of| of > Sequence::NONE);
        (about && said.parts() == (deed, of, read_back, to)).then_some(said)
    }

    /// The order that it is about; of a new one none.
    pub fn of(self) -> Option<Sequence> {
        match self {
            Self::Give { .. } => None,
            Self::Correct { of, .. }
            | Self::Cancel { of, .. }
            | Self::ReadBack { of }
            | Self::Confirm { of, .. }
            | Self::Wrong { of, .. } => Some(of),
        }
    }

    /// What sort of order it is, whom it is for, and which earlier one it replaces; none: it is none.
    pub(crate) fn gives(self) -> Option<(Sort, Option<PersonId>, Option<Sequence>)> {
        match self {
            Self::Give { to } => Some((Sort::New, to, None)),
            Self::Correct { of, to } => Some((Sort::Correction, to, Some(of))),
            Self::Cancel { of, to } => Some((Sort::Cancellation, to, Some(of))),
            _ => None,
        }
    }

    /// As a part of a message.
    pub fn to_part(self) -> proto::OrderPart {
        let (deed, of, _, to) = self.parts();
        let (of, to) = (of.0, to.map_or(0, PersonId::value));
        proto::OrderPart { deed: deed.into(), of, to, at: 0, signature: Vec::new() }
    }
}

impl Words {
    /// Those of a message.
    pub fn of(message: MessageId, text: &str) -> Self {
        Self { message, text: Sha256::digest(text.as_bytes()).into() }
    }
}

impl Statement<'_> {
    /// The bytes that are signed: context || facility || device || conversation || name of the message || SHA-256 of its text || what || the
    /// order it is about || what was read back || for whom || when. Numbers are big-endian; what there is not is zero.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [CONTEXT, self.facility].concat();
        bytes.extend_from_slice(&self.device.value().to_be_bytes());
        bytes.extend_from_slice(&self.conversation.value().to_be_bytes());
        let (message, text) = self.words.map_or(([0; 16], [0; 32]), |words| (words.message.0, words.text));
        bytes.extend_from_slice(&message);
        bytes.extend_from_slice(&text);
        let (deed, of, read_back, to) = self.deed.parts();
        bytes.push(deed as u8);
        for number in [of.0, read_back.0, to.map_or(0, PersonId::value), self.at.0.cast_unsigned()] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

impl Unproven {
    /// What is said in a message, signed if this device signed it with this key.
    pub fn of_message(
        self,
        verifier: &impl Verifier,
        facility: &[u8; 32],
        by: Option<(DeviceId, PublicKey)>,
        conversation: ConversationId,
        (message, text): (MessageId, &Text),
    ) -> Said {
        self.verify(verifier, facility, by, conversation, Some(Words::of(message, text.reveal())))
    }

    /// What is said to a read-back, the same.
    pub fn of_answer(
        self,
        verifier: &impl Verifier,
        facility: &[u8; 32],
        by: Option<(DeviceId, PublicKey)>,
        conversation: ConversationId,
    ) -> Said {
        self.verify(verifier, facility, by, conversation, None)
    }

    fn verify(
        self,
        verifier: &impl Verifier,
        facility: &[u8; 32],
        by: Option<(DeviceId, PublicKey)>,
        conversation: ConversationId,
        words: Option<Words>,
    ) -> Said {
        let Self { deed, at, signature } = self;
        let (Some((device, key)), Ok(signature)) = (by, <[u8; 64]>::try_from(signature)) else {
            return Said::Unsigned(deed);
        };
        let signed = Statement { facility, device, conversation, words, deed, at }.to_bytes();
        if !verifier.p256(&key, &signed, &signature) {
            return Said::Unsigned(deed);
        }
        Said::Signed(Box::new(ProvenDeed { conversation, device, key, words, deed, at, signature }))
    }
}

impl Said {
    /// What is said, whoever says it.
    pub(crate) fn deed(&self) -> Deed {
        match self {
            Self::Signed(proven) => proven.deed,
            Self::Unsigned(deed) => *deed,
        }
    }

    /// The proof, if it is this device's of this message in this conversation: a signature that verified once is worth nothing elsewhere.
    pub(crate) fn proven(
        self,
        conversation: ConversationId,
        message: Option<MessageId>,
        device: DeviceId,
        key: &PublicKey,
    ) -> Option<ProvenDeed> {
        let Self::Signed(proven) = self else { return None };
        let same = proven.conversation == conversation && proven.words.map(|words| words.message) == message;
        (same && proven.device == device && proven.key == *key).then_some(*proven)
    }
}

impl ProvenDeed {
    pub(crate) fn keep(
        self,
        id: StatId,
        person: PersonId,
        said: Option<Sequence>,
        taken: Wall,
    ) -> SignedDeed {
        let Self { device, key, words, deed, at, signature, .. } = self;
        SignedDeed { id, person, device, key, deed, words, said, at, taken, signature }
    }
}

impl SignedDeed {
    /// As the wire has it.
    pub fn to_wire(&self) -> proto::SignedOrder {
        let (deed, of, read_back, to) = self.deed.parts();
        proto::SignedOrder {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            person: self.person.value(),
            device: self.device.value(),
            device_key: self.key.as_bytes().to_vec(),
            deed: deed.into(),
            of: of.0,
            read_back: read_back.0,
            to: to.map_or(0, PersonId::value),
            message: self.words.map_or_else(Vec::new, |words| words.message.0.to_vec()),
            text_sha256: self.words.map_or_else(Vec::new, |words| words.text.to_vec()),
            said: self.said.unwrap_or_default().0,
            at: self.at.0,
            taken: self.taken.0,
            signature: self.signature.to_vec(),
        }
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// Out of what is kept.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }
}

impl fmt::Debug for ProvenDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenDeed({:?} by {})", self.deed, self.device)
    }
}

impl fmt::Debug for SignedDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedDeed({:?} by {})", self.deed, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two statements that differ in anything are two strings of bytes.
    #[test]
    fn what_is_signed_differs_with_everything_in_it() {
        let (of, read_back) = (Sequence(3), Sequence(4));
        let to = PersonId::new(9);
        let words = |name: u8, text| Some(Words::of(MessageId([name; 16]), text));
        let base = ([1; 32], 1, 1, words(1, "500 mg"), Deed::Give { to: None }, 5);
        let mut all = vec![base];
        all.push((([2; 32]), base.1, base.2, base.3, base.4, base.5));
        all.push((base.0, 2, base.2, base.3, base.4, base.5));
        all.push((base.0, base.1, 2, base.3, base.4, base.5));
        all.push((base.0, base.1, base.2, words(2, "500 mg"), base.4, base.5));
        all.push((base.0, base.1, base.2, words(1, "50 mg"), base.4, base.5));
        all.push((base.0, base.1, base.2, None, base.4, base.5));
        all.push((base.0, base.1, base.2, base.3, base.4, 6));
        for deed in [
            Deed::Give { to },
            Deed::Correct { of, to: None },
            Deed::Correct { of: read_back, to: None },
            Deed::Cancel { of, to: None },
            Deed::ReadBack { of },
            Deed::Confirm { of, read_back },
            Deed::Wrong { of, read_back },
            Deed::Wrong { of, read_back: Sequence(5) },
        ] {
            all.push((base.0, base.1, base.2, base.3, deed, base.5));
            let (number, of, read_back, to) = deed.parts();
            assert_eq!(Deed::from_parts(number, of, read_back, to), Some(deed));
        }
        let bytes: std::collections::BTreeSet<_> = all
            .iter()
            .map(|(facility, device, conversation, words, deed, at)| {
                let device = DeviceId::new(*device).expect("a device");
                let conversation = ConversationId::new(*conversation).expect("a conversation");
                let (words, deed, at) = (*words, *deed, Wall(*at));
                Statement { facility, device, conversation, words, deed, at }.to_bytes()
            })
            .collect();
        assert_eq!(bytes.len(), all.len());
    }

    #[test]
    fn a_deed_with_a_part_too_much_or_too_few_is_none() {
        let (none, some) = (Sequence::NONE, Sequence(3));
        for (deed, of, read_back, to) in [
            (proto::OrderDeed::Unspecified, none, none, None),
            (proto::OrderDeed::Give, some, none, None),
            (proto::OrderDeed::Correct, none, none, None),
            (proto::OrderDeed::ReadBack, none, none, None),
            (proto::OrderDeed::ReadBack, some, none, PersonId::new(1)),
            (proto::OrderDeed::ReadBack, some, some, None),
        ] {
            assert_eq!(Deed::from_parts(deed, of, read_back, to), None, "{}", deed.as_str_name());
        }
    }
}
