//! `wardline edit` and `wardline recall`: what one said, afterwards.

use wardline_client::{Calls as _, ConversationId, Sequence};

use crate::access::{Access, Parting};
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, say, send};

pub(crate) struct Wish {
    /// None: recall it.
    pub(crate) text: Option<String>,
    pub(crate) json: bool,
}

pub(crate) async fn alter(
    common: &Common,
    to: &str,
    number: Sequence,
    Wish { text, json }: Wish,
) -> Result<(), Failure> {
    let text = match text.as_deref() {
        Some("-") => Some(send::from_standard_input()?),
        _ => text,
    };
    let access = Access::open(common).await?;
    let altered = async {
        access.contact(common).await?;
        let place = place(&access, to).await?;
        let (what, said) = match text {
            Some(text) => {
                edit(&access, place, number, &text).await?;
                ("edited", format!("Edited #{}.", number.0))
            }
            None => {
                access.recall_message(place, number).await?;
                ("recalled", format!("Recalled #{}.", number.0))
            }
        };
        if json { json::print(&json::altered(what, place, number)) } else { say::line(&said) }
    };
    let altered = altered.await;
    access.leave(Parting::default()).await;
    altered
}

pub(crate) async fn place(access: &Access, to: &str) -> Result<ConversationId, Failure> {
    let (people, conversations) = access.look().await?;
    match find::target(access.identity().person, &people, &conversations, to)? {
        Target::Conversation(conversation) => Ok(conversation),
        Target::Person(person) => {
            find::direct(access.identity().person, &conversations, person).ok_or_else(|| {
                Failure::Usage(format!("There is no conversation with {}.", find::name(&people, person)))
            })
        }
    }
}

/// Edits the message as it stands now.
pub(crate) async fn edit(
    calls: &impl wardline_client::Calls,
    place: ConversationId,
    number: Sequence,
    text: &str,
) -> Result<(), Failure> {
    let page = calls.history(place, number.next(), 1).await?;
    let edits = page.messages.first().filter(|found| found.sequence == number).map(|found| found.edits);
    // One that is not there is the box's to refuse.
    Ok(calls.edit_message(place, number, edits.unwrap_or_default() + 1, text).await?)
}
