//! STAT: what people do about it by chance, and what must ring where.

use std::collections::BTreeMap;

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{Conn, ConversationId, PersonId};
use wardline_core::refusal::CloseCode;
use wardline_core::turn::{Send, Turn};
use wardline_core::urgent::UrgentWrite;
use wardline_core::wire::proto::answer_stat::Answer as Says;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};
use wardline_core::write::Write;

use crate::coverage::Situation;
use crate::reference::{Expected, Phase};
use crate::reference_stat::{Stands, Whom};
use crate::world::World;

/// STATs open at a time in one history: more say the same more slowly.
const OPEN: usize = 4;

impl World {
    /// How urgent the next letter is, and whom it calls.
    pub(crate) fn some_priority(&mut self, conversation: u64) -> (proto::Priority, Option<proto::Call>) {
        match self.random.below(100) {
            dice if (dice < 12 || self.on_call && dice >= 70) && self.reference.ward.stats.len() < OPEN => {
                (proto::Priority::Stat, Some(self.some_call(conversation)))
            }
            12..22 => (proto::Priority::Urgent, None),
            22..30 => (proto::Priority::Unspecified, None),
            _ => (proto::Priority::Routine, None),
        }
    }

    fn some_call(&mut self, conversation: u64) -> proto::Call {
        let place = ConversationId::new(conversation).and_then(|id| self.reference.ward.conversation(id));
        let members: Vec<u64> = place.map_or(Vec::new(), |place| {
            let present = place.members.iter().filter(|member| !member.left);
            present.map(|member| member.person.value()).collect()
        });
        let anybody: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let mut people: Vec<u64> = members.into_iter().filter(|_| self.random.permille(300)).collect();
        if self.random.permille(30) {
            people.extend(self.random.pick(&anybody).copied());
        }
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let unit = self.random.pick(&units).copied().filter(|_| self.random.permille(400)).unwrap_or(0);
        proto::Call { people, unit: if self.random.permille(10) { 77 } else { unit } }
    }

    /// A person does something about a STAT.
    pub(crate) fn about_stats(&mut self, index: usize, place: Option<u64>) {
        let client = &self.clients[index];
        let rings: Vec<(u64, u64)> = client.rings.keys().copied().collect();
        let known: Vec<(u64, u64)> = client.stats.keys().copied().collect();
        let mine: Vec<(u64, u64)> = client
            .stats
            .iter()
            .filter(|(_, stat)| Some(stat.by) == self.person_at(client).map(PersonId::value))
            .map(|(id, _)| *id)
            .collect();
        let dice = self.random.below(100);
        let from = match dice {
            0..12 if !mine.is_empty() => &mine,
            0..70 if !rings.is_empty() => &rings,
            _ => &known,
        };
        let Some((conversation, sequence)) = self.random.pick(from).copied() else {
            return self.before_a_stat(index, place);
        };
        let says = match self.random.below(100) {
            0..22 => Says::Accept(proto::Accept {}),
            22..40 => Says::Coming(proto::Coming {}),
            40..66 => {
                let reason = 1 + self.random.below(4) as i32;
                Says::Decline(proto::Decline { reason })
            }
            66..76 => Says::HandBack(proto::HandBack {}),
            76..80 => Says::CallNote(self.some_note()),
            80..86 => Says::Close(proto::CloseStat {}),
            86..92 => {
                let read = proto::ReadStat { conversation, sequence };
                return self.clients[index].ask(Ask::ReadStat(read));
            }
            _ => return self.before_a_stat(index, place),
        };
        self.say_to_stat(index, (conversation, sequence), says);
    }

