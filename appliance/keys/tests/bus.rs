//! What a sniffer between keeper and TPM sees, and what the TPM has left loaded.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step must fail the test and say what it saw"
)]

mod support;

use aws_lc_rs::hmac;
use support::proxy::Proxy;
use support::{BOTH, NOON, Swtpm, World, at, database_key, leaves, pcr11, quote};
use wardline_keys::keeper::{Keeper, Now};
use wardline_keys::store::Store;
use wardline_keys_protocol::policy::box_policy;
use wardline_keys_protocol::{Reply, Request};

fn keeper_behind(proxy: &Proxy, world: &World) -> Keeper {
    let address = format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap();
    Keeper::new(address, Store::open(world.keys_dir()).unwrap(), vec![])
}

#[test]
fn a_sniffer_sees_no_key_byte() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let proxy = Proxy::new(tpm.port);
    let mut keeper = keeper_behind(&proxy, &world);
    world.provision(&mut keeper);
    let key = database_key(&mut keeper).unwrap();
    let Reply::PinMac(mac) = keeper.handle(at(NOON), BOTH, support::pin_mac([0xA5; 32])) else {
        panic!("no MAC");
    };
    assert!(!proxy.saw_part_of(&key), "the database key passed in clear");
    assert!(!proxy.saw_part_of(mac.expose()), "a PIN's MAC passed in clear");
    assert!(!proxy.saw_part_of(&[0xA5; 32]), "a PIN verifier passed in clear");
    // The control: the same proxy sees what is not secret.
    assert!(proxy.saw(&pcr11(1)) && proxy.saw(&world.vendor.public().x), "the proxy does not see anything");
    println!("{} bytes seen", proxy.bytes_seen());
}

#[test]
fn a_sniffer_does_not_see_the_pepper_go_in() {
    // The keeper never lets its pepper out, so the same calls are made here with one that is known.
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let mut bare = world.bare(&format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap());
    let fixed = bare.pcrs(&[7, 12, 15]).unwrap();
    let policy = box_policy(world.vendor.public(), &[fixed[0].1, fixed[1].1, fixed[2].1]);
    let pepper: [u8; 32] = std::array::from_fn(|i| 0xC0 ^ i as u8);
    let key = bare.make_hmac_key(&pepper, &policy).unwrap();
    let approval = world.vendor.approve(pcr11(1), 1).unwrap();
    let mac = bare.hmac((world.vendor.public(), &approval), &key, b"message").unwrap();
    let ours = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &pepper), b"message");
    assert_eq!(
        mac.as_slice(),
        ours.as_ref(),
        "HMAC-SHA-256 as anyone computes it, so the pepper can be escrowed"
    );
    let sealed = bare.seal(&pepper, &policy).unwrap();
    assert_eq!(*bare.unseal((world.vendor.public(), &approval), &sealed).unwrap(), pepper);
    assert!(!proxy.saw_part_of(&pepper), "the pepper passed in clear");
    assert!(!proxy.saw_part_of(&mac), "a MAC passed in clear");
    assert!(proxy.saw(&policy), "the control: a policy digest is public");
}

/// Handles in a range, asked of the TPM by hand (TPM2_GetCapability).
fn handles(proxy: &Proxy, first: u32) -> u32 {
    let mut command = vec![0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 1];
    command.extend(first.to_be_bytes());
    command.extend([0, 0, 0, 64]);
    let answer = proxy.slip_in(&command);
    // Loaded sessions are HMAC sessions (0x02) and policy sessions (0x03).
    let kinds = if first >> 24 == 2 { 2..=3 } else { (first >> 24) as u8..=(first >> 24) as u8 };
    let listed = answer[19..].chunks_exact(4).filter(|handle| kinds.contains(&handle[0])).count();
    listed as u32
}

#[test]
fn two_hundred_of_every_operation_leave_nothing_loaded() {
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let mut keeper = keeper_behind(&proxy, &world);
    let epoch = |keeper: &mut Keeper, request| match keeper.handle(at(NOON), BOTH, request) {
        Reply::Epoch(value) => value,
        other => panic!("{other:?}"),
    };
    let first = epoch(&mut keeper, Request::Epoch);
    let mut times = std::collections::BTreeMap::new();
    let mut timed = |what, f: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        f();
        *times.entry(what).or_insert(std::time::Duration::ZERO) += start.elapsed();
    };
    for i in 0..200u64 {
        timed("database_key", &mut || assert!(database_key(&mut keeper).is_ok()));
        timed("leaves (2 signed)", &mut || drop(leaves(&mut keeper, NOON + i as i64 * 2 * 86_400).unwrap()));
        timed("quote", &mut || drop(quote(&mut keeper, [i as u8; 32])));
        timed("status", &mut || drop(keeper.status(at(NOON))));
        // Slow enough for the rate limit: one PIN in 6 s.
        let now = Now { unix_s: NOON, mono_ms: i * 6_000 };
        timed("pin_mac", &mut || {
            let reply = keeper.handle(now, BOTH, support::pin_mac([2; 32]));
            assert!(matches!(reply, Reply::PinMac(_)), "{reply:?}");
        });
        timed("epoch_advance", &mut || assert_eq!(epoch(&mut keeper, Request::EpochAdvance), first + i + 1));
        timed("issuing_request", &mut || {
            assert!(matches!(
                keeper.handle(at(NOON), BOTH, Request::IssuingRequest),
                Reply::IssuingRequest(_)
            ));
        });
    }
    for (what, time) in times {
        println!("{what}: {:?}", time / 200);
    }
    assert_eq!(handles(&proxy, 0x8000_0000), 0, "transient objects");
    assert_eq!(handles(&proxy, 0x0200_0000), 0, "sessions");
    assert_eq!(handles(&proxy, 0x8100_0000), 1, "the control: the storage key is listed");
    assert_eq!(keeper.loaded(), Some(0));
}
