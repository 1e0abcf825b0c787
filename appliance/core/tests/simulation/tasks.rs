//! Tasks: what people do about them, and the check of who hears of it.

use wardline_core::escalation::StatId;
use wardline_core::ids::{Conn, ConversationId, PersonId, Sequence};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code, TaskAnswer, client_frame::Body as Ask};
use wardline_core::write::Write;

use crate::client::Client;
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase};
use crate::world::World;

/// Open at a time in one history: more say the same more slowly.
const OPEN: usize = 6;

impl World {
    pub(crate) fn about_tasks(&mut self, index: usize, place: Option<u64>) {
        let open: Vec<proto::Task> =
            self.clients[index].tasks.values().filter(|task| is_open(task)).copied().collect();
        let dice = self.random.below(100);
        let many = self.reference.ward.tasks.len() >= OPEN;
        if dice < 8 {
            let conversation = place.filter(|_| self.random.permille(500)).unwrap_or(0);
            let (after_conversation, after_sequence) = match self.random.pick(&open) {
                Some(task) if self.random.permille(200) => (task.conversation, task.sequence),
                _ => (0, 0),
            };
            let list = proto::ListTasks { conversation, after_conversation, after_sequence };
            return self.clients[index].ask(Ask::ListTasks(list));
        }
        let mine = self.person_of(index).map(PersonId::value);
        let for_me: Vec<proto::Task> =
            open.iter().filter(|task| Some(task.person) == mine || task.role != 0).copied().collect();
        let from = if self.random.permille(700) && !for_me.is_empty() { &for_me } else { &open };
        match (self.random.pick(from).copied(), place) {
            (Some(task), _) if many || dice < 70 => self.about_task(index, task),
            (_, Some(place)) if !many => self.give_task(index, place),
            _ => {}
        }
    }

    fn give_task(&mut self, index: usize, conversation: u64) {
        let shown = self.clients[index].inbox.places.get(&conversation).map(|place| &place.shown);
        let sequences: Vec<u64> = shown.into_iter().flatten().map(|(sequence, _)| *sequence).collect();
        let newest = &sequences[sequences.len().saturating_sub(5)..];
        let Some(sequence) = self.random.pick(newest).copied() else { return };
        let (person, role) = self.somebody_to_do_it(index, conversation);
        let due = self.some_due();
        let give = proto::GiveTask { conversation, sequence, person, role, due };
        self.clients[index].ask(Ask::GiveTask(give));
        match self.random.below(6) {
            // As if the answer had been lost.
            0 => self.clients[index].ask(Ask::GiveTask(give)),
            1 => {
                let recall = proto::RecallMessage { conversation, sequence };
                self.clients[index].ask(Ask::RecallMessage(recall));
            }
            _ => {}
        }
    }

    fn somebody_to_do_it(&mut self, index: usize, place: u64) -> (u64, u64) {
        let members = self.clients[index].inbox.places.get(&place).map(|place| &place.members);
        let members: Vec<u64> = members.into_iter().flatten().map(|(person, _)| *person).collect();
        let all: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let roles: Vec<u64> = self.reference.ward.roles.iter().map(|role| role.id.value()).collect();
        if let Some(role) = self.random.pick(&roles).copied().filter(|_| self.random.permille(350)) {
            return (0, role);
        }
        let from = if self.random.permille(100) { &all } else { &members };
        (self.random.pick(from).copied().unwrap_or(1), 0)
    }

    fn some_due(&mut self) -> i64 {
        let now = self.now.wall.0;
        match self.random.below(20) {
            0..5 => 0,
            5 => now - 1,
            6 => now + 91 * 24 * 3_600_000,
            7..14 => now + 1_000 + self.random.below(600_000) as i64,
            _ => now + self.random.below(8 * 3_600_000) as i64 + 1,
        }
    }

