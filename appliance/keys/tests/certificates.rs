//! Leaves and quotes, judged by other people's tools.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step must fail the test and say what it saw"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateSigningRequestParams, CidrSubnet, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints,
};
use support::{BOTH, NOON, World, at, leaves, quote};
use wardline_keys::record::IssuingChain;
use wardline_keys_protocol::{Blob, ChainFault, FacilityNames, KeeperState, Leaf, Refusal, Reply};

fn pem(path: &Path, der: &[u8]) {
    let der_path = path.with_extension("der");
    fs::write(&der_path, der).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-inform", "DER", "-in"]).arg(&der_path).arg("-out").arg(path);
    assert!(openssl.status().unwrap().success());
}

/// `openssl verify` of a leaf at a time, for a host name.
fn verify(leaf: &Leaf, at: i64, host: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for (name, der) in ["leaf.pem", "issuing.pem", "root.pem"].iter().zip(&leaf.chain) {
        pem(&path(name), der);
    }
    let output = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-attime",
            &at.to_string(),
            "-verify_hostname",
            host,
        ])
        .arg("-CAfile")
        .arg(path("root.pem"))
        .arg("-untrusted")
        .arg(path("issuing.pem"))
        .arg(path("leaf.pem"))
        .output()
        .unwrap();
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status.success()
}

#[test]
fn openssl_accepts_the_leaf_for_its_names_and_time_only() {
    let (world, tpm) = World::provisioned();
    let leaf = leaves(&mut world.keeper(&tpm), NOON).unwrap().current;
    assert!(verify(&leaf, NOON, "box1.ward.example"));
    assert!(verify(&leaf, NOON - 86_000, "ward.example"), "a client whose clock is slow by almost a day");
    assert!(!verify(&leaf, NOON, "clinic.example"), "another name");
    assert!(!verify(&leaf, NOON + 13 * 86_400, "ward.example"), "after its end");
    assert_eq!(
        leaf.sha256,
        wardline_keys::keeper::root_hash(&leaf.chain[0]),
        "the hash is of the leaf's DER"
    );

    // The key that came with it is the key in it.
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("key.der"), dir.path().join("leaf.pem"));
    fs::write(&key, leaf.key_pkcs8.expose()).unwrap();
    pem(&certificate, &leaf.chain[0]);
    let run =
        |args: &[&str], file: &Path| Command::new("openssl").args(args).arg(file).output().unwrap().stdout;
    let from_key = run(&["pkey", "-inform", "DER", "-pubout", "-in"], &key);
    assert!(!from_key.is_empty());
    assert_eq!(from_key, run(&["x509", "-noout", "-pubkey", "-in"], &certificate));
}

#[test]
fn the_constraints_bind_an_issuing_key_that_goes_astray() {
    // A leaf for a name outside: the keeper would refuse, so the file is changed under a keeper that has the key.
    let (world, tpm) = World::provisioned();
    let store = wardline_keys::store::Store::open(world.keys_dir()).unwrap();
    let mut chain: IssuingChain = store.read(Blob::IssuingChain).unwrap();
    let outside = FacilityNames { dns_names: vec!["clinic.example".into()], ..World::facility() };
    chain.names = outside.checked().unwrap();
    store.write(Blob::IssuingChain, &chain).unwrap();
    let corrupt = KeeperState::BlobCorrupt { which: Blob::IssuingChain };
    assert_eq!(support::refused(&mut world.keeper(&tpm)), corrupt);
}

