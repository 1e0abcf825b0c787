//! What `wardline doctor` can find. One enum for each check, each variant a finding with its figures; what it weighs stands
//! beside it, what is said of it in [`super::words`]. Serialized they are the machine-readable report.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

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

/// One result of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub(crate) enum Finding {
    Name(Naming),
    Network(Reach),
    RoundTrip(Trip),
    Doorway(Doorway),
    Certificate(Identity),
    Dates(Dates),
    Clock(Clock),
    Box(Greeted),
    Profile(Files),
    Disk(Disk),
    Outbox(Outbox),
    SignIn(SignIn),
    Socket(Socket),
}

/// The name service.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Naming {
    /// The address is a number.
    Literal,
    Resolved {
        addresses: Vec<IpAddr>,
    },
    Unknown {
        name: String,
    },
    Slow {
        name: String,
    },
}

/// UDP, as far as a QUIC handshake.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Reach {
    Answers {
        at: SocketAddr,
        from: Option<IpAddr>,
        interface: Option<String>,
        wireless: bool,
    },
    /// One address of several, not the one that answered.
    Passed {
        at: SocketAddr,
    },
    PortClosed {
        at: SocketAddr,
    },
    NoRoute {
        at: SocketAddr,
    },
    Forbidden {
        at: SocketAddr,
    },
    Silent {
        at: SocketAddr,
        from: Option<IpAddr>,
        interface: Option<String>,
        wireless: bool,
    },
    /// UDP passes, the handshake does not end.
    Stalled {
        at: SocketAddr,
    },
    OtherVersion {
        at: SocketAddr,
    },
    OtherProtocol {
        at: SocketAddr,
    },
    Busy {
        at: SocketAddr,
    },
    BrokeOff {
        at: SocketAddr,
        why: String,
    },
    NoSocket {
        why: String,
    },
}

/// Round trips of single packets; milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Trip {
    Measured {
        best_ms: f64,
        median_ms: f64,
        worst_ms: f64,
        sent: u32,
        lost: u32,
    },
    Slow {
        best_ms: f64,
        median_ms: f64,
        worst_ms: f64,
        sent: u32,
        lost: u32,
    },
    Lossy {
        best_ms: f64,
        median_ms: f64,
        worst_ms: f64,
        sent: u32,
        lost: u32,
    },
    /// Single packets were not answered, the connection's were.
    OnlyConnected {
        best_ms: f64,
    },
}

/// How devices get in.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Doorway {
    Quic {
        handshake_ms: f64,
        packet_bytes: u16,
        packets_sent: u64,
        packets_lost: u64,
    },
    /// The box wanted this address proven first.
    Retried {
        handshake_ms: f64,
        packet_bytes: u16,
        packets_sent: u64,
        packets_lost: u64,
    },
}

/// Whose certificate it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Identity {
    Ours {
        asked: String,
        names: Vec<String>,
        permitted: Vec<String>,
        root_sha256: String,
    },
    /// In order, under a root that nobody named beforehand.
    Unpinned {
        asked: String,
        names: Vec<String>,
        permitted: Vec<String>,
        root_sha256: String,
    },
    OtherRoot {
        expected_sha256: Option<String>,
        offered_sha256: Option<String>,
    },
    OtherName {
        asked: String,
        names: Vec<String>,
    },
    /// The name to ask for is none.
    NoName {
        asked: String,
    },
    Broken {
        why: String,
    },
}

/// How long the certificates live. Seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Dates {
    Good {
        from: i64,
        until: i64,
        left_s: i64,
        issuing_left_s: Option<i64>,
    },
    /// The box makes a new one every day, and has not for several.
    NotRenewed {
        from: i64,
        until: i64,
        left_s: i64,
    },
    IssuingEnds {
        left_s: i64,
    },
    /// Neither this machine nor the box says that it is valid.
    Expired {
        until: i64,
        since_s: i64,
    },
    NotYetValid {
        from: i64,
        in_s: i64,
    },
    /// Valid by the box's clock.
    ThisClockIsWrong {
        from: i64,
        until: i64,
    },
    OtherKey,
    Unreadable,
}

/// The box's clock less this machine's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Clock {
    Together { box_ahead_ms: i64, good_to_ms: i64 },
    Apart { box_ahead_ms: i64, good_to_ms: i64 },
}

/// What the box said to hello.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Greeted {
    Welcome { facility: String, protocol: u32, client: &'static str },
    OtherProtocolVersion { protocol: u32, client: &'static str },
    WrongZone,
    Refused { advice: String },
    NoAnswer { why: String },
}

/// The profile's files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Files {
    Private { directory: String },
    Exposed { files: Vec<Exposed> },
    Unusable { why: String },
}

/// A file, and the mode that it must have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Exposed {
    pub(crate) path: String,
    pub(crate) wanted: &'static str,
}

/// Room for what is composed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Disk {
    Free { bytes: u64 },
    Low { bytes: u64 },
}

/// What waits to be sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Outbox {
    Empty,
    Waiting { messages: usize, oldest_s: i64 },
    Failed { messages: usize, waiting: usize },
    HeldElsewhere,
    Unusable { why: String },
}

/// Whether this device is let in.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum SignIn {
    Open,
    PinWanted {
        tries_left: u32,
    },
    FewTries {
        tries_left: u32,
    },
    /// Another program has the profile open, and says where it stands.
    HolderOpen,
    HolderLocked,
    HolderAway {
        why: String,
    },
    HolderSilent,
    SlowDown,
    Refused {
        advice: String,
    },
    Failed {
        why: String,
    },
}

/// The box's local socket.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub(crate) enum Socket {
    Answers { path: String },
    Missing { path: String },
    NobodyListens { path: String },
    NotAllowed { path: String },
    Closed { path: String },
    Silent { path: String },
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
