//! Pages of history, answers to retries, keys, and messages by change.
//!
//! Numbers are bound as `(?1 + 0)`, not as a bare `?1`: SQLite plans a statement anew, at several times the cost of
//! running it, whenever a variable has changed that it looked at while planning, such as one behind a LIMIT or beside a
//! partial index. It does not look into a sum. (Seen in SQLITE_STMTSTATUS_REPREPARE.)

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};
use wardline_core::grant::{PageGrant, Right, SyncGrant};
use wardline_core::ids::{ConversationId, DeviceId, Number, PersonId};
use wardline_core::limits::{ATTACHMENT_WIRE_MAX, PAGE_BYTES_MAX, SEAL_OVERHEAD};
use wardline_core::mailbox::Under;
use wardline_core::mention;
use wardline_core::text::WrappedKey;
use wardline_core::wire;

use super::packed;
use super::readers::Readers;
use super::row::{self, Columns};
use super::{Missed, Page, StoreError, StoredAnswer, StoredMessage};

/// The page, once it is known who asks.
macro_rules! page {
    ($reader:literal) => {
        concat!(
            $reader,
            "; SELECT ",
            row::message_columns!(),
            " FROM (SELECT sequence, change FROM message_recent \
                   WHERE conversation = (?1 + 0) AND sequence >= (?2 + 0) AND sequence < (?3 + 0) \
                   UNION ALL SELECT sequence, change FROM message_place \
                   WHERE conversation = (?1 + 0) AND sequence >= (?2 + 0) AND sequence < (?3 + 0) \
                   ORDER BY sequence DESC LIMIT (?4 + 0)) AS place \
             CROSS JOIN message ON message.change = place.change"
        )
    };
}

/// Whether the person may still read, asked again here as for [`MESSAGES`]; then the page.
const PAGE: &str = page!(
    "SELECT count(*), coalesce(max(member.starts), 0), coalesce(max(conversation.purged), 0) \
     FROM member CROSS JOIN conversation ON conversation.id = member.conversation \
     WHERE member.conversation = (?1 + 0) AND member.person = (?5 + 0) AND member.gone = 0"
);

/// The same for whoever a STAT rings for: whether it is open and still does.
const PAGE_OF_STAT: &str = page!(
    "SELECT count(*), coalesce(max(rung.sequence), 0), coalesce(max(conversation.purged), 0) \
     FROM escalation_rung AS rung \
     CROSS JOIN escalation ON escalation.conversation = rung.conversation AND escalation.sequence = rung.sequence \
     CROSS JOIN conversation ON conversation.id = rung.conversation \
     WHERE rung.conversation = (?1 + 0) AND rung.sequence = (?2 + 0) AND rung.person = (?5 + 0) \
     AND rung.declined = 0 AND escalation.stage <> 3"
);

const SUBMISSION: &str = "SELECT id, conversation, sequence, at, change FROM message WHERE change = (?1 + 0)";

const SUBMISSION_BY_NUMBER: &str = "SELECT message.id, message.conversation, message.sequence, message.at, message.change \
     FROM message_number CROSS JOIN message ON message.change = message_number.change \
     WHERE message_number.device = (?1 + 0) AND message_number.number = (?2 + 0)";

const FLOOR: &str = "SELECT number_floor FROM device WHERE id = (?1 + 0)";

/// Of which of these conversations the person may read, and from where: asked again here, since the person may have been
/// taken out, or the conversation purged, since the messages were listed. Then the messages, by rowid. In this order: what
/// was permitted in the moment of the first does not change any more, it can only be deleted.
static MESSAGES: LazyLock<Arc<str>> = LazyLock::new(|| {
    let message = packed::MESSAGE;
    format!(
        "SELECT group_concat(concat_ws(' ', member.conversation, member.starts), ' ') FROM json_each(?2) AS place \
         CROSS JOIN member ON member.conversation = place.value AND member.person = (?1 + 0) \
         CROSS JOIN conversation ON conversation.id = place.value \
         WHERE member.gone = 0 AND conversation.purged = 0; \
         SELECT {message} FROM json_each(?3) AS wanted CROSS JOIN message ON message.change = wanted.value"
    )
    .into()
});

/// Messages of one reading.
pub(crate) const CHUNK_MESSAGES: usize = 256;
/// Bytes of one reading, as sealed, held for as long as a slow reader takes for them. A connection that catches up holds
/// two, the one that it sends and the next: what a lane may hold too ([`crate::lane::BYTES_MAX`]).
const CHUNK_BYTES: u64 = 64 * 1024;

impl Readers {
    /// A page of one conversation's history, newest first. Ends after as many messages as granted, and after the one
    /// that brings its text, and what stands beside it, to [`PAGE_BYTES_MAX`].
    pub async fn page(&self, grant: &PageGrant) -> Result<Page, StoreError> {
        let mut loan = self.lend().await?;
        let sql = match grant.right() {
            Right::Member => PAGE,
            Right::Rung => PAGE_OF_STAT,
        };
        let mut rows = sqlx::query(sql)
            .bind(number(grant.conversation().value()))
            .bind(number(grant.from().0))
            .bind(number(grant.before().0))
            .bind(i64::from(grant.limit()))
            .bind(number(grant.person().value()))
            .fetch(&mut *loan);
        let member = rows.try_next().await?.ok_or_else(|| StoreError::value("a page's reader"))?;
        let mut member = Columns::new(&member);
        if !member.flag()? {
            return Ok(Page::NotAMember);
        }
        let first = member.sequence()?;
        if member.flag()? {
            return Ok(Page::Purged);
        }
        // The outer statement does not promise the inner one's order: it is looked at.
        let (mut page, mut text, mut last) = (Vec::new(), 0, grant.before());
        while text < PAGE_BYTES_MAX
            && let Some(row) = rows.try_next().await?
        {
            let message = row::message(&row)?;
            if message.sequence >= last {
                return Err(StoreError::value("a page's order"));
            }
            // Taken out and in again since the grant: from a later place on.
            if message.sequence < first {
                break;
            }
            last = message.sequence;
            text += message.body.0.len().saturating_sub(SEAL_OVERHEAD);
            text += wire::beside(&mention::to_wire(&message.mentions), &message.reactions.to_wire());
            text += message.files as usize * ATTACHMENT_WIRE_MAX;
            page.push(message);
        }
        Ok(Page::Of(page))
    }

