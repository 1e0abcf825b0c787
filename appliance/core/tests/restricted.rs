//! Restricted patients, told as stories: who sees who they are, and what it takes to break the glass to them.

mod ward;

use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Correction, Shift};
use wardline_core::emergency::{Emergency, Whom};
use wardline_core::ids::{Conn, ConversationId, EmergencyId, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::restriction::Restrict;
use wardline_core::text::{Grounds, Name};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

/// Ana leads Hall A, where Ben holds the patient's bed; Chidi attends; Dana is the privacy officer; Emil and Fatou work in 4 West.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const EMIL: Conn = Conn(5);
const FATOU: Conn = Conn(6);
const ALL: [Conn; 7] = [BOX, ANA, BEN, CHIDI, DANA, EMIL, FATOU];
const TRUE: [&str; 3] = ["Rosa Diaz", "MRN-0042", "1947-03-09"];

struct House {
    ward: Ward,
    hall: UnitId,
    patient: PatientId,
    encounter: EncounterId,
    thread: ConversationId,
    /// Everything that was sent, and to whom.
    turns: Vec<Turn>,
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn particulars() -> Particulars {
    Particulars {
        record: RecordNumber::parse(TRUE[1]).expect("a number"),
        name: name(TRUE[0]),
        birth: BirthDate::parse(TRUE[2]).expect("a day"),
        sex: Sex::Female,
    }
}

/// Whether a frame to this connection says who the patient is.
fn tells(turn: &Turn, to: Conn) -> bool {
    turn.sends.iter().any(|send| {
        let bytes = match send {
            Send::Reply { conn, body, .. } if *conn == to => {
                wire::encode_frame(&proto::ServerFrame { request: 1, body: Some(body.clone()) })
            }
            Send::Fanout { conns, event: Event::Small(kind), .. } if conns.contains(&to) => {
                wire::encode_event((**kind).clone())
            }
            _ => return false,
        };
        TRUE.iter().any(|word| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
    })
}

fn acts(turn: &Turn) -> Vec<(Actor, Act)> {
    let audited = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry")),
        _ => None,
    });
    audited.map(|entry| (entry.actor, entry.act)).collect()
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(6);
        let [ana, ben, chidi, dana, emil, fatou] = ward.people[..] else { panic!("six people") };
        let hall = ward.add_unit("Hall A", &[ben, chidi], &[ana]);
        ward.add_unit("4 West", &[emil, fatou], &[]);
        ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: true });
        let (until, fresh) = (ward.now.wall.after(8 * 3_600_000), ward.fresh());
        let shift = Shift { unit: hall, person: None, beds: vec![], until, fresh };
        ward.ask(BEN, Ask::Clinical(Clinical::TakeAssignment(shift)));
        let (bed, fresh) = (Bed::parse("A-1").expect("a bed"), ward.fresh());
        let (record, new) = (particulars().record, Some(particulars()));
        let admission = Admission { record, new, unit: hall, bed, attending: Some(chidi), fresh };
        let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
        let patient = PatientId::new(admitted.patient).expect("a patient");
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        Self { ward, hall, patient, encounter, thread, turns: Vec::new() }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn is_in(&self, conn: Conn) -> bool {
        self.ward.relay.state().conversations[&self.thread].member(self.person(conn)).is_some()
    }

    fn ask(&mut self, conn: Conn, ask: Clinical) -> Turn {
        self.ward.now.mono = self.ward.now.mono.after(1_000);
        self.ward.ask(conn, Ask::Clinical(ask))
    }

    fn restrict(&mut self, conn: Conn, alias: Option<&str>, add: &[Conn], remove: &[Conn]) -> Turn {
        let people = |conns: &[Conn]| conns.iter().map(|conn| self.person(*conn)).collect();
        let (add, remove) = (people(add), people(remove));
        let (encounter, alias) = (self.encounter, alias.map(name));
        self.ask(conn, Clinical::Restrict(Restrict { encounter, alias, add, remove }))
    }

    fn break_glass(&mut self, conn: Conn) -> Turn {
        let whom = Whom::Record(particulars().record);
        let (grounds, fresh) = (Grounds::parse("Found on the floor").expect("grounds"), self.ward.fresh());
        self.ask(conn, Clinical::Emergency(Emergency::Begin { whom, grounds, fresh }))
    }

    fn asked(&mut self, conn: Conn) -> EmergencyId {
        let Body::EmergencyAsked(asked) = answer(&self.break_glass(conn)) else { panic!("not asked") };
        EmergencyId::new(asked.emergency).expect("an identifier")
    }

    fn countersign(&mut self, conn: Conn, id: EmergencyId) -> Turn {
        self.ask(conn, Clinical::Emergency(Emergency::Countersign { id }))
    }
}

