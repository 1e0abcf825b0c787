//! The reference's rules for what a role's rota is made of besides its week: shifts of a calendar, and the end of the role itself.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{PersonId, RoleId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_offers::has_come_to;
use crate::reference_roles::{Brought, Role, digest};
use crate::reference_stat::{Stands, Stat, Whom};

/// Whoever asks: as whom it is recorded, who, and whether as administration.
type Asker = (Actor, Option<PersonId>, bool);

impl Reference {
    pub(crate) fn read_rota(
        &self,
        now: Now,
        (me, administers): (Option<PersonId>, bool),
        id: u64,
    ) -> Expected {
        let role = match self.ward.role_in_use(id) {
            Ok(role) => role,
            Err(code) => return Expected::refused(code),
        };
        if !administers && self.post_of(me, role.unit).is_none() {
            return Expected::refused(Code::NotPermitted);
        }
        let ahead = role.brought_ahead(now.wall).len() as u64;
        let until = role.brought_until.unwrap_or(0).unsigned_abs();
        Expected::answered(Answer::Rota(digest([(role.week_digest(), &[ahead, until][..])].into_iter())))
    }

    pub(crate) fn import_rota(
        &mut self,
        now: Now,
        (by, me, administers): Asker,
        asked: &proto::ImportRota,
    ) -> Expected {
        let role = match self.ward.role_in_use(asked.role) {
            Ok(role) => role,
            Err(code) => return Expected::refused(code),
        };
        if !administers && self.post_of(me, role.unit) != Some(true) {
            return Expected::refused(Code::NotPermitted);
        }
        let new = asked.shifts.iter().map(|shift| Brought {
            place: shift.place,
            start: shift.start,
            end: shift.end,
            who: PersonId::new(shift.person).expect("parsed before"),
        });
        let new: Vec<Brought> = new.collect();
        if new.iter().any(|shift| !self.ward.may_hold(shift.who)) {
            return Expected::refused(Code::NoSuchPerson);
        }
        if new.iter().any(|shift| self.is_hired(shift.who)) {
            return Expected::refused(Code::AgencyBound);
        }
        if new.iter().any(|shift| !self.ward.may_read_inboxes(shift.who)) {
            return Expected::refused(Code::NotStaffOfUnit);
        }
        let meet = |one: &Brought, other: &Brought| {
            one.place == other.place && one.start < other.end && other.start < one.end
        };
        if new.iter().enumerate().any(|(at, one)| new[..at].iter().any(|other| meet(one, other))) {
            return Expected::refused(Code::Rota);
        }
        // Before the window, behind it, and what is new in it.
        let mut brought = Vec::new();
        for shift in role.brought_ahead(now.wall) {
            let before = Brought { end: shift.end.min(asked.from), ..shift };
            let behind = Brought { start: shift.start.max(asked.until), ..shift };
            brought.extend([before, behind].into_iter().filter(|rest| rest.start < rest.end));
        }
        let count = new.len() as u32;
        brought.extend(new);
        brought.sort_by_key(|shift| (shift.place, shift.start));
        let until = role.brought_until.max(Some(asked.until)).filter(|_| !brought.is_empty());
        let nothing_over = role.pruned(now.wall).len() == role.hands();
        let mut expected = Expected::answered(Answer::RoleSet);
        if brought == role.brought && until == role.brought_until && nothing_over {
            return expected;
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let id = role.id;
        let former = role.all_named();
        let by_hand = role.pruned(now.wall);
        let mut role = role;
        role.taken(by_hand, now.wall);
        (role.brought, role.brought_until) = (brought, until);
        self.keep_role(role);
        expected.audits.push((by, Act::RotaImported(id, count)));
        self.offers_lapse(now, by, id, &mut expected);
        self.stats_follow(now, id, &former, &mut expected);
        expected
    }

    pub(crate) fn retire_role(&mut self, now: Now, (by, me, administers): Asker, id: u64) -> Expected {
        let role = match self.ward.role_in_use(id) {
            Ok(role) => role,
            Err(code) => return Expected::refused(code),
        };
        if !administers && self.post_of(me, role.unit) != Some(true) {
            return Expected::refused(Code::NotPermitted);
        }
        let rings = |(whom, _): &(Whom, u64)| *whom == Whom::OnCall(role.id);
        if self.ward.ladders.iter().any(|(_, ladder)| ladder.iter().any(rings)) {
            return Expected::refused(Code::RoleIsRung);
        }
        if self.ward.alarms.role == Some(role.id) {
            return Expected::refused(Code::RoleHearsAlarms);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let former = role.all_named();
        let mut expected = Expected::answered(Answer::RoleSet);
        expected.audits.push((by, Act::RoleRetired(role.id)));
        self.end_offers(by, Act::RoleOfferEnded, |of, _| of == role.id, &mut expected);
        let id = role.id;
        let mut role = role;
        role.retire();
        self.keep_role(role);
        self.stats_follow(now, id, &former, &mut expected);
        expected
    }

    /// Time has passed: shifts begin and end.
    pub(crate) fn stats_follow_all(&mut self, now: Now, expected: &mut Expected) {
        let ringing =
            |role: &Role| self.ward.stats.iter().any(|stat| stat.unanswered() && has_come_to(stat, role.id));
        let roles = self.ward.roles.iter().filter(|role| ringing(role));
        let mut roles: Vec<(RoleId, Vec<PersonId>)> = roles.map(|role| (role.id, role.all_named())).collect();
        roles.sort_unstable();
        for (role, named) in roles {
            self.stats_follow(now, role, &named, expected);
        }
    }

    /// What rings for the role rings for its holders, and not for those who were if for nothing else.
    pub(crate) fn stats_follow(
        &mut self,
        now: Now,
        role: RoleId,
        former: &[PersonId],
        expected: &mut Expected,
    ) {
        let holders = self.ward.role(role).map_or_else(Vec::new, |role| self.ward.holders(role, now.wall));
        let rings = |stat: &&Stat| stat.unanswered() && has_come_to(stat, role);
        let mut ids: Vec<_> = self.ward.stats.iter().filter(rings).map(Stat::id).collect();
        ids.sort_unstable();
        for id in ids {
            let Some(stat) = self.stat(id).cloned() else { continue };
            let goes = |who: &PersonId| {
                let coming = matches!(stat.stands, Stands::Held(by, _) if by == *who);
                !coming && !holders.contains(who) && self.is_called_by_role(now, &stat, role, *who)
            };
            let off: Vec<PersonId> = former.iter().copied().filter(goes).collect();
            let comes = |who: &PersonId| {
                let of_them = stat.called.iter().find(|called| called.person == *who);
                let said_no = of_them.is_some_and(|called| called.cannot && !called.out);
                *who != stat.sender && !stat.rings_for(*who) && !said_no
            };
            let on: Vec<PersonId> = holders.iter().copied().filter(comes).collect();
            if on.is_empty() && off.is_empty() {
                continue;
            }
            expected.audits.push((Actor::TheBox, Act::StatFollowed(id.0, Sequence(id.1), role)));
            let Some(stat) = self.stat_mut(id) else { continue };
            let anew = on.clone();
            for (people, is_out) in [(on, false), (off, true)] {
                for person in people {
                    let called = stat.call(person);
                    (called.cannot, called.out) = (is_out, is_out);
                }
            }
            let is_over = !stat.left_at_this_step() && stat.step < stat.ladder.len();
            let is_over = is_over && stat.stands == Stands::Ringing;
            anew.into_iter().for_each(|person| self.bell_called(person, id, None));
            if is_over {
                self.stat_steps(now, id, expected);
            }
        }
    }
}
