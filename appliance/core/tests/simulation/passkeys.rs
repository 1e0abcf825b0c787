//! Passkeys: who adds one, and unlocks by it instead of a PIN.

use sha2::{Digest, Sha256};
use wardline_core::directory::PublicKey;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::client::{Client, Phase};
use crate::coverage::Situation;
use crate::reference::{Answer, Device, Expected, Said};
use crate::toys;
use crate::world::World;

/// Of the page that every client here is.
pub(crate) const ORIGIN: &str = "https://ward.example";

/// What an authenticator of one client has, and what it is at.
#[derive(Default)]
pub(crate) struct Passkeys {
    /// Those that it ever made, the newest last.
    made: Vec<(Vec<u8>, PublicKey)>,
    /// The box says that one would do.
    would_do: bool,
    /// A challenge was asked for to unlock.
    unlocking: bool,
    /// The last challenge that came.
    challenge: Option<proto::PasskeyChallenge>,
}

impl Passkeys {
    /// Locked, or gone.
    pub(crate) fn waits(&mut self, would_do: bool) {
        (self.would_do, self.unlocking, self.challenge) = (would_do, false, None);
    }
}

impl World {
    /// On a locked phone, in the PIN's place; sometimes though the box has said that it would not do.
    pub(crate) fn uses_passkey(&mut self, index: usize) -> bool {
        let passkeys = &self.clients[index].passkeys;
        let chance = match (passkeys.made.is_empty(), passkeys.would_do) {
            (false, true) => 600,
            (false, false) => 60,
            (true, _) => 0,
        };
        if !self.random.permille(chance) {
            return false;
        }
        let client = &mut self.clients[index];
        client.ask(Ask::AskPasskeyChallenge(proto::AskPasskeyChallenge {}));
        (client.passkeys.unlocking, client.phase) = (true, Phase::PinSent);
        true
    }

    pub(crate) fn about_passkeys(&mut self, index: usize) {
        let many = self.clients[index].passkeys.made.len() > 1;
        let removes = many && self.random.permille(500);
        let client = &mut self.clients[index];
        match client.passkeys.made.first().cloned().filter(|_| removes) {
            Some((credential, _)) => client.ask(Ask::RemovePasskey(proto::RemovePasskey { credential })),
            None => client.ask(Ask::AskPasskeyChallenge(proto::AskPasskeyChallenge {})),
        }
    }

    pub(crate) fn cover_passkeys(&mut self, body: &Ask, expected: &Expected) {
        let situation = match (body, expected.answer) {
            (Ask::AddPasskey(_), Some(Answer::Passkeys(_))) => Situation::PasskeyAdded,
            (Ask::RemovePasskey(_), Some(Answer::Passkeys(_))) => Situation::PasskeyRemoved,
            (Ask::UnlockByPasskey(_), Some(Answer::SignedIn)) => Situation::UnlockedByPasskey,
            (_, Some(Answer::Refused(Said(Code::PasskeyWrong)))) => Situation::PasskeyWrong,
            (_, Some(Answer::Refused(Said(Code::PasskeyChallengeOver)))) => Situation::PasskeyChallengeOver,
            (_, Some(Answer::Refused(Said(Code::PinDue)))) => Situation::PasskeyAfterTheSession,
            (Ask::UnlockByPasskey(_), Some(Answer::Refused(Said(Code::NoSuchPasskey)))) => {
                Situation::PasskeyRemovedMeanwhile
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// Whether the core has the same ones, until the same end.
    pub(crate) fn keeps_passkeys_of(&self, device: &Device) -> bool {
        self.relay.state().devices.get(&device.id).is_some_and(|kept| {
            let held = kept.passkeys.iter().map(|held| (held.credential.as_bytes().to_vec(), held.key));
            kept.passkey_until == device.passkey_until && held.eq(device.passkeys.iter().cloned())
        })
    }
}

impl Client {
    /// A challenge came: it is signed, or another passkey is made.
    pub(crate) fn passkey_asked(&mut self, told: &proto::PasskeyChallenge) {
        if self.passkeys.unlocking {
            self.passkeys.challenge = Some(told.clone());
            // A clumsy finger, now and then.
            let wrong = self.asks().is_multiple_of(5);
            self.sign_with_passkey(told, wrong);
        } else if self.is_in() {
            let key = toys::following(self.passkeys.made.last().map_or(&self.key, |(_, key)| key));
            let credential = key.as_bytes()[1..17].to_vec();
            let client_data = client_data("webauthn.create", &told.challenge);
            let authenticator_data = authenticator_data(Some((&credential, &key)));
            self.passkeys.made.push((credential, key));
            self.ask(Ask::AddPasskey(proto::AddPasskey { client_data, authenticator_data }));
        }
    }

    fn sign_with_passkey(&mut self, told: &proto::PasskeyChallenge, wrong: bool) {
        let Some((credential, key)) = self.passkeys.made.last().cloned() else { return };
        let client_data = client_data("webauthn.get", &told.challenge);
        let authenticator_data = authenticator_data(None);
        let hash: [u8; 32] = Sha256::digest(&client_data).into();
        let signer = if wrong { toys::following(&key) } else { key };
        let signature = toys::sign(&signer, &[authenticator_data.as_slice(), &hash].concat());
        let signature = der(&signature);
        self.ask(Ask::UnlockByPasskey(proto::UnlockByPasskey {
            credential,
            client_data,
            authenticator_data,
            signature,
        }));
    }

    /// The same challenge once more, sometimes; else the PIN.
    pub(crate) fn passkey_refused(&mut self, code: Code) {
        match self.passkeys.challenge.take() {
            Some(told) if code == Code::PasskeyWrong && self.passkeys.unlocking => {
                self.sign_with_passkey(&told, false);
            }
            _ if self.passkeys.unlocking && self.phase == Phase::PinSent => {
                self.passkeys.unlocking = false;
                self.phase = Phase::PinDue;
            }
            _ => {}
        }
    }
}

fn client_data(kind: &str, challenge: &[u8]) -> Vec<u8> {
    let challenge = base64url(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}"#)
        .into_bytes()
}

/// Bit by bit.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let digits =
        bits.chunks(6).map(|six| (0..6).fold(0, |sum, at| sum << 1 | six.get(at).copied().unwrap_or(0)));
    let letter = |digit: u8| match digit {
        0..26 => b'A' + digit,
        26..52 => b'a' + digit - 26,
        52..62 => b'0' + digit - 52,
        62 => b'-',
        _ => b'_',
    };
    digits.map(|digit| char::from(letter(digit))).collect()
}

fn authenticator_data(made: Option<(&[u8], &PublicKey)>) -> Vec<u8> {
    let mut data = Sha256::digest("ward.example").to_vec();
    data.push(if made.is_some() { 0x45 } else { 0x05 });
    data.extend([0; 4]);
    if let Some((credential, key)) = made {
        data.extend([0; 16]);
        data.extend((credential.len() as u16).to_be_bytes());
        data.extend(credential);
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20]);
        data.extend(&key.as_bytes()[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&key.as_bytes()[33..]);
    }
    data
}

fn der(signature: &[u8; 64]) -> Vec<u8> {
    let mut numbers = Vec::new();
    for number in signature.chunks(32) {
        let digits = number.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &number[at..]);
        let pad = digits.first().is_none_or(|first| *first >= 0x80);
        numbers.extend([2, (digits.len() + usize::from(pad)) as u8]);
        numbers.extend(pad.then_some(0));
        numbers.extend(digits);
    }
    [&[0x30, numbers.len() as u8], numbers.as_slice()].concat()
}
