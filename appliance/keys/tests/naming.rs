//! A box gets its name after its keys, once from nothing and later again.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use support::{BOTH, NOON, Swtpm, World, at, done, install, leaves, refused, request, status};
use wardline_keys::keeper::Keeper;
use wardline_keys_protocol::{Blob, ChainFault, FacilityNames, KeeperState, Leaf, Refusal, Reply, Request};
use wardline_provisioning::{FacilityRoot, Names};

const YEAR_S: i64 = 31_557_600;

/// What openssl reads of a DER file.
fn openssl(kind: &str, der: &[u8], what: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("der");
    fs::write(&path, der).unwrap();
    let output = Command::new("openssl")
        .args([kind, "-inform", "DER", "-noout", "-in"])
        .arg(&path)
        .args(what)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

fn alternative_names(leaf: &Leaf) -> String {
    openssl("x509", &leaf.chain[0], &["-ext", "subjectAltName"])
}

fn ask(keeper: &mut Keeper, unix_s: i64, names: FacilityNames, chain: Vec<Vec<u8>>) -> Refusal {
    match keeper.handle(at(unix_s), BOTH, install(names, chain)) {
        Reply::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Names that the usual certificate permits too.
fn renamed() -> FacilityNames {
    FacilityNames {
        facility: "St. Example East".into(),
        dns_names: vec!["east.ward.example".into()],
        ip_addrs: vec![[10, 2, 9, 9].into()],
    }
}

#[test]
fn keys_and_a_request_come_before_any_name() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut keeper = world.keeper(&tpm);
    done(&mut keeper, Request::Provision(Box::new(world.answers())));
    assert_eq!(refused(&mut keeper), KeeperState::IssuingMissing);
    let asked = request(&mut keeper);
    let fingerprint = FacilityRoot::fingerprint(&asked).unwrap();
    let short: String = fingerprint[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let subject = openssl("req", &asked, &["-subject", "-nameopt", "RFC2253"]);
    assert_eq!(subject.trim(), format!("subject=CN=Wardline box {short}"), "of no facility");

    let chain = world.certified(&mut keeper, &World::names());
    let subject = openssl("x509", &chain[0], &["-subject", "-nameopt", "RFC2253"]);
    assert_eq!(subject.trim(), format!("subject=CN=Wardline box {short},O=St. Example"));
    done(&mut keeper, install(World::facility(), chain));
    let leaf = leaves(&mut keeper, NOON).unwrap().current;
    let names = alternative_names(&leaf);
    assert!(names.contains("DNS:box1.ward.example") && names.contains("IP Address:10.2.0.7"), "{names}");
}

#[test]
fn names_change_later_and_the_next_leaf_says_so() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let before = leaves(&mut keeper, NOON).unwrap();
    let chain = world.certified(&mut keeper, &World::names());
    done(&mut keeper, install(renamed(), chain));
    let after = leaves(&mut keeper, NOON).unwrap();
    for leaf in [&after.current, after.next.as_ref().unwrap()] {
        let names = alternative_names(leaf);
        assert!(names.contains("DNS:east.ward.example") && names.contains("IP Address:10.2.9.9"), "{names}");
        assert!(!names.contains("box1") && !names.contains("10.2.0.7"), "{names}");
        let subject = openssl("x509", &leaf.chain[0], &["-subject", "-nameopt", "RFC2253"]);
        assert_eq!(subject.trim(), "subject=O=St. Example East");
        assert!(leaf.sha256 != before.current.sha256 && leaf.sha256 != before.next.as_ref().unwrap().sha256);
    }
    drop(keeper);
    let mut keeper = world.keeper(&tpm);
    let names = alternative_names(&leaves(&mut keeper, NOON).unwrap().current);
    assert!(names.contains("DNS:east.ward.example"), "after a restart: {names}");

    // Names outside the certificate need another certificate, and come with it.
    let moved = FacilityNames { dns_names: vec!["clinic.example".into()], ..renamed() };
    let chain = world.certified(&mut keeper, &World::names());
    let refusal = ask(&mut keeper, NOON, moved.clone(), chain);
    assert_eq!(refusal, Refusal::ChainRejected(ChainFault::Constraints));
    let names = alternative_names(&leaves(&mut keeper, NOON).unwrap().current);
    assert!(names.contains("DNS:east.ward.example"), "what stood before stands: {names}");
    let wider = Names::parse(&["clinic.example".into()], &["10.2.0.0/16".into()]).unwrap();
    let chain = world.certified(&mut keeper, &wider);
    done(&mut keeper, install(moved, chain));
    let names = alternative_names(&leaves(&mut keeper, NOON).unwrap().current);
    assert!(names.contains("DNS:clinic.example"), "{names}");
    assert_eq!(status(&mut keeper).state, KeeperState::Ready);
}

#[test]
fn the_first_root_is_the_only_one() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut keeper = world.keeper(&tpm);
    done(&mut keeper, Request::Provision(Box::new(world.answers())));
    let other = FacilityRoot::generate("Elsewhere", NOON).unwrap();
    let theirs = other.certify(&request(&mut keeper), &World::names(), NOON, 5).unwrap();
    let theirs = vec![theirs, other.certificate().to_vec()];
    // What is refused pins nothing.
    let refusal = ask(&mut keeper, NOON + 6 * YEAR_S, World::facility(), theirs.clone());
    assert_eq!(refusal, Refusal::ChainRejected(ChainFault::NotValidNow));
    world.provision(&mut keeper);
    let refusal = ask(&mut keeper, NOON, World::facility(), theirs.clone());
    assert_eq!(refusal, Refusal::ChainRejected(ChainFault::OtherRoot));
    assert!(refusal.to_string().contains("first configured"), "{refusal}");
    assert_eq!(status(&mut keeper).state, KeeperState::Ready);
    drop(keeper);
    let refusal = ask(&mut world.keeper(&tpm), NOON, World::facility(), theirs);
    assert_eq!(refusal, Refusal::ChainRejected(ChainFault::OtherRoot), "after a restart");
}

#[test]
fn the_same_again_changes_nothing() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let chain = world.certified(&mut keeper, &World::names());
    done(&mut keeper, install(World::facility(), chain.clone()));
    let file = || fs::metadata(world.file("issuing-chain")).unwrap().ino();
    let (before, served) = (file(), leaves(&mut keeper, NOON).unwrap().current.sha256);
    done(&mut keeper, install(World::facility(), chain.clone()));
    // Also past its end, where it would not be taken for the first time.
    let reply = keeper.handle(at(NOON + 6 * YEAR_S), BOTH, install(World::facility(), chain.clone()));
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert_eq!(file(), before, "the file was not written again");
    assert_eq!(leaves(&mut keeper, NOON).unwrap().current.sha256, served, "and no leaf was made");
    done(&mut keeper, install(renamed(), chain));
    assert_ne!(file(), before, "the control: other names are written");
}

