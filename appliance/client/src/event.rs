//! What happens, as the user of a [`crate::Client`] hears of it. None of it prints texts, names or titles in `Debug`.

mod wire;

use std::fmt;
use std::time::Duration;

use wardline_core::attachment::Media;
use wardline_core::ids::{ConversationId, DeviceId, MessageId, PersonId, Sequence, UnitId};

use crate::availability::OwnAvailability;
use crate::beside::{Mention, Reacted};
use crate::call::Device;
use crate::clinical::Bedside;
use crate::error::{End, Refused};
use crate::family::Family;
use crate::inboxes::GapAhead;
use crate::notice::Notice;
use crate::offers::{Fate, Offer};
use crate::orders::Order;
use crate::stat::{Escalation, Priority, Ring, StatRef, UrgentWaits};
use crate::tasks::Task;

pub(crate) use wire::{ConversationChange, conversation, person, unit};

/// One happening. Taking the next one from [`crate::Events`] says that this one is dealt with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Signed in: what was composed goes out, what was missed comes in.
    Connected(SignedIn),
    /// No connection; the next attempt comes after this time. Composing goes on.
    Reconnecting {
        /// Until the next attempt.
        after: Duration,
        /// In words.
        why: String,
        /// What answers is not the box: do not wait for it, tell somebody.
        untrusted: bool,
    },
    /// The box wants the person's PIN to open the session: [`crate::Client::unlock`].
    PinNeeded {
        /// Until the device locks.
        tries_left: u32,
    },
    /// The session locked: hide what is shown; [`crate::Client::unlock`].
    Locked {
        /// Until the device locks.
        tries_left: u32,
    },
    /// What comes next is a snapshot: conversations not named before [`Event::CaughtUp`] are gone.
    Snapshot,
    /// Everything missed has come; from now on things come as they happen.
    CaughtUp,
    /// A message of somebody else, or of this person's from another device. Each comes once.
    Message(Message),
    /// A message was edited or recalled: as it is now. Replace what is shown of it at once; it may be told twice, and of one that was
    /// not shown here.
    MessageChanged(Message),
    /// What is put to a message from now on, all of it: replace what is shown of it. It may be told twice. When [`Event::Snapshot`] comes,
    /// forget it of every message that is not in the snapshot: the history has it.
    Reactions {
        /// Where.
        conversation: ConversationId,
        /// Of which.
        sequence: Sequence,
        /// By kind; nothing: nobody has put anything to it any more.
        reactions: Vec<Reacted>,
    },
    /// Messages of this conversation were skipped by a snapshot: [`crate::Calls::history`] has them.
    Gap {
        /// Where.
        conversation: ConversationId,
        /// The first one missing.
        from: Sequence,
        /// The last one missing.
        to: Sequence,
    },
    /// A conversation is new or has changed.
    Conversation(Conversation),
    /// Somebody's device has, or somebody has seen, everything up to here.
    Watermark(Watermark),
    /// This person is no longer a member: forget what is shown of it.
    Gone(ConversationId),
    /// Somebody is new in the directory or has changed.
    Person(Person),
    /// A unit is new or has another name.
    Unit(Unit),
    /// A device that this one did not know of may sign in as this person, and read what they read: tell them. Comes
    /// when it happens or after signing in, once; again only if it was not dealt with.
    DeviceJoined(Device),
    /// A message of this device is the box's now.
    Accepted(Accepted),
    /// A message of this device waits: the box declined it for the moment and will be asked again.
    Delayed {
        /// Which.
        message: MessageId,
        /// Why.
        refused: Refused,
    },
    /// A message of this device will never be sent. Tell the person; it is forgotten once this event is dealt with.
    Failed {
        /// Which.
        message: MessageId,
        /// Where it should have gone.
        conversation: ConversationId,
        /// Why.
        refused: Refused,
    },
    /// It rings on this device, or what rings stands differently. Comes while the session is locked too; after
    /// [`Event::Connected`] everything that rings is told anew.
    Ring(Ring),
    /// It does not ring here any more; with who has it, if somebody has.
    Silence(StatRef, Option<PersonId>),
    /// To a unit's screen: an urgent message has waited for long enough, and nobody has seen it. After [`Event::Connected`] those that wait
    /// are told anew.
    UrgentWaits(UrgentWaits),
    /// It waits no more, or not on this screen.
    UrgentOver(StatRef),
    /// To a privacy officer: so many emergency accesses wait for a review. After [`Event::Connected`] when there are any, and
    /// whenever that changes.
    EmergenciesWaiting(u32),
    /// Something moved in a patient's thread, and is told in it: behind the message that was the newest. No message: it has no
    /// place of its own and is not read.
    Notice(Notice),
    /// When this person's devices make no sound but for a STAT, and for whom they cover: from now on. After each
    /// [`Event::Connected`] none is told where there is nothing to say.
    OwnAvailability(OwnAvailability),
    /// To an administrator: charge nurses' suspensions wait for one.
    SuspensionsWaiting {
        /// So many.
        waiting: u32,
        /// Of them for more than a day.
        overdue: u32,
    },
    /// The box has revoked a device because somebody else holds a copy of its key: of this person, or of somebody whom they lead or
    /// administer.
    DeviceCopied {
        /// Whose.
        person: PersonId,
        /// Which.
        device: Device,
    },
    /// A role is offered, by this person or to them, or something has become of it. Comes while the session is locked too; after
    /// [`Event::Connected`] what waits for their answer is told anew.
    Offer(Offer, Fate),
    /// How a task stands of which this person may read the message. When [`Event::Snapshot`] comes, forget all: those that are open are
    /// told anew. One goes with its message: forget it when that is recalled, purged or gone.
    Task(Task),
    /// How an order stands of which this person may read the message; as with [`Event::Task`], forget all with a snapshot.
    Order(Order),
    /// A task is overdue that this person was to do, or gave. Once, also while the session is locked.
    TaskOverdue {
        /// Where.
        conversation: ConversationId,
        /// About which message.
        sequence: Sequence,
    },
    /// To a charge nurse of its unit: nobody will hold a role, from a moment of the next day on. Once for each such time, and after
    /// [`Event::Connected`] while it is ahead.
    RoleGap(GapAhead),
    /// How a STAT stands of which this person sees the conversation.
    Escalation(Escalation),
    /// Over: nothing more comes until the cause is mended and the profile opened again.
    Ended(End),
}

