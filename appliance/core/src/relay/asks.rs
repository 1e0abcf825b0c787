//! What a signed-in person or a local service asks for: the right to ask, then the rules' own modules.

use crate::access::{self, Operation, Relations};
use crate::admin;
use crate::agency::{self, AgencyAsk};
use crate::audit::{Act, Actor, looking};
use crate::draft::actor;
use crate::grant::SyncGrant;
use crate::hold::{self, Holds};
use crate::ids::{Conn, DeviceId, PersonId, RequestId, Sequence};
use crate::input::{Ask, Door};
use crate::leaving::{self, Leaving};
use crate::refusal::{CloseCode, PeerFault, Refusal};
use crate::relay::{Relay, refused};
use crate::session::{Ready, Session};
use crate::stat::Answer;
use crate::template::TemplateAsk;
use crate::time::Now;
use crate::turn::{Send, Turn};
use crate::web_certificate;
use crate::wire::proto::{self, server_frame::Body};
use crate::{
    alarm, alteration, attachment, availability, bell, broadcast, channel, clinical, family, inbox, mailbox,
    membership, order, reaction, role, searching, stat, task, template, unit,
};

impl Relay {
    pub(super) fn request(&mut self, now: Now, turn: &mut Turn, conn: Conn, request: RequestId, ask: Ask) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        if link.requests.take(now.mono).is_err() {
            return self.fault(now, turn, conn, PeerFault::Flood);
        }
        self.secret_was_kept(now, turn, conn);
        let Some(link) = self.links.get(&conn) else { return };
        let outcome = match &link.session {
            Session::Closing => return,
            Session::Station(screen) => {
                let device = screen.device();
                match ask {
                    Ask::Here => {
                        self.heard.note(now.mono, device);
                        Ok(())
                    }
                    _ => Err(Refusal::StationOnly),
                }
            }
            // One tap on what rings on a locked phone: the device is proven, and that it is coming tells nothing.
            Session::ExpectPin(who) if matches!(ask, Ask::AnswerStat { answer: Answer::Coming, .. }) => {
                let (person, device) = (who.person(), who.device());
                self.coming_from_locked(now, turn, (conn, request), (person, device), ask)
            }
            Session::ExpectPin(who) if matches!(ask, Ask::Passkey(_)) => {
                let device = who.device();
                match ask {
                    Ask::Passkey(ask) => self.passkey_from_locked(now, turn, (conn, request), device, ask),
                    _ => Err(Refusal::Locked),
                }
            }
            // What was composed before is its author's, whoever holds the phone now.
            Session::ExpectPin(who) if matches!(ask, Ask::Composed(_)) => {
                let by = (who.person(), who.device());
                match ask {
                    Ask::Composed(composed) => {
                        self.submit_from_locked(now, turn, (conn, request), by, *composed)
                    }
                    _ => Err(Refusal::Locked),
                }
            }
            Session::ExpectHello
            | Session::ExpectProof(_)
            | Session::JoinUnderCheck(_)
            | Session::VisitUnderCheck(_)
            | Session::NewPinUnderCheck(_) => {
                return self.fault(now, turn, conn, PeerFault::OutOfTurn);
            }
            Session::ExpectPin(_) | Session::PinUnderCheck(_) => Err(Refusal::Locked),
            Session::Local => {
                self.administer(now, turn, conn, request, (Actor::Local, access::BOX_SERVICE), ask)
            }
            Session::Ready(_) => self.ask(now, turn, conn, request, ask),
        };
        if let Err(refusal) = outcome {
            turn.sends.push(refused(conn, request, refusal));
        }
    }

    /// A signed-in person's request.
    fn ask(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        ask: Ask,
    ) -> Result<(), Refusal> {
        let Some(link) = self.links.get(&conn) else { return Ok(()) };
        let door = link.door;
        let Session::Ready(who) = &link.session else { return Ok(()) };
        let who = who.clone();
        // Its author is here: it is as good as said now, under whichever number.
        let ask = match ask {
            Ask::Composed(composed) => Ask::Submit(composed.submit),
            other => other,
        };
        if let Some(used) = self.used.get_mut(&who.device()) {
            used.note(now, &ask);
        }
        if is_from_the_foreground(&ask) {
            self.heard.note(now.mono, who.device());
        }
        // What is there already costs nothing to open.
        let is_there = matches!(&ask, Ask::OpenDirect { person, .. }
            if self.state.direct(who.person(), *person).is_some());
        if !is_there {
            let last = self.state.devices.get(&who.device()).map(|device| device.last_number);
            let is_retry = match &ask {
                Ask::Submit(submit) => Some(submit.number) <= last,
                Ask::Attaching(ask) => attachment::is_under_way(&self.state, who.device(), ask),
                _ => false,
            };
            let spent = self.budgets.spend(now.mono, who.device(), &ask, is_retry);
            spent.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })?;
        }
        let outcome = self.ask_as(now, turn, conn, request, &who, door, ask);
        if let Err(refusal @ (Refusal::NotAdministrator | Refusal::NotPermitted(_) | Refusal::FamilyOnly)) =
            outcome
        {
            let refused = Act::RequestRefused(refusal.code() as u32);
            self.record_sparingly(now, turn, who.device(), actor(&who), refused);
        }
        outcome
    }

    #[expect(clippy::too_many_arguments, reason = "one request, seen from all sides")]
    fn ask_as(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        who: &Ready,
        door: Door,
        ask: Ask,
    ) -> Result<(), Refusal> {
        if family::is_visitor(&self.state, who.person()) {
            family::may_ask(&ask)?;
        }
        let mut draft = self.draft(now, turn);
        match ask {
            Ask::Sync { cursor } => self.sync(now, turn, (conn, request), who, &cursor),
            Ask::Submit(submit) => mailbox::submit(&mut draft, conn, request, who, submit),
            Ask::Edit(edit) => alteration::edit(&mut draft, conn, request, who, edit),
            Ask::Recall { message, found } => {
                alteration::recall(&mut draft, conn, request, who, message, found)
            }
            Ask::React(react) => reaction::react(&mut draft, conn, request, who, react),
            Ask::Receipt { conversation, delivered, read } => {
                mailbox::receipt(&mut draft, conn, who, conversation, delivered, read)
            }
            Ask::History { conversation, before, limit } => {
                mailbox::history(&mut draft, conn, request, who, conversation, before, limit)
            }
            Ask::OpenDirect { person, fresh } => {
                membership::open_direct(&mut draft, conn, request, who, person, fresh)
            }
            Ask::OpenGroup { title, people, fresh } => {
                membership::open_group(&mut draft, conn, request, who, title, people, fresh)
            }
            Ask::ChangeMembers { conversation, add, remove } => {
                membership::change_members(&mut draft, conn, request, who, conversation, add, remove)
            }
            Ask::OpenChannel { unit, title, fresh } => {
                channel::open(&mut draft, (conn, request), (who, door), (unit, title), fresh)
            }
            Ask::JoinChannel { conversation } => channel::join(&mut draft, conn, request, who, conversation),
            Ask::ListChannels { after } => {
                access::permit(Operation::ListChannels, access::STAFF, actor(who))?;
                channel::list(&mut draft, conn, request, who, after);
                Ok(())
            }
            Ask::ListAllChannels { unit, after } => {
                let is = access::of_person(draft.state, who.person(), door);
                access::permit(Operation::ListAllChannels, is, actor(who))?;
                channel::list_all(&mut draft, conn, request, who, unit, after)
            }
            Ask::Rename { conversation, title } => {
                channel::rename(&mut draft, (conn, request), (who, door), conversation, title)
            }
            Ask::Archive { conversation, archived } => {
                channel::archive(&mut draft, (conn, request), (who, door), conversation, archived)
            }
            Ask::ListPeople { after } => {
                access::permit(Operation::ListPeople, access::STAFF, actor(who))?;
                admin::list_people(&mut draft, conn, request, after);
                Ok(())
            }
            Ask::Active | Ask::Here => Ok(()),
            Ask::Passkey(ask) => self.passkeys(now, turn, (conn, request), who, ask),
            Ask::Bell(ask) => {
                let body = bell::handle(&mut draft, who, ask)?;
                turn.sends.push(Send::Reply { conn, request, body });
                Ok(())
            }
            Ask::Lock => {
                self.lock_by_hand(now, turn, conn, who);
                Ok(())
            }
            Ask::Clinical(ask) => clinical::handle(&mut draft, conn, request, actor(who), ask),
            Ask::Family(ask) => {
                let body = family::handle(&mut draft, actor(who), ask)?;
                turn.sends.push(Send::Reply { conn, request, body });
                Ok(())
            }
            Ask::Prospect { conversation, call } => {
                stat::prospect(&mut draft, (conn, request), who, conversation, &call)
            }
            Ask::AnswerStat { stat, answer } => stat::answer(&mut draft, (conn, request), who, stat, answer),
            Ask::ReadStat { stat } => stat::read(&mut draft, (conn, request), who, stat),
            Ask::Broadcast(ask) => broadcast::handle(&mut draft, conn, request, who, ask),
            Ask::Inbox(ask) => inbox::handle(&mut draft, conn, request, who, ask),
            Ask::Search(search) => searching::search(&mut draft, conn, request, who, search),
            Ask::Order(ask) => {
                let is = access::of_person(draft.state, who.person(), door);
                let body = order::handle(&mut draft, (actor(who), is, Some(who)), ask)?;
                turn.sends.push(Send::Reply { conn, request, body });
                Ok(())
            }
            Ask::Task(ask) => task::handle(&mut draft, (conn, request), who, ask),
            Ask::Attaching(ask) => attachment::handle(&mut draft, conn, request, who, ask),
            Ask::Print(print) => self.print_offered(now, turn, (conn, request), who, print),
            ask => {
                let mut is = access::of_person(&self.state, who.person(), door);
                is = is.and(match &ask {
                    Ask::SetPost { unit, .. }
                    | Ask::SetEscalation { unit: Some(unit), .. }
                    | Ask::Templates(TemplateAsk::Set { unit: Some(unit), .. }) => {
                        access::to_unit(&self.state, who.person(), *unit)
                    }
                    Ask::StatLoad(span) => span.unit().map_or(Relations::default(), |unit| {
                        access::to_unit(&self.state, who.person(), unit)
                    }),
                    Ask::Agency(AgencyAsk::Admit(arrival)) => {
                        access::to_unit(&self.state, who.person(), arrival.unit)
                    }
                    Ask::Agency(AgencyAsk::List { unit: Some(unit), .. }) => {
                        access::to_unit(&self.state, who.person(), *unit)
                    }
                    Ask::IssueJoinCode { person, .. }
                    | Ask::ClearPin { person, .. }
                    | Ask::Agency(AgencyAsk::Extend { person, .. } | AgencyAsk::End { person })
                    | Ask::Leaving(Leaving::Suspend { person })
                    | Ask::SetStanding { person, .. } => {
                        access::to_person(&self.state, who.person(), *person)
                    }
                    _ => Relations::default(),
                });
                self.administer(now, turn, conn, request, (actor(who), is), ask)
            }
        }
    }

    fn coming_from_locked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        (person, device): (PersonId, DeviceId),
        ask: Ask,
    ) -> Result<(), Refusal> {
        // Whoever was put out meanwhile has this connection still.
        self.admissible(device)?;
        if family::is_visitor(&self.state, person) {
            return Err(Refusal::FamilyOnly);
        }
        let spent = self.budgets.spend(now.mono, device, &ask, false);
        spent.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })?;
        let Ask::AnswerStat { stat, .. } = ask else { return Err(Refusal::Locked) };
        let by = Actor::Person { person, device };
        stat::coming_from_locked(&mut self.draft(now, turn), person, by, stat)?;
        let body = Body::Done(proto::Done {});
        turn.sends.push(Send::Reply { conn, request, body });
        Ok(())
    }

    fn sync(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        who: &Ready,
        cursor: &[u8],
    ) -> Result<(), Refusal> {
        let after = if cursor.is_empty() {
            None
        } else {
            let change = self.cursors.open(who.device(), cursor)?;
            // A store that went back in time (an old backup) has not given this number yet.
            if change > self.state.change {
                return Err(Refusal::CursorInvalid);
            }
            Some(change)
        };
        self.attach(conn, who.person());
        let grant = SyncGrant::new(who.person());
        turn.sends.push(Send::Attach { conn, request, grant, device: who.device(), after });
        inbox::gaps::tell_anew(&self.state, turn, now.wall, conn, who.person());
        Ok(())
    }

    fn administer(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        request: RequestId,
        (by, is): (Actor, Relations),
        ask: Ask,
    ) -> Result<(), Refusal> {
        let mut draft = self.draft(now, turn);
        let permit = |operation| access::permit(operation, is, by);
        let body = match ask {
            Ask::AddPerson { name, title, administrator, fresh } => admin::add_person(
                &mut draft,
                permit(Operation::AddPerson)?,
                name,
                title,
                administrator,
                &fresh,
            )?,
            Ask::IssueJoinCode { person, fresh } => {
                admin::issue_join_code(&mut draft, permit(Operation::IssueJoinCode)?, person, &fresh)?
            }
            Ask::ClearPin { person, fresh } => {
                self.issue_pin_code(now, turn, permit(Operation::ClearPin)?, person, &fresh)?
            }
            Ask::SetUnit { unit, name, fresh } => {
                unit::set(&mut draft, permit(Operation::SetUnit)?, unit, name, &fresh)?
            }
            Ask::SetPost { person, unit, post } => unit::set_post(&mut draft, by, is, person, unit, post)?,
            Ask::SetDuties { person, administrator, privacy_officer } => {
                let permit = permit(Operation::SetDuties)?;
                admin::set_duties(&mut draft, permit, person, administrator, privacy_officer)?
            }
            Ask::SetEscalation { unit, policy } => {
                let operation =
                    if unit.is_some() { Operation::SetEscalation } else { Operation::SetFacilityEscalation };
                stat::set_policy(&mut draft, permit(operation)?.by(), unit, policy)?
            }
            Ask::ListEscalation => {
                permit(Operation::ListEscalation)?;
                stat::list_policies(&draft)
            }
            Ask::StatLoad(span) => {
                stat::load::look(&mut draft, permit(Operation::ReadStatLoad)?, span)?;
                turn.sends.push(Send::CountStats { conn, request, span });
                return Ok(());
            }
            Ask::AddStation { unit, name, fresh } => {
                admin::add_station(&mut draft, permit(Operation::AddStation)?, unit, name, &fresh)?
            }
            Ask::Hold(ask) => {
                let lifts = matches!(ask, Holds::Lift { .. });
                let done = hold::handle(&mut draft, by, ask)?;
                if lifts {
                    // What it kept may be too old by now.
                    self.silent_looks = 0;
                }
                done
            }
            Ask::Export(ask) => return self.export(now, turn, (conn, request), by, ask),
            Ask::Audit(ask) => return looking::look(&mut draft, (conn, request), by, ask),
            Ask::Health => {
                permit(Operation::AskHealth)?;
                turn.sends.push(Send::TellHealth { conn, request });
                return Ok(());
            }
            Ask::WebCertificate(ask) => {
                return web_certificate::handle(&mut draft, (conn, request), (by, is), ask);
            }
            Ask::SetRetention(rules) => {
                let done = admin::set_retention(&mut draft, permit(Operation::SetRetention)?, rules);
                self.silent_looks = 0;
                done
            }
            Ask::ListRetention => {
                permit(Operation::ListRetention)?;
                admin::retention(&draft)
            }
            Ask::PreviewRetention(rules) => {
                permit(Operation::PreviewRetention)?;
                self.preview_retention(now, turn, (conn, request), rules);
                return Ok(());
            }
            Ask::Alarms(ask) => alarm::handle(&mut draft, (by, is), ask)?,
            Ask::SetBellPolicy { on } => bell::set_policy(&mut draft, permit(Operation::SetBellPolicy)?, on),
            Ask::SetAttachmentPolicy(policy) => {
                attachment::set_policy(&mut draft, permit(Operation::SetAttachmentPolicy)?, policy)
            }
            Ask::ListAttachmentPolicy => {
                permit(Operation::ListAttachmentPolicy)?;
                attachment::policy(&draft)
            }
            Ask::Availability(ask) => availability::handle(&mut draft, (by, is), ask)?,
            Ask::Templates(ask) => template::handle(&mut draft, (by, is), ask)?,
            Ask::Announcers(ask) => broadcast::administer(&mut draft, (by, is), ask)?,
            Ask::Role(ask) => role::handle(&mut draft, (by, is), ask)?,
            Ask::Order(ask) => order::handle(&mut draft, (by, is, None), ask)?,
            Ask::ListUnits => {
                permit(Operation::ListUnits)?;
                unit::list(&draft)
            }
            Ask::PurgeConversation { conversation } => {
                admin::purge(&mut draft, permit(Operation::Purge)?, conversation)?
            }
            Ask::ListDevices { person } => {
                admin::list_devices(&mut draft, permit(Operation::ListDevices)?, person)?
            }
            Ask::RevokeDevice { device } => {
                let done = admin::revoke_device(&mut draft, permit(Operation::RevokeDevice)?, device)?;
                turn.sends.push(Send::Reply { conn, request, body: done });
                self.expel(turn, &[device]);
                return Ok(());
            }
            Ask::SetStanding { person, suspended } => {
                let operation = if suspended { Operation::Suspend } else { Operation::Restore };
                let waits = leaving::waits(is);
                leaving::set_standing(&mut draft, permit(operation)?, person, suspended, waits)?;
                turn.sends.push(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
                if suspended {
                    self.put_out(now, turn, person, by);
                }
                return Ok(());
            }
            Ask::Leaving(Leaving::Suspend { person }) => {
                let permit = permit(Operation::Suspend)?;
                let left = leaving::left_behind(draft.state, person, now.wall);
                leaving::set_standing(&mut draft, permit, person, true, leaving::waits(is))?;
                let waits = draft.state.people.get(&person).is_some_and(|entry| entry.waits.is_some());
                let body = Body::Suspended(proto::Suspended { waits, ..left });
                turn.sends.push(Send::Reply { conn, request, body });
                self.put_out(now, turn, person, by);
                return Ok(());
            }
            Ask::Leaving(Leaving::Decide { person, confirmed }) => {
                leaving::decide(&mut draft, permit(Operation::DecideSuspension)?, person, confirmed)?
            }
            Ask::Leaving(Leaving::List { after }) => {
                permit(Operation::ListSuspensions)?;
                leaving::list(&draft, after)
            }
            Ask::Agency(AgencyAsk::End { person }) => {
                let permit = agency::may_end(&draft, (by, is), person)?;
                agency::end(&mut draft, permit, person);
                turn.sends.push(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
                self.put_out(now, turn, person, by);
                return Ok(());
            }
            Ask::Agency(ask) => agency::handle(&mut draft, (by, is), ask)?,
            Ask::ListPeople { after } => {
                permit(Operation::ListPeople)?;
                admin::list_people(&mut draft, conn, request, after);
                return Ok(());
            }
            Ask::Clinical(ask) => return clinical::handle(&mut draft, conn, request, by, ask),
            _ => return Err(Refusal::UnknownRequest),
        };
        turn.sends.push(Send::Reply { conn, request, body });
        Ok(())
    }

    /// Ends what somebody has open who may not sign in any more; what they had of a STAT, somebody else must have.
    pub(super) fn put_out(&mut self, now: Now, turn: &mut Turn, person: PersonId, by: Actor) {
        let devices: Vec<DeviceId> = self.state.devices_of(person).map(|device| device.id).collect();
        self.expel(turn, &devices);
        // Of what rings again they hear nothing.
        stat::give_up(&mut self.draft(now, turn), person, by);
    }

    /// Ends what these devices have open, at once; after the answer, since it may be the administrator's own.
    pub(crate) fn expel(&mut self, turn: &mut Turn, devices: &[DeviceId]) {
        for device in devices {
            self.unfollow(*device);
            // Before its PIN it hears what rings.
            let conns = [&self.by_device, &self.awaiting_pin].map(|of_device| of_device.get(device).copied());
            for conn in conns.into_iter().flatten() {
                self.close(turn, conn, CloseCode::REVOKED);
            }
        }
    }
}

/// What a person does, as against what an app does by itself.
pub(super) fn is_act_of_a_person(ask: &Ask) -> bool {
    match ask {
        Ask::Sync { .. } | Ask::Here => false,
        Ask::Receipt { read, .. } => *read > Sequence::NONE,
        _ => true,
    }
}

/// What says that the app is in front of somebody.
fn is_from_the_foreground(ask: &Ask) -> bool {
    matches!(ask, Ask::Here) || is_act_of_a_person(ask)
}
