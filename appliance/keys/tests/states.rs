//! Every state that refuses, reached on a real TPM, and what ends it.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod support;

use std::fs;

use support::{BOTH, NOON, Swtpm, World, at, database_key, done, leaves, pcr11, refused, status};
use wardline_keys::record::{Approvals, BoxRecord};
use wardline_keys::store::Store;
use wardline_keys::tpm::{Tpm, TpmError, Wrapped};
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::message::{ChainFault, Refusal};
use wardline_keys_protocol::{Blob, KeeperState, Reply, Request};
use wardline_provisioning::{FacilityRoot, Names, VendorKey};

fn install(approval: &Approval) -> Request {
    Request::InstallApproval { approval: approval.to_bytes() }
}

#[test]
fn another_tpm_is_a_foreign_tpm() {
    let (world, tpm) = World::provisioned();
    let key = database_key(&mut world.keeper(&tpm)).unwrap();

    let empty = Swtpm::booted();
    let mut keeper = world.keeper(&empty);
    assert_eq!(refused(&mut keeper), KeeperState::ForeignTpm);
    assert!(status(&mut keeper).state.to_string().contains("foreign TPM"));

    let (_, provisioned_elsewhere) = World::provisioned();
    assert_eq!(refused(&mut world.keeper(&provisioned_elsewhere)), KeeperState::ForeignTpm);
    assert_eq!(database_key(&mut world.keeper(&tpm)).unwrap(), key, "its own TPM still opens it");

    assert!(tpm.tool("tpm2_clear", &["-c", "p"]).status.success());
    assert_eq!(refused(&mut world.keeper(&tpm)), KeeperState::ForeignTpm, "a cleared TPM is another TPM");
    let there = tpm.tool("tpm2_readpublic", &["-c", "0x81000001"]).status.success();
    assert!(!there, "no key is put into a TPM that is not this box's");
}

#[test]
fn one_changed_pcr_and_nothing_opens() {
    let (world, mut tpm) = World::provisioned();
    for pcr in [7, 11, 12, 15] {
        tpm.extend(pcr, [1; 32]);
        assert_eq!(refused(&mut world.keeper(&tpm)), KeeperState::PcrsChanged { which: vec![pcr] });
        tpm.reboot(1);
        assert!(database_key(&mut world.keeper(&tpm)).is_ok(), "after a clean boot");
    }
}

#[test]
fn a_pcr_that_changes_while_the_keeper_runs_is_noticed() {
    let (world, tpm) = World::provisioned();
    let proxy = support::proxy::Proxy::new(tpm.port);
    let address = format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap();
    let mut keeper =
        wardline_keys::keeper::Keeper::new(address, Store::open(world.keys_dir()).unwrap(), vec![]);
    assert!(leaves(&mut keeper, NOON).is_ok());
    let mac = || support::pin_mac([1; 32]);
    assert!(matches!(keeper.handle(at(NOON), BOTH, mac()), Reply::PinMac(_)));
    assert_eq!(proxy.slip_in(&support::extend_command(12, [9; 32]))[6..10], [0; 4]);
    // The PIN goes first: it relies on an earlier check, so here the TPM itself says no.
    let reply = keeper.handle(at(NOON), BOTH, mac());
    assert!(
        matches!(&reply, Reply::Refused(Refusal::State(KeeperState::PcrsChanged { which })) if *which == [12]),
        "{reply:?}"
    );
    assert_eq!(refused(&mut keeper), KeeperState::PcrsChanged { which: vec![12] });
}

#[test]
fn the_tpm_itself_refuses_when_the_record_is_forged() {
    let (world, tpm) = World::provisioned();
    tpm.extend(7, [1; 32]);
    let store = Store::open(world.keys_dir()).unwrap();
    let mut record: BoxRecord = store.read(Blob::Identity).unwrap();
    record.pcr7 = wardline_keys_protocol::policy::sha256(&[&record.pcr7, &[1; 32]]);
    store.write(Blob::Identity, &record).unwrap();
    assert_eq!(refused(&mut world.keeper(&tpm)), KeeperState::SealRefused);
}

#[test]
fn a_newly_signed_approval_opens_without_resealing() {
    let (world, mut tpm) = World::provisioned();
    let key = database_key(&mut world.keeper(&tpm)).unwrap();
    let blob = fs::read(world.file("database-key")).unwrap();
    tpm.reboot(2);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(refused(&mut keeper), KeeperState::PcrsChanged { which: vec![11] });

    done(&mut keeper, install(&world.vendor.approve(pcr11(2), 2).unwrap()));
    assert_eq!(database_key(&mut keeper).unwrap(), key);
    assert_eq!(fs::read(world.file("database-key")).unwrap(), blob, "the sealed bytes are the same");
    drop(keeper);

    tpm.reboot(1);
    assert_eq!(database_key(&mut world.keeper(&tpm)).unwrap(), key, "the old slot still starts");
}

