//! `wardline break-glass`: a nurse of another unit finds a patient on the floor, and the privacy officer reviews it.

use super::{Running, Ward, events};

#[test]
fn the_glass_is_broken_and_reviewed() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko", "Ben", "Luis"] {
        ward.join(who);
    }
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    ward.ok("Chidi", &[&["patient", "admit", "0042", "Hall A", "A-1"], &rosa[..]].concat());
    ward.ok("Chidi", &["shift", "take", "Hall A", "A-1", "--hours", "8"]);
    ward.ok("Chidi", &["send", "Rosa", "Allergic to latex"]);
    let luis = Running::start(ward.command("Luis", &["tail", "--json"]));
    luis.until("\"event\":\"caught_up\"");
    refused(&ward);
    let entered =
        ward.run("Keiko", &["break-glass", "enter", "--record", "0042", "Found", "on", "the", "floor"]);
    entered.ended(0, "The privacy officers have been told.");
    let (id, thread) = entered.out.trim().split_once(' ').unwrap();
    assert!(luis.until("\"event\":\"emergencies_waiting\"").contains("\"waiting\":1"), "at once");
    assert!(ward.ok("Keiko", &["history", thread]).contains("Allergic to latex"), "from its beginning");
    ward.ok("Keiko", &["send", thread, "She is on the floor, conscious"]);
    let told = ward.ok("Chidi", &["history", thread]);
    assert!(told.contains("Keiko Mori: She is on the floor"), "the care team sees who came in: {told}");
    ward.run("Keiko", &["patient", "team", "add", "Rosa", "Keiko"])
        .ended(3, "Only whoever is in the patient's care team");
    ward.run("Keiko", &["break-glass", "enter", "--unit", "hall a", "--bed", "A-1", "Once", "more, please"])
        .ended(3, "You are in this patient's thread already: open it.");
    reviewed(&ward, &luis, id);
    assert_eq!(ward.ok("Keiko", &["break-glass", "leave", id]), "You are out.\n");
    ward.run("Keiko", &["history", thread]).ended(3, "There is no such conversation among yours.");
    ward.run("Luis", &["break-glass", "list"]).ended(0, "all of it is reviewed");
    ward.devbox.stop();
}

fn refused(ward: &Ward) {
    let enter = |who, args: &[&str]| ward.run(who, &[&["break-glass", "enter"], args].concat());
    enter("Ben", &["--record", "0042", "Curious about her"]).ended(3, "Only whoever works in a unit");
    enter("Luis", &["--record", "0042", "Curious about her"]).ended(3, "Only whoever works in a unit");
    enter("Keiko", &["--record", "0042", "floor"]).ended(3, "ten characters or more");
    enter("Keiko", &["--record", "0043", "Found on the floor"]).ended(3, "There is no such patient.");
    enter("Keiko", &["Found on the floor"]).ended(2, "--record");
    enter("Keiko", &["--bed", "A-1", "Found on the floor"]).ended(2, "--unit");
    ward.run("Ana", &["break-glass", "list"]).ended(3, "Only a privacy officer may");
    ward.run("Keiko", &["break-glass", "leave", "nonsense"]).ended(2, "names no emergency access");
}

fn reviewed(ward: &Ward, luis: &Running, id: &str) {
    let listed = ward.ok("Luis", &["break-glass", "list"]);
    assert!(listed.starts_with(&format!("{id}  Keiko Mori to Rosa Diaz (0042), Hall A, ")), "{listed}");
    assert!(listed.contains(" goes on, until ") && listed.ends_with("\n  Found on the floor\n"), "{listed}");
    let json = ward.ok("Luis", &["break-glass", "list", "--json"]);
    assert!(events(&json, "emergency_access")[0].contains("\"grounds\":\"Found on the floor\""), "{json}");
    ward.run("Luis", &["break-glass", "review", id]).ended(2, "--justified");
    ward.run("Ana", &["break-glass", "review", id, "--justified"]).ended(3, "Only a privacy officer may");
    assert_eq!(ward.ok("Luis", &["break-glass", "review", id, "--justified"]), "On record.\n");
    assert!(luis.until("\"event\":\"emergencies_waiting\"").contains("\"waiting\":0"));
    ward.run("Luis", &["break-glass", "review", id, "--justified"])
        .ended(3, "There is no such emergency access");
}
