//! No gap and no overlap.

use super::zones::{changes, distinct};
use super::*;

const YEARS: (i16, i16) = (2024, 2028);

/// For every pattern that covers a week without a gap on the wall, four years are covered exactly once, in every zone. And who
/// holds the role is who the wall says: by the latest time that it has shown.
#[test]
fn four_years_are_covered_exactly_once_in_every_zone() {
    let mut random = Random(1);
    // Three patterns in each.
    for zone in distinct().flat_map(|zone| [zone.clone(), zone.clone(), zone]) {
        let from = date(YEARS.0 - 1, 6, 1).after(random.below(60) as u16);
        let pattern = covering(&mut random, from);
        let rota = rota(&zone, vec![pattern]);
        let stretch = Interval {
            start: at(&zone, date(YEARS.0, 1, 1), 0, 0),
            end: at(&zone, date(YEARS.1, 1, 1), 0, 0),
        };
        let mut shifts: Vec<Interval> = rota.pieces(stretch).into_iter().map(|piece| piece.when).collect();
        shifts.sort();
        assert!(shifts.first().is_some_and(|first| first.start <= stretch.start), "{zone}: a gap before");
        assert!(shifts.last().is_some_and(|last| last.end >= stretch.end), "{zone}: a gap behind");
        for pair in shifts.windows(2) {
            assert!(pair[0].start < pair[0].end, "{zone}: {:?}", pair[0]);
            assert_eq!(pair[0].end, pair[1].start, "{zone}: a gap or an overlap");
        }
        assert_eq!(rota.gaps(stretch.start, stretch.end).next(), None);
        for (change, jump) in changes(&zone, stretch.start, stretch.end) {
            let mut latest = Local::default();
            for minute in -jump.abs() - 180..jump.abs() + 180 {
                let now = Wall(change.0 + minute * 60_000);
                latest = latest.max(zone.local(now));
                if random.below(16) == 0 {
                    let holders = rota.holders_at(now);
                    assert_eq!(holders.by_place()[0].person, by_the_wall(&rota, latest), "{zone} {latest}");
                }
            }
        }
    }
}

/// Who a pattern names for a time on the wall.
fn by_the_wall(rota: &Rota, local: Local) -> PersonId {
    let pattern = &rota.sources().patterns[0];
    let minute = (local.minutes() - pattern.from.monday().at(0).minutes()) % pattern.cycle();
    let is_in =
        |shift: &&Shift| shift.start <= minute && minute < shift.end || minute + pattern.cycle() < shift.end;
    pattern.shifts.iter().find(is_in).expect("it covers its weeks").team.people()[0]
}

/// An interval of a timeline begins where the one before ends, and others hold the role.
#[test]
fn a_timeline_is_one_line() {
    let mut random = Random(2);
    for name in
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"]
    {
        let zone = zone(name);
        let rota = rota(&zone, vec![covering(&mut random, date(2026, 1, 1))]);
        let (from, until) = (at(&zone, date(2025, 12, 1), 0, 0), at(&zone, date(2027, 12, 1), 0, 1));
        let line: Vec<_> = rota.timeline(from, until).collect();
        assert_eq!(line.first().expect("some").0.start, from);
        assert_eq!(line.last().expect("some").0.end, until);
        for pair in line.windows(2) {
            assert_eq!(pair[0].0.end, pair[1].0.start);
            assert_ne!(pair[0].1, pair[1].1);
        }
        for (when, holders) in &line {
            assert_eq!(rota.holders_at(when.start), *holders);
            assert_eq!(rota.holders_at(Wall(when.end.0 - 1)), *holders);
        }
        assert_eq!(rota.gaps(from, until).count(), 1, "before the pattern");
    }
}

/// The last night of the old pattern lasts until the first morning of the new one.
#[test]
fn one_pattern_follows_another() {
    let berlin = zone("Europe/Berlin");
    let monday = date(2026, 11, 30);
    let mut old = daily(date(2026, 1, 5), &[7, 19]);
    old.until = Some(monday);
    let new = daily(monday, &[7, 15, 23]);
    let rota = rota(&berlin, vec![new, old]);
    let (from, until) = (at(&berlin, monday.after(0), 0, 0), at(&berlin, monday, 15, 0));
    let line: Vec<_> =
        rota.timeline(from, until).map(|(when, holders)| (when, holders.by_place()[0].person)).collect();
    let seven = at(&berlin, monday, 7, 0);
    let nights = Interval { start: from, end: seven };
    assert_eq!(line, [(nights, person(2)), (Interval { start: seven, end: until }, person(1))]);
}

#[test]
fn a_week_on_call_lasts_a_week() {
    let berlin = zone("Europe/Berlin");
    let eight = (Weekday::Monday, 8 * 60);
    let week = |week| Shift::weekly(week, eight, eight, Team::one(person(u64::from(week) + 1)));
    let from = date(2026, 11, 23);
    let pattern =
        Pattern { from, until: None, weeks: 3, place: None, shifts: vec![week(0), week(1), week(2)] };
    let rota = rota(&berlin, vec![pattern]);
    let mut now = at(&berlin, from, 8, 0);
    for turn in 0..30 {
        assert_eq!(rota.holders_at(now).by_place()[0].person, person(turn % 3 + 1));
        now = rota.next_change_after(now).expect("the next turn");
        assert_eq!(now, at(&berlin, from.after(7 * (turn as u16 + 1)), 8, 0));
    }
    assert!(rota.holders_at(Wall(at(&berlin, from, 8, 0).0 - 1)).is_nobody());
    let night = Shift::weekly(1, (Weekday::Sunday, 23 * 60), (Weekday::Monday, 7 * 60), Team::NOBODY);
    assert_eq!((night.start, night.end), ((13 * 24 + 23) * 60, (14 * 24 + 7) * 60));
}
