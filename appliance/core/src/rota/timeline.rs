//! What a rota says: now, next, and over a stretch of time.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::ids::PersonId;
use crate::limits;
use crate::rota::holders::{Holders, Interval, Place, Team};
use crate::rota::local::Date;
use crate::rota::{Rota, Says};
use crate::time::Wall;

const DAY_MS: i64 = 86_400_000;

/// What a timeline works out at a time: four weeks.
const STRETCH_MS: i64 = 28 * DAY_MS;

/// No source says anything before this instant or from [`LAST`] on: two days before the calendar, for zones, and ten days after,
/// for what began on its last day. 2000-01-01 and 2100-01-01, in days since 1970-01-01.
const FIRST: Wall = Wall((10_957 - 2) * DAY_MS);
/// See [`FIRST`]; entries may last for 31 days.
const LAST: Wall = Wall((47_482 + 33) * DAY_MS);

/// What an entry says, and how strong it is.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) when: Interval,
    rank: (Source, usize),
    what: What<'a>,
}

/// From weakest to strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Imported,
    Pattern,
    Exception,
    ByHand,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Team(&'a Team),
    Place(Place, Option<PersonId>),
}

impl<'a> From<&'a Says> for What<'a> {
    fn from(says: &'a Says) -> Self {
        match says {
            Says::Team(team) => Self::Team(team),
            Says::Place { place, person } => Self::Place(*place, *person),
        }
    }
}

impl Rota {
    /// Who holds the role at an instant. Costs one look at each entry by hand; two look-ups in the zone's table for each
    /// exception; one look at each shift of a pattern, and two look-ups if it begins within nine days before or two
    /// after; of imported shifts, a search by halves in each place.
    pub fn holders_at(&self, at: Wall) -> Holders {
        let mut pieces = self.pieces(Interval { start: at, end: at.after(1) });
        pieces.sort_by_key(|piece| Reverse(piece.rank));
        resolve(&pieces)
    }

    /// The next instant at which others hold the role; none when that will never be.
    ///
    /// Costs what [`Self::timeline`] does up to there. Where nothing changes for long, it looks at three turns of the longest
    /// pattern, and then behind each later date that an entry names.
    pub fn next_change_after(&self, after: Wall) -> Option<Wall> {
        let now = self.holders_at(after);
        let weeks = self.sources().patterns.iter().map(|pattern| i64::from(pattern.weeks)).max().unwrap_or(0);
        // Three: a shift may fall into an hour that is skipped, but not three times in as many turns.
        let look_ms = u64::try_from(3 * weeks * 7 * DAY_MS + 12 * DAY_MS).unwrap_or(u64::MAX);
        let mut dates = self.dates();
        dates.sort_unstable();
        let mut at = after;
        loop {
            let end = at.after(look_ms);
            if let Some((when, _)) = self.timeline(at, end).find(|(_, holders)| *holders != now) {
                return Some(when.start);
            }
            let next = *dates.get(dates.partition_point(|date| *date <= at))?;
            // Between them patterns alone decide, and have been seen to change nothing.
            at = end.max(Wall(next.0.saturating_sub(1)));
        }
    }

