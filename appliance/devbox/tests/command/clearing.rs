//! A phone that ten wrong PINs have locked: the charge nurse gives a code, and it is the same phone again.

use super::{Done, Ward, again_until, events};

#[test]
fn a_phone_that_wrong_pins_locked_is_opened_again_face_to_face() {
    let ward = Ward::start(&["--idle-lock", "10"]);
    for who in ["Keiko", "Dana", "Fatima"] {
        ward.join(who);
    }
    let pin = ward.path("pin").display().to_string();
    let with = |who: &str, file: &str, args: &[&str]| ward.run(who, &[&["--pin-file", file], args].concat());
    let device = |who: &str| ward.ok(who, &["whoami"]).lines().nth(1).unwrap().to_owned();
    with("Dana", &pin, &["send", "Keiko", "before"]).ended(0, "");
    // So that the phone knows of the conversation without asking.
    with("Dana", &pin, &["tail", "--until-caught-up"]).ended(0, "");
    let before = device("Dana");

    // Nothing is locked: there is nothing to clear, and a code typed by mistake costs no try.
    with("Keiko", &pin, &["unit", "clear-pin", "Dana"]).ended(3, "No device of theirs is locked");
    let newer = ward.write("newer", "604815", 0o600);
    with("Dana", &newer, &["new-pin", "ABCDE-FGHJK"]).ended(2, "This device is not locked");

    ward.until_locked("Dana");
    ward.run("Dana", &["send", "Keiko", "kept meanwhile"]).ended(6, "kept on this device");
    lock(&ward, "Dana");
    ward.run("Dana", &["people"]).ended(3, "wardline new-pin CODE");

    // Who is no charge nurse of hers gives no code; a code that nobody gave opens nothing.
    with("Fatima", &pin, &["unit", "clear-pin", "Dana"]).ended(3, "charge nurse");
    with("Dana", &newer, &["new-pin", "ABCDE-FGHJK"]).ended(3, "this device is locked");
    let given = with("Keiko", &pin, &["unit", "clear-pin", "Dana"]);
    given.ended(0, "For Dana Petrov, whom you see before you");
    let code = given.out.split_whitespace().next().unwrap();
    with("Dana", &newer, &["new-pin", "ABCDE-FGHJK"]).ended(3, "join code");
    with("Dana", &ward.write("common", "123456", 0o600), &["new-pin", code]).ended(2, "too easy");
    // After ten the box looks at a PIN every six seconds: a person tries again, and the code is as good as before.
    let busy = |done: &Done| done.code == Some(4);
    let open = again_until(|| with("Dana", &newer, &["new-pin", code]), |done| !busy(done));
    open.ended(0, "");
    assert_eq!(open.out, "“test desk” is open again for Dana Petrov, with the new PIN.\n");

    // The same device, with what it kept; and the code is spent.
    assert_eq!(device("Dana"), before);
    with("Dana", &newer, &["tail", "--until-caught-up"]).ended(0, "");
    let told = with("Keiko", &pin, &["history", "Dana", "--json"]).out;
    let told = events(&told, "message");
    assert!(told.last().unwrap().contains("kept meanwhile"), "{told:?}");
    ward.until_locked("Dana");
    again_until(|| with("Dana", &pin, &["people"]), |done| !busy(done)).ended(5, "Wrong PIN");
    again_until(|| with("Dana", &newer, &["people"]), |done| !busy(done)).ended(0, "");
    with("Dana", &newer, &["new-pin", code]).ended(2, "This device is not locked");
    ward.devbox.stop();
}

/// Offers wrong PINs until the device is locked. The box looks at ten at once, and then at one in 6 s.
fn lock(ward: &Ward, who: &str) {
    let wrong = ward.write("wrong", "582046", 0o600);
    let again = || {
        let done = ward.run(who, &["--pin-file", &wrong, "people"]);
        assert!(matches!(done.code, Some(3..=5)), "{}{}", done.out, done.err);
        done
    };
    again_until(again, |done| done.err.contains("this device is locked")).ended(3, "Ask your charge nurse");
}
