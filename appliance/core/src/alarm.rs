//! Alarms of the box itself: urgent messages of the box to whoever holds the role that the facility names for it, "IT on call".
//!
//! ```text
//! stands ----told----> over, and told so
//!            ^  |
//!            +--+ worse
//! ```
//!
//! What stands is for the process to find out that sees disk, keeper and certificates ([`crate::input::Input::Alarms`]): all of it, each time. What was
//! told is kept, so nothing is told twice, whatever stops in between. They are messages like any other: the role's holder has them, or
//! whoever looks after the role; they ring bells, wait on the unit's screens until somebody has seen them, and stay for the next holder.
//!
//! An alarm is about the box and nobody else, and a client makes its words. So it is kept bare where a message has its sealed text, and
//! an alarm can still be told when the disk is nearly full or the keeper is gone.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::access::{self, Operation, Permit, Relations};
use crate::admin;
use crate::audit::{Act, Actor};
use crate::bell;
use crate::directory::{Device, Person, PublicKey};
use crate::draft::Draft;
use crate::escalation::{Priority, StatId};
use crate::ids::{DeviceId, MessageId, Number, PersonId, RoleId};
use crate::inbox;
use crate::input::Fresh;
use crate::kept;
use crate::limits;
use crate::mailbox;
use crate::pin::PinMac;
use crate::refusal::{Fault, Refusal};
use crate::relay::Room;
use crate::role::role_of;
use crate::session::Draw;
use crate::state::State;
use crate::text::{Name, Sealed, Title};
use crate::time::Wall;
use crate::turn::{Event, Send};
use crate::urgent::UrgentWrite;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::{Message, Write};

mod words;

/// What can be wrong with a box.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum AlarmKind {
    /// The store's volume is filling: 1, or new messages are refused: 2.
    #[n(1)]
    DiskLow,
    /// The nightly look at the store found damage.
    #[n(2)]
    StoreDamaged,
    /// The keeper does not answer: the box goes on, and would not start again.
    #[n(3)]
    KeeperSilent,
    /// The certificate that is renewed daily was not, and ends within 5 days: 1, or within one: 2.
    #[n(4)]
    LeafEnds,
    /// The imported certificate ends within 30 days: 1, 14: 2, or 3: 3.
    #[n(5)]
    NameEnds,
    /// The box's issuing certificate ends within 90 days: 1, 30: 2, or 7: 3.
    #[n(6)]
    IssuerEnds,
    /// The clock was set by more than two seconds.
    #[n(7)]
    ClockSet,
}

/// One of them, as it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Alarm {
    /// What.
    #[n(0)]
    pub kind: AlarmKind,
    /// From 1; more is worse.
    #[n(1)]
    pub level: u32,
}

/// What a message of the box says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Said {
    /// Of what.
    #[n(0)]
    pub alarm: Alarm,
    /// It stands no more.
    #[n(1)]
    pub over: bool,
}

impl Said {
    /// In a message's text's place. At most 8 bytes, and so no sealed text, which is [`limits::SEAL_OVERHEAD`] longer than what it says.
    pub fn to_body(self) -> Sealed {
        Sealed(kept::to_bytes(&self))
    }

    /// What such a body says; `None`: it is sealed, or nothing.
    pub fn of_body(body: &Sealed) -> Option<Self> {
        (body.0.len() < limits::SEAL_OVERHEAD).then(|| kept::canonical(&body.0).ok())?
    }

    /// As clients see it, beside its words in English.
    pub fn to_wire(self) -> proto::BoxAlarm {
        proto::BoxAlarm { kind: self.alarm.kind.to_wire().into(), level: self.alarm.level, over: self.over }
    }
}

impl AlarmKind {
    /// Every one, in order of its number.
    pub const ALL: [Self; 7] = [
        Self::DiskLow,
        Self::StoreDamaged,
        Self::KeeperSilent,
        Self::LeafEnds,
        Self::NameEnds,
        Self::IssuerEnds,
        Self::ClockSet,
    ];

    /// The number that it has on the wire, in the store and in the audit.
    pub const fn number(self) -> u32 {
        self.to_wire() as u32
    }

    /// The one of this number.
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    const fn to_wire(self) -> proto::AlarmKind {
        match self {
            Self::DiskLow => proto::AlarmKind::DiskLow,
            Self::StoreDamaged => proto::AlarmKind::StoreDamaged,
            Self::KeeperSilent => proto::AlarmKind::KeeperSilent,
            Self::LeafEnds => proto::AlarmKind::LeafEnds,
            Self::NameEnds => proto::AlarmKind::NameEnds,
            Self::IssuerEnds => proto::AlarmKind::IssuerEnds,
            Self::ClockSet => proto::AlarmKind::ClockSet,
        }
    }
}

/// An alarm that was told and stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// As it was told last.
    #[n(0)]
    pub alarm: Alarm,
    /// When.
    #[n(1)]
    pub at: Wall,
    /// Where.
    #[n(2)]
    pub place: StatId,
}

