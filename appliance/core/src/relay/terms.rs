//! What ends at a time that was set: an assignment, a place in a care team by hand, a discharged patient's thread, the time here of
//! somebody from an agency.
//!
//! Two clocks, as for sessions. By the steady one, nothing lasts longer than it was to when it began, wherever the wall clock
//! steps back to. By the wall clock, what people set an end to is over at the next sweep once it says so. After a restart the
//! steady clock starts anew, with what the wall clock says is left, and never more than there was at the beginning.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::access::Permit;
use crate::audit::Actor;
use crate::availability::AvailabilityWrite;
use crate::clinic::Standing;
use crate::conversation::Kind;
use crate::directory::Person;
use crate::escalation::StatId;
use crate::ids::{AssignmentId, DeviceId, EmergencyId, EncounterId, OfferId, PersonId, RoleId, Sequence};
use crate::policy::Policy;
use crate::relay::Relay;
use crate::relay::timers::Timer;
use crate::state::State;
use crate::time::{Mono, Now, Wall};
use crate::turn::Turn;
use crate::write::Write;
use crate::{
    agency, assignment, availability, care, emergency, encounter, family, leaving, limits, role, task,
};

/// Something with an end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Term {
    /// Of somebody from an agency. Before what ends with it, of which they hear nothing then.
    Agency(PersonId),
    Assignment(AssignmentId),
    Place(EncounterId, PersonId),
    Emergency(EmergencyId),
    /// Of a role that is offered.
    Offer(RoleId, OfferId),
    /// Of a discharged patient: to the thread's closing, and from there until it is put away.
    Thread(EncounterId),
    /// Of a task, until it is due then.
    Task(StatId, Wall),
    /// A charge nurse's, until it is overdue.
    Suspension(PersonId),
    /// A visitor's time.
    Visit(PersonId),
    /// Of somebody who asked to be let in.
    VisitRequest(DeviceId),
    /// Of the bed of a stay.
    BedsideCode(EncounterId),
    /// That somebody does not want to be disturbed.
    Undisturbed(PersonId),
}

/// When each is over by the steady clock. One timer stands for all of them: when the first is due.
#[derive(Default)]
pub(crate) struct Terms {
    ends: BTreeMap<Term, Mono>,
    looks_at: Option<Mono>,
}

