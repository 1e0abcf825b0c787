//! Holds every turn against the reference, and both pictures against each other at every commit.

use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::directory::Post;
use wardline_core::escalation::Stage;
use wardline_core::ids::{Change, Conn, ConversationId, EmergencyId, PersonId, RequestId, Sequence};
use wardline_core::limits;
use wardline_core::pin::PinMac;
use wardline_core::refusal::CloseCode;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::{Numbered, Write};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase, Said};
use crate::reference_patients::Term;
use crate::reference_roles::digest;
use crate::trace::note;
use crate::world::World;

impl World {
    /// The turn did exactly what the reference expects: its audit, its answer, its closes, its fan-out.
    pub(crate) fn verify(
        &mut self,
        expected: &Expected,
        turn: &Turn,
        conn: Conn,
        request: RequestId,
    ) -> Result<(), String> {
        let mut audits = audits_of(turn)?;
        for wanted in &expected.audits {
            let at = audits.iter().position(|found| found == wanted);
            audits.remove(at.ok_or_else(|| format!("not audited: {wanted:?}, but {audits:?}"))?);
        }
        if let Some(extra) = audits.first() {
            return Err(format!("audited without reason or twice: {extra:?}"));
        }
        let answers: Vec<Answer> =
            turn.sends.iter().filter_map(|send| answer_to(send, conn, request)).collect();
        if answers != expected.answer.into_iter().collect::<Vec<_>>() {
            return Err(format!("{conn} is answered {answers:?}, not {:?}", expected.answer));
        }
        note!(self, "  -> {:?} {} writes {} sends", expected.answer, turn.writes.len(), turn.sends.len());
        let mut closes: Vec<(Conn, CloseCode)> = Vec::new();
        for send in &turn.sends {
            match send {
                Send::Close { conn, code } => closes.push((*conn, *code)),
                Send::Accepted(accepted) => {
                    let durable = turn.writes.iter().any(|numbered| {
                        numbered.change == accepted.change
                            && matches!(numbered.write, Write::MessageAccepted(_))
                    });
                    if !durable {
                        return Err("acknowledged without a write".to_owned());
                    }
                }
                Send::StretchPin { conn, .. } => {
                    let counted = turn.writes.iter().any(|n| matches!(n.write, Write::PinTries { .. }));
                    let joining = matches!(self.phase(*conn), Some(Phase::Joining { .. }));
                    if !counted && !joining {
                        return Err(format!("{conn}: a PIN goes to the keeper uncounted"));
                    }
                }
                Send::Fanout { change, event, conns } => {
                    self.verify_fanout(turn, (*change, event), conns, conn)?;
                }
                _ => {}
            }
        }
        self.verify_devices(turn)?;
        self.verify_rings(turn)?;
        closes.sort_unstable();
        let mut wanted = expected.closes.clone();
        wanted.sort_unstable();
        if closes != wanted {
            return Err(format!("closes {closes:?}, not {wanted:?}"));
        }
        for (closed, code) in &closes {
            if *code == CloseCode::SUPERSEDED {
                self.coverage.reach(Situation::Superseded);
            }
            if *code == CloseCode::FULL {
                continue;
            }
            if !turn.sends.iter().any(|send| matches!(send, Send::Detach { conn } if conn == closed)) {
                return Err(format!("{closed} is closed and still delivered to"));
            }
        }
        self.verify_bounds()
    }

    pub(crate) fn phase(&self, conn: Conn) -> Option<Phase> {
        self.reference.link(conn).map(|link| link.phase.clone())
    }

