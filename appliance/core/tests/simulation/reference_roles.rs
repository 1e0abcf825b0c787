//! The reference's rules for roles: two people share a week, and whoever takes a place by hand has it for a time.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{PersonId, RoleId, UnitId};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference, Ward};
use crate::reference_offers::Offer;

const WEEK: i64 = 7 * 24 * 60;

#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) id: RoleId,
    pub(crate) unit: UnitId,
    name: String,
    week: Option<Week>,
    by_hand: Vec<Taken>,
    pub(crate) offers: Vec<Offer>,
    /// Of a calendar, in order of time.
    pub(crate) brought: Vec<Brought>,
    pub(crate) brought_until: Option<i64>,
    pub(crate) retired: bool,
}

/// A shift of a calendar.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Brought {
    pub(crate) place: u32,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) who: PersonId,
}

/// One from a minute of the week to another, the other for the rest of it.
#[derive(Clone, PartialEq)]
struct Week {
    from: i64,
    to: i64,
    one: PersonId,
    other: PersonId,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Taken {
    pub(crate) place: u32,
    pub(crate) who: PersonId,
    pub(crate) end: Wall,
}

impl Taken {
    /// A clock that is set back takes nothing away, unless it is set back by as much as an entry may last.
    fn holds(&self, now: Wall) -> bool {
        (self.begins()..self.end.0).contains(&now.0)
    }

