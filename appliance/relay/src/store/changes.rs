//! What a person has missed behind a cursor.
//!
//! Costs what was missed, and a look at each of the person's conversations: the number of their last change says
//! whether anything is new in there. Where it is, the places are tried 1, 3, 7, 15 places back and so on until a
//! message is not new, and what lies in front of that one is looked at: at most twice what is new, and no message, only where
//! it is and how large. History, however long, is not touched.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Either, Executor};
use wardline_core::conversation::{Conversation, Kind};
use wardline_core::grant::SyncGrant;
use wardline_core::ids::{Change, ConversationId, PersonId};
use wardline_core::limits::{CATCH_UP_MAX, SNAPSHOT_MESSAGES, SNAPSHOT_NOTICES, WATERMARK_PUSH_MEMBERS_MAX};

use super::notices::{self, NOTICE};
use super::orders;
use super::packed;
use super::reactions;
use super::read::number;
use super::readers::Readers;
use super::row::{self, Columns};
use super::row_clinic;
use super::row_family;
use super::tasks;
use super::{Changes, StoreError};

/// Announcements, of whose readers each is shown themselves alone: a facility has as many as people.
const BROADCAST: i64 = row::kind_number(Kind::Broadcast);

const HEAD: &str = "SELECT change FROM meta WHERE id = 1";

