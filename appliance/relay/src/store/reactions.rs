//! Whom messages name, and what is put to them: what a batch comes to of it, and what is missed. See [`super::plan`].
//!
//! What is put to a message is one list in its row, and each write has all of it: so the last one of a batch counts. An edit, or a recall,
//! empties it, in whatever batch it comes.

use std::collections::BTreeMap;

use wardline_core::ids::{Change, ConversationId, Sequence};
use wardline_core::reaction::Reactions;
use wardline_core::write::Write;

use super::plan::Plan;
use super::rows::{Many, Script};

const REACTED: Many = Many {
    head: "WITH v (change, reactions, reacted) AS (VALUES ",
    columns: 3,
    tail: ") UPDATE message SET reactions = v.reactions, reacted = v.reacted FROM v WHERE message.change = v.change",
};

/// A purge leaves neither.
const PURGED: Many = Many {
    head: "UPDATE message INDEXED BY message_marked SET mentions = x'', reactions = x'' \
           WHERE (reacted > 0 OR mentions <> x'') AND conversation IN (VALUES ",
    columns: 1,
    tail: ")",
};

/// What was put behind the cursor to messages that the device has: where they are, and how large. A snapshot says nothing of it: its
/// messages have what was put to them, and of others whoever is given one knows nothing any more.
pub(super) const MISSED: &str = "SELECT group_concat(concat_ws(' ', change, conversation, size), ' ') FROM ( \
       SELECT message.change AS change, message.conversation AS conversation, length(message.body) AS size \
       FROM member AS mine CROSS JOIN conversation ON conversation.id = mine.conversation AND conversation.purged = 0 \
       CROSS JOIN message INDEXED BY message_marked ON message.conversation = mine.conversation \
       WHERE (?2 + 0) > 0 AND mine.person = (?1 + 0) AND mine.gone = 0 \
       AND message.reacted > 0 AND message.reacted > (?2 + 0) AND message.change <= (?2 + 0) \
       AND message.sequence >= mine.starts LIMIT (?3 + 0))";

/// What a batch comes to.
#[derive(Default)]
pub(super) struct ReactionPlan<'a>(BTreeMap<(ConversationId, Sequence), Reacted<'a>>);

struct Reacted<'a> {
    /// The change that brought the message.
    message: Change,
    /// None: they went with the text.
    reactions: Option<&'a Reactions>,
    reacted: Change,
}

impl<'a> ReactionPlan<'a> {
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::ReactionsSet { conversation, sequence, message, reactions } => {
                let reacted = Reacted { message: *message, reactions: Some(reactions), reacted: change };
                self.0.insert((*conversation, *sequence), reacted);
            }
            Write::MessageEdited { conversation, sequence, .. }
            | Write::MessageRecalled { conversation, sequence, .. } => {
                if let Some(reacted) = self.0.get_mut(&(*conversation, *sequence)) {
                    reacted.reactions = None;
                }
            }
            _ => {}
        }
    }
}

/// After all messages of the batch and what became of them, and ahead of every expiry.
pub(super) fn write(script: &mut Script<'_>, plan: &Plan<'_>) {
    let reacted: Vec<_> = plan.reactions.0.values().collect();
    script.many(&REACTED, &reacted, |reacted, row| {
        row.count(reacted.message.0);
        row.bytes(&reacted.reactions.map(Reactions::to_bytes).unwrap_or_default()).count(reacted.reacted.0);
    });
    let purged: Vec<ConversationId> = plan.purged.iter().copied().collect();
    script.many(&PURGED, &purged, |conversation, row| {
        row.count(conversation.value());
    });
}
