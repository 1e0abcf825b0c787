//! `wardline role offer` and its answers: a role passes when it is accepted, and a STAT that rings for it passes with it.

use super::{Running, Ward, events};

#[test]
fn a_role_is_handed_over() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Emil", "Ben"] {
        ward.join(who);
    }
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Chidi Eze", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Physician on call", "--rota", &days]);
    offered(&ward);
    taken_back(&ward);
    while_it_rings(&ward);
    ward.devbox.stop();
}

fn offered(ward: &Ward) {
    let offer = |who: &str, args: &[&str]| ward.run(who, &[&["role", "offer", "physician"], args].concat());
    offer("Emil", &["Chidi"]).ended(3, "Only whoever holds the role or a charge nurse of the unit");
    offer("Chidi", &["Ben"]).ended(3, "go to whoever works in their unit");
    offer("Chidi", &["Chidi"]).ended(3, "holds the role already");
    offer("Chidi", &["Emil", "--hours", "17"]).ended(2, "17 is not in 1..=16");
    offer("Chidi", &["Emil", "--from", "7"]).ended(2, "as in 07:00");
    assert!(ward.run("Emil", &["role", "offers"]).err.contains("No role is offered."));
    ward.run("Emil", &["role", "accept"]).ended(2, "No such offer waits");
    let made = offer("Chidi", &["Emil", "--hours", "8"]);
    made.ended(0, "Emil Sand can accept it until ");
    let id = made.out.trim();
    let listed = ward.ok("Emil", &["role", "offers"]);
    assert!(
        listed.starts_with("Physician on call: Chidi Eze to Emil Sand until ") && listed.contains(id),
        "{listed}"
    );
    assert!(ward.ok("Ana", &["role", "offers"]).contains(id), "she leads the unit");
    assert_eq!(ward.ok("Ben", &["role", "offers", "--json"]), "");
    let role = |ward: &Ward| ward.ok("Ben", &["role", "list"]);
    assert!(role(ward).contains("Hall A: Chidi Eze "), "until it is accepted");
    ward.run("Chidi", &["role", "accept", id]).ended(2, "No such offer waits");
    assert!(ward.ok("Emil", &["role", "accept"]).starts_with("Physician on call is yours until "));
    assert!(role(ward).contains("Hall A: Emil Sand until "));
    ward.run("Emil", &["role", "accept", id]).ended(2, "No such offer waits");
}

fn taken_back(ward: &Ward) {
    ward.ok("Emil", &["role", "offer", "physician", "Chidi"]);
    let declined = ward.ok("Chidi", &["role", "decline", "physician"]);
    assert_eq!(declined, "Declined. Physician on call stays with whoever holds it.\n");
    let emil = Running::start(ward.command("Emil", &["tail", "--json"]));
    emil.until("\"event\":\"caught_up\"");
    ward.ok("Ana", &["role", "offer", "physician", "Chidi"]);
    assert!(emil.until("\"event\":\"offer\"").contains("\"fate\":\"made\""), "his role");
    let withdrawn = ward.ok("Ana", &["role", "withdraw"]);
    assert_eq!(withdrawn, "Withdrawn. Physician on call stays with whoever holds it.\n");
    assert!(emil.until("\"fate\":\"withdrawn\"").contains("\"event\":\"offer\""));
    assert!(ward.ok("Ben", &["role", "list"]).contains("Hall A: Emil Sand until "));
}

/// Emil holds it, who has his app open; Ana, who is called first, has not.
fn while_it_rings(ward: &Ward) {
    let policy = ["stat", "set-policy", "--unit", "Hall A", "--first", "15", "--then", "role:physician:600"];
    ward.ok("Ana", &policy);
    let [emil, chidi] = ["Emil", "Chidi"].map(|who| {
        let tail = Running::start(ward.command(who, &["tail", "--json", "--here"]));
        tail.until("\"event\":\"caught_up\"");
        tail
    });
    let sent = ward.ok("Ben", &["stat", "send", "Ana", "--unit", "Hall A", "Airway"]);
    let stat = sent.trim_end().rsplit_once("It rings: ").unwrap().1;
    assert!(emil.until("\"event\":\"ring\"").contains(stat));
    let shown = ward.ok("Emil", &["role", "offer", "physician", "Chidi", "--hours", "2"]);
    assert_eq!(shown.lines().count(), 1, "its identifier alone on standard output");
    assert!(chidi.until("\"event\":\"offer\"").contains("\"fate\":\"made\""));
    let open = ward.ok("Chidi", &["role", "offers", "--json"]);
    let open = &events(&open, "open_offer")[0];
    assert!(
        open.contains("\"stats_count\":1") && open.contains("\"stat\":null"),
        "not of which conversation: {open}"
    );
    ward.ok("Chidi", &["role", "accept", "physician"]);
    assert!(chidi.until("\"event\":\"ring\"").contains(stat), "at once");
    assert!(emil.until("\"event\":\"silence\"").contains(stat));
    ward.run("Emil", &["stat", "have", stat]).ended(3, "");
    assert!(ward.ok("Chidi", &["stat", "have", stat]).starts_with("You have it."));
    ward.ok("Chidi", &["role", "offer", "physician", "Emil", "--hours", "2"]);
    let open = ward.ok("Emil", &["role", "offers"]);
    assert!(open.contains("Chidi Eze has it: it stays theirs until they hand it back"), "{open}");
}
