//! Roles as people see them: who holds each now, until when, and when nobody will.

use std::ops::Bound;

use prost::Message as _;

use crate::draft::Draft;
use crate::ids::{PersonId, RoleId, UnitId};
use crate::limits;
use crate::role::Role;
use crate::rota::{Exception, Pattern, Says, Shift, Sources};
use crate::state::State;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};

/// A page in the order of identifiers. Each costs what its rota's next [`limits::ROTA_AHEAD_MS`] do.
pub(super) fn page(draft: &Draft<'_>, unit: Option<UnitId>, after: Option<RoleId>) -> Body {
    let from = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
    let of_unit = |role: &&Role| unit.is_none_or(|unit| role.unit == unit);
    let mut behind = draft.state.roles.range(from).map(|(_, role)| role).filter(of_unit);
    let (mut roles, mut bytes, mut end) = (Vec::new(), 0, true);
    for role in behind.by_ref() {
        let shown = shown(draft.state, role, draft.now.wall);
        let size = shown.encoded_len() + 4;
        if roles.len() >= limits::ROLES_PAGE_MAX || bytes + size > limits::PAGE_BYTES_MAX {
            end = false;
            break;
        }
        bytes += size;
        roles.push(shown);
    }
    Body::RolePage(proto::RolePage { roles, end })
}

fn shown(state: &State, role: &Role, now: Wall) -> proto::Role {
    let until = now.after(limits::ROTA_AHEAD_MS);
    let mut timeline = role.rota.timeline(now, until);
    let present = timeline.next();
    let holders = role.holders(state, now);
    let holders: Vec<u64> = holders.map(|person| person.value()).collect();
    // What goes on to the end of what is looked at has no end that is known.
    let next = present.as_ref().map(|(when, _)| when.end).filter(|end| *end < until);
    proto::Role {
        role: role.id.value(),
        unit: role.unit.value(),
        name: role.name.reveal().to_owned(),
        zone: role.rota.sources().zone.name().to_owned(),
        holders,
        until: next.map_or(0, |next| next.0),
        gaps: if role.retired { Vec::new() } else { gaps(role, now) },
        retired: role.retired,
        imported_until: role.rota.sources().imported_until.map_or(0, |until| until.0),
    }
}

/// The first times ahead in which nobody holds it.
pub(super) fn gaps(role: &Role, now: Wall) -> Vec<proto::RoleGap> {
    let gaps = role.rota.gaps_ahead(now).take(limits::ROLE_GAPS_SHOWN_MAX);
    gaps.map(|gap| proto::RoleGap { start: gap.start.0, end: gap.end.0 }).collect()
}

/// Zone, patterns and exceptions, as they are set.
pub fn rota_to_wire(sources: &Sources) -> proto::Rota {
    let people = |people: &[PersonId]| people.iter().map(|person| person.value()).collect();
    let shift = |shift: &Shift| proto::RotaShift {
        start: shift.start,
        end: shift.end,
        people: people(shift.team.people()),
    };
    let pattern = |pattern: &Pattern| proto::RotaPattern {
        from: pattern.from.days().into(),
        until: pattern.until.map_or(0, |until| until.days().into()),
        weeks: pattern.weeks.into(),
        place: pattern.place.map(|place| place.value().into()),
        shifts: pattern.shifts.iter().map(shift).collect(),
    };
    let exception = |exception: &Exception| {
        let (place, people) = match &exception.says {
            Says::Team(team) => (None, people(team.people())),
            Says::Place { place, person } => (Some(place.value().into()), people(person.as_slice())),
        };
        proto::RotaException {
            from: exception.from.minutes(),
            until: exception.until.minutes(),
            place,
            people,
        }
    };
    proto::Rota {
        zone: sources.zone.name().to_owned(),
        patterns: sources.patterns.iter().map(pattern).collect(),
        exceptions: sources.exceptions.iter().map(exception).collect(),
    }
}
