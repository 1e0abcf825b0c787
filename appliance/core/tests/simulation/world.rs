//! The world around one box: people with devices, connections that break, a store that lasts, clocks that step.

use std::collections::{BTreeMap, VecDeque};

use wardline_core::alarm::Alarm;
use wardline_core::attachment::Received;
use wardline_core::composing::Lease;
use wardline_core::ids::{Change, Conn, ConversationId, DeviceId, PatientId, PersonId, RequestId, Sequence};
use wardline_core::input::{Door, Zone};
use wardline_core::passkey::ExpectPasskey;
use wardline_core::pin::{Pin, PinMac};
use wardline_core::policy::Policy;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::relay::Relay;
use wardline_core::session::Expect;
use wardline_core::state::Restored;
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::attachments::Stream;
use crate::bells::BellTower;
use crate::client::Client;
use crate::coverage::Coverage;
use crate::families::VISITORS;
use crate::logins::Copied;
use crate::random::Random;
use crate::reference::{Reference, Ward};
use crate::store::Store;
use crate::trace::{Trace, note};

/// Who comes from an agency, if somebody admits them.
pub(crate) const FROM_AGENCY: [&str; 2] = ["Ines Roth", "Jon Sand"];

/// Of the people that are known here: a visitor is none of them.
pub(crate) const NOBODY: usize = usize::MAX;

pub(crate) const NAMES: [&str; 8] = ["Ana", "Ben", "Chidi", "Dana", "Emeka", "Farah", "Goran", "Hana"];

/// Outlives every crash.
pub(crate) const CURSOR_KEY: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) now: Now,
    pub(crate) policy: Policy,
    pub(crate) relay: Relay,
    pub(crate) store: Store,
    pub(crate) reference: Reference,
    pub(crate) committed: Ward,
    pub(crate) clients: Vec<Client>,
    pub(crate) people: Vec<Option<PersonId>>,
    pub(crate) links: BTreeMap<u64, Link>,
    pub(crate) next_conn: u64,
    pub(crate) doors: BTreeMap<Conn, Doorway>,
    /// What the box has received and not handled.
    pub(crate) waiting: VecDeque<(Conn, Arrival)>,
    /// PINs at the keeper.
    pub(crate) keeper: Vec<(Conn, PinMac)>,
    /// The local service's connection and its open requests.
    pub(crate) local: Conn,
    pub(crate) local_asked: Vec<(u64, proto::client_frame::Body)>,
    pub(crate) next_request: u64,
    /// Join codes that were given out once.
    pub(crate) old_codes: Vec<String>,
    /// Codes that hang at beds, or did.
    pub(crate) bedside: Vec<String>,
    /// Cursors that the box gave to a device.
    pub(crate) cursors: BTreeMap<[u8; 16], (DeviceId, Change)>,
    /// Wrong PINs compared since the last right one.
    pub(crate) compared: BTreeMap<DeviceId, u32>,
    /// How much had been said of a patient when their records were merged.
    pub(crate) merged: BTreeMap<PatientId, usize>,
    pub(crate) acked: Vec<(Vec<u8>, u64, u64)>,
    /// Who was once taken out of what.
    pub(crate) left: Vec<(ConversationId, PersonId)>,
    pub(crate) bells: BellTower,
    pub(crate) coverage: Coverage,
    pub(crate) trace: Trace,
    /// A house that lives by its roles: people take and set them, and STATs ring them, more than elsewhere.
    pub(crate) on_call: bool,
    /// People send files more than elsewhere.
    pub(crate) showing: bool,
    /// Much is ordered.
    pub(crate) ordering: bool,
    /// Profiles are copied.
    pub(crate) copying: bool,
    pub(crate) copies: Vec<Copied>,
    /// Devices as which a twin has signed in.
    pub(crate) twins: Vec<DeviceId>,
    pub(crate) faults: bool,
    pub(crate) disk_low: bool,
    /// With the box.
    pub(crate) wrong: Vec<Alarm>,
    pub(crate) crashed_in: u32,
    /// What starts may have counted of the time that the box was off.
    pub(crate) credit_ms: u64,
    /// Of the message that was last looked up: it was in the store.
    pub(crate) found: bool,
    /// Of what is taken now: under which lease it was composed, and whether under this number.
    pub(crate) composed: Option<(Lease, bool)>,
    /// Of the upload that was last looked up: what there is of it.
    pub(crate) looked: Received,
    /// Why the doorway refused the passkey at hand.
    pub(crate) passkey_refused: Option<Code>,
    /// How much of each file is there. Outlives every crash, but for what was not flushed.
    pub(crate) disk: BTreeMap<Change, u64>,
}