    /// Who holds the role from one instant to another: intervals without a gap between them, the next one always of other
    /// holders. Works in stretches of four weeks as it is asked on; each costs what [`Self::holders_at`] does, and for
    /// each shift in it two look-ups in the zone's table and one look at what counts then.
    pub fn timeline(&self, from: Wall, until: Wall) -> Timeline<'_> {
        Timeline { rota: self, at: from, until, ready: VecDeque::new() }
    }

    /// When nobody holds the role between two instants. Costs what [`Self::timeline`] does. A rota is refused when it is saved,
    /// and warned of a day ahead, when there is one in the next [`limits::ROTA_AHEAD_MS`].
    pub fn gaps(&self, from: Wall, until: Wall) -> impl Iterator<Item = Interval> {
        self.timeline(from, until).filter(|(_, holders)| holders.is_nobody()).map(|(when, _)| when)
    }

    /// [`Self::gaps`] of the next [`limits::ROTA_AHEAD_MS`].
    pub fn gaps_ahead(&self, now: Wall) -> impl Iterator<Item = Interval> {
        self.gaps(now, now.after(limits::ROTA_AHEAD_MS))
    }

    /// Everything that says something within a stretch of time.
    pub(super) fn pieces(&self, stretch: Interval) -> Vec<Piece<'_>> {
        let sources = self.sources();
        let zone = &sources.zone;
        let mut pieces = Vec::new();
        let mut add = |when: Interval, rank, what| {
            // One of no time is within nothing: the clock jumped over the whole of it.
            if when.within(stretch).is_some() {
                pieces.push(Piece { when, rank, what });
            }
        };
        let mut rest = sources.imported.as_slice();
        while let Some(place) = rest.first().map(|shift| shift.place) {
            let (shifts, others) = rest.split_at(rest.partition_point(|shift| shift.place == place));
            let shifts = &shifts[shifts.partition_point(|shift| shift.when.end <= stretch.start)..];
            for shift in shifts.iter().take_while(|shift| shift.when.start < stretch.end) {
                add(shift.when, (Source::Imported, 0), What::Place(place, Some(shift.person)));
            }
            rest = others;
        }
        // A shift lasts for seven days at most; a zone may be put across the date line.
        let first = Date::from_days(zone.date(stretch.start).days().saturating_sub(9));
        let last = zone.date(stretch.end).after(2);
        for (at, pattern) in sources.patterns.iter().enumerate() {
            for (start, end, team) in pattern.shifts_of(first, last) {
                let when = Interval { start: zone.instant(start), end: zone.instant(end) };
                let one = || pattern.place.map(|place| What::Place(place, team.at(Place::FIRST)));
                add(when, (Source::Pattern, at), one().unwrap_or(What::Team(team)));
            }
        }
        for (at, exception) in sources.exceptions.iter().enumerate() {
            let when = Interval { start: zone.instant(exception.from), end: zone.instant(exception.until) };
            add(when, (Source::Exception, at), What::from(&exception.says));
        }
        for (at, entry) in sources.by_hand.iter().enumerate() {
            add(entry.when, (Source::ByHand, at), What::from(&entry.says));
        }
        pieces
    }

    /// Every instant at which something begins or ends that does not come again by itself.
    fn dates(&self) -> Vec<Wall> {
        let sources = self.sources();
        let zone = &sources.zone;
        let mut dates = Vec::new();
        for pattern in &sources.patterns {
            dates.push(zone.instant(pattern.from.at(0)));
            dates.extend(pattern.until.map(|until| zone.instant(until.at(0))));
        }
        for exception in &sources.exceptions {
            dates.extend([zone.instant(exception.from), zone.instant(exception.until)]);
        }
        dates.extend(sources.by_hand.iter().flat_map(|entry| [entry.when.start, entry.when.end]));
        dates.extend(sources.imported.iter().flat_map(|shift| [shift.when.start, shift.when.end]));
        dates
    }
}

/// See [`Rota::timeline`].
pub struct Timeline<'a> {
    rota: &'a Rota,
    at: Wall,
    until: Wall,
    ready: VecDeque<(Interval, Holders)>,
}

impl Timeline<'_> {
    /// Works out the next stretch. False at the end.
    fn go_on(&mut self) -> bool {
        if self.at >= self.until {
            return false;
        }
        // Out of the calendar one stretch is all there is.
        let end = if self.at < FIRST {
            FIRST
        } else if self.at >= LAST {
            self.until
        } else {
            Wall(self.at.0 + STRETCH_MS)
        };
        let stretch = Interval { start: self.at, end: end.min(self.until) };
        self.at = stretch.end;
        let mut pieces = self.rota.pieces(stretch);
        pieces.sort_by_key(|piece| piece.when.start);
        let mut bounds: Vec<Wall> =
            pieces.iter().flat_map(|piece| [piece.when.start, piece.when.end]).collect();
        bounds.retain(|bound| stretch.start < *bound && *bound < stretch.end);
        bounds.extend([stretch.start, stretch.end]);
        bounds.sort_unstable();
        bounds.dedup();
        let mut coming = pieces.into_iter().peekable();
        // The strongest first.
        let mut active: Vec<Piece<'_>> = Vec::new();
        for pair in bounds.windows(2) {
            let when = Interval { start: pair[0], end: pair[1] };
            active.retain(|piece| piece.when.end > when.start);
            while let Some(piece) = coming.next_if(|piece| piece.when.start <= when.start) {
                if piece.when.end > when.start {
                    let at = active.partition_point(|other| other.rank > piece.rank);
                    active.insert(at, piece);
                }
            }
            let holders = resolve(&active);
            match self.ready.back_mut() {
                Some((last, same)) if *same == holders => last.end = when.end,
                _ => self.ready.push_back((when, holders)),
            }
        }
        true
    }
}

impl Iterator for Timeline<'_> {
    type Item = (Interval, Holders);

    fn next(&mut self) -> Option<Self::Item> {
        // The last that is ready may go on in the next stretch.
        while self.ready.len() < 2 && self.go_on() {}
        self.ready.pop_front()
    }
}

/// Who is in each place, of what counts at one time, the strongest first.
fn resolve(active: &[Piece<'_>]) -> Holders {
    let mut places: [Option<Option<PersonId>>; limits::ROTA_PLACES_MAX] = Default::default();
    let mut open = places.len();
    for piece in active {
        for (place, said) in Place::all().zip(&mut places) {
            let says = match piece.what {
                What::Team(team) => Some(team.at(place)),
                What::Place(of, person) => (of == place).then_some(person),
            };
            if said.is_none() && says.is_some() {
                *said = says;
                open -= 1;
            }
        }
        if open == 0 {
            break;
        }
    }
    Holders::from_places(Place::all().zip(places.map(Option::flatten)))
}
