//! `wardline bench`: what it sends, to whom, and that nothing of it stays in a list. No figure of it is held to anything: the
//! machine may be busy.

use super::{Done, Running, Ward, events};

/// It measured, whatever it thinks of it.
fn measured(done: &Done, count: u32) {
    assert!(matches!(done.code, Some(0 | 7)), "{}{}", done.out, done.err);
    let line = events(&done.out, "bench");
    assert!(line.len() == 1 && line[0].contains("\"p90_ms\":"), "{}", done.out);
    let accepted = line[0].split_once("\"accepted\":{").unwrap().1;
    assert!(accepted.split('}').next().unwrap().contains(&format!("\"count\":{count},")), "{}", line[0]);
}

#[test]
fn bench_writes_to_its_tester_alone_and_leaves_no_conversation() {
    let ward = Ward::start(&[]);
    ward.join("Ana");
    ward.join("Ben");
    let bystander = Running::start(ward.command("Ben", &["tail", "--json"]));
    bystander.until("caught_up");
    let done = ward.run("Ana", &["bench", "--messages", "5", "--rate", "20", "--json"]);
    measured(&done, 5);
    assert!(done.out.contains("\"delivered\":null"), "{}", done.out);
    assert_eq!(ward.ok("Ana", &["conversations"]), "", "it is left");

    // A second device of the same person, which is told of what the first one writes.
    let second = ward.path("Ana's second").display().to_string();
    let pin = ward.path("pin").display().to_string();
    let link = ward.link("Ana");
    ward.ok("Ana's second", &["join", &link, "--pin-file", &pin, "--device-name", "second desk"]);
    let done = ward.run("Ana", &["bench", "--messages", "5", "--rate", "20", "--json", "--with", &second]);
    measured(&done, 5);
    let delivered = done.out.split_once("\"delivered\":{").unwrap().1;
    assert!(delivered.split('}').next().unwrap().contains("\"count\":5,"), "{}", done.out);
    let told = ward.ok("Ana's second", &["tail", "--json", "--until-caught-up"]);
    assert!(!told.contains("Wardline test message") && !told.contains("network test"), "{told}");

    // Another person's device on this machine: a group of these two, which both leave.
    let other = ward.path("Ben").display().to_string();
    let refused = ward.run("Ana", &["bench", "--messages", "1", "--with", &other]);
    refused.ended(1, "in use by another wardline process");
    // The bystander heard of none of it: the first thing told is the next real message.
    ward.ok("Ana", &["send", "Ben", "a real message"]);
    let heard = bystander.until("\"event\":\"");
    let heard =
        if heard.contains("\"event\":\"conversation\"") { bystander.until("\"event\":\"") } else { heard };
    assert!(heard.contains("a real message"), "{heard}");
    bystander.kill();
    let done = ward.run("Ana", &["bench", "--messages", "2", "--rate", "20", "--json", "--with", &other]);
    measured(&done, 2);
    for who in ["Ana", "Ben"] {
        let mine = ward.ok(who, &["conversations"]);
        assert!(mine.lines().count() == 1 && !mine.contains("network test"), "{mine}");
    }
    refusals(&ward);
    ward.devbox.stop();
}

fn refusals(ward: &Ward) {
    let own = ward.path("Ana").display().to_string();
    ward.run("Ana", &["bench", "--messages", "1", "--with", &own])
        .ended(1, "in use by another wardline process");
    ward.run("Ana", &["bench", "--messages", "1001"]).ended(2, "1..=1000");
    ward.run("Ana", &["bench", "--rate", "21"]).ended(2, "1..=20");
    ward.run("nobody", &["bench"]).ended(1, "Join first");
    let tail = Running::start(ward.command("Ana", &["tail", "--json"]));
    tail.until("caught_up");
    ward.run("Ana", &["bench", "--messages", "1"]).ended(1, "A measurement through it");
}

#[test]
fn bench_does_not_begin_while_real_messages_wait() {
    let mut ward = Ward::start(&[]);
    ward.join("Ana");
    ward.join("Ben");
    ward.ok("Ana", &["send", "Ben", "so that they know each other"]);
    ward.ok("Ana", &["tail", "--until-caught-up"]);
    let id = ward.ok("Ana", &["conversations"])[..16].to_owned();
    ward.devbox.kill_relay();
    ward.run("Ana", &["bench", "--messages", "1"]).ended(4, "does not answer");
    ward.run("Ana", &["send", "Ben", "kept", "--wait", "0"]).ended(6, "kept");
    ward.devbox.start_relay().unwrap();
    let socket = ward.devbox.local_socket().display().to_string();
    ward.ok("nobody", &["admin", "--socket", &socket, "purge", "--yes", &id]);
    // It will never be sent now, and its person has not been told.
    let done = ward.run("Ana", &["bench", "--messages", "1"]);
    done.ended(1, "1 message waits in this profile's outbox");
    ward.devbox.stop();
}
