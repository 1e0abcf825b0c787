//! What this device has composed and the box has not yet accepted.
//!
//! A log: one JSON object a line, appended and synced. A message is on disk before its sender hears that it is kept,
//! and its number is on disk before the message leaves. Numbers rise and are never used for two messages, whatever
//! is lost with the power: the log keeps the highest even when nothing else is left in it, and the box's own count is
//! taken into account at every sign-in ([`Outbox::raise_floor`]).
//!
//! Texts are sealed ([`crate::sealing`]) and go with the first rewriting after their acceptance. A last line that was
//! cut by a crash was never promised to anybody and is dropped; damage anywhere else is an error, because dropping it
//! would lose a message in silence.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use wardline_core::ids::{ConversationId, MessageId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{OrderDeed, RefusalCode};
use zeroize::Zeroizing;

use crate::attachments::Uploaded;
use crate::beside::{self, Beside};
use crate::error::{Error, InputError, ProfileError, Refused};
use crate::event::message_hex;
use crate::files;
use crate::key::DeviceKey;
use crate::orders::Deed;
use crate::sealing::Sealing;
use crate::stat::{Priority, Urgency};

/// Messages that may wait: 2,000 of 8 KiB, sealed and in base 64, are 22 MB.
pub const WAITING_MAX: usize = 2_000;
/// Lines without a use after which the log is rewritten even while messages wait.
const DEAD_LINES_MAX: usize = 1_000;
/// More than [`WAITING_MAX`] of the longest and [`DEAD_LINES_MAX`] more.
const FILE_MAX: u64 = 64 << 20;

/// A message on its way out.
pub struct Waiting {
    /// Its name, the same in every retry.
    pub id: MessageId,
    /// Where it goes.
    pub conversation: ConversationId,
    /// What it says.
    pub text: Zeroizing<String>,
    /// When it was composed: milliseconds since 1970.
    pub composed: i64,
    /// The number it was, or is about to be, sent under.
    pub number: Option<u64>,
    /// Why it will never be sent.
    pub failed: Option<Refused>,
    /// How urgent it is, and whom it calls.
    pub urgency: Urgency,
    /// What it answers, and whom it names.
    pub beside: Beside,
    /// Its files, which the box has.
    pub attachments: Vec<Uploaded>,
}

/// The log and what it says.
pub struct Outbox {
    path: PathBuf,
    file: File,
    sealing: Sealing,
    waiting: VecDeque<Waiting>,
    /// The highest number ever given.
    highest: u64,
    /// Bytes of the file that are whole lines.
    length: u64,
    /// Lines to be appended by the next [`Outbox::sync`].
    staged: Vec<u8>,
    dead_lines: usize,
}

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A message was composed.
    Put {
        id: String,
        conversation: String,
        composed: i64,
        sealed: String,
        /// Left out where it is routine, as it was before there was anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        urgency: Option<Urged>,
        /// Left out where it answers nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// Left out where it names nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mentions: Option<Mentioned>,
        /// Sealed. Left out where it has no files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<String>,
        /// Left out where it is nothing to an order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Ordered>,
    },
    /// It has this number now.
    Number { id: String, number: u64 },
    /// It will never be sent.
    Failed { id: String, code: i32, advice: String },
    /// It is out of the log.
    Done { id: String },
    /// Numbers up to here are spent.
    Floor { number: u64 },
}

/// What a message is to an order, by the wire's number; which order it is about, and whom it is for.
#[derive(Serialize, Deserialize)]
struct Ordered {
    deed: i32,
    of: u64,
    to: u64,
}

impl Ordered {
    fn of(deed: Deed) -> Self {
        let part = deed.to_part();
        Self { deed: part.deed, of: part.of, to: part.to }
    }

    fn read(&self) -> Option<Deed> {
        beside::deed(OrderDeed::try_from(self.deed).ok()?, self.of, self.to)
    }
}

/// Whom a message names.
#[derive(Serialize, Deserialize)]
struct Mentioned {
    people: Vec<u64>,
    roles: Vec<u64>,
}

impl Mentioned {
    fn of(beside: &Beside) -> Option<Self> {
        let people: Vec<u64> = beside.people.iter().map(|person| person.value()).collect();
        let roles: Vec<u64> = beside.roles.iter().map(|role| role.value()).collect();
        (!people.is_empty() || !roles.is_empty()).then_some(Self { people, roles })
    }

