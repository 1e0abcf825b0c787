//! What can happen to the box.

use crate::agency::AgencyAsk;
use crate::alarm::{Alarm, AlarmAsk};
use crate::alteration::{Edit, Found};
use crate::attachment::{Attach, Attaching, AttachmentPolicy};
use crate::audit::looking::Look;
use crate::availability::AvailabilityAsk;
use crate::bell::{BellAsk, BellNews};
use crate::broadcast::{AnnouncerAsk, BroadcastAsk};
use crate::clinical::Clinical;
use crate::composing::Composed;
use crate::directory::Post;
use crate::escalation::policy::EscalationPolicy;
use crate::escalation::{Priority, StatId};
use crate::export::Exporting;
use crate::family::Families;
use crate::hold::Holds;
use crate::ids::{Conn, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId, Sequence, UnitId};
use crate::inbox::InboxAsk;
use crate::leaving::Leaving;
use crate::login::Login;
use crate::mention::Named;
use crate::order::OrderAsk;
use crate::order::signed::Said as OrderSaid;
use crate::passkey::PasskeyAsk;
use crate::pin::PinMac;
use crate::printing::Print;
use crate::reaction::React;
use crate::refusal::PeerFault;
use crate::retention::Rules;
use crate::role::Roles;
use crate::search::Search;
use crate::session::{ProvenDevice, ProvenJoin, ProvenVisit};
use crate::stat::Answer;
use crate::stat::load::Span;
use crate::task::TaskAsk;
use crate::template::TemplateAsk;
use crate::text::{Name, Sealed, Title, WrappedKey};
use crate::web_certificate::WebCertificateAsk;

/// Randomness for one request, drawn by the driver.
#[derive(Clone)]
pub struct Fresh {
    /// 32 random bytes: identifiers, codes, salts.
    pub seed: [u8; 32],
    /// A new conversation key, wrapped. Used only where a conversation opens.
    pub key: WrappedKey,
}

/// Where a connection comes from, by interface, VLAN or address range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zone {
    /// Staff Wi-Fi: everything but administration.
    Ward,
    /// Guest Wi-Fi: no staff sign-in; whoever is let in to a family thread, or asks to be.
    Guest,
    /// The administration network: everything.
    Admin,
}

/// The party that a connection comes from, as far as a network tells: an IPv4 address, or an IPv6 /64 (RFC 6177). Two
/// connections of one party have the same; the doorway makes it, and it is never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Source(pub u64);

/// Who speaks on a connection's other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// A device over the network: it has yet to say who it is.
    Network(Zone),
    /// A service of this box, its user checked by the kernel. May administer; has no messages.
    Local,
}

/// Something happened.
pub enum Input {
    /// A connection opened; its transport handshake is done.
    Connected {
        /// Its number.
        conn: Conn,
        /// Through which door.
        door: Door,
        /// From whom.
        source: Source,
    },
    /// A connection ended.
    Closed {
        /// Which.
        conn: Conn,
    },
    /// A connection's address moved into another zone (RFC 9000, 9: migration).
    Moved {
        /// Which.
        conn: Conn,
        /// Where it is now.
        zone: Zone,
    },
    /// The first frame.
    Hello {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
        /// Versions the client speaks.
        versions: (u32, u32),
        /// The device that will prove itself, if it says.
        device: Option<DeviceId>,
        /// 32 random bytes, drawn for this connection.
        challenge: [u8; 32],
    },
    /// A device's signature verified.
    Proof {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
        /// By [`crate::session::Expect::verify_sign_in`].
        proven: ProvenDevice,
        /// What it presents besides.
        login: Login,
    },
    /// A join's signature verified.
    Join {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
        /// By [`crate::session::Expect::verify_join`].
        proven: ProvenJoin,
        /// For the new device's identifier and salt.
        fresh: Fresh,
        /// What the device presents, if the box knows it.
        login: Login,
    },
    /// The signature of somebody verified who asks to be let in.
    AskToVisit {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
        /// By [`crate::session::Expect::verify_visit`].
        proven: ProvenVisit,
        /// For the device's identifier and salt.
        fresh: Fresh,
    },
    /// A PIN came and is held by the doorway.
    PinOffered {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
    },
    /// The keeper's MAC of the PIN at hand; `None` when the keeper did not answer or asked to slow down.
    PinMac {
        /// On which connection.
        conn: Conn,
        /// The MAC.
        mac: Option<PinMac>,
    },
    /// A signed-in request.
    Request {
        /// On which connection.
        conn: Conn,
        /// To be answered.
        request: RequestId,
        /// What is asked.
        ask: Ask,
    },
    /// The doorway saw the peer break the protocol.
    Faulted {
        /// On which connection.
        conn: Conn,
        /// How.
        fault: PeerFault,
    },
    /// Free space on the store's volume. Bytes.
    Disk {
        /// Now.
        free: u64,
    },
    /// Messages that are old; see [`crate::turn::Send::FindAged`].
    Aged {
        /// Where.
        conversation: ConversationId,
        /// The last one old enough to go when read.
        read_through: Sequence,
        /// The last one old enough to go in any case.
        any_through: Sequence,
    },
    /// The process is about to end: say so to everybody.
    Drain,
    /// The process that rings closed apps has said something.
    Bell(BellNews),
    /// What is wrong with the box now: all of it, however often it was said.
    Alarms {
        /// At most one of a kind; of several the worst counts.
        standing: Vec<Alarm>,
        /// For the conversation in which it is told, should it have been purged.
        fresh: Fresh,
    },
}

