//! `wardline template`, and messages that are filled in.

use std::process::Stdio;

use super::{Done, Ward, events};

const FILE: &str = "reply On my way\nreply Seen, thank you\n\ntemplate Fall report\nfield Bed\n\
                    field What happened | as the patient tells it\noptional Injuries | where";

#[test]
fn templates_are_set_shown_and_filled_in() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Emil"] {
        ward.join(who);
    }
    setting(&ward);
    sending(&ward);
    ward.devbox.stop();
}

fn setting(ward: &Ward) {
    let file = ward.write("templates", FILE, 0o644);
    let wrong = ward.write("wrong", "reply On my way\ntemplate Fall\nfield Bed\nfiled Injuries", 0o644);
    let set = |who: &str, args: &[&str]| ward.run(who, &[&["template", "set"], args].concat());
    set("Ana", &[&wrong, "--unit", "Hall A"])
        .ended(2, "Line 4: filed is none of reply, template, field, optional.");
    set("Ana", &["/no/such/file", "--unit", "Hall A"]).ended(2, "cannot be read");
    set("Ana", &[&file]).ended(2, "--unit");
    set("Emil", &[&file, "--unit", "Hall A"]).ended(3, "Only a charge nurse of the unit");
    set("Ben", &[&file, "--facility"]).ended(3, "Only an administrator");
    let done = ward.ok("Ana", &["template", "set", &file, "--unit", "Hall A"]);
    assert_eq!(done, "Hall A has 2 quick replies and 1 template now.\n");
    // What unit and facility both have is one.
    let common = ward.write("common", "reply On my way", 0o644);
    ward.ok("Ana", &["template", "set", &common, "--facility"]);
    let listed = ward.ok("Emil", &["template", "list"]);
    assert!(listed.contains("Hall A: On my way\n"), "{listed}");
    assert!(listed.contains("Hall A: template Fall report (Bed, What happened, Injuries)"), "{listed}");
    assert!(
        listed.contains("built in: template SBAR (Situation, Background, Assessment, Recommendation)"),
        "{listed}"
    );
    let json = ward.ok("Emil", &["template", "list", "--json"]);
    assert_eq!(events(&json, "templates").len(), 3, "{json}");
    let shown = ward.run("Emil", &["template", "show", "fall"]);
    shown.ended(0, "To send it: wardline send TO --template \"Fall report\" --field \"Bed=…\"");
    assert!(
        shown.out.contains("   What happened: as the patient tells it\n   Injuries (optional): where\n"),
        "{}",
        shown.out
    );
    // What is exported is what sets it again.
    let exported = ward.ok("Emil", &["template", "export", "--unit", "Hall A"]);
    let again =
        ward.command("Ana", &["template", "set", "-", "--unit", "Hall A"]).stdin(Stdio::piped()).spawn();
    Done::of(again.unwrap(), Some(&exported)).ended(0, "");
    assert_eq!(ward.ok("Emil", &["template", "export", "--unit", "Hall A"]), exported);
}

fn sending(ward: &Ward) {
    let send = |args: &[&str]| ward.run("Emil", &[&["send", "Ana"], args].concat());
    send(&["--template", "SBAR", "--field", "situation=fell"])
        .ended(2, "SBAR wants Background, Assessment, Recommendation.");
    send(&["--template", "Fall", "--field", "Ward=4"])
        .ended(2, "has no field Ward. Its fields are Bed, What happened, Injuries.");
    send(&["--template", "Nothing"]).ended(2, "there is no template of this name");
    send(&["--template", "Fall", "--field", "Bed"]).ended(2, "Write it as in --field");
    send(&["text", "--template", "Fall"]).ended(2, "cannot be used with");
    send(&["--quick", "zzz"]).ended(2, "there is no quick reply like it");
    send(&[
        "--template",
        "fall",
        "--field",
        "bed=12",
        "--field",
        "what happened=slipped",
        "--mention",
        "Ana",
    ])
    .ended(0, "");
    send(&["--quick", "on my"]).ended(0, "");
    let history = ward.ok("Ana", &["history", "Emil"]);
    let wanted = "Emil Sand (mentions you): **Fall report**\n      | **Bed:** 12\n      | **What happened:** slipped\n";
    assert!(history.contains(wanted) && history.contains("Emil Sand: On my way"), "{history}");
    ward.ok("Ana", &["template", "clear", "--unit", "Hall A"]);
    assert!(!ward.ok("Emil", &["template", "list"]).contains("Hall A"));
}
