//! The hall and its people, and what they do.

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::agency::{AgencyAsk, Arrival};
use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::escalation::{Priority, Stage, StatId};
use wardline_core::ids::{Conn, ConversationId, EncounterId, MessageId, Number, PersonId, Sequence, UnitId};
use wardline_core::input::{Ask, Call, Input, Submit, Zone};
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::policy::Policy;
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;

use crate::phones::Phones;
use crate::plan::{Duty, Plan};
use crate::ward::{BOX, HAVE_IT, Ward, answer, refusal};

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// Ana leads the hall; Ben, Chidi and Dana have the beds; Emeka floats; Farah is the physician. Each joined on the connection of
/// that number. Emeka and Farah share one handset.
pub(crate) const ANA: Conn = Conn(1);
pub(crate) const BEN: Conn = Conn(2);
pub(crate) const CHIDI: Conn = Conn(3);
pub(crate) const DANA: Conn = Conn(4);
pub(crate) const EMEKA: Conn = Conn(5);
pub(crate) const FARAH: Conn = Conn(6);
pub(crate) const INES: Conn = Conn(7);
pub(crate) const DESK: Conn = Conn(8);
/// Empty at first: of 61 beds one is.
pub(crate) const EMPTY: u32 = 48;

pub(crate) struct Day {
    pub(crate) ward: Ward,
    pub(crate) hall: UnitId,
    pub(crate) plan: Plan,
    pub(crate) phones: Phones,
    /// By the bed in which they lay at 07:00.
    pub(crate) residents: BTreeMap<u32, (EncounterId, ConversationId)>,
    /// Whom a device belongs to, by the connection on which it joined.
    pub(crate) owners: BTreeMap<Conn, PersonId>,
    numbers: BTreeMap<PersonId, u64>,
    /// Whose app does not move, though their connection is open.
    frozen: BTreeSet<PersonId>,
    next_conn: u64,
    began: Wall,
    drawn: u64,
    written: u64,
}

pub(crate) fn bed(number: u32) -> Bed {
    Bed::parse(&number.to_string()).expect("a bed")
}

impl Day {
    pub(crate) fn begin() -> Self {
        let mut ward = Ward::under(Policy::default(), 6);
        let [ana, ben, chidi, dana, emeka, farah] = ward.people[..] else { panic!("six people") };
        let hall = ward.add_unit("Hall B", &[ben, chidi, dana, emeka, farah], &[ana]);
        ward.enter_station(DESK, hall);
        let owners: BTreeMap<Conn, PersonId> =
            [ANA, BEN, CHIDI, DANA, EMEKA, FARAH].into_iter().zip(ward.people.clone()).collect();
        let screen = ward.relay.state().people.values().find(|person| person.station.is_some());
        let screen = screen.expect("a screen").id;
        let mut phones = Phones::default();
        phones.connected =
            owners.iter().map(|(conn, person)| (*conn, *person)).chain([(DESK, screen)]).collect();
        let began = ward.now.wall;
        let mut day = Self {
            ward,
            hall,
            plan: Plan::default(),
            phones,
            residents: BTreeMap::new(),
            owners,
            numbers: BTreeMap::new(),
            frozen: BTreeSet::new(),
            next_conn: 100,
            began,
            drawn: 8,
            written: 0,
        };
        for number in (1..=61).filter(|number| *number != EMPTY) {
            day.admit(number, (number <= 10).then_some(farah));
        }
        for (conn, beds, hours) in
            [(BEN, 1..=20, 8), (CHIDI, 21..=40, 8), (DANA, 41..=61, 8), (EMEKA, 1..=10, 4)]
        {
            day.take_beds(conn, beds.collect(), hours * HOUR);
        }
        // The handset is Emeka's at first.
        day.hang_up(FARAH);
        day
    }