#[test]
fn who_is_not_named_is_out_at_once_and_a_bed_brings_nobody_in() {
    let mut house = House::new();
    assert!(house.is_in(BEN) && house.is_in(CHIDI));
    let turn = house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    assert!(matches!(answer(&turn), Body::Done(_)));
    assert!(!house.is_in(BEN) && house.is_in(CHIDI));
    let gone = turn.sends.iter().any(|send| match send {
        Send::Fanout { conns, event: Event::Small(kind), .. } => {
            conns.contains(&BEN) && matches!(&**kind, proto::event::Kind::Gone(_))
        }
        _ => false,
    });
    assert!(gone, "in the same turn");
    // A new shift, a place by hand and another attending change nothing.
    let (until, fresh) = (house.ward.now.wall.after(3_600_000), house.ward.fresh());
    let shift = Shift { unit: house.hall, person: None, beds: vec![], until, fresh };
    house.ask(ANA, Clinical::TakeAssignment(shift));
    assert!(!house.is_in(ANA));
    let (encounter, patient) = (house.encounter, house.patient);
    let change = TeamChange { add: vec![house.person(BEN)], until: None, remove: vec![] };
    let by_hand = house.ask(ANA, Clinical::ChangeCareTeam { encounter, change });
    assert_eq!(refusal(&by_hand), Some("REFUSAL_CODE_RESTRICTED"));
    let attending = Some(house.person(BEN));
    let other = Clinical::UpdatePatient(Correction {
        patient,
        particulars: particulars(),
        attending,
        encounter: None,
    });
    assert_eq!(refusal(&house.ask(BEN, other)), Some("REFUSAL_CODE_RESTRICTED"));
}

#[test]
fn lifting_brings_back_whoever_cares() {
    let mut house = House::new();
    house.restrict(CHIDI, Some("Blue Heron"), &[CHIDI], &[]);
    let encounter = house.encounter;
    let again = house.ask(ANA, Clinical::LiftRestriction { encounter });
    assert!(matches!(answer(&again), Body::Done(_)) && house.is_in(BEN) && house.is_in(CHIDI));
    let twice = house.ask(ANA, Clinical::LiftRestriction { encounter });
    assert_eq!(refusal(&twice), Some("REFUSAL_CODE_NOT_RESTRICTED"));
}

#[test]
fn names_are_given_and_taken_and_never_none() {
    let mut house = House::new();
    assert_eq!(refusal(&house.restrict(ANA, None, &[CHIDI], &[])), Some("REFUSAL_CODE_INVALID"), "no alias");
    let nobody = house.restrict(ANA, Some("Blue Heron"), &[], &[]);
    assert_eq!(refusal(&nobody), Some("REFUSAL_CODE_NOBODY_NAMED"));
    let reviewer = house.restrict(ANA, Some("Blue Heron"), &[DANA], &[]);
    assert_eq!(refusal(&reviewer), Some("REFUSAL_CODE_REVIEWER_NOT_NAMED"));
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let other = house.restrict(ANA, None, &[BEN], &[CHIDI]);
    assert!(matches!(answer(&other), Body::Done(_)) && house.is_in(BEN) && !house.is_in(CHIDI));
    let ana = Actor::Person { person: house.person(ANA), device: device(&house, ANA) };
    let (patient, ben, chidi) = (house.patient, house.person(BEN), house.person(CHIDI));
    assert!(acts(&other).contains(&(ana, Act::PatientNamed(patient, ben))));
    assert!(acts(&other).contains(&(ana, Act::PatientUnnamed(patient, chidi))));
    // Who attends and is not named has no more say than anybody.
    let attends = house.restrict(CHIDI, None, &[CHIDI], &[]);
    assert_eq!(refusal(&attends), Some("REFUSAL_CODE_NOT_PERMITTED"));
    let last = house.restrict(ANA, None, &[], &[BEN]);
    assert_eq!(refusal(&last), Some("REFUSAL_CODE_NOBODY_NAMED"));
    let same = house.restrict(ANA, None, &[BEN], &[]);
    assert_eq!(same.writes.len(), 0, "nothing new");
}

fn device(house: &House, conn: Conn) -> wardline_core::ids::DeviceId {
    let person = house.person(conn);
    house.ward.relay.state().devices_of(person).next().expect("a device").id
}

