//! Bells: who turns them on, what push services say, and that a closed app rings for whoever is called and for nobody else.

use std::collections::BTreeMap;

use wardline_core::bell::{Bell, BellNews};
use wardline_core::ids::{DeviceId, RequestId};
use wardline_core::input::Input;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Said};
use crate::reference_bells::Outcome;
use crate::world::{Arrival, World};

/// The process that rings, and what push services have for it.
#[derive(Default)]
pub(crate) struct BellTower {
    /// In this house bells are rung.
    pub(crate) used: bool,
    /// What a push service has taken for gone, and has not said yet.
    gone: Vec<(DeviceId, Box<Bell>)>,
    /// How often each device was rung.
    rung: BTreeMap<DeviceId, usize>,
}

/// Of the box, and of every browser.
const KEY: [u8; 65] = [4; 65];
const AUTH: [u8; 16] = [5; 16];

impl BellTower {
    pub(crate) fn new(used: bool) -> Self {
        Self { used, ..Self::default() }
    }
}

impl World {
    /// The process is there, with the box or a little later.
    pub(crate) fn bell_comes(&mut self) {
        if self.bells.used {
            self.waiting.push_back((self.local, Arrival::Bell(BellNews::Key(Some(KEY)))));
        }
    }

    pub(crate) fn settle_bells(&mut self) {
        if self.bells.used {
            self.bell_comes();
            self.local_ask(Ask::SetBellPolicy(proto::SetBellPolicy { on: true }));
        }
    }

    /// Whoever has none turns theirs on; now and then somebody turns it off, or has another.
    pub(crate) fn about_bells(&mut self, index: usize) -> bool {
        let Some(device) = self.clients[index].device.filter(|_| self.bells.used) else { return false };
        let has = self.reference.ward.bells.iter().any(|(other, _)| *other == device);
        // A browser that renews its address does so while the old one is not known to be gone.
        let is_renewed = has && self.bells.gone.iter().any(|(other, _)| *other == device);
        let chance = match (has, is_renewed) {
            (false, _) => 400,
            (true, true) => 150,
            (true, false) => 12,
        };
        if !self.random.permille(chance) {
            return false;
        }
        let ask = match self.random.below(20) {
            0 => Ask::AskBell(proto::AskBell {}),
            1 => Ask::SetBellPolicy(proto::SetBellPolicy { on: true }),
            2..5 => Ask::ClearBell(proto::ClearBell {}),
            dice => {
                // A browser that was somebody else's; the same anew; or its second address.
                let of = if dice < 7 { self.random.index(self.clients.len()) } else { index };
                let time = self.random.below(2);
                let endpoint = format!("https://push.example/browser-{of}/{time}");
                Ask::SetBell(proto::SetBell { endpoint, p256dh: KEY.to_vec(), auth: AUTH.to_vec() })
            }
        };
        self.clients[index].ask(ask);
        true
    }

    /// The facility changes its mind, the process comes and goes, a push service says at last what it has found.
    pub(crate) fn bells_turn(&mut self) {
        if !self.bells.used || !self.random.permille(30) {
            return;
        }
        match self.random.below(40) {
            0 => self.local_ask(Ask::SetBellPolicy(proto::SetBellPolicy { on: false })),
            1..14 if !self.reference.ward.bells_on => {
                self.local_ask(Ask::SetBellPolicy(proto::SetBellPolicy { on: true }));
            }
            14 => self.waiting.push_back((self.local, Arrival::Bell(BellNews::Key(None)))),
            15..25 if !self.reference.lobby.bell_rings => self.bell_comes(),
            _ => {
                if let Some((device, bell)) = self.bells.gone.pop() {
                    self.waiting.push_back((self.local, Arrival::Bell(BellNews::Gone { device, bell })));
                }
            }
        }
    }

    pub(crate) fn take_bell_news(&mut self, news: BellNews) -> Result<Turn, String> {
        let gone = match &news {
            BellNews::Key(key) => {
                self.reference.lobby.bell_rings = key.is_some();
                None
            }
            BellNews::Gone { device, bell } => Some(self.reference.bell_gone(*device, bell.endpoint())),
        };
        match gone {
            Some(true) => self.coverage.reach(Situation::BellGone),
            Some(false) => self.coverage.reach(Situation::BellSetMeanwhile),
            None => {}
        }
        let local = self.local;
        self.decide(Input::Bell(news), local, RequestId::NONE, |_, _| Ok(Expected::default()))
    }

    /// A push service is asked; sometimes the browser is not there any more, which is said now or later.
    pub(crate) fn push(&mut self, device: DeviceId, bell: Box<Bell>) {
        match self.random.below(100) {
            0..5 => self.waiting.push_back((self.local, Arrival::Bell(BellNews::Gone { device, bell }))),
            5..15 => self.bells.gone.push((device, bell)),
            _ => {}
        }
    }

