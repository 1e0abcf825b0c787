//! The driver as the relay has it: waiting inputs become one commit, and sends leave only behind it. Crashes where
//! the world says so.

use wardline_core::alteration::Edit;
use wardline_core::attachment::{Announced, Attach, Attaching, Begin};
use wardline_core::audit::{Act, Entry};
use wardline_core::composing::Composed;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::ids::{Conn, DeviceId, RequestId};
use wardline_core::input::{Ask, Fresh, Input, Source, Submit};
use wardline_core::login::{Login, Presented};
use wardline_core::order::OrderAsk;
use wardline_core::passkey::{ExpectPasskey, PasskeyAsk};
use wardline_core::pin::{Pin, join_code_hash};
use wardline_core::reaction::React;
use wardline_core::refusal::{PeerFault, Refusal};
use wardline_core::relay::{Relay, refused};
use wardline_core::stat;
use wardline_core::state::State;
use wardline_core::text::{Sealed, WrappedKey};
use wardline_core::turn::{Send, Turn};
use wardline_core::web_certificate::{ChosenFile, WebCertificateAsk};
use wardline_core::wire::proto::RefusalCode as Code;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::{self, Incoming, proto};
use wardline_core::write::{Numbered, Write};

use crate::certificates;
use crate::composed::opened_bytes;
use crate::coverage::Situation;
use crate::passkeys;
use crate::reference::{Expected, Phase};
use crate::reference_alarms::Core;
use crate::reference_signed;
use crate::reference_stat::Stands;
use crate::reference_ward::{Chosen, Circumstances};
use crate::toys;
use crate::trace::{name_of, note};
use crate::world::{Arrival, CURSOR_KEY, Doorway, Lane, World};

/// Where the plug is pulled.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Never,
    BeforeCommit,
    BeforeSends,
    AfterSends(usize),
}

impl World {
    /// Handles some of what waits, commits, sends.
    pub(crate) fn batch(&mut self) -> Result<(), String> {
        let most = 1 + self.random.index(6);
        let cut = self.choose_cut();
        let mut writes: Vec<Numbered> = Vec::new();
        let mut sends: Vec<Send> = Vec::new();
        let mut taken = 0;
        while taken < most
            && let Some((conn, arrival)) = self.waiting.pop_front()
        {
            if self.comes_late(conn, &arrival) {
                self.waiting.push_back((conn, arrival));
                break;
            }
            taken += 1;
            let mut turn = self.take(conn, arrival)?;
            writes.append(&mut turn.writes);
            sends.append(&mut turn.sends);
        }
        if taken > 1 && writes.len() > 4 {
            self.coverage.reach(Situation::BatchOfSeveral);
        }
        if cut == Cut::BeforeCommit {
            self.coverage.reach(Situation::CrashBeforeCommit);
            return self.crash();
        }
        self.store.commit(writes)?;
        self.find_agency_staff();
        self.committed = self.reference.ward.clone();
        self.compare()?;
        if cut == Cut::BeforeSends && !sends.is_empty() {
            self.coverage.reach(Situation::CrashBeforeSends);
            return self.crash();
        }
        if self.random.permille(200) {
            // Lanes read the store on their own: they may see a commit before its sends reach them.
            self.read_ahead()?;
        }
        for (index, send) in sends.into_iter().enumerate() {
            if cut == Cut::AfterSends(index) && index > 0 {
                self.coverage.reach(Situation::CrashBetweenSends);
                self.read_ahead()?;
                return self.crash();
            }
            self.perform(send)?;
        }
        self.pump()
    }

    /// What was sent on a connection that its client has given up may arrive behind what is said on the next one.
    fn comes_late(&mut self, conn: Conn, arrival: &Arrival) -> bool {
        let given_up = self.faults
            && matches!(arrival, Arrival::Bytes(_))
            && matches!(self.phase(conn), Some(Phase::Welcomed(Some(_))))
            && !self.links.contains_key(&conn.0)
            && self.doors.get(&conn).is_some_and(|door| door.stranger.is_none());
        given_up && self.random.permille(950)
    }

    fn choose_cut(&mut self) -> Cut {
        if !self.faults || !self.random.permille(8) {
            return Cut::Never;
        }
        match self.random.below(3) {
            0 => Cut::BeforeCommit,
            1 => Cut::BeforeSends,
            _ => Cut::AfterSends(self.random.index(6)),
        }
    }

