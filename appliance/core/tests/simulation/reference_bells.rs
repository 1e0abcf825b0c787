//! The reference's rules for bells: who is called, who has the app open, and whose closed app is rung for it.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId};
use wardline_core::time::{Mono, Now};
use wardline_core::wire::proto::{RefusalCode as Code, client_frame::Body};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_stat::Stands;

/// Somebody who was called, and was not rung for it yet.
#[derive(Clone)]
pub(crate) struct Called {
    pub(crate) person: PersonId,
    pub(crate) place: ConversationId,
    pub(crate) sequence: u64,
    /// By an urgent message: until when.
    pub(crate) urgent: Option<Mono>,
    /// By an earlier turn.
    pub(crate) before: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// Rung at once, or later.
    Rung {
        later: bool,
    },
    /// It calls them no more.
    Answered,
    /// The phone rings already.
    RingsAlready,
    /// They have none.
    NoBell,
    Silent,
}

impl Reference {
    fn has_bell(&self, person: PersonId) -> bool {
        self.bells_of(person).next().is_some()
    }

    fn bells_of(&self, person: PersonId) -> impl Iterator<Item = DeviceId> {
        let is_theirs =
            move |device: &DeviceId| self.ward.device(*device).is_some_and(|device| device.person == person);
        self.ward.bells.iter().map(|(device, _)| *device).filter(is_theirs)
    }

    /// A step rings for everybody whom it calls.
    pub(crate) fn bells_of_step(&mut self, id: (ConversationId, u64)) {
        let Some(stat) = self.stat(id) else { return };
        let called = stat.called.iter().filter(|called| !called.cannot).map(|called| called.person);
        for person in called.collect::<Vec<_>>() {
            self.bell_called(person, id, None);
        }
    }

    pub(crate) fn bell_called(
        &mut self,
        person: PersonId,
        (place, sequence): (ConversationId, u64),
        urgent: Option<Mono>,
    ) {
        let is_held = self.stat((place, sequence)).is_some_and(|stat| stat.stands != Stands::Ringing);
        if !self.has_bell(person) || urgent.is_none() && is_held {
            return;
        }
        self.lobby.bells_due.retain(|due| (due.person, due.place, due.sequence) != (person, place, sequence));
        self.lobby.bells_due.push(Called { person, place, sequence, urgent, before: false });
        self.calls.push(person);
    }

    /// An urgent message was said.
    pub(crate) fn bells_of_urgent(&mut self, now: Now, me: PersonId, id: (ConversationId, u64)) {
        let Some(place) = self.ward.conversation(id.0) else { return };
        let others = place.members.iter().filter(|member| !member.left && member.person != me);
        for person in others.map(|member| member.person).collect::<Vec<_>>() {
            self.bell_called(person, id, Some(now.mono.after(60_000)));
        }
    }

    /// At the end of a turn: who is away is rung, or not, once for each call; the others may go away later.
    pub(crate) fn bells_ring(&mut self, now: Now) -> (Vec<DeviceId>, Vec<Outcome>) {
        let stands = |device: &DeviceId| {
            self.ward.device(*device).is_some_and(|device| {
                !device.revoked && self.ward.person(device.person).is_some_and(|person| !person.suspended)
            })
        };
        let bells: Vec<_> = self.ward.bells.iter().filter(|(device, _)| stands(device)).cloned().collect();
        self.ward.bells = bells;
        let (mut rung, mut outcomes) = (Vec::new(), Vec::new());
        for mut due in std::mem::take(&mut self.lobby.bells_due) {
            if !self.lobby.bell_rings || self.can_be_reached(now, due.person) {
                due.before = true;
                self.lobby.bells_due.push(due);
                continue;
            }
            let (devices, outcome) = self.bell_outcome(now, &due);
            for device in devices {
                self.lobby.belled.retain(|(other, _)| *other != device);
                self.lobby.belled.push((device, now.mono));
                rung.push(device);
            }
            outcomes.push(outcome);
        }
        (rung, outcomes)
    }

    fn bell_outcome(&self, now: Now, due: &Called) -> (Vec<DeviceId>, Outcome) {
        let calls = match due.urgent {
            None => self
                .stat((due.place, due.sequence))
                .is_some_and(|stat| stat.stands == Stands::Ringing && stat.rings_for(due.person)),
            Some(until) => {
                let member = self.ward.member(due.place, due.person);
                let purged = self.ward.conversation(due.place).is_none_or(|place| place.purged);
                now.mono < until && !purged && member.is_some_and(|member| member.read < due.sequence)
            }
        };
        if !calls {
            return (Vec::new(), Outcome::Answered);
        }
        if due.urgent.is_some() && self.ward.said(due.person).is_silent(now.wall) {
            return (Vec::new(), Outcome::Silent);
        }
        if !self.has_bell(due.person) {
            return (Vec::new(), Outcome::NoBell);
        }
        let apart = if due.urgent.is_some() { 60_000 } else { 15_000 };
        let just_now = |device: &DeviceId| {
            self.lobby.belled.iter().any(|(other, at)| other == device && now.mono < at.after(apart))
        };
        let devices: Vec<DeviceId> = self.bells_of(due.person).filter(|device| !just_now(device)).collect();
        let outcome =
            if devices.is_empty() { Outcome::RingsAlready } else { Outcome::Rung { later: due.before } };
        (devices, outcome)
    }

    /// What somebody asks for their own device.
    pub(crate) fn bell(&mut self, device: DeviceId, me: PersonId, body: &Body) -> Expected {
        let had = self.ward.bells.iter().any(|(other, _)| *other == device);
        let act = match body {
            Body::SetBell(_) if !self.ward.bells_on => return Expected::refused(Code::BellOff),
            Body::SetBell(_) if !self.lobby.bell_rings => return Expected::refused(Code::BellNone),
            Body::SetBell(set) => {
                // One browser is one person's.
                self.ward.bells.retain(|(other, of)| *other != device && *of != set.endpoint);
                self.ward.bells.push((device, set.endpoint.clone()));
                (!had).then_some(Act::BellSet(me, device))
            }
            Body::ClearBell(_) => {
                self.ward.bells.retain(|(other, _)| *other != device);
                had.then_some(Act::BellCleared(me, device))
            }
            _ => None,
        };
        let set = self.ward.bells.iter().any(|(other, _)| *other == device);
        let mut expected = Expected::answered(Answer::Bell(self.ward.bells_on, self.lobby.bell_rings, set));
        expected.audits.extend(act.map(|act| (self.actor(device), act)));
        expected
    }

    pub(crate) fn set_bell_policy(&mut self, by: Actor, on: bool) -> Expected {
        let mut expected = Expected::answered(Answer::Done);
        if self.ward.bells_on != on {
            self.ward.bells_on = on;
            expected.audits.push((by, Act::BellPolicySet(u32::from(on))));
        }
        if !on {
            self.ward.bells.clear();
        }
        expected
    }

    /// A push service says that it rings nothing any more.
    pub(crate) fn bell_gone(&mut self, device: DeviceId, endpoint: &str) -> bool {
        let before = self.ward.bells.len();
        self.ward.bells.retain(|(other, of)| (*other, of.as_str()) != (device, endpoint));
        self.ward.bells.len() < before
    }
}
