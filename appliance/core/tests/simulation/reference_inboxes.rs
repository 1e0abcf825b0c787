//! The reference's rules for what is written to roles, and for times in which nobody will hold one: everybody is looked at, every time.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{Conn, ConversationId, DeviceId, PersonId, RoleId};
use wardline_core::time::{Now, Wall};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{RefusalCode as Code, server_frame};
use wardline_core::write::Write;

use crate::reference::{Answer, Conversation, Expected, Member, Phase, Reference, Ward};
use crate::reference_roles::{Role, digest};
use crate::reference_stat::Whom;
use crate::reference_ward::{Chosen, Opening};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// From an instant to another.
type Gap = (i64, i64);

impl Conversation {
    /// What nobody but the writer has seen is new to whoever comes.
    pub(crate) fn seen_by_others(&self) -> u64 {
        let others = self.members.iter().filter(|member| Some(member.person) != self.owner);
        others.map(|member| member.read).max().unwrap_or(0)
    }
}

impl Role {
    /// Instants at which somebody else may hold it.
    fn bounds(&self, from: i64, until: i64) -> Vec<i64> {
        let mut bounds = self.weekly(from, until);
        bounds.extend(self.brought.iter().flat_map(|shift| [shift.start, shift.end]));
        bounds.extend(self.ends_by_hand());
        bounds.retain(|bound| from < *bound && *bound < until);
        bounds.extend([from, until]);
        bounds.sort_unstable();
        bounds.dedup();
        bounds
    }
}

impl Ward {
    fn is_staffed(&self, role: &Role, at: i64) -> bool {
        !self.holders(role, Wall(at)).is_empty()
    }

    fn gaps(&self, role: &Role, now: Wall) -> Vec<Gap> {
        let (soon, far) = (now.0 + 25 * HOUR, now.0 + 14 * 24 * HOUR);
        let bounds = role.bounds(now.0, far);
        let mut gaps: Vec<Gap> = Vec::new();
        for pair in bounds.windows(2) {
            if self.is_staffed(role, pair[0]) {
                continue;
            }
            match gaps.last_mut() {
                Some(last) if last.1 == pair[0] => last.1 = pair[1],
                _ => gaps.push((pair[0], pair[1])),
            }
        }
        let is_rostered = !role.retired && gaps != [(now.0, far)];
        gaps.retain(|gap| is_rostered && gap.0 < soon);
        gaps.truncate(8);
        gaps
    }

    fn next_held(&self, role: &Role, now: Wall) -> i64 {
        let bounds = role.bounds(now.0, now.0 + 14 * 24 * HOUR);
        let held = bounds[..bounds.len() - 1].iter().find(|at| self.is_staffed(role, **at));
        held.copied().unwrap_or(0)
    }

    pub(crate) fn told_gaps_of(&self, role: RoleId) -> &[Gap] {
        self.told_gaps.iter().find(|(of, _)| *of == role).map_or(&[], |(_, gaps)| gaps)
    }

    fn inbox(&self, role: RoleId, writer: PersonId) -> Option<&Conversation> {
        self.conversations
            .iter()
            .find(|place| place.of_role == Some(role) && place.owner == Some(writer) && !place.purged)
    }
}

impl Reference {
    /// Whoever reads what somebody writes to a role.
    pub(crate) fn readers(&self, role: RoleId, writer: PersonId, now: Wall) -> Vec<PersonId> {
        let Some(role) = self.ward.role(role) else { return Vec::new() };
        let mut holders = self.ward.holders(role, now);
        holders.retain(|who| self.ward.may_read_inboxes(*who));
        let mut readers = if holders.is_empty() { self.cover(role, writer, now) } else { holders };
        readers.retain(|who| *who != writer);
        readers.sort_unstable();
        readers
    }

    fn cover(&self, role: &Role, writer: PersonId, now: Wall) -> Vec<PersonId> {
        let mut steps = self.ladder(Some(role.unit));
        steps.push((Whom::InCharge, 0));
        for (whom, _) in steps {
            let mut people: Vec<PersonId> = match whom {
                Whom::Addressed | Whom::AllStaff => Vec::new(),
                Whom::InCharge => {
                    let all = self.ward.people.iter().map(|who| who.id);
                    all.filter(|who| self.ward.post(*who, role.unit) == Some(true)).collect()
                }
                Whom::This(who) => vec![who],
                Whom::OnCall(other) => {
                    self.ward.role(other).map_or(Vec::new(), |other| self.ward.holders(other, now))
                }
            };
            people.retain(|who| *who != writer && self.ward.may_read_inboxes(*who));
            if !people.is_empty() {
                return people;
            }
        }
        Vec::new()
    }

