//! Figures on STATs: how many a unit had, and how long they took. The core keeps none: the store counts, and this says over what
//! it may. There is no name in them, no text, and no way from one to a message.

use crate::access::Permit;
use crate::audit::Act;
use crate::draft::Draft;
use crate::ids::UnitId;
use crate::limits;
use crate::refusal::Refusal;
use crate::time::Wall;

/// STATs of one unit or all, sent from a moment on and before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    unit: Option<UnitId>,
    since: Wall,
    until: Wall,
}

impl Span {
    /// Refuses one that ends before it begins, or is longer than [`limits::STAT_LOAD_SPAN_MS`].
    pub fn new(unit: Option<UnitId>, since: Wall, until: Wall) -> Result<Self, Refusal> {
        match until.0.checked_sub(since.0).map(u64::try_from) {
            Some(Ok(1..=limits::STAT_LOAD_SPAN_MS)) => Ok(Self { unit, since, until }),
            _ => Err(Refusal::LoadSpan),
        }
    }

    /// Whose; `None`: every unit's, and those that followed none's policy.
    pub fn unit(self) -> Option<UnitId> {
        self.unit
    }

    /// The first moment.
    pub fn since(self) -> Wall {
        self.since
    }

    /// The first moment behind it.
    pub fn until(self) -> Wall {
        self.until
    }
}

/// Records the look. Whoever was permitted may know that the unit is not there.
pub(crate) fn look(draft: &mut Draft<'_>, permit: Permit, span: Span) -> Result<(), Refusal> {
    if span.unit.is_some_and(|unit| !draft.state.units.contains_key(&unit)) {
        return Err(Refusal::NoSuchUnit);
    }
    draft.record(permit.by(), Act::StatLoadRead(span.unit));
    Ok(())
}
