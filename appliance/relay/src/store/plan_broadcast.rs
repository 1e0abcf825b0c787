//! What a batch comes to of who announces, and how urgently. See [`super::plan`].

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use wardline_core::broadcast::{BroadcastPolicy, BroadcastWrite};
use wardline_core::ids::PersonId;

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

#[derive(Default)]
pub(super) struct BroadcastPlan {
    announcers: BTreeMap<PersonId, bool>,
    policy: Option<BroadcastPolicy>,
}

const NAMED: Many = Many {
    head: "INSERT INTO announcer (person) VALUES ",
    columns: 1,
    tail: " ON CONFLICT (person) DO NOTHING",
};
const ENDED: Many = Many { head: "DELETE FROM announcer WHERE person IN (VALUES ", columns: 1, tail: ")" };
const SET: Many = Many {
    head: "INSERT INTO broadcast_policy (id, unit_urgent, facility_urgent) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (id) DO UPDATE SET unit_urgent = excluded.unit_urgent, facility_urgent = excluded.facility_urgent",
};

pub(super) const ANNOUNCERS: &str = "SELECT person FROM announcer";
pub(super) const POLICY: &str = "SELECT unit_urgent, facility_urgent FROM broadcast_policy";

impl BroadcastPlan {
    pub(super) fn fold(&mut self, write: &BroadcastWrite) {
        match write {
            BroadcastWrite::AnnouncerSet { person, announces } => {
                self.announcers.insert(*person, *announces);
            }
            BroadcastWrite::PolicySet(policy) => self.policy = Some(*policy),
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let (named, ended): (Vec<_>, Vec<_>) = self.announcers.iter().partition(|(_, announces)| **announces);
        for (statement, people) in [(&NAMED, named), (&ENDED, ended)] {
            script.many(statement, &people, |(person, _), row| {
                row.count(person.value());
            });
        }
        if let Some(BroadcastPolicy { unit_urgent, facility_urgent }) = self.policy {
            script.many(&SET, &[[true, unit_urgent, facility_urgent]], |values, row| {
                for value in values {
                    row.count((*value).into());
                }
            });
        }
    }
}

pub(super) fn announcer(row: &SqliteRow) -> Result<PersonId, StoreError> {
    Columns::new(row).person()
}

pub(super) fn policy(row: &SqliteRow) -> Result<BroadcastPolicy, StoreError> {
    let mut columns = Columns::new(row);
    Ok(BroadcastPolicy { unit_urgent: columns.flag()?, facility_urgent: columns.flag()? })
}
