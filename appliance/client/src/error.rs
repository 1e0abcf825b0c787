//! What can go wrong, by what the caller does next. Every text says that in plain words.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto;

pub use crate::link::LinkError;
pub use crate::trust::TrustError;

/// Why a call did not do what was asked.
#[derive(Debug, Error)]
pub enum Error {
    /// The box declined: tell the person, nothing changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The session wants the person's PIN first.
    #[error("The session is locked. Enter your PIN. Tries left: {tries_left}.")]
    Locked {
        /// Until the device locks.
        tries_left: u32,
    },
    /// Nothing answers: try again later, or from another network.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// What answers is not the box of the join link: do not go on.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// Not connected just now; in words why. It is being tried again.
    #[error("There is no connection to the box just now. {0}")]
    Offline(String),
    /// This device's part is over until somebody acts.
    #[error(transparent)]
    Ended(#[from] End),
    /// The connection went before the answer came: it may or may not have been done. Look, then ask again.
    #[error("The connection was lost before the box answered. Check whether it was done, then try again.")]
    Interrupted,
    /// The box answered with what is no answer to the question.
    #[error("The box gave an answer that this program does not understand ({0}). Update it.")]
    Protocol(&'static str),
    /// Something on this machine.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// This device's own mistake, found before anything was sent.
    #[error(transparent)]
    Input(#[from] InputError),
}

impl Error {
    /// The box answers and asks for patience: the next attempt comes when it said, and may well be let in.
    pub(crate) fn is_turn_taking(&self) -> bool {
        matches!(self, Self::Refused(Refused { code: proto::RefusalCode::SlowDown, .. }))
    }
}

/// A refusal as the box sent it.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("{advice}")]
pub struct Refused {
    /// The stable code.
    pub code: proto::RefusalCode,
    /// Plain words: what to do next.
    pub advice: String,
    /// When it may be asked again, if the box said.
    pub retry_after: Option<Duration>,
    /// For a wrong PIN: tries left.
    pub tries_left: u32,
}

/// No way to the box.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// The name does not resolve here.
    #[error("The name {0} is not known on this network. Are you on the staff Wi-Fi?")]
    Name(String),
    /// No answer.
    #[error("The box at {0} does not answer. Are you on the staff Wi-Fi?")]
    Silent(String),
    /// It answered and went away.
    #[error("The box closed the connection ({0}). Try again in a moment.")]
    Closed(CloseText),
    /// No socket to be had.
    #[error("This machine gives no network socket ({0}). Try again; if that does not help, restart it.")]
    Socket(String),
    /// The local socket.
    #[error("There is no box behind the socket {0}: {1}")]
    Local(String, String),
}

/// A close code, or why the transport ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseText {
    /// The box's own code.
    Code(CloseCode),
    /// The transport's words.
    Transport(String),
}

/// Why a device stops trying.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum End {
    /// The box said so, for good.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Revoked, or the person suspended, while signed in.
    #[error("This device's access has ended. Ask your administrator.")]
    Revoked,
    /// Signed in elsewhere with this profile: a copy of it, or a second process.
    #[error(
        "This device signed in a second time from elsewhere, and this connection gave way. If that was you, with a \
         copy of the profile, remove one of the two. If not, tell your administrator at once."
    )]
    Superseded,
    /// The box took something for a breach of protocol that trying again would repeat.
    #[error("The box broke off because of a fault of this program ({0}). Update it.")]
    Faulted(CloseCode),
    /// The files failed.
    #[error(
        "This machine could not write the profile: {0}. Mend that, then start again; what was kept is still there."
    )]
    Storage(String),
    /// [`crate::Client::close`], or every handle is gone.
    #[error("Closed.")]
    Closed,
}

