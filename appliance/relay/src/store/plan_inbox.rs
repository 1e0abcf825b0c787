//! What a batch comes to of what is written to roles. See [`super::plan`].

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use wardline_core::ids::{PersonId, RoleId};
use wardline_core::inbox::{InboxWrite, RoleInbox, gaps_from_bytes, gaps_to_bytes};
use wardline_core::rota::Interval;

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

#[derive(Default)]
pub(super) struct InboxPlan<'a> {
    opened: Vec<&'a RoleInbox>,
    gaps: BTreeMap<RoleId, &'a [Interval]>,
}

const OPENED: Many =
    Many { head: "INSERT INTO role_inbox (conversation, role, writer) VALUES ", columns: 3, tail: "" };
const GAPS: Many = Many {
    head: "INSERT INTO role_gap (role, gaps) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (role) DO UPDATE SET gaps = excluded.gaps",
};
const GAPS_ENDED: Many = Many { head: "DELETE FROM role_gap WHERE role IN (VALUES ", columns: 1, tail: ")" };

/// Of a purged one nothing is remembered.
pub(super) const INBOXES: &str = "SELECT role_inbox.conversation, role, writer FROM role_inbox \
     CROSS JOIN conversation ON conversation.id = role_inbox.conversation AND conversation.purged = 0";
pub(super) const KNOWN_GAPS: &str = "SELECT role, gaps FROM role_gap";

impl<'a> InboxPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a InboxWrite) {
        match write {
            InboxWrite::Opened(inbox) => self.opened.push(inbox),
            InboxWrite::GapsFlagged { role, gaps } => {
                self.gaps.insert(*role, gaps);
            }
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        script.many(&OPENED, &self.opened, |inbox, row| {
            row.count(inbox.conversation.value()).count(inbox.role.value()).count(inbox.writer.value());
        });
        let (ended, set): (Vec<_>, Vec<_>) = self.gaps.iter().partition(|(_, gaps)| gaps.is_empty());
        script.many(&GAPS, &set, |(role, gaps), row| {
            row.count(role.value()).bytes(&gaps_to_bytes(gaps));
        });
        script.many(&GAPS_ENDED, &ended, |(role, _), row| {
            row.count(role.value());
        });
    }
}

pub(super) fn inbox(row: &SqliteRow) -> Result<RoleInbox, StoreError> {
    let mut columns = Columns::new(row);
    let damaged = || StoreError::value("what is written to a role");
    Ok(RoleInbox {
        conversation: columns.conversation()?,
        role: RoleId::new(columns.count()?).ok_or_else(damaged)?,
        writer: PersonId::new(columns.count()?).ok_or_else(damaged)?,
    })
}

pub(super) fn gaps(row: &SqliteRow) -> Result<(RoleId, Vec<Interval>), StoreError> {
    let mut columns = Columns::new(row);
    let damaged = || StoreError::value("gaps of a role");
    let role = RoleId::new(columns.count()?).ok_or_else(damaged)?;
    Ok((role, gaps_from_bytes(columns.bytes()?).map_err(|_| damaged())?))
}
