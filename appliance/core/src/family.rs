//! Family threads: a patient's family, or the patient, writes with the care team from a phone of their own.
//!
//! ```text
//! bedside code -> somebody asks, by name --approved by the team--> a visitor of one thread --an end--> out, for ever
//!  names nobody    opens nothing, waits \--declined, or forgotten
//!  opens nothing
//! ```
//!
//! The code says only at which bed somebody stands. Who is let in is decided by a member of the care team, against the
//! patient's consent and block list; what is let in is the key that asked. A visitor stands in no directory: whoever is in
//! their thread knows their name, and nobody else. What they may ask for is a list of six things ([`may_ask`]); all else is
//! refused, whatever it would have come to.
//!
//! A visitor's access ends with the stay, with the consent, with their own end (by both clocks) and by hand; each is one
//! turn, in which their connections close and their devices are revoked ([`ending`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::{Decode, Encode};

use crate::conversation::Kind;
use crate::directory::PublicKey;
use crate::escalation::Priority;
use crate::ids::{ConversationId, DeviceId, EncounterId, PatientId, PersonId};
use crate::input::{Ask, Fresh};
use crate::kept;
use crate::pin::PinMac;
use crate::refusal::{Fault, Refusal};
use crate::search;
use crate::state::State;
use crate::text::{Grounds, Name, Title};
use crate::time::Wall;
use crate::write::Write;

mod answering;
pub(crate) mod asking;
pub(crate) mod ending;
mod listing;
mod parse;
mod people;
mod recording;

pub(crate) use answering::handle;
pub(crate) use parse::{parse, parse_ask};
pub use people::dress;
pub(crate) use people::{settle, shown_to};

/// Somebody who was let in: `[since, until)`, unless it ended before. They stay in memory when they are out, since messages
/// keep their author.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Visitor {
    /// To which stay.
    #[n(0)]
    pub encounter: EncounterId,
    /// The one family thread that they are in.
    #[n(1)]
    pub thread: ConversationId,
    /// What they said they are to the patient: "daughter". May be empty.
    #[n(2)]
    pub relation: Title,
    /// Since when, or when another end was set.
    #[n(3)]
    pub since: Wall,
    /// Out from then on.
    #[n(4)]
    pub until: Wall,
    /// When it was over.
    #[n(5)]
    pub ended: Option<Wall>,
    /// Who let them in.
    #[n(6)]
    pub by: PersonId,
}

impl Visitor {
    /// They may read and write.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }
}

/// A patient lets family write.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Consent {
    /// Who said so, and how: "the patient, in my presence".
    #[n(0)]
    pub words: Grounds,
    /// Who recorded it.
    #[n(1)]
    pub by: PersonId,
    /// When.
    #[n(2)]
    pub at: Wall,
}

/// What hangs at a bed: it says to which stay somebody may ask to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BedsideCode {
    /// [`crate::pin::bedside_code_hash`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// Since when.
    #[n(1)]
    pub since: Wall,
    /// Worth nothing from then on.
    #[n(2)]
    pub expires: Wall,
}

/// Somebody asked at a bed. The device's key and PIN wait with it, so that letting them in is one act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VisitRequest {
    /// What the device will be called, and what the request is known by.
    #[n(0)]
    pub device: DeviceId,
    /// To which stay.
    #[n(1)]
    pub encounter: EncounterId,
    /// Who they say they are.
    #[n(2)]
    pub name: Name,
    /// What they say they are to the patient. May be empty.
    #[n(3)]
    pub relation: Title,
    /// What they call the device.
    #[n(4)]
    pub device_name: Name,
    /// The device's key.
    #[n(5)]
    pub key: PublicKey,
    /// Salt of the PIN's stretching.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// The keeper's MAC of the stretched PIN.
    #[n(7)]
    pub pin: PinMac,
    /// When.
    #[n(8)]
    pub at: Wall,
    /// Forgotten from then on.
    #[n(9)]
    pub until: Wall,
    /// Not let in.
    #[n(10)]
    pub declined: bool,
}

