//! A box and its people, each with one device, without a world around them.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;

use wardline_core::access::Operation;
use wardline_core::alteration::{Kept, Standing};
use wardline_core::audit::{Act, Entry};
use wardline_core::directory::Post;
use wardline_core::directory::PublicKey;
use wardline_core::escalation::signed::{CallNote, Said, Unproven};
use wardline_core::escalation::{Priority, Reason, StatId};
use wardline_core::ids::{
    Conn, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId, RoleId, UnitId,
};
use wardline_core::input::{Ask, Call, Door, Fresh, Input, Source, Submit, Zone};
use wardline_core::limits;
use wardline_core::login::Login;
use wardline_core::order::OrderAsk;
use wardline_core::order::signed::{Deed, Said as OrderSaid, Unproven as UnprovenDeed};
use wardline_core::pin::{PinMac, bedside_code_hash, join_code_hash};
use wardline_core::policy::Policy;
use wardline_core::reaction::Reactions;
use wardline_core::relay::Relay;
use wardline_core::role::{Roles, Which};
use wardline_core::rota::{Date, Pattern, Place, Shift, Sources, Team, TimeZone, Weekday};
use wardline_core::session::{Expect, Verifier};
use wardline_core::stat::Answer;
use wardline_core::state::Restored;
use wardline_core::text::{Name, Sealed, Text, Title, WrappedKey};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::{Numbered, Write};

/// Operations that `tests/stat.rs` tries by every kind of actor, and `tests/access.rs` does not.
pub(crate) const OF_STAT: [Operation; 14] = [
    Operation::SendStat,
    Operation::AskReach,
    Operation::AnswerStat,
    Operation::DeclineStat,
    Operation::HandBackStat,
    Operation::NoteCall,
    Operation::CloseStat,
    Operation::ReadStat,
    Operation::ReadNumbers,
    Operation::SetEscalation,
    Operation::SetFacilityEscalation,
    Operation::ListEscalation,
    Operation::AddStation,
    Operation::ReadStatLoad,
];

/// "I have it": [`Ward::ask`] signs it.
pub(crate) const HAVE_IT: Answer = Answer::Unsigned(Said::Accept);

/// "I cannot": signed as well.
pub(crate) const fn cannot(reason: Reason) -> Answer {
    Answer::Unsigned(Said::Decline(reason))
}

/// A call note of a call at that moment, read back: signed as well.
pub(crate) fn note(reached: Option<PersonId>, called: Wall) -> Answer {
    let role = if reached.is_none() { Title::parse("Physician on call").ok() } else { None };
    Answer::Unsigned(Said::Note(CallNote { reached, role, name: None, called, read_back: true }))
}

/// What messages are taken to say where that is signed.
pub(crate) const WORDS: &str = "Paracetamol 500 mg now";

/// The local service's connection.
pub(crate) const BOX: Conn = Conn(0);

/// Signatures are not what is tested here: any will do.
pub(crate) struct AnySignature;

impl Verifier for AnySignature {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// A box and its people, each with one device that is delivered to, on the connection of the same number.
pub(crate) struct Ward {
    pub(crate) relay: Relay,
    pub(crate) now: Now,
    drawn: u64,
    pub(crate) people: Vec<PersonId>,
    /// Connections on which the device of another came again.
    came: BTreeMap<Conn, Conn>,
}

impl Ward {
    /// Sessions that never lock.
    pub(crate) fn new(people: usize) -> Self {
        let policy = Policy { idle_lock_ms: u64::MAX / 4, session_ms: 1 << 40, ..Policy::default() };
        Self::under(policy, people)
    }

    pub(crate) fn under(policy: Policy, people: usize) -> Self {
        let now = Now { mono: Mono(1_000), wall: Wall(1_795_435_200_000) };
        let relay = Relay::new(now, policy, &[7; 32], Restored::default()).expect("an empty store");
        let mut ward = Self { relay, now, drawn: 0, people: Vec::new(), came: BTreeMap::new() };
        ward.connect(BOX, Door::Local);
        for number in 1..=people as u64 {
            ward.enter(Conn(number));
        }
        ward
    }

    pub(crate) fn handle(&mut self, input: Input) -> Turn {
        self.relay.handle(self.now, input)
    }

