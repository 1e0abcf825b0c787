//! Legal holds: what people do with them by chance, and what came of it.

use wardline_core::ids::ConversationId;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code, place_hold};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::world::World;

/// Holds at a time: with more, nothing would ever expire.
const HOLDS: usize = 2;

impl World {
    pub(crate) fn ask_about_holds(&mut self, index: usize) {
        if let Some(ask) = self.some_hold_ask() {
            self.clients[index].ask(ask);
        }
    }

    pub(crate) fn is_held(&self, conversation: u64) -> bool {
        ConversationId::new(conversation).is_some_and(|place| self.reference.ward.is_held(place))
    }

    fn some_hold_ask(&mut self) -> Option<Ask> {
        let holds: Vec<u64> = self.store.state.holds.keys().map(|id| id.value()).collect();
        let hold = self.random.pick(&holds).copied().unwrap_or(1);
        let dice = self.random.below(100);
        if dice < 15 {
            return Some(Ask::ListHolds(proto::ListHolds { after: 0 }));
        }
        // What was kept back is let go, so that it goes.
        let kept_back = !self.reference.ward.held_back.is_empty() && self.random.permille(300);
        if dice < 50 || kept_back || holds.len() >= HOLDS {
            let grounds = "The matter is settled".to_owned();
            return Some(Ask::LiftHold(proto::LiftHold { hold, grounds }));
        }
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let places: Vec<u64> = self.store.state.conversations.keys().map(|id| id.value()).collect();
        let clinic = &self.reference.ward.clinic;
        let is_merged = |id| clinic.records(id).len() > 1;
        let any = !clinic.patients.iter().any(|(id, _)| is_merged(*id));
        let patients = clinic.patients.iter().filter(|(id, _)| any || is_merged(*id));
        let records: Vec<String> = patients.map(|(_, told)| told.record_number.clone()).collect();
        let subject = match self.random.below(3) {
            0 => place_hold::Subject::Person(self.random.pick(&people).copied()?),
            1 => place_hold::Subject::RecordNumber(self.random.pick(&records)?.clone()),
            _ => place_hold::Subject::Conversation(self.random.pick(&places).copied()?),
        };
        Some(Ask::PlaceHold(proto::PlaceHold { subject: Some(subject), matter: "26-1180".to_owned() }))
    }

    pub(crate) fn some_retention(&mut self) -> Ask {
        let mut hours = || 1 + self.random.below(2) as u32;
        let (direct, group, channel, patient) = (hours(), hours(), hours(), hours());
        let rules = Some(proto::RetentionRules { direct, group, channel, patient });
        match self.random.below(4) {
            0 => Ask::ListRetention(proto::ListRetention {}),
            1 => Ask::PreviewRetention(proto::PreviewRetention { rules }),
            _ => Ask::SetRetention(proto::SetRetention { rules }),
        }
    }

    pub(crate) fn cover_holds(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        use place_hold::Subject;
        let situation = match (body, refused) {
            (Ask::PlaceHold(place), None) if !expected.audits.is_empty() => match place.subject {
                Some(Subject::Person(_)) => Situation::PersonHeld,
                Some(Subject::RecordNumber(_)) => Situation::PatientHeld,
                _ => Situation::ConversationHeld,
            },
            (Ask::LiftHold(_), None) => Situation::HoldLifted,
            (Ask::ListHolds(_), None) => Situation::HoldsListed,
            (Ask::PlaceHold(_) | Ask::LiftHold(_) | Ask::ListHolds(_), Some(Code::NotPermitted)) => {
                Situation::HoldRefused
            }
            (Ask::SetRetention(_), None) if !expected.audits.is_empty() => Situation::RetentionSet,
            (Ask::ListRetention(_), None) => Situation::RetentionListed,
            (Ask::PreviewRetention(_), None) => Situation::RetentionPreviewed,
            (Ask::SetRetention(_) | Ask::PreviewRetention(_), Some(Code::NotAdministrator)) => {
                Situation::RetentionRefused
            }
            (Ask::EditMessage(_) | Ask::RecallMessage(_), Some(Code::KeptAsWritten)) => {
                Situation::AlterationHeldBack
            }
            (Ask::PurgeConversation(_), Some(Code::Held)) => Situation::PurgeHeldBack,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// The core keeps what the reference keeps.
    pub(crate) fn compare_holds(&self) -> Result<(), String> {
        let state = self.relay.state();
        let same = |id| wardline_core::hold::keeps(state, id) == self.reference.ward.is_held(id);
        match state.conversations.values().find(|place| !place.purged && !same(place.id)) {
            Some(place) => Err(format!("{} is kept otherwise", place.id)),
            None => Ok(()),
        }
    }
}
