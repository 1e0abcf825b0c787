//! `docs/protocol/README.md` against the code: its worked example, its limits, its codes. A page that a client can be
//! written from must not be wrong in a byte.
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use wardline_client::{ConversationId, DeviceId, JoinLink, MessageId, PersonId, Sequence};
use wardline_core::composing::{self, Lease};
use wardline_core::directory::PublicKey;
use wardline_core::escalation::StatId;
use wardline_core::escalation::signed::{CallNote, Said, Statement};
use wardline_core::limits;
use wardline_core::order::signed::{self as order, Deed, Words};
use wardline_core::pin::join_code_hash;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::session::{join_message, sign_in_message};
use wardline_core::text::Title;
use wardline_core::time::Wall;
use wardline_core::wire::{encode_frame, proto};

fn page() -> String {
    let here = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    std::fs::read_to_string(here.join("../../docs/protocol/README.md")).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// The hexadecimal value of `name = …` in the example, which may go on over indented lines.
fn value(page: &str, name: &str) -> Vec<u8> {
    let begin = page.find(&format!("\n{name:17} =")).unwrap_or_else(|| panic!("{name} is missing"));
    let rest = page[begin + 1..].split_once('=').unwrap().1;
    let mut digits = String::new();
    for (index, line) in rest.lines().enumerate() {
        if index > 0 && !line.starts_with("  ") {
            break;
        }
        digits.push_str(line.trim());
    }
    bytes(&digits)
}

#[test]
fn the_binding_of_a_page_is_right() {
    let page = page();
    let origin = page.split_once("\norigin            = ").unwrap().1.lines().next().unwrap();
    let said = wardline_client::trust::sha256(format!("wardline/1 origin\0{origin}").as_bytes());
    assert_eq!(hex(&value(&page, "origin_binding")), hex(&said));
    assert!(page.contains(&format!("SUPERSEDED is {}", 4_000 + CloseCode::SUPERSEDED.0)));
}

#[test]
fn the_binding_over_webtransport_is_right() {
    let page = page();
    let origin = page.split_once("\nwt_origin         = ").unwrap().1.lines().next().unwrap();
    let mut bound = format!("wardline/1 origin+leaf\0{origin}\0").into_bytes();
    bound.extend(value(&page, "wt_leaf"));
    let said = wardline_client::trust::sha256(&bound);
    assert_eq!(hex(&value(&page, "wt_binding")), hex(&said));
    assert!(page.contains(&format!("SUPERSEDED comes as\n  closeCode {}.", CloseCode::SUPERSEDED.0)));
}

#[test]
fn what_is_sealed_when_composed_is_right() {
    let page = page();
    let device = DeviceId::new(u64::from_be_bytes(value(&page, "device").try_into().unwrap())).unwrap();
    let lease = Lease(u64::from_be_bytes(value(&page, "lease_number").try_into().unwrap()));
    let context = composing::context(device, lease, MessageId(std::array::from_fn(|at| at as u8)));
    assert_eq!(hex(&value(&page, "composed_context")), hex(&context));
    let mut key = [0; 32];
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&value(&page, "lease_key"));
    secret.expand(&[&context], hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
    assert_eq!(hex(&value(&page, "composed_key")), hex(&key));
    let (nonce, mut sealed) = (value(&page, "composed_nonce"), value(&page, "composed_submit"));
    assert_eq!(value(&page, "submit_frame")[8..], sealed, "the submission of the example");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let once = Nonce::try_assume_unique_for_key(&nonce).unwrap();
    key.seal_in_place_append_tag(once, Aad::from(&context), &mut sealed).unwrap();
    assert_eq!(hex(&value(&page, "composed_sealed")), hex(&[nonce, sealed].concat()));
}

#[test]
fn the_worked_example_is_right() {
    let page = page();
    let fixed = |name| <[u8; 32]>::try_from(value(&page, name)).unwrap();
    let (challenge, exporter) = (fixed("challenge"), fixed("exporter"));
    let device = DeviceId::new(u64::from_be_bytes(value(&page, "device").try_into().unwrap())).unwrap();
    let key = PublicKey::parse(&value(&page, "device_key")).unwrap();
    let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes());

    let sign_in = sign_in_message(&challenge, &exporter, device);
    assert_eq!(hex(&value(&page, "sign_in")), hex(&sign_in));
    verifier.verify(&sign_in, &value(&page, "sign_in_signature")).unwrap();

    let code = join_code_hash("ABCDEFGHJK");
    assert_eq!(hex(&value(&page, "code_hash")), hex(&code));
    let join = join_message(&challenge, &exporter, &code, &key);
    assert_eq!(hex(&value(&page, "join")), hex(&join));
    verifier.verify(&join, &value(&page, "join_signature")).unwrap();

    let hello = proto::Hello {
        version_min: 1,
        version_max: 1,
        client: "example 1.0".to_owned(),
        device: device.value(),
    };
    let body = Some(proto::client_frame::Body::Hello(hello));
    assert_eq!(
        hex(&value(&page, "hello_frame")),
        hex(&encode_frame(&proto::ClientFrame { request: 1, body }))
    );
    let submit = proto::Submit {
        number: 42,
        message: (0..16).collect(),
        conversation: 0x77,
        text: "Bed 12: on my way".to_owned(),
        ..proto::Submit::default()
    };
    let body = Some(proto::client_frame::Body::Submit(submit));
    assert_eq!(
        hex(&value(&page, "submit_frame")),
        hex(&encode_frame(&proto::ClientFrame { request: 7, body }))
    );
}