/// Something about the profile's files.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// Nobody joined here yet.
    #[error("There is no Wardline profile in {}. Join first: wardline join <link>", .0.display())]
    Missing(PathBuf),
    /// Somebody did.
    #[error(
        "{} already holds a profile. Use it, or join into another directory with --profile. If the box does not let \
         that device in any more, move the directory away and join again.",
        .0.display()
    )]
    Exists(PathBuf),
    /// Another process.
    #[error("The profile in {} is in use by another wardline process. Close that one first.", .0.display())]
    Busy(PathBuf),
    /// Others on this machine could read or write it.
    #[error("{} can be read or changed by others on this machine. Run: chmod {wanted} {}", .path.display(), .path.display())]
    Exposed {
        /// Which file or directory.
        path: PathBuf,
        /// The mode it must have.
        wanted: &'static str,
    },
    /// It is not what was written.
    #[error("{} is damaged ({what}). {}", .path.display(), after_damage(.path))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// In what way.
        what: &'static str,
    },
    /// The system's own words.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The device's key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The cryptographic library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No randomness, or bytes that are no key.
    #[error("The device's key cannot be used. Ask for a new join code.")]
    Unusable,
}

/// What was asked cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputError {
    /// Not a text that can be sent.
    #[error("A message must have 1 to {max} bytes; this one has {0}.", max = wardline_core::limits::TEXT_MAX)]
    Text(usize),
    /// The outbox is full.
    #[error("{0} messages are waiting to be sent already. Get into contact with the box first.")]
    OutboxFull(usize),
    /// A file cannot be read or written.
    #[error("{}: {why}.", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// In the system's words.
        why: String,
    },
    /// Of a type that is not attached.
    #[error(
        "{} is no photo (JPEG, PNG, HEIC, WebP), PDF or audio note (Ogg, WebM, M4A, WAV): its first bytes say so, whatever it is \
         called. Save it as one of these.",
        .0.display()
    )]
    FileType(PathBuf),
    /// Called what no file may be called.
    #[error("The name of {} must have 1 to {max} bytes and no control characters. Rename it.", .0.display(), max = wardline_core::limits::ATTACHMENT_NAME_MAX)]
    FileName(PathBuf),
    /// Would be overwritten.
    #[error("{} is there already, and is left as it is. Give another name: --out FILE", .0.display())]
    FileThere(PathBuf),
    /// Not in a state to.
    #[error("{0}")]
    NotNow(&'static str),
}

/// What to do about a damaged file.
fn after_damage(path: &std::path::Path) -> String {
    let directory = path.parent().unwrap_or(path).display();
    if path.file_name().is_some_and(|name| name == "outbox") {
        "Move it away and start again; messages that waited in it are lost: ask, or write them anew."
            .to_owned()
    } else {
        format!(
            "This device cannot be used any more: ask for a new join link, move {directory} away, and join again."
        )
    }
}

impl Refused {
    pub(crate) fn new(code: proto::RefusalCode, advice: &str) -> Self {
        Self { code, advice: advice.to_owned(), retry_after: None, tries_left: 0 }
    }

    pub(crate) fn from_wire(refused: proto::Refused) -> Self {
        let code = refused.code();
        let advice = if refused.advice.is_empty() {
            format!("The box declined ({}).", code.as_str_name())
        } else {
            // A box's words go to a terminal: nothing that steers one.
            refused.advice.chars().filter(|c| !c.is_control()).take(400).collect()
        };
        let retry_after = (refused.retry_after > 0).then(|| Duration::from_millis(refused.retry_after));
        Self { code, advice, retry_after, tries_left: refused.tries_left }
    }

    /// Whether a submission so refused is to be sent again under a fresh number.
    pub fn is_transient(&self) -> bool {
        use proto::RefusalCode as Code;
        matches!(
            self.code,
            Code::SlowDown | Code::DiskLow | Code::Unavailable | Code::Locked | Code::NumberPassed
        )
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({})", self.code.as_str_name())
    }
}

impl fmt::Display for CloseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Transport(words) => f.write_str(words),
        }
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Profile(error.into())
    }
}
