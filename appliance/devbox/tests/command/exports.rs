//! `wardline export`: a record is given away whole, anybody can tell that it is, and no other patient's name is in it.

use std::path::{Path, PathBuf};

use super::{Ward, events};

const REASON: &str = "Request of the patient, 2026-11-20";
/// The other patients: no byte of an export of Rosa's has one of these.
const OTHERS: [&str; 5] = ["Maria Lopez", "maria lopez", "MRN-77123", "Hollis", "Quentin"];

/// Rosa and Maria are in Hall A; people write of both in each other's threads.
fn house() -> Ward {
    let ward = Ward::start(&[]);
    for who in ["Ana", "Chidi", "Ben", "Luis"] {
        ward.join(who);
    }
    let admit = |record: &str, bed: &str, name: &str| {
        let told = ["--name", name, "--born", "1947-03-09", "--sex", "F"];
        ward.ok("Chidi", &[&["patient", "admit", record, "Hall A", bed], &told[..]].concat());
    };
    admit("MRN-00042", "A-1", "Rosa Diaz");
    admit("MRN-77123", "A-2", "Maria Lopez");
    admit("MRN-55555", "A-3", "Quentin Hollis");
    ward.ok("Ana", &["shift", "take", "Hall A", "A-1", "A-2", "A-3"]);
    ward.ok("Ana", &["send", "Rosa Diaz", "Slept well. <b>Not</b> like MARIA LOPEZ (MRN-77123) beside her"]);
    ward.ok("Ana", &["send", "Maria Lopez", "Ms Lopez refused breakfast"]);
    ward.ok("Ana", &["send", "Quentin Hollis", "Hollis, Quentin: discharged tomorrow"]);
    ward.ok("Ana", &["send", "Chidi", "Can you look at Quentin Hollis at four?"]);
    ward.ok("Chidi", &["send", "Ana", "Yes"]);
    ward
}

