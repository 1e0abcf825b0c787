//! Tasks: what a batch comes to of them, and what is missed. See [`super::plan`].
//!
//! Each write has all of a task, so the last one of a batch counts. It goes with its message, and is not given anew about one that is gone.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use wardline_core::escalation::StatId;
use wardline_core::ids::{Change, ConversationId};
use wardline_core::task::Task;
use wardline_core::write::Write;

use super::StoreError;
use super::row::Columns;
use super::rows::{Many, Script};

const SET: Many = Many {
    head: "INSERT INTO task (conversation, sequence, open, changed, content) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (conversation, sequence) DO UPDATE SET open = excluded.open, changed = excluded.changed, \
           content = excluded.content",
};
const RECALLED: Many =
    Many { head: "DELETE FROM task WHERE (conversation, sequence) IN (VALUES ", columns: 2, tail: ")" };
const PURGED: Many = Many { head: "DELETE FROM task WHERE conversation IN (VALUES ", columns: 1, tail: ")" };
pub(super) const EXPIRED: &str =
    "DELETE FROM task WHERE conversation = (? + 0) AND sequence <= (? + 0) AND changed < (? + 0)";

/// What the core remembers.
pub(super) const OPEN: &str = "SELECT content FROM task WHERE open = 1";

/// Those that stand otherwise behind the cursor, over or not; and all that are open in conversations that are listed whole.
pub(super) const MISSED: &str = "SELECT task.content FROM task INDEXED BY task_changed \
       CROSS JOIN member AS mine ON mine.conversation = task.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
       WHERE (?2 + 0) > 0 AND task.changed > (?2 + 0) AND task.sequence >= mine.starts \
       UNION SELECT task.content FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
       CROSS JOIN task INDEXED BY task_open ON task.conversation = mine.conversation AND task.open = 1 \
       WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.changed > (?2 + 0) AND task.sequence >= mine.starts \
       LIMIT (?3 + 0)";

/// What a batch comes to.
#[derive(Default)]
pub(super) struct TaskPlan<'a> {
    set: BTreeMap<StatId, (&'a Task, Change)>,
    recalled: BTreeSet<StatId>,
    purged: BTreeSet<ConversationId>,
}

impl<'a> TaskPlan<'a> {
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::TaskSet(task) => {
                self.set.insert(task.id, (task, change));
            }
            Write::MessageRecalled { conversation, sequence, .. } => {
                let id = StatId { conversation: *conversation, sequence: *sequence };
                self.set.remove(&id);
                self.recalled.insert(id);
            }
            Write::KeyDestroyed { conversation } => {
                self.set.retain(|id, _| id.conversation != *conversation);
                self.purged.insert(*conversation);
            }
            _ => {}
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let recalled: Vec<_> = self.recalled.iter().collect();
        script.many(&RECALLED, &recalled, |id, row| {
            row.count(id.conversation.value()).count(id.sequence.0);
        });
        let purged: Vec<_> = self.purged.iter().collect();
        script.many(&PURGED, &purged, |conversation, row| {
            row.count(conversation.value());
        });
        let set: Vec<_> = self.set.iter().collect();
        script.many(&SET, &set, |(id, (task, change)), row| {
            row.count(id.conversation.value()).count(id.sequence.0);
            row.flag(task.standing.is_open()).count(change.0);
            row.bytes(&Task { changed: *change, ..(*task).clone() }.to_bytes());
        });
    }
}

pub(super) fn task(row: &SqliteRow) -> Result<Task, StoreError> {
    Task::from_bytes(Columns::new(row).bytes()?).map_err(|_| StoreError::value("a task"))
}
