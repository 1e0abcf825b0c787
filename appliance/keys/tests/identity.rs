//! Who a box is to a stranger with a computer and no TPM: its keys, what is wrapped to them, its quotes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step must fail the test and say what it saw"
)]

mod support;

use std::fs;

use support::proxy::Proxy;
use support::{BOTH, NOON, Swtpm, World, at, quote, refused, status};
use wardline_keys::keeper::{Keeper, Roles};
use wardline_keys::store::Store;
use wardline_keys_protocol::quote::{QUOTED_PCRS, QuoteFault, verify};
use wardline_keys_protocol::{
    AttestationPublic, Credential, EndorsementPublic, Identity, KeeperState, Refusal, Reply, Request,
    WrappedCredential, make_credential,
};

fn identity(keeper: &mut Keeper) -> Identity {
    match keeper.handle(at(NOON), BOTH, Request::Identity) {
        Reply::Identity(identity) => *identity,
        other => panic!("{other:?}"),
    }
}

/// Both keys, checked as a stranger checks them.
fn keys(identity: &Identity) -> (EndorsementPublic, AttestationPublic) {
    let ek = EndorsementPublic::parse(&identity.ek_public).unwrap();
    (ek, AttestationPublic::parse(&identity.ak_public).unwrap())
}

fn wrap(to: &Identity, secret: &[u8]) -> WrappedCredential {
    let (ek, ak) = keys(to);
    let mut ephemeral = [0; 32];
    aws_lc_rs::rand::fill(&mut ephemeral).unwrap();
    make_credential(&ek, ak.name(), &Credential::new(secret).unwrap(), &ephemeral).unwrap()
}

