//! Requests about roles, from the wire.

use crate::ids::{OfferId, PersonId, RoleId};
use crate::input::Fresh;
use crate::limits;
use crate::refusal::Refusal;
use crate::role::offer::{Answer, Offered};
use crate::role::{Import, Roles, Which};
use crate::rota::{
    Date, Exception, Imported, Interval, Local, Pattern, Place, Says, Shift, Sources, Team, TimeZone,
};
use crate::text::Name;
use crate::time::Wall;
use crate::wire::proto::{self, client_frame};
use crate::wire::{people, person, unit};

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body, fresh: &mut impl FnMut() -> Fresh) -> Result<Roles, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::SetRole(set) => Roles::Set {
            which: match set.role {
                0 => Which::New(unit(set.unit)?),
                known => Which::Known(role(known)?),
            },
            name: Name::parse(&set.name)?,
            rota: set.rota.as_ref().map(parse_rota).transpose()?,
            fresh: fresh(),
        },
        Body::TakeRole(take) => Roles::Take {
            role: role(take.role)?,
            place: place(take.place)?,
            person: some(take.person, person)?,
            until: Wall(take.until),
        },
        Body::ReturnRole(back) => Roles::Return { role: role(back.role)?, place: place(back.place)? },
        Body::ImportRota(import) => {
            Roles::Import { role: role(import.role)?, import: parse_import(&import)? }
        }
        Body::RetireRole(retire) => Roles::Retire { role: role(retire.role)? },
        Body::ReadRota(read) => Roles::Rota { role: role(read.role)? },
        Body::OfferRole(offer) => Roles::Offer {
            offered: Offered {
                role: role(offer.role)?,
                place: place(offer.place)?,
                taker: person(offer.person)?,
                from: (offer.from != 0).then_some(Wall(offer.from)),
                until: Wall(offer.until),
            },
            fresh: fresh(),
        },
        Body::AnswerOffer(answer) => Roles::Answer {
            offer: offer(answer.offer)?,
            answer: match answer.answer() {
                proto::OfferAnswer::Accept => Answer::Accept,
                proto::OfferAnswer::Decline => Answer::Decline,
                proto::OfferAnswer::Withdraw => Answer::Withdraw,
                proto::OfferAnswer::Unspecified => return Err(Refusal::Invalid),
            },
        },
        Body::ListOffers(list) => Roles::Offers { after: some(list.after, offer)? },
        Body::ListRoles(list) => Roles::List { unit: some(list.unit, unit)?, after: some(list.after, role)? },
        _ => return Err(Refusal::UnknownRequest),
    })
}

/// Zone, patterns and exceptions. Refuses a zone that there is not, what is out of range, and too much of anything; whether they can
/// be a rota, [`crate::rota::Rota::new`] says.
pub fn parse_rota(rota: &proto::Rota) -> Result<Sources, Refusal> {
    let zone = TimeZone::parse(&rota.zone).ok_or(Refusal::NoSuchZone)?;
    if rota.patterns.len() > limits::ROTA_PATTERNS_MAX || rota.exceptions.len() > limits::ROTA_EXCEPTIONS_MAX
    {
        return Err(Refusal::Limit);
    }
    let mut sources = Sources::new(zone);
    for pattern in &rota.patterns {
        sources.patterns.push(parse_pattern(pattern)?);
    }
    for exception in &rota.exceptions {
        let place = exception.place.map(place).transpose()?;
        let people = people(&exception.people)?;
        let says = match (place, people.as_slice()) {
            (Some(place), []) => Says::Place { place, person: None },
            (Some(place), [one]) => Says::Place { place, person: Some(*one) },
            (Some(_), _) => return Err(Refusal::Invalid),
            (None, _) => Says::Team(team(people)?),
        };
        let (from, until) = (Local::from_minutes(exception.from), Local::from_minutes(exception.until));
        sources.exceptions.push(Exception { from, until, says });
    }
    Ok(sources)
}

fn parse_import(import: &proto::ImportRota) -> Result<Import, Refusal> {
    if import.shifts.len() > limits::IMPORT_SHIFTS_MAX {
        return Err(Refusal::Limit);
    }
    let interval = |start, end| Interval { start: Wall(start), end: Wall(end) };
    let shift = |shift: &proto::ImportedShift| {
        let (place, person) = (place(shift.place)?, person(shift.person)?);
        Ok(Imported { place, when: interval(shift.start, shift.end), person })
    };
    let shifts = import.shifts.iter().map(shift).collect::<Result<_, Refusal>>()?;
    Import::new(interval(import.from, import.until), shifts)
}

fn parse_pattern(pattern: &proto::RotaPattern) -> Result<Pattern, Refusal> {
    if pattern.shifts.len() > limits::ROTA_SHIFTS_MAX {
        return Err(Refusal::Limit);
    }
    let shift = |shift: &proto::RotaShift| {
        let team = team(people(&shift.people)?)?;
        Ok(Shift { start: shift.start, end: shift.end, team })
    };
    Ok(Pattern {
        from: date(pattern.from)?,
        until: match pattern.until {
            0 => None,
            until => Some(date(until)?),
        },
        weeks: u8::try_from(pattern.weeks).map_err(|_| Refusal::Invalid)?,
        place: pattern.place.map(place).transpose()?,
        shifts: pattern.shifts.iter().map(shift).collect::<Result<_, Refusal>>()?,
    })
}

fn date(days: u32) -> Result<Date, Refusal> {
    u16::try_from(days).map(Date::from_days).map_err(|_| Refusal::Invalid)
}

fn team(people: Vec<PersonId>) -> Result<Team, Refusal> {
    Team::new(people).ok_or(Refusal::Invalid)
}

fn place(place: u32) -> Result<Place, Refusal> {
    u8::try_from(place).ok().and_then(Place::new).ok_or(Refusal::Invalid)
}

fn role(value: u64) -> Result<RoleId, Refusal> {
    RoleId::new(value).ok_or(Refusal::NoSuchRole)
}

fn offer(value: u64) -> Result<OfferId, Refusal> {
    OfferId::new(value).ok_or(Refusal::NoSuchOffer)
}

/// Zero is none.
fn some<T>(value: u64, parse: impl Fn(u64) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    if value == 0 { Ok(None) } else { parse(value).map(Some) }
}
