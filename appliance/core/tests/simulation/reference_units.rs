//! The reference's rules for units and their channels.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, UnitId};
use wardline_core::time::Now;
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_ward::{Chosen, Opening};

impl Reference {
    pub(crate) fn set_unit(&mut self, by: Actor, set: &proto::SetUnit, chosen: Chosen) -> Expected {
        let (id, act) = match UnitId::new(set.unit) {
            Some(id) if !self.ward.units.contains(&id) => return Expected::refused(Code::NoSuchUnit),
            // The same name is no other one.
            Some(_) if chosen.unit.is_none() => return Expected::answered(Answer::UnitSet),
            Some(id) => (id, Act::UnitRenamed(id)),
            None => {
                let Some(id) = chosen.unit else { return Expected::default() };
                self.ward.units.push(id);
                (id, Act::UnitAdded(id))
            }
        };
        debug_assert!(self.ward.units.contains(&id));
        self.ward.unit_names.retain(|(of, _)| *of != id);
        self.ward.unit_names.push((id, set.name.clone()));
        let mut expected = Expected::answered(Answer::UnitSet);
        expected.audits.push((by, act));
        expected
    }

    pub(crate) fn set_duties(&mut self, by: Actor, set: &proto::SetDuties) -> Expected {
        let id = PersonId::new(set.person).expect("parsed before");
        let Some(person) = self.ward.people.iter_mut().find(|person| person.id == id) else {
            return Expected::refused(Code::NoSuchPerson);
        };
        let leads = person.posts.iter().any(|(_, charge)| *charge);
        if set.privacy_officer && (set.administrator || leads) {
            return Expected::refused(Code::DutiesExclude);
        }
        if person.hired.is_some() && (set.administrator || set.privacy_officer) {
            return Expected::refused(Code::AgencyBound);
        }
        let mut expected = Expected::answered(Answer::Done);
        let demoted = person.administrator && !set.administrator;
        if (person.administrator, person.privacy_officer) != (set.administrator, set.privacy_officer) {
            (person.administrator, person.privacy_officer) = (set.administrator, set.privacy_officer);
            let duties = if set.administrator {
                1
            } else if set.privacy_officer {
                2
            } else {
                0
            };
            expected.audits.push((by, Act::DutiesSet(id, duties)));
            if demoted {
                self.withdraw_issued(by, id, &mut expected);
            }
            if set.privacy_officer {
                self.end_shifts_of(by, id, None, &mut expected);
                self.end_offers_of(by, id, None, &mut expected);
                self.withdraw(by, id, &mut expected);
                self.end_emergencies(by, |broken| broken.who == id, &mut expected);
                self.covers_settle(by, &mut expected);
            }
        }
        expected
    }

    /// With the right to issue codes end those that were issued.
    fn withdraw_issued(&mut self, by: Actor, issuer: PersonId, expected: &mut Expected) {
        let issued = self.ward.codes.iter().filter(|code| code.issuer == Some(issuer));
        expected.audits.extend(issued.map(|code| (by, Act::JoinCodeWithdrawn(code.person))));
        self.ward.codes.retain(|code| code.issuer != Some(issuer));
    }

    pub(crate) fn set_post(
        &mut self,
        now: Now,
        by: Actor,
        administers: bool,
        set: &proto::SetPost,
    ) -> Expected {
        self.set_post_as((now, by), (administers, false), set)
    }

