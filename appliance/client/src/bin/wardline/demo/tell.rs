//! What the demo prints: one line an event, for people or as JSON.

use std::time::Duration;

use jiff::ZonedDateTime;
use serde_json::{Value, json};

use crate::demo::cast::Who;
use crate::exit::Failure;
use crate::{json, say};

/// Between two events, so that they can be read.
const PAUSE: Duration = Duration::from_millis(900);

/// Prints, and leaves time to read.
pub(super) struct Teller {
    pub(super) json: bool,
    /// How much faster than one reads.
    pub(super) speed: f64,
}

impl Teller {
    /// Something happened: `what` is a word that stays, for scripts.
    pub(super) async fn tell(&self, what: &str, who: Option<Who>, text: &str) -> Result<(), Failure> {
        self.tell_more(what, who, text, Value::Null).await
    }

    /// With further keys.
    pub(super) async fn tell_more(
        &self,
        what: &str,
        who: Option<Who>,
        text: &str,
        more: Value,
    ) -> Result<(), Failure> {
        if self.json {
            let mut value = json!({ "event": "demo", "what": what, "who": who.map(Who::name), "text": text });
            for (key, more) in more.as_object().into_iter().flatten() {
                value[key] = more.clone();
            }
            json::print(&value)?;
        } else {
            let head = format!("{}  ", ZonedDateTime::now().strftime("%H:%M:%S"));
            say::told(&say::clean_line(&format!("{head}{text}")))?;
        }
        tokio::time::sleep(PAUSE.div_f64(self.speed)).await;
        Ok(())
    }
}
