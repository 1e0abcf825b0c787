//! The files of an export. Names of fields stay what they are: a later version adds some and takes none away.
//!
//! Lines of `record.jsonl`: one `header`; then of each conversation one `conversation`, its `message`s, each with what became of it behind it
//! ([`super::acts`]), and `notice`s in the order in which they stand in the thread, and one `conversation_end` with how many
//! of each there were.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{self, SHA256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wardline_core::attachment::Media;
use wardline_core::ids::{ConversationId, ExportId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::wire::proto;

use super::acts::{Acts, Proof};
use super::{html, unwritable};
use crate::clinical::{Patient, Sex};
use crate::error::{Error, InputError};
use crate::event::{Attachment, Kind, Message, message_hex};
use crate::files;
use crate::notice::{self, Notice};
use crate::stat::Priority;

/// What the manifest says that this is. Another number: fields have another meaning.
pub const FORMAT: &str = "wardline-export/1";
/// What a chain begins with.
pub(super) const CHAIN_BEGINS: &[u8] = b"wardline-export/1\n";

pub(super) const RECORD: &str = "record.jsonl";
pub(super) const PAGE: &str = "record.html";
pub(super) const CHAIN: &str = "chain.txt";
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const FILES: &str = "files";

/// SHA-256 of a manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal(pub [u8; 32]);

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Lines of `record.jsonl`.
    pub lines: u64,
    /// Conversations.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Notices between them.
    pub notices: u64,
    /// STATs among the messages.
    #[serde(default)]
    pub stats: u64,
    /// Orders by text among them.
    #[serde(default)]
    pub orders: u64,
    /// Tasks about them.
    #[serde(default)]
    pub tasks: u64,
    /// What devices signed about STATs and orders.
    #[serde(default)]
    pub signed: u64,
    /// Of this, what did not verify when it was written.
    #[serde(default)]
    pub unverified: u64,
    /// Files.
    pub files: u64,
    /// Files that are named and not here: of another's thread, or gone.
    pub files_withheld: u64,
    /// Names of other patients that were hidden.
    pub names_hidden: u64,
}

/// One file and what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) export: String,
    pub(super) at: String,
    pub(super) count: Count,
    /// The hash of all lines of `record.jsonl`, one after the other.
    pub(super) chain: String,
    pub(super) files: Vec<Listed>,
}

/// Somebody as the record calls them.
#[derive(Clone)]
pub(super) struct Whom {
    pub(super) name: String,
    pub(super) title: String,
}

/// What stands in front.
pub(super) struct Header {
    pub(super) facility: String,
    pub(super) export: ExportId,
    pub(super) at: i64,
    pub(super) by: PersonId,
    pub(super) patient: Option<Patient>,
    pub(super) person: Option<PersonId>,
    /// The directory.
    pub(super) people: BTreeMap<PersonId, Whom>,
    pub(super) units: BTreeMap<UnitId, String>,
    pub(super) roles: BTreeMap<RoleId, String>,
    /// Of the root certificate: what is signed is signed for this facility.
    pub(super) facility_sha256: [u8; 32],
}

/// One conversation of the record.
pub(super) struct Place {
    pub(super) id: ConversationId,
    pub(super) kind: Kind,
    pub(super) first: Sequence,
    /// What the person wrote alone.
    pub(super) only_theirs: bool,
    /// In a person's record: which patient it is about, by a number.
    pub(super) patient_number: Option<u32>,
    /// In a patient's record: the stay, where it is not put away yet, and since when.
    pub(super) stay: Option<(proto::Encounter, i64)>,
    /// Of a direct conversation.
    pub(super) pair: Vec<PersonId>,
    /// In a patient's record: who is of the family.
    pub(super) visitors: BTreeMap<PersonId, String>,
}

impl Place {
    /// Files of other patients' threads stay where they are: nobody can hide a name in a photo.
    pub(super) fn withholds_files(&self) -> bool {
        self.patient_number.is_some()
    }
}

/// Some of its messages, oldest first.
pub(super) struct Page {
    pub(super) messages: Vec<Message>,
    pub(super) notices: Vec<Notice>,
    /// What became of some of them.
    pub(super) acts: BTreeMap<Sequence, Acts>,
    /// Names that were hidden in them.
    pub(super) hidden: u32,
}

/// A file that is written once, and hashed on the way.
struct Hashed {
    path: PathBuf,
    to: BufWriter<File>,
    hash: digest::Context,
    bytes: u64,
}

