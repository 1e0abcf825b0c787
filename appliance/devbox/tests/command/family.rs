//! `wardline family` and a visitor's `wardline join`: asked, let in, written with, and out.

use super::{Done, Running, Ward, events};

/// The words that a command printed which name something: sixteen hexadecimal digits.
fn named(line: &str) -> String {
    let is_one = |word: &&str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    line.split_whitespace().find(is_one).unwrap_or_else(|| panic!("nothing is named in {line}")).to_owned()
}

struct Bed<'w> {
    ward: &'w Ward,
    pin: String,
}

impl Bed<'_> {
    fn link(&self) -> String {
        let made = self.ward.ok("Chidi", &["family", "code", "Rosa"]);
        made.lines().find(|line| line.starts_with("wardline://")).expect("a link").to_owned()
    }

    fn asks(&self, who: &str, link: &str, name: &str, wait: &str) -> Done {
        let asks = ["join", link, "--name", name, "--relation", "daughter", "--pin-file", &self.pin];
        self.ward.run(who, &[&asks[..], &["--device-name", "phone", "--wait", wait]].concat())
    }

    /// The request of whoever is called so.
    fn waits(&self, name: &str) -> String {
        let all = self.ward.ok("Chidi", &["family", "requests", "Rosa"]);
        named(all.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name} waits: {all}")))
    }
}

#[test]
fn a_visitor_asks_at_the_bed_is_let_in_and_is_put_out() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Keiko"] {
        ward.join(who);
    }
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    ward.ok("Chidi", &[&["patient", "admit", "0042", "Hall A", "A-1"], &rosa[..]].concat());
    ward.ok("Chidi", &["shift", "take", "Hall A", "A-1", "--hours", "8"]);
    let bed = Bed { ward: &ward, pin: ward.path("pin").display().to_string() };
    ward.run("Chidi", &["family", "code", "Rosa"]).ended(3, "No consent to family is on record");
    ward.ok("Chidi", &["family", "consent", "Rosa", "The", "patient", "herself,", "at", "the", "bedside"]);
    ward.run("Keiko", &["family", "show", "Rosa"]).ended(2, "there is no patient of this name");
    let link = bed.link();
    assert!(link.contains("/visit?code="), "{link}");
    ward.run("Maria", &["join", &link, "--pin-file", &bed.pin]).ended(2, "--name");
    // Nobody has answered when she gives up for now, and the same command goes on.
    bed.asks("Maria", &link, "Maria Lopez", "1").ended(6, "Nobody has answered yet.");
    ward.run("Maria", &["whoami"]).ended(1, "There is no Wardline profile");
    let request = bed.waits("Maria Lopez (daughter)");
    let history = ward.ok("Chidi", &["history", "Rosa"]);
    assert!(history.contains("somebody at the bed asks to write: wardline family requests"), "{history}");
    let let_in = ward.run("Chidi", &["family", "approve", &request, "--new", "The daughters"]);
    let_in.ended(0, "They read and write in");
    let visitor = named(&let_in.out);
    bed.asks("Maria", &link, "Maria Lopez", "60").ended(0, "");
    both_write(&ward);
    nothing_else(&ward);
    shown_to_the_team(&ward, &visitor);
    let tail = Running::start(ward.command("Maria", &["tail", "--json"]));
    tail.until("\"event\":\"caught_up\"");
    assert_eq!(ward.ok("Chidi", &["family", "end", &visitor]), "Out, with every device.\n");
    tail.until("\"event\":\"ended\"");
    ward.run("Maria", &["send", "daughters", "Hello?"]).ended(3, "Your time in this family thread has ended");
    ward.ok("Chidi", &["send", "daughters", "Thank you for coming"]);
    declined_and_moved(&bed, &link);
    ward.devbox.stop();
}

fn both_write(ward: &Ward) {
    assert!(ward.ok("Maria", &["conversations"]).contains("  The daughters"), "hers, and no patient's name");
    assert!(!ward.ok("Maria", &["conversations", "--json"]).contains("Diaz"));
    ward.ok("Maria", &["send", "daughters", "Did she sleep?"]);
    let sent = ward.run("Chidi", &["send", "daughters", "Well, since two"]);
    sent.ended(0, "FAMILY READS THIS: Maria Lopez (daughter).");
    let listed = ward.ok("Chidi", &["conversations"]);
    assert!(listed.contains("FAMILY of Rosa Diaz, A-1: The daughters"), "{listed}");
    let history = ward.ok("Maria", &["history", "daughters"]);
    assert!(
        history.contains("Maria Lopez: Did she sleep?") && history.contains("Chidi Eze: Well, since two"),
        "{history}"
    );
    let history = ward.ok("Chidi", &["history", "daughters"]);
    assert!(history.contains("Maria Lopez: Did she sleep?"), "{history}");
}

fn nothing_else(ward: &Ward) {
    let only = "A visitor reads and writes in their own family thread";
    ward.run("Maria", &["people"]).ended(3, only);
    ward.run("Maria", &["search", "sleep"]).ended(3, only);
    ward.run("Maria", &["unit", "list"]).ended(3, only);
    ward.run("Maria", &["conversation", "open-group", "Us"]).ended(3, only);
    ward.run("Maria", &["stat", "send", "daughters", "help"]).ended(3, only);
    assert!(!ward.ok("Ana", &["people"]).contains("Maria"), "no directory has her");
    ward.run("Chidi", &["stat", "send", "daughters", "help"]).ended(3, "A family thread takes no STAT");
    ward.run("Chidi", &["send", "Maria", "hi"]).ended(2, "no person or conversation");
}

fn shown_to_the_team(ward: &Ward, visitor: &str) {
    let shown = ward.ok("Chidi", &["family", "show", "Rosa"]);
    for part in [
        "consent   The patient herself",
        "code      hangs at the bed",
        "The daughters",
        "Maria Lopez (daughter), 1 device",
        "let in by Chidi Eze",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = ward.ok("Chidi", &["family", "show", "Rosa", "--json"]);
    let told = events(&json, "visitor")[0].clone();
    assert!(told.contains(&format!("\"visitor\":\"{visitor}\"")), "{told}");
    ward.ok("Chidi", &["family", "extend", visitor, "--days", "3"]);
}

fn declined_and_moved(bed: &Bed<'_>, link: &str) {
    let ward = bed.ward;
    ward.ok("Chidi", &["family", "block", "Rosa", "Viktor", "Brandt"]);
    bed.asks("Viktor", link, "Brandt, Viktor", "1").ended(6, "Nobody has answered yet.");
    let listed = ward.ok("Chidi", &["family", "requests", "Rosa"]);
    assert!(listed.contains("ON THE BLOCK LIST"), "{listed}");
    let request = bed.waits("Viktor");
    ward.run("Chidi", &["family", "approve", &request, "--patient"])
        .ended(3, "is on the patient's block list");
    ward.ok("Chidi", &["family", "decline", &request]);
    bed.asks("Viktor", link, "Brandt, Viktor", "1").ended(3, "The team did not let you in");
    ward.ok("Chidi", &["patient", "transfer", "Rosa", "Hall A", "A-2"]);
    bed.asks("Paul", link, "Paul Diaz", "1").ended(3, "This code is not valid any more");
    ward.ok("Chidi", &["family", "consent", "Rosa", "--withdraw"]);
    ward.run("Chidi", &["send", "daughters", "?"]).ended(3, "This family thread has ended");
}
