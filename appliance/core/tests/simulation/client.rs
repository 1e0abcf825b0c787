//! An honest client: an outbox that retries under the same number until it is answered, an inbox keyed by
//! conversation and sequence, a cursor that is kept once the event is kept. What it shows is checked as it shows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wardline_core::directory::PublicKey;
use wardline_core::ids::DeviceId;
use wardline_core::input::Zone;
use wardline_core::session;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::attachments::{Bringing, called};
use crate::composed::Composed;
use crate::coverage::{Coverage, Situation};
use crate::inbox::{Inbox, Way};
use crate::orders::{self, Hand};
use crate::passkeys::Passkeys;
use crate::signed::are_signed;
use crate::toys;

/// Submissions on their way at a time.
const WINDOW: usize = 4;

/// What a replay says whose text is gone from the store.
pub(crate) const REPLAY: &str = "again";

pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) person: usize,
    pub(crate) key: PublicKey,
    pub(crate) zone: Zone,
    pub(crate) device: Option<DeviceId>,
    /// Of this person, as far as this one was told.
    devices: Vec<u64>,
    pub(crate) pin: String,
    /// Types wrong PINs so many times in a thousand.
    pub(crate) clumsy: u64,
    pub(crate) code: Option<String>,
    /// Its key may be copied, so it is given secrets; and the one that it has.
    rotates: bool,
    /// It asks for one when it joins, or later only.
    at_once: bool,
    pub(crate) secret: Vec<u8>,
    /// Under what it seals what is composed. Gone with the lock.
    pub(crate) lease: Option<u64>,
    /// For the device, which is locked: and how many PINs it has had chosen so.
    pub(crate) pin_code: Option<String>,
    pub(crate) pins: u32,
    /// Codes for others' locked devices that this one was given: whose, and which.
    pub(crate) pin_codes: Vec<(u64, String)>,
    pub(crate) link: Option<u64>,
    pub(crate) phase: Phase,
    /// Comes from outside: asks at a bed, and begins anew when it is over.
    pub(crate) visits: bool,
    /// Codes that it was given to hang at beds.
    pub(crate) bedside: Vec<String>,
    /// May not come back: revoked or locked out.
    pub(crate) barred: bool,
    pub(crate) suspended: bool,
    pub(crate) cursor: Vec<u8>,
    pub(crate) inbox: Inbox,
    /// The directory and the units, as far as this device was told.
    pub(crate) people: BTreeMap<u64, proto::Person>,
    pub(crate) units: BTreeMap<u64, String>,
    pub(crate) outbox: VecDeque<Letter>,
    pub(crate) next_number: u64,
    pub(crate) to_send: Vec<proto::ClientFrame>,
    /// Requests under way and what they were.
    pub(crate) asked: Vec<(u64, Ask)>,
    next_request: u64,
    /// Acknowledgements: message, conversation, sequence.
    pub(crate) acked: Vec<(Vec<u8>, u64, u64)>,
    pub(crate) locked_seen: bool,
    /// The last edit that it asked for: asked for again as if the answer had been lost.
    pub(crate) edited: Option<proto::EditMessage>,
    /// What rings here: conversation, sequence; and whether it is held.
    pub(crate) rings: BTreeMap<(u64, u64), i32>,
    /// Emergency accesses that wait for a review, as a privacy officer was told.
    pub(crate) to_review: u32,
    /// Suspensions that wait, as an administrator was told.
    pub(crate) to_decide: u32,
    /// When to be silent, and for whom they cover.
    pub(crate) own: proto::OwnAvailability,
    /// Offers of roles that it was told of and that nothing has become of.
    pub(crate) offered: BTreeSet<u64>,
    /// How STATs stand, as far as this device was told.
    pub(crate) stats: BTreeMap<(u64, u64), proto::Escalation>,
    /// How tasks stand, as far as this device was told.
    pub(crate) tasks: BTreeMap<(u64, u64), proto::Task>,
    /// And orders.
    pub(crate) orders: BTreeMap<(u64, u64), proto::Order>,
    /// Files that it brings.
    pub(crate) bringing: Vec<Bringing>,
    pub(crate) passkeys: Passkeys,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Phase {
    Off,
    Hello,
    Proof,
    PinDue,
    PinSent,
    In,
    Syncing,
    Synced,
}

