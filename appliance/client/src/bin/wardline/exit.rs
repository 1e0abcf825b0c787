//! Exit codes.

use thiserror::Error;
use wardline_client::error::{End, Refused};
use wardline_client::{Error, error};
use wardline_core::wire::proto::RefusalCode;

/// Why the command ends without having done what was asked.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Machine(String),
    /// A message that is kept, not yet accepted, and goes later by itself.
    #[error("{0}")]
    Kept(String),
    /// The box refused, or would.
    #[error("{0}")]
    Refused(String),
    /// No PIN at hand.
    #[error("{0}")]
    Locked(String),
    /// Said already, in a report that ends with this exit code.
    #[error("See the report.")]
    Reported(u8),
    #[error(transparent)]
    Client(#[from] Error),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Machine(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Locked(_) => 5,
            Self::Kept(_) => 6,
            Self::Reported(code) => *code,
            Self::Client(error) => match error {
                Error::Profile(_) | Error::Ended(End::Storage(_) | End::Closed) => 1,
                Error::Input(_) => 2,
                Error::Refused(refused) | Error::Ended(End::Refused(refused)) => refusal(refused),
                Error::Ended(_) | Error::Protocol(_) => 3,
                Error::Unreachable(_) | Error::Offline(_) | Error::Interrupted => 4,
                Error::Locked { .. } => 5,
                Error::Untrusted(_) => 8,
            },
        }
    }
}

fn refusal(refused: &Refused) -> u8 {
    match refused.code {
        RefusalCode::Locked | RefusalCode::PinWrong => 5,
        RefusalCode::Unavailable => 4,
        _ => 3,
    }
}

impl Failure {
    /// Ten wrong PINs, now or before.
    pub(crate) fn is_locked_out(&self) -> bool {
        let Self::Client(Error::Refused(refused) | Error::Ended(End::Refused(refused))) = self else {
            return false;
        };
        refused.code == RefusalCode::PinLockedOut
    }
}

impl From<error::LinkError> for Failure {
    fn from(error: error::LinkError) -> Self {
        Self::Usage(error.to_string())
    }
}
