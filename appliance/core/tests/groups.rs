//! What large groups and many of them cost: others, and the box.

use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, ConversationId, PersonId, RequestId};
use wardline_core::input::{Ask, Door, Fresh, Input, Source, Zone};
use wardline_core::limits;
use wardline_core::pin::{PinMac, join_code_hash};
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::session::Verifier;
use wardline_core::state::Restored;
use wardline_core::text::{Name, Title, WrappedKey};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::wire::{self};

const BOX: Conn = Conn(0);

/// Signatures are not what is tested here.
struct AnySignature;

impl Verifier for AnySignature {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// A box and its people, each with one device that is delivered to, on the connection of the same number.
struct Ward {
    relay: Relay,
    now: Now,
    drawn: u64,
    people: Vec<PersonId>,
}

impl Ward {
    fn new(people: usize) -> Self {
        let now = Now { mono: Mono(1_000), wall: Wall(1_795_435_200_000) };
        let policy = Policy { idle_lock_ms: u64::MAX / 4, session_ms: 1 << 40, ..Policy::default() };
        let relay = Relay::new(now, policy, &[7; 32], Restored::default()).expect("an empty store");
        let mut ward = Self { relay, now, drawn: 0, people: Vec::new() };
        ward.connect(BOX, Door::Local);
        for number in 1..=people as u64 {
            ward.enter(Conn(number));
        }
        ward
    }

    fn handle(&mut self, input: Input) -> Turn {
        self.relay.handle(self.now, input)
    }

    fn connect(&mut self, conn: Conn, door: Door) {
        self.handle(Input::Connected { conn, door, source: Source(conn.0) });
    }

    fn fresh(&mut self) -> Fresh {
        self.drawn += 1;
        let mut seed = [0; 32];
        for (at, part) in seed.chunks_mut(8).enumerate() {
            let mixed = (self.drawn ^ (at as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&(mixed ^ mixed >> 29).to_be_bytes());
        }
        Fresh { seed, key: WrappedKey(vec![1; 60]) }
    }

    fn ask(&mut self, conn: Conn, ask: Ask) -> Turn {
        self.handle(Input::Request { conn, request: RequestId(9), ask })
    }

    /// Somebody is added, joins and is delivered to.
    fn enter(&mut self, conn: Conn) {
        self.now.mono = self.now.mono.after(10);
        let fresh = self.fresh();
        let name = Name::parse(&format!("Nurse {}", conn.0)).expect("a name");
        let add = Ask::AddPerson { name, title: Title::default(), administrator: false, fresh };
        let Body::PersonAdded(added) = answer(&self.ask(BOX, add)) else { panic!("not added") };
        let person = PersonId::new(added.person).expect("a person");
        self.people.push(person);
        let fresh = self.fresh();
        let Body::JoinCode(code) = answer(&self.ask(BOX, Ask::IssueJoinCode { person, fresh })) else {
            panic!("no code")
        };
        self.connect(conn, Door::Network(Zone::Ward));
        let (request, versions, challenge) = (RequestId(1), (1, 1), [3; 32]);
        let hello = self.handle(Input::Hello { conn, request, versions, device: None, challenge });
        let expect = hello.sends.into_iter().find_map(|send| match send {
            Send::Welcome { expect, .. } => Some(expect),
            _ => None,
        });
        let mut key = [4; 65];
        key[1..9].copy_from_slice(&conn.0.to_be_bytes());
        let key = PublicKey::parse(&key).expect("a key");
        let name = Name::parse("phone").expect("a name");
        let proven = expect.expect("welcome").verify_join(
            &AnySignature,
            &[5; 32],
            join_code_hash(&code.code),
            key,
            name,
            &[1; 64],
        );
        let fresh = self.fresh();
        self.handle(Input::Join { conn, request, proven: proven.expect("a signature"), fresh });
        let joined = self.handle(Input::PinMac { conn, mac: Some(PinMac([6; 32])) });
        assert!(matches!(answer(&joined), Body::SignedIn(_)));
        self.ask(conn, Ask::Sync { cursor: Vec::new() });
    }

    fn open_group(&mut self, conn: Conn, people: Vec<PersonId>) -> Turn {
        self.now.mono = self.now.mono.after(5_000);
        let fresh = self.fresh();
        self.ask(conn, Ask::OpenGroup { title: Title::parse("4 West").expect("a title"), people, fresh })
    }

    fn change(&mut self, conn: Conn, group: ConversationId, add: &[PersonId], remove: &[PersonId]) -> Turn {
        let (add, remove) = (add.to_vec(), remove.to_vec());
        self.ask(conn, Ask::ChangeMembers { conversation: group, add, remove })
    }
}

fn answer(turn: &Turn) -> Body {
    let reply = turn.sends.iter().find_map(|send| match send {
        Send::Reply { body, .. } => Some(body.clone()),
        _ => None,
    });
    reply.expect("an answer")
}

fn group_of(turn: &Turn) -> ConversationId {
    let Body::Opened(proto::Opened { conversation: Some(opened) }) = answer(turn) else {
        panic!("not opened")
    };
    ConversationId::new(opened.conversation).expect("an identifier")
}

fn refused(turn: &Turn) -> bool {
    matches!(answer(turn), Body::Refused(refused) if refused.code() == proto::RefusalCode::Limit)
}

/// What the driver encodes and holds for a turn: each event once, however many hear of it.
fn encoded(turn: &Turn) -> (usize, usize) {
    let small = |send: &Send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } => {
            Some((wire::encode_event((**kind).clone()).len(), conns.len()))
        }
        _ => None,
    };
    let events: Vec<(usize, usize)> = turn.sends.iter().filter_map(small).collect();
    (events.iter().map(|(bytes, _)| bytes).sum(), events.iter().map(|(bytes, conns)| bytes * conns).sum())
}

