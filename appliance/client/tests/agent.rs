//! The client against a scripted box: what it promises when connections, sessions and submissions go wrong.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

mod scripted;

use scripted::{ScriptedBox, WARD, conversation, message, signed_in};
use wardline_client::error::End;
use wardline_client::{Calls as _, Client, ConversationId, Error, Event, Events, Pin, Sequence, Standing};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};

fn ward() -> ConversationId {
    ConversationId::new(WARD).unwrap()
}

/// The next event that is not about the connection.
async fn happening(events: &mut Events) -> Event {
    loop {
        match events.next().await.unwrap() {
            Event::Connected(_) | Event::Reconnecting { .. } => {}
            event => return event,
        }
    }
}

async fn text(events: &mut Events) -> String {
    match happening(events).await {
        Event::Message(message) => message.text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_device_joins_and_its_message_is_accepted() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(41).await;
    assert_eq!(ana.ready().await.unwrap().last_number, 41);
    let mut sent = ana.send_tracked(ward(), "hello").await.unwrap();
    let (request, submit) = line.submit().await;
    assert_eq!((submit.number, submit.text.as_str(), submit.conversation), (42, "hello", WARD));
    line.accept(request, &submit, 9).await;
    assert_eq!(sent.outcome().await.unwrap().sequence, Sequence(9));
    ana.close().await;
    assert!(matches!(line.quic.closed().await, quinn::ConnectionError::ApplicationClosed(_)));
    assert!(matches!(ana.people().await, Err(Error::Ended(End::Closed))));
    // Nothing of the text is left, and the numbers are remembered.
    let outbox = std::fs::read_to_string(home.path().join("outbox")).unwrap();
    assert_eq!(outbox, "{\"floor\":{\"number\":42}}\n");
}

/// The box says once what rings, and an app may take a moment before it listens.
#[tokio::test]
async fn what_rang_before_anybody_follows_is_told_to_whoever_does() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    for sequence in [1, 2] {
        let state = proto::EscalationState::Ringing.into();
        let ring = proto::Ring { conversation: WARD, sequence, state, ..proto::Ring::default() };
        line.answer(0, Answer::Ring(ring)).await;
    }
    let over = proto::Silence { conversation: WARD, sequence: 1, ..proto::Silence::default() };
    line.answer(0, Answer::Silence(over)).await;
    // An answer behind them: they have come.
    let asks = ana.clone();
    let asked = tokio::spawn(async move { asks.people().await });
    let (request, Ask::ListPeople(_)) = line.ask().await else { panic!("no question") };
    line.answer(request, Answer::PeoplePage(proto::PeoplePage { people: vec![], end: true })).await;
    assert!(asked.await.unwrap().unwrap().is_empty());

    let mut events = ana.events().unwrap();
    match happening(&mut events).await {
        Event::Ring(ring) => assert_eq!(ring.stat.sequence, Sequence(2), "the other one is over"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_submission_in_doubt_is_repeated_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    let mut sent = ana.send_tracked(ward(), "5 mg").await.unwrap();
    let next = ana.send(ward(), "no, wait").await.unwrap();
    let (_, first) = line.submit().await;
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    // The box had taken it before it went.
    let mut line = the_box.sign_in(1).await;
    let (request, again) = line.submit().await;
    assert_eq!((again.number, &again.message, &again.text), (1, &first.message, &first.text));
    line.accept(request, &again, 1).await;
    sent.outcome().await.unwrap();
    // The second did not overtake it.
    let (_, second) = line.submit().await;
    assert_eq!((second.number, second.message.as_slice()), (2, next.0.as_slice()));
    // The process dies here; another one repeats it.
    ana.close().await;
    let again = Client::open(home.path()).await.unwrap();
    let mut line = the_box.sign_in(1).await;
    let (_, repeated) = line.submit().await;
    assert_eq!((repeated.number, repeated.message.as_slice()), (2, next.0.as_slice()));
    again.close().await;
}

#[tokio::test]
async fn a_transient_refusal_takes_a_fresh_number_and_keeps_the_order() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    let mut first = ana.send_tracked(ward(), "first").await.unwrap();
    ana.send(ward(), "second").await.unwrap();
    for (expected, code) in [
        (1, RefusalCode::SlowDown),
        (2, RefusalCode::DiskLow),
        (3, RefusalCode::NumberPassed),
        (4, RefusalCode::Unavailable),
    ] {
        let (request, submit) = line.submit().await;
        assert_eq!((submit.number, submit.message.as_slice()), (expected, first.id.0.as_slice()));
        line.refuse(request, code).await;
    }
    let (request, submit) = line.submit().await;
    assert_eq!((submit.number, submit.text.as_str()), (5, "first"));
    line.accept(request, &submit, 1).await;
    assert_eq!(first.outcome().await.unwrap().sequence, Sequence(1));
    assert_eq!(line.submit().await.1.text, "second");
    ana.close().await;
}

#[tokio::test]
async fn a_final_refusal_is_told_until_it_was_heard() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    assert!(ana.events().is_none());
    let mut line = the_box.sign_in(0).await;
    line.sync().await;
    let id = ana.send(ward(), "to nobody").await.unwrap();
    let (request, _) = line.submit().await;
    line.refuse(request, RefusalCode::Purged).await;
    let Event::Failed { message, refused, .. } = happening(&mut events).await else { panic!() };
    assert_eq!((message, refused.code == RefusalCode::Purged), (id, true));
    // Not yet dealt with: the next process hears of it again.
    drop((events, line));
    ana.close().await;
    let again = Client::open(home.path()).await.unwrap();
    assert!(again.unsent().await.unwrap()[0].failed);
    let mut events = again.events().unwrap();
    let mut line = the_box.sign_in(0).await;
    line.sync().await;
    assert!(matches!(happening(&mut events).await, Event::Failed { .. }));
    events.done();
    again.close().await;
    let again = Client::open(home.path()).await.unwrap();
    assert!(again.unsent().await.unwrap().is_empty());
    again.close().await;
}

