//! Roles: what people do with them by chance, and what came of it.

use wardline_core::audit::{Act, Actor};
use wardline_core::directory::Post;
use wardline_core::ids::{PersonId, RoleId};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::World;

/// Roles of a house at most.
const ROLES: usize = 3;
const WEEK: u32 = 7 * 24 * 60;

impl World {
    /// `asker`: mostly about a role of a unit of theirs.
    pub(crate) fn some_role_ask(&mut self, asker: Option<PersonId>) -> Option<Ask> {
        // Mostly such as are in use.
        let all = self.random.permille(100);
        let roles = self.store.state.roles.values().filter(|role| all || !role.retired);
        let roles: Vec<u64> = roles.map(|role| role.id.value()).collect();
        if let Some(ask) = asker.and_then(|me| self.some_hand_over(me)) {
            return Some(ask);
        }
        let asked_by_person = asker.is_some();
        let asker = asker.and_then(|asker| self.store.state.people.get(&asker));
        // Who works nowhere would be refused everything.
        if asked_by_person && asker.is_none_or(|who| who.posts.is_empty()) && self.random.permille(900) {
            return None;
        }
        let of_theirs = self
            .store
            .state
            .roles
            .values()
            .filter(|role| asker.is_some_and(|who| who.posts.contains_key(&role.unit)) && !role.retired);
        let of_theirs: Vec<u64> = of_theirs.map(|role| role.id.value()).collect();
        let taken = self.store.state.roles.values().filter(|role| {
            !role.rota.sources().by_hand.is_empty()
                && asker.is_none_or(|who| who.posts.contains_key(&role.unit))
        });
        let taken: Vec<u64> = taken.map(|role| role.id.value()).collect();
        // Mostly the facility's own: nobody else stands in a rota, and few roles end as soon as their time here.
        let all = self.random.permille(80);
        let people = self.people.iter().flatten().filter(|who| all || !self.reference.is_hired(**who));
        let people: Vec<u64> = people.map(|person| person.value()).collect();
        let units = self.unit_ids();
        let posts = asker.into_iter().flat_map(|who| &who.posts);
        let led: Vec<u64> =
            posts.filter(|(_, post)| **post == Post::ChargeNurse).map(|(unit, _)| unit.value()).collect();
        let unit = self.random.pick(if led.is_empty() { &units } else { &led }).copied()?;
        let own = !of_theirs.is_empty() && self.random.permille(850);
        let role = self.random.pick(if own { &of_theirs } else { &roles }).copied();
        // Mostly somebody of the unit.
        let of_unit =
            self.store.state.roles.values().find(|of| Some(of.id.value()) == role).map(|of| of.unit);
        let staff = self
            .store
            .state
            .people
            .values()
            .filter(|who| of_unit.is_some_and(|unit| who.posts.contains_key(&unit)))
            .filter(|who| all || who.agency.is_none());
        let staff: Vec<u64> = staff.map(|who| who.id.value()).collect();
        let from = if self.random.permille(800) && !staff.is_empty() { &staff } else { &people };
        let person = self.random.pick(from).copied()?;
        let place = u32::from(self.random.permille(300));
        let from = from.clone();
        let leads = !asked_by_person || of_unit.is_some_and(|unit| led.contains(&unit.value()));
        let may_set = leads || self.random.permille(80);
        if let Some(role) = role.filter(|_| may_set && self.random.permille(150)) {
            return Some(self.some_import(role, from));
        }
        if let Some(role) =
            role.filter(|_| may_set && self.random.permille(if self.on_call { 80 } else { 40 }))
        {
            return Some(Ask::RetireRole(proto::RetireRole { role }));
        }
        let may_add = may_set && (!asked_by_person || !led.is_empty());
        Some(match (self.random.below(if own || !may_add { 70 } else { 100 }), role) {
            (0..40, Some(role)) => {
                let person = if may_set && self.random.permille(400) { person } else { 0 };
                let hours = if self.random.permille(30) { 20 } else { 2 };
                let ahead = 1 + self.random.below(hours * 3_600_000);
                Ask::TakeRole(proto::TakeRole { role, place, person, until: self.now.wall.0 + ahead as i64 })
            }
            (40..60, Some(role)) => {
                let role = self.random.pick(&taken).copied().unwrap_or(role);
                Ask::ReturnRole(proto::ReturnRole { role, place })
            }
            (60..66, Some(role)) => Ask::ReadRota(proto::ReadRota { role }),
            (66..75, Some(_)) => {
                let unit = if self.random.permille(300) { unit } else { 0 };
                Ask::ListRoles(proto::ListRoles { unit, after: 0 })
            }
            (_, None) if !may_add => return None,
            (dice, role) => {
                let role = role.filter(|_| roles.len() >= ROLES || dice >= 85).unwrap_or(0);
                let name = if self.random.permille(500) { "Physician on call" } else { "Rapid response" };
                let rota = self.random.permille(850).then(|| self.some_rota(&people));
                Ask::SetRole(proto::SetRole { role, unit, name: name.to_owned(), rota })
            }
        })
    }

