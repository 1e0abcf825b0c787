//! Bytes and frames: `docs/protocol/`. Nothing foreign gets past here unparsed.

use prost::Message as _;

use crate::agency;
use crate::alarm;
use crate::attachment::{self, Announced};
use crate::audit;
use crate::availability;
use crate::bell;
use crate::broadcast;
use crate::clinical;
use crate::composing::Lease;
use crate::directory::{Post, PublicKey};
use crate::escalation::policy::{Dial, EscalationPolicy, Ring};
use crate::escalation::signed::{CallNote, Said, Unproven};
use crate::escalation::{Priority, Reason, StatId};
use crate::export;
use crate::family;
use crate::hold;
use crate::ids::{
    ConversationId, DeviceId, EditId, MessageId, Number, PersonId, RequestId, RoleId, Sequence, UnitId,
    UploadId,
};
use crate::inbox;
use crate::input::{Ask, Call, Fresh};
use crate::leaving;
use crate::limits;
use crate::login::Presented;
use crate::mention::Named;
use crate::order::{self, signed::Unproven as UnprovenDeed};
use crate::passkey::{Assertion, CredentialId, Made, PasskeyAsk};
use crate::pin::{self, Pin};
use crate::printing::{self, Print};
use crate::reaction::Reaction;
use crate::refusal::{PeerFault, Refusal};
use crate::retention::Rules;
use crate::role;
use crate::search::Search;
use crate::stat::Answer;
use crate::stat::load::Span;
use crate::task::{self, Giving};
use crate::template;
use crate::text::{FileName, Name, Text, Title};
use crate::time::Wall;
use crate::web_certificate::{self, ChosenFile};

/// The types of `docs/protocol/wardline.proto`.
#[allow(missing_docs, clippy::all, unreachable_pub, reason = "generated; the .proto has the words")]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/wardline.v1.rs"));
}

/// The one version that this box speaks.
pub const VERSION: u32 = 1;

/// Bytes before each frame: its length, big-endian.
pub const PREFIX: usize = 4;

/// How long the coming frame is, by its prefix. Empty frames are malformed.
pub fn frame_length(prefix: [u8; PREFIX], max: usize) -> Result<usize, PeerFault> {
    let length = u32::from_be_bytes(prefix) as usize;
    match length {
        0 => Err(PeerFault::Malformed),
        length if length > max => Err(PeerFault::Oversize),
        length => Ok(length),
    }
}

/// Bytes that a message takes for whom it names and what is put to it: they count towards a page as its text does.
pub fn beside(mentions: &[proto::Mention], reactions: &[proto::Reaction]) -> usize {
    // Field and length of each, and its own fields.
    const MENTION: usize = 3 + 9 + 9;
    const REACTION: usize = 4 + 2 + 3;
    let people: usize = reactions.iter().map(|reaction| reaction.people.len()).sum();
    mentions.len() * MENTION + reactions.len() * REACTION + people * 8
}

/// Bytes of what became of an exported message.
pub fn acts_length(acts: &proto::ExportActs) -> usize {
    prost::Message::encoded_len(acts)
}

/// A frame with its prefix.
pub fn encode_frame(frame: &impl prost::Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + frame.encoded_len());
    append_frame(frame, &mut bytes);
    bytes
}

/// The same behind what is there.
pub fn append_frame(frame: &impl prost::Message, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(frame.encoded_len() as u32).to_be_bytes());
    frame.encode_raw(bytes);
}

/// Fields of a protobuf message that are written by hand so that a fan-out encodes its event once.
mod raw {
    pub(super) fn length_delimited(field: u32, length: usize, into: &mut Vec<u8>) {
        prost::encoding::encode_key(field, prost::encoding::WireType::LengthDelimited, into);
        prost::encoding::encode_varint(length as u64, into);
    }
}

