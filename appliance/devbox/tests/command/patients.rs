//! `wardline patient` and `wardline shift`: a stay from admission to discharge, and who is in its thread meanwhile.

use super::{Ward, events};

#[test]
fn a_stay_and_the_shifts_around_it() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko", "Ben", "Hugo"] {
        ward.join(who);
    }
    admitting(&ward);
    correcting(&ward);
    moving(&ward);
    teams(&ward);
    leaving(&ward);
    ward.devbox.stop();
}

fn admitting(ward: &Ward) {
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    let admit = |who: &str, args: &[&str]| ward.run(who, &[&["patient", "admit"], args].concat());
    admit("Ben", &["7", "Hall A", "A-1"]).ended(3, "Only whoever works in the unit may admit a patient.");
    admit("Chidi", &["7", "Hall A", "A-1"]).ended(3, "There is no such patient. Check the record number.");
    admit("Chidi", &["7", "Hall A", "A-1", "--name", "Rosa"]).ended(2, "--born");
    let held = ward.run("Chidi", &["shift", "take", "hall a", "A-1", "--hours", "8"]);
    held.ended(0, "To end it before: wardline shift end");
    let stay = admit("Chidi", &[&["7", "Hall A", "A-1"], &rosa[..]].concat()).out;
    admit("Chidi", &[&["7", "Hall A", "A-2"], &rosa[..]].concat())
        .ended(3, "Another patient has this record");
    admit("Chidi", &["7", "Hall A", "A-2"]).ended(3, "This patient is admitted already.");
    admit("Ana", &[&["8", "Hall A", "A-1"], &rosa[..]].concat()).ended(3, "There is a patient in this bed.");
    assert!(ward.ok("Chidi", &["conversations"]).contains("  Rosa Diaz, A-1"), "who holds the bed is in it");
    assert_eq!(ward.ok("Ana", &["conversations"]), "", "her charge nurse is not");
    let listed = ward.ok("Ana", &["patient", "list", "Hall A"]);
    assert_eq!(listed, format!("{}  A-1  Rosa Diaz, born 1947-03-09, 7\n", stay.trim()));
    ward.run("Chidi", &["patient", "list", "Hall A"]).ended(3, "Only a charge nurse of the unit");
    let json = ward.ok("Ana", &["patient", "list", "Hall A", "--json"]);
    assert!(events(&json, "patient")[0].contains("\"record_number\":\"7\""), "{json}");
    let shown = ward.ok("Ana", &["shift", "show", "Hall A"]);
    let line = format!("A-1  occupied ({})  Chidi Eze until ", stay.trim());
    assert!(shown.starts_with(&line) && !shown.contains("Rosa"), "{shown}");
    ward.run("Keiko", &["shift", "show", "Hall A"]).ended(3, "Only whoever works in the unit");
    ward.ok("Chidi", &["send", "Rosa", "Arrived by ambulance"]);
}

/// What is not given stays as it was, the attending too.
fn correcting(ward: &Ward) {
    let update = |who: &str, args: &[&str]| ward.run(who, &[&["patient", "update"], args].concat());
    update("Chidi", &["Rosa"]).ended(2, "--name");
    update("Chidi", &["Rosa", "--attending", "Ben", "--no-attending"]).ended(2, "cannot be used with");
    update("Chidi", &["Rosa", "--sex", "female"]).ended(2, "one letter");
    update("Chidi", &["Rosa", "--birth-date", "9.3.1947"]).ended(2, "as in 1947-03-09");
    update("Chidi", &["Nobody", "--sex", "U"]).ended(2, "no patient of this name");
    let told = update("Chidi", &["Rosa", "--attending", "ben"]).out;
    assert_eq!(told, "Rosa Diaz, born 1947-03-09, F, 7; Ben Okafor answers for the stay.\n");
    assert!(
        ward.ok("Ben", &["conversations"]).contains("Rosa Diaz, A-1"),
        "who answers for it is in the thread"
    );
    let told = update("Ben", &["Rosa", "--name", "Rosa Díaz"]);
    told.ended(3, "Only whoever works in the unit");
    let told = update("Chidi", &["Rosa", "--name", "Rosa Díaz", "--birth-date", "1947-03-19"]).out;
    assert_eq!(told, "Rosa Díaz, born 1947-03-19, F, 7; Ben Okafor answers for the stay.\n");
    let stay = ward.ok("Ana", &["patient", "list", "Hall A"]);
    assert!(stay.ends_with("  A-1  Rosa Díaz, born 1947-03-19, 7\n"), "{stay}");
    let stay = stay.split_whitespace().next().unwrap();
    update("Keiko", &[stay, "--sex", "U"]).ended(2, "is no stay that you can see");
    let told = update("Ana", &[stay, "--name", "Rosa Diaz", "--no-attending"]).out;
    assert_eq!(told, "Rosa Diaz, born 1947-03-19, F, 7; nobody answers for the stay.\n", "not in the thread");
    assert_eq!(ward.ok("Ben", &["conversations"]), "");
    let socket = ward.devbox.local_socket().display().to_string();
    let told = update("nobody", &["--socket", &socket, stay, "--birth-date", "1947-03-09"]).out;
    assert_eq!(told, "Rosa Diaz, born 1947-03-09, F, 7; nobody answers for the stay.\n");
}