    /// What stands under a device's number.
    pub async fn submission(
        &self,
        device: DeviceId,
        number: Number,
    ) -> Result<Under<StoredAnswer>, StoreError> {
        let mut loan = self.lend().await?;
        let query = match self.newer().find(device, number) {
            Some(change) => sqlx::query(SUBMISSION).bind(self::number(change.0)),
            None => sqlx::query(SUBMISSION_BY_NUMBER)
                .bind(self::number(device.value()))
                .bind(self::number(number.0)),
        };
        let row = query.fetch_optional(&mut *loan).await?;
        let Some(row) = row else {
            // The floor after the message: one that is deleted in between has raised it by then.
            let floor = sqlx::query(FLOOR).bind(self::number(device.value()));
            let floor = floor.fetch_optional(&mut *loan).await?;
            let floor = floor.map_or(Ok(0), |row| row.try_get::<i64, _>(0))?;
            let deleted = self::number(number.0) <= floor;
            return Ok(if deleted { Under::Deleted } else { Under::Nothing });
        };
        let mut columns = Columns::new(&row);
        Ok(Under::Message(StoredAnswer {
            message: columns.message_id()?,
            conversation: columns.conversation()?,
            sequence: columns.sequence()?,
            at: columns.wall()?,
            change: columns.change()?,
        }))
    }

    /// A conversation's key; none when it is purged or not there.
    pub async fn key(&self, conversation: ConversationId) -> Result<Option<WrappedKey>, StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query("SELECT wrapped FROM conversation_key WHERE conversation = ?1")
            .bind(number(conversation.value()))
            .fetch_optional(&mut *loan)
            .await?;
        Ok(match row {
            Some(row) => Some(WrappedKey(row.try_get(0)?)),
            None => None,
        })
    }

    /// The first of these messages, which are by change, without those that this person may not read (any more); and how
    /// many that were: 256 at most, and no more than what brings [`CHUNK_BYTES`].
    pub async fn messages(
        &self,
        grant: &SyncGrant,
        missed: &[Missed],
    ) -> Result<(Vec<StoredMessage>, usize), StoreError> {
        let count = fitting(missed);
        if count == 0 {
            return Ok((Vec::new(), 0));
        }
        let missed = &missed[..count];
        let places: BTreeSet<u64> = missed.iter().map(|missed| missed.conversation.value()).collect();
        let changes = missed.iter().map(|missed| missed.change.0);
        Ok((self.permitted(grant.person(), places.into_iter(), changes).await?, count))
    }

    /// Those of these messages, all in these conversations, that the person may read at this moment, by change.
    pub(super) async fn permitted(
        &self,
        person: PersonId,
        places: impl Iterator<Item = u64>,
        changes: impl Iterator<Item = u64>,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(AssertSqlSafe(Arc::clone(&MESSAGES)))
            .bind(number(person.value()))
            .bind(list(places))
            .bind(list(changes))
            .fetch(&mut *loan);
        let mut next = async || rows.try_next().await?.ok_or_else(|| StoreError::value("a reading"));
        let places = packed::places(Columns::new(&next().await?).text_if_any()?)?;
        let row = next().await?;
        let mut columns = Columns::new(&row);
        let numbers = columns.text_if_any()?;
        let bytes = if numbers.is_some() { columns.bytes()? } else { &[] };
        let mut messages = packed::messages(numbers, bytes)?;
        messages.retain(|message| {
            places.get(&message.conversation).is_some_and(|first| message.sequence >= *first)
        });
        Ok(messages)
    }
}

/// How many are read at a time: at least one, and what fits into [`CHUNK_BYTES`].
fn fitting(missed: &[Missed]) -> usize {
    let mut sum = 0_u64;
    let fits = |missed: &&Missed| {
        sum += missed.size;
        sum <= CHUNK_BYTES
    };
    let count = missed.iter().take(CHUNK_MESSAGES).take_while(fits).count();
    count.max(1).min(missed.len())
}

/// As JSON.
pub(super) fn list(numbers: impl Iterator<Item = u64>) -> String {
    format!("{:?}", numbers.collect::<Vec<_>>())
}

/// As SQLite holds it. What is beyond its integers is beyond everything stored.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::changes::MISSED;

    #[test]
    fn no_variable_makes_a_hot_statement_be_planned_anew() {
        for sql in [PAGE, PAGE_OF_STAT, SUBMISSION, SUBMISSION_BY_NUMBER, FLOOR, &MESSAGES, &MISSED] {
            let bare = sql.replace("json_each(?2)", "").replace("json_each(?3)", "");
            for (at, _) in bare.match_indices('?') {
                let rest = &bare[at + 2..];
                assert!(rest.starts_with(" + ") && bare[..at].ends_with('('), "?{rest}");
            }
        }
    }
}