#[tokio::test]
async fn the_cursor_moves_when_an_event_was_dealt_with() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    let mut line = the_box.sign_in(0).await;
    let (request, cursor) = line.sync().await;
    assert!(cursor.is_empty());
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: true })).await;
    line.deliver([(1, conversation()), (2, message(1, "one"))]).await;
    line.synced(request, 3).await;
    line.deliver([(4, message(2, "two")), (5, message(3, "three"))]).await;
    assert!(matches!(happening(&mut events).await, Event::Snapshot));
    assert!(matches!(happening(&mut events).await, Event::Conversation(_)));
    assert_eq!(text(&mut events).await, "one");
    assert!(matches!(happening(&mut events).await, Event::CaughtUp));
    assert_eq!(text(&mut events).await, "two");
    assert_eq!(text(&mut events).await, "three");
    // "three" is taken and not dealt with when the process ends.
    let receipt = line.receipt().await;
    assert_eq!((receipt.conversation, receipt.read), (WARD, 0));
    drop(events);
    ana.close().await;

    let again = Client::open(home.path()).await.unwrap();
    let mut events = again.events().unwrap();
    let mut line = the_box.sign_in(0).await;
    let (request, cursor) = line.sync().await;
    assert_eq!(cursor, [4; 16]);
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: false })).await;
    line.deliver([(5, message(3, "three"))]).await;
    line.synced(request, 5).await;
    assert_eq!(text(&mut events).await, "three");
    assert!(matches!(happening(&mut events).await, Event::CaughtUp));
    // The box starts over: its places may hold what was not shown, so all is shown, and what is missing is named.
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    let mut line = the_box.sign_in(0).await;
    let (request, _) = line.sync().await;
    line.refuse(request, RefusalCode::CursorInvalid).await;
    let (request, cursor) = line.sync().await;
    assert!(cursor.is_empty());
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: true })).await;
    line.deliver([(1, conversation()), (2, message(3, "three")), (3, message(6, "six"))]).await;
    line.synced(request, 9).await;
    assert!(matches!(happening(&mut events).await, Event::Snapshot));
    assert!(matches!(happening(&mut events).await, Event::Conversation(_)));
    // Behind it, unasked, one more snapshot: the box found this device too slow. It does not name the ward.
    line.answer(0, Answer::SyncStarted(proto::SyncStarted { snapshot: true })).await;
    line.synced(0, 10).await;
    assert_eq!(text(&mut events).await, "three");
    let gap = happening(&mut events).await;
    assert!(matches!(gap, Event::Gap { from: Sequence(4), to: Sequence(5), .. }), "{gap:?}");
    assert_eq!(text(&mut events).await, "six");
    assert!(matches!(happening(&mut events).await, Event::CaughtUp));
    assert!(matches!(happening(&mut events).await, Event::Snapshot));
    assert!(matches!(happening(&mut events).await, Event::Gone(gone) if gone == ward()));
    assert!(matches!(happening(&mut events).await, Event::CaughtUp));
    again.close().await;
}