/// A conversation of a patient's care team and some of their family, or the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FamilyThread {
    /// Which.
    #[n(0)]
    pub conversation: ConversationId,
    /// Of which stay.
    #[n(1)]
    pub encounter: EncounterId,
    /// Whose.
    #[n(2)]
    pub patient: PatientId,
    /// It is the patient's own.
    #[n(3)]
    pub own: bool,
}

macro_rules! kept {
    ($($name:ident),*) => {$(
        impl $name {
            /// As it is kept: CBOR (RFC 8949), deterministic.
            pub fn to_bytes(&self) -> Vec<u8> {
                kept::to_bytes(self)
            }

            /// What is behind such bytes.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
                minicbor::decode(bytes)
            }
        }
    )*};
}
kept!(Visitor, Consent, BedsideCode, VisitRequest, BlockList);

/// Who is not to be let in to a patient, over all their stays: at most [`limits::FAMILY_BLOCKED_MAX`] names, in order.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct BlockList(#[n(0)] Vec<Name>);

impl BlockList {
    /// The names.
    pub fn names(&self) -> &[Name] {
        &self.0
    }

    /// Whether somebody of this name is not to be let in: the name has all words of one that is blocked, in whatever order,
    /// case and accents. Who gives another name is for the eyes of whoever lets them in.
    pub fn has(&self, name: &Name) -> bool {
        let words = words(name);
        self.0.iter().any(|blocked| words_of(blocked).is_subset(&words))
    }

    fn with(&self, name: Name) -> Self {
        let mut names = self.0.clone();
        if !names.contains(&name) {
            names.push(name);
            names.sort_unstable();
        }
        Self(names)
    }

    fn without(&self, name: &Name) -> Self {
        Self(self.0.iter().filter(|blocked| *blocked != name).cloned().collect())
    }
}

impl fmt::Debug for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockList({} names)", self.0.len())
    }
}

fn words(name: &Name) -> BTreeSet<String> {
    search::folded(name.reveal()).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Of a name that has no word ("***") its own signs: an empty set would block everybody.
fn words_of(blocked: &Name) -> BTreeSet<String> {
    let words = words(blocked);
    if words.is_empty() { [blocked.reveal().to_owned()].into() } else { words }
}

/// The part of [`State`] that is about family. Nothing but a write changes it. Visitors stand among the people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The stays whose patients let family write.
    pub consents: BTreeMap<EncounterId, Consent>,
    /// Who is not to be let in, by patient.
    pub blocked: BTreeMap<PatientId, BlockList>,
    /// The code that hangs at the bed of each stay.
    pub codes: BTreeMap<EncounterId, BedsideCode>,
    /// Whoever waits, or was declined and may still ask what became of it.
    pub requests: BTreeMap<DeviceId, VisitRequest>,
    /// The family threads of stays that are not put away.
    pub threads: BTreeMap<ConversationId, FamilyThread>,
}

/// What a store hands back of it at start.
#[derive(Clone, Debug, Default)]
pub struct RestoredFamily {
    /// See [`Family::consents`].
    pub consents: Vec<(EncounterId, Consent)>,
    /// See [`Family::blocked`].
    pub blocked: Vec<(PatientId, BlockList)>,
    /// See [`Family::codes`].
    pub codes: Vec<(EncounterId, BedsideCode)>,
    /// See [`Family::requests`].
    pub requests: Vec<VisitRequest>,
    /// See [`Family::threads`].
    pub threads: Vec<FamilyThread>,
}

impl Family {
    pub(crate) fn restore(restored: RestoredFamily) -> Self {
        Self {
            consents: restored.consents.into_iter().collect(),
            blocked: restored.blocked.into_iter().collect(),
            codes: restored.codes.into_iter().collect(),
            requests: restored.requests.into_iter().map(|request| (request.device, request)).collect(),
            threads: restored.threads.into_iter().map(|thread| (thread.conversation, thread)).collect(),
        }
    }

