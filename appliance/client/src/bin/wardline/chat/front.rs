//! What is on the screen of the conversation in front, and what is unread elsewhere.

use wardline_client::event::{Accepted, Conversation, Message, Person};
use wardline_client::{Calls as _, ConversationId, Error, Sequence};

use super::Chat;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{members, say};

/// Messages shown when a conversation comes to the front, more when more are unread.
const SHOWN: u32 = 15;
/// Messages asked for at a time when paging back.
const PAGE: u32 = 100;
/// Most that are shown at once. Who has more unread reads the rest with `wardline history`; nothing of it is told as
/// read from here.
const SHOWN_MAX: usize = 1_000;

impl Chat {
    pub(super) async fn message(&mut self, message: &Message) {
        let in_front = self.front == Some(message.conversation);
        let own = message.sender == self.me && self.met.insert(message.id);
        if own && let Some(text) = self.sent.remove(&message.id) {
            let Message { id, conversation, sequence, at, .. } = *message;
            self.accepted_here(Accepted { message: id, conversation, sequence, at }, text);
        } else if in_front && message.sequence > self.newest {
            self.show(message);
        } else if !in_front && self.caught_up {
            let title = self.title(message.conversation);
            let (mark, name) = (say::priority(message.priority), self.name(message.sender));
            let head = format!("{} [{title}] {mark}{name}", say::time(message.at));
            self.terminal.print(&say::spoken(&head, &message.text));
        }
        // One's own from another device, or another command, needs no reading.
        if in_front || message.sender == self.me {
            self.mark(message.conversation, message.sequence).await;
        }
    }

    fn show(&mut self, message: &Message) {
        let (mark, name) = (say::priority(message.priority), self.name(message.sender));
        let head = format!("{} {mark}{name}", say::time(message.at));
        self.terminal.print(&say::spoken(&head, &message.text));
        self.newest = self.newest.max(message.sequence);
    }

    /// It is on the screen: told as read once all before it was.
    pub(super) async fn mark(&mut self, conversation: ConversationId, sequence: Sequence) {
        if let Some(upto) = self.seen.shown(conversation, sequence) {
            let _ = self.client.mark_read(conversation, upto).await;
        }
    }

    /// Brings a conversation to the front.
    pub(super) async fn with(&mut self, text: &str) {
        if let Err(failure) = self.bring(text).await {
            self.terminal.print(&format!("-- {failure}"));
        }
    }

    async fn bring(&mut self, text: &str) -> Result<(), Failure> {
        let people: Vec<Person> = self.people.values().cloned().collect();
        let conversations: Vec<Conversation> = self.conversations.values().cloned().collect();
        let conversation = match find::target(self.me, &people, &conversations, text)? {
            Target::Conversation(conversation) => conversation,
            Target::Person(person) if find::is_suspended(&people, person) => {
                let name = self.name(person);
                return Err(Failure::Usage(format!(
                    "{name} is suspended. wardline history shows what was written."
                )));
            }
            Target::Person(person) => match self.client.known_direct(person).await? {
                Some(conversation) => conversation,
                None => self.opened(self.client.open_direct(person).await?),
            },
        };
        self.put_in_front(conversation);
        let title = self.title(conversation);
        self.terminal.print(&format!("-- with {title}"));
        if let Err(error) = self.page_back(conversation, Sequence(0), SHOWN).await {
            self.terminal.print(&format!("-- earlier messages: {error}"));
        }
        Ok(())
    }

    pub(super) fn put_in_front(&mut self, conversation: ConversationId) {
        self.front = Some(conversation);
        self.newest = Sequence(0);
        self.mine.clear();
    }

    /// How a conversation looks now. Says who is new in it, and who has left.
    pub(super) fn opened(&mut self, conversation: Conversation) -> ConversationId {
        let id = conversation.id;
        self.seen.knows(&conversation);
        let title = self.title(id);
        if let Some(before) = self.conversations.insert(id, conversation)
            && let Some(now) = self.conversations.get(&id)
        {
            for line in members::changes(&before, now, &title, |person| self.name(person)) {
                self.terminal.print(&line);
            }
        }
        id
    }

    /// Shows what was not seen before `before`, and `least` messages at least, oldest first.
    async fn page_back(
        &mut self,
        conversation: ConversationId,
        before: Sequence,
        least: u32,
    ) -> Result<(), Error> {
        let mut messages: Vec<Message> = Vec::new();
        let (mut next, mut limit) = (before, least.clamp(1, PAGE));
        loop {
            let page = self.client.history(conversation, next, limit).await?;
            messages.extend(page.messages);
            let Some(oldest) = messages.last().map(|message| message.sequence) else { return Ok(()) };
            if page.end {
                self.seen.begins(conversation, oldest);
                break;
            }
            if oldest.0 <= self.seen.upto(conversation).0 + 1 {
                break;
            }
            if messages.len() >= SHOWN_MAX {
                let how = format!("wardline history --before {} shows earlier unread ones", oldest.0);
                self.terminal.print(&format!("-- {how}; until then nothing here is told as read."));
                break;
            }
            (next, limit) = (oldest, PAGE);
        }
        for message in messages.iter().rev() {
            if message.sequence > self.newest && !self.mine.contains(&message.sequence) {
                self.show(message);
            }
            self.mark(conversation, message.sequence).await;
        }
        Ok(())
    }

    /// A snapshot passed messages over. Those of the conversation in front are fetched before what comes behind them.
    pub(super) async fn gap(&mut self, conversation: ConversationId, to: Sequence) {
        if self.front != Some(conversation) {
            return;
        }
        if let Err(error) = self.page_back(conversation, Sequence(to.0 + 1), 1).await {
            let title = self.title(conversation);
            self.terminal.print(&format!("-- messages of {title} that came while you were away: {error}"));
        }
    }

    /// What waits to be read in the other conversations.
    pub(super) async fn list_unread(&mut self) {
        let Ok((conversations, _)) = self.client.known().await else { return };
        for conversation in conversations {
            self.opened(conversation);
        }
        let unread = |known: &Conversation| {
            let count = known.last.0.saturating_sub(self.seen.upto(known.id).0);
            (count > 0 && !known.purged && self.front != Some(known.id)).then_some((known.id, count))
        };
        let unread: Vec<_> = self.conversations.values().filter_map(unread).collect();
        if unread.is_empty() {
            return;
        }
        let unread: Vec<String> =
            unread.into_iter().map(|(id, count)| format!("{} ({count})", self.title(id))).collect();
        self.terminal.print(&format!("-- unread: {}. /with NAME shows them.", unread.join(", ")));
    }
}
