//! `wardline chat`: one conversation in front, the others announced beside it.

mod front;
mod ringing;
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use wardline_client::event::{Accepted, Conversation, Kind, Person, SignedIn, Unit, Watermark};
use wardline_client::stat::{Stands, StatRef};
use wardline_client::{
    Calls as _, Client, ConversationId, Error, Event, Events, MessageId, PersonId, Sequence, UnitId,
};
use wardline_core::limits;

use crate::availability;
use crate::editor::{Terminal, Typed};
use crate::exit::Failure;
use crate::seen::Seen;
use crate::{Common, access, break_glass, find, order, pin, role, say, stat, suspensions, task};

struct Chat {
    client: Client,
    terminal: Terminal,
    me: PersonId,
    people: BTreeMap<PersonId, Person>,
    conversations: BTreeMap<ConversationId, Conversation>,
    units: BTreeMap<UnitId, Unit>,
    front: Option<ConversationId>,
    /// The newest notice of the front one that is on the screen.
    noticed: u64,
    /// The newest message of the front one that is on the screen.
    newest: Sequence,
    seen: Seen,
    /// One's own messages: what was sent, and as which.
    sent: BTreeMap<MessageId, String>,
    own: BTreeMap<(ConversationId, Sequence), String>,
    /// Messages of this person that came as messages. Of this device's own, the box says once more that it has them: after
    /// a connection that was lost, the first answer is lost with it.
    met: BTreeSet<MessageId>,
    /// Of the front conversation: this device's own on the screen.
    mine: BTreeSet<Sequence>,
    /// What rings here, or rang and is this person's now.
    ringing: BTreeMap<StatRef, Stands>,
    /// Recalled messages that were told of.
    recalled: BTreeSet<(ConversationId, Sequence)>,
    /// Why there is no connection, as far as it was said since there was one.
    outage: BTreeSet<String>,
    locked: bool,
    caught_up: bool,
    with: Option<String>,
    /// How an unlocking went. It may have to wait for the box, and the screen must not wait with it.
    unlocked: mpsc::Receiver<Result<SignedIn, Error>>,
    unlocking: mpsc::Sender<Result<SignedIn, Error>>,
}

pub(crate) async fn chat(common: &Common, with: Option<String>) -> Result<(), Failure> {
    if !pin::has_terminal() {
        let how = "chat needs a terminal. In a script: wardline tail --json, wardline send.";
        return Err(Failure::Usage(how.to_owned()));
    }
    let client = access::hold(common).await?;
    match pin::contact(common, &client).await {
        Ok(()) => {}
        // It goes on without: what is typed is kept, and the PIN asked for when the box is back. An event says why.
        Err(Failure::Client(Error::Offline(_))) => {}
        Err(failure) => return Err(failure),
    }
    let (conversations, people) = client.known().await?;
    let Some(events) = client.events() else { return Ok(()) };
    let me = client.identity().person;
    let (unlocking, unlocked) = mpsc::channel(1);
    let mut chat = Chat {
        me,
        terminal: Terminal::open()?,
        seen: Seen::new(me, &conversations),
        people: people.into_iter().map(|person| (person.id, person)).collect(),
        conversations: conversations.into_iter().map(|known| (known.id, known)).collect(),
        units: BTreeMap::new(),
        front: None,
        noticed: 0,
        newest: Sequence(0),
        sent: BTreeMap::new(),
        own: BTreeMap::new(),
        met: BTreeSet::new(),
        mine: BTreeSet::new(),
        ringing: BTreeMap::new(),
        recalled: BTreeSet::new(),
        outage: BTreeSet::new(),
        locked: false,
        caught_up: false,
        with,
        unlocked,
        unlocking,
        client,
    };
    chat.terminal.print("/help lists the commands.");
    let ended = chat.run(events).await;
    access::leave(&chat.client, access::Parting::default()).await;
    ended
}

