//! Family: what the team and visitors do by chance, and what came of it.

use wardline_core::audit::Act;
use wardline_core::ids::{DeviceId, EncounterId, PersonId};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::answer_visit::Answer as Into;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::client::{Client, Phase as Stage};
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase, Said};
use crate::reference_patients::Stay;
use crate::world::World;

/// Who comes to visit, if somebody lets them in. Two are of one name.
pub(crate) const VISITORS: [&str; 4] = ["Maria Lopez", "Viktor Brandt", "Paul Diaz", "maria LOPEZ"];

/// Of a visit that should end within a history.
const MOMENT: i64 = 20_000;

impl World {
    /// Whose device a client is; nobody's yet of one that was not added, or was not let in.
    pub(crate) fn person_of(&self, index: usize) -> Option<PersonId> {
        self.person_at(&self.clients[index])
    }

    pub(crate) fn person_at(&self, client: &Client) -> Option<PersonId> {
        if client.visits {
            return self.store.state.devices.get(&client.device?).map(|device| device.person);
        }
        self.people[client.person]
    }

    /// A visitor stands at a bed, or what hung there once is in their hand.
    pub(crate) fn finds_a_code(&mut self, index: usize) {
        let codes = &self.bedside;
        let newest = codes.iter().rev().take(3).cloned().collect::<Vec<_>>();
        let from = if self.random.permille(850) { newest } else { codes.clone() };
        self.clients[index].code = self.random.pick(&from).cloned();
    }

    /// Somebody who is there and cares for a patient deals with the family, or a visitor does something: by chance alone both would be rare.
    pub(crate) fn family_goes_on(&mut self) {
        if self.random.permille(400) {
            let visitors: Vec<usize> =
                (0..self.clients.len()).filter(|index| self.clients[*index].visits).collect();
            if let Some(index) = self.random.pick(&visitors).copied() {
                self.client_acts(index);
            }
            return;
        }
        let ward = &self.reference.ward;
        let open: Vec<_> = ward
            .clinic
            .stays
            .iter()
            .filter(|stay| stay.discharged.is_none())
            .map(|stay| stay.thread)
            .collect();
        let cares = |index: &usize| {
            let client = &self.clients[*index];
            let is_there = !client.visits && client.phase == Stage::Synced;
            let person = self.person_of(*index).filter(|_| is_there);
            person.is_some_and(|person| open.iter().any(|thread| ward.member(*thread, person).is_some()))
        };
        let able: Vec<usize> = (0..self.clients.len()).filter(cares).collect();
        let Some(index) = self.random.pick(&able).copied() else { return };
        let threads = self.reference.ward.family.threads.iter().map(|(place, ..)| place.value());
        let threads: Vec<u64> =
            threads.filter(|place| self.clients[index].inbox.places.contains_key(place)).collect();
        let thread = self.random.pick(&threads).copied();
        if let Some(thread) = thread.filter(|_| self.random.permille(150)) {
            self.write_letter(index, thread);
            self.clients[index].flush_outbox();
            self.post(index);
        } else if let Some(ask) = self.about_family(self.person_of(index)) {
            self.clients[index].ask(ask);
            self.post(index);
        }
    }

