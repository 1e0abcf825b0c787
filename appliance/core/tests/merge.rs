//! Records of one patient that are merged and un-merged, told as stories.

mod ward;

use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::clinic::Standing;
use wardline_core::clinical::{Admission, Clinical, Correction, Shift};
use wardline_core::emergency::{Emergency, Whom};
use wardline_core::hold::{self, Holds, Whose};
use wardline_core::ids::{Conn, ConversationId, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::merge::{Merge, Unmerge};
use wardline_core::notice::{Told, Why};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::restriction::Restrict;
use wardline_core::text::{Grounds, Name, Title};
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

/// Ana leads Hall A and 4 West; Ben holds Hall A, Emil 4 West; Fatou leads 4 West alone; Dana is the privacy officer; Gil works in the
/// laundry.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const EMIL: Conn = Conn(3);
const FATOU: Conn = Conn(4);
const DANA: Conn = Conn(5);
const GIL: Conn = Conn(6);

/// Rosa Diaz of Hall A, and the Rosa Dias whom the emergency department had made of her and sent to 4 West.
const ROSA: &str = "4711";
const OTHER: &str = "9001";

struct House {
    ward: Ward,
    hall: UnitId,
    west: UnitId,
    /// Of Rosa's stay in Hall A, and of the other's in 4 West.
    stays: [EncounterId; 2],
    threads: [ConversationId; 2],
    patients: [PatientId; 2],
}

fn number(text: &str) -> RecordNumber {
    RecordNumber::parse(text).expect("a number")
}

fn particulars(record: &str, name: &str) -> Particulars {
    Particulars {
        record: number(record),
        name: Name::parse(name).expect("a name"),
        birth: BirthDate::parse("1947-03-09").expect("a day"),
        sex: Sex::Female,
    }
}

fn acts(turn: &Turn) -> Vec<(Actor, Act)> {
    let audited = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry")),
        _ => None,
    });
    audited.map(|entry| (entry.actor, entry.act)).collect()
}

fn told(turn: &Turn, thread: ConversationId) -> Vec<Told> {
    let notices = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::NoticeMade(notice) if notice.conversation == thread => Some(notice.told.clone()),
        _ => None,
    });
    notices.collect()
}