    /// The process dies and comes back with what was committed. Every connection ends.
    pub(crate) fn crash(&mut self) -> Result<(), String> {
        note!(self, "crash at change {}", self.store.state.change.0);
        let checking = |phase: &Phase| matches!(phase, Phase::PinChecking(..));
        if self.reference.lobby.links.iter().any(|link| checking(&link.phase)) {
            self.coverage.reach(Situation::PinTryOutlivedCrash);
        }
        for stat in &self.committed.stats {
            match stat.stands {
                Stands::Ringing => self.coverage.reach(Situation::RestartWhileRinging),
                Stands::Held(..) => self.coverage.reach(Situation::RestartWhileHeld),
                Stands::Taken(..) => {}
            }
        }
        self.crashed_in += 1;
        let restored = self.store.restored();
        let state = State::restore(restored.clone()).map_err(|fault| fault.to_string())?;
        if state.canonical_hash() != self.store.state.canonical_hash() || state != self.store.state {
            return Err("what a restart reads is not the fold of the writes".to_owned());
        }
        self.relay = Relay::new(self.now, self.policy.clone(), &CURSOR_KEY, restored)
            .map_err(|fault| fault.to_string())?;
        self.reference.restart(self.committed.clone(), self.now);
        self.credit_ms += wardline_core::retention::credit_ms(self.reference.shortest_kept_ms());
        self.lose_bytes();
        self.waiting.clear();
        self.keeper.clear();
        self.doors.clear();
        let conns: Vec<u64> = self.links.keys().copied().collect();
        for conn in conns {
            self.cut(conn, false);
        }
        if self.disk_low {
            self.waiting.push_back((self.local, Arrival::Disk(0)));
        }
        self.open_local();
        self.bell_comes();
        Ok(())
    }

    /// Clients each have an address of their own; strangers share three.
    fn source_of(&self, conn: Conn) -> Source {
        self.links.get(&conn.0).map_or(Source(conn.0 % 3), |link| Source(10 + link.client as u64))
    }

    fn fresh(&mut self) -> Fresh {
        Fresh { seed: self.random.bytes(), key: WrappedKey(vec![1; 60]) }
    }

    /// One arrival: what the doorway makes of it, what the core decides, and whether the reference agrees.
    fn take(&mut self, conn: Conn, arrival: Arrival) -> Result<Turn, String> {
        let none = RequestId::NONE;
        match arrival {
            Arrival::Bytes(bytes) => self.take_frame(conn, &bytes),
            Arrival::Connected(door, stranger) => {
                let doorway = Doorway {
                    expect: None,
                    passkey: None,
                    pin: None,
                    lane: Lane::default(),
                    closing: false,
                    stranger,
                    streams: Vec::new(),
                };
                self.doors.insert(conn, doorway);
                let source = self.source_of(conn);
                let expected = self.reference.connected(self.now, conn, door, source);
                self.decide(Input::Connected { conn, door, source }, conn, none, |_, _| Ok(expected))
            }
            Arrival::Closed => {
                if matches!(self.phase(conn), Some(Phase::PinChecking(..))) {
                    self.coverage.reach(Situation::PinTryGivenBack);
                }
                self.doors.remove(&conn);
                self.keeper.retain(|(other, _)| *other != conn);
                self.decide(Input::Closed { conn }, conn, none, |world, _| Ok(world.reference.closed(conn)))
            }
            Arrival::Moved(zone) => self.take_moved(conn, zone),
            Arrival::PinMac(mac) => self.take_pin_mac(conn, mac),
            Arrival::Disk(free) => {
                self.reference.lobby.disk_low = free < wardline_core::limits::DISK_RESERVE_BYTES;
                self.reference.lobby.disk_scarce = free < wardline_core::limits::DISK_SCARCE_BYTES;
                self.decide(Input::Disk { free }, conn, none, |_, _| Ok(Expected::default()))
            }
            Arrival::Alarms(standing) => {
                let input = Input::Alarms { standing: standing.clone(), fresh: self.fresh() };
                self.decide(input, conn, none, |world, turn| {
                    let mut core = Core::default();
                    for numbered in &turn.writes {
                        match &numbered.write {
                            Write::ConversationOpened { conversation, .. } => {
                                core.opened = Some(*conversation)
                            }
                            Write::MessageAccepted(message) => core.names.push_back(message.id),
                            _ => {}
                        }
                    }
                    let expected = world.reference.alarms(world.now, &standing, &mut core);
                    world.cover_alarms(&expected);
                    Ok(expected)
                })
            }
            Arrival::Aged(conversation, read_through, any_through) => {
                let input = Input::Aged { conversation, read_through, any_through };
                self.decide(input, conn, none, |world, _| {
                    world.expect_aged(conversation, read_through, any_through)
                })
            }
            Arrival::Bell(news) => self.take_bell_news(news),
            Arrival::Fault(fault) => self.take_fault(conn, none, fault),
            Arrival::Drain => {
                self.coverage.reach(Situation::Drained);
                self.decide(Input::Drain, conn, none, |world, _| Ok(world.reference.drain()))
            }
            Arrival::Timeout => {
                let turn = self.relay.handle_timeout(self.now);
                let mut expected = self.expect_timeout(&turn)?;
                self.after_turn(&turn, Expected::default(), true, &mut expected)?;
                self.verify(&expected, &turn, conn, none)?;
                self.verify_bells(&turn, true)?;
                Ok(turn)
            }
        }
    }