impl Terms {
    /// As the store left them.
    pub(super) fn resume(now: Now, state: &State, policy: &Policy) -> Self {
        let (clinic, kept_ms) = (&state.clinic, state.retention_or(policy).of(Kind::Patient));
        let mut terms = Self::default();
        let rest = |began: Wall, until: Wall| between(now.wall, until).min(between(began, until));
        for held in clinic.assignments.values() {
            terms.set(now, Term::Assignment(held.id), rest(held.since, held.until));
        }
        for ((encounter, person), place) in &clinic.care {
            if let Some(until) = place.until {
                terms.set(now, Term::Place(*encounter, *person), rest(place.since, until));
            }
        }
        for access in clinic.emergencies.values().filter(|access| access.is_running()) {
            terms.set(now, Term::Emergency(access.id), rest(access.since, access.until));
        }
        for (role, offer) in
            state.roles.values().flat_map(|role| role.offers.iter().map(|offer| (role.id, offer)))
        {
            terms.set(now, Term::Offer(role, offer.id), rest(offer.made, offer.expires));
        }
        for stay in clinic.encounters.values() {
            let (began, lasts) = match (stay.standing, stay.closed) {
                (_, Some(closed)) => (closed, kept_ms),
                (Standing::Discharged(since), None) => (since, policy.thread_grace_ms),
                _ => continue,
            };
            terms.set(now, Term::Thread(stay.id), rest(began, began.after(lasts)));
        }
        for (person, entry) in &state.people {
            if let Some(waits) = entry.waits.filter(|waits| !waits.overdue) {
                let until = waits.since.after(limits::SUSPENSION_WAITS_MS);
                terms.set(now, Term::Suspension(*person), rest(waits.since, until));
            }
        }
        for (person, agency) in state.agency_staff().filter(|(_, agency)| agency.is_running()) {
            terms.set(now, Term::Agency(person), rest(agency.set_at(), agency.until));
        }
        for (person, visitor) in state.visitors().filter(|(_, visitor)| visitor.is_running()) {
            terms.set(now, Term::Visit(person), rest(visitor.since, visitor.until));
        }
        for request in state.family.requests.values() {
            terms.set(now, Term::VisitRequest(request.device), rest(request.at, request.until));
        }
        for task in state.tasks.all() {
            if let Some(due) = task.awaits() {
                terms.set(now, Term::Task(task.id, due), rest(task.due_set, due));
            }
        }
        for (encounter, code) in &state.family.codes {
            terms.set(now, Term::BedsideCode(*encounter), rest(code.since, code.expires));
        }
        for (person, set) in state.availability.undisturbed() {
            terms.set(now, Term::Undisturbed(person), rest(set.since, set.until));
        }
        terms
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn set(&mut self, now: Now, term: Term, rest_ms: u64) {
        self.ends.insert(term, now.mono.after(rest_ms));
    }

    /// Nothing of these tasks is awaited any more, where it is over.
    fn forget_tasks(&mut self, which: RangeInclusive<StatId>, over: impl Fn(StatId, Wall) -> bool) {
        let first = Term::Task(*which.start(), Wall(i64::MIN));
        let last = Term::Task(*which.end(), Wall(i64::MAX));
        let is_over = |term: &&Term| matches!(term, Term::Task(id, due) if over(*id, *due));
        let ended: Vec<Term> =
            self.ends.range(first..=last).map(|(term, _)| term).filter(is_over).copied().collect();
        for term in ended {
            self.ends.remove(&term);
        }
    }

    /// What a turn began and ended.
    fn note(&mut self, now: Now, state: &State, policy: &Policy, turn: &Turn) -> bool {
        let kept_ms = state.retention_or(policy).of(Kind::Patient);
        let mut noted = false;
        for numbered in &turn.writes {
            match &numbered.write {
                Write::AssignmentTaken(held) => {
                    self.set(now, Term::Assignment(held.id), between(now.wall, held.until));
                }
                Write::AssignmentProlonged { assignment, until, .. } => {
                    self.set(now, Term::Assignment(*assignment), between(now.wall, *until));
                }
                Write::AssignmentEnded { assignment } => {
                    self.ends.remove(&Term::Assignment(*assignment));
                }
                Write::CareTeamSet { encounter, person, place } => {
                    let term = Term::Place(*encounter, *person);
                    match place.and_then(|place| place.until) {
                        Some(until) => self.set(now, term, between(now.wall, until)),
                        None => {
                            self.ends.remove(&term);
                        }
                    }
                }
                Write::PersonAdded(Person { id, agency: Some(agency), .. })
                | Write::AgencySet { person: id, agency } => {
                    if agency.is_running() {
                        self.set(now, Term::Agency(*id), between(now.wall, agency.until));
                    } else {
                        self.ends.remove(&Term::Agency(*id));
                    }
                }
                Write::SuspensionWaits { person, waits } => match waits {
                    Some(waits) if !waits.overdue => {
                        self.set(now, Term::Suspension(*person), limits::SUSPENSION_WAITS_MS);
                    }
                    _ => {
                        self.ends.remove(&Term::Suspension(*person));
                    }
                },
                Write::PersonAdded(Person { id, visitor: Some(visitor), .. })
                | Write::VisitorSet { person: id, visitor } => {
                    if visitor.is_running() {
                        self.set(now, Term::Visit(*id), between(now.wall, visitor.until));
                    } else {
                        self.ends.remove(&Term::Visit(*id));
                    }
                }
                Write::VisitAsked(request) => {
                    let term = Term::VisitRequest(request.device);
                    if !self.ends.contains_key(&term) {
                        self.set(now, term, between(now.wall, request.until));
                    }
                }
                Write::VisitForgotten { device } => {
                    self.ends.remove(&Term::VisitRequest(*device));
                }
                Write::BedsideCodeSet { encounter, code } => match code {
                    Some(code) => {
                        self.set(now, Term::BedsideCode(*encounter), between(now.wall, code.expires))
                    }
                    None => {
                        self.ends.remove(&Term::BedsideCode(*encounter));
                    }
                },
                Write::TaskSet(task) => {
                    let awaits = task.awaits();
                    self.forget_tasks(task.id..=task.id, |_, due| Some(due) != awaits);
                    if let Some(due) = awaits
                        && !self.ends.contains_key(&Term::Task(task.id, due))
                    {
                        self.set(now, Term::Task(task.id, due), between(now.wall, due));
                    }
                }
                Write::MessageRecalled { conversation, .. }
                | Write::MessagesExpired { conversation, .. }
                | Write::KeyDestroyed { conversation } => {
                    let at = |sequence| StatId { conversation: *conversation, sequence: Sequence(sequence) };
                    self.forget_tasks(at(0)..=at(u64::MAX), |id, _| state.tasks.get(id).is_none());
                }
                Write::EmergencyBegan(access) => {
                    self.set(now, Term::Emergency(access.id), between(now.wall, access.until));
                }
                Write::EmergencyEnded { id, .. } => {
                    self.ends.remove(&Term::Emergency(*id));
                }
                Write::RoleSet(role) => {
                    let is_over = |term: &Term| matches!(term, Term::Offer(of, offer) if *of == role.id && role.offer(*offer).is_none());
                    self.ends.retain(|term, _| !is_over(term));
                    for offer in &role.offers {
                        let term = Term::Offer(role.id, offer.id);
                        if !self.ends.contains_key(&term) {
                            self.set(now, term, between(now.wall, offer.expires));
                        }
                    }
                }
                Write::Availability(AvailabilityWrite::Said { person, availability, begins }) => {
                    match availability.undisturbed {
                        Some(set) if *begins => {
                            self.set(now, Term::Undisturbed(*person), between(now.wall, set.until));
                        }
                        Some(_) => {}
                        None => {
                            self.ends.remove(&Term::Undisturbed(*person));
                        }
                    }
                }
                Write::EncounterStanding { encounter, standing: Standing::Discharged(_), .. } => {
                    self.set(now, Term::Thread(*encounter), policy.thread_grace_ms);
                }
                Write::ThreadClosed { encounter, .. } => {
                    self.set(now, Term::Thread(*encounter), kept_ms);
                }
                Write::RetentionSet(_) => {
                    let closed = state.clinic.encounters.values();
                    for (stay, closed) in closed.filter_map(|stay| stay.closed.map(|at| (stay.id, at))) {
                        let rest = between(now.wall, closed.after(kept_ms)).min(kept_ms);
                        self.set(now, Term::Thread(stay), rest);
                    }
                }
                Write::EncounterFiled { encounter, .. } => {
                    self.ends.retain(|term, _| {
                        *term != Term::Thread(*encounter)
                            && !matches!(term, Term::Place(of, _) if of == encounter)
                    });
                }
                _ => continue,
            }
            noted = true;
        }
        noted
    }
}

/// Milliseconds from one moment to a later one.
fn between(from: Wall, to: Wall) -> u64 {
    u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0)
}

