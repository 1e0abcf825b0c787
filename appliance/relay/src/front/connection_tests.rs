//! The reader, with nobody behind the driver's inbox.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use wardline_core::input::Zone;
use wardline_core::wire::proto::{self, client_frame::Body};

use super::*;
use crate::testing::Bench;

fn carrier() -> Carrier<impl Fn() -> Door, impl FnOnce(&Arc<Lane>, [u8; 32])> {
    Carrier {
        door: || Door::Network(Zone::Ward),
        source: Source(1),
        exporter: None,
        origin: None,
        signed_in: |_: &Arc<Lane>, _| {},
    }
}

fn frames(count: u64, body: impl Fn() -> Body) -> Vec<u8> {
    let frame = |request| wire::encode_frame(&proto::ClientFrame { request, body: Some(body()) });
    (1..=count).flat_map(frame).collect()
}

/// Takes what the driver would have heard by the time that everybody waits: there is one thread, and nothing in here
/// waits for time or for a disk.
async fn heard(bench: &mut Bench) -> Vec<Command> {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    std::iter::from_fn(|| bench.inbox.try_recv().ok()).collect()
}

/// Answers come from the driver, later: a client that asks and asks must not fill the driver's inbox, nor its own lane,
/// before the first one does.
#[tokio::test]
async fn a_client_in_haste_has_as_many_requests_under_way_as_answers_may_wait() {
    let mut bench = Bench::new().await;
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let (reader, mut writer) = tokio::io::split(server);
    let context = Arc::clone(&bench.context);
    let served = tokio::spawn(async move { serve(&context, carrier(), reader, &mut writer).await });
    client.write_all(&frames(1_000, || Body::ListPeople(proto::ListPeople { after: 0 }))).await.unwrap();

    let first = heard(&mut bench).await;
    let requests = |of: &[Command]| of.iter().filter(|one| matches!(one, Command::Request(..))).count();
    assert_eq!(requests(&first), 64);
    // Each that the driver is done with, and that leaves no answer waiting, makes room for one.
    drop(first.into_iter().skip(1).take(10).collect::<Vec<_>>());
    let next = heard(&mut bench).await;
    assert!((1..=64).contains(&requests(&next)), "{}", requests(&next));
    drop(client);
    drop(next);
    served.abort();
}

/// What does not parse is refused by the doorway; a flood of it is one all the same.
#[tokio::test]
async fn a_flood_of_what_is_refused_at_the_door_ends_the_connection() {
    let mut bench = Bench::new().await;
    let (client, server) = tokio::io::duplex(1 << 20);
    let (reader, mut writer) = tokio::io::split(server);
    let context = Arc::clone(&bench.context);
    let served = tokio::spawn(async move { serve(&context, carrier(), reader, &mut writer).await });
    // Far more than the burst, and than comes back meanwhile.
    let refused = || Body::History(proto::History { conversation: 0, before: 0, limit: 1 });
    let flood = frames(20_000, refused);
    let (mut answers, mut questions) = tokio::io::split(client);
    let reading = tokio::spawn(async move { tokio::io::copy(&mut answers, &mut tokio::io::sink()).await });
    let asking = tokio::spawn(async move { questions.write_all(&flood).await });
    let faulted = async {
        loop {
            match bench.inbox.recv().await {
                Some(Command::Input(Input::Faulted { fault, .. })) => return fault,
                Some(_) => {}
                None => panic!("the connection went without a word"),
            }
        }
    };
    let fault = tokio::time::timeout(Duration::from_secs(20), faulted).await.unwrap();
    assert_eq!(fault, PeerFault::Flood);
    for task in [served.abort_handle(), reading.abort_handle(), asking.abort_handle()] {
        task.abort();
    }
}
