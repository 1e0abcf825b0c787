//! Samples of what is written about patients and files.

use super::*;

pub(crate) fn bed() -> Bed {
    Bed::parse("B-12").expect("a bed")
}

pub(crate) fn stay() -> Encounter {
    Encounter {
        id: encounter(),
        patient: patient(),
        unit: unit(),
        bed: bed(),
        attending: None,
        standing: Standing::Admitted,
        thread: place(),
        closed: None,
        admitted: AT,
        changed: Change(0),
    }
}

pub(crate) fn clinical_writes() -> Vec<Write> {
    let particulars = Particulars {
        record: RecordNumber::parse("0042").expect("a number"),
        name: Name::parse("Rosa Diaz").expect("a name"),
        birth: BirthDate::parse("1947-03-09").expect("a day"),
        sex: Sex::Female,
    };
    let held = Assignment {
        id: assignment(),
        person: person(),
        unit: unit(),
        beds: vec![bed()],
        since: AT,
        until: AT.after(43_200_000),
        covers: BTreeSet::new(),
    };
    let (encounter, thread, assignment) = (encounter(), place(), assignment());
    vec![
        Write::PatientSet {
            patient: Patient {
                id: patient(),
                particulars,
                changed: Change(0),
                restriction: None,
                merged: None,
            },
            thread: Some(thread),
        },
        Write::EncounterOpened(stay()),
        Write::EncounterMoved { encounter, thread, unit: unit(), bed: bed() },
        Write::EncounterStanding { encounter, thread, standing: Standing::Discharged(AT) },
        Write::AttendingSet { encounter, thread, attending: Some(person()) },
        Write::CareTeamSet {
            encounter,
            person: person(),
            place: Some(CarePlace { since: AT, until: Some(AT.after(1)) }),
        },
        Write::AssignmentTaken(held),
        Write::AssignmentCovers { assignment, encounter },
        Write::AssignmentEnded { assignment },
        Write::ThreadClosed { encounter, thread, at: AT },
        Write::EncounterFiled { encounter, thread },
    ]
}

pub(crate) fn file_writes() -> Vec<Write> {
    vec![
        Write::UploadBegun(Box::new(NewUpload {
            device: device(),
            name: upload(),
            person: person(),
            conversation: place(),
            media: Media::Heic,
            length: 20_000_000,
            sha256: [13; 32],
            at: AT,
            key: Sealed(vec![14; 60]),
            thumbnail: Sealed(vec![15; 40]),
        })),
        Write::UploadFinished { device: device(), name: upload(), file: Change(70_001) },
        Write::UploadDropped { device: device(), name: upload(), file: Change(70_001) },
        Write::AttachmentsSent {
            conversation: place(),
            sequence: Sequence(300),
            message: Change(70_010),
            device: device(),
            files: vec![Sent {
                upload: upload(),
                file: Change(70_001),
                media: Media::Heic,
                length: 20_000_000,
                sha256: [13; 32],
                thumbnail: true,
                title: Sealed(vec![16; 40]),
            }],
        },
        Write::AttachmentPolicySet(AttachmentPolicy::parse(10 << 20, 25 << 20, 0).expect("in range")),
    ]
}
