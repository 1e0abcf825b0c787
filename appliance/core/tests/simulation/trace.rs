//! What a history leaves behind: a hash that tells two histories apart, and words for a reader.

use std::fmt::Write as _;

use wardline_core::wire::proto;

use crate::world::World;

/// What happened, as a hash, and in words when somebody wants to read it.
pub(crate) struct Trace {
    pub(crate) hash: u64,
    words: Option<String>,
}

impl std::fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(words) = &mut self.words {
            words.push_str(text);
        }
        Ok(())
    }
}

impl Trace {
    pub(crate) fn new(readable: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, words: readable.then(String::new) }
    }

    pub(crate) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.write_fmt(what).expect("writing into memory");
        self.write_str("\n").expect("writing into memory");
    }

    pub(crate) fn words(&self) -> &str {
        self.words.as_deref().unwrap_or_default()
    }
}

macro_rules! note {
    ($world:expr, $($what:tt)*) => { $world.trace.note(format_args!($($what)*)) };
}
pub(crate) use note;

impl World {
    /// What a client is shown, with the change that its cursor then says.
    pub(crate) fn note_frame(&mut self, index: usize, frame: &proto::ServerFrame) {
        use proto::event::Kind;
        use proto::server_frame::Body;
        let name = &self.clients[index].name;
        let at = |cursor: &[u8]| {
            <[u8; 16]>::try_from(cursor).ok().and_then(|c| self.cursors.get(&c)).map(|c| c.1.0)
        };
        match &frame.body {
            Some(Body::Delivery(delivery)) => {
                let at = at(&delivery.cursor);
                match delivery.event.as_ref().and_then(|event| event.kind.as_ref()) {
                    Some(Kind::Message(m)) => {
                        note!(self, "{name} <- {at:?} {:016x} {}", m.conversation, m.sequence)
                    }
                    Some(Kind::MessageChanged(m)) => {
                        let (place, sequence) = (m.conversation, m.sequence);
                        note!(self, "{name} <- {at:?} {place:016x} {sequence} changed, {}", m.edits)
                    }
                    Some(Kind::Conversation(c)) => {
                        note!(self, "{name} <- {at:?} {:016x} from {}", c.conversation, c.first_sequence);
                    }
                    Some(Kind::Gone(gone)) => note!(self, "{name} <- {at:?} {:016x} gone", gone.conversation),
                    _ => {}
                }
            }
            Some(Body::SyncStarted(s)) => note!(self, "{name} <- sync, snapshot {}", s.snapshot),
            Some(Body::Synced(s)) => note!(self, "{name} <- synced at {:?}", at(&s.cursor)),
            Some(Body::Accepted(a)) => {
                note!(self, "{name} <- {:?} accepted {:016x} {}", at(&a.cursor), a.conversation, a.sequence)
            }
            _ => {}
        }
    }
}

