//! What `wardline doctor` can find. One enum for each check, each variant a finding with its figures. What it weighs
//! stands in [`super::weight`], what is said of it in [`super::words`]. Serialized they are the machine-readable report.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

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
