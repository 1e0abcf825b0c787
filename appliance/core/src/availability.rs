//! Availability: what people say of when they want to be disturbed, who covers for them, and where they are called off site.
//!
//! Nobody says that they are on duty: that follows from beds and roles that they hold now ([`on_duty`]). What is said here makes
//! messages silent, never late: they are delivered, and no sound is made. Only a STAT rings all the same, and for the cover at once
//! ([`called`]); a facility may say that it rings for the cover instead.
//!
//! A cover is one link: whoever covers for somebody does not go quiet themselves, so there is neither a chain nor a circle.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::directory::Person;
use crate::escalation::StatId;
use crate::escalation::policy::Dial;
use crate::ids::PersonId;
use crate::kept;
use crate::limits;
use crate::refusal::Fault;
use crate::rota::{Date, Interval, TimeZone, Weekday};
use crate::state::State;
use crate::time::Wall;
use crate::wire::proto;

mod acts;
mod parse;

pub(crate) use acts::{end, expire, handle, off_site, remind, settle};
pub(crate) use parse::parse;

/// What is said of everybody who said anything, and of the facility.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Availabilities {
    /// Nobody who said nothing.
    #[n(0)]
    pub people: BTreeMap<PersonId, Availability>,
    /// A STAT rings for the cover instead of whoever does not want to be disturbed.
    #[n(1)]
    pub cover_instead: bool,
}

/// What somebody says of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Availability {
    /// Not to be disturbed, until a moment.
    #[n(0)]
    pub undisturbed: Option<Undisturbed>,
    /// Hours of the week at which they do not want to be disturbed.
    #[n(1)]
    pub quiet: Option<Quiet>,
    /// Where they are called off site; may be empty.
    #[n(2)]
    pub number: Dial,
}

/// Somebody does not want to be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Undisturbed {
    /// Since when.
    #[n(0)]
    pub since: Wall,
    /// Not any more from then on: at most [`limits::UNDISTURBED_MAX_MS`] later.
    #[n(1)]
    pub until: Wall,
    /// Who covers meanwhile.
    #[n(2)]
    pub cover: Option<PersonId>,
}

/// Quiet hours, by the clock on the wall.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Quiet {
    /// Whose clock.
    #[n(0)]
    zone: TimeZone,
    /// 1 to [`limits::QUIET_HOURS_MAX`], in order.
    #[n(1)]
    hours: Vec<Hours>,
}

/// The same hours on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Hours {
    /// On which days they begin: bit 0 is Monday, bit 6 Sunday.
    #[n(0)]
    pub days: u8,
    /// From this minute of the day, below 1,440.
    #[n(1)]
    pub from: u16,
    /// To this one; of the next day where it is not behind `from`.
    #[n(2)]
    pub to: u16,
}

/// One change of what is said.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AvailabilityWrite {
    /// What somebody says of themselves from now on; nothing: as if they had never said anything.
    #[n(0)]
    Said {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// All of it.
        #[n(1)]
        availability: Availability,
        /// Not to be disturbed begins with it: what ends it is counted from now.
        #[n(2)]
        begins: bool,
    },
    /// Whom a STAT rings for.
    #[n(1)]
    CoverInstead(#[n(0)] bool),
}

/// What cannot be said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum AvailabilityRefusal {
    /// [`limits::UNDISTURBED_MAX_MS`].
    #[error(
        "Do not disturb ends within 16 hours, and not in the past. Choose an earlier moment, or set quiet hours."
    )]
    Until,
    /// Somebody who does not work with them.
    #[error(
        "A cover works in one of your units, may sign in, and is not yourself. Choose a colleague of yours."
    )]
    Cover,
    /// A chain.
    #[error("That colleague does not want to be disturbed either. Choose another one, or none.")]
    CoverUndisturbed,
    /// The same from the other end.
    #[error(
        "You cover for a colleague who does not want to be disturbed. Say first that you do not cover any more."
    )]
    Covering,
    /// [`limits::COVERED_BY_ONE_MAX`].
    #[error("That colleague covers for eight others already. Choose another one.")]
    CoverFull,
    /// There is nothing to refuse.
    #[error("You do not cover for that person, or not any more. Look at your availability.")]
    NotCovering,
    /// What cannot be hours of a week.
    #[error(
        "Quiet hours are 1 to 7 stretches of a day, each from one time to another, on at least one day of the week."
    )]
    Hours,
    /// [`limits::AVAILABILITY_ASKED_MAX`].
    #[error("One request asks after 1 to 32 people. Ask after fewer at a time.")]
    TooMany,
}

