//! Records that are merged and un-merged: what people and a feed do about them by chance, and what came of it.

use wardline_core::audit::{Act, Actor};
use wardline_core::hold::Subject;
use wardline_core::ids::{ConversationId, PatientId, PersonId};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected};
use crate::world::World;

impl World {
    /// Mostly of two that whoever asks may merge; sometimes the other way.
    pub(crate) fn some_merge(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let clinic = self.reference.ward.clinic.clone();
        let numbers: Vec<(PatientId, String)> =
            clinic.patients.iter().map(|(id, told)| (*id, told.record_number.clone())).collect();
        let only_look = self.random.permille(150);
        let held = |record: &PatientId| {
            let mut holds = self.reference.ward.holds.iter();
            holds.any(|held| matches!(held.subject, Subject::Patient(of) if clinic.is_one(of, *record)))
        };
        // Where something is kept, most of all.
        let mut merged: Vec<(PatientId, PatientId)> = clinic.merges.clone();
        if merged.iter().any(|(record, _)| held(record)) {
            merged.retain(|(record, _)| held(record));
        }
        if self.random.permille(if merged.is_empty() { 30 } else { 450 }) {
            let which = self.random.pick(&merged).copied().filter(|_| self.random.permille(900));
            let which =
                which.map(|(merged, _)| merged).or_else(|| self.random.pick(&numbers).map(|one| one.0))?;
            let number = numbers.iter().find(|(id, _)| *id == which)?.1.clone();
            return Some(Ask::UnmergeRecords(proto::UnmergeRecords {
                merged_record_number: number,
                only_look,
            }));
        }
        let leads = |id: &PatientId| {
            let mut stays = clinic.stays.iter().filter(|stay| stay.patient == *id);
            me.is_none_or(|me| stays.all(|stay| self.reference.ward.post(me, stay.unit) == Some(true)))
        };
        let mine: Vec<(PatientId, String)> = numbers.iter().filter(|(id, _)| leads(id)).cloned().collect();
        let of = if mine.len() > 1 && self.random.permille(850) { mine } else { numbers };
        let kept: Vec<(PatientId, String)> = of.iter().filter(|(id, _)| held(id)).cloned().collect();
        let first = self.random.pick(&kept).cloned().filter(|_| self.random.permille(700));
        let surviving_record_number = match first {
            Some((_, number)) => number,
            None => self.random.pick(&of)?.1.clone(),
        };
        let merged_record_number = self.random.pick(&of)?.1.clone();
        Some(Ask::MergeRecords(proto::MergeRecords {
            surviving_record_number,
            merged_record_number,
            only_look,
        }))
    }

    pub(crate) fn some_look(&mut self) -> Ask {
        let words = match self.random.below(5) {
            0 => "patient".to_owned(),
            1 => "heron".to_owned(),
            2 => format!("patient {}", self.random.below(50)),
            3 => "nurse".to_owned(),
            _ => format!("MRN{}", self.random.below(8)),
        };
        let only_here = self.random.permille(300);
        Ask::LookUp(proto::LookUp { words, only_here, limit: 50, ..proto::LookUp::default() })
    }

