//! STAT: a message that rings until somebody answers.
//!
//! ```text
//! Ringing(step) --coming--> Held(60 s) --nothing came of it--> Ringing(the same step)
//!    |  ^   \--cannot / time / nobody reachable--> Ringing(next step)
//!    |  \--handed back, acceptor suspended--- Accepted
//!    \--I have it, or a call note--> Accepted --done--> Closed
//! ```
//!
//! This module is the form of it and what follows from the form; [`crate::stat`] is what people and time do to it. The last
//! step is never a person: a policy cannot say otherwise, because it does not name that step. An escalation holds nothing of
//! what the message says.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::ids::{Change, ConversationId, PersonId, Sequence, UnitId};
use crate::limits;
use crate::time::Wall;
use crate::wire::proto;

pub mod policy;
pub mod signed;

use policy::{EscalationPolicy, Step};
use signed::CallNote;

/// How urgent a message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Priority {
    /// Read when there is time.
    #[n(0)]
    #[default]
    Routine,
    /// Read soon: shown as such, and on its unit's station screens if nobody has seen it in time ([`crate::urgent`]). Rings for nobody.
    #[n(1)]
    Urgent,
    /// Rings until somebody answers.
    #[n(2)]
    Stat,
}

impl Priority {
    /// As clients see it.
    pub fn to_wire(self) -> proto::Priority {
        match self {
            Self::Routine => proto::Priority::Routine,
            Self::Urgent => proto::Priority::Urgent,
            Self::Stat => proto::Priority::Stat,
        }
    }
}

/// The message that an escalation is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct StatId {
    /// Where it was said.
    #[n(0)]
    pub conversation: ConversationId,
    /// Its place there.
    #[n(1)]
    pub sequence: Sequence,
}

/// What becomes of a STAT.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Escalation {
    /// Which message.
    #[n(0)]
    pub id: StatId,
    /// Who sent it.
    #[n(1)]
    pub sender: PersonId,
    /// Whose policy it follows, and whose station screens ring in the end; none: the facility's policy, and no screens.
    #[n(2)]
    pub unit: Option<UnitId>,
    /// The policy as it was when the message was sent.
    #[n(3)]
    pub policy: EscalationPolicy,
    /// When it was sent.
    #[n(4)]
    pub opened: Wall,
    /// Where it stands.
    #[n(5)]
    pub stage: Stage,
    /// Everybody for whom it has rung: they may read this one message while it is open.
    #[n(6)]
    pub rung: BTreeMap<PersonId, Rung>,
    /// The change that last touched this.
    #[n(7)]
    pub changed: Change,
    /// By which call note it is answered.
    #[n(8)]
    pub note: Option<CallNote>,
}

/// Where an escalation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// For the people of this step, and of those before it who have not said that they cannot. The step behind the policy's
    /// last: for the unit's station screens too, and without end.
    #[n(0)]
    Ringing {
        /// From 0.
        #[n(0)]
        step: u8,
        /// When the step began; what is left of it after a restart.
        #[n(1)]
        since: Wall,
    },
    /// Somebody is on the way and has not taken it: the step's time stands still.
    #[n(1)]
    Held {
        /// The step that goes on if nothing comes of it.
        #[n(0)]
        step: u8,
        /// When it was held.
        #[n(1)]
        since: Wall,
        /// Who is coming.
        #[n(2)]
        by: PersonId,
        /// How much of the step had passed. Milliseconds.
        #[n(3)]
        passed_ms: u64,
    },
    /// Somebody has it.
    #[n(2)]
    Accepted {
        /// The step that goes on if it is handed back.
        #[n(0)]
        step: u8,
        /// When.
        #[n(1)]
        at: Wall,
        /// Who; none: somebody outside the directory, by a call note.
        #[n(2)]
        by: Option<PersonId>,
        /// Who noted that they were reached by telephone, where they did not say so themselves.
        #[n(3)]
        noted_by: Option<PersonId>,
    },
    /// Over.
    #[n(3)]
    Closed {
        /// When.
        #[n(0)]
        at: Wall,
    },
}

/// Somebody for whom it has rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rung {
    /// At which step first.
    #[n(0)]
    pub step: u8,
    /// Why they cannot.
    #[n(1)]
    pub declined: Option<Reason>,
    /// Has held it once: a second time would be a way to keep it from ringing.
    #[n(2)]
    pub has_held: bool,
}