    fn before_a_stat(&mut self, index: usize, place: Option<u64>) {
        match (self.random.below(18), place) {
            (0..3, Some(conversation)) => {
                let call = Some(self.some_call(conversation));
                self.clients[index].ask(Ask::AskProspect(proto::AskProspect { conversation, call }));
            }
            (3..5, _) => {
                if let Some(set) = self.some_escalation() {
                    self.clients[index].ask(Ask::SetEscalation(set));
                }
            }
            (5, _) if self.random.permille(500) => {
                let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
                let unit =
                    self.random.pick(&units).copied().filter(|_| self.random.permille(900)).unwrap_or(0);
                let until = self.now.wall.0;
                let ask = proto::AskStatLoad { unit, since: until - 60_000, until };
                self.clients[index].ask(Ask::AskStatLoad(ask));
            }
            (5, _) => self.clients[index].ask(Ask::ListEscalation(proto::ListEscalation {})),
            (15..18, _) => {
                if let Some(ask) = self.some_availability_ask(index) {
                    self.clients[index].ask(ask);
                }
            }
            (13, _) => {
                let ask = self.some_template_ask();
                self.clients[index].ask(ask);
            }
            (6..13, _) => {
                let person = self.person_of(index);
                if let Some(ask) = self.some_role_ask(person) {
                    self.clients[index].ask(ask);
                }
            }
            _ => self.clients[index].ask(Ask::Here(proto::Here {})),
        }
    }

    pub(crate) fn some_escalation(&mut self) -> Option<proto::SetEscalation> {
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let unit = self.random.pick(&units).copied().filter(|_| self.random.permille(700)).unwrap_or(0);
        let person = self.random.pick(&people).copied()?;
        let wait = 15 + self.random.below(60) as u32;
        let step = |rings: proto::Rings, person| proto::EscalationStep {
            rings: rings.into(),
            person,
            wait,
            role: 0,
        };
        let roles: Vec<u64> = self.store.state.roles.keys().map(|role| role.value()).collect();
        let mut steps = Vec::new();
        if self.random.permille(300) {
            steps.push(step(proto::Rings::Person, person));
        }
        if let Some(role) = self.random.pick(&roles).copied().filter(|_| self.random.permille(650)) {
            let rings = proto::Rings::Role.into();
            steps.push(proto::EscalationStep { rings, person: 0, wait, role });
        }
        if self.random.permille(600) {
            steps.push(step(proto::Rings::ChargeNurses, 0));
        }
        if self.random.permille(500) {
            steps.push(step(proto::Rings::UnitStaff, 0));
        }
        let urgent_wait = self.random.pick(&[None, Some(0), Some(60), Some(3_600)]).copied().flatten();
        let policy =
            proto::EscalationPolicy { unit, first_wait: wait, steps, dial: "4410".to_owned(), urgent_wait };
        Some(proto::SetEscalation { policy: Some(policy), standard: self.random.permille(100) })
    }

    /// One tap on a phone that is locked.
    pub(crate) fn tap_while_locked(&mut self, index: usize) {
        let rings: Vec<(u64, u64)> = self.clients[index].rings.keys().copied().collect();
        if let Some((conversation, sequence)) = self.random.pick(&rings).copied() {
            self.say_to_stat(index, (conversation, sequence), Says::Coming(proto::Coming {}));
        }
    }

    /// Whatever a turn makes ring or fall silent does so for a reason.
    pub(crate) fn verify_rings(&mut self, turn: &Turn) -> Result<(), String> {
        let mut last: BTreeMap<(Conn, (u64, u64)), Option<i32>> = BTreeMap::new();
        for send in &turn.sends {
            match send {
                Send::Reply { conn, body: Body::Ring(ring), .. } => {
                    last.insert((*conn, (ring.conversation, ring.sequence)), Some(ring.state));
                }
                Send::Reply { conn, body: Body::Silence(silence), .. } => {
                    last.insert((*conn, (silence.conversation, silence.sequence)), None);
                }
                _ => {}
            }
        }
        for send in &turn.sends {
            if let Send::Close { conn: put_out, code: CloseCode::REVOKED } = send {
                last.retain(|(conn, _), _| conn != put_out);
            }
        }
        for ((conn, (conversation, sequence)), state) in last {
            let device = match self.phase(conn) {
                Some(Phase::In(device) | Phase::PinDue(device) | Phase::PinChecking(device, _)) => device,
                phase => return Err(format!("{conn} rings in {phase:?}")),
            };
            let person = self.reference.ward.device(device).map(|device| device.person).ok_or("nobody's")?;
            let id = (ConversationId::new(conversation).ok_or("no conversation")?, sequence);
            let stat = self.reference.stat(id);
            let wanted = stat.and_then(|stat| match stat.stands {
                Stands::Ringing if stat.rings_for(person) => Some(1),
                Stands::Held(..) if stat.rings_for(person) => Some(2),
                Stands::Taken(Some(by), ..) if by == person => Some(3),
                _ => None,
            });
            // Whoever has it is told of it when they connect, and hears silence when they take it.
            let fits = state == wanted || (state.is_none() && wanted == Some(3));
            if !fits {
                return Err(format!("{conn}: {id:?} is {state:?} there, not {wanted:?}"));
            }
            if state == Some(1) && matches!(self.phase(conn), Some(Phase::PinDue(_))) {
                self.coverage.reach(Situation::RingsWhileLocked);
            }
        }
        Ok(())
    }

