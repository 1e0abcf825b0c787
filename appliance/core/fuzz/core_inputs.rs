//! Bytes as a history: each few of them are one input to a whole relay with two people already in it. Whatever the
//! order, it never panics, numbers its changes and audit entries without a gap, sets no timer too many, and a restart
//! from its writes arrives at the same state.
#![no_main]

mod authenticator;

use std::collections::BTreeMap;

use authenticator::{ORIGIN, authenticator_data, client_data};
use libfuzzer_sys::fuzz_target;
use wardline_core::alarm::{Alarm, AlarmKind};
use wardline_core::alteration::{Edit, Found, Kept, Standing};
use wardline_core::attachment::{Announced, Attach, Attaching, Begin, Received};
use wardline_core::clinic::RestoredClinic;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::ids::{Change, Conn, ConversationId, DeviceId, RequestId, Sequence};
use wardline_core::input::{Ask, Door, Fresh, Input, Source, Submit, Zone};
use wardline_core::limits;
use wardline_core::login::Login;
use wardline_core::order::OrderAsk;
use wardline_core::passkey::{ExpectPasskey, PasskeyAsk};
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::reaction::React;
use wardline_core::refusal::{PeerFault, Refusal};
use wardline_core::relay::Relay;
use wardline_core::session::{Expect, Verifier};
use wardline_core::stat::Answer;
use wardline_core::state::{Restored, State};
use wardline_core::text::{Name, Sealed, WrappedKey};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::{Send, Turn};
use wardline_core::web_certificate::{CheckedChain, ChosenFile, WebCertificateAsk};
use wardline_core::wire::{self, Incoming, proto};
use wardline_core::write::Write;

/// Everything verifies: the fuzzer need not sign.
struct Trusting;

impl Verifier for Trusting {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn short(&mut self) -> u64 {
        u64::from(self.byte().unwrap_or(0)) << 8 | u64::from(self.byte().unwrap_or(0))
    }
}

struct Box {
    relay: Relay,
    now: Now,
    /// The fold of what was written.
    state: State,
    expects: BTreeMap<Conn, Expect>,
    /// What connections were challenged to by a passkey.
    passkeys: BTreeMap<Conn, (ExpectPasskey, proto::PasskeyChallenge)>,
    /// What connections were proven with.
    keys: BTreeMap<Conn, PublicKey>,
    open: Vec<Conn>,
    next_conn: u64,
    code: Option<String>,
    seed: u8,
    /// As a doorway finds them.
    said: BTreeMap<StatId, Kept>,
}

fn fresh(seed: u8) -> Fresh {
    Fresh { seed: [seed; 32], key: WrappedKey(vec![1; 60]) }
}

impl Box {
    fn take(&mut self, turn: Turn) {
        for numbered in turn.writes {
            assert_eq!(numbered.change.0, self.state.change.0 + 1, "a gap in the changes");
            if let Write::Audited { index, .. } = &numbered.write {
                assert_eq!(*index, self.state.audited + 1, "a gap in the audit");
            }
            self.state.apply(numbered.change, &numbered.write);
            self.note(numbered.change, &numbered.write);
        }
        for send in turn.sends {
            match send {
                Send::Welcome { conn, expect, .. } => drop(self.expects.insert(conn, expect)),
                Send::PasskeyChallenge { conn, expect, told, .. } => {
                    self.passkeys.insert(conn, (expect, told));
                }
                Send::Reply { body: proto::server_frame::Body::JoinCode(code), .. } => {
                    self.code = Some(code.code)
                }
                Send::Fanout { change, conns, .. } => {
                    assert!(change <= self.state.change && !conns.is_empty());
                    assert!(conns.iter().all(|conn| self.open.contains(conn)), "a fan-out to nobody");
                }
                Send::Attach { after, .. } => assert!(after.is_none_or(|after| after <= self.state.change)),
                _ => {}
            }
        }
        let load = self.relay.load();
        assert_eq!(load.links, self.open.len());
        assert!(load.timers <= load.links + self.state.devices.len() + 2, "{load:?}");
        assert!(load.attached <= load.links && load.unproven <= load.links && load.held <= load.links);
    }

