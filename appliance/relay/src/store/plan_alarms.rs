//! What a batch comes to of the box's alarms. See [`super::plan`].

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use wardline_core::alarm::{Alarm, AlarmKind, AlarmWrite, Told};
use wardline_core::escalation::StatId;
use wardline_core::ids::RoleId;

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

#[derive(Default)]
pub(super) struct AlarmPlan<'a> {
    role: Option<Option<RoleId>>,
    /// `None`: over.
    told: BTreeMap<AlarmKind, Option<&'a Told>>,
}

const ROLE_SET: Many = Many {
    head: "INSERT INTO alarm_policy (id, role) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (id) DO UPDATE SET role = excluded.role",
};
const ALL_OVER: Many = Many { head: "DELETE FROM alarm_told WHERE 1 IN (VALUES ", columns: 1, tail: ")" };
const TOLD: Many = Many {
    head: "INSERT INTO alarm_told (kind, level, at, conversation, sequence) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (kind) DO UPDATE SET level = excluded.level, at = excluded.at, \
           conversation = excluded.conversation, sequence = excluded.sequence",
};
const OVER: Many = Many { head: "DELETE FROM alarm_told WHERE kind IN (VALUES ", columns: 1, tail: ")" };

pub(super) const ROLE: &str = "SELECT role FROM alarm_policy";
pub(super) const STANDING: &str = "SELECT kind, level, at, conversation, sequence FROM alarm_told";

impl<'a> AlarmPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a AlarmWrite) {
        match write {
            AlarmWrite::RoleSet(role) => {
                self.role = Some(*role);
                self.told.clear();
            }
            AlarmWrite::Told(told) => {
                self.told.insert(told.alarm.kind, Some(told));
            }
            AlarmWrite::Over(kind) => {
                self.told.insert(*kind, None);
            }
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        if let Some(role) = self.role {
            script.many(&ALL_OVER, &[1], |one, row| {
                row.count(*one);
            });
            script.many(&ROLE_SET, &[role], |role, row| {
                row.count(1).count(role.map_or(0, RoleId::value));
            });
        }
        let over: Vec<_> = self.told.iter().filter(|(_, told)| told.is_none()).collect();
        script.many(&OVER, &over, |(kind, _), row| {
            row.count(kind.number().into());
        });
        let told: Vec<_> = self.told.values().flatten().collect();
        script.many(&TOLD, &told, |told, row| {
            row.count(told.alarm.kind.number().into()).count(told.alarm.level.into()).int(told.at.0);
            row.count(told.place.conversation.value()).count(told.place.sequence.0);
        });
    }
}

pub(super) fn role(row: &SqliteRow) -> Result<Option<RoleId>, StoreError> {
    Ok(RoleId::new(Columns::new(row).count()?))
}

pub(super) fn told(row: &SqliteRow) -> Result<(AlarmKind, Told), StoreError> {
    let mut columns = Columns::new(row);
    let damaged = || StoreError::value("an alarm");
    let kind = u32::try_from(columns.count()?).ok().and_then(AlarmKind::of_number).ok_or_else(damaged)?;
    let level = u32::try_from(columns.count()?).map_err(|_| damaged())?;
    let at = columns.wall()?;
    let place = StatId { conversation: columns.conversation()?, sequence: columns.sequence()? };
    Ok((kind, Told { alarm: Alarm { kind, level }, at, place }))
}
