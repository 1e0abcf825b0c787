//! Questions with one answer, over a connection or the box's local socket.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::error::{Error, InputError};
use crate::event::{self, Conversation, Message, Person, Unit};
use crate::notice::{self, Notice};
use crate::signed::{self, SignedAnswer};
use crate::stat::Escalation;

/// Somebody who answers requests.
pub trait Call: Sync {
    /// The answer to a request; a refusal is an error.
    fn call(&self, body: Ask) -> impl Future<Output = Result<Answer, Error>> + Send;
}

/// A page of history.
pub struct Page {
    /// Newest first.
    pub messages: Vec<Message>,
    /// Nothing older is readable.
    pub end: bool,
    /// Of a patient's thread: what was told behind these messages, and at the end in front of the first. Newest first.
    pub notices: Vec<Notice>,
    /// What was signed about STATs of this page, the newest first.
    pub signed: Vec<SignedAnswer>,
    /// Of a page of one message that is a STAT: how it stands.
    pub stat: Option<Escalation>,
}

/// A join code fresh from the box. Shown to the person who is to join, and to nobody else.
#[derive(Clone)]
pub struct JoinCode {
    /// Ten characters.
    pub code: String,
    /// Worth nothing from here on: milliseconds since 1970.
    pub expires: i64,
}

/// A device as its person and administrators see it. Its name is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// What its person calls it.
    pub name: String,
    /// May not sign in any more.
    pub revoked: bool,
    /// Ten wrong PINs.
    pub pin_locked_out: bool,
}

/// A channel as whoever may join it sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// Which.
    pub conversation: ConversationId,
    /// Whose.
    pub unit: UnitId,
    /// Its title.
    pub title: String,
    /// How many are in it.
    pub members: u32,
    /// This person is.
    pub member: bool,
    /// Can be read, and takes nothing new.
    pub archived: bool,
}

/// What somebody is to be in a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    /// Does not work there any more.
    None,
    /// Works there.
    Staff,
    /// Leads it.
    ChargeNurse,
}

pub(crate) fn odd<T>(_: Answer) -> Result<T, Error> {
    Err(Error::Protocol("an answer to another question"))
}

/// What can be asked. The second half is for administrators from the administration network, and for the box's local
/// socket, which knows only that half and `people`.
pub trait Calls: Call {
    /// The whole directory, page by page.
    fn people(&self) -> impl Future<Output = Result<Vec<Person>, Error>> + Send {
        async {
            let mut people: Vec<Person> = Vec::new();
            loop {
                let after = people.last().map_or(0, |person| person.id.value());
                let page = match self.call(Ask::ListPeople(proto::ListPeople { after })).await? {
                    Answer::PeoplePage(page) => page,
                    other => return odd(other),
                };
                let before = people.len();
                for person in page.people {
                    people.push(Person::from_wire(person)?);
                }
                if page.end || people.len() == before || people.len() > limits::PEOPLE_MAX {
                    return Ok(people);
                }
            }
        }
    }

    /// The direct conversation with a person, opened when there is none.
    fn open_direct(&self, person: PersonId) -> impl Future<Output = Result<Conversation, Error>> + Send {
        self.opened(Ask::OpenDirect(proto::OpenDirect { person: person.value() }))
    }

    /// A new group with these people and oneself.
    fn open_group(
        &self,
        title: &str,
        people: &[PersonId],
    ) -> impl Future<Output = Result<Conversation, Error>> + Send {
        let people = people.iter().map(|person| person.value()).collect();
        self.opened(Ask::OpenGroup(proto::OpenGroup { title: title.to_owned(), people }))
    }

    /// Adds people to a group.
    fn add_members(
        &self,
        conversation: ConversationId,
        people: &[PersonId],
    ) -> impl Future<Output = Result<Conversation, Error>> + Send {
        let add = people.iter().map(|person| person.value()).collect();
        let conversation = conversation.value();
        self.opened(Ask::ChangeMembers(proto::ChangeMembers { conversation, add, remove: vec![] }))
    }

    /// Takes people out of a group; oneself: leaves it.
    fn remove_members(
        &self,
        conversation: ConversationId,
        people: &[PersonId],
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let remove = people.iter().map(|person| person.value()).collect();
        let conversation = conversation.value();
        let ask = Ask::ChangeMembers(proto::ChangeMembers { conversation, add: vec![], remove });
        async {
            match self.call(ask).await? {
                Answer::Opened(_) | Answer::Done(_) => Ok(()),
                other => odd(other),
            }
        }
    }

    /// A new channel of a unit that one works in.
    fn open_channel(
        &self,
        unit: UnitId,
        title: &str,
    ) -> impl Future<Output = Result<Conversation, Error>> + Send {
        self.opened(Ask::OpenChannel(proto::OpenChannel { unit: unit.value(), title: title.to_owned() }))
    }

