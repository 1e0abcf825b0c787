//! The reference's rules for family threads: lists of who said yes, who waits, who is in, and at every end a walk through them.

use wardline_core::audit::{Act, Actor};
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, ConversationId, DeviceId, EncounterId, PatientId, PersonId, RequestId};
use wardline_core::input::{Door, Source, Zone};
use wardline_core::limits;
use wardline_core::notice::Told;
use wardline_core::pin::PinMac;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::answer_visit::Answer as Into;
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Conversation, Device, Expected, Member, Phase, Reference, Ward};
use crate::reference_patients::{Stay, Term};
use crate::reference_signin::left;
use crate::reference_ward::Chosen;

/// What is durable of it.
#[derive(Clone, Default)]
pub(crate) struct Kin {
    pub(crate) consents: Vec<EncounterId>,
    pub(crate) blocked: Vec<(PatientId, String)>,
    pub(crate) codes: Vec<BedCode>,
    pub(crate) requests: Vec<Request>,
    pub(crate) visitors: Vec<Visitor>,
    /// Which, of whose stay, and whether it is the patient's own.
    pub(crate) threads: Vec<(ConversationId, EncounterId, bool)>,
}

#[derive(Clone)]
pub(crate) struct BedCode {
    pub(crate) stay: EncounterId,
    pub(crate) hash: [u8; 32],
    since: Wall,
    pub(crate) expires: Wall,
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) device: DeviceId,
    pub(crate) stay: EncounterId,
    pub(crate) name: String,
    key: PublicKey,
    pin: PinMac,
    at: Wall,
    pub(crate) until: Wall,
    pub(crate) declined: bool,
}

#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) person: PersonId,
    pub(crate) name: String,
    pub(crate) stay: EncounterId,
    pub(crate) thread: ConversationId,
    since: Wall,
    pub(crate) until: Wall,
    pub(crate) over: bool,
}