/// Everything at once, since a trip to the connection's thread costs more than most of these. `?1` is the person, `?2`
/// the last change they have, `?3` how many messages at most in all, `?4` how many of each conversation, `?5` the most
/// members that watermarks are pushed to. What was altered comes last: behind a cursor what the device had by then, in a
/// snapshot all of it, since nobody knows what the device has kept of an earlier one. On the `+ 0`, see [`super::read`].
pub(super) static MISSED: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (person, unit, conversation, member) = (row::PERSON, row::UNIT, row::CONVERSATION, row::MEMBER);
    let (encounter, patient) = (row_clinic::ENCOUNTER, row_clinic::PATIENT);
    let (escalation, notice, reacted, task) = (row::ESCALATION, NOTICE, reactions::MISSED, tasks::MISSED);
    let order = orders::MISSED;
    // A visitor hears of no directory and no units.
    let staff = "NOT EXISTS (SELECT 1 FROM person AS me WHERE me.id = (?1 + 0) AND me.visitor <> x'')";
    // Joining stamps the conversation too, so `changed` also finds those that the person is new in. Counting present
    // members stops one above the most.
    format!(
        "{HEAD}; \
         WITH RECURSIVE back (conversation, sequence, step, floor, last) AS ( \
           SELECT conversation.id, conversation.last, 1, max(mine.starts, conversation.first, conversation.last - (?4 + 0) + 1), \
                  conversation.last \
           FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
           WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.purged = 0 \
           AND conversation.last_change > (?2 + 0) AND conversation.last >= max(mine.starts, conversation.first) \
           UNION ALL \
           SELECT back.conversation, max(back.sequence - back.step, back.floor), 2 * back.step, back.floor, back.last \
           FROM back \
           LEFT JOIN message_recent AS recent ON recent.conversation = back.conversation AND recent.sequence = back.sequence \
           LEFT JOIN message_place AS place ON place.conversation = back.conversation AND place.sequence = back.sequence \
           WHERE back.sequence > back.floor AND coalesce(recent.change, place.change) > (?2 + 0)), \
         span (conversation, sequence, last) AS MATERIALIZED ( \
           SELECT conversation, min(sequence), last FROM back GROUP BY conversation) \
         SELECT group_concat(concat_ws(' ', change, conversation, size), ' ') FROM ( \
           SELECT place.change, place.conversation, place.size \
           FROM span CROSS JOIN message_recent AS place ON place.conversation = span.conversation \
                                            AND place.sequence BETWEEN span.sequence AND span.last \
           WHERE place.change > (?2 + 0) \
           UNION ALL SELECT place.change, place.conversation, place.size \
           FROM span CROSS JOIN message_place AS place ON place.conversation = span.conversation \
                                           AND place.sequence BETWEEN span.sequence AND span.last \
           WHERE place.change > (?2 + 0) \
           LIMIT (?3 + 0)); \
         SELECT {unit} FROM unit WHERE changed > (?2 + 0) AND {staff}; \
         SELECT {person} FROM person WHERE changed > (?2 + 0) AND visitor = x'' AND {staff}; \
         SELECT {conversation} FROM conversation \
         WHERE changed > (?2 + 0) AND id IN (SELECT conversation FROM member WHERE person = (?1 + 0) AND gone = 0); \
         SELECT {member} FROM member WHERE conversation IN ( \
           SELECT conversation.id FROM member AS mine \
           CROSS JOIN conversation ON conversation.id = mine.conversation \
           WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.kind <> {BROADCAST} AND conversation.changed > (?2 + 0)) \
         UNION ALL SELECT {member} FROM member WHERE person = (?1 + 0) AND gone = 0 AND conversation IN ( \
           SELECT conversation.id FROM member AS mine \
           CROSS JOIN conversation ON conversation.id = mine.conversation \
           WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.kind = {BROADCAST} AND conversation.changed > (?2 + 0)); \
         SELECT {encounter}, {patient} FROM member AS mine \
         CROSS JOIN conversation ON conversation.id = mine.conversation \
         CROSS JOIN encounter ON encounter.thread = conversation.id AND encounter.filed = 0 \
         CROSS JOIN patient AS own ON own.id = encounter.patient \
         CROSS JOIN patient ON patient.id = iif(own.merged_into = 0, own.id, own.merged_into) \
         WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.changed > (?2 + 0) \
         UNION ALL SELECT {encounter}, {patient} FROM member AS mine \
         CROSS JOIN conversation ON conversation.id = mine.conversation \
         CROSS JOIN encounter ON encounter.thread = conversation.id AND encounter.filed = 0 \
         CROSS JOIN patient AS own ON own.id = encounter.patient \
         CROSS JOIN patient ON patient.merged_into = iif(own.merged_into = 0, own.id, own.merged_into) \
         WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.changed > (?2 + 0); \
         SELECT conversation FROM member WHERE person = (?1 + 0) AND gone = 1 AND changed > (?2 + 0) ORDER BY conversation; \
         SELECT other.conversation, other.person, other.delivered, other.read, other.changed \
         FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
         CROSS JOIN member AS other ON other.conversation = mine.conversation \
         WHERE mine.person = (?1 + 0) AND mine.gone = 0 \
         AND conversation.member_changed > (?2 + 0) AND conversation.changed <= (?2 + 0) AND conversation.kind <> {BROADCAST} \
         AND other.gone = 0 AND other.changed > (?2 + 0) \
         AND (SELECT count(*) FROM (SELECT 1 FROM member AS present \
              WHERE present.conversation = mine.conversation AND present.gone = 0 LIMIT (?5 + 1))) <= (?5 + 0) \
         ORDER BY other.changed; \
         SELECT {escalation} FROM escalation INDEXED BY escalation_changed \
         CROSS JOIN member AS mine ON mine.conversation = escalation.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
         CROSS JOIN conversation ON conversation.id = escalation.conversation \
         WHERE escalation.changed > (?2 + 0) \
         AND (stage <> 3 OR escalation.sequence > conversation.last - (?4 + 0)) \
         UNION SELECT {escalation} FROM escalation INDEXED BY escalation_open \
         CROSS JOIN member AS mine ON mine.conversation = escalation.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
         CROSS JOIN conversation ON conversation.id = escalation.conversation \
         WHERE stage <> 3 AND conversation.changed > (?2 + 0); \
         SELECT group_concat(concat_ws(' ', change, conversation, size), ' ') FROM ( \
           SELECT altered.change, altered.conversation, altered.size \
           FROM message_altered AS altered INDEXED BY message_altered_by \
           CROSS JOIN member AS mine ON mine.conversation = altered.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
           CROSS JOIN conversation ON conversation.id = altered.conversation AND conversation.purged = 0 \
           WHERE (?2 + 0) > 0 AND altered.altered > (?2 + 0) AND altered.change <= (?2 + 0) \
           AND altered.sequence >= mine.starts \
           UNION ALL SELECT altered.change, altered.conversation, altered.size \
           FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation AND conversation.purged = 0 \
           CROSS JOIN message_altered AS altered ON altered.conversation = mine.conversation \
           WHERE (?2 + 0) = 0 AND mine.person = (?1 + 0) AND mine.gone = 0 AND altered.sequence >= mine.starts); \
         SELECT {notice} FROM thread_notice INDEXED BY thread_notice_change \
         CROSS JOIN member AS mine ON mine.conversation = thread_notice.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
         WHERE (?2 + 0) > 0 AND thread_notice.change > (?2 + 0) AND thread_notice.behind >= mine.starts - 1 \
         LIMIT (?3 + 0); \
         SELECT {notice} FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
         CROSS JOIN thread_notice ON thread_notice.conversation = mine.conversation \
         AND thread_notice.number > conversation.noticed - {SNAPSHOT_NOTICES} \
         WHERE (?2 + 0) = 0 AND mine.person = (?1 + 0) AND mine.gone = 0 AND thread_notice.behind >= mine.starts - 1; \
         SELECT conversation.id, family_thread.own, iif({staff}, encounter.thread, 0) FROM member AS mine \
         CROSS JOIN conversation ON conversation.id = mine.conversation AND conversation.changed > (?2 + 0) \
         CROSS JOIN family_thread ON family_thread.conversation = conversation.id \
         CROSS JOIN encounter ON encounter.id = family_thread.encounter \
         WHERE mine.person = (?1 + 0) AND mine.gone = 0; \
         SELECT conversation.id, person.id, person.name, person.title, person.visitor FROM member AS mine \
         CROSS JOIN conversation ON conversation.id = mine.conversation AND conversation.changed > (?2 + 0) \
         CROSS JOIN family_thread ON family_thread.conversation = conversation.id \
         CROSS JOIN member AS other ON other.conversation = conversation.id \
         CROSS JOIN person ON person.id = other.person \
         WHERE mine.person = (?1 + 0) AND mine.gone = 0 ORDER BY person.id; \
         {reacted}; \
         {task}; \
         {order}"
    )
    .into()
});

