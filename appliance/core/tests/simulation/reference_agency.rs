//! The reference's rules for staff from an agency: somebody with an end, and a list of what is taken from them then.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{DeviceId, PersonId, UnitId};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, JoinCode, Person, Reference};
use crate::reference_patients::Term;
use crate::reference_ward::Chosen;

const SIXTEEN_HOURS: i64 = 16 * 3_600_000;

#[derive(Clone)]
pub(crate) struct Hired {
    /// Name and agency, as somebody in a hurry writes them.
    alike: String,
    unit: UnitId,
    /// When the end was set.
    pub(crate) set: Wall,
    pub(crate) until: Wall,
    pub(crate) over: bool,
    /// How often it was moved.
    pub(crate) times: usize,
}

fn alike(name: &str, agency: &str) -> String {
    let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} of {}", plain(name), plain(agency))
}

impl Person {
    /// Why they may not sign in.
    pub(crate) fn why_out(&self) -> Option<Code> {
        let by_time = self.hired.is_some() && !self.barred;
        self.suspended.then_some(if by_time { Code::AgencyOver } else { Code::PersonSuspended })
    }
}

impl Reference {
    pub(crate) fn is_hired(&self, who: PersonId) -> bool {
        self.ward.person(who).is_some_and(|who| who.hired.is_some())
    }

    pub(crate) fn outlasts(&self, who: PersonId, until: i64) -> bool {
        let hired = self.ward.person(who).and_then(|who| who.hired.as_ref());
        hired.is_some_and(|hired| until > hired.until.0)
    }

