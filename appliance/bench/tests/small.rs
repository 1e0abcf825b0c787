//! Everything that the bench does, in small, so that it works on the day when it is wanted. No figure is judged here.

use std::path::PathBuf;
use std::process::Command;

fn bench(arguments: &[&str]) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_wardline-bench"));
    let output = Command::new(program).args(arguments).output().expect("the bench starts");
    let (out, err) =
        (String::from_utf8(output.stdout).expect("a table is text"), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}:\n{err}");
    out
}

#[test]
fn a_box_is_compared_with_the_floor_in_every_way() {
    let page = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(page.path(), "before <!-- bench -->old<!-- /bench --> after").unwrap();
    let into = page.path().to_str().unwrap();
    let table = bench(&["compare", "--small", "--runs", "1", "--seconds", "1", "--into", into]);
    for row in [
        "one-to-one, saturated",
        "one-to-one at 200",
        "300 members",
        "conversation of 2",
        "idle",
        "storm",
        "missed",
    ] {
        let row =
            table.lines().find(|line| line.contains(row)).unwrap_or_else(|| panic!("no {row} in\n{table}"));
        assert!(!row.contains(" - |"), "nothing was measured: {row}");
    }
    let written = std::fs::read_to_string(page.path()).unwrap();
    assert!(
        written.starts_with("before <!-- bench -->\n1 runs") && written.ends_with("<!-- /bench --> after")
    );
}

#[test]
fn a_store_grows_and_is_measured_again() {
    let table = bench(&["growth", "--small", "--sizes", "100,3000", "--runs", "1", "--seconds", "1"]);
    assert_eq!(table.lines().count(), 4, "{table}");
}

#[test]
fn a_day_is_lived_through() {
    let report = bench(&["day", "--hours", "24", "--minutes", "0.5", "--history", "1000"]);
    assert!(report.contains("left in the TPM: 0 transient objects, 0 sessions"), "{report}");
}

#[test]
fn people_are_suspended_beside_others_who_do_not_notice() {
    let report = bench(&["suspend", "--trials", "3", "--others", "8", "--seconds", "2"]);
    assert!(report.contains("3 people suspended beside 8 sessions"), "{report}");
}
