use super::*;
use crate::testing::{endorsement_public, pair, point as point_of};

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    assert_eq!(hex.len(), 2 * N);
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

/// Computed with Python's hashlib, hmac and `cryptography` 50 (ECDH, AES-CFB) from the specification's text: endorsement
/// key 0x11…11, ephemeral key 0x22…22, Name of 0x33…33, credential 0, 1, 2 … 31.
#[test]
fn another_implementation_computes_the_same() {
    let mut point = [4; 65];
    point[1..33]
        .copy_from_slice(&bytes::<32>("0217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed"));
    point[33..]
        .copy_from_slice(&bytes::<32>("194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794"));
    let ek = EndorsementPublic::parse(&endorsement_public(&point)).unwrap();
    let mut name = [0x33; 34];
    name[..2].copy_from_slice(&[0x00, 0x0B]);
    let credential = Credential::new(&std::array::from_fn::<u8, 32, _>(|i| i as u8)).unwrap();
    let wrapped = make_credential(&ek, &name, &credential, &[0x22; 32]).unwrap();
    let blob = "0020f734b67957c5f0e1a5b73b77d5501ab9bc9d3f489093d4f6f519a9b2f21422aa763639e27167fbe1eb5d63b6a1d3b03b1be19dc0eb3bcc7d20e587597cb6da8cdb7d";
    let secret = "0020d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf3002050185e895372df6221ea3a137557e473fddb6755f05bd507c3c533fce9c91285";
    assert_eq!(wrapped.blob(), bytes::<68>(blob));
    assert_eq!(wrapped.secret(), bytes::<68>(secret));
}

fn wrapped(credential: &[u8]) -> WrappedCredential {
    let ek = EndorsementPublic::parse(&endorsement_public(&point_of(&pair()))).unwrap();
    make_credential(&ek, &[7; 34], &Credential::new(credential).unwrap(), &[0x22; 32]).unwrap()
}

#[test]
fn random_bytes_that_are_no_key_are_named() {
    let ek = EndorsementPublic::parse(&endorsement_public(&point_of(&pair()))).unwrap();
    let credential = Credential::new(&[1]).unwrap();
    for draw in [[0; 32], [0xFF; 32]] {
        assert_eq!(make_credential(&ek, &[7; 34], &credential, &draw), Err(CredentialFault::Draw));
    }
}

#[test]
fn only_what_a_tpm_could_take_is_one() {
    for len in 1..=CREDENTIAL_MAX {
        let made = wrapped(&vec![5; len]);
        assert_eq!(made.blob().len(), 2 + 32 + 2 + len);
        assert_eq!(WrappedCredential::parse(made.blob(), made.secret()), Ok(made));
    }
    assert!(Credential::new(&[]).is_none() && Credential::new(&[0; CREDENTIAL_MAX + 1]).is_none());

    let made = wrapped(&[5; CREDENTIAL_MAX]);
    let refused = |blob: &[u8], secret: &[u8]| {
        assert_eq!(WrappedCredential::parse(blob, secret), Err(CredentialFault::Malformed));
    };
    for len in 0..=2 + 32 + 2 {
        refused(&made.blob()[..len], made.secret());
    }
    refused(&[made.blob(), &[0]].concat(), made.secret());
    for len in 0..made.secret().len() {
        refused(made.blob(), &made.secret()[..len]);
    }
    refused(made.blob(), &[made.secret(), &[0]].concat());
    // One bit of a coordinate, and it is another curve's.
    let mut off = made.secret().to_vec();
    off[40] ^= 1;
    refused(made.blob(), &off);
    refused(made.blob(), &[0; 4]);
}

#[test]
fn a_credential_shows_nothing() {
    assert_eq!(format!("{:?}", Credential::new(b"secret").unwrap()), "Credential(..)");
}
