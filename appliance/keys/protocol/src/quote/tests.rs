use super::*;
use crate::marshal::sized;
use crate::policy::pcr_selection;
use crate::testing::{ATTESTATION_ATTRIBUTES, pair, point, sign, signing_public};
use aws_lc_rs::signature::EcdsaKeyPair;

const NONCE: [u8; 32] = [0xAB; 32];

/// What a TPM would sign, field by field.
struct Attest {
    magic: u32,
    kind: u16,
    extra: Vec<u8>,
    selections: Vec<u8>,
    digest: Vec<u8>,
    more: Vec<u8>,
}

fn pcrs() -> Vec<PcrValue> {
    QUOTED_PCRS.iter().map(|&index| PcrValue { index, value: [index; 32] }).collect()
}

fn honest() -> Attest {
    let values: Vec<u8> = pcrs().iter().flat_map(|pcr| pcr.value).collect();
    Attest {
        magic: GENERATED,
        kind: ST_ATTEST_QUOTE,
        extra: NONCE.to_vec(),
        selections: pcr_selection(QUOTED_PCRS).to_vec(),
        digest: sha256(&[&values]).to_vec(),
        more: vec![],
    }
}

impl Attest {
    fn bytes(&self) -> Vec<u8> {
        let clock = [[0; 8].as_slice(), &3u32.to_be_bytes(), &1u32.to_be_bytes(), &[1], &9u64.to_be_bytes()];
        [
            self.magic.to_be_bytes().as_slice(),
            &self.kind.to_be_bytes(),
            &sized(&[0x5A; 34]),
            &sized(&self.extra),
            &clock.concat(),
            &self.selections,
            &sized(&self.digest),
            &self.more,
        ]
        .concat()
    }
}

fn signed(key: &EcdsaKeyPair, attest: &Attest) -> Quote {
    let attest = attest.bytes();
    let signature = sign(key, &attest);
    let (r, s) = signature.split_at(32);
    let signature = [&[0x00, 0x18, 0x00, 0x0B], sized(r).as_slice(), &sized(s)].concat();
    let ak_public = signing_public(ATTESTATION_ATTRIBUTES, &point(key));
    Quote { attest, signature, ak_public, pcrs: pcrs() }
}

fn check(quote: &Quote, key: &EcdsaKeyPair) -> Result<VerifiedQuote, QuoteFault> {
    let ak = AttestationPublic::parse(&signing_public(ATTESTATION_ATTRIBUTES, &point(key))).unwrap();
    verify(quote, &ak, &NONCE, &QUOTED_PCRS)
}

#[test]
fn an_honest_quote_holds_and_no_flipped_bit_of_it_does() {
    let key = pair();
    let quote = signed(&key, &honest());
    let verified = check(&quote, &key).unwrap();
    assert_eq!((verified.reset_count, verified.restart_count, verified.firmware_version), (3, 1, 9));
    assert_eq!((verified.pcr(11), verified.pcr(12)), (Some(&[11; 32]), Some(&[12; 32])));
    assert_eq!(verified.pcr(1), None, "a value that nobody signed");

    let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
    for bit in 0..quote.attest.len() * 8 {
        let mut bad = quote.clone();
        flip(&mut bad.attest, bit);
        assert_eq!(check(&bad, &key), Err(QuoteFault::BadSignature), "attest, bit {bit}");
    }
    for bit in 0..quote.signature.len() * 8 {
        let mut bad = quote.clone();
        flip(&mut bad.signature, bit);
        assert_eq!(check(&bad, &key), Err(QuoteFault::BadSignature), "signature, bit {bit}");
    }
    for bit in 0..quote.ak_public.len() * 8 {
        let mut bad = quote.clone();
        flip(&mut bad.ak_public, bit);
        assert_eq!(check(&bad, &key), Err(QuoteFault::OtherKey), "key, bit {bit}");
    }
    for (at, bit) in (0..quote.pcrs.len()).flat_map(|at| (0..256).map(move |bit| (at, bit))) {
        let mut bad = quote.clone();
        flip(&mut bad.pcrs[at].value, bit);
        assert_eq!(check(&bad, &key), Err(QuoteFault::OtherValues), "PCR {at}, bit {bit}");
    }
    for len in 0..quote.signature.len() {
        let bad = Quote { signature: quote.signature[..len].to_vec(), ..quote.clone() };
        assert_eq!(check(&bad, &key), Err(QuoteFault::BadSignature), "cut at {len}");
    }
}

