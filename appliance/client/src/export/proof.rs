//! Whether the lines of a record are as many as its manifest says, and prove what they say: each signature is verified again, over what stands in
//! the file. Whoever rewrote lines, their hashes and the manifest cannot sign.
//!
//! It is put together again from the line's own fields what its device signed, and held against the bytes that stand there. That a key is that
//! device's, and a device that person's, is the box's word.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::ids::{ConversationId, DeviceId, MessageId, PersonId, Sequence};
use wardline_core::order::signed::{Deed, SignedDeed, Words};
use wardline_core::text::{Name, Title};
use wardline_core::time::Wall;
use wardline_core::veil::MASK;

use super::record::{Count, hex, sha256, time};
use super::verify::Fault;
use super::{acts, unwritable};
use crate::error::Error;
use crate::orders;
use crate::signed::{self, CallNote, Said, SignedAnswer};

/// What is wrong with the lines of this file, which are those that were written.
pub(super) fn faults(record: &Path, manifest: &Count) -> Result<Vec<Fault>, Error> {
    let wrong = |error: std::io::Error| unwritable(record, &error);
    let mut lines = BufReader::new(File::open(record).map_err(wrong)?);
    let (mut reading, mut line, mut number) = (Reading::default(), Vec::new(), 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(wrong)? == 0 {
            break;
        }
        number += 1;
        match serde_json::from_slice::<Value>(&line) {
            Ok(value) => reading.line(number, &value),
            Err(_) => reading.faults.push(Fault::Unproven(number)),
        }
    }
    reading.counts(manifest);
    Ok(reading.faults)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    faults: Vec<Fault>,
    count: Count,
    facility: Option<[u8; 32]>,
    /// The message that the next lines are about.
    message: Option<Words>,
    /// Read-backs that were signed and have not come yet: what they say, and the line that says so.
    wanted: BTreeMap<[u8; 16], ([u8; 32], u64)>,
}

impl Reading {
    fn line(&mut self, number: u64, line: &Value) {
        let of = match line["record"].as_str() {
            Some("header") => {
                self.facility = bytes(&line["facility_sha256"]);
                return;
            }
            Some("conversation") => {
                self.wanted.clear();
                &mut self.count.conversations
            }
            Some("message") => {
                self.said(line);
                &mut self.count.messages
            }
            Some("notice") => &mut self.count.notices,
            Some("stat") => &mut self.count.stats,
            Some("order") => &mut self.count.orders,
            Some("task") => &mut self.count.tasks,
            Some(kind @ ("stat_answer" | "order_signed")) => {
                let is_answer = kind == "stat_answer";
                let proven = if is_answer { self.answer(line) } else { self.deed(number, line) };
                if proven.is_none() {
                    self.faults.push(Fault::Unproven(number));
                }
                self.count.unverified += u64::from(line["verified"] == false);
                &mut self.count.signed
            }
            // Of a later version.
            _ => return,
        };
        *of += 1;
    }

    /// A message: whether it is what somebody signed a while ago.
    fn said(&mut self, line: &Value) {
        let name = bytes::<16>(&line["message"]);
        let text = line["text"].as_str().map(|text| sha256(text.as_bytes()));
        self.message = name.zip(text).map(|(name, text)| Words { message: MessageId(name), text });
        let wanted = name.and_then(|name| self.wanted.remove(&name));
        // A name that the box has learned between the two pages is hidden in this one alone.
        let is_whole = line["text"].as_str().is_none_or(|text| !text.contains(MASK));
        if let Some((should, signed)) = wanted
            && text != Some(should)
            && is_whole
        {
            self.faults.push(Fault::Unproven(signed));
        }
    }

    /// Nothing: it is not so.
    fn answer(&self, line: &Value) -> Option<()> {
        if is_hidden(line)? {
            return Some(());
        }
        let facility = self.facility.as_ref()?;
        let answer = SignedAnswer {
            id: place(line)?,
            person: id(&line["by"]["person"], PersonId::new)?,
            device: id(&line["device"], DeviceId::new)?,
            key: PublicKey::parse(&bytes::<65>(&line["device_key"])?)?,
            said: said(line)?,
            at: at(line)?,
            taken: Wall(0),
            signature: bytes(&line["signature"])?,
        };
        let same = line["signed"].as_str()? == hex(&signed::statement(&answer, facility));
        let verified = signed::is_verified_in(&answer, facility);
        (same && line["verified"] == verified).then_some(())
    }