impl Chat {
    async fn run(&mut self, mut events: Events) -> Result<(), Failure> {
        let mut told = told_to_end()?;
        // Whoever chats has it in front of them: colleagues see that they can be reached.
        let mut here = tokio::time::interval(Duration::from_millis(limits::HERE_MS));
        loop {
            tokio::select! {
                _ = here.tick() => drop(self.client.here().await),
                () = told.recv() => return Ok(()),
                event = events.next() => match event {
                    Some(Event::Ended(end)) => return Err(Error::from(end).into()),
                    Some(event) => self.event(event).await,
                    None => return Ok(()),
                },
                Some(outcome) = self.unlocked.recv() => self.opened_or_not(outcome),
                typed = self.terminal.typed.recv() => match typed {
                    Some(Typed::Line { text, hidden }) => self.typed(text, hidden).await,
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
            Event::Task(told) => {
                let line = task::line(&told, self.me, |id| self.name(id), |_| None);
                let title = self.title(told.conversation);
                self.terminal.print(&format!("   > #{} [{title}] {line}", told.sequence.0));
            }
            Event::Order(told) => {
                let line = order::line(&told, self.me, |id| self.name(id));
                let title = self.title(told.conversation);
                self.terminal.print(&format!("   > #{} [{title}] {line}", told.sequence.0));
            }
            Event::TaskOverdue { conversation, sequence } => {
                let line = task::overdue_line(sequence, &self.title(conversation));
                self.terminal.print(&line);
            }
            Event::OwnAvailability(own) => {
                let line = availability::own_line(&own, |person| self.name(person));
                line.into_iter().for_each(|line| self.terminal.print(&line));
            }
            Event::DeviceCopied { person, device } => {
                self.terminal.print(&say::copied_line(&self.name(person), &device.name));
            }
            Event::SuspensionsWaiting { waiting, overdue } => {
                self.terminal.print(&suspensions::waiting_line(waiting, overdue));
            }
            Event::MessageChanged(message) => self.changed(&message),
            Event::Reactions { conversation, sequence, reactions } => {
                self.reactions((conversation, sequence), &reactions);
            }
            Event::EmergenciesWaiting(waiting) => self.terminal.print(&break_glass::waiting_line(waiting)),
            Event::Offer(offer, fate) => {
                let line = role::news_line(&offer, fate, self.me, |id| self.name(id));
                self.terminal.print(&line);
            }
            Event::RoleGap(gap) => self.terminal.print(&role::gap_ahead_line(&gap)),
            Event::Notice(told) => self.notice(&told).await,
            Event::Unit(unit) => drop(self.units.insert(unit.id, unit)),
            Event::Ring(ring) => self.rings(&ring),
            Event::Silence(silent, by) => self.is_silent(silent, by),
            Event::Escalation(told) => {
                if told.stands == Stands::Closed {
                    self.ringing.remove(&told.stat);
                }
                let line = stat::stands_line(&told, |id| self.name(id));
                self.terminal.print(&line);
            }
            Event::Person(person) => drop(self.people.insert(person.id, person)),
            Event::Conversation(conversation) => self.conversation(conversation),
            Event::Gone(id) => {
                let title = self.title(id);
                self.conversations.remove(&id);
                if self.front == Some(id) {
                    self.front = None;
                }
                self.terminal.print(&format!("-- you are no longer in {title}"));
            }
            Event::Watermark(watermark) => self.watermark(watermark),
            Event::Accepted(accepted) => self.accepted(accepted).await,
            Event::Delayed { refused, .. } => self.terminal.print(&format!("-- a message waits: {refused}")),
            Event::Failed { message, refused, .. } => {
                let text = self.sent.remove(&message).unwrap_or_else(|| "an earlier message".to_owned());
                self.terminal.print(&format!("-- NOT SENT: {text}: {refused}"));
            }
            Event::DeviceJoined(device) => {
                self.terminal.print(&format!("-- {}", say::new_device(&device.name)));
            }
            Event::Gap { conversation, to, .. } => self.gap(conversation, to).await,
            Event::CaughtUp => {
                self.caught_up = true;
                if let Some(with) = self.with.take() {
                    self.with(&with).await;
                }
                self.list_unread().await;
            }
            Event::Connected(_) => {
                self.outage.clear();
                self.locked = false;
                self.terminal.mask(false);
                self.terminal.print("-- connected");
            }
            Event::Reconnecting { why, untrusted, .. } => self.outage(why, untrusted),
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

    /// There is no connection. Each attempt says so: what is known already is not repeated.
    fn outage(&mut self, why: String, untrusted: bool) {
        let first = self.outage.is_empty();
        if self.outage.contains(&why) {
            return;
        }
        // What answers is not the box: nothing is said that would make somebody wait for it.
        let kept =
            if first && !untrusted { " What you write is kept and goes when the box is back." } else { "" };
        self.terminal.print(&format!("-- {why}{kept}"));
        self.outage.insert(why);
    }

    fn conversation(&mut self, conversation: Conversation) {
        let id = conversation.id;
        let new = !self.conversations.contains_key(&id);
        self.opened(conversation);
        if new && self.caught_up && self.front != Some(id) {
            let title = self.title(id);
            self.terminal.print(&format!("-- new conversation: {title}. /with it to answer."));
        }
    }

    /// A message of this device is the box's: typed here, or sent by another command through this one, or kept from
    /// earlier.
    async fn accepted(&mut self, accepted: Accepted) {
        let Accepted { conversation, sequence, .. } = accepted;
        if self.met.remove(&accepted.message) {
            // It is on the screen.
        } else if let Some(text) = self.sent.remove(&accepted.message) {
            self.accepted_here(accepted, text);
        } else {
            let text = match self.client.history(conversation, Sequence(sequence.0 + 1), 1).await {
                Ok(page) => page.messages.into_iter().find(|message| message.sequence == sequence),
                Err(_) => None,
            };
            let text = text.map_or_else(|| "a message".to_owned(), |message| message.text);
            let title = self.title(conversation);
            let (number, at) = (sequence.0, say::time(accepted.at));
            let head = format!("   ✓ #{number} {at} sent from this device [{title}]");
            self.terminal.print(&say::spoken(&head, &text));
            self.own.insert((conversation, sequence), typed::shortened(&text));
        }
        self.mark(conversation, sequence).await;
    }

    /// What was typed here is the box's.
    fn accepted_here(&mut self, accepted: Accepted, text: String) {
        let (number, at) = (accepted.sequence.0, say::time(accepted.at));
        self.terminal.print(&format!("   ✓ #{number} {at} {text}"));
        if self.front == Some(accepted.conversation) {
            self.mine.insert(accepted.sequence);
        }
        self.own.insert((accepted.conversation, accepted.sequence), text);
    }

    /// Somebody's watermark passed messages of one's own.
    fn watermark(&mut self, watermark: Watermark) {
        self.seen.watermark(&watermark);
        let (conversation, member) = (watermark.conversation, watermark.member);
        let before = self.conversations.get_mut(&conversation).and_then(|known| {
            let known = known.members.iter_mut().find(|known| known.person == member.person)?;
            Some(std::mem::replace(known, member))
        });
        let Some(before) = before.filter(|_| member.person != self.me) else { return };
        let newest = |from: Sequence, to: Sequence| {
            let range = (conversation, Sequence(from.0 + 1))..=(conversation, to);
            (from < to).then(|| self.own.range(range).next_back()).flatten()
        };
        let name = self.name(member.person);
        let group = self.conversations.get(&conversation).filter(|known| known.kind != Kind::Direct);
        let mark = match (newest(before.read, member.read), newest(before.delivered, member.delivered)) {
            (Some(((_, at), text)), _) => {
                let of = group.map_or_else(String::new, |group| {
                    let others = || group.members.iter().filter(|known| known.person != self.me);
                    let read = others().filter(|known| known.read >= *at).count();
                    format!(" ({read} of {})", others().count())
                });
                Some(format!("   ✓✓ read by {name}{of}: {text}"))
            }
            // Of everybody in a group that would be noise.
            (None, Some((_, text))) if group.is_none() => Some(format!("   ✓ on {name}'s device: {text}")),
            (None, _) => None,
        };
        if let Some(mark) = mark {
            self.terminal.print(&mark);
        }
    }
}

/// SIGTERM, SIGHUP, SIGINT: the terminal is left as it was found.
struct ToldToEnd([Signal; 3]);

fn told_to_end() -> Result<ToldToEnd, Failure> {
    let failed = |error: std::io::Error| Failure::Machine(format!("Signals cannot be heard here: {error}."));
    let heard = |kind| signal(kind).map_err(failed);
    Ok(ToldToEnd([
        heard(SignalKind::terminate())?,
        heard(SignalKind::hangup())?,
        heard(SignalKind::interrupt())?,
    ]))
}

impl ToldToEnd {
    async fn recv(&mut self) {
        let [term, hup, int] = &mut self.0;
        tokio::select! {
            _ = term.recv() => {}
            _ = hup.recv() => {}
            _ = int.recv() => {}
        }
    }
}
