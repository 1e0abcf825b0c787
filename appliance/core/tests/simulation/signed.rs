//! Answers to STATs, signed: rightly, and by chance wrongly; and what is kept of them.

use wardline_core::ids::Conn;
use wardline_core::turn::Turn;
use wardline_core::wire::proto::answer_stat::Answer as Says;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};
use wardline_core::write::Write;

use crate::coverage::{Coverage, Situation};
use crate::reference::{Answer, Expected, Phase};
use crate::reference_signed::{is_kept_right, sign};
use crate::world::World;

/// What stands beside a page is signed, and about messages of it.
pub(crate) fn are_signed(page: &proto::HistoryPage, coverage: &mut Coverage) -> bool {
    if !page.signed.is_empty() {
        coverage.reach(Situation::SignedRead);
    }
    page.signed.iter().all(|kept| {
        let is_there = page.messages.iter().any(|message| message.sequence == kept.sequence);
        is_there && kept.conversation == page.conversation && is_kept_right(kept)
    })
}

impl World {
    /// Who was reached by telephone, and when; now and then at no time that it can have been.
    pub(crate) fn some_note(&mut self) -> proto::CallNote {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let reached = self.random.pick(&people).copied().filter(|_| self.random.permille(600)).unwrap_or(0);
        let words = |said: bool, words: &str| if said { words.to_owned() } else { String::new() };
        let (named, as_what) = (self.random.permille(500), self.random.permille(500));
        let called = self.now.wall.0
            + match self.random.below(10) {
                0 => -3_600_000,
                1 => 120_000,
                _ => 0,
            };
        proto::CallNote {
            reached,
            read_back: self.random.permille(500),
            called,
            role: words(as_what || reached == 0 && !named, "Physician on call"),
            name: words(named && reached == 0, "Dr. Okafor"),
        }
    }

    /// The client signs what it says; now and then with another device's key, about another STAT, or not at all.
    pub(crate) fn say_to_stat(&mut self, index: usize, (conversation, sequence): (u64, u64), says: Says) {
        let at = self.now.wall.0 - self.random.below(2_000) as i64;
        let signature = Vec::new();
        let said = proto::AnswerStat { conversation, sequence, answer: Some(says), at, signature };
        let other = self.random.below(self.clients.len() as u64) as usize;
        let by = if self.random.permille(20) { other } else { index };
        let of = if self.random.permille(20) { sequence + 1 } else { sequence };
        let about = proto::AnswerStat { sequence: of, ..said.clone() };
        let signature = match self.clients[index].device {
            Some(device) if !self.random.permille(20) => sign(&self.clients[by].key, device, &about),
            _ => Vec::new(),
        };
        self.clients[index].ask(Ask::AnswerStat(proto::AnswerStat { signature, ..said }));
    }

    /// What is kept is what this device signed, and nothing is kept of what was refused or changed nothing.
    pub(crate) fn verify_signed(
        &mut self,
        conn: Conn,
        body: &Ask,
        expected: &Expected,
        turn: &Turn,
    ) -> Result<(), String> {
        let kept = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::StatAnswered(answer) => Some(answer.to_wire()),
            _ => None,
        });
        let kept: Vec<_> = kept.collect();
        let Ask::AnswerStat(said) = body else {
            return if kept.is_empty() { Ok(()) } else { Err("signed by nobody".to_owned()) };
        };
        let signs = matches!(said.answer, Some(Says::Accept(_) | Says::Decline(_) | Says::CallNote(_)));
        let done = expected.answer == Some(Answer::Done) && !expected.audits.is_empty();
        match (&kept[..], signs && done) {
            ([], false) => Ok(()),
            ([one], true) => {
                let Some(Phase::In(device)) = self.phase(conn) else {
                    return Err("signed outside".to_owned());
                };
                let known = self.reference.ward.device(device).ok_or("no device")?;
                let of = (one.conversation, one.sequence, one.person, one.device, one.at, one.taken);
                let wanted = (
                    said.conversation,
                    said.sequence,
                    known.person.value(),
                    device.value(),
                    said.at,
                    self.now.wall.0,
                );
                if of != wanted || one.device_key != known.key.as_bytes() || one.signature != said.signature {
                    return Err("something else is kept than was signed".to_owned());
                }
                if is_kept_right(one) { Ok(()) } else { Err("what is kept does not verify".to_owned()) }
            }
            _ => Err(format!("{} answers are kept", kept.len())),
        }
    }

    /// The situation that a refused or an odd answer is.
    pub(crate) fn signed_situation(said: &proto::AnswerStat, refused: Option<Code>) -> Option<Situation> {
        match (refused?, &said.answer) {
            (Code::StatUnsigned, _) if said.signature.is_empty() => Some(Situation::AnswerUnsigned),
            (Code::StatUnsigned, _) => Some(Situation::AnswerSignedOtherwise),
            (Code::CallNoteWhen, _) => Some(Situation::CallAtNoTime),
            _ => None,
        }
    }
}