    fn read(self, reply_to: Option<Sequence>) -> Option<Beside> {
        Some(Beside {
            reply_to,
            people: self.people.into_iter().map(PersonId::new).collect::<Option<_>>()?,
            roles: self.roles.into_iter().map(RoleId::new).collect::<Option<_>>()?,
            order: None,
        })
    }
}

/// How urgent a message is: 1 urgent, 2 a STAT; whom it calls, and whose policy it follows (0: the box decides).
#[derive(Serialize, Deserialize)]
struct Urged {
    priority: u8,
    people: Vec<u64>,
    unit: u64,
}

impl Urged {
    fn of(urgency: &Urgency) -> Option<Self> {
        let priority = match urgency.priority {
            Priority::Routine => return None,
            Priority::Urgent => 1,
            Priority::Stat => 2,
        };
        let people = urgency.people.iter().map(|person| person.value()).collect();
        Some(Self { priority, people, unit: urgency.unit.map_or(0, UnitId::value) })
    }

    fn read(self) -> Option<Urgency> {
        let priority = match self.priority {
            1 => Priority::Urgent,
            2 => Priority::Stat,
            _ => return None,
        };
        let people = self.people.into_iter().map(PersonId::new).collect::<Option<_>>()?;
        Some(Urgency { priority, people, unit: UnitId::new(self.unit) })
    }
}

