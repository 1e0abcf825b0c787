//! The commands that do one thing and end.

use std::time::Duration;

use wardline_client::event::{Conversation, Person};
use wardline_client::{
    Calls as _, Client, ConversationId, Device, DeviceId, Error, Event, JoinLink, Options, Sequence, Tracked,
};

use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, pin, say};

const LOOK: Options = Options { peek: true };

pub(crate) async fn join(common: &Common, link: &str, device_name: Option<String>) -> Result<(), Failure> {
    let link: JoinLink = link.parse()?;
    let profile = common.profile()?;
    if wardline_client::profile::Claim::take(&profile, true).map_err(Error::from)?.is_joined() {
        return Err(Error::from(wardline_client::error::ProfileError::Exists(profile)).into());
    }
    let device_name = device_name.or_else(machine_name).unwrap_or_else(|| "terminal".to_owned());
    let pin = pin::choose(common).await?;
    let waiting = format!("Connecting to {} …", link.address);
    let joined = say::patiently(&waiting, Client::enrol(&link, &pin, &device_name, &profile)).await;
    let (client, signed_in) = joined?;
    let identity = client.identity();
    say::line(&format!(
        "Welcome, {}. This device is “{}” at {}.",
        say::clean_line(&identity.name),
        say::clean_line(&identity.device_name),
        say::clean_line(&identity.facility),
    ));
    let others: Vec<&str> = signed_in.others().map(|device| device.name.as_str()).collect();
    say::line(&say::other_devices(&others));
    pin::leave(&client).await;
    Ok(())
}

fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/etc/hostname").ok()?;
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(16).collect();
    (!name.is_empty()).then_some(name)
}

pub(crate) async fn whoami(common: &Common) -> Result<(), Failure> {
    let client = Client::open_with(&common.profile()?, LOOK).await?;
    let identity = client.identity();
    say::line(&format!("{} ({})", say::clean_line(&identity.name), identity.person));
    say::line(&format!("device   {} ({})", say::clean_line(&identity.device_name), identity.device));
    say::line(&format!("facility {}", say::clean_line(&identity.facility)));
    let root = wardline_client::trust::sha256(&identity.root);
    let root: Vec<String> = root.iter().map(|byte| format!("{byte:02x}")).collect();
    say::line(&format!("root     {}", root.join("")));
    let waiting = client.unsent().await?.len();
    if waiting > 0 {
        say::line(&format!("outbox   {waiting} not accepted yet"));
    }
    let address = format!("Connecting to {} …", identity.address);
    let (standing, devices) = match say::patiently(&address, client.contact()).await {
        Ok(signed_in) if signed_in.administrator => ("signed in, administrator", signed_in.devices),
        Ok(signed_in) => ("signed in", signed_in.devices),
        Err(Error::Locked { .. }) => ("locked: wants the PIN", vec![]),
        Err(error) => {
            say::line(&format!("box      {}", identity.address));
            return Err(error.into());
        }
    };
    say::line(&format!("box      {}, {standing}", identity.address));
    for (at, device) in devices.iter().enumerate() {
        let head = if at == 0 { "devices" } else { "" };
        say::line(&format!("{head:8} {}", listed(device, identity.device)));
    }
    pin::leave(&client).await;
    Ok(())
}

fn listed(device: &Device, this: DeviceId) -> String {
    let this = if device.id == this { ", this one" } else { "" };
    let locked = if device.pin_locked_out { ", locked after ten wrong PINs" } else { "" };
    format!("{} ({}){this}{locked}", say::clean_line(&device.name), device.id)
}

pub(crate) async fn people(common: &Common, as_json: bool) -> Result<(), Failure> {
    let client = Client::open_with(&common.profile()?, LOOK).await?;
    pin::contact(common, &client).await?;
    let mut people = client.people().await?;
    people.sort_by_key(|person| person.name.to_lowercase());
    for person in &people {
        if as_json {
            json::print(&json::person(person));
            continue;
        }
        let title = if person.title.is_empty() { String::new() } else { format!(", {}", person.title) };
        let gone = if person.suspended { "  (suspended)" } else { "" };
        say::line(&format!("{}  {}{gone}", person.id, say::clean_line(&format!("{}{title}", person.name))));
    }
    pin::leave(&client).await;
    Ok(())
}

/// What the box tells somebody who looks: people and conversations.
pub(crate) async fn look(client: &Client) -> Result<(Vec<Person>, Vec<Conversation>), Failure> {
    let people = client.people().await?;
    if let Some(mut events) = client.events() {
        // Whoever looks is told everything once more; only the end of it matters.
        while let Some(event) = events.next().await {
            match event {
                Event::CaughtUp => break,
                Event::Locked { tries_left } => return Err(Error::Locked { tries_left }.into()),
                Event::Reconnecting { why, .. } => return Err(Error::Offline(why).into()),
                Event::Ended(end) => return Err(Error::from(end).into()),
                _ => {}
            }
        }
        tokio::spawn(async move { while events.next().await.is_some() {} });
    }
    let (conversations, _) = client.known().await?;
    Ok((people, conversations))
}

