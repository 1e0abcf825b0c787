//! The reference's rules for hand-overs: what is offered, what becomes of it, and what rings for a role that passes.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{OfferId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Reference};
use crate::reference_patients::Term;
use crate::reference_roles::{Role, Taken, digest};
use crate::reference_stat::{Stands, Stat, Whom};

const HOUR: i64 = 3_600_000;

#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) id: OfferId,
    pub(crate) place: u32,
    pub(crate) giver: PersonId,
    pub(crate) taker: PersonId,
    from: Wall,
    until: Wall,
    pub(crate) made: Wall,
    pub(crate) expires: Wall,
}

/// Which act is recorded of an offer.
type Recorded = fn(RoleId, PersonId, PersonId, u32) -> Act;

impl Role {
    /// From this minute on to the first at which somebody else has the place, as far as `most`.
    fn held_until(&self, place: u32, who: PersonId, now: Wall, most: Wall) -> Wall {
        let mut at = self.by_hand(place, now).map_or(now, |taken| taken.end);
        while at < most && self.by_rota(place, at) == Some(who) {
            at = Wall(at.0 - at.0.rem_euclid(60_000) + 60_000);
        }
        at.min(most)
    }
}

impl Reference {
    pub(crate) fn offers(&mut self, now: Now, by: Actor, body: &Body, chosen: Option<OfferId>) -> Expected {
        let me = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        match body {
            Body::OfferRole(offer) => self.offer(now, (by, me), offer, chosen),
            Body::AnswerOffer(answer) => self.answer_offer(now, (by, me), answer),
            Body::ListOffers(_) => {
                let Some(me) = me else { return Expected::refused(Code::NotPermitted) };
                let mine = |role: &&Role, offer: &&Offer| {
                    [offer.giver, offer.taker].contains(&me) || self.ward.post(me, role.unit) == Some(true)
                };
                let roles = self.ward.roles.iter();
                let all = roles.flat_map(|role| role.offers.iter().map(move |offer| (role, offer)));
                let mut ids: Vec<u64> = all
                    .filter(|(role, offer)| mine(role, offer))
                    .map(|(_, offer)| offer.id.value())
                    .collect();
                ids.sort_unstable();
                Expected::answered(Answer::Offers(digest(ids.iter().map(|id| (*id, &[][..])))))
            }
            _ => Expected::default(),
        }
    }

    fn may_be_given(&self, who: PersonId, unit: UnitId) -> Result<(), Code> {
        if !self.ward.may_hold(who) {
            return Err(Code::NoSuchPerson);
        }
        self.ward.post(who, unit).map(|_| ()).ok_or(Code::NotStaffOfUnit)
    }

