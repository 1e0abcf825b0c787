//! Who may do what: one table, [`RULES`]. What the docs say of it is made from it (`docs/access.md`), and a test holds
//! every operation by every kind of actor against it.
//!
//! A rule is about what somebody *is* to a thing: a [`Relation`]. [`permit`] is the only way to a [`Permit`], and what
//! changes anything for others takes one: a sign that the table was asked, in whose name, though not for what. Whether the
//! thing is there, and whether the asker may know that, is asked first: who is not in a conversation is told that there is
//! none.

use std::fmt;

use crate::alteration::Kept;
use crate::audit::Actor;
use crate::conversation::Conversation;
use crate::directory::Post;
use crate::escalation::Escalation;
use crate::ids::{PersonId, UnitId};
use crate::input::{Door, Zone};
use crate::refusal::Refusal;
use crate::state::State;

/// What somebody is to a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Relation {
    /// Signed in.
    Staff,
    /// In the conversation.
    Member,
    /// Opened the conversation and is still in it.
    Owner,
    /// In a conversation whose owner has left or is suspended.
    Heir,
    /// Works in the unit.
    UnitStaff,
    /// Leads the unit.
    ChargeNurse,
    /// Leads a unit where the person is staff, and the person holds no duty for the facility and leads nothing: otherwise a
    /// code for them would be a way to more than a charge nurse has.
    Superior,
    /// Administers, and asks from the administration network.
    Administrator,
    /// A process of this box, over its local socket.
    BoxService,
    /// In the conversation of a STAT, and did not send it.
    Colleague,
    /// A STAT has rung for them.
    Rung,
    /// Sent the STAT.
    Caller,
    /// Has the STAT.
    Acceptor,
    /// In the thread of the patient.
    CareTeam,
    /// Holds the assignment.
    Holder,
    /// Holds the role.
    OnCall,
    /// The role was offered to them.
    OfferedTo,
    /// Works in some unit.
    Clinician,
    /// Has the emergency access.
    GlassBreaker,
    /// Reviews what others read.
    PrivacyOfficer,
    /// Wrote the message.
    Author,
    /// Answers for the patient's stay, and may see who they are.
    Attending,
    /// Was let in to a family thread of the patient, and is not out.
    Visitor,
    /// The task is theirs, by a role too, or they took it.
    Assignee,
    /// Reads the message of a task that nobody can do whose it is.
    StandIn,
    /// Was named to announce to the facility.
    Announcer,
    /// Holds a role that is listed for orders where the patient lies.
    Prescriber,
    /// The order is for them, or they have read it back.
    Receiver,
}

impl Relation {
    const fn words(self) -> &'static str {
        match self {
            Self::Staff => "anybody signed in",
            Self::Member => "a member",
            Self::Owner => "its owner",
            Self::Heir => "any member once its owner has left or is suspended",
            Self::UnitStaff => "whoever works in the unit",
            Self::ChargeNurse => "a charge nurse of the unit",
            Self::Superior => "a charge nurse of a unit where they are staff",
            Self::Administrator => "an administrator from the administration network",
            Self::BoxService => "a service of the box",
            Self::Colleague => "another member of the conversation",
            Self::Rung => "whoever it rings for",
            Self::Caller => "whoever sent it",
            Self::Acceptor => "whoever has it, or put on record that somebody does",
            Self::CareTeam => "whoever is in the patient's care team",
            Self::Holder => "whoever holds the beds",
            Self::OnCall => "whoever holds the role",
            Self::OfferedTo => "whoever it was offered to",
            Self::Clinician => "whoever works in a unit",
            Self::GlassBreaker => "whoever came in by it",
            Self::PrivacyOfficer => "a privacy officer",
            Self::Author => "its author",
            Self::Attending => "the attending",
            Self::Visitor => "a visitor who was let in",
            Self::Assignee => "whoever it was given to or holds the role that it was given to",
            Self::StandIn => "any member who reads it once nobody of those is left",
            Self::Announcer => "whoever an administrator named for it",
            Self::Prescriber => "whoever holds a role that is listed for orders there",
            Self::Receiver => "whoever it is for or has read it back",
        }
    }
}

/// Everything that somebody is to a thing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Relations(u32);

