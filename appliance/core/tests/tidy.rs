//! House style, as far as a program can see it, over every Rust and SQL file of the repository.
#![expect(clippy::print_stdout, reason = "a test says what is worth a look")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines in a file at most, and how many are worth a second look.
const LINES_MAX: usize = 800;
const LINES_WARN: usize = 400;

/// What may stay as it is: file or folder, rule, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "appliance/client/tests/devices.rs",
        SLEEPS,
        "is as slow as somebody who reads, so that a queue overflows",
    ),
    (
        "appliance/relay/tests/store/crash.rs",
        SLEEPS,
        "kills a real process at a moment that nothing announces",
    ),
    (
        "appliance/devbox/tests/storms.rs",
        SLEEPS,
        "kills at a moment that chance chose; waits for nothing by it",
    ),
    (
        "appliance/devbox/tests/support/crowd.rs",
        SLEEPS,
        "looks again, within a deadline, whether real clients got on",
    ),
    (
        "appliance/devbox/tests/command.rs",
        SLEEPS,
        "looks again, within a deadline, whether an idle session has locked, or a PIN is looked at",
    ),
    (
        "appliance/devbox/tests/conformance/signing.rs",
        SLEEPS,
        "waits for as long as the box has asked for, before the next PIN",
    ),
    (
        "appliance/devbox/tests/roaming/",
        SLEEPS,
        "an outage lasts as long as it lasts, and who walks rests between; waits for nothing by it",
    ),
];
const SLEEPS: &str = "no sleeps in tests";
const REASONS: &str = "reasons for exceptions";

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        let folder = ["/tests/", "/fuzz/", "hw-tests/"].iter().any(|folder| self.path.contains(folder));
        // `testing.rs`: what the tests in a crate share; its `mod` is for tests alone.
        folder || self.path.ends_with("tests.rs") || self.path.ends_with("/testing.rs")
    }

    /// The lines that ship, with their numbers: nothing of the file's own test module, which stands at its end.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]")).filter(|_| !self.is_test())
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .join("../..")
        .canonicalize()
        .expect("the repository")
}

fn gather(folder: &Path, extension: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                gather(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let text = fs::read_to_string(&path).expect("a text");
            let path = path.strip_prefix(root()).expect("within the repository").display().to_string();
            found.push(Source { path, text });
        }
    }
}

fn sources(extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    gather(&root(), extension, &mut found);
    assert!(!found.is_empty(), "no .{extension} files");
    found
}

/// Takes the exceptions out, names those that nothing needs, complains of what is left.
fn judge(rule: &str, mut offences: Vec<String>) {
    for (path, excepted, why) in EXCEPTIONS.iter().filter(|(_, excepted, _)| *excepted == rule) {
        let before = offences.len();
        offences.retain(|offence| !offence.starts_with(path));
        if offences.len() == before {
            println!("{excepted}: {path} needs no exception any more ({why})");
        }
    }
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// Every shipped line that holds one of these, outside comments.
fn shipped_with(wanted: &[&str]) -> Vec<String> {
    let mut offences = Vec::new();
    for source in sources("rs") {
        for (at, line) in source.shipped() {
            let code = line.split("//").next().unwrap_or_default();
            if wanted.iter().any(|wanted| code.contains(wanted)) {
                offences.push(format!("{}:{at}: {}", source.path, line.trim()));
            }
        }
    }
    offences
}

#[test]
fn files_are_short() {
    let mut offences = Vec::new();
    for source in sources("rs") {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            offences.push(format!("{}: {lines} lines", source.path));
        } else if lines > LINES_WARN {
            println!("worth a look: {} has {lines} lines", source.path);
        }
    }
    judge("at most 800 lines", offences);
}

#[test]
fn nothing_that_ships_unwraps() {
    // A type's own `unwrap(key)` takes an argument and is none of this.
    judge("no unwrap", shipped_with(&[".unwrap()"]));
}

#[test]
fn nothing_is_left_to_do() {
    judge("no stand-ins", shipped_with(&["todo!(", "unimplemented!(", "dbg!("]));
}

#[test]
fn no_error_is_other() {
    judge("no Other(String)", shipped_with(&["Other(String", "Other(&'static str", "General(String"]));
}

#[test]
fn the_core_iterates_in_order() {
    let mut offences = shipped_with(&["HashMap", "HashSet"]);
    offences.retain(|offence| offence.starts_with("appliance/core/src/"));
    judge("ordered maps in the core", offences);
}

#[test]
fn every_exception_has_a_reason() {
    let mut offences = Vec::new();
    for source in sources("rs") {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let line = line.trim_start();
            let opens = ["#[allow(", "#[expect(", "#![allow(", "#![expect("]
                .iter()
                .any(|open| line.starts_with(open));
            if !opens {
                continue;
            }
            // An attribute may be broken over lines; it ends with its bracket.
            let whole: Vec<&str> = lines[at..]
                .iter()
                .copied()
                .scan(false, |over, line| {
                    let this = (!*over).then_some(line);
                    *over |= line.trim_end().ends_with(")]");
                    this
                })
                .collect();
            if !whole.join(" ").contains("reason = \"") {
                offences.push(format!("{}:{}: {line}", source.path, at + 1));
            }
        }
    }
    judge(REASONS, offences);
}

#[test]
fn tests_do_not_sleep() {
    let mut offences = Vec::new();
    for source in sources("rs") {
        let mut tests = source.is_test();
        for (at, line) in source.lines() {
            tests |= line.starts_with("#[cfg(test)]");
            let code = line.split("//").next().unwrap_or_default();
            if tests && ["thread::sleep(", "time::sleep("].iter().any(|sleep| code.contains(sleep)) {
                offences.push(format!("{}:{at}: {}", source.path, line.trim()));
            }
        }
    }
    // This file names what it looks for.
    offences.retain(|offence| !offence.starts_with("appliance/core/tests/tidy.rs"));
    judge(SLEEPS, offences);
}

#[test]
fn every_table_is_strict() {
    let mut offences = Vec::new();
    for source in sources("sql") {
        let text = source.text.to_uppercase();
        for statement in text.split(';').filter(|statement| statement.contains("CREATE TABLE")) {
            let tail = statement.rsplit(')').next().unwrap_or_default();
            if !tail.contains("STRICT") {
                let from = statement.find("CREATE TABLE").unwrap_or_default();
                let name: String = statement[from..].chars().take(60).collect();
                offences.push(format!("{}: {name}", source.path));
            }
        }
    }
    judge("STRICT tables", offences);
}

#[test]
fn every_file_says_what_it_is() {
    let mut offences = Vec::new();
    for source in sources("rs").iter().filter(|source| source.path.contains("/src/") && !source.is_test()) {
        let first = source.text.lines().find(|line| !line.is_empty() && !line.starts_with("#!"));
        if !first.is_some_and(|line| line.starts_with("//!")) {
            offences.push(source.path.clone());
        }
    }
    judge("module docs", offences);
}
