//! Files that somebody damaged, exchanged or sent again: one reason each, and never a panic.

use proptest::prelude::*;

use super::checked::Signed;
use super::frame::MAGIC;
use super::*;
use crate::testing::{Chip, Judge, configuration, signed, signer, take};

const BOX: BoxId = BoxId([0xB0; 32]);

fn file() -> Vec<u8> {
    signed(1, BOX, 1, None, &configuration())
}

fn new_box(file: &[u8]) -> Result<Verified, Fault> {
    take(file, &Trust::FirstUse, &BOX, &Standing::NEW)
}

#[test]
fn a_configuration_comes_out_as_it_went_in() {
    let file = file();
    let taken = new_box(&file).unwrap();
    assert_eq!(*taken.body(), configuration());
    assert_eq!((taken.serial(), taken.box_id(), taken.signer()), (1, BOX, signer(1).1));
    assert_eq!(taken.file(), Sha256::of(&file));
}

#[test]
fn cut_at_each_byte_it_is_cut_short() {
    let file = file();
    assert_eq!(new_box(&[]).unwrap_err(), Fault::NotABundle);
    for length in 1..file.len() {
        assert_eq!(new_box(&file[..length]).unwrap_err(), Fault::Truncated, "{length}");
    }
    assert_eq!(new_box(&[file.as_slice(), &[0]].concat()).unwrap_err(), Fault::Trailing);
}

#[test]
fn no_bit_can_be_flipped() {
    let file = file();
    let mut seen = std::collections::BTreeMap::<u8, usize>::new();
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let fault = new_box(&flipped).expect_err("a flipped bit");
        *seen.entry(fault.code().number()).or_default() += 1;
    }
    // Each region of the file has its reason; a reason that came no more would mean that a check is gone.
    for fault in [
        Fault::NotABundle,
        Fault::Version,
        Fault::BadSignature,
        Fault::ChunkChanged,
        Fault::ManifestMalformed,
    ] {
        assert!(seen.contains_key(&fault.code().number()), "{fault:?} is missing of {seen:?}");
    }
}

#[test]
fn lengths_beyond_all_bounds_are_refused_before_anything_is_made_of_them() {
    let file = file();
    let mut long = file.clone();
    long[10..14].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(new_box(&long).unwrap_err(), Fault::ManifestLength);
    long[10..14].copy_from_slice(&[0; 4]);
    assert_eq!(new_box(&long).unwrap_err(), Fault::ManifestLength);
    let head = |manifest: &[u8]| {
        let length = u32::try_from(manifest.len()).unwrap().to_be_bytes();
        [MAGIC.as_slice(), &[0, 1], &length, manifest, &[0, 64], &[0; 64]].concat()
    };
    // A list of 2^63 chunks; one chunk of 2^63 bytes; 17 chunks; none.
    let fields = |chunks: &[u8]| {
        [
            &[0xA6, 0, 2, 1, 0x58, 32][..],
            &[1; 32],
            &[2, 1, 4, 0x58, 32],
            &[2; 32],
            &[5],
            chunks,
            &[6, 0x58, 32],
            &[3; 32],
        ]
        .concat()
    };
    let chunk = |length: &[u8]| [&[0x82][..], length, &[0x58, 32], &[9; 32]].concat();
    let huge = [0x1B, 0x80, 0, 0, 0, 0, 0, 0, 0];
    let many = [&[0x9B, 0x80, 0, 0, 0, 0, 0, 0, 0][..], &chunk(&[1])].concat();
    assert_eq!(new_box(&head(&fields(&many))).unwrap_err(), Fault::ManifestMalformed);
    let one_huge = [&[0x81][..], &chunk(&huge)].concat();
    assert_eq!(new_box(&head(&fields(&one_huge))).unwrap_err(), Fault::ChunkBounds);
    let two_huge = [&[0x82][..], &chunk(&huge), &chunk(&huge)].concat();
    assert_eq!(new_box(&head(&fields(&two_huge))).unwrap_err(), Fault::ChunkBounds, "their sum");
    let seventeen = [&[0x91][..], &chunk(&[1]).repeat(17)].concat();
    assert_eq!(new_box(&head(&fields(&seventeen))).unwrap_err(), Fault::ChunkBounds);
    assert_eq!(new_box(&head(&fields(&[0x80]))).unwrap_err(), Fault::ChunkBounds);
    let fine = [&[0x81][..], &chunk(&[0])].concat();
    assert_eq!(new_box(&head(&fields(&fine))).unwrap_err(), Fault::BadSignature, "the same, in bounds");
}

