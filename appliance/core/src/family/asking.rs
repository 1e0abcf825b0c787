//! Somebody at a bed asks to be let in: with the code that hangs there, a name, a key and a PIN. It opens nothing.
//!
//! A visitor cannot flood a nurse: of one stay [`limits::VISITS_WAITING_MAX`] wait at a time, and the code of one bed is good for
//! [`limits::VISITS_ASKED`] however many phones have it. Codes are guessed within the budgets of join codes
//! ([`crate::relay`]), by address and in all.

use std::collections::BTreeMap;

use crate::access::Permit;
use crate::audit::{Act, Actor};
use crate::bucket::Bucket;
use crate::family::ending::{forget, tell};
use crate::family::{VisitRequest, is_visitor, pin_of};
use crate::ids::{Conn, DeviceId, EncounterId, RequestId};
use crate::input::Fresh;
use crate::limits;
use crate::notice::Told;
use crate::pin::PinMac;
use crate::refusal::{CloseCode, Refusal};
use crate::relay::{Relay, Room};
use crate::session::{Draw, Identified, ProvenVisit, Session, VisitUnderCheck};
use crate::time::{Mono, Now};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// How much of a bed's code is spent. One that is full again is not in here, nor one of a stay that is over.
#[derive(Default)]
pub(crate) struct Asked(BTreeMap<EncounterId, Bucket>);

impl Asked {
    fn spend(&mut self, now: Mono, encounter: EncounterId) -> Result<(), u64> {
        self.0.retain(|_, bucket| !bucket.is_full(now));
        self.0.entry(encounter).or_insert_with(|| Bucket::full(limits::VISITS_ASKED, now)).take(now)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Relay {
    pub(crate) fn ask_to_visit(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        proven: ProvenVisit,
        fresh: &Fresh,
    ) {
        if !self.expects_proof(now, turn, conn) {
            return;
        }
        // Before the code is looked at, as of a join: an answer was lost, and meanwhile somebody let them in.
        if let Some(device) = self.state.device_with(&proven.key) {
            let outcome = match Identified::visiting(&proven, device) {
                // By `Prove`, whoever has a secret to present.
                Some(who) if is_visitor(&self.state, device.person) && device.login.is_none() => Ok(who),
                _ => Err(Refusal::Invalid),
            };
            return match outcome {
                Ok(who) => self.join_again(now, turn, conn, request, who),
                Err(refusal) => self.turn_away(turn, conn, request, refusal),
            };
        }
        let checked = self.spend_guess(now, conn).and_then(|()| self.visit_checked(now, &proven));
        let checked = checked.and_then(|encounter| {
            let spent = self.visits_asked.spend(now.mono, encounter);
            spent.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })
        });
        if let Err(refusal) = checked {
            return self.turn_away(turn, conn, request, refusal);
        }
        let draw = Draw::new(fresh);
        let mut device = DeviceId::from_random(draw.identifier());
        while self.state.is_device(device) {
            device = device.following();
        }
        let device = self.waiting_with(&proven).map_or(device, |known| known.device);
        let salt = draw.salt();
        let person = pin_of(device);
        turn.sends.push(Send::StretchPin { conn, person, device, salt });
        let check = VisitUnderCheck { request, proven, device, salt };
        self.enter(conn, Session::VisitUnderCheck(Box::new(check)));
    }

    /// The request that this key made before.
    fn waiting_with(&self, proven: &ProvenVisit) -> Option<&VisitRequest> {
        self.state.family.requests.values().find(|request| request.key == proven.key)
    }

    /// The stay that the code is for, where somebody may ask.
    fn visit_checked(&self, now: Now, proven: &ProvenVisit) -> Result<EncounterId, Refusal> {
        let family = &self.state.family;
        // A clock that stepped back must not lengthen a code's life by more than NTP corrects.
        let longest = limits::BEDSIDE_CODE_MS + limits::CLOCK_STEP_MAX_MS;
        let found = family.codes.iter().find(|(_, code)| code.hash == proven.code);
        let lives =
            found.filter(|(_, code)| now.wall < code.expires && code.expires <= now.wall.after(longest));
        let (encounter, _) = lives.ok_or(Refusal::BedsideCodeInvalid)?;
        if self.room() == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        match self.waiting_with(proven) {
            Some(before) if before.declined => return Err(Refusal::FamilyDeclined),
            // Of another bed: that is another visit.
            Some(before) if before.encounter != *encounter => return Err(Refusal::FamilyWaiting),
            Some(_) => return Ok(*encounter),
            None => {}
        }
        let waiting = family.requests_of(*encounter).filter(|request| !request.declined).count();
        if waiting >= limits::VISITS_WAITING_MAX || family.requests.len() >= limits::VISIT_REQUESTS_MAX {
            return Err(Refusal::FamilyBusy);
        }
        Ok(*encounter)
    }

    pub(crate) fn visit_asked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        check: Box<VisitUnderCheck>,
        mac: Option<PinMac>,
    ) {
        let VisitUnderCheck { request, proven, device, salt } = *check;
        // The code may have ended, or somebody have let this very key in, while the keeper was busy.
        let outcome = mac.ok_or(Refusal::Unavailable).and_then(|pin| {
            if self.state.device_with(&proven.key).is_some() {
                return Err(Refusal::Unavailable);
            }
            let encounter = self.visit_checked(now, &proven)?;
            let known = self.waiting_with(&proven);
            let free = known.map_or(!self.state.is_device(device), |known| known.device == device);
            if free { Ok((encounter, pin)) } else { Err(Refusal::Unavailable) }
        });
        self.enter(conn, Session::ExpectProof(None));
        let (encounter, pin) = match outcome {
            Ok(asked) => asked,
            Err(refusal) => return self.turn_away(turn, conn, request, refusal),
        };
        // What the team may be looking at does not change under their eyes; the PIN is the visitor's own.
        let known = self.waiting_with(&proven).cloned();
        let (at, until) = (now.wall, now.wall.after(limits::VISIT_REQUEST_MS));
        let is_new = known.is_none();
        let asked = match known {
            Some(known) => VisitRequest { salt, pin, ..known },
            None => VisitRequest {
                device,
                encounter,
                name: proven.name,
                relation: proven.relation,
                device_name: proven.device_name,
                key: proven.key,
                salt,
                pin,
                at,
                until,
                declined: false,
            },
        };
        let until = asked.until;
        let mut draft = self.draft(now, turn);
        if is_new {
            let declined = draft.state.family.requests_of(encounter).filter(|request| request.declined);
            let mut declined: Vec<_> = declined.map(|request| (request.at, request.device)).collect();
            declined.sort_unstable();
            if declined.len() >= limits::VISITS_DECLINED_KEPT {
                forget(&mut draft, Permit::OF_TIME, declined[0].1);
            }
        }
        draft.write(Write::VisitAsked(asked));
        draft.record(Actor::Unproven, Act::VisitAsked(device, encounter));
        if is_new {
            tell(&mut draft, Actor::Unproven, encounter, Told::FamilyAsked);
        }
        let body = Body::VisitAsked(proto::VisitAsked { device: device.value(), until: until.0 });
        turn.sends.push(Send::Reply { conn, request, body });
        self.close(turn, conn, CloseCode::DONE);
    }
}