impl Relay {
    /// Follows what a turn began and ended.
    pub(super) fn follow_terms(&mut self, now: Now, turn: &Turn) {
        if self.terms.note(now, &self.state, &self.policy, turn) {
            self.set_term_timer();
        }
    }

    pub(super) fn set_term_timer(&mut self) {
        let first = self.terms.ends.values().min().copied();
        if let Some(was) = std::mem::replace(&mut self.terms.looks_at, first) {
            self.timers.remove(&(was, Timer::Term));
        }
        self.timers.extend(first.map(|first| (first, Timer::Term)));
    }

    /// Ends what is over by the steady clock.
    pub(super) fn terms_due(&mut self, now: Now, turn: &mut Turn) {
        let due = self.terms.ends.iter().filter(|(_, ends)| **ends <= now.mono);
        let due: Vec<Term> = due.map(|(term, _)| *term).collect();
        self.end_terms(now, turn, due);
        self.set_term_timer();
    }

    /// Ends what is over by the wall clock: what people set an end to. How long a thread stays open nobody's clock shortens.
    pub(super) fn sweep_terms(&mut self, now: Now, turn: &mut Turn) {
        let clinic = &self.state.clinic;
        let agencies = self.state.agency_staff();
        let agencies = agencies.filter(|(_, agency)| agency.is_running() && agency.until <= now.wall);
        let mut over: Vec<Term> = agencies.map(|(person, _)| Term::Agency(person)).collect();
        let shifts = clinic.assignments.values().filter(|held| held.until <= now.wall);
        over.extend(shifts.map(|held| Term::Assignment(held.id)));
        let places =
            clinic.care.iter().filter(|(_, place)| place.until.is_some_and(|until| until <= now.wall));
        over.extend(places.map(|((encounter, person), _)| Term::Place(*encounter, *person)));
        let emergencies = clinic.emergencies.values();
        let emergencies = emergencies.filter(|access| access.is_running() && access.until <= now.wall);
        over.extend(emergencies.map(|access| Term::Emergency(access.id)));
        let waiting = self.state.people.values().filter(|entry| {
            let due = |since: Wall| since.after(limits::SUSPENSION_WAITS_MS) <= now.wall;
            entry.waits.is_some_and(|waits| !waits.overdue && due(waits.since))
        });
        over.extend(waiting.map(|entry| Term::Suspension(entry.id)));
        let offers =
            self.state.roles.values().flat_map(|role| role.offers.iter().map(|offer| (role.id, offer)));
        let offers = offers.filter(|(_, offer)| offer.expires <= now.wall);
        over.extend(offers.map(|(role, offer)| Term::Offer(role, offer.id)));
        let visitors = self.state.visitors();
        let visitors = visitors.filter(|(_, visitor)| visitor.is_running() && visitor.until <= now.wall);
        over.extend(visitors.map(|(person, _)| Term::Visit(person)));
        let requests = self.state.family.requests.values().filter(|request| request.until <= now.wall);
        over.extend(requests.map(|request| Term::VisitRequest(request.device)));
        let tasks = self.state.tasks.all().filter_map(|task| Some(Term::Task(task.id, task.awaits()?)));
        over.extend(tasks.filter(|term| matches!(term, Term::Task(_, due) if *due <= now.wall)));
        let codes = self.state.family.codes.iter().filter(|(_, code)| code.expires <= now.wall);
        over.extend(codes.map(|(encounter, _)| Term::BedsideCode(*encounter)));
        let silent = self.state.availability.undisturbed().filter(|(_, set)| set.until <= now.wall);
        over.extend(silent.map(|(person, _)| Term::Undisturbed(person)));
        self.end_terms(now, turn, over);
    }