/// A frame's kind, for the trace.
pub(crate) fn name_of(body: &proto::client_frame::Body) -> &'static str {
    use proto::client_frame::Body;
    match body {
        Body::Hello(_) => "hello",
        Body::Join(_) => "join",
        Body::Prove(_) => "prove",
        Body::Unlock(_) => "unlock",
        Body::Sync(_) => "sync",
        Body::Submit(_) => "submit",
        Body::Receipt(_) => "receipt",
        Body::History(_) => "history",
        Body::OpenDirect(_) => "open direct",
        Body::OpenGroup(_) => "open group",
        Body::ChangeMembers(_) => "change members",
        Body::ListPeople(_) => "list people",
        Body::Active(_) => "active",
        Body::Lock(_) => "lock",
        Body::AskPasskeyChallenge(_) => "ask for a passkey's challenge",
        Body::AddPasskey(_) => "add a passkey",
        Body::UnlockByPasskey(_) => "unlock by passkey",
        Body::RemovePasskey(_) => "remove a passkey",
        Body::ListPasskeys(_) => "list passkeys",
        Body::AskBell(_) => "ask for the bell",
        Body::SetBell(_) => "set a bell",
        Body::ClearBell(_) => "clear a bell",
        Body::SetBellPolicy(_) => "turn bells on or off",
        Body::AskAlarms(_) => "ask for alarms",
        Body::SetAlarmRole(_) => "set who is told alarms",
        Body::Echo(_) => "echo",
        Body::AddPerson(_) => "add person",
        Body::IssueJoinCode(_) => "issue join code",
        Body::RevokeDevice(_) => "revoke device",
        Body::SetStanding(_) => "set standing",
        Body::PurgeConversation(_) => "purge conversation",
        Body::ListDevices(_) => "list devices",
        Body::OpenChannel(_) => "open channel",
        Body::JoinChannel(_) => "join channel",
        Body::ListChannels(_) => "list channels",
        Body::ListAllChannels(_) => "list all channels",
        Body::Rename(_) => "rename",
        Body::Archive(_) => "archive",
        Body::ListUnits(_) => "list units",
        Body::SetPost(_) => "set post",
        Body::SetUnit(_) => "set unit",
        Body::SetDuties(_) => "set duties",
        Body::Here(_) => "here",
        Body::AskProspect(_) => "ask prospect",
        Body::AnswerStat(_) => "answer stat",
        Body::ReadStat(_) => "read stat",
        Body::SetEscalation(_) => "set escalation",
        Body::AskStatLoad(_) => "ask stat load",
        Body::ListEscalation(_) => "list escalation",
        Body::SetRole(_) => "set role",
        Body::ReadRota(_) => "read rota",
        Body::ImportRota(_) => "import rota",
        Body::RetireRole(_) => "retire role",
        Body::OfferRole(_) => "offer role",
        Body::AnswerOffer(_) => "answer offer",
        Body::ListOffers(_) => "list offers",
        Body::TakeRole(_) => "take role",
        Body::ReturnRole(_) => "return role",
        Body::ListRoles(_) => "list roles",
        Body::AddStation(_) => "add station",
        Body::Admit(_) => "admit",
        Body::Transfer(_) => "transfer",
        Body::SetLeave(_) => "set leave",
        Body::Discharge(_) => "discharge",
        Body::UpdatePatient(_) => "update patient",
        Body::ChangeCareTeam(_) => "change care team",
        Body::TakeAssignment(_) => "take assignment",
        Body::EndAssignment(_) => "end assignment",
        Body::ListPatients(_) => "list patients",
        Body::EditMessage(_) => "edit message",
        Body::RecallMessage(_) => "recall message",
        Body::React(_) => "react",
        Body::AnswerOrder(_) => "answer order",
        Body::FileOrder(_) => "file order",
        Body::ListOrders(_) => "list orders",
        Body::SetOrderPolicy(_) => "set order policy",
        Body::ListOrderPolicies(_) => "list order policies",
        Body::GiveTask(_) => "give task",
        Body::AnswerTask(_) => "answer task",
        Body::ReassignTask(_) => "reassign task",
        Body::ListTasks(_) => "list tasks",
        Body::SetAvailability(_) => "set availability",
        Body::RefuseCover(_) => "refuse cover",
        Body::AskAvailability(_) => "ask availability",
        Body::AskNumbers(_) => "ask numbers",
        Body::SetCoverPolicy(_) => "set cover policy",
        Body::ClearPin(_) => "clear pin",
        Body::SetTemplates(_) => "set templates",
        Body::ListTemplates(_) => "list templates",
        Body::OpenRoleInbox(_) => "write to a role",
        Body::LookAtRoleInbox(_) => "look at a role's inbox",
        Body::FinishRoleInbox(_) => "what was asked of a role is done",
        Body::OpenBroadcast(_) => "open announcements",
        Body::LookAtBroadcast(_) => "look who has read an announcement",
        Body::ListBroadcasts(_) => "list announcements",
        Body::SetAnnouncer(_) => "say who announces",
        Body::SetBroadcastPolicy(_) => "say how urgently",
        Body::BreakGlass(_) => "break glass",
        Body::Restrict(_) => "restrict",
        Body::MergeRecords(_) => "merge records",
        Body::LookUp(_) => "look up",
        Body::UnmergeRecords(_) => "unmerge records",
        Body::LiftRestriction(_) => "lift restriction",
        Body::LookAtRequest(_) => "look at request",
        Body::Countersign(_) => "countersign",
        Body::EndEmergency(_) => "end emergency",
        Body::ListEmergencies(_) => "list emergencies",
        Body::ReviewEmergency(_) => "review emergency",
        Body::ListBeds(_) => "list beds",
        Body::PlaceHold(_) => "place hold",
        Body::LiftHold(_) => "lift hold",
        Body::ListHolds(_) => "list holds",
        Body::BeginExport(_) => "begin export",
        Body::RecordPrint(_) => "record print",
        Body::ReadAudit(_) => "read audit",
        Body::AskHealth(_) => "ask health",
        Body::AskWebCertificate(_) => "ask web certificate",
        Body::RequestWebCertificate(_) => "request web certificate",
        Body::ImportWebCertificate(_) => "import web certificate",
        Body::DropWebCertificate(_) => "drop web certificate",
        Body::ListExport(_) => "list export",
        Body::ReadExport(_) => "read export",
        Body::OpenExportFile(_) => "open export file",
        Body::FinishExport(_) => "finish export",
        Body::SetRetention(_) => "set retention",
        Body::ListRetention(_) => "list retention",
        Body::PreviewRetention(_) => "preview retention",
        Body::Search(_) => "search",
        Body::BeginUpload(_) => "begin upload",
        Body::FinishUpload(_) => "finish upload",
        Body::OpenAttachment(_) => "open attachment",
        Body::SetAttachmentPolicy(_) => "set attachment policy",
        Body::ListAttachmentPolicy(_) => "list attachment policy",
        Body::AdmitAgency(_) => "admit from an agency",
        Body::ExtendAgency(_) => "extend an agency's time",
        Body::EndAgency(_) => "end an agency's time",
        Body::ListAgency(_) => "list agency staff",
        Body::Suspend(_) => "suspend",
        Body::DecideSuspension(_) => "decide a suspension",
        Body::ListSuspensions(_) => "list suspensions",
        Body::AskToVisit(_) => "ask to visit",
        Body::SetFamilyConsent(_) => "set a consent to family",
        Body::SetFamilyBlock(_) => "set a family block",
        Body::IssueBedsideCode(_) => "issue a bedside code",
        Body::ListFamily(_) => "list a family",
        Body::AnswerVisit(_) => "answer a visit",
        Body::EndVisit(_) => "end a visit",
        Body::ProlongVisit(_) => "prolong a visit",
        Body::EndFamilyThread(_) => "end a family thread",
        Body::SubmitSealed(_) => "submit sealed",
    }
}