/// An event as the `event` field of a `Delivery`: the same bytes for everybody.
pub fn encode_event(kind: proto::event::Kind) -> Vec<u8> {
    let event = proto::Event { kind: Some(kind) };
    let length = event.encoded_len();
    let mut bytes = Vec::with_capacity(length + 8);
    raw::length_delimited(2, length, &mut bytes);
    event.encode_raw(&mut bytes);
    bytes
}

/// What stands before such an event for one device: prefix, `delivery` field of the frame, its `cursor` field.
pub fn delivery_head(cursor: &[u8; 16], event_length: usize) -> Vec<u8> {
    const CURSOR_FIELD: usize = 2 + 16;
    let delivery = CURSOR_FIELD + event_length;
    let mut head = Vec::with_capacity(PREFIX + 8 + CURSOR_FIELD);
    head.extend_from_slice(&[0; PREFIX]);
    raw::length_delimited(10, delivery, &mut head);
    let frame = head.len() - PREFIX + delivery;
    head[..PREFIX].copy_from_slice(&(frame as u32).to_be_bytes());
    raw::length_delimited(1, 16, &mut head);
    head.extend_from_slice(cursor);
    head
}

/// A client's frame, taken apart and checked field by field.
pub enum Incoming {
    /// The first frame.
    Hello {
        /// Lowest and highest version the client speaks.
        versions: (u32, u32),
        /// Name and version of the client; only ASCII that prints.
        client: String,
        /// The device that will prove itself.
        device: Option<DeviceId>,
    },
    /// A join.
    Join {
        /// [`pin::join_code_hash`].
        code: [u8; 32],
        /// The device's key.
        key: PublicKey,
        /// The device's name.
        name: Name,
        /// The chosen PIN.
        pin: Pin,
        /// To be verified.
        signature: Vec<u8>,
        /// Of its login secret.
        presented: Presented,
    },
    /// Somebody at a bed asks to be let in.
    AskToVisit {
        /// [`pin::bedside_code_hash`].
        code: [u8; 32],
        /// The device's key.
        key: PublicKey,
        /// The device's name.
        device_name: Name,
        /// Who they say they are.
        name: Name,
        /// What they say they are to the patient. May be empty.
        relation: Title,
        /// The chosen PIN.
        pin: Pin,
        /// To be verified.
        signature: Vec<u8>,
    },
    /// A proof.
    Prove {
        /// Which device.
        device: DeviceId,
        /// To be verified.
        signature: Vec<u8>,
        /// Of its login secret.
        presented: Presented,
    },
    /// A PIN.
    Unlock {
        /// As typed.
        pin: Pin,
    },
    /// A passkey that was made, still to be verified.
    AddPasskey(Box<Made>),
    /// A passkey that was used, still to be verified.
    UnlockByPasskey(Box<Assertion>),
    /// A downtime sheet is about to be printed, by whoever has the PIN.
    RecordPrint {
        /// What.
        print: Print,
        /// As typed.
        pin: Pin,
    },
    /// A certificate and its chain, still to be read.
    ImportWebCertificate(ChosenFile),
    /// A message, its text still to be sealed.
    Submit {
        /// The device's number.
        number: Number,
        /// The message's name.
        message: MessageId,
        /// Where.
        conversation: ConversationId,
        /// What it says.
        text: Text,
        /// How urgent it is.
        priority: Priority,
        /// For whom it rings, if it is a STAT.
        call: Call,
        /// What it is in reply to.
        reply_to: Option<Sequence>,
        /// Whom it names.
        mentions: Named,
        /// Its files, their names still to be sealed.
        attachments: Vec<(UploadId, FileName)>,
        /// What it is to an order, its signature still to be verified.
        order: Option<UnprovenDeed>,
    },
    /// A message that was sealed when it was composed, still to be opened: then it is [`parse_composed`].
    SubmitSealed {
        /// The device's number.
        number: Number,
        /// Under which key it is.
        lease: Lease,
        /// The message's name.
        message: MessageId,
        /// Nonce, ciphertext, tag.
        sealed: Vec<u8>,
    },
    /// Another text for a message, still to be sealed; the message still to be looked up.
    Edit {
        /// Which.
        message: StatId,
        /// The how many-eth edit.
        version: u32,
        /// The edit's name.
        name: EditId,
        /// What it says from now on.
        text: Text,
    },
    /// No text any more for a message, which is still to be looked up.
    Recall {
        /// Which.
        message: StatId,
    },
    /// A reaction to a message, or one that is taken back; the message still to be looked up.
    React {
        /// To which.
        message: StatId,
        /// What.
        reaction: Reaction,
        /// Not any more.
        taken_back: bool,
    },
    /// An answer to a STAT, its signature still to be verified.
    AnswerStat(Unproven),
    /// A task about a message, which is still to be looked up.
    GiveTask(Giving),
    /// What is said to the read-back of an order, its signature still to be verified.
    AnswerOrder(StatId, UnprovenDeed),
    /// A file is announced, its key still to be drawn.
    BeginUpload(Announced),
    /// A file is there, if the doorway has it.
    FinishUpload {
        /// Which.
        name: UploadId,
    },
    /// Whether the way here and back works: answered at the door, and no act of anybody's.
    Echo,
    /// Anything else.
    Ask(Ask),
}

