//! STAT: what rings, how it stands, and what may be said to it.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{ConversationId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};

use crate::call::{Call, Calls, odd};
use crate::error::Error;
use crate::event::{self, Message};
use crate::signed::{self, CallNote, SignedAnswer};

pub use wardline_core::escalation::{Priority, Reason};

/// How urgent a message is, and whom it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urgency {
    /// A STAT rings until somebody answers.
    pub priority: Priority,
    /// Of a STAT, for whom it rings first: members of the conversation; nobody: everybody else in it.
    pub people: Vec<PersonId>,
    /// Of a STAT, whose policy it follows; `None`: a channel's own unit, or where those it rings for work.
    pub unit: Option<UnitId>,
}

/// The message that a STAT is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StatRef {
    /// Where it was said.
    pub conversation: ConversationId,
    /// Its place there.
    pub sequence: Sequence,
}

/// What a unit had of STATs in some time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnitLoad {
    /// Whose; `None`: they followed no unit's policy.
    pub unit: Option<UnitId>,
    /// How many were sent.
    pub sent: u32,
    /// Somebody had it in the end, and had not given it back.
    pub answered: u32,
    /// Nobody had answered before the station screens rang.
    pub at_stations: u32,
    /// Seconds from sending to the answer, rounded up: half of those that were answered took no longer; 0: none was.
    pub median: u32,
    /// Nine in ten.
    pub ninety: u32,
    /// The longest.
    pub longest: u32,
}

impl UnitLoad {
    fn from_wire(wire: &proto::UnitStatLoad) -> Self {
        let proto::UnitStatLoad { unit, sent, answered, at_stations, median, ninety, longest } = *wire;
        Self { unit: UnitId::new(unit), sent, answered, at_stations, median, ninety, longest }
    }
}

/// Where a STAT stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stands {
    /// It rings.
    Ringing,
    /// Somebody is coming, and has not taken it.
    Held,
    /// Somebody has it.
    Accepted,
    /// Over.
    Closed,
}

/// It rings on this device: shown to whoever looks at it, locked or not.
#[derive(Clone, PartialEq, Eq)]
pub struct Ring {
    /// Which.
    pub stat: StatRef,
    /// [`Stands::Held`]: show it, silently. [`Stands::Accepted`]: this person has it.
    pub stands: Stands,
    /// Whose.
    pub unit: Option<UnitId>,
    /// The sender's title: "RN". May be empty.
    pub sender_title: String,
    /// When it was sent: milliseconds since 1970.
    pub opened: i64,
    /// A number to call now; empty before the last step.
    pub dial: String,
}

/// How a STAT stands, as a member of its conversation sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Which.
    pub stat: StatRef,
    /// Where.
    pub stands: Stands,
    /// Since when: milliseconds since 1970.
    pub since: i64,
    /// Who holds or has it.
    pub by: Option<PersonId>,
    /// Who noted that they were reached by telephone.
    pub noted_by: Option<PersonId>,
    /// What they noted of the call.
    pub note: Option<CallNote>,
    /// From 0; as many as `steps`: the station screens.
    pub step: u32,
    /// Steps before the station screens.
    pub steps: u32,
    /// The unit whose policy it follows.
    pub unit: Option<UnitId>,
    /// For whom it has rung; the first 100.
    pub called: Vec<Called>,
    /// How many they are in all.
    pub called_count: u32,
    /// A number to call now; empty before the last step.
    pub dial: String,
}

/// Somebody for whom a STAT has rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Called {
    /// Who.
    pub person: PersonId,
    /// At which step first, from 0.
    pub step: u32,
    /// Why they cannot; none: they have not said that they cannot.
    pub declined: Option<Reason>,
}

/// Whether somebody can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reach {
    /// An app was in front of them in the last 20 s.
    AppOpen,
    /// A device of theirs is connected and rings.
    BellOnly,
    /// None is.
    Unreachable,
}

