//! A unit's downtime sheet is printed: every patient of it by name, on paper, which nobody can lock. So whoever prints says with their PIN
//! that it is they, though their session is open, and the print is on record before the first page leaves.
//!
//! The PIN is a try like any other: counted before the keeper is asked, and the tenth wrong one locks the device and ends its session.

use crate::access::{self, Operation};
use crate::audit::Act;
use crate::draft::actor;
use crate::ids::{Conn, DeviceId, RequestId, UnitId};
use crate::limits;
use crate::pin::PinMac;
use crate::refusal::Refusal;
use crate::relay::{Relay, Room, refused};
use crate::session::{PinProof, Ready, Session};
use crate::signin::PIN_CHECK_MS;
use crate::time::Now;
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// What is about to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Whose sheet.
    pub unit: UnitId,
    /// How many pages it has.
    pub pages: u32,
}

/// The PIN of somebody signed in who prints is at the keeper.
#[derive(Debug)]
pub(crate) struct PrintUnderCheck {
    request: RequestId,
    pub(crate) device: DeviceId,
    print: Print,
}

impl Relay {
    /// Somebody who is signed in wants to print; the doorway holds their PIN.
    pub(crate) fn print_offered(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        who: &Ready,
        print: Print,
    ) -> Result<(), Refusal> {
        self.may_print(who, print)?;
        // It is recorded, and so takes room.
        if self.room() == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        let (device, person) = (who.device(), who.person());
        let found = self.admissible(device)?;
        let (salt, tries) = (found.salt, found.pin_tries + 1);
        if !self.checking.insert(device) {
            return Err(Refusal::SlowDown { retry_after_ms: PIN_CHECK_MS });
        }
        self.draft(now, turn).write(Write::PinTries { device, tries });
        turn.sends.push(Send::StretchPin { conn, person, device, salt });
        if let Some(link) = self.links.get_mut(&conn) {
            link.print = Some(PrintUnderCheck { request, device, print });
        }
        Ok(())
    }

    fn may_print(&self, who: &Ready, print: Print) -> Result<(), Refusal> {
        let is = access::to_unit(&self.state, who.person(), print.unit);
        access::permit(Operation::PrintSheet, is, actor(who)).map(|_| ())
    }

    pub(crate) fn print_checked(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conn: Conn,
        check: &PrintUnderCheck,
        mac: Option<PinMac>,
    ) {
        let PrintUnderCheck { request, device, print } = *check;
        let who = match self.links.get(&conn).map(|link| &link.session) {
            Some(Session::Ready(who)) if who.device() == device => Some(who.clone()),
            _ => None,
        };
        let found = self.in_good_standing(device).ok();
        // Locked meanwhile, or no answer of the keeper's: then no PIN was compared.
        let (Some(who), Some(mac), Some(found)) = (&who, mac, found) else {
            self.give_back_try(turn, device);
            let refusal = if who.is_none() { Refusal::Locked } else { Refusal::Unavailable };
            turn.sends.push(refused(conn, request, refusal));
            return;
        };
        let (right, locks) = (PinProof::check(found, &mac).is_some(), found.is_locked_out());
        self.checking.remove(&device);
        if !right {
            self.pin_was_wrong(now, turn, (conn, request), actor(who), device);
            // Its connection is closed; what is open of it elsewhere, and composed under it, ends with the session.
            if locks {
                self.lock_by_hand(now, turn, conn, who);
            }
            return;
        }
        self.draft(now, turn).write(Write::PinTries { device, tries: 0 });
        // Whoever led the unit when the keeper was asked may lead it no more.
        let body = match self.may_print(who, print) {
            Ok(()) => {
                self.draft(now, turn).record(actor(who), Act::SheetPrinted(print.unit, print.pages));
                Body::Done(proto::Done {})
            }
            Err(refusal) => return turn.sends.push(refused(conn, request, refusal)),
        };
        turn.sends.push(Send::Reply { conn, request, body });
    }
}

/// The print in a frame, its PIN apart.
pub(crate) fn parse(unit: u64, pages: u32) -> Result<Print, Refusal> {
    if !(1..=limits::PRINT_PAGES_MAX).contains(&pages) {
        return Err(Refusal::Invalid);
    }
    Ok(Print { unit: crate::wire::unit(unit)?, pages })
}