    /// Joins a channel of a unit that one works in.
    fn join_channel(
        &self,
        conversation: ConversationId,
    ) -> impl Future<Output = Result<Conversation, Error>> + Send {
        self.opened(Ask::JoinChannel(proto::JoinChannel { conversation: conversation.value() }))
    }

    /// The channels of the units that one works in, joined or not.
    fn channels(&self) -> impl Future<Output = Result<Vec<Channel>, Error>> + Send {
        async {
            let mut channels: Vec<Channel> = Vec::new();
            loop {
                let after = channels.last().map_or(0, |channel| channel.conversation.value());
                let page = match self.call(Ask::ListChannels(proto::ListChannels { after })).await? {
                    Answer::ChannelPage(page) => page,
                    other => return odd(other),
                };
                let before = channels.len();
                for channel in page.channels {
                    channels.push(Channel::from_wire(channel)?);
                }
                let most = limits::POSTS_MAX * limits::CHANNELS_OF_UNIT_MAX;
                if page.end || channels.len() == before || channels.len() > most {
                    return Ok(channels);
                }
            }
        }
    }

    /// Gives a group or channel another title.
    fn rename(
        &self,
        conversation: ConversationId,
        title: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let title = title.to_owned();
        self.done(Ask::Rename(proto::Rename { conversation: conversation.value(), title }))
    }

