//! What is told in patients' threads between messages: who was admitted, who came into the care team and who left.

use wardline_core::ids::{PersonId, Sequence, UnitId};
use wardline_core::notice::Parts;
pub use wardline_core::notice::{Notice, Told, Why};
use wardline_core::particulars::Bed;
use wardline_core::time::Wall;
use wardline_core::wire::proto;

use crate::error::Error;
use crate::event;

/// `None`: of a kind that a later version brought.
pub(crate) fn from_wire(wire: &proto::ThreadNotice) -> Result<Option<Notice>, Error> {
    let bed = match wire.bed.as_str() {
        "" => None,
        bed => Some(Bed::parse(bed).map_err(|_| Error::Protocol("a bed that is none"))?),
    };
    let parts = Parts {
        kind: u32::try_from(wire.kind).unwrap_or_default(),
        person: PersonId::new(wire.person),
        why: u32::try_from(wire.reason).unwrap_or_default(),
        unit: UnitId::new(wire.unit),
        bed,
        until: (wire.until != 0).then_some(Wall(wire.until)),
    };
    let Some(told) = Told::from_parts(parts) else { return Ok(None) };
    Ok(Some(Notice {
        conversation: event::conversation(wire.conversation)?,
        number: wire.number,
        after: Sequence(wire.after),
        at: Wall(wire.at),
        by: PersonId::new(wire.by),
        told,
    }))
}