    fn connect(&mut self, conn: Conn, door: Door) {
        self.handle(Input::Connected { conn, door, source: Source(conn.0) });
    }

    pub(crate) fn fresh(&mut self) -> Fresh {
        self.drawn += 1;
        let mut seed = [0; 32];
        for (at, part) in seed.chunks_mut(8).enumerate() {
            let mixed = (self.drawn ^ (at as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&(mixed ^ mixed >> 29).to_be_bytes());
        }
        Fresh { seed, key: WrappedKey(vec![1; 60]) }
    }

    /// Whoever asks signs what wants a signature: by the device that they came with.
    pub(crate) fn ask(&mut self, conn: Conn, ask: Ask) -> Turn {
        let ask = match ask {
            Ask::AnswerStat { stat, answer: Answer::Unsigned(said) } => {
                Ask::AnswerStat { stat, answer: self.signed(conn, stat, said) }
            }
            Ask::Submit(submit) => {
                let order = match submit.order {
                    Some(OrderSaid::Unsigned(deed)) => {
                        Some(self.signed_order(conn, submit.conversation, Some(submit.message), deed))
                    }
                    order => order,
                };
                Ask::Submit(Submit { order, ..submit })
            }
            Ask::Order(OrderAsk::Answer { order, said: OrderSaid::Unsigned(deed) }) => {
                let said = self.signed_order(conn, order.conversation, None, deed);
                Ask::Order(OrderAsk::Answer { order, said })
            }
            ask => ask,
        };
        self.ask_as_it_is(conn, ask)
    }

    /// The same about an order: of a message that says [`WORDS`], or of none.
    pub(crate) fn signed_order(
        &self,
        conn: Conn,
        conversation: ConversationId,
        message: Option<MessageId>,
        deed: Deed,
    ) -> OrderSaid {
        let came = self.came.get(&conn).copied().unwrap_or(conn);
        let by = self.relay.state().device_with(&key_of(came)).map(|device| (device.id, device.key));
        let unproven = UnprovenDeed { deed, at: self.now.wall, signature: vec![1; 64] };
        let facility = [9; 32];
        match message {
            None => unproven.of_answer(&AnySignature, &facility, by, conversation),
            Some(message) => {
                let text = Text::parse(WORDS.to_owned()).expect("a text");
                unproven.of_message(&AnySignature, &facility, by, conversation, (message, &text))
            }
        }
    }

    /// What the device of this connection signs.
    pub(crate) fn signed(&self, conn: Conn, stat: StatId, said: Said) -> Answer {
        let came = self.came.get(&conn).copied().unwrap_or(conn);
        let by = self.relay.state().device_with(&key_of(came)).map(|device| (device.id, device.key));
        let unproven = Unproven { stat, said, at: self.now.wall, signature: vec![1; 64] };
        match unproven.verify(&AnySignature, &[9; 32], by) {
            Ok(proven) => Answer::Signed(Box::new(proven)),
            Err(said) => Answer::Unsigned(said),
        }
    }

    pub(crate) fn ask_as_it_is(&mut self, conn: Conn, ask: Ask) -> Turn {
        self.handle(Input::Request { conn, request: RequestId(9), ask })
    }

    /// Somebody is added, joins and is delivered to.
    pub(crate) fn enter(&mut self, conn: Conn) {
        self.enter_from(conn, Zone::Ward);
    }

    /// The same, from this network.
    pub(crate) fn enter_from(&mut self, conn: Conn, zone: Zone) -> PersonId {
        self.now.mono = self.now.mono.after(10);
        let fresh = self.fresh();
        let name = Name::parse(&format!("Nurse {}", conn.0)).expect("a name");
        let add = Ask::AddPerson { name, title: Title::default(), administrator: false, fresh };
        let Body::PersonAdded(added) = answer(&self.ask(BOX, add)) else { panic!("not added") };
        let person = PersonId::new(added.person).expect("a person");
        self.people.push(person);
        self.join(conn, zone, person);
        self.ask(conn, Ask::Sync { cursor: Vec::new() });
        person
    }

    /// A screen of a unit is added and joins.
    pub(crate) fn enter_station(&mut self, conn: Conn, unit: UnitId) -> Turn {
        self.now.mono = self.now.mono.after(10);
        let fresh = self.fresh();
        let name = Name::parse("Desk").expect("a name");
        let Body::PersonAdded(added) = answer(&self.ask(BOX, Ask::AddStation { unit, name, fresh })) else {
            panic!("not added")
        };
        self.join(conn, Zone::Ward, PersonId::new(added.person).expect("a person"))
    }

    /// A device more of theirs.
    pub(crate) fn join(&mut self, conn: Conn, zone: Zone, person: PersonId) -> Turn {
        let fresh = self.fresh();
        let Body::JoinCode(code) = answer(&self.ask(BOX, Ask::IssueJoinCode { person, fresh })) else {
            panic!("no code")
        };
        self.join_by(conn, zone, &code.code)
    }

    fn hello(&mut self, conn: Conn, zone: Zone, device: Option<DeviceId>) -> Option<Expect> {
        self.connect(conn, Door::Network(zone));
        let (request, versions, challenge) = (RequestId(1), (1, 1), [3; 32]);
        let hello = self.handle(Input::Hello { conn, request, versions, device, challenge });
        hello.sends.into_iter().find_map(|send| match send {
            Send::Welcome { expect, .. } => Some(expect),
            _ => None,
        })
    }

    /// The device that joined on `whose` comes again, on another connection.
    pub(crate) fn sign_in(&mut self, whose: Conn, conn: Conn) -> Turn {
        self.came.insert(conn, whose);
        let key = key_of(whose);
        let device = self.relay.state().device_with(&key).expect("a device").id;
        let expect = self.hello(conn, Zone::Ward, Some(device)).expect("welcome");
        let proven = expect.verify_sign_in(&AnySignature, &[5; 32], device, &[1; 64]);
        self.handle(Input::Proof {
            conn,
            request: RequestId(2),
            proven: proven.expect("a signature"),
            login: Login::default(),
        })
    }

    /// The right PIN.
    pub(crate) fn unlock(&mut self, conn: Conn) -> Turn {
        self.handle(Input::PinOffered { conn, request: RequestId(3) });
        self.handle(Input::PinMac { conn, mac: Some(PinMac([6; 32])) })
    }

    /// Ten wrong PINs of a device, whose session ended.
    pub(crate) fn lock_out(&mut self, device: DeviceId) {
        let person = self.relay.state().devices[&device].person;
        for suspended in [true, false] {
            self.ask(BOX, Ask::SetStanding { person, suspended });
        }
        let conn = Conn(1_000_000 + self.drawn);
        let expect = self.hello(conn, Zone::Ward, Some(device)).expect("welcome");
        let proven = expect.verify_sign_in(&AnySignature, &[5; 32], device, &[1; 64]);
        self.handle(Input::Proof {
            conn,
            request: RequestId(2),
            proven: proven.expect("a signature"),
            login: Login::default(),
        });
        for _ in 0..limits::PIN_TRIES_MAX {
            self.offer_pin(conn, PinMac([9; 32]));
        }
        assert!(self.relay.state().devices[&device].is_locked_out());
    }

    /// A PIN, and what the keeper makes of it.
    pub(crate) fn offer_pin(&mut self, conn: Conn, mac: PinMac) -> Turn {
        self.handle(Input::PinOffered { conn, request: RequestId(3) });
        self.handle(Input::PinMac { conn, mac: Some(mac) })
    }

    /// A device joins by a code that somebody was given.
    pub(crate) fn join_by(&mut self, conn: Conn, zone: Zone, code: &str) -> Turn {
        self.try_join(conn, zone, code);
        let joined = self.handle(Input::PinMac { conn, mac: Some(PinMac([6; 32])) });
        assert!(matches!(answer(&joined), Body::SignedIn(_)));
        joined
    }

    /// The same, up to the PIN.
    pub(crate) fn try_join(&mut self, conn: Conn, zone: Zone, code: &str) -> Turn {
        self.try_join_as(conn, conn, zone, code)
    }

    /// By the key of the device that joined on `whose`, or would have.
    pub(crate) fn try_join_as(&mut self, whose: Conn, conn: Conn, zone: Zone, code: &str) -> Turn {
        let expect = self.hello(conn, zone, None);
        let key = key_of(whose);
        let name = Name::parse("phone").expect("a name");
        let proven = expect.expect("welcome").verify_join(
            &AnySignature,
            &[5; 32],
            join_code_hash(code),
            key,
            name,
            &[1; 64],
        );
        let fresh = self.fresh();
        let request = RequestId(1);
        self.handle(Input::Join {
            conn,
            request,
            proven: proven.expect("a signature"),
            fresh,
            login: Login::default(),
        })
    }

    /// Somebody at a bed asks to be let in, from the guest network; the answer to it.
    pub(crate) fn ask_to_visit(&mut self, conn: Conn, code: &str, name: &str) -> Turn {
        let expect = self.hello(conn, Zone::Guest, None).expect("welcome");
        let (name, device) = (Name::parse(name).expect("a name"), Name::parse("phone").expect("a name"));
        let said = (device, name, Title::parse("daughter").expect("a title"));
        let asked = (bedside_code_hash(code), key_of(conn));
        let proven = expect.verify_visit(&AnySignature, &[5; 32], asked, said, &[1; 64]);
        let fresh = self.fresh();
        let request = RequestId(1);
        let asked =
            self.handle(Input::AskToVisit { conn, request, proven: proven.expect("a signature"), fresh });
        let stretches = asked.sends.iter().any(|send| matches!(send, Send::StretchPin { .. }));
        if !stretches {
            return asked;
        }
        self.handle(Input::PinMac { conn, mac: Some(PinMac([6; 32])) })
    }

    /// A device that was let in comes, and its PIN is right.
    pub(crate) fn visit(&mut self, conn: Conn, device: DeviceId) -> Turn {
        let expect = self.hello(conn, Zone::Guest, Some(device)).expect("welcome");
        let proven = expect.verify_sign_in(&AnySignature, &[5; 32], device, &[1; 64]);
        self.handle(Input::Proof {
            conn,
            request: RequestId(2),
            proven: proven.expect("a signature"),
            login: Login::default(),
        });
        self.handle(Input::PinOffered { conn, request: RequestId(3) });
        self.handle(Input::PinMac { conn, mac: Some(PinMac([6; 32])) })
    }

    /// What a device is told that says hello from there.
    pub(crate) fn say_hello(&mut self, conn: Conn, zone: Zone, device: Option<DeviceId>) -> Turn {
        self.connect(conn, Door::Network(zone));
        let (request, versions, challenge) = (RequestId(1), (1, 1), [3; 32]);
        self.handle(Input::Hello { conn, request, versions, device, challenge })
    }

    /// Time passes, and everything that is due meanwhile is done when it is.
    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Turn> {
        let until = self.now.mono.after(ms);
        let mut turns = Vec::new();
        while let Some(due) = self.relay.poll_timeout().filter(|due| *due <= until) {
            let step = due.0.saturating_sub(self.now.mono.0);
            self.now = Now { mono: self.now.mono.max(due), wall: self.now.wall.after(step) };
            turns.push(self.relay.handle_timeout(self.now));
        }
        self.now.wall = self.now.wall.after(until.0 - self.now.mono.0);
        self.now.mono = until;
        turns
    }

    /// A unit with this staff; of those that are named twice the charge nurse.
    pub(crate) fn add_unit(&mut self, name: &str, staff: &[PersonId], lead: &[PersonId]) -> UnitId {
        let (name, fresh) = (Name::parse(name).expect("a name"), self.fresh());
        let Body::UnitSet(set) = answer(&self.ask(BOX, Ask::SetUnit { unit: None, name, fresh })) else {
            panic!("no unit")
        };
        let unit = UnitId::new(set.unit).expect("a unit");
        let staff = staff.iter().map(|person| (*person, Post::Staff));
        for (person, post) in staff.chain(lead.iter().map(|person| (*person, Post::ChargeNurse))) {
            self.ask(BOX, Ask::SetPost { person, unit, post: Some(post) });
        }
        unit
    }

    /// A role that one person holds the whole week.
    pub(crate) fn add_role(&mut self, unit: UnitId, name: &str, person: PersonId) -> RoleId {
        let rota = Some(all_week(person));
        let (name, fresh) = (Name::parse(name).expect("a name"), self.fresh());
        let ask = Roles::Set { which: Which::New(unit), name, rota, fresh };
        let Body::RoleSet(set) = answer(&self.ask(BOX, Ask::Role(ask))) else { panic!("no role") };
        RoleId::new(set.role).expect("a role")
    }

    /// Takes the first place for an hour.
    pub(crate) fn take_role(&mut self, conn: Conn, role: RoleId, person: Option<PersonId>) -> Turn {
        let until = self.now.wall.after(3_600_000);
        self.ask(conn, Ask::Role(Roles::Take { role, place: Place::FIRST, person, until }))
    }

    pub(crate) fn open_group(&mut self, conn: Conn, people: Vec<PersonId>) -> Turn {
        self.now.mono = self.now.mono.after(5_000);
        let fresh = self.fresh();
        self.ask(conn, Ask::OpenGroup { title: Title::parse("4 West").expect("a title"), people, fresh })
    }

    /// The first message of this device: a STAT.
    pub(crate) fn send_stat(&mut self, conn: Conn, conversation: ConversationId, call: Call) -> Turn {
        let sent = Submit {
            number: Number(1),
            message: MessageId([1; 16]),
            conversation,
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Stat,
            call,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            order: None,
        };
        self.ask(conn, Ask::Submit(sent))
    }

    pub(crate) fn change(
        &mut self,
        conn: Conn,
        group: ConversationId,
        add: &[PersonId],
        remove: &[PersonId],
    ) -> Turn {
        let (add, remove) = (add.to_vec(), remove.to_vec());
        self.ask(conn, Ask::ChangeMembers { conversation: group, add, remove })
    }
}

pub(crate) fn key_of(conn: Conn) -> PublicKey {
    let mut key = [4; 65];
    key[1..9].copy_from_slice(&conn.0.to_be_bytes());
    PublicKey::parse(&key).expect("a key")
}

/// One person, from Monday to Monday, for ever.
pub(crate) fn all_week(person: PersonId) -> Sources {
    let mut sources = Sources::new(TimeZone::utc());
    let start = (Weekday::Monday, 0);
    let shifts = vec![Shift::weekly(0, start, start, Team::one(person))];
    sources.patterns.push(Pattern { from: Date::FIRST, until: None, weeks: 1, place: None, shifts });
    sources
}

pub(crate) fn answer(turn: &Turn) -> Body {
    let reply = turn.sends.iter().find_map(|send| match send {
        // Not what others are told unasked.
        Send::Reply { body, request, .. } if *request != RequestId::NONE => Some(body.clone()),
        _ => None,
    });
    reply.expect("an answer")
}

pub(crate) fn group_of(turn: &Turn) -> ConversationId {
    let Body::Opened(proto::Opened { conversation: Some(opened) }) = answer(turn) else {
        panic!("not opened")
    };
    ConversationId::new(opened.conversation).expect("an identifier")
}

/// The code's name: prost's own type does not print itself.
pub(crate) fn refusal(turn: &Turn) -> Option<&'static str> {
    turn.sends.iter().find_map(|send| match send {
        Send::Reply { body: Body::Refused(refused), .. } => Some(refused.code().as_str_name()),
        _ => None,
    })
}

/// A message as a store has it once it was accepted.
pub(crate) fn kept(numbered: &Numbered) -> Option<Kept> {
    let Write::MessageAccepted(message) = &numbered.write else { return None };
    Some(Kept {
        change: numbered.change,
        id: message.id,
        sender: message.sender,
        device: message.device,
        at: message.at,
        priority: message.priority,
        reply_to: message.reply_to,
        mentions: message.mentions.clone(),
        standing: Standing::default(),
        reactions: Reactions::default(),
        is_order: false,
    })
}

/// What the turn records.
pub(crate) fn acts(turn: &Turn) -> Vec<Act> {
    let audited = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry").act),
        _ => None,
    });
    audited.collect()
}

/// Who hears a ring, and who that it is over.
pub(crate) fn heard(turn: &Turn) -> (Vec<Conn>, Vec<Conn>) {
    let (mut rings, mut silence) = (Vec::new(), Vec::new());
    for send in &turn.sends {
        match send {
            Send::Reply { conn, body: Body::Ring(_), .. } => rings.push(*conn),
            Send::Reply { conn, body: Body::Silence(_), .. } => silence.push(*conn),
            _ => {}
        }
    }
    (rings, silence)
}