/// Whom a STAT would reach, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// For whom it would ring first.
    pub called: Vec<Prospective>,
    /// How many they are in all.
    pub called_count: u32,
    /// Seconds before the next step.
    pub first_wait: u32,
    /// What follows: seconds, people, and how many of them can be reached.
    pub steps: Vec<(Rings, u32, u32, u32)>,
    /// Station screens of the unit, and how many of them answer.
    pub stations: (u32, u32),
    /// The number that is shown in the end.
    pub dial: String,
    /// Whose policy it is.
    pub unit: Option<UnitId>,
}

/// What a sender ought to know of somebody whom a STAT would reach.
#[derive(Clone, PartialEq, Eq)]
pub struct Prospective {
    /// Who.
    pub person: PersonId,
    /// How they can be reached.
    pub reach: Reach,
    /// How many milliseconds ago they were last heard of, if ever.
    pub heard_ago: Option<u64>,
    /// Does not want to be disturbed until then: milliseconds since 1970. It rings all the same.
    pub silent_until: Option<i64>,
    /// Who covers for them.
    pub cover: Option<PersonId>,
    /// Where to call them: no device of theirs is here. Else empty.
    pub off_site: String,
    /// Holds beds or a role now.
    pub on_duty: bool,
}

/// Nobody's number in a log.
impl fmt::Debug for Prospective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prospective({} {:?})", self.person, self.reach)
    }
}

/// For whom a step rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Rings {
    /// Whoever leads the unit.
    ChargeNurses,
    /// Everybody who works there.
    UnitStaff,
    /// One person.
    Person(PersonId),
    /// Whoever holds a role when the step begins.
    Role(RoleId),
}

/// How a unit escalates, or the facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationPolicy {
    /// Whose; `None`: the facility's.
    pub unit: Option<UnitId>,
    /// Seconds, 15 to 3600, for whom the sender names.
    pub first_wait: u32,
    /// Then these, each for so many seconds. The station screens come last by themselves.
    pub steps: Vec<(Rings, u32)>,
    /// A number that the sender is shown in the end; may be empty.
    pub dial: String,
    /// How long an urgent message that nobody has seen waits before the station screens show it. Seconds, 60 to 3600; 0: they never do.
    pub urgent_wait: u32,
}

/// An urgent message waits on a unit's screen: no name and no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrgentWaits {
    /// Which.
    pub message: StatRef,
    /// When it was sent. Milliseconds since 1970.
    pub since: i64,
    /// A number to call; may be empty.
    pub dial: String,
}

/// What is said to a STAT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// "I have it."
    Accept,
    /// "I am coming": from a locked device too.
    Coming,
    /// "I cannot."
    Decline(Reason),
    /// Whoever has it cannot after all.
    HandBack,
    /// Somebody was reached by telephone, and has it.
    CallNote(CallNote),
    /// Done with, or sent in error.
    Close,
}

/// What was answered to a STAT.
pub struct StatAnswers {
    /// Accepted, declined, noted of a call: each signed, the newest first. What is handed back or closed is not signed.
    pub signed: Vec<SignedAnswer>,
    /// How it stands, for members of its conversation.
    pub stands: Option<Escalation>,
}

/// What can be asked about STATs.
pub trait StatCalls: Calls {
    /// Whom a STAT would reach. Ask before sending one.
    fn prospect(
        &self,
        conversation: ConversationId,
        urgency: &Urgency,
    ) -> impl Future<Output = Result<Prospect, Error>> + Send {
        let ask = proto::AskProspect { conversation: conversation.value(), call: urgency.to_call() };
        async {
            match self.call(Ask::AskProspect(ask)).await? {
                Answer::Prospect(prospect) => Prospect::from_wire(prospect),
                _ => Err(Error::Protocol("an answer to another question")),
            }
        }
    }

