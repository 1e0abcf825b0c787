use super::client_data::ClientData;
use super::*;

/// What Chromium's virtual authenticator made and signed; see `docs/protocol/README.md`.
const VECTORS: &str = include_str!("../../vectors/passkey.txt");

struct Vectors;

impl Vectors {
    fn text(&self, name: &str) -> &'static str {
        let mut lines = VECTORS.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(of, _)| *of == name).expect("a vector").1
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        let hex = self.text(path);
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    fn challenge(&self, path: &str) -> [u8; 32] {
        self.bytes(path).try_into().expect("32 bytes")
    }

    fn origin(&self) -> &'static str {
        self.text("origin")
    }

    fn made(&self) -> Made {
        let client_data = self.text("create.client_data").as_bytes().to_vec();
        Made { client_data, authenticator_data: self.bytes("create.authenticator_data") }
    }

    fn new_key(&self) -> NewPasskey {
        let expect = ExpectPasskey::new(self.challenge("create.challenge"), &[]);
        expect.verify_new(self.origin(), &self.made()).expect("a passkey")
    }

    fn expect(&self) -> ExpectPasskey {
        let NewPasskey { credential, key, .. } = self.new_key();
        let passkey = Passkey { credential, key, added: Wall(1) };
        ExpectPasskey::new(self.challenge("get.challenge"), &[passkey])
    }

    fn assertion(&self) -> Assertion {
        let proto = proto::UnlockByPasskey {
            credential: self.bytes("credential"),
            client_data: self.text("get.client_data").as_bytes().to_vec(),
            authenticator_data: self.bytes("get.authenticator_data"),
            signature: self.bytes("get.signature"),
        };
        Assertion::parse(proto).expect("an assertion")
    }
}

/// Says what it was asked, and yes.
struct Yes;

impl Verifier for Yes {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// As the relay's, that no signature convinces.
struct No;

impl Verifier for No {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        false
    }
}

#[test]
fn what_a_browser_made_is_taken() {
    let vectors = Vectors;
    let new = vectors.new_key();
    assert_eq!(new.credential.as_bytes(), vectors.bytes("credential"));
    assert_eq!(new.challenge, vectors.challenge("create.challenge"));
    let data = vectors.bytes("create.authenticator_data");
    assert_eq!(new.key.as_bytes()[1..33], data[data.len() - 67..data.len() - 35]);
    assert_eq!(new.key.as_bytes()[33..], data[data.len() - 32..]);
}

#[test]
fn what_a_browser_signed_is_taken() {
    let vectors = Vectors;
    let proven = vectors.expect().verify(&Yes, vectors.origin(), &vectors.assertion()).expect("proven");
    assert_eq!(proven.credential.as_bytes(), vectors.bytes("credential"));
    let refused = vectors.expect().verify(&No, vectors.origin(), &vectors.assertion());
    assert_eq!(refused.err(), Some(Refusal::PasskeyWrong));
}

#[test]
fn each_thing_that_an_assertion_is_bound_to_counts() {
    let vectors = Vectors;
    let refused = |change: &dyn Fn(&mut Assertion), origin: &str| {
        let mut assertion = vectors.assertion();
        change(&mut assertion);
        vectors.expect().verify(&Yes, origin, &assertion).err()
    };
    let here = vectors.origin();
    let wrong = Some(Refusal::PasskeyWrong);
    assert_eq!(refused(&|_| {}, here), None);
    // Of another origin; of another port of the same host, whose RP is the same.
    assert_eq!(refused(&|_| {}, "https://evil.example:8443"), wrong);
    assert_eq!(refused(&|_| {}, "https://box.example"), wrong);
    assert_eq!(refused(&|_| {}, "http://box.example:8443"), wrong);
    let data = |from: &'static str, to: &'static str| {
        move |assertion: &mut Assertion| {
            let said = String::from_utf8(assertion.client_data.clone()).expect("text");
            assert!(said.contains(from));
            assertion.client_data = said.replace(from, to).into_bytes();
        }
    };
    assert_eq!(refused(&data("webauthn.get", "webauthn.create"), here), wrong);
    assert_eq!(refused(&data("__79", "__78"), here), wrong);
    assert_eq!(refused(&data("\"crossOrigin\":false", "\"crossOrigin\":true"), here), wrong);
    assert_eq!(refused(&data("https://box", "https://fox"), here), wrong);
    // The RP's hash, no user there, a user who was not verified.
    assert_eq!(refused(&|assertion| assertion.authenticator_data[0] ^= 1, here), wrong);
    assert_eq!(refused(&|assertion| assertion.authenticator_data[32] = 0x04, here), wrong);
    assert_eq!(refused(&|assertion| assertion.authenticator_data[32] = 0x01, here), wrong);
    assert_eq!(refused(&|assertion| assertion.authenticator_data.push(0), here), wrong);
    assert_eq!(refused(&|assertion| assertion.signature.push(0), here), wrong);
    let other = |assertion: &mut Assertion| assertion.credential.0[0] ^= 1;
    assert_eq!(refused(&other, here), Some(Refusal::NoSuchPasskey));
}