/// A connection as the network has it. The box numbers it the same.
pub(crate) struct Link {
    pub(crate) client: usize,
    /// From client to box.
    pub(crate) up: VecDeque<Vec<u8>>,
    /// From box to client.
    pub(crate) down: VecDeque<Down>,
    /// Nothing moves for now.
    pub(crate) stalled: bool,
}

pub(crate) enum Down {
    Frame(Vec<u8>),
    Close(CloseCode),
}

/// One connection's end at the box.
pub(crate) struct Doorway {
    pub(crate) expect: Option<Expect>,
    pub(crate) passkey: Option<ExpectPasskey>,
    pub(crate) pin: Option<Pin>,
    pub(crate) lane: Lane,
    pub(crate) closing: bool,
    /// Not an honest client at the other end.
    pub(crate) stranger: Option<Stranger>,
    /// Files that come in.
    pub(crate) streams: Vec<Stream>,
}

/// What waits to be sent, and how deliveries reach it.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) out: VecDeque<Out>,
    pub(crate) mode: Mode,
}

#[derive(Default)]
pub(crate) enum Mode {
    /// Nothing is delivered.
    #[default]
    Off,
    /// The store is read from `after`; `sync` is owed a `Synced`. Within a snapshot every cursor says "from the
    /// start": what the snapshot does not name is forgotten only at its end.
    Behind { device: DeviceId, person: PersonId, after: Change, sync: Option<RequestId>, snapshot: bool },
    /// Changes are passed on as they happen; `sent` is the last.
    Live { device: DeviceId, person: PersonId, sent: Change },
}

pub(crate) enum Out {
    Reply(Vec<u8>),
    Delivery(Vec<u8>),
    /// Kept whole, so that its cursor can be taken off.
    Accepted(RequestId, proto::Accepted),
    Close(CloseCode),
}

pub(crate) enum Arrival {
    Connected(Door, Option<Stranger>),
    Closed,
    /// It roamed.
    Moved(Zone),
    Bytes(Vec<u8>),
    PinMac(Option<PinMac>),
    Disk(u64),
    /// What is wrong with the box.
    Alarms(Vec<Alarm>),
    Bell(wardline_core::bell::BellNews),
    Aged(ConversationId, Sequence, Sequence),
    Drain,
    Timeout,
    Fault(PeerFault),
}

/// Somebody who does one thing.
#[derive(Clone, PartialEq)]
pub(crate) enum Stranger {
    /// Tries a join code.
    Guess(String),
    /// Signs with a wrong key.
    Forge(DeviceId),
    /// Holds a copy of this client's key and tries PINs.
    Twin(usize),
    /// Holds this client's locked phone, and a code that is not for it.
    Thief(usize),
    /// Speaks out of turn.
    OutOfTurn,
    /// Speaks a version that this box does not.
    FromTheFuture,
    /// Knocks from the guest network.
    Guest,
    /// Holds a copy of somebody's whole profile, and their PIN.
    Copy(usize),
    /// Says nothing.
    Silent,
}

