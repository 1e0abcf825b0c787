//! All sources together, against a model that looks at every entry for every question.

use super::*;

const FROM: (i16, u8, u8) = (2026, 9, 1);

fn says(random: &mut Random) -> Says {
    let somebody = |random: &mut Random| person(u64::from(random.below(5)) + 1);
    match random.below(4) {
        0 => Says::Team(Team::NOBODY),
        1 => Says::Team(Team::one(somebody(random))),
        2 => Says::Place { place: Place::BACKUP, person: None },
        _ => Says::Place { place: Place::FIRST, person: Some(somebody(random)) },
    }
}

/// Few people and many entries, so that most of the cases there are come up.
pub(super) fn some_rota(random: &mut Random) -> Rota {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"];
    let zone = zone(zones[random.below(5) as usize]);
    let mut sources = Sources::new(zone.clone());
    let first = date(FROM.0, FROM.1, FROM.2);
    for place in 0..random.below(3) as u8 {
        let mut from = first.after(random.below(40) as u16);
        for _ in 0..random.below(3) {
            let until = from.after(random.below(60) as u16 + 1);
            let mut pattern = covering(random, from);
            pattern.shifts.retain(|_| random.below(4) > 0);
            pattern.place = Place::new(place);
            pattern.until = (random.below(8) > 0).then_some(until);
            for shift in &mut pattern.shifts {
                shift.team = Team::one(person(u64::from(random.below(3)) + 1));
            }
            if pattern.shifts.is_empty() {
                continue;
            }
            let goes_on = pattern.until.is_none();
            sources.patterns.push(pattern);
            if goes_on {
                break;
            }
            from = until.after(random.below(3) as u16);
        }
    }
    for _ in 0..random.below(6) {
        let day = first.after(random.below(120) as u16);
        let says = says(random);
        sources.exceptions.push(Exception::on(day, random.below(1_440), random.below(1_440), says));
    }
    let instant =
        |random: &mut Random| at(&zone, first.after(random.below(120) as u16), 0, random.below(1_440));
    for _ in 0..random.below(4) {
        let start = instant(random);
        let end = start.after(u64::from(random.below(100)) * 3_600_000 + 1);
        sources.by_hand.push(ByHand { when: Interval { start, end }, says: says(random) });
    }
    for place in 0..random.below(3) as u8 {
        let mut start = instant(random);
        for _ in 0..random.below(6) {
            let end = start.after(u64::from(random.below(40)) * 3_600_000 + 1);
            let (place, person) = (Place::new(place).expect("few"), person(u64::from(random.below(4)) + 1));
            sources.imported.push(Imported { place, when: Interval { start, end }, person });
            start = end.after(u64::from(random.below(2)) * 3_600_000);
        }
    }
    Rota::new(sources).expect("a rota")
}

/// What one entry says of a place: nothing, or who.
fn said(says: &Says, of: Place) -> Option<Option<PersonId>> {
    match says {
        Says::Team(team) => Some(team.people().get(usize::from(of.value())).copied()),
        Says::Place { place, person } => (*place == of).then_some(*person),
    }
}

fn model(rota: &Rota, now: Wall, place: Place) -> Option<PersonId> {
    let sources = rota.sources();
    let zone = &sources.zone;
    for entry in sources.by_hand.iter().rev().filter(|entry| entry.when.contains(now)) {
        if let Some(said) = said(&entry.says, place) {
            return said;
        }
    }
    for exception in sources.exceptions.iter().rev() {
        let when = Interval { start: zone.instant(exception.from), end: zone.instant(exception.until) };
        if let Some(said) = said(&exception.says, place).filter(|_| when.contains(now)) {
            return said;
        }
    }
    for pattern in sources.patterns.iter().rev() {
        for round in 0..60 {
            for shift in &pattern.shifts {
                let minute = |minute| pattern.from.monday().at(round * pattern.cycle() + minute);
                let starts = minute(shift.start).date();
                let in_force = pattern.from <= starts && pattern.until.is_none_or(|until| starts < until);
                let (start, end) = (zone.instant(minute(shift.start)), zone.instant(minute(shift.end)));
                if !in_force || now < start || end <= now {
                    continue;
                }
                let says = match pattern.place {
                    None => Says::Team(shift.team.clone()),
                    Some(place) => Says::Place { place, person: shift.team.people().first().copied() },
                };
                if let Some(said) = said(&says, place) {
                    return said;
                }
            }
        }
    }
    let imported = |shift: &&Imported| shift.place == place && shift.when.contains(now);
    sources.imported.iter().find(imported).map(|shift| shift.person)
}

