//! Who is in a patient's thread, and when what was given for a time is over.

mod ward;

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::care::{self, TeamChange};
use wardline_core::clinic::{Assignment, CarePlace, Encounter, Standing};
use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::directory::Post;
use wardline_core::escalation::Priority;
use wardline_core::ids::{
    AssignmentId, Change, Conn, ConversationId, EncounterId, MessageId, Number, PatientId, PersonId,
    Sequence, UnitId,
};
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::relay::Relay;
use wardline_core::state::{Restored, State};
use wardline_core::text::{Name, Sealed};
use wardline_core::time::{Mono, Wall};
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{RefusalCode, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

const HOUR: u64 = 3_600_000;

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

/// Numbers that look like chance, the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The derivation against lists that are asked anew each time: whatever happened, in whatever order.
#[test]
fn a_care_team_is_whoever_has_a_reason_to_be_in_it() {
    let person = |n: u64| PersonId::new(1 + n).expect("in range");
    let stay_of = |n: u64| EncounterId::new(10 + n).expect("in range");
    let shift_of = |n: u64| AssignmentId::new(100 + n).expect("in range");
    let (mut kept_by_another, mut out) = (0, 0);
    for seed in 0..200 {
        let (mut dice, mut state, mut change) = (Dice(seed), State::default(), 0);
        let mut attending: BTreeMap<u64, Option<u64>> = BTreeMap::new();
        let mut by_hand: Vec<(u64, u64)> = Vec::new();
        // Whose, and whom it met.
        let mut shifts: BTreeMap<u64, (u64, Vec<u64>)> = BTreeMap::new();
        for _ in 0..120 {
            let (who, stay, shift) = (dice.throw(5), dice.throw(3), dice.throw(6));
            let encounter = stay_of(stay);
            let thread = ConversationId::new(1 + stay).expect("in range");
            let write = match dice.throw(8) {
                0 if !attending.contains_key(&stay) => {
                    attending.insert(stay, None);
                    Write::EncounterOpened(Encounter {
                        id: encounter,
                        patient: PatientId::new(1 + stay).expect("in range"),
                        unit: UnitId::new(1).expect("in range"),
                        bed: bed(&format!("{stay}")),
                        attending: None,
                        standing: Standing::Admitted,
                        thread,
                        closed: None,
                        admitted: Wall(0),
                        changed: Change(0),
                    })
                }
                1 if attending.contains_key(&stay) => {
                    let whom = (dice.throw(2) == 0).then_some(who);
                    attending.insert(stay, whom);
                    Write::AttendingSet { encounter, thread, attending: whom.map(person) }
                }
                2 if attending.contains_key(&stay) => {
                    by_hand.retain(|place| *place != (stay, who));
                    by_hand.push((stay, who));
                    let place = Some(CarePlace { since: Wall(0), until: None });
                    Write::CareTeamSet { encounter, person: person(who), place }
                }
                3 => {
                    by_hand.retain(|place| *place != (stay, who));
                    Write::CareTeamSet { encounter, person: person(who), place: None }
                }
                4 if !shifts.contains_key(&shift) => {
                    shifts.insert(shift, (who, Vec::new()));
                    Write::AssignmentTaken(Assignment {
                        id: shift_of(shift),
                        person: person(who),
                        unit: UnitId::new(1).expect("in range"),
                        beds: Vec::new(),
                        since: Wall(0),
                        until: Wall(1),
                        covers: BTreeSet::new(),
                    })
                }
                5 | 6 if attending.contains_key(&stay) && shifts.contains_key(&shift) => {
                    shifts.get_mut(&shift).expect("there").1.push(stay);
                    Write::AssignmentCovers { assignment: shift_of(shift), encounter }
                }
                7 => {
                    shifts.remove(&shift);
                    Write::AssignmentEnded { assignment: shift_of(shift) }
                }
                _ => continue,
            };
            change += 1;
            state.apply(Change(change), &write);
            for (stay, attends) in &attending {
                let mut wanted = BTreeSet::new();
                for who in 0..5 {
                    let reasons = [
                        *attends == Some(who),
                        by_hand.contains(&(*stay, who)),
                        shifts.values().any(|(holder, met)| *holder == who && met.contains(stay)),
                    ];
                    if reasons.contains(&true) {
                        wanted.insert(person(who));
                    } else {
                        out += 1;
                    }
                    kept_by_another += usize::from(reasons.iter().filter(|is| **is).count() > 1);
                }
                assert_eq!(care::team(&state.clinic, stay_of(*stay)), wanted, "seed {seed}");
            }
        }
    }
    assert!(kept_by_another > 500 && out > 500, "{kept_by_another} {out}");
}

/// A unit with its charge nurse on connection 1 and staff on 2 and 3, and a patient in bed A-1.
struct House {
    ward: Ward,
    unit: UnitId,
    encounter: EncounterId,
    thread: ConversationId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let (name, fresh) = (Name::parse("4 West").expect("a name"), ward.fresh());
        let Body::UnitSet(set) = answer(&ward.ask(BOX, Ask::SetUnit { unit: None, name, fresh })) else {
            panic!("no unit")
        };
        let unit = UnitId::new(set.unit).expect("a unit");
        for (person, post) in
            ward.people.clone().into_iter().zip([Post::ChargeNurse, Post::Staff, Post::Staff])
        {
            ward.ask(BOX, Ask::SetPost { person, unit, post: Some(post) });
        }
        let (encounter, thread) = admit(&mut ward, unit, "1", "A-1");
        Self { ward, unit, encounter, thread }
    }

    fn take(&mut self, conn: u64, beds: &[&str], ms: u64) -> Turn {
        let fresh = self.ward.fresh();
        let beds = beds.iter().map(|name| bed(name)).collect();
        let until = self.ward.now.wall.after(ms);
        let shift = Shift { unit: self.unit, person: None, beds, until, fresh };
        self.ward.ask(Conn(conn), Ask::Clinical(Clinical::TakeAssignment(shift)))
    }

    fn team(&mut self, conn: u64, add: &[PersonId], until: Option<Wall>, remove: &[PersonId]) -> Turn {
        let change = TeamChange { add: add.to_vec(), until, remove: remove.to_vec() };
        let ask = Clinical::ChangeCareTeam { encounter: self.encounter, change };
        self.ward.ask(Conn(conn), Ask::Clinical(ask))
    }

    fn transfer(&mut self, to: &str) -> Turn {
        let (encounter, unit) = (self.encounter, self.unit);
        self.ward.ask(BOX, Ask::Clinical(Clinical::Transfer { encounter, unit, bed: bed(to) }))
    }

    fn person(&self, conn: u64) -> PersonId {
        self.ward.people[conn as usize - 1]
    }

    fn is_in(&self, conn: u64) -> bool {
        let place = &self.ward.relay.state().conversations[&self.thread];
        place.member(self.person(conn)).is_some()
    }

    /// Time passes by both clocks, and every timer that is due is handled.
    fn pass(&mut self, ms: u64) {
        let end = self.ward.now.mono.after(ms);
        let wall = self.ward.now.wall.after(ms);
        while let Some(due) = self.ward.relay.poll_timeout().filter(|due| *due <= end) {
            self.ward.now.mono = self.ward.now.mono.max(due);
            self.ward.relay.handle_timeout(self.ward.now);
        }
        (self.ward.now.mono, self.ward.now.wall) = (end, wall);
    }

    fn step_wall(&mut self, ms: i64) {
        self.ward.now.wall = Wall(self.ward.now.wall.0 + ms);
    }

    /// The process comes back with what it remembered.
    fn restart(&mut self) {
        let state = self.ward.relay.state();
        let patients = state.clinic.patients.keys();
        let threads =
            patients.flat_map(|patient| state.clinic.threads_of(*patient).map(|thread| (thread, *patient)));
        let clinic = wardline_core::clinic::RestoredClinic {
            patients: state.clinic.patients.values().cloned().collect(),
            encounters: state.clinic.encounters.values().cloned().collect(),
            care: state.clinic.care.iter().map(|((stay, who), place)| (*stay, *who, *place)).collect(),
            assignments: state.clinic.assignments.values().cloned().collect(),
            emergencies: state.clinic.emergencies.values().cloned().collect(),
            threads: threads.collect(),
        };
        let restored = Restored {
            people: state.people.values().cloned().collect(),
            units: state.units.values().cloned().collect(),
            devices: state.devices.values().cloned().collect(),
            conversations: state.conversations.values().cloned().collect(),
            change: state.change,
            audited: state.audited,
            clinic,
            family: state.family.to_restored(),
            ..Restored::default()
        };
        self.ward.now.mono = Mono(5);
        self.ward.relay =
            Relay::new(self.ward.now, Default::default(), &[7; 32], restored).expect("the same");
    }
}

