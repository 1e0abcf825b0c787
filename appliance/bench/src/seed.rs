//! A world in a box's store, by bulk commits of generated writes: what the core would have written, without the asking.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use wardline_core::audit::{self, Act, Actor};
use wardline_core::conversation::Kind;
use wardline_core::cursor::Cursors;
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::escalation::Priority;
use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, Number, PersonId, Sequence};
use wardline_core::pin::PinMac;
use wardline_core::text::{Name, Title};
use wardline_core::time::Wall;
use wardline_core::write::{Message, Numbered, Write};
use wardline_keys_protocol::client::KeeperClient;
use wardline_relay::keyring::{BoxKeys, ConversationKey, Keyring, Origin};
use wardline_relay::store::{Commit, Store, StoreKey};

use crate::shape::Shape;

/// Writes of one commit.
const BATCH: usize = 16_384;
/// Messages of each conversation that only fills the store.
const FILLER_MESSAGES: u64 = 500;
/// How long seeded sessions last.
const SESSION_MS: i64 = 12 * 3_600_000;

/// What the load has to know of a seeded box.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// One of each person.
    pub(crate) devices: Vec<Enrolled>,
    /// Identifiers, by number.
    pub(crate) conversations: Vec<u64>,
    /// How many conversations only fill the store.
    pub(crate) fillers: usize,
    /// Messages beyond the shape's.
    pub(crate) history: u64,
}

/// A device that may sign in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Enrolled {
    /// Its identifier.
    pub(crate) id: u64,
    /// Whose it is.
    pub(crate) person: u64,
    /// Its key, PKCS #8 in base64.
    pub(crate) key: String,
    /// How far it has been delivered to, in base64.
    pub(crate) cursor: String,
    /// The number of its last submission.
    pub(crate) last_number: u64,
}

/// The store of a box that does not run, open for writing into.
pub(crate) struct Seeder {
    store: Store,
    keyring: Keyring,
    cursors: Cursors,
    waiting: Vec<Numbered>,
    change: u64,
    audited: u64,
    /// Where conversations stood when the store was opened.
    last: BTreeMap<ConversationId, u64>,
    /// And what devices had numbered.
    numbered: BTreeMap<u64, u64>,
    at: i64,
    random: SystemRandom,
}

impl Seeder {
    /// Opens the store in `data` with the key that the keeper releases.
    pub(crate) async fn open(keeper: &Path, data: &Path) -> Result<Self> {
        let key = KeeperClient::connect(keeper)?.database_key()?;
        let keys = BoxKeys::derive(key.expose())?;
        std::fs::create_dir_all(data)?;
        let (store, restored) = Store::open(&data.join("wardline.db"), &StoreKey::new(*keys.store)).await?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
        Ok(Self {
            change: store.last().0,
            store,
            keyring: Keyring::new(&keys)?,
            cursors: Cursors::new(&keys.cursor),
            waiting: Vec::with_capacity(BATCH + 2),
            audited: restored.audited,
            last: restored.conversations.iter().map(|known| (known.id, known.last.0)).collect(),
            numbered: restored.devices.iter().map(|known| (known.id.value(), known.last_number.0)).collect(),
            at: i64::try_from(now)?,
            random: SystemRandom::new(),
        })
    }

    /// Puts everything on disk and leaves the store.
    pub(crate) async fn close(mut self) -> Result<()> {
        self.flush().await?;
        Ok(self.store.close().await?)
    }