    /// Exactly those are rung who are called and have no app open, on what is theirs now; and no more often than they were called.
    pub(crate) fn verify_bells(&mut self, turn: &Turn, by_time: bool) -> Result<(), String> {
        let (mut wanted, outcomes) = self.reference.bells_ring(self.now);
        let mut found = Vec::new();
        for send in &turn.sends {
            // Nothing else is in it: neither who, nor what, nor why.
            let Send::RingBell { device, bell } = send else { continue };
            let of = self.reference.ward.bells.iter().find(|(other, _)| other == device);
            let Some((_, endpoint)) = of else { return Err(format!("{device} is rung and has no bell")) };
            let kept = Bell::parse(endpoint.clone(), &KEY, &AUTH).map_err(|refusal| refusal.to_string())?;
            if **bell != kept {
                return Err(format!("{device} is rung where it is not"));
            }
            let person = self.reference.ward.device(*device).map(|device| device.person).ok_or("nobody's")?;
            let is_out = self.reference.ward.person(person).is_none_or(|person| person.suspended);
            if is_out || !self.reference.ward.bells_on || self.reference.can_be_reached(self.now, person) {
                return Err(format!("{device} is rung, and must not be"));
            }
            let times = self.bells.rung.entry(*device).or_default();
            *times += 1;
            if *times > self.reference.calls.iter().filter(|called| **called == person).count() {
                return Err(format!("{device} is rung more often than its person is called"));
            }
            found.push(*device);
        }
        wanted.sort_unstable();
        found.sort_unstable();
        if found != wanted {
            return Err(format!("bells ring of {found:?}, not of {wanted:?}"));
        }
        let load = self.relay.load();
        if load.owed > self.reference.lobby.bells_due.len() {
            return Err(format!("{} rings are owed", load.owed));
        }
        for outcome in outcomes {
            self.coverage.reach(match outcome {
                Outcome::Rung { later: false } => Situation::BellRung,
                Outcome::Rung { later: true } if by_time => Situation::BellRungWhenUnheard,
                Outcome::Rung { later: true } => Situation::BellRungWhenPutAway,
                Outcome::Answered => Situation::BellNotRungAsAnswered,
                Outcome::RingsAlready => Situation::BellRingsAlready,
                Outcome::NoBell => Situation::BellGoneBeforeItRang,
                Outcome::Silent => Situation::BellNotRungAsSilent,
            });
        }
        Ok(())
    }

    pub(crate) fn cover_bells(&mut self, body: &Ask, expected: &Expected, had: usize) {
        let has = self.reference.ward.bells.len();
        let changed = !expected.audits.is_empty();
        let situation = match (body, expected.answer) {
            (Ask::SetBell(_), Some(Answer::Bell(..))) if changed && has == had => Situation::BellOfAnother,
            (Ask::SetBell(_), Some(Answer::Bell(..))) if changed => Situation::BellSet,
            (Ask::SetBell(_), Some(Answer::Bell(..))) => Situation::BellSetAgain,
            (Ask::SetBell(_), Some(Answer::Refused(Said(Code::BellOff)))) => Situation::BellOff,
            (Ask::SetBell(_), Some(Answer::Refused(Said(Code::BellNone)))) => Situation::BellNone,
            (Ask::ClearBell(_), Some(Answer::Bell(..))) if changed => Situation::BellCleared,
            (Ask::SetBellPolicy(set), Some(Answer::Done)) if changed => {
                if set.on {
                    Situation::BellsTurnedOn
                } else {
                    Situation::BellsTurnedOff
                }
            }
            (Ask::SetBellPolicy(_), Some(Answer::Refused(Said(Code::NotAdministrator)))) => {
                Situation::BellPolicyRefused
            }
            (Ask::RevokeDevice(_), Some(Answer::Done)) if has < had => Situation::BellRevoked,
            (Ask::SetStanding(_) | Ask::Suspend(_), Some(_)) if has < had => Situation::BellSuspended,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    pub(crate) fn compare_bells(&self) -> Result<(), String> {
        let (kept, ward) = (&self.relay.state().bells, &self.reference.ward);
        let of: Vec<(DeviceId, &str)> =
            kept.of.iter().map(|(device, bell)| (*device, bell.endpoint())).collect();
        let mut wanted: Vec<(DeviceId, &str)> =
            ward.bells.iter().map(|(device, endpoint)| (*device, endpoint.as_str())).collect();
        wanted.sort_unstable();
        if (kept.on, of) == (ward.bells_on, wanted) { Ok(()) } else { Err("others have bells".to_owned()) }
    }
}
