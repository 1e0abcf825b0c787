//! Whether the box at the other end still lives.
//!
//! QUIC gives a silent connection up after its idle timeout, a minute: right for somebody in a lift, too long for a box
//! that was cut off power and is back after two seconds, and does not know its old connections any more. In between:
//! what was sent and is not acknowledged for [`SILENCE_MAX`] ends the connection here, and a new one is tried.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than from one keep-alive to the next, so that a last acknowledgement of ours, which is not acknowledged in its
/// turn, starts no alarm that the next ping does not stop.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Between looks.
const LOOK: Duration = Duration::from_secs(3);

/// What was heard of one connection.
pub(super) struct Pulse {
    look_at: Instant,
    heard: u64,
    sent: u64,
    /// Something was sent, and nothing heard since.
    silent_since: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self { look_at: now + LOOK, heard: 0, sent: 0, silent_since: None }
    }

    /// When to look next.
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Looks at how many packets went out and how many signs of life came in; says whether the box is given up.
    pub(super) fn is_gone(&mut self, sent: u64, heard: u64, now: Instant) -> bool {
        self.look_at = now + LOOK;
        if heard != self.heard {
            (self.heard, self.sent, self.silent_since) = (heard, sent, None);
        } else if sent != self.sent {
            self.silent_since.get_or_insert(now);
        }
        self.silent_since.is_some_and(|since| now - since >= SILENCE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_only_after_something_was_sent() {
        let begin = Instant::now();
        let mut pulse = Pulse::new(begin);
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(!pulse.is_gone(5, 5, at(3)));
        // Nothing sent, nothing heard: an idle connection.
        assert!(!pulse.is_gone(5, 5, at(50)));
        assert!(!pulse.is_gone(6, 5, at(53)));
        assert!(!pulse.is_gone(8, 5, at(67)));
        // An answer late is an answer.
        assert!(!pulse.is_gone(9, 6, at(69)));
        assert!(!pulse.is_gone(10, 6, at(72)));
        assert!(pulse.is_gone(14, 6, at(87)));
    }
}
