//! Another program's calendar: never a panic; what is read, a rota takes; what is refused, is refused at one of its lines, in
//! words that say nothing of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::ids::PersonId;
use wardline_core::rota::calendar::{CalendarFault, import};
use wardline_core::rota::{Rota, Sources, TimeZone};
use wardline_core::time::Wall;

/// As the vectors have it: 2026-11-26 00:00 UTC.
const FROM: Wall = Wall(1_795_651_200_000);

fuzz_target!(|bytes: &[u8]| {
    let zone = TimeZone::parse("Europe/Berlin").expect("a zone");
    // A few people, by what they are called.
    let person = |key: &str| PersonId::new(u64::from(key.bytes().fold(0, u8::wrapping_add) % 5));
    match import(bytes, &zone, FROM, person) {
        Ok(import) => {
            assert!(import.shifts.iter().all(|it| FROM <= it.when.start && it.when.end <= import.until));
            let mut sources = Sources::new(zone);
            sources.imported = import.shifts;
            let rota = Rota::new(sources).expect("a rota of it");
            let held = rota.timeline(FROM, import.until).filter(|(_, holders)| !holders.is_nobody()).count();
            assert_eq!(held == 0, rota.sources().imported.is_empty());
        }
        Err(refusal) => {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(refusal.line >= 1 && refusal.line as usize <= lines);
            // All but a zone's name are words of ours.
            if !matches!(refusal.fault, CalendarFault::Zone(_)) {
                assert!(refusal.to_string().len() < 300);
            }
            assert!(refusal.to_string().chars().all(|letter| !letter.is_control()));
        }
    }
});
