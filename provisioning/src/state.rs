//! What a box without a monitor, keyboard or shell says of itself: one state, one short code, and what to do next.
//!
//! The same codes stand on the screen, on the serial line and in the receipt. [`BoxState::of`] is the one place that
//! decides which; it reads no clock and touches no device. Its words are for whoever stands before the box at night,
//! who knows nothing of it and shall not make it worse. They name no person, address or key.

use core::fmt;

use wardline_keys_protocol::KeeperState;

/// The state of a box, as a person in front of it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxState {
    /// It starts, or does something that must not be cut short.
    Working,
    /// It has no configuration yet: new, or made anew.
    Enrol,
    /// It serves.
    Ready,
    /// Its keys do not open because firmware, boot settings or image are others. PCR numbers, ascending.
    FirmwareChanged(Vec<u8>),
    /// Its TPM does not answer, fails, or is another one.
    TpmDead,
    /// The state volume has no room left to serve.
    DiskFull,
    /// Its clock cannot be right.
    Clock,
    /// Its keys cannot be used for another reason; the number is the keeper's state, for whoever is called.
    Keys(u8),
    /// What the last stick had was not taken; the number says why ([`crate::bundle::Fault`], and from 30 on the box's own).
    BadBundle(u8),
    /// Keys are open, and the relay does not answer although it had the time to.
    Stopped,
}

/// What is known of a box at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the keeper says, when it answers.
    pub keeper: Option<KeeperState>,
    /// Whether a configuration was taken.
    pub configured: bool,
    /// Whether the relay answers.
    pub serving: bool,
    /// Whether the state volume is too full to serve.
    pub full: bool,
    /// Why the last stick changed nothing, for as long as that is news.
    pub bad: Option<u8>,
    /// Milliseconds since anything here last changed.
    pub unchanged_ms: u64,
}

/// How long a service may take to come before it counts as one that does not. The keeper waits 30 s for a TPM, the
/// relay 30 s for the keeper and looks through its store; systemd starts either again after a few seconds.
pub const PATIENCE_MS: u64 = 120_000;