    /// The box's own: that somebody works somewhere, a role, or that a STAT rings one.
    pub(crate) fn some_on_call_ask(&mut self) -> Option<Ask> {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        match self.random.below(10) {
            0..3 => {
                let person = self.random.pick(&people).copied()?;
                self.some_post(person).map(Ask::SetPost)
            }
            3..7 => self.some_role_ask(None),
            _ => self.some_escalation().map(Ask::SetEscalation),
        }
    }

    /// Whoever works somewhere is about roles more than elsewhere.
    pub(crate) fn on_call_acts(&mut self, index: usize, me: Option<PersonId>) -> bool {
        let works = me.and_then(|me| self.reference.ward.person(me)).is_some_and(|who| !who.posts.is_empty());
        if !works || !self.random.permille(160) {
            return false;
        }
        if let Some(ask) = self.some_role_ask(me) {
            self.clients[index].ask(ask);
        }
        true
    }

    /// Some of the next minutes, one after the other; or what an earlier one brought is taken out.
    fn some_import(&mut self, role: u64, people: Vec<u64>) -> Ask {
        const MINUTE: i64 = 60_000;
        let from = (self.now.wall.0.div_euclid(MINUTE) - self.random.below(20) as i64) * MINUTE;
        let (mut at, mut shifts) = (from, Vec::new());
        if self.random.permille(700) {
            for _ in 0..1 + self.random.below(4) {
                let start = at + self.random.below(3) as i64 * MINUTE;
                let end = start + (1 + self.random.below(30) as i64) * MINUTE;
                let person = self.random.pick(&people).copied().unwrap_or_default();
                let place = u32::from(self.random.permille(200));
                shifts.push(proto::ImportedShift { place, start, end, person });
                // Now and then one begins before the last is over.
                at = if self.random.permille(150) { start } else { end };
            }
        }
        let last = shifts.iter().map(|shift| shift.end).max().unwrap_or(from);
        let until = last + (1 + self.random.below(30) as i64) * MINUTE;
        Ask::ImportRota(proto::ImportRota { role, from, until, shifts })
    }

    /// Whoever leads a unit where something rings for a role has it ring others from now on, and retires the role.
    fn retires(&mut self, me: PersonId) -> Option<(Option<Ask>, Ask)> {
        let ward = &self.reference.ward;
        let rings = |role: RoleId| {
            ward.stats
                .iter()
                .any(|stat| stat.unanswered() && crate::reference_offers::has_come_to(stat, role))
        };
        let mut led = ward.roles.iter().filter(|role| ward.post(me, role.unit) == Some(true));
        let role = led.find(|role| !role.retired && rings(role.id))?;
        let named = crate::reference_stat::Whom::OnCall(role.id);
        let mut ringing =
            ward.ladders.iter().filter(|(_, ladder)| ladder.iter().any(|(whom, _)| *whom == named));
        let (role, ringing) =
            (role.id.value(), ringing.next().map(|(unit, _)| unit.map_or(0, |unit| unit.value())));
        let before = ringing.map(|unit| {
            let policy =
                proto::EscalationPolicy { unit, first_wait: 60, steps: Vec::new(), ..Default::default() };
            Ask::SetEscalation(proto::SetEscalation { policy: Some(policy), standard: true })
        });
        Some((before, Ask::RetireRole(proto::RetireRole { role })))
    }