/// A durable change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AlarmWrite {
    /// Whom alarms are told: whoever holds this role, or nobody. What was told others is told anew.
    #[n(1)]
    RoleSet(#[n(0)] Option<RoleId>),
    /// One was told.
    #[n(2)]
    Told(#[n(0)] Told),
    /// It stands no more.
    #[n(3)]
    Over(#[n(0)] AlarmKind),
}

/// A request about it.
pub enum AlarmAsk {
    /// Whom alarms are told, and which stand.
    Look,
    /// Whom they are told from now on.
    SetRole {
        /// Whoever holds it; none: nobody.
        role: Option<RoleId>,
        /// For the box's own entry, and its conversation.
        fresh: Fresh,
    },
}

/// The part of [`State`] that is about it. Nothing but a write changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Alarms {
    /// Whose holders are told.
    #[n(0)]
    pub role: Option<RoleId>,
    /// What stands and was told. At most one of a kind.
    #[n(1)]
    pub told: BTreeMap<AlarmKind, Told>,
}

impl Alarms {
    /// What it names is there.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        let is_there =
            self.role.is_none_or(|role| state.roles.contains_key(&role) && author(state).is_some());
        if is_there {
            Ok(())
        } else {
            Err(Fault::Inconsistent(
                "alarms are told by nobody, or to whoever holds a role that is not there",
            ))
        }
    }

    /// Folds one write in; what is not of it changes nothing.
    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::Alarm(AlarmWrite::RoleSet(role)) => {
                self.role = *role;
                self.told.clear();
            }
            Write::Alarm(AlarmWrite::Told(told)) => {
                self.told.insert(told.alarm.kind, *told);
            }
            Write::Alarm(AlarmWrite::Over(kind)) => {
                self.told.remove(kind);
            }
            _ => {}
        }
    }
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<AlarmAsk, Refusal> {
    match body {
        client_frame::Body::AskAlarms(_) => Ok(AlarmAsk::Look),
        client_frame::Body::SetAlarmRole(set) => {
            let role = match set.role {
                0 => None,
                role => Some(RoleId::new(role).ok_or(Refusal::NoSuchRole)?),
            };
            Ok(AlarmAsk::SetRole { role, fresh: fresh() })
        }
        _ => Err(Refusal::UnknownRequest),
    }
}

/// Decides a request of an administrator, or a service of the box.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: AlarmAsk,
) -> Result<Body, Refusal> {
    match ask {
        AlarmAsk::Look => {
            access::permit(Operation::AskHealth, is, by)?;
            let alarms = &draft.state.alarms;
            let told = alarms.told.values().map(|told| proto::AlarmTold {
                alarm: Some(Said { alarm: told.alarm, over: false }.to_wire()),
                at: told.at.0,
            });
            let role = alarms.role.map_or(0, RoleId::value);
            Ok(Body::Alarms(proto::Alarms { role, told: told.collect() }))
        }
        AlarmAsk::SetRole { role, fresh } => {
            set_role(draft, access::permit(Operation::SetAlarmRole, is, by)?, role, fresh)
        }
    }
}

/// The box gets its entry, and the conversation is opened, while there is room for both.
fn set_role(
    draft: &mut Draft<'_>,
    permit: Permit,
    role: Option<RoleId>,
    fresh: Fresh,
) -> Result<Body, Refusal> {
    let was = draft.state.alarms.role;
    if was == role {
        return Ok(Body::Done(proto::Done {}));
    }
    if let Some(role) = role {
        role_of(draft.state, role)?;
        if draft.room < Room::Plenty {
            return Err(Refusal::DiskLow);
        }
        // Before anything is written: a refusal leaves no entry behind.
        if draft.state.conversations.len() >= limits::CONVERSATIONS_MAX {
            return Err(Refusal::Limit);
        }
        let writer = match author(draft.state) {
            Some((writer, _)) => writer,
            None => enter(draft, permit, &fresh)?,
        };
        inbox::of_the_box(draft, role, writer, Some(fresh))?;
    }
    if let Some((writer, _)) = author(draft.state)
        && let Some(was) = was
    {
        inbox::leave_to_the_box(draft, was, writer);
    }
    draft.write(Write::Alarm(AlarmWrite::RoleSet(role)));
    draft.record(permit.by(), Act::AlarmRoleSet(role));
    Ok(Body::Done(proto::Done {}))
}

/// Who the box's messages are by: an entry that nobody can sign in with, and a device that never was.
fn author(state: &State) -> Option<(PersonId, DeviceId)> {
    let person = state.the_box?;
    Some((person, state.devices_of(person).next()?.id))
}

