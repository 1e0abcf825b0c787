//! What the box ought to do, told naively: plain lists, obvious loops, no timers and no indices. It sees every input
//! that the core sees, says beforehand what must come of it, and keeps its own picture of the ward. Written from the
//! design and the protocol's words, not from the core's data structures.

use wardline_core::audit::{Act, Actor};
use wardline_core::directory::PublicKey;
use wardline_core::hold::Subject;
use wardline_core::ids::{
    Conn, ConversationId, DeviceId, EncounterId, HoldId, MessageId, Number, PersonId, RequestId, RoleId,
    UnitId,
};
use wardline_core::input::{Door, Source, Zone};
use wardline_core::limits;
use wardline_core::login::SecretHash;
use wardline_core::notice::Told;
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference_agency::Hired;
use crate::reference_alarms::Alarms;
use crate::reference_attachments::Upload;
use crate::reference_availability::SaysSo;
use crate::reference_clearing::PinCode;
use crate::reference_family::Kin;
use crate::reference_orders::Order;
use crate::reference_patients::{Clinic, Term};
use crate::reference_restricted::Waits;
use crate::reference_roles::Role;
use crate::reference_stat::{Clock, Ladder, Stat};
use crate::reference_tasks::Task;

/// What is durable: rolled back to the last commit by a crash.
#[derive(Clone, Default)]
pub(crate) struct Ward {
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
    pub(crate) codes: Vec<JoinCode>,
    pub(crate) units: Vec<UnitId>,
    pub(crate) unit_names: Vec<(UnitId, String)>,
    /// Who announces to the facility.
    pub(crate) announcers: Vec<PersonId>,
    /// Whether a unit's announcements, and the facility's, may be urgent, where that was set.
    pub(crate) urgent: Option<(bool, bool)>,
    /// Whether closed apps are rung, and where those of which devices.
    pub(crate) bells_on: bool,
    pub(crate) bells: Vec<(DeviceId, String)>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) newest: Wall,
    /// Open ones.
    pub(crate) stats: Vec<Stat>,
    pub(crate) ladders: Vec<(Option<UnitId>, Ladder)>,
    /// How long urgent messages wait, beside each ladder. Seconds.
    pub(crate) urgent_waits: Vec<(Option<UnitId>, u32)>,
    pub(crate) clinic: Clinic,
    pub(crate) roles: Vec<Role>,
    /// When nobody will hold a role, as charge nurses were told.
    pub(crate) told_gaps: Vec<(RoleId, Vec<(i64, i64)>)>,
    /// Those that are not lifted.
    pub(crate) holds: Vec<Held>,
    /// Open ones.
    pub(crate) tasks: Vec<Task>,
    /// Those that are not filed.
    pub(crate) orders: Vec<Order>,
    /// Whose orders count, in the order of units.
    pub(crate) order_policies: Vec<proto::OrderPolicy>,
    /// When people want to be disturbed; none that says nothing.
    pub(crate) said: Vec<SaysSo>,
    /// A STAT rings for the cover alone.
    pub(crate) cover_instead: bool,
    /// Of units, and of the facility; none that is empty.
    pub(crate) templates: Vec<proto::TemplateSet>,
    /// Hours that messages are kept, by kind, where that was set.
    pub(crate) retention: Option<[u64; 4]>,
    /// Where something would have gone but for a hold.
    pub(crate) held_back: Vec<ConversationId>,
    pub(crate) family: Kin,
    /// Files that no message has.
    pub(crate) uploads: Vec<Upload>,
    /// The largest photo, document and audio note, where that was set.
    pub(crate) attachment_policy: Option<[u64; 3]>,
    pub(crate) alarms: Alarms,
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: PersonId,
    pub(crate) administrator: bool,
    pub(crate) privacy_officer: bool,
    pub(crate) suspended: bool,
    /// Where, and whether in charge.
    pub(crate) posts: Vec<(UnitId, bool)>,
    /// Where their charge nurse alone says so.
    pub(crate) lent: Vec<UnitId>,
    /// From an agency.
    pub(crate) hired: Option<Hired>,
    /// From an agency, and suspended by somebody.
    pub(crate) barred: bool,
    /// Suspended by whom and since when, and whether that is long ago, while no administrator has said yes.
    pub(crate) waits: Option<(PersonId, Wall, bool)>,
}

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) person: PersonId,
    pub(crate) key: PublicKey,
    pub(crate) pin: PinMac,
    pub(crate) tries: u32,
    pub(crate) revoked: bool,
    pub(crate) session: Option<Wall>,
    /// Until when a passkey opens it: what they are called, and their keys.
    pub(crate) passkey_until: Option<Wall>,
    pub(crate) passkeys: Vec<(Vec<u8>, PublicKey)>,
    /// The secret that was used last, and the one that was sent since.
    pub(crate) secrets: Option<(Option<SecretHash>, Option<SecretHash>)>,
    pub(crate) last_number: u64,
    pub(crate) sent: Vec<(Number, MessageId)>,
}