#[test]
fn opening_the_largest_group_is_one_event() {
    let mut ward = Ward::new(limits::MEMBERS_MAX);
    let others = ward.people[1..].to_vec();
    let turn = ward.open_group(Conn(1), others);
    let (held, _) = encoded(&turn);
    assert!(held <= limits::MEMBERS_MAX * 35 + 200, "{held} bytes");
}

#[test]
fn a_change_to_a_large_group_tells_the_old_members_only_what_is_new() {
    let mut ward = Ward::new(limits::MEMBERS_MAX);
    let newcomer = ward.people[limits::MEMBERS_MAX - 1];
    let others = ward.people[1..limits::MEMBERS_MAX - 1].to_vec();
    let group = group_of(&ward.open_group(Conn(1), others));

    let turn = ward.change(Conn(1), group, &[newcomer], &[]);
    let whole: Vec<usize> = turn
        .sends
        .iter()
        .filter_map(|send| match send {
            Send::Fanout { event: Event::Small(kind), conns, .. }
                if matches!(**kind, Kind::Conversation(_)) =>
            {
                Some(conns.len())
            }
            _ => None,
        })
        .collect();
    assert_eq!(whole, [1], "the newcomer alone is told the whole");
    let (_, carried) = encoded(&turn);
    assert!(carried < 64 * 1024, "{carried} bytes go out, where the whole to everybody is nine megabytes");

    let (_, carried) = encoded(&ward.change(Conn(1), group, &[], &[newcomer]));
    assert!(carried < 32 * 1024, "{carried} bytes go out");
}