    /// A message goes to every attached connection of every member but the one it came from, and to no other.
    fn verify_fanout(
        &mut self,
        turn: &Turn,
        (change, event): (Change, &Event),
        conns: &[Conn],
        from: Conn,
    ) -> Result<(), String> {
        let (place, first) = match event {
            Event::Message(place, sequence) => (*place, Some(*sequence)),
            Event::Small(kind) => match &**kind {
                proto::event::Kind::Conversation(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::ConversationChanged(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::Watermark(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::Escalation(told) => (place_of(told.conversation)?, None),
                _ => return Ok(()),
            },
        };
        for conn in conns {
            let link = self.reference.link(*conn).filter(|link| link.attached);
            let Some(Phase::In(device)) = link.map(|link| &link.phase) else {
                return Err(format!("{conn} hears of {place} and is not signed in and synced"));
            };
            let person = self.reference.ward.device(*device).map(|device| device.person);
            // Whoever goes in the same turn, and later, still hears of it.
            let goes = |n: &Numbered| {
                n.change > change
                    && matches!(&n.write, Write::MemberLeft { conversation, person: who }
                    if *conversation == place && Some(*who) == person)
            };
            if first.is_none() && turn.writes.iter().any(goes) {
                continue;
            }
            let member = person.and_then(|person| self.reference.ward.member(place, person));
            let member = member.ok_or_else(|| format!("{conn} hears of {place} and is not in it"))?;
            if first.is_some_and(|sequence| sequence.0 < member.from) {
                return Err(format!("{conn} hears of a message from before its time"));
            }
            if first.is_some() && member.from > 1 {
                self.coverage.reach(Situation::LateJoinerReads);
            }
        }
        if let Some(sequence) = first {
            let conversation = self.reference.ward.conversation(place).ok_or("a message of nowhere")?;
            if conversation.purged || sequence.0 != conversation.messages.len() as u64 {
                return Err(format!("{place} passes on what it should not"));
            }
            let members: Vec<PersonId> =
                conversation.members.iter().filter(|m| !m.left).map(|m| m.person).collect();
            let mut wanted: Vec<Conn> = members
                .iter()
                .flat_map(|person| self.reference.attached(*person))
                .filter(|c| *c != from)
                .collect();
            wanted.sort_unstable();
            let mut found = conns.to_vec();
            found.sort_unstable();
            if wanted != found {
                return Err(format!("a message goes to {found:?}, not {wanted:?}"));
            }
            self.cover_own_device(from, &found);
        }
        Ok(())
    }

    fn cover_own_device(&mut self, from: Conn, conns: &[Conn]) {
        let person = |world: &Self, conn: Conn| match world.phase(conn) {
            Some(Phase::In(device)) => world.reference.ward.device(device).map(|device| device.person),
            _ => None,
        };
        let author = person(self, from);
        if conns.iter().any(|conn| person(self, *conn) == author) {
            self.coverage.reach(Situation::OwnDeviceHears);
        }
    }

    /// Memory stays within its bounds.
    fn verify_bounds(&self) -> Result<(), String> {
        let load = self.relay.load();
        let devices = self.reference.ward.devices.len();
        if load.links != self.reference.lobby.links.len() {
            return Err(format!("{} connections, not {}", load.links, self.reference.lobby.links.len()));
        }
        let attached = self.reference.lobby.links.iter().filter(|link| link.attached).count();
        if load.attached != attached {
            return Err(format!("{} connections are delivered to, not {attached}", load.attached));
        }
        if load.terms != self.reference.lobby.terms.len() {
            return Err(format!("{} terms, not {}", load.terms, self.reference.lobby.terms.len()));
        }
        if load.timers > load.links + devices + 3 {
            return Err(format!(
                "{} timers for {} connections and {devices} devices",
                load.timers, load.links
            ));
        }
        let held =
            self.reference.lobby.links.iter().filter(|l| self.reference.held_by(l.conn).is_some()).count();
        if load.held > held {
            return Err(format!("{} devices are remembered as connected, not {held}", load.held));
        }
        let waits = |link: &&crate::reference::Link| {
            link.deadline.is_some() && matches!(link.phase, Phase::PinDue(_) | Phase::PinChecking(..))
        };
        let waiting = self.reference.lobby.links.iter().filter(waits).count();
        if load.awaiting != waiting || waiting > devices {
            return Err(format!("{} connections wait for a PIN, not {waiting}", load.awaiting));
        }
        if load.budgets > devices {
            return Err(format!("{} budgets of {devices} devices", load.budgets));
        }
        if load.sessions > devices {
            return Err(format!("{} sessions of {devices} devices", load.sessions));
        }
        let unproven = self.reference.lobby.links.iter().filter(|link| link.deadline.is_some()).count();
        if load.unproven != unproven {
            return Err(format!("{} unproven connections, not {unproven}", load.unproven));
        }
        Ok(())
    }

    /// The core's state is the fold of the writes, and says what the reference says.
    pub(crate) fn compare(&self) -> Result<(), String> {
        let state = self.relay.state();
        if state.change != self.store.state.change || state.audited != self.store.audit.len() as u64 {
            return Err("the core and its writes have parted".to_owned());
        }
        let ward = &self.reference.ward;
        if (state.people.len(), state.devices.len(), state.codes.len(), state.conversations.len())
            != (ward.people.len(), ward.devices.len(), ward.codes.len(), ward.conversations.len())
        {
            return Err("the core and the reference count differently".to_owned());
        }
        if !state.units.keys().all(|unit| ward.units.contains(unit)) || state.units.len() != ward.units.len()
        {
            return Err("the core has other units".to_owned());
        }
        if !ward.conversations.is_empty() && state.last_at != ward.newest {
            return Err("the newest message's time differs".to_owned());
        }
        for person in &ward.people {
            let same = state.people.get(&person.id).is_some_and(|p| {
                let posts: Vec<_> =
                    p.posts.iter().map(|(u, post)| (*u, *post == Post::ChargeNurse)).collect();
                let mut wanted = person.posts.clone();
                wanted.sort_unstable();
                (p.suspended, p.administrator, p.privacy_officer, posts)
                    == (person.suspended, person.administrator, person.privacy_officer, wanted)
            });
            if !same {
                return Err(format!("{} stands differently", person.id));
            }
        }
        for device in &ward.devices {
            let same = state.devices.get(&device.id).is_some_and(|d| {
                (d.pin_tries, d.revoked, d.last_number.0, d.session_until, d.person)
                    == (device.tries, device.revoked, device.last_number, device.session, device.person)
            });
            if !same {
                return Err(format!("{} stands differently", device.id));
            }
        }
        for place in &ward.conversations {
            let told = state.conversations.get(&place.id).ok_or_else(|| format!("{} is lost", place.id))?;
            let last = place.messages.len() as u64;
            if (told.last.0, told.first.0, told.purged) != (last, place.expired_through + 1, place.purged) {
                return Err(format!("{} stands differently", place.id));
            }
            let title = if place.purged { "" } else { place.title.as_str() };
            if (told.title.reveal(), told.archived, told.unit) != (title, place.archived, place.unit) {
                return Err(format!("{} is called or closed differently", place.id));
            }
            for member in &place.members {
                let same = told.members.get(&member.person).is_some_and(|m| {
                    (m.from.0, m.delivered.0, m.read.0, m.left)
                        == (member.from, member.delivered, member.read, member.left)
                });
                if !same || told.members.len() != place.members.len() {
                    return Err(format!("{} has other members", place.id));
                }
            }
        }
        self.compare_clinic()
    }

    /// What a timer's turn ended must have been due, and what was due must have ended.
    pub(crate) fn expect_timeout(&mut self, turn: &Turn) -> Result<Expected, String> {
        let (mut locked, mut codes, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for numbered in &turn.writes {
            match &numbered.write {
                Write::SessionEnded { device } => locked.push(*device),
                Write::JoinCodeEnded { hash } => codes.push(*hash),
                Write::AssignmentEnded { assignment } => over.push(Term::Shift(*assignment)),
                Write::CareTeamSet { encounter, person, place: None } => {
                    over.push(Term::Place(*encounter, *person));
                }
                Write::ThreadClosed { encounter, .. } | Write::EncounterFiled { encounter, .. } => {
                    over.push(Term::Thread(*encounter));
                }
                // What ends with a stay that is put away ends with that.
                Write::EmergencyEnded { id, .. } if !filed_with(turn, &self.reference, *id) => {
                    over.push(Term::Emergency(*id));
                }
                Write::EmergencyEnded { .. } | Write::MemberLeft { .. } => {}
                Write::Audited { .. } | Write::TimeServed { .. } | Write::PinTries { .. } => {}
                Write::EscalationMoved { .. } | Write::EscalationDeclined { .. } => {}
                _ => return Err("a timer wrote something else".to_owned()),
            }
        }
        for device in &locked {
            let open = self.reference.lobby.open.iter().find(|open| open.0 == *device);
            let idle = open.is_some_and(|o| o.1.after(self.policy.idle_lock_ms) <= self.now.mono);
            self.coverage.reach(if idle { Situation::IdleLocked } else { Situation::AgeLocked });
        }
        if !codes.is_empty() {
            self.coverage.reach(Situation::JoinCodeExpired);
        }
        let now = self.now;
        // A sweep is seen by what it does: what was answered a day ago is closed by nothing else, but for a thread that is
        // put away.
        let filed = |thread| {
            let of = |n: &Numbered| matches!(n.write, Write::EncounterFiled { thread: other, .. } if other == thread);
            turn.writes.iter().any(of)
        };
        let closes = |n: &Numbered| match n.write {
            Write::EscalationMoved { id, stage: Stage::Closed { .. }, .. } => !filed(id.conversation),
            _ => false,
        };
        let swept = turn.writes.iter().position(closes);
        let parted = turn.writes.iter().position(|n| matches!(n.write, Write::MemberLeft { .. }));
        let before = self.reference.ward.stats.clone();
        let mut expected = self.reference.timeout(now, &locked, &codes)?;
        for term in over {
            let situation = self.reference.end_term(now, term, &mut expected)?;
            self.coverage.reach(situation);
        }
        if let Some((term, _)) = self.reference.lobby.terms.iter().find(|(_, ends)| *ends <= now.mono) {
            return Err(format!("{term:?} should be over"));
        }
        // Of what is due in one turn, what was due first comes first.
        if swept.is_some_and(|swept| parted.is_none_or(|parted| swept < parted)) {
            self.reference.stats_swept(now, &mut expected);
        }
        self.reference.stats_of_leavers(now, &mut expected);
        if swept.is_some() {
            self.reference.stats_swept(now, &mut expected);
        }
        self.reference.stats_due(now, &mut expected);
        self.cover_stats_due(&expected, &before);
        for (_, act) in &expected.audits {
            if matches!(act, Act::PeerFault(..)) {
                self.coverage.reach(Situation::PinTooSlow);
            }
        }
        let faults = expected.audits.iter().filter(|(_, act)| matches!(act, Act::PeerFault(..))).count();
        if expected.closes.len() > faults {
            self.coverage.reach(Situation::ProofTooSlow);
        }
        Ok(expected)
    }

    pub(crate) fn expect_aged(
        &mut self,
        id: ConversationId,
        read: Sequence,
        any: Sequence,
    ) -> Result<Expected, String> {
        self.verify_age(id, read, self.policy.retention_ms)?;
        self.verify_age(id, any, 2 * self.policy.retention_ms)?;
        let before = self.reference.ward.conversation(id).map_or(0, |place| place.expired_through);
        let expected = self.reference.aged(id, read.0, any.0);
        let after = self.reference.ward.conversation(id).map_or(0, |place| place.expired_through);
        let open =
            self.reference.ward.stats.iter().any(|stat| stat.place == id && stat.sequence == after + 1);
        if open && after < any.0 {
            self.coverage.reach(Situation::ExpiryHeldBackByStat);
        }
        if after < read.0 {
            self.coverage.reach(Situation::ExpiryHeldBackByUnread);
        }
        if after > before {
            let reason =
                if after > any.0 { Situation::ExpiredReadByAll } else { Situation::ExpiredUnreadInTheEnd };
            self.coverage.reach(reason);
        }
        Ok(expected)
    }

    /// Whatever the wall clock did meanwhile: nothing goes before its time, but for what starts may count of the time
    /// that the box was off.
    fn verify_age(&self, id: ConversationId, through: Sequence, age: u64) -> Result<(), String> {
        let Some(place) = self.reference.ward.conversation(id) else { return Ok(()) };
        let credit =
            u64::from(self.crashed_in) * wardline_core::retention::credit_ms(self.policy.retention_ms);
        let newest =
            usize::try_from(through.0).ok().and_then(|through| place.taken.get(through.checked_sub(1)?));
        match newest {
            Some(taken) if taken.0 + age > self.now.mono.0 + credit => {
                Err(format!("{id}: {} would go too early", through.0))
            }
            _ => Ok(()),
        }
    }

    /// A wrong PIN that the box compares counts, whatever crashed meanwhile.
    pub(crate) fn count_comparison(
        &mut self,
        phase: Option<&Phase>,
        mac: Option<&PinMac>,
    ) -> Result<(), String> {
        let (Some(Phase::PinChecking(device, _)), Some(mac)) = (phase, mac) else { return Ok(()) };
        let Some(entry) = self.reference.ward.device(*device).filter(|entry| !entry.revoked) else {
            return Ok(());
        };
        if self.reference.ward.person(entry.person).is_none_or(|person| person.suspended) {
            return Ok(());
        }
        let right = entry.pin == *mac;
        let compared = self.compared.entry(*device).or_default();
        *compared = if right { 0 } else { *compared + 1 };
        if *compared > limits::PIN_TRIES_MAX {
            return Err(format!("{device}: {compared} wrong PINs looked at since the last right one"));
        }
        Ok(())
    }
}

fn place_of(value: u64) -> Result<ConversationId, String> {
    ConversationId::new(value).ok_or_else(|| "no conversation".to_owned())
}

/// Every entry that the turn records, decoded.
fn audits_of(turn: &Turn) -> Result<Vec<(Actor, Act)>, String> {
    let mut audits = Vec::new();
    for numbered in &turn.writes {
        if let Write::Audited { bytes, .. } = &numbered.write {
            let entry = Entry::from_bytes(bytes).map_err(|error| error.to_string())?;
            audits.push((entry.actor, entry.act));
        }
    }
    Ok(audits)
}

fn answer_to(send: &Send, to: Conn, asked: RequestId) -> Option<Answer> {
    let (conn, request, answer) = match send {
        Send::Reply { conn, request, body } => {
            let answer = match body {
                Body::Refused(refused) => Answer::Refused(Said(refused.code())),
                Body::PinNeeded(needed) => Answer::PinNeeded(needed.tries_left),
                Body::SignedIn(_) => Answer::SignedIn,
                Body::Opened(opened) => {
                    Answer::Opened(ConversationId::new(opened.conversation.as_ref()?.conversation)?)
                }
                Body::Done(_) => Answer::Done,
                Body::PeoplePage(_) => Answer::People,
                Body::PersonAdded(_) => Answer::PersonAdded,
                Body::JoinCode(_) => Answer::JoinCode,
                Body::DeviceList(_) => Answer::Devices,
                Body::UnitSet(_) => Answer::UnitSet,
                Body::UnitList(_) => Answer::Units,
                Body::Admitted(admitted) => Answer::Admitted(ConversationId::new(admitted.conversation)?),
                Body::EmergencyBegan(_) => Answer::EmergencyBegan,
                Body::EmergencyPage(page) => Answer::Emergencies(page.emergencies.len() as u64),
                Body::AssignmentTaken(_) => Answer::AssignmentTaken,
                Body::PatientPage(page) => Answer::Patients(page.patients.len() as u64),
                Body::BedPage(page) => Answer::Beds(page.beds.len() as u64),
                Body::ChannelPage(page) => Answer::Channels(page.channels.len() as u64),
                Body::EscalationPolicies(_) => Answer::Policies,
                Body::RoleSet(_) => Answer::RoleSet,
                Body::RolePage(page) => {
                    let held = page.roles.iter().map(|role| (role.role, role.holders.as_slice()));
                    Answer::Roles(digest(held))
                }
                Body::Prospect(prospect) => {
                    let open = |called: &&proto::Prospective| called.reach() == proto::Reach::AppOpen;
                    let reached = prospect.called.iter().filter(open).count() as u32;
                    Answer::Prospect(prospect.called_count, reached)
                }
                _ => return None,
            };
            (*conn, *request, answer)
        }
        Send::Welcome { conn, request, .. } => (*conn, *request, Answer::Welcome),
        // The request comes back with the MAC.
        Send::StretchPin { conn, .. } => (*conn, asked, Answer::Stretch),
        Send::Accepted(a) => (a.conn, a.request, Answer::Accepted(a.conversation, a.sequence.0)),
        Send::AnswerAgain { conn, request, .. } => (*conn, *request, Answer::Again),
        Send::Attach { conn, request, .. } => (*conn, *request, Answer::Attach),
        Send::ReadPage { conn, request, grant } => {
            (*conn, *request, Answer::Page(grant.from().0, grant.before().0))
        }
        _ => return None,
    };
    (conn == to && request == asked).then_some(answer)
}

fn filed_with(turn: &Turn, reference: &crate::reference::Reference, id: EmergencyId) -> bool {
    let stay =
        reference.ward.clinic.emergencies.iter().find(|broken| broken.id == id).map(|broken| broken.stay);
    let files =
        |n: &Numbered| matches!(n.write, Write::EncounterFiled { encounter, .. } if Some(encounter) == stay);
    turn.writes.iter().any(files)
}
