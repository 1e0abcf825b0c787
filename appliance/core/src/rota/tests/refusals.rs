//! What cannot be a rota, and what is said of it.

use super::*;

fn refused(change: impl FnOnce(&mut Sources)) -> RotaRefusal {
    let mut sources = Sources::new(zone("Europe/Berlin"));
    sources.patterns.push(daily(date(2026, 1, 5), &[7, 19]));
    change(&mut sources);
    Rota::new(sources).expect_err("it cannot be")
}

fn of_shift(change: impl FnOnce(&mut Pattern)) -> RotaRefusal {
    refused(|sources| change(&mut sources.patterns[0]))
}

fn by_hand(start: i64, end: i64) -> ByHand {
    ByHand { when: Interval { start: Wall(start), end: Wall(end) }, says: Says::Team(Team::NOBODY) }
}

fn imported(start: i64, end: i64) -> Imported {
    let when = Interval { start: Wall(start), end: Wall(end) };
    Imported { place: Place::FIRST, when, person: person(1) }
}

#[test]
fn a_pattern_that_cannot_be() {
    let from = date(2026, 1, 5);
    assert_eq!(of_shift(|it| it.until = Some(from)), RotaRefusal::PatternEndsFirst { from });
    assert_eq!(of_shift(|it| it.weeks = 0), RotaRefusal::Weeks { from });
    assert_eq!(of_shift(|it| it.weeks = 9), RotaRefusal::Weeks { from });
    assert_eq!(of_shift(|it| it.shifts.clear()), RotaRefusal::PatternEmpty { from });
    assert_eq!(of_shift(|it| it.from = Date::from_days(1)), RotaRefusal::NotInCalendar);
    assert_eq!(of_shift(|it| it.shifts[0].end = it.shifts[0].start), RotaRefusal::ShiftLength { from });
    assert_eq!(of_shift(|it| it.shifts[0].end += 7 * 1_440), RotaRefusal::ShiftLength { from });
    assert_eq!(of_shift(|it| it.shifts[13].start = 7 * 1_440), RotaRefusal::ShiftLength { from });
    assert_eq!(of_shift(|it| it.shifts[0].team = Team::NOBODY), RotaRefusal::ShiftTeam { from });
    let two = Team::new(vec![person(1), person(2)]).expect("two");
    let several = |it: &mut Pattern| (it.place, it.shifts[3].team) = (Some(Place::FIRST), two);
    assert_eq!(of_shift(several), RotaRefusal::ShiftTeam { from });
    assert_eq!(of_shift(|it| it.shifts[0].end += 1), RotaRefusal::ShiftsOverlap { from });
    // The last one runs into the next round's first.
    assert_eq!(of_shift(|it| it.shifts[13].end += 1), RotaRefusal::ShiftsOverlap { from });
    let again = |place| {
        move |it: &mut Sources| {
            let mut other = daily(date(2027, 1, 4), &[8, 20]);
            other.place = place;
            it.patterns.push(other);
        }
    };
    assert_eq!(refused(again(None)), RotaRefusal::TwoPatterns { date: date(2027, 1, 4) });
    assert_eq!(refused(again(Some(Place::BACKUP))), RotaRefusal::TwoPatterns { date: date(2027, 1, 4) });
}

#[test]
fn an_entry_that_cannot_be() {
    let from = date(2026, 12, 24).at(60);
    let exception = |until| Exception { from, until, says: Says::Team(Team::NOBODY) };
    for until in [from, date(2026, 12, 23).at(0), date(2027, 1, 24).at(61)] {
        assert_eq!(refused(|it| it.exceptions.push(exception(until))), RotaRefusal::ExceptionLength { from });
    }
    let far = Exception {
        from: Date::from_days(9).at(0),
        until: Date::from_days(9).at(1),
        says: Says::Team(Team::NOBODY),
    };
    assert_eq!(refused(|it| it.exceptions.push(far)), RotaRefusal::NotInCalendar);
    let now = 1_800_000_000_000;
    let month = i64::from(limits::ROTA_ENTRY_MINUTES_MAX) * 60_000;
    for (start, end) in [(now, now), (now, now - 1), (now, now + month + 1), (i64::MIN, i64::MAX)] {
        assert_eq!(refused(|it| it.by_hand.push(by_hand(start, end))), RotaRefusal::ByHandLength);
    }
    for start in [0, i64::MAX - 1, i64::MIN] {
        assert_eq!(refused(|it| it.by_hand.push(by_hand(start, start + 1))), RotaRefusal::NotInCalendar);
        assert_eq!(refused(|it| it.imported.push(imported(start, start + 1))), RotaRefusal::NotInCalendar);
    }
    let both = |one: (i64, i64), two: (i64, i64)| {
        refused(|it| it.imported = vec![imported(one.0, one.1), imported(two.0, two.1)])
    };
    assert_eq!(both((now, now + 10), (now + 9, now + 20)), RotaRefusal::ImportedOverlap);
    assert_eq!(both((now, now + 10), (now + 20, now + 20)), RotaRefusal::ImportedOverlap);
}

#[test]
fn more_than_the_bounds() {
    let many = |most: usize| most + 1;
    let pattern = |it: &Sources| it.patterns[0].clone();
    assert_eq!(
        refused(|it| it.patterns = vec![pattern(it); many(limits::ROTA_PATTERNS_MAX)]),
        RotaRefusal::TooManyPatterns
    );
    let shift = Shift { start: 0, end: 1, team: Team::one(person(1)) };
    assert_eq!(
        of_shift(|it| it.shifts = vec![shift; many(limits::ROTA_SHIFTS_MAX)]),
        RotaRefusal::TooManyShifts
    );
    let exception = Exception::on(date(2026, 12, 24), 0, 0, Says::Team(Team::NOBODY));
    assert_eq!(
        refused(|it| it.exceptions = vec![exception; many(limits::ROTA_EXCEPTIONS_MAX)]),
        RotaRefusal::TooManyExceptions
    );
    assert_eq!(
        refused(|it| it.by_hand = vec![by_hand(0, 1); many(limits::ROTA_BY_HAND_MAX)]),
        RotaRefusal::TooManyByHand
    );
    assert_eq!(
        refused(|it| it.imported = vec![imported(0, 1); many(limits::ROTA_IMPORTED_MAX)]),
        RotaRefusal::TooManyImported
    );
    assert_eq!(Team::new((1..=17).map(person).collect()), None);
    assert_eq!(Place::all().count(), limits::ROTA_PLACES_MAX);
}

/// Each says what to do next.
#[test]
fn refusals_are_plain_words() {
    let from = date(2026, 1, 5);
    assert_eq!(
        RotaRefusal::TwoPatterns { date: from }.to_string(),
        "Two weekly patterns are in force on 2026-01-05 for the same place. End the one before that day."
    );
    assert_eq!(
        RotaRefusal::ExceptionLength { from: from.at(61) }.to_string(),
        "The exception from 2026-01-05 01:01 ends before it begins, or lasts longer than 31 days. Correct it."
    );
}
