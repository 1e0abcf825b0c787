//! Identifiers, each its own type. None says anything of who or what it names, so all may be logged.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::refusal::LogSafe;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] u64);

        impl $name {
            /// The identifier with this value, when it is one: 1 to 2^63 - 1, so that it fits SQLite's INTEGER.
            pub const fn new(value: u64) -> Option<Self> {
                if value == 0 || value > i64::MAX as u64 { None } else { Some(Self(value)) }
            }

            /// An identifier out of eight random bytes. Two in a facility collide once in 2^63 pairs; the
            /// directory checks all the same.
            pub const fn from_random(bytes: [u8; 8]) -> Self {
                let value = u64::from_be_bytes(bytes) & i64::MAX as u64;
                Self(if value == 0 { 1 } else { value })
            }

            /// The number behind it.
            pub const fn value(self) -> u64 {
                self.0
            }

            /// The next identifier, around the end: what to try when one is taken.
            pub(crate) const fn following(self) -> Self {
                if self.0 == i64::MAX as u64 { Self(1) } else { Self(self.0 + 1) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl LogSafe for $name {}
    };
}

identifier!(
    /// A person of the facility's directory.
    PersonId
);
identifier!(
    /// One enrolled device: a key that one person holds.
    DeviceId
);
identifier!(
    /// A conversation of any kind.
    ConversationId
);
identifier!(
    /// A unit: the part of a facility that is staffed and led as one, such as a ward or a hall.
    UnitId
);
identifier!(
    /// A role: what somebody is on call for.
    RoleId
);
identifier!(
    /// The offer of a role to somebody.
    OfferId
);
identifier!(
    /// One person's emergency access to one stay.
    EmergencyId
);
identifier!(
    /// One legal hold.
    HoldId
);
identifier!(
    /// One export of a record.
    ExportId
);
identifier!(
    /// A patient, over all their stays.
    PatientId
);
identifier!(
    /// One stay of a patient: from admission to discharge.
    EncounterId
);
identifier!(
    /// Somebody's beds for a shift.
    AssignmentId
);

/// A connection of this run of the relay, numbered by the doorway; never on the wire and never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Conn(pub u64);

impl fmt::Display for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl LogSafe for Conn {}

/// A request's number, chosen by the client; 0 when the box speaks unasked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId(pub u64);

impl RequestId {
    /// Nobody asked.
    pub const NONE: Self = Self(0);
}

/// The global number of a durable change: 1, 2, 3 … without gaps, across restarts. Never on the wire in clear
/// (see [`crate::cursor`]): it would tell anybody how busy the facility is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Change(#[n(0)] pub u64);

/// A message's place in its conversation: 1, 2, 3 … without gaps. 0 stands before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Sequence(#[n(0)] pub u64);

impl Sequence {
    /// Before the first message.
    pub const NONE: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The number that a device gave a submission: rising, at least 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Number(#[n(0)] pub u64);

/// A message's own name, 16 random bytes drawn by the device that wrote it; the same in every retry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct MessageId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// An edit's own name, 16 random bytes drawn by the device that makes it; the same in every retry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct EditId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// An upload's own name, 16 bytes drawn by the device that brings the file; the same in every retry, and worth nothing on another
/// device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct UploadId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);
