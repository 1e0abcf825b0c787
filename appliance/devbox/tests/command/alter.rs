//! What an author does to a message afterwards, and answers to one: who sees what, and when.

use super::chat::Chat;
use super::{PATIENCE, Running, Ward, events};

#[test]
fn a_message_is_answered_edited_and_recalled() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi"] {
        ward.join(who);
    }
    let tail = Running::start(ward.command("Ben", &["tail"]));
    ward.ok("Ana", &["send", "Ben", "bed 4 is free"]);
    tail.until("Ana Flores: bed 4 is free");
    ward.ok("Ben", &["send", "Ana", "--reply-to", "1", "on my way"]);
    ward.run("Ben", &["send", "Ana", "--reply-to", "9", "to what?"]).ended(3, "There is no such message");

    assert_eq!(ward.ok("Ana", &["edit", "Ben", "1", "bed 5 is free"]), "Edited #1.\n");
    let edited = tail.until("bed 5 is free");
    assert!(edited.starts_with("-- [Ana Flores] Ana Flores edited #1 of "), "{edited}");
    ward.run("Ben", &["edit", "Ana", "1", "bed 6 is free"]).ended(3, "Only its author may edit a message");
    let json = ward.ok("Ana", &["edit", "Ben", "1", "bed 7 is free", "--json"]);
    assert!(json.contains("\"event\":\"edited\"") && json.contains("\"sequence\":1"), "{json}");
    tail.until("bed 7 is free");
    let history = ward.ok("Ben", &["history", "Ana"]);
    let lines: Vec<&str> = history.lines().collect();
    assert!(
        lines[0].contains("Ana Flores (edited at ") && lines[0].ends_with("): bed 7 is free"),
        "{history}"
    );
    assert!(lines[1].ends_with("Ben Okafor (to #1): on my way"), "{history}");
    until_found(&ward, "bed 7");
    assert_eq!(ward.ok("Ben", &["search", "\"bed 4\""]), "");

    // Ana's other screen is away; Ben's tail is there.
    assert_eq!(ward.ok("Ana", &["recall", "Ben", "1"]), "Recalled #1.\n");
    let recalled = tail.until("recalled #1 of ");
    assert!(recalled.starts_with("-- [Ana Flores] Ana Flores recalled #1 of "), "{recalled}");
    assert_eq!(ward.ok("Ana", &["recall", "Ben", "1"]), "Recalled #1.\n");
    ward.run("Ana", &["edit", "Ben", "1", "bed 8"]).ended(3, "This message was recalled. Send another.");
    let history = ward.ok("Ana", &["history", "Ben"]);
    assert!(!history.contains("bed") && history.contains("Ana Flores (recalled at "), "{history}");
    assert!(history.contains("Ben Okafor (to #1, recalled): on my way"), "{history}");
    tail.kill();

    // Who was away is told what became of what they had, once.
    ward.ok("Ana", &["send", "Ben", "potassium 2.9"]);
    let first = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    // The tail was killed: what it had not saved yet may come again.
    let potassium = events(&first, "message").into_iter().filter(|line| line.contains("potassium 2.9"));
    assert_eq!(potassium.count(), 1, "{first}");
    ward.ok("Ana", &["edit", "Ben", "3", "potassium 3.9"]);
    ward.ok("Ana", &["send", "Ben", "not for you"]);
    ward.ok("Ana", &["recall", "Ben", "4"]);
    let missed = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    let changed = events(&missed, "message_changed");
    assert!(changed.len() == 1 && changed[0].contains("potassium 3.9"), "{missed}");
    let new = events(&missed, "message");
    assert!(
        new.len() == 1 && new[0].contains("\"text\":\"\"") && !missed.contains("not for you"),
        "{missed}"
    );
    assert!(!new[0].contains("\"recalled_at\":null"), "{missed}");
    let again = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    assert!(events(&again, "message_changed").is_empty(), "{again}");
    ward.devbox.stop();
}

#[test]
fn chat_answers_edits_and_recalls_by_number_or_the_last_one() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben"] {
        ward.join(who);
    }
    ward.ok("Ben", &["send", "Ana", "who has bed 4?"]);
    let tail = Running::start(ward.command("Ben", &["tail"]));
    let mut chat = Chat::start(&ward, "Ana", "Ben");
    let found = chat.found();
    chat.until("#1 ");
    chat.until("Ben Okafor: who has bed 4?");
    chat.types("/reply Chidi");
    chat.until("✓ #2 ");
    chat.until("(to #1) Chidi");
    tail.until("Ana Flores (to #1): Chidi");
    chat.types("/edit Dana");
    chat.until("Ana Flores edited #2 of ");
    assert!(tail.until(": Dana").contains("edited #2 of "));
    chat.types("/edit #1 me");
    chat.until("Only its author may edit a message");
    chat.types("/recall #2");
    chat.until("Ana Flores recalled #2 of ");
    tail.until("recalled #2 of ");
    chat.types("/recall");
    chat.until("Which one? Give its number");
    chat.types("/quit");
    assert_eq!(chat.ended(&found).0, Some(0));
    tail.kill();
    ward.devbox.stop();
}

/// The index follows a moment later.
fn until_found(ward: &Ward, words: &str) {
    let began = std::time::Instant::now();
    while ward.ok("Ben", &["search", words]).is_empty() {
        assert!(began.elapsed() < PATIENCE, "it is not found");
    }
}
