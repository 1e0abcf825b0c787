//! The reference's rules for a PIN lock that is cleared face to face: a list of codes, gone with the process.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{Conn, DeviceId, PersonId, RequestId};
use wardline_core::input::Source;
use wardline_core::pin::PinMac;
use wardline_core::time::{Mono, Now};
use wardline_core::wire::proto::RefusalCode as Code;

use crate::reference::{Answer, Expected, Phase, Reference};

#[derive(Clone)]
pub(crate) struct PinCode {
    pub(crate) hash: [u8; 32],
    pub(crate) person: PersonId,
    pub(crate) issuer: Option<PersonId>,
    pub(crate) ends: Mono,
    pub(crate) wrong: u32,
}

impl Reference {
    pub(crate) fn clear_pin(
        &mut self,
        now: Now,
        by: Actor,
        person: PersonId,
        hash: Option<[u8; 32]>,
    ) -> Expected {
        match self.ward.person(person).map(|person| person.why_out()) {
            None => return Expected::refused(Code::NoSuchPerson),
            Some(Some(Code::AgencyOver)) => return Expected::refused(Code::NotAgency),
            Some(Some(code)) => return Expected::refused(code),
            Some(None) => {}
        }
        let locked = |device: &&crate::reference::Device| {
            device.person == person && !device.revoked && device.tries >= 10
        };
        if self.ward.devices.iter().find(locked).is_none() {
            return Expected::refused(Code::PinNotLocked);
        }
        let Some(hash) = hash else { return Expected::default() };
        let issuer = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        self.lobby.pin_codes.retain(|code| code.person != person);
        let ends = now.mono.after(600_000);
        self.lobby.pin_codes.push(PinCode { hash, person, issuer, ends, wrong: 0 });
        let mut expected = Expected::answered(Answer::JoinCode);
        expected.audits.push((by, Act::PinCodeIssued(person)));
        expected
    }

    /// The device is locked, its person may sign in, and somebody was given a code for them.
    pub(crate) fn awaits_pin_code(&self, now: Now, device: DeviceId) -> bool {
        let Some(entry) = self.ward.device(device) else { return false };
        self.barred(device) == Some(Code::PinLockedOut)
            && self.lobby.pin_codes.iter().any(|code| code.person == entry.person && now.mono < code.ends)
    }

    fn fits(&self, now: Now, person: PersonId, hash: [u8; 32]) -> Option<&PinCode> {
        let lives = |code: &&PinCode| code.person == person && code.hash == hash && now.mono < code.ends;
        self.lobby.pin_codes.iter().find(lives).filter(|code| {
            code.issuer.is_none_or(|issuer| {
                let entry = self.ward.person(issuer).filter(|issuer| !issuer.suspended);
                entry.is_some_and(|entry| entry.administrator || self.is_superior(issuer, person))
            })
        })
    }

    pub(crate) fn new_pin_offered(
        &mut self,
        now: Now,
        (conn, request): (Conn, RequestId),
        device: DeviceId,
        code: [u8; 32],
    ) -> Expected {
        let source = self.link(conn).map_or(Source(0), |link| link.source);
        if let Some(refused) = self.one_guess_more(now, conn, source) {
            return refused;
        }
        let checks = |link: &crate::reference::Link| matches!(link.phase, Phase::PinChecking(other, _) if other == device);
        if self.lobby.links.iter().any(checks) {
            return self.turn_away(conn, Code::Unavailable);
        }
        let Some(person) = self.ward.device(device).map(|device| device.person) else {
            return Expected::default();
        };
        if self.fits(now, person, code).is_none() {
            let mut expected = self.turn_away(conn, Code::JoinCodeInvalid);
            for kept in self.lobby.pin_codes.iter_mut().filter(|kept| kept.person == person) {
                kept.wrong += 1;
                expected.audits.push((Actor::Person { person, device }, Act::PinCodeWrong(kept.wrong)));
            }
            // The fifth is the last.
            self.lobby.pin_codes.retain(|kept| kept.wrong < 5);
            return expected;
        }
        self.enter(conn, Phase::Clearing(device, request, code));
        Expected::answered(Answer::Stretch)
    }

    pub(crate) fn new_pin_checked(
        &mut self,
        now: Now,
        conn: Conn,
        (id, code): (DeviceId, [u8; 32]),
        mac: Option<PinMac>,
    ) -> Expected {
        let Some(pin) = mac else { return self.turn_away(conn, Code::Unavailable) };
        match self.barred(id) {
            Some(Code::PinLockedOut) => {}
            Some(other) => return self.turn_away(conn, other),
            None => return self.turn_away(conn, Code::Unavailable),
        }
        let person = self.ward.device(id).expect("not barred").person;
        let Some(issuer) = self.fits(now, person, code).map(|code| code.issuer) else {
            return self.turn_away(conn, Code::JoinCodeInvalid);
        };
        self.lobby.pin_codes.retain(|code| code.person != person);
        if let Some(device) = self.ward.device_mut(id) {
            (device.pin, device.tries) = (pin, 0);
        }
        let mut expected = Expected::default();
        expected.audits.push((self.actor(id), Act::PinCleared(person, id, issuer)));
        self.open_session(now, id);
        self.sign_in(now, conn, id, &mut expected);
        expected
    }
}