/// Whatever anybody asks: what goes to whoever is not named never says who it is.
#[test]
fn nothing_that_goes_to_anybody_else_says_who_it_is() {
    let mut house = House::new();
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let (unit, encounter, patient) = (house.hall, house.encounter, house.patient);
    for conn in ALL {
        let (whom, fresh) = (Whom::InBed(unit, Bed::parse("A-1").expect("a bed")), house.ward.fresh());
        let grounds = Grounds::parse("Found on the floor").expect("grounds");
        let change = TeamChange { add: vec![house.person(EMIL)], until: None, remove: vec![] };
        let attending = Some(house.person(CHIDI));
        let asks = [
            Clinical::ListPatients { unit, after: None },
            Clinical::ListBeds { unit, after: None },
            Clinical::SetLeave { encounter, away: true },
            Clinical::SetLeave { encounter, away: false },
            Clinical::Transfer { encounter, unit, bed: Bed::parse("A-2").expect("a bed") },
            Clinical::Transfer { encounter, unit, bed: Bed::parse("A-1").expect("a bed") },
            Clinical::ChangeCareTeam { encounter, change },
            Clinical::UpdatePatient(Correction {
                patient,
                particulars: particulars(),
                attending,
                encounter: None,
            }),
            Clinical::Emergency(Emergency::Begin { whom, grounds, fresh }),
            Clinical::Emergency(Emergency::List { after: None }),
        ];
        for ask in asks {
            let turn = house.ask(conn, ask);
            house.turns.push(turn);
        }
        let snapshot = house.ward.ask(conn, Ask::Sync { cursor: Vec::new() });
        house.turns.push(snapshot);
    }
    for turn in &house.turns {
        for conn in ALL.into_iter().filter(|conn| *conn != CHIDI) {
            assert!(!tells(turn, conn), "{conn} is told");
        }
    }
    assert!(house.turns.iter().any(|turn| tells(turn, CHIDI)), "whoever is named is told");
    let listed = house.ask(ANA, Clinical::ListPatients { unit, after: None });
    let Body::PatientPage(page) = answer(&listed) else { panic!("no page") };
    assert_eq!(page.patients[0].patient.as_ref().map(|told| told.alias.as_str()), Some("Blue Heron"));
    let beds = house.ask(BEN, Clinical::ListBeds { unit, after: None });
    let Body::BedPage(page) = answer(&beds) else { panic!("no page") };
    let bed = page.beds.iter().find(|bed| bed.encounter != 0).expect("the bed");
    assert_eq!((bed.alias.as_str(), bed.ask), ("Blue Heron", house.person(CHIDI).value()), "and whom to ask");
}

#[test]
fn breaking_the_glass_takes_a_second_person() {
    let mut house = House::new();
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let id = house.asked(EMIL);
    assert!(!house.is_in(EMIL), "not yet");
    assert_eq!(refusal(&house.countersign(EMIL, id)), Some("REFUSAL_CODE_SECOND_PERSON"));
    assert_eq!(refusal(&house.countersign(DANA, id)), Some("REFUSAL_CODE_NOT_PERMITTED"), "she reviews");
    let look = house.ask(FATOU, Clinical::Emergency(Emergency::Look { id }));
    let Body::EmergencyRequest(request) = answer(&look) else { panic!("no request") };
    assert_eq!((request.alias.as_str(), request.person), ("Blue Heron", house.person(EMIL).value()));
    let signed = house.countersign(FATOU, id);
    assert!(matches!(answer(&signed), Body::Done(_)) && house.is_in(EMIL) && !house.is_in(FATOU));
    assert!(tells(&signed, EMIL) && !tells(&signed, FATOU));
    let told = signed.sends.iter().any(
        |send| matches!(send, Send::Reply { conn, body: Body::EmergenciesWaiting(_), .. } if *conn == DANA),
    );
    assert!(told, "the privacy officer is told in the same turn");
    let by = |conn| Actor::Person { person: house.person(conn), device: device(&house, conn) };
    let acts = acts(&signed);
    assert!(acts.contains(&(by(FATOU), Act::EmergencyCountersigned(id))));
    assert!(acts.contains(&(by(EMIL), Act::EmergencyBegan(id, house.encounter))));
    let listed = house.ask(DANA, Clinical::Emergency(Emergency::List { after: None }));
    let Body::EmergencyPage(page) = answer(&listed) else { panic!("no page") };
    let both = (page.emergencies[0].person, page.emergencies[0].second);
    assert_eq!(both, (house.person(EMIL).value(), house.person(FATOU).value()));
    assert!(!tells(&listed, DANA), "she reviews by alias");
    assert_eq!(
        refusal(&house.countersign(FATOU, id)),
        Some("REFUSAL_CODE_NO_SUCH_EMERGENCY_REQUEST"),
        "once"
    );
    house.ward.pass(limits::EMERGENCY_MS);
    assert!(!house.is_in(EMIL), "for an hour");
}