    /// What is said, and what becomes of it.
    fn note(&mut self, change: Change, write: &Write) {
        match write {
            Write::MessageAccepted(message) => {
                let id = StatId { conversation: message.conversation, sequence: message.sequence };
                let kept = Kept {
                    change,
                    id: message.id,
                    sender: message.sender,
                    device: message.device,
                    at: message.at,
                    priority: message.priority,
                    reply_to: message.reply_to,
                    mentions: message.mentions.clone(),
                    standing: Default::default(),
                    reactions: Default::default(),
                    is_order: false,
                };
                self.said.insert(id, kept);
            }
            Write::MessageEdited { conversation, sequence, message, standing, .. } => {
                let id = StatId { conversation: *conversation, sequence: *sequence };
                let kept = self.said.get_mut(&id).expect("what is edited is there");
                assert!(kept.change == *message && standing.edits == kept.standing.edits + 1);
                kept.stands(*standing);
            }
            Write::MessageRecalled { conversation, sequence, message, .. } => {
                let id = StatId { conversation: *conversation, sequence: *sequence };
                let kept = self.said.get_mut(&id).expect("what is recalled is there");
                assert!(kept.change == *message && !kept.standing.recalled);
                kept.stands(Standing { recalled: true, ..kept.standing });
            }
            Write::ReactionsSet { conversation, sequence, message, reactions } => {
                let id = StatId { conversation: *conversation, sequence: *sequence };
                let kept = self.said.get_mut(&id).expect("what is reacted to is there");
                assert!(kept.change == *message && !kept.standing.recalled && kept.reactions != *reactions);
                assert!(reactions.people() <= limits::REACTORS_MAX);
                kept.reactions = reactions.clone();
            }
            _ => {}
        }
    }

    fn look_up(&self, which: StatId) -> Found {
        Found { as_of: self.state.change, message: self.said.get(&which).cloned() }
    }

    fn handle(&mut self, input: Input) {
        let turn = self.relay.handle(self.now, input);
        self.take(turn);
    }

    fn connect(&mut self, door: Door) -> Conn {
        let conn = Conn(self.next_conn);
        self.next_conn += 1;
        self.open.push(conn);
        let source = Source(conn.0 % 3);
        self.handle(Input::Connected { conn, door, source });
        conn
    }

