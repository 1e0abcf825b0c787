//! Photos, documents and audio notes: who may bring one, of what type and size, and who may open it.
//!
//! A file comes in three steps: it is announced (its type, length and SHA-256) and gets a name, its bytes come beside the core and
//! as often cut as the network likes, and it is finished once all of it is there and is what was announced. Then a message may
//! name it. The core decides each step and sees no byte: the doorway seals them under a key of the file's own, which is kept
//! under the conversation's. So whatever destroys that key, the file's or the conversation's, has destroyed the file.
//!
//! A file that no message names goes after a day, and sooner when its sender is out of the conversation or its device is revoked.
//! One that a message has goes with it: recalled, expired or purged.

mod media;
mod uploads;

pub use media::{ALL, AttachmentPolicy, Media, Sort};
pub use uploads::{NewUpload, Sent, Upload, Uploads};

use crate::access::{self, Operation, Permit};
use crate::audit::{Act, Actor};
use crate::broadcast;
use crate::channel;
use crate::conversation::Kind;
use crate::draft::{Draft, actor};
use crate::escalation::{Priority, StatId};
use crate::grant::{AttachmentGrant, UploadGrant};
use crate::hold;
use crate::ids::{Change, Conn, ConversationId, DeviceId, RequestId, Sequence, UploadId};
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::state::State;
use crate::text::{FileName, Sealed};
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// A request about files. Every field has been parsed.
pub enum Attaching {
    /// Take a file, or go on with it.
    Begin(Begin),
    /// It is there.
    Finish {
        /// Which.
        name: UploadId,
        /// What the doorway has of it.
        received: Received,
    },
    /// Let me have one of a message's.
    Open {
        /// Of which message.
        message: StatId,
        /// The how many-eth of it, from 0.
        which: u32,
        /// The small picture of it alone.
        thumbnail: bool,
    },
}

/// A file that is announced.
pub struct Begin {
    /// Its name.
    pub name: UploadId,
    /// Where it is to be said.
    pub conversation: ConversationId,
    /// What it is said to be.
    pub media: Media,
    /// Bytes.
    pub length: u64,
    /// Of all of it.
    pub sha256: [u8; 32],
    /// A key of its own and its thumbnail, sealed by the doorway; `None` where it has no key for the conversation.
    pub sealed: Option<(Sealed, Sealed)>,
}

/// What the doorway has of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// All of it, on disk, and its hash is right.
    Whole,
    /// Not all of it, or nobody has looked since this run began.
    Part,
    /// As many bytes as announced, and others.
    Damaged,
    /// What it begins with is of another type.
    Mistyped,
}

/// An upload that a message is to have.
pub struct Attach {
    /// Which.
    pub upload: UploadId,
    /// The file's name, sealed by the doorway; `None` where it has no key.
    pub title: Option<Sealed>,
}

impl Sent {
    /// As clients see it, with the name that the doorway has.
    pub fn to_wire(&self, name: String) -> proto::Attachment {
        proto::Attachment {
            media: self.media.to_wire().into(),
            length: self.length,
            sha256: self.sha256.to_vec(),
            name,
            thumbnail: self.thumbnail,
        }
    }
}

/// Decides a request of a signed-in person.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    ask: Attaching,
) -> Result<(), Refusal> {
    match ask {
        Attaching::Begin(new) => begin(draft, conn, request, who, new),
        Attaching::Finish { name, received } => finish(draft, conn, request, who, name, received),
        Attaching::Open { message, which, thumbnail } => {
            open(draft, conn, request, who, message, which, thumbnail)
        }
    }
}

/// Whether this is an upload that goes on, and costs nothing more.
pub(crate) fn is_under_way(state: &State, device: DeviceId, ask: &Attaching) -> bool {
    matches!(ask, Attaching::Begin(new) if state.uploads.open.contains_key(&(device, new.name)))
}

