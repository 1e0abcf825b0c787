//! The reference's rules for availability: who does not want to be disturbed, minute by minute.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, PersonId, Sequence};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::set_availability::Says;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Phase, Reference, Ward};
use crate::reference_patients::Term;

const MINUTE: i64 = 60_000;

/// Days, from, to.
type Span = (u32, u32, u32);

/// What somebody says of themselves.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct SaysSo {
    pub(crate) who: u64,
    pub(crate) dnd: Option<Dnd>,
    quiet: Option<(String, Vec<Span>)>,
    number: String,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Dnd {
    since: Wall,
    pub(crate) until: Wall,
    pub(crate) cover: Option<PersonId>,
}

impl SaysSo {
    pub(crate) fn is_silent(&self, at: Wall) -> bool {
        let by_dnd = self.dnd.is_some_and(|dnd| at < dnd.until);
        let by_hours = self.quiet.iter().any(|(zone, spans)| {
            // Half past, and never another.
            let ahead = if zone == "UTC" { 0 } else { 330 };
            let minutes = at.0.div_euclid(MINUTE) + ahead;
            let (day, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440) as u32);
            let of_week = |day: i64| 1 << (day + 3).rem_euclid(7);
            spans.iter().any(|(days, from, to)| {
                let begun = days & of_week(day) != 0 && *from <= minute && (to <= from || minute < *to);
                let from_before = days & of_week(day - 1) != 0 && to <= from && minute < *to;
                begun || from_before
            })
        });
        by_dnd || by_hours
    }

    fn silent_until(&self, now: Wall) -> i64 {
        if !self.is_silent(now) {
            return 0;
        }
        let mut at = now;
        while self.is_silent(at) {
            let next = Wall(at.0 - at.0.rem_euclid(MINUTE) + MINUTE);
            let set = self.dnd.map(|dnd| dnd.until).filter(|until| at < *until);
            at = set.map_or(next, |until| until.min(next));
        }
        at.0
    }
}

impl Ward {
    pub(crate) fn said(&self, who: PersonId) -> SaysSo {
        let said = self.said.iter().find(|said| said.who == who.value()).cloned();
        said.unwrap_or_else(|| SaysSo { who: who.value(), ..SaysSo::default() })
    }

    pub(crate) fn covered_by(&self, who: PersonId) -> Vec<(u64, i64)> {
        let set = self.said.iter().filter_map(|said| Some((said.who, said.dnd?)));
        let mut theirs: Vec<(u64, i64)> = set
            .filter(|(_, dnd)| dnd.cover == Some(who))
            .map(|(covered, dnd)| (covered, dnd.until.0))
            .collect();
        theirs.sort_unstable();
        theirs
    }

    fn are_colleagues(&self, a: PersonId, b: PersonId) -> bool {
        let (Some(one), Some(other)) = (self.person(a), self.person(b)) else { return false };
        let works = |who: &crate::reference::Person| !who.suspended && !who.privacy_officer;
        let share = one.posts.iter().any(|(unit, _)| other.posts.iter().any(|(there, _)| there == unit));
        a != b && works(one) && works(other) && share
    }

    /// For whom it rings besides these, or instead; not instead of somebody whose cover has said that they cannot.
    pub(crate) fn with_covers(
        &self,
        people: Vec<PersonId>,
        caller: PersonId,
        cannot: impl Fn(PersonId) -> bool,
    ) -> Vec<PersonId> {
        let mut rings = Vec::new();
        for person in people {
            let cover = self.said(person).dnd.and_then(|dnd| dnd.cover);
            let cover = cover.filter(|cover| {
                *cover != caller
                    && !cannot(*cover)
                    && self.person(*cover).is_some_and(|cover| !cover.suspended)
            });
            if cover.is_none() || !self.cover_instead {
                rings.push(person);
            }
            rings.extend(cover);
        }
        rings.sort_unstable();
        rings.dedup();
        rings
    }
}

/// A number of what is told.
pub(crate) fn digest(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(7, |sum, part| (sum ^ part).wrapping_mul(0x0100_0000_01b3))
}

pub(crate) fn digest_of(page: &proto::AvailabilityPage) -> u64 {
    let parts = page.people.iter().flat_map(|told| {
        let own = !told.number.is_empty() || told.quiet.is_some();
        [
            told.person,
            u64::from(told.on_duty),
            told.silent_until.unsigned_abs(),
            told.undisturbed_until.unsigned_abs(),
            told.cover,
            u64::from(own),
        ]
    });
    digest(parts.chain([u64::from(page.cover_instead)]))
}

