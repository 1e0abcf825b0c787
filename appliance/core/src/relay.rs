//! Composes the rules: one input in, one turn out. Knows connections and timers; who may do what stands in the
//! modules it calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::admin::{self, Administrator};
use crate::audit::{Act, Actor};
use crate::bucket::Bucket;
use crate::cursor::Cursors;
use crate::draft::{Attached, Draft, actor};
use crate::grant::SyncGrant;
use crate::ids::{Conn, DeviceId, RequestId, Sequence};
use crate::input::{Ask, Door, Input, Zone};
use crate::limits;
use crate::membership;
use crate::policy::Policy;
use crate::refusal::{CloseCode, Fault, PeerFault, Refusal};
use crate::session::{Ready, Session};
use crate::state::{Restored, State};
use crate::time::{Mono, Now, Wall};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;
use crate::{audit, mailbox};

/// Milliseconds between looks for what has expired.
const SWEEP_MS: u64 = 60_000;

/// The box's decisions. One for a facility; owned by the driver.
pub struct Relay {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    cursors: Cursors,
    pub(crate) links: BTreeMap<Conn, Link>,
    pub(crate) by_device: BTreeMap<DeviceId, Conn>,
    attached: Attached,
    /// Every device with an open session, by the steady clock.
    pub(crate) used: BTreeMap<DeviceId, Use>,
    pub(crate) timers: BTreeSet<(Mono, Timer)>,
    pub(crate) guesses: Bucket,
    /// Devices with a PIN at the keeper.
    pub(crate) checking: BTreeSet<DeviceId>,
    pub(crate) unproven: usize,
    disk_low: bool,
}

/// How much of each thing the relay holds for as long as it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections.
    pub links: usize,
    /// Connections that have not signed in yet.
    pub unproven: usize,
    /// Connections that are delivered to.
    pub attached: usize,
    /// Devices that are, or were until their session locked, signed in on a connection.
    pub held: usize,
    /// Devices whose use is followed.
    pub sessions: usize,
    /// Timers set: at most one a connection, one a device, and the sweep.
    pub timers: usize,
}

/// One connection.
pub(crate) struct Link {
    pub(crate) door: Door,
    pub(crate) session: Session,
    /// Signed in, or through, by then; `None` once it is.
    pub(crate) deadline: Option<Mono>,
    requests: Bucket,
    submits: Bucket,
}

/// An open session's use. It has one timer, which is in [`Relay::timers`] exactly as long as this is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// The person's last act.
    last: Mono,
    /// The session's end, whatever the wall clock says meanwhile.
    ends: Mono,
    /// When the timer is due.
    looks_at: Mono,
}

impl Use {
    /// Whether the session may go on.
    pub(crate) fn is_fresh(&self, now: Now, idle_lock_ms: u64) -> bool {
        now.mono < self.last.after(idle_lock_ms) && now.mono < self.ends
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    Deadline(Conn),
    Idle(DeviceId),
    Sweep,
}

impl Relay {
    /// The box as its store holds it. Faults when the store contradicts itself.
    pub fn new(now: Now, policy: Policy, cursor_key: &[u8; 32], restored: Restored) -> Result<Self, Fault> {
        let state = State::restore(restored)?;
        let mut relay = Self {
            cursors: Cursors::new(cursor_key),
            links: BTreeMap::new(),
            by_device: BTreeMap::new(),
            attached: BTreeMap::new(),
            used: BTreeMap::new(),
            timers: BTreeSet::from([(now.mono.after(SWEEP_MS), Timer::Sweep)]),
            guesses: Bucket::full(limits::JOIN_GUESSES_BURST, now.mono),
            checking: BTreeSet::new(),
            unproven: 0,
            disk_low: false,
            policy,
            state,
        };
        // A session that had not locked when the relay stopped was in use within the idle time: it goes on.
        let open: Vec<(DeviceId, Wall)> =
            relay.state.devices.values().filter_map(|d| Some((d.id, d.session_until?))).collect();
        for (device, until) in open {
            let rest = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
            relay.follow(now, device, rest.min(relay.policy.session_ms));
        }
        Ok(relay)
    }

    /// The cursors of this box, for the driver that stamps deliveries.
    pub fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    /// What the core remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether new bodies are refused for want of space.
    pub fn disk_low(&self) -> bool {
        self.disk_low
    }

