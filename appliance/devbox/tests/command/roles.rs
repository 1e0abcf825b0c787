//! `wardline role`: a rota from a file, who takes the role and gives it back, and a STAT that rings whoever holds it.

use std::time::{SystemTime, UNIX_EPOCH};

use wardline_core::rota::Date;

use super::{Running, Ward, events};

#[test]
fn a_role_is_held_and_rung() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Emil", "Ben"] {
        ward.join(who);
    }
    rotas(&ward);
    hands(&ward);
    rung(&ward);
    calendars(&ward);
    retired(&ward);
    ward.devbox.stop();
}

/// Chidi has every day, so that the time of day at which this runs decides nothing.
fn rotas(ward: &Ward) {
    assert!(ward.run("Ben", &["role", "list"]).err.contains("There are no roles."));
    let add = ["role", "add", "Hall A", "Physician on call"];
    ward.run("Chidi", &add).ended(3, "Only a charge nurse of the unit");
    let wrong = ward.write("wrong", "zone Europe/Berlin\nMon-Fri 07:00-19:00 Nobody Known", 0o644);
    ward.run("Ana", &[&add[..], &["--rota", &wrong]].concat())
        .ended(2, "Line 2: Nobody Known: there is nobody of this name");
    let twice = ward.write("twice", "zone UTC\nMon 07:00-19:00 Chidi\nMon 18:00-20:00 Emil", 0o644);
    ward.run("Ana", &[&add[..], &["--rota", &twice]].concat()).ended(3, "overlap");
    assert_eq!(ward.ok("Ben", &["role", "list"]), "", "nothing has changed");
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Chidi Eze, Emil Sand", 0o644);
    let added = ward.run("Ana", &[&add[..], &["--rota", &days]].concat());
    added.ended(0, "");
    let listed = ward.ok("Ben", &["role", "list", "--unit", "Hall A"]);
    let id = added.out.trim();
    assert_eq!(listed, format!("Physician on call, Hall A: Chidi Eze, then Emil Sand ({id})\n"));
}

fn hands(ward: &Ward) {
    let take = ["role", "take", "physician", "--hours", "2"];
    ward.run("Ben", &take).ended(3, "Only whoever works in the unit may take a role");
    ward.run("Chidi", &[&take[..], &["--for", "Emil"]].concat()).ended(3, "Only a charge nurse of the unit");
    ward.run("Ana", &[&take[..], &["--for", "Ben"]].concat()).ended(3, "go to whoever works in their unit");
    ward.run("Emil", &["role", "take", "physician", "--hours", "17"]).ended(2, "17 is not in 1..=16");
    assert!(ward.ok("Emil", &take).starts_with("Held until "));
    let json = ward.ok("Ben", &["role", "list", "--json"]);
    let role = &events(&json, "role")[0];
    assert!(role.contains("\"gaps\":[]") && !role.contains("\"until\":null"), "{role}");
    assert!(
        ward.ok("Ben", &["role", "list"]).contains("Hall A: Emil Sand until "),
        "one person has one place"
    );
    ward.run("Chidi", &["role", "return", "physician"]).ended(3, "Only whoever holds the role");
    assert_eq!(ward.ok("Emil", &["role", "return", "physician"]), "Returned.\n");
    let nights = ward.write("nights", "zone UTC\nMon 07:00-07:01 Chidi", 0o644);
    let set = ward.run("Ana", &["role", "set", "physician", "--rota", &nights]);
    set.ended(0, "Nobody holds it from ");
}

fn rung(ward: &Ward) {
    let policy = ["stat", "set-policy", "--unit", "Hall A", "--first", "15", "--then", "role:physician:60"];
    ward.run("Ana", &policy).ended(3, "nobody holds the role at some time of the next two weeks");
    let days = ward.path("days").display().to_string();
    ward.ok("Ana", &["role", "set", "physician", "--rota", &days]);
    ward.ok("Ana", &policy);
    assert!(ward.ok("Ben", &["stat", "policies"]).contains("whoever is Physician on call, 60 s"));
    let chidi = Running::start(ward.command("Chidi", &["tail", "--json", "--here"]));
    chidi.until("\"event\":\"caught_up\"");
    let seen = ward.ok("Ben", &["stat", "check", "Ana", "--unit", "Hall A"]);
    assert!(seen.contains("Physician on call (1 of 2 can be reached)"), "{seen}");
    let sent = ward.ok("Ben", &["stat", "send", "Ana", "--unit", "Hall A", "Airway"]);
    let stat = sent.trim_end().rsplit_once("It rings: ").unwrap().1;
    assert!(chidi.until("\"event\":\"ring\"").contains(stat), "behind Ana, who has no app open");
    assert!(ward.ok("Chidi", &["stat", "have", stat]).starts_with("You have it."));
}

