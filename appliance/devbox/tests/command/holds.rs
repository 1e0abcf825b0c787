//! `wardline hold`: a privacy officer keeps what a court asks for, and an administrator cannot destroy it.

use super::{Ward, events};

#[test]
fn what_a_court_asks_for_is_kept() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Luis"] {
        ward.join(who);
    }
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    ward.ok("Chidi", &[&["patient", "admit", "0042", "Hall A", "A-1"], &rosa[..]].concat());
    ward.ok("Chidi", &["send", "Ana", "The fall was at four"]);
    let listed = ward.ok("Chidi", &["conversations", "--json"]);
    let direct = events(&listed, "conversation").into_iter().find(|one| one.contains("\"direct\"")).unwrap();
    let direct = direct.split("\"conversation\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    refused(&ward);

    let placed = ward.run("Luis", &["hold", "place", "--person", "Chidi", "Diaz v. Mercy,", "26-1180"]);
    placed.ended(0, "kept from now on. Nobody in them is told.");
    let hold = placed.out.trim().to_owned();
    ward.ok("Luis", &["hold", "place", "--patient", "0042", "Diaz v. Mercy, 26-1180"]);
    let shown = ward.ok("Luis", &["hold", "list"]);
    assert!(shown.contains("Chidi") && shown.contains("patient Rosa Diaz (0042)"), "{shown}");
    let json = ward.ok("Luis", &["hold", "list", "--json"]);
    assert_eq!(events(&json, "legal_hold").len(), 2, "{json}");
    let socket = ward.devbox.local_socket().display().to_string();
    let purge = || ward.run("nobody", &["admin", "--socket", &socket, "purge", "--yes", &direct]);
    purge().ended(3, "it is under legal hold");
    assert!(ward.ok("Ana", &["history", &direct]).contains("The fall was at four"));

    ward.run("Luis", &["hold", "lift", &hold, "Settled"]).ended(3, "ten characters or more");
    ward.run("Luis", &["hold", "lift", &hold, "Settled out of court"]).ended(0, "");
    ward.run("Luis", &["hold", "lift", &hold, "Settled out of court"]).ended(3, "no such legal hold");
    purge().ended(0, "");
    ward.devbox.stop();
}

fn refused(ward: &Ward) {
    ward.run("Ana", &["hold", "place", "--patient", "0042", "26-1180"])
        .ended(3, "Only a privacy officer may");
    ward.run("Ana", &["hold", "list"]).ended(3, "Only a privacy officer may");
    ward.run("Luis", &["hold", "place", "--patient", "0043", "26-1180"])
        .ended(3, "There is no such patient.");
    ward.run("Luis", &["hold", "place", "26-1180"]).ended(2, "--patient");
    ward.run("Luis", &["hold", "place", "--conversation", "huddle", "26-1180"])
        .ended(2, "names no conversation");
    ward.run("Luis", &["hold", "list"]).ended(0, "Nothing is under legal hold.");
}

#[test]
fn how_long_messages_are_kept_is_looked_at_and_then_set() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben"] {
        ward.join(who);
    }
    let socket = ward.devbox.local_socket().display().to_string();
    let retention =
        |args: &[&str]| ward.run("nobody", &[&["admin", "--socket", &socket, "retention"], args].concat());
    let now = retention(&[]);
    now.ended(0, "Nobody has set it");
    assert!(now.out.contains("Two people        30 days\n"), "{}", now.out);
    let looked = retention(&["--direct", "7d", "--patient", "365d"]);
    looked.ended(0, "Nothing is changed yet.");
    assert_eq!(looked.out, "Nothing would go now.\n");
    assert!(retention(&[]).out.contains("Two people        30 days\n"), "a look changes nothing");
    retention(&["--direct", "7d", "--patient", "365d", "--yes"])
        .ended(0, "What is older goes within minutes");
    let json = retention(&["--json"]).out;
    assert!(events(&json, "retention")[0].contains("\"direct\":168"), "{json}");
    retention(&["--direct", "1h", "--yes"]).ended(3, "more than 128 times the shortest");
    retention(&["--direct", "0h", "--yes"]).ended(3, "an hour to ten years");
    retention(&["--direct", "soon"]).ended(2, "Write days or hours: 30d, 36h.");
    retention(&["--yes"]).ended(2, "Say what to set");
    ward.run("Ana", &["admin", "retention"]).ended(0, "");
    ward.run("Ben", &["admin", "retention", "--direct", "30d", "--yes"]).ended(3, "administrat");
    ward.devbox.stop();
}
