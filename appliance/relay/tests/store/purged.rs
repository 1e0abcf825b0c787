//! A purge is the end of a conversation's key. What it said is then not to be had from the live database, even by
//! somebody who holds the database's key, nor from its writes folded anew.

use std::collections::BTreeMap;
use std::path::Path;

use wardline_core::ids::{Change, ConversationId};
use wardline_core::text::{Title, WrappedKey};
use wardline_core::write::{Numbered, Write};
use wardline_relay::keyring::{BoxKeys, Keyring, Origin};

use crate::batches::commit_cut;
use crate::inside::{Inside, WRAPPED, texts};
use crate::world::World;
use crate::{KEY, block_on, commit, open, quick_directory};

/// In titles, which the database holds in clear, and in bodies, which it does not.
pub(crate) const PURGED: &str = "CANARY Basalt-Heron 4402";
/// In bodies alone.
pub(crate) const SAID: &str = "CANARY Ochre-Finch 5518";
const KEPT: &str = "CANARY Copper-Lynx 9035";
/// Enough that their keys fill pages of their own, which a purge of them all sets free.
const CONVERSATIONS: u64 = 240;
/// Of so many one is kept.
const KEPT_OF: u64 = 8;

/// Conversations with true keys and truly sealed bodies. Titles and texts of those that will be purged say one canary,
/// those of the others another.
pub(crate) struct Ward {
    /// Up to the purge.
    pub(crate) writes: Vec<Numbered>,
    /// The purge.
    purge: Vec<Numbered>,
    /// Wrapped keys by conversation: to be purged, to be kept.
    doomed: BTreeMap<u64, Vec<u8>>,
    kept: BTreeMap<u64, Vec<u8>>,
    /// Messages in those to be purged.
    doomed_bodies: usize,
}

impl Ward {
    pub(crate) fn new() -> Self {
        let mut world = World::default();
        let people = [1, 2, 3].map(|id| world.person(id).unwrap());
        for person in people {
            world.device(person, 1).unwrap();
        }
        let conversations: Vec<ConversationId> =
            (0..CONVERSATIONS).map(|id| world.open(people[0], id, 3).unwrap()).collect();
        for how in 0..3 {
            for conversation in &conversations {
                world.message(*conversation, 1 + how).unwrap();
            }
        }
        let doomed: Vec<_> = (0..CONVERSATIONS).filter(|at| !at.is_multiple_of(KEPT_OF)).collect();
        let doomed: Vec<_> = doomed.into_iter().map(|at| conversations[at as usize]).collect();
        let until = world.writes.len();
        for conversation in &doomed {
            world.write(Write::KeyDestroyed { conversation: *conversation });
        }
        let purge = world.writes.split_off(until);
        let mut ward = Self {
            writes: world.writes,
            purge,
            doomed: BTreeMap::new(),
            kept: BTreeMap::new(),
            doomed_bodies: 0,
        };
        ward.say(&doomed);
        ward
    }

    /// Puts keys, bodies and titles in the place of the dice's.
    fn say(&mut self, doomed: &[ConversationId]) {
        let ring = Keyring::new(&BoxKeys::derive(&KEY).unwrap()).unwrap();
        let canary =
            |conversation: &ConversationId| if doomed.contains(conversation) { PURGED } else { KEPT };
        let mut keys: BTreeMap<ConversationId, WrappedKey> = BTreeMap::new();
        for Numbered { write, .. } in &mut self.writes {
            match write {
                Write::ConversationOpened { conversation, title, .. } => {
                    *title = Title::parse(canary(conversation)).unwrap();
                }
                Write::KeyGranted { conversation, key } => {
                    *key = ring.fresh().unwrap();
                    assert_eq!(key.0.len(), WRAPPED);
                    keys.insert(*conversation, key.clone());
                    let those = if doomed.contains(conversation) { &mut self.doomed } else { &mut self.kept };
                    those.insert(conversation.value(), key.0.clone());
                }
                Write::MessageAccepted(message) => {
                    let key = ring.unwrap(&keys[&message.conversation]).unwrap();
                    let (conversation, device) = (message.conversation, message.device);
                    let origin = Origin { conversation, message: message.id, device, version: 0 };
                    let text = format!("{} {SAID}", canary(&conversation));
                    message.body = ring.seal(&key, origin, &text).unwrap();
                    self.doomed_bodies += usize::from(doomed.contains(&conversation));
                }
                _ => {}
            }
        }
    }

    /// How many messages there are.
    pub(crate) fn messages(&self) -> usize {
        self.writes.iter().filter(|numbered| matches!(numbered.write, Write::MessageAccepted(_))).count()
    }

    /// Everything, in order.
    fn all(&self) -> Vec<Numbered> {
        [&self.writes[..], &self.purge[..]].concat()
    }

