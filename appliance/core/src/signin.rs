//! From a connection to a signed-in person: hello, proof, PIN. A device that is not enrolled yet joins: [`crate::joining`].
//!
//! A PIN try is counted durably *before* the keeper is asked, so that pulling the plug buys no further try.

use crate::audit::{Act, Actor};
use crate::availability;
use crate::composing::Lease;
use crate::directory::{Device, Person};
use crate::draft::actor;
use crate::emergency;
use crate::family;
use crate::ids::{Conn, DeviceId, RequestId, UnitId};
use crate::input::{Door, Zone};
use crate::leaving;
use crate::limits;
use crate::login::Login;
use crate::pin::PinMac;
use crate::refusal::{CloseCode, PeerFault, Refusal};
use crate::relay::{Relay, Timer, refused};
use crate::role;
use crate::session::{
    Expect, Identified, OpenSession, PinProof, PinUnderCheck, ProvenDevice, Ready, Screen, Session,
};
use crate::stat;
use crate::time::Now;
use crate::turn::{Send, Turn};
use crate::wire;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Whether somebody may sign in, and if not why.
pub(crate) fn not_out(person: &Person) -> Result<(), Refusal> {
    if person.visitor.as_ref().is_some_and(|visitor| !visitor.is_running()) {
        return Err(Refusal::FamilyOver);
    }
    match (person.suspended, person.barred || person.agency.is_none()) {
        (false, _) => Ok(()),
        (true, true) => Err(Refusal::PersonSuspended),
        (true, false) => Err(Refusal::AgencyOver),
    }
}

/// How soon to offer a PIN again while another of the device's is being looked at: about what stretching takes.
pub(crate) const PIN_CHECK_MS: u64 = 500;