fn moving(ward: &Ward) {
    ward.ok("Keiko", &["shift", "take", "Hall B", "--all"]);
    assert_eq!(ward.ok("Chidi", &["patient", "transfer", "rosa", "hall b", "3"]), "In Hall B 3 now.\n");
    let history = ward.ok("Keiko", &["history", "Rosa"]);
    assert!(history.ends_with("Chidi Eze: Arrived by ambulance\n"), "from its beginning: {history}");
    assert!(ward.ok("Chidi", &["conversations"]).contains("Rosa Diaz, 3"), "to the end of the shift");
    let shown = ward.ok("Ana", &["shift", "show", "Hall A", "--json"]);
    let held = events(&shown, "bed")[0].clone();
    assert!(held.contains("\"encounter\":null"), "{held}");
    let id = held.split("\"assignment\":\"").nth(1).unwrap().split('"').next().unwrap();
    ward.run("Keiko", &["shift", "end", id]).ended(3, "Only whoever holds the beds or a charge nurse");
    assert_eq!(ward.ok("Ana", &["shift", "end", id]), "Ended.\n");
    assert_eq!(ward.ok("Chidi", &["conversations"]), "", "out with the shift");
    ward.run("Ana", &["shift", "end", id]).ended(3, "There is no such assignment");
    ward.run("Chidi", &["shift", "take", "Hall A", "A-1", "--hours", "17"]).ended(2, "17");
}

fn teams(ward: &Ward) {
    assert_eq!(
        ward.ok("Keiko", &["patient", "team", "add", "Rosa", "Hugo", "Ben", "--hours", "48"]),
        "2 people are in the care team.\n"
    );
    ward.ok("Hugo", &["send", "Rosa", "Two allergies in the file"]);
    ward.ok("Hugo", &["patient", "team", "remove", "Rosa", "Ben"]);
    assert_eq!(ward.ok("Ben", &["conversations"]), "");
    ward.run("Hugo", &["patient", "team", "remove", "Rosa", "Keiko"])
        .ended(3, "not in the care team by hand");
    let id = ward.ok("Hugo", &["conversations"]).split_whitespace().next().unwrap().to_owned();
    ward.run("Hugo", &["conversation", "leave", &id]).ended(3, "its members are the patient's care team");
}

fn leaving(ward: &Ward) {
    assert_eq!(ward.ok("Keiko", &["patient", "leave", "Rosa"]), "Away. The bed is kept.\n");
    let json = ward.ok("Hugo", &["conversations", "--json"]);
    assert!(json.contains("\"muted\":true") && json.contains("\"kind\":\"patient\""), "{json}");
    assert_eq!(ward.ok("Keiko", &["patient", "back", "Rosa"]), "Back.\n");
    let socket = ward.devbox.local_socket().display().to_string();
    let census = |args: &[&str]| ward.run("nobody", &[&["patient", "--socket", &socket], args].concat());
    let listed = census(&["list", "Hall B"]).out;
    let stay = listed.split_whitespace().next().unwrap().to_owned();
    assert_eq!(census(&["discharge", &stay]).out, "Discharged. The bed is free.\n");
    census(&["discharge", &stay]).ended(3, "This patient is discharged.");
    ward.ok("Hugo", &["send", "Rosa", "Letter sent to the family doctor"]);
    ward.run("Hugo", &["patient", "update", "Rosa", "--sex", "U"]).ended(2, "is discharged");
    assert_eq!(census(&["admit", "7", "Hall A", "A-1"]).code, Some(0), "who was here before");
}
