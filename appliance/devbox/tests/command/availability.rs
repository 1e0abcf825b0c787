//! `wardline availability`, and what whoever writes sees of it.

use super::{Ward, events};

#[test]
fn who_is_not_to_be_disturbed_is_seen_before_sending_and_a_stat_rings_through() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Emil"] {
        ward.join(who);
    }
    saying(&ward);
    seeing(&ward);
    ending(&ward);
    ward.devbox.stop();
}

fn saying(ward: &Ward) {
    let dnd = |args: &[&str]| ward.run("Emil", &[&["availability", "dnd"], args].concat());
    dnd(&["soon"]).ended(2, "soon is no length of time");
    dnd(&["17h"]).ended(3, "Do not disturb ends within 16 hours");
    dnd(&["2h", "--cover", "Emil"]).ended(3, "A cover works in one of your units");
    let said = ward.ok("Emil", &["availability", "dnd", "2h", "--cover", "Ana"]);
    assert!(said.contains("Ana Flores covers, and has been told."), "{said}");
    ward.run("Ana", &["availability", "dnd", "1h"]).ended(3, "You cover for a colleague");
    let quiet = |args: &[&str]| ward.run("Ben", &[&["availability", "quiet"], args].concat());
    quiet(&["22-6"]).ended(2, "22-6 are no quiet hours");
    quiet(&["22:00-06:00", "--zone", "Nowhere"]).ended(3, "zone");
    let said = ward.ok("Ben", &["availability", "quiet", "sat,sun/22:00-08:00", "--zone", "Europe/Berlin"]);
    assert!(said.contains("Quiet hours: sat,sun/22:00-08:00 (Europe/Berlin)."), "{said}");
    let said = ward.ok("Ben", &["availability", "quiet", "22:00-06:00", "--zone", "Europe/Berlin"]);
    assert!(said.contains(", in place of sat,sun/22:00-08:00 (Europe/Berlin)."), "{said}");
    assert_eq!(ward.ok("Ben", &["availability", "quiet", "off"]), "You have no quiet hours.\n");
    ward.run("Ben", &["availability", "dnd", "off", "--cover", "Ana"]).ended(2, "leave --cover out");
    ward.run("Emil", &["availability", "number", "my desk"]).ended(2, "my desk is no telephone number");
    let said = ward.ok("Emil", &["availability", "number", "+49 171 5550123"]);
    assert!(said.contains("while no device of yours is here"), "{said}");
    ward.run("Emil", &["availability", "policy", "cover"]).ended(3, "Only an administrator");
}

fn seeing(ward: &Ward) {
    let shown = ward.ok("Ben", &["availability", "show", "Emil"]);
    assert!(
        shown.contains("does not want to be disturbed until") && shown.contains(", cover: Ana"),
        "{shown}"
    );
    assert!(!shown.contains("5550123"), "{shown}");
    let json = ward.ok("Emil", &["availability", "show", "--json"]);
    assert!(events(&json, "availability")[0].contains("\"number\":\"+49 171 5550123\""), "{json}");
    // Whoever writes is told; nobody is kept from writing.
    let sent = ward.run("Ben", &["send", "Emil", "bed 4 is free"]);
    assert!(sent.out.starts_with("Accepted as #1"), "{}{}", sent.out, sent.err);
    assert!(sent.err.contains("does not want to be disturbed until"), "{}", sent.err);
    ward.ok("Ana", &["conversation", "open-group", "Huddle", "Ben", "Emil"]);
    let sent = ward.run("Ana", &["send", "Huddle", "at ten"]);
    assert!(sent.err.contains("Emil Sand does not want to be disturbed until"), "{}", sent.err);
    assert!(!sent.err.contains("Ben Okafor"), "{}", sent.err);
    // No device of his is connected: he is called by telephone.
    let check = ward.ok("Ben", &["stat", "check", "Emil"]);
    assert!(
        check.contains("does not want to be disturbed") && check.contains("off site: call +49 171 5550123"),
        "{check}"
    );
    let stat = ward.ok("Ben", &["stat", "send", "Emil", "chest pain, bed 4"]);
    assert!(stat.contains("  Ana Flores: "), "the cover is called at once: {stat}");
    let id = stat.lines().find_map(|line| line.strip_prefix("It rings: ")).unwrap().trim().to_owned();
    let numbers = ward.ok("Ana", &["stat", "numbers", &id]);
    assert!(numbers.contains("call +49 171 5550123"), "{numbers}");
}

fn ending(ward: &Ward) {
    let said = ward.ok("Ana", &["availability", "refuse", "Emil"]);
    assert!(said.contains("You do not cover for Emil Sand"), "{said}");
    ward.run("Ana", &["availability", "refuse", "Emil"]).ended(3, "You do not cover for that person");
    assert!(ward.ok("Emil", &["availability", "clear"]).starts_with("You may be disturbed"));
    let shown = ward.ok("Ben", &["availability", "show", "Emil"]);
    assert!(shown.contains("may be disturbed") && !shown.contains("until"), "{shown}");
}