#[test]
fn names_that_no_certificate_can_carry_change_nothing() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let served = leaves(&mut keeper, NOON).unwrap().current.sha256;
    let chain = world.certified(&mut keeper, &World::names());
    let bad: [fn(&mut FacilityNames); 3] =
        [|n| n.dns_names.clear(), |n| n.dns_names[0] = "*.ward.example".into(), |n| n.facility.clear()];
    for change in bad {
        let mut names = World::facility();
        change(&mut names);
        assert_eq!(ask(&mut keeper, NOON, names, chain.clone()), Refusal::BadNames);
    }
    assert_eq!(leaves(&mut keeper, NOON).unwrap().current.sha256, served);
}

#[test]
fn a_damaged_chain_is_not_taken_for_none() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let chain = world.certified(&mut keeper, &World::names());
    let good = fs::read(world.file("issuing-chain")).unwrap();
    fs::write(world.file("issuing-chain"), &good[..good.len() / 2]).unwrap();
    let corrupt = KeeperState::BlobCorrupt { which: Blob::IssuingChain };
    assert_eq!(ask(&mut keeper, NOON, World::facility(), chain.clone()), Refusal::State(corrupt));
    fs::write(world.file("issuing-chain"), &good).unwrap();
    done(&mut keeper, install(World::facility(), chain));
}
