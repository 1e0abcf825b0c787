//! The reference's rules for announcements: everybody is looked at, every time.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, UnitId};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{Priority, RefusalCode as Code};

use crate::reference::{Answer, Expected, Member, Reference, Ward};
use crate::reference_roles::digest;
use crate::reference_ward::{Chosen, Opening};

impl Ward {
    /// Whoever reads the announcements of a unit, or of the facility.
    fn audience(&self, unit: Option<UnitId>) -> Vec<PersonId> {
        let here = |who: PersonId| {
            let hired = self.person(who).and_then(|person| person.hired.as_ref());
            hired.is_none_or(|hired| !hired.over)
        };
        let all = self.people.iter().map(|person| person.id);
        all.filter(|who| unit.map_or(here(*who), |unit| self.post(*who, unit).is_some())).collect()
    }

    fn announcements(&self, unit: Option<UnitId>) -> Option<ConversationId> {
        let mut all = self.conversations.iter();
        all.find(|place| place.of_house && !place.purged && place.unit == unit).map(|place| place.id)
    }

    pub(crate) fn may_announce(&self, who: PersonId, unit: Option<UnitId>) -> bool {
        match unit {
            Some(unit) => self.post(who, unit) == Some(true),
            None => self.announcers.contains(&who),
        }
    }
}

impl Reference {
    /// Whoever is to read them does, and nobody else; and they are called as their unit is.
    pub(crate) fn announcements_settle(&mut self, expected: &mut Expected) -> bool {
        let mut moved = false;
        let all = self.ward.conversations.iter().filter(|place| place.of_house && !place.purged);
        let all: Vec<(ConversationId, Option<UnitId>)> = all.map(|place| (place.id, place.unit)).collect();
        for (id, unit) in all {
            let audience = self.ward.audience(unit);
            let name = self.ward.unit_names.iter().find(|(of, _)| Some(*of) == unit);
            let name = name.map_or(String::new(), |(_, name)| name.clone());
            let Some(place) = self.ward.conversation_mut(id) else { continue };
            if place.title != name {
                place.title = name;
                expected.audits.push((Actor::TheBox, Act::ConversationRenamed(id)));
            }
            for member in place.members.iter_mut().filter(|member| !member.left) {
                if !audience.contains(&member.person) {
                    member.left = true;
                    moved = true;
                }
            }
            let last = place.messages.len() as u64;
            for person in audience {
                if place.members.iter().any(|member| member.person == person && !member.left) {
                    continue;
                }
                place.members.retain(|member| member.person != person);
                let from = 1 + place.expired_through;
                place.members.push(Member {
                    person,
                    from,
                    delivered: last,
                    read: last,
                    left: false,
                    entered: last,
                });
                moved = true;
            }
        }
        moved
    }

    /// Why somebody may not say this there.
    pub(crate) fn announces_wrongly(
        &self,
        place: ConversationId,
        me: PersonId,
        priority: Priority,
    ) -> Option<Code> {
        let place = self.ward.conversation(place).filter(|place| place.of_house)?;
        if !self.ward.may_announce(me, place.unit) {
            return Some(Code::NotPermitted);
        }
        let (unit_urgent, facility_urgent) = self.ward.urgent.unwrap_or((true, false));
        let urgent = if place.unit.is_some() { unit_urgent } else { facility_urgent };
        match priority {
            Priority::Stat => Some(Code::BroadcastNoStat),
            Priority::Urgent if !urgent => Some(Code::BroadcastPriority),
            _ => None,
        }
    }

