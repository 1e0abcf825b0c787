//! Requests about availability, out of the wire.

use crate::availability::{AvailabilityAsk, AvailabilityRefusal, Hours, Quiet};
use crate::escalation::policy::Dial;
use crate::limits;
use crate::refusal::Refusal;
use crate::rota::TimeZone;
use crate::time::Wall;
use crate::wire::proto::set_availability::Says;
use crate::wire::proto::{self, client_frame};
use crate::wire::{person, stat};

pub(crate) fn parse(body: client_frame::Body) -> Result<AvailabilityAsk, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::SetAvailability(set) => match set.says.ok_or(Refusal::Invalid)? {
            Says::Undisturbed(set) if set.until == 0 => AvailabilityAsk::Undisturbed { until: None },
            Says::Undisturbed(set) => {
                let cover = if set.cover == 0 { None } else { Some(person(set.cover)?) };
                AvailabilityAsk::Undisturbed { until: Some((Wall(set.until), cover)) }
            }
            Says::Quiet(set) if set.spans.is_empty() => AvailabilityAsk::Quiet(None),
            Says::Quiet(set) => AvailabilityAsk::Quiet(Some(quiet(&set)?)),
            Says::Number(number) => AvailabilityAsk::Number(Dial::parse(&number)?),
            Says::Clear(_) => AvailabilityAsk::Clear,
        },
        Body::RefuseCover(refuse) => AvailabilityAsk::RefuseCover { person: person(refuse.person)? },
        Body::AskAvailability(ask) => {
            if !(1..=limits::AVAILABILITY_ASKED_MAX).contains(&ask.people.len()) {
                return Err(Refusal::Availability(AvailabilityRefusal::TooMany));
            }
            let people = ask.people.into_iter().map(person).collect::<Result<_, _>>()?;
            AvailabilityAsk::Look(people)
        }
        Body::AskNumbers(ask) => AvailabilityAsk::Numbers(stat(ask.conversation, ask.sequence)?),
        Body::SetCoverPolicy(set) => AvailabilityAsk::Policy { cover_instead: set.cover_instead },
        _ => return Err(Refusal::UnknownRequest),
    })
}

fn quiet(wire: &proto::QuietHours) -> Result<Quiet, Refusal> {
    let zone = TimeZone::parse(&wire.zone).ok_or(Refusal::NoSuchZone)?;
    let wrong = Refusal::Availability(AvailabilityRefusal::Hours);
    if wire.spans.len() > limits::QUIET_HOURS_MAX {
        return Err(wrong);
    }
    let hours = |span: &proto::QuietSpan| {
        let small = |value: u32| u16::try_from(value).map_err(|_| wrong);
        let days = u8::try_from(span.days).map_err(|_| wrong)?;
        Ok(Hours { days, from: small(span.from)?, to: small(span.to)? })
    };
    let hours = wire.spans.iter().map(hours).collect::<Result<_, Refusal>>()?;
    Quiet::new(zone, hours).map_err(Refusal::Availability)
}
