//! The reference's rules for printing, and for reading the audit log.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{Conn, DeviceId, PersonId, RequestId, UnitId};
use wardline_core::limits;
use wardline_core::pin::PinMac;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Phase, Reference};

/// A print whose PIN the keeper looks at.
#[derive(Clone)]
pub(crate) struct Printing {
    conn: Conn,
    pub(crate) device: DeviceId,
    pub(crate) request: RequestId,
    unit: UnitId,
    pages: u32,
}

impl Reference {
    /// Whether a PIN of this device is looked at for a print.
    pub(crate) fn is_printing(&self, device: DeviceId) -> bool {
        self.lobby.prints.iter().any(|print| print.device == device)
    }

    pub(crate) fn printing(&self, conn: Conn) -> Option<&Printing> {
        self.lobby.prints.iter().find(|print| print.conn == conn)
    }

    pub(crate) fn take_print(&mut self, conn: Conn) -> Option<Printing> {
        let at = self.lobby.prints.iter().position(|print| print.conn == conn)?;
        Some(self.lobby.prints.remove(at))
    }

    fn leads(&self, device: DeviceId, unit: UnitId) -> bool {
        let person = self.ward.device(device).map(|device| device.person);
        person.is_some_and(|person| self.ward.post(person, unit) == Some(true))
    }

    pub(crate) fn record_print(
        &mut self,
        conn: Conn,
        device: DeviceId,
        request: RequestId,
        print: &proto::RecordPrint,
    ) -> Expected {
        let unit = UnitId::new(print.unit).expect("parsed before");
        if !self.leads(device, unit) {
            return Expected::refused(Code::NotPermitted);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        // Whoever has a copy of it has tried them all.
        if self.ward.device(device).is_some_and(|device| device.tries >= limits::PIN_TRIES_MAX) {
            return Expected::refused(Code::PinLockedOut);
        }
        // On another connection of the same device, perhaps.
        let checking = |phase: &Phase| matches!(phase, Phase::PinChecking(other, _) if *other == device);
        if self.is_printing(device) || self.lobby.links.iter().any(|link| checking(&link.phase)) {
            return Expected::refused(Code::SlowDown);
        }
        if let Some(device) = self.ward.device_mut(device) {
            device.tries += 1;
        }
        self.lobby.prints.push(Printing { conn, device, request, unit, pages: print.pages });
        Expected::answered(Answer::Stretch)
    }

    /// The PIN is a try like any other, and its tenth wrong one ends the session.
    pub(crate) fn print_checked(&mut self, conn: Conn, print: &Printing, mac: Option<PinMac>) -> Expected {
        let id = print.device;
        let is_in = self.link(conn).is_some_and(|link| link.phase == Phase::In(id));
        let actor = self.actor(id);
        let leads = self.leads(id, print.unit);
        let Some(device) = self.ward.device_mut(id) else { return Expected::default() };
        let Some(mac) = mac.filter(|_| is_in) else {
            device.tries -= 1;
            return Expected::refused(if is_in { Code::Unavailable } else { Code::Locked });
        };
        if mac == device.pin {
            device.tries = 0;
            if !leads {
                return Expected::refused(Code::NotPermitted);
            }
            let mut expected = Expected::answered(Answer::Done);
            expected.audits.push((actor, Act::SheetPrinted(print.unit, print.pages)));
            return expected;
        }
        let tries = device.tries;
        if tries < limits::PIN_TRIES_MAX {
            let mut expected = Expected::refused(Code::PinWrong);
            expected.audits.push((actor, Act::PinWrong(tries)));
            return expected;
        }
        self.lock(id);
        let mut expected = self.turn_away(conn, Code::PinLockedOut);
        expected.audits.push((actor, Act::PinWrong(tries)));
        expected.audits.push((actor, Act::PinLockedOut));
        expected.audits.push((actor, Act::SessionLocked(id)));
        expected
    }

    /// `newest`: the entry that comes next.
    pub(crate) fn read_audit(
        &mut self,
        by: Actor,
        me: PersonId,
        read: &proto::ReadAudit,
        newest: u64,
    ) -> Expected {
        if !self.ward.person(me).is_some_and(|person| person.privacy_officer) {
            return Expected::refused(Code::NotPermitted);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let patient = if read.record_number.is_empty() {
            None
        } else {
            let mut patients = self.ward.clinic.patients.iter();
            match patients.find(|(_, told)| told.record_number == read.record_number) {
                Some((patient, _)) => Some(*patient),
                None => return Expected::refused(Code::NoSuchPatient),
            }
        };
        let before = if read.before == 0 { newest } else { newest.min(read.before) };
        let mut expected = Expected::answered(Answer::Auditing(before));
        expected.audits.push((by, Act::AuditRead(PersonId::new(read.person), patient)));
        expected
    }
}