    fn frame(&mut self, conn: Conn, body: proto::client_frame::Body) {
        self.seed = self.seed.wrapping_add(1);
        let seed = self.seed;
        let frame = proto::ClientFrame { request: 1, body: Some(body) };
        let (request, Ok(incoming)) = wire::parse(frame, || fresh(seed)) else { return };
        let input = match incoming {
            Incoming::Hello { versions, device, .. } => {
                Input::Hello { conn, request, versions, device, challenge: [seed; 32] }
            }
            Incoming::Join { code, key, name, presented, .. } => {
                let expect = self.expects.remove(&conn);
                let proven = expect.map(|e| e.verify_join(&Trusting, &[0; 32], code, key, name, &[0; 64]));
                match proven.unwrap_or(Err(PeerFault::OutOfTurn)) {
                    Ok(proven) => {
                        self.keys.insert(conn, *proven.key());
                        Input::Join {
                            conn,
                            request,
                            proven,
                            fresh: fresh(seed),
                            login: Login { presented, next: [seed; 32] },
                        }
                    }
                    Err(fault) => Input::Faulted { conn, fault },
                }
            }
            Incoming::AskToVisit { code, key, device_name, name, relation, .. } => {
                let expect = self.expects.remove(&conn);
                let said = (device_name, name, relation);
                let proven = expect.map(|e| e.verify_visit(&Trusting, &[0; 32], (code, key), said, &[0; 64]));
                match proven.unwrap_or(Err(PeerFault::OutOfTurn)) {
                    Ok(proven) => Input::AskToVisit { conn, request, proven, fresh: fresh(seed) },
                    Err(fault) => Input::Faulted { conn, fault },
                }
            }
            Incoming::Prove { device, presented, .. } => {
                let expect = self.expects.remove(&conn);
                let proven =
                    expect.map(|expect| expect.verify_sign_in(&Trusting, &[0; 32], device, &[0; 64]));
                match proven.unwrap_or(Err(PeerFault::OutOfTurn)) {
                    Ok(proven) => {
                        self.keys.insert(conn, *proven.key());
                        Input::Proof { conn, request, proven, login: Login { presented, next: [seed; 32] } }
                    }
                    Err(fault) => Input::Faulted { conn, fault },
                }
            }
            Incoming::Unlock { .. } => Input::PinOffered { conn, request },
            Incoming::AddPasskey(made) => {
                let outcome = self.passkey_due(conn).and_then(|expect| expect.verify_new(ORIGIN, &made));
                Input::Request { conn, request, ask: Ask::Passkey(PasskeyAsk::Add(outcome)) }
            }
            Incoming::UnlockByPasskey(assertion) => {
                let outcome = self.passkey_due(conn);
                let outcome = outcome.and_then(|expect| expect.verify(&Trusting, ORIGIN, &assertion));
                Input::Request { conn, request, ask: Ask::Passkey(PasskeyAsk::Unlock(outcome)) }
            }
            // What is in a file is the doorway's to read.
            Incoming::ImportWebCertificate(ChosenFile { pem, only_look }) => {
                let chain = Ok(CheckedChain::checked(vec![pem.into_bytes()]));
                Input::Request {
                    conn,
                    request,
                    ask: Ask::WebCertificate(WebCertificateAsk::Import { chain, only_look }),
                }
            }
            Incoming::RecordPrint { print, .. } => Input::Request { conn, request, ask: Ask::Print(print) },
            Incoming::Submit {
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
            } => {
                let by = self.keys.get(&conn).and_then(|key| self.state.device_with(key));
                let by = by.map(|device| (device.id, device.key));
                let order = order
                    .map(|order| order.of_message(&Trusting, &[0; 32], by, conversation, (message, &text)));
                let body = Some(Sealed(text.reveal().as_bytes().to_vec()));
                let attachments = attachments.into_iter().map(|(upload, name)| Attach {
                    upload,
                    title: Some(Sealed(name.reveal().as_bytes().to_vec())),
                });
                let attachments = attachments.collect();
                let submit = Submit {
                    number,
                    message,
                    conversation,
                    body,
                    priority,
                    call,
                    reply_to,
                    mentions,
                    attachments,
                    order,
                };
                Input::Request { conn, request, ask: Ask::Submit(submit) }
            }
            // Opened by the doorway: what comes of it then is a submission.
            Incoming::SubmitSealed { .. } => return,
            Incoming::BeginUpload(Announced { begin, thumbnail }) => {
                let begin = Begin { sealed: Some((Sealed(vec![7; 60]), Sealed(thumbnail))), ..begin };
                Input::Request { conn, request, ask: Ask::Attaching(Attaching::Begin(begin)) }
            }
            Incoming::FinishUpload { name } => {
                let received = match name.0[1] % 4 {
                    0 => Received::Part,
                    1 => Received::Damaged,
                    _ => Received::Whole,
                };
                let ask = Ask::Attaching(Attaching::Finish { name, received });
                Input::Request { conn, request, ask }
            }
            Incoming::Edit { message: of, version, name, text } => {
                let (StatId { conversation, sequence }, found) = (of, self.look_up(of));
                let body = Some(Sealed(text.reveal().as_bytes().to_vec()));
                let ask = Ask::Edit(Edit { conversation, sequence, version, name, body, found });
                Input::Request { conn, request, ask }
            }
            Incoming::Recall { message } => {
                let ask = Ask::Recall { message, found: self.look_up(message) };
                Input::Request { conn, request, ask }
            }
            Incoming::React { message, reaction, taken_back } => {
                let ask = Ask::React(React { message, reaction, taken_back, found: self.look_up(message) });
                Input::Request { conn, request, ask }
            }
            Incoming::AnswerStat(unproven) => {
                let (stat, key) = (unproven.stat, self.keys.get(&conn));
                let by =
                    key.and_then(|key| self.state.device_with(key)).map(|device| (device.id, device.key));
                let answer = match unproven.verify(&Trusting, &[0; 32], by) {
                    Ok(proven) => Answer::Signed(std::boxed::Box::new(proven)),
                    Err(said) => Answer::Unsigned(said),
                };
                Input::Request { conn, request, ask: Ask::AnswerStat { stat, answer } }
            }
            Incoming::AnswerOrder(order, unproven) => {
                let by = self.keys.get(&conn).and_then(|key| self.state.device_with(key));
                let by = by.map(|device| (device.id, device.key));
                let said = unproven.of_answer(&Trusting, &[0; 32], by, order.conversation);
                Input::Request { conn, request, ask: Ask::Order(OrderAsk::Answer { order, said }) }
            }
            Incoming::GiveTask(giving) => {
                let found = self.look_up(giving.message);
                let ask = Ask::Task(giving.found(found));
                Input::Request { conn, request, ask }
            }
            // Answered at the door.
            Incoming::Echo => return,
            Incoming::Ask(ask) => Input::Request { conn, request, ask },
        };
        self.handle(input);
    }