    fn deed(&mut self, number: u64, line: &Value) -> Option<()> {
        if is_hidden(line)? {
            return Some(());
        }
        let facility = self.facility.as_ref()?;
        let sequence = |value: &Value| match value {
            Value::Null => Some(Sequence::NONE),
            some => some.as_u64().map(Sequence),
        };
        let words = match (&line["message"], &line["text_sha256"]) {
            (Value::Null, Value::Null) => None,
            (message, text) => Some(Words { message: MessageId(bytes(message)?), text: bytes(text)? }),
        };
        let to = match &line["to"] {
            Value::Null => None,
            some => Some(id(&some["person"], PersonId::new)?),
        };
        let deed = acts::deed_of(line["said"].as_str()?)?;
        let deed = SignedDeed {
            id: place(line)?,
            person: id(&line["by"]["person"], PersonId::new)?,
            device: id(&line["device"], DeviceId::new)?,
            key: PublicKey::parse(&bytes::<65>(&line["device_key"])?)?,
            deed: Deed::from_parts(deed, sequence(&line["of"])?, sequence(&line["read_back"])?, to)?,
            words,
            said: None,
            at: at(line)?,
            taken: Wall(0),
            signature: bytes(&line["signature"])?,
        };
        let same = line["signed"].as_str()? == hex(&orders::statement(&deed, facility));
        let own = self.message.filter(|own| words.is_some_and(|words| words.message == own.message));
        let verified = orders::is_verified_in(&deed, facility, own);
        if let Some(words) = words.filter(|_| own.is_none()) {
            // A read-back, which comes later; in what somebody wrote alone it does not.
            self.wanted.insert(words.message.0, (words.text, number));
        }
        (same && line["verified"] == verified).then_some(())
    }

    /// Holds what was counted against what the manifest says.
    fn counts(&mut self, manifest: &Count) {
        let (are, should) = (&self.count, manifest);
        let counted = [
            ("conversations", are.conversations, should.conversations),
            ("messages", are.messages, should.messages),
            ("notices", are.notices, should.notices),
            ("STATs", are.stats, should.stats),
            ("orders", are.orders, should.orders),
            ("tasks", are.tasks, should.tasks),
            ("signed answers and orders", are.signed, should.signed),
            ("wrong signatures", are.unverified, should.unverified),
        ];
        let other = counted.into_iter().filter(|(_, are, should)| are != should);
        self.faults.extend(other.map(|(what, are, should)| Fault::Count(what, are, should)));
    }
}

/// Whether a name is hidden in it: then nothing of a signature stands there, and nothing was verified.
fn is_hidden(line: &Value) -> Option<bool> {
    let hidden = line["hidden"].as_bool()?;
    let nothing = ["signed", "signature", "verified"].iter().all(|field| line[field].is_null());
    (hidden == nothing).then_some(hidden)
}

/// As many bytes in hexadecimal.
fn bytes<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let text = value.as_str().filter(|text| text.len() == 2 * N && text.is_ascii())?;
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn id<T>(value: &Value, of: impl Fn(u64) -> Option<T>) -> Option<T> {
    of(u64::from_be_bytes(bytes(value)?))
}

fn place(line: &Value) -> Option<StatId> {
    let conversation = id(&line["conversation"], ConversationId::new)?;
    Some(StatId { conversation, sequence: Sequence(line["sequence"].as_u64()?) })
}

/// What the device's clock showed: the number is signed, and the time is what it says.
fn at(line: &Value) -> Option<Wall> {
    let at = line["at_ms"].as_i64()?;
    (line["at"] == time(at)).then_some(Wall(at))
}

fn said(line: &Value) -> Option<Said> {
    match line["said"].as_str()? {
        "accept" => Some(Said::Accept),
        "decline" => acts::reason_of(line["reason"].as_str()?).map(Said::Decline),
        "call_note" => {
            let reached = match &line["reached"] {
                Value::Null => None,
                some => Some(id(&some["person"], PersonId::new)?),
            };
            let role = line["reached_as"].as_str().map(Title::kept).transpose().ok()?;
            let name = line["reached_name"].as_str().map(Name::kept).transpose().ok()?;
            let called = line["called"].as_str()?.parse::<Timestamp>().ok()?;
            let called = Wall(called.as_millisecond());
            Some(Said::Note(CallNote {
                reached,
                role,
                name,
                called,
                read_back: line["read_back"].as_bool()?,
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
