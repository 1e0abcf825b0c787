//! Doorways: each carries the same frames ([`connection`]) over its own transport.

mod admission;
mod assets;
pub mod certificates;
mod congestion;
pub mod connection;
mod file_sessions;
mod file_socket;
pub mod health;
pub mod local;
pub mod names;
mod origin;
mod pace;
mod pem;
mod pin;
mod places;
pub mod quic;
mod socket;
mod transfer;
pub mod trust;
pub mod web;
mod webtransport;
pub mod writer;
