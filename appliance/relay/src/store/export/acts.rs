//! What became of the messages of an exported page: how a STAT went, an order, a task, and what was signed about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqliteConnection};
use wardline_core::escalation::Escalation;
use wardline_core::escalation::signed::SignedAnswer;
use wardline_core::grant::ExportGrant;
use wardline_core::ids::Sequence;
use wardline_core::limits::EXPORT_ACTS_MAX;
use wardline_core::order::Order;
use wardline_core::order::signed::SignedDeed;
use wardline_core::task::Task;
use wardline_core::wire::{self, proto};

use crate::store::read::{list, number};
use crate::store::row::{self, Columns};
use crate::store::{StoreError, StoredMessage, orders, tasks};

/// About the messages from `?2` to `?3` of a conversation, in the order of their places. A page has 100 messages at most, and each of them
/// what [`EXPORT_ACTS_MAX`] speaks of: 2 MB are read at the very worst, of a page of STATs that 32 devices each have answered.
macro_rules! between {
    ($columns:expr, $table:expr, $order:expr) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $table,
            " WHERE conversation = (?1 + 0) AND sequence >= (?2 + 0) AND sequence <= (?3 + 0) ORDER BY ",
            $order
        )
    };
}
static STATS: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM escalation WHERE escalation.conversation = (?1 + 0) AND escalation.sequence >= (?2 + 0) \
         AND escalation.sequence <= (?3 + 0) ORDER BY escalation.sequence",
        row::ESCALATION
    )
    .into()
});
const SIGNED: &str = between!("answer", "stat_signed", "sequence, change");
const ORDERS: &str = between!("content", "given_order", "sequence");
const ORDER_SIGNED: &str = between!("content", "order_signed", "sequence, change");
const TASKS: &str = between!("content", "task", "sequence");
/// The messages at the places `?2`, a list.
const SAID: &str = concat!(
    "SELECT ",
    row::message_columns!(),
    " FROM (SELECT change FROM message_recent WHERE conversation = (?1 + 0) AND sequence IN (SELECT value FROM json_each(?2)) \
           UNION ALL SELECT change FROM message_place \
           WHERE conversation = (?1 + 0) AND sequence IN (SELECT value FROM json_each(?2))) AS place \
     CROSS JOIN message ON message.change = place.change"
);

/// What became of one message.
#[derive(Default, PartialEq, Eq)]
pub struct Acts {
    /// Its place.
    pub sequence: Sequence,
    /// How the STAT stands.
    pub stat: Option<Escalation>,
    /// What was signed about it, oldest first.
    pub signed: Vec<SignedAnswer>,
    /// How the order stands.
    pub order: Option<Order>,
    /// What was signed about it, oldest first.
    pub order_signed: Vec<SignedDeed>,
    /// How the task stands.
    pub task: Option<Task>,
}

impl Acts {
    /// As the wire has it.
    pub fn to_wire(&self) -> proto::ExportActs {
        proto::ExportActs {
            sequence: self.sequence.0,
            stat: self.stat.as_ref().map(Escalation::to_wire),
            signed: self.signed.iter().map(SignedAnswer::to_wire).collect(),
            order: self.order.as_ref().map(Order::to_wire),
            order_signed: self.order_signed.iter().map(SignedDeed::to_wire).collect(),
            task: self.task.as_ref().map(Task::to_wire),
            hidden: false,
        }
    }
}