impl Relations {
    pub(crate) const fn of(relation: Relation) -> Self {
        Self(1 << relation as u8)
    }

    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn when(is: bool, relation: Relation) -> Self {
        if is { Self::of(relation) } else { Self(0) }
    }

    pub(crate) const fn has(self, relation: Relation) -> bool {
        self.0 & Self::of(relation).0 != 0
    }
}

macro_rules! operations {
    ($($name:ident: $words:literal, [$($allowed:ident),+], $remark:literal;)+) => {
        /// Something that somebody may want to do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[allow(missing_docs, reason = "each variant's words stand in the table")]
        pub enum Operation { $($name),+ }

        /// The table.
        pub const RULES: &[Rule] = &[$(Rule {
            operation: Operation::$name,
            words: $words,
            allowed: &[$(Relation::$allowed),+],
            remark: $remark,
        }),+];
    };
}

/// Who may do one thing.
#[derive(Debug)]
pub struct Rule {
    /// What.
    pub operation: Operation,
    /// The same in words that follow "may".
    pub words: &'static str,
    /// Any of these may.
    pub allowed: &'static [Relation],
    /// What else there is to know; may be empty.
    pub remark: &'static str,
}

operations! {
    OpenDirect: "open the conversation of two people", [Staff], "with anybody who is not suspended; never with oneself";
    OpenGroup: "open a group", [Staff], "who opens it owns it";
    OpenChannel: "open a channel in a unit", [UnitStaff, Administrator], "who opens it owns it; an administrator who works elsewhere does not, and is not in it";
    ListChannels: "see the channels of their units", [Staff], "titles and numbers of members of the units that one works in, nothing else";
    ListAllChannels: "see the channels of every unit", [Administrator], "titles, numbers of members and which are archived, nothing else";
    JoinChannel: "join a channel", [UnitStaff], "and read it from its beginning";
    AddMember: "add people to a group or channel", [Member], "to a channel only whoever works in its unit; in a group they read from then on";
    RemoveMember: "take others out of a group or channel", [Owner, Heir, ChargeNurse], "";
    Leave: "leave a group or channel", [Member], "and what was purged, whatever it was";
    Rename: "rename a group or channel", [Owner, Heir, ChargeNurse, Administrator], "an administrator a channel alone, without being in it";
    Archive: "archive a group or channel, or open it again", [Owner, Heir, ChargeNurse, Administrator], "the same; an archived one can be read, joined and left, and takes nothing new";
    Send: "send a message", [Member], "it may name others who are in it, and roles that they hold";
    Read: "read messages, and say so", [Member], "from the first that is theirs; a look at history is recorded";
    Purge: "destroy what was said in a conversation", [Administrator, BoxService], "who thereby reads nothing";
    ListPeople: "see the directory", [Staff, BoxService], "names, titles, units";
    ListUnits: "see the units", [Staff, BoxService], "";
    PlaceStaff: "say who works in a unit", [ChargeNurse, Administrator, BoxService], "who no longer does is out of its channels in the same moment; of somebody with a device whom she placed herself a charge nurse is not the superior, until administration says so too";
    NameChargeNurse: "say who leads a unit", [Administrator, BoxService], "";
    SetUnit: "add or rename a unit", [Administrator, BoxService], "";
    AddPerson: "add somebody to the directory", [Administrator, BoxService], "";
    IssueJoinCode: "issue a join code for somebody", [Superior, Administrator, BoxService], "by a charge nurse not for who administers, is a privacy officer or leads a unit; who is given a device is told of it on their others";
    ClearPin: "give a code to whoever has locked a device by wrong PINs", [Superior, Administrator, BoxService], "face to face, for ten minutes; by a charge nurse not for who administers, is a privacy officer or leads a unit; they choose another PIN on that device";
    ListDevices: "see another's devices", [Administrator, BoxService], "one's own come with every sign-in";
    RevokeDevice: "end a device", [Administrator, BoxService], "";
    Suspend: "suspend somebody", [Superior, Administrator, BoxService], "by a charge nurse not who administers, is a privacy officer or leads a unit; their sessions end at once, the answer says what they leave behind, and a charge nurse's waits for an administrator";
    Restore: "let somebody who is suspended in again", [Administrator, BoxService], "";
    DecideSuspension: "confirm or reverse a charge nurse's suspension", [Administrator, BoxService], "within a day; until then, and after it, the person stays out";
    ListSuspensions: "see which suspensions wait for that", [Administrator, BoxService], "";
    SetDuties: "say who administers, and who is a privacy officer", [Administrator, BoxService], "nobody is both, and a privacy officer leads no unit";
    SendStat: "send a STAT", [Member], "for which it rings until somebody answers";
    AskReach: "see whom a STAT would reach", [Member], "who has the app open, and when each was last heard of";
    AnswerStat: "say that they have a STAT, or are coming", [Rung, Colleague], "coming also from a locked device";
    DeclineStat: "say that they cannot take a STAT", [Rung], "a reason of a list; it goes on at once where nobody of the step is left";
    HandBackStat: "hand a STAT back", [Acceptor], "it rings again";
    NoteCall: "note that somebody was reached by telephone and has a STAT", [Rung, Colleague, Caller], "in their own name, on record";
    CloseStat: "close a STAT", [Caller, Acceptor], "it rings no more, for anybody";
    ReadStat: "read the message of a STAT without being in its conversation", [Rung], "that one, while it is open and they have not said that they cannot; each look is recorded";
    SetEscalation: "say how a unit escalates", [ChargeNurse, Administrator, BoxService], "the last step is never a person: the unit's station screens";
    SetFacilityEscalation: "say how the facility escalates where no unit says otherwise", [Administrator, BoxService], "";
    ListEscalation: "see how the facility and its units escalate", [Staff, BoxService], "";
    ReadStatLoad: "see how many STATs a unit had and how long they took", [ChargeNurse, Administrator, BoxService], "figures only, no name and no text; of all units only who administers; each look is recorded";
    AddStation: "add a station screen to a unit", [Administrator, BoxService], "which hears what rings, without a text and a name, and can do nothing else";
    Admit: "admit a patient", [UnitStaff, BoxService], "which opens the patient's thread; here and below a privacy officer counts as nobody of a unit";
    Transfer: "move a patient to another bed or unit", [UnitStaff, BoxService], "of where the patient is; of where they go, who is in the care team already; a restricted one by whoever is named, or the charge nurse of where they are";
    SetLeave: "say that a patient is away for a time, or back", [UnitStaff, BoxService], "";
    Discharge: "discharge a patient", [UnitStaff, BoxService], "the thread closes after a time";
    UpdatePatient: "correct a patient's particulars", [UnitStaff, BoxService], "of the unit where the patient is; of one who is nowhere, a service of the box";
    ChangeCareTeam: "say who is in a patient's care team by hand", [CareTeam, ChargeNurse], "";
    TakeAssignment: "take beds of a unit for a shift", [UnitStaff], "which is the way into their patients' threads";
    AssignBeds: "give beds of a unit to others for a shift", [ChargeNurse], "to whoever works there";
    EndAssignment: "end a shift's beds early", [Holder, ChargeNurse], "";
    ListPatients: "see a unit's patients by name", [ChargeNurse, BoxService], "which is recorded";
    PrintSheet: "print a unit's downtime sheet", [ChargeNurse], "with their PIN, asked anew; on record before the first page leaves";
    ListBeds: "see a unit's beds and who holds them", [UnitStaff], "without names of patients";
    SetRole: "add a role to a unit, rename it or say who holds it when", [ChargeNurse, Administrator, BoxService], "who holds it is called by it, and reads what is written to it; nobody is named who administers and works in no unit";
    TakeRole: "take a role of a unit for some hours", [UnitStaff], "one that is listed for orders by text is given instead; here and below a privacy officer counts as nobody of a unit";
    AssignRole: "give a role of a unit to others for some hours", [ChargeNurse, Administrator, BoxService], "to whoever works there; one that is listed for orders by text to oneself too";
    ReturnRole: "give a role back to whom its rota names", [OnCall, ChargeNurse, Administrator, BoxService], "not when nobody would hold it then";
    RetireRole: "retire a role", [ChargeNurse, Administrator, BoxService], "not while an escalation policy rings it; its rota and offers end";
    ReadRota: "read a role's rota whole", [UnitStaff, Administrator, BoxService], "who is to hold it when, for as long as it says";
    OfferRole: "offer a role to somebody of its unit", [OnCall, ChargeNurse], "whoever holds it holds it until the other one accepts";
    AnswerOffer: "accept or decline a role that is offered", [OfferedTo], "it passes when it is accepted: what rings for the role rings for them from then on";
    WithdrawOffer: "withdraw the offer of a role", [OnCall, ChargeNurse], "";
    ListOffers: "see offers of roles, and what is open", [Staff], "those that they made or got, and those of a unit that they lead; of a STAT that they may not see, where it rings and who called, no more";
    ListRoles: "see roles and who holds them", [Staff, BoxService], "";
    BreakGlass: "break the glass: enter the thread of a patient of whose care team they are not", [Clinician], "for an hour, with grounds; the care team sees it, the privacy officers are told at once; it gives the thread and nothing else";
    Restrict: "restrict a patient to people whom they name, or end that", [ChargeNurse, Attending, BoxService], "everybody else is out of the thread in the same moment and sees an alias; a bed brings nobody in; no privacy officer is named; the attending only if named";
    MergeRecords: "merge two records of one patient, or un-merge them", [ChargeNurse, BoxService], "by a charge nurse who leads every unit where the patient is, or was so recently that the thread is kept, and may see who they are; a record without such a stay only if it says the same day of birth; every message stays where it was written";
    Countersign: "countersign that a colleague breaks the glass to a restricted patient", [Clinician], "not for oneself; within five minutes of the request; both are on record";
    EndEmergency: "end an emergency access early", [GlassBreaker, ChargeNurse], "a charge nurse of the unit where the patient lay when it began";
    ListEmergencies: "see who broke the glass, and why", [PrivacyOfficer], "while it goes on or waits for a review; each look is recorded";
    ReviewEmergency: "say whether breaking the glass was justified", [PrivacyOfficer], "on record";
    AdmitAgency: "admit somebody from an agency for a shift", [ChargeNurse, Administrator, BoxService], "as staff of the unit, for 16 hours at most; who was here before is the same person";
    ExtendAgency: "let somebody from an agency stay longer", [Superior, Administrator, BoxService], "16 hours at most, twice at most, and says why";
    EndAgency: "end the time here of somebody from an agency", [Superior, Administrator, BoxService], "they are out of everything at once, as at the end that was set";
    ListAgency: "see who is here, or was, from an agency", [ChargeNurse, Administrator, BoxService], "a charge nurse those whom her unit admitted";
    SetRetention: "say how long messages are kept", [Administrator, BoxService], "what is older goes within minutes; what is under legal hold stays";
    PreviewRetention: "see how much would go if messages were kept for another time", [Administrator, BoxService], "numbers only; nothing is changed";
    ListRetention: "see how long messages are kept", [Staff, BoxService], "";
    PlaceHold: "place a legal hold", [PrivacyOfficer], "on a person, a patient or a conversation; nothing of theirs expires or can be destroyed from then on";
    LiftHold: "lift a legal hold", [PrivacyOfficer], "with grounds, on record; what is too old goes within minutes";
    ListHolds: "see what is under legal hold", [PrivacyOfficer], "each look is recorded";
    ExportRecord: "export a patient's or a person's record", [PrivacyOfficer], "with grounds, on record, as each page is; with no other patient's name on it; of a restricted patient too, who is named in it";
    ReadAudit: "read the audit log", [PrivacyOfficer], "who did what, when, of whom; no text; a restricted patient by alias; each page is itself recorded";
    AskHealth: "see how the box is", [Administrator, BoxService], "disk, keys, certificates, clock; nothing of anybody";
    Search: "search messages", [Staff], "those that they may read; that they searched is recorded, not for what";
    LookUp: "search people and patients", [Staff], "patients in whose threads they are, and those of a unit that they lead; a restricted one by alias where they are not named; that they searched is recorded, not for what";
    EditMessage: "edit a message", [Author], "for 15 minutes, ten times, never a STAT; everybody sees that it was edited, and the earlier text is gone";
    SetFamilyConsent: "record that a patient lets family write, or does so no more", [CareTeam, ChargeNurse], "here and below, of a restricted patient only whoever is named; without it nobody is let in, and when it ends every visitor is out in the same moment";
    SetFamilyBlock: "say who is not to be let in to a patient", [CareTeam, ChargeNurse], "by name, for all stays; whoever is in is out in the same moment";
    SetBedsideCode: "make the code that hangs at a patient's bed, or end it", [CareTeam, ChargeNurse], "it names nobody and opens nothing; another bed ends it";
    ListFamily: "see a patient's consent, block list, visitors and who waits", [CareTeam, ChargeNurse], "each look is recorded";
    AnswerVisit: "let somebody at the bed in to a family thread, or turn them away", [CareTeam, ChargeNurse], "against consent and block list; in a new thread, in one that is there, or as the patient";
    ProlongVisit: "let a visitor stay longer", [CareTeam, ChargeNurse], "30 days ahead at most";
    EndVisit: "end a visitor's time", [CareTeam, ChargeNurse], "they are out in the same moment, with every device";
    EndFamilyThread: "end a family thread", [CareTeam, ChargeNurse], "its visitors are out in the same moment; the team can read it";
    Visit: "read and write in a family thread", [CareTeam, Visitor], "a visitor in theirs alone: no directory, no search, no STAT, no unit, no other patient's, nobody else's thread; from the guest network too, where nobody of the staff signs in";
    RecallMessage: "recall a message", [Author], "for 24 hours; its text is destroyed, and everybody sees that it was recalled";
    React: "put a reaction to a message, and take it back", [Member], "one of each kind, where they may read it; never to a STAT that is open, which wants an answer";
    AttachFile: "attach files to their messages", [Member], "photos, PDF and audio notes, of the sizes that the policy says";
    OpenAttachment: "open an attachment", [Member], "of a message that they may read; each look is recorded";
    SetAttachmentPolicy: "say what may be attached, and how large", [Administrator, BoxService], "of photos, PDF and audio notes each, up to 64 MiB";
    ListAttachmentPolicy: "see what may be attached", [Staff, BoxService], "";
    SetTemplates: "set a unit's templates and quick replies", [ChargeNurse, Administrator, BoxService], "form alone; what is filled in is an ordinary message";
    SetFacilityTemplates: "set the facility's templates and quick replies", [Administrator, BoxService], "which every unit has";
    GiveTask: "give somebody a task", [Member], "about a message, to a member who may read it, or to a role that one of them holds; neither in a family thread nor about an announcement";
    AnswerTask: "take, do or decline a task", [Assignee], "who did it, and when, is seen by whoever reads the message";
    ReassignTask: "give a task to somebody else", [Author, Assignee, StandIn], "";
    WithdrawTask: "withdraw a task", [Author, StandIn], "";
    ListTasks: "see open tasks", [Staff], "of a conversation that they are in, their own, and those that they gave; only where they may read the message";
    GiveOrder: "give an order by text, and correct or cancel one", [Prescriber], "in the patient's thread, signed by their device; off until administration lists roles; never edited or recalled";
    ReadBackOrder: "read an order back", [Receiver], "signed by their device; an order for nobody by name is for anybody else of the care team, as is one for somebody who is out of it";
    ConfirmOrder: "say whether a read-back is right", [Author], "signed by their device";
    FileOrder: "mark an order as filed in the record", [Author, Receiver, ChargeNurse, BoxService], "one that is confirmed or replaced; any other only a charge nurse of the unit where the patient lies, or a service of the box";
    ListOrders: "see orders that are not filed", [Staff, BoxService], "of threads that they are in; no text";
    ListUnitOrders: "see orders of a unit that are not filed", [ChargeNurse, BoxService], "which, whose and how they stand; no text";
    SetOrderPolicy: "list the roles whose orders by text count", [Administrator, BoxService], "of the facility, or of a unit in its place; none by default";
    ListOrderPolicies: "see which roles those are", [Staff, BoxService], "";
    SetAvailability: "say when they do not want to be disturbed, who covers, and where they are called off site", [Staff], "of themselves; a STAT rings all the same, as the facility says";
    RefuseCover: "say that they do not cover for a colleague", [Staff], "at any time; the colleague hears of it";
    ListAvailability: "see who does not want to be disturbed, until when, and who covers", [Staff], "and who is on duty; no number, and nobody's quiet hours but one's own";
    ReadNumbers: "see where those are called off site for whom a STAT rings", [Rung, Colleague, Caller, ChargeNurse], "of who is not here, while it is open; each look is recorded; the sender sees them before it is sent, too";
    SetCoverPolicy: "say whether a STAT rings for who does not want to be disturbed, or for their cover instead", [Administrator, BoxService], "nobody covers: it rings for them";
    OpenRoleInbox: "write to a role, and see who would read it", [Staff], "one conversation with each role; beside the writer whoever holds the role is in it, or looks after it while nobody does";
    FinishRoleInbox: "say that what was asked of a role is done", [Member], "then nobody but the writer has it, until they write again";
    Announce: "send a unit's announcements, and see how many have read them", [ChargeNurse], "whoever works in the unit reads them, and nobody answers or reacts there; how many, not who";
    AnnounceToAll: "send the facility's announcements, and see how many have read them", [Announcer], "everybody of the directory reads them";
    NameAnnouncer: "say who announces to the facility", [Administrator, BoxService], "who thereby reads nothing more";
    SetAnnouncementPolicy: "say how urgent announcements may be", [Administrator, BoxService], "never a STAT";
    ListAnnouncements: "see which announcements are for them, and who announces", [Staff, BoxService], "";
    KeepPasskeys: "add a passkey to their device, see and remove it", [Staff], "it opens the session in the PIN's place on that device alone, until 12 hours after a PIN did; never a visitor's";
    KeepWebCertificate: "ask for and import the certificate of the box's name", [Administrator, BoxService], "for a key that the box made and that never leaves it; what is in use stays until another is imported";
    KeepBell: "have the closed app on their device rung through its browser's push service, or do so no more", [Staff], "one text that says nothing; while the facility has it on; never a visitor's";
    SetBellPolicy: "say whether closed apps may be rung through push services", [Administrator, BoxService], "off until then; when it goes off no device has a bell any more";
    SetAlarmRole: "say which role is told of the box's alarms", [Administrator, BoxService], "whoever holds it, or looks after it; an alarm says nothing of anybody";
    ListTemplates: "see templates and quick replies", [Staff, BoxService], "of the facility and of any unit";
}

