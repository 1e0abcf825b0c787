//! `wardline attachment`: what is attached to a message, and a copy of it on this machine; and `wardline admin attachments`: how large
//! files may be.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::attachments::{AttachmentCalls as _, Policy, Sort};
use wardline_client::event::{Attachment, Message};
use wardline_client::{Calls, ConversationId, Sequence};

use crate::access::Access;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// What is attached to a message.
    List {
        /// The person or conversation that it was sent to.
        to: String,
        /// Its number there: history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Save what is attached to a message on this machine. It leaves the box: keep it where patients' data may be.
    Save {
        /// The person or conversation that it was sent to.
        to: String,
        /// Its number there: history shows it.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
        /// Which of several, from 1.
        #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        which: u32,
        /// Where to: a file that is not there yet. By default the file's own name, in this directory.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Say what became of it as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// How large files may be.
#[derive(Args)]
pub(crate) struct Sizes {
    /// The largest photo: 10M, 500K, or none.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    photo: Option<u64>,
    /// The largest PDF.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    document: Option<u64>,
    /// The largest audio note.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    audio: Option<u64>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn attachment(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| match act {
        Act::List { to, number, json } => {
            let message = message(access, &to, Sequence(number)).await?;
            for (at, file) in message.attachments.iter().enumerate() {
                if json { json::print(&shown(at, file))? } else { say::line(&line(at, file))? }
            }
            if message.attachments.is_empty() {
                say::note(&format!("Nothing is attached to #{number}."));
            }
            Ok(())
        }
        Act::Save { to, number, which, out, json } => {
            let message = message(access, &to, Sequence(number)).await?;
            save(access, &message, which, out, json).await
        }
    })
    .await
}

async fn save(
    access: &Access,
    message: &Message,
    which: u32,
    out: Option<PathBuf>,
    as_json: bool,
) -> Result<(), Failure> {
    let at = which as usize - 1;
    let number = message.sequence.0;
    let file = message.attachments.get(at).ok_or_else(|| {
        let many = message.attachments.len();
        Failure::Usage(format!("#{number} has {many} attachments; wardline attachment list shows them."))
    })?;
    let Access::Own(client) = access else { return Err(elsewhere("saved")) };
    let out = out.unwrap_or_else(|| PathBuf::from(plain(&file.name)));
    let place: (ConversationId, Sequence) = (message.conversation, message.sequence);
    let waiting = format!("Fetching {} …", size(file.length));
    say::patiently(&waiting, client.fetch(place, which - 1, file, &out, |_, _| {})).await?;
    if as_json {
        let path = out.display().to_string();
        return json::print(&json!({ "event": "saved", "path": path, "bytes": file.length }));
    }
    say::line(&format!("Saved {} as {}.", size(file.length), say::clean_line(&out.display().to_string())))
}

/// Files pass by the connection itself, which another program has.
pub(crate) fn elsewhere(what: &str) -> Failure {
    Failure::Usage(format!(
        "This profile is open in another wardline program, and a file is {what} by the one that has it. Close that one first."
    ))
}

async fn message(access: &Access, to: &str, number: Sequence) -> Result<Message, Failure> {
    let (people, conversations) = access.look().await?;
    let me = access.identity().person;
    let place = match find::target(me, &people, &conversations, to)? {
        Target::Conversation(conversation) => conversation,
        Target::Person(person) => find::direct(me, &conversations, person).ok_or_else(|| {
            Failure::Usage(format!("There is no conversation with {}.", find::name(&people, person)))
        })?,
    };
    let page = access.history(place, number.next(), 1).await?;
    let found = page.messages.into_iter().find(|message| message.sequence == number);
    found.ok_or_else(|| {
        Failure::Refused(format!("There is no message #{} there. See wardline history.", number.0))
    })
}

/// A name that somebody gave, as one of a file in this directory.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_control() || say::turns(c) || matches!(c, '/' | '\\') { '_' } else { c };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim().trim_start_matches('.');
    if name.is_empty() { "attachment".to_owned() } else { name.to_owned() }
}

fn sort(file: &Attachment) -> &'static str {
    match file.media.map(|media| media.sort()) {
        Some(Sort::Photo) => "photo",
        Some(Sort::Document) => "PDF",
        Some(Sort::Audio) => "audio note",
        None => "file",
    }
}

/// One attachment, from 0, in words.
pub(crate) fn line(at: usize, file: &Attachment) -> String {
    format!("[{}] {}, {}, {}", at + 1, say::clean_line(&file.name), sort(file), size(file.length))
}

pub(crate) fn shown(at: usize, file: &Attachment) -> serde_json::Value {
    let sha256: String = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "event": "attachment",
        "which": at + 1,
        "name": file.name,
        "type": file.media.map(|media| media.mime()),
        "bytes": file.length,
        "sha256": sha256,
        "thumbnail": file.thumbnail,
    })
}

/// Bytes in words.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} kB", bytes.div_ceil(1_024)),
        _ => format!("{}.{} MB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20),
    }
}

/// "10M", "500K" or "none", in bytes.
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no size. Write 10M, 500K, or none.");
    if text == "none" {
        return Ok(0);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

pub(crate) async fn sizes(door: &impl Calls, wanted: Sizes) -> Result<(), Failure> {
    let now = door.attachment_policy().await?;
    let Sizes { photo, document, audio, json: as_json } = wanted;
    let mut policy = now;
    if photo.or(document).or(audio).is_some() {
        policy = Policy {
            photo: photo.unwrap_or(now.photo),
            document: document.unwrap_or(now.document),
            audio: audio.unwrap_or(now.audio),
            standard: false,
        };
        door.set_attachment_policy(policy).await?;
    }
    let Policy { photo, document, audio, standard } = policy;
    if as_json {
        let sizes = json!({ "photo": photo, "document": document, "audio": audio });
        return json::print(&json!({ "event": "attachments", "bytes": sizes, "standard": standard }));
    }
    for (what, largest) in [("Photos", photo), ("PDF", document), ("Audio notes", audio)] {
        let largest = if largest == 0 { "not taken".to_owned() } else { format!("up to {}", size(largest)) };
        say::line(&format!("{what:14}{largest}"))?;
    }
    if standard {
        say::note("Nobody has set it: it is as every box begins.");
    }
    Ok(())
}

/// The files of `wardline send --attach`, looked at before anything else is done.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<wardline_client::attachments::FileToSend>, Failure> {
    let most = wardline_core::limits::ATTACHMENTS_OF_MESSAGE_MAX;
    if paths.len() > most {
        return Err(Failure::Usage(format!(
            "A message takes at most {most} files. Send the others with another."
        )));
    }
    let open = |path: &PathBuf| {
        wardline_client::attachments::FileToSend::open(Path::new(path)).map_err(Failure::from)
    };
    paths.iter().map(open).collect()
}
