//! Composes the rules: one input in, one turn out. Knows connections and timers; who may do what stands in the
//! modules it calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::alarm;
use crate::alteration::{Ages, Alterations};
use crate::audit::{Act, Actor};
use crate::bell::{self, Rung};
use crate::bucket::Bucket;
use crate::clearing::PinCodes;
use crate::cursor::Cursors;
use crate::draft::{Attached, Draft, actor, write};
use crate::emergency::Requests;
use crate::export::Exports;
use crate::family::asking::Asked;
use crate::ids::{Change, Conn, DeviceId, PersonId, RequestId};
use crate::input::{Door, Input, Source, Zone};
use crate::limits;
use crate::login::Offer;
use crate::passkey::Given;
use crate::policy::Policy;
use crate::printing::PrintUnderCheck;
use crate::reach::{Heard, Phones};
use crate::refusal::{CloseCode, Fault, PeerFault, Refusal};
use crate::relay::budgets::Budgets;
use crate::relay::guesses::Guesses;
use crate::relay::timers::SWEEP_MS;
use crate::retention::{Bounds, Served};
use crate::session::Session;
use crate::stat::{self, Clocks};
use crate::state::{Restored, State};
use crate::time::{Mono, Now, Wall};
use crate::turn::{Send, Turn};
use crate::urgent::Urgents;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

mod asks;
mod budgets;
mod guesses;
mod inboxes;
mod on_call;
mod terms;
mod timers;

pub(crate) use terms::Terms;
pub(crate) use timers::{Timer, Use};

/// The box's decisions. One for a facility; owned by the driver.
pub struct Relay {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    cursors: Cursors,
    pub(crate) links: BTreeMap<Conn, Link>,
    pub(crate) by_device: BTreeMap<DeviceId, Conn>,
    /// The connection of each device that is not signed in and waits for a PIN: one, so that a device holds one place.
    pub(crate) awaiting_pin: BTreeMap<DeviceId, Conn>,
    attached: Attached,
    /// Connections in `attached`.
    attached_count: usize,
    /// Every device with an open session, by the steady clock.
    pub(crate) used: BTreeMap<DeviceId, Use>,
    pub(crate) timers: BTreeSet<(Mono, Timer)>,
    /// When something of a STAT is due.
    pub(crate) clocks: Clocks,
    /// Urgent messages that nobody has seen.
    pub(crate) urgents: Urgents,
    /// Emergency accesses that wait for a second person.
    pub(crate) requests: Requests,
    pub(crate) heard: Heard,
    pub(crate) bell: Rung,
    alterations: Alterations,
    pub(crate) ages: Ages,
    guesses: Guesses,
    pub(crate) pin_codes: PinCodes,
    pub(crate) exports: Exports,
    pub(crate) visits_asked: Asked,
    pub(crate) budgets: Budgets,
    /// Devices with a PIN at the keeper.
    pub(crate) checking: BTreeSet<DeviceId>,
    pub(crate) unproven: usize,
    /// What was recorded of devices that had proved nothing: since when, and how often.
    pub(super) unproven_records: BTreeMap<DeviceId, (Mono, u32)>,
    served: Served,
    /// The last look for old messages: up to which changes, and how many in a row found nothing.
    looked: Bounds,
    silent_looks: u32,
    room: Room,
    free: u64,
    pub(crate) terms: Terms,
    /// When a shift of a role begins or ends for which something rings.
    on_call_at: Option<Mono>,
    /// By the wall clock, who holds a role to which somebody has written changes then, or that is looked at again.
    inboxes_due: Wall,
    /// What the wall clock said when that was found.
    inboxes_looked: Wall,
    /// The hour of the wall clock in which gaps of rotas were looked for.
    gaps_hour: Option<i64>,
}

/// What the store's volume still has room for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Room {
    /// Less than [`limits::DISK_SCARCE_BYTES`]: only what keeps people out or lets them in.
    Scarce,
    /// Less than [`limits::DISK_RESERVE_BYTES`]: no new bodies.
    Low,
    Plenty,
}

