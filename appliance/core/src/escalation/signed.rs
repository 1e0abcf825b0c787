//! Answers to a STAT that the answering device signs: "I have it", "I cannot", and a call note.
//!
//! ```text
//! Unproven --its signature verifies at the doorway--> ProvenAnswer --the core: this device, this STAT--> SignedAnswer
//! ```
//!
//! A [`ProvenAnswer`] can be had from a signature that verified alone, and the core takes these answers as one and not
//! otherwise. What is signed is what is done: the answer is read out of what was signed. The signature is kept, so that whoever may
//! read the STAT can verify it later without asking the box to be believed.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::directory::PublicKey;
use crate::escalation::{Reason, StatId};
use crate::ids::{DeviceId, PersonId};
use crate::kept;
use crate::limits;
use crate::refusal::Refusal;
use crate::session::Verifier;
use crate::text::{Name, Title};
use crate::time::Wall;
use crate::wire::{self, proto};

/// What every signed answer begins with: no other signature of a device does.
const CONTEXT: &[u8] = b"wardline/1 stat answer\0";

/// What is said and signed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Said {
    /// "I have it." Stops everything, everywhere.
    #[n(0)]
    Accept,
    /// "I cannot": takes it off this person, and goes on at once where nobody of the step is left.
    #[n(1)]
    Decline(#[n(0)] Reason),
    /// Somebody was reached by telephone and has it.
    #[n(2)]
    Note(#[n(0)] CallNote),
}

/// That somebody was reached by telephone and has a STAT.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct CallNote {
    /// Who, of the directory.
    #[n(0)]
    pub reached: Option<PersonId>,
    /// As what they were reached, in words: "cardiologist on call".
    #[n(1)]
    pub role: Option<Title>,
    /// What somebody is called who is not in the directory.
    #[n(2)]
    pub name: Option<Name>,
    /// When they were reached, by whoever called.
    #[n(3)]
    pub called: Wall,
    /// They repeated what they were told.
    #[n(4)]
    pub read_back: bool,
}

/// All that a device signs of an answer.
pub struct Statement<'a> {
    /// SHA-256 of the facility's root certificate: an answer given in one facility is none in another.
    pub facility: &'a [u8; 32],
    /// Which device says it.
    pub device: DeviceId,
    /// To which STAT.
    pub stat: StatId,
    /// When, by the device's clock.
    pub at: Wall,
    /// What.
    pub said: &'a Said,
}

/// A signed answer as it came: not looked at yet.
pub struct Unproven {
    /// To which STAT.
    pub stat: StatId,
    /// What.
    pub said: Said,
    /// When, by the device's clock.
    pub at: Wall,
    /// To be verified.
    pub signature: Vec<u8>,
}

/// An answer whose signature verified under the key that this connection was proven with.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenAnswer {
    stat: StatId,
    device: DeviceId,
    key: PublicKey,
    said: Said,
    at: Wall,
    signature: [u8; 64],
}

/// A signed answer as it is kept, with all that it takes to verify it but the facility.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedAnswer {
    /// To which STAT.
    #[n(0)]
    pub id: StatId,
    /// Whose device.
    #[n(1)]
    pub person: PersonId,
    /// Which device.
    #[n(2)]
    pub device: DeviceId,
    /// Its key at that moment: the signature verifies when the device is long revoked.
    #[n(3)]
    pub key: PublicKey,
    /// What.
    #[n(4)]
    pub said: Said,
    /// When, by the device's clock. Signed, and nothing goes by it: an answer must not fail because a clock is wrong.
    #[n(5)]
    pub at: Wall,
    /// When the box took it, by its own.
    #[n(6)]
    pub taken: Wall,
    /// r || s.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Said {
    /// As the wire has it.
    pub fn to_wire(&self) -> proto::signed_answer::Said {
        use proto::signed_answer::Said as Wire;
        match self {
            Self::Accept => Wire::Accept(proto::Accept {}),
            Self::Decline(reason) => Wire::Decline(proto::Decline { reason: reason.number() as i32 }),
            Self::Note(note) => Wire::CallNote(note.to_wire()),
        }
    }
}

impl CallNote {
    /// A note as it came and was signed: names somebody of the directory or somebody else, or says as what they were reached, or both.
    pub fn parse(note: &proto::CallNote) -> Result<Self, Refusal> {
        let note = Self {
            reached: if note.reached == 0 { None } else { Some(wire::person(note.reached)?) },
            role: if note.role.is_empty() { None } else { Some(Title::kept(&note.role)?) },
            name: if note.name.is_empty() { None } else { Some(Name::kept(&note.name)?) },
            called: Wall(note.called),
            read_back: note.read_back,
        };
        let both = note.reached.is_some() && note.name.is_some();
        let nobody = note.reached.is_none() && note.name.is_none() && note.role.is_none();
        if both || nobody { Err(Refusal::CallNoteWhom) } else { Ok(note) }
    }

