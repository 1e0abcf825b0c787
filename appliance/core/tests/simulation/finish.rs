//! The end of a history: everything heals, everybody comes back, and then everything must be where it belongs.

use std::collections::BTreeMap;

use wardline_core::clinic::Encounter;
use wardline_core::ids::{Change, ConversationId, PersonId};
use wardline_core::state::State;
use wardline_core::wire::proto;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::write::Numbered;

use crate::client::Phase;
use crate::inbox::{Place, Shown};
use crate::reference::{Conversation, Member};
use crate::trace::note;
use crate::world::{Arrival, World};

impl World {
    /// Heals, then goes on until nothing more happens.
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        note!(self, "heal");
        self.faults = false;
        self.disk_low = false;
        self.waiting.push_back((self.local, Arrival::Disk(1 << 40)));
        for client in &mut self.clients {
            client.clumsy = 0;
        }
        for _ in 0..4_000 {
            for link in self.links.values_mut() {
                link.stalled = false;
            }
            self.restore_all();
            self.act_all();
            self.pass(20)?;
            while !self.waiting.is_empty() || !self.keeper.is_empty() {
                self.keeper_answers();
                self.batch()?;
            }
            self.pump()?;
            while self.links.values().any(|link| !link.up.is_empty() || !link.down.is_empty()) {
                self.carry_up();
                self.carry_down()?;
                self.batch()?;
            }
            self.dismiss_strangers();
            if self.is_quiet() {
                return Ok(());
            }
        }
        let stuck: Vec<String> = self
            .clients
            .iter()
            .filter(|client| !client.barred)
            .map(|c| format!("{} {:?} out {} hole {:?}", c.name, c.phase, c.outbox.len(), c.inbox.hole()))
            .collect();
        Err(format!("does not come to rest: {stuck:?}"))
    }

    fn restore_all(&mut self) {
        self.admit_all(16 * 3_600_000);
        let by_somebody = |person: &&crate::reference::Person| {
            person.suspended && (person.barred || person.hired.is_none())
        };
        let suspended = self.reference.ward.people.iter().filter(by_somebody);
        for person in suspended.map(|person| person.id.value()).collect::<Vec<_>>() {
            self.local_ask(Ask::SetStanding(proto::SetStanding { person, suspended: false }));
        }
    }

    fn act_all(&mut self) {
        for index in 0..self.clients.len() {
            let person = self.person_of(index);
            let client = &mut self.clients[index];
            match client.phase {
                Phase::Off if client.barred => {}
                Phase::Off if client.visits => {
                    let waits = |device| self.store.state.family.requests.contains_key(&device);
                    if client.device.is_some_and(|device| !waits(device)) {
                        self.connect(index);
                    }
                    continue;
                }
                Phase::Off => {
                    if client.device.is_some() || client.code.is_some() {
                        self.connect(index);
                    } else if let Some(person) = person.filter(|_| self.local_asked.is_empty()) {
                        self.local_ask(Ask::IssueJoinCode(proto::IssueJoinCode { person: person.value() }));
                    }
                    continue;
                }
                Phase::PinDue => {
                    let pin = client.pin.clone();
                    client.ask(Ask::Unlock(proto::Unlock { pin }));
                    client.phase = Phase::PinSent;
                }
                Phase::In => client.sync(),
                Phase::Synced => self.fill_hole(index),
                _ => {}
            }
            self.clients[index].flush_outbox();
            self.post(index);
        }
    }

    fn is_quiet(&self) -> bool {
        let settled = |client: &crate::client::Client| {
            let in_place = client.phase == Phase::Synced
                && client.outbox.is_empty()
                && client.inbox.hole().is_none()
                && client.asked.iter().all(|(_, ask)| {
                    matches!(ask, Ask::Receipt(_) | Ask::Active(_) | Ask::Lock(_) | Ask::Here(_))
                });
            let waits = |device| self.store.state.family.requests.contains_key(&device);
            let outside = client.visits && client.device.is_none_or(waits);
            (client.barred || outside) && client.link.is_none() || in_place
        };
        self.waiting.is_empty() && self.clients.iter().all(settled)
    }

    /// The promises, one by one.
    pub(crate) fn judge(&self) -> Result<(), String> {
        for (message, conversation, sequence) in &self.acked {
            let found = self.store.find(message);
            if found.len() != 1 || (found[0].0.value(), found[0].1.0) != (*conversation, *sequence) {
                return Err(format!("acknowledged at {sequence} and found at {found:?}"));
            }
        }
        for place in &self.reference.ward.conversations {
            let stored: Vec<_> = self.store.names(place.id).collect();
            if stored != place.messages {
                return Err(format!("{} holds other messages than were accepted", place.id));
            }
        }
        self.judge_inboxes()?;
        self.judge_stats()?;
        self.judge_availability()?;
        self.judge_audit()?;
        self.replay()
    }

    /// Every device that is in has every message that is its person's, in its place, and nothing else.
    fn judge_inboxes(&self) -> Result<(), String> {
        for client in self.clients.iter().filter(|client| client.phase == Phase::Synced) {
            let person = self.person_at(client).ok_or("a client of nobody")?;
            self.judge_tasks(client, person)?;
            self.judge_orders(client, person)?;
            let state = &self.store.state;
            let reviews = self.reference.ward.person(person).is_some_and(|person| person.privacy_officer);
            if reviews && client.to_review != self.reference.ward.clinic.unreviewed() {
                return Err(format!("{} was told of other emergency accesses", client.name));
            }
            let entry = self.reference.ward.person(person);
            let undecided = self.reference.ward.people.iter().filter(|person| person.waits.is_some()).count();
            if entry.is_some_and(|entry| entry.administrator) && client.to_decide as usize != undecided {
                return Err(format!("{} was told of other suspensions", client.name));
            }
            let waiting = self.reference.offered_to(person);
            if !waiting.iter().all(|offer| client.offered.contains(offer)) {
                return Err(format!("{} was not told of an offer", client.name));
            }
            // A visitor hears of no directory and no units, and no directory of them.
            let listed = state.people.values().filter(|person| person.visitor.is_none() && !client.visits);
            let people: BTreeMap<_, _> = listed.map(|p| (p.id.value(), p.to_wire())).collect();
            let units = state.units.values().filter(|_| !client.visits);
            let units = units.map(|unit| (unit.id.value(), unit.name.reveal().to_owned()));
            if client.people != people || client.units != units.collect() {
                return Err(format!("{} takes the directory for what it is not", client.name));
            }
            for place in &self.reference.ward.conversations {
                let member = self.reference.ward.member(place.id, person);
                let shown = client.inbox.places.get(&place.id.value());
                let Some(member) = member else {
                    if shown.is_some() {
                        return Err(format!("{} still shows {}", client.name, place.id));
                    }
                    continue;
                };
                let shown = shown.ok_or_else(|| format!("{} never heard of {}", client.name, place.id))?;
                judge_members(&client.name, place, shown, person)?;
                if !place.purged && (&shown.title, shown.archived) != (&place.title, place.archived) {
                    return Err(format!("{} knows {} by another title", client.name, place.id));
                }
                let stay = state.clinic.encounters.values().find(|stay| stay.thread == place.id);
                let patient =
                    |stay: &Encounter| state.clinic.known(stay.patient).expect("somebody").to_wire();
                let about = stay.map(|stay| (patient(stay), stay.to_wire()));
                if !place.purged && shown.about != about {
                    return Err(format!("{} takes {} to be about another", client.name, place.id));
                }
                if place.purged {
                    if !shown.shown.is_empty() {
                        return Err(format!("{} still shows what was purged", client.name));
                    }
                    continue;
                }
                let first = member.from.max(place.expired_through + 1);
                let told = self.store.notices(place.id, wardline_core::ids::Sequence(first));
                let told: BTreeMap<_, _> =
                    told.map(|(_, notice)| (notice.number, notice.to_wire())).collect();
                if shown.notices != told {
                    let (found, told): (Vec<_>, Vec<_>) =
                        (shown.notices.keys().collect(), told.keys().collect());
                    return Err(format!("{} has notices {found:?}, not {told:?}", client.name));
                }
                let wanted: BTreeMap<u64, Vec<u8>> = (first..=place.messages.len() as u64)
                    .map(|sequence| (sequence, place.messages[sequence as usize - 1].0.to_vec()))
                    .collect();
                let found: BTreeMap<u64, Vec<u8>> =
                    shown.shown.iter().map(|(sequence, shown)| (*sequence, shown.id.clone())).collect();
                if wanted != found {
                    let (wanted, found): (Vec<_>, Vec<_>) = (wanted.keys().collect(), found.keys().collect());
                    return Err(format!("{} shows {found:?} of {}, not {wanted:?}", client.name, place.id));
                }
                self.judge_texts(&client.name, place.id, &shown.shown)?;
            }
        }
        Ok(())
    }

    fn judge_texts(
        &self,
        name: &str,
        place: ConversationId,
        shown: &BTreeMap<u64, Shown>,
    ) -> Result<(), String> {
        let said = self.reference.ward.conversation(place).map(|place| &place.said[..]).unwrap_or_default();
        for (sequence, shown) in shown {
            let stored = self.store.read(place, wardline_core::ids::Sequence(*sequence));
            let stored = stored.map(|stored| {
                let mut stored = Shown { author: shown.author, ..Shown::of(&stored) };
                stored.mentions = stored.mentions.filter(|_| shown.mentions.is_some());
                stored.reactions = stored.reactions.filter(|_| shown.reactions.is_some());
                stored
            });
            if stored.as_ref() != Some(shown) {
                return Err(format!(
                    "{name}: another text than was sent, or an earlier one, in place {sequence} of {place}"
                ));
            }
            let said = said.get(*sequence as usize - 1).ok_or("a message that nobody sent")?;
            let version = if said.recalled { u32::MAX } else { said.edits };
            let none = Vec::new();
            let files = if said.recalled { &none } else { &said.files };
            if *files != shown.files {
                return Err(format!("place {sequence} shows {:?}, not {files:?}", shown.files));
            }
            if (&said.text, version, said.reply_to) != (&shown.text, shown.version, shown.reply_to) {
                return Err(format!("the text in place {sequence} is not what its author left"));
            }
            if shown.mentions.as_ref().is_some_and(|shown| *shown != said.mentions)
                || shown.reactions.as_ref().is_some_and(|shown| *shown != said.reactions)
            {
                return Err(format!(
                    "{name}: whom {sequence} names, or what was put to it, is something else"
                ));
            }
        }
        Ok(())
    }

    /// The log is gap-free and its times are the box's.
    fn judge_audit(&self) -> Result<(), String> {
        for (at, entry) in self.store.audit.iter().enumerate() {
            if entry.index != at as u64 + 1 {
                return Err(format!("audit entry {} stands at {}", entry.index, at + 1));
            }
        }
        Ok(())
    }

    /// All writes, through their bytes, into an empty state: the same state.
    fn replay(&self) -> Result<(), String> {
        let mut state = State::default();
        for numbered in &self.store.writes {
            let bytes = minicbor::to_vec(numbered).map_err(|error| error.to_string())?;
            let again: Numbered = minicbor::decode(&bytes).map_err(|error| error.to_string())?;
            if again != *numbered || again.change != Change(state.change.0 + 1) {
                return Err(format!("change {} does not survive its bytes", numbered.change.0));
            }
            state.apply(again.change, &again.write);
        }
        if state.canonical_hash() != self.relay.state().canonical_hash() {
            return Err("a replay of the writes arrives elsewhere".to_owned());
        }
        Ok(())
    }
}

/// The device knows who is in a conversation and, as it is a small one, how far each of the others is. Its own person's
/// watermarks it raises itself, and hears of only from other devices.
fn judge_members(name: &str, place: &Conversation, shown: &Place, me: PersonId) -> Result<(), String> {
    // Of announcements nobody is shown reading but oneself.
    let is_shown = |member: &&Member| !place.of_house || member.person == me;
    let present = place.members.iter().filter(|member| !member.left).filter(is_shown);
    let others = present.clone().filter(|member| member.person != me);
    let wanted: Vec<_> = others.map(|m| (m.person.value(), (m.delivered, m.read))).collect();
    let knows = |(person, marks): &(u64, (u64, u64))| shown.members.get(person) == Some(marks);
    if shown.members.len() != present.count() || !wanted.iter().all(knows) {
        return Err(format!(
            "{name} takes {:?} for the members of {}, not {wanted:?}",
            shown.members, place.id
        ));
    }
    Ok(())
}