    /// Somebody of the team deals with a patient's family.
    pub(crate) fn about_family(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let ward = self.reference.ward.clone();
        let mine = |stay: &&Stay| {
            let cares = me.is_some_and(|me| ward.member(stay.thread, me).is_some());
            let leads = me.is_some_and(|me| ward.post(me, stay.unit) == Some(true));
            cares || leads
        };
        let any = self.random.permille(100);
        let stays: Vec<Stay> = ward
            .clinic
            .stays
            .iter()
            .filter(|stay| any || stay.discharged.is_none() && mine(stay))
            .cloned()
            .collect();
        // Mostly one where there is something to do.
        let kin = &ward.family;
        let asked = |stay: &&Stay| kin.requests.iter().any(|one| one.stay == stay.id && !one.declined);
        let waited_at: Vec<Stay> = stays.iter().filter(asked).cloned().collect();
        let busy: Vec<Stay> = stays.iter().filter(|stay| kin.consents.contains(&stay.id)).cloned().collect();
        let from = match self.random.below(10) {
            0..6 if !waited_at.is_empty() => &waited_at,
            0..9 if !busy.is_empty() => &busy,
            _ => &stays,
        };
        let id = self.random.pick(from)?.id;
        let encounter = id.value();
        let waits: Vec<DeviceId> =
            kin.requests.iter().filter(|one| one.stay == id).map(|one| one.device).collect();
        if !waits.is_empty() && self.random.permille(700) {
            return self.some_answer(id, &waits);
        }
        let here: Vec<PersonId> =
            kin.visitors.iter().filter(|one| one.stay == id && !one.over).map(|one| one.person).collect();
        let person = self.random.pick(&here).copied().map_or(1, PersonId::value);
        let dice = self.random.below(100);
        let consented = kin.consents.contains(&id);
        let has_code = kin.codes.iter().any(|code| code.stay == id);
        Some(match dice {
            _ if !consented && dice < 60 => Ask::SetFamilyConsent(proto::SetFamilyConsent {
                encounter,
                given: true,
                words: "The patient, in my presence".to_owned(),
            }),
            _ if !has_code && dice < 70 => {
                Ask::IssueBedsideCode(proto::IssueBedsideCode { encounter, end: false })
            }
            0..20 => Ask::IssueBedsideCode(proto::IssueBedsideCode { encounter, end: dice < 3 }),
            20..28 => Ask::SetFamilyConsent(proto::SetFamilyConsent {
                encounter,
                given: false,
                words: String::new(),
            }),
            28..40 => {
                let name = (*self.random.pick(&VISITORS)?).to_owned();
                let blocked = self.random.permille(600);
                Ask::SetFamilyBlock(proto::SetFamilyBlock { encounter, name, blocked })
            }
            40..52 => Ask::ListFamily(proto::ListFamily { encounter }),
            52..55 => Ask::Discharge(proto::Discharge { encounter }),
            55..64 => Ask::EndVisit(proto::EndVisit { person }),
            64..85 => {
                let until = self.now.wall.0 + self.random.below(6) as i64 * MOMENT;
                Ask::ProlongVisit(proto::ProlongVisit { person, until })
            }
            _ => {
                let threads: Vec<u64> = kin.threads.iter().map(|(place, ..)| place.value()).collect();
                let conversation = self.random.pick(&threads).copied().unwrap_or(1);
                Ask::EndFamilyThread(proto::EndFamilyThread { conversation })
            }
        })
    }

    fn some_answer(&mut self, stay: EncounterId, waits: &[DeviceId]) -> Option<Ask> {
        let device = self.random.pick(waits)?.value();
        let kin = self.reference.ward.family.clone();
        let threads: Vec<u64> = kin.threads.iter().map(|(place, ..)| place.value()).collect();
        let thread = self.random.pick(&threads).copied().unwrap_or(1);
        let here: Vec<u64> = kin
            .visitors
            .iter()
            .filter(|one| one.stay == stay && !one.over)
            .map(|one| one.person.value())
            .collect();
        // Sometimes all phones are one person's.
        let first = here.first().copied().filter(|_| self.random.permille(500));
        let answer = match self.random.below(10) {
            _ if first.is_some() => Into::Person(first.unwrap_or(1)),
            0 => Into::Decline(proto::VisitDeclined {}),
            1..4 => Into::NewThread("The daughters".to_owned()),
            4..6 => Into::Thread(thread),
            6..8 => Into::Own(proto::PatientsOwn {}),
            _ => Into::Person(self.random.pick(&here).copied().unwrap_or(1)),
        };
        let until = match self.random.below(20) {
            0 => self.now.wall.0,
            1 => self.now.wall.0 + 31 * 86_400_000,
            2..12 => self.now.wall.0 + 1 + self.random.below(6) as i64 * MOMENT,
            _ => 0,
        };
        Some(Ask::AnswerVisit(proto::AnswerVisit { device, until, answer: Some(answer) }))
    }

