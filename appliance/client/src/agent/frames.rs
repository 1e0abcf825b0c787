//! In: what the box sends, and what it means for the user.

use std::time::Duration;

use tokio::time::Instant;
use wardline_core::ids::{ConversationId, PersonId, Sequence};
use wardline_core::wire::proto::{self, client_frame, server_frame::Body};

use super::{Agent, Link, QUEUE_MAX, Sync, Up};
use crate::availability::OwnAvailability;
use crate::call::Device;
use crate::client::Standing;
use crate::clock;
use crate::error::{CloseText, End, Error, Refused, Unreachable};
use crate::event::{Conversation, Event, Person, SignedIn};
use crate::inboxes::GapAhead;
use crate::inflight::Asked;
use crate::offers::{Fate, Offer};
use crate::settle::Stamp;
use crate::stat::{Ring, UrgentWaits, stat_of};

impl Agent {
    pub(super) fn frame(&mut self, frame: proto::ServerFrame) -> Result<(), End> {
        let request = frame.request;
        match frame.body {
            // A later version's: not for us.
            None => Ok(()),
            Some(Body::Delivery(delivery)) => self.delivery(delivery),
            Some(Body::SyncStarted(started)) => {
                self.sync_started(request, started.snapshot);
                Ok(())
            }
            Some(Body::Synced(synced)) => {
                self.asked.answered(request);
                self.synced(synced.cursor);
                Ok(())
            }
            Some(Body::Accepted(accepted)) => {
                self.asked.answered(request);
                self.accepted(accepted)
            }
            Some(Body::Locked(locked)) => {
                self.locked(locked.tries_left);
                Ok(())
            }
            Some(Body::Draining(draining)) => {
                let after = Duration::from_millis(draining.retry_after.clamp(200, 60_000));
                let why = CloseText::Transport("it is restarting".to_owned());
                self.attempt = 0;
                self.lost(Unreachable::Closed(why).into(), Some(after + clock::part_of(after)))
            }
            Some(Body::Refused(refused)) => self.refused(request, Refused::from_wire(refused)),
            Some(Body::SignedIn(signed_in)) => self.signed_in(request, signed_in),
            Some(Body::Ring(ring)) => {
                if let Ok(ring) = Ring::from_wire(ring) {
                    self.rings.insert(ring.stat, ring.clone());
                    self.tell(Event::Ring(ring));
                }
                Ok(())
            }
            Some(Body::TaskOverdue(told)) => {
                if let Some(conversation) = ConversationId::new(told.conversation) {
                    self.tell(Event::TaskOverdue { conversation, sequence: Sequence(told.sequence) });
                }
                Ok(())
            }
            Some(Body::OwnAvailability(told)) => {
                self.tell(Event::OwnAvailability(OwnAvailability::from_wire(told)));
                Ok(())
            }
            Some(Body::SuspensionsWaiting(told)) => {
                let (waiting, overdue) = (told.waiting, told.overdue);
                self.tell(Event::SuspensionsWaiting { waiting, overdue });
                Ok(())
            }
            Some(Body::DeviceCopied(told)) => {
                let device = told.device.and_then(|device| Device::from_wire(device).ok());
                if let (Some(person), Some(device)) = (PersonId::new(told.person), device) {
                    self.tell(Event::DeviceCopied { person, device });
                }
                Ok(())
            }
            Some(Body::EmergenciesWaiting(told)) => {
                self.tell(Event::EmergenciesWaiting(told.waiting));
                Ok(())
            }
            Some(Body::OfferNews(news)) => {
                let offer = news.offer.as_ref().and_then(|offer| Offer::from_wire(offer).ok());
                if let (Some(offer), Some(fate)) = (offer, Fate::from_wire(news.fate())) {
                    self.tell(Event::Offer(offer, fate));
                }
                Ok(())
            }
            Some(Body::RoleGapAhead(gap)) => {
                if let Ok(gap) = GapAhead::from_wire(gap) {
                    self.tell(Event::RoleGap(gap));
                }
                Ok(())
            }
            Some(Body::UrgentWaits(waits)) => {
                if let Ok(message) = stat_of(waits.conversation, waits.sequence) {
                    let proto::UrgentWaits { since, dial, .. } = waits;
                    self.tell(Event::UrgentWaits(UrgentWaits { message, since, dial }));
                }
                Ok(())
            }
            Some(Body::UrgentOver(over)) => {
                if let Ok(message) = stat_of(over.conversation, over.sequence) {
                    self.tell(Event::UrgentOver(message));
                }
                Ok(())
            }
            Some(Body::Silence(silence)) => {
                if let Ok(stat) = stat_of(silence.conversation, silence.sequence) {
                    self.rings.remove(&stat);
                    self.tell(Event::Silence(stat, PersonId::new(silence.by)));
                }
                Ok(())
            }
            Some(answer) => {
                self.learn(&answer);
                match self.asked.answered(request) {
                    Some(Asked::Call(reply)) => drop(reply.send(Ok(answer))),
                    Some(Asked::Echo) => self.echoed(request),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn signed_in(&mut self, request: u64, wire: proto::SignedIn) -> Result<(), End> {
        let Link::Up(Up { facility, .. }) = &self.link else { return Ok(()) };
        match SignedIn::from_wire(wire, facility) {
            Ok(signed_in) => {
                let asked = self.asked.answered(request);
                self.opened(signed_in.clone());
                // Not before: whoever is told that the PIN was right, and looks how things stand, must not find it asked for.
                if let Some(Asked::Unlock(reply)) = asked {
                    let _ = reply.send(Ok(signed_in));
                }
                Ok(())
            }
            Err(error) => self.lost(error, None),
        }
    }

    /// The session is open: everything that waited goes.
    pub(super) fn opened(&mut self, signed_in: SignedIn) {
        if let Link::Up(up) = &mut self.link {
            up.open = Some(Instant::now());
            up.sync = Sync::No;
            // A screen is delivered nothing: it hears what rings.
            up.screen = signed_in.station.is_some();
        }
        self.outbox.raise_floor(signed_in.last_number);
        self.taken_before = signed_in.last_number;
        // What was declined for being locked need not wait.
        self.delayed.clear();
        self.stand(Standing::Open(signed_in.clone()));
        self.connected(signed_in);
        self.offer_pin();
        self.start_sync();
        for (body, reply) in std::mem::take(&mut self.questions) {
            let request = self.asked.ask(Asked::Call(reply), Instant::now());
            self.send_frame(request, body);
        }
    }

    fn connected(&mut self, signed_in: SignedIn) {
        // What nobody takes is not queued, and must not count as that: who follows later is told all of it.
        if self.following {
            let joined = self.state.devices(&signed_in.devices);
            self.tell(Event::Connected(signed_in));
            self.queue_all(joined, None);
        }
    }

    fn locked(&mut self, tries_left: u32) {
        if let Link::Up(up) = &mut self.link {
            up.open = None;
            up.sync = Sync::No;
        }
        self.asked.locked(tries_left);
        self.stand(Standing::PinNeeded { tries_left });
        self.tell(Event::Locked { tries_left });
        self.offer_pin();
    }

    fn refused(&mut self, request: u64, refused: Refused) -> Result<(), End> {
        use proto::RefusalCode as Code;
        match self.asked.answered(request) {
            Some(Asked::Submit(id, _)) => self.declined(id, refused),
            Some(Asked::Call(reply)) => {
                let _ = reply.send(Err(refused.into()));
                Ok(())
            }
            Some(Asked::Unlock(reply)) => {
                let (code, tries_left) = (refused.code, refused.tries_left);
                let _ = reply.send(Err(refused.clone().into()));
                match code {
                    Code::PinLockedOut
                    | Code::DeviceUnknown
                    | Code::DeviceCopied
                    | Code::PersonSuspended
                    | Code::AgencyOver
                    | Code::FamilyOver => Err(End::Refused(refused)),
                    Code::PinWrong => {
                        self.stand(Standing::PinNeeded { tries_left });
                        self.tell(Event::PinNeeded { tries_left });
                        // One that was offered meanwhile: one at a time.
                        self.offer_pin();
                        Ok(())
                    }
                    _ => {
                        self.offer_pin();
                        Ok(())
                    }
                }
            }
            Some(Asked::Sync) if refused.code == Code::CursorInvalid => {
                // The box has another past than this device: from the start.
                self.state.another_past();
                self.unsynced();
                self.start_sync();
                Ok(())
            }
            // A session that has just locked syncs again once it is open.
            Some(Asked::Sync) if refused.code == Code::Locked => {
                self.unsynced();
                Ok(())
            }
            Some(Asked::Sync) => self.failed(refused.into()),
            // A box from before there were echoes: an answer all the same.
            Some(Asked::Echo) => {
                self.echoed(request);
                Ok(())
            }
            // A receipt of a conversation that has just gone; or the reason why the box is about to close.
            None => {
                if let (0, Link::Up(up)) = (request, &mut self.link) {
                    up.last_words = Some(refused);
                }
                Ok(())
            }
        }
    }

    /// Somebody takes the events from now on.
    pub(super) fn follow(&mut self) {
        self.following = true;
        let now = self.standing.borrow().clone();
        match now {
            Standing::Open(signed_in) => self.connected(signed_in),
            Standing::PinNeeded { tries_left } => self.tell(Event::PinNeeded { tries_left }),
            Standing::Waiting(why) => {
                let untrusted = matches!(*why, Error::Untrusted(_));
                self.tell(Event::Reconnecting { after: Duration::ZERO, why: why.to_string(), untrusted });
            }
            _ => {}
        }
        // The box tells a connection once what rings: before anybody followed, perhaps.
        for ring in self.rings.values().cloned().collect::<Vec<_>>() {
            self.tell(Event::Ring(ring));
        }
        let failed: Vec<_> = self
            .outbox
            .waiting()
            .filter_map(|waiting| Some((waiting.id, waiting.conversation, waiting.failed.clone()?)))
            .collect();
        for (id, conversation, refused) in failed {
            self.tell_failed(id, conversation, refused);
        }
        self.start_sync();
    }

    fn unsynced(&mut self) {
        if let Link::Up(up) = &mut self.link {
            up.sync = Sync::No;
        }
    }

    fn start_sync(&mut self) {
        let ready =
            matches!(&self.link, Link::Up(up) if up.open.is_some() && !up.screen && up.sync == Sync::No);
        if !ready || !self.following {
            return;
        }
        let request = self.asked.ask(Asked::Sync, Instant::now());
        if let Link::Up(up) = &mut self.link {
            up.sync = Sync::Asked(request);
        }
        let cursor = self.state.cursor.clone();
        self.send_frame(request, client_frame::Body::Sync(proto::Sync { cursor }));
    }

    /// The queue has drained: what was dropped for its length is asked for again.
    pub(super) fn resume_sync(&mut self) {
        if self.queue.is_empty() {
            self.start_sync();
        }
    }

    /// The answer to a sync; or, unasked, a box that rather gives a snapshot than everything this device missed.
    fn sync_started(&mut self, request: u64, snapshot: bool) {
        let Link::Up(up) = &mut self.link else { return };
        match up.sync {
            Sync::Asked(asked) if asked == request => up.sync = Sync::Running,
            Sync::Running => {}
            // Of a delivery that this device has given up.
            Sync::Asked(_) | Sync::No => return,
        }
        self.state.sync_started(snapshot);
        if snapshot {
            // Once the user has forgotten what stood, the cursor from before is worth nothing on the disk either.
            self.queue(Some(Event::Snapshot), Stamp { cursor: Some(Vec::new()), ..Stamp::default() });
        }
    }

    fn is_running(&self) -> bool {
        matches!(&self.link, Link::Up(up) if up.sync == Sync::Running)
    }

    fn delivery(&mut self, delivery: proto::Delivery) -> Result<(), End> {
        if self.is_running() && self.queue.len() >= QUEUE_MAX {
            // Dropped, and everything behind it: the cursor stays before it.
            self.unsynced();
        }
        let kind = delivery.event.and_then(|event| event.kind);
        // A new device is never dropped: asking from a cursor does not bring it again.
        let joined = matches!(kind, Some(proto::event::Kind::DeviceJoined(_)));
        if !self.is_running() && !joined {
            return Ok(());
        }
        let events = match kind.map(|kind| self.state.apply(kind)) {
            Some(Ok(events)) => events,
            Some(Err(error)) => return self.lost(error, None),
            // A later version's: passed over, and not asked for again.
            None => vec![],
        };
        if !self.is_running() {
            self.queue_all(events, None);
            return Ok(());
        }
        let cursor = (delivery.cursor.len() == 16 && !self.state.in_snapshot()).then_some(delivery.cursor);
        if let Some(cursor) = &cursor {
            self.state.cursor.clone_from(cursor);
        }
        self.queue_all(events, cursor);
        Ok(())
    }

    fn queue_all(&mut self, events: Vec<Event>, cursor: Option<Vec<u8>>) {
        let me = self.profile.identity.person;
        for event in events {
            let message = match &event {
                // From another device of this person: shown, not receipted.
                Event::Message(message) => {
                    Some((message.conversation, message.sequence, message.sender == me))
                }
                _ => None,
            };
            let device = match &event {
                Event::DeviceJoined(device) => Some(device.id),
                _ => None,
            };
            self.queue(Some(event), Stamp { message, device, ..Stamp::default() });
        }
        if cursor.is_some() {
            self.queue(None, Stamp { cursor, ..Stamp::default() });
        }
    }

    fn synced(&mut self, cursor: Vec<u8>) {
        if !self.is_running() {
            return;
        }
        let gone = self.state.synced();
        let cursor = (cursor.len() == 16).then_some(cursor);
        if let Some(cursor) = &cursor {
            self.state.cursor.clone_from(cursor);
        }
        self.queue_all(gone, None);
        self.queue(Some(Event::CaughtUp), Stamp { cursor, ..Stamp::default() });
        for (conversation, delivered) in self.state.undelivered() {
            self.receipt(conversation, delivered, Sequence(0));
        }
    }

    /// What answers say of people and conversations is known from then on.
    fn learn(&mut self, answer: &Body) {
        match answer {
            Body::Opened(proto::Opened { conversation: Some(wire) }) => {
                if let Ok(conversation) = Conversation::from_wire(wire.clone()) {
                    self.state.conversation(conversation);
                }
            }
            Body::PeoplePage(page) => {
                for person in page.people.iter().filter_map(|wire| Person::from_wire(wire.clone()).ok()) {
                    self.state.person(person);
                }
            }
            _ => {}
        }
    }
}