/// The call note of the example.
fn example_note() -> Said {
    let role = Title::parse("Physician on call").ok();
    let called = Wall(1_795_435_200_000);
    Said::Note(CallNote { reached: None, role, name: None, called, read_back: true })
}

fn example_answer(facility: &[u8; 32]) -> Vec<u8> {
    let conversation = ConversationId::new(0x77).unwrap();
    let (said, stat) = (example_note(), StatId { conversation, sequence: Sequence(12) });
    let (device, at) = (DeviceId::new(0x0123_4567_89ab_cdef).unwrap(), Wall(1_795_435_261_000));
    Statement { facility, device, stat, at, said: &said }.to_bytes()
}

#[test]
fn the_signed_answer_is_right() {
    let page = page();
    let facility = value(&page, "facility").try_into().unwrap();
    let answer = example_answer(&facility);
    assert_eq!(hex(&value(&page, "answer")), hex(&answer));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, value(&page, "answer_key"));
    key.verify(&answer, &value(&page, "answer_signature")).unwrap();
}

/// Prints that example anew, as [`print_the_example`] the other.
#[test]
#[ignore = "writes the example for the page"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print_the_signed_answer() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let facility: [u8; 32] = std::array::from_fn(|n| 0x60 + n as u8);
    let answer = example_answer(&facility);
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), &answer).unwrap();
    for (name, value) in [
        ("facility", hex(&facility)),
        ("answer_key", hex(pair.public_key().as_ref())),
        ("answer", hex(&answer)),
        ("answer_signature", hex(signature.as_ref())),
    ] {
        let lines: Vec<&str> =
            value.as_bytes().chunks(96).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
        println!("{name:17} = {}", lines.join("\n                    "));
    }
}

/// Device and conversation of the page's examples; message 00…0f.
fn example_order(facility: &[u8; 32]) -> Vec<u8> {
    let (device, at) = (DeviceId::new(0x0123_4567_89ab_cdef).unwrap(), Wall(1_795_435_261_000));
    let conversation = ConversationId::new(0x77).unwrap();
    let words = Some(Words::of(MessageId(std::array::from_fn(|n| n as u8)), "Paracetamol 500 mg now"));
    let deed = Deed::Correct { of: Sequence(12), to: PersonId::new(5) };
    order::Statement { facility, device, conversation, words, deed, at }.to_bytes()
}

#[test]
fn the_signed_order_is_right() {
    let page = page();
    let order = example_order(&value(&page, "facility").try_into().unwrap());
    assert_eq!(hex(&value(&page, "order")), hex(&order));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, value(&page, "order_key"));
    key.verify(&order, &value(&page, "order_signature")).unwrap();
}

/// Prints that example anew, as [`print_the_example`] the other.
#[test]
#[ignore = "writes the example for the page"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print_the_signed_order() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let order = example_order(&std::array::from_fn(|n| 0x60 + n as u8));
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), &order).unwrap();
    for (name, value) in [
        ("order_key", hex(pair.public_key().as_ref())),
        ("order", hex(&order)),
        ("order_signature", hex(signature.as_ref())),
    ] {
        let lines: Vec<&str> =
            value.as_bytes().chunks(96).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
        println!("{name:17} = {}", lines.join("\n                    "));
    }
}