    /// Which of the canary and the purged keys lie in clear.
    fn traces<'a>(&self, inside: &'a Inside) -> Vec<&'a str> {
        let mut needles: Vec<&[u8]> = vec![PURGED.as_bytes(), SAID.as_bytes()];
        needles.extend(self.doomed.values().map(Vec::as_slice));
        inside.places(&needles).into_values().flatten().collect()
    }

    /// Nothing of what was purged is there; what was kept is, and is seen by the same look.
    fn assert_purged(&self, inside: &Inside) {
        assert!(inside.keys == self.kept, "the keys that are left are not those that were kept");
        assert!(!inside.reads(PURGED), "a purged message opens");
        assert_eq!(self.traces(inside), [""; 0], "the canary, or a key of its conversation");
        let sealed =
            inside.bodies.iter().filter(|body| self.doomed.contains_key(&body.0.conversation.value()));
        assert_eq!(sealed.count(), self.doomed_bodies, "there was something to open");
        assert_eq!(inside.texts.len(), inside.bodies.len() - self.doomed_bodies, "what was kept opens");
        assert!(inside.reads(KEPT));
        let mut needles: Vec<&[u8]> = vec![KEPT.as_bytes()];
        needles.extend(self.kept.values().map(Vec::as_slice));
        let found = inside.places(&needles);
        for which in 0..needles.len() {
            let places = &found[&which];
            let seen = |what: &str| places.iter().any(|place| place.starts_with(what));
            assert!(
                seen("conversation") && seen("page "),
                "what was kept is not seen where it is: {places:?}"
            );
        }
    }
}

async fn look(directory: &Path) -> Inside {
    Inside::of(&directory.join("store.db"), &KEY).await
}

#[test]
fn a_purged_conversation_is_nowhere_in_the_live_database() {
    block_on(async {
        let ward = Ward::new();
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        for writes in ward.writes.chunks(100) {
            commit(&mut store, writes).await;
        }
        // The same eyes see all of it before: in tables, in pages, in the log.
        let before = look(directory.path()).await;
        assert_eq!(before.keys.len(), CONVERSATIONS as usize);
        assert!(before.reads(PURGED) && before.texts.len() == before.bodies.len());
        let traces = ward.traces(&before);
        for place in ["conversation.title", "conversation_key.wrapped", "log, page "] {
            assert!(traces.iter().any(|found| found.starts_with(place)), "not seen in {place}");
        }

        commit(&mut store, &ward.purge).await;
        let committed = look(directory.path()).await;
        assert!(committed.keys == ward.kept, "the keys that are left");
        let traces = ward.traces(&committed);
        assert!(!traces.is_empty(), "this is what the scrub is for");
        assert!(traces.iter().all(|place| place.starts_with("log, ") || place.starts_with("page ")));

        store.scrub().await.unwrap();
        let purged = look(directory.path()).await;
        ward.assert_purged(&purged);
        assert!(purged.free > 0, "no page was set free: free pages are not proved");
        assert_eq!((purged.frames, committed.frames > 0), (0, true));
        // Nor does the store, opened anew, know a key.
        store.close().await.unwrap();
        let (store, _) = open(directory.path()).await;
        for conversation in ward.doomed.keys() {
            let key = store.readers().key(ConversationId::new(*conversation).unwrap()).await.unwrap();
            assert!(key.is_none());
        }
        ward.assert_purged(&look(directory.path()).await);
    });
}

/// However they are cut: keys that were granted in one batch and destroyed in a later one, and both in one.
#[test]
fn writes_folded_anew_do_not_bring_a_purged_conversation_back() {
    block_on(async {
        let ward = Ward::new();
        let writes = ward.all();
        for cuts in [&[writes.len()][..], &[ward.writes.len(), ward.purge.len()], &[1], &[3, 50, 700]] {
            let directory = quick_directory();
            let (mut store, _) = open(directory.path()).await;
            commit_cut(&mut store, &writes, cuts).await;
            if cuts.len() == 1 && cuts[0] == writes.len() {
                // In one batch the keys never reach the disk.
                let keys: Vec<&[u8]> = ward.doomed.values().map(Vec::as_slice).collect();
                assert!(look(directory.path()).await.places(&keys).is_empty());
            }
            // As at every start of the relay.
            store.scrub().await.unwrap();
            ward.assert_purged(&look(directory.path()).await);
        }
    });
}

/// A copy from before the purge that left the keys out, as a backup may: not even with what the live database has since.
#[test]
fn a_copy_without_keys_from_before_the_purge_does_not_bring_it_back() {
    block_on(async {
        let ward = Ward::new();
        let without: Vec<Numbered> = ward
            .writes
            .iter()
            .filter(|numbered| !matches!(numbered.write, Write::KeyGranted { .. }))
            .zip(1..)
            .map(|(numbered, change)| Numbered { change: Change(change), write: numbered.write.clone() })
            .collect();
        let (directory, other) = (quick_directory(), quick_directory());
        let (mut live, _) = open(directory.path()).await;
        let (mut copy, _) = open(other.path()).await;
        commit(&mut live, &ward.all()).await;
        live.scrub().await.unwrap();
        commit(&mut copy, &without).await;
        let (live, copy) = (look(directory.path()).await, look(other.path()).await);
        assert!(copy.keys.is_empty() && copy.texts.is_empty());
        let keys: Vec<&[u8]> = ward.doomed.values().chain(ward.kept.values()).map(Vec::as_slice).collect();
        assert!(copy.places(&keys).is_empty());
        // Together they read what was kept, and no more.
        let opened = texts(&KEY, &live.keys, &copy.bodies);
        assert_eq!(opened.len(), copy.bodies.len() - ward.doomed_bodies);
        assert!(opened.iter().all(|text| text.contains(KEPT)));
    });
}
