//! `wardline export`: a patient's or a person's record, for whoever may ask for it; and whether one is what was exported.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::Calls as _;
use wardline_client::export::{Count, Exported, Progress, Seal, Verified, Whose, verify};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// A patient's record: their threads and their family's, of every stay, with what is attached.
    Patient {
        /// Their record number; that of a merged record too.
        record_number: String,
        #[command(flatten)]
        how: How,
    },
    /// A person's record: the conversations that they are in, and what they wrote in those that they have left. Patients are numbered in it.
    Person {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
        #[command(flatten)]
        how: How,
    },
    /// Whether an export is what was exported: counts and hashes, and what was altered, is missing or was added. Needs no box.
    Verify {
        /// Where it lies.
        directory: PathBuf,
        /// What was printed when it was exported: whoever changed everything could not change that.
        #[arg(long, value_name = "SHA256", value_parser = seal)]
        seal: Option<Seal>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct How {
    /// Why, in 10 characters or more: it stays on record.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// A directory that is not there yet. Give the record away only as whole as it is: every byte in it is somebody's health.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn seal(text: &str) -> Result<Seal, String> {
    text.parse().map_err(|()| "A seal is 64 hexadecimal digits, as wardline export printed it.".to_owned())
}

pub(crate) async fn export(common: &Common, act: Act) -> Result<(), Failure> {
    match act {
        Act::Verify { directory, seal, json } => look(&directory, seal, json),
        Act::Patient { record_number, how } => {
            Access::during(common, async |access| write(access, Whose::Record(&record_number), &how).await)
                .await
        }
        Act::Person { person, how } => {
            Access::during(common, async |access| {
                let person = find::person(&access.people().await?, &person)?;
                write(access, Whose::Person(person), &how).await
            })
            .await
        }
    }
}

async fn write(access: &Access, whose: Whose<'_>, how: &How) -> Result<(), Failure> {
    let Access::Own(client) = access else { return Err(crate::attachment::elsewhere("exported")) };
    let watched = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let told = |progress: Progress| {
        if watched {
            show(progress);
        }
    };
    let exported = client.export(whose, &how.reason, &how.out, told).await;
    if watched {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let Exported { directory, count, seal } = exported?;
    if how.json {
        return json::print(&json!({
            "event": "exported",
            "path": directory.display().to_string(),
            "count": count,
            "seal": seal.to_string(),
        }));
    }
    say::line(&format!(
        "Exported {} to {}.",
        words(&count),
        say::clean_line(&directory.display().to_string())
    ))?;
    say::line(&format!("seal  {seal}"))?;
    warn(&count);
    say::note(
        "The box has recorded the seal. To read: record.html. Read it before you give it away: wardline hides names, not hints.",
    );
    Ok(())
}

/// One line that is written over, for whoever waits at a terminal.
fn show(progress: Progress) {
    let Progress { places, of, messages, files } = progress;
    let line = format!("\r\x1b[K{places} of {of} conversations, {messages} messages, {files} files …");
    let mut to = std::io::stderr();
    let _ = to.write_all(line.as_bytes()).and_then(|()| to.flush());
}

/// "214 messages and 3 files, with 2 STATs and 1 task (names hidden in 2 places)".
fn words(count: &Count) -> String {
    let told = |number: u64, one: &str, many: &str| {
        say::count(usize::try_from(number).unwrap_or(usize::MAX), one, many)
    };
    let mut words =
        format!("{} and {}", told(count.messages, "message", "messages"), told(count.files, "file", "files"));
    let became =
        [(count.stats, "STAT", "STATs"), (count.orders, "order", "orders"), (count.tasks, "task", "tasks")];
    let became: Vec<String> = became
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| told(number, one, many))
        .collect();
    match &became[..] {
        [] => {}
        [one] => words.push_str(&format!(", with {one}")),
        [more @ .., last] => words.push_str(&format!(", with {} and {last}", more.join(", "))),
    }
    if count.names_hidden > 0 {
        words.push_str(&format!(" (names hidden in {} places)", count.names_hidden));
    }
    words
}

/// What whoever gives the record away ought to know of what was signed in it.
fn warn(count: &Count) {
    if count.unverified > 0 {
        let signatures = usize::try_from(count.unverified).unwrap_or(usize::MAX);
        let signatures = say::count(signatures, "signature does", "signatures do");
        say::note(&format!(
            "WARNING: {signatures} not verify, and the record says where. Tell whoever is in charge of the box before you give it away."
        ));
    }
}

fn look(directory: &Path, seal: Option<Seal>, as_json: bool) -> Result<(), Failure> {
    let Verified { faults, count, seal: found } = verify(directory, seal)?;
    if as_json {
        json::print(&json!({
            "event": "verified",
            "whole": faults.is_empty(),
            "count": count,
            "seal": found.map(|seal| seal.to_string()),
            "faults": faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))?;
    } else {
        faults.iter().try_for_each(|fault| say::line(&say::clean_line(&fault.to_string())))?;
    }
    if !faults.is_empty() {
        return Err(Failure::Machine("This is not what was exported.".to_owned()));
    }
    if !as_json {
        say::line(&format!("Whole: {}, {} lines.", words(&count), count.lines))?;
        warn(&count);
        if seal.is_none()
            && let Some(found) = found
        {
            say::line(&format!("seal  {found}"))?;
            say::note(
                "Compare the seal with the one that was printed at the export: wardline export verify DIR --seal SHA256",
            );
        }
    }
    Ok(())
}
