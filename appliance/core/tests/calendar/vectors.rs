//! Against other writers and another reader (`vectors/calendar/make.py`), and by hand.
#![expect(clippy::disallowed_methods, reason = "a test reads the vectors that it holds the code against")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wardline_core::rota::{Rota, Sources};

use super::*;

fn folder() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("vectors/calendar")
}

/// Name, facility's zone, calendar, and a line for each stretch of one person's: START END WHO.
fn vectors() -> Vec<(String, TimeZone, Vec<u8>, Vec<String>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the vectors") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "ics") {
            let shifts = std::fs::read_to_string(path.with_extension("shifts")).expect("what it comes to");
            let (zone_name, shifts) = shifts.split_once('\n').expect("a zone's name");
            let shifts = shifts.lines().map(str::to_owned).collect();
            let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
            found.push((name, zone(zone_name), std::fs::read(&path).expect("it is there"), shifts));
        }
    }
    found.sort_by(|one, next| one.0.cmp(&next.0));
    found
}

#[test]
fn another_reader_finds_the_same_shifts() {
    let vectors = vectors();
    assert!(vectors.len() >= 18, "{} vectors", vectors.len());
    let mut all = 0;
    for (name, zone, calendar, expected) in vectors {
        let import =
            import(&calendar, &zone, FROM, person).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let mut shifts: Vec<_> =
            import.shifts.iter().map(|it| (it.when.start, it.when.end, it.person)).collect();
        shifts.sort();
        let line = |(start, end, person): &(Wall, Wall, PersonId)| {
            format!("{} {} {}", start.0, end.0, PEOPLE[person.value() as usize - 1])
        };
        let found: Vec<String> = shifts.iter().map(line).collect();
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "{name}, shift {at}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
        all += found.len();
        // And a rota takes them.
        let mut sources = Sources::new(zone);
        sources.imported = import.shifts.clone();
        assert_eq!(Rota::new(sources).expect("a rota").sources().imported, import.shifts, "in order already");
    }
    assert!(all > 2_000, "{all} shifts");
}

/// The same calendar with other ends of lines, and folded at every other byte, within letters too.
#[test]
fn lines_end_and_fold_as_they_like() {
    for (name, zone, calendar, _) in vectors() {
        let expected = import(&calendar, &zone, FROM, person);
        let text = String::from_utf8(calendar).expect("UTF-8");
        let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let lf = text.replace("\r\n", "\n");
        assert_eq!(import(crlf.as_bytes(), &zone, FROM, person), expected, "{name}");
        assert_eq!(import(lf.as_bytes(), &zone, FROM, person), expected, "{name}");
        let mut folded = Vec::new();
        for line in lf.replace("\n ", "").lines() {
            for (at, byte) in line.bytes().enumerate() {
                folded.push(byte);
                if at % 3 == 2 {
                    folded.extend(b"\r\n\t");
                }
            }
            folded.extend(b"\r\n");
        }
        let folded =
            import(&folded, &zone, FROM, person).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(Ok(folded), expected, "{name}");
    }
}

/// The night shift of a whole year and the day shift of another rule meet, over both changes of the clock.
#[test]
fn shifts_that_meet_on_the_wall_leave_no_gap() {
    let (_, zone, calendar, _) =
        vectors().into_iter().find(|(name, ..)| name == "as_apple.ics").expect("it is there");
    let import = import(&calendar, &zone, FROM, person).expect("it is read");
    assert!(import.shifts.iter().all(|shift| shift.place.value() == 0), "no overlap");
    let mut sources = Sources::new(zone);
    sources.imported = import.shifts;
    let rota = Rota::new(sources).expect("a rota");
    assert_eq!(rota.gaps(FROM, import.until).next(), None);
}

#[test]
fn places_are_given_as_they_become_free() {
    let event = |day: u8, from: &str, length: &str, who: &str| {
        format!("DTSTART:202612{day:02}T{from}00\nDURATION:{length}\nSUMMARY:{who}@ward.example")
    };
    let (one, two) = (event(1, "07", "PT12H30M", "ana"), event(1, "19", "PT12H30M", "ben"));
    let (three, four) = (event(2, "07", "PT12H", "ana"), event(2, "07", "PT1H", "chi"));
    let events = [&four, &three, &two, &one].map(|it| it.replace("00\nDUR", "0000\nDUR"));
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let day = 5.0 * 24.0;
    // In the order of the calendar where two begin together; the first place first.
    assert_eq!(
        hours(&events),
        [
            (0, day + 7.0, 12.5, 1),
            (0, day + 31.0, 1.0, 3),
            (1, day + 19.0, 12.5, 2),
            (2, day + 31.0, 12.0, 1)
        ]
    );
}

