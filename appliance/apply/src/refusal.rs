//! Why a stick changed nothing: the numbers 1 to 29 are the bundle's ([`Fault`]), those from 30 on what this box says to it.

use std::io;

use wardline_keys_protocol::client::ClientError;
use wardline_keys_protocol::message::Refusal as KeeperRefusal;
use wardline_provisioning::bundle::Fault;

use crate::stick::StickFault;

/// Why a configuration was not taken. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The bundle itself.
    #[error(transparent)]
    Bundle(#[from] Fault),
    /// The keeper does not take the certificate or the names.
    #[error("the keeper does not take the box's certificate or its names: {0}")]
    Certificate(#[source] KeeperRefusal),
    /// The keeper does not take what the vendor signed.
    #[error("the keeper does not take an approval or a revocation of the vendor's: {0}")]
    Vendor(#[source] KeeperRefusal),
    /// The keys of the box are not open, so it can take nothing.
    #[error("the keys of this box are not open: its screen says why")]
    Closed,
    /// The stick.
    #[error(transparent)]
    Stick(#[from] StickFault),
    /// The box could not write, or its keeper was gone: the stick may be put in again.
    #[error("the box could not do it now: put the stick in again in a minute")]
    Later(#[source] io::Error),
}

impl Refusal {
    /// The number on the screen: two digits, never used again for another reason.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Bundle(fault) => fault.code().number(),
            Self::Certificate(_) => 30,
            Self::Vendor(_) => 31,
            Self::Closed => 32,
            Self::Stick(StickFault::NotFat) => 33,
            Self::Stick(StickFault::Damaged) => 34,
            Self::Stick(StickFault::TooLarge(_)) => 35,
            Self::Stick(StickFault::Full) => 36,
            Self::Stick(StickFault::Device(_)) => 37,
            Self::Later(_) => 38,
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Later(error)
    }
}

/// What a keeper's answer means for the configuration that was being taken: `refused` where it is the keeper that says no.
pub(crate) fn of_keeper(error: ClientError, refused: fn(KeeperRefusal) -> Refusal) -> Refusal {
    match error {
        ClientError::Refused(KeeperRefusal::State(_)) => Refusal::Closed,
        ClientError::Refused(KeeperRefusal::Busy | KeeperRefusal::Fault) => later("the keeper is busy"),
        ClientError::Refused(refusal) => refused(refusal),
        ClientError::Peer(_) | ClientError::Lost(_) => later("the keeper does not answer"),
    }
}

fn later(why: &'static str) -> Refusal {
    Refusal::Later(io::Error::other(why))
}
