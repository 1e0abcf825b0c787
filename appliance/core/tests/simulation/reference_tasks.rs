//! The reference's rules for tasks: a list of those that are open.

use std::ops::RangeInclusive;

use wardline_core::audit::{Act, Actor};
use wardline_core::escalation::StatId;
use wardline_core::ids::{ConversationId, DeviceId, PersonId, RoleId, Sequence};
use wardline_core::task::Assignee;
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::{self, RefusalCode as Code, TaskAnswer as Says, TaskState as State};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Reference, Ward};
use crate::reference_patients::Term;
use crate::reference_roles;
use crate::reference_ward::Circumstances;

const LONGEST: i64 = 90 * 24 * 3_600_000;

#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) place: ConversationId,
    pub(crate) sequence: u64,
    pub(crate) author: PersonId,
    /// Person, role: one of them is 0.
    to: (u64, u64),
    /// 0: none.
    due: i64,
    due_set: Wall,
    state: State,
    by: u64,
    reason: i32,
    overdue: bool,
}

/// A page as a number.
pub(crate) fn digest(tasks: &[proto::Task]) -> u64 {
    let all: Vec<(u64, [u64; 8])> = tasks
        .iter()
        .map(|task| {
            let (state, overdue) = (task.state as u64, u64::from(task.overdue));
            let due = task.due.unsigned_abs();
            (
                task.conversation,
                [task.sequence, task.author, task.person, task.role, due, state, task.by, overdue],
            )
        })
        .collect();
    reference_roles::digest(all.iter().map(|(place, rest)| (*place, &rest[..])))
}

impl Task {
    pub(crate) fn to_wire(&self) -> proto::Task {
        proto::Task {
            conversation: self.place.value(),
            sequence: self.sequence,
            author: self.author.value(),
            person: self.to.0,
            role: self.to.1,
            given: 0,
            due: self.due,
            state: self.state.into(),
            by: self.by,
            at: 0,
            reason: self.reason,
            overdue: self.overdue,
        }
    }

    fn is(&self, of: (ConversationId, u64)) -> bool {
        (self.place, self.sequence) == of
    }

    fn waits(&self) -> bool {
        self.due != 0 && !self.overdue
    }
}

fn assignee(to: (u64, u64)) -> Assignee {
    match PersonId::new(to.0) {
        Some(person) => Assignee::Person(person),
        None => Assignee::Role(RoleId::new(to.1).expect("parsed before")),
    }
}

impl Ward {
    pub(crate) fn reads(&self, who: PersonId, place: ConversationId, sequence: u64) -> bool {
        self.member(place, who).is_some_and(|member| member.from <= sequence)
    }

    /// Whoever is to do it, whether they read it or not.
    pub(crate) fn has_task(&self, task: &Task, now: Wall) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = PersonId::new(task.to.0).into_iter().collect();
        if let Some(role) = RoleId::new(task.to.1).and_then(|role| self.role(role)) {
            people.extend(self.holders(role, now));
        }
        if task.state == State::Taken {
            people.extend(PersonId::new(task.by));
        }
        people
    }

    pub(crate) fn task(&self, of: (ConversationId, u64)) -> Option<&Task> {
        self.tasks.iter().find(|task| task.is(of))
    }

    /// Theirs by name, or by taking.
    pub(crate) fn tasks_had(&self, who: PersonId) -> usize {
        let mine =
            |task: &&Task| task.to.0 == who.value() || task.state == State::Taken && task.by == who.value();
        self.tasks.iter().filter(mine).count()
    }
}

impl Reference {
    /// Its message is gone, and it with it.
    pub(crate) fn tasks_gone(&mut self, place: ConversationId, which: RangeInclusive<u64>) {
        self.ward.tasks.retain(|task| task.place != place || !which.contains(&task.sequence));
        self.lobby
            .terms
            .retain(|(term, _)| !matches!(term, Term::Task(of, at) if *of == place && which.contains(at)));
    }

    pub(crate) fn task_terms(&self) -> Vec<(Term, Wall, Wall)> {
        let waiting = self.ward.tasks.iter().filter(|task| task.waits());
        waiting.map(|task| (Term::Task(task.place, task.sequence), task.due_set, Wall(task.due))).collect()
    }

    fn set_task_term(&mut self, now: Now, of: (ConversationId, u64)) {
        let term = Term::Task(of.0, of.1);
        self.lobby.terms.retain(|(other, _)| *other != term);
        if let Some(task) = self.ward.task(of).filter(|task| task.waits()) {
            let rest = (task.due - now.wall.0).max(0).unsigned_abs();
            self.lobby.terms.push((term, now.mono.after(rest)));
        }
    }

