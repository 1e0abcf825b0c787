//! The reference's rules for getting in and being put out.

use wardline_core::audit::{Act, Actor};
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, DeviceId, PersonId, RequestId};
use wardline_core::input::{Door, Source, Zone};
use wardline_core::limits;
use wardline_core::login::Login;
use wardline_core::pin::PinMac;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::time::{Mono, Now};
use wardline_core::wire::proto::RefusalCode as Code;

use crate::reference::{Answer, Device, Expected, JoinCode, Phase, Reference};

impl Reference {
    pub(crate) fn hello(
        &mut self,
        now: Now,
        conn: Conn,
        versions: (u32, u32),
        device: Option<DeviceId>,
    ) -> Expected {
        match self.link(conn).map(|link| (link.phase.clone(), link.door)) {
            None | Some((Phase::Over, _)) => Expected::default(),
            Some((Phase::New, door)) => {
                if versions.0 > 1 || versions.1 < 1 {
                    return self.turn_away(conn, Code::VersionUnsupported);
                }
                let waits = self.ward.family.requests.iter().find(|request| Some(request.device) == device);
                if let Some(request) = waits {
                    let code = if request.declined { Code::FamilyDeclined } else { Code::FamilyWaiting };
                    return self.turn_away(conn, code);
                }
                let known = device.and_then(|device| self.ward.device(device));
                let (held, revoked) = (known.is_some(), known.is_some_and(|device| device.revoked));
                let visits = device.is_some_and(|device| self.ward.is_visitors(device));
                if door == Door::Network(Zone::Guest) && held && !visits {
                    return self.turn_away(conn, Code::Zone);
                }
                if visits && revoked {
                    return self.turn_away(conn, Code::FamilyOver);
                }
                if let Some(device) = device
                    && self.ward.device(device).is_none_or(|device| device.revoked)
                {
                    return self.turn_away(conn, Code::DeviceUnknown);
                }
                self.enter(conn, Phase::Welcomed(device));
                self.said_hello(conn);
                Expected::answered(Answer::Welcome)
            }
            Some(_) => self.fault(now, conn, PeerFault::OutOfTurn),
        }
    }

    /// A connection roamed: from now on it is where it is. From the guest network nobody of the staff signs in or stays signed in.
    pub(crate) fn moved(&mut self, conn: Conn, zone: Zone) -> Expected {
        let Some(link) = self.link_mut(conn) else { return Expected::default() };
        link.door = Door::Network(zone);
        if zone == Zone::Guest && !self.may_be_guest(conn) {
            self.turn_away(conn, Code::Zone)
        } else {
            Expected::default()
        }
    }

    pub(crate) fn proof(&mut self, now: Now, conn: Conn, device: DeviceId, login: &Login) -> Expected {
        match self.link(conn).map(|link| link.phase.clone()) {
            None | Some(Phase::Over) => return Expected::default(),
            Some(Phase::Welcomed(_)) => {}
            Some(_) => return self.fault(now, conn, PeerFault::OutOfTurn),
        }
        if let Some(refused) = self.may_not_sign_in(now, conn, device) {
            return refused;
        }
        if let Some(refused) = self.is_not_only_holder(conn, device, login) {
            return refused;
        }
        if self.session_is_open(now, device) {
            let mut expected = Expected::default();
            self.sign_in(now, conn, device, &mut expected);
            return expected;
        }
        let tries = self.ward.device(device).map_or(0, |device| device.tries);
        let mut expected = Expected::answered(Answer::PinNeeded(limits::PIN_TRIES_MAX - tries));
        self.await_pin(now, conn, device, &mut expected);
        expected
    }

    /// Barred, or too often: a hundred at once, then one a second.
    pub(crate) fn may_not_sign_in(&mut self, now: Now, conn: Conn, device: DeviceId) -> Option<Expected> {
        if let Some(code) = self.barred(device) {
            return Some(self.bar(now, conn, device, code));
        }
        let begun = self.lobby.sign_ins.iter().filter(|(_, other)| *other == device);
        if left(now, begun.map(|(when, _)| *when), 100, 1_000) < TOKEN {
            return Some(self.turn_away(conn, Code::SlowDown));
        }
        self.lobby.sign_ins.push((now.mono, device));
        None
    }

