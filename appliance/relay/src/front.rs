//! Doorways: each carries the same frames ([`connection`]) over its own transport.

mod admission;
mod assets;
mod congestion;
pub mod connection;
pub mod local;
mod pace;
mod pin;
mod places;
pub mod quic;
mod socket;
mod transfer;
pub mod web;
pub mod writer;
