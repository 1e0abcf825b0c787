//! Units and their channels: what people do with them by chance, and what came of it.

use wardline_core::audit::Act;
use wardline_core::ids::{Conn, ConversationId};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Expected, Phase};
use crate::world::World;

/// Units of a house at most.
const UNITS: usize = 3;

impl World {
    /// Two units, one of which somebody leads.
    pub(crate) fn settle_units(&mut self) -> Result<(), String> {
        for name in ["4 West", "Hall B"] {
            self.local_ask(Ask::SetUnit(proto::SetUnit { unit: 0, name: name.to_owned() }));
        }
        while !self.waiting.is_empty() {
            self.batch()?;
        }
        let units = self.unit_ids();
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        for (at, person) in people.into_iter().enumerate() {
            let rank = if at == 0 { proto::Rank::ChargeNurse } else { proto::Rank::Staff };
            let unit = units[at % 2];
            self.local_ask(Ask::SetPost(proto::SetPost { person, unit, rank: rank.into() }));
        }
        while !self.waiting.is_empty() {
            self.batch()?;
        }
        Ok(())
    }

    fn unit_ids(&self) -> Vec<u64> {
        self.store.state.units.keys().map(|unit| unit.value()).collect()
    }

    pub(crate) fn some_unit(&mut self) -> Ask {
        let units = self.unit_ids();
        let unit = self.random.pick(&units).copied().filter(|_| units.len() >= UNITS).unwrap_or(0);
        let name = format!("Unit {}", self.random.below(100));
        Ask::SetUnit(proto::SetUnit { unit, name })
    }

    pub(crate) fn some_duties(&mut self, person: u64) -> Ask {
        let (administrator, privacy_officer) = (self.random.permille(700), self.random.permille(400));
        Ask::SetDuties(proto::SetDuties { person, administrator, privacy_officer })
    }

    pub(crate) fn some_post(&mut self, person: u64) -> Option<proto::SetPost> {
        let units = self.unit_ids();
        let unit = self.random.pick(&units).copied()?;
        let rank = match self.random.below(10) {
            0..4 => proto::Rank::None,
            4..8 => proto::Rank::Staff,
            _ => proto::Rank::ChargeNurse,
        };
        Some(proto::SetPost { person, unit, rank: rank.into() })
    }

    /// A person does something about their unit or one of its channels, or about some conversation as a whole.
    pub(crate) fn units_and_channels(&mut self, index: usize, place: Option<u64>) {
        let (units, people) = (self.unit_ids(), self.people.iter().flatten().map(|person| person.value()));
        let people: Vec<u64> = people.collect();
        let channels = self.store.state.conversations.values().filter(|place| place.unit.is_some());
        let channels: Vec<u64> = channels.map(|channel| channel.id.value()).collect();
        let (unit, person) = (self.random.pick(&units).copied(), self.random.pick(&people).copied());
        let channel = self.random.pick(&channels).copied();
        let title = format!("Topic {}", self.random.below(50));
        let led = self.led_by(index);
        let any = match self.random.below(10) {
            0..6 => self.random.pick(&led).copied().or(place),
            6..8 => channel,
            _ => place,
        };
        let ask = match (self.random.below(100), unit, person, any) {
            (0..20, Some(unit), ..) if channels.len() < 4 => {
                Ask::OpenChannel(proto::OpenChannel { unit, title })
            }
            (0..45, ..) => match channel {
                Some(conversation) => Ask::JoinChannel(proto::JoinChannel { conversation }),
                None => return,
            },
            (45..50, ..) => Ask::ListChannels(proto::ListChannels { after: 0 }),
            (50..53, ..) => Ask::ListUnits(proto::ListUnits {}),
            (53..70, _, Some(person), _) => match self.some_post(person) {
                Some(set) => Ask::SetPost(set),
                None => return,
            },
            (70..80, .., Some(conversation)) => Ask::Rename(proto::Rename { conversation, title }),
            (80..100, .., Some(conversation)) => {
                // What is closed is soon wanted again.
                let closed = ConversationId::new(conversation)
                    .and_then(|id| self.reference.ward.conversation(id))
                    .is_some_and(|place| place.archived);
                let archived = self.random.permille(if closed { 100 } else { 700 });
                Ask::Archive(proto::Archive { conversation, archived })
            }
            _ => return,
        };
        self.clients[index].ask(ask);
    }

    /// What this client's person owns, or leads the unit of.
    fn led_by(&self, index: usize) -> Vec<u64> {
        let ward = &self.reference.ward;
        let Some(me) = self.people[self.clients[index].person] else { return Vec::new() };
        let places = ward.conversations.iter().filter(|place| !place.direct && !place.purged);
        let leads = |place: &&crate::reference::Conversation| {
            place.owner == me || place.unit.is_some_and(|unit| ward.post(me, unit) == Some(true))
        };
        places.filter(leads).map(|place| place.id.value()).collect()
    }

    pub(crate) fn cover_units(&mut self, conn: Conn, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acted = !expected.audits.is_empty();
        let asker = match self.phase(conn) {
            Some(Phase::In(device)) => self.reference.ward.device(device).map(|device| device.person),
            _ => None,
        };
        let member = |id: u64| {
            let place = ConversationId::new(id);
            asker.zip(place).is_some_and(|(who, place)| self.reference.ward.member(place, who).is_some())
        };
        let situation = match (body, refused) {
            (Ask::JoinChannel(_), None) if acted => Situation::ChannelJoined,
            (Ask::JoinChannel(_), Some(Code::NoSuchConversation)) => Situation::ForeignChannelRefused,
            (Ask::JoinChannel(_), Some(Code::Archived)) => Situation::ArchivedChannelRefused,
            (Ask::ChangeMembers(_), Some(Code::NotOfUnit)) => Situation::NotOfUnitRefused,
            (Ask::SetPost(_), Some(Code::NotPermitted)) => Situation::PlacementRefused,
            (Ask::SetPost(_), None)
                if expected.audits.iter().any(|(_, act)| matches!(act, Act::MemberLeft(..))) =>
            {
                Situation::PutOutWithThePost
            }
            (Ask::SetPost(_), None) if acted && asker.is_some() => Situation::PlacedByChargeNurse,
            (Ask::SetUnit(set), None) if set.unit != 0 => Situation::UnitRenamed,
            (Ask::SetDuties(_), None) if acted => Situation::DutiesChanged,
            (Ask::SetDuties(_), Some(Code::DutiesExclude)) => Situation::DutiesExcluded,
            (Ask::Rename(_) | Ask::Archive(_), Some(Code::NotPermitted)) => Situation::AlteringRefused,
            (Ask::Rename(proto::Rename { conversation, .. }), None)
            | (Ask::Archive(proto::Archive { conversation, .. }), None)
                if acted && !member(*conversation) =>
            {
                Situation::AlteredByChargeNurse
            }
            (Ask::Rename(_), None) if acted => Situation::Renamed,
            (Ask::Archive(archive), None) if acted && !archive.archived => Situation::Reopened,
            (Ask::Submit(_), Some(Code::Archived)) => Situation::ArchivedRefused,
            (Ask::History(history), None) => {
                let place = ConversationId::new(history.conversation);
                let place = place.and_then(|place| self.reference.ward.conversation(place));
                let entered =
                    asker.zip(place).filter(|(who, place)| place.unit.is_some() && place.owner != *who);
                if entered.is_none() {
                    return;
                }
                Situation::ChannelReadFromItsBeginning
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
