//! The client of a Wardline box: what a phone app, a desk app, the `wardline` command and the tests share.
//!
//! [`Client::join`] enrols this device with a join link; [`Client::open`] opens an enrolled one. Either way one
//! task keeps the connection up, keeps what was composed until the box has it, and hands over what arrives through
//! [`Client::events`]. The protocol in words is `docs/protocol/README.md`.
//!
//! This crate refuses to
//! - send a message that is not yet on disk, or to forget one before the box has accepted it;
//! - move the cursor past an event that its user has not taken;
//! - write a received message's text to disk;
//! - talk to a box whose chain does not end in the root that the join link named;
//! - print: that is the command's.

#![forbid(unsafe_code)]

pub mod agency;
mod agent;
pub mod attachments;
pub mod availability;
pub mod beds;
pub mod beside;
pub mod broadcasts;
mod call;
mod clearing;
mod client;
pub mod clinical;
mod clock;
mod congestion;
mod connection;
pub mod emergency;
pub mod error;
pub mod event;
pub mod export;
pub mod family;
mod files;
pub mod format;
pub mod holds;
pub mod inboxes;
mod inflight;
mod join;
mod key;
pub mod leaving;
pub mod link;
pub mod local;
pub mod mention;
pub mod notice;
pub mod offers;
pub mod orders;
pub mod outbox;
pub mod probe;
pub mod profile;
pub mod records;
pub mod retention;
pub mod roles;
mod sealing;
mod search;
mod settle;
mod share;
pub mod signed;
mod signin;
pub mod stat;
mod state;
pub mod tasks;
pub mod templates;
pub mod trust;
mod visit;

pub use call::{Call, Calls, Channel, Device, JoinCode, Page, Rank};
pub use client::{Client, Events, Options, Standing, Tracked};
pub use error::Error;
pub use event::Event;
pub use link::{JoinLink, Purpose};
pub use local::LocalBox;
pub use search::{Hits, LookedUp, Searches, Wanted, Whom, line_with};
pub use share::{Given, Guest};
pub use stat::StatCalls;
pub use visit::Asking;
pub use wardline_core::ids::{
    AssignmentId, ConversationId, DeviceId, EmergencyId, EncounterId, ExportId, HoldId, MessageId, OfferId,
    PatientId, PersonId, RoleId, Sequence, UnitId,
};
pub use wardline_core::pin::Pin;
pub use wardline_core::refusal::Refusal;
pub use wardline_core::rota;
pub use wardline_core::time::Wall;