#[test]
fn who_takes_part() {
    let with = |lines: &str| hours(&[&format!("DTSTART:20261127T000000\nDURATION:PT1H\n{lines}")]);
    let people = |lines: &str| with(lines).into_iter().map(|shift| shift.3).collect::<Vec<_>>();
    assert_eq!(people("SUMMARY:  ANA@ward.example "), [1]);
    assert_eq!(people("SUMMARY:no such\nATTENDEE:mailto:ben@ward.example"), [2]);
    assert_eq!(
        people("ATTENDEE:MAILTO:dov@ward.example\nATTENDEE;ROLE=OPT-PARTICIPANT:mailto:ana@ward.example"),
        [4, 1]
    );
    assert_eq!(people("ATTENDEE:mailto:ana@ward.example\nATTENDEE:mailto:ANA@ward.example"), [1], "once");
    assert_eq!(people("ATTENDEE;PARTSTAT=DECLINED:mailto:x\nATTENDEE:mailto:chi@ward.example"), [3]);
    assert_eq!(people("ATTENDEE;ROLE=NON-PARTICIPANT:mailto:x\nATTENDEE:mailto:chi@ward.example"), [3]);
    assert_eq!(people("ATTENDEE;CN=\"a:b;c,d\";EMAIL=ben@ward.example:urn:uuid:1"), [2]);
    // Who left is asked for only where they have a shift.
    let past = "DTSTART:20200101T000000\nDURATION:PT1H\nSUMMARY:gone";
    assert_eq!(hours(&[past]), []);
}

#[test]
fn what_becomes_of_occurrences() {
    let nights = "UID:1\nDTSTART;TZID=Europe/Berlin:20261126T190000\nDTEND;TZID=Europe/Berlin:20261127T070000\n\
         RRULE:FREQ=DAILY;COUNT=5\nSUMMARY:ana@ward.example";
    let starts = |events: &[&str]| hours(events).iter().map(|shift| (shift.1, shift.3)).collect::<Vec<_>>();
    assert_eq!(starts(&[nights]).len(), 5);
    let without = format!("{nights}\nEXDATE:20261127T180000Z,20261128T180000Z");
    assert_eq!(
        starts(&[&without]),
        [(19.0, 1), (91.0, 1), (115.0, 1)],
        "an EXDATE in another zone counts, and COUNT too"
    );
    let other = "UID:1\nRECURRENCE-ID:20261127T180000Z\nDTSTART:20261127T200000\nDTEND:20261127T230000\nSUMMARY:ben@ward.example";
    assert_eq!(starts(&[other, nights]), [(19.0, 1), (44.0, 2), (67.0, 1), (91.0, 1), (115.0, 1)]);
    let cancelled = format!("{other}\nSTATUS:CANCELLED");
    assert_eq!(starts(&[nights, &cancelled]), [(19.0, 1), (67.0, 1), (91.0, 1), (115.0, 1)]);
    let bare = "UID:1\nRECURRENCE-ID:20261127T180000Z\nDTSTART:20261127T190000\nSTATUS:CANCELLED";
    assert_eq!(starts(&[nights, bare]), [(19.0, 1), (67.0, 1), (91.0, 1), (115.0, 1)], "no end, and nobody");
    let all = format!("{nights}\nSTATUS:cancelled");
    assert_eq!(starts(&[&all, other]), [], "of a series that is cancelled nothing is left");
    assert_eq!(starts(&[other]), [(44.0, 2)], "an export may have the one alone");
}

/// Seven hours in the night of the change, whichever zone its end is said in; what is said as eight hours is eight.
#[test]
fn what_comes_again_ends_by_the_wall() {
    let night = |end: &str| {
        let event = format!(
            "DTSTART;TZID=Europe/Berlin:20270325T230000\n{end}\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:ana@ward.example"
        );
        hours(&[&event]).iter().map(|shift| shift.2).collect::<Vec<_>>()
    };
    for end in
        ["TZID=Europe/Berlin:20270326T070000", "X-UTC=1:20270326T060000Z", "TZID=Asia/Tokyo:20270326T150000"]
    {
        assert_eq!(night(&format!("DTEND;{end}")), [8.0, 8.0, 7.0, 8.0, 8.0], "{end}");
    }
    assert_eq!(night("DURATION:PT8H"), [8.0; 5]);
    assert_eq!(night("DURATION:P1D"), [119.0], "five days that meet, one of 23 hours");
}

#[test]
fn only_the_days_ahead_are_read() {
    let ever = "DTSTART;VALUE=DATE:19990101\nRRULE:FREQ=DAILY\nSUMMARY:ana@ward.example";
    let zone = zone("UTC");
    let import = import(calendar(&[ever]).as_bytes(), &zone, FROM, person).expect("it is read");
    assert_eq!(import.until, Wall(FROM.0 + 400 * 86_400_000));
    let one = import.shifts.first().expect("all of it, put together");
    assert_eq!((import.shifts.len(), one.when.start, one.when.end), (1, FROM, import.until));
    for from in [i64::MIN, -1, i64::MAX] {
        assert!(
            wardline_core::rota::calendar::import(calendar(&[ever]).as_bytes(), &zone, Wall(from), person)
                .is_ok()
        );
    }
}

proptest! {
    /// Any bytes, and any change to a calendar, give shifts or a refusal of one of its lines.
    #[test]
    fn anything_is_read_or_refused(which in 0usize..18, at in any::<prop::sample::Index>(), with in "[\\x00-\\xff]{0,12}", cut in 0usize..40) {
        let (_, zone, mut calendar, _) = vectors().swap_remove(which);
        let at = at.index(calendar.len());
        let end = (at + cut).min(calendar.len());
        calendar.splice(at..end, with.into_bytes());
        if let Err(refusal) = import(&calendar, &zone, FROM, |_| PersonId::new(1)) {
            let lines = calendar.split(|byte| *byte == b'\n').count();
            prop_assert!(refusal.line >= 1 && refusal.line as usize <= lines, "{refusal} of {lines}");
        }
    }
}
