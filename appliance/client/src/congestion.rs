//! How much may be under way to the box.
//!
//! Radio loses packets without any queue being full, and a controller that takes each loss for congestion soon allows two
//! packets at a time: whatever of them is lost then holds up the next for a whole probe timeout, which doubles. A device
//! sends little, and rests between; so what it may always have under way is what every connection may begin with.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory, CubicConfig};
use quinn_proto::RttEstimator;

/// Ten packets, as RFC 9002 (7.2) lets everybody begin.
const FLOOR: u64 = 12_000;

/// Makes [`Floored`] controllers.
pub(crate) struct Floor;

/// Cubic (RFC 9438), never under [`FLOOR`].
struct Floored(Box<dyn Controller>);

impl ControllerFactory for Floor {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(Floored(Arc::new(CubicConfig::default()).build(now, mtu)))
    }
}

impl Controller for Floored {
    fn on_sent(&mut self, now: Instant, bytes: u64, last: u64) {
        self.0.on_sent(now, bytes, last);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        self.0.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.0.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, persistent: bool, lost: u64) {
        self.0.on_congestion_event(now, sent, persistent, lost);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.0.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        self.0.window().max(FLOOR)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self(self.0.clone_box()))
    }

    fn initial_window(&self) -> u64 {
        self.0.initial_window().max(FLOOR)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_leaves_ten_packets() {
        let now = Instant::now();
        let mut controller = Arc::new(Floor).build(now, 1_200);
        for second in 1..100 {
            let later = now + std::time::Duration::from_secs(second);
            controller.on_congestion_event(later, later, true, 1_200);
        }
        assert_eq!((controller.window(), controller.clone_box().window()), (FLOOR, FLOOR));
    }
}