    /// The shape's people, devices with open sessions, conversations and missed messages.
    pub(crate) async fn world(&mut self, shape: &Shape) -> Result<World> {
        let mut people = Vec::with_capacity(shape.people);
        for number in 0..shape.people {
            people.push(self.person(number).await?);
        }
        let mut conversations = Vec::with_capacity(shape.conversations());
        let mut keys = Vec::with_capacity(shape.conversations());
        for number in 0..shape.conversations() {
            let members: Vec<PersonId> =
                shape.members(number).into_iter().map(|member| people[member].0).collect();
            let kind = if (shape.pairs..shape.pairs + shape.groups.len()).contains(&number) {
                Kind::Group
            } else {
                Kind::Direct
            };
            let (id, key) = self.conversation(kind, number, &members).await?;
            conversations.push(id);
            keys.push(key);
        }
        let before = Change(self.change);
        let author = shape.people - 2;
        for count in 1..=shape.missed as u64 {
            let (person, device, _) = &people[author];
            let place = (conversations[shape.missed_conversation()], Sequence(count), Number(count));
            self.message(place, &keys[shape.missed_conversation()], (*person, *device)).await?;
        }
        let devices = people.into_iter().enumerate().map(|(number, (person, id, key))| {
            let change = if number == shape.misser() { before } else { Change(self.change) };
            let last_number = if number == author { shape.missed as u64 } else { 0 };
            let cursor = STANDARD.encode(self.cursors.seal(id, change).0);
            Enrolled { id: id.value(), person: person.value(), key, cursor, last_number }
        });
        let devices = devices.collect();
        let conversations = conversations.iter().map(|id| id.value()).collect();
        self.flush().await?;
        Ok(World { devices, conversations, fillers: 0, history: 0 })
    }

    /// So many messages more: half of them in the shape's pairs, whose history grows deep, half in conversations of a few
    /// hundred between people of all sorts, as years of a ward leave them. `world` is this box's and is brought up to date.
    pub(crate) async fn history(&mut self, shape: &Shape, world: &mut World, messages: u64) -> Result<()> {
        for device in &mut world.devices {
            let numbered = self.numbered.get(&device.id).copied().unwrap_or(0);
            device.last_number = device.last_number.max(numbered);
        }
        let deep = messages / 2 / shape.pairs as u64;
        for pair in 0..shape.pairs {
            let conversation = ConversationId::new(world.conversations[pair]).context("no conversation")?;
            let key = self.key(conversation).await?;
            let last = self.last.get(&conversation).copied().unwrap_or(0);
            self.fill(world, (conversation, last), &key, [2 * pair, 2 * pair + 1], deep).await?;
        }
        let mut left = messages / 2;
        while left > 0 {
            world.fillers += 1;
            let at = world.fillers;
            let two = [at % (shape.people - 2), (at * 7 + 1) % (shape.people - 2)];
            let people = two.map(|at| PersonId::new(world.devices[at].person));
            let [Some(a), Some(b)] = people else { bail!("nobody") };
            let members: &[PersonId] = if a == b { &[a] } else { &[a, b] };
            let (conversation, key) = self.conversation(Kind::Group, at, members).await?;
            let count = left.min(FILLER_MESSAGES);
            self.fill(world, (conversation, 0), &key, two, count).await?;
            left -= count;
        }
        world.history += messages;
        let misser = shape.misser();
        let devices = world.devices.iter_mut().enumerate().filter(|(number, _)| *number != misser);
        for (_, device) in devices {
            let id = DeviceId::new(device.id).context("no device")?;
            device.cursor = STANDARD.encode(self.cursors.seal(id, Change(self.change)).0);
        }
        self.flush().await
    }

    /// So many messages of these two in turn, after those that are there.
    async fn fill(
        &mut self,
        world: &mut World,
        (conversation, last): (ConversationId, u64),
        key: &ConversationKey,
        between: [usize; 2],
        count: u64,
    ) -> Result<()> {
        for sequence in last + 1..=last + count {
            let author = &mut world.devices[between[(sequence % 2) as usize]];
            author.last_number += 1;
            let number = Number(author.last_number);
            let sender = (PersonId::new(author.person), DeviceId::new(author.id));
            let (Some(person), Some(device)) = sender else { bail!("nobody") };
            self.message((conversation, Sequence(sequence), number), key, (person, device)).await?;
        }
        Ok(())
    }

    async fn key(&self, conversation: ConversationId) -> Result<SharedKey> {
        let wrapped = self.store.readers().key(conversation).await?.context("no key")?;
        Ok(self.keyring.unwrap(&wrapped)?)
    }

