//! The reference's rules for administration, and for what the box does by itself.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::RefusalCode as Code;
use wardline_core::wire::proto::client_frame::Body;

use crate::reference::{Answer, Expected, JoinCode, Person, Reference};
use crate::reference_patients::Term;
use crate::reference_ward::Chosen;

impl Reference {
    pub(crate) fn administer(&mut self, now: Now, by: Actor, body: &Body, chosen: Chosen) -> Expected {
        let done = || Expected::answered(Answer::Done);
        match body {
            Body::AddPerson(add) => {
                let Some(id) = chosen.person.filter(|id| self.ward.person(*id).is_none()) else {
                    return Expected::default();
                };
                let (administrator, privacy_officer, suspended) = (add.administrator, false, false);
                let posts = Vec::new();
                let (hired, barred) = (None, false);
                self.ward.people.push(Person {
                    id,
                    administrator,
                    privacy_officer,
                    suspended,
                    posts,
                    lent: Vec::new(),
                    hired,
                    barred,
                    waits: None,
                });
                let mut expected = Expected::answered(Answer::PersonAdded);
                expected.audits.push((by, Act::PersonAdded(id)));
                expected
            }
            Body::IssueJoinCode(issue) => {
                let person = PersonId::new(issue.person).expect("parsed before");
                match self.ward.person(person).map(|person| person.why_out()) {
                    None => return Expected::refused(Code::NoSuchPerson),
                    Some(Some(Code::AgencyOver)) => return Expected::refused(Code::NotAgency),
                    Some(Some(code)) => return Expected::refused(code),
                    Some(None) => {}
                }
                let Some(hash) = chosen.code else { return Expected::default() };
                let mut expected = Expected::answered(Answer::JoinCode);
                // A ninth ends the oldest.
                let theirs = self.ward.codes.iter().filter(|code| code.person == person);
                let theirs: Vec<[u8; 32]> = theirs.map(|code| code.hash).collect();
                if let Some(oldest) = theirs.first().filter(|_| theirs.len() >= 8) {
                    self.ward.codes.retain(|code| code.hash != *oldest);
                    expected.audits.push((by, Act::JoinCodeWithdrawn(person)));
                }
                let expires = now.wall.after(self.policy.join_code_ms);
                let issuer = match by {
                    Actor::Person { person, .. } => Some(person),
                    _ => None,
                };
                self.ward.codes.push(JoinCode { hash, person, expires, issuer });
                expected.audits.push((by, Act::JoinCodeIssued(person)));
                expected
            }
            Body::ClearPin(clear) => {
                self.clear_pin(now, by, PersonId::new(clear.person).expect("parsed before"), chosen.code)
            }
            Body::RevokeDevice(revoke) => {
                let id = DeviceId::new(revoke.device).expect("parsed before");
                let Some(device) = self.ward.device_mut(id) else {
                    return Expected::refused(Code::NoSuchDevice);
                };
                let mut expected = done();
                if !device.revoked {
                    device.revoked = true;
                    device.passkeys.clear();
                    expected.audits.push((by, Act::DeviceRevoked(id)));
                }
                self.expel(&[id], &mut expected);
                expected
            }
            Body::SetStanding(set) => {
                let id = PersonId::new(set.person).expect("parsed before");
                let mut expected = done();
                match self.stand(now, by, id, set.suspended, &mut expected) {
                    Ok(()) => expected,
                    Err(code) => Expected::refused(code),
                }
            }
            Body::Suspend(suspend) => {
                let id = PersonId::new(suspend.person).expect("parsed before");
                let mut expected = done();
                let left = self.left_by(now, id);
                if let Err(code) = self.stand(now, by, id, true, &mut expected) {
                    return Expected::refused(code);
                }
                let waits = self.ward.person(id).is_some_and(|person| person.waits.is_some());
                expected.answer = Some(Answer::Suspended(left, waits));
                expected
            }
            Body::DecideSuspension(decide) => {
                let id = PersonId::new(decide.person).expect("parsed before");
                let Some(person) = self.ward.people.iter_mut().find(|person| person.id == id) else {
                    return Expected::refused(Code::NoSuchPerson);
                };
                if person.waits.is_none() {
                    return Expected::refused(Code::NoSuchSuspension);
                }
                let mut expected = done();
                if decide.confirmed {
                    person.waits = None;
                    self.lobby.terms.retain(|(term, _)| *term != Term::Suspension(id));
                    expected.audits.push((by, Act::SuspensionConfirmed(id)));
                    return expected;
                }
                expected.audits.push((by, Act::SuspensionReversed(id)));
                match self.stand(now, by, id, false, &mut expected) {
                    Ok(()) => expected,
                    Err(code) => Expected::refused(code),
                }
            }
            Body::ListSuspensions(_) => {
                let waiting = self.ward.people.iter().filter(|person| person.waits.is_some()).count();
                Expected::answered(Answer::Suspensions(waiting as u64))
            }
            Body::PurgeConversation(purge) => {
                let id = ConversationId::new(purge.conversation).expect("parsed before");
                let mut expected = done();
                let Some(conversation) = self.ward.conversation_mut(id) else {
                    return Expected::refused(Code::NoSuchConversation);
                };
                if !conversation.purged {
                    if self.ward.is_held(id) {
                        return Expected::refused(Code::Held);
                    }
                    if self.ward.first_unfiled(id).is_some() {
                        return Expected::refused(Code::OrdersUnfiled);
                    }
                    let Some(conversation) = self.ward.conversation_mut(id) else { return expected };
                    conversation.purged = true;
                    self.ward.uploads.retain(|upload| upload.place != id);
                    self.stats_purged(id, by, &mut expected);
                    self.tasks_gone(id, 1..=u64::MAX);
                    expected.audits.push((by, Act::ConversationPurged(id)));
                }
                expected
            }
            Body::ListDevices(list) => {
                let person = PersonId::new(list.person).expect("parsed before");
                if self.ward.person(person).is_none() {
                    return Expected::refused(Code::NoSuchPerson);
                }
                let mut expected = Expected::answered(Answer::Devices);
                expected.audits.push((by, Act::DevicesListed(person)));
                expected
            }
            Body::AdmitAgency(_) | Body::ExtendAgency(_) | Body::EndAgency(_) | Body::ListAgency(_) => {
                self.agency(now, (by, true), body, chosen)
            }
            Body::SetUnit(set) => self.set_unit(by, set, chosen),
            Body::SetDuties(set) => self.set_duties(by, set),
            Body::SetPost(set) => self.set_post(now, by, true, set),
            Body::SetEscalation(set) => self.set_escalation(by, set),
            Body::ListEscalation(_) => Expected::answered(Answer::Policies),
            Body::SetRole(_)
            | Body::TakeRole(_)
            | Body::ReturnRole(_)
            | Body::ReadRota(_)
            | Body::ImportRota(_)
            | Body::RetireRole(_)
            | Body::ListRoles(_) => self.roles(now, (by, true), body, chosen.role),
            Body::AskStatLoad(ask) => self.stat_load(by, ask),
            Body::SetAlarmRole(set) => self.set_alarm_role(now, by, set, chosen),
            Body::AskAlarms(_) => self.ask_alarms(),
            Body::SetRetention(set) => self.set_retention(now, by, set),
            Body::SetAvailability(_)
            | Body::RefuseCover(_)
            | Body::AskAvailability(_)
            | Body::AskNumbers(_)
            | Body::SetCoverPolicy(_) => self.availability(now, by, true, body),
            Body::SetOrderPolicy(set) => self.set_order_policy(now, by, set),
            Body::ListOrderPolicies(_) => self.list_order_policies(),
            Body::FileOrder(file) => self.file_order(by, None, file),
            Body::ListOrders(list) => self.list_orders(None, list),
            Body::SetTemplates(set) => self.set_templates(by, (true, true), set),
            Body::ListTemplates(list) => self.list_templates(list.unit),
            Body::ListBroadcasts(_) | Body::SetAnnouncer(_) | Body::SetBroadcastPolicy(_) => {
                self.announcers(by, true, body)
            }
            Body::ListRetention(_) => self.list_retention(),
            Body::SetBellPolicy(set) => self.set_bell_policy(by, set.on),
            Body::SetAttachmentPolicy(set) => self.set_attachment_policy(by, set),
            Body::ListAttachmentPolicy(_) => self.list_attachment_policy(),
            Body::PreviewRetention(_) => Expected::answered(Answer::Counting),
            Body::BeginExport(_)
            | Body::ListExport(_)
            | Body::ReadExport(_)
            | Body::OpenExportFile(_)
            | Body::FinishExport(_) => self.exports(now, by, body, chosen.export),
            Body::PlaceHold(_) | Body::LiftHold(_) | Body::ListHolds(_) => {
                self.holds(now, by, body, chosen.hold)
            }
            Body::OfferRole(_) | Body::AnswerOffer(_) | Body::ListOffers(_) => {
                self.offers(now, by, body, chosen.offer)
            }
            Body::ListUnits(_) => Expected::answered(Answer::Units),
            Body::ListPeople(_) => Expected::answered(Answer::People),
            Body::Admit(_)
            | Body::Transfer(_)
            | Body::SetLeave(_)
            | Body::Discharge(_)
            | Body::UpdatePatient(_)
            | Body::MergeRecords(_)
            | Body::UnmergeRecords(_)
            | Body::LookUp(_)
            | Body::ChangeCareTeam(_)
            | Body::TakeAssignment(_)
            | Body::EndAssignment(_)
            | Body::ListPatients(_)
            | Body::BreakGlass(_)
            | Body::LookAtRequest(_)
            | Body::Countersign(_)
            | Body::Restrict(_)
            | Body::LiftRestriction(_)
            | Body::EndEmergency(_)
            | Body::ListEmergencies(_)
            | Body::ReviewEmergency(_)
            | Body::ListBeds(_) => self.clinical(now, by, body, chosen),
            _ => Expected::refused(Code::UnknownRequest),
        }
    }

