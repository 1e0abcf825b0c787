//! What is told in patients' threads between messages.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use wardline_core::grant::{PageGrant, Right};
use wardline_core::ids::{Change, ConversationId, PersonId, Sequence, UnitId};
use wardline_core::limits::NOTICES_KEPT_MAX;
use wardline_core::notice::{Notice, Parts, Told};
use wardline_core::particulars::Bed;

use super::StoreError;
use super::plan::Plan;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;
use super::rows::{Many, Script};

const NOTICES: Many = Many {
    head: "INSERT INTO thread_notice (conversation, number, change, behind, at, by_person, kind, person, reason, unit, bed, ends, \
           until) VALUES ",
    columns: 13,
    tail: "",
};
const PURGED: Many =
    Many { head: "DELETE FROM thread_notice WHERE conversation IN (VALUES ", columns: 1, tail: ")" };
const SPARE: &str = "DELETE FROM thread_notice WHERE conversation = (? + 0) AND number <= (? + 0)";

pub(super) const NOTICE: &str = "thread_notice.change, thread_notice.conversation, thread_notice.number, thread_notice.behind, \
     thread_notice.at, thread_notice.by_person, thread_notice.kind, thread_notice.person, thread_notice.reason, \
     thread_notice.unit, thread_notice.bed, thread_notice.ends, thread_notice.until";

/// `?1` the conversation, `?2` the person, `?3` the first and `?4` one past the last message that they may stand behind. Whether the
/// person may still read is asked again here, as for the page itself.
const PAGE: &str = "SELECT thread_notice.change, thread_notice.conversation, thread_notice.number, thread_notice.behind, \
     thread_notice.at, thread_notice.by_person, thread_notice.kind, thread_notice.person, thread_notice.reason, \
     thread_notice.unit, thread_notice.bed, thread_notice.ends, thread_notice.until \
     FROM member CROSS JOIN thread_notice ON thread_notice.conversation = member.conversation \
     WHERE member.conversation = (?1 + 0) AND member.person = (?2 + 0) AND member.gone = 0 \
     AND thread_notice.behind >= max(?3 + 0, member.starts - 1) AND thread_notice.behind < (?4 + 0) \
     ORDER BY thread_notice.number DESC";

/// Before messages expire: what stands in front of them goes with them.
pub(super) fn write(script: &mut Script<'_>, plan: &Plan<'_>) {
    let purged: Vec<ConversationId> = plan.purged.iter().copied().collect();
    script.many(&PURGED, &purged, |conversation, row| {
        row.count(conversation.value());
    });
    script.many(&NOTICES, &plan.notices, |(change, notice), row| {
        let Parts { kind, person, why, unit, bed, until } = notice.told.parts();
        row.count(notice.conversation.value()).count(notice.number).count(change.0);
        row.count(notice.after.0).int(notice.at.0).count(notice.by.map_or(0, PersonId::value));
        row.count(kind.into()).count(person.map_or(0, PersonId::value)).count(why.into());
        row.count(unit.map_or(0, UnitId::value));
        row.text(bed.as_ref().map_or("", Bed::reveal));
        row.flag(until.is_some()).int(until.map_or(0, |until| until.0));
    });
    let mut newest: BTreeMap<ConversationId, u64> = BTreeMap::new();
    newest.extend(plan.notices.iter().map(|(_, notice)| (notice.conversation, notice.number)));
    for (conversation, number) in newest {
        if let Some(spare) = number.checked_sub(NOTICES_KEPT_MAX.into()).filter(|spare| *spare > 0) {
            script.one(SPARE, |row| {
                row.count(conversation.value()).count(spare);
            });
        }
    }
}

pub(super) fn notice(row: &SqliteRow) -> Result<(Change, Notice), StoreError> {
    let mut columns = Columns::new(row);
    let (change, conversation) = (columns.change()?, columns.conversation()?);
    let (number, after, at) = (columns.count()?, columns.sequence()?, columns.wall()?);
    // Zero is nobody's identifier, and here means none.
    let by = PersonId::new(columns.count()?);
    let damaged = || StoreError::value("a notice");
    let kind = u32::try_from(columns.count()?).map_err(|_| damaged())?;
    let person = PersonId::new(columns.count()?);
    let why = u32::try_from(columns.count()?).map_err(|_| damaged())?;
    let unit = UnitId::new(columns.count()?);
    let bed = match columns.text()? {
        "" => None,
        bed => Some(Bed::parse(bed).map_err(|_| damaged())?),
    };
    let (ends, until) = (columns.flag()?, columns.wall()?);
    let parts = Parts { kind, person, why, unit, bed, until: ends.then_some(until) };
    let told = Told::from_parts(parts).ok_or_else(damaged)?;
    Ok((change, Notice { conversation, number, after, at, by, told }))
}

impl Readers {
    /// The notices that stand behind the messages of a page, newest first; with no `oldest` message, those in front of the first
    /// message as well. None for whoever reads one message of a STAT.
    pub async fn notices(
        &self,
        grant: &PageGrant,
        oldest: Option<Sequence>,
    ) -> Result<Vec<Notice>, StoreError> {
        if grant.right() != Right::Member {
            return Ok(Vec::new());
        }
        let from = oldest.map_or(grant.from().0.saturating_sub(1), |oldest| oldest.0);
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(PAGE)
            .bind(number(grant.conversation().value()))
            .bind(number(grant.person().value()))
            .bind(number(from))
            .bind(number(grant.before().0))
            .fetch(&mut *loan);
        let mut notices = Vec::new();
        while let Some(row) = rows.try_next().await? {
            notices.push(notice(&row)?.1);
        }
        Ok(notices)
    }
}