    fn begins(&self) -> i64 {
        self.end.0 - 31 * 24 * 3_600_000
    }
}

/// What a page of roles comes to: which, and who holds each, in order.
pub(crate) fn digest<'p>(roles: impl Iterator<Item = (u64, &'p [u64])>) -> u64 {
    let mix = |sum: u64, value: u64| (sum.rotate_left(7) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    roles.fold(1, |sum, (role, holders)| holders.iter().fold(mix(sum, role), |sum, who| mix(sum, *who)))
}

impl Role {
    pub(crate) fn has_gaps(&self) -> bool {
        self.week.is_none()
    }

    /// Held by somebody now, or theirs by the week at some other time.
    pub(crate) fn is_of(&self, who: PersonId, now: Wall) -> bool {
        (0..2).any(|place| self.at(place, now) == Some(who))
            || self.week.as_ref().is_some_and(|week| [week.one, week.other].contains(&who))
            || self.brought.iter().any(|shift| shift.who == who && shift.end > now.0)
    }

    pub(crate) fn at(&self, place: u32, now: Wall) -> Option<PersonId> {
        self.by_hand(place, now).map(|taken| taken.who).or_else(|| self.by_rota(place, now))
    }

    pub(crate) fn by_hand(&self, place: u32, now: Wall) -> Option<Taken> {
        self.by_hand.iter().copied().find(|taken| taken.place == place && taken.holds(now))
    }

    pub(crate) fn taken(&mut self, by_hand: Vec<Taken>, now: Wall) {
        self.by_hand = by_hand;
        self.brought = self.brought_ahead(now);
    }

    pub(crate) fn by_rota(&self, place: u32, now: Wall) -> Option<PersonId> {
        // 1970 began on a Thursday.
        let minute = (now.0.div_euclid(60_000) + 3 * 24 * 60).rem_euclid(WEEK);
        let Some(week) = &self.week else {
            let now = |shift: &&Brought| shift.place == place && (shift.start..shift.end).contains(&now.0);
            return self.brought.iter().find(now).map(|shift| shift.who);
        };
        let held = if (week.from..week.to).contains(&minute) { week.one } else { week.other };
        (place == 0).then_some(held)
    }

    /// Whoever has it at some time, had it, or has it by hand.
    pub(crate) fn all_named(&self) -> Vec<PersonId> {
        let week = self.week.iter().flat_map(|week| [week.one, week.other]);
        let by_hand = self.by_hand.iter().map(|taken| taken.who);
        let mut all: Vec<PersonId> =
            week.chain(by_hand).chain(self.brought.iter().map(|shift| shift.who)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn brought_ahead(&self, now: Wall) -> Vec<Brought> {
        self.brought.iter().copied().filter(|shift| shift.end > now.0).collect()
    }

    /// Nobody's from now on.
    pub(crate) fn retire(&mut self) {
        (self.week, self.brought_until, self.retired) = (None, None, true);
        self.by_hand.clear();
        self.brought.clear();
        self.offers.clear();
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// When what was done by hand begins to count and ends.
    pub(crate) fn ends_by_hand(&self) -> impl Iterator<Item = i64> + '_ {
        self.by_hand.iter().flat_map(|taken| [taken.begins(), taken.end.0])
    }

    /// When the two of a week change places.
    pub(crate) fn weekly(&self, from: i64, until: i64) -> Vec<i64> {
        const MINUTE: i64 = 60_000;
        let Some(week) = &self.week else { return Vec::new() };
        let monday = (from.div_euclid(MINUTE) + 3 * 24 * 60).div_euclid(WEEK) * WEEK - 3 * 24 * 60;
        let weeks = (until - from) / (WEEK * MINUTE) + 2;
        let of = |at: i64| [week.from, week.to].map(|minute| (monday + at * WEEK + minute) * MINUTE);
        (0..weeks).flat_map(of).collect()
    }

    pub(crate) fn hands(&self) -> usize {
        self.by_hand.len()
    }

    pub(crate) fn pruned(&self, now: Wall) -> Vec<Taken> {
        self.by_hand.iter().copied().filter(|taken| taken.end > now).collect()
    }
}

impl Ward {
    pub(crate) fn may_hold(&self, who: PersonId) -> bool {
        self.person(who).is_some_and(|who| !who.suspended && !who.privacy_officer)
    }

    /// Whoever administers and works nowhere reads nothing by a role.
    pub(crate) fn may_read_inboxes(&self, who: PersonId) -> bool {
        let administers = |who: &crate::reference::Person| who.administrator && who.posts.is_empty();
        self.may_hold(who) && !self.person(who).is_some_and(administers)
    }

    pub(crate) fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// One that is in use.
    pub(crate) fn role_in_use(&self, id: u64) -> Result<Role, Code> {
        let role = self.role(RoleId::new(id).expect("parsed before")).ok_or(Code::NoSuchRole)?;
        if role.retired { Err(Code::RoleRetired) } else { Ok(role.clone()) }
    }

    pub(crate) fn holders(&self, role: &Role, now: Wall) -> Vec<PersonId> {
        let mut holders: Vec<PersonId> = Vec::new();
        for who in (0..2).filter_map(|place| role.at(place, now)) {
            if !holders.contains(&who) && self.may_hold(who) {
                holders.push(who);
            }
        }
        holders
    }
}

impl Reference {
    /// `administers`: as a service of the box, or an administrator where they may.
    pub(crate) fn roles(
        &mut self,
        now: Now,
        (by, administers): (Actor, bool),
        body: &Body,
        chosen: Option<RoleId>,
    ) -> Expected {
        let me = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        let done = Expected::answered(Answer::RoleSet);
        match body {
            Body::SetRole(set) => {
                let known = match set.role {
                    0 => None,
                    role => match self.ward.role_in_use(role) {
                        Ok(role) => Some(role),
                        Err(code) => return Expected::refused(code),
                    },
                };
                let unit =
                    known.as_ref().map_or(UnitId::new(set.unit).expect("parsed before"), |role| role.unit);
                if !self.ward.units.contains(&unit) {
                    return Expected::refused(Code::NoSuchUnit);
                }
                if !administers && self.post_of(me, unit) != Some(true) {
                    return Expected::refused(Code::NotPermitted);
                }
                self.set_role(now, by, known, (unit, set), chosen)
            }
            Body::TakeRole(take) => {
                let role = match self.ward.role_in_use(take.role) {
                    Ok(role) => role,
                    Err(code) => return Expected::refused(code),
                };
                let who = PersonId::new(take.person);
                let post = self.post_of(me, role.unit);
                // Who may order, nobody says of themselves.
                let mut policies = self.ward.order_policies.iter();
                let listed = policies.any(|policy| policy.roles.contains(&take.role));
                let may = if listed || who.is_some() && who != me {
                    administers || post == Some(true)
                } else {
                    post.is_some()
                };
                if !may {
                    return Expected::refused(Code::NotPermitted);
                }
                let Some(who) = who.or(me).filter(|who| self.ward.may_hold(*who)) else {
                    return Expected::refused(Code::NoSuchPerson);
                };
                if self.ward.post(who, role.unit).is_none() {
                    return Expected::refused(Code::NotStaffOfUnit);
                }
                let ahead = take.until - now.wall.0;
                if !(1..=16 * 3_600_000).contains(&ahead) {
                    return Expected::refused(Code::EndInvalid);
                }
                if self.outlasts(who, take.until) {
                    return Expected::refused(Code::BeyondAgencyEnd);
                }
                if self.lobby.disk_scarce {
                    return Expected::refused(Code::DiskLow);
                }
                let mut by_hand = role.pruned(now.wall);
                by_hand.retain(|taken| taken.place != take.place);
                by_hand.push(Taken { place: take.place, who, end: Wall(take.until) });
                self.keep_role(Role { by_hand, brought: role.brought_ahead(now.wall), ..role.clone() });
                let mut expected = done;
                expected.audits.push((by, Act::RoleTaken(role.id, who, take.place)));
                self.offers_lapse(now, by, role.id, &mut expected);
                self.stats_follow(now, role.id, &role.all_named(), &mut expected);
                expected
            }
            Body::ReturnRole(back) => {
                let role = match self.ward.role_in_use(back.role) {
                    Ok(role) => role,
                    Err(code) => return Expected::refused(code),
                };
                let holds = me.is_some() && role.at(back.place, now.wall) == me;
                if !holds && !administers && self.post_of(me, role.unit) != Some(true) {
                    return Expected::refused(Code::NotPermitted);
                }
                let mut by_hand = role.pruned(now.wall);
                let before = by_hand.len();
                by_hand.retain(|taken| taken.place != back.place);
                if by_hand.len() == before {
                    return done;
                }
                let former = role.all_named();
                let role = Role { by_hand, brought: role.brought_ahead(now.wall), ..role };
                if self.ward.holders(&role, now.wall).is_empty() {
                    return Expected::refused(Code::RoleUnheld);
                }
                let mut expected = done;
                expected.audits.push((by, Act::RoleReturned(role.id, back.place)));
                let id = role.id;
                self.keep_role(role);
                self.offers_lapse(now, by, id, &mut expected);
                self.stats_follow(now, id, &former, &mut expected);
                expected
            }
            Body::ReadRota(read) => self.read_rota(now, (me, administers), read.role),
            Body::ImportRota(asked) => self.import_rota(now, (by, me, administers), asked),
            Body::RetireRole(asked) => self.retire_role(now, (by, me, administers), asked.role),
            Body::ListRoles(list) => {
                let mut roles: Vec<&Role> = self.ward.roles.iter().collect();
                roles.retain(|role| list.unit == 0 || role.unit.value() == list.unit);
                roles.sort_by_key(|role| role.id);
                let held = |role: &&Role| {
                    let holders = self.ward.holders(role, now.wall);
                    (role.id.value(), holders.into_iter().map(PersonId::value).collect())
                };
                let held: Vec<(u64, Vec<u64>)> = roles.iter().map(held).collect();
                Expected::answered(Answer::Roles(digest(held.iter().map(|(id, who)| (*id, who.as_slice())))))
            }
            _ => Expected::default(),
        }
    }

    /// Whatever somebody has by hand is over, of one unit or of all.
    pub(crate) fn end_roles_of(
        &mut self,
        now: Now,
        (by, who): (Actor, PersonId),
        unit: Option<UnitId>,
        expected: &mut Expected,
    ) {
        let has = |role: &&Role| unit.is_none_or(|unit| role.unit == unit);
        let mut roles: Vec<RoleId> = self.ward.roles.iter().filter(has).map(|role| role.id).collect();
        roles.sort_unstable();
        for id in roles {
            self.end_by_hand(now, by, id, |other| other == who, expected);
        }
    }

    /// What these have of a role by hand is over.
    pub(crate) fn end_by_hand(
        &mut self,
        now: Now,
        by: Actor,
        id: RoleId,
        whose: impl Fn(PersonId) -> bool,
        expected: &mut Expected,
    ) {
        let Some(role) = self.ward.roles.iter_mut().find(|role| role.id == id) else { return };
        if !role.by_hand.iter().any(|taken| whose(taken.who)) {
            return;
        }
        let former = role.all_named();
        let theirs = role.by_hand.iter().filter(|taken| whose(taken.who) && taken.end > now.wall);
        expected.audits.extend(theirs.map(|taken| (by, Act::RoleReturned(role.id, taken.place))));
        role.by_hand.retain(|taken| !whose(taken.who));
        self.offers_lapse(now, by, id, expected);
        self.stats_follow(now, id, &former, expected);
    }

    pub(crate) fn post_of(&self, me: Option<PersonId>, unit: UnitId) -> Option<bool> {
        let me = me.filter(|me| self.ward.may_hold(*me))?;
        self.ward.post(me, unit)
    }

    fn set_role(
        &mut self,
        now: Now,
        by: Actor,
        known: Option<Role>,
        (unit, set): (UnitId, &proto::SetRole),
        chosen: Option<RoleId>,
    ) -> Expected {
        let week = match &set.rota {
            Some(rota) => {
                if rota.patterns.len() > 1 {
                    return Expected::refused(Code::Rota);
                }
                rota.patterns.first().map(week_of)
            }
            None => known.as_ref().and_then(|role| role.week.clone()),
        };
        let named = week.iter().flat_map(|week| [week.one, week.other]);
        if named.into_iter().any(|who| !self.ward.may_hold(who)) {
            return Expected::refused(Code::NoSuchPerson);
        }
        let mut named = week.iter().flat_map(|week| [week.one, week.other]);
        if named.any(|who| self.is_hired(who)) {
            return Expected::refused(Code::AgencyBound);
        }
        let mut named = week.iter().flat_map(|week| [week.one, week.other]);
        if named.any(|who| !self.ward.may_read_inboxes(who)) {
            return Expected::refused(Code::NotStaffOfUnit);
        }
        let by_hand = known.as_ref().map_or_else(Vec::new, |role| role.pruned(now.wall));
        let brought = known.as_ref().map_or_else(Vec::new, |role| role.brought_ahead(now.wall));
        let brought_until = known.as_ref().and_then(|role| role.brought_until);
        let as_before = |role: &Role| {
            role.name == set.name && role.week == week && role.by_hand == by_hand && role.brought == brought
        };
        let mut expected = Expected::answered(Answer::RoleSet);
        if known.as_ref().is_some_and(as_before) {
            return expected;
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let former = known.as_ref().map_or_else(Vec::new, Role::all_named);
        let Some(id) = known.map(|role| role.id).or(chosen) else { return expected };
        let offers = self.ward.role(id).map_or_else(Vec::new, |role| role.offers.clone());
        let name = set.name.clone();
        let retired = false;
        self.keep_role(Role { id, unit, name, week, by_hand, offers, brought, brought_until, retired });
        expected.audits.push((by, Act::RoleSet(id, unit)));
        self.offers_lapse(now, by, id, &mut expected);
        self.stats_follow(now, id, &former, &mut expected);
        expected
    }

    pub(crate) fn keep_role(&mut self, role: Role) {
        self.ward.roles.retain(|known| known.id != role.id);
        self.ward.roles.push(role);
    }
}

impl Role {
    /// What reading it back comes to.
    pub(crate) fn week_digest(&self) -> u64 {
        self.week.as_ref().map_or(0, |week| {
            let parts = [week.from, week.to].map(i64::unsigned_abs);
            digest([(parts[0], &[week.one.value()][..]), (parts[1], &[week.other.value()])].into_iter())
        })
    }
}

/// The pattern as this world makes it: two shifts that are a week together.
fn week_of(pattern: &proto::RotaPattern) -> Week {
    let who = |at: usize| PersonId::new(pattern.shifts[at].people[0]).expect("parsed before");
    let (from, to) = (i64::from(pattern.shifts[0].start), i64::from(pattern.shifts[0].end));
    Week { from, to, one: who(0), other: who(1) }
}
