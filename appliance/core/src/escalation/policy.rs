//! Whom a STAT rings for, in which order, and for how long.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::ids::{PersonId, RoleId};
use crate::kept;
use crate::limits;
use crate::refusal::Refusal;
use crate::wire::proto;

/// The steps of an escalation. The first rings for those whom the sender names; behind the last ring the unit's station
/// screens until somebody answers: neither is a step that a policy can leave out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EscalationPolicy {
    #[n(0)]
    steps: Vec<Step>,
    #[n(1)]
    dial: Dial,
    #[cbor(n(2), with = "crate::optional", has_nil)]
    urgent_wait: UrgentWaitS,
}

/// How long an urgent message waits before the unit's station screens show it. Seconds; 0: they never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct UrgentWaitS(#[n(0)] u16);

impl Default for UrgentWaitS {
    fn default() -> Self {
        Self(limits::URGENT_WAIT_STANDARD_S)
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// For whom it rings.
    #[n(0)]
    pub ring: Ring,
    /// How long before the next step begins. Seconds, [`limits::STEP_WAIT_MIN_S`] to [`limits::STEP_WAIT_MAX_S`].
    #[n(1)]
    pub wait_s: u16,
}

/// For whom a step rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Ring {
    /// Those whom the sender names; nobody named: everybody else in the conversation.
    #[n(0)]
    Addressees,
    /// Whoever leads the unit.
    #[n(1)]
    ChargeNurses,
    /// Everybody who works in the unit.
    #[n(2)]
    UnitStaff,
    /// One person, such as a supervisor.
    #[n(3)]
    Person(#[n(0)] PersonId),
    /// Whoever holds this role when the step begins.
    #[n(4)]
    Role(#[n(0)] RoleId),
}

/// A telephone number for when nobody answers: at most [`limits::DIAL_MAX`] digits, blanks, `+`, `*`, `#`, `(`, `)`, `-` and
/// `x` before an extension, and one digit at least. May be empty. Nobody's private number: every member sees it.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Dial(#[n(0)] String);

impl Dial {
    /// The number, blanks around it taken off.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.len() > limits::DIAL_MAX {
            return Err(Refusal::TooLarge);
        }
        let can_be_dialled = text.is_empty() || text.bytes().any(|byte| byte.is_ascii_digit());
        if !can_be_dialled || !text.bytes().all(|byte| b"0123456789 +*#()-x".contains(&byte)) {
            return Err(Refusal::Invalid);
        }
        Ok(Self(text.to_owned()))
    }

    /// The number itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial(…)")
    }
}

impl Step {
    pub(crate) fn wait_ms(&self) -> u64 {
        u64::from(self.wait_s) * 1_000
    }
}

impl EscalationPolicy {
    /// What is followed where nobody has set anything: a minute for whom it is meant, one for the charge nurses, two for
    /// everybody who works there.
    pub fn standard() -> Self {
        let step = |ring, wait_s| Step { ring, wait_s };
        let steps =
            vec![step(Ring::Addressees, 60), step(Ring::ChargeNurses, 60), step(Ring::UnitStaff, 120)];
        Self { steps, dial: Dial::default(), urgent_wait: UrgentWaitS::default() }
    }

    /// The steps behind the first, in order; the first waits for `first_wait_s`. Refuses a wait that is out of range, a step
    /// that rings for the addressees again, and too many.
    pub fn new(first_wait_s: u32, later: &[(Ring, u32)], dial: Dial) -> Result<Self, Refusal> {
        if later.len() >= limits::ESCALATION_STEPS_MAX {
            return Err(Refusal::Limit);
        }
        let step = |ring, wait_s: u32| match u16::try_from(wait_s) {
            Ok(wait_s) if (limits::STEP_WAIT_MIN_S..=limits::STEP_WAIT_MAX_S).contains(&wait_s) => {
                Ok(Step { ring, wait_s })
            }
            _ => Err(Refusal::StepWait),
        };
        let mut steps = vec![step(Ring::Addressees, first_wait_s)?];
        for (ring, wait_s) in later {
            if steps.iter().any(|before: &Step| before.ring == *ring) {
                return Err(Refusal::StepTwice);
            }
            steps.push(step(*ring, *wait_s)?);
        }
        Ok(Self { steps, dial, urgent_wait: UrgentWaitS::default() })
    }

    /// The same, but for how long urgent messages wait. Seconds; 0: station screens never show them.
    pub fn with_urgent_wait(self, wait_s: u32) -> Result<Self, Refusal> {
        let bounds = limits::URGENT_WAIT_MIN_S..=limits::URGENT_WAIT_MAX_S;
        match u16::try_from(wait_s) {
            Ok(wait_s) if wait_s == 0 || bounds.contains(&wait_s) => {
                Ok(Self { urgent_wait: UrgentWaitS(wait_s), ..self })
            }
            _ => Err(Refusal::StepWait),
        }
    }