impl Hashed {
    fn create(path: PathBuf) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let to = BufWriter::new(file.map_err(|error| unwritable(&path, &error))?);
        Ok(Self { path, to, hash: digest::Context::new(&SHA256), bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.to.write_all(bytes).map_err(|error| unwritable(&self.path, &error))
    }

    fn finish(mut self, name: &str) -> Result<Listed, Error> {
        let wrong = |error: std::io::Error| unwritable(&self.path, &error);
        self.to.flush().map_err(wrong)?;
        self.to.get_ref().sync_all().map_err(wrong)?;
        let sha256 = hex(self.hash.finish().as_ref());
        Ok(Listed { path: name.to_owned(), bytes: self.bytes, sha256 })
    }
}

/// An export while it is written.
pub(super) struct Writing {
    directory: PathBuf,
    header: Header,
    record: Hashed,
    page: Hashed,
    chain: Hashed,
    link: [u8; 32],
    count: Count,
    files: Vec<Listed>,
    /// Of the messages of a page: where their files are.
    kept: BTreeMap<Sequence, Vec<Option<String>>>,
    /// What there was before the conversation that is written.
    before: Count,
}

impl Writing {
    pub(super) fn begin(directory: &Path, header: Header) -> Result<Self, Error> {
        files::private_directory(directory)?;
        files::private_directory(&directory.join(FILES))?;
        let create = |name: &str| Hashed::create(directory.join(name));
        let mut writing = Self {
            record: create(RECORD)?,
            page: create(PAGE)?,
            chain: create(CHAIN)?,
            link: sha256(CHAIN_BEGINS),
            directory: directory.to_owned(),
            header,
            count: Count::default(),
            files: Vec::new(),
            kept: BTreeMap::new(),
            before: Count::default(),
        };
        let header = &writing.header;
        let line = json!({
            "record": "header",
            "format": FORMAT,
            "facility": header.facility,
            "facility_sha256": hex(&header.facility_sha256),
            "export": header.export.to_string(),
            "at": time(header.at),
            "by": header.by.to_string(),
            "by_name": header.name(header.by, None),
            "patient": header.patient.as_ref().map(patient),
            "person": header.person.map(|person| person.to_string()),
            "person_name": header.person.map(|person| header.name(person, None)),
            "person_title": header.person.and_then(|person| header.people.get(&person)).map(|whom| &whom.title),
        });
        let begins = html::begins(&writing.header);
        writing.line(&line)?;
        writing.page.write(begins.as_bytes())?;
        Ok(writing)
    }

