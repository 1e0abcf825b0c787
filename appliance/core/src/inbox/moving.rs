//! Who is in a conversation with a role: its writer, and whoever holds the role now.

use std::collections::BTreeSet;

use crate::access::Permit;
use crate::audit::Act;
use crate::draft::Draft;
use crate::escalation::policy::{Ring, Step};
use crate::ids::{ConversationId, PersonId, RoleId};
use crate::inbox::InboxWrite;
use crate::limits;
use crate::membership;
use crate::role::{self, Role};
use crate::state::State;
use crate::text::Title;
use crate::time::Wall;
use crate::wire::proto;
use crate::write::Write;

/// How far ahead the next change of holders is looked for. Milliseconds.
const AHEAD_MS: u64 = 600_000;

/// Whoever reads what this person writes to a role: who holds it. Where nobody does, of the steps of the unit's escalation the first
/// that names somebody, or else the unit's charge nurses. A whole unit is no reader: it is rung, but a message to everybody is
/// nobody's.
pub(super) fn readers(state: &State, id: RoleId, writer: PersonId, now: Wall) -> BTreeSet<PersonId> {
    let Some(role) = state.roles.get(&id) else { return BTreeSet::new() };
    let reads = |person: &PersonId| state.people.get(person).is_some_and(role::may_read);
    let holders: BTreeSet<PersonId> = role.holders(state, now).filter(reads).collect();
    let mut readers = if holders.is_empty() { cover(state, role, writer, now) } else { holders };
    readers.remove(&writer);
    readers
}

fn cover(state: &State, role: &Role, writer: PersonId, now: Wall) -> BTreeSet<PersonId> {
    let policy = state.policy_of(Some(role.unit));
    let rings = policy.steps().iter().map(|step| step.ring).chain([Ring::ChargeNurses]);
    let mut named = rings.map(|ring| named(state, role, ring, now)).map(|people| {
        let can =
            |person: &PersonId| *person != writer && state.people.get(person).is_some_and(role::may_read);
        people.into_iter().filter(can).take(limits::ROLE_COVER_MAX).collect::<BTreeSet<PersonId>>()
    });
    named.find(|people| !people.is_empty()).unwrap_or_default()
}

fn named(state: &State, role: &Role, ring: Ring, now: Wall) -> Vec<PersonId> {
    match ring {
        Ring::ChargeNurses => state.staff_of(role.unit, false).collect(),
        Ring::Person(person) => vec![person],
        Ring::Role(other) => {
            let other = state.roles.get(&other).into_iter();
            other.flat_map(|other| other.holders(state, now)).collect()
        }
        Ring::Addressees | Ring::UnitStaff => Vec::new(),
    }
}

/// Brings a conversation's members to whoever they are to be now, and its title to the role's name. What is done is its writer's
/// alone, and keeps the name that it had.
pub(crate) fn settle(draft: &mut Draft<'_>, id: ConversationId) {
    let Some(inbox) = draft.state.inboxes.get(id) else { return };
    let Some(place) = draft.state.conversations.get(&id) else { return };
    let present: BTreeSet<PersonId> =
        place.present().map(|(person, _)| person).filter(|person| *person != inbox.writer).collect();
    let readers = if place.archived {
        BTreeSet::new()
    } else {
        readers(draft.state, inbox.role, inbox.writer, draft.now.wall)
    };
    let add: Vec<PersonId> = readers.difference(&present).copied().collect();
    let remove: Vec<PersonId> = present.difference(&readers).copied().collect();
    let news = proto::ConversationChanged { title: follow_name(draft, id), ..Default::default() };
    membership::bring_in_with(draft, Permit::OF_TIME, id, (&add, &remove), news);
}

/// The role's name, where it has become another.
fn follow_name(draft: &mut Draft<'_>, id: ConversationId) -> Option<String> {
    let inbox = draft.state.inboxes.get(id)?;
    let place = draft.state.conversations.get(&id).filter(|place| !place.archived)?;
    let title = Title::kept(draft.state.roles.get(&inbox.role)?.name.reveal()).ok()?;
    if place.title == title {
        return None;
    }
    let name = title.reveal().to_owned();
    draft.write(Write::TitleSet { conversation: id, title });
    draft.record(Permit::OF_TIME.by(), Act::ConversationRenamed(id));
    Some(name)
}

/// Whose conversations may have to be looked at.
pub(crate) enum Scope {
    /// Everybody's.
    All,
    /// Those with these roles.
    With(BTreeSet<RoleId>),
}

/// Whose readers these writes may alter. One conversation more or less must not cost a look at all of them: anybody can make one.
pub(crate) fn touched<'w>(state: &State, writes: impl Iterator<Item = &'w Write>) -> Scope {
    let mut roles = BTreeSet::new();
    for write in writes {
        match write {
            Write::StandingSet { .. } | Write::DutiesSet { .. } | Write::EscalationPolicySet { .. } => {
                return Scope::All;
            }
            // Whoever administers reads by their roles once they work somewhere.
            Write::PostSet { person, .. }
                if state.people.get(person).is_some_and(|who| who.administrator) =>
            {
                return Scope::All;
            }
            // Its charge nurses look after its roles.
            Write::PostSet { unit, .. } => {
                roles.extend(state.roles.values().filter(|role| role.unit == *unit).map(|role| role.id));
            }
            Write::RoleSet(set) => {
                let follows = |role: &&Role| {
                    let rings = |step: &Step| step.ring == Ring::Role(set.id);
                    role.id == set.id || state.policy_of(Some(role.unit)).steps().iter().any(rings)
                };
                roles.extend(state.roles.values().filter(follows).map(|role| role.id));
            }
            Write::ArchivedSet { conversation, .. } => {
                roles.extend(state.inboxes.get(*conversation).map(|inbox| inbox.role));
            }
            Write::Inbox(InboxWrite::Opened(inbox)) => {
                roles.insert(inbox.role);
            }
            _ => {}
        }
    }
    Scope::With(roles)
}

/// Conversations of this scope that are not done, and the wall clock's time at which who is in one of them may change by itself: of the
/// roles that have some, and of those that look after them.
pub(crate) fn due(state: &State, now: Wall, scope: &Scope) -> (Vec<ConversationId>, Wall) {
    let open: Vec<(RoleId, ConversationId)> = match scope {
        Scope::All => state.inboxes.open.iter().copied().collect(),
        Scope::With(roles) => {
            let of = |role: &RoleId| state.inboxes.open_of(*role).map(|id| (*role, id)).collect::<Vec<_>>();
            roles.iter().flat_map(of).collect()
        }
    };
    let mut roles: BTreeSet<RoleId> = open.iter().map(|(role, _)| *role).collect();
    let covers = |id: &RoleId| {
        let steps = state.roles.get(id).map(|role| state.policy_of(Some(role.unit)));
        steps.into_iter().flat_map(|policy| policy.steps().to_vec()).filter_map(|step| match step.ring {
            Ring::Role(role) => Some(role),
            _ => None,
        })
    };
    let covering: Vec<RoleId> = roles.iter().flat_map(covers).collect();
    roles.extend(covering);
    let until = now.after(AHEAD_MS);
    let roles = roles.iter().filter_map(|id| state.roles.get(id));
    let ends = roles.filter_map(|role| role.rota.timeline(now, until).next());
    let due = ends.map(|(when, _)| when.end).min().unwrap_or(until);
    (open.into_iter().map(|(_, id)| id).collect(), due)
}
