//! What the client makes of a box that says no: when it comes again, and what it tells the person.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]
#![allow(dead_code, reason = "the scripted box can do more than is needed here")]

mod scripted;

use std::time::{Duration, Instant};

use scripted::{ScriptedBox, WARD};
use wardline_client::error::End;
use wardline_client::{Calls as _, Client, ConversationId, Error, Event, Options, Pin, Standing};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};

fn refused(code: RefusalCode, retry_after: u64) -> Answer {
    Answer::Refused(proto::Refused {
        code: code.into(),
        advice: format!("Because of {}.", code.as_str_name()),
        retry_after,
        tries_left: 0,
    })
}

/// Why the client waits.
async fn waits(client: &Client) -> String {
    let mut standing = client.standing();
    let waiting = standing.wait_for(|standing| matches!(standing, Standing::Waiting(_))).await.unwrap();
    match &*waiting {
        Standing::Waiting(why) => why.to_string(),
        _ => unreachable!(),
    }
}

#[tokio::test]
async fn a_box_that_says_when_to_come_again_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    the_box.enrol(home.path()).await.close().await;
    let ana = Client::open(home.path()).await.unwrap();
    let contact = tokio::spawn({
        let ana = ana.clone();
        async move { ana.contact().await }
    });
    let (mut line, request) = the_box.proven().await;
    let said = Instant::now();
    line.answer(request, refused(RefusalCode::SlowDown, 1_500)).await;
    line.finish().await;
    line.quic.close(CloseCode::REFUSED.0.into(), b"");
    assert_eq!(waits(&ana).await, "Because of REFUSAL_CODE_SLOW_DOWN.");
    // Without it, the next attempt comes within 0.4 s.
    let _line = the_box.sign_in(0).await;
    assert!(said.elapsed() >= Duration::from_millis(1_500), "{:?}", said.elapsed());
    assert!(contact.await.unwrap().is_ok(), "whoever asks for contact waits as well");
    ana.close().await;
}

#[tokio::test]
async fn the_reason_before_a_close_is_told() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    the_box.enrol(home.path()).await.close().await;
    let ana = Client::open(home.path()).await.unwrap();
    let mut events = ana.events().unwrap();
    let mut line = the_box.sign_in(0).await;
    line.sync().await;
    // It has walked out of the staff's network.
    line.answer(0, refused(RefusalCode::Zone, 0)).await;
    line.finish().await;
    line.quic.close(CloseCode::REFUSED.0.into(), b"");
    loop {
        match events.next().await.unwrap() {
            Event::Reconnecting { why, .. } => {
                assert_eq!(why, "Because of REFUSAL_CODE_ZONE.");
                break;
            }
            Event::Connected(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // Back again; a refusal that nobody asked for is no reason for the next close.
    let line = the_box.sign_in(0).await;
    line.quic.close(CloseCode::REFUSED.0.into(), b"");
    assert!(waits(&ana).await.contains("0x14"));
    // A final one ends it.
    let mut line = the_box.sign_in(0).await;
    line.answer(0, refused(RefusalCode::PersonSuspended, 0)).await;
    line.finish().await;
    line.quic.close(CloseCode::REFUSED.0.into(), b"");
    let mut standing = ana.standing();
    let ended = standing.wait_for(|standing| matches!(standing, Standing::Ended(_))).await.unwrap().clone();
    assert!(
        matches!(ended, Standing::Ended(End::Refused(refused)) if refused.code == RefusalCode::PersonSuspended)
    );
}

#[tokio::test]
async fn who_only_looks_forgets_no_message_that_failed() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    the_box.enrol(home.path()).await.close().await;
    let ward = ConversationId::new(WARD).unwrap();
    // Kept, and never told to anybody: the process ends before the box refuses.
    let ana = Client::open(home.path()).await.unwrap();
    let id = ana.send(ward, "to nobody").await.unwrap();
    ana.close().await;
    for (first, peek) in [(true, true), (false, true), (false, false)] {
        let ana = Client::open_with(home.path(), Options { peek }).await.unwrap();
        let mut events = ana.events().unwrap();
        let mut line = the_box.sign_in(0).await;
        // The first process hears it from the box, the others from the outbox.
        if first {
            let (request, _) = loop {
                if let (request, Ask::Submit(submit)) = line.ask().await {
                    break (request, submit);
                }
            };
            line.answer(request, refused(RefusalCode::Purged, 0)).await;
        }
        loop {
            match events.next().await.unwrap() {
                Event::Failed { message, .. } => break assert_eq!(message, id),
                Event::Connected(_) => {}
                other => panic!("{other:?}"),
            }
        }
        events.done();
        ana.close().await;
    }
    let ana = Client::open(home.path()).await.unwrap();
    assert!(ana.unsent().await.unwrap().is_empty(), "told to somebody who listens");
    ana.close().await;
}

#[tokio::test]
async fn the_other_ends_words_stay_out_of_ours() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    the_box.enrol(home.path()).await.close().await;
    let ana = Client::open(home.path()).await.unwrap();
    let line = the_box.sign_in(0).await;
    ana.ready().await.unwrap();
    line.quic.close(CloseCode::DONE.0.into(), b"\x1b[2Jsend your PIN to");
    let why = waits(&ana).await;
    assert!(why.contains("0x10") && !why.contains("PIN"), "{why}");
    ana.close().await;
    assert!(matches!(ana.people().await, Err(Error::Ended(End::Closed))));
}

#[tokio::test]
async fn a_pin_is_given_up_with_the_attempt_it_was_offered_to() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    the_box.enrol(home.path()).await.close().await;
    let ana = Client::open(home.path()).await.unwrap();
    let (line, _) = the_box.proven().await;
    let unlocking = tokio::spawn({
        let ana = ana.clone();
        async move { ana.unlock(Pin::offer("739154".to_owned()).unwrap()).await }
    });
    // It has reached the client before the connection goes.
    ana.known().await.unwrap();
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    let given_up = tokio::time::timeout(Duration::from_secs(30), unlocking).await.expect("it waits").unwrap();
    assert!(matches!(given_up, Err(Error::Offline(_))), "{given_up:?}");
    // The next connection is offered none.
    let (mut line, request) = the_box.proven().await;
    line.answer(request, Answer::PinNeeded(proto::PinNeeded { tries_left: 10, passkey: false })).await;
    assert!(matches!(ana.contact().await, Err(Error::Locked { tries_left: 10 })));
    ana.close().await;
}
