//! What is on the screen of the conversation in front, and what is unread elsewhere.

use wardline_client::beside::Reacted;
use wardline_client::event::{Accepted, Conversation, Message, Person};
use wardline_client::notice::Notice;
use wardline_client::orders::{OrderCalls as _, Whose};
use wardline_client::{Calls as _, ConversationId, Error, Page, Sequence};

use super::Chat;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::notice::{self, Said};
use crate::{family, members, order, react, role, say};

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
            self.print_message(&head, message);
        }
        // One's own from another device, or another command, needs no reading.
        if in_front || message.sender == self.me {
            self.mark(message.conversation, message.sequence).await;
        }
    }

    /// In the thread in front it is shown; elsewhere it waits to be looked at there.
    pub(super) async fn notice(&mut self, told: &Notice) {
        if self.front == Some(told.conversation) && told.number > self.noticed {
            self.know_units(told).await;
            self.show_notice(told);
        }
    }

    /// The names of units, when one is spoken of that is not known here.
    async fn know_units(&mut self, told: &Notice) {
        let unit = told.told.parts().unit;
        if unit.is_some_and(|unit| !self.units.contains_key(&unit)) {
            let units = self.client.units().await.unwrap_or_default();
            self.units.extend(units.into_iter().map(|unit| (unit.id, unit)));
        }
    }

    fn show_notice(&mut self, told: &Notice) {
        let unit = |id| {
            let known = self.units.get(&id);
            known.map_or_else(|| format!("(unit {id})"), |unit| say::clean_line(&unit.name))
        };
        let line = notice::line(told, |id| self.name(id), unit);
        self.terminal.print(&line);
        self.noticed = self.noticed.max(told.number);
    }

    fn show(&mut self, message: &Message) {
        let (mark, name) = (say::priority(message.priority), self.name(message.sender));
        let head = format!("#{} {} {mark}{name}", message.sequence.0, say::time(message.at));
        self.print_message(&head, message);
        self.newest = self.newest.max(message.sequence);
    }

    fn print_message(&mut self, head: &str, message: &Message) {
        if message.recalled_at.is_some() {
            self.recalled.insert((message.conversation, message.sequence));
        }
        let answered = message.reply_to.map(|to| (message.conversation, to));
        let is_gone = answered.is_some_and(|answered| self.recalled.contains(&answered));
        self.terminal.print(&say::message(head, message, is_gone, self.me));
        if !message.reactions.is_empty() {
            let line = react::line("", &message.reactions, self.me, |id| self.name(id));
            self.terminal.print(&line);
        }
    }

    /// Of the conversation in front, and of one's own elsewhere.
    pub(super) fn reactions(&mut self, place: (ConversationId, Sequence), reactions: &[Reacted]) {
        let (conversation, sequence) = place;
        let in_front = self.front == Some(conversation);
        if !in_front && !self.own.contains_key(&place) {
            return;
        }
        let title = if in_front { String::new() } else { format!("[{}] ", self.title(conversation)) };
        let of = format!("#{} {title}", sequence.0);
        let line = react::line(&of, reactions, self.me, |id| self.name(id));
        self.terminal.print(&line);
    }

    /// What was on the screen is not what it was. It cannot be taken off a terminal; what stands there from now on is said.
    pub(super) fn changed(&mut self, message: &Message) {
        let place = (message.conversation, message.sequence);
        if message.recalled_at.is_some() {
            self.recalled.insert(place);
            self.own.remove(&place);
        } else if let Some(own) = self.own.get_mut(&place) {
            *own = super::typed::shortened(&message.text);
        }
        let elsewhere = self.front != Some(message.conversation);
        let head = if elsewhere { format!("[{}] ", self.title(message.conversation)) } else { String::new() };
        let name = self.name(message.sender);
        self.terminal.print(&say::changed(&head, &name, message));
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
        let of_team = self.people.get(&self.me).is_none_or(|me| !me.visitor);
        let readers = self.conversations.get(&conversation).filter(|_| of_team).and_then(family::readers);
        if let Some(readers) = readers {
            self.terminal.print(&format!("-- FAMILY READS THIS: {readers}"));
        }
        let place = self.conversations.get(&conversation).cloned();
        if let Some(place) = place.filter(|place| place.writer == Some(self.me) && !place.archived)
            && let Some(readers) = role::who_reads(&self.client, &place, &people).await?
        {
            self.terminal.print(&format!("-- {readers}"));
        }
        if let Err(error) = self.page_back(conversation, Sequence(0), SHOWN).await {
            self.terminal.print(&format!("-- earlier messages: {error}"));
        }
        Ok(())
    }

    pub(super) fn put_in_front(&mut self, conversation: ConversationId) {
        self.front = Some(conversation);
        self.newest = Sequence(0);
        self.noticed = 0;
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
        let mut whole =
            Page { messages: Vec::new(), end: false, notices: Vec::new(), signed: Vec::new(), stat: None };
        let (mut next, mut limit) = (before, least.clamp(1, PAGE));
        loop {
            let page = self.client.history(conversation, next, limit).await?;
            whole.messages.extend(page.messages);
            whole.notices.extend(page.notices);
            let Some(oldest) = whole.messages.last().map(|message| message.sequence) else { break };
            if page.end {
                self.seen.begins(conversation, oldest);
                break;
            }
            if oldest.0 <= self.seen.upto(conversation).0 + 1 {
                break;
            }
            if whole.messages.len() >= SHOWN_MAX {
                let how = format!("wardline history --before {} shows earlier unread ones", oldest.0);
                self.terminal.print(&format!("-- {how}; until then nothing here is told as read."));
                break;
            }
            (next, limit) = (oldest, PAGE);
        }
        let elsewhere =
            |told: &&Notice| told.told.parts().unit.is_some_and(|unit| !self.units.contains_key(&unit));
        if let Some(told) = whole.notices.iter().find(elsewhere) {
            self.know_units(told).await;
        }
        // An order must not be taken for a message. A visitor has none, and is not told that there are any.
        let orders = self.client.orders(Whose::Thread(conversation)).await.unwrap_or_default();
        for said in notice::in_order(&whole) {
            match said {
                Said::Notice(told) if told.number > self.noticed => self.show_notice(told),
                Said::Notice(_) => {}
                Said::Message(message) => {
                    if message.sequence > self.newest && !self.mine.contains(&message.sequence) {
                        self.show(message);
                        if let Some(order) = orders.iter().find(|order| order.sequence == message.sequence) {
                            let line = order::line(order, self.me, |id| self.name(id));
                            self.terminal.print(&format!("   > {line}"));
                        }
                    }
                    self.mark(conversation, message.sequence).await;
                }
            }
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