fn merged(turn: &Turn) -> proto::MergedRecords {
    match answer(turn) {
        Body::MergedRecords(merged) => merged,
        _ => panic!("not merged"),
    }
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(6);
        let [ana, ben, emil, fatou, dana, gil] = ward.people[..] else { panic!("six people") };
        let hall = ward.add_unit("Hall A", &[ben], &[ana]);
        let west = ward.add_unit("4 West", &[emil], &[ana, fatou]);
        ward.add_unit("Laundry", &[], &[gil]);
        ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: true });
        for (conn, unit) in [(BEN, hall), (EMIL, west)] {
            let (until, fresh) = (ward.now.wall.after(8 * 3_600_000), ward.fresh());
            let shift = Shift { unit, person: None, beds: vec![], until, fresh };
            ward.ask(conn, Ask::Clinical(Clinical::TakeAssignment(shift)));
        }
        let mut house = Self { ward, hall, west, stays: [ID; 2], threads: [PLACE; 2], patients: [WHO; 2] };
        for (at, (record, name, unit)) in
            [(ROSA, "Rosa Diaz", hall), (OTHER, "Rosa Dias", west)].into_iter().enumerate()
        {
            let admitted = house.admit(record, Some(name), unit, "1");
            let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
            house.patients[at] = PatientId::new(admitted.patient).expect("a patient");
            house.stays[at] = EncounterId::new(admitted.encounter).expect("a stay");
            house.threads[at] = ConversationId::new(admitted.conversation).expect("a thread");
        }
        house
    }

    fn admit(&mut self, record: &str, name: Option<&str>, unit: UnitId, bed: &str) -> Turn {
        let (new, fresh) = (name.map(|name| particulars(record, name)), self.ward.fresh());
        let bed = Bed::parse(bed).expect("a bed");
        let admission = Admission { record: number(record), new, unit, bed, attending: None, fresh };
        self.ask(BOX, Clinical::Admit(admission))
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn is_in(&self, conn: Conn, thread: usize) -> bool {
        let place = &self.ward.relay.state().conversations[&self.threads[thread]];
        place.member(self.person(conn)).is_some()
    }

    fn ask(&mut self, conn: Conn, ask: Clinical) -> Turn {
        self.ward.now.mono = self.ward.now.mono.after(60_000);
        self.ward.ask(conn, Ask::Clinical(ask))
    }

    fn merge(&mut self, conn: Conn, surviving: &str, merged: &str) -> Turn {
        let (surviving, merged) = (number(surviving), number(merged));
        self.ask(conn, Clinical::MergeRecords(Merge { surviving, merged, only_look: false }))
    }

    fn look(&mut self, conn: Conn, surviving: &str, merged: &str) -> Turn {
        let (surviving, merged) = (number(surviving), number(merged));
        self.ask(conn, Clinical::MergeRecords(Merge { surviving, merged, only_look: true }))
    }

    fn unmerge(&mut self, conn: Conn, merged: &str) -> Turn {
        let (merged, fresh) = (number(merged), self.ward.fresh());
        self.ask(conn, Clinical::UnmergeRecords(Unmerge { merged, only_look: false, fresh }))
    }

    fn restrict(&mut self, at: usize, alias: &str, add: &[Conn]) -> Turn {
        let add = add.iter().map(|conn| self.person(*conn)).collect();
        let (encounter, alias) = (self.stays[at], Some(Name::parse(alias).expect("a name")));
        self.ask(BOX, Clinical::Restrict(Restrict { encounter, alias, add, remove: vec![] }))
    }

    fn hold(&mut self, record: &str) {
        let (whose, fresh) = (Whose::Record(number(record)), self.ward.fresh());
        let matter = Title::parse("26-1180").expect("a matter");
        self.ward.now.mono = self.ward.now.mono.after(60_000);
        let placed = self.ward.ask(DANA, Ask::Hold(Holds::Place { whose, matter, fresh }));
        assert!(matches!(answer(&placed), Body::HoldPlaced(_)));
    }

    fn is_kept(&self) -> [bool; 2] {
        self.threads.map(|thread| hold::keeps(self.ward.relay.state(), thread))
    }

    /// As a member of this thread sees whom it is about.
    fn shown(&self, conn: Conn, thread: usize) -> proto::Patient {
        let wire = self.ward.relay.state().conversation_to_wire(self.threads[thread], self.person(conn));
        wire.and_then(|wire| wire.patient).expect("a patient")
    }

    fn refused(&mut self, turn: &Turn, code: &str) {
        assert_eq!(refusal(turn), Some(code));
        let changes = turn.writes.iter().filter(|n| !matches!(n.write, Write::Audited { .. }));
        assert_eq!(changes.count(), 0, "{code} changes nothing");
        assert!(acts(turn).iter().all(|(_, act)| matches!(act, Act::RequestRefused(_))), "{code}");
    }
}

/// Until something is admitted.
const ID: EncounterId = EncounterId::from_random([1; 8]);
const PLACE: ConversationId = ConversationId::from_random([1; 8]);
const WHO: PatientId = PatientId::from_random([1; 8]);

#[test]
fn whoever_cares_reads_across_and_both_threads_say_so() {
    let mut house = House::new();
    assert!(!house.is_in(BEN, 1) && !house.is_in(EMIL, 0));
    let turn = house.merge(ANA, ROSA, OTHER);
    let did = merged(&turn);
    assert!(did.done && did.stays.len() == 2 && did.stays.iter().all(|stay| stay.entering == 1));
    assert!(house.is_in(BEN, 1) && house.is_in(EMIL, 0));
    for (at, conn) in [(0, EMIL), (1, BEN)] {
        let person = house.person(conn);
        let entered = Told::Entered { person, why: Why::Merged, until: None };
        assert_eq!(told(&turn, house.threads[at]), [Told::RecordsMerged, entered]);
        let shown = house.shown(conn, at);
        assert_eq!(shown.particulars.expect("shown").name, "Rosa Diaz", "one patient, by the surviving name");
        assert_eq!(shown.merged_record_numbers, [OTHER]);
    }
    // What was written stays where it was written, and goes on counting.
    let [_, other] = house.threads;
    assert_eq!(house.ward.relay.state().conversations[&other].first.0, 1);
    let turn = house.unmerge(ANA, OTHER);
    assert!(!house.is_in(BEN, 1) && !house.is_in(EMIL, 0) && house.is_in(BEN, 0) && house.is_in(EMIL, 1));
    let left = Told::Left { person: house.person(BEN) };
    assert_eq!(told(&turn, other), [Told::RecordsUnmerged, left]);
    assert_eq!(house.shown(EMIL, 1).particulars.expect("shown").name, "Rosa Dias");
    assert!(house.shown(EMIL, 1).merged_record_numbers.is_empty());
}