    /// By somebody who administers, or leads this unit, or neither.
    pub(crate) fn set_post_as(
        &mut self,
        (now, by): (Now, Actor),
        (administers, leads): (bool, bool),
        set: &proto::SetPost,
    ) -> Expected {
        let (id, unit) = (PersonId::new(set.person), UnitId::new(set.unit));
        let (id, unit) = (id.expect("parsed before"), unit.expect("parsed before"));
        if !self.ward.units.contains(&unit) {
            return Expected::refused(Code::NoSuchUnit);
        }
        if self.ward.person(id).is_none() {
            return Expected::refused(Code::NoSuchPerson);
        }
        let was = self.ward.post(id, unit);
        let (becomes, number) = match set.rank() {
            proto::Rank::Staff => (Some(false), 1),
            proto::Rank::ChargeNurse => (Some(true), 2),
            _ => (None, 0),
        };
        let of_nurses = was == Some(true) || becomes == Some(true);
        if !administers && of_nurses {
            return Expected::refused(Code::NotAdministrator);
        }
        if !administers && !leads {
            return Expected::refused(Code::NotPermitted);
        }
        let mut expected = Expected::answered(Answer::Done);
        let lent = self.ward.person(id).is_some_and(|person| person.lent.contains(&unit));
        if was == becomes && !(lent && administers) {
            return expected;
        }
        let has_device = self.ward.devices.iter().any(|device| device.person == id && !device.revoked);
        let lends = becomes == Some(false) && was.is_none() && !administers && has_device;
        let number = if lends { 3 } else { number };
        for person in self.ward.people.iter_mut().filter(|person| person.id == id) {
            if becomes.is_some() && person.suspended {
                return Expected::refused(Code::NoSuchPerson);
            }
            if becomes == Some(true) && person.privacy_officer {
                return Expected::refused(Code::DutiesExclude);
            }
            if becomes == Some(true) && person.hired.is_some() {
                return Expected::refused(Code::AgencyBound);
            }
            if becomes.is_some() && self.lobby.disk_scarce {
                return Expected::refused(Code::DiskLow);
            }
            person.posts.retain(|(where_to, _)| *where_to != unit);
            person.posts.extend(becomes.map(|charge| (unit, charge)));
            person.lent.retain(|where_to| *where_to != unit);
            person.lent.extend(lends.then_some(unit));
        }
        expected.audits.push((by, Act::PostSet(id, unit, number)));
        if was == Some(true) {
            self.withdraw_issued(by, id, &mut expected);
        }
        // Whoever does not work there any more is out of what is the unit's.
        let its =
            self.ward.conversations.iter_mut().filter(|place| place.unit == Some(unit) && !place.of_house);
        for place in its.filter(|_| becomes.is_none()) {
            for member in place.members.iter_mut().filter(|member| member.person == id && !member.left) {
                member.left = true;
                expected.audits.push((by, Act::MemberLeft(place.id, id)));
            }
        }
        if becomes.is_none() {
            self.end_shifts_of(by, id, Some(unit), &mut expected);
            self.end_offers_of(by, id, Some(unit), &mut expected);
            self.end_roles_of(now, (by, id), Some(unit), &mut expected);
            if !self.is_clinician(id) {
                self.withdraw(by, id, &mut expected);
                self.end_emergencies(by, |broken| broken.who == id, &mut expected);
            }
            self.covers_settle(by, &mut expected);
        }
        expected
    }

    /// Leads a unit where the other is staff, and the other is nothing more than that anywhere.
    pub(crate) fn is_superior(&self, me: PersonId, other: PersonId) -> bool {
        let (Some(asker), Some(asked)) = (self.ward.person(me), self.ward.person(other)) else {
            return false;
        };
        let plain =
            !asked.administrator && !asked.privacy_officer && asked.posts.iter().all(|(_, charge)| !charge);
        let mut led = asker.posts.iter().filter(|(_, charge)| *charge);
        let is_led = |unit: &UnitId| asked.posts.contains(&(*unit, false)) && !asked.lent.contains(unit);
        me != other && plain && led.any(|(unit, _)| is_led(unit))
    }

