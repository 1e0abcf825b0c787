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
    ranges(&ward);
    ward.devbox.stop();
}

/// Hall B has patients in 2, 9, 10 and 11A; nobody has a bed there.
fn ranges(ward: &Ward) {
    let socket = ward.devbox.local_socket().display().to_string();
    for (record, bed) in [("102", "2"), ("109", "9"), ("110", "10"), ("111", "11A")] {
        let new = ["--name", "Noor Haddad", "--born", "1950-01-01", "--sex", "F"];
        let admit = ["patient", "--socket", &socket, "admit", record, "Hall B", bed];
        assert_eq!(ward.run("nobody", &[&admit[..], &new[..]].concat()).code, Some(0));
    }
    let take =
        |args: &[&str]| ward.run("Keiko", &[&["shift", "take", "Hall B", "--until", "07:00"], args].concat());
    let whole = ward.ok("Keiko", &["shift", "show", "Hall B", "--json"]);
    let whole = whole.split("\"assignment\":\"").nth(1).unwrap().split('"').next().unwrap();
    ward.ok("Keiko", &["shift", "end", whole]);
    let beds =
        |args: &[&str]| ward.run("Keiko", &[&["shift", "take", "Hall B", "--hours", "1"], args].concat());
    beds(&["34-20"]).ended(2, "Write 20-34");
    beds(&["B-20-34"]).ended(2, "no bed from B-20 to 34 that anybody lies in or holds; one is called 2.");
    beds(&["1-70"]).ended(2, "64 at most");
    beds(&["2", "--all"]).ended(2, "cannot be used with");
    take(&["2", "--hours", "3"]).ended(2, "cannot be used with");
    ward.run("Keiko", &["shift", "take", "Hall B", "2", "--until", "7"]).ended(2, "as in 07:00");
    assert!(!ward.ok("Keiko", &["shift", "show", "Hall B"]).contains("Keiko"), "nothing was taken");
    let told = beds(&["9-10", "2", "--bed", "20-34"]).err;
    assert!(told.contains("4 beds until ") && told.contains(": 2, 9, 10, 20-34."), "{told}");
    assert!(told.contains("check that there are such beds: 20-34."), "{told}");
    let json = beds(&["20-34", "11", "--json"]).out;
    let (beds_taken, unknown) = ("\"beds\":[\"11\",\"20-34\"]", "\"unknown\":[\"11\"]");
    assert!(json.contains(beds_taken) && json.contains(unknown), "{json}");
    let shown = ward.ok("Keiko", &["shift", "show", "Hall B"]);
    let listed: Vec<&str> = shown.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(listed, ["2", "9", "10", "11", "11A", "20-34"]);
    handing_out(ward);
}

/// A charge nurse's shift change is one act. In Hall A somebody lies in A-1.
fn handing_out(ward: &Ward) {
    let give =
        |args: &[&str]| ward.run("Ana", &[&["shift", "give", "Hall A", "--hours", "1"], args].concat());
    give(&["Chidi=A-1-30", "Nobody=A-31"]).ended(2, "nobody of this name");
    give(&["Chidi=A-1-30", "Ana"]).ended(2, "as in Ana=1-20,22");
    give(&["Chidi=1-30"]).ended(2, "one is called A-1");
    give(&["Chidi=A-1-30", "Ben=A-31"]).ended(3, "Nothing was given to Ben Okafor.");
    let told = give(&["Chidi=A-1-30", "Ana=A-30-60"]).err;
    assert!(told.contains("Chidi Eze and Ana Flores both get A-30."), "{told}");
    assert!(told.contains("Chidi Eze: 30 beds until "), "{told}");
    assert!(told.contains("Every bed that is known has somebody."), "{told}");
    let told = give(&["Ana=A-1-2"]).err;
    assert!(told.contains("Chidi Eze has too, until "), "{told}");
    let shown = ward.ok("Ana", &["shift", "show", "Hall A", "--json"]);
    assert_eq!(events(&shown, "bed").len(), 60);
    namesakes(ward);
}

/// A patient whose thread this profile has not met yet shares a name with a colleague: neither is guessed.
fn namesakes(ward: &Ward) {
    let socket = ward.devbox.local_socket().display().to_string();
    let new = ["--name", "Hugo Brandt", "--born", "1950-01-01", "--sex", "M"];
    let admit = ["patient", "--socket", &socket, "admit", "170", "Hall A", "A-9"];
    assert_eq!(ward.run("nobody", &[&admit[..], &new[..]].concat()).code, Some(0));
    let sent = ward.run("Chidi", &["send", "Hugo", "Walked to the door today"]);
    sent.ended(2, "Hugo fits several");
    ward.ok("Chidi", &["send", "Hugo Brandt", "Walked to the door today"]);
}

fn admitting(ward: &Ward) {
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    let admit = |who: &str, args: &[&str]| ward.run(who, &[&["patient", "admit"], args].concat());
    admit("Ben", &["7", "Hall A", "A-1"]).ended(3, "Only whoever works in the unit may admit a patient.");
    admit("Chidi", &["7", "Hall A", "A-1"])
        .ended(3, "There is no such patient. Check the record number, or unit and bed.");
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
    assert!(history.contains("Chidi Eze: Arrived by ambulance\n"), "from its beginning: {history}");
    told_in_order(&history);
    let json = ward.ok("Keiko", &["history", "Rosa", "--json"]);
    let moved = events(&json, "notice").into_iter().find(|told| told.contains("\"moved\"")).unwrap();
    assert!(moved.contains("\"bed\":\"3\"") && moved.contains("\"after\":1"), "{moved}");
    assert!(ward.ok("Keiko", &["conversations"]).ends_with("Rosa Diaz, 3\n"), "none of it is unread");
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

/// What moved stands between the messages.
fn told_in_order(history: &str) {
    let wanted = [
        " admitted to Hall A, A-1 (by Chidi Eze)\n",
        " Chidi Eze came in (has the bed, until ",
        ": Arrived by ambulance\n",
        " Ben Okafor is the attending (by Chidi Eze)\n",
        " moved to Hall B, 3 (by Chidi Eze)\n",
        " Keiko Mori came in (has the bed, until ",
        " Chidi Eze stays until the end of the shift, ",
    ];
    let mut rest = history;
    for wanted in wanted {
        let at = rest.find(wanted).unwrap_or_else(|| panic!("{wanted} in {history}"));
        rest = &rest[at + wanted.len()..];
    }
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
