//! What is not read, and what is said of it: a line, what to do, and nothing of the calendar's text.

use wardline_core::limits;
use wardline_core::rota::calendar::CalendarFault as Fault;

use super::*;

/// Begins in line 5: BEGIN, VERSION, PRODID and BEGIN stand before.
const WHEN: &str = "DTSTART:20261127T000000\nDTEND:20261127T010000\nSUMMARY:ana@ward.example";

fn refused(text: &str) -> (u32, Fault) {
    let refusal = read(text.as_bytes()).expect_err("it cannot be read");
    let words = refusal.to_string();
    for secret in ["SECRET", "ward.example"] {
        assert!(!words.contains(secret), "{words}");
    }
    (refusal.line, refusal.fault)
}

fn of_event(lines: &str) -> (u32, Fault) {
    refused(&calendar(&[lines]))
}

/// A rule of an event that begins on a Friday.
fn of_rule(rule: &str) -> Fault {
    let (line, fault) = of_event(&format!("{WHEN}\nRRULE:{rule}"));
    assert_eq!(line, 8);
    fault
}

#[test]
fn a_file_that_is_no_calendar() {
    assert_eq!(refused(""), (1, Fault::CutOff));
    assert_eq!(refused("\n\n"), (1, Fault::CutOff));
    assert_eq!(refused("SECRET"), (1, Fault::NotALine));
    assert_eq!(refused("\0\u{1}"), (1, Fault::NotALine));
    assert_eq!(refused("<html>SECRET"), (1, Fault::NotALine));
    assert_eq!(refused("X-A:SECRET\nBEGIN:VCALENDAR\n"), (1, Fault::CutOff));
    assert_eq!(refused("BEGIN:VCARD\nEND:VCARD\n"), (1, Fault::CutOff));
    assert_eq!(refused("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), (2, Fault::Version));
    assert_eq!(refused("BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR\n"), (2, Fault::Version));
    assert_eq!(refused("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VEVENT\n"), (3, Fault::NotPaired));
    assert_eq!(refused("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:CANCEL\n"), (3, Fault::Method));
    assert_eq!(refused("BEGIN:VCALENDAR\nVERSION:2.0\nCALSCALE:JULIAN\n"), (3, Fault::Scale));
    let whole = calendar(&[WHEN]);
    for (at, _) in whole.match_indices("\r\n").skip(1).take(7) {
        let (_, fault) = refused(&whole[..at]);
        assert!(matches!(fault, Fault::CutOff), "{fault}");
    }
    assert_eq!(refused(&whole.replace("SUMMARY", "SECRET SUMMARY")), (7, Fault::NotALine));
    assert_eq!(refused(&whole.replace("SUMMARY:", "SUMMARY;X:a=b:")), (7, Fault::NotALine));
    assert_eq!(refused(&whole.replace("SUMMARY:", "SUMMARY;X=\"a:")), (7, Fault::NotALine));
    assert_eq!(refused(&whole.replace("SUMMARY:", "SUMMARY;X=\"a\"b:")), (7, Fault::NotALine));
    assert!(read(&[whole.as_bytes(), b"\r\n\r\n"].concat()).is_ok(), "blank lines are nothing");
    assert!(read(whole.repeat(2).as_bytes()).is_ok(), "a file may hold several");
}

#[test]
fn an_event_that_is_not_whole() {
    assert_eq!(of_event("SUMMARY:ana@ward.example"), (4, Fault::Missing("DTSTART")));
    assert_eq!(of_event("DTSTART:20261127T000000\nSUMMARY:x"), (4, Fault::Missing("DTEND")));
    assert_eq!(of_event("DTSTART:20261127T000000\nDTEND:20261127T010000"), (4, Fault::Nobody));
    assert_eq!(of_event(&format!("{WHEN}\nATTENDEE;PARTSTAT=DECLINED:mailto:x")), (4, Fault::Nobody));
    assert_eq!(of_event(&format!("{WHEN}\nDTEND:20261127T020000")), (8, Fault::Twice("DTEND")));
    assert_eq!(of_event(&format!("{WHEN}\nDURATION:PT1H")), (6, Fault::Twice("DTEND or DURATION")));
    assert_eq!(of_event(&format!("{WHEN}\nRECURRENCE-ID:20261127T000000")), (4, Fault::Missing("UID")));
    assert_eq!(of_event(&format!("{WHEN}\nATTENDEE:urn:SECRET")), (8, Fault::Address));
    assert_eq!(of_event(&format!("{WHEN}\nATTENDEE:mailto:SECRET")), (8, Fault::Unknown("ATTENDEE")));
    assert_eq!(of_event(&WHEN.replace("ana@", "SECRET@")), (7, Fault::Unknown("SUMMARY")));
    let crowd: String = (0..17).map(|one| format!("\nATTENDEE:mailto:{one}")).collect();
    assert_eq!(of_event(&format!("{WHEN}{crowd}")), (4, Fault::TooManyPeople));
    assert_eq!(
        refused(&calendar(&[&format!("UID:1\n{WHEN}"), &format!("UID:1\n{WHEN}")])),
        (10, Fault::SameEvent)
    );
    let instead = format!("UID:1\nRECURRENCE-ID:20261127T000000\n{WHEN}");
    assert_eq!(refused(&calendar(&[&instead, &instead])), (11, Fault::SameOccurrence));
}

#[test]
fn times_that_are_none() {
    let dtstart = |start: &str| of_event(&format!("DTSTART{start}\nDURATION:PT1H\nSUMMARY:ana@ward.example"));
    for none in [
        ":20261127",
        ":20261327T000000",
        ":20261127T240000",
        ":20261127T00000",
        ":20261127T000060",
        ":SECRET",
        ":",
        ":2026112\u{e9}T000000",
    ] {
        assert_eq!(dtstart(none), (5, Fault::Value("DTSTART")), "{none}");
    }
    assert_eq!(dtstart(";TZID=Europe/Berlin:20261127T000000Z"), (5, Fault::Value("DTSTART")));
    assert_eq!(dtstart(";VALUE=DATE:20261127"), (6, Fault::KindsDiffer("DURATION")));
    assert_eq!(dtstart(":19691231T000000"), (5, Fault::Value("DTSTART")));
    assert_eq!(dtstart(":21000101T000000"), (5, Fault::Value("DTSTART")));
    let dtend =
        |end: &str| of_event(&format!("DTSTART:20261127T000000\nDTEND{end}\nSUMMARY:ana@ward.example"));
    assert_eq!(dtend(":20261127T000000"), (6, Fault::EndsFirst));
    assert_eq!(dtend(":20261126T235959"), (6, Fault::EndsFirst));
    assert_eq!(dtend(":20261228T000001"), (6, Fault::TooLongEvent));
    assert_eq!(dtend(";VALUE=DATE:20261128"), (6, Fault::KindsDiffer("DTEND")));
    for none in
        ["1H", "P", "PT", "PT1", "P1H", "PT1D", "-PT1H", "PT1H1H", "PT1M1H", "P1Y", "PT12345678S", "P1W1D"]
    {
        let event = format!("DTSTART:20261127T000000\nDURATION:{none}\nSUMMARY:ana@ward.example");
        assert_eq!(of_event(&event), (6, Fault::Value("DURATION")), "{none}");
    }
    assert_eq!(of_event("DTSTART:20261127T000000\nDURATION:PT0S\nSUMMARY:x"), (6, Fault::EndsFirst));
    assert_eq!(of_event(&format!("{WHEN}\nEXDATE;VALUE=DATE:20261127")), (8, Fault::KindsDiffer("EXDATE")));
    assert_eq!(of_event(&format!("{WHEN}\nEXDATE:20261127T000000,")), (8, Fault::Value("EXDATE")));
    let (series, day) = (format!("UID:1\n{WHEN}"), "UID:1\nRECURRENCE-ID;VALUE=DATE:20261127\n");
    assert_eq!(
        refused(&calendar(&[&series, &format!("{day}{WHEN}")])),
        (10, Fault::KindsDiffer("RECURRENCE-ID"))
    );
}

#[test]
fn rules_that_are_not_read() {
    let other = Fault::NotSupported("this RRULE");
    for rule in [
        "FREQ=MONTHLY",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=WEEKLY;BYDAY=1FR",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=DAILY;BYHOUR=3",
        "RSCALE=HEBREW;FREQ=DAILY",
    ] {
        assert_eq!(of_rule(rule), other, "{rule}");
    }
    let cannot = Fault::Value("RRULE");
    for rule in [
        "",
        "INTERVAL=2",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=3;UNTIL=20270101T000000Z",
        "FREQ=DAILY;UNTIL=SECRET",
        "FREQ=DAILY;WKST=XX",
        "FREQ=DAILY;",
        "SECRET",
    ] {
        assert_eq!(of_rule(rule), cannot, "{rule}");
    }
    assert_eq!(of_rule("FREQ=WEEKLY;BYDAY=MO"), Fault::RuleFirst);
    assert_eq!(of_event(&format!("{WHEN}\nRDATE:20261128T000000")), (8, Fault::NotSupported("RDATE")));
    assert_eq!(of_event(&format!("{WHEN}\nEXRULE:FREQ=DAILY")), (8, Fault::NotSupported("EXRULE")));
    let range = format!("{WHEN}\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261127T000000");
    assert_eq!(of_event(&range), (9, Fault::NotSupported("RANGE")));
    let both = format!("{WHEN}\nUID:1\nRECURRENCE-ID:20261127T000000\nRRULE:FREQ=DAILY");
    assert_eq!(of_event(&both), (9, Fault::NotSupported("an RRULE beside RECURRENCE-ID")));
    // The end of all days is one.
    let ever = format!("{WHEN}\nRRULE:FREQ=DAILY;UNTIL=99991231T235959Z");
    assert_eq!(hours(&[&ever]).len(), 400);
}

#[test]
fn zones_that_are_none_are_named() {
    let event =
        |zone: &str| format!("DTSTART;TZID={zone}:20261127T000000\nDURATION:PT1H\nSUMMARY:ana@ward.example");
    let refusal = read(calendar(&[&event("W. Europe Standard Time")]).as_bytes()).expect_err("no IANA name");
    assert_eq!(
        refusal.to_string(),
        "Line 5 of the calendar: the time zone \"W. Europe Standard Time\" is none of the IANA database (they look \
         like Europe/Berlin). Outlook and Exchange write names of their own: import the calendar into another program, such as \
         Thunderbird or Google Calendar, export it from there, and import that file here."
    );
    let long =
        read(calendar(&[&event(&format!("\"\u{e9}{}\"", "x".repeat(500)))]).as_bytes()).expect_err("no zone");
    assert!(long.to_string().contains(&format!("\"?{}\"", "x".repeat(63))), "{long}");
    assert!(read(calendar(&[&event("\"Europe/Berlin\"")]).as_bytes()).is_ok());
    // Of a zone that no event is in, nothing is asked.
    let unused = calendar(&[WHEN])
        .replace("BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:None\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT");
    assert!(read(unused.as_bytes()).is_ok());
}

#[test]
fn more_than_the_bounds() {
    let (line, fault) = refused(&("\n".repeat(limits::CALENDAR_BYTES_MAX) + "SECRET"));
    assert_eq!((line as usize, fault), (limits::CALENDAR_BYTES_MAX + 1, Fault::TooLarge));
    let most = calendar(&vec![WHEN; limits::CALENDAR_EVENTS_MAX]);
    assert!(read(most.as_bytes()).is_ok());
    let (line, fault) = refused(&calendar(&vec![WHEN; limits::CALENDAR_EVENTS_MAX + 1]));
    assert_eq!((line, fault), (10_004, Fault::TooManyEvents));
    let long = |name: &str, length: usize| format!("{WHEN}\n{name}:{}", "x".repeat(length - name.len() - 1));
    assert_eq!(of_event(&long("UID", limits::CALENDAR_LINE_MAX + 1)), (8, Fault::TooLong("UID")));
    assert!(read(calendar(&[&long("UID", limits::CALENDAR_LINE_MAX)]).as_bytes()).is_ok());
    let folded = |length: usize| long("UID", length).replace("xxxxxxxxxx", "xxxxxxxxxx\n ");
    assert_eq!(of_event(&folded(limits::CALENDAR_LINE_MAX + 1)), (8, Fault::TooLong("UID")));
    assert!(read(calendar(&[&folded(limits::CALENDAR_LINE_MAX)]).as_bytes()).is_ok());
    assert!(read(calendar(&[&long("X-ALT-DESC", 100_000)]).as_bytes()).is_ok(), "nothing of it is kept");
    let deep = |depth: usize| {
        let (begin, end) = ("BEGIN:X\n".repeat(depth - 1), "END:X\n".repeat(depth - 1));
        format!("BEGIN:VCALENDAR\nVERSION:2.0\n{begin}{end}END:VCALENDAR\n")
    };
    assert!(read(deep(limits::CALENDAR_DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(refused(&deep(limits::CALENDAR_DEPTH_MAX + 1)), (10, Fault::TooDeep));
    // Seventeen people at a time, each in an event of their own.
    let crowd: Vec<String> =
        (0..17).map(|one| WHEN.replace("ana@ward.example", &format!("p{one}"))).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let numbered =
        |key: &str| key.strip_prefix('p').and_then(|number| PersonId::new(number.parse::<u64>().ok()? + 1));
    let found = import(calendar(&crowd).as_bytes(), &zone("UTC"), FROM, numbered).expect_err("too many");
    assert_eq!((found.line, found.fault), (84, Fault::TooManyAtOnce));
    // Ten minutes of every half hour, each day: 16,384 before anything is put together, 8,192 in the end.
    let hourly: Vec<String> = (0..48)
        .map(|one| {
            let (hour, minute) = (one / 2, one % 2 * 30);
            format!("DTSTART:20261127T{hour:02}{minute:02}00\nDURATION:PT10M\nRRULE:FREQ=DAILY\nSUMMARY:ana@ward.example")
        })
        .collect();
    let all: Vec<&str> = hourly.iter().map(String::as_str).collect();
    assert!(matches!(refused(&calendar(&all)).1, Fault::TooManyShifts));
    assert!(matches!(refused(&calendar(&all[..21])), (1, Fault::TooManyShifts)));
    // Two more of the last day, which begins in Berlin before it does in UTC; two less in the hour that spring skips.
    assert_eq!(hours(&all[..20]).len(), 20 * 399);
}

#[test]
fn bytes_that_are_no_text() {
    let with = |bytes: &[u8]| {
        let text = calendar(&[&format!("{WHEN}\nSTATUS:@\nX-DESCRIPTION:#")]);
        let at = text.find('@').expect("it is there");
        let at = text[at + 1..].find('@').expect("it is there") + at + 1;
        [&text.as_bytes()[..at], bytes, &text.as_bytes()[at + 1..]].concat()
    };
    assert!(read(&with(b"CONFIRMED")).is_ok());
    for bytes in [&b"\xff"[..], b"\0", b"\x1b[2J", b"a\rb"] {
        let refusal = read(&with(bytes)).expect_err("no text");
        assert_eq!((refusal.line, refusal.fault), (8, Fault::NotText("STATUS")));
    }
}