    fn offer(
        &mut self,
        now: Now,
        (by, me): (Actor, Option<PersonId>),
        asked: &proto::OfferRole,
        chosen: Option<OfferId>,
    ) -> Expected {
        let role = match self.ward.role_in_use(asked.role) {
            Ok(role) => role,
            Err(code) => return Expected::refused(code),
        };
        let place = asked.place;
        let giver = role.at(place, now.wall).filter(|who| self.ward.may_hold(*who));
        if !(me.is_some() && giver == me) && self.post_of(me, role.unit) != Some(true) {
            return Expected::refused(Code::NotPermitted);
        }
        let Some(giver) = giver else { return Expected::refused(Code::PlaceUnheld) };
        let taker = PersonId::new(asked.person).expect("parsed before");
        if let Err(code) = self.may_be_given(taker, role.unit) {
            return Expected::refused(code);
        }
        if taker == giver {
            return Expected::refused(Code::OfferToHolder);
        }
        let (from, until) = (Wall(asked.from.max(now.wall.0)), Wall(asked.until));
        let held = role.held_until(place, giver, now.wall, Wall(now.wall.0 + 16 * HOUR));
        if from >= held || until <= from || until.0 > from.0 + 16 * HOUR {
            return Expected::refused(Code::OfferTime);
        }
        if self.outlasts(taker, asked.until) {
            return Expected::refused(Code::BeyondAgencyEnd);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let Some(id) = chosen else { return Expected::answered(Answer::RoleOffered) };
        let expires = until.min(held).min(Wall(from.0 + 2 * HOUR));
        let offer = Offer { id, place, giver, taker, from, until, made: now.wall, expires };
        let mut expected = Expected::answered(Answer::RoleOffered);
        expected.audits.push((by, Act::RoleOffered(role.id, giver, taker, place)));
        self.end_offers(
            by,
            Act::RoleOfferSuperseded,
            |of, offer| of == role.id && offer.place == place,
            &mut expected,
        );
        if let Some(role) = self.ward.roles.iter_mut().find(|known| known.id == role.id) {
            role.offers.push(offer);
        }
        let rest = expires.0 - now.wall.0;
        self.lobby.terms.push((Term::Offer(id), now.mono.after(rest.unsigned_abs())));
        expected
    }

    fn answer_offer(
        &mut self,
        now: Now,
        (by, me): (Actor, Option<PersonId>),
        answer: &proto::AnswerOffer,
    ) -> Expected {
        let id = OfferId::new(answer.offer).expect("parsed before");
        let roles = self.ward.roles.iter();
        let mut all = roles.flat_map(|role| role.offers.iter().map(move |offer| (role, offer)));
        let Some((role, offer)) =
            all.find(|(_, offer)| offer.id == id).map(|(role, offer)| (role.clone(), *offer))
        else {
            return Expected::refused(Code::NoSuchOffer);
        };
        let withdraws = answer.answer() == proto::OfferAnswer::Withdraw;
        let may = if withdraws {
            me == Some(offer.giver) || self.post_of(me, role.unit) == Some(true)
        } else {
            me == Some(offer.taker)
        };
        if !may {
            return Expected::refused(Code::NotPermitted);
        }
        let mut expected = Expected::answered(Answer::RoleSet);
        match answer.answer() {
            proto::OfferAnswer::Accept => {
                if now.wall >= offer.expires || role.at(offer.place, now.wall) != Some(offer.giver) {
                    return Expected::refused(Code::NoSuchOffer);
                }
                if now.wall < offer.from {
                    return Expected::refused(Code::OfferEarly);
                }
                if let Err(code) = self.may_be_given(offer.taker, role.unit) {
                    return Expected::refused(code);
                }
                if self.lobby.disk_scarce {
                    return Expected::refused(Code::DiskLow);
                }
                self.end_offers(by, Act::RoleHandedOver, |_, other| other.id == id, &mut expected);
                let Some(passed) = self.ward.roles.iter_mut().find(|known| known.id == role.id) else {
                    return expected;
                };
                let mut by_hand = passed.pruned(now.wall);
                by_hand.retain(|taken| taken.place != offer.place);
                by_hand.push(Taken { place: offer.place, who: offer.taker, end: offer.until });
                passed.taken(by_hand, now.wall);
                self.offers_lapse(now, by, role.id, &mut expected);
                self.stats_pass(now, role.id, (offer.giver, offer.taker), &mut expected);
            }
            proto::OfferAnswer::Decline => {
                self.end_offers(by, Act::RoleOfferDeclined, |_, other| other.id == id, &mut expected);
            }
            _ => self.end_offers(by, Act::RoleOfferWithdrawn, |_, other| other.id == id, &mut expected),
        }
        expected
    }

    pub(crate) fn end_offers(
        &mut self,
        by: Actor,
        act: Recorded,
        which: impl Fn(RoleId, &Offer) -> bool,
        expected: &mut Expected,
    ) {
        for role in &mut self.ward.roles {
            let id = role.id;
            for offer in role.offers.iter().filter(|offer| which(id, offer)) {
                expected.audits.push((by, act(id, offer.giver, offer.taker, offer.place)));
                self.lobby.terms.retain(|(term, _)| *term != Term::Offer(offer.id));
            }
            role.offers.retain(|offer| !which(id, offer));
        }
    }

    /// Who holds the role has changed: what its giver does not hold any more is offered no more.
    pub(crate) fn offers_lapse(&mut self, now: Now, by: Actor, role: RoleId, expected: &mut Expected) {
        let Some(known) = self.ward.role(role).cloned() else { return };
        let lapsed =
            |of: RoleId, offer: &Offer| of == role && known.at(offer.place, now.wall) != Some(offer.giver);
        self.end_offers(by, Act::RoleOfferSuperseded, lapsed, expected);
    }

    /// Somebody is out.
    pub(crate) fn end_offers_of(
        &mut self,
        by: Actor,
        who: PersonId,
        unit: Option<UnitId>,
        expected: &mut Expected,
    ) {
        let of_unit: Vec<RoleId> = self
            .ward
            .roles
            .iter()
            .filter(|role| unit.is_none_or(|unit| role.unit == unit))
            .map(|role| role.id)
            .collect();
        let theirs = |role: RoleId, offer: &Offer| {
            of_unit.contains(&role) && (offer.giver == who || offer.taker == who)
        };
        self.end_offers(by, Act::RoleOfferEnded, theirs, expected);
    }

    /// The box ended one: it was due.
    pub(crate) fn offer_expires(
        &mut self,
        now: Now,
        by_steady: bool,
        id: OfferId,
        expected: &mut Expected,
    ) -> Result<Situation, String> {
        let mut all = self.ward.roles.iter().flat_map(|role| &role.offers);
        let offer = *all.find(|offer| offer.id == id).ok_or("an offer of nobody")?;
        if !by_steady && now.wall < offer.expires {
            return Err("an offer ended too early".to_owned());
        }
        self.end_offers(Actor::TheBox, Act::RoleOfferExpired, |_, other| other.id == id, expected);
        Ok(Situation::OfferExpired)
    }

    /// What waits for somebody's answer.
    pub(crate) fn offered_to(&self, who: PersonId) -> Vec<u64> {
        let all = self.ward.roles.iter().flat_map(|role| &role.offers);
        let mut ids: Vec<u64> =
            all.filter(|offer| offer.taker == who).map(|offer| offer.id.value()).collect();
        ids.sort_unstable();
        ids
    }

    /// What rings for the role rings for the new holder, and not for the old one if for nothing else.
    fn stats_pass(
        &mut self,
        now: Now,
        role: RoleId,
        (giver, taker): (PersonId, PersonId),
        expected: &mut Expected,
    ) {
        let rings = |stat: &&Stat| stat.unanswered() && has_come_to(stat, role);
        let mut ids: Vec<_> = self.ward.stats.iter().filter(rings).map(Stat::id).collect();
        ids.sort_unstable();
        let holds =
            self.ward.role(role).is_some_and(|role| self.ward.holders(role, now.wall).contains(&giver));
        for id in ids {
            let Some(stat) = self.stat(id).cloned() else { continue };
            let coming = matches!(stat.stands, Stands::Held(by, _) if by == giver);
            let off = !coming && !holds && self.is_called_by_role(now, &stat, role, giver);
            let of_taker = stat.called.iter().find(|called| called.person == taker);
            let said_no = of_taker.is_some_and(|called| called.cannot && !called.out);
            let on = taker != stat.sender && !stat.rings_for(taker) && !said_no;
            if !on && !off {
                continue;
            }
            expected.audits.push((Actor::TheBox, Act::StatPassed(id.0, Sequence(id.1), giver, taker)));
            let Some(stat) = self.stat_mut(id) else { continue };
            if on {
                let called = stat.call(taker);
                (called.cannot, called.out) = (false, false);
            }
            if off {
                let called = stat.call(giver);
                (called.cannot, called.out) = (true, true);
            }
            let is_over = !stat.left_at_this_step() && stat.step < stat.ladder.len();
            let is_over = is_over && stat.stands == Stands::Ringing;
            if on {
                self.bell_called(taker, id, None);
            }
            if is_over {
                self.stat_steps(now, id, expected);
            }
        }
    }

    pub(crate) fn is_called_by_role(&self, now: Now, stat: &Stat, role: RoleId, who: PersonId) -> bool {
        let called =
            stat.called.iter().any(|called| called.person == who && !called.cannot && called.step > 0);
        let of_patient = self.ward.conversation(stat.place).is_some_and(|place| place.of_patient);
        let cares = of_patient && self.ward.member(stat.place, who).is_some();
        let others = stat.ladder.iter().take(stat.step + 1).filter(|(whom, _)| *whom != Whom::OnCall(role));
        let mut others = others.map(|(whom, _)| self.called_by(now, stat, *whom));
        called && has_come_to(stat, role) && !cares && !others.any(|people| people.contains(&who))
    }
}

pub(crate) fn has_come_to(stat: &Stat, role: RoleId) -> bool {
    stat.ladder.iter().take(stat.step + 1).any(|(whom, _)| *whom == Whom::OnCall(role))
}
