//! The durable record of a decision. The writes, in order, are the whole truth: applied to an empty store they
//! rebuild the same state. So an id, a time, a key arrives *in* the write; applying one draws nothing and reads no clock.
//!
//! CBOR (RFC 8949) of definite lengths and shortest integers: canonical. Indices are only appended; a test holds frozen bytes.

mod message;
mod numbered;
mod threads;

use minicbor::{Decode, Encode};

use crate::agency::Agency;
use crate::alarm::AlarmWrite;
use crate::alteration::Standing as MessageStanding;
use crate::attachment::{AttachmentPolicy, NewUpload, Sent};
use crate::availability::AvailabilityWrite;
use crate::bell::BellWrite;
use crate::broadcast::BroadcastWrite;
use crate::clinic::{Assignment, CarePlace, Encounter, Patient, Standing};
use crate::conversation::Kind;
use crate::directory::{Device, JoinCode, Person, Post, Unit};
use crate::emergency::{EmergencyAccess, Finding};
use crate::escalation::{Escalation, Reason, Stage, StatId, policy::EscalationPolicy, signed::SignedAnswer};
use crate::family::{BedsideCode, BlockList, Consent, FamilyThread, VisitRequest, Visitor};
use crate::hold::{Hold, Subject};
use crate::ids::*;
use crate::inbox::InboxWrite;
use crate::leaving::Waiting;
use crate::login::LoginSecrets;
use crate::notice::Notice;
use crate::order::{Order, signed::SignedDeed};
use crate::particulars::Bed;
use crate::passkey::Passkey;
use crate::pin::PinMac;
use crate::reaction::Reactions;
use crate::retention::Rules;
use crate::role::Role;
use crate::task::Task;
use crate::template::Templates;
use crate::text::{Grounds, Sealed, Title, WrappedKey};
use crate::time::Wall;
use crate::urgent::UrgentWrite;

pub use message::Message;
pub use numbered::Numbered;

