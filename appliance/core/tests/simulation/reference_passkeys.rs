//! The reference's rules for passkeys: in the PIN's place until the session's end, on the device that has them.

use wardline_core::audit::Act;
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, DeviceId};
use wardline_core::refusal::PeerFault;
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::{RefusalCode as Code, client_frame::Body};

use crate::passkeys::base64url;
use crate::reference::{Answer, Expected, Reference};
use crate::reference_ward::Circumstances;

impl Reference {
    pub(crate) fn passkey_from_locked(
        &mut self,
        now: Now,
        conn: Conn,
        id: DeviceId,
        body: &Body,
        around: &Circumstances,
    ) -> Expected {
        match body {
            Body::AskPasskeyChallenge(_) => {
                if let Some(code) = self.barred(id) {
                    return Expected::refused(code);
                }
                if self.passkey_end(now, id).is_none() || self.passkeys_of(id).is_empty() {
                    return Expected::refused(Code::PinDue);
                }
                self.give_challenge(now, conn, id, around)
            }
            Body::UnlockByPasskey(unlock) => {
                if let Some(refused) = self.may_not_sign_in(now, conn, id) {
                    return refused;
                }
                let given = self.take_challenge(now, conn);
                if let Some(code) = around.passkey_refused {
                    let mut expected = Expected::refused(code);
                    if code == Code::PasskeyWrong {
                        self.record_unproven(now, id, Act::PasskeyWrong(id), &mut expected);
                    }
                    return expected;
                }
                if !answers(&unlock.client_data, given) {
                    return Expected::refused(Code::PasskeyChallengeOver);
                }
                if !self.passkeys_of(id).iter().any(|(held, _)| *held == unlock.credential) {
                    return Expected::refused(Code::NoSuchPasskey);
                }
                let Some(until) = self.passkey_end(now, id) else { return Expected::refused(Code::PinDue) };
                if let Some(device) = self.ward.device_mut(id) {
                    device.session = Some(until);
                }
                self.lobby.open.retain(|open| open.0 != id);
                let left = (until.0 - now.wall.0) as u64;
                self.lobby.open.push((id, now.mono, now.mono.after(left)));
                let mut expected = Expected::default();
                expected.audits.push((self.actor(id), Act::UnlockedByPasskey(id)));
                self.sign_in(now, conn, id, &mut expected);
                expected
            }
            _ => Expected::refused(Code::Locked),
        }
    }

    pub(crate) fn about_passkeys(
        &mut self,
        now: Now,
        conn: Conn,
        id: DeviceId,
        body: &Body,
        around: &Circumstances,
    ) -> Expected {
        let Some(person) = self.ward.device(id).map(|device| device.person) else {
            return Expected::default();
        };
        let act = match body {
            Body::AskPasskeyChallenge(_) => return self.give_challenge(now, conn, id, around),
            Body::UnlockByPasskey(_) => return self.fault(now, conn, PeerFault::OutOfTurn),
            Body::AddPasskey(add) => {
                let given = self.take_challenge(now, conn);
                if let Some(code) = around.passkey_refused {
                    return Expected::refused(code);
                }
                if !answers(&add.client_data, given) {
                    return Expected::refused(Code::PasskeyChallengeOver);
                }
                if self.lobby.disk_scarce {
                    return Expected::refused(Code::DiskLow);
                }
                let made = &add.authenticator_data[55..];
                let (credential, key) = (made[..16].to_vec(), &made[16..]);
                let key = [&[4], &key[10..42], &key[45..77]].concat();
                let key = PublicKey::parse(&key).expect("a key of a client here");
                let others = self.passkeys_of(id).iter().filter(|(held, _)| *held != credential).count();
                if others >= 4 {
                    return Expected::refused(Code::Limit);
                }
                if let Some(device) = self.ward.device_mut(id) {
                    device.passkeys.retain(|(held, _)| *held != credential);
                    device.passkeys.push((credential, key));
                }
                Some(Act::PasskeyAdded(person, id))
            }
            Body::RemovePasskey(remove) => {
                let before = self.passkeys_of(id).len();
                if let Some(device) = self.ward.device_mut(id) {
                    device.passkeys.retain(|(held, _)| *held != remove.credential);
                }
                if self.passkeys_of(id).len() == before {
                    return Expected::refused(Code::NoSuchPasskey);
                }
                Some(Act::PasskeyRemoved(person, id))
            }
            _ => None,
        };
        let mut expected = Expected::answered(Answer::Passkeys(self.passkeys_of(id).len()));
        expected.audits.extend(act.map(|act| (self.actor(id), act)));
        expected
    }

    fn passkeys_of(&self, id: DeviceId) -> &[(Vec<u8>, PublicKey)] {
        self.ward.device(id).map_or(&[], |device| &device.passkeys)
    }

    /// The end that the PIN set, if it is ahead, and not further than one can be.
    fn passkey_end(&self, now: Now, id: DeviceId) -> Option<Wall> {
        let until = self.ward.device(id)?.passkey_until?;
        (now.wall < until && until <= now.wall.after(self.policy.session_ms)).then_some(until)
    }

    fn give_challenge(&mut self, now: Now, conn: Conn, id: DeviceId, around: &Circumstances) -> Expected {
        let held = self.passkeys_of(id).len();
        if let Some(link) = self.link_mut(conn) {
            link.challenge = around.chosen.challenge.map(|challenge| (challenge, now.mono.after(120_000)));
        }
        Expected::answered(Answer::PasskeyChallenge(held))
    }

    fn take_challenge(&mut self, now: Now, conn: Conn) -> Option<[u8; 32]> {
        let (challenge, until) = self.link_mut(conn)?.challenge.take()?;
        (now.mono < until).then_some(challenge)
    }
}

/// Whether this is about the challenge that was given.
fn answers(client_data: &[u8], given: Option<[u8; 32]>) -> bool {
    let said = String::from_utf8_lossy(client_data);
    given.is_some_and(|challenge| said.contains(&base64url(&challenge)))
}