    /// `administers`: as a service of the box, or an administrator where they may.
    pub(crate) fn agency(
        &mut self,
        now: Now,
        (by, administers): (Actor, bool),
        body: &Body,
        chosen: Chosen,
    ) -> Expected {
        let refused = Expected::refused;
        let leads = |unit: Option<UnitId>| match by {
            Actor::Person { person, .. } => unit.and_then(|unit| self.ward.post(person, unit)) == Some(true),
            _ => false,
        };
        let above = |who: PersonId| match by {
            Actor::Person { person, .. } => self.is_superior(person, who),
            _ => false,
        };
        match body {
            Body::AdmitAgency(admit) => {
                let unit = UnitId::new(admit.unit).expect("parsed before");
                if !self.ward.units.contains(&unit) {
                    return refused(Code::NoSuchUnit);
                }
                if !administers && !leads(Some(unit)) {
                    return refused(Code::NotPermitted);
                }
                self.admit_agency(now, by, (unit, admit), chosen)
            }
            Body::ExtendAgency(proto::ExtendAgency { person, .. })
            | Body::EndAgency(proto::EndAgency { person }) => {
                let who = PersonId::new(*person).expect("parsed before");
                let Some(entry) = self.ward.person(who) else { return refused(Code::NoSuchPerson) };
                if !administers && !above(who) {
                    return refused(Code::NotPermitted);
                }
                let Some(hired) = entry.hired.clone().filter(|hired| !hired.over) else {
                    return refused(Code::NotAgency);
                };
                if let Body::ExtendAgency(extend) = body {
                    return self.extend_agency(now, by, (who, hired), extend);
                }
                let mut expected = Expected::answered(Answer::Done);
                self.agency_ends(now, by, who, &mut expected);
                self.stats_of_leavers(now, &mut expected);
                self.stats_given_up(now, who, &mut expected);
                // Seen to, and not once more.
                expected
            }
            Body::ListAgency(list) => {
                let unit = UnitId::new(list.unit);
                if !administers && !leads(unit) {
                    return refused(Code::NotPermitted);
                }
                if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
                    return refused(Code::NoSuchUnit);
                }
                let of = |hired: &&Hired| unit.is_none_or(|unit| hired.unit == unit);
                let hired = self.ward.people.iter().filter_map(|person| person.hired.as_ref());
                Expected::answered(Answer::AgencyStays(hired.filter(of).count() as u64))
            }
            _ => Expected::default(),
        }
    }

    fn admit_agency(
        &mut self,
        now: Now,
        by: Actor,
        (unit, admit): (UnitId, &proto::AdmitAgency),
        chosen: Chosen,
    ) -> Expected {
        let refused = Expected::refused;
        if !(1..=SIXTEEN_HOURS).contains(&(admit.until - now.wall.0)) {
            return refused(Code::EndInvalid);
        }
        let alike = alike(&admit.name, &admit.agency);
        let same = |person: &&Person| person.hired.as_ref().is_some_and(|hired| hired.alike == alike);
        let here = |person: &Person| person.hired.as_ref().is_some_and(|hired| !hired.over);
        let who = match PersonId::new(admit.person) {
            Some(who) => {
                let Some(entry) = self.ward.person(who) else { return refused(Code::NoSuchPerson) };
                if !same(&entry) {
                    return refused(Code::AgencyOther);
                }
                if entry.barred {
                    return refused(Code::AgencyBarred);
                }
                if here(entry) {
                    return refused(Code::AgencyKnown);
                }
                who
            }
            None => {
                let mut found = self.ward.people.iter().filter(same).peekable();
                let any = found.peek().is_some();
                if found.any(|person| person.barred) {
                    return refused(Code::AgencyBarred);
                }
                if any && !admit.another_person {
                    return refused(Code::AgencyKnown);
                }
                if self.lobby.disk_scarce {
                    return refused(Code::DiskLow);
                }
                let Some(who) = chosen.person else { return Expected::default() };
                who
            }
        };
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let (Some(hash), until) = (chosen.code, Wall(admit.until)) else { return Expected::default() };
        let hired = Some(Hired { alike, unit, set: now.wall, until, over: false, times: 0 });
        let mut expected = Expected::answered(Answer::AgencyAdmitted(who));
        if admit.person == 0 {
            self.ward.people.push(Person {
                id: who,
                administrator: false,
                privacy_officer: false,
                suspended: false,
                posts: vec![(unit, false)],
                lent: Vec::new(),
                hired,
                barred: false,
                waits: None,
            });
            expected.audits.push((by, Act::AgencyAdmitted(who, unit)));
        } else {
            for person in self.ward.people.iter_mut().filter(|person| person.id == who) {
                (person.hired, person.suspended) = (hired.clone(), false);
                (person.posts, person.lent) = (vec![(unit, false)], Vec::new());
            }
            expected.audits.push((by, Act::AgencyReturned(who, unit)));
        }
        let ahead = (admit.until - now.wall.0).unsigned_abs();
        self.lobby.terms.push((Term::Agency(who), now.mono.after(ahead)));
        if admit.whole_unit || !admit.beds.is_empty() {
            let Some(id) = chosen.assignment else { return Expected::default() };
            let beds = (admit.beds.clone(), admit.until);
            self.give_shift(now, by, (id, who, unit), beds, &mut expected);
        }
        let issuer = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        let expires = now.wall.after(self.policy.join_code_ms);
        self.ward.codes.push(JoinCode { hash, person: who, expires, issuer });
        expected.audits.push((by, Act::JoinCodeIssued(who)));
        expected
    }

    fn extend_agency(
        &mut self,
        now: Now,
        by: Actor,
        (who, hired): (PersonId, Hired),
        extend: &proto::ExtendAgency,
    ) -> Expected {
        let refused = Expected::refused;
        if !(1..=SIXTEEN_HOURS).contains(&(extend.until - now.wall.0)) || extend.until <= hired.until.0 {
            return refused(Code::EndInvalid);
        }
        if hired.times >= 2 {
            return refused(Code::AgencyExtended);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let (until, times, was) = (Wall(extend.until), hired.times + 1, hired.until);
        let ends = now.mono.after((extend.until - now.wall.0).unsigned_abs());
        for person in self.ward.people.iter_mut().filter(|person| person.id == who) {
            person.hired = Some(Hired { until, times, set: now.wall, ..hired.clone() });
        }
        self.lobby.terms.retain(|(term, _)| *term != Term::Agency(who));
        self.lobby.terms.push((Term::Agency(who), ends));
        let mut expected = Expected::answered(Answer::Done);
        expected.audits.push((by, Act::AgencyExtended(who, times as u32)));
        let shifts = self.ward.clinic.shifts.iter_mut();
        for shift in shifts.filter(|shift| shift.person == who && shift.until == was) {
            (shift.since, shift.until) = (now.wall, until);
            self.lobby.terms.retain(|(term, _)| *term != Term::Shift(shift.id));
            self.lobby.terms.push((Term::Shift(shift.id), ends));
            expected.audits.push((by, Act::AssignmentProlonged(shift.id, who)));
        }
        expected
    }

    /// Out of everything; what they have of STATs comes behind.
    pub(crate) fn agency_ends(&mut self, now: Now, by: Actor, who: PersonId, expected: &mut Expected) {
        expected.audits.push((by, Act::AgencyEnded(who)));
        self.lobby.terms.retain(|(term, _)| *term != Term::Agency(who));
        let theirs = |code: &JoinCode| code.person == who || code.issuer == Some(who);
        let withdrawn = self.ward.codes.iter().filter(|code| theirs(code));
        expected.audits.extend(withdrawn.map(|code| (by, Act::JoinCodeWithdrawn(code.person))));
        self.ward.codes.retain(|code| !theirs(code));
        self.end_offers_of(by, who, None, expected);
        self.end_roles_of(now, (by, who), None, expected);
        self.availability_ends(by, who, expected);
        let mut posts = Vec::new();
        for person in self.ward.people.iter_mut().filter(|person| person.id == who) {
            person.suspended = true;
            person.hired.iter_mut().for_each(|hired| hired.over = true);
            posts = std::mem::take(&mut person.posts);
        }
        expected.audits.extend(posts.iter().map(|(unit, _)| (by, Act::PostSet(who, *unit, 0))));
        self.end_shifts_of(by, who, None, expected);
        // With the last post.
        self.withdraw(by, who, expected);
        self.end_emergencies(by, |broken| broken.who == who, expected);
        let places = self.ward.clinic.by_hand.iter().filter(|place| place.1 == who);
        for stay in places.map(|place| place.0).collect::<Vec<_>>() {
            self.ward.clinic.by_hand.retain(|place| (place.0, place.1) != (stay, who));
            self.lobby.terms.retain(|(term, _)| *term != Term::Place(stay, who));
            expected.audits.push((by, Act::CareTeamLeft(stay, who)));
            self.ward.settle(by, expected);
        }
        for place in &mut self.ward.conversations {
            let derived = place.of_patient || place.of_family || place.of_role.is_some() || place.of_house;
            let stays = place.direct || derived;
            if stays || place.purged && place.unit.is_none() {
                continue;
            }
            for member in place.members.iter_mut().filter(|member| member.person == who && !member.left) {
                member.left = true;
                expected.audits.push((by, Act::MemberLeft(place.id, who)));
            }
        }
        let devices = self.ward.devices.iter().filter(|device| device.person == who);
        let devices: Vec<DeviceId> = devices.map(|device| device.id).collect();
        self.expel(&devices, expected);
    }
}