/// Of these messages; and up to where the page goes: where there is too much of it, what is left over goes onto the next one.
pub(super) async fn of(
    loan: &mut SqliteConnection,
    grant: &ExportGrant,
    messages: &mut Vec<StoredMessage>,
    through: Sequence,
) -> Result<(Vec<Acts>, Sequence), StoreError> {
    let mut of: BTreeMap<Sequence, Acts> = BTreeMap::new();
    let known: Vec<Sequence> = messages.iter().map(|message| message.sequence).collect();
    let mut about = |sequence: Sequence, put: &mut dyn FnMut(&mut Acts)| {
        // Of messages that are no part of the record, nothing.
        if known.contains(&sequence) {
            put(of.entry(sequence).or_insert_with(|| Acts { sequence, ..Acts::default() }));
        }
    };
    let span = (grant, through);
    for stat in rows(loan, AssertSqlSafe(Arc::clone(&STATS)), span, row::escalation).await? {
        about(stat.id.sequence, &mut |acts| acts.stat = Some(stat.clone()));
    }
    for answer in rows(loan, SIGNED, span, signed_answer).await? {
        about(answer.id.sequence, &mut |acts| acts.signed.push(answer.clone()));
    }
    for order in rows(loan, ORDERS, span, orders::order).await? {
        about(order.id.sequence, &mut |acts| acts.order = Some(order.clone()));
    }
    for deed in rows(loan, ORDER_SIGNED, span, signed_deed).await? {
        about(deed.id.sequence, &mut |acts| acts.order_signed.push(deed.clone()));
    }
    for task in rows(loan, TASKS, span, tasks::task).await? {
        about(task.id.sequence, &mut |acts| acts.task = Some(task.clone()));
    }
    Ok(fitting(of, messages, through))
}

/// Messages of other pages that say what was signed about an order of this one: its read-backs. They are no part of the page: whoever makes it
/// asks whether there is a name in them.
pub(super) async fn said_elsewhere(
    loan: &mut SqliteConnection,
    grant: &ExportGrant,
    (messages, acts): (&[StoredMessage], &[Acts]),
) -> Result<Vec<StoredMessage>, StoreError> {
    let known: BTreeSet<Sequence> = messages.iter().map(|message| message.sequence).collect();
    let said = acts.iter().flat_map(|acts| &acts.order_signed).filter_map(|deed| deed.said);
    let elsewhere: BTreeSet<u64> = said.filter(|said| !known.contains(said)).map(|said| said.0).collect();
    if elsewhere.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = sqlx::query(SAID)
        .bind(number(grant.conversation.value()))
        .bind(list(elsewhere.into_iter()))
        .fetch(loan);
    let mut all = Vec::new();
    while let Some(row) = rows.try_next().await? {
        all.push(row::message(&row)?);
    }
    Ok(all)
}

/// As much as a page holds, whole messages at a time, one at least.
fn fitting(
    of: BTreeMap<Sequence, Acts>,
    messages: &mut Vec<StoredMessage>,
    through: Sequence,
) -> (Vec<Acts>, Sequence) {
    let (mut fit, mut bytes) = (Vec::new(), 0);
    for (sequence, acts) in of {
        bytes += wire::acts_length(&acts.to_wire());
        if bytes > EXPORT_ACTS_MAX && !fit.is_empty() {
            let through = Sequence(sequence.0.saturating_sub(1));
            messages.retain(|message| message.sequence <= through);
            return (fit, through);
        }
        fit.push(acts);
    }
    (fit, through)
}

async fn rows<T>(
    loan: &mut SqliteConnection,
    sql: impl SqlSafeStr,
    (grant, through): (&ExportGrant, Sequence),
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut rows = sqlx::query(sql)
        .bind(number(grant.conversation.value()))
        .bind(number(grant.from.0))
        .bind(number(through.0))
        .fetch(loan);
    let mut all = Vec::new();
    while let Some(row) = rows.try_next().await? {
        all.push(read(&row)?);
    }
    Ok(all)
}

fn signed_answer(row: &SqliteRow) -> Result<SignedAnswer, StoreError> {
    SignedAnswer::from_bytes(Columns::new(row).bytes()?).map_err(|_| StoreError::value("a signed answer"))
}

fn signed_deed(row: &SqliteRow) -> Result<SignedDeed, StoreError> {
    let deed = SignedDeed::from_bytes(Columns::new(row).bytes()?);
    deed.map_err(|_| StoreError::value("what was signed about an order"))
}