    pub(crate) fn channel(
        &mut self,
        device: DeviceId,
        me: PersonId,
        body: &Body,
        (admin_zone, chosen): (bool, Chosen),
    ) -> Expected {
        let place = |id: u64| ConversationId::new(id).expect("parsed before");
        let administers = admin_zone && self.ward.person(me).is_some_and(|person| person.administrator);
        match body {
            Body::OpenChannel(open) => {
                let unit = UnitId::new(open.unit).expect("parsed before");
                if !self.ward.units.contains(&unit) {
                    return Expected::refused(Code::NoSuchUnit);
                }
                let opening = Opening { direct: false, unit: Some(unit), title: &open.title };
                if self.ward.post(me, unit).is_some() {
                    return self.open(device, me, opening, &[me], chosen);
                }
                if !administers {
                    return Expected::refused(Code::NotPermitted);
                }
                let mut expected = self.open(device, me, opening, &[], chosen);
                if let Some(Answer::Opened(id)) = expected.answer {
                    expected.answer = Some(Answer::Done);
                    let channel = self.ward.conversation_mut(id);
                    channel.into_iter().for_each(|channel| channel.owner = None);
                }
                expected
            }
            Body::JoinChannel(join) => self.join_channel(device, me, place(join.conversation)),
            Body::ListChannels(_) => {
                let mine = |unit: UnitId| self.ward.post(me, unit).is_some();
                let listed = self.ward.conversations.iter();
                let listed = listed.filter(|c| !c.purged && !c.of_house && c.unit.is_some_and(mine)).count();
                Expected::answered(Answer::Channels(listed as u64))
            }
            Body::ListAllChannels(_) if !administers => Expected::refused(Code::NotAdministrator),
            Body::ListAllChannels(list) => {
                let unit = UnitId::new(list.unit);
                if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
                    return Expected::refused(Code::NoSuchUnit);
                }
                let of = |of: UnitId| unit.is_none_or(|unit| unit == of);
                let listed = self.ward.conversations.iter();
                let listed = listed.filter(|c| !c.purged && !c.of_house && c.unit.is_some_and(of)).count();
                Expected::answered(Answer::Channels(listed as u64))
            }
            Body::Rename(rename) => {
                let id = place(rename.conversation);
                if let Err(refused) = self.may_alter((me, administers), id, true) {
                    return refused;
                }
                self.alter(device, id, |conversation| {
                    let renamed = conversation.title != rename.title;
                    conversation.title.clone_from(&rename.title);
                    renamed.then_some(Act::ConversationRenamed(id))
                })
            }
            Body::Archive(archive) => {
                let id = place(archive.conversation);
                if let Err(refused) = self.may_alter((me, administers), id, false) {
                    return refused;
                }
                self.alter(device, id, |conversation| {
                    let changed = conversation.archived != archive.archived;
                    conversation.archived = archive.archived;
                    let archived = Act::ConversationArchived(id);
                    changed.then_some(if archive.archived { archived } else { Act::ConversationReopened(id) })
                })
            }
            _ => Expected::default(),
        }
    }

    fn join_channel(&mut self, device: DeviceId, me: PersonId, id: ConversationId) -> Expected {
        let channel = self
            .ward
            .conversation(id)
            .filter(|place| !place.of_house)
            .filter(|place| place.unit.is_some_and(|unit| self.ward.post(me, unit).is_some()));
        let Some(channel) = channel else { return Expected::refused(Code::NoSuchConversation) };
        let mut expected = Expected::answered(Answer::Opened(id));
        if self.ward.member(id, me).is_some() {
            return expected;
        }
        if channel.purged {
            return Expected::refused(Code::Purged);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let newcomer = channel.newcomer(me, channel.messages.len() as u64);
        expected.audits.push((self.actor(device), Act::MemberAdded(id, me)));
        if let Some(channel) = self.ward.conversation_mut(id) {
            channel.members.retain(|member| member.person != me);
            channel.members.push(newcomer);
        }
        expected
    }

    /// Whether somebody may give it another title or close it; `fresh`: only what is not closed.
    fn may_alter(
        &self,
        (me, administers): (PersonId, bool),
        id: ConversationId,
        fresh: bool,
    ) -> Result<(), Expected> {
        let works_there = |unit: UnitId| self.ward.post(me, unit);
        let refused = |code| Err(Expected::refused(code));
        let member = self.ward.member(id, me).is_some();
        let found = self.ward.conversation(id);
        let post = found.and_then(|place| place.unit).and_then(works_there);
        // Channels alone have a unit, but for announcements.
        let administers = administers && found.is_some_and(|place| place.unit.is_some() && !place.of_house);
        let Some(place) = found.filter(|_| member || post.is_some() || administers) else {
            return refused(Code::NoSuchConversation);
        };
        if place.purged {
            return refused(Code::Purged);
        }
        if place.direct {
            return refused(Code::NotInDirect);
        }
        if place.of_patient {
            return refused(Code::InPatientThread);
        }
        if place.of_family {
            return refused(Code::InFamilyThread);
        }
        if place.of_role.is_some() {
            return refused(Code::InRoleInbox);
        }
        if place.of_house {
            return refused(Code::InBroadcast);
        }
        let stays = |owner| self.ward.member(id, owner).is_some();
        let led = place.owner.filter(|owner| stays(*owner)).and_then(|owner| self.ward.person(owner));
        let led = led.is_some_and(|owner| !owner.suspended);
        let inherits = member && (place.owner == Some(me) || !led);
        if !inherits && post != Some(true) && !administers {
            return refused(Code::NotPermitted);
        }
        if fresh && place.archived {
            return refused(Code::Archived);
        }
        Ok(())
    }

    fn alter(
        &mut self,
        device: DeviceId,
        id: ConversationId,
        change: impl FnOnce(&mut crate::reference::Conversation) -> Option<Act>,
    ) -> Expected {
        let (actor, scarce) = (self.actor(device), self.lobby.disk_scarce);
        let mut expected = Expected::answered(Answer::Done);
        let Some(conversation) = self.ward.conversation_mut(id) else { return expected };
        let before = conversation.clone();
        let Some(act) = change(conversation) else { return expected };
        if scarce {
            *conversation = before;
            return Expected::refused(Code::DiskLow);
        }
        expected.audits.push((actor, act));
        expected
    }
}
