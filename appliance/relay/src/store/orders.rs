//! Orders by text: what a batch comes to of them, what is missed, and what was signed. See [`super::plan`].
//!
//! Each write has all of an order, so the last one of a batch counts. What was signed is a row for each, which the core does not keep.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use wardline_core::escalation::StatId;
use wardline_core::grant::{PageGrant, Right};
use wardline_core::ids::{Change, ConversationId, RoleId, Sequence, UnitId};
use wardline_core::limits::ORDER_SIGNED_MAX;
use wardline_core::order::signed::SignedDeed;
use wardline_core::order::{Order, roles_from_bytes, roles_to_bytes};
use wardline_core::write::Write;

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;
use super::rows::{Many, Script};

const SET: Many = Many {
    head: "INSERT INTO given_order (conversation, sequence, open, changed, content) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (conversation, sequence) DO UPDATE SET open = excluded.open, changed = excluded.changed, \
           content = excluded.content",
};
const SIGNED: Many = Many {
    head: "INSERT INTO order_signed (conversation, sequence, change, said, content) VALUES ",
    columns: 5,
    tail: "",
};
const PURGED: [Many; 2] = [
    Many { head: "DELETE FROM given_order WHERE conversation IN (VALUES ", columns: 1, tail: ")" },
    Many { head: "DELETE FROM order_signed WHERE conversation IN (VALUES ", columns: 1, tail: ")" },
];
const POLICIES: Many = Many {
    head: "INSERT INTO order_policy (unit, roles) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (unit) DO UPDATE SET roles = excluded.roles",
};
const POLICIES_ENDED: Many =
    Many { head: "DELETE FROM order_policy WHERE unit IN (VALUES ", columns: 1, tail: ")" };
pub(super) const EXPIRED: [(&str, usize); 2] = [
    ("DELETE FROM given_order WHERE conversation = (? + 0) AND sequence <= (? + 0) AND changed < (? + 0)", 1),
    (
        "DELETE FROM order_signed WHERE conversation = (? + 0) AND max(sequence, said) <= (? + 0) AND change < (? + 0)",
        1,
    ),
];

/// What the core remembers.
pub(super) const OPEN: &str = "SELECT content FROM given_order WHERE open = 1";
pub(super) const POLICY: &str = "SELECT unit, roles FROM order_policy";

/// Those that stand otherwise behind the cursor, filed or not; and all that are not in conversations that are listed whole.
pub(super) const MISSED: &str = "SELECT given_order.content FROM given_order INDEXED BY given_order_changed \
       CROSS JOIN member AS mine ON mine.conversation = given_order.conversation AND mine.person = (?1 + 0) AND mine.gone = 0 \
       WHERE (?2 + 0) > 0 AND given_order.changed > (?2 + 0) AND given_order.sequence >= mine.starts \
       UNION SELECT given_order.content FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation \
       CROSS JOIN given_order INDEXED BY given_order_open ON given_order.conversation = mine.conversation AND given_order.open = 1 \
       WHERE mine.person = (?1 + 0) AND mine.gone = 0 AND conversation.changed > (?2 + 0) AND given_order.sequence >= mine.starts \
       LIMIT (?3 + 0)";

/// `?1` the conversation, `?2` the person, `?3` the message. Whether the person may still read is asked again here, as for the page itself.
const ONE: &str = "SELECT given_order.content FROM member \
     CROSS JOIN given_order ON given_order.conversation = member.conversation AND given_order.sequence = (?3 + 0) \
     WHERE member.conversation = (?1 + 0) AND member.person = (?2 + 0) AND member.gone = 0 AND member.starts <= (?3 + 0)";
const SIGNED_OF_ONE: &str = "SELECT order_signed.content FROM member \
     CROSS JOIN order_signed ON order_signed.conversation = member.conversation AND order_signed.sequence = (?3 + 0) \
     WHERE member.conversation = (?1 + 0) AND member.person = (?2 + 0) AND member.gone = 0 AND member.starts <= (?3 + 0) \
     ORDER BY order_signed.change DESC LIMIT (?4 + 0)";

