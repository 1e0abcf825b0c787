//! `wardline conversation`: what is done to a group or channel as a whole, and who is in it.

use clap::Subcommand;
use serde_json::json;
use wardline_client::event::Conversation;
use wardline_client::{Calls as _, Channel, ConversationId};

use crate::access::Access;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, say};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Open a group, by invitation, with these people.
    OpenGroup {
        /// What it is about.
        title: String,
        /// Parts of names that fit one alone, or identifiers.
        people: Vec<String>,
    },
    /// Open a channel: whoever works in the unit finds it, joins it and reads it from its beginning.
    OpenChannel {
        /// A unit where you work.
        unit: String,
        /// What it is about.
        title: String,
    },
    /// The channels of the units where you work, joined or not.
    Channels {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Join a channel of a unit where you work.
    Join {
        /// A part of its title that fits one alone, or its identifier.
        channel: String,
    },
    /// Add people to a group or channel.
    Add {
        /// Which.
        conversation: String,
        /// Whom.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Take people out of a group or channel.
    Remove {
        /// Which.
        conversation: String,
        /// Whom.
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Leave a group or channel: it is gone from all your devices.
    Leave {
        /// Which.
        conversation: String,
    },
    /// Give a group or channel another title.
    Rename {
        /// Which.
        conversation: String,
        /// From now on.
        title: String,
    },
    /// Close a group or channel: it can be read, and takes nothing new.
    Archive {
        /// Which.
        conversation: String,
    },
    /// Undo `archive`.
    Reopen {
        /// Which.
        conversation: String,
    },
}

pub(crate) async fn conversation(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access| self::act(access, act).await).await
}

async fn act(access: &Access, act: Act) -> Result<(), Failure> {
    match act {
        Act::OpenGroup { title, people } => {
            let directory = access.people().await?;
            let people: Vec<_> =
                people.iter().map(|text| find::person(&directory, text)).collect::<Result<_, _>>()?;
            opened(&access.open_group(&title, &people).await?)
        }
        Act::OpenChannel { unit, title } => {
            let unit = find::unit(&access.units().await?, &unit)?;
            opened(&access.open_channel(unit, &title).await?)
        }
        Act::Channels { json } => channels(access, json).await,
        Act::Join { channel } => {
            let channel = channel_of(access, &channel).await?;
            opened(&access.join_channel(channel).await?)
        }
        Act::Add { conversation, people } => {
            let (place, people) = place_and_people(access, &conversation, &people).await?;
            access.add_members(place, &people).await?;
            say::line(&format!("{} in it now.", say::count(people.len(), "person is", "people are")))
        }
        Act::Remove { conversation, people } => {
            let (place, people) = place_and_people(access, &conversation, &people).await?;
            access.remove_members(place, &people).await?;
            say::line(&format!("{} out of it.", say::count(people.len(), "person is", "people are")))
        }
        Act::Leave { conversation } => {
            let place = place_of(access, &conversation).await?;
            access.remove_members(place, &[access.identity().person]).await?;
            say::line("You have left it.")
        }
        Act::Rename { conversation, title } => {
            let place = known_or_channel(access, &conversation).await?;
            access.rename(place, &title).await?;
            say::line(&format!("It is called {} now.", say::clean_line(title.trim())))
        }
        Act::Archive { conversation } => {
            let place = known_or_channel(access, &conversation).await?;
            access.archive(place, true).await?;
            say::line("It is archived: it can be read, and takes nothing new.")
        }
        Act::Reopen { conversation } => {
            let place = known_or_channel(access, &conversation).await?;
            access.archive(place, false).await?;
            say::line("It is open again.")
        }
    }
}

/// The identifier is for scripts, the words beside it for people.
fn opened(conversation: &Conversation) -> Result<(), Failure> {
    say::line(&conversation.id.to_string())?;
    let members = say::count(conversation.members.len(), "member", "members");
    say::note(&format!("{}: {members}.", say::clean_line(&conversation.title)));
    Ok(())
}

async fn channels(access: &Access, as_json: bool) -> Result<(), Failure> {
    let (units, mut channels) = (access.units().await?, access.channels().await?);
    let unit = |channel: &Channel| {
        let unit = units.iter().find(|unit| unit.id == channel.unit);
        unit.map_or_else(|| channel.unit.to_string(), |unit| unit.name.clone())
    };
    channels.sort_by_cached_key(|channel| (unit(channel), channel.archived, channel.title.to_lowercase()));
    if channels.is_empty() && !as_json {
        say::note(
            "No channel yet in a unit where you work. Open one: wardline conversation open-channel UNIT TITLE",
        );
    }
    for channel in &channels {
        if as_json {
            json::print(&json!({
                "event": "channel",
                "conversation": channel.conversation.to_string(),
                "unit": channel.unit.to_string(),
                "unit_name": unit(channel),
                "title": channel.title,
                "members": channel.members,
                "member": channel.member,
                "archived": channel.archived,
            }))?;
            continue;
        }
        let joined = if channel.member { ", joined" } else { "" };
        let archived = if channel.archived { ", archived" } else { "" };
        let members = say::count(channel.members as usize, "member", "members");
        let name = say::clean_line(&format!("{}: {}", unit(channel), channel.title));
        say::line(&format!("{}  {name}  ({members}{joined}{archived})", channel.conversation))?;
    }
    Ok(())
}

/// A channel that may be joined.
async fn channel_of(access: &Access, text: &str) -> Result<ConversationId, Failure> {
    find::channel(&access.channels().await?, text)
}

/// A conversation that one is in.
async fn place_of(access: &Access, text: &str) -> Result<ConversationId, Failure> {
    let (people, conversations) = access.look().await?;
    match find::target(access.identity().person, &people, &conversations, text)? {
        Target::Conversation(place) => Ok(place),
        Target::Person(person) => {
            let name = find::name(&people, person);
            Err(Failure::Usage(format!("{name} is a person. Name a group or channel, or its identifier.")))
        }
    }
}

/// A conversation that one is in, or a channel that one may lead without being in it: whichever the text fits best.
async fn known_or_channel(access: &Access, text: &str) -> Result<ConversationId, Failure> {
    let (people, conversations) = access.look().await?;
    let channels = access.channels().await?;
    find::group_or_channel(access.identity().person, &people, &conversations, &channels, text)
}

async fn place_and_people(
    access: &Access,
    conversation: &str,
    people: &[String],
) -> Result<(ConversationId, Vec<wardline_client::PersonId>), Failure> {
    let place = known_or_channel(access, conversation).await?;
    let directory = access.people().await?;
    let people = people.iter().map(|text| find::person(&directory, text)).collect::<Result<_, _>>()?;
    Ok((place, people))
}