#[test]
fn one_account_cannot_use_up_a_colleagues_places() {
    let accounts = limits::MEMBERSHIPS_BY_OTHERS_MAX / limits::GROUPS_SHARED_MAX as usize;
    let mut ward = Ward::new(accounts + 2);
    let victim = ward.people[0];
    for number in 2..accounts as u64 + 2 {
        for _ in 0..limits::GROUPS_SHARED_MAX {
            assert!(!refused(&ward.open_group(Conn(number), vec![victim])));
        }
        assert!(refused(&ward.open_group(Conn(number), vec![victim])), "one owner has so many and no more");
        assert!(!refused(&ward.open_group(Conn(number), Vec::new())), "which binds nobody else");
    }
    assert_eq!(ward.relay.state().membership_count(victim), limits::MEMBERSHIPS_BY_OTHERS_MAX);
    let last = Conn(accounts as u64 + 2);
    assert!(refused(&ward.open_group(last, vec![victim])), "a quarter is the person's own");
    assert!(!refused(&ward.open_group(Conn(1), Vec::new())), "who still opens what they like");

    let left = ward.relay.state().memberships(victim).find(|id| {
        ward.relay.state().conversations.get(id).is_some_and(|conversation| conversation.owner != victim)
    });
    ward.change(Conn(1), left.expect("a membership"), &[], &[victim]);
    ward.change(Conn(1), left.expect("a membership"), &[], &[victim]);
    let state = ward.relay.state();
    assert_eq!(state.membership_count(victim), limits::MEMBERSHIPS_BY_OTHERS_MAX);
    let left = ward.relay.state().memberships(victim).next().expect("a membership");
    ward.change(Conn(1), left, &[], &[victim]);
    assert!(!refused(&ward.open_group(last, vec![victim])), "whoever leaves makes room");
}

#[test]
fn what_was_purged_takes_nobodys_place_and_can_be_left() {
    let mut ward = Ward::new(2);
    let (ana, ben) = (ward.people[0], ward.people[1]);
    let group = group_of(&ward.open_group(Conn(1), vec![ben]));
    assert_eq!(
        (ward.relay.state().groups_shared(ana, ben), ward.relay.state().membership_count(ben)),
        (1, 1)
    );
    ward.ask(BOX, Ask::PurgeConversation { conversation: group });
    assert_eq!(
        (ward.relay.state().groups_shared(ana, ben), ward.relay.state().membership_count(ben)),
        (0, 0)
    );
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[ben])), Body::Done(_)));
    let present: Vec<PersonId> =
        ward.relay.state().conversations[&group].present().map(|(person, _)| person).collect();
    assert_eq!(present, [ana]);
}

#[test]
fn a_group_forgets_nobody_and_so_takes_only_so_many_in_all() {
    let mut ward = Ward::new(limits::MEMBERS_EVER_MAX + 1);
    let group = group_of(&ward.open_group(Conn(1), Vec::new()));
    let others = ward.people[1..].to_vec();
    let mut refusals = 0;
    for part in others.chunks(limits::MEMBERS_MAX - 1) {
        ward.now.mono = ward.now.mono.after(1_000_000);
        refusals += usize::from(refused(&ward.change(Conn(1), group, part, &[])));
        ward.change(Conn(1), group, &[], part);
    }
    let ever = ward.relay.state().conversations[&group].members.len();
    assert!(refusals > 0 && ever <= limits::MEMBERS_EVER_MAX, "{ever} people");
}

#[test]
fn a_group_that_shrinks_to_where_watermarks_are_pushed_tells_them() {
    let people = limits::WATERMARK_PUSH_MEMBERS_MAX + 1;
    let mut ward = Ward::new(people);
    let others = ward.people[1..].to_vec();
    let group = group_of(&ward.open_group(Conn(1), others));
    let leaver = ward.people[people - 1];
    let told = |turn: &Turn| {
        let whole = |send: &&Send| {
            matches!(send, Send::Fanout { event: Event::Small(kind), .. }
                if matches!(**kind, Kind::Conversation(_)))
        };
        turn.sends.iter().filter(whole).count()
    };
    assert_eq!(told(&ward.change(Conn(1), group, &[], &[leaver])), people - 1);
    let next = ward.people[people - 2];
    assert_eq!(told(&ward.change(Conn(1), group, &[], &[next])), 0, "and only then");
}

#[test]
fn a_suspended_owner_freezes_no_group() {
    let mut ward = Ward::new(3);
    let (ana, ben, cho) = (ward.people[0], ward.people[1], ward.people[2]);
    let group = group_of(&ward.open_group(Conn(1), vec![ben, cho]));
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[cho])), Body::Refused(_)));
    ward.ask(BOX, Ask::SetStanding { person: ana, suspended: true });
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[cho])), Body::Opened(_)));
}