impl BoxState {
    /// What a box is whose facts are these.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let patient = facts.unchanged_ms < PATIENCE_MS;
        let Some(keeper) = &facts.keeper else {
            return if patient { Self::Working } else { Self::Stopped };
        };
        let is_well =
            matches!(keeper, KeeperState::Ready | KeeperState::NotProvisioned | KeeperState::IssuingMissing);
        // Whoever put the stick in stands before the box, and the box is not worse for it.
        if let Some(bad) = facts.bad.filter(|_| is_well) {
            return Self::BadBundle(bad);
        }
        match keeper {
            KeeperState::Ready if facts.serving => Self::Ready,
            KeeperState::Ready if facts.full => Self::DiskFull,
            KeeperState::Ready if !facts.configured => Self::Enrol,
            KeeperState::Ready if patient => Self::Working,
            KeeperState::Ready => Self::Stopped,
            KeeperState::NotProvisioned | KeeperState::IssuingMissing => Self::Enrol,
            KeeperState::PcrsChanged { which } | KeeperState::Unmeasured { which } => {
                Self::FirmwareChanged(which.clone())
            }
            KeeperState::TpmBusy if patient => Self::Working,
            KeeperState::NoTpm
            | KeeperState::ForeignTpm
            | KeeperState::TpmFailed
            | KeeperState::TpmDenied
            | KeeperState::TpmBusy => Self::TpmDead,
            KeeperState::ClockWrong => Self::Clock,
            KeeperState::Revoked => Self::Keys(1),
            KeeperState::Lockout => Self::Keys(2),
            KeeperState::BlobMissing { .. } => Self::Keys(3),
            KeeperState::BlobCorrupt { .. } => Self::Keys(4),
            KeeperState::ApprovalMissing => Self::Keys(5),
            KeeperState::SealRefused => Self::Keys(6),
            KeeperState::IssuingExpired => Self::Keys(7),
            KeeperState::StateUnusable => Self::Keys(8),
            KeeperState::KeysMissing => Self::Keys(9),
            KeeperState::IndexReplaced { .. } => Self::Keys(10),
        }
    }

    /// What happened and what to do now, in lines of 75 characters at most.
    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Working => &[
                "The box is at work. Do not switch it off, and leave a stick where it is.",
                "This takes up to five minutes.",
            ],
            Self::Enrol => &[
                "This box belongs to no facility yet, and carries no messages.",
                "IT: put in the stick that wardline-provision wrote.",
                "If this box worked before: touch nothing, and call IT.",
            ],
            Self::Ready => &["The box works. There is nothing to do."],
            Self::FirmwareChanged(_) => &[
                "The box keeps its messages closed: it did not start as it did before.",
                "Touch nothing, and call IT. Go on as in a downtime.",
                "What phones have not sent yet stays with them, and nothing is lost.",
            ],
            Self::TpmDead => &[
                "The box cannot reach the chip that holds its keys.",
                "Switch it off at the mains for a minute, once. If this comes back,",
                "call IT: the runbook for dead hardware. Go on as in a downtime.",
            ],
            Self::DiskFull => &[
                "The disk of the box is full. What was accepted is safe.",
                "Call IT. Do not switch the box off: it goes on once there is room.",
            ],
            Self::Clock => &[
                "The clock of the box is wrong, so phones would not trust it.",
                "Call IT. It goes on by itself once the clock is right.",
            ],
            Self::Keys(_) => &[
                "The box cannot open its messages.",
                "Touch nothing, and call IT with the number above. Go on as in a downtime.",
            ],
            Self::BadBundle(_) => &[
                "The box did not take what is on the stick. Nothing has changed.",
                "IT: look up the number in the setup guide, and bring another stick.",
                "This page goes by itself after ten minutes.",
            ],
            Self::Stopped => &[
                "A part of the box does not start.",
                "Switch it off at the mains for a minute, once. If this comes back,",
                "call IT. Go on as in a downtime.",
            ],
        }
    }
}

/// The code.
impl fmt::Display for BoxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Working => f.write_str("WORKING"),
            Self::Enrol => f.write_str("ENROL"),
            Self::Ready => f.write_str("READY"),
            Self::FirmwareChanged(which) => {
                f.write_str("FIRMWARE CHANGED")?;
                which.iter().try_for_each(|pcr| write!(f, " {pcr:02}"))
            }
            Self::TpmDead => f.write_str("TPM DEAD"),
            Self::DiskFull => f.write_str("DISK FULL"),
            Self::Clock => f.write_str("CLOCK"),
            Self::Keys(number) => write!(f, "KEYS {number:02}"),
            Self::BadBundle(number) => write!(f, "BAD BUNDLE {number:02}"),
            Self::Stopped => f.write_str("STOPPED"),
        }
    }
}

#[cfg(test)]
mod tests {
    use wardline_keys_protocol::state::{Blob, Index};

    use super::*;

    fn facts(keeper: KeeperState) -> Facts {
        Facts {
            keeper: Some(keeper),
            configured: true,
            serving: false,
            full: false,
            bad: None,
            unchanged_ms: 0,
        }
    }

    fn code(facts: &Facts) -> String {
        BoxState::of(facts).to_string()
    }

    fn every_keeper_state() -> Vec<KeeperState> {
        vec![
            KeeperState::Ready,
            KeeperState::NotProvisioned,
            KeeperState::IssuingMissing,
            KeeperState::NoTpm,
            KeeperState::ForeignTpm,
            KeeperState::PcrsChanged { which: vec![7, 12] },
            KeeperState::Revoked,
            KeeperState::Lockout,
            KeeperState::BlobMissing { which: Blob::Pepper },
            KeeperState::BlobCorrupt { which: Blob::Pepper },
            KeeperState::ApprovalMissing,
            KeeperState::ClockWrong,
            KeeperState::SealRefused,
            KeeperState::TpmFailed,
            KeeperState::IssuingExpired,
            KeeperState::Unmeasured { which: vec![7] },
            KeeperState::TpmDenied,
            KeeperState::TpmBusy,
            KeeperState::StateUnusable,
            KeeperState::KeysMissing,
            KeeperState::IndexReplaced { which: Index::Epoch },
        ]
    }

