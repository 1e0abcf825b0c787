//! Beds are listed as people count them, page by page.

mod ward;

use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::ids::UnitId;
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::text::Name;
use wardline_core::wire::proto::server_frame::Body;

use ward::{BOX, Ward, answer};
use wardline_core::ids::Conn;

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

fn take(ward: &mut Ward, unit: UnitId, beds: impl Iterator<Item = String>) {
    let mut beds: Vec<Bed> = beds.map(|name| bed(&name)).collect();
    beds.sort_unstable();
    let (until, fresh) = (ward.now.wall.after(3_600_000), ward.fresh());
    let shift = Shift { unit, person: None, beds, until, fresh };
    let taken = answer(&ward.ask(Conn(1), Ask::Clinical(Clinical::TakeAssignment(shift))));
    assert!(matches!(taken, Body::AssignmentTaken(_)));
}

fn admit(ward: &mut Ward, unit: UnitId, record: &str, in_bed: &str) {
    let particulars = Particulars {
        record: RecordNumber::parse(record).expect("a number"),
        name: Name::parse("Rosa Diaz").expect("a name"),
        birth: BirthDate::parse("1947-03-09").expect("a day"),
        sex: Sex::Female,
    };
    let (record, fresh) = (particulars.record.clone(), ward.fresh());
    let (new, bed) = (Some(particulars), bed(in_bed));
    let admission = Admission { record, new, unit, bed, attending: None, fresh };
    let admitted = answer(&ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission))));
    assert!(matches!(admitted, Body::Admitted(_)));
}

/// Ana holds 1 to 200 and 11A, in four shifts whose beds interlace; pages of 200.
#[test]
fn beds_are_listed_in_the_order_in_which_people_count_them() {
    let mut ward = Ward::new(1);
    let ana = ward.people[0];
    let unit = ward.add_unit("Hall B", &[ana], &[]);
    for rest in 0..4 {
        take(&mut ward, unit, (1..=200).filter(|n| n % 4 == rest).map(|n| n.to_string()));
    }
    take(&mut ward, unit, ["11A".to_owned()].into_iter());
    let mut counted: Vec<String> = (1..=200).map(|n: u32| n.to_string()).collect();
    counted.insert(11, "11A".to_owned());
    let (mut listed, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let Body::BedPage(page) =
            answer(&ward.ask(Conn(1), Ask::Clinical(Clinical::ListBeds { unit, after })))
        else {
            panic!("no page")
        };
        assert!(page.beds.len() <= limits::BEDS_PAGE_MAX);
        assert!(page.beds.iter().all(|bed| bed.holders.len() == 1));
        listed.extend(page.beds.into_iter().map(|bed| bed.bed));
        pages += 1;
        if page.end {
            break;
        }
        after = listed.last().map(|name| bed(name));
    }
    assert_eq!((listed, pages), (counted, 2));
}

#[test]
fn patients_are_listed_in_the_order_of_their_beds_and_so_paged() {
    let mut ward = Ward::new(1);
    let unit = ward.add_unit("Hall B", &[], &[]);
    for (record, in_bed) in ["10", "9", "2A", "1", "2"].into_iter().enumerate() {
        admit(&mut ward, unit, &record.to_string(), in_bed);
    }
    let mut list = |after: Option<&str>| {
        let ask = Clinical::ListPatients { unit, after: after.map(bed) };
        let Body::PatientPage(page) = answer(&ward.ask(BOX, Ask::Clinical(ask))) else { panic!("no page") };
        let beds = page.patients.into_iter().filter_map(|listed| listed.encounter).map(|stay| stay.bed);
        beds.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(None), "1 2 2A 9 10");
    assert_eq!(list(Some("2")), "2A 9 10");
    assert_eq!(list(Some("9")), "10");
}