/// A request about availability. Every field has been parsed.
pub enum AvailabilityAsk {
    /// Not to be disturbed until a moment; none: to be disturbed again.
    Undisturbed {
        /// Until when, and who covers.
        until: Option<(Wall, Option<PersonId>)>,
    },
    /// Quiet hours; none: none any more.
    Quiet(Option<Quiet>),
    /// Where they are called off site; empty: nowhere.
    Number(Dial),
    /// As if they had never said anything.
    Clear,
    /// They do not cover for this person.
    RefuseCover {
        /// For whom.
        person: PersonId,
    },
    /// What these people say.
    Look(Vec<PersonId>),
    /// Where those are called off site for whom a STAT rings.
    Numbers(StatId),
    /// Whom a STAT rings for.
    Policy {
        /// For the cover alone.
        cover_instead: bool,
    },
}

impl Availability {
    /// Nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Until when they do not want to be disturbed, if they do not now.
    pub fn silent_until(&self, now: Wall) -> Option<Wall> {
        self.silences(now).first().filter(|silence| silence.contains(now)).map(|silence| silence.end)
    }

    /// When they do not want to be disturbed, in order and apart: what has not ended and begins within
    /// [`limits::SILENCES_AHEAD_MS`].
    pub fn silences(&self, now: Wall) -> Vec<Interval> {
        let quiet = self.quiet.as_ref().map(|quiet| quiet.around(now)).unwrap_or_default();
        let set = self.undisturbed.map(|set| Interval { start: set.since.min(now), end: set.until });
        let mut all: Vec<Interval> = quiet.into_iter().chain(set).filter(|one| now < one.end).collect();
        all.sort_unstable();
        let mut apart: Vec<Interval> = Vec::new();
        for next in all {
            match apart.last_mut() {
                Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                _ => apart.push(next),
            }
        }
        apart.retain(|one| one.start <= now.after(limits::SILENCES_AHEAD_MS));
        apart
    }

    /// As a store keeps it: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// Out of what a store keeps.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        kept::canonical(bytes)
    }
}

impl Quiet {
    /// These hours, put in order. Refuses none, too many, and what no clock shows.
    pub fn new(zone: TimeZone, mut hours: Vec<Hours>) -> Result<Self, AvailabilityRefusal> {
        const DAY: u16 = 1_440;
        let fits = |hours: &Hours| {
            (1..128).contains(&hours.days) && hours.from < DAY && hours.to < DAY && hours.from != hours.to
        };
        if hours.is_empty() || hours.len() > limits::QUIET_HOURS_MAX || !hours.iter().all(fits) {
            return Err(AvailabilityRefusal::Hours);
        }
        hours.sort_unstable();
        hours.dedup();
        Ok(Self { zone, hours })
    }

    /// Whose clock, and which hours.
    pub fn parts(&self) -> (&TimeZone, &[Hours]) {
        (&self.zone, &self.hours)
    }

    /// Those of them that begin from the day before to two days on: whatever goes on now, and what begins within a day.
    fn around(&self, now: Wall) -> Vec<Interval> {
        const DAY: u32 = 1_440;
        let today = self.zone.date(now).days();
        let days = (today.saturating_sub(1)..=today.saturating_add(2)).map(Date::from_days);
        let mut all = Vec::new();
        for day in days {
            for hours in self.hours.iter().filter(|hours| hours.days & bit(day.weekday()) != 0) {
                let (from, to) = (u32::from(hours.from), u32::from(hours.to));
                let to = if to <= from { to + DAY } else { to };
                let (start, end) = (self.zone.instant(day.at(from)), self.zone.instant(day.at(to)));
                // Where the clock jumps over all of it there is nothing left.
                if start < end {
                    all.push(Interval { start, end });
                }
            }
        }
        all
    }

