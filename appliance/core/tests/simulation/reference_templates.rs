//! The reference's rules for templates and quick replies: a list of sets, the last one of each unit.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::UnitId;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference, Ward};

impl Ward {
    /// 0: the facility's.
    pub(crate) fn templates_of(&self, unit: u64) -> Option<&proto::TemplateSet> {
        self.templates.iter().find(|set| set.unit == unit)
    }
}

/// A set as a number.
pub(crate) fn digest(set: &proto::TemplateSet) -> u64 {
    let bytes = prost::Message::encode_to_vec(set);
    bytes.iter().fold(7, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Reference {
    /// `may`: for this unit, and for the facility.
    pub(crate) fn set_templates(
        &mut self,
        by: Actor,
        (leads, administers): (bool, bool),
        set: &proto::SetTemplates,
    ) -> Expected {
        let set = set.set.clone().unwrap_or_default();
        let unit = UnitId::new(set.unit);
        if unit.is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Expected::refused(Code::NoSuchUnit);
        }
        match unit {
            Some(_) if !leads && !administers => return Expected::refused(Code::NotPermitted),
            None if !administers => return Expected::refused(Code::NotAdministrator),
            _ => {}
        }
        let mut expected = Expected::answered(Answer::Done);
        let nothing = proto::TemplateSet { unit: set.unit, ..proto::TemplateSet::default() };
        if *self.ward.templates_of(set.unit).unwrap_or(&nothing) == set {
            return expected;
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        self.ward.templates.retain(|other| other.unit != set.unit);
        if set != nothing {
            self.ward.templates.push(set);
        }
        expected.audits.push((by, Act::TemplatesSet(unit)));
        expected
    }

    pub(crate) fn list_templates(&self, unit: u64) -> Expected {
        if UnitId::new(unit).is_some_and(|unit| !self.ward.units.contains(&unit)) {
            return Expected::refused(Code::NoSuchUnit);
        }
        let nothing = proto::TemplateSet { unit, ..proto::TemplateSet::default() };
        Expected::answered(Answer::Templates(digest(self.ward.templates_of(unit).unwrap_or(&nothing))))
    }
}
