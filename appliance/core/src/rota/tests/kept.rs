//! As it is kept.

use super::model::some_rota;
use super::*;

fn round(rota: &Rota) -> Vec<u8> {
    let bytes = minicbor::to_vec(rota).expect("into memory");
    let again: Rota = minicbor::decode(&bytes).expect("what was written is read");
    assert_eq!(again, *rota);
    assert_eq!(minicbor::to_vec(&again).expect("into memory"), bytes, "one form only");
    bytes
}

#[test]
fn a_rota_comes_back_as_it_was() {
    for seed in 0..500 {
        let rota = some_rota(&mut Random(seed));
        round(&rota);
        let now = at(&rota.sources().zone, date(2026, 10, 1), 0, 0);
        let holders = rota.holders_at(now);
        let bytes = minicbor::to_vec(&holders).expect("into memory");
        assert_eq!(minicbor::decode::<Holders>(&bytes).expect("what was written is read"), holders);
    }
}

/// Bytes of today, for ever: indices are only appended.
#[test]
fn old_bytes_are_read_and_written_as_ever() {
    let berlin = zone("Europe/Berlin");
    let (night, morning) = ((Weekday::Sunday, 19 * 60), (Weekday::Monday, 7 * 60));
    let shift = Shift::weekly(1, night, morning, Team::one(person(1)));
    let (from, until) = (date(2026, 11, 23), Some(date(2027, 1, 4)));
    let pattern = Pattern { from, until, weeks: 2, place: Some(Place::BACKUP), shifts: vec![shift] };
    let when = Interval { start: at(&berlin, from, 7, 0), end: at(&berlin, from, 19, 0) };
    let nobody = Says::Team(Team::NOBODY);
    let sources = Sources {
        zone: berlin,
        patterns: vec![pattern],
        imported: vec![Imported { place: Place::FIRST, when, person: person(2) }],
        exceptions: vec![Exception::on(date(2026, 12, 24), 19 * 60, 7 * 60, nobody)],
        by_hand: vec![ByHand { when, says: Says::Place { place: Place::FIRST, person: Some(person(3)) } }],
        imported_until: None,
    };
    let bytes = round(&Rota::new(sources).expect("a rota"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, FROZEN);
}

const FROZEN: &str = "856d4575726f70652f4265726c696e818519512c19515602018183194d941950648101818300821b000001a206fd67001b000001a2099095000281831a01c94a541a01c94d24820081808182821b000001a206fd67001b000001a2099095008201820003";

#[test]
fn what_cannot_be_is_not_read() {
    let berlin = zone("Europe/Berlin");
    let mut sources = Sources::new(berlin);
    sources.patterns = vec![daily(date(2026, 1, 1), &[7, 19])];
    sources.patterns[0].weeks = 9;
    assert!(minicbor::decode::<Rota>(&minicbor::to_vec(&sources).expect("into memory")).is_err());
    assert!(minicbor::decode::<Place>(&[16]).is_err());
    assert!(minicbor::decode::<Team>(&[0x82, 1, 1]).is_err(), "nobody is in a team twice");
    assert!(minicbor::decode::<TimeZone>(b"\x61X").is_err());
    assert!(minicbor::decode::<Holders>(&[0x82, 0x82, 1, 1, 0x82, 0, 1]).is_err());
}

/// The sums of `limits.rs`.
#[test]
fn the_largest_rota_is_as_large_as_the_sum_says() {
    let most = u64::from(u32::MAX) << 31;
    let team =
        |first: u64| Team::new((0..16).map(|one| person(most - first - one)).collect()).expect("sixteen");
    let whole = Says::Team(team(0));
    let mut sources = Sources::new(zone("America/Argentina/ComodRivadavia"));
    let day = |days: usize| date(2099, 1, 1).after(days as u16);
    for which in 0..limits::ROTA_PATTERNS_MAX {
        let shifts = (0..limits::ROTA_SHIFTS_MAX / limits::ROTA_PATTERNS_MAX).map(|shift| {
            let start = 70_000 + shift as u32 * 60;
            Shift { start, end: start + 60, team: team(shift as u64) }
        });
        let until = Some(day(which + 1));
        let pattern = Pattern { from: day(which), until, weeks: 8, place: None, shifts: shifts.collect() };
        sources.patterns.push(pattern);
    }
    for which in 0..limits::ROTA_EXCEPTIONS_MAX {
        sources.exceptions.push(Exception::on(day(which), 60, 120, whole.clone()));
    }
    let when = |which: usize| Interval {
        start: Wall(4_000_000_000_000 + which as i64),
        end: Wall(4_000_000_000_001 + which as i64),
    };
    for which in 0..limits::ROTA_BY_HAND_MAX {
        sources.by_hand.push(ByHand { when: when(which), says: whole.clone() });
    }
    let before = round(&Rota::new(sources.clone()).expect("a rota")).len();
    assert!(before <= 217_000, "162 + 42 + 11 + 1 kB: {before}");
    let place = Place::new(15).expect("the last");
    for which in 0..limits::ROTA_IMPORTED_MAX {
        sources.imported.push(Imported { place, when: when(which), person: person(most) });
    }
    let all = round(&Rota::new(sources).expect("a rota")).len();
    assert!(all - before <= 254_000, "254 kB of imported shifts: {}", all - before);
    assert!(all <= limits::ROTA_BYTES_MAX);
    let ordinary = round(&rota(
        &zone("Europe/Berlin"),
        vec![{
            let mut pattern = daily(date(2026, 1, 1), &[7, 19]);
            pattern.shifts.truncate(6);
            pattern
        }],
    ));
    assert!(ordinary.len() <= 200, "{}", ordinary.len());
}
