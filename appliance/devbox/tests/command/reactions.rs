//! Whom a message names and what is put to it: who sees what, and when; and formatted text at a terminal.

use super::chat::Chat;
use super::{Running, Ward, events};

#[test]
fn people_and_roles_are_mentioned_and_words_put_to_messages() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi"] {
        ward.join(who);
    }
    ward.ok("Ana", &["conversation", "open-group", "Huddle", "Ben"]);
    let [ben, ana] = ["Ben", "Ana"].map(|who| {
        let tail = Running::start(ward.command(who, &["tail", "--json"]));
        tail.until("\"event\":\"caught_up\"");
        tail
    });
    mentions(&ward, &ben);
    reactions(&ward, &ana, &ben);
    ben.kill();
    ana.kill();
    caught_up(&ward);
    ward.devbox.stop();
}

fn mentions(ward: &Ward, ben: &Running) {
    ward.ok("Ana", &["send", "Huddle", "@Ben bed 4 is free"]);
    let told = ben.until("bed 4 is free");
    assert!(told.contains("\"mentioned\":true") && told.contains("\"role\":null"), "{told}");
    ward.ok("Ana", &["send", "Huddle", "nobody in particular"]);
    assert!(ben.until("in particular").contains("\"mentioned\":false,"));
    let nobody = ward.run("Ana", &["send", "Huddle", "@Zora are you there?"]);
    nobody.ended(0, "Nobody in the conversation is called “Zora”, and no role is: @Zora stays a text.");
    assert!(ben.until("are you there?").contains("\"mentions\":[]"));
    ward.run("Ana", &["send", "Huddle", "hello", "--mention", "Chidi"])
        .ended(2, "Chidi is not in this conversation");
    ward.run("Ana", &["send", "Huddle", "hello", "--mention", "Zora"])
        .ended(2, "there is nobody of this name");
    // A role is named by whoever holds it and reads the message.
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Chidi Eze", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Physician on call", "--rota", &days]);
    ward.run("Ana", &["send", "Huddle", "@Physician on call, please"])
        .ended(3, "Nobody in the conversation holds that role now");
    ward.ok("Ana", &["conversation", "add", "Huddle", "Chidi"]);
    ward.ok("Ana", &["send", "Huddle", "potassium 2.9", "--mention", "physician on call"]);
    let history = ward.ok("Chidi", &["history", "Huddle"]);
    assert!(history.contains("Ana Flores (mentions you by your role): potassium 2.9"), "{history}");
    let history = ward.ok("Ben", &["history", "Huddle"]);
    assert!(history.contains("Ana Flores (mentions you): @Ben bed 4 is free"), "{history}");
    assert!(history.contains("Ana Flores: potassium 2.9"), "{history}");
}

fn reactions(ward: &Ward, ana: &Running, ben: &Running) {
    assert_eq!(ward.ok("Ben", &["react", "Huddle", "1", "agree"]), "Put agree to #1.\n");
    for tail in [ana, ben] {
        let told = tail.until("\"event\":\"reactions\"");
        assert!(told.contains("\"sequence\":1") && told.contains("\"reaction\":\"agree\""), "{told}");
    }
    ward.ok("Ana", &["react", "Huddle", "1", "agree", "--json"]);
    ward.ok("Ana", &["react", "Huddle", "1", "done"]);
    let history = ward.ok("Ben", &["history", "Huddle"]);
    let line = history.lines().find(|line| line.contains("agree: ")).unwrap();
    assert!(
        line.starts_with("   + agree: ") && line.contains("you") && line.ends_with(" · done: Ana Flores"),
        "{line}"
    );
    assert_eq!(ward.ok("Ana", &["react", "Huddle", "1", "done", "--take-back"]), "Took back done from #1.\n");
    assert!(!ward.ok("Ben", &["history", "Huddle"]).contains("done"));
    ward.run("Ben", &["react", "Huddle", "1", "lol"])
        .ended(2, "agree, thanks, done, looking, question, concern");
    ward.run("Ben", &["react", "Huddle", "99", "agree"]).ended(3, "There is no such message");
    // What was agreed to was the earlier text.
    ward.ok("Ana", &["edit", "Huddle", "1", "@Ben bed 5 is free"]);
    let history = ward.ok("Ben", &["history", "Huddle"]);
    assert!(!history.contains("agree") && history.contains("(mentions you) (edited at "), "{history}");
    // A STAT wants an answer.
    let sent = ward.ok("Ana", &["stat", "send", "Ben", "Airway"]);
    let number = sent.trim_end().rsplit_once('#').unwrap().1.to_owned();
    ward.run("Ben", &["react", "Ana", &number, "looking"])
        .ended(3, "it wants an answer, and a reaction is none");
}

/// Who was away is told what was put to what they had, once, all of it.
fn caught_up(ward: &Ward) {
    ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    ward.ok("Ana", &["react", "Huddle", "2", "thanks"]);
    ward.ok("Ana", &["react", "Huddle", "2", "concern"]);
    ward.ok("Ana", &["send", "Huddle", "and a new one"]);
    let newest = ward.ok("Ana", &["history", "Huddle", "--limit", "1"]);
    let number = newest.split([' ', '#']).nth(1).unwrap().to_owned();
    ward.ok("Ana", &["react", "Huddle", &number, "done"]);
    let missed = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    let told = events(&missed, "reactions");
    assert!(told.len() == 1 && told[0].contains("\"sequence\":2"), "{missed}");
    assert!(told[0].contains("thanks") && told[0].contains("concern"), "{missed}");
    let new = events(&missed, "message");
    assert!(
        new.iter().any(|line| line.contains("and a new one") && line.contains("\"reaction\":\"done\"")),
        "{missed}"
    );
    assert!(events(&ward.ok("Ben", &["tail", "--json", "--until-caught-up"]), "reactions").is_empty());
}

#[test]
fn chat_shows_form_mentions_and_reactions() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben"] {
        ward.join(who);
    }
    ward.ok("Ben", &["send", "Ana", "**5 mg** of *it*\n- \u{1b}[2Jone"]);
    // Whoever is no terminal sees what was typed.
    let history = ward.ok("Ana", &["history", "Ben"]);
    assert!(history.contains("Ben Okafor: **5 mg** of *it*\n      | - \u{fffd}[2Jone"), "{history}");
    let mut chat = Chat::start(&ward, "Ana", "Ben");
    let found = chat.found();
    chat.until("Ben Okafor: \u{1b}[1m5 mg\u{1b}[22m of \u{1b}[3mit\u{1b}[23m");
    chat.until("| • \u{fffd}[2Jone");
    chat.types("@Ben thank you");
    chat.until("✓ #2 ");
    let history = ward.ok("Ben", &["history", "Ana"]);
    assert!(history.contains("Ana Flores (mentions you): @Ben thank you"), "{history}");
    ward.ok("Ben", &["react", "Ana", "2", "thanks"]);
    chat.until("   + #2 thanks: Ben Okafor");
    chat.types("/react #1 agree");
    chat.until("   + #1 agree: you");
    chat.types("/unreact #1 agree");
    chat.until("   + #1 nothing any more");
    chat.types("/react #1 wow");
    chat.until("A reaction is one of these: agree, ");
    ward.ok("Ben", &["send", "Ana", "@Ana see `bed_4`"]);
    chat.until("(mentions you)");
    chat.until("see \u{1b}[36mbed_4\u{1b}[39m");
    chat.types("/quit");
    assert_eq!(chat.ended(&found).0, Some(0));
    ward.devbox.stop();
}
