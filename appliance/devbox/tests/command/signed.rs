//! `wardline stat note` and `wardline stat answers`: what devices sign about a STAT, verified by whoever reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Done, Running, Ward, events};

#[test]
fn what_is_answered_to_a_stat_is_signed_and_verified() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi", "Emil"] {
        ward.join(who);
    }
    let sent = ward.ok("Ben", &["stat", "send", "Chidi", "Bed", "4", "--json"]);
    let accepted = &events(&sent, "accepted")[0];
    let place = accepted.split("\"conversation\":\"").nth(1).and_then(|rest| rest.get(..16)).unwrap();
    let stat = &format!("{place}#1");
    let seen = ward.ok("Ben", &["stat", "answers", stat]);
    assert!(seen.contains(": rings, step 1 of ") && seen.contains("Nobody has answered it"), "{seen}");
    ward.ok("Chidi", &["stat", "cannot", stat, "--because", "busy"]);
    // Who is called and is not in the conversation sees it as well.
    let seen = ward.ok("Ana", &["stat", "answers", stat]);
    assert!(seen.contains("Chidi Eze: cannot: busy. Signed by their device "), "{seen}");
    assert!(seen.trim_end().ends_with(", verified."), "{seen}");
    ward.run("Emil", &["stat", "answers", stat]).ended(3, "There is no such conversation among yours.");
    wrong_notes(&ward, stat);
    noted(&ward, stat);
    ward.devbox.stop();
}

fn wrong_notes(ward: &Ward, stat: &str) {
    let note = |args: &[&str]| ward.run("Ana", &[&["stat", "note", stat], args].concat());
    note(&[]).ended(2, "--reached");
    note(&["--reached", "Chidi", "--name", "Dr. Reyes"]).ended(2, "cannot be used with");
    note(&["--role", "Cardiologist", "--at", "2:14"]).ended(2, "is no time of day");
    // Long before the STAT was sent.
    let minutes = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60 - 60;
    let at = format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
    let mut early = ward.command("Ana", &["stat", "note", stat, "--role", "Cardiologist", "--at", &at]);
    early.env("TZ", "UTC");
    Done::of(early.spawn().unwrap(), None).ended(3, "since the STAT was sent");
}

fn noted(ward: &Ward, stat: &str) {
    let ben = Running::start(ward.command("Ben", &["tail"]));
    ben.until("rings, step");
    let args = ["--role", "Cardiologist on call", "--name", "Dr. Reyes", "--read-back"];
    assert!(ward.ok("Ana", &[&["stat", "note", stat], &args[..]].concat()).starts_with("Noted."));
    let told = ben.until("answered by call note of Ana Flores");
    assert!(told.contains("reached Dr. Reyes, not in the directory, Cardiologist on call, at "), "{told}");
    assert!(told.contains(", read back"), "{told}");
    ben.kill();
    let seen = ward.ok("Ben", &["stat", "answers", stat]);
    assert!(seen.starts_with(&format!("-- STAT {stat}: answered by call note of Ana Flores")), "{seen}");
    ward.ok("Ben", &["stat", "close", stat]);
    let seen = ward.ok("Chidi", &["stat", "answers", stat]);
    assert!(seen.starts_with(&format!("-- STAT {stat}: closed since ")), "{seen}");
    // It is over, and what was signed is there.
    for who in ["Ben", "Chidi"] {
        let answers = ward.ok(who, &["stat", "answers", stat, "--json"]);
        assert!(events(&answers, "escalation")[0].contains("\"stands\":\"closed\""), "{answers}");
        let answers = events(&answers, "signed_answer");
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.contains("\"verified\":true")), "{answers:?}");
        assert!(answers[0].contains("\"said\":\"call_note\"") && answers[1].contains("\"said\":\"decline\""));
    }
}