fn begin(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    new: Begin,
) -> Result<(), Refusal> {
    let Begin { name, conversation: id, media, length, sha256, sealed } = new;
    let conversation = draft.conversation_of(who, id)?;
    access::permit(Operation::AttachFile, access::MEMBER, actor(who))?;
    if conversation.kind == Kind::Broadcast {
        // Whoever only reads would send a file to nobody.
        broadcast::may_send(draft, who, conversation, Priority::Routine)?;
    }
    channel::takes_more(conversation)?;
    let (device, person) = (who.device(), who.person());
    let file = match draft.state.uploads.open.get(&(device, name)) {
        Some(known) => {
            if (known.conversation, known.media, known.length, known.sha256) != (id, media, length, sha256) {
                return Err(Refusal::UploadOther);
            }
            known.file
        }
        None => {
            if length == 0 {
                return Err(Refusal::Invalid);
            }
            let uploads = &draft.state.uploads;
            uploads.policy().takes(media, length)?;
            if uploads.of_device(device) >= limits::UPLOADS_OF_DEVICE_MAX
                || uploads.open.len() >= limits::UPLOADS_MAX
            {
                return Err(Refusal::UploadLimit);
            }
            let needed = limits::DISK_FILES_BYTES.saturating_add(uploads.announced()).saturating_add(length);
            if draft.room < Room::Plenty || draft.free < needed {
                return Err(Refusal::DiskLow);
            }
            let (key, thumbnail) = sealed.ok_or(Refusal::Unavailable)?;
            if thumbnail.0.len() > limits::THUMBNAIL_MAX + limits::SEAL_OVERHEAD {
                return Err(Refusal::TooLarge);
            }
            let (conversation, at) = (id, draft.now.wall);
            let new =
                NewUpload { device, name, person, conversation, media, length, sha256, at, key, thumbnail };
            let file = draft.write(Write::UploadBegun(Box::new(new)));
            draft.record(actor(who), Act::UploadBegun(id, media.number(), length));
            file
        }
    };
    let done = draft.state.uploads.open.get(&(device, name)).is_some_and(|upload| upload.done);
    let grant = UploadGrant::new(device, name, file, done);
    draft.send(Send::OpenUpload { conn, request, grant });
    Ok(())
}