    fn passkey_due(&mut self, conn: Conn) -> Result<ExpectPasskey, Refusal> {
        let due = self.passkeys.remove(&conn);
        due.map(|(expect, _)| expect).ok_or(Refusal::PasskeyChallengeOver)
    }

    /// What an authenticator answers to the challenge of this connection, or to none.
    fn touch(&mut self, conn: Conn, (adds, whose): (bool, u64)) {
        use proto::client_frame::Body;
        let challenge = self.passkeys.get(&conn).map_or(&[0; 32][..], |(_, told)| &told.challenge);
        let kind = if adds { "webauthn.create" } else { "webauthn.get" };
        let client_data = client_data(kind, challenge);
        let credential = vec![whose as u8 % 12; 16];
        let body = if adds {
            let authenticator_data = authenticator_data(Some(&credential));
            Body::AddPasskey(proto::AddPasskey { client_data, authenticator_data })
        } else {
            let (authenticator_data, signature) = (authenticator_data(None), vec![0x30, 6, 2, 1, 1, 2, 1, 1]);
            Body::UnlockByPasskey(proto::UnlockByPasskey {
                credential,
                client_data,
                authenticator_data,
                signature,
            })
        };
        self.frame(conn, body);
    }

    fn restart(&mut self) {
        let restored = Restored {
            bells: self.state.bells.clone(),
            alarms: self.state.alarms.clone(),
            people: self.state.people.values().cloned().collect(),
            units: self.state.units.values().cloned().collect(),
            roles: self.state.roles.values().cloned().collect(),
            devices: self.state.devices.values().cloned().collect(),
            codes: self.state.codes.values().cloned().collect(),
            conversations: self.state.conversations.values().cloned().collect(),
            change: self.state.change,
            audited: self.state.audited,
            last_at: self.state.last_at,
            uploads: self.state.uploads.clone(),
            marks: self.state.marks.clone(),
            escalations: self.state.escalations.values().cloned().collect(),
            policies: self.state.policies.iter().map(|(unit, policy)| (*unit, policy.clone())).collect(),
            clinic: RestoredClinic {
                patients: self.state.clinic.patients.values().cloned().collect(),
                encounters: self.state.clinic.encounters.values().cloned().collect(),
                care: self
                    .state
                    .clinic
                    .care
                    .iter()
                    .map(|((stay, who), place)| (*stay, *who, *place))
                    .collect(),
                assignments: self.state.clinic.assignments.values().cloned().collect(),
                emergencies: self.state.clinic.emergencies.values().cloned().collect(),
                threads: self
                    .state
                    .clinic
                    .patients
                    .keys()
                    .flat_map(|patient| {
                        self.state.clinic.threads_of(*patient).map(|thread| (thread, *patient))
                    })
                    .collect(),
            },
            retention: self.state.retention,
            holds: self.state.holds.values().cloned().collect(),
            family: self.state.family.to_restored(),
            tasks: self.state.tasks.all().cloned().collect(),
            orders: self.state.orders.all().cloned().collect(),
            order_policies: self.state.orders.policies().clone().into_iter().collect(),
            availability: self.state.availability.clone(),
            templates: self.state.templates.iter().map(|(unit, set)| (*unit, set.clone())).collect(),
            inboxes: self.state.inboxes.to_restored(),
            broadcasts: self.state.broadcasts.to_restored(),
            urgents: self.state.urgents.all().copied().collect(),
        };
        assert!(self.relay.state().canonical_hash() == self.state.canonical_hash(), "the fold is elsewhere");
        self.relay = Relay::new(self.now, Policy::default(), &[9; 32], restored).expect("its own writes");
        assert!(*self.relay.state() == self.state, "a restart is elsewhere");
        self.open.clear();
        self.expects.clear();
    }

