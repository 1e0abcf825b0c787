//! What a search, and the index behind it, read of the store.
//!
//! The index is a file of its own ([`crate::search`]) and says only where words stand. Who may see what is asked here, and the
//! messages themselves are read here, so nothing that has gone from the store is ever shown.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;
use wardline_core::grant::SearchGrant;
use wardline_core::ids::{Change, ConversationId, MessageId, Sequence};

use super::packed;
use super::read::{list, number};
use super::readers::Readers;
use super::row::Columns;
use super::{StoreError, StoredMessage};

/// Of which conversations a person may read what, in no order. `?2`: one conversation, or 0.
const WINDOWS: &str = "SELECT group_concat(concat_ws(' ', member.conversation, max(member.starts, conversation.first), \
     conversation.last, conversation.last_change), ' ') \
     FROM member CROSS JOIN conversation ON conversation.id = member.conversation \
     WHERE member.person = (?1 + 0) AND member.gone = 0 AND conversation.purged = 0 \
     AND (?2 + 0) IN (0, member.conversation)";

/// The last change that there is, and messages behind one, all of one moment.
const WRITTEN: &str = "(SELECT change FROM meta WHERE id = 1) \
     FROM (SELECT * FROM message WHERE change > (?1 + 0) ORDER BY change LIMIT (?2 + 0)) AS message";

/// Where those who came later begin to read, between two places of a conversation.
const STARTS: &str = "SELECT group_concat(concat_ws(' ', member.conversation, member.starts), ' ') FROM json_each(?1) AS place \
     CROSS JOIN member ON member.conversation = place.value ->> 0 \
     WHERE member.starts > place.value ->> 1 AND member.starts <= place.value ->> 2";

const STANDING: &str = "SELECT group_concat(concat_ws(' ', conversation.id, conversation.first, conversation.purged), ' ') FROM json_each(?1) AS place \
     CROSS JOIN conversation ON conversation.id = place.value";

/// What a person may read of one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where.
    pub conversation: ConversationId,
    /// The first message.
    pub from: Sequence,
    /// The last message.
    pub through: Sequence,
    /// The change that brought the last message.
    pub last_change: Change,
}

/// What is left of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The first message that has not expired.
    pub first: Sequence,
    /// Its key is destroyed.
    pub purged: bool,
}

impl Readers {
    /// Everything that the person may read at this moment, by conversation; of one alone, where the search says so.
    pub async fn windows(&self, grant: &SearchGrant) -> Result<Vec<Window>, StoreError> {
        let one = grant.search().filter.conversation.map_or(0, ConversationId::value);
        let mut loan = self.lend().await?;
        let row = sqlx::query(WINDOWS)
            .bind(number(grant.person().value()))
            .bind(number(one))
            .fetch_one(&mut *loan)
            .await?;
        let mut windows = Vec::new();
        for [conversation, from, through, change] in packed::numbers(Columns::new(&row).text_if_any()?)? {
            windows.push(Window {
                conversation: conversation_id(conversation)?,
                from: Sequence(from),
                through: Sequence(through),
                last_change: Change(change),
            });
        }
        windows.sort_unstable_by_key(|window| window.conversation);
        Ok(windows)
    }

    /// Those of these messages that the person may read and that are still there, by change.
    pub async fn found(
        &self,
        grant: &SearchGrant,
        hits: &[(ConversationId, Change)],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let places: BTreeSet<u64> = hits.iter().map(|(conversation, _)| conversation.value()).collect();
        let changes = hits.iter().map(|(_, change)| change.0);
        self.permitted(grant.person(), places.into_iter(), changes).await
    }

    /// Up to `limit` messages behind a change, by change; and up to which change there are no others.
    pub async fn written(
        &self,
        after: Change,
        limit: u32,
    ) -> Result<(Vec<StoredMessage>, Change), StoreError> {
        let mut loan = self.lend().await?;
        let text = format!("SELECT {}, {WRITTEN}", packed::MESSAGE);
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(number(after.0))
            .bind(i64::from(limit))
            .fetch_one(&mut *loan)
            .await?;
        let mut columns = Columns::new(&row);
        let numbers = columns.text_if_any()?;
        let bytes = columns.bytes_if_any()?.unwrap_or_default();
        let messages = packed::messages(numbers, bytes)?;
        let through = match messages.last() {
            Some(last) if messages.len() >= limit as usize => last.change,
            _ => columns.change()?.max(after),
        };
        Ok((messages, through))
    }

    /// The name of the message that this change brought, if it is still there.
    pub async fn message_at(&self, change: Change) -> Result<Option<MessageId>, StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query("SELECT id FROM message WHERE change = (?1 + 0)").bind(number(change.0));
        let row = row.fetch_optional(&mut *loan).await?;
        row.map(|row| Columns::new(&row).message_id()).transpose()
    }

    /// Between these places of each conversation, the first excluded, the last not: where somebody's history begins.
    pub async fn starts(
        &self,
        between: impl Iterator<Item = (ConversationId, Sequence, Sequence)>,
    ) -> Result<BTreeMap<ConversationId, BTreeSet<Sequence>>, StoreError> {
        let between: Vec<[u64; 3]> = between.map(|(place, from, to)| [place.value(), from.0, to.0]).collect();
        let mut loan = self.lend().await?;
        let row = sqlx::query(STARTS).bind(format!("{between:?}")).fetch_one(&mut *loan).await?;
        let mut starts: BTreeMap<ConversationId, BTreeSet<Sequence>> = BTreeMap::new();
        for [conversation, start] in packed::numbers(Columns::new(&row).text_if_any()?)? {
            starts.entry(conversation_id(conversation)?).or_default().insert(Sequence(start));
        }
        Ok(starts)
    }

    /// How these conversations stand. One that is not in the answer is not there.
    pub async fn standing(
        &self,
        of: impl Iterator<Item = ConversationId>,
    ) -> Result<BTreeMap<ConversationId, Standing>, StoreError> {
        let mut loan = self.lend().await?;
        let row =
            sqlx::query(STANDING).bind(list(of.map(ConversationId::value))).fetch_one(&mut *loan).await?;
        let mut standing = BTreeMap::new();
        for [conversation, first, purged] in packed::numbers(Columns::new(&row).text_if_any()?)? {
            let how = Standing { first: Sequence(first), purged: purged != 0 };
            standing.insert(conversation_id(conversation)?, how);
        }
        Ok(standing)
    }
}

fn conversation_id(value: u64) -> Result<ConversationId, StoreError> {
    ConversationId::new(value).ok_or_else(|| StoreError::value("a conversation's identifier"))
}