fn admit(ward: &mut Ward, unit: UnitId, record: &str, in_bed: &str) -> (EncounterId, ConversationId) {
    let particulars = Particulars {
        record: RecordNumber::parse(record).expect("a number"),
        name: Name::parse("Rosa Diaz").expect("a name"),
        birth: BirthDate::parse("1947-03-09").expect("a day"),
        sex: Sex::Female,
    };
    let (record, fresh) = (particulars.record.clone(), ward.fresh());
    let admission =
        Admission { record, new: Some(particulars), unit, bed: bed(in_bed), attending: None, fresh };
    let Body::Admitted(admitted) = answer(&ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)))) else {
        panic!("not admitted")
    };
    let ids = EncounterId::new(admitted.encounter).zip(ConversationId::new(admitted.conversation));
    ids.expect("identifiers")
}

#[test]
fn who_moves_passes_to_the_new_holder_at_once_and_the_old_one_stays_to_the_end() {
    let mut house = House::new();
    house.take(2, &["A-1"], HOUR);
    house.take(3, &["B-1"], 2 * HOUR);
    assert!(house.is_in(2) && !house.is_in(3));
    assert_eq!(refusal(&house.transfer("B-1")), None);
    assert!(house.is_in(2) && house.is_in(3));
    house.pass(HOUR);
    assert!(!house.is_in(2) && house.is_in(3));
}