    fn take_pin_mac(&mut self, conn: Conn, mac: Option<wardline_core::pin::PinMac>) -> Result<Turn, String> {
        let phase = self.reference.link(conn).map(|link| link.phase.clone());
        let print = self.reference.printing(conn).cloned();
        let request = match &phase {
            _ if print.is_some() => print.as_ref().map_or(RequestId::NONE, |print| print.request),
            Some(
                Phase::Joining { request, .. }
                | Phase::Asking { request, .. }
                | Phase::Clearing(_, request, _)
                | Phase::PinChecking(_, request),
            ) => *request,
            _ => RequestId::NONE,
        };
        if mac.is_none() && request != RequestId::NONE {
            self.coverage.reach(Situation::KeeperSilent);
        }
        self.count_comparison(phase.as_ref(), print.as_ref(), mac.as_ref())?;
        let input = Input::PinMac { conn, mac: mac.clone() };
        self.decide(input, conn, request, move |world, turn| {
            let enrolled = turn.writes.iter().find_map(|numbered| match &numbered.write {
                Write::DeviceJoined(device) => Some(device.id),
                Write::VisitAsked(asked) => Some(asked.device),
                _ => None,
            });
            let expected = world.reference.pin_mac(world.now, conn, mac, enrolled);
            if print.is_some() {
                world.cover_printed(&expected);
                return Ok(expected);
            }
            world.cover_mac(phase.as_ref(), &expected);
            world.cover_cleared(phase.as_ref(), &expected);
            world.cover_asking(expected.answer);
            Ok(expected)
        })
    }

    /// Lets the core decide, then asks the reference what should have come of it.
    pub(crate) fn decide(
        &mut self,
        input: Input,
        conn: Conn,
        request: RequestId,
        expect: impl FnOnce(&mut Self, &Turn) -> Result<Expected, String>,
    ) -> Result<Turn, String> {
        let turn = self.relay.handle(self.now, input);
        let before = self.before_turn();
        let mut expected = expect(self, &turn)?;
        self.after_turn(&turn, before, false, &mut expected)?;
        self.verify(&expected, &turn, conn, request)?;
        self.verify_bells(&turn, false)?;
        Ok(turn)
    }

    /// The device that has signed in there, and its key.
    fn key_behind(&self, conn: Conn) -> Option<(DeviceId, PublicKey)> {
        let Some(Phase::In(device)) = self.phase(conn) else { return None };
        self.reference.ward.device(device).map(|device| (device.id, device.key))
    }