impl Operation {
    /// Its rule.
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
}

/// "Only a, b or c may do this." For the person who was refused.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Only ")?;
        let people = self.allowed.iter().filter(|relation| **relation != Relation::BoxService);
        let words: Vec<&str> = people.map(|relation| relation.words()).collect();
        match words.split_last() {
            Some((last, [])) => f.write_str(last)?,
            Some((last, others)) => write!(f, "{} or {last}", others.join(", "))?,
            None => {}
        }
        write!(f, " may {}. Ask one of them.", self.words)
    }
}

/// The table was asked, and said yes to somebody.
#[derive(Clone, Copy)]
pub(crate) struct Permit(Actor);

impl Permit {
    /// For what the box does by itself because time has passed: nobody asked.
    pub(crate) const OF_TIME: Self = Self(Actor::TheBox);

    /// In whose name, for the audit.
    pub(crate) fn by(self) -> Actor {
        self.0
    }
}

/// Whoever is signed in, whatever it is about.
pub(crate) const STAFF: Relations = Relations::of(Relation::Staff);

/// Whoever was found to be in the conversation.
pub(crate) const MEMBER: Relations = Relations::of(Relation::Member);

/// A service of the box.
pub(crate) const BOX_SERVICE: Relations = Relations::of(Relation::BoxService);

