//! Exporting a patient's or a person's record into a directory: for whoever may ask for it. For privacy officers.
//!
//! | file | holds |
//! |---|---|
//! | `record.jsonl` | the record, one JSON object a line ([`record`]) |
//! | `record.html` | the same to read and to print, without scripts |
//! | `files/` | what was attached, each under a number |
//! | `chain.txt` | of each line of `record.jsonl` its SHA-256, and the hash of all up to there |
//! | `manifest.json` | how many of what, and the SHA-256 of every other file |
//!
//! What became of a message stands behind it ([`acts`]), and what devices signed about it is verified when it is written and by [`verify`] again.
//!
//! The SHA-256 of `manifest.json` is the **seal**: it is told to whoever exports and to the box, which records it. [`verify`] needs no box.
//!
//! All of it is written beside the directory that it is for, and is called so once it is whole: an export that was broken off is none.

mod acts;
mod html;
mod proof;
mod record;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wardline_core::ids::{ConversationId, ExportId, PersonId, Sequence};
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};

pub use record::{Count, FORMAT, Seal};
pub use verify::{Fault, Verified, verify};

use crate::call::{Call, Calls as _, odd};
use crate::client::Client;
use crate::clinical::Patient;
use crate::error::{Error, InputError, Refused};
use crate::event::{self, Attachment, Kind, Message};
use crate::notice;
use crate::roles::RoleCalls as _;
use crate::trust::sha256;
use acts::Acts;
use record::{Header, Page, Place, Whom, Writing};

/// How often a page is asked for again that the box has no time for.
const AGAIN_MAX: u32 = 50;
/// Between two of these, where the box does not say.
const AGAIN: Duration = Duration::from_secs(1);

/// Whose record.
pub enum Whose<'a> {
    /// Of the directory.
    Person(PersonId),
    /// By record number: of all stays, of merged records too.
    Record(&'a str),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Conversations that are written.
    pub places: u32,
    /// Of how many.
    pub of: u32,
    /// Messages so far.
    pub messages: u64,
    /// Files so far.
    pub files: u64,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Where.
    pub directory: PathBuf,
    /// How many of what.
    pub count: Count,
    /// The hash of the manifest: whoever has it can tell that nothing was changed.
    pub seal: Seal,
}

/// What the box says to a beginning.
struct Begun {
    id: ExportId,
    at: i64,
    places: u32,
    patient: Option<Patient>,
}

impl Client {
    /// Writes a record into `directory`, which must not be there yet. `grounds`: why, 10 characters to 500 bytes, on record. `told` hears
    /// how far it is.
    pub async fn export(
        &self,
        whose: Whose<'_>,
        grounds: &str,
        directory: &Path,
        mut told: impl FnMut(Progress) + Send,
    ) -> Result<Exported, Error> {
        let beside = beside(directory)?;
        let person = match whose {
            Whose::Person(person) => Some(person),
            Whose::Record(_) => None,
        };
        let begun = self.begin_export(whose, grounds).await?;
        let header = self.header(&begun, person).await?;
        let mut writing = Writing::begin(&beside, header)?;
        let mut progress = Progress { places: 0, of: begun.places, messages: 0, files: 0 };
        told(progress);
        let mut after = None;
        loop {
            let page = self.places(begun.id, after).await?;
            after = page.places.last().map(|place| place.conversation);
            for place in page.places {
                let place = Place::from_wire(place)?;
                self.write_place(begun.id, &place, &mut writing, &mut progress, &mut told).await?;
                progress.places += 1;
                told(progress);
            }
            if page.end || after.is_none() {
                break;
            }
        }
        let (count, seal) = writing.finish()?;
        let ask = proto::FinishExport { export: begun.id.value(), manifest_sha256: seal.0.to_vec() };
        self.patiently(Ask::FinishExport(ask)).await?;
        std::fs::rename(&beside, directory).map_err(|error| unwritable(directory, &error))?;
        crate::files::sync_parent(directory)?;
        Ok(Exported { directory: directory.to_owned(), count, seal })
    }

    async fn begin_export(&self, whose: Whose<'_>, grounds: &str) -> Result<Begun, Error> {
        use proto::begin_export::Subject;
        let subject = Some(match whose {
            Whose::Person(person) => Subject::Person(person.value()),
            Whose::Record(record) => Subject::RecordNumber(record.to_owned()),
        });
        let ask = proto::BeginExport { subject, grounds: grounds.to_owned() };
        match self.call(Ask::BeginExport(ask)).await? {
            Answer::ExportBegun(begun) => Ok(Begun {
                id: ExportId::new(begun.export).ok_or(Error::Protocol("no export"))?,
                at: begun.at,
                places: begun.places,
                patient: begun.patient.map(Patient::from_wire).transpose()?,
            }),
            other => odd(other),
        }
    }

    async fn header(&self, begun: &Begun, person: Option<PersonId>) -> Result<Header, Error> {
        let mut people = BTreeMap::new();
        for person in self.people().await? {
            people.insert(person.id, Whom { name: person.name, title: person.title });
        }
        let units = self.units().await?.into_iter().map(|unit| (unit.id, unit.name)).collect();
        let roles = self.roles(None).await?.into_iter().map(|role| (role.id, role.name)).collect();
        Ok(Header {
            facility: self.identity().facility.clone(),
            export: begun.id,
            at: begun.at,
            by: self.identity().person,
            patient: begun.patient.clone(),
            person,
            people,
            units,
            roles,
            facility_sha256: sha256(&self.identity().root),
        })
    }