    /// Says something to a STAT.
    fn answer_stat(&self, stat: StatRef, reply: Reply) -> impl Future<Output = Result<(), Error>> + Send {
        use proto::answer_stat::Answer as Says;
        let says = match reply {
            Reply::Accept => Says::Accept(proto::Accept {}),
            Reply::Coming => Says::Coming(proto::Coming {}),
            Reply::Decline(reason) => Says::Decline(proto::Decline { reason: reason.number() as i32 }),
            Reply::HandBack => Says::HandBack(proto::HandBack {}),
            Reply::CallNote(note) => Says::CallNote(note.to_wire()),
            Reply::Close => Says::Close(proto::CloseStat {}),
        };
        let (conversation, sequence) = (stat.conversation.value(), stat.sequence.0);
        // What wants a signature is signed where the device's key is.
        let (answer, at, signature) = (Some(says), 0, Vec::new());
        self.done(Ask::AnswerStat(proto::AnswerStat { conversation, sequence, answer, at, signature }))
    }

    /// What was signed about a STAT, the newest first, and how it stands: for whoever reads its message. [`crate::signed::is_verified`]
    /// verifies one. Where it rings for somebody who is not in the conversation, that they looked is recorded, and they are told how it
    /// stands by what rings alone.
    fn stat_answers(&self, stat: StatRef) -> impl Future<Output = Result<StatAnswers, Error>> + Send {
        let of = move |answer: &SignedAnswer| answer.id.sequence == stat.sequence;
        async move {
            let (signed, stands) = match self.history(stat.conversation, stat.sequence.next(), 1).await {
                Ok(page) => (page.signed, page.stat.filter(|told| told.stat == stat)),
                Err(Error::Refused(refused)) if refused.code == RefusalCode::NoSuchConversation => {
                    let (conversation, sequence) = (stat.conversation.value(), stat.sequence.0);
                    match self.call(Ask::ReadStat(proto::ReadStat { conversation, sequence })).await? {
                        Answer::HistoryPage(page) => (signed::read(&page.signed)?, None),
                        other => return odd(other),
                    }
                }
                Err(error) => return Err(error),
            };
            Ok(StatAnswers { signed: signed.into_iter().filter(of).collect(), stands })
        }
    }

    /// The message of a STAT that rings for this person; `None`: it is gone.
    fn read_stat(&self, stat: StatRef) -> impl Future<Output = Result<Option<Message>, Error>> + Send {
        let (conversation, sequence) = (stat.conversation.value(), stat.sequence.0);
        async move {
            match self.call(Ask::ReadStat(proto::ReadStat { conversation, sequence })).await? {
                Answer::HistoryPage(page) => {
                    page.messages.into_iter().next().map(Message::from_wire).transpose()
                }
                _ => Err(Error::Protocol("an answer to another question")),
            }
        }
    }

    /// How the facility and its units escalate.
    fn escalation_policies(&self) -> impl Future<Output = Result<Vec<EscalationPolicy>, Error>> + Send {
        async {
            match self.call(Ask::ListEscalation(proto::ListEscalation {})).await? {
                Answer::EscalationPolicies(list) => {
                    list.policies.into_iter().map(EscalationPolicy::from_wire).collect()
                }
                _ => Err(Error::Protocol("an answer to another question")),
            }
        }
    }

    /// How many STATs a unit had from `since` on and before `until`, milliseconds since 1970, 400 days at most; `None`: every unit. And
    /// whether there were more than the box counts, the newest 100,000. Figures only.
    fn stat_load(
        &self,
        unit: Option<UnitId>,
        since: i64,
        until: i64,
    ) -> impl Future<Output = Result<(Vec<UnitLoad>, bool), Error>> + Send {
        let ask = proto::AskStatLoad { unit: unit.map_or(0, UnitId::value), since, until };
        async move {
            match self.call(Ask::AskStatLoad(ask)).await? {
                Answer::StatLoad(load) => {
                    Ok((load.units.iter().map(UnitLoad::from_wire).collect(), load.more))
                }
                _ => Err(Error::Protocol("an answer to another question")),
            }
        }
    }

    /// Says how a unit escalates, or the facility.
    fn set_escalation(&self, policy: &EscalationPolicy) -> impl Future<Output = Result<(), Error>> + Send {
        let policy = Some(policy.to_wire());
        self.done(Ask::SetEscalation(proto::SetEscalation { policy, standard: false }))
    }

