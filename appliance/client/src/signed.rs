//! Answers to a STAT that this device signs, and those that others signed.
//!
//! The agent signs what goes out ([`sign`]), whoever asks for it: a program beside the one that holds the profile has no key. Whoever
//! reads an answer verifies it with the key that stands in it ([`is_verified`]): that it is the device's key is the box's word, and
//! what was said under it nobody can change any more, the box neither.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::signed::Statement;
use wardline_core::escalation::{Reason, StatId};
use wardline_core::ids::DeviceId;
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, answer_stat::Answer as Says, client_frame::Body as Ask};

use crate::clock;
use crate::error::Error;
use crate::event;
use crate::orders;
use crate::profile::Profile;
use crate::stat::stat_of;
use crate::trust::sha256;

pub use wardline_core::escalation::signed::{CallNote, Said, SignedAnswer};

/// Whether the device's key signed this, in the facility of this root.
pub fn is_verified(answer: &SignedAnswer, root: &CertificateDer<'_>) -> bool {
    is_verified_in(answer, &sha256(root))
}

/// The same by the SHA-256 of the root.
pub(crate) fn is_verified_in(answer: &SignedAnswer, facility: &[u8; 32]) -> bool {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, answer.key.as_bytes());
    key.verify(&statement(answer, facility), &answer.signature).is_ok()
}

/// What the device has signed.
pub(crate) fn statement(answer: &SignedAnswer, facility: &[u8; 32]) -> Vec<u8> {
    let SignedAnswer { device, id: stat, at, said, .. } = answer;
    Statement { facility, device: *device, stat: *stat, at: *at, said }.to_bytes()
}

/// Signs an answer that wants it. What is malformed goes unsigned: the box says what is wrong with it.
pub(crate) fn sign(body: &mut Ask, profile: &Profile) -> Result<(), Error> {
    let Ask::AnswerStat(answer) = body else { return orders::sign_answer(body, profile) };
    let said = match &answer.answer {
        Some(Says::Accept(_)) => Some(Said::Accept),
        Some(Says::Decline(decline)) => Reason::from_number(decline.reason as u32).map(Said::Decline),
        Some(Says::CallNote(note)) => CallNote::parse(note).ok().map(Said::Note),
        _ => None,
    };
    let Some(said) = said else { return Ok(()) };
    let Ok(stat) = stat_of(answer.conversation, answer.sequence) else { return Ok(()) };
    let stat = StatId { conversation: stat.conversation, sequence: stat.sequence };
    let (facility, device, at) = (sha256(&profile.identity.root), profile.identity.device, clock::now_ms());
    let signed = Statement { facility: &facility, device, stat, at: Wall(at), said: &said }.to_bytes();
    (answer.at, answer.signature) = (at, profile.key.sign(&signed)?);
    Ok(())
}

/// Those of a page that this version knows.
pub(crate) fn read(wire: &[proto::SignedAnswer]) -> Result<Vec<SignedAnswer>, Error> {
    wire.iter().filter_map(|answer| from_wire(answer).transpose()).collect()
}

/// What the box has kept; `None`: of a later version.
pub(crate) fn from_wire(wire: &proto::SignedAnswer) -> Result<Option<SignedAnswer>, Error> {
    use proto::signed_answer::Said as Wire;
    let odd = || Error::Protocol("a signed answer of another form");
    let stat = stat_of(wire.conversation, wire.sequence)?;
    let said = match &wire.said {
        None => return Ok(None),
        Some(Wire::Accept(_)) => Said::Accept,
        Some(Wire::Decline(decline)) => match Reason::from_number(decline.reason as u32) {
            Some(reason) => Said::Decline(reason),
            None => return Ok(None),
        },
        Some(Wire::CallNote(note)) => Said::Note(CallNote::parse(note).map_err(|_| odd())?),
    };
    Ok(Some(SignedAnswer {
        id: StatId { conversation: stat.conversation, sequence: stat.sequence },
        person: event::person(wire.person)?,
        device: DeviceId::new(wire.device).ok_or_else(odd)?,
        key: PublicKey::parse(&wire.device_key).ok_or_else(odd)?,
        said,
        at: Wall(wire.at),
        taken: Wall(wire.taken),
        signature: wire.signature.as_slice().try_into().map_err(|_| odd())?,
    }))
}

#[cfg(test)]
mod tests {
    use wardline_core::ids::{ConversationId, PersonId, Sequence};

    use super::*;
    use crate::key::DeviceKey;

    #[test]
    fn an_answer_is_verified_by_whoever_knows_the_root_and_by_nobody_after_a_change() {
        let key = DeviceKey::generate().unwrap();
        let root = CertificateDer::from(vec![1, 2, 3]);
        let (device, facility) = (DeviceId::new(7).unwrap(), sha256(&root));
        let id = StatId { conversation: ConversationId::new(9).unwrap(), sequence: Sequence(4) };
        let (at, said) = (Wall(5), Said::Decline(Reason::Busy));
        let statement = Statement { facility: &facility, device, stat: id, at, said: &said };
        let signature = key.sign(&statement.to_bytes()).unwrap();
        let (person, taken) = (PersonId::new(1).unwrap(), Wall(6));
        let signature = signature.as_slice().try_into().unwrap();
        let answer = SignedAnswer { id, person, device, key: *key.public(), said, at, taken, signature };
        assert!(is_verified(&answer, &root));
        assert!(from_wire(&answer.to_wire()).unwrap().is_some_and(|read| read == answer));
        assert!(!is_verified(&answer, &CertificateDer::from(vec![1, 2, 4])), "another facility");
        let other = StatId { sequence: Sequence(5), ..id };
        let stranger = *DeviceKey::generate().unwrap().public();
        for changed in [
            SignedAnswer { id: other, ..answer.clone() },
            SignedAnswer { device: DeviceId::new(8).unwrap(), ..answer.clone() },
            SignedAnswer { key: stranger, ..answer.clone() },
            SignedAnswer { said: Said::Accept, ..answer.clone() },
            SignedAnswer { at: Wall(4), ..answer.clone() },
        ] {
            assert!(!is_verified(&changed, &root), "{changed:?}");
        }
    }
}