impl Room {
    /// A quarter more than a floor before what it forbids is taken again, so that it does not flutter.
    fn after(self, free: u64) -> Self {
        let above = |floor: u64, was: bool| free >= if was { floor } else { floor + floor / 4 };
        if above(limits::DISK_RESERVE_BYTES, self == Self::Plenty) {
            Self::Plenty
        } else if above(limits::DISK_SCARCE_BYTES, self >= Self::Low) {
            Self::Low
        } else {
            Self::Scarce
        }
    }
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
    /// Devices that wait for a PIN on a connection that is not signed in.
    pub awaiting: usize,
    /// Urgent messages that nobody has seen.
    pub urgents: usize,
    /// Devices that have spent something of their budgets.
    pub budgets: usize,
    /// Devices whose use is followed.
    pub sessions: usize,
    /// Timers set: at most one a connection, one a device, the sweep, a look for old messages, and one each for all
    /// terms, shifts, urgent messages and bells.
    pub timers: usize,
    /// STATs of which something is due by itself.
    pub clocks: usize,
    /// Devices of which it is remembered when they were heard.
    pub heard: usize,
    /// Devices whose bell was rung just now.
    pub rung: usize,
    /// Rings of bells that are owed to whoever had the app open as it rang.
    pub owed: usize,
    /// Assignments, places in care teams, closing threads, staff from agencies, visitors, bedside codes, requests and tasks whose end
    /// is awaited.
    pub terms: usize,
    /// Bedside codes of which something is spent.
    pub visits: usize,
    /// Codes for locked devices.
    pub pin_codes: usize,
    /// Exports that go on, or are over and were not forgotten yet.
    pub exports: usize,
}

/// One connection.
pub(crate) struct Link {
    pub(crate) door: Door,
    pub(crate) session: Session,
    /// Signed in, or through, by then; `None` once it is.
    pub(crate) deadline: Option<Mono>,
    /// The last change when it said hello.
    pub(crate) welcomed: Change,
    /// What its device will be offered once it is signed in, and that it was and has asked nothing since.
    pub(crate) offer: Option<Offer>,
    pub(crate) offered: bool,
    /// The challenge for a passkey that was given out last.
    pub(crate) passkey: Option<Given>,
    /// What is printed once the keeper has spoken.
    pub(crate) print: Option<PrintUnderCheck>,
    source: Source,
    requests: Bucket,
}