pub(crate) async fn send(
    common: &Common,
    to: &str,
    text: &str,
    wait: u64,
    as_json: bool,
) -> Result<(), Failure> {
    let client = Client::open_with(&common.profile()?, LOOK).await?;
    let contact = pin::contact(common, &client).await;
    let place = match &contact {
        Ok(()) => online(&client, to).await?,
        Err(Failure::Client(Error::Offline(_)) | Failure::Locked(_)) => match offline(&client, to).await? {
            Some(place) => place,
            None => return contact,
        },
        Err(_) => return contact,
    };
    let tracked = client.send_tracked(place, text).await?;
    let settled = settle(&client, tracked, contact, wait, as_json).await;
    pin::leave(&client).await;
    settled
}

async fn settle(
    client: &Client,
    mut tracked: Tracked,
    contact: Result<(), Failure>,
    wait: u64,
    as_json: bool,
) -> Result<(), Failure> {
    let address = &client.identity().address;
    if let Err(Failure::Locked(_)) = contact {
        let kept = "The session is locked. The message is kept on this device and goes when you unlock.";
        return Err(Failure::Locked(kept.to_owned()));
    }
    // Without a connection there is no point in waiting the usual time; a longer one was asked for.
    let (id, waiting) = (tracked.id, format!("Waiting for {address} to accept it …"));
    let outcome = tokio::time::timeout(Duration::from_secs(wait), tracked.outcome());
    match say::patiently(&waiting, outcome).await {
        Ok(Ok(accepted)) if as_json => json::print(&json::accepted(&accepted)),
        Ok(Ok(accepted)) => {
            say::line(&format!("Accepted as #{} at {}.", accepted.sequence.0, say::time(accepted.at)));
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => {
            let unsent = client.unsent().await.unwrap_or_default();
            let said = unsent.into_iter().find(|unsent| unsent.message == id).and_then(|unsent| unsent.why);
            let said =
                said.map_or_else(|| format!("The box at {address} did not answer."), |why| why.to_string());
            return Err(Failure::Kept(format!(
                "{said} The message is kept on this device and goes at the next contact: the next wardline command \
                 that connects."
            )));
        }
    }
    Ok(())
}

async fn online(client: &Client, to: &str) -> Result<ConversationId, Failure> {
    let people = client.people().await?;
    let me = client.identity().person;
    let (known, _) = client.known().await?;
    // Most messages go to a person, or to a group that this device has met: no sync is needed for those.
    let target = match find::target(me, &people, &known, to) {
        Ok(target) => target,
        Err(_) => {
            let (people, conversations) = look(client).await?;
            find::target(me, &people, &conversations, to)?
        }
    };
    Ok(match target {
        Target::Conversation(conversation) => conversation,
        Target::Person(person) => client.open_direct(person).await?.id,
    })
}

async fn offline(client: &Client, to: &str) -> Result<Option<ConversationId>, Failure> {
    let (conversations, people) = client.known().await?;
    Ok(match find::target(client.identity().person, &people, &conversations, to) {
        Ok(Target::Conversation(conversation)) => Some(conversation),
        Ok(Target::Person(person)) => client.known_direct(person).await?,
        Err(_) => None,
    })
}

pub(crate) async fn conversations(common: &Common, as_json: bool) -> Result<(), Failure> {
    let client = Client::open_with(&common.profile()?, LOOK).await?;
    pin::contact(common, &client).await?;
    let (people, conversations) = look(&client).await?;
    let me = client.identity().person;
    for conversation in &conversations {
        if as_json {
            json::print(&json::conversation(conversation));
            continue;
        }
        let mine = conversation.members.iter().find(|member| member.person == me);
        let unread = mine.map_or(0, |mine| conversation.last.0.saturating_sub(mine.read.0));
        let unread = if unread > 0 { format!("  {unread} unread") } else { String::new() };
        let purged = if conversation.purged { "  (purged)" } else { "" };
        let title = find::title(me, &people, conversation);
        say::line(&format!("{}  {title}{unread}{purged}", conversation.id));
    }
    pin::leave(&client).await;
    Ok(())
}

pub(crate) async fn history(
    common: &Common,
    conversation: &str,
    before: u64,
    limit: u32,
    as_json: bool,
) -> Result<(), Failure> {
    let client = Client::open_with(&common.profile()?, LOOK).await?;
    pin::contact(common, &client).await?;
    let (people, conversations) = look(&client).await?;
    let me = client.identity().person;
    let place = match find::target(me, &people, &conversations, conversation)? {
        Target::Conversation(conversation) => conversation,
        Target::Person(person) => client.known_direct(person).await?.ok_or_else(|| {
            Failure::Usage(format!("There is no conversation with {}.", find::name(&people, person)))
        })?,
    };
    let page = client.history(place, Sequence(before), limit).await?;
    for message in page.messages.iter().rev() {
        if as_json {
            json::print(&json::message(message, me, &people));
        } else {
            let name = find::name(&people, message.sender);
            let text = say::clean(&message.text);
            say::line(&format!("#{} {} {name}: {text}", message.sequence.0, say::time(message.at)));
        }
    }
    if !page.end
        && let Some(oldest) = page.messages.last()
    {
        say::note(&format!("Older ones: --before {}", oldest.sequence.0));
    }
    pin::leave(&client).await;
    Ok(())
}
