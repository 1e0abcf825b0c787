//! The bell: rings a closed app on somebody's phone by Web Push, and is the one process of the box that calls out.
//!
//! - [`key`]: the box's key for push services (RFC 8292), made at the first start, kept in a file.
//! - [`envelope`]: one constant text, encrypted for one browser (RFC 8291).
//! - [`endpoint`]: which push services may be called.
//! - [`ringing`]: one ring: tries, waits, what its answer means, counted by push service; [`post`]: one try (RFC 8030).
//! - [`server`]: the Unix socket by which the relay asks.
//!
//! Refuses: to send any text but [`envelope::TEXT`]; to call a host that its command line does not allow, an address in
//! place of a name, plain HTTP, or wherever a push service redirects; to say of whom or why a ring is. It does not know: the
//! relay hands it an endpoint and the browser's key, and nothing else. No log has either.

pub mod endpoint;
pub mod envelope;
pub mod hardening;
pub mod key;
pub mod post;
pub mod ringing;
pub mod server;