#[derive(Clone)]
pub(crate) struct JoinCode {
    pub(crate) hash: [u8; 32],
    pub(crate) person: PersonId,
    pub(crate) expires: Wall,
    pub(crate) issuer: Option<PersonId>,
}

#[derive(Clone)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) direct: bool,
    /// Of a channel.
    pub(crate) unit: Option<UnitId>,
    pub(crate) archived: bool,
    pub(crate) title: String,
    /// Of anything but a patient's thread.
    pub(crate) owner: Option<PersonId>,
    /// A patient's thread.
    pub(crate) of_patient: bool,
    /// A family thread.
    pub(crate) of_family: bool,
    /// Of its owner with a role.
    pub(crate) of_role: Option<RoleId>,
    /// Announcements.
    pub(crate) of_house: bool,
    pub(crate) purged: bool,
    pub(crate) members: Vec<Member>,
    /// Every message that was ever accepted, in order: the first stands under sequence 1.
    pub(crate) messages: Vec<MessageId>,
    /// When each of them was, by the clock that never steps.
    pub(crate) taken: Vec<Mono>,
    /// And what each says now.
    pub(crate) said: Vec<Saying>,
    pub(crate) expired_through: u64,
}

/// What somebody said, as it is now.
#[derive(Clone)]
pub(crate) struct Saying {
    pub(crate) author: PersonId,
    pub(crate) text: String,
    pub(crate) stat: bool,
    /// An order, or the read-back of one.
    pub(crate) order: bool,
    pub(crate) reply_to: u64,
    /// As people are shown it.
    pub(crate) at: Wall,
    /// In which run of the process.
    pub(crate) run: u32,
    pub(crate) edits: u32,
    pub(crate) edit: Vec<u8>,
    pub(crate) recalled: bool,
    /// Urgent, of a unit, and nobody for whom it is has seen it.
    pub(crate) unseen: bool,
    /// Person and role (0: none).
    pub(crate) mentions: Vec<(u64, u64)>,
    /// Person and kind, in order.
    pub(crate) reactions: Vec<(u64, i32)>,
    /// What its files are called.
    pub(crate) files: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) person: PersonId,
    pub(crate) from: u64,
    pub(crate) delivered: u64,
    pub(crate) read: u64,
    pub(crate) left: bool,
    /// The newest message when they entered.
    pub(crate) entered: u64,
}

/// What ends with the process.
#[derive(Clone, Default)]
pub(crate) struct Lobby {
    pub(crate) links: Vec<Link>,
    /// Devices with an open session: when last used, and when it is over at the latest.
    pub(crate) open: Vec<(DeviceId, Mono, Mono)>,
    /// Somebody was put out while the keeper looked at their PIN.
    pub(crate) expelled_in_check: bool,
    pub(crate) disk_low: bool,
    pub(crate) disk_scarce: bool,
    /// Join codes that were looked at: when, and from whom.
    pub(crate) guesses: Vec<(Mono, Source)>,
    /// Sign-ins that began: when, and of which device.
    pub(crate) sign_ins: Vec<(Mono, DeviceId)>,
    /// Devices that were given a secret, or used one, in order.
    pub(crate) given: Vec<DeviceId>,
    /// What was recorded of devices that were not signed in: the first of a series, and how many.
    pub(crate) unproven: Vec<(DeviceId, Mono, u32)>,
    /// When each device was last in front of somebody.
    pub(crate) heard: Vec<(DeviceId, Mono)>,
    /// Somebody is there who rings closed apps, when each device was rung, and who was called and was not.
    pub(crate) bell_rings: bool,
    pub(crate) belled: Vec<(DeviceId, Mono)>,
    pub(crate) bells_due: Vec<crate::reference_bells::Called>,
    /// The last turn brought announcements to other readers than before.
    pub(crate) announced_to: bool,
    pub(crate) clocks: Vec<Clock>,
    /// STATs that were sent: when, and from which device.
    pub(crate) stats_sent: Vec<(Mono, DeviceId)>,
    /// What is over at the latest then.
    pub(crate) terms: Vec<(Term, Mono)>,
    /// Questions by the code of a bed: when, and of whose.
    pub(crate) visits_asked: Vec<(Mono, EncounterId)>,
    /// Codes for locked devices.
    pub(crate) pin_codes: Vec<PinCode>,
    /// Prints whose PIN is looked at.
    pub(crate) prints: Vec<crate::reference_prints::Printing>,
    /// Exports that go on.
    pub(crate) exports: Vec<crate::reference_export::Export>,
    /// Who waits for a second person.
    pub(crate) waits: Vec<Waits>,
    /// Whom time put out in this turn: what they have of STATs is to be given up.
    pub(crate) put_out: Vec<PersonId>,
    /// The hour in which gaps of rotas were looked for.
    pub(crate) gaps_hour: Option<i64>,
    /// Whoever asks is nobody whose suspensions stand by themselves.
    pub(crate) no_administrator: bool,
}