#[test]
fn an_approval_that_came_with_the_image_counts() {
    let (world, mut tpm) = World::provisioned();
    tpm.reboot(2);
    let keeper = |approval| {
        wardline_keys::keeper::Keeper::new(
            tpm.address(),
            Store::open(world.keys_dir()).unwrap(),
            vec![approval],
        )
    };
    assert!(database_key(&mut keeper(world.vendor.approve(pcr11(2), 1).unwrap())).is_ok());
    let stranger = VendorKey::generate().unwrap().approve(pcr11(2), 1).unwrap();
    assert_eq!(refused(&mut keeper(stranger)), KeeperState::PcrsChanged { which: vec![11] });
}

#[test]
fn another_signer_is_refused_by_the_keeper_and_by_the_tpm() {
    let (world, mut tpm) = World::provisioned();
    tpm.reboot(2);
    let mut keeper = world.keeper(&tpm);
    let mut forged = VendorKey::generate().unwrap().approve(pcr11(2), 1).unwrap();
    let reply = keeper.handle(at(NOON), BOTH, install(&forged));
    assert!(matches!(reply, Reply::Refused(Refusal::ApprovalRejected)), "{reply:?}");

    let store = Store::open(world.keys_dir()).unwrap();
    store.write(Blob::Approvals, &Approvals { list: vec![forged.clone()] }).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::BlobCorrupt { which: Blob::Approvals });
    drop(keeper);

    // Past every check of ours, the TPM says no at the signature: also for another message of the right signer.
    let sealed: Wrapped = store.read(Blob::DatabaseKey).unwrap();
    let mut bare = world.bare(&tpm.address());
    let unseal = |tpm: &mut Tpm, by: &Approval| tpm.unseal((world.vendor.public(), by), &sealed);
    assert!(matches!(unseal(&mut bare, &forged), Err(TpmError::Refused { code: 0x2DB, .. })));
    forged.signature = world.vendor.approve(pcr11(1), 1).unwrap().signature;
    assert!(matches!(unseal(&mut bare, &forged), Err(TpmError::Refused { code: 0x2DB, .. })));
    assert!(unseal(&mut bare, &world.vendor.approve(pcr11(2), 1).unwrap()).is_ok());
}

#[test]
fn a_revoked_image_opens_nothing_and_its_successor_does() {
    let (world, mut tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let key = database_key(&mut keeper).unwrap();

    // Only the vendor's ticket, and only for its bits, sets them.
    for bad in [VendorKey::generate().unwrap().revoke(1).unwrap(), world.vendor.revoke(0).unwrap()] {
        let reply = keeper.handle(at(NOON), BOTH, Request::Revoke { ticket: bad.to_bytes() });
        assert!(matches!(reply, Reply::Refused(Refusal::TicketRejected)), "{reply:?}");
    }
    drop(keeper);
    let by_owner = tpm.tool("tpm2_nvsetbits", &["0x01800100", "-C", "o", "-i", "1"]);
    assert!(!by_owner.status.success(), "the owner alone cannot write REVOKE");
    let mut keeper = world.keeper(&tpm);
    assert_eq!(status(&mut keeper).revoked_bits, Some(0));

    done(&mut keeper, Request::Revoke { ticket: world.vendor.revoke(1).unwrap().to_bytes() });
    assert_eq!(refused(&mut keeper), KeeperState::Revoked);
    assert_eq!(status(&mut keeper).revoked_bits, Some(1));
    drop(keeper);

    // The TPM's own word, past the keeper's check.
    let sealed: Wrapped = Store::open(world.keys_dir()).unwrap().read(Blob::DatabaseKey).unwrap();
    let mut bare = world.bare(&tpm.address());
    let old = world.vendor.approve(pcr11(1), 1).unwrap();
    let refused_by_tpm = bare.unseal((world.vendor.public(), &old), &sealed);
    assert!(matches!(refused_by_tpm, Err(TpmError::Refused { code: 0x126, .. })), "{refused_by_tpm:?}");
    drop(bare);

    tpm.reboot(2);
    let mut keeper = world.keeper(&tpm);
    done(&mut keeper, install(&world.vendor.approve(pcr11(2), 2).unwrap()));
    assert_eq!(database_key(&mut keeper).unwrap(), key);
    drop(keeper);
    tpm.reboot(1);
    assert_eq!(refused(&mut world.keeper(&tpm)), KeeperState::Revoked, "rolling back does not help");
}

#[test]
fn files_missing_flipped_or_cut() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let all = [
        Blob::Identity,
        Blob::DatabaseKey,
        Blob::IssuingKey,
        Blob::Pepper,
        Blob::AttestationKey,
        Blob::IssuingChain,
        Blob::Approvals,
    ];
    for which in all {
        let path = world.file(which.file_name());
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        for bad in [flipped.as_slice(), &good[..good.len() / 2], &[]] {
            fs::write(&path, bad).unwrap();
            assert_eq!(refused(&mut keeper), KeeperState::BlobCorrupt { which });
        }
        fs::remove_file(&path).unwrap();
        let missing = match which {
            Blob::IssuingChain => KeeperState::IssuingMissing,
            Blob::Approvals => KeeperState::ApprovalMissing,
            _ => KeeperState::BlobMissing { which },
        };
        assert_eq!(refused(&mut keeper), missing);
        fs::write(&path, &good).unwrap();
        assert!(database_key(&mut keeper).is_ok(), "with the file back");
    }
}

