//! `wardline task`: given, taken, declined, passed on, done; told to whoever reads the conversation, and left behind by a leaver.

use super::{Running, Ward, events};

#[test]
fn a_task_is_somebodys_until_it_is_done() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi", "Emil"] {
        ward.join(who);
    }
    ward.ok("Ana", &["conversation", "open-group", "Huddle", "Ben", "Chidi"]);
    let ben = Running::start(ward.command("Ben", &["tail", "--json"]));
    ben.until("\"event\":\"caught_up\"");
    given(&ward, &ben);
    answered(&ward, &ben);
    ben.kill();
    for_a_role(&ward);
    left_behind(&ward);
    ward.devbox.stop();
}

fn task(ward: &Ward, who: &str, args: &[&str]) -> super::Done {
    ward.run(who, &[&["task"], args].concat())
}

fn given(ward: &Ward, ben: &Running) {
    assert!(task(ward, "Ben", &["list"]).err.contains("No task is open."));
    let made = ward
        .ok("Ana", &["task", "give", "Huddle", "Draw", "a", "potassium", "--for", "Ben", "--within", "45"]);
    assert!(made.starts_with("#1 is for Ben Okafor, by "), "{made}");
    let told = ben.until("\"event\":\"task\"");
    assert!(told.contains("\"sequence\":1") && told.contains("\"stands\":\"open\""), "{told}");
    for who in ["Ana", "Ben"] {
        let listed = ward.ok(who, &["task", "list"]);
        assert!(listed.contains("#1 [Huddle] task for ") && listed.contains("Draw a potassium"), "{listed}");
    }
    // Neither gave it nor is to do it: he sees it where it stands.
    assert!(task(ward, "Chidi", &["list"]).err.contains("No task is open."));
    assert!(ward.ok("Chidi", &["task", "list", "Huddle"]).contains("task for Ben Okafor, from Ana Flores"));
    let history = ward.ok("Chidi", &["history", "Huddle"]);
    assert!(history.contains("   > task for Ben Okafor, from Ana Flores, due "), "{history}");
    assert_eq!(events(&ward.ok("Chidi", &["history", "Huddle", "--json"]), "task").len(), 1);
    // Nothing is sent for what cannot be given.
    task(ward, "Ana", &["give", "Huddle", "Fetch blood", "--for", "Zora"])
        .ended(2, "there is nobody of this name");
    task(ward, "Ana", &["give", "Huddle", "Fetch blood"]).ended(2, "--for");
    task(ward, "Ana", &["give", "Huddle", "Fetch blood", "--for", "Emil"])
        .ended(3, "Emil Sand is not in this conversation. Nothing was sent.");
    task(ward, "Ana", &["give", "Huddle", "x", "--for", "Ben", "--within", "0"])
        .ended(2, "0 is not in 1..=129600");
    assert!(!ward.ok("Chidi", &["history", "Huddle"]).contains("Fetch blood"));
    task(ward, "Emil", &["list", "Huddle"]).ended(2, "no person or conversation");
}

fn answered(ward: &Ward, ben: &Running) {
    task(ward, "Chidi", &["done", "Huddle", "1"]).ended(3, "may take, do or decline a task");
    assert_eq!(ward.ok("Ben", &["task", "take", "Huddle", "1"]), "#1 is yours now.\n");
    assert!(ben.until("\"stands\":\"taken\"").contains("\"sequence\":1"));
    ward.ok("Ben", &["task", "decline", "Huddle", "1", "--because", "busy"]);
    let listed = ward.ok("Ana", &["task", "list"]);
    assert!(listed.contains("declined by Ben Okafor (busy)"), "{listed}");
    ward.ok("Ana", &["task", "reassign", "Huddle", "1", "--for", "Chidi"]);
    assert_eq!(ward.ok("Chidi", &["task", "done", "Huddle", "1"]), "#1 is done.\n");
    ben.until("\"stands\":\"done\"");
    assert!(task(ward, "Ana", &["list"]).err.contains("No task is open."));
    task(ward, "Chidi", &["done", "Huddle", "1"]).ended(3, "no open task about this message");
    task(ward, "Ana", &["withdraw", "Huddle", "9"]).ended(3, "no open task about this message");
    assert_eq!(events(&ward.ok("Ben", &["task", "list", "--json"]), "task").len(), 0);
}

/// Whoever holds the role now is to do it.
fn for_a_role(ward: &Ward) {
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Chidi Eze", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Transport", "--rota", &days]);
    ward.ok("Ben", &["send", "Huddle", "Bed 4 goes to imaging"]);
    ward.ok("Ben", &["task", "give", "Huddle", "--message", "2", "--role", "transport"]);
    let listed = ward.ok("Chidi", &["task", "list"]);
    assert!(listed.contains("task for Transport, from Ben Okafor") && listed.contains("imaging"), "{listed}");
    task(ward, "Ana", &["withdraw", "Huddle", "2"]).ended(3, "Only its author");
    assert_eq!(ward.ok("Ben", &["task", "withdraw", "Huddle", "2"]), "#2 is withdrawn.\n");
}

/// The answer to a suspension lists it.
fn left_behind(ward: &Ward) {
    ward.ok("Ana", &["task", "give", "Huddle", "Call the pharmacy", "--for", "Chidi"]);
    let left = ward.ok("Ana", &["admin", "suspend", "Chidi"]);
    assert!(left.contains("task"), "{left}");
    ward.ok("Ana", &["task", "reassign", "Huddle", "3", "--for", "Ben"]);
    assert!(ward.ok("Ben", &["task", "list"]).contains("Call the pharmacy"));
}
