//! An act taken apart: what it was done to, each by its kind, for whoever reads the log.

use crate::audit::Act;
use crate::hold::Subject;
use crate::ids::{
    AssignmentId, ConversationId, DeviceId, EmergencyId, EncounterId, ExportId, HoldId, PatientId, PersonId,
    RoleId, Sequence, UnitId,
};
use crate::task::Assignee;
use crate::time::Wall;
use crate::wire::proto::{self, audit_part::Part as Wire};

/// One field of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's name is its sentence")]
pub enum Part {
    Person(PersonId),
    Device(DeviceId),
    Unit(UnitId),
    Role(RoleId),
    Patient(PatientId),
    /// A stay.
    Encounter(EncounterId),
    Conversation(ConversationId),
    /// Of a message.
    Sequence(Sequence),
    /// An assignment, an emergency access, a hold, an export.
    Thing(u64),
    At(Wall),
    Number(u64),
    /// Nothing where there may be something.
    None,
}

impl From<PersonId> for Part {
    fn from(id: PersonId) -> Self {
        Self::Person(id)
    }
}

impl From<DeviceId> for Part {
    fn from(id: DeviceId) -> Self {
        Self::Device(id)
    }
}

impl From<UnitId> for Part {
    fn from(id: UnitId) -> Self {
        Self::Unit(id)
    }
}

impl From<RoleId> for Part {
    fn from(id: RoleId) -> Self {
        Self::Role(id)
    }
}

impl From<PatientId> for Part {
    fn from(id: PatientId) -> Self {
        Self::Patient(id)
    }
}

impl From<EncounterId> for Part {
    fn from(id: EncounterId) -> Self {
        Self::Encounter(id)
    }
}

impl From<ConversationId> for Part {
    fn from(id: ConversationId) -> Self {
        Self::Conversation(id)
    }
}

macro_rules! things {
    ($($name:ident),*) => {$(
        impl From<$name> for Part {
            fn from(id: $name) -> Self {
                Self::Thing(id.value())
            }
        }
    )*};
}

things!(AssignmentId, EmergencyId, HoldId, ExportId);

impl From<Sequence> for Part {
    fn from(sequence: Sequence) -> Self {
        Self::Sequence(sequence)
    }
}

impl From<Wall> for Part {
    fn from(at: Wall) -> Self {
        Self::At(at)
    }
}

impl From<u32> for Part {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Part {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Assignee> for Part {
    fn from(whose: Assignee) -> Self {
        match whose {
            Assignee::Person(person) => Self::Person(person),
            Assignee::Role(role) => Self::Role(role),
        }
    }
}

impl From<Subject> for Part {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Person(person) => Self::Person(person),
            Subject::Patient(patient) => Self::Patient(patient),
            Subject::Conversation(conversation) => Self::Conversation(conversation),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Part {
    fn from(there: Option<T>) -> Self {
        there.map_or(Self::None, Into::into)
    }
}

impl Part {
    /// As clients see it.
    pub fn to_wire(self) -> proto::AuditPart {
        let part = match self {
            Self::Person(id) => Wire::Person(id.value()),
            Self::Device(id) => Wire::Device(id.value()),
            Self::Unit(id) => Wire::Unit(id.value()),
            Self::Role(id) => Wire::Role(id.value()),
            Self::Patient(id) => Wire::Patient(id.value()),
            Self::Encounter(id) => Wire::Encounter(id.value()),
            Self::Conversation(id) => Wire::Conversation(id.value()),
            Self::Sequence(sequence) => Wire::Sequence(sequence.0),
            Self::Thing(id) => Wire::Thing(id),
            Self::At(at) => Wire::At(at.0),
            Self::Number(number) => Wire::Number(number),
            Self::None => Wire::None(true),
        };
        proto::AuditPart { part: Some(part) }
    }
}

impl Act {
    /// Its number in the form of an entry, which is its number on the wire, too.
    pub fn number(&self) -> u32 {
        let bytes = crate::kept::to_bytes(self);
        let mut decoder = minicbor::Decoder::new(&bytes);
        // An enum is an array: its number first.
        decoder.array().and_then(|_| decoder.u32()).unwrap_or_default()
    }

