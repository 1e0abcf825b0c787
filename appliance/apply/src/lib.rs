//! The box's side of provisioning: makes its keys, says who it is, takes a configuration and puts it in force.
//!
//! Two processes: one reads sticks ([`stick`]) and may touch nothing else, the other ([`machine`]) takes what it hands over
//! ([`handover`]) and never sees a device. Refuses to change anything before every check has passed, and to leave a third
//! state behind: whenever the power goes, the next start finds the old configuration or the new one.

pub mod chip;
pub mod disk;
pub mod first;
pub mod handover;
pub mod image;
pub mod machine;
pub mod refusal;
pub mod stick;
