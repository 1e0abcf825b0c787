//! Grants come from the core alone: so a small core is made to give the one that a test needs.

use std::collections::BTreeMap;

use wardline_core::conversation::{Conversation, Kind, Member};
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::grant::{PageGrant, SearchGrant, SyncGrant};
use wardline_core::ids::{Change, Conn, ConversationId, DeviceId, Number, PersonId, RequestId, Sequence};
use wardline_core::input::{Ask, Door, Input, Source, Zone};
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::search::Search;
use wardline_core::session::Verifier;
use wardline_core::state::Restored;
use wardline_core::text::{Name, Title};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::Send;

const CONN: Conn = Conn(1);
const NOW: Now = Now { mono: Mono(0), wall: Wall(0) };

struct Anything;

impl Verifier for Anything {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// A core in which this person is signed in, and a member of these.
fn signed_in(person: PersonId, others: &[PersonId], conversations: Vec<Conversation>) -> Relay {
    let device = DeviceId::new(1).unwrap();
    let mut point = [0; 65];
    point[0] = 4;
    let name = Name::parse("Ana").unwrap();
    let entry = |id| Person {
        id,
        name: name.clone(),
        title: Title::default(),
        administrator: false,
        suspended: false,
        changed: Change(0),
        privacy_officer: false,
        posts: BTreeMap::new(),
        station: None,
        agency: None,
        barred: false,
        waits: None,
        visitor: None,
    };
    let others = others.iter().filter(|other| **other != person);
    let restored = Restored {
        people: [person].iter().chain(others).map(|id| entry(*id)).collect(),
        devices: vec![Device {
            id: device,
            person,
            name: name.clone(),
            key: PublicKey::parse(&point).unwrap(),
            salt: [0; 16],
            pin: PinMac([0; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: Some(Wall(1)),
            last_number: Number(0),
        }],
        conversations,
        ..Restored::default()
    };
    let mut relay = Relay::new(NOW, Policy::default(), &[0; 32], restored).unwrap();
    relay.handle(NOW, Input::Connected { conn: CONN, door: Door::Network(Zone::Ward), source: Source(1) });
    let request = RequestId(1);
    let hello =
        Input::Hello { conn: CONN, request, versions: (1, 1), device: Some(device), challenge: [0; 32] };
    let mut expected = None;
    for send in relay.handle(NOW, hello).sends {
        if let Send::Welcome { expect, .. } = send {
            expected = Some(expect);
        }
    }
    let proven = expected.unwrap().verify_sign_in(&Anything, &[0; 32], device, &[0; 64]).unwrap();
    relay.handle(NOW, Input::Proof { conn: CONN, request, proven });
    relay
}

pub(crate) fn sync(person: PersonId) -> SyncGrant {
    let ask = Ask::Sync { cursor: Vec::new() };
    let input = Input::Request { conn: CONN, request: RequestId(2), ask };
    for send in signed_in(person, &[], Vec::new()).handle(NOW, input).sends {
        if let Send::Attach { grant, .. } = send {
            return grant;
        }
    }
    panic!("the core granted nothing");
}

pub(crate) fn page(
    person: PersonId,
    conversation: ConversationId,
    (from, before): (Sequence, Sequence),
    limit: u32,
) -> PageGrant {
    let id = conversation;
    let conversation = of(person, id, from, Sequence(before.0 - 1));
    let ask = Ask::History { conversation: id, before, limit };
    let input = Input::Request { conn: CONN, request: RequestId(2), ask };
    for send in signed_in(person, &[], vec![conversation]).handle(NOW, input).sends {
        if let Send::ReadPage { grant, .. } = send {
            return grant;
        }
    }
    panic!("the core granted nothing");
}

/// A group that this person is in.
fn of(person: PersonId, id: ConversationId, from: Sequence, last: Sequence) -> Conversation {
    let member = Member { from, delivered: Sequence(0), read: Sequence(0), left: false, changed: Change(0) };
    Conversation {
        id,
        kind: Kind::Group,
        title: Title::parse("4 West").unwrap(),
        owner: Some(person),
        changed: Change(0),
        last,
        last_change: Change(0),
        first: Sequence(1),
        purged: false,
        unit: None,
        archived: false,
        noticed: 0,
        members: BTreeMap::from([(person, member)]),
    }
}

pub(crate) fn search(person: PersonId, search: Search) -> SearchGrant {
    let place = search.filter.conversation.map(|place| of(person, place, Sequence(1), Sequence(0)));
    let author: Vec<PersonId> = search.filter.author.into_iter().collect();
    let input = Input::Request { conn: CONN, request: RequestId(2), ask: Ask::Search(search) };
    for send in signed_in(person, &author, place.into_iter().collect()).handle(NOW, input).sends {
        if let Send::Search { grant, .. } = send {
            return grant;
        }
    }
    panic!("the core granted nothing");
}