    /// As clients see it.
    pub fn to_wire(&self) -> proto::QuietHours {
        let hours = |hours: &Hours| proto::QuietSpan {
            days: hours.days.into(),
            from: hours.from.into(),
            to: hours.to.into(),
        };
        proto::QuietHours { zone: self.zone.name().to_owned(), spans: self.hours.iter().map(hours).collect() }
    }
}

const fn bit(day: Weekday) -> u8 {
    1 << day as u8
}

impl Availabilities {
    /// Folds one write in.
    pub(crate) fn apply(&mut self, write: &AvailabilityWrite) {
        match write {
            AvailabilityWrite::Said { person, availability, .. } => {
                if availability.is_empty() {
                    self.people.remove(person);
                } else {
                    self.people.insert(*person, availability.clone());
                }
            }
            AvailabilityWrite::CoverInstead(cover_instead) => self.cover_instead = *cover_instead,
        }
    }

    /// What is said is said of somebody.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        let covers = self.undisturbed().filter_map(|(_, set)| set.cover);
        if self.people.keys().copied().chain(covers).all(|person| state.people.contains_key(&person)) {
            Ok(())
        } else {
            Err(Fault::Inconsistent("somebody is available who is not in the directory"))
        }
    }

    /// Who is not to be disturbed, and by whom covered: by what was set, not by quiet hours.
    pub(crate) fn undisturbed(&self) -> impl Iterator<Item = (PersonId, Undisturbed)> + '_ {
        self.people.iter().filter_map(|(person, said)| Some((*person, said.undisturbed?)))
    }

    /// For whom this person covers.
    pub(crate) fn covered_by(&self, cover: PersonId) -> impl Iterator<Item = (PersonId, Undisturbed)> + '_ {
        self.undisturbed().filter(move |(_, set)| set.cover == Some(cover))
    }
}

/// Whether somebody may cover for another: they work in one unit, and both may sign in.
pub(crate) fn may_cover(state: &State, person: PersonId, cover: PersonId) -> bool {
    let works = |entry: &&Person| !entry.suspended && !entry.privacy_officer && entry.station.is_none();
    let of = |who: PersonId| state.colleague(who).ok().filter(works);
    let (Some(covered), Some(cover_entry)) = (of(person), of(cover)) else { return false };
    person != cover && covered.posts.keys().any(|unit| cover_entry.works_in(*unit))
}

/// For whom it rings that calls these people: for those who do not want to be disturbed too, and for their covers at once; or for the
/// covers instead, where the facility says so. Never for `but`, who called; and nobody is passed over for a cover who `cannot`. In order,
/// each once.
pub(crate) fn called(
    state: &State,
    people: Vec<PersonId>,
    but: PersonId,
    cannot: impl Fn(PersonId) -> bool,
) -> Vec<PersonId> {
    let said = &state.availability;
    let cover = |person: &PersonId| {
        let cover = said.people.get(person)?.undisturbed?.cover?;
        let rings = state.people.get(&cover).is_some_and(|entry| !entry.suspended);
        (cover != but && rings && !cannot(cover)).then_some(cover)
    };
    let covers: BTreeMap<PersonId, PersonId> =
        people.iter().filter_map(|person| Some((*person, cover(person)?))).collect();
    if covers.is_empty() {
        return people;
    }
    let mut rings: BTreeSet<PersonId> = people.into_iter().collect();
    if said.cover_instead {
        rings.retain(|person| !covers.contains_key(person));
    }
    rings.extend(covers.into_values());
    rings.into_iter().collect()
}

