//! Those who are not honest clients: their lines, and what is made of the box's answers to them and to the local
//! service.

use wardline_core::audit::Act;
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, DeviceId, PersonId, RequestId};
use wardline_core::input::{Input, Zone};
use wardline_core::refusal::CloseCode;
use wardline_core::turn::Turn;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};
use wardline_core::{pin, session};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Phase, Said};
use crate::toys;
use crate::world::{Arrival, Stranger, World};

impl World {
    /// A stranger is welcomed and says its line.
    pub(crate) fn stranger_welcomed(&mut self, conn: Conn, challenge: &[u8]) {
        let Some(stranger) = self.doors.get(&conn).and_then(|door| door.stranger.clone()) else { return };
        let challenge: [u8; 32] = challenge.try_into().expect("32 bytes");
        let exporter = toys::exporter(conn.0);
        match stranger {
            Stranger::Guest => {
                let Some(code) = self.random.pick(&self.old_codes).cloned() else { return };
                self.tries_a_code(conn, (&challenge, &exporter), code);
            }
            Stranger::Guess(code) => self.tries_a_code(conn, (&challenge, &exporter), code),
            Stranger::Forge(device) => {
                let signature = vec![1; 64];
                let device = device.value();
                let prove = proto::Prove { device, signature, ..proto::Prove::default() };
                self.stranger_says(conn, Ask::Prove(prove));
            }
            Stranger::Twin(client) => {
                let (key, device) = (self.clients[client].key, self.clients[client].device);
                let Some(device) = device else { return };
                let message = session::sign_in_message(&challenge, &exporter, device);
                let signature = toys::sign(&key, &message).to_vec();
                let login_secret = self.clients[client].secret.clone();
                let prove = proto::Prove { device: device.value(), signature, rotates: false, login_secret };
                self.stranger_says(conn, Ask::Prove(prove));
            }
            Stranger::Thief(client) => {
                let code = self.random.pick(&self.old_codes).cloned().unwrap_or("AAAAAAAAAA".to_owned());
                let (key, secret) = (self.clients[client].key, self.clients[client].secret.clone());
                self.types_a_code(conn, (&challenge, &exporter), code, (key, secret));
            }
            Stranger::Copy(copy) => self.copy_proves(conn, copy, &challenge),
            Stranger::OutOfTurn => self.stranger_says(conn, Ask::Active(proto::Active {})),
            _ => {}
        }
    }

    fn tries_a_code(&mut self, conn: Conn, (challenge, exporter): (&[u8; 32], &[u8; 32]), code: String) {
        let key = toys::public_key(self.random.next());
        self.types_a_code(conn, (challenge, exporter), code, (key, Vec::new()));
    }

    fn types_a_code(
        &mut self,
        conn: Conn,
        (challenge, exporter): (&[u8; 32], &[u8; 32]),
        code: String,
        (key, login_secret): (PublicKey, Vec<u8>),
    ) {
        let message = session::join_message(challenge, exporter, &pin::join_code_hash(&code), &key);
        let join = proto::Join {
            code,
            device_key: key.as_bytes().to_vec(),
            device_name: "somebody".to_owned(),
            pin: "correct horse".to_owned(),
            signature: toys::sign(&key, &message).to_vec(),
            rotates: false,
            login_secret,
        };
        self.stranger_says(conn, Ask::Join(join));
    }

    pub(crate) fn stranger_answered(&mut self, conn: Conn, body: &Body) {
        let Some(stranger) = self.doors.get(&conn).and_then(|door| door.stranger.clone()) else { return };
        if let Stranger::Copy(copy) = stranger {
            return self.copy_answered(conn, copy, body);
        }
        let Stranger::Twin(client) = stranger else { return };
        if matches!(body, Body::PinNeeded(_)) && self.random.permille(400) {
            return self.replays_a_letter(conn, client);
        }
        let again = match body {
            Body::PinNeeded(_) => true,
            Body::Refused(refused) => {
                matches!(refused.code(), Code::PinWrong | Code::SlowDown | Code::Unavailable)
            }
            _ => false,
        };
        if again && self.random.permille(800) {
            let pin = format!("guess {}", self.random.below(1000));
            self.stranger_says(conn, Ask::Unlock(proto::Unlock { pin }));
        }
    }

    /// The local service hears back.
    pub(crate) fn local_answer(&mut self, request: RequestId, body: &Body) {
        let at = self.local_asked.iter().position(|(asked, _)| *asked == request.0);
        let Some((_, asked)) = at.map(|at| self.local_asked.remove(at)) else { return };
        match (asked, body) {
            (Ask::AddPerson(add), Body::PersonAdded(added)) => {
                let index = crate::world::NAMES.iter().position(|name| *name == add.name);
                if let Some(index) =
                    index.filter(|index| *index < self.people.len() - crate::world::FROM_AGENCY.len())
                {
                    self.people[index] = PersonId::new(added.person);
                }
            }
            (Ask::ClearPin(clear), Body::JoinCode(code)) => self.pin_code_given(clear.person, &code.code),
            (Ask::IssueJoinCode(issue), Body::JoinCode(code)) => {
                let (person, people) = (PersonId::new(issue.person), &self.people);
                self.old_codes.push(code.code.clone());
                let waiting = |client: &&mut crate::client::Client| {
                    let theirs = people.get(client.person).copied().flatten();
                    theirs == person && client.device.is_none() && client.code.is_none()
                };
                if let Some(client) = self.clients.iter_mut().find(waiting) {
                    client.code = Some(code.code.clone());
                }
            }
            _ => {}
        }
    }