#[test]
fn each_thing_that_a_new_passkey_is_bound_to_counts() {
    let vectors = Vectors;
    let refused = |change: &dyn Fn(&mut Made), origin: &str| {
        let mut made = vectors.made();
        change(&mut made);
        ExpectPasskey::new(vectors.challenge("create.challenge"), &[]).verify_new(origin, &made).err()
    };
    let here = vectors.origin();
    assert_eq!(refused(&|_| {}, here), None);
    assert_eq!(refused(&|_| {}, "https://box.example"), Some(Refusal::PasskeyWrong));
    assert_eq!(refused(&|made| made.authenticator_data[32] = 0x41, here), Some(Refusal::PasskeyWrong));
    // RS256, another curve, no key at all, something behind it.
    let unsupported = Some(Refusal::PasskeyUnsupported);
    let cose = 55 + 32;
    assert_eq!(refused(&|made| made.authenticator_data[cose + 4] = 0x27, here), unsupported);
    assert_eq!(refused(&|made| made.authenticator_data[cose + 6] = 2, here), unsupported);
    assert_eq!(refused(&|made| made.authenticator_data.truncate(cose), here), unsupported);
    assert_eq!(refused(&|made| made.authenticator_data.push(0xa0), here), unsupported);
    let none_made = |made: &mut Made| {
        made.authenticator_data.truncate(37);
        made.authenticator_data[32] = 0x05;
    };
    assert_eq!(refused(&none_made, here), unsupported);
    // Extensions that nobody asked for are passed over.
    let extended = |made: &mut Made| {
        made.authenticator_data[32] |= 0x80;
        made.authenticator_data.extend([0xa1, 0x6b]);
    };
    assert_eq!(refused(&extended, here), None);
}

/// As other browsers write it: in another order, without `crossOrigin`, with slashes escaped, with what Level 1 had.
#[test]
fn other_serialisations_are_read() {
    let challenge = Vectors.challenge("get.challenge");
    let says = |json: &str| {
        ClientData::read(json.as_bytes())
            .map(|data| data.says("webauthn.get", &challenge, "https://box.example"))
    };
    let digits = "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA";
    let members = [
        format!(r#""challenge":"{digits}""#),
        r#""origin":"https:\/\/box.example""#.to_owned(),
        r#""type":"webauthn.get""#.to_owned(),
    ];
    assert_eq!(says(&format!("{{{}}}", members.join(","))), Some(true));
    let more = r#""tokenBinding":{"status":"supported","x":[1,-2.5e3,null,true,{}]},"later":"ö \u00e9 \" x""#;
    assert_eq!(says(&format!(" {{ {} , {more} }}\n", members.join(" , "))), Some(true));
    // A member twice, in whatever form; a member missing; broken JSON.
    assert_eq!(says(&format!("{{{},{}}}", members.join(","), members[2])), None);
    assert_eq!(says(&format!(r#"{{{},"t\u0079pe":"x"}}"#, members.join(","))), None);
    assert_eq!(says(&format!("{{{}}}", members[..2].join(","))), Some(false));
    for broken in [
        "",
        "{",
        "[]",
        "{}x",
        r#"{"type":"a\"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"type":1}"#,
        "{\"a\":\"\n\"}",
    ] {
        assert_eq!(says(broken), None, "{broken}");
    }
    assert_eq!(says("{}"), Some(false));
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(400), "]".repeat(400));
    assert_eq!(says(&deep), None);
}

#[test]
fn a_signature_has_one_form() {
    let vectors = Vectors;
    let der = vectors.bytes("get.signature");
    let signature = ecdsa_signature(&der).expect("a signature");
    assert_eq!(signature[..32], der[5..37]);
    assert_eq!(signature[32..], der[40..]);
    assert_eq!(
        ecdsa_signature(&[0x30, 6, 2, 1, 1, 2, 1, 0x7f]).map(|one| (one[31], one[63])),
        Some((1, 0x7f))
    );
    let too_long = [&[0x30, 39, 2, 34, 0, 0x80], [1; 32].as_slice(), &[2, 1, 1]].concat();
    for none in [
        &[][..],
        &[0x30, 0],
        &[0x31, 6, 2, 1, 1, 2, 1, 1],
        &[0x30, 7, 2, 1, 1, 2, 1, 1],
        &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
        &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
        // Zero, negative, padded, of another type.
        &[0x30, 6, 2, 1, 0, 2, 1, 1],
        &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
        &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
        &[0x30, 6, 3, 1, 1, 2, 1, 1],
        &[0x30, 5, 2, 0, 2, 1, 1],
        &too_long,
    ] {
        assert_eq!(ecdsa_signature(none), None, "{none:?}");
    }
}

#[test]
fn every_field_has_a_bound() {
    let assertion = |length: usize, of: usize| {
        let long = |at: usize, most: usize| vec![1; if of == at { length } else { most.min(8) }];
        let proto = proto::UnlockByPasskey {
            credential: long(0, limits::CREDENTIAL_MAX),
            client_data: long(1, limits::CLIENT_DATA_MAX),
            authenticator_data: long(2, limits::AUTHENTICATOR_DATA_MAX),
            signature: long(3, limits::PASSKEY_SIGNATURE_MAX),
        };
        Assertion::parse(proto).is_ok()
    };
    let most = [
        limits::CREDENTIAL_MAX,
        limits::CLIENT_DATA_MAX,
        limits::AUTHENTICATOR_DATA_MAX,
        limits::PASSKEY_SIGNATURE_MAX,
    ];
    for (of, most) in most.into_iter().enumerate() {
        assert!(assertion(most, of) && !assertion(most + 1, of) && !assertion(0, of), "{of}");
    }
}

#[test]
fn base64url_is_that_of_the_rfc() {
    let encoded =
        ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| parts::base64url(text.as_bytes()));
    assert_eq!(encoded, ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]);
}
