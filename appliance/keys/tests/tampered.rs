//! What other software can do to the TPM and the state directory, and that each of it is called what it is.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod support;

use std::fs;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use support::proxy::Proxy;
use support::{BOTH, NOON, Swtpm, World, at, database_key, done, pcr11, refused, status};
use wardline_keys::keeper::Keeper;
use wardline_keys::store::Store;
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::{Index, KeeperState, Provision, Refusal, Reply, Request};
use wardline_provisioning::VendorKey;

const ORDINARY: &str = "ownerwrite|ownerread|authwrite|authread|no_da";

/// Removes an index, and puts an ordinary one of eight bytes in its place when asked to.
fn replace(tpm: &Swtpm, index: &str, with_ordinary: bool) {
    assert!(tpm.tool("tpm2_nvundefine", &[index, "-C", "o"]).status.success());
    if with_ordinary {
        let dir = tempfile::tempdir().unwrap();
        let zeroes = dir.path().join("zeroes");
        fs::write(&zeroes, [0; 8]).unwrap();
        assert!(tpm.tool("tpm2_nvdefine", &[index, "-C", "o", "-s", "8", "-a", ORDINARY]).status.success());
        let zeroes = zeroes.display().to_string();
        assert!(tpm.tool("tpm2_nvwrite", &[index, "-C", "o", "-i", &zeroes]).status.success());
    }
}

#[test]
fn an_index_that_was_removed_or_replaced_is_named() {
    for (index, which) in [("0x01800200", Index::Epoch), ("0x01800100", Index::Revoke)] {
        for with_ordinary in [false, true] {
            let (world, tpm) = World::provisioned();
            replace(&tpm, index, with_ordinary);
            let state = refused(&mut world.keeper(&tpm));
            assert_eq!(state, KeeperState::IndexReplaced { which }, "ordinary: {with_ordinary}");
            assert!(state.to_string().contains("tampered") && state.to_string().contains(index), "{state}");
        }
    }
}

#[test]
fn keys_that_are_gone_are_not_a_box_that_never_had_any() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let key = database_key(&mut keeper).unwrap();
    let (keys, away) = (world.keys_dir().join("keys"), world.keys_dir().join("away"));
    fs::rename(&keys, &away).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::KeysMissing);
    let provision = |keeper: &mut Keeper, start_over| {
        let answers = Provision { start_over, ..world.answers() };
        keeper.handle(at(NOON), BOTH, Request::Provision(Box::new(answers)))
    };
    let approval = world.vendor.approve(pcr11(1), 1).unwrap().to_bytes();
    for reply in
        [provision(&mut keeper, false), keeper.handle(at(NOON), BOTH, Request::InstallApproval { approval })]
    {
        assert!(matches!(reply, Reply::Refused(Refusal::State(KeeperState::KeysMissing))), "{reply:?}");
    }
    fs::rename(&away, &keys).unwrap();
    assert_eq!(database_key(&mut keeper).unwrap(), key, "with the directory back");

    // Lost for certain, and said so by whoever provisions.
    fs::remove_dir_all(&keys).unwrap();
    let reply = provision(&mut keeper, true);
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert_eq!(refused(&mut keeper), KeeperState::IssuingMissing);

    // A provisioning that was cut short is neither.
    fs::rename(&keys, world.keys_dir().join("keys.new")).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::NotProvisioned);
    let reply = provision(&mut keeper, false);
    assert!(matches!(reply, Reply::Done), "{reply:?}");
}

#[test]
fn a_state_directory_that_fails_is_no_dead_chip() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let key = database_key(&mut keeper).unwrap();
    let state = world.keys_dir();
    // The directory goes away under the keeper; a file that reads as an error; a directory that is none.
    let away = state.with_extension("away");
    fs::rename(&state, &away).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::StateUnusable);
    fs::rename(&away, &state).unwrap();

    let (file, aside) = (world.file("pepper"), world.keys_dir().join("aside"));
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::StateUnusable);
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();

    // What cannot be written is refused in the same words.
    fs::create_dir(world.file(".approvals.new")).unwrap();
    let approval = world.vendor.approve(pcr11(2), 1).unwrap().to_bytes();
    let reply = keeper.handle(at(NOON), BOTH, Request::InstallApproval { approval });
    assert!(matches!(reply, Reply::Refused(Refusal::State(KeeperState::StateUnusable))), "{reply:?}");
    assert_eq!(database_key(&mut keeper).unwrap(), key);
}