    pub(crate) fn cover_merges(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let merges = matches!(body, Ask::MergeRecords(_) | Ask::UnmergeRecords(_));
        let situation = match refused {
            Some(Code::SameRecord) => Some(Situation::RecordMergedWithItself),
            Some(Code::RecordMerged) => Some(Situation::MergedRecordRefused),
            Some(Code::HasMergedRecords) => Some(Situation::ChainOfMergesRefused),
            Some(Code::RecordNotMerged) => Some(Situation::NothingToUnmerge),
            Some(Code::SeveralStays) => Some(Situation::SeveralStays),
            Some(Code::NotPermitted) if merges => Some(Situation::MergeRefused),
            Some(Code::Restricted) if merges => Some(Situation::MergeByUnnamedRefused),
            Some(Code::NobodyNamed) if merges => Some(Situation::MergeLeavesNobodyNamed),
            _ => None,
        };
        if let Some(situation) = situation {
            self.coverage.reach(situation);
        }
        if let (Some(Answer::LookedUp(found)), Ask::LookUp(ask)) = (&expected.answer, body) {
            let alias = ask.words == "heron" && *found > 0;
            let named = ask.words != "heron" && *found > 0;
            for (_, situation) in [
                (alias, Situation::FoundByAlias),
                (named, Situation::PatientFound),
                (*found == 0, Situation::NobodyFound),
            ]
            .into_iter()
            .filter(|(is, _)| *is)
            {
                self.coverage.reach(situation);
            }
        }
        for (by, act) in &expected.audits {
            match act {
                Act::MergeLookedAt(..) => self.coverage.reach(Situation::MergeLookedAt),
                Act::RecordsMerged(merged, surviving) => self.cover_merge(*by, *merged, *surviving, expected),
                Act::RecordsUnmerged(merged, surviving) => self.cover_unmerge(*merged, *surviving, expected),
                _ => {}
            }
        }
    }

    fn threads_of(&self, records: [PatientId; 2]) -> Vec<ConversationId> {
        let stays = self.reference.ward.clinic.stays.iter();
        stays.filter(|stay| records.contains(&stay.patient)).map(|stay| stay.thread).collect()
    }

    fn said_in(&self, threads: &[ConversationId]) -> usize {
        let said =
            |thread: &ConversationId| self.reference.ward.conversation(*thread).map(|c| c.messages.len());
        threads.iter().filter_map(said).sum()
    }

    fn cover_merge(&mut self, by: Actor, merged: PatientId, surviving: PatientId, expected: &Expected) {
        let ward = &self.reference.ward;
        let threads = self.threads_of([merged, surviving]);
        let open =
            |record| ward.clinic.stays.iter().any(|stay| stay.patient == record && stay.discharged.is_none());
        let on_its_way = self.clients.iter().flat_map(|client| &client.outbox).any(|letter| {
            letter.under_way && threads.iter().any(|thread| thread.value() == letter.conversation)
        });
        let of_both =
            |held: &crate::reference::Held| [merged, surviving].map(Subject::Patient).contains(&held.subject);
        let entered = matches!(expected.answer, Some(Answer::Merged { moved: (1.., _), .. }));
        let reached = [
            (
                true,
                if by == Actor::Local { Situation::MergedByService } else { Situation::MergedByChargeNurse },
            ),
            (open(merged) && open(surviving), Situation::MergedInTwoBeds),
            (
                ward.stats.iter().any(|stat| stat.unanswered() && threads.contains(&stat.place)),
                Situation::MergedWhileRinging,
            ),
            (on_its_way, Situation::MergedWithMessagesInFlight),
            (ward.holds.iter().any(of_both), Situation::MergedUnderHold),
            (ward.clinic.secret(merged).is_some(), Situation::MergedRestricted),
            (entered, Situation::JoinedAcrossRecords),
        ];
        for (_, situation) in reached.into_iter().filter(|(is, _)| *is) {
            self.coverage.reach(situation);
        }
        let said = self.said_in(&threads);
        self.merged.insert(merged, said);
    }

    fn cover_unmerge(&mut self, merged: PatientId, surviving: PatientId, expected: &Expected) {
        let said = self.said_in(&self.threads_of([merged, surviving]));
        let before = self.merged.remove(&merged);
        self.coverage.reach(Situation::Unmerged);
        if before.is_some_and(|before| said > before) {
            self.coverage.reach(Situation::UnmergedAfterMessages);
        }
        if expected.audits.iter().any(|(_, act)| matches!(act, Act::HoldPlaced(..))) {
            self.coverage.reach(Situation::HeldOnAfterUnmerge);
        }
        if expected.audits.iter().any(|(_, act)| matches!(act, Act::MemberLeft(..))) {
            self.coverage.reach(Situation::PutOutByUnmerge);
        }
    }
}
