//! `wardline stat note` and `wardline stat answers`: what devices sign about a STAT.

use clap::Args;
use serde_json::{Value, json};
use wardline_client::signed::{CallNote, Said, SignedAnswer, is_verified};
use wardline_client::stat::{Reason, StatAnswers, StatRef};
use wardline_client::{Calls as _, PersonId, StatCalls as _};
use wardline_core::refusal::Refusal;
use wardline_core::text::{Name, Title};
use wardline_core::time::Wall;

use crate::access::Access;
use crate::exit::Failure;
use crate::{find, json, say, until};

#[derive(Args)]
#[group(skip)]
pub(crate) struct Note {
    /// Which.
    pub(crate) stat: String,
    /// Who was reached, if they are in the directory.
    #[arg(long, value_name = "PERSON", conflicts_with = "name", required_unless_present_any = ["name", "role"])]
    reached: Option<String>,
    /// Who was reached, if they are not.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// As what they were reached, in words: "cardiologist on call".
    #[arg(long, value_name = "WORDS")]
    role: Option<String>,
    /// When the clock here showed it last, as in 02:14; left out: now.
    #[arg(long, value_name = "HH:MM")]
    at: Option<String>,
    /// They repeated what they were told.
    #[arg(long)]
    read_back: bool,
}

impl Note {
    pub(crate) async fn read(&self, access: &Access) -> Result<CallNote, Failure> {
        let wrong = |refusal: Refusal| Failure::Usage(refusal.to_string());
        let reached = match &self.reached {
            Some(who) => Some(find::person(&access.people().await?, who)?),
            None => None,
        };
        Ok(CallNote {
            reached,
            role: self.role.as_deref().map(Title::parse).transpose().map_err(wrong)?,
            name: self.name.as_deref().map(Name::parse).transpose().map_err(wrong)?,
            called: Wall(self.at.as_deref().map_or_else(|| Ok(say::now()), until::last_here)?),
            read_back: self.read_back,
        })
    }
}

/// "reached Keiko, physician on call, at 02:14, read back".
pub(crate) fn words(note: &CallNote, who: impl Fn(PersonId) -> String) -> String {
    let whom = match (note.reached, &note.name) {
        (Some(reached), _) => Some(who(reached)),
        (None, Some(name)) => Some(format!("{}, not in the directory", say::clean_line(name.reveal()))),
        (None, None) => None,
    };
    let role = note.role.as_ref().map(|role| say::clean_line(role.reveal()));
    let whom = [whom, role].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let read_back = if note.read_back { "read back" } else { "not read back" };
    format!("reached {whom}, at {}, {read_back}", say::time(note.called.0))
}

pub(crate) fn note_json(note: &CallNote) -> Value {
    json!({
        "reached": note.reached.map(|reached| reached.to_string()),
        "role": note.role.as_ref().map(|role| role.reveal()),
        "name": note.name.as_ref().map(|name| name.reveal()),
        "called": note.called.0,
        "read_back": note.read_back,
    })
}

pub(crate) async fn show(access: &Access, stat: StatRef, as_json: bool) -> Result<(), Failure> {
    let StatAnswers { signed: answers, stands } = access.stat_answers(stat).await?;
    let people = access.people().await?;
    let root = &access.identity().root;
    if let Some(stands) = &stands {
        if as_json {
            json::print(&json::escalation(stands))?;
        } else {
            say::line(&format!(
                "{} since {}",
                crate::stat::stands_line(stands, |id| find::name(&people, id)),
                say::time(stands.since)
            ))?;
        }
    }
    if answers.is_empty() && !as_json {
        return say::line("Nobody has answered it, or what was said needs no signature.");
    }
    for answer in &answers {
        let verified = is_verified(answer, root);
        if as_json {
            json::print(&answer_json(answer, verified))?;
            continue;
        }
        let name = |id| find::name(&people, id);
        let signed = if verified {
            format!("Signed by their device {}, verified.", answer.device)
        } else {
            format!("NOT VERIFIED: this is not what their device {} signed.", answer.device)
        };
        let said = match &answer.said {
            Said::Accept => "has it".to_owned(),
            Said::Decline(reason) => format!("cannot: {}", why(*reason)),
            Said::Note(note) => format!("call note: {}", words(note, name)),
        };
        say::line(&format!("{} {}: {said}. {signed}", say::time(answer.at.0), name(answer.person)))?;
    }
    Ok(())
}

fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Busy => "busy",
        Reason::NotMine => "not theirs to answer",
        Reason::OffDuty => "not on duty",
        _ => "no reason chosen",
    }
}

fn answer_json(answer: &SignedAnswer, verified: bool) -> Value {
    let (said, note) = match &answer.said {
        Said::Accept => ("accept", Value::Null),
        Said::Decline(reason) => ("decline", json!(why(*reason))),
        Said::Note(note) => ("call_note", note_json(note)),
    };
    json!({
        "event": "signed_answer",
        "person": answer.person.to_string(),
        "device": answer.device.to_string(),
        "said": said,
        "of": note,
        "at": answer.at.0,
        "taken": answer.taken.0,
        "verified": verified,
    })
}