#[test]
fn who_comes_into_a_held_bed_is_the_holders_and_reads_from_the_beginning() {
    let mut house = House::new();
    let owner = house.person(1);
    assert_eq!(refusal(&house.team(1, &[owner], None, &[])), None);
    let said = Submit {
        number: Number(1),
        message: MessageId([1; 16]),
        conversation: house.thread,
        body: Some(Sealed(vec![0; 40])),
        priority: Priority::Routine,
        call: Call::default(),
        reply_to: None,
        mentions: Default::default(),
        attachments: vec![],
        order: None,
    };
    assert_eq!(refusal(&house.ward.ask(Conn(1), Ask::Submit(said))), None);
    house.take(2, &[], HOUR);
    let member = *house.ward.relay.state().conversations[&house.thread].member(house.person(2)).expect("in");
    assert_eq!((member.from, member.read), (Sequence(1), Sequence(1)));
    let unit = house.unit;
    let (_, thread) = admit(&mut house.ward, unit, "2", "A-2");
    assert!(house.ward.relay.state().conversations[&thread].member(house.person(2)).is_some());
}

#[test]
fn an_assignment_is_over_when_its_time_is_and_not_a_moment_before() {
    let mut house = House::new();
    house.take(2, &["A-1"], HOUR);
    house.pass(HOUR - 1);
    assert!(house.is_in(2));
    house.pass(1);
    assert!(!house.is_in(2), "until is the first moment without it");
}

#[test]
fn a_wall_clock_that_steps_back_prolongs_nothing() {
    let mut house = House::new();
    house.take(2, &["A-1"], HOUR);
    house.step_wall(-10 * HOUR as i64);
    house.pass(HOUR);
    assert!(!house.is_in(2));
}

#[test]
fn a_wall_clock_that_has_passed_the_end_ends_it_with_the_next_sweep() {
    let mut house = House::new();
    house.take(2, &["A-1"], HOUR);
    house.step_wall(HOUR as i64);
    house.pass(60_000);
    assert!(!house.is_in(2));
}

#[test]
fn a_restart_gives_what_the_wall_clock_says_is_left_and_never_more_than_there_was() {
    for (stepped, left) in [(0, HOUR / 2), (-10 * HOUR as i64, HOUR), (HOUR as i64, 0)] {
        let mut house = House::new();
        house.take(2, &["A-1"], HOUR);
        house.pass(HOUR / 2);
        house.step_wall(stepped);
        house.restart();
        if left > 0 {
            house.pass(left - 1);
            assert!(house.is_in(2), "{stepped}");
        }
        house.pass(1);
        assert!(!house.is_in(2), "{stepped}");
    }
}