impl World {
    pub(crate) fn new(seed: u64, readable: bool) -> Self {
        let random = Random::new(seed);
        let now = Now { mono: Mono(0), wall: Wall(1_800_000_000_000) };
        let policy = Policy {
            facility: "St. Elsewhere".to_owned(),
            facility_root: [9; 32],
            idle_lock_ms: 60_000,
            session_ms: 15 * 60_000,
            join_code_ms: 10 * 60_000,
            retention_ms: 20 * 60_000,
            thread_grace_ms: 5 * 60_000,
        };
        let relay =
            Relay::new(now, policy.clone(), &CURSOR_KEY, Restored::default()).expect("an empty store");
        let mut reference = Reference::new(policy.clone());
        reference.restart(Ward::default(), now);
        Self {
            random,
            now,
            policy,
            relay,
            store: Store::default(),
            reference,
            committed: Ward::default(),
            clients: Vec::new(),
            people: Vec::new(),
            links: BTreeMap::new(),
            next_conn: 1,
            doors: BTreeMap::new(),
            waiting: VecDeque::new(),
            keeper: Vec::new(),
            local: Conn(0),
            local_asked: Vec::new(),
            next_request: 1,
            old_codes: Vec::new(),
            bedside: Vec::new(),
            cursors: BTreeMap::new(),
            compared: BTreeMap::new(),
            merged: BTreeMap::new(),
            acked: Vec::new(),
            left: Vec::new(),
            bells: BellTower::new(seed.is_multiple_of(2)),
            coverage: Coverage::new(),
            trace: Trace::new(readable),
            on_call: seed.is_multiple_of(4),
            showing: seed % 8 == 1,
            ordering: seed % 8 == 3,
            copying: seed % 8 == 5,
            copies: Vec::new(),
            twins: Vec::new(),
            faults: false,
            disk_low: false,
            wrong: Vec::new(),
            crashed_in: 0,
            credit_ms: 0,
            found: false,
            composed: None,
            looked: Received::Part,
            passkey_refused: None,
            disk: BTreeMap::new(),
        }
    }