/// What a batch comes to.
#[derive(Default)]
pub(super) struct OrderPlan<'a> {
    set: BTreeMap<StatId, (&'a Order, Change)>,
    signed: BTreeMap<Change, &'a SignedDeed>,
    purged: BTreeSet<ConversationId>,
    policies: BTreeMap<Option<UnitId>, Option<&'a [RoleId]>>,
}

impl<'a> OrderPlan<'a> {
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::OrderSet(order) => {
                self.set.insert(order.id, (order, change));
            }
            Write::OrderSigned(signed) => {
                self.signed.insert(change, signed);
            }
            Write::OrderPolicySet { unit, roles } => {
                self.policies.insert(*unit, roles.as_deref());
            }
            Write::KeyDestroyed { conversation } => {
                self.set.retain(|id, _| id.conversation != *conversation);
                self.signed.retain(|_, signed| signed.id.conversation != *conversation);
                self.purged.insert(*conversation);
            }
            _ => {}
        }
    }

    /// Before messages expire.
    pub(super) fn write(&self, script: &mut Script<'_>) {
        let purged: Vec<_> = self.purged.iter().collect();
        for table in &PURGED {
            script.many(table, &purged, |conversation, row| {
                row.count(conversation.value());
            });
        }
        let set: Vec<_> = self.set.iter().collect();
        script.many(&SET, &set, |(id, (order, change)), row| {
            row.count(id.conversation.value()).count(id.sequence.0);
            row.flag(order.filed.is_none()).count(change.0);
            row.bytes(&Order { changed: *change, ..(*order).clone() }.to_bytes());
        });
        let signed: Vec<_> = self.signed.iter().collect();
        script.many(&SIGNED, &signed, |(change, signed), row| {
            row.count(signed.id.conversation.value()).count(signed.id.sequence.0).count(change.0);
            row.count(signed.said.unwrap_or_default().0).bytes(&signed.to_bytes());
        });
        let (set, ended): (Vec<_>, Vec<_>) = self.policies.iter().partition(|(_, roles)| roles.is_some());
        let of = |unit: &Option<UnitId>| unit.map_or(0, UnitId::value);
        script.many(&POLICIES, &set, |(unit, roles), row| {
            row.count(of(unit)).bytes(&roles_to_bytes(roles.unwrap_or_default()));
        });
        script.many(&POLICIES_ENDED, &ended, |(unit, _), row| {
            row.count(of(unit));
        });
    }
}

pub(super) fn order(row: &SqliteRow) -> Result<Order, StoreError> {
    Order::from_bytes(Columns::new(row).bytes()?).map_err(|_| StoreError::value("an order"))
}

pub(super) fn policy(row: &SqliteRow) -> Result<(Option<UnitId>, Vec<RoleId>), StoreError> {
    let mut columns = Columns::new(row);
    let unit = UnitId::new(columns.count()?);
    let roles = roles_from_bytes(columns.bytes()?).ok_or_else(|| StoreError::value("whose orders count"))?;
    Ok((unit, roles))
}

impl Readers {
    /// How the order stands that a page of one message is, and what was signed about it, the newest first. Of a larger page, of one that is
    /// no order's, and of what somebody reads only because it rings for them, nothing.
    pub async fn order(
        &self,
        grant: &PageGrant,
        message: Option<Sequence>,
    ) -> Result<(Option<Order>, Vec<SignedDeed>), StoreError> {
        let nothing = (None, Vec::new());
        let Some(message) = message.filter(|_| grant.limit() == 1 && grant.right() == Right::Member) else {
            return Ok(nothing);
        };
        let mut loan = self.lend().await?;
        let ask = |sql| {
            sqlx::query(sql)
                .bind(number(grant.conversation().value()))
                .bind(number(grant.person().value()))
                .bind(number(message.0))
        };
        let Some(row) = ask(ONE).fetch_optional(&mut *loan).await? else { return Ok(nothing) };
        let order = order(&row)?;
        let mut rows = ask(SIGNED_OF_ONE).bind(number(ORDER_SIGNED_MAX as u64)).fetch(&mut *loan);
        let mut signed = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let deed = SignedDeed::from_bytes(Columns::new(&row).bytes()?);
            signed.push(deed.map_err(|_| StoreError::value("what was signed about an order"))?);
        }
        drop(rows);
        Ok((Some(order), signed))
    }
}
