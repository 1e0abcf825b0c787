//! The format, frozen: `vectors/bundle.json` has files as bytes and what comes of them, for whoever writes a reader of their
//! own. Written once, by the test that is ignored; what it holds is never changed, only added to.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::checked::Draft;
use super::secrets::{SecretKey, open_all};
use super::*;
use crate::render::render;
use crate::testing::{Chip, Judge, configuration, signed, signer, take};

fn path() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("vectors/bundle.json")
}

fn vectors() -> Value {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn bytes_32(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

fn sent(taken: &Verified) -> Sent {
    Sent {
        serial: taken.serial(),
        file: taken.file(),
        body: taken.body_sha256(),
        issuing: Sha256::of(taken.body().issuing.as_slice()),
        nonce: taken.nonce(),
    }
}

#[test]
fn a_box_has_its_number_and_words() {
    let given = &vectors()["box"];
    let identity = Identity {
        ek_public: Blob::new(bytes(&given["ek_public"])).unwrap(),
        ek_certificate: None,
        ak_public: Blob::new(bytes(&given["ak_public"])).unwrap(),
    };
    assert_eq!(identity.box_id().to_string(), given["box_id"]);
    assert_eq!(json!(identity.box_id().words()), given["words"]);
}

#[test]
fn configurations_are_read_and_written_to_the_byte() {
    let given = &vectors()["configuration"];
    let file = bytes(&given["file"]);
    let box_id = BoxId(bytes_32(&given["box_id"]));
    let taken = take(&file, &Trust::FirstUse, &box_id, &Standing::NEW).unwrap();
    assert_eq!(taken.serial(), given["serial"].as_u64().unwrap());
    assert_eq!(taken.signer().to_string(), given["signer"]);
    assert_eq!(taken.nonce().to_string(), given["nonce"]);
    assert_eq!(taken.file().to_string(), given["sha256"]);
    assert_eq!(hex(&taken.body().to_bytes()), given["body"]);
    assert_eq!(*taken.body(), configuration());
    let seed = bytes(&given["signer_seed"]);
    let key = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let serial = core::num::NonZeroU64::new(taken.serial()).unwrap();
    let draft = Draft::new(box_id, serial, None, taken.nonce(), taken.signer(), taken.body());
    assert_eq!(hex(draft.message()), given["signed_message"]);
    let signature = key.sign(draft.message()).as_ref().try_into().unwrap();
    assert_eq!(draft.signed(&signature), file);
    let rendered = render(taken.body());
    assert_eq!(rendered.relay_env, given["rendered"]["relay.env"].as_str().unwrap());
    assert_eq!(rendered.nftables, given["rendered"]["named.nft"].as_str().unwrap());
    assert_eq!(rendered.chrony, given["rendered"]["time.sources"].as_str().unwrap());
    for file in rendered.network {
        assert_eq!(file.text, given["rendered"][file.name.as_str()].as_str().unwrap());
    }
}

#[test]
fn requests_and_receipts_carry_what_a_chip_must_quote() {
    let vectors = vectors();
    let request = bytes(&vectors["request"]["file"]);
    let read = Unverified::read(&request).unwrap();
    assert_eq!(hex(&read.0.qualifying()), vectors["request"]["qualifying"]);
    let request = read.request(&Judge).unwrap();
    assert_eq!(request.box_id().to_string(), vectors["request"]["box_id"]);

    let given = &vectors["receipt"];
    let configured = bytes(&given["configuration"]);
    let taken = take(&configured, &Trust::FirstUse, &request.box_id(), &Standing::NEW).unwrap();
    let file = bytes(&given["file"]);
    let read = Unverified::read(&file).unwrap();
    assert_eq!(hex(&read.0.qualifying()), given["qualifying"]);
    let quoted = read.quoted_by(&request.body().identity, &Judge).unwrap();
    let receipt = quoted.answering(&sent(&taken)).unwrap().open().unwrap();
    assert_eq!(receipt.file().to_string(), given["sha256"]);
    assert_eq!(receipt.body().state.as_str(), given["state"]);
}

#[test]
fn secrets_open() {
    let given = &vectors()["secret"];
    let taken = configuration();
    let (key, box_id) = (SecretKey(bytes_32(&given["key"])), BoxId(bytes_32(&given["box_id"])));
    let secrets = taken.secrets.unwrap();
    let sealed = &secrets.list.as_slice()[0];
    assert_eq!(hex(sealed.nonce.as_slice()), given["nonce"]);
    assert_eq!(hex(sealed.ciphertext.as_slice()), given["ciphertext"]);
    let opened = open_all(&secrets, &key, &box_id, given["serial"].as_u64().unwrap()).unwrap();
    assert_eq!(
        (opened[0].0.as_str(), hex(&opened[0].1)),
        (given["name"].as_str().unwrap(), given["clear"].as_str().unwrap().into())
    );
}

#[test]
fn what_is_refused_is_refused_for_its_reason() {
    let vectors = vectors();
    let ours = Trust::Pinned(SignerKey(bytes_32(&vectors["configuration"]["signer"])));
    let box_id = BoxId(bytes_32(&vectors["configuration"]["box_id"]));
    let refused = vectors["refused"].as_array().unwrap();
    assert!(refused.len() >= 17);
    for one in refused {
        let fault = take(&bytes(&one["file"]), &ours, &box_id, &Standing::NEW).unwrap_err();
        assert_eq!(fault.code().to_string(), one["code"], "{}", one["why"]);
    }
}

fn refused() -> Vec<Value> {
    let box_id = BoxId([0xB0; 32]);
    let good = signed(1, box_id, 1, None, &configuration());
    let manifest_end = 14 + u32::from_be_bytes(good[10..14].try_into().unwrap()) as usize;
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = good.clone();
        change(&mut file);
        file
    };
    // The manifest's bytes changed, and its length with them.
    let manifest = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good[14..manifest_end].to_vec();
        change(&mut bytes);
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&good[..10], &length, &bytes, &good[manifest_end..]].concat()
    };
    let newer = Configuration { version: 2, ..configuration() };
    let contradicts = Configuration { ports: List::default(), ..configuration() };
    let all: Vec<(&str, Vec<u8>)> = vec![
        ("another magic", with(&|file| file[1] = b'w')),
        ("line ends that were translated", with(&|file| file.retain(|byte| *byte != b'\r'))),
        ("version 2 of the format", with(&|file| file[9] = 2)),
        ("cut within the manifest", good[..100].to_vec()),
        ("cut before its last byte", good[..good.len() - 1].to_vec()),
        ("one byte behind its end", with(&|file| file.push(0))),
        ("a manifest of no bytes", with(&|file| file[10..14].fill(0))),
        ("a manifest of 4 GiB", with(&|file| file[10..14].fill(0xFF))),
        ("a manifest that is an array", manifest(&|bytes| bytes[0] = 0x86)),
        ("the kind as 0x18 0x02", manifest(&|bytes| drop(bytes.splice(2..3, [0x18, 2])))),
        (
            "an unknown key 7",
            manifest(&|bytes| {
                bytes[0] += 1;
                bytes.extend([7, 0]);
            }),
        ),
        ("a kind that is not there yet", manifest(&|bytes| bytes[2] = 4)),
        ("a request with a serial", manifest(&|bytes| bytes[2] = 1)),
        ("a seal of no bytes", with(&|file| file[manifest_end..manifest_end + 2].fill(0))),
        ("another facility's", signed(2, box_id, 1, None, &configuration())),
        ("a flipped bit in the signature", with(&|file| file[manifest_end + 2] ^= 1)),
        ("another box's", signed(1, BoxId([0xB1; 32]), 1, None, &configuration())),
        (
            "after a receipt that was never given",
            signed(1, box_id, 1, Some(Sha256([7; 32])), &configuration()),
        ),
        ("a flipped bit in the body", with(&|file| *file.last_mut().unwrap() ^= 1)),
        ("version 2 of the body", signed(1, box_id, 1, None, &newer)),
        ("a zone on a port that has no address", signed(1, box_id, 1, None, &contradicts)),
    ];
    let ours = Trust::Pinned(signer(1).1);
    let one = |(why, file): (&str, Vec<u8>)| {
        let fault = take(&file, &ours, &box_id, &Standing::NEW).unwrap_err();
        json!({ "why": why, "code": fault.code().to_string(), "file": hex(&file) })
    };
    all.into_iter().map(one).collect()
}

