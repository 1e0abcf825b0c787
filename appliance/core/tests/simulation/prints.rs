//! Prints, looks at the audit log and at the box: by chance, and what came of them.

use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::certificates;
use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Said};
use crate::world::World;

impl World {
    /// Mostly a charge nurse at a station's printer, who may mistype.
    pub(crate) fn some_record_ask(&mut self, index: usize) -> Option<Ask> {
        let me = self.person_of(index)?;
        let person = self.reference.ward.person(me)?;
        let led = person.posts.iter().filter(|(_, charge)| *charge).map(|(unit, _)| unit.value());
        let led: Vec<u64> = led.collect();
        let (officer, administrator) = (person.privacy_officer, person.administrator);
        if administrator && self.random.permille(300) {
            return Some(self.some_certificate_ask().unwrap_or(Ask::AskHealth(proto::AskHealth {})));
        }
        if officer || self.random.permille(50) {
            return Some(self.some_audit_look());
        }
        if self.random.permille(60) {
            return Some(self.some_certificate_ask().unwrap_or(Ask::AskHealth(proto::AskHealth {})));
        }
        let units: Vec<u64> = self.reference.ward.units.iter().map(|unit| unit.value()).collect();
        let unit = match self.random.pick(&led).copied() {
            Some(unit) => unit,
            None => self.random.pick(&units).copied().filter(|_| self.random.permille(100))?,
        };
        let client = &self.clients[index];
        let clumsy = u64::from(client.clumsy > 500) * 500 + 250;
        let right = client.pin.clone();
        let pin = if self.random.permille(clumsy) { "not the pin".to_owned() } else { right };
        Some(Ask::RecordPrint(proto::RecordPrint { unit, pages: 2, pin }))
    }

    fn some_audit_look(&mut self) -> Ask {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let patients = self.reference.ward.clinic.patients.iter();
        let records: Vec<String> = patients.map(|(_, told)| told.record_number.clone()).collect();
        let person = self.random.pick(&people).copied().filter(|_| self.random.permille(400)).unwrap_or(0);
        let record = self.random.pick(&records).cloned().filter(|_| self.random.permille(300));
        let before = self.random.below(400);
        let record_number = record.unwrap_or_default();
        Ask::ReadAudit(proto::ReadAudit { before, person, record_number, ..proto::ReadAudit::default() })
    }

    pub(crate) fn cover_records(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let situation = match (body, refused) {
            (Ask::RecordPrint(_), Some(Code::NotPermitted)) => Situation::PrintRefused,
            (Ask::ReadAudit(_), None) if !expected.audits.is_empty() => Situation::AuditRead,
            (Ask::ReadAudit(_), Some(Code::NotPermitted)) => Situation::AuditRefused,
            (Ask::AskHealth(_), None) => Situation::HealthTold,
            (Ask::AskHealth(_), Some(_)) => Situation::HealthRefused,
            (certificate, refused) => match certificates::situation(certificate, refused) {
                Some(situation) => situation,
                None => return,
            },
        };
        self.coverage.reach(situation);
    }

    /// What comes of the PIN of a print. Ten wrong ones in a row are a story of their own, in `tests/printing.rs`.
    pub(crate) fn cover_printed(&mut self, expected: &Expected) {
        let situation = match expected.answer {
            Some(Answer::Done) => Situation::SheetPrinted,
            Some(Answer::Refused(Said(Code::PinWrong))) => Situation::PrintPinWrong,
            Some(Answer::Refused(Said(Code::Unavailable | Code::Locked))) => Situation::PrintPinUnseen,
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