fn enter(draft: &mut Draft<'_>, permit: Permit, fresh: &Fresh) -> Result<PersonId, Refusal> {
    if draft.state.staff_count() >= limits::PEOPLE_MAX {
        return Err(Refusal::Limit);
    }
    let person = admin::new_person(draft, fresh);
    let mut device = DeviceId::from_random(Draw::new(fresh).others().0);
    while draft.state.is_device(device) {
        device = device.following();
    }
    let name = Name::parse(words::NAME)?;
    let somebody = admin::somebody(person, name.clone(), Title::default());
    let change = draft.write(Write::PersonAdded(Person { the_box: true, suspended: true, ..somebody }));
    draft.announce_person(change, person);
    // The point at infinity has no such form: no signature verifies under this key.
    let mut key = [0; 65];
    key[0] = 4;
    draft.write(Write::DeviceJoined(Device {
        id: device,
        person,
        name,
        key: PublicKey::parse(&key).ok_or(Refusal::Invalid)?,
        salt: [0; 16],
        pin: PinMac([0; 32]),
        pin_tries: limits::PIN_TRIES_MAX,
        revoked: true,
        session_until: None,
        last_number: Number(0),
        login: None,
        passkeys: Vec::new(),
        passkey_until: None,
    }));
    draft.record(permit.by(), Act::PersonAdded(person));
    Ok(person)
}

/// All that stands, as the process that sees it has found. What nobody could be told now is told the next time.
pub(crate) fn hear(draft: &mut Draft<'_>, standing: &[Alarm], fresh: Fresh) {
    let Some(role) = draft.state.alarms.role.filter(|role| role_of(draft.state, *role).is_ok()) else {
        return;
    };
    let mut stands: BTreeMap<AlarmKind, u32> = BTreeMap::new();
    for alarm in standing {
        let level = stands.entry(alarm.kind).or_default();
        *level = alarm.level.max(*level);
    }
    let mut fresh = Some(fresh);
    let told: Vec<Told> = draft.state.alarms.told.values().copied().collect();
    for told in told.iter().filter(|told| !stands.contains_key(&told.alarm.kind)) {
        if say(draft, role, (Said { alarm: told.alarm, over: true }, Priority::Routine), &mut fresh).is_err()
        {
            return;
        }
        seen(draft, told.place);
        draft.write(Write::Alarm(AlarmWrite::Over(told.alarm.kind)));
        draft.record(Actor::TheBox, Act::AlarmOver(told.alarm.kind.number()));
    }
    for (kind, level) in stands {
        let alarm = Alarm { kind, level };
        let before = told.iter().find(|told| told.alarm.kind == kind);
        let place = match before {
            Some(told) if told.alarm.level == level => continue,
            // Less bad than it was, and still there.
            Some(told) if told.alarm.level > level => told.place,
            _ => match say(draft, role, (Said { alarm, over: false }, Priority::Urgent), &mut fresh) {
                Ok(place) => place,
                Err(_) => return,
            },
        };
        if let Some(before) = before.filter(|before| before.place != place) {
            seen(draft, before.place);
        }
        draft.write(Write::Alarm(AlarmWrite::Told(Told { alarm, at: draft.now.wall, place })));
        draft.record(Actor::TheBox, Act::AlarmTold(kind.number(), level));
    }
}

/// Nobody need look at it any more.
fn seen(draft: &mut Draft<'_>, place: StatId) {
    if draft.state.urgents.waits(place) {
        draft.write(Write::Urgent(UrgentWrite::Over(place)));
    }
}

/// Into the last bytes that the store keeps free, an alarm does not go: acknowledgements need those.
fn say(
    draft: &mut Draft<'_>,
    role: RoleId,
    (said, priority): (Said, Priority),
    fresh: &mut Option<Fresh>,
) -> Result<StatId, Refusal> {
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let (sender, device) = author(draft.state).ok_or(Refusal::NoSuchPerson)?;
    let id = inbox::of_the_box(draft, role, sender, fresh.take())?;
    let place = draft.state.conversations.get(&id).ok_or(Refusal::NoSuchConversation)?;
    if place.last.0 >= limits::CONVERSATION_MESSAGES_MAX {
        return Err(Refusal::Limit);
    }
    let (sequence, conns) = (place.last.next(), draft.listeners(place));
    let number = draft.state.devices.get(&device).map_or(Number(0), |device| device.last_number);
    let number = Number(number.0 + 1);
    let mut message = [0; 16];
    message[..8].copy_from_slice(&device.value().to_be_bytes());
    message[8..].copy_from_slice(&number.0.to_be_bytes());
    let at = mailbox::time_shown(draft.now.wall, draft.state.last_at);
    let change = draft.write(Write::MessageAccepted(Message {
        conversation: id,
        sequence,
        id: MessageId(message),
        sender,
        device,
        number,
        at,
        body: said.to_body(),
        priority,
        reply_to: None,
        mentions: Vec::new(),
    }));
    let place = StatId { conversation: id, sequence };
    draft.record(Actor::TheBox, Act::MessageAccepted(id, sequence));
    if !conns.is_empty() {
        draft.send(Send::Fanout { change, event: Event::Message(id, sequence), conns });
    }
    if priority == Priority::Urgent {
        bell::ring_urgent(draft, sender, place);
    }
    Ok(place)
}
