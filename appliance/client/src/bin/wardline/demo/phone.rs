//! Somebody's phone, or the screen in the corridor: a client of its own, and what it has heard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use wardline_client::event::Conversation;
use wardline_client::link::{Address, Code, Purpose};
use wardline_client::stat::{Escalation, Stands, StatRef};
use wardline_client::{
    Calls as _, Client, ConversationId, Error, Event, Events, JoinLink, PersonId, Pin, Sequence,
};

use crate::demo::away::{self, Desk, PATIENCE};
use crate::exit::Failure;
use crate::{say, station};

/// What its devices are called: by this the next run knows those of this one.
pub(super) const DEVICE: &str = "demo phone";
/// New codes for one device: an answer to a join that was lost for good uses one up.
const CODES_MAX: u32 = 3;
/// Between the box's answer and what it said before being dealt with here.
const SETTLE: Duration = Duration::from_millis(200);

/// Where the box is, under which root.
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) root: [u8; 32],
}

/// One device.
pub(super) struct Phone {
    pub(super) client: Client,
    heard: Arc<watch::Sender<Heard>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What it has heard, as of now.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) messages: BTreeSet<(ConversationId, Sequence)>,
    /// What rings here.
    pub(super) rings: BTreeMap<StatRef, Stands>,
    /// How STATs stood, in the order in which it was told, each once.
    pub(super) told: Vec<Escalation>,
    pub(super) is_caught_up: bool,
    /// Answered: nothing of them may ring any more.
    over: BTreeSet<StatRef>,
    /// Something that must never happen did.
    broken: Option<String>,
    ended: Option<String>,
}

impl Phone {
    /// Joins with a code, as a person does; asks for another one when the first was used up and its answer lost. One of all says
    /// when the box goes and comes back.
    pub(super) async fn join(
        desk: &Desk,
        place: &Place,
        person: PersonId,
        directory: &Path,
        says: bool,
    ) -> Result<Self, Failure> {
        let pin = random_pin()?;
        for turn in 0.. {
            let code = away::again(|| desk.issue_join_code(person)).await?;
            let link = JoinLink {
                purpose: Purpose::Join,
                address: place.address.clone(),
                server_name: place.address.host.clone(),
                root: place.root,
                code: Code::parse(&code.code)?,
            };
            let profile = directory.join(format!("{person}-{turn}"));
            match away::again(|| Client::enrol(&link, &pin, DEVICE, &profile)).await {
                Ok((client, _)) => return Self::follow(client, pin, says),
                Err(Failure::Client(Error::Refused(_))) if turn < CODES_MAX => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Refused("The box lets no device in.".to_owned()))
    }

    fn follow(client: Client, pin: Pin, says: bool) -> Result<Self, Failure> {
        let events = client.events().ok_or(Failure::Machine("The events are taken.".to_owned()))?;
        let heard = Arc::new(watch::Sender::new(Heard::default()));
        let tasks = vec![tokio::spawn(listen(client.clone(), events, heard.clone(), (pin, says)))];
        Ok(Self { client, heard, tasks })
    }

    /// From now on somebody has it in front of them.
    pub(super) async fn in_hand(&mut self) {
        let _ = self.client.here().await;
        let client = self.client.clone();
        self.tasks.push(tokio::spawn(async move { station::here(&client).await }));
    }

    pub(super) fn person(&self) -> PersonId {
        self.client.identity().person
    }

    /// Waits until it has heard something.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        find: impl Fn(&Heard) -> Option<T>,
    ) -> Result<T, Failure> {
        let mut heard = self.heard.subscribe();
        let heard = async {
            loop {
                {
                    let now = heard.borrow_and_update();
                    now.sound()?;
                    if let Some(found) = find(&now) {
                        return Ok(found);
                    }
                    if let Some(why) = &now.ended {
                        return Err(Failure::Refused(why.clone()));
                    }
                }
                if heard.changed().await.is_err() {
                    return Err(Failure::Machine("A phone of the demo has ended.".to_owned()));
                }
            }
        };
        match tokio::time::timeout(PATIENCE, say::patiently(what, heard)).await {
            Ok(found) => found,
            Err(_) => {
                let late = format!("{what} That did not come within {} s.", PATIENCE.as_secs());
                Err(Error::Offline(late).into())
            }
        }
    }

    /// Nothing happened so far that must not.
    pub(super) fn sound(&self) -> Result<(), Failure> {
        self.heard.borrow().sound()
    }

