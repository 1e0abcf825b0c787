//! The commands that do one thing and end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use wardline_client::error::LinkError;
use wardline_client::event::{Conversation, Message, Person};
use wardline_client::link::Code;
use wardline_client::orders::{OrderCalls as _, Whose};
use wardline_client::roles::RoleCalls as _;
use wardline_client::tasks::TaskCalls as _;
use wardline_client::{
    Asking, Calls as _, Client, Device, DeviceId, Error, JoinLink, PersonId, Purpose, Sequence,
};

use crate::access::{Access, Parting};
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::notice::{self, Said};
use crate::{Common, json, order, patient, pin, react, say, task};

pub(crate) async fn join(common: &Common, link: &str, device_name: Option<String>) -> Result<(), Failure> {
    let link = whole_link(link)?;
    if link.purpose == Purpose::Visit {
        let how = "This link hangs at a patient's bed. Say who you are: wardline join LINK --name \"Maria Lopez\" --relation daughter";
        return Err(Failure::Usage(how.to_owned()));
    }
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
    let welcome = format!(
        "Welcome, {}. This device is “{}” at {}.",
        say::clean_line(&identity.name),
        say::clean_line(&identity.device_name),
        say::clean_line(&identity.facility),
    );
    let others: Vec<&str> = signed_in.others().map(|device| device.name.as_str()).collect();
    let told = say::line(&welcome).and_then(|()| say::line(&say::other_devices(&others)));
    client.close().await;
    told
}

/// Who asks at a bed to be let in, and how long they wait.
pub(crate) struct Visit {
    pub(crate) name: String,
    pub(crate) relation: String,
    pub(crate) wait: Duration,
}

pub(crate) async fn visit(
    common: &Common,
    link: &str,
    device_name: Option<String>,
    visit: Visit,
) -> Result<(), Failure> {
    let link = whole_link(link)?;
    if link.purpose != Purpose::Visit {
        let how = "This link is for a member of the staff: join without --name. The one from a bed has /visit? in it.";
        return Err(Failure::Usage(how.to_owned()));
    }
    let profile = common.profile()?;
    if wardline_client::profile::Claim::take(&profile, true).map_err(Error::from)?.is_joined() {
        return Err(Error::from(wardline_client::error::ProfileError::Exists(profile)).into());
    }
    let device_name = device_name.or_else(machine_name).unwrap_or_else(|| "terminal".to_owned());
    let pin = pin::choose(common).await?;
    let asking = Asking { name: &visit.name, relation: &visit.relation, device_name: &device_name };
    let waits = || say::note("You asked. Tell the nurse at the bedside, and wait here.");
    match Client::visit(&link, &pin, asking, &profile, visit.wait, waits).await? {
        Some((client, _)) => {
            let welcome = format!("Welcome, {}. You may write with the care team.", client.identity().name);
            client.close().await;
            say::line(&say::clean_line(&welcome))?;
            say::note("Next: wardline chat. To see your thread: wardline conversations.");
            Ok(())
        }
        None => {
            let how =
                "Nobody has answered yet. The same command with the same PIN goes on: your question waits.";
            Err(Failure::Kept(how.to_owned()))
        }
    }
}

/// A code alone is the half of a link: it says neither where the box is nor under which root.
fn whole_link(text: &str) -> Result<JoinLink, Failure> {
    match text.parse() {
        Err(LinkError::NotALink) if Code::parse(text).is_ok() => {
            let how = "This is a code without its link, which looks so: wardline://HOST:PORT/join?code=ABCDE-FGHJK&root=… \
                       Ask for the whole link; wardline admin code NAME prints it, on the box itself with --socket \
                       PATH --address HOST:PORT --root HASH.";
            Err(Failure::Usage(how.to_owned()))
        }
        other => Ok(other?),
    }
}

fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/etc/hostname").ok()?;
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(16).collect();
    (!name.is_empty()).then_some(name)
}

pub(crate) async fn whoami(common: &Common, as_json: bool) -> Result<(), Failure> {
    let access = Access::open(common).await?;
    let told = if as_json { who_as_json(&access).await } else { tell_who(&access).await };
    access.leave(Parting::default()).await;
    told
}

