//! `wardline admin` on the box: what it says of what it did, and of what it does not do.

use super::{Done, Ward};

#[test]
fn administration_says_what_it_did_and_what_comes_next() {
    let ward = Ward::start(&[]);
    let socket = ward.devbox.local_socket().display().to_string();
    let admin = |args: &[&str]| ward.run("nobody", &[&["admin", "--socket", &socket], args].concat());
    adding(&admin);

    let none = admin(&["devices", "Ben"]);
    none.ended(0, "No device yet. Next: wardline admin code Ben");
    assert_eq!(none.out, "");
    assert_eq!(admin(&["suspend", "Chidi"]).out, "Chidi Eze is suspended.\n");
    admin(&["code", "Chidi"]).ended(3, "Chidi Eze is suspended. Restore first: wardline admin restore Chidi");
    assert_eq!(admin(&["restore", "Chidi"]).out, "Chidi Eze may sign in again.\n");
    assert_eq!(admin(&["code", "Chidi"]).code, Some(0));

    for wrong in ["desk", "12ab", "0000000000000000", "zzzzzzzzzzzzzzzz", "+123456789abcdef"] {
        admin(&["revoke", wrong]).ended(2, "16 hexadecimal digits; wardline admin devices NAME lists them");
    }
    admin(&["revoke", "00000000000000ff"]).ended(3, "no such device");
    let unknown = admin(&["purge", "--yes", "00000000000000ff"]);
    unknown.ended(3, "There is no conversation 00000000000000ff.");
    purging(&ward, &admin);
    ward.devbox.stop();
}

fn purging(ward: &Ward, admin: &impl Fn(&[&str]) -> Done) {
    ward.join("Ana");
    ward.ok("Ana", &["send", "Ben", "to be destroyed"]);
    let id = ward.ok("Ana", &["conversations"])[..16].to_owned();
    assert_eq!(admin(&["purge", "--yes", &id]).out, format!("Conversation {id} is purged.\n"));
    ward.run("Ana", &["history", &id]).ended(3, "was purged");
    // The two go on in another one, and that stands first.
    ward.ok("Ana", &["send", "Ben", "and again"]);
    assert!(ward.ok("Ana", &["history", "Ben"]).ends_with("Ana Flores: and again\n"));
    let mine = ward.ok("Ana", &["conversations"]);
    let lines: Vec<&str> = mine.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("  Ben Okafor"), "{mine}");
    assert_eq!(lines[1], format!("{id}  (purged) was with Ben Okafor"));
}

fn adding(admin: &impl Fn(&[&str]) -> Done) {
    let first = admin(&["add-person", "Otto Kern", "--title", "RN"]);
    first.ended(0, "Next: wardline admin code \"Otto Kern\"");
    let first_id = first.out.trim();
    assert!(first_id.len() == 16 && !first.err.contains("already"), "{}{}", first.out, first.err);
    let second = admin(&["add-person", "otto kern "]);
    second.ended(0, &format!("already ({first_id})"));
    let second_id = second.out.trim();
    assert!(second.err.contains(&format!("wardline admin code {second_id}")), "{}", second.err);
    admin(&["code", "otto"]).ended(2, "The identifier works in place of the name.");
    admin(&["code", "otto"]).ended(2, &format!("Otto Kern (RN, {first_id})"));
    assert_eq!(admin(&["suspend", second_id]).code, Some(0));
    admin(&["add-person", ""]).ended(2, "The name is empty.");
}
