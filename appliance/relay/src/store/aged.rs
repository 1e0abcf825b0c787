//! Which messages are old, and how many would go by other rules.

use futures_util::TryStreamExt;
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use wardline_core::conversation::Kind;
use wardline_core::ids::{ConversationId, Sequence};
use wardline_core::retention::{Bounds, KINDS};

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;

/// The conversations in which something would go, and in `search` the last message of each that is old enough when read
/// (`sure` 0) and in any case (`sure` 1). Changes rise along a conversation, so it is found by halving: some twenty steps in the
/// longest. `?1` to `?8`: for each kind in the order of `KINDS`, the first change not old enough when read and in any case; a
/// family thread's are the patient's, a role inbox's a group's, announcements' a channel's. The literal says which of them are looked at.
macro_rules! aged {
    ($which:literal, $select:literal) => {
        concat!(
            "WITH RECURSIVE bound (kind, read_before, any_before) AS \
               (VALUES (1, ?1, ?2), (2, ?3, ?4), (3, ?5, ?6), (4, ?7, ?8), (240, ?7, ?8), (300, ?3, ?4), (305, ?5, ?6)), \
             begun (id, kind, first, last, read_before, any_before, seen, held) AS ( \
               SELECT conversation.id, conversation.kind, conversation.first, conversation.last, bound.read_before, \
                      bound.any_before, \
                      coalesce((SELECT min(read) FROM member \
                          WHERE member.conversation = conversation.id AND member.gone = 0), conversation.last), \
                      conversation.purged = 0 AND EXISTS (SELECT 1 FROM legal_hold AS hold WHERE hold.lifted = 0 AND CASE hold.sort \
                          WHEN 1 THEN EXISTS (SELECT 1 FROM member \
                              WHERE member.conversation = conversation.id AND member.person = hold.subject) \
                          WHEN 2 THEN EXISTS (SELECT 1 FROM patient AS held \
                              CROSS JOIN patient AS own ON own.id = iif(held.merged_into = 0, held.id, held.merged_into) \
                                  OR own.merged_into = iif(held.merged_into = 0, held.id, held.merged_into) \
                              CROSS JOIN encounter ON encounter.patient = own.id AND encounter.thread = conversation.id \
                              WHERE held.id = hold.subject) \
                              OR EXISTS (SELECT 1 FROM patient AS held \
                              CROSS JOIN patient AS own ON own.id = iif(held.merged_into = 0, held.id, held.merged_into) \
                                  OR own.merged_into = iif(held.merged_into = 0, held.id, held.merged_into) \
                              CROSS JOIN family_thread ON family_thread.patient = own.id \
                                  AND family_thread.conversation = conversation.id \
                              WHERE held.id = hold.subject) \
                          ELSE hold.subject = conversation.id END) \
               FROM conversation JOIN bound ON bound.kind = conversation.kind \
               LEFT JOIN message_place AS place \
                   ON place.conversation = conversation.id AND place.sequence = conversation.first \
               LEFT JOIN message_recent AS recent \
                   ON recent.conversation = conversation.id AND recent.sequence = conversation.first \
               WHERE conversation.first <= conversation.last \
               AND coalesce(place.change, recent.change) < max(bound.read_before, bound.any_before) \
               AND (coalesce(place.change, recent.change) < bound.any_before OR conversation.first <= coalesce( \
                    (SELECT min(read) FROM member WHERE member.conversation = conversation.id AND member.gone = 0), \
                    conversation.last)) \
               AND NOT EXISTS (SELECT 1 FROM escalation WHERE escalation.conversation = conversation.id \
                    AND escalation.sequence <= conversation.first AND escalation.stage <> 3) \
               AND NOT EXISTS (SELECT 1 FROM given_order WHERE given_order.conversation = conversation.id \
                    AND given_order.sequence <= conversation.first AND given_order.open = 1)), \
             old AS (SELECT * FROM begun ",
            $which,
            "), \
             search (id, sure, before, low, high) AS ( \
               SELECT id, 0, read_before, first - 1, last FROM old \
               UNION ALL SELECT id, 1, any_before, first - 1, last FROM old \
               UNION ALL \
               SELECT search.id, search.sure, search.before, \
                      iif(coalesce(place.change, recent.change) < search.before, (search.low + search.high + 1) / 2, search.low), \
                      iif(coalesce(place.change, recent.change) < search.before, search.high, (search.low + search.high + 1) / 2 - 1) \
               FROM search \
               LEFT JOIN message_place AS place ON place.conversation = search.id \
                                               AND place.sequence = (search.low + search.high + 1) / 2 \
               LEFT JOIN message_recent AS recent ON recent.conversation = search.id \
                                                 AND recent.sequence = (search.low + search.high + 1) / 2 \
               WHERE search.low < search.high) ",
            $select
        )
    };
}

