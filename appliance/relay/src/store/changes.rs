//! What a person has missed behind a cursor.
//!
//! Costs what was missed, and a look at each of the person's conversations: the number of their last change says
//! whether anything is new in there. Where it is, the index of places is walked down from the newest message until one
//! is not new; the index holds the changes, so no message is touched. History, however long, is not.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};
use wardline_core::directory::Person;
use wardline_core::grant::SyncGrant;
use wardline_core::ids::{Change, ConversationId, PersonId, Sequence};
use wardline_core::limits::{CATCH_UP_MAX, SNAPSHOT_MESSAGES, WATERMARK_PUSH_MEMBERS_MAX};

use super::read::number;
use super::readers::Readers;
use super::restore;
use super::row::{self, Columns};
use super::{Changes, StoreError};

/// Joining stamps the conversation too, so this finds those that the person is new in.
const CONVERSATIONS: &str =
    "WHERE changed > ?2 AND id IN (SELECT conversation FROM member WHERE person = ?1 AND gone = 0)";
const MEMBERS: &str = "WHERE conversation IN (SELECT conversation.id FROM member AS mine \
     CROSS JOIN conversation ON conversation.id = mine.conversation \
     WHERE mine.person = ?1 AND mine.gone = 0 AND conversation.changed > ?2)";

const GONE: &str =
    "SELECT conversation FROM member WHERE person = ?1 AND gone = 1 AND changed > ?2 ORDER BY conversation";

/// `?3` is the most members that watermarks are pushed to; counting stops one above.
const WATERMARKS: &str = "SELECT other.conversation, other.person, other.delivered, other.read, other.changed \
     FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
     CROSS JOIN member AS other ON other.conversation = mine.conversation \
     WHERE mine.person = ?1 AND mine.gone = 0 \
     AND conversation.member_changed > ?2 AND conversation.changed <= ?2 \
     AND other.gone = 0 AND other.changed > ?2 \
     AND (SELECT count(*) FROM (SELECT 1 FROM member AS present \
          WHERE present.conversation = mine.conversation AND present.gone = 0 LIMIT ?3 + 1)) <= ?3 \
     ORDER BY other.changed";

/// `?3` is how many at most in all, `?4` how many of each conversation.
const MESSAGES: &str = "WITH RECURSIVE walk (conversation, sequence, floor, change) AS ( \
       SELECT conversation.id, conversation.last, \
              max(mine.starts, conversation.first, conversation.last - ?4 + 1), conversation.last_change \
       FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
       WHERE mine.person = ?1 AND mine.gone = 0 AND conversation.purged = 0 \
       AND conversation.last_change > ?2 AND conversation.last >= max(mine.starts, conversation.first) \
       UNION ALL \
       SELECT walk.conversation, walk.sequence - 1, walk.floor, message.change \
       FROM walk CROSS JOIN message ON message.conversation = walk.conversation \
                                   AND message.sequence = walk.sequence - 1 \
       WHERE walk.sequence > walk.floor AND message.change > ?2 \
       LIMIT ?3) \
     SELECT change FROM walk";

impl Readers {
    /// What this person has missed since `after`, as of one moment. A snapshot when there is no `after`, or when too
    /// much was missed: all people, all the person's conversations, the newest messages of each.
    pub async fn changes(&self, grant: &SyncGrant, after: Option<Change>) -> Result<Changes, StoreError> {
        let mut loan = self.lend().await?;
        let mut moment = loan.begin().await?;
        let changes = missed(&mut moment, grant.person(), after).await?;
        moment.commit().await?;
        Ok(changes)
    }
}

async fn missed(
    from: &mut SqliteConnection,
    person: PersonId,
    after: Option<Change>,
) -> Result<Changes, StoreError> {
    let head: i64 = sqlx::query_scalar("SELECT change FROM meta WHERE id = 1").fetch_one(&mut *from).await?;
    let head = Change(u64::try_from(head).map_err(|_| StoreError::value("the last change"))?);
    // A cursor ahead of the store is of a store that has been put back since: all anew.
    if let Some(after) = after.filter(|after| *after <= head) {
        if after == head {
            return Ok(Changes { head, ..Changes::default() });
        }
        let limit = CATCH_UP_MAX + 1;
        let messages = messages(from, person, after, limit as i64, i64::MAX / 2).await?;
        if messages.len() <= CATCH_UP_MAX {
            let of = (number(person.value()), number(after.0));
            return Ok(Changes {
                head,
                snapshot: false,
                people: people(from, after).await?,
                conversations: restore::conversations(from, CONVERSATIONS, MEMBERS, Some(of)).await?,
                gone: gone(from, of).await?,
                watermarks: watermarks(from, of).await?,
                messages,
            });
        }
    }
    let all = Change(0);
    let of = (number(person.value()), 0);
    Ok(Changes {
        head,
        snapshot: true,
        people: people(from, all).await?,
        conversations: restore::conversations(from, CONVERSATIONS, MEMBERS, Some(of)).await?,
        messages: messages(from, person, all, -1, SNAPSHOT_MESSAGES.into()).await?,
        ..Changes::default()
    })
}

async fn people(from: &mut SqliteConnection, after: Change) -> Result<Vec<Person>, StoreError> {
    let sql = format!("SELECT {} FROM person WHERE changed > ?1", row::PERSON);
    let mut rows = sqlx::query(AssertSqlSafe(sql)).bind(number(after.0)).fetch(from);
    let mut people = Vec::new();
    while let Some(row) = rows.try_next().await? {
        people.push(row::person(&row)?);
    }
    people.sort_unstable_by_key(|person| person.id);
    Ok(people)
}

async fn gone(
    from: &mut SqliteConnection,
    (person, after): (i64, i64),
) -> Result<Vec<ConversationId>, StoreError> {
    let mut rows = sqlx::query(GONE).bind(person).bind(after).fetch(from);
    let mut gone = Vec::new();
    while let Some(row) = rows.try_next().await? {
        gone.push(Columns::new(&row).conversation()?);
    }
    Ok(gone)
}

async fn watermarks(
    from: &mut SqliteConnection,
    (person, after): (i64, i64),
) -> Result<Vec<(ConversationId, PersonId, Sequence, Sequence, Change)>, StoreError> {
    let most = WATERMARK_PUSH_MEMBERS_MAX as i64;
    let mut rows = sqlx::query(WATERMARKS).bind(person).bind(after).bind(most).fetch(from);
    let mut watermarks = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let mut columns = Columns::new(&row);
        watermarks.push((
            columns.conversation()?,
            columns.person()?,
            columns.sequence()?,
            columns.sequence()?,
            columns.change()?,
        ));
    }
    Ok(watermarks)
}

async fn messages(
    from: &mut SqliteConnection,
    person: PersonId,
    after: Change,
    limit: i64,
    of_each: i64,
) -> Result<Vec<Change>, StoreError> {
    let mut rows = sqlx::query(MESSAGES)
        .bind(number(person.value()))
        .bind(number(after.0))
        .bind(limit)
        .bind(of_each)
        .fetch(from);
    let mut changes = Vec::new();
    while let Some(row) = rows.try_next().await? {
        changes.push(Columns::new(&row).change()?);
    }
    changes.sort_unstable();
    Ok(changes)
}