#[test]
fn who_is_in_by_hand_stays_when_the_shift_ends_and_the_other_way_round() {
    let mut house = House::new();
    let nurse = house.person(2);
    house.take(2, &["A-1"], HOUR);
    assert_eq!(refusal(&house.team(2, &[nurse], None, &[])), None);
    house.pass(HOUR);
    assert!(house.is_in(2), "by hand");
    house.take(2, &["A-1"], HOUR);
    assert_eq!(refusal(&house.team(1, &[], None, &[nurse])), None);
    assert!(house.is_in(2), "by the shift");
    house.pass(HOUR);
    assert!(!house.is_in(2));
}

#[test]
fn a_place_by_hand_may_have_an_end() {
    let mut house = House::new();
    let (other, until) = (house.person(4), house.ward.now.wall.after(HOUR));
    assert_eq!(refusal(&house.team(1, &[other], Some(until), &[])), None);
    assert!(house.is_in(4), "of no unit, and in the care team");
    house.pass(HOUR);
    assert!(!house.is_in(4));
}

#[test]
fn a_thread_closes_some_time_after_the_discharge_and_is_put_away_in_the_end() {
    let mut house = House::new();
    let owner = house.person(1);
    house.team(1, &[owner], None, &[]);
    let discharge = |house: &mut House| {
        let encounter = house.encounter;
        house.ward.ask(Conn(2), Ask::Clinical(Clinical::Discharge { encounter }))
    };
    assert_eq!(refusal(&discharge(&mut house)), None);
    assert_eq!(refusal(&discharge(&mut house)), Some(RefusalCode::EncounterOver.as_str_name()));
    let unit = house.unit;
    admit(&mut house.ward, unit, "2", "A-1");
    let mut number = 0;
    let mut say = |house: &mut House| {
        number += 1;
        let (message, body) = (MessageId([number as u8; 16]), Some(Sealed(vec![0; 40])));
        let (conversation, priority, call) = (house.thread, Priority::Routine, Call::default());
        let (number, reply_to, attachments) = (Number(number), None, vec![]);
        let said = Submit {
            number,
            message,
            conversation,
            body,
            priority,
            call,
            reply_to,
            mentions: Default::default(),
            attachments,
            order: None,
        };
        refusal(&house.ward.ask(Conn(1), Ask::Submit(said)))
    };
    house.step_wall(48 * HOUR as i64);
    house.pass(23 * HOUR);
    assert_eq!(say(&mut house), None, "no clock but the steady one shortens it");
    house.restart();
    house.step_wall(-48 * HOUR as i64);
    assert!(house.is_in(1));
    house.pass(24 * HOUR);
    let closed = |house: &House| house.ward.relay.state().conversations[&house.thread].archived;
    assert!(closed(&house) && house.is_in(1), "readable");
    house.pass(30 * 24 * HOUR);
    assert!(!house.is_in(1) && !house.ward.relay.state().clinic.encounters.contains_key(&house.encounter));
}

