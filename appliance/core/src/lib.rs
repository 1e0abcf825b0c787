//! Every decision of the box: who may do what, order, delivery, receipts, expiry, and what is recorded of it.
//!
//! [`relay::Relay::handle`] takes an [`input::Input`] and returns a [`turn::Turn`]: *writes*, which must be durable
//! first, and *sends*, which may leave only then. This crate refuses to
//! - read a clock or draw randomness: both arrive as arguments;
//! - touch a file, a socket, a thread or an environment variable;
//! - hold a message's body: a send names a stored message, and a write carries ciphertext straight through;
//! - iterate in hash order: a run replays from its seed.
//!
//! Memory is bounded by people, devices, conversations and memberships, never by history; [`limits`] has the sums.

pub mod access;
pub(crate) mod admin;
pub mod agency;
pub mod alarm;
pub mod alteration;
mod assignment;
pub mod attachment;
pub mod audit;
pub mod availability;
mod bed;
pub mod bell;
pub mod broadcast;
pub mod bucket;
pub mod care;
mod channel;
pub(crate) mod clearing;
pub mod clinic;
pub mod clinical;
pub mod composing;
pub mod conversation;
pub mod cursor;
pub mod directory;
mod draft;
pub mod emergency;
mod encounter;
pub mod escalation;
pub mod export;
pub mod family;
pub mod grant;
pub mod hold;
pub mod ids;
pub mod inbox;
pub mod input;
mod joining;
mod kept;
pub mod leaving;
pub mod limits;
pub mod login;
pub mod lookup;
pub mod mailbox;
mod membership;
pub mod mention;
pub mod merge;
pub mod notice;
mod optional;
pub mod order;
pub mod particulars;
pub mod passkey;
pub mod pin;
pub mod policy;
pub mod printing;
mod reach;
pub mod reaction;
pub mod record;
pub mod refusal;
pub mod relay;
pub mod restriction;
pub mod retention;
pub mod role;
pub mod rota;
pub mod search;
mod searching;
pub mod session;
mod signin;
pub mod stat;
pub mod state;
pub mod task;
pub mod template;
pub mod text;
pub mod time;
pub mod turn;
mod unit;
pub mod urgent;
pub mod veil;
pub mod web_certificate;
pub mod wire;
pub mod write;