    /// It is known of exactly those urgent messages that nobody has seen.
    pub(crate) fn verify_urgents(&mut self, turn: &Turn) -> Result<(), String> {
        let wanted = self.reference.unseen();
        let found: Vec<_> =
            self.relay.state().urgents.all().map(|wait| (wait.id.conversation, wait.id.sequence.0)).collect();
        if found != wanted {
            return Err(format!("these urgent messages wait: {found:?}, not {wanted:?}"));
        }
        for numbered in &turn.writes {
            match &numbered.write {
                Write::Urgent(UrgentWrite::Waits(_)) => self.coverage.reach(Situation::UrgentWaits),
                Write::Urgent(UrgentWrite::Over(_)) => self.coverage.reach(Situation::UrgentOver),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn cover_stats(&mut self, conn: Conn, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let audited = |wanted: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| wanted(act));
        let stepped = audited(|act| matches!(act, Act::StatStep(..)));
        if audited(|act| matches!(act, Act::StatResumed(..))) {
            self.coverage.reach(match body {
                Ask::SetStanding(_) | Ask::Suspend(_) => Situation::AcceptorSuspended,
                _ => Situation::AcceptorPutOut,
            });
        }
        if audited(|act| matches!(act, Act::StatDeclined(..))) && !matches!(body, Ask::AnswerStat(_)) {
            self.coverage.reach(Situation::RungPutOut);
        }
        let opened = expected.audits.iter().find_map(|(_, act)| match act {
            Act::StatOpened(place, sequence) => self.reference.stat((*place, sequence.0)).cloned(),
            _ => None,
        });
        if let Some(opened) = opened {
            self.cover_covers(&opened);
        }
        let situation = match (body, refused) {
            (Ask::Submit(_), None) if audited(|act| matches!(act, Act::StatOpened(..))) => {
                Situation::StatOpened
            }
            (Ask::Submit(_), Some(Code::NobodyToRing)) => Situation::NobodyToRing,
            (Ask::Submit(_), Some(Code::NotAMember)) => Situation::StatForStranger,
            (Ask::PurgeConversation(_), None) if audited(|act| matches!(act, Act::StatClosed(..))) => {
                Situation::PurgedWhileOpen
            }
            (Ask::SetEscalation(_), None) if !expected.audits.is_empty() => Situation::EscalationSet,
            (Ask::SetEscalation(_), Some(Code::StepRingsNobody)) => Situation::StepRingsNobody,
            (Ask::SetEscalation(_), Some(Code::NotPermitted | Code::NotAdministrator)) => {
                Situation::EscalationRefused
            }
            (Ask::AskStatLoad(_), None) => Situation::StatLoadRead,
            (Ask::AskStatLoad(_), Some(_)) => Situation::StatLoadRefused,
            (Ask::ReadStat(_), None) => Situation::StatRead,
            (Ask::ReadStat(_), Some(_)) => Situation::StatReadRefused,
            (Ask::AnswerStat(said), refused) => {
                if let Some(situation) = Self::signed_situation(said, refused) {
                    return self.coverage.reach(situation);
                }
                let locked = matches!(self.phase(conn), Some(Phase::PinDue(_)));
                match (said.answer.as_ref(), refused) {
                    (Some(Says::Accept(_)), None) if !expected.audits.is_empty() => Situation::Accepted,
                    (Some(Says::Accept(_)), Some(Code::StatTaken)) => Situation::AcceptedTooLate,
                    (Some(Says::Accept(_)), Some(Code::NoSuchStat)) => Situation::AcceptedClosed,
                    (Some(Says::Coming(_)), None) if locked => Situation::ComingFromLocked,
                    (Some(Says::Coming(_)), None) if !expected.audits.is_empty() => Situation::Held,
                    (Some(Says::Coming(_)), Some(Code::HeldBefore)) => Situation::HeldBefore,
                    (Some(Says::Coming(_)), Some(Code::StatHeld)) => Situation::HeldByAnother,
                    (Some(Says::Decline(_)), None) if stepped => Situation::LastOfStepDeclines,
                    (Some(Says::Decline(_)), None) => Situation::Declined,
                    (Some(Says::HandBack(_)), None) if stepped => Situation::HandedBackAndOn,
                    (Some(Says::HandBack(_)), None) => Situation::HandedBack,
                    (Some(Says::CallNote(note)), None) => match (note.reached, note.name.as_str()) {
                        (0, "") => Situation::CallNotedOfRole,
                        (0, _) => Situation::CallNotedOutside,
                        _ => Situation::CallNoted,
                    },
                    (Some(Says::Close(_)), None) => Situation::StatClosed,
                    (Some(_), Some(Code::NotPermitted)) => Situation::AnswerNotPermitted,
                    _ => return,
                }
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// What time did to STATs.
    pub(crate) fn cover_stats_due(&mut self, expected: &Expected, before: &[crate::reference_stat::Stat]) {
        for (_, act) in &expected.audits {
            match act {
                Act::StatStep(place, sequence, step) => {
                    let was = before.iter().find(|stat| stat.id() == (*place, sequence.0));
                    let stations = was.is_some_and(|stat| *step as usize == stat.ladder.len());
                    let whom = was.and_then(|stat| stat.ladder.get(*step as usize)).map(|(whom, _)| *whom);
                    if matches!(whom, Some(Whom::OnCall(_))) {
                        self.coverage.reach(Situation::RoleRung);
                    }
                    self.coverage.reach(if stations {
                        Situation::StationsReached
                    } else {
                        Situation::SteppedOn
                    });
                }
                Act::StatHoldEnded(..) => self.coverage.reach(Situation::HoldEnded),
                Act::StatClosed(place, sequence) => {
                    let taken =
                        before.iter().find(|stat| stat.id() == (*place, sequence.0)).map(|stat| stat.stands);
                    let day =
                        matches!(taken, Some(Stands::Taken(.., at)) if at.0 + 86_400_000 <= self.now.wall.0);
                    let left =
                        |(_, act): &(Actor, Act)| matches!(act, Act::MemberLeft(other, _) if other == place);
                    let filed = |(_, act): &(Actor, Act)| matches!(act, Act::EncounterFiled(_));
                    match day {
                        true => self.coverage.reach(Situation::ClosedAfterADay),
                        false if expected.audits.iter().any(left) && !expected.audits.iter().any(filed) => {
                            self.coverage.reach(Situation::ClosedAtShiftEnd);
                        }
                        false => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// At rest every device knows how each STAT of its person's conversations stands, and rings for what it must.
    pub(crate) fn judge_stats(&self) -> Result<(), String> {
        use crate::client::Phase as At;
        for client in self.clients.iter().filter(|client| client.phase == At::Synced) {
            let person = self.person_at(client).ok_or("a client of nobody")?;
            let mut rings: Vec<(u64, u64)> = Vec::new();
            for stat in &self.reference.ward.stats {
                let key = (stat.place.value(), stat.sequence);
                if stat.unanswered() && stat.rings_for(person) {
                    rings.push(key);
                }
                if self.reference.ward.member(stat.place, person).is_none() {
                    continue;
                }
                let wanted = self.store.state.escalations.values();
                let wanted =
                    wanted.map(|open| open.to_wire()).find(|open| (open.conversation, open.sequence) == key);
                if client.stats.get(&key) != wanted.as_ref() {
                    return Err(format!("{} takes {key:?} for what it is not", client.name));
                }
            }
            for (key, shown) in &client.stats {
                let open =
                    self.reference.ward.stats.iter().any(|stat| (stat.place.value(), stat.sequence) == *key);
                if !open && shown.state() != proto::EscalationState::Closed {
                    return Err(format!("{} takes {key:?} for open", client.name));
                }
            }
            rings.sort_unstable();
            if client.rings.keys().copied().collect::<Vec<_>>() != rings {
                return Err(format!("{} rings for {:?}, not {rings:?}", client.name, client.rings));
            }
        }
        Ok(())
    }
}