    async fn places(&self, export: ExportId, after: Option<u64>) -> Result<proto::ExportPlaces, Error> {
        let ask = proto::ListExport { export: export.value(), after: after.unwrap_or(0) };
        match self.patiently(Ask::ListExport(ask)).await? {
            Answer::ExportPlaces(page) => Ok(page),
            other => odd(other),
        }
    }

    async fn write_place(
        &self,
        export: ExportId,
        place: &Place,
        writing: &mut Writing,
        progress: &mut Progress,
        told: &mut (impl FnMut(Progress) + Send),
    ) -> Result<(), Error> {
        let (mut after, mut begun) = (Sequence(place.first.0.saturating_sub(1)), false);
        loop {
            let ask =
                proto::ReadExport { export: export.value(), conversation: place.id.value(), after: after.0 };
            let page = match self.patiently(Ask::ReadExport(ask)).await? {
                Answer::ExportPage(page) => page,
                other => return odd(other),
            };
            let through = Sequence(page.through);
            if through <= after && !page.end {
                return Err(Error::Protocol("a page of an export that leads nowhere"));
            }
            if !begun {
                writing.place(place, &page.title)?;
                begun = true;
            }
            let page_end = page.end;
            let page = read(page, writing.facility())?;
            for message in &page.messages {
                let files = self.files_of(export, place, message, writing, progress).await?;
                writing.keep(message.sequence, files);
                progress.messages += 1;
            }
            writing.page(place, &page)?;
            told(*progress);
            if page_end {
                return writing.place_ends();
            }
            after = through;
        }
    }

    /// Fetches what is attached to a message; a file that the box withholds has no place.
    async fn files_of(
        &self,
        export: ExportId,
        place: &Place,
        message: &Message,
        writing: &mut Writing,
        progress: &mut Progress,
    ) -> Result<Vec<Option<String>>, Error> {
        let mut kept = Vec::new();
        for (which, file) in message.attachments.iter().enumerate() {
            if place.withholds_files() {
                kept.push(None);
                continue;
            }
            let name = writing.next_file(file);
            let path = writing.path(&name);
            let of = (place.id, message.sequence);
            let fetched = self.fetch_exported(export, of, which, file, &path);
            match fetched.await {
                Ok(()) => {
                    writing.file(&name, file);
                    progress.files += 1;
                    kept.push(Some(name));
                }
                // Recalled, or gone with its age, since the page was read.
                Err(Error::Refused(Refused {
                    code: RefusalCode::NoSuchAttachment | RefusalCode::NoSuchMessage,
                    ..
                })) => {
                    kept.push(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    async fn fetch_exported(
        &self,
        export: ExportId,
        (conversation, sequence): (ConversationId, Sequence),
        which: usize,
        file: &Attachment,
        into: &Path,
    ) -> Result<(), Error> {
        let ask = proto::OpenExportFile {
            export: export.value(),
            conversation: conversation.value(),
            sequence: sequence.0,
            which: u32::try_from(which).unwrap_or(u32::MAX),
        };
        self.fetch_by(Ask::OpenExportFile(ask), file, into, |_, _| {}).await
    }

    /// Asks again while the box says that it has no time.
    async fn patiently(&self, ask: Ask) -> Result<Answer, Error> {
        let mut vain = 0;
        loop {
            match self.call(ask.clone()).await {
                Err(Error::Refused(Refused {
                    code: RefusalCode::SlowDown | RefusalCode::Unavailable,
                    retry_after,
                    ..
                })) if vain < AGAIN_MAX => {
                    vain += 1;
                    tokio::time::sleep(retry_after.unwrap_or(AGAIN)).await;
                }
                other => return other,
            }
        }
    }
}

/// A page as the box gave it, with what was signed verified in the facility of this root's SHA-256.
fn read(page: proto::ExportPage, facility: &[u8; 32]) -> Result<Page, Error> {
    let messages: Vec<Message> =
        page.messages.into_iter().map(Message::from_wire).collect::<Result<_, _>>()?;
    let told = page.notices.iter().map(notice::from_wire).collect::<Result<Vec<_>, _>>()?;
    let acts = page.acts.into_iter().map(|acts| {
        let message = messages.iter().find(|message| message.sequence.0 == acts.sequence);
        Acts::read(acts, facility, message)
    });
    let acts = acts.collect::<Result<_, _>>()?;
    Ok(Page { messages, notices: told.into_iter().flatten().collect(), acts, hidden: page.names_hidden })
}

/// Where it is written until it is whole.
fn beside(directory: &Path) -> Result<PathBuf, Error> {
    let mut name = directory.file_name().ok_or(InputError::NotNow("Say where to: --out DIR."))?.to_owned();
    name.push(".part");
    let beside = directory.with_file_name(name);
    for taken in [directory, &beside] {
        if taken.symlink_metadata().is_ok() {
            return Err(InputError::FileThere(taken.to_owned()).into());
        }
    }
    Ok(beside)
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    InputError::File { path: path.to_owned(), why: error.to_string() }.into()
}

impl Place {
    fn from_wire(wire: proto::ExportPlace) -> Result<Self, Error> {
        let kind = Kind::from_wire(wire.kind());
        let visitors =
            wire.visitors.into_iter().map(|visitor| Ok((event::person(visitor.person)?, visitor.name)));
        Ok(Self {
            id: event::conversation(wire.conversation)?,
            kind,
            first: Sequence(wire.first),
            only_theirs: wire.only_theirs,
            patient_number: Some(wire.patient_number).filter(|number| *number > 0),
            stay: wire.stay.map(|stay| (stay, wire.admitted)),
            pair: wire.pair.into_iter().map(event::person).collect::<Result<_, Error>>()?,
            visitors: visitors.collect::<Result<_, Error>>()?,
        })
    }
}
