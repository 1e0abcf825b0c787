//! A PIN lock is cleared face to face: a charge nurse stands before whoever locked their device by ten wrong PINs, and gives them a
//! code. It is typed on that device, which proves its key as ever, and a new PIN is chosen there. The device stays enrolled: nothing
//! that it holds is lost, and nobody is made twice.
//!
//! ```text
//! Join, by a key that is enrolled and locked --right code--> PIN at the keeper --> new PIN, signed in
//! ```
//!
//! Codes are not durable: a restart forgets them, and the nurse gives another. Each is good for one device of one person, for
//! [`limits::PIN_CODE_MS`] by the steady clock, and for [`limits::PIN_CODE_TRIES_MAX`] wrong ones. What was issued and what came of it
//! is in the audit.

use std::collections::BTreeMap;

use crate::access::{self, Operation, Permit, Relations};
use crate::admin;
use crate::audit::{Act, Actor};
use crate::directory::Device;
use crate::draft::actor;
use crate::ids::{Conn, DeviceId, PersonId, RequestId};
use crate::input::Fresh;
use crate::limits;
use crate::pin::{self, PinMac};
use crate::refusal::Refusal;
use crate::relay::Relay;
use crate::session::{Draw, Identified, NewPinUnderCheck, ProvenJoin, Session};
use crate::time::{Mono, Now};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Codes that nobody has used: one a person, [`limits::PIN_CODES_MAX`] in all.
#[derive(Default)]
pub(crate) struct PinCodes(BTreeMap<PersonId, PinCode>);

struct PinCode {
    /// [`pin::join_code_hash`].
    hash: [u8; 32],
    /// Nobody: the local service.
    issuer: Option<PersonId>,
    /// Worth nothing from then on.
    ends: Mono,
    /// Codes that were tried in its place.
    wrong: u32,
}

impl PinCodes {
    /// How many are remembered, over or not.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn of(&self, now: Mono, person: PersonId) -> Option<&PinCode> {
        self.0.get(&person).filter(|code| now < code.ends)
    }
}

impl Relay {
    /// A code for whoever has locked a device. The one before is worth nothing.
    pub(crate) fn issue_pin_code(
        &mut self,
        now: Now,
        turn: &mut Turn,
        permit: Permit,
        person: PersonId,
        fresh: &Fresh,
    ) -> Result<Body, Refusal> {
        admin::may_have_code(self.state.colleague(person)?)?;
        if !self.state.devices_of(person).any(|device| !device.revoked && device.is_locked_out()) {
            return Err(Refusal::PinNotLocked);
        }
        self.pin_codes.0.retain(|of, code| *of != person && now.mono < code.ends);
        if self.pin_codes.len() >= limits::PIN_CODES_MAX {
            return Err(Refusal::Limit);
        }
        let code = Draw::new(fresh).code();
        let issuer = match permit.by() {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        let (hash, ends) = (pin::join_code_hash(&code), now.mono.after(limits::PIN_CODE_MS));
        self.pin_codes.0.insert(person, PinCode { hash, issuer, ends, wrong: 0 });
        self.draft(now, turn).record(permit.by(), Act::PinCodeIssued(person));
        let expires = now.wall.after(limits::PIN_CODE_MS).0;
        Ok(Body::JoinCode(proto::JoinCode { code, expires }))
    }

    /// Whether this device is locked and somebody has been given a code for it: then what it joins by is such a code.
    pub(crate) fn awaits_pin_code(&self, now: Now, who: &Identified) -> bool {
        let locked = self.in_good_standing(who.device()).is_ok_and(Device::is_locked_out);
        locked && self.pin_codes.of(now.mono, who.person()).is_some()
    }

    /// A locked device offers a code, and the PIN that it is to have.
    pub(crate) fn new_pin_offered(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        (who, proven): (Identified, ProvenJoin),
        fresh: &Fresh,
    ) {
        if let Err(refusal) = self.spend_guess(now, conn) {
            return self.turn_away(turn, conn, request, refusal);
        }
        // The tenth PIN may still be looked at, and be right.
        if self.checking.contains(&who.device()) {
            return self.turn_away(turn, conn, request, Refusal::Unavailable);
        }
        let (person, device) = (who.person(), who.device());
        if self.fits(now, person, &proven.code).is_err() {
            self.wrong_pin_code(now, turn, (person, device));
            return self.turn_away(turn, conn, request, Refusal::JoinCodeInvalid);
        }
        let salt = Draw::new(fresh).salt();
        turn.sends.push(Send::StretchPin { conn, person, device, salt });
        let check = NewPinUnderCheck { request, who, code: proven.code, salt };
        self.enter(conn, Session::NewPinUnderCheck(Box::new(check)));
    }

    /// Whether the code is this person's, and whoever issued it still may.
    fn fits(&self, now: Now, person: PersonId, hash: &[u8; 32]) -> Result<Option<PersonId>, Refusal> {
        let code = self.pin_codes.of(now.mono, person).filter(|code| code.hash == *hash);
        let issuer = code.ok_or(Refusal::JoinCodeInvalid)?.issuer;
        let may = |issuer: PersonId| {
            let entry = self.state.people.get(&issuer).filter(|entry| !entry.suspended);
            let administers = entry.is_some_and(|entry| entry.administrator);
            let is = access::to_person(&self.state, issuer, person)
                .and(Relations::when(administers, access::Relation::Administrator));
            entry.is_some() && access::permit(Operation::ClearPin, is, Actor::TheBox).is_ok()
        };
        if issuer.is_none_or(may) { Ok(issuer) } else { Err(Refusal::JoinCodeInvalid) }
    }

    fn wrong_pin_code(&mut self, now: Now, turn: &mut Turn, (person, device): (PersonId, DeviceId)) {
        let Some(code) = self.pin_codes.0.get_mut(&person) else { return };
        code.wrong += 1;
        let wrong = code.wrong;
        if wrong >= limits::PIN_CODE_TRIES_MAX {
            self.pin_codes.0.remove(&person);
        }
        self.draft(now, turn).record(Actor::Person { person, device }, Act::PinCodeWrong(wrong));
    }

    pub(crate) fn new_pin_checked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        check: Box<NewPinUnderCheck>,
        mac: Option<PinMac>,
    ) {
        let (request, person, device) = (check.request, check.who.person(), check.who.device());
        // Whatever was true when the keeper was asked is asked again.
        let outcome = mac.ok_or(Refusal::Unavailable).and_then(|pin| {
            if !self.in_good_standing(device)?.is_locked_out() {
                // By this device on another connection, perhaps: then the next try is a sign-in.
                return Err(Refusal::Unavailable);
            }
            Ok((pin, self.fits(now, person, &check.code)?))
        });
        let (pin, issuer) = match outcome {
            Ok(chosen) => chosen,
            Err(refusal) => {
                self.enter(conn, Session::NewPinUnderCheck(check));
                return self.turn_away(turn, conn, request, refusal);
            }
        };
        self.pin_codes.0.remove(&person);
        let salt = check.salt;
        let who = check.chosen();
        let mut draft = self.draft(now, turn);
        draft.write(Write::PinChosen { device, salt, pin });
        draft.record(actor(&who), Act::PinCleared(person, device, issuer));
        self.open_session(now, turn, device);
        self.sign_in(now, turn, conn, request, who);
    }
}
