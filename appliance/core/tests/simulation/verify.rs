//! Holds every turn against the reference, and both pictures against each other at every commit.

use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::availability::AvailabilityWrite;
use wardline_core::directory::Post;
use wardline_core::escalation::{Stage, StatId};
use wardline_core::ids::{
    Change, Conn, ConversationId, EmergencyId, PatientId, PersonId, RequestId, Sequence,
};
use wardline_core::limits;
use wardline_core::notice::Told;
use wardline_core::pin::PinMac;
use wardline_core::refusal::CloseCode;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::urgent::UrgentWrite;
use wardline_core::wire::proto;
use wardline_core::write::{Numbered, Write};

use crate::answers::answer_to;
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase};
use crate::reference_patients::Term;
use crate::reference_prints::Printing;
use crate::reference_stat::Stands;
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
        self.verify_notices(expected, turn)?;
        self.verify_secrets(turn)?;
        self.verify_family(turn)?;
        self.verify_overdue(turn)?;
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
                    let joining = matches!(
                        self.phase(*conn),
                        Some(Phase::Joining { .. } | Phase::Asking { .. } | Phase::Clearing(..))
                    );
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
        self.verify_urgents(turn)?;
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

    /// Threads tell what moved, and nothing else; what the act is comes before who came and left by it.
    fn verify_notices(&mut self, expected: &Expected, turn: &Turn) -> Result<(), String> {
        let made = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::NoticeMade(notice) => Some(notice),
            _ => None,
        });
        let mut found: Vec<_> = made.clone().map(|told| (told.conversation, told.by, &told.told)).collect();
        for (thread, by, told) in &expected.told {
            let at = found.iter().position(|found| *found == (*thread, *by, told));
            found.remove(
                at.ok_or_else(|| format!("not told in {thread}: {told:?} by {by:?}, but {found:?}"))?,
            );
        }
        if let Some(extra) = found.first() {
            return Err(format!("told without reason or twice: {extra:?}"));
        }
        let rank = |told: &Told| match told {
            Told::Entered { .. } => 1,
            Told::Left { .. } => 2,
            Told::HasBed { .. } | Told::Stays { .. } | Told::BedUnheld => 3,
            _ => 0,
        };
        let moved: Vec<_> = made.filter(|told| told.at == self.now.wall).collect();
        if moved.len() != expected.told.len() {
            return Err("told of another time".to_owned());
        }
        let one = moved.iter().all(|told| told.conversation == moved[0].conversation);
        if one && moved.len() > 2 && moved.first().is_some_and(|told| rank(&told.told) == 0) {
            let alone = moved[1..].iter().all(|told| rank(&told.told) > 0);
            if alone && !moved.is_sorted_by_key(|told| rank(&told.told)) {
                return Err("told in another order".to_owned());
            }
            self.coverage.reach(Situation::ToldInOrder);
        }
        if moved.iter().any(|told| told.told == Told::BedUnheld) {
            self.coverage.reach(Situation::BedToldUnheld);
        }
        Ok(())
    }

    /// Nothing that goes to whoever is not named, and is in no thread of theirs, says who a restricted patient is.
    fn verify_secrets(&mut self, turn: &Turn) -> Result<(), String> {
        let clinic = &self.reference.ward.clinic;
        let (mut shown, mut hidden, mut exported) = (false, false, false);
        for (patient, told) in &clinic.patients {
            let Some(secret) = clinic.secret(*patient) else { continue };
            let stays = clinic.stays.iter().filter(|stay| clinic.is_one(stay.patient, *patient));
            let threads: Vec<ConversationId> = stays.map(|stay| stay.thread).collect();
            for send in &turn.sends {
                let (bytes, conns) = match send {
                    Send::Reply { conn, body, .. } => {
                        let frame = proto::ServerFrame { request: 1, body: Some(body.clone()) };
                        (wardline_core::wire::encode_frame(&frame), vec![*conn])
                    }
                    Send::Fanout { event: Event::Small(kind), conns, .. } => {
                        (wardline_core::wire::encode_event((**kind).clone()), conns.clone())
                    }
                    _ => continue,
                };
                let says = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
                hidden |= says(&secret.alias);
                if !says(&told.record_number) && !says(&told.name) {
                    continue;
                }
                // Whose record a privacy officer exports is on it: they asked for it by its number.
                if exports(send).is_some_and(|of| clinic.is_one(of, *patient)) {
                    exported = true;
                    continue;
                }
                for conn in conns {
                    let person = match self.phase(conn) {
                        Some(Phase::In(device)) => {
                            self.reference.ward.device(device).map(|device| device.person)
                        }
                        _ => None,
                    };
                    let inside = person.is_some_and(|who| {
                        threads.iter().any(|thread| self.reference.ward.member(*thread, who).is_some())
                    });
                    if !inside && !clinic.shows(secret.patient, person) {
                        return Err(format!("{conn} is told who {} is", secret.alias));
                    }
                    shown = true;
                }
            }
        }
        if shown {
            self.coverage.reach(Situation::SecretShownToNamed);
        }
        if exported {
            self.coverage.reach(Situation::RestrictedExported);
        }
        if hidden {
            self.coverage.reach(Situation::AliasShown);
        }
        Ok(())
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
            Event::Edited(message) => return self.verify_alteration(message, conns),
            Event::Small(kind) => match &**kind {
                proto::event::Kind::MessageChanged(message) => return self.verify_alteration(message, conns),
                proto::event::Kind::Reactions(told) => return self.verify_reactions(told, conns),
                proto::event::Kind::Order(told) => return self.verify_order(told, conns),
                proto::event::Kind::Task(told) => return self.verify_task(turn, told, conns),
                proto::event::Kind::Conversation(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::ConversationChanged(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::Watermark(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::Escalation(told) => (place_of(told.conversation)?, None),
                proto::event::Kind::Notice(told) => (place_of(told.conversation)?, None),
                _ => return Ok(()),
            },
        };
        // Two whose time is over at once: the second hears that the first has left, and is closed behind that.
        let closes = |conn: &Conn| {
            turn.sends.iter().any(|send| {
                matches!(send, Send::Close { conn: of, code } if (of, *code) == (conn, CloseCode::REVOKED))
            })
        };
        // What is due at that moment comes before the connection is known to be gone.
        let is_gone = |conn: &Conn| *conn == from && self.reference.link(*conn).is_none();
        for conn in conns {
            if first.is_none() && (closes(conn) || is_gone(conn)) {
                continue;
            }
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
            // The box may say several things at once.
            let behind = |numbered: &&Numbered| {
                matches!(&numbered.write, Write::MessageAccepted(message)
                    if message.conversation == place && message.sequence > sequence)
            };
            let behind = turn.writes.iter().filter(behind).count() as u64;
            if conversation.purged || sequence.0 + behind != conversation.messages.len() as u64 {
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
        if load.timers > load.links + devices + 6 {
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
        if load.rung > devices {
            return Err(format!("{} bells of {devices} devices were rung", load.rung));
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
            != (
                ward.people.len() + ward.family.visitors.len() + usize::from(ward.alarms.the_box.is_some()),
                ward.devices.len() + usize::from(ward.alarms.the_box.is_some()),
                ward.codes.len(),
                ward.conversations.len(),
            )
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
                let hired = person.hired.as_ref().map(|hired| (hired.until, hired.over, hired.times));
                let told = p.agency.as_ref();
                let told = told.map(|told| (told.until, !told.is_running(), told.extensions.len()));
                (p.suspended, p.administrator, p.privacy_officer, posts)
                    == (person.suspended, person.administrator, person.privacy_officer, wanted)
                    && (told, p.barred) == (hired, person.barred)
                    && p.waits.map(|waits| (waits.by, waits.since, waits.overdue)) == person.waits
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
            let kept = state.devices.get(&device.id).and_then(|d| d.login);
            let same = same && self.keeps_passkeys_of(device);
            if !same || kept.map(|kept| (kept.current, kept.offered)) != device.secrets {
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
        self.compare_holds()?;
        self.compare_families()?;
        self.compare_inboxes()?;
        self.compare_alarms()?;
        self.compare_bells()?;
        self.compare_uploads()?;
        self.compare_clinic()
    }

    /// What a timer's turn ended must have been due, and what was due must have ended.
    pub(crate) fn expect_timeout(&mut self, turn: &Turn) -> Result<Expected, String> {
        let (mut locked, mut codes, mut over, mut forlorn) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // Whatever they have ends with them, and needs no reason of its own.
        let mut leavers: Vec<PersonId> = Vec::new();
        for numbered in &turn.writes {
            if self.ends_with(&leavers, &numbered.write) {
                continue;
            }
            match &numbered.write {
                Write::AgencySet { person, agency } if !agency.is_running() => {
                    leavers.push(*person);
                    over.push(Term::Agency(*person));
                }
                Write::SessionEnded { device } | Write::SessionLocked(device) => locked.push(*device),
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
                Write::SuspensionWaits { person, waits: Some(_) } => over.push(Term::Suspension(*person)),
                Write::RoleSet(role) => {
                    let known = self.reference.ward.role(role.id).into_iter().flat_map(|known| &known.offers);
                    for offer in known.filter(|offer| role.offer(offer.id).is_none()) {
                        // With who gave it, or was to have it.
                        let ends_with_them = leavers.contains(&offer.giver) || leavers.contains(&offer.taker);
                        if !ends_with_them && !over.contains(&Term::Offer(offer.id)) {
                            over.push(Term::Offer(offer.id));
                        }
                    }
                }
                Write::VisitorSet { person, visitor } if !visitor.is_running() => {
                    over.push(Term::Visit(*person))
                }
                Write::VisitForgotten { device } => over.push(Term::VisitRequest(*device)),
                Write::TaskSet(task) if task.standing.is_open() => {
                    over.push(Term::Task(task.id.conversation, task.id.sequence.0));
                }
                Write::TaskSet(task) => forlorn.push(task.id),
                Write::BedsideCodeSet { encounter, code: None } => over.push(Term::BedCode(*encounter)),
                Write::Availability(AvailabilityWrite::Said { person, availability, .. }) => {
                    if availability.undisturbed.is_none() && !leavers.contains(person) {
                        over.push(Term::Dnd(*person));
                    }
                }
                Write::DeviceRevoked { .. } => {}
                Write::EmergencyEnded { .. } | Write::MemberLeft { .. } => {}
                Write::Audited { .. } | Write::TimeServed { .. } | Write::PinTries { .. } => {}
                Write::EscalationMoved { .. } | Write::EscalationDeclined { .. } => {}
                Write::NoticeMade(_) | Write::UploadDropped { .. } => {}
                // Of whom nobody is there any more who could see it: looked at behind this.
                Write::Urgent(UrgentWrite::Over(_)) => {}
                // Shifts end, and gaps come near: looked at behind this.
                Write::MemberAdded { .. } | Write::Inbox(_) => {}
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
        let is_old = |id: &StatId| {
            let stat = self.reference.stat((id.conversation, id.sequence.0));
            let taken = stat.map(|stat| stat.stands);
            matches!(taken, Some(Stands::Taken(.., at)) if at.0 + 86_400_000 <= now.wall.0)
        };
        let closes = |n: &Numbered| match &n.write {
            Write::EscalationMoved { id, stage: Stage::Closed { .. }, .. } => {
                !filed(id.conversation) && is_old(id)
            }
            _ => false,
        };
        // What its holder's leaving closes may be as old: a sweep leaves none that is.
        let is_closed = |id: StatId| {
            let closes = |n: &Numbered| matches!(&n.write, Write::EscalationMoved { id: other, stage: Stage::Closed { .. }, .. } if *other == id);
            turn.writes.iter().any(closes)
        };
        let ids = self
            .reference
            .ward
            .stats
            .iter()
            .map(|stat| StatId { conversation: stat.place, sequence: Sequence(stat.sequence) });
        let none_left = ids.filter(is_old).all(is_closed);
        let swept = turn.writes.iter().position(closes).filter(|_| none_left);
        let parted = turn.writes.iter().position(|n| matches!(n.write, Write::MemberLeft { .. }));
        let before = self.reference.ward.stats.clone();
        let dropped = Self::dropped(turn);
        let early = self.reference.too_early(now, &dropped);
        let mut expected = self.reference.timeout(now, &locked, &codes)?;
        // Of what is due in one turn, what was due first comes first.
        if swept.is_some_and(|swept| parted.is_none_or(|parted| swept < parted)) {
            self.reference.stats_swept(now, &mut expected);
        }
        // Whoever is out of the house is so before the first of them leaves anything.
        let is_agency = |term: &Term| matches!(term, Term::Agency(_));
        let (agencies, others): (Vec<Term>, Vec<Term>) = over.into_iter().partition(is_agency);
        for terms in std::iter::once(agencies).chain(others.into_iter().map(|term| vec![term])) {
            let from = expected.audits.len();
            for term in terms {
                let situation = self.reference.end_term(now, term, &mut expected)?;
                self.coverage.reach(situation);
            }
            self.reference.stats_of_leavers_since(now, from, &mut expected);
        }
        for id in forlorn {
            self.reference.task_forlorn(id, &mut expected)?;
            self.coverage.reach(Situation::TaskForlorn);
        }
        if let Some((term, _)) = self.reference.lobby.terms.iter().find(|(_, ends)| *ends <= now.mono) {
            return Err(format!("{term:?} should be over"));
        }
        if swept.is_some() {
            self.reference.stats_swept(now, &mut expected);
        }
        // What ends in the same turn may be the reason.
        if !self.reference.too_early(now, &early).is_empty() {
            return Err("an upload is given up too early".to_owned());
        }
        if !dropped.is_empty() {
            self.coverage.reach(Situation::UploadGivenUp);
        }
        self.reference.uploads_swept(now, &dropped, &mut expected)?;
        let from = expected.audits.len();
        self.reference.stats_follow_all(now, &mut expected);
        if expected.audits.len() > from {
            self.coverage.reach(Situation::ShiftChangedWhileRinging);
        }
        self.reference.stats_due(now, &mut expected);
        self.cover_stats_due(&expected, &before);
        for (_, act) in &expected.audits {
            if matches!(act, Act::PeerFault(..)) {
                self.coverage.reach(Situation::PinTooSlow);
            }
        }
        let faults = expected.audits.iter().filter(|(_, act)| matches!(act, Act::PeerFault(..))).count();
        let put_out = |(_, code): &&(Conn, CloseCode)| *code == CloseCode::REVOKED;
        if expected.closes.len() > faults + expected.closes.iter().filter(put_out).count() {
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
        let kept = self.reference.kept_ms_in(id);
        self.verify_age(id, read, kept)?;
        self.verify_age(id, any, 2 * kept)?;
        let before = self.reference.ward.conversation(id).map_or(0, |place| place.expired_through);
        let expected = self.reference.aged(id, read.0, any.0);
        let after = self.reference.ward.conversation(id).map_or(0, |place| place.expired_through);
        let open =
            self.reference.ward.stats.iter().any(|stat| stat.place == id && stat.sequence == after + 1);
        if after == before && self.reference.ward.is_held(id) {
            if self.reference.ward.held_back.contains(&id) {
                self.coverage.reach(Situation::ExpiryHeldBackByHold);
            }
            return Ok(expected);
        }
        if open && after < any.0 {
            self.coverage.reach(Situation::ExpiryHeldBackByStat);
        }
        let kept = self.reference.ward.first_unfiled(id) == Some(after + 1);
        if kept && after < any.0 {
            self.coverage.reach(Situation::OrderKeptFromExpiry);
        }
        if after < read.0 {
            self.coverage.reach(Situation::ExpiryHeldBackByUnread);
        }
        if after > before {
            let reason =
                if after > any.0 { Situation::ExpiredReadByAll } else { Situation::ExpiredUnreadInTheEnd };
            self.coverage.reach(reason);
            if self.reference.ward.held_back.contains(&id) {
                self.coverage.reach(Situation::ExpiredOnceLifted);
                self.reference.ward.held_back.retain(|held| *held != id);
            }
        }
        Ok(expected)
    }

    /// Whatever the wall clock did meanwhile: nothing goes before its time, but for what starts may count of the time
    /// that the box was off.
    fn verify_age(&self, id: ConversationId, through: Sequence, age: u64) -> Result<(), String> {
        let Some(place) = self.reference.ward.conversation(id) else { return Ok(()) };
        let credit = self.credit_ms;
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
        print: Option<&Printing>,
        mac: Option<&PinMac>,
    ) -> Result<(), String> {
        let device = match (phase, print) {
            (Some(Phase::PinChecking(device, _)), None) => device,
            (Some(Phase::In(device)), Some(print)) if print.device == *device => device,
            _ => return Ok(()),
        };
        let Some(mac) = mac else { return Ok(()) };
        let Some(entry) = self.reference.ward.device(*device).filter(|entry| !entry.revoked) else {
            return Ok(());
        };
        if self.reference.ward.is_out(entry.person) {
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

fn filed_with(turn: &Turn, reference: &crate::reference::Reference, id: EmergencyId) -> bool {
    let stay =
        reference.ward.clinic.emergencies.iter().find(|broken| broken.id == id).map(|broken| broken.stay);
    let files =
        |n: &Numbered| matches!(n.write, Write::EncounterFiled { encounter, .. } if Some(encounter) == stay);
    turn.writes.iter().any(files)
}

/// Whose record an answer says that an export is of.
fn exports(send: &Send) -> Option<PatientId> {
    match send {
        Send::Reply { body: proto::server_frame::Body::ExportBegun(begun), .. } => {
            begun.patient.as_ref().and_then(|patient| PatientId::new(patient.patient))
        }
        _ => None,
    }
}