    /// People, their devices and the local service.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.open_local();
        let people = 3 + self.random.index(6);
        // A house where many forget their PINs.
        let forgetful = self.random.permille(250);
        for (index, name) in NAMES.iter().take(people).enumerate() {
            self.people.push(None);
            self.local_ask(proto::client_frame::Body::AddPerson(proto::AddPerson {
                name: (*name).to_owned(),
                title: if index == 0 { String::new() } else { "RN".to_owned() },
                administrator: index == 0,
            }));
            for device in 0..1 + self.random.index(3) {
                let zone = if index == 0 && device == 0 { Zone::Admin } else { Zone::Ward };
                // Somebody always has forgotten the PIN.
                let clumsy = if self.random.permille(if forgetful { 500 } else { 60 }) { 1000 } else { 60 };
                let secret = self.random.next();
                let client =
                    Client::new(format!("{name}'s device {}", device + 1), index, secret, zone, clumsy);
                self.clients.push(client);
            }
        }
        for name in FROM_AGENCY {
            let (index, secret) = (self.people.len(), self.random.next());
            self.people.push(None);
            self.clients.push(Client::new(format!("{name}'s phone"), index, secret, Zone::Ward, 60));
        }
        for name in VISITORS {
            let (secret, zone) =
                (self.random.next(), if self.random.permille(700) { Zone::Guest } else { Zone::Ward });
            let client = Client::new(name.to_owned(), NOBODY, secret, zone, 60);
            self.clients.push(client.visiting());
        }
        self.settle_bells();
        while !self.waiting.is_empty() {
            self.batch()?;
        }
        self.settle_units()
    }

    pub(crate) fn open_local(&mut self) {
        self.local = Conn(self.next_conn);
        self.next_conn += 1;
        self.local_asked.clear();
        self.waiting.push_back((self.local, Arrival::Connected(Door::Local, None)));
    }

    /// The local service asks.
    pub(crate) fn local_ask(&mut self, body: proto::client_frame::Body) {
        let request = self.next_request;
        self.next_request += 1;
        self.local_asked.push((request, body.clone()));
        let frame = proto::ClientFrame { request, body: Some(body) };
        self.waiting.push_back((self.local, Arrival::Bytes(wardline_core::wire::encode_frame(&frame))));
    }

    /// A client dials.
    pub(crate) fn connect(&mut self, client: usize) {
        let conn = self.next_conn;
        self.next_conn += 1;
        note!(self, "{} connects as c{conn}", self.clients[client].name);
        let link = Link { client, up: VecDeque::new(), down: VecDeque::new(), stalled: false };
        self.links.insert(conn, link);
        self.clients[client].connected(conn);
        let door = Door::Network(self.clients[client].zone);
        self.waiting.push_back((Conn(conn), Arrival::Connected(door, None)));
        self.post(client);
    }

    /// Somebody who is not one of the clients dials.
    pub(crate) fn stranger(&mut self, stranger: Stranger) {
        let conn = Conn(self.next_conn);
        self.next_conn += 1;
        let zone = if stranger == Stranger::Guest { Zone::Guest } else { Zone::Ward };
        let mut hello =
            proto::Hello { version_min: 1, version_max: 1, client: "stranger".to_owned(), device: 0 };
        match &stranger {
            Stranger::Forge(device) => hello.device = device.value(),
            Stranger::Twin(client) => hello.device = self.clients[*client].device.map_or(0, DeviceId::value),
            Stranger::Copy(copy) => hello.device = self.copies[*copy].device.value(),
            // A phone of the staff's, if there is one.
            Stranger::Guest if self.random.permille(600) => {
                hello.device = self.any_device().map_or(0, DeviceId::value);
            }
            Stranger::FromTheFuture => (hello.version_min, hello.version_max) = (2, 3),
            _ => {}
        }
        let silent = stranger == Stranger::Silent;
        self.waiting.push_back((conn, Arrival::Connected(Door::Network(zone), Some(stranger))));
        if !silent {
            self.stranger_says(conn, proto::client_frame::Body::Hello(hello));
        }
    }

    pub(crate) fn stranger_says(&mut self, conn: Conn, body: proto::client_frame::Body) {
        let request = self.next_request;
        self.next_request += 1;
        let frame = proto::ClientFrame { request, body: Some(body) };
        self.waiting.push_back((conn, Arrival::Bytes(wardline_core::wire::encode_frame(&frame))));
    }

    /// Puts what a client wants to say on its connection.
    pub(crate) fn post(&mut self, client: usize) {
        let client = &mut self.clients[client];
        let Some(link) = client.link.and_then(|conn| self.links.get_mut(&conn)) else {
            client.to_send.clear();
            return;
        };
        for frame in client.to_send.drain(..) {
            link.up.push_back(wardline_core::wire::encode_frame(&frame));
        }
    }

    /// A connection breaks: what is in flight is lost. The box hears of it now, or much later.
    pub(crate) fn cut(&mut self, conn: u64, box_hears: bool) {
        let Some(link) = self.links.remove(&conn) else { return };
        note!(self, "c{conn} is cut");
        self.clients[link.client].disconnected();
        if box_hears {
            self.waiting.push_back((Conn(conn), Arrival::Closed));
        }
    }

    /// Time passes; every timer is handled when it is due.
    pub(crate) fn pass(&mut self, ms: u64) -> Result<(), String> {
        let target = self.now.mono.after(ms);
        while let Some(due) = self.relay.poll_timeout().filter(|due| *due <= target) {
            let step = due.0.saturating_sub(self.now.mono.0);
            self.now = Now { mono: self.now.mono.max(due), wall: self.now.wall.after(step) };
            self.waiting.push_back((self.local, Arrival::Timeout));
            while !self.waiting.is_empty() {
                self.batch()?;
            }
        }
        let step = target.0 - self.now.mono.0;
        self.now = Now { mono: target, wall: self.now.wall.after(step) };
        Ok(())
    }
}