    /// Suspends somebody, or lets them in again.
    fn stand(
        &mut self,
        now: Now,
        by: Actor,
        id: PersonId,
        suspended: bool,
        expected: &mut Expected,
    ) -> Result<(), Code> {
        let confirms = self.lobby.no_administrator;
        let Some(person) = self.ward.people.iter_mut().find(|person| person.id == id) else {
            return Err(Code::NoSuchPerson);
        };
        let over = person.hired.as_ref().is_some_and(|hired| hired.over);
        let was = if over { person.barred } else { person.suspended };
        if over && !was && !suspended {
            return Err(Code::NotAgency);
        }
        if was != suspended {
            person.barred = person.hired.is_some() && suspended;
            person.suspended = over || suspended;
            let act = if suspended { Act::PersonSuspended(id) } else { Act::PersonRestored(id) };
            expected.audits.push((by, act));
            person.waits = None;
            self.lobby.terms.retain(|(term, _)| *term != Term::Suspension(id));
            if let (Actor::Person { person: nurse, .. }, true) = (by, suspended && confirms) {
                person.waits = Some((nurse, now.wall, false));
                self.lobby.terms.push((Term::Suspension(id), now.mono.after(24 * 3_600_000)));
            }
            // Neither with a code of theirs nor with one that they gave out does anybody come back in.
            let ends = |code: &JoinCode| suspended && (code.person == id || code.issuer == Some(id));
            let withdrawn = self.ward.codes.iter().filter(|code| ends(code));
            expected.audits.extend(withdrawn.map(|code| (by, Act::JoinCodeWithdrawn(code.person))));
            self.ward.codes.retain(|code| !ends(code));
            if suspended {
                self.end_offers_of(by, id, None, expected);
                self.end_roles_of(now, (by, id), None, expected);
                self.end_shifts_of(by, id, None, expected);
                self.withdraw(by, id, expected);
                self.end_emergencies(by, |broken| broken.who == id, expected);
                self.availability_ends(by, id, expected);
                self.stats_of_leavers(now, expected);
                self.stats_given_up(now, id, expected);
            }
        }
        if suspended {
            let devices = self.ward.devices.iter().filter(|device| device.person == id);
            let devices: Vec<DeviceId> = devices.map(|device| device.id).collect();
            self.expel(&devices, expected);
        }
        Ok(())
    }