    /// As if it had never been said.
    fn forget_escalation(&self, unit: Option<UnitId>) -> impl Future<Output = Result<(), Error>> + Send {
        let unit = unit.map_or(0, UnitId::value);
        let policy = Some(proto::EscalationPolicy { unit, ..proto::EscalationPolicy::default() });
        self.done(Ask::SetEscalation(proto::SetEscalation { policy, standard: true }))
    }

    /// Administration: a station screen of a unit. It gets a device by a join code, as a person does.
    fn add_station(&self, unit: UnitId, name: &str) -> impl Future<Output = Result<PersonId, Error>> + Send {
        let ask = proto::AddStation { unit: unit.value(), name: name.to_owned() };
        async move {
            match self.call(Ask::AddStation(ask)).await? {
                Answer::PersonAdded(added) => event::person(added.person),
                _ => Err(Error::Protocol("an answer to another question")),
            }
        }
    }
}

impl<C: Call> StatCalls for C {}

impl Urgency {
    pub(crate) fn to_call(&self) -> Option<proto::Call> {
        let people = self.people.iter().map(|person| person.value()).collect();
        let call = proto::Call { people, unit: self.unit.map_or(0, UnitId::value) };
        (self.priority == Priority::Stat).then_some(call)
    }

    pub(crate) fn from_wire(priority: proto::Priority, call: Option<proto::Call>) -> Result<Self, Error> {
        let call = call.unwrap_or_default();
        Ok(Self {
            priority: priority_of(priority),
            people: call.people.into_iter().map(event::person).collect::<Result<_, _>>()?,
            unit: UnitId::new(call.unit),
        })
    }
}

/// What is not known is not urgent.
pub(crate) fn priority_of(wire: proto::Priority) -> Priority {
    match wire {
        proto::Priority::Unspecified | proto::Priority::Routine => Priority::Routine,
        proto::Priority::Urgent => Priority::Urgent,
        proto::Priority::Stat => Priority::Stat,
    }
}

impl Stands {
    /// What is not known may ring: nobody is told that it is over.
    pub(crate) fn from_wire(wire: proto::EscalationState) -> Self {
        match wire {
            proto::EscalationState::Unspecified | proto::EscalationState::Ringing => Self::Ringing,
            proto::EscalationState::Held => Self::Held,
            proto::EscalationState::Accepted => Self::Accepted,
            proto::EscalationState::Closed => Self::Closed,
        }
    }
}

pub(crate) fn stat_of(conversation: u64, sequence: u64) -> Result<StatRef, Error> {
    Ok(StatRef { conversation: event::conversation(conversation)?, sequence: Sequence(sequence) })
}

impl Ring {
    pub(crate) fn from_wire(wire: proto::Ring) -> Result<Self, Error> {
        Ok(Self {
            stat: stat_of(wire.conversation, wire.sequence)?,
            stands: Stands::from_wire(wire.state()),
            unit: UnitId::new(wire.unit),
            sender_title: wire.sender_title,
            opened: wire.opened,
            dial: wire.dial,
        })
    }
}

impl Escalation {
    pub(crate) fn from_wire(wire: proto::Escalation) -> Result<Self, Error> {
        let declined = |number: i32| {
            // A reason of a later version is one all the same.
            (number != 0)
                .then(|| u32::try_from(number).ok().and_then(Reason::from_number).unwrap_or(Reason::Other))
        };
        let called = |called: &proto::Called| {
            let person = event::person(called.person)?;
            Ok(Called { person, step: called.step, declined: declined(called.declined) })
        };
        Ok(Self {
            stat: stat_of(wire.conversation, wire.sequence)?,
            stands: Stands::from_wire(wire.state()),
            since: wire.since,
            by: PersonId::new(wire.by),
            noted_by: PersonId::new(wire.noted_by),
            note: wire.note.as_ref().and_then(|note| CallNote::parse(note).ok()),
            step: wire.step,
            steps: wire.steps,
            unit: UnitId::new(wire.unit),
            called: wire.called.iter().map(called).collect::<Result<_, Error>>()?,
            called_count: wire.called_count,
            dial: wire.dial,
        })
    }
}