/// By the table.
pub(crate) fn permit(operation: Operation, is: Relations, by: Actor) -> Result<Permit, Refusal> {
    let rule = operation.rule();
    if rule.allowed.iter().any(|relation| is.has(*relation)) {
        return Ok(Permit(by));
    }
    let administrative =
        |relation: &Relation| matches!(relation, Relation::Administrator | Relation::BoxService);
    if rule.allowed.iter().all(administrative) {
        Err(Refusal::NotAdministrator)
    } else {
        Err(Refusal::NotPermitted(operation))
    }
}

/// Whatever it is about.
pub(crate) fn of_person(state: &State, person: PersonId, door: Door) -> Relations {
    let administers = state.people.get(&person).is_some_and(|entry| entry.administrator);
    STAFF.and(Relations::when(administers && door == Door::Network(Zone::Admin), Relation::Administrator))
}

/// To a unit.
pub(crate) fn to_unit(state: &State, person: PersonId, unit: UnitId) -> Relations {
    let post = state.people.get(&person).and_then(|entry| entry.posts.get(&unit));
    Relations::when(post.is_some(), Relation::UnitStaff)
        .and(Relations::when(post == Some(&Post::ChargeNurse), Relation::ChargeNurse))
}

/// To the facility as a whole.
pub(crate) fn to_facility(state: &State, person: PersonId) -> Relations {
    Relations::when(state.broadcasts.announces(person), Relation::Announcer)
}

