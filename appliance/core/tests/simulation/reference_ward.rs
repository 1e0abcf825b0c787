//! The reference's rules for conversations and messages.

use wardline_core::attachment::Received;
use wardline_core::audit::{Act, Actor};
use wardline_core::composing::Lease;
use wardline_core::ids::{
    AssignmentId, Conn, ConversationId, DeviceId, EmergencyId, EncounterId, ExportId, HoldId, MessageId,
    Number, OfferId, PatientId, PersonId, RequestId, RoleId, Sequence, UnitId,
};
use wardline_core::refusal::PeerFault;
use wardline_core::time::Now;
use wardline_core::wire::proto::answer_stat::Answer as Says;
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Conversation, Expected, Member, Phase, Reference, Said, Saying};

/// What only the core can have chosen in this turn.
#[derive(Default, Clone, Copy)]
pub(crate) struct Chosen {
    /// For a passkey.
    pub(crate) challenge: Option<[u8; 32]>,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) person: Option<PersonId>,
    pub(crate) unit: Option<UnitId>,
    pub(crate) code: Option<[u8; 32]>,
    pub(crate) patient: Option<PatientId>,
    pub(crate) encounter: Option<EncounterId>,
    pub(crate) assignment: Option<AssignmentId>,
    pub(crate) role: Option<RoleId>,
    pub(crate) offer: Option<OfferId>,
    pub(crate) emergency: Option<EmergencyId>,
    pub(crate) hold: Option<HoldId>,
    pub(crate) export: Option<ExportId>,
    /// Holds that an un-merge brings.
    pub(crate) placed: [Option<HoldId>; 8],
    /// The message was too old to be edited or recalled. Counts where a minute more or less decides.
    pub(crate) too_late: bool,
}

/// What the reference cannot know of a request by itself.
pub(crate) struct Circumstances {
    /// The doorway had a key to seal the text with.
    pub(crate) sealed: bool,
    /// The cursor is one that was given to this device.
    pub(crate) cursor_known: bool,
    /// The message that it is about was in the store when the doorway looked.
    pub(crate) found: bool,
    /// What the doorway has of the file that it is about.
    pub(crate) received: Received,
    /// It was sealed when it was composed: when the key was given, and whether it bears the number that it had.
    pub(crate) composed: Option<(Lease, bool)>,
    /// Why the doorway refused the passkey that it is about.
    pub(crate) passkey_refused: Option<Code>,
    pub(crate) chosen: Chosen,
    pub(crate) request: RequestId,
    /// The entry of the audit that says that it was read.
    pub(crate) audited: u64,
}

/// A conversation that is to be.
pub(crate) struct Opening<'a> {
    pub(crate) direct: bool,
    pub(crate) unit: Option<UnitId>,
    pub(crate) title: &'a str,
}

impl Conversation {
    /// Why an archived one takes nothing.
    pub(crate) fn closed(&self) -> Code {
        if self.of_role.is_some() {
            return Code::RoleInboxDone;
        }
        match (self.of_patient, self.of_family) {
            (true, _) => Code::ThreadClosed,
            (false, true) => Code::FamilyThreadEnded,
            (false, false) => Code::Archived,
        }
    }

    /// Somebody who enters now: behind what was said in a group, at the beginning of a channel or a patient's thread.
    pub(crate) fn newcomer(&self, person: PersonId, last: u64) -> Member {
        let whole = self.unit.is_some() || self.of_patient || self.of_family;
        let from = 1 + if whole { self.expired_through } else { last };
        Member { person, from, delivered: last, read: last, left: false, entered: last }
    }
}