    /// Closes a group or channel, or opens it again.
    fn archive(
        &self,
        conversation: ConversationId,
        archived: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::Archive(proto::Archive { conversation: conversation.value(), archived }))
    }

    /// The facility's units.
    fn units(&self) -> impl Future<Output = Result<Vec<Unit>, Error>> + Send {
        async {
            match self.call(Ask::ListUnits(proto::ListUnits {})).await? {
                Answer::UnitList(list) => list.units.into_iter().map(Unit::from_wire).collect(),
                other => odd(other),
            }
        }
    }

    /// Says what somebody is in a unit: its charge nurse may say who works there, administration also who leads it.
    fn set_post(
        &self,
        person: PersonId,
        unit: UnitId,
        rank: Rank,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let rank = match rank {
            Rank::None => proto::Rank::None,
            Rank::Staff => proto::Rank::Staff,
            Rank::ChargeNurse => proto::Rank::ChargeNurse,
        };
        let (person, unit) = (person.value(), unit.value());
        self.done(Ask::SetPost(proto::SetPost { person, unit, rank: rank.into() }))
    }

    /// Older messages, newest first, before `before` (0: from the newest), at most 100.
    fn history(
        &self,
        conversation: ConversationId,
        before: Sequence,
        limit: u32,
    ) -> impl Future<Output = Result<Page, Error>> + Send {
        let ask = proto::History { conversation: conversation.value(), before: before.0, limit };
        async move {
            match self.call(Ask::History(ask)).await? {
                Answer::HistoryPage(page) => Ok(Page {
                    notices: page
                        .notices
                        .iter()
                        .filter_map(|told| notice::from_wire(told).transpose())
                        .collect::<Result<_, _>>()?,
                    messages: page.messages.into_iter().map(Message::from_wire).collect::<Result<_, _>>()?,
                    end: page.end,
                    signed: signed::read(&page.signed)?,
                    stat: page.stat.map(Escalation::from_wire).transpose()?,
                }),
                other => odd(other),
            }
        }
    }

    /// Another text for one's own message; `version` is one above [`Message::edits`] as it was seen. A connection that breaks meanwhile is
    /// waited for: the box answers the same edit as the first time.
    fn edit_message(
        &self,
        conversation: ConversationId,
        sequence: Sequence,
        version: u32,
        text: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let text = text.to_owned();
        async move {
            if text.is_empty() || text.len() > limits::TEXT_MAX {
                return Err(InputError::Text(text.len()).into());
            }
            let edit = crate::clock::random::<16>()?.to_vec();
            let (conversation, sequence) = (conversation.value(), sequence.0);
            self.persistently(Ask::EditMessage(proto::EditMessage {
                conversation,
                sequence,
                version,
                edit,
                text,
            }))
            .await
        }
    }

    /// Destroys the text of one's own message, for everybody.
    fn recall_message(
        &self,
        conversation: ConversationId,
        sequence: Sequence,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (conversation, sequence) = (conversation.value(), sequence.0);
        self.persistently(Ask::RecallMessage(proto::RecallMessage { conversation, sequence }))
    }

    /// What may be asked twice: once more when the connection went before the answer came.
    #[doc(hidden)]
    fn persistently(&self, ask: Ask) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            match self.done(ask.clone()).await {
                Err(Error::Interrupted) => self.done(ask).await,
                other => other,
            }
        }
    }

    /// Adds somebody to the directory.
    fn add_person(
        &self,
        name: &str,
        title: &str,
        administrator: bool,
    ) -> impl Future<Output = Result<PersonId, Error>> + Send {
        let ask = proto::AddPerson { name: name.to_owned(), title: title.to_owned(), administrator };
        async move {
            match self.call(Ask::AddPerson(ask)).await? {
                Answer::PersonAdded(added) => event::person(added.person),
                other => odd(other),
            }
        }
    }

    /// A new unit, or another name for one.
    fn set_unit(
        &self,
        unit: Option<UnitId>,
        name: &str,
    ) -> impl Future<Output = Result<UnitId, Error>> + Send {
        let ask = proto::SetUnit { unit: unit.map_or(0, UnitId::value), name: name.to_owned() };
        async move {
            match self.call(Ask::SetUnit(ask)).await? {
                Answer::UnitSet(set) => event::unit(set.unit),
                other => odd(other),
            }
        }
    }

    /// Says who administers, and who is a privacy officer. Nobody is both.
    fn set_duties(
        &self,
        person: PersonId,
        administrator: bool,
        privacy_officer: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let person = person.value();
        self.done(Ask::SetDuties(proto::SetDuties { person, administrator, privacy_officer }))
    }

    /// A join code for one more device of this person.
    fn issue_join_code(&self, person: PersonId) -> impl Future<Output = Result<JoinCode, Error>> + Send {
        async move {
            match self.call(Ask::IssueJoinCode(proto::IssueJoinCode { person: person.value() })).await? {
                Answer::JoinCode(code) => Ok(JoinCode { code: code.code, expires: code.expires }),
                other => odd(other),
            }
        }
    }

    /// A code for a device of theirs that ten wrong PINs have locked: good for ten minutes, on that device alone. For their charge
    /// nurse, or an administrator. [`crate::Client::choose_pin`] takes it.
    fn clear_pin(&self, person: PersonId) -> impl Future<Output = Result<JoinCode, Error>> + Send {
        async move {
            match self.call(Ask::ClearPin(proto::ClearPin { person: person.value() })).await? {
                Answer::JoinCode(code) => Ok(JoinCode { code: code.code, expires: code.expires }),
                other => odd(other),
            }
        }
    }

    /// A person's devices.
    fn list_devices(&self, person: PersonId) -> impl Future<Output = Result<Vec<Device>, Error>> + Send {
        async move {
            match self.call(Ask::ListDevices(proto::ListDevices { person: person.value() })).await? {
                Answer::DeviceList(list) => list.devices.into_iter().map(Device::from_wire).collect(),
                other => odd(other),
            }
        }
    }

    /// Ends a device, for good and at once.
    fn revoke_device(&self, device: DeviceId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::RevokeDevice(proto::RevokeDevice { device: device.value() }))
    }

    /// Suspends a person, at once on every device, or restores one.
    fn suspend(&self, person: PersonId, suspended: bool) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::SetStanding(proto::SetStanding { person: person.value(), suspended }))
    }

    /// Destroys a conversation's messages. Cannot be undone.
    fn purge(&self, conversation: ConversationId) -> impl Future<Output = Result<(), Error>> + Send {
        let conversation = conversation.value();
        self.done(Ask::PurgeConversation(proto::PurgeConversation { conversation }))
    }

    #[doc(hidden)]
    fn opened(&self, ask: Ask) -> impl Future<Output = Result<Conversation, Error>> + Send {
        async {
            match self.call(ask).await? {
                Answer::Opened(proto::Opened { conversation: Some(conversation) }) => {
                    Conversation::from_wire(conversation)
                }
                other => odd(other),
            }
        }
    }

    #[doc(hidden)]
    fn done(&self, ask: Ask) -> impl Future<Output = Result<(), Error>> + Send {
        async {
            match self.call(ask).await? {
                Answer::Done(_) => Ok(()),
                other => odd(other),
            }
        }
    }
}

impl<C: Call> Calls for C {}

impl Channel {
    fn from_wire(wire: proto::Channel) -> Result<Self, Error> {
        Ok(Self {
            conversation: event::conversation(wire.conversation)?,
            unit: event::unit(wire.unit)?,
            title: wire.title,
            members: wire.members,
            member: wire.member,
            archived: wire.archived,
        })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({} of {})", self.conversation, self.unit)
    }
}

impl Device {
    pub(crate) fn from_wire(wire: proto::Device) -> Result<Self, Error> {
        Ok(Self {
            id: DeviceId::new(wire.device).ok_or(Error::Protocol("a device without identifier"))?,
            name: wire.name,
            revoked: wire.revoked,
            pin_locked_out: wire.pin_locked_out,
        })
    }
}

impl Device {
    pub(crate) fn to_wire(&self) -> proto::Device {
        proto::Device {
            device: self.id.value(),
            name: self.name.clone(),
            revoked: self.revoked,
            pin_locked_out: self.pin_locked_out,
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.id)
    }
}