    fn bar(&mut self, now: Now, conn: Conn, device: DeviceId, code: Code) -> Expected {
        let mut expected = self.turn_away(conn, code);
        self.record_unproven(now, device, Act::SignInRefused(device, code as u32), &mut expected);
        expected
    }

    /// Of a device one connection may wait for a PIN that has not been signed in; a locked one is another matter.
    fn await_pin(&mut self, now: Now, conn: Conn, device: DeviceId, expected: &mut Expected) {
        let waits = |link: &&crate::reference::Link| {
            matches!(link.phase, Phase::PinDue(other) | Phase::PinChecking(other, _) if other == device)
                && link.deadline.is_some()
        };
        let older: Vec<Conn> = self.lobby.links.iter().filter(waits).map(|link| link.conn).collect();
        for older in older {
            self.close(older, CloseCode::SUPERSEDED, expected);
        }
        self.enter(conn, Phase::PinDue(device));
        if let Some(link) = self.link_mut(conn) {
            link.deadline = Some(now.mono.after(limits::PIN_TIME_MAX_MS));
        }
    }

    /// Why this device may not come in.
    pub(crate) fn barred(&self, device: DeviceId) -> Option<Code> {
        let Some(device) = self.ward.device(device).filter(|device| !device.revoked) else {
            return Some(Code::DeviceUnknown);
        };
        let why_out = match self.ward.visitor(device.person) {
            Some(visitor) => visitor.over.then_some(Code::FamilyOver),
            None => self.ward.person(device.person).map_or(Some(Code::PersonSuspended), |who| who.why_out()),
        };
        if why_out.is_some() {
            return why_out;
        }
        (device.tries >= limits::PIN_TRIES_MAX).then_some(Code::PinLockedOut)
    }

    /// Open, used within the idle time, not over by either clock, and not open for longer than a session may be.
    fn session_is_open(&self, now: Now, device: DeviceId) -> bool {
        let Some(until) = self.ward.device(device).and_then(|device| device.session) else { return false };
        let Some((_, used, ends)) = self.lobby.open.iter().find(|open| open.0 == device) else {
            return false;
        };
        now.wall < until
            && until <= now.wall.after(self.policy.session_ms)
            && now.mono < used.after(self.policy.idle_lock_ms)
            && now.mono < *ends
    }

    /// A device has one connection: an older one ends.
    pub(crate) fn sign_in(&mut self, now: Now, conn: Conn, device: DeviceId, expected: &mut Expected) {
        let older: Vec<Conn> = self
            .lobby
            .links
            .iter()
            .filter(|link| link.conn != conn && self.held_by(link.conn) == Some(device))
            .map(|link| link.conn)
            .collect();
        for older in older {
            self.close(older, CloseCode::SUPERSEDED, expected);
        }
        self.hear(now, device);
        self.give_secret(conn, device, expected);
        expected.audits.push((self.actor(device), Act::SignedIn));
        expected.answer = Some(Answer::SignedIn);
        if let Some(link) = self.link_mut(conn) {
            (link.phase, link.deadline) = (Phase::In(device), None);
        }
    }

    /// The device that is, or was before it locked, signed in here.
    pub(crate) fn held_by(&self, conn: Conn) -> Option<DeviceId> {
        let link = self.link(conn)?;
        match &link.phase {
            Phase::In(device) => Some(*device),
            Phase::PinDue(device) | Phase::PinChecking(device, _) if link.deadline.is_none() => Some(*device),
            _ => None,
        }
    }

