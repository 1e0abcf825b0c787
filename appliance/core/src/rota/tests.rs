//! A rota against slower words for the same thing.

mod cover;
mod kept;
mod model;
mod refusals;
mod zones;

use super::*;

/// SplitMix64, as the simulation has it: a seed is a whole run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound.max(1))) as u32
    }

    fn between(&mut self, from: Wall, until: Wall) -> Wall {
        Wall(from.0 + (self.next() % (until.0 - from.0) as u64) as i64)
    }
}

fn person(number: u64) -> PersonId {
    PersonId::new(number).expect("in range")
}

fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).expect("a zone")
}

fn date(year: i16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).expect("in the calendar")
}

/// Local time to the instant, in a zone.
fn at(zone: &TimeZone, day: Date, hour: u32, minute: u32) -> Wall {
    zone.instant(day.at(hour * 60 + minute))
}

fn rota(zone: &TimeZone, patterns: Vec<Pattern>) -> Rota {
    let mut sources = Sources::new(zone.clone());
    sources.patterns = patterns;
    Rota::new(sources).expect("a rota")
}

/// A shift every day of the week, one after the other, at these hours.
fn daily(from: Date, hours: &[u32]) -> Pattern {
    let mut shifts = Vec::new();
    for day in 0..7 {
        for (which, hour) in hours.iter().enumerate() {
            let next = hours.get(which + 1).copied().unwrap_or(24 + hours[0]);
            let (start, end) = ((day * 24 + hour) * 60, (day * 24 + next) * 60);
            shifts.push(Shift { start, end, team: Team::one(person(which as u64 + 1)) });
        }
    }
    Pattern { from, until: None, weeks: 1, place: None, shifts }
}

/// Shifts that cover their weeks, with bounds anywhere; each of another person than the one before.
fn covering(random: &mut Random, from: Date) -> Pattern {
    let weeks = random.below(8) as u8 + 1;
    let cycle = u32::from(weeks) * 7 * 24 * 60;
    let some = random.below(20 * u32::from(weeks)) + 2 * u32::from(weeks) + 1;
    // Half of them in the hours in which clocks change.
    let mut bounds: Vec<u32> = (0..some)
        .map(|which| match which % 2 {
            0 => random.below(cycle),
            _ => random.below(cycle / 1_440) * 1_440 + random.below(240),
        })
        .collect();
    // None of more than a week.
    bounds.extend((0..u32::from(weeks)).map(|week| week * 7 * 24 * 60 + 24 * 60));
    bounds.sort_unstable();
    bounds.dedup();
    let again = bounds[0] + cycle;
    let ends = bounds.iter().copied().skip(1).chain([again]);
    let shifts = bounds.iter().zip(ends).enumerate().map(|(which, (start, end))| {
        let team = Team::one(person(which as u64 % 1_000 + 1));
        Shift { start: *start, end, team }
    });
    Pattern { from, until: None, weeks, place: None, shifts: shifts.collect() }
}
