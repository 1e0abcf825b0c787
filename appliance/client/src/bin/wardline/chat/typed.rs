//! What the person types: messages, commands, PINs.

use wardline_client::error::Refused;
use wardline_client::event::{Member, Person, SignedIn};
use wardline_client::{Calls as _, ConversationId, Error, PersonId, Pin};
use wardline_core::wire::proto::RefusalCode;

use super::Chat;
use crate::editor::Hidden;
use crate::exit::Failure;
use crate::{find, say};

const HELP: &str = "\
Type and press Enter to send.
/with NAME           talk to a person or in a group
/people              everybody; /list: your conversations; /members: who is in this one
/group TITLE: A, B   open a group with these people
/add NAME            add somebody to this group
/leave               leave this group
/quit                end";

/// Characters of a message that are enough to know which it is.
const PREVIEW: usize = 60;

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
            "/group" => self.group(rest).await,
            "/add" => self.add(rest).await,
            "/leave" => self.leave().await,
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
        let id = self.client.send(front, text).await?;
        self.sent.insert(id, shortened(text));
        Ok(())
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
