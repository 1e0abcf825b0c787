//! From an empty TPM to a keeper that hands out keys, and again after restarts.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step must fail the test and say what it saw"
)]

mod support;

use support::{NOON, Swtpm, World, at, database_key, leaves, refused, status};
use wardline_keys_protocol::{KeeperState, Reply, Request};
use wardline_provisioning::VendorKey;

#[test]
fn provisioned_then_ready_then_the_same_key_after_restarts() {
    let (world, mut tpm) = (World::new(), Swtpm::booted());
    let mut keeper = world.keeper(&tpm);
    assert_eq!(refused(&mut keeper), KeeperState::NotProvisioned);

    let started = std::time::Instant::now();
    support::done(&mut keeper, Request::Provision(Box::new(world.answers())));
    println!("provision: {:?}", started.elapsed());
    assert_eq!(refused(&mut keeper), KeeperState::IssuingMissing);
    world.provision(&mut keeper); // repeating it changes nothing
    let key = database_key(&mut keeper).unwrap();
    assert_ne!(key, [0; 32]);

    let stranger = World { vendor: VendorKey::generate().unwrap(), ..World::new() };
    let reply = keeper.handle(at(NOON), support::BOTH, Request::Provision(Box::new(stranger.answers())));
    assert!(
        matches!(reply, Reply::Refused(wardline_keys_protocol::Refusal::ProvisionedOtherwise)),
        "{reply:?}"
    );

    drop(keeper);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(database_key(&mut keeper).unwrap(), key, "after a restart of the keeper");
    drop(keeper);
    tpm.reboot(1);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(database_key(&mut keeper).unwrap(), key, "after a power cut");
    assert_eq!(leaves(&mut keeper, NOON).unwrap().current.chain.len(), 3);
    assert_eq!(status(&mut keeper).revoked_bits, Some(0));
}
