//! Staff from an agency: what people do about them by chance, and what came of it.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::PersonId;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};
use wardline_core::write::Write;

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Person};
use crate::world::{FROM_AGENCY, World};

const MINUTE: i64 = 60_000;

impl World {
    /// Whoever was admitted has a phone here; a namesake has none.
    pub(crate) fn find_agency_staff(&mut self) {
        let first = self.people.len() - FROM_AGENCY.len();
        for (at, name) in FROM_AGENCY.iter().enumerate() {
            if self.people[first + at].is_none() {
                let named = |person: &&wardline_core::directory::Person| {
                    person.agency.is_some() && person.name.reveal() == *name
                };
                self.people[first + at] = self.store.state.people.values().find(named).map(|who| who.id);
            }
        }
    }

    fn hired(&self, which: impl Fn(&Person) -> bool) -> Vec<PersonId> {
        let hired = self.reference.ward.people.iter().filter(|person| person.hired.is_some());
        hired.filter(|person| which(person)).map(|person| person.id).collect()
    }

    /// By somebody, or by a service of the box.
    pub(crate) fn some_agency_ask(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let led = me.and_then(|me| self.reference.ward.person(me)).map(|me| me.posts.clone());
        let led = led.unwrap_or_default().into_iter().filter(|(_, charge)| *charge);
        let led: Vec<u64> = led.map(|(unit, _)| unit.value()).collect();
        let units = self.unit_ids();
        let from = if led.is_empty() || self.random.permille(100) { &units } else { &led };
        let unit = self.random.pick(from).copied()?;
        let here = |person: &Person| person.hired.as_ref().is_some_and(|hired| !hired.over);
        let (running, out) = (self.hired(here), self.hired(|person| !here(person)));
        Some(match self.random.below(100) {
            0..35 => self.some_admission(unit, &out)?,
            35..80 => {
                let anybody: Vec<PersonId> = self.people.iter().flatten().copied().collect();
                let from = if running.is_empty() || self.random.permille(50) { &anybody } else { &running };
                // Mostly whose time was extended before.
                let times = |who: &PersonId| {
                    let hired = self.reference.ward.person(*who).and_then(|who| who.hired.as_ref());
                    hired.map_or(0, |hired| hired.times)
                };
                let again = from.iter().copied().max_by_key(|who| (times(who), *who));
                let person = match again.filter(|who| times(who) > 0) {
                    Some(again) if self.random.permille(800) => again,
                    _ => self.random.pick(from).copied()?,
                };
                let hired = self.reference.ward.person(person).and_then(|who| who.hired.as_ref());
                let until = hired.map_or(self.now.wall, |hired| hired.until).0;
                let longer = 1 + self.random.below(8) as i64 * MINUTE;
                let until = if self.random.permille(100) { until } else { until + longer };
                let grounds = "Two called in sick".to_owned();
                Ask::ExtendAgency(proto::ExtendAgency { person: person.value(), until, grounds })
            }
            80..90 => {
                let from = if running.is_empty() { &out } else { &running };
                let person = self.random.pick(from).copied()?.value();
                Ask::EndAgency(proto::EndAgency { person })
            }
            _ => {
                let unit = if self.random.permille(700) { unit } else { 0 };
                Ask::ListAgency(proto::ListAgency { unit, after: 0 })
            }
        })
    }

    fn some_admission(&mut self, unit: u64, out: &[PersonId]) -> Option<Ask> {
        let name = *self.random.pick(&FROM_AGENCY)?;
        let called = |who: &&PersonId| {
            let entry = self.store.state.people.get(who);
            entry.is_some_and(|entry| entry.name.reveal() == name)
        };
        let back = out.iter().find(called).copied();
        let anybody: Vec<PersonId> = self.people.iter().flatten().copied().collect();
        let person = match back {
            Some(back) if self.random.permille(800) => Some(back),
            _ if self.random.permille(60) => self.random.pick(&anybody).copied(),
            _ => None,
        };
        let until = match self.random.below(20) {
            0 => self.now.wall.0,
            1 => self.now.wall.0 + 16 * 60 * MINUTE + 1,
            2 => self.now.wall.0 + 16 * 60 * MINUTE,
            _ => self.now.wall.0 + 1 + self.random.below(20 * MINUTE.unsigned_abs()) as i64,
        };
        let whole_unit = self.random.permille(400);
        let bed = if whole_unit || self.random.permille(400) { None } else { Some("A-1".to_owned()) };
        // Who was never here comes as they are called; later somebody is in a hurry.
        let known = self.people[self.people.len() - FROM_AGENCY.len()..].iter().flatten().count();
        let hurry = known == FROM_AGENCY.len() && self.random.permille(400);
        let (name, agency) = if hurry {
            (name.to_uppercase().replace(' ', "  "), "BRIGHTSIDE".to_owned())
        } else {
            (name.to_owned(), "Brightside".to_owned())
        };
        Some(Ask::AdmitAgency(proto::AdmitAgency {
            person: person.map_or(0, PersonId::value),
            name,
            agency,
            title: "RN".to_owned(),
            unit,
            beds: bed.into_iter().collect(),
            whole_unit,
            until,
            another_person: person.is_none() && self.random.permille(80),
        }))
    }