/// A length for HKDF's type system.
struct Length(usize);

impl aws_lc_rs::hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label (RFC 8446, 7.1) with SHA-256, as the page spells it out.
fn expand_label(secret: &[u8], label: &str, context: &[u8]) -> Vec<u8> {
    let label = format!("tls13 {label}");
    let (label_length, context_length) = ([label.len() as u8], [context.len() as u8]);
    let info =
        [&[0, 32], label_length.as_slice(), label.as_bytes(), context_length.as_slice(), context].concat();
    let mut bytes = vec![0; 32];
    let secret = aws_lc_rs::hkdf::Prk::new_less_safe(aws_lc_rs::hkdf::HKDF_SHA256, secret);
    secret.expand(&[&info], Length(32)).unwrap().fill(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_exporter_is_what_the_page_says() {
    let page = page();
    let empty = wardline_client::trust::sha256(b"");
    let derived = expand_label(&value(&page, "exporter_secret"), "EXPORTER-wardline-1", &empty);
    assert_eq!(hex(&value(&page, "exporter_derived")), hex(&derived));
    let exporter = expand_label(&derived, "exporter", &empty);
    assert_eq!(hex(&value(&page, "exporter_bytes")), hex(&exporter));
}

#[test]
fn the_example_link_is_one() {
    let page = page();
    let line = page.lines().find(|line| line.starts_with("wardline://box.")).unwrap();
    assert_eq!(line.parse::<JoinLink>().unwrap().code.reveal(), "ABCDEFGHJK");
}

#[test]
fn every_limit_stands_there() {
    let page = page();
    let rows = [
        ("client frame", limits::CLIENT_FRAME_MAX as u64),
        ("box frame", limits::SERVER_FRAME_MAX as u64),
        ("text", limits::TEXT_MAX as u64),
        ("name, person's title, device name, client name", limits::NAME_MAX as u64),
        ("group title", limits::TITLE_MAX as u64),
        ("join code", limits::JOIN_CODE_CHARACTERS as u64),
        ("PIN, at least", limits::PIN_CHARACTERS_MIN as u64),
        ("PIN, at most", limits::PIN_BYTES_MAX as u64),
        ("wrong PINs", u64::from(limits::PIN_TRIES_MAX)),
        ("time that a code for a locked device lives", limits::PIN_CODE_MS),
        ("wrong codes on a locked device", u64::from(limits::PIN_CODE_TRIES_MAX)),
        ("codes for locked devices, at a time", limits::PIN_CODES_MAX as u64),
        ("time to prove", limits::PROOF_TIME_MAX_MS),
        ("time for the PIN", limits::PIN_TIME_MAX_MS),
        ("submissions", limits::SUBMITS.per_thousand_seconds / 1_000),
        ("submissions at once", limits::SUBMITS.burst),
        ("conversations opened", limits::OPENS.per_thousand_seconds),
        ("conversations opened at once", limits::OPENS.burst),
        ("join codes", limits::JOIN_GUESSES_OF_ONE.per_thousand_seconds / 1_000),
        ("join codes at once", limits::JOIN_GUESSES_OF_ONE.burst),
        ("requests", limits::REQUESTS.per_thousand_seconds / 1_000),
        ("requests at once", limits::REQUESTS.burst),
        ("members", limits::MEMBERS_MAX as u64),
        ("members with pushed watermarks", limits::WATERMARK_PUSH_MEMBERS_MAX as u64),
        ("conversations of a person", limits::MEMBERSHIPS_PER_PERSON_MAX as u64),
        ("of them opened or added to by others", limits::MEMBERSHIPS_BY_OTHERS_MAX as u64),
        ("groups of one owner that one person is in", u64::from(limits::GROUPS_SHARED_MAX)),
        ("units", limits::UNITS_MAX as u64),
        ("posts of a person", limits::POSTS_MAX as u64),
        ("channels of a unit", limits::CHANNELS_OF_UNIT_MAX as u64),
        ("of them one owner's", limits::CHANNELS_OF_OWNER_MAX as u64),
        ("posts given and taken", limits::POSTS.per_thousand_seconds),
        ("posts given and taken at once", limits::POSTS.burst),
        ("channels on a page", limits::CHANNELS_PAGE_MAX as u64),
        ("record number", limits::RECORD_NUMBER_MAX as u64),
        ("bed", limits::BED_MAX as u64),
        ("patients", limits::PATIENTS_MAX as u64),
        ("patients admitted at a time", limits::ENCOUNTERS_OPEN_MAX as u64),
        ("care team by hand", limits::CARE_TEAM_MAX as u64),
        ("beds of an assignment", limits::BEDS_OF_ASSIGNMENT_MAX as u64),
        ("hours of an assignment", limits::ASSIGNMENT_TIME_MAX_MS / 3_600_000),
        ("assignments", limits::ASSIGNMENTS_MAX as u64),
        ("assignments of a unit", limits::ASSIGNMENTS_OF_UNIT_MAX as u64),
        ("assignments of a person", limits::ASSIGNMENTS_OF_PERSON_MAX as u64),
        ("patients on a page", limits::PATIENTS_PAGE_MAX as u64),
        ("beds on a page", limits::BEDS_PAGE_MAX as u64),
        (
            "hours of an agency's stay, and of an extension from when it is given",
            limits::AGENCY_TIME_MAX_MS / 3_600_000,
        ),
        ("extensions of a stay", limits::AGENCY_EXTENSIONS_MAX as u64),
        ("agency staff of a unit at a time", limits::AGENCY_OF_UNIT_MAX as u64),
        ("agency staff there ever were", limits::AGENCY_EVER_MAX as u64),
        ("agency stays on a page", limits::AGENCY_PAGE_MAX as u64),
        ("suspensions on a page", limits::SUSPENSIONS_PAGE_MAX as u64),
        ("STATs that are named as left behind", limits::STATS_LEFT_SHOWN_MAX as u64),
        ("past and present members of a group", limits::MEMBERS_EVER_MAX as u64),
        ("sign-ins", limits::SIGN_INS.per_thousand_seconds / 1_000),
        ("sign-ins at once", limits::SIGN_INS.burst),
        ("bytes of text submitted", limits::TEXT_BYTES.per_thousand_seconds / 1_000),
        ("bytes of text submitted at once", limits::TEXT_BYTES.burst),
        ("pages of history", limits::PAGES.per_thousand_seconds / 1_000),
        ("pages of history at once", limits::PAGES.burst),
        ("people added or removed", limits::MEMBER_CHANGES.per_thousand_seconds / 1_000),
        ("people added or removed at once", limits::MEMBER_CHANGES.burst),
        ("synchronisations", limits::SYNCS.per_thousand_seconds / 1_000),
        ("synchronisations at once", limits::SYNCS.burst),
        ("devices of a person", limits::DEVICES_PER_PERSON_MAX as u64),
        ("people on a page", limits::PEOPLE_PAGE_MAX as u64),
        ("messages on a page", u64::from(limits::PAGE_MESSAGES_MAX)),
        ("bytes of text on a page", limits::PAGE_BYTES_MAX as u64),
        ("catch-up", limits::CATCH_UP_MAX as u64),
        ("snapshot", u64::from(limits::SNAPSHOT_MESSAGES)),
        ("a search, as typed", limits::SEARCH_QUERY_MAX as u64),
        ("words of a search", limits::SEARCH_WORDS_MAX as u64),
        ("people and roles that a message mentions", limits::MENTIONS_MAX as u64),
        ("people who react to a message", limits::REACTORS_MAX as u64),
        ("reactions", limits::REACTIONS.per_thousand_seconds / 1_000),
        ("reactions at once", limits::REACTIONS.burst),
        ("searches", limits::SEARCHES.per_thousand_seconds / 1_000),
        ("searches at once", limits::SEARCHES.burst),
        ("hits on a page", u64::from(limits::SEARCH_HITS_MAX)),
        ("hits counted", limits::SEARCH_COUNT_MAX as u64),
        ("bytes of a file, whatever the policy", limits::ATTACHMENT_BYTES_MAX.into()),
        ("files of a message", limits::ATTACHMENTS_OF_MESSAGE_MAX as u64),
        ("a file's name", limits::ATTACHMENT_NAME_MAX as u64),
        ("a thumbnail", limits::THUMBNAIL_MAX as u64),
        ("files begun and not sent, of a device", limits::UPLOADS_OF_DEVICE_MAX as u64),
        ("the same, of the facility", limits::UPLOADS_MAX as u64),
        ("time that such a file is kept", limits::UPLOAD_KEPT_MS),
        ("bytes of files announced", limits::FILE_BYTES.per_thousand_seconds / 1_000),
        ("bytes of files announced at once", limits::FILE_BYTES.burst),
        ("requests about files", limits::ATTACHING.per_thousand_seconds / 1_000),
        ("requests about files at once", limits::ATTACHING.burst),
    ];
    for (name, value) in rows {
        let row = format!("| {name} | {value} ");
        assert!(page.contains(&row), "not there: {row}");
    }
}

/// What the command prints for scripts.
#[test]
fn every_event_of_the_command_stands_there() {
    let page = page();
    let section = page.split("## 12. ").nth(1).unwrap().split("\n## ").next().unwrap();
    let here = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let (mut folders, mut found) = (vec![here.join("src/bin/wardline")], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = std::fs::read_to_string(&entry).unwrap();
            for event in text.split("\"event\": \"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(section.contains(&format!("`{event}`")), "{event} of {}", entry.display());
                found += 1;
            }
        }
    }
    assert!(found > 40, "{found}");
}

#[test]
fn every_code_stands_there() {
    let page = page();
    // Some numbers are left out.
    for code in (1..1_000).filter_map(|number| proto::RefusalCode::try_from(number).ok()) {
        let number = code as i32;
        let name = code.as_str_name().trim_start_matches("REFUSAL_CODE_");
        assert!(page.contains(&format!("| {number} | {name} |")), "{name}");
    }
    let ends = [
        (CloseCode::DONE, "DONE"),
        (CloseCode::DRAINING, "DRAINING"),
        (CloseCode::SUPERSEDED, "SUPERSEDED"),
        (CloseCode::REVOKED, "REVOKED"),
        (CloseCode::REFUSED, "REFUSED"),
        (CloseCode::FULL, "FULL"),
        (PeerFault::Malformed.code(), "malformed"),
        (PeerFault::Oversize.code(), "oversize"),
        (PeerFault::OutOfTurn.code(), "out of turn"),
        (PeerFault::ForgedSignature.code(), "forged signature"),
        (PeerFault::NumberReused.code(), "number reused"),
        (PeerFault::TooSlow.code(), "too slow"),
        (PeerFault::Flood.code(), "flood"),
    ];
    for (code, name) in ends {
        assert!(page.contains(&format!("| {code} | {name} |")), "{code} {name}");
    }
}

/// Prints the example anew: `cargo test -p wardline-client --test protocol_page -- --ignored --nocapture`.
#[test]
#[ignore = "writes the example for the page"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print_the_example() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let sign =
        |message: &[u8]| hex(pair.sign(&aws_lc_rs::rand::SystemRandom::new(), message).unwrap().as_ref());
    let challenge: [u8; 32] = std::array::from_fn(|n| n as u8);
    let exporter: [u8; 32] = std::array::from_fn(|n| 0x20 + n as u8);
    let device = DeviceId::new(0x0123_4567_89ab_cdef).unwrap();
    let key = PublicKey::parse(pair.public_key().as_ref()).unwrap();
    let code = join_code_hash("ABCDEFGHJK");
    let (sign_in, join) =
        (sign_in_message(&challenge, &exporter, device), join_message(&challenge, &exporter, &code, &key));
    let show = |name: &str, value: String| {
        let lines: Vec<&str> =
            value.as_bytes().chunks(96).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
        println!("{name:17} = {}", lines.join("\n                    "));
    };
    show("challenge", hex(&challenge));
    show("exporter", hex(&exporter));
    show("device", hex(&device.value().to_be_bytes()));
    show("device_key", hex(key.as_bytes()));
    show("sign_in", hex(&sign_in));
    show("sign_in_signature", sign(&sign_in));
    show("code_hash", hex(&code));
    show("join", hex(&join));
    show("join_signature", sign(&join));
    let hello = proto::Hello {
        version_min: 1,
        version_max: 1,
        client: "example 1.0".to_owned(),
        device: device.value(),
    };
    let body = Some(proto::client_frame::Body::Hello(hello));
    show("hello_frame", hex(&encode_frame(&proto::ClientFrame { request: 1, body })));
    let submit = proto::Submit {
        number: 42,
        message: (0..16).collect(),
        conversation: 0x77,
        text: "Bed 12: on my way".to_owned(),
        ..proto::Submit::default()
    };
    let body = Some(proto::client_frame::Body::Submit(submit));
    show("submit_frame", hex(&encode_frame(&proto::ClientFrame { request: 7, body })));
}