#[test]
fn an_evicted_storage_key_is_put_back() {
    let (world, tpm) = World::provisioned();
    let key = database_key(&mut world.keeper(&tpm)).unwrap();
    let there = || tpm.tool("tpm2_readpublic", &["-c", "0x81000001"]).status.success();
    assert!(tpm.tool("tpm2_evictcontrol", &["-C", "o", "-c", "0x81000001"]).status.success());
    assert!(!there());
    assert_eq!(database_key(&mut world.keeper(&tpm)).unwrap(), key);
    assert!(there(), "at its handle again");

    // The same under a keeper that had found it (TPM2_EvictControl, Part 3, 28.5).
    let proxy = Proxy::new(tpm.port);
    let address = format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap();
    let mut keeper = Keeper::new(address, Store::open(world.keys_dir()).unwrap(), vec![]);
    assert_eq!(database_key(&mut keeper).unwrap(), key);
    let mut evict = vec![0x80, 0x02, 0, 0, 0, 35, 0, 0, 0x01, 0x20, 0x40, 0, 0, 1, 0x81, 0, 0, 1];
    evict.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0x81, 0, 0, 1]);
    assert_eq!(proxy.slip_in(&evict)[6..10], [0; 4]);
    assert_eq!(database_key(&mut keeper).unwrap(), key);
    assert_eq!(status(&mut keeper).state, KeeperState::Ready);
}

#[test]
fn an_index_of_somebody_else_is_named_and_left_alone() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let define = ["0x01800200", "-C", "o", "-s", "8", "-a", ORDINARY];
    assert!(tpm.tool("tpm2_nvdefine", &define).status.success());
    let mut keeper = world.keeper(&tpm);
    let reply = keeper.handle(at(NOON), BOTH, Request::Provision(Box::new(world.answers())));
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal, Refusal::HandleTaken { handle: 0x0180_0200 });
    let advice = refusal.to_string();
    assert!(advice.contains("0x01800200") && advice.contains("destroys every key"), "{advice}");
    drop(keeper);
    assert!(tpm.tool("tpm2_nvreadpublic", &["0x01800200"]).status.success());
}

/// An approval as a vendor without our code could sign it.
fn signed_by_hand(vendor: &VendorKey, mask: u64) -> Approval {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vendor.pem");
    vendor.save(&path).unwrap();
    let key = rcgen::KeyPair::from_pem(&fs::read_to_string(&path).unwrap()).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der()).unwrap();
    let message = Approval::message(vendor.public(), &pcr11(1), mask);
    let signature = key.sign(&SystemRandom::new(), &message).unwrap();
    let signature = signature.as_ref().try_into().unwrap();
    Approval { version: 1, pcr11: pcr11(1), revoke_mask: mask, signature }
}

#[test]
fn an_approval_that_nothing_could_revoke_is_refused() {
    let (world, tpm) = World::provisioned();
    assert!(world.vendor.approve(pcr11(1), 0).is_err(), "not signed");
    let mut keeper = world.keeper(&tpm);
    let approval = signed_by_hand(&world.vendor, 0).to_bytes();
    let reply = keeper.handle(at(NOON), BOTH, Request::InstallApproval { approval: approval.clone() });
    assert!(matches!(reply, Reply::Refused(Refusal::ApprovalRejected)), "not installed: {reply:?}");
    let good = signed_by_hand(&world.vendor, 1).to_bytes();
    done(&mut keeper, Request::InstallApproval { approval: good });

    let (mut other, tpm) = (World::new(), Swtpm::booted());
    other.vendor = world.vendor;
    let answers = Provision { approval, ..other.answers() };
    let reply = other.keeper(&tpm).handle(at(NOON), BOTH, Request::Provision(Box::new(answers)));
    assert!(matches!(reply, Reply::Refused(Refusal::ApprovalRejected)), "not provisioned with: {reply:?}");
}