    /// Everybody is here, for so long.
    pub(crate) fn admit_all(&mut self, ms: i64) {
        let asked = |asked: &(u64, Ask)| matches!(asked.1, Ask::AdmitAgency(_));
        if self.local_asked.iter().any(asked) {
            return;
        }
        let first = self.people.len() - FROM_AGENCY.len();
        for (at, name) in FROM_AGENCY.iter().enumerate() {
            let who = self.people[first + at].and_then(|who| self.reference.ward.person(who));
            let hired = who.and_then(|who| who.hired.as_ref());
            if hired.is_some_and(|hired| !hired.over) {
                continue;
            }
            let person = who.map_or(0, |who| who.id.value());
            // Where somebody leads, if anywhere.
            let posts = self.reference.ward.people.iter().flat_map(|person| &person.posts);
            let led = posts.filter(|(_, charge)| *charge).map(|(unit, _)| unit.value()).next();
            let Some(unit) = led.or_else(|| self.unit_ids().first().copied()) else { return };
            self.local_ask(Ask::AdmitAgency(proto::AdmitAgency {
                person,
                name: (*name).to_owned(),
                agency: "Brightside".to_owned(),
                title: "RN".to_owned(),
                unit,
                beds: Vec::new(),
                whole_unit: false,
                until: self.now.wall.0 + ms,
                another_person: false,
            }));
        }
    }

    /// To the end of somebody who has a STAT.
    pub(crate) fn until_an_agency_ends(&mut self) -> Option<u64> {
        let ward = &self.reference.ward;
        let holds = |person: &&Person| ward.stats.iter().any(|stat| stat.is_taken_by(person.id));
        let hired = ward.people.iter().filter(holds).filter_map(|person| person.hired.as_ref());
        let until = hired.filter(|hired| !hired.over).map(|hired| hired.until.0).min()?;
        let left = u64::try_from(until - self.now.wall.0).unwrap_or(0);
        (left < 1_800_000).then_some(left + 1)
    }

    /// Whether a write only takes from a leaver what they had.
    pub(crate) fn ends_with(&self, leavers: &[PersonId], write: &Write) -> bool {
        let ward = &self.reference.ward;
        match write {
            Write::StandingSet { person, suspended: true }
            | Write::PostSet { person, post: None, .. }
            | Write::CareTeamSet { person, place: None, .. } => leavers.contains(person),
            Write::SessionEnded { device } => {
                ward.device(*device).is_some_and(|device| leavers.contains(&device.person))
            }
            Write::JoinCodeEnded { hash } => {
                let code = ward.codes.iter().find(|code| code.hash == *hash);
                code.is_some_and(|code| {
                    let issuer = code.issuer.is_some_and(|issuer| leavers.contains(&issuer));
                    issuer || leavers.contains(&code.person)
                })
            }
            Write::AssignmentEnded { assignment } => {
                let shift = ward.clinic.shifts.iter().find(|shift| shift.id == *assignment);
                shift.is_some_and(|shift| leavers.contains(&shift.person))
            }
            Write::EmergencyEnded { id, .. } => {
                let broken = ward.clinic.emergencies.iter().find(|broken| broken.id == *id);
                broken.is_some_and(|broken| leavers.contains(&broken.who))
            }
            _ => false,
        }
    }

    pub(crate) fn cover_leaving(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let leaves = |(_, act): &(Actor, Act)| matches!(act, Act::PersonSuspended(_));
        let mut administrators = self.reference.ward.people.iter().filter(|person| person.administrator);
        if expected.audits.iter().any(leaves) && administrators.all(|person| person.suspended) {
            self.coverage.reach(Situation::LastAdministratorSuspended);
        }
        let left = |answer: &Answer| matches!(answer, Answer::Suspended([roles, shifts, stats, _], _) if roles + shifts + stats > 0);
        let situation = match (body, refused) {
            (Ask::Suspend(_), None) if expected.answer.as_ref().is_some_and(left) => Situation::LeftBehind,
            (Ask::DecideSuspension(decide), None) if decide.confirmed => Situation::SuspensionConfirmed,
            (Ask::DecideSuspension(_), None) => Situation::SuspensionReversed,
            (Ask::DecideSuspension(_), Some(Code::NoSuchSuspension)) => Situation::NothingToDecide,
            (Ask::ListSuspensions(_), None) => Situation::SuspensionsListed,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    pub(crate) fn cover_agency(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acted = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::AdmitAgency(admit), None) if admit.another_person => Situation::AgencyNamesake,
            (Ask::AdmitAgency(admit), None) if admit.person == 0 && acted => Situation::AgencyAdmitted,
            (Ask::AdmitAgency(_), None) if acted => Situation::AgencyReturned,
            (Ask::AdmitAgency(_), Some(Code::AgencyKnown)) => Situation::ReturningAgencyFound,
            (Ask::AdmitAgency(_), Some(Code::AgencyOther)) => Situation::AgencyMistaken,
            (Ask::AdmitAgency(_), Some(Code::AgencyBarred)) => Situation::AgencyBarred,
            (Ask::AdmitAgency(_) | Ask::EndAgency(_), Some(Code::NotPermitted)) => Situation::AgencyRefused,
            (Ask::ExtendAgency(_), None) => Situation::ExtendedAgency,
            (Ask::ExtendAgency(_), Some(Code::AgencyExtended)) => Situation::ExtendedTooOften,
            (Ask::ExtendAgency(_), Some(Code::EndInvalid)) => Situation::ExtensionInvalid,
            (Ask::EndAgency(_), None) => Situation::AgencyEndedByAct,
            (Ask::ListAgency(_), None) => Situation::AgencyListed,
            (_, Some(Code::AgencyBound)) => Situation::AgencyBound,
            (_, Some(Code::BeyondAgencyEnd)) => Situation::BeyondAgencyEnd,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
