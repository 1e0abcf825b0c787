//! `wardline agency`: a nurse from an agency comes for a shift, stays longer, leaves and comes back.

use super::{Ward, events};

const ADMIT: [&str; 6] = ["agency", "admit", "Zoé Roth", "--agency", "Brightside", "--unit"];

#[test]
fn a_nurse_from_an_agency_comes_for_a_shift_and_comes_back() {
    let ward = Ward::start(&[]);
    for who in ["Keiko", "Ben"] {
        ward.join(who);
    }
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    ward.ok("Keiko", &[&["patient", "admit", "0042", "Hall B", "B-1"], &rosa[..]].concat());
    let to_hall = |who, more: &[&str]| ward.run(who, &[&ADMIT, &["Hall B"][..], more].concat());
    to_hall("Ben", &[]).ended(3, "Only a charge nurse of the unit");
    ward.run("Keiko", &[&ADMIT, &["Hall A"][..]].concat()).ended(3, "Only a charge nurse of the unit");
    to_hall("Keiko", &["--hours", "17"]).ended(2, "17 is not in 1..=16");
    let admitted = to_hall("Keiko", &["--title", "RN", "--beds", "B-1", "--hours", "8"]);
    admitted.ended(0, "Zoé Roth is here until");
    let mut lines = admitted.out.lines();
    let id = lines.next().unwrap();
    let link = lines.find(|line| line.starts_with("wardline://")).unwrap();
    let pin = ward.path("pin").display().to_string();
    let welcome = ward.ok("Zoe", &["join", link, "--pin-file", &pin, "--device-name", "her phone"]);
    assert!(welcome.starts_with("Welcome, Zoé Roth."), "{welcome}");
    assert!(ward.ok("Zoe", &["conversations"]).contains("Rosa Diaz"), "by her beds");
    let people = ward.ok("Ben", &["people"]);
    assert!(people.contains("Zoé Roth, RN  (Brightside, until "), "colleagues see it: {people}");
    bounds(&ward, id);
    let twice = to_hall("Keiko", &[]);
    twice.ended(3, "is here now: extend their time");
    assert!(twice.err.contains(id) && twice.err.contains("--another-person"), "{}", twice.err);
    let longer = ["agency", "extend", id, "--hours", "10"];
    let stays = ward.ok("Keiko", &[&longer[..], &["Two", "called", "in sick"]].concat());
    assert!(stays.starts_with("Zoé Roth stays until "), "{stays}");
    ward.run("Keiko", &[&longer[..], &["sick"]].concat()).ended(3, "ten characters");
    ward.run("Keiko", &["agency", "extend", id, "--hours", "1", "Two called in sick"])
        .ended(2, "counts from now: 1 ends");
    let listed = ward.ok("Keiko", &["agency", "list"]);
    assert!(listed.contains("Zoé Roth, Brightside, Hall B, here until"), "{listed}");
    assert!(listed.contains(": Two called in sick\n"), "{listed}");
    ward.run("Ben", &["agency", "list"]).ended(2, "You lead no unit");
    ward.run("Keiko", &["agency", "list", "--all"]).ended(3, "Only a charge nurse of the unit");
    back(&ward, id);
    ward.devbox.stop();
}

fn bounds(ward: &Ward, id: &str) {
    let socket = ward.devbox.local_socket().display().to_string();
    let admin = |args: &[&str]| ward.run("nobody", &[&["admin", "--socket", &socket], args].concat());
    admin(&["duties", id, "--administrator"]).ended(3, "has an end");
    admin(&["post", id, "Hall B", "charge-nurse"]).ended(3, "has an end");
    ward.run("Zoe", &["shift", "take", "Hall B", "B-2", "--hours", "16"])
        .ended(3, "longer than their time here");
    ward.run("Zoe", &["agency", "end", id]).ended(3, "Only a charge nurse");
}

fn back(ward: &Ward, id: &str) {
    assert_eq!(ward.ok("Keiko", &["agency", "end", id]), "Zoé Roth is out.\n");
    ward.run("Zoe", &["conversations"]).ended(3, "Your time here has ended.");
    ward.run("Keiko", &["agency", "extend", id, "--hours", "10", "Two called in sick"]).ended(3, "Only");
    let again = ["agency", "admit", "zoe roth", "--agency", "BRIGHTSIDE", "--unit", "Hall B"];
    let known = ward.run("Keiko", &again);
    known.ended(3, "was here before: admit that person again");
    assert!(known.err.contains(&format!("{id}  Zoé Roth  was here")), "{}", known.err);
    let admitted = ward.ok("Keiko", &[&again[..], &["--returning", id, "--json"]].concat());
    assert!(events(&admitted, "agency_admitted")[0].contains(&format!("\"person\":\"{id}\"")), "{admitted}");
    let there = ward.ok("Zoe", &["whoami"]);
    assert!(there.contains("locked: wants the PIN"), "on the phone that she had: {there}");
    let json = ward.ok("Keiko", &["agency", "list", "--json"]);
    assert!(events(&json, "agency_stay")[0].contains("\"ended\":null"), "{json}");
    let other = ward.ok("Keiko", &[&again[..], &["--another-person"]].concat());
    assert!(!other.starts_with(id), "{other}");
}
