//! People, their posts and their devices: who exists, who may sign in, who administers, who works where.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::{Decode, Encode};

use crate::agency::Agency;
use crate::family::Visitor;
use crate::ids::{Change, DeviceId, Number, PersonId, UnitId};
use crate::leaving::Waiting;
use crate::limits;
use crate::login::LoginSecrets;
use crate::passkey::Passkey;
use crate::pin::PinMac;
use crate::text::{Name, Title};
use crate::time::Wall;
use crate::wire::proto;

/// A person of the facility. Never removed: a leaver is suspended, so that old messages keep their author.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Person {
    /// Who.
    #[n(0)]
    pub id: PersonId,
    /// As colleagues know them.
    #[n(1)]
    pub name: Name,
    /// "RN", "MD, Cardiology"; may be empty.
    #[n(2)]
    pub title: Title,
    /// May add people, issue join codes, revoke, purge. Gives no access to anybody's messages.
    #[n(3)]
    pub administrator: bool,
    /// May not sign in.
    #[n(4)]
    pub suspended: bool,
    /// The change that last touched this.
    #[n(5)]
    pub changed: Change,
    /// Reviews who read what. Administers nothing and leads no unit.
    #[cbor(n(6), with = "crate::optional", has_nil)]
    pub privacy_officer: bool,
    /// Where this person works, and as what. At most [`limits::POSTS_MAX`].
    #[cbor(n(7), with = "crate::optional", has_nil)]
    pub posts: BTreeMap<UnitId, Post>,
    /// Not a person but a screen of this unit, that rings when nobody answers: its device's key is all that it has. It reads
    /// nothing, is in no conversation and holds no post.
    #[cbor(n(8), with = "crate::optional", has_nil)]
    pub station: Option<UnitId>,
    /// How they are here when they are not the facility's own.
    #[cbor(n(9), with = "crate::optional", has_nil)]
    pub agency: Option<Agency>,
    /// Of somebody from an agency: suspended by an act, not only because their time is over. A charge nurse does not admit them.
    #[cbor(n(10), with = "crate::optional", has_nil)]
    pub barred: bool,
    /// Suspended by a charge nurse, which no administrator has confirmed yet.
    #[cbor(n(11), with = "crate::optional", has_nil)]
    pub waits: Option<Waiting>,
    /// Not of the staff but let in to a patient's family thread: in no directory, and nothing but that thread is theirs. Their name
    /// is known to whoever is in it.
    #[cbor(n(240), with = "crate::optional", has_nil)]
    pub visitor: Option<Visitor>,
    /// Not a person but the box itself, whose messages are alarms ([`crate::alarm`]). It is suspended and stays so, in no
    /// conversation, and nobody to whoever asks for a colleague.
    #[cbor(n(400), with = "crate::optional", has_nil)]
    pub the_box: bool,
}

/// What somebody is in a unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Post {
    /// Works there: finds and joins its channels.
    #[n(1)]
    Staff,
    /// Leads it: also decides who works there, and what becomes of its channels.
    #[n(2)]
    ChargeNurse,
    /// Works there by the word of its charge nurse alone, who had a device before: she is not their superior.
    #[n(3)]
    Lent,
}

/// A unit of the facility.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Unit {
    /// Which.
    #[n(0)]
    pub id: UnitId,
    /// "4 West", "Hall B".
    #[n(1)]
    pub name: Name,
    /// The change that last touched this.
    #[n(2)]
    pub changed: Change,
}

impl Person {
    /// Whether they have a post there.
    pub(crate) fn works_in(&self, unit: UnitId) -> bool {
        self.posts.contains_key(&unit)
    }

    /// As clients see it.
    pub fn to_wire(&self) -> proto::Person {
        let post = |(unit, post): (&UnitId, &Post)| proto::Post {
            unit: unit.value(),
            charge_nurse: *post == Post::ChargeNurse,
        };
        proto::Person {
            person: self.id.value(),
            name: self.name.reveal().to_owned(),
            title: self.title.reveal().to_owned(),
            suspended: self.suspended,
            administrator: self.administrator,
            privacy_officer: self.privacy_officer,
            posts: self.posts.iter().map(post).collect(),
            station: self.station.map_or(0, UnitId::value),
            agency: self.agency.as_ref().map(Agency::to_wire),
            the_box: self.the_box,
        }
    }
}

impl Unit {
    /// As clients see it.
    pub fn to_wire(&self) -> proto::Unit {
        proto::Unit { unit: self.id.value(), name: self.name.reveal().to_owned() }
    }
}

/// A device's public key: SEC 1 uncompressed P-256 point (SEC 1, 2.3.3), 65 bytes starting with 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct PublicKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 65]);

impl PublicKey {
    /// The key, when the bytes have its form. Whether the point is on the curve shows at the first verification,
    /// which the join itself demands.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 65] = bytes.try_into().ok()?;
        (bytes[0] == 4).then_some(Self(bytes))
    }

    /// The 65 bytes.
    pub fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

/// One enrolled device. Never removed: a lost one is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Device {
    /// Which.
    #[n(0)]
    pub id: DeviceId,
    /// Whose.
    #[n(1)]
    pub person: PersonId,
    /// What its person calls it.
    #[n(2)]
    pub name: Name,
    /// What its signatures verify under.
    #[n(3)]
    pub key: PublicKey,
    /// Salt of the PIN's stretching.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// The keeper's MAC of the stretched PIN.
    #[n(5)]
    pub pin: PinMac,
    /// Wrong PINs since the last right one, the one being tried included.
    #[n(6)]
    pub pin_tries: u32,
    /// May not sign in, ever again.
    #[n(7)]
    pub revoked: bool,
    /// The open session's end, if one is open.
    #[n(8)]
    pub session_until: Option<Wall>,
    /// The highest number accepted from it.
    #[n(9)]
    pub last_number: Number,
    /// By which secrets it shows that nobody else has its key; none: it shows nothing.
    #[cbor(n(10), with = "crate::optional", has_nil)]
    pub login: Option<LoginSecrets>,
    /// What opens its session in the PIN's place. At most [`limits::PASSKEYS_PER_DEVICE_MAX`], oldest first.
    #[cbor(n(11), with = "crate::optional", has_nil)]
    pub passkeys: Vec<Passkey>,
    /// Until when they do: the end of the session that a PIN began, also once that has locked.
    #[cbor(n(12), with = "crate::optional", has_nil)]
    pub passkey_until: Option<Wall>,
}

impl Device {
    /// As its person and an administrator see it.
    pub fn to_wire(&self) -> proto::Device {
        proto::Device {
            device: self.id.value(),
            name: self.name.reveal().to_owned(),
            revoked: self.revoked,
            pin_locked_out: self.is_locked_out(),
        }
    }

    /// By [`limits::PIN_TRIES_MAX`] wrong PINs.
    pub fn is_locked_out(&self) -> bool {
        self.pin_tries >= limits::PIN_TRIES_MAX
    }
}

/// A join code that nobody has redeemed, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JoinCode {
    /// [`crate::pin::join_code_hash`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// Whom it makes a device for.
    #[n(1)]
    pub person: PersonId,
    /// Worth nothing from here on.
    #[n(2)]
    pub expires: Wall,
    /// Who issued it; nobody: the local service. It ends with their access.
    #[n(3)]
    pub issuer: Option<PersonId>,
    /// The change that brought it: which of several is the older, whatever clocks did.
    #[cbor(n(4), with = "crate::optional", has_nil)]
    pub issued: Change,
}