async fn tell_who(access: &Access) -> Result<(), Failure> {
    let identity = access.identity();
    say::line(&format!("{} ({})", say::clean_line(&identity.name), identity.person))?;
    say::line(&format!("device   {} ({})", say::clean_line(&identity.device_name), identity.device))?;
    say::line(&format!("facility {}", say::clean_line(&identity.facility)))?;
    let root = wardline_client::trust::sha256(&identity.root);
    let root: Vec<String> = root.iter().map(|byte| format!("{byte:02x}")).collect();
    say::line(&format!("root     {}", root.join("")))?;
    match access {
        Access::Own(client) => {
            let waiting = client.unsent().await?.len();
            if waiting > 0 {
                say::line(&format!("outbox   {waiting} not accepted yet"))?;
            }
        }
        Access::Guest(_) => say::line("profile  open in another wardline program, which is asked")?,
    }
    let (standing, devices) = match access.signed_in().await {
        Ok(signed_in) if signed_in.administrator => ("signed in, administrator", signed_in.devices),
        Ok(signed_in) => ("signed in", signed_in.devices),
        Err(Failure::Locked(_) | Failure::Client(Error::Locked { .. })) => ("locked: wants the PIN", vec![]),
        Err(failure) => {
            say::line(&format!("box      {}", identity.address))?;
            return Err(failure);
        }
    };
    say::line(&format!("box      {}, {standing}", identity.address))?;
    for (at, device) in devices.iter().enumerate() {
        let head = if at == 0 { "devices" } else { "" };
        say::line(&format!("{head:8} {}", listed(device, identity.device)))?;
    }
    Ok(())
}

async fn who_as_json(access: &Access) -> Result<(), Failure> {
    let identity = access.identity();
    let root = wardline_client::trust::sha256(&identity.root);
    let outbox = match access {
        Access::Own(client) => Some(client.unsent().await?.len()),
        Access::Guest(_) => None,
    };
    let (standing, failed) = match access.signed_in().await {
        Ok(signed_in) => (Some(signed_in), None),
        Err(Failure::Locked(_) | Failure::Client(Error::Locked { .. })) => (None, None),
        Err(failure) => (None, Some(failure)),
    };
    let devices = standing.as_ref().map(|standing| {
        let one = |device: &Device| {
            let name = device.name.as_str();
            json!({ "device": device.id.to_string(), "name": name, "locked": device.pin_locked_out })
        };
        standing.devices.iter().map(one).collect::<Vec<_>>()
    });
    json::print(&json!({
        "event": "whoami",
        "person": identity.person.to_string(),
        "name": identity.name,
        "device": identity.device.to_string(),
        "device_name": identity.device_name,
        "facility": identity.facility,
        "root": root.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "box": identity.address.to_string(),
        "outbox": outbox,
        "signed_in": standing.is_some(),
        "administrator": standing.as_ref().map(|standing| standing.administrator),
        "devices": devices,
    }))?;
    failed.map_or(Ok(()), Err)
}

fn listed(device: &Device, this: DeviceId) -> String {
    let this = if device.id == this { ", this one" } else { "" };
    let locked = if device.pin_locked_out { ", locked after ten wrong PINs" } else { "" };
    format!("{} ({}){this}{locked}", say::clean_line(&device.name), device.id)
}

pub(crate) async fn people(common: &Common, as_json: bool) -> Result<(), Failure> {
    let access = Access::open(common).await?;
    let told = async {
        access.contact(common).await?;
        let mut people = access.people().await?;
        people.sort_by_key(|person| person.name.to_lowercase());
        for person in &people {
            if as_json {
                json::print(&json::person(person))?;
                continue;
            }
            let title = if person.title.is_empty() { String::new() } else { format!(", {}", person.title) };
            let gone = if person.suspended { "  (suspended)" } else { "" };
            let name = say::clean_line(&format!("{}{title}", person.name));
            let agency = person.agency.as_ref().filter(|agency| !agency.over);
            let agency = agency.map_or(String::new(), |agency| {
                let from = say::clean_line(&agency.name);
                format!("  ({from}, until {})", say::time(agency.until))
            });
            say::line(&format!("{}  {name}{agency}{gone}", person.id))?;
        }
        Ok(())
    };
    let told = told.await;
    access.leave(Parting::default()).await;
    told
}

pub(crate) async fn conversations(common: &Common, as_json: bool) -> Result<(), Failure> {
    let access = Access::open(common).await?;
    let told = async {
        access.contact(common).await?;
        let (people, mut conversations) = access.look().await?;
        let me = access.identity().person;
        // Below those that somebody may write in.
        conversations.sort_by_key(|conversation| conversation.purged);
        for conversation in &conversations {
            if as_json {
                json::print(&json::conversation(conversation))?;
            } else {
                say::line(&one_line(me, &people, conversation))?;
            }
        }
        Ok(())
    };
    let told = told.await;
    access.leave(Parting::default()).await;
    told
}

