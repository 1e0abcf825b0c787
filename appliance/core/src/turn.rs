//! What a decision asks of the driver: first make the writes durable, then let the sends leave.

use crate::bell::Bell;
use crate::grant::{
    AttachmentGrant, AuditGrant, ExportGrant, PageGrant, SearchGrant, SyncGrant, UploadGrant,
};
use crate::ids::{Change, Conn, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId, Sequence};
use crate::passkey::ExpectPasskey;
use crate::refusal::CloseCode;
use crate::retention::Bounds;
use crate::session::Expect;
use crate::stat::load::Span;
use crate::time::Wall;
use crate::web_certificate::WebCertificateDo;
use crate::wire::proto;
use crate::write::Numbered;

/// The outcome of one input.
#[derive(Default)]
pub struct Turn {
    /// Durable before anything of `sends` leaves.
    pub writes: Vec<Numbered>,
    /// In this order.
    pub sends: Vec<Send>,
}

/// Something for the driver to do once the turn's writes are on disk.
#[expect(clippy::large_enum_variant, reason = "a turn has a few of them, and most are replies")]
pub enum Send {
    /// An answer that the core made whole.
    Reply {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// The answer.
        body: proto::server_frame::Body,
    },
    /// The answer to a `Hello`, and what the doorway verifies the coming proof against.
    Welcome {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Kept by the doorway.
        expect: Expect,
        /// Sent to the client.
        welcome: proto::Welcome,
    },
    /// The answer to an `AskPasskeyChallenge`, and what the doorway verifies the coming passkey against.
    PasskeyChallenge {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Kept by the doorway, in the place of an earlier one.
        expect: ExpectPasskey,
        /// Sent to the client.
        told: proto::PasskeyChallenge,
    },
    /// Stretch the PIN at hand with this salt, have the keeper MAC it, come back with
    /// [`crate::input::Input::PinMac`].
    StretchPin {
        /// Whose PIN is at hand.
        conn: Conn,
        /// For the keeper's rate limit.
        person: PersonId,
        /// For the keeper's rate limit.
        device: DeviceId,
        /// Of the stretching.
        salt: [u8; 16],
    },
    /// The answer to a submission.
    Accepted(Accepted),
    /// A number that was accepted before: look the message up and answer as the first time
    /// ([`crate::mailbox::answer_again`]).
    AnswerAgain {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Whose number.
        device: DeviceId,
        /// The number.
        number: Number,
        /// The name it came with.
        message: MessageId,
    },
    /// A change for these connections.
    Fanout {
        /// Its number.
        change: Change,
        /// What it is.
        event: Event,
        /// Who hears of it: the same event, encoded once.
        conns: Vec<Conn>,
    },
    /// Start delivering: catch up from the store behind `after`, then live.
    Attach {
        /// To whom.
        conn: Conn,
        /// What the sync answers.
        request: RequestId,
        /// Permission to read.
        grant: SyncGrant,
        /// For its cursors.
        device: DeviceId,
        /// The last change it has; `None` asks for a snapshot.
        after: Option<Change>,
    },
    /// Stop delivering, drop what waits and the grant: the session locked or ended.
    Detach {
        /// Whom.
        conn: Conn,
    },
    /// Read a page of history and answer with it.
    ReadPage {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Permission to read.
        grant: PageGrant,
    },
    /// Search and answer with what is found.
    Search {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Permission to read.
        grant: SearchGrant,
    },
    /// Let a file come in, and answer with [`proto::UploadBegun`].
    OpenUpload {
        /// From whom.
        conn: Conn,
        /// What it answers, and by what the file's stream will refer to it.
        request: RequestId,
        /// Permission to bring it.
        grant: UploadGrant,
    },
    /// Let a file go out, and answer with [`proto::Done`].
    OpenAttachment {
        /// To whom.
        conn: Conn,
        /// What it answers, and by what the file's stream will refer to it.
        request: RequestId,
        /// Permission to read.
        grant: AttachmentGrant,
    },
    /// Close the connection once what was sent before has left.
    Close {
        /// Which.
        conn: Conn,
        /// Why.
        code: CloseCode,
    },
    /// Find messages that are old by these bounds; answer with [`crate::input::Input::Aged`].
    FindAged(Bounds),
    /// Count what is old by these bounds and would go; answer with [`crate::wire::proto::RetentionPreview`].
    CountAged {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// By which it would be old.
        bounds: Bounds,
    },
    /// Count the STATs that were sent then; answer with [`crate::wire::proto::StatLoad`].
    CountStats {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Which.
        span: Span,
    },
    /// Read a page of an export and answer with it, without names of other patients.
    ReadExport {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Permission to read.
        grant: ExportGrant,
    },
    /// Read a page of the audit log and answer with it.
    ReadAudit {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// Permission to read.
        grant: AuditGrant,
    },
    /// Say how the box is: [`crate::wire::proto::BoxHealth`]. The core knows whether new messages are taken.
    TellHealth {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
    },
    /// Something about the certificate for the names that people type: permitted, and on record.
    WebCertificate {
        /// To whom.
        conn: Conn,
        /// What it answers.
        request: RequestId,
        /// What to do.
        then: WebCertificateDo,
    },
    /// Ring this bell, once, and come back with [`crate::bell::BellNews::Gone`] if it rings nothing any more.
    RingBell {
        /// Whose.
        device: DeviceId,
        /// Where.
        bell: Box<Bell>,
    },
    /// A purge is on disk as a write: truncate the write-ahead log so that the key is nowhere else.
    ScrubLog,
}

/// A message took its place: what its sender hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// To whom.
    pub conn: Conn,
    /// What it answers.
    pub request: RequestId,
    /// The device's number.
    pub number: Number,
    /// The message's name.
    pub message: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Its place.
    pub sequence: Sequence,
    /// When.
    pub at: Wall,
    /// The change that brought it.
    pub change: Change,
}

/// A change as clients see it.
pub enum Event {
    /// The message that this change's write accepted; the driver has its text.
    Message(ConversationId, Sequence),
    /// A message that this change's write edited, without its text, which the driver has.
    Edited(Box<proto::Message>),
    /// Anything small: a conversation, a watermark, a person.
    Small(Box<proto::event::Kind>),
}
