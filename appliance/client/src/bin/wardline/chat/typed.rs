//! What the person types: messages, commands, PINs.

use wardline_client::beside::Beside;
use wardline_client::error::Refused;
use wardline_client::event::{Member, Message, Person, SignedIn};
use wardline_client::stat::{Reply, Urgency};
use wardline_client::{Calls as _, ConversationId, Error, PersonId, Pin, Sequence};
use wardline_core::limits;
use wardline_core::wire::proto::RefusalCode;

use super::Chat;
use crate::editor::Hidden;
use crate::exit::Failure;
use crate::template::Known;
use crate::{alter, find, naming, react, say};

const HELP: &str = "\
Type and press Enter to send. Messages have numbers: #12. @Name mentions somebody here, or a role.
/have                a STAT rings: you have it; /coming, /cannot busy, and /back when you cannot after all
/quick WORDS         send the quick reply that begins so; without words, which there are
/reply #N TEXT       answer a message; without #N the newest of somebody else
/edit #N TEXT        another text for a message of yours, within 15 minutes; without #N the last one
/react #N WORD       agree, thanks, done, looking, question, concern; /unreact takes it back
/recall #N           destroy a message of yours, within 24 hours; without #N the last one
/with NAME           talk to a person or in a group
/people              everybody; /list: your conversations; /members: who is in this one
/group TITLE: A, B   open a group with these people
/add NAME            add somebody to this group
/leave               leave this group
/quit                end";

/// Characters of a message that are enough to know which it is.
const PREVIEW: usize = 60;

/// A message's number in front, if there is one, and the rest.
fn numbered(text: &str) -> (Option<Sequence>, &str) {
    let Some(behind) = text.strip_prefix('#') else { return (None, text) };
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let (digits, rest) = behind.split_at(end);
    match digits.parse() {
        Ok(number) if rest.is_empty() || rest.starts_with(' ') => (Some(Sequence(number)), rest.trim()),
        _ => (None, text),
    }
}

