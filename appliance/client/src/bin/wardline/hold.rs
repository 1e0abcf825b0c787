//! `wardline hold`: what must be kept for a court or an investigation.

use clap::Subcommand;
use serde_json::json;
use wardline_client::event::Person;
use wardline_client::holds::{Hold, HoldCalls as _, Subject, Whose};
use wardline_client::{Calls as _, ConversationId, HoldId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, find, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Keep what somebody wrote or could read, a patient's threads, or one conversation: nothing of it expires or can be destroyed.
    Place {
        /// What for, as whoever asked for it calls it: "Doe v. Mercy, 26-1180". At most 80 bytes.
        #[arg(required = true, num_args = 1..)]
        matter: Vec<String>,
        /// A patient, by record number: the threads of all stays.
        #[arg(long, value_name = "RECORD NUMBER", required_unless_present_any = ["person", "conversation"])]
        patient: Option<String>,
        /// A person: every conversation that they are in, were in, or come to be in.
        #[arg(long, conflicts_with = "patient")]
        person: Option<String>,
        /// One conversation, by its identifier.
        #[arg(long, conflicts_with_all = ["patient", "person"])]
        conversation: Option<String>,
    },
    /// It need not be kept any more: what is too old goes within minutes.
    Lift {
        /// What wardline hold place printed.
        hold: String,
        /// Why: it stays on record.
        #[arg(required = true, num_args = 1..)]
        grounds: Vec<String>,
    },
    /// What is kept, for what, since when. The look is recorded.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn hold(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::Place { matter, patient, person, conversation } => {
            let person = match person {
                Some(person) => Some(find::person(&access.people().await?, &person)?),
                None => None,
            };
            let whose = match (&patient, person, &conversation) {
                (Some(record), ..) => Whose::Record(record),
                (None, Some(person), _) => Whose::Person(person),
                (None, None, Some(conversation)) => {
                    let id = find::identifier(conversation).and_then(ConversationId::new);
                    Whose::Conversation(id.ok_or_else(|| {
                        Failure::Usage(format!("{conversation} names no conversation. Give its 16 digits."))
                    })?)
                }
                _ => {
                    let how = "Say what: --patient, --person or --conversation.".to_owned();
                    return Err(Failure::Usage(how));
                }
            };
            let (id, kept) = access.place_hold(whose, &matter.join(" ")).await?;
            say::line(&id.to_string())?;
            say::note(&format!("{} kept from now on. Nobody in them is told.", conversations(kept)));
            Ok(())
        }
        Act::Lift { hold, grounds } => {
            access.lift_hold(named(&hold)?, &grounds.join(" ")).await?;
            say::line("Lifted. What is too old goes within minutes, unless another hold keeps it.")
        }
        Act::List { json } => {
            let all = access.holds().await?;
            let people = access.people().await?;
            if all.is_empty() && !json {
                say::note("Nothing is under legal hold.");
            }
            all.iter().try_for_each(|one| if json { print(one) } else { show(one, &people) })
        }
    }
}

fn named(text: &str) -> Result<HoldId, Failure> {
    let id = find::identifier(text).and_then(HoldId::new);
    id.ok_or_else(|| Failure::Usage(format!("{text} names no legal hold. Give its 16 digits.")))
}

fn conversations(kept: u32) -> String {
    match kept {
        0 => "No conversation is".to_owned(),
        1 => "1 conversation is".to_owned(),
        many => format!("{many} conversations are"),
    }
}

fn show(one: &Hold, people: &[Person]) -> Result<(), Failure> {
    let subject = match &one.subject {
        Subject::Person(person) => find::name(people, *person),
        Subject::Patient(patient) => {
            let patient = &patient.particulars;
            format!(
                "patient {} ({})",
                say::clean_line(&patient.name),
                say::clean_line(&patient.record_number)
            )
        }
        Subject::Conversation(conversation) => format!("conversation {conversation}"),
    };
    say::line(&format!(
        "{}  {subject}: {} kept since {}, by {}",
        one.id,
        conversations(one.conversations),
        say::time(one.since),
        find::name(people, one.by)
    ))?;
    say::line(&format!("  {}", say::clean_line(&one.matter)))
}

fn print(one: &Hold) -> Result<(), Failure> {
    let (person, patient, conversation) = match &one.subject {
        Subject::Person(person) => (Some(person.to_string()), None, None),
        Subject::Patient(patient) => (None, Some(json::patient(patient)), None),
        Subject::Conversation(conversation) => (None, None, Some(conversation.to_string())),
    };
    json::print(&json!({
        "event": "legal_hold",
        "hold": one.id.to_string(),
        "person": person,
        "patient": patient,
        "conversation": conversation,
        "matter": one.matter,
        "since": one.since,
        "by": one.by.to_string(),
        "conversations": one.conversations,
    }))
}