impl Relay {
    #[expect(clippy::too_many_arguments, reason = "one frame, field by field")]
    pub(crate) fn hello(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        versions: (u32, u32),
        device: Option<DeviceId>,
        challenge: [u8; 32],
    ) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        match link.session {
            Session::ExpectHello => {}
            Session::Closing => return,
            _ => return self.fault(now, turn, conn, PeerFault::OutOfTurn),
        }
        if versions.0 > wire::VERSION || versions.1 < wire::VERSION {
            return self.turn_away(turn, conn, request, Refusal::VersionUnsupported);
        }
        let guest = link.door == Door::Network(Zone::Guest);
        let waits = device.and_then(|device| self.state.family.requests.get(&device));
        if let Some(waits) = waits {
            let refusal = if waits.declined { Refusal::FamilyDeclined } else { Refusal::FamilyWaiting };
            return self.turn_away(turn, conn, request, refusal);
        }
        let held = device.and_then(|device| self.state.devices.get(&device));
        let visitor = held.is_some_and(|device| family::is_visitor(&self.state, device.person));
        // From the guest network nobody of the staff signs in.
        if guest && held.is_some() && !visitor {
            return self.turn_away(turn, conn, request, Refusal::Zone);
        }
        if visitor && held.is_some_and(|device| device.revoked) {
            return self.turn_away(turn, conn, request, Refusal::FamilyOver);
        }
        let Some(link) = self.links.get_mut(&conn) else { return };
        let expected = match device {
            None => None,
            Some(id) => match self.state.devices.get(&id) {
                Some(device) if !device.revoked => Some((id, device.key)),
                // Identifiers are random: whoever knows one holds, or held, the device.
                _ => return self.turn_away(turn, conn, request, Refusal::DeviceUnknown),
            },
        };
        (link.session, link.welcomed) = (Session::ExpectProof(device), self.state.change);
        turn.sends.push(Send::Welcome {
            conn,
            request,
            expect: Expect::new(challenge, expected),
            welcome: proto::Welcome {
                version: wire::VERSION,
                challenge: challenge.to_vec(),
                facility: self.policy.facility.clone(),
                box_time: now.wall.0,
                guest,
                facility_root: self.policy.facility_root.to_vec(),
                // The doorway knows which certificates it serves.
                leaf_hashes: Vec::new(),
            },
        });
    }

    pub(crate) fn proof(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        proven: &ProvenDevice,
        login: &Login,
    ) {
        if !self.expects_proof(now, turn, conn) {
            return;
        }
        let id = proven.device();
        if let Err(refusal) = self.may_sign_in(now, turn, id) {
            return self.turn_away(turn, conn, request, refusal);
        }
        if !self.is_only_holder(now, turn, (conn, request), id, login) {
            return;
        }
        let Some(device) = self.state.devices.get(&id) else { return };
        let who = Identified::new(proven, device);
        if let Some(unit) = self.state.people.get(&device.person).and_then(|entry| entry.station) {
            return self.screen_in(now, turn, conn, request, who.screen(unit));
        }
        let fresh = self.used.get(&id).is_some_and(|used| used.is_fresh(now, self.policy.idle_lock_ms));
        match OpenSession::check(device, now.wall, self.policy.session_ms).filter(|_| fresh) {
            Some(open) => {
                let who = who.resume(open);
                self.sign_in(now, turn, conn, request, who);
            }
            None => {
                let tries_left = limits::PIN_TRIES_MAX - device.pin_tries.min(limits::PIN_TRIES_MAX);
                let passkey = self.passkey_would_do(now, id);
                let body = Body::PinNeeded(proto::PinNeeded { tries_left, passkey });
                turn.sends.push(Send::Reply { conn, request, body });
                let person = who.person();
                self.await_pin(now, turn, conn, who);
                stat::ring_for(&mut self.draft(now, turn), conn, person);
                emergency::remind(&mut self.draft(now, turn), conn, person);
                leaving::remind(&mut self.draft(now, turn), conn, person);
                availability::remind(&mut self.draft(now, turn), conn, person);
                role::offer::remind(&mut self.draft(now, turn), conn, person);
            }
        }
    }

    /// Whether a proof or a join is what is due on this connection. One that is not is a fault, but on a closing one.
    pub(crate) fn expects_proof(&mut self, now: Now, turn: &mut Turn, conn: Conn) -> bool {
        match self.links.get(&conn).map(|link| &link.session) {
            Some(Session::ExpectProof(_)) => return true,
            Some(Session::Closing) | None => {}
            _ => self.fault(now, turn, conn, PeerFault::OutOfTurn),
        }
        false
    }

    /// Whether a proven device may go on to sign in now. Why not is recorded.
    pub(crate) fn may_sign_in(&mut self, now: Now, turn: &mut Turn, id: DeviceId) -> Result<(), Refusal> {
        if let Err(refusal) = self.admissible(id) {
            self.record_unproven(now, turn, id, Act::sign_in_refused(id, refusal));
            return Err(refusal);
        }
        let spent = self.budgets.sign_in(now.mono, id);
        spent.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })
    }

    /// A proven device's connection waits for a PIN, longer than others may wait for a proof; so an earlier one of the
    /// same device gives way, or one device could hold every place of those who come.
    pub(crate) fn await_pin(&mut self, now: Now, turn: &mut Turn, conn: Conn, who: Identified) {
        let device = who.device();
        if let Some(older) = self.awaiting_pin.get(&device).copied().filter(|older| *older != conn) {
            self.close(turn, older, CloseCode::SUPERSEDED);
        }
        self.awaiting_pin.insert(device, conn);
        self.prolong(now, conn);
        self.enter(conn, Session::ExpectPin(who));
    }

    /// A device that may go on: known, not revoked, not locked out, its person not suspended.
    pub(crate) fn admissible(&self, id: DeviceId) -> Result<&Device, Refusal> {
        let device = self.in_good_standing(id)?;
        if device.is_locked_out() {
            return Err(Refusal::PinLockedOut);
        }
        Ok(device)
    }

    pub(crate) fn in_good_standing(&self, id: DeviceId) -> Result<&Device, Refusal> {
        let device = self.state.devices.get(&id).filter(|d| !d.revoked).ok_or(Refusal::DeviceUnknown)?;
        let person = self.state.people.get(&device.person).ok_or(Refusal::PersonSuspended)?;
        not_out(person)?;
        Ok(device)
    }

    pub(crate) fn pin_offered(&mut self, now: Now, turn: &mut Turn, conn: Conn, request: RequestId) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let who = match std::mem::replace(&mut link.session, Session::Closing) {
            Session::ExpectPin(who) => who,
            Session::Closing => return,
            other => {
                link.session = other;
                return self.fault(now, turn, conn, PeerFault::OutOfTurn);
            }
        };
        let (device, person) = (who.device(), who.person());
        let (salt, tries) = match self.admissible(device) {
            Ok(device) => (device.salt, device.pin_tries + 1),
            Err(refusal) => {
                self.enter(conn, Session::ExpectPin(who));
                self.record_unproven(now, turn, device, Act::sign_in_refused(device, refusal));
                return self.turn_away(turn, conn, request, refusal);
            }
        };
        // One at a time: else a right PIN would forgive the wrong ones that are still being looked at, and a device
        // that holds many connections would have nineteen tries.
        if !self.checking.insert(device) {
            self.enter(conn, Session::ExpectPin(who));
            turn.sends.push(refused(conn, request, Refusal::SlowDown { retry_after_ms: PIN_CHECK_MS }));
            return;
        }
        let visits = family::is_visitor(&self.state, person);
        let person = if visits { family::pin_of(device) } else { person };
        self.draft(now, turn).write(Write::PinTries { device, tries });
        turn.sends.push(Send::StretchPin { conn, person, device, salt });
        self.enter(conn, Session::PinUnderCheck(PinUnderCheck { who, request }));
    }

    pub(crate) fn pin_mac(&mut self, now: Now, turn: &mut Turn, conn: Conn, mac: Option<PinMac>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        if let Some(check) = link.print.take() {
            return self.print_checked(now, turn, conn, &check, mac);
        }
        match std::mem::replace(&mut link.session, Session::Closing) {
            Session::JoinUnderCheck(check) => self.joined(now, turn, conn, check, mac),
            Session::VisitUnderCheck(check) => self.visit_asked(now, turn, conn, check, mac),
            Session::NewPinUnderCheck(check) => self.new_pin_checked(now, turn, conn, check, mac),
            Session::PinUnderCheck(check) => self.pin_checked(now, turn, conn, check, mac),
            other => link.session = other,
        }
    }

    fn pin_checked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        check: PinUnderCheck,
        mac: Option<PinMac>,
    ) {
        let PinUnderCheck { who, request } = check;
        let (id, person) = (who.device(), who.person());
        self.checking.remove(&id);
        let device = match self.in_good_standing(id) {
            Ok(device) => device,
            Err(refusal) => {
                self.give_back_try(turn, id);
                self.enter(conn, Session::ExpectPin(who));
                self.record_unproven(now, turn, id, Act::sign_in_refused(id, refusal));
                return self.turn_away(turn, conn, request, refusal);
            }
        };
        let Some(mac) = mac else {
            self.give_back_try(turn, id);
            self.enter(conn, Session::ExpectPin(who));
            turn.sends.push(refused(conn, request, Refusal::Unavailable));
            return;
        };
        match PinProof::check(device, &mac) {
            Some(right) => {
                self.draft(now, turn).write(Write::PinTries { device: id, tries: 0 });
                self.open_session(now, turn, id);
                let who = who.unlock(right);
                self.sign_in(now, turn, conn, request, who);
            }
            None => {
                self.enter(conn, Session::ExpectPin(who));
                self.pin_was_wrong(now, turn, (conn, request), Actor::Person { person, device: id }, id);
            }
        }
    }

    /// It was compared, and was counted before: the tenth locks the device.
    pub(crate) fn pin_was_wrong(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        by: Actor,
        device: DeviceId,
    ) {
        let tries = self.state.devices.get(&device).map_or(limits::PIN_TRIES_MAX, |device| device.pin_tries);
        let mut draft = self.draft(now, turn);
        draft.record(by, Act::PinWrong(tries));
        if tries >= limits::PIN_TRIES_MAX {
            draft.record(by, Act::PinLockedOut);
            return self.turn_away(turn, conn, request, Refusal::PinLockedOut);
        }
        let tries_left = limits::PIN_TRIES_MAX - tries;
        turn.sends.push(refused(conn, request, Refusal::PinWrong { tries_left }));
    }

    pub(crate) fn open_session(&mut self, now: Now, turn: &mut Turn, device: DeviceId) {
        let until = now.wall.after(self.policy.session_ms);
        self.draft(now, turn).write(Write::SessionOpened { device, until });
        self.follow(now, device, self.policy.session_ms);
    }

    /// The end of every way in. A device has one connection: an older one ends.
    pub(crate) fn sign_in(&mut self, now: Now, turn: &mut Turn, conn: Conn, request: RequestId, who: Ready) {
        self.come_in(now, turn, (conn, request), actor(&who), Session::Ready(who));
    }

    /// A screen needs no more than its key.
    pub(crate) fn screen_in(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        screen: Screen,
    ) {
        let by = Actor::Person { person: screen.person(), device: screen.device() };
        self.come_in(now, turn, (conn, request), by, Session::Station(screen));
    }

    fn come_in(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        by: Actor,
        session: Session,
    ) {
        let Actor::Person { person, device: id } = by else { return };
        self.draft(now, turn).record(by, Act::SignedIn);
        if let Some(older) = self.by_device.get(&id).copied().filter(|older| *older != conn) {
            self.close(turn, older, CloseCode::SUPERSEDED);
        }
        self.by_device.insert(id, conn);
        if self.awaiting_pin.get(&id) == Some(&conn) {
            self.awaiting_pin.remove(&id);
        }
        self.clear_deadline(conn);
        self.enter(conn, session);
        self.heard.note(now.mono, id);
        let login_secret = self.offer_secret(now, turn, conn, id);
        let (Some(device), Some(entry)) = (self.state.devices.get(&id), self.state.people.get(&person))
        else {
            return;
        };
        let signed_in = proto::SignedIn {
            device: id.value(),
            person: person.value(),
            name: entry.name.reveal().to_owned(),
            session_ends: device.session_until.unwrap_or(now.wall).0,
            idle_lock: self.policy.idle_lock_ms,
            last_number: device.last_number.0,
            administrator: entry.administrator,
            devices: self
                .state
                .devices_of(person)
                .filter(|held| !held.revoked)
                .map(Device::to_wire)
                .collect(),
            station: entry.station.map_or(0, UnitId::value),
            visitor: entry.visitor.is_some(),
            login_secret,
            lease: entry.station.is_none().then(|| proto::Lease {
                number: Lease::given(now.wall).0,
                // The doorway has the keys.
                key: Vec::new(),
                drafts_key: Vec::new(),
            }),
        };
        turn.sends.push(Send::Reply { conn, request, body: Body::SignedIn(signed_in) });
        stat::ring_for(&mut self.draft(now, turn), conn, person);
        self.urgents_for(turn, conn, person);
        emergency::remind(&mut self.draft(now, turn), conn, person);
        leaving::remind(&mut self.draft(now, turn), conn, person);
        availability::remind(&mut self.draft(now, turn), conn, person);
        role::offer::remind(&mut self.draft(now, turn), conn, person);
    }

    /// A refusal after which this connection can do nothing more.
    pub(crate) fn turn_away(&mut self, turn: &mut Turn, conn: Conn, request: RequestId, refusal: Refusal) {
        turn.sends.push(refused(conn, request, refusal));
        self.close(turn, conn, CloseCode::REFUSED);
    }

    pub(crate) fn enter(&mut self, conn: Conn, session: Session) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.session = session;
        }
    }

    /// A person types slower than a device signs.
    fn prolong(&mut self, now: Now, conn: Conn) {
        if let Some(link) = self.links.get_mut(&conn)
            && let Some(due) = link.deadline
        {
            let deadline = now.mono.after(limits::PIN_TIME_MAX_MS);
            link.deadline = Some(deadline);
            self.timers.remove(&(due, Timer::Deadline(conn)));
            self.timers.insert((deadline, Timer::Deadline(conn)));
        }
    }
}
