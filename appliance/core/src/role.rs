//! Roles: what somebody is on call for in a unit, and who holds it when. When is [`crate::rota`]'s arithmetic; this module is
//! what people do to it.
//!
//! A role opens nothing: who holds one is called by it, and reads no more than before. It is never removed, since the audit names it,
//! but retired.

use minicbor::{Decode, Encode};

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::agency;
use crate::audit::{Act, Actor};
use crate::directory::Person;
use crate::draft::Draft;
use crate::ids::{Change, OfferId, PersonId, RoleId, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role::offer::{Answer, Fate, Offer, Offered};
use crate::rota::{ByHand, Imported, Interval, Place, Rota, Says, Sources, TimeZone};
use crate::session::Draw;
use crate::stat;
use crate::state::State;
use crate::text::Name;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

mod import;
pub mod offer;
mod open;
mod parse;
mod retire;
mod shown;

pub use import::Import;
pub(crate) use parse::parse;
pub use parse::parse_rota;
pub use shown::rota_to_wire;

/// A role of a unit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Role {
    /// Which.
    #[n(0)]
    pub id: RoleId,
    /// Whose: its charge nurses say who holds it, and its staff take it.
    #[n(1)]
    pub unit: UnitId,
    /// "Physician on call".
    #[n(2)]
    pub name: Name,
    /// Who holds it when.
    #[n(3)]
    pub rota: Rota,
    /// The change that last touched this.
    #[n(4)]
    pub changed: Change,
    /// Hand-overs that wait for an answer: one of a place at most, and [`limits::ROTA_PLACES_MAX`] by that.
    #[cbor(n(5), with = "crate::optional", has_nil)]
    pub offers: Vec<Offer>,
    /// Nobody holds it, and nobody will: its rota is empty, and no policy rings it.
    #[cbor(n(6), with = "crate::optional", has_nil)]
    pub retired: bool,
}

/// A request about roles. Every field has been parsed.
pub enum Roles {
    /// A new role, or another name or rota for one.
    Set {
        /// Which.
        which: Which,
        /// From now on.
        name: Name,
        /// Patterns and exceptions; none: as they were. What was done by hand stays.
        rota: Option<Sources>,
        /// For the identifier.
        fresh: Fresh,
    },
    /// Somebody holds a place from now on, whatever the rota says.
    Take {
        /// Of which role.
        role: RoleId,
        /// Which place.
        place: Place,
        /// Who; none: the asker.
        person: Option<PersonId>,
        /// Until then; [`limits::ASSIGNMENT_TIME_MAX_MS`] ahead at most.
        until: Wall,
    },
    /// A place goes back to whom the rota names.
    Return {
        /// Of which role.
        role: RoleId,
        /// Which place.
        place: Place,
    },
    /// The whole rota, as it was set.
    Rota {
        /// Of which role.
        role: RoleId,
    },
    /// Shifts of a calendar for a stretch of time.
    Import {
        /// Of which role.
        role: RoleId,
        /// Which.
        import: Import,
    },
    /// Nobody is to hold it any more.
    Retire {
        /// Which.
        role: RoleId,
    },
    /// Whoever holds a place offers it to somebody.
    Offer {
        /// What, and to whom.
        offered: Offered,
        /// For the identifier.
        fresh: Fresh,
    },
    /// Somebody answers an offer.
    Answer {
        /// Which.
        offer: OfferId,
        /// What.
        answer: Answer,
    },
    /// A page of offers with what is open.
    Offers {
        /// Behind this one; none from the start.
        after: Option<OfferId>,
    },
    /// A page of roles with who holds them.
    List {
        /// Of one unit; none: of all.
        unit: Option<UnitId>,
        /// Behind this one; none from the start.
        after: Option<RoleId>,
    },
}

/// The role that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// A new one of this unit.
    New(UnitId),
    /// One that there is.
    Known(RoleId),
}

impl Role {
    /// Who holds it at an instant, in the order in which they are asked. Not who may not sign in: nobody reaches them.
    pub fn holders<'s>(&self, state: &'s State, at: Wall) -> impl Iterator<Item = PersonId> + use<'s> {
        let holders: Vec<PersonId> = self.rota.holders_at(at).people().collect();
        holders.into_iter().filter(|person| state.people.get(person).is_some_and(may_hold))
    }
}

