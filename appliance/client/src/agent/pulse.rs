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
/// An answer takes a round trip and 25 ms, on the worst radio half a second: who hears nothing for so long asks.
pub(super) const QUIET_MAX: Duration = Duration::from_secs(1);

/// How a connection does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Health {
    Well,
    /// Something should have been heard by now.
    Quiet,
    Gone,
}

/// What was heard of one connection.
pub(super) struct Pulse {
    heard: u64,
    sent: u64,
    /// Something was sent that wants an acknowledgement, and nothing heard since.
    silent_since: Option<Instant>,
    /// A request was sent, with so many signs of life before it.
    asked: Option<(Instant, u64)>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { heard: 0, sent: 0, silent_since: None, asked: None }
    }

    /// A request was sent.
    pub(super) fn asks(&mut self, heard: u64, now: Instant) {
        match self.asked {
            Some((_, before)) if before == heard => {}
            _ => self.asked = Some((now, heard)),
        }
    }

    /// Since when a request waits to be acknowledged, as far as was known at the last look.
    pub(super) fn asked_at(&self) -> Option<Instant> {
        self.asked.map(|(at, _)| at)
    }

    /// Whether nothing was heard since the request. If something was, nothing is waited for any more.
    pub(super) fn is_unheard(&mut self, heard: u64) -> bool {
        self.asked.take().is_some_and(|(_, before)| before == heard)
    }

    /// Looks at how much went out that wants an answer, and how many signs of life came in.
    pub(super) fn look(&mut self, sent: u64, heard: u64, now: Instant) -> Health {
        if heard != self.heard {
            (self.heard, self.sent, self.silent_since) = (heard, sent, None);
        } else if sent != self.sent {
            self.silent_since.get_or_insert(now);
        }
        match self.silent_since.map(|since| now - since) {
            Some(silence) if silence >= SILENCE_MAX => Health::Gone,
            Some(silence) if silence >= QUIET_MAX => Health::Quiet,
            _ => Health::Well,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_only_after_something_was_sent() {
        let begin = Instant::now();
        let mut pulse = Pulse::new();
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(pulse.look(5, 5, at(3)), Health::Well);
        // Nothing sent, nothing heard: an idle connection.
        assert_eq!(pulse.look(5, 5, at(50)), Health::Well);
        assert_eq!(pulse.look(6, 5, at(53)), Health::Well);
        assert_eq!(pulse.look(6, 5, at(54)), Health::Quiet);
        assert_eq!(pulse.look(8, 5, at(67)), Health::Quiet);
        // An answer late is an answer.
        assert_eq!(pulse.look(9, 6, at(69)), Health::Well);
        assert_eq!(pulse.look(10, 6, at(72)), Health::Well);
        assert_eq!(pulse.look(14, 6, at(87)), Health::Gone);
    }

    #[test]
    fn a_request_waits_for_a_sign_of_life_after_it() {
        let begin = Instant::now();
        let (mut pulse, later) = (Pulse::new(), begin + Duration::from_millis(300));
        pulse.asks(7, begin);
        pulse.asks(7, later);
        assert_eq!(pulse.asked_at(), Some(begin), "the first that waits");
        pulse.asks(8, later);
        assert_eq!(pulse.asked_at(), Some(later), "the one before was heard");
        assert!(!pulse.is_unheard(9));
        assert_eq!(pulse.asked_at(), None);
        pulse.asks(9, later);
        assert!(pulse.is_unheard(9));
    }
}
