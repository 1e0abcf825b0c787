//! A session's states, one type each, and the proofs that move it on.
//!
//! ```text
//! ExpectHello -> ExpectProof -> ExpectPin -> PinUnderCheck -> Ready -> ExpectPin (locked) -> …
//!                     |  \______________ session still open __^
//!                     \-> JoinUnderCheck ------------------^
//!                      \-> VisitUnderCheck -> over: somebody of the team answers
//!                      \-> NewPinUnderCheck --> Ready, of a device that was locked
//! ExpectPin --passkey of the device, within 12 hours of a PIN--> Ready
//! ```
//!
//! [`Ready`] can be had from [`Identified`] alone, `Identified` from [`ProvenDevice`] or [`ProvenJoin`] alone, and those
//! from a signature that verified: what needs a signed-in person takes a `&Ready` and cannot be called too early.

use crate::composing::GoodLease;
use crate::directory::{Device, PublicKey};
use crate::ids::{DeviceId, PersonId, RequestId, UnitId};
use crate::input::Fresh;
use crate::pin::PinMac;
use crate::refusal::PeerFault;
use crate::text::{Name, Title};
use crate::time::Wall;

/// How P-256 signatures are checked. The relay's is aws-lc; the simulation's is a toy.
pub trait Verifier {
    /// Whether the 64 bytes r || s are the key's ECDSA-SHA-256 signature of the message (FIPS 186-5, 6.4).
    fn p256(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool;
}

/// What the doorway holds a coming proof against. Used up by the first attempt.
#[derive(Debug)]
pub struct Expect {
    challenge: [u8; 32],
    device: Option<(DeviceId, PublicKey)>,
}

/// A device whose signature over this connection's challenge verified.
#[derive(Debug)]
pub struct ProvenDevice {
    device: DeviceId,
    key: PublicKey,
}

/// A new device's key whose signature over this connection's challenge and the code verified. Says nothing of the
/// code itself.
#[derive(Debug)]
pub struct ProvenJoin {
    pub(crate) code: [u8; 32],
    pub(crate) key: PublicKey,
    pub(crate) name: Name,
}

/// A key whose signature over this connection's challenge and a bedside code verified, and who holds it by their own words. Says
/// nothing of the code itself.
#[derive(Debug)]
pub struct ProvenVisit {
    pub(crate) code: [u8; 32],
    pub(crate) key: PublicKey,
    pub(crate) device_name: Name,
    pub(crate) name: Name,
    pub(crate) relation: Title,
}

/// The message a signing-in device signs: context || challenge || TLS exporter (RFC 9266 style, label
/// "EXPORTER-wardline-1") || device.
pub fn sign_in_message(challenge: &[u8; 32], exporter: &[u8; 32], device: DeviceId) -> Vec<u8> {
    [b"wardline/1 sign-in\0".as_slice(), challenge, exporter, &device.value().to_be_bytes()].concat()
}

/// The message a joining device signs: context || challenge || TLS exporter || code hash || key.
pub fn join_message(challenge: &[u8; 32], exporter: &[u8; 32], code: &[u8; 32], key: &PublicKey) -> Vec<u8> {
    [b"wardline/1 join\0".as_slice(), challenge, exporter, code, key.as_bytes()].concat()
}

/// The message a device signs whose holder asks to be let in: context || challenge || TLS exporter || code hash || key.
pub fn visit_message(challenge: &[u8; 32], exporter: &[u8; 32], code: &[u8; 32], key: &PublicKey) -> Vec<u8> {
    [b"wardline/1 visit\0".as_slice(), challenge, exporter, code, key.as_bytes()].concat()
}

impl Expect {
    pub(crate) fn new(challenge: [u8; 32], device: Option<(DeviceId, PublicKey)>) -> Self {
        Self { challenge, device }
    }

    /// Checks a `Prove`. `exporter` is this connection's, so a proof cannot be carried to another.
    pub fn verify_sign_in(
        self,
        verifier: &impl Verifier,
        exporter: &[u8; 32],
        device: DeviceId,
        signature: &[u8],
    ) -> Result<ProvenDevice, PeerFault> {
        let (expected, key) = self.device.ok_or(PeerFault::OutOfTurn)?;
        if expected != device {
            return Err(PeerFault::OutOfTurn);
        }
        let signature: &[u8; 64] = signature.try_into().map_err(|_| PeerFault::Malformed)?;
        if !verifier.p256(&key, &sign_in_message(&self.challenge, exporter, device), signature) {
            return Err(PeerFault::ForgedSignature);
        }
        Ok(ProvenDevice { device, key })
    }

