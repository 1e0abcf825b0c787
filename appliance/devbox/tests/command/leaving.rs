//! Who is suspended at night: what they leave behind, and what an administrator says of it.

use super::{Running, Ward, events};

#[test]
fn a_leavers_beds_are_named_and_an_administrator_decides() {
    let ward = Ward::start(&[]);
    for who in ["Keiko", "Dana", "Fatima", "Jonas"] {
        ward.join(who);
    }
    let socket = ward.devbox.local_socket().display().to_string();
    let waiting = |args: &[&str]| ward.run("nobody", &[&["suspensions", "--socket", &socket], args].concat());
    waiting(&["list"]).ended(0, "No suspension waits");
    ward.ok("Dana", &["shift", "take", "Hall B", "B-3", "B-4"]);
    ward.ok("Fatima", &["shift", "take", "Hall B", "B-5"]);
    ward.ok("Keiko", &["role", "add", "Hall B", "Rapid response"]);
    ward.ok("Dana", &["role", "take", "Rapid", "--hours", "8"]);
    let jonas = Running::start(ward.command("Jonas", &["tail", "--json"]));
    jonas.until("\"event\":\"caught_up\"");
    let suspended = ward.run("Keiko", &["unit", "suspend", "Dana"]);
    suspended.ended(0, "An administrator confirms or reverses it within a day");
    assert!(suspended.out.starts_with("Dana Petrov is suspended.\nLeft behind:\n"), "{}", suspended.out);
    assert!(
        suspended.out.contains("  role   Rapid response (held now): give it to Keiko Mori?\n"),
        "{}",
        suspended.out
    );
    assert!(suspended.out.contains("  beds   Hall B, B-3, B-4 until "), "{}", suspended.out);
    assert!(suspended.out.contains(": give it to Fatima Rahal?\n"), "{}", suspended.out);
    let told = jonas.until("\"event\":\"suspensions_waiting\"");
    assert!(told.contains("\"waiting\":1") && told.contains("\"overdue\":0"), "at once: {told}");
    ward.run("Dana", &["conversations"]).ended(3, "Your access is suspended");
    ward.run("Keiko", &["suspensions", "list"]).ended(3, "Only an administrator");
    let listed = waiting(&["list"]);
    assert!(listed.out.contains("Dana Petrov, by Keiko Mori, since "), "{}", listed.out);
    assert!(events(&waiting(&["list", "--json"]).out, "suspension")[0].contains("\"overdue\":false"));
    assert_eq!(waiting(&["reverse", "Dana"]).out, "Dana Petrov may sign in again.\n");
    waiting(&["confirm", "Dana"]).ended(3, "No suspension of this person waits");
    ward.ok("Keiko", &["unit", "suspend", "Dana"]);
    assert_eq!(waiting(&["confirm", "Dana"]).out, "Dana Petrov stays out.\n");
    ward.devbox.stop();
}