    /// As the wire has it.
    pub fn to_wire(&self) -> proto::CallNote {
        proto::CallNote {
            reached: self.reached.map_or(0, PersonId::value),
            read_back: self.read_back,
            called: self.called.0,
            role: self.role.as_ref().map_or_else(String::new, |role| role.reveal().to_owned()),
            name: self.name.as_ref().map_or_else(String::new, |name| name.reveal().to_owned()),
        }
    }

    /// A call is about a STAT that is there, and is over: not before the minute in which it was sent, not ahead by more than clocks
    /// differ. Where the box's clock was set back behind the sending, either will do.
    pub(crate) fn is_of(&self, opened: Wall, now: Wall) -> bool {
        let first = opened.min(now).0.div_euclid(limits::MINUTE_MS);
        let last = opened.max(now).after(limits::CALL_AHEAD_MS);
        self.called.0.div_euclid(limits::MINUTE_MS) >= first && self.called <= last
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// The note behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }
}

impl Statement<'_> {
    /// The bytes that are signed: context || facility || device || conversation || sequence || when || what. Numbers are big-endian;
    /// a text stands behind its length, two bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [CONTEXT, self.facility].concat();
        let mut number = |value: u64| bytes.extend_from_slice(&value.to_be_bytes());
        number(self.device.value());
        number(self.stat.conversation.value());
        number(self.stat.sequence.0);
        number(self.at.0.cast_unsigned());
        match self.said {
            Said::Accept => bytes.push(1),
            Said::Decline(reason) => bytes.extend_from_slice(&[2, reason.number() as u8]),
            Said::Note(note) => {
                bytes.push(3);
                bytes.extend_from_slice(&note.called.0.to_be_bytes());
                bytes.push(note.read_back.into());
                bytes.extend_from_slice(&note.reached.map_or(0, PersonId::value).to_be_bytes());
                for words in [note.role.as_ref().map(Title::reveal), note.name.as_ref().map(Name::reveal)] {
                    let words = words.unwrap_or_default().as_bytes();
                    // Names and titles have some hundred bytes at most.
                    bytes.extend_from_slice(&(words.len() as u16).to_be_bytes());
                    bytes.extend_from_slice(words);
                }
            }
        }
        bytes
    }
}

impl Unproven {
    /// The answer, if this device signed it with this key, and its words unproven if not: the core refuses them by its own rules.
    pub fn verify(
        self,
        verifier: &impl Verifier,
        facility: &[u8; 32],
        by: Option<(DeviceId, PublicKey)>,
    ) -> Result<ProvenAnswer, Said> {
        let Self { stat, said, at, signature } = self;
        let (Some((device, key)), Ok(signature)) = (by, <[u8; 64]>::try_from(signature)) else {
            return Err(said);
        };
        let signed = Statement { facility, device, stat, at, said: &said }.to_bytes();
        if !verifier.p256(&key, &signed, &signature) {
            return Err(said);
        }
        Ok(ProvenAnswer { stat, device, key, said, at, signature })
    }
}

impl ProvenAnswer {
    /// What is said, whoever says it about what.
    pub(crate) fn words(&self) -> &Said {
        &self.said
    }

    /// What is said, if it is this device's about this STAT: a signature that verified once is worth nothing elsewhere.
    pub(crate) fn said(&self, stat: StatId, device: DeviceId, key: &PublicKey) -> Option<&Said> {
        (self.stat == stat && self.device == device && self.key == *key).then_some(&self.said)
    }

    pub(crate) fn keep(&self, person: PersonId, taken: Wall) -> SignedAnswer {
        let Self { stat: id, device, key, said, at, signature } = self.clone();
        SignedAnswer { id, person, device, key, said, at, taken, signature }
    }
}

impl SignedAnswer {
    /// As the wire has it.
    pub fn to_wire(&self) -> proto::SignedAnswer {
        proto::SignedAnswer {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            person: self.person.value(),
            device: self.device.value(),
            device_key: self.key.as_bytes().to_vec(),
            at: self.at.0,
            taken: self.taken.0,
            said: Some(self.said.to_wire()),
            signature: self.signature.to_vec(),
        }
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// The answer behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }
}

fn to_bytes(value: &impl Encode<()>) -> Vec<u8> {
    kept::to_bytes(value)
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept => f.write_str("Accept"),
            Self::Decline(reason) => write!(f, "Decline({reason:?})"),
            Self::Note(note) => note.fmt(f),
        }
    }
}

