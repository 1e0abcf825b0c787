//! `wardline announce`, and who may: one writes, everybody reads, nobody answers.

use super::{Running, Ward, again_until, events};

#[test]
fn what_is_announced_is_read_and_counted_and_not_answered() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko", "Luis"] {
        ward.join(who);
    }
    of_a_unit(&ward);
    of_the_facility(&ward);
    ward.devbox.stop();
}

/// Ana leads Hall A, where Chidi works; Keiko leads Hall B.
fn of_a_unit(ward: &Ward) {
    let send = ["announce", "send", "The lift is out until noon"];
    ward.run("Chidi", &send).ended(2, "You lead no unit.");
    ward.run("Chidi", &[&send[..], &["--unit", "Hall A"]].concat())
        .ended(3, "Only a charge nurse of the unit may send a unit's announcements");
    ward.run("Keiko", &[&send[..], &["--unit", "Hall A"]].concat())
        .ended(3, "Only a charge nurse of the unit");
    let chidi = Running::start(ward.command("Chidi", &["tail", "--json", "--mark-read"]));
    chidi.until("\"event\":\"caught_up\"");
    let sent = ward.ok("Ana", &send);
    assert!(sent.starts_with("Announced as #1 to 3 people at "), "{sent}");
    let place = chidi.until("\"kind\":\"broadcast\"");
    assert!(place.contains("\"title\":\"Hall A\""), "{place}");
    assert_eq!(place.matches("\"person\"").count(), 1, "oneself alone: {place}");
    assert!(chidi.until("The lift is out").contains("\"event\":\"message\""));
    let id = ward.ok("Chidi", &["announce", "list", "--json"]);
    let id = events(&id, "announcements")[0].split("\"conversation\":\"").nth(1).unwrap()[..16].to_owned();
    ward.run("Chidi", &["send", &id, "Thank you"]).ended(3, "may send a unit's announcements");
    ward.run("Chidi", &["react", &id, "1", "thanks"]).ended(3, "Announcements take no reactions");
    ward.run("Chidi", &["announce", "readers", "1", "--unit", "Hall A"]).ended(3, "Only a charge nurse");
    ward.run("Ana", &["conversation", "rename", &id, "Mine"]).ended(3, "Whoever works here reads");
    ward.run("Ana", &["stat", "send", &id, "Fire"]).ended(3, "never a STAT");
    // What was read is told to the box after a moment.
    let read = "#1: read by 1 of 3, on a device of 1.\n";
    let readers = again_until(|| ward.run("Ana", &["announce", "readers", "1"]), |told| told.out == read);
    assert_eq!(readers.out, read);
    chidi.kill();
    assert!(ward.run("Keiko", &["history", &id]).code != Some(0), "not of another unit");
    assert!(ward.ok("Chidi", &["history", "Announcements, Hall"]).contains("Ana Flores: The lift is out"));
    let urgent = ward.ok("Ana", &["announce", "send", "--urgent", "Use the stairs", "--json"]);
    assert!(events(&urgent, "accepted")[0].contains("\"sequence\":2"), "{urgent}");
}

fn of_the_facility(ward: &Ward) {
    let send = ["announce", "send", "--facility", "Fire drill at ten"];
    let refused = ward.run("Ana", &send);
    refused.ended(3, "Only whoever an administrator named for it may send the facility's announcements");
    let socket = ward.devbox.local_socket().display().to_string();
    let admin = |args: &[&str]| ward.run("Luis", &[&["admin", "--socket", &socket], args].concat());
    ward.run("Luis", &["admin", "announcer", "Luis"]).ended(3, "administrator");
    admin(&["announcer", "Luis"]).ended(0, "");
    let sent = ward.ok("Luis", &send);
    assert!(sent.starts_with("Announced as #1 to 11 people at "), "{sent}");
    assert!(ward.ok("Keiko", &["history", "Announcements, the fac"]).contains("Fire drill at ten"));
    ward.run("Luis", &[&send[..], &["--urgent"]].concat()).ended(3, "These announcements are routine here");
    let set = admin(&["announcements", "--facility-urgent", "yes"]);
    set.ended(0, "");
    assert_eq!(set.out, "Announcements of units may be urgent, those of the facility may be urgent.\n");
    ward.ok("Luis", &[&send[..], &["--urgent"]].concat());
    let list = ward.run("Keiko", &["announce", "list"]);
    list.ended(0, "To the facility announces: Luis Ortega.");
    assert!(list.out.contains("Hall B: nothing yet; you announce there"), "{}", list.out);
    admin(&["announcer", "Luis", "--end"]).ended(0, "");
    ward.run("Luis", &send).ended(3, "Only whoever an administrator named for it");
}
