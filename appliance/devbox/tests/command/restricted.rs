//! `wardline patient restrict`: an alias outside the named team, and a second person to break the glass.

use super::{Running, Ward, events};

#[test]
fn a_restricted_patient_is_known_to_whoever_is_named_alone() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko", "Ben", "Luis"] {
        ward.join(who);
    }
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F", "--attending", "Ben"];
    let stay = ward.ok("Chidi", &[&["patient", "admit", "0042", "Hall A", "A-1"], &rosa[..]].concat());
    let stay = stay.trim();
    ward.ok("Chidi", &["shift", "take", "Hall A", "A-1", "--hours", "8"]);
    ward.ok("Chidi", &["send", "Rosa", "Allergic to latex"]);
    restricting(&ward, stay);
    seen_from_outside(&ward, stay);
    two_persons(&ward);
    assert_eq!(ward.ok("Ana", &["patient", "unrestrict", stay]), "No longer restricted.\n");
    assert!(ward.ok("Chidi", &["conversations"]).contains("Rosa Diaz, A-1"), "who has the bed is back");
    ward.run("Ana", &["patient", "unrestrict", stay]).ended(3, "This patient is not restricted.");
    ward.devbox.stop();
}

fn restricting(ward: &Ward, stay: &str) {
    let restrict = |who: &str, args: &[&str]| ward.run(who, &[&["patient", "restrict"], args].concat());
    restrict("Chidi", &[stay, "Ben", "--alias", "Blue Heron"]).ended(3, "Only a charge nurse of the unit");
    restrict("Ana", &[stay]).ended(2, "--alias");
    restrict("Ana", &[stay, "Ben"]).ended(3, "empty or out of range");
    restrict("Ana", &[stay, "Luis", "--alias", "Blue Heron"]).ended(3, "A privacy officer reviews who reads");
    restrict("Ana", &[stay, "--alias", "Blue Heron"]).ended(3, "Nobody could see this patient then.");
    restrict("Ana", &[stay, "Ben", "--alias", "Blue Heron"]).ended(0, "");
    assert_eq!(ward.ok("Chidi", &["conversations"]), "", "the bed opens nothing");
    let history = ward.ok("Ben", &["history", "Rosa"]);
    assert!(history.contains("restricted: only whoever is named sees who this is (by Ana"), "{history}");
}

fn seen_from_outside(ward: &Ward, stay: &str) {
    let shown = ward.ok("Chidi", &["shift", "show", "Hall A"]);
    assert!(shown.contains("  Blue Heron (restricted: ask Ben Okafor)"), "{shown}");
    let listed = ward.ok("Ana", &["patient", "list", "Hall A"]);
    assert_eq!(listed, format!("{stay}  A-1  Blue Heron (restricted)\n"));
    let json = ward.ok("Ana", &["patient", "list", "Hall A", "--json"]);
    let told = events(&json, "patient")[0].clone();
    assert!(told.contains("\"alias\":\"Blue Heron\"") && told.contains("\"record_number\":null"), "{told}");
    let socket = ward.devbox.local_socket().display().to_string();
    let listed = ward.ok("nobody", &["patient", "--socket", &socket, "list", "Hall A"]);
    assert!(listed.contains("Blue Heron") && !listed.contains("Rosa"), "{listed}");
    ward.run("Ana", &["patient", "update", stay, "--sex", "U"]).ended(2, "is restricted");
    ward.run("Ana", &["patient", "team", "add", stay, "Chidi"]).ended(3, "This patient is restricted:");
}

fn two_persons(ward: &Ward) {
    let luis = Running::start(ward.command("Luis", &["tail", "--json"]));
    luis.until("\"event\":\"caught_up\"");
    let asked =
        ward.run("Keiko", &["break-glass", "enter", "--record", "0042", "Found", "on", "the", "floor"]);
    asked.ended(0, "it takes a second person");
    let id = asked.out.trim();
    assert_eq!(ward.ok("Keiko", &["conversations"]), "", "not yet");
    let sign =
        |who: &str, args: &[&str]| ward.run(who, &[&["break-glass", "countersign", id], args].concat());
    sign("Keiko", &["--agree"]).ended(3, "It takes another person");
    sign("Luis", &["--agree"]).ended(3, "Only whoever works in a unit");
    let shown = sign("Chidi", &[]);
    shown.ended(0, "--agree");
    assert_eq!(shown.out, "Keiko Mori asks to see Blue Heron, Hall A, A-1: Found on the floor\n");
    sign("Chidi", &["--agree"]).ended(0, "");
    assert!(luis.until("\"event\":\"emergencies_waiting\"").contains("\"waiting\":1"), "at once");
    assert!(ward.ok("Keiko", &["history", "Rosa"]).contains("Allergic to latex"), "in");
    let listed = ward.ok("Luis", &["break-glass", "list"]);
    assert!(listed.contains(" Keiko Mori to Blue Heron (restricted), Hall A, "), "{listed}");
    assert!(listed.contains("; countersigned by Chidi Eze"), "{listed}");
    sign("Chidi", &["--agree"]).ended(3, "There is no such request");
}