/// Why somebody does not take it. Chosen, not typed: a reason that is typed may say whose it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Reason {
    /// With another patient.
    #[n(1)]
    Busy,
    /// Not theirs to answer.
    #[n(2)]
    NotMine,
    /// Not on duty.
    #[n(3)]
    OffDuty,
    /// Anything else.
    #[n(4)]
    Other,
    /// Had it, and gave it back.
    #[n(5)]
    HandedBack,
    /// Is out of the conversation: as if it had never rung for them.
    #[n(6)]
    Left,
    /// It rang for them by a role that they do not hold any more: as if it had never rung for them.
    #[n(7)]
    HandedOver,
}

impl Stage {
    /// The step that it stands at, or would go on with.
    pub fn step(self) -> Option<u8> {
        match self {
            Self::Ringing { step, .. } | Self::Held { step, .. } | Self::Accepted { step, .. } => Some(step),
            Self::Closed { .. } => None,
        }
    }

    /// Nobody has it.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Self::Ringing { .. } | Self::Held { .. })
    }

    /// Somebody noted that whoever has it was reached by telephone.
    pub fn is_noted(self) -> bool {
        matches!(self, Self::Accepted { noted_by: Some(_), .. })
    }
}

impl Escalation {
    /// The policy's step of this number; none: the last, that of the station screens.
    pub(crate) fn step(&self, step: u8) -> Option<&Step> {
        self.policy.steps().get(usize::from(step))
    }

    /// The step of the station screens.
    pub fn last_step(&self) -> u8 {
        // A policy has `limits::ESCALATION_STEPS_MAX` at most.
        u8::try_from(self.policy.steps().len()).unwrap_or(u8::MAX)
    }

    /// Whether the station screens ring, or did before it was taken.
    pub fn reached_stations(&self) -> bool {
        self.stage.step() == Some(self.last_step())
    }

    /// Whether it rang for this person, and they have a right to it still.
    pub fn has_rung(&self, person: PersonId) -> bool {
        self.rung
            .get(&person)
            .is_some_and(|rung| !matches!(rung.declined, Some(Reason::Left | Reason::HandedOver)))
    }