/// Only conversations in which something would go: so what is old but unread, has a STAT open about it, an order not filed, or is under legal
/// hold, never crowds out the rest. `?9`: how many conversations.
const AGED: &str = aged!(
    "WHERE held = 0 LIMIT ?9",
    "SELECT old.id, max(iif(search.sure = 0, search.low, 0)), max(iif(search.sure = 1, search.low, 0)) \
     FROM old JOIN search ON search.id = old.id WHERE search.low = search.high GROUP BY old.id ORDER BY old.id"
);

/// All of them, by kind: messages and conversations, and those that a hold keeps.
const COUNT: &str = aged!(
    "",
    "SELECT kind, sum(iif(held, 0, gone)), sum(iif(held, 0, gone > 0)), sum(iif(held, gone > 0, 0)) FROM ( \
       SELECT old.kind AS kind, old.held AS held, max(0, 1 - old.first + min( \
           max(min(max(iif(search.sure = 0, search.low, 0)), old.seen), max(iif(search.sure = 1, search.low, 0))), \
           coalesce((SELECT min(sequence) - 1 FROM escalation WHERE escalation.conversation = old.id \
               AND escalation.sequence >= old.first AND escalation.stage <> 3), old.last), \
           coalesce((SELECT min(sequence) - 1 FROM given_order WHERE given_order.conversation = old.id \
               AND given_order.sequence >= old.first AND given_order.open = 1), old.last))) AS gone \
       FROM old JOIN search ON search.id = old.id WHERE search.low = search.high GROUP BY old.id) \
     GROUP BY kind ORDER BY kind"
);

/// What would go of one kind of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WouldGo {
    /// Which kind.
    pub kind: Kind,
    /// How many messages.
    pub messages: u64,
    /// In how many conversations.
    pub conversations: u64,
    /// How many more would lose something, but for a legal hold.
    pub held: u64,
}

impl Readers {
    /// Conversations, `limit` at most, with the last message that is old enough when read and the last that is in any case,
    /// where the former are read by all present members or the latter exist; the place before the first
    /// one kept where there is none.
    pub async fn aged(
        &self,
        bounds: &Bounds,
        limit: u32,
    ) -> Result<Vec<(ConversationId, Sequence, Sequence)>, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = bind(AGED, bounds).bind(i64::from(limit)).fetch(&mut *loan);
        let mut aged = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            aged.push((columns.conversation()?, columns.sequence()?, columns.sequence()?));
        }
        Ok(aged)
    }

    /// How much would go by these bounds, in the end. Reads where every conversation begins.
    pub async fn count_aged(&self, bounds: &Bounds) -> Result<Vec<WouldGo>, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = bind(COUNT, bounds).fetch(&mut *loan);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let kind = columns.kind()?;
            let (messages, conversations, held) = (columns.count()?, columns.count()?, columns.count()?);
            if conversations > 0 || held > 0 {
                all.push(WouldGo { kind, messages, conversations, held });
            }
        }
        Ok(all)
    }
}

fn bind<'q>(sql: &'static str, bounds: &Bounds) -> Query<'q, Sqlite, SqliteArguments> {
    KINDS.iter().fold(sqlx::query(sql), |query, kind| {
        let (read_before, any_before) = bounds.of(*kind);
        query.bind(number(read_before.0)).bind(number(any_before.0))
    })
}