impl Outbox {
    /// Opens the log, making it when there is none.
    pub fn open(path: &Path, key: &DeviceKey) -> Result<Self, ProfileError> {
        let sealing = Sealing::new(key, "outbox")?;
        let content = files::read_private(path, FILE_MAX)?;
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path);
        let mut outbox = Self {
            path: path.to_owned(),
            file: file.map_err(|e| files::io(path, e))?,
            sealing,
            waiting: VecDeque::new(),
            highest: 0,
            length: 0,
            staged: Vec::new(),
            dead_lines: 0,
        };
        for line in content.as_deref().map(Vec::as_slice).unwrap_or_default().split_inclusive(|b| *b == b'\n')
        {
            if !line.ends_with(b"\n") {
                break;
            }
            outbox.replay(line)?;
            outbox.length += line.len() as u64;
        }
        outbox.cut().map_err(|e| files::io(path, e))?;
        if content.is_none() {
            // A file that is synced and has no name after a power failure has kept nothing.
            files::sync_parent(path)?;
        }
        Ok(outbox)
    }

    fn replay(&mut self, line: &[u8]) -> Result<(), ProfileError> {
        let damaged = |what| ProfileError::Damaged { path: self.path.clone(), what };
        let line: Line =
            serde_json::from_slice(line).map_err(|_| damaged("a line is not what was written"))?;
        match line {
            Line::Put { id, conversation, composed, sealed, urgency, reply_to, mentions, files, order } => {
                let id = parse_id(&id).ok_or_else(|| damaged("a message's identifier"))?;
                let conversation = u64::from_str_radix(&conversation, 16).ok().and_then(ConversationId::new);
                let conversation = conversation.ok_or_else(|| damaged("a conversation's identifier"))?;
                let sealed = STANDARD.decode(sealed).map_err(|_| damaged("a text is not base64"))?;
                let text = self.sealing.open(&bound(id, conversation), &sealed);
                let text = text.ok_or_else(|| damaged("a text does not open with this device's key"))?;
                let text = std::str::from_utf8(&text).map_err(|_| damaged("a text is not UTF-8"))?;
                let text = Zeroizing::new(text.to_owned());
                let urgency = urgency.map_or(Some(Urgency::default()), Urged::read);
                let urgency = urgency.ok_or_else(|| damaged("how urgent a message is"))?;
                let reply_to = reply_to.map(Sequence);
                let beside = match mentions {
                    Some(mentions) => mentions.read(reply_to),
                    None => Some(Beside::reply(reply_to)),
                };
                let mut beside = beside.ok_or_else(|| damaged("whom a message names"))?;
                if let Some(order) = order {
                    beside.order =
                        Some(order.read().ok_or_else(|| damaged("what a message is to an order"))?);
                }
                let attachments = files.map(|files| self.open_files(id, conversation, &files));
                let attachments = attachments.unwrap_or(Some(Vec::new()));
                let attachments = attachments.ok_or_else(|| damaged("a message's files"))?;
                self.waiting.push_back(Waiting {
                    id,
                    conversation,
                    text,
                    composed,
                    number: None,
                    failed: None,
                    urgency,
                    beside,
                    attachments,
                });
            }
            Line::Number { id, number } => {
                self.highest = self.highest.max(number);
                self.dead_lines += 1;
                if let Some(waiting) = parse_id(&id).and_then(|id| self.find(id)) {
                    waiting.number = Some(number);
                }
            }
            Line::Failed { id, code, advice } => {
                let code = RefusalCode::try_from(code).unwrap_or(RefusalCode::Unspecified);
                let refused = Refused { code, advice, retry_after: None, tries_left: 0 };
                if let Some(waiting) = parse_id(&id).and_then(|id| self.find(id)) {
                    waiting.failed = Some(refused);
                }
            }
            Line::Done { id } => {
                self.dead_lines += 2;
                if let Some(id) = parse_id(&id) {
                    self.waiting.retain(|waiting| waiting.id != id);
                }
            }
            Line::Floor { number } => self.highest = self.highest.max(number),
        }
        Ok(())
    }

    /// Takes off what stands behind the last whole line.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::End(0)).map(|_| ())
    }

    /// What waits, in the order it was composed. What failed is among it until it is forgotten.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// One that waits.
    pub fn get(&self, id: MessageId) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| waiting.id == id)
    }

    fn find(&mut self, id: MessageId) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|waiting| waiting.id == id)
    }

    /// Takes a message in. Kept once [`Outbox::sync`] has returned.
    pub fn put(
        &mut self,
        conversation: ConversationId,
        text: String,
        urgency: Urgency,
        beside: Beside,
        composed: i64,
    ) -> Result<MessageId, Error> {
        self.put_with(conversation, text, (urgency, beside, Vec::new()), composed)
    }

    /// The same, with files.
    pub fn put_with(
        &mut self,
        conversation: ConversationId,
        text: String,
        (urgency, beside, attachments): (Urgency, Beside, Vec<Uploaded>),
        composed: i64,
    ) -> Result<MessageId, Error> {
        let text = Zeroizing::new(text);
        if text.is_empty() || text.len() > limits::TEXT_MAX {
            return Err(InputError::Text(text.len()).into());
        }
        if self.waiting.len() >= WAITING_MAX {
            return Err(InputError::OutboxFull(WAITING_MAX).into());
        }
        let id = MessageId(crate::clock::random()?);
        let (number, failed) = (None, None);
        let waiting =
            Waiting { id, conversation, text, composed, number, failed, urgency, beside, attachments };
        self.stage(&self.put_line(&waiting)?)?;
        self.waiting.push_back(waiting);
        Ok(id)
    }

    fn put_line(&self, waiting: &Waiting) -> Result<Line, ProfileError> {
        let sealed = self.sealing.seal(&bound(waiting.id, waiting.conversation), waiting.text.as_bytes())?;
        Ok(Line::Put {
            id: message_hex(waiting.id),
            conversation: waiting.conversation.to_string(),
            composed: waiting.composed,
            sealed: STANDARD.encode(sealed),
            urgency: Urged::of(&waiting.urgency),
            reply_to: waiting.beside.reply_to.map(|to| to.0),
            mentions: Mentioned::of(&waiting.beside),
            order: waiting.beside.order.map(Ordered::of),
            files: if waiting.attachments.is_empty() {
                None
            } else {
                let bound = bound_files(waiting.id, waiting.conversation);
                Some(STANDARD.encode(self.sealing.seal(&bound, &Uploaded::to_bytes(&waiting.attachments))?))
            },
        })
    }

    fn open_files(&self, id: MessageId, conversation: ConversationId, files: &str) -> Option<Vec<Uploaded>> {
        let sealed = STANDARD.decode(files).ok()?;
        Uploaded::from_bytes(&self.sealing.open(&bound_files(id, conversation), &sealed)?)
    }

    /// Gives the message the next number. It may be sent under it once [`Outbox::sync`] has returned.
    pub fn number(&mut self, id: MessageId) -> Result<u64, ProfileError> {
        let number = self.highest + 1;
        self.highest = number;
        self.stage(&Line::Number { id: message_hex(id), number })?;
        self.dead_lines += 1;
        if let Some(waiting) = self.find(id) {
            waiting.number = Some(number);
        }
        Ok(number)
    }

    /// Numbers up to this one are spent: the box says so.
    pub fn raise_floor(&mut self, number: u64) {
        self.highest = self.highest.max(number);
    }

    /// The message was refused for the moment: it goes again under a fresh number.
    pub fn take_number(&mut self, id: MessageId) {
        // Not a line: should it be lost, the old number is tried once more and answered or refused again.
        if let Some(waiting) = self.find(id) {
            waiting.number = None;
        }
    }

    /// The message will never be sent. Durable with the next [`Outbox::sync`].
    pub fn fail(&mut self, id: MessageId, refused: &Refused) -> Result<(), ProfileError> {
        let advice = refused.advice.clone();
        self.stage(&Line::Failed { id: message_hex(id), code: refused.code.into(), advice })?;
        if let Some(waiting) = self.find(id) {
            waiting.failed = Some(refused.clone());
        }
        Ok(())
    }

    /// The box has it, or its person was told that it will not be sent. Need not be synced: a message that comes back
    /// is sent again under its old number and answered as the first time.
    pub fn forget(&mut self, id: MessageId) -> Result<(), ProfileError> {
        self.waiting.retain(|waiting| waiting.id != id);
        self.dead_lines += 2;
        self.stage(&Line::Done { id: message_hex(id) })
    }

    fn stage(&mut self, line: &Line) -> Result<(), ProfileError> {
        let what = "a line cannot be written as JSON";
        serde_json::to_writer(&mut self.staged, line)
            .map_err(|_| ProfileError::Damaged { path: self.path.clone(), what })?;
        self.staged.push(b'\n');
        Ok(())
    }

    /// Makes everything so far durable.
    pub fn sync(&mut self) -> Result<(), ProfileError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.staged).and_then(|()| self.file.sync_data());
        let staged = std::mem::take(&mut self.staged);
        if let Err(error) = written {
            // Half a line must not stand before the next one.
            let _ = self.cut();
            return Err(files::io(&self.path, error));
        }
        self.length += staged.len() as u64;
        Ok(())
    }

    /// Whether rewriting is worth its price: nothing waits, or much of the log is dead.
    pub fn wants_rewriting(&self) -> bool {
        (self.waiting.is_empty() && self.dead_lines > 0) || self.dead_lines > DEAD_LINES_MAX
    }

    /// Writes the log anew: what waits and the highest number, nothing else. After a crash it is the old or the new.
    pub fn rewrite(&mut self) -> Result<(), ProfileError> {
        self.staged.clear();
        self.stage(&Line::Floor { number: self.highest })?;
        for index in 0..self.waiting.len() {
            let waiting = &self.waiting[index];
            let (id, number, failed) = (waiting.id, waiting.number, waiting.failed.clone());
            let put = self.put_line(waiting)?;
            self.stage(&put)?;
            if let Some(number) = number {
                self.stage(&Line::Number { id: message_hex(id), number })?;
            }
            if let Some(Refused { code, advice, .. }) = failed {
                self.stage(&Line::Failed { id: message_hex(id), code: code.into(), advice })?;
            }
        }
        let content = std::mem::take(&mut self.staged);
        files::write_whole(&self.path, &content)?;
        let file = OpenOptions::new().read(true).append(true).open(&self.path);
        self.file = file.map_err(|e| files::io(&self.path, e))?;
        self.length = content.len() as u64;
        self.dead_lines = 0;
        Ok(())
    }
}

/// What a sealed text is bound to.
fn bound(id: MessageId, conversation: ConversationId) -> [u8; 24] {
    let mut bound = [0; 24];
    bound[..16].copy_from_slice(&id.0);
    bound[16..].copy_from_slice(&conversation.value().to_be_bytes());
    bound
}

/// The same of its files.
fn bound_files(id: MessageId, conversation: ConversationId) -> Vec<u8> {
    [&bound(id, conversation)[..], b"files"].concat()
}

fn parse_id(hex: &str) -> Option<MessageId> {
    (hex.len() == 32)
        .then(|| u128::from_str_radix(hex, 16).ok())
        .flatten()
        .map(|id| MessageId(id.to_be_bytes()))
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
