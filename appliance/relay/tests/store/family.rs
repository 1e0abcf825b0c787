//! Valid writes about family, chosen by dice.

use std::collections::BTreeMap;

use wardline_core::clinic::Encounter;
use wardline_core::conversation::{Conversation, Kind};
use wardline_core::directory::{Person, PublicKey};
use wardline_core::family::{BedsideCode, BlockList, Consent, FamilyThread, VisitRequest, Visitor};
use wardline_core::ids::{Change, ConversationId, DeviceId, EncounterId, PersonId, Sequence};
use wardline_core::pin::PinMac;
use wardline_core::text::{Grounds, Name, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::write::Write;
use wardline_relay::store::Kin;

use crate::model::Model;
use crate::world::{World, mix, nth};

const NAMES: [&str; 4] = ["Viktor Brandt", "Maria Lopez", "Zoe Winter", "Omar Haddad"];

impl World {
    pub(crate) fn family(&mut self, who: u64, how: u64) {
        let stays = self.state.clinic.encounters.values();
        let Some(stay) = nth(stays.filter(|stay| stay.is_open()).cloned(), mix(who)) else { return };
        let encounter = stay.id;
        match mix(how ^ 0xFA) % 9 {
            0 => {
                let words = Grounds::parse(&format!("The patient, in my presence, {how}")).unwrap();
                let Some(by) = nth(self.state.people.keys().copied(), how) else { return };
                let consent = Consent { words, by, at: Wall(self.clock) };
                self.write(Write::FamilyConsentSet { encounter, consent: Some(consent) });
            }
            1 if how.is_multiple_of(3) => {
                self.write(Write::FamilyConsentSet { encounter, consent: None });
            }
            1 | 2 => {
                let names = &NAMES[..(how % 4) as usize];
                // CBOR: a list of up to 23 texts of up to 23 bytes.
                let mut bytes = vec![0x80 | names.len() as u8];
                for name in names {
                    bytes.push(0x60 | name.len() as u8);
                    bytes.extend_from_slice(name.as_bytes());
                }
                let blocked = BlockList::from_bytes(&bytes).unwrap();
                self.write(Write::FamilyBlockSet { patient: stay.patient, blocked });
            }
            3 => {
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&mix(how).to_be_bytes());
                let code = BedsideCode { hash, since: Wall(self.clock), expires: Wall(self.clock + 5_000) };
                let code = (!how.is_multiple_of(4)).then_some(code);
                self.write(Write::BedsideCodeSet { encounter, code });
            }
            4 => {
                self.request(&stay, how);
            }
            5 => {
                let waits = &self.state.family.requests;
                let device = nth(waits.keys().copied(), how).filter(|_| waits.len() > 3);
                if let Some(device) = device {
                    self.write(Write::VisitForgotten { device });
                }
            }
            6 => {
                self.family_thread(&stay, how);
            }
            7 => self.visitor(who, how),
            _ => {
                let people = self.state.people.values();
                let known = people.filter_map(|entry| Some((entry.id, entry.visitor.clone()?)));
                if let Some((person, visitor)) = nth(known, who) {
                    let (until, ended) = (Wall(self.clock + 9_000), how.is_multiple_of(2));
                    let ended = ended.then_some(Wall(self.clock));
                    self.write(Write::VisitorSet { person, visitor: Visitor { until, ended, ..visitor } });
                }
            }
        }
    }

    /// Nobody waits, and nothing hangs, at the bed of a stay that is put away.
    pub(crate) fn end_family(&mut self, encounter: EncounterId) {
        let family = &self.state.family;
        let waits = family.requests.values().filter(|request| request.encounter == encounter);
        let waits: Vec<DeviceId> = waits.map(|request| request.device).collect();
        let (has_code, consented) =
            (family.codes.contains_key(&encounter), family.consents.contains_key(&encounter));
        for device in waits {
            self.write(Write::VisitForgotten { device });
        }
        if has_code {
            self.write(Write::BedsideCodeSet { encounter, code: None });
        }
        if consented {
            self.write(Write::FamilyConsentSet { encounter, consent: None });
        }
    }

    fn request(&mut self, stay: &Encounter, how: u64) {
        let mut point = [5; 65];
        point[0] = 4;
        self.write(Write::VisitAsked(VisitRequest {
            device: DeviceId::from_random(mix((how % 16) ^ 0xF0).to_be_bytes()),
            encounter: stay.id,
            name: Name::parse(NAMES[(how % 4) as usize]).unwrap(),
            relation: Title::parse(&format!("kin {how}")).unwrap(),
            device_name: Name::parse("phone").unwrap(),
            key: PublicKey::parse(&point).unwrap(),
            salt: [1; 16],
            pin: PinMac([2; 32]),
            at: Wall(self.clock),
            until: Wall(self.clock + 7_000),
            declined: how.is_multiple_of(3),
        }));
    }

    fn family_thread(&mut self, stay: &Encounter, how: u64) -> Option<ConversationId> {
        let conversation = ConversationId::from_random(mix(how ^ 0xFB).to_be_bytes());
        if self.state.conversations.contains_key(&conversation) {
            return None;
        }
        let (kind, title, at) = (Kind::Family, Title::parse("The daughters").unwrap(), Wall(self.clock));
        self.write(Write::ConversationOpened { conversation, kind, title, owner: None, at, unit: None });
        self.write(Write::KeyGranted { conversation, key: WrappedKey(vec![9; 60]) });
        let own = how.is_multiple_of(5);
        let (encounter, patient) = (stay.id, stay.patient);
        self.write(Write::FamilyThreadOpened(FamilyThread { conversation, encounter, patient, own }));
        if let Some(person) = nth(self.state.people.keys().copied(), how) {
            self.write(Write::MemberAdded { conversation, person, from: Sequence(1), seen: None });
        }
        Some(conversation)
    }

    fn visitor(&mut self, who: u64, how: u64) {
        let threads = self.state.family.threads.values().copied();
        let open = threads.filter(|thread| !self.state.conversations[&thread.conversation].purged);
        let Some(thread) = nth(open, how) else { return };
        let id = PersonId::from_random(mix(who ^ 0xFC).to_be_bytes());
        if self.state.people.contains_key(&id) {
            return;
        }
        let Some(by) = nth(self.state.people.keys().copied(), how) else { return };
        let visitor = Visitor {
            encounter: thread.encounter,
            thread: thread.conversation,
            relation: Title::parse("daughter").unwrap(),
            since: Wall(self.clock),
            until: Wall(self.clock + 8_000),
            ended: None,
            by,
        };
        self.write(Write::PersonAdded(Person {
            id,
            name: Name::parse(NAMES[(how % 4) as usize]).unwrap(),
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
            visitor: Some(visitor),
            the_box: false,
        }));
        let conversation = thread.conversation;
        let from = self.state.conversations[&conversation].last.next();
        self.write(Write::MemberAdded { conversation, person: id, from, seen: None });
        self.device(id, how);
    }
}

impl Model {
    /// What is said of these to one of their members, if they are family threads.
    pub(crate) fn kin<'a>(
        &self,
        of: impl Iterator<Item = &'a Conversation>,
        person: PersonId,
    ) -> BTreeMap<ConversationId, Kin> {
        let state = &self.state;
        let threads = of.filter_map(|place| Some((place, *self.families.get(&place.id)?)));
        let kin = threads.map(|(place, (own, thread_of_care))| {
            let people = place.members.keys().map(|member| {
                let known = &state.people[member];
                let relation = known.visitor.as_ref().map(|visitor| visitor.relation.clone());
                let (is_visitor, title) =
                    (relation.is_some(), relation.unwrap_or_else(|| known.title.clone()));
                (*member, known.name.clone(), title, is_visitor)
            });
            let patient_thread = state.people[&person].visitor.is_none().then_some(thread_of_care);
            (place.id, Kin { own, patient_thread, people: people.collect() })
        });
        kin.collect()
    }
}