fn finish(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    name: UploadId,
    received: Received,
) -> Result<(), Refusal> {
    let device = who.device();
    let upload = draft.state.uploads.open.get(&(device, name)).ok_or(Refusal::NoSuchUpload)?;
    let (file, done, place) = (upload.file, upload.done, upload.conversation);
    // Whoever was put out meanwhile leaves it to be swept away.
    draft.conversation_of(who, place)?;
    access::permit(Operation::AttachFile, access::MEMBER, actor(who))?;
    if !done {
        match received {
            Received::Whole => {}
            Received::Part => return Err(Refusal::UploadUnfinished),
            Received::Damaged => return Err(Refusal::UploadNotAsSaid),
            Received::Mistyped => return Err(Refusal::AttachmentMistyped),
        }
        if draft.room < Room::Plenty {
            return Err(Refusal::DiskLow);
        }
        draft.write(Write::UploadFinished { device, name, file });
        draft.record(actor(who), Act::UploadFinished(place));
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

/// The files that a message is to have, if it may: finished ones of this very device, for this conversation, each once.
pub(crate) fn chosen(
    draft: &Draft<'_>,
    who: &Ready,
    conversation: ConversationId,
    attachments: Vec<Attach>,
) -> Result<Vec<Sent>, Refusal> {
    if attachments.is_empty() {
        return Ok(Vec::new());
    }
    access::permit(Operation::AttachFile, access::MEMBER, actor(who))?;
    if attachments.len() > limits::ATTACHMENTS_OF_MESSAGE_MAX {
        return Err(Refusal::TooManyAttachments);
    }
    let mut files: Vec<Sent> = Vec::with_capacity(attachments.len());
    for Attach { upload: name, title } in attachments {
        let known = draft.state.uploads.open.get(&(who.device(), name));
        let known = known.filter(|upload| upload.conversation == conversation);
        let upload = known.ok_or(Refusal::NoSuchUpload)?;
        if files.iter().any(|file| file.upload == name) {
            return Err(Refusal::Invalid);
        }
        if !upload.done {
            return Err(Refusal::UploadUnfinished);
        }
        let title = title.ok_or(Refusal::Unavailable)?;
        let Upload { file, media, length, sha256, thumbnail, .. } = *upload;
        files.push(Sent { upload: name, file, media, length, sha256, thumbnail, title });
    }
    Ok(files)
}

/// The message that was just taken has these.
pub(crate) fn send(draft: &mut Draft<'_>, who: &Ready, of: StatId, message: Change, files: Vec<Sent>) {
    if files.is_empty() {
        return;
    }
    let StatId { conversation, sequence } = of;
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);
    let device = who.device();
    draft.write(Write::AttachmentsSent { conversation, sequence, message, device, files });
    draft.record(actor(who), Act::AttachmentsSent(conversation, sequence, count));
}

/// Grants and records a look at one. Whether it is there the store knows.
fn open(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    message: StatId,
    which: u32,
    thumbnail: bool,
) -> Result<(), Refusal> {
    let conversation = draft.conversation_of(who, message.conversation)?;
    access::permit(Operation::OpenAttachment, access::MEMBER, actor(who))?;
    if conversation.purged {
        return Err(Refusal::Purged);
    }
    let from = conversation.member(who.person()).map_or(Sequence::NONE, |member| member.from);
    if message.sequence < from.max(conversation.first) || message.sequence > conversation.last {
        return Err(Refusal::NoSuchMessage);
    }
    if which as usize >= limits::ATTACHMENTS_OF_MESSAGE_MAX {
        return Err(Refusal::NoSuchAttachment);
    }
    // A look is recorded, and so takes room.
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let StatId { conversation, sequence } = message;
    draft.record(actor(who), Act::AttachmentOpened(conversation, sequence, which, u32::from(thumbnail)));
    let grant = AttachmentGrant::new(who.person(), message, which, thumbnail);
    draft.send(Send::OpenAttachment { conn, request, grant });
    Ok(())
}

/// Says what may be attached from now on. What is on its way by then may still arrive.
pub(crate) fn set_policy(draft: &mut Draft<'_>, permit: Permit, policy: AttachmentPolicy) -> Body {
    if draft.state.uploads.policy != Some(policy) {
        draft.write(Write::AttachmentPolicySet(policy));
        let AttachmentPolicy { photo, document, audio } = policy;
        draft.record(permit.by(), Act::AttachmentPolicySet(photo, document, audio));
    }
    Body::Done(proto::Done {})
}

/// What may be attached.
pub(crate) fn policy(draft: &Draft<'_>) -> Body {
    let AttachmentPolicy { photo, document, audio } = draft.state.uploads.policy();
    let standard = draft.state.uploads.policy.is_none();
    let [photo, document, audio] = [photo, document, audio].map(u64::from);
    Body::AttachmentPolicy(proto::AttachmentPolicy { photo, document, audio, standard })
}

/// What nobody will send any more goes: what is a day old, and what its sender may not send now.
pub(crate) fn sweep(draft: &mut Draft<'_>) {
    let over = |(key, upload): &(&(DeviceId, UploadId), &Upload)| {
        let state = &*draft.state;
        let place = state.conversations.get(&upload.conversation);
        let out = place.is_none_or(|place| place.member(upload.person).is_none());
        let revoked = state.devices.get(&key.0).is_none_or(|device| device.revoked);
        let old = draft.ages.since(upload.file, upload.at, draft.now) >= limits::UPLOAD_KEPT_MS;
        (old || out || revoked) && !hold::keeps(state, upload.conversation)
    };
    let over = draft.state.uploads.open.iter().filter(over);
    let over: Vec<_> = over.map(|(key, upload)| (*key, upload.file, upload.conversation)).collect();
    if over.is_empty() {
        return;
    }
    for ((device, name), file, conversation) in over {
        draft.write(Write::UploadDropped { device, name, file });
        draft.record(Actor::TheBox, Act::UploadDropped(conversation));
    }
    draft.send(Send::ScrubLog);
}

/// A file that is announced, its key and thumbnail still to be sealed.
pub struct Announced {
    /// As the core will see it, without what is to be sealed.
    pub begin: Begin,
    /// A small picture of it, JPEG, PNG or WebP; empty: none.
    pub thumbnail: Vec<u8>,
}

pub(crate) fn parse_begin(begin: proto::BeginUpload) -> Result<Announced, Refusal> {
    let thumbnail = begin.thumbnail;
    if thumbnail.len() > limits::THUMBNAIL_MAX {
        return Err(Refusal::TooLarge);
    }
    let shown = [Media::Jpeg, Media::Png, Media::Webp];
    if !thumbnail.is_empty() && !shown.iter().any(|media| media.fits(&thumbnail)) {
        return Err(Refusal::AttachmentType);
    }
    let begin = Begin {
        name: parse_name(&begin.upload)?,
        conversation: ConversationId::new(begin.conversation).ok_or(Refusal::NoSuchConversation)?,
        media: Media::from_wire(begin.media)?,
        length: begin.length,
        sha256: begin.sha256.as_slice().try_into().map_err(|_| Refusal::Invalid)?,
        sealed: None,
    };
    Ok(Announced { begin, thumbnail })
}

pub(crate) fn parse_name(bytes: &[u8]) -> Result<UploadId, Refusal> {
    bytes.try_into().map(UploadId).map_err(|_| Refusal::Invalid)
}

/// What a message is to have, with the names that files go by.
pub(crate) fn parse_attached(
    attached: Vec<proto::AttachedFile>,
) -> Result<Vec<(UploadId, FileName)>, Refusal> {
    if attached.len() > limits::ATTACHMENTS_OF_MESSAGE_MAX {
        return Err(Refusal::TooManyAttachments);
    }
    attached.into_iter().map(|file| Ok((parse_name(&file.upload)?, FileName::parse(&file.name)?))).collect()
}

pub(crate) fn parse_open(open: &proto::OpenAttachment) -> Result<Attaching, Refusal> {
    let conversation = ConversationId::new(open.conversation).ok_or(Refusal::NoSuchConversation)?;
    let message = StatId { conversation, sequence: Sequence(open.sequence) };
    Ok(Attaching::Open { message, which: open.which, thumbnail: open.thumbnail })
}

pub(crate) fn parse_policy(set: &proto::SetAttachmentPolicy) -> Result<AttachmentPolicy, Refusal> {
    AttachmentPolicy::parse(set.photo, set.document, set.audio)
}
