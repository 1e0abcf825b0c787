//! Which messages are old.

use futures_util::TryStreamExt;
use wardline_core::ids::{Change, ConversationId, Sequence};

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;

/// Only conversations in which something would go: so what is old but unread, or has a STAT
/// open about it, never crowds out the rest. Changes rise along a conversation, so the last old message is found by
/// halving: some twenty steps in the longest.
/// `?1` the first change not old enough when read, `?2` the first not old enough in any case, `?3` how many
/// conversations.
const AGED: &str = "WITH RECURSIVE \
     old (id, first, last) AS ( \
       SELECT conversation.id, conversation.first, conversation.last FROM conversation \
       LEFT JOIN message_place AS place ON place.conversation = conversation.id AND place.sequence = conversation.first \
       LEFT JOIN message_recent AS recent ON recent.conversation = conversation.id AND recent.sequence = conversation.first \
       WHERE conversation.first <= conversation.last AND coalesce(place.change, recent.change) < max(?1, ?2) \
       AND (coalesce(place.change, recent.change) < ?2 OR conversation.first <= coalesce( \
            (SELECT min(read) FROM member WHERE member.conversation = conversation.id AND member.gone = 0), \
            conversation.last)) \
       AND NOT EXISTS (SELECT 1 FROM escalation WHERE escalation.conversation = conversation.id \
            AND escalation.sequence <= conversation.first AND escalation.stage <> 3) \
       LIMIT ?3), \
     search (id, before, low, high) AS ( \
       SELECT id, ?1, first - 1, last FROM old UNION ALL SELECT id, ?2, first - 1, last FROM old \
       UNION ALL \
       SELECT search.id, search.before, \
              iif(coalesce(place.change, recent.change) < search.before, (search.low + search.high + 1) / 2, search.low), \
              iif(coalesce(place.change, recent.change) < search.before, search.high, (search.low + search.high + 1) / 2 - 1) \
       FROM search \
       LEFT JOIN message_place AS place ON place.conversation = search.id \
                                       AND place.sequence = (search.low + search.high + 1) / 2 \
       LEFT JOIN message_recent AS recent ON recent.conversation = search.id \
                                         AND recent.sequence = (search.low + search.high + 1) / 2 \
       WHERE search.low < search.high) \
     SELECT old.id, max(iif(search.before = ?1, search.low, 0)), max(iif(search.before = ?2, search.low, 0)) \
     FROM old JOIN search ON search.id = old.id WHERE search.low = search.high GROUP BY old.id ORDER BY old.id";

impl Readers {
    /// Conversations, `limit` at most, with the last message below `read_before` and the last below `any_before`,
    /// where the former are read by all present members or the latter exist; the place before the first
    /// one kept where there is none.
    pub async fn aged(
        &self,
        read_before: Change,
        any_before: Change,
        limit: u32,
    ) -> Result<Vec<(ConversationId, Sequence, Sequence)>, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(AGED)
            .bind(number(read_before.0))
            .bind(number(any_before.0))
            .bind(i64::from(limit))
            .fetch(&mut *loan);
        let mut aged = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            aged.push((columns.conversation()?, columns.sequence()?, columns.sequence()?));
        }
        Ok(aged)
    }
}
