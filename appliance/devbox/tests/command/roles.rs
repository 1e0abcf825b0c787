//! `wardline role`: a rota from a file, who takes the role and gives it back, and a STAT that rings whoever holds it.

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