#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) conn: Conn,
    pub(crate) door: Door,
    pub(crate) source: Source,
    pub(crate) phase: Phase,
    /// How often any device had been given a secret when it said hello.
    pub(crate) given: usize,
    /// The secret that was presented, and the next one.
    pub(crate) offer: Option<(Option<SecretHash>, SecretHash)>,
    /// It was given that one and has asked nothing since.
    pub(crate) silent: bool,
    /// The challenge that it was given last for a passkey, and until when it is good.
    pub(crate) challenge: Option<([u8; 32], Mono)>,
    pub(crate) attached: bool,
    pub(crate) deadline: Option<Mono>,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Phase {
    New,
    /// With the device that it says it is.
    Welcomed(Option<DeviceId>),
    Joining {
        request: RequestId,
        code: [u8; 32],
        key: Box<PublicKey>,
        person: PersonId,
    },
    /// With a code from a bed.
    Asking {
        request: RequestId,
        code: [u8; 32],
        key: Box<PublicKey>,
        name: String,
    },
    /// A locked device with a code, and the PIN that it is to have.
    Clearing(DeviceId, RequestId, [u8; 32]),
    PinDue(DeviceId),
    PinChecking(DeviceId, RequestId),
    In(DeviceId),
    Local,
    Over,
}

/// What must be kept, since when, and by whom it was said.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) id: HoldId,
    pub(crate) subject: Subject,
    pub(crate) since: Wall,
    pub(crate) by: PersonId,
}

/// The whole picture.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(crate) policy: Policy,
    pub(crate) ward: Ward,
    pub(crate) lobby: Lobby,
    /// How often the process has started, and when it last did.
    pub(crate) run: (u32, Mono),
    /// Whoever has a bell and was called: as often as they were.
    pub(crate) calls: Vec<PersonId>,
}

/// What must come of an input.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) audits: Vec<(Actor, Act)>,
    /// What is told in patients' threads, in each in this order, but for what one question brings about of several people.
    pub(crate) told: Vec<(ConversationId, Option<PersonId>, Told)>,
    pub(crate) closes: Vec<(Conn, CloseCode)>,
    pub(crate) answer: Option<Answer>,
}

/// A refusal's code, that prints itself.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Said(pub(crate) Code);

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str_name())
    }
}

/// How the box answers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Answer {
    Refused(Said),
    Welcome,
    PinNeeded(u32),
    Stretch,
    SignedIn,
    Accepted(ConversationId, u64),
    Alarms(u64),
    Again,
    Attach,
    Page(u64, u64),
    Opened(ConversationId),
    VisitAsked,
    BedsideCode,
    VisitAnswered(ConversationId),
    /// Who waits, who is in, and threads.
    Family(usize, usize, usize),
    Done,
    /// How many the device has.
    /// Of the facility, who rings, of the device.
    Bell(bool, bool, bool),
    PasskeyChallenge(usize),
    Passkeys(usize),
    People,
    PersonAdded,
    JoinCode,
    Devices,
    UnitSet,
    Units,
    Channels(u64),
    /// How many it would ring for, and how many of those can be reached.
    Prospect(u32, u32),
    Policies,
    Admitted(ConversationId),
    AssignmentTaken,
    EmergencyBegan,
    EmergencyAsked,
    EmergencyRequest,
    Emergencies(u64),
    /// Patients that fit.
    LookedUp(u64),
    /// Stays that it is about; who came and left in all of them; who is named afterwards, of both records.
    Merged {
        stays: u64,
        moved: (u64, u64),
        named: (u64, u64),
        done: bool,
    },
    /// How many conversations it keeps.
    HoldPlaced(u32),
    Holds(u64),
    /// Hours by kind, and whether nobody set them.
    Retention([u64; 4], bool),
    Counting,
    /// Whether it is there already.
    UploadBegun(bool),
    Opening,
    /// How many conversations.
    ExportBegun(u64),
    ExportPlaces(u64),
    /// From which message to which.
    Exporting(u64, u64),
    /// Before which entry.
    Auditing(u64),
    Health,
    WebCertificate,
    /// The largest of each sort, and whether nobody said so.
    AttachmentPolicy([u64; 3], bool),
    Patients(u64),
    Beds(u64),
    AgencyAdmitted(PersonId),
    /// Roles, shifts, STATs and tasks left behind, and whether it waits.
    Suspended([usize; 4], bool),
    Suspensions(u64),
    AgencyStays(u64),
    RoleSet,
    RoleOffered,
    /// What a rota comes to.
    Rota(u64),
    /// What a page of them comes to.
    Offers(u64),
    /// What a page of them comes to.
    Tasks(u64),
    /// The same; or whose count.
    Orders(u64),
    /// What they come to.
    Templates(u64),
    /// What is said of people.
    Availability(u64),
    /// How many.
    Numbers(u64),
    /// What who would read it comes to.
    Inbox(u64),
    /// What announcements, or how many have read one, come to.
    Announced(u64),
    /// What a page comes to.
    Roles(u64),
}

