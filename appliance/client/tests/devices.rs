//! A person hears of every new device of theirs: when it happens, or at the next sign-in, and once.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]
#![allow(dead_code, reason = "the scripted box can do more than is needed here")]

mod scripted;

use std::path::Path;
use std::time::Duration;

use scripted::{DEVICE, Line, ScriptedBox, device, message, signed_in, signed_in_beside};
use wardline_client::{Client, Event, Events, Options};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::{self, event::Kind, server_frame::Body as Answer};

const DESK: u64 = 0x2002;
const SPARE: u64 = 0x3003;
const TABLET: u64 = 0x4004;

/// Answers its sync, and says that nothing was missed.
async fn catch_up(line: &mut Line, cursor: u8) {
    let (request, _) = line.sync().await;
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: false })).await;
    line.synced(request, cursor).await;
}

/// The devices told of until everything missed has come. The last event, `CaughtUp`, is dealt with.
async fn told(events: &mut Events) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    loop {
        match events.next().await.unwrap() {
            Event::DeviceJoined(device) => told.push((device.id.value(), device.name)),
            Event::CaughtUp => break,
            Event::Connected(_) | Event::Reconnecting { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    events.done();
    told
}

fn named(id: u64) -> (u64, String) {
    (id, format!("phone {id}"))
}

async fn next_device(events: &mut Events) -> u64 {
    loop {
        match events.next().await.unwrap() {
            Event::DeviceJoined(device) => return device.id.value(),
            Event::Connected(_) | Event::Reconnecting { .. } | Event::CaughtUp => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Joins, signs in once and ends.
async fn joined_alone(the_box: &mut ScriptedBox, home: &Path) {
    let ana = the_box.enrol(home).await;
    drop(the_box.sign_in(0).await);
    ana.close().await;
}

/// Opens, signs in beside these, catches up and ends: what it told of.
async fn told_beside(the_box: &ScriptedBox, home: &Path, others: &[u64]) -> Vec<(u64, String)> {
    let ana = Client::open(home).await.unwrap();
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(others)).await;
    catch_up(&mut line, 9).await;
    let told = told(&mut events).await;
    ana.close().await;
    told
}

#[tokio::test]
async fn a_new_device_is_told_when_it_joins_and_once() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[])).await;
    catch_up(&mut line, 1).await;
    assert!(told(&mut events).await.is_empty());
    // Itself, one that is revoked already, a new one, the new one again.
    let revoked = proto::Device { revoked: true, ..device(TABLET) };
    let joined = [device(DEVICE), revoked, device(DESK), device(DESK)];
    line.deliver((2..).zip(joined.map(Kind::DeviceJoined))).await;
    line.deliver([(7, message(1, "behind them"))]).await;
    let Some(Event::DeviceJoined(desk)) = events.next().await else { panic!("not told") };
    assert_eq!((desk.id.value(), desk.name.as_str()), (DESK, "phone 8194"));
    assert!(!format!("{:?}", Event::DeviceJoined(desk)).contains("phone"));
    assert!(matches!(events.next().await, Some(Event::Message(_))));
    events.done();
    // The list has it as well: on the next connection, and to the next process.
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK])).await;
    catch_up(&mut line, 8).await;
    assert!(told(&mut events).await.is_empty());
    ana.close().await;
    assert!(told_beside(&the_box, home.path(), &[DESK]).await.is_empty());
}

#[tokio::test]
async fn what_joined_meanwhile_is_told_at_the_next_sign_in_and_once() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    // The devices that there are already are shown when joining, and known from then on.
    let (ana, joined) = the_box.enrol_beside(home.path(), signed_in_beside(&[DESK])).await;
    assert_eq!(joined.others().map(|device| device.name.as_str()).collect::<Vec<_>>(), ["phone 8194"]);
    drop(the_box.sign_in(0).await);
    ana.close().await;
    assert_eq!(told_beside(&the_box, home.path(), &[DESK, SPARE]).await, [named(SPARE)]);
    assert!(told_beside(&the_box, home.path(), &[DESK, SPARE]).await.is_empty());
    // One that was revoked is forgotten, and no other with it.
    assert!(told_beside(&the_box, home.path(), &[SPARE]).await.is_empty());
    assert_eq!(told_beside(&the_box, home.path(), &[DESK, SPARE]).await, [named(DESK)]);
    // A box that lists none says nothing about them.
    let ana = Client::open(home.path()).await.unwrap();
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in(0)).await;
    catch_up(&mut line, 9).await;
    assert!(told(&mut events).await.is_empty());
    ana.close().await;
    assert!(told_beside(&the_box, home.path(), &[DESK, SPARE]).await.is_empty());
}

#[tokio::test]
async fn a_device_that_was_queued_and_not_taken_is_told_again() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    joined_alone(&mut the_box, home.path()).await;
    let ana = Client::open(home.path()).await.unwrap();
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK, SPARE])).await;
    line.sync().await;
    // The first one is dealt with, the second handed over and not dealt with, the third only queued.
    assert_eq!(next_device(&mut events).await, DESK);
    assert_eq!(next_device(&mut events).await, SPARE);
    line.deliver([(1, Kind::DeviceJoined(device(TABLET)))]).await;
    // A connection that breaks meanwhile queues them no second time.
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK, SPARE, TABLET])).await;
    line.sync().await;
    drop(events);
    ana.close().await;
    // No cursor ever came: what was taken is kept all the same.
    let again = Client::open(home.path()).await.unwrap();
    let mut events = again.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK, SPARE, TABLET])).await;
    line.sync().await;
    assert_eq!(next_device(&mut events).await, SPARE);
    assert_eq!(next_device(&mut events).await, TABLET);
    events.done();
    again.close().await;
    assert!(told_beside(&the_box, home.path(), &[DESK, SPARE, TABLET]).await.is_empty());
}

#[tokio::test]
async fn who_only_looks_or_does_not_listen_takes_nothing_away() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    joined_alone(&mut the_box, home.path()).await;
    // Looks, and deals with it.
    let ana = Client::open_with(home.path(), Options { peek: true }).await.unwrap();
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK])).await;
    catch_up(&mut line, 1).await;
    assert_eq!(told(&mut events).await, [named(DESK)]);
    ana.close().await;
    // Listens only after a while.
    let ana = Client::open(home.path()).await.unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[DESK])).await;
    assert_eq!(ana.ready().await.unwrap().devices.len(), 2);
    let mut events = ana.events().unwrap();
    catch_up(&mut line, 2).await;
    assert_eq!(told(&mut events).await, [named(DESK)]);
    ana.close().await;
}

/// Deliveries beyond what the client holds are dropped and asked for again; nobody would send this one again.
#[tokio::test]
async fn a_new_device_is_told_to_who_is_slow() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[])).await;
    catch_up(&mut line, 1).await;
    assert!(told(&mut events).await.is_empty());
    // In a conversation that it does not know of: each is shown.
    line.deliver((1..=6_000).map(|n| (2, message(n, "busy")))).await;
    line.deliver([(3, Kind::DeviceJoined(device(DESK)))]).await;
    let hears = async {
        let mut messages = 0;
        loop {
            match events.next().await.unwrap() {
                Event::Message(_) => messages += 1,
                Event::DeviceJoined(_) => return messages,
                other => panic!("{other:?}"),
            }
            // As slow as somebody who reads; the queue is full long before.
            if messages == 1 {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    };
    let messages = tokio::time::timeout(Duration::from_secs(60), hears).await.expect("not told");
    assert!(messages < 6_000, "none was dropped");
    ana.close().await;
}