/// A frame out of its bytes (without prefix), or why the connection must close.
pub fn decode_client(bytes: &[u8]) -> Result<proto::ClientFrame, PeerFault> {
    if bytes.len() > limits::CLIENT_FRAME_MAX {
        return Err(PeerFault::Oversize);
    }
    proto::ClientFrame::decode(bytes).map_err(|_| PeerFault::Malformed)
}

/// The first frame of a stream that carries a file (without prefix), or why the stream must end.
pub fn decode_transfer(bytes: &[u8]) -> Result<proto::TransferRequest, PeerFault> {
    proto::TransferRequest::decode(bytes).map_err(|_| PeerFault::Malformed)
}

/// The request in a frame. `fresh` is drawn only where something new is named. A field out of range is a refusal: the
/// connection goes on.
pub fn parse(
    frame: proto::ClientFrame,
    mut fresh: impl FnMut() -> Fresh,
) -> (RequestId, Result<Incoming, Refusal>) {
    use proto::client_frame::Body;
    let request = RequestId(frame.request);
    let incoming = match frame.body {
        None => Err(Refusal::UnknownRequest),
        Some(Body::Hello(hello)) => parse_hello(hello),
        Some(Body::Join(join)) => parse_join(join),
        Some(Body::AskToVisit(ask)) => family::parse_ask(ask),
        Some(Body::Prove(prove)) => parse_prove(prove),
        Some(Body::Unlock(unlock)) => Pin::offer(unlock.pin).map(|pin| Incoming::Unlock { pin }),
        Some(Body::AddPasskey(add)) => Made::parse(add).map(|made| Incoming::AddPasskey(Box::new(made))),
        Some(Body::UnlockByPasskey(unlock)) => {
            Assertion::parse(unlock).map(|assertion| Incoming::UnlockByPasskey(Box::new(assertion)))
        }
        Some(Body::RecordPrint(record)) => printing::parse(record.unit, record.pages)
            .and_then(|print| Ok(Incoming::RecordPrint { print, pin: Pin::offer(record.pin)? })),
        Some(Body::ImportWebCertificate(import)) => {
            ChosenFile::parse(import).map(Incoming::ImportWebCertificate)
        }
        Some(Body::Submit(submit)) => parse_submit(submit),
        Some(Body::SubmitSealed(sealed)) => parse_sealed(sealed),
        Some(Body::EditMessage(edit)) => parse_edit(edit),
        Some(Body::RecallMessage(recall)) => {
            stat(recall.conversation, recall.sequence).map(|message| Incoming::Recall { message })
        }
        Some(Body::React(react)) => parse_react(&react),
        Some(Body::AnswerStat(answer)) => parse_answer(answer),
        Some(Body::AnswerOrder(answer)) => {
            order::parse_answer(answer).map(|(order, said)| Incoming::AnswerOrder(order, said))
        }
        Some(Body::GiveTask(give)) => task::parse_give(&give).map(Incoming::GiveTask),
        Some(Body::BeginUpload(begin)) => attachment::parse_begin(begin).map(Incoming::BeginUpload),
        Some(Body::FinishUpload(finish)) => {
            attachment::parse_name(&finish.upload).map(|name| Incoming::FinishUpload { name })
        }
        Some(Body::Echo(_)) => Ok(Incoming::Echo),
        Some(other) => parse_ask(other, &mut fresh).map(Incoming::Ask),
    };
    (request, incoming)
}

