//! What is sealed when it is composed, and sent from a locked phone.

use wardline_core::ids::{Conn, DeviceId};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::client::{Client, Phase};
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase as At, Said};
use crate::toys;
use crate::world::World;

/// As it was composed.
#[derive(Clone)]
pub(crate) struct Composed {
    number: u64,
    lease: u64,
    sealed: Vec<u8>,
    /// The box wants its author.
    pub(crate) waits: bool,
}

/// What toys sealed, unlooked at.
pub(crate) fn opened_bytes(sealed: &[u8]) -> &[u8] {
    sealed.get(toys::TAG..).unwrap_or_default()
}

impl Client {
    /// Seals the newest letter, which then has its number, and so has everything before it.
    pub(crate) fn compose(&mut self) {
        let (Some(lease), Some(device)) = (self.lease, self.device) else { return };
        for letter in &mut self.outbox {
            if letter.number.is_none() {
                letter.number = Some(self.next_number);
                self.next_number += 1;
            }
        }
        let Some(letter) = self.outbox.back_mut() else { return };
        let number = letter.number.unwrap_or_default();
        let submit = letter.submit(number);
        let sealed = toys::compose(device, lease, &letter.message, &prost::Message::encode_to_vec(&submit));
        letter.composed = Some(Composed { number, lease, sealed, waits: false });
    }

    /// What may go out though the PIN is due: composed, and nothing before it that is not.
    pub(crate) fn flush_composed(&mut self) {
        if self.phase != Phase::PinDue || self.device.is_none() {
            return;
        }
        let mut asks = Vec::new();
        for letter in self.outbox.iter_mut().take(4) {
            let Some(composed) = letter.composed.as_ref().filter(|composed| !composed.waits) else { break };
            if letter.number != Some(composed.number) {
                break;
            }
            if !letter.under_way {
                (letter.under_way, letter.tries) = (true, letter.tries + 1);
                asks.push(composed.ask(&letter.message, composed.number));
            }
        }
        asks.into_iter().for_each(|ask| self.ask(ask));
    }
}

impl Composed {
    pub(crate) fn ask(&self, message: &[u8; 16], number: u64) -> Ask {
        let (lease, message, sealed) = (self.lease, message.to_vec(), self.sealed.clone());
        Ask::SubmitSealed(proto::SubmitSealed { number, lease, message, sealed })
    }
}

impl World {
    /// The device behind a connection, signed in or not.
    pub(crate) fn author_behind(&self, conn: Conn) -> Option<DeviceId> {
        match self.phase(conn)? {
            At::In(device) | At::PinDue(device) | At::PinChecking(device, _) => Some(device),
            _ => None,
        }
    }

    /// Whoever holds a copy sends what waits in it: as it is, under another number, or damaged.
    pub(crate) fn replays_a_letter(&mut self, conn: Conn, client: usize) {
        let mut letters = self.clients[client].outbox.iter();
        let letter = letters.find_map(|letter| Some((letter.message, letter.composed.clone()?)));
        let Some((message, mut composed)) = letter else { return };
        let number = composed.number;
        let ask = match self.random.below(4) {
            0 => composed.ask(&message, number),
            1 => composed.ask(&message, number + 1),
            2 => {
                if let Some(byte) = composed.sealed.last_mut() {
                    *byte ^= 1;
                }
                composed.ask(&message, number)
            }
            _ => {
                composed.lease += 1;
                composed.ask(&message, number)
            }
        };
        self.stranger_says(conn, ask);
    }

    pub(crate) fn cover_composed(&mut self, was_locked: bool, as_numbered: bool, expected: &Expected) {
        let situation = match (was_locked, expected.answer) {
            (true, Some(Answer::Accepted(..))) => Situation::SentWhileLocked,
            (true, Some(Answer::Again)) => Situation::SentAgainWhileLocked,
            (true, Some(Answer::Refused(Said(Code::Locked)))) if as_numbered => Situation::SealedLeaseOver,
            (true, Some(Answer::Refused(Said(Code::Locked)))) => Situation::SealedUnderAnotherNumber,
            (false, Some(Answer::Accepted(..))) => Situation::SealedSentOnceUnlocked,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