    /// Connections, and those of them that are delivered to.
    pub fn connections(&self) -> (usize, usize) {
        (self.links.len(), self.attached.values().map(BTreeSet::len).sum())
    }

    /// What is held in memory besides the state: for metrics, and for the proof that it is bounded.
    pub fn load(&self) -> Load {
        Load {
            links: self.links.len(),
            unproven: self.unproven,
            attached: self.attached.values().map(BTreeSet::len).sum(),
            held: self.by_device.len(),
            sessions: self.used.len(),
            timers: self.timers.len(),
        }
    }

    /// Decides one input.
    pub fn handle(&mut self, now: Now, input: Input) -> Turn {
        let mut turn = Turn::default();
        match input {
            Input::Connected { conn, door } => self.connected(now, &mut turn, conn, door),
            Input::Closed { conn } => self.closed(conn),
            Input::Moved { conn, zone } => self.moved(&mut turn, conn, zone),
            Input::Hello { conn, request, versions, device, challenge } => {
                self.hello(now, &mut turn, conn, request, versions, device, challenge);
            }
            Input::Proof { conn, request, proven } => self.proof(now, &mut turn, conn, request, &proven),
            Input::Join { conn, request, proven, fresh } => {
                self.join(now, &mut turn, conn, request, proven, &fresh);
            }
            Input::PinOffered { conn, request } => self.pin_offered(now, &mut turn, conn, request),
            Input::PinMac { conn, mac } => self.pin_mac(now, &mut turn, conn, mac),
            Input::Request { conn, request, ask } => self.request(now, &mut turn, conn, request, ask),
            Input::Faulted { conn, fault } => self.fault(now, &mut turn, conn, fault),
            Input::Disk { free } => {
                // A quarter more than the reserve before new bodies are taken again, so that it does not flutter.
                let floor = limits::DISK_RESERVE_BYTES;
                self.disk_low = if self.disk_low { free < floor + floor / 4 } else { free < floor };
            }
            Input::Aged { conversation, read_through, any_through } => {
                mailbox::expire(&mut self.draft(now, &mut turn), conversation, read_through, any_through);
            }
            Input::Drain => self.drain(&mut turn),
        }
        turn
    }

    /// When [`Relay::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Handles every timer that is due.
    pub fn handle_timeout(&mut self, now: Now) -> Turn {
        let mut turn = Turn::default();
        while let Some((at, timer)) = self.timers.first().copied() {
            if at > now.mono {
                break;
            }
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Deadline(conn) => self.deadline(now, &mut turn, conn),
                Timer::Idle(device) => self.idle(now, &mut turn, device),
                Timer::Sweep => self.sweep(now, &mut turn),
            }
        }
        turn
    }

    pub(crate) fn draft<'a>(&'a mut self, now: Now, turn: &'a mut Turn) -> Draft<'a> {
        Draft {
            now,
            policy: &self.policy,
            state: &mut self.state,
            attached: &self.attached,
            disk_low: self.disk_low,
            turn,
        }
    }

    fn connected(&mut self, now: Now, turn: &mut Turn, conn: Conn, door: Door) {
        let local = door == Door::Local;
        let full =
            self.links.len() >= limits::CONNECTIONS_MAX || self.unproven >= limits::CONNECTIONS_UNPROVEN_MAX;
        if full && !local {
            turn.sends.push(Send::Close { conn, code: CloseCode::FULL });
            return;
        }
        let deadline = (!local).then(|| now.mono.after(limits::PROOF_TIME_MAX_MS));
        if let Some(deadline) = deadline {
            self.unproven += 1;
            self.timers.insert((deadline, Timer::Deadline(conn)));
        }
        let link = Link {
            door,
            session: if local { Session::Local } else { Session::ExpectHello },
            deadline,
            requests: Bucket::full(limits::REQUESTS_BURST, now.mono),
            submits: Bucket::full(limits::SUBMITS_BURST, now.mono),
        };
        self.links.insert(conn, link);
    }

    fn closed(&mut self, conn: Conn) {
        self.clear_deadline(conn);
        if let Some(link) = self.links.remove(&conn) {
            self.forget(conn, &link.session);
        }
    }

    /// The connection need not hurry any more: it is through, or gone.
    pub(crate) fn clear_deadline(&mut self, conn: Conn) {
        if let Some(due) = self.links.get_mut(&conn).and_then(|link| link.deadline.take()) {
            self.timers.remove(&(due, Timer::Deadline(conn)));
            self.unproven -= 1;
        }
    }