    /// Roles, shifts, STATs and tasks that somebody has, if they may sign in.
    fn left_by(&self, now: Now, who: PersonId) -> [usize; 4] {
        if self.ward.person(who).is_none_or(|who| who.suspended) {
            return [0; 4];
        }
        let roles = self.ward.roles.iter().filter(|role| role.is_of(who, now.wall)).count();
        let shifts = self.ward.clinic.shifts.iter().filter(|shift| shift.person == who).count();
        let stats = self.ward.stats.iter().filter(|stat| self.rests_with(who, stat.id())).count();
        [roles, shifts, stats, self.ward.tasks_had(who)]
    }

    /// What was read by everybody goes when it is old; what somebody has not read, only when it is twice as old.
    pub(crate) fn aged(&mut self, place: ConversationId, read_through: u64, any_through: u64) -> Expected {
        let mut expected = Expected::default();
        let first_task =
            self.ward.tasks.iter().filter(|task| task.place == place).map(|task| task.sequence).min();
        let Some(conversation) = self.ward.conversation_mut(place) else { return expected };
        let before = conversation.expired_through;
        let mut through = before;
        let first_task = first_task.unwrap_or(u64::MAX);
        for sequence in 1..=conversation.messages.len() as u64 {
            let unread = sequence >= first_task
                || conversation.members.iter().any(|member| !member.left && member.read < sequence);
            if sequence <= any_through || (sequence <= read_through && !unread) {
                through = through.max(sequence);
            }
        }
        if self.ward.is_held(place) {
            if through > before && !self.ward.held_back.contains(&place) {
                self.ward.held_back.push(place);
            }
            return expected;
        }
        // What is open does not go.
        let open = self.ward.stats.iter().filter(|stat| stat.place == place).map(|stat| stat.sequence).min();
        let through = open.map_or(through, |open| through.min(open - 1));
        let through = self.ward.first_unfiled(place).map_or(through, |first| through.min(first - 1));
        let Some(conversation) = self.ward.conversation_mut(place) else { return expected };
        if through > conversation.expired_through {
            conversation.expired_through = through;
            expected.audits.push((Actor::TheBox, Act::MessagesExpired(place, Sequence(through))));
            self.tasks_gone(place, 1..=through);
        }
        expected
    }
}
