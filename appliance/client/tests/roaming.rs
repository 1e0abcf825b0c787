//! The client against a scripted box: what it does when it is told that the network has changed.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

mod scripted;

use std::time::{Duration, Instant};

use scripted::{ScriptedBox, WARD, signed_in};
use wardline_client::error::End;
use wardline_client::{Client, ConversationId, Sequence, Standing};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::{self, server_frame::Body as Answer};

fn ward() -> ConversationId {
    ConversationId::new(WARD).unwrap()
}

async fn stands(client: &Client, so: impl Fn(&Standing) -> bool) {
    client.standing().wait_for(|standing| so(standing)).await.unwrap();
}

/// The old connection answers no echo, so a second one is made beside it. The box closes the first as one that was signed
/// in to from elsewhere: that was this client, and it goes on.
#[tokio::test]
async fn a_second_connection_takes_over_from_one_that_is_silent() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let first = the_box.sign_in(0).await;
    ana.ready().await.unwrap();
    ana.network_changed().await.unwrap();
    let (mut second, request) = the_box.proven().await;
    // Between the proof and its answer: as the box does it.
    first.quic.close(CloseCode::SUPERSEDED.0.into(), b"");
    stands(&ana, |standing| matches!(standing, Standing::Connecting)).await;
    second.answer(request, signed_in(0)).await;
    ana.ready().await.unwrap();
    let mut sent = ana.send_tracked(ward(), "still here").await.unwrap();
    let (request, submit) = second.submit().await;
    second.accept(request, &submit, 1).await;
    assert_eq!(sent.outcome().await.unwrap().sequence, Sequence(1));
    ana.close().await;
}

/// Nobody but another copy of the profile can have done it when this client tried nothing.
#[tokio::test]
async fn a_sign_in_from_elsewhere_is_the_end() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    ana.ready().await.unwrap();
    ana.network_changed().await.unwrap();
    ana.send(ward(), "behind the echo").await.unwrap();
    // Reads the echoes before it, and answers them: the way works, and no second connection is tried.
    line.submit().await;
    line.quic.close(CloseCode::SUPERSEDED.0.into(), b"");
    stands(&ana, |standing| matches!(standing, Standing::Ended(End::Superseded))).await;
}

/// A box that says when to come again means it, on whatever network; otherwise a network that is new is tried at once.
#[tokio::test]
async fn a_wait_ends_with_the_news_unless_the_box_imposed_it() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    let mut line = the_box.sign_in(0).await;
    ana.ready().await.unwrap();
    let restarts = Instant::now();
    line.answer(0, Answer::Draining(proto::Draining { retry_after: 1_000 })).await;
    stands(&ana, |standing| matches!(standing, Standing::Waiting(_))).await;
    ana.network_changed().await.unwrap();
    let _line = the_box.sign_in(0).await;
    assert!(restarts.elapsed() >= Duration::from_secs(1), "never before the box said");
    ana.close().await;
}