    fn device(&self, at: u64) -> u64 {
        self.state
            .devices
            .keys()
            .nth(at as usize % self.state.devices.len().max(1))
            .map_or(1, |id| id.value())
    }

    fn person(&self, at: u64) -> u64 {
        self.state.people.keys().nth(at as usize % self.state.people.len().max(1)).map_or(1, |id| id.value())
    }

    fn place(&self, at: u64) -> u64 {
        let places = &self.state.conversations;
        places.keys().nth(at as usize % places.len().max(1)).map_or(1, |id| id.value())
    }

    /// A whole join, by a code of the local service.
    fn join(&mut self, local: Conn, person: u64, pin: u8) {
        self.frame(local, proto::client_frame::Body::IssueJoinCode(proto::IssueJoinCode { person }));
        let Some(code) = self.code.take() else { return };
        let conn = self.connect(Door::Network(Zone::Ward));
        self.frame(conn, hello(0));
        self.frame(conn, join(code));
        self.handle(Input::PinMac { conn, mac: Some(PinMac([pin; 32])) });
        self.frame(conn, proto::client_frame::Body::Sync(proto::Sync { cursor: Vec::new() }));
    }
}

fn hello(device: u64) -> proto::client_frame::Body {
    let client = "fuzz".to_owned();
    proto::client_frame::Body::Hello(proto::Hello { version_min: 1, version_max: 1, client, device })
}

/// A code has its key, as an honest device's has: the same join once more is the same device's.
fn join(code: String) -> proto::client_frame::Body {
    let mut device_key = vec![4; 65];
    device_key[1..1 + code.len()].copy_from_slice(code.as_bytes());
    proto::client_frame::Body::Join(proto::Join {
        code,
        device_key,
        device_name: "a phone".to_owned(),
        pin: "correct horse".to_owned(),
        signature: vec![0; 64],
        ..proto::Join::default()
    })
}

/// Units, patients and shifts.
fn clinical(world: &mut Box, local: Conn, conn: Conn, (verb, a, b): (u8, u64, u64)) {
    use proto::client_frame::Body;
    let unit = world.state.units.keys().next().map_or(1, |unit| unit.value());
    let stays = &world.state.clinic.encounters;
    let encounter = stays.keys().nth(a as usize % stays.len().max(1)).map_or(1, |id| id.value());
    let (person, bed) = (world.person(b), format!("B-{}", b % 3));
    let by = if a % 2 == 0 { local } else { conn };
    let ask = match verb {
        0 => Body::SetUnit(proto::SetUnit { unit: 0, name: "4 West".to_owned() }),
        1 => Body::SetPost(proto::SetPost { person, unit, rank: 1 + (a % 3) as i32 }),
        2 => Body::Transfer(proto::Transfer { encounter, unit, bed }),
        3 if b % 2 == 0 => Body::Discharge(proto::Discharge { encounter }),
        3 => Body::SetLeave(proto::SetLeave { encounter, away: b % 4 == 1 }),
        4 => {
            let until = if b % 2 == 0 { 0 } else { world.now.wall.0.saturating_add(1 + b as i64 * 1_000) };
            let (add, remove) = if a % 3 == 0 { (vec![], vec![person]) } else { (vec![person], vec![]) };
            Body::ChangeCareTeam(proto::ChangeCareTeam { encounter, add, until, remove })
        }
        5 => {
            let (whole_unit, until) = (b % 2 == 0, world.now.wall.0.saturating_add(b as i64 * 1_000));
            let beds = if whole_unit { vec![] } else { vec![bed] };
            Body::TakeAssignment(proto::TakeAssignment { unit, person: 0, beds, whole_unit, until })
        }
        _ => {
            let particulars = proto::Particulars {
                record_number: (b % 8).to_string(),
                name: "Rosa".to_owned(),
                birth_date: "1947-03-09".to_owned(),
                sex: 1,
            };
            let known = b % 3 == 0;
            Body::Admit(proto::Admit {
                record_number: if known { particulars.record_number.clone() } else { String::new() },
                new_patient: (!known).then_some(particulars),
                unit,
                bed,
                attending: if a % 4 == 0 { person } else { 0 },
            })
        }
    };
    world.frame(by, ask);
}

