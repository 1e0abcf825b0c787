//! Photos, documents and audio notes: sent, fetched, cut in the midst, refused, and gone with their message.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::{Done, PATIENCE, Ward, events};

/// Bytes that begin as a photo does, and repeat nowhere.
fn photo(length: usize) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF".to_vec();
    bytes.extend((bytes.len()..length).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    bytes
}

fn put(ward: &Ward, name: &str, bytes: &[u8]) -> String {
    let path = ward.path(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// What the box keeps of files, and how much.
fn kept(ward: &Ward) -> Vec<u64> {
    let files = fs::read_dir(ward.devbox.data().join("attachments")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).collect()
}

/// For a moment that lasts some milliseconds.
fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_photo_goes_with_a_message_is_saved_and_goes_with_it() {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Ben", "Chidi"] {
        ward.join(who);
    }
    let (wound, form) = (photo(3_000_000), [&b"%PDF-1.7\n"[..], &photo(70_000)].concat());
    let (wound_path, form_path) = (put(&ward, "wound.jpg", &wound), put(&ward, "form.pdf", &form));
    let send = ["send", "Ben", "left heel, day 3", "--attach", &wound_path, "--attach", &form_path];
    assert!(ward.ok("Ana", &send).starts_with("Accepted as #1 at "));
    assert!(ward.ok("Ana", &["send", "Ben", "--attach", &form_path]).starts_with("Accepted as #2 at "));

    let history = ward.ok("Ben", &["history", "Ana"]);
    assert!(
        history.contains("left heel, day 3\n") && history.contains("[1] wound.jpg, photo, 2.8 MB"),
        "{history}"
    );
    assert!(history.contains("Ana Flores: form.pdf\n"), "the name stands for the text: {history}");
    let listed = ward.ok("Ben", &["attachment", "list", "Ana", "1", "--json"]);
    assert!(listed.contains("\"bytes\":3000000") && listed.contains("\"type\":\"image/jpeg\""), "{listed}");
    let told = ward.ok("Ben", &["tail", "--json", "--until-caught-up"]);
    assert!(events(&told, "message")[0].contains("\"name\":\"wound.jpg\""), "{told}");

    let out = ward.path("saved.jpg").display().to_string();
    let saved = ward.ok("Ben", &["attachment", "save", "Ana", "1", "--out", &out]);
    assert_eq!(saved, format!("Saved 2.8 MB as {out}.\n"));
    assert!(fs::read(&out).unwrap() == wound, "what was sent is what is saved");
    let again = ward.run("Ben", &["attachment", "save", "Ana", "1", "--out", &out]);
    again.ended(2, "is there already, and is left as it is");
    let second = ward.path("saved.pdf").display().to_string();
    ward.ok("Ben", &["attachment", "save", "Ana", "1", "--which", "2", "--out", &second]);
    assert!(fs::read(&second).unwrap() == form);
    ward.run("Ben", &["attachment", "save", "Ana", "1", "--which", "3"]).ended(2, "#1 has 2 attachments");
    ward.run("Chidi", &["attachment", "list", "Ana", "1"]).ended(2, "no conversation with Ana Flores");

    // Nothing of it lies on the disk in clear, and nothing at all once it is recalled.
    for file in fs::read_dir(ward.devbox.data().join("attachments")).unwrap() {
        let sealed = fs::read(file.unwrap().path()).unwrap();
        assert!(!sealed.windows(64).any(|part| part == &wound[100_000..100_064]));
    }
    assert_eq!(kept(&ward).len(), 3);
    ward.ok("Ana", &["edit", "Ben", "1", "left heel, day 4"]);
    assert!(ward.ok("Ben", &["history", "Ana"]).contains("[2] form.pdf, PDF"), "an edit leaves them");
    ward.ok("Ana", &["recall", "Ben", "1"]);
    assert!(!ward.ok("Ben", &["history", "Ana"]).contains("wound.jpg"));
    ward.run("Ben", &["attachment", "save", "Ana", "1"]).ended(2, "#1 has 0 attachments");
    let began = Instant::now();
    while kept(&ward).len() > 1 {
        assert!(began.elapsed() < PATIENCE, "the files of a recalled message stay");
        ward.ok("Ana", &["whoami"]);
    }
    refusals(&ward, &wound_path);
    ward.devbox.stop();
}

fn refusals(ward: &Ward, wound: &str) {
    let text = put(ward, "notes.jpg", b"bed 4 is free");
    ward.run("Ana", &["send", "Ben", "--attach", &text]).ended(2, "is no photo (JPEG, PNG, HEIC, WebP), PDF");
    ward.run("Ana", &["send", "Ben", "--attach", "nowhere.jpg"]).ended(2, "nowhere.jpg: ");
    ward.run("Ana", &["send", "Ben"]).ended(2, "required");
    let large = put(ward, "large.jpg", &photo(26 << 20));
    ward.run("Ana", &["send", "Ben", "--attach", &large]).ended(3, "larger than may be attached");
    let socket = ward.devbox.local_socket().display().to_string();
    let sizes =
        |args: &[&str]| ward.run("nobody", &[&["admin", "--socket", &socket, "attachments"], args].concat());
    let now = sizes(&[]);
    assert!(now.out.contains("Photos        up to 25.0 MB"), "{}", now.out);
    sizes(&["--photo", "100M"]).ended(3, "1 KiB to 64 MiB");
    sizes(&["--photo", "10"]).ended(2, "is no size. Write 10M, 500K, or none.");
    sizes(&["--photo", "none", "--audio", "30M"]).ended(0, "");
    assert!(sizes(&["--json"]).out.contains("\"photo\":0"), "{}", sizes(&["--json"]).out);
    ward.run("Ana", &["send", "Ben", "--attach", wound]).ended(3, "This type of file is not taken here.");
    ward.run("Ben", &["admin", "attachments", "--photo", "10M"]).ended(3, "Only an administrator");
}

#[test]
fn an_upload_goes_on_when_the_relay_or_the_sender_is_killed_in_the_midst() {
    let mut ward = Ward::start(&[]);
    for who in ["Ana", "Ben"] {
        ward.join(who);
    }
    let bytes = photo(25 << 20);
    let path = put(&ward, "scan.jpg", &bytes);
    let in_the_midst = |ward: &Ward| kept(ward).iter().any(|have| (1 << 20..24 << 20).contains(have));

    // The sender is killed: the same command goes on where it was.
    let mut sender = ward.command("Ana", &["send", "Ben", "a scan", "--attach", &path]).spawn().unwrap();
    until("nothing arrives", || in_the_midst(&ward) || sender.try_wait().unwrap().is_some());
    sender.kill().unwrap();
    sender.wait().unwrap();
    let cut = kept(&ward);

    // The relay is killed: the command goes on by itself.
    let mut sender = ward.command("Ana", &["send", "Ben", "a scan", "--attach", &path]).spawn().unwrap();
    let so_far: u64 = cut.iter().sum();
    until("nothing more arrives", || {
        kept(&ward).iter().sum::<u64>() > so_far + (1 << 20) || sender.try_wait().unwrap().is_some()
    });
    ward.devbox.kill_relay();
    ward.devbox.start_relay().unwrap();
    let sent = Done::of(sender, None);
    assert_eq!(sent.code, Some(0), "{}{}", sent.out, sent.err);
    let out = ward.path("scan-saved.jpg").display().to_string();
    let history = ward.ok("Ben", &["history", "Ana", "--json"]);
    let last = events(&history, "message").len().to_string();
    ward.ok("Ben", &["attachment", "save", "Ana", &last, "--out", &out]);
    assert!(fs::read(&out).unwrap() == bytes, "hashed right, and the same");
    assert!(!Path::new(&format!("{out}.part")).exists());
    ward.devbox.stop();
}
