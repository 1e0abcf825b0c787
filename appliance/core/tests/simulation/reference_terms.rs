//! What ends by time, by the reference's rules.

use super::*;

impl Reference {
    /// As a restart counts them: what the wall clock says is left, and never more than there was.
    pub(crate) fn resume_terms(&mut self, now: Now) {
        let mut terms: Vec<(Term, Wall, Wall)> = Vec::new();
        let clinic = &self.ward.clinic;
        terms.extend(clinic.shifts.iter().map(|shift| (Term::Shift(shift.id), shift.since, shift.until)));
        for (stay, who, since, until) in &clinic.by_hand {
            terms.extend(until.map(|until| (Term::Place(*stay, *who), *since, until)));
        }
        let running = clinic.emergencies.iter().filter(|broken| !broken.over);
        terms.extend(running.map(|broken| (Term::Emergency(broken.id), broken.since, broken.until)));
        let offers = self.ward.roles.iter().flat_map(|role| &role.offers);
        terms.extend(offers.map(|offer| (Term::Offer(offer.id), offer.made, offer.expires)));
        for stay in &clinic.stays {
            let (grace, kept) = (self.policy.thread_grace_ms, self.kept_ms(3));
            let begun =
                stay.closed.map(|closed| (closed, kept)).or(stay.discharged.map(|since| (since, grace)));
            terms.extend(begun.map(|(since, ms)| (Term::Thread(stay.id), since, since.after(ms))));
        }
        for person in &self.ward.people {
            if let Some((_, since, false)) = person.waits {
                terms.push((Term::Suspension(person.id), since, since.after(24 * 3_600_000)));
            }
            let hired = person.hired.as_ref().filter(|hired| !hired.over);
            terms.extend(hired.map(|hired| (Term::Agency(person.id), hired.set, hired.until)));
        }
        terms.extend(self.family_terms());
        terms.extend(self.task_terms());
        terms.extend(self.dnd_terms());
        for (term, since, until) in terms {
            let rest = (until.0 - now.wall.0).clamp(0, until.0 - since.0);
            self.lobby.terms.push((term, now.mono.after(rest.unsigned_abs())));
        }
    }

