//! What was sealed when it was composed, so that a locked phone can still deliver it.
//!
//! At each sign-in the box gives the device a lease: a number, and a key that it derives from it and keeps nowhere. The number is when it
//! was given, by the box's clock: so how old it is needs no memory either.

use crate::family;
use crate::ids::{Conn, DeviceId, MessageId, PersonId, RequestId};
use crate::input::{Ask, Submit};
use crate::limits;
use crate::mailbox;
use crate::refusal::Refusal;
use crate::relay::Relay;
use crate::session::Session;
use crate::time::{Now, Wall};
use crate::turn::Turn;

/// Which key of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease(pub u64);

/// A message that was opened by the doorway.
pub struct Composed {
    /// Under which key it was.
    pub lease: Lease,
    /// The number within is the one that it comes with.
    pub as_numbered: bool,
    /// What was in it.
    pub submit: Submit,
}

/// A lease that is young enough for a session that is locked.
pub(crate) struct GoodLease(());

/// What sealing a message is bound to, and its key derived with: "wardline/1 composed\0" || device || lease || message.
pub fn context(device: DeviceId, lease: Lease, message: MessageId) -> Vec<u8> {
    let (device, lease) = (device.value().to_be_bytes(), lease.0.to_be_bytes());
    [b"wardline/1 composed\0".as_slice(), &device, &lease, &message.0].concat()
}

impl Lease {
    /// Of a sign-in at this moment.
    pub(crate) fn given(now: Wall) -> Self {
        Self(u64::try_from(now.0).unwrap_or(0))
    }

    fn check(self, now: Wall) -> Option<GoodLease> {
        let given = Wall(i64::try_from(self.0).unwrap_or(i64::MAX));
        let begun = given <= now.after(limits::CLOCK_STEP_MAX_MS);
        (begun && now <= given.after(limits::LEASE_MS)).then_some(GoodLease(()))
    }
}

impl Relay {
    /// A message of whoever has the device, from before it was locked. Under another number it might be one that was sent already, and
    /// an old one may be long forgotten: for either its author unlocks.
    pub(crate) fn submit_from_locked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        (person, device): (PersonId, DeviceId),
        composed: Composed,
    ) -> Result<(), Refusal> {
        // Whoever was put out meanwhile has this connection still.
        let last = self.admissible(device)?.last_number;
        let Composed { lease, as_numbered, submit } = composed;
        let good = lease.check(now.wall).filter(|_| as_numbered).ok_or(Refusal::Locked)?;
        let is_retry = submit.number <= last;
        let ask = Ask::Submit(submit);
        let spent = self.budgets.spend(now.mono, device, &ask, is_retry);
        spent.map_err(|retry_after_ms| Refusal::SlowDown { retry_after_ms })?;
        if family::is_visitor(&self.state, person) {
            family::may_ask(&ask)?;
        }
        let Some(Session::ExpectPin(who)) = self.links.get(&conn).map(|link| &link.session) else {
            return Err(Refusal::Locked);
        };
        let author = who.author(good);
        match ask {
            Ask::Submit(submit) => {
                mailbox::submit(&mut self.draft(now, turn), conn, request, &author, submit)
            }
            _ => Err(Refusal::UnknownRequest),
        }
    }
}