impl Role {
    /// Everybody whom its rota names, whenever that is or was.
    pub(crate) fn all_named(&self) -> impl Iterator<Item = PersonId> + '_ {
        let sources = self.rota.sources();
        let by_hand = sources.by_hand.iter().filter_map(|entry| match entry.says {
            Says::Place { person, .. } => person,
            Says::Team(_) => None,
        });
        let imported = sources.imported.iter().map(|shift| shift.person);
        named(sources).chain(by_hand).chain(imported)
    }

    /// Whether its rota names somebody, whenever that is; a calendar, from now on.
    pub(crate) fn names(&self, person: PersonId, now: Wall) -> bool {
        let ahead = |shift: &Imported| shift.person == person && shift.when.end > now;
        let sources = self.rota.sources();
        named(sources).any(|named| named == person) || sources.imported.iter().any(ahead)
    }
}

pub(crate) fn may_hold(entry: &Person) -> bool {
    !entry.suspended && entry.station.is_none() && entry.visitor.is_none() && !entry.privacy_officer
}

/// Decides a request of a signed-in person or a service of the box.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: Roles,
) -> Result<Body, Refusal> {
    match ask {
        Roles::Set { which, name, rota, fresh } => set(draft, (by, is), which, (name, rota), &fresh),
        Roles::Take { role, place, person, until } => take(draft, (by, is), (role, place), person, until),
        Roles::Return { role, place } => give_back(draft, (by, is), role, place),
        Roles::Rota { role } => read_rota(draft, (by, is), role),
        Roles::Import { role, import } => import::import(draft, (by, is), role, import),
        Roles::Retire { role } => retire::retire(draft, (by, is), role),
        Roles::Offer { offered, fresh } => offer::make(draft, (by, is), offered, &fresh),
        Roles::Answer { offer, answer } => offer::answer(draft, (by, is), offer, answer),
        Roles::Offers { after } => open::page(draft, (by, is), after),
        Roles::List { unit, after } => {
            access::permit(Operation::ListRoles, is, by)?;
            Ok(shown::page(draft, unit, after))
        }
    }
}

fn set(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    which: Which,
    (name, rota): (Name, Option<Sources>),
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    let (known, unit) = match which {
        Which::New(unit) => (None, unit),
        Which::Known(id) => role_of(draft.state, id).map(|role| (Some(role.clone()), role.unit))?,
    };
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    let permit = access::permit(Operation::SetRole, is.and(to_unit(draft, by, unit)), by)?;
    let in_use = || draft.state.roles.values().filter(|role| !role.retired).count();
    let full = draft.state.roles.len() >= limits::ROLES_EVER_MAX || in_use() >= limits::ROLES_MAX;
    if known.is_none() && full {
        return Err(Refusal::Limit);
    }
    let was = match &known {
        Some(known) => known.rota.without_before(draft.now.wall),
        None => Rota::new(Sources::new(TimeZone::utc())).map_err(Refusal::Rota)?,
    };
    let rota = match rota {
        Some(mut sources) => {
            sources.by_hand.clone_from(&was.sources().by_hand);
            sources.imported.clone_from(&was.sources().imported);
            sources.imported_until = was.sources().imported_until;
            Rota::new(sources).map_err(Refusal::Rota)?
        }
        None => was,
    };
    may_be_named(draft.state, named(rota.sources()))?;
    if known.as_ref().is_some_and(|known| known.name == name && known.rota == rota) {
        return Ok(done(known.map(|known| known.id)));
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let id = known.map_or_else(|| new_role(draft, fresh), |known| known.id);
    let offers = draft.state.roles.get(&id).map_or_else(Vec::new, |known| known.offers.clone());
    let role = Role { id, unit, name, rota, changed: Change(0), offers, retired: false };
    put(draft, permit, role, Act::RoleSet(id, unit));
    Ok(done(Some(id)))
}

/// Whether all of them may stand in a rota.
fn may_be_named(state: &State, people: impl Iterator<Item = PersonId> + Clone) -> Result<(), Refusal> {
    let entry = |person: PersonId| state.people.get(&person).filter(|entry| may_hold(entry));
    if !people.clone().all(|person| entry(person).is_some()) {
        return Err(Refusal::NoSuchPerson);
    }
    people.clone().filter_map(entry).try_for_each(agency::may_stay)?;
    // By a role one is called, and reads what is written to it.
    if people.filter_map(entry).all(may_read) { Ok(()) } else { Err(Refusal::NotStaffOfUnit) }
}

/// Whether somebody may read what is written to a role that they hold: whoever administers and works in no unit reads nothing.
pub(crate) fn may_read(entry: &Person) -> bool {
    may_hold(entry) && (!entry.administrator || !entry.posts.is_empty())
}

fn new_role(draft: &Draft<'_>, fresh: &Fresh) -> RoleId {
    let mut id = RoleId::from_random(Draw::new(fresh).identifier());
    while draft.state.roles.contains_key(&id) {
        id = id.following();
    }
    id
}

/// Everybody whom the weekly patterns and the exceptions name.
fn named(sources: &Sources) -> impl Iterator<Item = PersonId> + Clone + '_ {
    let shifts = sources.patterns.iter().flat_map(|pattern| &pattern.shifts);
    let patterns = shifts.flat_map(|shift| shift.team.people().iter().copied());
    let exceptions = sources.exceptions.iter().flat_map(|exception| match &exception.says {
        Says::Team(team) => team.people().to_vec(),
        Says::Place { person, .. } => person.iter().copied().collect(),
    });
    patterns.chain(exceptions)
}

