//! `wardline chat`: one conversation in front, the others announced beside it.

use std::collections::BTreeMap;

use wardline_client::error::Refused;
use wardline_client::event::{Conversation, Message, Person, Watermark};
use wardline_client::{
    Calls as _, Client, ConversationId, Error, Event, Events, MessageId, PersonId, Pin, Sequence,
};

use crate::editor::{Terminal, Typed};
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, pin, say};

const HELP: &str = "\
Type and press Enter to send.
/with NAME           talk to a person or in a group
/people              everybody; /list: your conversations
/group TITLE: A, B   open a group with these people
/add NAME            add somebody to this group
/leave               leave this group
/quit                end";

/// Messages shown when a conversation comes to the front.
const SHOWN: u32 = 15;

struct Chat {
    client: Client,
    terminal: Terminal,
    me: PersonId,
    people: BTreeMap<PersonId, Person>,
    conversations: BTreeMap<ConversationId, Conversation>,
    front: Option<ConversationId>,
    /// One's own messages: what was sent, and as which.
    sent: BTreeMap<MessageId, String>,
    own: BTreeMap<(ConversationId, Sequence), String>,
    locked: bool,
    caught_up: bool,
    with: Option<String>,
}

pub(crate) async fn chat(common: &Common, with: Option<String>) -> Result<(), Failure> {
    if !pin::has_terminal() {
        let how = "chat needs a terminal. In a script: wardline tail --json, wardline send.";
        return Err(Failure::Usage(how.to_owned()));
    }
    let client = Client::open(&common.profile()?).await?;
    match pin::contact(common, &client).await {
        Ok(()) => {}
        // It goes on without: what is typed is kept, and the PIN asked for when the box is back.
        Err(Failure::Client(Error::Offline(why))) => say::note(&why),
        Err(failure) => return Err(failure),
    }
    let (conversations, people) = client.known().await?;
    let Some(events) = client.events() else { return Ok(()) };
    let mut chat = Chat {
        me: client.identity().person,
        terminal: Terminal::open()?,
        people: people.into_iter().map(|person| (person.id, person)).collect(),
        conversations: conversations.into_iter().map(|known| (known.id, known)).collect(),
        front: None,
        sent: BTreeMap::new(),
        own: BTreeMap::new(),
        locked: false,
        caught_up: false,
        with,
        client,
    };
    chat.terminal.print("/help lists the commands.");
    let ended = chat.run(events).await;
    chat.client.close().await;
    ended
}