    pub(crate) fn join(
        &mut self,
        now: Now,
        conn: Conn,
        request: RequestId,
        (code, key): ([u8; 32], PublicKey),
        login: &Login,
    ) -> Expected {
        match self.link(conn).map(|link| link.phase.clone()) {
            None | Some(Phase::Over) => return Expected::default(),
            Some(Phase::Welcomed(_)) => {}
            Some(_) => return self.fault(now, conn, PeerFault::OutOfTurn),
        }
        // A device that is enrolled and was never told: what it sent is worth a sign-in and a PIN, whatever the code.
        let known = self.ward.devices.iter().find(|device| device.key == key).map(|device| device.id);
        if self.is_guest(conn) && !known.is_some_and(|device| self.ward.is_visitors(device)) {
            return self.turn_away(conn, Code::Zone);
        }
        let waits = known.filter(|device| self.awaits_pin_code(now, *device));
        let goes_on = waits.or(known.filter(|device| self.barred(*device).is_none()));
        if let Some(refused) = goes_on.and_then(|device| self.is_not_only_holder(conn, device, login)) {
            return refused;
        }
        if let Some(device) = waits {
            return self.new_pin_offered(now, (conn, request), device, code);
        }
        if let Some(device) = known {
            return self.sign_in_by_key(now, conn, request, device);
        }
        let source = self.link(conn).map_or(Source(0), |link| link.source);
        if let Some(refused) = self.one_guess_more(now, conn, source) {
            return refused;
        }
        match self.code_holder(now, code) {
            Err(refusal) => self.turn_away(conn, refusal),
            Ok(person) => {
                self.enter(conn, Phase::Joining { request, code, key: Box::new(key), person });
                self.offered(conn, None, login);
                Expected::answered(Answer::Stretch)
            }
        }
    }

    /// A device that proved itself by what it joined or asked with, and the PIN that came with that.
    pub(crate) fn sign_in_by_key(
        &mut self,
        now: Now,
        conn: Conn,
        request: RequestId,
        device: DeviceId,
    ) -> Expected {
        if let Some(refused) = self.may_not_sign_in(now, conn, device) {
            return refused;
        }
        let mut expected = Expected::default();
        self.await_pin(now, conn, device, &mut expected);
        let offered = self.pin_offered(now, conn, request);
        expected.closes.extend(offered.closes);
        Expected { closes: expected.closes, ..offered }
    }

    /// So many codes of one source are looked at, twenty at once, then one a second; of the rest nothing is said.
    pub(crate) fn one_guess_more(&mut self, now: Now, conn: Conn, source: Source) -> Option<Expected> {
        let guessed = self.lobby.guesses.iter().filter(|(_, from)| *from == source);
        if left(now, guessed.map(|(when, _)| *when), 20, 1_000) < TOKEN {
            return Some(self.turn_away(conn, Code::SlowDown));
        }
        self.lobby.guesses.push((now.mono, source));
        None
    }

    fn code_holder(&self, now: Now, hash: [u8; 32]) -> Result<PersonId, Code> {
        // Not over, and not longer to go than when it was issued, whatever the clock did; five minutes it may step.
        let newest = now.wall.after(self.policy.join_code_ms + 300_000);
        let lives = |code: &JoinCode| now.wall < code.expires && code.expires <= newest;
        let code = self.ward.codes.iter().find(|code| code.hash == hash && lives(code));
        let person = code.ok_or(Code::JoinCodeInvalid)?.person;
        if let Some(code) = self.ward.person(person).map_or(Some(Code::PersonSuspended), |who| who.why_out())
        {
            return Err(code);
        }
        let held =
            self.ward.devices.iter().filter(|device| device.person == person && !device.revoked).count();
        if held >= limits::DEVICES_PER_PERSON_MAX { Err(Code::Limit) } else { Ok(person) }
    }

    pub(crate) fn pin_offered(&mut self, now: Now, conn: Conn, request: RequestId) -> Expected {
        let device = match self.link(conn).map(|link| link.phase.clone()) {
            None | Some(Phase::Over) => return Expected::default(),
            Some(Phase::PinDue(device)) => device,
            Some(_) => return self.fault(now, conn, PeerFault::OutOfTurn),
        };
        if let Some(code) = self.barred(device) {
            return self.bar(now, conn, device, code);
        }
        // One at a time: a right PIN must not forgive the wrong ones that are still being looked at.
        let checking = |link: &crate::reference::Link| matches!(link.phase, Phase::PinChecking(other, _) if other == device);
        if self.lobby.links.iter().any(checking) || self.is_printing(device) {
            return Expected::refused(Code::SlowDown);
        }
        if let Some(device) = self.ward.device_mut(device) {
            device.tries += 1;
        }
        self.enter(conn, Phase::PinChecking(device, request));
        Expected::answered(Answer::Stretch)
    }