#[test]
fn a_rota_says_what_its_entries_say() {
    for seed in 0..24 {
        let mut random = Random(seed);
        let rota = some_rota(&mut random);
        let zone = &rota.sources().zone;
        let first = date(FROM.0, FROM.1, FROM.2);
        let (from, until) = (at(zone, first, 0, 0), at(zone, first.after(130), 0, 0));
        let mut instants: Vec<Wall> = (0..20).map(|_| random.between(from, until)).collect();
        let bounds = rota.timeline(from, until).map(|(when, _)| when.start);
        instants.extend(bounds.filter(|_| random.below(4) == 0).flat_map(|at| [at, Wall(at.0 - 1)]));
        for now in instants {
            let holders = rota.holders_at(now);
            for place in Place::all().take(3) {
                let found = holders.by_place().iter().find(|holder| holder.place == place);
                assert_eq!(
                    found.map(|holder| holder.person),
                    model(&rota, now, place),
                    "seed {seed}, {now:?}"
                );
            }
        }
    }
}

#[test]
fn the_next_change_is_where_the_timeline_changes() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let rota = some_rota(&mut random);
        let zone = &rota.sources().zone;
        let first = date(FROM.0, FROM.1, FROM.2);
        let (from, until) = (at(zone, first, 0, 0), at(zone, first.after(130), 0, 0));
        for _ in 0..10 {
            let now = random.between(Wall(from.0 - 86_400_000 * 500), until);
            let mut line = rota.timeline(now, Wall(until.0 + 86_400_000 * 800)).skip(1);
            let expected = line.next().map(|(when, _)| when.start);
            assert_eq!(rota.next_change_after(now), expected, "seed {seed}, {now:?}");
        }
    }
}

#[test]
fn gaps_are_when_nobody_holds_it() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let rota = some_rota(&mut random);
        let first = at(&rota.sources().zone, date(FROM.0, FROM.1, FROM.2), 0, 0);
        let gaps: Vec<Interval> = rota.gaps_ahead(first).collect();
        let end = first.after(limits::ROTA_AHEAD_MS);
        for _ in 0..40 {
            let now = random.between(first, end);
            let is_gap = gaps.iter().any(|gap| gap.contains(now));
            assert_eq!(rota.holders_at(now).is_nobody(), is_gap, "seed {seed}, {now:?}");
        }
        assert!(gaps.windows(2).all(|pair| pair[0].end < pair[1].start));
        assert!(gaps.iter().all(|gap| first <= gap.start && gap.start < gap.end && gap.end <= end));
    }
}

#[test]
fn what_is_over_can_go() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let rota = some_rota(&mut random);
        let zone = &rota.sources().zone;
        let first = date(FROM.0, FROM.1, FROM.2);
        let (from, until) = (at(zone, first, 0, 0), at(zone, first.after(130), 0, 0));
        let before = random.between(from, until);
        let shorter = rota.without_before(before);
        let both = [&rota, &shorter].map(|rota| rota.timeline(before, until).collect::<Vec<_>>());
        assert_eq!(both[0], both[1], "seed {seed}");
        let over = rota.without_before(Wall(i64::MAX));
        let left = over.sources();
        assert!(left.exceptions.is_empty() && left.by_hand.is_empty() && left.imported.is_empty());
        assert!(left.patterns.iter().all(|pattern| pattern.until.is_none()));
    }
}

