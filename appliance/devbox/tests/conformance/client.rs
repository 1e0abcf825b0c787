//! What a client must be able to do for the list to be run against it, in words that favour none.

use std::fmt;
use std::future::Future;
use std::path::Path;

use anyhow::Result;
use wardline_core::wire::proto::RefusalCode;

/// The protocol's code, which fails in words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) RefusalCode);

/// A message's name.
pub(crate) type Name = [u8; 16];

/// One device's client, with its profile in a directory. Dropping it is a death.
pub(crate) trait ClientUnderTest: Sized + Send + Sync + 'static {
    /// For reports.
    const NAME: &'static str;
    /// What it says when a box answers with a stateless reset.
    const RESET: &'static str;

    /// A client over this directory, which is empty or holds what another one left. It does nothing yet.
    fn start(profile: &Path) -> Result<Self>;
    /// What it makes of a join link: host, port, the certificate's name, code.
    fn read_link(
        &self,
        link: &str,
    ) -> impl Future<Output = Result<(String, u16, String, String), Trouble>> + Send;
    /// Makes the directory a device, and stays connected.
    fn join(&self, link: &str, pin: &str, device: &str) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// Connects a device that joined before, and stays connected.
    fn open(&self) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// The PIN that was asked for.
    fn unlock(&self, pin: &str) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// Keeps a message, and sends it when it can.
    fn send(&self, conversation: u64, text: &str) -> impl Future<Output = Result<Name, Trouble>> + Send;
    /// The person has seen everything up to there.
    fn read(&self, conversation: u64, sequence: u64) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// The conversation with somebody.
    fn open_direct(&self, person: u64) -> impl Future<Output = Result<u64, Trouble>> + Send;
    /// A new group.
    fn open_group(&self, title: &str, people: &[u64]) -> impl Future<Output = Result<u64, Trouble>> + Send;
    /// Who comes and who goes.
    fn change_members(
        &self,
        conversation: u64,
        add: &[u64],
        remove: &[u64],
    ) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// Older messages, newest first, and whether there are none before them.
    fn history(
        &self,
        conversation: u64,
        before: u64,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<Message>, bool), Trouble>> + Send;
    /// Identifier and name of everybody.
    fn people(&self) -> impl Future<Output = Result<Vec<(u64, String)>, Trouble>> + Send;
    /// The newest message of a conversation, as its person is shown it. The client may leave for that.
    fn shown(&mut self, conversation: u64) -> impl Future<Output = Result<String>> + Send;
    /// The next thing that it tells. Taking it says that it was dealt with.
    fn event(&mut self) -> impl Future<Output = Result<Seen>> + Send;
    /// Takes leave of the box, its files in order.
    fn leave(self) -> impl Future<Output = Result<()>> + Send;
    /// Ends as when the power goes: no word to the box, nothing written.
    fn die(self) -> impl Future<Output = Result<()>> + Send;
}

/// What a client tells, as far as the list asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// Signed in.
    Connected {
        device: u64,
    },
    /// No connection; it tries again.
    Reconnecting {
        why: String,
        untrusted: bool,
    },
    /// The box asks for the PIN at signing in, or because the session locked.
    PinNeeded {
        tries_left: u32,
        locked: bool,
    },
    Snapshot,
    CaughtUp,
    Message(Message),
    Gap {
        conversation: u64,
        from: u64,
        to: u64,
    },
    Conversation {
        conversation: u64,
        title: String,
        members: Vec<u64>,
        purged: bool,
    },
    Watermark {
        conversation: u64,
        person: u64,
        delivered: u64,
        read: u64,
    },
    Gone(u64),
    DeviceJoined {
        device: u64,
    },
    Accepted {
        name: Name,
        sequence: u64,
    },
    Delayed {
        name: Name,
        code: Reason,
    },
    Failed {
        name: Name,
        code: Reason,
    },
    /// It does not try again by itself.
    Ended(Ending),
    /// What the list has no use for.
    Other,
}

/// Why it does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Superseded,
    Revoked,
    Refused(Reason),
    Other,
}

/// A message as it was delivered or found in the history.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) conversation: u64,
    pub(crate) sequence: u64,
    pub(crate) name: Name,
    pub(crate) sender: u64,
    pub(crate) text: String,
}

/// Why a client did not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// No join link, or a damaged one.
    Link,
    /// Not the box that it should be.
    Untrusted,
    /// No PIN to begin with.
    Pin,
    /// No text that could be sent.
    Text,
    /// By the box.
    Refused { code: Reason, tries_left: u32 },
    /// Anything else, in its words.
    Other(String),
}

impl Trouble {
    /// Whether the box refused for this reason.
    pub(crate) fn is(&self, wanted: RefusalCode) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == Reason(wanted))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, .. } => write!(f, "refused as {}", code.0.as_str_name()),
            other => write!(f, "{other:?}"),
        }
    }
}

impl std::error::Error for Trouble {}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str_name())
    }
}

// A failure must not print what was written.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} by {:016x}, {} bytes", self.sequence, self.sender, self.text.len())
    }
}
