//! Records of one patient that are merged, or un-merged: what a program asks and hears of it. None of it prints names or numbers in
//! `Debug`.

use std::future::Future;

use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clinical::{Encounter, Patient};
use crate::error::Error;

/// What a merge or an un-merge did, or would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergedRecords {
    /// The record that survives, as it was or would be by itself. Hidden where the person may not see who the patient is.
    pub surviving: Patient,
    /// The record that is merged into it, or was.
    pub merged: Patient,
    /// Stays of both whose threads are kept, the open ones first: 20 at most.
    pub stays: Vec<MergedStay>,
    /// How many there are.
    pub stays_in_all: u32,
    /// Afterwards only so many people may see who the surviving record is of; 0: it is not restricted.
    pub surviving_named: u32,
    /// The same of the merged record.
    pub merged_named: u32,
    /// False: it was only looked at.
    pub done: bool,
}

/// What becomes of one stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergedStay {
    /// Which; its patient is the record that it was begun under, and stays with.
    pub encounter: Encounter,
    /// So many people come into its thread.
    pub entering: u32,
    /// So many leave it.
    pub leaving: u32,
}

/// What can be asked about records of one patient. Over the box's local socket too.
pub trait RecordCalls: Calls {
    /// Merges one record into another by their numbers, or says what that would do. Changes nothing where `only_look`; the look is
    /// recorded.
    fn merge_records(
        &self,
        surviving: &str,
        merged: &str,
        only_look: bool,
    ) -> impl Future<Output = Result<MergedRecords, Error>> + Send {
        let ask = proto::MergeRecords {
            surviving_record_number: surviving.to_owned(),
            merged_record_number: merged.to_owned(),
            only_look,
        };
        async move { answered(self.call(Ask::MergeRecords(ask)).await?) }
    }

    /// Un-merges a record by its number, or says what that would do.
    fn unmerge_records(
        &self,
        merged: &str,
        only_look: bool,
    ) -> impl Future<Output = Result<MergedRecords, Error>> + Send {
        let ask = proto::UnmergeRecords { merged_record_number: merged.to_owned(), only_look };
        async move { answered(self.call(Ask::UnmergeRecords(ask)).await?) }
    }
}

impl<C: Calls> RecordCalls for C {}

fn answered(answer: Answer) -> Result<MergedRecords, Error> {
    let wire = match answer {
        Answer::MergedRecords(wire) => wire,
        other => return odd(other),
    };
    let patient = |of: Option<proto::Patient>| Patient::from_wire(of.unwrap_or_default());
    let (surviving, merged) = (patient(wire.surviving)?, patient(wire.merged)?);
    let stays = wire.stays.into_iter().take(limits::MERGE_STAYS_SHOWN_MAX).map(|stay| {
        let encounter = Encounter::from_wire(stay.encounter.unwrap_or_default())?;
        Ok(MergedStay { encounter, entering: stay.entering, leaving: stay.leaving })
    });
    Ok(MergedRecords {
        surviving,
        merged,
        stays: stays.collect::<Result<_, Error>>()?,
        stays_in_all: wire.stays_in_all,
        surviving_named: wire.surviving_named,
        merged_named: wire.merged_named,
        done: wire.done,
    })
}