fn take(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    (id, place): (RoleId, Place),
    person: Option<PersonId>,
    until: Wall,
) -> Result<Body, Refusal> {
    let role = role_of(draft.state, id)?.clone();
    let asker = match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    let for_another = person.is_some() && person != asker;
    // Who may order is not for everybody of a unit to say, of themselves either.
    let by_word = for_another || draft.state.orders.lists(id);
    let operation = if by_word { Operation::AssignRole } else { Operation::TakeRole };
    let permit = access::permit(operation, is.and(to_unit(draft, by, role.unit)), by)?;
    let person = person.or(asker).ok_or(Refusal::NoSuchPerson)?;
    let entry =
        draft.state.people.get(&person).filter(|entry| may_hold(entry)).ok_or(Refusal::NoSuchPerson)?;
    if !entry.works_in(role.unit) {
        return Err(Refusal::NotStaffOfUnit);
    }
    let now = draft.now.wall;
    if until <= now || until > now.after(limits::ASSIGNMENT_TIME_MAX_MS) {
        return Err(Refusal::EndInvalid);
    }
    agency::ends_within(entry, until)?;
    let rota = replaced(&role, place, person, until, now)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    put(draft, permit, Role { rota, ..role }, Act::RoleTaken(id, person, place.value().into()));
    Ok(done(Some(id)))
}

/// The role as it is from now on, and with it the end of offers that nobody can keep any more. What rings for it follows.
fn put(draft: &mut Draft<'_>, permit: Permit, role: Role, act: Act) {
    let id = role.id;
    let former = draft.state.roles.get(&id).map(|role| role.all_named().collect()).unwrap_or_default();
    let (role, lapsed) = role.without_lapsed(draft.now.wall);
    draft.write(Write::RoleSet(role));
    draft.record(permit.by(), act);
    offer::ended(draft, permit, id, &lapsed, Fate::Superseded);
    stat::follow(draft, id, Some(&former));
}

/// The rota with one person in a place until then, whatever was done by hand for it before.
fn replaced(role: &Role, place: Place, person: PersonId, until: Wall, now: Wall) -> Result<Rota, Refusal> {
    // Begun as long ago as an entry may be, so that a wall clock that is set back does not take it away again.
    let start = Wall(until.0 - i64::from(limits::ROTA_ENTRY_MINUTES_MAX) * 60_000);
    let entry =
        ByHand { when: Interval { start, end: until }, says: Says::Place { place, person: Some(person) } };
    let mut sources = role.rota.without_before(now).sources().clone();
    end_place(&mut sources, place, now);
    sources.by_hand.push(entry);
    Rota::new(sources).map_err(Refusal::Rota)
}

fn give_back(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    id: RoleId,
    place: Place,
) -> Result<Body, Refusal> {
    let role = role_of(draft.state, id)?.clone();
    let now = draft.now.wall;
    let is_theirs =
        matches!(by, Actor::Person { person, .. } if holds_place(&role, place, now) == Some(person));
    let is = is.and(to_unit(draft, by, role.unit)).and(Relations::when(is_theirs, Relation::OnCall));
    let permit = access::permit(Operation::ReturnRole, is, by)?;
    let mut sources = role.rota.without_before(now).sources().clone();
    if !end_place(&mut sources, place, now) {
        return Ok(done(Some(id)));
    }
    let rota = Rota::new(sources).map_err(Refusal::Rota)?;
    let role = Role { rota, ..role };
    if role.holders(draft.state, now).next().is_none() {
        return Err(Refusal::RoleUnheld);
    }
    put(draft, permit, role, Act::RoleReturned(id, place.value().into()));
    Ok(done(Some(id)))
}

