//! Doorways: each carries the same frames ([`connection`]) over its own transport.

mod admission;
mod congestion;
pub mod connection;
pub mod local;
mod pace;
mod pin;
pub mod quic;
mod transfer;
pub mod writer;