#[test]
fn a_lost_approval_list_is_mended_by_installing_again() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    fs::remove_file(world.file("approvals")).unwrap();
    assert_eq!(refused(&mut keeper), KeeperState::ApprovalMissing);
    done(&mut keeper, install(&world.vendor.approve(pcr11(1), 1).unwrap()));
    assert!(database_key(&mut keeper).is_ok());
}

#[test]
fn a_blob_that_only_the_tpm_can_tell_is_wrong() {
    let (world, tpm) = World::provisioned();
    let store = Store::open(world.keys_dir()).unwrap();
    let mut sealed: Wrapped = store.read(Blob::DatabaseKey).unwrap();
    sealed.private[40] ^= 1;
    store.write(Blob::DatabaseKey, &sealed).unwrap();
    assert_eq!(refused(&mut world.keeper(&tpm)), KeeperState::BlobCorrupt { which: Blob::DatabaseKey });
}

#[test]
fn no_tpm_and_then_one() {
    let (world, mut tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let key = database_key(&mut keeper).unwrap();
    tpm.power_off();
    assert_eq!(refused(&mut keeper), KeeperState::NoTpm);
    tpm.power_on();
    tpm.boot(1);
    assert_eq!(database_key(&mut world.keeper(&tpm)).unwrap(), key);
}

#[test]
fn lockout_stops_new_keys_and_leaves_old_ones_working() {
    let lock = |tpm: &Swtpm| {
        let dir = tempfile::tempdir().unwrap();
        let context = dir.path().join("c").display().to_string();
        let run = |program: &str, args: &[&str]| tpm.tool(program, args).status.success();
        assert!(run("tpm2_dictionarylockout", &["-s", "-n", "1", "-t", "7200", "-l", "86400"]));
        assert!(run("tpm2_createprimary", &["-C", "o", "-p", "right", "-c", &context]));
        let public = dir.path().join("u").display().to_string();
        assert!(!run("tpm2_create", &["-C", &context, "-P", "wrong", "-u", &public]));
        assert!(run("tpm2_flushcontext", &["-t"]));
    };
    let (world, tpm) = World::provisioned();
    lock(&tpm);
    let mut keeper = world.keeper(&tpm);
    assert!(status(&mut keeper).lockout);
    assert!(database_key(&mut keeper).is_ok(), "our objects are exempt from lockout");

    let (world, tpm) = (World::new(), Swtpm::booted());
    lock(&tpm);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(refused(&mut keeper), KeeperState::Lockout);
    let reply = keeper.handle(at(NOON), BOTH, Request::Provision(Box::new(world.answers())));
    assert!(matches!(reply, Reply::Refused(Refusal::State(KeeperState::Lockout))), "{reply:?}");
}

#[test]
fn nothing_is_sealed_to_a_boot_that_nobody_measured() {
    let (world, tpm) = (World::new(), Swtpm::new());
    let mut keeper = world.keeper(&tpm);
    let reply = keeper.handle(at(NOON), BOTH, Request::Provision(Box::new(world.answers())));
    let which = vec![7, 11, 15];
    assert!(
        matches!(&reply, Reply::Refused(Refusal::State(KeeperState::Unmeasured { which: w })) if *w == which),
        "{reply:?}"
    );
    assert_eq!(status(&mut keeper).state, KeeperState::NotProvisioned);
}

#[test]
fn provisioning_refuses_what_does_not_fit() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut keeper = world.keeper(&tpm);
    let mut ask = |answers| match keeper.handle(at(NOON), BOTH, Request::Provision(Box::new(answers))) {
        Reply::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let stranger = VendorKey::generate().unwrap();
    let good = world.answers();
    let with = |change: &dyn Fn(&mut wardline_keys_protocol::Provision)| {
        let mut answers = good.clone();
        change(&mut answers);
        answers
    };
    let other_image = world.vendor.approve(pcr11(9), 1).unwrap().to_bytes();
    assert_eq!(ask(with(&|a| a.approval = other_image.clone())), Refusal::ApprovalForOtherImage);
    assert_eq!(ask(with(&|a| a.approval[40] ^= 1)), Refusal::ApprovalRejected);
    assert_eq!(ask(with(&|a| a.vendor_public = stranger.public().to_sec1())), Refusal::ApprovalRejected);
    assert_eq!(ask(with(&|a| a.first_revocation = vec![])), Refusal::TicketRejected);
    drop(keeper);

    let dir = tempfile::tempdir().unwrap();
    let context = dir.path().join("c").display().to_string();
    assert!(tpm.tool("tpm2_createprimary", &["-C", "o", "-G", "rsa", "-c", &context]).status.success());
    assert!(tpm.tool("tpm2_evictcontrol", &["-C", "o", "-c", &context, "0x81000001"]).status.success());
    let reply = world.keeper(&tpm).handle(at(NOON), BOTH, Request::Provision(Box::new(good)));
    assert!(matches!(reply, Reply::Refused(Refusal::HandleTaken { handle: 0x8100_0001 })), "{reply:?}");
}

#[test]
fn a_clock_before_or_past_the_issuing_certificate() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let state = |keeper: &mut wardline_keys::keeper::Keeper, unix_s| keeper.status(at(unix_s)).state;
    assert_eq!(state(&mut keeper, 1_000_000_000), KeeperState::ClockWrong);
    assert!(matches!(leaves(&mut keeper, 1_000_000_000), Err(Refusal::State(KeeperState::ClockWrong))));
    assert_eq!(state(&mut keeper, NOON + 6 * 31_557_600), KeeperState::IssuingExpired);
    assert!(KeeperState::IssuingExpired.to_string().contains("clock"), "the likelier cause comes first");
    assert_eq!(status(&mut keeper).issuing_end, Some(NOON + 5 * 31_557_600));
    assert_eq!(state(&mut keeper, NOON), KeeperState::Ready);
}

