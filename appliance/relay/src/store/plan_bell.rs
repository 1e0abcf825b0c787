//! What a batch comes to of bells. See [`super::plan`].

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use wardline_core::bell::{Bell, BellWrite};
use wardline_core::ids::{DeviceId, PersonId};

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

#[derive(Default)]
pub(super) struct BellPlan<'a> {
    policy: Option<bool>,
    /// It was off at a moment: none of before is left.
    all_gone: bool,
    /// Whoever was suspended has none of before.
    out: BTreeSet<PersonId>,
    set: BTreeMap<DeviceId, Option<(PersonId, &'a Bell)>>,
}

const POLICY_SET: Many = Many {
    head: "INSERT INTO bell_policy (id, is_on) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (id) DO UPDATE SET is_on = excluded.is_on",
};
const ALL_GONE: Many = Many { head: "DELETE FROM bell WHERE 1 IN (VALUES ", columns: 1, tail: ")" };
const OUT: Many = Many { head: "DELETE FROM bell WHERE person IN (VALUES ", columns: 1, tail: ")" };
const SET: Many = Many {
    head: "INSERT INTO bell (device, person, bell) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (device) DO UPDATE SET person = excluded.person, bell = excluded.bell",
};
const CLEARED: Many = Many { head: "DELETE FROM bell WHERE device IN (VALUES ", columns: 1, tail: ")" };

pub(super) const POLICY: &str = "SELECT is_on FROM bell_policy";
/// Of whom an older release has revoked or suspended meanwhile nothing rings.
pub(super) const BELLS: &str = "SELECT bell.device, bell.bell FROM bell \
     JOIN device ON device.id = bell.device AND device.revoked = 0 \
     JOIN person ON person.id = bell.person AND person.suspended = 0";

impl<'a> BellPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a BellWrite) {
        match write {
            BellWrite::Set { device, person, bell } => {
                self.set.insert(*device, Some((*person, bell)));
            }
            BellWrite::Cleared(device) => self.cleared(*device),
            BellWrite::PolicySet(on) => {
                self.policy = Some(*on);
                if !on {
                    self.all_gone = true;
                    self.set.clear();
                }
            }
        }
    }

    /// Nobody rings it any more.
    pub(super) fn cleared(&mut self, device: DeviceId) {
        self.set.insert(device, None);
    }

    /// Nor any of theirs.
    pub(super) fn suspended(&mut self, person: PersonId) {
        self.out.insert(person);
        self.set.retain(|_, set| set.is_none_or(|(whose, _)| whose != person));
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let gone: &[u64] = if self.all_gone { &[1] } else { &[] };
        script.many(&ALL_GONE, gone, |one, row| {
            row.count(*one);
        });
        let out: Vec<_> = self.out.iter().collect();
        script.many(&OUT, &out, |person, row| {
            row.count(person.value());
        });
        let (set, cleared): (Vec<_>, Vec<_>) = self.set.iter().partition(|(_, set)| set.is_some());
        script.many(&CLEARED, &cleared, |(device, _), row| {
            row.count(device.value());
        });
        let set: Vec<_> = set.into_iter().filter_map(|(device, set)| Some((device, (*set)?))).collect();
        script.many(&SET, &set, |(device, (person, bell)), row| {
            row.count(device.value()).count(person.value()).bytes(&bell.to_bytes());
        });
        if let Some(on) = self.policy {
            script.many(&POLICY_SET, &[on], |on, row| {
                row.count(1).flag(*on);
            });
        }
    }
}

pub(super) fn policy(row: &SqliteRow) -> Result<bool, StoreError> {
    Columns::new(row).flag()
}

pub(super) fn bell(row: &SqliteRow) -> Result<(DeviceId, Bell), StoreError> {
    let mut columns = Columns::new(row);
    let damaged = || StoreError::value("a device's bell");
    let device = DeviceId::new(columns.count()?).ok_or_else(damaged)?;
    Ok((device, Bell::from_bytes(columns.bytes()?).map_err(|_| damaged())?))
}
