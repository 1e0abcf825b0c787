//! The bell: a closed app on somebody's own phone is rung through its browser's push service (RFC 8030), if the facility has
//! it on and they have. What is sent says nothing: one constant text, by another process, which knows of nobody.
//!
//! A device's bell goes when the device is revoked, its person suspended, the facility turns it off, or its push service says
//! that it is gone. Two devices never have the same: it is one browser's, and rings for whoever had it rung last.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::access::{self, Operation, Permit};
use crate::audit::Act;
use crate::directory::PublicKey;
use crate::draft::{Draft, actor};
use crate::ids::{DeviceId, PersonId};
use crate::kept;
use crate::limits;
use crate::refusal::{Fault, Refusal};
use crate::session::Ready;
use crate::state::State;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

mod ringing;

pub(crate) use ringing::{Rung, ring, ring_one, ring_urgent};

/// Where one device's browser is rung. Whoever has it can make that phone ring: no log, no audit and no `Debug` shows it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Bell {
    /// The push service's address for this browser: `https`.
    #[n(0)]
    endpoint: String,
    /// The browser's key (RFC 8291).
    #[n(1)]
    p256dh: PublicKey,
    /// Known to the browser and the box.
    #[cbor(n(2), with = "minicbor::bytes")]
    auth: [u8; 16],
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell(…)")
    }
}

impl Bell {
    /// What has the form of one. Which push services may be called, the process knows that calls them.
    pub fn parse(endpoint: String, p256dh: &[u8], auth: &[u8]) -> Result<Self, Refusal> {
        if endpoint.len() > limits::BELL_ENDPOINT_MAX {
            return Err(Refusal::TooLarge);
        }
        let is_sound =
            endpoint.starts_with("https://") && endpoint.bytes().all(|byte| byte.is_ascii_graphic());
        let p256dh = PublicKey::parse(p256dh).filter(|_| is_sound).ok_or(Refusal::Invalid)?;
        Ok(Self { endpoint, p256dh, auth: auth.try_into().map_err(|_| Refusal::Invalid)? })
    }

    /// As it is kept: CBOR (RFC 8949), deterministic.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// What is behind such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }

    /// The push service's address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The browser's key.
    pub fn p256dh(&self) -> &[u8; 65] {
        self.p256dh.as_bytes()
    }

    /// What browser and box alone know.
    pub fn auth(&self) -> &[u8; 16] {
        &self.auth
    }
}

/// A durable change of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum BellWrite {
    /// A device has this bell from now on.
    #[n(1)]
    Set {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// Whose: when they are suspended it goes.
        #[n(1)]
        person: PersonId,
        /// What.
        #[n(2)]
        bell: Bell,
    },
    /// It has none any more.
    #[n(2)]
    Cleared(#[n(0)] DeviceId),
    /// Whether the facility has it on. When it goes off, no device has one any more.
    #[n(3)]
    PolicySet(#[n(0)] bool),
}

/// A request about it. Every field has been parsed.
pub enum BellAsk {
    /// Whether there is one, and whether this device has it.
    Look,
    /// This device is rung there from now on.
    Set(Box<Bell>),
    /// It is rung no more.
    Clear,
}

/// What the process that rings has said.
#[derive(Debug)]
pub enum BellNews {
    /// It is there, and this is its key; `None`: it is not.
    Key(Option<[u8; 65]>),
    /// This bell rings nothing any more.
    Gone {
        /// Whose it was.
        device: DeviceId,
        /// It may have another meanwhile.
        bell: Box<Bell>,
    },
}

/// What cannot be done with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum BellRefusal {
    /// By the facility.
    #[error(
        "The bell is off in this facility: it would tell Google, Apple or Mozilla when a phone is rung. An administrator turns it on."
    )]
    Off,
    /// It is not installed, or not running.
    #[error(
        "This box has no bell: the program that rings through push services does not run here. Ask IT, or go on without: keep the app open."
    )]
    None,
}

impl BellRefusal {
    pub(crate) const fn code(self) -> proto::RefusalCode {
        match self {
            Self::Off => proto::RefusalCode::BellOff,
            Self::None => proto::RefusalCode::BellNone,
        }
    }
}

impl From<BellRefusal> for Refusal {
    fn from(refusal: BellRefusal) -> Self {
        Self::Bell(refusal)
    }
}