    /// What a store hands back of it.
    pub fn to_restored(&self) -> RestoredFamily {
        RestoredFamily {
            consents: self.consents.iter().map(|(id, consent)| (*id, consent.clone())).collect(),
            blocked: self.blocked.iter().map(|(id, list)| (*id, list.clone())).collect(),
            codes: self.codes.iter().map(|(id, code)| (*id, code.clone())).collect(),
            requests: self.requests.values().cloned().collect(),
            threads: self.threads.values().copied().collect(),
        }
    }

    /// What it names is there.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        let stays = &state.clinic.encounters;
        let named = self
            .consents
            .keys()
            .chain(self.codes.keys())
            .chain(self.requests.values().map(|one| &one.encounter));
        if named
            .chain(self.threads.values().map(|thread| &thread.encounter))
            .any(|stay| !stays.contains_key(stay))
        {
            return Err(Fault::Inconsistent("family is of a stay that is not there"));
        }
        let is_one = |id| state.conversations.get(&id).is_some_and(|place| place.kind == Kind::Family);
        if !self.threads.keys().all(|id| is_one(*id)) {
            return Err(Fault::Inconsistent("a family thread has no conversation"));
        }
        if !self.blocked.keys().all(|patient| state.clinic.patients.contains_key(patient)) {
            return Err(Fault::Inconsistent("a block list is of nobody"));
        }
        Ok(())
    }

    /// The family threads of a stay, in order of identifier.
    pub(crate) fn threads_of(&self, encounter: EncounterId) -> impl Iterator<Item = &FamilyThread> {
        self.threads.values().filter(move |thread| thread.encounter == encounter)
    }

    /// Whoever asked to be let in to a stay.
    pub(crate) fn requests_of(&self, encounter: EncounterId) -> impl Iterator<Item = &VisitRequest> {
        self.requests.values().filter(move |request| request.encounter == encounter)
    }

    /// Folds one write in; what is not of family changes nothing.
    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::FamilyConsentSet { encounter, consent } => {
                set(&mut self.consents, *encounter, consent.clone())
            }
            Write::FamilyBlockSet { patient, blocked } => {
                set(
                    &mut self.blocked,
                    *patient,
                    Some(blocked.clone()).filter(|list| !list.names().is_empty()),
                );
            }
            Write::BedsideCodeSet { encounter, code } => set(&mut self.codes, *encounter, code.clone()),
            Write::VisitAsked(request) => {
                self.requests.insert(request.device, request.clone());
            }
            Write::VisitForgotten { device } => {
                self.requests.remove(device);
            }
            Write::FamilyThreadOpened(thread) => {
                self.threads.insert(thread.conversation, *thread);
            }
            // Ended before; what was said there is the store's alone from now on.
            Write::EncounterFiled { encounter, .. } => {
                self.threads.retain(|_, thread| thread.encounter != *encounter)
            }
            _ => {}
        }
    }

    /// Its parts, encoded in a fixed order, for [`State::canonical_hash`].
    pub(crate) fn encode(
        &self,
        mut part: impl FnMut(Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>),
    ) {
        self.consents.iter().for_each(|consent| part(minicbor::to_vec(consent)));
        self.blocked.iter().for_each(|list| part(minicbor::to_vec(list)));
        self.codes.iter().for_each(|code| part(minicbor::to_vec(code)));
        self.requests.values().for_each(|request| part(minicbor::to_vec(request)));
        self.threads.values().for_each(|thread| part(minicbor::to_vec(thread)));
    }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// A request of the staff about family. Every field has been parsed.
pub enum Families {
    /// A patient lets family write, or does so no more.
    SetConsent {
        /// Whose stay.
        encounter: EncounterId,
        /// Who said so, and how; none: no more.
        words: Option<Grounds>,
    },
    /// Somebody is not to be let in, or may be again.
    SetBlock {
        /// Whose stay.
        encounter: EncounterId,
        /// Who.
        name: Name,
        /// Not to be let in.
        blocked: bool,
    },
    /// A new code for the bed, or none.
    SetCode {
        /// Whose stay.
        encounter: EncounterId,
        /// For the code; none: no code from now on.
        fresh: Option<Fresh>,
    },
    /// Consent, block list, code, requests, visitors, threads.
    List {
        /// Whose stay.
        encounter: EncounterId,
    },
    /// Somebody who waits is let in or not.
    Answer {
        /// Who, by the device that asked.
        device: DeviceId,
        /// Where to; none: not let in.
        into: Option<LetIn>,
        /// Out from then on; none: [`limits::VISIT_MS`] ahead.
        until: Option<Wall>,
        /// For the identifiers and a thread's key.
        fresh: Fresh,
    },
    /// Somebody who was let in is out.
    End {
        /// Who.
        person: PersonId,
    },
    /// Another end for somebody who was let in.
    Prolong {
        /// Who.
        person: PersonId,
        /// Out from then on.
        until: Wall,
    },
    /// A family thread ends.
    EndThread {
        /// Which.
        conversation: ConversationId,
    },
}