/// Who is on duty: whoever holds beds now, or a role.
pub(crate) fn on_duty(state: &State, now: Wall) -> BTreeSet<PersonId> {
    let held = state.clinic.assignments.values().filter(|held| held.since <= now && now < held.until);
    let roles = state.roles.values().filter(|role| !role.retired);
    held.map(|held| held.person).chain(roles.flat_map(|role| role.holders(state, now))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn quiet(zone: &str, hours: &[(u8, u16, u16)]) -> Availability {
        let zone = TimeZone::parse(zone).expect("a zone");
        let hours = hours.iter().map(|(days, from, to)| Hours { days: *days, from: *from, to: *to });
        Availability {
            quiet: Some(Quiet::new(zone, hours.collect()).expect("hours")),
            ..Availability::default()
        }
    }

    fn at(text: &str) -> Wall {
        Wall(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    #[test]
    fn a_night_is_quiet_to_the_minute_and_over_both_changes_of_the_clock() {
        // Every night from ten to six, in Berlin.
        let said = quiet("Europe/Berlin", &[(127, 22 * 60, 6 * 60)]);
        assert_eq!(said.silent_until(at("2026-11-27T20:59:59.999Z")), None);
        assert_eq!(said.silent_until(at("2026-11-27T21:00:00Z")), Some(at("2026-11-28T05:00:00Z")));
        assert_eq!(said.silent_until(at("2026-11-28T04:59:59.999Z")), Some(at("2026-11-28T05:00:00Z")));
        assert_eq!(said.silent_until(at("2026-11-28T05:00:00Z")), None);
        // Back to winter: the night has an hour more. On to summer: one less.
        assert_eq!(said.silent_until(at("2026-10-24T20:00:00Z")), Some(at("2026-10-25T05:00:00Z")));
        assert_eq!(said.silent_until(at("2026-03-28T21:00:00Z")), Some(at("2026-03-29T04:00:00Z")));
    }

    #[test]
    fn hours_that_the_clock_jumps_over_are_none_and_that_it_shows_twice_are_once() {
        let said = quiet("Europe/Berlin", &[(64, 120, 180)]);
        // 2 to 3 on the Sunday of the change: there is no such time in March, and two of it in October, of which the first begins it.
        assert!(said.silences(at("2026-03-28T12:00:00Z")).is_empty());
        let october = said.silences(at("2026-10-24T12:00:00Z"));
        assert_eq!(
            october,
            [Interval { start: at("2026-10-25T00:00:00Z"), end: at("2026-10-25T02:00:00Z") }]
        );
    }

    #[test]
    fn what_meets_is_one_silence_and_days_are_those_on_which_it_begins() {
        // Friday night, and do not disturb that begins before it ends.
        let mut said = quiet("Europe/Berlin", &[(16, 22 * 60, 6 * 60)]);
        let friday = at("2026-11-27T21:00:00Z");
        let (since, until) = (at("2026-11-28T04:00:00Z"), at("2026-11-28T08:00:00Z"));
        assert_eq!(said.silent_until(friday), Some(at("2026-11-28T05:00:00Z")));
        said.undisturbed = Some(Undisturbed { since, until, cover: None });
        assert_eq!(said.silent_until(since), Some(until));
        said.undisturbed = None;
        assert_eq!(said.silent_until(Wall(friday.0 + 24 * HOUR)), None, "not on Saturday");
    }

    #[test]
    fn what_is_no_stretch_of_a_week_is_refused() {
        let refused = |hours: Vec<Hours>| Quiet::new(TimeZone::utc(), hours).expect_err("refused");
        let one = Hours { days: 1, from: 0, to: 60 };
        assert_eq!(refused(Vec::new()), AvailabilityRefusal::Hours);
        for bad in [
            Hours { days: 0, ..one },
            Hours { days: 128, ..one },
            Hours { from: 1_440, ..one },
            Hours { to: 1_440, ..one },
            Hours { to: 0, ..one },
        ] {
            assert_eq!(refused(vec![bad]), AvailabilityRefusal::Hours, "{bad:?}");
        }
        let many = (0..8).map(|at| Hours { from: at, ..one }).collect();
        assert_eq!(refused(many), AvailabilityRefusal::Hours);
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let mut said = quiet("Europe/Berlin", &[(127, 1_320, 360)]);
        said.number = Dial::parse("+49 30 1234").expect("a number");
        said.undisturbed = Some(Undisturbed { since: Wall(1), until: Wall(2), cover: PersonId::new(7) });
        let bytes = said.to_bytes();
        assert_eq!(Availability::from_bytes(&bytes).expect("as it was written"), said);
        for end in 0..bytes.len() {
            assert!(Availability::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
    }
}
