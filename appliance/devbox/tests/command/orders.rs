//! `wardline order`: given, read back, confirmed, corrected, filed; signed, verified, and kept until then.

use std::time::Instant;

use super::{PATIENCE, Running, Ward, events};

const THREAD: &str = "Rosa Diaz";

#[test]
fn an_order_is_read_back_confirmed_and_kept_until_it_is_filed() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi", "Emil"] {
        ward.join(who);
    }
    let rosa = ["--name", THREAD, "--born", "1947-03-09", "--sex", "F"];
    ward.ok("Chidi", &[&["patient", "admit", "0042", "Hall A", "A-1"], &rosa[..]].concat());
    ward.ok("Ana", &["shift", "give", "Hall A", "--hours", "4", "Ana=A-1", "Chidi=A-1"]);
    ward.ok("Ana", &["patient", "team", "add", THREAD, "Ben", "--hours", "4"]);
    switched_on(&ward);
    let chidi = Running::start(ward.command("Chidi", &["tail", "--json"]));
    chidi.until("\"event\":\"caught_up\"");
    read_back(&ward, &chidi);
    chidi.kill();
    corrected(&ward);
    kept(&ward);
    ward.devbox.stop();
}

fn order(ward: &Ward, who: &str, args: &[&str]) -> super::Done {
    ward.run(who, &[&["order"], args].concat())
}

/// Nobody's count until an administrator says whose.
fn switched_on(ward: &Ward) {
    assert!(order(ward, "Ben", &["policy"]).err.contains("Orders by text are off."));
    order(ward, "Ben", &["give", THREAD, "Paracetamol", "500", "mg", "now"]).ended(3, "are off here");
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Ben Okafor", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Physician on call", "--rota", &days]);
    order(ward, "Chidi", &["set-policy", "--role", "physician"]).ended(3, "administrator");
    order(ward, "Ana", &["set-policy"]).ended(2, "--role");
    ward.ok("Ana", &["order", "set-policy", "--unit", "Hall A", "--role", "physician"]);
    let policy = ward.ok("Chidi", &["order", "policy"]);
    assert_eq!(policy, "Hall A: Physician on call\n");
    // Nor does anybody of the unit make themselves somebody who may order.
    ward.run("Emil", &["role", "take", "physician", "--hours", "1"]).ended(3, "charge nurse");
    order(ward, "Chidi", &["give", THREAD, "Paracetamol"])
        .ended(3, "Only whoever holds a role that is listed");
}

fn read_back(ward: &Ward, chidi: &Running) {
    let given =
        ward.ok("Ben", &["order", "give", THREAD, "Paracetamol", "500", "mg", "now", "--for", "Chidi"]);
    assert!(given.starts_with("Order #") && given.contains(", for Chidi Eze."), "{given}");
    let number = given["Order #".len()..].split(',').next().unwrap().to_owned();
    let told = chidi.until("\"event\":\"order\"");
    assert!(
        told.contains("\"stands\":\"given\"") && told.contains(&format!("\"sequence\":{number},")),
        "{told}"
    );
    order(ward, "Ana", &["read-back", THREAD, &number, "Paracetamol"]).ended(3, "may read an order back");
    order(ward, "Ben", &["confirm", THREAD, &number]).ended(2, "Nobody has read");
    ward.ok("Chidi", &["order", "read-back", THREAD, &number, "Paracetamol", "50", "mg"]);
    chidi.until("\"stands\":\"read_back\"");
    let wrong = ward.ok("Ben", &["order", "wrong", THREAD, &number]);
    assert!(wrong.contains("Paracetamol 50 mg") && wrong.contains("That is wrong, you said."), "{wrong}");
    let read = ward.ok("Chidi", &["order", "read-back", THREAD, &number, "Paracetamol", "500", "mg", "now"]);
    let read = read["Read back as #".len()..].split('.').next().unwrap().to_owned();
    // Without somebody who has looked at it nothing is confirmed.
    order(ward, "Ben", &["confirm", THREAD, &number]).ended(2, &format!("--read-back {read}"));
    order(ward, "Ben", &["confirm", THREAD, &number, "--read-back", "2"]).ended(2, "Nothing was confirmed");
    let confirmed = ward.ok("Ben", &["order", "confirm", THREAD, &number, "--read-back", &read]);
    assert!(confirmed.contains("Chidi Eze read back: Paracetamol 500 mg now"), "{confirmed}");
    assert!(confirmed.ends_with("Confirmed.\n"), "{confirmed}");
    chidi.until("\"stands\":\"confirmed\"");
    let shown = ward.ok("Ana", &["order", "show", THREAD, &number]);
    assert_eq!(shown.matches(", verified").count(), 5, "{shown}");
    assert!(shown.contains("Ben Okafor ordered: Paracetamol 500 mg now"), "{shown}");
    assert!(!shown.contains("NOT VERIFIED"), "{shown}");
    // Neither is changed.
    ward.run("Ben", &["edit", THREAD, &number, "Paracetamol 5 g"]).ended(3, "stay as they were sent");
    ward.run("Ben", &["recall", THREAD, &number]).ended(3, "stay as they were sent");
}