#[test]
fn checks_come_in_their_order() {
    let ours = Trust::Pinned(signer(1).1);
    let standing = Standing { serial: 4, receipt: Some(Sha256([7; 32])) };
    let at = |seed, box_id, serial, answers| {
        take(&signed(seed, box_id, serial, answers, &configuration()), &ours, &BOX, &standing)
            .map(|taken| taken.serial())
    };
    let right = Some(Sha256([7; 32]));
    assert_eq!(at(1, BOX, 5, right), Ok(5));
    assert_eq!(at(1, BOX, 900, right), Ok(900), "serials may be skipped");
    // Each line is wrong in all that the lines below it are.
    assert_eq!(at(2, BoxId([1; 32]), 4, None), Err(Fault::OtherSigner));
    assert_eq!(at(1, BoxId([1; 32]), 4, None), Err(Fault::OtherBox));
    assert_eq!(at(1, BOX, 4, None), Err(Fault::Replayed));
    assert_eq!(at(1, BOX, 5, None), Err(Fault::OutOfTurn));
    assert_eq!(at(1, BOX, 5, Some(Sha256([8; 32]))), Err(Fault::OutOfTurn));
    // A new box takes none that follows a receipt it never gave.
    let file = signed(1, BOX, 5, right, &configuration());
    assert_eq!(new_box(&file).unwrap_err(), Fault::OutOfTurn);
}

#[test]
fn a_signature_by_another_key_over_our_name_does_not_hold() {
    // The manifest names key 1, the signature is key 2's.
    let (theirs, public) = (signer(2).0, signer(1).1);
    let one = core::num::NonZeroU64::MIN;
    let draft = Draft::new(BOX, one, None, Nonce([0; 32]), public, &configuration());
    let signature = theirs.sign(draft.message()).as_ref().try_into().unwrap();
    assert_eq!(new_box(&draft.signed(&signature)).unwrap_err(), Fault::BadSignature);
}

#[test]
fn a_body_that_was_signed_must_still_be_one() {
    let mut contradicts = configuration();
    contradicts.ports = List::default();
    assert_eq!(new_box(&signed(1, BOX, 1, None, &contradicts)).unwrap_err(), Fault::BodyValue);
    let newer = Configuration { version: 2, ..configuration() };
    assert_eq!(new_box(&signed(1, BOX, 1, None, &newer)).unwrap_err(), Fault::BodyVersion);
}

#[test]
fn kinds_are_told_apart() {
    let chip = Chip::new();
    let request = chip.request_file();
    assert_eq!(new_box(&request).unwrap_err(), Fault::OtherKind);
    assert_eq!(Unverified::read(&file()).unwrap().request(&Judge).unwrap_err(), Fault::OtherKind);
    let receipt = Unverified::read(&request).unwrap().quoted_by(&chip.identity(), &Judge);
    assert_eq!(receipt.unwrap_err(), Fault::OtherKind);
}

/// What a request or receipt says is sealed by its quote: no byte of either can be another.
#[test]
fn nothing_in_a_request_or_receipt_can_be_exchanged() {
    let (chip, other) = (Chip::new(), Chip::new());
    let request = chip.request_file();
    let read = |file: &[u8]| Unverified::read(file)?.request(&Judge);
    assert_eq!(read(&request).unwrap().box_id(), chip.identity().box_id());
    every_byte(&request, |file| read(file).map(|_| ()));

    let configured = signed(1, chip.identity().box_id(), 1, None, &configuration());
    let taken = take(&configured, &Trust::FirstUse, &chip.identity().box_id(), &Standing::NEW).unwrap();
    let receipt = chip.receipt_file(&taken);
    let sent = Sent {
        serial: 1,
        file: Sha256::of(&configured),
        body: taken.body_sha256(),
        issuing: Sha256::of(taken.body().issuing.as_slice()),
        nonce: taken.nonce(),
    };
    let judge = |file: &[u8], sent: &Sent, identity: &Identity| {
        Unverified::read(file)?.quoted_by(identity, &Judge)?.answering(sent)?.open()
    };
    assert_eq!(judge(&receipt, &sent, &chip.identity()).unwrap().body().epoch, 3);
    every_byte(&receipt, |file| judge(file, &sent, &chip.identity()).map(|_| ()));

    let fault = |sent: &Sent| judge(&receipt, sent, &chip.identity()).unwrap_err();
    assert_eq!(judge(&receipt, &sent, &other.identity()).unwrap_err(), Fault::OtherBox);
    assert_eq!(fault(&Sent { serial: 2, ..sent }), Fault::OtherConfiguration);
    assert_eq!(fault(&Sent { nonce: Nonce([0; 32]), ..sent }), Fault::OtherConfiguration);
    assert_eq!(fault(&Sent { file: Sha256([0; 32]), ..sent }), Fault::OtherConfiguration);
    assert_eq!(fault(&Sent { body: Sha256([0; 32]), ..sent }), Fault::AppliedOtherwise);
    assert_eq!(fault(&Sent { issuing: Sha256([0; 32]), ..sent }), Fault::AppliedOtherwise);
}

