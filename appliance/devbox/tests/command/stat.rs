//! `wardline stat` and `wardline station`: it rings, one cannot, the next reads it and has it; and when nobody answers, the
//! screen rings.

use super::{Running, Ward, events};

#[test]
fn a_stat_rings_until_somebody_answers() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Ben"] {
        ward.join(who);
    }
    let screen = station(&ward);
    policies(&ward);
    answered(&ward);
    unanswered(&ward, &screen);
    load(&ward);
    ward.devbox.stop();
}

fn tail(ward: &Ward, who: &str, args: &[&str]) -> Running {
    let tail = Running::start(ward.command(who, &[&["tail", "--json"], args].concat()));
    tail.until("\"event\":\"caught_up\"");
    tail
}

/// A screen joins as a person does, and is nobody.
fn station(ward: &Ward) -> Running {
    let socket = ward.devbox.local_socket().display().to_string();
    let added = ward.run("nobody", &["admin", "--socket", &socket, "add-station", "Hall A", "Desk, Hall A"]);
    added.ended(0, "Next: wardline admin code");
    let id = u64::from_str_radix(added.out.trim(), 16).unwrap();
    let link = ward.devbox.join_link(id).unwrap();
    let pin = ward.path("pin").display().to_string();
    ward.ok("screen", &["join", &link, "--pin-file", &pin, "--device-name", "desk"]);
    ward.run("screen", &["people"]).ended(3, "A station screen shows what rings in its unit");
    let screen = Running::start(ward.command("screen", &["station", "--json"]));
    screen.until("\"event\":\"connected\"");
    screen
}

fn policies(ward: &Ward) {
    let told = ward.ok("Ben", &["stat", "policies"]);
    assert_eq!(
        told,
        "the facility: whom the sender names, 60 s; the charge nurses, 60 s; everybody in the unit, 120 s; then \
         the station screens; urgent messages that nobody has seen are shown there after 300 s\n"
    );
    let set = ["stat", "set-policy", "--unit", "Hall A", "--first", "60", "--then", "charge-nurses:60"];
    ward.run("Chidi", &set).ended(3, "Only a charge nurse of the unit or an administrator");
    ward.ok("Ana", &[&set[..], &["--dial", "4410"]].concat());
    let told = ward.ok("Ben", &["stat", "policies"]);
    let hall =
        "Hall A: whom the sender names, 60 s; the charge nurses, 60 s; then the station screens; call 4410";
    assert!(
        told.contains(&format!("{hall}; urgent messages that nobody has seen are shown there after")),
        "{told}"
    );
    ward.run("Ana", &["stat", "set-policy", "--unit", "Hall A", "--first", "5"])
        .ended(3, "15 to 3600 seconds");
    ward.run("Ana", &["stat", "set-policy", "--unit", "Hall A", "--then", "charge-nurses"])
        .ended(2, "is no step");
}

fn answered(ward: &Ward) {
    let (chidi, ana) = (tail(ward, "Chidi", &["--here"]), tail(ward, "Ana", &["--here"]));
    let seen = ward.ok("Ben", &["stat", "check", "Chidi"]);
    assert!(seen.contains("Chidi Eze: app open, last heard"), "{seen}");
    assert!(seen.contains("after 60 s: the charge nurses (1 of 1 can be reached)"), "{seen}");
    assert!(seen.contains("the station screens of Hall A (1 of 1 answer); call 4410"), "{seen}");
    let sent = ward.ok("Ben", &["stat", "send", "Chidi", "Bed", "4", "does", "not", "breathe", "--json"]);
    let accepted = &events(&sent, "accepted")[0];
    let place = accepted.split("\"conversation\":\"").nth(1).and_then(|rest| rest.get(..16)).unwrap();
    let stat = format!("{place}#1");
    let ben = tail(ward, "Ben", &[]);
    assert!(chidi.until("\"event\":\"ring\"").contains(&stat));
    ward.run("Ana", &["stat", "read", &stat]).ended(3, "There is no such conversation among yours.");
    ward.run("Ana", &["stat", "have", "nonsense"]).ended(2, "names no STAT");
    ward.ok("Chidi", &["stat", "cannot", &stat, "--because", "busy"]);
    chidi.until("\"event\":\"silence\"");
    assert!(ana.until("\"event\":\"ring\"").contains(&stat), "the charge nurse is called at once");
    let read = ward.ok("Ana", &["stat", "read", &stat]);
    assert!(read.contains("STAT Ben Okafor: Bed 4 does not breathe"), "{read}");
    ward.run("Ana", &["history", place]).ended(3, "There is no such conversation among yours.");
    assert!(ward.ok("Ana", &["stat", "coming", &stat]).starts_with("Held for 60 seconds."));
    ben.until("\"stands\":\"held\"");
    assert!(ward.ok("Ana", &["stat", "have", &stat]).starts_with("You have it."));
    let told = ben.until("\"stands\":\"accepted\"");
    assert!(told.contains("\"by\":\"") && told.contains("\"event\":\"escalation\""), "{told}");
    ana.until("\"event\":\"silence\"");
    ward.run("Chidi", &["stat", "have", &stat]).ended(3, "Somebody has this STAT already.");
    ward.ok("Ana", &["stat", "hand-back", &stat]);
    ben.until("\"stands\":\"ringing\"");
    assert_eq!(ward.ok("Ben", &["stat", "close", &stat]), "Closed.\n");
    ben.until("\"stands\":\"closed\"");
    ward.run("Ana", &["stat", "have", &stat]).ended(3, "There is no such conversation among yours.");
}

/// Nobody has the app open: every step is passed over, and the screen rings.
fn unanswered(ward: &Ward, screen: &Running) {
    let ben = tail(ward, "Ben", &[]);
    let sent = ward.ok("Ben", &["stat", "send", "Chidi", "Anybody?"]);
    let stat = sent.trim_end().rsplit_once("It rings: ").expect("which").1;
    let ring = screen.until(&format!("\"stat\":\"{stat}\""));
    assert!(
        ring.contains("\"event\":\"ring\"") && !ring.contains("Ben") && !ring.contains("Anybody"),
        "{ring}"
    );
    let told = ben.until("\"dial\":\"4410\"");
    assert!(told.contains("\"step\":2") && told.contains("\"steps\":2"), "{told}");
    ward.ok("Ben", &["stat", "note", stat, "--reached", "Keiko", "--read-back"]);
    screen.until("\"event\":\"silence\"");
    let told = ben.until("\"stands\":\"accepted\"");
    assert!(told.contains("\"noted_by\":\"") && told.contains("\"read_back\":true"), "{told}");
}

fn load(ward: &Ward) {
    let told = ward.ok("Ana", &["stat", "load", "--unit", "Hall A"]);
    assert!(told.starts_with("Hall A: 2 STATs, 1 answered (half within "), "{told}");
    assert!(told.trim_end().ends_with("; 2 went as far as the station screens"), "{told}");
    let json = ward.ok("Ana", &["stat", "load", "--unit", "Hall A", "--days", "1", "--json"]);
    assert!(json.contains("\"sent\":2") && json.contains("\"at_stations\":2"), "{json}");
    for args in [&["stat", "load"][..], &["stat", "load", "--unit", "Hall A"]] {
        ward.run("Ben", args).ended(3, "Only a charge nurse of the unit or an administrator");
    }
    ward.run("Ana", &["stat", "load", "--days", "401"]).ended(2, "401 is not in 1..=400");
}
