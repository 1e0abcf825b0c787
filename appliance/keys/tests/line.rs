//! Somebody on the wire between keeper and TPM: who answers in the TPM's place, and who only spoils an answer.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::proxy::Proxy;
use support::{NOON, World, at, database_key, leaves, refused, status};
use wardline_keys::keeper::Keeper;
use wardline_keys::store::Store;
use wardline_keys_protocol::KeeperState;
use wardline_keys_protocol::policy::{STORAGE_KEY_HANDLE, name_of};

const READ_PUBLIC: u32 = 0x173;
const START_AUTH_SESSION: u32 = 0x176;
const UNSEAL: u32 = 0x15E;
/// P-256's generator: the public half of a key that everybody has.
const GENERATOR: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn keeper_behind(proxy: &Proxy, world: &World) -> Keeper {
    let address = format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap();
    Keeper::new(address, Store::open(world.keys_dir()).unwrap(), vec![])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Puts the impostor's point into an answer to TPM2_ReadPublic, and the Name that fits (Part 3, 12.4).
fn swap_public(answer: &mut [u8]) {
    let len = usize::from(u16::from_be_bytes([answer[10], answer[11]]));
    let (public, name) = answer[12..].split_at_mut(len);
    let point: Vec<u8> =
        (0..64).map(|i| u8::from_str_radix(&GENERATOR[2 * i..2 * i + 2], 16).unwrap()).collect();
    let unique = len - 68;
    assert_eq!((public[unique + 1], public[unique + 35]), (32, 32), "both coordinates are whole");
    public[unique + 2..unique + 34].copy_from_slice(&point[..32]);
    public[unique + 36..].copy_from_slice(&point[32..]);
    name[2..36].copy_from_slice(&name_of(public));
}

#[test]
fn no_session_is_salted_to_an_impostors_key() {
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let (asked, salted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (asking, salting) = (asked.clone(), salted.clone());
    // The first answer of each pair is the impostor's, the second the TPM's: who checks the second trusts the first.
    proxy.tamper(move |command, answer| match word(command, 6) {
        READ_PUBLIC
            if word(command, 10) == STORAGE_KEY_HANDLE
                && asking.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) =>
        {
            swap_public(answer);
        }
        START_AUTH_SESSION => {
            salting.fetch_add(1, Ordering::SeqCst);
        }
        _ => {}
    });
    let mut keeper = keeper_behind(&proxy, &world);
    let state = keeper.status(at(NOON)).state;
    assert_eq!(salted.load(Ordering::SeqCst), 0, "a session whose secrets the impostor can read");
    assert_eq!(state, KeeperState::ForeignTpm);
    // The control: the next answer is honest, and then there are sessions.
    assert_eq!(keeper.status(at(NOON)).state, KeeperState::Ready);
    assert!(salted.load(Ordering::SeqCst) > 0 && asked.load(Ordering::SeqCst) == 2);
}

#[test]
fn one_spoilt_answer_is_asked_for_again_and_only_a_second_is_a_dead_chip() {
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let mut keeper = keeper_behind(&proxy, &world);
    let key = database_key(&mut keeper).unwrap();
    let served = leaves(&mut keeper, NOON).unwrap().current.sha256;

    // A parameter, an HMAC, and a length that cannot be.
    let spoil: [fn(&mut Vec<u8>); 3] = [
        |answer| answer[20] ^= 1,
        |answer| *answer.last_mut().unwrap() ^= 1,
        |answer| answer[10..14].fill(0xFF),
    ];
    for (kind, spoil) in spoil.into_iter().enumerate() {
        let spoilt = Arc::new(AtomicUsize::new(0));
        let count = spoilt.clone();
        proxy.tamper(move |command, answer| {
            if word(command, 6) == UNSEAL && count.fetch_add(1, Ordering::SeqCst) == 0 {
                spoil(answer);
            }
        });
        assert_eq!(database_key(&mut keeper).unwrap(), key, "kind {kind}");
        assert!(spoilt.load(Ordering::SeqCst) > 1, "kind {kind}: nothing was spoilt, or not asked again");
        assert_eq!(status(&mut keeper).state, KeeperState::Ready, "kind {kind}");
    }
    assert_eq!(leaves(&mut keeper, NOON).unwrap().current.sha256, served, "what was announced is served");

    proxy.tamper(|command, answer| {
        if word(command, 6) == UNSEAL {
            answer[20] ^= 1;
        }
    });
    assert_eq!(refused(&mut keeper), KeeperState::TpmFailed);
    proxy.honest();
    assert_eq!(database_key(&mut keeper).unwrap(), key, "it is not dead for ever");
}

#[test]
fn an_epoch_is_not_counted_twice_for_a_lost_answer() {
    use wardline_keys_protocol::{Refusal, Reply, Request};

    const NV_INCREMENT: u32 = 0x134;
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let mut keeper = keeper_behind(&proxy, &world);
    let ask = |keeper: &mut Keeper, request| keeper.handle(at(NOON), support::BOTH, request);
    let Reply::Epoch(before) = ask(&mut keeper, Request::Epoch) else { panic!("no epoch") };
    proxy.tamper(|command, answer| {
        if word(command, 6) == NV_INCREMENT {
            *answer.last_mut().unwrap() ^= 1;
        }
    });
    let reply = ask(&mut keeper, Request::EpochAdvance);
    assert!(matches!(reply, Reply::Refused(Refusal::Fault)), "{reply:?}");
    let reply = ask(&mut keeper, Request::Epoch);
    assert!(matches!(reply, Reply::Epoch(now) if now == before + 1), "{reply:?}");
}