fn every_byte(file: &[u8], judge: impl Fn(&[u8]) -> Result<(), Fault>) {
    for at in 0..file.len() {
        let mut changed = file.to_vec();
        changed[at] ^= 0x55;
        assert!(judge(&changed).is_err(), "byte {at} of {}", file.len());
    }
}

#[test]
fn a_request_whose_keys_are_anothers_is_not_itself() {
    let (chip, other) = (Chip::new(), Chip::new());
    // Another chip's quote over this request.
    let unquoted = chip.request().write();
    let quote = other.quote(&unquoted.qualifying());
    let file = unquoted.quoted(&quote);
    assert_eq!(Unverified::read(&file).unwrap().request(&Judge).unwrap_err(), Fault::BadQuote);
    // A request for a certificate that nobody signed.
    let body = Request { certificate_request: Blob::new(*b"0\x03\x02\x01\x00").unwrap(), ..chip.request() };
    let unquoted = body.write();
    let quote = chip.quote(&unquoted.qualifying());
    let file = unquoted.quoted(&quote);
    assert_eq!(Unverified::read(&file).unwrap().request(&Judge).unwrap_err(), Fault::BadCertificateRequest);
}

#[test]
fn an_image_is_approved_by_what_was_sent_or_by_nothing() {
    use wardline_keys_protocol::approval::Approval;
    let chip = Chip::new();
    let file = signed(1, chip.identity().box_id(), 1, None, &configuration());
    let taken = take(&file, &Trust::FirstUse, &chip.identity().box_id(), &Standing::NEW).unwrap();
    let sent = Sent {
        serial: 1,
        file: taken.file(),
        body: taken.body_sha256(),
        issuing: Sha256::of(taken.body().issuing.as_slice()),
        nonce: taken.nonce(),
    };
    let receipt = chip.receipt_file(&taken);
    let quoted = Unverified::read(&receipt).unwrap().quoted_by(&chip.identity(), &Judge).unwrap();
    let receipt = quoted.answering(&sent).unwrap().open().unwrap();
    let approval = |pcr: u8| {
        let approval = Approval { version: 1, pcr11: [pcr; 32], revoke_mask: 1, signature: [0; 64] };
        Blob::new(approval.to_bytes()).unwrap()
    };
    assert_eq!(receipt.image(&[]), Ok(Image::NotCompared));
    assert_eq!(receipt.image(&[approval(1), approval(11)]), Ok(Image::Approved));
    assert_eq!(receipt.image(&[approval(1)]), Err(Fault::OtherImage));
}

proptest! {
    /// Whatever a stick holds, it is refused with a reason.
    #[test]
    fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic: bool) {
        let file = if magic { [MAGIC.as_slice(), &[0, 1], &bytes].concat() } else { bytes };
        let fault = new_box(&file).expect_err("chance signs nothing");
        prop_assert!((1..=28).contains(&fault.code().number()));
    }

    /// A body that is read is written again as the same bytes; whatever is not, is refused.
    #[test]
    fn a_body_has_one_spelling(at in 0_usize..2_000, byte: u8) {
        let mut bytes = configuration().to_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(body) = Configuration::from_bytes(&bytes) {
            prop_assert_eq!(body.to_bytes(), bytes);
        }
    }

    /// A stick that was in the box before does nothing, whichever serial the box stands at.
    #[test]
    fn an_old_serial_is_replayed(serial in 1_u64.., ahead in prop_oneof![0_u64..3, any::<u64>()]) {
        let file = signed(1, BOX, serial, None, &configuration());
        let standing = Standing { serial: serial.saturating_add(ahead), receipt: None };
        prop_assert_eq!(take(&file, &Trust::FirstUse, &BOX, &standing).map(|_| ()), Err(Fault::Replayed));
    }
}

/// The order of checks is the types': what is merely signed cannot be opened.
#[allow(dead_code, reason = "compiles, and that is the test")]
fn order(signed: Signed<'_>) -> Result<Verified, Fault> {
    signed.for_box(&BOX)?.after(&Standing::NEW)?.open()
}