    pub(crate) fn announcing(
        &mut self,
        device: DeviceId,
        me: PersonId,
        body: &Body,
        chosen: Chosen,
    ) -> Expected {
        match body {
            Body::OpenBroadcast(open) => {
                let unit = UnitId::new(open.unit);
                if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
                    return Expected::refused(Code::NoSuchUnit);
                }
                if !self.ward.may_announce(me, unit) {
                    return Expected::refused(Code::NotPermitted);
                }
                if let Some(id) = self.ward.announcements(unit) {
                    return Expected::answered(Answer::Opened(id));
                }
                let name = self.ward.unit_names.iter().find(|(of, _)| Some(*of) == unit);
                let title = name.map_or(String::new(), |(_, name)| name.clone());
                let opening = Opening { direct: false, unit, title: &title };
                let expected = self.open(device, me, opening, &[], chosen);
                if let Some(Answer::Opened(id)) = expected.answer
                    && let Some(place) = self.ward.conversation_mut(id)
                {
                    (place.of_house, place.owner) = (true, None);
                }
                expected
            }
            Body::LookAtBroadcast(look) => {
                let id = ConversationId::new(look.conversation).expect("parsed before");
                if self.ward.member(id, me).is_none() {
                    return Expected::refused(Code::NoSuchConversation);
                }
                let Some(place) = self.ward.conversation(id) else { return Expected::default() };
                if !place.of_house {
                    return Expected::refused(Code::NotBroadcast);
                }
                if !self.ward.may_announce(me, place.unit) {
                    return Expected::refused(Code::NotPermitted);
                }
                if !(1..=place.messages.len() as u64).contains(&look.sequence) {
                    return Expected::refused(Code::NoSuchMessage);
                }
                let others = place.members.iter().filter(|member| !member.left && member.person != me);
                let others: Vec<&Member> = others.collect();
                let of = |upto: fn(&Member) -> u64| {
                    others.iter().filter(|member| upto(member) >= look.sequence).count() as u64
                };
                let counts = [others.len() as u64, of(|m| m.delivered), of(|m| m.read)];
                Expected::answered(Answer::Announced(digest([(look.sequence, &counts[..])].into_iter())))
            }
            _ => Expected::default(),
        }
    }

    /// By a person, or a service of the box.
    pub(crate) fn announcers(&mut self, by: Actor, administers: bool, body: &Body) -> Expected {
        let me = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        let mut expected = Expected::answered(Answer::Done);
        match body {
            Body::ListBroadcasts(_) => {
                let me = me.and_then(|me| self.ward.person(me));
                let mut mine: Vec<Option<UnitId>> =
                    me.into_iter().flat_map(|me| &me.posts).map(|(unit, _)| Some(*unit)).collect();
                mine.sort_unstable();
                mine.extend(me.map(|_| None));
                let mut sums: Vec<u64> = Vec::new();
                for unit in mine {
                    let id = self.ward.announcements(unit);
                    let may = me.is_some_and(|me| self.ward.may_announce(me.id, unit));
                    let readers = id.map_or(0, |_| self.ward.audience(unit).len() as u64);
                    let id = id.map_or(0, ConversationId::value);
                    sums.extend([unit.map_or(0, UnitId::value), id, u64::from(may), readers]);
                }
                let mut named: Vec<u64> = self.ward.announcers.iter().map(|who| who.value()).collect();
                named.sort_unstable();
                let (unit, facility) = self.ward.urgent.unwrap_or((true, false));
                let urgent = [u64::from(unit), u64::from(facility)];
                let told = [(1, &sums[..]), (2, &named[..]), (3, &urgent[..])];
                Expected::answered(Answer::Announced(digest(told.into_iter())))
            }
            _ if !administers => Expected::refused(Code::NotAdministrator),
            Body::SetAnnouncer(set) => {
                let id = PersonId::new(set.person).expect("parsed before");
                if self.ward.person(id).is_none_or(|person| set.announces && person.suspended) {
                    return Expected::refused(Code::NoSuchPerson);
                }
                if self.ward.announcers.contains(&id) != set.announces {
                    if self.lobby.disk_scarce {
                        return Expected::refused(Code::DiskLow);
                    }
                    self.ward.announcers.retain(|who| *who != id);
                    if set.announces {
                        self.ward.announcers.push(id);
                    }
                    expected.audits.push((by, Act::AnnouncerSet(id, set.announces.into())));
                }
                expected
            }
            Body::SetBroadcastPolicy(set) => {
                let wanted = Some((set.unit_urgent, set.facility_urgent));
                if self.ward.urgent != wanted {
                    if self.lobby.disk_scarce {
                        return Expected::refused(Code::DiskLow);
                    }
                    self.ward.urgent = wanted;
                    let act = Act::BroadcastPolicySet(set.unit_urgent.into(), set.facility_urgent.into());
                    expected.audits.push((by, act));
                }
                expected
            }
            _ => Expected::default(),
        }
    }
}
