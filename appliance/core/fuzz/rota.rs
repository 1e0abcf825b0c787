//! A rota of the store: never a panic, one form only, and one answer however it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardline_core::rota::Rota;
use wardline_core::time::Wall;

fuzz_target!(|bytes: &[u8]| {
    let Ok(rota) = minicbor::decode::<Rota>(bytes) else { return };
    let canonical = minicbor::to_vec(&rota).expect("into memory");
    let again: Rota = minicbor::decode(&canonical).expect("canonical bytes are read");
    assert!(again == rota, "another rota after one round");
    // From the input's last bytes: an instant of the calendar's hundred years.
    let tail = bytes.iter().rev().take(8).fold(0u64, |all, byte| all << 8 | u64::from(*byte));
    let now = Wall(946_000_000_000 + (tail % 3_156_000_000_000) as i64);
    let until = now.after(40 * 86_400_000);
    let line: Vec<_> = rota.timeline(now, until).take(200).collect();
    assert!(line.first().is_some_and(|(when, _)| when.start == now));
    for pair in line.windows(2) {
        assert!(pair[0].0.end == pair[1].0.start && pair[0].1 != pair[1].1);
    }
    for (when, holders) in &line {
        assert!(when.start < when.end && rota.holders_at(when.start) == *holders);
    }
    let change = line.get(1).map(|(when, _)| when.start);
    let next = rota.next_change_after(now);
    assert!(change.is_none() || next == change);
    let shorter = rota.without_before(now);
    assert!(shorter.timeline(now, until).take(200).eq(line));
});
