//! Out of the frames of the protocol, and into them again for whoever shares the profile.

use std::time::Duration;

use wardline_core::ids::{ConversationId, DeviceId, MessageId, PersonId, Sequence, UnitId};
use wardline_core::wire::proto;

use super::{
    Accepted, Agency, Attachment, Conversation, Kind, Member, Message, Person, Post, SignedIn, Unit,
    Watermark,
};
use crate::beside::{self, Mention};
use crate::call::Device;
use crate::clinical::Bedside;
use crate::error::Error;
use crate::family::{Family, Relative};
use crate::stat::priority_of;

pub(crate) fn person(value: u64) -> Result<PersonId, Error> {
    PersonId::new(value).ok_or(Error::Protocol("a person without identifier"))
}

pub(crate) fn conversation(value: u64) -> Result<ConversationId, Error> {
    ConversationId::new(value).ok_or(Error::Protocol("a conversation without identifier"))
}

pub(crate) fn unit(value: u64) -> Result<UnitId, Error> {
    UnitId::new(value).ok_or(Error::Protocol("a unit without identifier"))
}

pub(crate) fn message(bytes: &[u8]) -> Result<MessageId, Error> {
    bytes.try_into().map(MessageId).map_err(|_| Error::Protocol("a message without identifier"))
}

impl SignedIn {
    pub(crate) fn from_wire(wire: proto::SignedIn, facility: &str) -> Result<Self, Error> {
        Ok(Self {
            device: DeviceId::new(wire.device).ok_or(Error::Protocol("a device without identifier"))?,
            person: person(wire.person)?,
            name: wire.name,
            facility: facility.to_owned(),
            session_ends: wire.session_ends,
            idle_lock: Duration::from_millis(wire.idle_lock),
            last_number: wire.last_number,
            administrator: wire.administrator,
            devices: wire.devices.into_iter().map(Device::from_wire).collect::<Result<_, _>>()?,
            station: UnitId::new(wire.station),
            visitor: wire.visitor,
        })
    }

    pub(crate) fn to_wire(&self) -> proto::SignedIn {
        proto::SignedIn {
            device: self.device.value(),
            person: self.person.value(),
            name: self.name.clone(),
            session_ends: self.session_ends,
            idle_lock: u64::try_from(self.idle_lock.as_millis()).unwrap_or(u64::MAX),
            last_number: self.last_number,
            administrator: self.administrator,
            devices: self.devices.iter().map(Device::to_wire).collect(),
            station: self.station.map_or(0, UnitId::value),
            visitor: self.visitor,
            ..proto::SignedIn::default()
        }
    }
}

impl Message {
    pub(crate) fn from_wire(wire: proto::Message) -> Result<Self, Error> {
        Ok(Self {
            conversation: conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
            id: message(&wire.message)?,
            sender: person(wire.sender)?,
            at: wire.at,
            priority: priority_of(wire.priority()),
            reply_to: Some(Sequence(wire.reply_to)).filter(|to| *to > Sequence::NONE),
            edits: wire.edits,
            edited_at: (wire.edits > 0).then_some(wire.edited_at),
            recalled_at: Some(wire.recalled_at).filter(|at| *at != 0),
            mentions: wire.mentions.into_iter().map(Mention::from_wire).collect::<Result<_, _>>()?,
            reactions: beside::reactions(wire.reactions)?,
            text: wire.text,
            attachments: wire.attachments.into_iter().map(Attachment::from_wire).collect::<Result<_, _>>()?,
        })
    }
}

impl Kind {
    pub(crate) fn from_wire(wire: proto::ConversationKind) -> Self {
        match wire {
            proto::ConversationKind::Direct => Self::Direct,
            proto::ConversationKind::Group => Self::Group,
            proto::ConversationKind::Channel => Self::Channel,
            proto::ConversationKind::Patient => Self::Patient,
            proto::ConversationKind::Family => Self::Family,
            proto::ConversationKind::Role => Self::Role,
            proto::ConversationKind::Broadcast => Self::Broadcast,
            proto::ConversationKind::Unspecified => Self::Other,
        }
    }
}

impl Conversation {
    pub(crate) fn from_wire(wire: proto::Conversation) -> Result<Self, Error> {
        Ok(Self {
            id: conversation(wire.conversation)?,
            kind: Kind::from_wire(wire.kind()),
            members: members(&wire.members)?,
            title: wire.title,
            last: Sequence(wire.last_sequence),
            first: Sequence(wire.first_sequence),
            purged: wire.purged,
            unit: UnitId::new(wire.unit),
            archived: wire.archived,
            about: Bedside::from_wire(wire.patient, wire.encounter)?.map(Box::new),
            family: wire.family.map(Family::from_wire).transpose()?.map(Box::new),
            writer: PersonId::new(wire.writer),
        })
    }
}

