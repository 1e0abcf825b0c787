//! One message as it stands, for the core to decide about it; and what was altered, for the index of words.

use std::sync::{Arc, LazyLock};

use sqlx::AssertSqlSafe;
use wardline_core::alteration::{Found, Kept, Standing};
use wardline_core::escalation::StatId;
use wardline_core::ids::{Change, EditId, Sequence};

use super::packed;
use super::read::number;
use super::readers::Readers;
use super::row::{self, Columns};
use super::{StoreError, StoredMessage};

/// The last change, and the message if there is one, of one moment. On the `+ 0`, see [`super::read`].
pub(super) const FIND: &str = "SELECT meta.change, coalesce(message.change, 0), message.id, message.sender, message.device, message.at, \
     message.priority, message.reply_to, message.edits, message.recalled, message.altered_at, \
     coalesce(altered.edit, x''), message.mentions, message.reactions, \
     EXISTS (SELECT 1 FROM order_signed WHERE order_signed.conversation = (?1 + 0) AND order_signed.said = (?2 + 0) \
             AND order_signed.said <> 0) \
     FROM meta LEFT JOIN (SELECT change FROM message_recent WHERE conversation = (?1 + 0) AND sequence = (?2 + 0) \
                UNION ALL SELECT change FROM message_place WHERE conversation = (?1 + 0) AND sequence = (?2 + 0)) AS place \
     LEFT JOIN message ON message.change = place.change \
     LEFT JOIN message_altered AS altered ON altered.conversation = (?1 + 0) AND altered.sequence = (?2 + 0) \
     WHERE meta.id = 1";

/// Messages that were altered behind a change, by the change that did it, and the change up to which there are no others.
static ALTERED: LazyLock<Arc<str>> = LazyLock::new(|| {
    let message = packed::MESSAGE;
    format!(
        "SELECT {message}, coalesce(max(altered), 0), (SELECT change FROM meta WHERE id = 1) FROM ( \
           SELECT change, altered FROM message_altered INDEXED BY message_altered_by \
           WHERE altered > (?1 + 0) ORDER BY altered LIMIT (?2 + 0)) AS wanted \
         CROSS JOIN message ON message.change = wanted.change"
    )
    .into()
});

impl Readers {
    /// A message as it stands at this moment, without its body.
    pub async fn find(&self, which: StatId) -> Result<Found, StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query(FIND)
            .bind(number(which.conversation.value()))
            .bind(number(which.sequence.0))
            .fetch_one(&mut *loan)
            .await?;
        let mut columns = Columns::new(&row);
        let as_of = columns.change()?;
        let change = columns.change()?;
        if change == Change(0) {
            return Ok(Found { as_of, message: None });
        }
        let (id, sender, device) = (columns.message_id()?, columns.person()?, columns.device()?);
        let (at, priority) = (columns.wall()?, row::priority(columns.count()?)?);
        let reply_to = Some(columns.sequence()?).filter(|to| *to > Sequence::NONE);
        let (edits, recalled, altered_at) = (row::edits(columns.count()?)?, columns.flag()?, columns.wall()?);
        let edit = <[u8; 16]>::try_from(columns.bytes()?).ok().map(EditId);
        let (mentions, reactions) = (row::mentions(columns.bytes()?)?, row::reactions(columns.bytes()?)?);
        let is_order = columns.flag()?;
        let standing = Standing { edits, edit, recalled, at: altered_at };
        Ok(Found {
            as_of,
            message: Some(Kept {
                change,
                id,
                sender,
                device,
                at,
                priority,
                reply_to,
                mentions,
                standing,
                reactions,
                is_order,
            }),
        })
    }

    /// The last change.
    pub async fn head(&self) -> Result<Change, StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query("SELECT change FROM meta WHERE id = 1").fetch_one(&mut *loan).await?;
        Columns::new(&row).change()
    }

    /// Up to `limit` messages that were altered behind a change, as they are now; and up to which change there are no others.
    pub async fn altered(
        &self,
        after: Change,
        limit: u32,
    ) -> Result<(Vec<StoredMessage>, Change), StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query(AssertSqlSafe(Arc::clone(&ALTERED)))
            .bind(number(after.0))
            .bind(i64::from(limit))
            .fetch_one(&mut *loan)
            .await?;
        let mut columns = Columns::new(&row);
        let numbers = columns.text_if_any()?;
        let bytes = columns.bytes_if_any()?.unwrap_or_default();
        let messages = packed::messages(numbers, bytes)?;
        let (last, head) = (columns.change()?, columns.change()?);
        let full = messages.len() >= limit as usize;
        Ok((messages, if full { last } else { head.max(after) }))
    }
}
