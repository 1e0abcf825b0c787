//! One profile, several commands: whoever holds it answers the others.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]
#![allow(dead_code, reason = "the scripted box can do more than is needed here")]

mod scripted;

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

use scripted::{BEN, Line, ScriptedBox, WARD, conversation, signed_in_beside};
use wardline_client::error::ProfileError;
use wardline_client::{Calls as _, Client, ConversationId, Error, Event, Guest, Options, PersonId, Sequence};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};

fn ward() -> ConversationId {
    ConversationId::new(WARD).unwrap()
}

/// A device that is signed in beside another, and knows one conversation.
async fn holder(
    the_box: &mut ScriptedBox,
    home: &std::path::Path,
) -> (Client, wardline_client::Events, Line) {
    let ana = the_box.enrol(home).await;
    let mut events = ana.events().unwrap();
    let (mut line, request) = the_box.proven().await;
    line.answer(request, signed_in_beside(&[0x2002])).await;
    let (request, _) = line.sync().await;
    line.answer(request, Answer::SyncStarted(proto::SyncStarted { snapshot: true })).await;
    let person = proto::Person {
        person: BEN,
        name: "Ben Okafor".to_owned(),
        title: "MD".to_owned(),
        ..proto::Person::default()
    };
    line.deliver([(1, proto::event::Kind::Person(person)), (2, conversation())]).await;
    line.synced(request, 3).await;
    while !matches!(events.next().await.unwrap(), Event::CaughtUp) {}
    events.done();
    (ana, events, line)
}

#[tokio::test]
async fn a_second_command_asks_and_sends_through_the_first() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let (ana, mut events, mut line) = holder(&mut the_box, home.path()).await;
    assert!(matches!(Client::open(home.path()).await, Err(Error::Profile(ProfileError::Busy(_)))));

    let guest = Guest::connect(home.path()).await.unwrap();
    assert_eq!(guest.identity().device, ana.identity().device);
    let standing = guest.contact().await.unwrap();
    assert_eq!((standing.name.as_str(), standing.others().count()), ("Ana Ruiz", 1));
    let (conversations, people) = guest.known().await.unwrap();
    assert_eq!((conversations.len(), conversations[0].id, conversations[0].members.len()), (1, ward(), 2));
    assert_eq!(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ben Okafor"]);

    // A question goes on to the box, and its refusal comes back as it was.
    let (opened, ()) = tokio::join!(guest.open_direct(PersonId::new(BEN).unwrap()), async {
        let (request, Ask::OpenDirect(open)) = line.ask().await else { panic!("no question") };
        assert_eq!(open.person, BEN);
        line.refuse(request, RefusalCode::NoSuchPerson).await;
    });
    assert!(matches!(opened, Err(Error::Refused(refused)) if refused.code == RefusalCode::NoSuchPerson));

    // A message is kept first and accepted later, and the holder hears of it.
    let mut given = guest.send(ward(), "by the second command").await.unwrap();
    let (request, submit) = line.submit().await;
    assert_eq!(
        (submit.text.as_str(), submit.message.as_slice()),
        ("by the second command", given.id.0.as_slice())
    );
    line.accept(request, &submit, 4).await;
    let accepted = given.outcome().await.unwrap();
    assert_eq!((accepted.message, accepted.sequence), (given.id, Sequence(4)));
    let Event::Accepted(heard) = events.next().await.unwrap() else { panic!("not told") };
    assert_eq!(heard.message, given.id);
    drop(given);

    // What is no message is not kept.
    assert!(matches!(guest.send(ward(), "").await, Err(Error::Refused(_))));
    // The proof, and the PIN, are the holder's.
    let none = proto::Unlock { pin: "739154".to_owned() };
    let refused = wardline_client::Call::call(&guest, Ask::Unlock(none)).await;
    assert!(matches!(refused, Err(Error::Refused(refused)) if refused.code == RefusalCode::UnknownRequest));

    ana.close().await;
    assert!(!home.path().join("share").exists());
    assert!(matches!(guest.contact().await, Err(Error::Interrupted)));
    assert!(Client::open(home.path()).await.is_ok());
}

#[tokio::test]
async fn a_message_given_while_the_box_is_away_stays_when_the_holder_goes() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let (ana, _events, line) = holder(&mut the_box, home.path()).await;
    line.quic.close(CloseCode::DRAINING.0.into(), b"");
    let mut standing = ana.standing();
    let away = |standing: &wardline_client::Standing| !matches!(standing, wardline_client::Standing::Open(_));
    standing.wait_for(away).await.unwrap();
    let guest = Guest::connect(home.path()).await.unwrap();
    let mut given = guest.send(ward(), "for later").await.unwrap();
    ana.close().await;
    assert!(matches!(given.outcome().await, Err(Error::Interrupted)));
    let again = Client::open(home.path()).await.unwrap();
    assert_eq!(again.unsent().await.unwrap()[0].message, given.id);
    again.close().await;
}

#[tokio::test]
async fn a_locked_holder_says_so_and_keeps_what_is_given() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let (ana, _events, mut line) = holder(&mut the_box, home.path()).await;
    line.answer(0, Answer::Locked(proto::Locked { tries_left: 7, passkey: false })).await;
    let mut standing = ana.standing();
    standing
        .wait_for(|standing| matches!(standing, wardline_client::Standing::PinNeeded { .. }))
        .await
        .unwrap();
    let guest = Guest::connect(home.path()).await.unwrap();
    assert!(matches!(guest.contact().await, Err(Error::Locked { tries_left: 7 })));
    let Err(Error::Refused(refused)) = guest.people().await else { panic!("answered") };
    assert!(refused.code == RefusalCode::Locked && refused.advice.contains("program that runs"));
    let given = guest.send(ward(), "for after the PIN").await.unwrap();
    assert_eq!(ana.unsent().await.unwrap()[0].message, given.id);
    drop(given);
    drop(guest);
    // A script that goes on sending: nobody who has left keeps a place.
    for number in 0..20 {
        let guest = Guest::connect(home.path()).await.unwrap();
        guest.send(ward(), &format!("for later, {number}")).await.unwrap();
    }
    assert_eq!(ana.unsent().await.unwrap().len(), 21);
    ana.close().await;
}

#[tokio::test]
async fn the_socket_of_a_killed_holder_is_in_nobodys_way() {
    let home = tempfile::tempdir().unwrap();
    let mut the_box = ScriptedBox::open();
    let ana = the_box.enrol(home.path()).await;
    ana.close().await;
    // As after SIGKILL: the name is there, and nobody listens.
    let path = home.path().join("share");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(matches!(Guest::connect(home.path()).await, Err(Error::Profile(ProfileError::Busy(_)))));
    // Who only looks leaves it alone; who holds the profile puts its own in place.
    let looks = Client::open_with(home.path(), Options { peek: true }).await.unwrap();
    assert!(matches!(Guest::connect(home.path()).await, Err(Error::Profile(ProfileError::Busy(_)))));
    looks.close().await;
    let holds = Client::open(home.path()).await.unwrap();
    let meta = std::fs::metadata(&path).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    let guest = Guest::connect(home.path()).await.unwrap();
    assert!(guest.known().await.unwrap().0.is_empty());
    holds.close().await;
}