#[test]
fn issuing_certificates_that_are_not_ours() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let request = support::request(&mut keeper);
    let mut ask = |now, chain| match keeper.handle(at(now), BOTH, support::install(World::facility(), chain))
    {
        Reply::Refused(Refusal::ChainRejected(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let root = world.root.certificate().to_vec();
    let certify = |names: &Names| world.root.certify(&request, names, NOON, 5).unwrap();
    let good = certify(&World::names());
    let elsewhere =
        Names::parse(&["clinic.example".into()], &["10.2.0.0/16".into(), "fd00::/8".into()]).unwrap();
    let too_narrow = Names::parse(&["ward.example".into()], &["10.2.0.0/16".into()]).unwrap();
    let impostor = FacilityRoot::generate("St. Example", NOON).unwrap();
    let forged = impostor.certify(&request, &World::names(), NOON, 5).unwrap();

    assert_eq!(ask(NOON, vec![good.clone(), impostor.certificate().to_vec()]), ChainFault::OtherRoot);
    assert_eq!(ask(NOON, vec![forged, root.clone()]), ChainFault::BadSignature);
    assert_eq!(ask(NOON, vec![root.clone(), root.clone()]), ChainFault::OtherKey);
    assert_eq!(ask(NOON, vec![certify(&elsewhere), root.clone()]), ChainFault::Constraints);
    assert_eq!(ask(NOON, vec![certify(&too_narrow), root.clone()]), ChainFault::Constraints);
    assert_eq!(ask(NOON, vec![good.clone()]), ChainFault::Malformed);
    assert_eq!(ask(NOON + 6 * 31_557_600, vec![good, root]), ChainFault::NotValidNow);
    assert_eq!(status(&mut keeper).state, KeeperState::Ready, "the one installed before stands");

    let mut bad = request.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    assert!(world.root.certify(&bad, &World::names(), NOON, 5).is_err(), "a request with a bad signature");
}
