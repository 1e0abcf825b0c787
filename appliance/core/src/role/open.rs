//! What a hand-over shows: offers that wait, and what is open where the role passes.

use prost::Message as _;

use crate::access::{self, Operation, Relations};
use crate::audit::Actor;
use crate::directory::Post;
use crate::draft::Draft;
use crate::escalation::Escalation;
use crate::ids::{OfferId, PersonId, RoleId, UnitId};
use crate::limits;
use crate::refusal::Refusal;
use crate::role::offer::{self, Offer};
use crate::role::{Role, shown};
use crate::stat;
use crate::task;
use crate::wire::proto::{self, server_frame::Body};

/// A page of the offers that somebody made, got, or leads the unit of, in the order of identifiers.
pub(super) fn page(
    draft: &Draft<'_>,
    (by, is): (Actor, Relations),
    after: Option<OfferId>,
) -> Result<Body, Refusal> {
    access::permit(Operation::ListOffers, is, by)?;
    let Actor::Person { person: viewer, .. } = by else {
        return Err(Refusal::NotPermitted(Operation::ListOffers));
    };
    let posts = draft.state.people.get(&viewer).map(|entry| &entry.posts);
    let leads = |unit: UnitId| posts.is_some_and(|posts| posts.get(&unit) == Some(&Post::ChargeNurse));
    let all = draft.state.roles.values().flat_map(|role| role.offers.iter().map(move |offer| (role, offer)));
    let mut all: Vec<(&Role, &Offer)> = all
        .filter(|(role, offer)| [offer.giver, offer.taker].contains(&viewer) || leads(role.unit))
        .filter(|(_, offer)| after.is_none_or(|after| offer.id > after))
        .collect();
    all.sort_unstable_by_key(|(_, offer)| offer.id);
    let (mut offers, mut bytes, mut end) = (Vec::new(), 0, true);
    for (role, offer) in all {
        let one = opened(draft, viewer, role, offer);
        bytes += one.encoded_len() + 4;
        let full = offers.len() >= limits::OFFERS_PAGE_MAX || bytes > limits::PAGE_BYTES_MAX;
        if full && !offers.is_empty() {
            end = false;
            break;
        }
        offers.push(one);
    }
    Ok(Body::OfferPage(proto::OfferPage { offers, end }))
}

/// An offer with what is open, as far as this person may see it.
fn opened(draft: &Draft<'_>, viewer: PersonId, role: &Role, offer: &Offer) -> proto::OpenOffer {
    let state = &*draft.state;
    let (stats, stats_count) = open_stats(draft, viewer, role.id, offer.giver);
    let (tasks, tasks_count) = task::of_role(draft, viewer, role.id);
    let shifts = state.clinic.assignments.values();
    let shifts = shifts.filter(|held| held.person == offer.giver && held.unit == role.unit);
    let shift = |held: &crate::clinic::Assignment| proto::OpenShift {
        assignment: held.id.value(),
        until: held.until.0,
        beds: u32::try_from(held.beds.len()).unwrap_or(u32::MAX),
        patients: u32::try_from(held.covers.len()).unwrap_or(u32::MAX),
    };
    // Who leads another unit, or none, and has lost their post meanwhile, sees no beds of this one.
    let works_there = state.people.get(&viewer).is_some_and(|entry| entry.works_in(role.unit));
    proto::OpenOffer {
        offer: Some(offer::to_wire(role.id, offer)),
        stats,
        stats_count,
        tasks,
        tasks_count,
        gaps: shown::gaps(role, draft.now.wall),
        shifts: shifts.filter(|_| works_there).map(shift).collect(),
    }
}

/// What rings for the giver by the role, and what the giver has: the newest, and how many.
fn open_stats(
    draft: &Draft<'_>,
    viewer: PersonId,
    role: RoleId,
    giver: PersonId,
) -> (Vec<proto::OpenStat>, u32) {
    let has = |open: &Escalation| stat::has(draft, giver, open.id);
    let all = draft.state.escalations.values();
    let mut all: Vec<&Escalation> =
        all.filter(|open| has(open) || stat::rings_by_role(draft, open, role, giver)).collect();
    all.sort_unstable_by_key(|open| (std::cmp::Reverse(open.opened), open.id));
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let shown = |open: &&Escalation| {
        let place = draft.state.conversations.get(&open.id.conversation);
        let may_see = open.has_rung(viewer) || place.is_some_and(|place| place.member(viewer).is_some());
        let ring = stat::ring_of(draft, open);
        proto::OpenStat {
            conversation: if may_see { ring.conversation } else { 0 },
            sequence: if may_see { ring.sequence } else { 0 },
            state: ring.state,
            unit: ring.unit,
            sender_title: ring.sender_title,
            opened: ring.opened,
            stays: has(open),
        }
    };
    (all.iter().take(limits::OFFER_STATS_SHOWN_MAX).map(shown).collect(), count)
}
