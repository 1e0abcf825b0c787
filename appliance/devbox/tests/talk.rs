//! People talk over a whole box: software TPM, keeper, relay and SDK, all real.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;
use wardline_client::event::Message;
use wardline_client::link::Code;
use wardline_client::{
    Calls as _, Client, ConversationId, Device, Event, Events, JoinLink, PersonId, Pin, Sequence,
};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;

const PIN: &str = "739154";
/// Generous: the machine that runs this may be busy. Nothing here measures.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(directory: &Path) -> (Devbox, Vec<(u64, String)>) {
    let devbox = Devbox::start(Options::local(directory).unwrap()).unwrap();
    let people = facility::seed(&mut devbox.console().unwrap()).unwrap();
    (devbox, people)
}

async fn join(devbox: &Devbox, people: &[(u64, String)], name: &str, profiles: &TempDir) -> (Client, Events) {
    let person = people.iter().find(|(_, known)| known.starts_with(name)).unwrap().0;
    let link = devbox.join_link(person).unwrap().parse::<JoinLink>().unwrap();
    let pin = Pin::choose(PIN.to_owned()).unwrap();
    let client = Client::join(&link, &pin, "test phone", &profiles.path().join(name)).await.unwrap();
    let events = client.events().unwrap();
    (client, events)
}

async fn until<T>(events: &mut Events, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.next().await.expect("the client ended");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("what was waited for did not come")
}

async fn caught_up(events: &mut Events) {
    until(events, |event| matches!(event, Event::CaughtUp).then_some(())).await;
}

async fn message(events: &mut Events) -> Message {
    until(events, |event| match event {
        Event::Message(message) => Some(message.clone()),
        _ => None,
    })
    .await
}

async fn say(client: &Client, conversation: ConversationId, text: &str) -> Sequence {
    let mut tracked = client.send_tracked(conversation, text).await.unwrap();
    timeout(PATIENCE, tracked.outcome()).await.expect("not accepted").unwrap().sequence
}

#[tokio::test(flavor = "multi_thread")]
async fn ana_and_ben_talk_across_a_restart() {
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (mut devbox, people) = start(home.path());
    let (ana, mut anas) = join(&devbox, &people, "Ana", &profiles).await;
    let (ben, mut bens) = join(&devbox, &people, "Ben", &profiles).await;
    caught_up(&mut bens).await;

    let direct = ana.open_direct(ben.identity().person).await.unwrap().id;
    assert_eq!(say(&ana, direct, "Bed 4 needs a second look").await, Sequence(1));
    let heard = message(&mut bens).await;
    assert_eq!((heard.text.as_str(), heard.sequence), ("Bed 4 needs a second look", Sequence(1)));

    // Read marks reach the sender.
    ben.mark_read(direct, Sequence(1)).await.unwrap();
    until(&mut anas, |event| match event {
        Event::Watermark(mark) if mark.member.read == Sequence(1) => Some(()),
        _ => None,
    })
    .await;

    // What is composed while the box is away goes when it is back; nobody is asked for a PIN.
    devbox.kill_relay();
    let mut tracked = ben.send_tracked(direct, "On my way").await.unwrap();
    devbox.start_relay().unwrap();
    let accepted = timeout(PATIENCE, tracked.outcome()).await.unwrap().unwrap();
    assert_eq!(accepted.sequence, Sequence(2));
    assert_eq!(message(&mut anas).await.text, "On my way");

    // History is all there, newest first.
    let page = ana.history(direct, Sequence(0), 10).await.unwrap();
    let texts: Vec<_> = page.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["On my way", "Bed 4 needs a second look"]);
    devbox.stop();
}