#[tokio::test]
async fn receipts_are_coalesced_and_the_last_goes_with_the_farewell() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    let mut line = the_box.sign_in(0).await;
    let (request, _) = line.sync().await;
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: true })).await;
    line.deliver([(1, conversation())]).await;
    line.synced(request, 2).await;
    line.deliver((1..=20).map(|n| (n + 2, message(n.into(), "text")))).await;
    while !matches!(happening(&mut events).await, Event::Message(m) if m.sequence == Sequence(20)) {}
    events.done();
    ana.mark_read(ward(), Sequence(20)).await.unwrap();
    ana.close().await;
    let mut receipts = vec![line.receipt().await];
    while receipts.last().unwrap().read != 20 {
        receipts.push(line.receipt().await);
    }
    assert_eq!(receipts.last().unwrap().delivered, 20);
    assert!(receipts.len() <= 3, "{}", receipts.len());
}

#[tokio::test]
async fn a_locked_session_takes_the_pin_and_syncs_again() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, Answer::PinNeeded(proto::PinNeeded { tries_left: 10, passkey: false })).await;
    assert!(matches!(ana.ready().await, Err(Error::Locked { tries_left: 10 })));
    assert!(matches!(happening(&mut events).await, Event::PinNeeded { tries_left: 10 }));
    // Composing goes on; asking does not.
    ana.send(ward(), "kept").await.unwrap();
    assert!(matches!(ana.people().await, Err(Error::Locked { .. })));
    for (pin, answer) in [("111", false), ("739154", true)] {
        let unlocking = {
            let ana = ana.clone();
            tokio::spawn(async move { ana.unlock(Pin::offer(pin.to_owned()).unwrap()).await })
        };
        let (request, Ask::Unlock(unlock)) = line.ask().await else { panic!("no PIN") };
        assert_eq!(unlock.pin, pin);
        if answer {
            line.answer(request, signed_in(0)).await;
            unlocking.await.unwrap().unwrap();
        } else {
            line.refuse(request, RefusalCode::PinWrong).await;
            let wrong = unlocking.await.unwrap();
            assert!(matches!(wrong, Err(Error::Refused(refused)) if refused.tries_left == 9));
        }
    }
    line.sync().await;
    let (request, submit) = line.submit().await;
    // It locks again before the submission is looked at; a question under way is left without an answer.
    let asking = tokio::spawn({
        let ana = ana.clone();
        async move { ana.people().await }
    });
    let (_, Ask::ListPeople(_)) = line.ask().await else { panic!("no question") };
    line.answer(0, Answer::Locked(proto::Locked { tries_left: 10, passkey: false })).await;
    line.refuse(request, RefusalCode::Locked).await;
    while !matches!(happening(&mut events).await, Event::Locked { tries_left: 10 }) {}
    assert!(matches!(asking.await.unwrap(), Err(Error::Locked { .. })));
    let unlocking = tokio::spawn({
        let ana = ana.clone();
        async move { ana.unlock(Pin::offer("739154".to_owned()).unwrap()).await }
    });
    let (request, Ask::Unlock(_)) = line.ask().await else { panic!("no PIN") };
    line.answer(request, signed_in(0)).await;
    unlocking.await.unwrap().unwrap();
    line.sync().await;
    let (_, again) = line.submit().await;
    assert_eq!((again.number, again.message), (2, submit.message));
    ana.close().await;
}

#[tokio::test]
async fn some_ends_are_final() {
    for (code, expected) in [(CloseCode::SUPERSEDED, End::Superseded), (CloseCode::REVOKED, End::Revoked)] {
        let home = tempfile::tempdir().unwrap();
        let mut the_box = ScriptedBox::open();
        let ana = the_box.enrol(home.path()).await;
        let line = the_box.sign_in(0).await;
        ana.ready().await.unwrap();
        line.quic.close(code.0.into(), b"");
        let mut standing = ana.standing();
        let ended =
            standing.wait_for(|standing| matches!(standing, Standing::Ended(_))).await.unwrap().clone();
        assert!(matches!(ended, Standing::Ended(end) if end == expected));
    }
}

#[tokio::test]
async fn a_number_that_was_used_before_is_given_up_for_a_fresh_one() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    let id = ana.send(ward(), "after a restored backup").await.unwrap();
    assert_eq!(line.submit().await.1.number, 1);
    line.quic.close(0x104u32.into(), b"");
    let mut line = the_box.sign_in(7).await;
    let (_, submit) = line.submit().await;
    assert_eq!((submit.number, submit.message.as_slice()), (8, id.0.as_slice()));
    ana.close().await;
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (ours, other) = (ScriptedBox::open(), ScriptedBox::open());
    let mut link = ours.link.clone();
    link.address = other.link.address.clone();
    let pin = Pin::choose("739154".to_owned()).unwrap();
    let (joined, ()) = tokio::join!(Client::join(&link, &pin, "phone", home.path()), other.turn_away());
    assert!(matches!(joined.err().unwrap(), Error::Untrusted(_)));
}