    fn about_task(&mut self, index: usize, task: proto::Task) {
        let proto::Task { conversation, sequence, .. } = task;
        if self.random.permille(250) {
            let (person, role) = self.somebody_to_do_it(index, conversation);
            let due = if self.random.permille(500) { 0 } else { self.some_due() };
            let pass = proto::ReassignTask { conversation, sequence, person, role, due };
            return self.clients[index].ask(Ask::ReassignTask(pass));
        }
        let answer = match self.random.below(10) {
            0..5 => TaskAnswer::Take,
            5..7 => TaskAnswer::Done,
            7..9 => TaskAnswer::Decline,
            _ => TaskAnswer::Withdraw,
        };
        let reason = 1 + self.random.below(4) as i32;
        let said = proto::AnswerTask { conversation, sequence, answer: answer.into(), reason };
        self.clients[index].ask(Ask::AnswerTask(said));
        if self.random.permille(100) {
            self.clients[index].ask(Ask::AnswerTask(said));
        }
    }

    /// How a task stands goes to every attached connection of every member who may read its message, and to no other.
    pub(crate) fn verify_task(
        &mut self,
        turn: &Turn,
        told: &proto::Task,
        conns: &[Conn],
    ) -> Result<(), String> {
        let place = ConversationId::new(told.conversation).ok_or("no conversation")?;
        // Whoever goes in the same turn, and later, still hears of it.
        let moved = turn.writes.iter().any(|n| matches!(n.write, Write::MemberLeft { .. }))
            || turn.sends.iter().any(|send| matches!(send, Send::Close { .. } | Send::Detach { .. }));
        if !moved {
            self.verify_readers(place, told.sequence, conns)?;
        }
        let known = self.reference.ward.task((place, told.sequence));
        let wanted = known.map(|task| proto::Task { given: told.given, at: told.at, ..task.to_wire() });
        match wanted {
            Some(wanted) if wanted != *told => Err(format!("a task stands as {:?}", told.state)),
            None if is_open(told) => Err("an open task that is not".to_owned()),
            _ => Ok(()),
        }
    }

    /// That one is overdue is told to whoever is to do it, and whoever gave it.
    pub(crate) fn verify_overdue(&mut self, turn: &Turn) -> Result<(), String> {
        for send in &turn.sends {
            let Send::Reply { conn, body: Body::TaskOverdue(told), .. } = send else { continue };
            let place = ConversationId::new(told.conversation).ok_or("no conversation")?;
            let device = match self.phase(*conn) {
                Some(Phase::In(device) | Phase::PinDue(device) | Phase::PinChecking(device, _)) => device,
                Some(Phase::Over) => continue,
                _ => return Err(format!("{conn} hears of a task and is nobody's")),
            };
            let person = self.reference.ward.device(device).map(|device| device.person);
            let person = person.ok_or("a device of nobody")?;
            let Some(task) = self.reference.ward.task((place, told.sequence)) else { continue };
            let theirs =
                task.author == person || self.reference.ward.has_task(task, self.now.wall).contains(&person);
            if !theirs {
                return Err(format!("{conn} hears of a task that is not theirs"));
            }
            self.coverage.reach(Situation::TaskOverdueTold);
        }
        for numbered in &turn.writes {
            let gone = match &numbered.write {
                Write::MessageRecalled { conversation, sequence, .. } => {
                    let id = StatId { conversation: *conversation, sequence: *sequence };
                    self.store.state.tasks.get(id).is_some()
                }
                Write::MessagesExpired { conversation, through } => {
                    let mut open = self.store.state.tasks.of_conversation(*conversation);
                    open.any(|task| task.id.sequence <= *through)
                }
                Write::KeyDestroyed { conversation } => {
                    self.store.state.tasks.of_conversation(*conversation).next().is_some()
                }
                _ => false,
            };
            if gone {
                self.coverage.reach(Situation::TaskGoneWithMessage);
            }
        }
        Ok(())
    }

