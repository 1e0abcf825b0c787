//! A device's passkeys: added, listed and removed in an open session, and used to open the next one.
//!
//! ```text
//!  PIN right -------------> 12 hours begin: passkey_until
//!   open --idle, by hand--> locked --passkey--> open, until the same end
//!     \--12 hours over, suspended, revoked--> only a PIN opens, and begins the next 12
//! ```

use super::{CredentialId, ExpectPasskey, Given, NewPasskey, Passkey, PasskeyAsk, ProvenPasskey};
use crate::access::{self, Operation};
use crate::audit::{Act, Actor};
use crate::directory::Device;
use crate::draft::{Draft, actor};
use crate::ids::{Conn, DeviceId, RequestId};
use crate::input::Fresh;
use crate::limits;
use crate::refusal::{PeerFault, Refusal};
use crate::relay::{Relay, Room, refused};
use crate::session::{PasskeyProof, Ready, Session};
use crate::time::{Now, Wall};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Whether a passkey opens this device's session now.
pub(crate) fn would_do(device: &Device, now: Wall, session_ms: u64) -> bool {
    !device.passkeys.is_empty() && !device.is_locked_out() && rest(device, now, session_ms).is_some()
}

/// Until when a passkey would open it. As with an open session, a clock that stepped back ends it.
fn rest(device: &Device, now: Wall, session_ms: u64) -> Option<Wall> {
    device.passkey_until.filter(|until| now < *until && *until <= now.after(session_ms))
}

impl PasskeyProof {
    /// With the end of the session that it opens: the one that a PIN set.
    pub(crate) fn check(
        device: &Device,
        proven: &ProvenPasskey,
        now: Wall,
        session_ms: u64,
    ) -> Result<(Self, Wall), Refusal> {
        // It may have been removed since the challenge was asked for.
        let is_held = |held: &Passkey| held.credential == proven.credential && held.key == proven.key;
        if !device.passkeys.iter().any(is_held) {
            return Err(Refusal::NoSuchPasskey);
        }
        Ok((Self::good(), rest(device, now, session_ms).ok_or(Refusal::PinDue)?))
    }
}

impl Relay {
    /// What a locked device is told.
    pub(crate) fn passkey_would_do(&self, now: Now, id: DeviceId) -> bool {
        let session_ms = self.policy.session_ms;
        self.state.devices.get(&id).is_some_and(|device| would_do(device, now.wall, session_ms))
    }

