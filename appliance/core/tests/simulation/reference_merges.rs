//! The reference's rules for records that are merged: a list of which is merged into which, and every question asked of all
//! records of a patient together.

use wardline_core::audit::{Act, Actor};
use wardline_core::hold::Subject;
use wardline_core::ids::{ConversationId, HoldId, PatientId, PersonId};
use wardline_core::notice::Told;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Held, Reference};
use crate::reference_patients::{Clinic, Stay, doer};
use crate::reference_restricted::Secret;
use crate::reference_ward::Chosen;

/// Records of one patient, at most.
const RECORDS: usize = 4;

impl Clinic {
    pub(crate) fn surviving(&self, record: PatientId) -> PatientId {
        self.merges.iter().find(|(merged, _)| *merged == record).map_or(record, |(_, into)| *into)
    }

    pub(crate) fn is_one(&self, record: PatientId, other: PatientId) -> bool {
        self.surviving(record) == self.surviving(other)
    }

    /// The surviving one first.
    pub(crate) fn records(&self, record: PatientId) -> Vec<PatientId> {
        let surviving = self.surviving(record);
        let mut merged: Vec<PatientId> =
            self.merges.iter().filter(|(_, into)| *into == surviving).map(|(merged, _)| *merged).collect();
        merged.sort_unstable();
        merged.insert(0, surviving);
        merged
    }

    /// Who may see who this patient is, over all their records.
    pub(crate) fn secret(&self, patient: PatientId) -> Option<Secret> {
        let own = self.records(patient).into_iter().filter_map(|record| self.own_secret(record));
        own.reduce(|met, other| {
            let named = met.named.iter().filter(|who| other.named.contains(who)).copied().collect();
            Secret { named, ..met }
        })
    }

    pub(crate) fn own_secret(&self, record: PatientId) -> Option<Secret> {
        self.secrets.iter().find(|secret| secret.patient == record).cloned()
    }

    /// Cares for the patient in an open stay under another record.
    pub(crate) fn cares_across(&self, stay: &Stay, who: PersonId) -> bool {
        let mut others = self.stays.iter().filter(|other| {
            other.discharged.is_none()
                && other.patient != stay.patient
                && self.is_one(other.patient, stay.patient)
        });
        others.any(|other| self.cares_for(other, who))
    }

    pub(crate) fn recorded(&self, number: &str) -> Option<PatientId> {
        self.patients.iter().find(|(_, told)| told.record_number == number).map(|(id, _)| *id)
    }

    /// The open stay that is meant by a record's number.
    pub(crate) fn here_by(&self, record: PatientId) -> Option<&Stay> {
        let mut order = vec![record];
        order.extend(self.records(record));
        let open =
            |record| self.stays.iter().find(|stay| stay.patient == record && stay.discharged.is_none());
        order.into_iter().find_map(open)
    }
}

impl Reference {
    /// Everybody is asked: does every word begin a word of what they are called?
    pub(crate) fn look_up(&self, by: Actor, ask: &proto::LookUp) -> Expected {
        let Actor::Person { person: me, .. } = by else { return Expected::refused(Code::NotPermitted) };
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let fits = |said: &[&str]| {
            let said = said.join(" ").to_lowercase();
            let begins = |word: &str| {
                let mut said = said.split(|c: char| !c.is_alphanumeric());
                said.any(|other| other == word || word.len() > 1 && other.starts_with(word))
            };
            ask.words.to_lowercase().split(' ').all(begins)
        };
        let clinic = &self.ward.clinic;
        let seen = clinic.stays.iter().filter(|stay| {
            let purged = self.ward.conversation(stay.thread).is_none_or(|thread| thread.purged);
            let inside = !purged && self.ward.member(stay.thread, me).is_some();
            let leads = stay.discharged.is_none() && self.rank(by, stay.unit) == Some(true);
            let shown = inside || clinic.shows(stay.patient, Some(me));
            let alias = clinic.secret(stay.patient).map(|secret| secret.alias).unwrap_or_default();
            let mut said = vec![alias.as_str(), stay.bed.as_str()];
            let (surviving, records) = (clinic.surviving(stay.patient), clinic.records(stay.patient));
            for (id, told) in clinic.patients.iter().filter(|(id, _)| shown && records.contains(id)) {
                said.push(&told.record_number);
                if *id == surviving {
                    said.extend([&told.name, &told.birth_date].map(String::as_str));
                }
            }
            (inside || leads) && !(ask.only_here && stay.discharged.is_some()) && fits(&said)
        });
        let patients = seen.count() as u64;
        let mut expected = Expected::answered(Answer::LookedUp(patients));
        let words = ask.words.split(' ').count() as u32;
        expected.audits.push((by, Act::LookedUp(words, patients as u32)));
        expected
    }

