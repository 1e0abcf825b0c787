//! The looker's way against a scripted box: what it sees, what it says, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

mod scripted;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use scripted::ScriptedBox;
use wardline_client::error::TrustError;
use wardline_client::probe::{self, NoHandshake, Obstacle, Patience};
use wardline_client::trust::Root;

fn few() -> Patience {
    Patience { count: 3, apart: Duration::from_millis(1), rest: Duration::from_secs(20) }
}

async fn at(the_box: &ScriptedBox) -> SocketAddr {
    probe::resolve(&the_box.link.address).await.unwrap()[0]
}

#[tokio::test]
async fn a_box_is_seen_judged_and_greeted_as_nobody() {
    let the_box = ScriptedBox::open();
    let (there, pin) = (at(&the_box).await, Root::Pinned(the_box.link.root));
    let knocks = probe::knock(there, few()).await;
    assert_eq!((knocks.sent, knocks.answered.len(), knocks.lacks_version_1), (3, 3, false));
    assert_eq!(knocks.from, Some("127.0.0.1".parse().unwrap()));

    let looks = async {
        let visit = probe::visit(there, "127.0.0.1").await.unwrap();
        let other = visit.believe(Some(&Root::Pinned([7; 32])), UnixTime::now()).err();
        assert_eq!(other, Some(TrustError::OtherRoot));
        let year_1971 = UnixTime::since_unix_epoch(Duration::from_secs(40_000_000));
        assert_eq!(visit.believe(Some(&pin), year_1971).err(), Some(TrustError::NotYetValid));
        assert!(visit.believe(None, UnixTime::now()).is_ok());
        let belief = visit.believe(Some(&pin), UnixTime::now()).unwrap();
        let greeting = visit.greet(&belief).await.unwrap();
        let way = visit.way();
        visit.leave().await;
        (greeting, way)
    };
    let ((greeting, way), (_line, device)) = tokio::join!(looks, the_box.welcome());
    assert_eq!(device, 0, "it says who it is");
    assert_eq!(greeting.facility, "St. Elsewhere");
    // The scripted box believes that it is 1970.
    let behind = Duration::from_millis(greeting.ahead_ms.unsigned_abs());
    assert!(greeting.ahead_ms < 0 && behind > Duration::from_secs(50 * 365 * 86_400), "{greeting:?}");
    assert!(!way.retried && way.mtu >= 1_200 && way.sent > 0, "{way:?}");
}

#[tokio::test]
async fn a_retry_is_noticed() {
    let the_box = ScriptedBox::open();
    let there = at(&the_box).await;
    let looks = probe::visit(there, "127.0.0.1");
    let (visit, ()) = tokio::join!(looks, the_box.retry());
    assert!(visit.unwrap().way().retried);
}

#[tokio::test]
async fn a_closed_port_and_a_silent_one_are_told_apart() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let there = silent.local_addr().unwrap();
    let knocks = probe::knock(there, Patience { rest: Duration::from_millis(1), ..few() }).await;
    assert_eq!((knocks.sent, knocks.answered.len(), knocks.obstacle), (3, 0, None));
    drop(silent);
    let knocks = probe::knock(there, few()).await;
    assert_eq!(knocks.obstacle, Some(Obstacle::PortClosed));
    let visit = probe::visit(there, "no name at all").await;
    assert!(matches!(visit, Err(NoHandshake::Socket(_))));
}
