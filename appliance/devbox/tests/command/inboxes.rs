//! `wardline role write`, `readers`, `inbox` and `done`: what is written to a role, and times in which nobody will hold one.

use super::{PATIENCE, Running, Ward, events};

#[test]
fn what_is_written_to_a_role_reaches_whoever_holds_it() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Emil", "Ben"] {
        ward.join(who);
    }
    nobody_holds_it(&ward);
    somebody_does(&ward);
    done(&ward);
    gaps(&ward);
    ward.devbox.stop();
}

/// Said before anything is sent, and where it would go: Ana leads the unit.
fn nobody_holds_it(ward: &Ward) {
    ward.ok("Ana", &["role", "add", "Hall A", "Physician on call"]);
    let write = ["role", "write", "physician", "Bed", "4", "wants", "a", "look"];
    ward.run("Ben", &["role", "write", "surgeon", "hello"]).ended(2, "there is no role of this name");
    let told = ward.run("Ben", &write);
    told.ended(3, "Nobody holds Physician on call now. It goes to Ana Flores, who may not see it at once.");
    assert!(told.err.contains("Nothing is sent yet: the same with --yes sends it."), "{}", told.err);
    assert!(ward.run("Ben", &["role", "inbox"]).err.contains("Nothing is written to a role"));
    let readers = ward.ok("Ben", &["role", "readers", "physician", "--json"]);
    let readers = &events(&readers, "role_readers")[0];
    assert!(readers.contains("\"holders\":[]") && readers.contains("\"next\":null"), "{readers}");
    assert!(ward.ok("Ben", &[&write[..], &["--yes"]].concat()).starts_with("Accepted as #1 at "));
    let ana = ward.ok("Ana", &["role", "inbox"]);
    assert!(ana.contains("  Physician on call, from Ben Okafor  1 unread"), "{ana}");
    let ben = ward.ok("Ben", &["role", "inbox"]);
    assert!(ben.contains("  Physician on call: read by Ana Flores"), "{ben}");
}

fn somebody_does(ward: &Ward) {
    let chidi = Running::start(ward.command("Chidi", &["tail", "--json"]));
    chidi.until("\"event\":\"caught_up\"");
    ward.ok("Emil", &["role", "take", "physician", "--hours", "2", "--place", "2"]);
    ward.ok("Chidi", &["role", "take", "physician", "--hours", "2"]);
    let told = chidi.until("\"kind\":\"role\"");
    assert!(told.contains("\"title\":\"Physician on call\"") && told.contains("\"writer\":\""), "{told}");
    assert!(ward.run("Ana", &["role", "inbox"]).err.contains("Nothing is written to a role"), "not hers now");
    let inbox = ward.ok("Chidi", &["role", "inbox"]);
    assert!(inbox.contains("Physician on call, from Ben Okafor, with Emil Sand  1 unread"), "{inbox}");
    let id = inbox.split_whitespace().next().unwrap();
    let read = ward.ok("Chidi", &["history", id]);
    assert!(read.contains("Ben Okafor: Bed 4 wants a look"), "what came before her shift: {read}");
    ward.ok("Chidi", &["send", "physician", "On my way"]);
    let readers = ward.ok("Ben", &["role", "readers", "physician"]);
    assert_eq!(readers, "Physician on call is Chidi Eze, Emil Sand.\n");
    let more = ward.run("Ben", &["role", "write", "physician", "Thank you", "--json"]);
    more.ended(0, "Physician on call is Chidi Eze, Emil Sand.");
    assert!(events(&more.out, "accepted")[0].contains("\"sequence\":3"), "{}", more.out);
    ward.run("Ben", &["send", "physician", "And bed 5"])
        .ended(0, "Physician on call is Chidi Eze, Emil Sand.");
    assert!(chidi.until("And bed 5").contains("\"event\":\"message\""));
    ward.run("Ben", &["stat", "send", "physician", "Airway"]).ended(3, "takes no STAT");
    ward.run("Ben", &["conversation", "add", "physician", "Dana"]).ended(3, "neither is changed by hand");
}

fn done(ward: &Ward) {
    // Another writes to the same role, and neither reads what the other wrote.
    ward.ok("Ana", &["role", "write", "physician", "From Ana"]);
    let ben = ward.ok("Ben", &["role", "inbox", "--json"]);
    assert_eq!(events(&ben, "conversation").len(), 1, "{ben}");
    let done = ["role", "done", "physician"];
    ward.run("Chidi", &done).ended(2, "from Ben Okafor");
    ward.ok("Chidi", &[&done[..], &["--from", "Ben"]].concat());
    ward.run("Ben", &["send", "physician", "more"]).ended(3, "wardline role write");
    assert!(!ward.ok("Chidi", &["role", "inbox"]).contains("Ben Okafor"));
    assert!(ward.ok("Ben", &["role", "inbox", "--done"]).contains("Physician on call: done"));
    assert!(ward.ok("Ben", &["role", "write", "physician", "Again"]).starts_with("Accepted as #5 at "));
    assert!(ward.ok("Chidi", &["role", "inbox", "phys"]).contains("from Ben Okafor"));
}

/// Whoever can mend it hears of it, at once and when she comes back; nobody else does.
fn gaps(ward: &Ward) {
    let ana = Running::start(ward.command("Ana", &["tail"]));
    let emil = Running::start(ward.command("Emil", &["tail", "--json"]));
    emil.until("\"event\":\"caught_up\"");
    // A minute of the week, which is not now or will be over soon.
    let rota = ward.write("minute", "zone UTC\nMon 07:00-07:01 Chidi", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Night nurse", "--rota", &rota]);
    assert!(ana.until("-- nobody will hold Night nurse from ").contains("wardline role set"));
    ana.kill();
    let again = Running::start(ward.command("Ana", &["tail", "--json"]));
    // Of the physician too, whom nobody follows in two hours.
    assert!(again.until("\"name\":\"Night nurse\"").contains("\"event\":\"role_gap\""));
    let whole = ward.write("whole", "zone UTC\ndaily 00:00-00:00 Chidi", 0o644);
    ward.ok("Ana", &["role", "set", "night nurse", "--rota", &whole]);
    ward.ok("Ben", &["send", "Emil", "the last thing"]);
    let mut heard = vec![String::new()];
    while !heard[heard.len() - 1].contains("the last thing") {
        heard.push(emil.lines.recv_timeout(PATIENCE).unwrap());
    }
    assert!(!heard.iter().any(|line| line.contains("role_gap")), "{heard:?}");
}
