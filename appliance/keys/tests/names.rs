//! Keys for names: made, judged by OpenSSL, opened here again and nowhere else.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

mod support;

use std::fs;
use std::process::Command;

use support::{BOTH, NOON, World, at, leaves};
use wardline_keys::keeper::{Keeper, Roles};
use wardline_keys_protocol::{KeyDer, NameKey, Refusal, Reply, Request, WrappedKey};

fn ask(keeper: &mut Keeper, names: &[&str]) -> Result<NameKey, Refusal> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    match keeper.handle(at(NOON), BOTH, Request::NameKey { names }) {
        Reply::NameKey(made) => Ok(*made),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn open(keeper: &mut Keeper, wrapped: &WrappedKey) -> Result<KeyDer, Refusal> {
    match keeper.handle(at(NOON), BOTH, Request::OpenNameKey { wrapped: wrapped.clone() }) {
        Reply::OpenedNameKey(key) => Ok(key),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn openssl(args: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(args).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn openssl_takes_the_request_and_the_key_is_the_one_in_it_after_a_restart() {
    let (world, mut tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let made = ask(&mut keeper, &["box.ward.example", "wardline.example.org"]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("request.der"), &made.request).unwrap();
    let (good, text) =
        openssl(&["req", "-verify", "-inform", "DER", "-in", &path("request.der"), "-noout", "-text"]);
    assert!(good && text.contains("DNS:box.ward.example, DNS:wardline.example.org"), "{text}");
    assert!(text.contains("CN = box.ward.example") || text.contains("CN=box.ward.example"), "{text}");
    let (_, asked) = openssl(&["req", "-inform", "DER", "-in", &path("request.der"), "-noout", "-pubkey"]);

    // By the keeper that made it, by one that was started again, and after a power cut.
    for restarted in 0..3 {
        let key = open(&mut keeper, &made.wrapped).unwrap();
        fs::write(path("key.der"), key.expose()).unwrap();
        let (_, opened) = openssl(&["pkey", "-inform", "DER", "-in", &path("key.der"), "-pubout"]);
        assert_eq!(opened, asked);
        assert!(!opened.is_empty());
        drop(keeper);
        if restarted == 1 {
            tpm.reboot(1);
        }
        keeper = world.keeper(&tpm);
    }
    // Nothing of it lies with the keeper.
    let kept = fs::read_dir(world.keys_dir().join("keys")).unwrap().count();
    assert_eq!(kept, 7, "the files of provisioning and no other");
}

#[test]
fn another_box_opens_nothing_and_a_bad_name_makes_nothing() {
    let (world, tpm) = World::provisioned();
    let (elsewhere, other) = World::provisioned();
    let (mut keeper, mut foreign) = (world.keeper(&tpm), elsewhere.keeper(&other));
    let made = ask(&mut keeper, &["box.ward.example"]).unwrap();
    assert!(matches!(open(&mut foreign, &made.wrapped), Err(Refusal::OtherNameKey)));
    assert!(leaves(&mut foreign, NOON).is_ok(), "which says nothing of that box");
    let mut bytes = made.wrapped.as_bytes().to_vec();
    let last = bytes.len() / 2;
    bytes[last] ^= 1;
    assert!(matches!(open(&mut keeper, &WrappedKey::new(bytes).unwrap()), Err(Refusal::OtherNameKey)));
    assert!(open(&mut keeper, &made.wrapped).is_ok());

    let nine: Vec<String> = (0..9).map(|number| format!("box{number}.ward.example")).collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    for bad in [&[][..], &["*.ward.example"], &["localhost"], &["10.0.0.7"], &["box..example"], &nine] {
        assert!(matches!(ask(&mut keeper, bad), Err(Refusal::BadNames)), "{bad:?}");
    }
}

#[test]
fn only_the_relay_asks_and_not_without_end() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let names = vec!["box.ward.example".to_owned()];
    let provisioning = Roles { relay: false, provisioning: true };
    let reply = keeper.handle(at(NOON), provisioning, Request::NameKey { names });
    assert!(matches!(reply, Reply::Refused(Refusal::NotAllowed)), "{reply:?}");
    let made = (0..6).map(|_| ask(&mut keeper, &["box.ward.example"]).err()).collect::<Vec<_>>();
    assert!(made[..5].iter().all(Option::is_none), "{made:?}");
    assert!(matches!(made[5], Some(Refusal::NameKeysMade { retry_after_ms: 1.. })), "{made:?}");
}
