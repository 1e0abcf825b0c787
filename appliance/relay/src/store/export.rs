//! What an export reads: messages of a conversation, oldest first; and the names of everybody whose record it is not.

use futures_util::TryStreamExt;
use wardline_core::grant::ExportGrant;
use wardline_core::hold::Subject;
use wardline_core::ids::{Change, ExportId, PatientId, PersonId, Sequence};
use wardline_core::limits::{ATTACHMENT_WIRE_MAX, EXPORT_TEXT_MAX, PAGE_MESSAGES_MAX, SEAL_OVERHEAD};
use wardline_core::mention;
use wardline_core::notice::Notice;
use wardline_core::restriction::Restriction;
use wardline_core::text::Grounds;
use wardline_core::time::Wall;
use wardline_core::veil::Veil;
use wardline_core::wire;
use wardline_core::write::Write;

use super::read::{list, number};
use super::readers::Readers;
use super::row::{self, Columns};
use super::rows::{Many, Script};
use super::{StoreError, StoredMessage, notices};

mod acts;

pub use acts::Acts;

/// What a batch comes to of exports.
#[derive(Default)]
pub(super) struct ExportPlan<'a>(Vec<(ExportId, Subject, PersonId, &'a Grounds, Wall)>);

const BEGUN: Many = Many {
    head: "INSERT INTO record_export (id, sort, subject, begun_by, grounds, at) VALUES ",
    columns: 6,
    tail: "",
};

impl<'a> ExportPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a Write) {
        if let Write::ExportBegun { export, subject, by, grounds, at } = write {
            self.0.push((*export, *subject, *by, grounds, *at));
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        script.many(&BEGUN, &self.0, |(export, subject, by, grounds, at), row| {
            let (sort, subject) = subject.numbers();
            row.count(export.value()).count(sort.into()).count(subject).count(by.value());
            row.text(grounds.reveal()).int(at.0);
        });
    }
}

/// Whether the officer may still export, and the conversation is still there, asked here as for a page of history; then the page. On the
/// `+ 0`, see [`super::read`].
const PAGE: &str = concat!(
    "SELECT count(*), coalesce(max(conversation.purged), 0) \
     FROM person CROSS JOIN conversation ON conversation.id = (?1 + 0) \
     WHERE person.id = (?5 + 0) AND person.privacy_officer = 1 AND person.suspended = 0; SELECT ",
    row::message_columns!(),
    " FROM (SELECT sequence, change FROM message_recent \
           WHERE conversation = (?1 + 0) AND sequence >= (?2 + 0) AND sequence <= (?3 + 0) \
           UNION ALL SELECT sequence, change FROM message_place \
           WHERE conversation = (?1 + 0) AND sequence >= (?2 + 0) AND sequence <= (?3 + 0) \
           ORDER BY sequence LIMIT (?4 + 0)) AS place \
     CROSS JOIN message ON message.change = place.change"
);

/// Those behind a message from `?2` to before `?3`.
const NOTICES: &str = "SELECT thread_notice.change, thread_notice.conversation, thread_notice.number, thread_notice.behind, \
     thread_notice.at, thread_notice.by_person, thread_notice.kind, thread_notice.person, thread_notice.reason, \
     thread_notice.unit, thread_notice.bed, thread_notice.ends, thread_notice.until \
     FROM thread_notice WHERE conversation = (?1 + 0) AND behind >= (?2 + 0) AND behind < (?3 + 0) ORDER BY number";

const PATIENTS: &str = "SELECT id, record, name, restriction FROM patient";

/// What an export reads at a time.
pub enum Exported {
    /// Messages, oldest first.
    Of(ExportedPage),
    /// The officer is none any more.
    NotPermitted,
    /// Destroyed since it began.
    Purged,
}

/// A page of one conversation.
pub struct ExportedPage {
    /// Oldest first.
    pub messages: Vec<StoredMessage>,
    /// What was told among them, in its order.
    pub notices: Vec<Notice>,
    /// What became of them, in their order.
    pub acts: Vec<Acts>,
    /// Messages of other pages that say what is signed in these: to look for names in, and not to be given.
    pub said_elsewhere: Vec<StoredMessage>,
    /// Up to here it was read.
    pub through: Sequence,
    /// Nothing stands behind.
    pub end: bool,
}

