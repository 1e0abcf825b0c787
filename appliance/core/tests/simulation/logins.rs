//! Profiles that are copied: who holds a copy, when they use it, and whether the box notices.

use wardline_core::audit::Act;
use wardline_core::directory::PublicKey;
use wardline_core::ids::{Conn, DeviceId, PersonId};
use wardline_core::login::Login;
use wardline_core::session;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Said};
use crate::toys;
use crate::world::{Arrival, Stranger, World};

/// Everything that lay in a client's profile, and the PIN.
pub(crate) struct Copied {
    pub(crate) device: DeviceId,
    key: PublicKey,
    pin: String,
    secret: Vec<u8>,
    /// It has been let in, or up to the PIN.
    used: bool,
}

impl World {
    /// Somebody copies a profile, or uses the copy.
    pub(crate) fn copies_a_profile(&mut self) {
        let client = self.random.index(self.clients.len());
        let client = &self.clients[client];
        if let Some(device) = client.device.filter(|_| !client.secret.is_empty())
            && self.copies.len() < 2
        {
            let (key, pin, secret) = (client.key, client.pin.clone(), client.secret.clone());
            self.copies.push(Copied { device, key, pin, secret, used: false });
        } else if !self.copies.is_empty() {
            let copy = self.random.index(self.copies.len());
            self.stranger(Stranger::Copy(copy));
        }
    }

    pub(crate) fn copy_proves(&mut self, conn: Conn, copy: usize, challenge: &[u8; 32]) {
        let Copied { device, key, secret, .. } = &self.copies[copy];
        let message = session::sign_in_message(challenge, &toys::exporter(conn.0), *device);
        let prove = proto::Prove {
            device: device.value(),
            signature: toys::sign(key, &message).to_vec(),
            rotates: true,
            login_secret: secret.clone(),
        };
        self.stranger_says(conn, Ask::Prove(prove));
    }

    /// A copy knows the PIN, keeps what it is given, and looks around.
    pub(crate) fn copy_answered(&mut self, conn: Conn, copy: usize, body: &Body) {
        match body {
            Body::PinNeeded(_) => {
                let pin = self.copies[copy].pin.clone();
                self.stranger_says(conn, Ask::Unlock(proto::Unlock { pin }));
            }
            Body::SignedIn(signed_in) => {
                self.copies[copy].secret.clone_from(&signed_in.login_secret);
                self.coverage.reach(Situation::SecondHolderSignedIn);
                if self.random.permille(800) {
                    self.stranger_says(conn, Ask::Active(proto::Active {}));
                }
                self.waiting.push_back((conn, Arrival::Closed));
            }
            _ => {}
        }
    }

    /// What somebody presents, before the reference has said what becomes of it.
    pub(crate) fn cover_presented(&mut self, device: DeviceId, login: &Login) {
        let secrets = self.reference.ward.device(device).map(|device| device.secrets);
        let situation = match secrets {
            Some(None) if login.presented.rotates => Situation::LoginSecretAskedForLater,
            Some(Some((None, Some(_)))) if login.presented.secret.is_none() => {
                Situation::LoginSecretBeforeAnyUse
            }
            Some(Some((Some(current), Some(_)))) if login.presented.secret == Some(current) => {
                Situation::LoginSecretAnswerLost
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// And afterwards: an honest client alone is never taken for two.
    pub(crate) fn verify_login(
        &mut self,
        conn: Conn,
        device: DeviceId,
        expected: &Expected,
        turn: &Turn,
    ) -> Result<(), String> {
        let stranger = self.doors.get(&conn).and_then(|door| door.stranger.clone());
        let by_copy = matches!(stranger, Some(Stranger::Copy(_)));
        // From here on, whatever becomes of the answer.
        match (stranger, expected.answer) {
            (Some(Stranger::Copy(copy)), Some(Answer::SignedIn | Answer::PinNeeded(_))) => {
                self.copies[copy].used = true;
            }
            // Its session was open: no PIN was asked for.
            (Some(Stranger::Twin(_)), Some(Answer::SignedIn)) => self.twins.push(device),
            _ => {}
        }
        match expected.answer {
            Some(Answer::Refused(Said(Code::Unavailable))) => {
                self.coverage.reach(Situation::OlderHelloTurnedAway);
            }
            Some(Answer::Refused(Said(Code::DeviceCopied))) => {
                let used = |copy: &Copied| copy.device == device && (copy.used || by_copy);
                if !self.copies.iter().any(used) && !self.twins.contains(&device) {
                    return Err(format!("{device} was revoked, and nobody held a copy"));
                }
                self.coverage.reach(if by_copy {
                    Situation::SecondHolderRevoked
                } else {
                    Situation::FirstHolderRevoked
                });
            }
            _ => {}
        }
        self.verify_told_of_copy(expected, turn)
    }

    fn verify_told_of_copy(&mut self, expected: &Expected, turn: &Turn) -> Result<(), String> {
        let copied = expected.audits.iter().find_map(|(_, act)| match act {
            Act::DeviceCopied(person, device) => Some((*person, *device)),
            _ => None,
        });
        let mut wanted: Vec<(Conn, Option<PersonId>, u64)> = Vec::new();
        if let Some((person, device)) = copied {
            let hear = self.reference.hear_of_copy(person).into_iter();
            wanted.extend(hear.map(|conn| (conn, Some(person), device.value())));
        }
        let told = turn.sends.iter().filter_map(|send| match send {
            Send::Reply { conn, body: Body::DeviceCopied(told), .. } => {
                let device = told.device.as_ref().map_or(0, |device| device.device);
                Some((*conn, PersonId::new(told.person), device))
            }
            _ => None,
        });
        let mut found: Vec<_> = told.collect();
        found.sort_unstable();
        wanted.sort_unstable();
        if found != wanted {
            return Err(format!("{found:?} hear of a copy, not {wanted:?}"));
        }
        if !found.is_empty() {
            self.coverage.reach(Situation::OthersHearOfCopy);
        }
        Ok(())
    }
}