    #[test]
    fn a_new_box_asks_for_a_stick_and_a_whole_one_is_ready() {
        assert_eq!(code(&Facts { configured: false, ..facts(KeeperState::NotProvisioned) }), "ENROL");
        assert_eq!(code(&Facts { serving: true, ..facts(KeeperState::Ready) }), "READY");
    }

    #[test]
    fn nothing_but_a_keeper_that_is_ready_and_a_relay_that_answers_is_ready() {
        for state in every_keeper_state() {
            let ready = state == KeeperState::Ready;
            assert_eq!(code(&Facts { serving: true, ..facts(state) }) == "READY", ready);
        }
        assert_eq!(code(&Facts { keeper: None, serving: true, ..facts(KeeperState::Ready) }), "WORKING");
    }

    #[test]
    fn what_does_not_come_is_said_after_a_while_and_not_before() {
        for keeper in [None, Some(KeeperState::Ready)] {
            let waits = Facts { keeper, unchanged_ms: PATIENCE_MS - 1, ..facts(KeeperState::Ready) };
            assert_eq!(code(&waits), "WORKING");
            assert_eq!(code(&Facts { unchanged_ms: PATIENCE_MS, ..waits }), "STOPPED");
        }
        let busy = facts(KeeperState::TpmBusy);
        assert_eq!(code(&busy), "WORKING");
        assert_eq!(code(&Facts { unchanged_ms: PATIENCE_MS, ..busy }), "TPM DEAD");
    }

    #[test]
    fn a_full_disk_is_said_before_a_relay_that_waits_for_room_counts_as_stopped() {
        let full = Facts { full: true, unchanged_ms: PATIENCE_MS, ..facts(KeeperState::Ready) };
        assert_eq!(code(&full), "DISK FULL");
    }

    #[test]
    fn a_stick_that_was_not_taken_is_said_unless_the_box_has_worse_to_say() {
        let bad = |keeper, serving| Facts { bad: Some(15), serving, ..facts(keeper) };
        for serving in [false, true] {
            assert_eq!(code(&bad(KeeperState::Ready, serving)), "BAD BUNDLE 15");
        }
        assert_eq!(code(&bad(KeeperState::IssuingMissing, false)), "BAD BUNDLE 15");
        assert_eq!(code(&bad(KeeperState::NoTpm, false)), "TPM DEAD");
        assert_eq!(code(&bad(KeeperState::PcrsChanged { which: vec![7] }, false)), "FIRMWARE CHANGED 07");
    }

    #[test]
    fn what_changed_is_named() {
        assert_eq!(code(&facts(KeeperState::PcrsChanged { which: vec![7, 12] })), "FIRMWARE CHANGED 07 12");
    }

    /// A number that stood for two reasons would send whoever is called to the wrong page of the runbook.
    #[test]
    fn every_state_of_the_keeper_has_a_code_and_those_with_a_number_one_of_their_own() {
        let codes: Vec<String> = every_keeper_state().into_iter().map(|state| code(&facts(state))).collect();
        let mut numbered: Vec<&String> = codes.iter().filter(|code| code.starts_with("KEYS")).collect();
        let count = numbered.len();
        numbered.sort_unstable();
        numbered.dedup();
        assert_eq!((numbered.len(), count), (10, 10));
    }

    #[test]
    fn words_fit_a_screen_and_say_what_to_do() {
        for state in every_keeper_state() {
            let words = BoxState::of(&facts(state.clone())).words();
            assert!(words.iter().all(|line| line.len() <= 75 && line.is_ascii()), "{state:?}");
            let all = words.join(" ");
            let acts = ["IT", "nothing to do", "leave", "put in"];
            assert!(acts.iter().any(|act| all.contains(act)), "{state:?}: {all}");
        }
    }
}