#[test]
fn a_look_says_what_will_happen_and_changes_nothing() {
    let mut house = House::new();
    let turn = house.look(ANA, ROSA, OTHER);
    let seen = merged(&turn);
    assert!(!seen.done && seen.stays_in_all == 2);
    assert_eq!(
        seen.stays.iter().map(|stay| (stay.entering, stay.leaving)).collect::<Vec<_>>(),
        [(1, 0), (1, 0)]
    );
    let name = |patient: Option<proto::Patient>| patient.and_then(|p| p.particulars).expect("shown").name;
    assert_eq!((name(seen.surviving), name(seen.merged)), ("Rosa Diaz".to_owned(), "Rosa Dias".to_owned()));
    let [rosa, other] = house.patients;
    let by = house.ward.relay.state().people.contains_key(&house.person(ANA));
    assert!(
        by && matches!(acts(&turn)[..], [(_, Act::MergeLookedAt(merged, into))] if (merged, into) == (other, rosa))
    );
    assert!(!house.is_in(BEN, 1));
}

#[test]
fn the_merged_number_finds_the_survivor() {
    let mut house = House::new();
    house.merge(BOX, ROSA, OTHER);
    let turn = house.admit(OTHER, None, house.west, "2");
    house.refused(&turn, "REFUSAL_CODE_ALREADY_ADMITTED");
    let turn = house.admit(OTHER, Some("Rosa Dias"), house.west, "2");
    house.refused(&turn, "REFUSAL_CODE_RECORD_NUMBER_IN_USE");
    // One is left of the two beds. Whoever had that one reads no further; what was written can be read by who cares for her now.
    house.ask(BOX, Clinical::Discharge { encounter: house.stays[1] });
    assert!(!house.is_in(EMIL, 0) && house.is_in(EMIL, 1) && house.is_in(BEN, 1));
    let (whom, fresh) = (Whom::Record(number(OTHER)), house.ward.fresh());
    let grounds = Grounds::parse("Found on the floor").expect("grounds");
    let turn = house.ask(FATOU, Clinical::Emergency(Emergency::Begin { whom, grounds, fresh }));
    let Body::EmergencyBegan(began) = answer(&turn) else { panic!("not let in") };
    assert_eq!(began.conversation, house.threads[0].value(), "the stay that she has");
}

#[test]
fn a_stay_goes_with_the_number_it_was_begun_under() {
    let mut house = House::new();
    house.merge(BOX, ROSA, OTHER);
    for at in [0, 1] {
        house.ask(BOX, Clinical::Discharge { encounter: house.stays[at] });
    }
    let turn = house.admit(OTHER, None, house.hall, "7");
    let Body::Admitted(admitted) = answer(&turn) else { panic!("not admitted") };
    let thread = ConversationId::new(admitted.conversation).expect("a thread");
    let shown = |house: &House| {
        let wire = house.ward.relay.state().conversation_to_wire(thread, house.person(BEN));
        wire.and_then(|wire| wire.patient).and_then(|patient| patient.particulars).expect("shown").name
    };
    assert_eq!(shown(&house), "Rosa Diaz");
    house.unmerge(BOX, OTHER);
    assert_eq!(shown(&house), "Rosa Dias");
    let stay = house.ward.relay.state().clinic.open_of(house.patients[1]).expect("a stay");
    assert_eq!((stay.thread, stay.standing), (thread, Standing::Admitted));
    assert!(house.ward.relay.state().clinic.open_of(house.patients[0]).is_none());
}

#[test]
fn who_may_not_is_refused_and_nothing_changes() {
    let mut house = House::new();
    for conn in [BEN, FATOU, DANA, GIL] {
        let turn = house.merge(conn, ROSA, OTHER);
        house.refused(&turn, "REFUSAL_CODE_NOT_PERMITTED");
    }
    // Whoever may merge nothing learns of no number.
    let turn = house.merge(BEN, ROSA, "1");
    house.refused(&turn, "REFUSAL_CODE_NOT_PERMITTED");
    for (surviving, merged, code) in [
        (ROSA, "1", "REFUSAL_CODE_NO_SUCH_PATIENT"),
        ("1", OTHER, "REFUSAL_CODE_NO_SUCH_PATIENT"),
        (ROSA, ROSA, "REFUSAL_CODE_SAME_RECORD"),
    ] {
        let turn = house.merge(ANA, surviving, merged);
        house.refused(&turn, code);
    }
    let turn = house.unmerge(ANA, OTHER);
    house.refused(&turn, "REFUSAL_CODE_RECORD_NOT_MERGED");
    house.merge(ANA, ROSA, OTHER);
    house.admit("3", Some("Vera Lang"), house.hall, "3");
    for (surviving, merged, code) in [
        (ROSA, OTHER, "REFUSAL_CODE_RECORD_MERGED"),
        (OTHER, "3", "REFUSAL_CODE_RECORD_MERGED"),
        ("3", OTHER, "REFUSAL_CODE_RECORD_MERGED"),
        ("3", ROSA, "REFUSAL_CODE_HAS_MERGED_RECORDS"),
    ] {
        let turn = house.merge(ANA, surviving, merged);
        house.refused(&turn, code);
    }
    for conn in [BEN, FATOU, DANA, GIL] {
        let turn = house.unmerge(conn, OTHER);
        house.refused(&turn, "REFUSAL_CODE_NOT_PERMITTED");
    }
    let turn = house.unmerge(ANA, ROSA);
    house.refused(&turn, "REFUSAL_CODE_RECORD_NOT_MERGED");
}