#[test]
#[ignore = "writes the vectors: only for a version of the format that was never released"]
fn write_the_vectors() {
    let chip = Chip::new();
    let identity = chip.identity();
    let box_id = BoxId([0xB0; 32]);
    let file = signed(1, box_id, 1, None, &configuration());
    let taken = take(&file, &Trust::FirstUse, &box_id, &Standing::NEW).unwrap();
    let serial = core::num::NonZeroU64::MIN;
    let draft = Draft::new(box_id, serial, None, taken.nonce(), taken.signer(), taken.body());
    let rendered = render(taken.body());
    let mut files = serde_json::Map::new();
    files.insert("relay.env".into(), rendered.relay_env.into());
    files.insert("named.nft".into(), rendered.nftables.into());
    files.insert("time.sources".into(), rendered.chrony.into());
    files.extend(rendered.network.into_iter().map(|file| (file.name, Value::from(file.text))));

    let request = chip.request_file();
    let configured = signed(1, identity.box_id(), 1, None, &configuration());
    let for_chip = take(&configured, &Trust::FirstUse, &identity.box_id(), &Standing::NEW).unwrap();
    let receipt = chip.receipt_file(&for_chip);
    let qualifying = |file: &[u8]| hex(&Unverified::read(file).unwrap().0.qualifying());
    let secrets = configuration().secrets.unwrap();
    let sealed = &secrets.list.as_slice()[0];
    let all = json!({
        "about": "docs/protocol/bundle.md; bytes are hexadecimal. Quotes here are a test key's, not a TPM's: their qualifying data is what counts.",
        "box": {
            "ek_public": hex(identity.ek_public.as_slice()),
            "ak_public": hex(identity.ak_public.as_slice()),
            "box_id": identity.box_id().to_string(),
            "words": identity.box_id().words(),
        },
        "configuration": {
            "signer_seed": hex(&[1; 32]),
            "signer": taken.signer().to_string(),
            "box_id": box_id.to_string(),
            "serial": 1,
            "nonce": taken.nonce().to_string(),
            "signed_message": hex(draft.message()),
            "body": hex(&taken.body().to_bytes()),
            "file": hex(&file),
            "sha256": taken.file().to_string(),
            "rendered": files,
        },
        "request": { "box_id": identity.box_id().to_string(), "qualifying": qualifying(&request), "file": hex(&request) },
        "receipt": {
            "configuration": hex(&configured),
            "qualifying": qualifying(&receipt),
            "file": hex(&receipt),
            "sha256": Sha256::of(&receipt).to_string(),
            "state": "READY",
        },
        "secret": {
            "key": hex(&[3; 32]),
            "box_id": hex(&[5; 32]),
            "serial": 1,
            "name": "directory-password",
            "clear": hex(b"hunter2"),
            "nonce": hex(sealed.nonce.as_slice()),
            "ciphertext": hex(sealed.ciphertext.as_slice()),
        },
        "refused": refused(),
    });
    std::fs::write(path(), serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
}
