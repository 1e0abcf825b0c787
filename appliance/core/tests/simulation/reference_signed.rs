//! The reference's view of what devices sign about STATs: the bytes, put together here by its own hand.

use wardline_core::directory::PublicKey;
use wardline_core::ids::DeviceId;
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, answer_stat::Answer as Says};

use crate::reference::Reference;
use crate::toys;

/// The facility of these histories.
pub(crate) const FACILITY: [u8; 32] = [9; 32];

/// What is to be signed of an answer, if it is to be signed.
fn statement(device: DeviceId, said: &proto::AnswerStat) -> Option<Vec<u8>> {
    let mut bytes = b"wardline/1 stat answer\0".to_vec();
    bytes.extend(FACILITY);
    for number in [device.value(), said.conversation, said.sequence, said.at as u64] {
        bytes.extend(number.to_be_bytes());
    }
    match said.answer.as_ref()? {
        Says::Accept(_) => bytes.push(1),
        Says::Decline(decline) => bytes.extend([2, decline.reason as u8]),
        Says::CallNote(note) => {
            bytes.push(3);
            bytes.extend(note.called.to_be_bytes());
            bytes.push(u8::from(note.read_back));
            bytes.extend(note.reached.to_be_bytes());
            for words in [&note.role, &note.name] {
                bytes.extend((words.len() as u16).to_be_bytes());
                bytes.extend(words.bytes());
            }
        }
        Says::Coming(_) | Says::HandBack(_) | Says::Close(_) => return None,
    }
    Some(bytes)
}

/// What a device with this key signs of it.
pub(crate) fn sign(key: &PublicKey, device: DeviceId, said: &proto::AnswerStat) -> Vec<u8> {
    statement(device, said).map_or(Vec::new(), |bytes| toys::sign(key, &bytes).to_vec())
}

/// Whether what was kept is what its device signed.
pub(crate) fn is_kept_right(kept: &proto::SignedAnswer) -> bool {
    use proto::signed_answer::Said;
    let answer = match kept.said.clone() {
        Some(Said::Accept(accept)) => Says::Accept(accept),
        Some(Said::Decline(decline)) => Says::Decline(decline),
        Some(Said::CallNote(note)) => Says::CallNote(note),
        None => return false,
    };
    let proto::SignedAnswer { conversation, sequence, at, .. } = *kept;
    let said = proto::AnswerStat { conversation, sequence, answer: Some(answer), at, signature: Vec::new() };
    match (DeviceId::new(kept.device), PublicKey::parse(&kept.device_key)) {
        (Some(device), Some(key)) => sign(&key, device, &said) == kept.signature,
        _ => false,
    }
}

impl Reference {
    /// Whether this device signed what it says, or need not.
    pub(crate) fn is_signed(&self, device: DeviceId, said: &proto::AnswerStat) -> bool {
        let Some(bytes) = statement(device, said) else { return true };
        let key = self.ward.device(device).map(|device| device.key);
        key.is_some_and(|key| toys::sign(&key, &bytes)[..] == said.signature)
    }
}

/// A call is noted from the minute in which the STAT was sent to a minute ahead; with the box's clock set back, by either time.
pub(crate) fn call_fits(note: &proto::CallNote, opened: Wall, now: Wall) -> bool {
    let minutes = |at: i64| at.div_euclid(60_000);
    minutes(note.called) >= minutes(opened.0).min(minutes(now.0))
        && note.called <= opened.0.max(now.0) + 60_000
}
