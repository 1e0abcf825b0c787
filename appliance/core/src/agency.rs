//! Staff from an agency: admitted by a charge nurse for one shift, with no administrator and no directory. Their end is set
//! when they come. At it, in one turn and whatever the wall clock does, they are out of everything: sessions, beds, posts,
//! groups and roles end, their devices may not sign in, and what they had of a STAT somebody else must have.
//!
//! Who comes back is the same person: found by name and agency, and admitted by identifier. The admission gives nothing that the
//! charge nurse does not have herself: a post as staff where she leads, and beds there.

use minicbor::{Decode, Encode};
use prost::Message as _;

use crate::access::{self, Operation, Permit, Relations};
use crate::admin;
use crate::assignment;
use crate::audit::{Act, Actor};
use crate::availability;
use crate::care;
use crate::conversation::Kind;
use crate::directory::{Person, Post};
use crate::draft::Draft;
use crate::emergency;
use crate::ids::{ConversationId, PersonId, UnitId};
use crate::input::Fresh;
use crate::kept;
use crate::limits;
use crate::membership;
use crate::particulars::Bed;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role;
use crate::search;
use crate::state::State;
use crate::text::{Grounds, Name, Title};
use crate::time::Wall;
use crate::unit;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::wire::{person, unit};
use crate::write::Write;

/// How somebody is here who is not the facility's own: `[since, until)`, unless it ended before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Agency {
    /// Who sent them.
    #[n(0)]
    pub name: Name,
    /// Which unit admitted them last.
    #[n(1)]
    pub unit: UnitId,
    /// Since when, this time.
    #[n(2)]
    pub since: Wall,
    /// Out of everything from then on.
    #[n(3)]
    pub until: Wall,
    /// When it was over.
    #[n(4)]
    pub ended: Option<Wall>,
    /// Each time that it was prolonged, at most [`limits::AGENCY_EXTENSIONS_MAX`].
    #[n(5)]
    pub extensions: Vec<Extension>,
}

/// One act that let somebody stay longer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Extension {
    /// When it was done.
    #[n(0)]
    pub at: Wall,
    /// The end since then.
    #[n(1)]
    pub until: Wall,
    /// Why, in the charge nurse's words.
    #[n(2)]
    pub grounds: Grounds,
}

impl Agency {
    /// They work here now.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// When the end that stands was set: from then on it is as far as it may be.
    pub(crate) fn set_at(&self) -> Wall {
        self.extensions.last().map_or(self.since, |last| last.at)
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// What is behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }

    /// As everybody sees it.
    pub(crate) fn to_wire(&self) -> proto::Agency {
        proto::Agency { name: self.name.reveal().to_owned(), until: self.until.0, over: !self.is_running() }
    }
}

/// A name and an agency as they are compared: case, accents, blanks and dashes make no difference. Does not print itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Likeness(String);

impl Likeness {
    pub(crate) fn of(name: &Name, agency: &Name) -> Self {
        Self::of_text(name.reveal(), agency.reveal())
    }

    fn of_text(name: &str, agency: &str) -> Self {
        Self(format!("{}\n{}", search::folded(name), search::folded(agency)))
    }
}

/// Whether two people, each by name and agency, may be one: for a program that shows whom the box may have meant.
pub fn are_alike(one: (&str, &str), other: (&str, &str)) -> bool {
    Likeness::of_text(one.0, one.1) == Likeness::of_text(other.0, other.1)
}

impl std::fmt::Debug for Likeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Likeness(…)")
    }
}

/// A request about staff from an agency. Every field has been parsed.
pub enum AgencyAsk {
    /// Somebody comes, for the first time or again.
    Admit(Box<Arrival>),
    /// Somebody stays longer.
    Extend {
        /// Who.
        person: PersonId,
        /// Until when.
        until: Wall,
        /// Why.
        grounds: Grounds,
    },
    /// Somebody leaves before their time is over.
    End {
        /// Who.
        person: PersonId,
    },
    /// A page of those whom a unit admitted.
    List {
        /// Which; none: any.
        unit: Option<UnitId>,
        /// Behind this one; none from the start.
        after: Option<PersonId>,
    },
}

