//! What the store knows of attachments. Their bytes are in files of their own ([`crate::attachments`]).

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use wardline_core::attachment::{AttachmentPolicy, Media, Upload};
use wardline_core::escalation::StatId;
use wardline_core::grant::{AttachmentGrant, FileRight};
use wardline_core::ids::{Change, ConversationId, DeviceId, UploadId};
use wardline_core::text::Sealed;

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;
use crate::keyring::FileOrigin;

/// A file and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// The change that began it, by which it is named.
    pub file: Change,
    /// What it is bound to.
    pub origin: FileOrigin,
    /// What it is.
    pub media: Media,
    /// Bytes.
    pub length: u64,
    /// Of all of it.
    pub sha256: [u8; 32],
    /// Its key, under the conversation's.
    pub key: Sealed,
    /// Its name, under the conversation's key; empty: none yet.
    pub title: Sealed,
    /// The small picture of it, under its own key; empty: none.
    pub thumbnail: Sealed,
}

macro_rules! columns {
    () => {
        "SELECT attachment.file, attachment.conversation, attachment.device, attachment.upload, attachment.media, \
         attachment.length, attachment.sha256, attachment.key, attachment.title, attachment.thumbnail FROM attachment "
    };
}

/// The newest: a device may use a name again once its file was sent or given up. On the `+ 0`, see [`super::read`].
const UPLOAD: &str = concat!(
    columns!(),
    "WHERE attachment.sequence = 0 AND attachment.device = (?1 + 0) AND attachment.upload = ?2 \
     ORDER BY attachment.file DESC LIMIT 1"
);

/// Whether the person may read the message is asked here, at this moment, as for a page of history.
const ATTACHMENT: &str = concat!(
    columns!(),
    "CROSS JOIN member ON member.conversation = attachment.conversation AND member.person = (?1 + 0) AND member.gone = 0 \
     CROSS JOIN conversation ON conversation.id = attachment.conversation AND conversation.purged = 0 \
     WHERE attachment.conversation = (?2 + 0) AND attachment.sequence = (?3 + 0) AND attachment.place = (?4 + 0) \
     AND attachment.sequence > 0 AND attachment.sequence >= max(member.starts, conversation.first)"
);

/// The same for a privacy officer who exports: of everybody's, or of what one person (`?5`, else 0) wrote.
const EXPORTED: &str = concat!(
    columns!(),
    "CROSS JOIN person ON person.id = (?1 + 0) AND person.privacy_officer = 1 AND person.suspended = 0 \
     CROSS JOIN conversation ON conversation.id = attachment.conversation AND conversation.purged = 0 \
     WHERE attachment.conversation = (?2 + 0) AND attachment.sequence = (?3 + 0) AND attachment.place = (?4 + 0) \
     AND attachment.sequence > 0 AND attachment.sequence >= conversation.first \
     AND (?5 + 0) IN (0, attachment.person)"
);

const OF_MESSAGE: &str = concat!(
    columns!(),
    "WHERE attachment.conversation = (?1 + 0) AND attachment.sequence = (?2 + 0) AND attachment.sequence > 0 \
     ORDER BY attachment.place"
);

/// Of no message yet.
pub(super) const OPEN: &str = "SELECT device, upload, file, person, conversation, media, length, sha256, at, done, length(thumbnail) \
     FROM attachment WHERE sequence = 0";

pub(super) const POLICY: &str = "SELECT photo, document, audio FROM attachment_policy";

impl Readers {
    /// A file that its device has begun, and that no message has.
    pub async fn upload(&self, device: DeviceId, name: UploadId) -> Result<Option<StoredFile>, StoreError> {
        let mut loan = self.lend().await?;
        let query = sqlx::query(UPLOAD).bind(number(device.value())).bind(&name.0[..]);
        query.fetch_optional(&mut *loan).await?.as_ref().map(stored).transpose()
    }