    /// Checks a `Join`.
    pub fn verify_join(
        self,
        verifier: &impl Verifier,
        exporter: &[u8; 32],
        code: [u8; 32],
        key: PublicKey,
        name: Name,
        signature: &[u8],
    ) -> Result<ProvenJoin, PeerFault> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| PeerFault::Malformed)?;
        if !verifier.p256(&key, &join_message(&self.challenge, exporter, &code, &key), signature) {
            return Err(PeerFault::ForgedSignature);
        }
        Ok(ProvenJoin { code, key, name })
    }

    /// Checks an `AskToVisit`.
    pub fn verify_visit(
        self,
        verifier: &impl Verifier,
        exporter: &[u8; 32],
        (code, key): ([u8; 32], PublicKey),
        (device_name, name, relation): (Name, Name, Title),
        signature: &[u8],
    ) -> Result<ProvenVisit, PeerFault> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| PeerFault::Malformed)?;
        if !verifier.p256(&key, &visit_message(&self.challenge, exporter, &code, &key), signature) {
            return Err(PeerFault::ForgedSignature);
        }
        Ok(ProvenVisit { code, key, device_name, name, relation })
    }
}

impl ProvenDevice {
    /// Which device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The key that its signature verified under.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl ProvenJoin {
    /// The key that its signature verified under.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// One connection's session.
#[derive(Debug)]
pub(crate) enum Session {
    /// Nothing has come yet.
    ExpectHello,
    /// Welcomed; a proof is due, of this device if it named one.
    ExpectProof(Option<DeviceId>),
    /// The new device's PIN is at the keeper.
    JoinUnderCheck(Box<JoinUnderCheck>),
    /// The PIN of somebody who asks to be let in is at the keeper.
    VisitUnderCheck(Box<VisitUnderCheck>),
    /// The PIN that a locked device is to have is at the keeper.
    NewPinUnderCheck(Box<NewPinUnderCheck>),
    /// The device is proven; the person's PIN is due.
    ExpectPin(Identified),
    /// The PIN is at the keeper.
    PinUnderCheck(PinUnderCheck),
    /// Signed in.
    Ready(Ready),
    /// A service of the box.
    Local,
    /// A screen of a unit.
    Station(Screen),
    /// Over: a `Close` is on its way, whatever still comes is ignored.
    Closing,
}

/// A join whose code was right.
#[derive(Debug)]
pub(crate) struct JoinUnderCheck {
    pub(crate) request: RequestId,
    pub(crate) proven: ProvenJoin,
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
    pub(crate) salt: [u8; 16],
}

/// Somebody at a bed whose code was right.
#[derive(Debug)]
pub(crate) struct VisitUnderCheck {
    pub(crate) request: RequestId,
    pub(crate) proven: ProvenVisit,
    pub(crate) device: DeviceId,
    pub(crate) salt: [u8; 16],
}

/// A locked device whose code was right.
#[derive(Debug)]
pub(crate) struct NewPinUnderCheck {
    pub(crate) request: RequestId,
    pub(crate) who: Identified,
    pub(crate) code: [u8; 32],
    pub(crate) salt: [u8; 16],
}

/// A proven device and whose it is.
#[derive(Debug)]
pub(crate) struct Identified {
    person: PersonId,
    device: DeviceId,
}

/// A PIN being checked.
#[derive(Debug)]
pub(crate) struct PinUnderCheck {
    pub(crate) who: Identified,
    pub(crate) request: RequestId,
}

/// A signed-in person on a proven device.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    person: PersonId,
    device: DeviceId,
}

/// A proven device that is a unit's screen and nobody's.
#[derive(Debug)]
pub(crate) struct Screen {
    person: PersonId,
    device: DeviceId,
}

/// The PIN was right.
pub(crate) struct PinProof(());
/// A passkey of the device signed, and the 12 hours that a PIN began are not over.
pub(crate) struct PasskeyProof(());
/// The device's session is open and was used within the idle time.
pub(crate) struct OpenSession(());