    fn may_be_theirs(&self, now: Now, of: (ConversationId, u64), to: (u64, u64)) -> Result<(), Code> {
        let reads = |who: PersonId| self.ward.reads(who, of.0, of.1);
        if let Some(person) = PersonId::new(to.0) {
            let out = self.ward.person(person).is_none_or(|person| person.suspended);
            return if reads(person) && !out { Ok(()) } else { Err(Code::TaskNotReader) };
        }
        let role = RoleId::new(to.1).and_then(|role| self.ward.role(role)).ok_or(Code::NoSuchRole)?;
        let held = self.ward.holders(role, now.wall).into_iter().any(reads);
        if held { Ok(()) } else { Err(Code::TaskRoleUnheld) }
    }

    pub(crate) fn give_task(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        give: &proto::GiveTask,
        around: &Circumstances,
    ) -> Expected {
        let of = (ConversationId::new(give.conversation).expect("parsed before"), give.sequence);
        match self.readable(me, of, around) {
            Ok(saying) if saying.recalled => return Expected::refused(Code::MessageRecalled),
            Ok(_) => {}
            Err(code) => return Expected::refused(code),
        }
        let place = self.ward.conversation(of.0).expect("readable");
        let to = (give.person, give.role);
        if place.of_family || place.of_house {
            return Expected::refused(Code::TaskNotHere);
        }
        if let Some(open) = self.ward.task(of) {
            let same = (open.author, open.to, open.due, open.state) == (me, to, give.due, State::Open);
            return if same { Expected::answered(Answer::Done) } else { Expected::refused(Code::TaskThere) };
        }
        if place.archived {
            return Expected::refused(place.closed());
        }
        if let Err(code) = self.may_be_theirs(now, of, to) {
            return Expected::refused(code);
        }
        if give.due != 0 && (give.due <= now.wall.0 || give.due > now.wall.0 + LONGEST) {
            return Expected::refused(Code::TaskDue);
        }
        if self.lobby.disk_low {
            return Expected::refused(Code::DiskLow);
        }
        self.ward.tasks.push(Task {
            place: of.0,
            sequence: of.1,
            author: me,
            to,
            due: give.due,
            due_set: now.wall,
            state: State::Open,
            by: 0,
            reason: 0,
            overdue: false,
        });
        self.set_task_term(now, of);
        let mut expected = Expected::answered(Answer::Done);
        let act = Act::TaskGiven(of.0, Sequence(of.1), assignee(to));
        expected.audits.push((self.actor(device), act));
        expected
    }

    /// What may be done to it: by whoever has it, its author, and whoever reads it once nobody has it who could do it.
    fn may(&self, now: Now, me: PersonId, of: (ConversationId, u64)) -> Result<(bool, bool, bool), Code> {
        self.ward.member(of.0, me).ok_or(Code::NoSuchConversation)?;
        let task = self.ward.task(of).filter(|_| self.ward.reads(me, of.0, of.1)).ok_or(Code::NoSuchTask)?;
        let has = self.ward.has_task(task, now.wall);
        let can = |who: &PersonId| {
            self.ward.reads(*who, of.0, of.1) && self.ward.person(*who).is_some_and(|who| !who.suspended)
        };
        Ok((has.contains(&me), task.author == me, !has.iter().any(can)))
    }