    /// Two share a week; they change places soon.
    pub(crate) fn some_rota(&mut self, people: &[u64]) -> proto::Rota {
        let zone = "UTC".to_owned();
        let mut rota = proto::Rota { zone, patterns: Vec::new(), exceptions: Vec::new() };
        let none = if self.on_call { 350 } else { 100 };
        if self.random.permille(none) {
            return rota;
        }
        let minute = (self.now.wall.0 / 60_000 + 3 * 24 * 60) as u32 % WEEK;
        let from = minute.saturating_sub(self.random.below(60) as u32).min(WEEK - 2);
        let to = (minute + 1 + self.random.below(60) as u32).clamp(from + 1, WEEK - 1);
        let [one, other] = [(); 2].map(|()| self.random.pick(people).copied().unwrap_or_default());
        let shift = |start, end, who| proto::RotaShift { start, end, people: vec![who] };
        let shifts = vec![shift(from, to, one), shift(to, from + WEEK, other)];
        // The week of 2000-01-03, a Monday.
        let pattern = proto::RotaPattern { from: 10_959, until: 0, weeks: 1, place: None, shifts };
        rota.patterns.push(pattern.clone());
        if self.random.permille(50) {
            rota.patterns.push(pattern);
        }
        rota
    }

    /// Whoever was offered a role answers before long; whoever it rings for by their role is apt to hand it over.
    pub(crate) fn hands_over(&mut self, index: usize) -> bool {
        let Some(me) = self.person_of(index) else { return false };
        let (now, ward) = (self.now.wall, &self.reference.ward);
        let offers = || ward.roles.iter().flat_map(|role| &role.offers);
        let mine = offers().find(|offer| offer.taker == me).map(|offer| offer.id.value());
        let given = offers().find(|offer| offer.giver == me).map(|offer| offer.id.value());
        let rings = |role: RoleId| {
            let comes = |stat: &&crate::reference_stat::Stat| {
                stat.unanswered() && crate::reference_offers::has_come_to(stat, role)
            };
            ward.stats.iter().any(|stat| comes(&stat))
        };
        let held = ward.roles.iter().find(|role| role.at(0, now) == Some(me) && rings(role.id));
        let held = held.map(|role| (role.id.value(), role.unit));
        let retires = if self.random.permille(700) { self.retires(me) } else { None };
        let ask = if let Some((before, ask)) = retires {
            before.into_iter().for_each(|before| self.clients[index].ask(before));
            ask
        } else if let Some(offer) = mine.filter(|_| self.random.permille(300)) {
            let accepts = self.random.permille(850);
            let answer = if accepts { proto::OfferAnswer::Accept } else { proto::OfferAnswer::Decline };
            Ask::AnswerOffer(proto::AnswerOffer { offer, answer: answer.into() })
        } else if let Some(offer) = given.filter(|_| self.random.permille(40)) {
            let answer = proto::OfferAnswer::Withdraw.into();
            Ask::AnswerOffer(proto::AnswerOffer { offer, answer })
        } else if let Some((role, unit)) = held.filter(|_| self.random.permille(500)) {
            let everybody = self.reference.ward.people.iter();
            let staff = everybody.filter(|who| who.id != me && who.posts.iter().any(|(of, _)| *of == unit));
            let staff: Vec<u64> = staff.map(|who| who.id.value()).collect();
            let Some(person) = self.random.pick(&staff).copied() else { return false };
            let until = now.0 + 3_600_000;
            Ask::OfferRole(proto::OfferRole { role, place: 0, person, from: 0, until })
        } else {
            return false;
        };
        self.clients[index].ask(ask);
        true
    }

