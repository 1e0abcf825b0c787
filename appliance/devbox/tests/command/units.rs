//! `wardline unit` and `wardline conversation`: a charge nurse, her staff, and who is neither.

use super::{Ward, events};

#[test]
fn a_unit_its_staff_and_its_channels() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko", "Ben"] {
        ward.join(who);
    }
    looking(&ward);
    channels(&ward);
    staffing(&ward);
    administering(&ward);
    ward.devbox.stop();
}

fn looking(ward: &Ward) {
    let units = ward.ok("Ben", &["unit", "list"]);
    let lines: Vec<&str> = units.lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with("  Hall A  (4 work there, led by Ana Flores)"), "{units}");
    let staff = ward.ok("Ben", &["unit", "staff", "hall b"]);
    assert!(
        staff.contains("Keiko Mori, RN, night  (charge nurse)") && staff.contains("Dana Petrov"),
        "{staff}"
    );
    let json = ward.ok("Ben", &["unit", "list", "--json"]);
    assert!(
        events(&json, "unit")[0].contains("\"name\":\"Hall A\"") && json.contains("\"staff\":4"),
        "{json}"
    );
    ward.run("Ben", &["unit", "staff", "ICU"])
        .ended(2, "there is no unit of this name. See wardline unit list.");
}

fn channels(ward: &Ward) {
    ward.run("Ben", &["conversation", "open-channel", "Hall A", "Lunch"])
        .ended(3, "Only whoever works in the unit or an administrator from the administration network may open a channel in a unit.");
    let id = ward.ok("Ana", &["conversation", "open-channel", "Hall A", "Huddle"]);
    ward.ok("Ana", &["send", "Huddle", "Fire drill at two"]);
    let seen = ward.ok("Chidi", &["conversation", "channels"]);
    assert_eq!(seen, format!("{}  Hall A: Huddle  (1 member)\n", id.trim()));
    assert_eq!(ward.ok("Keiko", &["conversation", "channels"]), "", "another unit's");
    ward.run("Keiko", &["conversation", "join", id.trim()])
        .ended(3, "There is no such conversation among yours.");
    assert_eq!(ward.ok("Chidi", &["conversation", "join", "huddle"]), id);
    let history = ward.ok("Chidi", &["history", "Huddle"]);
    assert!(history.ends_with("Ana Flores: Fire drill at two\n"), "from its beginning: {history}");
    ward.run("Ana", &["conversation", "add", "Huddle", "Keiko"])
        .ended(3, "A channel is for whoever works in its unit.");
    ward.run("Chidi", &["conversation", "rename", "Huddle", "Chat"]).ended(3, "Only its owner,");
    ward.ok("Ana", &["conversation", "rename", "Huddle", "Morning huddle"]);
    ward.ok("Ana", &["conversation", "archive", "morning"]);
    assert!(ward.ok("Chidi", &["conversations"]).contains("Morning huddle  (archived)"));
    ward.run("Chidi", &["send", "Morning", "too late"]).ended(3, "is archived and takes nothing new");
    ward.ok("Ana", &["conversation", "reopen", "morning"]);
    ward.ok("Chidi", &["send", "Morning", "in time"]);
    let json = ward.ok("Chidi", &["conversation", "channels", "--json"]);
    assert!(json.contains("\"member\":true") && json.contains("\"title\":\"Morning huddle\""), "{json}");
    let group = ward.ok("Ana", &["conversation", "open-group", "Family meeting", "Ben"]);
    ward.run("Ben", &["conversation", "archive", "Family"]).ended(3, "Only its owner,");
    ward.ok("Ana", &["conversation", "add", group.trim(), "Keiko", "Chidi"]);
    ward.ok("Ben", &["conversation", "leave", "Family"]);
    assert!(!ward.ok("Ben", &["conversations"]).contains("Family"));
    ward.run("Ana", &["conversation", "rename", "Keiko", "Us"]).ended(2, "is a person");
    // A charge nurse takes people out of a channel that she is not in.
    let id = ward.ok("Chidi", &["conversation", "open-channel", "Hall A", "Lunch"]);
    ward.ok("Chidi", &["conversation", "add", id.trim(), "Emil"]);
    assert_eq!(ward.ok("Ana", &["conversation", "remove", "Lunch", "Emil"]), "1 person is out of it.\n");
    assert_eq!(ward.ok("Ana", &["unit", "place", "Hall A", "Ana"]), "Ana Flores works there already.\n");
}

/// The charge nurse decides, on the ward, without an administrator.
fn staffing(ward: &Ward) {
    ward.run("Chidi", &["unit", "place", "Hall B", "Chidi"])
        .ended(3, "Only a charge nurse of the unit or an administrator");
    assert_eq!(ward.ok("Keiko", &["unit", "place", "Hall B", "Chidi"]), "Chidi Eze works there now.\n");
    let id = ward.ok("Keiko", &["conversation", "open-channel", "Hall B", "Nights"]);
    ward.ok("Chidi", &["conversation", "join", id.trim()]);
    assert_eq!(
        ward.ok("Keiko", &["unit", "release", "Hall B", "Chidi"]),
        "Chidi Eze does not work there any more.\n"
    );
    assert!(!ward.ok("Chidi", &["conversations"]).contains("Nights"), "out of its channels");
    ward.run("Chidi", &["history", id.trim()]).ended(3, "There is no such conversation among yours.");
    // A new phone for her staff, and nobody else's.
    let code = ward.ok("Keiko", &["unit", "code", "Dana"]);
    assert!(code.lines().nth(1).is_some_and(|link| link.starts_with("wardline://")), "{code}");
    ward.run("Keiko", &["unit", "code", "Chidi"])
        .ended(3, "Only a charge nurse of a unit where they are staff");
    ward.run("Keiko", &["unit", "suspend", "Jonas"])
        .ended(3, "Only a charge nurse of a unit where they are staff");
    assert_eq!(ward.ok("Keiko", &["unit", "suspend", "Dana"]), "Dana Petrov is suspended.\n");
    ward.run("Keiko", &["unit", "code", "Dana"]).ended(3, "is suspended");
}

fn administering(ward: &Ward) {
    let socket = ward.devbox.local_socket().display().to_string();
    let admin = |args: &[&str]| ward.run("nobody", &[&["admin", "--socket", &socket], args].concat());
    let added = admin(&["add-unit", "Hall C"]);
    added.ended(0, "wardline admin post NAME \"Hall C\" charge-nurse");
    assert_eq!(
        admin(&["post", "Ben", "hall c", "charge-nurse"]).out,
        "Ben Okafor is its charge nurse now.\n"
    );
    assert_eq!(admin(&["rename-unit", "hall c", "Rehab"]).out, "It is called Rehab now.\n");
    assert!(ward.ok("Ben", &["unit", "list"]).contains("Rehab  (1 works there, led by Ben Okafor)"));
    admin(&["duties", "Ben", "--administrator", "--privacy-officer"]).ended(2, "cannot be used with");
    admin(&["duties", "Ben", "--privacy-officer"])
        .ended(3, "A privacy officer neither administers nor leads a unit.");
    assert_eq!(admin(&["post", "Ben", "rehab", "staff"]).out, "Ben Okafor works there now.\n");
    assert_eq!(admin(&["duties", "Ben", "--privacy-officer"]).out, "Ben Okafor is a privacy officer now.\n");
    let people = ward.ok("Ben", &["people", "--json"]);
    let ben = people.lines().find(|line| line.contains("Ben Okafor")).unwrap();
    assert!(ben.contains("\"privacy_officer\":true") && ben.contains("\"charge_nurse\":false"), "{ben}");
}