    /// What the PIN's or the join's MAC brings. `enrolled` is the new device's identifier, if the core made one.
    pub(crate) fn pin_mac(
        &mut self,
        now: Now,
        conn: Conn,
        mac: Option<PinMac>,
        enrolled: Option<DeviceId>,
    ) -> Expected {
        if let Some(print) = self.take_print(conn) {
            return self.print_checked(conn, &print, mac);
        }
        match self.link(conn).map(|link| link.phase.clone()) {
            Some(Phase::Joining { code, person, key, .. }) => {
                let Some(pin) = mac else { return self.turn_away(conn, Code::Unavailable) };
                // On another connection meanwhile: the next try is a sign-in.
                if self.ward.devices.iter().any(|device| device.key == *key) {
                    return self.turn_away(conn, Code::Unavailable);
                }
                match self.code_holder(now, code) {
                    Ok(holder) if holder == person => {}
                    Ok(_) => return self.turn_away(conn, Code::JoinCodeInvalid),
                    Err(code) => return self.turn_away(conn, code),
                }
                let Some(device) = enrolled else { return Expected::default() };
                let issuer =
                    self.ward.codes.iter().find(|kept| kept.hash == code).and_then(|kept| kept.issuer);
                self.ward.codes.retain(|kept| kept.hash != code);
                self.ward.devices.push(Device {
                    id: device,
                    person,
                    key: *key,
                    pin,
                    tries: 0,
                    revoked: false,
                    session: None,
                    passkey_until: None,
                    passkeys: Vec::new(),
                    secrets: None,
                    last_number: 0,
                    sent: Vec::new(),
                });
                let mut expected = Expected::default();
                expected.audits.push((self.actor(device), Act::DeviceJoined(person, device, issuer)));
                self.open_session(now, device);
                self.sign_in(now, conn, device, &mut expected);
                expected
            }
            Some(Phase::Asking { code, key, name, .. }) => {
                self.visit_asked(now, conn, (code, *key, name), mac, enrolled)
            }
            Some(Phase::Clearing(device, _, code)) => self.new_pin_checked(now, conn, (device, code), mac),
            Some(Phase::PinChecking(device, _)) => self.pin_checked(now, conn, device, mac),
            _ => Expected::default(),
        }
    }

    fn pin_checked(&mut self, now: Now, conn: Conn, id: DeviceId, mac: Option<PinMac>) -> Expected {
        let actor = self.actor(id);
        if let Some(
            code @ (Code::DeviceUnknown | Code::PersonSuspended | Code::AgencyOver | Code::FamilyOver),
        ) = self.barred(id)
        {
            return self.bar(now, conn, id, code);
        }
        let Some(device) = self.ward.device_mut(id) else { return Expected::default() };
        let Some(mac) = mac else {
            device.tries -= 1;
            self.enter(conn, Phase::PinDue(id));
            return Expected::refused(Code::Unavailable);
        };
        if mac == device.pin {
            device.tries = 0;
            self.open_session(now, id);
            let mut expected = Expected::default();
            self.sign_in(now, conn, id, &mut expected);
            return expected;
        }
        let tries = device.tries;
        let mut audits = vec![(actor, Act::PinWrong(tries))];
        self.enter(conn, Phase::PinDue(id));
        let mut expected = if tries >= limits::PIN_TRIES_MAX {
            audits.push((actor, Act::PinLockedOut));
            self.turn_away(conn, Code::PinLockedOut)
        } else {
            Expected::refused(Code::PinWrong)
        };
        expected.audits = audits;
        expected
    }

    pub(crate) fn open_session(&mut self, now: Now, id: DeviceId) {
        let until = now.wall.after(self.policy.session_ms);
        if let Some(device) = self.ward.device_mut(id) {
            (device.session, device.passkey_until) = (Some(until), Some(until));
        }
        self.lobby.open.retain(|open| open.0 != id);
        self.lobby.open.push((id, now.mono, now.mono.after(self.policy.session_ms)));
    }

    pub(crate) fn enter(&mut self, conn: Conn, phase: Phase) {
        if let Some(link) = self.link_mut(conn) {
            link.phase = phase;
        }
    }