    /// A visitor writes, reads, and tries what is not theirs.
    pub(crate) fn visitor_acts(&mut self, index: usize) {
        let places: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let place = self.random.pick(&places).copied();
        match (self.random.below(100), place) {
            (0..40, Some(place)) => self.write_letter(index, place),
            (40..60, Some(place)) => {
                let read = self.random.permille(700);
                self.clients[index].receipt(place, read);
            }
            (60..70, _) => self.fill_hole(index),
            (70..75, _) => self.clients[index].ask(Ask::Active(proto::Active {})),
            (75..85, _) => {
                // Somebody else's.
                let all: Vec<u64> = self.store.state.conversations.keys().map(|id| id.value()).collect();
                let conversation = self.random.pick(&all).copied().unwrap_or(1);
                self.clients[index].ask(Ask::History(proto::History { conversation, before: 0, limit: 5 }));
            }
            (85..100, _) => {
                let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
                let person = self.random.pick(&people).copied().unwrap_or(1);
                let ask = match self.random.below(6) {
                    0 => Ask::ListPeople(proto::ListPeople { after: 0 }),
                    1 => Ask::OpenDirect(proto::OpenDirect { person }),
                    2 => Ask::ListUnits(proto::ListUnits {}),
                    3 => Ask::SetStanding(proto::SetStanding { person, suspended: true }),
                    4 => self.about_family(None).unwrap_or(Ask::ListUnits(proto::ListUnits {})),
                    _ => Ask::OpenGroup(proto::OpenGroup { title: "Us".to_owned(), people: vec![person] }),
                };
                self.clients[index].ask(ask);
            }
            _ => {}
        }
    }

