//! Filing: where each message is in its conversation, and under which number of its device it came.
//!
//! Indices would be touched in another place for each conversation and each device: two pages to encrypt and log for nearly
//! every message, many more than the messages themselves fill. So two tables take both in bulk, in their own order. What
//! is newer is, until then, in a table of a few pages, as far as places go, since statements read them; numbers are
//! only asked for by retries, so the newer ones are remembered here, and read from the messages when the store opens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use wardline_core::ids::{Change, DeviceId, Number};

use super::StoreError;
use super::plan::Plan;
use super::row::Columns;
use super::rows::Script;

/// Changes after which what is newer is filed. A message is two of them, with its audit entry. Of 2,048 messages in 200
/// conversations by 200 devices, 10 share a page of either table; all of them should take some twenty milliseconds (reckoned).
/// Until then at most 4,096 and a batch of 1,024, x about 16 bytes: 25 pages of places; x about 50 bytes: 256 kB of numbers in memory.
const EVERY: u64 = 4_096;

const NEWER: &str =
    "SELECT device, number, change FROM message WHERE change > (SELECT filed FROM meta WHERE id = 1)";

/// In the tables' own order: each of their pages is touched once.
const FILE: [&str; 4] = [
    "INSERT INTO message_number (device, number, change) SELECT device, number, change FROM message \
     WHERE change > (SELECT filed FROM meta WHERE id = 1) AND change <= (? + 0) ORDER BY device, number",
    "INSERT INTO message_place (conversation, sequence, change, size) SELECT conversation, sequence, change, size \
     FROM message_recent WHERE change <= (? + 0) ORDER BY conversation, sequence",
    "DELETE FROM message_recent WHERE change <= (? + 0)",
    "UPDATE meta SET filed = ? WHERE id = 1",
];

/// Numbers that are not filed yet.
#[derive(Debug, Default)]
pub(super) struct Newer(Mutex<BTreeMap<(DeviceId, Number), Change>>);

impl Newer {
    pub(super) async fn read(from: &mut SqliteConnection) -> Result<Self, StoreError> {
        let mut newer = BTreeMap::new();
        let mut rows = sqlx::query(NEWER).fetch(from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            newer.insert((columns.device()?, columns.number()?), columns.change()?);
        }
        Ok(Self(Mutex::new(newer)))
    }

    /// Where the message under this number is, if it is not filed yet. Ask here first and the table after: what is forgotten
    /// here is in there already.
    pub(super) fn find(&self, device: DeviceId, number: Number) -> Option<Change> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(device, number)).copied()
    }

    /// The highest number of each device in here.
    pub(super) fn highest(&self) -> BTreeMap<DeviceId, Number> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// After the commit of `plan`, which went from one change to the other.
    pub(super) fn committed(&self, plan: &Plan<'_>, from: Change, to: Change) {
        let mut newer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newer.extend(
            plan.messages.iter().map(|(change, message)| ((message.device, message.number), *change)),
        );
        if let Some(filed) = due(from, to) {
            newer.retain(|_, change| *change > filed);
        }
    }
}

/// Up to which change messages are filed when the log of writes goes from one to the other.
fn due(from: Change, to: Change) -> Option<Change> {
    let round = to.0 - to.0 % EVERY;
    (round > from.0).then_some(Change(round))
}

/// Its part of a batch, after the messages and expiries.
pub(super) fn file(script: &mut Script<'_>, from: Change, to: Change) {
    let Some(due) = due(from, to) else { return };
    for text in FILE {
        script.one(text, |row| {
            row.count(due.0);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_filed_up_to_the_last_round_number_that_is_reached() {
        for (from, to, expected) in [
            (0, EVERY - 1, None),
            (0, EVERY, Some(EVERY)),
            (EVERY - 1, EVERY + 7, Some(EVERY)),
            (EVERY, EVERY + 7, None),
            (EVERY, 2 * EVERY, Some(2 * EVERY)),
            (7, 3 * EVERY + 1, Some(3 * EVERY)),
        ] {
            assert_eq!(due(Change(from), Change(to)), expected.map(Change), "{from} {to}");
        }
    }
}
