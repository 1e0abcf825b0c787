//! What can go wrong, in three families by blame: a [`Refusal`] is told to the person, a [`PeerFault`] closes the
//! connection and is recorded, a [`Fault`] is ours and stops the process.

mod codes;
mod faults;

use std::fmt;

use thiserror::Error;

use crate::access::Operation;
use crate::availability::AvailabilityRefusal;
use crate::bell::BellRefusal;
use crate::broadcast::BroadcastRefusal;
use crate::ids::UnitId;
use crate::inbox::InboxRefusal;
use crate::order::OrderRefusal;
use crate::rota::RotaRefusal;
use crate::task::TaskRefusal;
use crate::template::TemplateRefusal;
use crate::web_certificate::WebCertificateRefusal;

pub use faults::{CloseCode, Fault, PeerFault};

/// What may stand in a log: says nothing of a person, a patient, a body or a key. Implemented by hand, type by type;
/// the relay's log takes nothing else.
pub trait LogSafe: fmt::Display {}

/// The request is well-formed and is declined. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum Refusal {
    /// No protocol version in common.
    #[error("This app and this box share no protocol version. Update the app.")]
    VersionUnsupported,
    /// The frame holds no request that this version knows.
    #[error("The box does not know this request. Update the box or use an older app.")]
    UnknownRequest,
    /// The session is locked.
    #[error("The session is locked. Enter your PIN.")]
    Locked,
    /// Unknown, spent and expired codes look the same from outside.
    #[error("This join code is not valid: it may be used, expired or mistyped. Ask for a new one.")]
    JoinCodeInvalid,
    /// Wrong PIN; tries left.
    #[error("Wrong PIN. Tries left: {tries_left}.")]
    PinWrong {
        /// Until the device locks.
        tries_left: u32,
    },
    /// Ten wrong PINs.
    #[error(
        "Too many wrong PINs: this device is locked. Ask your charge nurse for a code to choose another PIN."
    )]
    PinLockedOut,
    /// Nothing to clear.
    #[error(
        "No device of theirs is locked. If it is lost, ask an administrator to end it, and issue a join code."
    )]
    PinNotLocked,
    /// Over, forgotten in a restart, or another officer's.
    #[error(
        "This export is over: it is good for four hours, a restart of the box ends it, and so does another one of yours, or an un-merge of the record. Begin it again."
    )]
    NoSuchExport,
    /// Nobody can hide a patient's name in a photo.
    #[error(
        "Files of a patient's thread are not part of a person's record: they may show who the patient is. Export the patient's record."
    )]
    ExportWithheld,
    /// Fewer than [`crate::limits::PIN_CHARACTERS_MIN`] characters.
    #[error("The PIN is too short: at least 6 characters.")]
    PinTooShort,
    /// A PIN that a thief tries first.
    #[error("This PIN is too easy to guess. Choose another.")]
    PinTooCommon,
    /// The box does not know the device, or has revoked it.
    #[error("The box does not know this device any more. Ask for a new join code.")]
    DeviceUnknown,
    /// Somebody else holds a copy of the device's key, and has signed in with it.
    #[error(
        "This device's sign-in was used from somewhere else too, so the box has ended it. Tell your administrator, and ask for a new join code."
    )]
    DeviceCopied,
    /// What claims to have been sealed by this device was not, or is no message.
    #[error("This message was not written on this device, or was damaged. Write it again.")]
    SealedOtherwise,
    /// What was signed does not verify, or by whom was not.
    #[error("This passkey did not open the session. Try it once more, or type your PIN.")]
    PasskeyWrong,
    /// Used, older than [`crate::limits::PASSKEY_CHALLENGE_MS`], or of another connection.
    #[error("This took too long, or was tried twice. Start again with the passkey, or type your PIN.")]
    PasskeyChallengeOver,
    /// The 12 hours that a PIN began are over.
    #[error("Your PIN is due: it is asked for once in 12 hours. After it your passkey opens again.")]
    PinDue,
    /// None of this device's.
    #[error("The box does not have this passkey for this device. Type your PIN, then add a passkey.")]
    NoSuchPasskey,
    /// A native client, or a service of the box.
    #[error("Passkeys work only in the app, in a browser. Type your PIN.")]
    PasskeyNotHere,
    /// Another algorithm, or something that is none.
    #[error(
        "This passkey is of a kind that the box does not take. Use this phone's own screen lock, or your PIN."
    )]
    PasskeyUnsupported,
    /// The person's access is suspended.
    #[error("Your access is suspended. Ask your administrator.")]
    PersonSuspended,
    /// Not from this network.
    #[error("This is not allowed from this network. Use the staff Wi-Fi.")]
    Zone,
    /// Administrators only.
    #[error("Only an administrator may do this, from the administration network.")]
    NotAdministrator,
    /// Others may; see [`crate::access`].
    #[error("{}", .0.rule())]
    NotPermitted(Operation),
    /// One person would hold what two must.
    #[error(
        "A privacy officer neither administers nor leads a unit. Name somebody else, or end the other duty first."
    )]
    DutiesExclude,
    /// Not in the directory.
    #[error("There is no such person in the directory.")]
    NoSuchPerson,
    /// Not one of the facility's.
    #[error("There is no such unit.")]
    NoSuchUnit,
    /// A channel is its unit's.
    #[error(
        "A channel is for whoever works in its unit. Ask its charge nurse to add this person to the unit first."
    )]
    NotOfUnit,
    /// Closed.
    #[error("This conversation is archived and takes nothing new. Whoever may archive it can open it again.")]
    Archived,
    /// A direct conversation is what it is.
    #[error("Two people's conversation has no title, no other members and no end. Open a group for that.")]
    NotInDirect,
    /// Unknown, or not this person's: the two look the same from outside.
    #[error("There is no such conversation among yours.")]
    NoSuchConversation,
    /// Not in the directory.
    #[error("There is no such device.")]
    NoSuchDevice,
    /// A field is out of its range.
    #[error("The request has a field that is empty or out of range. Correct it and send it again.")]
    Invalid,
    /// A field is longer than its bound.
    #[error("This is too long. Shorten it and send it again.")]
    TooLarge,
    /// A bound of `limits.rs` is reached.
    #[error("A limit of this box is reached. Ask your administrator.")]
    Limit,
    /// The number was spent by another submission or skipped.
    #[error("This submission's number has passed. Send it again under the next number.")]
    NumberPassed,
    /// The number is as low as those of messages that the box has deleted since: nobody can tell whether it was taken.
    #[error("This message is too old to tell whether it was delivered. Ask, or write it anew.")]
    NumberForgotten,
    /// Not a cursor of this device and box.
    #[error("The cursor is not one of this box and device. Synchronise from the start.")]
    CursorInvalid,
    /// Too fast.
    #[error("Too many requests. Wait and send again.")]
    SlowDown {
        /// Milliseconds.
        retry_after_ms: u64,
    },
    /// The store has no room for new messages.
    #[error(
        "The box is out of disk space and takes no new messages. Call IT; your message is kept on this device."
    )]
    DiskLow,
    /// A part of the box is not answering.
    #[error("The box cannot do this right now. Try again in a moment.")]
    Unavailable,
    /// Its key is destroyed.
    #[error("This conversation was purged.")]
    Purged,
    /// A STAT for somebody who is not there.
    #[error("Somebody you chose is not in this conversation. Add them first, or choose others.")]
    NotAMember,
    /// Nobody else is in the conversation, or they are all suspended.
    #[error(
        "There is nobody in this conversation for whom it could ring. Call, or open one with a colleague."
    )]
    NobodyToRing,
    /// [`crate::limits::ESCALATIONS_UNANSWERED_MAX`].
    #[error("Too many STATs are open and unanswered. Call by telephone now, and tell your charge nurse.")]
    StatLimit,
    /// Closed, expired or never there.
    #[error("No STAT is open there: it was answered and closed.")]
    NoSuchStat,
    /// Somebody else has it.
    #[error("Somebody has this STAT already. The conversation shows who.")]
    StatTaken,
    /// Not signed by the device of this session, or about something else.
    #[error(
        "An answer to a STAT is signed by the device that gives it, and this one is not. Answer again; if it is refused again, update the app."
    )]
    StatUnsigned,
    /// Nobody, or two.
    #[error(
        "A call note says who was reached: somebody of the directory or somebody by name, or as what they were reached. Name one person."
    )]
    CallNoteWhom,
    /// Before the STAT, or ahead.
    #[error(
        "A call note says when the call was: since the STAT was sent, and not ahead of the box's clock. Correct the time."
    )]
    CallNoteWhen,
    /// Somebody else is coming.
    #[error("Somebody else is coming already. Say that you have it to take it from them.")]
    StatHeld,
    /// Held once, and nothing came of it.
    #[error("You said before that you are coming. Say that you have it, or that you cannot.")]
    HeldBefore,
    /// Longer than [`crate::limits::STAT_LOAD_SPAN_MS`], or it ends before it begins.
    #[error(
        "Figures are counted over 400 days at most, from an earlier moment to a later one. Ask for a shorter time."
    )]
    LoadSpan,
    /// A step's time, or an urgent message's, is out of range.
    #[error(
        "A step waits 15 to 3600 seconds, an urgent message 60 to 3600, or 0 for never. Correct it and save again."
    )]
    StepWait,
    /// A step that rings for the same people as one before it.
    #[error(
        "Two steps ring for the same. The first rings for whoever the sender names; the station screens come last by themselves."
    )]
    StepTwice,
    /// A step that would ring for nobody.
    #[error(
        "A step would ring for nobody: nobody of that kind works in the unit, the person is suspended, or nobody holds the role at some time of the next two weeks. Mend that first, or leave the step out."
    )]
    StepRingsNobody,
    /// A screen is nobody.
    #[error("A station screen shows what rings in its unit, and can do nothing else.")]
    StationOnly,
    /// Not one of the facility's.
    #[error("There is no such patient. Check the record number, or unit and bed.")]
    NoSuchPatient,
    /// One patient a bed.
    #[error("There is a patient in this bed. Choose another bed, or move or discharge that patient first.")]
    BedTaken,
    /// It names one patient.
    #[error(
        "Another patient has this record number. Check it; a patient who comes back needs the number alone."
    )]
    RecordNumberInUse,
    /// One stay at a time.
    #[error("This patient is admitted already. Transfer them instead.")]
    AlreadyAdmitted,
    /// The patient has left.
    #[error("This patient is discharged. Admit them again.")]
    EncounterOver,
    /// Long after the discharge.
    #[error("This patient was discharged and the thread is closed: it can be read, and takes nothing new.")]
    ThreadClosed,
    /// Members follow from the care team.
    #[error(
        "A patient's thread has no title, and its members are the patient's care team: change the care team, or take or end          an assignment of the bed."
    )]
    InPatientThread,
    /// Ended, or never there.
    #[error("There is no such assignment: it may have ended.")]
    NoSuchAssignment,
    /// The end does not lie where it may.
    #[error(
        "The end must lie ahead: of beds, roles and agency staff within the next 16 hours, of an extension later than the end so far. Hours count from now. Give another time."
    )]
    EndInvalid,
    /// Beds are for the unit's staff.
    #[error(
        "Beds and roles go to whoever works in their unit. Ask its charge nurse to add this person to the unit first."
    )]
    NotStaffOfUnit,
    /// Here for another reason, or not at all.
    #[error(
        "This person is not in the care team by hand. Who holds the bed leaves with the end of their assignment; an          attending, when another is named."
    )]
    NotByHand,
    /// Not one of the facility's.
    #[error("There is no such role. Look at the list of roles.")]
    NoSuchRole,
    /// Not in the IANA database.
    #[error("There is no such time zone. Give one as Europe/Berlin or America/Chicago.")]
    NoSuchZone,
    /// What a rota cannot be.
    #[error("{0}")]
    Rota(RotaRefusal),
    /// In the thread already.
    #[error("You are in this patient's thread already: open it.")]
    EmergencyNotNeeded,
    /// Never there, or reviewed and over.
    #[error("There is no such emergency access that goes on or waits for a review.")]
    NoSuchEmergency,
    /// Says nothing.
    #[error("Say why, in ten characters or more: a privacy officer reads it.")]
    GroundsTooShort,
    /// For ever, or not at all.
    #[error("Messages are kept for an hour to ten years (87,600 hours). Give a time between the two.")]
    RetentionOutOfRange,
    /// See [`crate::retention::LONGEST_OF_SHORTEST`].
    #[error("The longest of these times is more than 128 times the shortest. Bring them closer together.")]
    RetentionTooUneven,
    /// Under legal hold.
    #[error("This must be kept: it is under legal hold. A privacy officer can say more, and lift it.")]
    Held,
    /// Of a message under legal hold, to its author, who is not to learn of the hold.
    #[error("Messages here are kept as they were written for now. Send another that corrects this one.")]
    KeptAsWritten,
    /// Never there, or lifted.
    #[error("There is no such legal hold. Look at the list of legal holds.")]
    NoSuchHold,
    /// Not for whoever is not named.
    #[error(
        "This patient is restricted: who may see them is named by a charge nurse of the unit or the attending. Ask them to name you; in an emergency, break the glass together with a colleague."
    )]
    Restricted,
    /// Not a restricted one.
    #[error("This patient is not restricted.")]
    NotRestricted,
    /// The last name would be gone.
    #[error(
        "Nobody could see this patient then. Name at least one person who cares for them, or lift the restriction."
    )]
    NobodyNamed,
    /// Both numbers are of one record.
    #[error(
        "Both numbers are of one record. Name the record that survives and the one that is merged into it."
    )]
    SameRecord,
    /// One is merged into another already.
    #[error(
        "This record is merged into another one. Use the surviving record's number, or un-merge this one first."
    )]
    RecordMerged,
    /// A merged one into which others are merged.
    #[error("Other records are merged into this one. Un-merge them first, or merge the other way round.")]
    HasMergedRecords,
    /// Nothing to un-merge.
    #[error(
        "This record is not merged into another one. Name the record that was merged, not the surviving one."
    )]
    RecordNotMerged,
    /// Which bed's attending is meant?
    #[error(
        "This patient has two stays, under two records. Say which stay is meant, or discharge the one that is not."
    )]
    SeveralStays,
    /// One reviews, or one cares.
    #[error("A privacy officer reviews who reads, and is not named. Name whoever cares for the patient.")]
    ReviewerNotNamed,
    /// One cannot be two.
    #[error("It takes another person: a colleague who works in a unit countersigns on their own device.")]
    SecondPerson,
    /// Over, withdrawn, countersigned, or never there.
    #[error(
        "There is no such request: it was answered or withdrawn, or its five minutes are over. Ask again."
    )]
    NoSuchEmergencyRequest,
    /// A role that somebody held would be nobody's.
    #[error("Nobody would hold this role then. Give it to somebody, or wait for them to take it.")]
    RoleUnheld,
    /// Answered, withdrawn, over, or never there.
    #[error(
        "This role is not offered any more, or never was. See wardline role offers, or ask for it again."
    )]
    NoSuchOffer,
    /// Its time has not come.
    #[error("This hand-over begins later. Accept it then; until then whoever holds the role holds it.")]
    OfferEarly,
    /// To themselves.
    #[error("This person holds the role already. Offer it to somebody else.")]
    OfferToHolder,
    /// Nobody to hand over.
    #[error(
        "Nobody holds this place of the role now, so there is nothing to hand over. Take it, or ask a charge nurse to give it."
    )]
    PlaceUnheld,
    /// Out of range.
    #[error(
        "A hand-over begins while whoever gives it still holds the role, and lasts 16 hours at most. Give other times."
    )]
    OfferTime,
    /// No word in it.
    #[error("Type at least one word or number to look for.")]
    SearchEmpty,
    /// More than a search takes.
    #[error("A search takes at most 8 words. Leave some out.")]
    SearchTooLong,
    /// More to read than one search may.
    #[error("Too many messages fit this. Add a word, write one out, or look in one conversation.")]
    SearchTooBroad,
    /// From an agency, and their end has passed.
    #[error("Your time here has ended. Ask the charge nurse to admit you again.")]
    AgencyOver,
    /// Perhaps the same person.
    #[error("{}", if *.here {
        "Somebody of this name and agency is here now: extend their time. If this is another person, say so."
    } else {
        "Somebody of this name and agency was here before: admit that person again. If this is another person, say so."
    })]
    AgencyKnown {
        /// Whoever it may be is here now.
        here: bool,
    },
    /// Perhaps a slip of the identifier.
    #[error(
        "This identifier is of somebody else: name and agency do not fit it. Look at the list of agency staff."
    )]
    AgencyOther,
    /// Suspended by an act.
    #[error(
        "Somebody of this name and agency is suspended. An administrator says whether they may come back."
    )]
    AgencyBarred,
    /// What has no end is not for who has one.
    #[error(
        "Whoever is here from an agency has an end: they administer and review nothing, lead no unit, answer for no patient's stay, are named to no restricted patient, and stand in no rota or policy. Name somebody else."
    )]
    AgencyBound,
    /// A bed or role that would outlast its holder.
    #[error("This lasts longer than their time here. Give an earlier end, or extend their time first.")]
    BeyondAgencyEnd,
    /// [`crate::limits::AGENCY_EXTENSIONS_MAX`].
    #[error("Their time was extended as often as it may be. Let it end; for another shift admit them again.")]
    AgencyExtended,
    /// The facility's own, or out already.
    #[error(
        "This person is not here from an agency now: their time has ended, or they are the facility's own."
    )]
    NotAgency,
    /// Decided already, or never a charge nurse's.
    #[error("No suspension of this person waits to be confirmed: somebody may have decided it already.")]
    NoSuchSuspension,
    /// It is kept, since the audit names it, and nobody holds it.
    #[error("This role was retired: nobody holds it any more. Name another.")]
    RoleRetired,
    /// Whose it is; none: the facility's.
    #[error("{} rings this role. Let it ring somebody else first, then retire the role.", match .0 {
        Some(unit) => format!("The escalation policy of a unit ({unit})"),
        None => "The facility's escalation policy".to_owned(),
    })]
    RoleIsRung(Option<UnitId>),
    /// See [`crate::alarm`].
    #[error(
        "Whoever holds this role is told of the box's alarms. Choose another role for those first, then retire this one."
    )]
    RoleHearsAlarms,
    /// Not among [`crate::attachment::ALL`], or left out by the policy.
    #[error(
        "This type of file is not taken here. Photos (JPEG, PNG, HEIC, WebP), PDF and audio notes (Ogg, WebM, M4A, WAV) may be attached where the policy allows; save it as one of these."
    )]
    AttachmentType,
    /// Above what the policy says of its type.
    #[error(
        "This file is larger than may be attached here. Make it smaller, or send a part of it; the policy says how large files may be."
    )]
    AttachmentTooLarge,
    /// [`crate::limits::ATTACHMENTS_OF_MESSAGE_MAX`].
    #[error("A message takes at most 8 files. Send the others with another message.")]
    TooManyAttachments,
    /// Never begun, sent, given up, or of another device or conversation.
    #[error(
        "The box does not know this upload: it was never begun, was sent already, or was given up after a day. Attach the file again."
    )]
    NoSuchUpload,
    /// Half an upload.
    #[error("The file has not arrived whole. Let the upload go on to its end, then send.")]
    UploadUnfinished,
    /// Another hash.
    #[error(
        "What arrived is not the file that was announced: it changed meanwhile, or was damaged. Attach it again."
    )]
    UploadNotAsSaid,
    /// Another type.
    #[error("This file is not of the type that it was said to be. Attach it as what it is.")]
    AttachmentMistyped,
    /// [`crate::limits::UPLOADS_OF_DEVICE_MAX`], [`crate::limits::UPLOADS_MAX`].
    #[error(
        "Too many files were begun and not sent. Send the messages they are for; what is never sent goes after a day."
    )]
    UploadLimit,
    /// One name for two files.
    #[error("Another file goes by this upload's name. Begin this one under a new name.")]
    UploadOther,
    /// None of that message's, or gone.
    #[error("There is no such attachment: the message has none there, or it was recalled or has expired.")]
    NoSuchAttachment,
    /// Too large, or too small to be meant.
    #[error(
        "Files of a sort may have at most 1 KiB to 64 MiB (67,108,864 bytes); 0 leaves the sort out. Give other sizes."
    )]
    AttachmentPolicyRange,
    /// Empty, too long, or with control characters.
    #[error("A file's name has 1 to 120 bytes and no control characters. Rename it, and attach it again.")]
    AttachmentName,
    /// Expired, not there, or before what this person may read.
    #[error("There is no such message here that you may read. Check its number.")]
    NoSuchMessage,
    /// Older than [`crate::limits::EDIT_MS`].
    #[error("A message can be edited for 15 minutes. Send another that corrects it, or recall this one.")]
    EditTooLate,
    /// [`crate::limits::EDITS_MAX`].
    #[error("A message can be edited ten times. Send another that corrects it.")]
    EditsSpent,
    /// Older than [`crate::limits::RECALL_MS`].
    #[error("A message can be recalled for 24 hours. Send another that corrects it.")]
    RecallTooLate,
    /// There is nothing left to edit.
    #[error("This message was recalled. Send another.")]
    MessageRecalled,
    /// Its text must stay what rang.
    #[error("A STAT stays what people were called for. Send another message that corrects it.")]
    StatNotEdited,
    /// It still rings, or somebody has it.
    #[error("This STAT is open. Close it first, then recall it.")]
    StatOpen,
    /// The author has not seen the newest text.
    #[error("This message was edited on another of your devices meanwhile. Look at it, then edit it again.")]
    EditedMeanwhile,
    /// Mentioned, and does not read it.
    #[error("Whoever is mentioned must be in the conversation. Add them first, or leave the mention out.")]
    MentionedNotMember,
    /// Mentioned by a role that nobody of the conversation holds.
    #[error(
        "Nobody in the conversation holds that role now. Mention a person, or write to whoever holds it: the list of roles says who."
    )]
    MentionedRoleUnheld,
    /// [`crate::limits::MENTIONS_MAX`].
    #[error(
        "A message mentions 16 people and roles at most. Leave some out: everybody in the conversation reads it."
    )]
    TooManyMentions,
    /// What a task cannot be.
    #[error("{0}")]
    Task(TaskRefusal),
    /// What an order cannot be.
    #[error("{0}")]
    Order(OrderRefusal),
    /// Of the bell.
    #[error(transparent)]
    Bell(BellRefusal),
    /// What somebody cannot say of their availability.
    #[error("{0}")]
    Availability(AvailabilityRefusal),
    /// What a set of templates cannot be.
    #[error("{0}")]
    Templates(TemplateRefusal),
    /// About what is written to a role.
    #[error("{0}")]
    Inbox(InboxRefusal),
    /// About announcements.
    #[error("{0}")]
    Broadcast(BroadcastRefusal),
    /// About the certificate for the names that people type.
    #[error("{0}")]
    WebCertificate(WebCertificateRefusal),
    /// Nobody is to take a reaction for an answer.
    #[error(
        "This is an open STAT: it wants an answer, and a reaction is none. Say that you have it, or that you cannot."
    )]
    StatWantsAnswer,
    /// [`crate::limits::REACTORS_MAX`].
    #[error("Fifty people have reacted to this message, and more do not fit. Write an answer.")]
    ReactionsFull,
    /// Nobody of the team has answered.
    #[error("Nobody has let you in yet. Tell the nurse at the bedside that you asked, and wait.")]
    FamilyWaiting,
    /// Not let in.
    #[error("The team did not let you in. Speak with the nurse at the bedside.")]
    FamilyDeclined,
    /// Out.
    #[error("Your time in this family thread has ended. Speak with the nurse at the bedside.")]
    FamilyOver,
    /// Not on the list of [`crate::family::may_ask`].
    #[error(
        "A visitor reads and writes in their own family thread, and does nothing else. Ask the care team for anything more."
    )]
    FamilyOnly,
    /// Without it nobody is let in.
    #[error(
        "No consent to family is on record for this stay. Ask the patient, and record what they say first."
    )]
    NoFamilyConsent,
    /// See [`crate::family::BlockList`].
    #[error(
        "Somebody of this name is on the patient's block list. Decline, or make sure who this is and take the name off the list first."
    )]
    FamilyBlocked,
    /// Unknown, ended and expired codes look the same from outside.
    #[error(
        "This code is not valid any more. Ask the nurse at the bedside for the one that hangs there now."
    )]
    BedsideCodeInvalid,
    /// [`crate::limits::VISITS_WAITING_MAX`].
    #[error("As many people wait at this bed as may. Speak with the nurse there, who answers them first.")]
    FamilyBusy,
    /// Answered, forgotten, out, or never there.
    #[error("Nobody of this number waits or is let in: it was answered, or is over. Look at the list again.")]
    NoSuchVisit,
    /// [`crate::limits::VISITOR_DEVICES_MAX`].
    #[error(
        "This visitor has as many devices as one may have. End their visit and let them in anew, or decline."
    )]
    VisitorDevices,
    /// Members follow from the care team and from who was let in.
    #[error(
        "A family thread is the care team's and the family's: let visitors in or end their visit by wardline family."
    )]
    InFamilyThread,
    /// Family would be rung.
    #[error(
        "A family thread takes no STAT: the family would be called. Send it in the patient's own thread."
    )]
    FamilyNoStat,
    /// Discharged, consent withdrawn, or by hand.
    #[error("This family thread has ended: it can be read, and takes nothing new.")]
    FamilyThreadEnded,
    /// The end does not lie where it may.
    #[error("A visit's end lies ahead, within the next 30 days. Give another time.")]
    VisitEndInvalid,
    /// Nothing to take off.
    #[error("This name is not on the block list. Give it as it is written there.")]
    NotBlocked,
    /// There is one patient.
    #[error(
        "The patient is in their own thread already. Let this device in as theirs, or end their visit first."
    )]
    FamilyOwnTaken,
}

impl LogSafe for Refusal {}