/// A message on its way out.
pub(crate) struct Letter {
    pub(crate) number: Option<u64>,
    pub(crate) message: [u8; 16],
    pub(crate) conversation: u64,
    pub(crate) text: String,
    pub(crate) priority: proto::Priority,
    pub(crate) call: Option<proto::Call>,
    pub(crate) reply_to: u64,
    /// People, and roles.
    pub(crate) mentions: (Vec<u64>, Vec<u64>),
    /// Uploads.
    pub(crate) files: Vec<Vec<u8>>,
    /// What it is to an order, and how it is signed.
    pub(crate) order: Option<(proto::OrderPart, Hand)>,
    /// Sealed when it was composed.
    pub(crate) composed: Option<Composed>,
    /// Sent on this connection and not answered.
    pub(crate) under_way: bool,
    pub(crate) tries: u32,
}

impl Letter {
    /// Unsigned.
    pub(crate) fn submit(&self, number: u64) -> proto::Submit {
        proto::Submit {
            number,
            message: self.message.to_vec(),
            conversation: self.conversation,
            text: self.text.clone(),
            priority: self.priority.into(),
            call: self.call.clone(),
            reply_to: self.reply_to,
            mention_people: self.mentions.0.clone(),
            mention_roles: self.mentions.1.clone(),
            attachments: attached(&self.files),
            order: self.order.as_ref().map(|(part, _)| part.clone()),
        }
    }
}

impl Client {
    pub(crate) fn new(name: String, person: usize, secret: u64, zone: Zone, clumsy: u64) -> Self {
        Self {
            pin: format!("pin of {name}"),
            name,
            person,
            key: toys::public_key(secret),
            zone,
            device: None,
            devices: Vec::new(),
            clumsy,
            code: None,
            rotates: secret.is_multiple_of(2),
            at_once: !secret.is_multiple_of(3),
            secret: Vec::new(),
            lease: None,
            pin_code: None,
            pins: 0,
            pin_codes: Vec::new(),
            link: None,
            phase: Phase::Off,
            visits: false,
            bedside: Vec::new(),
            barred: false,
            suspended: false,
            cursor: Vec::new(),
            inbox: Inbox::default(),
            people: BTreeMap::new(),
            units: BTreeMap::new(),
            outbox: VecDeque::new(),
            next_number: 1,
            to_send: Vec::new(),
            asked: Vec::new(),
            next_request: 1,
            acked: Vec::new(),
            locked_seen: false,
            edited: None,
            rings: BTreeMap::new(),
            to_review: 0,
            to_decide: 0,
            own: proto::OwnAvailability::default(),
            offered: BTreeSet::new(),
            stats: BTreeMap::new(),
            tasks: BTreeMap::new(),
            orders: BTreeMap::new(),
            bringing: Vec::new(),
            passkeys: Passkeys::default(),
        }
    }

    /// For somebody who is not of the staff.
    pub(crate) fn visiting(self) -> Self {
        Self { visits: true, ..self }
    }