/// An opened session.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// This device.
    pub device: DeviceId,
    /// Whose it is.
    pub person: PersonId,
    /// That person's name.
    pub name: String,
    /// The facility's.
    pub facility: String,
    /// When the PIN is asked for again at the latest: milliseconds since 1970.
    pub session_ends: i64,
    /// A session with no act of the person for so long locks.
    pub idle_lock: Duration,
    /// The highest number that the box accepted from this device.
    pub last_number: u64,
    /// May administer, from the administration network.
    pub administrator: bool,
    /// Every device that may sign in as this person, this one included: 8 at most. Empty: an earlier version's box.
    pub devices: Vec<Device>,
    /// This device is a screen of that unit, and nobody's.
    pub station: Option<UnitId>,
    /// Somebody of a patient's family, or a patient: sees their family thread and nothing else.
    pub visitor: bool,
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub conversation: ConversationId,
    /// Its place, from 1.
    pub sequence: Sequence,
    /// Its name.
    pub id: MessageId,
    /// Who wrote it.
    pub sender: PersonId,
    /// When the box accepted it: milliseconds since 1970.
    pub at: i64,
    /// How urgent it is.
    pub priority: Priority,
    /// What it says. Empty: recalled, or destroyed.
    pub text: String,
    /// The earlier message of the conversation that it answers. It may be one that this person may not read, or that is gone.
    pub reply_to: Option<Sequence>,
    /// How often its author edited it.
    pub edits: u32,
    /// When they last did: milliseconds since 1970.
    pub edited_at: Option<i64>,
    /// When its author recalled it. Say so in its place.
    pub recalled_at: Option<i64>,
    /// Whom it names.
    pub mentions: Vec<Mention>,
    /// What was put to it since it was said, or last edited.
    pub reactions: Vec<Reacted>,
    /// Its files, in order.
    pub attachments: Vec<Attachment>,
}

/// A file of a message. Its name is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is; none: a type of a later version.
    pub media: Option<Media>,
    /// Bytes.
    pub length: u64,
    /// Of all of it.
    pub sha256: [u8; 32],
    /// What its author calls it. Never a path.
    pub name: String,
    /// There is a small picture of it.
    pub thumbnail: bool,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({:?}, {} bytes)", self.media, self.length)
    }
}

