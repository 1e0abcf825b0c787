//! What is recorded, and its form.
//!
//! An entry is CBOR (RFC 8949, core deterministic encoding): an array `[version, index, at, actor, act]`. Entries
//! hold identifiers, never a name, a title or a body, so the log itself can be handed to an auditor. They are made in
//! the turn of the act they record and stored byte for byte, so that a Merkle tree can hash them unchanged.

use minicbor::{Decode, Encode};

use crate::ids::{
    AssignmentId, ConversationId, DeviceId, EmergencyId, EncounterId, ExportId, HoldId, PatientId, PersonId,
    RoleId, Sequence, UnitId,
};
use crate::kept;
use crate::refusal::{PeerFault, Refusal};
use crate::task::Assignee;
use crate::time::Wall;

pub mod looking;
mod parts;

pub use parts::Part;

/// The form above.
pub const VERSION: u8 = 1;

/// One recorded act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// 1, 2, 3 … without gaps.
    #[n(1)]
    pub index: u64,
    /// When the box decided it.
    #[n(2)]
    pub at: Wall,
    /// On whose behalf.
    #[n(3)]
    pub actor: Actor,
    /// What was done.
    #[n(4)]
    pub act: Act,
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Actor {
    /// The box by itself: a time-out, an expiry.
    #[n(0)]
    TheBox,
    /// A person, on a device.
    #[n(1)]
    Person {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// On which device.
        #[n(1)]
        device: DeviceId,
    },
    /// A service of the box, over its local socket.
    #[n(2)]
    Local,
    /// Somebody who has proved nothing.
    #[n(3)]
    Unproven,
}