    fn take_frame(&mut self, conn: Conn, bytes: &[u8]) -> Result<Turn, String> {
        // The reader of a connection that is being closed has stopped.
        if self.doors.get(&conn).is_none_or(|door| door.closing) {
            return Ok(Turn::default());
        }
        let Ok(frame) = wire::decode_client(&bytes[wire::PREFIX..]) else {
            return self.take_fault(conn, RequestId::NONE, PeerFault::Malformed);
        };
        let body = frame.body.clone().ok_or("a frame of ours without body")?;
        let fresh = self.fresh();
        let (request, incoming) = wire::parse(frame, || fresh.clone());
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(refusal) => {
                let mut turn = Turn::default();
                turn.sends.push(refused(conn, request, refusal));
                return Ok(turn);
            }
        };
        note!(self, "{} {conn} {}", self.now.mono.0, name_of(&body));
        match incoming {
            Incoming::Hello { versions, device, .. } => {
                let challenge = self.random.bytes();
                let input = Input::Hello { conn, request, versions, device, challenge };
                self.decide(input, conn, request, |world, _| {
                    let expected = world.reference.hello(world.now, conn, versions, device);
                    world.cover_entry(conn, &body, &expected);
                    world.cover_asking(expected.answer);
                    Ok(expected)
                })
            }
            Incoming::Join { code, key, name, pin, signature, presented } => {
                let expect = self.doors.get_mut(&conn).and_then(|door| door.expect.take());
                let verdict = match expect {
                    None => Err(PeerFault::OutOfTurn),
                    Some(expect) => {
                        let exporter = toys::exporter(conn.0);
                        expect.verify_join(&toys::ToyVerifier, &exporter, code, key, name, &signature)
                    }
                };
                let proven = match verdict {
                    Ok(proven) => proven,
                    Err(fault) => return self.take_fault(conn, request, fault),
                };
                self.hold_pin(conn, pin);
                let login = Login { presented, next: self.random.bytes() };
                let known = self.reference.ward.devices.iter().find(|device| device.key == key);
                let known = known.map(|device| device.id);
                if let Some(device) = known {
                    self.cover_presented(device, &login);
                }
                let input = Input::Join { conn, request, proven, fresh, login };
                self.decide(input, conn, request, |world, turn| {
                    let expected = world.reference.join(world.now, conn, request, (code, key), &login);
                    world.cover_entry(conn, &body, &expected);
                    if let Some(device) = known {
                        world.verify_login(conn, device, &expected, turn)?;
                    }
                    Ok(expected)
                })
            }
            Incoming::AskToVisit { code, key, device_name, name, relation, pin, signature } => {
                let expect = self.doors.get_mut(&conn).and_then(|door| door.expect.take());
                let said = name.reveal().to_owned();
                let verdict = match expect {
                    None => Err(PeerFault::OutOfTurn),
                    Some(expect) => {
                        let exporter = toys::exporter(conn.0);
                        let words = (device_name, name, relation);
                        expect.verify_visit(&toys::ToyVerifier, &exporter, (code, key), words, &signature)
                    }
                };
                let proven = match verdict {
                    Ok(proven) => proven,
                    Err(fault) => return self.take_fault(conn, request, fault),
                };
                self.hold_pin(conn, pin);
                let input = Input::AskToVisit { conn, request, proven, fresh };
                self.decide(input, conn, request, |world, _| {
                    let expected = world.reference.ask_to_visit(world.now, conn, request, (code, key, &said));
                    world.cover_asking(expected.answer);
                    Ok(expected)
                })
            }
            Incoming::Prove { device, signature, presented } => {
                self.take_proof(conn, request, (device, presented), &signature, &body)
            }
            Incoming::Unlock { pin } => {
                self.hold_pin(conn, pin);
                let input = Input::PinOffered { conn, request };
                self.decide(input, conn, request, |world, _| {
                    let expected = world.reference.pin_offered(world.now, conn, request);
                    world.cover_entry(conn, &body, &expected);
                    Ok(expected)
                })
            }
            Incoming::AddPasskey(made) => {
                let expect = self.passkey_due(conn);
                let outcome = expect.and_then(|expect| expect.verify_new(passkeys::ORIGIN, &made));
                self.passkey_refused = outcome.as_ref().err().map(|refusal| refusal.code());
                self.take_ask(conn, request, Ask::Passkey(PasskeyAsk::Add(outcome)), &body, false)
            }
            Incoming::UnlockByPasskey(assertion) => {
                let expect = self.passkey_due(conn);
                let outcome =
                    expect.and_then(|expect| expect.verify(&toys::ToyVerifier, passkeys::ORIGIN, &assertion));
                self.passkey_refused = outcome.as_ref().err().map(|refusal| refusal.code());
                self.take_ask(conn, request, Ask::Passkey(PasskeyAsk::Unlock(outcome)), &body, false)
            }
            Incoming::ImportWebCertificate(ChosenFile { pem, only_look }) => {
                let chain = certificates::checked(&pem);
                let ask = Ask::WebCertificate(WebCertificateAsk::Import { chain, only_look });
                self.take_ask(conn, request, ask, &body, false)
            }
            Incoming::RecordPrint { print, pin } => {
                self.hold_pin(conn, pin);
                self.take_ask(conn, request, Ask::Print(print), &body, false)
            }
            submit @ Incoming::Submit { .. } => self.take_submit(conn, request, submit, &body),
            Incoming::SubmitSealed { number, lease, message, sealed } => {
                let Some(device) = self.author_behind(conn) else {
                    return self.take_fault(conn, request, PeerFault::OutOfTurn);
                };
                let opened = toys::open_composed(device, lease.0, &message.0, &sealed);
                let opened = opened.ok_or(Refusal::SealedOtherwise);
                match opened.and_then(|opened| wire::parse_composed(opened, message, number)) {
                    Ok((submit, as_numbered)) => {
                        let within = <proto::Submit as prost::Message>::decode(opened_bytes(&sealed));
                        let within = within.map_err(|error| error.to_string())?;
                        let body =
                            proto::client_frame::Body::Submit(proto::Submit { number: number.0, ..within });
                        self.composed = Some((lease, as_numbered));
                        let turn = self.take_submit(conn, request, submit, &body);
                        self.composed = None;
                        turn
                    }
                    Err(refusal) => {
                        self.coverage.reach(Situation::SealedOtherwise);
                        let mut turn = Turn::default();
                        turn.sends.push(refused(conn, request, refusal));
                        Ok(turn)
                    }
                }
            }
            Incoming::Edit { message: of, version, name, text } => {
                let found = self.store.look_up(of);
                self.found = found.message.is_some();
                let sealed = self.found && self.store.has_key(of.conversation);
                let sealed_text = sealed.then(|| Sealed(text.reveal().as_bytes().to_vec()));
                let StatId { conversation, sequence } = of;
                let ask = Ask::Edit(Edit { conversation, sequence, version, name, body: sealed_text, found });
                self.take_ask(conn, request, ask, &body, sealed)
            }
            Incoming::BeginUpload(Announced { begin, thumbnail }) => {
                let sealed = self.store.has_key(begin.conversation);
                let keys = sealed.then(|| (Sealed(vec![1; 60]), Sealed(thumbnail)));
                let ask = Ask::Attaching(Attaching::Begin(Begin { sealed: keys, ..begin }));
                self.take_ask(conn, request, ask, &body, sealed)
            }
            Incoming::FinishUpload { name } => {
                let received = self.received(conn, name);
                self.looked = received;
                let ask = Ask::Attaching(Attaching::Finish { name, received });
                self.take_ask(conn, request, ask, &body, false)
            }
            Incoming::Recall { message } => {
                let found = self.store.look_up(message);
                self.found = found.message.is_some();
                self.take_ask(conn, request, Ask::Recall { message, found }, &body, false)
            }
            Incoming::React { message, reaction, taken_back } => {
                let found = self.store.look_up(message);
                self.found = found.message.is_some();
                let ask = Ask::React(React { message, reaction, taken_back, found });
                self.take_ask(conn, request, ask, &body, false)
            }
            Incoming::AnswerOrder(order, unproven) => {
                let (facility, by) = (&reference_signed::FACILITY, self.key_behind(conn));
                let said = unproven.of_answer(&toys::ToyVerifier, facility, by, order.conversation);
                self.take_ask(conn, request, Ask::Order(OrderAsk::Answer { order, said }), &body, false)
            }
            Incoming::AnswerStat(unproven) => {
                let by = self.key_behind(conn);
                let stat = unproven.stat;
                let answer = match unproven.verify(&toys::ToyVerifier, &reference_signed::FACILITY, by) {
                    Ok(proven) => stat::Answer::Signed(Box::new(proven)),
                    Err(said) => stat::Answer::Unsigned(said),
                };
                self.take_ask(conn, request, Ask::AnswerStat { stat, answer }, &body, false)
            }
            Incoming::GiveTask(giving) => {
                let found = self.store.look_up(giving.message);
                self.found = found.message.is_some();
                self.take_ask(conn, request, Ask::Task(giving.found(found)), &body, false)
            }
            // Answered at the door, which is not played here; no client here sends one.
            Incoming::Echo => Ok(Turn::default()),
            Incoming::Ask(ask) => self.take_ask(conn, request, ask, &body, false),
        }
    }

    fn passkey_due(&mut self, conn: Conn) -> Result<ExpectPasskey, Refusal> {
        let expect = self.doors.get_mut(&conn).and_then(|door| door.passkey.take());
        expect.ok_or(Refusal::PasskeyChallengeOver)
    }

    fn take_submit(
        &mut self,
        conn: Conn,
        request: RequestId,
        submit: Incoming,
        body: &proto::client_frame::Body,
    ) -> Result<Turn, String> {
        let Incoming::Submit {
            number,
            message,
            conversation,
            text,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order,
        } = submit
        else {
            return Err("a submission that is none".to_owned());
        };
        let order = order.map(|order| {
            let (facility, words) = (&reference_signed::FACILITY, (message, &text));
            order.of_message(&toys::ToyVerifier, facility, self.key_behind(conn), conversation, words)
        });
        let sealed = self.store.has_key(conversation);
        let attachments = attachments.into_iter().map(|(upload, name)| Attach {
            upload,
            title: sealed.then(|| Sealed(name.reveal().as_bytes().to_vec())),
        });
        let attachments = attachments.collect();
        let text = sealed.then(|| Sealed(text.reveal().as_bytes().to_vec()));
        let submit = Submit {
            number,
            message,
            conversation,
            body: text,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order,
        };
        let ask = match self.composed {
            Some((lease, as_numbered)) => Ask::Composed(Box::new(Composed { lease, as_numbered, submit })),
            None => Ask::Submit(submit),
        };
        self.take_ask(conn, request, ask, body, sealed)
    }

    fn hold_pin(&mut self, conn: Conn, pin: Pin) {
        if let Some(door) = self.doors.get_mut(&conn) {
            door.pin = Some(pin);
        }
    }

    fn take_proof(
        &mut self,
        conn: Conn,
        request: RequestId,
        (device, presented): (DeviceId, Presented),
        signature: &[u8],
        body: &proto::client_frame::Body,
    ) -> Result<Turn, String> {
        let expect = self.doors.get_mut(&conn).and_then(|door| door.expect.take());
        let verdict = match expect {
            None => Err(PeerFault::OutOfTurn),
            Some(expect) => {
                expect.verify_sign_in(&toys::ToyVerifier, &toys::exporter(conn.0), device, signature)
            }
        };
        match verdict {
            Err(fault) => self.take_fault(conn, request, fault),
            Ok(proven) => {
                let login = Login { presented, next: self.random.bytes() };
                self.cover_presented(device, &login);
                let input = Input::Proof { conn, request, proven, login };
                self.decide(input, conn, request, |world, turn| {
                    let expected = world.reference.proof(world.now, conn, device, &login);
                    world.cover_entry(conn, body, &expected);
                    world.verify_login(conn, device, &expected, turn)?;
                    Ok(expected)
                })
            }
        }
    }

    pub(crate) fn take_fault(
        &mut self,
        conn: Conn,
        request: RequestId,
        fault: PeerFault,
    ) -> Result<Turn, String> {
        match fault {
            PeerFault::ForgedSignature => self.coverage.reach(Situation::ForgedSignature),
            PeerFault::OutOfTurn => self.coverage.reach(Situation::OutOfTurn),
            _ => {}
        }
        let input = Input::Faulted { conn, fault };
        self.decide(input, conn, request, |world, _| Ok(world.reference.fault(world.now, conn, fault)))
    }

    fn take_ask(
        &mut self,
        conn: Conn,
        request: RequestId,
        ask: Ask,
        body: &proto::client_frame::Body,
        sealed: bool,
    ) -> Result<Turn, String> {
        let cursor_known = self.cursor_known(conn, body);
        let turn = self.relay.handle(self.now, Input::Request { conn, request, ask });
        let mut chosen = Chosen::default();
        for numbered in &turn.writes {
            match &numbered.write {
                Write::ConversationOpened { conversation, .. } => chosen.conversation = Some(*conversation),
                Write::PersonAdded(person) => chosen.person = Some(person.id),
                Write::JoinCodeIssued(code) => chosen.code = Some(code.hash),
                Write::BedsideCodeSet { code: Some(code), .. } => chosen.code = Some(code.hash),
                Write::UnitSet(unit) => chosen.unit = Some(unit.id),
                Write::RoleSet(role) => {
                    chosen.role = Some(role.id);
                    // The newest stands last.
                    chosen.offer = role.offers.last().map(|offer| offer.id);
                }
                Write::PatientSet { patient, .. } => chosen.patient = Some(patient.id),
                Write::EncounterOpened(stay) => chosen.encounter = Some(stay.id),
                Write::HoldPlaced(hold) => {
                    chosen.hold = Some(hold.id);
                    if let Some(free) = chosen.placed.iter_mut().find(|placed| placed.is_none()) {
                        *free = Some(hold.id);
                    }
                }
                Write::ExportBegun { export, .. } => chosen.export = Some(*export),
                Write::EmergencyBegan(access) => chosen.emergency = Some(access.id),
                Write::Audited { bytes, .. } => {
                    if let Ok(Act::EmergencyAsked(id, _)) = Entry::from_bytes(bytes).map(|entry| entry.act) {
                        chosen.emergency = Some(id);
                    }
                }
                Write::AssignmentTaken(held) => chosen.assignment = Some(held.id),
                _ => {}
            }
        }
        chosen.too_late = turn.sends.iter().any(|send| match send {
            Send::Reply { body: Body::Refused(refused), .. } => {
                matches!(refused.code(), Code::EditTooLate | Code::RecallTooLate)
            }
            _ => false,
        });
        if let proto::client_frame::Body::ClearPin(_) = body {
            chosen.code = turn.sends.iter().find_map(|send| match send {
                Send::Reply { body: Body::JoinCode(code), .. } => Some(join_code_hash(&code.code)),
                _ => None,
            });
        }
        chosen.challenge = turn.sends.iter().find_map(|send| match send {
            Send::PasskeyChallenge { told, .. } => told.challenge.as_slice().try_into().ok(),
            _ => None,
        });
        let (found, received, composed) = (self.found, self.looked, self.composed);
        let passkey_refused = self.passkey_refused.take();
        let audited = turn.writes.iter().find_map(|numbered| match &numbered.write {
            Write::Audited { index, bytes } => {
                let act = Entry::from_bytes(bytes).ok()?.act;
                matches!(act, Act::AuditRead(..)).then_some(*index)
            }
            _ => None,
        });
        let audited = audited.unwrap_or(0);
        let around = Circumstances {
            sealed,
            cursor_known,
            found,
            received,
            chosen,
            composed,
            passkey_refused,
            request,
            audited,
        };
        let was_locked = matches!(self.phase(conn), Some(Phase::PinDue(_)));
        let before = self.before_turn();
        if self.reference.has_spoken(conn) {
            self.coverage.reach(Situation::LoginSecretConfirmed);
        }
        let had = self.reference.ward.bells.len();
        let mut expected = self.reference.request(self.now, conn, body, &around);
        self.after_turn(&turn, before, false, &mut expected)?;
        self.verify(&expected, &turn, conn, request)?;
        self.verify_bells(&turn, false)?;
        self.verify_signed(conn, body, &expected, &turn)?;
        self.verify_order_signed(conn, body, &expected, &turn)?;
        if let Some((_, as_numbered)) = composed {
            self.cover_composed(was_locked, as_numbered, &expected);
        }
        self.cover_request(conn, body, &expected);
        self.cover_passkeys(body, &expected);
        self.cover_bells(body, &expected, had);
        self.cover_family(conn, body, &expected);
        Ok(turn)
    }

    /// Whether the cursor in a sync was given to this very device.
    fn cursor_known(&mut self, conn: Conn, body: &proto::client_frame::Body) -> bool {
        let proto::client_frame::Body::Sync(sync) = body else { return false };
        if sync.cursor.is_empty() {
            return true;
        }
        let Some(Phase::In(device)) = self.reference.link(conn).map(|link| link.phase.clone()) else {
            return false;
        };
        let given = <[u8; 16]>::try_from(sync.cursor.as_slice()).ok().and_then(|key| self.cursors.get(&key));
        match given {
            Some((owner, _)) if *owner == device => true,
            Some(_) => {
                self.coverage.reach(Situation::CursorOfAnotherDevice);
                false
            }
            None => {
                self.coverage.reach(Situation::CursorMadeUp);
                false
            }
        }
    }
}