/// Ends what somebody has by hand, of this unit or of every one: the rota says again who holds it.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, person: PersonId, unit: Option<UnitId>) {
    let of = |role: &&Role| unit.is_none_or(|unit| role.unit == unit);
    let roles: Vec<RoleId> = draft.state.roles.values().filter(of).map(|role| role.id).collect();
    for role in roles {
        end_by_hand(draft, permit, role, |holder| holder == person);
    }
}

/// Ends what these have of a role by hand, and with it the offers that they made of it.
pub(crate) fn end_by_hand(
    draft: &mut Draft<'_>,
    permit: Permit,
    id: RoleId,
    whose: impl Fn(PersonId) -> bool,
) {
    let ends =
        |entry: &ByHand| matches!(entry.says, Says::Place { person: Some(holder), .. } if whose(holder));
    let Some(role) = draft.state.roles.get(&id) else { return };
    if !role.rota.sources().by_hand.iter().any(ends) {
        return;
    }
    let role = role.clone();
    let former = role.all_named().collect();
    let mut sources = role.rota.sources().clone();
    let ended: Vec<ByHand> = sources.by_hand.extract_if(.., |entry| ends(entry)).collect();
    // What was in order without it, is.
    let Ok(rota) = Rota::new(sources) else { return };
    let now = draft.now.wall;
    let (role, lapsed) = Role { rota, ..role }.without_lapsed(now);
    draft.write(Write::RoleSet(role));
    for entry in ended.iter().filter(|entry| entry.when.end > now) {
        if let Says::Place { place, .. } = entry.says {
            draft.record(permit.by(), Act::RoleReturned(id, place.value().into()));
        }
    }
    offer::ended(draft, permit, id, &lapsed, Fate::Superseded);
    stat::follow(draft, id, Some(&former));
}

/// Whose the place is now. Who took the backup's place and is first by the rota is asked once, and has both.
fn holds_place(role: &Role, place: Place, now: Wall) -> Option<PersonId> {
    let by_hand = by_hand(role, place, now).and_then(|entry| match entry.says {
        Says::Place { person, .. } => person,
        Says::Team(_) => None,
    });
    let holders = role.rota.holders_at(now);
    by_hand.or_else(|| holders.by_place().iter().find(|held| held.place == place).map(|held| held.person))
}

/// What was done by hand for this place and holds now: not what was done while the clock was ahead by more than an entry may last.
fn by_hand(role: &Role, place: Place, now: Wall) -> Option<&ByHand> {
    let of_place =
        |entry: &&ByHand| matches!(entry.says, Says::Place { place: of, person: Some(_) } if of == place);
    role.rota
        .sources()
        .by_hand
        .iter()
        .rev()
        .filter(of_place)
        .find(|entry| entry.when.start <= now && entry.when.end > now)
}

/// What was done by hand for this place is over now. Whether there was anything.
fn end_place(sources: &mut Sources, place: Place, now: Wall) -> bool {
    let of_place = |entry: &ByHand| matches!(entry.says, Says::Place { place: other, .. } if other == place);
    let before = sources.by_hand.len();
    sources.by_hand.retain(|entry| !(of_place(entry) && entry.when.end > now));
    before > sources.by_hand.len()
}

/// The rota, what was over left out, and what was done by hand.
fn read_rota(draft: &Draft<'_>, (by, is): (Actor, Relations), id: RoleId) -> Result<Body, Refusal> {
    let role = role_of(draft.state, id)?;
    access::permit(Operation::ReadRota, is.and(to_unit(draft, by, role.unit)), by)?;
    let rota = role.rota.without_before(draft.now.wall);
    let sources = rota.sources();
    Ok(Body::RotaShown(proto::RotaShown {
        role: id.value(),
        rota: Some(rota_to_wire(sources)),
        imported: u32::try_from(sources.imported.len()).unwrap_or(u32::MAX),
        imported_until: sources.imported_until.map_or(0, |until| until.0),
    }))
}

/// A role that is in use.
pub(crate) fn role_of(state: &State, id: RoleId) -> Result<&Role, Refusal> {
    let role = state.roles.get(&id).ok_or(Refusal::NoSuchRole)?;
    if role.retired { Err(Refusal::RoleRetired) } else { Ok(role) }
}

/// Who reviews what others read takes no part in a unit.
fn to_unit(draft: &Draft<'_>, by: Actor, unit: UnitId) -> Relations {
    match by {
        Actor::Person { person, .. } if draft.state.people.get(&person).is_some_and(may_hold) => {
            access::to_unit(draft.state, person, unit)
        }
        _ => Relations::default(),
    }
}

fn done(role: Option<RoleId>) -> Body {
    Body::RoleSet(proto::RoleSet { role: role.map_or(0, RoleId::value) })
}