#[test]
fn what_is_wrong_is_refused_in_its_own_words_and_changes_nothing() {
    let mut house = House::new();
    let (unit, encounter, thread) = (house.unit, house.encounter, house.thread);
    let nowhere = EncounterId::new(5).expect("an identifier");
    let (nurse, stranger) = (house.person(1), house.person(4));
    house.team(1, &[nurse], None, &[]);
    house.take(3, &["C-1"], HOUR);
    admit(&mut house.ward, unit, "2", "A-2");
    use RefusalCode as Code;
    let rename = Ask::Rename {
        conversation: thread,
        title: wardline_core::text::Title::parse("Bed 1").expect("a title"),
    };
    let out = Ask::ChangeMembers { conversation: thread, add: vec![stranger], remove: vec![] };
    let leave = Ask::ChangeMembers { conversation: thread, add: vec![], remove: vec![nurse] };
    let archive = Ask::Archive { conversation: thread, archived: true };
    let team = |add: Vec<PersonId>, until, remove: Vec<PersonId>| {
        Ask::Clinical(Clinical::ChangeCareTeam { encounter, change: TeamChange { add, until, remove } })
    };
    let mut shift = |person, ahead: i64| {
        let until = Wall(house.ward.now.wall.0 + ahead);
        let fresh = house.ward.fresh();
        Ask::Clinical(Clinical::TakeAssignment(Shift { unit, person, beds: vec![], until, fresh }))
    };
    let shifts = [
        (shift(None, 0), Code::EndInvalid),
        (shift(None, 16 * HOUR as i64 + 1), Code::EndInvalid),
        (shift(Some(stranger), HOUR as i64), Code::NotStaffOfUnit),
    ];
    let now = house.ward.now.wall;
    let cases = [
        (rename, Code::InPatientThread),
        (out, Code::InPatientThread),
        (leave, Code::InPatientThread),
        (archive, Code::InPatientThread),
        (Ask::Clinical(Clinical::Discharge { encounter: nowhere }), Code::NoSuchPatient),
        (Ask::Clinical(Clinical::Transfer { encounter, unit, bed: bed("A-2") }), Code::BedTaken),
        (team(vec![stranger], Some(now), vec![]), Code::EndInvalid),
        (team(vec![], None, vec![stranger]), Code::NotByHand),
        (team(vec![nurse], None, vec![nurse]), Code::Invalid),
        (
            Ask::Clinical(Clinical::EndAssignment { assignment: AssignmentId::new(3).expect("one") }),
            Code::NoSuchAssignment,
        ),
    ];
    for (ask, code) in cases.into_iter().chain(shifts) {
        let turn = house.ward.ask(Conn(1), ask);
        assert_eq!(refusal(&turn), Some(code.as_str_name()));
        assert!(turn.writes.is_empty(), "{} changes nothing", code.as_str_name());
    }
}

#[test]
fn whoever_works_where_a_patient_would_go_fetches_nobody() {
    let mut house = House::new();
    let (stranger, encounter) = (house.person(4), house.encounter);
    let other = house.ward.add_unit("Hall B", &[stranger], &[]);
    let to_hall =
        |bed_name: &str| Ask::Clinical(Clinical::Transfer { encounter, unit: other, bed: bed(bed_name) });
    let turn = house.ward.ask(Conn(4), to_hall("B-1"));
    assert_eq!(refusal(&turn), Some(RefusalCode::NotPermitted.as_str_name()));
    assert!(turn.writes.iter().all(|n| matches!(n.write, Write::Audited { .. })));
    // Of the care team, they bring the patient with them; and who works where the patient lies sends them.
    house.take(2, &["A-1"], HOUR);
    assert_eq!(refusal(&house.team(2, &[stranger], None, &[])), None);
    assert_eq!(refusal(&house.ward.ask(Conn(4), to_hall("B-1"))), None);
    let back = Clinical::Transfer { encounter, unit: house.unit, bed: bed("A-1") };
    assert_eq!(refusal(&house.ward.ask(Conn(4), Ask::Clinical(back))), None, "hers to send back");
    assert_eq!(refusal(&house.ward.ask(Conn(3), to_hall("B-2"))), None);
}

#[test]
fn loss_of_the_post_or_of_the_access_ends_the_shift_and_restoring_does_not_bring_it_back() {
    for losing in 0..3 {
        let mut house = House::new();
        house.take(2, &["A-1"], HOUR);
        let (person, unit) = (house.person(2), house.unit);
        let lost = match losing {
            0 => Ask::SetPost { person, unit, post: None },
            1 => Ask::SetStanding { person, suspended: true },
            _ => Ask::SetDuties { person, administrator: false, privacy_officer: true },
        };
        house.ward.ask(BOX, lost);
        assert!(!house.is_in(2) && house.ward.relay.state().clinic.assignments.is_empty());
        house.ward.ask(BOX, Ask::SetPost { person, unit, post: Some(Post::Staff) });
        house.ward.ask(BOX, Ask::SetStanding { person, suspended: false });
        assert!(!house.is_in(2));
    }
}

#[test]
fn assignments_have_their_bounds() {
    let mut house = House::new();
    for _ in 0..wardline_core::limits::ASSIGNMENTS_OF_PERSON_MAX {
        assert_eq!(refusal(&house.take(2, &["A-1"], HOUR)), None);
    }
    assert_eq!(refusal(&house.take(2, &["A-1"], HOUR)), Some(RefusalCode::Limit.as_str_name()));
}