fn step(world: &mut Box, local: &mut Conn, bytes: &mut Bytes<'_>) -> Option<()> {
    use proto::client_frame::Body;
    let verb = bytes.byte()?;
    let a = bytes.short();
    let b = bytes.short();
    let conn = world.open.get(a as usize % world.open.len().max(1)).copied().unwrap_or(Conn(0));
    match verb % 40 {
        0 => drop(world.connect(Door::Network(if a % 3 == 0 { Zone::Admin } else { Zone::Ward }))),
        1 if conn != *local => {
            world.open.retain(|open| *open != conn);
            world.expects.remove(&conn);
            world.handle(Input::Closed { conn });
        }
        2 => {
            let device = if b == 0 { 0 } else { world.device(b) };
            world.frame(conn, hello(device));
        }
        3 => {
            let device = world.device(b);
            world.frame(
                conn,
                Body::Prove(proto::Prove { device, signature: vec![0; 64], ..Default::default() }),
            );
        }
        4 => {
            let code = world.code.clone().unwrap_or_else(|| "0123456789".to_owned());
            world.frame(conn, join(code));
        }
        5 => world.frame(conn, Body::Unlock(proto::Unlock { pin: "a pin".to_owned() })),
        6 => {
            let mac = (b != 0).then_some(PinMac([b as u8; 32]));
            world.handle(Input::PinMac { conn, mac });
        }
        7 => {
            let device = DeviceId::new(world.device(b))?;
            let cursor = world.relay.cursors().seal(device, Change(b % (world.state.change.0 + 2)));
            world.frame(conn, Body::Sync(proto::Sync { cursor: cursor.0.to_vec() }));
        }
        8 => world.frame(conn, Body::Sync(proto::Sync { cursor: Vec::new() })),
        9..=12 => {
            let conversation = world.place(b);
            let submit = proto::Submit {
                number: b % 64,
                message: vec![b as u8; 16],
                conversation,
                text: "x".to_owned(),
                priority: (a % 4) as i32,
                call: (a % 3 == 0).then(|| proto::Call { people: vec![world.person(b)], unit: 0 }),
                reply_to: (a % 5) * (b % 7),
                mention_people: if a % 6 == 0 { vec![world.person(b), world.person(a)] } else { Vec::new() },
                mention_roles: if a % 7 == 0 { vec![b] } else { Vec::new() },
                attachments: (a % 4 == 3)
                    .then(|| proto::AttachedFile {
                        upload: [b as u8 % 4; 16].to_vec(),
                        name: "wound.jpg".to_owned(),
                    })
                    .into_iter()
                    .collect(),
                order: (a % 9 == 1).then(|| proto::OrderPart {
                    deed: 1 + (b % 5) as i32,
                    of: b % 7,
                    to: if b % 3 == 0 { world.person(a) } else { 0 },
                    at: 1,
                    signature: vec![1; 64],
                }),
            };
            world.frame(conn, Body::Submit(submit));
        }
        13 if a % 64 == 3 => {
            let fields =
                vec![proto::TemplateField { name: "Bed".to_owned(), ..proto::TemplateField::default() }];
            let templates = vec![proto::Template { name: "Fall".to_owned(), fields }];
            let replies = vec!["On my way".to_owned(); (b % 40) as usize];
            let set = Some(proto::TemplateSet { unit: 0, replies, templates });
            world.frame(conn, Body::SetTemplates(proto::SetTemplates { set }));
        }
        13 if a % 4 == 3 => {
            let (conversation, upload) = (world.place(b), [b as u8 % 4; 16].to_vec());
            let body = match a / 4 % 6 {
                0..3 => Body::BeginUpload(proto::BeginUpload {
                    upload,
                    conversation,
                    media: 1 + (b % 9) as i32,
                    length: 1 + b % 3,
                    sha256: vec![5; 32],
                    thumbnail: Vec::new(),
                }),
                3 | 4 => Body::FinishUpload(proto::FinishUpload { upload }),
                _ => Body::OpenAttachment(proto::OpenAttachment {
                    conversation,
                    sequence: b % 8,
                    which: 0,
                    thumbnail: false,
                }),
            };
            world.frame(conn, body);
        }
        13 if a % 4 == 1 => {
            let (conversation, sequence) = (world.place(b), b % 8);
            let (edit, text) = (vec![a as u8; 16], "y".to_owned());
            let version = 1 + (a / 4 % 3) as u32;
            let ask = if a % 16 == 9 {
                let due = world.now.wall.0 + i64::from(b as u8) * 60_000;
                let person = world.person(a / 16);
                Body::GiveTask(proto::GiveTask { conversation, sequence, person, role: 0, due })
            } else if a % 16 == 13 {
                let (answer, reason) = ((b % 5) as i32, 1 + (a % 4) as i32);
                Body::AnswerTask(proto::AnswerTask { conversation, sequence, answer, reason })
            } else if a % 16 == 5 {
                let (reaction, taken_back) = ((b % 8) as i32, a % 32 == 5);
                Body::React(proto::React { conversation, sequence, reaction, taken_back })
            } else if b % 3 == 0 {
                Body::RecallMessage(proto::RecallMessage { conversation, sequence })
            } else {
                Body::EditMessage(proto::EditMessage { conversation, sequence, version, edit, text })
            };
            world.frame(conn, ask);
        }
        13 => {
            let receipt = proto::Receipt { conversation: world.place(b), delivered: b % 16, read: a % 16 };
            world.frame(conn, Body::Receipt(receipt));
        }
        14 => {
            let history =
                proto::History { conversation: world.place(b), before: b % 16, limit: a as u32 % 120 };
            world.frame(conn, Body::History(history));
        }
        15 => {
            let person = world.person(b);
            world.frame(conn, Body::OpenDirect(proto::OpenDirect { person }));
        }
        16 => {
            let people = vec![world.person(a), world.person(b)];
            world.frame(conn, Body::OpenGroup(proto::OpenGroup { title: "4 West".to_owned(), people }));
        }
        17 => {
            let add = if b % 2 == 0 { vec![world.person(b)] } else { Vec::new() };
            let remove = if b % 3 == 0 { vec![world.person(a)] } else { Vec::new() };
            let change = proto::ChangeMembers { conversation: world.place(b), add, remove };
            world.frame(conn, Body::ChangeMembers(change));
        }
        18 if a % 2 == 0 => world.frame(conn, Body::Active(proto::Active {})),
        // A STAT of the same fuzzer's making, perhaps, and something said to it.
        18 => {
            use proto::answer_stat::Answer as Says;
            let (conversation, sequence) = (world.place(b), b % 8);
            let answer = Some(match a % 7 {
                0 | 1 => Says::Accept(proto::Accept {}),
                2 => Says::Coming(proto::Coming {}),
                3 => Says::Decline(proto::Decline { reason: (b % 6) as i32 }),
                4 => Says::HandBack(proto::HandBack {}),
                5 => Says::CallNote(proto::CallNote {
                    reached: if a % 2 == 0 { world.person(b) } else { 0 },
                    read_back: true,
                    called: world.now.wall.0.saturating_sub_unsigned(a),
                    role: "Physician on call".to_owned(),
                    name: String::new(),
                }),
                _ => Says::Close(proto::CloseStat {}),
            });
            let (at, signature) = (world.now.wall.0, vec![0; if b % 16 == 0 { 63 } else { 64 }]);
            let answer = proto::AnswerStat { conversation, sequence, answer, at, signature };
            world.frame(conn, Body::AnswerStat(answer));
        }
        19 => {
            let by = if b % 2 == 0 { *local } else { conn };
            let device = world.device(b);
            world.frame(by, Body::RevokeDevice(proto::RevokeDevice { device }));
        }
        20 => {
            let person = world.person(b);
            world.frame(*local, Body::SetStanding(proto::SetStanding { person, suspended: a % 3 == 0 }));
        }
        21 => {
            let conversation = world.place(b);
            world.frame(*local, Body::PurgeConversation(proto::PurgeConversation { conversation }));
        }
        22 => {
            let name = Name::parse("Chidi").ok()?.reveal().to_owned();
            let add = proto::AddPerson { name, title: String::new(), administrator: a % 2 == 0 };
            world.frame(*local, Body::AddPerson(add));
        }
        23 => {
            let person = world.person(b);
            world.join(*local, person, b as u8);
        }
        24 => {
            let ms = a * if b % 4 == 0 { 60_000 } else { 10 };
            world.now = Now { mono: world.now.mono.after(ms), wall: world.now.wall.after(ms) };
            let turn = world.relay.handle_timeout(world.now);
            world.take(turn);
            assert!(world.relay.poll_timeout().is_some_and(|due| due > world.now.mono), "a timer is stuck");
        }
        25 => world.now.wall = Wall(world.now.wall.0.wrapping_add((a as i64 - 32_768) * 10_000)),
        26 => world.handle(Input::Disk { free: a << 12 }),
        27 => {
            let conversation = ConversationId::new(world.place(b))?;
            let (read_through, any_through) = (Sequence(a % 16), Sequence(b % 8));
            world.handle(Input::Aged { conversation, read_through, any_through });
        }
        28 if b % 4 != 0 && conn != *local => {
            let zone = [Zone::Ward, Zone::Admin, Zone::Guest][a as usize % 3];
            world.handle(Input::Moved { conn, zone });
        }
        28 => world.handle(Input::Faulted { conn, fault: PeerFault::Malformed }),
        29 if a % 8 == 0 => {
            world.restart();
            *local = world.connect(Door::Local);
        }
        30 => {
            world.handle(Input::Request { conn, request: RequestId(b), ask: Ask::ListPeople { after: None } })
        }
        31 if a % 3 == 1 => {
            let role = world.state.roles.keys().next().map_or(0, |role| role.value());
            let (unit, zone) =
                (world.state.units.keys().next().map_or(1, |unit| unit.value()), "UTC".to_owned());
            if role == 0 {
                let (name, rota) =
                    ("IT on call".to_owned(), Some(proto::Rota { zone, ..Default::default() }));
                world.frame(*local, Body::SetRole(proto::SetRole { unit, name, rota, ..Default::default() }));
            }
            let role = if b % 8 == 0 { 0 } else { role };
            world.frame(*local, Body::SetAlarmRole(proto::SetAlarmRole { role }));
        }
        31 if a % 3 == 2 => {
            let kinds = AlarmKind::ALL.into_iter().filter(|kind| b >> kind.number() & 1 == 1);
            let standing = kinds.map(|kind| Alarm { kind, level: (a % 4) as u32 }).collect();
            let fresh = fresh(world.seed);
            world.handle(Input::Alarms { standing, fresh });
        }
        31 if a % 64 == 0 => world.handle(Input::Drain),
        32..36 => clinical(world, *local, conn, (verb / 40, a, b)),
        36 => world.frame(conn, Body::AskPasskeyChallenge(proto::AskPasskeyChallenge {})),
        37 => world.touch(conn, (true, b)),
        38 => world.touch(conn, (false, b)),
        39 if a % 2 == 0 => world.frame(conn, Body::Lock(proto::Lock {})),
        39 => {
            let credential = vec![b as u8 % 12; 16];
            world.frame(conn, Body::RemovePasskey(proto::RemovePasskey { credential }));
        }
        _ => {}
    }
    Some(())
}

fuzz_target!(|bytes: &[u8]| {
    let now = Now { mono: Mono(0), wall: Wall(1_800_000_000_000) };
    let mut world = Box {
        relay: Relay::new(now, Policy::default(), &[9; 32], Restored::default()).expect("an empty store"),
        now,
        state: State::default(),
        expects: BTreeMap::new(),
        passkeys: BTreeMap::new(),
        keys: BTreeMap::new(),
        open: Vec::new(),
        next_conn: 1,
        code: None,
        seed: 0,
        said: BTreeMap::new(),
    };
    let mut local = world.connect(Door::Local);
    for name in ["Ana", "Ben"] {
        let add =
            proto::AddPerson { name: name.to_owned(), title: String::new(), administrator: name == "Ana" };
        world.frame(local, proto::client_frame::Body::AddPerson(add));
    }
    for at in 0..2 {
        let person = world.person(at);
        world.join(local, person, 1);
    }
    let mut bytes = Bytes(bytes);
    for _ in 0..400 {
        if step(&mut world, &mut local, &mut bytes).is_none() {
            break;
        }
    }
    world.restart();
});