impl Reference {
    pub(crate) fn availability(&mut self, now: Now, by: Actor, administers: bool, body: &Body) -> Expected {
        let me = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        match (body, me) {
            (Body::SetCoverPolicy(set), _) => {
                if !administers {
                    return Expected::refused(Code::NotAdministrator);
                }
                let mut expected = Expected::answered(Answer::Done);
                if self.ward.cover_instead != set.cover_instead {
                    self.ward.cover_instead = set.cover_instead;
                    expected.audits.push((by, Act::CoverPolicySet(set.cover_instead.into())));
                }
                expected
            }
            (Body::SetAvailability(set), Some(me)) => self.say(now, (by, me), set),
            (Body::RefuseCover(refuse), Some(me)) => {
                let whose = PersonId::new(refuse.person).expect("parsed before");
                if self.ward.said(whose).dnd.and_then(|dnd| dnd.cover) != Some(me) {
                    return Expected::refused(Code::Availability);
                }
                let mut expected = Expected::answered(Answer::Done);
                self.uncover(by, whose, &mut expected);
                expected
            }
            (Body::AskAvailability(ask), Some(me)) => self.look(now, me, ask),
            (Body::AskNumbers(ask), Some(me)) => self.numbers(by, me, ask),
            _ => Expected::refused(Code::NotPermitted),
        }
    }

    fn say(&mut self, now: Now, (by, me): (Actor, PersonId), set: &proto::SetAvailability) -> Expected {
        let was = self.ward.said(me);
        let mut becomes = was.clone();
        let refused = Expected::refused(Code::Availability);
        let act = match set.says.as_ref().expect("parsed before") {
            Says::Undisturbed(set) if set.until == 0 => {
                becomes.dnd = None;
                Act::UndisturbedEnded(me)
            }
            Says::Undisturbed(set) => {
                let (until, cover) = (Wall(set.until), PersonId::new(set.cover));
                if until <= now.wall || until.0 > now.wall.0 + 16 * 3_600_000 {
                    return refused;
                }
                if !self.ward.covered_by(me).is_empty() {
                    return refused;
                }
                if let Some(cover) = cover {
                    let others = self.ward.covered_by(cover).iter().filter(|of| of.0 != me.value()).count();
                    if !self.ward.are_colleagues(me, cover)
                        || self.ward.said(cover).dnd.is_some()
                        || others >= 8
                    {
                        return refused;
                    }
                }
                becomes.dnd = Some(Dnd { since: now.wall, until, cover });
                Act::UndisturbedSet(me, until, cover)
            }
            Says::Quiet(set) => {
                let mut spans: Vec<(u32, u32, u32)> =
                    set.spans.iter().map(|span| (span.days, span.from, span.to)).collect();
                spans.sort_unstable();
                spans.dedup();
                let count = spans.len() as u32;
                becomes.quiet = (count > 0).then(|| (set.zone.clone(), spans));
                Act::QuietHoursSet(me, count)
            }
            Says::Number(number) => {
                becomes.number.clone_from(number);
                Act::OffSiteNumberSet(me, u32::from(!number.is_empty()))
            }
            Says::Clear(_) => {
                becomes = SaysSo { who: me.value(), ..SaysSo::default() };
                Act::AvailabilityCleared(me)
            }
        };
        let mut expected = Expected::answered(Answer::Done);
        if becomes == was {
            return expected;
        }
        let lifts = matches!(act, Act::UndisturbedEnded(_) | Act::AvailabilityCleared(_));
        if self.lobby.disk_scarce && !lifts {
            return Expected::refused(Code::DiskLow);
        }
        expected.audits.push((by, act));
        if becomes.dnd != was.dnd {
            self.lobby.terms.retain(|(term, _)| *term != Term::Dnd(me));
            let ends = becomes.dnd.map(|dnd| now.mono.after(dnd.until.0.abs_diff(now.wall.0)));
            self.lobby.terms.extend(ends.map(|ends| (Term::Dnd(me), ends)));
        }
        self.keep_said(becomes);
        expected
    }

    fn keep_said(&mut self, said: SaysSo) {
        self.ward.said.retain(|other| other.who != said.who);
        if said != (SaysSo { who: said.who, ..SaysSo::default() }) {
            self.ward.said.push(said);
        }
    }

    fn uncover(&mut self, by: Actor, whose: PersonId, expected: &mut Expected) {
        let mut said = self.ward.said(whose);
        if let Some(dnd) = &mut said.dnd
            && let Some(cover) = dnd.cover.take()
        {
            expected.audits.push((by, Act::CoverEnded(whose, cover)));
            self.keep_said(said);
        }
    }