impl Prospect {
    fn from_wire(wire: proto::Prospect) -> Result<Self, Error> {
        let step = |step: &proto::ProspectiveStep| {
            let (rings, wait) = Rings::from_wire(&step.step.unwrap_or_default())?;
            Ok((rings, wait, step.people, step.reachable))
        };
        Ok(Self {
            called: wire.called.iter().map(Prospective::from_wire).collect::<Result<_, Error>>()?,
            called_count: wire.called_count,
            first_wait: wire.first_wait,
            steps: wire.steps.iter().map(step).collect::<Result<_, Error>>()?,
            stations: (wire.stations, wire.stations_reachable),
            dial: wire.dial,
            unit: UnitId::new(wire.unit),
        })
    }
}

impl Prospective {
    fn from_wire(wire: &proto::Prospective) -> Result<Self, Error> {
        Ok(Self {
            person: event::person(wire.person)?,
            reach: match wire.reach() {
                proto::Reach::AppOpen => Reach::AppOpen,
                proto::Reach::BellOnly => Reach::BellOnly,
                proto::Reach::Unspecified | proto::Reach::Unreachable => Reach::Unreachable,
            },
            heard_ago: wire.heard_ago,
            silent_until: (wire.silent_until != 0).then_some(wire.silent_until),
            cover: PersonId::new(wire.cover),
            off_site: wire.off_site.clone(),
            on_duty: wire.on_duty,
        })
    }
}

impl Rings {
    fn from_wire(wire: &proto::EscalationStep) -> Result<(Self, u32), Error> {
        let rings = match wire.rings() {
            proto::Rings::ChargeNurses => Self::ChargeNurses,
            proto::Rings::Person => Self::Person(event::person(wire.person)?),
            proto::Rings::UnitStaff => Self::UnitStaff,
            proto::Rings::Role => Self::Role(RoleId::new(wire.role).ok_or(Error::Protocol("no role"))?),
            _ => return Err(Error::Protocol("a step that this version does not know")),
        };
        Ok((rings, wire.wait))
    }
}

impl EscalationPolicy {
    fn from_wire(wire: proto::EscalationPolicy) -> Result<Self, Error> {
        Ok(Self {
            unit: UnitId::new(wire.unit),
            first_wait: wire.first_wait,
            steps: wire.steps.iter().map(Rings::from_wire).collect::<Result<_, _>>()?,
            dial: wire.dial,
            urgent_wait: wire.urgent_wait.unwrap_or(limits::URGENT_WAIT_STANDARD_S.into()),
        })
    }

    fn to_wire(&self) -> proto::EscalationPolicy {
        let step = |(rings, wait): &(Rings, u32)| {
            let (rings, person, role) = match rings {
                Rings::ChargeNurses => (proto::Rings::ChargeNurses, 0, 0),
                Rings::UnitStaff => (proto::Rings::UnitStaff, 0, 0),
                Rings::Person(person) => (proto::Rings::Person, person.value(), 0),
                Rings::Role(role) => (proto::Rings::Role, 0, role.value()),
            };
            proto::EscalationStep { rings: rings.into(), person, wait: *wait, role }
        };
        proto::EscalationPolicy {
            unit: self.unit.map_or(0, UnitId::value),
            first_wait: self.first_wait,
            steps: self.steps.iter().map(step).collect(),
            dial: self.dial.clone(),
            urgent_wait: Some(self.urgent_wait),
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} #{} {:?})", self.stat.conversation, self.stat.sequence.0, self.stands)
    }
}

impl fmt::Debug for Escalation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, sequence) = (self.stat.conversation, self.stat.sequence.0);
        write!(f, "Escalation({place} #{sequence} {:?} at {})", self.stands, self.step)
    }
}
