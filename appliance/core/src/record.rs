//! A patient over all their records. A facility numbers somebody twice: an emergency department that could not ask, a name with
//! another spelling. Then one record is merged into the other, and un-merged when that was wrong.
//!
//! A merge is one link from the merged record to the surviving one ([`Merged`]), and nothing else is moved: stays, their threads and
//! everything said in them stay with the record that they were begun under. What a patient *is* follows from all records of them
//! together, each time it is asked: [`Known`]. So taking the link away gives back exactly what was there, and what happened
//! meanwhile is where it happened.

use std::borrow::Cow;

use minicbor::{Decode, Encode};

use crate::clinic::{Clinic, Encounter, Patient};
use crate::ids::{ConversationId, EncounterId, PatientId, PersonId};
use crate::particulars::Particulars;
use crate::restriction::Restriction;
use crate::time::Wall;
use crate::wire::proto;

/// That a record is merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Merged {
    /// The surviving record, which itself is merged into none.
    #[n(0)]
    pub into: PatientId,
    /// Since when.
    #[n(1)]
    pub since: Wall,
    /// Who merged it; nobody: a service of the box.
    #[n(2)]
    pub by: Option<PersonId>,
}

/// Who a patient is: the particulars of the surviving record, and the restriction of all of them.
pub struct Known<'c> {
    /// The surviving one first.
    records: Vec<&'c Patient>,
    restriction: Option<Cow<'c, Restriction>>,
}

/// A stay that is kept, by its identifier, its thread, and the record it was begun under.
pub type KeptStay = (EncounterId, ConversationId, PatientId);

impl<'c> Known<'c> {
    /// The patient whose records these are, the surviving one first.
    pub fn of(records: Vec<&'c Patient>) -> Option<Self> {
        records.first()?;
        let restriction = strictest(&records);
        Some(Self { records, restriction })
    }

    /// The surviving record's identifier.
    pub fn id(&self) -> PatientId {
        self.survivor().id
    }

    /// What identifies them to people.
    pub fn particulars(&self) -> &'c Particulars {
        &self.survivor().particulars
    }

    /// What stands between them and everybody else: of several records that are restricted, only who is named in every one of
    /// them may see who this is.
    pub fn restriction(&self) -> Option<&Restriction> {
        self.restriction.as_deref()
    }

    /// Whether somebody may see who they are.
    pub fn shows_to(&self, person: Option<PersonId>) -> bool {
        let named = |restriction: &Restriction| person.is_some_and(|who| restriction.named.contains(&who));
        self.restriction().is_none_or(named)
    }

    /// As the members of their threads see them: who they are, how they are called elsewhere, and their other record numbers.
    pub fn to_wire(&self) -> proto::Patient {
        let others = self.records.iter().skip(1).map(|record| record.particulars.record.reveal().to_owned());
        proto::Patient {
            patient: self.id().value(),
            particulars: Some(self.particulars().to_wire()),
            alias: self.alias(),
            merged_record_numbers: others.collect(),
        }
    }

    /// As somebody sees them who is in no thread of theirs by this: by alias, where they are not named.
    pub(crate) fn to_wire_for(&self, person: Option<PersonId>) -> proto::Patient {
        if self.shows_to(person) {
            return self.to_wire();
        }
        proto::Patient { patient: self.id().value(), alias: self.alias(), ..proto::Patient::default() }
    }

    fn alias(&self) -> String {
        self.restriction().map(|restriction| restriction.alias.reveal().to_owned()).unwrap_or_default()
    }

    fn survivor(&self) -> &'c Patient {
        self.records[0]
    }
}

/// The alias of the first that is restricted, and whoever is named in each that is.
fn strictest<'c>(records: &[&'c Patient]) -> Option<Cow<'c, Restriction>> {
    let mut all = records.iter().filter_map(|record| record.restriction.as_ref());
    let mut met = Cow::Borrowed(all.next()?);
    for other in all.filter(|other| other.named != met.named).collect::<Vec<_>>() {
        met.to_mut().named.retain(|person| other.named.contains(person));
    }
    Some(met)
}

impl Clinic {
    /// The record that a record is merged into, or it itself.
    pub fn surviving(&self, record: PatientId) -> PatientId {
        let merged = self.patients.get(&record).and_then(|patient| patient.merged);
        merged.map_or(record, |merged| merged.into)
    }

    /// Every record of the patient whose record this is, the surviving one first.
    pub fn records_of(&self, record: PatientId) -> Vec<PatientId> {
        let surviving = self.surviving(record);
        let merged = self.absorbed.get(&surviving).into_iter().flatten().copied();
        std::iter::once(surviving).chain(merged).collect()
    }

    /// Whether two records are of one patient.
    pub fn is_one(&self, record: PatientId, other: PatientId) -> bool {
        self.surviving(record) == self.surviving(other)
    }

    /// The patient whose record this is, over all their records.
    pub fn known(&self, record: PatientId) -> Option<Known<'_>> {
        self.known_by(&self.records_of(record))
    }

    /// The patient who would have these records, the surviving one first.
    pub(crate) fn known_by(&self, records: &[PatientId]) -> Option<Known<'_>> {
        Known::of(records.iter().filter_map(|record| self.patients.get(record)).collect())
    }

    /// Stays that are not over, of any of these records, in their order.
    pub(crate) fn open_of_all<'s>(&'s self, records: &'s [PatientId]) -> impl Iterator<Item = &'s Encounter> {
        records.iter().filter_map(|record| self.open_under(*record))
    }

    /// The patient's stay that is not over. Records that were merged may bring several, which are one patient in two beds until
    /// somebody says which is left: then the one of the record that was named, else the surviving one's.
    pub fn open_of(&self, record: PatientId) -> Option<&Encounter> {
        self.open_under(record).or_else(|| {
            let records = self.records_of(record);
            records.iter().find_map(|record| self.open_under(*record))
        })
    }

    /// Stays that are kept, of any of these records. Looks at every stay.
    pub(crate) fn kept_of(&self, records: &[PatientId]) -> Vec<KeptStay> {
        let theirs = self.encounters.values().filter(|stay| records.contains(&stay.patient));
        theirs.map(|stay| (stay.id, stay.thread, stay.patient)).collect()
    }

    /// Stays that are kept of the same patient under other records than this one's.
    pub(crate) fn kept_across(&self, encounter: EncounterId) -> Vec<EncounterId> {
        let Some(stay) = self.encounters.get(&encounter) else { return Vec::new() };
        let records = self.records_of(stay.patient);
        if records.len() < 2 {
            return Vec::new();
        }
        let others = self.kept_of(&records).into_iter().filter(|(.., record)| *record != stay.patient);
        others.map(|(id, ..)| id).collect()
    }
}