/// To another person.
pub(crate) fn to_person(state: &State, asker: PersonId, person: PersonId) -> Relations {
    let Some(asked) = state.people.get(&person).filter(|_| asker != person) else {
        return Relations::default();
    };
    let is_staff = |unit: &UnitId| asked.posts.get(unit) == Some(&Post::Staff);
    let posts = state.people.get(&asker).into_iter().flat_map(|entry| &entry.posts);
    let leads = posts.filter(|(_, post)| **post == Post::ChargeNurse).any(|(unit, _)| is_staff(unit));
    let holds = asked.administrator || asked.privacy_officer;
    let equal = asked.posts.values().any(|post| *post == Post::ChargeNurse);
    Relations::when(leads && !holds && !equal, Relation::Superior)
}

/// To a conversation.
pub(crate) fn to_conversation(state: &State, person: PersonId, to: &Conversation) -> Relations {
    let member = to.member(person).is_some();
    let stays = |owner: &PersonId| {
        to.member(*owner).is_some() && state.people.get(owner).is_some_and(|owner| !owner.suspended)
    };
    let led = to.owner.as_ref().is_some_and(stays);
    let unit = to.unit.map_or(Relations::default(), |unit| to_unit(state, person, unit));
    Relations::when(member, Relation::Member)
        .and(Relations::when(member && to.owner == Some(person), Relation::Owner))
        .and(Relations::when(member && !led, Relation::Heir))
        .and(unit)
}