impl Readers {
    /// What this person has missed since `after`, as of one moment. A snapshot when there is no `after`, or when too
    /// much was missed: all people, all the person's conversations, the newest messages of each.
    pub async fn changes(&self, grant: &SyncGrant, after: Option<Change>) -> Result<Changes, StoreError> {
        let mut loan = self.lend().await?;
        let head = sqlx::query(HEAD).fetch_one(&mut *loan).await?;
        let head = Columns::new(&head).change()?;
        if after == Some(head) {
            return Ok(Changes { head, ..Changes::default() });
        }
        // A cursor ahead of the store is of a store that has been put back since: all anew.
        let after = after.filter(|after| *after < head);
        let mut moment = loan.begin().await?;
        let mut changes = missed(&mut moment, grant.person(), after).await?;
        let most = changes
            .messages
            .len()
            .max(changes.notices.len())
            .max(changes.reacted.len())
            .max(changes.tasks.len())
            .max(changes.orders.len());
        if most > CATCH_UP_MAX && after.is_some() {
            changes = missed(&mut moment, grant.person(), None).await?;
        }
        moment.commit().await?;
        Ok(changes)
    }
}

async fn missed(
    from: &mut SqliteConnection,
    person: PersonId,
    after: Option<Change>,
) -> Result<Changes, StoreError> {
    // For a catch-up one message more than would be answered, and any number of each conversation; for a snapshot the
    // other way round. SQLite takes a negative limit for none.
    let (in_all, of_each) = match after {
        Some(_) => (CATCH_UP_MAX as i64 + 1, i64::MAX / 2),
        None => (-1, SNAPSHOT_MESSAGES.into()),
    };
    let query = sqlx::query(AssertSqlSafe(Arc::clone(&MISSED)))
        .bind(number(person.value()))
        .bind(number(after.unwrap_or_default().0))
        .bind(in_all)
        .bind(of_each)
        .bind(WATERMARK_PUSH_MEMBERS_MAX as i64);
    let mut changes = Changes { snapshot: after.is_none(), ..Changes::default() };
    let mut conversations: BTreeMap<ConversationId, Conversation> = BTreeMap::new();
    let mut answers = from.fetch_many(query);
    // The end of each statement's rows is told apart from a row.
    let mut statement = 0;
    while let Some(step) = answers.try_next().await? {
        let Either::Right(row) = step else {
            statement += 1;
            continue;
        };
        let mut columns = Columns::new(&row);
        match statement {
            0 => changes.head = columns.change()?,
            1 => changes.messages = packed::missed(columns.text_if_any()?)?,
            2 => changes.units.push(row::unit(&row)?),
            3 => changes.people.push(row::person(&row)?),
            4 => {
                let conversation = row::conversation(&row)?;
                conversations.insert(conversation.id, conversation);
            }
            5 => {
                let (conversation, person, member) = row::member(&row)?;
                if let Some(conversation) = conversations.get_mut(&conversation) {
                    conversation.members.insert(person, member);
                }
            }
            6 => {
                let (encounter, patient) = row_clinic::bedside(&row)?;
                let thread = encounter.thread;
                let (_, records) = changes.bedsides.entry(thread).or_insert((encounter, Vec::new()));
                records.push(patient);
            }
            // A snapshot says what there is; what is not in it is gone.
            7 if changes.snapshot => {}
            7 => changes.gone.push(columns.conversation()?),
            9 => changes.stats.push(row::escalation(&row)?),
            10 => changes.altered = packed::missed(columns.text_if_any()?)?,
            17 => changes.orders.push(orders::order(&row)?),
            15 => changes.reacted = packed::missed(columns.text_if_any()?)?,
            16 => changes.tasks.push(tasks::task(&row)?),
            11 | 12 => changes.notices.push(notices::notice(&row)?),
            13 => {
                let (conversation, kin) = row_family::kin(&row)?;
                changes.kin.insert(conversation, kin);
            }
            14 => {
                let (conversation, person) = row_family::relative(&row)?;
                if let Some(kin) = changes.kin.get_mut(&conversation) {
                    kin.people.push(person);
                }
            }
            _ => changes.watermarks.push((
                columns.conversation()?,
                columns.person()?,
                columns.sequence()?,
                columns.sequence()?,
                columns.change()?,
            )),
        }
    }
    for (_, records) in changes.bedsides.values_mut() {
        records.sort_unstable_by_key(|record| (record.merged.is_some(), record.id));
    }
    changes.messages.sort_unstable();
    changes.altered.sort_unstable();
    let Changes { messages, altered, .. } = &mut changes;
    altered.retain(|missed| messages.binary_search(missed).is_err());
    // What was altered tells that too.
    changes.reacted.sort_unstable();
    let Changes { altered, reacted, .. } = &mut changes;
    reacted.retain(|missed| altered.binary_search(missed).is_err());
    changes.notices.sort_unstable_by_key(|(change, _)| *change);
    changes.stats.sort_unstable_by_key(|stat| stat.id);
    changes.tasks.sort_unstable_by_key(|task| task.id);
    changes.orders.sort_unstable_by_key(|order| order.id);
    changes.units.sort_unstable_by_key(|unit| unit.id);
    changes.people.sort_unstable_by_key(|person| person.id);
    changes.conversations = conversations.into_values().collect();
    Ok(changes)
}
