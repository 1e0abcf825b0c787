//! `wardline tail`: what arrives, printed as it comes. An event counts as dealt with once it is printed: what cannot be
//! printed ends the command, and comes again.

use std::collections::{BTreeMap, BTreeSet};

use wardline_client::event::{Conversation, Message, Person, Unit};
use wardline_client::{
    Calls as _, Client, ConversationId, Error, Event, PersonId, Sequence, Standing, UnitId,
};

use crate::availability;
use crate::exit::Failure;
use crate::seen::Seen;
use crate::{
    Common, access, break_glass, find, json, members, notice, order, pin, react, role, say, stat, station,
    suspensions, task,
};

/// How.
pub(crate) struct Wish {
    pub(crate) json: bool,
    pub(crate) mark_read: bool,
    pub(crate) until_caught_up: bool,
    pub(crate) here: bool,
}

pub(crate) async fn tail(common: &Common, wish: Wish) -> Result<(), Failure> {
    let client = access::hold(common).await?;
    let ended = tokio::select! {
        ended = follow(common, &client, &wish) => ended,
        () = station::here(&client), if wish.here => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    client.close().await;
    ended
}

async fn follow(common: &Common, client: &Client, wish: &Wish) -> Result<(), Failure> {
    let me = client.identity().person;
    let (conversations, known) = client.known().await?;
    let mut known = Known {
        me,
        people: known.into_iter().map(|person| (person.id, person)).collect(),
        conversations: conversations.iter().map(|known| (known.id, known.clone())).collect(),
        recalled: BTreeSet::new(),
        units: BTreeMap::new(),
        asked: false,
    };
    let mut marker = wish.mark_read.then(|| Marker::new(client, Seen::new(me, &conversations)));
    let Some(mut events) = client.events() else { return Ok(()) };
    while let Some(event) = events.next().await {
        if wish.json {
            if let Some(value) = json::event(&event, me, &known.sender(&event)) {
                json::print(&value)?;
            }
        } else {
            known.look_up(client, &event).await;
            known.plain(&event)?;
        }
        known.learn(&event);
        if let Some(marker) = &mut marker {
            marker.printed(&event, &known).await?;
        }
        match event {
            // Unless the PIN came meanwhile: what is told lies behind what is.
            Event::PinNeeded { tries_left } | Event::Locked { tries_left } if is_locked(client) => {
                match pin::unlock(common, client, tries_left).await {
                    Ok(()) => {}
                    // The connection went while the PIN was typed: it is asked for again by the next one.
                    Err(Failure::Client(Error::Interrupted | Error::Offline(_))) => {}
                    Err(failure) => return Err(failure),
                }
            }
            Event::CaughtUp if wish.until_caught_up => {
                events.done();
                return Ok(());
            }
            Event::Ended(end) => return Err(Error::from(end).into()),
            _ => {}
        }
    }
    Ok(())
}

fn is_locked(client: &Client) -> bool {
    matches!(&*client.standing().borrow(), Standing::PinNeeded { .. })
}

/// Tells senders that their messages were read, as far as all before them was.
struct Marker<'a> {
    client: &'a Client,
    seen: Seen,
    /// Conversations with messages that were not printed here, once each.
    behind: BTreeSet<ConversationId>,
}

impl<'a> Marker<'a> {
    fn new(client: &'a Client, seen: Seen) -> Self {
        Self { client, seen, behind: BTreeSet::new() }
    }

