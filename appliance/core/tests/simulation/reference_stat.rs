//! The reference's rules for STAT: who it rings for, who may answer it, what follows when nobody does.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::answer_stat::Answer as Says;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Phase, Reference};
use crate::reference_signed::call_fits;

/// Who is called by a step.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Whom {
    Addressed,
    InCharge,
    AllStaff,
    This(PersonId),
    OnCall(RoleId),
}

/// A step, and its seconds.
pub(crate) type Ladder = Vec<(Whom, u64)>;

#[derive(Clone)]
pub(crate) struct Stat {
    pub(crate) place: ConversationId,
    pub(crate) sequence: u64,
    pub(crate) sender: PersonId,
    pub(crate) unit: Option<UnitId>,
    pub(crate) ladder: Ladder,
    pub(crate) stands: Stands,
    pub(crate) step: usize,
    /// When the step began or was held, by the clock on the wall: what a restart has.
    pub(crate) since: Wall,
    pub(crate) opened: Wall,
    pub(crate) called: Vec<Called>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Stands {
    Ringing,
    /// By whom, and how much of the step was over.
    Held(PersonId, u64),
    /// By whom, and who else says so; when.
    Taken(Option<PersonId>, Option<PersonId>, Wall),
}

#[derive(Clone)]
pub(crate) struct Called {
    pub(crate) person: PersonId,
    pub(crate) step: usize,
    pub(crate) cannot: bool,
    /// Was put out of the conversation since.
    pub(crate) out: bool,
    pub(crate) held: bool,
}

/// When a STAT's stage is over, and when somebody looks whether it can be heard.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) place: ConversationId,
    pub(crate) sequence: u64,
    pub(crate) ends: Mono,
    pub(crate) looks: Mono,
}

type Id = (ConversationId, u64);

impl Stat {
    pub(crate) fn id(&self) -> Id {
        (self.place, self.sequence)
    }

    pub(crate) fn rings_for(&self, person: PersonId) -> bool {
        self.called.iter().any(|called| called.person == person && !called.cannot)
    }

    pub(crate) fn is_taken_by(&self, person: PersonId) -> bool {
        matches!(self.stands, Stands::Taken(Some(by), None, _) if by == person)
    }

    pub(crate) fn unanswered(&self) -> bool {
        !matches!(self.stands, Stands::Taken(..))
    }

    fn seconds(&self) -> Option<u64> {
        self.ladder.get(self.step).map(|(_, seconds)| seconds * 1_000)
    }

    pub(crate) fn call(&mut self, person: PersonId) -> &mut Called {
        let at = self.called.iter().position(|called| called.person == person).unwrap_or_else(|| {
            self.called.push(Called { person, step: self.step, cannot: false, out: false, held: false });
            self.called.len() - 1
        });
        &mut self.called[at]
    }

    pub(crate) fn left_at_this_step(&self) -> bool {
        self.called.iter().any(|called| called.step == self.step && !called.cannot)
    }
}

impl Reference {
    pub(crate) fn stat(&self, id: Id) -> Option<&Stat> {
        self.ward.stats.iter().find(|stat| stat.id() == id)
    }

    pub(crate) fn stat_mut(&mut self, id: Id) -> Option<&mut Stat> {
        self.ward.stats.iter_mut().find(|stat| stat.id() == id)
    }

    pub(crate) fn ladder(&self, unit: Option<UnitId>) -> Ladder {
        let set =
            |unit| self.ward.ladders.iter().find(|(of, _)| *of == unit).map(|(_, ladder)| ladder.clone());
        let standard = vec![(Whom::Addressed, 60), (Whom::InCharge, 60), (Whom::AllStaff, 120)];
        set(unit).or_else(|| set(None)).unwrap_or(standard)
    }