    /// What it was done to, in the order of its fields. A hash has no place here: nobody reads it.
    pub fn parts(&self) -> Vec<Part> {
        match *self {
            Self::HoldPlaced(a, sort, id) => vec![a.into(), Subject::from_numbers(sort, id).into()],
            Self::ExportBegun(a, sort, id) => vec![a.into(), Subject::from_numbers(sort, id).into()],
            Self::ExportFinished(a, _) => vec![a.into()],
            Self::PersonAdded(a)
            | Self::PersonSuspended(a)
            | Self::PersonRestored(a)
            | Self::JoinCodeIssued(a)
            | Self::JoinCodeExpired(a)
            | Self::DevicesListed(a)
            | Self::JoinCodeWithdrawn(a)
            | Self::UndisturbedEnded(a)
            | Self::AvailabilityCleared(a)
            | Self::AgencyEnded(a)
            | Self::SuspensionConfirmed(a)
            | Self::SuspensionReversed(a)
            | Self::SuspensionOverdue(a)
            | Self::VisitProlonged(a)
            | Self::VisitEnded(a)
            | Self::PinCodeIssued(a) => vec![a.into()],
            Self::DeviceJoined(a, b, c) | Self::PinCleared(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::DeviceRevoked(a)
            | Self::SessionLocked(a)
            | Self::VisitForgotten(a)
            | Self::UnlockedByPasskey(a)
            | Self::PasskeyWrong(a) => vec![a.into()],
            Self::SignedIn | Self::PinLockedOut | Self::EmergenciesListed | Self::HoldsListed => Vec::new(),
            Self::WebCertificateRequested | Self::WebCertificateImported | Self::WebCertificateDropped => {
                Vec::new()
            }
            Self::PinWrong(a)
            | Self::RequestRefused(a)
            | Self::CoverPolicySet(a)
            | Self::PinCodeWrong(a)
            | Self::AlarmOver(a)
            | Self::BellPolicySet(a) => {
                vec![a.into()]
            }
            Self::SignInRefused(a, b) | Self::PeerFault(a, b) => vec![a.into(), b.into()],
            Self::AlarmTold(a, b) => vec![a.into(), b.into()],
            Self::AlarmRoleSet(a) => a.map(Into::into).into_iter().collect(),
            Self::ConversationOpened(a)
            | Self::ConversationPurged(a)
            | Self::ConversationRenamed(a)
            | Self::ConversationArchived(a)
            | Self::ConversationReopened(a)
            | Self::InboxReopened(a)
            | Self::InboxFinished(a)
            | Self::UploadFinished(a)
            | Self::UploadDropped(a) => vec![a.into()],
            Self::MemberAdded(a, b) | Self::MemberLeft(a, b) => vec![a.into(), b.into()],
            Self::MessageAccepted(a, b)
            | Self::MessagesRead(a, b)
            | Self::MessagesExpired(a, b)
            | Self::StatOpened(a, b)
            | Self::StatHeld(a, b)
            | Self::StatHoldEnded(a, b)
            | Self::StatAccepted(a, b)
            | Self::StatHandedBack(a, b)
            | Self::StatClosed(a, b)
            | Self::StatResumed(a, b)
            | Self::StatRead(a, b)
            | Self::MessageRecalled(a, b)
            | Self::TaskOverdue(a, b)
            | Self::OrderGiven(a, b)
            | Self::OrderFiled(a, b)
            | Self::OffSiteNumbersShown(a, b) => vec![a.into(), b.into()],
            Self::HistoryRead(a, b, c)
            | Self::StatStep(a, b, c)
            | Self::StatDeclined(a, b, c)
            | Self::MessageEdited(a, b, c)
            | Self::ReactionGiven(a, b, c)
            | Self::ReactionTakenBack(a, b, c)
            | Self::TaskAnswered(a, b, c)
            | Self::OrderAnswered(a, b, c)
            | Self::AttachmentsSent(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::UnitAdded(a) | Self::UnitRenamed(a) | Self::PatientsListed(a) => vec![a.into()],
            Self::PostSet(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::DutiesSet(a, b)
            | Self::QuietHoursSet(a, b)
            | Self::OffSiteNumberSet(a, b)
            | Self::AnnouncerSet(a, b)
            | Self::AgencyExtended(a, b) => vec![a.into(), b.into()],
            Self::StatNoted(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::EscalationPolicySet(a) | Self::TemplatesSet(a) | Self::StatLoadRead(a) => vec![a.into()],
            Self::StationAdded(a, b) | Self::AgencyAdmitted(a, b) | Self::AgencyReturned(a, b) => {
                vec![a.into(), b.into()]
            }
            Self::PatientAdded(a)
            | Self::PatientUpdated(a)
            | Self::PatientRestricted(a)
            | Self::PatientUnrestricted(a)
            | Self::FamilyBlocked(a)
            | Self::FamilyUnblocked(a) => vec![a.into()],
            Self::PatientAdmitted(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::PatientTransferred(a, b) => vec![a.into(), b.into()],
            Self::LeaveBegan(a)
            | Self::LeaveEnded(a)
            | Self::PatientDischarged(a)
            | Self::ThreadClosed(a)
            | Self::EncounterFiled(a)
            | Self::FamilyConsented(a)
            | Self::FamilyConsentEnded(a)
            | Self::BedsideCodeIssued(a)
            | Self::BedsideCodeEnded(a)
            | Self::FamilyListed(a) => vec![a.into()],
            Self::AttendingSet(a, b) => vec![a.into(), b.into()],
            Self::CareTeamJoined(a, b) | Self::CareTeamLeft(a, b) => vec![a.into(), b.into()],
            Self::AssignmentTaken(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::AssignmentEnded(a, b) | Self::AssignmentProlonged(a, b) => vec![a.into(), b.into()],
            Self::RoleSet(a, b) => vec![a.into(), b.into()],
            Self::RoleTaken(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::RoleReturned(a, b) | Self::RotaImported(a, b) => vec![a.into(), b.into()],
            Self::EmergencyBegan(a, b) | Self::EmergencyAsked(a, b) => vec![a.into(), b.into()],
            Self::EmergencyEnded(a) | Self::EmergencyWithdrawn(a) | Self::EmergencyCountersigned(a) => {
                vec![a.into()]
            }
            Self::EmergencyReviewed(a, b) => vec![a.into(), b.into()],
            Self::HoldLifted(a) => vec![a.into()],
            Self::RetentionSet(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::PatientNamed(a, b) | Self::PatientUnnamed(a, b) => vec![a.into(), b.into()],
            Self::RecordsMerged(a, b) | Self::RecordsUnmerged(a, b) | Self::MergeLookedAt(a, b) => {
                vec![a.into(), b.into()]
            }
            Self::LookedUp(a, b) | Self::BroadcastPolicySet(a, b) => vec![a.into(), b.into()],
            Self::Searched(a, b) => vec![a.into(), b.into()],
            Self::TaskGiven(a, b, c) | Self::TaskReassigned(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::OrderReplaced(a, b, c) | Self::OrderReadBack(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::OrderPolicySet(a, b) => vec![a.into(), b.into()],
            Self::UndisturbedSet(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::CoverEnded(a, b) => vec![a.into(), b.into()],
            Self::InboxOpened(a, b) => vec![a.into(), b.into()],
            Self::RoleGapFlagged(a, b) => vec![a.into(), b.into()],
            Self::RoleOffered(a, b, c, d)
            | Self::RoleHandedOver(a, b, c, d)
            | Self::RoleOfferDeclined(a, b, c, d)
            | Self::RoleOfferWithdrawn(a, b, c, d)
            | Self::RoleOfferExpired(a, b, c, d)
            | Self::RoleOfferSuperseded(a, b, c, d)
            | Self::RoleOfferEnded(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::StatPassed(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::VisitAsked(a, b) | Self::VisitDeclined(a, b) => vec![a.into(), b.into()],
            Self::VisitorLetIn(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::FamilyThreadOpened(a, b) => vec![a.into(), b.into()],
            Self::RoleRetired(a) => vec![a.into()],
            Self::StatFollowed(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::UploadBegun(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::AttachmentOpened(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::AttachmentPolicySet(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::ExportRead(a, b, c) => vec![a.into(), b.into(), c.into()],
            Self::ExportFileOpened(a, b, c, d) => vec![a.into(), b.into(), c.into(), d.into()],
            Self::DeviceCopied(a, b)
            | Self::PasskeyAdded(a, b)
            | Self::PasskeyRemoved(a, b)
            | Self::BellSet(a, b)
            | Self::BellCleared(a, b) => {
                vec![a.into(), b.into()]
            }
            Self::SheetPrinted(a, b) => vec![a.into(), b.into()],
            Self::AuditRead(a, b) => vec![a.into(), b.into()],
        }
    }
}