impl Relay {
    /// The box as its store holds it. Faults when the store contradicts itself.
    pub fn new(now: Now, policy: Policy, cursor_key: &[u8; 32], restored: Restored) -> Result<Self, Fault> {
        let state = State::restore(restored)?;
        let mut relay = Self {
            cursors: Cursors::new(cursor_key),
            links: BTreeMap::new(),
            by_device: BTreeMap::new(),
            awaiting_pin: BTreeMap::new(),
            attached: BTreeMap::new(),
            attached_count: 0,
            used: BTreeMap::new(),
            timers: BTreeSet::from([(now.mono.after(SWEEP_MS), Timer::Sweep)]),
            clocks: Clocks::default(),
            requests: Requests::default(),
            heard: Heard::default(),
            bell: Rung::default(),
            alterations: Alterations::default(),
            ages: Ages::new(state.change, now.mono),
            guesses: Guesses::new(now.mono),
            pin_codes: PinCodes::default(),
            exports: Exports::default(),
            visits_asked: Asked::default(),
            budgets: Budgets::default(),
            checking: BTreeSet::new(),
            unproven: 0,
            unproven_records: BTreeMap::new(),
            served: Served::resume(state.marks.last(), now, state.retention_or(&policy).shortest_ms()),
            looked: Bounds::NONE,
            silent_looks: 0,
            room: Room::Plenty,
            free: u64::MAX,
            terms: Terms::resume(now, &state, &policy),
            urgents: Urgents::take_up(&state, now),
            on_call_at: None,
            // Shifts may have changed while the box was off.
            inboxes_due: now.wall,
            inboxes_looked: now.wall,
            gaps_hour: None,
            policy,
            state,
        };
        relay.set_term_timer();
        // A session that had not locked when the relay stopped was in use within the idle time: it goes on.
        let open: Vec<(DeviceId, Wall)> =
            relay.state.devices.values().filter_map(|d| Some((d.id, d.session_until?))).collect();
        for (device, until) in open {
            let rest = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
            relay.follow(now, device, rest.min(relay.policy.session_ms));
        }
        for escalation in relay.state.escalations.values() {
            stat::take_up(&mut relay.clocks, escalation, now);
        }
        if relay.urgents.len() > 0 {
            relay.timers.insert((now.mono, Timer::Urgent));
        }
        // Shifts may have changed while the box was off.
        if !stat::ringing(&relay.state).is_empty() {
            relay.on_call_at = Some(now.mono);
            relay.timers.insert((now.mono, Timer::OnCall));
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
        self.room < Room::Plenty
    }

    /// Connections, and those of them that are delivered to.
    pub fn connections(&self) -> (usize, usize) {
        (self.links.len(), self.attached_count)
    }

    /// What is held in memory besides the state: for metrics, and for the proof that it is bounded.
    pub fn load(&self) -> Load {
        Load {
            links: self.links.len(),
            unproven: self.unproven,
            attached: self.attached_count,
            held: self.by_device.len(),
            awaiting: self.awaiting_pin.len(),
            budgets: self.budgets.len(),
            sessions: self.used.len(),
            timers: self.timers.len(),
            clocks: self.clocks.len(),
            urgents: self.urgents.len(),
            heard: self.heard.len(),
            rung: self.bell.len(),
            owed: self.bell.owed(),
            terms: self.terms.len(),
            visits: self.visits_asked.len(),
            pin_codes: self.pin_codes.len(),
            exports: self.exports.len(),
        }
    }

    /// Decides one input.
    pub fn handle(&mut self, now: Now, input: Input) -> Turn {
        let mut turn = Turn::default();
        // Before anything is decided: whose shift has ended is out, whoever's timer comes first.
        self.follow_inboxes(now, &mut turn);
        match input {
            Input::Connected { conn, door, source } => self.connected(now, &mut turn, conn, door, source),
            Input::Closed { conn } => self.closed(&mut turn, conn),
            Input::Moved { conn, zone } => self.moved(&mut turn, conn, zone),
            Input::Hello { conn, request, versions, device, challenge } => {
                self.hello(now, &mut turn, conn, request, versions, device, challenge);
            }
            Input::Proof { conn, request, proven, login } => {
                self.proof(now, &mut turn, conn, request, &proven, &login);
            }
            Input::Join { conn, request, proven, fresh, login } => {
                self.join(now, &mut turn, conn, request, proven, (&fresh, &login));
            }
            Input::AskToVisit { conn, request, proven, fresh } => {
                self.ask_to_visit(now, &mut turn, conn, request, proven, &fresh);
            }
            Input::PinOffered { conn, request } => self.pin_offered(now, &mut turn, conn, request),
            Input::PinMac { conn, mac } => self.pin_mac(now, &mut turn, conn, mac),
            Input::Request { conn, request, ask } => self.request(now, &mut turn, conn, request, ask),
            Input::Faulted { conn, fault } => self.fault(now, &mut turn, conn, fault),
            Input::Disk { free } => (self.room, self.free) = (self.room.after(free), free),
            Input::Aged { conversation, read_through, any_through } => {
                self.aged(now, &mut turn, conversation, read_through, any_through);
            }
            Input::Bell(news) => bell::hear(&mut self.draft(now, &mut turn), news),
            Input::Alarms { standing, fresh } => {
                alarm::hear(&mut self.draft(now, &mut turn), &standing, fresh)
            }
            Input::Drain => self.drain(&mut turn),
        }
        self.put_visitors_out(&mut turn);
        self.follow_terms(now, &turn);
        self.follow_broadcasts(now, &mut turn);
        self.follow_inboxes(now, &mut turn);
        self.look_for_gaps(now, &mut turn, false);
        self.follow_urgents(now, &mut turn, false);
        self.follow_bells(now, &mut turn);
        self.follow_on_call(now, &turn);
        turn
    }

    pub(crate) fn room(&self) -> Room {
        self.room
    }

    pub(crate) fn draft<'a>(&'a mut self, now: Now, turn: &'a mut Turn) -> Draft<'a> {
        Draft {
            now,
            policy: &self.policy,
            state: &mut self.state,
            attached: &self.attached,
            phones: Phones {
                held: &self.by_device,
                awaiting: &self.awaiting_pin,
                heard: &self.heard,
                bells: self.bell.key.is_some(),
            },
            clocks: &mut self.clocks,
            bell: &mut self.bell,
            alterations: &mut self.alterations,
            ages: &self.ages,
            requests: &mut self.requests,
            room: self.room,
            free: self.free,
            turn,
        }
    }

    fn connected(&mut self, now: Now, turn: &mut Turn, conn: Conn, door: Door, source: Source) {
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
            welcomed: Change(0),
            offer: None,
            offered: false,
            passkey: None,
            print: None,
            source,
            requests: Bucket::full(limits::REQUESTS, now.mono),
        };
        self.links.insert(conn, link);
    }

    fn closed(&mut self, turn: &mut Turn, conn: Conn) {
        self.clear_deadline(conn);
        if let Some(mut link) = self.links.remove(&conn) {
            self.forget_print(turn, link.print.take());
            self.forget(turn, conn, &link.session);
        }
    }

    /// The connection need not hurry any more: it is through, or gone.
    pub(crate) fn clear_deadline(&mut self, conn: Conn) {
        if let Some(due) = self.links.get_mut(&conn).and_then(|link| link.deadline.take()) {
            self.timers.remove(&(due, Timer::Deadline(conn)));
            self.unproven -= 1;
        }
    }