/// The part of [`State`] that is about it. Nothing but a write changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Bells {
    /// Whether the facility has it on.
    #[n(0)]
    pub on: bool,
    /// Of every device that has one.
    #[n(1)]
    pub of: BTreeMap<DeviceId, Bell>,
}

impl Bells {
    /// What it names is there.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        let is_there = |id| state.devices.get(id).is_some_and(|device| !device.revoked);
        if self.of.keys().all(is_there) && (self.on || self.of.is_empty()) {
            Ok(())
        } else {
            Err(Fault::Inconsistent("a bell is of a device that is not there, or of a facility without"))
        }
    }

    /// Folds one write in; what is not of it changes nothing. `devices_of`: of whom a standing is set.
    pub(crate) fn apply<'s>(
        &mut self,
        write: &Write,
        devices_of: impl FnOnce(PersonId) -> Vec<&'s DeviceId>,
    ) {
        match write {
            Write::Bell(BellWrite::Set { device, bell, .. }) => {
                self.of.insert(*device, bell.clone());
            }
            Write::Bell(BellWrite::Cleared(device)) | Write::DeviceRevoked { device } => {
                self.of.remove(device);
            }
            Write::Bell(BellWrite::PolicySet(on)) => {
                self.on = *on;
                if !on {
                    self.of.clear();
                }
            }
            Write::StandingSet { person, suspended: true } => {
                for device in devices_of(*person) {
                    self.of.remove(device);
                }
            }
            _ => {}
        }
    }
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body) -> Result<BellAsk, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::AskBell(_) => BellAsk::Look,
        Body::SetBell(set) => BellAsk::Set(Box::new(Bell::parse(set.endpoint, &set.p256dh, &set.auth)?)),
        Body::ClearBell(_) => BellAsk::Clear,
        _ => return Err(Refusal::UnknownRequest),
    })
}

/// What somebody asks for their own device.
pub(crate) fn handle(draft: &mut Draft<'_>, who: &Ready, ask: BellAsk) -> Result<Body, Refusal> {
    let permit = access::permit(Operation::KeepBell, access::STAFF, actor(who))?;
    let device = who.device();
    match ask {
        BellAsk::Look => {}
        BellAsk::Set(bell) => {
            if !draft.state.bells.on {
                return Err(BellRefusal::Off.into());
            }
            if draft.bell.key.is_none() {
                return Err(BellRefusal::None.into());
            }
            if draft.state.bells.of.get(&device) != Some(&bell) {
                // The same browser under another person's key: it rings for who is here now.
                let same = |(other, theirs): (&DeviceId, &Bell)| {
                    (*other != device && theirs.endpoint == bell.endpoint).then_some(*other)
                };
                let other = draft.state.bells.of.iter().find_map(same);
                if let Some(other) = other {
                    draft.write(Write::Bell(BellWrite::Cleared(other)));
                }
                let had = draft.state.bells.of.contains_key(&device);
                draft.write(Write::Bell(BellWrite::Set { device, person: who.person(), bell: *bell }));
                if !had {
                    draft.record(permit.by(), Act::BellSet(who.person(), device));
                }
            }
        }
        BellAsk::Clear => {
            if draft.state.bells.of.contains_key(&device) {
                draft.write(Write::Bell(BellWrite::Cleared(device)));
                draft.record(permit.by(), Act::BellCleared(who.person(), device));
            }
        }
    }
    Ok(Body::Bell(proto::Bell {
        on: draft.state.bells.on,
        key: draft.bell.key.map(Vec::from).unwrap_or_default(),
        set: draft.state.bells.of.contains_key(&device),
    }))
}

/// The facility turns it on or off.
pub(crate) fn set_policy(draft: &mut Draft<'_>, permit: Permit, on: bool) -> Body {
    if draft.state.bells.on != on {
        draft.write(Write::Bell(BellWrite::PolicySet(on)));
        draft.record(permit.by(), Act::BellPolicySet(u32::from(on)));
    }
    Body::Done(proto::Done {})
}

/// What the process that rings has said.
pub(crate) fn hear(draft: &mut Draft<'_>, news: BellNews) {
    match news {
        BellNews::Key(key) => {
            draft.bell.key = key;
            draft.bell.stir();
        }
        BellNews::Gone { device, bell } => {
            if draft.state.bells.of.get(&device) == Some(&bell) {
                draft.write(Write::Bell(BellWrite::Cleared(device)));
            }
        }
    }
}
