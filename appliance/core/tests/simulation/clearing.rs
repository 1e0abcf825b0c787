//! PIN locks that are cleared face to face: who is helped, what they type, and what a thief tries meanwhile.

use wardline_core::ids::PersonId;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::client::Phase;
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase as At, Said};
use crate::world::{Stranger, World};

impl World {
    /// Somebody with a locked device, mostly; of these, if any are named.
    pub(crate) fn some_clearing(&mut self, among: Option<Vec<u64>>) -> Option<Ask> {
        let ward = &self.reference.ward;
        let locked = ward.devices.iter().filter(|device| device.tries >= 10 && !device.revoked);
        let mut locked: Vec<u64> = locked.map(|device| device.person.value()).collect();
        if let Some(among) = among {
            locked.retain(|person| among.contains(person));
        }
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let anybody = locked.is_empty() && self.random.permille(200) || self.random.permille(20);
        let person = self.random.pick(if anybody { &people } else { &locked }).copied()?;
        Some(Ask::ClearPin(proto::ClearPin { person }))
    }

    /// A code was given for somebody: it is typed on their locked device, if they stand there.
    pub(crate) fn pin_code_given(&mut self, person: u64, code: &str) {
        let (people, reference) = (&self.people, &self.reference);
        let locked = |client: &&mut crate::client::Client| {
            let theirs = people.get(client.person).copied().flatten();
            let device = client.device.and_then(|device| reference.ward.device(device));
            theirs == PersonId::new(person) && device.is_some_and(|device| device.tries >= 10)
        };
        if let Some(client) = self.clients.iter_mut().find(locked) {
            client.given_pin_code(code);
        }
    }

    /// Whoever has locked their device goes to somebody who may help, or a thief has it meanwhile.
    pub(crate) fn is_helped(&mut self, index: usize) -> bool {
        let client = &self.clients[index];
        let Some(person) = self.person_of(index).filter(|_| client.barred && client.pin_code.is_none())
        else {
            return false;
        };
        let locked = client.device.and_then(|device| self.reference.ward.device(device));
        if !locked.is_some_and(|device| device.tries >= 10 && !device.revoked) || !self.random.permille(600) {
            return false;
        }
        let ask = Ask::ClearPin(proto::ClearPin { person: person.value() });
        let may = |at: &usize| {
            let nurse = self.person_of(*at);
            self.clients[*at].phase == Phase::Synced
                && nurse.is_some_and(|nurse| self.reference.is_superior(nurse, person))
        };
        let nurses: Vec<usize> = (0..self.clients.len()).filter(may).collect();
        match self.random.pick(&nurses).copied().filter(|_| self.random.permille(800)) {
            Some(nurse) => {
                self.clients[nurse].ask(ask);
                self.post(nurse);
            }
            None => self.local_ask(ask),
        }
        true
    }

    /// Whoever holds a locked phone, and a code that is not for it, while one is out.
    pub(crate) fn some_thief(&mut self) -> Option<Stranger> {
        let out: Vec<PersonId> = self.reference.lobby.pin_codes.iter().map(|code| code.person).collect();
        let locked = |client: &crate::client::Client| {
            client
                .device
                .and_then(|device| self.reference.ward.device(device))
                .is_some_and(|device| device.tries >= 10 && !device.revoked && out.contains(&device.person))
        };
        let locked: Vec<usize> = (0..self.clients.len()).filter(|at| locked(&self.clients[*at])).collect();
        self.random.pick(&locked).map(|client| Stranger::Thief(*client))
    }

    pub(crate) fn cover_clearing(&mut self, body: &Ask, refused: Option<Code>, by_nurse: bool) {
        let situation = match (body, refused) {
            (Ask::ClearPin(_), None) if by_nurse => Situation::PinCodeByChargeNurse,
            (Ask::ClearPin(_), None) => Situation::PinCodeIssued,
            (Ask::ClearPin(_), Some(Code::PinNotLocked)) => Situation::PinNotLocked,
            (Ask::ClearPin(_), Some(Code::NotPermitted)) => Situation::PinCodeRefused,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// Whoever asks here leads something, and does not administer.
    pub(crate) fn asked_by_nurse(&self, conn: wardline_core::ids::Conn) -> bool {
        let Some(At::In(device)) = self.phase(conn) else { return false };
        let person =
            self.reference.ward.device(device).and_then(|device| self.reference.ward.person(device.person));
        person.is_some_and(|person| !person.administrator && person.posts.iter().any(|(_, charge)| *charge))
    }

    /// What comes of a locked device's code.
    pub(crate) fn cover_cleared(&mut self, before: Option<&At>, expected: &Expected) {
        let Some(At::Clearing(device, ..)) = before else { return };
        let situation = match expected.answer {
            Some(Answer::SignedIn) => {
                self.compared.remove(device);
                Situation::PinCleared
            }
            Some(Answer::Refused(Said(Code::JoinCodeInvalid))) => Situation::PinCodeGoneMeanwhile,
            Some(Answer::Refused(Said(Code::Unavailable))) => Situation::NewPinNotTaken,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}

impl crate::client::Client {
    fn given_pin_code(&mut self, code: &str) {
        if self.phase == Phase::Off {
            self.pins += 1;
            self.pin = format!("pin {} of {}", self.pins, self.name);
            self.pin_code = Some(code.to_owned());
            (self.barred, self.clumsy) = (false, 60);
        }
    }
}