impl Readers {
    /// The next messages of one conversation that are part of the record. A page may be empty, where somebody else wrote all of it.
    pub async fn exported(&self, grant: &ExportGrant) -> Result<Exported, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(PAGE)
            .bind(number(grant.conversation.value()))
            .bind(number(grant.from.0))
            .bind(number(grant.through.0))
            .bind(i64::from(PAGE_MESSAGES_MAX))
            .bind(number(grant.officer.value()))
            .fetch(&mut *loan);
        let asked = rows.try_next().await?.ok_or_else(|| StoreError::value("an export's reader"))?;
        let mut asked = Columns::new(&asked);
        if !asked.flag()? {
            return Ok(Exported::NotPermitted);
        }
        if asked.flag()? {
            return Ok(Exported::Purged);
        }
        // Expired messages leave no gap in what is read: the last one looked at says how far it went.
        let (mut messages, mut text, mut seen, mut last) = (Vec::new(), 0, 0_u32, None);
        while text < EXPORT_TEXT_MAX
            && let Some(row) = rows.try_next().await?
        {
            let message = row::message(&row)?;
            if last.is_some_and(|last| message.sequence <= last) {
                return Err(StoreError::value("a page's order"));
            }
            (last, seen) = (Some(message.sequence), seen + 1);
            if grant.only.is_some_and(|only| only != message.sender) {
                continue;
            }
            text += message.body.0.len().saturating_sub(SEAL_OVERHEAD);
            text += wire::beside(&mention::to_wire(&message.mentions), &message.reactions.to_wire());
            text += message.files as usize * ATTACHMENT_WIRE_MAX;
            messages.push(message);
        }
        let whole = seen < PAGE_MESSAGES_MAX && text < EXPORT_TEXT_MAX;
        let through = if whole { grant.through } else { last.unwrap_or(grant.through) };
        drop(rows);
        let (acts, through) = acts::of(&mut loan, grant, &mut messages, through).await?;
        let said_elsewhere = acts::said_elsewhere(&mut loan, grant, (&messages, &acts)).await?;
        let end = through >= grant.through;
        let mut told = Vec::new();
        if grant.notices {
            let behind = if end { u64::MAX } else { through.0 };
            let mut rows = sqlx::query(NOTICES)
                .bind(number(grant.conversation.value()))
                .bind(number(grant.from.0.saturating_sub(1)))
                .bind(number(behind))
                .fetch(&mut *loan);
            while let Some(row) = rows.try_next().await? {
                told.push(notices::notice(&row)?.1);
            }
        }
        Ok(Exported::Of(ExportedPage { messages, notices: told, acts, said_elsewhere, through, end }))
    }

    /// The change that last touched what is known of patients: whom [`Readers::veil`] hides is as it was until there is a newer one.
    pub async fn patients_changed(&self) -> Result<Change, StoreError> {
        let mut loan = self.lend().await?;
        let row = sqlx::query("SELECT coalesce(max(changed), 0) FROM patient").fetch_one(&mut *loan).await?;
        Columns::new(&row).change()
    }

    /// What hides every patient but those of these records.
    pub async fn veil(&self, shown: &[PatientId]) -> Result<Veil, StoreError> {
        let mut veil = Veil::default();
        let mut theirs = Vec::new();
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(PATIENTS).fetch(&mut *loan);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let id = columns.count()?;
            let (record, name) = (columns.text()?, columns.text()?);
            if shown.iter().any(|shown| shown.value() == id) {
                theirs.push(name.to_owned());
                continue;
            }
            veil.hide(name);
            veil.hide_number(record);
            let restriction = columns.bytes()?;
            if !restriction.is_empty() {
                let restriction =
                    Restriction::from_bytes(restriction).map_err(|_| StoreError::value("a restriction"))?;
                veil.hide(restriction.alias.reveal());
            }
        }
        theirs.iter().for_each(|name| veil.show(name));
        Ok(veil)
    }

    /// What hides whom a thread is about, by every word.
    pub async fn veil_of_words(&self, hidden: &[PatientId]) -> Result<Veil, StoreError> {
        let mut veil = Veil::default();
        if hidden.is_empty() {
            return Ok(veil);
        }
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(
            "SELECT name FROM json_each(?1) AS wanted CROSS JOIN patient ON patient.id = wanted.value",
        )
        .bind(list(hidden.iter().map(|patient| patient.value())))
        .fetch(&mut *loan);
        while let Some(row) = rows.try_next().await? {
            veil.hide_words(Columns::new(&row).text()?);
        }
        Ok(veil)
    }
}