    async fn printed(&mut self, event: &Event, known: &Known) -> Result<(), Failure> {
        match event {
            Event::Conversation(conversation) => self.seen.knows(conversation),
            Event::Watermark(watermark) => self.seen.watermark(watermark),
            Event::Accepted(accepted) => self.mark(accepted.conversation, accepted.sequence).await?,
            Event::Message(Message { conversation, sequence, .. }) => {
                self.mark(*conversation, *sequence).await?;
                let upto = self.seen.upto(*conversation);
                if *sequence > upto && self.behind.insert(*conversation) {
                    let title = known.title(*conversation);
                    say::note(&format!(
                        "[{title}] stays unread behind {}: not all of it was printed here. See wardline chat.",
                        upto.0
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn mark(&mut self, conversation: ConversationId, sequence: Sequence) -> Result<(), Failure> {
        if let Some(upto) = self.seen.shown(conversation, sequence) {
            self.client.mark_read(conversation, upto).await?;
        }
        Ok(())
    }
}

/// Whom and what it speaks of.
struct Known {
    me: PersonId,
    people: BTreeMap<PersonId, Person>,
    conversations: BTreeMap<ConversationId, Conversation>,
    /// Recalled messages that were told of.
    recalled: BTreeSet<(ConversationId, Sequence)>,
    units: BTreeMap<UnitId, Unit>,
    /// The box was asked for the units: what came before this command is not told again.
    asked: bool,
}

impl Known {
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Message(message) | Event::MessageChanged(message) if message.recalled_at.is_some() => {
                self.recalled.insert((message.conversation, message.sequence));
            }
            Event::Person(person) => drop(self.people.insert(person.id, person.clone())),
            Event::Conversation(conversation) => {
                self.conversations.insert(conversation.id, conversation.clone());
            }
            Event::Gone(id) => drop(self.conversations.remove(id)),
            Event::Unit(unit) => drop(self.units.insert(unit.id, unit.clone())),
            _ => {}
        }
    }

    fn sender(&self, event: &Event) -> Vec<Person> {
        match event {
            Event::Message(message) | Event::MessageChanged(message) => {
                self.people.get(&message.sender).cloned().into_iter().collect()
            }
            _ => vec![],
        }
    }

    fn name(&self, id: PersonId) -> String {
        self.people.get(&id).map_or_else(|| format!("(person {id})"), |person| say::clean_line(&person.name))
    }

    /// The name of a unit that a notice speaks of.
    async fn look_up(&mut self, client: &Client, event: &Event) {
        let Event::Notice(told) = event else { return };
        let named = told.told.parts().unit;
        if named.is_some_and(|unit| !self.units.contains_key(&unit)) && !self.asked {
            self.asked = true;
            // Without an answer, the unit is shown by its number.
            let units = client.units().await.unwrap_or_default();
            self.units.extend(units.into_iter().map(|unit| (unit.id, unit)));
        }
    }

    fn unit(&self, id: UnitId) -> String {
        self.units.get(&id).map_or_else(|| format!("(unit {id})"), |unit| say::clean_line(&unit.name))
    }

    fn title(&self, id: ConversationId) -> String {
        let Some(conversation) = self.conversations.get(&id) else { return format!("(conversation {id})") };
        let people =
            conversation.members.iter().filter_map(|member| self.people.get(&member.person).cloned());
        find::title(self.me, &people.collect::<Vec<_>>(), conversation)
    }

    fn plain(&self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Message(message) => {
                let (time, name) = (say::time(message.at), self.name(message.sender));
                let title = self.title(message.conversation);
                let mark = say::priority(message.priority);
                let answered = message.reply_to.map(|to| (message.conversation, to));
                let is_gone = answered.is_some_and(|answered| self.recalled.contains(&answered));
                let head = format!("{time} [{title}] {mark}{name}");
                say::told(&say::message(&head, message, is_gone, self.me))?;
                if !message.reactions.is_empty() {
                    say::told(&react::line("", &message.reactions, self.me, |id| self.name(id)))?;
                }
            }
            Event::MessageChanged(message) => {
                let head = format!("[{}] ", self.title(message.conversation));
                say::told(&say::changed(&head, &self.name(message.sender), message))?;
            }
            Event::Reactions { conversation, sequence, reactions } => {
                let of = format!("#{} [{}] ", sequence.0, self.title(*conversation));
                say::told(&react::line(&of, reactions, self.me, |id| self.name(id)))?;
            }
            Event::Task(told) => {
                let line = task::line(told, self.me, |id| self.name(id), |_| None);
                say::told(&format!("   > #{} [{}] {line}", told.sequence.0, self.title(told.conversation)))?;
            }
            Event::Order(told) => {
                let line = order::line(told, self.me, |id| self.name(id));
                say::told(&format!("   > #{} [{}] {line}", told.sequence.0, self.title(told.conversation)))?;
            }
            Event::TaskOverdue { conversation, sequence } => {
                say::told(&task::overdue_line(*sequence, &self.title(*conversation)))?;
            }
            Event::OwnAvailability(own) => {
                if let Some(line) = availability::own_line(own, |person| self.name(person)) {
                    say::told(&line)?;
                }
            }
            Event::DeviceCopied { person, device } => {
                say::told(&say::copied_line(&self.name(*person), &device.name))?;
            }
            Event::SuspensionsWaiting { waiting, overdue } => {
                say::told(&suspensions::waiting_line(*waiting, *overdue))?;
            }
            Event::EmergenciesWaiting(waiting) => say::told(&break_glass::waiting_line(*waiting))?,
            Event::Offer(offer, fate) => {
                say::told(&role::news_line(offer, *fate, self.me, |id| self.name(id)))?;
            }
            Event::RoleGap(gap) => say::told(&role::gap_ahead_line(gap))?,
            Event::Ring(ring) => say::told(&stat::ring_line(ring))?,
            Event::Notice(told) => {
                let line = notice::line(told, |id| self.name(id), |unit| self.unit(unit));
                say::told(&format!("[{}] {line}", self.title(told.conversation)))?;
            }
            Event::Silence(silent, _) => {
                say::told(&format!("-- STAT {} is silent here", stat::name(*silent)))?
            }
            Event::Escalation(told) => say::told(&stat::stands_line(told, |id| self.name(id)))?,
            Event::Conversation(now) => {
                if let Some(before) = self.conversations.get(&now.id) {
                    let changes = members::changes(before, now, &self.title(now.id), |id| self.name(id));
                    changes.iter().try_for_each(|line| say::told(line))?;
                }
            }
            Event::Gone(id) => say::told(&format!("-- you are no longer in {}", self.title(*id)))?,
            Event::Connected(signed_in) => say::note(&format!(
                "Signed in as {} at {}.",
                say::clean_line(&signed_in.name),
                say::clean_line(&signed_in.facility)
            )),
            Event::Reconnecting { after, why, .. } => {
                say::note(&format!("{why} Trying again in {:.1} s.", after.as_secs_f32()));
            }
            Event::Gap { conversation, from, to } => {
                let title = self.title(*conversation);
                say::note(&format!(
                    "[{title}] {} to {} came while away: see wardline history.",
                    from.0, to.0
                ));
            }
            Event::DeviceJoined(device) => say::note(&say::new_device(&device.name)),
            Event::Failed { refused, .. } => say::note(&format!("A message was not sent: {refused}")),
            Event::Delayed { refused, .. } => say::note(&format!("A message waits: {refused}")),
            _ => {}
        }
        Ok(())
    }
}