    pub(crate) fn admit(&mut self, number: u32, attending: Option<PersonId>) {
        let record = RecordNumber::parse(&format!("B-{number:03}")).expect("a number");
        let particulars = Particulars {
            record: record.clone(),
            name: Name::parse(&format!("Resident {number}")).expect("a name"),
            birth: BirthDate::parse("1940-02-29").expect("a day"),
            sex: Sex::Female,
        };
        let (unit, fresh) = (self.hall, self.ward.fresh());
        let admission =
            Admission { record, new: Some(particulars), unit, bed: bed(number), attending, fresh };
        let turn = self.ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&turn) else { panic!("not admitted") };
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        self.plan.lay.insert(thread, vec![(self.ward.now.wall, number)]);
        self.plan.attends.extend(attending.map(|farah| (thread, farah)));
        self.residents.insert(number, (encounter, thread));
        self.phones.take(&self.ward, &self.plan, &turn);
    }

    pub(crate) fn take_beds(&mut self, whose: Conn, beds: Vec<u32>, ms: u64) {
        let (from, until) = (self.ward.now.wall, self.ward.now.wall.after(ms));
        self.plan.duties.push(Duty { who: self.owners[&whose], beds: beds.clone(), from, until });
        let mut beds: Vec<Bed> = beds.into_iter().map(bed).collect();
        beds.sort();
        let shift = Shift { unit: self.hall, person: None, beds, until, fresh: self.ward.fresh() };
        let turn = self.ask(whose, Ask::Clinical(Clinical::TakeAssignment(shift)));
        assert_eq!(refusal(&turn), None);
    }

    /// The owner of a device asks, on whatever connection it has.
    pub(crate) fn ask(&mut self, whose: Conn, ask: Ask) -> Turn {
        let conn = self.phones.conn_of(self.owners[&whose]).expect("connected");
        let turn = self.ward.ask(conn, ask);
        self.phones.take(&self.ward, &self.plan, &turn);
        turn
    }

    pub(crate) fn hang_up(&mut self, whose: Conn) {
        let conn = self.phones.conn_of(self.owners[&whose]).expect("connected");
        self.phones.connected.remove(&conn);
        let turn = self.ward.handle(Input::Closed { conn });
        self.phones.take(&self.ward, &self.plan, &turn);
    }

    /// Comes back on a new connection; whether its PIN was due.
    pub(crate) fn come_back(&mut self, whose: Conn) -> bool {
        let (conn, person) = (Conn(self.next_conn), self.owners[&whose]);
        self.next_conn += 1;
        self.phones.connected.insert(conn, person);
        let cursor = self.phones.cursor(&self.ward, person);
        let turn = self.ward.sign_in(whose, conn);
        let is_locked = matches!(answer(&turn), Body::PinNeeded(_));
        self.phones.take(&self.ward, &self.plan, &turn);
        if is_locked {
            self.unlock(conn);
        }
        self.ask(whose, Ask::Sync { cursor });
        is_locked
    }

    pub(crate) fn unlock(&mut self, conn: Conn) {
        let turn = self.ward.unlock(conn);
        assert!(matches!(answer(&turn), Body::SignedIn(_)), "the right PIN");
        self.phones.take(&self.ward, &self.plan, &turn);
    }

    /// Phones move again. Those that have locked meanwhile are unlocked.
    pub(crate) fn thaw(&mut self) {
        for person in std::mem::take(&mut self.frozen) {
            let is_locked =
                self.ward.relay.state().devices_of(person).all(|device| device.session_until.is_none());
            if let Some(conn) = self.phones.conn_of(person).filter(|_| is_locked) {
                self.unlock(conn);
                let cursor = self.phones.cursor(&self.ward, person);
                let turn = self.ward.ask(conn, Ask::Sync { cursor });
                self.phones.take(&self.ward, &self.plan, &turn);
            }
        }
    }

    pub(crate) fn submit(
        &mut self,
        whose: Conn,
        thread: ConversationId,
        priority: Priority,
        ring: &[Conn],
    ) -> Turn {
        let number = self.numbers.entry(self.owners[&whose]).or_default();
        *number += 1;
        let mut name = [0; 16];
        name[..8].copy_from_slice(&whose.0.to_be_bytes());
        name[8..].copy_from_slice(&number.to_be_bytes());
        let sent = Submit {
            number: Number(*number),
            message: MessageId(name),
            conversation: thread,
            body: Some(Sealed(vec![0; 40])),
            priority,
            call: Call { ring: ring.iter().map(|conn| self.owners[conn]).collect(), unit: None },
            reply_to: None,
            attachments: Vec::new(),
            mentions: Default::default(),
            order: None,
        };
        self.ask(whose, Ask::Submit(sent))
    }

    /// Until so long after 07:00, with every turn taken when it is due.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.ward.now.mono.after(ms);
        loop {
            let due = self.ward.relay.poll_timeout().filter(|due| *due <= end);
            let now = self.ward.now.mono.max(due.unwrap_or(end));
            self.ward.now.wall = self.ward.now.wall.after(now.0 - self.ward.now.mono.0);
            self.ward.now.mono = now;
            if due.is_none() {
                return;
            }
            let turn = self.ward.relay.handle_timeout(self.ward.now);
            self.phones.take(&self.ward, &self.plan, &turn);
        }
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        self.drawn =
            self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(self.drawn >> 33) as usize % from.len()]
    }

    /// Whoever has a phone in hand and somebody to write about writes about one of them.
    pub(crate) fn somebody_writes(&mut self) {
        let now = self.ward.now.wall;
        let able: Vec<(Conn, Vec<ConversationId>)> = self
            .owners
            .iter()
            .filter(|(_, person)| self.phones.conn_of(**person).is_some() && !self.frozen.contains(person))
            .map(|(conn, person)| (*conn, self.plan.threads_of(*person, now)))
            .filter(|(_, threads)| !threads.is_empty())
            .collect();
        let conns: Vec<Conn> = able.iter().map(|(conn, _)| *conn).collect();
        let author = self.pick(&conns);
        let threads = able.into_iter().find(|(conn, _)| *conn == author).expect("picked").1;
        let thread = self.pick(&threads);
        let turn = self.submit(author, thread, Priority::Routine, &[]);
        let is_accepted = turn.sends.iter().any(|send| matches!(send, Send::Accepted(_)));
        assert!(is_accepted, "{author}: {:?}", refusal(&turn));
        self.written += 1;
    }

    pub(crate) fn hands_and_eyes(&mut self, ask: fn() -> Ask) {
        for (conn, person) in self.phones.connected.clone() {
            if !self.frozen.contains(&person) {
                let turn = self.ward.ask(conn, ask());
                self.phones.take(&self.ward, &self.plan, &turn);
            }
        }
    }

    /// The members of every thread are whom the roster says, no more and no fewer.
    pub(crate) fn check_teams(&self) {
        let now = self.ward.now.wall;
        for (_, thread) in self.residents.values() {
            let place = &self.ward.relay.state().conversations[thread];
            for (conn, person) in &self.owners {
                let (is, should) =
                    (place.member(*person).is_some(), self.plan.may_see(*person, *thread, now));
                assert_eq!(is, should, "{conn} in {thread} at {now:?}");
            }
        }
    }

    /// Everything that was said where somebody is now is on their screen, or a page of history away: of how many threads the latter.
    pub(crate) fn check_complete(&mut self, whose: Conn) -> usize {
        let person = self.owners[&whose];
        let mut read_back = 0;
        for thread in self.plan.threads_of(person, self.ward.now.wall) {
            let said = self.phones.said_in(thread);
            if !said.is_subset(&self.phones.of.entry(person).or_default().shown) {
                read_back += 1;
                let history = Ask::History { conversation: thread, before: Sequence::NONE, limit: 100 };
                assert_eq!(refusal(&self.ask(whose, history)), None);
            }
            assert!(said.is_subset(&self.phones.of[&person].shown), "{whose} lacks something of {thread}");
        }
        read_back
    }

    pub(crate) fn minutes(&self) -> u64 {
        (self.ward.now.wall.0 - self.began.0) as u64 / MINUTE
    }

    /// On to this minute of the shift: somebody writes every other minute, phones are in use, the roster holds.
    pub(crate) fn until(&mut self, minute: u64) {
        while self.minutes() < minute {
            // 240 in 480 minutes; what a STAT kept people from saying they say behind it.
            while self.written * 2 <= self.minutes() {
                self.somebody_writes();
            }
            self.hands_and_eyes(|| Ask::Active);
            let next = (self.minutes() + 1) * MINUTE;
            self.pass(next - (self.ward.now.wall.0 - self.began.0) as u64);
            self.check_teams();
        }
    }

    /// A STAT about whoever lay in this bed. It rings for `first`, who is frozen with `others`; who is called when, in seconds.
    pub(crate) fn stat(
        &mut self,
        from: Conn,
        number: u32,
        first: Conn,
        others: &[Conn],
        seconds: u64,
    ) -> (StatId, BTreeMap<Conn, u64>) {
        // A moment ago they were in use: the box has yet to find out.
        self.hands_and_eyes(|| Ask::Here);
        self.frozen = others.iter().chain([&first]).map(|conn| self.owners[conn]).collect();
        let (_, thread) = self.residents[&number];
        let turn = self.submit(from, thread, Priority::Stat, &[first]);
        assert!(turn.sends.iter().any(|send| matches!(send, Send::Accepted(_))), "{:?}", refusal(&turn));
        let id =
            StatId { conversation: thread, sequence: self.ward.relay.state().conversations[&thread].last };
        let mut rang = BTreeMap::new();
        for second in 0..=seconds {
            for (conn, person) in
                self.owners.iter().map(|(conn, person)| (*conn, *person)).chain([self.desk()])
            {
                if self.rings(person, id) {
                    rang.entry(conn).or_insert(second);
                }
            }
            if second % (limits::HERE_MS / 1_000) == 0 {
                self.hands_and_eyes(|| Ask::Here);
            }
            if second < seconds {
                self.pass(1_000);
            }
        }
        (id, rang)
    }

    pub(crate) fn desk(&self) -> (Conn, PersonId) {
        (DESK, self.phones.connected[&DESK])
    }

    pub(crate) fn rings(&self, person: PersonId, stat: StatId) -> bool {
        let key = (stat.conversation.value(), stat.sequence.0);
        self.phones.of.get(&person).is_some_and(|phone| phone.rings.contains(&key))
    }

    pub(crate) fn takes(&mut self, whose: Conn, stat: StatId) {
        self.thaw();
        let turn = self.ask(whose, Ask::AnswerStat { stat, answer: HAVE_IT });
        assert_eq!(refusal(&turn), None);
        let taker = self.owners[&whose];
        let open = &self.ward.relay.state().escalations[&stat];
        assert!(matches!(open.stage, Stage::Accepted { by, .. } if by == Some(taker)));
        for person in self.phones.connected.values().filter(|person| **person != taker) {
            assert!(!self.rings(*person, stat), "it rings on after an answer");
        }
    }

    /// The handset passes from one hand to another.
    pub(crate) fn pass_handset(&mut self, from: Conn, to: Conn) {
        self.hang_up(from);
        assert!(self.come_back(to), "its new holder proves that it is they");
        self.check_complete(to);
    }
}