/// Who comes, where to, and until when.
pub struct Arrival {
    /// Who comes back; none: whoever is called so and was never here.
    pub returning: Option<PersonId>,
    /// As colleagues know them.
    pub name: Name,
    /// Who sent them.
    pub agency: Name,
    /// May be empty; of who comes back: as it was.
    pub title: Title,
    /// Where they will work.
    pub unit: UnitId,
    /// Their beds, none: the whole unit; no list: no beds yet.
    pub beds: Option<Vec<Bed>>,
    /// Out of everything from then on; [`limits::AGENCY_TIME_MAX_MS`] ahead at most.
    pub until: Wall,
    /// There is somebody of this name and agency, who is another person.
    pub another: bool,
    /// For the identifiers and the code.
    pub fresh: Fresh,
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<AgencyAsk, Refusal> {
    use client_frame::Body;
    let some = |value| if value == 0 { Ok(None) } else { person(value).map(Some) };
    Ok(match body {
        Body::AdmitAgency(admit) => AgencyAsk::Admit(Box::new(Arrival {
            returning: some(admit.person)?,
            name: Name::parse(&admit.name)?,
            agency: Name::parse(&admit.agency)?,
            title: match admit.title.len() {
                0 => Title::default(),
                1..=limits::NAME_MAX => Title::parse(&admit.title)?,
                _ => return Err(Refusal::TooLarge),
            },
            unit: unit(admit.unit)?,
            beds: match (admit.beds.as_slice(), admit.whole_unit) {
                ([], false) => None,
                (beds, whole) => Some(crate::clinical::parse_beds(beds, whole)?),
            },
            until: Wall(admit.until),
            // One way of saying who, so that two that disagree are not taken for either.
            another: match (admit.another_person, admit.person) {
                (true, 1..) => return Err(Refusal::Invalid),
                (another, _) => another,
            },
            fresh: fresh(),
        })),
        Body::ExtendAgency(extend) => AgencyAsk::Extend {
            person: person(extend.person)?,
            until: Wall(extend.until),
            grounds: Grounds::parse(&extend.grounds)?,
        },
        Body::EndAgency(end) => AgencyAsk::End { person: person(end.person)? },
        Body::ListAgency(list) => AgencyAsk::List {
            unit: if list.unit == 0 { None } else { Some(unit(list.unit)?) },
            after: some(list.after)?,
        },
        _ => return Err(Refusal::UnknownRequest),
    })
}

/// Decides a request of a signed-in person or a service of the box, but an early end: [`end`].
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: AgencyAsk,
) -> Result<Body, Refusal> {
    match ask {
        AgencyAsk::Admit(arrival) => admit(draft, (by, is), *arrival),
        AgencyAsk::Extend { person, until, grounds } => extend(draft, (by, is), person, until, grounds),
        AgencyAsk::List { unit, after } => {
            access::permit(Operation::ListAgency, is, by)?;
            list(draft, unit, after)
        }
        AgencyAsk::End { .. } => Err(Refusal::UnknownRequest),
    }
}