    /// Of a session that is locked.
    pub(crate) fn passkey_from_locked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        id: DeviceId,
        ask: PasskeyAsk,
    ) -> Result<(), Refusal> {
        match ask {
            PasskeyAsk::Challenge { fresh } => {
                let device = self.admissible(id)?;
                if !would_do(device, now.wall, self.policy.session_ms) {
                    return Err(Refusal::PinDue);
                }
                self.give_challenge(now, turn, (conn, request), id, &fresh);
                Ok(())
            }
            PasskeyAsk::Unlock(outcome) => {
                self.unlock_by_passkey(now, turn, (conn, request), id, outcome);
                Ok(())
            }
            PasskeyAsk::Add(_) | PasskeyAsk::Remove { .. } | PasskeyAsk::List => Err(Refusal::Locked),
        }
    }

    /// Of a session that is open.
    pub(crate) fn passkeys(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        who: &Ready,
        ask: PasskeyAsk,
    ) -> Result<(), Refusal> {
        access::permit(Operation::KeepPasskeys, access::STAFF, actor(who))?;
        let id = who.device();
        match ask {
            PasskeyAsk::Challenge { fresh } => {
                self.give_challenge(now, turn, (conn, request), id, &fresh);
                return Ok(());
            }
            // As with a PIN that nobody asked for.
            PasskeyAsk::Unlock(_) => {
                self.fault(now, turn, conn, PeerFault::OutOfTurn);
                return Ok(());
            }
            PasskeyAsk::Add(outcome) => {
                let given = self.take_challenge(now, conn);
                let new = outcome?;
                if given != Some(new.challenge) {
                    return Err(Refusal::PasskeyChallengeOver);
                }
                add(&mut self.draft(now, turn), who, new)?;
            }
            PasskeyAsk::Remove { credential } => remove(&mut self.draft(now, turn), who, &credential)?,
            PasskeyAsk::List => {}
        }
        let held = self.state.devices.get(&id).map_or(&[][..], |device| &device.passkeys);
        let body = Body::PasskeyList(proto::PasskeyList { passkeys: held.iter().map(to_wire).collect() });
        turn.sends.push(Send::Reply { conn, request, body });
        Ok(())
    }

    fn give_challenge(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        id: DeviceId,
        fresh: &Fresh,
    ) {
        let (Some(device), Some(link)) = (self.state.devices.get(&id), self.links.get_mut(&conn)) else {
            return;
        };
        let challenge = fresh.seed;
        link.passkey = Some(Given { challenge, until: now.mono.after(limits::PASSKEY_CHALLENGE_MS) });
        let credentials = device.passkeys.iter().map(|held| held.credential.as_bytes().to_vec()).collect();
        turn.sends.push(Send::PasskeyChallenge {
            conn,
            request,
            expect: ExpectPasskey::new(challenge, &device.passkeys),
            told: proto::PasskeyChallenge { challenge: challenge.to_vec(), credentials },
        });
    }

    /// What was given out here last, if it is good: once.
    fn take_challenge(&mut self, now: Now, conn: Conn) -> Option<[u8; 32]> {
        let given = self.links.get_mut(&conn)?.passkey.take()?;
        (now.mono < given.until).then_some(given.challenge)
    }

    /// A try counts as a sign-in does, right or wrong. A wrong one is on record and locks nothing: what it is tried with is a key of
    /// 256 bits, that no number of tries finds.
    fn unlock_by_passkey(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        id: DeviceId,
        outcome: Result<ProvenPasskey, Refusal>,
    ) {
        if let Err(refusal) = self.may_sign_in(now, turn, id) {
            return self.turn_away(turn, conn, request, refusal);
        }
        let given = self.take_challenge(now, conn);
        let outcome = outcome.and_then(|proven| {
            if given != Some(proven.challenge) {
                return Err(Refusal::PasskeyChallengeOver);
            }
            let device = self.in_good_standing(id)?;
            PasskeyProof::check(device, &proven, now.wall, self.policy.session_ms)
        });
        let (right, until) = match outcome {
            Ok(right) => right,
            Err(refusal) => {
                if refusal == Refusal::PasskeyWrong {
                    self.record_unproven(now, turn, id, Act::PasskeyWrong(id));
                }
                return turn.sends.push(refused(conn, request, refusal));
            }
        };
        let Some(link) = self.links.get_mut(&conn) else { return };
        let who = match std::mem::replace(&mut link.session, Session::Closing) {
            Session::ExpectPin(who) => who.unlock_by_passkey(right),
            other => {
                link.session = other;
                return;
            }
        };
        let mut draft = self.draft(now, turn);
        draft.write(Write::SessionOpened { device: id, until });
        draft.record(actor(&who), Act::UnlockedByPasskey(id));
        let rest_ms = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
        self.follow(now, id, rest_ms);
        self.sign_in(now, turn, conn, request, who);
    }
}

fn add(draft: &mut Draft<'_>, who: &Ready, new: NewPasskey) -> Result<(), Refusal> {
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let device = draft.state.devices.get(&who.device()).ok_or(Refusal::DeviceUnknown)?;
    let mut passkeys = device.passkeys.clone();
    // An authenticator that makes one under the same identifier has put the older one away.
    passkeys.retain(|held| held.credential != new.credential);
    if passkeys.len() >= limits::PASSKEYS_PER_DEVICE_MAX {
        return Err(Refusal::Limit);
    }
    passkeys.push(Passkey { credential: new.credential, key: new.key, added: draft.now.wall });
    set(draft, who, passkeys, Act::PasskeyAdded(who.person(), who.device()));
    Ok(())
}

fn remove(draft: &mut Draft<'_>, who: &Ready, credential: &CredentialId) -> Result<(), Refusal> {
    let device = draft.state.devices.get(&who.device()).ok_or(Refusal::DeviceUnknown)?;
    let mut passkeys = device.passkeys.clone();
    passkeys.retain(|held| held.credential != *credential);
    if passkeys.len() == device.passkeys.len() {
        return Err(Refusal::NoSuchPasskey);
    }
    set(draft, who, passkeys, Act::PasskeyRemoved(who.person(), who.device()));
    Ok(())
}

fn set(draft: &mut Draft<'_>, who: &Ready, passkeys: Vec<Passkey>, act: Act) {
    draft.write(Write::PasskeysSet { device: who.device(), passkeys });
    let by = Actor::Person { person: who.person(), device: who.device() };
    draft.record(by, act);
}

fn to_wire(passkey: &Passkey) -> proto::Passkey {
    proto::Passkey { credential: passkey.credential.as_bytes().to_vec(), added: passkey.added.0 }
}