impl Day {
    pub(crate) fn ines_comes(&mut self, beds: &[u32], ms: u64) {
        let (from, until) = (self.ward.now.wall, self.ward.now.wall.after(ms));
        let mut parsed: Vec<Bed> = beds.iter().copied().map(bed).collect();
        parsed.sort();
        let arrival = Arrival {
            returning: None,
            name: Name::parse("Inés Roth").expect("a name"),
            agency: Name::parse("Brightside Nursing").expect("a name"),
            title: Title::parse("RN").expect("a title"),
            unit: self.hall,
            beds: Some(parsed),
            until,
            another: false,
            fresh: self.ward.fresh(),
        };
        let turn = self.ask(ANA, Ask::Agency(AgencyAsk::Admit(Box::new(arrival))));
        let Body::AgencyAdmitted(admitted) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        let ines = PersonId::new(admitted.person).expect("a person");
        self.plan.duties.push(Duty { who: ines, beds: beds.to_vec(), from, until });
        self.owners.insert(INES, ines);
        self.phones.connected.insert(INES, ines);
        let turn = self.ward.join_by(INES, Zone::Ward, &admitted.code);
        self.phones.take(&self.ward, &self.plan, &turn);
        self.ask(INES, Ask::Sync { cursor: Vec::new() });
    }

    pub(crate) fn moves(&mut self, from: u32, to: u32) {
        let (encounter, thread) = self.residents[&from];
        self.plan.lay.get_mut(&thread).expect("a thread").push((self.ward.now.wall, to));
        let transfer = Clinical::Transfer { encounter, unit: self.hall, bed: bed(to) };
        let turn = self.ward.ask(BOX, Ask::Clinical(transfer));
        assert_eq!(refusal(&turn), None);
        self.phones.take(&self.ward, &self.plan, &turn);
    }

    pub(crate) fn is_put_out(&self, conn: Conn) -> bool {
        self.phones.closed.contains(&conn)
    }
}