#[test]
fn constraints_that_limit_nothing_are_refused() {
    // `wardline-provision` signs none; this is the root's key in other hands.
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let request = support::request(&mut keeper);
    let dir = tempfile::tempdir().unwrap();
    world.root.save(dir.path()).unwrap();
    let key = fs::read_to_string(dir.path().join("facility-root.key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_der(&world.root.certificate().into(), KeyPair::from_pem(&key).unwrap());
    let issuer = issuer.unwrap();
    let net = |ip: &str, prefix| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip.parse().unwrap(), prefix))
    };
    let mut install = |dns: &str, v4_prefix| {
        let mut asked = CertificateSigningRequestParams::from_der(&request.as_slice().into()).unwrap();
        asked.params.not_before = time::OffsetDateTime::from_unix_timestamp(NOON).unwrap();
        asked.params.not_after = time::OffsetDateTime::from_unix_timestamp(NOON + 1_000).unwrap();
        asked.params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let permitted_subtrees =
            vec![GeneralSubtree::DnsName(dns.into()), net("10.2.0.0", v4_prefix), net("fd00::", 8)];
        asked.params.name_constraints =
            Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
        let issuing = asked.params.signed_by(&asked.public_key, &issuer).unwrap().der().to_vec();
        let chain = vec![issuing, world.root.certificate().to_vec()];
        keeper.handle(at(NOON), BOTH, support::install(World::facility(), chain))
    };
    for (dns, prefix) in [("example", 16), ("ward.example", 0)] {
        let reply = install(dns, prefix);
        let refused = matches!(reply, Reply::Refused(Refusal::ChainRejected(ChainFault::Constraints)));
        assert!(refused, "{dns}, /{prefix}: {reply:?}");
    }
    let reply = install("ward.example", 16);
    assert!(matches!(reply, Reply::Done), "the control: {reply:?}");
}

#[test]
fn thirteen_days_at_most_and_renewed_daily() {
    let (world, tpm) = World::provisioned();
    let mut keeper = world.keeper(&tpm);
    let first = leaves(&mut keeper, NOON).unwrap();
    let announced = first.next.clone().unwrap();
    for leaf in [&first.current, &announced] {
        assert!(leaf.not_after - leaf.not_before < 13 * 86_400);
        assert_eq!(leaf.not_before, NOON - 86_400, "backdated by a day");
    }
    assert_ne!(first.current.sha256, announced.sha256);
    assert_eq!(leaves(&mut keeper, NOON + 26 * 3_600 - 1).unwrap().current.sha256, first.current.sha256);

    let second = leaves(&mut keeper, NOON + 26 * 3_600).unwrap();
    assert_eq!(second.current.sha256, announced.sha256, "what was announced is what is served");
    assert_eq!(second.next.unwrap().not_before, NOON + 2 * 3_600, "the new one is of the new day");
    assert!(verify(&second.current, NOON + 26 * 3_600, "ward.example"));

    let late = leaves(&mut keeper, NOON + 400 * 86_400).unwrap();
    assert!(verify(&late.current, NOON + 400 * 86_400, "ward.example"));
    // Near the issuing certificate's end a leaf ends with it.
    let end = NOON + 5 * 31_557_600;
    assert_eq!(leaves(&mut keeper, end - 86_400).unwrap().current.not_after, end);
}

#[test]
fn tpm2_checkquote_accepts_the_quote_and_not_another_nonce() {
    let (world, tpm) = World::provisioned();
    tpm.extend(12, [3; 32]);
    let mut keeper = world.keeper(&tpm);
    assert_eq!(keeper.status(support::at(NOON)).state, KeeperState::PcrsChanged { which: vec![12] });
    let quote = quote(&mut keeper, [0xAB; 32]);

    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("ak.pub"), &quote.ak_public).unwrap();
    fs::write(path("msg"), &quote.attest).unwrap();
    fs::write(path("sig"), &quote.signature).unwrap();
    let check = |nonce: &str| {
        let output = Command::new("tpm2_checkquote")
            .env("TPM2TOOLS_TCTI", "none")
            .arg("-u")
            .arg(path("ak.pub"))
            .arg("-m")
            .arg(path("msg"))
            .arg("-s")
            .arg(path("sig"))
            .args(["-g", "sha256", "-q", nonce])
            .output()
            .unwrap();
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        output.status.success()
    };
    assert!(check(&"ab".repeat(32)));
    assert!(!check(&"ac".repeat(32)), "another nonce");

    // The values that came along are those that the quote signs: TPMS_ATTEST ends in their digest.
    let values: Vec<&[u8]> = quote.pcrs.iter().map(|pcr| pcr.value.as_slice()).collect();
    let digest = wardline_keys_protocol::policy::sha256(&values);
    assert!(quote.attest.ends_with(&digest));
    assert_eq!(quote.pcrs.iter().map(|pcr| pcr.index).collect::<Vec<_>>(), [0, 7, 11, 12, 15]);
    fs::write(path("msg"), [quote.attest.as_slice(), &[0]].concat()).unwrap();
    assert!(!check(&"ab".repeat(32)), "a changed quote");
}
