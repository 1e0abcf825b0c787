//! Samples of the areas that came last: each adds its own, in any order.

use wardline_core::template::Templates;
use wardline_core::wire::proto;

use super::*;

pub(crate) fn writes() -> Vec<Write> {
    vec![Write::TemplatesSet { unit: Some(unit()), templates: templates() }]
}

pub(crate) fn acts() -> Vec<Act> {
    vec![Act::TemplatesSet(Some(unit())), Act::LookedUp(2, 1)]
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