    /// A device has its app open in front of somebody: signed in, and heard of in the last twenty seconds.
    pub(crate) fn can_be_reached(&self, now: Now, person: PersonId) -> bool {
        self.lobby.links.iter().any(|link| match link.phase {
            Phase::In(device) => {
                let theirs = self.ward.device(device).is_some_and(|device| device.person == person);
                let heard = self.lobby.heard.iter().find(|(other, _)| *other == device);
                theirs && heard.is_some_and(|(_, at)| now.mono.0 - at.0 <= 20_000)
            }
            _ => false,
        })
    }

    pub(crate) fn hear(&mut self, now: Now, device: DeviceId) {
        self.lobby.heard.retain(|(other, _)| *other != device);
        self.lobby.heard.push((device, now.mono));
    }

    /// Ten at once, then one in twenty seconds.
    pub(crate) fn stat_is_too_soon(&mut self, now: Now, device: DeviceId) -> bool {
        let sent = self.lobby.stats_sent.iter().filter(|(_, other)| *other == device);
        if crate::reference_signin::left(now, sent.map(|(when, _)| *when), 10, 50) < 1_000_000 {
            return true;
        }
        self.lobby.stats_sent.push((now.mono, device));
        false
    }

    /// For whom a STAT would ring, and by whose ladder.
    pub(crate) fn stat_plan(
        &self,
        me: PersonId,
        place: ConversationId,
        call: &proto::Call,
    ) -> Result<(Option<UnitId>, Vec<PersonId>), Code> {
        if self.ward.conversation(place).is_some_and(|place| place.of_family) {
            return Err(Code::FamilyNoStat);
        }
        if self.ward.conversation(place).is_some_and(|place| place.of_role.is_some()) {
            return Err(Code::RoleInboxNoStat);
        }
        if self.ward.conversation(place).is_some_and(|place| place.of_house) {
            return Err(Code::BroadcastNoStat);
        }
        let mut people: Vec<PersonId> =
            call.people.iter().map(|id| PersonId::new(*id).expect("parsed before")).collect();
        if people.iter().any(|person| self.ward.member(place, *person).is_none()) {
            return Err(Code::NotAMember);
        }
        let Some(conversation) = self.ward.conversation(place) else { return Err(Code::NoSuchConversation) };
        if people.is_empty() {
            let present = conversation.members.iter().filter(|member| !member.left);
            people = present.map(|member| member.person).collect();
        }
        people.sort_unstable();
        people.dedup();
        people.retain(|who| *who != me && self.ward.person(*who).is_some_and(|who| !who.suspended));
        let people = self.ward.with_covers(people, me, |_| false);
        let named = UnitId::new(call.unit);
        if named.is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Err(Code::NoSuchUnit);
        }
        let posts = |who: PersonId| {
            let mut units: Vec<UnitId> = self
                .ward
                .person(who)
                .map_or(Vec::new(), |who| who.posts.iter().map(|(unit, _)| *unit).collect());
            units.sort_unstable();
            units
        };
        let theirs: Vec<UnitId> = people.iter().flat_map(|who| posts(*who)).collect();
        let shared = theirs.iter().copied().find(|unit| posts(me).contains(unit));
        let guess = shared.or(theirs.first().copied()).or(posts(me).first().copied());
        let lies = self.ward.clinic.stays.iter().find(|stay| stay.thread == place).map(|stay| stay.unit);
        let unit = conversation.unit.or(lies).or(named).or(guess);
        if people.is_empty() && unit.is_none() {
            return Err(Code::NobodyToRing);
        }
        Ok((unit, people))
    }

    pub(crate) fn stat_opens(
        &mut self,
        now: Now,
        device: DeviceId,
        (me, place, sequence): (PersonId, ConversationId, u64),
        (unit, people): (Option<UnitId>, Vec<PersonId>),
        expected: &mut Expected,
    ) {
        let ladder = self.ladder(unit);
        let called = people.into_iter().map(|person| Called {
            person,
            step: 0,
            cannot: false,
            out: false,
            held: false,
        });
        let called: Vec<Called> = called.collect();
        let alone = called.is_empty();
        let (stands, step, since) = (Stands::Ringing, 0, now.wall);
        let opened = now.wall;
        let stat = Stat { place, sequence, sender: me, unit, ladder, stands, step, since, opened, called };
        self.ward.stats.push(stat);
        expected.audits.push((self.actor(device), Act::StatOpened(place, Sequence(sequence))));
        if alone {
            self.stat_steps(now, (place, sequence), expected);
        } else {
            self.stat_begins(now, (place, sequence));
        }
    }

    /// The step's time runs from now.
    fn stat_begins(&mut self, now: Now, id: Id) {
        let left = self.stat(id).and_then(Stat::seconds);
        self.stat_runs(now, id, left);
        self.bells_of_step(id);
    }

    fn stat_runs(&mut self, now: Now, (place, sequence): Id, left: Option<u64>) {
        self.lobby.clocks.retain(|clock| (clock.place, clock.sequence) != (place, sequence));
        if let Some(left) = left {
            let ends = now.mono.after(left);
            let looks = ends.min(now.mono.after(4_000));
            self.lobby.clocks.push(Clock { place, sequence, ends, looks });
        }
    }

    fn stat_waits(&mut self, now: Now, id: Id, left: u64) {
        self.stat_runs(now, id, Some(left));
        if let Some(clock) = self.lobby.clocks.last_mut() {
            clock.looks = clock.ends;
        }
    }

    /// The process is new: what was under way goes on, with what is left of it by the clock on the wall.
    pub(crate) fn stats_go_on(&mut self, now: Now) {
        for stat in self.ward.stats.clone() {
            let passed = u64::try_from(now.wall.0 - stat.since.0).unwrap_or(0);
            match (stat.stands, stat.seconds()) {
                (Stands::Ringing, Some(whole)) => {
                    self.stat_runs(now, stat.id(), Some(whole.saturating_sub(passed)));
                    // Phones need a while to find the box again.
                    if let Some(clock) = self.lobby.clocks.last_mut() {
                        clock.looks = clock.ends.min(now.mono.after(30_000));
                    }
                }
                (Stands::Held(..), _) => self.stat_waits(now, stat.id(), 60_000_u64.saturating_sub(passed)),
                _ => {}
            }
        }
    }

    pub(crate) fn answer_stat(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        said: &proto::AnswerStat,
    ) -> Expected {
        let id = (ConversationId::new(said.conversation).expect("parsed before"), said.sequence);
        let member = self.ward.member(id.0, me).is_some();
        let called =
            self.stat(id).and_then(|stat| stat.called.iter().find(|called| called.person == me)).cloned();
        let rung = called.as_ref().is_some_and(|called| !called.out);
        if !member && !rung {
            return Expected::refused(Code::NoSuchConversation);
        }
        let Some(stat) = self.stat(id).cloned() else { return Expected::refused(Code::NoSuchStat) };
        let caller = stat.sender == me;
        let (has_it, says_so) = match stat.stands {
            Stands::Taken(by, noted, _) => (by == Some(me), noted == Some(me)),
            _ => (false, false),
        };
        let may_answer = rung || member && !caller;
        let may = match said.answer.as_ref().expect("parsed before") {
            Says::Accept(_) | Says::Coming(_) => may_answer,
            Says::Decline(_) => rung,
            Says::HandBack(_) => has_it || says_so,
            Says::CallNote(_) => may_answer || caller,
            Says::Close(_) => has_it || says_so || caller,
        };
        if !may {
            return Expected::refused(Code::NotPermitted);
        }
        if !self.is_signed(device, said) {
            return Expected::refused(Code::StatUnsigned);
        }
        let by = self.actor(device);
        let (place, sequence) = (id.0, Sequence(id.1));
        let mut expected = Expected::answered(Answer::Done);
        match said.answer.as_ref().expect("parsed before") {
            Says::Coming(_) => {
                let passed = match stat.stands {
                    Stands::Held(who, _) if who == me => return expected,
                    Stands::Held(..) => return Expected::refused(Code::StatHeld),
                    Stands::Taken(..) => return Expected::refused(Code::StatTaken),
                    Stands::Ringing => self.stat_passed(now, &stat),
                };
                if called.is_some_and(|called| called.held) {
                    return Expected::refused(Code::HeldBefore);
                }
                expected.audits.push((by, Act::StatHeld(place, sequence)));
                if let Some(stat) = self.stat_mut(id) {
                    (stat.stands, stat.since) = (Stands::Held(me, passed), now.wall);
                    let called = stat.call(me);
                    (called.held, called.cannot, called.out) = (true, false, false);
                }
                self.stat_waits(now, id, 60_000);
            }
            Says::Accept(_) => {
                let noted = matches!(stat.stands, Stands::Taken(_, Some(_), _));
                if has_it && !noted {
                    return expected;
                }
                if !stat.unanswered() && !has_it {
                    return Expected::refused(Code::StatTaken);
                }
                expected.audits.push((by, Act::StatAccepted(place, sequence)));
                self.stat_taken(now, id, Some(me), None);
            }
            Says::CallNote(note) => {
                let reached = PersonId::new(note.reached);
                if reached.is_some_and(|reached| self.ward.person(reached).is_none_or(|who| who.suspended)) {
                    return Expected::refused(Code::NoSuchPerson);
                }
                if !stat.unanswered() {
                    return Expected::refused(Code::StatTaken);
                }
                if !call_fits(note, stat.opened, now.wall) {
                    return Expected::refused(Code::CallNoteWhen);
                }
                let act = Act::StatNoted(place, sequence, reached, note.read_back.into());
                expected.audits.push((by, act));
                self.stat_taken(now, id, reached, Some(me));
            }
            Says::Decline(why) => {
                if !stat.unanswered() {
                    return Expected::refused(Code::StatTaken);
                }
                self.stat_declined(now, id, (me, by), why.reason as u32, &mut expected);
            }
            Says::HandBack(_) => {
                expected.audits.push((by, Act::StatHandedBack(place, sequence)));
                let Stands::Taken(by, ..) = stat.stands else { return expected };
                self.stat_resumes(now, id, by, &mut expected);
            }
            Says::Close(_) => self.stat_closes(id, by, &mut expected),
        }
        expected
    }

    /// How much of its step a STAT has behind it.
    fn stat_passed(&self, now: Now, stat: &Stat) -> u64 {
        let clock = self.lobby.clocks.iter().find(|clock| (clock.place, clock.sequence) == stat.id());
        match (stat.seconds(), clock) {
            (Some(whole), Some(clock)) => whole.saturating_sub(clock.ends.0.saturating_sub(now.mono.0)),
            _ => 0,
        }
    }

    fn stat_taken(&mut self, now: Now, id: Id, by: Option<PersonId>, noted: Option<PersonId>) {
        self.stat_runs(now, id, None);
        if let Some(stat) = self.stat_mut(id) {
            stat.stands = Stands::Taken(by, noted, now.wall);
            if let Some(by) = by {
                let called = stat.call(by);
                (called.cannot, called.out) = (false, false);
            }
        }
    }

    fn stat_declined(
        &mut self,
        now: Now,
        id: Id,
        (who, by): (PersonId, Actor),
        reason: u32,
        expected: &mut Expected,
    ) {
        expected.audits.push((by, Act::StatDeclined(id.0, Sequence(id.1), reason)));
        let Some(stat) = self.stat_mut(id) else { return };
        let called = stat.call(who);
        (called.cannot, called.out) = (true, reason == 6);
        let left = stat.left_at_this_step() || stat.step >= stat.ladder.len();
        match stat.stands {
            Stands::Held(holder, _) if holder != who => {}
            Stands::Held(..) if left => self.stat_unheld(now, id),
            _ if left => {}
            _ => self.stat_steps(now, id, expected),
        }
    }

    fn stat_unheld(&mut self, now: Now, id: Id) {
        let Some(stat) = self.stat_mut(id) else { return };
        if let Stands::Held(_, passed) = stat.stands {
            (stat.stands, stat.since) = (Stands::Ringing, Wall(now.wall.0 - passed as i64));
            let left = stat.seconds().map(|whole| whole.saturating_sub(passed));
            self.stat_runs(now, id, left);
            self.bells_of_step(id);
        }
    }

    /// Whoever had it has not any more.
    fn stat_resumes(&mut self, now: Now, id: Id, who: Option<PersonId>, expected: &mut Expected) {
        let Some(stat) = self.stat_mut(id) else { return };
        if let Some(who) = who {
            stat.call(who).cannot = true;
        }
        (stat.stands, stat.since) = (Stands::Ringing, now.wall);
        if stat.left_at_this_step() || stat.step >= stat.ladder.len() {
            self.stat_begins(now, id);
        } else {
            self.stat_steps(now, id, expected);
        }
    }

    /// On to the next step that calls somebody whom none before it called; behind the last are the screens.
    pub(crate) fn stat_steps(&mut self, now: Now, id: Id, expected: &mut Expected) {
        let Some(stat) = self.stat(id).cloned() else { return };
        let mut next = (stat.ladder.len(), Vec::new());
        for (step, (whom, _)) in stat.ladder.iter().enumerate().skip(stat.step + 1) {
            let mut people = self.called_by(now, &stat, *whom);
            people.retain(|who| !stat.called.iter().any(|called| called.person == *who));
            if !people.is_empty() {
                next = (step, people);
                break;
            }
        }
        expected.audits.push((Actor::TheBox, Act::StatStep(id.0, Sequence(id.1), next.0 as u32)));
        if let Some(stat) = self.stat_mut(id) {
            (stat.step, stat.stands, stat.since) = (next.0, Stands::Ringing, now.wall);
            for person in next.1 {
                stat.call(person);
            }
        }
        self.stat_begins(now, id);
    }

    /// Whom a step calls, whoever was called before.
    pub(crate) fn called_by(&self, now: Now, stat: &Stat, whom: Whom) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = match whom {
            Whom::Addressed => Vec::new(),
            Whom::This(person) => vec![person],
            Whom::OnCall(role) => {
                let role = self.ward.role(role);
                role.map_or(Vec::new(), |role| self.ward.holders(role, now.wall))
            }
            Whom::InCharge | Whom::AllStaff => {
                let works = |person: &&crate::reference::Person| {
                    let unit = |(unit, charge): &(UnitId, bool)| {
                        Some(*unit) == stat.unit && (whom == Whom::AllStaff || *charge)
                    };
                    person.posts.iter().any(unit)
                };
                self.ward.people.iter().filter(works).map(|person| person.id).collect()
            }
        };
        people.retain(|who| {
            *who != stat.sender
                && self.ward.person(*who).is_some_and(|who| !who.suspended && !who.privacy_officer)
        });
        let cannot = |who| stat.called.iter().any(|called| called.person == who && called.cannot);
        self.ward.with_covers(people, stat.sender, cannot)
    }

    pub(crate) fn stat_closes(&mut self, id: Id, by: Actor, expected: &mut Expected) {
        self.ward.stats.retain(|stat| stat.id() != id);
        self.lobby.clocks.retain(|clock| (clock.place, clock.sequence) != id);
        expected.audits.push((by, Act::StatClosed(id.0, Sequence(id.1))));
    }

    /// The one message, for whom it rings.
    pub(crate) fn read_stat(&mut self, device: DeviceId, me: PersonId, read: &proto::ReadStat) -> Expected {
        let id = (ConversationId::new(read.conversation).expect("parsed before"), read.sequence);
        let member = self.ward.member(id.0, me).is_some();
        let called = self
            .stat(id)
            .is_some_and(|stat| stat.called.iter().any(|called| called.person == me && !called.out));
        match self.stat(id) {
            _ if !member && !called => Expected::refused(Code::NoSuchConversation),
            None => Expected::refused(Code::NoSuchStat),
            Some(stat) if !stat.rings_for(me) => Expected::refused(Code::NotPermitted),
            Some(_) if self.lobby.disk_scarce => Expected::refused(Code::DiskLow),
            Some(_) => {
                let mut expected = Expected::answered(Answer::Page(id.1, id.1 + 1));
                expected.audits.push((self.actor(device), Act::StatRead(id.0, Sequence(id.1))));
                expected
            }
        }
    }

    /// Somebody may not sign in any more: what waits for them rings again.
    pub(crate) fn stats_given_up(&mut self, now: Now, who: PersonId, expected: &mut Expected) {
        let mut ids: Vec<Id> = self.ward.stats.iter().map(Stat::id).collect();
        ids.sort_unstable();
        for id in ids.into_iter().filter(|id| self.rests_with(who, *id)).collect::<Vec<_>>() {
            expected.audits.push((Actor::TheBox, Act::StatResumed(id.0, Sequence(id.1))));
            self.stat_resumes(now, id, Some(who), expected);
        }
    }

    /// Time put somebody out: what they dealt with long ago is closed, the rest rings again.
    pub(crate) fn stats_off_duty(&mut self, now: Now, who: PersonId, expected: &mut Expected) {
        let mut ids: Vec<Id> = self.ward.stats.iter().map(Stat::id).collect();
        ids.sort_unstable();
        for id in ids.into_iter().filter(|id| self.rests_with(who, *id)).collect::<Vec<_>>() {
            let long = |stat: &Stat| matches!(stat.stands, Stands::Taken(.., at) if at.0 + 30 * 60_000 <= now.wall.0);
            if self.stat(id).is_some_and(long) {
                self.stat_closes(id, Actor::TheBox, expected);
            } else {
                expected.audits.push((Actor::TheBox, Act::StatResumed(id.0, Sequence(id.1))));
                self.stat_resumes(now, id, Some(who), expected);
            }
        }
    }

    pub(crate) fn has_stat(&self, who: PersonId, id: Id) -> bool {
        self.stat(id).is_some_and(|stat| match stat.stands {
            Stands::Taken(by, noted, _) => by == Some(who) && noted.is_none(),
            Stands::Held(by, _) => by == who,
            Stands::Ringing => false,
        })
    }

    /// Whether nobody has it once they are gone: also where a call note says that they have it, or where they alone know who does.
    pub(crate) fn rests_with(&self, who: PersonId, id: Id) -> bool {
        self.stat(id).is_some_and(|stat| match stat.stands {
            Stands::Taken(Some(by), ..) => by == who,
            Stands::Taken(None, noted, _) => noted == Some(who),
            Stands::Held(by, _) => by == who,
            Stands::Ringing => false,
        })
    }

    /// Whoever was put out of something by this, whatever it was.
    pub(crate) fn stats_of_leavers(&mut self, now: Now, expected: &mut Expected) {
        self.stats_of_leavers_since(now, 0, expected);
    }

    /// By what was recorded from there on.
    pub(crate) fn stats_of_leavers_since(&mut self, now: Now, from: usize, expected: &mut Expected) {
        let joined = |(_, act): &(Actor, Act)| match act {
            Act::MemberAdded(place, who) => Some((*place, *who)),
            _ => None,
        };
        for (place, who) in expected.audits[from..].iter().filter_map(joined).collect::<Vec<_>>() {
            self.stats_joined(place, who);
        }
        let left = |(by, act): &(Actor, Act)| match act {
            Act::MemberLeft(place, who) => Some((*place, *who, *by)),
            _ => None,
        };
        // One after the other: whoever is out already may be called by the step that another's leaving begins. First whose time here is
        // over: one gives up everything before the next does.
        let leavers: Vec<_> = expected.audits[from..].iter().filter_map(left).collect();
        let put_out = std::mem::take(&mut self.lobby.put_out);
        for out in &put_out {
            for (place, who, by) in leavers.iter().filter(|(_, who, _)| who == out) {
                self.stats_left(now, *place, (*who, *by), expected);
            }
            self.stats_off_duty(now, *out, expected);
        }
        for (place, who, by) in leavers.iter().filter(|(_, who, _)| !put_out.contains(who)) {
            self.stats_left(now, *place, (*who, *by), expected);
        }
    }

    /// Somebody came into a patient's thread: what nobody has answered there rings for them too.
    fn stats_joined(&mut self, place: ConversationId, who: PersonId) {
        let of_patient = self.ward.conversation(place).is_some_and(|place| place.of_patient);
        if of_patient && self.ward.person(who).is_some_and(|who| !who.suspended) {
            let mut anew = Vec::new();
            for stat in self.ward.stats.iter_mut().filter(|stat| stat.place == place && stat.unanswered()) {
                if stat.sender != who {
                    anew.extend((!stat.rings_for(who)).then_some(stat.id()));
                    let called = stat.call(who);
                    (called.cannot, called.out) = (false, false);
                }
            }
            anew.into_iter().for_each(|id| self.bell_called(who, id, None));
        }
    }

    /// Somebody is out of a conversation: nothing of it rings for them.
    fn stats_left(
        &mut self,
        now: Now,
        place: ConversationId,
        (who, by): (PersonId, Actor),
        expected: &mut Expected,
    ) {
        let rings = |stat: &&Stat| stat.place == place && stat.rings_for(who);
        let mut ids: Vec<Id> = self.ward.stats.iter().filter(rings).map(Stat::id).collect();
        ids.sort_unstable();
        for id in ids {
            let had_for_long = |stat: &Stat| matches!(stat.stands, Stands::Taken(.., at) if at.0 + 30 * 60_000 <= now.wall.0);
            if self.has_stat(who, id) && by == Actor::TheBox && self.stat(id).is_some_and(had_for_long) {
                self.stat_closes(id, by, expected);
            } else if self.has_stat(who, id) {
                expected.audits.push((Actor::TheBox, Act::StatResumed(id.0, Sequence(id.1))));
                if let Some(stat) = self.stat_mut(id) {
                    stat.call(who).out = true;
                }
                self.stat_resumes(now, id, Some(who), expected);
            } else if self.stat(id).is_some_and(Stat::unanswered) {
                self.stat_declined(now, id, (who, by), 6, expected);
            }
        }
    }

    /// A conversation is purged: nothing of it rings for anybody.
    pub(crate) fn stats_purged(&mut self, place: ConversationId, by: Actor, expected: &mut Expected) {
        let ids: Vec<Id> = self.ward.stats.iter().map(Stat::id).filter(|id| id.0 == place).collect();
        ids.into_iter().for_each(|id| self.stat_closes(id, by, expected));
    }

    /// The box looked for what was answered a day ago.
    pub(crate) fn stats_swept(&mut self, now: Now, expected: &mut Expected) {
        let old =
            |stat: &&Stat| matches!(stat.stands, Stands::Taken(.., at) if at.0 + 86_400_000 <= now.wall.0);
        let old: Vec<Id> = self.ward.stats.iter().filter(old).map(Stat::id).collect();
        old.into_iter().for_each(|id| self.stat_closes(id, Actor::TheBox, expected));
    }

    /// What is due now.
    pub(crate) fn stats_due(&mut self, now: Now, expected: &mut Expected) {
        loop {
            let due = self.lobby.clocks.iter().filter(|clock| clock.looks <= now.mono);
            let Some(clock) = due.min_by_key(|clock| (clock.looks, clock.place, clock.sequence)).copied()
            else {
                return;
            };
            let id = (clock.place, clock.sequence);
            let Some(stat) = self.stat(id).cloned() else { return };
            match stat.stands {
                Stands::Held(..) => {
                    expected.audits.push((Actor::TheBox, Act::StatHoldEnded(id.0, Sequence(id.1))));
                    self.stat_unheld(now, id);
                }
                _ => {
                    let heard = stat.called.iter().any(|called| {
                        called.step == stat.step && !called.cannot && self.can_be_reached(now, called.person)
                    });
                    if clock.ends > now.mono && heard {
                        for clock in self.lobby.clocks.iter_mut().filter(|c| (c.place, c.sequence) == id) {
                            clock.looks = clock.ends.min(now.mono.after(4_000));
                        }
                    } else {
                        self.stat_steps(now, id, expected);
                    }
                }
            }
        }
    }

    pub(crate) fn stat_load(&self, by: Actor, ask: &proto::AskStatLoad) -> Expected {
        let unit = UnitId::new(ask.unit);
        if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Expected::refused(Code::NoSuchUnit);
        }
        let mut expected = Expected::answered(Answer::Counting);
        expected.audits.push((by, Act::StatLoadRead(unit)));
        expected
    }

    pub(crate) fn set_escalation(&mut self, by: Actor, set: &proto::SetEscalation) -> Expected {
        let policy = set.policy.clone().unwrap_or_default();
        let unit = UnitId::new(policy.unit);
        if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Expected::refused(Code::NoSuchUnit);
        }
        let mut ladder = vec![(Whom::Addressed, u64::from(policy.first_wait))];
        for step in &policy.steps {
            let whom = match step.rings() {
                proto::Rings::ChargeNurses => Whom::InCharge,
                proto::Rings::UnitStaff => Whom::AllStaff,
                proto::Rings::Role => Whom::OnCall(RoleId::new(step.role).expect("parsed before")),
                _ => Whom::This(PersonId::new(step.person).expect("parsed before")),
            };
            ladder.push((whom, u64::from(step.wait)));
        }
        for (whom, _) in ladder.iter().filter(|_| !set.standard) {
            if matches!(whom, Whom::This(person) if self.is_hired(*person)) {
                return Expected::refused(Code::AgencyBound);
            }
            let works = |charge_only: bool| {
                unit.is_none_or(|unit| {
                    let there = |(of, charge): &(UnitId, bool)| *of == unit && (*charge || !charge_only);
                    self.ward.people.iter().any(|person| person.posts.iter().any(there))
                })
            };
            let somebody = match whom {
                Whom::Addressed => true,
                Whom::InCharge => works(true),
                Whom::AllStaff => works(false),
                Whom::This(person) => self.ward.person(*person).is_some_and(|person| !person.suspended),
                Whom::OnCall(role) => match self.ward.role(*role) {
                    Some(role) if role.retired => return Expected::refused(Code::RoleRetired),
                    Some(role) => !role.has_gaps(),
                    None => return Expected::refused(Code::NoSuchRole),
                },
            };
            if !somebody {
                return Expected::refused(Code::StepRingsNobody);
            }
        }
        let mut expected = Expected::answered(Answer::Done);
        let was = self.ward.ladders.iter().find(|(of, _)| *of == unit).map(|(_, ladder)| ladder.clone());
        let becomes = (!set.standard).then_some(ladder);
        let waited = self.ward.urgent_waits.iter().find(|(of, _)| *of == unit).map(|(_, wait)| *wait);
        let waits = (!set.standard).then_some(policy.urgent_wait.unwrap_or(300));
        if (was, waited) != (becomes.clone(), waits) {
            self.ward.urgent_waits.retain(|(of, _)| *of != unit);
            self.ward.urgent_waits.extend(waits.map(|wait| (unit, wait)));
            self.ward.ladders.retain(|(of, _)| *of != unit);
            self.ward.ladders.extend(becomes.map(|ladder| (unit, ladder)));
            expected.audits.push((by, Act::EscalationPolicySet(unit)));
        }
        expected
    }
}