    /// How long an urgent message waits before the unit's station screens show it. Milliseconds; none: they never do.
    pub fn urgent_wait_ms(&self) -> Option<u64> {
        (self.urgent_wait.0 > 0).then(|| u64::from(self.urgent_wait.0) * 1_000)
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// The policy behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }

    /// In order; at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the sender is shown in the end.
    pub fn dial(&self) -> &Dial {
        &self.dial
    }

    /// As clients see it.
    pub fn to_wire(&self, unit: u64) -> proto::EscalationPolicy {
        let later = self.steps.iter().skip(1).map(|step| step.to_wire()).collect();
        let first_wait = self.steps.first().map_or(0, |first| first.wait_s).into();
        let urgent_wait = Some(self.urgent_wait.0.into());
        proto::EscalationPolicy {
            unit,
            first_wait,
            steps: later,
            dial: self.dial.reveal().to_owned(),
            urgent_wait,
        }
    }
}

impl Step {
    pub(crate) fn to_wire(self) -> proto::EscalationStep {
        let (ring, person, role) = match self.ring {
            Ring::Addressees => (proto::Rings::Addressees, 0, 0),
            Ring::ChargeNurses => (proto::Rings::ChargeNurses, 0, 0),
            Ring::UnitStaff => (proto::Rings::UnitStaff, 0, 0),
            Ring::Person(person) => (proto::Rings::Person, person.value(), 0),
            Ring::Role(role) => (proto::Rings::Role, 0, role.value()),
        };
        proto::EscalationStep { rings: ring.into(), person, wait: self.wait_s.into(), role }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_bounded_and_rings_for_nobody_twice() {
        let person = |id| Ring::Person(PersonId::new(id).unwrap());
        let new = |first, later: &[(Ring, u32)]| EscalationPolicy::new(first, later, Dial::default());
        assert_eq!(new(60, &[]).unwrap().steps().len(), 1);
        assert_eq!(
            EscalationPolicy::standard(),
            new(60, &[(Ring::ChargeNurses, 60), (Ring::UnitStaff, 120)]).unwrap()
        );
        for wait in [0, 14, 3_601, u32::MAX] {
            assert_eq!(new(wait, &[]), Err(Refusal::StepWait), "{wait}");
            assert_eq!(new(60, &[(Ring::UnitStaff, wait)]), Err(Refusal::StepWait), "{wait}");
        }
        assert_eq!(new(60, &[(Ring::Addressees, 60)]), Err(Refusal::StepTwice));
        assert_eq!(new(60, &[(person(1), 60), (person(2), 60), (person(1), 60)]), Err(Refusal::StepTwice));
        let many: Vec<_> = (1..=8).map(|id| (person(id), 60)).collect();
        assert!(new(60, &many[..7]).is_ok());
        assert_eq!(new(60, &many), Err(Refusal::Limit));
    }

    #[test]
    fn what_was_kept_before_urgent_messages_waited_reads_as_the_standard() {
        let old = EscalationPolicy::standard();
        let bytes = old.to_bytes();
        // An array of two: as releases before this wrote it.
        assert_eq!(bytes.first(), Some(&0x82));
        assert_eq!(EscalationPolicy::from_bytes(&bytes).unwrap(), old);
        assert_eq!(old.urgent_wait_ms(), Some(300_000));
        for (wait, ms) in [(0, None), (60, Some(60_000)), (3_600, Some(3_600_000))] {
            let set = old.clone().with_urgent_wait(wait).unwrap();
            assert_eq!(EscalationPolicy::from_bytes(&set.to_bytes()).unwrap().urgent_wait_ms(), ms);
        }
        for wait in [1, 59, 3_601, u32::MAX] {
            assert_eq!(old.clone().with_urgent_wait(wait), Err(Refusal::StepWait), "{wait}");
        }
    }

    #[test]
    fn a_number_is_one_that_can_be_dialled() {
        for good in ["", "4410", "+49 (30) 901-0", "5551234 x12", "*7#"] {
            assert!(Dial::parse(good).is_ok(), "{good}");
        }
        for bad in ["Ana", "44\n10", "44١0", "+-", "x"] {
            assert_eq!(Dial::parse(bad), Err(Refusal::Invalid), "{bad:?}");
        }
        assert_eq!(Dial::parse(&"1".repeat(33)), Err(Refusal::TooLarge));
        assert_eq!(Dial::parse(" 4410 ").unwrap().reveal(), "4410");
    }
}
