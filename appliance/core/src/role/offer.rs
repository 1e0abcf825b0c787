//! Hand-over of a role as an act: whoever holds it offers it, and it passes when the other one accepts.
//!
//! An offer is part of the role, and so is who holds it: that the offer ends and the role passes is one write. Until then whoever
//! holds the role holds it, from then on the other one does: no gap and no overlap, and no crash between the two.
//!
//! An offer ends without the role passing when it is declined or withdrawn; when a newer one of the same place takes its stead;
//! when its time is over; when whoever offered it does not hold the role any more, whatever made it so; when either of the two is
//! suspended, reviews others or has no post in the unit any more. Both are told of each.

use minicbor::{Decode, Encode};

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::agency;
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::ids::{Conn, OfferId, PersonId, RequestId, RoleId, UnitId};
use crate::input::Fresh;
use crate::kept;
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::role::{Role, done, holds_place, may_hold, replaced, role_of, to_unit};
use crate::rota::Place;
use crate::session::Draw;
use crate::stat;
use crate::state::State;
use crate::time::Wall;
use crate::turn::Send;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// A place of a role, offered by whoever holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Offer {
    /// Which.
    #[n(0)]
    pub id: OfferId,
    /// Of the role that this is part of.
    #[n(1)]
    pub place: Place,
    /// Who holds it until it is accepted.
    #[n(2)]
    pub giver: PersonId,
    /// To whom.
    #[n(3)]
    pub taker: PersonId,
    /// Not to be accepted before.
    #[n(4)]
    pub from: Wall,
    /// The taker's until then.
    #[n(5)]
    pub until: Wall,
    /// When it was made.
    #[n(6)]
    pub made: Wall,
    /// Over from then on, at [`Self::until`] at the latest.
    #[n(7)]
    pub expires: Wall,
}

/// What is offered. Every field has been parsed.
#[derive(Clone, Copy)]
pub struct Offered {
    /// Of this role.
    pub role: RoleId,
    /// This place.
    pub place: Place,
    /// To whom.
    pub taker: PersonId,
    /// Not to be accepted before; none: at once.
    pub from: Option<Wall>,
    /// The taker's until then.
    pub until: Wall,
}

/// What somebody answers to an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It passes now.
    Accept,
    /// It does not.
    Decline,
    /// It is not offered any more.
    Withdraw,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Made,
    Accepted,
    Declined,
    Withdrawn,
    Expired,
    /// A newer one, or somebody else holds the place.
    Superseded,
    /// One of the two is out.
    Ended,
}

impl Role {
    /// The offer of this number.
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == id)
    }

    /// Without offers of a place that their giver does not hold any more.
    #[must_use]
    pub(super) fn without_lapsed(mut self, now: Wall) -> (Self, Vec<Offer>) {
        let (kept, lapsed) = self
            .offers
            .iter()
            .copied()
            .partition(|offer| holds_place(&self, offer.place, now) == Some(offer.giver));
        self.offers = kept;
        (self, lapsed)
    }
}

/// Offers as they are kept: CBOR (RFC 8949), deterministic.
pub fn to_bytes(offers: &[Offer]) -> Vec<u8> {
    kept::to_bytes(offers)
}

/// The offers behind such bytes.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Offer>, minicbor::decode::Error> {
    minicbor::decode(bytes)
}

/// The offer, and the role that it is of.
fn offered(state: &State, id: OfferId) -> Result<(&Role, &Offer), Refusal> {
    let found = state.roles.values().find_map(|role| role.offer(id).map(|offer| (role, offer)));
    found.ok_or(Refusal::NoSuchOffer)
}