/// Whoever knows the number on somebody's wristband would learn alone where they lie and how they are called here.
#[test]
fn whoever_asks_by_record_number_is_not_told_which_alias_it_is() {
    let mut house = House::new();
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let id = house.asked(EMIL);
    let look = house.ask(EMIL, Clinical::Emergency(Emergency::Look { id }));
    assert_eq!(refusal(&look), Some("REFUSAL_CODE_SECOND_PERSON"));
    let look = house.ask(FATOU, Clinical::Emergency(Emergency::Look { id }));
    assert!(matches!(answer(&look), Body::EmergencyRequest(_)), "a colleague is");
}

/// One of their own is written under another's number, and somebody answers for them who is not there: that is refused either way, and
/// which way says whether there is such a record.
#[test]
fn who_tries_record_numbers_on_a_patient_of_theirs_is_slowed_down() {
    let mut house = House::new();
    let own = Particulars { record: RecordNumber::parse("MRN-0007").expect("a number"), ..particulars() };
    let (bed, fresh) = (Bed::parse("A-3").expect("a bed"), house.ward.fresh());
    let (record, new) = (own.record.clone(), Some(own));
    let admission = Admission { record, new, unit: house.hall, bed, attending: None, fresh };
    let Body::Admitted(admitted) = answer(&house.ask(BEN, Clinical::Admit(admission))) else {
        panic!("not admitted")
    };
    let patient = PatientId::new(admitted.patient).expect("a patient");
    let nobody = PersonId::new(u64::MAX);
    let mut tries = 0;
    let met = loop {
        let correction =
            Correction { patient, particulars: particulars(), attending: nobody, encounter: None };
        let turn = house.ask(BEN, Clinical::UpdatePatient(correction));
        assert_eq!(turn.writes.len(), 0);
        tries += 1;
        if refusal(&turn) != Some("REFUSAL_CODE_RECORD_NUMBER_IN_USE") || tries == 1_000 {
            break refusal(&turn).map(str::to_owned);
        }
    };
    assert_eq!(met.as_deref(), Some("REFUSAL_CODE_SLOW_DOWN"), "after {tries}");
    assert!(tries <= 251, "one a second comes to 200 and one in five seconds: {tries}");
}

#[test]
fn a_request_ends_by_itself_when_it_is_withdrawn_and_with_the_access() {
    let mut house = House::new();
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let gone = Some("REFUSAL_CODE_NO_SUCH_EMERGENCY_REQUEST");
    let late = house.asked(EMIL);
    house.ward.pass(limits::EMERGENCY_REQUEST_MS);
    assert_eq!(refusal(&house.countersign(FATOU, late)), gone, "to the moment");
    let withdrawn = house.asked(EMIL);
    let other = house.ask(FATOU, Clinical::Emergency(Emergency::End { id: withdrawn }));
    assert_eq!(refusal(&other), Some("REFUSAL_CODE_NO_SUCH_EMERGENCY"), "not hers");
    let end = house.ask(EMIL, Clinical::Emergency(Emergency::End { id: withdrawn }));
    assert!(acts(&end).iter().any(|(_, act)| *act == Act::EmergencyWithdrawn(withdrawn)));
    assert_eq!(refusal(&house.countersign(FATOU, withdrawn)), gone);
    let first = house.asked(EMIL);
    let newer = house.asked(EMIL);
    assert_eq!(refusal(&house.countersign(FATOU, first)), gone, "a newer one takes its place");
    let emil = house.person(EMIL);
    house.ward.ask(BOX, Ask::SetStanding { person: emil, suspended: true });
    assert_eq!(refusal(&house.countersign(FATOU, newer)), gone, "whoever asked is suspended");
    assert!(!house.is_in(EMIL));
}

#[test]
fn who_came_in_alone_is_out_when_the_patient_is_restricted() {
    let mut house = House::new();
    house.break_glass(EMIL);
    assert!(house.is_in(EMIL));
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    assert!(!house.is_in(EMIL));
}

#[test]
fn a_restricted_patient_who_comes_back_is_restricted_still() {
    let mut house = House::new();
    house.restrict(ANA, Some("Blue Heron"), &[CHIDI], &[]);
    let (encounter, unit) = (house.encounter, house.hall);
    house.ask(BEN, Clinical::Discharge { encounter });
    let (bed, fresh) = (Bed::parse("A-9").expect("a bed"), house.ward.fresh());
    let (record, attending) = (particulars().record, Some(house.person(BEN)));
    let admission = Admission { record, new: None, unit, bed, attending, fresh };
    let Body::Admitted(admitted) = answer(&house.ask(BEN, Clinical::Admit(admission))) else {
        panic!("not admitted")
    };
    house.thread = ConversationId::new(admitted.conversation).expect("a thread");
    assert!(house.is_in(CHIDI) && !house.is_in(BEN), "whoever admits and attends is not named by that");
}