/// A record without a stay here is nobody's unit's: whose it is, is told only of who can be her patient.
#[test]
fn a_merge_shows_nobody_a_former_patient_of_another_day_of_birth() {
    let mut house = House::new();
    for (record, birth) in [("7", "1931-01-31"), ("8", "1947-03-09")] {
        let birth = BirthDate::parse(birth).expect("a day");
        let new = Some(Particulars { birth, ..particulars(record, "Vera Lang") });
        let (fresh, bed) = (house.ward.fresh(), Bed::parse(record).expect("a bed"));
        let unit = house.west;
        let admission = Admission { record: number(record), new, unit, bed, attending: None, fresh };
        let Body::Admitted(admitted) = answer(&house.ask(BOX, Clinical::Admit(admission))) else {
            panic!("not admitted")
        };
        let encounter = EncounterId::new(admitted.encounter).expect("a stay");
        house.ask(BOX, Clinical::Discharge { encounter });
    }
    // Their stays are put away.
    house.ward.pass(40 * 24 * 3_600_000);
    assert_eq!(house.ward.relay.state().clinic.encounters.len(), 2);
    let again = Conn(60);
    house.ward.sign_in(ANA, again);
    let turn = house.look(again, ROSA, "7");
    house.refused(&turn, "REFUSAL_CODE_NO_SUCH_PATIENT");
    let turn = house.look(again, "7", ROSA);
    house.refused(&turn, "REFUSAL_CODE_NO_SUCH_PATIENT");
    assert!(matches!(answer(&house.look(BOX, ROSA, "7")), Body::MergedRecords(_)), "a service of the box");
    assert!(matches!(answer(&house.look(again, ROSA, "8")), Body::MergedRecords(_)));
}

#[test]
fn a_patient_has_so_many_records_and_no_more() {
    let mut house = House::new();
    for at in 1..limits::RECORDS_OF_PATIENT_MAX {
        let record = format!("77{at}");
        house.admit(&record, Some("Rosa Diaz"), house.hall, &format!("2{at}"));
        assert!(merged(&house.merge(BOX, ROSA, &record)).done);
    }
    let turn = house.merge(BOX, ROSA, OTHER);
    house.refused(&turn, "REFUSAL_CODE_LIMIT");
}

#[test]
fn two_stays_of_one_patient_are_told_apart() {
    let mut house = House::new();
    house.merge(BOX, ROSA, OTHER);
    let (rosa, other, attending) = (house.patients[0], house.patients[1], Some(house.person(BEN)));
    let correct = |patient, encounter| {
        let particulars = particulars(ROSA, "Rosa Diaz");
        Clinical::UpdatePatient(Correction { patient, particulars, attending, encounter })
    };
    let turn = house.ask(BOX, correct(rosa, None));
    house.refused(&turn, "REFUSAL_CODE_SEVERAL_STAYS");
    let turn = house.ask(BOX, correct(other, Some(house.stays[1])));
    house.refused(&turn, "REFUSAL_CODE_RECORD_MERGED");
    house.ask(BOX, correct(rosa, Some(house.stays[1])));
    let stay = |at: usize| house.ward.relay.state().clinic.encounters[&house.stays[at]].attending;
    assert_eq!((stay(0), stay(1)), (None, attending));
}