impl Expected {
    pub(crate) fn answered(answer: Answer) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }

    pub(crate) fn refused(code: Code) -> Self {
        Self::answered(Answer::Refused(Said(code)))
    }
}

impl Ward {
    pub(crate) fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub(crate) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == id)
    }

    pub(crate) fn device_mut(&mut self, id: DeviceId) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.id == id)
    }

    pub(crate) fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.id == id)
    }

    pub(crate) fn conversation_mut(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|conversation| conversation.id == id)
    }

    /// What somebody is in a unit: nothing, or there, and whether in charge.
    pub(crate) fn post(&self, person: PersonId, unit: UnitId) -> Option<bool> {
        let posts = &self.person(person)?.posts;
        posts.iter().find(|(where_to, _)| *where_to == unit).map(|(_, charge)| *charge)
    }

    /// The person's place in a conversation, while they are in it.
    pub(crate) fn member(&self, conversation: ConversationId, person: PersonId) -> Option<&Member> {
        let conversation = self.conversation(conversation)?;
        conversation.members.iter().find(|member| member.person == person && !member.left)
    }

    /// Whether this device may read this message now.
    pub(crate) fn may_read(&self, device: DeviceId, conversation: ConversationId, sequence: u64) -> bool {
        let Some(device) = self.device(device).filter(|device| !device.revoked) else { return false };
        let Some(place) = self.conversation(conversation).filter(|place| !place.purged) else { return false };
        let suspended = self.is_out(device.person);
        let Some(member) = self.member(conversation, device.person) else { return false };
        !suspended
            && sequence >= member.from
            && sequence > place.expired_through
            && sequence <= place.messages.len() as u64
    }
}