    /// Follows a session that is open and was used just now.
    pub(crate) fn follow(&mut self, now: Now, device: DeviceId, rest_ms: u64) {
        self.unfollow(device);
        let ends = now.mono.after(rest_ms);
        let looks_at = ends.min(now.mono.after(self.policy.idle_lock_ms));
        self.used.insert(device, Use { last: now.mono, ends, looks_at });
        self.timers.insert((looks_at, Timer::Idle(device)));
    }

    /// The session is over.
    fn unfollow(&mut self, device: DeviceId) {
        if let Some(used) = self.used.remove(&device) {
            self.timers.remove(&(used.looks_at, Timer::Idle(device)));
        }
    }

    /// What a zone does not allow ends when a connection roams into it.
    fn moved(&mut self, turn: &mut Turn, conn: Conn, zone: Zone) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.door = Door::Network(zone);
        if zone == Zone::Guest && !matches!(link.session, Session::ExpectHello | Session::Closing) {
            turn.sends.push(refused(conn, RequestId::NONE, Refusal::Zone));
            self.close(turn, conn, CloseCode::REFUSED);
        }
    }

    /// Takes the connection out of delivery.
    fn forget(&mut self, conn: Conn, session: &Session) {
        if let Session::Ready(who) = session
            && let Some(conns) = self.attached.get_mut(&who.person())
        {
            conns.remove(&conn);
            if conns.is_empty() {
                self.attached.remove(&who.person());
            }
        }
        if let Session::PinUnderCheck(check) = session {
            self.checking.remove(&check.who.device());
        }
        if let Some(device) = device_of(session)
            && self.by_device.get(&device) == Some(&conn)
        {
            self.by_device.remove(&device);
        }
    }

    /// Ends a connection from this side. Nothing more is delivered from this moment.
    pub(crate) fn close(&mut self, turn: &mut Turn, conn: Conn, code: CloseCode) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let session = std::mem::replace(&mut link.session, Session::Closing);
        // Once is enough: a peer that floods a connection that is being closed makes the box no work.
        if matches!(session, Session::Closing) {
            return;
        }
        self.forget(conn, &session);
        turn.sends.push(Send::Detach { conn });
        turn.sends.push(Send::Close { conn, code });
    }

    pub(crate) fn fault(&mut self, now: Now, turn: &mut Turn, conn: Conn, fault: PeerFault) {
        let Some(link) = self.links.get(&conn) else { return };
        if let Some(device) = device_of(&link.session) {
            let by = match &link.session {
                Session::Ready(who) => actor(who),
                _ => Actor::Unproven,
            };
            self.draft(now, turn).record(by, audit::Act::peer_fault(device, fault));
        }
        self.close(turn, conn, fault.code());
    }

    fn request(&mut self, now: Now, turn: &mut Turn, conn: Conn, request: RequestId, ask: Ask) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        if link.requests.take(limits::REQUESTS_PER_SECOND, limits::REQUESTS_BURST, now.mono).is_err() {
            return self.fault(now, turn, conn, PeerFault::Flood);
        }
        let outcome = match &link.session {
            Session::Closing => return,
            Session::ExpectHello | Session::ExpectProof | Session::JoinUnderCheck(_) => {
                return self.fault(now, turn, conn, PeerFault::OutOfTurn);
            }
            Session::ExpectPin(_) | Session::PinUnderCheck(_) => Err(Refusal::Locked),
            Session::Local => self.administer(now, turn, conn, request, &Administrator(Actor::Local), ask),
            Session::Ready(_) => self.ask(now, turn, conn, request, ask),
        };
        if let Err(refusal) = outcome {
            turn.sends.push(refused(conn, request, refusal));
        }
    }

    /// A signed-in person's request.
    fn ask(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        ask: Ask,
    ) -> Result<(), Refusal> {
        let Some(link) = self.links.get_mut(&conn) else { return Ok(()) };
        if let Ask::Submit(_) = ask {
            let taken = link.submits.take(limits::SUBMITS_PER_SECOND, limits::SUBMITS_BURST, now.mono);
            taken.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })?;
        }
        let zone = link.door;
        let Session::Ready(who) = &link.session else { return Ok(()) };
        let who = who.clone();
        if is_act_of_a_person(&ask)
            && let Some(used) = self.used.get_mut(&who.device())
        {
            used.last = now.mono;
        }
        self.ask_as(now, turn, conn, request, &who, zone, ask)
    }

    #[expect(clippy::too_many_arguments, reason = "one request, seen from all sides")]
    fn ask_as(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        who: &Ready,
        door: Door,
        ask: Ask,
    ) -> Result<(), Refusal> {
        let mut draft = self.draft(now, turn);
        match ask {
            Ask::Sync { cursor } => self.sync(turn, conn, request, who, &cursor),
            Ask::Submit(submit) => mailbox::submit(&mut draft, conn, request, who, submit),
            Ask::Receipt { conversation, delivered, read } => {
                mailbox::receipt(&mut draft, conn, who, conversation, delivered, read)
            }
            Ask::History { conversation, before, limit } => {
                mailbox::history(&mut draft, conn, request, who, conversation, before, limit)
            }
            Ask::OpenDirect { person, fresh } => {
                membership::open_direct(&mut draft, conn, request, who, person, fresh)
            }
            Ask::OpenGroup { title, people, fresh } => {
                membership::open_group(&mut draft, conn, request, who, title, people, fresh)
            }
            Ask::ChangeMembers { conversation, add, remove } => {
                membership::change_members(&mut draft, conn, request, who, conversation, add, remove)
            }
            Ask::ListPeople { after } => {
                admin::list_people(&mut draft, conn, request, after);
                Ok(())
            }
            Ask::Active => Ok(()),
            ask => {
                let entry = self.state.people.get(&who.person()).ok_or(Refusal::NotAdministrator)?;
                if !entry.administrator || door != Door::Network(Zone::Admin) {
                    return Err(Refusal::NotAdministrator);
                }
                self.administer(now, turn, conn, request, &Administrator(actor(who)), ask)
            }
        }
    }

    fn sync(
        &mut self,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        who: &Ready,
        cursor: &[u8],
    ) -> Result<(), Refusal> {
        let after = if cursor.is_empty() {
            None
        } else {
            let change = self.cursors.open(who.device(), cursor)?;
            // A store that went back in time (an old backup) has not given this number yet.
            if change > self.state.change {
                return Err(Refusal::CursorInvalid);
            }
            Some(change)
        };
        self.attached.entry(who.person()).or_default().insert(conn);
        let grant = SyncGrant::new(who.person());
        turn.sends.push(Send::Attach { conn, request, grant, device: who.device(), after });
        Ok(())
    }

    fn administer(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        by: &Administrator,
        ask: Ask,
    ) -> Result<(), Refusal> {
        let mut draft = self.draft(now, turn);
        let body = match ask {
            Ask::AddPerson { name, title, administrator, fresh } => {
                admin::add_person(&mut draft, by, name, title, administrator, &fresh)?
            }
            Ask::IssueJoinCode { person, fresh } => admin::issue_join_code(&mut draft, by, person, &fresh)?,
            Ask::PurgeConversation { conversation } => admin::purge(&mut draft, by, conversation)?,
            Ask::ListDevices { person } => admin::list_devices(&mut draft, by, person)?,
            Ask::RevokeDevice { device } => {
                let done = admin::revoke_device(&mut draft, by, device)?;
                self.expel(turn, &[device]);
                done
            }
            Ask::SetStanding { person, suspended } => {
                let done = admin::set_standing(&mut draft, by, person, suspended)?;
                if suspended {
                    let devices: Vec<DeviceId> =
                        self.state.devices_of(person).map(|device| device.id).collect();
                    self.expel(turn, &devices);
                }
                done
            }
            Ask::ListPeople { after } => {
                admin::list_people(&mut draft, conn, request, after);
                return Ok(());
            }
            _ => return Err(Refusal::UnknownRequest),
        };
        turn.sends.push(Send::Reply { conn, request, body });
        Ok(())
    }

    /// Ends what these devices have open, at once.
    fn expel(&mut self, turn: &mut Turn, devices: &[DeviceId]) {
        for device in devices {
            self.unfollow(*device);
            if let Some(conn) = self.by_device.get(device).copied() {
                self.close(turn, conn, CloseCode::REVOKED);
            }
        }
    }

    fn deadline(&mut self, now: Now, turn: &mut Turn, conn: Conn) {
        let due = self.links.get(&conn).and_then(|link| link.deadline);
        if due.is_some_and(|due| due <= now.mono) {
            self.fault(now, turn, conn, PeerFault::TooSlow);
        }
    }

    /// Locks a session that nobody used, or that is as old as one may be; else looks again when it could be.
    fn idle(&mut self, now: Now, turn: &mut Turn, device: DeviceId) {
        let Some(used) = self.used.get_mut(&device) else { return };
        let until = self.state.devices.get(&device).and_then(|device| device.session_until);
        if used.is_fresh(now, self.policy.idle_lock_ms) && until.is_some_and(|until| now.wall < until) {
            used.looks_at = used.ends.min(used.last.after(self.policy.idle_lock_ms));
            self.timers.insert((used.looks_at, Timer::Idle(device)));
            return;
        }
        self.used.remove(&device);
        if until.is_none() {
            return;
        }
        let mut draft = self.draft(now, turn);
        draft.write(Write::SessionEnded { device });
        draft.record(Actor::TheBox, Act::SessionLocked(device));
        if let Some(conn) = self.by_device.get(&device).copied() {
            self.lock(turn, conn);
        }
    }

    fn lock(&mut self, turn: &mut Turn, conn: Conn) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let session = std::mem::replace(&mut link.session, Session::Closing);
        if let Session::Ready(who) = session {
            let tries = self.state.devices.get(&who.device()).map_or(0, |device| device.pin_tries);
            if let Some(conns) = self.attached.get_mut(&who.person()) {
                conns.remove(&conn);
                if conns.is_empty() {
                    self.attached.remove(&who.person());
                }
            }
            link.session = Session::ExpectPin(who.lock());
            turn.sends.push(Send::Detach { conn });
            let tries_left = limits::PIN_TRIES_MAX.saturating_sub(tries);
            let body = Body::Locked(proto::Locked { tries_left });
            turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body });
        } else {
            link.session = session;
        }
    }

    fn sweep(&mut self, now: Now, turn: &mut Turn) {
        self.timers.insert((now.mono.after(SWEEP_MS), Timer::Sweep));
        let expired: Vec<_> = self
            .state
            .codes
            .values()
            .filter(|code| code.expires <= now.wall)
            .map(|code| (code.hash, code.person))
            .collect();
        for (hash, person) in expired {
            let mut draft = self.draft(now, turn);
            draft.write(Write::JoinCodeEnded { hash });
            draft.record(Actor::TheBox, Act::JoinCodeExpired(person));
        }
        let before = |age: u64| Wall(now.wall.0.saturating_sub_unsigned(age));
        turn.sends.push(Send::FindAged {
            read_before: before(self.policy.retention_ms),
            any_before: before(self.policy.retention_ms.saturating_mul(2)),
        });
    }

    fn drain(&mut self, turn: &mut Turn) {
        // Spread over two seconds by the clients' own jitter.
        const RETRY_AFTER_MS: u64 = 2_000;
        let conns: Vec<Conn> = self.links.keys().copied().collect();
        for conn in conns {
            let body = Body::Draining(proto::Draining { retry_after: RETRY_AFTER_MS });
            turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body });
            self.close(turn, conn, CloseCode::DRAINING);
        }
    }
}

/// What a person does, as against what an app does by itself.
fn is_act_of_a_person(ask: &Ask) -> bool {
    match ask {
        Ask::Sync { .. } => false,
        Ask::Receipt { read, .. } => *read > Sequence::NONE,
        _ => true,
    }
}

pub(crate) fn device_of(session: &Session) -> Option<DeviceId> {
    match session {
        Session::Ready(who) => Some(who.device()),
        Session::ExpectPin(who) => Some(who.device()),
        Session::PinUnderCheck(check) => Some(check.who.device()),
        _ => None,
    }
}

/// A refusal as the client sees it.
pub fn refused(conn: Conn, request: RequestId, refusal: Refusal) -> Send {
    let (retry_after, tries_left) = match refusal {
        Refusal::SlowDown { retry_after_ms } => (retry_after_ms, 0),
        Refusal::Unavailable => (1_000, 0),
        Refusal::DiskLow => (30_000, 0),
        Refusal::PinWrong { tries_left } => (0, tries_left),
        _ => (0, 0),
    };
    let body = Body::Refused(proto::Refused {
        code: refusal.code().into(),
        advice: refusal.to_string(),
        retry_after,
        tries_left,
    });
    Send::Reply { conn, request, body }
}