fn bytes_of(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_of(&path));
        } else {
            all.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

fn has(directory: &Path, canary: &str) -> Vec<PathBuf> {
    let is_in = |bytes: &[u8]| bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
    bytes_of(directory).into_iter().filter(|(_, bytes)| is_in(bytes)).map(|(path, _)| path).collect()
}

fn lines(directory: &Path, record: &str) -> Vec<String> {
    let all = std::fs::read_to_string(directory.join("record.jsonl")).unwrap();
    let named = format!("\"record\":\"{record}\"");
    all.lines().filter(|line| line.contains(&named)).map(str::to_owned).collect()
}

/// The sequence of the first event of this kind.
fn number_of(json: &str, event: &str) -> String {
    let first = &events(json, event)[0];
    first.split("\"sequence\":").nth(1).unwrap().split([',', '}']).next().unwrap().to_owned()
}

/// A STAT that one cannot take and somebody was called for, who is another patient's namesake; a task that was done; and two orders, of which
/// one names another patient in its read-back.
fn acts(ward: &Ward) {
    ward.ok("Ana", &["patient", "team", "add", "Rosa Diaz", "Chidi", "--hours", "4"]);
    let sent = ward.ok("Ana", &["stat", "send", "Rosa Diaz", "Pressure 80 over 50", "--json"]);
    let accepted = &events(&sent, "accepted")[0];
    let place = accepted.split("\"conversation\":\"").nth(1).and_then(|rest| rest.get(..16)).unwrap();
    let stat = format!("{place}#{}", number_of(&sent, "accepted"));
    ward.ok("Chidi", &["stat", "cannot", &stat, "--because", "busy"]);
    let called = ["--name", "Maria Lopez", "--role", "Cardiologist on call", "--read-back"];
    ward.ok("Ana", &[&["stat", "note", &stat], &called[..]].concat());
    ward.ok("Ana", &["task", "give", "Rosa Diaz", "Change the dressing", "--for", "Chidi"]);
    let number = number_of(&ward.ok("Chidi", &["task", "list", "--json"]), "task");
    ward.ok("Chidi", &["task", "done", "Rosa Diaz", &number]);
    orders(ward);
}

fn orders(ward: &Ward) {
    let days = ward.write("days", "zone Europe/Berlin\ndaily 00:00-00:00 Ana Flores", 0o644);
    ward.ok("Ana", &["role", "add", "Hall A", "Physician on call", "--rota", &days]);
    ward.ok("Ana", &["order", "set-policy", "--unit", "Hall A", "--role", "physician"]);
    for (order, read_back) in [
        ("Paracetamol 500 mg now", "Paracetamol 500 mg now"),
        ("Ibuprofen 400 mg", "Ibuprofen 400 mg for Maria Lopez"),
    ] {
        let given = ward.ok("Ana", &["order", "give", "Rosa Diaz", order, "--for", "Chidi"]);
        let number = given["Order #".len()..].split(',').next().unwrap().to_owned();
        let read = ward.ok("Chidi", &["order", "read-back", "Rosa Diaz", &number, read_back]);
        let read = read["Read back as #".len()..].split('.').next().unwrap().to_owned();
        ward.ok("Ana", &["order", "confirm", "Rosa Diaz", &number, "--read-back", &read]);
    }
}

fn acts_are_there(out: &Path) {
    let [stat, answers, tasks] = ["stat", "stat_answer", "task"].map(|record| lines(out, record));
    assert!(stat[0].contains("\"stands\":\"accepted\"") && stat[0].contains("Ana Flores"), "{stat:?}");
    assert!(
        stat[0].contains("\"declined\":\"busy\"") && stat[0].contains("\"reached_name\":\"[#]\""),
        "{stat:?}"
    );
    assert_eq!(answers.len(), 2, "{answers:?}");
    let has_all = |line: &str, parts: &[&str]| {
        for part in parts {
            assert!(line.contains(part), "{part}: {line}");
        }
    };
    has_all(&answers[0], &["\"reason\":\"busy\"", "\"verified\":true", "\"hidden\":false"]);
    // By a signature over a name the name could be tried.
    let nothing = ["\"hidden\":true", "\"verified\":null", "\"signature\":null", "\"signed\":null"];
    has_all(&answers[1], &["\"reached_name\":\"[#]\"", "\"reached_as\":\"Cardiologist on call\""]);
    has_all(&answers[1], &nothing);
    assert!(tasks[0].contains("\"stands\":\"done\"") && tasks[0].contains("Chidi Eze"), "{tasks:?}");
    let orders = lines(out, "order");
    assert_eq!(orders.len(), 2, "{orders:?}");
    orders.iter().for_each(|order| has_all(order, &["\"stands\":\"confirmed\"", "Chidi Eze"]));
    let signed = lines(out, "order_signed");
    let said: Vec<&str> =
        signed.iter().filter_map(|line| line.split("\"said\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(said, ["give", "read_back", "confirm", "give", "read_back", "confirm"]);
    for (at, line) in signed.iter().enumerate() {
        if at == 4 {
            has_all(line, &nothing);
            has_all(line, &["\"text_sha256\":null"]);
        } else {
            has_all(line, &["\"verified\":true", "\"hidden\":false"]);
        }
    }
    let page = std::fs::read_to_string(out.join("record.html")).unwrap();
    for part in [
        "STAT: answered by somebody outside the directory, whom Ana Flores reached by telephone, ",
        "Chidi Eze cannot: busy, ",
        "reached [#], Cardiologist on call by telephone at ",
        "Order for Chidi Eze: read back by Chidi Eze in #",
        ", confirmed ",
        "Task for Chidi Eze: done by Chidi Eze, ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("WRONG"), "{page}");
}

#[test]
fn a_patient_is_given_their_record_and_nobody_elses() {
    let ward = house();
    acts(&ward);
    let photo = ward.path("bed.png");
    std::fs::write(&photo, [&b"\x89PNG\r\n\x1a\n"[..], &[7; 3000]].concat()).unwrap();
    ward.ok("Ana", &["send", "Rosa Diaz", "--attach", photo.to_str().unwrap(), "The wound today"]);
    let out = ward.path("diaz");
    let to = out.to_str().unwrap();
    let patient = |who: &str, record: &str, reason: &str, to: &str| {
        ward.run(who, &["export", "patient", record, "--reason", reason, "--out", to])
    };
    patient("Ana", "MRN-00042", REASON, to).ended(3, "Only a privacy officer may");
    patient("Luis", "MRN-00043", REASON, to).ended(3, "There is no such patient.");
    patient("Luis", "MRN-00042", "Because", to).ended(3, "ten characters or more");
    assert!(!out.exists(), "nothing was given");
    let done = patient("Luis", "MRN-00042", REASON, to);
    done.ended(0, "Read it before you give it away");
    assert!(
        done.out.starts_with(
            "Exported 8 messages and 1 file, with 1 STAT, 2 orders and 1 task (names hidden in 5 places) to "
        ),
        "{}",
        done.out
    );
    let seal = done.out.lines().find_map(|line| line.strip_prefix("seal  ")).unwrap().to_owned();
    patient("Luis", "MRN-00042", REASON, to).ended(2, "is there already");

    for other in OTHERS {
        assert_eq!(has(&out, other), Vec::<PathBuf>::new(), "{other}");
    }
    acts_are_there(&out);
    let messages = lines(&out, "message");
    assert!(messages[0].contains("Not</b> like [#] ([#]) beside her"), "{messages:?}");
    assert!(messages[7].contains("\"file\":\"files/000001.png\""), "{messages:?}");
    assert_eq!(std::fs::read(out.join("files/000001.png")).unwrap(), std::fs::read(&photo).unwrap());
    assert!(lines(&out, "header")[0].contains("\"name\":\"Rosa Diaz\""));
    assert!(lines(&out, "notice").iter().any(|line| line.contains("\"notice\":\"admitted\"")));
    let page = std::fs::read_to_string(out.join("record.html")).unwrap();
    assert!(page.contains("&lt;b&gt;Not&lt;/b&gt;") && page.contains("files/000001.png"), "{page}");
    assert!(
        !page.contains("<script") && page.contains("default-src 'none'") && page.contains("@media print")
    );

    let verify = |args: &[&str]| ward.run("nobody", &[&["export", "verify", to], args].concat());
    verify(&["--seal", &seal]).ended(0, "");
    verify(&["--seal", &"0".repeat(64)]).ended(1, "This is not what was exported");
    verify(&["--seal", "9f"]).ended(2, "64 hexadecimal digits");
    let whole = verify(&["--json"]).out;
    assert!(events(&whole, "verified")[0].contains("\"whole\":true"), "{whole}");
    tampered(&ward, &out, &verify);
    ward.devbox.stop();
}

/// What was altered, is missing or was added is told; and put back.
fn tampered(ward: &Ward, out: &Path, verify: &dyn Fn(&[&str]) -> super::Done) {
    let record = out.join("record.jsonl");
    let was = std::fs::read_to_string(&record).unwrap();
    let told = |what: &str| {
        let done = verify(&[]);
        done.ended(1, "This is not what was exported");
        assert!(done.out.contains(what), "not told: {what}\n{}", done.out);
    };
    let at = was.lines().position(|line| line.contains("Slept well")).unwrap() + 1;
    std::fs::write(&record, was.replace("Slept well", "Slept ill.")).unwrap();
    told(&format!("record.jsonl: line {at} was altered\n"));
    let without: Vec<&str> = was.lines().filter(|line| !line.contains("Slept well")).collect();
    std::fs::write(&record, without.join("\n") + "\n").unwrap();
    told(&format!("record.jsonl: what was line {at} is missing\n"));
    std::fs::write(&record, was.clone() + "{\"record\":\"message\"}\n").unwrap();
    told(&format!("record.jsonl: line {} was added\n", was.lines().count() + 1));
    let answer = was.lines().position(|line| line.contains("\"reason\":\"busy\"")).unwrap() + 1;
    std::fs::write(&record, was.replace("\"reason\":\"busy\"", "\"reason\":\"other\"")).unwrap();
    told(&format!("record.jsonl: line {answer} was altered\n"));
    std::fs::write(&record, &was).unwrap();
    std::fs::write(out.join("more.txt"), "more").unwrap();
    told("more.txt was added\n");
    std::fs::remove_file(out.join("more.txt")).unwrap();
    let file = out.join("files/000001.png");
    let content = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    told("files/000001.png is missing\n");
    std::fs::write(&file, &content[1..]).unwrap();
    told("files/000001.png was altered\n");
    std::fs::write(&file, content).unwrap();
    verify(&[]).ended(0, "");
    ward.run("nobody", &["export", "verify", "/nowhere"]).ended(1, "");
}

#[test]
fn in_a_persons_record_patients_are_numbers() {
    let ward = house();
    let out = ward.path("flores");
    let to = out.to_str().unwrap();
    let reason = "Diaz v. Mercy, 26-1180";
    let photo = ward.path("bed.png");
    std::fs::write(&photo, [&b"\x89PNG\r\n\x1a\n"[..], &[7; 3000]].concat()).unwrap();
    ward.ok("Ana", &["send", "Rosa Diaz", "--attach", photo.to_str().unwrap(), "The wound today"]);
    ward.ok("Ana", &["send", "Chidi", "--attach", photo.to_str().unwrap(), "The rota"]);
    ward.ok("Ana", &["patient", "team", "add", "Rosa Diaz", "Chidi", "--hours", "4"]);
    ward.ok("Ana", &["stat", "send", "Rosa Diaz", "Pressure 80 over 50"]);
    let json =
        ward.ok("Luis", &["export", "person", "Ana Flores", "--reason", reason, "--out", to, "--json"]);
    let exported = &events(&json, "exported")[0];
    assert!(exported.contains("\"messages\":8") && exported.contains("\"files\":1"), "{exported}");
    assert!(exported.contains("\"files_withheld\":1"), "{exported}");
    let hers = ["Rosa", "Diaz", "MRN-00042", "A-1", "Lopez"];
    for other in OTHERS.iter().chain(&hers) {
        assert_eq!(has(&out, other), Vec::<PathBuf>::new(), "{other}");
    }
    // Nor where she lies.
    let stat = &lines(&out, "stat")[0];
    assert!(stat.contains("\"stands\":\"ringing\"") && stat.contains("\"unit\":null"), "{stat}");
    assert_eq!(has(&out, "Hall A"), Vec::<PathBuf>::new());
    let places = lines(&out, "conversation");
    assert_eq!(places.len(), 4, "{places:?}");
    assert!(
        (1..=3)
            .all(|number| places.iter().any(|place| place.contains(&format!("\"patient_number\":{number}"))))
    );
    assert!(lines(&out, "notice").is_empty());
    let messages = lines(&out, "message");
    assert!(messages.iter().any(|line| line.contains("Can you look at [#] at four?")), "{messages:?}");
    assert!(messages.iter().any(|line| line.contains("Ms [#] refused breakfast")), "{messages:?}");
    assert!(messages.iter().any(|line| line.contains("\"text\":\"Yes\"") && line.contains("Chidi Eze")));
    ward.run("nobody", &["export", "verify", to]).ended(0, "Compare the seal");
    // Who left is there with what they wrote alone; who is not there is nobody.
    ward.run("Luis", &["export", "person", "Nobody", "--reason", reason, "--out", to])
        .ended(2, "nobody of this name");
    ward.devbox.stop();
}