#[test]
fn the_stricter_restriction_wins_and_goes_with_its_record() {
    let mut house = House::new();
    house.restrict(1, "Blue Heron", &[EMIL, ANA]);
    // Who is not named merges nobody whom they may not see.
    house.merge(BOX, ROSA, OTHER);
    assert!(house.is_in(EMIL, 0) && house.is_in(ANA, 0) && !house.is_in(BEN, 0) && !house.is_in(BEN, 1));
    assert_eq!(house.shown(EMIL, 0).alias, "Blue Heron");
    let unit = house.hall;
    let page = house.ask(BOX, Clinical::ListPatients { unit, after: None });
    let Body::PatientPage(page) = answer(&page) else { panic!("no page") };
    let listed = page.patients[0].patient.clone().expect("a patient");
    assert!(listed.particulars.is_none() && listed.alias == "Blue Heron");
    assert!(listed.merged_record_numbers.is_empty());
    let did = merged(&house.unmerge(BOX, OTHER));
    assert_eq!((did.surviving_named, did.merged_named), (0, 2));
    assert!(did.surviving.expect("shown").particulars.is_none(), "the box's services see no restricted name");
    assert!(house.is_in(BEN, 0) && !house.is_in(EMIL, 0) && !house.is_in(BEN, 1) && house.is_in(EMIL, 1));
}

#[test]
fn a_restriction_of_both_is_who_is_named_in_both_and_one_that_is_set_meanwhile_stays_with_both() {
    let mut house = House::new();
    house.restrict(0, "Grey Gull", &[BEN]);
    house.restrict(1, "Blue Heron", &[EMIL]);
    let turn = house.merge(ANA, ROSA, OTHER);
    house.refused(&turn, "REFUSAL_CODE_RESTRICTED");
    let turn = house.merge(BOX, ROSA, OTHER);
    house.refused(&turn, "REFUSAL_CODE_NOBODY_NAMED");
    house.restrict(1, "Blue Heron", &[BEN, EMIL]);
    house.merge(BOX, ROSA, OTHER);
    assert!(house.is_in(BEN, 0) && house.is_in(BEN, 1) && !house.is_in(EMIL, 0) && !house.is_in(EMIL, 1));
    assert_eq!(house.shown(BEN, 1).alias, "Grey Gull");
    house.restrict(1, "White Owl", &[FATOU]);
    assert!(house.is_in(FATOU, 0) && house.is_in(FATOU, 1) && !house.is_in(EMIL, 1));
    house.unmerge(BOX, OTHER);
    for at in [0, 1] {
        assert_eq!(house.shown(BEN, at).alias, "White Owl");
        assert!(house.is_in(BEN, at) && house.is_in(FATOU, at) && !house.is_in(EMIL, at));
    }
}

#[test]
fn what_was_kept_while_they_were_one_stays_kept() {
    let mut house = House::new();
    house.hold(OTHER);
    assert_eq!(house.is_kept(), [false, true]);
    house.merge(BOX, ROSA, OTHER);
    assert_eq!(house.is_kept(), [true, true]);
    let turn = house.unmerge(BOX, OTHER);
    assert_eq!(house.is_kept(), [true, true]);
    let placed = acts(&turn).into_iter().filter(|(_, act)| matches!(act, Act::HoldPlaced(..)));
    assert_eq!(placed.map(|(by, _)| by).collect::<Vec<_>>(), [Actor::TheBox]);
    assert_eq!(house.ward.relay.state().holds.len(), 2);
    // Not again each time.
    house.merge(BOX, ROSA, OTHER);
    house.unmerge(BOX, OTHER);
    assert_eq!(house.ward.relay.state().holds.len(), 2);
}

#[test]
fn who_came_in_alone_is_out_when_the_merge_restricts() {
    let mut house = House::new();
    let (whom, fresh) = (Whom::Record(number(ROSA)), house.ward.fresh());
    let grounds = Grounds::parse("Found on the floor").expect("grounds");
    house.ask(FATOU, Clinical::Emergency(Emergency::Begin { whom, grounds, fresh }));
    assert!(house.is_in(FATOU, 0) && !house.is_in(FATOU, 1), "emergency access is to one thread");
    house.restrict(1, "Blue Heron", &[EMIL]);
    let turn = house.merge(BOX, ROSA, OTHER);
    assert!(acts(&turn).iter().any(|(_, act)| matches!(act, Act::EmergencyEnded(_))));
    assert!(!house.is_in(FATOU, 0));
}

#[test]
fn who_has_both_beds_is_in_by_their_own() {
    let mut house = House::new();
    house.merge(BOX, ROSA, OTHER);
    let (unit, until, fresh) = (house.west, house.ward.now.wall.after(3_600_000), house.ward.fresh());
    let shift = Shift { unit, person: None, beds: vec![], until, fresh };
    let turn = house.ask(FATOU, Clinical::TakeAssignment(shift));
    let person = house.person(FATOU);
    let bed = Told::Entered { person, why: Why::Bed, until: Some(until) };
    assert_eq!(told(&turn, house.threads[1]), [bed]);
    assert_eq!(told(&turn, house.threads[0]), [Told::Entered { person, why: Why::Merged, until: None }]);
}