fn one_line(me: PersonId, people: &[Person], conversation: &Conversation) -> String {
    let title = find::title(me, people, conversation);
    if conversation.purged {
        return format!("{}  (purged) was with {title}", conversation.id);
    }
    let archived = if conversation.archived { "  (archived)" } else { "" };
    let mine = conversation.members.iter().find(|member| member.person == me);
    let unread = mine.map_or(0, |mine| conversation.last.0.saturating_sub(mine.read.0));
    let unread = if unread > 0 { format!("  {unread} unread") } else { String::new() };
    format!("{}  {title}{unread}{archived}", conversation.id)
}

/// Which part of a conversation.
pub(crate) struct Wanted {
    pub(crate) before: u64,
    pub(crate) limit: u32,
    pub(crate) json: bool,
}

pub(crate) async fn history(common: &Common, conversation: &str, wanted: Wanted) -> Result<(), Failure> {
    let access = Access::open(common).await?;
    let told = async {
        access.contact(common).await?;
        tell_history(&access, conversation, wanted).await
    };
    let told = told.await;
    access.leave(Parting::default()).await;
    told
}

async fn tell_history(access: &Access, conversation: &str, wanted: Wanted) -> Result<(), Failure> {
    let (people, conversations) = access.look().await?;
    let me = access.identity().person;
    let place = match find::target(me, &people, &conversations, conversation)? {
        Target::Conversation(conversation) => conversation,
        Target::Person(person) => find::direct(me, &conversations, person).ok_or_else(|| {
            Failure::Usage(format!("There is no conversation with {}.", find::name(&people, person)))
        })?,
    };
    let page = access.history(place, Sequence(wanted.before), wanted.limit).await?;
    let recalled: BTreeSet<Sequence> =
        page.messages.iter().filter(|m| m.recalled_at.is_some()).map(|m| m.sequence).collect();
    // A visitor has none, and is not told that there are any.
    let tasks = access.tasks(Some(place)).await.unwrap_or_default();
    let orders = access.orders(Whose::Thread(place)).await.unwrap_or_default();
    let roles = if tasks.is_empty() { Vec::new() } else { access.roles(None).await? };
    let about = |message: &Message| tasks.iter().find(|task| task.sequence == message.sequence);
    // A thread's beds are of units.
    let units = if page.notices.is_empty() { Vec::new() } else { access.units().await? };
    for said in notice::in_order(&page) {
        match said {
            Said::Message(message) if wanted.json => {
                json::print(&json::message(message, me, &people))?;
                about(message).map_or(Ok(()), |task| json::print(&task::to_json(task)))?;
                let order = orders.iter().find(|order| order.sequence == message.sequence);
                order.map_or(Ok(()), |order| json::print(&order::to_json(order)))?;
            }
            Said::Notice(told) if wanted.json => json::print(&notice::json(told))?,
            Said::Message(message) => {
                let name = find::name(&people, message.sender);
                let mark = say::priority(message.priority);
                let head = format!("#{} {} {mark}{name}", message.sequence.0, say::time(message.at));
                let is_gone = message.reply_to.is_some_and(|to| recalled.contains(&to));
                say::told(&say::message(&head, message, is_gone, me))?;
                if !message.reactions.is_empty() {
                    say::told(&react::line("", &message.reactions, me, |id| find::name(&people, id)))?;
                }
                if let Some(order) = orders.iter().find(|order| order.sequence == message.sequence) {
                    say::told(&format!("   > {}", order::line(order, me, |id| find::name(&people, id))))?;
                }
                if let Some(open) = about(message) {
                    let role =
                        |id| roles.iter().find(|role| role.id == id).map(|role| say::clean_line(&role.name));
                    say::told(&format!("   > {}", task::line(open, me, |id| find::name(&people, id), role)))?;
                }
            }
            Said::Notice(told) => {
                let name = |person| find::name(&people, person);
                say::told(&notice::line(told, name, |unit| patient::unit_name(&units, unit)))?;
            }
        }
    }
    if !page.end
        && let Some(oldest) = page.messages.last()
    {
        say::note(&format!("Older ones: --before {}", oldest.sequence.0));
    }
    Ok(())
}
