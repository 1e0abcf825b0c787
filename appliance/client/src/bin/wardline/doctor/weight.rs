//! What a finding weighs, and what the whole comes to.

use serde::Serialize;

use super::finding::{
    Clock, Dates, Disk, Doorway, Files, Finding, Greeted, Identity, Naming, Outbox, Reach, SignIn, Socket,
    Trip,
};

/// What a finding means for the whole, in rising order: the heaviest one is the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weight {
    /// As it should be.
    Ok,
    /// Good to know, and nobody's fault.
    Note,
    /// It works, and will not for ever, or not well.
    Warning,
    /// This machine's files.
    Machine,
    /// The box answers and lets this device or network in no further.
    Refused,
    /// The box cannot be reached from here.
    Unreachable,
    /// What answers must not be believed.
    Untrusted,
}

impl Weight {
    /// The heaviest of them all.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        findings.iter().map(Finding::weight).max().unwrap_or(Self::Ok)
    }

    /// The exit code of a report whose heaviest finding this is.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Ok | Self::Note => 0,
            Self::Machine => 1,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Warning => 7,
            Self::Untrusted => 8,
        }
    }
}

impl Finding {
    pub(crate) fn weight(&self) -> Weight {
        use Weight as W;
        match self {
            Self::Name(Naming::Literal | Naming::Resolved { .. }) => W::Ok,
            Self::Name(Naming::Unknown { .. } | Naming::Slow { .. }) => W::Unreachable,
            Self::Network(reach) => match reach {
                Reach::Answers { .. } => W::Ok,
                Reach::Passed { .. } => W::Warning,
                Reach::NoSocket { .. } => W::Machine,
                _ => W::Unreachable,
            },
            Self::RoundTrip(Trip::Measured { .. }) => W::Ok,
            Self::RoundTrip(Trip::OnlyConnected { .. }) => W::Note,
            Self::RoundTrip(Trip::Slow { .. } | Trip::Lossy { .. }) => W::Warning,
            Self::Doorway(Doorway::Quic { .. }) => W::Ok,
            Self::Doorway(Doorway::Retried { .. }) => W::Note,
            Self::Certificate(Identity::Ours { .. }) => W::Ok,
            Self::Certificate(Identity::Unpinned { .. }) => W::Warning,
            Self::Certificate(_) => W::Untrusted,
            Self::Dates(dates) => match dates {
                Dates::Good { .. } => W::Ok,
                Dates::NotRenewed { .. } | Dates::IssuingEnds { .. } | Dates::OtherKey => W::Warning,
                _ => W::Untrusted,
            },
            Self::Clock(Clock::Together { .. }) => W::Ok,
            Self::Clock(Clock::Apart { .. }) => W::Warning,
            Self::Box(Greeted::Welcome { .. }) => W::Ok,
            Self::Box(Greeted::NoAnswer { .. }) => W::Unreachable,
            Self::Box(_) => W::Refused,
            Self::Profile(Files::Private { .. }) => W::Ok,
            Self::Profile(_) => W::Machine,
            Self::Disk(Disk::Free { .. }) => W::Ok,
            Self::Disk(Disk::Low { .. }) => W::Warning,
            Self::Outbox(outbox) => match outbox {
                Outbox::Empty => W::Ok,
                Outbox::Waiting { .. } | Outbox::HeldElsewhere => W::Note,
                Outbox::Failed { .. } => W::Warning,
                Outbox::Unusable { .. } => W::Machine,
            },
            Self::SignIn(sign_in) => match sign_in {
                SignIn::Open | SignIn::HolderOpen => W::Ok,
                SignIn::PinWanted { .. } | SignIn::HolderLocked => W::Note,
                SignIn::FewTries { .. }
                | SignIn::HolderSilent
                | SignIn::HolderAway { .. }
                | SignIn::SlowDown => W::Warning,
                SignIn::Refused { .. } | SignIn::Failed { .. } => W::Refused,
            },
            Self::Socket(Socket::Answers { .. }) => W::Ok,
            Self::Socket(Socket::NotAllowed { .. } | Socket::Closed { .. }) => W::Refused,
            Self::Socket(_) => W::Unreachable,
        }
    }

    /// The label of its line.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Name(_) => "Name",
            Self::Network(_) => "Network",
            Self::RoundTrip(_) => "Round trip",
            Self::Doorway(_) => "Doorway",
            Self::Certificate(_) => "Certificate",
            Self::Dates(_) => "Its dates",
            Self::Clock(_) => "Clock",
            Self::Box(_) => "Box",
            Self::Profile(_) => "Profile",
            Self::Disk(_) => "Disk",
            Self::Outbox(_) => "Outbox",
            Self::SignIn(_) => "Sign-in",
            Self::Socket(_) => "Socket",
        }
    }
}