/// What sort of conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Two people.
    Direct,
    /// A group with a title.
    Group,
    /// A unit's, which whoever works there may join.
    Channel,
    /// Of a patient's care team: see [`Conversation::about`].
    Patient,
    /// Of a patient's care team and family, or the patient: see [`Conversation::family`]. Whoever writes here is read by them: say so.
    Family,
    /// Of somebody who writes to a role, and of whoever holds it now.
    Role,
    /// Announcements of a unit, or of the facility: few write, and everybody reads. Of its members oneself alone is listed.
    Broadcast,
    /// One that a later version brought: show its title.
    Other,
}

/// A conversation without its messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// What sort.
    pub kind: Kind,
    /// Empty for a direct one.
    pub title: String,
    /// Present members, oneself included.
    pub members: Vec<Member>,
    /// The newest message's place; 0: none.
    pub last: Sequence,
    /// The first that this person may read.
    pub first: Sequence,
    /// Its messages are destroyed.
    pub purged: bool,
    /// Of a channel.
    pub unit: Option<UnitId>,
    /// Can be read, and takes nothing new.
    pub archived: bool,
    /// Of a patient's thread that is not purged: whom it is about, and where they are.
    pub about: Option<Box<Bedside>>,
    /// Of a family thread that is not purged: whose it is, and who is in it.
    pub family: Option<Box<Family>>,
    /// Of a conversation with a role: who writes to it. The other members have the role, or look after it.
    pub writer: Option<PersonId>,
}

/// Somebody in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// A device of theirs has everything up to here.
    pub delivered: Sequence,
    /// They have seen everything up to here.
    pub read: Sequence,
}

/// A member's watermarks moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watermark {
    /// Where.
    pub conversation: ConversationId,
    /// Whose, and up to where.
    pub member: Member,
}

/// Somebody in the directory.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// As colleagues know them.
    pub name: String,
    /// "RN"; may be empty.
    pub title: String,
    /// May not sign in.
    pub suspended: bool,
    /// May administer.
    pub administrator: bool,
    /// Reviews who read what.
    pub privacy_officer: bool,
    /// Where they work.
    pub posts: Vec<Post>,
    /// Not a person but a screen of that unit.
    pub station: Option<UnitId>,
    /// Not a person but the box itself, whose messages are alarms.
    pub the_box: bool,
    /// How they are here when they are not the facility's own.
    pub agency: Option<Agency>,
    /// Not of the directory but of a patient's family, or a patient: known from a family thread alone.
    pub visitor: bool,
}

/// Who sent somebody, and until when they are here.
#[derive(Clone, PartialEq, Eq)]
pub struct Agency {
    /// The agency's name.
    pub name: String,
    /// Out of everything then: milliseconds since 1970.
    pub until: i64,
    /// They are out.
    pub over: bool,
}

/// Where somebody works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Post {
    /// There.
    pub unit: UnitId,
    /// And leads it.
    pub charge_nurse: bool,
}

/// A unit of the facility.
#[derive(Clone, PartialEq, Eq)]
pub struct Unit {
    /// Which.
    pub id: UnitId,
    /// "4 West".
    pub name: String,
}

/// A message of this device took its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Which.
    pub message: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Its place.
    pub sequence: Sequence,
    /// When: milliseconds since 1970.
    pub at: i64,
}

/// A message of this device that is not the box's yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsent {
    /// Which.
    pub message: MessageId,
    /// Where it goes.
    pub conversation: ConversationId,
    /// When it was composed: milliseconds since 1970.
    pub composed: i64,
    /// What the box said to the last attempt, if it declined.
    pub why: Option<Refused>,
    /// It will never be sent.
    pub failed: bool,
}

/// 32 hexadecimal digits.
pub fn message_hex(id: MessageId) -> String {
    id.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl SignedIn {
    /// The person's devices but this one.
    pub fn others(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| device.id != self.device)
    }
}

impl Message {
    /// How it names this person, if it does.
    pub fn mention_of(&self, person: PersonId) -> Option<Mention> {
        // By themselves, if it does that too.
        let theirs = self.mentions.iter().filter(|mention| mention.person == person);
        theirs.min_by_key(|mention| mention.role.is_some()).copied()
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({} as {})", self.device, self.person)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} #{} by {})", self.conversation, self.sequence.0, self.sender)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conversation({}, {} members, last {})", self.id, self.members.len(), self.last.0)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.id)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.id)
    }
}
