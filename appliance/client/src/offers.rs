//! Hand-over of roles: who offers one, what is open then, and what becomes of it.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{AssignmentId, OfferId, PersonId, RoleId, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;
use crate::roles::role;
use crate::stat::{Stands, StatRef};
use crate::tasks::OpenTask;

/// A role that somebody who holds it offers to somebody. Times are milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Which.
    pub id: OfferId,
    /// Of which role.
    pub role: RoleId,
    /// Which place, from 0.
    pub place: u32,
    /// Who holds it until it is accepted.
    pub giver: PersonId,
    /// To whom.
    pub taker: PersonId,
    /// Not to be accepted before.
    pub from: i64,
    /// The taker's until then.
    pub until: i64,
    /// Over from then on, when nobody has answered.
    pub expires: i64,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It waits for an answer.
    Made,
    /// The role has passed.
    Accepted,
    /// It has not.
    Declined,
    /// Taken back.
    Withdrawn,
    /// Nobody answered.
    Expired,
    /// A newer one took its stead, or somebody else holds the role now.
    Superseded,
    /// One of the two is out.
    Ended,
}

/// An offer, and what is open where the role passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenOffer {
    /// Itself.
    pub offer: Offer,
    /// What rings for the giver by the role, and what the giver has: the newest.
    pub stats: Vec<OpenStat>,
    /// How many there are.
    pub stats_count: u32,
    /// Open tasks of the role: the first 20.
    pub tasks: Vec<OpenTask>,
    /// How many there are.
    pub tasks_count: u32,
    /// When nobody will hold the role, from and until: the first five of the next two weeks.
    pub gaps: Vec<(i64, i64)>,
    /// The giver's beds in the role's unit.
    pub shifts: Vec<OpenShift>,
}

/// A STAT that is open. Its sender's title is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenStat {
    /// Which, for whoever may see it.
    pub stat: Option<StatRef>,
    /// How it stands.
    pub stands: Stands,
    /// Where it rings in the end.
    pub unit: Option<UnitId>,
    /// "RN".
    pub sender_title: String,
    /// When it was sent.
    pub opened: i64,
    /// It stays the giver's until they hand it back.
    pub stays: bool,
}

/// Beds that the giver holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenShift {
    /// By which assignment.
    pub assignment: AssignmentId,
    /// Until when.
    pub until: i64,
    /// How many; 0: the whole unit.
    pub beds: u32,
    /// Of how many patients.
    pub patients: u32,
}

/// What is answered to an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferAnswer {
    /// By whom it is offered to: the role is theirs from this moment.
    Accept,
    /// By the same: it is not.
    Decline,
    /// By whoever holds the role, or a charge nurse.
    Withdraw,
}

impl fmt::Debug for OpenStat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenStat({:?}, {:?}, stays {})", self.stat, self.stands, self.stays)
    }
}

impl Offer {
    pub(crate) fn from_wire(wire: &proto::RoleOffer) -> Result<Self, Error> {
        Ok(Self {
            id: OfferId::new(wire.offer).ok_or(Error::Protocol("no offer"))?,
            role: role(wire.role)?,
            place: wire.place,
            giver: event::person(wire.giver)?,
            taker: event::person(wire.taker)?,
            from: wire.from,
            until: wire.until,
            expires: wire.expires,
        })
    }
}

impl Fate {
    /// None for what a newer box says.
    pub(crate) fn from_wire(fate: proto::OfferFate) -> Option<Self> {
        Some(match fate {
            proto::OfferFate::Unspecified => return None,
            proto::OfferFate::Made => Self::Made,
            proto::OfferFate::Accepted => Self::Accepted,
            proto::OfferFate::Declined => Self::Declined,
            proto::OfferFate::Withdrawn => Self::Withdrawn,
            proto::OfferFate::Expired => Self::Expired,
            proto::OfferFate::Superseded => Self::Superseded,
            proto::OfferFate::Ended => Self::Ended,
        })
    }
}

impl OpenOffer {
    fn from_wire(wire: proto::OpenOffer) -> Result<Self, Error> {
        let shift = |shift: proto::OpenShift| {
            Some(OpenShift {
                assignment: AssignmentId::new(shift.assignment)?,
                until: shift.until,
                beds: shift.beds,
                patients: shift.patients,
            })
        };
        Ok(Self {
            offer: Offer::from_wire(wire.offer.as_ref().ok_or(Error::Protocol("no offer"))?)?,
            stats: wire.stats.into_iter().map(OpenStat::from_wire).collect(),
            stats_count: wire.stats_count,
            tasks: wire.tasks.into_iter().map(OpenTask::from_wire).collect(),
            tasks_count: wire.tasks_count,
            gaps: wire.gaps.into_iter().map(|gap| (gap.start, gap.end)).collect(),
            shifts: wire.shifts.into_iter().filter_map(shift).collect(),
        })
    }
}

impl OpenStat {
    fn from_wire(wire: proto::OpenStat) -> Self {
        Self {
            stat: crate::stat::stat_of(wire.conversation, wire.sequence).ok(),
            stands: Stands::from_wire(wire.state()),
            unit: UnitId::new(wire.unit),
            sender_title: wire.sender_title,
            opened: wire.opened,
            stays: wire.stays,
        }
    }
}

/// What can be asked about hand-overs.
pub trait OfferCalls: Calls {
    /// Offers a place (from 0) of a role to somebody, from then on (none: at once) until then: whoever holds it, or a charge nurse for
    /// them. The offer, and when it is over.
    fn offer_role(
        &self,
        role: RoleId,
        place: u32,
        person: PersonId,
        (from, until): (Option<i64>, i64),
    ) -> impl Future<Output = Result<(OfferId, i64), Error>> + Send {
        let (role, person, from) = (role.value(), person.value(), from.unwrap_or(0));
        async move {
            match self.call(Ask::OfferRole(proto::OfferRole { role, place, person, from, until })).await? {
                Answer::RoleOffered(made) => {
                    let id = OfferId::new(made.offer).ok_or(Error::Protocol("no offer"))?;
                    Ok((id, made.expires))
                }
                other => odd(other),
            }
        }
    }

    /// Answers an offer.
    fn answer_offer(
        &self,
        offer: OfferId,
        answer: OfferAnswer,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let answer = match answer {
            OfferAnswer::Accept => proto::OfferAnswer::Accept,
            OfferAnswer::Decline => proto::OfferAnswer::Decline,
            OfferAnswer::Withdraw => proto::OfferAnswer::Withdraw,
        };
        async move {
            let ask = proto::AnswerOffer { offer: offer.value(), answer: answer.into() };
            match self.call(Ask::AnswerOffer(ask)).await? {
                Answer::RoleSet(_) => Ok(()),
                other => odd(other),
            }
        }
    }

    /// The offers that one made or got, and those of the units that one leads.
    fn offers(&self) -> impl Future<Output = Result<Vec<OpenOffer>, Error>> + Send {
        async move {
            let mut offers: Vec<OpenOffer> = Vec::new();
            loop {
                let after = offers.last().map_or(0, |last| last.offer.id.value());
                let page = match self.call(Ask::ListOffers(proto::ListOffers { after })).await? {
                    Answer::OfferPage(page) => page,
                    other => return odd(other),
                };
                let before = offers.len();
                for open in page.offers {
                    offers.push(OpenOffer::from_wire(open)?);
                }
                let most = limits::ROLES_MAX * limits::ROTA_PLACES_MAX;
                if page.end || offers.len() == before || offers.len() > most {
                    return Ok(offers);
                }
            }
        }
    }
}

impl<C: Calls> OfferCalls for C {}