    fn end_terms(&mut self, now: Now, turn: &mut Turn, over: Vec<Term>) {
        for term in &over {
            if let Term::Agency(person) = term {
                agency::shut(&mut self.draft(now, turn), Permit::OF_TIME, *person);
            }
        }
        for term in over {
            self.end_term(now, turn, term);
        }
    }

    fn end_term(&mut self, now: Now, turn: &mut Turn, term: Term) {
        self.terms.ends.remove(&term);
        let mut draft = self.draft(now, turn);
        match term {
            Term::Assignment(id) => assignment::end(&mut draft, Permit::OF_TIME, id),
            Term::Place(encounter, person) => care::end_place(&mut draft, encounter, person),
            Term::Emergency(id) => emergency::end(&mut draft, Permit::OF_TIME, id),
            Term::Offer(role, id) => role::offer::expire(&mut draft, role, id),
            Term::Thread(id) => encounter::ripen(&mut draft, id),
            Term::Suspension(person) => leaving::overdue(&mut draft, person),
            Term::Visit(person) => family::ending::end(&mut draft, Permit::OF_TIME, person),
            Term::VisitRequest(device) => family::ending::forget(&mut draft, Permit::OF_TIME, device),
            Term::Task(id, _) => task::overdue(&mut draft, id),
            Term::BedsideCode(id) => family::ending::end_code(&mut draft, Permit::OF_TIME, id),
            Term::Undisturbed(person) => availability::expire(&mut draft, person),
            Term::Agency(person) => {
                agency::clear(&mut draft, Permit::OF_TIME, person);
                self.put_out(now, turn, person, Actor::TheBox);
            }
        }
    }
}