fn parse_hello(hello: proto::Hello) -> Result<Incoming, Refusal> {
    let client = hello.client;
    if client.len() > limits::NAME_MAX || !client.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(Refusal::Invalid);
    }
    let device = match hello.device {
        0 => None,
        value => Some(DeviceId::new(value).ok_or(Refusal::DeviceUnknown)?),
    };
    Ok(Incoming::Hello { versions: (hello.version_min, hello.version_max), client, device })
}

fn parse_join(join: proto::Join) -> Result<Incoming, Refusal> {
    // Read with a bound before anything is computed from it.
    if join.code.len() != limits::JOIN_CODE_CHARACTERS {
        return Err(Refusal::JoinCodeInvalid);
    }
    Ok(Incoming::Join {
        code: pin::join_code_hash(&join.code),
        key: PublicKey::parse(&join.device_key).ok_or(Refusal::Invalid)?,
        name: Name::parse(&join.device_name)?,
        pin: Pin::choose(join.pin)?,
        signature: join.signature,
        presented: Presented::parse(join.rotates, &join.login_secret)?,
    })
}

fn parse_prove(prove: proto::Prove) -> Result<Incoming, Refusal> {
    let device = DeviceId::new(prove.device).ok_or(Refusal::DeviceUnknown)?;
    let presented = Presented::parse(prove.rotates, &prove.login_secret)?;
    Ok(Incoming::Prove { device, signature: prove.signature, presented })
}

fn parse_submit(submit: proto::Submit) -> Result<Incoming, Refusal> {
    Ok(Incoming::Submit {
        number: number(submit.number)?,
        message: MessageId(submit.message.as_slice().try_into().map_err(|_| Refusal::Invalid)?),
        conversation: conversation(submit.conversation)?,
        priority: match proto::Priority::try_from(submit.priority) {
            Ok(proto::Priority::Unspecified | proto::Priority::Routine) => Priority::Routine,
            Ok(proto::Priority::Urgent) => Priority::Urgent,
            Ok(proto::Priority::Stat) => Priority::Stat,
            Err(_) => return Err(Refusal::Invalid),
        },
        call: call(submit.call)?,
        reply_to: Some(Sequence(submit.reply_to)).filter(|to| *to > Sequence::NONE),
        mentions: Named::parse(&submit.mention_people, &submit.mention_roles)?,
        attachments: attachment::parse_attached(submit.attachments)?,
        order: submit.order.map(order::parse_part).transpose()?,
        text: Text::parse(submit.text)?,
    })
}

fn parse_sealed(sealed: proto::SubmitSealed) -> Result<Incoming, Refusal> {
    Ok(Incoming::SubmitSealed {
        number: number(sealed.number)?,
        lease: Lease(sealed.lease),
        message: MessageId(sealed.message.as_slice().try_into().map_err(|_| Refusal::Invalid)?),
        sealed: sealed.sealed,
    })
}