    /// The box ended something: it was due.
    pub(crate) fn end_term(
        &mut self,
        now: Now,
        term: Term,
        expected: &mut Expected,
    ) -> Result<Situation, String> {
        let ends = self.lobby.terms.iter().find(|(other, _)| *other == term).map(|(_, ends)| *ends);
        let ends: Mono = ends.ok_or_else(|| format!("{term:?} had no end"))?;
        let by_steady = ends <= now.mono;
        let by = Actor::TheBox;
        self.lobby.terms.retain(|(other, _)| *other != term);
        let early = || Err(format!("{term:?} ended too early"));
        match term {
            Term::Shift(id) => {
                let shift = self.ward.clinic.shifts.iter().find(|shift| shift.id == id).cloned();
                let shift = shift.ok_or("a shift of nobody")?;
                if !by_steady && now.wall < shift.until {
                    return early();
                }
                let by_hand = |stay: &EncounterId| {
                    self.ward.clinic.by_hand.iter().any(|place| (place.0, place.1) == (*stay, shift.person))
                };
                let kept = shift.met.iter().any(by_hand);
                self.end_shift(by, id, expected);
                Ok(match (kept, by_steady && now.wall < shift.until) {
                    (true, _) => Situation::KeptByHandWhenShiftEnded,
                    (false, true) => Situation::ShiftOverBySteadyClock,
                    (false, false) => Situation::ShiftOverByClock,
                })
            }
            Term::Place(stay, who) => {
                let place =
                    |place: &(EncounterId, PersonId, Wall, Option<Wall>)| (place.0, place.1) == (stay, who);
                let until = self.ward.clinic.by_hand.iter().find(|p| place(p)).and_then(|place| place.3);
                let until = until.ok_or("a place without an end")?;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.ward.clinic.by_hand.retain(|p| !place(p));
                expected.audits.push((by, Act::CareTeamLeft(stay, who)));
                self.ward.settle(by, expected);
                let steady = by_steady && now.wall < until;
                Ok(if steady { Situation::PlaceOverBySteadyClock } else { Situation::PlaceOverByClock })
            }
            Term::Emergency(id) => {
                let all = &self.ward.clinic.emergencies;
                let until = all.iter().find(|broken| broken.id == id && !broken.over);
                let until = until.ok_or("an emergency of nobody")?.until;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.end_emergencies(by, |broken| broken.id == id, expected);
                Ok(Situation::EmergencyOver)
            }
            Term::Suspension(who) => {
                let person = self.ward.people.iter_mut().find(|person| person.id == who);
                let waits = person.and_then(|person| person.waits.as_mut()).ok_or("nothing waits")?;
                if !by_steady && now.wall < waits.1.after(24 * 3_600_000) {
                    return early();
                }
                waits.2 = true;
                expected.audits.push((by, Act::SuspensionOverdue(who)));
                Ok(Situation::SuspensionOverdue)
            }
            Term::Agency(who) => {
                let hired = self.ward.person(who).and_then(|who| who.hired.as_ref());
                let until = hired.filter(|hired| !hired.over).ok_or("nobody from an agency")?.until;
                if !by_steady && now.wall < until {
                    return early();
                }
                let holds = self.ward.stats.iter().any(|stat| stat.is_taken_by(who));
                self.agency_ends(now, by, who, expected);
                self.lobby.put_out.push(who);
                Ok(match (holds, by_steady && now.wall < until) {
                    (true, _) => Situation::AgencyOverHoldingStat,
                    (false, true) => Situation::AgencyOverBySteadyClock,
                    (false, false) => Situation::AgencyOver,
                })
            }
            Term::Offer(id) => self.offer_expires(now, by_steady, id, expected),
            Term::Visit(who) => {
                let until = self.ward.visitor(who).filter(|one| !one.over).ok_or("nobody visits")?.until;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.end_visit(by, who, expected);
                let steady = by_steady && now.wall < until;
                Ok(if steady { Situation::VisitOverBySteadyClock } else { Situation::VisitOver })
            }
            Term::VisitRequest(device) => {
                let asked = self.ward.family.requests.iter().find(|one| one.device == device);
                let until = asked.ok_or("nobody waits")?.until;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.forget_request(by, device, expected);
                Ok(Situation::VisitForgotten)
            }
            Term::BedCode(stay) => {
                let kept = self.ward.family.codes.iter().find(|code| code.stay == stay);
                let until = kept.ok_or("no code hangs there")?.expires;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.bed_code_ends(by, stay, expected);
                Ok(Situation::BedsideCodeExpired)
            }
            Term::Task(place, sequence) => self.task_overdue(now, by_steady, (place, sequence), expected),
            Term::Dnd(who) => Ok(if self.dnd_over(now, by_steady, who, expected)? {
                Situation::UndisturbedOverBySteadyClock
            } else {
                Situation::UndisturbedOver
            }),
            Term::Thread(id) => {
                if !by_steady {
                    return early();
                }
                let stay = self.ward.clinic.stay_mut(id).ok_or("a thread of nobody")?;
                let thread = stay.thread;
                if stay.closed.is_none() {
                    stay.closed = Some(now.wall);
                    if let Some(thread) = self.ward.conversation_mut(thread) {
                        thread.archived = true;
                    }
                    self.lobby.terms.push((Term::Thread(id), now.mono.after(self.kept_ms(3))));
                    expected.audits.push((by, Act::ThreadClosed(id)));
                    self.ward.tell(thread, by, Told::Closed, expected);
                    return Ok(Situation::ThreadClosed);
                }
                self.end_emergencies(by, |broken| broken.stay == id, expected);
                self.stats_purged(thread, by, expected);
                self.families_filed(by, id, expected);
                expected.audits.push((by, Act::EncounterFiled(id)));
                self.ward.clinic.stays.retain(|stay| stay.id != id);
                self.ward.clinic.by_hand.retain(|place| place.0 != id);
                self.lobby.terms.retain(|(term, _)| !matches!(term, Term::Place(stay, _) if *stay == id));
                self.ward.clinic.shifts.iter_mut().for_each(|shift| shift.met.retain(|met| *met != id));
                if let Some(place) = self.ward.conversation_mut(thread) {
                    for member in place.members.iter_mut().filter(|member| !member.left) {
                        member.left = true;
                        expected.audits.push((by, Act::MemberLeft(thread, member.person)));
                    }
                }
                Ok(Situation::EncounterFiled)
            }
        }
    }
}
