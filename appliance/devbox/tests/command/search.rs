//! `wardline search`: who finds what, and what is said to who finds nothing.

use super::{PATIENCE, Ward};

#[test]
fn what_one_may_read_is_found_and_nothing_else() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Ben"] {
        ward.join(who);
    }
    ward.ok("Ana", &["send", "Chidi", "Potassium of bed 4471-B is low"]);
    ward.ok("Ana", &["send", "Chidi", "labs are back\nMüller, MRN-00123: potassium 2.9"]);
    ward.ok("Chidi", &["send", "Ana", "I call cardiology"]);
    ward.ok("Ana", &["send", "Ben", "lunch at noon?"]);
    until_found(&ward, "Ben", "lunch");

    let found = ward.ok("Chidi", &["search", "potas"]);
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), 2, "{found}");
    assert!(
        lines[0].starts_with("Ana Flores #2 ")
            && lines[0].ends_with("Ana Flores: Müller, MRN-00123: potassium 2.9"),
        "{found}"
    );
    assert!(lines[1].ends_with("Ana Flores: Potassium of bed 4471-B is low"), "{found}");
    for words in [&["mrn-00123"][..], &["00123"], &["muller", "MRN"], &["\"potassium 2.9\""]] {
        let found = ward.ok("Chidi", &[&["search"], words].concat());
        assert!(
            found.ends_with("Müller, MRN-00123: potassium 2.9\n") && found.lines().count() == 1,
            "{words:?}: {found}"
        );
    }
    // Who may not read it finds nothing, and hears no more than who looks for what nobody said.
    let (one, other) = (ward.run("Ben", &["search", "potassium"]), ward.run("Ben", &["search", "xylophone"]));
    assert_eq!((one.code, &one.out, &one.err), (other.code, &other.out, &other.err));
    assert!(one.out.is_empty() && one.err.contains("Nothing found."), "{}", one.err);

    assert_eq!(ward.ok("Ana", &["search", "cardio", "--from", "Ana"]), "");
    assert_eq!(ward.ok("Ana", &["search", "cardio", "--from", "Chidi"]).lines().count(), 1);
    assert_eq!(ward.ok("Ana", &["search", "lunch", "--in", "Chidi"]), "");
    assert_eq!(
        ward.ok("Ana", &["search", "lunch", "--in", "Ben", "--since", "2020-01-01"]).lines().count(),
        1
    );
    assert_eq!(ward.ok("Ana", &["search", "lunch", "--until", "2020-01-01"]), "");
    let json = ward.ok("Chidi", &["search", "cardiology", "--json"]);
    assert!(json.contains("\"event\":\"hit\"") && json.contains("\"line\":\"I call cardiology\""), "{json}");
    // From a hit to what stands around it.
    let first = ward.run("Chidi", &["search", "4471"]);
    let around =
        first.err.lines().find_map(|line| line.split_once("wardline history ")).unwrap().1.to_owned();
    let history = ward.ok("Chidi", &[&["history"][..], &around.split(' ').collect::<Vec<_>>()].concat());
    assert!(history.contains("I call cardiology"), "{history}");
    ward.run("Ana", &["search", "?!"]).ended(3, "Type at least one word or number to look for.");
    ward.run("Ana", &["search", "a b c d e f g h i"]).ended(3, "A search takes at most 8 words.");
    ward.devbox.stop();
}

#[test]
fn people_and_patients_are_found_by_who_may_see_them() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Ben", "Keiko"] {
        ward.join(who);
    }
    let socket = ward.devbox.local_socket().display().to_string();
    for (record, name, unit, bed) in
        [("MRN-0042", "Rósa Díaz", "Hall A", "A-1"), ("MRN-0043", "Chidera Okoye", "Hall B", "3")]
    {
        let admit = ["patient", "--socket", &socket, "admit", record, unit, bed];
        let new = ["--name", name, "--born", "1947-03-09", "--sex", "F"];
        assert_eq!(ward.run("nobody", &[&admit[..], &new[..]].concat()).code, Some(0));
    }
    ward.ok("Chidi", &["shift", "take", "Hall A", "A-1", "--hours", "8"]);
    // Ana leads Hall A, Chidi has the bed, Ben is elsewhere; Keiko leads Hall B.
    for (who, words) in [("Ana", "rosa"), ("Ana", "0042"), ("Chidi", "diaz"), ("Chidi", "mrn-0042")] {
        let found = ward.ok(who, &["search", words]);
        assert!(found.starts_with("patient  Rósa Díaz, born 1947-03-09, MRN-0042, Hall A A-1  "), "{found}");
    }
    // Who may not see her hears no more than who looks for what nobody is called.
    let (one, other) = (ward.run("Ben", &["search", "rosa"]), ward.run("Ben", &["search", "xylophone"]));
    assert_eq!((one.code, &one.out, &one.err), (other.code, &other.out, &other.err));
    let found = ward.ok("Keiko", &["search", "chid"]);
    let lines: Vec<&str> = found.lines().collect();
    assert!(
        lines[0].starts_with("person   Chidi Eze") && lines[1].starts_with("patient  Chidera"),
        "{found}"
    );
    assert_eq!(ward.ok("Keiko", &["search", "chid", "--people"]).lines().count(), 1);
    assert_eq!(ward.ok("Keiko", &["search", "chid", "--unit", "Hall B"]).lines().count(), 1);
    assert_eq!(ward.ok("Keiko", &["search", "chid", "--messages"]), "");
    ward.run("Keiko", &["search", "chid", "--people", "--from", "Ana"]).ended(2, "cannot be used with");
    let json = ward.ok("Ana", &["search", "rosa", "--json"]);
    assert!(json.contains("\"event\":\"patient\"") && json.contains("\"bed\":\"A-1\""), "{json}");
    let stay = ward.ok("Ana", &["patient", "list", "Hall A"]).split(' ').next().unwrap().to_owned();
    ward.ok("Ana", &["patient", "restrict", &stay, "Chidi", "--alias", "Blue Heron"]);
    assert_eq!(ward.ok("Ana", &["search", "rosa"]), "");
    let found = ward.ok("Ana", &["search", "heron"]);
    assert!(found.starts_with("patient  Blue Heron (restricted), Hall A A-1  "), "{found}");
    assert!(ward.ok("Chidi", &["search", "heron"]).contains("Rósa Díaz"), "who is named sees who this is");
    ward.devbox.stop();
}

/// The index follows a moment later.
fn until_found(ward: &Ward, who: &str, words: &str) {
    let began = std::time::Instant::now();
    while ward.ok(who, &["search", words]).is_empty() {
        assert!(began.elapsed() < PATIENCE, "it is not found");
    }
}