impl Reference {
    pub(crate) fn request(&mut self, now: Now, conn: Conn, body: &Body, around: &Circumstances) -> Expected {
        self.lobby.waits.retain(|waits| now.mono < waits.ends);
        match self.link(conn).map(|link| link.phase.clone()) {
            None | Some(Phase::Over) => Expected::default(),
            Some(
                Phase::New
                | Phase::Welcomed(_)
                | Phase::Joining { .. }
                | Phase::Asking { .. }
                | Phase::Clearing(..),
            ) => self.fault(now, conn, PeerFault::OutOfTurn),
            // One tap on what rings.
            Some(Phase::PinDue(device)) if is_coming(body) => {
                if let Some(code) = self.barred(device) {
                    return Expected::refused(code);
                }
                if self.ward.is_visitors(device) {
                    return Expected::refused(Code::FamilyOnly);
                }
                let (Some(device), Body::AnswerStat(said)) = (self.ward.device(device), body) else {
                    return Expected::default();
                };
                let (device, me) = (device.id, device.person);
                self.answer_stat(now, device, me, said)
            }
            Some(Phase::PinDue(device)) if around.composed.is_some() => {
                if let Some(code) = self.barred(device) {
                    return Expected::refused(code);
                }
                // Of the last day; five minutes a clock may step.
                let is_good = |(lease, as_numbered): (Lease, bool)| {
                    let given = lease.0 as i64;
                    as_numbered && given <= now.wall.0 + 300_000 && now.wall.0 <= given + 86_400_000
                };
                if !around.composed.is_some_and(is_good) {
                    return Expected::refused(Code::Locked);
                }
                self.ask(now, conn, device, body, around)
            }
            Some(Phase::PinDue(device)) if is_about_passkeys(body) => {
                self.passkey_from_locked(now, conn, device, body, around)
            }
            Some(Phase::PinDue(_) | Phase::PinChecking(..)) => Expected::refused(Code::Locked),
            Some(Phase::Local) => {
                self.lobby.no_administrator = false;
                let mut expected = self.administer(now, Actor::Local, body, around.chosen);
                self.stats_of_leavers(now, &mut expected);
                expected
            }
            Some(Phase::In(device)) => {
                let mut expected = self.ask(now, conn, device, body, around);
                self.stats_of_leavers(now, &mut expected);
                if let Some(Answer::Refused(Said(
                    code @ (Code::NotAdministrator | Code::NotPermitted | Code::FamilyOnly),
                ))) = expected.answer
                {
                    let entry = (self.actor(device), Act::RequestRefused(code as u32));
                    self.record_sparingly(now, device, entry, &mut expected);
                }
                expected
            }
        }
    }