/// Where somebody is let in to.
pub enum LetIn {
    /// A new thread of this title.
    New(Title),
    /// A family thread of the stay.
    Thread(ConversationId),
    /// The patient's own thread, which is opened if there is none.
    Own,
    /// Where this visitor is: it is another device of theirs.
    As(PersonId),
}

/// The keeper's MAC of a PIN binds a person and a device. Who a visitor will be is not said when they choose theirs, and may be
/// somebody who is there already: theirs is bound to the device twice.
pub(crate) fn pin_of(device: DeviceId) -> PersonId {
    PersonId::from_random(device.value().to_be_bytes())
}

/// All that a visitor may ask for. Everything else is refused, whatever it would have come to.
pub(crate) fn may_ask(ask: &Ask) -> Result<(), Refusal> {
    match ask {
        Ask::Sync { .. }
        | Ask::Receipt { .. }
        | Ask::History { .. }
        | Ask::Active
        | Ask::Lock
        | Ask::Here => Ok(()),
        // A mention reaches whoever has muted a thread: that is for the staff among themselves.
        Ask::Submit(submit) if submit.priority == Priority::Routine && submit.mentions.is_empty() => Ok(()),
        _ => Err(Refusal::FamilyOnly),
    }
}

/// Who is not let in to a patient, by whichever of their records it was said.
pub(crate) fn blocked_of(state: &State, patient: PatientId) -> BlockList {
    let records = state.clinic.records_of(patient);
    let lists = records.iter().filter_map(|record| state.family.blocked.get(record));
    lists.flat_map(BlockList::names).fold(BlockList::default(), |list, name| list.with(name.clone()))
}

/// Whether somebody is no member of the staff but a visitor, of whatever time.
pub(crate) fn is_visitor(state: &State, person: PersonId) -> bool {
    state.people.get(&person).is_some_and(|entry| entry.visitor.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(list: &[&str], name: &str) -> bool {
        let list = list.iter().fold(BlockList::default(), |list, name| list.with(Name::parse(name).unwrap()));
        list.has(&Name::parse(name).unwrap())
    }

    #[test]
    fn a_blocked_name_is_found_however_it_is_written() {
        for name in
            ["Viktor Brandt", "viktor  BRANDT", "Brandt, Viktor", "Dr. Viktor A. Brandt", "Víktor Brandt"]
        {
            assert!(blocked(&["Viktor Brandt"], name), "{name}");
        }
        // They look alike to whoever lets them in.
        for hidden in
            ['\u{200b}', '\u{2060}', '\u{202e}', '\u{200d}', '\u{fe0f}', '\u{3164}', '\u{ffa0}', '\u{feff}']
        {
            assert!(blocked(&["Viktor Brandt"], &format!("Vik{hidden}tor Brandt{hidden}")), "{hidden:?}");
        }
        for name in ["Viktor", "Maria Brandt", "Viktoria Brandt"] {
            assert!(!blocked(&["Viktor Brandt"], name), "{name}");
        }
    }

    #[test]
    fn a_name_without_words_does_not_block_everybody() {
        assert!(!blocked(&["***"], "Maria Lopez"));
        assert!(!blocked(&[], "Maria Lopez"));
    }

    #[test]
    fn nothing_prints_a_name() {
        let list = BlockList::default().with(Name::parse("Viktor Brandt").unwrap());
        assert!(!format!("{list:?}").contains("Viktor"));
    }
}
