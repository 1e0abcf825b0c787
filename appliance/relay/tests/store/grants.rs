//! Grants come from the core alone: so a small core is made to give the one that a test needs.

use std::collections::BTreeMap;

use wardline_core::audit::looking::Look;
use wardline_core::conversation::{Conversation, Kind, Member};
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::export::{Exporting, Whose};
use wardline_core::grant::{AuditGrant, ExportGrant, PageGrant, SearchGrant, SyncGrant};
use wardline_core::ids::{
    Change, Conn, ConversationId, DeviceId, ExportId, Number, PersonId, RequestId, Sequence,
};
use wardline_core::input::{Ask, Door, Fresh, Input, Source, Zone};
use wardline_core::login::Login;
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::search::Search;
use wardline_core::session::Verifier;
use wardline_core::state::Restored;
use wardline_core::text::{Grounds, Name, Title, WrappedKey};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::Send;
use wardline_core::wire::proto::server_frame::Body;

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
    signed_in_as(person, false, others, conversations)
}

/// The same; perhaps a privacy officer.
fn signed_in_as(
    person: PersonId,
    officer: bool,
    others: &[PersonId],
    conversations: Vec<Conversation>,
) -> Relay {
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
        privacy_officer: officer && id == person,
        posts: BTreeMap::new(),
        station: None,
        agency: None,
        barred: false,
        waits: None,
        visitor: None,
        the_box: false,
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
            login: None,
            passkeys: Vec::new(),
            passkey_until: Some(Wall(1)),
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
    relay.handle(NOW, Input::Proof { conn: CONN, request, proven, login: Login::default() });
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

/// What an officer is granted of this conversation's messages behind one, in an export of somebody who is in it, or has left.
pub(crate) fn export(
    officer: PersonId,
    (whose, left): (PersonId, bool),
    (id, last): (ConversationId, Sequence),
    after: Sequence,
) -> ExportGrant {
    let mut conversation = of(whose, id, Sequence(1), last);
    conversation.members.values_mut().for_each(|member| member.left = left);
    let mut relay = signed_in_as(officer, true, &[whose], vec![conversation]);
    let mut ask = |ask| {
        let ask = Ask::Export(ask);
        relay.handle(NOW, Input::Request { conn: CONN, request: RequestId(2), ask }).sends
    };
    let grounds = Grounds::parse("Request of the person").unwrap();
    let fresh = Fresh { seed: [1; 32], key: WrappedKey(vec![1; 60]) };
    let mut export = None;
    for send in ask(Exporting::Begin { whose: Whose::Person(whose), grounds, fresh }) {
        if let Send::Reply { body: Body::ExportBegun(begun), .. } = send {
            export = ExportId::new(begun.export);
        }
    }
    for send in ask(Exporting::Read { export: export.unwrap(), conversation: id, after }) {
        if let Send::ReadExport { grant, .. } = send {
            return grant;
        }
    }
    panic!("the core granted nothing");
}

/// What an officer is granted of the audit log: all of it, until the test narrows it down.
pub(crate) fn audit(officer: PersonId) -> AuditGrant {
    let (since, until) = (Wall(0), Wall(i64::MAX));
    let look = Look { before: None, person: None, patient: None, acts: Vec::new(), since, until };
    let input = Input::Request { conn: CONN, request: RequestId(2), ask: Ask::Audit(look) };
    for send in signed_in_as(officer, true, &[], Vec::new()).handle(NOW, input).sends {
        if let Send::ReadAudit { mut grant, .. } = send {
            grant.before = u64::MAX;
            return grant;
        }
    }
    panic!("the core granted nothing");
}