    /// SHA-256 of the facility's root certificate.
    pub(super) fn facility(&self) -> &[u8; 32] {
        &self.header.facility_sha256
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn line(&mut self, value: &Value) -> Result<(), Error> {
        let line = value.to_string();
        let own = sha256(line.as_bytes());
        self.link = link(&self.link, &own);
        self.count.lines += 1;
        self.record.write(line.as_bytes())?;
        self.record.write(b"\n")?;
        self.chain.write(format!("{} {}\n", hex(&own), hex(&self.link)).as_bytes())
    }

    pub(super) fn place(&mut self, place: &Place, title: &str) -> Result<(), Error> {
        let header = &self.header;
        let stay = place.stay.as_ref().map(|(stay, admitted)| {
            json!({
                "encounter": format!("{:016x}", stay.encounter),
                "unit": UnitId::new(stay.unit).map(|unit| unit.to_string()),
                "unit_name": UnitId::new(stay.unit).and_then(|unit| header.units.get(&unit)),
                "bed": stay.bed,
                "attending": PersonId::new(stay.attending).map(|person| header.name(person, Some(place))),
                "admitted": time(*admitted),
                "discharged": (stay.discharged_at != 0).then(|| time(stay.discharged_at)),
            })
        });
        let pair: Vec<String> = place.pair.iter().map(|person| header.name(*person, Some(place))).collect();
        let line = json!({
            "record": "conversation",
            "conversation": place.id.to_string(),
            "kind": kind(place.kind),
            "title": title,
            "between": pair,
            "patient_number": place.patient_number,
            "only_theirs": place.only_theirs,
            "stay": stay,
        });
        let begins = html::place(header, place, title);
        self.before = self.count;
        self.count.conversations += 1;
        self.line(&line)?;
        self.page.write(begins.as_bytes())
    }

    /// What a file will be called; its author's name for it is no path.
    pub(super) fn next_file(&self, file: &Attachment) -> String {
        let number = self.files.len() + 1;
        let end = file.media.map_or("bin", ending);
        format!("{FILES}/{number:06}.{end}")
    }

    /// It is there, and its hash is right.
    pub(super) fn file(&mut self, name: &str, file: &Attachment) {
        self.files.push(Listed { path: name.to_owned(), bytes: file.length, sha256: hex(&file.sha256) });
    }

    /// Where the files of a message are.
    pub(super) fn keep(&mut self, message: Sequence, files: Vec<Option<String>>) {
        if !files.is_empty() {
            self.kept.insert(message, files);
        }
    }

    pub(super) fn page(&mut self, place: &Place, page: &Page) -> Result<(), Error> {
        let mut notices = page.notices.iter().peekable();
        for message in &page.messages {
            while let Some(told) = notices.next_if(|told| told.after < message.sequence) {
                self.notice(place, told)?;
            }
            self.message(place, message, page.acts.get(&message.sequence))?;
        }
        for told in notices {
            self.notice(place, told)?;
        }
        self.count.names_hidden += u64::from(page.hidden);
        Ok(())
    }

    fn message(&mut self, place: &Place, message: &Message, acts: Option<&Acts>) -> Result<(), Error> {
        let header = &self.header;
        let who = |person: PersonId| json!({ "person": person.to_string(), "name": header.name(person, Some(place)) });
        let files = self.kept.remove(&message.sequence).unwrap_or_default();
        let attached: Vec<Value> = message
            .attachments
            .iter()
            .enumerate()
            .map(|(at, file)| {
                json!({
                    "name": file.name,
                    "type": file.media.map(Media::mime),
                    "bytes": file.length,
                    "sha256": hex(&file.sha256),
                    "file": files.get(at).cloned().flatten(),
                })
            })
            .collect();
        let mentions = message.mentions.iter().map(|mention| who(mention.person));
        let reactions = message.reactions.iter().map(|reacted| {
            json!({
                "reaction": format!("{:?}", reacted.reaction).to_lowercase(),
                "people": reacted.people.iter().map(|person| who(*person)).collect::<Vec<_>>(),
            })
        });
        let line = json!({
            "record": "message",
            "conversation": place.id.to_string(),
            "sequence": message.sequence.0,
            "message": message_hex(message.id),
            "at": time(message.at),
            "sender": message.sender.to_string(),
            "sender_name": header.name(message.sender, Some(place)),
            "priority": priority(message.priority),
            "text": message.text,
            "reply_to": message.reply_to.map(|to| to.0),
            "edits": message.edits,
            "edited_at": message.edited_at.map(time),
            "recalled_at": message.recalled_at.map(time),
            "mentions": mentions.collect::<Vec<_>>(),
            "reactions": reactions.collect::<Vec<_>>(),
            "attachments": attached,
        });
        let became = acts.map_or_else(Vec::new, |acts| acts.lines(header, place, message.sequence));
        let shown = html::message(header, place, message, (&files, acts));
        self.count.messages += 1;
        self.count.files_withheld += files.iter().filter(|file| file.is_none()).count() as u64;
        if let Some(acts) = acts {
            self.count.stats += u64::from(acts.stat.is_some());
            self.count.orders += u64::from(acts.order.is_some());
            self.count.tasks += u64::from(acts.task.is_some());
            for proof in acts.proofs() {
                self.count.signed += 1;
                self.count.unverified += u64::from(proof == Proof::Wrong);
            }
        }
        self.line(&line)?;
        became.iter().try_for_each(|line| self.line(line))?;
        self.page.write(shown.as_bytes())
    }

    fn notice(&mut self, place: &Place, told: &Notice) -> Result<(), Error> {
        let header = &self.header;
        let name = |person: PersonId| header.name(person, Some(place));
        let parts = told.told.parts();
        let line = json!({
            "record": "notice",
            "conversation": place.id.to_string(),
            "number": told.number,
            "after": told.after.0,
            "at": time(told.at.0),
            "notice": notice::name(&told.told),
            "reason": notice::reason(&told.told),
            "by": told.by.map(|by| by.to_string()),
            "by_name": told.by.map(name),
            "person": parts.person.map(|person| person.to_string()),
            "person_name": parts.person.map(name),
            "unit": parts.unit.map(|unit| unit.to_string()),
            "unit_name": parts.unit.and_then(|unit| header.units.get(&unit)),
            "bed": parts.bed.as_ref().map(|bed| bed.reveal()),
            "until": parts.until.map(|until| time(until.0)),
        });
        let shown = html::notice(header, place, told);
        self.count.notices += 1;
        self.line(&line)?;
        self.page.write(shown.as_bytes())
    }

    pub(super) fn place_ends(&mut self) -> Result<(), Error> {
        let (all, before) = (&self.count, &self.before);
        self.line(&json!({
            "record": "conversation_end",
            "messages": all.messages - before.messages,
            "notices": all.notices - before.notices,
            "stats": all.stats - before.stats,
            "orders": all.orders - before.orders,
            "tasks": all.tasks - before.tasks,
            "signed": all.signed - before.signed,
        }))?;
        self.page.write(html::PLACE_ENDS.as_bytes())
    }

    /// Everything is there: says what, and gives the seal.
    pub(super) fn finish(mut self) -> Result<(Count, Seal), Error> {
        self.count.files = self.files.len() as u64;
        let ends = html::ends(&self.count);
        self.page.write(ends.as_bytes())?;
        let mut files = vec![self.record.finish(RECORD)?, self.page.finish(PAGE)?, self.chain.finish(CHAIN)?];
        files.extend(self.files);
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            export: self.header.export.to_string(),
            at: time(self.header.at),
            count: self.count,
            chain: hex(&self.link),
            files,
        };
        let mut bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|_| InputError::NotNow("The manifest cannot be written as JSON."))?;
        bytes.push(b'\n');
        files::write_whole(&self.directory.join(MANIFEST), &bytes)?;
        files::sync_parent(&self.directory.join(FILES).join("."))?;
        Ok((self.count, Seal(sha256(&bytes))))
    }
}