    /// Leads every unit where a stay of these is kept, and there is one.
    fn leads_all(&self, by: Actor, records: &[PatientId]) -> bool {
        let kept = self.ward.clinic.stays.iter().filter(|stay| records.contains(&stay.patient));
        let units: Vec<_> = kept.map(|stay| stay.unit).collect();
        by == Actor::Local || !units.is_empty() && units.iter().all(|unit| self.rank(by, *unit) == Some(true))
    }

    fn leads_something(&self, by: Actor) -> bool {
        by == Actor::Local || self.ward.units.iter().any(|unit| self.rank(by, *unit) == Some(true))
    }

    pub(crate) fn merge(&mut self, by: Actor, ask: &proto::MergeRecords) -> Expected {
        let refused = Expected::refused;
        if !self.leads_something(by) {
            return refused(Code::NotPermitted);
        }
        let clinic = &self.ward.clinic;
        let surviving = clinic.recorded(&ask.surviving_record_number);
        let (Some(surviving), Some(merged)) = (surviving, clinic.recorded(&ask.merged_record_number)) else {
            return refused(Code::NoSuchPatient);
        };
        let mut together = clinic.records(surviving);
        together.push(merged);
        if !self.leads_all(by, &together) {
            return refused(Code::NotPermitted);
        }
        let born = |record| {
            clinic.patients.iter().find(|(id, _)| *id == record).map(|(_, told)| told.birth_date.as_str())
        };
        let gone = |record| {
            let theirs = clinic.records(record);
            !clinic.stays.iter().any(|stay| theirs.contains(&stay.patient))
        };
        if by != Actor::Local && (gone(surviving) || gone(merged)) && born(surviving) != born(merged) {
            return refused(Code::NoSuchPatient);
        }
        if surviving == merged {
            return refused(Code::SameRecord);
        }
        if clinic.merges.iter().any(|(record, _)| [surviving, merged].contains(record)) {
            return refused(Code::RecordMerged);
        }
        if clinic.merges.iter().any(|(_, into)| *into == merged) {
            return refused(Code::HasMergedRecords);
        }
        let sees = |record| by == Actor::Local || clinic.shows(record, doer(by));
        if !sees(surviving) || !sees(merged) {
            return refused(Code::Restricted);
        }
        if together.len() > RECORDS {
            return refused(Code::Limit);
        }
        let (one, other) = (clinic.secret(surviving), clinic.secret(merged));
        if let (Some(one), Some(other)) = (&one, &other)
            && !one.named.iter().any(|who| other.named.contains(who))
        {
            return refused(Code::NobodyNamed);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let newly = one.is_some() != other.is_some();
        let (looked, act) = (Act::MergeLookedAt(merged, surviving), Act::RecordsMerged(merged, surviving));
        self.part_or_join(by, (ask.only_look, looked, act), (surviving, merged), |all, expected| {
            all.ward.clinic.merges.push((merged, surviving));
            if newly {
                all.end_alone(by, surviving, expected);
            }
            Told::RecordsMerged
        })
    }

    pub(crate) fn unmerge(&mut self, by: Actor, ask: &proto::UnmergeRecords, chosen: Chosen) -> Expected {
        let refused = Expected::refused;
        if !self.leads_something(by) {
            return refused(Code::NotPermitted);
        }
        let clinic = &self.ward.clinic;
        let Some(merged) = clinic.recorded(&ask.merged_record_number) else {
            return refused(Code::NoSuchPatient);
        };
        if !self.leads_all(by, &clinic.records(merged)) {
            return refused(Code::NotPermitted);
        }
        let surviving = clinic.surviving(merged);
        if surviving == merged {
            return refused(Code::RecordNotMerged);
        }
        if by != Actor::Local && !clinic.shows(merged, doer(by)) {
            return refused(Code::Restricted);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let (looked, act) = (Act::MergeLookedAt(merged, surviving), Act::RecordsUnmerged(merged, surviving));
        self.part_or_join(by, (ask.only_look, looked, act), (surviving, merged), |all, expected| {
            all.keep_held((surviving, merged), chosen, expected);
            all.ward.clinic.merges.retain(|(record, _)| *record != merged);
            Told::RecordsUnmerged
        })
    }

    /// What a look says is what the act does: done to a copy.
    fn part_or_join(
        &mut self,
        by: Actor,
        (only_look, looked, act): (bool, Act, Act),
        (surviving, merged): (PatientId, PatientId),
        change: impl FnOnce(&mut Self, &mut Expected) -> Told,
    ) -> Expected {
        let mut records = self.ward.clinic.records(surviving);
        if !records.contains(&merged) {
            records.push(merged);
        }
        let mut afterwards = self.clone();
        let mut expected = Expected::default();
        let told = change(&mut afterwards, &mut expected);
        expected.audits.push((by, act));
        let stays = afterwards.ward.clinic.stays.clone();
        let stays: Vec<&Stay> = stays.iter().filter(|stay| records.contains(&stay.patient)).collect();
        for stay in &stays {
            afterwards.ward.tell(stay.thread, by, told.clone(), &mut expected);
        }
        afterwards.ward.settle(by, &mut expected);
        // The patients' threads: who goes in and out of a family's with them is not told.
        let of_patient = |place: ConversationId| stays.iter().any(|stay| stay.thread == place);
        let moved = |which: fn(&Act) -> Option<ConversationId>| {
            let places = expected.audits.iter().filter_map(|(_, act)| which(act));
            places.filter(|place| of_patient(*place)).count() as u64
        };
        let entered = moved(|act| match act {
            Act::MemberAdded(place, _) => Some(*place),
            _ => None,
        });
        let left = moved(|act| match act {
            Act::MemberLeft(place, _) => Some(*place),
            _ => None,
        });
        let named =
            |record| afterwards.ward.clinic.secret(record).map_or(0, |secret| secret.named.len() as u64);
        let answer = Answer::Merged {
            stays: stays.len() as u64,
            moved: (entered, left),
            named: (named(surviving), named(merged)),
            done: !only_look,
        };
        if only_look {
            expected = Expected { audits: vec![(by, looked)], ..Expected::default() };
        } else {
            *self = afterwards;
        }
        expected.answer = Some(answer);
        expected
    }

    /// What was kept while they were one is kept of both.
    fn keep_held(
        &mut self,
        (surviving, merged): (PatientId, PatientId),
        chosen: Chosen,
        expected: &mut Expected,
    ) {
        let records = self.ward.clinic.records(surviving);
        let is_merged = |subject: &Subject| *subject == Subject::Patient(merged);
        let is_other = |subject: &Subject| matches!(subject, Subject::Patient(of) if *of != merged && records.contains(of));
        let mut fresh: Vec<HoldId> = chosen.placed.into_iter().flatten().collect();
        fresh.reverse();
        // In order of identifier, as the box goes through them.
        let mut all = self.ward.holds.clone();
        all.sort_unstable_by_key(|held| held.id);
        for held in all {
            let to = match &held.subject {
                subject if is_merged(subject) => surviving,
                subject if is_other(subject) => merged,
                _ => continue,
            };
            let side = |subject: &Subject| if to == merged { is_merged(subject) } else { is_other(subject) };
            let same =
                |other: &Held| side(&other.subject) && (other.since, other.by) == (held.since, held.by);
            if self.ward.holds.iter().any(same) {
                continue;
            }
            // One that was only looked at draws none.
            let id = fresh.pop().unwrap_or(held.id);
            let subject = Subject::Patient(to);
            self.ward.holds.push(Held { id, subject, ..held });
            expected.audits.push((Actor::TheBox, Act::HoldPlaced(id, 2, to.value())));
        }
    }
}
