//! What devices signed about STATs. The core keeps none of it: it goes with the message, and is read with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;
use wardline_core::escalation::signed::SignedAnswer;
use wardline_core::escalation::{Escalation, StatId};
use wardline_core::grant::{PageGrant, Right};
use wardline_core::ids::{Change, ConversationId, Sequence};
use wardline_core::limits::{STAT_SIGNED_MAX, signed_on_page};
use wardline_core::write::Write;

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::{self, Columns};
use super::rows::{Many, Script};

const SIGNED: Many = Many {
    head: "INSERT INTO stat_signed (conversation, sequence, change, answer) VALUES ",
    columns: 4,
    tail: "",
};
const PURGED: Many =
    Many { head: "DELETE FROM stat_signed WHERE conversation IN (VALUES ", columns: 1, tail: ")" };
const SPARE: &str = "DELETE FROM stat_signed WHERE conversation = (? + 0) AND sequence = (? + 0) AND change NOT IN \
     (SELECT change FROM stat_signed WHERE conversation = (? + 0) AND sequence = (? + 0) \
      ORDER BY change DESC LIMIT (? + 0))";
pub(super) const EXPIRED: &str =
    "DELETE FROM stat_signed WHERE conversation = (? + 0) AND sequence <= (? + 0) AND change < (? + 0)";

/// `?1` the conversation, `?2` the person, `?3` the first and `?4` one past the last message. Whether the person may still read is
/// asked again here, as for the page itself.
const PAGE: &str = "SELECT stat_signed.answer \
     FROM member CROSS JOIN stat_signed ON stat_signed.conversation = member.conversation \
     WHERE member.conversation = (?1 + 0) AND member.person = (?2 + 0) AND member.gone = 0 \
     AND stat_signed.sequence >= max(?3 + 0, member.starts) AND stat_signed.sequence < (?4 + 0) \
     ORDER BY stat_signed.change DESC LIMIT (?5 + 0)";

/// The same for whoever the STAT rings for.
const PAGE_OF_STAT: &str = "SELECT stat_signed.answer FROM escalation_rung AS rung \
     CROSS JOIN escalation ON escalation.conversation = rung.conversation AND escalation.sequence = rung.sequence \
     CROSS JOIN stat_signed ON stat_signed.conversation = rung.conversation AND stat_signed.sequence = rung.sequence \
     WHERE rung.conversation = (?1 + 0) AND rung.sequence = (?3 + 0) AND rung.sequence < (?4 + 0) AND rung.person = (?2 + 0) \
     AND rung.declined = 0 AND escalation.stage <> 3 \
     ORDER BY stat_signed.change DESC LIMIT (?5 + 0)";
/// How the STAT stands that a message is: `?3`, for a member.
static STANDS: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM member CROSS JOIN escalation ON escalation.conversation = member.conversation \
         AND escalation.sequence = (?3 + 0) \
         WHERE member.conversation = (?1 + 0) AND member.person = (?2 + 0) AND member.gone = 0 AND member.starts <= (?3 + 0)",
        row::ESCALATION
    )
    .into()
});

/// What a batch comes to.
#[derive(Default)]
pub(super) struct SignedPlan<'a> {
    signed: BTreeMap<Change, &'a SignedAnswer>,
    purged: BTreeSet<ConversationId>,
}

impl<'a> SignedPlan<'a> {
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::StatAnswered(answer) => {
                self.signed.insert(change, answer);
            }
            Write::KeyDestroyed { conversation } => {
                self.signed.retain(|_, answer| answer.id.conversation != *conversation);
                self.purged.insert(*conversation);
            }
            _ => {}
        }
    }

    /// Before messages expire.
    pub(super) fn write(&self, script: &mut Script<'_>) {
        let purged: Vec<_> = self.purged.iter().collect();
        script.many(&PURGED, &purged, |conversation, row| {
            row.count(conversation.value());
        });
        let signed: Vec<_> = self.signed.iter().collect();
        script.many(&SIGNED, &signed, |(change, answer), row| {
            row.count(answer.id.conversation.value()).count(answer.id.sequence.0);
            row.count(change.0).bytes(&answer.to_bytes());
        });
        let stats: BTreeSet<StatId> = self.signed.values().map(|answer| answer.id).collect();
        for id in stats {
            script.one(SPARE, |row| {
                for _ in 0..2 {
                    row.count(id.conversation.value()).count(id.sequence.0);
                }
                row.count(STAT_SIGNED_MAX as u64);
            });
        }
    }
}

impl Readers {
    /// What was signed about the STATs of a page, the newest first and no more than [`signed_on_page`]: from its oldest message on; of
    /// the one that rings, where that is all that may be read.
    pub async fn signed(
        &self,
        grant: &PageGrant,
        oldest: Option<Sequence>,
    ) -> Result<Vec<SignedAnswer>, StoreError> {
        let Some(oldest) = oldest else { return Ok(Vec::new()) };
        let sql = match grant.right() {
            Right::Member => PAGE,
            Right::Rung => PAGE_OF_STAT,
        };
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(sql)
            .bind(number(grant.conversation().value()))
            .bind(number(grant.person().value()))
            .bind(number(oldest.0))
            .bind(number(grant.before().0))
            .bind(number(signed_on_page(grant.limit()) as u64))
            .fetch(&mut *loan);
        let mut signed = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let answer = SignedAnswer::from_bytes(Columns::new(&row).bytes()?);
            signed.push(answer.map_err(|_| StoreError::value("a signed answer"))?);
        }
        Ok(signed)
    }

    /// How the STAT stands that a page of one message is. Of a larger page, of one that is no STAT, and of what somebody reads only because
    /// it rings for them, nothing.
    pub async fn stat(
        &self,
        grant: &PageGrant,
        message: Option<Sequence>,
    ) -> Result<Option<Escalation>, StoreError> {
        let Some(message) = message.filter(|_| grant.limit() == 1 && grant.right() == Right::Member) else {
            return Ok(None);
        };
        let mut loan = self.lend().await?;
        let row = sqlx::query(AssertSqlSafe(Arc::clone(&STANDS)))
            .bind(number(grant.conversation().value()))
            .bind(number(grant.person().value()))
            .bind(number(message.0))
            .fetch_optional(&mut *loan)
            .await?;
        row.as_ref().map(row::escalation).transpose()
    }
}