impl PinProof {
    pub(crate) fn check(device: &Device, mac: &PinMac) -> Option<Self> {
        device.pin.matches(mac).then_some(Self(()))
    }
}

impl PasskeyProof {
    /// For [`Self::check`] alone.
    pub(crate) const fn good() -> Self {
        Self(())
    }
}

impl OpenSession {
    /// Open until a time that is ahead, but not further than a session can be: a clock that stepped back ends it.
    pub(crate) fn check(device: &Device, now: Wall, session_ms: u64) -> Option<Self> {
        let until = device.session_until?;
        (now < until && until <= now.after(session_ms)).then_some(Self(()))
    }
}

impl Identified {
    pub(crate) fn new(proven: &ProvenDevice, device: &Device) -> Self {
        debug_assert_eq!(proven.device, device.id);
        Self { person: device.person, device: proven.device }
    }

    /// A join whose key is an enrolled device's proves that device as well as a sign-in does: its signature covers this
    /// connection's challenge and the same key.
    pub(crate) fn again(proven: &ProvenJoin, device: &Device) -> Option<Self> {
        (proven.key == device.key).then_some(Self { person: device.person, device: device.id })
    }

    /// The same of somebody who asks to be let in, and has been meanwhile.
    pub(crate) fn visiting(proven: &ProvenVisit, device: &Device) -> Option<Self> {
        (proven.key == device.key).then_some(Self { person: device.person, device: device.id })
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.device
    }

    pub(crate) fn person(&self) -> PersonId {
        self.person
    }

    /// For what was composed while the session was open.
    pub(crate) fn author(&self, _good: GoodLease) -> Ready {
        Ready { person: self.person, device: self.device }
    }

    /// A screen has no PIN: whoever may look at it need not be anybody.
    pub(crate) fn screen(self, _station: UnitId) -> Screen {
        Screen { person: self.person, device: self.device }
    }

    pub(crate) fn unlock(self, _right: PinProof) -> Ready {
        Ready { person: self.person, device: self.device }
    }

    pub(crate) fn unlock_by_passkey(self, _right: PasskeyProof) -> Ready {
        Ready { person: self.person, device: self.device }
    }

    pub(crate) fn resume(self, _open: OpenSession) -> Ready {
        Ready { person: self.person, device: self.device }
    }
}

impl JoinUnderCheck {
    /// A device that was enrolled by this very exchange is proven, and its PIN just chosen.
    pub(crate) fn enrolled(self) -> Ready {
        Ready { person: self.person, device: self.device }
    }
}

impl NewPinUnderCheck {
    /// A device that proved its key in this exchange, and whose PIN was just chosen.
    pub(crate) fn chosen(self) -> Ready {
        Ready { person: self.who.person, device: self.who.device }
    }
}

impl Screen {
    pub(crate) fn person(&self) -> PersonId {
        self.person
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.device
    }
}

impl Ready {
    pub(crate) fn person(&self) -> PersonId {
        self.person
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.device
    }

    /// Back to asking for the PIN.
    pub(crate) fn lock(self) -> Identified {
        Identified { person: self.person, device: self.device }
    }
}

/// Random bytes of one request, handed out once each.
pub(crate) struct Draw([u8; 32]);

impl Draw {
    pub(crate) fn new(fresh: &Fresh) -> Self {
        Self(fresh.seed)
    }

    /// The first eight: an identifier.
    pub(crate) fn identifier(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        bytes
    }

    /// Two more, for a request that names three things and has no salt: of bytes 8 to 15, and of 16 to 23.
    pub(crate) fn others(&self) -> ([u8; 8], [u8; 8]) {
        let (mut a, mut b) = ([0; 8], [0; 8]);
        a.copy_from_slice(&self.0[8..16]);
        b.copy_from_slice(&self.0[16..24]);
        (a, b)
    }

    /// The next sixteen: a salt.
    pub(crate) fn salt(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[8..24]);
        bytes
    }

    /// A join code, from bytes that nothing else of the same request uses: 10 characters of 5 bits.
    pub(crate) fn code(&self) -> String {
        const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        self.0[16..26].iter().map(|byte| char::from(CROCKFORD[usize::from(byte & 31)])).collect()
    }
}