    /// What a zone does not allow ends when a connection roams into it.
    fn moved(&mut self, turn: &mut Turn, conn: Conn, zone: Zone) {
        // A service of this box is here, wherever a doorway says it went.
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.door != Door::Local) else { return };
        link.door = Door::Network(zone);
        let may_stay = match &link.session {
            Session::ExpectHello
            | Session::Closing
            | Session::ExpectProof(None)
            | Session::VisitUnderCheck(_) => true,
            Session::JoinUnderCheck(_) | Session::NewPinUnderCheck(_) | Session::Local => false,
            Session::ExpectProof(Some(claimed)) => self.state.is_visitors(*claimed),
            session => device_of(session).is_some_and(|device| self.state.is_visitors(device)),
        };
        if zone == Zone::Guest && !may_stay {
            turn.sends.push(refused(conn, RequestId::NONE, Refusal::Zone));
            self.close(turn, conn, CloseCode::REFUSED);
        }
    }

    /// Delivery to this connection begins.
    pub(crate) fn attach(&mut self, conn: Conn, person: PersonId) {
        self.attached_count += usize::from(self.attached.entry(person).or_default().insert(conn));
    }

    /// Delivery to this connection ends.
    pub(crate) fn detach(&mut self, conn: Conn, person: PersonId) {
        if let Some(conns) = self.attached.get_mut(&person) {
            self.attached_count -= usize::from(conns.remove(&conn));
            if conns.is_empty() {
                self.attached.remove(&person);
            }
        }
    }

    /// Nothing of a connection's session is left behind.
    fn forget(&mut self, turn: &mut Turn, conn: Conn, session: &Session) {
        if let Session::Ready(who) = session {
            self.detach(conn, who.person());
        }
        if let Session::PinUnderCheck(check) = session {
            self.give_back_try(turn, check.who.device());
        }
        if let Some(device) = device_of(session) {
            for of_device in [&mut self.by_device, &mut self.awaiting_pin] {
                if of_device.get(&device) == Some(&conn) {
                    of_device.remove(&device);
                }
            }
            self.bell.stir();
        }
    }

    fn forget_print(&mut self, turn: &mut Turn, print: Option<PrintUnderCheck>) {
        if let Some(print) = print {
            self.give_back_try(turn, print.device);
        }
    }

    /// A PIN that was not compared was not tried: the keeper was silent, or what it says is dropped because the connection
    /// is gone. So a phone that loses its network ten times while the box looks at right PINs is not locked.
    pub(crate) fn give_back_try(&mut self, turn: &mut Turn, device: DeviceId) {
        self.checking.remove(&device);
        let tries = self.state.devices.get(&device).map_or(0, |device| device.pin_tries);
        if tries > 0 {
            write(&mut self.state, turn, Write::PinTries { device, tries: tries - 1 });
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
        let print = link.print.take();
        self.forget_print(turn, print);
        self.forget(turn, conn, &session);
        turn.sends.push(Send::Detach { conn });
        turn.sends.push(Send::Close { conn, code });
    }

    pub(crate) fn fault(&mut self, now: Now, turn: &mut Turn, conn: Conn, fault: PeerFault) {
        let Some(link) = self.links.get(&conn) else { return };
        match &link.session {
            Session::Ready(who) => {
                let (by, act) = (actor(who), Act::peer_fault(who.device(), fault));
                self.draft(now, turn).record(by, act);
            }
            Session::ExpectProof(Some(claimed)) if fault == PeerFault::ForgedSignature => {
                let claimed = *claimed;
                self.record_unproven(now, turn, claimed, Act::peer_fault(claimed, fault));
            }
            session => {
                if let Some(device) = device_of(session) {
                    self.record_unproven(now, turn, device, Act::peer_fault(device, fault));
                }
            }
        }
        self.close(turn, conn, fault.code());
    }

    /// What somebody did under a device's name without having signed in: recorded, but not without end.
    pub(crate) fn record_unproven(&mut self, now: Now, turn: &mut Turn, device: DeviceId, act: Act) {
        self.record_sparingly(now, turn, device, Actor::Unproven, act);
    }

    /// Records the first [`limits::UNPROVEN_RECORDS_MAX`] such acts of a device in an hour.
    pub(crate) fn record_sparingly(
        &mut self,
        now: Now,
        turn: &mut Turn,
        device: DeviceId,
        actor: Actor,
        act: Act,
    ) {
        let (began, times) = self.unproven_records.entry(device).or_insert((now.mono, 0));
        if now.mono >= began.after(limits::UNPROVEN_RECORDS_MS) {
            (*began, *times) = (now.mono, 0);
        }
        *times += 1;
        if *times <= limits::UNPROVEN_RECORDS_MAX {
            self.draft(now, turn).record(actor, act);
        }
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

pub(crate) fn device_of(session: &Session) -> Option<DeviceId> {
    match session {
        Session::Ready(who) => Some(who.device()),
        Session::ExpectPin(who) => Some(who.device()),
        Session::PinUnderCheck(check) => Some(check.who.device()),
        Session::Station(screen) => Some(screen.device()),
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