fn admit(draft: &mut Draft<'_>, (by, is): (Actor, Relations), arrival: Arrival) -> Result<Body, Refusal> {
    let Arrival { returning, name, agency, title, unit, beds, until, another, fresh } = arrival;
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    let permit = access::permit(Operation::AdmitAgency, is, by)?;
    ends_in_time(draft, until)?;
    let likeness = Likeness::of(&name, &agency);
    match returning {
        Some(person) => may_return(draft.state, person, &likeness)?,
        None => is_new(draft.state, &likeness, another)?,
    }
    let working = draft.state.agency_staff().filter(|(_, agency)| agency.is_running());
    if working.filter(|(_, agency)| agency.unit == unit).count() >= limits::AGENCY_OF_UNIT_MAX
        || returning.is_none()
            && (draft.state.staff_count() >= limits::PEOPLE_MAX
                || draft.state.agency_staff().count() >= limits::AGENCY_EVER_MAX)
        || draft.state.codes.len() >= limits::JOIN_CODES_MAX
    {
        return Err(Refusal::Limit);
    }
    if beds.is_some() {
        assignment::has_room(draft, unit, returning)?;
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let since = draft.now.wall;
    let agency = Agency { name: agency, unit, since, until, ended: None, extensions: Vec::new() };
    let person = match returning {
        Some(person) => {
            draft.write(Write::AgencySet { person, agency });
            draft.write(Write::StandingSet { person, suspended: false });
            let change = draft.write(Write::PostSet { person, unit, post: Some(Post::Staff) });
            draft.record(permit.by(), Act::AgencyReturned(person, unit));
            draft.announce_person(change, person);
            person
        }
        None => {
            let person = admin::new_person(draft, &fresh);
            let posts = [(unit, Post::Staff)].into();
            let entry = Person { posts, agency: Some(agency), ..admin::somebody(person, name, title) };
            let change = draft.write(Write::PersonAdded(entry));
            draft.record(permit.by(), Act::AgencyAdmitted(person, unit));
            draft.announce_person(change, person);
            person
        }
    };
    let taken = beds.map(|beds| assignment::give(draft, permit, (unit, person), beds, until, &fresh));
    let Body::JoinCode(code) = admin::issue_join_code(draft, permit, person, &fresh)? else {
        return Err(Refusal::Limit);
    };
    Ok(Body::AgencyAdmitted(proto::AgencyAdmitted {
        person: person.value(),
        assignment: taken.map_or(0, |taken| taken.value()),
        code: code.code,
        expires: code.expires,
        until: until.0,
    }))
}

fn ends_in_time(draft: &Draft<'_>, until: Wall) -> Result<(), Refusal> {
    let now = draft.now.wall;
    if until <= now || until > now.after(limits::AGENCY_TIME_MAX_MS) {
        return Err(Refusal::EndInvalid);
    }
    Ok(())
}

/// Of the name and the agency that the admission says, and not here.
fn may_return(state: &State, person: PersonId, likeness: &Likeness) -> Result<(), Refusal> {
    let entry = state.colleague(person)?;
    let known = entry.agency.as_ref().filter(|known| Likeness::of(&entry.name, &known.name) == *likeness);
    let known = known.ok_or(Refusal::AgencyOther)?;
    if entry.barred {
        return Err(Refusal::AgencyBarred);
    }
    if known.is_running() { Err(Refusal::AgencyKnown { here: true }) } else { Ok(()) }
}

/// Nobody is made twice by mistake, nor is somebody who was put out let in under the same name again.
fn is_new(state: &State, likeness: &Likeness, another: bool) -> Result<(), Refusal> {
    let mut alike = state.alike(likeness).filter_map(|person| state.people.get(&person)).peekable();
    if alike.peek().is_none() {
        return Ok(());
    }
    let alike: Vec<&Person> = alike.collect();
    if alike.iter().any(|entry| entry.barred) {
        return Err(Refusal::AgencyBarred);
    }
    if another {
        return Ok(());
    }
    let here = |entry: &&Person| entry.agency.as_ref().is_some_and(Agency::is_running);
    Err(Refusal::AgencyKnown { here: alike.iter().all(here) })
}

fn extend(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    person: PersonId,
    until: Wall,
    grounds: Grounds,
) -> Result<Body, Refusal> {
    draft.state.colleague(person)?;
    let permit = access::permit(Operation::ExtendAgency, is, by)?;
    let agency = running(draft.state, person)?.clone();
    ends_in_time(draft, until)?;
    if until <= agency.until {
        return Err(Refusal::EndInvalid);
    }
    if agency.extensions.len() >= limits::AGENCY_EXTENSIONS_MAX {
        return Err(Refusal::AgencyExtended);
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let (at, was) = (draft.now.wall, agency.until);
    let mut extensions = agency.extensions;
    extensions.push(Extension { at, until, grounds });
    let times = u32::try_from(extensions.len()).unwrap_or(u32::MAX);
    let change = draft.write(Write::AgencySet { person, agency: Agency { until, extensions, ..agency } });
    draft.record(permit.by(), Act::AgencyExtended(person, times));
    draft.announce_person(change, person);
    assignment::prolong(draft, permit, person, (was, until));
    Ok(Body::Done(proto::Done {}))
}

/// Who is here from an agency, and is not yet out.
fn running(state: &State, person: PersonId) -> Result<&Agency, Refusal> {
    let entry = state.colleague(person)?;
    entry.agency.as_ref().filter(|agency| agency.is_running()).ok_or(Refusal::NotAgency)
}

/// Whether somebody's time here may be ended by whoever asks.
pub(crate) fn may_end(
    draft: &Draft<'_>,
    (by, is): (Actor, Relations),
    person: PersonId,
) -> Result<Permit, Refusal> {
    draft.state.colleague(person)?;
    let permit = access::permit(Operation::EndAgency, is, by)?;
    running(draft.state, person)?;
    Ok(permit)
}

/// Their time is over: out of everything in this turn. Their connections, and what they have of STATs, are the relay's to end.
pub(crate) fn end(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    shut(draft, permit, person);
    clear(draft, permit, person);
}

/// They may not sign in any more, and no role is theirs. Of several whose time is over at once it is so for all before anything else, so
/// that nothing goes on to one of them.
pub(crate) fn shut(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let Ok(agency) = running(draft.state, person).cloned() else { return };
    let is_out = draft.state.people.get(&person).is_some_and(|entry| entry.suspended);
    let ended = Some(draft.now.wall);
    let mut change = draft.write(Write::AgencySet { person, agency: Agency { ended, ..agency } });
    if !is_out {
        change = draft.write(Write::StandingSet { person, suspended: true });
    }
    draft.record(permit.by(), Act::AgencyEnded(person));
    admin::end_sessions(draft, permit, person);
    draft.announce_person(change, person);
    // So that what rings on meanwhile finds whom the rota names.
    role::offer::end_all(draft, permit, person, None);
    role::end_all(draft, permit, person, None);
    availability::end(draft, permit, person);
}

/// Whatever else they have ends.
pub(crate) fn clear(draft: &mut Draft<'_>, permit: Permit, person: PersonId) {
    let posts = draft.state.people.get(&person).into_iter().flat_map(|entry| entry.posts.keys().copied());
    for unit in posts.collect::<Vec<_>>() {
        unit::end_post(draft, permit, person, unit);
    }
    care::end_places(draft, permit, person);
    emergency::end_all(draft, permit, person);
    // What was said there meanwhile is not theirs to read when they come back.
    let groups = draft.state.memberships(person).filter(|id| {
        draft
            .state
            .conversations
            .get(id)
            .is_some_and(|place| matches!(place.kind, Kind::Group | Kind::Channel))
    });
    for group in groups.collect::<Vec<ConversationId>>() {
        membership::bring_in(draft, permit, group, &[], &[person]);
    }
}

/// Whether somebody may have this, which has no end or a later one than they: not who is here from an agency.
pub(crate) fn may_stay(entry: &Person) -> Result<(), Refusal> {
    if entry.agency.is_some() { Err(Refusal::AgencyBound) } else { Ok(()) }
}

/// Whether this ends no later than the time here of whoever it is for.
pub(crate) fn ends_within(entry: &Person, until: Wall) -> Result<(), Refusal> {
    match &entry.agency {
        Some(agency) if until > agency.until => Err(Refusal::BeyondAgencyEnd),
        _ => Ok(()),
    }
}

/// A page in the order of identifiers.
fn list(draft: &Draft<'_>, unit: Option<UnitId>, after: Option<PersonId>) -> Result<Body, Refusal> {
    if unit.is_some_and(|unit| !draft.state.units.contains_key(&unit)) {
        return Err(Refusal::NoSuchUnit);
    }
    let behind = draft.state.agency_staff().filter(|(person, agency)| {
        after.is_none_or(|after| *person > after) && unit.is_none_or(|unit| agency.unit == unit)
    });
    let mut behind: Vec<(PersonId, &Agency)> = behind.collect();
    behind.sort_unstable_by_key(|(person, _)| *person);
    let (mut stays, mut bytes, mut end) = (Vec::new(), 0, true);
    for (person, agency) in behind {
        let barred = draft.state.people.get(&person).is_some_and(|entry| entry.barred);
        let one = stay_to_wire(person, agency, barred);
        bytes += one.encoded_len() + 4;
        let full = stays.len() >= limits::AGENCY_PAGE_MAX || bytes > limits::PAGE_BYTES_MAX;
        if full && !stays.is_empty() {
            end = false;
            break;
        }
        stays.push(one);
    }
    Ok(Body::AgencyPage(proto::AgencyPage { stays, end }))
}

fn stay_to_wire(person: PersonId, agency: &Agency, barred: bool) -> proto::AgencyStay {
    let extension = |one: &Extension| proto::AgencyExtension {
        at: one.at.0,
        until: one.until.0,
        grounds: one.grounds.reveal().to_owned(),
    };
    proto::AgencyStay {
        person: person.value(),
        unit: agency.unit.value(),
        since: agency.since.0,
        until: agency.until.0,
        ended: agency.ended.map_or(0, |ended| ended.0),
        extensions: agency.extensions.iter().map(extension).collect(),
        barred,
    }
}