/// What was done. Appended to, never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[allow(missing_docs, reason = "each variant's name is its sentence; fields are the identifiers it needs")]
pub enum Act {
    #[n(0)]
    PersonAdded(#[n(0)] PersonId),
    #[n(1)]
    PersonSuspended(#[n(0)] PersonId),
    #[n(2)]
    PersonRestored(#[n(0)] PersonId),
    #[n(3)]
    JoinCodeIssued(#[n(0)] PersonId),
    #[n(4)]
    JoinCodeExpired(#[n(0)] PersonId),
    /// Whose, which, and who issued the code; nobody: the local service.
    #[n(5)]
    DeviceJoined(#[n(0)] PersonId, #[n(1)] DeviceId, #[n(2)] Option<PersonId>),
    #[n(6)]
    DeviceRevoked(#[n(0)] DeviceId),
    #[n(7)]
    SignedIn,
    #[n(8)]
    SessionLocked(#[n(0)] DeviceId),
    #[n(9)]
    PinWrong(#[n(0)] u32),
    #[n(10)]
    PinLockedOut,
    #[n(11)]
    SignInRefused(#[n(0)] DeviceId, #[n(1)] u32),
    #[n(12)]
    ConversationOpened(#[n(0)] ConversationId),
    #[n(13)]
    ConversationPurged(#[n(0)] ConversationId),
    #[n(14)]
    MemberAdded(#[n(0)] ConversationId, #[n(1)] PersonId),
    #[n(15)]
    MemberLeft(#[n(0)] ConversationId, #[n(1)] PersonId),
    #[n(16)]
    MessageAccepted(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(17)]
    MessagesRead(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(18)]
    HistoryRead(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(19)]
    MessagesExpired(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(20)]
    PeerFault(#[n(0)] DeviceId, #[n(1)] u32),
    #[n(21)]
    DevicesListed(#[n(0)] PersonId),
    /// Its person, or whoever issued it, was suspended.
    #[n(22)]
    JoinCodeWithdrawn(#[n(0)] PersonId),
    /// Asked for what is not this person's to ask, by the refusal's code on the wire.
    #[n(23)]
    RequestRefused(#[n(0)] u32),
    #[n(24)]
    UnitAdded(#[n(0)] UnitId),
    #[n(25)]
    UnitRenamed(#[n(0)] UnitId),
    /// Whose, where, and as what: 0 nothing any more, else [`crate::directory::Post`]'s number.
    #[n(26)]
    PostSet(#[n(0)] PersonId, #[n(1)] UnitId, #[n(2)] u32),
    /// Whose, and the sum of 1 for an administrator and 2 for a privacy officer.
    #[n(27)]
    DutiesSet(#[n(0)] PersonId, #[n(1)] u32),
    #[n(28)]
    ConversationRenamed(#[n(0)] ConversationId),
    #[n(29)]
    ConversationArchived(#[n(0)] ConversationId),
    #[n(30)]
    ConversationReopened(#[n(0)] ConversationId),
    #[n(31)]
    StatOpened(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// The step that began, from 0.
    #[n(32)]
    StatStep(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(33)]
    StatHeld(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(34)]
    StatHoldEnded(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(35)]
    StatAccepted(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// With [`crate::escalation::Reason`]'s number.
    #[n(36)]
    StatDeclined(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(37)]
    StatHandedBack(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// Who was reached by telephone, and 1 where they repeated what they were told.
    #[n(38)]
    StatNoted(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] Option<PersonId>, #[n(3)] u32),
    #[n(39)]
    StatClosed(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// Whoever had it may not sign in any more.
    #[n(40)]
    StatResumed(#[n(0)] ConversationId, #[n(1)] Sequence),
    #[n(41)]
    StatRead(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// Of a unit, or of the facility.
    #[n(42)]
    EscalationPolicySet(#[n(0)] Option<UnitId>),
    #[n(43)]
    StationAdded(#[n(0)] PersonId, #[n(1)] UnitId),
    #[n(60)]
    PatientAdded(#[n(0)] PatientId),
    #[n(61)]
    PatientUpdated(#[n(0)] PatientId),
    /// Which stay, of whom, where.
    #[n(62)]
    PatientAdmitted(#[n(0)] EncounterId, #[n(1)] PatientId, #[n(2)] UnitId),
    /// To which unit; the same one for another bed.
    #[n(63)]
    PatientTransferred(#[n(0)] EncounterId, #[n(1)] UnitId),
    #[n(64)]
    LeaveBegan(#[n(0)] EncounterId),
    #[n(65)]
    LeaveEnded(#[n(0)] EncounterId),
    #[n(66)]
    PatientDischarged(#[n(0)] EncounterId),
    #[n(67)]
    ThreadClosed(#[n(0)] EncounterId),
    #[n(68)]
    EncounterFiled(#[n(0)] EncounterId),
    #[n(69)]
    AttendingSet(#[n(0)] EncounterId, #[n(1)] Option<PersonId>),
    /// By hand.
    #[n(70)]
    CareTeamJoined(#[n(0)] EncounterId, #[n(1)] PersonId),
    /// By hand, or because its time was over.
    #[n(71)]
    CareTeamLeft(#[n(0)] EncounterId, #[n(1)] PersonId),
    /// Which, whose, where.
    #[n(72)]
    AssignmentTaken(#[n(0)] AssignmentId, #[n(1)] PersonId, #[n(2)] UnitId),
    #[n(73)]
    AssignmentEnded(#[n(0)] AssignmentId, #[n(1)] PersonId),
    #[n(74)]
    PatientsListed(#[n(0)] UnitId),
    /// Which, and whose.
    #[n(75)]
    RoleSet(#[n(0)] RoleId, #[n(1)] UnitId),
    /// Which, by whom, and in which place.
    #[n(76)]
    RoleTaken(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] u32),
    /// Which, and in which place: the rota says again who holds it.
    #[n(77)]
    RoleReturned(#[n(0)] RoleId, #[n(1)] u32),
    /// Which, to whose thread; the actor is who came in.
    #[n(78)]
    EmergencyBegan(#[n(0)] EmergencyId, #[n(1)] EncounterId),
    #[n(79)]
    EmergencyEnded(#[n(0)] EmergencyId),
    /// What was found: 1 justified, 2 not, 3 nobody looked in time.
    #[n(80)]
    EmergencyReviewed(#[n(0)] EmergencyId, #[n(1)] u32),
    /// A page of them was read, which names patients.
    #[n(81)]
    EmergenciesListed,
    /// Which, and on what: the sort and the identifier of [`crate::hold::Subject::numbers`].
    #[n(150)]
    HoldPlaced(#[n(0)] HoldId, #[n(1)] u32, #[n(2)] u64),
    #[n(151)]
    HoldLifted(#[n(0)] HoldId),
    /// A page of them was read, which names patients.
    #[n(152)]
    HoldsListed,
    /// Hours that messages are kept: of direct conversations, groups, channels, patients' threads.
    #[n(153)]
    RetentionSet(#[n(0)] u32, #[n(1)] u32, #[n(2)] u32, #[n(3)] u32),
    #[n(140)]
    PatientRestricted(#[n(0)] PatientId),
    #[n(141)]
    PatientUnrestricted(#[n(0)] PatientId),
    /// May see who a restricted patient is.
    #[n(142)]
    PatientNamed(#[n(0)] PatientId, #[n(1)] PersonId),
    #[n(143)]
    PatientUnnamed(#[n(0)] PatientId, #[n(1)] PersonId),
    /// Breaking the glass to a restricted patient waits for a second person.
    #[n(144)]
    EmergencyAsked(#[n(0)] EmergencyId, #[n(1)] EncounterId),
    #[n(145)]
    EmergencyWithdrawn(#[n(0)] EmergencyId),
    /// The actor is the second person.
    #[n(146)]
    EmergencyCountersigned(#[n(0)] EmergencyId),
    /// Which record into which.
    #[n(220)]
    RecordsMerged(#[n(0)] PatientId, #[n(1)] PatientId),
    #[n(221)]
    RecordsUnmerged(#[n(0)] PatientId, #[n(1)] PatientId),
    /// What a merge or an un-merge of them would do was read, which names the patient.
    #[n(222)]
    MergeLookedAt(#[n(0)] PatientId, #[n(1)] PatientId),
    /// People and patients were searched: with how many terms, never which, and how many patients were shown.
    #[n(223)]
    LookedUp(#[n(0)] u32, #[n(1)] u32),
    /// With how many terms, never which, and where, if in one conversation alone.
    #[n(90)]
    Searched(#[n(0)] u32, #[n(1)] Option<ConversationId>),
    /// And the how many-eth edit of it, from 1.
    #[n(110)]
    MessageEdited(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(111)]
    MessageRecalled(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// To which message, and what: the wire's number.
    #[n(160)]
    ReactionGiven(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(161)]
    ReactionTakenBack(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    /// About which message, and to whom.
    #[n(280)]
    TaskGiven(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] Assignee),
    #[n(281)]
    TaskReassigned(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] Assignee),
    /// How it stands since then: 2 taken, 3 declined, 4 done, 5 withdrawn; by the box, when nobody was left.
    #[n(282)]
    TaskAnswered(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    /// It was not done in time.
    #[n(283)]
    TaskOverdue(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// An order by text.
    #[n(290)]
    OrderGiven(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// By which later one it is corrected or cancelled.
    #[n(291)]
    OrderReplaced(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] Sequence),
    /// In which message.
    #[n(292)]
    OrderReadBack(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] Sequence),
    /// 1: the read-back is right.
    #[n(293)]
    OrderAnswered(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    #[n(294)]
    OrderFiled(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// Of which unit, none: the facility; and how many roles.
    #[n(295)]
    OrderPolicySet(#[n(0)] Option<UnitId>, #[n(1)] u32),
    /// Who, until when, and who covers.
    #[n(320)]
    UndisturbedSet(#[n(0)] PersonId, #[n(1)] Wall, #[n(2)] Option<PersonId>),
    /// By themselves, or by time.
    #[n(321)]
    UndisturbedEnded(#[n(0)] PersonId),
    /// For whom, and who covered.
    #[n(322)]
    CoverEnded(#[n(0)] PersonId, #[n(1)] PersonId),
    /// Of whom, and how many stretches.
    #[n(323)]
    QuietHoursSet(#[n(0)] PersonId, #[n(1)] u32),
    /// Of whom, and whether there is one.
    #[n(324)]
    OffSiteNumberSet(#[n(0)] PersonId, #[n(1)] u32),
    /// Of whom.
    #[n(325)]
    AvailabilityCleared(#[n(0)] PersonId),
    /// Whether a STAT rings for the cover instead.
    #[n(326)]
    CoverPolicySet(#[n(0)] u32),
    /// Of a STAT.
    #[n(327)]
    OffSiteNumbersShown(#[n(0)] ConversationId, #[n(1)] Sequence),
    /// Of a unit, or of the facility.
    #[n(162)]
    TemplatesSet(#[n(0)] Option<UnitId>),
    /// Somebody writes to a role.
    #[n(300)]
    InboxOpened(#[n(0)] ConversationId, #[n(1)] RoleId),
    /// And again.
    #[n(301)]
    InboxReopened(#[n(0)] ConversationId),
    /// What was asked of a role is done.
    #[n(302)]
    InboxFinished(#[n(0)] ConversationId),
    /// Nobody will hold a role from then on, for a time.
    #[n(303)]
    RoleGapFlagged(#[n(0)] RoleId, #[n(1)] Wall),
    /// Who may announce to the facility: 1, or may no more: 0.
    #[n(305)]
    AnnouncerSet(#[n(0)] PersonId, #[n(1)] u32),
    /// Whether a unit's announcements, and the facility's, may be urgent.
    #[n(306)]
    BroadcastPolicySet(#[n(0)] u32, #[n(1)] u32),
    /// Which, by whom, to whom, and which place. So are those below.
    #[n(120)]
    RoleOffered(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    /// It passed.
    #[n(121)]
    RoleHandedOver(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    #[n(122)]
    RoleOfferDeclined(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    #[n(123)]
    RoleOfferWithdrawn(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    #[n(124)]
    RoleOfferExpired(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    /// By a newer one of the same place, or because somebody else holds it.
    #[n(125)]
    RoleOfferSuperseded(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    /// One of the two is suspended, reviews others, or works there no more.
    #[n(126)]
    RoleOfferEnded(#[n(0)] RoleId, #[n(1)] PersonId, #[n(2)] PersonId, #[n(3)] u32),
    /// Whose role passed while it rang, and to whom.
    #[n(127)]
    StatPassed(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] PersonId, #[n(3)] PersonId),
    /// Somebody new from an agency, and where.
    #[n(130)]
    AgencyAdmitted(#[n(0)] PersonId, #[n(1)] UnitId),
    /// Somebody who was here before, and where.
    #[n(131)]
    AgencyReturned(#[n(0)] PersonId, #[n(1)] UnitId),
    /// Who stays longer; the first time is 1.
    #[n(132)]
    AgencyExtended(#[n(0)] PersonId, #[n(1)] u32),
    /// At the end that was set, or before it.
    #[n(133)]
    AgencyEnded(#[n(0)] PersonId),
    /// Which, and whose: they stay longer.
    #[n(134)]
    AssignmentProlonged(#[n(0)] AssignmentId, #[n(1)] PersonId),
    /// An administrator, of a charge nurse's suspension.
    #[n(135)]
    SuspensionConfirmed(#[n(0)] PersonId),
    #[n(136)]
    SuspensionReversed(#[n(0)] PersonId),
    /// No administrator has decided in time: they stay out.
    #[n(137)]
    SuspensionOverdue(#[n(0)] PersonId),
    /// A patient lets family write; does so no more.
    #[n(240)]
    FamilyConsented(#[n(0)] EncounterId),
    #[n(241)]
    FamilyConsentEnded(#[n(0)] EncounterId),
    /// Somebody is not to be let in to a patient; one of them may be again.
    #[n(242)]
    FamilyBlocked(#[n(0)] PatientId),
    #[n(243)]
    FamilyUnblocked(#[n(0)] PatientId),
    #[n(244)]
    BedsideCodeIssued(#[n(0)] EncounterId),
    /// By hand, or with a move or an end.
    #[n(245)]
    BedsideCodeEnded(#[n(0)] EncounterId),
    /// By which device, at whose bed; the actor has proved nothing but a key.
    #[n(246)]
    VisitAsked(#[n(0)] DeviceId, #[n(1)] EncounterId),
    #[n(247)]
    VisitDeclined(#[n(0)] DeviceId, #[n(1)] EncounterId),
    /// Nobody has answered in time, or the stay or the consent ended.
    #[n(248)]
    VisitForgotten(#[n(0)] DeviceId),
    /// Who, on which device, to whose stay.
    #[n(249)]
    VisitorLetIn(#[n(0)] PersonId, #[n(1)] DeviceId, #[n(2)] EncounterId),
    #[n(250)]
    VisitProlonged(#[n(0)] PersonId),
    #[n(251)]
    VisitEnded(#[n(0)] PersonId),
    #[n(252)]
    FamilyThreadOpened(#[n(0)] ConversationId, #[n(1)] EncounterId),
    /// Consent, block list, requests and visitors of a stay were looked at.
    #[n(253)]
    FamilyListed(#[n(0)] EncounterId),
    /// With how many shifts of a calendar.
    #[n(200)]
    RotaImported(#[n(0)] RoleId, #[n(1)] u32),
    #[n(201)]
    RoleRetired(#[n(0)] RoleId),
    /// What rings for this role rings for whoever holds it now.
    #[n(202)]
    StatFollowed(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] RoleId),
    /// Where a file is to be said, its type by [`crate::attachment::Media::number`], and its bytes.
    #[n(180)]
    UploadBegun(#[n(0)] ConversationId, #[n(1)] u32, #[n(2)] u64),
    /// It is there whole.
    #[n(181)]
    UploadFinished(#[n(0)] ConversationId),
    /// No message had it in time, or its sender may send it no more.
    #[n(182)]
    UploadDropped(#[n(0)] ConversationId),
    /// A message has so many files.
    #[n(183)]
    AttachmentsSent(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32),
    /// The how many-eth of a message's, from 0; 1: the small picture of it alone.
    #[n(184)]
    AttachmentOpened(#[n(0)] ConversationId, #[n(1)] Sequence, #[n(2)] u32, #[n(3)] u32),
    /// Bytes: of photos, documents, audio notes.
    #[n(185)]
    AttachmentPolicySet(#[n(0)] u32, #[n(1)] u32, #[n(2)] u32),
    /// For whom, who has locked a device.
    #[n(340)]
    PinCodeIssued(#[n(0)] PersonId),
    /// On a locked device: the how many-eth for one that was given.
    #[n(341)]
    PinCodeWrong(#[n(0)] u32),
    /// Whose, which, and who issued the code; nobody: the local service. It has another PIN.
    #[n(342)]
    PinCleared(#[n(0)] PersonId, #[n(1)] DeviceId, #[n(2)] Option<PersonId>),
    /// An export of a record began: which, and of what, as of [`crate::hold::Subject::numbers`].
    #[n(343)]
    ExportBegun(#[n(0)] ExportId, #[n(1)] u32, #[n(2)] u64),
    /// Messages behind this one were given to it.
    #[n(344)]
    ExportRead(#[n(0)] ExportId, #[n(1)] ConversationId, #[n(2)] Sequence),
    /// The how many-eth file of a message, from 0, was given to it.
    #[n(345)]
    ExportFileOpened(#[n(0)] ExportId, #[n(1)] ConversationId, #[n(2)] Sequence, #[n(3)] u32),
    /// It is whole: SHA-256 of what says what is there, as four numbers, the first eight bytes first.
    #[n(346)]
    ExportFinished(#[n(0)] ExportId, #[n(1)] [u64; 4]),
    /// Whose, and which: somebody else holds a copy of its key and login secret. It is revoked.
    #[n(350)]
    DeviceCopied(#[n(0)] PersonId, #[n(1)] DeviceId),
    /// Whose, and on which device: the PIN's place may be taken by one more passkey.
    #[n(360)]
    PasskeyAdded(#[n(0)] PersonId, #[n(1)] DeviceId),
    #[n(361)]
    PasskeyRemoved(#[n(0)] PersonId, #[n(1)] DeviceId),
    /// A session was opened by a passkey of this device.
    #[n(362)]
    UnlockedByPasskey(#[n(0)] DeviceId),
    /// What was offered as a passkey of this device does not verify.
    #[n(363)]
    PasskeyWrong(#[n(0)] DeviceId),
    /// Of which unit, how many pages, before the first leaves.
    #[n(370)]
    SheetPrinted(#[n(0)] UnitId, #[n(1)] u32),
    /// A page of this log was read: about whom, where that was said.
    #[n(371)]
    AuditRead(#[n(0)] Option<PersonId>, #[n(1)] Option<PatientId>),
    /// For the names that people type: a key was asked for, and a request.
    #[n(410)]
    WebCertificateRequested,
    #[n(411)]
    WebCertificateImported,
    #[n(412)]
    WebCertificateDropped,
    /// Whose closed app can be rung, and on which device: where, is nobody's to read.
    #[n(390)]
    BellSet(#[n(0)] PersonId, #[n(1)] DeviceId),
    #[n(391)]
    BellCleared(#[n(0)] PersonId, #[n(1)] DeviceId),
    /// Whether the facility has bells on: 1 or 0.
    #[n(392)]
    BellPolicySet(#[n(0)] u32),
    /// Whom alarms of the box are told: whoever holds this role.
    #[n(400)]
    AlarmRoleSet(#[n(0)] Option<RoleId>),
    /// One was told: its kind, and how bad it is.
    #[n(401)]
    AlarmTold(#[n(0)] u32, #[n(1)] u32),
    /// One stands no more.
    #[n(402)]
    AlarmOver(#[n(0)] u32),
    /// Figures on STATs were read: of this unit, or of all.
    #[n(260)]
    StatLoadRead(#[n(0)] Option<UnitId>),
}

impl Act {
    /// A sign-in that was refused, by the refusal's code on the wire.
    pub(crate) fn sign_in_refused(device: DeviceId, refusal: Refusal) -> Self {
        Self::SignInRefused(device, refusal.code() as u32)
    }

    /// A fault of a proven or claimed device, by its close code.
    pub(crate) fn peer_fault(device: DeviceId, fault: PeerFault) -> Self {
        Self::PeerFault(device, fault.code().0)
    }
}

impl Entry {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// The entry behind stored bytes. Bytes that are not the canonical form of an entry are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        kept::canonical(bytes)
    }
}