impl Conversation {
    pub(crate) fn to_wire(&self) -> proto::Conversation {
        let kind = match self.kind {
            Kind::Direct => proto::ConversationKind::Direct,
            Kind::Group => proto::ConversationKind::Group,
            Kind::Channel => proto::ConversationKind::Channel,
            Kind::Patient => proto::ConversationKind::Patient,
            Kind::Family => proto::ConversationKind::Family,
            Kind::Role => proto::ConversationKind::Role,
            Kind::Broadcast => proto::ConversationKind::Broadcast,
            Kind::Other => proto::ConversationKind::Unspecified,
        };
        let members = self.members.iter().map(|member| proto::Member {
            person: member.person.value(),
            delivered: member.delivered.0,
            read: member.read.0,
        });
        let (patient, encounter) = self.about.as_ref().map(|about| about.to_wire()).unzip();
        proto::Conversation {
            conversation: self.id.value(),
            kind: kind.into(),
            title: self.title.clone(),
            members: members.collect(),
            last_sequence: self.last.0,
            first_sequence: self.first.0,
            purged: self.purged,
            unit: self.unit.map_or(0, UnitId::value),
            archived: self.archived,
            stats: Vec::new(),
            patient,
            encounter,
            family: self.family.as_ref().map(|family| family.to_wire()),
            tasks: Vec::new(),
            orders: Vec::new(),
            writer: self.writer.map_or(0, PersonId::value),
        }
    }
}

/// What is new of a conversation: told as the whole of it, as it then is.
pub(crate) struct ConversationChange {
    pub(crate) conversation: ConversationId,
    pub(crate) joined: Vec<Member>,
    pub(crate) left: Vec<PersonId>,
    pub(crate) first: Sequence,
    pub(crate) purged: bool,
    pub(crate) title: Option<String>,
    pub(crate) archived: Option<bool>,
    pub(crate) about: Option<Box<Bedside>>,
    pub(crate) people: Vec<Relative>,
}

impl ConversationChange {
    pub(crate) fn from_wire(wire: &proto::ConversationChanged) -> Result<Self, Error> {
        Ok(Self {
            conversation: conversation(wire.conversation)?,
            joined: members(&wire.joined)?,
            left: wire.left.iter().map(|left| person(*left)).collect::<Result<_, _>>()?,
            first: Sequence(wire.first_sequence),
            purged: wire.purged,
            title: wire.title.clone(),
            archived: wire.archived,
            about: Bedside::from_wire(wire.patient.clone(), wire.encounter.clone())?.map(Box::new),
            people: wire.people.iter().cloned().map(Relative::from_wire).collect::<Result<_, _>>()?,
        })
    }
}

fn members(wire: &[proto::Member]) -> Result<Vec<Member>, Error> {
    let member = |member: &proto::Member| {
        let (delivered, read) = (Sequence(member.delivered), Sequence(member.read));
        Ok(Member { person: person(member.person)?, delivered, read })
    };
    wire.iter().map(member).collect()
}

impl Watermark {
    pub(crate) fn from_wire(wire: proto::Watermark) -> Result<Self, Error> {
        let (delivered, read) = (Sequence(wire.delivered), Sequence(wire.read));
        let member = Member { person: person(wire.person)?, delivered, read };
        Ok(Self { conversation: conversation(wire.conversation)?, member })
    }
}

impl Person {
    pub(crate) fn to_wire(&self) -> proto::Person {
        proto::Person {
            person: self.id.value(),
            name: self.name.clone(),
            title: self.title.clone(),
            suspended: self.suspended,
            administrator: self.administrator,
            privacy_officer: self.privacy_officer,
            posts: self
                .posts
                .iter()
                .map(|post| proto::Post { unit: post.unit.value(), charge_nurse: post.charge_nurse })
                .collect(),
            station: self.station.map_or(0, UnitId::value),
            agency: self.agency.as_ref().map(|agency| proto::Agency {
                name: agency.name.clone(),
                until: agency.until,
                over: agency.over,
            }),
            the_box: self.the_box,
        }
    }

    pub(crate) fn from_wire(wire: proto::Person) -> Result<Self, Error> {
        Ok(Self {
            id: person(wire.person)?,
            name: wire.name,
            title: wire.title,
            suspended: wire.suspended,
            administrator: wire.administrator,
            privacy_officer: wire.privacy_officer,
            posts: wire
                .posts
                .into_iter()
                .map(|post| Ok(Post { unit: unit(post.unit)?, charge_nurse: post.charge_nurse }))
                .collect::<Result<_, Error>>()?,
            the_box: wire.the_box,
            station: UnitId::new(wire.station),
            agency: wire.agency.map(|agency| Agency {
                name: agency.name,
                until: agency.until,
                over: agency.over,
            }),
            visitor: false,
        })
    }

    /// Somebody who is known from a family thread.
    pub(crate) fn of_family(relative: &Relative) -> Self {
        Self {
            id: relative.person,
            name: relative.name.clone(),
            title: relative.title.clone(),
            suspended: false,
            administrator: false,
            privacy_officer: false,
            posts: Vec::new(),
            the_box: false,
            station: None,
            agency: None,
            visitor: relative.visitor,
        }
    }
}

impl Unit {
    pub(crate) fn from_wire(wire: proto::Unit) -> Result<Self, Error> {
        Ok(Self { id: unit(wire.unit)?, name: wire.name })
    }
}

impl Accepted {
    pub(crate) fn to_wire(self) -> proto::Accepted {
        proto::Accepted {
            number: 0,
            message: self.message.0.to_vec(),
            conversation: self.conversation.value(),
            sequence: self.sequence.0,
            at: self.at,
            cursor: Vec::new(),
        }
    }

    pub(crate) fn from_wire(wire: &proto::Accepted) -> Result<Self, Error> {
        Ok(Self {
            message: message(&wire.message)?,
            conversation: conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
            at: wire.at,
        })
    }
}