    fn look(&self, now: Now, me: PersonId, ask: &proto::AskAvailability) -> Expected {
        let mut parts = Vec::new();
        for id in &ask.people {
            let who = PersonId::new(*id).expect("parsed before");
            if self.ward.person(who).is_none() {
                return Expected::refused(Code::NoSuchPerson);
            }
            let said = self.ward.said(who);
            let own = who == me && (said.quiet.is_some() || !said.number.is_empty());
            let cover = said.dnd.and_then(|dnd| dnd.cover);
            parts.extend([
                *id,
                u64::from(self.is_on_duty(now.wall, who)),
                said.silent_until(now.wall).unsigned_abs(),
                said.dnd.map_or(0, |dnd| dnd.until.0.unsigned_abs()),
                cover.map_or(0, PersonId::value),
                u64::from(own),
            ]);
        }
        parts.push(u64::from(self.ward.cover_instead));
        Expected::answered(Answer::Availability(digest(parts.into_iter())))
    }

    fn is_on_duty(&self, at: Wall, who: PersonId) -> bool {
        let shifts = &self.ward.clinic.shifts;
        let has_beds =
            shifts.iter().any(|shift| shift.person == who && shift.since <= at && at < shift.until);
        let mut roles = self.ward.roles.iter().filter(|role| !role.retired);
        has_beds || roles.any(|role| self.ward.holders(role, at).contains(&who))
    }

    /// A device of theirs is connected and known.
    fn is_here(&self, who: PersonId) -> bool {
        self.lobby.links.iter().any(|link| match link.phase {
            Phase::In(device) | Phase::PinDue(device) | Phase::PinChecking(device, _) => {
                self.ward.device(device).is_some_and(|device| device.person == who)
            }
            _ => false,
        })
    }

    fn numbers(&mut self, by: Actor, me: PersonId, ask: &proto::AskNumbers) -> Expected {
        let id = (ConversationId::new(ask.conversation).expect("parsed before"), ask.sequence);
        let member = self.ward.member(id.0, me).is_some();
        let stat = self.stat(id).cloned();
        let leads = stat.as_ref().and_then(|stat| stat.unit);
        let leads = leads.is_some_and(|unit| self.ward.post(me, unit) == Some(true));
        let called = stat
            .as_ref()
            .is_some_and(|stat| stat.called.iter().any(|called| called.person == me && !called.out));
        if !member && !called && !leads {
            return Expected::refused(Code::NoSuchConversation);
        }
        let Some(stat) = stat else { return Expected::refused(Code::NoSuchStat) };
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let away = stat.called.iter().filter(|called| !called.cannot).map(|called| called.person);
        let away = away.filter(|who| !self.ward.said(*who).number.is_empty() && !self.is_here(*who));
        let mut expected = Expected::answered(Answer::Numbers(away.count() as u64));
        expected.audits.push((by, Act::OffSiteNumbersShown(id.0, Sequence(id.1))));
        expected
    }

    /// Somebody may not sign in any more.
    pub(crate) fn availability_ends(&mut self, by: Actor, who: PersonId, expected: &mut Expected) {
        if self.ward.said.iter().any(|said| said.who == who.value()) {
            self.keep_said(SaysSo { who: who.value(), ..SaysSo::default() });
            self.lobby.terms.retain(|(term, _)| *term != Term::Dnd(who));
            expected.audits.push((by, Act::AvailabilityCleared(who)));
        }
        for (covered, _) in self.ward.covered_by(who) {
            self.uncover(by, PersonId::new(covered).expect("somebody"), expected);
        }
    }

    /// Whoever is no colleague any more covers no more.
    pub(crate) fn covers_settle(&mut self, by: Actor, expected: &mut Expected) {
        for said in self.ward.said.clone() {
            let who = PersonId::new(said.who).expect("somebody");
            if let Some(cover) = said.dnd.and_then(|dnd| dnd.cover)
                && !self.ward.are_colleagues(who, cover)
            {
                self.uncover(by, who, expected);
            }
        }
    }

    pub(crate) fn dnd_terms(&self) -> Vec<(Term, Wall, Wall)> {
        let set = self.ward.said.iter().filter_map(|said| Some((PersonId::new(said.who)?, said.dnd?)));
        set.map(|(who, dnd)| (Term::Dnd(who), dnd.since, dnd.until)).collect()
    }

    /// Its time is over: whether by the steady clock alone.
    pub(crate) fn dnd_over(
        &mut self,
        now: Now,
        by_steady: bool,
        who: PersonId,
        expected: &mut Expected,
    ) -> Result<bool, String> {
        let mut said = self.ward.said(who);
        let until = said.dnd.ok_or("nobody who is not to be disturbed")?.until;
        if !by_steady && now.wall < until {
            return Err(format!("{who} is disturbed too early"));
        }
        said.dnd = None;
        self.keep_said(said);
        expected.audits.push((Actor::TheBox, Act::UndisturbedEnded(who)));
        Ok(by_steady && now.wall < until)
    }
}