/// Without its words: they name people.
impl fmt::Debug for CallNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallNote({:?}, read back: {})", self.reached, self.read_back)
    }
}

impl fmt::Debug for ProvenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenAnswer({:?} by {})", self.said, self.device)
    }
}

impl fmt::Debug for SignedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedAnswer({:?} by {})", self.said, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ConversationId, Sequence};

    const SENT: Wall = Wall(1_795_435_230_000);

    fn note(called: Wall) -> CallNote {
        CallNote {
            reached: None,
            role: Title::parse("physician on call").ok(),
            name: None,
            called,
            read_back: true,
        }
    }

    #[test]
    fn a_call_is_not_before_the_minute_of_the_sending_nor_ahead() {
        let now = SENT.after(600_000);
        let minute = Wall(SENT.0 / 60_000 * 60_000);
        for (called, good) in [
            (minute, true),
            (Wall(minute.0 - 1), false),
            (SENT, true),
            (now, true),
            (now.after(60_000), true),
            (now.after(60_001), false),
            (Wall(i64::MIN), false),
            (Wall(i64::MAX), false),
        ] {
            assert_eq!(note(called).is_of(SENT, now), good, "{}", called.0 - SENT.0);
        }
        let set_back = Wall(SENT.0 - 3_600_000);
        assert!(note(set_back).is_of(SENT, set_back) && note(SENT).is_of(SENT, set_back));
        assert!(!note(Wall(set_back.0 - 60_000)).is_of(SENT, set_back));
    }

    #[test]
    fn a_note_names_one_person_or_says_as_what_they_were_reached() {
        let parse = |reached, role: &str, name: &str| {
            let (role, name) = (role.to_owned(), name.to_owned());
            CallNote::parse(&proto::CallNote { reached, read_back: true, called: 1, role, name })
        };
        assert!(parse(7, "", "").is_ok() && parse(7, "physician on call", "").is_ok());
        assert!(parse(0, "physician on call", "").is_ok() && parse(0, "", "Dr. Okafor").is_ok());
        assert_eq!(parse(0, "", "").unwrap_err(), Refusal::CallNoteWhom);
        assert_eq!(parse(7, "", "Dr. Okafor").unwrap_err(), Refusal::CallNoteWhom);
        assert_eq!(parse(0, "a\nb", "").unwrap_err(), Refusal::Invalid);
        assert_eq!(parse(0, "", &"x".repeat(500)).unwrap_err(), Refusal::TooLarge);
    }

    /// Two answers that differ in anything are two strings of bytes: nothing runs into what stands beside it.
    #[test]
    fn what_is_signed_differs_with_everything_in_it() {
        let (one, other) = (DeviceId::new(1).unwrap(), DeviceId::new(2).unwrap());
        let at = |conversation, sequence| StatId {
            conversation: ConversationId::new(conversation).unwrap(),
            sequence: Sequence(sequence),
        };
        let words = |role: &str, name: &str| {
            Said::Note(CallNote { role: Title::parse(role).ok(), name: Name::parse(name).ok(), ..note(SENT) })
        };
        let all = [
            ([1; 32], one, at(1, 1), 5, Said::Accept),
            ([2; 32], one, at(1, 1), 5, Said::Accept),
            ([1; 32], other, at(1, 1), 5, Said::Accept),
            ([1; 32], one, at(2, 1), 5, Said::Accept),
            ([1; 32], one, at(1, 2), 5, Said::Accept),
            ([1; 32], one, at(1, 1), 6, Said::Accept),
            ([1; 32], one, at(1, 1), 5, Said::Decline(Reason::Busy)),
            ([1; 32], one, at(1, 1), 5, Said::Decline(Reason::NotMine)),
            ([1; 32], one, at(1, 1), 5, Said::Note(note(SENT))),
            ([1; 32], one, at(1, 1), 5, Said::Note(note(Wall(SENT.0 + 1)))),
            ([1; 32], one, at(1, 1), 5, Said::Note(CallNote { read_back: false, ..note(SENT) })),
            ([1; 32], one, at(1, 1), 5, Said::Note(CallNote { reached: PersonId::new(7), ..note(SENT) })),
            ([1; 32], one, at(1, 1), 5, words("ab", "c")),
            ([1; 32], one, at(1, 1), 5, words("a", "bc")),
        ];
        let bytes: std::collections::BTreeSet<_> = all
            .iter()
            .map(|(facility, device, stat, at, said)| {
                Statement { facility, device: *device, stat: *stat, at: Wall(*at), said }.to_bytes()
            })
            .collect();
        assert_eq!(bytes.len(), all.len());
    }
}
