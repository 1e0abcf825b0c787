//! Samples of the areas that came last: each adds its own, in any order.

use wardline_core::ids::ExportId;
use wardline_core::template::Templates;
use wardline_core::wire::proto;

use super::*;

pub(crate) fn writes() -> Vec<Write> {
    vec![
        Write::TemplatesSet { unit: Some(unit()), templates: templates() },
        Write::ExportBegun {
            export: export_id(),
            subject: Subject::Patient(PatientId::new(0x0a).expect("a patient")),
            by: person(),
            grounds: Grounds::parse("Request of the patient").expect("grounds"),
            at: AT,
        },
        Write::PinChosen { device: device(), salt: [7; 16], pin: PinMac([8; 32]) },
    ]
}

pub(crate) fn acts() -> Vec<Act> {
    let cleared = [
        Act::PinCodeIssued(person()),
        Act::PinCodeWrong(2),
        Act::PinCleared(person(), device(), Some(other())),
    ];
    let place = ConversationId::new(0x0c).expect("a conversation");
    let exported = [
        Act::ExportBegun(export_id(), 2, 0x0a),
        Act::ExportRead(export_id(), place, Sequence(7)),
        Act::ExportFileOpened(export_id(), place, Sequence(7), 1),
        Act::ExportFinished(export_id(), [9, 8, 7, 6]),
    ];
    [vec![Act::TemplatesSet(Some(unit())), Act::LookedUp(2, 1)], cleared.to_vec(), exported.to_vec()].concat()
}

fn export_id() -> ExportId {
    ExportId::new(0x0e).expect("an export")
}

fn templates() -> Templates {
    let field = |name: &str, hint: &str, optional| proto::TemplateField {
        name: name.to_owned(),
        hint: hint.to_owned(),
        optional,
    };
    let fields = vec![field("Bed", "", false), field("Injuries", "where", true)];
    let templates = vec![proto::Template { name: "Fall report".to_owned(), fields }];
    let set = proto::TemplateSet { unit: 0, replies: vec!["On my way".to_owned()], templates };
    Templates::from_wire(&set).expect("in range")
}
