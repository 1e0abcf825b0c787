//! Searching people and patients: what is found, in which order, and that nothing of it tells of what the person may not see.

mod ward;

use wardline_core::audit::Act;
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Correction, Shift};
use wardline_core::ids::{Conn, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::lookup::LookUp;
use wardline_core::merge::Merge;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::restriction::Restrict;
use wardline_core::search::Query;
use wardline_core::text::Name;
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{self, server_frame::Body};

use ward::{BOX, Ward, acts, answer, refusal};

/// Ana leads Hall A, where Ben holds the beds; Chidi leads Hall B; Dana is the privacy officer, and works in Hall A.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);

struct House {
    ward: Ward,
    hall: UnitId,
    other: UnitId,
    beds: usize,
}

fn wanted(words: &str) -> LookUp {
    let query = Query::parse(words).expect("words");
    LookUp {
        query,
        people: true,
        patients: true,
        unit: None,
        only_here: false,
        limit: limits::LOOK_UP_HITS_MAX,
    }
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let hall = ward.add_unit("Hall A", &[ben], &[ana]);
        let other = ward.add_unit("Hall B", &[], &[chidi]);
        ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: true });
        let (until, fresh) = (ward.now.wall.after(8 * 3_600_000), ward.fresh());
        let shift = Shift { unit: hall, person: None, beds: vec![], until, fresh };
        ward.ask(BEN, Ask::Clinical(Clinical::TakeAssignment(shift)));
        Self { ward, hall, other, beds: 0 }
    }

    fn ask(&mut self, conn: Conn, ask: Clinical) -> Turn {
        self.ward.now.mono = self.ward.now.mono.after(10_000);
        self.ward.ask(conn, Ask::Clinical(ask))
    }

    fn admit(&mut self, record: &str, name: &str, unit: UnitId) -> (PatientId, EncounterId) {
        self.beds += 1;
        let particulars = Particulars {
            record: RecordNumber::parse(record).expect("a number"),
            name: Name::parse(name).expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (record, new) = (particulars.record.clone(), Some(particulars));
        let (bed, fresh) = (Bed::parse(&format!("{}", self.beds)).expect("a bed"), self.ward.fresh());
        let turn =
            self.ask(BOX, Clinical::Admit(Admission { record, new, unit, bed, attending: None, fresh }));
        let Body::Admitted(admitted) = answer(&turn) else { panic!("not admitted") };
        let patient = PatientId::new(admitted.patient).expect("a patient");
        (patient, EncounterId::new(admitted.encounter).expect("a stay"))
    }

    fn restrict(&mut self, encounter: EncounterId, alias: &str, named: Conn) {
        let (alias, add) = (Some(Name::parse(alias).expect("a name")), vec![self.person(named)]);
        self.ask(BOX, Clinical::Restrict(Restrict { encounter, alias, add, remove: vec![] }));
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn found(&mut self, conn: Conn, ask: LookUp) -> proto::LookedUp {
        match answer(&self.ask(conn, Clinical::LookUp(ask))) {
            Body::LookedUp(found) => found,
            _ => panic!("not answered"),
        }
    }

    /// What patients somebody finds are called.
    fn patients(&mut self, conn: Conn, words: &str) -> Vec<String> {
        let found = self.found(conn, wanted(words));
        assert_eq!(found.patients_in_all as usize, found.patients.len());
        let patients = found.patients.into_iter().filter_map(|listed| listed.patient);
        patients.map(|patient| patient.particulars.map_or(patient.alias, |known| known.name)).collect()
    }
}

#[test]
fn whoever_cares_and_whoever_leads_the_unit_find_a_patient_and_nobody_else_does() {
    let mut house = House::new();
    house.admit("MRN-0042", "Rósa Díaz", house.hall);
    house.admit("MRN-0043", "Vera Lang", house.other);
    for words in ["rosa", "diaz ro", "MRN-0042", "0042", "mrn", "1947-03-09", "\"rosa diaz\""] {
        for conn in [ANA, BEN] {
            assert_eq!(house.patients(conn, words), ["Rósa Díaz"], "{words}");
        }
    }
    assert_eq!(house.patients(CHIDI, "mrn"), ["Vera Lang"]);
    assert!(house.patients(DANA, "mrn").is_empty(), "who reviews takes no part");
    for words in ["rosa lang", "\"ros\"", "\"diaz rosa\"", "0043"] {
        assert!(house.patients(BEN, words).is_empty(), "{words}");
    }
    let turn = house.ask(BEN, Clinical::LookUp(wanted("rosa diaz")));
    assert_eq!(acts(&turn), [Act::LookedUp(2, 1)], "with how many words, never which");
}

#[test]
fn a_restricted_patient_is_found_by_name_by_whoever_is_named_and_by_alias_by_who_leads_the_unit() {
    let mut house = House::new();
    let (_, stay) = house.admit("0042", "Rosa Diaz", house.hall);
    house.restrict(stay, "Blue Heron", BEN);
    assert_eq!(house.patients(BEN, "rosa"), ["Rosa Diaz"]);
    assert_eq!(house.patients(BEN, "heron"), ["Rosa Diaz"], "who knows both names may look for either");
    for words in ["rosa", "diaz", "0042", "1947-03-09"] {
        assert!(house.patients(ANA, words).is_empty(), "{words}");
    }
    assert_eq!(house.patients(ANA, "heron"), ["Blue Heron"]);
    assert!(house.patients(CHIDI, "heron").is_empty());
}

#[test]
fn merged_records_are_one_patient_found_by_each_number() {
    let mut house = House::new();
    house.admit("4711", "Rosa Diaz", house.hall);
    house.admit("9001", "Rosa Dias", house.other);
    let number = |text| RecordNumber::parse(text).expect("a number");
    let (surviving, merged) = (number("4711"), number("9001"));
    house.ask(BOX, Clinical::MergeRecords(Merge { surviving, merged, only_look: false }));
    for words in ["4711", "9001", "diaz"] {
        assert_eq!(
            house.patients(BEN, words),
            ["Rosa Diaz", "Rosa Diaz"],
            "two stays of one patient: {words}"
        );
    }
    assert!(house.patients(BEN, "dias").is_empty());
}

#[test]
fn people_are_found_by_name_and_title_the_best_first() {
    let mut house = House::new();
    let named = |found: proto::LookedUp| found.people.into_iter().map(|one| one.name).collect::<Vec<_>>();
    let all = house.found(DANA, wanted("nurse"));
    assert_eq!(all.people_in_all, 4, "everybody sees the directory");
    let one = LookUp { unit: Some(house.hall), ..wanted("nurse") };
    assert_eq!(named(house.found(DANA, one)).len(), 2, "whoever works there");
    let few = house.found(ANA, LookUp { limit: 1, ..wanted("nurse") });
    assert_eq!((few.people.len(), few.people_in_all), (1, 4));
    let none = house.found(ANA, LookUp { people: false, ..wanted("nurse") });
    assert_eq!((none.people.len(), none.people_in_all), (0, 0));
}

#[test]
fn who_has_gone_comes_last_and_can_be_left_out() {
    let mut house = House::new();
    let (_, gone) = house.admit("1", "Aaron Abel", house.hall);
    house.admit("2", "Zoe Abel", house.hall);
    house.ask(BOX, Clinical::Discharge { encounter: gone });
    assert_eq!(house.patients(BEN, "abel"), ["Zoe Abel", "Aaron Abel"]);
    assert_eq!(house.patients(ANA, "abel"), ["Zoe Abel"], "who leads the unit sees who lies there");
    let here = house.found(BEN, LookUp { only_here: true, ..wanted("abel") });
    assert_eq!(here.patients_in_all, 1);
}

#[test]
fn what_cannot_be_looked_for_is_refused_and_changes_nothing() {
    let mut house = House::new();
    let nowhere = UnitId::new(7);
    let turn = house.ask(ANA, Clinical::LookUp(LookUp { unit: nowhere, ..wanted("rosa") }));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NO_SUCH_UNIT"));
    assert!(turn.writes.is_empty());
    let turn = house.ask(BOX, Clinical::LookUp(wanted("rosa")));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert!(turn.writes.is_empty(), "a service of the box reads lists of units");
}

/// A small generator: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

const NAMES: [&str; 6] = ["Rosa Diaz", "Rosa Lang", "Vera Diaz", "Noor Haddad", "Blue Heron", "Ines Roth"];

/// Two worlds that are the same to Ben and Ana, and differ in whatever else happens in the house: what they find must be the same to the
/// byte, counts and order included.
#[test]
fn no_hit_no_count_and_no_order_tells_of_what_somebody_may_not_see() {
    for seed in 0..60 {
        let answers = [false, true].map(|differs| {
            let mut dice = Dice(seed);
            let mut house = House::new();
            let (hall, other) = (house.hall, house.other);
            let mut stays = Vec::new();
            for at in 0..4 {
                let name = NAMES[dice.below(6) as usize];
                stays.push(house.admit(&format!("10{at}"), name, hall));
            }
            let hidden = stays[dice.below(4) as usize];
            house.restrict(hidden.1, "Grey Gull", BEN);
            if differs {
                unseen(&mut house, &mut Dice(seed ^ 0xD1FF), other, hidden);
            }
            let mut all = Vec::new();
            for words in
                ["rosa", "diaz", "10", "103", "heron", "gull", "grey g", "vera", "noor", "1947-03-09", "99"]
            {
                for conn in [ANA, BEN] {
                    let limit = 1 + dice.below(6) as u32;
                    let found = house.found(conn, LookUp { limit, people: false, ..wanted(words) });
                    let counted = found.patients_in_all;
                    let named = found.patients.into_iter().map(|listed| {
                        let (patient, stay) =
                            (listed.patient.expect("a patient"), listed.encounter.expect("a stay"));
                        (patient.particulars.map(|known| known.name), patient.alias, stay.bed)
                    });
                    all.push((conn, words, counted, named.collect::<Vec<_>>()));
                }
            }
            all
        });
        let [one, other] = answers;
        assert_eq!(one, other, "seed {seed}");
    }
}

/// What neither Ana nor Ben may see: patients of the other hall, who is in their teams, their restrictions and records; and what the hidden
/// patient is really called, which Ana does not see and Ben is not asked about.
fn unseen(house: &mut House, dice: &mut Dice, other: UnitId, hidden: (PatientId, EncounterId)) {
    let mut stays: Vec<(PatientId, EncounterId)> = Vec::new();
    for at in 0..12 {
        match dice.below(6) {
            0..3 => {
                let name = NAMES[dice.below(6) as usize];
                stays.push(house.admit(&format!("99{at}"), name, other));
            }
            3 if !stays.is_empty() => {
                let which = stays[dice.below(stays.len() as u64) as usize];
                house.restrict(which.1, NAMES[dice.below(6) as usize], CHIDI);
            }
            4 if !stays.is_empty() => {
                let which = stays[dice.below(stays.len() as u64) as usize];
                let change = TeamChange { add: vec![house.person(CHIDI)], until: None, remove: vec![] };
                house.ask(CHIDI, Clinical::ChangeCareTeam { encounter: which.1, change });
            }
            _ if !stays.is_empty() => {
                let which = stays.swap_remove(dice.below(stays.len() as u64) as usize);
                house.ask(BOX, Clinical::Discharge { encounter: which.1 });
            }
            _ => {}
        }
    }
    let _ = hidden;
}

#[test]
fn who_sees_an_alias_alone_is_told_nothing_by_another_name_behind_it() {
    let answers = ["Rosa Diaz", "Vera Lang"].map(|name| {
        let mut house = House::new();
        let (patient, stay) = house.admit("0042", "Noor Haddad", house.hall);
        house.restrict(stay, "Grey Gull", BEN);
        let particulars = Particulars {
            record: RecordNumber::parse("0043").expect("a number"),
            name: Name::parse(name).expect("a name"),
            birth: BirthDate::parse("1950-01-01").expect("a day"),
            sex: Sex::Male,
        };
        let (attending, encounter) = (None, None);
        house.ask(BOX, Clinical::UpdatePatient(Correction { patient, particulars, attending, encounter }));
        ["rosa", "vera", "gull", "0043"].map(|words| house.patients(ANA, words))
    });
    assert_eq!(answers[0], answers[1]);
}