    /// Queues a frame.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let request = self.next_request;
        self.next_request += 1;
        self.asked.push((request, ask.clone()));
        self.to_send.push(proto::ClientFrame { request, body: Some(ask) });
    }

    /// How often it has asked anything.
    pub(crate) fn asks(&self) -> u64 {
        self.next_request
    }

    pub(crate) fn connected(&mut self, link: u64) {
        (self.link, self.phase) = (Some(link), Phase::Hello);
        let device = self.device.map_or(0, DeviceId::value);
        let client = "simulation 1".to_owned();
        self.ask(Ask::Hello(proto::Hello { version_min: 1, version_max: 1, client, device }));
    }

    /// The connection is gone, whoever ended it. What was under way is unanswered.
    pub(crate) fn disconnected(&mut self) {
        (self.link, self.phase, self.lease) = (None, Phase::Off, None);
        self.passkeys.waits(false);
        self.rings.clear();
        (self.to_review, self.to_decide) = (0, 0);
        self.own = proto::OwnAvailability::default();
        self.offered.clear();
        self.asked.clear();
        self.to_send.clear();
        for letter in &mut self.outbox {
            letter.under_way = false;
        }
    }

    pub(crate) fn is_in(&self) -> bool {
        matches!(self.phase, Phase::In | Phase::Syncing | Phase::Synced)
    }

    /// Sends what waits, in order, each number above the last.
    pub(crate) fn flush_outbox(&mut self) {
        if !self.is_in() {
            return self.flush_composed();
        }
        let waiting: Vec<usize> =
            (0..self.outbox.len().min(WINDOW)).filter(|i| !self.outbox[*i].under_way).collect();
        for index in waiting {
            let next = self.next_number;
            let letter = &mut self.outbox[index];
            let number = *letter.number.get_or_insert(next);
            self.next_number = self.next_number.max(number + 1);
            letter.under_way = true;
            letter.tries += 1;
            if let Some(composed) = &letter.composed {
                let ask = composed.ask(&letter.message, number);
                self.ask(ask);
                continue;
            }
            let order = letter.order.clone();
            let mut submit = letter.submit(number);
            if let Some((_, hand)) = order {
                hand.sign(self, &mut submit);
            }
            self.ask(Ask::Submit(submit));
        }
    }

    pub(crate) fn sync(&mut self) {
        self.phase = Phase::Syncing;
        self.ask(Ask::Sync(proto::Sync { cursor: self.cursor.clone() }));
    }

    /// Says what it has, and what its person has seen.
    pub(crate) fn receipt(&mut self, conversation: u64, read: bool) {
        if let Some(place) = self.inbox.places.get(&conversation) {
            let delivered = place.contiguous;
            let read = if read { delivered } else { 0 };
            self.ask(Ask::Receipt(proto::Receipt { conversation, delivered, read }));
        }
    }

    /// One frame came.
    pub(crate) fn receive(
        &mut self,
        frame: proto::ServerFrame,
        exporter: &[u8; 32],
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let asked =
            self.asked.iter().position(|(request, _)| *request == frame.request && frame.request != 0);
        let asked = asked.map(|at| self.asked.remove(at).1);
        let body = frame.body.ok_or("an empty frame")?;
        match body {
            Body::Welcome(welcome) => self.welcomed(&welcome, exporter),
            Body::PinNeeded(needed) => {
                self.passkeys.waits(needed.passkey);
                self.phase = Phase::PinDue;
                Ok(())
            }
            Body::SignedIn(signed_in) => {
                self.device = DeviceId::new(signed_in.device);
                // Before anything else is asked.
                if !signed_in.login_secret.is_empty() {
                    self.secret.clone_from(&signed_in.login_secret);
                }
                self.lease = signed_in.lease.map(|lease| lease.number);
                for composed in self.outbox.iter_mut().filter_map(|letter| letter.composed.as_mut()) {
                    composed.waits = false;
                }
                // What rings is told anew.
                self.rings.clear();
                (self.to_review, self.to_decide) = (0, 0);
                self.own = proto::OwnAvailability::default();
                self.offered.clear();
                self.devices = signed_in.devices.iter().map(|device| device.device).collect();
                self.code = None;
                self.pin_code = None;
                self.next_number = self.next_number.max(signed_in.last_number + 1);
                if self.locked_seen {
                    coverage.reach(Situation::Unlocked);
                }
                if std::mem::take(&mut self.suspended) {
                    coverage.reach(Situation::RestoredSignedIn);
                }
                (self.phase, self.locked_seen) = (Phase::In, false);
                Ok(())
            }
            Body::PasskeyChallenge(told) => {
                self.passkey_asked(&told);
                Ok(())
            }
            Body::Locked(locked) => {
                self.passkeys.waits(locked.passkey);
                let before = self.asked.len();
                self.asked.retain(|(_, ask)| !matches!(ask, Ask::Lock(_)));
                if self.asked.len() < before {
                    coverage.reach(Situation::LockedByHand);
                }
                // Pages that were on their way are taken back with the deliveries.
                self.asked
                    .retain(|(_, ask)| !matches!(ask, Ask::History(_) | Ask::Sync(_) | Ask::ReadStat(_)));
                (self.phase, self.locked_seen, self.lease) = (Phase::PinDue, true, None);
                Ok(())
            }
            Body::SyncStarted(started) => {
                self.inbox.sync_started(started.snapshot);
                if started.snapshot {
                    // What is forgotten here does not come behind the cursor that was kept before: one that breaks off begins anew.
                    self.cursor.clear();
                    self.tasks.clear();
                    self.orders.clear();
                    self.stats.clear();
                }
                Ok(())
            }
            Body::Synced(synced) => {
                self.inbox.synced();
                (self.phase, self.cursor) = (Phase::Synced, synced.cursor);
                Ok(())
            }
            Body::VisitAsked(asked) => {
                self.device = DeviceId::new(asked.device);
                Ok(())
            }
            Body::BedsideCode(made) => {
                self.bedside.push(made.code);
                Ok(())
            }
            Body::JoinCode(code) => {
                if let Some(Ask::ClearPin(clear)) = asked {
                    self.pin_codes.push((clear.person, code.code));
                }
                Ok(())
            }
            Body::Accepted(accepted) => self.accepted(&accepted, asked, coverage),
            Body::Ring(ring) => {
                let key = (ring.conversation, ring.sequence);
                match ring.state() {
                    proto::EscalationState::Accepted => drop(self.rings.remove(&key)),
                    state => drop(self.rings.insert(key, state.into())),
                }
                Ok(())
            }
            Body::EmergenciesWaiting(told) => {
                self.to_review = told.waiting;
                Ok(())
            }
            Body::OwnAvailability(told) => {
                self.own = told;
                Ok(())
            }
            Body::SuspensionsWaiting(told) => {
                self.to_decide = told.waiting;
                Ok(())
            }
            Body::OfferNews(news) => {
                let offer = news.offer.as_ref().ok_or("news of no offer")?;
                match news.fate() {
                    proto::OfferFate::Made => self.offered.insert(offer.offer),
                    _ => self.offered.remove(&offer.offer),
                };
                Ok(())
            }
            Body::Silence(silence) => {
                self.rings.remove(&(silence.conversation, silence.sequence));
                Ok(())
            }
            Body::HistoryPage(page)
                if !are_signed(&page, coverage) || !orders::are_signed(&page, coverage) =>
            {
                Err("a page with what nobody signed about it".to_owned())
            }
            Body::HistoryPage(page) => match asked {
                Some(Ask::ReadStat(read)) => match &page.messages[..] {
                    [] => Ok(()),
                    [one] if one.sequence == read.sequence && one.conversation == read.conversation => Ok(()),
                    _ => Err("more than the one message that rings".to_owned()),
                },
                Some(Ask::History(history)) => self.inbox.page(&page, history.before, coverage),
                _ => Err("a page nobody asked for".to_owned()),
            },
            Body::Delivery(delivery) => {
                if !self.is_in() {
                    return Err(format!("{} is shown something while locked", self.name));
                }
                self.deliver(delivery, coverage)
            }
            Body::Opened(opened) => {
                // The box's word on one conversation; also announced, which is what the inbox goes by.
                opened.conversation.ok_or("opened nothing")?;
                Ok(())
            }
            Body::Done(_) => {
                if let Some(Ask::FinishUpload(finish)) = asked {
                    let mut all = self.bringing.iter_mut();
                    if let Some(known) = all.find(|known| known.begin.upload == finish.upload) {
                        known.done = true;
                    }
                }
                Ok(())
            }
            Body::Refused(refused) => self.refused(refused.code(), asked, coverage),
            _ => Ok(()),
        }
    }

    fn welcomed(&mut self, welcome: &proto::Welcome, exporter: &[u8; 32]) -> Result<(), String> {
        let challenge: [u8; 32] =
            welcome.challenge.as_slice().try_into().map_err(|_| "challenge of wrong size")?;
        self.phase = Phase::Proof;
        if let Some(code) = self.pin_code.clone() {
            let hash = wardline_core::pin::join_code_hash(&code);
            let message = session::join_message(&challenge, exporter, &hash, &self.key);
            self.ask(Ask::Join(proto::Join {
                code,
                device_key: self.key.as_bytes().to_vec(),
                device_name: "phone".to_owned(),
                pin: self.pin.clone(),
                signature: toys::sign(&self.key, &message).to_vec(),
                rotates: false,
                login_secret: self.secret.clone(),
            }));
        } else if let Some(device) = self.device {
            let message = session::sign_in_message(&challenge, exporter, device);
            let signature = toys::sign(&self.key, &message).to_vec();
            let (device, rotates, login_secret) = (device.value(), self.rotates, self.secret.clone());
            self.ask(Ask::Prove(proto::Prove { device, signature, rotates, login_secret }));
        } else if let Some(code) = self.code.clone().filter(|_| self.visits) {
            let hash = wardline_core::pin::bedside_code_hash(&code);
            let message = session::visit_message(&challenge, exporter, &hash, &self.key);
            self.ask(Ask::AskToVisit(proto::AskToVisit {
                code,
                device_key: self.key.as_bytes().to_vec(),
                device_name: "phone".to_owned(),
                pin: self.pin.clone(),
                signature: toys::sign(&self.key, &message).to_vec(),
                name: self.name.clone(),
                relation: "daughter".to_owned(),
            }));
        } else if let Some(code) = self.code.clone() {
            let hash = wardline_core::pin::join_code_hash(&code);
            let message = session::join_message(&challenge, exporter, &hash, &self.key);
            self.ask(Ask::Join(proto::Join {
                code,
                device_key: self.key.as_bytes().to_vec(),
                device_name: self.name.clone(),
                pin: self.pin.clone(),
                signature: toys::sign(&self.key, &message).to_vec(),
                rotates: self.rotates && self.at_once,
                login_secret: Vec::new(),
            }));
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: proto::Delivery, coverage: &mut Coverage) -> Result<(), String> {
        use proto::event::Kind;
        match delivery.event.and_then(|event| event.kind).ok_or("an empty event")? {
            Kind::Message(message) => self.inbox.message(&message, Way::Delivered, coverage)?,
            Kind::MessageChanged(message) => self.inbox.message(&message, Way::Changed, coverage)?,
            Kind::Order(told) => drop(self.orders.insert((told.conversation, told.sequence), told)),
            Kind::Task(told) => drop(self.tasks.insert((told.conversation, told.sequence), told)),
            Kind::Reactions(told) => self.inbox.reactions(&told, coverage)?,
            Kind::Conversation(conversation) => {
                let stats = conversation.stats.iter().cloned();
                let tasks = conversation.tasks.iter().copied();
                let orders = conversation.orders.iter().copied();
                self.orders.extend(orders.map(|order| ((order.conversation, order.sequence), order)));
                self.tasks.extend(tasks.map(|task| ((task.conversation, task.sequence), task)));
                self.stats.extend(stats.map(|stat| ((stat.conversation, stat.sequence), stat)));
                self.inbox.conversation(&conversation);
            }
            Kind::ConversationChanged(news) => {
                self.inbox.changed(&news).ok_or("news of an unknown conversation")?;
                coverage.reach(Situation::ConversationNews);
            }
            Kind::Notice(told) => self.inbox.notice(&told, coverage)?,
            Kind::Escalation(told) => drop(self.stats.insert((told.conversation, told.sequence), told)),
            Kind::Gone(gone) => {
                self.stats.retain(|(conversation, _), _| *conversation != gone.conversation);
                self.tasks.retain(|(conversation, _), _| *conversation != gone.conversation);
                self.orders.retain(|(conversation, _), _| *conversation != gone.conversation);
                self.inbox.places.remove(&gone.conversation);
            }
            Kind::Watermark(watermark) => {
                self.inbox.watermark(&watermark);
                coverage.reach(Situation::WatermarkPushed);
            }
            Kind::Person(person) => drop(self.people.insert(person.person, person)),
            Kind::Unit(unit) => drop(self.units.insert(unit.unit, unit.name)),
            Kind::DeviceJoined(joined) => self.device_joined(joined.device, coverage)?,
        }
        if delivery.cursor.len() != 16 {
            return Err("a delivery without its cursor".to_owned());
        }
        self.cursor = delivery.cursor;
        Ok(())
    }

    /// Once, when it was not in the list at sign-in: this person is told.
    fn device_joined(&mut self, device: u64, coverage: &mut Coverage) -> Result<(), String> {
        if self.devices.contains(&device) {
            return Err(format!("{} is told of {device} twice", self.name));
        }
        self.devices.push(device);
        coverage.reach(Situation::OwnerHearsOfNewDevice);
        Ok(())
    }

    fn accepted(
        &mut self,
        accepted: &proto::Accepted,
        asked: Option<Ask>,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let mine = self.outbox.iter().position(|letter| letter.message[..] == accepted.message[..]);
        self.acked.push((accepted.message.clone(), accepted.conversation, accepted.sequence));
        let (text, reply_to, files) = if let Some(letter) = mine.and_then(|at| self.outbox.remove(at)) {
            if letter.number != Some(accepted.number) {
                return Err(format!("{}: accepted under number {}", self.name, accepted.number));
            }
            if letter.tries > 1 {
                coverage.reach(Situation::AckLostThenAnsweredAgain);
            }
            (letter.text, letter.reply_to, letter.files)
        } else if let Some(Ask::SubmitSealed(_)) = asked {
            return Ok(());
        } else if let Some(Ask::Submit(submit)) = asked {
            coverage.reach(Situation::ReplayAnsweredAsFirst);
            if submit.text == REPLAY {
                return Ok(());
            }
            let files = submit.attachments.into_iter().map(|file| file.upload).collect();
            (submit.text, submit.reply_to, files)
        } else {
            return Err("an answer to nothing".to_owned());
        };
        let message = proto::Message {
            conversation: accepted.conversation,
            sequence: accepted.sequence,
            message: accepted.message.clone(),
            sender: 0,
            at: accepted.at,
            text,
            reply_to,
            attachments: shown(&files),
            ..proto::Message::default()
        };
        self.inbox.message(&message, Way::Own, coverage)?;
        self.bringing.retain(|known| !files.contains(&known.begin.upload));
        if !accepted.cursor.is_empty() {
            self.cursor.clone_from(&accepted.cursor);
        }
        Ok(())
    }

    fn refused(&mut self, code: Code, asked: Option<Ask>, coverage: &mut Coverage) -> Result<(), String> {
        match asked {
            Some(Ask::Submit(submit)) => self.submission_refused(code, &submit.message, coverage),
            Some(Ask::SubmitSealed(sealed)) => self.submission_refused(code, &sealed.message, coverage),
            Some(Ask::Sync(_)) => {
                if code == Code::CursorInvalid {
                    self.cursor.clear();
                }
                if self.phase == Phase::Syncing {
                    self.phase = Phase::In;
                }
            }
            Some(Ask::Unlock(_)) if matches!(code, Code::PinWrong | Code::Unavailable | Code::SlowDown) => {
                if code == Code::PinWrong {
                    coverage.reach(Situation::WrongPin);
                }
                self.phase = Phase::PinDue;
            }
            // Enrolled before, as it turns out: the box waits for the PIN, unless it closes.
            Some(Ask::Join(_) | Ask::AskToVisit(_))
                if matches!(code, Code::PinWrong | Code::Unavailable | Code::SlowDown) =>
            {
                self.phase = Phase::PinDue;
            }
            Some(Ask::AskPasskeyChallenge(_) | Ask::UnlockByPasskey(_)) => self.passkey_refused(code),
            Some(Ask::History(history)) => self.inbox.page_refused(history.conversation, code),
            // Nothing will come of it any more.
            Some(Ask::BeginUpload(begin)) if !is_for_now(code) && code != Code::UploadOther => {
                self.bringing.retain(|known| known.begin.upload != begin.upload);
            }
            Some(Ask::FinishUpload(finish))
                if matches!(code, Code::NoSuchUpload | Code::NoSuchConversation) =>
            {
                self.bringing.retain(|known| known.begin.upload != finish.upload);
            }
            // Strangers with its person's codes have taken the last place.
            Some(Ask::Join(_)) if code == Code::Limit => self.barred = true,
            _ => {}
        }
        match code {
            Code::FamilyWaiting => {}
            Code::DeviceUnknown
            | Code::DeviceCopied
            | Code::FamilyDeclined
            | Code::FamilyOver
            | Code::PinLockedOut
                if self.visits =>
            {
                self.begin_anew();
            }
            Code::BedsideCodeInvalid | Code::FamilyBusy => self.code = None,
            Code::DeviceUnknown | Code::DeviceCopied if self.device.is_some() => self.barred = true,
            Code::PinLockedOut => (self.barred, self.pin_code) = (true, None),
            // The device stays what it is.
            Code::JoinCodeInvalid if self.device.is_some() => (self.barred, self.pin_code) = (true, None),
            Code::PersonSuspended | Code::AgencyOver => self.suspended = true,
            // The next code gets a key of its own.
            Code::JoinCodeInvalid => {
                self.code = None;
                self.key = toys::following(&self.key);
            }
            _ => {}
        }
        Ok(())
    }

    /// Another visit, by a key of its own.
    fn begin_anew(&mut self) {
        self.key = toys::following(&self.key);
        (self.device, self.code, self.next_number) = (None, None, 1);
        self.secret.clear();
        self.cursor.clear();
        self.inbox = Inbox::default();
        self.outbox.clear();
        self.devices.clear();
        self.stats.clear();
        self.people.clear();
        self.units.clear();
    }

    fn submission_refused(&mut self, code: Code, message: &[u8], coverage: &mut Coverage) {
        let Some(at) = self.outbox.iter().position(|letter| letter.message[..] == *message) else {
            return;
        };
        match code {
            // Not accepted, and this number never will be.
            Code::NumberPassed => {
                coverage.reach(Situation::NumberPassedRenumbered);
                self.outbox[at].number = None;
                self.outbox[at].under_way = false;
            }
            // Too many STATs at once: the person is told, and calls.
            Code::Locked | Code::DiskLow | Code::Unavailable => {
                if code == Code::Locked {
                    coverage.reach(Situation::AskedWhileLocked);
                }
                self.outbox[at].under_way = false;
                let is_in = self.is_in();
                if let Some(composed) = &mut self.outbox[at].composed {
                    composed.waits = code == Code::Locked && !is_in;
                }
            }
            // It will never be taken: the person is told.
            _ => {
                self.outbox.remove(at);
            }
        }
    }
}

fn is_for_now(code: Code) -> bool {
    matches!(code, Code::Locked | Code::DiskLow | Code::Unavailable | Code::SlowDown)
}

fn attached(files: &[Vec<u8>]) -> Vec<proto::AttachedFile> {
    files.iter().map(|upload| proto::AttachedFile { upload: upload.clone(), name: called(upload) }).collect()
}

/// As one's own message shows them.
fn shown(files: &[Vec<u8>]) -> Vec<proto::Attachment> {
    let files = files.iter().map(|upload| called(upload));
    files.map(|name| proto::Attachment { name, ..proto::Attachment::default() }).collect()
}
