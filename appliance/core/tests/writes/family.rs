//! Samples of what is written about family.

use wardline_core::family::{BedsideCode, BlockList, Consent, FamilyThread, VisitRequest, Visitor};

use super::*;

pub(crate) fn visitor() -> Visitor {
    Visitor {
        encounter: encounter(),
        thread: place(),
        relation: Title::parse("daughter").expect("a title"),
        since: AT,
        until: AT.after(1_209_600_000),
        ended: None,
        by: person(),
    }
}

fn blocked() -> BlockList {
    let bytes = minicbor::to_vec(vec![Name::parse("Viktor Brandt").expect("a name")]).expect("into memory");
    BlockList::from_bytes(&bytes).expect("a list")
}

pub(crate) fn writes() -> Vec<Write> {
    let key = PublicKey::parse(&[&[4][..], &[5; 64]].concat()).expect("a key's form");
    let (encounter, conversation, own) = (encounter(), place(), false);
    vec![
        Write::FamilyConsentSet {
            encounter,
            consent: Some(Consent {
                words: Grounds::parse("The patient, in my presence").expect("grounds"),
                by: person(),
                at: AT,
            }),
        },
        Write::FamilyBlockSet { patient: patient(), blocked: blocked() },
        Write::BedsideCodeSet {
            encounter,
            code: Some(BedsideCode { hash: [9; 32], since: AT, expires: AT.after(1) }),
        },
        Write::VisitAsked(VisitRequest {
            device: device(),
            encounter,
            name: Name::parse("Maria Lopez").expect("a name"),
            relation: Title::parse("daughter").expect("a title"),
            device_name: Name::parse("phone").expect("a name"),
            key,
            salt: [7; 16],
            pin: PinMac([8; 32]),
            at: AT,
            until: AT.after(14_400_000),
            declined: false,
        }),
        Write::VisitForgotten { device: device() },
        Write::FamilyThreadOpened(FamilyThread { conversation, encounter, patient: patient(), own }),
        Write::VisitorSet { person: person(), visitor: Visitor { ended: Some(AT), ..visitor() } },
    ]
}

pub(crate) fn acts() -> Vec<Act> {
    vec![
        Act::FamilyConsented(encounter()),
        Act::FamilyConsentEnded(encounter()),
        Act::FamilyBlocked(patient()),
        Act::FamilyUnblocked(patient()),
        Act::BedsideCodeIssued(encounter()),
        Act::BedsideCodeEnded(encounter()),
        Act::VisitAsked(device(), encounter()),
        Act::VisitDeclined(device(), encounter()),
        Act::VisitForgotten(device()),
        Act::VisitorLetIn(person(), device(), encounter()),
        Act::VisitProlonged(person()),
        Act::VisitEnded(person()),
        Act::FamilyThreadOpened(place(), encounter()),
        Act::FamilyListed(encounter()),
    ]
}