    /// What goes to a visitor is their thread's and says nothing of a patient; nobody of the directory hears who they are.
    pub(crate) fn verify_family(&mut self, turn: &Turn) -> Result<(), String> {
        for send in &turn.sends {
            let Send::Fanout { event: Event::Small(kind), conns, .. } = send else { continue };
            for conn in conns {
                let Some(Phase::In(device)) = self.phase(*conn) else { continue };
                if !self.reference.ward.is_visitors(device) {
                    if matches!(&**kind, Kind::Person(person) if PersonId::new(person.person).is_some_and(|id| self.reference.ward.visitor(id).is_some()))
                    {
                        return Err(format!("{conn} is told of a visitor as of a colleague"));
                    }
                    continue;
                }
                let fits = match &**kind {
                    Kind::Conversation(told) => {
                        let family = told.family.as_ref();
                        told.patient.is_none()
                            && told.encounter.is_none()
                            && (told.purged || family.is_some_and(|family| family.patient_thread == 0))
                    }
                    Kind::ConversationChanged(told) => told.patient.is_none() && told.encounter.is_none(),
                    Kind::Watermark(_) | Kind::Gone(_) | Kind::DeviceJoined(_) => true,
                    Kind::MessageChanged(_) | Kind::Reactions(_) => true,
                    _ => false,
                };
                self.coverage.reach(Situation::ShownToVisitor);
                if !fits {
                    return Err(format!("{conn} is a visitor's and hears what is not theirs"));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn cover_family(&mut self, conn: wardline_core::ids::Conn, body: &Ask, expected: &Expected) {
        let refused = match expected.answer {
            Some(Answer::Refused(Said(code))) => Some(code),
            _ => None,
        };
        let has = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let visitor = match self.phase(conn) {
            Some(Phase::In(device)) => self.reference.ward.is_visitors(device),
            _ => false,
        };
        let ended = has(|act| matches!(act, Act::VisitEnded(_)));
        let attached = !expected.closes.is_empty();
        let end = |live: Situation, away: Situation| if attached { live } else { away };
        let situation = match (body, refused) {
            (_, Some(Code::FamilyOnly)) => Situation::VisitorRefused,
            (Ask::History(_), Some(Code::NoSuchConversation)) if visitor => Situation::VisitorReadsElsewhere,
            (Ask::Submit(_), None) if visitor => Situation::VisitorWrote,
            (Ask::Submit(_), Some(Code::FamilyThreadEnded)) => Situation::FamilyThreadEndedRefused,
            (Ask::Submit(_), Some(Code::FamilyNoStat)) => Situation::FamilyStatRefused,
            (_, Some(Code::InFamilyThread)) => Situation::FamilyThreadAltered,
            (Ask::Discharge(_), None) if ended => {
                end(Situation::VisitEndedByDischarge, Situation::VisitEndedByDischargeAway)
            }
            (Ask::SetFamilyConsent(_), None) if ended => {
                end(Situation::VisitEndedByConsent, Situation::VisitEndedByConsentAway)
            }
            (Ask::EndVisit(_) | Ask::EndFamilyThread(_), None) if ended => {
                end(Situation::VisitEndedByHand, Situation::VisitEndedByHandAway)
            }
            (Ask::SetFamilyBlock(_), None) if ended => Situation::VisitEndedByBlock,
            (Ask::Transfer(_), None) if has(|act| matches!(act, Act::BedsideCodeEnded(_))) => {
                Situation::CodeKilledByBedChange
            }
            (Ask::AnswerVisit(answer), None) => match answer.answer {
                Some(Into::Decline(_)) => Situation::VisitDeclined,
                Some(Into::Own(_)) => Situation::PatientLetIn,
                Some(Into::Person(_)) => Situation::SecondDeviceLetIn,
                Some(Into::Thread(_)) => Situation::LetInToThread,
                _ => Situation::LetInToNewThread,
            },
            (_, Some(Code::FamilyBlocked)) => Situation::BlockedNotLetIn,
            (_, Some(Code::FamilyOwnTaken)) => Situation::OwnThreadTaken,
            (_, Some(Code::NoFamilyConsent)) => Situation::NoConsent,
            (_, Some(Code::NoSuchVisit)) => Situation::VisitAnsweredTooLate,
            (_, Some(Code::VisitEndInvalid)) => Situation::VisitEndInvalid,
            (Ask::ListFamily(_), Some(Code::NotPermitted)) => Situation::FamilyRefused,
            (Ask::ListFamily(_), None) => Situation::FamilyListed,
            (Ask::ProlongVisit(_), None) => Situation::VisitProlonged,
            _ => return,
        };
        self.coverage.reach(situation);
        let threads = &self.reference.ward.family.threads;
        if threads.iter().any(|(_, stay, _)| threads.iter().filter(|(_, other, _)| other == stay).count() > 1)
        {
            self.coverage.reach(Situation::SeveralFamilyThreads);
        }
    }

    pub(crate) fn cover_asking(&mut self, answer: Option<Answer>) {
        let situation = match answer {
            Some(Answer::VisitAsked) => Situation::VisitAsked,
            Some(Answer::Refused(Said(Code::BedsideCodeInvalid))) => Situation::OldCodeRefused,
            Some(Answer::Refused(Said(Code::FamilyWaiting))) => Situation::VisitorWaits,
            Some(Answer::Refused(Said(Code::FamilyDeclined))) => Situation::DeclinedTurnedAway,
            Some(Answer::Refused(Said(Code::FamilyOver))) => Situation::VisitorTurnedAway,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// The core's consents, codes, requests, visitors and threads are the reference's.
    pub(crate) fn compare_families(&self) -> Result<(), String> {
        let (core, naive) = (self.relay.state(), &self.reference.ward.family);
        let mut consents = naive.consents.clone();
        consents.sort_unstable();
        if core.family.consents.keys().copied().collect::<Vec<_>>() != consents {
            return Err("other consents to family".to_owned());
        }
        let codes = core.family.codes.iter().map(|(stay, code)| (*stay, code.hash, code.expires));
        let mut told: Vec<_> = naive.codes.iter().map(|code| (code.stay, code.hash, code.expires)).collect();
        told.sort_unstable();
        if codes.collect::<Vec<_>>() != told {
            return Err("other codes at beds".to_owned());
        }
        let requests =
            core.family.requests.values().map(|one| (one.device, (one.encounter, one.until, one.declined)));
        let mut told: Vec<_> =
            naive.requests.iter().map(|one| (one.device, (one.stay, one.until, one.declined))).collect();
        told.sort_unstable();
        if requests.collect::<Vec<_>>() != told {
            return Err("others wait to be let in".to_owned());
        }
        for one in &naive.visitors {
            let entry = core.people.get(&one.person).and_then(|person| person.visitor.as_ref());
            let same = entry.is_some_and(|entry| {
                (entry.encounter, entry.thread, entry.until, !entry.is_running())
                    == (one.stay, one.thread, one.until, one.over)
            });
            if !same {
                return Err(format!("{} visits otherwise", one.person));
            }
        }
        let blocked = core.family.blocked.values().map(|list| list.names().len()).sum::<usize>();
        if blocked != naive.blocked.len() || core.family.threads.len() != naive.threads.len() {
            return Err("other block lists or family threads".to_owned());
        }
        Ok(())
    }
}
