//! What moved in a patient's thread, in words.

use serde_json::{Value, json};
use wardline_client::event::Message;
use wardline_client::notice::{self, Notice};
use wardline_client::{Page, PersonId, UnitId};

use crate::say;

/// What stands in a thread.
pub(crate) enum Said<'a> {
    Message(&'a Message),
    Notice(&'a Notice),
}

/// A page, oldest first, each notice behind the message that it stands behind.
pub(crate) fn in_order(page: &Page) -> Vec<Said<'_>> {
    let mut notices = page.notices.iter().rev().peekable();
    let mut said = Vec::new();
    for message in page.messages.iter().rev() {
        while let Some(notice) = notices.next_if(|notice| notice.after < message.sequence) {
            said.push(Said::Notice(notice));
        }
        said.push(Said::Message(message));
    }
    said.extend(notices.map(Said::Notice));
    said
}

/// One line.
pub(crate) fn line(
    notice: &Notice,
    person: impl Fn(PersonId) -> String,
    unit: impl Fn(UnitId) -> String,
) -> String {
    let words = notice::words(notice, person, unit, |at| say::time(at.0));
    say::clean_line(&format!("-- {} {words}", say::time(notice.at.0)))
}

pub(crate) fn json(notice: &Notice) -> Value {
    let parts = notice.told.parts();
    json!({
        "event": "notice",
        "conversation": notice.conversation.to_string(),
        "number": notice.number,
        "after": notice.after.0,
        "at": notice.at.0,
        "notice": notice::name(&notice.told),
        "by": notice.by.map(|by| by.to_string()),
        "person": parts.person.map(|person| person.to_string()),
        "reason": notice::reason(&notice.told),
        "unit": parts.unit.map(|unit| unit.to_string()),
        "bed": parts.bed.as_ref().map(|bed| bed.reveal()),
        "until": parts.until.map(|until| until.0),
    })
}
