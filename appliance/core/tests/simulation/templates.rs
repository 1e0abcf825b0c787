//! Templates and quick replies: set, and looked at.

use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::World;

impl World {
    /// About a unit's, or the facility's: mostly looks.
    pub(crate) fn some_template_ask(&mut self) -> Ask {
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let unit = self.random.pick(&units).copied().filter(|_| self.random.permille(700)).unwrap_or(0);
        let unit = if self.random.permille(50) { 1 + self.random.below(9) } else { unit };
        if self.random.permille(500) {
            // Mostly where there are some.
            let set: Vec<u64> = self.reference.ward.templates.iter().map(|set| set.unit).collect();
            let unit = self.random.pick(&set).copied().filter(|_| self.random.permille(800)).unwrap_or(unit);
            return Ask::ListTemplates(proto::ListTemplates { unit });
        }
        let replies = (0..self.random.below(3)).map(|at| format!("Reply {at}")).collect();
        let field =
            |name: &str| proto::TemplateField { name: name.to_owned(), ..proto::TemplateField::default() };
        let fields = (0..self.random.below(3)).map(|at| field(&format!("Field {at}"))).collect();
        let template = proto::Template { name: "Fall report".to_owned(), fields };
        let templates = if self.random.permille(500) { vec![template] } else { Vec::new() };
        let set = Some(proto::TemplateSet { unit, replies, templates });
        Ask::SetTemplates(proto::SetTemplates { set })
    }

    pub(crate) fn cover_templates(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let situation = match (body, refused) {
            (Ask::SetTemplates(_), None) if !expected.audits.is_empty() => Situation::TemplatesSet,
            (Ask::SetTemplates(_), None) => Situation::TemplatesAsTheyWere,
            (Ask::SetTemplates(_), Some(Code::NotPermitted | Code::NotAdministrator)) => {
                Situation::TemplatesRefused
            }
            (Ask::ListTemplates(list), None) if self.reference.ward.templates_of(list.unit).is_some() => {
                Situation::TemplatesListed
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