    /// Waits until everything that the box said to it before now is dealt with.
    pub(super) async fn settled(&self) -> Result<(), Failure> {
        match away::again(|| self.client.units()).await {
            // A screen is answered nothing else.
            Ok(_) | Err(Failure::Client(Error::Refused(_))) => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(SETTLE).await;
        Ok(())
    }

    /// Whether a STAT may ring here.
    pub(super) fn may_ring(&self, stat: StatRef, may: bool) {
        self.heard.send_modify(|heard| {
            if may {
                heard.over.remove(&stat);
            } else {
                heard.over.insert(stat);
            }
        });
    }

    pub(super) async fn close(self) {
        self.client.close().await;
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn listen(
    client: Client,
    mut events: Events,
    heard: Arc<watch::Sender<Heard>>,
    (pin, says): (Pin, bool),
) {
    let mut is_away = false;
    while let Some(event) = events.next().await {
        if matches!(event, Event::PinNeeded { .. } | Event::Locked { .. })
            && let Ok(pin) = Pin::offer(pin.reveal().to_owned())
        {
            let client = client.clone();
            // Not here: the box's answer waits behind events.
            tokio::spawn(async move { client.unlock(pin).await });
        }
        match event {
            Event::Reconnecting { .. } if says && !is_away => {
                is_away = true;
                say::note("The box does not answer just now. The phones try again by themselves.");
            }
            Event::Connected(_) if is_away => {
                is_away = false;
                say::note("The box is back, and the phones with it.");
            }
            _ => {}
        }
        heard.send_modify(|heard| heard.learn(event));
    }
}

impl Heard {
    fn learn(&mut self, event: Event) {
        match event {
            // What rings is told anew.
            Event::Connected(_) => self.rings.clear(),
            Event::CaughtUp => self.is_caught_up = true,
            Event::Conversation(conversation) => {
                self.conversations.insert(conversation.id, conversation);
            }
            Event::Gone(conversation) => {
                self.conversations.remove(&conversation);
            }
            Event::Message(message) => {
                self.messages.insert((message.conversation, message.sequence));
            }
            Event::Ring(ring) => {
                if self.over.contains(&ring.stat) && ring.stands != Stands::Accepted {
                    self.broken = Some("A STAT rang after it was answered.".to_owned());
                }
                self.rings.insert(ring.stat, ring.stands);
            }
            Event::Silence(stat, _) => {
                self.rings.remove(&stat);
            }
            Event::Escalation(told) if !self.told.contains(&told) => self.told.push(told),
            Event::Ended(end) => self.ended = Some(end.to_string()),
            _ => {}
        }
    }

    /// Whether it calls somebody here.
    pub(super) fn is_called(&self, stat: StatRef) -> bool {
        matches!(self.rings.get(&stat), Some(Stands::Ringing | Stands::Held))
    }

    fn sound(&self) -> Result<(), Failure> {
        match &self.broken {
            Some(what) => Err(Failure::Refused(format!("The box did what it must not do: {what}"))),
            None => Ok(()),
        }
    }
}

/// Twelve digits: the device is thrown away at the end.
fn random_pin() -> Result<Pin, Failure> {
    loop {
        let mut bytes = [0; 12];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| Failure::Machine("There is no randomness to be had.".to_owned()))?;
        let digits = bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        // One in very many is too easy.
        if let Ok(pin) = Pin::choose(digits) {
            return Ok(pin);
        }
    }
}

#[cfg(test)]
mod tests {
    use wardline_client::stat::Ring;

    use super::*;

    #[test]
    fn what_rings_after_an_answer_is_found() {
        let stat = StatRef { conversation: ConversationId::new(7).unwrap(), sequence: Sequence(3) };
        let ring = |stands| {
            let (sender_title, dial) = (String::new(), String::new());
            Event::Ring(Ring { stat, stands, unit: None, sender_title, opened: 0, dial })
        };
        let mut heard = Heard::default();
        heard.learn(ring(Stands::Ringing));
        assert!(heard.is_called(stat));
        heard.learn(Event::Silence(stat, None));
        assert!(!heard.is_called(stat));
        heard.over.insert(stat);
        heard.learn(ring(Stands::Accepted));
        assert!(heard.sound().is_ok(), "whoever has it is shown that they do");
        heard.learn(ring(Stands::Held));
        assert_eq!(heard.sound().unwrap_err().code(), 3);
    }
}
