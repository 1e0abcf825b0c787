//! Availability: when people want to be disturbed, who covers for them, and where they are called off site.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use wardline_core::ids::PersonId;
use wardline_core::wire::proto::set_availability::Says;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;
use crate::stat::StatRef;

/// What is known of somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Availability {
    /// Who.
    pub person: PersonId,
    /// Holds beds or a role now.
    pub on_duty: bool,
    /// Does not want to be disturbed until then: milliseconds since 1970.
    pub silent_until: Option<i64>,
    /// By do not disturb alone.
    pub undisturbed_until: Option<i64>,
    /// Who covers.
    pub cover: Option<PersonId>,
    /// One's own quiet hours.
    pub quiet: Option<QuietHours>,
    /// One's own off-site number; may be empty.
    pub number: String,
}

/// Quiet hours, by the clock on the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuietHours {
    /// Of the IANA database: `Europe/Berlin`.
    pub zone: String,
    /// At most 7.
    pub spans: Vec<QuietSpan>,
}

/// The same hours on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietSpan {
    /// On which days they begin: bit 0 is Monday, bit 6 Sunday.
    pub days: u8,
    /// Minutes since midnight.
    pub from: u16,
    /// The same; an earlier one is of the next day.
    pub to: u16,
}

/// When this person's devices make no sound but for a STAT, and for whom they cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAvailability {
    /// In order and apart: from when, and to when, counted from when this was told.
    pub silences: Vec<(Duration, Duration)>,
    /// Do not disturb ends then: milliseconds since 1970.
    pub undisturbed_until: Option<i64>,
    /// Who covers.
    pub cover: Option<PersonId>,
    /// For whom this person covers, and until when.
    pub covering: Vec<(PersonId, i64)>,
}

/// What can be said and asked about availability.
pub trait AvailabilityCalls: Calls {
    /// Not to be disturbed until this moment, milliseconds since 1970, 16 hours ahead at most.
    fn do_not_disturb(
        &self,
        until: i64,
        cover: Option<PersonId>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let cover = cover.map_or(0, PersonId::value);
        self.say(Says::Undisturbed(proto::Undisturbed { until, cover }))
    }

    /// To be disturbed again.
    fn disturb_again(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.say(Says::Undisturbed(proto::Undisturbed::default()))
    }

    /// Quiet hours from now on; no spans: none.
    fn set_quiet_hours(&self, quiet: &QuietHours) -> impl Future<Output = Result<(), Error>> + Send {
        let span = |span: &QuietSpan| proto::QuietSpan {
            days: span.days.into(),
            from: span.from.into(),
            to: span.to.into(),
        };
        let spans = quiet.spans.iter().map(span).collect();
        self.say(Says::Quiet(proto::QuietHours { zone: quiet.zone.clone(), spans }))
    }

    /// Where this person is called off site; empty: nowhere.
    fn set_off_site_number(&self, number: &str) -> impl Future<Output = Result<(), Error>> + Send {
        self.say(Says::Number(number.to_owned()))
    }

    /// As if nothing had ever been said.
    fn clear_availability(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.say(Says::Clear(proto::ClearAvailability {}))
    }

    /// Says something of oneself.
    #[doc(hidden)]
    fn say(&self, says: Says) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::SetAvailability(proto::SetAvailability { says: Some(says) }))
    }

    /// This person does not cover for that one.
    fn refuse_cover(&self, person: PersonId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::RefuseCover(proto::RefuseCover { person: person.value() }))
    }

    /// What is known of these people, 1 to 32; and whether a STAT rings for covers instead.
    fn availability(
        &self,
        people: &[PersonId],
    ) -> impl Future<Output = Result<(Vec<Availability>, bool), Error>> + Send {
        let people = people.iter().map(|person| person.value()).collect();
        async {
            match self.call(Ask::AskAvailability(proto::AskAvailability { people })).await? {
                Answer::AvailabilityPage(page) => {
                    let people = page.people.into_iter().map(Availability::from_wire);
                    Ok((people.collect::<Result<_, _>>()?, page.cover_instead))
                }
                other => odd(other),
            }
        }
    }

    /// Where those are called for whom a STAT rings and who are not here. Each look is recorded.
    fn off_site_numbers(
        &self,
        stat: StatRef,
    ) -> impl Future<Output = Result<Vec<(PersonId, String)>, Error>> + Send {
        let ask = proto::AskNumbers { conversation: stat.conversation.value(), sequence: stat.sequence.0 };
        async move {
            match self.call(Ask::AskNumbers(ask)).await? {
                Answer::OffSiteNumbers(told) => {
                    told.numbers.into_iter().map(|one| Ok((event::person(one.person)?, one.number))).collect()
                }
                other => odd(other),
            }
        }
    }

    /// Administration: whether a STAT rings for covers instead of whoever does not want to be disturbed.
    fn set_cover_policy(&self, cover_instead: bool) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::SetCoverPolicy(proto::SetCoverPolicy { cover_instead }))
    }
}

impl<C: Calls> AvailabilityCalls for C {}

impl Availability {
    fn from_wire(wire: proto::Availability) -> Result<Self, Error> {
        let some = |at: i64| (at != 0).then_some(at);
        Ok(Self {
            person: event::person(wire.person)?,
            on_duty: wire.on_duty,
            silent_until: some(wire.silent_until),
            undisturbed_until: some(wire.undisturbed_until),
            cover: PersonId::new(wire.cover),
            quiet: wire.quiet.map(QuietHours::from_wire),
            number: wire.number,
        })
    }
}

impl QuietHours {
    fn from_wire(wire: proto::QuietHours) -> Self {
        let small = |value: u32| u16::try_from(value).unwrap_or(0);
        let span = |span: proto::QuietSpan| QuietSpan {
            days: (span.days & 127) as u8,
            from: small(span.from),
            to: small(span.to),
        };
        Self { zone: wire.zone, spans: wire.spans.into_iter().map(span).collect() }
    }
}

impl OwnAvailability {
    pub(crate) fn from_wire(wire: proto::OwnAvailability) -> Self {
        let silence = |one: proto::SilentSpan| {
            (Duration::from_millis(one.begins_in), Duration::from_millis(one.ends_in))
        };
        let covering =
            wire.covering.into_iter().filter_map(|one| Some((PersonId::new(one.person)?, one.until)));
        Self {
            silences: wire.silences.into_iter().map(silence).collect(),
            undisturbed_until: (wire.undisturbed_until != 0).then_some(wire.undisturbed_until),
            cover: PersonId::new(wire.cover),
            covering: covering.collect(),
        }
    }

    /// Whether a sound may be made for anything but a STAT, so long after this was told.
    pub fn is_silent(&self, since_told: Duration) -> bool {
        self.silences.iter().any(|(from, to)| *from <= since_told && since_told < *to)
    }
}

/// Nobody's number in a log.
impl fmt::Debug for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Availability({} until {:?})", self.person, self.silent_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_silent_by_its_own_steady_clock() {
        let (silent, minute) = (|begins_in, ends_in| proto::SilentSpan { begins_in, ends_in }, 60_000);
        let silences = vec![silent(0, minute), silent(2 * minute, 3 * minute)];
        let own = OwnAvailability::from_wire(proto::OwnAvailability { silences, ..Default::default() });
        let at = |ms| own.is_silent(Duration::from_millis(ms));
        assert_eq!(
            [at(0), at(minute - 1), at(minute), at(2 * minute), at(3 * minute)],
            [true, true, false, true, false]
        );
    }
}