/// Whether somebody of this name is on a list: all words of an entry are among theirs.
fn is_named(name: &str, entry: &str) -> bool {
    let words = |text: &str| {
        let plain = text.to_lowercase().replace(',', " ");
        plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let theirs = words(name);
    words(entry).iter().all(|word| theirs.contains(word))
}

impl Ward {
    pub(crate) fn visitor(&self, person: PersonId) -> Option<&Visitor> {
        self.family.visitors.iter().find(|visitor| visitor.person == person)
    }

    pub(crate) fn is_visitors(&self, device: DeviceId) -> bool {
        self.device(device).is_some_and(|device| self.visitor(device.person).is_some())
    }

    /// Whether somebody may not sign in, of whatever sort they are.
    pub(crate) fn is_out(&self, person: PersonId) -> bool {
        match self.visitor(person) {
            Some(visitor) => visitor.over,
            None => self.person(person).is_none_or(|person| person.suspended),
        }
    }

    /// The team's part of family threads: whoever cares, without whoever broke the glass.
    pub(crate) fn settle_families(&mut self, by: Actor, expected: &mut Expected) {
        let people: Vec<PersonId> = self.people.iter().map(|person| person.id).collect();
        for (place, stay, _) in self.family.threads.clone() {
            let Some(stay) = self.clinic.stay(stay).cloned() else { continue };
            for who in &people {
                let cares = self.clinic.cares(&stay, *who);
                self.move_one(place, (*who, cares), by, expected);
            }
        }
    }

    /// In or out, if they are not already.
    fn move_one(
        &mut self,
        place: ConversationId,
        (who, belongs): (PersonId, bool),
        by: Actor,
        expected: &mut Expected,
    ) {
        let visits = self.visitor(who).is_some();
        let Some(thread) = self.conversation_mut(place) else { return };
        let last = thread.messages.len() as u64;
        let present = thread.members.iter().any(|member| member.person == who && !member.left);
        if belongs && !present && !thread.purged {
            let newcomer = if visits {
                Member {
                    person: who,
                    from: last + 1,
                    delivered: last,
                    read: last,
                    left: false,
                    entered: last,
                }
            } else {
                thread.newcomer(who, last)
            };
            thread.members.retain(|member| member.person != who);
            thread.members.push(newcomer);
            expected.audits.push((by, Act::MemberAdded(place, who)));
        } else if !belongs && present {
            thread.members.iter_mut().filter(|m| m.person == who).for_each(|m| m.left = true);
            expected.audits.push((by, Act::MemberLeft(place, who)));
        }
    }

    fn thread_of(&self, stay: EncounterId) -> Option<ConversationId> {
        self.clinic.stay(stay).map(|stay| stay.thread)
    }

    fn tell_of(&self, stay: EncounterId, by: Actor, told: Told, expected: &mut Expected) {
        if let Some(thread) = self.thread_of(stay) {
            self.tell(thread, by, told, expected);
        }
    }
}

impl Reference {
    /// As a restart counts what ends.
    pub(crate) fn family_terms(&self) -> Vec<(Term, Wall, Wall)> {
        let kin = &self.ward.family;
        let mut terms = Vec::new();
        let running = kin.visitors.iter().filter(|visitor| !visitor.over);
        terms.extend(running.map(|one| (Term::Visit(one.person), one.since, one.until)));
        terms.extend(kin.requests.iter().map(|one| (Term::VisitRequest(one.device), one.at, one.until)));
        terms.extend(kin.codes.iter().map(|one| (Term::BedCode(one.stay), one.since, one.expires)));
        terms
    }

    pub(crate) fn ask_to_visit(
        &mut self,
        now: Now,
        conn: Conn,
        request: RequestId,
        (code, key, name): ([u8; 32], PublicKey, &str),
    ) -> Expected {
        match self.link(conn).map(|link| link.phase.clone()) {
            None | Some(Phase::Over) => return Expected::default(),
            Some(Phase::Welcomed(_)) => {}
            Some(_) => return self.fault(now, conn, PeerFault::OutOfTurn),
        }
        // Somebody let them in and they never heard so: it is a sign-in.
        let known = self.ward.devices.iter().find(|device| device.key == key).map(|device| device.id);
        if let Some(device) = known {
            let secret = self.ward.device(device).is_some_and(|device| device.secrets.is_some());
            if !self.ward.is_visitors(device) || secret {
                return self.turn_away(conn, Code::Invalid);
            }
            return self.sign_in_by_key(now, conn, request, device);
        }
        let source = self.link(conn).map_or(Source(0), |link| link.source);
        if let Some(refused) = self.one_guess_more(now, conn, source) {
            return refused;
        }
        let stay = match self.may_ask_there(now, code, key) {
            Ok(stay) => stay,
            Err(refusal) => return self.turn_away(conn, refusal),
        };
        let asked = self.lobby.visits_asked.iter().filter(|(_, bed)| *bed == stay);
        if left(now, asked.map(|(when, _)| *when), 8, 17) < 1_000_000 {
            return self.turn_away(conn, Code::SlowDown);
        }
        self.lobby.visits_asked.push((now.mono, stay));
        let (key, name) = (Box::new(key), name.to_owned());
        self.enter(conn, Phase::Asking { request, code, key, name });
        Expected::answered(Answer::Stretch)
    }

    fn may_ask_there(&self, now: Now, code: [u8; 32], key: PublicKey) -> Result<EncounterId, Code> {
        let kin = &self.ward.family;
        let newest = now.wall.after(limits::BEDSIDE_CODE_MS + 300_000);
        let lives = |kept: &&BedCode| now.wall < kept.expires && kept.expires <= newest;
        let found = kin.codes.iter().find(|kept| kept.hash == code).filter(lives);
        let stay = found.ok_or(Code::BedsideCodeInvalid)?.stay;
        if self.lobby.disk_scarce {
            return Err(Code::DiskLow);
        }
        if let Some(before) = kin.requests.iter().find(|request| request.key == key) {
            return match (before.declined, before.stay == stay) {
                (true, _) => Err(Code::FamilyDeclined),
                (false, false) => Err(Code::FamilyWaiting),
                (false, true) => Ok(stay),
            };
        }
        let waiting = kin.requests.iter().filter(|request| request.stay == stay && !request.declined);
        if waiting.count() >= 8 { Err(Code::FamilyBusy) } else { Ok(stay) }
    }

    /// The keeper is done with the PIN of somebody who asks. `device` is what the core calls theirs.
    pub(crate) fn visit_asked(
        &mut self,
        now: Now,
        conn: Conn,
        (code, key, name): ([u8; 32], PublicKey, String),
        mac: Option<PinMac>,
        device: Option<DeviceId>,
    ) -> Expected {
        let Some(pin) = mac else { return self.turn_away(conn, Code::Unavailable) };
        if self.ward.devices.iter().any(|device| device.key == key) {
            return self.turn_away(conn, Code::Unavailable);
        }
        let stay = match self.may_ask_there(now, code, key) {
            Ok(stay) => stay,
            Err(refusal) => return self.turn_away(conn, refusal),
        };
        // A first and a second question of one key raced, and the first has the name.
        let Some(device) = device else { return self.turn_away(conn, Code::Unavailable) };
        let mut expected = Expected::answered(Answer::VisitAsked);
        if let Some(known) = self.ward.family.requests.iter_mut().find(|request| request.key == key) {
            known.pin = pin;
        } else {
            let declined = self.ward.family.requests.iter().filter(|one| one.stay == stay && one.declined);
            let mut declined: Vec<(Wall, DeviceId)> = declined.map(|one| (one.at, one.device)).collect();
            declined.sort_unstable();
            if declined.len() >= 8 {
                self.forget_request(Actor::TheBox, declined[0].1, &mut expected);
            }
            let (at, until) = (now.wall, now.wall.after(limits::VISIT_REQUEST_MS));
            let declined = false;
            self.ward.family.requests.push(Request { device, stay, name, key, pin, at, until, declined });
            self.lobby.terms.push((Term::VisitRequest(device), now.mono.after(limits::VISIT_REQUEST_MS)));
            self.ward.tell_of(stay, Actor::Unproven, Told::FamilyAsked, &mut expected);
        }
        expected.audits.push((Actor::Unproven, Act::VisitAsked(device, stay)));
        self.close(conn, CloseCode::DONE, &mut expected);
        expected
    }

    /// What a visitor may ask for.
    pub(crate) fn may_visitor(body: &Body) -> bool {
        match body {
            Body::Sync(_)
            | Body::Receipt(_)
            | Body::History(_)
            | Body::Active(_)
            | Body::Lock(_)
            | Body::Here(_) => true,
            Body::Submit(submit) => {
                let named = submit.mention_people.len() + submit.mention_roles.len();
                let urgent = matches!(submit.priority(), proto::Priority::Urgent | proto::Priority::Stat);
                // More than a message takes are seen before anything else is.
                !urgent && named == 0 || named > limits::MENTIONS_MAX
            }
            _ => false,
        }
    }

    /// Whether a guest is let stay who roamed in, or comes from there.
    pub(crate) fn may_be_guest(&self, conn: Conn) -> bool {
        match self.link(conn).map(|link| link.phase.clone()) {
            Some(Phase::New | Phase::Over | Phase::Welcomed(None) | Phase::Asking { .. }) => true,
            Some(Phase::Welcomed(Some(device)) | Phase::PinDue(device) | Phase::In(device)) => {
                self.ward.is_visitors(device)
            }
            Some(Phase::PinChecking(device, _)) => self.ward.is_visitors(device),
            _ => false,
        }
    }

    pub(crate) fn is_guest(&self, conn: Conn) -> bool {
        self.link(conn).is_some_and(|link| link.door == Door::Network(Zone::Guest))
    }

    fn may_deal(&self, by: Actor, id: EncounterId) -> Result<Stay, Code> {
        let stay = self.ward.clinic.stay(id).cloned().ok_or(Code::NoSuchPatient)?;
        let Actor::Person { person, .. } = by else { return Err(Code::NotPermitted) };
        let reviews = self.ward.person(person).is_some_and(|person| person.privacy_officer);
        let guest = self.ward.clinic.broke_in(id, person) && !self.ward.clinic.cares(&stay, person);
        let member = self.ward.member(stay.thread, person).is_some() && !reviews && !guest;
        if !member && self.rank(by, stay.unit) != Some(true) {
            return Err(Code::NotPermitted);
        }
        if self.ward.clinic.shows(stay.patient, Some(person)) { Ok(stay) } else { Err(Code::Restricted) }
    }

    fn consented(&self, stay: &Stay) -> Result<(), Code> {
        match (stay.discharged, self.ward.family.consents.contains(&stay.id)) {
            (Some(_), _) => Err(Code::EncounterOver),
            (None, false) => Err(Code::NoFamilyConsent),
            (None, true) => Ok(()),
        }
    }

    pub(crate) fn family(&mut self, now: Now, by: Actor, body: &Body, chosen: Chosen) -> Expected {
        let outcome = match body {
            Body::SetFamilyConsent(set) => self.set_consent(by, set),
            Body::SetFamilyBlock(set) => self.set_block(by, set),
            Body::IssueBedsideCode(issue) => self.set_code(now, by, issue, chosen),
            Body::ListFamily(list) => self.list_family(by, stay(list.encounter)),
            Body::AnswerVisit(answer) => self.answer_visit(now, by, answer, chosen),
            Body::EndVisit(end) => self.with_visitor(by, end.person).map(|visitor| {
                let mut expected = Expected::answered(Answer::Done);
                self.end_visit(by, visitor.person, &mut expected);
                expected
            }),
            Body::ProlongVisit(prolong) => self.prolong(now, by, prolong),
            Body::EndFamilyThread(end) => self.end_family_thread(by, end.conversation),
            _ => Ok(Expected::default()),
        };
        outcome.unwrap_or_else(Expected::refused)
    }

    fn set_consent(&mut self, by: Actor, set: &proto::SetFamilyConsent) -> Result<Expected, Code> {
        let mut expected = Expected::answered(Answer::Done);
        let stay = self.may_deal(by, stay(set.encounter))?;
        let was = self.ward.family.consents.contains(&stay.id);
        if set.given {
            if stay.discharged.is_some() {
                return Err(Code::EncounterOver);
            }
            if self.lobby.disk_scarce {
                return Err(Code::DiskLow);
            }
            expected.audits.push((by, Act::FamilyConsented(stay.id)));
            if !was {
                self.ward.family.consents.push(stay.id);
                self.ward.tell_of(stay.id, by, Told::FamilyConsented, &mut expected);
            }
        } else if was {
            self.families_end(by, stay.id, &mut expected);
            self.ward.tell_of(stay.id, by, Told::FamilyConsentEnded, &mut expected);
        }
        Ok(expected)
    }

    fn set_block(&mut self, by: Actor, set: &proto::SetFamilyBlock) -> Result<Expected, Code> {
        let mut expected = Expected::answered(Answer::Done);
        let patient = self.may_deal(by, stay(set.encounter))?.patient;
        let entry = (patient, set.name.clone());
        let records = self.ward.clinic.records(patient);
        if !set.blocked {
            for record in records {
                let entry = (record, set.name.clone());
                if self.ward.family.blocked.contains(&entry) {
                    self.ward.family.blocked.retain(|other| *other != entry);
                    expected.audits.push((by, Act::FamilyUnblocked(record)));
                }
            }
            return if expected.audits.is_empty() { Err(Code::NotBlocked) } else { Ok(expected) };
        }
        let was = self.ward.family.blocked.contains(&entry);
        if was {
            return Ok(expected);
        }
        self.ward.family.blocked.push(entry);
        expected.audits.push((by, Act::FamilyBlocked(patient)));
        let stays = self.ward.clinic.stays.iter().filter(|stay| records.contains(&stay.patient));
        let stays: Vec<EncounterId> = stays.map(|stay| stay.id).collect();
        let there = self.ward.family.visitors.iter().filter(|one| !one.over && stays.contains(&one.stay));
        let named = there.filter(|one| self.is_blocked(patient, &one.name));
        for person in named.map(|one| one.person).collect::<Vec<_>>() {
            self.end_visit(by, person, &mut expected);
        }
        Ok(expected)
    }

    fn is_blocked(&self, patient: PatientId, name: &str) -> bool {
        let records = self.ward.clinic.records(patient);
        self.ward.family.blocked.iter().any(|(of, entry)| records.contains(of) && is_named(name, entry))
    }

    fn set_code(
        &mut self,
        now: Now,
        by: Actor,
        issue: &proto::IssueBedsideCode,
        chosen: Chosen,
    ) -> Result<Expected, Code> {
        let stay = self.may_deal(by, stay(issue.encounter))?;
        if issue.end {
            let mut expected = Expected::answered(Answer::Done);
            self.bed_code_ends(by, stay.id, &mut expected);
            return Ok(expected);
        }
        self.consented(&stay)?;
        if self.lobby.disk_scarce {
            return Err(Code::DiskLow);
        }
        let Some(hash) = chosen.code else { return Ok(Expected::default()) };
        let (since, expires) = (now.wall, now.wall.after(limits::BEDSIDE_CODE_MS));
        self.ward.family.codes.retain(|code| code.stay != stay.id);
        self.ward.family.codes.push(BedCode { stay: stay.id, hash, since, expires });
        self.lobby.terms.retain(|(term, _)| *term != Term::BedCode(stay.id));
        self.lobby.terms.push((Term::BedCode(stay.id), now.mono.after(limits::BEDSIDE_CODE_MS)));
        let mut expected = Expected::answered(Answer::BedsideCode);
        expected.audits.push((by, Act::BedsideCodeIssued(stay.id)));
        Ok(expected)
    }

    fn list_family(&mut self, by: Actor, id: EncounterId) -> Result<Expected, Code> {
        self.may_deal(by, id)?;
        if self.lobby.disk_scarce {
            return Err(Code::DiskLow);
        }
        let kin = &self.ward.family;
        let waits = kin.requests.iter().filter(|one| one.stay == id && !one.declined).count();
        let here = kin.visitors.iter().filter(|one| one.stay == id && !one.over).count();
        let threads = kin.threads.iter().filter(|(_, stay, _)| *stay == id).count();
        let mut expected = Expected::answered(Answer::Family(waits, here, threads));
        expected.audits.push((by, Act::FamilyListed(id)));
        Ok(expected)
    }

    fn answer_visit(
        &mut self,
        now: Now,
        by: Actor,
        answer: &proto::AnswerVisit,
        chosen: Chosen,
    ) -> Result<Expected, Code> {
        let waits = |one: &&Request| one.device.value() == answer.device && !one.declined;
        let request = self.ward.family.requests.iter().find(waits).cloned().ok_or(Code::NoSuchVisit)?;
        let stay = self.may_deal(by, request.stay)?;
        let into = answer.answer.as_ref().expect("parsed before");
        if let Into::Decline(_) = into {
            let mut expected = Expected::answered(Answer::Done);
            let theirs = self.ward.family.requests.iter_mut().filter(|one| one.device == request.device);
            theirs.for_each(|one| one.declined = true);
            expected.audits.push((by, Act::VisitDeclined(request.device, stay.id)));
            return Ok(expected);
        }
        self.consented(&stay)?;
        if self.is_blocked(stay.patient, &request.name) {
            return Err(Code::FamilyBlocked);
        }
        let until = if answer.until == 0 { now.wall.after(limits::VISIT_MS) } else { Wall(answer.until) };
        ends_in_time(now, until)?;
        if self.lobby.disk_scarce {
            return Err(Code::DiskLow);
        }
        if let Into::Person(id) = into {
            let visitors = self.ward.family.visitors.iter();
            let mut same =
                visitors.filter(|one| one.person.value() == *id && !one.over && one.stay == stay.id);
            let visitor = same.next().cloned().ok_or(Code::NoSuchVisit)?;
            let theirs = self.ward.devices.iter();
            let theirs = theirs.filter(|one| one.person == visitor.person && !one.revoked).count();
            if theirs >= limits::VISITOR_DEVICES_MAX {
                return Err(Code::VisitorDevices);
            }
            let mut expected = Expected::answered(Answer::VisitAnswered(visitor.thread));
            self.enrol(by, visitor.person, request, &mut expected);
            return Ok(expected);
        }
        let here = self.ward.family.visitors.iter().filter(|one| one.stay == stay.id && !one.over).count();
        if here >= limits::VISITORS_OF_STAY_MAX {
            return Err(Code::Limit);
        }
        let mut expected = Expected::default();
        let Some(person) = self.thread_for(by, &stay, into, chosen, &mut expected)?.zip(chosen.person) else {
            return Ok(expected);
        };
        let (thread, person) = person;
        expected.answer = Some(Answer::VisitAnswered(thread));
        let (name, stay, since, over) = (request.name.clone(), stay.id, now.wall, false);
        self.ward.family.visitors.push(Visitor { person, name, stay, thread, since, until, over });
        let ahead = until.0.saturating_sub(now.wall.0).unsigned_abs();
        self.lobby.terms.push((Term::Visit(person), now.mono.after(ahead)));
        self.enrol(by, person, request, &mut expected);
        self.ward.settle_families(by, &mut expected);
        self.ward.move_one(thread, (person, true), by, &mut expected);
        self.ward.tell_of(stay, by, Told::FamilyEntered { person }, &mut expected);
        Ok(expected)
    }

    /// Where somebody is let in to; a new thread is opened.
    fn thread_for(
        &mut self,
        by: Actor,
        stay: &Stay,
        into: &Into,
        chosen: Chosen,
        expected: &mut Expected,
    ) -> Result<Option<ConversationId>, Code> {
        let (title, own) = match into {
            Into::Thread(id) => {
                let threads = self.ward.family.threads.iter();
                let mut same =
                    threads.filter(|(place, of, own)| place.value() == *id && *of == stay.id && !own);
                let place = same.next().map(|(place, ..)| *place).ok_or(Code::NoSuchConversation)?;
                let thread = self.ward.conversation(place).ok_or(Code::NoSuchConversation)?;
                return match (thread.purged, thread.archived) {
                    (true, _) => Err(Code::Purged),
                    (false, true) => Err(Code::FamilyThreadEnded),
                    (false, false) => Ok(Some(place)),
                };
            }
            Into::Own(_) => {
                let threads = self.ward.family.threads.iter().filter(|(_, of, own)| *of == stay.id && *own);
                let goes_on = |place: &ConversationId| {
                    self.ward.conversation(*place).is_some_and(|thread| !thread.purged && !thread.archived)
                };
                if let Some(place) = threads.map(|(place, ..)| *place).find(goes_on) {
                    let taken = self.ward.family.visitors.iter().any(|one| one.thread == place && !one.over);
                    return if taken { Err(Code::FamilyOwnTaken) } else { Ok(Some(place)) };
                }
                ("", true)
            }
            Into::NewThread(title) => (title.as_str(), false),
            _ => return Err(Code::NoSuchVisit),
        };
        let threads = self.ward.family.threads.iter().filter(|(_, of, _)| *of == stay.id).count();
        if threads >= limits::FAMILY_THREADS_OF_STAY_MAX {
            return Err(Code::Limit);
        }
        if self.lobby.disk_low {
            return Err(Code::DiskLow);
        }
        let Some(id) = chosen.conversation else { return Ok(None) };
        expected.audits.push((by, Act::ConversationOpened(id)));
        expected.audits.push((by, Act::FamilyThreadOpened(id, stay.id)));
        self.ward.family.threads.push((id, stay.id, own));
        self.ward.clinic.threads.push((id, stay.patient));
        self.ward.conversations.push(Conversation {
            id,
            direct: false,
            unit: None,
            archived: false,
            title: title.to_owned(),
            owner: None,
            of_patient: false,
            of_family: true,
            of_role: None,
            of_house: false,
            purged: false,
            members: Vec::new(),
            messages: Vec::new(),
            taken: Vec::new(),
            said: Vec::new(),
            expired_through: 0,
        });
        Ok(Some(id))
    }

    fn enrol(&mut self, by: Actor, person: PersonId, request: Request, expected: &mut Expected) {
        let Request { device, stay, key, pin, .. } = request;
        self.ward.family.requests.retain(|one| one.device != device);
        self.lobby.terms.retain(|(term, _)| *term != Term::VisitRequest(device));
        self.ward.devices.push(Device {
            id: device,
            person,
            key,
            pin,
            tries: 0,
            revoked: false,
            session: None,
            passkey_until: None,
            passkeys: Vec::new(),
            secrets: None,
            last_number: 0,
            sent: Vec::new(),
        });
        expected.audits.push((by, Act::VisitorLetIn(person, device, stay)));
    }

    fn with_visitor(&self, by: Actor, id: u64) -> Result<Visitor, Code> {
        let visitors = self.ward.family.visitors.iter();
        let mut running = visitors.filter(|one| one.person.value() == id && !one.over);
        let visitor = running.next().cloned().ok_or(Code::NoSuchVisit)?;
        self.may_deal(by, visitor.stay)?;
        Ok(visitor)
    }

    fn prolong(&mut self, now: Now, by: Actor, prolong: &proto::ProlongVisit) -> Result<Expected, Code> {
        let visitor = self.with_visitor(by, prolong.person)?;
        let until = Wall(prolong.until);
        ends_in_time(now, until)?;
        if self.lobby.disk_scarce {
            return Err(Code::DiskLow);
        }
        let theirs = self.ward.family.visitors.iter_mut().filter(|one| one.person == visitor.person);
        theirs.for_each(|one| (one.since, one.until) = (now.wall, until));
        self.lobby.terms.retain(|(term, _)| *term != Term::Visit(visitor.person));
        let ahead = until.0.saturating_sub(now.wall.0).unsigned_abs();
        self.lobby.terms.push((Term::Visit(visitor.person), now.mono.after(ahead)));
        let mut expected = Expected::answered(Answer::Done);
        expected.audits.push((by, Act::VisitProlonged(visitor.person)));
        Ok(expected)
    }

    fn end_family_thread(&mut self, by: Actor, id: u64) -> Result<Expected, Code> {
        let threads = self.ward.family.threads.iter();
        let mut known = threads.filter(|(place, ..)| place.value() == id);
        let (place, stay, _) = known.next().copied().ok_or(Code::NoSuchConversation)?;
        self.may_deal(by, stay)?;
        let mut expected = Expected::answered(Answer::Done);
        self.thread_ends(by, place, &mut expected);
        Ok(expected)
    }

    /// Out, with every device, for ever.
    pub(crate) fn end_visit(&mut self, by: Actor, person: PersonId, expected: &mut Expected) {
        let theirs = self.ward.family.visitors.iter_mut().filter(|one| one.person == person && !one.over);
        let Some(visitor) = theirs.last() else { return };
        visitor.over = true;
        let (stay, thread) = (visitor.stay, visitor.thread);
        self.lobby.terms.retain(|(term, _)| *term != Term::Visit(person));
        expected.audits.push((by, Act::VisitEnded(person)));
        let devices: Vec<DeviceId> =
            self.ward.devices.iter().filter(|one| one.person == person).map(|one| one.id).collect();
        for id in &devices {
            if let Some(device) = self.ward.device_mut(*id).filter(|device| !device.revoked) {
                device.revoked = true;
                device.passkeys.clear();
                expected.audits.push((by, Act::DeviceRevoked(*id)));
            }
        }
        self.ward.move_one(thread, (person, false), by, expected);
        self.ward.tell_of(stay, by, Told::FamilyLeft { person }, expected);
        self.expel(&devices, expected);
    }

    fn thread_ends(&mut self, by: Actor, place: ConversationId, expected: &mut Expected) {
        let there = self.ward.family.visitors.iter().filter(|one| one.thread == place && !one.over);
        for person in there.map(|one| one.person).collect::<Vec<_>>() {
            self.end_visit(by, person, expected);
        }
        if let Some(thread) = self.ward.conversation_mut(place).filter(|thread| !thread.archived) {
            thread.archived = true;
            expected.audits.push((by, Act::ConversationArchived(place)));
        }
    }

    /// A patient goes, or says no.
    pub(crate) fn families_end(&mut self, by: Actor, stay: EncounterId, expected: &mut Expected) {
        self.bed_code_ends(by, stay, expected);
        let waits = self.ward.family.requests.iter().filter(|one| one.stay == stay);
        for device in waits.map(|one| one.device).collect::<Vec<_>>() {
            self.forget_request(by, device, expected);
        }
        let threads = self.ward.family.threads.iter().filter(|(_, of, _)| *of == stay);
        for place in threads.map(|(place, ..)| *place).collect::<Vec<_>>() {
            self.thread_ends(by, place, expected);
        }
        if self.ward.family.consents.contains(&stay) {
            self.ward.family.consents.retain(|other| *other != stay);
            expected.audits.push((by, Act::FamilyConsentEnded(stay)));
        }
    }

    pub(crate) fn bed_code_ends(&mut self, by: Actor, stay: EncounterId, expected: &mut Expected) {
        self.lobby.terms.retain(|(term, _)| *term != Term::BedCode(stay));
        if self.ward.family.codes.iter().any(|code| code.stay == stay) {
            self.ward.family.codes.retain(|code| code.stay != stay);
            expected.audits.push((by, Act::BedsideCodeEnded(stay)));
        }
    }

    pub(crate) fn forget_request(&mut self, by: Actor, device: DeviceId, expected: &mut Expected) {
        self.lobby.terms.retain(|(term, _)| *term != Term::VisitRequest(device));
        if self.ward.family.requests.iter().any(|one| one.device == device) {
            self.ward.family.requests.retain(|one| one.device != device);
            expected.audits.push((by, Act::VisitForgotten(device)));
        }
    }

    /// The stay is put away: nobody is in its family threads any more.
    pub(crate) fn families_filed(&mut self, by: Actor, stay: EncounterId, expected: &mut Expected) {
        self.families_end(by, stay, expected);
        let threads = self.ward.family.threads.iter().filter(|(_, of, _)| *of == stay);
        for place in threads.map(|(place, ..)| *place).collect::<Vec<_>>() {
            let Some(thread) = self.ward.conversation_mut(place) else { continue };
            for member in thread.members.iter_mut().filter(|member| !member.left) {
                member.left = true;
                expected.audits.push((by, Act::MemberLeft(place, member.person)));
            }
        }
        self.ward.family.threads.retain(|(_, of, _)| *of != stay);
    }
}

fn stay(id: u64) -> EncounterId {
    EncounterId::new(id).expect("parsed before")
}

fn ends_in_time(now: Now, until: Wall) -> Result<(), Code> {
    let longest = now.wall.0.saturating_add_unsigned(limits::VISIT_TIME_MAX_MS);
    if until.0 > now.wall.0 && until.0 <= longest { Ok(()) } else { Err(Code::VisitEndInvalid) }
}