fn activate(keeper: &mut Keeper, blob: &[u8], secret: &[u8]) -> Result<Vec<u8>, Refusal> {
    let request =
        Request::ActivateCredential { credential_blob: blob.to_vec(), encrypted_secret: secret.to_vec() };
    match keeper.handle(at(NOON), BOTH, request) {
        Reply::Credential(credential) => Ok(credential.expose().to_vec()),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn open(keeper: &mut Keeper, wrapped: &WrappedCredential) -> Result<Vec<u8>, Refusal> {
    activate(keeper, wrapped.blob(), wrapped.secret())
}

/// A box with keys and no name yet.
fn enrolling() -> (World, Swtpm) {
    let (world, tpm) = (World::new(), Swtpm::booted());
    support::done(&mut world.keeper(&tpm), Request::Provision(Box::new(world.answers())));
    (world, tpm)
}

#[test]
fn an_identity_is_the_same_for_ever_and_tpm2_tools_make_the_same_endorsement_key() {
    let (world, mut tpm) = enrolling();
    let first = identity(&mut world.keeper(&tpm));
    assert_eq!(first.ek_certificate, None, "this TPM has none");
    assert_eq!(first.storage_name, world.record().storage_name);
    keys(&first);
    tpm.reboot(1);
    let mut keeper = world.keeper(&tpm);
    world.provision(&mut keeper);
    assert_eq!(identity(&mut keeper), first, "after a power cut, and with a name");
    assert_eq!(keeper.loaded(), Some(0));
    drop(keeper);
    tpm.extend(12, [3; 32]);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(refused(&mut keeper), KeeperState::PcrsChanged { which: vec![12] });
    assert_eq!(identity(&mut keeper), first, "whatever was measured");
    drop(keeper);

    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let made = tpm.tool("tpm2_createek", &["-G", "ecc", "-c", &path("ek"), "-u", &path("ek.pub")]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(fs::read(path("ek.pub")).unwrap(), first.ek_public);

    let (_, elsewhere) = (World::provisioned(), World::provisioned());
    let other = identity(&mut elsewhere.0.keeper(&elsewhere.1));
    assert!(other.ek_public != first.ek_public && other.ak_public != first.ak_public);
}

#[test]
fn a_box_without_keys_and_the_relay_are_told_nothing() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut keeper = world.keeper(&tpm);
    let reply = keeper.handle(at(NOON), BOTH, Request::Identity);
    let none = Refusal::State(KeeperState::NotProvisioned);
    assert!(matches!(&reply, Reply::Refused(refusal) if *refusal == none), "{reply:?}");
    world.provision(&mut keeper);
    let wrapped = wrap(&identity(&mut keeper), b"secret");
    assert_eq!(open(&mut keeper, &wrapped).unwrap(), b"secret");
    let relay = Roles { relay: true, provisioning: false };
    let (credential_blob, encrypted_secret) = (wrapped.blob().to_vec(), wrapped.secret().to_vec());
    // A quote too: over a hash of its choice it would be a receipt.
    let quote = Request::Quote { nonce: [7; 32] };
    for request in
        [Request::Identity, Request::ActivateCredential { credential_blob, encrypted_secret }, quote]
    {
        let reply = keeper.handle(at(NOON), relay, request);
        assert!(matches!(reply, Reply::Refused(Refusal::NotAllowed)), "{reply:?}");
    }
}

/// As swtpm's and real chips' makers store it, filled up to the index's size.
#[test]
fn a_certificate_in_the_tpm_comes_along() {
    let (world, tpm) = enrolling();
    let certificate = [[0x30, 0x82, 0x05, 0x00].as_slice(), &[0x5A; 0x500]].concat();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("certificate");
    let store = |bytes: &[u8], attributes: &str| {
        fs::write(&file, bytes).unwrap();
        let _ = tpm.tool("tpm2_nvundefine", &["0x01C0000A", "-C", "o"]);
        let (size, path) = (bytes.len().to_string(), file.display().to_string());
        let define = ["0x01C0000A", "-C", "o", "-s", &size, "-a", attributes];
        assert!(tpm.tool("tpm2_nvdefine", &define).status.success());
        assert!(tpm.tool("tpm2_nvwrite", &["0x01C0000A", "-C", "o", "-i", &path]).status.success());
        identity(&mut world.keeper(&tpm)).ek_certificate
    };
    let usual = "ownerwrite|ownerread|authread|no_da";
    assert_eq!(store(&certificate, usual), Some(certificate.clone()));
    assert_eq!(store(&[certificate.as_slice(), &[0xFF; 211]].concat(), usual), Some(certificate.clone()));
    // One that is none, and one that only the owner may read, are left out; the rest is answered.
    assert_eq!(store(&[0xFF; 600], usual), None);
    assert_eq!(store(&certificate, "ownerwrite|ownerread|no_da"), None);
    let empty = ["0x01C0000A", "-C", "o", "-s", "700", "-a", usual];
    assert!(tpm.tool("tpm2_nvundefine", &["0x01C0000A", "-C", "o"]).status.success());
    assert!(tpm.tool("tpm2_nvdefine", &empty).status.success());
    assert_eq!(identity(&mut world.keeper(&tpm)).ek_certificate, None, "never written");
}

#[test]
fn what_a_computer_without_a_tpm_wraps_opens_here_and_nowhere_else() {
    // Before there is a name: this is how the first configuration's secrets come in.
    let (world, tpm) = enrolling();
    let mut keeper = world.keeper(&tpm);
    assert_eq!(status(&mut keeper).state, KeeperState::IssuingMissing);
    let ours = identity(&mut keeper);
    for len in [1, 16, 31, 32] {
        let secret: Vec<u8> = (0..len).map(|i| 0xA0 ^ i as u8).collect();
        assert_eq!(open(&mut keeper, &wrap(&ours, &secret)).unwrap(), secret);
        assert_eq!(keeper.loaded(), Some(0));
    }

    let (elsewhere, other_tpm) = enrolling();
    let mut foreign = elsewhere.keeper(&other_tpm);
    let theirs = identity(&mut foreign);
    let wrapped = wrap(&ours, b"secret");
    assert_eq!(open(&mut foreign, &wrapped), Err(Refusal::OtherCredential), "another box");
    // This TPM, the other one's attestation key; and the other way round.
    let mixed = Identity { ak_public: theirs.ak_public.clone(), ..ours.clone() };
    assert_eq!(open(&mut keeper, &wrap(&mixed, b"secret")), Err(Refusal::OtherCredential));
    let mixed = Identity { ek_public: theirs.ek_public.clone(), ..ours.clone() };
    assert_eq!(open(&mut keeper, &wrap(&mixed, b"secret")), Err(Refusal::OtherCredential));

    let flipped = |bytes: &[u8], at: usize| {
        let mut bad = bytes.to_vec();
        bad[at] ^= 1 << (at % 8);
        bad
    };
    for at in 0..wrapped.blob().len() {
        let refusal = activate(&mut keeper, &flipped(wrapped.blob(), at), wrapped.secret());
        assert_eq!(refusal, Err(Refusal::OtherCredential), "blob, byte {at}");
    }
    for at in 0..wrapped.secret().len() {
        let refusal = activate(&mut keeper, wrapped.blob(), &flipped(wrapped.secret(), at));
        assert_eq!(refusal, Err(Refusal::OtherCredential), "secret, byte {at}");
    }
    // Another good point: one that was made for another credential.
    let other = wrap(&ours, b"other");
    assert_eq!(activate(&mut keeper, wrapped.blob(), other.secret()), Err(Refusal::OtherCredential));
    assert_eq!(activate(&mut keeper, &vec![0; 4096], wrapped.secret()), Err(Refusal::OtherCredential));
    assert_eq!(status(&mut keeper).state, KeeperState::IssuingMissing, "which says nothing of this box");
    assert_eq!(keeper.loaded(), Some(0));
    assert_eq!(open(&mut keeper, &wrapped).unwrap(), b"secret", "nothing was spent");
}

#[test]
fn what_tpm2_makecredential_wraps_opens_too() {
    let (world, tpm) = World::provisioned();
    let ours = identity(&mut world.keeper(&tpm));
    let (_, ak) = keys(&ours);
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("ek.pub"), &ours.ek_public).unwrap();
    fs::write(path("secret"), [0xC3; 32]).unwrap();
    let name: String = ak.name().iter().map(|byte| format!("{byte:02x}")).collect();
    let (ek, secret, out) = (path("ek.pub"), path("secret"), path("out"));
    let made = tpm.tool("tpm2_makecredential", &["-u", &ek, "-s", &secret, "-n", &name, "-o", &out]);
    assert!(made.status.success(), "{made:?}");
    // A magic, a version, then both halves with their lengths.
    let file = fs::read(&out).unwrap();
    let len = |at: usize| usize::from(u16::from_be_bytes([file[at], file[at + 1]]));
    let (blob, rest) = (&file[10..10 + len(8)], 10 + len(8));
    let half = &file[rest + 2..rest + 2 + len(rest)];
    let mut keeper = world.keeper(&tpm);
    assert_eq!(activate(&mut keeper, blob, half).unwrap(), [0xC3; 32]);
}

#[test]
fn nothing_opens_while_the_keys_do_not() {
    let (world, tpm) = World::provisioned();
    let wrapped = wrap(&identity(&mut world.keeper(&tpm)), b"secret");
    tpm.extend(12, [9; 32]);
    let changed = Refusal::State(KeeperState::PcrsChanged { which: vec![12] });
    assert_eq!(open(&mut world.keeper(&tpm), &wrapped), Err(changed));
}

#[test]
fn a_sniffer_does_not_see_what_was_wrapped() {
    let (world, tpm) = World::provisioned();
    let proxy = Proxy::new(tpm.port);
    let address = format!("swtpm:host=127.0.0.1,port={}", proxy.port).parse().unwrap();
    let mut keeper = Keeper::new(address, Store::open(world.keys_dir()).unwrap(), vec![]);
    let ours = identity(&mut keeper);
    let secret: [u8; 32] = std::array::from_fn(|i| 0xE0 ^ i as u8);
    let wrapped = wrap(&ours, &secret);
    assert_eq!(open(&mut keeper, &wrapped).unwrap(), secret);
    assert!(!proxy.saw_part_of(&secret), "it passed in clear");
    let (_, ak) = keys(&ours);
    assert!(proxy.saw(&ak.point()[1..33]), "the control: a public key is seen");
}

#[test]
fn a_stranger_believes_a_quote_and_no_other() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let ours = identity(&mut keeper);
    let (_, ak) = keys(&ours);
    let nonce = [0xAB; 32];
    let good = quote(&mut keeper, nonce);
    let verified = verify(&good, &ak, &nonce, &QUOTED_PCRS).unwrap();
    assert_eq!(verified.pcr(11), Some(&support::pcr11(1)));
    assert!(verified.is_below(&ours.storage_name, &ak));

    assert_eq!(verify(&good, &ak, &[0xAC; 32], &QUOTED_PCRS), Err(QuoteFault::OtherNonce));
    assert_eq!(verify(&good, &ak, &nonce, &[11]), Err(QuoteFault::OtherPcrs));
    let mut flipped = good.clone();
    flipped.pcrs[2].value[7] ^= 0x20;
    assert_eq!(verify(&flipped, &ak, &nonce, &QUOTED_PCRS), Err(QuoteFault::OtherValues));
    let mut changed = good.clone();
    changed.attest[60] ^= 1;
    assert_eq!(verify(&changed, &ak, &nonce, &QUOTED_PCRS), Err(QuoteFault::BadSignature));

    let (elsewhere, other_tpm) = World::provisioned();
    let mut foreign = elsewhere.keeper(&other_tpm);
    let theirs = identity(&mut foreign);
    let (_, other_ak) = keys(&theirs);
    assert_eq!(verify(&good, &other_ak, &nonce, &QUOTED_PCRS), Err(QuoteFault::OtherKey));
    let mut claimed = quote(&mut foreign, nonce);
    claimed.ak_public = ours.ak_public.clone();
    assert_eq!(verify(&claimed, &ak, &nonce, &QUOTED_PCRS), Err(QuoteFault::BadSignature));
    assert!(!verified.is_below(&theirs.storage_name, &ak));

    // What was measured since shows.
    drop(keeper);
    tpm.extend(11, [9; 32]);
    let later = quote(&mut world.keeper(&tpm), nonce);
    let later = verify(&later, &ak, &nonce, &QUOTED_PCRS).unwrap();
    assert_ne!(later.pcr(11), verified.pcr(11));
    assert_eq!(later.pcr(7), verified.pcr(7));
}