/// Offers, for whoever holds the place.
pub(super) fn make(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    offered: Offered,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    let Offered { role, place, taker, from, until } = offered;
    let role = role_of(draft.state, role)?.clone();
    let now = draft.now.wall;
    let giver =
        holds_place(&role, place, now).filter(|giver| draft.state.people.get(giver).is_some_and(may_hold));
    let theirs = matches!(by, Actor::Person { person, .. } if giver == Some(person));
    let is = is.and(to_unit(draft, by, role.unit)).and(Relations::when(theirs, Relation::OnCall));
    let permit = access::permit(Operation::OfferRole, is, by)?;
    let giver = giver.ok_or(Refusal::PlaceUnheld)?;
    may_take(draft.state, taker, role.unit)?;
    if taker == giver {
        return Err(Refusal::OfferToHolder);
    }
    let from = from.unwrap_or(now).max(now);
    let held_until = held_until(&role, (place, giver), now, now.after(limits::ASSIGNMENT_TIME_MAX_MS));
    if from >= held_until || until <= from || until > from.after(limits::ASSIGNMENT_TIME_MAX_MS) {
        return Err(Refusal::OfferTime);
    }
    draft.state.people.get(&taker).map_or(Ok(()), |entry| agency::ends_within(entry, until))?;
    // Who is offered too much sees nothing of it any more.
    let others =
        draft.state.roles.values().flat_map(|known| known.offers.iter().map(|offer| (known.id, offer)));
    let others = others.filter(|(of, offer)| offer.taker == taker && (*of, offer.place) != (role.id, place));
    if others.count() >= limits::OFFERS_OF_ONE_MAX {
        return Err(Refusal::Limit);
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let mut id = OfferId::from_random(Draw::new(fresh).identifier());
    while self::offered(draft.state, id).is_ok() {
        id = id.following();
    }
    let expires = until.min(held_until).min(from.after(limits::OFFER_MS));
    let offer = Offer { id, place, giver, taker, from, until, made: now, expires };
    let mut role = role;
    let before: Vec<Offer> = role.offers.iter().copied().filter(|other| other.place == place).collect();
    role.offers.retain(|other| other.place != place);
    role.offers.push(offer);
    let id = role.id;
    draft.write(Write::RoleSet(role));
    draft.record(permit.by(), Act::RoleOffered(id, giver, taker, place.value().into()));
    ended(draft, permit, id, &before, Fate::Superseded);
    tell(draft, id, &offer, Fate::Made);
    Ok(Body::RoleOffered(proto::RoleOffered { offer: offer.id.value(), expires: expires.0 }))
}

/// Until when somebody holds a place, as far as `most`.
fn held_until(role: &Role, (place, giver): (Place, PersonId), now: Wall, most: Wall) -> Wall {
    let at = super::by_hand(role, place, now).map_or(now, |entry| entry.when.end);
    if at >= most {
        return most;
    }
    let of_place = |holders: &crate::rota::Holders| {
        holders.by_place().iter().find(|held| held.place == place).map(|held| held.person)
    };
    let mut rest = role.rota.timeline(at, most);
    rest.find(|(_, holders)| of_place(holders) != Some(giver)).map_or(most, |(when, _)| when.start)
}

/// Whether somebody may be given the role.
fn may_take(state: &State, person: PersonId, unit: UnitId) -> Result<(), Refusal> {
    let entry = state.people.get(&person).filter(|entry| may_hold(entry)).ok_or(Refusal::NoSuchPerson)?;
    if entry.works_in(unit) { Ok(()) } else { Err(Refusal::NotStaffOfUnit) }
}

/// Somebody answers an offer.
pub(super) fn answer(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    id: OfferId,
    answer: Answer,
) -> Result<Body, Refusal> {
    let (role, offer) = offered(draft.state, id).map(|(role, offer)| (role.clone(), *offer))?;
    let is_person = |person: PersonId| matches!(by, Actor::Person { person: asker, .. } if asker == person);
    let is = is
        .and(to_unit(draft, by, role.unit))
        .and(Relations::when(is_person(offer.taker), Relation::OfferedTo))
        .and(Relations::when(is_person(offer.giver), Relation::OnCall));
    match answer {
        Answer::Accept => {
            let permit = access::permit(Operation::AnswerOffer, is, by)?;
            accept(draft, permit, role, offer)
        }
        Answer::Decline => {
            let permit = access::permit(Operation::AnswerOffer, is, by)?;
            Ok(end(draft, permit, role, offer, Fate::Declined))
        }
        Answer::Withdraw => {
            let permit = access::permit(Operation::WithdrawOffer, is, by)?;
            Ok(end(draft, permit, role, offer, Fate::Withdrawn))
        }
    }
}

/// The role passes: who held it until now, and what was offered, change in one write.
fn accept(draft: &mut Draft<'_>, permit: Permit, role: Role, offer: Offer) -> Result<Body, Refusal> {
    let now = draft.now.wall;
    // The box's own clocks end it too, at their next look.
    if now >= offer.expires || holds_place(&role, offer.place, now) != Some(offer.giver) {
        return Err(Refusal::NoSuchOffer);
    }
    if now < offer.from {
        return Err(Refusal::OfferEarly);
    }
    may_take(draft.state, offer.taker, role.unit)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let rota = replaced(&role, offer.place, offer.taker, offer.until, now)?;
    let mut role = Role { rota, ..role };
    role.offers.retain(|other| other.id != offer.id);
    // By hand, somebody may have offered the same person's other place: it stays theirs to give.
    let (role, lapsed) = role.without_lapsed(now);
    let id = role.id;
    draft.write(Write::RoleSet(role));
    let place = u32::from(offer.place.value());
    draft.record(permit.by(), Act::RoleHandedOver(id, offer.giver, offer.taker, place));
    ended(draft, permit, id, &lapsed, Fate::Superseded);
    stat::passed(draft, id, offer.giver, offer.taker);
    tell(draft, id, &offer, Fate::Accepted);
    Ok(done(Some(id)))
}

/// It is offered no more.
fn end(draft: &mut Draft<'_>, permit: Permit, mut role: Role, offer: Offer, fate: Fate) -> Body {
    role.offers.retain(|other| other.id != offer.id);
    let id = role.id;
    draft.write(Write::RoleSet(role));
    ended(draft, permit, id, &[offer], fate);
    done(Some(id))
}

/// Records and tells of offers that are part of the role no more.
pub(super) fn ended(draft: &mut Draft<'_>, permit: Permit, role: RoleId, offers: &[Offer], fate: Fate) {
    for offer in offers {
        let (giver, taker, place) = (offer.giver, offer.taker, u32::from(offer.place.value()));
        let act = match fate {
            Fate::Declined => Act::RoleOfferDeclined(role, giver, taker, place),
            Fate::Withdrawn => Act::RoleOfferWithdrawn(role, giver, taker, place),
            Fate::Expired => Act::RoleOfferExpired(role, giver, taker, place),
            Fate::Superseded => Act::RoleOfferSuperseded(role, giver, taker, place),
            Fate::Ended | Fate::Made | Fate::Accepted => Act::RoleOfferEnded(role, giver, taker, place),
        };
        draft.record(permit.by(), act);
        tell(draft, role, offer, fate);
    }
}

/// Its time is over.
pub(crate) fn expire(draft: &mut Draft<'_>, role: RoleId, id: OfferId) {
    let Some(role) = draft.state.roles.get(&role) else { return };
    if let Some(offer) = role.offer(id).copied() {
        let role = role.clone();
        end(draft, Permit::OF_TIME, role, offer, Fate::Expired);
    }
}

/// Ends what somebody offered or was offered: in this unit, or anywhere. With the post, with their access, and for who reviews others.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, person: PersonId, unit: Option<UnitId>) {
    let theirs = |offer: &Offer| offer.giver == person || offer.taker == person;
    let of_unit = draft.state.roles.values().filter(|role| unit.is_none_or(|unit| role.unit == unit));
    let roles: Vec<Role> = of_unit.filter(|role| role.offers.iter().any(theirs)).cloned().collect();
    for mut role in roles {
        let over: Vec<Offer> = role.offers.iter().copied().filter(theirs).collect();
        role.offers.retain(|offer| !theirs(offer));
        let id = role.id;
        draft.write(Write::RoleSet(role));
        ended(draft, permit, id, &over, Fate::Ended);
    }
}