    /// Everybody is where they belong.
    pub(crate) fn inboxes_settle(&mut self, now: Now, expected: &mut Expected) -> bool {
        let mut moved = false;
        let places: Vec<(ConversationId, RoleId, PersonId, bool)> = self
            .ward
            .conversations
            .iter()
            .filter(|place| !place.purged)
            .filter_map(|place| Some((place.id, place.of_role?, place.owner?, place.archived)))
            .collect();
        for (id, role, writer, done) in places {
            let readers = if done { Vec::new() } else { self.readers(role, writer, now.wall) };
            let name = self.ward.role(role).map_or(String::new(), |role| role.name().to_owned());
            let Some(place) = self.ward.conversation_mut(id) else { continue };
            if !done && place.title != name {
                place.title = name;
                expected.audits.push((Actor::TheBox, Act::ConversationRenamed(id)));
            }
            let seen = place.seen_by_others();
            let last = place.messages.len() as u64;
            for member in place.members.iter_mut().filter(|member| !member.left && member.person != writer) {
                if !readers.contains(&member.person) {
                    member.left = true;
                    moved = true;
                    expected.audits.push((Actor::TheBox, Act::MemberLeft(id, member.person)));
                }
            }
            for person in readers {
                if place.members.iter().any(|member| member.person == person && !member.left) {
                    continue;
                }
                place.members.retain(|member| member.person != person);
                let from = 1 + place.expired_through;
                let newcomer =
                    Member { person, from, delivered: seen, read: seen, left: false, entered: last };
                place.members.push(newcomer);
                moved = true;
                expected.audits.push((Actor::TheBox, Act::MemberAdded(id, person)));
            }
        }
        moved
    }

    /// `all`: an hour has passed, or somebody may sign in no more; else roles whose rota has changed.
    pub(crate) fn gaps_look(&mut self, now: Now, all: bool, changed: &[RoleId], expected: &mut Expected) {
        for role in self.ward.roles.clone() {
            if !all && !changed.contains(&role.id) {
                continue;
            }
            let gaps = self.ward.gaps(&role, now.wall);
            let known = self.ward.told_gaps_of(role.id).to_vec();
            let meet = |one: &Gap, other: &Gap| one.0 < other.1 && other.0 < one.1;
            let new: Vec<&Gap> =
                gaps.iter().filter(|gap| !known.iter().any(|known| meet(known, gap))).collect();
            let over =
                !known.is_empty() && !known.iter().any(|known| gaps.iter().any(|gap| meet(known, gap)));
            if new.is_empty() && !over {
                continue;
            }
            for gap in new {
                expected.audits.push((Actor::TheBox, Act::RoleGapFlagged(role.id, Wall(gap.0))));
            }
            self.ward.told_gaps.retain(|(of, _)| *of != role.id);
            if !gaps.is_empty() {
                self.ward.told_gaps.push((role.id, gaps));
            }
        }
    }

    /// What follows a turn, whatever it was.
    pub(crate) fn after_turn(
        &mut self,
        now: Now,
        turn: &Turn,
        by_time: bool,
        expected: &mut Expected,
    ) -> bool {
        self.lobby.announced_to = self.announcements_settle(expected);
        let moved = self.inboxes_settle(now, expected);
        let (mut all, mut changed) = (false, Vec::new());
        for numbered in &turn.writes {
            match &numbered.write {
                Write::RoleSet(role) => changed.push(role.id),
                Write::StandingSet { .. } | Write::DutiesSet { .. } => all = true,
                _ => {}
            }
        }
        let hour = now.wall.0.div_euclid(HOUR);
        if by_time && self.lobby.gaps_hour != Some(hour) {
            (self.lobby.gaps_hour, all) = (Some(hour), true);
        }
        self.gaps_look(now, all, &changed, expected);
        moved
    }

