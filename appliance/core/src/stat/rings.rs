//! Who hears that something rings. Rings are no writes: they follow from where an escalation stands.

use crate::bell;
use crate::draft::Draft;
use crate::escalation::{Escalation, StatId};
use crate::ids::{Change, Conn, PersonId, RequestId};
use crate::turn::{Event, Send};
use crate::wire::proto::{self, server_frame::Body};

/// Everybody for whom it rings is told how it stands, on every device.
pub(super) fn ring_out(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let conns = audience(draft, open, open.callable());
    say_ring(draft, id, conns);
    bell::ring(draft, id);
}

/// It rings no more, anywhere.
pub(super) fn silence(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let conns = audience(draft, open, open.rung.keys().copied());
    let by = open.acceptor().map_or(0, PersonId::value);
    for conn in conns {
        let body = Body::Silence(proto::Silence {
            conversation: id.conversation.value(),
            sequence: id.sequence.0,
            by,
        });
        draft.send(Send::Reply { conn, request: RequestId::NONE, body });
    }
}

/// This person is shown how it stands.
pub(super) fn show(draft: &mut Draft<'_>, id: StatId, person: PersonId) {
    let conns: Vec<Conn> = draft.phones.of(draft.state, person).collect();
    say_ring(draft, id, conns);
    bell::ring_one(draft, id, person);
}

/// It rings no more for this person.
pub(super) fn hush(draft: &mut Draft<'_>, id: StatId, person: PersonId) {
    let conns: Vec<Conn> = draft.phones.of(draft.state, person).collect();
    say_silence(draft, id, conns);
}

/// It does not ring on its unit's screens any more, where it did.
pub(super) fn hush_screens(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let conns = audience(draft, open, std::iter::empty());
    say_silence(draft, id, conns);
}

/// It rings on its unit's screens, where it has come so far.
pub(super) fn ring_screens(draft: &mut Draft<'_>, id: StatId) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let conns = audience(draft, open, std::iter::empty());
    say_ring(draft, id, conns);
}

fn say_silence(draft: &mut Draft<'_>, id: StatId, conns: Vec<Conn>) {
    for conn in conns {
        let body = Body::Silence(proto::Silence {
            conversation: id.conversation.value(),
            sequence: id.sequence.0,
            by: 0,
        });
        draft.send(Send::Reply { conn, request: RequestId::NONE, body });
    }
}

fn say_ring(draft: &mut Draft<'_>, id: StatId, conns: Vec<Conn>) {
    let Some(open) = draft.state.escalations.get(&id) else { return };
    let ring = ring_of(draft, open);
    for conn in conns {
        let body = Body::Ring(ring.clone());
        draft.send(Send::Reply { conn, request: RequestId::NONE, body });
    }
}

/// As it is sent now.
pub(crate) fn ring_of(draft: &Draft<'_>, open: &Escalation) -> proto::Ring {
    let unit = open.unit.and_then(|unit| draft.state.units.get(&unit));
    open.to_ring(draft.state.title_of(open.sender), unit.map_or("", |unit| unit.name.reveal()))
}

fn audience(draft: &Draft<'_>, open: &Escalation, people: impl Iterator<Item = PersonId>) -> Vec<Conn> {
    let screens = open.unit.filter(|_| open.reached_stations()).into_iter();
    let screens = screens.flat_map(|unit| draft.state.stations_of(unit));
    people.chain(screens).flat_map(|person| draft.phones.of(draft.state, person)).collect()
}

/// The members of the conversation hear how it stands.
pub(super) fn tell(draft: &mut Draft<'_>, id: StatId, change: Change) {
    if let Some(wire) = draft.state.escalations.get(&id).map(Escalation::to_wire) {
        tell_wire(draft, id, change, wire);
    }
}

pub(super) fn tell_wire(draft: &mut Draft<'_>, id: StatId, change: Change, wire: proto::Escalation) {
    let Some(place) = draft.state.conversations.get(&id.conversation) else { return };
    let conns = draft.listeners(place);
    if !conns.is_empty() {
        let event = Event::Small(Box::new(proto::event::Kind::Escalation(wire)));
        draft.send(Send::Fanout { change, event, conns });
    }
}

/// A device of this person, or a station screen, is there: what rings for it rings there too.
pub(crate) fn ring_for(draft: &mut Draft<'_>, conn: Conn, person: PersonId) {
    let station = draft.state.people.get(&person).and_then(|entry| entry.station);
    let rings = |open: &&Escalation| match station {
        Some(unit) => open.unit == Some(unit) && open.reached_stations() && open.stage.is_unanswered(),
        None if open.stage.is_unanswered() => open.callable().any(|called| called == person),
        None => open.acceptor() == Some(person),
    };
    let rings = draft.state.escalations.values().filter(rings);
    let rings: Vec<proto::Ring> = rings.map(|open| ring_of(draft, open)).collect();
    for ring in rings {
        draft.send(Send::Reply { conn, request: RequestId::NONE, body: Body::Ring(ring) });
    }
}