/// The order of what each source says of one evening.
#[test]
fn the_stronger_source_decides() {
    let berlin = zone("Europe/Berlin");
    let eve = date(2026, 12, 24);
    let when = Interval { start: at(&berlin, eve, 0, 0), end: at(&berlin, eve.after(2), 0, 0) };
    let mut sources = Sources::new(berlin.clone());
    let mut holds = |change: &dyn Fn(&mut Sources)| {
        change(&mut sources);
        let rota = Rota::new(sources.clone()).expect("a rota");
        rota.holders_at(at(&berlin, eve, 22, 0)).people().map(PersonId::value).collect::<Vec<_>>()
    };
    assert_eq!(holds(&|_| {}), []);
    let imported = |place, who| Imported { place, when, person: person(who) };
    assert_eq!(holds(&|it| it.imported.push(imported(Place::FIRST, 9))), [9]);
    assert_eq!(holds(&|it| it.imported.push(imported(Place::BACKUP, 8))), [9, 8]);
    let mut pattern = daily(date(2026, 1, 1), &[7, 19]);
    pattern.place = Some(Place::FIRST);
    assert_eq!(
        holds(&|it| it.patterns.push(pattern.clone())),
        [2, 8],
        "a place of a pattern, the other's import"
    );
    let on = |says| Exception::on(eve, 19 * 60, 7 * 60, says);
    let one = Says::Place { place: Place::FIRST, person: Some(person(5)) };
    assert_eq!(holds(&|it| it.exceptions.push(on(one.clone()))), [5, 8]);
    assert_eq!(holds(&|it| it.exceptions.push(on(Says::Team(Team::one(person(6)))))), [6], "and nobody else");
    assert_eq!(holds(&|it| it.exceptions.push(on(Says::Team(Team::NOBODY)))), []);
    let says = Says::Place { place: Place::BACKUP, person: Some(person(7)) };
    assert_eq!(holds(&|it| it.by_hand.push(ByHand { when, says: says.clone() })), [7], "the backup alone");
    let says = Says::Team(Team::new(vec![person(4), person(3)]).expect("two"));
    assert_eq!(holds(&|it| it.by_hand.push(ByHand { when, says: says.clone() })), [4, 3]);
    let rota = Rota::new(sources).expect("a rota");
    let first_at = |day, hour| rota.holders_at(at(&berlin, day, hour, 0)).people().next();
    assert_eq!(first_at(eve.after(2), 0), Some(person(2)), "by hand it is until then, and no longer");
    assert_eq!(first_at(eve.after(2), 7), Some(person(1)));
}

#[test]
fn a_rota_that_never_changes_says_so_and_one_that_does_late_too() {
    let berlin = zone("Europe/Berlin");
    let whole = (Weekday::Monday, 0);
    let shifts = vec![Shift::weekly(0, whole, whole, Team::one(person(1)))];
    let pattern = Pattern { from: date(2026, 1, 5), until: None, weeks: 1, place: None, shifts };
    let mut sources = Sources::new(berlin.clone());
    sources.patterns.push(pattern);
    let now = at(&berlin, date(2026, 11, 26), 12, 0);
    assert_eq!(Rota::new(sources.clone()).expect("a rota").next_change_after(now), None);
    assert_eq!(Rota::new(Sources::new(berlin.clone())).expect("a rota").next_change_after(now), None);
    let late = date(2061, 5, 5);
    sources.exceptions.push(Exception::on(late, 60, 120, Says::Team(Team::NOBODY)));
    let rota = Rota::new(sources).expect("a rota");
    assert_eq!(rota.next_change_after(now), Some(at(&berlin, late, 1, 0)));
    assert_eq!(rota.next_change_after(at(&berlin, late, 1, 0)), Some(at(&berlin, late, 2, 0)));
    assert_eq!(rota.next_change_after(at(&berlin, late, 2, 0)), None);
    // The ends of time.
    assert_eq!(rota.timeline(Wall(i64::MIN), Wall(i64::MAX)).count(), 5);
    assert_eq!(rota.timeline(now, now).count(), 0);
    assert!(rota.holders_at(Wall(i64::MAX)).is_nobody() && rota.holders_at(Wall(i64::MIN)).is_nobody());
    assert_eq!(rota.next_change_after(Wall(i64::MAX)), None);
    assert_eq!(rota.next_change_after(Wall(i64::MIN)), Some(at(&berlin, date(2026, 1, 5), 0, 0)));
}

/// A shift that a change of the clock swallows in the turn that is looked at comes again in the next.
#[test]
fn a_shift_within_a_skipped_hour_is_not_taken_for_none() {
    let berlin = zone("Europe/Berlin");
    let jump = date(2026, 3, 29);
    for weeks in 1..=limits::ROTA_WEEKS_MAX {
        let turn = u16::from(weeks) * 7;
        // Sunday from two to three, in the first week of the turn; then somebody else, a week at a time.
        let (two, three) = (6 * 1_440 + 120, 6 * 1_440 + 180);
        let end = two + u32::from(turn) * 1_440;
        let mut shifts = vec![Shift { start: two, end: three, team: Team::one(person(2)) }];
        for start in (three..u32::from(turn) * 1_440).step_by(7 * 1_440) {
            let end = end.min(start + 7 * 1_440);
            shifts.push(Shift { start, end, team: Team::one(person(1)) });
        }
        // A turn before: its Sunday is over, the next one is swallowed.
        let from = Date::from_days(jump.monday().days() - turn);
        let pattern = Pattern { from, until: None, weeks, place: None, shifts };
        let now = at(&berlin, Date::from_days(jump.days() - turn), 4, 0);
        let again = at(&berlin, jump.after(turn), 2, 0);
        assert_eq!(rota(&berlin, vec![pattern]).next_change_after(now), Some(again), "{weeks} weeks");
    }
}
