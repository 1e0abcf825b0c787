//! What a batch comes to of attachments. See [`super::plan`]. Whatever was begun, finished, sent and gone in one batch is written in
//! that order: nothing comes back under the change that began it.

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::attachment::{AttachmentPolicy, NewUpload, Sent};
use wardline_core::ids::{Change, ConversationId, Sequence};
use wardline_core::write::Write;

use super::rows::{Many, Script};

/// Its files.
#[derive(Default)]
pub(super) struct FilePlan<'a> {
    begun: BTreeMap<Change, &'a NewUpload>,
    finished: BTreeSet<Change>,
    dropped: BTreeSet<Change>,
    /// With the change that gave it to a message, which one, and the how many-eth of it.
    sent: Vec<(Change, Sequence, usize, &'a Sent)>,
    /// How many each message has.
    counts: BTreeMap<Change, usize>,
    /// With the change that brought the message.
    recalled: BTreeMap<(ConversationId, Sequence), Change>,
    purged: BTreeSet<ConversationId>,
    policy: Option<AttachmentPolicy>,
}

const BEGUN: Many = Many {
    head: "INSERT INTO attachment (file, conversation, person, device, upload, media, length, sha256, at, done, sequence, place, \
           attached, key, title, thumbnail) VALUES ",
    columns: 16,
    tail: "",
};
const FINISHED: Many =
    Many { head: "UPDATE attachment SET done = 1 WHERE file IN (VALUES ", columns: 1, tail: ")" };
const SENT: Many = Many {
    head: "WITH v (file, sequence, place, attached, title) AS (VALUES ",
    columns: 5,
    tail: ") UPDATE attachment SET sequence = v.sequence, place = v.place, attached = v.attached, title = v.title \
           FROM v WHERE attachment.file = v.file",
};
const COUNTS: Many = Many {
    head: "WITH v (change, files) AS (VALUES ",
    columns: 2,
    tail: ") UPDATE message SET files = v.files FROM v WHERE message.change = v.change",
};
const DROPPED: Many = Many { head: "DELETE FROM attachment WHERE file IN (VALUES ", columns: 1, tail: ")" };
const RECALLED: Many =
    Many { head: "DELETE FROM attachment WHERE (conversation, sequence) IN (VALUES ", columns: 2, tail: ")" };
const PURGED: Many =
    Many { head: "DELETE FROM attachment WHERE conversation IN (VALUES ", columns: 1, tail: ")" };
const POLICY: Many = Many {
    head: "INSERT INTO attachment_policy (id, photo, document, audio) VALUES ",
    columns: 4,
    tail: " ON CONFLICT (id) DO UPDATE SET photo = excluded.photo, document = excluded.document, audio = excluded.audio",
};

impl<'a> FilePlan<'a> {
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::UploadBegun(new) => {
                self.begun.insert(change, new);
            }
            Write::UploadFinished { file, .. } => {
                self.finished.insert(*file);
            }
            Write::UploadDropped { file, .. } => {
                self.begun.remove(file);
                self.dropped.insert(*file);
            }
            Write::AttachmentsSent { sequence, message, files, .. } => {
                self.counts.insert(*message, files.len());
                let files = files.iter().enumerate();
                self.sent.extend(files.map(|(place, file)| (change, *sequence, place, file)));
            }
            Write::MessageRecalled { conversation, sequence, message, .. } => {
                self.counts.insert(*message, 0);
                self.recalled.insert((*conversation, *sequence), *message);
            }
            Write::KeyDestroyed { conversation } => {
                self.begun.retain(|_, new| new.conversation != *conversation);
                self.purged.insert(*conversation);
            }
            Write::AttachmentPolicySet(policy) => self.policy = Some(*policy),
            _ => {}
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let begun: Vec<_> = self.begun.iter().collect();
        script.many(&BEGUN, &begun, |(file, new), row| {
            row.count(file.0).count(new.conversation.value()).count(new.person.value());
            row.count(new.device.value()).bytes(&new.name.0).count(new.media.number().into());
            row.count(new.length).bytes(&new.sha256).int(new.at.0);
            row.int(0).int(0).int(0).int(0);
            row.bytes(&new.key.0).bytes(&[]).bytes(&new.thumbnail.0);
        });
        let finished: Vec<_> = self.finished.iter().collect();
        script.many(&FINISHED, &finished, |file, row| {
            row.count(file.0);
        });
        script.many(&SENT, &self.sent, |(change, sequence, place, file), row| {
            row.count(file.file.0).count(sequence.0).count(*place as u64).count(change.0);
            row.bytes(&file.title.0);
        });
        let counts: Vec<_> = self.counts.iter().collect();
        script.many(&COUNTS, &counts, |(message, count), row| {
            row.count(message.0).count(**count as u64);
        });
        let dropped: Vec<_> = self.dropped.iter().collect();
        script.many(&DROPPED, &dropped, |file, row| {
            row.count(file.0);
        });
        let recalled: Vec<_> = self.recalled.keys().collect();
        script.many(&RECALLED, &recalled, |(conversation, sequence), row| {
            row.count(conversation.value()).count(sequence.0);
        });
        let purged: Vec<_> = self.purged.iter().collect();
        script.many(&PURGED, &purged, |conversation, row| {
            row.count(conversation.value());
        });
        if let Some(AttachmentPolicy { photo, document, audio }) = self.policy {
            script.many(&POLICY, &[[1, photo, document, audio]], |values, row| {
                for value in values {
                    row.count((*value).into());
                }
            });
        }
    }
}