fn corrected(ward: &Ward) {
    let listed = ward.ok("Chidi", &["order", "list", "--json"]);
    let first = &events(&listed, "order")[0];
    let first = first.split("\"sequence\":").nth(1).unwrap().split([',', '}']).next().unwrap();
    let told = ward.ok("Ben", &["order", "give", THREAD, "No", "paracetamol", "--cancels", first]);
    assert!(told.contains(&format!("which cancels #{first}")), "{told}");
    let listed = ward.ok("Ana", &["order", "list", THREAD]);
    assert!(
        listed.contains("NOT TO BE DONE") && listed.contains(&format!("order that cancels #{first}")),
        "{listed}"
    );
    assert_eq!(
        ward.ok("Chidi", &["order", "file", THREAD, first]),
        format!("#{first} is marked as filed.\n")
    );
    order(ward, "Chidi", &["file", THREAD, first]).ended(3, "no such order that is not filed");
}

/// An order is not taken for a message.
fn found(ward: &Ward) {
    let began = Instant::now();
    let found = loop {
        let found = ward.ok("Chidi", &["search", "no", "paracetamol"]);
        if !found.is_empty() {
            break found;
        }
        assert!(began.elapsed() < PATIENCE, "it is not found");
    };
    assert!(found.contains("   > order that cancels #"), "{found}");
    let who = ward.ok("Chidi", &["whoami", "--json"]);
    assert!(events(&who, "whoami")[0].contains("\"signed_in\":true"), "{who}");
}

/// A purge waits for the record, and a service of the box files too.
fn kept(ward: &Ward) {
    let listed = ward.ok("Chidi", &["order", "list", "--json"]);
    let one = &events(&listed, "order")[0];
    let place = one.split("\"conversation\":\"").nth(1).and_then(|rest| rest.get(..16)).unwrap().to_owned();
    let socket = ward.devbox.local_socket().display().to_string();
    ward.run("nobody", &["admin", "--socket", &socket, "purge", "--yes", &place])
        .ended(3, "not marked as filed");
    let unit = ward.ok("Ana", &["order", "list", "--unit", "Hall A"]);
    assert!(unit.contains("not read back") && !unit.contains("paracetamol"), "{unit}");
    found(ward);
    order(ward, "Emil", &["list", "--unit", "Hall A"]).ended(3, "see orders of a unit");
    let number = one.split("\"sequence\":").nth(1).unwrap().split([',', '}']).next().unwrap();
    ward.ok("Ana", &["order", "file", THREAD, number]);
    assert!(order(ward, "Chidi", &["list"]).err.contains("No order waits to be filed."));
}
