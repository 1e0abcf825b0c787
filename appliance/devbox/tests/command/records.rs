//! `wardline patient merge` and `unmerge`: two records of one patient, and what was written under both.

use super::{Ward, events};

#[test]
fn two_records_are_merged_after_a_look_and_un_merged_again() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko"] {
        ward.join(who);
    }
    let socket = ward.devbox.local_socket().display().to_string();
    let local = |args: &[&str]| ward.run("nobody", &[&["patient", "--socket", &socket], args].concat());
    for (record, name, unit, born) in
        [("4711", "Rosa Diaz", "Hall A", "1947-03-09"), ("9001", "Rosa Dias", "Hall B", "1947-09-03")]
    {
        let new = ["--name", name, "--born", born, "--sex", "F"];
        local(&[&["admit", record, unit, "1"], &new[..]].concat()).ended(0, "");
    }
    ward.ok("Chidi", &["shift", "take", "Hall A", "1", "--hours", "8"]);
    ward.ok("Keiko", &["shift", "take", "Hall B", "1", "--hours", "8"]);
    ward.ok("Chidi", &["send", "Rosa Diaz", "Allergic to latex"]);
    ward.ok("Keiko", &["send", "Rosa Dias", "Came from the emergency department"]);

    // Who leads one of the two halls is not who may.
    ward.run("Ana", &["patient", "merge", "4711", "9001"]).ended(3, "Only a charge nurse of the unit");
    local(&["merge", "4711", "4711"]).ended(3, "Both numbers are of one record.");
    local(&["merge", "4711", "1"]).ended(3, "There is no such patient.");
    local(&["unmerge", "9001"]).ended(3, "This record is not merged");
    looked(&ward, &local(&["merge", "4711", "9001"]));

    let merged = local(&["merge", "4711", "9001", "--yes"]);
    merged.ended(0, "To take it back: wardline patient unmerge");
    assert!(merged.out.starts_with("Rosa Diaz, born 1947-03-09, 4711  survived\n"), "{}", merged.out);
    local(&["merge", "4711", "9001"]).ended(3, "This record is merged into another one.");
    read_across(&ward);

    let json = local(&["unmerge", "9001", "--json"]).out;
    assert!(json.contains("\"event\":\"unmerge\"") && json.contains("\"done\":false"), "{json}");
    assert!(json.contains("\"leaving\":1"), "{json}");
    local(&["unmerge", "9001", "--yes"]).ended(0, "is where it was begun");
    let mine = ward.ok("Chidi", &["conversations"]);
    assert!(mine.contains("Rosa Diaz, 1") && !mine.contains("Rosa Dias"), "{mine}");
    let history = ward.ok("Keiko", &["history", "Rosa Dias"]);
    assert!(history.contains("records were un-merged"), "{history}");
    assert!(
        history.contains("Nobody saw her walk"),
        "what was said meanwhile stays where it was said: {history}"
    );
    ward.devbox.stop();
}

fn looked(ward: &Ward, look: &super::Done) {
    look.ended(0, "Nothing is changed yet. To merge them: the same with --yes");
    let lines: Vec<&str> = look.out.lines().collect();
    assert_eq!(lines[0], "Rosa Diaz, born 1947-03-09, 4711  survives");
    assert_eq!(lines[1], "Rosa Dias, born 1947-09-03, 9001  would be merged into it");
    assert_eq!(lines[2], "They are born on different days. Are they the same person?");
    assert!(
        look.out.contains("Hall A 1, here: 1 person into its thread, 0 people out of it"),
        "{}",
        look.out
    );
    assert!(look.out.contains("One patient in 2 beds"), "{}", look.out);
    assert!(!ward.ok("Chidi", &["conversations"]).contains("Rosa Dias"), "a look changes nothing");
}

fn read_across(ward: &Ward) {
    let json = ward.ok("Chidi", &["conversations", "--json"]);
    let threads = events(&json, "conversation");
    let threads: Vec<&String> =
        threads.iter().filter(|told| told.contains("\"name\":\"Rosa Diaz\"")).collect();
    assert_eq!(threads.len(), 2, "one patient, two threads: {json}");
    assert!(threads.iter().all(|told| told.contains("\"merged_record_numbers\":[\"9001\"]")), "{json}");
    // Two of one name: by their numbers.
    let id =
        |told: &str| told.split("\"conversation\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let ids: Vec<String> = threads.iter().map(|told| id(told)).collect();
    let read: Vec<String> = ids.iter().map(|id| ward.ok("Chidi", &["history", id])).collect();
    let theirs = read.iter().position(|text| text.contains("Came from the emergency department"));
    let theirs = theirs.unwrap_or_else(|| panic!("Chidi reads across: {read:?}"));
    assert!(read[theirs].contains("two records of this patient were merged"), "{}", read[theirs]);
    assert!(read[theirs].contains("Chidi Eze came in (cares for the same patient under another record)"));
    ward.ok("Chidi", &["send", &ids[theirs], "Nobody saw her walk"]);
}