    /// For whom it rings, or would if it were handed back: everybody rung so far who has not said that they cannot.
    pub fn callable(&self) -> impl Iterator<Item = PersonId> + '_ {
        self.rung.iter().filter(|(_, rung)| rung.declined.is_none()).map(|(person, _)| *person)
    }

    /// Whether it rang for them, and they have said that they cannot.
    pub(crate) fn has_declined(&self, person: PersonId) -> bool {
        self.rung.get(&person).is_some_and(|rung| rung.declined.is_some())
    }

    /// Of those, who was first rung at this step.
    pub(crate) fn callable_at(&self, step: u8) -> impl Iterator<Item = PersonId> + '_ {
        let of_step = move |rung: &Rung| rung.declined.is_none() && rung.step == step;
        self.rung.iter().filter(move |(_, rung)| of_step(rung)).map(|(person, _)| *person)
    }

    /// Who has it.
    pub fn acceptor(&self) -> Option<PersonId> {
        match self.stage {
            Stage::Accepted { by, .. } => by,
            _ => None,
        }
    }

    /// Whether this person has it, or has put on record that somebody does.
    pub fn is_answered_by(&self, person: PersonId) -> bool {
        matches!(self.stage, Stage::Accepted { by, noted_by, .. } if [by, noted_by].contains(&Some(person)))
    }

    /// It stands there now, and rings for these besides.
    pub(crate) fn moved(&mut self, stage: Stage, rang: &[PersonId]) {
        self.stage = stage;
        if !stage.is_noted() {
            self.note = None;
        }
        let step = stage.step().unwrap_or_default();
        let new = Rung { step, declined: None, has_held: false };
        for person in rang {
            self.rung.entry(*person).or_insert(new).declined = None;
        }
        // Whoever comes, or has it, has thought better of a "cannot"; a colleague may not have been rung at all.
        match stage {
            Stage::Held { by, .. } => {
                let rung = self.rung.entry(by).or_insert(new);
                (rung.has_held, rung.declined) = (true, None);
            }
            Stage::Accepted { by: Some(by), .. } => {
                self.rung.entry(by).or_insert(new).declined = None;
            }
            _ => {}
        }
    }

    /// This person cannot.
    pub(crate) fn declined(&mut self, person: PersonId, reason: Reason, step: u8) {
        let rung = Rung { step, declined: None, has_held: false };
        self.rung.entry(person).or_insert(rung).declined = Some(reason);
    }

    /// What is left of the stage's time, as the wall clock has it: for what was under way when the box stopped. Never more
    /// than the whole, never less than nothing, whatever the clock did. Milliseconds; none: it has no end.
    pub(crate) fn left_ms(&self, now: Wall) -> Option<u64> {
        let (whole, since) = match self.stage {
            Stage::Ringing { step, since } => (self.step(step)?.wait_ms(), since),
            Stage::Held { since, .. } => (limits::STAT_HELD_MS, since),
            Stage::Accepted { .. } | Stage::Closed { .. } => return None,
        };
        let passed = u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
        Some(whole.saturating_sub(passed))
    }

    /// As members of the conversation see it.
    pub fn to_wire(&self) -> proto::Escalation {
        use proto::EscalationState as State;
        let (state, since, by, noted_by) = match self.stage {
            Stage::Ringing { since, .. } => (State::Ringing, since, None, None),
            Stage::Held { since, by, .. } => (State::Held, since, Some(by), None),
            Stage::Accepted { at, by, noted_by, .. } => (State::Accepted, at, by, noted_by),
            Stage::Closed { at } => (State::Closed, at, None, None),
        };
        let value = |person: Option<PersonId>| person.map_or(0, PersonId::value);
        let called = |(person, rung): (&PersonId, &Rung)| proto::Called {
            person: person.value(),
            step: rung.step.into(),
            declined: rung.declined.map_or(proto::DeclineReason::Unspecified, Reason::to_wire).into(),
        };
        proto::Escalation {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            state: state.into(),
            since: since.0,
            by: value(by),
            noted_by: value(noted_by),
            step: self.stage.step().unwrap_or_default().into(),
            steps: self.last_step().into(),
            unit: self.unit.map_or(0, UnitId::value),
            called: self.rung.iter().take(limits::CALLED_SHOWN_MAX).map(called).collect(),
            called_count: u32::try_from(self.rung.len()).unwrap_or(u32::MAX),
            dial: self.dial_now(),
            note: self.note.as_ref().map(CallNote::to_wire),
        }
    }

    /// What a device hears for whose person it rings, locked or not, and what a station screen hears: no text and no name.
    pub(crate) fn to_ring(&self, sender_title: &str, unit_name: &str) -> proto::Ring {
        use proto::EscalationState as State;
        let state = match self.stage {
            Stage::Ringing { .. } => State::Ringing,
            Stage::Held { .. } => State::Held,
            Stage::Accepted { .. } => State::Accepted,
            Stage::Closed { .. } => State::Closed,
        };
        proto::Ring {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            state: state.into(),
            unit: self.unit.map_or(0, UnitId::value),
            sender_title: sender_title.to_owned(),
            opened: self.opened.0,
            unit_name: unit_name.to_owned(),
            dial: self.dial_now(),
        }
    }

    /// Whom to call by telephone, once it has come to the screens.
    fn dial_now(&self) -> String {
        if self.reached_stations() { self.policy.dial().reveal().to_owned() } else { String::new() }
    }
}

impl Reason {
    /// The reason behind the wire's number; none that the box gives by itself.
    pub(crate) fn parse(reason: proto::DeclineReason) -> Option<Self> {
        match reason {
            proto::DeclineReason::Busy => Some(Self::Busy),
            proto::DeclineReason::NotMine => Some(Self::NotMine),
            proto::DeclineReason::OffDuty => Some(Self::OffDuty),
            proto::DeclineReason::Other => Some(Self::Other),
            proto::DeclineReason::Unspecified
            | proto::DeclineReason::HandedBack
            | proto::DeclineReason::Left
            | proto::DeclineReason::HandedOver => None,
        }
    }

    /// The reason of this number.
    pub fn from_number(number: u32) -> Option<Self> {
        [
            Self::Busy,
            Self::NotMine,
            Self::OffDuty,
            Self::Other,
            Self::HandedBack,
            Self::Left,
            Self::HandedOver,
        ]
        .into_iter()
        .find(|reason| reason.number() == number)
    }

    /// As the audit and the store have it: as encoded.
    pub fn number(self) -> u32 {
        self.to_wire() as u32
    }

    fn to_wire(self) -> proto::DeclineReason {
        match self {
            Self::Busy => proto::DeclineReason::Busy,
            Self::NotMine => proto::DeclineReason::NotMine,
            Self::OffDuty => proto::DeclineReason::OffDuty,
            Self::Other => proto::DeclineReason::Other,
            Self::HandedBack => proto::DeclineReason::HandedBack,
            Self::Left => proto::DeclineReason::Left,
            Self::HandedOver => proto::DeclineReason::HandedOver,
        }
    }
}