    /// Answers what was offered, or offers what they hold, mostly to somebody of the unit.
    fn some_hand_over(&mut self, me: PersonId) -> Option<Ask> {
        let (now, ward) = (self.now.wall, &self.reference.ward);
        let all = ward.roles.iter().flat_map(|role| &role.offers);
        let known: Vec<(u64, PersonId, PersonId)> =
            all.map(|offer| (offer.id.value(), offer.giver, offer.taker)).collect();
        let held = ward.roles.iter().flat_map(|role| [0, 1].map(|place| (role, place)));
        let held = held.filter(|(role, place)| {
            role.at(*place, now) == Some(me) || ward.post(me, role.unit) == Some(true)
        });
        let held: Vec<(u64, u32, wardline_core::ids::UnitId)> =
            held.map(|(role, place)| (role.id.value(), place, role.unit)).collect();
        let mine = known.iter().find(|(_, _, taker)| *taker == me).copied();
        if let Some((offer, ..)) = mine.filter(|_| self.random.permille(600)) {
            let accepts = self.random.permille(800);
            let answer = if accepts { proto::OfferAnswer::Accept } else { proto::OfferAnswer::Decline };
            return Some(Ask::AnswerOffer(proto::AnswerOffer { offer, answer: answer.into() }));
        }
        if !self.random.permille(450) {
            return None;
        }
        match self.random.below(10) {
            0 if !known.is_empty() => {
                let (offer, ..) = *self.random.pick(&known)?;
                let answer = [proto::OfferAnswer::Withdraw, proto::OfferAnswer::Accept][self.random.index(2)];
                Some(Ask::AnswerOffer(proto::AnswerOffer { offer, answer: answer.into() }))
            }
            1 => Some(Ask::ListOffers(proto::ListOffers { after: 0 })),
            2 => {
                let (offer, ..) = known.iter().find(|(_, giver, _)| *giver == me).copied()?;
                let answer = proto::OfferAnswer::Withdraw.into();
                Some(Ask::AnswerOffer(proto::AnswerOffer { offer, answer }))
            }
            _ => {
                let any: Vec<(u64, u32, wardline_core::ids::UnitId)> =
                    self.reference.ward.roles.iter().map(|role| (role.id.value(), 0, role.unit)).collect();
                let from = if held.is_empty() || self.random.permille(50) { &any } else { &held };
                let (role, place, unit) = *self.random.pick(from)?;
                let everybody = self.reference.ward.people.iter();
                let staff = everybody.filter(|who| who.posts.iter().any(|(of, _)| *of == unit));
                let staff: Vec<u64> = staff.map(|who| who.id.value()).collect();
                let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
                let to = if staff.is_empty() || self.random.permille(50) { &people } else { &staff };
                let person = *self.random.pick(to)?;
                let ahead = if self.random.permille(150) { 1 + self.random.below(900_000) as i64 } else { 0 };
                let from = if ahead == 0 { 0 } else { now.0 + ahead };
                let hours = if self.random.permille(40) { 20 } else { 3 };
                let until = now.0 + ahead + 1 + self.random.below(hours * 3_600_000) as i64;
                Some(Ask::OfferRole(proto::OfferRole { role, place, person, from, until }))
            }
        }
    }

    fn cover_offers(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acts = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let (superseded, passed) = (
            acts(|act| matches!(act, Act::RoleOfferSuperseded(..))),
            acts(|act| matches!(act, Act::StatPassed(..))),
        );
        let ended = acts(|act| matches!(act, Act::RoleOfferEnded(..)));
        let mut reached = Vec::new();
        match (body, refused) {
            (Ask::OfferRole(_), Some(Code::OfferTime)) => reached.push(Situation::OfferTimeRefused),
            (Ask::OfferRole(_) | Ask::AnswerOffer(_), Some(Code::NotPermitted)) => {
                reached.push(Situation::OfferActRefused);
            }
            (Ask::OfferRole(_), None) => {
                reached.push(Situation::RoleOffered);
                let by = expected.audits.iter().find_map(|(by, act)| match (by, act) {
                    (Actor::Person { person, .. }, Act::RoleOffered(_, giver, ..)) => Some(person == giver),
                    _ => None,
                });
                reached.extend((by == Some(false)).then_some(Situation::OfferForAnother));
                reached.extend(superseded.then_some(Situation::OfferSuperseded));
            }
            (Ask::AnswerOffer(_), Some(Code::OfferEarly)) => reached.push(Situation::OfferEarly),
            (Ask::AnswerOffer(answer), None) => match answer.answer() {
                proto::OfferAnswer::Accept => {
                    reached.push(Situation::RoleHandedOver);
                    reached.extend(passed.then_some(Situation::HandedOverWhileRinging));
                }
                proto::OfferAnswer::Decline => reached.push(Situation::OfferDeclined),
                _ => reached.push(Situation::OfferWithdrawn),
            },
            (Ask::ListOffers(_), None) => reached.push(Situation::OffersListed),
            (Ask::SetStanding(_), None) if ended => reached.push(Situation::OfferToSuspended),
            (Ask::TakeRole(_) | Ask::ReturnRole(_) | Ask::SetRole(_), None) if superseded => {
                reached.push(Situation::OfferLapsed);
            }
            _ => {}
        }
        reached.into_iter().for_each(|situation| self.coverage.reach(situation));
    }

