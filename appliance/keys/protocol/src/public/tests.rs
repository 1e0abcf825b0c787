use super::*;
use crate::testing::{ATTESTATION_ATTRIBUTES, endorsement_public, pair, point as point_of, signing_public};

#[test]
fn a_key_that_could_sign_more_than_its_tpms_words_is_refused() {
    let point = point_of(&pair());
    let parse = |attributes| AttestationPublic::parse(&signing_public(attributes, &point));
    let good = parse(ATTESTATION_ATTRIBUTES).unwrap();
    assert_eq!(good.point(), &point);
    assert_eq!(good.name(), &name_of(&signing_public(ATTESTATION_ATTRIBUTES, &point)[2..]));
    for bit in 0..32 {
        let changed = parse(ATTESTATION_ATTRIBUTES ^ (1 << bit));
        if EITHER_WAY & (1 << bit) != 0 {
            assert!(changed.is_ok(), "bit {bit}");
        } else {
            assert_eq!(changed, Err(PublicFault::OtherUse), "bit {bit}");
        }
    }
}

#[test]
fn another_curve_hash_or_scheme_is_another_kind() {
    let good = signing_public(ATTESTATION_ATTRIBUTES, &point_of(&pair()));
    // nameAlg; then symmetric, scheme, its hash, curve, KDF.
    for at in [5, 13, 15, 17, 19, 21] {
        let mut bad = good.clone();
        bad[at] ^= 0x01;
        assert_eq!(AttestationPublic::parse(&bad), Err(PublicFault::OtherKind), "byte {at}");
    }
    let mut rsa = good;
    rsa[3] = 0x01;
    assert_eq!(AttestationPublic::parse(&rsa), Err(PublicFault::Malformed));
}

#[test]
fn an_endorsement_key_is_of_the_one_template() {
    let point = point_of(&pair());
    let good = endorsement_public(&point);
    assert_eq!(EndorsementPublic::parse(&good).unwrap().point(), &point);
    let points = good.len() - 68;
    for bit in 2 * 8..points * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(EndorsementPublic::parse(&bad).is_err(), "bit {bit}");
    }
    assert!(EndorsementPublic::parse(&signing_public(ATTESTATION_ATTRIBUTES, &point)).is_err());
    assert!(AttestationPublic::parse(&good).is_err());
}

#[test]
fn cut_lengthened_or_off_the_curve_is_none() {
    type Parse = fn(&[u8]) -> Option<PublicFault>;
    let parses: [(Vec<u8>, Parse); 2] = [
        (signing_public(ATTESTATION_ATTRIBUTES, &point_of(&pair())), |b| AttestationPublic::parse(b).err()),
        (endorsement_public(&point_of(&pair())), |b| EndorsementPublic::parse(b).err()),
    ];
    for (good, parse) in parses {
        assert_eq!(parse(&good), None);
        for len in 0..good.len() {
            assert_eq!(parse(&good[..len]), Some(PublicFault::Malformed), "cut at {len}");
            // Cut, and its length told accordingly.
            let mut cut = good[..len.max(2)].to_vec();
            let told = (cut.len() - 2) as u16;
            cut[..2].copy_from_slice(&told.to_be_bytes());
            assert!(parse(&cut).is_some(), "shortened to {len}");
        }
        assert_eq!(parse(&[good.as_slice(), &[0]].concat()), Some(PublicFault::Malformed));
        let mut off = good.clone();
        *off.last_mut().unwrap() ^= 1;
        assert_eq!(parse(&off), Some(PublicFault::NotOnCurve));
        let mut zero = good;
        let points = zero.len() - 68;
        zero[points + 2..points + 34].fill(0);
        zero[points + 36..].fill(0);
        assert_eq!(parse(&zero), Some(PublicFault::NotOnCurve), "the point of a template is no key");
    }
}