impl Reference {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, ward: Ward::default(), lobby: Lobby::default(), run: (0, Mono(0)), calls: Vec::new() }
    }

    /// The process came back with what was committed. An open session was in use a moment ago.
    pub(crate) fn restart(&mut self, committed: Ward, now: Now) {
        self.ward = committed;
        // The next look is a minute after a start.
        self.ward.uploads.iter_mut().for_each(|upload| upload.over = None);
        self.lobby = Lobby::default();
        self.run = (self.run.0 + 1, now.mono);
        self.resume_terms(now);
        for device in &self.ward.devices {
            if let Some(until) = device.session {
                let rest = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
                let rest = rest.min(self.policy.session_ms);
                self.lobby.open.push((device.id, now.mono, now.mono.after(rest)));
            }
        }
        self.stats_go_on(now);
    }

    pub(crate) fn link(&self, conn: Conn) -> Option<&Link> {
        self.lobby.links.iter().find(|link| link.conn == conn)
    }

    pub(crate) fn link_mut(&mut self, conn: Conn) -> Option<&mut Link> {
        self.lobby.links.iter_mut().find(|link| link.conn == conn)
    }

    pub(crate) fn connected(&mut self, now: Now, conn: Conn, door: Door, source: Source) -> Expected {
        let local = door == Door::Local;
        self.lobby.links.push(Link {
            conn,
            door,
            source,
            phase: if local { Phase::Local } else { Phase::New },
            given: 0,
            offer: None,
            silent: false,
            challenge: None,
            attached: false,
            deadline: (!local).then(|| now.mono.after(limits::PROOF_TIME_MAX_MS)),
        });
        Expected::default()
    }

    pub(crate) fn closed(&mut self, conn: Conn) -> Expected {
        self.give_back_try(conn);
        self.lobby.links.retain(|link| link.conn != conn);
        Expected::default()
    }

    pub(crate) fn drain(&mut self) -> Expected {
        let mut expected = Expected::default();
        let conns: Vec<Conn> = self.lobby.links.iter().map(|link| link.conn).collect();
        conns.into_iter().for_each(|conn| self.give_back_try(conn));
        for link in &mut self.lobby.links {
            if link.phase != Phase::Over {
                expected.closes.push((link.conn, CloseCode::DRAINING));
            }
            (link.phase, link.attached) = (Phase::Over, false);
        }
        expected
    }

    /// A PIN whose connection ends before the keeper has spoken was not tried.
    fn give_back_try(&mut self, conn: Conn) {
        if let Some(print) = self.take_print(conn)
            && let Some(device) = self.ward.device_mut(print.device)
        {
            device.tries -= 1;
        }
        if let Some(Phase::PinChecking(device, _)) = self.link(conn).map(|link| link.phase.clone())
            && let Some(device) = self.ward.device_mut(device)
        {
            device.tries -= 1;
        }
    }

    /// This side ends a connection.
    pub(crate) fn close(&mut self, conn: Conn, code: CloseCode, expected: &mut Expected) {
        self.give_back_try(conn);
        if let Some(link) = self.link_mut(conn).filter(|link| link.phase != Phase::Over) {
            (link.phase, link.attached) = (Phase::Over, false);
            expected.closes.push((conn, code));
        }
    }

    /// The peer broke the protocol: the connection ends, and where its device is known the audit says so.
    pub(crate) fn fault(&mut self, now: Now, conn: Conn, fault: PeerFault) -> Expected {
        let mut expected = Expected::default();
        let Some(phase) = self.link(conn).map(|link| link.phase.clone()) else { return expected };
        match phase {
            Phase::In(device) => expected.audits.push((self.actor(device), fault_of(device, fault))),
            Phase::PinDue(device) | Phase::PinChecking(device, _) => {
                self.record_unproven(now, device, fault_of(device, fault), &mut expected);
            }
            Phase::Welcomed(Some(device)) if fault == PeerFault::ForgedSignature => {
                self.record_unproven(now, device, fault_of(device, fault), &mut expected);
            }
            _ => {}
        }
        self.close(conn, fault.code(), &mut expected);
        expected
    }

    /// Of what a device does before it is signed in, the first twenty an hour are recorded.
    pub(crate) fn record_unproven(&mut self, now: Now, device: DeviceId, act: Act, expected: &mut Expected) {
        self.record_sparingly(now, device, (Actor::Unproven, act), expected);
    }

    pub(crate) fn record_sparingly(
        &mut self,
        now: Now,
        device: DeviceId,
        entry: (Actor, Act),
        expected: &mut Expected,
    ) {
        self.lobby.unproven.retain(|(_, since, _)| now.mono < since.after(3_600_000));
        if !self.lobby.unproven.iter().any(|(other, ..)| *other == device) {
            self.lobby.unproven.push((device, now.mono, 0));
        }
        for (_, _, times) in self.lobby.unproven.iter_mut().filter(|(other, ..)| *other == device) {
            *times += 1;
            if *times <= 20 {
                expected.audits.push(entry);
            }
        }
    }

    /// Refused, and the connection can do nothing more.
    pub(crate) fn turn_away(&mut self, conn: Conn, code: Code) -> Expected {
        let mut expected = Expected::refused(code);
        self.close(conn, CloseCode::REFUSED, &mut expected);
        expected
    }

    pub(crate) fn actor(&self, device: DeviceId) -> Actor {
        match self.ward.device(device) {
            Some(entry) => Actor::Person { person: entry.person, device },
            None => Actor::Unproven,
        }
    }

    /// Whether the door is the administration network's.
    pub(crate) fn is_admin_zone(door: Door) -> bool {
        door == Door::Network(Zone::Admin)
    }

    /// Every attached connection of this person.
    pub(crate) fn attached(&self, person: PersonId) -> Vec<Conn> {
        let mut conns = Vec::new();
        for link in self.lobby.links.iter().filter(|link| link.attached) {
            if let Phase::In(device) = link.phase
                && self.ward.device(device).is_some_and(|device| device.person == person)
            {
                conns.push(link.conn);
            }
        }
        conns
    }
}

fn fault_of(device: DeviceId, fault: PeerFault) -> Act {
    Act::PeerFault(device, fault.code().0)
}