    pub(crate) fn answer_task(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        said: &proto::AnswerTask,
    ) -> Expected {
        let of = (ConversationId::new(said.conversation).expect("parsed before"), said.sequence);
        let (has, gave, forlorn) = match self.may(now, me, of) {
            Ok(may) => may,
            Err(code) => return Expected::refused(code),
        };
        let may = if said.answer() == Says::Withdraw { gave || forlorn } else { has };
        if !may {
            return Expected::refused(Code::NotPermitted);
        }
        let task = self.ward.task(of).expect("open").clone();
        let mut expected = Expected::answered(Answer::Done);
        let reason = if said.answer() == Says::Decline { said.reason } else { 0 };
        let state = match said.answer() {
            Says::Take => State::Taken,
            Says::Decline => State::Declined,
            Says::Done => State::Done,
            _ => State::Withdrawn,
        };
        if (task.state, task.by, task.reason) == (state, me.value(), reason) {
            return expected;
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let act = Act::TaskAnswered(of.0, Sequence(of.1), state as u32);
        expected.audits.push((self.actor(device), act));
        if matches!(state, State::Done | State::Withdrawn) {
            self.tasks_gone(of.0, of.1..=of.1);
        }
        for task in self.ward.tasks.iter_mut().filter(|task| task.is(of)) {
            (task.state, task.by, task.reason) = (state, me.value(), reason);
        }
        expected
    }

    pub(crate) fn reassign_task(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        pass: &proto::ReassignTask,
    ) -> Expected {
        let of = (ConversationId::new(pass.conversation).expect("parsed before"), pass.sequence);
        match self.may(now, me, of) {
            Ok((has, gave, forlorn)) if !has && !gave && !forlorn => {
                return Expected::refused(Code::NotPermitted);
            }
            Ok(_) => {}
            Err(code) => return Expected::refused(code),
        }
        let task = self.ward.task(of).expect("open").clone();
        let to = (pass.person, pass.role);
        let due = if pass.due == 0 { task.due } else { pass.due };
        if (task.to, task.due, task.state) == (to, due, State::Open) {
            return Expected::answered(Answer::Done);
        }
        if let Err(code) = self.may_be_theirs(now, of, to) {
            return Expected::refused(code);
        }
        if due != task.due && (due <= now.wall.0 || due > now.wall.0 + LONGEST) {
            return Expected::refused(Code::TaskDue);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        for task in self.ward.tasks.iter_mut().filter(|task| task.is(of)) {
            (task.to, task.state, task.by, task.reason) = (to, State::Open, 0, 0);
            if task.due != due {
                (task.due, task.due_set, task.overdue) = (due, now.wall, false);
            }
        }
        if task.due != due {
            self.set_task_term(now, of);
        }
        let mut expected = Expected::answered(Answer::Done);
        let act = Act::TaskReassigned(of.0, Sequence(of.1), assignee(to));
        expected.audits.push((self.actor(device), act));
        expected
    }

    pub(crate) fn list_tasks(&self, now: Now, me: PersonId, list: &proto::ListTasks) -> Expected {
        let place = ConversationId::new(list.conversation);
        if place.is_some_and(|place| self.ward.member(place, me).is_none()) {
            return Expected::refused(Code::NoSuchConversation);
        }
        let mine = |task: &&Task| match place {
            Some(place) => task.place == place,
            None => task.author == me || self.ward.has_task(task, now.wall).contains(&me),
        };
        let mut found: Vec<&Task> = self.ward.tasks.iter().filter(mine).collect();
        found.retain(|task| self.ward.reads(me, task.place, task.sequence));
        found.retain(|task| {
            list.after_conversation == 0
                || (task.place.value(), task.sequence) > (list.after_conversation, list.after_sequence)
        });
        found.sort_unstable_by_key(|task| (task.place, task.sequence));
        let found: Vec<proto::Task> = found.into_iter().map(Task::to_wire).collect();
        Expected::answered(Answer::Tasks(digest(&found)))
    }

    pub(crate) fn task_overdue(
        &mut self,
        now: Now,
        by_steady: bool,
        of: (ConversationId, u64),
        expected: &mut Expected,
    ) -> Result<Situation, String> {
        let task = self.ward.tasks.iter_mut().find(|task| task.is(of));
        let task = task.filter(|task| task.waits()).ok_or("nothing was due")?;
        if !by_steady && now.wall.0 < task.due {
            return Err("a task was overdue too early".to_owned());
        }
        task.overdue = true;
        let steady = by_steady && now.wall.0 < task.due;
        expected.audits.push((Actor::TheBox, Act::TaskOverdue(of.0, Sequence(of.1))));
        Ok(if steady { Situation::TaskOverdueBySteadyClock } else { Situation::TaskOverdue })
    }

    /// Nobody is left who reads it.
    pub(crate) fn task_forlorn(&mut self, id: StatId, expected: &mut Expected) -> Result<(), String> {
        let of = (id.conversation, id.sequence.0);
        self.ward.task(of).ok_or("a task that is not open ended by itself")?;
        let place = self.ward.conversation(of.0).ok_or("a task of nowhere")?;
        if place.members.iter().any(|member| !member.left && member.from <= of.1) {
            return Err("a task ended by itself that somebody reads".to_owned());
        }
        self.tasks_gone(of.0, of.1..=of.1);
        let withdrawn = Act::TaskAnswered(of.0, id.sequence, State::Withdrawn as u32);
        expected.audits.push((Actor::TheBox, withdrawn));
        Ok(())
    }
}