    /// Only whoever leads the unit hears of a gap, and each device of theirs does.
    pub(crate) fn verify_gaps(&self, expected: &Expected, turn: &Turn) -> Result<usize, String> {
        let mut heard: Vec<(Conn, u64, i64)> = Vec::new();
        for send in &turn.sends {
            let Send::Reply { conn, body: server_frame::Body::RoleGapAhead(gap), .. } = send else {
                continue;
            };
            let person = match self.link(*conn).map(|link| &link.phase) {
                Some(Phase::In(device)) => self.ward.device(*device).map(|device| device.person),
                _ => None,
            };
            let role =
                RoleId::new(gap.role).and_then(|role| self.ward.role(role)).ok_or("a gap of nothing")?;
            if person.and_then(|person| self.ward.post(person, role.unit)) != Some(true) {
                return Err(format!("{conn} hears of a gap and does not lead the unit"));
            }
            heard.push((*conn, gap.role, gap.start));
        }
        for (_, act) in &expected.audits {
            let Act::RoleGapFlagged(id, start) = act else { continue };
            let Some(role) = self.ward.role(*id) else { continue };
            let leads = |who: &PersonId| self.ward.post(*who, role.unit) == Some(true);
            let nurses = self.ward.people.iter().map(|who| who.id).filter(leads);
            for conn in nurses.flat_map(|who| self.attached(who)) {
                if !heard.contains(&(conn, id.value(), start.0)) {
                    return Err(format!("{conn} does not hear of a gap"));
                }
            }
        }
        Ok(heard.len())
    }

    pub(crate) fn inbox(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        body: &Body,
        chosen: Chosen,
    ) -> Expected {
        match body {
            Body::OpenRoleInbox(open) => match self.ward.role_in_use(open.role) {
                Ok(role) => self.open_inbox(now, device, me, &role, chosen),
                Err(code) => Expected::refused(code),
            },
            Body::LookAtRoleInbox(look) => match self.ward.role_in_use(look.role) {
                Ok(role) => {
                    let mut holders = self.ward.holders(&role, now.wall);
                    let own = holders.contains(&me);
                    let cover =
                        if holders.is_empty() { self.readers(role.id, me, now.wall) } else { Vec::new() };
                    let next = if holders.is_empty() { self.ward.next_held(&role, now.wall) } else { 0 };
                    holders.retain(|who| *who != me);
                    let place = self.ward.inbox(role.id, me).map_or(0, |place| place.id.value());
                    Expected::answered(Answer::Inbox(shown(&holders, &cover, next, place, own)))
                }
                Err(code) => Expected::refused(code),
            },
            Body::FinishRoleInbox(finish) => {
                let id = ConversationId::new(finish.conversation).expect("parsed before");
                if self.ward.member(id, me).is_none() {
                    return Expected::refused(Code::NoSuchConversation);
                }
                let (actor, scarce) = (self.actor(device), self.lobby.disk_scarce);
                let Some(place) = self.ward.conversation_mut(id) else { return Expected::default() };
                if place.of_role.is_none() {
                    return Expected::refused(Code::NotRoleInbox);
                }
                if place.purged {
                    return Expected::refused(Code::Purged);
                }
                let mut expected = Expected::answered(Answer::Done);
                if !place.archived {
                    if scarce {
                        return Expected::refused(Code::DiskLow);
                    }
                    place.archived = true;
                    expected.audits.push((actor, Act::InboxFinished(id)));
                }
                expected
            }
            _ => Expected::default(),
        }
    }

    fn open_inbox(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        role: &Role,
        chosen: Chosen,
    ) -> Expected {
        let (actor, scarce) = (self.actor(device), self.lobby.disk_scarce);
        if let Some(id) = self.ward.inbox(role.id, me).map(|place| place.id) {
            let mut expected = Expected::answered(Answer::Opened(id));
            if let Some(place) = self.ward.conversation_mut(id).filter(|place| place.archived) {
                if scarce {
                    return Expected::refused(Code::DiskLow);
                }
                place.archived = false;
                expected.audits.push((actor, Act::InboxReopened(id)));
            }
            return expected;
        }
        let mut people = self.readers(role.id, me, now.wall);
        people.push(me);
        let opening = Opening { direct: false, unit: None, title: role.name() };
        let mut expected = self.open(device, me, opening, &people, chosen);
        if let Some(Answer::Opened(id)) = expected.answer {
            expected.audits.push((actor, Act::InboxOpened(id, role.id)));
            if let Some(place) = self.ward.conversation_mut(id) {
                place.of_role = Some(role.id);
            }
        }
        expected
    }
}

/// What an answer comes to.
pub(crate) fn shown(holders: &[PersonId], cover: &[PersonId], next: i64, place: u64, own: bool) -> u64 {
    let values = |people: &[PersonId]| people.iter().map(|who| who.value()).collect::<Vec<u64>>();
    let rest = [next.unsigned_abs(), place, u64::from(own)];
    digest([(1, &values(holders)[..]), (2, &values(cover)[..]), (3, &rest[..])].into_iter())
}