/// A message of one's own, when it is mentioned.
pub(super) fn shortened(text: &str) -> String {
    let text = say::clean_line(text);
    match text.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

impl Chat {
    /// What the person typed.
    pub(super) async fn typed(&mut self, text: String, hidden: Hidden) {
        if self.locked {
            return self.pin(text, hidden);
        }
        if hidden != Hidden::No && !text.trim().is_empty() {
            // Begun as a PIN, and the session opened meanwhile: nobody else is to read it.
            drop(zeroize::Zeroizing::new(text));
            self.terminal
                .print("-- what you typed was hidden, so it was not sent. Type it again if it is a message.");
            return;
        }
        let _ = self.client.touched().await;
        let line = text.trim();
        let (command, rest) =
            line.split_once(' ').map_or((line, ""), |(command, rest)| (command, rest.trim()));
        let outcome = match command {
            "" => Ok(()),
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
            "/members" => self.list_members(),
            "/quick" => self.quick(rest).await,
            "/reply" => self.reply(rest).await,
            "/edit" => self.edit(rest).await,
            "/recall" => self.recall(rest).await,
            "/react" => self.react(rest, true).await,
            "/unreact" => self.react(rest, false).await,
            "/group" => self.group(rest).await,
            "/add" => self.add(rest).await,
            "/leave" => self.leave().await,
            "/have" => self.reply_to_stat(rest, Reply::Accept).await,
            "/coming" => self.reply_to_stat(rest, Reply::Coming).await,
            "/cannot" => self.cannot(rest).await,
            "/back" => self.reply_to_stat(rest, Reply::HandBack).await,
            unknown if unknown.starts_with('/') => Err(Failure::Usage(format!("{unknown}: see /help."))),
            _ => self.say(line).await,
        };
        if let Err(failure) = outcome {
            self.terminal.print(&format!("-- {failure}"));
        }
    }

    fn pin(&mut self, text: String, hidden: Hidden) {
        let text = zeroize::Zeroizing::new(text);
        // A line begun before the lock is no PIN: offering it would cost a try.
        if hidden != Hidden::All || text.is_empty() {
            let lost = if text.trim().is_empty() { "" } else { "-- what you were writing was not sent. " };
            self.terminal.print(&format!("{lost}Your PIN:"));
            return;
        }
        let Ok(pin) = Pin::offer(text.to_string()) else {
            return self.terminal.print("-- no PIN is that long. Your PIN:");
        };
        let (client, tell) = (self.client.clone(), self.unlocking.clone());
        tokio::spawn(async move {
            let outcome = client.unlock(pin).await;
            // Nobody listens any more when the person has left.
            let _ = tell.send(outcome).await;
        });
    }

    /// A PIN was looked at.
    pub(super) fn opened_or_not(&mut self, outcome: Result<SignedIn, Error>) {
        match outcome {
            // `Connected` says so in its place among what happened; the session may have locked again since.
            Ok(_) => {}
            // `PinNeeded` says how many tries are left.
            Err(Error::Refused(Refused { code: RefusalCode::PinWrong, .. })) => {
                self.terminal.print("-- Wrong PIN.");
            }
            Err(Error::Refused(Refused { advice, .. })) => self.terminal.print(&format!("-- {advice}")),
            Err(error) => self.terminal.print(&format!("-- {error}")),
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Failure> {
        let Some(front) = self.front else {
            return Err(Failure::Usage("To whom? /with NAME first; /people lists everybody.".to_owned()));
        };
        let beside = self.beside(front, text, None).await?;
        let tracked = self.client.send_beside(front, text, Urgency::default(), beside).await?;
        self.sent.insert(tracked.id, shortened(text));
        Ok(())
    }

    /// Whom it names, and what it answers.
    async fn beside(
        &self,
        front: ConversationId,
        text: &str,
        reply_to: Option<Sequence>,
    ) -> Result<Beside, Failure> {
        let Some(conversation) = self.conversations.get(&front).filter(|_| text.contains('@')) else {
            return Ok(Beside::reply(reply_to));
        };
        let people: Vec<Person> = self.people.values().cloned().collect();
        naming::beside(&self.client, (&people, conversation), text, &[], reply_to).await
    }

    /// Puts a word to a message of the conversation in front, or takes it back.
    async fn react(&mut self, rest: &str, given: bool) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with NAME first.".to_owned()))?;
        let (number, word) = numbered(rest);
        let word = react::Word::typed(word)?;
        let number = match number {
            Some(number) => number,
            None => self.newest_where(front, |message| message.sender != self.me).await?,
        };
        react::put(&self.client, front, number, (word, given)).await
    }

    /// One of the quick replies of the units where this person works, or of the facility.
    async fn quick(&mut self, words: &str) -> Result<(), Failure> {
        let known = Known::of(&self.client, self.people.get(&self.me)).await?;
        if words.is_empty() {
            let replies = known.replies();
            let none = "-- there are none. A charge nurse sets them: wardline template set.".to_owned();
            let lines: Vec<String> = replies.iter().map(|reply| format!("   {reply}")).collect();
            self.terminal.print(&if lines.is_empty() { none } else { lines.join("\n") });
            return Ok(());
        }
        let reply = known.reply(words)?;
        self.say(&reply).await
    }

    /// In reply to a message of the conversation in front.
    async fn reply(&mut self, rest: &str) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with NAME first.".to_owned()))?;
        let (number, text) = numbered(rest);
        let number = match number {
            Some(number) => number,
            None => self.newest_where(front, |message| message.sender != self.me).await?,
        };
        if text.is_empty() {
            return Err(Failure::Usage("/reply #N TEXT".to_owned()));
        }
        let beside = self.beside(front, text, Some(number)).await?;
        let tracked = self.client.send_beside(front, text, Urgency::default(), beside).await?;
        self.sent.insert(tracked.id, format!("(to #{}) {}", number.0, shortened(text)));
        Ok(())
    }

    async fn edit(&mut self, rest: &str) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with NAME first.".to_owned()))?;
        let (number, text) = numbered(rest);
        if text.is_empty() {
            return Err(Failure::Usage("/edit #N TEXT".to_owned()));
        }
        let number = self.own_number(front, number).await?;
        alter::edit(&self.client, front, number, text).await
    }

    async fn recall(&mut self, rest: &str) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with NAME first.".to_owned()))?;
        let (number, more) = numbered(rest);
        if !more.is_empty() {
            return Err(Failure::Usage("/recall #N".to_owned()));
        }
        let number = self.own_number(front, number).await?;
        Ok(self.client.recall_message(front, number).await?)
    }

    async fn own_number(&self, place: ConversationId, number: Option<Sequence>) -> Result<Sequence, Failure> {
        match number {
            Some(number) => Ok(number),
            None => {
                let is_mine = |message: &Message| message.sender == self.me && message.recalled_at.is_none();
                self.newest_where(place, is_mine).await
            }
        }
    }

    /// The newest message that fits, among the last hundred.
    async fn newest_where(
        &self,
        place: ConversationId,
        fits: impl Fn(&Message) -> bool,
    ) -> Result<Sequence, Failure> {
        let page = self.client.history(place, Sequence(0), limits::PAGE_MESSAGES_MAX).await?;
        let found = page.messages.iter().find(|message| fits(message)).map(|message| message.sequence);
        found.ok_or_else(|| Failure::Usage("Which one? Give its number, as in #12.".to_owned()))
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
        let group = self.opened(group);
        self.put_in_front(group);
        self.terminal.print(&format!("-- with {}", say::clean_line(title.trim())));
        Ok(())
    }

    async fn add(&mut self, name: &str) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with GROUP first.".to_owned()))?;
        let known: Vec<Person> = self.people.values().cloned().collect();
        let person = find::person(&known, name)?;
        // Says that they are in.
        let group = self.client.add_members(front, &[person]).await?;
        self.opened(group);
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with GROUP first.".to_owned()))?;
        self.client.remove_members(front, &[self.me]).await?;
        self.front = None;
        Ok(())
    }

    fn list_members(&mut self) -> Result<(), Failure> {
        let front = self.front.ok_or_else(|| Failure::Usage("/with NAME first.".to_owned()))?;
        let members =
            self.conversations.get(&front).map(|known| known.members.as_slice()).unwrap_or_default();
        let described = |member: &Member| match self.people.get(&member.person) {
            Some(person) => say::clean_line(&format!("   {}  {}", person.name, person.title)),
            None => format!("   (person {})", member.person),
        };
        let mut lines: Vec<String> = members.iter().map(described).collect();
        lines.sort();
        self.terminal.print(&lines.join("\n"));
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