    /// What a grant for a message's file gives by the time that it is used: nothing when the person has left meanwhile, or it was recalled,
    /// purged or has expired.
    pub async fn attachment(&self, grant: &AttachmentGrant) -> Result<Option<StoredFile>, StoreError> {
        let mut loan = self.lend().await?;
        let StatId { conversation, sequence } = grant.message();
        let (sql, only) = match grant.right() {
            FileRight::Member => (ATTACHMENT, None),
            FileRight::Export(only) => (EXPORTED, Some(only.map_or(0, |only| only.value()))),
        };
        let mut query = sqlx::query(sql)
            .bind(number(grant.person().value()))
            .bind(number(conversation.value()))
            .bind(number(sequence.0))
            .bind(i64::from(grant.which()));
        if let Some(only) = only {
            query = query.bind(number(only));
        }
        query.fetch_optional(&mut *loan).await?.as_ref().map(stored).transpose()
    }

    /// The files of a message, in order.
    pub(crate) async fn files_of(&self, message: StatId) -> Result<Vec<StoredFile>, StoreError> {
        let mut loan = self.lend().await?;
        let query = sqlx::query(OF_MESSAGE)
            .bind(number(message.conversation.value()))
            .bind(number(message.sequence.0));
        let mut rows = query.fetch(&mut *loan);
        let mut files = Vec::new();
        while let Some(row) = rows.try_next().await? {
            files.push(stored(&row)?);
        }
        Ok(files)
    }

    /// Every file that there should be, or may come to be.
    pub async fn files(&self) -> Result<BTreeSet<Change>, StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query("SELECT file FROM attachment").fetch(&mut *loan);
        let mut files = BTreeSet::new();
        while let Some(row) = rows.try_next().await? {
            files.insert(Columns::new(&row).change()?);
        }
        Ok(files)
    }
}

fn media(columns: &mut Columns<'_>) -> Result<Media, StoreError> {
    let number = u32::try_from(columns.count()?).ok().and_then(Media::from_number);
    number.ok_or_else(|| StoreError::value("a type of file"))
}

fn name(columns: &mut Columns<'_>) -> Result<UploadId, StoreError> {
    let name = columns.bytes()?.try_into().map(UploadId);
    name.map_err(|_| StoreError::value("an upload's name"))
}

fn sha256(columns: &mut Columns<'_>) -> Result<[u8; 32], StoreError> {
    columns.bytes()?.try_into().map_err(|_| StoreError::value("a hash"))
}

fn stored(row: &SqliteRow) -> Result<StoredFile, StoreError> {
    let mut columns = Columns::new(row);
    let file = columns.change()?;
    let (conversation, device) = (columns.conversation()?, columns.device()?);
    let origin = FileOrigin { conversation, device, upload: name(&mut columns)? };
    let (media, length, sha256) = (media(&mut columns)?, columns.count()?, sha256(&mut columns)?);
    let mut sealed = || columns.bytes().map(|bytes| Sealed(bytes.to_vec()));
    Ok(StoredFile {
        file,
        origin,
        media,
        length,
        sha256,
        key: sealed()?,
        title: sealed()?,
        thumbnail: sealed()?,
    })
}

pub(super) fn open(row: &SqliteRow) -> Result<((DeviceId, UploadId), Upload), StoreError> {
    let mut columns = Columns::new(row);
    let key = (columns.device()?, name(&mut columns)?);
    let (file, person): (Change, _) = (columns.change()?, columns.person()?);
    let conversation: ConversationId = columns.conversation()?;
    let (media, length, sha256) = (media(&mut columns)?, columns.count()?, sha256(&mut columns)?);
    let (at, done, thumbnail) = (columns.wall()?, columns.flag()?, columns.count()? > 0);
    let upload = Upload { file, person, conversation, media, length, sha256, at, done, thumbnail };
    Ok((key, upload))
}

pub(super) fn policy(row: &SqliteRow) -> Result<AttachmentPolicy, StoreError> {
    let mut columns = Columns::new(row);
    let policy = AttachmentPolicy::parse(columns.count()?, columns.count()?, columns.count()?);
    policy.map_err(|_| StoreError::value("what may be attached"))
}