/// What was in a [`Incoming::SubmitSealed`], under the number that it comes with; and whether that is the one within.
pub fn parse_composed(
    opened: &[u8],
    message: MessageId,
    number: Number,
) -> Result<(Incoming, bool), Refusal> {
    let submit = proto::Submit::decode(opened).map_err(|_| Refusal::SealedOtherwise)?;
    if submit.message[..] != message.0 {
        return Err(Refusal::SealedOtherwise);
    }
    let as_numbered = submit.number == number.0;
    Ok((parse_submit(proto::Submit { number: number.0, ..submit })?, as_numbered))
}

fn parse_edit(edit: proto::EditMessage) -> Result<Incoming, Refusal> {
    Ok(Incoming::Edit {
        message: stat(edit.conversation, edit.sequence)?,
        version: edit.version,
        name: EditId(edit.edit.as_slice().try_into().map_err(|_| Refusal::Invalid)?),
        text: Text::parse(edit.text)?,
    })
}

fn parse_react(react: &proto::React) -> Result<Incoming, Refusal> {
    Ok(Incoming::React {
        message: stat(react.conversation, react.sequence)?,
        reaction: Reaction::parse(react.reaction()).ok_or(Refusal::Invalid)?,
        taken_back: react.taken_back,
    })
}

fn parse_ask(body: proto::client_frame::Body, fresh: &mut impl FnMut() -> Fresh) -> Result<Ask, Refusal> {
    use proto::client_frame::Body;
    Ok(match body {
        Body::Sync(sync) => match sync.cursor.len() {
            0 | 16 => Ask::Sync { cursor: sync.cursor },
            _ => return Err(Refusal::CursorInvalid),
        },
        Body::Receipt(receipt) => Ask::Receipt {
            conversation: conversation(receipt.conversation)?,
            delivered: Sequence(receipt.delivered),
            read: Sequence(receipt.read),
        },
        Body::History(history) => Ask::History {
            conversation: conversation(history.conversation)?,
            before: Sequence(history.before),
            limit: history.limit,
        },
        Body::OpenDirect(open) => Ask::OpenDirect { person: person(open.person)?, fresh: fresh() },
        Body::OpenGroup(open) => Ask::OpenGroup {
            title: Title::parse(&open.title)?,
            people: people(&open.people)?,
            fresh: fresh(),
        },
        Body::ChangeMembers(change) => Ask::ChangeMembers {
            conversation: conversation(change.conversation)?,
            add: people(&change.add)?,
            remove: people(&change.remove)?,
        },
        Body::OpenChannel(open) => {
            Ask::OpenChannel { unit: unit(open.unit)?, title: Title::parse(&open.title)?, fresh: fresh() }
        }
        Body::JoinChannel(join) => Ask::JoinChannel { conversation: conversation(join.conversation)? },
        Body::ListChannels(list) => Ask::ListChannels {
            after: match list.after {
                0 => None,
                after => Some(conversation(after)?),
            },
        },
        Body::ListAllChannels(list) => Ask::ListAllChannels {
            unit: if list.unit == 0 { None } else { Some(unit(list.unit)?) },
            after: if list.after == 0 { None } else { Some(conversation(list.after)?) },
        },
        Body::Rename(rename) => Ask::Rename {
            conversation: conversation(rename.conversation)?,
            title: Title::parse(&rename.title)?,
        },
        Body::Archive(archive) => {
            Ask::Archive { conversation: conversation(archive.conversation)?, archived: archive.archived }
        }
        Body::ListUnits(_) => Ask::ListUnits,
        Body::SetPost(set) => Ask::SetPost {
            person: person(set.person)?,
            unit: unit(set.unit)?,
            post: match set.rank() {
                proto::Rank::None => None,
                proto::Rank::Staff => Some(Post::Staff),
                proto::Rank::ChargeNurse => Some(Post::ChargeNurse),
                proto::Rank::Unspecified => return Err(Refusal::Invalid),
            },
        },
        Body::SetUnit(set) => {
            Ask::SetUnit { unit: some_unit(set.unit)?, name: Name::parse(&set.name)?, fresh: fresh() }
        }
        Body::SetDuties(set) => Ask::SetDuties {
            person: person(set.person)?,
            administrator: set.administrator,
            privacy_officer: set.privacy_officer,
        },
        Body::ListPeople(list) => Ask::ListPeople {
            after: match list.after {
                0 => None,
                after => Some(person(after)?),
            },
        },
        Body::Active(_) => Ask::Active,
        Body::Lock(_) => Ask::Lock,
        Body::AskPasskeyChallenge(_) => Ask::Passkey(PasskeyAsk::Challenge { fresh: fresh() }),
        Body::RemovePasskey(remove) => {
            let credential = CredentialId::parse(&remove.credential).ok_or(Refusal::NoSuchPasskey)?;
            Ask::Passkey(PasskeyAsk::Remove { credential })
        }
        Body::ListPasskeys(_) => Ask::Passkey(PasskeyAsk::List),
        body @ (Body::AskBell(_) | Body::SetBell(_) | Body::ClearBell(_)) => Ask::Bell(bell::parse(body)?),
        body @ (Body::AskAlarms(_) | Body::SetAlarmRole(_)) => Ask::Alarms(alarm::parse(body, fresh)?),
        Body::SetBellPolicy(set) => Ask::SetBellPolicy { on: set.on },
        Body::AddPerson(add) => Ask::AddPerson {
            name: Name::parse(&add.name)?,
            title: match add.title.len() {
                0 => Title::default(),
                1..=limits::NAME_MAX => Title::parse(&add.title)?,
                _ => return Err(Refusal::TooLarge),
            },
            administrator: add.administrator,
            fresh: fresh(),
        },
        Body::IssueJoinCode(issue) => Ask::IssueJoinCode { person: person(issue.person)?, fresh: fresh() },
        Body::ClearPin(clear) => Ask::ClearPin { person: person(clear.person)?, fresh: fresh() },
        Body::RevokeDevice(revoke) => {
            Ask::RevokeDevice { device: DeviceId::new(revoke.device).ok_or(Refusal::NoSuchDevice)? }
        }
        Body::SetStanding(set) => Ask::SetStanding { person: person(set.person)?, suspended: set.suspended },
        Body::PurgeConversation(purge) => {
            Ask::PurgeConversation { conversation: conversation(purge.conversation)? }
        }
        Body::ListDevices(list) => Ask::ListDevices { person: person(list.person)? },
        Body::Here(_) => Ask::Here,
        Body::AskProspect(ask) => {
            Ask::Prospect { conversation: conversation(ask.conversation)?, call: call(ask.call)? }
        }
        Body::ReadStat(read) => Ask::ReadStat { stat: stat(read.conversation, read.sequence)? },
        Body::SetEscalation(set) => {
            let policy = set.policy.unwrap_or_default();
            Ask::SetEscalation {
                unit: some_unit(policy.unit)?,
                policy: if set.standard { None } else { Some(parse_policy(&policy)?) },
            }
        }
        Body::ListEscalation(_) => Ask::ListEscalation,
        Body::AskStatLoad(ask) => {
            Ask::StatLoad(Span::new(some_unit(ask.unit)?, Wall(ask.since), Wall(ask.until))?)
        }
        Body::AddStation(add) => {
            Ask::AddStation { unit: unit(add.unit)?, name: Name::parse(&add.name)?, fresh: fresh() }
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
        | Body::ListBeds(_) => Ask::Clinical(clinical::parse(body, fresh)?),
        Body::SetRole(_)
        | Body::TakeRole(_)
        | Body::ReturnRole(_)
        | Body::ReadRota(_)
        | Body::ImportRota(_)
        | Body::RetireRole(_)
        | Body::OfferRole(_)
        | Body::AnswerOffer(_)
        | Body::ListOffers(_)
        | Body::ListRoles(_) => Ask::Role(role::parse(body, fresh)?),
        Body::AnswerTask(_) | Body::ReassignTask(_) | Body::ListTasks(_) => Ask::Task(task::parse(body)?),
        Body::FileOrder(_) | Body::ListOrders(_) | Body::SetOrderPolicy(_) | Body::ListOrderPolicies(_) => {
            Ask::Order(order::parse(body)?)
        }
        Body::SetAvailability(_)
        | Body::RefuseCover(_)
        | Body::AskAvailability(_)
        | Body::AskNumbers(_)
        | Body::SetCoverPolicy(_) => Ask::Availability(availability::parse(body)?),
        Body::OpenRoleInbox(_) | Body::LookAtRoleInbox(_) | Body::FinishRoleInbox(_) => {
            Ask::Inbox(inbox::parse(body, fresh)?)
        }
        Body::OpenBroadcast(_) | Body::LookAtBroadcast(_) => Ask::Broadcast(broadcast::parse(body, fresh)?),
        Body::ListBroadcasts(_) | Body::SetAnnouncer(_) | Body::SetBroadcastPolicy(_) => {
            Ask::Announcers(broadcast::parse_announcer(body)?)
        }
        Body::SetTemplates(_) | Body::ListTemplates(_) => Ask::Templates(template::parse(body)?),
        Body::SetRetention(set) => Ask::SetRetention(Rules::from_wire(set.rules)?),
        Body::ListRetention(_) => Ask::ListRetention,
        Body::PreviewRetention(preview) => Ask::PreviewRetention(Rules::from_wire(preview.rules)?),
        Body::PlaceHold(_) | Body::LiftHold(_) | Body::ListHolds(_) => Ask::Hold(hold::parse(body, fresh)?),
        Body::BeginExport(_)
        | Body::ListExport(_)
        | Body::ReadExport(_)
        | Body::OpenExportFile(_)
        | Body::FinishExport(_) => Ask::Export(export::parse(body, fresh)?),
        Body::AdmitAgency(_) | Body::ExtendAgency(_) | Body::EndAgency(_) | Body::ListAgency(_) => {
            Ask::Agency(agency::parse(body, fresh)?)
        }
        Body::Suspend(_) | Body::DecideSuspension(_) | Body::ListSuspensions(_) => {
            Ask::Leaving(leaving::parse(body)?)
        }
        Body::SetFamilyConsent(_)
        | Body::SetFamilyBlock(_)
        | Body::IssueBedsideCode(_)
        | Body::ListFamily(_)
        | Body::AnswerVisit(_)
        | Body::EndVisit(_)
        | Body::ProlongVisit(_)
        | Body::EndFamilyThread(_) => Ask::Family(family::parse(body, fresh)?),
        Body::Search(search) => Ask::Search(Search::parse(&search)?),
        Body::OpenAttachment(open) => Ask::Attaching(attachment::parse_open(&open)?),
        Body::SetAttachmentPolicy(set) => Ask::SetAttachmentPolicy(attachment::parse_policy(&set)?),
        Body::ListAttachmentPolicy(_) => Ask::ListAttachmentPolicy,
        Body::ReadAudit(read) => Ask::Audit(audit::looking::parse(read)?),
        Body::AskHealth(_) => Ask::Health,
        Body::AskWebCertificate(_) | Body::RequestWebCertificate(_) | Body::DropWebCertificate(_) => {
            Ask::WebCertificate(web_certificate::parse(body)?)
        }
        Body::Hello(_)
        | Body::Join(_)
        | Body::AskToVisit(_)
        | Body::Prove(_)
        | Body::Unlock(_)
        | Body::AddPasskey(_)
        | Body::UnlockByPasskey(_)
        | Body::RecordPrint(_)
        | Body::ImportWebCertificate(_)
        | Body::Submit(_)
        | Body::SubmitSealed(_)
        | Body::EditMessage(_)
        | Body::RecallMessage(_)
        | Body::React(_)
        | Body::AnswerStat(_)
        | Body::GiveTask(_)
        | Body::AnswerOrder(_)
        | Body::BeginUpload(_)
        | Body::FinishUpload(_)
        | Body::Echo(_) => {
            return Err(Refusal::UnknownRequest);
        }
    })
}

fn number(value: u64) -> Result<Number, Refusal> {
    // SQLite's INTEGER is signed.
    if value == 0 || value > i64::MAX as u64 { Err(Refusal::Invalid) } else { Ok(Number(value)) }
}

pub(crate) fn person(value: u64) -> Result<PersonId, Refusal> {
    PersonId::new(value).ok_or(Refusal::NoSuchPerson)
}

pub(crate) fn people(values: &[u64]) -> Result<Vec<PersonId>, Refusal> {
    if values.len() > limits::MEMBERS_MAX {
        return Err(Refusal::Limit);
    }
    values.iter().map(|value| person(*value)).collect()
}

pub(crate) fn unit(value: u64) -> Result<UnitId, Refusal> {
    UnitId::new(value).ok_or(Refusal::NoSuchUnit)
}

fn some_unit(value: u64) -> Result<Option<UnitId>, Refusal> {
    if value == 0 { Ok(None) } else { unit(value).map(Some) }
}

pub(crate) fn stat(of: u64, sequence: u64) -> Result<StatId, Refusal> {
    Ok(StatId { conversation: conversation(of)?, sequence: Sequence(sequence) })
}

fn call(call: Option<proto::Call>) -> Result<Call, Refusal> {
    let Some(call) = call else { return Ok(Call::default()) };
    Ok(Call { ring: people(&call.people)?, unit: some_unit(call.unit)? })
}

fn parse_answer(answer: proto::AnswerStat) -> Result<Incoming, Refusal> {
    use proto::answer_stat::Answer as Wire;
    let stat = stat(answer.conversation, answer.sequence)?;
    let answers = |answer| Ok(Incoming::Ask(Ask::AnswerStat { stat, answer }));
    let said = match answer.answer.ok_or(Refusal::Invalid)? {
        Wire::Coming(_) => return answers(Answer::Coming),
        Wire::HandBack(_) => return answers(Answer::HandBack),
        Wire::Close(_) => return answers(Answer::Close),
        Wire::Accept(_) => Said::Accept,
        Wire::Decline(decline) => Said::Decline(Reason::parse(decline.reason()).ok_or(Refusal::Invalid)?),
        Wire::CallNote(note) => Said::Note(CallNote::parse(&note)?),
    };
    Ok(Incoming::AnswerStat(Unproven { stat, said, at: Wall(answer.at), signature: answer.signature }))
}

fn parse_policy(policy: &proto::EscalationPolicy) -> Result<EscalationPolicy, Refusal> {
    if policy.steps.len() >= limits::ESCALATION_STEPS_MAX {
        return Err(Refusal::Limit);
    }
    let mut later = Vec::with_capacity(policy.steps.len());
    for step in &policy.steps {
        let ring = match step.rings() {
            proto::Rings::ChargeNurses => Ring::ChargeNurses,
            proto::Rings::UnitStaff => Ring::UnitStaff,
            proto::Rings::Person => Ring::Person(person(step.person)?),
            proto::Rings::Role => Ring::Role(RoleId::new(step.role).ok_or(Refusal::NoSuchRole)?),
            proto::Rings::Addressees => return Err(Refusal::StepTwice),
            proto::Rings::Unspecified => return Err(Refusal::Invalid),
        };
        later.push((ring, step.wait));
    }
    let parsed = EscalationPolicy::new(policy.first_wait, &later, Dial::parse(&policy.dial)?)?;
    match policy.urgent_wait {
        Some(wait) => parsed.with_urgent_wait(wait),
        None => Ok(parsed),
    }
}

pub(crate) fn conversation(value: u64) -> Result<ConversationId, Refusal> {
    ConversationId::new(value).ok_or(Refusal::NoSuchConversation)
}