    /// Notes what a request and the reference's view of it came to.
    pub(crate) fn cover_request(&mut self, conn: Conn, body: &Ask, expected: &Expected) {
        let network = conn != self.local;
        let refused = match expected.answer {
            Some(Answer::Refused(Said(code))) => Some(code),
            _ => None,
        };
        match body {
            Ask::Submit(_) if refused == Some(Code::Purged) => self.coverage.reach(Situation::PurgedRefused),
            Ask::Submit(_) if refused == Some(Code::DiskLow) => {
                self.coverage.reach(Situation::DiskLowRefused)
            }
            Ask::Submit(_) if refused == Some(Code::NoSuchConversation) => {
                self.coverage.reach(Situation::StrangerRefused);
            }
            Ask::Submit(_) if refused.is_none() && self.reference.ward.newest > self.now.wall => {
                self.coverage.reach(Situation::TimeHeldAgainstStepBack);
            }
            Ask::OpenDirect(_) if expected.audits.is_empty() && refused.is_none() => {
                self.coverage.reach(Situation::DirectOpenedTwice);
            }
            Ask::RevokeDevice(_) | Ask::SetStanding(_) | Ask::Suspend(_) | Ask::PurgeConversation(_)
                if network =>
            {
                let done = refused.is_none();
                let refused = matches!(refused, Some(Code::NotAdministrator | Code::NotPermitted));
                if done {
                    self.coverage.reach(Situation::AdministeredOverNetwork);
                } else if refused {
                    self.coverage.reach(Situation::AdministrationRefused);
                }
            }
            _ => {}
        }
        self.cover_messages(body, refused, expected);
        self.cover_reactions(body, refused, expected);
        self.cover_templates(body, refused, expected);
        self.cover_tasks(body, refused, expected);
        self.cover_orders(body, refused, expected);
        self.cover_availability(body, refused, expected);
        self.cover_alarm_asks(body, refused, expected);
        self.cover_inboxes(body, refused, expected);
        self.cover_broadcasts(body, refused, expected);
        self.cover_clearing(body, refused, network && self.asked_by_nurse(conn));
        self.cover_units(conn, body, refused, expected);
        self.cover_stats(conn, body, refused, expected);
        self.cover_patients(body, refused, expected);
        self.cover_roles(body, refused, expected);
        self.cover_agency(body, refused, expected);
        self.cover_leaving(body, refused, expected);
        self.cover_holds(body, refused, expected);
        self.cover_exports(body, refused, expected);
        self.cover_records(body, refused, expected);
        self.cover_merges(body, refused, expected);
        self.cover_attachments(body, refused, expected);
        let expelled = expected.closes.iter().any(|(_, code)| *code == CloseCode::REVOKED);
        if let (Ask::PurgeConversation(purge), false) = (body, expected.audits.is_empty()) {
            let place = self.reference.ward.conversations.iter().find(|c| c.id.value() == purge.conversation);
            let members = place.map(|place| place.members.clone()).unwrap_or_default();
            if members.iter().any(|member| !self.reference.attached(member.person).is_empty()) {
                self.coverage.reach(Situation::PurgedWhileAttached);
            }
        }
        for (_, act) in &expected.audits {
            match act {
                Act::JoinCodeWithdrawn(_) => self.coverage.reach(Situation::JoinCodeWithdrawn),
                Act::MemberLeft(place, _)
                    if self.reference.ward.conversation(*place).is_some_and(|c| c.purged) =>
                {
                    self.coverage.reach(Situation::PurgedLeft);
                }
                Act::MemberLeft(_, person) if !self.reference.attached(*person).is_empty() => {
                    self.coverage.reach(Situation::RemovedWhileAttached);
                }
                Act::MemberAdded(place, person) if matches!(body, Ask::ChangeMembers(_)) => {
                    let before = (*place, *person);
                    if self.left.contains(&before) {
                        self.coverage.reach(Situation::Readmitted);
                    }
                }
                _ => {}
            }
            if let Act::MemberLeft(place, person) = act {
                self.left.push((*place, *person));
            }
        }
        if std::mem::take(&mut self.reference.lobby.expelled_in_check) {
            self.coverage.reach(Situation::RevokedDuringPin);
        }
        match body {
            Ask::RevokeDevice(_) if expelled => self.coverage.reach(Situation::RevokedWhileAttached),
            Ask::SetStanding(_) | Ask::Suspend(_) if expelled => {
                self.coverage.reach(Situation::SuspendedWhileAttached)
            }
            _ => {}
        }
    }