    /// The sessions and connections of these devices end at once.
    pub(crate) fn expel(&mut self, devices: &[DeviceId], expected: &mut Expected) {
        for id in devices {
            self.lobby.open.retain(|open| open.0 != *id);
            if let Some(device) = self.ward.device_mut(*id) {
                (device.session, device.passkey_until) = (None, None);
            }
            let mut conns: Vec<Conn> = self.lobby.links.iter().map(|link| link.conn).collect();
            conns.retain(|conn| {
                let awaits = |phase: &Phase| matches!(phase, Phase::PinDue(of) | Phase::PinChecking(of, _) if of == id);
                self.held_by(*conn) == Some(*id) || self.link(*conn).is_some_and(|link| awaits(&link.phase))
            });
            for conn in conns {
                self.lobby.expelled_in_check |=
                    self.link(conn).is_some_and(|link| matches!(link.phase, Phase::PinChecking(..)));
                self.close(conn, CloseCode::REVOKED, expected);
            }
        }
    }

    /// The person leaves the device.
    pub(crate) fn locked_by_hand(&mut self, device: DeviceId, person: PersonId) -> Expected {
        self.lock(device);
        let by = Actor::Person { person, device };
        Expected { audits: vec![(by, Act::SessionLocked(device))], ..Expected::default() }
    }

    pub(crate) fn lock(&mut self, id: DeviceId) {
        self.lobby.open.retain(|open| open.0 != id);
        if let Some(device) = self.ward.device_mut(id) {
            device.session = None;
        }
        for link in &mut self.lobby.links {
            if link.phase == Phase::In(id) {
                (link.phase, link.attached) = (Phase::PinDue(id), false);
            }
        }
    }

    /// Time passed: which sessions ended is the core's to say (`locked`), but each must have a reason, and none that
    /// has one by the steady clock may stay open. `codes` are those that it let expire.
    pub(crate) fn timeout(
        &mut self,
        now: Now,
        locked: &[DeviceId],
        codes: &[[u8; 32]],
    ) -> Result<Expected, String> {
        self.lobby.waits.retain(|waits| now.mono < waits.ends);
        let mut expected = Expected::default();
        let late: Vec<Conn> = self
            .lobby
            .links
            .iter()
            .filter(|link| link.phase != Phase::Over && link.deadline.is_some_and(|due| due <= now.mono))
            .map(|link| link.conn)
            .collect();
        for conn in late {
            let mut fault = self.fault(now, conn, PeerFault::TooSlow);
            expected.audits.append(&mut fault.audits);
            expected.closes.append(&mut fault.closes);
        }
        for id in locked {
            let open = self.lobby.open.iter().find(|open| open.0 == *id).copied();
            let (_, used, ends) = open.ok_or_else(|| format!("{id} locked without an open session"))?;
            let until = self.ward.device(*id).and_then(|device| device.session);
            let idle = used.after(self.policy.idle_lock_ms) <= now.mono;
            let over = ends <= now.mono || until.is_none_or(|until| until <= now.wall);
            if !idle && !over {
                return Err(format!("{id} locked too early"));
            }
            self.lock(*id);
            if over && let Some(device) = self.ward.device_mut(*id) {
                device.passkey_until = None;
            }
            expected.audits.push((Actor::TheBox, Act::SessionLocked(*id)));
        }
        for (device, used, ends) in &self.lobby.open {
            if used.after(self.policy.idle_lock_ms) <= now.mono || *ends <= now.mono {
                return Err(format!("{device} has a session that should have locked"));
            }
        }
        for hash in codes {
            let code = self.ward.codes.iter().find(|code| code.hash == *hash).cloned();
            let code = code.filter(|code| code.expires <= now.wall).ok_or("a live join code was expired")?;
            self.ward.codes.retain(|kept| kept.hash != *hash);
            expected.audits.push((Actor::TheBox, Act::JoinCodeExpired(code.person)));
        }
        Ok(expected)
    }
}

const TOKEN: u64 = 1_000_000;

/// What is left, in millionths, after something happened at these times: so many at once, then so many in a thousand
/// seconds.
pub(crate) fn left(
    now: Now,
    times: impl Iterator<Item = Mono>,
    burst: u64,
    per_thousand_seconds: u64,
) -> u64 {
    let (mut left, mut at) = (burst * TOKEN, Mono(0));
    for when in times {
        left = (left + (when.0 - at.0) * per_thousand_seconds).min(burst * TOKEN) - TOKEN;
        at = when;
    }
    (left + (now.mono.0 - at.0) * per_thousand_seconds).min(burst * TOKEN)
}