    async fn write(&mut self, write: Write) -> Result<()> {
        self.change += 1;
        self.waiting.push(Numbered { change: Change(self.change), write });
        if self.waiting.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn record(&mut self, actor: Actor, act: Act) -> Result<()> {
        self.audited += 1;
        let (index, at) = (self.audited, Wall(self.at));
        let bytes = audit::Entry { version: audit::VERSION, index, at, actor, act }.to_bytes();
        self.write(Write::Audited { index, bytes }).await
    }

    async fn flush(&mut self) -> Result<()> {
        let writes = std::mem::take(&mut self.waiting);
        match self.store.commit(&writes).await {
            Commit::Committed => Ok(()),
            Commit::Refused(error) | Commit::Unknown(error) => Err(error.into()),
        }
    }

    fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).ok().context("no randomness")?;
        Ok(bytes)
    }

    /// A person with a device whose session is open.
    async fn person(&mut self, number: usize) -> Result<(PersonId, DeviceId, String)> {
        let id = PersonId::from_random(self.random()?);
        let name = Name::parse(&format!("Person {number}")).ok().context("a name")?;
        let (title, changed) = (Title::parse("RN").ok().context("a title")?, Change(0));
        let (administrator, suspended, privacy_officer, posts) = (false, false, false, BTreeMap::new());
        let station = None;
        let person = Person {
            id,
            name,
            title,
            administrator,
            suspended,
            changed,
            privacy_officer,
            posts,
            station,
            agency: None,
            barred: false,
            waits: None,
            visitor: None,
            the_box: false,
        };
        self.write(Write::PersonAdded(person)).await?;
        self.record(Actor::Local, Act::PersonAdded(id)).await?;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.random)
            .ok()
            .context("no key")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())?;
        let device = DeviceId::from_random(self.random()?);
        self.write(Write::DeviceJoined(Device {
            id: device,
            person: id,
            name: Name::parse("Bench phone").ok().context("a name")?,
            key: PublicKey::parse(pair.public_key().as_ref()).context("a key of another form")?,
            salt: self.random()?,
            // Nobody's PIN: these devices never lock.
            pin: PinMac(self.random()?),
            pin_tries: 0,
            revoked: false,
            session_until: None,
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        }))
        .await?;
        self.record(Actor::Unproven, Act::DeviceJoined(id, device, None)).await?;
        self.write(Write::SessionOpened { device, until: Wall(self.at + SESSION_MS) }).await?;
        Ok((id, device, STANDARD.encode(pkcs8.as_ref())))
    }

    async fn conversation(
        &mut self,
        kind: Kind,
        number: usize,
        members: &[PersonId],
    ) -> Result<(ConversationId, SharedKey)> {
        let Some(owner) = members.first().copied() else { bail!("a conversation of nobody") };
        let conversation = ConversationId::from_random(self.random()?);
        let title = match kind {
            Kind::Direct | Kind::Patient | Kind::Family => Title::default(),
            Kind::Group | Kind::Channel | Kind::Role | Kind::Broadcast => {
                Title::parse(&format!("Group {number}")).ok().context("a title")?
            }
        };
        let at = Wall(self.at);
        self.write(Write::ConversationOpened {
            conversation,
            kind,
            title,
            owner: Some(owner),
            at,
            unit: None,
        })
        .await?;
        let wrapped = self.keyring.fresh()?;
        let key = self.keyring.unwrap(&wrapped)?;
        self.write(Write::KeyGranted { conversation, key: wrapped }).await?;
        self.record(Actor::Local, Act::ConversationOpened(conversation)).await?;
        for person in members {
            self.write(Write::MemberAdded { conversation, person: *person, from: Sequence(1), seen: None })
                .await?;
            self.record(Actor::Local, Act::MemberAdded(conversation, *person)).await?;
        }
        Ok((conversation, key))
    }

    async fn message(
        &mut self,
        (conversation, sequence, number): (ConversationId, Sequence, Number),
        key: &ConversationKey,
        (sender, device): (PersonId, DeviceId),
    ) -> Result<()> {
        let id = MessageId(self.random()?);
        let text = crate::line::body(number.0);
        let origin = Origin { conversation, message: id, device, version: 0 };
        let body = self.keyring.seal(key, origin, &text)?;
        let at = Wall(self.at);
        let (priority, reply_to, mentions) = (Priority::Routine, None, Vec::new());
        let message = Message {
            conversation,
            sequence,
            id,
            sender,
            device,
            number,
            at,
            body,
            priority,
            reply_to,
            mentions,
        };
        self.write(Write::MessageAccepted(message)).await?;
        let actor = Actor::Person { person: sender, device };
        self.record(actor, Act::MessageAccepted(conversation, sequence)).await
    }
}

type SharedKey = std::sync::Arc<ConversationKey>;
