//! Units and their channels: what people do with them by chance, and what came of it.

use wardline_core::audit::Act;
use wardline_core::ids::{Conn, ConversationId, PersonId};
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
            let rank = if at == 1 { proto::Rank::ChargeNurse } else { proto::Rank::Staff };
            let unit = units[at % 2];
            self.local_ask(Ask::SetPost(proto::SetPost { person, unit, rank: rank.into() }));
            if at < 3 {
                let particulars = self.particulars();
                self.local_ask(Ask::Admit(proto::Admit {
                    record_number: String::new(),
                    new_patient: Some(particulars),
                    unit,
                    bed: format!("A-{}", at + 1),
                    attending: person,
                }));
            }
        }
        while !self.waiting.is_empty() {
            self.batch()?;
        }
        let ms = 600_000 + self.random.below(2_400_000);
        self.admit_all(ms as i64);
        while !self.waiting.is_empty() {
            self.batch()?;
        }
        Ok(())
    }

    pub(crate) fn unit_ids(&self) -> Vec<u64> {
        self.store.state.units.keys().map(|unit| unit.value()).collect()
    }

    pub(crate) fn some_unit(&mut self) -> Ask {
        let units = self.unit_ids();
        let unit = self.random.pick(&units).copied().filter(|_| units.len() >= UNITS).unwrap_or(0);
        let name = format!("Unit {}", self.random.below(100));
        Ask::SetUnit(proto::SetUnit { unit, name })
    }

    pub(crate) fn some_duties(&mut self, person: u64) -> Ask {
        let (administrator, privacy_officer) = (self.random.permille(500), self.random.permille(500));
        Ask::SetDuties(proto::SetDuties { person, administrator, privacy_officer })
    }

    pub(crate) fn some_post(&mut self, person: u64) -> Option<proto::SetPost> {
        let units = self.unit_ids();
        let unit = self.random.pick(&units).copied()?;
        // Whoever has given out a code sometimes loses the right to.
        let issuers = self.reference.ward.codes.iter().filter_map(|code| code.issuer);
        let issuers: Vec<u64> = issuers.map(|issuer| issuer.value()).collect();
        let issuer = self.random.pick(&issuers).copied().filter(|_| self.random.permille(600));
        let person = issuer.unwrap_or(person);
        let led = issuer.and_then(PersonId::new).and_then(|issuer| self.reference.ward.person(issuer));
        let led = led.and_then(|issuer| issuer.posts.iter().find(|(_, charge)| *charge));
        let unit = led.map_or(unit, |(unit, _)| unit.value());
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
        let me = self.person_of(index);
        let administers = me.and_then(|me| self.reference.ward.person(me)).is_some_and(|me| me.administrator);
        let leads = me.and_then(|me| self.reference.ward.person(me));
        let leads = leads.is_some_and(|me| me.posts.iter().any(|(_, charge)| *charge));
        if self.random.permille(if leads { 200 } else { 10 }) {
            if let Some(ask) = self.some_agency_ask(me) {
                self.clients[index].ask(ask);
            }
            return;
        }
        let ask = match (self.random.below(100), unit, person, any) {
            (0..20, Some(unit), ..) if channels.len() < 4 => {
                Ask::OpenChannel(proto::OpenChannel { unit, title })
            }
            (0..45, ..) => match channel {
                Some(conversation) => Ask::JoinChannel(proto::JoinChannel { conversation }),
                None => return,
            },
            (45..47, ..) => Ask::ListChannels(proto::ListChannels { after: 0 }),
            (47..48, ..) if administers || self.random.permille(100) => {
                let unit = unit.filter(|_| self.random.permille(300)).unwrap_or(0);
                Ask::ListAllChannels(proto::ListAllChannels { after: 0, unit })
            }
            (47..49, ..) => {
                let led = self.led_staff(index);
                match self.some_clearing(Some(led)) {
                    Some(ask) => ask,
                    None => return,
                }
            }
            (49..52, ..) => match self.staff_led_by(index) {
                Some(person) if self.random.permille(700) => {
                    Ask::IssueJoinCode(proto::IssueJoinCode { person })
                }
                Some(person) if self.random.permille(500) => Ask::Suspend(proto::Suspend { person }),
                Some(person) => Ask::SetStanding(proto::SetStanding { person, suspended: true }),
                None => return,
            },
            (52..53, ..) => Ask::ListUnits(proto::ListUnits {}),
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
        let Some(me) = self.person_of(index) else { return Vec::new() };
        let places = ward.conversations.iter().filter(|place| !place.direct && !place.purged);
        let leads = |place: &&crate::reference::Conversation| {
            place.owner == Some(me) || place.unit.is_some_and(|unit| ward.post(me, unit) == Some(true))
        };
        places.filter(leads).map(|place| place.id.value()).collect()
    }

    /// Whom this client's person leads.
    fn led_staff(&self, index: usize) -> Vec<u64> {
        let Some(me) = self.person_of(index) else { return Vec::new() };
        let people = self.people.iter().flatten().copied();
        let staff = people.filter(|person| self.reference.is_superior(me, *person));
        staff.map(|person| person.value()).collect()
    }

    /// Somebody of them.
    fn staff_led_by(&mut self, index: usize) -> Option<u64> {
        let staff = self.led_staff(index);
        self.random.pick(&staff).copied()
    }

    pub(crate) fn cover_units(&mut self, conn: Conn, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let acted = !expected.audits.is_empty();
        let asker = match self.phase(conn) {
            Some(Phase::In(device)) => self.reference.ward.device(device).map(|device| device.person),
            _ => None,
        };
        let leads = |who| self.reference.ward.person(who).is_some_and(|p| p.posts.iter().any(|(_, c)| *c));
        let administers = |who| self.reference.ward.person(who).is_some_and(|p| p.administrator);
        let led = asker.is_some_and(|who| leads(who) && !administers(who));
        let member = |id: u64| {
            let place = ConversationId::new(id);
            asker.zip(place).is_some_and(|(who, place)| self.reference.ward.member(place, who).is_some())
        };
        let situation = match (body, refused) {
            (Ask::JoinChannel(join), None) if acted => {
                let channel = ConversationId::new(join.conversation);
                let channel = channel.and_then(|channel| self.reference.ward.conversation(channel));
                let archived = channel.is_some_and(|channel| channel.archived);
                if archived { Situation::ArchivedChannelJoined } else { Situation::ChannelJoined }
            }
            (Ask::JoinChannel(_), Some(Code::NoSuchConversation)) => Situation::ForeignChannelRefused,
            (Ask::ChangeMembers(_), Some(Code::NotOfUnit)) => Situation::NotOfUnitRefused,
            (Ask::SetPost(_), Some(Code::NotPermitted)) => Situation::PlacementRefused,
            (Ask::SetPost(_) | Ask::SetDuties(_), None)
                if expected.audits.iter().any(|(_, act)| matches!(act, Act::JoinCodeWithdrawn(_))) =>
            {
                Situation::DemotedCodesWithdrawn
            }
            (Ask::SetPost(_), None)
                if expected.audits.iter().any(|(_, act)| matches!(act, Act::MemberLeft(..))) =>
            {
                Situation::PutOutWithThePost
            }
            (Ask::SetPost(_), None) if acted && asker.is_some() => Situation::PlacedByChargeNurse,
            (Ask::IssueJoinCode(_), None) if expected.audits.len() > 1 => Situation::NinthCodeEndsOldest,
            (Ask::IssueJoinCode(_), None) if led => Situation::CodeByChargeNurse,
            (Ask::SetStanding(_) | Ask::Suspend(_), None) if acted && led => {
                Situation::SuspendedByChargeNurse
            }
            (Ask::IssueJoinCode(_) | Ask::SetStanding(_) | Ask::Suspend(_), Some(Code::NotPermitted))
                if led =>
            {
                Situation::ChargeNurseRefused
            }
            (Ask::SetUnit(set), None) if set.unit != 0 => Situation::UnitRenamed,
            (Ask::SetDuties(_), None) if acted => Situation::DutiesChanged,
            (Ask::SetDuties(_), Some(Code::DutiesExclude)) => Situation::DutiesExcluded,
            (Ask::Rename(_) | Ask::Archive(_), Some(Code::NotPermitted)) => Situation::AlteringRefused,
            (Ask::Rename(proto::Rename { conversation, .. }), None)
            | (Ask::Archive(proto::Archive { conversation, .. }), None)
                if acted && !member(*conversation) =>
            {
                let unit = ConversationId::new(*conversation)
                    .and_then(|id| self.reference.ward.conversation(id))
                    .and_then(|place| place.unit);
                let leads = asker.zip(unit).and_then(|(who, unit)| self.reference.ward.post(who, unit));
                if leads == Some(true) {
                    Situation::AlteredByChargeNurse
                } else {
                    Situation::AlteredByAdministrator
                }
            }
            (Ask::OpenChannel(_), None) if acted && expected.audits.len() == 1 => {
                Situation::ChannelOfAdministrator
            }
            (Ask::ListAllChannels(_), None) => Situation::AllChannelsListed,
            (Ask::ListAllChannels(_), Some(Code::NotAdministrator)) => Situation::AllChannelsRefused,
            (Ask::Rename(_), None) if acted => Situation::Renamed,
            (Ask::Archive(archive), None) if acted && !archive.archived => Situation::Reopened,
            (Ask::Submit(_), Some(Code::Archived)) => Situation::ArchivedRefused,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