/// An administrator issues a code for Ben, and somebody redeems it who need not be Ben.
async fn enrol_as_ben(ana: &Client, devbox: &Devbox, ben: PersonId, profile: &Path) -> Client {
    let code = ana.issue_join_code(ben).await.unwrap();
    let mut link = devbox.join_link(ben.value()).unwrap().parse::<JoinLink>().unwrap();
    link.code = Code::parse(&code.code).unwrap();
    let name = profile.file_name().unwrap().to_str().unwrap();
    let pin = Pin::choose("582046".to_owned()).unwrap();
    let (client, signed_in) = Client::enrol(&link, &pin, name, profile).await.unwrap();
    assert!(signed_in.others().any(|device| device.name == "test phone"));
    client
}

async fn new_device(events: &mut Events) -> Device {
    until(events, |event| match event {
        Event::DeviceJoined(device) => Some(device.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ben_hears_of_a_device_that_an_administrator_let_in() {
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (devbox, people) = start(home.path());
    let (ana, mut anas) = join(&devbox, &people, "Ana", &profiles).await;
    let (ben, mut bens) = join(&devbox, &people, "Ben", &profiles).await;
    let person = ben.identity().person;
    for events in [&mut anas, &mut bens] {
        caught_up(events).await;
    }

    // While Ben's phone is connected: at once.
    let spare = enrol_as_ben(&ana, &devbox, person, &profiles.path().join("spare phone")).await;
    let heard = new_device(&mut bens).await;
    assert_eq!((heard.id, heard.name.as_str()), (spare.identity().device, "spare phone"));
    bens.done();

    // While it is away: when it signs in again, and of the new one only.
    ben.close().await;
    drop(bens);
    let third = enrol_as_ben(&ana, &devbox, person, &profiles.path().join("third phone")).await;
    let ben = Client::open(&profiles.path().join("Ben")).await.unwrap();
    let mut bens = ben.events().unwrap();
    let mut heard = Vec::new();
    until(&mut bens, |event| match event {
        Event::DeviceJoined(device) => {
            heard.push((device.id, device.name.clone()));
            None
        }
        event => matches!(event, Event::CaughtUp).then_some(()),
    })
    .await;
    assert_eq!(heard, [(third.identity().device, "third phone".to_owned())]);
    assert_eq!(ben.ready().await.unwrap().devices.len(), 3);

    // Nobody else was told.
    ana.close().await;
    while let Some(event) = anas.next().await {
        assert!(!matches!(event, Event::DeviceJoined(_)));
    }
    devbox.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_a_leaver_and_a_purge() {
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (devbox, people) = start(home.path());
    let (ana, mut anas) = join(&devbox, &people, "Ana", &profiles).await;
    let (ben, mut bens) = join(&devbox, &people, "Ben", &profiles).await;
    let (chidi, mut chidis) = join(&devbox, &people, "Chidi", &profiles).await;
    for events in [&mut anas, &mut bens, &mut chidis] {
        caught_up(events).await;
    }
    let both = [ben.identity().person, chidi.identity().person];
    let group = ana.open_group("Hall B, nights", &both).await.unwrap().id;
    say(&ana, group, "Handover at 23:00").await;
    assert_eq!(message(&mut bens).await.text, "Handover at 23:00");
    assert_eq!(message(&mut chidis).await.text, "Handover at 23:00");

    // Chidi is taken out: told so, and hears nothing more.
    ana.remove_members(group, &[chidi.identity().person]).await.unwrap();
    until(&mut chidis, |event| matches!(event, Event::Gone(gone) if *gone == group).then_some(())).await;
    assert!(chidi.history(group, Sequence(0), 10).await.is_err());
    say(&ana, group, "Only for Ben now").await;
    assert_eq!(message(&mut bens).await.text, "Only for Ben now");

    // Suspended: the live session ends and does not come back.
    ana.suspend(chidi.identity().person, true).await.unwrap();
    until(&mut chidis, |event| matches!(event, Event::Ended(_)).then_some(())).await;

    // Purged: nobody reads it any more.
    ana.purge(group).await.unwrap();
    until(&mut bens, |event| {
        matches!(event, Event::Conversation(c) if c.id == group && c.purged).then_some(())
    })
    .await;
    assert!(ben.history(group, Sequence(0), 10).await.is_err());
    devbox.stop();
}
