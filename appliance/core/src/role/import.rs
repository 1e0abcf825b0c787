//! Shifts out of a calendar. What one means is [`crate::rota::calendar`]'s to say, where it is read: with whoever imports it, who can
//! say whom it means. Here they are shifts of people, for a stretch of time, and the weakest source of a rota.

use crate::access::{self, Operation, Relations};
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::ids::RoleId;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role::{Role, done, may_be_named, put, role_of, to_unit};
use crate::rota::{Imported, Interval, Rota};
use crate::wire::proto::server_frame::Body;

/// What a calendar says of a stretch of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    window: Interval,
    shifts: Vec<Imported>,
}

impl Import {
    /// Of a window of [`limits::CALENDAR_AHEAD_DAYS`] at most, with [`limits::IMPORT_SHIFTS_MAX`] shifts at most, all within it. Whether they
    /// can be in a rota, [`Rota::new`] says.
    pub fn new(window: Interval, shifts: Vec<Imported>) -> Result<Self, Refusal> {
        let most = window.start.after(u64::from(limits::CALENDAR_AHEAD_DAYS) * 86_400_000);
        if window.start >= window.end || window.end > most {
            return Err(Refusal::Invalid);
        }
        if shifts.len() > limits::IMPORT_SHIFTS_MAX {
            return Err(Refusal::Limit);
        }
        let is_within = |shift: &Imported| shift.when.within(window) == Some(shift.when);
        if shifts.iter().all(is_within) { Ok(Self { window, shifts }) } else { Err(Refusal::Invalid) }
    }
}

/// By whoever may set the rota.
pub(super) fn import(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    id: RoleId,
    import: Import,
) -> Result<Body, Refusal> {
    let role = role_of(draft.state, id)?.clone();
    let permit = access::permit(Operation::SetRole, is.and(to_unit(draft, by, role.unit)), by)?;
    may_be_named(draft.state, import.shifts.iter().map(|shift| shift.person))?;
    let count = u32::try_from(import.shifts.len()).unwrap_or(u32::MAX);
    let mut sources = role.rota.without_before(draft.now.wall).sources().clone();
    sources.import(import.window, import.shifts);
    if sources.imported.len() > limits::ROLE_IMPORTED_MAX {
        return Err(Refusal::Limit);
    }
    let rota = Rota::new(sources).map_err(Refusal::Rota)?;
    if rota == role.rota {
        return Ok(done(Some(id)));
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    put(draft, permit, Role { rota, ..role }, Act::RotaImported(id, count));
    Ok(done(Some(id)))
}