impl Input {
    /// Whose it is; `None` when it is nobody's in particular.
    #[must_use]
    pub fn conn(&self) -> Option<Conn> {
        match self {
            Self::Connected { conn, .. }
            | Self::Closed { conn }
            | Self::Moved { conn, .. }
            | Self::Hello { conn, .. }
            | Self::Proof { conn, .. }
            | Self::Join { conn, .. }
            | Self::AskToVisit { conn, .. }
            | Self::PinOffered { conn, .. }
            | Self::PinMac { conn, .. }
            | Self::Request { conn, .. }
            | Self::Faulted { conn, .. } => Some(*conn),
            Self::Disk { .. } | Self::Aged { .. } | Self::Drain | Self::Bell(_) | Self::Alarms { .. } => None,
        }
    }
}

/// What a signed-in client or a local service may ask for. Every field has been parsed.
pub enum Ask {
    /// Deliver behind this cursor.
    Sync {
        /// As the client kept it; empty for a snapshot.
        cursor: Vec<u8>,
    },
    /// Take a message.
    Submit(Submit),
    /// Take a message that was sealed when it was composed.
    Composed(Box<Composed>),
    /// Another text for one's own message.
    Edit(Edit),
    /// No text any more for one's own message.
    Recall {
        /// Which.
        message: StatId,
        /// As it stood when the doorway looked.
        found: Found,
    },
    /// A reaction to a message, or one that is taken back.
    React(React),
    /// Watermarks.
    Receipt {
        /// Where.
        conversation: ConversationId,
        /// On this device.
        delivered: Sequence,
        /// Seen.
        read: Sequence,
    },
    /// Older messages.
    History {
        /// Where.
        conversation: ConversationId,
        /// Before this place; [`Sequence::NONE`] for the newest.
        before: Sequence,
        /// How many.
        limit: u32,
    },
    /// The one conversation with this person.
    OpenDirect {
        /// With whom.
        person: PersonId,
        /// For its identifier and key.
        fresh: Fresh,
    },
    /// A new group.
    OpenGroup {
        /// Its title.
        title: Title,
        /// The others.
        people: Vec<PersonId>,
        /// For its identifier and key.
        fresh: Fresh,
    },
    /// People in and out of a group.
    ChangeMembers {
        /// Which.
        conversation: ConversationId,
        /// In.
        add: Vec<PersonId>,
        /// Out.
        remove: Vec<PersonId>,
    },
    /// A new channel.
    OpenChannel {
        /// Whose.
        unit: UnitId,
        /// Its title.
        title: Title,
        /// For its identifier and key.
        fresh: Fresh,
    },
    /// Into a channel of one's unit.
    JoinChannel {
        /// Which.
        conversation: ConversationId,
    },
    /// A page of the channels of one's units.
    ListChannels {
        /// Behind this one; `None` from the start.
        after: Option<ConversationId>,
    },
    /// A page of the channels of all units, for whoever administers.
    ListAllChannels {
        /// Of this one alone.
        unit: Option<UnitId>,
        /// Behind this one; `None` from the start.
        after: Option<ConversationId>,
    },
    /// Another title.
    Rename {
        /// Of which.
        conversation: ConversationId,
        /// From now on.
        title: Title,
    },
    /// Closes a conversation, or opens it again.
    Archive {
        /// Which.
        conversation: ConversationId,
        /// Close it.
        archived: bool,
    },
    /// The facility's units.
    ListUnits,
    /// Says what somebody is in a unit: by its charge nurse, or administration.
    SetPost {
        /// Who.
        person: PersonId,
        /// Where.
        unit: UnitId,
        /// As what; `None`: not there any more.
        post: Option<Post>,
    },
    /// About roles.
    Role(Roles),
    /// About staff from an agency.
    Agency(AgencyAsk),
    /// About who leaves.
    Leaving(Leaving),
    /// About tasks.
    Task(TaskAsk),
    /// About orders.
    Order(OrderAsk),
    /// About when people want to be disturbed.
    Availability(AvailabilityAsk),
    /// About templates and quick replies.
    Templates(TemplateAsk),
    /// About what is written to roles.
    Inbox(InboxAsk),
    /// About announcements.
    Broadcast(BroadcastAsk),
    /// About who announces, and how.
    Announcers(AnnouncerAsk),
    /// What must be kept.
    Hold(Holds),
    /// About the device's passkeys.
    Passkey(PasskeyAsk),
    /// About the device's bell.
    Bell(BellAsk),
    /// About alarms of the box.
    Alarms(AlarmAsk),
    /// Whether the facility has bells on.
    SetBellPolicy {
        /// From now on.
        on: bool,
    },
    /// Whose record is to be given to somebody.
    Export(Exporting),
    /// About patients' families.
    Family(Families),
    /// A downtime sheet is about to be printed; the doorway holds the PIN.
    Print(Print),
    /// A page of the audit log.
    Audit(Look),
    /// How the box is.
    Health,
    /// About the certificate for the names that people type.
    WebCertificate(WebCertificateAsk),
    /// How long messages are kept from now on.
    SetRetention(Rules),
    /// How long they are.
    ListRetention,
    /// How much would go by these rules.
    PreviewRetention(Rules),
    /// A page of the directory.
    ListPeople {
        /// Behind this one; `None` from the start.
        after: Option<PersonId>,
    },
    /// The person is there.
    Active,
    /// The person leaves the device: its session locks.
    Lock,
    /// Administration: a person enters the directory.
    AddPerson {
        /// As colleagues know them.
        name: Name,
        /// May be empty.
        title: Title,
        /// May administer.
        administrator: bool,
        /// For the identifier.
        fresh: Fresh,
    },
    /// Administration: a new unit, or another name for one.
    SetUnit {
        /// Which; `None`: a new one.
        unit: Option<UnitId>,
        /// Its name.
        name: Name,
        /// For the identifier.
        fresh: Fresh,
    },
    /// Administration: what somebody may do for the facility as a whole.
    SetDuties {
        /// Who.
        person: PersonId,
        /// May administer.
        administrator: bool,
        /// Reviews who read what.
        privacy_officer: bool,
    },
    /// Administration: a join code.
    IssueJoinCode {
        /// For whom.
        person: PersonId,
        /// For the code.
        fresh: Fresh,
    },
    /// A code for whoever has locked a device by wrong PINs.
    ClearPin {
        /// Who.
        person: PersonId,
        /// For the code.
        fresh: Fresh,
    },
    /// Administration: a device is lost.
    RevokeDevice {
        /// Which.
        device: DeviceId,
    },
    /// Administration: a person leaves or comes back.
    SetStanding {
        /// Who.
        person: PersonId,
        /// May not sign in.
        suspended: bool,
    },
    /// Administration: destroy a conversation's key.
    PurgeConversation {
        /// Which.
        conversation: ConversationId,
    },
    /// Administration: a person's devices.
    ListDevices {
        /// Whose.
        person: PersonId,
    },
    /// Words among what the person may read.
    Search(Search),
    /// About patients and who cares for them.
    Clinical(Clinical),
    /// About files.
    Attaching(Attaching),
    /// Administration: what may be attached.
    SetAttachmentPolicy(AttachmentPolicy),
    /// What may be attached.
    ListAttachmentPolicy,
    /// The app is open in front of somebody. No act of theirs.
    Here,
    /// Whom a STAT would reach.
    Prospect {
        /// Where it would be said.
        conversation: ConversationId,
        /// For whom it would ring.
        call: Call,
    },
    /// An answer to a STAT.
    AnswerStat {
        /// Which.
        stat: StatId,
        /// What.
        answer: Answer,
    },
    /// The one message that a STAT rings for.
    ReadStat {
        /// Which.
        stat: StatId,
    },
    /// How a unit escalates: by its charge nurse, or administration.
    SetEscalation {
        /// Whose; `None`: the facility's.
        unit: Option<UnitId>,
        /// As what; `None`: as if it had never been set.
        policy: Option<EscalationPolicy>,
    },
    /// How the facility and its units escalate.
    ListEscalation,
    /// How many STATs there were, and how long they took.
    StatLoad(Span),
    /// Administration: a screen of a unit, that rings when nobody answers.
    AddStation {
        /// Whose.
        unit: UnitId,
        /// As people call it.
        name: Name,
        /// For the identifier.
        fresh: Fresh,
    },
}

/// For whom a STAT rings first, and whose policy it follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Members of the conversation; nobody: everybody else in it.
    pub ring: Vec<PersonId>,
    /// `None`: where those it rings for work. A channel has its own, and so has a patient's thread: where they lie.
    pub unit: Option<UnitId>,
}

/// A message to take.
pub struct Submit {
    /// The device's number for it.
    pub number: Number,
    /// Its name.
    pub message: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Sealed by the doorway; `None` when it has no key for the conversation, which then is not this person's,
    /// purged, or not there.
    pub body: Option<Sealed>,
    /// How urgent it is.
    pub priority: Priority,
    /// For whom it rings, if it is a STAT.
    pub call: Call,
    /// What it is in reply to, in the same conversation.
    pub reply_to: Option<Sequence>,
    /// Whom it names, of those who are in the conversation.
    pub mentions: Named,
    /// Its files, in order.
    pub attachments: Vec<Attach>,
    /// What it is to an order.
    pub order: Option<OrderSaid>,
}