#[test]
fn who_asked_otherwise_is_not_answered_by_it() {
    let key = pair();
    let quote = signed(&key, &honest());
    let ak = AttestationPublic::parse(&quote.ak_public).unwrap();
    assert_eq!(verify(&quote, &ak, &[0xAC; 32], &QUOTED_PCRS), Err(QuoteFault::OtherNonce));
    for asked in [&[][..], &[7], &[0, 7, 11, 12], &[0, 7, 11, 12, 15, 16], &[0, 7, 12, 11, 15]] {
        assert_eq!(verify(&quote, &ak, &NONCE, asked), Err(QuoteFault::OtherPcrs), "{asked:?}");
    }
    assert_eq!(check(&quote, &pair()), Err(QuoteFault::OtherKey));
    let mut listed = quote.clone();
    listed.pcrs[1].index = 8;
    assert_eq!(check(&listed, &key), Err(QuoteFault::OtherPcrs), "values under other numbers");
    listed.pcrs.pop();
    assert_eq!(check(&listed, &key), Err(QuoteFault::OtherPcrs), "fewer values");
}

#[test]
fn what_is_signed_must_be_a_quote_of_what_was_asked() {
    let key = pair();
    let with = |change: &dyn Fn(&mut Attest)| {
        let mut attest = honest();
        change(&mut attest);
        check(&signed(&key, &attest), &key).map(|_| ())
    };
    assert_eq!(with(&|_| ()), Ok(()), "the control");
    assert_eq!(with(&|a| a.magic ^= 1), Err(QuoteFault::NotAQuote), "bytes that came from outside");
    assert_eq!(with(&|a| a.kind = 0x8017), Err(QuoteFault::NotAQuote), "a certification of a key");
    assert_eq!(with(&|a| a.more.push(0)), Err(QuoteFault::NotAQuote));
    assert_eq!(with(&|a| a.extra.truncate(31)), Err(QuoteFault::OtherNonce));
    assert_eq!(with(&|a| a.extra = vec![7; 67]), Err(QuoteFault::NotAQuote));
    assert_eq!(with(&|a| a.digest.truncate(31)), Err(QuoteFault::OtherValues));
    // No PCR at all (go-attestation's CVE-2022-0317), none selected, another bank, and two banks.
    let empty = sha256(&[]).to_vec();
    assert_eq!(with(&|a| (a.selections, a.digest) = (vec![0; 4], empty.clone())), Err(QuoteFault::OtherPcrs));
    assert_eq!(with(&|a| a.selections[7..].fill(0)), Err(QuoteFault::OtherPcrs));
    assert_eq!(with(&|a| a.selections[5] = 0x04), Err(QuoteFault::OtherPcrs));
    let twice = |a: &mut Attest| {
        let one = a.selections[4..].to_vec();
        a.selections = [&[0, 0, 0, 2], one.as_slice(), &[0x00, 0x04, 3, 0, 0, 0]].concat();
    };
    assert_eq!(with(&twice), Err(QuoteFault::OtherPcrs));
    assert_eq!(with(&|a| a.selections[3] = 17), Err(QuoteFault::NotAQuote), "more banks than there are");
    // Four bytes of selection say the same as three.
    let wide = |a: &mut Attest| {
        a.selections[6] = 4;
        a.selections.push(0);
    };
    assert_eq!(with(&wide), Ok(()));
}

#[test]
fn who_signed_stands_below_the_storage_key_that_it_says() {
    let (key, storage) = (pair(), [0x44; 34]);
    let quote = signed(&key, &honest());
    let ak = AttestationPublic::parse(&quote.ak_public).unwrap();
    let mut verified = check(&quote, &key).unwrap();
    assert!(!verified.is_below(&storage, &ak));
    verified.signer = qualified_name(&storage, ak.name()).to_vec();
    assert!(verified.is_below(&storage, &ak) && !verified.is_below(&[0x45; 34], &ak));
}