/// One durable change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Write {
    /// A person entered the directory.
    #[n(0)]
    PersonAdded(#[n(0)] Person),
    /// A person was suspended or let in again.
    #[n(1)]
    StandingSet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// May not sign in.
        #[n(1)]
        suspended: bool,
    },
    /// A join code may be redeemed.
    #[n(2)]
    JoinCodeIssued(#[n(0)] JoinCode),
    /// A join code was redeemed or expired.
    #[n(3)]
    JoinCodeEnded {
        /// Its hash.
        #[cbor(n(0), with = "minicbor::bytes")]
        hash: [u8; 32],
    },
    /// A device was enrolled.
    #[n(4)]
    DeviceJoined(#[n(0)] Device),
    /// A device may not sign in any more.
    #[n(5)]
    DeviceRevoked {
        /// Which.
        #[n(0)]
        device: DeviceId,
    },
    /// A PIN is about to be tried, or was right (0).
    #[n(6)]
    PinTries {
        /// Which device.
        #[n(0)]
        device: DeviceId,
        /// Wrong tries, the one under way included.
        #[n(1)]
        tries: u32,
    },
    /// A session opened, by a PIN or, until the end that the PIN set, by a passkey.
    #[n(7)]
    SessionOpened {
        /// Which device.
        #[n(0)]
        device: DeviceId,
        /// When the PIN is due at the latest.
        #[n(1)]
        until: Wall,
    },
    /// A session ended: only a PIN opens the next.
    #[n(8)]
    SessionEnded {
        /// Which device.
        #[n(0)]
        device: DeviceId,
    },
    /// A conversation opened, with nobody in it yet.
    #[n(9)]
    ConversationOpened {
        /// Which.
        #[n(0)]
        conversation: ConversationId,
        /// What sort.
        #[n(1)]
        kind: Kind,
        /// Empty for a direct one.
        #[n(2)]
        title: Title,
        /// Who opened it; nobody's: a patient's thread.
        #[n(3)]
        owner: Option<PersonId>,
        /// When.
        #[n(4)]
        at: Wall,
        /// Whose channel it is.
        #[n(5)]
        unit: Option<UnitId>,
    },
    /// A conversation's key. On its own, so that a copy of the writes can leave keys out.
    #[n(10)]
    KeyGranted {
        /// Whose.
        #[n(0)]
        conversation: ConversationId,
        /// Under the box's wrapping key.
        #[n(1)]
        key: WrappedKey,
    },
    /// A conversation's key is destroyed and its title forgotten: the purge.
    #[n(11)]
    KeyDestroyed {
        /// Whose.
        #[n(0)]
        conversation: ConversationId,
    },
    /// A person is in a conversation, for the first time or again.
    #[n(12)]
    MemberAdded {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Who.
        #[n(1)]
        person: PersonId,
        /// The first message they may read.
        #[n(2)]
        from: Sequence,
        /// Where their watermarks begin; none: in front of `from`. Who enters a channel finds what was said before, and is not
        /// waited for to read it.
        #[n(3)]
        seen: Option<Sequence>,
    },
    /// A person is no longer in a conversation.
    #[n(13)]
    MemberLeft {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Who.
        #[n(1)]
        person: PersonId,
    },
    /// A message took its place.
    #[n(14)]
    MessageAccepted(#[n(0)] Message),
    /// A member's watermarks rose.
    #[n(15)]
    WatermarkMoved {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Whose.
        #[n(1)]
        person: PersonId,
        /// On a device of theirs up to here.
        #[n(2)]
        delivered: Sequence,
        /// Seen up to here.
        #[n(3)]
        read: Sequence,
    },
    /// Messages up to this place are deleted.
    #[n(16)]
    MessagesExpired {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// The last one to go.
        #[n(1)]
        through: Sequence,
    },
    /// An audit entry: canonical bytes under a gap-free index. See [`crate::audit`].
    #[n(17)]
    Audited {
        /// 1, 2, 3 … without gaps.
        #[n(0)]
        index: u64,
        /// [`crate::audit::Entry`], encoded.
        #[cbor(n(1), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// How long the box has served. See [`crate::retention`].
    #[n(18)]
    TimeServed {
        /// Milliseconds in all.
        #[n(0)]
        served_ms: u64,
        /// The wall clock at that moment.
        #[n(1)]
        at: Wall,
    },
    /// A unit is there, or has another name.
    #[n(19)]
    UnitSet(#[n(0)] Unit),
    /// A person's post in a unit begins, changes or ends.
    #[n(20)]
    PostSet {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// Where.
        #[n(1)]
        unit: UnitId,
        /// As what; none: does not work there any more.
        #[n(2)]
        post: Option<Post>,
    },
    /// What a person may do for the facility as a whole.
    #[n(21)]
    DutiesSet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// See [`Person::administrator`].
        #[n(1)]
        administrator: bool,
        /// See [`Person::privacy_officer`].
        #[n(2)]
        privacy_officer: bool,
    },
    /// A conversation has another title.
    #[n(22)]
    TitleSet {
        /// Which.
        #[n(0)]
        conversation: ConversationId,
        /// From now on.
        #[n(1)]
        title: Title,
    },
    /// A conversation was closed, or opened again.
    #[n(23)]
    ArchivedSet {
        /// Which.
        #[n(0)]
        conversation: ConversationId,
        /// Closed.
        #[n(1)]
        archived: bool,
    },
    /// A STAT rings.
    #[n(24)]
    EscalationOpened(#[n(0)] Escalation),
    /// It stands elsewhere now.
    #[n(25)]
    EscalationMoved {
        /// Which.
        #[n(0)]
        id: StatId,
        /// Where.
        #[n(1)]
        stage: Stage,
        /// For whom it rings from this step on, besides those of the steps before.
        #[n(2)]
        rang: Vec<PersonId>,
    },
    /// Somebody cannot take it.
    #[n(26)]
    EscalationDeclined {
        /// Which.
        #[n(0)]
        id: StatId,
        /// Who.
        #[n(1)]
        person: PersonId,
        /// Why.
        #[n(2)]
        reason: Reason,
        /// At which step, if it had not rung for them before.
        #[n(3)]
        step: u8,
    },
    /// How a unit escalates, or the facility where no unit's policy says otherwise.
    #[n(27)]
    EscalationPolicySet {
        /// Whose; none: the facility's.
        #[n(0)]
        unit: Option<UnitId>,
        /// As what; none: as if it had never been set.
        #[n(1)]
        policy: Option<EscalationPolicy>,
    },
    /// A device signed what is done to a STAT next.
    #[n(330)]
    StatAnswered(#[n(0)] Box<SignedAnswer>),
    /// A patient is there, or has other particulars.
    #[n(40)]
    PatientSet {
        /// As they are from now on.
        #[n(0)]
        patient: Patient,
        /// A thread that shows it; when several do, each comes with a write of its own.
        #[n(1)]
        thread: Option<ConversationId>,
    },
    /// A patient is admitted, into a thread that is open and empty.
    #[n(41)]
    EncounterOpened(#[n(0)] Encounter),
    /// A patient lies elsewhere.
    #[n(42)]
    EncounterMoved {
        /// Whose.
        #[n(0)]
        encounter: EncounterId,
        /// The thread that shows it.
        #[n(1)]
        thread: ConversationId,
        /// Where.
        #[n(2)]
        unit: UnitId,
        /// In which bed.
        #[n(3)]
        bed: Bed,
    },
    /// A patient goes on leave, comes back, or is discharged.
    #[n(43)]
    EncounterStanding {
        /// Whose.
        #[n(0)]
        encounter: EncounterId,
        /// The thread that shows it.
        #[n(1)]
        thread: ConversationId,
        /// From now on.
        #[n(2)]
        standing: Standing,
    },
    /// Another attending, or none.
    #[n(44)]
    AttendingSet {
        /// Whose.
        #[n(0)]
        encounter: EncounterId,
        /// The thread that shows it.
        #[n(1)]
        thread: ConversationId,
        /// Who.
        #[n(2)]
        attending: Option<PersonId>,
    },
    /// Somebody's place in a care team by hand begins, ends at another time, or is over.
    #[n(45)]
    CareTeamSet {
        /// Of which encounter.
        #[n(0)]
        encounter: EncounterId,
        /// Who.
        #[n(1)]
        person: PersonId,
        /// None: over.
        #[n(2)]
        place: Option<CarePlace>,
    },
    /// Somebody takes beds for a shift.
    #[n(46)]
    AssignmentTaken(#[n(0)] Assignment),
    /// A patient lies, or came to lie, in one of an assignment's beds.
    #[n(47)]
    AssignmentCovers {
        /// Which.
        #[n(0)]
        assignment: AssignmentId,
        /// Whose.
        #[n(1)]
        encounter: EncounterId,
    },
    /// An assignment is over, and forgotten.
    #[n(48)]
    AssignmentEnded {
        /// Which.
        #[n(0)]
        assignment: AssignmentId,
    },
    /// A discharged patient's thread takes nothing new any more.
    #[n(49)]
    ThreadClosed {
        /// Whose.
        #[n(0)]
        encounter: EncounterId,
        /// Which.
        #[n(1)]
        thread: ConversationId,
        /// When.
        #[n(2)]
        at: Wall,
    },
    /// A closed thread has been open to its last readers for long enough: the encounter is put away, and with it its care
    /// team by hand. The store keeps its row.
    #[n(50)]
    EncounterFiled {
        /// Which.
        #[n(0)]
        encounter: EncounterId,
        /// Its thread.
        #[n(1)]
        thread: ConversationId,
    },
    /// What a STAT is about lies in another unit now: whose people and screens it goes on to.
    #[n(51)]
    EscalationUnitSet {
        /// Which.
        #[n(0)]
        id: StatId,
        /// The unit.
        #[n(1)]
        unit: UnitId,
    },
    /// A role is new, or is called or held otherwise. The whole of it, what was over left out.
    #[n(52)]
    RoleSet(#[n(0)] Role),
    /// Somebody broke the glass.
    #[n(53)]
    EmergencyBegan(#[n(0)] EmergencyAccess),
    /// It lets nobody in any more.
    #[n(54)]
    EmergencyEnded {
        /// Which.
        #[n(0)]
        id: EmergencyId,
        /// When.
        #[n(1)]
        at: Wall,
    },
    /// A privacy officer has looked at it, or nobody has in time.
    #[n(55)]
    EmergencyReviewed {
        /// Which.
        #[n(0)]
        id: EmergencyId,
        /// Who.
        #[n(1)]
        by: Option<PersonId>,
        /// What was found.
        #[n(2)]
        finding: Finding,
        /// When.
        #[n(3)]
        at: Wall,
    },
    /// A legal hold begins.
    #[n(110)]
    HoldPlaced(#[n(0)] Hold),
    /// How long messages are kept from now on.
    #[n(112)]
    RetentionSet(#[n(0)] Rules),
    /// It is over.
    #[n(111)]
    HoldLifted {
        /// Which.
        #[n(0)]
        hold: HoldId,
        /// Who lifted it.
        #[n(1)]
        by: PersonId,
        /// Why, in their words.
        #[n(2)]
        grounds: Grounds,
        /// When.
        #[n(3)]
        at: Wall,
    },
    /// A message has another text. The earlier one is overwritten.
    #[n(70)]
    MessageEdited {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Which.
        #[n(1)]
        sequence: Sequence,
        /// The change that brought the message.
        #[n(2)]
        message: Change,
        /// How it stands from now on.
        #[n(3)]
        standing: MessageStanding,
        /// Its text under the conversation's key.
        #[n(4)]
        body: Sealed,
    },
    /// A message's text is destroyed; that it was there remains.
    #[n(71)]
    MessageRecalled {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Which.
        #[n(1)]
        sequence: Sequence,
        /// The change that brought the message.
        #[n(2)]
        message: Change,
        /// When.
        #[n(3)]
        at: Wall,
    },
    /// What has been put to a message is this, all of it.
    #[n(160)]
    ReactionsSet {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Which.
        #[n(1)]
        sequence: Sequence,
        /// The change that brought the message.
        #[n(2)]
        message: Change,
        /// From now on.
        #[n(3)]
        reactions: Reactions,
    },
    /// Somebody says something else of when they want to be disturbed.
    #[n(320)]
    Availability(#[n(0)] AvailabilityWrite),
    /// The templates and quick replies of a unit, or the facility: all of them.
    #[n(161)]
    TemplatesSet {
        /// Whose; none: the facility's.
        #[n(0)]
        unit: Option<UnitId>,
        /// From now on. Nothing: as if they had never been set.
        #[n(1)]
        templates: Templates,
    },
    /// A task is given, or stands otherwise: the whole of it. One that is over stays in the store alone.
    #[n(280)]
    TaskSet(#[n(0)] Box<Task>),
    /// An order is given, or stands otherwise: the whole of it. One that is filed stays in the store alone.
    #[n(290)]
    OrderSet(#[n(0)] Box<Order>),
    /// What a device signed about an order.
    #[n(291)]
    OrderSigned(#[n(0)] Box<SignedDeed>),
    /// Whose orders count.
    #[n(292)]
    OrderPolicySet {
        /// In which unit; none: the facility's.
        #[n(0)]
        unit: Option<UnitId>,
        /// None: as if it had never been said.
        #[n(1)]
        roles: Option<Vec<RoleId>>,
    },
    /// What is written to roles, and when nobody will hold one.
    #[n(300)]
    Inbox(#[n(0)] InboxWrite),
    /// An urgent message waits to be seen, or does no more.
    #[n(380)]
    Urgent(#[n(0)] UrgentWrite),
    /// Who announces to the facility, and how urgent announcements may be.
    #[n(305)]
    Broadcast(#[n(0)] BroadcastWrite),
    /// Something was told in a patient's thread.
    #[n(100)]
    NoticeMade(#[n(0)] Notice),
    /// Somebody from an agency comes back, stays longer, or is out. That they are new comes with [`Write::PersonAdded`].
    #[n(90)]
    AgencySet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// From now on.
        #[n(1)]
        agency: Agency,
    },
    /// Somebody from an agency is suspended by an act, or that is taken back.
    #[n(91)]
    BarredSet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// A charge nurse does not admit them.
        #[n(1)]
        barred: bool,
    },
    /// A charge nurse's suspension waits for an administrator, is overdue, or waits no more.
    #[n(93)]
    SuspensionWaits {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// None: it waits no more.
        #[n(1)]
        waits: Option<Waiting>,
    },
    /// A patient lets family write, or does so no more.
    #[n(240)]
    FamilyConsentSet {
        /// Whose stay.
        #[n(0)]
        encounter: EncounterId,
        /// None: no more.
        #[n(1)]
        consent: Option<Consent>,
    },
    /// Who is not to be let in to a patient: all of them.
    #[n(241)]
    FamilyBlockSet {
        /// Whose.
        #[n(0)]
        patient: PatientId,
        /// From now on.
        #[n(1)]
        blocked: BlockList,
    },
    /// Another code hangs at a bed, or none.
    #[n(242)]
    BedsideCodeSet {
        /// Of whose stay.
        #[n(0)]
        encounter: EncounterId,
        /// None: no code.
        #[n(1)]
        code: Option<BedsideCode>,
    },
    /// Somebody asked to be let in, or was declined.
    #[n(243)]
    VisitAsked(#[n(0)] VisitRequest),
    /// Nobody asks any more: let in, or too long ago.
    #[n(244)]
    VisitForgotten {
        /// The device that asked.
        #[n(0)]
        device: DeviceId,
    },
    /// A conversation that is open and empty is a family thread.
    #[n(245)]
    FamilyThreadOpened(#[n(0)] FamilyThread),
    /// A visitor has another end, or is out. That they are new comes with [`Write::PersonAdded`].
    #[n(246)]
    VisitorSet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// From now on.
        #[n(1)]
        visitor: Visitor,
    },
    /// A file is announced.
    #[n(180)]
    UploadBegun(#[n(0)] Box<NewUpload>),
    /// All of it is there, and it is what was announced.
    #[n(181)]
    UploadFinished {
        /// Of which device.
        #[n(0)]
        device: DeviceId,
        /// Which.
        #[n(1)]
        name: UploadId,
        /// The change that began it.
        #[n(2)]
        file: Change,
    },
    /// No message will have it: its key is destroyed.
    #[n(182)]
    UploadDropped {
        /// Of which device.
        #[n(0)]
        device: DeviceId,
        /// Which.
        #[n(1)]
        name: UploadId,
        /// The change that began it.
        #[n(2)]
        file: Change,
    },
    /// A message has these files, in this order.
    #[n(183)]
    AttachmentsSent {
        /// Where.
        #[n(0)]
        conversation: ConversationId,
        /// Which message.
        #[n(1)]
        sequence: Sequence,
        /// The change that brought the message.
        #[n(2)]
        message: Change,
        /// The device that uploaded them.
        #[n(3)]
        device: DeviceId,
        /// At least one.
        #[n(4)]
        files: Vec<Sent>,
    },
    /// What may be attached from now on.
    #[n(184)]
    AttachmentPolicySet(#[n(0)] AttachmentPolicy),
    /// A device that was locked has another PIN, and no wrong tries.
    #[n(340)]
    PinChosen {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// Salt of its stretching.
        #[cbor(n(1), with = "minicbor::bytes")]
        salt: [u8; 16],
        /// The keeper's MAC of it.
        #[n(2)]
        pin: PinMac,
    },
    /// A device was offered another login secret, or has used the one that it was offered.
    #[n(350)]
    LoginSecretsSet {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// From now on.
        #[n(1)]
        secrets: LoginSecrets,
    },
    /// The passkeys of a device.
    #[n(360)]
    PasskeysSet {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// From now on.
        #[n(1)]
        passkeys: Vec<Passkey>,
    },
    /// A session locked. Until its end a passkey opens it again.
    #[n(361)]
    SessionLocked(#[n(0)] DeviceId),
    /// Whom alarms of the box are told, and which were.
    #[n(381)]
    Alarm(#[n(0)] AlarmWrite),
    /// A device's bell, or the facility's word on bells.
    #[n(370)]
    Bell(#[n(0)] BellWrite),
    /// An export of a record begins. What it gives is in the audit.
    #[n(341)]
    ExportBegun {
        /// Which.
        #[n(0)]
        export: ExportId,
        /// Of a person or a patient.
        #[n(1)]
        subject: Subject,
        /// Who is given it.
        #[n(2)]
        by: PersonId,
        /// Why, in their words.
        #[n(3)]
        grounds: Grounds,
        /// When.
        #[n(4)]
        at: Wall,
    },
    /// Whoever stays longer keeps their beds.
    #[n(92)]
    AssignmentProlonged {
        /// Which.
        #[n(0)]
        assignment: AssignmentId,
        /// When.
        #[n(1)]
        since: Wall,
        /// Over from then on.
        #[n(2)]
        until: Wall,
    },
}
