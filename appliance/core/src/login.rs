//! What shows that a device's key was copied: a secret that changes with every sign-in.
//!
//! ```text
//!            Prove, with what it has        SignedIn, with the next        any request
//!  current ------------------------> known? ------------------------> offered ---------> current
//!                                      \--> neither current nor offered: somebody else has used it
//! ```
//!
//! Whoever presents `current` while another is offered never got it, or died before writing it down: nothing is amiss. A client asks
//! for nothing before it has written down what it was offered, so its first request says that the one before is spent.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::audit::{Act, Actor};
use crate::directory::{Person, Post};
use crate::draft::Draft;
use crate::ids::{Change, Conn, DeviceId, PersonId, RequestId};
use crate::refusal::{CloseCode, Refusal};
use crate::relay::{Relay, device_of};
use crate::time::Now;
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Bytes of a secret.
pub const SECRET_LENGTH: usize = 32;

/// What the box keeps of a secret: SHA-256("wardline/1 login secret\0" || secret). It is random, so that is enough.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct SecretHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl SecretHash {
    /// Of the bytes of a secret.
    pub fn of(secret: &[u8; SECRET_LENGTH]) -> Self {
        Self(Sha256::new().chain_update(b"wardline/1 login secret\0").chain_update(secret).finalize().into())
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// The secrets of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LoginSecrets {
    /// The last one that was used; none, until the first is.
    #[n(0)]
    pub current: Option<SecretHash>,
    /// Sent since then. Nobody knows whether it arrived.
    #[n(1)]
    pub offered: Option<SecretHash>,
    /// The change that brought this.
    #[n(2)]
    pub changed: Change,
}

impl LoginSecrets {
    /// Whoever has this has heard everything.
    fn newest(&self) -> Option<SecretHash> {
        self.offered.or(self.current)
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::kept::to_bytes(self)
    }

    /// What is behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        crate::kept::canonical(bytes)
    }
}

/// What a device says of its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    /// It is to have one, if it has none.
    pub rotates: bool,
    /// The one that it has.
    pub secret: Option<SecretHash>,
}

impl Presented {
    pub(crate) fn parse(rotates: bool, secret: &[u8]) -> Result<Self, Refusal> {
        let secret = match secret {
            [] => None,
            bytes => Some(SecretHash::of(bytes.try_into().map_err(|_| Refusal::Invalid)?)),
        };
        Ok(Self { rotates, secret })
    }
}

/// The same, and the secret that the device will be offered.
#[derive(Clone, Copy, Default)]
pub struct Login {
    /// What it says.
    pub presented: Presented,
    /// 32 random bytes, drawn for this sign-in.
    pub next: [u8; SECRET_LENGTH],
}

/// What a connection will be offered once it is signed in.
pub(crate) struct Offer {
    current: Option<SecretHash>,
    next: [u8; SECRET_LENGTH],
}

impl Offer {
    /// A new device's first.
    pub(crate) fn first(login: &Login) -> Option<Self> {
        login.presented.rotates.then_some(Self { current: None, next: login.next })
    }
}

impl Relay {
    /// Whether a proven device may go on with what it presents. If not, its connection is over, and perhaps the device is.
    pub(crate) fn is_only_holder(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        id: DeviceId,
        login: &Login,
    ) -> bool {
        let secrets = self.state.devices.get(&id).and_then(|device| device.login);
        let Some(link) = self.links.get_mut(&conn) else { return false };
        let Some(secrets) = secrets else {
            link.offer = Offer::first(login);
            return true;
        };
        let presented = login.presented.secret;
        if presented != secrets.newest() {
            // The device has signed in on another connection since this one said hello: this may be its own, come late, and must not
            // take away what it was given there. Whoever tries again is known by what they say then.
            if secrets.changed > link.welcomed {
                self.turn_away(turn, conn, request, Refusal::Unavailable);
                return false;
            }
            if presented != secrets.current {
                self.copied(now, turn, (conn, request), id);
                return false;
            }
        }
        link.offer = Some(Offer { current: presented, next: login.next });
        true
    }

    /// The device has signed in on this connection: it is offered the next secret, and no other connection of it may go on with an
    /// older one.
    pub(crate) fn offer_secret(&mut self, now: Now, turn: &mut Turn, conn: Conn, id: DeviceId) -> Vec<u8> {
        let Some(link) = self.links.get_mut(&conn) else { return Vec::new() };
        let Some(Offer { current, next }) = link.offer.take() else { return Vec::new() };
        link.offered = true;
        if let Some(older) = self.awaiting_pin.get(&id).copied().filter(|older| *older != conn) {
            self.close(turn, older, CloseCode::SUPERSEDED);
        }
        let offered = Some(SecretHash::of(&next));
        let secrets = LoginSecrets { current, offered, changed: Change(0) };
        self.draft(now, turn).write(Write::LoginSecretsSet { device: id, secrets });
        next.to_vec()
    }

    /// Something is asked on this connection: whoever asks has what it was offered.
    pub(crate) fn secret_was_kept(&mut self, now: Now, turn: &mut Turn, conn: Conn) {
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.offered) else { return };
        link.offered = false;
        let Some(id) = device_of(&link.session) else { return };
        let secrets = self.state.devices.get(&id).and_then(|device| device.login);
        if let Some(LoginSecrets { offered: Some(kept), .. }) = secrets {
            let secrets = LoginSecrets { current: Some(kept), offered: None, changed: Change(0) };
            self.draft(now, turn).write(Write::LoginSecretsSet { device: id, secrets });
        }
    }

    /// Two hold the key. Which of them is the person's nobody can tell: neither goes on.
    fn copied(&mut self, now: Now, turn: &mut Turn, (conn, request): (Conn, RequestId), id: DeviceId) {
        let Some(person) = self.state.devices.get(&id).map(|device| device.person) else { return };
        let mut draft = self.draft(now, turn);
        draft.write(Write::DeviceRevoked { device: id });
        draft.record(Actor::TheBox, Act::DeviceCopied(person, id));
        tell(&mut draft, person, id);
        self.turn_away(turn, conn, request, Refusal::DeviceCopied);
        self.expel(turn, &[id]);
    }
}

/// The person's other devices are told, whoever leads where they work, and administration. Who is connected: the audit has it for
/// whoever looks later.
fn tell(draft: &mut Draft<'_>, person: PersonId, id: DeviceId) {
    let (Some(entry), Some(device)) = (draft.state.people.get(&person), draft.state.devices.get(&id)) else {
        return;
    };
    let told = proto::DeviceCopied { person: person.value(), device: Some(device.to_wire()) };
    // Nobody is told of somebody's family who is not of the thread.
    let staff = entry.visitor.is_none();
    let leads = |other: &Person| {
        entry.posts.keys().chain(&entry.station).any(|unit| other.posts.get(unit) == Some(&Post::ChargeNurse))
    };
    let others = draft.state.people.values().filter(|other| staff && (other.administrator || leads(other)));
    let people: BTreeSet<PersonId> = others.map(|other| other.id).chain([person]).collect();
    // Of the device itself none: it is revoked.
    let phones = people.into_iter().flat_map(|person| draft.phones.of(draft.state, person));
    let conns: Vec<Conn> = phones.collect();
    for conn in conns {
        let body = Body::DeviceCopied(told.clone());
        draft.send(Send::Reply { conn, request: RequestId::NONE, body });
    }
}
