//! The reference's rules for administration, and for what the box does by itself.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence};
use wardline_core::time::Now;
use wardline_core::wire::proto::RefusalCode as Code;
use wardline_core::wire::proto::client_frame::Body;

use crate::reference::{Answer, Expected, JoinCode, Person, Reference};
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
                self.ward.people.push(Person { id, administrator, privacy_officer, suspended, posts });
                let mut expected = Expected::answered(Answer::PersonAdded);
                expected.audits.push((by, Act::PersonAdded(id)));
                expected
            }
            Body::IssueJoinCode(issue) => {
                let person = PersonId::new(issue.person).expect("parsed before");
                match self.ward.person(person).map(|person| person.suspended) {
                    None => return Expected::refused(Code::NoSuchPerson),
                    Some(true) => return Expected::refused(Code::PersonSuspended),
                    Some(false) => {}
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
            Body::RevokeDevice(revoke) => {
                let id = DeviceId::new(revoke.device).expect("parsed before");
                let Some(device) = self.ward.device_mut(id) else {
                    return Expected::refused(Code::NoSuchDevice);
                };
                let mut expected = done();
                if !device.revoked {
                    device.revoked = true;
                    expected.audits.push((by, Act::DeviceRevoked(id)));
                }
                self.expel(&[id], &mut expected);
                expected
            }
            Body::SetStanding(set) => {
                let id = PersonId::new(set.person).expect("parsed before");
                let mut expected = done();
                let Some(person) = self.ward.people.iter_mut().find(|person| person.id == id) else {
                    return Expected::refused(Code::NoSuchPerson);
                };
                if person.suspended != set.suspended {
                    person.suspended = set.suspended;
                    let act = if set.suspended { Act::PersonSuspended(id) } else { Act::PersonRestored(id) };
                    expected.audits.push((by, act));
                    // Neither with a code of theirs nor with one that they gave out does anybody come back in.
                    let ends =
                        |code: &JoinCode| set.suspended && (code.person == id || code.issuer == Some(id));
                    let withdrawn = self.ward.codes.iter().filter(|code| ends(code));
                    expected.audits.extend(withdrawn.map(|code| (by, Act::JoinCodeWithdrawn(code.person))));
                    self.ward.codes.retain(|code| !ends(code));
                    if set.suspended {
                        self.end_shifts_of(by, id, None, &mut expected);
                        self.end_emergencies(by, |broken| broken.who == id, &mut expected);
                        self.stats_of_leavers(now, &mut expected);
                        self.stats_given_up(now, id, &mut expected);
                    }
                }
                if set.suspended {
                    let devices = self.ward.devices.iter().filter(|device| device.person == id);
                    let devices: Vec<DeviceId> = devices.map(|device| device.id).collect();
                    self.expel(&devices, &mut expected);
                }
                expected
            }
            Body::PurgeConversation(purge) => {
                let id = ConversationId::new(purge.conversation).expect("parsed before");
                let mut expected = done();
                let Some(conversation) = self.ward.conversation_mut(id) else {
                    return Expected::refused(Code::NoSuchConversation);
                };
                if !conversation.purged {
                    conversation.purged = true;
                    self.stats_purged(id, by, &mut expected);
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
            Body::SetUnit(set) => self.set_unit(by, set, chosen),
            Body::SetDuties(set) => self.set_duties(by, set),
            Body::SetPost(set) => self.set_post(by, true, set),
            Body::SetEscalation(set) => self.set_escalation(by, set),
            Body::ListEscalation(_) => Expected::answered(Answer::Policies),
            Body::SetRole(_) | Body::TakeRole(_) | Body::ReturnRole(_) | Body::ListRoles(_) => {
                self.roles(now, (by, true), body, chosen.role)
            }
            Body::ListUnits(_) => Expected::answered(Answer::Units),
            Body::ListPeople(_) => Expected::answered(Answer::People),
            Body::Admit(_)
            | Body::Transfer(_)
            | Body::SetLeave(_)
            | Body::Discharge(_)
            | Body::UpdatePatient(_)
            | Body::ChangeCareTeam(_)
            | Body::TakeAssignment(_)
            | Body::EndAssignment(_)
            | Body::ListPatients(_)
            | Body::BreakGlass(_)
            | Body::EndEmergency(_)
            | Body::ListEmergencies(_)
            | Body::ReviewEmergency(_)
            | Body::ListBeds(_) => self.clinical(now, by, body, chosen),
            _ => Expected::refused(Code::UnknownRequest),
        }
    }

    /// What was read by everybody goes when it is old; what somebody has not read, only when it is twice as old.
    pub(crate) fn aged(&mut self, place: ConversationId, read_through: u64, any_through: u64) -> Expected {
        let mut expected = Expected::default();
        let Some(conversation) = self.ward.conversation_mut(place) else { return expected };
        let mut through = conversation.expired_through;
        for sequence in 1..=conversation.messages.len() as u64 {
            let unread = conversation.members.iter().any(|member| !member.left && member.read < sequence);
            if sequence <= any_through || (sequence <= read_through && !unread) {
                through = through.max(sequence);
            }
        }
        // What is open does not go.
        let open = self.ward.stats.iter().filter(|stat| stat.place == place).map(|stat| stat.sequence).min();
        let through = open.map_or(through, |open| through.min(open - 1));
        let Some(conversation) = self.ward.conversation_mut(place) else { return expected };
        if through > conversation.expired_through {
            conversation.expired_through = through;
            expected.audits.push((Actor::TheBox, Act::MessagesExpired(place, Sequence(through))));
        }
        expected
    }
}
