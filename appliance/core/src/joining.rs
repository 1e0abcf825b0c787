//! A new device: a join code, a key, a PIN.
//!
//! ```text
//! Join --code right--> PIN at the keeper --> enrolled and signed in
//!   \--key known already--> a sign-in with the PIN that came with it, or another PIN: [`crate::clearing`]
//! ```

use crate::audit::Act;
use crate::directory::{Device, JoinCode};
use crate::draft::actor;
use crate::family;
use crate::ids::{Conn, DeviceId, Number, PersonId, RequestId};
use crate::input::{Door, Fresh, Zone};
use crate::limits;
use crate::login::{Login, Offer};
use crate::pin::PinMac;
use crate::refusal::Refusal;
use crate::relay::Relay;
use crate::session::{Draw, Identified, JoinUnderCheck, ProvenJoin, Session};
use crate::signin;
use crate::time::Now;
use crate::turn::{Event, Send, Turn};
use crate::wire::proto;
use crate::write::Write;

impl Relay {
    pub(crate) fn join(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        proven: ProvenJoin,
        (fresh, login): (&Fresh, &Login),
    ) {
        if !self.expects_proof(now, turn, conn) {
            return;
        }
        let in_guest_zone = self.links.get(&conn).is_some_and(|link| link.door == Door::Network(Zone::Guest));
        // Before the code is looked at: nobody with a key that the box knows may learn anything of codes.
        let known = self.state.device_with(&proven.key);
        if in_guest_zone && !known.is_some_and(|device| family::is_visitor(&self.state, device.person)) {
            return self.turn_away(turn, conn, request, Refusal::Zone);
        }
        if let Some(who) = known.and_then(|device| Identified::again(&proven, device)) {
            let waits = self.awaits_pin_code(now, &who);
            if (waits || self.admissible(who.device()).is_ok())
                && !self.is_only_holder(now, turn, (conn, request), who.device(), login)
            {
                return;
            }
            if waits {
                return self.new_pin_offered(now, turn, (conn, request), (who, proven), fresh);
            }
            return self.join_again(now, turn, conn, request, who);
        }
        match self.guess(now, conn, &proven) {
            Err(refusal) => self.turn_away(turn, conn, request, refusal),
            Ok(person) => {
                let draw = Draw::new(fresh);
                let mut device = DeviceId::from_random(draw.identifier());
                while self.state.is_device(device) {
                    device = device.following();
                }
                let salt = draw.salt();
                turn.sends.push(Send::StretchPin { conn, person, device, salt });
                let check = JoinUnderCheck { request, proven, person, device, salt };
                if let Some(link) = self.links.get_mut(&conn) {
                    link.offer = Offer::first(login);
                }
                self.enter(conn, Session::JoinUnderCheck(Box::new(check)));
            }
        }
    }

    /// A device that has joined and never heard so, because the answer or its power was lost: the same join once more
    /// is a sign-in with the PIN that came with it, counted like any other.
    pub(crate) fn join_again(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        who: Identified,
    ) {
        if let Err(refusal) = self.may_sign_in(now, turn, who.device()) {
            return self.turn_away(turn, conn, request, refusal);
        }
        self.await_pin(now, turn, conn, who);
        self.pin_offered(now, turn, conn, request);
    }

    /// The person whose code it is.
    pub(crate) fn join_checked(&self, now: Now, proven: &ProvenJoin) -> Result<PersonId, Refusal> {
        // A clock that stepped back must not lengthen a code's life by more than NTP corrects.
        let longest = self.policy.join_code_ms.saturating_add(limits::CLOCK_STEP_MAX_MS);
        let lives = |code: &&JoinCode| now.wall < code.expires && code.expires <= now.wall.after(longest);
        let code = self.state.codes.get(&proven.code).filter(lives).ok_or(Refusal::JoinCodeInvalid)?;
        let person = code.person;
        signin::not_out(self.state.people.get(&person).ok_or(Refusal::PersonSuspended)?)?;
        let held = self.state.devices_of(person).filter(|device| !device.revoked).count();
        if held >= limits::DEVICES_PER_PERSON_MAX || self.state.devices.len() >= limits::DEVICES_MAX {
            return Err(Refusal::Limit);
        }
        Ok(person)
    }

    pub(crate) fn joined(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        check: Box<JoinUnderCheck>,
        mac: Option<PinMac>,
    ) {
        let request = check.request;
        // The code may have been redeemed, or its person suspended, while the keeper was busy; by this very device, on
        // another connection, perhaps: then the next try is a sign-in.
        let outcome = mac.ok_or(Refusal::Unavailable).and_then(|pin| {
            if self.state.device_with(&check.proven.key).is_some() {
                return Err(Refusal::Unavailable);
            }
            let person = self.join_checked(now, &check.proven)?;
            let free = person == check.person && !self.state.is_device(check.device);
            if free { Ok(pin) } else { Err(Refusal::JoinCodeInvalid) }
        });
        let pin = match outcome {
            Ok(pin) => pin,
            Err(refusal) => {
                self.enter(conn, Session::JoinUnderCheck(check));
                return self.turn_away(turn, conn, request, refusal);
            }
        };
        let device = Device {
            id: check.device,
            person: check.person,
            name: check.proven.name.clone(),
            key: check.proven.key,
            salt: check.salt,
            pin,
            pin_tries: 0,
            revoked: false,
            session_until: None,
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        };
        let (hash, person, id) = (check.proven.code, check.person, check.device);
        let issuer = self.state.codes.get(&hash).and_then(|code| code.issuer);
        let who = check.enrolled();
        let mut draft = self.draft(now, turn);
        draft.write(Write::JoinCodeEnded { hash });
        let told = Event::Small(Box::new(proto::event::Kind::DeviceJoined(device.to_wire())));
        let change = draft.write(Write::DeviceJoined(device));
        // Whoever redeemed the code: the person hears of it.
        if let Some(conns) = draft.attached.get(&person) {
            let conns = conns.iter().copied().collect();
            draft.send(Send::Fanout { change, event: told, conns });
        }
        draft.record(actor(&who), Act::DeviceJoined(person, id, issuer));
        if let Some(unit) = draft.state.people.get(&person).and_then(|entry| entry.station) {
            return self.screen_in(now, turn, conn, request, who.lock().screen(unit));
        }
        self.open_session(now, turn, id);
        self.sign_in(now, turn, conn, request, who);
    }
}