/// So many days from today: "20261127", in UTC.
fn day(ahead: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let wanted = now as i64 / 86_400 + ahead;
    let all = (2026..2100)
        .flat_map(|year| (1..=12).flat_map(move |month| (1..=31).map(move |day| (year, month, day))));
    let is_it = |&(year, month, day): &(i16, u8, u8)| {
        Date::new(year, month, day).is_some_and(|date| i64::from(date.days()) == wanted)
    };
    let (year, month, day) = all.into_iter().find(is_it).unwrap();
    format!("{year}{month:02}{day:02}")
}

/// A calendar of the next days, as another program would export it.
fn calendars(ward: &Ward) {
    let add = ["role", "add", "Hall A", "Night surgeon"];
    let night = ward.ok("Ana", &add);
    let event = |at: usize, start: &str, who: &str| {
        format!("BEGIN:VEVENT\r\nUID:{at}\r\nDTSTART{start}\r\nDURATION:P1D\r\n{who}\r\nEND:VEVENT\r\n")
    };
    let whole = |events: &[String]| {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\n{}END:VCALENDAR", events.concat())
    };
    let first = event(1, &format!(":{}T000000Z", day(-1)), "SUMMARY:Chidi Eze");
    let second = event(2, &format!(":{}T000000Z", day(0)), "SUMMARY:Emil Sand");
    let third = event(3, &format!(":{}T000000Z", day(1)), "ATTENDEE:mailto:chidi@example.org");
    let file = ward.write("oncall.ics", &whole(&[first.clone(), second.clone(), third]), 0o644);
    let import = |who: &str, args: &[&str]| {
        ward.run(who, &[&["role", "import", "night surgeon", &file], args].concat())
    };
    import("Ana", &[]).ended(2, "line 20: chidi@example.org");
    assert!(
        ward.ok("Ben", &["role", "list"]).contains("Night surgeon, Hall A: nobody"),
        "nothing has changed"
    );
    let names = ward.write("names", "chidi@example.org = Chidi", 0o644);
    import("Chidi", &["--people", &names]).ended(3, "Only a charge nurse of the unit");
    let done = import("Ana", &["--people", &names]);
    done.ended(0, "import it again before then");
    assert!(
        done.out.starts_with("2 shifts, until ") || done.out.starts_with("3 shifts, until "),
        "{}",
        done.out
    );
    assert!(done.err.contains("Nobody holds it from "), "behind its last day: {}", done.err);
    let listed = ward.ok("Ben", &["role", "list"]);
    assert!(listed.contains("Night surgeon, Hall A: Emil Sand until "), "{listed}");
    let shown = ward.ok("Chidi", &["role", "show", "night surgeon"]);
    assert!(shown.contains("shifts of a calendar besides"), "{shown}");
    let local = event(4, &format!(":{}T000000", day(2)), "SUMMARY:Emil Sand");
    let file = ward.write("local.ics", &whole(&[local]), 0o644);
    ward.run("Ana", &["role", "import", "night surgeon", &file]).ended(2, "--zone Europe/Berlin");
    let broken = ward.write("broken.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0", 0o644);
    ward.run("Ana", &["role", "import", "night surgeon", &broken]).ended(2, "of the calendar: ");
    assert!(
        ward.ok("Ben", &["role", "list"]).contains("Night surgeon, Hall A: Emil Sand until "),
        "as before"
    );
    assert_eq!(ward.ok("Ana", &["role", "import", night.trim(), "--none"]), "Taken out.\n");
    assert!(ward.ok("Ben", &["role", "list"]).contains("Night surgeon, Hall A: nobody"));
}

fn retired(ward: &Ward) {
    let days = ward.path("days").display().to_string();
    let shown = ward.ok("Emil", &["role", "show", "physician"]);
    assert!(
        shown.contains("zone Europe/Berlin\n") && shown.contains("daily 00:00-00:00 Chidi Eze, Emil Sand"),
        "{shown}"
    );
    let again = ward.write("again", &shown, 0o644);
    ward.ok("Ana", &["role", "set", "physician", "--rota", &again]);
    assert_eq!(ward.ok("Emil", &["role", "show", "physician"]), shown);
    ward.run("Ben", &["role", "show", "physician"]).ended(3, "Only whoever works in the unit");
    ward.run("Ana", &["role", "retire", "physician"]).ended(3, "is rung by the escalation policy of Hall A");
    ward.ok("Ana", &["stat", "set-policy", "--unit", "Hall A"]);
    ward.run("Chidi", &["role", "retire", "physician"]).ended(3, "Only a charge nurse of the unit");
    assert_eq!(ward.ok("Ana", &["role", "retire", "physician"]), "Retired.\n");
    assert!(!ward.ok("Ben", &["role", "list"]).contains("Physician"));
    let all = ward.ok("Ben", &["role", "list", "--retired"]);
    let line = all.lines().find(|line| line.starts_with("Physician on call, Hall A: retired (")).unwrap();
    let id = line.split(['(', ')']).nth(1).unwrap();
    ward.run("Ana", &["role", "set", id, "--rota", &days]).ended(3, "was retired");
    ward.run("Ana", &["role", "set", "physician", "--rota", &days]).ended(2, "there is no role of this name");
}
