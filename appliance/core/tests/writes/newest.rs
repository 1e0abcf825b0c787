//! Samples of the areas that came last: each adds its own, in any order.

use wardline_core::broadcast::BroadcastPolicy;
use wardline_core::inbox::RoleInbox;
use wardline_core::template::Templates;
use wardline_core::wire::proto;

use super::*;

pub(crate) fn writes() -> Vec<Write> {
    let mut writes = vec![Write::TemplatesSet { unit: Some(unit()), templates: templates() }];
    writes.extend(inbox_writes());
    writes.extend([
        Write::Broadcast(BroadcastWrite::AnnouncerSet { person: person(), announces: true }),
        Write::Broadcast(BroadcastWrite::PolicySet(BroadcastPolicy::STANDARD)),
    ]);
    writes
}

pub(crate) fn acts() -> Vec<Act> {
    vec![
        Act::TemplatesSet(Some(unit())),
        Act::LookedUp(2, 1),
        Act::InboxOpened(place(), role_id()),
        Act::InboxReopened(place()),
        Act::InboxFinished(place()),
        Act::RoleGapFlagged(role_id(), AT),
        Act::AnnouncerSet(person(), 1),
        Act::BroadcastPolicySet(1, 0),
    ]
}

fn inbox_writes() -> [Write; 2] {
    let inbox = RoleInbox { conversation: place(), role: role_id(), writer: person() };
    let gaps = vec![Interval { start: AT, end: AT.after(3_600_000) }];
    [Write::Inbox(InboxWrite::Opened(inbox)), Write::Inbox(InboxWrite::GapsFlagged { role: role_id(), gaps })]
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