impl Chat {
    async fn run(&mut self, mut events: Events) -> Result<(), Failure> {
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Ended(end)) => return Err(Error::from(end).into()),
                    Some(event) => self.event(event).await,
                    None => return Ok(()),
                },
                typed = self.terminal.typed.recv() => match typed {
                    Some(Typed::Line { text, masked }) => {
                        if self.typed(text, masked).await {
                            return Ok(());
                        }
                    }
                    Some(Typed::Leave) | None => return Ok(()),
                },
            }
        }
    }

    fn name(&self, id: PersonId) -> String {
        self.people.get(&id).map_or_else(|| format!("(person {id})"), |person| say::clean_line(&person.name))
    }

    fn title(&self, id: ConversationId) -> String {
        match self.conversations.get(&id) {
            Some(conversation) => {
                let people: Vec<Person> = conversation
                    .members
                    .iter()
                    .filter_map(|member| self.people.get(&member.person).cloned())
                    .collect();
                find::title(self.me, &people, conversation)
            }
            None => format!("(conversation {id})"),
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Message(message) => self.message(&message).await,
            Event::Person(person) => drop(self.people.insert(person.id, person)),
            Event::Conversation(conversation) => {
                let new = !self.conversations.contains_key(&conversation.id);
                let id = conversation.id;
                self.conversations.insert(id, conversation);
                if new && self.caught_up && self.front != Some(id) {
                    let title = self.title(id);
                    self.terminal.print(&format!("-- new conversation: {title}. /with it to answer."));
                }
            }
            Event::Gone(id) => {
                let title = self.title(id);
                self.conversations.remove(&id);
                if self.front == Some(id) {
                    self.front = None;
                }
                self.terminal.print(&format!("-- you are no longer in {title}"));
            }
            Event::Watermark(watermark) => self.watermark(watermark),
            Event::Accepted(accepted) => {
                if let Some(text) = self.sent.remove(&accepted.message) {
                    self.terminal.print(&format!("   ✓ {} {text}", say::time(accepted.at)));
                    self.own.insert((accepted.conversation, accepted.sequence), text);
                }
            }
            Event::Delayed { refused, .. } => self.terminal.print(&format!("-- a message waits: {refused}")),
            Event::Failed { message, refused, .. } => {
                let text = self.sent.remove(&message).unwrap_or_else(|| "an earlier message".to_owned());
                self.terminal.print(&format!("-- NOT SENT: {text}: {refused}"));
            }
            Event::DeviceJoined(device) => {
                self.terminal.print(&format!("-- {}", say::new_device(&device.name)));
            }
            Event::Gap { conversation, .. } => {
                let title = self.title(conversation);
                self.terminal
                    .print(&format!("-- more came in {title} while you were away: wardline history"));
            }
            Event::CaughtUp => {
                self.caught_up = true;
                if let Some(with) = self.with.take() {
                    self.with(&with).await;
                }
            }
            Event::Connected(_) => {
                self.locked = false;
                self.terminal.mask(false);
                self.terminal.print("-- connected");
            }
            Event::Reconnecting { why, .. } => {
                self.terminal
                    .print(&format!("-- {why} What you write is kept and goes when the box is back."));
            }
            Event::PinNeeded { tries_left } | Event::Locked { tries_left } => {
                self.locked = true;
                self.terminal.mask(true);
                self.terminal.print(&format!(
                    "-- locked. Press Enter on an empty line, then type your PIN (hidden). Tries left: {tries_left}."
                ));
            }
            _ => {}
        }
    }

    async fn message(&mut self, message: &Message) {
        let (time, name) = (say::time(message.at), self.name(message.sender));
        let text = say::clean(&message.text);
        if self.front == Some(message.conversation) {
            self.terminal.print(&format!("{time} {name}: {text}"));
            let _ = self.client.mark_read(message.conversation, message.sequence).await;
        } else if self.caught_up {
            let title = self.title(message.conversation);
            self.terminal.print(&format!("{time} [{title}] {name}: {text}"));
        }
    }

    /// Somebody's watermark passed messages of one's own.
    fn watermark(&mut self, watermark: Watermark) {
        let (conversation, member) = (watermark.conversation, watermark.member);
        let before = self.conversations.get_mut(&conversation).and_then(|known| {
            let known = known.members.iter_mut().find(|known| known.person == member.person)?;
            Some(std::mem::replace(known, member))
        });
        let Some(before) = before.filter(|_| member.person != self.me) else { return };
        let newest = |from: Sequence, to: Sequence| {
            let range = (conversation, Sequence(from.0 + 1))..=(conversation, to);
            (from < to).then(|| self.own.range(range).next_back()).flatten().map(|(_, text)| text.clone())
        };
        let mark = match (newest(before.read, member.read), newest(before.delivered, member.delivered)) {
            (Some(text), _) => Some(format!("   ✓✓ read by {}: {text}", self.name(member.person))),
            (None, Some(text)) => Some(format!("   ✓ on {}'s device: {text}", self.name(member.person))),
            (None, None) => None,
        };
        if let Some(mark) = mark {
            self.terminal.print(&mark);
        }
    }

    /// What the person typed. True: they leave.
    async fn typed(&mut self, text: String, masked: bool) -> bool {
        if self.locked {
            self.pin(text, masked).await;
            return false;
        }
        let _ = self.client.touched().await;
        let line = text.trim();
        let (command, rest) =
            line.split_once(' ').map_or((line, ""), |(command, rest)| (command, rest.trim()));
        let outcome = match command {
            "" => Ok(()),
            "/quit" => return true,
            "/help" => {
                self.terminal.print(HELP);
                Ok(())
            }
            "/with" => {
                self.with(rest).await;
                Ok(())
            }
            "/people" => {
                self.list_people();
                Ok(())
            }
            "/list" => {
                self.list();
                Ok(())
            }
            "/group" => self.group(rest).await,
            "/add" => self.add(rest).await,
            "/leave" => self.leave().await,
            unknown if unknown.starts_with('/') => Err(Failure::Usage(format!("{unknown}: see /help."))),
            _ => self.say(line).await,
        };
        if let Err(failure) = outcome {
            self.terminal.print(&format!("-- {failure}"));
        }
        false
    }

    async fn pin(&mut self, text: String, masked: bool) {
        let text = zeroize::Zeroizing::new(text);
        // A line begun before the lock is no PIN: offering it would cost a try.
        if !masked || text.is_empty() {
            let lost = if text.trim().is_empty() { "" } else { "-- what you were writing was not sent. " };
            self.terminal.print(&format!("{lost}Your PIN:"));
            return;
        }
        let unlocked = match Pin::offer(text.to_string()) {
            Ok(pin) => self.client.unlock(pin).await,
            Err(_) => return self.terminal.print("-- no PIN is that long. Your PIN:"),
        };
        match unlocked {
            Ok(_) => {
                self.locked = false;
                self.terminal.mask(false);
            }
            Err(Error::Refused(Refused { advice, .. })) => self.terminal.print(&format!("-- {advice}")),
            Err(error) => self.terminal.print(&format!("-- {error}")),
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Failure> {
        let Some(front) = self.front else {
            return Err(Failure::Usage("To whom? /with NAME first; /people lists everybody.".to_owned()));
        };
        let id = self.client.send(front, text).await?;
        self.sent.insert(id, say::clean_line(text).chars().take(60).collect());
        Ok(())
    }

    /// Brings a conversation to the front.
    async fn with(&mut self, text: &str) {
        if let Err(failure) = self.bring(text).await {
            self.terminal.print(&format!("-- {failure}"));
        }
    }

    async fn bring(&mut self, text: &str) -> Result<(), Failure> {
        let people: Vec<Person> = self.people.values().cloned().collect();
        let conversations: Vec<Conversation> = self.conversations.values().cloned().collect();
        let conversation = match find::target(self.me, &people, &conversations, text)? {
            Target::Conversation(conversation) => conversation,
            Target::Person(person) => match self.client.known_direct(person).await? {
                Some(conversation) => conversation,
                None => self.opened(self.client.open_direct(person).await?),
            },
        };
        self.front = Some(conversation);
        let title = self.title(conversation);
        self.terminal.print(&format!("-- with {title}"));
        match self.client.history(conversation, Sequence(0), SHOWN).await {
            Ok(page) => {
                for message in page.messages.iter().rev() {
                    self.message(message).await;
                }
            }
            Err(error) => self.terminal.print(&format!("-- earlier messages: {error}")),
        }
        Ok(())
    }

    fn opened(&mut self, conversation: Conversation) -> ConversationId {
        let id = conversation.id;
        self.conversations.insert(id, conversation);
        id
    }

    async fn group(&mut self, rest: &str) -> Result<(), Failure> {
        let usage = || Failure::Usage("/group TITLE: NAME, NAME".to_owned());
        let (title, names) = rest.split_once(':').ok_or_else(usage)?;
        let known: Vec<Person> = self.people.values().cloned().collect();
        let people: Vec<PersonId> = names
            .split(',')
            .filter(|name| !name.trim().is_empty())
            .map(|name| find::person(&known, name.trim()))
            .collect::<Result<_, _>>()?;
        let group = self.client.open_group(title.trim(), &people).await?;
        self.front = Some(self.opened(group));
        self.terminal.print(&format!("-- with {}", say::clean_line(title.trim())));
        Ok(())
    }

    async fn add(&mut self, name: &str) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with GROUP first.".to_owned()))?;
        let known: Vec<Person> = self.people.values().cloned().collect();
        let person = find::person(&known, name)?;
        let group = self.client.add_members(front, &[person]).await?;
        self.opened(group);
        self.terminal.print(&format!("-- {} is in", self.name(person)));
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with GROUP first.".to_owned()))?;
        self.client.remove_members(front, &[self.me]).await?;
        self.front = None;
        Ok(())
    }

    fn list_people(&mut self) {
        let mut lines: Vec<String> = self
            .people
            .values()
            .filter(|person| !person.suspended)
            .map(|person| say::clean_line(&format!("   {}  {}", person.name, person.title)))
            .collect();
        lines.sort();
        self.terminal.print(&lines.join("\n"));
    }

    fn list(&mut self) {
        let ids: Vec<ConversationId> = self.conversations.keys().copied().collect();
        let lines: Vec<String> = ids.into_iter().map(|id| format!("   {}", self.title(id))).collect();
        self.terminal.print(&lines.join("\n"));
    }
}