    /// What this device shows as open is what is open, of all that its person may read.
    pub(crate) fn judge_tasks(&self, client: &Client, me: PersonId) -> Result<(), String> {
        let ward = &self.reference.ward;
        for task in ward.tasks.iter().filter(|task| ward.reads(me, task.place, task.sequence)) {
            let shown = client.tasks.get(&(task.place.value(), task.sequence));
            let wanted =
                shown.map(|shown| proto::Task { given: shown.given, at: shown.at, ..task.to_wire() });
            if shown.is_none() || wanted.as_ref() != shown {
                return Err(format!("{} shows a task otherwise, or not at all", client.name));
            }
        }
        for ((place, sequence), task) in client.tasks.iter().filter(|(_, task)| is_open(task)) {
            let Some(place) = ConversationId::new(*place) else { continue };
            let kept = self.store.read(place, Sequence(*sequence)).is_some_and(|kept| kept.recalled_at == 0);
            if kept && ward.reads(me, place, *sequence) && ward.task((place, *sequence)).is_none() {
                return Err(format!(
                    "{} shows a task of {place} #{sequence} as {:?} that is over",
                    client.name, task.state
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn cover_tasks(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        if let Some(Answer::Suspended([.., tasks], _)) = expected.answer
            && tasks > 0
        {
            self.coverage.reach(Situation::TaskLeftBehind);
        }
        let situation = match (body, refused) {
            (Ask::GiveTask(give), None) if changed && give.role != 0 => Situation::TaskGivenToRole,
            (Ask::GiveTask(_), None) if changed => Situation::TaskGiven,
            (Ask::GiveTask(_), None) => Situation::TaskGivenAgain,
            (Ask::GiveTask(_), Some(Code::TaskThere)) => Situation::TaskThere,
            (Ask::GiveTask(_), Some(Code::TaskNotHere)) => Situation::TaskInFamily,
            (Ask::GiveTask(_) | Ask::ReassignTask(_), Some(Code::TaskNotReader)) => Situation::TaskNotReader,
            (Ask::GiveTask(_) | Ask::ReassignTask(_), Some(Code::TaskRoleUnheld)) => {
                Situation::TaskRoleUnheld
            }
            (Ask::GiveTask(_) | Ask::ReassignTask(_), Some(Code::TaskDue)) => Situation::TaskDueInvalid,
            (Ask::AnswerTask(said), None) if changed => match said.answer() {
                TaskAnswer::Take if self.was_of_role(said) => Situation::TaskTakenByRole,
                TaskAnswer::Take => Situation::TaskTaken,
                TaskAnswer::Done => Situation::TaskDone,
                TaskAnswer::Decline => Situation::TaskDeclined,
                _ => Situation::TaskWithdrawn,
            },
            (Ask::ReassignTask(pass), None) if changed => {
                let was = self.store.state.tasks.all().find(|task| {
                    (task.id.conversation.value(), task.id.sequence.0) == (pass.conversation, pass.sequence)
                });
                let by = expected.audits.first().and_then(|(by, _)| match by {
                    wardline_core::audit::Actor::Person { person, .. } => Some(*person),
                    _ => None,
                });
                let stands_in = was.is_some_and(|task| {
                    let has = matches!(task.to, wardline_core::task::Assignee::Person(person) if Some(person) == by);
                    let by_role = matches!(task.to, wardline_core::task::Assignee::Role(_));
                    Some(task.author) != by && !has && !by_role
                });
                if stands_in { Situation::TaskByStandIn } else { Situation::TaskReassigned }
            }
            (Ask::AnswerTask(_) | Ask::ReassignTask(_), Some(Code::NoSuchTask)) => Situation::NoSuchTask,
            (Ask::AnswerTask(_) | Ask::ReassignTask(_), Some(Code::NotPermitted)) => Situation::TaskNotTheirs,
            (Ask::ListTasks(_), None) => Situation::TasksListed,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    fn was_of_role(&self, said: &proto::AnswerTask) -> bool {
        let place = ConversationId::new(said.conversation);
        let task = place.and_then(|place| self.reference.ward.task((place, said.sequence)));
        task.is_some_and(|task| task.to_wire().role != 0)
    }
}

pub(crate) fn is_open(task: &proto::Task) -> bool {
    use proto::TaskState as State;
    matches!(task.state(), State::Open | State::Taken | State::Declined)
}
