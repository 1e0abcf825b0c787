//! The directory of a box: taken by one at a time, emptied only where a box made it, and made for one address.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::place::{MARKER, Place, PlaceError, VENDOR_KEY};

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardline-devbox"));
    command.arg("--directory").arg(directory);
    command
}

#[test]
fn a_second_box_is_told_that_one_runs_and_empties_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("box");
    let place = Place::take(&directory).unwrap();
    fs::write(directory.join("store"), b"in use").unwrap();
    for fresh in [false, true] {
        let mut second = command(&directory);
        second.args(fresh.then_some("--fresh"));
        let output = second.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && said.contains("already running"), "fresh {fresh}: {said}");
        assert_eq!(fs::read(directory.join("store")).unwrap(), b"in use");
    }
    drop(place);
    assert!(Place::take(&directory).is_ok(), "free again");
}

#[test]
fn fresh_empties_only_what_a_box_made() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("thesis.txt"), b"years").unwrap();
    let output = command(home.path()).arg("--fresh").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && said.contains("no mark of a Wardline box"), "{said}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing was removed and nothing added");
    assert!(matches!(Place::take(home.path()), Err(PlaceError::Foreign(_))));

    let directory = home.path().join("box");
    let place = Place::take(&directory).unwrap();
    fs::create_dir_all(directory.join("keeper/keys")).unwrap();
    std::os::unix::fs::symlink(home.path(), directory.join("link")).unwrap();
    fs::write(directory.join(VENDOR_KEY), b"kept").unwrap();
    place.clear().unwrap();
    let mut left: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [MARKER, VENDOR_KEY]);
    assert!(home.path().join("thesis.txt").exists(), "what a link names is not the box's");
}

#[test]
fn another_address_or_tpm_takes_another_box() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("box");
    let options = Options::local(&directory).unwrap();
    let vendor = |directory: &Path| fs::read(directory.join(VENDOR_KEY)).unwrap();
    Devbox::start(options.clone()).unwrap().stop();
    let key = vendor(&directory);

    let refused = |options: Options| Devbox::start(options).err().unwrap().to_string();
    let elsewhere = Options { listen: SocketAddr::from(([127, 0, 0, 2], 4433)), ..options.clone() };
    let said = refused(elsewhere.clone());
    assert!(said.contains("--fresh") && said.contains(&options.listen.to_string()), "{said}");
    let said = refused(Options { tpm: Some("device:/dev/tpmrm0".into()), ..options.clone() });
    assert!(said.contains("a software TPM") && said.contains("--fresh"), "{said}");

    // Another port is the same box; devices that joined are told where it was.
    let moved = Devbox::start(Options::local(&directory).unwrap()).unwrap();
    assert_eq!(moved.moved_from(), (moved.address() != options.listen).then_some(options.listen));
    moved.stop();

    let fresh = Devbox::start(Options { fresh: true, ..elsewhere.clone() }).unwrap();
    assert_eq!((fresh.address(), fresh.moved_from()), (elsewhere.listen, None));
    assert_eq!(vendor(&directory), key, "a chip could not be provisioned again under another vendor");
    fresh.stop();
}
