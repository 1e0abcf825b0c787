//! `wardline admin`: by an administrator over the network, or on the box over its local socket.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use wardline_client::error::Refused;
use wardline_client::event::Person;
use wardline_client::leaving::LeavingCalls as _;
use wardline_client::link::{Address, Code};
use wardline_client::profile::Identity;
use wardline_client::{
    Calls, ConversationId, DeviceId, Error, JoinLink, LocalBox, PersonId, Purpose, StatCalls,
};
use wardline_core::wire::proto::RefusalCode;

use crate::access::{Access, Parting};
use crate::announce::{self, Announcer, Urgencies};
use crate::attachment::{self, Sizes};
use crate::exit::Failure;
use crate::retention::{Retention, retention};
use crate::{Common, clearing, find, json, say, suspensions};

#[derive(Args)]
pub(crate) struct Admin {
    /// On the box itself: its local socket.
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Add somebody to the directory.
    AddPerson {
        /// As colleagues know them.
        name: String,
        /// "RN", "MD, Cardiology".
        #[arg(long, default_value = "")]
        title: String,
        /// May administer.
        #[arg(long)]
        administrator: bool,
    },
    /// Add a unit, such as a ward or a hall.
    AddUnit {
        /// "4 West".
        name: String,
    },
    /// Give a unit another name.
    RenameUnit {
        /// A part of its name that fits one alone, or its identifier.
        unit: String,
        /// From now on.
        name: String,
    },
    /// Say what somebody is in a unit.
    Post {
        /// Whose.
        person: String,
        /// Where.
        unit: String,
        /// As what.
        #[arg(value_enum)]
        rank: Rank,
    },
    /// Say who administers, and who is a privacy officer. What is not given ends.
    Duties {
        /// Whose.
        person: String,
        /// May administer.
        #[arg(long, conflicts_with = "privacy_officer")]
        administrator: bool,
        /// Reviews who read what, and changes nothing of the system.
        #[arg(long)]
        privacy_officer: bool,
    },
    /// Add a station screen to a unit: it rings when nobody answers a STAT. Give it a device with a join code.
    AddStation {
        /// A part of the unit's name that fits one alone, or its identifier.
        unit: String,
        /// "Desk, 4 West".
        name: String,
    },
    /// A join code for one more device of a person.
    Code {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
        /// With --socket: where devices find the box, HOST:PORT, to print a whole link.
        #[arg(long, requires = "root")]
        address: Option<Address>,
        /// With --socket: SHA-256 of the facility root, hexadecimal or base64url.
        #[arg(long, requires = "address", allow_hyphen_values = true)]
        root: Option<String>,
    },
    /// A code for somebody whose device ten wrong PINs have locked, to choose another PIN on it. Give it face to face.
    ClearPin {
        /// A part of the name that fits one alone, or the identifier.
        person: String,
    },
    /// A person's devices.
    Devices {
        /// Whose.
        person: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// End a device, for good.
    Revoke {
        /// Its identifier; `devices` lists them.
        device: String,
    },
    /// End a person's access at once, on every device.
    Suspend {
        /// Whose.
        person: String,
    },
    /// Undo `suspend`.
    Restore {
        /// Whose.
        person: String,
    },
    /// How long messages are kept. With times: how much would go; with --yes as well: from now on.
    Retention(Retention),
    /// What may be attached to messages, and how large; with sizes: sets them. Without: only says it.
    Attachments(Sizes),
    /// Let somebody announce to the facility, or no more.
    Announcer(Announcer),
    /// How urgent announcements may be; without options: only says it.
    Announcements(Urgencies),
    /// Destroy a conversation's messages. Cannot be undone.
    Purge {
        /// Its identifier.
        conversation: String,
        /// Say that you mean it.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Rank {
    /// Works there.
    Staff,
    /// Leads it.
    ChargeNurse,
    /// Does not work there any more.
    None,
}

pub(crate) async fn admin(common: &Common, admin: Admin) -> Result<(), Failure> {
    if let Some(socket) = &admin.socket {
        let local = LocalBox::connect(socket).await?;
        return act(&local, admin.act, None).await;
    }
    let access = Access::open(common).await?;
    let done = match access.contact(common).await {
        Ok(()) => act(&access, admin.act, Some(access.identity())).await,
        Err(failure) => Err(failure),
    };
    access.leave(Parting::default()).await;
    done
}

async fn act(door: &impl Calls, act: Act, identity: Option<&Identity>) -> Result<(), Failure> {
    match act {
        Act::AddPerson { name, title, administrator } => {
            if name.trim().is_empty() {
                return Err(Failure::Usage("The name is empty.".into()));
            }
            let namesakes = namesakes(&door.people().await?, &name);
            let person = door.add_person(&name, &title, administrator).await?;
            say::line(&person.to_string())?;
            added(&name, person, &namesakes);
        }
        Act::AddUnit { name } => {
            let unit = door.set_unit(None, &name).await?;
            say::line(&unit.to_string())?;
            let next = quoted(name.trim());
            say::note(&format!("Next, who leads it: wardline admin post NAME {next} charge-nurse"));
        }
        Act::RenameUnit { unit, name } => {
            let unit = find::unit(&door.units().await?, &unit)?;
            door.set_unit(Some(unit), &name).await?;
            say::line(&format!("It is called {} now.", say::clean_line(name.trim())))?;
        }
        Act::Post { person, unit, rank } => {
            let (people, units) = (door.people().await?, door.units().await?);
            let (person, unit) = (find::person(&people, &person)?, find::unit(&units, &unit)?);
            let (rank, what) = match rank {
                Rank::Staff => (wardline_client::Rank::Staff, "works there now"),
                Rank::ChargeNurse => (wardline_client::Rank::ChargeNurse, "is its charge nurse now"),
                Rank::None => (wardline_client::Rank::None, "does not work there any more"),
            };
            door.set_post(person, unit, rank).await?;
            say::line(&format!("{} {what}.", find::name(&people, person)))?;
        }
        Act::Duties { person, administrator, privacy_officer } => {
            let people = door.people().await?;
            let person = find::person(&people, &person)?;
            door.set_duties(person, administrator, privacy_officer).await?;
            let what = match (administrator, privacy_officer) {
                (true, _) => "administers now",
                (_, true) => "is a privacy officer now",
                _ => "has no duty for the facility now",
            };
            say::line(&format!("{} {what}.", find::name(&people, person)))?;
        }
        Act::AddStation { unit, name } => {
            let unit = find::unit(&door.units().await?, &unit)?;
            let screen = door.add_station(unit, &name).await?;
            say::line(&screen.to_string())?;
            let next = quoted(name.trim());
            say::note(&format!(
                "Next: wardline admin code {next}. On the screen open the box's address in a browser and type the code there; in a \
                 terminal: wardline join LINK, wardline station"
            ));
        }
        Act::Code { person, address, root } => {
            let place = address.zip(root);
            code(door, identity, &person, place).await?;
        }
        Act::ClearPin { person } => clearing::give(door, &person).await?,
        Act::Devices { person: wanted, json } => {
            let person = find::person(&door.people().await?, &wanted)?;
            let devices = door.list_devices(person).await?;
            if devices.is_empty() && !json {
                say::note(&format!("No device yet. Next: wardline admin code {}", quoted(&wanted)));
            }
            for device in devices {
                if json {
                    json::print(&serde_json::json!({
                        "event": "device",
                        "person": person.to_string(),
                        "device": device.id.to_string(),
                        "name": device.name,
                        "revoked": device.revoked,
                        "locked": device.pin_locked_out,
                    }))?;
                    continue;
                }
                let revoked = if device.revoked { "  revoked" } else { "" };
                let locked = if device.pin_locked_out { "  locked by wrong PINs" } else { "" };
                say::line(&format!("{}  {}{revoked}{locked}", device.id, say::clean_line(&device.name)))?;
            }
        }
        Act::Revoke { device } => {
            let device = find::identifier(&device).and_then(DeviceId::new);
            let wrong = "A device is named by 16 hexadecimal digits; wardline admin devices NAME lists them.";
            let device = device.ok_or_else(|| Failure::Usage(wrong.into()))?;
            door.revoke_device(device).await?;
            say::line(&format!("Device {device} is revoked."))?;
        }
        Act::Suspend { person } => suspend(door, &person).await?,
        Act::Restore { person } => {
            let people = door.people().await?;
            let person = find::person(&people, &person)?;
            door.suspend(person, false).await?;
            say::line(&format!("{} may sign in again.", find::name(&people, person)))?;
        }
        Act::Retention(wanted) => retention(door, wanted).await?,
        Act::Announcer(wanted) => announce::announcer(door, wanted).await?,
        Act::Announcements(wanted) => announce::urgencies(door, wanted).await?,
        Act::Attachments(wanted) => attachment::sizes(door, wanted).await?,
        Act::Purge { conversation, yes } => {
            let conversation = find::identifier(&conversation).and_then(ConversationId::new);
            let wrong =
                "A conversation is named by 16 hexadecimal digits; wardline conversations lists one's own.";
            let conversation = conversation.ok_or_else(|| Failure::Usage(wrong.into()))?;
            if !yes {
                let sure = "This destroys the conversation's messages for everybody, for ever. Add --yes.";
                return Err(Failure::Usage(sure.into()));
            }
            door.purge(conversation).await.map_err(|error| match error {
                // An administrator need not be in it: the box's own words speak of theirs.
                Error::Refused(Refused { code: RefusalCode::NoSuchConversation, .. }) => {
                    let how = "A member finds its identifier with wardline conversations.";
                    Failure::Refused(format!("There is no conversation {conversation}. {how}"))
                }
                error => error.into(),
            })?;
            say::line(&format!("Conversation {conversation} is purged."))?;
        }
    }
    Ok(())
}

/// A join code for somebody, and the whole link where it is known where devices find the box.
pub(crate) async fn code(
    door: &impl Calls,
    identity: Option<&Identity>,
    wanted: &str,
    place: Option<(Address, String)>,
) -> Result<(), Failure> {
    let people = door.people().await?;
    let person = find::person(&people, wanted)?;
    if find::is_suspended(&people, person) {
        let (name, wanted) = (find::name(&people, person), quoted(wanted));
        let how = format!("{name} is suspended. Restore first: wardline admin restore {wanted}");
        return Err(Failure::Refused(how));
    }
    let code = door.issue_join_code(person).await?;
    link(identity, (&code.code, code.expires), place)
}

/// A code as it is typed, and the whole link where it is known where devices find the box.
pub(crate) fn link(
    identity: Option<&Identity>,
    (code, expires): (&str, i64),
    place: Option<(Address, String)>,
) -> Result<(), Failure> {
    let read = Code::parse(code)?;
    let (left, right) = read.reveal().split_at(read.reveal().len() / 2);
    say::line(&format!("{left}-{right}  until {}", say::time(expires)))?;
    let purpose = Purpose::Join;
    let link = match (identity, place) {
        (_, Some((address, root))) => {
            let server_name = address.host.clone();
            Some(JoinLink { server_name, address, root: parse_root(&root)?, code: read, purpose })
        }
        (Some(identity), None) => Some(JoinLink {
            address: identity.address.clone(),
            server_name: identity.server_name.clone(),
            root: wardline_client::trust::sha256(&identity.root),
            code: read,
            purpose,
        }),
        (None, None) => None,
    };
    if let Some(link) = link {
        say::line(&link.to_string())?;
        say::note("On the device: wardline join, and the link in quotes.");
    }
    Ok(())
}

/// Ends somebody's access at once, and says what they leave behind.
pub(crate) async fn suspend(door: &impl Calls, wanted: &str) -> Result<(), Failure> {
    let people = door.people().await?;
    let person = find::person(&people, wanted)?;
    let left = door.put_out(person).await?;
    say::line(&format!("{} is suspended.", find::name(&people, person)))?;
    suspensions::show_left(door, &people, &left).await
}

/// Who has this name already.
fn namesakes(people: &[Person], name: &str) -> Vec<PersonId> {
    let same = |person: &&Person| person.name.trim().to_lowercase() == name.trim().to_lowercase();
    people.iter().filter(same).map(|person| person.id).collect()
}

/// What comes next, beside what scripts read.
fn added(name: &str, person: PersonId, namesakes: &[PersonId]) {
    let name = say::clean_line(name.trim());
    if let Some(other) = namesakes.first() {
        say::note(&format!("Warning: there was a {name} already ({other}). If that is the same person:"));
        say::note(&format!("      wardline admin suspend {person}"));
    }
    let whom = if namesakes.is_empty() { quoted(&name) } else { person.to_string() };
    say::note(&format!("Added {name} ({person}). Next: wardline admin code {whom}"));
}

/// As a shell reads it as one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if text.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}

pub(crate) fn parse_root(text: &str) -> Result<[u8; 32], Failure> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let from_hex = || {
        let digits = plain.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    let from_base64 = || URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    let wrong = || Failure::Usage("--root is the SHA-256 of the root: 64 hexadecimal digits.".into());
    from_hex().or_else(from_base64).ok_or_else(wrong)
}
