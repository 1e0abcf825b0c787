//! A conversation is purged on a whole box. Then somebody comes who has everything: the running box's disk and, from its
//! keeper, the database key. What was said there is not to be had any more, nor after the relay was killed and has
//! replayed its log.
#![allow(clippy::unwrap_used, reason = "what is shared with the store's tests says so there")]

#[path = "../../relay/tests/store/inside.rs"]
#[allow(dead_code, reason = "the store's tests use the rest")]
mod inside;
mod support;

use anyhow::{Context as _, Result, ensure};
use inside::Inside;
use support::Fixture;
use support::pair::{PIN, Pair, device, say};
use wardline_client::{Calls as _, ConversationId};
use wardline_core::wire::proto::{self, client_frame::Body as Ask};
use wardline_keys_protocol::client::KeeperClient;

const TEXT: &str = "CANARY Slate-Marten 6120";
const TITLE: &str = "CANARY Amber-Plover 3387";
/// The first thing that Ana says to Ben, in a conversation that is kept.
const KEPT: &str = "question 1";

/// With the key that the relay was given: the keeper tells whoever is the relay's user, as this test is.
async fn look(fixture: &Fixture) -> Result<Inside> {
    let key = KeeperClient::connect(fixture.devbox.keeper_socket())?.database_key()?;
    Ok(Inside::of(&fixture.devbox.data().join("wardline.db"), key.expose()).await)
}

/// Three people, two conversations; one of them will be purged.
async fn talk(fixture: &Fixture) -> Result<(Pair, ConversationId)> {
    let mut pair = Pair::join(fixture).await?;
    pair.exchange().await?;
    let dana = device(fixture, "Dana", PIN, "Dana's phone").await?;
    let group = pair.ana.open_group(TITLE, &[dana.identity().person]).await?.id;
    let mut hears = dana.events().context("taken")?;
    for _ in 0..5 {
        say(&pair.ana, group, TEXT, &mut hears).await?;
    }
    dana.close().await;
    Ok((pair, group))
}

fn purge(fixture: &Fixture, conversation: u64) -> Result<()> {
    let mut console = fixture.devbox.console()?;
    console.ask(Ask::PurgeConversation(proto::PurgeConversation { conversation }))?;
    // The relay answers this only when it has dealt with the purge, the log included.
    console.people()?;
    Ok(())
}

/// The purged messages lie there sealed, and nothing opens them.
fn ensure_purged(inside: &Inside, conversation: u64, wrapped: &[u8]) -> Result<()> {
    ensure!(!inside.keys.contains_key(&conversation), "the key is there");
    let sealed = inside.bodies.iter().filter(|body| body.0.conversation.value() == conversation).count();
    ensure!(sealed == 5, "{sealed} of 5 messages to open");
    ensure!(!inside.reads(TEXT), "a purged message opens");
    let found = inside.places(&[TEXT.as_bytes(), TITLE.as_bytes(), wrapped]);
    ensure!(found.is_empty(), "text, title or key (0, 1, 2) in clear: {found:?}");
    // The same look reads what was kept.
    ensure!(inside.reads(KEPT), "the kept conversation does not open");
    let kept: Vec<&[u8]> = inside.keys.values().map(Vec::as_slice).collect();
    ensure!(inside.places(&kept).len() == kept.len(), "the keys that are there are not found");
    Ok(())
}

#[test]
fn a_purged_conversation_is_out_of_reach_of_who_has_the_disk_and_the_key() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // The box's parts end with the thread that started them.
    let mut fixture = Fixture::start(&[]).expect("a box");
    let (pair, group) = runtime.block_on(talk(&fixture)).expect("people talk");
    let group = group.value();

    let before = runtime.block_on(look(&fixture)).expect("the store opens with the keeper's key");
    let wrapped = before.keys.get(&group).expect("the conversation has a key").clone();
    assert!(before.reads(TEXT) && before.reads(KEPT), "the live database gives texts away before the purge");
    let found = before.places(&[TEXT.as_bytes(), TITLE.as_bytes(), &wrapped]);
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        [1, 2],
        "title and wrapped key in clear, the text not"
    );

    purge(&fixture, group).expect("the purge");
    let live = runtime.block_on(look(&fixture)).expect("the store opens");
    ensure_purged(&live, group, &wrapped).expect("while the box runs");

    // Power fails; the next start replays the log.
    fixture.devbox.kill_relay();
    fixture.devbox.start_relay().expect("the relay starts again");
    let replayed = runtime.block_on(look(&fixture)).expect("the store opens");
    ensure_purged(&replayed, group, &wrapped).expect("after the log was replayed");
    runtime.block_on(pair.ana.close());
    runtime.block_on(pair.ben.close());
}
