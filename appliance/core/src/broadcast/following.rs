//! Who reads announcements follows posts and directory, in the turn in which those change.

use std::collections::BTreeSet;

use crate::access::Permit;
use crate::audit::Act;
use crate::broadcast::reads;
use crate::draft::Draft;
use crate::ids::{ConversationId, PersonId, UnitId};
use crate::text::Title;
use crate::turn::{Event, Send, Turn};
use crate::wire::proto::{self, event::Kind};
use crate::write::Write;

/// Whose entry these writes changed so that they may read other announcements than before, and which units they renamed.
pub(crate) fn touched(turn: &Turn) -> (BTreeSet<PersonId>, BTreeSet<UnitId>) {
    let (mut people, mut units) = (BTreeSet::new(), BTreeSet::new());
    for numbered in &turn.writes {
        match &numbered.write {
            Write::PersonAdded(person) => drop(people.insert(person.id)),
            Write::PostSet { person, .. } | Write::AgencySet { person, .. } => drop(people.insert(*person)),
            Write::UnitSet(unit) => drop(units.insert(unit.id)),
            _ => {}
        }
    }
    (people, units)
}

/// Brings all announcements to whoever these people and units make their readers, and their title.
pub(crate) fn settle(draft: &mut Draft<'_>, people: &BTreeSet<PersonId>, units: &BTreeSet<UnitId>) {
    for unit in units {
        follow_name(draft, *unit);
    }
    let all: Vec<(Option<UnitId>, ConversationId)> =
        draft.state.broadcasts.of.iter().map(|(unit, id)| (*unit, *id)).collect();
    for (unit, id) in all {
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for person in people {
            let Some(entry) = draft.state.people.get(person) else { continue };
            let Some(place) = draft.state.conversations.get(&id) else { continue };
            match (reads(entry, unit), place.member(*person).is_some()) {
                (true, false) => add.push(*person),
                (false, true) => remove.push(*person),
                _ => {}
            }
        }
        admit(draft, id, &add);
        remove.iter().for_each(|person| dismiss(draft, id, *person));
    }
}

/// No entry of the audit for each: it follows from acts that are there, and a facility's would be as many as its people. Nobody who
/// reads already hears of it.
pub(super) fn admit(draft: &mut Draft<'_>, id: ConversationId, people: &[PersonId]) {
    let Some(place) = draft.state.conversations.get(&id) else { return };
    let (from, last) = (place.entered_at(), place.last);
    let seen = (last >= from).then_some(last);
    for person in people {
        draft.write(Write::MemberAdded { conversation: id, person: *person, from, seen });
    }
    let change = draft.state.change;
    for person in people {
        // One by one: each is shown their own watermarks alone.
        if draft.attached.contains_key(person) {
            draft.introduce(change, id, &[*person]);
        }
    }
}

fn dismiss(draft: &mut Draft<'_>, id: ConversationId, person: PersonId) {
    let change = draft.write(Write::MemberLeft { conversation: id, person });
    let Some(conns) = draft.attached.get(&person) else { return };
    let gone = Kind::Gone(proto::ConversationGone { conversation: id.value() });
    let conns = conns.iter().copied().collect();
    draft.send(Send::Fanout { change, event: Event::Small(Box::new(gone)), conns });
}

/// A unit's are called as it is.
fn follow_name(draft: &mut Draft<'_>, unit: UnitId) {
    let state = &draft.state;
    let Some(id) = state.broadcasts.of(Some(unit)) else { return };
    let name = state.units.get(&unit).and_then(|unit| Title::kept(unit.name.reveal()).ok());
    let Some(title) = name.filter(|name| state.conversations.get(&id).is_some_and(|it| it.title != *name))
    else {
        return;
    };
    let news = proto::ConversationChanged {
        conversation: id.value(),
        title: Some(title.reveal().to_owned()),
        ..proto::ConversationChanged::default()
    };
    let change = draft.write(Write::TitleSet { conversation: id, title });
    draft.record(Permit::OF_TIME.by(), Act::ConversationRenamed(id));
    draft.announce(change, news, &[]);
}
