//! Announcements: opened, sent, counted, and whoever may; and what became of it.

use wardline_core::ids::ConversationId;
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body as Ask};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected};
use crate::world::World;

impl World {
    /// Somebody announces, tries to, or looks how many have read it.
    pub(crate) fn about_broadcasts(&mut self, index: usize) {
        // Where somebody announces, administration has said how urgently.
        let some = self.reference.ward.conversations.iter().any(|place| place.of_house);
        if some && self.random.permille(30) {
            let (unit_urgent, facility_urgent) = (self.random.permille(400), self.random.permille(500));
            self.local_ask(Ask::SetBroadcastPolicy(proto::SetBroadcastPolicy {
                unit_urgent,
                facility_urgent,
            }));
        }
        let units: Vec<u64> = self.store.state.units.keys().map(|unit| unit.value()).collect();
        let mine = self.person_of(index).and_then(|me| self.reference.ward.person(me));
        let led = mine.into_iter().flat_map(|me| &me.posts).filter(|(_, leads)| *leads);
        let led: Vec<u64> = led.map(|(unit, _)| unit.value()).collect();
        let of_led = self.random.permille(800);
        let unit = self.random.pick(&led).copied().filter(|_| of_led);
        let unit = unit.or_else(|| self.random.pick(&units).copied()).unwrap_or(0);
        let to_all = if self.announces(index) { 600 } else { 100 };
        let unit = if self.random.permille(to_all) { 0 } else { unit };
        let me = self.person_of(index);
        let house = |id: &u64| {
            let place = ConversationId::new(*id).and_then(|id| self.reference.ward.conversation(id));
            place.filter(|place| place.of_house)
        };
        let is_one = |id: &&u64| house(id).is_some();
        let may = |id: &&u64| {
            house(id).zip(me).is_some_and(|(place, me)| self.reference.ward.may_announce(me, place.unit))
        };
        let all: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let some: Vec<u64> = all.iter().filter(is_one).copied().collect();
        let own: Vec<u64> = some.iter().filter(may).copied().collect();
        let any = if self.random.permille(50) { &all } else { &some };
        let any = if own.is_empty() || self.random.permille(200) { any } else { &own };
        let place = self.random.pick(any).copied();
        let ask = match (self.random.below(100), place) {
            (0..30, _) => Ask::OpenBroadcast(proto::OpenBroadcast { unit }),
            (30..38, _) => Ask::ListBroadcasts(proto::ListBroadcasts {}),
            (38..52, Some(conversation)) => {
                let last = house(&conversation).map_or(0, |place| place.messages.len() as u64);
                let sequence = if self.random.permille(800) { last } else { self.random.below(4) };
                Ask::LookAtBroadcast(proto::LookAtBroadcast { conversation, sequence })
            }
            (52..55, Some(conversation)) => {
                let archived = self.random.permille(500);
                Ask::Archive(proto::Archive { conversation, archived })
            }
            (55..66, Some(conversation)) => return self.clients[index].receipt(conversation, true),
            (66..70, Some(conversation)) => return self.react(index, conversation),
            (_, Some(conversation)) => {
                self.write_letter(index, conversation);
                // Urgent ones are few elsewhere.
                if self.random.permille(400)
                    && let Some(letter) = self.clients[index].outbox.back_mut()
                    && letter.priority == proto::Priority::Routine
                    && letter.number.is_none()
                {
                    letter.priority = proto::Priority::Urgent;
                }
                return;
            }
            _ => Ask::OpenBroadcast(proto::OpenBroadcast { unit }),
        };
        self.clients[index].ask(ask);
    }

    /// Somebody who may announce to the facility.
    fn announces(&self, index: usize) -> bool {
        self.person_of(index).is_some_and(|me| self.reference.ward.announcers.contains(&me))
    }

    /// How often somebody does so, of a thousand: whoever may has the most to do with it.
    pub(crate) fn about_broadcasts_permille(&self, index: usize) -> u64 {
        let me = self.person_of(index).and_then(|me| self.reference.ward.person(me));
        let leads = me.is_some_and(|me| me.posts.iter().any(|(_, leads)| *leads));
        if leads || self.announces(index) { 60 } else { 15 }
    }

    /// Whoever administers says who announces, and how.
    pub(crate) fn some_announcer_ask(&mut self, person: u64) -> Ask {
        match self.random.below(10) {
            0..5 => Ask::SetAnnouncer(proto::SetAnnouncer { person, announces: true }),
            5 => {
                let named: Vec<u64> = self.reference.ward.announcers.iter().map(|who| who.value()).collect();
                let person = self.random.pick(&named).copied().unwrap_or(person);
                Ask::SetAnnouncer(proto::SetAnnouncer { person, announces: false })
            }
            6 => Ask::ListBroadcasts(proto::ListBroadcasts {}),
            _ => Ask::SetBroadcastPolicy(proto::SetBroadcastPolicy {
                unit_urgent: self.random.permille(400),
                facility_urgent: self.random.permille(500),
            }),
        }
    }

    pub(crate) fn cover_broadcasts(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let is_house = |id: u64| {
            let place = ConversationId::new(id).and_then(|id| self.reference.ward.conversation(id));
            place.is_some_and(|place| place.of_house)
        };
        let situation = match (body, refused) {
            (Ask::OpenBroadcast(_), None) if expected.audits.is_empty() => Situation::BroadcastKnown,
            (Ask::OpenBroadcast(open), None) if open.unit == 0 => Situation::BroadcastToAllOpened,
            (Ask::OpenBroadcast(_), None) => Situation::BroadcastOpened,
            (Ask::OpenBroadcast(_), Some(Code::NotPermitted)) => Situation::BroadcastRefused,
            (Ask::Submit(said), None)
                if is_house(said.conversation) && matches!(expected.answer, Some(Answer::Accepted(..))) =>
            {
                Situation::Announced
            }
            (Ask::Submit(said), Some(Code::NotPermitted)) if is_house(said.conversation) => {
                Situation::ReaderWritesRefused
            }
            (Ask::Submit(_), Some(Code::BroadcastPriority)) => Situation::AnnouncedTooUrgently,
            (Ask::Submit(_), Some(Code::BroadcastNoStat)) => Situation::BroadcastStatRefused,
            (Ask::React(_), Some(Code::BroadcastNoReactions)) => Situation::BroadcastReactionRefused,
            (Ask::LookAtBroadcast(_), None) => Situation::BroadcastLookedAt,
            (Ask::LookAtBroadcast(_), Some(Code::NotBroadcast)) => Situation::NotBroadcastRefused,
            (Ask::ListBroadcasts(_), None) => Situation::BroadcastsListed,
            (Ask::ChangeMembers(_) | Ask::Archive(_) | Ask::Rename(_), Some(Code::InBroadcast)) => {
                Situation::BroadcastAlterRefused
            }
            (Ask::SetAnnouncer(_), None) if !expected.audits.is_empty() => Situation::AnnouncerSet,
            (Ask::SetBroadcastPolicy(_), None) if !expected.audits.is_empty() => {
                Situation::BroadcastPolicySet
            }
            _ => return,
        };
        self.coverage.reach(situation);
    }
}