impl Header {
    /// What a role is called; not in a thread of a patient whose record this is not, since it may say where they lie.
    pub(super) fn role(&self, role: RoleId, place: &Place) -> Option<&str> {
        self.roles.get(&role).map(String::as_str).filter(|_| place.patient_number.is_none())
    }

    /// What somebody is called in this record.
    pub(super) fn name(&self, person: PersonId, place: Option<&Place>) -> String {
        if let Some(whom) = self.people.get(&person) {
            return whom.name.clone();
        }
        let visitor = place.and_then(|place| place.visitors.get(&person));
        // Of a patient whose record this is not: somebody of the family, or the patient.
        visitor.cloned().unwrap_or_else(|| "(visitor)".to_owned())
    }
}

fn patient(patient: &Patient) -> Value {
    json!({
        "patient": patient.id.to_string(),
        "record_number": patient.particulars.record_number,
        "merged_record_numbers": patient.merged_records,
        "name": patient.particulars.name,
        "birth_date": patient.particulars.birth_date,
        "sex": sex(patient.particulars.sex),
    })
}

pub(super) fn sex(sex: Sex) -> String {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
        Sex::Ambiguous => "ambiguous",
        Sex::NotApplicable => "not applicable",
    }
    .to_owned()
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Direct => "direct",
        Kind::Group => "group",
        Kind::Channel => "channel",
        Kind::Patient => "patient",
        Kind::Family => "family",
        Kind::Role => "role",
        Kind::Broadcast => "broadcast",
        Kind::Other => "other",
    }
}

pub(super) fn priority(priority: Priority) -> String {
    format!("{priority:?}").to_lowercase()
}

fn ending(media: Media) -> &'static str {
    match media {
        Media::Jpeg => "jpg",
        Media::Png => "png",
        Media::Heic => "heic",
        Media::Webp => "webp",
        Media::Pdf => "pdf",
        Media::Ogg => "ogg",
        Media::Webm => "webm",
        Media::M4a => "m4a",
        Media::Wav => "wav",
    }
}

/// RFC 3339, UTC.
pub(super) fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), |at| at.to_string())
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&SHA256, bytes).as_ref());
    hash
}

/// The hash of all lines up to one, of that up to the one before, and its own.
pub(super) fn link(before: &[u8; 32], own: &[u8; 32]) -> [u8; 32] {
    sha256(&[&before[..], &own[..]].concat())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for Seal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(());
        }
        let mut seal = [0; 32];
        for (at, byte) in seal.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| ())?;
        }
        Ok(Self(seal))
    }
}