    fn cover_rotas(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acts = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let mut reached = Vec::new();
        match (body, refused) {
            (Ask::ImportRota(import), None) => {
                let held = |role: &crate::reference_roles::Role| {
                    let brought =
                        role.brought.iter().any(|shift| Some(shift.who) == role.at(0, self.now.wall));
                    role.has_gaps() && role.by_hand(0, self.now.wall).is_none() && brought
                };
                let role = RoleId::new(import.role).and_then(|role| self.reference.ward.role(role));
                reached.push(if import.shifts.is_empty() {
                    Situation::ImportCleared
                } else if role.is_some_and(held) {
                    Situation::ImportHeld
                } else {
                    Situation::RotaImported
                });
            }
            (Ask::ImportRota(_), Some(Code::Rota)) => reached.push(Situation::ImportRefused),
            (Ask::TakeRole(_) | Ask::ReturnRole(_), None)
                if acts(|act| matches!(act, Act::StatFollowed(..))) =>
            {
                reached.push(Situation::TakenWhileRinging);
            }
            (Ask::RetireRole(_), Some(Code::RoleIsRung)) => reached.push(Situation::RetireRefusedWhileRung),
            (Ask::RetireRole(_), None) => {
                reached.push(Situation::RoleRetired);
                let followed = acts(|act| matches!(act, Act::StatFollowed(..)));
                reached.extend(followed.then_some(Situation::RetiredWhileRinging));
                let offered = acts(|act| matches!(act, Act::RoleOfferEnded(..)));
                reached.extend(offered.then_some(Situation::RetiredWhileOffered));
            }
            (_, Some(Code::RoleRetired)) => reached.push(Situation::RetiredRoleRefused),
            (Ask::SetPost(_), None) => {
                let ended = acts(|act| matches!(act, Act::RoleReturned(..)));
                reached.extend(ended.then_some(Situation::RoleEndedWithPost));
                let lent = acts(|act| matches!(act, Act::PostSet(_, _, 3)));
                reached.extend(lent.then_some(Situation::PostLent));
            }
            (Ask::SetOrderPolicy(_), None) if acts(|act| matches!(act, Act::RoleReturned(..))) => {
                reached.push(Situation::RoleEndedByListing);
            }
            _ => {}
        }
        reached.into_iter().for_each(|situation| self.coverage.reach(situation));
    }

    pub(crate) fn cover_roles(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        self.cover_offers(body, refused, expected);
        self.cover_rotas(body, refused, expected);
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::ReadRota(_), None) => Situation::RotaRead,
            (Ask::ReadRota(_), Some(Code::NotPermitted)) => Situation::RotaReadRefused,
            (Ask::SetRole(_), Some(Code::Rota)) => Situation::RotaRefused,
            (Ask::SetRole(_), None) if changed => Situation::RoleSet,
            (Ask::TakeRole(_), Some(Code::EndInvalid)) => Situation::RoleEndInvalid,
            (Ask::TakeRole(take), None) if take.person != 0 => Situation::RoleAssigned,
            (Ask::TakeRole(_), None) => Situation::RoleTaken,
            (Ask::ReturnRole(_), Some(Code::RoleUnheld)) => Situation::RoleUnheld,
            (Ask::ReturnRole(_), None) if changed => Situation::RoleReturned,
            (Ask::ListRoles(_), None) => Situation::RolesListed,
            (Ask::SetRole(_) | Ask::TakeRole(_) | Ask::ReturnRole(_), Some(Code::NotPermitted)) => {
                Situation::RoleActRefused
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
