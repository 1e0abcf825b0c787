//! What a batch comes to of urgent messages that wait. See [`super::plan`].

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use wardline_core::escalation::StatId;
use wardline_core::ids::ConversationId;
use wardline_core::urgent::{UrgentWait, UrgentWrite};
use wardline_core::write::Write;

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

#[derive(Default)]
pub(super) struct UrgentPlan<'a> {
    waits: BTreeMap<StatId, Option<&'a UrgentWait>>,
    purged: BTreeSet<ConversationId>,
}

const WAITS: Many = Many {
    head: "INSERT INTO urgent_wait (conversation, sequence, sender, at) VALUES ",
    columns: 4,
    tail: " ON CONFLICT (conversation, sequence) DO UPDATE SET sender = excluded.sender, at = excluded.at",
};
const OVER: Many = Many {
    head: "DELETE FROM urgent_wait WHERE (conversation, sequence) IN (VALUES ",
    columns: 2,
    tail: ")",
};

const PURGED: Many =
    Many { head: "DELETE FROM urgent_wait WHERE conversation IN (VALUES ", columns: 1, tail: ")" };

/// What an older release purged meanwhile waits for nobody.
pub(super) const WAITING: &str = "SELECT urgent_wait.conversation, urgent_wait.sequence, sender, at FROM urgent_wait \
     CROSS JOIN conversation ON conversation.id = urgent_wait.conversation AND conversation.purged = 0";

impl<'a> UrgentPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a Write) {
        match write {
            Write::Urgent(UrgentWrite::Waits(wait)) => {
                self.waits.insert(wait.id, Some(wait));
            }
            Write::Urgent(UrgentWrite::Over(id)) => {
                self.waits.insert(*id, None);
            }
            Write::KeyDestroyed { conversation } => {
                self.waits.retain(|id, _| id.conversation != *conversation);
                self.purged.insert(*conversation);
            }
            _ => {}
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let purged: Vec<_> = self.purged.iter().collect();
        script.many(&PURGED, &purged, |conversation, row| {
            row.count(conversation.value());
        });
        let waits: Vec<_> = self.waits.values().flatten().collect();
        script.many(&WAITS, &waits, |wait, row| {
            row.count(wait.id.conversation.value()).count(wait.id.sequence.0);
            row.count(wait.sender.value()).int(wait.at.0);
        });
        let over: Vec<_> = self.waits.iter().filter(|(_, wait)| wait.is_none()).collect();
        script.many(&OVER, &over, |(id, _), row| {
            row.count(id.conversation.value()).count(id.sequence.0);
        });
    }
}

pub(super) fn wait(row: &SqliteRow) -> Result<UrgentWait, StoreError> {
    let mut columns = Columns::new(row);
    Ok(UrgentWait {
        id: StatId { conversation: columns.conversation()?, sequence: columns.sequence()? },
        sender: columns.person()?,
        at: columns.wall()?,
    })
}