/// Both hear of it, on every device, locked or not: identifiers and times, no name.
fn tell(draft: &mut Draft<'_>, role: RoleId, offer: &Offer, fate: Fate) {
    for person in [offer.giver, offer.taker] {
        let conns: Vec<Conn> = draft.phones.of(draft.state, person).collect();
        for conn in conns {
            news(draft, conn, role, offer, fate);
        }
    }
}

/// A device of this person is there: what waits for their answer is told.
pub(crate) fn remind(draft: &mut Draft<'_>, conn: Conn, person: PersonId) {
    let all = draft.state.roles.values().flat_map(|role| role.offers.iter().map(|offer| (role.id, *offer)));
    let waiting: Vec<(RoleId, Offer)> = all.filter(|(_, offer)| offer.taker == person).collect();
    for (role, offer) in waiting {
        news(draft, conn, role, &offer, Fate::Made);
    }
}

fn news(draft: &mut Draft<'_>, conn: Conn, role: RoleId, offer: &Offer, fate: Fate) {
    let fate = match fate {
        Fate::Made => proto::OfferFate::Made,
        Fate::Accepted => proto::OfferFate::Accepted,
        Fate::Declined => proto::OfferFate::Declined,
        Fate::Withdrawn => proto::OfferFate::Withdrawn,
        Fate::Expired => proto::OfferFate::Expired,
        Fate::Superseded => proto::OfferFate::Superseded,
        Fate::Ended => proto::OfferFate::Ended,
    };
    let body = Body::OfferNews(proto::OfferNews { offer: Some(to_wire(role, offer)), fate: fate.into() });
    draft.send(Send::Reply { conn, request: RequestId::NONE, body });
}

pub(super) fn to_wire(role: RoleId, offer: &Offer) -> proto::RoleOffer {
    proto::RoleOffer {
        offer: offer.id.value(),
        role: role.value(),
        place: offer.place.value().into(),
        giver: offer.giver.value(),
        taker: offer.taker.value(),
        from: offer.from.0,
        until: offer.until.0,
        expires: offer.expires.0,
    }
}