/// To a STAT that is open.
pub(crate) fn to_stat(state: &State, person: PersonId, stat: &Escalation) -> Relations {
    let place = state.conversations.get(&stat.id.conversation);
    let member = place.is_some_and(|place| place.member(person).is_some());
    let caller = stat.sender == person;
    Relations::when(member && !caller, Relation::Colleague)
        .and(Relations::when(stat.has_rung(person), Relation::Rung))
        .and(Relations::when(caller, Relation::Caller))
        .and(Relations::when(stat.is_answered_by(person), Relation::Acceptor))
        .and(Relations::when(leads(state, person, stat.unit), Relation::ChargeNurse))
}

fn leads(state: &State, person: PersonId, unit: Option<UnitId>) -> bool {
    let entry = state.people.get(&person).filter(|entry| !entry.suspended);
    entry.zip(unit).is_some_and(|(entry, unit)| entry.posts.get(&unit) == Some(&Post::ChargeNurse))
}

/// To a message that they may read.
pub(crate) fn to_message(person: PersonId, message: &Kept) -> Relations {
    Relations::when(message.sender == person, Relation::Author)
}

/// The table as the docs have it.
pub fn markdown() -> String {
    let mut page = String::new();
    page.push_str("| operation | who may | |\n|---|---|---|\n");
    for Rule { words, allowed, remark, .. } in RULES {
        let allowed: Vec<&str> = allowed.iter().map(|relation| relation.words()).collect();
        page.push_str(&format!("| {words} | {} | {remark} |\n", allowed.join("; ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_in_its_own_row() {
        for (at, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.operation as usize, at);
            assert_eq!(rule.operation.rule().words, rule.words);
        }
    }

    #[test]
    fn a_refusal_says_who_may() {
        let told = Operation::Rename.rule().to_string();
        assert_eq!(
            told,
            "Only its owner, any member once its owner has left or is suspended, a charge nurse of the unit or an \
             administrator from the administration network may rename a group or channel. Ask one of them."
        );
        assert!(!Operation::PlaceStaff.rule().to_string().contains("service of the box"));
    }
}
