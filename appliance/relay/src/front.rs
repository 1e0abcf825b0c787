//! Doorways: each carries the same frames ([`connection`]) over its own transport.

pub mod connection;
pub mod local;
pub mod quic;
pub mod writer;