    /// Situations that show in the answer to somebody coming in.
    pub(crate) fn cover_entry(&mut self, conn: Conn, body: &Ask, expected: &Expected) {
        let Some(answer) = expected.answer else { return };
        let situation = match (body, answer) {
            (Ask::Hello(_), Answer::Refused(Said(Code::VersionUnsupported))) => Situation::VersionUnsupported,
            (Ask::Hello(_) | Ask::Join(_), Answer::Refused(Said(Code::Zone))) => Situation::GuestZoneRefused,
            (Ask::Hello(_), Answer::Refused(Said(Code::DeviceUnknown))) => Situation::RevokedTurnedAway,
            (Ask::Prove(_), Answer::Refused(Said(Code::PinLockedOut))) => Situation::LockedOutTurnedAway,
            (Ask::Prove(_), Answer::Refused(Said(Code::PersonSuspended))) => Situation::SuspendedTurnedAway,
            (Ask::Prove(_), Answer::Refused(Said(Code::AgencyOver))) => Situation::AgencyTurnedAway,
            (Ask::Prove(_), Answer::Refused(Said(Code::SlowDown))) => Situation::SignInsSlowedDown,
            (Ask::Prove(_), Answer::PinNeeded(_)) if !expected.closes.is_empty() => {
                Situation::PinPlaceGivenWay
            }
            (Ask::Prove(_), Answer::SignedIn) => {
                if self.crashed_in > 0 {
                    self.coverage.reach(Situation::SessionOutlivedCrash);
                }
                Situation::ResumedWithoutPin
            }
            (Ask::Join(_), Answer::Stretch) if matches!(self.phase(conn), Some(Phase::PinChecking(..))) => {
                Situation::JoinAnswerLostThenAnsweredAgain
            }
            (Ask::Join(_), Answer::Refused(Said(Code::SlowDown))) => Situation::JoinGuessesSlowedDown,
            (Ask::Join(_), Answer::Refused(Said(Code::JoinCodeInvalid))) if !expected.audits.is_empty() => {
                match expected.audits[..] {
                    [(_, Act::PinCodeWrong(5))] => Situation::PinCodeSpent,
                    _ => Situation::PinCodeWrong,
                }
            }
            (Ask::Join(_), Answer::Refused(Said(Code::PinLockedOut))) => Situation::PinCodeOver,
            (Ask::Join(join), Answer::Refused(Said(Code::JoinCodeInvalid))) => {
                if self.old_codes.contains(&join.code) {
                    Situation::JoinCodeSpent
                } else {
                    Situation::JoinCodeWrong
                }
            }
            (Ask::Unlock(_), Answer::Refused(Said(Code::SlowDown))) => Situation::TwoPinsOfOneDevice,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// Situations that show when the keeper comes back.
    pub(crate) fn cover_mac(&mut self, before: Option<&Phase>, expected: &Expected) {
        let situation = match (before, expected.answer) {
            // With the person's access ended their code.
            (Some(Phase::Joining { person, .. }), Some(Answer::Refused(Said(Code::JoinCodeInvalid))))
                if self.reference.ward.person(*person).is_some_and(|person| person.suspended) =>
            {
                Situation::SuspendedWhileJoining
            }
            (Some(Phase::Joining { .. }), Some(Answer::Refused(Said(Code::JoinCodeInvalid)))) => {
                Situation::JoinRaced
            }
            (Some(Phase::PinChecking(..)), Some(Answer::Refused(Said(Code::PinLockedOut)))) => {
                Situation::LockedOut
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// A connection roams into another zone.
    pub(crate) fn take_moved(&mut self, conn: Conn, zone: Zone) -> Result<Turn, String> {
        self.decide(Input::Moved { conn, zone }, conn, RequestId::NONE, |world, _| {
            let expected = world.reference.moved(conn, zone);
            if !expected.closes.is_empty() {
                world.coverage.reach(Situation::RoamedAmongGuests);
            }
            Ok(expected)
        })
    }

    /// A device that the box knows.
    pub(crate) fn any_device(&mut self) -> Option<DeviceId> {
        let devices: Vec<DeviceId> = self.clients.iter().filter_map(|client| client.device).collect();
        self.random.pick(&devices).copied()
    }

    /// The end of a stranger's connection.
    pub(crate) fn dismiss_strangers(&mut self) {
        let gone = self.doors.iter().filter(|(_, door)| door.stranger.is_some() && door.closing);
        let gone: Vec<Conn> = gone.map(|(conn, _)| *conn).collect();
        for conn in gone {
            if !self
                .waiting
                .iter()
                .any(|(other, arrival)| *other == conn && matches!(arrival, Arrival::Closed))
            {
                self.waiting.push_back((conn, Arrival::Closed));
            }
        }
    }
}
