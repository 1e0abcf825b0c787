//! Roles: what people do with them by chance, and what came of it.

use wardline_core::ids::PersonId;
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
        let roles: Vec<u64> = self.store.state.roles.keys().map(|role| role.value()).collect();
        let asker = asker.and_then(|asker| self.store.state.people.get(&asker));
        let of_theirs = self
            .store
            .state
            .roles
            .values()
            .filter(|role| asker.is_some_and(|who| who.posts.contains_key(&role.unit)));
        let of_theirs: Vec<u64> = of_theirs.map(|role| role.id.value()).collect();
        let taken = self.store.state.roles.values().filter(|role| {
            !role.rota.sources().by_hand.is_empty()
                && asker.is_none_or(|who| who.posts.contains_key(&role.unit))
        });
        let taken: Vec<u64> = taken.map(|role| role.id.value()).collect();
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let units = self.unit_ids();
        let unit = self.random.pick(&units).copied()?;
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
            .filter(|who| of_unit.is_some_and(|unit| who.posts.contains_key(&unit)));
        let staff: Vec<u64> = staff.map(|who| who.id.value()).collect();
        let from = if self.random.permille(800) && !staff.is_empty() { &staff } else { &people };
        let person = self.random.pick(from).copied()?;
        let place = u32::from(self.random.permille(300));
        Some(match (self.random.below(if own { 70 } else { 100 }), role) {
            (0..40, Some(role)) => {
                let person = if self.random.permille(400) { person } else { 0 };
                let hours = if self.random.permille(30) { 20 } else { 2 };
                let ahead = 1 + self.random.below(hours * 3_600_000);
                Ask::TakeRole(proto::TakeRole { role, place, person, until: self.now.wall.0 + ahead as i64 })
            }
            (40..60, Some(role)) => {
                let role = self.random.pick(&taken).copied().unwrap_or(role);
                Ask::ReturnRole(proto::ReturnRole { role, place })
            }
            (60..75, Some(_)) => {
                let unit = if self.random.permille(300) { unit } else { 0 };
                Ask::ListRoles(proto::ListRoles { unit, after: 0 })
            }
            (dice, role) => {
                let role = role.filter(|_| roles.len() >= ROLES || dice >= 85).unwrap_or(0);
                let name = if self.random.permille(500) { "Physician on call" } else { "Rapid response" };
                let rota = self.random.permille(850).then(|| self.some_rota(&people));
                Ask::SetRole(proto::SetRole { role, unit, name: name.to_owned(), rota })
            }
        })
    }

    /// Two share a week; they change places soon.
    fn some_rota(&mut self, people: &[u64]) -> proto::Rota {
        let zone = "UTC".to_owned();
        let mut rota = proto::Rota { zone, patterns: Vec::new(), exceptions: Vec::new() };
        if self.random.permille(100) {
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

    pub(crate) fn cover_roles(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
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