    fn ask(
        &mut self,
        now: Now,
        conn: Conn,
        device: DeviceId,
        body: &Body,
        around: &Circumstances,
    ) -> Expected {
        let Some(me) = self.ward.device(device).map(|device| device.person) else {
            return Expected::default();
        };
        let is_locked = self.link(conn).is_some_and(|link| link.phase != Phase::In(device));
        let by_itself = is_locked
            || matches!(body, Body::Sync(_) | Body::Here(_))
            || matches!(body, Body::Receipt(r) if r.read == 0);
        if !by_itself && let Some(open) = self.lobby.open.iter_mut().find(|open| open.0 == device) {
            open.1 = now.mono;
        }
        if !by_itself || matches!(body, Body::Here(_)) {
            self.hear(now, device);
        }
        let last = self.ward.device(device).map_or(0, |device| device.last_number);
        if matches!(body, Body::Submit(submit) if submit.priority() == proto::Priority::Stat && submit.number > last)
            && self.stat_is_too_soon(now, device)
        {
            return Expected::refused(Code::SlowDown);
        }
        if self.ward.visitor(me).is_some() && !Self::may_visitor(body) {
            return Expected::refused(Code::FamilyOnly);
        }
        let place = |id: u64| ConversationId::new(id).expect("parsed before");
        let person = |id: u64| PersonId::new(id).expect("parsed before");
        match body {
            Body::Sync(_) if !around.cursor_known => Expected::refused(Code::CursorInvalid),
            Body::Sync(_) => {
                if let Some(link) = self.link_mut(conn) {
                    link.attached = true;
                }
                Expected::answered(Answer::Attach)
            }
            Body::Submit(submit) => {
                let message = MessageId(submit.message.as_slice().try_into().expect("parsed before"));
                self.submit(
                    now,
                    device,
                    me,
                    (submit.number, message, place(submit.conversation)),
                    (submit.priority() == proto::Priority::Stat)
                        .then(|| submit.call.clone().unwrap_or_default()),
                    (submit, around.sealed),
                )
            }
            Body::EditMessage(edit) => self.edit(now, device, me, edit, around),
            Body::RecallMessage(recall) => {
                let of = (place(recall.conversation), recall.sequence);
                self.recall(now, device, me, of, around)
            }
            Body::React(react) => self.react(device, me, react, around),
            Body::AnswerOrder(said) => self.answer_order(device, me, said),
            Body::FileOrder(file) => self.file_order(self.actor(device), Some(me), file),
            Body::ListOrders(list) => self.list_orders(Some(me), list),
            Body::ListOrderPolicies(_) => self.list_order_policies(),
            Body::GiveTask(give) => self.give_task(now, device, me, give, around),
            Body::AnswerTask(said) => self.answer_task(now, device, me, said),
            Body::ReassignTask(pass) => self.reassign_task(now, device, me, pass),
            Body::ListTasks(list) => self.list_tasks(now, me, list),
            Body::BeginUpload(begin) => self.begin_upload(now, device, me, begin, around.sealed),
            Body::FinishUpload(finish) => self.finish_upload(device, me, &finish.upload, around.received),
            Body::OpenAttachment(open) => self.open_attachment(device, me, open),
            Body::ListAttachmentPolicy(_) => self.list_attachment_policy(),
            Body::RecordPrint(print) => self.record_print(conn, device, around.request, print),
            Body::ReadAudit(read) => self.read_audit(self.actor(device), me, read, around.audited),
            Body::AskHealth(_) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator);
                if administers && door.is_some_and(Self::is_admin_zone) {
                    Expected::answered(Answer::Health)
                } else {
                    Expected::refused(Code::NotAdministrator)
                }
            }
            Body::AskWebCertificate(_)
            | Body::RequestWebCertificate(_)
            | Body::ImportWebCertificate(_)
            | Body::DropWebCertificate(_) => {
                let admin_zone = self.link(conn).is_some_and(|link| Self::is_admin_zone(link.door));
                self.web_certificate(self.actor(device), me, admin_zone, body)
            }
            Body::Receipt(receipt) => {
                self.receipt(device, me, place(receipt.conversation), receipt.delivered, receipt.read)
            }
            Body::History(history) => {
                self.history(device, me, place(history.conversation), history.before, history.limit)
            }
            Body::OpenDirect(open) => self.open_direct(device, me, person(open.person), around.chosen),
            Body::OpenGroup(open) => {
                let people: Vec<PersonId> = open.people.iter().map(|id| person(*id)).collect();
                self.open_group(device, me, &people, &open.title, around.chosen)
            }
            Body::ChangeMembers(change) => {
                let add: Vec<PersonId> = change.add.iter().map(|id| person(*id)).collect();
                let remove: Vec<PersonId> = change.remove.iter().map(|id| person(*id)).collect();
                self.change_members(device, me, place(change.conversation), (&add, &remove))
            }
            Body::OpenChannel(_)
            | Body::JoinChannel(_)
            | Body::ListChannels(_)
            | Body::ListAllChannels(_)
            | Body::Rename(_)
            | Body::Archive(_) => {
                let admin_zone = self.link(conn).is_some_and(|link| Self::is_admin_zone(link.door));
                self.channel(device, me, body, (admin_zone, around.chosen))
            }
            Body::ListPeople(_) => Expected::answered(Answer::People),
            Body::ListUnits(_) => Expected::answered(Answer::Units),
            Body::Active(_) | Body::Here(_) => Expected::default(),
            Body::Lock(_) => self.locked_by_hand(device, me),
            body if is_about_passkeys(body) => self.about_passkeys(now, conn, device, body, around),
            Body::AskBell(_) | Body::SetBell(_) | Body::ClearBell(_) => self.bell(device, me, body),
            Body::AnswerStat(said) => self.answer_stat(now, device, me, said),
            Body::ReadStat(read) => self.read_stat(device, me, read),
            Body::ListEscalation(_) => Expected::answered(Answer::Policies),
            Body::AskProspect(ask) => {
                let call = ask.call.clone().unwrap_or_default();
                let member = self.ward.member(place(ask.conversation), me).is_some();
                match self.stat_plan(me, place(ask.conversation), &call) {
                    _ if !member => Expected::refused(Code::NoSuchConversation),
                    Err(code) => Expected::refused(code),
                    Ok((_, people)) => {
                        let reached = people.iter().filter(|who| self.can_be_reached(now, **who)).count();
                        Expected::answered(Answer::Prospect(people.len() as u32, reached as u32))
                    }
                }
            }
            Body::SetEscalation(set) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                let unit = UnitId::new(set.policy.as_ref().map_or(0, |policy| policy.unit));
                let leads = unit.is_some_and(|unit| self.ward.post(me, unit) == Some(true));
                match (administers || leads, unit) {
                    (true, _) => self.set_escalation(self.actor(device), set),
                    (false, Some(_)) => Expected::refused(Code::NotPermitted),
                    (false, None) => Expected::refused(Code::NotAdministrator),
                }
            }
            Body::AskStatLoad(ask) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                let unit = UnitId::new(ask.unit);
                let leads = unit.is_some_and(|unit| self.ward.post(me, unit) == Some(true));
                if administers || leads {
                    self.stat_load(self.actor(device), ask)
                } else {
                    Expected::refused(Code::NotPermitted)
                }
            }
            Body::OfferRole(_) | Body::AnswerOffer(_) | Body::ListOffers(_) => {
                self.offers(now, self.actor(device), body, around.chosen.offer)
            }
            Body::SetRole(_)
            | Body::TakeRole(_)
            | Body::ReturnRole(_)
            | Body::ReadRota(_)
            | Body::ImportRota(_)
            | Body::RetireRole(_)
            | Body::ListRoles(_) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                self.roles(now, (self.actor(device), administers), body, around.chosen.role)
            }
            Body::SetFamilyConsent(_)
            | Body::SetFamilyBlock(_)
            | Body::IssueBedsideCode(_)
            | Body::ListFamily(_)
            | Body::AnswerVisit(_)
            | Body::EndVisit(_)
            | Body::ProlongVisit(_)
            | Body::EndFamilyThread(_) => self.family(now, self.actor(device), body, around.chosen),
            Body::SetAvailability(_)
            | Body::RefuseCover(_)
            | Body::AskAvailability(_)
            | Body::AskNumbers(_)
            | Body::SetCoverPolicy(_) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                self.availability(now, self.actor(device), administers, body)
            }
            Body::SetTemplates(set) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                let unit = UnitId::new(set.set.as_ref().map_or(0, |set| set.unit));
                let leads = unit.is_some_and(|unit| self.ward.post(me, unit) == Some(true));
                self.set_templates(self.actor(device), (leads, administers), set)
            }
            Body::ListTemplates(list) => self.list_templates(list.unit),
            Body::OpenRoleInbox(_) | Body::LookAtRoleInbox(_) | Body::FinishRoleInbox(_) => {
                self.inbox(now, device, me, body, around.chosen)
            }
            Body::OpenBroadcast(_) | Body::LookAtBroadcast(_) => {
                self.announcing(device, me, body, around.chosen)
            }
            Body::ListBroadcasts(_) | Body::SetAnnouncer(_) | Body::SetBroadcastPolicy(_) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                self.announcers(self.actor(device), administers, body)
            }
            Body::ListRetention(_) => self.list_retention(),
            Body::BeginExport(_)
            | Body::ListExport(_)
            | Body::ReadExport(_)
            | Body::OpenExportFile(_)
            | Body::FinishExport(_) => self.exports(now, self.actor(device), body, around.chosen.export),
            Body::PlaceHold(_) | Body::LiftHold(_) | Body::ListHolds(_) => {
                self.holds(now, self.actor(device), body, around.chosen.hold)
            }
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
            | Body::ListBeds(_) => self.clinical(now, self.actor(device), body, around.chosen),
            Body::AdmitAgency(_) | Body::ExtendAgency(_) | Body::EndAgency(_) | Body::ListAgency(_) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                self.agency(now, (self.actor(device), administers), body, around.chosen)
            }
            Body::SetPost(set) => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                let leads = UnitId::new(set.unit).and_then(|unit| self.ward.post(me, unit)) == Some(true);
                self.set_post_as((now, self.actor(device)), (administers, leads), set)
            }
            other => {
                let door = self.link(conn).map(|link| link.door);
                let administers = self.ward.person(me).is_some_and(|person| person.administrator)
                    && door.is_some_and(Self::is_admin_zone);
                // What a charge nurse may do to her staff.
                let to = match other {
                    Body::IssueJoinCode(issue) => Some(issue.person),
                    Body::ClearPin(clear) => Some(clear.person),
                    Body::SetStanding(set) if set.suspended => Some(set.person),
                    Body::Suspend(suspend) => Some(suspend.person),
                    _ => None,
                };
                let superior = to.is_some_and(|to| self.is_superior(me, person(to)));
                if !administers && !superior {
                    let code = if to.is_some() { Code::NotPermitted } else { Code::NotAdministrator };
                    return Expected::refused(code);
                }
                self.lobby.no_administrator = !administers;
                self.administer(now, self.actor(device), other, around.chosen)
            }
        }
    }

    fn submit(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        (number, message, place): (u64, MessageId, ConversationId),
        stat: Option<proto::Call>,
        (submit, sealed): (&proto::Submit, bool),
    ) -> Expected {
        let last = self.ward.device(device).map_or(0, |device| device.last_number);
        if number <= last {
            return Expected::answered(Answer::Again);
        }
        if self.ward.member(place, me).is_none() {
            return Expected::refused(Code::NoSuchConversation);
        }
        if let Some(code) = self.announces_wrongly(place, me, submit.priority()) {
            return Expected::refused(code);
        }
        // A STAT may use the reserve.
        let low = if stat.is_some() { self.lobby.disk_scarce } else { self.lobby.disk_low };
        let Some(conversation) = self.ward.conversation(place) else { return Expected::default() };
        if conversation.purged {
            return Expected::refused(Code::Purged);
        }
        if conversation.archived {
            return Expected::refused(conversation.closed());
        }
        let from = self.ward.member(place, me).map_or(0, |member| member.from);
        let Some(conversation) = self.ward.conversation(place) else { return Expected::default() };
        if submit.reply_to != 0
            && (submit.reply_to < from || submit.reply_to > conversation.messages.len() as u64)
        {
            return Expected::refused(Code::NoSuchMessage);
        }
        let mentions = match self.named(now, place, submit) {
            Ok(mentions) => mentions,
            Err(code) => return Expected::refused(code),
        };
        if let Some(code) = self.refused_files(device, place, submit, sealed) {
            return Expected::refused(code);
        }
        if let Some(code) = self.refused_order(now, device, me, place, submit) {
            return Expected::refused(code);
        }
        let is_stat = stat.is_some();
        let unanswered = self.ward.stats.iter().filter(|open| open.sender == me && open.unanswered()).count();
        if stat.is_some() && unanswered >= 20 {
            return Expected::refused(Code::StatLimit);
        }
        // Five minutes back are not shown; a clock that was wrong by more is.
        let behind = self.ward.newest.0 - now.wall.0;
        let shown = if (1..=300_000).contains(&behind) { self.ward.newest } else { now.wall };
        let run = self.run.0;
        let plan = match stat.map(|call| self.stat_plan(me, place, &call)).transpose() {
            Ok(plan) => plan,
            Err(code) => return Expected::refused(code),
        };
        let Some(conversation) = self.ward.conversation_mut(place) else { return Expected::default() };
        if low {
            return Expected::refused(Code::DiskLow);
        }
        if !sealed {
            return Expected::refused(Code::Unavailable);
        }
        conversation.messages.push(message);
        conversation.taken.push(now.mono);
        conversation.said.push(Saying {
            author: me,
            text: submit.text.clone(),
            stat: is_stat,
            order: submit.order.is_some(),
            reply_to: submit.reply_to,
            at: shown,
            run,
            edits: 0,
            edit: Vec::new(),
            recalled: false,
            unseen: false,
            mentions,
            reactions: Vec::new(),
            files: submit.attachments.iter().map(|file| file.name.clone()).collect(),
        });
        let sequence = conversation.messages.len() as u64;
        self.spoken(place, me, submit.priority());
        if submit.priority() == proto::Priority::Urgent {
            self.bells_of_urgent(now, me, (place, sequence));
        }
        if let Some(device) = self.ward.device_mut(device) {
            device.last_number = number;
            device.sent.push((Number(number), message));
        }
        self.ward.newest = shown;
        let mut expected = Expected::answered(Answer::Accepted(place, sequence));
        expected.audits.push((self.actor(device), Act::MessageAccepted(place, Sequence(sequence))));
        self.attach(device, (place, sequence), submit, &mut expected);
        self.order_placed(device, me, (place, sequence), submit, &mut expected);
        if let Some(plan) = plan {
            self.stat_opens(now, device, (me, place, sequence), plan, &mut expected);
        }
        expected
    }

    fn receipt(
        &mut self,
        device: DeviceId,
        me: PersonId,
        place: ConversationId,
        delivered: u64,
        read: u64,
    ) -> Expected {
        let (actor, scarce) = (self.actor(device), self.lobby.disk_scarce);
        if self.ward.member(place, me).is_none() {
            return Expected::refused(Code::NoSuchConversation);
        }
        let Some(conversation) = self.ward.conversation_mut(place) else { return Expected::default() };
        let last = conversation.messages.len() as u64;
        if delivered > last || read > last {
            return Expected::refused(Code::Invalid);
        }
        let mut expected = Expected::default();
        for member in conversation.members.iter_mut().filter(|member| member.person == me) {
            if scarce && (read > member.read || delivered > member.delivered) {
                return Expected::refused(Code::DiskLow);
            }
            if read > member.read {
                member.read = read;
                expected.audits.push((actor, Act::MessagesRead(place, Sequence(read))));
            }
            member.delivered = member.delivered.max(delivered).max(member.read);
        }
        if !expected.audits.is_empty() {
            self.seen(place, me, read);
        }
        expected
    }

    fn history(
        &mut self,
        device: DeviceId,
        me: PersonId,
        place: ConversationId,
        before: u64,
        limit: u32,
    ) -> Expected {
        if limit == 0 || limit > 100 {
            return Expected::refused(Code::Invalid);
        }
        let Some(member) = self.ward.member(place, me) else {
            return Expected::refused(Code::NoSuchConversation);
        };
        let Some(conversation) = self.ward.conversation(place) else { return Expected::default() };
        if conversation.purged {
            return Expected::refused(Code::Purged);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let end = conversation.messages.len() as u64 + 1;
        let before = if before == 0 { end } else { before.min(end) };
        let from = member.from.max(conversation.expired_through + 1);
        let mut expected = Expected::answered(Answer::Page(from, before));
        expected.audits.push((self.actor(device), Act::HistoryRead(place, Sequence(before), limit)));
        expected
    }

    fn open_direct(&mut self, device: DeviceId, me: PersonId, with: PersonId, chosen: Chosen) -> Expected {
        if me == with {
            return Expected::refused(Code::Invalid);
        }
        let both = |c: &&Conversation| {
            c.direct
                && !c.purged
                && [me, with].iter().all(|who| c.members.iter().any(|member| member.person == *who))
        };
        if let Some(existing) = self.ward.conversations.iter().find(both) {
            return Expected::answered(Answer::Opened(existing.id));
        }
        if self.ward.person(with).is_none_or(|person| person.suspended) {
            return Expected::refused(Code::NoSuchPerson);
        }
        self.open(device, me, Opening { direct: true, unit: None, title: "" }, &[me, with], chosen)
    }

    fn open_group(
        &mut self,
        device: DeviceId,
        me: PersonId,
        people: &[PersonId],
        title: &str,
        chosen: Chosen,
    ) -> Expected {
        let mut members = vec![me];
        for person in people {
            if !members.contains(person) {
                members.push(*person);
            }
        }
        if members.iter().any(|who| *who != me && self.ward.person(*who).is_none_or(|who| who.suspended)) {
            return Expected::refused(Code::NoSuchPerson);
        }
        self.open(device, me, Opening { direct: false, unit: None, title }, &members, chosen)
    }

    pub(crate) fn open(
        &mut self,
        device: DeviceId,
        me: PersonId,
        opening: Opening<'_>,
        people: &[PersonId],
        chosen: Chosen,
    ) -> Expected {
        if self.lobby.disk_low {
            return Expected::refused(Code::DiskLow);
        }
        let Some(id) = chosen.conversation.filter(|id| self.ward.conversation(*id).is_none()) else {
            return Expected::default();
        };
        let mut expected = Expected::answered(Answer::Opened(id));
        expected.audits.push((self.actor(device), Act::ConversationOpened(id)));
        let mut members = Vec::new();
        for person in people {
            members.push(Member { person: *person, from: 1, delivered: 0, read: 0, left: false, entered: 0 });
            expected.audits.push((self.actor(device), Act::MemberAdded(id, *person)));
        }
        self.ward.conversations.push(Conversation {
            id,
            direct: opening.direct,
            unit: opening.unit,
            archived: false,
            title: opening.title.to_owned(),
            owner: Some(me),
            of_patient: false,
            of_family: false,
            of_role: None,
            of_house: false,
            purged: false,
            members,
            messages: Vec::new(),
            taken: Vec::new(),
            said: Vec::new(),
            expired_through: 0,
        });
        expected
    }

    fn change_members(
        &mut self,
        device: DeviceId,
        me: PersonId,
        place: ConversationId,
        (add, remove): (&[PersonId], &[PersonId]),
    ) -> Expected {
        let actor = self.actor(device);
        let member = self.ward.member(place, me).is_some();
        let unit = self.ward.conversation(place).and_then(|conversation| conversation.unit);
        let post = unit.and_then(|unit| self.ward.post(me, unit));
        let Some(conversation) = self.ward.conversation(place).filter(|_| member || post.is_some()) else {
            return Expected::refused(Code::NoSuchConversation);
        };
        if conversation.of_patient {
            return Expected::refused(Code::InPatientThread);
        }
        if conversation.of_family {
            return Expected::refused(Code::InFamilyThread);
        }
        if conversation.of_role.is_some() && !conversation.purged {
            return Expected::refused(Code::InRoleInbox);
        }
        if conversation.of_house && !conversation.purged {
            return Expected::refused(Code::InBroadcast);
        }
        let leaves = add.is_empty() && !remove.is_empty() && remove.iter().all(|person| *person == me);
        if conversation.purged && !leaves {
            return Expected::refused(Code::Purged);
        }
        if conversation.direct && !conversation.purged {
            return Expected::refused(Code::NotInDirect);
        }
        let owner = conversation.owner;
        let led = conversation.members.iter().any(|m| Some(m.person) == owner && !m.left)
            && owner.and_then(|owner| self.ward.person(owner)).is_some_and(|owner| !owner.suspended);
        let leads = post == Some(true) || member && (!led || owner == Some(me));
        let others = remove.iter().any(|person| *person != me);
        let may = (!others || leads) && (add.is_empty() && others || member);
        if !may {
            return Expected::refused(Code::NotPermitted);
        }
        let present = |who: PersonId| self.ward.member(place, who).is_some();
        let (mut entering, mut leaving) = (Vec::new(), Vec::new());
        for person in add {
            if !present(*person) && !entering.contains(person) {
                entering.push(*person);
            }
        }
        for person in remove {
            if present(*person) && !leaving.contains(person) {
                leaving.push(*person);
            }
        }
        if conversation.archived && !entering.is_empty() {
            return Expected::refused(Code::Archived);
        }
        // In order of identifier, as the box looks at them: the first that will not do is named.
        entering.sort_unstable();
        for who in &entering {
            if self.ward.person(*who).is_none_or(|who| who.suspended) {
                return Expected::refused(Code::NoSuchPerson);
            }
            if conversation.unit.is_some_and(|unit| self.ward.post(*who, unit).is_none()) {
                return Expected::refused(Code::NotOfUnit);
            }
        }
        if self.lobby.disk_scarce && !entering.is_empty() {
            return Expected::refused(Code::DiskLow);
        }
        let mut expected = Expected::answered(Answer::Opened(place));
        let Some(conversation) = self.ward.conversation_mut(place) else { return expected };
        let last = conversation.messages.len() as u64;
        for person in entering {
            conversation.members.retain(|member| member.person != person);
            let member = conversation.newcomer(person, last);
            conversation.members.push(member);
            expected.audits.push((actor, Act::MemberAdded(place, person)));
        }
        for person in &leaving {
            for member in conversation.members.iter_mut().filter(|member| member.person == *person) {
                member.left = true;
            }
            expected.audits.push((actor, Act::MemberLeft(place, *person)));
        }
        if self.ward.member(place, me).is_none() {
            expected.answer = Some(Answer::Done);
        }
        expected
    }
}

fn is_about_passkeys(body: &Body) -> bool {
    matches!(
        body,
        Body::AskPasskeyChallenge(_)
            | Body::AddPasskey(_)
            | Body::UnlockByPasskey(_)
            | Body::RemovePasskey(_)
            | Body::ListPasskeys(_)
    )
}

fn is_coming(body: &Body) -> bool {
    matches!(body, Body::AnswerStat(said) if matches!(said.answer, Some(Says::Coming(_))))
}
